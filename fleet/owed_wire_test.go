package fleet

import (
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Whatever a map or an order calls a level, the way can be sent.
func TestAWayCanBeSentWhateverItsLevelsAreCalled(t *testing.T) {
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for level, want := range map[string]string{
		"":                         "",
		"-1":                       "-1",
		"0;1":                      "0;1",
		"地下1":                      "地下1",
		"1\x00":                    "1 ",
		"\u202e2":                  "\ufffd2",
		"\xff":                     "\ufffd",
		strings.Repeat("0;1;", 60): strings.Repeat("0;1;", 16),
	} {
		path := wirePath([]space.Position{{Lon: 1, Lat: 2, Level: level}})
		if path[0].Level != want {
			t.Errorf("level %q is sent as %q, want %q", level, path[0].Level, want)
		}
		back := protocol.Command{ID: "c", Kind: protocol.CommandReturn, Time: noon, ExpiresAt: noon, Path: path}
		if err := back.Validate(); err != nil {
			t.Errorf("level %q: %v", level, err)
		}
	}
}

// A vehicle may hear of a mission that has left memory: one idle for longer than
// what is over is kept, or one that names a mission which nobody knows.
func TestAMissionThatNobodyKnowsCanBeToldAsEnded(t *testing.T) {
	s := NewState()
	s.Durable.Vehicles["v"] = &Vehicle{ID: "v", LastMission: "M7"}
	owed := owedTo(s, "v", DefaultConfig())
	if len(owed.Ended) != 1 {
		t.Fatalf("%d ended missions are owed", len(owed.Ended))
	}
	m := owed.Ended[0]
	m.Time = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	for _, e := range []protocol.Encoding{protocol.JSON, protocol.CBOR} {
		if _, err := e.EncodeTo(nil, m); err != nil {
			t.Errorf("it cannot be sent: %v", err)
		}
	}
}

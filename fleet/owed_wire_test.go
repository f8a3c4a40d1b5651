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

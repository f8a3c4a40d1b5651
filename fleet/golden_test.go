package fleet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// goldenJournal holds the durable events of a story as an earlier release wrote
// them. Every release must still read it and come to the same state.
const (
	goldenJournal = "testdata/golden/0.1.ndjson"
	goldenState   = "testdata/golden/0.1.state.json"
)

// TestGoldenJournal folds the golden journal and compares the state. With
// -update it is written anew, which is right only before the first release.
func TestGoldenJournal(t *testing.T) {
	if *update {
		writeGolden(t)
	}
	lines, err := os.ReadFile(goldenJournal)
	if err != nil {
		t.Fatal(err)
	}
	state := fleet.NewState()
	for i, line := range strings.Split(strings.TrimSpace(string(lines)), "\n") {
		r, err := fleet.DecodeEvent([]byte(line))
		if err != nil {
			t.Fatalf("event %d: %v", i+1, err)
		}
		if r.Index != uint64(i+1) {
			t.Fatalf("event %d has index %d", i+1, r.Index)
		}
		fleet.Evolve(state, r)
	}
	got, err := fleet.EncodeDurable(&state.Durable)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(goldenState)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(indent(t, got), want) {
		t.Errorf("the journal of an earlier release folds to another state:\n%s", diff(string(want), string(indent(t, got))))
	}
	decoded, err := fleet.DecodeDurable(got)
	if err != nil {
		t.Fatal(err)
	}
	again := fleet.NewState()
	again.Durable = decoded
	if what := fleet.Differs(state, again, true); what != "" {
		t.Errorf("a snapshot loses something of %s", what)
	}
}

func indent(t *testing.T, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", " "); err != nil {
		t.Fatal(err)
	}
	b.WriteByte('\n')
	return b.Bytes()
}

// writeGolden plays a story in which every durable event occurs but for the
// archive's.
func writeGolden(t *testing.T) {
	t.Helper()
	s := newStage(t)
	var journal bytes.Buffer
	s.journal = &journal
	s.open(fleet.NewState())
	s.durable, s.all = fleet.NewState(), fleet.NewState()
	s.step(fleet.Recovered{UnixEpoch: 1000})
	for _, play := range []string{"delivery", "refusal", "charging", "fault", "wiped", "commands", "epoch"} {
		script, err := os.ReadFile("testdata/plays/" + play + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		// Each play has vehicles of its own, so that they do not disturb another.
		own := strings.NewReplacer(" r1", " "+play+"-r1", " r2", " "+play+"-r2", " r9", " "+play+"-r9").Replace(string(script))
		s.play(own)
	}
	s.play("> order delivery at=site:node/6001 at=site:node/6003 kg=5 key=golden")
	state, err := fleet.EncodeDurable(&s.durable.Durable)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenJournal, journal.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(goldenState, indent(t, state), 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestEventsAreDocumented holds docs/events.md against the code.
func TestEventsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/events.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range fleet.EventNames() {
		if !bytes.Contains(page, []byte("| `"+name+"` |")) {
			t.Errorf("docs/events.md does not explain %s", name)
		}
	}
}

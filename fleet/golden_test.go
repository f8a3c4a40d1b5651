package fleet_test

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// golden is a journal as an earlier release wrote it. Every release must still
// read it and come to the same state.
type golden struct {
	name string
	// plays are the stories that it was written from, and last what follows them.
	plays []string
	last  string
}

func (g golden) journal() string { return "testdata/golden/" + g.name + ".ndjson" }

func (g golden) state() string { return "testdata/golden/" + g.name + ".state.json" }

// goldens lists the journals of all releases; together the plays bring about every
// durable event but the archive's.
func goldens() []golden {
	all := []golden{{
		"0.1",
		[]string{"delivery", "refusal", "charging", "fault", "wiped", "commands", "epoch"},
		"> order delivery at=site:node/6001 at=site:node/6003 kg=5 key=golden",
	}}
	for _, play := range []string{"incident_escalates", "zone_across", "taken_over", "reassigned", "ranked", "emergency_stop", "conditions_restart", "low_to_land"} {
		all = append(all, golden{name: "0.2." + play, plays: []string{play}})
	}
	return all
}

// TestGoldenJournals folds each golden journal and compares the state. With
// -update those that are not there are written; one that is there is never
// changed.
func TestGoldenJournals(t *testing.T) {
	for _, g := range goldens() {
		t.Run(g.name, func(t *testing.T) {
			if _, err := os.Stat(g.journal()); *update && os.IsNotExist(err) {
				g.write(t)
			}
			g.check(t)
		})
	}
}

func (g golden) check(t *testing.T) {
	t.Helper()
	lines, err := os.ReadFile(g.journal())
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
	want, err := os.ReadFile(g.state())
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

// write plays the stories one after the other, each with vehicles of its own, so
// that they do not disturb another.
func (g golden) write(t *testing.T) {
	t.Helper()
	s := newStage(t)
	var journal bytes.Buffer
	s.journal = &journal
	s.open(fleet.NewState())
	s.durable, s.all = fleet.NewState(), fleet.NewState()
	s.step(fleet.Recovered{UnixEpoch: 1000})
	for _, play := range g.plays {
		script, err := os.ReadFile("testdata/plays/" + play + ".txt")
		if err != nil {
			t.Fatal(err)
		}
		own := regexp.MustCompile(` ([rd][0-9])\b`).ReplaceAllString(string(script), " "+play+"-$1")
		s.play(own)
	}
	if g.last != "" {
		s.play(g.last)
	}
	state, err := fleet.EncodeDurable(&s.durable.Durable)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.journal(), journal.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(g.state(), indent(t, state), 0o644); err != nil {
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

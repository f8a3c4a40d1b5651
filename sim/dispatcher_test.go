package sim

import (
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
)

// TestSlowDispatchers: one that is somewhat slow lags behind and catches up; one
// that takes nothing is cut off and resumes where it was; one that stays away for
// long begins with a snapshot. In the end each knows what the fleet knows.
func TestSlowDispatchers(t *testing.T) {
	s := storyOf(t, `
crashes: {at: [3m, 7m]}
faults:
  - {kind: slow_dispatcher, at: 10s, for: 4m, amount: 2}
  - {kind: slow_dispatcher, at: 1m, for: 2m, amount: 0}
  - {kind: slow_dispatcher, at: 1m, for: 8m, amount: 0.05}
  - {kind: slow_dispatcher, at: 9m, for: 1m, amount: 0}
`)
	most := uint64(0)
	w, _ := happen(t, s, func(w *world) {
		for _, d := range w.backend.stream.dispatchers {
			most = max(most, w.backend.told-d.state.Durable.Index)
		}
	})
	if n := len(w.backend.stream.dispatchers); n != 3 {
		t.Fatalf("there are %d dispatchers", n)
	}
	resumed, cut, snapshots := 0, 0, 0
	for _, d := range w.backend.stream.dispatchers {
		t.Logf("%s: resumed %d times, cut off %d times, %d snapshots", d.name(), d.resumed, d.cut, d.snapshots)
		resumed, cut, snapshots = resumed+d.resumed, cut+d.cut, snapshots+d.snapshots
	}
	if resumed == 0 || cut == 0 || snapshots < 4 || most < 100 {
		t.Errorf("resumed %d times, cut off %d times, %d snapshots, up to %d events behind", resumed, cut, snapshots, most)
	}
}

// TestADispatcherThatWasMisledIsFound: an event that is dropped, and a copy that
// differs, are violations.
func TestADispatcherThatWasMisledIsFound(t *testing.T) {
	s := storyOf(t, "faults: [{kind: slow_dispatcher, at: 1m, for: 1m, amount: 1}]\n")
	w, err := newWorld(s, Options{Chart: harbourChart(t)})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	d := w.backend.stream.dispatchers[0]
	if found := w.backend.stream.judge(); len(found) != 0 {
		t.Fatalf("before anything is wrong: %+v", found)
	}
	for _, task := range d.state.Durable.Tasks {
		task.Rank++
		break
	}
	if found := w.backend.stream.judge(); len(found) != 1 || !strings.Contains(found[0].Text, "differs") {
		t.Errorf("of a copy that differs: %+v", found)
	}
	next := fleet.Recorded{Index: d.state.Durable.Index + 2}
	d.take(next)
	if n := len(d.findings); n != 1 || !strings.Contains(d.findings[0].Text, "follows") {
		t.Errorf("of an event that was dropped: %+v", d.findings)
	}
}

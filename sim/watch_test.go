package sim

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// TestTheJudgeAcceptsWhatIsLawful runs stories with outages, crashes and zones, and
// lets each finish its work: nothing is found, and nothing is left open.
func TestTheJudgeAcceptsWhatIsLawful(t *testing.T) {
	c := harbourChart(t)
	for _, name := range []string{"harbour-small", "crashes", "links"} {
		s := example(t, name)
		s.Settle, s.Assert = scenario.Duration(time.Hour), nil
		r := mustRun(t, s, c)
		if len(r.Violations) > 0 {
			t.Errorf("%s: %d violations %v, the first: %v", name, len(r.Violations), r.ViolationCounts, r.Violations[0])
		}
		if open := r.Waiting + r.Underway; open > len(r.Unfinished) {
			t.Errorf("%s: %d tasks are open and %d excepted", name, open, len(r.Unfinished))
		}
		if r.SimulatedS >= (s.Duration + s.Settle).D().Seconds() {
			t.Errorf("%s took all its time to settle", name)
		}
	}
}

// TestTheJudgeIsShownAnswersBodiesAndTheEnd breaks a promise, a wall and an order of
// its own making, and finds each.
func TestTheJudgeIsShownAnswersBodiesAndTheEnd(t *testing.T) {
	s := example(t, "harbour-small")
	s.Duration, s.Assert = scenario.Duration(3*time.Minute), nil
	w, err := newWorld(s, Options{Chart: harbourChart(t)})
	if err != nil {
		t.Fatal(err)
	}
	drone := len(w.vehicles) - 1
	w.after(time.Minute, func() {
		body := json.RawMessage(`{"id":"T999","stops":[]}`)
		w.jury.answered(&post{key: "never", ask: fleet.OrderTask{}}, fleet.Answer{Status: 201, Body: body})
		at := w.chart.Outline(0)[0][0]
		middle := w.chart.Frame.XY(w.chart.Buildings[0].Footprint.Bound().Center())
		low := w.chart.GroundAltitudeM + 3
		w.geometry.Way(w.time(), drone, space.XYZ{X: at.X, Y: at.Y, Z: low}, space.XYZ{X: middle.X, Y: middle.Y, Z: low}, 10)
		w.jury.loads.Handle(check.Handled{Vehicle: w.vehicles[0].id, Task: "T1", Kg: -1})
	})
	if err := w.run(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := w.result()
	for _, checker := range []string{check.Answers, check.Buildings, check.Custody} {
		if r.ViolationCounts[checker] == 0 {
			t.Errorf("%s found nothing: %v", checker, r.ViolationCounts)
		}
	}
}

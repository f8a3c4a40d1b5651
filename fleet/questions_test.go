package fleet_test

import (
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
)

// TestBackgroundPlanning lets a step run out of budget: the task is asked in the
// background and applied when nothing changed; an answer to an old question is
// asked again.
func TestBackgroundPlanning(t *testing.T) {
	s := newStage(t)
	s.config.ExpansionsPerStep = 1
	s.open(s.fleet.State())
	s.play("> home r1 node/6001 rover kapok-rover\n> join r1 rover\n> sample r1 site:node/6001\n" +
		"> order visit at=site:node/6003")
	if len(s.questions) != 1 {
		t.Fatalf("want one question, got %d", len(s.questions))
	}
	if got := s.task("T1").State; got != fleet.TaskWaiting {
		t.Fatalf("before the answer the task is %s", got)
	}
	s.play("> think")
	if got := s.task("T1"); got.State != fleet.TaskAssigned || got.Vehicle != "r1" {
		t.Fatalf("after the answer the task is %s by %q (%s)", got.State, got.Vehicle, got.Reason.Text)
	}

	s.play("> accept r1 M1/1\n> order visit at=site:node/6004")
	old := s.questions
	s.questions = nil
	s.play("> service r1 out")
	answer := fleet.AnswerQuestion(s.fleet.Planner().Clone(), old[0], s.now, s.config)
	if answer.Best == nil {
		t.Fatal("the old question should have had an answer")
	}
	s.step(fleet.PlanReady{Question: old[0], Answer: answer})
	if got := s.task("T2"); got.State != fleet.TaskWaiting || got.Reason.Code != "out_of_service" {
		t.Fatalf("an answer that is out of date was applied: %s, %s", got.State, got.Reason.Code)
	}
}

// TestAnswerWithoutVehicle lets the background say that nobody can.
func TestAnswerWithoutVehicle(t *testing.T) {
	s := newStage(t)
	s.config.ExpansionsPerStep = 1
	s.open(s.fleet.State())
	s.play("> home r1 node/6001 rover kapok-rover\n> join r1 rover\n> sample r1 site:node/6001\n" +
		"> order visit at=site:node/6003")
	q := s.questions[0]
	s.step(fleet.PlanReady{Question: q, Answer: assign.Answer{Excluded: []assign.Exclusion{{Rule: assign.NoEnergy, Number: 80, Limit: 60}}}})
	got := s.task("T1")
	if got.State != fleet.TaskWaiting || got.Reason.Code != "no_energy" {
		t.Fatalf("want the rule that excluded the vehicle, got %s (%s)", got.Reason.Code, got.Reason.Text)
	}
	if s.now = s.now.Add(10 * time.Second); len(s.fleet.State().Volatile.Questions) != 0 {
		t.Fatal("the question is still open")
	}
}

func (s *stage) task(id fleet.TaskID) *fleet.Task {
	s.t.Helper()
	t, ok := s.fleet.State().Durable.Tasks[id]
	if !ok {
		s.t.Fatalf("no task %s", id)
	}
	return t
}

// TestWaitsSinceItBeganToWait ranks a waiting task and gives it to a vehicle by
// hand: it waits since it began to.
func TestWaitsSinceItBeganToWait(t *testing.T) {
	s := newStage(t)
	s.play("> home r1 node/6001 rover kapok-rover\n> home r2 node/6002 rover kapok-rover\n> join r1 rover\n" +
		"> order visit at=site:node/6003")
	began := s.task("T1").ChangedAt
	s.play("> wait 5s\n> rank T1 urgent\n> wait 5s\n> rank T1 rank=3")
	got := s.task("T1")
	if got.State != fleet.TaskWaiting || !got.WaitsSince.Equal(began) || !got.ChangedAt.After(began) {
		t.Fatalf("it is %s since %v and was changed at %v, want waiting since %v", got.State, got.WaitsSince, got.ChangedAt, began)
	}
}

// TestChartsChangeUnderZones moves a fleet to a chart on which a zone that people
// made does not lie, and back: the alert about it ends.
func TestChartsChangeUnderZones(t *testing.T) {
	s := newStage(t)
	s.play("> zone new keep_out rect=-150,-150,0,250")
	small := *s.chart()
	small.Checksum += "-small"
	small.Extent.Min[0] = (small.Extent.Min[0] + 3*small.Extent.Max[0]) / 4
	unfit := func() int {
		open := 0
		for _, a := range s.fleet.State().Durable.Alerts {
			if a.Kind == fleet.AlertZoneUnfit && a.Open() {
				open++
			}
		}
		return open
	}
	for _, step := range []struct {
		chart *chart.Chart
		open  int
	}{{&small, 1}, {s.chart(), 0}} {
		var err error
		if s.fleet, err = fleet.New(s.config, step.chart, s.fleet.State()); err != nil {
			t.Fatal(err)
		}
		s.step(fleet.Recovered{UnixEpoch: 1000})
		if got := unfit(); got != step.open {
			t.Fatalf("on chart %s there are %d alerts about zones that do not fit, want %d", step.chart.Checksum, got, step.open)
		}
	}
}

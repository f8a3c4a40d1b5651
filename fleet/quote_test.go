package fleet_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// quote asks for a quote on the state as it is, and sees to it that nothing of
// the view changes.
func (s *stage) quote(r api.QuoteRequest) (api.Quote, *fleet.Problem) {
	s.t.Helper()
	view := s.fleet.State().View()
	before, _ := view.DeepSum()
	q, p := fleet.Quote(s.fleet.Premises, view, s.fleet.Planner(), s.now, r)
	if after, _ := view.DeepSum(); after != before {
		s.t.Fatal("the quote changed the view")
	}
	return q, p
}

// crew are five vehicles of which one can go at once.
const crew = `> home q1 node/6014 multirotor kapok-quad
> home q2 node/6015 multirotor kapok-quad
> home r1 node/6001 rover kapok-rover
> home r2 node/6002 rover kapok-rover
> home r3 node/6003 rover kapok-rover
> join q1 multirotor
> sample q1 site:node/6014
> join q2 multirotor
> sample q2 site:node/6015 battery=0.3
> join r1 rover
> sample r1 site:node/6001
> join r2 rover
> sample r2 site:node/6002
> service r2 out
`

func find(t *testing.T, q api.TaskQuote, vehicle string) api.QuoteExclusion {
	t.Helper()
	for _, x := range q.Others {
		if x.Vehicle == vehicle {
			return x
		}
	}
	t.Fatalf("the quote says nothing of %s: %+v", vehicle, q.Others)
	return api.QuoteExclusion{}
}

func TestAQuoteNamesWhoGoesAndWhyTheOthersDoNot(t *testing.T) {
	s := newStage(t)
	s.play(crew)
	order := s.orderOf(strings.Fields("visit at=site:node/6004"))
	q, p := s.quote(api.QuoteRequest{Order: &order})
	if p != nil {
		t.Fatal(p.Detail)
	}
	one := q.Tasks[0]
	if one.Vehicle == "" || len(one.Arrive) != 1 || !one.ETA.After(s.now) || !one.Home.After(one.ETA) || one.EnergyWh <= 0 || *one.BatteryAfterRatio >= 0.95 {
		t.Errorf("the quote is %+v", one)
	}
	if len(one.Others) != 4 || !q.At.Equal(s.now) {
		t.Errorf("at %v it speaks of %d others", q.At, len(one.Others))
	}
	if x := find(t, one, "r2"); x.Rule != "out_of_service" || x.Object != "taken out by alice" {
		t.Errorf("r2: %+v", x)
	}
	if x := find(t, one, "r3"); x.Rule != "link_unknown" || x.Number != nil {
		t.Errorf("r3: %+v", x)
	}
	for _, x := range one.Others {
		if x.Text == "" || (x.Number == nil) != (x.Unit == "") {
			t.Errorf("%+v", x)
		}
	}
	s.play("> order visit at=site:node/6004")
	if got := s.task("T1"); string(got.Vehicle) != one.Vehicle || !got.ETA.Equal(one.ETA) {
		t.Errorf("the order went to %s, there at %v; quoted were %s and %v", got.Vehicle, got.ETA, one.Vehicle, one.ETA)
	}
	held, p := s.quote(api.QuoteRequest{Task: "T1"})
	if p != nil {
		t.Fatal(p.Detail)
	}
	if h := held.Tasks[0]; h.Task != "T1" || h.Vehicle != one.Vehicle || !h.ETA.Equal(one.ETA) || h.WaitsFor != "" || len(h.Others) != 4 {
		t.Errorf("the task that is held is quoted as %+v", h)
	}
}

func TestAQuoteOfAWaitingTaskSaysSinceWhen(t *testing.T) {
	s := newStage(t)
	s.play(crew + "> order delivery at=site:node/6004 at=site:node/6003 kg=900\n")
	began := s.now
	s.now = s.now.Add(90 * time.Second)
	s.play("> sample r1 site:node/6001\n> service r1 out\n> service r1 in\n> sample q1 site:node/6014")
	q, p := s.quote(api.QuoteRequest{Task: "T1"})
	if p != nil {
		t.Fatal(p.Detail)
	}
	one := q.Tasks[0]
	if one.Vehicle != "" || one.WaitsForCode == "" || one.WaitsFor == "" || !one.WaitsSince.Equal(began) {
		t.Errorf("it waits for %s (%s) since %v, want since %v", one.WaitsForCode, one.WaitsFor, one.WaitsSince, began)
	}
	if x := find(t, one, "q1"); x.Rule != "too_heavy" || x.Unit != "kg" || *x.Number != 900 || *x.Limit >= 900 {
		t.Errorf("q1: %+v", x)
	}
}

func TestAQuoteIsRefusedAsTheOrderWouldBe(t *testing.T) {
	s := newStage(t)
	s.play(crew + "> order visit at=site:node/6004\n> cancel T1\n")
	for _, c := range []struct {
		r    api.QuoteRequest
		code string
	}{
		{api.QuoteRequest{}, "bad_quote"},
		{api.QuoteRequest{Task: "T1", Order: &api.Order{}}, "bad_quote"},
		{api.QuoteRequest{Task: "T9"}, "task_not_found"},
		{api.QuoteRequest{Order: &api.Order{Kind: "visit"}}, "no_stops"},
	} {
		if _, p := s.quote(c.r); p == nil || p.Code != c.code {
			t.Errorf("%+v: %+v, want %s", c.r, p, c.code)
		}
	}
}

// TestAQuoteSaysThatAVehicleIsToGiveATaskUp: from when a zone takes a stop off a
// plan until the vehicle has accepted that, the task waits for it.
func TestAQuoteSaysThatAVehicleIsToGiveATaskUp(t *testing.T) {
	s := newStage(t)
	s.play(`> home d1 node/6018 multirotor kapok-quad
> join d1 multirotor
> sample d1 site:node/6018
> home d2 node/6014 multirotor kapok-quad
> order visit at=site:node/6015 by=multirotor
> accept d1 M1/1
> order visit at=site:node/6023 by=multirotor
> accept d1 M1/2
> join d2 multirotor
> sample d2 site:node/6014
> along d1 0.3
> zone new keep_out rect=-400,-150,-250,0
`)
	quote := func(task string) api.TaskQuote {
		q, p := s.quote(api.QuoteRequest{Task: task})
		if p != nil {
			t.Fatal(p.Detail)
		}
		return q.Tasks[0]
	}
	one := quote("T1")
	if one.Vehicle != "" || one.WaitsForCode != "gives_it_up" || !strings.Contains(one.WaitsFor, "d1") || len(one.Others) != 2 {
		t.Errorf("the task that is given up is quoted as %+v", one)
	}
	if x := find(t, one, "d1"); x.Rule != "gives_it_up" || x.Object != "M1" {
		t.Errorf("d1: %+v", x)
	}
	if x := find(t, one, "d2"); x.Rule != "inside_zone" || x.Object != "Z1" {
		t.Errorf("d2: %+v", x)
	}
	if kept := quote("T2"); kept.Vehicle != "d1" || kept.ETA.IsZero() {
		t.Errorf("the task that is kept is quoted as %+v", kept)
	}
	s.play("> accept d1 M1/3")
	if one := quote("T1"); one.WaitsForCode != "inside_zone" {
		t.Errorf("the task that was given up is quoted as %+v", one)
	}
}

// TestQuotesMayBeMadeWhileTheFleetDecides is for the race detector.
func TestQuotesMayBeMadeWhileTheFleetDecides(t *testing.T) {
	s := newStage(t)
	s.play(crew)
	order := s.orderOf(strings.Fields("visit at=site:node/6004"))
	view, world, premises, now := s.fleet.State().View(), s.fleet.Planner().Clone(), s.fleet.Premises, s.now
	want, _ := fleet.Quote(premises, view, world, now, api.QuoteRequest{Order: &order})
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5 {
				got, p := fleet.Quote(premises, view, world, now, api.QuoteRequest{Order: &order})
				if p != nil || got.Tasks[0].Vehicle != want.Tasks[0].Vehicle {
					t.Errorf("another quote: %+v, %v", got, p)
				}
			}
		})
	}
	s.play("> order visit at=site:node/6004\n> wait 3s\n> order visit at=site:node/6003")
	all.Wait()
}

// quoting now and then asks for a quote, then orders the same, and holds the two
// against each other.
func (l *life) quoting() {
	l.t.Helper()
	order := l.someOrder()
	request, ask := api.QuoteRequest{Order: &order}, fleet.Ask(fleet.OrderTask{Order: order})
	if l.chance.IntN(3) == 0 {
		report := l.someReport()
		request, ask = api.QuoteRequest{Incident: &report}, fleet.ReportIncident{Report: report}
	}
	view, world := l.fleet.State().View(), l.fleet.Planner().Clone()
	sum, _ := view.DeepSum()
	quote, p := fleet.Quote(l.fleet.Premises, view, world, l.now, request)
	if after, _ := view.DeepSum(); after != sum {
		l.fail("a quote changed the view")
	}
	l.request++
	out := l.step(fleet.Asked{Request: l.request, Actor: "alice", Ask: ask})
	var ids []fleet.TaskID
	for _, r := range out.Events {
		if e, ok := r.Event.(fleet.TaskOrdered); ok {
			ids = append(ids, e.Task.ID)
		}
	}
	l.thinkThrough(out, world)
	if len(ids) != len(quote.Tasks) {
		l.fail("%d tasks came of what was quoted as %d (%v)", len(ids), len(quote.Tasks), p)
	}
	for i, id := range ids {
		l.holdAgainst(view, quote.Tasks[i], l.fleet.State().Durable.Tasks[id])
	}
	for _, id := range l.openTasks() {
		q, p := fleet.Quote(l.fleet.Premises, l.fleet.State().View(), world, l.now, api.QuoteRequest{Task: string(id)})
		if p != nil {
			l.fail("no quote of %s: %s", id, p.Detail)
		}
		t := l.fleet.State().Durable.Tasks[id]
		if one := q.Tasks[0]; t.State != fleet.TaskWaiting && one.Vehicle != string(t.Vehicle) && one.WaitsForCode != "gives_it_up" || t.State == fleet.TaskWaiting && one.WaitsFor != t.Reason.Text {
			l.fail("%s is %s by %q (%s), quoted as %+v", id, t.State, t.Vehicle, t.Reason.Text, one)
		}
		l.checkOthers(l.fleet.State(), q.Tasks[0])
	}
}

// thinkThrough answers the questions of a step at once.
func (l *life) thinkThrough(out fleet.Output, world *route.Planner) {
	for range fleet.QuoteRounds {
		var ready []fleet.Input
		for _, e := range out.Effects {
			if think, ok := e.(fleet.Think); ok {
				ready = append(ready, fleet.PlanReady{Question: think.Question, Answer: fleet.AnswerQuestion(world, think.Question, l.now, l.config)})
			}
		}
		if len(ready) == 0 {
			return
		}
		out = l.step(ready...)
	}
}

func (l *life) holdAgainst(view *fleet.State, q api.TaskQuote, t *fleet.Task) {
	l.t.Helper()
	if t.State == fleet.TaskWaiting {
		if q.Vehicle != "" || q.WaitsForCode != t.Reason.Code {
			l.fail("%s waits (%s), quoted was %+v", t.ID, t.Reason.Text, q)
		}
	} else if q.Vehicle != string(t.Vehicle) || !q.ETA.Equal(t.ETA) || len(q.Arrive) != len(t.Stops) || q.Role != t.Role {
		l.fail("%s went to %s, there at %v; quoted was %+v", t.ID, t.Vehicle, t.ETA, q)
	}
	l.checkOthers(view, q)
}

// checkOthers holds the reasons of a quote against the state.
func (l *life) checkOthers(state *fleet.State, q api.TaskQuote) {
	l.t.Helper()
	said := map[string]bool{q.Vehicle: true}
	for _, x := range q.Others {
		if said[x.Vehicle] || x.Text == "" || x.Rule == "" {
			l.fail("the quote says of %s: %+v", x.Vehicle, x)
		}
		said[x.Vehicle] = true
		if why := untrue(state, l.config, x); why != "" {
			l.fail("of %s the quote says %s (%s), but %s", x.Vehicle, x.Rule, x.Text, why)
		}
	}
	for id := range state.Durable.Vehicles {
		if !said[string(id)] {
			l.fail("the quote says nothing of %s", id)
		}
	}
}

// untrue says what speaks against a reason, empty for nothing.
func untrue(state *fleet.State, config fleet.Config, x api.QuoteExclusion) string {
	v := state.Durable.Vehicles[fleet.VehicleID(x.Vehicle)]
	p := state.Volatile.Presences[v.ID]
	broken := func(is bool) bool { return is && x.Number != nil && x.Limit != nil && x.Unit != "" }
	ok := true
	switch x.Rule {
	case "slower", "no_energy", "too_heavy", "too_late":
		ok = broken(true) && *x.Number >= *x.Limit
	case "not_tried":
		ok = x.Number != nil && x.AtLeast
	case "out_of_service":
		ok = v.OutOfService != "" && x.Object == v.OutOfService
	case "blocked_by_command":
		ok = string(v.Blocked) == x.Object && x.Object != ""
	case "refusing":
		ok = v.Suspended
	case "fault":
		ok = v.Faults[x.Object] != ""
	case "link_lost":
		ok = p.Link == fleet.LinkLost && (x.Number == nil || *x.Limit == config.LostAfter.Seconds())
	case "link_late":
		ok = p.Link == fleet.LinkLate
	case "link_unknown":
		ok = p == nil || p.Link == fleet.LinkUnknown
	case "mode_fault":
		ok = p.Sample.Mode == "fault"
	case "busy":
		ok = broken(true) && *x.Number >= *x.Limit && *x.Limit == float64(config.MaxQueuedTasks)
	case "charging":
		ok = broken(true) && *x.Number < *x.Limit && v.Charger != ""
	case "command_pending":
		ok = broken(len(v.Commands) > 0)
	case "suspended":
		ok = state.Durable.Missions[v.Mission].State == "suspended"
	case "answer_pending":
		ok = broken(true)
	case "taken_over":
		ok = v.TakenOver != nil
	}
	if !ok {
		return "the state says otherwise"
	}
	return ""
}

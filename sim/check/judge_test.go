package check

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

func eight() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }

func TestOrdersAndAuthority(t *testing.T) {
	at := eight()
	obeyed := Obeyed{At: at, Vehicle: "D1", Order: "C1", Kind: "hold", Epoch: 5, Newest: 5, ExpiresAt: at.Add(time.Second), Slack: 50 * time.Millisecond}
	late, old := obeyed, obeyed
	late.At = at.Add(1100 * time.Millisecond)
	old.Epoch = 4
	begun := Begun{At: at, Vehicle: "D1", Task: "T1", Stop: 1, Ends: at}
	without := begun
	without.Ends = at.Add(-time.Second)
	var log Log
	JudgeObeyed(&log, obeyed)
	JudgeBegun(&log, begun)
	if log.Len() > 0 {
		t.Errorf("what is lawful was found: %v", log.Findings())
	}
	JudgeObeyed(&log, old)
	JudgeObeyed(&log, late)
	JudgeBegun(&log, without)
	if got, want := objects(&log), []string{"stale_epoch C1", "authority T1", "expired_command C1"}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
}

func TestReserves(t *testing.T) {
	yes, no := func() bool { return true }, func() bool { return false }
	none, declared := func() string { return "" }, func() string { return "declared" }
	var log Log
	r := NewReserves(&log)
	r.Look(eight(), "D1", 0.25, 0.2, yes, none)
	r.Look(eight(), "D1", 0.1, 0.2, no, none)
	r.Look(eight(), "D1", 0.1, 0.2, yes, declared)
	if log.Len() > 0 {
		t.Errorf("what is lawful was found: %v", log.Findings())
	}
	for _, ratio := range []float64{0.17, 0.16, 0.5, 0.15} {
		r.Look(eight(), "D1", ratio, 0.2, yes, none)
	}
	if log.Count(Energy) != 2 {
		t.Errorf("found %v, want each of two times once", log.Findings())
	}
}

func TestLoadsGoFromHandToHand(t *testing.T) {
	take, give := Handled{Vehicle: "R1", Task: "T1", Stop: 1, Kg: 2, OnBoard: true}, Handled{Vehicle: "R1", Task: "T1", Stop: 2, Kg: -2}
	other := take
	other.Vehicle = "R2"
	lost := Handled{Vehicle: "R1", Task: "T1", Kg: -2, Lost: true}
	tests := []struct {
		name   string
		moves  []Handled
		says   fleet.VehicleID
		breach int
	}{
		{"delivered", []Handled{take, give}, "", 0},
		{"on board, and the fleet knows", []Handled{take}, "R1", 0},
		{"on board, and the fleet does not know", []Handled{take}, "", 1},
		{"not on board, and the fleet says it is", []Handled{take, give}, "R1", 1},
		{"lost by a fault", []Handled{take, lost}, "R1", 0},
		{"taken by two", []Handled{take, other}, "R2", 1},
		{"handed out by one who never had it", []Handled{give}, "", 1},
	}
	for _, tt := range tests {
		var log Log
		l := NewLoads(&log)
		for _, h := range tt.moves {
			l.Handle(h)
		}
		d := fleet.NewState().Durable
		d.Tasks["T1"] = &fleet.Task{ID: "T1", LoadOn: tt.says}
		l.Finish(&d, func(string) bool { return true })
		if log.Count(Custody) != tt.breach {
			t.Errorf("%s: found %v, want %d", tt.name, log.Findings(), tt.breach)
		}
	}
}

func TestAnswersGivenAreAnswersKept(t *testing.T) {
	body := json.RawMessage(`{"id":"T1","stops":[{}]}`)
	answer := fleet.Answer{Status: 201, Body: body}
	var log Log
	p := NewPromises(&log, 24*time.Hour)
	p.Given(eight(), "k", fleet.OrderTask{}, answer)
	p.Given(eight(), "refused", fleet.OrderTask{}, fleet.Answer{Status: 422, Problem: &fleet.Problem{}})
	d := fleet.NewState().Durable
	d.Tasks["T1"] = &fleet.Task{ID: "T1", Stops: make([]fleet.Stop, 1)}
	d.Answers["k"] = &fleet.GivenAnswer{Status: 201, Body: body}
	p.Given(eight(), "k", fleet.OrderTask{}, answer)
	p.Keep(eight(), &d)
	if log.Len() > 0 {
		t.Fatalf("what is kept was found: %v", log.Findings())
	}
	tests := []struct {
		name  string
		spoil func(p *Promises, d *fleet.Durable)
	}{
		{"the task is gone", func(_ *Promises, d *fleet.Durable) { delete(d.Tasks, "T1") }},
		{"the answer is forgotten", func(_ *Promises, d *fleet.Durable) { delete(d.Answers, "k") }},
		{"it was carried out again", func(p *Promises, _ *fleet.Durable) {
			p.Given(eight(), "k", fleet.OrderTask{}, fleet.Answer{Status: 201, Body: json.RawMessage(`{"id":"T2","stops":[{}]}`)})
		}},
	}
	for _, tt := range tests {
		var log Log
		p := NewPromises(&log, 24*time.Hour)
		p.Given(eight(), "k", fleet.OrderTask{}, answer)
		d := fleet.NewState().Durable
		d.Tasks["T1"] = &fleet.Task{ID: "T1", Stops: make([]fleet.Stop, 1)}
		d.Answers["k"] = &fleet.GivenAnswer{Status: 201, Body: body}
		tt.spoil(p, &d)
		p.Keep(eight(), &d)
		if log.Count(Answers) != 1 {
			t.Errorf("%s: found %v, want one", tt.name, log.Findings())
		}
	}
}

func TestAlertsEndByEvidenceAlone(t *testing.T) {
	registered := fleet.VehicleRegistered{Vehicle: fleet.Vehicle{ID: "D1"}}
	registered.Vehicle.Spec.ReserveRatio = 0.2
	moved := func(ratio float64) fleet.Event {
		return fleet.Moved{Vehicle: "D1", Sample: protocol.Sample{Time: eight(), BatteryRatio: ratio}}
	}
	tests := []struct {
		kind     fleet.AlertKind
		evidence fleet.Event
		nothing  fleet.Event
	}{
		{fleet.AlertLinkLost, fleet.LinkChanged{Vehicle: "D1", State: fleet.LinkLive}, fleet.LinkChanged{Vehicle: "D2", State: fleet.LinkLive}},
		{fleet.AlertBatteryLow, moved(0.3), moved(0.1)},
		{fleet.AlertFault, fleet.VehicleFaulted{Vehicle: "D1", Code: "o", Cleared: true}, fleet.VehicleFaulted{Vehicle: "D1", Code: "p", Cleared: true}},
		{fleet.AlertDecide, fleet.StopChanged{Task: "T1", State: fleet.StopDone}, fleet.StopChanged{Task: "T1", State: fleet.StopBegun, Doubt: true}},
		{fleet.AlertTaskFailed, fleet.AlertAcknowledged{Alert: "A1"}, fleet.AlertAcknowledged{Alert: "A2"}},
		{fleet.AlertEmergencyWaits, fleet.TaskChanged{Task: "T1", State: fleet.TaskAssigned}, fleet.TaskChanged{Task: "T1", State: fleet.TaskWaiting}},
		{fleet.AlertRefusing, fleet.ReportTaken{Vehicle: "D1", Kind: "ack", Mission: "M1", State: "accepted"}, fleet.ReportTaken{Vehicle: "D1", Kind: "ack", Mission: "M1", State: "refused"}},
		{fleet.AlertStopped, fleet.FleetReleased{}, moved(0.5)},
	}
	for _, tt := range tests {
		for want, between := range []fleet.Event{tt.evidence, tt.nothing} {
			var log Log
			v := NewEvidence(&log, 0.35)
			raised := fleet.Alert{ID: "A1", Kind: tt.kind, Vehicle: "D1", Task: "T1", Object: "o", RaisedAt: eight()}
			for _, e := range []fleet.Event{registered, fleet.AlertRaised{Alert: raised}, between, fleet.AlertCleared{Alert: "A1", By: "whatever"}} {
				v.Read(fleet.Recorded{Time: eight(), Event: e})
			}
			v.Flush(false)
			if log.Count(Alerts) != want {
				t.Errorf("%s after %T: found %v, want %d", tt.kind, between, log.Findings(), want)
			}
		}
	}
}

func TestAnAlertIsRaisedOnce(t *testing.T) {
	var log Log
	v := NewEvidence(&log, 0.35)
	for _, id := range []fleet.AlertID{"A1", "A2"} {
		v.Read(fleet.Recorded{Event: fleet.AlertRaised{Alert: fleet.Alert{ID: id, Kind: fleet.AlertLinkLost, Vehicle: "D1"}}})
	}
	v.Read(fleet.Recorded{Event: fleet.AlertCleared{Alert: "A9"}})
	if log.Count(Alerts) != 2 {
		t.Errorf("found %v, want the second alert and the clearing of none", log.Findings())
	}
}

func TestLivenessNamesWhatMayRemain(t *testing.T) {
	well, ill := func(fleet.VehicleID) string { return "" }, func(fleet.VehicleID) string { return "it is broken" }
	tests := []struct {
		name   string
		spoil  func(d *fleet.Durable)
		ailing Ailing
		want   int
	}{
		{"all done", func(*fleet.Durable) {}, well, 0},
		{"a task under way", func(d *fleet.Durable) { d.Tasks["T1"] = &fleet.Task{State: fleet.TaskUnderway, Vehicle: "D1"} }, well, 1},
		{"of a broken vehicle", func(d *fleet.Durable) { d.Tasks["T1"] = &fleet.Task{State: fleet.TaskUnderway, Vehicle: "D1"} }, ill, 0},
		{"a task that nobody can do", func(d *fleet.Durable) {
			d.Tasks["T1"] = &fleet.Task{State: fleet.TaskWaiting, Reason: fleet.Reason{Code: "no_capability"}}
		}, well, 0},
		{"a task that waits for nothing", func(d *fleet.Durable) {
			d.Tasks["T1"] = &fleet.Task{State: fleet.TaskWaiting, Reason: fleet.Reason{Code: "answer_pending"}}
		}, well, 1},
		{"an open command", func(d *fleet.Durable) { d.Commands["C1"] = &fleet.Command{State: fleet.CommandDelivered} }, well, 1},
		{"a mission before its end", func(d *fleet.Durable) {
			d.Missions["M1"] = &fleet.Mission{State: protocol.MissionActive, Legs: make([]fleet.Leg, 3)}
		}, well, 1},
		{"an alert about what is over", func(d *fleet.Durable) { d.Alerts["A1"] = &fleet.Alert{Kind: fleet.AlertLinkLost} }, well, 1},
	}
	for _, tt := range tests {
		var log Log
		d := fleet.NewState().Durable
		d.Tasks["T0"] = &fleet.Task{State: fleet.TaskDone}
		tt.spoil(&d)
		excepted := JudgeLiveness(&log, &d, false, tt.ailing, func(fleet.VehicleID) bool { return false }, func(*fleet.Alert) bool { return true })
		if log.Len() != tt.want {
			t.Errorf("%s: found %v, excepted %q, want %d", tt.name, log.Findings(), excepted, tt.want)
		}
	}
}

func TestSeparationIsMeasuredWhileBothFly(t *testing.T) {
	s := NewSeparation()
	for n := range 3 {
		s.Add(n)
	}
	for tenth := range int64(200) {
		// Two fly towards each other at 20 m/s, 10 m apart in height; a third stands
		// between them on the ground.
		x := float64(tenth) * 2
		s.At(tenth, 0, space.XYZ{X: x - 200, Z: 60}, true)
		s.At(tenth, 1, space.XYZ{X: 200 - x, Z: 70}, true)
		s.At(tenth, 2, space.XYZ{Z: 60}, false)
		if tenth%10 == 0 {
			s.Second(tenth)
		}
	}
	pairs := s.Pairs()
	if len(pairs) != 1 || pairs[0].A != 0 || pairs[0].B != 1 || pairs[0].LeastM != 10 {
		t.Fatalf("pairs %+v, want the two that fly, at 10 m", pairs)
	}
	// 100 m of closing at 40 m/s.
	if s.Seconds() < 2.4 || s.Seconds() > 2.6 {
		t.Errorf("%g s too near, want 2.5", s.Seconds())
	}
}

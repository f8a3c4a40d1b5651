package fleet_test

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// people lets the dispatchers look at the alerts every ten seconds. They answer
// from the truth, after a while.
func (l *life) people() {
	l.actions()
	if l.now.Second()%10 != 0 {
		return
	}
	l.closeOld()
	if !l.inStorm {
		l.unzone()
		l.stillAir()
	}
	l.checkIncidents()
	d := &l.fleet.State().Durable
	var ids []fleet.AlertID
	for id, a := range d.Alerts {
		if a.Open() && l.now.Sub(a.RaisedAt) > 90*time.Second {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	for _, id := range ids {
		a := d.Alerts[id]
		switch a.Kind {
		case fleet.AlertDecide:
			l.decide(a)
		case fleet.AlertTaskFailed:
			l.ask(fleet.AcknowledgeAlert{Alert: id})
		case fleet.AlertRefusing:
			l.ask(fleet.ChangeService{Vehicle: a.Vehicle, Change: api.ServiceChange{InService: true}})
		case fleet.AlertStranded:
			// Somebody carries it home and charges it.
			v := l.craft(a.Vehicle)
			v.at, v.battery, v.path = d.Vehicles[a.Vehicle].Home, 0.9, nil
		case fleet.AlertFault:
			if v := l.craft(a.Vehicle); v.fault == "" && v.welcomed {
				l.ask(fleet.ChangeService{Vehicle: a.Vehicle, Change: api.ServiceChange{InService: true}})
			}
		}
	}
	for _, v := range l.crafts {
		known := d.Vehicles[fleet.VehicleID(v.id)]
		if c := d.Commands[known.Blocked]; c != nil && l.now.Sub(c.IssuedAt) > 100*time.Second && len(known.Commands) == 0 {
			l.ask(fleet.OrderCommand{Vehicle: known.ID, Order: api.CommandOrder{Kind: "resume"}})
		}
		if known.OutOfService != "" && l.chance.IntN(10) == 0 {
			l.ask(fleet.ChangeService{Vehicle: known.ID, Change: api.ServiceChange{InService: true}})
		}
	}
}

// decide answers for the first stop that is in question.
func (l *life) decide(a *fleet.Alert) {
	t := l.fleet.State().Durable.Tasks[a.Task]
	if t.State.Final() {
		return
	}
	stop := t.NextStop()
	for i := range t.Stops {
		if t.Stops[i].Doubt {
			stop = i
			break
		}
	}
	key := stopKey{string(t.ID), stop + 1}
	outcome := "not_done"
	for _, v := range l.crafts {
		if leg, ok := v.begun(); ok && leg.Task == key.task {
			return
		}
	}
	switch {
	case l.world.done[key] > 0:
		outcome = "done"
	case l.world.lost[key.task]:
		outcome = "failed"
	}
	l.ask(fleet.ResolveStop{Task: t.ID, Decision: api.Resolution{Stop: stop + 1, Outcome: outcome, Reason: "went to see"}})
}

// calm lets all mishaps stop and waits until all is settled.
func (l *life) calm(seconds int) {
	l.t.Helper()
	for _, v := range l.crafts {
		v.trouble = 0
		if v.fault != "" {
			v.fault = ""
			v.report(protocol.Fault{Code: "drive", Text: "mended", Cleared: true, Time: l.now})
		}
		if v.session == "" {
			v.offUntil = l.now
		}
	}
	for i := range seconds {
		for _, v := range l.crafts {
			// What came down beside a pad is carried there.
			if v.kind == protocol.Multirotor && v.mission == nil && i%600 == 599 {
				v.at, v.path = l.fleet.State().Durable.Vehicles[fleet.VehicleID(v.id)].Home, nil
			}
		}
		l.people()
		l.second()
		if l.unsettled() == "" {
			return
		}
	}
	l.fail("it does not settle: %s", l.unsettled())
}

// unsettled says what is still to come, empty for nothing.
func (l *life) unsettled() string {
	var open []string
	d := &l.fleet.State().Durable
	for _, id := range l.openTasks() {
		t := d.Tasks[id]
		if t.State == fleet.TaskWaiting && slices.Contains(t.Capabilities, "gold") && t.Reason.Code == "no_capability" {
			continue
		}
		open = append(open, fmt.Sprintf("%s %s %s is %s by %q in %q (%s: %s) load on %q cancel %q", t.Priority, t.Kind, id, t.State, t.Vehicle, t.Mission, t.Reason.Code, t.Reason.Text, t.LoadOn, t.CancelWanted))
	}
	for _, a := range d.Alerts {
		standing := a.Kind == fleet.AlertEmergencyWaits && slices.Contains(d.Tasks[a.Task].Capabilities, "gold")
		if a.Open() && !standing {
			open = append(open, fmt.Sprintf("alert %s: %s", a.Kind, a.Text))
		}
	}
	for _, v := range d.Vehicles {
		if len(v.Commands) > 0 || v.Mission != "" || v.Charger != "" {
			open = append(open, fmt.Sprintf("%s: mission %s, commands %v, charger %s", v.ID, v.Mission, v.Commands, v.Charger))
		}
	}
	for _, v := range l.crafts {
		if len(v.reports) > 0 {
			open = append(open, fmt.Sprintf("%s: %d reports not yet confirmed", v.id, len(v.reports)))
		}
	}
	slices.Sort(open)
	return strings.Join(open, "\n  ")
}

// idle lets nothing happen: nothing may be journaled.
func (l *life) idle(seconds int) {
	l.t.Helper()
	before := l.fleet.State().Durable.Index
	for range seconds {
		l.second()
	}
	d := &l.fleet.State().Durable
	if limit := uint64(400 * (len(d.Tasks) + 20)); d.Index > limit {
		l.fail("%d durable events for %d tasks: something goes on without end", d.Index, len(d.Tasks))
	}
	if grown := d.Index - before; grown > 3 {
		l.fail("%d durable events in %d idle seconds", grown, seconds)
	}
	for id, t := range d.Tasks {
		for i := range t.Stops {
			done := l.world.done[stopKey{string(id), i + 1}]
			if t.State == fleet.TaskDone && done != 1 {
				l.fail("%s is done, but stop %d was done %d times", id, i+1, done)
			}
		}
	}
}

package fleet_test

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// actions lets people do in the storm what they may, and set it right in the end.
func (l *life) actions() {
	l.t.Helper()
	if l.now.Second()%10 == 0 {
		l.setRight()
	}
	if !l.inStorm || l.chance.IntN(18) != 0 {
		return
	}
	v := l.crafts[l.chance.IntN(len(l.crafts))]
	id := fleet.VehicleID(v.id)
	switch n := l.chance.IntN(20); {
	case n < 4:
		l.ask(fleet.TakeOver{Vehicle: id, Order: api.Takeover{Reason: "by hand"}})
	case n < 6:
		l.ask(fleet.TakeOver{Vehicle: id, HandBack: true, Order: api.Takeover{Reason: "enough"}})
	case n < 12:
		if tasks := l.openTasks(); len(tasks) > 0 {
			l.ask(fleet.ReassignTask{Task: tasks[l.chance.IntN(len(tasks))], Order: api.Reassignment{Vehicle: v.id, Reason: "it is near"}})
		}
	case n < 16:
		if tasks := l.openTasks(); len(tasks) > 0 {
			rank := l.chance.IntN(200) - 100
			l.ask(fleet.RankTask{Task: tasks[l.chance.IntN(len(tasks))], Order: api.Ranking{
				Priority: []string{"", "routine", "urgent", "emergency"}[l.chance.IntN(4)], Rank: &rank, Reason: "it presses",
			}})
		}
	case n < 17:
		kinds := []string{"hold", "resume", "return", "stop", "land"}
		o := api.GroupCommand{Kind: kinds[l.chance.IntN(len(kinds))], Reason: "all of them"}
		if l.chance.IntN(2) == 0 {
			o.VehicleKinds = []string{string(v.kind)}
		}
		l.ask(fleet.CommandGroup{Order: o})
	case n < 18:
		l.ask(fleet.StopFleet{Order: api.EmergencyStop{Reason: "an alarm"}})
	default:
		l.ask(fleet.ChangeService{Vehicle: id, Change: api.ServiceChange{Reason: "a look", KeepTasks: l.chance.IntN(2) == 0}})
	}
}

// setRight ends what people began and what would stand in the way of all else.
func (l *life) setRight() {
	d := &l.fleet.State().Durable
	if z := d.Freeze; z != nil && l.now.Sub(z.At) > 40*time.Second {
		l.ask(fleet.ReleaseFleet{Order: api.EmergencyRelease{Resume: l.chance.IntN(2) == 0, Reason: "a false alarm"}})
	}
	for _, v := range l.crafts {
		known := d.Vehicles[fleet.VehicleID(v.id)]
		if known.TakenOver == nil || l.now.Sub(known.TakenOver.At) < 30*time.Second || l.chance.IntN(4) != 0 {
			continue
		}
		if p := l.fleet.State().Volatile.Presences[known.ID]; p != nil && p.Link == fleet.LinkLive && l.chance.IntN(2) == 0 {
			// It was carried home.
			v.at, v.path = known.Home, nil
		}
		l.ask(fleet.TakeOver{Vehicle: known.ID, HandBack: true, Order: api.Takeover{Reason: "done"}})
	}
}

// checkActions holds what must be true of the events of a step.
func (l *life) checkActions(before *fleet.State, events []fleet.Recorded) {
	l.t.Helper()
	stopped := before.Durable.Freeze != nil
	inHand := map[fleet.VehicleID]bool{}
	for id, v := range before.Durable.Vehicles {
		inHand[id] = v.TakenOver != nil
	}
	for _, r := range events {
		switch e := r.Event.(type) { //nolint:gochecksumtype // Only these have rules here.
		case fleet.FleetStopped:
			stopped = true
		case fleet.FleetReleased:
			stopped = false
		case fleet.VehicleTakenOver:
			inHand[e.Vehicle] = !e.HandedBack
		case fleet.MissionIssued:
			if e.State == "active" && (stopped || inHand[e.Vehicle]) {
				l.fail("%s is sent revision %d of %s, active: stopped %v, in hand %v", e.Vehicle, e.Revision, e.Mission, stopped, inHand[e.Vehicle])
			}
		case fleet.CommandOrdered:
			if c := e.Command; c.IssuedBy == "kapok" && (inHand[c.Vehicle] || stopped && c.Kind != "hold") {
				l.fail("kapok commands %s to %s (%s): stopped %v, in hand %v", c.Vehicle, c.Kind, c.Reason, stopped, inHand[c.Vehicle])
			}
		case fleet.TaskChanged:
			if e.State == fleet.TaskAssigned && !e.PromisedAt.IsZero() {
				if t := l.fleet.State().Durable.Tasks[e.Task]; stopped || inHand[e.Vehicle] || t.Wanted != "" && t.Wanted != e.Vehicle {
					l.fail("%s is given to %s: stopped %v, in hand %v, wanted %q", e.Task, e.Vehicle, stopped, inHand[e.Vehicle], t.Wanted)
				}
			}
		default:
			// Other events are free to happen at any time.
		}
	}
}

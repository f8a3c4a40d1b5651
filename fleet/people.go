package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// What people decide about vehicles.

// Freeze is an emergency stop in force: nothing that moves a vehicle is issued.
type Freeze struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
	// Commands are the holds that it gave.
	Commands []CommandID `json:"commands,omitempty"`
}

// Takeover says who has a vehicle in hand instead of Kapok.
type Takeover struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// changeService takes a vehicle out of service, or puts it back. Out of service
// it gives up what it has not begun and does not carry, unless it keeps its
// tasks, and goes home.
func (f *Fleet) changeService(a ChangeService) Answer {
	v, ok := f.vehicle(a.Vehicle)
	if !ok {
		return noVehicle(a.Vehicle)
	}
	reason := ""
	if !a.Change.InService {
		reason = a.Change.Reason
		if reason == "" {
			reason = "taken out by " + f.actor
		}
	}
	f.emit(VehicleServiceChanged{Vehicle: v.ID, OutOfService: reason, GivesUp: reason != "" && !a.Change.KeepTasks})
	if reason == "" {
		f.clearAlert(alertAbout{kind: AlertRefusing, vehicle: v.ID}, "put back in service by "+f.actor)
		for _, code := range sortedKeys(v.Faults) {
			f.emit(VehicleFaulted{v.ID, code, v.Faults[code], true})
			f.clearAlert(alertAbout{kind: AlertFault, vehicle: v.ID, object: code}, "put back in service by "+f.actor)
		}
	} else {
		if m, open := f.openMission(v); !open || f.presence(v.ID).Link != LinkLive || !toCharger(m) {
			f.leaveCharger(v.ID)
		}
		f.pursue(v.ID)
	}
	f.lookAgain = true
	view, _ := f.state.VehicleView(v.ID)
	return answerWith(statusOK, view)
}

// leaves tells whether a task is to leave the vehicle of a mission although it is
// neither over nor cancelled: a person gave it to another, or the vehicle gives
// up its work. Once a stop is begun the vehicle goes on until that is done.
func (f *Fleet) leaves(m *Mission, t *Task) bool {
	if n := t.NextStop(); n < len(t.Stops) && t.Stops[n].State == StopBegun {
		return false
	}
	if t.Wanted != "" && t.Wanted != m.Vehicle {
		return true
	}
	v, ok := f.vehicle(m.Vehicle)
	return ok && v.GivesUp
}

// takeOver leaves a vehicle to a person, or takes it back from them. While it is
// taken over Kapok gives it no commands, no work and no new ways; what it holds
// stays with it, suspended.
func (f *Fleet) takeOver(a TakeOver) Answer {
	v, ok := f.vehicle(a.Vehicle)
	switch {
	case !ok:
		return noVehicle(a.Vehicle)
	case a.HandBack && v.TakenOver == nil:
		return problem(statusConflict, "not_taken_over", "", fmt.Sprintf("nobody has %s in hand: there is nothing to hand back", v.ID))
	}
	defer f.because(f.emit(VehicleTakenOver{Vehicle: v.ID, HandedBack: a.HandBack, Reason: a.Order.Reason}))()
	if a.HandBack {
		f.handedBack(v.ID, a.Order.Reason)
	} else {
		f.handedOver(v.ID, a.Order.Reason)
	}
	f.lookAgain = true
	view, _ := f.state.VehicleView(v.ID)
	return answerWith(statusOK, view)
}

func (f *Fleet) handedOver(id VehicleID, reason string) {
	v, _ := f.vehicle(id)
	for _, cid := range v.Commands {
		c := f.state.Durable.Commands[cid]
		if c.State != CommandAccepted && (c.Kind == protocol.CommandResume || c.IssuedBy == "kapok") {
			f.emit(CommandChanged{cid, CommandSuperseded, Reason{takenOver, "the vehicle was taken over"}})
		}
	}
	if m, open := f.openMission(v); open && m.State == protocol.MissionActive {
		f.emit(MissionChanged{m.ID, protocol.MissionSuspended, Reason{takenOver, fmt.Sprintf("%s has the vehicle in hand: %s", f.actor, reason)}})
	}
	f.owe(id)
}

// handedBack makes a vehicle's mission anew from where it is now. One that is
// held goes on when it is resumed.
func (f *Fleet) handedBack(id VehicleID, reason string) {
	f.owe(id)
	f.keepStopped(id)
	v, _ := f.vehicle(id)
	m, open := f.openMission(v)
	if !open || f.complete(m) {
		f.recheck(id)
		return
	}
	why := Reason{"handed_back", fmt.Sprintf("handed back by %s: %s", f.actor, reason)}
	f.unsuspend(v, why)
	v, _ = f.vehicle(id)
	if p := f.presence(id); p.Link == LinkLive && p.Fresh {
		f.rebuild(v, f.mission(m.ID), why)
		return
	}
	// Zones and chart may have changed meanwhile: it is planned anew when it is
	// back.
	f.zones.due[id] = true
}

// unsuspend makes a mission active that nothing suspends any more: no hold, no
// person who has the vehicle in hand, no emergency stop.
func (f *Fleet) unsuspend(v *Vehicle, why Reason) {
	m, open := f.openMission(v)
	if !open || m.State != protocol.MissionSuspended || v.Blocked != "" || v.TakenOver != nil ||
		f.state.Durable.Freeze != nil || f.commandPending(v) {
		return
	}
	f.emit(MissionChanged{m.ID, protocol.MissionActive, why})
	f.owe(v.ID)
}

// takeOut leaves out of the mission of a vehicle that a person has in hand what
// lost its reason; nothing is planned before it is handed back.
func (f *Fleet) takeOut(v *Vehicle, m *Mission, why Reason) {
	todo := f.heldLegs(m)
	legs := lastFinished(m)
	begun, working := begunLeg(m)
	keeps := working && f.holds(m, &m.Legs[begun])
	if len(todo) == len(taskLegs(m, false)) && keeps == working {
		return
	}
	if keeps {
		legs = append(legs, m.Legs[begun])
	}
	next := m.NextLeg
	end := lastPark(m)
	if len(end) == 0 {
		at, _ := f.whereabouts(v, m)
		end = []Leg{f.stayLeg(at, &next)}
	}
	f.issue(v, m, append(append(legs, todo...), end...), next, why)
}

// sendAgain issues a mission as it stands once more, so that its state reaches a
// vehicle that may have another.
func (f *Fleet) sendAgain(v *Vehicle, m *Mission, why Reason) {
	f.issue(v, m, append(lastFinished(m), m.Legs[m.Current():]...), m.NextLeg, why)
}

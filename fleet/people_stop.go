package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// The emergency stop. It holds every vehicle, and while it stands nothing that
// moves a vehicle is issued by Kapok: no mission, no charging, and each revision
// goes out suspended. Commands of people still work. A vehicle whose hold ran out
// before it was heard, and one that comes back into touch, is held again.

// fleetStopped is the code of what an emergency stop brought about.
const fleetStopped = "fleet_stopped"

// stopped says that the emergency stop is in force, and why.
func (f *Fleet) stopped() (Reason, bool) {
	z := f.state.Durable.Freeze
	if z == nil {
		return Reason{}, false
	}
	return Reason{fleetStopped, fmt.Sprintf("the fleet is stopped by %s since %s: %s", z.By, clock(z.At), z.Reason)}, true
}

// stopFleet stops the fleet. Asked for again, it holds those that are not held.
func (f *Fleet) stopFleet(a StopFleet) Answer {
	d := &f.state.Durable
	var hold []VehicleID
	skipped := []api.SkippedVehicle{}
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if skip := f.notHeld(v); skip.Code != "" {
			skip.Vehicle = string(id)
			skipped = append(skipped, skip)
		} else {
			hold = append(hold, id)
		}
	}
	if d.Freeze == nil {
		e := FleetStopped{Reason: a.Order.Reason}
		for i := range hold {
			e.Commands = append(e.Commands, CommandID(fmt.Sprintf("C%d", d.Counters.Command+1+uint64(i)))) //nolint:gosec // Not negative.
		}
		defer f.because(f.emit(e))()
		f.raise(alertAbout{kind: AlertStopped}, Critical, fmt.Sprintf("the fleet is stopped by %s: %s", f.actor, a.Order.Reason))
	}
	commands := make([]api.Command, 0, len(hold))
	for _, id := range hold {
		view, _ := f.state.CommandView(f.command(id, protocol.CommandHold, Reason{fleetStopped, a.Order.Reason}))
		commands = append(commands, view)
	}
	f.lookAgain = true
	return f.emergencyAnswer(commands, skipped)
}

func (f *Fleet) emergencyAnswer(commands []api.Command, skipped []api.SkippedVehicle) Answer {
	state := f.state.EmergencyView()
	state.Commands, state.Skipped = commands, skipped
	return answerWith(statusOK, state)
}

// notHeld says why an emergency stop leaves a vehicle out: it cannot be
// commanded, is in a person's hands, or stands already by a person's command.
func (f *Fleet) notHeld(v *Vehicle) api.SkippedVehicle {
	skip := f.notCommanded(v, protocol.CommandHold)
	c := f.state.Durable.Commands[v.Blocked]
	switch {
	case skip.Code != "":
	case v.TakenOver != nil:
		skip = api.SkippedVehicle{Code: takenOver, Reason: v.TakenOver.By + " has it in hand"}
	case f.commandPending(v):
		if p, _ := f.pendingCommand(v); p.Kind == protocol.CommandHold {
			skip = api.SkippedVehicle{Code: "held", Reason: fmt.Sprintf("the hold %s is on its way to it", p.ID)}
		}
	case f.resumePending(v):
		// It stands, and is about to go on.
	case c != nil && (c.Kind == protocol.CommandHold || !contains(v.Commands, c.ID)):
		skip = api.SkippedVehicle{Code: "held", Reason: fmt.Sprintf("it stands by the command %s, %s", c.ID, c.Kind)}
	}
	return skip
}

// resumePending tells whether a resume is on its way to a vehicle.
func (f *Fleet) resumePending(v *Vehicle) bool {
	return slices.ContainsFunc(v.Commands, func(id CommandID) bool {
		c := f.state.Durable.Commands[id]
		return c != nil && c.Kind == protocol.CommandResume && c.State != CommandAccepted
	})
}

// keepStopped holds a vehicle that the emergency stop has not reached, or that
// has come back into touch while it stands. One that a person is resuming goes on.
func (f *Fleet) keepStopped(id VehicleID) {
	z := f.state.Durable.Freeze
	v, ok := f.vehicle(id)
	if z == nil || !ok || f.notHeld(v).Code != "" || f.commandPending(v) || f.resumePending(v) {
		return
	}
	f.as(z.By, func() { f.command(id, protocol.CommandHold, Reason{fleetStopped, z.Reason}) })
}

// releaseFleet ends an emergency stop. Vehicles that it held are resumed where
// that is asked for; those out of touch keep the resume for its lifetime.
func (f *Fleet) releaseFleet(a ReleaseFleet) Answer {
	d := &f.state.Durable
	if d.Freeze == nil {
		return problem(statusConflict, "not_stopped", "", "the fleet is not stopped")
	}
	defer f.because(f.emit(FleetReleased{Reason: a.Order.Reason, Resume: a.Order.Resume}))()
	f.clearAlert(alertAbout{kind: AlertStopped}, "released by "+f.actor)
	commands, skipped := []api.Command{}, []api.SkippedVehicle{}
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		f.unsuspend(v, Reason{"released", fmt.Sprintf("the emergency stop was ended by %s", f.actor)})
		if !a.Order.Resume || !f.heldByStop(v) {
			continue
		}
		if skip := f.notCommanded(v, protocol.CommandResume); skip.Code != "" {
			skip.Vehicle = string(id)
			skipped = append(skipped, skip)
			continue
		}
		view, _ := f.state.CommandView(f.command(id, protocol.CommandResume, Reason{"released", a.Order.Reason}))
		commands = append(commands, view)
	}
	f.lookAgain = true
	return f.emergencyAnswer(commands, skipped)
}

// heldByStop tells whether an emergency stop holds the vehicle, or its hold is on
// the way to it.
func (f *Fleet) heldByStop(v *Vehicle) bool {
	by := func(id CommandID) bool {
		c := f.state.Durable.Commands[id]
		return c != nil && c.Code == fleetStopped && c.Kind == protocol.CommandHold
	}
	if by(v.Blocked) {
		return true
	}
	for _, id := range v.Commands {
		if by(id) {
			return true
		}
	}
	return false
}

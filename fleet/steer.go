package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The rules of commands.

// command issues a command to a vehicle; a motion command that is still open is
// superseded by it.
func (f *Fleet) command(id VehicleID, kind protocol.CommandKind, why Reason) CommandID {
	var path []space.Position
	var speedMPS float64
	if kind == protocol.CommandReturn {
		v, _ := f.vehicle(id)
		path, speedMPS = f.wayHome(v)
	}
	return f.commandAlong(id, kind, why, path, speedMPS)
}

// commandAlong is command with a given way for a return.
func (f *Fleet) commandAlong(id VehicleID, kind protocol.CommandKind, why Reason, path []space.Position, speedMPS float64) CommandID {
	v, _ := f.vehicle(id)
	for _, open := range v.Commands {
		f.emit(CommandChanged{open, CommandSuperseded, Reason{"superseded", "a newer command was given"}})
	}
	cid := CommandID(fmt.Sprintf("C%d", f.state.Durable.Counters.Command+1))
	c := Command{
		ID: cid, Vehicle: id, Kind: kind, State: CommandIssued, Reason: why.Text, Code: why.Code, IssuedBy: f.actor,
		IssuedAt: f.now, ExpiresAt: f.now.Add(f.config.CommandTTL), Path: path, SpeedMPS: speedMPS,
	}
	f.emit(CommandOrdered{c})
	f.owe(id)
	return cid
}

// wayHome is the path of a return, to another dock or pad where there is no
// lawful way home, and the speed that is lawful on all of it;
// empty when there is none, and the vehicle does what it can.
func (f *Fleet) wayHome(v *Vehicle) (path []space.Position, speedMPS float64) {
	if !v.HomeKnown {
		return nil, 0
	}
	m, ok := f.openMission(v)
	if !ok {
		m = nil
	}
	at, _ := f.whereabouts(v, m)
	c := f.candidate(v, at, f.now, v.Spec.BatteryWh, 0)
	c.Spec.ReserveRatio = 0
	s := search{f: f, v: v, c: c, site: v.HomeSite}
	offer, refused := s.plan(nil)
	if refused != nil && wayless(refused) {
		offer, refused = s.refuge(v, refused)
	}
	if refused != nil {
		return nil, 0
	}
	way := offer.Routes[len(offer.Routes)-1]
	if len(way.SpeedsMPS) > 0 {
		speedMPS = slices.Min(way.SpeedsMPS)
	}
	return way.Path, speedMPS
}

// commandFits says why a command makes no sense for a vehicle; empty when it
// does.
func commandFits(v *Vehicle, kind protocol.CommandKind) string {
	flies := MotionKind(v.Kind).Airborne()
	switch {
	case kind == protocol.CommandLand && !flies:
		return fmt.Sprintf("a %s cannot land: use stop", v.Kind)
	case kind == protocol.CommandStop && flies:
		return fmt.Sprintf("a %s cannot stop in the air: use hold or land", v.Kind)
	}
	return ""
}

func (f *Fleet) delivered(in Delivered) {
	c, ok := f.state.Durable.Commands[in.Command]
	if ok && c.Vehicle == in.Vehicle && c.State == CommandIssued {
		f.emit(CommandChanged{c.ID, CommandDelivered, Reason{}})
	}
}

// expireCommands ends commands that were not answered in time.
func (f *Fleet) expireCommands(v *Vehicle) {
	for _, id := range v.Commands {
		c := f.state.Durable.Commands[id]
		if c != nil && c.State != CommandAccepted && f.now.After(c.ExpiresAt) {
			f.emit(CommandChanged{id, CommandExpired, Reason{"expired", fmt.Sprintf("no answer before %s", c.ExpiresAt.Format("15:04:05"))}})
			f.owe(v.ID)
			if c.Code == fleetStopped && f.presence(v.ID).Link == LinkLive {
				f.keepStopped(v.ID)
			}
			if c.Kind == protocol.CommandResume && c.IssuedBy != "kapok" && v.Blocked != "" {
				f.raise(alertAbout{kind: AlertStillHeld, vehicle: v.ID}, Warning,
					fmt.Sprintf("%s has not answered that it may go on, and stays held: %s was to resume it until %s", v.ID, id, c.ExpiresAt.Format("15:04:05")))
				f.resumeAgain(v.ID)
			}
		}
	}
}

// resumedAgain is the code of a resume that is given a second time, and the last.
const resumedAgain = "resumed_again"

// ResumeAgainWithin is how long after a person's resume Kapok gives it once more to
// a vehicle that did not answer it: at once when the vehicle is in touch, else when
// it is again. Later a person must look first.
const ResumeAgainWithin = 10 * time.Minute

// resumeAgain gives the resume of a person once more that expired without an answer,
// unless anything else was ordered since.
func (f *Fleet) resumeAgain(id VehicleID) {
	v, ok := f.vehicle(id)
	if !ok || v.Blocked == "" || v.TakenOver != nil || f.state.Durable.Freeze != nil || f.presence(id).Link != LinkLive {
		return
	}
	var last *Command
	for _, c := range f.state.Durable.Commands {
		if c.Vehicle == id && (last == nil || compareNumbered(string(c.ID), string(last.ID)) > 0) {
			last = c
		}
	}
	if last == nil || last.Kind != protocol.CommandResume || last.State != CommandExpired || last.IssuedBy == "kapok" ||
		last.Code == resumedAgain || f.now.Sub(last.IssuedAt) > ResumeAgainWithin {
		return
	}
	f.as(last.IssuedBy, func() {
		f.command(id, protocol.CommandResume, Reason{resumedAgain, fmt.Sprintf("given again, as %s was not answered: %s", last.ID, last.Reason)})
	})
}

// commandAnswered takes in the vehicle's verdict on a command: an accepted one
// acts on the mission. One that has ended for Kapok stays ended, but what the
// vehicle did because of it counts.
func (f *Fleet) commandAnswered(v *Vehicle, c *Command, verdict protocol.Verdict, reason Reason) {
	late := c.State == CommandExpired
	if verdict == protocol.Refused {
		if c.State.Final() {
			return
		}
		f.emit(CommandChanged{c.ID, CommandRefused, reason})
		f.raise(alertAbout{kind: AlertRefusing, vehicle: v.ID}, Warning,
			fmt.Sprintf("%s refused the command %s: %s %s", v.ID, c.Kind, reason.Code, reason.Text))
		return
	}
	if !c.State.Final() {
		f.emit(CommandChanged{c.ID, CommandAccepted, reason})
	}
	byPerson := c.IssuedBy != "kapok"
	m, open := f.openMission(v)
	switch c.Kind {
	case protocol.CommandHold:
		f.block(v, c, true)
		if open && m.State == protocol.MissionActive {
			f.emit(MissionChanged{m.ID, protocol.MissionSuspended, Reason{"hold", "held by " + c.IssuedBy}})
		}
	case protocol.CommandResume:
		if v.Blocked != "" {
			f.emit(VehicleBlocked{v.ID, ""})
			f.clearAlert(alertAbout{kind: AlertStillHeld, vehicle: v.ID}, "it was resumed")
		}
		if open && v.TakenOver != nil {
			// It went on by itself and must hear that it is not to.
			f.sendAgain(v, m, Reason{takenOver, v.TakenOver.By + " has the vehicle in hand"})
		} else if open && m.State == protocol.MissionSuspended {
			f.emit(MissionChanged{m.ID, protocol.MissionActive, Reason{"resume", "resumed by " + c.IssuedBy}})
			f.pursue(v.ID)
		}
		f.lookAgain = true
	case protocol.CommandReturn, protocol.CommandLand, protocol.CommandStop:
		f.block(v, c, byPerson)
		f.leaveCharger(v.ID)
		if open {
			why := Reason{string(c.Kind), fmt.Sprintf("%s was told to %s by %s", v.ID, c.Kind, c.IssuedBy)}
			f.endMission(f.mission(m.ID), why, why)
		}
		if late {
			f.commandAgain(v.ID, c)
		}
	}
}

// commandAgain gives a command once more that the vehicle obeyed, but said so only
// after the command had expired. A mission may have gone out to it meanwhile and
// have turned it round. A newer command stands in the old one's place.
func (f *Fleet) commandAgain(id VehicleID, c *Command) {
	if v, ok := f.vehicle(id); !ok || c.IssuedBy == "kapok" && (v.TakenOver != nil || f.state.Durable.Freeze != nil) {
		return
	}
	for _, other := range f.state.Durable.Commands {
		if other.Vehicle == id && compareNumbered(string(other.ID), string(c.ID)) > 0 {
			return
		}
	}
	f.as(c.IssuedBy, func() {
		f.command(id, c.Kind, Reason{c.Code, fmt.Sprintf("given again, as the answer to %s came after it had expired: %s", c.ID, c.Reason)})
	})
}

// unlawful is the code of a hold that Kapok gives a vehicle which refused to give
// up work that was taken off.
const unlawful = "unlawful"

// endOwnHold takes such a hold back when its reason is gone: the vehicle accepted
// a plan without that work, or has no mission any more. A vehicle that refused to
// be resumed is left to people.
func (f *Fleet) endOwnHold(v *Vehicle) {
	if v.Blocked == "" {
		return
	}
	c, held := f.state.Durable.Commands[v.Blocked]
	if !held || c.Code != unlawful || c.IssuedBy != "kapok" || f.presence(v.ID).Link != LinkLive ||
		v.TakenOver != nil || f.state.Durable.Freeze != nil {
		return
	}
	if m, open := f.openMission(v); open {
		if !m.Answered() || slices.ContainsFunc(taskLegs(m, true), func(l Leg) bool { return !f.holds(m, &l) }) {
			return
		}
	}
	if !f.mayResume(v) {
		return
	}
	f.byKapok(func() {
		f.command(v.ID, protocol.CommandResume, Reason{unlawful, "the work that was taken off is out of its plan: it goes on"})
	})
}

// mayResume tells whether a vehicle that Kapok holds may be told to go on: nothing
// newer than the hold is on its way to it, and it refused nothing since.
func (f *Fleet) mayResume(v *Vehicle) bool {
	for _, c := range f.state.Durable.Commands {
		newer := c.Vehicle == v.ID && compareNumbered(string(c.ID), string(v.Blocked)) > 0
		if newer && (!c.State.Final() || c.State == CommandRefused) {
			return false
		}
	}
	return true
}

// block keeps a vehicle that a person has stopped, or that is held, from new work
// until a resume.
func (f *Fleet) block(v *Vehicle, c *Command, byPerson bool) {
	if byPerson {
		f.emit(VehicleBlocked{v.ID, c.ID})
		f.clearAlert(alertAbout{kind: AlertStillHeld, vehicle: v.ID}, fmt.Sprintf("%s holds it now", c.ID))
	}
}

// commandEnded takes in that an accepted command is carried out, or failed.
func (f *Fleet) commandEnded(v *Vehicle, c *Command, p protocol.Progress) {
	switch p.State {
	case protocol.Done:
		f.emit(CommandChanged{c.ID, CommandDone, Reason{p.Reason, p.Text}})
	case protocol.Failed:
		f.emit(CommandChanged{c.ID, CommandFailed, Reason{p.Reason, p.Text}})
		f.raise(alertAbout{kind: AlertRefusing, vehicle: v.ID}, Warning,
			fmt.Sprintf("%s could not carry out %s: %s %s", v.ID, c.Kind, p.Reason, p.Text))
	case protocol.Started, protocol.Begun, protocol.Abandoned:
	}
	f.lookAgain = true
}

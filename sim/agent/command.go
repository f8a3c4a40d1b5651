package agent

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// command obeys or refuses a command; one that was answered already is not
// answered again.
func (a *Agent) command(now time.Time, c protocol.Command) {
	if slices.Contains(a.store.Answered, c.ID) {
		return
	}
	a.store.Answered = remember(a.store.Answered, c.ID)
	why := a.judgeCommand(now, &c)
	a.answer(nil, c.ID, why)
	if why != (refusal{}) {
		return
	}
	a.store.Epoch, a.store.LastCommand = c.Epoch, c.ID
	switch c.Kind {
	case protocol.CommandHold:
		a.store.Held = true
		a.halt()
		a.commandDone(now, c.ID)
	case protocol.CommandResume:
		a.store.Held = false
		a.commandDone(now, c.ID)
	case protocol.CommandStop:
		a.quit(now)
		a.commandDone(now, c.ID)
	case protocol.CommandReturn, protocol.CommandLand:
		a.quit(now)
		a.store.Motion = &c
	}
	a.think(now)
}

func (a *Agent) judgeCommand(now time.Time, c *protocol.Command) refusal {
	air := a.options.Kind == protocol.Multirotor || a.options.Kind == protocol.VTOL
	switch {
	case c.Epoch < a.store.Epoch && !mutant.On(mutant.EpochIgnored):
		return refusal{"stale_epoch", "a newer owner was seen"}
	case !c.ExpiresAt.IsZero() && a.kapokTime(now).After(c.ExpiresAt) && !mutant.On(mutant.ExpiredCommandObeyed):
		return refusal{"expired", "the command came too late"}
	case c.Kind == protocol.CommandLand && !air:
		return refusal{"not_possible", "this vehicle does not fly"}
	case c.Kind == protocol.CommandStop && air:
		return refusal{"not_possible", "an aircraft cannot stop in the air; use land"}
	case a.fault != "" && c.Kind != protocol.CommandHold && c.Kind != protocol.CommandStop:
		return refusal{"fault", "the vehicle has the fault " + a.fault}
	case c.Kind == protocol.CommandReturn && len(c.Path) == 0:
		return refusal{"no_path", "the command has no way home"}
	}
	return refusal{}
}

// quit gives up the mission; work that was begun has failed.
func (a *Agent) quit(now time.Time) {
	a.store.Motion = nil
	if m := a.store.Mission; m != nil {
		if leg, ok := m.begun(); ok {
			a.progress(now, m, leg, protocol.Failed, "command", "a command ended the mission")
		}
	}
	a.store.Mission, a.store.Held = nil, false
	a.halt()
}

func (a *Agent) commandDone(now time.Time, id string) {
	a.store.add(protocol.Progress{Command: id, State: protocol.Done, Time: a.clock(now)})
}

// finishMotion reports the end of the motion command.
func (a *Agent) finishMotion(now time.Time, state protocol.ProgressState, reason, text string) {
	a.store.add(protocol.Progress{
		Command: a.store.Motion.ID, State: state, Time: a.clock(now), Reason: reason, Text: text,
	})
	a.store.Motion = nil
	a.halt()
}

// moveByCommand carries the motion command out.
func (a *Agent) moveByCommand(now time.Time) {
	switch {
	case !a.commanded && a.store.Motion.Kind == protocol.CommandReturn:
		var speeds []float64
		if s := a.store.Motion.SpeedMPS; s > 0 {
			speeds = []float64{s}
		}
		a.body.Follow(a.joined(a.xyz(a.store.Motion.Path), speeds))
		a.commanded = true
	case !a.commanded:
		a.descend()
		a.commanded = true
	case a.body.Moving():
	case !a.body.Landed():
		a.descend()
	default:
		a.finishMotion(now, protocol.Done, "", "")
	}
}

// descend sets out straight down.
func (a *Agent) descend() {
	down := a.body.At
	down.Z = a.body.GroundBelowM()
	a.body.Follow([]space.XYZ{a.body.At, down}, nil)
}

// xyz brings a path into the frame.
func (a *Agent) xyz(path []protocol.Position) []space.XYZ {
	out := make([]space.XYZ, len(path))
	for i, p := range path {
		out[i] = a.options.Frame.XYZ(space.Position{Lon: p.Lon, Lat: p.Lat, AltitudeM: p.AltitudeM})
	}
	return out
}

package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
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
	a.truth.obey(Obeyed{At: now, Command: c.ID, Kind: c.Kind, Epoch: c.Epoch, ExpiresAt: c.ExpiresAt})
	a.store.Epoch, a.store.LastCommand = c.Epoch, c.ID
	if c.Kind != protocol.CommandResume {
		a.calm(now)
	}
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
	air := a.airborne()
	switch {
	case c.Epoch < a.store.Epoch && !mutant.On(mutant.EpochIgnored):
		return refusal{"stale_epoch", "a newer owner was seen"}
	case !c.ExpiresAt.IsZero() && a.kapokTime(now).After(c.ExpiresAt) && !mutant.On(mutant.ExpiredCommandObeyed):
		return refusal{"expired", "the command came too late"}
	case c.Kind == protocol.CommandLand && !air:
		return refusal{"unsupported", "this vehicle does not fly"}
	case c.Kind == protocol.CommandStop && air:
		return refusal{"unsupported", "an aircraft cannot stop in the air; use land"}
	case a.fault != "" && c.Kind != protocol.CommandHold && c.Kind != protocol.CommandStop:
		return refusal{"fault", "the vehicle has the fault " + a.fault}
	case c.Kind == protocol.CommandHold && a.inDistress():
		return refusal{lowBattery, "its energy does not last for waiting"}
	case c.Kind == protocol.CommandReturn:
		return a.judgeReturn(c)
	case c.Kind != protocol.CommandHold && c.Kind != protocol.CommandResume && c.Kind != protocol.CommandStop && c.Kind != protocol.CommandLand:
		return refusal{"unsupported", "it knows no command " + string(c.Kind)}
	}
	return refusal{}
}

// judgeReturn says why a way home cannot be gone.
func (a *Agent) judgeReturn(c *protocol.Command) refusal {
	switch {
	case len(c.Path) == 0:
		return refusal{"no_path", "the command has no way home"}
	case absurd(c.SpeedMPS, 0, mostMPS) || absurdPath(c.Path):
		return refusal{"bad_command", "the way home has impossible figures"}
	}
	path := a.xyz(c.Path)
	if d := body.PathDist(a.body.Believed(), path); d > a.reachM() {
		return refusal{"unreachable", fmt.Sprintf("the way home begins %.0f m away from here", d)}
	}
	way, speeds := a.joined(path, speedList(c.SpeedMPS))
	end := path[len(path)-1]
	need := a.body.WayWh(a.body.Believed(), way, speeds, a.body.LoadKg) + a.body.DownWh(a.heightM(end))
	if need > a.body.EnergyWh {
		return refusal{lowBattery, fmt.Sprintf("the way home takes %.0f Wh, %.0f Wh are left", need, a.body.EnergyWh)}
	}
	return refusal{}
}

// speedList is a planned speed as bodies take it.
func speedList(mps float64) []float64 {
	if mps > 0 {
		return []float64{mps}
	}
	return nil
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
		a.follow(a.joined(a.xyz(a.store.Motion.Path), speedList(a.store.Motion.SpeedMPS)))
		a.commanded = true
	case !a.commanded:
		a.descend()
		a.commanded = true
	case a.body.Moving():
	case !a.body.Landed():
		a.descend()
	default:
		if a.store.Motion.Kind == protocol.CommandReturn {
			a.body.BeginTrail()
		}
		a.finishMotion(now, protocol.Done, "", "")
	}
}

// xyz brings a path into the frame.
func (a *Agent) xyz(path []protocol.Position) []space.XYZ {
	out := make([]space.XYZ, len(path))
	for i, p := range path {
		out[i] = a.options.Frame.XYZ(space.Position{Lon: p.Lon, Lat: p.Lat, AltitudeM: p.AltitudeM})
	}
	return out
}

package agent

import (
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// think lets the vehicle draw its conclusions until nothing changes any more.
func (a *Agent) think(now time.Time) {
	if a.down {
		return
	}
	a.forget(now)
	a.guardEnergy(now)
	if a.fault != "" {
		a.bringDown(now)
		return
	}
	a.guardLink(now)
	if a.store.Mission != nil && !a.authority(now) {
		a.abandon(now, "authority_ended", "")
	}
	switch {
	case a.safety.leads():
		a.seekSafety(now)
	case a.store.Motion != nil:
		a.moveByCommand(now)
	case a.store.Mission != nil:
		// Each round finishes a leg or ends; a mission has finitely many.
		for a.followMission(now) {
		}
	}
}

// abandon gives up all stops that were not begun, once.
func (a *Agent) abandon(now time.Time, reason, text string) {
	m := a.store.Mission
	for i := range m.Legs {
		own := &m.Own[i]
		if m.Legs[i].Task == "" || own.Abandoned || own.over() || own.State == protocol.LegBegun {
			continue
		}
		own.Abandoned = true
		a.progress(now, m, &m.Legs[i], protocol.Abandoned, reason, text)
	}
}

// holding tells whether the mission is not to be carried on now. An aircraft
// whose authority has ended goes on to the safe end of its mission rather than
// hover until its battery is empty.
func (a *Agent) holding(now time.Time) bool {
	m := a.store.Mission
	if !a.store.Held && m.State == protocol.MissionActive || a.safety.cause == energyShort {
		return false
	}
	return a.body.Landed() || a.authority(now)
}

// followMission does the next thing of the mission, and tells whether a leg
// came to its end, so that another may be begun.
func (a *Agent) followMission(now time.Time) bool {
	m := a.store.Mission
	i := m.current()
	if i == len(m.Legs) || a.holding(now) {
		return false
	}
	leg, own := &m.Legs[i], &m.Own[i]
	if own.State == protocol.LegPending {
		own.State = protocol.LegStarted
		if !own.Abandoned {
			a.progress(now, m, leg, protocol.Started, "", "")
		}
	}
	if own.State == protocol.LegStarted || a.driving != leg.ID {
		if !a.arrived(now, i) {
			return false
		}
		if own.Abandoned {
			return a.pass(now, leg, own)
		}
	}
	return a.work(now, m, leg, own)
}

// pass leaves the place of an abandoned stop behind, and tells whether it did. It
// is not left sooner than it would be with the work: what lies further on the way
// was planned to be passed then, after a zone has ended, say. Who runs short of
// energy does not wait.
func (a *Agent) pass(now time.Time, leg *protocol.Leg, own *OwnLeg) bool {
	if a.safety.cause == energyShort {
		own.Passed = true
		return true
	}
	if own.leaveAt.IsZero() {
		begins := max(leg.NotBefore.Sub(a.kapokTime(now)), 0)
		own.leaveAt = now.Add(begins + time.Duration(leg.WorkS*float64(time.Second)))
	}
	own.Passed = !now.Before(own.leaveAt)
	return own.Passed
}

// arrived sets out along a leg's path when that is not done yet, and tells
// whether the body stands at its end.
func (a *Agent) arrived(now time.Time, i int) bool {
	leg := &a.store.Mission.Legs[i]
	if a.driving != leg.ID {
		path := a.way(i)
		end := path[len(path)-1]
		if a.body.Believed().Dist(end) > 0.01 {
			if !a.mayLeave(now) {
				return false
			}
			a.follow(a.joined(path, speeds(leg)))
		}
		a.driving, a.driven = leg.ID, *leg
	}
	if a.body.Moving() {
		return false
	}
	if (leg.Action == protocol.ActionPark || leg.Action == protocol.ActionCharge) && !a.body.Landed() {
		a.descend()
		return false
	}
	return true
}

// work begins the leg's work when that is allowed, and ends it when it is over.
func (a *Agent) work(now time.Time, m *Mission, leg *protocol.Leg, own *OwnLeg) bool {
	if leg.Action == protocol.ActionPark {
		return a.finish(now, m, leg, own)
	}
	if own.State != protocol.LegBegun {
		if leg.NotBefore.After(a.kapokTime(now)) || leg.Task != "" && !a.authority(now) || a.suffers(GNSSLoss) || a.suffers(Liar) {
			return false
		}
		own.State = protocol.LegBegun
		if leg.Task != "" {
			a.truth.Begun.add(Begun{At: now, StopKey: StopKey{leg.Task, leg.Stop}, Mission: m.ID, AuthorityEnds: a.authorityEnds()})
		}
		own.WorkedS, a.spareS = a.spareS, 0
		a.progress(now, m, leg, protocol.Begun, "", "")
	}
	if leg.Action == protocol.ActionCharge {
		if a.body.BatteryRatio() < min(leg.ChargeToRatio, 1)-1e-9 && !a.body.Full() {
			return false
		}
	} else if own.WorkedS < leg.WorkS-1e-9 {
		return false
	}
	return a.finish(now, m, leg, own)
}

// finish lets the work have its physical effect and reports it.
func (a *Agent) finish(now time.Time, m *Mission, leg *protocol.Leg, own *OwnLeg) bool {
	if why := a.effect(now, m, leg); why != (refusal{}) {
		own.State = protocol.LegFailed
		a.progress(now, m, leg, protocol.Failed, why.reason, why.text)
		return true
	}
	own.State = protocol.LegDone
	if leg.Task == "" {
		a.body.BeginTrail()
	}
	a.progress(now, m, leg, protocol.Done, "", "")
	return true
}

// activity is what the body does in the next step.
func (a *Agent) activity() body.Activity {
	m := a.store.Mission
	if m == nil || a.fault != "" || a.store.Motion != nil || a.body.Moving() ||
		a.safety.leads() || a.suffers(Frozen) ||
		(a.store.Held || m.State != protocol.MissionActive) && a.safety.cause != energyShort {
		return body.Resting
	}
	i := m.current()
	if i == len(m.Legs) || m.Own[i].State != protocol.LegBegun || a.driving != m.Legs[i].ID {
		return body.Resting
	}
	if m.Legs[i].Action == protocol.ActionCharge {
		return body.Charging
	}
	return body.Working
}

// worked counts seconds of work at the current leg.
func (a *Agent) worked(seconds float64) {
	m := a.store.Mission
	m.Own[m.current()].WorkedS += seconds
}

// halt stops the body; what it was following is forgotten.
func (a *Agent) halt() {
	a.body.Halt()
	if a.ills.ghost != nil {
		a.ills.ghost.Halt()
	}
	a.driving, a.driven, a.commanded = "", protocol.Leg{}, false
}

// mode is what the vehicle says that it is doing.
func (a *Agent) mode() protocol.Mode {
	switch {
	case a.fault != "":
		return protocol.ModeFault
	case a.safety.leads() && a.body.Moving():
		return protocol.ModeReturn
	case a.safety.leads() && a.safety.cause == linkLost:
		return protocol.ModeHold
	case a.store.Motion != nil:
		return protocol.ModeReturn
	case a.store.Held, a.store.Mission != nil && a.store.Mission.State == protocol.MissionSuspended:
		return protocol.ModeHold
	}
	switch a.activity() {
	case body.Working:
		return protocol.ModeWork
	case body.Charging:
		return protocol.ModeCharging
	case body.Resting:
	}
	if a.body.Moving() {
		return protocol.ModeTravel
	}
	return protocol.ModeIdle
}

func (a *Agent) progress(now time.Time, m *Mission, leg *protocol.Leg, state protocol.ProgressState, reason, text string) {
	a.store.add(protocol.Progress{
		Mission: m.ID, Leg: leg.ID, State: state, Time: a.clock(now), Reason: reason, Text: text,
	})
}

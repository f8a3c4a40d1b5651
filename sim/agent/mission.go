package agent

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/protocol"
)

// refusal says why a mission or command is not taken.
type refusal struct{ reason, text string }

// mission takes a revision in, or refuses it and keeps what it holds.
func (a *Agent) mission(now time.Time, m protocol.Mission) {
	ref := &protocol.MissionRef{ID: m.ID, Revision: m.Revision}
	if m.Epoch < a.store.Epoch && !mutant.On(mutant.EpochIgnored) {
		a.answer(ref, "", refusal{"stale_epoch", "a newer owner was seen"})
		return
	}
	a.store.Epoch = m.Epoch
	if m.State == protocol.MissionEnded {
		a.end(now, ref)
		return
	}
	held := a.store.Mission
	if held != nil && held.ID == m.ID && held.Revision == m.Revision {
		// The same revision again; only its state may be news.
		a.setState(m.State)
		return
	}
	if (held == nil || held.ID != m.ID) && slices.Contains(a.store.Ended, m.ID) {
		// A frame from before its end, delivered again.
		return
	}
	own, why := a.judge(&m)
	if why != (refusal{}) {
		a.answer(ref, "", why)
		return
	}
	a.truth.obey(Obeyed{At: now, Command: fmt.Sprintf("%s/%d", m.ID, m.Revision), Kind: "mission", Epoch: m.Epoch})
	a.accept(now, m, own)
	a.answer(ref, "", refusal{})
	a.think(now)
}

// accept puts the revision in force. What the vehicle knows of its legs it
// keeps; abandoned stops may be begun again.
func (a *Agent) accept(now time.Time, m protocol.Mission, own []OwnLeg) {
	wasSuspended := a.store.Mission != nil && a.store.Mission.State == protocol.MissionSuspended
	a.store.Mission = &Mission{Mission: m, Own: own}
	a.ills.took = now
	if a.safety.leads() {
		a.halt()
	}
	a.calm(now)
	if m.State == protocol.MissionActive && wasSuspended {
		a.store.Held = false
	}
	if a.store.Motion != nil {
		a.finishMotion(now, protocol.Failed, "replaced", "a mission came")
	}
	i := a.store.Mission.current()
	if i == len(m.Legs) || m.Legs[i].ID != a.driving || !sameWay(&m.Legs[i], &a.driven) {
		a.halt()
	}
}

// merged is what holds of a leg in a new revision: what the vehicle itself
// knows, unless Kapok knows the leg to be over.
func (a *Agent) merged(m *protocol.Mission, i int) OwnLeg {
	leg := &m.Legs[i]
	var own OwnLeg
	if held := a.store.Mission; held != nil && held.ID == m.ID {
		own, _ = held.own(leg)
	}
	if own.Abandoned {
		// It is taken up anew, and says so.
		own = OwnLeg{way: own.way}
	}
	if own.State == "" {
		own.State = protocol.LegPending
	}
	over := own.State == protocol.LegDone || own.State == protocol.LegFailed
	if !over && (leg.State == protocol.LegDone || leg.State == protocol.LegFailed) {
		own.State = leg.State
	}
	return own
}

// setState suspends or activates the mission held.
func (a *Agent) setState(state protocol.MissionState) {
	m := a.store.Mission
	if m.State == state {
		return
	}
	m.State = state
	if state == protocol.MissionActive {
		a.store.Held = false
	}
	a.halt()
}

// end drops the mission when it is the one held, and acknowledges once.
func (a *Agent) end(now time.Time, ref *protocol.MissionRef) {
	if m := a.store.Mission; m != nil && m.ID == ref.ID {
		a.store.Mission, a.store.Held = nil, false
		a.halt()
	} else if slices.Contains(a.store.Ended, ref.ID) {
		return
	}
	a.store.Ended = remember(a.store.Ended, ref.ID)
	a.answer(ref, "", refusal{})
	a.think(now)
}

// answer reports the verdict on a mission or a command.
func (a *Agent) answer(mission *protocol.MissionRef, command string, why refusal) {
	ack := protocol.Ack{Mission: mission, Command: command, Verdict: protocol.Accepted}
	if why != (refusal{}) {
		ack.Verdict, ack.Reason, ack.Text = protocol.Refused, why.reason, why.text
	}
	a.store.add(ack)
}

package agent

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// LostLink is what a vehicle does when it has heard nothing from Kapok for a
// while. Whatever it is, task authority ends as it does otherwise, work that was
// begun is finished first, and the way of a return command is gone to its end.
//
// When frames come again, the vehicle takes its mission up where it left it,
// unless stops were abandoned meanwhile: then it goes on with what it does until
// it has a new revision or command.
type LostLink struct {
	// Do is what it does; LinkContinue when empty.
	Do LinkAction
	// After is the time without a frame from Kapok; lostLinkAfter when 0.
	After time.Duration
}

// LinkAction is what a vehicle does about a lost link.
type LinkAction string

// The actions on a lost link. LinkContinue carries the mission on, to its safe
// end once the authority has ended. LinkHold stands or hovers until the link is
// back or the energy runs short. LinkReturn goes back by the way it came, to the
// last site where it was; an aircraft on the ground stays there. LinkLand comes
// down where an aircraft is; other vehicles stop.
const (
	LinkContinue LinkAction = "continue"
	LinkHold     LinkAction = "hold"
	LinkReturn   LinkAction = "return"
	LinkLand     LinkAction = "land"
)

// lostLinkAfter is when a link counts as lost for the failsafe, when the vehicle
// has no time of its own.
const lostLinkAfter = 30 * time.Second

// guardLink begins and ends what the vehicle does about a lost link.
func (a *Agent) guardLink(now time.Time) {
	o := a.options.LostLink
	if o.Do == "" || o.Do == LinkContinue {
		return
	}
	if o.After <= 0 {
		o.After = lostLinkAfter
	}
	if a.heardAt.IsZero() {
		a.heardAt = now
	}
	lost := now.Sub(a.heardAt) >= o.After
	switch {
	case a.safety.cause == linkLost:
		if !lost && a.welcomed && !a.hasAbandoned() {
			a.halt()
			a.calm(now)
		}
		return
	case !lost || a.safety.cause != none || a.store.Motion != nil || a.activity() != body.Resting:
		return
	case a.store.Mission == nil && a.body.Landed() && !a.body.Moving():
		return
	case a.store.Mission != nil && a.store.Mission.current() == len(a.store.Mission.Legs):
		return
	}
	what := stay
	switch {
	case a.airborne() && a.body.Landed():
	case o.Do == LinkReturn:
		what = back
	case o.Do == LinkLand && a.airborne():
		what = down
	}
	a.act(now, linkLost, what, "")
}

// hasAbandoned tells whether a stop of the mission held is abandoned.
func (a *Agent) hasAbandoned() bool {
	m := a.store.Mission
	return m != nil && slices.ContainsFunc(m.Own, func(o OwnLeg) bool {
		return o.Abandoned && o.State != protocol.LegDone && o.State != protocol.LegFailed
	})
}

package agent

import (
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// quiet is a time in which there is nothing to think about: the vehicle goes along a
// leg of its mission, or stands without one, and neither its energy nor its authority
// has to be reckoned with. It ends before its time when anything comes from outside,
// when the body arrives, or when its charge comes to the reserve. A vehicle thinks
// ten times a second; most of that would come to the conclusion of the last time.
type quiet struct {
	// until is its end, zero or past for none; mode what the vehicle says meanwhile.
	until time.Time
	mode  protocol.Mode
	// thought tells whether the vehicle thought in the last Step.
	thought bool
}

// disturb ends a quiet time: something has come from outside.
func (a *Agent) disturb() { a.quiet.until = time.Time{} }

// Thought tells whether the vehicle thought in the last Step, or anything came from
// outside since the one before. If not, nothing but its body and the time has
// changed: its truth and its store are what they were.
func (a *Agent) Thought() bool { return a.quiet.thought }

// goOn lets the body of a vehicle in a quiet time move, or rest, as live does, and
// tells whether there is still nothing to think about.
func (a *Agent) goOn(now time.Time, seconds float64) bool {
	b := a.body
	moving := b.Moving()
	left := b.Step(seconds, body.Resting)
	a.spareS = 0
	if moving {
		a.spareS = left
	}
	if b.EnergyWh < a.reserveWh {
		a.notePower(now)
		return false
	}
	return b.Moving() == moving
}

// settle finds out until when there will be nothing to think about.
func (a *Agent) settle(now time.Time) {
	s := a.store
	if a.fault != "" || a.safety.cause != none || len(a.ills.open) > 0 || a.body.Bias.X != 0 || len(a.waiting) > 0 ||
		a.options.LostLink.Do != "" && a.options.LostLink.Do != LinkContinue ||
		s.Motion != nil || len(s.Reports) > 0 || a.truth.InEmergency() || a.activity() != body.Resting {
		return
	}
	until := a.safety.look
	switch m := s.Mission; {
	case m == nil && a.body.Moving():
		return
	case m != nil:
		i := m.current()
		if i == len(m.Own) || !a.body.Moving() || a.driving != m.Legs[i].ID || m.Own[i].State != protocol.LegStarted || !a.authority(now) {
			return
		}
		// While no clock drifts, Kapok's is as much ahead as it is now.
		if ends := a.authorityEnds().Add(-a.kapokTime(now).Sub(now)); ends.Before(until) {
			until = ends
		}
	}
	a.quiet.until, a.quiet.mode = until, a.mode()
}

package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// How a vehicle that has put its mission down without a word takes it up again.

const (
	// StalledAfter is how long a vehicle may say that it is idle, on a leg of a
	// revision that it accepted and that is neither done nor to be waited for, before
	// its link is closed with CodeStalled: when it logs in again it says which mission
	// it holds, and gets what it does not. Until it goes on, the next time comes
	// after twice as long.
	StalledAfter = time.Minute
	// StalledMost is the longest that it is given.
	StalledMost = 15 * time.Minute
)

// CodeStalled is the code of the CloseLink that a vehicle gets when it has work and
// says that it is idle.
const CodeStalled = "stalled"

// stall is since when a vehicle idles on a leg, and how long it may.
type stall struct {
	mission MissionID
	leg     LegID
	state   protocol.LegState
	since   time.Time
	wait    time.Duration
}

// watchStalled looks whether the vehicle idles although its mission has a leg for
// it. A leg that is begun has its work's time in addition.
func (f *Fleet) watchStalled(k *known, m *Mission) {
	p := f.seen(k.vehicle.ID)
	i := m.Current()
	if p.Link != LinkLive || !p.Fresh {
		return
	}
	if m.State != protocol.MissionActive || !m.Answered() || i >= len(m.Legs) || p.Sample.Mode != protocol.ModeIdle {
		k.stall.since = time.Time{}
		return
	}
	l, s := &m.Legs[i], &k.stall
	if s.mission != m.ID || s.leg != l.ID || s.state != l.State {
		*s = stall{mission: m.ID, leg: l.ID, state: l.State, wait: StalledAfter}
	}
	if s.since.IsZero() || f.now.Before(l.NotBefore) || s.since.Before(p.Since) {
		s.since = f.now
	}
	wait := s.wait
	if l.State == protocol.LegBegun {
		wait += time.Duration(l.WorkS * float64(time.Second))
	}
	if f.now.Sub(s.since) < wait {
		return
	}
	s.since, s.wait = time.Time{}, min(2*s.wait, StalledMost)
	f.effect(CloseLink{k.vehicle.ID, p.Session, CodeStalled, fmt.Sprintf(
		"it has been idle for %v on leg %s of mission %s, which it accepted: log in again and say which mission is held", wait, l.ID, m.ID)})
}

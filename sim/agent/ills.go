package agent

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// ills are the troubles that a vehicle suffers from, with what they need to know.
// A reboot does not cure them.
type ills struct {
	open []ill
	// jump is what the clock that stamps is off by; gained what the clocks gained
	// until reckoned.
	jump, gained time.Duration
	reckoned     time.Time
	draw         *rand.Rand
	// lastAt is the place that is reported while none is known; lastMPS and
	// lastClimb are what a frozen vehicle reports.
	lastAt             space.XYZ
	lastMPS, lastClimb float64
	// ghost is the body that a liar tells of.
	ghost *body.Body
	// took is when the mission held was taken, or last revised.
	took time.Time
}

// ill is a trouble, begun so many times more than ended.
type ill struct {
	Trouble
	times int
}

// waiting is a message that came and was not noticed yet.
type waiting struct {
	came    time.Time
	message protocol.ToVehicle
}

// forgetAfter is how long a forgetful vehicle keeps a mission.
const forgetAfter = time.Minute

// find is the index of a kind, -1 for none.
func (s *ills) find(kind string) int {
	for i := range s.open {
		if s.open[i].Kind == kind {
			return i
		}
	}
	return -1
}

// amount is how strong a trouble is, 0 for none.
func (s *ills) amount(kind string) float64 {
	if i := s.find(kind); i >= 0 {
		return s.open[i].Amount
	}
	return 0
}

// begin notes a trouble, and tells whether it is the first of its kind.
func (s *ills) begin(now time.Time, t Trouble) (first bool) {
	s.reckon(now)
	if i := s.find(t.Kind); i >= 0 {
		s.open[i].Trouble = t
		s.open[i].times++
		return false
	}
	s.open = append(s.open, ill{t, 1})
	return true
}

// end notes a recovery, and tells whether none of the kind is left.
func (s *ills) end(now time.Time, kind string) (last bool) {
	s.reckon(now)
	i := s.find(kind)
	if i < 0 {
		return false
	}
	if s.open[i].times--; s.open[i].times > 0 {
		return false
	}
	s.open = slices.Delete(s.open, i, i+1)
	return true
}

// reckon adds up what the clocks have gained.
func (s *ills) reckon(now time.Time) { s.gained, s.reckoned = s.drift(now), now }

// drift is what the clocks have gained.
func (s *ills) drift(now time.Time) time.Duration {
	if len(s.open) == 0 {
		return s.gained
	}
	ppm := s.amount(ClockDrift)
	if ppm == 0 {
		return s.gained
	}
	return s.gained + time.Duration(now.Sub(s.reckoned).Seconds()*ppm*1e3)
}

// jump sets the clock that stamps. What authority is measured with runs on.
func (a *Agent) jump(by time.Duration) {
	a.ills.jump += by
	a.jumped += by
	a.store.Behind -= by
}

// pause tells the body whether it may follow its path.
func (a *Agent) pause() {
	held := a.suffers(Frozen) || a.suffers(Liar) || a.suffers(GNSSLoss)
	a.body.Paused = held && !(a.safety.cause != none && a.safety.act == down)
}

// driftMPS is how fast a wrong idea of the own place grows and goes.
const driftMPS = 1

// feel lets false positions act on the body.
func (a *Agent) feel(seconds float64) {
	if len(a.ills.open) == 0 && a.body.Bias.X == 0 {
		return
	}
	is, want := a.body.Bias.X, a.ills.amount(GNSSBias)
	if is == want {
		return
	}
	most := driftMPS * seconds
	a.body.Mislead(space.XY{X: is + min(max(want-is, -most), most)})
}

// seen is where the vehicle says that it is, and how fast.
func (a *Agent) seen() (at space.XYZ, speed, climb float64) {
	at, speed, climb = a.body.Believed(), a.body.SpeedMPS, a.body.ClimbMPS
	if len(a.ills.open) == 0 {
		return at, speed, climb
	}
	if g := a.ills.ghost; g != nil {
		at, speed, climb = g.Believed(), g.SpeedMPS, g.ClimbMPS
	}
	if a.suffers(Frozen) {
		speed, climb = a.ills.lastMPS, a.ills.lastClimb
	}
	if a.suffers(GNSSLoss) {
		at.X, at.Y, speed, climb = a.ills.lastAt.X, a.ills.lastAt.Y, 0, 0
	}
	at.Y += a.ills.amount(GNSSTeleport)
	if sd := a.ills.amount(GNSSNoise); sd > 0 {
		if a.ills.draw == nil {
			a.ills.draw = a.chance()
		}
		at.X += sd * a.ills.draw.NormFloat64()
		at.Y += sd * a.ills.draw.NormFloat64()
	}
	return at, speed, climb
}

// chance is the vehicle's own source.
func (a *Agent) chance() *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(a.options.ID))
	return rand.New(rand.NewPCG(a.options.Seed, h.Sum64()))
}

// mustWait tells whether a message is not noticed at once.
func (a *Agent) mustWait() bool {
	return len(a.waiting) > 0 || a.suffers(Frozen) || a.suffers(Slow)
}

// takeNotice acts on the messages that have waited for long enough.
func (a *Agent) takeNotice(now time.Time) {
	if len(a.waiting) == 0 {
		return
	}
	delay := time.Duration(a.ills.amount(Slow) * float64(time.Second))
	n := 0
	for n < len(a.waiting) && now.Sub(a.waiting[n].came) >= delay {
		a.take(now, a.waiting[n].message)
		n++
	}
	a.waiting = slices.Delete(a.waiting, 0, n)
}

// forget drops the mission of a forgetful vehicle when it has had it for a while.
func (a *Agent) forget(now time.Time) {
	if a.store.Mission != nil && a.suffers(Forgetful) && now.Sub(a.ills.took) >= forgetAfter {
		a.drop()
	}
}

// drop forgets the mission without a word.
func (a *Agent) drop() {
	if a.store.Mission == nil {
		return
	}
	a.store.Mission, a.store.Held = nil, false
	if a.store.Motion == nil && !a.safety.leads() {
		a.halt()
	}
}

package agent

import (
	"math"
	"testing"

	"github.com/kapok-fleet/kapok/protocol"
)

// A leg over a street with a slow stretch, and later a revision by which
// another stretch of the same way is slow.
func TestEachSegmentIsDrivenAtItsPlannedSpeed(t *testing.T) {
	p := newPlay(t, protocol.Rover, 0)
	p.join()
	m := p.delivery(1)
	m.Legs = m.Legs[2:]
	m.Legs[0].Path = []protocol.Position{p.position(0, 0, 0), p.position(10, 0, 0), p.position(15, 0, 0), p.position(100, 0, 0)}
	m.Legs[0].SpeedMPS, m.Legs[0].SpeedsMPS = 2.5, []float64{2, 0.5, 2.5}
	p.tell(m)
	p.expectAt("the fast stretch", 5, 10)
	p.expectAt("the slow stretch", 10, 15)
	p.expectAt("the last stretch", 10, 40)

	slower := m
	slower.Revision = 2
	slower.Legs = []protocol.Leg{m.Legs[0]}
	slower.Legs[0].SpeedsMPS = []float64{2, 0.5, 1}
	p.tell(slower)
	p.expectAt("the same way, slower", 10, 50)
	if v := p.a.Body().SpeedMPS; math.Abs(v-1) > 1e-6 {
		t.Errorf("drives at %g m/s, want 1", v)
	}

	// Without a list, the one speed holds for all.
	slower.Revision, slower.Legs = 3, []protocol.Leg{m.Legs[0]}
	slower.Legs[0].SpeedMPS, slower.Legs[0].SpeedsMPS = 2, nil
	p.tell(slower)
	p.expectAt("one speed for all", 10, 70)
}

// expectAt lets seconds pass, after which the body is so many metres to the east.
func (p *play) expectAt(what string, seconds int, x float64) {
	p.t.Helper()
	p.pass(seconds, true)
	if at := p.a.Body().At; math.Abs(at.X-x) > 0.01 {
		p.t.Errorf("%s: after %d s at %.2f m, want %g m", what, seconds, at.X, x)
	}
}

func TestAnAircraftCrossesOverToItsPathAtTheLowestSpeed(t *testing.T) {
	p := newPlay(t, protocol.Multirotor, 0)
	p.join()
	m := p.delivery(1)
	m.Legs = m.Legs[:1]
	m.Legs[0].Path = []protocol.Position{
		p.position(100, 0, 0), p.position(100, 0, 40), p.position(200, 0, 40), p.position(300, 0, 40), p.position(300, 0, 0),
	}
	m.Legs[0].SpeedMPS, m.Legs[0].SpeedsMPS = 15, []float64{15, 5, 10, 15}
	p.tell(m)
	slow, fast := 0, 0
	for range 90 {
		p.pass(1, true)
		b := p.a.Body()
		limit := 5.0
		if b.At.X > 200 {
			limit = 10
		}
		switch {
		case b.SpeedMPS > limit+1e-6:
			t.Fatalf("flies at %g m/s at %v, planned are %g", b.SpeedMPS, b.At, limit)
		case math.Abs(b.SpeedMPS-5) < 1e-6:
			slow++
		case math.Abs(b.SpeedMPS-10) < 1e-6:
			fast++
		}
	}
	if slow < 38 || fast < 9 || !p.a.Body().Landed() {
		t.Errorf("%d s at 5 m/s, %d s at 10 m/s, now at %v", slow, fast, p.a.Body().At)
	}
}

package check

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
)

// How near an aircraft that flies past may come to a wall, a roof or the edge of a
// zone, nearM, and to the ground, lowM, faster than lowMPS. Plans keep five times
// as far away; who takes off, lands or works there may be nearer.
const (
	nearM  = 2.0
	lowM   = 5.0
	lowMPS = 3.0
)

// surveyM is how near an aircraft must be to a building for its roof to be surveyed:
// from farther away its bounds are enough.
const surveyM = 12.0

const terrain = "ground"

// graze is a way past something that is too near. It is a finding when it ends and
// the vehicle has not stood still in it: then it was no stop.
type graze struct {
	object string
	leastM float64
	// began is when it came near.
	began time.Time
	stood bool
	// round is the last judgement that found it near.
	round uint64
}

// judgeWalls finds an aircraft within walls, or too near to them.
func (g *Geometry) judgeWalls(now time.Time, m *mover, at space.XYZ, mps, heightM float64, reach *float64, f *free) bool {
	room := true
	c := g.walls.at(at.XY())
	for i := range c.near {
		n := &c.near[i]
		r := g.roof(n.shape)
		if at.Z > r.highM+nearM {
			g.above(r.highM+nearM, f, at)
			continue
		}
		d := n.depth(c.centre, at.XY())
		if d > surveyM || d > nearM && at.Z <= r.lowM+nearM {
			*reach = min(*reach, (d-nearM)/math.Sqrt2)
			continue
		}
		roofM := g.survey(n.shape)
		if at.Z > roofM+nearM {
			g.above(roofM+nearM, f, at)
			continue
		}
		if d > nearM {
			*reach = min(*reach, (d-nearM)/math.Sqrt2)
			continue
		}
		room = false
		id := g.chart.Buildings[n.shape].ID
		switch {
		case d < -edgeM && at.Z < roofM-edgeM:
			g.stand(m, id)
			g.enter(now, m, Finding{Checker: Buildings, Object: id, Text: fmt.Sprintf("is inside building %s at %s", id, place(at))})
		case heightM > landedM && mps > lowMPS:
			g.graze(now, m, id, max(d, at.Z-roofM))
		default:
			g.stand(m, id)
		}
	}
	return room
}

// above keeps the box above an altitude.
func (g *Geometry) above(m float64, f *free, at space.XYZ) {
	if f.lo.Z == at.Z || f.lo.Z < m {
		f.lo.Z = m
	}
}

// below keeps the box below an altitude.
func (g *Geometry) below(m float64, f *free, at space.XYZ) {
	if f.hi.Z == at.Z || f.hi.Z > m {
		f.hi.Z = m
	}
}

// roof is what is known of a building's roof, its bounds at least.
func (g *Geometry) roof(building int32) *roof {
	if g.roofs[building] == nil {
		r := g.ground.aboutRoof(int(building), g.walls.shapes[building].box)
		g.roofs[building] = &r
	}
	return g.roofs[building]
}

// survey is the exact altitude of a building's roof.
func (g *Geometry) survey(building int32) float64 {
	r := g.roof(building)
	if !r.surveyed {
		r.atM, r.surveyed = g.ground.roofM(int(building)), true
	}
	return r.atM
}

// graze notes that a vehicle passes too near.
func (g *Geometry) graze(now time.Time, m *mover, object string, distanceM float64) {
	z := g.grazed(m, object)
	z.leastM = min(z.leastM, distanceM)
	if z.began.IsZero() {
		z.began = now
	}
}

// stand notes that a vehicle which is near something goes slowly or has landed
// there: it has something to do there.
func (g *Geometry) stand(m *mover, object string) { g.grazed(m, object).stood = true }

// grazed is what is known of the vehicle's way past something.
func (g *Geometry) grazed(m *mover, object string) *graze {
	i := slices.IndexFunc(m.grazes, func(z graze) bool { return z.object == object })
	if i < 0 {
		i = len(m.grazes)
		m.grazes = append(m.grazes, graze{object: object, leastM: math.Inf(1)})
	}
	m.grazes[i].round = g.round
	return &m.grazes[i]
}

// endGrazes finds the ways past things that are over, and forgets those that were
// stops.
func (g *Geometry) endGrazes(now time.Time, m *mover, at space.XYZ) {
	if len(m.grazes) == 0 {
		return
	}
	kept := m.grazes[:0]
	for _, z := range m.grazes {
		switch {
		case z.round == g.round:
			kept = append(kept, z)
		case !z.stood:
			g.find(now, m, Finding{
				Checker: Clearance, Object: z.object,
				Text: fmt.Sprintf("flew past %s at %.1f m since %s, until %s", z.object, z.leastM, z.began.Format("15:04:05"), place(at)),
			}, time.Time{})
		}
	}
	m.grazes = kept
}

package route

import (
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is what zones with a limit of speed make of flights. A leg is slow where
// it is within ClearanceM of such a zone, and at its usual speed on the rest. The
// search weighs legs with what they take so, and the corners of a zone take part in
// it once the zone has slowed a leg down: the way leads through the zone, around it,
// or at another height over or below it, whichever takes least. A way through a zone
// bends at corners alone: that it might be broken at the zone's border like light, as
// the quickest ways among regions of different speeds are (Mitchell and Papadimitriou,
// "The weighted region problem", 1991), is not made use of.

// limited is the part of a leg, as fractions, on which a zone limits the speed.
type limited struct {
	zone   int32
	t0, t1 float64
	mps    float64
}

// slowing is the memory for the limits on one leg.
type slowing struct {
	limits []limited
	cuts   []float64
	ids    []int32
	// lagM is what the leg that the search looked at last takes longer, in metres
	// through the air, by what the search takes least of, and lastM by time.
	lagM, lastM float64
	// held says that the straight way that was tried last is slowed down.
	held bool
}

// limitsOn finds the zones that limit the speed on a leg which begins at a time, and
// what the leg takes then. While the search does not know the altitudes over terrain
// it takes the zones as they may be met.
func (p *Planner) limitsOn(f *motion.Flight, from, to space.XYZ, t int64, searching bool) motion.Cost {
	s := &p.air.slowing
	s.limits = s.limits[:0]
	free, _ := f.Segment(from, to, 0)
	if !p.laws.slow {
		return free
	}
	p.seen.reset(p.laws.shapes.count())
	s.ids = p.laws.ix.along(from.XY(), to.XY(), ClearanceM, &p.seen, s.ids[:0])
	for _, id := range s.ids {
		l := &p.laws.zones[id]
		if l.rule != chart.SpeedLimit || l.speedMPS <= 0 || !p.binds(l) {
			continue
		}
		t0, t1, ok := p.laws.shapes.span(id, from.XY(), to.XY(), ClearanceM-slackM)
		if !ok {
			continue
		}
		low, high := from.Z+(to.Z-from.Z)*t0, from.Z+(to.Z-from.Z)*t1
		if searching && p.air.relief {
			low, high = l.lowM+p.air.heightM, l.highM+p.air.heightM
		}
		if max(low, high) >= l.floorM-LimitMarginM && min(low, high) <= l.ceilingM+LimitMarginM {
			s.limits = append(s.limits, limited{id, t0, t1, l.speedMPS})
		}
	}
	if len(s.limits) == 0 {
		return free
	}
	// Zones that come into force while the leg is flown count, as slow as it may be.
	latest := t + int64((p.slowed(f, from, to).Seconds+LateS)*1e9)
	s.limits = slices.DeleteFunc(s.limits, func(part limited) bool { return !p.during(&p.laws.zones[part.zone], t, latest) })
	return p.slowed(f, from, to)
}

// cutSlow leaves in cuts where the limits on a leg change, from 0 to 1.
func (s *slowing) cutSlow() {
	s.cuts = append(s.cuts[:0], 0, 1)
	for _, part := range s.limits {
		s.cuts = append(s.cuts, part.t0, part.t1)
	}
	slices.Sort(s.cuts)
	s.cuts = slices.Compact(s.cuts)
}

// limitAt is the lowest limit between two neighbouring cuts, 0 for none.
func (s *slowing) limitAt(t0, t1 float64) float64 {
	limit, mid := 0.0, (t0+t1)/2
	for _, part := range s.limits {
		if part.t0 <= mid && mid <= part.t1 && (limit == 0 || part.mps < limit) {
			limit = part.mps
		}
	}
	return limit
}

// slowed is what a leg takes with the limits on it.
func (p *Planner) slowed(f *motion.Flight, from, to space.XYZ) (sum motion.Cost) {
	s := &p.air.slowing
	s.cutSlow()
	for i := 1; i < len(s.cuts); i++ {
		cost, _ := f.Segment(lerp3(from, to, s.cuts[i-1]), lerp3(from, to, s.cuts[i]), s.limitAt(s.cuts[i-1], s.cuts[i]))
		sum = sum.Add(cost)
	}
	return sum
}

func lerp3(a, b space.XYZ, t float64) space.XYZ {
	return space.XYZ{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t, Z: a.Z + (b.Z-a.Z)*t}
}

// lag leaves in p.air.lagM and lastM what the limits of speed add to a leg of the
// search that begins after g metres through the air.
func (p *Planner) lag(from, to space.XY, g float64) {
	a := &p.air
	a.lagM, a.lastM, a.limits = 0, 0, a.limits[:0]
	if !p.laws.slow || a.timeless {
		return
	}
	low, high := space.XYZ{X: from.X, Y: from.Y, Z: a.z}, space.XYZ{X: to.X, Y: to.Y, Z: a.z}
	cost := p.limitsOn(&a.power, low, high, a.departed+int64(g/a.speed*1e9), true)
	if len(a.limits) == 0 {
		return
	}
	free, _ := a.power.Segment(low, high, 0)
	a.lagM = max(0, a.price(cost)-a.price(free)) * a.speed
	a.lastM = max(0, cost.Seconds-free.Seconds) * a.speed
}

// slowedBy appends the numbers, as obstacles, of the zones that the last lag is of.
func (p *Planner) slowedBy(dst []int32) []int32 {
	for _, part := range p.air.limits {
		dst = append(dst, p.firstZone()+part.zone)
	}
	return dst
}

func (p *Planner) lagged() (lagM, lastM float64) { return p.air.lagM, p.air.lastM }

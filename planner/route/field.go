package route

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is the Planner as the field of a sight search: obstacles have one
// numbering, buildings first, then waters, and zones after them.

func (p *Planner) obstacles() int {
	return int(p.firstZone()) + p.laws.shapes.count()
}

// firstWater is the obstacle number of the first water.
func (p *Planner) firstWater() int32 { return int32(p.fixed.buildings.count()) }

// firstZone is the obstacle number of the first zone.
func (p *Planner) firstZone() int32 { return p.firstWater() + int32(p.fixed.water.count()) }

// shape is the polygon of an obstacle.
func (p *Planner) shape(id int32) (*shapes, int32) {
	switch water, zone := p.firstWater(), p.firstZone(); {
	case id < water:
		return p.fixed.buildings, id
	case id < zone:
		return p.fixed.water, id - water
	default:
		return p.laws.shapes, id - zone
	}
}

// name is what refusals call an obstacle.
func (p *Planner) name(id int32) string {
	switch water, zone := p.firstWater(), p.firstZone(); {
	case id < water:
		return p.c.Buildings[id].ID
	case id < zone:
		return p.c.Water[id-water].ID
	default:
		return p.laws.zones[id-zone].id
	}
}

// tall tells whether a building is in the way at the altitude of the flight.
func (p *Planner) tall(id int32) bool {
	if p.air.relief {
		return p.tallAbove(id)
	}
	return p.air.afloat || p.fixed.roofM[id]+RoofClearanceM > p.air.z
}

// forbids tells whether a zone is in the way at the altitude of the flight, its
// times aside, where the ground lies between two altitudes.
func (p *Planner) forbids(l *law, lowM, highM float64) bool {
	if p.air.relief && l.rule != chart.KeepIn {
		return p.forbidsAbove(l, lowM, highM)
	}
	z := p.air.z
	switch l.rule {
	case chart.KeepOut:
		if p.air.afloat {
			return l.applies(z)
		}
		return z > l.floorM-RoofClearanceM && z < l.ceilingM+RoofClearanceM
	case chart.AltitudeLimit:
		return !p.air.afloat && z > p.air.groundM+l.limitM && l.applies(z)
	case chart.KeepIn:
		return p.air.keepIn >= 0 && l == &p.laws.zones[p.air.keepIn]
	case chart.SpeedLimit, chart.Advise:
	}
	return false
}

// stands tells whether an obstacle is in the way between two times.
func (p *Planner) stands(id int32, t0, t1 int64) (standing, lasting bool) {
	if id < p.firstWater() {
		return p.tall(id) || p.avoids(id), true
	}
	if id < p.firstZone() {
		return true, true
	}
	l := &p.laws.zones[id-p.firstZone()]
	if p.air.timeless && l.timed() {
		// Whatever stands as long as any flight may last is no matter of time.
		stays := p.binds(l) && p.lasts(l, p.departs, p.air.latest) && p.forbids(l, l.lowM, l.highM)
		return stays, stays
	}
	if p.avoids(id) {
		return true, !l.timed()
	}
	return p.binds(l) && p.during(l, t0, t1) && p.forbids(l, l.lowM, l.highM), !l.timed()
}

// avoids tells whether an obstacle is to be flown around because the profile
// over or below it failed.
func (p *Planner) avoids(id int32) bool { return slices.Contains(p.air.avoid, id) }

func (p *Planner) blocked(a, b int32, from, to space.XY, g float64) (id int32, lasting bool) {
	f := &p.air.flight
	p.lag(from, to, g)
	t0 := f.departed + int64(g/f.speed*1e9)
	t1 := t0 + int64(((f.drift.between(from, to)+p.air.lastM)/f.speed+LateS)*1e9)
	p.aroundLeg(from, to)
	for _, id := range p.air.ids {
		standing, lasting := p.stands(id, t0, t1)
		if !standing || p.isLeft(id) {
			continue
		}
		if p.cuts(id, from, to, p.reduced(id, a, b)-slackM) && !p.passes(id, from, to) {
			f.last = id
			return id, lasting
		}
	}
	return -1, false
}

// around leaves in p.air.ids the obstacles whose boxes may be within m of a place.
func (p *Planner) around(at space.XY, m float64) { p.around2(at, at, m) }

// aroundLeg leaves there those whose boxes may be within the clearance of a leg of the
// flight: of the buildings, where a layer knows, those that stand at its altitude.
func (p *Planner) aroundLeg(a, b space.XY) {
	l := p.air.among
	if l == nil {
		p.around2(a, b, ClearanceM)
		return
	}
	ids := p.air.ids[:0]
	p.seen.reset(len(l.stand))
	ids = l.ix.along(a, b, ClearanceM, &p.seen, ids)
	for i, k := range ids {
		ids[i] = l.stand[k]
	}
	p.air.ids = p.zonesAlong(a, b, ClearanceM, ids)
}

// around2 does so for a segment, by the numbers of obstacles.
func (p *Planner) around2(a, b space.XY, m float64) {
	ids := p.air.ids[:0]
	p.seen.reset(p.fixed.buildings.count())
	ids = p.fixed.buildingIx.along(a, b, m, &p.seen, ids)
	if p.air.water >= 0 {
		ids = append(ids, p.firstWater()+p.air.water)
	}
	p.air.ids = p.zonesAlong(a, b, m, ids)
}

// zonesAlong appends the zones whose boxes may be within m of a segment.
func (p *Planner) zonesAlong(a, b space.XY, m float64, ids []int32) []int32 {
	zones, first := len(ids), p.firstZone()
	p.seen.reset(p.laws.shapes.count())
	ids = p.laws.ix.along(a, b, m, &p.seen, ids)
	for i := zones; i < len(ids); i++ {
		ids[i] += first
	}
	return ids
}

// cuts tells whether a leg comes closer than c to an obstacle or lies in it.
func (p *Planner) cuts(id int32, from, to space.XY, c float64) bool {
	s, i := p.shape(id)
	if s.closer(i, from, to, max(c, 0)) {
		return true
	}
	return s == p.laws.shapes && p.laws.zones[i].rule != chart.KeepIn && s.inside(i, from)
}

// reduced is the clearance that the leg between two spots must keep.
func (p *Planner) reduced(id, a, b int32) float64 {
	c := ClearanceM
	if mutant.On(mutant.ZoneMarginForgotten) && id >= p.firstZone() {
		c = 0
	}
	if a > 1 && b > 1 {
		return c
	}
	for _, n := range p.air.near {
		if n.id == id && (n.spot == a || n.spot == b) {
			c = min(c, n.m)
		}
	}
	return c
}

func (p *Planner) offset(id int32, dst []corner) []corner {
	s, i := p.shape(id)
	first := len(dst)
	marginM := ClearanceM
	if mutant.On(mutant.ZoneMarginForgotten) && id >= p.firstZone() {
		marginM = 0
	}
	dst = s.corners(i, marginM, dst)
	// No way leads off the chart.
	kept := slices.DeleteFunc(dst[first:], func(c corner) bool { return !p.fixed.inner.Contains(c.at) })
	return dst[:first+len(kept)]
}

func (p *Planner) covers(id int32, at space.XY) bool {
	s, i := p.shape(id)
	if s == p.fixed.water && !s.inside(i, at) {
		return true
	}
	return p.cuts(id, at, at, ClearanceM-slackM) && !p.passes(id, at, at)
}

// collectBeside notes the obstacles that the start of the search or the goal
// lie nearer to than the clearance.
func (p *Planner) collectBeside(start space.XY) {
	a := &p.air
	a.near = a.near[:0]
	for spot, at := range [2]space.XY{start, a.goal} {
		p.around(at, ClearanceM)
		for _, id := range a.ids {
			s, i := p.shape(id)
			if m := s.distance(i, at); m < ClearanceM {
				a.near = append(a.near, beside{id, int32(spot), m})
			}
		}
	}
}

// routeOf turns the best way into positions and prices it.
func (p *Planner) routeOf(q *Query, best planned, used int) Route {
	a := &p.air
	path := append(a.path[:0], q.From)
	add := func(pos space.Position) {
		last := path[len(path)-1]
		if last.Lon != pos.Lon || last.Lat != pos.Lat || math.Abs(last.AltitudeM-pos.AltitudeM) > 0.01 {
			path = append(path, pos)
		}
	}
	up, down := best.z, best.z
	if a.relief {
		up, down = a.bestLine[0].Z, a.bestLine[len(a.bestLine)-1].Z
	}
	add(space.Position{Lon: q.From.Lon, Lat: q.From.Lat, AltitudeM: up})
	if a.relief {
		for _, at := range a.bestLine[1 : len(a.bestLine)-1] {
			add(p.c.Frame.Position(at))
		}
	} else {
		for _, at := range a.best {
			add(p.c.Frame.Position(space.XYZ{X: at.X, Y: at.Y, Z: best.z}))
		}
	}
	add(space.Position{Lon: q.To.Lon, Lat: q.To.Lat, AltitudeM: down})
	add(q.To)
	path[len(path)-1] = q.To
	a.path = path
	return p.priced(q, slices.Clone(path), used)
}

// priced makes a route of a path. Where the limit of speed changes on a segment, the
// path gets a point more.
func (p *Planner) priced(q *Query, path []space.Position, used int) Route {
	r := Route{Path: path[:1:1], Expansions: used}
	t := q.Depart.UnixNano()
	flight := q.Spec.In(p.windFor(&q.Spec), q.LoadKg)
	s := &p.air.slowing
	for i := 1; i < len(path); i++ {
		from, to := p.xyz(path[i-1]), p.xyz(path[i])
		cost := p.limitsOn(&flight, from, to, t, false)
		s.cutSlow()
		for k := 1; k < len(s.cuts); k++ {
			speed := p.groundMPS(&q.Spec, from, to)
			if limit := s.limitAt(s.cuts[k-1], s.cuts[k]); limit > 0 {
				speed = min(speed, limit)
			}
			end := path[i]
			if k+1 < len(s.cuts) {
				end = p.c.Frame.Position(lerp3(from, to, s.cuts[k]))
			}
			if n := len(r.SpeedsMPS); k > 1 && r.SpeedsMPS[n-1] == speed {
				r.Path[n] = end
				continue
			}
			r.Path, r.SpeedsMPS = append(r.Path, end), append(r.SpeedsMPS, speed)
		}
		r.LengthM += from.Dist(to)
		r.Cost = r.Cost.Add(cost)
		t += int64(cost.Seconds * 1e9)
	}
	return r
}

// speedLimit is the lowest limit of the zones that a segment meets between two
// times, 0 for none.
func (p *Planner) speedLimit(from, to space.XYZ, t0, t1 int64) float64 {
	limit := 0.0
	p.seen.reset(p.laws.shapes.count())
	p.ids = p.laws.ix.along(from.XY(), to.XY(), 0, &p.seen, p.ids[:0])
	for _, id := range p.ids {
		l := &p.laws.zones[id]
		if l.rule != chart.SpeedLimit || l.speedMPS <= 0 || !p.binds(l) || !overlaps(l, from.Z, to.Z) {
			continue
		}
		if p.during(l, t0, t1) && p.laws.shapes.meets(id, from.XY(), to.XY()) &&
			(limit == 0 || l.speedMPS < limit) {
			limit = l.speedMPS
		}
	}
	return limit
}

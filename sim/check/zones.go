package check

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// How long a vehicle may stay in a zone that appeared over it: aircraft
// CaughtS, and others SlowSPerM more for each metre that they were from its
// edge, as they are slow and follow streets.
const (
	CaughtS   = 60.0
	SlowSPerM = 2.0
)

// CaughtWithin is how long after a zone appeared a vehicle may come in and still
// count as caught: so long it takes to be told and to turn.
const CaughtWithin = 2 * time.Second

type zone struct {
	chart.Zone
	shape
	air, ground bool
	// version is that of the SetZones with which it appeared or changed, 0 for
	// the chart's own; live says that it is none of the chart's own. appeared is
	// when it did, or came into force.
	version  int
	live     bool
	appeared time.Time
}

// caught is a stay in a zone that appeared over the vehicle.
type caught struct {
	zone    string
	since   time.Time
	finding int
	// from is when the stay began, until when the vehicle must have left; told
	// says that it has not and a violation was found.
	from, until time.Time
	allowed     time.Duration
	landed      bool
	told        bool
}

func (g *Geometry) compile(source *chart.Zone) zone {
	z := zone{Zone: *source}
	z.air, z.ground = z.Airborne || !z.Ground, z.Ground || !z.Airborne
	var rings [][]space.XY
	for _, ring := range z.Polygon {
		var xy []space.XY
		for _, p := range ring {
			xy = append(xy, g.chart.Frame.XY(p))
		}
		rings = append(rings, xy)
	}
	z.shape = shapeOf(rings)
	return z
}

// SetZones says which zones hold from now on: the chart's own but for those
// suspended, and live zones, which take the place of the chart's of the same id.
//
// A vehicle that is where a zone forbids it at the first look after the zone
// appeared, changed, was resumed or, being a live one, came into force by its
// From, or within CaughtWithin of that, is caught and no violation. It is caught until it has left; coming back
// is a violation, and so is staying longer than CaughtS, or for vehicles on the
// surface than SlowSPerM tells. An aircraft that lands where it was caught may
// stay as long as it is on the ground; the finding says so. The chart's own
// zones were known beforehand: being there when one comes into force by its From
// is a violation. The zones must not change afterwards; the same ones given
// again change nothing.
func (g *Geometry) SetZones(now time.Time, zones []chart.Zone, suspended map[string]bool) {
	before, version := g.zones, g.version+1
	same := 0
	g.zones = make([]zone, 0, len(before)+len(zones))
	add := func(source *chart.Zone, live bool) {
		for i := range before {
			if b := &before[i]; b.ID == source.ID && b.live == live && reflect.DeepEqual(b.Zone, *source) {
				g.zones = append(g.zones, *b)
				same++
				return
			}
		}
		z := g.compile(source)
		z.version, z.live, z.appeared = version, live, now
		if live && z.From.After(now) {
			z.appeared = z.From
		}
		g.zones = append(g.zones, z)
	}
	overridden := map[string]bool{}
	for i := range zones {
		overridden[zones[i].ID] = true
	}
	for i := range g.chart.Zones {
		if z := &g.chart.Zones[i]; !suspended[z.ID] && !overridden[z.ID] {
			add(z, false)
		}
	}
	for i := range zones {
		add(&zones[i], true)
	}
	if same < len(g.zones) || len(g.zones) != len(before) {
		g.edges = nil
		g.index(now)
	}
}

// index makes what follows from the zones and the time: their grid, which of them
// must not be left, and when the next one comes into force or goes. Whatever was
// found out before about free boxes is void.
func (g *Geometry) index(now time.Time) {
	g.version++
	g.turn = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	g.keepIn = g.keepIn[:0]
	shapes := make([]shape, len(g.zones))
	for i := range g.zones {
		z := &g.zones[i]
		shapes[i] = z.shape
		if z.Rule == chart.KeepIn {
			g.keepIn = append(g.keepIn, int32(i))
		}
		if at, ok := z.NextChange(now); ok && at.Before(g.turn) {
			g.turn = at
		}
	}
	if g.edges == nil {
		g.edges = newCells(shapes)
	}
}

// fresh tells whether the zone was not yet in force at the last look at a
// vehicle, or has only just come into force, and nobody could know that it would.
func (z *zone) fresh(v *mover, now time.Time) bool {
	return z.version > 0 && (z.version > v.version || v.last.Before(z.appeared) || now.Sub(z.appeared) <= CaughtWithin)
}

// catch begins a stay in a zone that appeared over the vehicle.
func (g *Geometry) catch(now time.Time, m *mover, z *zone, at space.XYZ) {
	seconds := CaughtS
	if !m.air {
		edge := 0.0
		for i, ring := range z.rings {
			if d := space.RingDist(ring, at.XY()); i == 0 || d < edge {
				edge = d
			}
		}
		seconds += SlowSPerM * edge
	}
	allowed := time.Duration(seconds * float64(time.Second))
	m.caught = append(m.caught, caught{zone: z.ID, since: z.since(), finding: len(g.Caught), from: now, until: now.Add(allowed), allowed: allowed})
	g.Caught = append(g.Caught, Finding{
		Checker: Zones, Time: now, Vehicle: m.id, Object: z.ID,
		Text: fmt.Sprintf("was caught by %s zone %s at %s", z.Rule, z.ID, place(at)),
	})
}

// followCaught ends the stays that are over and finds those that last too long.
func (g *Geometry) followCaught(now time.Time, m *mover, at space.XYZ, landed bool) {
	kept := m.caught[:0]
	for _, c := range m.caught {
		finding := &g.Caught[c.finding]
		if !slices.Contains(g.inside, c.zone) {
			finding.Text += fmt.Sprintf("; it was out after %.0f s", now.Sub(c.from).Seconds())
			continue
		}
		if landed {
			if !c.landed {
				finding.Text += fmt.Sprintf("; it landed there after %.0f s", now.Sub(c.from).Seconds())
			}
			c.until = now.Add(c.allowed)
		}
		c.landed = landed
		if now.After(c.until) && !c.told {
			c.told = true
			g.find(now, m, Finding{
				Checker: Zones, Object: c.zone,
				Text: fmt.Sprintf("is still in zone %s, %.0f s after it was caught there, at %s", c.zone, now.Sub(c.from).Seconds(), place(at)),
			}, c.since)
		}
		kept = append(kept, c)
	}
	m.caught = kept
}

// judgeZones judges a place by all zones that bind the vehicle, and tells whether
// none of them is near.
func (g *Geometry) judgeZones(now time.Time, m *mover, at space.XYZ, mps, heightM float64, reach *float64, f *free) bool {
	if len(g.zones) == 0 {
		return true
	}
	room := true
	s := spot{now: now, at: at, mps: mps, heightM: heightM, reach: reach, free: f}
	c := g.edges.at(at.XY())
	for i := range c.near {
		n := &c.near[i]
		if z := &g.zones[n.shape]; z.binds(m, now) {
			room = g.judgeZone(m, z, n.depth(c.centre, at.XY()), &s) && room
		}
	}
	for _, k := range g.keepIn {
		if z := &g.zones[k]; z.binds(m, now) && !slices.ContainsFunc(c.near, func(n nearby) bool { return n.shape == k }) {
			room = g.judgeZone(m, z, reachM, &s) && room
		}
	}
	return room
}

// spot is a place being judged.
type spot struct {
	now          time.Time
	at           space.XYZ
	mps, heightM float64
	reach        *float64
	free         *free
}

// reaches keeps the box within a distance.
func (s *spot) reaches(m float64) { *s.reach = min(*s.reach, m/math.Sqrt2) }

// binds tells whether the zone is in force for a vehicle.
func (z *zone) binds(m *mover, now time.Time) bool {
	switch {
	case m.air && !z.air, !m.air && !z.ground, z.Rule == chart.Advise:
		return false
	}
	return z.ActiveAt(now)
}

// heights are floor and ceiling, infinite where there is none.
func (z *zone) heights() (lo, hi float64) {
	lo, hi = z.FloorM, z.CeilingM
	if lo == 0 {
		lo = math.Inf(-1)
	}
	if hi == 0 {
		hi = math.Inf(1)
	}
	return lo, hi
}

// since is when the zone appeared, zero for one that was always there.
func (z *zone) since() time.Time {
	if z.version == 0 {
		return time.Time{}
	}
	return z.appeared
}

// judgeZone judges a place, so deep in a zone (negative inside), by its rule; false
// means that something is broken, or so near that the next place must be judged too.
func (g *Geometry) judgeZone(m *mover, z *zone, depth float64, s *spot) bool {
	lo, hi := z.heights()
	inside := depth < -edgeM && s.at.Z > lo+edgeM && s.at.Z < hi-edgeM
	switch z.Rule {
	case chart.KeepOut:
		return g.judgeKeepOut(m, z, depth, s)
	case chart.KeepIn:
		if depth > edgeM || s.at.Z < lo-edgeM || s.at.Z > hi+edgeM {
			g.stay(m, z, s)
			return false
		}
		g.above(lo, s.free, s.at)
		g.below(hi, s.free, s.at)
		s.reaches(max(-depth, 0))
	case chart.AltitudeLimit:
		if inside && s.heightM > z.HeightLimitM+edgeM {
			g.stay(m, z, s)
			return false
		}
		low, _ := g.ground.between(space.BoxOf(s.at.XY()).Grow(boxM))
		if top := low + z.HeightLimitM; s.at.Z <= top {
			g.below(top, s.free, s.at)
			return true
		}
		s.reaches(max(depth, 0))
	case chart.SpeedLimit:
		if most := z.SpeedLimitMPS * speedF; s.mps <= most {
			s.free.mps = min(s.free.mps, most)
			return true
		}
		if inside {
			g.stay(m, z, s)
			return false
		}
		s.reaches(max(depth, 0))
	case chart.Advise:
	}
	return true
}

// settled is how long a zone must have been there before a way past its edge counts
// as too near.
const settled = 30 * time.Second

func (g *Geometry) judgeKeepOut(m *mover, z *zone, depth float64, s *spot) bool {
	lo, hi := z.heights()
	margin := 0.0
	if m.air {
		margin = nearM
	}
	switch {
	case s.at.Z > hi+margin:
		g.above(hi+margin, s.free, s.at)
		return true
	case s.at.Z < lo-margin:
		g.below(lo-margin, s.free, s.at)
		return true
	case depth > margin:
		s.reaches(depth - margin)
		return true
	case depth < -edgeM && s.at.Z > lo+edgeM && s.at.Z < hi-edgeM:
		g.stay(m, z, s)
		g.stand(m, z.ID)
	case m.air && s.mps > lowMPS && s.heightM > landedM && s.now.Sub(z.since()) > settled:
		g.graze(s.now, m, z.ID, max(depth, lo-s.at.Z, s.at.Z-hi))
	case m.air:
		g.stand(m, z.ID)
	}
	return false
}

// stay notes that a vehicle is where a zone forbids it; what begins is found once.
func (g *Geometry) stay(m *mover, z *zone, s *spot) {
	g.inside = append(g.inside, z.ID)
	switch {
	case slices.Contains(m.in, z.ID):
	case z.fresh(m, s.now):
		g.catch(s.now, m, z, s.at)
	default:
		g.find(s.now, m, Finding{
			Checker: Zones, Object: z.ID, Text: fmt.Sprintf("breaks %s of zone %s at %s", z.Rule, z.ID, place(s.at)),
		}, z.since())
	}
}

// Breaks tells whether a vehicle breaks the rule of a zone by being somewhere at a
// ground speed; false for a zone that is not in force or does not bind it.
func (g *Geometry) Breaks(now time.Time, vehicle int, id string, at space.XYZ, mps float64) bool {
	i := slices.IndexFunc(g.zones, func(z zone) bool { return z.ID == id })
	if i < 0 || !g.zones[i].binds(&g.movers[vehicle], now) {
		return false
	}
	z := &g.zones[i]
	depth := math.Inf(1)
	for _, ring := range z.rings {
		depth = min(depth, space.RingDist(ring, at.XY()))
	}
	if inRings(z.rings, at.XY()) {
		depth = -depth
	}
	lo, hi := z.heights()
	inside := depth < -edgeM && at.Z > lo+edgeM && at.Z < hi-edgeM
	switch z.Rule {
	case chart.KeepOut:
		return inside
	case chart.KeepIn:
		return depth > edgeM || at.Z < lo-edgeM || at.Z > hi+edgeM
	case chart.AltitudeLimit:
		return inside && at.Z-g.ground.at(at.XY()) > z.HeightLimitM+edgeM
	case chart.SpeedLimit:
		return inside && mps > z.SpeedLimitMPS*speedF
	case chart.Advise:
	}
	return false
}

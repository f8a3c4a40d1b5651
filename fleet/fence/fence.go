// Package fence tells, for each sample of each vehicle, which zones it is in
// and which it breaks. Zones are compiled once into flat arrays and read on the
// hot path without allocating.
package fence

import (
	"cmp"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// EdgeM is how near to a polygon's edge a place counts as on it. A place on an
// edge, of a hole too, is inside.
const EdgeM = 0.001

// SpeedToleranceMPS is how far above a speed limit a reported speed may be
// without counting as faster: satellite receivers state speeds to about 0.1 m/s.
const SpeedToleranceMPS = 0.1

// Set is a number of zones compiled. It is immutable: any number of goroutines
// may use it.
//
// The bounds of a zone: a place on the polygon's edge is inside (within EdgeM);
// floor and ceiling belong to the zone; From belongs to it and Until does not.
// A zero floor or ceiling is none.
type Set struct {
	chart   *chart.Chart
	boxes   []space.Box
	zones   []zone
	ring    []int32
	pts     []space.XY
	keepIns bool
	sources []*chart.Zone
}

// zone is what Locate needs of a zone, in the order in which it asks.
type zone struct {
	from, until      int64
	floorM, ceilingM float64
	firstRing, rings int32
	airborne, ground bool
	rule             chart.Rule
	limit            float64
	id               string
}

// Hit is a zone that a vehicle is in, or breaks.
type Hit struct {
	ID   string
	Rule chart.Rule
	// Inside says that the vehicle is in the zone's volume.
	Inside bool
	// Violated says that the zone's rule is broken: in a keep-out zone, above its
	// height limit, faster than its speed limit, or outside of every keep-in
	// zone that binds (told with the first of them, Inside false).
	Violated bool
	// Number is the height above ground or the speed, Limit what the zone
	// allows; both are zero for other rules.
	Number, Limit float64

	zone int32
}

// Compile takes zones into the frame of a chart, on whose ground below a place
// height limits count. The order of the zones does not matter; hits come in the
// order of ids. The polygons and the chart must not change as long as the Set is
// used. Rings of fewer than three points hold nothing.
func Compile(c *chart.Chart, zones []chart.Zone) *Set {
	zones = slices.Clone(zones)
	order := make([]*chart.Zone, len(zones))
	for i := range zones {
		order[i] = &zones[i]
	}
	slices.SortStableFunc(order, func(a, b *chart.Zone) int { return strings.Compare(a.ID, b.ID) })
	s := &Set{chart: c, ring: []int32{0}, sources: order}
	for _, z := range order {
		s.add(c.Frame, z)
	}
	return s
}

func (s *Set) add(frame space.Frame, z *chart.Zone) {
	c := zone{
		from: math.MinInt64, until: math.MaxInt64,
		floorM: math.Inf(-1), ceilingM: math.Inf(1),
		firstRing: int32(len(s.ring) - 1),
		airborne:  z.Airborne || !z.Ground, ground: z.Ground || !z.Airborne,
		rule: z.Rule, id: z.ID,
	}
	if !z.From.IsZero() {
		c.from = z.From.UnixNano()
	}
	if !z.Until.IsZero() {
		c.until = z.Until.UnixNano()
	}
	if z.FloorM != 0 {
		c.floorM = z.FloorM
	}
	if z.CeilingM != 0 {
		c.ceilingM = z.CeilingM
	}
	switch z.Rule {
	case chart.AltitudeLimit:
		c.limit = z.HeightLimitM
	case chart.SpeedLimit:
		c.limit = z.SpeedLimitMPS
	case chart.KeepIn:
		s.keepIns = true
	case chart.KeepOut, chart.Advise:
	}
	box := space.EmptyBox()
	for _, r := range z.Polygon {
		if len(r) < 3 {
			continue
		}
		for _, p := range r {
			at := frame.XY(p)
			s.pts = append(s.pts, at)
			box = box.Extend(at)
		}
		s.ring = append(s.ring, int32(len(s.pts)))
		c.rings++
	}
	s.boxes = append(s.boxes, box.Grow(EdgeM))
	s.zones = append(s.zones, c)
}

// Len is how many zones there are.
func (s *Set) Len() int { return len(s.zones) }

// Zone is the zone of a hit that this Set's Locate gave.
func (s *Set) Zone(h Hit) *chart.Zone { return s.sources[h.zone] }

// Locate appends to dst the zones that a vehicle at a place is in or breaks, in
// the order of their ids, and returns it. Airborne says which zones bind it;
// speedMPS is its speed over ground. It allocates nothing while dst has room.
func (s *Set) Locate(at space.XYZ, when time.Time, airborne bool, speedMPS float64, dst []Hit) []Hit {
	t := when.UnixNano()
	xy := at.XY()
	first, kept, begin := int32(-1), false, len(dst)
	for i := range s.boxes {
		b := &s.boxes[i]
		if xy.X < b.Min.X || xy.X > b.Max.X || xy.Y < b.Min.Y || xy.Y > b.Max.Y {
			continue
		}
		z := &s.zones[i]
		if !z.binds(t, airborne) || at.Z < z.floorM || at.Z > z.ceilingM || !s.contains(z, xy) {
			continue
		}
		kept = kept || z.rule == chart.KeepIn
		heightM := 0.0
		if z.rule == chart.AltitudeLimit {
			heightM = at.Z - s.chart.GroundAltitudeXY(xy)
		}
		dst = append(dst, z.hit(int32(i), heightM, speedMPS))
	}
	if !s.keepIns || kept {
		return dst
	}
	for i := range s.zones {
		if z := &s.zones[i]; z.rule == chart.KeepIn && z.binds(t, airborne) {
			first = int32(i)
			break
		}
	}
	if first < 0 {
		return dst
	}
	lost := Hit{ID: s.zones[first].id, Rule: chart.KeepIn, Violated: true, zone: first}
	k, _ := slices.BinarySearchFunc(dst[begin:], lost, func(a, b Hit) int { return cmp.Compare(a.ID, b.ID) })
	return slices.Insert(dst, begin+k, lost)
}

func (z *zone) binds(t int64, airborne bool) bool {
	return t >= z.from && t < z.until && (airborne && z.airborne || !airborne && z.ground)
}

func (z *zone) hit(i int32, heightM, speedMPS float64) Hit {
	h := Hit{ID: z.id, Rule: z.rule, Inside: true, zone: i}
	switch z.rule {
	case chart.KeepOut:
		h.Violated = true
	case chart.AltitudeLimit:
		h.Number, h.Limit = heightM, z.limit
		h.Violated = heightM > z.limit
	case chart.SpeedLimit:
		h.Number, h.Limit = speedMPS, z.limit
		h.Violated = speedMPS > z.limit+SpeedToleranceMPS
	case chart.KeepIn, chart.Advise:
	}
	return h
}

// contains tells whether a place is within a zone's rings by the even-odd rule
// or on one of them.
func (s *Set) contains(z *zone, p space.XY) bool {
	in := false
	for r := z.firstRing; r < z.firstRing+z.rings; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		a := ring[len(ring)-1]
		for _, b := range ring {
			if (a.Y > p.Y) != (b.Y > p.Y) {
				// The side of the edge that p is on, by the sign of an area.
				area := (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X)
				if (area > 0) == (b.Y > a.Y) {
					in = !in
				}
			}
			if onEdge(p, a, b) {
				return true
			}
			a = b
		}
	}
	return in
}

// onEdge tells whether p is within EdgeM of the segment a–b.
func onEdge(p, a, b space.XY) bool {
	if min(a.X, b.X)-EdgeM > p.X || max(a.X, b.X)+EdgeM < p.X ||
		min(a.Y, b.Y)-EdgeM > p.Y || max(a.Y, b.Y)+EdgeM < p.Y {
		return false
	}
	return space.SegmentDist(p, a, b) <= EdgeM
}

// Crossings compares what Locate said of a vehicle before and now: entered are
// the hits of now whose zones it was not in or did not break before, left the
// hits of before whose zones it is no more in. A zone whose Inside or Violated
// has changed is in both. Both lists must be in the order of ids, as Locate
// gives them; they may come from different Sets. Without a crossing nothing is
// allocated.
func Crossings(before, after []Hit) (entered, left []Hit) {
	i, k := 0, 0
	for i < len(before) || k < len(after) {
		switch {
		case k == len(after) || i < len(before) && before[i].ID < after[k].ID:
			left = append(left, before[i])
			i++
		case i == len(before) || after[k].ID < before[i].ID:
			entered = append(entered, after[k])
			k++
		default:
			if before[i].Inside != after[k].Inside || before[i].Violated != after[k].Violated {
				left = append(left, before[i])
				entered = append(entered, after[k])
			}
			i++
			k++
		}
	}
	return entered, left
}

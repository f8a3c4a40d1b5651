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
// floor and ceiling belong to the zone; From belongs to it and Until does not, nor
// do the ends of its schedule's periods.
// A zero floor or ceiling is none.
//
// A place is held against the zones whose boxes touch its cell of a grid, and
// of each polygon against the edges at its own height. The memory is bounded by
// what is compiled: beside the zones at most 256 KiB of cells, 128 bytes of
// entries for each zone, and 16 bytes of entries for each edge.
type Set struct {
	chart *chart.Chart
	grid  grid
	boxes []space.Box
	zones []zone
	// points are the rings of all polygons, each closed; edges are by the indexes
	// of their first points, band by band, and start is where the bands begin.
	points  []space.XY
	edges   []int32
	start   []int32
	keepIns []int32
	sources []*chart.Zone
}

// zone is what Locate needs of a zone, in the order in which it asks.
type zone struct {
	from, until      int64
	floorM, ceilingM float64
	bands            bands
	airborne, ground bool
	rule             chart.Rule
	limit            float64
	id               string
	// scheduled is the zone itself if it has a schedule.
	scheduled *chart.Zone
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
// used. Rings of fewer than three points, and those with a point that is not a
// place on earth, hold nothing. The work is in proportion to the points.
func Compile(c *chart.Chart, zones []chart.Zone) *Set {
	zones = slices.Clone(zones)
	order := make([]*chart.Zone, len(zones))
	for i := range zones {
		order[i] = &zones[i]
	}
	slices.SortStableFunc(order, func(a, b *chart.Zone) int { return strings.Compare(a.ID, b.ID) })
	s := &Set{chart: c, sources: order, start: []int32{0}}
	s.boxes, s.zones = make([]space.Box, 0, len(order)), make([]zone, 0, len(order))
	var edges []int32
	for i, z := range order {
		var box space.Box
		edges, box = s.outline(c.Frame, z.Polygon, edges[:0])
		s.boxes = append(s.boxes, box.Grow(EdgeM))
		s.zones = append(s.zones, compile(z))
		s.zones[i].bands = s.cut(edges, box)
		if z.Rule == chart.KeepIn {
			s.keepIns = append(s.keepIns, int32(i))
		}
	}
	s.grid = newGrid(s.boxes)
	return s
}

// compile takes what a zone says beside its polygon.
func compile(z *chart.Zone) zone {
	c := zone{
		from: math.MinInt64, until: math.MaxInt64,
		floorM: math.Inf(-1), ceilingM: math.Inf(1),
		airborne: z.Airborne || !z.Ground, ground: z.Ground || !z.Airborne,
		rule: z.Rule, id: z.ID,
	}
	if !z.From.IsZero() {
		c.from = nanos(z.From)
	}
	if !z.Until.IsZero() {
		c.until = nanos(z.Until)
	}
	if len(z.Schedule) > 0 {
		c.scheduled = z
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
	case chart.KeepIn, chart.KeepOut, chart.Advise:
	}
	return c
}

// nanos is a time in nanoseconds since 1970; one that does not fit is the
// farthest that does, so that "until 9999" never ends.
func nanos(t time.Time) int64 {
	const fits = math.MaxInt64 / int64(time.Second)
	switch s := t.Unix(); {
	case s >= fits:
		return math.MaxInt64
	case s <= -fits:
		return math.MinInt64
	}
	return t.UnixNano()
}

// Len is how many zones there are.
func (s *Set) Len() int { return len(s.zones) }

// Zone is the zone of a hit that this Set's Locate gave.
func (s *Set) Zone(h Hit) *chart.Zone { return s.sources[h.zone] }

// Locate appends to dst the zones that a vehicle at a place is in or breaks, in
// the order of their ids, and returns it. Airborne says which zones bind it;
// speedMPS is its speed over ground. It allocates nothing while dst has room.
func (s *Set) Locate(at space.XYZ, when time.Time, airborne bool, speedMPS float64, dst []Hit) []Hit {
	t := nanos(when)
	xy := at.XY()
	kept, begin := false, len(dst)
	for _, i := range s.grid.at(xy) {
		b := &s.boxes[i]
		if xy.X < b.Min.X || xy.X > b.Max.X || xy.Y < b.Min.Y || xy.Y > b.Max.Y {
			continue
		}
		z := &s.zones[i]
		if !z.binds(t, airborne) || at.Z < z.floorM || at.Z > z.ceilingM || !s.contains(&z.bands, xy) {
			continue
		}
		if z.scheduled != nil && !z.scheduled.ActiveAt(when) {
			continue
		}
		kept = kept || z.rule == chart.KeepIn
		heightM := 0.0
		if z.rule == chart.AltitudeLimit {
			heightM = at.Z - s.chart.GroundAltitudeXY(xy)
		}
		dst = append(dst, z.hit(i, heightM, speedMPS))
	}
	if kept {
		return dst
	}
	for _, i := range s.keepIns {
		if z := &s.zones[i]; z.binds(t, airborne) && (z.scheduled == nil || z.scheduled.ActiveAt(when)) {
			lost := Hit{ID: z.id, Rule: chart.KeepIn, Violated: true, zone: i}
			k, _ := slices.BinarySearchFunc(dst[begin:], lost, func(a, b Hit) int { return cmp.Compare(a.ID, b.ID) })
			return slices.Insert(dst, begin+k, lost)
		}
	}
	return dst
}

// binds tells whether the zone concerns such a vehicle between its begin and its
// end; its schedule is asked for places within it only.
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

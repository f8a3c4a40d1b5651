package fence_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// plain answers what a Set answers in the simplest way: it walks all zones, and
// all edges of those in whose bound a place lies, and asks orb too.
type plain struct {
	zones []plainZone
}

type plainZone struct {
	*chart.Zone
	rings []orb.Ring // projected, closed
	bound orb.Bound
}

// newPlain takes zones whose rings all hold something.
func newPlain(f space.Frame, zones []chart.Zone) plain {
	var o plain
	for i := range zones {
		z := plainZone{Zone: &zones[i]}
		for _, r := range zones[i].Polygon {
			ring := make(orb.Ring, 0, len(r)+1)
			for _, p := range r {
				at := f.XY(p)
				ring = append(ring, orb.Point{at.X, at.Y})
			}
			z.rings = append(z.rings, append(ring, ring[0]))
		}
		z.bound = orb.Polygon(z.rings).Bound()
		for _, r := range z.rings {
			z.bound = z.bound.Union(r.Bound())
		}
		z.bound = z.bound.Pad(2 * fence.EdgeM)
		o.zones = append(o.zones, z)
	}
	slices.SortStableFunc(o.zones, func(a, b plainZone) int { return cmp.Compare(a.ID, b.ID) })
	return o
}

func (z *plainZone) binds(when time.Time, airborne bool) bool {
	if !z.From.IsZero() && when.Before(z.From) || !z.Until.IsZero() && !when.Before(z.Until) {
		return false
	}
	return z.Airborne == z.Ground || airborne == z.Airborne
}

// onEdge tells whether a place is within EdgeM of a ring, by orb's distance.
func (z *plainZone) onEdge(p orb.Point) bool {
	for _, r := range z.rings {
		for i := range r[1:] {
			if planar.DistanceFromSegment(r[i], r[i+1], p) <= fence.EdgeM {
				return true
			}
		}
	}
	return false
}

// evenOdd counts the edges to the east of a place.
func (z *plainZone) evenOdd(p orb.Point) bool {
	in := false
	for _, r := range z.rings {
		for i := range r[1:] {
			a, b := r[i], r[i+1]
			if (a[1] > p[1]) != (b[1] > p[1]) {
				area := (b[0]-a[0])*(p[1]-a[1]) - (b[1]-a[1])*(p[0]-a[0])
				in = in != ((area > 0) == (b[1] > a[1]))
			}
		}
	}
	return in
}

// locate tells the hits in the words of tell. With orb, inside is what orb says,
// which takes no rings but an outer one and holes in it.
func (o plain) locate(at space.XYZ, when time.Time, airborne, asOrb bool) string {
	p := orb.Point{at.X, at.Y}
	var hits []fence.Hit
	kept, first := false, -1
	for i := range o.zones {
		z := &o.zones[i]
		if !z.binds(when, airborne) {
			continue
		}
		if z.Rule == chart.KeepIn && first < 0 {
			first = i
		}
		if z.FloorM != 0 && at.Z < z.FloorM || z.CeilingM != 0 && at.Z > z.CeilingM {
			continue
		}
		if !z.bound.Contains(p) {
			continue
		}
		inside := z.onEdge(p)
		switch {
		case inside:
		case asOrb:
			inside = planar.PolygonContains(z.rings, p)
		default:
			inside = z.evenOdd(p)
		}
		if inside {
			kept = kept || z.Rule == chart.KeepIn
			hits = append(hits, fence.Hit{ID: z.ID, Inside: true, Violated: z.Rule == chart.KeepOut})
		}
	}
	if !kept && first >= 0 {
		hits = append(hits, fence.Hit{ID: o.zones[first].ID, Violated: true})
		slices.SortStableFunc(hits, func(a, b fence.Hit) int { return cmp.Compare(a.ID, b.ID) })
	}
	return tell(hits)
}

// town is zones of 16 vertices over 10 km, with heights and times, some with a
// hole, some of many corners, some that cover all, and a few keep-ins.
func town(r *rand.Rand, n int) []chart.Zone {
	zones := make([]chart.Zone, n)
	for i := range zones {
		centre := space.XY{X: 1e4 * (r.Float64() - 0.5), Y: 1e4 * (r.Float64() - 0.5)}
		size, corners := 300.0, 16
		switch {
		case i%100 == 7:
			size, corners = 2000, 600
		case i%250 == 9:
			centre, size = space.XY{}, 40_000
		}
		polygon := star(r, corners, centre, size)
		if i%5 == 0 {
			polygon = append(polygon, star(r, 8, centre, size/5)[0])
		}
		z := chart.Zone{ID: fmt.Sprintf("z%04d", r.IntN(1e4)*n+i), Rule: chart.KeepOut, Polygon: polygon}
		if i%2 == 0 {
			z.FloorM, z.CeilingM = float64(r.IntN(60)), float64(60+r.IntN(60))
		}
		if i%3 == 0 {
			z.From = noon().Add(time.Duration(r.IntN(60)) * time.Minute)
			z.Until = z.From.Add(time.Hour)
		}
		if i%50 == 1 {
			z.Rule = chart.KeepIn
		}
		z.Airborne = i%7 == 0
		zones[i] = z
	}
	return zones
}

func TestLocateAgreesWithOrbOnRandomPlaces(t *testing.T) {
	const seed = 11
	points := 3000
	if os.Getenv("KAPOK_SOAK") == "1" {
		points = 1_000_000
	}
	r := rand.New(rand.NewPCG(seed, 0))
	zones := town(r, 1000)
	s, o := fence.Compile(ground(0), zones), newPlain(frame(), zones)
	var hits []fence.Hit
	inside := 0
	for range points {
		p := at(1.1e4*(r.Float64()-0.5), 1.1e4*(r.Float64()-0.5), 130*r.Float64())
		when, airborne := noon().Add(time.Duration(r.IntN(7200))*time.Second), r.IntN(2) == 0
		hits = s.Locate(p, when, airborne, 5, hits[:0])
		inside += len(hits)
		if want := o.locate(p, when, airborne, true); tell(hits) != want {
			t.Fatalf("at %v, %v, airborne %v: got %q, orb says %q (seed %d: go test -run %s ./fleet/fence)", p, when, airborne, tell(hits), want, seed, t.Name())
		}
	}
	if inside < points {
		t.Errorf("only %d hits at %d places: the test tests little", inside, points)
	}
}

// Each vertex and the middle of each edge, holes included, with places just
// inside of the edge's tolerance and just outside of it, at the bounds of height
// and time.
func TestLocateAgreesWithOrbOnEveryEdge(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 0))
	zones := town(r, 60)
	s, o := fence.Compile(ground(0), zones), newPlain(frame(), zones)
	checked := 0
	for i := range o.zones {
		z := &o.zones[i]
		heights := []float64{50, z.FloorM, math.Nextafter(z.FloorM, -1e9), z.CeilingM, math.Nextafter(z.CeilingM, 1e9)}
		times := []time.Time{noon().Add(time.Hour), z.From, z.From.Add(-1), z.Until, z.Until.Add(-1)}
		for _, ring := range z.rings {
			for k := range min(len(ring)-1, 40) {
				for _, p := range around(ring[k], ring[k+1]) {
					h, when := heights[checked%len(heights)], times[checked/len(heights)%len(times)]
					checked++
					here := at(p[0], p[1], h)
					if got, want := tell(s.Locate(here, when, checked%2 == 0, 5, nil)), o.locate(here, when, checked%2 == 0, true); got != want {
						t.Fatalf("zone %s at %v, %v: got %q, orb says %q", z.ID, here, when, got, want)
					}
				}
			}
		}
	}
	if checked < 5000 {
		t.Errorf("only %d places", checked)
	}
}

// around lists an edge's end and its middle, and places beside the middle.
func around(a, b orb.Point) []orb.Point {
	mid := orb.Point{(a[0] + b[0]) / 2, (a[1] + b[1]) / 2}
	points := []orb.Point{a, mid}
	length := planar.Distance(a, b)
	if length == 0 {
		return points
	}
	left := orb.Point{(a[1] - b[1]) / length, (b[0] - a[0]) / length}
	for _, d := range []float64{-0.0011, -0.0009, 0.0009, 0.0011} {
		points = append(points, orb.Point{mid[0] + d*left[0], mid[1] + d*left[1]})
	}
	return points
}

// FuzzLocate holds the Set against the plain loop on rings with coordinates of
// whole metres, so that vertices, edges and cells' borders are met often. Two
// bytes are a corner; 255 ends a ring, two of them a zone.
func FuzzLocate(f *testing.F) {
	f.Add([]byte{0, 0, 9, 0, 9, 9, 0, 9}, int8(4), int8(0))
	f.Add([]byte{0, 0, 90, 0, 90, 90, 0, 90, 255, 30, 30, 60, 30, 60, 60, 255, 255, 1, 1, 5, 5, 1, 1}, int8(30), int8(30))
	f.Add([]byte{0, 0, 10, 10, 0, 10, 10, 0, 255, 255, 5, 5, 5, 5, 5, 5}, int8(5), int8(5))
	f.Fuzz(func(t *testing.T, data []byte, x, y int8) {
		zones := fuzzedZones(data)
		s, o := fence.Compile(ground(0), zones), newPlain(frame(), zones)
		for _, d := range []float64{0, 0.5, 0.0005, 0.002} {
			p := at(float64(x)+d, float64(y)-d, 50)
			if got, want := tell(s.Locate(p, noon(), true, 5, nil)), o.locate(p, noon(), true, false); got != want {
				t.Fatalf("at %v: got %q, the plain loop says %q, of %v", p, got, want, zones)
			}
		}
	})
}

func fuzzedZones(data []byte) []chart.Zone {
	f := frame()
	var zones []chart.Zone
	var polygon orb.Polygon
	var ring orb.Ring
	end := func() {
		if len(ring) > 2 {
			polygon = append(polygon, ring)
		}
		ring = nil
	}
	for i := 0; i < len(data); i++ {
		if data[i] == 255 {
			if end(); i+1 < len(data) && data[i+1] == 255 {
				zones = append(zones, chart.Zone{ID: fmt.Sprintf("z%03d", len(zones)), Rule: chart.KeepOut, Polygon: polygon})
				polygon = nil
				i++
			}
			continue
		}
		if i+1 < len(data) {
			ring = append(ring, f.Point(space.XY{X: float64(int8(data[i])), Y: float64(int8(data[i+1]))}))
			i++
		}
	}
	end()
	return append(zones, chart.Zone{ID: "last", Rule: chart.KeepOut, Polygon: polygon})
}

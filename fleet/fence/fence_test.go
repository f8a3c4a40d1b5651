package fence_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

func frame() space.Frame { return space.NewFrame(orb.Point{113.93, 22.51}) }

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// rectangle is a ring in metres around the frame's centre.
func rectangle(x0, y0, x1, y1 float64) orb.Ring {
	f := frame()
	return orb.Ring{
		f.Point(space.XY{X: x0, Y: y0}), f.Point(space.XY{X: x1, Y: y0}),
		f.Point(space.XY{X: x1, Y: y1}), f.Point(space.XY{X: x0, Y: y1}), f.Point(space.XY{X: x0, Y: y0}),
	}
}

// star is a polygon of n points with random radii, which is simple; one of many
// points is nearly round.
func star(r *rand.Rand, n int, centre space.XY, radius float64) orb.Polygon {
	f := frame()
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		a := (float64(i) + 0.8*r.Float64()) / float64(n) * 2 * math.Pi
		spike := min(0.7, 20/float64(n))
		d := radius * (1 - spike*r.Float64())
		ring = append(ring, f.Point(space.XY{X: centre.X + d*math.Cos(a), Y: centre.Y + d*math.Sin(a)}))
	}
	return orb.Polygon{append(ring, ring[0])}
}

// ground is an empty chart whose flat ground has an altitude.
func ground(altitudeM float64) *chart.Chart {
	return &chart.Chart{Frame: frame(), GroundAltitudeM: altitudeM}
}

func at(x, y, z float64) space.XYZ { return space.XYZ{X: x, Y: y, Z: z} }

func TestLocateTellsWhichZonesBindAndWhichAreBroken(t *testing.T) {
	zones := []chart.Zone{
		{
			ID: "b-harbour", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(0, 0, 100, 100), rectangle(40, 40, 60, 60)},
			FloorM: 20, CeilingM: 80, From: noon(), Until: noon().Add(time.Hour),
		},
		{ID: "a-airport", Rule: chart.AltitudeLimit, Polygon: orb.Polygon{rectangle(-500, -500, 50, 500)}, HeightLimitM: 60, Airborne: true},
		{ID: "c-school", Rule: chart.SpeedLimit, Polygon: orb.Polygon{rectangle(200, 0, 300, 100)}, SpeedLimitMPS: 2, Ground: true},
	}
	s := fence.Compile(ground(5), zones)
	tests := []struct {
		name     string
		at       space.XYZ
		when     time.Duration
		airborne bool
		speed    float64
		want     string
	}{
		{"outside of all", at(150, 50, 50), 0, true, 9, ""},
		{"in the keep-out zone", at(70, 50, 50), 0, true, 9, "b-harbour!"},
		{"on its edge", at(100, 50, 50), 0, true, 9, "b-harbour!"},
		{"at its corner", at(100, 100, 50), 0, true, 9, "b-harbour!"},
		{"just beyond its edge", at(100.01, 50, 50), 0, true, 9, ""},
		{"in its hole", at(55, 50, 50), 0, true, 9, ""},
		{"on the edge of its hole", at(60, 50, 50), 0, true, 9, "b-harbour!"},
		{"on its floor", at(70, 50, 20), 0, true, 9, "b-harbour!"},
		{"on its ceiling", at(70, 50, 80), 0, true, 9, "b-harbour!"},
		{"above it", at(70, 50, 80.1), 0, true, 9, ""},
		{"below it", at(70, 50, 19.9), 0, true, 9, ""},
		{"before it begins", at(70, 50, 50), -time.Nanosecond, true, 9, ""},
		{"when it has ended", at(70, 50, 50), time.Hour, true, 9, ""},
		{"two zones, the second kept", at(30, 50, 50), 0, true, 9, "a-airport b-harbour!"},
		{"at the height limit", at(-30, 50, 65), 0, true, 9, "a-airport"},
		{"above the height limit", at(-30, 50, 66), 0, true, 9, "a-airport!"},
		{"a rover where only aircraft are bound", at(-30, 50, 5), 0, false, 1, ""},
		{"a slow rover at the school", at(250, 50, 5), 0, false, 2, "c-school"},
		{"a fast rover at the school", at(250, 50, 5), 0, false, 2.5, "c-school!"},
		{"an aircraft over the school", at(250, 50, 50), 0, true, 9, ""},
	}
	for _, tt := range tests {
		if got := tell(s.Locate(tt.at, noon().Add(tt.when), tt.airborne, tt.speed, nil)); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// tell writes hits as ids, with ! for a broken rule and ~ for not inside.
func tell(hits []fence.Hit) string {
	s := ""
	for i, h := range hits {
		if i > 0 {
			s += " "
		}
		s += h.ID
		if !h.Inside {
			s += "~"
		}
		if h.Violated {
			s += "!"
		}
	}
	return s
}

func TestKeepInZonesAreKeptByBeingInOneOfThem(t *testing.T) {
	s := fence.Compile(ground(0), []chart.Zone{
		{ID: "west", Rule: chart.KeepIn, Polygon: orb.Polygon{rectangle(-100, 0, 0, 100)}},
		{ID: "east", Rule: chart.KeepIn, Polygon: orb.Polygon{rectangle(-10, 0, 100, 100)}, Airborne: true},
		{ID: "fire", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(150, 0, 300, 100)}},
	})
	tests := []struct {
		x        float64
		airborne bool
		want     string
	}{
		{-50, true, "west"},
		{-5, true, "east west"},
		{50, true, "east"},
		{120, true, "east~!"},
		{200, true, "east~! fire!"},
		{200, false, "fire! west~!"},
		{50, false, "west~!"},
	}
	for _, tt := range tests {
		hits := s.Locate(at(tt.x, 50, 50), noon(), tt.airborne, 5, nil)
		if got := tell(hits); got != tt.want {
			t.Errorf("x=%g airborne=%v: got %q, want %q", tt.x, tt.airborne, got, tt.want)
		}
		for _, h := range hits {
			if zone := s.Zone(h); zone.ID != h.ID || zone.Rule != h.Rule {
				t.Errorf("Zone of hit %q is %q", h.ID, zone.ID)
			}
		}
	}
}

func TestCrossingsTellEnteredAndLeft(t *testing.T) {
	in := func(id string) fence.Hit { return fence.Hit{ID: id, Inside: true} }
	broken := func(id string) fence.Hit { return fence.Hit{ID: id, Inside: true, Violated: true} }
	tests := []struct {
		before, after []fence.Hit
		entered, left string
	}{
		{nil, nil, "", ""},
		{nil, []fence.Hit{in("a")}, "a", ""},
		{[]fence.Hit{in("a")}, nil, "", "a"},
		{[]fence.Hit{in("a"), in("c")}, []fence.Hit{in("b"), in("c"), in("d")}, "b d", "a"},
		{[]fence.Hit{in("a")}, []fence.Hit{broken("a")}, "a!", "a"},
	}
	for i, tt := range tests {
		entered, left := fence.Crossings(tt.before, tt.after)
		if tell(entered) != tt.entered || tell(left) != tt.left {
			t.Errorf("case %d: entered %q, left %q; want %q and %q", i, tell(entered), tell(left), tt.entered, tt.left)
		}
	}
}

// crowd is many zones of a number of vertices over an area of 10 km.
func crowd(n, vertices int) []chart.Zone {
	r := rand.New(rand.NewPCG(1, 1))
	zones := make([]chart.Zone, n)
	for i := range zones {
		centre := space.XY{X: 1e4 * (r.Float64() - 0.5), Y: 1e4 * (r.Float64() - 0.5)}
		zones[i] = chart.Zone{
			ID: fmt.Sprintf("z%04d", i), Rule: chart.KeepOut, Polygon: star(r, vertices, centre, 300),
			FloorM: 10, CeilingM: 90, From: noon(), Until: noon().Add(time.Hour),
		}
	}
	return zones
}

func TestLocateDoesNotAllocate(t *testing.T) {
	zones := crowd(1000, 16)
	s := fence.Compile(ground(0), zones)
	corner := frame().XY(zones[500].Polygon[0][3])
	here, dst := at(corner.X, corner.Y, 50), make([]fence.Hit, 0, 64)
	if got := testing.AllocsPerRun(100, func() { dst = s.Locate(here, noon(), true, 5, dst[:0]) }); got != 0 {
		t.Errorf("Locate allocates %g times", got)
	}
	if got := testing.AllocsPerRun(100, func() { fence.Crossings(dst, dst) }); got != 0 {
		t.Errorf("Crossings allocates %g times", got)
	}
	if len(dst) == 0 {
		t.Error("the place is in no zone")
	}
}

func BenchmarkLocate1000Zones(b *testing.B) {
	for _, vertices := range []int{16, 4000} {
		b.Run(fmt.Sprintf("of%d", vertices), func(b *testing.B) {
			s := fence.Compile(ground(0), crowd(1000, vertices))
			r := rand.New(rand.NewPCG(2, 2))
			places := make([]space.XYZ, 1024)
			for i := range places {
				places[i] = at(1e4*(r.Float64()-0.5), 1e4*(r.Float64()-0.5), 50)
			}
			dst := make([]fence.Hit, 0, 64)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				dst = s.Locate(places[i%len(places)], noon(), true, 5, dst[:0])
				i++
			}
		})
	}
}

func BenchmarkCompile1000ZonesOf16(b *testing.B) {
	zones := crowd(1000, 16)
	b.ReportAllocs()
	for b.Loop() {
		fence.Compile(ground(0), zones)
	}
}

// A hill rises to the north by one metre in ten: the same altitude is within a
// height limit at its top and above it at its foot.
func TestHeightLimitsCountFromTheGroundBelow(t *testing.T) {
	low, high := frame().Point(space.XY{X: -1000, Y: -1000}), frame().Point(space.XY{X: 1000, Y: 1000})
	c := ground(0)
	c.Terrain = &chart.Terrain{
		Origin: low, StepLon: high[0] - low[0], StepLat: high[1] - low[1],
		Cols: 2, Rows: 2, HeightDM: []int32{0, 0, 2000, 2000},
	}
	s := fence.Compile(c, []chart.Zone{{ID: "z", Rule: chart.AltitudeLimit, HeightLimitM: 60, Polygon: orb.Polygon{rectangle(-1000, -1000, 1000, 1000)}}})
	for _, tt := range []struct {
		y, altitudeM float64
		violated     bool
	}{{-900, 80, true}, {-900, 69, false}, {900, 80, false}, {900, 249, false}, {900, 251, true}} {
		hits := s.Locate(at(0, tt.y, tt.altitudeM), noon(), true, 10, nil)
		if len(hits) != 1 || hits[0].Violated != tt.violated {
			t.Errorf("at %g m on the slope at altitude %g m: %+v, want violated %v", tt.y, tt.altitudeM, hits, tt.violated)
		}
	}
}

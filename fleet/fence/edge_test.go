package fence_test

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// path is a ring through places in metres around a chart's centre.
func path(f space.Frame, xy ...float64) orb.Ring {
	var ring orb.Ring
	for i := 0; i < len(xy); i += 2 {
		ring = append(ring, f.Point(space.XY{X: xy[i], Y: xy[i+1]}))
	}
	return ring
}

// Shapes that are hard on a test of points, and places whose answers are known.
func TestHardShapes(t *testing.T) {
	f := frame()
	bow := path(f, 0, 0, 100, 100, 100, 0, 0, 100)
	pinched := path(f, 0, 0, 50, 50, 100, 0, 100, 100, 50, 50, 0, 100)
	stairs := path(f, 0, 0, 100, 0, 100, 50, 50, 50, 50, 100, 0, 100)
	for _, shape := range []struct {
		name    string
		polygon orb.Polygon
		in, out [][2]float64
	}{
		{
			"self-crossing",
			orb.Polygon{bow},
			[][2]float64{{10, 50}, {90, 50}, {50, 50}, {0, 50}, {100, 20}},
			[][2]float64{{50, 90}, {50, 10}, {-1, 50}, {101, 50}},
		},
		{
			"self-touching",
			orb.Polygon{pinched},
			[][2]float64{{50, 50}, {10, 50}, {90, 50}, {25, 25}},
			[][2]float64{{50, 10}, {50, 90}},
		},
		{
			"horizontal and vertical edges, a place level with a vertex",
			orb.Polygon{stairs},
			[][2]float64{{20, 50}, {75, 50}, {50, 75}, {50, 50}, {0, 0}, {100, 50}, {0, 100}, {20, 99.9}},
			[][2]float64{{-20, 50}, {120, 50}, {-20, 0}, {120, 0}, {-20, 100}, {75, 75}, {60, 100}},
		},
		{
			"no area: a line there and back",
			orb.Polygon{path(f, 0, 0, 100, 100, 0, 0)},
			[][2]float64{{0, 0}, {50, 50}, {100, 100}},
			[][2]float64{{50, 50.01}, {-1, -1}, {101, 101}, {0, 50}},
		},
		{
			"no area: one point",
			orb.Polygon{path(f, 5, 5, 5, 5, 5, 5)},
			[][2]float64{{5, 5}, {5.0005, 5}},
			[][2]float64{{5.002, 5}, {5, 4}, {4, 5}, {6, 5}},
		},
		{
			"a hole that touches the outline",
			orb.Polygon{rectangle(0, 0, 100, 100), rectangle(0, 40, 60, 60)},
			[][2]float64{{0, 50}, {60, 50}, {80, 50}, {30, 40}, {0, 40}, {60, 60}},
			[][2]float64{{30, 50}, {0.01, 50}, {59.99, 50}},
		},
		{"too few points", orb.Polygon{path(f, 0, 0, 100, 100)}, nil, [][2]float64{{0, 0}, {50, 50}}},
		{"nothing", nil, nil, [][2]float64{{0, 0}}},
		{
			"a point that is none",
			orb.Polygon{{{113.93, 22.51}, {math.NaN(), 22.52}, {113.94, 22.51}}},
			nil,
			[][2]float64{{0, 0}, {10, 10}},
		},
		{
			"of which one ring is none",
			orb.Polygon{rectangle(0, 0, 100, 100), {{113.93, 22.51}, {math.Inf(1), 22.52}, {113.94, 22.51}}},
			[][2]float64{{50, 50}},
			[][2]float64{{150, 50}},
		},
	} {
		s := fence.Compile(ground(0), []chart.Zone{{ID: "z", Rule: chart.KeepOut, Polygon: shape.polygon}})
		for want, places := range map[string][][2]float64{"z!": shape.in, "": shape.out} {
			for _, p := range places {
				if got := tell(s.Locate(at(p[0], p[1], 50), noon(), true, 5, nil)); got != want {
					t.Errorf("%s at %v: got %q, want %q", shape.name, p, got, want)
				}
			}
		}
	}
}

// On a chart about the antimeridian a zone lies on both sides of it.
func TestAZoneAcrossTheAntimeridian(t *testing.T) {
	f := space.NewFrame(orb.Point{180, -17})
	c := &chart.Chart{Frame: f}
	s := fence.Compile(c, []chart.Zone{{
		ID: "taveuni", Rule: chart.KeepOut,
		Polygon: orb.Polygon{{{179.9, -17.1}, {-179.9, -17.1}, {-179.9, -16.9}, {179.9, -16.9}, {179.9, -17.1}}},
	}})
	for _, tt := range []struct {
		lon, lat float64
		want     string
	}{
		{179.95, -17, "taveuni!"},
		{180, -17, "taveuni!"},
		{-180, -17, "taveuni!"},
		{-179.95, -17, "taveuni!"},
		{179.9, -17.1, "taveuni!"},
		{-179.9, -17.1, "taveuni!"},
		{179.89, -17, ""},
		{-179.89, -17, ""},
		{0, -17, ""},
	} {
		xy := f.XY(orb.Point{tt.lon, tt.lat})
		if got := tell(s.Locate(at(xy.X, xy.Y, 0), noon(), false, 0, nil)); got != tt.want {
			t.Errorf("at longitude %g: got %q, want %q", tt.lon, got, tt.want)
		}
	}
}

// What is not a place is in no zone, and so outside of every keep-in zone; an
// altitude that is no number is at every height.
func TestPlacesThatAreNone(t *testing.T) {
	zones := []chart.Zone{
		{ID: "in", Rule: chart.KeepIn, Polygon: orb.Polygon{rectangle(-100, -100, 100, 100)}, FloorM: 10, CeilingM: 90},
		{ID: "out", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(-50, -50, 50, 50)}},
	}
	s := fence.Compile(ground(0), zones)
	nan, inf := math.NaN(), math.Inf(1)
	for _, tt := range []struct {
		at   space.XYZ
		want string
	}{
		{at(0, 0, 50), "in out!"},
		{at(nan, 0, 50), "in~!"},
		{at(0, nan, 50), "in~!"},
		{at(nan, nan, nan), "in~!"},
		{at(inf, 0, 50), "in~!"},
		{at(0, -inf, 50), "in~!"},
		{at(0, 0, nan), "in out!"},
		{at(0, 0, inf), "in~! out!"},
		{at(1e300, -1e300, 50), "in~!"},
	} {
		if got := tell(s.Locate(tt.at, noon(), true, 5, nil)); got != tt.want {
			t.Errorf("at %v: got %q, want %q", tt.at, got, tt.want)
		}
	}
}

// Times beyond what nanoseconds can count are before and after all others.
func TestZonesWithoutAnEndWorthTheName(t *testing.T) {
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	s := fence.Compile(ground(0), []chart.Zone{{
		ID: "z", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(-50, -50, 50, 50)}, From: year(1000), Until: year(9999),
	}})
	for y, want := range map[int]string{1500: "z!", 2026: "z!", 2261: "z!"} {
		if got := tell(s.Locate(at(0, 0, 0), year(y), true, 0, nil)); got != want {
			t.Errorf("in the year %d: got %q, want %q", y, got, want)
		}
	}
}

// A few zones far beyond the chart neither catch what is on it nor are missed.
func TestZonesFarAway(t *testing.T) {
	var zones []chart.Zone
	for i := range 40 {
		x := float64(i) * 100
		zones = append(zones, chart.Zone{ID: string(rune('A' + i)), Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(x, 0, x+50, 50)}})
	}
	zones = append(zones,
		chart.Zone{ID: "far", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(300_000, 400_000, 300_100, 400_100)}},
		chart.Zone{ID: "wide", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(-500_000, -500_000, 500_000, 500_000)}})
	s := fence.Compile(ground(0), zones)
	for _, tt := range []struct {
		x, y float64
		want string
	}{{25, 25, "A! wide!"}, {75, 25, "wide!"}, {325, 25, "D! wide!"}, {300_050, 400_050, "far! wide!"}, {300_150, 400_050, "wide!"}, {600_000, 0, ""}} {
		if got := tell(s.Locate(at(tt.x, tt.y, 0), noon(), true, 5, nil)); got != tt.want {
			t.Errorf("at %g, %g: got %q, want %q", tt.x, tt.y, got, tt.want)
		}
	}
}

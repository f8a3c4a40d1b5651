package check

import (
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// town is a flat chart of 4 km a side with a tower and two zones, and its geometry
// with one drone, number 0.
func town(t testing.TB, zones ...chart.Zone) (*Geometry, *Log, time.Time) {
	t.Helper()
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	c, err := chart.New(chart.Draft{
		Name: "town", HeightLimitM: 120,
		Extent:    orb.Bound{Min: frame.Point(space.XY{X: -2000, Y: -2000}), Max: frame.Point(space.XY{X: 2000, Y: 2000})},
		Buildings: []chart.Building{{ID: "tower", Footprint: box(frame, 0, 0, 20, 20), HeightM: 30, Source: chart.HeightTag}},
		Zones:     zones,
	})
	if err != nil {
		t.Fatal(err)
	}
	log := &Log{}
	g := NewGeometry(c)
	g.Report(log)
	g.Add("D1", protocol.Multirotor)
	return g, log, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
}

func box(frame space.Frame, x0, y0, x1, y1 float64) orb.Polygon {
	var ring orb.Ring
	for _, at := range []space.XY{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}, {X: x0, Y: y0}} {
		ring = append(ring, frame.Point(at))
	}
	return orb.Polygon{ring}
}

// fly goes along points at 10 m/s in steps of so many seconds.
func fly(g *Geometry, now time.Time, stepS float64, points ...space.XYZ) time.Time {
	at := points[0]
	for _, to := range points[1:] {
		for length := at.Dist(to); length > 1e-9; length = at.Dist(to) {
			step, next := 10*stepS, to
			if step < length {
				k := step / length
				next = space.XYZ{X: at.X + (to.X-at.X)*k, Y: at.Y + (to.Y-at.Y)*k, Z: at.Z + (to.Z-at.Z)*k}
			}
			now = now.Add(time.Duration(stepS * float64(time.Second)))
			g.Way(now, 0, at, next, 10*at.XY().Dist(next.XY())/at.Dist(next))
			at = next
		}
	}
	return now
}

func objects(log *Log) []string {
	var all []string
	for _, f := range log.Findings() {
		all = append(all, f.Checker+" "+f.Object)
	}
	return all
}

func TestWaysAreJudgedBetweenTheirEnds(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	keepOut := chart.Zone{ID: "out", Rule: chart.KeepOut, Polygon: box(frame, 300, -500, 310, 500), CeilingM: 60}
	tests := []struct {
		name string
		way  []space.XYZ
		want []string
	}{
		{"over the roof", []space.XYZ{{X: -100, Y: 10, Z: 45}, {X: 100, Y: 10, Z: 45}}, nil},
		{"through the tower", []space.XYZ{{X: -100, Y: 10, Z: 20}, {X: 100, Y: 10, Z: 20}}, []string{"buildings tower"}},
		{"through a corner of it", []space.XYZ{{X: -20, Y: 1, Z: 20}, {X: 1.5, Y: -20, Z: 20}, {X: 40, Y: -20, Z: 20}}, []string{}},
		{"past its wall, at a metre", []space.XYZ{{X: -100, Y: -1, Z: 20}, {X: 100, Y: -1, Z: 20}}, []string{"clearance tower"}},
		{"past it, at ten", []space.XYZ{{X: -100, Y: -10, Z: 20}, {X: 100, Y: -10, Z: 20}}, nil},
		{"close over its roof", []space.XYZ{{X: -100, Y: 10, Z: 31}, {X: 100, Y: 10, Z: 31}}, []string{"clearance tower"}},
		{"across a narrow zone", []space.XYZ{{X: 200, Y: 0, Z: 50}, {X: 400, Y: 0, Z: 50}}, []string{"zones out"}},
		{"above it", []space.XYZ{{X: 200, Y: 0, Z: 65}, {X: 400, Y: 0, Z: 65}}, nil},
		{"along its edge", []space.XYZ{{X: 299, Y: -700, Z: 50}, {X: 299, Y: 700, Z: 50}}, []string{"clearance out"}},
		{"too high, and down again", []space.XYZ{{X: -500, Z: 100}, {X: -600, Z: 130}, {X: -700, Z: 100}}, []string{"height height limit"}},
		{"into the ground", []space.XYZ{{X: -500, Z: 10}, {X: -500, Z: -5}}, []string{"terrain ground"}},
		{"skimming it", []space.XYZ{{X: -500, Z: 20}, {X: -600, Z: 3}, {X: -700, Z: 20}}, []string{"clearance ground"}},
		{"landing and taking off", []space.XYZ{{X: -500, Z: 20}, {X: -500, Z: 0}, {X: -500, Z: 20}}, nil},
	}
	for _, tt := range tests {
		for _, stepS := range []float64{0.1, 1, 60} {
			g, log, now := town(t, keepOut)
			fly(g, now, stepS, tt.way...)
			if got := objects(log); !slices.Equal(got, tt.want) && len(got)+len(tt.want) > 0 {
				t.Errorf("%s, in steps of %g s: found %q, want %q", tt.name, stepS, got, tt.want)
			}
		}
	}
}

func TestAStopCloseToAWallIsNoWayPastIt(t *testing.T) {
	g, log, now := town(t)
	now = fly(g, now, 0.1, space.XYZ{X: -100, Y: 10, Z: 20}, space.XYZ{X: -1, Y: 10, Z: 20}, space.XYZ{X: -1, Y: 10, Z: 0})
	fly(g, now, 0.1, space.XYZ{X: -1, Y: 10, Z: 0}, space.XYZ{X: -1, Y: 10, Z: 40}, space.XYZ{X: -100, Y: 10, Z: 40})
	if log.Len() > 0 {
		t.Errorf("found %v", log.Findings())
	}
}

func TestWhoStandsWhereAZoneComesIntoForceIsJudgedByTheBeat(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	g, log, now := town(t)
	fly(g, now, 0.1, space.XYZ{X: -500, Z: 50}, space.XYZ{X: -490, Z: 50})
	g.SetZones(now, []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: box(frame, -600, -100, -400, 100), From: now.Add(20 * time.Second)}}, nil)
	for second := range 120 {
		g.Beat(now.Add(time.Duration(second) * time.Second))
	}
	if len(g.Caught) != 1 || log.Len() != 1 || log.Count(Zones) != 1 {
		t.Errorf("caught %v, found %v; want one of each", texts(g.Caught), texts(log.Findings()))
	}
}

func TestTheForgivenAreNotBlamed(t *testing.T) {
	g, log, now := town(t)
	g.Forgive = func(vehicle int, since time.Time) string { return "it is broken" }
	fly(g, now, 0.1, space.XYZ{X: -100, Y: 10, Z: 20}, space.XYZ{X: 100, Y: 10, Z: 20})
	if log.Len() > 0 || len(g.Forgiven) != 1 {
		t.Errorf("found %v, forgiven %v; want one forgiven", log.Findings(), g.Forgiven)
	}
}

// TestCellsAgreeWithRings holds the cells' depth against the plain reckoning, for
// seeded polygons with courts.
func TestCellsAgreeWithRings(t *testing.T) {
	for seed := range uint64(40) {
		draw := rand.New(rand.NewPCG(seed, 1))
		var outer, court []space.XY
		centre := space.XY{X: draw.Float64() * 300, Y: draw.Float64() * 300}
		for k := range 12 {
			far := space.XY{X: 40 + 200*draw.Float64()}
			turn := rotate(far, float64(k)/12)
			outer, court = append(outer, centre.Add(turn)), append(court, centre.Add(turn.Scale(0.3)))
		}
		rings := [][]space.XY{outer, court}
		c := newCells([]shape{shapeOf(rings)})
		for range 500 {
			at := centre.Add(space.XY{X: 600 * (draw.Float64() - 0.5), Y: 600 * (draw.Float64() - 0.5)})
			want := min(space.RingDist(outer, at), space.RingDist(court, at), reachM)
			if space.InRings(rings, at) {
				want = -want
			}
			got := reachM
			cell := c.at(at)
			for i := range cell.near {
				got = cell.near[i].depth(cell.centre, at)
			}
			if diff := got - want; diff > 1e-6 || diff < -1e-6 {
				t.Fatalf("seed %d at %v: depth %g, want %g", seed, at, got, want)
			}
		}
	}
}

func rotate(v space.XY, turns float64) space.XY {
	sin, cos := math.Sincos(2 * math.Pi * turns)
	return space.XY{X: v.X*cos - v.Y*sin, Y: v.X*sin + v.Y*cos}
}

// BenchmarkWay is the cost of one step of 0.1 s of a moving drone over a town of
// 2,500 buildings and 50 zones: high above the roofs, and low between them.
func BenchmarkWay(b *testing.B) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	draft := chart.Draft{
		Name: "grid", HeightLimitM: 120,
		Extent: orb.Bound{Min: frame.Point(space.XY{X: -2000, Y: -2000}), Max: frame.Point(space.XY{X: 2000, Y: 2000})},
	}
	for i := range 2500 {
		x, y := float64(i%50)*60-1500, float64(i/50)*60-1500
		draft.Buildings = append(draft.Buildings, chart.Building{
			ID: strconv.Itoa(i), Footprint: box(frame, x, y, x+30, y+30), HeightM: 40, Source: chart.HeightTag,
		})
	}
	for i := range 50 {
		x := float64(i%10)*300 - 1400
		draft.Zones = append(draft.Zones, chart.Zone{
			ID: "z" + strconv.Itoa(i), Rule: chart.KeepOut, FloorM: 90, Polygon: box(frame, x, -1500, x+100, 1500),
		})
	}
	c, err := chart.New(draft)
	if err != nil {
		b.Fatal(err)
	}
	for _, height := range []struct {
		name string
		m    float64
	}{{"above", 60}, {"between", 20}} {
		b.Run(height.name, func(b *testing.B) {
			g := NewGeometry(c)
			g.Add("D1", protocol.Multirotor)
			now := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
			at, dx := space.XYZ{X: -1400, Y: 45 - 1500 + 30*60, Z: height.m}, 1.5
			for b.Loop() {
				to := at
				if to.X += dx; to.X > 1400 || to.X < -1400 {
					dx = -dx
				}
				g.Way(now, 0, at, to, 15)
				at = to
			}
			if height.m == 20 && len(g.Buildings) > 0 {
				b.Fatal(g.Buildings[0])
			}
		})
	}
}

// BenchmarkSeparation is the cost of a second of 1,000 aircraft over 6 km by 6 km,
// of which 300 fly.
func BenchmarkSeparation(b *testing.B) {
	const aircraft = 1000
	draw := rand.New(rand.NewPCG(1, 2))
	s := NewSeparation()
	var at [aircraft]space.XYZ
	for n := range at {
		s.Add(n)
		at[n] = space.XYZ{X: 6000 * draw.Float64(), Y: 6000 * draw.Float64(), Z: 50 + 30*draw.Float64()}
	}
	tenth := int64(100)
	for b.Loop() {
		for range 10 {
			tenth++
			for n := range at[:300] {
				at[n].X += 1.5
				s.At(tenth, n, at[n], true)
			}
		}
		s.Second(tenth)
	}
}

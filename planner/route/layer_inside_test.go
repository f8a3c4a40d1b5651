package route

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/mesh"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// crowdedChart is a square of sideM full of houses of all heights and shapes.
func crowdedChart(t testing.TB, rng *rand.Rand, houses int, sideM float64) *chart.Chart {
	t.Helper()
	middle := orb.Point{24.83, 60.185}
	frame := space.NewFrame(middle)
	corner := frame.Point(space.XY{X: sideM / 2, Y: sideM / 2})
	d := chart.Draft{Name: "crowded", HeightLimitM: 120}
	d.Extent = orb.Bound{Min: orb.Point{2*middle[0] - corner[0], 2*middle[1] - corner[1]}, Max: corner}
	shapes := [][]space.XY{
		{{X: -1, Y: -1}, {X: 1, Y: -1}, {X: 1, Y: 1}, {X: -1, Y: 1}},
		{{X: -1, Y: -1}, {X: 1, Y: -1}, {X: 1, Y: 0}, {X: 0, Y: 0}, {X: 0, Y: 1}, {X: -1, Y: 1}},
		{{X: -1, Y: -1}, {X: 1, Y: -1}, {X: 0, Y: 1}},
		{{X: -1, Y: -1}, {X: 1, Y: -1}, {X: 1, Y: 1}, {X: 0.5, Y: 1}, {X: 0.5, Y: -0.5}, {X: -0.5, Y: -0.5}, {X: -0.5, Y: 1}, {X: -1, Y: 1}},
	}
	for range houses {
		at := space.XY{X: (rng.Float64() - 0.5) * 0.96 * sideM, Y: (rng.Float64() - 0.5) * 0.96 * sideM}
		sin, cos := math.Sincos(rng.Float64() * math.Pi)
		size := 5 + 15*rng.Float64()
		var ring orb.Ring
		for _, p := range shapes[rng.IntN(len(shapes))] {
			ring = append(ring, frame.Point(space.XY{X: at.X + size*(p.X*cos-p.Y*sin), Y: at.Y + size*(p.X*sin+p.Y*cos)}))
		}
		d.Buildings = append(d.Buildings, chart.Building{Footprint: orb.Polygon{append(ring, ring[0])}, HeightM: 35 + 120*rng.Float64(), Source: chart.HeightTag})
	}
	c, err := chart.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The ways that layers have are those of the visibility graph, only that they go
// about corners in rounder lines: never longer by more than a little for the tip of
// an outline that they do not cut off, and as free of obstacles.
func TestLayersHaveTheWaysOfTheVisibilityGraph(t *testing.T) {
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 11))
	c := crowdedChart(t, rng, 900, 3000)
	p, err := NewPlanner(&World{Chart: c})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(p.fixed.layers); n < 3 {
		t.Fatalf("%d layers, want those of 40, 60 and 80 m at least", n)
	}
	s, _ := motion.Preset("kapok-quad")
	compared := 0
	for range 150 {
		at := func() space.Position {
			return c.Frame.Position(space.XYZ{X: (rng.Float64() - 0.5) * 2800, Y: (rng.Float64() - 0.5) * 2800})
		}
		q := Query{From: at(), To: at(), Spec: s, Depart: time.Unix(1e9, 0)}
		p.begin(&q)
		a := &p.air
		a.z, a.last = [...]float64{40, 60, 80}[rng.IntN(3)], -1
		p.collectBeside(a.start)
		budget := math.MaxInt
		lengthM, ok, said := p.inLayer(math.Inf(1), &budget)
		if said != decided {
			continue
		}
		if !ok {
			t.Fatalf("seed %d: from %v to %v at %.0f m: the layer has decided that there is no way", seed, a.start, a.goal, a.z)
		}
		budget = 100_000
		want, ok := a.sight.search(p, a.start, a.goal, math.Inf(1), &budget)
		if !ok {
			continue
		}
		compared++
		if lengthM > want+0.5 {
			t.Errorf("seed %d: from %v to %v at %.0f m: %.3f m in the layer, %.3f m in the visibility graph", seed, a.start, a.goal, a.z, lengthM, want)
		}
		if _, ok, said := p.inLayer(lengthM, &budget); ok || said != decided {
			t.Errorf("seed %d: a way as long as the bound: found %t, said %d", seed, ok, said)
		}
	}
	if compared < 80 {
		t.Errorf("seed %d: only %d of 150 ways could be compared", seed, compared)
	}
}

// An outline holds what is nearer to a shape than the clearance, all of it, and
// little more.
func TestOutlinesKeepTheClearance(t *testing.T) {
	const seed = 12
	rng := rand.New(rand.NewPCG(seed, 12))
	for range 300 {
		s := newShapes()
		var ring []space.XY
		n := 3 + rng.IntN(9)
		for k := range n {
			sin, cos := math.Sincos(float64(k) / float64(n) * 2 * math.Pi)
			ring = append(ring, space.XY{X: cos, Y: sin}.Scale(2+40*rng.Float64()))
		}
		inverted := rng.IntN(3) == 0
		s.add([][]space.XY{ring}, inverted)
		box := space.Box{Min: space.XY{X: -100, Y: -100}, Max: space.XY{X: 100, Y: 100}}
		o := s.outline(0, ClearanceM)
		if inverted {
			o = append(o, []space.XY{{X: -200, Y: -200}, {X: 200, Y: -200}, {X: 200, Y: 200}, {X: -200, Y: 200}})
		}
		m, err := mesh.New(box, []mesh.Obstacle{o})
		if err != nil {
			t.Fatal(err)
		}
		for range 200 {
			at := space.XY{X: 160 * (rng.Float64() - 0.5), Y: 160 * (rng.Float64() - 0.5)}
			offM := s.distance(0, at)
			if s.inside(0, at) != inverted {
				offM = -offM
			}
			free := len(m.CellsAt(at, nil)) > 0
			if free && offM < ClearanceM-1e-6 || !free && offM > ClearanceM*1.1 {
				t.Fatalf("seed %d: %v is %.3f m off %v (inverted %t), and free: %t", seed, at, offM, ring, inverted, free)
			}
		}
	}
}

package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// The landings of one small district: a block with a court, a lake with a pad on
// an island, and a zone over half of it.
func TestBestLanding(t *testing.T) {
	block := rect(-200, -200, 200, 200)
	court := rect(60, 60, 100, 100)[0]
	block = append(block, court)
	lake := append(rect(-1500, -1500, -500, -500), rect(-1010, -1010, -990, -990)[0])
	c := build(t, chart.Draft{
		Buildings: []chart.Building{house("block", 30, block)},
		Water:     []chart.WaterArea{{ID: "lake", Polygon: lake}},
		Sites: []chart.Site{
			{ID: "roof", Kind: chart.Pad, Position: pos(-100, -100, 30), Capacity: 1},
			{ID: "rovers", Kind: chart.Pad, Position: pos(0, 0, 30), Capacity: 1, Kinds: []string{"rover"}},
			{ID: "hospital", Kind: chart.Hospital, Position: pos(10, 10, 30), Capacity: 1},
			{ID: "island", Kind: chart.Charger, Position: pos(-1000, -1000, 0), Capacity: 1, Kinds: []string{"multirotor"}},
		},
	})
	closed := chart.Zone{ID: "closed", Rule: chart.KeepOut, Polygon: rect(500, -300, 1500, 300), CeilingM: 60}
	over := chart.Zone{ID: "over", Rule: chart.KeepOut, Polygon: rect(500, 600, 1500, 1500), FloorM: 20, CeilingM: 60}
	quad := spec(t, "kapok-quad")
	p := planner(t, c, closed, over)
	tests := []struct {
		name   string
		at     space.Position
		site   string
		beside [2]float64
		radius float64
	}{
		{"straight below", pos(300, 0, 50), "", [2]float64{300, 0}, 0.1},
		{"a roof that has a pad", pos(-110, -90, 50), "roof", [2]float64{-100, -100}, 0.1},
		{"the court", pos(130, 80, 50), "", [2]float64{80, 80}, 20},
		{"the island", pos(-900, -900, 50), "island", [2]float64{-1000, -1000}, 0.1},
		{"out of a zone above which it flies", pos(520, 0, 80), "", [2]float64{480, 0}, 40},
		{"out of a zone that is not on the ground", pos(520, 1000, 80), "", [2]float64{480, 1000}, 40},
	}
	for _, tt := range tests {
		got, ok := p.BestLanding(&quad, tt.at, 0, math.Inf(1), noon())
		at := c.Frame.XY(got.At.Point())
		if off := at.Dist(space.XY{X: tt.beside[0], Y: tt.beside[1]}); !ok || got.Site != tt.site || off > tt.radius {
			t.Errorf("%s: %+v, %v, at %.0f", tt.name, got, ok, at)
		}
		if _, ok := p.BestLanding(&quad, tt.at, 0, got.Cost.EnergyWh/2, noon()); ok {
			t.Errorf("%s: half the energy is enough", tt.name)
		}
	}
	if _, ok := p.BestLanding(&quad, pos(-1400, -1000, 50), 0, 0.5, noon()); ok {
		t.Error("the island can be reached for half a watt hour")
	}
	own, ok := p.BestLanding(&quad, pos(-100, 0, 50), 0, math.Inf(1), noon(), pos(-100, 1, 30))
	if !ok || own.At != pos(-100, 1, 30) {
		t.Errorf("its own place on the roof is not taken: %+v", own)
	}
	rover := spec(t, "kapok-rover")
	if _, ok := p.BestLanding(&rover, pos(300, 0, 0), 0, math.Inf(1), noon()); ok {
		t.Error("a rover has a landing")
	}
}

// Along random flights over random towns in a wind, each landing is on ground that
// the raw chart has as open or at a site, and the way there is lawful.
func TestLandingsAreLawful(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 2))
	quad := spec(t, "kapok-quad")
	for n := range 12 {
		d := chart.Draft{}
		for i := range 300 {
			x, y := 3000*r.Float64()-1500, 3000*r.Float64()-1500
			d.Buildings = append(d.Buildings, house(fmt.Sprint("b", i), 10+60*r.Float64(), rect(x, y, x+20+120*r.Float64(), y+20+120*r.Float64())))
		}
		d.Water = []chart.WaterArea{{ID: "lake", Polygon: rect(-300, -800, 300, 800)}}
		c := build(t, d)
		var zones []chart.Zone
		for i := range 6 {
			x, y := 3000*r.Float64()-1500, 3000*r.Float64()-1500
			zones = append(zones, chart.Zone{
				ID: fmt.Sprint("z", i), Rule: chart.KeepOut, Polygon: rect(x, y, x+300, y+300), CeilingM: 50,
				From: noon().Add(time.Duration(r.IntN(300)-200) * time.Second),
			})
		}
		p := windy(t, c, motion.WindFrom(5, 360*r.Float64(), 2), zones...)
		q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: quad, Depart: noon()}
		way, err := p.Find(q)
		if err != nil {
			continue
		}
		for i, l := range p.Landings(&quad, way.Path, 0, q.Depart) {
			if !l.Possible() {
				t.Errorf("seed %d, town %d: no landing from %v", seed, n, way.Path[i])
				continue
			}
			for _, b := range d.Buildings {
				if planar.PolygonContains(b.Footprint, l.At.Point()) {
					t.Errorf("seed %d, town %d: the landing is in %s", seed, n, b.ID)
				}
			}
			if planar.PolygonContains(d.Water[0].Polygon, l.At.Point()) {
				t.Errorf("seed %d, town %d: the landing is in the lake", seed, n)
			}
			down, err := p.Find(route.Query{From: way.Path[i], To: l.At, Spec: quad, Depart: q.Depart})
			if err != nil {
				t.Errorf("seed %d, town %d: %v", seed, n, err)
				continue
			}
			for _, v := range verify.Path(c, zones, nil, quad.Kind, down.Path, q.Depart, quad.CruiseMPS) {
				t.Errorf("seed %d, town %d: %v", seed, n, v)
			}
		}
	}
}

func BenchmarkLanding(b *testing.B) {
	c := build(b, chart.Draft{})
	quad := spec(b, "kapok-quad")
	p := planner(b, c)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := p.BestLanding(&quad, pos(100, 100, 50), 0, math.Inf(1), noon()); !ok {
			b.Fatal("none")
		}
	}
}

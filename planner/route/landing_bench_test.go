package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// landingTown is a town of 10 km a side out of a seed: a building in each square of
// 100 m, some of which leave no open ground, a lake, and 500 sites, of which two
// thirds take aircraft.
func landingTown(t testing.TB, seed uint64) *chart.Chart {
	t.Helper()
	const half, squareM = 5000.0, 100.0
	r := rand.New(rand.NewPCG(seed, 3))
	d := chart.Draft{Name: "landing town", HeightLimitM: 120}
	for x := -half; x < half; x += squareM {
		for y := -half; y < half; y += squareM {
			w, h := 40+60*r.Float64(), 40+60*r.Float64()
			id := fmt.Sprintf("b%d", len(d.Buildings))
			d.Buildings = append(d.Buildings, house(id, 5+45*r.Float64()*r.Float64(), rect(x, y, x+w, y+h)))
		}
	}
	d.Water = []chart.WaterArea{{ID: "lake", Polygon: rect(-2000, -2500, 500, 0)}}
	for i := range 500 {
		b := &d.Buildings[r.IntN(len(d.Buildings))]
		at := b.Footprint.Bound().Center()
		kind := [...]chart.SiteKind{chart.Pad, chart.Charger, chart.Hospital}[i%3]
		d.Sites = append(d.Sites, chart.Site{
			ID: fmt.Sprintf("s%d", i), Kind: kind, Capacity: 1,
			Position: space.Position{Lon: at[0], Lat: at[1], AltitudeM: b.HeightM},
		})
	}
	low, high := pt(-half, -half), pt(half, half)
	d.Extent = orb.Bound{Min: low, Max: high}
	c, err := chart.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func BenchmarkLandingsAlong(b *testing.B) {
	c := landingTown(b, 1)
	quad := spec(b, "kapok-quad")
	for _, bench := range []struct {
		name string
		wind motion.Wind
	}{{"calm", motion.Wind{}}, {"windy", motion.WindFrom(7, 70, 2)}} {
		b.Run(bench.name, func(b *testing.B) {
			p := windy(b, c, bench.wind)
			q := route.Query{From: pos(-4500, -4000, 60), To: pos(4500, 4200, 60), Spec: quad, Depart: noon()}
			way, err := p.Find(q)
			if err != nil {
				b.Fatal(err)
			}
			var d route.Descent
			b.ReportAllocs()
			for b.Loop() {
				d = p.LandingsAlong(&quad, &way, 0, math.Inf(1), noon(), q.From)
			}
			b.ReportMetric(float64(d.Expansions), "expansions/op")
			b.ReportMetric(d.Worst.Cost.EnergyWh, "worst-Wh")
		})
	}
}

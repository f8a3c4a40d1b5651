package route_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
)

// A town so dense that its altitudes are compiled as layers, with zones that come
// and go: every way is lawful.
func TestWaysThroughLayersAreLawful(t *testing.T) {
	const seed = 21
	r := rand.New(rand.NewPCG(seed, 21))
	var d chart.Draft
	for range 700 {
		x, y := 3800*(r.Float64()-0.5), 3800*(r.Float64()-0.5)
		d.Buildings = append(d.Buildings, house("", 30+120*r.Float64(), rect(x, y, x+8+30*r.Float64(), y+8+30*r.Float64())))
	}
	var zones []chart.Zone
	for i := range 40 {
		x, y := 3800*(r.Float64()-0.5), 3800*(r.Float64()-0.5)
		from := noon().Add(time.Duration(r.IntN(600)-300) * time.Second)
		zones = append(zones, chart.Zone{ID: string(rune('A' + i)), Rule: chart.KeepOut, Polygon: rect(x, y, x+150, y+150), From: from, Until: from.Add(3 * time.Minute)})
	}
	c := build(t, d)
	for name, in := range map[string][]chart.Zone{"no zones": nil, "zones": zones} {
		p := planner(t, c, in...)
		found := 0
		for range 60 {
			q := route.Query{From: onRoof(c, somewhere(r, c)), To: onRoof(c, somewhere(r, c)), Spec: spec(t, "kapok-quad"), Depart: noon()}
			got, err := p.Find(q)
			var no *route.Refusal
			if errors.As(err, &no) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			found++
			check(t, c, in, q, got)
			if again, err := p.Clone().Find(q); err != nil || again.LengthM != got.LengthM || again.Expansions != got.Expansions {
				t.Errorf("seed %d: a clone finds %.3f m with %d expansions, %v; the planner %.3f m with %d", seed, again.LengthM, again.Expansions, err, got.LengthM, got.Expansions)
			}
		}
		if found < 40 {
			t.Errorf("seed %d: %s: %d of 60 ways found", seed, name, found)
		}
	}
}

// 2,500 buildings above every cruise on 4 by 4 km: what a dense city costs.
func BenchmarkFindAirCrowded(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 22))
	var d chart.Draft
	for range 2500 {
		x, y := 3900*(r.Float64()-0.5), 3900*(r.Float64()-0.5)
		d.Buildings = append(d.Buildings, house("", 150, rect(x, y, x+8+30*r.Float64(), y+8+30*r.Float64())))
	}
	c := build(b, d)
	p := planner(b, c)
	var queries []route.Query
	for len(queries) < 32 {
		q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(b, "kapok-quad"), Depart: noon(), MaxExpansions: 100_000}
		if _, err := p.Find(q); err == nil {
			queries = append(queries, q)
		}
	}
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Find(queries[i%len(queries)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

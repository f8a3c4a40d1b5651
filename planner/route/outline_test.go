package route_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// outlineOf is a ring of many points about a place: at radius, jagged by up to
// jagM, with as many points of a star as given.
func outlineOf(c *chart.Chart, r *rand.Rand, at space.XY, n, spikes int, radius, jagM float64) orb.Polygon {
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		a := 2 * math.Pi * float64(i) / float64(n)
		sin, cos := math.Sincos(a)
		m := radius*(1+0.3*math.Sin(a*float64(spikes))) + jagM*r.Float64()
		ring = append(ring, c.Frame.Point(at.Add(space.XY{X: m * cos, Y: m * sin})))
	}
	return orb.Polygon{append(ring, ring[0])}
}

// Ways past and out of zones with thousands of corners are lawful by the zones as
// they were given, and are found with few expansions.
func TestOutlinesOfManyCornersAreKept(t *testing.T) {
	c := build(t, chart.Draft{})
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 41))
		spikes, jagM := int(seed%3)*4, 0.7*float64(seed%2)
		zones := []chart.Zone{{ID: "smoke", Rule: chart.KeepOut, Polygon: outlineOf(c, r, space.XY{}, 4000, spikes, 500, jagM)}}
		if seed == 4 {
			zones = append(zones, chart.Zone{ID: "arena", Rule: chart.KeepIn, Polygon: outlineOf(c, r, space.XY{}, 4000, 0, 1200, jagM)})
		}
		p, most := planner(t, c, zones...), 0
		for i := range 4 {
			sin, cos := math.Sincos(2 * math.Pi * r.Float64())
			from, to := pos(900*cos, 900*sin, 60), pos(-900*cos, -900*sin, 0)
			if i%2 == 0 {
				from = pos(300*cos*r.Float64(), 300*sin, 60)
			}
			q := route.Query{From: from, To: to, Spec: spec(t, "kapok-quad"), Depart: noon()}
			got, err := p.Find(q)
			if err != nil {
				t.Errorf("seed %d: %v", seed, err)
				continue
			}
			most = max(most, got.Expansions)
			check(t, c, zones, q, got)
		}
		if t.Failed() || most > route.ExpansionsPer50ms {
			t.Fatalf("seed %d: at most %d expansions (go test -run TestOutlinesOfMany ./planner/route)", seed, most)
		}
	}
}

func manyCorners(b *testing.B) (*chart.Chart, []chart.Zone) {
	c := monaco(b)
	r := rand.New(rand.NewPCG(1, 42))
	z := chart.Zone{ID: "smoke", Rule: chart.KeepOut, Polygon: outlineOf(c, r, space.XY{}, 4000, 8, 500, 0.5)}
	return c, []chart.Zone{z}
}

func BenchmarkSetZonesManyCorners(b *testing.B) {
	c, zones := manyCorners(b)
	p := planner(b, c)
	for b.Loop() {
		p.SetZones(zones, nil)
	}
}

func BenchmarkFindAirManyCorners(b *testing.B) {
	c, zones := manyCorners(b)
	p := planner(b, c, zones...)
	r := rand.New(rand.NewPCG(2, 42))
	var queries []route.Query
	for len(queries) < 32 {
		queries = append(queries, route.Query{From: onRoof(c, somewhere(r, c)), To: onRoof(c, somewhere(r, c)), Spec: spec(b, "kapok-quad"), Depart: noon()})
	}
	i, expansions, found := 0, 0, 0
	for b.Loop() {
		got, err := p.Find(queries[i%len(queries)])
		var no *route.Refusal
		if err == nil {
			found++
		} else if !errors.As(err, &no) {
			b.Fatal(err)
		}
		expansions += got.Expansions
		i++
	}
	b.ReportMetric(float64(found)/float64(b.N), "found/op")
	b.ReportMetric(float64(expansions)/float64(b.N), "expansions/op")
}

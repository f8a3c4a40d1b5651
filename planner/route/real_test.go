package route_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

func harbourChart(t testing.TB) *chart.Chart {
	t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// ends are the sites and places of a chart.
func ends(c *chart.Chart) []space.Position {
	var all []space.Position
	for i := range c.Sites {
		all = append(all, c.Sites[i].Position)
	}
	for i := range c.Places {
		all = append(all, c.Places[i].Position)
	}
	return all
}

// onRoof lifts a place that is in a building onto its roof.
func onRoof(c *chart.Chart, at space.Position) space.Position {
	if b, ok := c.BuildingAt(c.Frame.XY(at.Point())); ok {
		at.AltitudeM = c.RoofM(b)
	}
	return at
}

// Every way between sites and random places of real districts, by air and on
// the ground, passes the checker, and nearly all of them are found.
func TestWaysAcrossRealDistrictsAreLawful(t *testing.T) {
	charts := map[string]func(testing.TB) *chart.Chart{
		"harbour":  harbourChart,
		"otaniemi": func(t testing.TB) *chart.Chart { return realChart(t, "otaniemi-espoo.osm") },
		"taipei":   func(t testing.TB) *chart.Chart { return realChart(t, "taipei-block.osm") },
	}
	for name, load := range charts {
		for _, model := range []string{"kapok-quad", "kapok-rover"} {
			t.Run(name+"/"+model, func(t *testing.T) {
				c := load(t)
				p := planner(t, c)
				r := rand.New(rand.NewPCG(5, 5))
				sites := ends(c)
				refused, found := map[string]int{}, 0
				for i := range 60 {
					q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, model), Depart: noon()}
					if i%2 == 0 && len(sites) > 1 {
						q.From, q.To = sites[r.IntN(len(sites))], sites[r.IntN(len(sites))]
					}
					if q.Spec.Kind.Airborne() {
						q.From, q.To = onRoof(c, q.From), onRoof(c, q.To)
					}
					got, err := p.Find(q)
					var no *route.Refusal
					switch {
					case err == nil:
						found++
						check(t, c, nil, q, got)
					case errors.As(err, &no):
						refused[string(no.Rule)]++
					default:
						t.Error(err)
					}
				}
				t.Logf("%d found, refused %v", found, refused)
				if found+refused[string(route.InsideBuilding)]+refused[string(route.OffNetwork)]+refused[string(route.InsideZone)] < 54 {
					t.Errorf("%d of 60 found, refused: %v", found, refused)
				}
			})
		}
	}
}

func benchmarkFind(b *testing.B, c *chart.Chart, model string) {
	p := planner(b, c)
	r := rand.New(rand.NewPCG(6, 6))
	sites := ends(c)
	var queries []route.Query
	for len(queries) < 64 {
		q := route.Query{From: sites[r.IntN(len(sites))], To: sites[r.IntN(len(sites))], Spec: spec(b, model), Depart: noon()}
		if q.Spec.Kind.Airborne() {
			q.From, q.To = onRoof(c, q.From), onRoof(c, q.To)
		}
		if _, err := p.Find(q); err == nil {
			queries = append(queries, q)
		}
	}
	i, expansions := 0, 0
	b.ReportAllocs()
	for b.Loop() {
		got, err := p.Find(queries[i%len(queries)])
		if err != nil {
			b.Fatal(err)
		}
		expansions += got.Expansions
		i++
	}
	b.ReportMetric(float64(expansions)/float64(b.N), "expansions/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(1, expansions)), "ns/expansion")
}

func BenchmarkFindAirHarbour(b *testing.B)    { benchmarkFind(b, harbourChart(b), "kapok-quad") }
func BenchmarkFindGroundHarbour(b *testing.B) { benchmarkFind(b, harbourChart(b), "kapok-rover") }

func BenchmarkFindAirTaipei(b *testing.B) {
	benchmarkFind(b, realChart(b, "taipei-block.osm"), "kapok-quad")
}

func BenchmarkFindGroundOtaniemi(b *testing.B) {
	benchmarkFind(b, realChart(b, "otaniemi-espoo.osm"), "kapok-rover")
}

// A town of 250 buildings and 12 zones of all heights, most of them in the way.
func BenchmarkFindAirTown(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 9))
	c, zones := town(b, r)
	p := planner(b, c, zones...)
	var queries []route.Query
	for len(queries) < 64 {
		queries = append(queries, route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(b, "kapok-quad"), Depart: noon()})
	}
	i, expansions := 0, 0
	for b.Loop() {
		got, _ := p.Find(queries[i%len(queries)])
		expansions += got.Expansions
		i++
	}
	b.ReportMetric(float64(expansions)/float64(b.N), "expansions/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(1, expansions)), "ns/expansion")
}

func BenchmarkSetZones(b *testing.B) {
	c := harbourChart(b)
	p := planner(b, c)
	for b.Loop() {
		p.SetZones(nil, nil)
	}
}

// A closed ring of zones around the goal, so that the search goes on until its
// budget has run out: what an expansion costs at worst.
func BenchmarkFindAirInVain(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 9))
	c, zones := town(b, r)
	moat := append(rect(1000, 1000, 1300, 1300), rect(1050, 1050, 1250, 1250)[0])
	zones = append(zones, chart.Zone{ID: "moat", Rule: chart.KeepOut, Polygon: moat})
	p := planner(b, c, zones...)
	expansions := 0
	for b.Loop() {
		q := route.Query{From: pos(-1900, -1900, 0), To: pos(1150, 1150, 0), Spec: spec(b, "kapok-quad"), Depart: noon(), MaxExpansions: route.ExpansionsPer50ms}
		got, err := p.Find(q)
		if err == nil {
			b.Fatal("there is a way")
		}
		expansions += got.Expansions
	}
	b.ReportMetric(float64(expansions)/float64(b.N), "expansions/op")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(max(1, expansions)), "ns/expansion")
}

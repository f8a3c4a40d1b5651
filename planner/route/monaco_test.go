package route_test

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// monaco rises from the sea to some 600 m within two kilometres.
func monaco(t testing.TB) *chart.Chart {
	t.Helper()
	return realChart(t, "monaco.osm.pbf", "N43E007.hgt.zip")
}

// monacoZones are made up: a heliport's limit, and volumes at altitudes that the
// hills cut through.
func monacoZones(c *chart.Chart, r *rand.Rand) []chart.Zone {
	var zones []chart.Zone
	for i := range 8 {
		at := c.Frame.XY(somewhere(r, c).Point())
		z := chart.Zone{ID: "z" + string(rune('a'+i)), Rule: chart.KeepOut}
		w, h := 80+300*r.Float64(), 80+300*r.Float64()
		ring := z.Polygon
		ring = append(ring, nil)
		for _, d := range [...]space.XY{{}, {X: w}, {X: w, Y: h}, {Y: h}, {}} {
			ring[0] = append(ring[0], c.Frame.Point(at.Add(d)))
		}
		z.Polygon = ring
		ground := c.GroundAltitudeXY(at)
		switch i % 4 {
		case 0:
			z.FloorM = ground + 60 + 100*r.Float64()
		case 1:
			z.CeilingM = ground + 20 + 60*r.Float64()
		case 2:
			z.Rule, z.HeightLimitM = chart.AltitudeLimit, 30+60*r.Float64()
		case 3:
			z.From = noon().Add(time.Duration(r.IntN(300)) * time.Second)
		}
		zones = append(zones, z)
	}
	return zones
}

// Many flights between random places of Monaco, on the ground and on roofs, pass
// the checker, and nearly all of them are found.
func TestFlightsOverMonacoAreLawful(t *testing.T) {
	c := monaco(t)
	if c.Terrain == nil {
		t.Fatal("the chart has no terrain")
	}
	found, refused, points := 0, map[string]int{}, 0
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 21))
		zones := monacoZones(c, r)
		if seed%2 == 0 {
			zones = nil
		}
		p := planner(t, c, zones...)
		for range 40 {
			q := route.Query{
				From: onRoof(c, somewhere(r, c)), To: onRoof(c, somewhere(r, c)),
				Spec: spec(t, "kapok-quad"), LoadKg: 2, Depart: noon(),
			}
			got, err := p.Find(q)
			var no *route.Refusal
			switch {
			case errors.As(err, &no):
				refused[string(no.Rule)]++
				if no.Rule == route.NoWay {
					t.Logf("seed %d: %v → %v: %v", seed, q.From, q.To, no)
				}
				continue
			case err != nil:
				t.Fatal(err)
			}
			found++
			points += len(got.Path)
			check(t, c, zones, q, got)
			low := p.LeastCost(&q.Spec, q.From, q.To, q.LoadKg)
			if low.Seconds > got.Cost.Seconds+1e-6 || low.EnergyWh > got.Cost.EnergyWh+1e-6 {
				t.Errorf("%v → %v: the bound %+v is above the cost %+v", q.From, q.To, low, got.Cost)
			}
			if least, most := heights(c, got.Path); least < 14.9 || most > c.HeightLimitM {
				t.Errorf("%v → %v: between %.1f and %.1f m above ground", q.From, q.To, least, most)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d (go test -run TestFlightsOverMonaco ./planner/route)", seed)
		}
	}
	t.Logf("%d found with %.1f points each, refused %v", found, float64(points)/float64(found), refused)
	if found < 140 {
		t.Errorf("only %d of 160 found", found)
	}
}

// Vans keep to the roads and their directions, robots to the sidewalks, and both
// to the ground.
func TestDrivesThroughMonacoAreLawful(t *testing.T) {
	c := monaco(t)
	p := planner(t, c)
	for model, profile := range map[string]chart.Profile{"kapok-van": chart.Road, "kapok-rover": chart.Sidewalk} {
		r := rand.New(rand.NewPCG(7, 22))
		found := 0
		for range 60 {
			q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, model), Depart: noon()}
			got, err := p.Find(q)
			var no *route.Refusal
			if errors.As(err, &no) && no.Rule == route.OffNetwork {
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", model, err)
				continue
			}
			found++
			check(t, c, nil, q, got)
			for _, v := range verify.Drive(c, profile, got.Path) {
				t.Errorf("%s from %v to %v: %v", model, q.From, q.To, v)
			}
		}
		t.Logf("%s: %d of 60 found", model, found)
		if found < 12 || t.Failed() {
			t.Fatalf("%s: %d found (go test -run TestDrivesThroughMonaco ./planner/route)", model, found)
		}
	}
}

// Boats stay on the sea, clear of its shores but at their ends.
func TestVoyagesOffMonacoStayOnTheWater(t *testing.T) {
	c := monaco(t)
	if len(c.Water) == 0 {
		t.Fatal("the chart has no water")
	}
	p := planner(t, c)
	r := rand.New(rand.NewPCG(8, 23))
	found, refused := 0, map[route.Rule]int{}
	for range 60 {
		q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, "kapok-boat"), Depart: noon()}
		q.From.AltitudeM, q.To.AltitudeM = 0, 0
		got, err := p.Find(q)
		var no *route.Refusal
		if errors.As(err, &no) {
			refused[no.Rule]++
			_, afloat := c.WaterAt(c.Frame.XY(q.From.Point()))
			_, ashore := c.WaterAt(c.Frame.XY(q.To.Point()))
			if (!afloat || !ashore) != (no.Rule == route.OffWater && no.Object == "") {
				t.Errorf("%v → %v: %v, on water %v and %v", q.From, q.To, no, afloat, ashore)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		found++
		for _, v := range verify.Path(c, nil, nil, motion.Vessel, got.Path, q.Depart, q.Spec.CruiseMPS) {
			t.Errorf("%v → %v: %v", q.From, q.To, v)
		}
	}
	t.Logf("%d found, refused %v; %d waters", found, refused, len(c.Water))
	if found < 5 {
		t.Errorf("%d found (go test -run TestVoyagesOffMonaco ./planner/route)", found)
	}
}

func BenchmarkFindAirMonaco(b *testing.B)    { benchmarkFind(b, monaco(b), "kapok-quad") }
func BenchmarkFindGroundMonaco(b *testing.B) { benchmarkFind(b, monaco(b), "kapok-rover") }
func BenchmarkFindRoadMonaco(b *testing.B)   { benchmarkFind(b, monaco(b), "kapok-van") }

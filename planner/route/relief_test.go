package route_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// land is terrain under a hand-made chart, by a formula over its metres, with a
// sample about every 30 m.
func land(altitudeM func(x, y float64) float64) *chart.Terrain {
	const n = 141
	low, high := pt(-2100, -2100), pt(2100, 2100)
	t := &chart.Terrain{
		Origin: low, StepLon: (high[0] - low[0]) / (n - 1), StepLat: (high[1] - low[1]) / (n - 1),
		Cols: n, Rows: n, HeightDM: make([]int32, n*n),
	}
	f := space.NewFrame(centre())
	for i := range t.HeightDM {
		p := low
		p[0] += float64(i%n) * t.StepLon
		p[1] += float64(i/n) * t.StepLat
		at := f.XY(p)
		t.HeightDM[i] = int32(math.Round(altitudeM(at.X, at.Y) * 10))
	}
	return t
}

// heights are the least and the greatest height above ground of a flight between
// its columns, looked at each half metre.
func heights(c *chart.Chart, path []space.Position) (least, most float64) {
	least, most = math.Inf(1), math.Inf(-1)
	for i := 1; i < len(path); i++ {
		a, b := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i])
		length := a.XY().Dist(b.XY())
		if length < 0.01 {
			continue
		}
		for k := range int(length*2) + 2 {
			t := min(1, float64(k)/2/length)
			at := a.XY().Lerp(b.XY(), t)
			h := a.Z + (b.Z-a.Z)*t - c.GroundAltitudeXY(at)
			least, most = min(least, h), max(most, h)
		}
	}
	return least, most
}

// overLand asks for a flight from ground to ground and looks at its heights.
func overLand(t *testing.T, c *chart.Chart, zones []chart.Zone, from, to space.Position) (route.Route, error) {
	t.Helper()
	from.AltitudeM, to.AltitudeM = c.GroundAltitude(from.Point()), c.GroundAltitude(to.Point())
	r, err := fly(t, c, zones, from, to)
	if err == nil {
		if least, most := heights(c, r.Path); least < route.LowestCruiseM-0.1 || most > c.HeightLimitM {
			t.Errorf("the flight %s is between %.1f and %.1f m above ground", draw(r.Path), least, most)
		}
		s := spec(t, "kapok-quad")
		if low := planner(t, c, zones...).LeastCost(&s, from, to, 0); low.Seconds > r.Cost.Seconds+1e-6 || low.EnergyWh > r.Cost.EnergyWh+1e-6 {
			t.Errorf("the bound %+v is above the cost %+v of %s", low, r.Cost, draw(r.Path))
		}
	}
	return r, err
}

func ridge(x, _ float64) float64 { return 250 * math.Exp(-x*x/(2*150*150)) }

func TestAFlightFollowsTheLand(t *testing.T) {
	tests := []struct {
		name      string
		land      func(x, y float64) float64
		maxPoints int
		topM      float64
	}{
		{"flat", func(_, _ float64) float64 { return 7 }, 4, 47},
		{"a slope", func(x, _ float64) float64 { return 300 + x/5 }, 6, 540},
		{"a ridge", ridge, 24, 292.1},
		{"a valley", func(x, y float64) float64 { return 200 - ridge(x, y)*0.8 }, 24, 242},
		{"a cliff", func(x, _ float64) float64 {
			if x > 0 {
				return 180
			}
			return 0
		}, 24, 222},
		{"a plateau", func(x, _ float64) float64 { return 150 * clampTo(3-math.Abs(x)/200, 0, 1) }, 16, 192},
		{"folds", func(x, y float64) float64 { return 100 + 12*math.Sin(x/60)*math.Cos(y/70) }, 80, 154},
	}
	for _, tt := range tests {
		c := build(t, chart.Draft{Terrain: land(tt.land)})
		r, err := overLand(t, c, nil, pos(-1000, 120, 0), pos(1000, -80, 0))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		least, most := heights(c, r.Path)
		top := 0.0
		for _, p := range r.Path {
			top = max(top, p.AltitudeM)
		}
		t.Logf("%s: %d points, %.1f to %.1f m above ground, top %.1f m, %.0f s", tt.name, len(r.Path), least, most, top, r.Cost.Seconds)
		if len(r.Path) > tt.maxPoints || top > tt.topM || least < route.MinCruiseM-0.1 {
			t.Errorf("%s: %d points, top %.1f, least height %.1f m: %s", tt.name, len(r.Path), top, least, draw(r.Path))
		}
	}
}

func clampTo(v, low, high float64) float64 { return min(max(v, low), high) }

// Terrain that is level everywhere gives the ways of a flat chart.
func TestLevelTerrainIsLikeAFlatChart(t *testing.T) {
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 9))
		flat, zones := town(t, r)
		d := flat.Draft()
		d.Terrain = land(func(_, _ float64) float64 { return 0 })
		level := build(t, d)
		p, q := planner(t, flat, zones...), planner(t, level, zones...)
		same := 0
		for range 40 {
			query := route.Query{From: somewhere(r, flat), To: somewhere(r, flat), Spec: spec(t, "kapok-quad"), Depart: noon()}
			a, err := p.Find(query)
			b, err2 := q.Find(query)
			if err2 == nil {
				check(t, level, zones, query, b)
			}
			// The highest cruises differ, as over terrain they leave room below the limit.
			if err == nil && a.Path[1].AltitudeM <= 109 && (err2 != nil || draw(a.Path) != draw(b.Path)) {
				t.Errorf("flat %s, level %v %s", draw(a.Path), err2, draw(b.Path))
			} else if err == nil && err2 == nil {
				same++
			}
		}
		if same < 20 || t.Failed() {
			t.Fatalf("seed %d: %d the same (go test -run TestLevelTerrain ./planner/route)", seed, same)
		}
	}
}

func TestZonesHaveAltitudesAndTheLandHasNot(t *testing.T) {
	zone := func(change func(*chart.Zone)) chart.Zone {
		z := chart.Zone{ID: "z", Rule: chart.KeepOut, Polygon: rect(-200, -2100, 200, 2100)}
		change(&z)
		return z
	}
	c := build(t, chart.Draft{Terrain: land(ridge)})
	tests := []struct {
		name    string
		zone    chart.Zone
		refused bool
	}{
		{"a floor high above the hill", zone(func(z *chart.Zone) { z.FloorM = 320 }), false},
		{"a floor that leaves no room over the hill", zone(func(z *chart.Zone) { z.FloorM = 290 }), true},
		{"a ceiling above the foot of the hill, over its top alone", zone(func(z *chart.Zone) {
			z.CeilingM, z.Polygon = 240, rect(-40, -2100, 40, 2100)
		}), false},
		{"a ceiling that is above the limit at the foot", zone(func(z *chart.Zone) { z.CeilingM = 240 }), true},
		{"a height limit", zone(func(z *chart.Zone) { z.Rule, z.HeightLimitM = chart.AltitudeLimit, 55 }), false},
		{"a height limit at the feet of the hill alone", zone(func(z *chart.Zone) { z.Rule, z.HeightLimitM, z.CeilingM = chart.AltitudeLimit, 5, 150 }), false},
		{"a height limit that nobody passes above", zone(func(z *chart.Zone) { z.Rule, z.HeightLimitM, z.CeilingM = chart.AltitudeLimit, 5, 240 }), true},
		{"a height limit that begins above", zone(func(z *chart.Zone) { z.Rule, z.HeightLimitM, z.FloorM = chart.AltitudeLimit, 5, 300 }), false},
	}
	for _, tt := range tests {
		r, err := overLand(t, c, []chart.Zone{tt.zone}, pos(-1000, 0, 0), pos(1000, 0, 0))
		if tt.refused != (err != nil) {
			t.Errorf("%s: %v %s", tt.name, err, draw(r.Path))
		}
		if tt.refused {
			refusedAs(t, c, []chart.Zone{tt.zone}, pos(-1000, 0, 0), pos(1000, 0, 0), route.NoWay, "z")
		}
	}
}

func TestBuildingsOnASlopeStandOnTheirHighestGround(t *testing.T) {
	c := build(t, chart.Draft{
		Terrain:   land(func(x, _ float64) float64 { return 200 + x/2 }),
		Buildings: []chart.Building{house("terrace", 25, rect(-60, -900, 60, 900)), house("tower", 80, rect(300, -20, 320, 30))},
	})
	r, err := overLand(t, c, nil, pos(-390, 0, 0), pos(1000, 10, 0))
	if err != nil {
		t.Fatal(err)
	}
	// At the lower wall the roof is 85 m above ground.
	for i := 1; i < len(r.Path); i++ {
		a, b := c.Frame.XYZ(r.Path[i-1]), c.Frame.XYZ(r.Path[i])
		for k := range 101 {
			at := a.XY().Lerp(b.XY(), float64(k)/100)
			if z := a.Z + (b.Z-a.Z)*float64(k)/100; math.Abs(at.X) <= 60 && z < 230+25+route.RoofClearanceM-0.1 {
				t.Fatalf("at %v the flight %s is %.1f m high, the roof 255 m", at, draw(r.Path), z)
			}
		}
	}
	onRoof := pos(0, 0, c.RoofM(0))
	if _, err := fly(t, c, nil, pos(-390, 0, 5), onRoof); err != nil {
		t.Errorf("onto the roof: %v", err)
	}
	refusedAs(t, c, nil, pos(-390, 0, 5), pos(0, 0, 205), route.InsideBuilding, "terrace")
}

// rough is a town on hills, with steps in them.
func rough(t testing.TB, r *rand.Rand) (*chart.Chart, []chart.Zone) {
	flat, zones := town(t, r)
	d := flat.Draft()
	type hump struct{ x, y, m, r float64 }
	var humps []hump
	for range 12 {
		humps = append(humps, hump{4000 * (r.Float64() - 0.5), 4000 * (r.Float64() - 0.5), 250 * (r.Float64() - 0.3), 80 + 500*r.Float64()})
	}
	step := 60 * r.Float64()
	d.Terrain = land(func(x, y float64) float64 {
		z := 100.0
		for _, h := range humps {
			z += h.m * math.Exp(-((x-h.x)*(x-h.x)+(y-h.y)*(y-h.y))/(2*h.r*h.r))
		}
		if math.Sin(x/300)+math.Cos(y/400) > 0.5 {
			z += step
		}
		return z
	})
	for i := range zones {
		if zones[i].CeilingM > 0 {
			zones[i].FloorM, zones[i].CeilingM = zones[i].FloorM+100*r.Float64(), zones[i].CeilingM+100+150*r.Float64()
		}
	}
	return build(t, d), zones
}

func TestRandomFlightsOverRoughLandAreLawful(t *testing.T) {
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 11))
		c, zones := rough(t, r)
		p := planner(t, c, zones...)
		found, refused := 0, map[string]int{}
		for range 40 {
			q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, "kapok-quad"), Depart: noon()}
			if r.IntN(3) == 0 {
				q.From.AltitudeM += 119 * r.Float64()
			}
			got, err := p.Find(q)
			again, err2 := p.Clone().Find(q)
			if (err == nil) != (err2 == nil) || draw(got.Path) != draw(again.Path) || got.Cost != again.Cost {
				t.Fatalf("seed %d: a clone finds another way: %v %s, then %v %s", seed, err, draw(got.Path), err2, draw(again.Path))
			}
			if err != nil {
				var no *route.Refusal
				if !errors.As(err, &no) {
					t.Fatal(err)
				}
				refused[string(no.Rule)]++
				continue
			}
			found++
			check(t, c, zones, q, got)
			low := p.LeastCost(&q.Spec, q.From, q.To, 0)
			if low.Seconds > got.Cost.Seconds+1e-6 || low.EnergyWh > got.Cost.EnergyWh+1e-6 {
				t.Errorf("the bound %+v is above the cost %+v", low, got.Cost)
			}
		}
		t.Logf("seed %d: %d found, refused %v", seed, found, refused)
		if t.Failed() || found < 20 {
			t.Fatalf("seed %d: %d found (go test -run TestRandomFlightsOverRoughLand ./planner/route)", seed, found)
		}
	}
}

func TestAFlightDelayedByASlopeIsStillInTime(t *testing.T) {
	// Up a steep slope the aircraft takes much longer than on the level; the zone
	// beyond it has begun by then.
	c := build(t, chart.Draft{Terrain: land(func(x, _ float64) float64 { return 1500 * clampTo((x+900)/1400, 0, 1) })})
	z := chart.Zone{ID: "evening", Rule: chart.KeepOut, Polygon: rect(600, -300, 700, 300), From: noon().Add(200 * time.Second)}
	r, err := overLand(t, c, []chart.Zone{z}, pos(-1000, 0, 0), pos(1000, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Path) < 6 || r.Cost.Seconds < 380 {
		t.Errorf("in %.0f s along %s", r.Cost.Seconds, draw(r.Path))
	}
}

// A straight flight of two kilometres over a ridge is one leg and its profile.
func BenchmarkFindAirRidge(b *testing.B) {
	p := planner(b, build(b, chart.Draft{Terrain: land(ridge)}))
	q := route.Query{From: pos(-1000, 120, 0), To: pos(1000, -80, 0), Spec: spec(b, "kapok-quad"), Depart: noon()}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Find(q); err != nil {
			b.Fatal(err)
		}
	}
}

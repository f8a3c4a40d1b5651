package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// stops are the places of a way that landings may be looked for from: its points, and
// others between them at most 250 m apart, with when the aircraft is there and what it
// has spent until then, and what it takes back to the one before.
type waystop struct {
	at           space.XYZ
	spent, backs motion.Cost
}

func waystops(c *chart.Chart, flight *motion.Flight, way *route.Route) []waystop {
	all := []waystop{{at: c.Frame.XYZ(way.Path[0])}}
	for i := 1; i < len(way.Path); i++ {
		from, to := c.Frame.XYZ(way.Path[i-1]), c.Frame.XYZ(way.Path[i])
		on, _ := flight.Segment(from, to, way.SpeedsMPS[i-1])
		back, _ := flight.Segment(to, from, 0)
		n := max(1, math.Ceil(from.Dist(to)/250))
		begin := all[len(all)-1]
		for k := 1.0; k <= n; k++ {
			part := k / n
			all = append(all, waystop{
				at:    space.XYZ{X: from.X + (to.X-from.X)*part, Y: from.Y + (to.Y-from.Y)*part, Z: from.Z + (to.Z-from.Z)*part},
				spent: begin.spent.Add(motion.Cost{Seconds: on.Seconds * part, EnergyWh: on.EnergyWh * part}),
				backs: begin.backs.Add(motion.Cost{Seconds: back.Seconds * part, EnergyWh: back.EnergyWh * part}),
			})
		}
	}
	return all
}

// townWithLake is a small random town around a lake, with a few pads.
func townWithLake(r *rand.Rand) chart.Draft {
	d := chart.Draft{Water: []chart.WaterArea{{ID: "lake", Polygon: rect(-900, -1200, 500, 1200)}}}
	for i := range 250 {
		x, y := 3400*r.Float64()-1700, 3400*r.Float64()-1700
		d.Buildings = append(d.Buildings, house(fmt.Sprint("b", i), 10+40*r.Float64(), rect(x, y, x+40+120*r.Float64(), y+40+120*r.Float64())))
	}
	for i := range 6 {
		x, y := 3400*r.Float64()-1700, 3400*r.Float64()-1700
		d.Sites = append(d.Sites, chart.Site{ID: fmt.Sprint("s", i), Kind: chart.Pad, Capacity: 1, Position: pos(x, y, 60)})
	}
	return d
}

// From anywhere on random ways over towns and lakes, in winds, among zones with times,
// the aircraft can land by no more than was stated: from where it is, or from a place of
// its way further on or back.
func TestDescendHoldsEverywhere(t *testing.T) {
	const seed = 7
	r := rand.New(rand.NewPCG(seed, 5))
	quad := spec(t, "kapok-quad")
	quad.BatteryWh *= 2
	ways, places, right := 0, 0, 0
	for n := range 25 {
		c := build(t, townWithLake(r))
		var zones []chart.Zone
		for i := range 3 {
			x, y := 3000*r.Float64()-1500, 3000*r.Float64()-1500
			z := chart.Zone{ID: fmt.Sprint("z", i), Rule: chart.KeepOut, Polygon: rect(x, y, x+300, y+300), CeilingM: 50}
			if n%2 == 0 {
				z.From = noon().Add(time.Duration(r.IntN(600)-200) * time.Second)
			}
			zones = append(zones, z)
		}
		wind := motion.WindFrom(11*r.Float64(), 360*r.Float64(), 1)
		p := windy(t, c, wind, zones...)
		q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: quad, Depart: noon()}
		way, err := p.Find(q)
		if err != nil {
			continue
		}
		ways++
		const startWh = 400.0
		loose := p.LandingsAlong(&quad, &way, 0, math.Inf(1), noon(), q.From)
		strict := p.LandingsAlong(&quad, &way, 0, startWh, noon(), q.From)
		flight := quad.In(wind, 0)
		stops := waystops(c, &flight, &way)
		landings := make([]float64, len(stops))
		for i, s := range stops {
			l, _ := p.BestLanding(&quad, c.Frame.Position(s.at), 0, math.Inf(1), noon().Add(time.Duration(s.spent.Seconds*1e9)), q.From)
			landings[i] = l.Cost.EnergyWh
		}
		for range 60 {
			k, part := 1+r.IntN(len(stops)-1), r.Float64()
			a, b := &stops[k-1], &stops[k]
			at := space.XYZ{X: a.at.X + (b.at.X-a.at.X)*part, Y: a.at.Y + (b.at.Y-a.at.Y)*part, Z: a.at.Z + (b.at.Z-a.at.Z)*part}
			between := func(x, y motion.Cost) motion.Cost {
				return motion.Cost{Seconds: x.Seconds + (y.Seconds-x.Seconds)*part, EnergyWh: x.EnergyWh + (y.EnergyWh-x.EnergyWh)*part}
			}
			spent, backs := between(a.spent, b.spent), between(a.backs, b.backs)
			here, _ := p.BestLanding(&quad, c.Frame.Position(at), 0, math.Inf(1), noon().Add(time.Duration(spent.Seconds*1e9)), q.From)
			places++
			least := here.Cost.EnergyWh
			if least <= loose.Worst.Cost.EnergyWh+1e-6 {
				right++
			}
			for i := range stops {
				s := &stops[i]
				if i >= k {
					least = min(least, s.spent.EnergyWh-spent.EnergyWh+landings[i])
				} else if lateS := spent.Seconds - s.spent.Seconds + backs.Seconds - s.backs.Seconds; lateS <= route.LateS || n%2 != 0 {
					least = min(least, backs.EnergyWh-s.backs.EnergyWh+landings[i])
				}
			}
			for _, d := range []route.Descent{loose, strict} {
				if least > d.Worst.Cost.EnergyWh+1e-6 {
					t.Errorf("seed %d, town %d: landing from %v takes %.3f Wh, stated are %.3f", seed, n, at, least, d.Worst.Cost.EnergyWh)
				}
			}
			if lack := least + quad.ReserveWh() - (startWh - spent.EnergyWh); lack > strict.LackWh+1e-6 {
				t.Errorf("seed %d, town %d: at %v %.3f Wh are lacking, stated are %.3f", seed, n, at, lack, strict.LackWh)
			}
		}
	}
	// The landing from a place itself is chosen from few, so it may be missed there.
	if t.Logf("%d ways, %d of %d places have a landing of their own within what was stated", ways, right, places); ways < 15 || 100*right < 97*places {
		t.Error("too few")
	}
}

// pads are two pads on posts in the middle of a lake, so far apart.
func pads(t *testing.T, lengthM float64) *chart.Chart {
	t.Helper()
	return build(t, chart.Draft{
		Water: []chart.WaterArea{{ID: "lake", Polygon: rect(-1900, -1900, 1900, 1900)}},
		Sites: []chart.Site{
			{ID: "west", Kind: chart.Pad, Position: pos(-lengthM/2, 0, 10), Capacity: 1, Kinds: []string{"multirotor"}},
			{ID: "east", Kind: chart.Pad, Position: pos(lengthM/2, 0, 10), Capacity: 1, Kinds: []string{"multirotor"}},
		},
	})
}

// level is a level way from west to east with the speeds of a wind.
func level(wind motion.Wind, s *motion.Spec, lengthM float64) route.Route {
	mps, _ := wind.GroundSpeed(s.CruiseMPS, space.XY{X: 1})
	return route.Route{Path: []space.Position{pos(-lengthM/2, 0, 60), pos(lengthM/2, 0, 60)}, SpeedsMPS: []float64{mps}}
}

// Blown from one pad to another, to fly back takes more than to fly on: the worst place
// lies nearer to the first, and half of the way on is no bound.
func TestBackUpwindTakesMore(t *testing.T) {
	quad := spec(t, "kapok-quad")
	const lengthM = 240.0
	c := pads(t, lengthM)
	wind := motion.WindFrom(10, 270, 0)
	p := windy(t, c, wind)
	flight := quad.In(wind, 0)
	from, to := space.XYZ{X: -lengthM / 2, Z: 60}, space.XYZ{X: lengthM / 2, Z: 60}
	on, _ := flight.Segment(from, to, 0)
	back, _ := flight.Segment(to, from, 0)
	down, _ := p.BestLanding(&quad, pos(lengthM/2, 0, 60), 0, math.Inf(1), noon())
	way := level(wind, &quad, lengthM)
	d := p.LandingsAlong(&quad, &way, 0, math.Inf(1), noon())
	want := down.Cost.EnergyWh + on.EnergyWh*back.EnergyWh/(on.EnergyWh+back.EnergyWh)
	if got := d.Worst.Cost.EnergyWh; math.Abs(got-want) > 1e-3 || got < down.Cost.EnergyWh+1.3*on.EnergyWh/2 {
		t.Errorf("the worst landing takes %.4f Wh, reckoned by hand %.4f; down %.4f, on %.4f, back %.4f", got, want, down.Cost.EnergyWh, on.EnergyWh, back.EnergyWh)
	}
}

// Where zones have times, who flies upwind turns back with the wind only as long as that
// makes it no later than LateS; from then on it flies on.
func TestTurningBackInTime(t *testing.T) {
	quad := spec(t, "kapok-quad")
	const lengthM = 240.0
	c := pads(t, lengthM)
	wind := motion.WindFrom(quad.CruiseMPS-1.2, 90, 0)
	flight := quad.In(wind, 0)
	from, to := space.XYZ{X: -lengthM / 2, Z: 60}, space.XYZ{X: lengthM / 2, Z: 60}
	on, _ := flight.Segment(from, to, 0)
	back, _ := flight.Segment(to, from, 0)
	far := chart.Zone{ID: "far", Rule: chart.KeepOut, Polygon: rect(1950, 1950, 1960, 1960), From: noon()}
	way := level(wind, &quad, lengthM)
	for _, tt := range []struct {
		name  string
		part  float64
		zones []chart.Zone
	}{
		{"at any time", on.EnergyWh / (on.EnergyWh + back.EnergyWh), nil},
		{"in time", route.LateS / (on.Seconds + back.Seconds), []chart.Zone{far}},
	} {
		p := windy(t, c, wind, tt.zones...)
		down, _ := p.BestLanding(&quad, pos(lengthM/2, 0, 60), 0, math.Inf(1), noon())
		d := p.LandingsAlong(&quad, &way, 0, math.Inf(1), noon())
		if want := down.Cost.EnergyWh + (1-tt.part)*on.EnergyWh; math.Abs(d.Worst.Cost.EnergyWh-want) > 1e-3 {
			t.Errorf("%s: the worst landing takes %.4f Wh, reckoned by hand %.4f; on %v, back %v", tt.name, d.Worst.Cost.EnergyWh, want, on, back)
		}
	}
}

// What is stated of ways over a lake: without any landing nothing is possible; with one
// further on, all of the way is on the way there.
func TestDescendOverALake(t *testing.T) {
	quad := spec(t, "kapok-quad")
	c := build(t, chart.Draft{Water: []chart.WaterArea{{ID: "lake", Polygon: rect(-1900, -1900, 1900, 1900)}}})
	p := planner(t, c)
	way, err := p.Find(route.Query{From: pos(-1000, 0, 60), To: pos(1000, 0, 60), Spec: quad, Depart: noon()})
	if err != nil {
		t.Fatal(err)
	}
	for _, energyWh := range []float64{300, math.Inf(1)} {
		d := p.LandingsAlong(&quad, &way, 0, energyWh, noon())
		if d.Worst.Possible() || d.First.Possible() || d.Lacking.Possible() || !math.IsInf(d.LackWh, 1) {
			t.Errorf("with %.0f Wh: %+v", energyWh, d)
		}
	}
	home := route.Landing{At: pos(1000, 0, 60)}
	along := route.Along{Spec: &quad, Way: &way, EnergyWh: 300, Depart: noon(), Onward: &home}
	d := p.Descend(along)
	if wh := d.Worst.Cost.EnergyWh; math.Abs(wh-way.Cost.EnergyWh) > 1e-6 || d.First != d.Worst || d.Worst.At != home.At {
		t.Errorf("%+v, the way takes %v", d, way.Cost)
	}
	if want := way.Cost.EnergyWh + quad.ReserveWh() - 300; math.Abs(d.LackWh-want) > 1e-6 {
		t.Errorf("%.4f Wh are lacking, reckoned by hand %.4f", d.LackWh, want)
	}
	// A pad in the middle halves that; whoever is over it goes there.
	half := p.LandingsAlong(&quad, &way, 0, math.Inf(1), noon(), pos(0, 0, 60))
	if wh := half.Worst.Cost.EnergyWh; wh > 0.51*way.Cost.EnergyWh || wh < 0.49*way.Cost.EnergyWh {
		t.Errorf("with a landing in the middle it takes %.4f Wh of %.4f", wh, way.Cost.EnergyWh)
	}
	// A bound of the searches makes it no less, and is told.
	along.MaxExpansions, along.Own = 1, []space.Position{pos(0, 0, 60)}
	if short := p.Descend(along); !short.Exhausted || short.Worst.Cost.EnergyWh < half.Worst.Cost.EnergyWh {
		t.Errorf("with one expansion: %+v", short)
	}
	if d := p.LandingsAlong(&quad, &route.Route{}, 0, 300, noon()); !math.IsInf(d.LackWh, -1) {
		t.Errorf("a way without points: %+v", d)
	}
	rover := spec(t, "kapok-rover")
	if d := p.LandingsAlong(&rover, &way, 0, 300, noon(), home.At); d.Worst.Possible() || !math.IsInf(d.LackWh, 1) {
		t.Errorf("a rover: %+v", d)
	}
}

// Who has left a zone does not turn back into it, nor out of the zone to keep in.
func TestNoTurningBackIntoAZone(t *testing.T) {
	quad := spec(t, "kapok-quad")
	c := build(t, chart.Draft{Water: []chart.WaterArea{{ID: "lake", Polygon: rect(-1900, -1900, 1900, 1900)}}})
	in := func(rule chart.Rule, x0, x1 float64) chart.Zone {
		return chart.Zone{ID: "zone", Rule: rule, Polygon: rect(x0, -300, x1, 300)}
	}
	from, to := pos(-400, 0, 60), pos(800, 0, 60)
	for _, tt := range []struct {
		name  string
		zones []chart.Zone
		turns bool
	}{
		{"no zone", nil, true},
		{"out of a zone", []chart.Zone{in(chart.KeepOut, -600, 0)}, false},
		{"into a zone to keep in", []chart.Zone{in(chart.KeepIn, 0, 1500)}, false},
	} {
		p := planner(t, c, tt.zones...)
		way, err := p.Find(route.Query{From: from, To: to, Spec: quad, Depart: noon()})
		if err != nil {
			t.Fatal(tt.name, err)
		}
		onward := route.Landing{At: to}
		d := p.Descend(route.Along{Spec: &quad, Way: &way, EnergyWh: math.Inf(1), Depart: noon(), Onward: &onward, Own: []space.Position{from}})
		turns := d.Worst.Cost.EnergyWh < 0.6*way.Cost.EnergyWh
		if turns != tt.turns {
			t.Errorf("%s: at worst %.3f Wh, the way takes %.3f", tt.name, d.Worst.Cost.EnergyWh, way.Cost.EnergyWh)
		}
	}
}

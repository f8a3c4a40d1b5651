package route_test

import (
	"math"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Where an aircraft over a lake may come down at all: each case has one site or one
// place of its own.
func TestWhatIsNoLanding(t *testing.T) {
	quad := spec(t, "kapok-quad")
	lake := []chart.WaterArea{{ID: "lake", Polygon: rect(-1900, -1900, 1900, 1900)}}
	pier := []chart.Building{house("pier", 4, rect(-20, -20, 20, 20))}
	at := func(kind chart.SiteKind, altitudeM float64, kinds ...string) []chart.Site {
		return []chart.Site{{ID: "site", Kind: kind, Position: pos(0, 0, altitudeM), Capacity: 1, Kinds: kinds}}
	}
	zone := func(rule chart.Rule, from, until time.Duration) []chart.Zone {
		z := chart.Zone{ID: "zone", Rule: rule, Polygon: rect(-50, -50, 50, 50), CeilingM: 30}
		if from != 0 {
			z.From = noon().Add(from)
		}
		if until != 0 {
			z.Until = noon().Add(until)
		}
		return []chart.Zone{z}
	}
	low := chart.Zone{ID: "low", Rule: chart.AltitudeLimit, Polygon: rect(-50, -50, 50, 50), HeightLimitM: 30}
	own := []space.Position{pos(0, 0, 0)}
	tests := []struct {
		name      string
		buildings []chart.Building
		sites     []chart.Site
		own       []space.Position
		zones     []chart.Zone
		want      bool
	}{
		{"a pad on a pier", pier, at(chart.Pad, 4), nil, nil, true},
		{"a charger on the water", nil, at(chart.Charger, 0), nil, nil, false},
		{"a pad on the water that names aircraft", nil, at(chart.Pad, 0, "multirotor"), nil, nil, true},
		{"a dock that names boats", pier, at(chart.Dock, 4, "vessel"), nil, nil, false},
		{"a hospital", pier, at(chart.Hospital, 4), nil, nil, false},
		{"a charger under a roof", pier, at(chart.Charger, 0), nil, nil, false},
		{"under a zone to keep out of", pier, at(chart.Pad, 4), nil, zone(chart.KeepOut, 0, 0), false},
		{"under one that comes soon after", pier, at(chart.Pad, 4), nil, zone(chart.KeepOut, 5*time.Minute, 0), false},
		{"under one that comes an hour later", pier, at(chart.Pad, 4), nil, zone(chart.KeepOut, time.Hour, 0), true},
		{"under one that is over", pier, at(chart.Pad, 4), nil, zone(chart.KeepOut, -time.Hour, -time.Minute), true},
		{"at the height of a limit", pier, at(chart.Pad, 4), nil, []chart.Zone{low}, true},
		{"its home", nil, nil, own, nil, true},
		{"its home under a roof", pier, nil, own, nil, false},
		{"its home under a zone to keep out of", nil, nil, own, zone(chart.KeepOut, 0, 0), false},
		{"its home under one that comes soon after", nil, nil, own, zone(chart.KeepOut, 5*time.Minute, 0), false},
		{"its home off the chart", nil, nil, []space.Position{pos(5000, 0, 0)}, nil, false},
	}
	for _, tt := range tests {
		c := build(t, chart.Draft{Water: lake, Buildings: tt.buildings, Sites: tt.sites})
		p := planner(t, c, tt.zones...)
		got, ok := p.BestLanding(&quad, pos(300, 0, 50), 0, math.Inf(1), noon(), tt.own...)
		if ok != tt.want || ok && space.Distance(got.At, own[0]) > 5 {
			t.Errorf("%s: %v, %+v", tt.name, ok, got)
		}
	}
}

// Chargers in garages and such under a closed zone, however near, keep none from being
// found that can be landed at.
func TestUnfitSitesAreNoneOfTheNearest(t *testing.T) {
	quad := spec(t, "kapok-quad")
	d := chart.Draft{
		Water:     []chart.WaterArea{{ID: "lake", Polygon: rect(-1900, -1900, 1900, 1900)}},
		Buildings: []chart.Building{house("garage", 20, rect(-20, -20, 20, 20)), house("pier", 4, rect(880, -20, 920, 20)), house("closed", 4, rect(-20, 60, 20, 100))},
		Sites:     []chart.Site{{ID: "pier", Kind: chart.Pad, Position: pos(900, 0, 4), Capacity: 1}},
	}
	for i := range 6 {
		id := string(rune('a' + i))
		d.Sites = append(d.Sites,
			chart.Site{ID: "garage" + id, Kind: chart.Charger, Position: pos(float64(i), 0, 0), Capacity: 1},
			chart.Site{ID: "closed" + id, Kind: chart.Charger, Position: pos(float64(i), 80, 4), Capacity: 1})
	}
	p := planner(t, build(t, d), chart.Zone{ID: "closed", Rule: chart.KeepOut, Polygon: rect(-30, 50, 30, 110), CeilingM: 20})
	if got, ok := p.BestLanding(&quad, pos(-100, 0, 50), 0, math.Inf(1), noon()); !ok || got.Site != "pier" {
		t.Errorf("%v, %+v", ok, got)
	}
}

// An aircraft that must keep in a zone lands in it, though open ground outside is nearer.
func TestLandingKeepsIn(t *testing.T) {
	quad := spec(t, "kapok-quad")
	c := build(t, chart.Draft{Buildings: []chart.Building{house("hall", 30, rect(-300, -100, 100, 100))}})
	keep := chart.Zone{ID: "keep", Rule: chart.KeepIn, Polygon: rect(-600, -90, 120, 90)}
	p := planner(t, c, keep)
	got, ok := p.BestLanding(&quad, pos(0, 80, 60), 0, math.Inf(1), noon())
	if at := c.Frame.XY(got.At.Point()); !ok || math.Abs(at.Y) > 90 || at.X < 100 || at.X > 120 {
		t.Errorf("%v, at %.0f", ok, at)
	}
	keep.Polygon = rect(-290, -90, 90, 90)
	p = planner(t, c, keep)
	if got, ok := p.BestLanding(&quad, pos(0, 80, 60), 0, math.Inf(1), noon()); ok {
		t.Errorf("it leaves the zone: %+v", got)
	}
}

// The nearest sites are found alike whatever the wind and wherever they lie, near or at
// the other end of the chart.
func TestNearestSiteInAWind(t *testing.T) {
	quad := spec(t, "kapok-quad")
	d := chart.Draft{Water: []chart.WaterArea{{ID: "lake", Polygon: rect(-1990, -1990, 1990, 1990)}}}
	for i, at := range [][2]float64{{-1800, 0}, {0, 1800}, {1900, 1900}, {1500, -40}} {
		d.Sites = append(d.Sites, chart.Site{
			ID: string(rune('a' + i)), Kind: chart.Pad, Position: pos(at[0], at[1], 0), Capacity: 1, Kinds: []string{"multirotor"},
		})
	}
	c := build(t, d)
	for _, fromDeg := range []float64{0, 45, 90, 200, 270} {
		p := windy(t, c, motion.WindFrom(10, fromDeg, 1))
		for _, from := range []space.Position{pos(0, 0, 60), pos(-1000, 900, 60), pos(1400, 1000, 60)} {
			best := math.Inf(1)
			for _, s := range d.Sites {
				if way, err := p.Find(route.Query{From: from, To: s.Position, Spec: quad, Depart: noon()}); err == nil {
					best = min(best, way.Cost.EnergyWh)
				}
			}
			got, ok := p.BestLanding(&quad, from, 0, math.Inf(1), noon())
			if !ok || math.Abs(got.Cost.EnergyWh-best) > 1e-9 {
				t.Errorf("wind from %.0f°, at %v: %+v, the best takes %.3f Wh", fromDeg, from, got, best)
			}
		}
	}
}

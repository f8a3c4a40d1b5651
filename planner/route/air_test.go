package route_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// fly asks for a flight and lets the checker look at it.
func fly(t *testing.T, c *chart.Chart, zones []chart.Zone, from, to space.Position) (route.Route, error) {
	t.Helper()
	q := route.Query{From: from, To: to, Spec: spec(t, "kapok-quad"), Depart: noon()}
	r, err := planner(t, c, zones...).Find(q)
	if err == nil {
		check(t, c, zones, q, r)
	}
	return r, err
}

func TestAnAircraftFliesStraightWhereNothingStands(t *testing.T) {
	c := build(t, chart.Draft{GroundAltitudeM: 3})
	r, err := fly(t, c, nil, pos(0, 0, 3), pos(500, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(0 0 3) (0 0 43) (500 0 43) (500 0 3) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	if want := 40.0/4 + 500.0/15 + 40.0/3; !close2(r.Cost.Seconds, want, 0.1) {
		t.Errorf("takes %.1f s, want %.1f s", r.Cost.Seconds, want)
	}
	if !close2(r.LengthM, 580, 0.1) {
		t.Errorf("is %.1f m long, want 580 m", r.LengthM)
	}
}

func TestAnAircraftTakesTheQuickerOfAroundAndAbove(t *testing.T) {
	tower := house("tower", 60, rect(240, -20, 260, 20))
	wall := house("wall", 60, rect(240, -900, 260, 900))
	high := house("high", 300, rect(240, -900, 260, 900))
	tests := []struct {
		name     string
		building chart.Building
		want     string
	}{
		{"a tower is flown around", tower, "(0 0 0) (0 0 40) (230 30 40) (270 30 40) (500 0 40) (500 0 0) "},
		{"a wall is flown over", wall, "(0 0 0) (0 0 80) (500 0 80) (500 0 0) "},
		{"a wall too high is flown around after all", high, "(0 0 0) (0 0 40) (230 910 40) (270 910 40) (500 0 40) (500 0 0) "},
	}
	for _, tt := range tests {
		c := build(t, chart.Draft{Buildings: []chart.Building{tt.building}})
		r, err := fly(t, c, nil, pos(0, 0, 0), pos(500, 0, 0))
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := draw(r.Path); got != tt.want && got != strings.NewReplacer(" 30 ", " -30 ", " 910 ", " -910 ").Replace(tt.want) {
			t.Errorf("%s: path %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestAPlaceRightBesideATowerIsUsable(t *testing.T) {
	// A court that opens to the east, with a pad two metres from its walls.
	court := ring(0, 0, 100, 0, 100, 20, 20, 20, 20, 60, 100, 60, 100, 80, 0, 80)
	c := build(t, chart.Draft{Buildings: []chart.Building{house("court", 200, court)}})
	for _, at := range []space.Position{pos(-5, 40, 0), pos(22, 22, 0), pos(50, 40, 0), pos(102, 10, 0)} {
		if _, err := fly(t, c, nil, at, pos(-600, 40, 0)); err != nil {
			t.Errorf("from %v: %v", draw([]space.Position{at}), err)
		}
		if _, err := fly(t, c, nil, pos(-600, 40, 0), at); err != nil {
			t.Errorf("to %v: %v", draw([]space.Position{at}), err)
		}
	}
}

func TestARoofIsReachedFromAbove(t *testing.T) {
	c := build(t, chart.Draft{Buildings: []chart.Building{house("hall", 70, rect(200, -50, 300, 50))}})
	r, err := fly(t, c, nil, pos(0, 0, 0), pos(250, 0, 70))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(0 0 0) (0 0 80) (250 0 80) (250 0 70) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	refusedAs(t, c, nil, pos(0, 0, 0), pos(250, 0, 0), route.InsideBuilding, "hall")
	refusedAs(t, c, nil, pos(250, 0, 0), pos(0, 0, 0), route.InsideBuilding, "hall")
}

// refusedAs checks the reason of a refusal.
func refusedAs(t *testing.T, c *chart.Chart, zones []chart.Zone, from, to space.Position, rule route.Rule, object string) {
	t.Helper()
	r, err := fly(t, c, zones, from, to)
	var no *route.Refusal
	if !errors.As(err, &no) {
		t.Errorf("no refusal but %v, path %s", err, draw(r.Path))
		return
	}
	if no.Rule != rule || no.Object != object {
		t.Errorf("refused as %q for %q, want %q for %q", no.Rule, no.Object, rule, object)
	}
}

func TestZonesBendFlightsOnlyWhereAndWhenTheyHold(t *testing.T) {
	zone := func(change func(*chart.Zone)) []chart.Zone {
		z := chart.Zone{ID: "fire", Rule: chart.KeepOut, Polygon: rect(200, -100, 300, 120)}
		if change != nil {
			change(&z)
		}
		return []chart.Zone{z}
	}
	const straight, below = "(0 0 0) (0 0 40) (500 0 40) (500 0 0) ", "(0 0 0) (0 0 40) (190 -110 40) (310 -110 40) (500 0 40) (500 0 0) "
	tests := []struct {
		name   string
		change func(*chart.Zone)
		want   string
	}{
		{"in force", nil, below},
		{"for rovers only", func(z *chart.Zone) { z.Ground = true }, straight},
		{"for aircraft only", func(z *chart.Zone) { z.Airborne = true }, below},
		{"far above", func(z *chart.Zone) { z.FloorM = 60 }, straight},
		{"flat", func(z *chart.Zone) { z.CeilingM = 25 }, straight},
		{"over before the flight", func(z *chart.Zone) { z.Until = noon() }, straight},
		{"begins long after", func(z *chart.Zone) { z.From = noon().Add(5 * time.Minute) }, straight},
		{"begins just after", func(z *chart.Zone) { z.From = noon().Add(time.Minute) }, below},
		{"ends while the aircraft is on its way there", func(z *chart.Zone) { z.Until = noon().Add(time.Second) }, straight},
		{"ends just before the aircraft would be there", func(z *chart.Zone) { z.Until = noon().Add(21 * time.Second) }, below},
		{"only advice", func(z *chart.Zone) { z.Rule = chart.Advise }, straight},
		{"a height limit below the cruise", func(z *chart.Zone) { z.Rule, z.HeightLimitM = chart.AltitudeLimit, 30 }, below},
		{"a height limit above the cruise", func(z *chart.Zone) { z.Rule, z.HeightLimitM = chart.AltitudeLimit, 50 }, straight},
	}
	c := build(t, chart.Draft{})
	for _, tt := range tests {
		zones := zone(tt.change)
		r, err := planner(t, c, zones...).Find(route.Query{From: pos(0, 0, 0), To: pos(500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := draw(r.Path); got != tt.want {
			t.Errorf("%s: path %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFlightsNearAnAirportStayLow(t *testing.T) {
	c := build(t, chart.Draft{
		Zones:     []chart.Zone{{ID: "airport", Rule: chart.AltitudeLimit, HeightLimitM: 30, Polygon: rect(-2000, -2000, 250, 2000)}},
		Buildings: []chart.Building{house("block", 45, rect(100, -30, 150, 40))},
	})
	r, err := fly(t, c, nil, pos(0, 0, 0), pos(500, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(0 0 0) (0 0 29) (90 -40 29) (160 -40 29) (500 0 29) (500 0 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

func TestAnAircraftCaughtInAZoneLeavesItTheShortWay(t *testing.T) {
	zones := []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: rect(0, 0, 400, 400)}}
	c := build(t, chart.Draft{})
	r, err := fly(t, c, zones, pos(300, 350, 40), pos(1000, 350, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(300 350 40) (300 410 40) (410 410 40) (1000 350 40) (1000 350 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	refusedAs(t, c, zones, pos(1000, 350, 0), pos(300, 350, 0), route.InsideZone, "fire")
}

func TestAKeepInZoneIsNotLeft(t *testing.T) {
	area := ring(0, 0, 1000, 0, 1000, 800, 600, 800, 600, 200, 400, 200, 400, 800, 0, 800)
	zones := []chart.Zone{{ID: "arena", Rule: chart.KeepIn, Polygon: area}}
	c := build(t, chart.Draft{})
	r, err := fly(t, c, zones, pos(200, 700, 0), pos(800, 700, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(200 700 0) (200 700 40) (390 190 40) (610 190 40) (800 700 40) (800 700 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	refusedAs(t, c, zones, pos(200, 700, 0), pos(1500, 700, 0), route.InsideZone, "arena")
	if _, err := planner(t, c, zones...).Find(route.Query{From: pos(1500, 700, 0), To: pos(200, 700, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}); err != nil {
		t.Errorf("back into the arena: %v", err)
	}
}

func TestFlightsThatCannotBeAreRefused(t *testing.T) {
	c := build(t, chart.Draft{Buildings: []chart.Building{
		{ID: "jail", Footprint: append(rect(0, 0, 100, 100), rect(20, 20, 80, 80)...), HeightM: 200, Source: chart.HeightTag},
	}})
	refusedAs(t, c, nil, pos(50, 50, 0), pos(500, 50, 0), route.NoWay, "jail")
	refusedAs(t, c, nil, pos(0, 5000, 0), pos(500, 50, 0), route.OutsideChart, "")
	limit := []chart.Zone{{ID: "field", Rule: chart.AltitudeLimit, HeightLimitM: 5, Polygon: rect(400, 0, 600, 100)}}
	refusedAs(t, c, limit, pos(-50, 50, 0), pos(500, 50, 0), route.InsideZone, "field")
	q := route.Query{From: pos(50, 50, 0), To: pos(500, 50, 0), Spec: spec(t, "kapok-quad"), Depart: noon(), MaxExpansions: 2}
	var no *route.Refusal
	if r, err := planner(t, c).Find(q); !errors.As(err, &no) || no.Rule != route.Budget || r.Expansions != 2 {
		t.Errorf("with two expansions: %v after %d", err, r.Expansions)
	}
}

func TestAVesselKeepsToTheSurface(t *testing.T) {
	c := build(t, chart.Draft{GroundAltitudeM: 3, Buildings: []chart.Building{house("pier", 1, rect(200, -20, 300, 500))}})
	zones := []chart.Zone{{ID: "regatta", Rule: chart.KeepOut, Ground: true, Polygon: rect(240, -200, 260, 0)}}
	q := route.Query{From: pos(0, 0, 0), To: pos(500, 0, 9), Spec: spec(t, "kapok-boat"), Depart: noon()}
	r, err := planner(t, c, zones...).Find(q)
	if err != nil {
		t.Fatal(err)
	}
	check(t, c, zones, q, r)
	if got, want := draw(r.Path), "(0 0 0) (230 -210 0) (270 -210 0) (500 0 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
}

// town has many buildings of all heights and some zones.
func town(t testing.TB, r *rand.Rand) (*chart.Chart, []chart.Zone) {
	var d chart.Draft
	for i := range 250 {
		x, y := 3000*(r.Float64()-0.5), 3000*(r.Float64()-0.5)
		w, h, lean := 10+60*r.Float64(), 10+60*r.Float64(), 20*r.Float64()
		shape := ring(x, y, x+w, y+lean, x+w-lean, y+h+lean, x-lean, y+h)
		d.Buildings = append(d.Buildings, house("b"+string(rune('A'+i%26))+string(rune('a'+i/26)), 5+100*r.Float64(), shape))
	}
	var zones []chart.Zone
	for i := range 12 {
		x, y := 3000*(r.Float64()-0.5), 3000*(r.Float64()-0.5)
		z := chart.Zone{ID: "z" + string(rune('a'+i)), Rule: chart.KeepOut, Polygon: ring(x, y, x+200, y+50, x+100, y+100, x+180, y+300)}
		switch i % 4 {
		case 1:
			z.Rule, z.HeightLimitM = chart.AltitudeLimit, 30+60*r.Float64()
		case 2:
			z.FloorM, z.CeilingM = 50*r.Float64(), 60+40*r.Float64()
		case 3:
			z.From = noon().Add(time.Duration(r.IntN(300)) * time.Second)
			z.Until = z.From.Add(time.Hour)
		}
		zones = append(zones, z)
	}
	return build(t, d), zones
}

func TestRandomFlightsAreLawfulAndTheSameEveryTime(t *testing.T) {
	for seed := range uint64(5) {
		r := rand.New(rand.NewPCG(seed, 9))
		c, zones := town(t, r)
		p := planner(t, c, zones...)
		found := 0
		for range 40 {
			q := route.Query{From: somewhere(r, c), To: somewhere(r, c), Spec: spec(t, "kapok-quad"), Depart: noon()}
			got, err := p.Find(q)
			again, err2 := p.Clone().Find(q)
			if (err == nil) != (err2 == nil) || draw(got.Path) != draw(again.Path) || got.Cost != again.Cost {
				t.Fatalf("seed %d: a clone finds another way: %v %s, then %v %s", seed, err, draw(got.Path), err2, draw(again.Path))
			}
			if err == nil {
				found++
				check(t, c, zones, q, got)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d (go test -run TestRandomFlights ./planner/route)", seed)
		}
		if found < 25 {
			t.Errorf("seed %d: only %d of 40 flights were found", seed, found)
		}
	}
}

func TestAVesselStaysOnItsWater(t *testing.T) {
	// A bay whose mole leaves a gap of 40 m in the north, and a lake.
	bay := ring(0, 0, 290, 0, 290, 360, 310, 360, 310, 0, 600, 0, 600, 400, 0, 400)
	c := build(t, chart.Draft{Water: []chart.WaterArea{
		{ID: "bay", Polygon: append(bay, rect(100, 200, 150, 300)[0])},
		{ID: "lake", Polygon: rect(900, 0, 1200, 300)},
	}})
	sail := func(from, to space.Position) (route.Route, error) {
		q := route.Query{From: from, To: to, Spec: spec(t, "kapok-boat"), Depart: noon()}
		r, err := planner(t, c).Find(q)
		if err == nil {
			check(t, c, nil, q, r)
		}
		return r, err
	}
	// The start is two metres off the quay.
	r, err := sail(pos(2, 250, 0), pos(500, 50, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(2 250 0) (90 310 0) (280 370 0) (320 370 0) (500 50 0) "; got != want {
		t.Errorf("path %s, want %s", got, want)
	}
	for _, tt := range []struct {
		name     string
		from, to space.Position
		object   string
	}{
		{"from land", pos(-50, 50, 0), pos(500, 50, 0), ""},
		{"from the island", pos(120, 250, 0), pos(500, 50, 0), ""},
		{"to land", pos(50, 50, 0), pos(700, 50, 0), ""},
		{"to another water", pos(50, 50, 0), pos(1000, 50, 0), "bay"},
	} {
		var no *route.Refusal
		if r, err := sail(tt.from, tt.to); !errors.As(err, &no) || no.Rule != route.OffWater || no.Object != tt.object {
			t.Errorf("%s: %v %s", tt.name, err, draw(r.Path))
		}
	}
}

func TestAGoalMustBeBelowTheLimitOfHeight(t *testing.T) {
	c := build(t, chart.Draft{GroundAltitudeM: 10})
	for heightM, want := range map[float64]bool{0: true, 119: true, 119.5: false, 300: false} {
		_, err := fly(t, c, nil, pos(0, 0, 10), pos(500, 0, 10+heightM))
		var no *route.Refusal
		switch {
		case want && err != nil:
			t.Errorf("%g m above ground: %v", heightM, err)
		case !want && (!errors.As(err, &no) || no.Rule != route.AboveLimit || !close2(no.Number, heightM, 0.01) || no.Limit != 119):
			t.Errorf("%g m above ground: %v", heightM, err)
		}
	}
	if _, err := fly(t, c, nil, pos(500, 0, 10+300), pos(500, 0, 10)); err != nil {
		t.Errorf("down from above the limit: %v", err)
	}
}

func TestAircraftDoNotStopOnWater(t *testing.T) {
	c := build(t, chart.Draft{
		GroundAltitudeM: 2,
		Water:           []chart.WaterArea{{ID: "way/7", Polygon: rect(100, -500, 900, 500)}},
		Buildings:       []chart.Building{house("fort", 8, rect(300, 0, 320, 20))},
	})
	p := planner(t, c)
	for _, tt := range []struct {
		name string
		kind motion.Kind
		at   space.Position
		want bool
	}{
		{"on land", motion.Multirotor, pos(0, 0, 2), true},
		{"on the water", motion.Multirotor, pos(500, 0, 2), false},
		{"3 m above it", motion.VTOL, pos(500, 0, 5), false},
		{"5 m above it", motion.VTOL, pos(500, 0, 7), true},
		{"on a roof in the water", motion.Multirotor, pos(310, 10, 10), true},
		{"a boat", motion.Vessel, pos(500, 0, 2), true},
	} {
		r := p.CanStop(tt.kind, tt.at)
		if (r == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, r)
		}
		if r != nil && (r.Rule != route.OverWater || r.Object != "way/7" || r.Limit != route.OverWaterM || !close2(r.Number, tt.at.AltitudeM-2, 0.01)) {
			t.Errorf("%s: %v", tt.name, r)
		}
	}
}

package route_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

func slow(id string, limitMPS, x0, y0, x1, y1 float64) chart.Zone {
	return chart.Zone{ID: id, Rule: chart.SpeedLimit, SpeedLimitMPS: limitMPS, Polygon: rect(x0, y0, x1, y1)}
}

// A street of four stretches of 100 m, the second of them limited to 2 m/s.
func TestEachStretchOfADriveHasItsOwnSpeed(t *testing.T) {
	nodes, arcs := streets(5, 100)
	for i := range arcs {
		if arcs[i].From+arcs[i].To == 1+2 && arcs[i].From < 5 && arcs[i].To < 5 {
			arcs[i].SpeedLimitMPS = 2
		}
	}
	c := build(t, chart.Draft{Nodes: nodes, Arcs: arcs})
	tests := []struct {
		name     string
		from, to space.Position
		zones    []chart.Zone
		want     string
	}{
		{"limits of the street", pos(0, 0, 0), pos(300, 0, 0), nil, "(0 0 0) (100 0 0) (200 0 0) (300 0 0) [2.5 2 2.5]"},
		{
			"parts of the first and the last arc", pos(120, 0, 0), pos(270, 0, 0), nil,
			"(120 0 0) (200 0 0) (270 0 0) [2 2.5]",
		},
		{
			"a zone on the way", pos(0, 0, 0), pos(400, 0, 0),
			[]chart.Zone{slow("school", 1.5, 230, -5, 270, 5)},
			"(0 0 0) (100 0 0) (200 0 0) (300 0 0) (400 0 0) [2.5 2 1.5 2.5]",
		},
		{
			"a zone on the part of the last arc that is not driven", pos(210, 0, 0), pos(350, 0, 0),
			[]chart.Zone{slow("school", 1.5, 370, -5, 390, 5)},
			"(210 0 0) (300 0 0) (350 0 0) [2.5 2.5]",
		},
		{
			"zones between the street and start and goal", pos(320, -30, 0), pos(380, -30, 0),
			[]chart.Zone{slow("yard", 1, 310, -40, 330, -5), slow("lawn", 0.5, 370, -40, 390, -5)},
			"(320 -30 0) (320 0 0) (380 0 0) (380 -30 0) [1 2.5 0.5]",
		},
		{"nowhere", pos(320, 0, 0), pos(320, 0, 0), nil, "(320 0 0) (320 0 0) [2.5]"},
	}
	for _, tt := range tests {
		r, err := drive(t, c, tt.zones, tt.from, tt.to)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := fmt.Sprint(draw(r.Path), r.SpeedsMPS); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The way out of the zone and the way on are two searches; the speeds of both
// are kept.
func TestAWayOutOfAZoneKeepsItsSpeeds(t *testing.T) {
	c := district(t)
	zones := []chart.Zone{
		{ID: "fire", Rule: chart.KeepOut, Polygon: rect(150, -20, 390, 120)},
		slow("market", 2, 110, -5, 140, 5), slow("crossing", 1, 95, 140, 105, 160),
	}
	r, err := drive(t, c, zones, pos(210, 0, 0), pos(400, 50, 0))
	if err != nil {
		t.Fatal(err)
	}
	const want = "(210 0 4) (200 0 4) (100 0 4) (100 100 4) (100 200 4) (200 200 4) (300 200 4) (400 200 4) (400 100 4) (400 50 4) [2.5 2 2.5 1 2.5 2.5 2.5 2.5 2.5]"
	if got := fmt.Sprint(draw(r.Path), r.SpeedsMPS); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestAFlightIsAtCruiseSpeedButForZones(t *testing.T) {
	// The house bends the way, so that only its first part meets the zone.
	c := build(t, chart.Draft{Buildings: []chart.Building{house("tower", 60, rect(240, -20, 260, 30))}})
	zones := []chart.Zone{slow("quay", 6, 60, -60, 100, 60)}
	tests := []struct {
		name   string
		change func(*chart.Zone)
		want   string
	}{
		{"in force", func(*chart.Zone) {}, "[15 6 15 15 15]"},
		{"at the start", func(z *chart.Zone) { z.Polygon = rect(-20, -60, 100, 60) }, "[6 6 15 15 15]"},
		{"below the cruise", func(z *chart.Zone) { z.CeilingM = 30 }, "[15 15 15 15 15]"},
		{"for the ground only", func(z *chart.Zone) { z.Ground = true }, "[15 15 15 15 15]"},
		{"above the cruise speed", func(z *chart.Zone) { z.SpeedLimitMPS = 20 }, "[15 15 15 15 15]"},
	}
	for _, tt := range tests {
		z := zones[0]
		tt.change(&z)
		q := route.Query{From: pos(0, 0, 0), To: pos(500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
		r, err := planner(t, c, z).Find(q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		checkSpeeds(t, c, nil, q, r)
		if got := fmt.Sprint(r.SpeedsMPS); got != tt.want {
			t.Errorf("%s: %s at %s, want %s", tt.name, draw(r.Path), got, tt.want)
		}
	}
	// A long segment: the zone begins after its start but before its end.
	z := slow("evening", 6, 1700, -60, 1800, 60)
	z.From = noon().Add(100 * time.Second)
	q := route.Query{From: pos(0, 0, 0), To: pos(1900, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
	r, err := planner(t, build(t, chart.Draft{}), z).Find(q)
	if got := fmt.Sprint(r.SpeedsMPS); err != nil || got != "[15 6 15]" {
		t.Errorf("a zone that begins during the flight: %s, %v, want [15 6 15]", got, err)
	}
}

func TestRandomWaysKeepSpeedLimits(t *testing.T) {
	found := 0
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 9))
		c := wild(t, r)
		var zones []chart.Zone
		for i := range 6 {
			x, y := 1200*r.Float64(), 1200*r.Float64()
			zones = append(zones, slow(string(rune('a'+i)), 0.3+2*r.Float64(), x, y, x+150, y+90))
		}
		p := planner(t, c, zones...)
		for i := range 20 {
			q := route.Query{
				From: pos(1400*r.Float64(), 1400*r.Float64(), 0), To: pos(1400*r.Float64(), 1400*r.Float64(), 0),
				Spec: spec(t, []string{"kapok-rover", "kapok-quad"}[i%2]), LoadKg: 2, Depart: noon(),
			}
			got, err := p.Find(q)
			if err != nil {
				continue
			}
			found++
			check(t, c, zones, q, got)
		}
		if t.Failed() {
			t.Fatalf("seed %d (go test -run TestRandomWays ./planner/route)", seed)
		}
	}
	if found < 80 {
		t.Errorf("only %d ways were found", found)
	}
}

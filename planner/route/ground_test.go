package route_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// district is five streets by five, 100 m apart, from the origin.
func district(t testing.TB) *chart.Chart {
	nodes, arcs := streets(5, 100)
	return build(t, chart.Draft{Nodes: nodes, Arcs: arcs, GroundAltitudeM: 4})
}

func drive(t *testing.T, c *chart.Chart, zones []chart.Zone, from, to space.Position) (route.Route, error) {
	t.Helper()
	q := route.Query{From: from, To: to, Spec: spec(t, "kapok-rover"), Depart: noon()}
	r, err := planner(t, c, zones...).Find(q)
	if err == nil {
		check(t, c, zones, q, r)
	}
	return r, err
}

func TestARoverKeepsToTheStreets(t *testing.T) {
	c := district(t)
	tests := []struct {
		name     string
		from, to space.Position
		want     string
		seconds  float64
	}{
		{"along one street", pos(20, 0, 0), pos(70, 0, 0), "(20 0 4) (70 0 4) ", 20},
		{"and back", pos(70, 0, 0), pos(20, 0, 0), "(70 0 4) (20 0 4) ", 20},
		{"around a corner", pos(20, 0, 0), pos(100, 30, 0), "(20 0 4) (100 0 4) (100 30 4) ", 44},
		{"from beside the street to beside another", pos(20, 10, 0), pos(90, 130, 0), "(20 10 4) (20 0 4) (100 0 4) (100 100 4) (100 130 4) (90 130 4) ", 92},
		{"nowhere", pos(20, 10, 0), pos(20, 10, 0), "(20 10 4) (20 10 4) ", 0},
	}
	for _, tt := range tests {
		r, err := drive(t, c, nil, tt.from, tt.to)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := draw(r.Path); got != tt.want {
			t.Errorf("%s: path %s, want %s", tt.name, got, tt.want)
		}
		if !close2(r.Cost.Seconds, tt.seconds, 0.1) || !close2(r.LengthM, tt.seconds*2.5, 0.2) {
			t.Errorf("%s: takes %.1f s over %.1f m, want %.1f s", tt.name, r.Cost.Seconds, r.LengthM, tt.seconds)
		}
	}
}

func TestZonesCloseStreets(t *testing.T) {
	c := district(t)
	from, to := pos(0, 0, 0), pos(200, 0, 0)
	block := chart.Zone{ID: "parade", Rule: chart.KeepOut, Polygon: rect(90, -10, 110, 10)}
	const straight, around = "(0 0 4) (100 0 4) (200 0 4) ", "(0 0 4) (0 100 4) (100 100 4) (200 100 4) (200 0 4) "
	tests := []struct {
		name    string
		change  func(*chart.Zone)
		want    string
		seconds float64
	}{
		{"in force", func(*chart.Zone) {}, around, 160},
		{"for aircraft only", func(z *chart.Zone) { z.Airborne = true }, straight, 80},
		{"above the street", func(z *chart.Zone) { z.FloorM = 20 }, straight, 80},
		{"over before the rover can set out", func(z *chart.Zone) { z.Until = noon().Add(-route.DepartEarlyS * time.Second) }, straight, 80},
		{"begins when it has long passed", func(z *chart.Zone) { z.From = noon().Add(3 * time.Minute) }, straight, 80},
		{"begins while it is on its way there", func(z *chart.Zone) { z.From = noon().Add(30 * time.Second) }, around, 160},
		{"a speed limit", func(z *chart.Zone) { z.Rule, z.SpeedLimitMPS = chart.SpeedLimit, 1 }, straight, 200},
	}
	for _, tt := range tests {
		z := block
		tt.change(&z)
		r, err := drive(t, c, []chart.Zone{z}, from, to)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := draw(r.Path); got != tt.want && tt.seconds != 200 {
			t.Errorf("%s: path %s, want %s", tt.name, got, tt.want)
		}
		if want := min(tt.seconds, 160); !close2(r.Cost.Seconds, want, 0.1) {
			t.Errorf("%s: takes %.1f s, want %.1f s", tt.name, r.Cost.Seconds, want)
		}
	}
}

func TestARoverCaughtInAZoneLeavesItFirst(t *testing.T) {
	c := district(t)
	// The goal is to the east, the nearest edge to the west.
	zones := []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: rect(150, -20, 390, 120)}}
	r, err := drive(t, c, zones, pos(210, 0, 0), pos(400, 50, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(210 0 4) (200 0 4) (100 0 4) (100 100 4) (100 200 4) "; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("path %s, want %s…", got, want)
	}
	var no *route.Refusal
	if _, err := drive(t, c, zones, pos(400, 50, 0), pos(210, 0, 0)); !errors.As(err, &no) || no.Rule != route.InsideZone || no.Object != "fire" {
		t.Errorf("into the zone: %v", err)
	}
}

func TestARoverLeavesWhereItIsOutSoonestNotAtTheNearestCrossing(t *testing.T) {
	// To the west the edge is 30 m away and the next crossing 500 m, to the east
	// the edge 190 m and the crossing 200 m.
	node := func(x, y float64) chart.Node { return chart.Node{Point: pt(x, y)} }
	c := build(t, chart.Draft{
		Nodes: []chart.Node{node(-500, 0), node(0, 0), node(200, 0), node(200, 300), node(-500, 300)},
		Arcs: []chart.Arc{
			{From: 0, To: 1},
			{From: 1, To: 0},
			{From: 1, To: 2},
			{From: 2, To: 1},
			{From: 2, To: 3},
			{From: 3, To: 2},
			{From: 3, To: 4},
			{From: 4, To: 3},
			{From: 4, To: 0},
			{From: 0, To: 4},
		},
	})
	zones := []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: rect(-30, -50, 190, 50)}}
	r, err := drive(t, c, zones, pos(0, 0, 0), pos(200, 250, 0))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := draw(r.Path), "(0 0 0) (-500 0 0) "; len(got) < len(want) || got[:len(want)] != want {
		t.Errorf("path %s, want %s…", got, want)
	}
}

func TestDrivesThatCannotBeAreRefused(t *testing.T) {
	nodes, arcs := streets(3, 100)
	c := build(t, chart.Draft{Nodes: nodes, Arcs: arcs})
	ringed := []chart.Zone{{ID: "moat", Rule: chart.KeepOut, Polygon: append(rect(-50, -50, 90, 90), rect(-20, -20, 50, 50)[0])}}
	tests := []struct {
		name     string
		zones    []chart.Zone
		from, to space.Position
		budget   int
		rule     route.Rule
		object   string
	}{
		{"off the network", nil, pos(0, 0, 0), pos(0, -300, 0), 0, route.OffNetwork, ""},
		{"off the chart", nil, pos(0, 0, 0), pos(0, -3000, 0), 0, route.OutsideChart, ""},
		{"not a place", nil, pos(math.NaN(), 0, 0), pos(0, 0, 0), 0, route.OutsideChart, ""},
		{"behind a closed ring", ringed, pos(0, 0, 0), pos(200, 200, 0), 0, route.NoWay, "moat"},
		{"with too few expansions", nil, pos(0, 0, 0), pos(200, 200, 0), 2, route.Budget, ""},
	}
	for _, tt := range tests {
		q := route.Query{From: tt.from, To: tt.to, Spec: spec(t, "kapok-rover"), Depart: noon(), MaxExpansions: tt.budget}
		r, err := planner(t, c, tt.zones...).Find(q)
		var no *route.Refusal
		if !errors.As(err, &no) || no.Rule != tt.rule || no.Object != tt.object {
			t.Errorf("%s: %v, path %s; want %q for %q", tt.name, err, draw(r.Path), tt.rule, tt.object)
		}
	}
	bare := build(t, chart.Draft{})
	var no *route.Refusal
	if _, err := drive(t, bare, nil, pos(0, 0, 0), pos(100, 0, 0)); !errors.As(err, &no) || no.Rule != route.OffNetwork {
		t.Errorf("without a network: %v", err)
	}
	q := route.Query{From: pos(0, 0, 0), To: pos(200, 200, 0), Depart: noon()}
	if _, err := planner(t, c).Find(q); err == nil {
		t.Error("a spec without figures is accepted")
	}
}

// wild is a connected random network with one-way streets and speed limits.
func wild(t testing.TB, r *rand.Rand) *chart.Chart {
	const n = 12
	nodes, arcs := streets(n, 120)
	for i := range nodes {
		nodes[i].Point = pt(float64(i%n)*120+60*r.Float64(), float64(i/n)*120+60*r.Float64())
	}
	kept := arcs[:0]
	for _, a := range arcs {
		if r.IntN(6) == 0 {
			continue
		}
		if r.IntN(4) == 0 {
			a.SpeedLimitMPS = 0.5 + 2*r.Float64()
		}
		kept = append(kept, a)
	}
	return build(t, chart.Draft{Nodes: nodes, Arcs: kept})
}

// dijkstra is the least time between two nodes over the arcs that no zone
// meets, looked at with a plain loop.
func dijkstra(c *chart.Chart, zones []chart.Zone, from, to int32, speed float64) float64 {
	g := &c.Ground
	best := make([]float64, len(g.Nodes))
	done := make([]bool, len(g.Nodes))
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[from] = 0
	for {
		at := int32(-1)
		for i := range best {
			if !done[i] && !math.IsInf(best[i], 1) && (at < 0 || best[i] < best[at]) {
				at = int32(i)
			}
		}
		if at < 0 || at == to {
			return best[to]
		}
		done[at] = true
		for _, a := range g.From(at) {
			v := speed
			if a.SpeedLimitMPS > 0 {
				v = min(v, a.SpeedLimitMPS)
			}
			if !crossed(g.Nodes[a.From].Point, g.Nodes[a.To].Point, zones) {
				best[a.To] = min(best[a.To], best[at]+a.LengthM/v)
			}
		}
	}
}

// crossed tells whether a segment meets a zone, by looks every thousandth part.
func crossed(a, b orb.Point, zones []chart.Zone) bool {
	for _, z := range zones {
		if !z.Polygon.Bound().Intersects(orb.MultiPoint{a, b}.Bound()) {
			continue
		}
		for k := range 1001 {
			t := float64(k) / 1000
			p := orb.Point{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}
			if planar.PolygonContains(z.Polygon, p) {
				return true
			}
		}
	}
	return false
}

func TestRandomDrivesAreShortestAndLawful(t *testing.T) {
	found := 0
	for seed := range uint64(8) {
		r := rand.New(rand.NewPCG(seed, 4))
		c := wild(t, r)
		var zones []chart.Zone
		for i := range 3 {
			x, y := 1200*r.Float64(), 1200*r.Float64()
			zones = append(zones, chart.Zone{ID: string(rune('a' + i)), Rule: chart.KeepOut, Polygon: rect(x, y, x+150, y+90)})
		}
		p := planner(t, c, zones...)
		for range 12 {
			from, to := r.Int32N(int32(len(c.Ground.Nodes))), r.Int32N(int32(len(c.Ground.Nodes)))
			a, b := c.Ground.Nodes[from].Point, c.Ground.Nodes[to].Point
			if !c.Ground.InMain(from) || !c.Ground.InMain(to) || crossed(a, a, zones) || crossed(b, b, zones) {
				continue
			}
			q := route.Query{
				From: space.Position{Lon: a[0], Lat: a[1]}, To: space.Position{Lon: b[0], Lat: b[1]},
				Spec: spec(t, "kapok-rover"), Depart: noon(),
			}
			got, err := p.Find(q)
			want := dijkstra(c, zones, from, to, q.Spec.CruiseMPS)
			if err != nil {
				got.Cost.Seconds = math.Inf(1)
			} else {
				found++
				check(t, c, zones, q, got)
			}
			if got.Cost.Seconds != want && !close2(got.Cost.Seconds, want, 1e-3) {
				t.Errorf("node %d to %d: %.3f s (%v), the least is %.3f s", from, to, got.Cost.Seconds, err, want)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d (go test -run TestRandomDrives ./planner/route)", seed)
		}
	}
	if found < 40 {
		t.Errorf("only %d drives were found", found)
	}
}

// A one-way street for cars leads past the goal; robots take the path across.
func TestVansKeepToTheRoadsAndRobotsToTheSidewalks(t *testing.T) {
	nodes := []chart.Node{{Point: pt(0, 0)}, {Point: pt(200, 0)}, {Point: pt(200, 200)}, {Point: pt(0, 200)}, {Point: pt(100, 100)}}
	both, foot := chart.Road|chart.Sidewalk, chart.Sidewalk
	arcs := []chart.Arc{
		{From: 0, To: 1, Profiles: chart.Road, SpeedLimitMPS: 8},
		{From: 1, To: 2, Profiles: chart.Road, SpeedLimitMPS: 8},
		{From: 2, To: 3, Profiles: chart.Road, SpeedLimitMPS: 4},
		{From: 3, To: 0, Profiles: chart.Road, SpeedLimitMPS: 8},
		{From: 0, To: 4, Profiles: foot},
		{From: 4, To: 0, Profiles: foot},
		{From: 4, To: 3, Profiles: foot},
		{From: 3, To: 4, Profiles: foot},
		{From: 1, To: 4, Profiles: both},
		{From: 4, To: 1, Profiles: foot},
	}
	c := build(t, chart.Draft{Nodes: nodes, Arcs: arcs, Terrain: land(func(x, _ float64) float64 { return 50 + x/10 })})
	tests := []struct {
		model    string
		from, to space.Position
		want     string
		profile  chart.Profile
	}{
		{"kapok-van", pos(20, 5, 0), pos(150, -5, 0), "(20 5 52) (20 0 52) (150 0 65) (150 -5 65) ", chart.Road},
		{"kapok-van", pos(150, 0, 0), pos(20, 0, 0), "(150 0 65) (200 0 70) (200 200 70) (0 200 50) (0 0 50) (20 0 52) ", chart.Road},
		{"kapok-rover", pos(5, 0, 0), pos(200, 0, 0), "(5 0 50) (3 3 50) (100 100 60) (200 0 70) ", chart.Sidewalk},
	}
	for _, tt := range tests {
		q := route.Query{From: tt.from, To: tt.to, Spec: spec(t, tt.model), Depart: noon()}
		r, err := planner(t, c).Find(q)
		if err != nil {
			t.Errorf("%s: %v", tt.model, err)
			continue
		}
		check(t, c, nil, q, r)
		for _, v := range verify.Drive(c, tt.profile, r.Path) {
			t.Errorf("%s: %v", tt.model, v)
		}
		if got := draw(r.Path); got != tt.want {
			t.Errorf("%s: path %s, want %s", tt.model, got, tt.want)
		}
	}
	fast := route.Query{From: pos(150, 0, 0), To: pos(20, 0, 0), Spec: spec(t, "kapok-van"), Depart: noon()}
	if r, err := planner(t, c).Find(fast); err != nil || !close2(r.Cost.Seconds, 50/8.0+200/8.0+200/4.0+200/8.0+20/8.0, 0.1) {
		t.Errorf("around the block in %.1f s, %v", r.Cost.Seconds, err)
	}
	bare := build(t, chart.Draft{Nodes: nodes, Arcs: arcs[4:6]})
	var no *route.Refusal
	if _, err := planner(t, bare).Find(fast); !errors.As(err, &no) || no.Rule != route.OffNetwork {
		t.Errorf("without a road: %v", err)
	}
}

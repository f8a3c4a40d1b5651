package route_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
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
		{
			"away from a zone that the robot may be in by now", pos(292, 0, 0), pos(100, 0, 0),
			[]chart.Zone{slow("school", 1.5, 295, -5, 340, 5)},
			"(292 0 0) (200 0 0) (100 0 0) [1.5 2]",
		},
		{
			"away from a zone that is too far for that", pos(284, 0, 0), pos(100, 0, 0),
			[]chart.Zone{slow("school", 1.5, 300.5, -5, 340, 5)},
			"(284 0 0) (200 0 0) (100 0 0) [2.5 2]",
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

// The zone is 40 m deep and too wide to go round: the flight is slow in it and within
// 10 m of it, and nowhere else.
func TestAFlightIsSlowInAZoneAlone(t *testing.T) {
	c := build(t, chart.Draft{})
	wide := func(change func(*chart.Zone)) chart.Zone {
		z := slow("quay", 6, 60, -900, 100, 900)
		change(&z)
		return z
	}
	tests := []struct {
		name string
		zone chart.Zone
		want string
	}{
		{"in force", wide(func(*chart.Zone) {}), "(0 0 0) (0 0 40) (50 0 40) (110 0 40) (500 0 40) (500 0 0) [15 15 6 15 15]"},
		{
			"at the start", wide(func(z *chart.Zone) { z.Polygon = rect(-20, -900, 100, 900) }),
			"(0 0 0) (0 0 40) (110 0 40) (500 0 40) (500 0 0) [6 6 15 15]",
		},
		{"below the cruise", wide(func(z *chart.Zone) { z.CeilingM = 30 }), "(0 0 0) (0 0 40) (500 0 40) (500 0 0) [15 15 15]"},
		{"for the ground only", wide(func(z *chart.Zone) { z.Ground = true }), "(0 0 0) (0 0 40) (500 0 40) (500 0 0) [15 15 15]"},
		{"above the cruise speed", wide(func(z *chart.Zone) { z.SpeedLimitMPS = 20 }), "(0 0 0) (0 0 40) (500 0 40) (500 0 0) [15 15 15]"},
		{
			"from the time at which it is left", wide(func(z *chart.Zone) { z.From = noon().Add(2 * time.Minute) }),
			"(0 0 0) (0 0 40) (500 0 40) (500 0 0) [15 15 15]",
		},
		{
			"over which it is quicker than through", wide(func(z *chart.Zone) { z.CeilingM, z.SpeedLimitMPS = 50, 0.5 }),
			"(0 0 0) (0 0 60) (500 0 60) (500 0 0) [15 15 15]",
		},
	}
	for _, tt := range tests {
		q := route.Query{From: pos(0, 0, 0), To: pos(500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
		r, err := planner(t, c, tt.zone).Find(q)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		checkSpeeds(t, c, nil, q, r)
		if got := fmt.Sprint(draw(r.Path), r.SpeedsMPS); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// The flight to the east is 500 m long, at 15 m/s. Through the zone, 100 m deep, it
// would be slow for 120 m: at 3 m/s that takes 40 s in place of 8.
func TestAFlightGoesRoundASlowZoneWhereThatIsQuicker(t *testing.T) {
	c := build(t, chart.Draft{})
	for _, tt := range []struct {
		halfM float64
		round bool
	}{
		{30, true},   // 8 m more, half a second.
		{200, true},  // 124 m more, 8 s.
		{330, true},  // 310 m more, 21 s.
		{500, false}, // 622 m more, 41 s.
	} {
		z := slow("market", 3, 200, -tt.halfM, 300, tt.halfM)
		q := route.Query{From: pos(0, 0, 0), To: pos(500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
		r, err := planner(t, c, z).Find(q)
		if err != nil {
			t.Fatal(err)
		}
		checkSpeeds(t, c, nil, q, r)
		slowest := slices.Min(r.SpeedsMPS)
		if round := slowest == 15; round != tt.round {
			t.Errorf("a zone of %g m: it goes %s at %v", 2*tt.halfM, draw(r.Path), r.SpeedsMPS)
		}
		column := q.Spec.In(motion.Wind{}, 0)
		columns := column.Leg(0, 40, 40).Seconds
		through := columns + 380.0/15 + 120.0/3
		around := columns + (2*math.Hypot(190, tt.halfM+10)+120)/15
		if got, want := r.Cost.Seconds, min(through, around); math.Abs(got-want) > 0.5 {
			t.Errorf("a zone of %g m: it takes %.1f s, want %.1f", 2*tt.halfM, got, want)
		}
	}
}

// A flight that is held up in one zone comes to the next one when that is in force.
func TestAZoneThatASlowFlightWouldMeetTooLate(t *testing.T) {
	c := build(t, chart.Draft{})
	market := slow("market", 1, 100, -2000, 200, 2000)
	drill := chart.Zone{ID: "drill", Rule: chart.KeepOut, Polygon: rect(400, -30, 500, 30), From: noon().Add(2*time.Minute + 30*time.Second)}
	q := route.Query{From: pos(0, 0, 0), To: pos(900, 0, 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
	for name, zones := range map[string][]chart.Zone{"alone": {drill}, "behind the market": {market, drill}} {
		r, err := planner(t, c, zones...).Find(q)
		if err != nil {
			t.Fatal(err)
		}
		check(t, c, zones, q, r)
		bends := len(r.Path) > 6
		if want := name != "alone"; bends != want {
			t.Errorf("%s: it goes %s at %v", name, draw(r.Path), r.SpeedsMPS)
		}
	}
}

// No way by one or two places about the corners of slow zones is quicker than the
// planner's, whose time is what adding up small steps gives.
func TestNoWayAmongSlowZonesIsQuicker(t *testing.T) {
	rounds := 30
	if testing.Short() {
		rounds = 8
	}
	for seed := range uint64(rounds) {
		r := rand.New(rand.NewPCG(seed, 12))
		c := build(t, chart.Draft{})
		var zones []chart.Zone
		places := []space.XY{}
		for i := range 1 + r.IntN(3) {
			x, y, w, h := 150+500*r.Float64(), 400*r.Float64()-300, 40+150*r.Float64(), 60+300*r.Float64()
			zones = append(zones, slow(string(rune('a'+i)), 1+8*r.Float64(), x, y, x+w, y+h))
			const out = route.ClearanceM + 0.1
			for _, corner := range [4]space.XY{{X: x - out, Y: y - out}, {X: x + w + out, Y: y - out}, {X: x - out, Y: y + h + out}, {X: x + w + out, Y: y + h + out}} {
				places = append(places, corner)
			}
		}
		wind := motion.Wind{}
		if seed%2 == 1 {
			wind = motion.WindFrom(6, 360*r.Float64(), 0)
		}
		q := route.Query{From: pos(0, 0, 0), To: pos(900, 100*r.Float64(), 0), Spec: spec(t, "kapok-quad"), Depart: noon()}
		p, err := route.NewPlanner(&route.World{Chart: c, Zones: zones, Wind: wind})
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Find(q)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		start, goal := c.Frame.XY(q.From.Point()), c.Frame.XY(q.To.Point())
		time := func(way ...space.XY) (seconds float64) {
			for i := 1; i < len(way); i++ {
				seconds += slowly(zones, c, wind, q.Spec.CruiseMPS, way[i-1], way[i])
			}
			return seconds
		}
		best := time(start, goal)
		for _, a := range places {
			best = min(best, time(start, a, goal))
			for _, b := range places {
				best = min(best, time(start, a, b, goal))
			}
		}
		var flown []space.XY
		for _, at := range got.Path[1 : len(got.Path)-1] {
			flown = append(flown, c.Frame.XY(at.Point()))
		}
		flight := q.Spec.In(wind, 0)
		columns := flight.Leg(0, 40, 40).Seconds
		if took := got.Cost.Seconds - columns; took > best+0.3 || math.Abs(took-time(flown...)) > 0.5 {
			t.Errorf("seed %d: it takes %.2f s, by small steps %.2f, and some way %.2f: %s (go test -run TestNoWayAmongSlow ./planner/route)",
				seed, took, time(flown...), best, draw(got.Path))
		}
	}
}

// slowly is how long a straight flight takes, step by step, at what the zones allow.
func slowly(zones []chart.Zone, c *chart.Chart, wind motion.Wind, airMPS float64, from, to space.XY) (seconds float64) {
	const step = 0.25
	n := math.Ceil(from.Dist(to) / step)
	way := to.Sub(from)
	along := wind.Toward.Dot(way) / way.Len()
	across := wind.Toward.Dot(wind.Toward) - along*along
	free := along + math.Sqrt(airMPS*airMPS-across)
	for k := range int(n) {
		at, mps := from.Lerp(to, (float64(k)+0.5)/n), free
		for _, z := range zones {
			ring := z.Polygon[0]
			low, high := c.Frame.XY(ring[0]), c.Frame.XY(ring[2])
			dx, dy := max(low.X-at.X, at.X-high.X, 0), max(low.Y-at.Y, at.Y-high.Y, 0)
			if math.Hypot(dx, dy) < route.ClearanceM-0.02 {
				mps = min(mps, z.SpeedLimitMPS)
			}
		}
		seconds += from.Dist(to) / n / mps
	}
	return seconds
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

// Over hills the way is given its altitudes after it was sought, piece by piece; the
// slow zone lies at its begin, and a look at the last piece knows nothing of it.
func TestAFlightOverHillsGoesRoundASlowZone(t *testing.T) {
	c := build(t, chart.Draft{Terrain: land(func(x, _ float64) float64 { return 100 + 25*math.Sin(x/120) })})
	free, err := overLand(t, c, nil, pos(0, 0, 0), pos(1500, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	zones := []chart.Zone{slow("market", 1, 100, -30, 200, 30)}
	r, err := overLand(t, c, zones, pos(0, 0, 0), pos(1500, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	// The zone makes the way some 15 m longer, a second.
	if more := r.Cost.Seconds - free.Cost.Seconds; more > 3 {
		t.Errorf("it takes %.1f s more: %s at %v", more, draw(r.Path), r.SpeedsMPS)
	}
}

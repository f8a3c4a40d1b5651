package fleet_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// bySea is a stage at the harbour with the sea in all that lies further west
// than x, in metres east of the middle, and below 0 metres north of it.
func bySea(t *testing.T, x float64) (*stage, *chart.Chart) {
	t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	low, shore := c.Extent.Min, c.Frame.Point(space.XY{X: x})
	sea := orb.Ring{low, {shore[0], low[1]}, shore, {low[0], shore[1]}, low}
	d := c.Draft()
	d.Water = []chart.WaterArea{{ID: "coastline/1", Polygon: orb.Polygon{sea}}}
	d.Buildings = nil
	if c, err = chart.New(d); err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	s.durable, s.all = fleet.NewState(), fleet.NewState()
	if s.fleet, err = fleet.New(s.config, c, fleet.NewState()); err != nil {
		t.Fatal(err)
	}
	s.step(fleet.Recovered{UnixEpoch: 1000})
	return s, c
}

// placeAt is a place by metres east and north of the middle of a chart.
func placeAt(c *chart.Chart, x, y float64) *api.Position {
	p := c.Frame.Point(space.XY{X: x, Y: y})
	return &api.Position{Lon: p[0], Lat: p[1]}
}

func TestAnOrderTellsWhyNoAircraftCanStopThere(t *testing.T) {
	s, c := bySea(t, -200)
	s.play("> home q1 node/6014 multirotor kapok-quad\n> join q1 multirotor\n> sample q1 site:node/6014")
	height := func(m float64) *float64 { m += c.GroundAltitudeM; return &m }
	for _, tt := range []struct {
		name      string
		x         float64
		altitudeM *float64
		rule      string
		figures   []float64
		text      string
	}{
		{"on land", 0, nil, "", nil, ""},
		{"on the sea", -600, nil, "over_water", []float64{0, 5}, "is 0 m above the water coastline/1: an aircraft stops there from 5 m on"},
		{"above the sea", -600, height(30), "", nil, ""},
		{"too high", 0, height(190), "above_limit", []float64{190, 119}, "is 190 m above the ground there, more than the 119 m that aircraft may stop at"},
		{"too high above the sea", -600, height(190), "above_limit", []float64{190, 119}, "is 190 m above the ground there"},
	} {
		at := placeAt(c, tt.x, -300)
		at.AltitudeM = tt.altitudeM
		q, p := s.quote(api.QuoteRequest{Order: &api.Order{Kind: "visit", Stops: []api.OrderStop{{Position: at}}}})
		if p != nil {
			t.Fatalf("%s: %s", tt.name, p.Detail)
		}
		one := q.Tasks[0]
		if (one.Vehicle == "") != (tt.rule != "") || tt.rule != "" && one.WaitsForCode != tt.rule || !strings.Contains(one.WaitsFor, tt.text) {
			t.Errorf("%s: %q goes, waits for %s: %s", tt.name, one.Vehicle, one.WaitsForCode, one.WaitsFor)
		}
		if tt.rule == "" {
			continue
		}
		x := find(t, one, "q1")
		if x.Rule != tt.rule || x.Unit != "m" || x.Number == nil || x.Limit == nil || !slices.Equal([]float64{round1(*x.Number), *x.Limit}, tt.figures) || !strings.Contains(x.Text, tt.text) {
			t.Errorf("%s: %+v", tt.name, x)
		}
	}
}

func round1(x float64) float64 { return float64(int(x*10+0.5)) / 10 }

// TestNobodyComesDownOnTheSea: what happens at sea is answered from the nearest
// land, and from none that is too far.
func TestNobodyComesDownOnTheSea(t *testing.T) {
	s, c := bySea(t, 400)
	s.play("> home q1 node/6014 multirotor kapok-quad\n> join q1 multirotor skill=aed\n> sample q1 site:node/6014")
	report := func(x, y float64) *fleet.Task {
		i, _ := s.reported(api.IncidentReport{Kind: "medical", Severity: "minor", Position: placeAt(c, x, y)})
		return s.task(fleet.TaskID(i.Tasks[0].Task))
	}
	near := report(-100, -600)
	at := c.Frame.XY(near.Stops[0].At.Point())
	if _, wet := c.WaterAt(at); wet || near.Vehicle != "q1" {
		t.Errorf("the defibrillator goes to %v by %q (%s)", at, near.Vehicle, near.Reason.Text)
	}
	if d := at.Dist(space.XY{X: -100, Y: -600}); d < 300 || d > 660 {
		t.Errorf("land is sought %.0f m from the incident", d)
	}
	s.play("> accept q1 M1/1")
	far := report(-990, -1000)
	if d := c.Frame.XY(far.Stops[0].At.Point()).Dist(space.XY{X: -990, Y: -1000}); far.Vehicle != "" || far.Reason.Code != "over_water" || d > 1 {
		t.Errorf("%q goes %.0f m from the incident: %s", far.Vehicle, d, far.Reason.Text)
	}
}

// TestATaskWaitsForTheVehiclesThatComeNearestToIt: the reason is not that of the
// many that could never do it.
func TestATaskWaitsForTheVehiclesThatComeNearestToIt(t *testing.T) {
	s, c := bySea(t, 0)
	var script strings.Builder
	for _, q := range []string{"q1", "q2", "q3"} {
		script.WriteString("> home " + q + " node/6014 multirotor kapok-quad\n> join " + q + " multirotor\n> sample " + q + " site:node/6014\n")
	}
	for _, r := range []string{"r1", "r2"} {
		script.WriteString("> home " + r + " node/6001 rover kapok-rover\n> join " + r + " rover skill=extinguisher\n> sample " + r + " site:node/6001\n")
	}
	// One of the drones is out of service as well, which is not what it lacks.
	s.play(script.String() + "> service q3 out")
	at := placeAt(c, -990, -990)
	order := api.Order{Kind: "visit", VehicleKinds: []string{"rover"}, Stops: []api.OrderStop{{Position: at}}}
	q, p := s.quote(api.QuoteRequest{Order: &order})
	if p != nil {
		t.Fatal(p.Detail)
	}
	one := q.Tasks[0]
	for _, part := range []string{"2 off_network (e.g. r1: ", " m from the streets and paths that it may use)", ", 3 wrong_kind"} {
		if one.WaitsForCode != "off_network" || !strings.Contains(one.WaitsFor, part) || len(one.WaitsFor) > 200 {
			t.Fatalf("it waits for %s: %s", one.WaitsForCode, one.WaitsFor)
		}
	}
	if x := find(t, one, "q3"); x.Rule != "wrong_kind" {
		t.Errorf("q3: %+v", x)
	}
}

// TestAPartOfAQuoteIsNotNamedByATaskThatWillNeverBe: of a vehicle that another
// part of the response takes, the part is named; what it lacks comes first.
func TestAPartOfAQuoteIsNotNamedByATaskThatWillNeverBe(t *testing.T) {
	s := newStage(t)
	s.play("> home q1 node/6014 multirotor kapok-quad\n> join q1 multirotor skill=camera skill=thermal_camera\n> sample q1 site:node/6014\n" +
		"> home q2 node/6015 multirotor kapok-quad\n> join q2 multirotor skill=thermal_camera\n> sample q2 site:node/6015")
	q, p := s.quote(api.QuoteRequest{Incident: &api.IncidentReport{Kind: "fire", Severity: "critical", Site: "node/6014"}})
	if p != nil {
		t.Fatal(p.Detail)
	}
	if one := q.Tasks[2]; one.Role != "heat view" || one.Vehicle != "q2" {
		t.Fatalf("%+v", one)
	}
	if x := find(t, q.Tasks[2], "q1"); x.Rule != "same_incident" || x.Object != "overview" || strings.Contains(x.Text, "T1") {
		t.Errorf("q1: %+v", x)
	}
	if x := find(t, q.Tasks[1], "q1"); x.Rule != "wrong_kind" {
		t.Errorf("q1 drives nowhere: %+v", x)
	}
}

func TestOnlyWhatIsSearchedForHasARadius(t *testing.T) {
	s := newStage(t)
	for _, tt := range []struct {
		report      api.IncidentReport
		code, field string
	}{
		{api.IncidentReport{Kind: "fire", Site: "node/6014", RadiusM: 50}, "bad_radius", "radius_m"},
		{api.IncidentReport{Kind: "fire"}, "bad_place", "position"},
		{api.IncidentReport{Kind: "flood", Site: "node/6014", RadiusM: 50}, "", ""},
	} {
		_, p := s.quote(api.QuoteRequest{Incident: &tt.report})
		if (p == nil) != (tt.code == "") || p != nil && (p.Code != tt.code || p.Field != tt.field) {
			t.Errorf("%+v: %+v", tt.report, p)
		}
	}
}

// TestWhatIsNotFoundIsLookedForEverLessOften: searches in the background that use
// up their budget in vain are repeated after 10 s, 20 s and so on, and at once
// when the task has changed.
func TestWhatIsNotFoundIsLookedForEverLessOften(t *testing.T) {
	for _, tt := range []struct {
		priority string
		longest  time.Duration
	}{{"routine", 2 * time.Minute}, {"emergency", 20 * time.Second}} {
		s := newStage(t)
		s.config.ExpansionsPerStep = 1
		s.open(s.fleet.State())
		s.play("> home r1 node/6001 rover kapok-rover\n> join r1 rover\n> sample r1 site:node/6001\n" +
			"> order visit at=site:node/6003")
		if tt.priority == "emergency" {
			s.step(fleet.Asked{Actor: "alice", Ask: fleet.RankTask{Task: "T1", Order: api.Ranking{Priority: "emergency", Reason: "it burns"}}})
		}
		inVain := func() {
			q := s.questions[len(s.questions)-1]
			s.questions = nil
			s.step(fleet.PlanReady{Question: q, Answer: assign.Answer{Exhausted: true, Excluded: []assign.Exclusion{{Rule: assign.NotTried, Object: string(route.Budget)}}}})
		}
		untilAsked := func() time.Duration {
			began := s.now
			for len(s.questions) == 0 {
				s.play("> wait 1s\n> sample r1 site:node/6001")
				if s.now.Sub(began) > 10*time.Minute {
					t.Fatal("it is never asked again")
				}
			}
			return s.now.Sub(began)
		}
		want := 10 * time.Second
		for range 6 {
			inVain()
			if got := untilAsked(); got < want || got > want+s.config.RetryWaiting {
				t.Fatalf("%s: asked again after %v, want %v", tt.priority, got, want)
			}
			want = min(2*want, tt.longest)
		}
		if tt.priority == "routine" {
			inVain()
			s.step(fleet.Asked{Actor: "alice", Ask: fleet.RankTask{Task: "T1", Order: api.Ranking{Priority: "urgent", Reason: "it smells"}}})
			if got := untilAsked(); got > s.config.RetryWaiting {
				t.Fatalf("a task that has changed was asked about after %v", got)
			}
		}
	}
}

// TestTheAnswerToAnEmergencyNamesItsVehicle: a step spends more on what people
// report as an emergency than on other work, in all so much.
func TestTheAnswerToAnEmergencyNamesItsVehicle(t *testing.T) {
	// asked tells how many questions are left to the background when the orders
	// come in one step.
	asked := func(expansions int, priorities ...string) int {
		s := newStage(t)
		s.config.ExpansionsPerStep = expansions
		s.open(s.fleet.State())
		var inputs []fleet.Input
		for _, r := range []string{"r1", "r2", "r3"} {
			s.play("> home " + r + " node/6001 rover kapok-rover\n> join " + r + " rover\n> sample " + r + " site:node/6001")
		}
		for _, p := range priorities {
			inputs = append(inputs, fleet.Asked{Actor: "alice", Ask: fleet.OrderTask{Order: api.Order{
				Kind: "visit", Priority: p, Stops: []api.OrderStop{{Site: "node/6003"}},
			}}})
		}
		s.step(inputs...)
		return len(s.questions)
	}
	// enough is the least budget with which one routine order is settled inline.
	enough := 1
	for asked(enough, "routine") > 0 {
		enough *= 2
	}
	less := max(1, enough/fleet.EmergencyExpansions)
	if asked(less, "routine") != 1 {
		t.Fatalf("with %d expansions nothing is left to the background", less)
	}
	if asked(less, "emergency") != 0 {
		t.Errorf("with %d expansions an emergency is left to the background", less)
	}
	if n := asked(less, "emergency", "emergency", "emergency"); n == 0 {
		t.Error("three emergencies in one step take more than there is for all of them")
	}
	if n := asked(less, "emergency", "routine"); n != 1 {
		t.Errorf("an emergency and a routine order leave %d questions to the background", n)
	}
}

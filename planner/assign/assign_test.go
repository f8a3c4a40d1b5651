package assign_test

import (
	"math"
	"math/rand/v2"
	"reflect"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func world(t testing.TB) (*chart.Chart, *route.Planner) {
	t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	p, err := route.NewPlanner(&route.World{Chart: c})
	if err != nil {
		t.Fatal(err)
	}
	return c, p
}

// street is a place at a crossing, which every kind on land can reach.
func street(c *chart.Chart, r *rand.Rand) space.Position {
	for {
		n := r.Int32N(int32(len(c.Ground.Nodes)))
		node := c.Ground.Nodes[n]
		if _, covered := c.BuildingAt(node.XY); c.Ground.InMain(n) && !covered && node.Level == "" {
			return space.Position{Lon: node.Point[0], Lat: node.Point[1], AltitudeM: c.GroundAltitude(node.Point)}
		}
	}
}

// vehicle is a fully charged vehicle of a model at a place that is its home.
func vehicle(model string, at space.Position) assign.Candidate {
	s, _ := motion.Preset(model)
	return assign.Candidate{Spec: s, Capabilities: []string{"carry"}, Start: at, FreeAt: noon(), EnergyWh: s.BatteryWh, Home: at}
}

func rules(a assign.Answer) map[int]assign.Rule {
	m := map[int]assign.Rule{}
	for _, x := range a.Excluded {
		m[x.Candidate] = x.Rule
	}
	return m
}

func TestEachCandidateIsChosenOrExcludedForItsTrueReason(t *testing.T) {
	c, p := world(t)
	r := rand.New(rand.NewPCG(3, 3))
	start, shop, door := street(c, r), street(c, r), street(c, r)
	job := assign.Job{
		Needs: []string{"carry"}, Kinds: []motion.Kind{motion.Multirotor, motion.Rover},
		Stops: []assign.Stop{
			{At: shop, WorkS: 30, LoadKg: 4},
			{At: door, WorkS: 60, LoadKg: -4, Latest: noon().Add(3 * time.Hour)},
		},
	}
	cs := make([]assign.Candidate, 8)
	for i := range cs {
		cs[i] = vehicle("kapok-quad", start)
	}
	cs[0] = vehicle("kapok-rover", start)
	cs[1].FreeAt = noon().Add(time.Hour)
	cs[2].Capabilities = nil
	cs[3] = vehicle("kapok-boat", start)
	cs[4].LoadKg = 2
	cs[5].EnergyWh = 340
	cs[6].FreeAt = noon().Add(4 * time.Hour)
	got := assign.Earliest(p, job, cs, noon(), assign.Limits{})
	if got.Best == nil || got.Best.Candidate != 7 {
		t.Fatalf("best is %+v, excluded %+v", got.Best, got.Excluded)
	}
	want := map[int]assign.Rule{
		0: assign.Slower, 1: assign.Slower, 2: assign.NoCapability, 3: assign.WrongKind,
		4: assign.TooHeavy, 5: assign.NoEnergy, 6: assign.TooLate,
	}
	if !reflect.DeepEqual(rules(got), want) || len(got.Excluded) != 7 {
		t.Errorf("excluded %+v, want %v", got.Excluded, want)
	}
	for _, x := range got.Excluded {
		if x.Limit == 0 && x.Object == "" || x.Limit > 0 && x.Number <= x.Limit {
			t.Errorf("the figures of %+v do not show a broken limit", x)
		}
	}
}

func TestAnOfferAddsUp(t *testing.T) {
	c, p := world(t)
	r := rand.New(rand.NewPCG(4, 4))
	a, b, after, home := street(c, r), street(c, r), street(c, r), street(c, r)
	cand := vehicle("kapok-quad", home)
	cand.After = []assign.Stop{{At: after, WorkS: 10}}
	stops := []assign.Stop{{At: a, WorkS: 20, Earliest: noon().Add(5 * time.Minute)}, {At: b, WorkS: 40}}
	o, x := assign.Plan(p, stops, cand, 0)
	if x != nil {
		t.Fatalf("excluded: %+v", x)
	}
	if len(o.Routes) != 4 || len(o.Arrive) != 3 || len(o.Begin) != 3 {
		t.Fatalf("%d routes, %d arrivals, %d begins", len(o.Routes), len(o.Arrive), len(o.Begin))
	}
	if !o.Begin[0].Equal(noon().Add(5*time.Minute)) || !o.Arrive[0].Before(o.Begin[0]) {
		t.Errorf("it arrives at %v and begins at %v", o.Arrive[0], o.Begin[0])
	}
	energy, at := 0.0, noon()
	works := []float64{20, 40, 10}
	for i, w := range o.Routes {
		energy += w.Cost.EnergyWh
		at = at.Add(time.Duration(w.Cost.Seconds * 1e9))
		if v := verify.Path(c, nil, nil, cand.Spec.Kind, w.Path, at, cand.Spec.CruiseMPS); v != nil {
			t.Errorf("route %d: %v", i, v)
		}
		if i < 3 {
			energy += p.Work(&cand.Spec, w.Path[len(w.Path)-1], o.Begin[i].Sub(o.Arrive[i]).Seconds()+works[i], 0).EnergyWh
			at = o.Begin[i].Add(time.Duration(works[i] * 1e9))
		}
	}
	if d := o.EnergyWh - energy; d > 1e-6 || d < -1e-6 || !o.Home.Equal(at) {
		t.Errorf("energy %.3f Wh, home at %v; added up %.3f Wh and %v", o.EnergyWh, o.Home, energy, at)
	}
	if want := 1 - o.EnergyWh/cand.Spec.BatteryWh; math.Abs(o.BatteryAfterRatio-want) > 1e-9 {
		t.Errorf("battery after %g, want %g", o.BatteryAfterRatio, want)
	}
	cand.After[0].Latest = noon()
	if _, x := assign.Plan(p, stops, cand, 0); x == nil || x.Rule != assign.TooLate {
		t.Errorf("a stop of its own that would be late: %+v", x)
	}
	if _, x := assign.Plan(p, stops, cand, 1); x == nil {
		t.Error("one expansion is enough for four routes")
	}
}

func TestAJobThatNobodyCanDoHasNoBest(t *testing.T) {
	c, p := world(t)
	r := rand.New(rand.NewPCG(5, 5))
	job := assign.Job{Stops: []assign.Stop{{At: space.Position{Lon: 1, Lat: 1}}}}
	got := assign.Earliest(p, job, []assign.Candidate{vehicle("kapok-boat", street(c, r)), {}}, noon(), assign.Limits{})
	if got.Best != nil || len(got.Excluded) != 2 || got.Excluded[1].Rule != assign.BadSpec {
		t.Errorf("answer %+v", got)
	}
	if got := assign.Earliest(p, job, nil, noon(), assign.Limits{}); got.Best != nil || len(got.Excluded) != 0 {
		t.Errorf("without candidates: %+v", got)
	}
}

// crowd is a random job with many candidates.
func crowd(c *chart.Chart, r *rand.Rand, n int) (assign.Job, []assign.Candidate) {
	job := assign.Job{Stops: []assign.Stop{{At: street(c, r), WorkS: 20, LoadKg: 1}, {At: street(c, r), WorkS: 20, LoadKg: -1}}}
	if r.IntN(3) == 0 {
		job.Stops[1].Latest = noon().Add(time.Duration(60+r.IntN(900)) * time.Second)
	}
	cs := make([]assign.Candidate, n)
	for i := range cs {
		cs[i] = vehicle([]string{"kapok-quad", "kapok-rover"}[r.IntN(2)], street(c, r))
		cs[i].FreeAt = noon().Add(time.Duration(r.IntN(900)-300) * time.Second)
		cs[i].EnergyWh *= 0.2 + 0.8*r.Float64()
		if r.IntN(3) == 0 {
			cs[i].After = []assign.Stop{{At: street(c, r), WorkS: 5, Latest: noon().Add(time.Duration(r.IntN(2400)) * time.Second)}}
		}
	}
	return job, cs
}

func TestEarliestIsTheBestOfPlanningEveryone(t *testing.T) {
	c, p := world(t)
	chosen := 0
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 6))
		job, cs := crowd(c, r, 12)
		got := assign.Earliest(p, job, cs, noon(), assign.Limits{})
		best, bestAt := -1, time.Time{}
		for i, cand := range cs {
			if cand.FreeAt.Before(noon()) {
				cand.FreeAt = noon()
			}
			o, x := assign.Plan(p, job.Stops, cand, 0)
			if x == nil {
				if at := o.Begin[1]; best < 0 || at.Before(bestAt) {
					best, bestAt = i, at
				}
			}
		}
		switch {
		case got.Best == nil && best >= 0, got.Best != nil && got.Best.Candidate != best:
			t.Fatalf("seed %d: best is %+v, planning everyone gives %d (go test -run TestEarliestIs ./planner/assign)", seed, got.Best, best)
		case best >= 0:
			chosen++
		}
		seen := map[int]bool{best: true}
		for _, x := range got.Excluded {
			if seen[x.Candidate] {
				t.Errorf("seed %d: candidate %d stands twice", seed, x.Candidate)
			}
			seen[x.Candidate] = true
		}
		for i := range cs {
			if !seen[i] {
				t.Errorf("seed %d: candidate %d is not accounted for", seed, i)
			}
		}
		if again := assign.Earliest(p.Clone(), job, cs, noon(), assign.Limits{}); !reflect.DeepEqual(got, again) {
			t.Errorf("seed %d: a second time another answer", seed)
		}
	}
	if chosen < 20 {
		t.Errorf("only %d of 40 jobs were given to someone", chosen)
	}
}

func TestLimitsBoundTheWork(t *testing.T) {
	c, p := world(t)
	job, cs := crowd(c, rand.New(rand.NewPCG(2, 6)), 30)
	job.Stops[1].Latest = time.Time{}
	one := assign.Earliest(p, job, cs, noon(), assign.Limits{MaxCandidates: 1})
	if one.Exhausted || len(one.Excluded) < 29 {
		t.Errorf("with one candidate: %+v", one)
	}
	few := assign.Earliest(p, job, cs, noon(), assign.Limits{MaxExpansions: 5})
	if !few.Exhausted || few.Expansions > 5 {
		t.Errorf("with five expansions: exhausted %v after %d", few.Exhausted, few.Expansions)
	}
}

func BenchmarkEarliest30(b *testing.B) {
	c, p := world(b)
	job, cs := crowd(c, rand.New(rand.NewPCG(2, 6)), 30)
	b.ReportAllocs()
	for b.Loop() {
		assign.Earliest(p, job, cs, noon(), assign.Limits{MaxCandidates: 8})
	}
}

// TestAStopWhereAKindCannotGoLeavesRoomForTheOthers puts a stop into a building
// on a street's side: twenty near drones are excluded by one search, and a rover
// behind all of them in the order gets the job.
func TestAStopWhereAKindCannotGoLeavesRoomForTheOthers(t *testing.T) {
	c, p := world(t)
	r := rand.New(rand.NewPCG(6, 6))
	start := street(c, r)
	inside := start
	for i := range c.Buildings {
		middle := space.BoxOf(c.Outline(int32(i))[0]...).Centre()
		at := c.Frame.Point(middle)
		snapped, ok := c.Snap(space.Position{Lon: at[0], Lat: at[1]})
		if _, covered := c.BuildingAt(middle); ok && covered && snapped.DistM < 60 {
			inside = space.Position{Lon: at[0], Lat: at[1], AltitudeM: c.GroundAltitude(at)}
			break
		}
	}
	cs := make([]assign.Candidate, 0, 21)
	for range 20 {
		cs = append(cs, vehicle("kapok-quad", start))
	}
	cs = append(cs, vehicle("kapok-rover", start))
	got := assign.Earliest(p, assign.Job{Stops: []assign.Stop{{At: inside}}}, cs, noon(), assign.Limits{MaxCandidates: 8})
	if got.Best == nil || got.Best.Candidate != 20 {
		t.Fatalf("best is %+v, excluded %+v", got.Best, got.Excluded)
	}
	for _, x := range got.Excluded {
		if x.Rule != assign.Rule(route.InsideBuilding) || x.Object == "" {
			t.Errorf("excluded as %+v", x)
		}
	}
}

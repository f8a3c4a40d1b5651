package sim

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/sim/city"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// TestFuzzSeeds runs a handful of drawn scenarios. KAPOK_SEED begins elsewhere,
// KAPOK_SEEDS runs more.
func TestFuzzSeeds(t *testing.T) {
	first := number(t, "KAPOK_SEED", 1)
	for seed := first; seed < first+number(t, "KAPOK_SEEDS", 6); seed++ {
		c, err := DrawFuzz(seed, 2*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		v, err := c.Run(context.Background(), Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i := range v.Violations {
			t.Errorf("seed %d: %s\nrepeat with: kapok sim fuzz --seed %d --duration 2m", seed, v.Violations[i].String(), seed)
		}
	}
}

// TestFuzzDrawsOfEverything holds what the seeds 1 to 200 are together: crashes in
// a third, half with 30 vehicles, a tenth with more than 150, each kind of fault,
// both charts, wind in half, zones in all.
func TestFuzzDrawsOfEverything(t *testing.T) {
	crashed, harbours, windy := 0, 0, 0
	var fleets []int
	kinds, faults := map[string]int{}, map[string]int{}
	for seed := range uint64(200) {
		c, err := DrawFuzz(seed+1, 10*time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		s := &c.Scenario
		count := 0
		for i := range s.Fleets {
			count += s.Fleets[i].Count
			kinds[s.Fleets[i].Kind]++
		}
		fleets = append(fleets, count)
		if len(s.Crashes.At) > 0 {
			crashed++
		}
		if s.Chart == "harbour" {
			harbours++
		}
		for kind, n := range countFaults(s) {
			faults[kind] += n
		}
		windy += int(asNumber(s.Conditions.WindMPS > 0))
		if last := s.Conditions.At(s.Duration); len(s.Zones) == 0 || last.WindMPS > mildMPS || len(last.Closed) > 0 {
			t.Errorf("seed %d: %d zones, in the end %+v", seed+1, len(s.Zones), last)
		}
		if len(s.Orders.Timed) == 0 || s.Settle.D() != FuzzSettle {
			t.Errorf("seed %d: %d orders, settle %v", seed+1, len(s.Orders.Timed), s.Settle)
		}
	}
	slices.Sort(fleets)
	large := len(fleets) - slices.IndexFunc(fleets, func(n int) bool { return n > 150 })
	if crashed < 80 || harbours < 25 || harbours > 60 || fleets[100] < 30 || large < 20 || windy < 100 {
		t.Errorf("of 200 seeds %d crash and %d are in the harbour; half have %d vehicles, %d have more than 150, %d have wind", crashed, harbours, fleets[100], large, windy)
	}
	for _, kind := range append(scenario.FaultKinds(), "outage", "storm", "crash", "loss", "duplicate", "reorder", "bandwidth", "jitter", "zone", "change of wind", "closed street") {
		if faults[kind] < 5 {
			t.Errorf("%d faults of kind %s", faults[kind], kind)
		}
	}
	for _, kind := range []string{"rover", "multirotor", "vessel"} {
		if kinds[kind] < 10 {
			t.Errorf("%d fleets of %s", kinds[kind], kind)
		}
	}
}

func TestFuzzDrawsTheSameAgain(t *testing.T) {
	a, errA := DrawFuzz(11, 3*time.Minute)
	b, errB := DrawFuzz(11, 3*time.Minute)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	if !reflect.DeepEqual(a.Scenario, b.Scenario) || a.Chart.Checksum != b.Chart.Checksum {
		t.Error("the same seed draws another scenario")
	}
	again, text, err := rewrite(a.Scenario)
	_, twice, errTwice := rewrite(again)
	if err != nil || errTwice != nil || string(text) != string(twice) {
		t.Errorf("what is written is not what is read: %v", err)
	}
}

// TestEveryCityHasRoom places fleets of all kinds in cities.
func TestEveryCityHasRoom(t *testing.T) {
	for seed := range uint64(40) {
		c, err := city.New(seed, 0)
		if err != nil {
			t.Fatal(err)
		}
		groups := []scenario.Group{{Kind: "rover", Count: 30}, {Kind: "multirotor", Count: 30}}
		for _, w := range c.Water {
			if w.ID == "basin" {
				groups = append(groups, scenario.Group{Kind: "vessel", Count: 5})
			}
		}
		placed, err := scenario.Place(c, groups, seed)
		if err != nil {
			t.Errorf("seed %d: %v", seed, err)
			continue
		}
		air := 0
		for i := range placed.Endpoints {
			if placed.Endpoints[i].Air {
				air++
			}
		}
		if len(placed.Endpoints) < scenario.MinEndpoints || air < 4 {
			t.Errorf("seed %d: %d endpoints, drones reach %d", seed, len(placed.Endpoints), air)
		}
	}
}

// TestShrinkKeepsTheChecker plants one: settings that no fleet can have.
func TestShrinkKeepsTheChecker(t *testing.T) {
	c, err := DrawFuzz(9, 80*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	config := fleet.DefaultConfig()
	config.MaxVehicles = 0
	small, v, runs, err := c.Shrink(context.Background(), Broken, 120, Options{Config: &config}, nil)
	if err != nil || len(v.Violations) == 0 || runs > 120 {
		t.Fatalf("%d runs, %v, %v", runs, v.Violations, err)
	}
	s := &small.Scenario
	if len(s.Fleets) != 1 || s.Fleets[0].Count != 1 || len(s.Orders.Timed)+len(s.Faults)+len(s.Crashes.At)+len(s.Zones) > 0 {
		t.Errorf("it is not small: %+v", s)
	}
}

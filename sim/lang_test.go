package sim

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// written parses a scenario of two robots and two drones at the harbour.
func written(t *testing.T, more string) scenario.Scenario {
	t.Helper()
	s, err := scenario.Parse("s.yaml", []byte("name: s\nchart: harbour\nfleets:\n"+
		"  - {kind: rover, count: 2, prefix: R}\n  - {kind: multirotor, count: 2, prefix: D}\n"+more))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ran runs it.
func ran(t *testing.T, s scenario.Scenario) Result {
	t.Helper()
	r, err := Run(context.Background(), s, Options{Chart: harbourChart(t)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEveryFigureIsThere(t *testing.T) {
	r := ran(t, written(t, "duration: 1m\ncompare: nearest_idle\n"))
	have := r.figures()
	for _, name := range scenario.Figures() {
		if _, ok := have[name]; !ok {
			t.Errorf("%s can be asserted, but nobody counts it", name)
		}
	}
	for name := range have {
		if !slices.Contains(scenario.Figures(), name) {
			t.Errorf("%s is counted, but cannot be asserted", name)
		}
	}
}

// TestOutcomesSayWhenAndWho: an assertion about every second tells at which it was
// decided, and whom it is about.
func TestOutcomesSayWhenAndWho(t *testing.T) {
	s := written(t, `duration: 4m
orders: {timed: [{name: look, at: 5s, kind: visit, work_s: 5, vehicle_kinds: [rover], stops: [node/6037]}]}
network: {outages: [{vehicle: R2, at: 60s, for: 60s}]}
assert:
  - never vehicles_lost > 0
  - never vehicles_lost > 1
  - eventually vehicles_lost == 1
  - eventually within 10s vehicles_lost == 1
  - eventually tasks_ordered == 1
  - never crashes > alerts
  - vehicles_lost == 0
thresholds:
  "response_s{kind=visit}": ["count==1", "max<5", "p(50)>=0"]
  "response_s{kind=delivery}": ["max<5", "count==0"]
  energy_left_ratio: ["min>0.3", "count==4"]
`)
	r := ran(t, s)
	held := map[string]Outcome{}
	for _, o := range r.Outcomes {
		held[o.Assertion] = o
		if o.Expected == "" || o.Found == "" {
			t.Errorf("%+v does not say what was expected and found", o)
		}
	}
	broke := held["never vehicles_lost > 0"]
	if broke.Held || broke.Who != "R2" || broke.AtS < 61 || broke.AtS > 120 || broke.Found != "vehicles_lost was 1" {
		t.Errorf("%+v", broke)
	}
	if came := held["eventually vehicles_lost == 1"]; !came.Held || came.AtS != broke.AtS {
		t.Errorf("%+v", came)
	}
	for text, want := range map[string]bool{
		"never vehicles_lost > 1": true, "eventually within 10s vehicles_lost == 1": false, "eventually tasks_ordered == 1": true,
		"never crashes > alerts": true, "vehicles_lost == 0": true, "response_s{kind=visit} count==1": true,
		"response_s{kind=visit} max<5": false, "response_s{kind=visit} p(50)>=0": true,
		"response_s{kind=delivery} max<5": false, "response_s{kind=delivery} count==0": true,
		"energy_left_ratio min>0.3": true, "energy_left_ratio count==4": true,
	} {
		if o, ok := held[text]; !ok || o.Held != want {
			t.Errorf("%s: %+v, want %v", text, o, want)
		}
	}
}

// TestDemandFollowsTheHour: nothing in the hours of rate 0, about the rate in others,
// the same for the same seed, and only to the area.
func TestDemandFollowsTheHour(t *testing.T) {
	s := written(t, `duration: 5h
seed: 4
start: 2026-03-02T06:30:00Z
demand:
  - areas: [{area: {at: node/6026, radius_m: 200}, pickup: node/6037, priority: urgent, per_hour: [0, 0, 0, 0, 0, 0, 0, 200, 400, 0, 100, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]}]
    until: 4h45m
`)
	place, err := scenario.Place(harbourChart(t), s.Groups(), s.Seed)
	if err != nil {
		t.Fatal(err)
	}
	plan, left := NewPlan(s, place)
	again, _ := NewPlan(s, place)
	if len(left) > 0 || len(again.Orders) != len(plan.Orders) {
		t.Fatalf("left %v, %d orders, then %d", left, len(plan.Orders), len(again.Orders))
	}
	hours := map[int]float64{}
	for i, o := range plan.Orders {
		hours[s.Start.Add(o.At).Hour()]++
		if again.Orders[i].At != o.At || o.Order.Priority != "urgent" || len(o.Order.Stops) != 2 || o.At > 285*time.Minute {
			t.Errorf("order %d: %+v, then %+v", i, o, again.Orders[i])
		}
	}
	for hour, want := range map[int]float64{6: 0, 7: 200, 8: 400, 9: 0, 10: 100, 11: 0} {
		if got := hours[hour]; math.Abs(got-want) > 4*math.Sqrt(want) {
			t.Errorf("%v orders in the hour %d, want about %v", got, hour, want)
		}
	}
}

// TestDemandOfRecords lays parcels of Rio de Janeiro and calls of Seattle onto the
// harbour.
func TestDemandOfRecords(t *testing.T) {
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = "../../shared/data"
	}
	if _, err := os.Stat(filepath.Join(data, "demand")); err != nil {
		t.Skip("there is no folder demand in the data folder; set KAPOK_DATA")
	}
	s, err := scenario.Load("scenario/testdata/records.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPlan(s, scenario.Placement{}); len(err) != 1 || !strings.Contains(err[0], "demand[0]") {
		t.Errorf("without its files: %v", err)
	}
	if _, err := Run(context.Background(), s, Options{Chart: harbourChart(t)}); !errors.Is(err, ErrUnreadDemand) {
		t.Errorf("without its files: %v", err)
	}
	on, err := scenario.Charts{Dir: "scenario/testdata", Data: data, Harbour: harbour.Chart}.Prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), s, Options{Chart: on})
	if err != nil {
		t.Fatal(err)
	}
	if !r.Passed() {
		t.Errorf("not all holds:\n%s", report(r))
	}
}

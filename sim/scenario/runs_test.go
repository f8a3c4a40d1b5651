package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func parsed(t *testing.T, more string) Scenario {
	t.Helper()
	s, err := Parse("s.yaml", []byte(small+more))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestMatrixMakesARunForEachCombination(t *testing.T) {
	runs, err := ParseAll("s.yaml", []byte(small+`faults: [{kind: slow, vehicle: R1, at: 1s, for: 1s, amount: 2}]
orders: {stream: [{per_minute: 1, mix: {visit: 1}}]}
matrix:
  seed: [2, 3]
  network.loss: [0, 0.05]
  "faults[0].for": [5s]
  "orders.stream[0].mix.delivery": [0.5]
`))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for i := range runs {
		names = append(names, runs[i].Name)
	}
	const rest = ",faults[0].for=5s,orders.stream[0].mix.delivery=0.5]"
	want := []string{"x[seed=2,network.loss=0" + rest, "x[seed=2,network.loss=0.05" + rest, "x[seed=3,network.loss=0" + rest, "x[seed=3,network.loss=0.05" + rest}
	if !slices.Equal(names, want) {
		t.Errorf("runs %q", names)
	}
	last := runs[3]
	if last.Seed != 3 || last.Network.Loss != 0.05 || last.Faults[0].For != Duration(5*time.Second) ||
		last.Orders.Stream[0].Mix["delivery"] != 0.5 || runs[0].Network.Loss != 0 || last.Matrix != nil {
		t.Errorf("the last run is %+v", last)
	}
	// The runs share nothing that one of them could change for another.
	runs[0].Orders.Stream[0].Mix["visit"] = 9
	if runs[1].Orders.Stream[0].Mix["visit"] != 1 {
		t.Error("two runs share a map")
	}
	if one, err := ParseAll("s.yaml", []byte(small)); err != nil || len(one) != 1 || one[0].Name != "x" {
		t.Errorf("without a matrix: %+v, %v", one, err)
	}
}

func TestWhatRecursIsRepeated(t *testing.T) {
	s := parsed(t, `orders:
  timed:
    - {name: pills, at: 10s, every: 20s, kind: visit, stops: ["@1"]}
    - {name: round, at: 5s, every: 10s, until: 25s, kind: patrol}
zones: [{name: crane, at: 1s, every: 30s, times: 2, for: 3s, rule: keep_out, circle: {at: "@1", radius_m: 5}}]
faults: [{kind: frozen, vehicle: R1, at: 1s, every: 10s, times: 3, for: 2s}]
assert: [within 20s task pills done]
`)
	var got []string
	for _, o := range s.Orders.Timed {
		got = append(got, fmt.Sprint(o.Name, " ", o.At))
	}
	for _, z := range s.Zones {
		got = append(got, fmt.Sprint(z.Name, " ", z.At))
	}
	for _, f := range s.Faults {
		got = append(got, fmt.Sprint(f.Kind, " ", f.At))
	}
	want := []string{
		"pills 10s", "pills/2 30s", "pills/3 50s", "round 5s", "round/2 15s", "round/3 25s",
		"crane 1s", "crane/2 31s", "frozen 1s", "frozen 11s", "frozen 21s",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFaultsOfFleets(t *testing.T) {
	s, err := Parse("s.yaml", []byte(strings.Replace(small, "prefix: R}", "prefix: R}\n  - {kind: rover, count: 12, prefix: RX}", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		word, vehicle string
		want          bool
	}{{"*", "R1", true}, {"R*", "R1", true}, {"R*", "RX1", false}, {"RX*", "RX12", true}, {"R1", "R1", true}, {"R1", "R12", false}, {"Q*", "Q1", false}} {
		if got := s.Named(c.word, c.vehicle); got != c.want {
			t.Errorf("%s names %s: %v", c.word, c.vehicle, got)
		}
	}
}

func TestThresholds(t *testing.T) {
	values := []float64{5, 1, 4, 2, 3, 0}
	for expression, want := range map[string]float64{
		"p(90)<180": 4.5, "p(0)<1": 0, "p(100)<1": 5, "avg<3": 2.5, "min>=0": 0, "max <= 5": 5, "med==2.5": 2.5, "count>5": 6, "rate>0.5": 5.0 / 6,
	} {
		th, err := ParseThreshold("response_s{ priority = emergency , kind=visit}", expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, ok := th.Of(slices.Clone(values)); !ok || got != want {
			t.Errorf("%s is %v, want %v", expression, got, want)
		}
		if len(th.Selectors) != 2 || th.Selectors[0] != (Selector{"kind", "visit"}) {
			t.Errorf("selectors %v", th.Selectors)
		}
	}
	th, err := ParseThreshold("done", "avg>0")
	if _, ok := th.Of(nil); err != nil || ok {
		t.Errorf("an average of nothing: %v", err)
	}
	for _, bad := range []string{"p(101)<1", "p(x)<1", "avg", "avg<", "avg<many", "avg!=1", "<1", "avg<1<2", "avg<NaN"} {
		if _, err := ParseThreshold("done", bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, bad := range []string{"", "done{", "done{}", "done{priority}", "done{priority=}", "done{priority=urgent,priority=routine}", "commit_ms{kind=x}"} {
		if _, err := ParseThreshold(bad, "avg<1"); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func TestAssertionsAboutSeconds(t *testing.T) {
	a, err := ParseAssertion("eventually within 300s tasks_done >= 3")
	if err != nil || a.When != Eventually || a.Within != 300*time.Second || a.Figure != "tasks_done" {
		t.Errorf("%+v, %v", a, err)
	}
	b, err := ParseAssertion("never vehicles_lost > vehicles_live")
	if err != nil || b.When != Never || b.Other != "vehicles_live" || b.Expects() != "at no second > vehicles_live" {
		t.Errorf("%+v, %v", b, err)
	}
	for _, bad := range []string{"never", "eventually within tasks_done > 3", "eventually within 0s tasks_done > 3", "never tasks_lost > 0", "never within 3s tasks_done > 1", "never tasks_done > NaN"} {
		if _, err := ParseAssertion(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
	for _, name := range LiveFigures() {
		if !slices.Contains(Figures(), name) {
			t.Errorf("%s can be read each second, but not at the end", name)
		}
	}
}

func TestRealtimeIsSaid(t *testing.T) {
	live := parsed(t, "realtime: true\n")
	if err := live.ForRealtime(); err != nil {
		t.Error(err)
	}
	for more, want := range map[string]string{
		"crashes: {random: 2}\n": "s.yaml:7:", "": "s.yaml:1:",
	} {
		s := parsed(t, "seed: 3\n"+more)
		err := s.ForRealtime()
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want it to begin with %s", more, err, want)
		}
	}
}

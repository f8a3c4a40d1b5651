package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func harbourChart(t testing.TB) *chart.Chart {
	t.Helper()
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func example(t testing.TB, name string) scenario.Scenario {
	t.Helper()
	s, err := scenario.Load("scenario/testdata/" + name + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustRun runs a scenario and says how to repeat it when it fails.
func mustRun(t testing.TB, s scenario.Scenario, c *chart.Chart) Result {
	t.Helper()
	r, err := Run(context.Background(), s, Options{Chart: c, Wall: time.Now})
	if err != nil {
		t.Fatalf("%v\nrepeat: kapok sim run sim/scenario/testdata/%s.yaml --seed %d", err, s.Name, s.Seed)
	}
	return r
}

func report(r Result) string {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err.Error()
	}
	return string(text)
}

func TestExamplesHold(t *testing.T) {
	c := harbourChart(t)
	for _, name := range []string{"harbour-small", "crashes", "links"} {
		t.Run(name, func(t *testing.T) {
			r := mustRun(t, example(t, name), c)
			if !r.Passed() {
				t.Errorf("not all assertions hold:\n%s", report(r))
			}
			t.Logf("%.0f simulated seconds in %.2f s, %d events", r.SimulatedS, r.WallSeconds, r.Events)
		})
	}
}

func TestSameSeedSameEvents(t *testing.T) {
	c := harbourChart(t)
	s := example(t, "crashes")
	s.Duration = scenario.Duration(6 * time.Minute)
	s.Assert = nil
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	var sums []string
	for _, run := range []struct {
		procs int
		seed  uint64
	}{{1, 3}, {2, 3}, {2, 4}} {
		runtime.GOMAXPROCS(run.procs)
		s.Seed = run.seed
		r := mustRun(t, s, c)
		r.WallSeconds = 0
		sums = append(sums, fmt.Sprint(report(r)))
	}
	if sums[0] != sums[1] {
		t.Errorf("seed 3 with one processor and with two:\n%s\n%s", sums[0], sums[1])
	}
	if sums[1] == sums[2] {
		t.Error("seeds 3 and 4 gave the same run")
	}
}

func BenchmarkSimulate500(b *testing.B) {
	c := harbourChart(b)
	s := example(b, "harbour-500")
	for b.Loop() {
		r := mustRun(b, s, c)
		b.ReportMetric(r.SimulatedS/r.WallSeconds, "x_realtime")
		b.ReportMetric(float64(r.Done), "done")
	}
}

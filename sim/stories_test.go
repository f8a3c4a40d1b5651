package sim

import (
	"context"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// TestStoriesHold runs every story to its end. They need nothing but the embedded
// chart.
func TestStoriesHold(t *testing.T) {
	files, err := filepath.Glob("scenario/stories/*.yaml")
	if err != nil || len(files) < 7 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
	live := 0
	for _, file := range files {
		runs, err := scenario.LoadAll(file)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, s := range runs {
			if s.Realtime {
				live++
			}
			t.Run(s.Name, func(t *testing.T) { tell(t, file, s) })
		}
	}
	if live == 0 {
		t.Error("no story may be run with --connect")
	}
}

// tell runs a story.
func tell(t *testing.T, file string, s scenario.Scenario) {
	if s.Proves == "" {
		t.Errorf("%s does not say what it proves", file)
	}
	on, err := scenario.Charts{Dir: filepath.Dir(file), Harbour: harbour.Chart}.Prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := Run(context.Background(), s, Options{Chart: on, Wall: time.Now})
	if err != nil {
		t.Fatalf("%v\nrepeat: kapok sim run sim/%s", err, file)
	}
	if !r.Passed() {
		for _, o := range r.Outcomes {
			if !o.Held {
				t.Errorf("%s: want %s, found %s at %.0f s %s", o.Assertion, o.Expected, o.Found, o.AtS, o.Who)
			}
		}
		t.Logf("repeat: kapok sim run sim/%s\n%s", file, report(r))
	}
	t.Logf("%.0f simulated seconds in %.2f s, %d events", r.SimulatedS, r.WallSeconds, r.Events)
}

// TestStoriesAreTheSameOnAnyNumberOfProcessors: the checksum over all events is the
// same with one processor and with two.
func TestStoriesAreTheSameOnAnyNumberOfProcessors(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, name := range []string{"defibrillator", "flood", "gale"} {
		file := "scenario/stories/" + name + ".yaml"
		s, err := scenario.Load(file)
		if err != nil {
			t.Fatal(err)
		}
		s.Duration = min(s.Duration, scenario.Duration(15*time.Minute))
		s.Settle = 0
		var sums []string
		for procs := range 2 {
			runtime.GOMAXPROCS(procs + 1)
			r, err := Run(context.Background(), s, Options{Chart: harbourChart(t)})
			if err != nil {
				t.Fatalf("%v\nrepeat: kapok sim run sim/%s --for 15m", err, file)
			}
			r.WallSeconds = 0
			sums = append(sums, r.EventLogSHA256+report(r))
		}
		if sums[0] != sums[1] {
			t.Errorf("%s with one processor and with two:\n%s\n%s", name, sums[0], sums[1])
		}
	}
}

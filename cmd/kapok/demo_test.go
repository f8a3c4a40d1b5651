package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestDemoEndsByItself runs a short demonstration at high speed and looks at its
// summary.
func TestDemoEndsByItself(t *testing.T) {
	t.Parallel()
	var out, said bytes.Buffer
	env := func(string) string { return "" }
	args := []string{"demo", "--for", "3s", "--speed", "20", "--every", "6s", "--drones", "4", "--robots", "4", "-o", "json"}
	status := runContext(t.Context(), args, console{in: strings.NewReader(""), out: &out, err: &said, env: env})
	if status != 0 {
		t.Fatalf("status %d\n%s\n%s", status, &out, &said)
	}
	var s demoSummary
	if err := json.Unmarshal(out.Bytes(), &s); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if s.Chart != "harbour" || s.Vehicles != 8 || s.Seed != 1 || !s.Passed {
		t.Errorf("%+v", s)
	}
	if s.FleetSeconds < 55 || s.FleetSeconds > 90 {
		t.Errorf("%g s of the fleet's time, want about 60", s.FleetSeconds)
	}
	if s.Ordered < 7 || s.Refused != 0 || s.Lost != 0 || s.ZoneViolations != 0 {
		t.Errorf("%+v", s)
	}
	if sum := s.Done + s.Underway + s.Waiting + s.Failed + s.Cancelled; sum != s.Ordered {
		t.Errorf("%d tasks are accounted for, %d were ordered", sum, s.Ordered)
	}
	if !regexp.MustCompile(`export KAPOK_URL=http://127\.0\.0\.1:\d+ KAPOK_TOKEN=kpk_`).MatchString(said.String()) {
		t.Errorf("it does not say how to look in:\n%s", &said)
	}
}

func TestWhatTheDemonstrationPromises(t *testing.T) {
	start := time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	order := func(promised int) *demoOrder { return &demoOrder{task: "T", at: start, promised: at(promised)} }
	task := func(state string, begun int) *api.Task {
		v := &api.Task{State: state, Reason: "why", Stops: []api.TaskStop{{}, {}}}
		if begun > 0 {
			v.Stops[1].BegunAt = at(begun)
		}
		return v
	}
	for _, test := range []struct {
		name  string
		order *demoOrder
		task  *api.Task
		want  demoSummary
		kept  bool
	}{
		{"done in time", order(100), task("done", 110), demoSummary{Done: 1, Due: 1, DueDone: 1}, true},
		{"done late", order(100), task("done", 161), demoSummary{Done: 1, Due: 1, DueDone: 1, Late: 1}, true},
		{"due and not done", order(100), task("underway", 0), demoSummary{Underway: 1, Due: 1, Late: 1}, false},
		{"not yet due", order(241), task("underway", 0), demoSummary{Underway: 1}, true},
		{"without a promise", &demoOrder{task: "T", at: start}, task("waiting", 0), demoSummary{Waiting: 1, Unpromised: 1}, true},
		{"due and failed", order(100), task("failed", 0), demoSummary{Failed: 1, Due: 1, Late: 1}, false},
		{"forgotten", order(100), nil, demoSummary{Lost: 1}, false},
		{"waits without a reason", order(290), &api.Task{State: "waiting", Stops: []api.TaskStop{{}}}, demoSummary{Waiting: 1, Lost: 1}, false},
	} {
		var s demoSummary
		s.count(test.order, test.task, at(300))
		if fmt.Sprint(s) != fmt.Sprint(test.want) {
			t.Errorf("%s: %+v, want %+v", test.name, s, test.want)
		}
		if kept := len(s.faults()) == 0; kept != test.kept {
			t.Errorf("%s: faults %v", test.name, s.faults())
		}
	}
	for _, bad := range []demoSummary{{ZoneViolations: 1}, {ZoneAlerts: 1}, {BuildingHits: 1}, {StopsDoneTwice: 1}, {Due: 11, DueDone: 9}} {
		if len(bad.faults()) != 1 {
			t.Errorf("%+v has the faults %v", bad, bad.faults())
		}
	}
}

// TestTheFleetsClockNeverGoesBack opens the clock of one data directory again
// and again, at other speeds.
func TestTheFleetsClockNeverGoesBack(t *testing.T) {
	dir := t.TempDir()
	last := time.Time{}
	for i, speed := range []float64{1, 20, 20, 5, 1, 1, 30} {
		clock, err := openClock(dir, speed)
		if err != nil {
			t.Fatal(err)
		}
		now := clock.now()
		if now.Before(last) {
			t.Errorf("opening %d at speed %g: %v is before %v", i, speed, now, last)
		}
		// Ten minutes of the wall clock later it has run at its speed.
		later := clock.at(clock.Wall.Add(10 * time.Minute))
		if ran := later.Sub(clock.Fleet); ran != time.Duration(speed*600)*time.Second {
			t.Errorf("at speed %g it ran %v in ten minutes", speed, ran)
		}
		last = now
	}
	if _, err := openClock(dir, 0); err == nil {
		t.Error("a clock that stands still was opened")
	}
}

func TestCoordinates(t *testing.T) {
	for text, want := range map[string]string{
		"113.93,22.51":    "113.93 22.51 <nil>",
		"113.93, 22.51":   "113.93 22.51 <nil>",
		"-1.5,51.25,30.5": "-1.5 51.25 30.5",
		"locker-1":        "",
		"1,2,3,4":         "",
		"a,b":             "bad",
	} {
		p, ok, err := coordinates(text)
		got := ""
		switch {
		case err != nil:
			got = "bad"
		case ok && p.AltitudeM != nil:
			got = fmt.Sprint(p.Lon, p.Lat, *p.AltitudeM)
		case ok:
			got = fmt.Sprint(p.Lon, p.Lat, " <nil>")
			got = strings.ReplaceAll(got, "  ", " ")
		}
		if got != want {
			t.Errorf("%q gives %q, want %q", text, got, want)
		}
	}
}

// TestForeignTextsCannotSteerATerminal: what others wrote is shown without
// control characters.
func TestForeignTextsCannotSteerATerminal(t *testing.T) {
	var out bytes.Buffer
	if err := printTable(&out, []string{"NOTE"}, [][]string{{"\x1b[2J庙街\tevil\u009b1m"}}); err != nil {
		t.Fatal(err)
	}
	if got := out.String(); got != "NOTE\n [2J庙街 evil 1m\n" {
		t.Errorf("%q", got)
	}
}

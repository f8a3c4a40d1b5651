package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// quickly runs a benchmark of the real binary for a few seconds. That it works is
// what is tested, not that anything is fast: exit status 0 whatever the checks say.
func quickly(t *testing.T, args ...string) (report rig.Report, checks map[string]rig.Check) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes some seconds")
	}
	command := exec.CommandContext(t.Context(), buildKapok(t), append(append([]string{"bench"}, args...), "--quick", "-o", "json")...)
	var talk bytes.Buffer
	command.Stderr = &talk
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, talk.String())
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatalf("reading the report: %v: %s", err, out)
	}
	checks = map[string]rig.Check{}
	for _, c := range report.Checks {
		checks[c.Name] = c
	}
	if !report.Quick || report.Machine.Cores < 1 || report.Machine.Go == "" || len(report.Processes) == 0 || len(report.Rows) == 0 {
		t.Errorf("the report lacks something: %s", out)
	}
	return report, checks
}

func TestBenchIngest(t *testing.T) {
	t.Parallel()
	report, checks := quickly(t, "ingest")
	for _, row := range report.Rows {
		if row.Value <= 0 && !strings.Contains(row.Name, "connection") && !strings.Contains(row.Name, "nothing is sent") {
			t.Errorf("%s is %g", row.Name, row.Value)
		}
	}
	if len(checks) != 7 {
		t.Errorf("checks %+v, want seven", checks)
	}
}

func TestBenchOverload(t *testing.T) {
	t.Parallel()
	report, checks := quickly(t, "overload")
	// However slow the machine is, nothing is lost.
	for _, name := range []string{"orders without a good answer", "tasks lost of those that were answered", "the alert of the fault in the middle is there"} {
		if c, ok := checks[name]; !ok || !c.Holds {
			t.Errorf("%s: %+v; notes %q", name, c, report.Notes)
		}
	}
	if len(checks) != 8 {
		t.Errorf("checks %+v, want eight", checks)
	}
}

func TestBenchRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"nothing"},
		{"ingest", "--slices=0"},
		{"ingest", "--seconds=1ms"},
		{"ingest", "--vehicles=0"},
		{"ingest", "--frames-hz=51"},
		{"ingest", "--connections=-1"},
		{"overload", "--seconds=0s"},
		{"overload", "--probe=1h"},
		{"overload", "--vehicles=1"},
		{"overload", "--normal-hz=NaN"},
		{"load", "extra"},
		{"profile", "only-a-file"},
	} {
		var talk bytes.Buffer
		c := console{in: strings.NewReader(""), out: &talk, err: &talk, env: func(string) string { return "" }}
		if status := runContext(t.Context(), append([]string{"bench"}, args...), c); status != exitUsage {
			t.Errorf("%v: exit status %d: %s", args, status, talk.String())
		}
	}
}

// A load that is told nonsense says so and goes on; it ends with its orders.
func TestBenchLoadTakesOrders(t *testing.T) {
	t.Parallel()
	var out, talk bytes.Buffer
	orders := `{"report":true}
{"options":{"url":"nowhere"}}
{"options":{"url":"http://127.0.0.1:9","vehicles":0}}
{}
{"frames_hz":-1}
{"report":true}
`
	in, tell := strings.NewReader(orders), &out
	c := console{in: in, out: tell, err: &talk, env: func(string) string { return "" }}
	if status := runContext(t.Context(), []string{"bench", "load"}, c); status != exitOK {
		t.Fatalf("exit status %d: %s", status, talk.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 6 {
		t.Fatalf("%d answers: %q", len(lines), lines)
	}
	for i, bad := range []bool{true, true, false, true, true, false} {
		if got := strings.Contains(lines[i], `"error"`) && !strings.Contains(lines[i], `"report"`); got != bad {
			t.Errorf("answer %d: %s", i+1, lines[i])
		}
	}
}

func TestBenchFanout(t *testing.T) {
	t.Parallel()
	report, checks := quickly(t, "fanout")
	// However slow the machine is, who reads is not cut off.
	if c, ok := checks["dispatchers cut off though they read"]; !ok || !c.Holds {
		t.Errorf("%+v; notes %q", c, report.Notes)
	}
	bytes := 0
	for _, row := range report.Rows {
		if strings.HasSuffix(row.Name, "sent a second") && row.Value > 0 {
			bytes++
		}
	}
	if bytes != 4 {
		t.Errorf("bytes came to %d kinds of dispatchers, want four: %+v", bytes, report.Rows)
	}
}

func TestBenchTasks(t *testing.T) {
	t.Parallel()
	report, checks := quickly(t, "tasks")
	if c, ok := checks["orders at a steady pace, that came to a vehicle"]; !ok || !c.Holds {
		t.Errorf("%+v; notes %q", c, report.Notes)
	}
	if len(checks) != 4 {
		t.Errorf("checks %+v, want four", checks)
	}
}

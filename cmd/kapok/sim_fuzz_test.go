package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// fuzzing runs the command with options of its own for the runs.
func fuzzing(t *testing.T, options sim.Options, args ...string) (out, said string, err error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	c := console{out: &stdout, err: &stderr}
	cmd := fuzzCommand(c, &simFuzz{options: options})
	cmd.SetArgs(args)
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	err = cmd.ExecuteContext(context.Background())
	return stdout.String(), stderr.String(), err
}

func TestFuzzTellsWhatItRan(t *testing.T) {
	out, _, err := fuzzing(t, sim.Options{Wall: time.Now}, "--seeds", "2", "--first-seed", "5", "--duration", "20s", "-o", "json")
	if err != nil {
		t.Fatal(err)
	}
	var sum fuzzSummary
	if err := json.Unmarshal([]byte(out), &sum); err != nil {
		t.Fatal(err)
	}
	if sum.Seeds != 2 || sum.FirstSeed != 5 || sum.VehiclesP50 < 6 || sum.Events == 0 || sum.SimulatedH <= 0 || len(sum.Violations) > 0 {
		t.Errorf("%+v", sum)
	}
	out, _, err = fuzzing(t, sim.Options{Wall: time.Now}, "--seed", "5", "--duration", "20s", "-o", "table")
	if err != nil || !strings.Contains(out, "fuzz-5, seed 5") || !strings.Contains(out, "1, from 5; 0 with a violation") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFuzzShrinksAViolation plants one: a fleet whose settings cannot be used.
func TestFuzzShrinksAViolation(t *testing.T) {
	config := fleet.DefaultConfig()
	config.MaxVehicles = 0
	file := filepath.Join(t.TempDir(), "small.yaml")
	_, said, err := fuzzing(t, sim.Options{Config: &config}, "--seeds", "20", "--duration", "40s", "--jobs", "1", "--shrink", "--file", file)
	if err == nil || !strings.HasPrefix(err.Error(), "seed 1: run: ") {
		t.Fatalf("%v\n%s", err, said)
	}
	for _, want := range []string{"seed 1, kapok ", "repeat it with: kapok sim fuzz --seed 1 --duration 40s", "kapok sim run "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	s, err := scenario.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	vehicles := 0
	for i := range s.Fleets {
		vehicles += s.Fleets[i].Count
	}
	if vehicles != 1 || len(s.Orders.Timed)+len(s.Faults)+len(s.Crashes.At) > 0 || s.Duration.D() > 20*time.Second {
		t.Errorf("it is not small:\n%s", text)
	}
}

func TestFuzzRefusesWhatCannotBe(t *testing.T) {
	for _, args := range [][]string{{"--seeds", "0"}, {"--duration", "1s"}, {"--duration", "48h"}, {"--jobs", "0"}, {"-o", "xml"}} {
		if _, _, err := fuzzing(t, sim.Options{}, args...); err == nil {
			t.Errorf("%v is taken", args)
		}
	}
}

package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

// The quick run works, and right answers do not depend on the time it has.
func TestBenchFences(t *testing.T) {
	t.Parallel()
	var out, talk bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &talk, env: func(string) string { return "" }}
	if status := runContext(t.Context(), []string{"bench", "fences", "--quick", "--places", "3000", "-o", "json"}, c); status != exitOK {
		t.Fatalf("exit status %d: %s", status, talk.String())
	}
	var report struct {
		Rows []struct {
			Name  string
			Value float64
		}
		Checks []struct {
			Name  string
			Holds bool
		}
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, check := range report.Checks {
		if strings.Contains(check.Name, "disagrees") {
			right++
			if !check.Holds {
				t.Errorf("%s: does not hold", check.Name)
			}
		}
	}
	if right != 3 {
		t.Errorf("checks %+v, want three of answers", report.Checks)
	}
	for _, row := range report.Rows {
		if row.Value <= 0 {
			t.Errorf("%s is %g", row.Name, row.Value)
		}
	}
}

func TestBenchFencesRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--zones=0", "--corners=2", "--slices=0", "--seconds=1ms", "--places=0", "--chart=/nowhere.osm"} {
		var talk bytes.Buffer
		c := console{in: strings.NewReader(""), out: &talk, err: &talk, env: func(string) string { return "" }}
		if status := runContext(t.Context(), []string{"bench", "fences", flag}, c); status != exitUsage {
			t.Errorf("%s: exit status %d: %s", flag, status, talk.String())
		}
	}
}

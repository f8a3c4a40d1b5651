package main

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
)

// A small town is measured as a large one is: all ways hold, and a zone put across one
// is seen.
func TestBenchAir(t *testing.T) {
	t.Parallel()
	var out, talk bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &talk, env: func(string) string { return "" }}
	args := []string{"bench", "air", "--quick", "--buildings", "600", "--over", "flat", "-o", "json"}
	if status := runContext(t.Context(), args, c); status != exitOK {
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
	found := 0.0
	for _, row := range report.Rows {
		if strings.HasSuffix(row.Name, "flights found") {
			found = row.Value
		}
	}
	if found < 20 || len(report.Checks) == 0 {
		t.Errorf("%g flights of 30 were found: %s", found, out.String())
	}
	for _, check := range report.Checks {
		if !check.Holds {
			t.Errorf("%s does not hold", check.Name)
		}
	}
}

func TestBenchAirRefusesNonsense(t *testing.T) {
	for _, args := range []string{"--buildings 0", "--zones -1", "--queries 0", "--over sea"} {
		c := console{in: strings.NewReader(""), out: io.Discard, err: io.Discard, env: func(string) string { return "" }}
		if status := runContext(t.Context(), append([]string{"bench", "air"}, strings.Fields(args)...), c); status != exitUsage {
			t.Errorf("%s: exit status %d", args, status)
		}
	}
}

// BenchmarkFlights asks for flights in the town of kapok bench air, one after the other.
func BenchmarkFlights(b *testing.B) {
	town, err := newAirTown(1, airBuildings, 500, false)
	if err != nil {
		b.Fatal(err)
	}
	spec, _ := motion.Preset(airModel)
	questions := (&airFlags{queries: 100}).flights(town, spec)
	p, err := route.NewPlanner(&route.World{Chart: town.chart, Zones: town.zones})
	if err != nil {
		b.Fatal(err)
	}
	expansions := 0
	for n := 0; b.Loop(); n++ {
		way, _ := p.Find(questions[n%len(questions)])
		expansions += way.Expansions
	}
	b.ReportMetric(float64(expansions)/float64(b.N), "expansions/op")
}

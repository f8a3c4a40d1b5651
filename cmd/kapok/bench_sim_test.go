package main

import (
	"slices"
	"testing"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

func TestBenchSim(t *testing.T) {
	t.Parallel()
	report, checks := quickly(t, "sim", "--sizes", "8,40", "--slices", "2", "--for", "20s", "--hour", "10s")
	for _, name := range []string{
		"8 vehicles: times real time on one core", "8 vehicles: processor time of a vehicle for an hour",
		"40 vehicles: times real time on one core", "40 vehicles: memory at the most",
		"from 8 to 40 vehicles: the cost grows by the power", "500 vehicles for 10s: times real time",
	} {
		if i := slices.IndexFunc(report.Rows, func(r rig.Row) bool { return r.Name == name }); i < 0 || report.Rows[i].Value <= 0 {
			t.Errorf("no row %q, or nothing in it; rows %+v", name, report.Rows)
		}
	}
	// However slow the machine is, nothing is violated and equal runs are equal.
	name := "violations found by the checkers, and runs that differ"
	if c, ok := checks[name]; !ok || !c.Holds {
		t.Errorf("%s: %+v; notes %q", name, c, report.Notes)
	}
	for _, name := range []string{"from 8 to 40 vehicles: growth of the cost, of n log n", "500 vehicles for 10s: memory at the most"} {
		if _, ok := checks[name]; !ok {
			t.Errorf("no check %q; checks %+v", name, checks)
		}
	}
}

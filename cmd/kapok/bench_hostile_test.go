package main

import (
	"slices"
	"testing"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// TestTheBenchmarkOfAttacksWorks attacks for a second each; how well anybody is
// served meanwhile is not judged by it.
func TestTheBenchmarkOfAttacksWorks(t *testing.T) {
	if testing.Short() {
		t.Skip("it starts servers and attackers for some seconds")
	}
	report, checks := quickly(t, "hostile", "--only", "telemetry-flood,token-guessing")
	if !slices.ContainsFunc(report.Processes, func(p rig.Placed) bool { return p.Name == "server" }) {
		t.Errorf("the report does not say where the server ran: %+v", report.Processes)
	}
	if still, ok := checks["attacks that no metric tells of"]; !ok || !still.Holds {
		t.Errorf("not every attack arrived: %+v, %v", still, report.Notes)
	}
}

package sim

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// TestZoneAcrossFlights lays a zone across the ways of ten flying drones, with
// several seeds: KAPOK_SEEDS says how many (3 when it does not).
func TestZoneAcrossFlights(t *testing.T) {
	c := harbourChart(t)
	s := example(t, "zone-popup")
	var first string
	for seed := range number(t, "KAPOK_SEEDS", 3) {
		s.Seed = seed + 1
		r := mustRun(t, s, c)
		if !r.Passed() {
			t.Errorf("not all assertions hold; repeat: kapok sim run sim/scenario/testdata/zone-popup.yaml --seed %d\n%s", s.Seed, report(r))
		}
		if seed == 0 {
			first = r.EventLogSHA256
		}
	}
	s.Seed = 1
	if again := mustRun(t, s, c); again.EventLogSHA256 != first {
		t.Error("the same scenario gave other events the second time")
	}
}

// shortCity is how much of Monaco's two hours every test run sees.
const shortCity = 20 * time.Minute

// TestMonaco runs a real city: twenty minutes of it twice, without the zone, or with KAPOK_CITY=1 the whole scenario with the rule of
// dispatch that it is compared with. KAPOK_SEEDS says with how many seeds (1 when
// it does not).
func TestMonaco(t *testing.T) {
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "shared", "data")
	}
	s := example(t, "monaco")
	c, err := scenario.Charts{Dir: "scenario/testdata", Data: data, Harbour: harbour.Chart}.Open(s.Chart, s.Terrain...)
	if errors.Is(err, scenario.ErrNoData) || errors.Is(err, os.ErrNotExist) {
		t.Skipf("test data are not there: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	full := os.Getenv("KAPOK_CITY") != ""
	if !full {
		s.Duration, s.Zones, s.Compare = scenario.Duration(shortCity), nil, ""
		s.Orders.Stream[0].Count, s.Orders.Stream[0].Until = 15, scenario.Duration(shortCity/2)
		s.Incidents.Timed, s.Incidents.Stream[0].Count = nil, 4
		s.Incidents.Stream[0].Until = scenario.Duration(shortCity / 2)
		s.Assert = []string{
			"incidents_reported == 4", "incidents_reached == 4", "tasks_lost == 0", "stops_done_twice == 0",
			"stops_missed == 0", "custody_breaches == 0", "zone_violations == 0", "building_hits == 0",
		}
	}
	for seed := range number(t, "KAPOK_SEEDS", 1) {
		s.Seed = seed + 1
		t.Run(strconv.FormatUint(s.Seed, 10), func(t *testing.T) {
			r := mustRun(t, s, c)
			if !r.Passed() {
				t.Errorf("not all assertions hold; repeat: kapok sim run sim/scenario/testdata/monaco.yaml --seed %d\n%s", s.Seed, report(r))
			}
			if !full && mustRun(t, s, c).EventLogSHA256 != r.EventLogSHA256 {
				t.Error("the same scenario gave other events the second time")
			}
			t.Logf("%.0f simulated seconds in %.1f s; half of the incidents reached within %.0f s", r.SimulatedS, r.WallSeconds, r.IncidentResponseP50S)
		})
	}
}

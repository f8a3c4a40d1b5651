package verify_test

import (
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// TestTimedLooksWhenTheVehicleIsThere: a flight over a zone that closes at 12:01
// waits in a climb before it, which a single speed would not tell.
func TestTimedLooksWhenTheVehicleIsThere(t *testing.T) {
	c, err := chart.New(chart.Draft{Name: "field", Extent: orb.Bound{Min: orb.Point{10, 50}, Max: orb.Point{10.02, 50.02}}, HeightLimitM: 120})
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)
	zones := []chart.Zone{{ID: "fair", Rule: chart.KeepOut, From: noon.Add(time.Minute), Polygon: orb.Polygon{
		{{10.008, 50}, {10.012, 50}, {10.012, 50.02}, {10.008, 50.02}, {10.008, 50}},
	}}}
	path := []space.Position{
		{Lon: 10.005, Lat: 50.01}, {Lon: 10.005, Lat: 50.01, AltitudeM: 60}, {Lon: 10.015, Lat: 50.01, AltitudeM: 60},
	}
	at := func(seconds ...int) []time.Time {
		var times []time.Time
		for _, s := range seconds {
			times = append(times, noon.Add(time.Duration(s)*time.Second))
		}
		return times
	}
	for _, tt := range []struct {
		times []time.Time
		rule  verify.Rule
	}{
		{at(0, 10, 50), ""},
		{at(0, 40, 80), verify.InKeepOut},
		{at(0, 40, 30), verify.BadPath},
		{at(0, 40), verify.BadPath},
	} {
		found := verify.Timed(c, zones, nil, motion.Multirotor, path, tt.times)
		switch {
		case tt.rule == "" && len(found) > 0, tt.rule != "" && (len(found) != 1 || found[0].Rule != tt.rule):
			t.Errorf("%v: found %v, want %q", tt.times, found, tt.rule)
		case tt.rule == verify.InKeepOut && (found[0].Object != "fair" || found[0].Time.Before(noon.Add(time.Minute))):
			t.Errorf("found %v", found[0])
		}
	}
}

package fence_test

import (
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
)

// TestFencesFollowSchedules: on Sundays from 12:00 a square is closed, and from
// sunset on all must stay in another. The sun sets at 10:30 that day.
func TestFencesFollowSchedules(t *testing.T) {
	clock := func(h int32) chart.Moment { return chart.Moment{ClockS: h * 3600} }
	zones := []chart.Zone{
		{ID: "out", Rule: chart.KeepOut, Polygon: orb.Polygon{rectangle(0, 0, 100, 100)}, Schedule: []chart.Period{{Days: 1 << 6, Start: clock(12), End: clock(13)}}},
		{ID: "in", Rule: chart.KeepIn, Polygon: orb.Polygon{rectangle(-200, -200, -100, -100)}, Schedule: []chart.Period{{Start: chart.Moment{Event: chart.SS}, End: clock(11)}}},
	}
	s := fence.Compile(ground(0), zones)
	for when, want := range map[time.Duration]string{
		-time.Nanosecond:                  "",
		0:                                 "out",
		time.Hour:                         "",
		24 * time.Hour:                    "",
		7 * 24 * time.Hour:                "out",
		-2 * time.Hour:                    "",
		-75 * time.Minute:                 "in",
		7*24*time.Hour - 75*time.Minute:   "in",
		7*24*time.Hour - time.Millisecond: "",
	} {
		got := ""
		for _, h := range s.Locate(at(50, 50, 20), noon().Add(when), true, 5, nil) {
			if h.Violated {
				got += h.ID
			}
		}
		if got != want {
			t.Errorf("at %s breaks %q, want %q", noon().Add(when), got, want)
		}
	}
}

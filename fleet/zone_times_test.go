package fleet

import (
	"fmt"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// TestForcesFollowTheSchedule: of a zone that is in force from 12:00 to 13:00 on
// each day, what meets a stretch of time, in seconds from now, with a margin.
func TestForcesFollowTheSchedule(t *testing.T) {
	z := chart.Zone{
		ID: "z", Rule: chart.KeepOut, Polygon: orb.Polygon{{{10, 50}, {10.001, 50}, {10, 50.001}, {10, 50}}},
		Schedule: []chart.Period{{Start: chart.Moment{ClockS: 12 * 3600}, End: chart.Moment{ClockS: 13 * 3600}}},
	}
	l := newLaw(space.NewFrame(orb.Point{10, 50}), &z)
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name            string
		now             time.Duration
		marginS, t0, t1 float64
		want            string
		coming          bool
	}{
		{"long before", 10 * time.Hour, 60, 0, 60, "[]", false},
		{"soon", 12*time.Hour - 5*time.Minute, 60, 0, 600, "[{240 4333}]", true},
		{"within its margin", 12*time.Hour - 30*time.Second, 60, 0, 10, "[{-30 4033}]", true},
		{"without a margin not yet", 12*time.Hour - 30*time.Second, 0, 0, 10, "[]", true},
		{"in force", 12*time.Hour + 30*time.Minute, 0, 0, 10, "[{-1800 1800}]", true},
		{"over", 13*time.Hour + time.Second, 60, 0, 10, "[]", false},
		{"a little beyond its end", 12 * time.Hour, 60, 3700, 3800, "[{-60 4000}]", true},
		{"two days", 11 * time.Hour, 0, 0, 30 * 3600, "[{3600 7200} {90000 93600}]", false},
	} {
		now := day.Add(tt.now)
		if got := fmt.Sprintf("%.0f", l.forces(now, tt.marginS, tt.t0, tt.t1, nil)); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
		if got := l.comes(now, ZoneLookAhead); got != tt.coming {
			t.Errorf("%s: comes %t", tt.name, got)
		}
		if got := l.counts(now, 0, 0); got != z.ActiveAt(now) {
			t.Errorf("%s: counts %t", tt.name, got)
		}
	}
}

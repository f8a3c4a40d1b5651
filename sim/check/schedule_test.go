package check

import (
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestZonesAreJudgedByTheirSchedules: an aircraft that stays where a zone is closed
// from 09:00 to 10:00 breaks it when that begins, not before and not on Mondays.
func TestZonesAreJudgedByTheirSchedules(t *testing.T) {
	centre := orb.Point{113.93, 22.51}
	frame := space.NewFrame(centre)
	sunday := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c, err := chart.New(chart.Draft{
		Name: "test", HeightLimitM: 120,
		Extent: orb.Bound{Min: orb.Point{113.92, 22.50}, Max: orb.Point{113.94, 22.52}},
		Zones: []chart.Zone{{
			ID: "out", Rule: chart.KeepOut, Polygon: square(frame, 100, 200),
			Schedule: []chart.Period{{Days: 1 << 6, Start: chart.Moment{ClockS: 9 * 3600}, End: chart.Moment{ClockS: 10 * 3600}}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	at := c.Frame.XY(frame.Point(space.XY{X: 150, Y: 150}))
	for _, tt := range []struct {
		from time.Duration
		want int
	}{{8*time.Hour + 58*time.Minute, 1}, {10 * time.Hour, 0}, {33 * time.Hour, 0}} {
		g := NewGeometry(c)
		g.SetZones(sunday.Add(tt.from), nil, nil)
		for s := range 240 {
			g.Look(sunday.Add(tt.from+time.Duration(s)*time.Second), "v", protocol.Multirotor, space.XYZ{X: at.X, Y: at.Y, Z: 60}, 0)
		}
		if got := len(g.Zones); got != tt.want {
			t.Errorf("from %v: %v", tt.from, g.Zones)
		}
	}
}

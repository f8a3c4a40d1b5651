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

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func frame() space.Frame { return space.NewFrame(orb.Point{24.83, 60.185}) }

func pos(x, y, z float64) space.Position { return frame().Position(space.XYZ{X: x, Y: y, Z: z}) }

func rect(x0, y0, x1, y1 float64) orb.Polygon {
	f := frame()
	return orb.Polygon{{
		f.Point(space.XY{X: x0, Y: y0}), f.Point(space.XY{X: x1, Y: y0}),
		f.Point(space.XY{X: x1, Y: y1}), f.Point(space.XY{X: x0, Y: y1}), f.Point(space.XY{X: x0, Y: y0}),
	}}
}

// village has one street from (-200, 0) to (200, 0) and a house of 30 m over
// (90…110, -10…10).
func village(t *testing.T) *chart.Chart {
	t.Helper()
	f := frame()
	low, high := f.Point(space.XY{X: -1000, Y: -1000}), f.Point(space.XY{X: 1000, Y: 1000})
	c, err := chart.New(chart.Draft{
		HeightLimitM: 120,
		Extent:       orb.Bound{Min: low, Max: high},
		Nodes:        []chart.Node{{Point: f.Point(space.XY{X: -200})}, {Point: f.Point(space.XY{X: 200})}},
		Arcs:         []chart.Arc{{From: 0, To: 1}, {From: 1, To: 0}},
		Buildings:    []chart.Building{{ID: "house", Footprint: rect(90, -10, 110, 10), HeightM: 30, Source: chart.HeightTag}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPathFindsWhatIsBroken(t *testing.T) {
	zone := func(rule chart.Rule) chart.Zone {
		return chart.Zone{ID: "z", Rule: rule, Polygon: rect(-60, -20, -40, 20)}
	}
	timed := zone(chart.KeepOut)
	timed.From, timed.Until = noon().Add(10*time.Second), noon().Add(20*time.Second)
	limit := zone(chart.AltitudeLimit)
	limit.HeightLimitM = 40
	grounded := zone(chart.KeepOut)
	grounded.Ground = true
	flight := []space.Position{pos(-150, 0, 0), pos(-150, 0, 50), pos(80, 0, 50), pos(80, 0, 0)}
	tests := []struct {
		name  string
		zones []chart.Zone
		kind  motion.Kind
		path  []space.Position
		speed float64
		want  verify.Rule
	}{
		{"a lawful flight", nil, motion.Multirotor, flight, 10, ""},
		{"over the house", nil, motion.Multirotor, []space.Position{pos(0, 0, 31), pos(200, 0, 31)}, 10, ""},
		{"through the house", nil, motion.Multirotor, []space.Position{pos(0, 0, 29), pos(200, 0, 29)}, 10, verify.InBuilding},
		{"down into the house", nil, motion.Multirotor, []space.Position{pos(100, 0, 50), pos(100, 0, 0)}, 10, verify.InBuilding},
		{"too high", nil, motion.Multirotor, []space.Position{pos(0, 0, 100), pos(50, 0, 130)}, 10, verify.AboveLimit},
		{"down from too high", nil, motion.Multirotor, []space.Position{pos(50, 0, 130), pos(0, 0, 100)}, 10, ""},
		{"off the chart", nil, motion.Multirotor, []space.Position{pos(900, 0, 50), pos(1100, 0, 50)}, 10, verify.OutsideChart},
		{"through a zone", []chart.Zone{zone(chart.KeepOut)}, motion.Multirotor, flight, 10, verify.InKeepOut},
		{"through a zone for others", []chart.Zone{grounded}, motion.Multirotor, flight, 10, ""},
		{"out of a zone", []chart.Zone{zone(chart.KeepOut)}, motion.Multirotor, []space.Position{pos(-50, 0, 0), pos(-50, 50, 50)}, 10, ""},
		{"out and in again", []chart.Zone{zone(chart.KeepOut)}, motion.Multirotor, []space.Position{pos(-50, 0, 0), pos(-50, 50, 50), pos(-50, 0, 50)}, 10, verify.InKeepOut},
		{"while the zone holds", []chart.Zone{timed}, motion.Multirotor, flight, 10, verify.InKeepOut},
		{"after it has ended", []chart.Zone{timed}, motion.Multirotor, flight, 5, ""},
		{"before it begins", []chart.Zone{timed}, motion.Multirotor, flight, 20, ""},
		{"above a zone's limit", []chart.Zone{limit}, motion.Multirotor, flight, 10, verify.AboveZoneLimit},
		{"out of the keep-in zone", []chart.Zone{zone(chart.KeepIn)}, motion.Multirotor, []space.Position{pos(-50, 0, 50), pos(0, 0, 50)}, 10, verify.OutsideKeepIn},
		{"along the street", nil, motion.Rover, []space.Position{pos(0, 30, 0), pos(0, 0, 0), pos(80, 0, 0), pos(80, 20, 0)}, 2, ""},
		{"off the street", nil, motion.Rover, []space.Position{pos(0, 0, 0), pos(10, 0, 0), pos(50, 5, 0), pos(60, 0, 0), pos(80, 0, 0)}, 2, verify.OffNetwork},
		{"through a zone on the street", []chart.Zone{grounded}, motion.Rover, []space.Position{pos(-100, 0, 0), pos(80, 0, 0)}, 2, verify.InKeepOut},
		{"no path", nil, motion.Rover, nil, 2, verify.BadPath},
	}
	c := village(t)
	for _, tt := range tests {
		got := verify.Path(c, tt.zones, nil, tt.kind, tt.path, noon(), tt.speed)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: %v", tt.name, got)
		case tt.want != "" && (len(got) != 1 || got[0].Rule != tt.want):
			t.Errorf("%s: %v, want %s alone", tt.name, got, tt.want)
		}
	}
}

func TestSuspendedZonesDoNotApply(t *testing.T) {
	c := village(t)
	c.Zones = []chart.Zone{{ID: "z", Rule: chart.KeepOut, Polygon: rect(-60, -20, -40, 20)}}
	path := []space.Position{pos(-150, 0, 50), pos(80, 0, 50)}
	if got := verify.Path(c, nil, nil, motion.Multirotor, path, noon(), 10); len(got) != 1 {
		t.Errorf("in force: %v", got)
	}
	if got := verify.Path(c, nil, map[string]bool{"z": true}, motion.Multirotor, path, noon(), 10); len(got) != 0 {
		t.Errorf("suspended: %v", got)
	}
}

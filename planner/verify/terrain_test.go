package verify_test

import (
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// slope is two kilometres of ground that rises by one metre in four to the east,
// from 250 m at the origin, with a house of 20 m over (-40…40, -10…10), a street
// one way to the east, a lane for robots beside it, and a lake.
func slope(t *testing.T) *chart.Chart {
	t.Helper()
	f := frame()
	low, high := f.Point(space.XY{X: -1000, Y: -1000}), f.Point(space.XY{X: 1000, Y: 1000})
	node := func(x, y float64) chart.Node { return chart.Node{Point: f.Point(space.XY{X: x, Y: y})} }
	lake := append(rect(-500, 500, 500, 900), rect(-50, 650, 50, 750)[0])
	c, err := chart.New(chart.Draft{
		HeightLimitM: 120,
		Extent:       orb.Bound{Min: low, Max: high},
		Terrain: &chart.Terrain{
			Origin: low, StepLon: high[0] - low[0], StepLat: high[1] - low[1],
			Cols: 2, Rows: 2, HeightDM: []int32{0, 5000, 0, 5000},
		},
		Nodes: []chart.Node{node(-400, -100), node(0, -100), node(400, -100), node(-400, -200), node(400, -200)},
		Arcs: []chart.Arc{
			{From: 0, To: 1, Profiles: chart.Road},
			{From: 1, To: 2, Profiles: chart.Road},
			{From: 3, To: 4, Profiles: chart.Sidewalk},
			{From: 4, To: 3, Profiles: chart.Sidewalk},
		},
		Buildings: []chart.Building{{ID: "house", Footprint: rect(-40, -10, 40, 10), HeightM: 20, Source: chart.HeightTag}},
		Water:     []chart.WaterArea{{ID: "lake", Polygon: lake}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPathKnowsTheTerrain(t *testing.T) {
	limit := []chart.Zone{{ID: "z", Rule: chart.AltitudeLimit, HeightLimitM: 60, Polygon: rect(-1000, -1000, 1000, 1000)}}
	tests := []struct {
		name  string
		zones []chart.Zone
		kind  motion.Kind
		path  []space.Position
		want  verify.Rule
	}{
		{"along the slope", nil, motion.Multirotor, []space.Position{pos(-400, 100, 200), pos(400, 100, 400)}, ""},
		{"level down the slope, too high at its foot", nil, motion.Multirotor, []space.Position{pos(400, 100, 400), pos(-400, 100, 400)}, verify.AboveLimit},
		{"too high for a zone", limit, motion.Multirotor, []space.Position{pos(0, 100, 300), pos(-100, 100, 300)}, verify.AboveZoneLimit},
		{"above the roof, which stands on the highest ground", nil, motion.Multirotor, []space.Position{pos(-100, 0, 281), pos(100, 0, 281)}, ""},
		{"above the lower wall, below the roof", nil, motion.Multirotor, []space.Position{pos(-30, -100, 275), pos(-30, 100, 275)}, verify.InBuilding},
		{"a robot on the lane", nil, motion.Rover, []space.Position{pos(-300, -200, 175), pos(300, -200, 325)}, ""},
		{"a robot above it", nil, motion.Rover, []space.Position{pos(-300, -200, 175), pos(300, -200, 330)}, verify.OffGround},
		{"a boat on the lake", nil, motion.Vessel, []space.Position{pos(-300, 600, 0), pos(300, 600, 0)}, ""},
		{"a boat over the island", nil, motion.Vessel, []space.Position{pos(-300, 700, 0), pos(300, 700, 0)}, verify.OffWater},
		{"a boat on land", nil, motion.Vessel, []space.Position{pos(-300, 300, 0), pos(-300, 300, 0)}, verify.OffWater},
	}
	c := slope(t)
	for _, tt := range tests {
		got := verify.Path(c, tt.zones, nil, tt.kind, tt.path, noon(), 10)
		switch {
		case tt.want == "" && len(got) > 0:
			t.Errorf("%s: %v", tt.name, got)
		case tt.want != "" && (len(got) != 1 || got[0].Rule != tt.want):
			t.Errorf("%s: %v, want %s alone", tt.name, got, tt.want)
		}
	}
}

func TestDriveKnowsWhoMayDriveWhere(t *testing.T) {
	east := []space.Position{pos(-300, -130, 0), pos(-300, -100, 0), pos(0, -100, 0), pos(200, -100, 0), pos(200, -150, 0)}
	west := []space.Position{pos(200, -150, 0), pos(200, -100, 0), pos(0, -100, 0), pos(-300, -100, 0), pos(-300, -130, 0)}
	lane := []space.Position{pos(300, -190, 0), pos(300, -200, 0), pos(-100, -200, 0), pos(-100, -190, 0)}
	tests := []struct {
		name    string
		profile chart.Profile
		path    []space.Position
		wrong   int
	}{
		{"a van along the street", chart.Road, east, 0},
		{"a van against it", chart.Road, west, 2},
		{"a robot on the street", chart.Sidewalk, east, 2},
		{"a robot on the lane", chart.Sidewalk, lane, 0},
		{"a van on the lane", chart.Road, lane, 1},
		{"nothing but the ways to and from the network", chart.Road, east[:2], 0},
	}
	c := slope(t)
	for _, tt := range tests {
		got := verify.Drive(c, tt.profile, tt.path)
		if len(got) != tt.wrong {
			t.Errorf("%s: %v, want %d", tt.name, got, tt.wrong)
		}
		for _, v := range got {
			if v.Rule != verify.WrongWay {
				t.Errorf("%s: %v", tt.name, v)
			}
		}
	}
}

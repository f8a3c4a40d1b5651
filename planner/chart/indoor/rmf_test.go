package indoor_test

import (
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart/indoor"
	"github.com/kapok-fleet/kapok/planner/space"
)

// twoFloors is a building whose upper drawing is turned by a quarter, twice as fine
// and moved: one metre is 10 pixels below and 20 above. Below, (x, y) pixels lie at
// (x/10, -y/10) metres; above, the same place is drawn at (1000 + 2y, 500 - 2x).
const twoFloors = `name: twofloors
levels:
  upper:
    elevation: 4.5
    fiducials:
      - [1000, 500, a]
      - [1000, 300, b]
      - [1200, 500, c]
    vertices:
      - [1040, 420, 0, ward, {is_charger: [4, true]}]
      - [1040, 480, 0, "", {lift_cabin: [1, Lift]}]
    lanes:
      - [0, 1, {bidirectional: [4, true], graph_idx: [2, 3], speed_limit: [3, 0.8]}]
  ground:
    elevation: 0
    fiducials:
      - [0, 0, a]
      - [100, 0, b]
      - [0, 100, c]
    measurements:
      - [0, 1, {distance: [3, 20]}]
    vertices:
      - [0, 0, 0, ""]
      - [200, 0, 0, ""]
      - [100, 50, 0, hall, {is_holding_point: [4, true], pickup_dispenser: [1, counter]}]
      - [10, 20, 0, "", {lift_cabin: [1, Lift]}]
      - [150, 50, 0, street]
      - [125, 40, 0, ""]
      - [125, 60, 0, ""]
      - [0, 70, 0, forgotten, {is_parking_spot: [4, true]}]
    doors:
      - [5, 6, {name: [1, front], type: [1, sliding]}]
    lanes:
      - [3, 2, {bidirectional: [4, true], graph_idx: [2, 3]}]
      - [4, 2, {bidirectional: [4, false], mutex: [1, gate]}]
lifts:
  Lift:
    depth: 2
    width: 1.5
    doors:
      d: {width: 1.2, x: 0, y: 1}
    level_doors: {ground: [d], upper: [d]}
    reference_floor_name: ground
    x: 10
    y: 20
reference_level_name: ground
`

func near(a, b space.XY) bool { return a.Dist(b) < 1e-9 }

func TestDrawingsOfTwoFloorsLieAboveEachOther(t *testing.T) {
	m, err := indoor.ReadRMF(strings.NewReader(twoFloors))
	if err != nil {
		t.Fatal(err)
	}
	if m.Name != "twofloors" || m.Placed || len(m.Levels) != 2 || m.Levels[0].Name != "ground" || m.Levels[1] != (indoor.Level{Name: "upper", ElevationM: 4.5}) {
		t.Fatalf("levels are %+v", m.Levels)
	}
	at := map[string]indoor.Node{}
	for _, n := range m.Nodes {
		at[n.ID] = n
	}
	for id, want := range map[string]space.XY{
		"ground/hall": {X: 10, Y: -5}, "ground/#3": {X: 1, Y: -2}, "ground/street": {X: 15, Y: -5},
		"upper/ward": {X: 4, Y: -2}, "upper/#1": {X: 1, Y: -2},
	} {
		if n, ok := at[id]; !ok || !near(n.XY, want) {
			t.Errorf("%s lies at %v, want %v", id, n.XY, want)
		}
	}
	if len(at) != 5 || !at["ground/hall"].Holding || at["ground/hall"].Pickup != "counter" || !at["upper/ward"].Charger {
		t.Errorf("nodes are %+v", m.Nodes)
	}
	lift := m.Lifts[0]
	if len(m.Lifts) != 1 || len(lift.Stops) != 2 || m.Nodes[lift.Stops[0].Node].ID != "ground/#3" || m.Nodes[lift.Stops[1].Node].ID != "upper/#1" || !near(lift.XY, space.XY{X: 1, Y: -2}) {
		t.Errorf("the lift is %+v", lift)
	}
	// A door of 1.2 m opens in 2 s at 0.3 m/s a leaf: 2 to close, 4.5 up, 2 to open.
	if ride := m.RideS(&lift, 0, 1); math.Abs(ride-8.5) > 1e-9 {
		t.Errorf("the ride takes %g s, want 8.5", ride)
	}
	var through indoor.Lane
	for _, l := range m.Lanes {
		if m.Nodes[l.From].Name == "street" {
			through = l
		}
		if m.Nodes[l.From].Name == "ward" && (l.SpeedLimitMPS != 0.8 || l.Classes[0] != "3" || !l.Both) {
			t.Errorf("the lane of the ward is %+v", l)
		}
	}
	if through.Door != 0 || through.Both || through.Mutex != "gate" || m.Doors[0].Name != "front" {
		t.Errorf("the lane through the door is %+v", through)
	}
	if len(m.Findings) != 1 || !strings.Contains(m.Findings[0].Text, "forgotten") {
		t.Errorf("findings are %v", m.Findings)
	}
	if err := m.Put(orb.Point{114.06, 22.54}, 90); err != nil {
		t.Fatal(err)
	}
	// Up the map is east: the hall, 10 m right of the origin and 5 m down, lies 10 m
	// south and 5 m west.
	hall := space.NewFrame(orb.Point{114.06, 22.54}).XY(m.Nodes[indexOf(m, "ground/hall")].Point)
	if hall.Dist(space.XY{X: -5, Y: -10}) > 1e-6 {
		t.Errorf("the hall lies at %v", hall)
	}
	if m.Put(orb.Point{114, 22}, 0) == nil {
		t.Error("a map is placed twice")
	}
}

func indexOf(m *indoor.Map, id string) int {
	for i := range m.Nodes {
		if m.Nodes[i].ID == id {
			return i
		}
	}
	return -1
}

func fleetmap(t *testing.T, name string) []byte {
	t.Helper()
	dir := os.Getenv("KAPOK_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	data, err := os.ReadFile(filepath.Join(dir, "fleetmaps", name))
	if err != nil {
		t.Skipf("the fleet maps are not here (%v): set KAPOK_DATA", err)
	}
	return data
}

// The counts are those of the lines of the file that look like a lane, a door or a
// cabin, whatever the reader makes of them.
func TestRealBuildings(t *testing.T) {
	lane, door, cabin := regexp.MustCompile(`(?m)^ +- \[\d+, \d+, \{bidirectional:`), regexp.MustCompile(`(?m)^ +- \[\d+, \d+, \{motion_axis:`), regexp.MustCompile(`lift_cabin: \[1, Lift`)
	for _, c := range []struct {
		file, name    string
		levels, stops int
		placed        bool
	}{
		{file: "rmf-hotel.building.yaml", name: "hotel", levels: 3, stops: 3},
		{file: "rmf-office.building.yaml", name: "building", levels: 1},
		{file: "rmf-campus.building.yaml", name: "campus", levels: 1, placed: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := fleetmap(t, c.file)
			m, err := indoor.ReadRMF(strings.NewReader(string(data)))
			if err != nil {
				t.Fatal(err)
			}
			if m.Name != c.name || m.Placed != c.placed || len(m.Levels) != c.levels {
				t.Errorf("it is %q, placed: %t, with the levels %v", m.Name, m.Placed, m.Levels)
			}
			if want := len(lane.FindAll(data, -1)); len(m.Lanes) != want || want == 0 {
				t.Errorf("%d lanes, the file has %d", len(m.Lanes), want)
			}
			if want := len(door.FindAll(data, -1)); len(m.Doors) != want {
				t.Errorf("%d doors, the file has %d", len(m.Doors), want)
			}
			stops := 0
			for i := range m.Lifts {
				stops += len(m.Lifts[i].Stops)
				if len(m.Lifts[i].Stops) != c.stops {
					t.Errorf("lift %s stops %d times, want %d", m.Lifts[i].Name, len(m.Lifts[i].Stops), c.stops)
				}
				// A lift's cabin hangs straight: its nodes lie above each other, and where
				// the lift stands.
				for _, s := range m.Lifts[i].Stops {
					if off := m.Nodes[s.Node].XY.Dist(m.Lifts[i].XY); off > 0.7 {
						t.Errorf("lift %s: its cabin on level %s lies %.2f m beside it", m.Lifts[i].Name, m.Levels[s.Level].Name, off)
					}
				}
			}
			if want := len(cabin.FindAll(data, -1)); stops != want {
				t.Errorf("%d stops of lifts, the file has %d cabins", stops, want)
			}
			for _, f := range m.Findings {
				t.Logf("%s: %s", f.At, f.Text)
			}
		})
	}
}

func TestBadBuildingsGetOneSentence(t *testing.T) {
	change := func(from, to string) string {
		if !strings.Contains(twoFloors, from) {
			t.Fatalf("%q is not in the file", from)
		}
		return strings.Replace(twoFloors, from, to, 1)
	}
	for name, c := range map[string]struct{ file, want string }{
		"empty":                {"", "no levels"},
		"no building":          {"a: 1\n", "no levels"},
		"no YAML":              {"levels: [\n", "line"},
		"levels as a list":     {"levels: [1]\n", "line 1, column 9: levels is a list"},
		"no level":             {"levels: {}\n", "0 levels"},
		"a word for x":         {change("[200, 0, 0", "[far, 0, 0"), `line 24, column 10: x is "far", not a number`},
		"NaN":                  {change("[200, 0, 0", "[.nan, 0, 0"), "not a number"},
		"a lane into the void": {change("[4, 2, {bidirectional", "[4, 99, {bidirectional"), "the vertex of a lane is 99, and there are 8"},
		"a negative vertex":    {change("[4, 2, {bidirectional", "[-1, 2, {bidirectional"), "is -1"},
		"half a lane":          {change("[4, 2, {bidirectional: [4, false], mutex: [1, gate]}]", "[4]"), "not two vertices"},
		"a lane both and not":  {change("[4, false], mutex", "[4, maybe], mutex"), "neither true nor false"},
		"no scale":             {change("    measurements:\n      - [0, 1, {distance: [3, 20]}]\n", ""), "no measurement"},
		"a measure of nothing": {change("[0, 1, {distance: [3, 20]}]", "[0, 0, {distance: [3, 20]}]"), "over 0 pixels"},
		"a measure below 0":    {change("distance: [3, 20]", "distance: [3, -20]"), "-20 m"},
		"fiducials at one place": {
			strings.NewReplacer("[1000, 300, b]", "[1000, 500, b]", "[1200, 500, c]", "[1000, 500, c]").Replace(twoFloors), "lie at one place",
		},
		"a fiducial twice":     {change("[1000, 300, b]", "[1000, 300, a]"), `"a" is there twice`},
		"an unknown system":    {"coordinate_system: polar\n" + twoFloors, `"polar"`},
		"an unknown reference": {change("reference_level_name: ground", "reference_level_name: roof"), `no level "roof"`},
		"a lift to nowhere":    {change("{ground: [d], upper: [d]}", "{ground: [d], roof: [d]}"), `"roof"`},
		"a cabin of no lift":   {change("{lift_cabin: [1, Lift]}", "{lift_cabin: [1, Ghost]}"), `"Ghost"`},
		"a lift without place": {change("    x: 10\n", ""), "x is missing"},
		"a door of no width":   {change("width: 1.2", "width: 0"), "0 m wide"},
		"a place off the earth": {
			strings.Replace("coordinate_system: wgs84\n"+twoFloors, "[200, 0, 0", "[200, 95, 0", 1), "no place",
		},
		"far away": {change("[150, 50, 0, street]", "[1e9, 50, 0, street]"), "at most 20000 m"},
	} {
		_, err := indoor.ReadRMF(strings.NewReader(c.file))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want one line with %q", name, err, c.want)
		}
	}
}

func FuzzReadRMF(f *testing.F) {
	f.Add([]byte(twoFloors))
	f.Add([]byte("coordinate_system: web_mercator\n" + twoFloors))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := indoor.ReadRMF(strings.NewReader(string(data)))
		if err == nil {
			checkWhole(t, m)
		}
	})
}

// checkWhole sees that the numbers of a map name what is there.
func checkWhole(t *testing.T, m *indoor.Map) {
	t.Helper()
	node := func(n int) {
		if n < 0 || n >= len(m.Nodes) {
			t.Errorf("there is no node %d", n)
		}
	}
	ids := map[string]bool{}
	for _, n := range m.Nodes {
		if n.Level < 0 || n.Level >= len(m.Levels) || n.Lift >= len(m.Lifts) || math.IsNaN(n.XY.X+n.XY.Y) || ids[n.ID] {
			t.Errorf("node %+v is not whole", n)
		}
		ids[n.ID] = true
	}
	for _, l := range m.Lanes {
		node(l.From)
		node(l.To)
		if l.Door >= len(m.Doors) || l.SpeedLimitMPS < 0 || len(l.Classes) == 0 {
			t.Errorf("lane %+v is not whole", l)
		}
	}
	for _, l := range m.Lifts {
		for i, s := range l.Stops {
			node(s.Node)
			if i > 0 && s.Level <= l.Stops[i-1].Level {
				t.Errorf("lift %+v stops twice at a level", l)
			}
		}
	}
	for _, s := range m.Stations {
		for _, n := range s.Nodes {
			node(n)
		}
	}
}

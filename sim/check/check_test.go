package check

import (
	"slices"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

func square(frame space.Frame, from, to float64) orb.Polygon {
	var ring orb.Ring
	for _, at := range []space.XY{{X: from, Y: from}, {X: to, Y: from}, {X: to, Y: to}, {X: from, Y: to}, {X: from, Y: from}} {
		ring = append(ring, frame.Point(at))
	}
	return orb.Polygon{ring}
}

func TestGeometryFindsEachStayOnce(t *testing.T) {
	centre := orb.Point{113.93, 22.51}
	frame := space.NewFrame(centre)
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	c, err := chart.New(chart.Draft{
		Name: "test", HeightLimitM: 120, GroundAltitudeM: 5,
		Extent: orb.Bound{Min: orb.Point{113.92, 22.50}, Max: orb.Point{113.94, 22.52}},
		Buildings: []chart.Building{
			{ID: "b", Footprint: square(frame, 0, 50), HeightM: 20, Source: chart.HeightTag},
		},
		Zones: []chart.Zone{
			{ID: "out", Rule: chart.KeepOut, Polygon: square(frame, 100, 200), Airborne: true, CeilingM: 60},
			{ID: "later", Rule: chart.KeepOut, Polygon: square(frame, 300, 400), From: at.Add(time.Hour)},
			{ID: "low", Rule: chart.AltitudeLimit, HeightLimitM: 30, Polygon: square(frame, 500, 600)},
			{ID: "slow", Rule: chart.SpeedLimit, SpeedLimitMPS: 2, Polygon: square(frame, 700, 800), Ground: true},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	shift := c.Frame.XY(centre)
	look := func(g *Geometry, seconds int, kind protocol.Kind, x, z, speed float64) {
		g.Look(at.Add(time.Duration(seconds)*time.Second), string(kind), kind, space.XYZ{X: x + shift.X, Y: x + shift.Y, Z: z}, speed)
	}
	g := NewGeometry(c)
	look(g, 0, protocol.Multirotor, 25, 30, 10) // Above the roof.
	look(g, 1, protocol.Rover, 25, 5, 1)        // A passage.
	look(g, 2, protocol.Rover, 150, 5, 1)       // Binds aircraft only.
	look(g, 3, protocol.Multirotor, 150, 70, 1) // Above the ceiling.
	look(g, 4, protocol.Multirotor, 350, 40, 1) // Not yet in force.
	look(g, 5, protocol.Multirotor, 550, 34, 1)
	look(g, 6, protocol.Multirotor, 750, 34, 9)
	look(g, 7, protocol.Rover, 750, 5, 1.9)
	if len(g.Zones)+len(g.Buildings) != 0 {
		t.Fatalf("lawful places found: %v %v", g.Zones, g.Buildings)
	}
	for i, p := range []struct{ x, z, speed float64 }{{25, 10, 1}, {25, 11, 1}, {150, 40, 1}, {151, 41, 1}, {90, 40, 1}, {150, 40, 1}, {550, 40, 1}} {
		look(g, 10+i, protocol.Multirotor, p.x, p.z, p.speed)
	}
	look(g, 30, protocol.Rover, 750, 5, 2.5)
	look(g, 4000, protocol.Rover, 350, 5, 1)
	var found []string
	for _, f := range g.Zones {
		found = append(found, f.Object)
	}
	if want := []string{"out", "out", "low", "slow", "later"}; !slices.Equal(found, want) {
		t.Errorf("zones %v, want %v", found, want)
	}
	if len(g.Buildings) != 1 {
		t.Errorf("buildings %v, want one", g.Buildings)
	}
}

// told is a truth for the test.
type told struct {
	done     map[int]int
	carriers []string
}

func (w told) Done(_ string, stop int) int { return w.done[stop] }

func (w told) Carriers(string) []string { return w.carriers }

func (w told) Stops(yield func(string, int, int)) {
	for stop := range 4 {
		if n := w.done[stop]; n > 0 {
			yield("T1", stop, n)
		}
	}
}

func TestJudgeWork(t *testing.T) {
	state := fleet.NewState()
	state.Durable.Tasks["T1"] = &fleet.Task{ID: "T1", State: fleet.TaskDone, Stops: []fleet.Stop{{State: fleet.StopDone}, {State: fleet.StopDone}}}
	for _, c := range []struct {
		name                   string
		truth                  told
		twice, missed, custody int
	}{
		{"as it should be", told{done: map[int]int{1: 1, 2: 1}}, 0, 0, 0},
		{"twice", told{done: map[int]int{1: 2, 2: 1}}, 1, 0, 0},
		{"missed", told{done: map[int]int{1: 1}}, 0, 1, 0},
		{"kept", told{done: map[int]int{1: 1, 2: 1}, carriers: []string{"R1"}}, 0, 0, 1},
		{"doubled", told{done: map[int]int{1: 2, 2: 1}, carriers: []string{"R1", "R2"}}, 1, 0, 1},
	} {
		w := JudgeWork(state, c.truth)
		if len(w.Twice) != c.twice || len(w.Missed) != c.missed || len(w.Custody) != c.custody {
			t.Errorf("%s: %+v", c.name, w)
		}
	}
}

// plain is an empty chart of 4 km a side whose ground rises by one metre in ten to
// the north, from 0 m at its centre, with a place in metres from there.
func plain(t *testing.T, draft chart.Draft) (*chart.Chart, time.Time) {
	t.Helper()
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	low, high := frame.Point(space.XY{X: -2000, Y: -2000}), frame.Point(space.XY{X: 2000, Y: 2000})
	draft.Extent, draft.HeightLimitM = orb.Bound{Min: low, Max: high}, 120
	draft.Terrain = &chart.Terrain{
		Origin: low, StepLon: high[0] - low[0], StepLat: high[1] - low[1],
		Cols: 2, Rows: 2, HeightDM: []int32{-2000, -2000, 2000, 2000},
	}
	c, err := chart.New(draft)
	if err != nil {
		t.Fatal(err)
	}
	return c, time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
}

func texts(list []Finding) []string {
	var all []string
	for _, f := range list {
		all = append(all, f.Vehicle+" "+f.Text)
	}
	return all
}

func TestHeightsCountFromTheGroundBelow(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	c, at := plain(t, chart.Draft{
		Buildings: []chart.Building{{ID: "b", Footprint: square(frame, 0, 200), HeightM: 20, Source: chart.HeightTag}},
		Zones:     []chart.Zone{{ID: "low", Rule: chart.AltitudeLimit, HeightLimitM: 30, Polygon: square(frame, 500, 1500)}},
	})
	tests := []struct {
		name             string
		x, y, z          float64
		zones, buildings int
	}{
		{"at the foot, above the roof, which stands on the highest ground", 100, 10, 40.5, 0, 0},
		{"at the foot, above its own ground, not above the roof", 100, 10, 35, 0, 1},
		{"low over the slope", 1000, 1400, 165, 0, 0},
		{"at the same altitude further down", 1000, 600, 165, 1, 0},
		{"within the limit of the chart", 0, 1500, 269, 0, 0},
		{"above it", 0, 1500, 271, 1, 0},
	}
	for _, tt := range tests {
		g := NewGeometry(c)
		g.Look(at, "V", protocol.Multirotor, space.XYZ{X: tt.x, Y: tt.y, Z: tt.z}, 10)
		if len(g.Zones) != tt.zones || len(g.Buildings) != tt.buildings {
			t.Errorf("%s: %v %v", tt.name, texts(g.Zones), texts(g.Buildings))
		}
	}
}

// A fire breaks out under two drones and a robot; a third drone comes later.
func TestWhoIsCaughtByAZoneMustLeaveIt(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	c, at := plain(t, chart.Draft{})
	fire := []chart.Zone{{ID: "fire", Rule: chart.KeepOut, Polygon: square(frame, -100, 100)}}
	g := NewGeometry(c)
	look := func(second int, vehicle string, kind protocol.Kind, x, z float64) {
		g.Look(at.Add(time.Duration(second)*time.Second), vehicle, kind, space.XYZ{X: x, Z: z}, 10)
	}
	drone, robot := protocol.Multirotor, protocol.Rover
	for _, v := range []string{"leaves", "stays", "lands"} {
		look(0, v, drone, 20, 50)
	}
	look(0, "robot", robot, 60, 0)
	look(0, "comes", drone, 300, 50)
	g.SetZones(at, fire, nil)
	for second := 1; second <= 100; second++ {
		x := 20 + 10*float64(second)
		if second > 50 {
			x = 0 // It comes back.
		}
		look(second, "leaves", drone, x, 50)
		look(second, "stays", drone, 20, 50)
		look(second, "lands", drone, 20, max(0, 50-3*float64(second)))
		look(second, "robot", robot, 60+0.5*float64(second), 0)
		look(second, "comes", drone, 300-5*float64(second), 50)
		// The same zones again change nothing.
		g.SetZones(at.Add(time.Duration(second)*time.Second), slices.Clone(fire), nil)
	}
	want := []string{
		"leaves was caught by keep_out zone fire at 30.0, 0.0, 50.0 m; it was out after 7 s",
		"stays was caught by keep_out zone fire at 20.0, 0.0, 50.0 m",
		"lands was caught by keep_out zone fire at 20.0, 0.0, 47.0 m; it landed there after 16 s",
		"robot was caught by keep_out zone fire at 60.5, 0.0, 0.0 m; it was out after 78 s",
	}
	if got := texts(g.Caught); !slices.Equal(got, want) {
		t.Errorf("caught\n%q, want\n%q", got, want)
	}
	want = []string{
		"comes breaks keep_out of zone fire at 95.0, 0.0, 50.0 m",
		"leaves breaks keep_out of zone fire at 0.0, 0.0, 50.0 m",
		"stays is still in zone fire, 61 s after it was caught there, at 20.0, 0.0, 50.0 m",
	}
	if got := texts(g.Zones); !slices.Equal(got, want) {
		t.Errorf("violations\n%q, want\n%q", got, want)
	}
}

func TestZonesThatWereKnownBeforehandCatchNobody(t *testing.T) {
	frame := space.NewFrame(orb.Point{113.93, 22.51})
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	later := chart.Zone{ID: "z", Rule: chart.KeepOut, Polygon: square(frame, -100, 100), From: at.Add(10 * time.Second)}
	resumed := later
	resumed.From = time.Time{}
	tests := []struct {
		name           string
		own, live      []chart.Zone
		suspend        bool
		caught, broken int
	}{
		{"the chart's own", []chart.Zone{later}, nil, false, 0, 1},
		{"a live one", nil, []chart.Zone{later}, false, 1, 0},
		{"a live one in place of the chart's", []chart.Zone{resumed}, []chart.Zone{later}, false, 1, 0},
		{"the chart's own, suspended until then", []chart.Zone{resumed}, nil, true, 1, 0},
	}
	for _, tt := range tests {
		c, _ := plain(t, chart.Draft{Zones: tt.own})
		g := NewGeometry(c)
		g.SetZones(at, tt.live, map[string]bool{"z": tt.suspend})
		for second := range 30 {
			if second == 10 && tt.suspend {
				g.SetZones(at, tt.live, nil)
			}
			g.Look(at.Add(time.Duration(second)*time.Second), "V", protocol.Multirotor, space.XYZ{Z: 50}, 0)
		}
		if len(g.Caught) != tt.caught || len(g.Zones) != tt.broken {
			t.Errorf("%s: caught %q, violations %q", tt.name, texts(g.Caught), texts(g.Zones))
		}
	}
}

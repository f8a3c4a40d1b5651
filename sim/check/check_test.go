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
		g.Look(at.Add(time.Duration(seconds)*time.Second), "V", kind, space.XYZ{X: x + shift.X, Y: x + shift.Y, Z: z}, speed)
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

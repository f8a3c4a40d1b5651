package fleet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// monaco is a chart of tall buildings at steep ground by the sea.
func monaco(t *testing.T) *chart.Chart {
	t.Helper()
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "shared", "data")
	}
	open := func(parts ...string) *os.File {
		f, err := os.Open(filepath.Join(append([]string{data}, parts...)...))
		if err != nil {
			t.Skipf("the map of Monaco is not here, set KAPOK_DATA: %v", err)
		}
		t.Cleanup(func() { _ = f.Close() })
		return f
	}
	const tile = "N43E007.hgt.zip"
	c, _, err := chart.ImportOSM(open("osm", "monaco.osm.pbf"), chart.OSMOptions{
		Name: "monaco", Terrain: []chart.TerrainFile{{Name: tile, Reader: open("terrain", tile)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// mustEndOnOpenGround checks the last leg of a path against the raw chart.
func mustEndOnOpenGround(t *testing.T, c *chart.Chart, path []space.Position) {
	t.Helper()
	for i := 1; i < len(path); i++ {
		a, b := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i])
		for k := 0; k <= 100; k++ {
			part := float64(k) / 100
			xy, z := a.XY().Lerp(b.XY(), part), a.Z+(b.Z-a.Z)*part
			if over, ok := c.BuildingAt(xy); ok && z < c.RoofM(over) {
				t.Fatalf("at %.0f m, through building %s, whose roof is at %.0f m", z, c.Buildings[over].ID, c.RoofM(over))
			}
		}
	}
	end := path[len(path)-1]
	if over, ok := c.BuildingAt(c.Frame.XY(end.Point())); ok {
		t.Errorf("it ends on building %s", c.Buildings[over].ID)
	}
	if _, wet := c.WaterAt(c.Frame.XY(end.Point())); wet {
		t.Errorf("it ends in the water")
	}
	if ground := c.GroundAltitude(end.Point()); end.AltitudeM < ground-0.1 || end.AltitudeM > ground+0.1 {
		t.Errorf("it ends at %.1f m, the ground is at %.1f m", end.AltitudeM, ground)
	}
}

// atWorkOverABuilding is a drone that works above a building in Monaco, for so
// long, and a limit of height about it.
func atWorkOverABuilding(t *testing.T, workS float64) (*squad, *chart.Chart, api.ZoneEffect) {
	t.Helper()
	c := monaco(t)
	q := newSquadOn(t, c, func(*fleet.Config) {})
	near := c.Frame.XY(space.Position{Lon: 7.4225, Lat: 43.7405}.Point())
	q.join("d1", protocol.Multirotor, q.clear(near.X, near.Y, 0))
	stop := space.Position{Lon: 7.4246, Lat: 43.7384}
	over, ok := c.BuildingAt(c.Frame.XY(stop.Point()))
	if !ok {
		t.Fatal("there is no building")
	}
	stop.AltitudeM = 144.9
	if stop.AltitudeM < c.RoofM(over)+10 {
		t.Fatalf("the roof is at %.0f m", c.RoofM(over))
	}
	o := api.Order{Kind: "visit", Stops: []api.OrderStop{{Position: &api.Position{Lon: stop.Lon, Lat: stop.Lat, AltitudeM: &stop.AltitudeM}, WorkS: workS}}}
	if a := answerIn(t, q.step(fleet.Asked{Request: 1, Actor: "alice", Ask: fleet.OrderTask{Order: o}})); q.fleet.State().Durable.Vehicles["d1"].Mission == "" {
		t.Fatalf("it has no mission: %+v %s", a.Problem, a.Body)
	}
	q.accept("d1")
	q.sample("d1", stop, protocol.ModeIdle)
	m := q.mission("d1")
	for _, state := range []protocol.ProgressState{protocol.Started, protocol.Begun} {
		q.seqs["d1"]++
		q.step(fleet.Report{Vehicle: "d1", Session: session("d1"), LogID: "l", Message: protocol.Progress{
			Seq: q.seqs["d1"], Mission: string(m.ID), Leg: string(m.Legs[0].ID), State: state, Time: q.now,
		}})
	}
	q.now = q.now.Add(time.Second)
	q.sample("d1", stop, protocol.ModeWork)
	change, _ := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "altitude_limit", HeightLimitM: 30, Polygon: q.circle(stop, 250)}})
	return q, c, effectOn(t, &change, "d1")
}

// TestADroneAboveABuildingComesDownBesideIt: a limit of height about a drone that
// works above a building leaves it no way home by the roofs.
func TestADroneAboveABuildingComesDownBesideIt(t *testing.T) {
	q, c, e := atWorkOverABuilding(t, 20)
	t.Logf("%+v", e)
	m := q.mission("d1")
	last := m.Legs[len(m.Legs)-1]
	mustEndOnOpenGround(t, c, last.Path)
	if e.Action == "landed" && q.open(fleet.AlertStranded) != 1 {
		t.Error("nobody is told")
	}
	// A good battery is no evidence that ways are open; that the zone is gone is.
	q.sample("d1", last.Path[0], protocol.ModeWork)
	if e.Action == "landed" && q.open(fleet.AlertStranded) != 1 {
		t.Error("the alert is over with a sample of the battery")
	}
	q.now = q.now.Add(40 * time.Second)
	q.zone(fleet.RemoveZone{Zone: "Z1"})
	q.sample("d1", last.Path[0], protocol.ModeWork)
	q.step(fleet.Tick{})
	if n := q.open(fleet.AlertStranded); n != 0 {
		t.Errorf("%d alerts stand although ways are open again", n)
	}
}

// TestADroneIsCalledBackFromItsWorkByAWayThatIsThere: the return has a path, or
// something else is said and done.
func TestADroneIsCalledBackFromItsWorkByAWayThatIsThere(t *testing.T) {
	q, c, e := atWorkOverABuilding(t, 300)
	t.Logf("%+v", e)
	d := &q.fleet.State().Durable
	commands := d.Vehicles["d1"].Commands
	if len(commands) != 1 || d.Commands[commands[0]].Kind != protocol.CommandReturn {
		t.Fatalf("commands %v, want a return", commands)
	}
	given := d.Commands[commands[0]]
	if len(given.Path) == 0 {
		t.Fatalf("the return has no path: %s", given.Reason)
	}
	mustEndOnOpenGround(t, c, given.Path)
}

// TestLandAboveABuildingNeedsForce: a person's land is refused there, and says what
// to do.
func TestLandAboveABuildingNeedsForce(t *testing.T) {
	q, _, _ := atWorkOverABuilding(t, 300)
	land := func(force bool) fleet.Answer {
		return answerIn(t, q.step(fleet.Asked{Request: 1, Actor: "alice", Ask: fleet.OrderCommand{
			Vehicle: "d1", Order: api.CommandOrder{Kind: "land", Force: force},
		}}))
	}
	if p := land(false).Problem; p == nil || p.Code != "unsafe_landing" || !strings.Contains(p.Detail, "return") {
		t.Errorf("land above a building: %+v", p)
	}
	if p := land(true).Problem; p != nil {
		t.Errorf("land with force: %+v", p)
	}
}

// TestADroneWithNowhereToComeDownWaitsInTheAir: over the sea with a zone all about,
// it is held, and goes on when the zone is gone.
func TestADroneWithNowhereToComeDownWaitsInTheAir(t *testing.T) {
	c := monaco(t)
	q := newSquadOn(t, c, func(*fleet.Config) {})
	near := c.Frame.XY(space.Position{Lon: 7.4225, Lat: 43.7405}.Point())
	q.join("d1", protocol.Multirotor, q.clear(near.X, near.Y, 0))
	sea := space.Position{Lon: 7.436, Lat: 43.7335, AltitudeM: 60}
	if _, wet := c.WaterAt(c.Frame.XY(sea.Point())); !wet {
		t.Fatal("there is no sea")
	}
	q.visit("d1", sea)
	q.sample("d1", sea, protocol.ModeTravel)
	change, _ := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_in", Polygon: q.circle(sea, 200)}})
	e := effectOn(t, &change, "d1")
	d := &q.fleet.State().Durable
	commands := d.Vehicles["d1"].Commands
	if e.Action != "held" || len(commands) != 1 || d.Commands[commands[0]].Kind != protocol.CommandHold {
		t.Fatalf("%+v, commands %v", e, commands)
	}
	q.obey("d1", commands[0])
	if q.open(fleet.AlertStranded) != 1 {
		t.Error("nobody is told")
	}
	q.zone(fleet.RemoveZone{Zone: "Z1"})
	for range 60 {
		q.now = q.now.Add(time.Second)
		q.sample("d1", sea, protocol.ModeHold)
		q.step(fleet.Tick{})
		if m := q.mission("d1"); !m.Answered() {
			q.accept("d1")
		}
	}
	last := d.Commands[d.Vehicles["d1"].Commands[0]]
	if last.Kind != protocol.CommandResume || q.open(fleet.AlertStranded) != 0 {
		t.Errorf("after the zone is gone: %s, %d alerts", last.Kind, q.open(fleet.AlertStranded))
	}
}

// TestWhoComesIntoANewZoneIsCaughtNotAtFault: nobody brakes at once.
func TestWhoComesIntoANewZoneIsCaughtNotAtFault(t *testing.T) {
	q := newSquad(t)
	q.join("d1", protocol.Multirotor, q.clear(700, 0, 0))
	q.sample("d1", q.at(60, 0, 40), protocol.ModeTravel)
	change, out := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(-50, -50, 50, 50)}})
	if len(change.Affected) != 0 {
		t.Fatalf("%+v", change.Affected)
	}
	for _, r := range out.Events {
		if e, ok := r.Event.(fleet.ZoneChanged); ok && (e.Zone.ChangedBy != "alice" || !e.Zone.ChangedAt.Equal(q.now) || e.Zone.Revision != r.Index) {
			t.Errorf("the event tells %q, %s, %d", e.Zone.ChangedBy, e.Zone.ChangedAt, e.Zone.Revision)
		}
	}
	q.now = q.now.Add(time.Second)
	q.sample("d1", q.at(45, 0, 40), protocol.ModeTravel)
	if q.open(fleet.AlertCaughtInside) != 1 || q.open(fleet.AlertZone) != 0 {
		t.Error("one that came in after a second is not taken for caught")
	}
	q.now = q.now.Add(fleet.EnterGrace)
	q.sample("d1", q.at(60, 0, 40), protocol.ModeTravel)
	q.sample("d1", q.at(45, 0, 40), protocol.ModeTravel)
	if q.open(fleet.AlertZone) != 1 {
		t.Error("one that comes in later is not at fault")
	}
}

// TestAlertsOfThoseCaughtSayWhatIsWrong: by rule; and none about those that stand.
func TestAlertsOfThoseCaughtSayWhatIsWrong(t *testing.T) {
	tests := []struct {
		order api.ZoneOrder
		text  string
	}{
		{api.ZoneOrder{Rule: "keep_in"}, "was outside when zone Z1 came into force: no violation if it comes in"},
		{api.ZoneOrder{Rule: "altitude_limit", HeightLimitM: 20}, "was above its limit of height when zone Z1 came into force: no violation if it comes down"},
		{api.ZoneOrder{Rule: "speed_limit", SpeedLimitMPS: 3}, "was faster than it allows when zone Z1 came into force: no violation if it slows down"},
	}
	for _, tt := range tests {
		q := newSquad(t)
		q.join("d1", protocol.Multirotor, q.clear(700, 0, 0))
		q.join("d2", protocol.Multirotor, q.clear(300, 100, 0))
		q.sample("d1", q.at(0, 0, 40), protocol.ModeTravel)
		tt.order.Polygon = q.rectangle(-500, -500, 500, 500)
		if tt.order.Rule == "keep_in" {
			tt.order.Polygon = q.rectangle(100, -50, 250, 50)
		}
		q.zone(fleet.PutZone{Order: tt.order})
		found := 0
		for _, a := range q.fleet.State().Durable.Alerts {
			if a.Kind != fleet.AlertCaughtInside {
				continue
			}
			found++
			if a.Vehicle != "d1" || !strings.Contains(a.Text, tt.text) {
				t.Errorf("%s: %s", tt.order.Rule, a.Text)
			}
		}
		if found != 1 {
			t.Errorf("%s: %d alerts", tt.order.Rule, found)
		}
	}
}

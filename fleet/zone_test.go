package fleet_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// squad is a number of vehicles that do as they are told, over the harbour.
type squad struct {
	t     testing.TB
	chart *chart.Chart
	fleet *fleet.Fleet
	now   time.Time
	seqs  map[fleet.VehicleID]uint64
}

func newSquad(t testing.TB) *squad { return newSquadWith(t, func(*fleet.Config) {}) }

func newSquadWith(t testing.TB, change func(c *fleet.Config)) *squad {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	return newSquadOn(t, c, change)
}

func newSquadOn(t testing.TB, c *chart.Chart, change func(c *fleet.Config)) *squad {
	config := fleet.DefaultConfig()
	config.TrustSamples = true
	change(&config)
	f, err := fleet.New(config, c, fleet.NewState())
	if err != nil {
		t.Fatal(err)
	}
	q := &squad{t: t, chart: c, fleet: f, now: time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC), seqs: map[fleet.VehicleID]uint64{}}
	q.step(fleet.Recovered{UnixEpoch: 1})
	return q
}

func (q *squad) step(in ...fleet.Input) fleet.Output { return q.fleet.Step(q.now, in) }

// at is a place in metres east and north of the chart's centre, so high above
// the ground.
func (q *squad) at(x, y, height float64) space.Position {
	p := q.chart.Frame.Position(space.XYZ{X: x, Y: y})
	p.AltitudeM = q.chart.GroundAltitude(p.Point()) + height
	return p
}

// clear is the place nearest to the north of one that has no building within 15 m.
func (q *squad) clear(x, y, height float64) space.Position {
	at := space.XY{X: x, Y: y}
	for range 100 {
		near := false
		for i := range q.chart.Buildings {
			rings := q.chart.Outline(int32(i))
			near = near || space.InRings(rings, at) || space.RingDist(rings[0], at) < 15
		}
		if !near {
			break
		}
		at.Y += 5
	}
	return q.at(at.X, at.Y, height)
}

// join registers a vehicle with its home and lets it log in there.
func (q *squad) join(id fleet.VehicleID, kind protocol.Kind, home space.Position) {
	h := api.Position{Lon: home.Lon, Lat: home.Lat, AltitudeM: &home.AltitudeM}
	q.step(
		fleet.Asked{Ask: fleet.RegisterVehicle{Vehicle: id, Registration: api.VehicleRegistration{Kind: string(kind), Model: model(string(kind)), Home: &h}}},
		fleet.Joined{Vehicle: id, Session: session(string(id)), Hello: protocol.Hello{Kind: kind, Model: model(string(kind)), LogID: "l", Time: q.now, Capabilities: []string{string(id)}}},
	)
	q.sample(id, home, protocol.ModeIdle)
}

func (q *squad) sample(id fleet.VehicleID, at space.Position, mode protocol.Mode) {
	speed := 0.0
	if mode == protocol.ModeTravel {
		speed = 10
	}
	q.step(fleet.Telemetry{Vehicle: id, Session: session(string(id)), Samples: []protocol.Sample{{
		Time: q.now, Position: protocol.Position(at), BatteryRatio: 0.95, SpeedMPS: speed, Mode: mode,
	}}})
}

// accept lets a vehicle accept what it was told last.
func (q *squad) accept(id fleet.VehicleID) {
	m := q.mission(id)
	q.seqs[id]++
	q.step(fleet.Report{Vehicle: id, Session: session(string(id)), LogID: "l", Message: protocol.Ack{
		Seq: q.seqs[id], Mission: &protocol.MissionRef{ID: string(m.ID), Revision: m.Revision}, Verdict: protocol.Accepted,
	}})
}

func (q *squad) obey(id fleet.VehicleID, c fleet.CommandID) {
	q.seqs[id]++
	q.step(fleet.Report{Vehicle: id, Session: session(string(id)), LogID: "l", Message: protocol.Ack{
		Seq: q.seqs[id], Command: string(c), Verdict: protocol.Accepted,
	}})
}

func (q *squad) mission(id fleet.VehicleID) *fleet.Mission {
	q.t.Helper()
	d := &q.fleet.State().Durable
	m, ok := d.Missions[d.Vehicles[id].Mission]
	if !ok {
		q.t.Fatalf("%s has no mission", id)
	}
	return m
}

// visit orders a visit for one vehicle, known by a skill of its own, and lets it
// accept.
func (q *squad) visit(id fleet.VehicleID, stops ...space.Position) fleet.TaskID {
	q.t.Helper()
	o := api.Order{Kind: "visit", Capabilities: []string{string(id)}}
	if len(stops) > 1 {
		o.Kind = "patrol"
	}
	for _, s := range stops {
		o.Stops = append(o.Stops, api.OrderStop{Position: &api.Position{Lon: s.Lon, Lat: s.Lat, AltitudeM: &s.AltitudeM}, WorkS: 20})
	}
	q.step(fleet.Asked{Actor: "alice", Ask: fleet.OrderTask{Order: o}})
	m := q.mission(id)
	q.accept(id)
	return m.Tasks()[len(m.Tasks())-1]
}

// along is the place at a part of the current leg's path, by its length.
func (q *squad) along(id fleet.VehicleID, part float64) space.Position {
	m := q.mission(id)
	return partOf(q.chart, m.Legs[m.Current()].Path, part)
}

// rectangle is a polygon in metres about the chart's centre.
func (q *squad) rectangle(west, south, east, north float64) [][][2]float64 {
	var ring [][2]float64
	for _, p := range [...]space.XY{{X: west, Y: south}, {X: east, Y: south}, {X: east, Y: north}, {X: west, Y: north}} {
		ring = append(ring, [2]float64(q.chart.Frame.Point(p)))
	}
	return [][][2]float64{ring}
}

// circle is a polygon of 64 corners about a place.
func (q *squad) circle(at space.Position, radiusM float64) [][][2]float64 {
	const corners = 64
	centre := q.chart.Frame.XY(at.Point())
	var ring [][2]float64
	for i := range corners {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		ring = append(ring, [2]float64(q.chart.Frame.Point(centre.Add(space.XY{X: radiusM * cos, Y: radiusM * sin}))))
	}
	return [][][2]float64{ring}
}

// zone asks for a change of a zone and returns the answer with what came of it.
func (q *squad) zone(ask fleet.Ask) (api.ZoneChange, fleet.Output) {
	q.t.Helper()
	out := q.step(fleet.Asked{Request: 1, Actor: "alice", Ask: ask})
	for _, e := range out.Effects {
		reply, ok := e.(fleet.Reply)
		if !ok {
			continue
		}
		if reply.Answer.Problem != nil {
			q.t.Fatalf("refused: %+v", reply.Answer.Problem)
		}
		var change api.ZoneChange
		if err := json.Unmarshal(reply.Answer.Body, &change); err != nil {
			q.t.Fatal(err)
		}
		return change, out
	}
	q.t.Fatal("no answer")
	return api.ZoneChange{}, out
}

// live lists the zones that people made and that are in force, and names those
// of the chart that they replaced, for the independent checker.
func live(s *fleet.State) (zones []chart.Zone, replaced map[string]bool) {
	replaced = map[string]bool{}
	for id, r := range s.Durable.Zones {
		replaced[string(id)] = true
		if !r.Suspended && !r.Removed {
			zones = append(zones, r.Zone)
		}
	}
	slices.SortFunc(zones, func(a, b chart.Zone) int { return strings.Compare(a.ID, b.ID) })
	return zones, replaced
}

// breaches holds what remains of a plan against the zones, as an independent
// checker sees it.
func breaches(c *chart.Chart, s *fleet.State, now time.Time, kind protocol.Kind, legs []fleet.Leg) []string {
	zones, replaced := live(s)
	var found []string
	depart := now
	for i := range legs {
		l := &legs[i]
		if l.Final() || l.State == protocol.LegBegun {
			continue
		}
		for _, b := range verify.Path(c, zones, replaced, fleet.MotionKind(kind), l.Path, depart, l.SpeedMPS) {
			if b.Rule != verify.OffNetwork {
				found = append(found, fmt.Sprintf("leg %s: %s", l.ID, b))
			}
		}
		depart = l.EndsAt
	}
	return found
}

func (q *squad) mustBeLawful(id fleet.VehicleID, at space.Position) {
	q.t.Helper()
	m := q.mission(id)
	v := q.fleet.State().Durable.Vehicles[id]
	if off := space.Distance(at, m.Legs[m.Current()].Path[0]); off > 1 {
		q.t.Errorf("%s revision %d begins %.0f m from the vehicle", id, m.Revision, off)
	}
	for _, b := range breaches(q.chart, q.fleet.State(), q.now, v.Kind, m.Legs) {
		q.t.Errorf("%s revision %d: %s", id, m.Revision, b)
	}
}

// effectOn finds what a change means for a vehicle.
func effectOn(t testing.TB, c *api.ZoneChange, id fleet.VehicleID) api.ZoneEffect {
	t.Helper()
	for _, e := range c.Affected {
		if e.Vehicle == string(id) {
			return e
		}
	}
	t.Fatalf("%s is not among those affected: %+v", id, c.Affected)
	return api.ZoneEffect{}
}

// TestAZoneAcrossTenDrones is the case of a zone that appears across the ways of
// ten flying drones, two of which are in it.
func TestAZoneAcrossTenDrones(t *testing.T) {
	q := newSquad(t)
	places := map[fleet.VehicleID]space.Position{}
	for i := range 10 {
		id := fleet.VehicleID(fmt.Sprintf("d%02d", i))
		y := -300 + 80*float64(i)
		q.join(id, protocol.Multirotor, q.clear(750, y, 0))
		task := q.visit(id, q.clear(-600, y, 40))
		part := 0.15
		if i == 4 || i == 5 {
			part = 0.45
		}
		places[id] = q.along(id, part)
		q.sample(id, places[id], protocol.ModeTravel)
		if task == "" {
			t.Fatal("no task")
		}
	}
	q.now = q.now.Add(time.Second)
	change, out := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(-20, -420, 280, 520), Reason: "fire"}})
	revised := map[fleet.VehicleID]bool{}
	caught := 0
	for _, r := range out.Events {
		if e, ok := r.Event.(fleet.MissionIssued); ok {
			revised[e.Vehicle] = true
		}
		if e, ok := r.Event.(fleet.AlertRaised); ok {
			if e.Alert.Kind == fleet.AlertZone {
				t.Errorf("a violation is raised: %s", e.Alert.Text)
			}
			if e.Alert.Kind == fleet.AlertCaughtInside {
				caught++
			}
		}
	}
	for id, at := range places {
		if !revised[id] {
			t.Errorf("%s has no revision in the step of the request", id)
		}
		q.mustBeLawful(id, at)
		e := effectOn(t, &change, id)
		if want := id == "d04" || id == "d05"; e.CaughtInside != want {
			t.Errorf("%s caught inside: %v", id, e.CaughtInside)
		}
		if e.Action != "rerouted" || len(e.Tasks) != 1 || len(e.Released) > 0 {
			t.Errorf("%s: %+v", id, e)
		}
	}
	if caught != 2 {
		t.Errorf("%d alerts of vehicles caught inside, want 2", caught)
	}
	for _, id := range []fleet.VehicleID{"d04", "d05"} {
		if took, nearest := q.leavesAfter(id, -20, -420, 280, 520); took > nearest+1 {
			t.Errorf("%s leaves after %.0f m, the shortest free line out is %.0f m long", id, took, nearest)
		}
	}
	// They leave in time: no violation. One comes back: that is one.
	q.now = q.now.Add(20 * time.Second)
	for _, id := range []fleet.VehicleID{"d04", "d05"} {
		q.accept(id)
		q.sample(id, q.at(-100, 0, 40), protocol.ModeTravel)
	}
	if n := q.open(fleet.AlertCaughtInside); n != 0 {
		t.Errorf("%d alerts stand after both have left", n)
	}
	q.sample("d04", q.at(100, 0, 40), protocol.ModeTravel)
	if n := q.open(fleet.AlertZone); n != 1 {
		t.Errorf("%d violations, want that of the one that came back", n)
	}
}

// open counts the open alerts of a kind.
func (q *squad) open(kind fleet.AlertKind) int {
	n := 0
	for _, a := range q.fleet.State().Durable.Alerts {
		if a.Kind == kind && a.Open() {
			n++
		}
	}
	return n
}

// leavesAfter is how far the present leg goes before it is out of a rectangle,
// and how far the nearest of its sides is to which a straight line is free, with
// 10 m to spare, as an independent checker sees it.
func (q *squad) leavesAfter(id fleet.VehicleID, west, south, east, north float64) (took, nearest float64) {
	m := q.mission(id)
	path := m.Legs[m.Current()].Path
	height := 0.0
	for i := range path {
		at := q.chart.Frame.XYZ(path[i])
		height = max(height, at.Z)
		if at.X < west || at.X > east || at.Y < south || at.Y > north {
			break
		}
		took += at.XY().Dist(q.chart.Frame.XYZ(path[i+1]).XY())
	}
	from := q.chart.Frame.XYZ(path[0])
	nearest = math.Inf(1)
	for _, to := range [...]space.XY{{X: west - 10, Y: from.Y}, {X: east + 10, Y: from.Y}, {X: from.X, Y: south - 10}, {X: from.X, Y: north + 10}} {
		line := []space.Position{
			q.chart.Frame.Position(space.XYZ{X: from.X, Y: from.Y, Z: height}), q.chart.Frame.Position(space.XYZ{X: to.X, Y: to.Y, Z: height}),
		}
		wide := []space.XY{{}, {X: 9, Y: 9}, {X: -9, Y: -9}, {X: 9, Y: -9}, {X: -9, Y: 9}}
		free := true
		for _, off := range wide {
			shifted := make([]space.Position, 2)
			for i := range line {
				at := q.chart.Frame.XYZ(line[i])
				shifted[i] = q.chart.Frame.Position(space.XYZ{X: at.X + off.X, Y: at.Y + off.Y, Z: height})
			}
			free = free && len(verify.Path(q.chart, nil, nil, "multirotor", shifted, q.now, 10)) == 0
		}
		if free {
			nearest = min(nearest, from.XY().Dist(to))
		}
	}
	return took, nearest
}

// crowd is a number of drones in the air, each on its way across the middle.
func (q *squad) crowd(n int, part float64) []fleet.VehicleID {
	var ids []fleet.VehicleID
	for i := range n {
		id := fleet.VehicleID(fmt.Sprintf("d%03d", i))
		y := -500 + 1000*float64(i)/float64(n)
		q.join(id, protocol.Multirotor, q.clear(700+float64(i%7)*10, y, 0))
		q.visit(id, q.clear(-600, y, 40))
		q.sample(id, q.along(id, part), protocol.ModeTravel)
		q.now = q.now.Add(fleet.PlanningRefill) // For the next one's plan.
		ids = append(ids, id)
	}
	return ids
}

// TestBeyondTheBudgetVehiclesAreHeldAndPlannedInTheNextTicks: what a step has no
// time for is held when its way meets the zone soon, and goes on when it has a
// lawful revision.
func TestBeyondTheBudgetVehiclesAreHeldAndPlannedInTheNextTicks(t *testing.T) {
	q := newSquadWith(t, func(c *fleet.Config) { c.ExpansionsPerStep = 500 })
	ids := q.crowd(12, 0.3)
	q.now = q.now.Add(time.Second)
	change, _ := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(-100, -600, 60, 600)}})
	actions := map[string]int{}
	for _, e := range change.Affected {
		actions[e.Action]++
	}
	if actions["held"] < 3 || actions["rerouted"] < 1 || actions["held"]+actions["rerouted"]+actions["deferred"] != 12 {
		t.Fatalf("actions %v", actions)
	}
	places := map[fleet.VehicleID]space.Position{}
	for _, id := range ids {
		places[id] = space.Position(q.fleet.State().Volatile.Presences[id].Sample.Position)
	}
	for range 40 {
		q.now = q.now.Add(time.Second)
		for _, id := range ids {
			v := q.fleet.State().Durable.Vehicles[id]
			for _, c := range v.Commands {
				if s := q.fleet.State().Durable.Commands[c].State; s == fleet.CommandIssued {
					q.obey(id, c)
				}
			}
			if m := q.mission(id); !m.Answered() {
				q.accept(id)
			}
			q.sample(id, places[id], protocol.ModeTravel)
		}
		q.step(fleet.Tick{})
	}
	for _, id := range ids {
		m := q.mission(id)
		if m.State != protocol.MissionActive || q.fleet.State().Durable.Vehicles[id].Blocked != "" {
			t.Errorf("%s is not on its way again: %s", id, m.State)
		}
		q.mustBeLawful(id, places[id])
	}
}

// TestAZoneThatGoesLetsThoseHeldGoOn: the hold is taken back.
func TestAZoneThatGoesLetsThoseHeldGoOn(t *testing.T) {
	q := newSquadWith(t, func(c *fleet.Config) { c.ExpansionsPerStep = 300 })
	q.crowd(12, 0.3)
	change, _ := q.zone(fleet.PutZone{Order: api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(-100, -600, 60, 600)}})
	var held []fleet.VehicleID
	places := map[fleet.VehicleID]space.Position{}
	for _, e := range change.Affected {
		if e.Action == "held" {
			id := fleet.VehicleID(e.Vehicle)
			held = append(held, id)
			places[id] = q.along(id, 0.3)
			q.obey(id, q.fleet.State().Durable.Vehicles[id].Commands[0])
		}
	}
	q.zone(fleet.RemoveZone{Zone: fleet.ZoneID(change.Zone.ID)})
	for range 20 {
		q.now = q.now.Add(time.Second)
		for _, id := range held {
			q.sample(id, places[id], protocol.ModeHold)
			if m := q.mission(id); !m.Answered() {
				q.accept(id)
			}
		}
		q.step(fleet.Tick{})
	}
	if len(held) < 3 {
		t.Fatalf("only %d are held", len(held))
	}
	for _, id := range held {
		resumed := false
		for _, c := range q.fleet.State().Durable.Commands {
			resumed = resumed || c.Vehicle == id && c.Kind == protocol.CommandResume
		}
		if !resumed {
			t.Errorf("%s is not resumed", id)
		}
	}
}

// BenchmarkZoneAcross is the step of a zone across the ways of so many drones,
// and what they need in all.
func BenchmarkZoneAcross(b *testing.B) {
	for _, n := range []int{10, 100, 500} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			q := newSquad(b)
			q.crowd(n, 0.3)
			order := api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(-100, -600, 60, 600)}
			actions := map[string]int{}
			for b.Loop() {
				change, _ := q.zone(fleet.PutZone{Order: order})
				clear(actions)
				for _, e := range change.Affected {
					actions[e.Action]++
				}
				b.StopTimer()
				q = newSquad(b)
				q.crowd(n, 0.3)
				b.StartTimer()
			}
			for action, count := range actions {
				b.ReportMetric(float64(count), action)
			}
		})
	}
}

package fleet_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// reported reports an incident and returns its tasks by role.
func (s *stage) reported(r api.IncidentReport) (api.Incident, map[string]api.Task) {
	s.t.Helper()
	s.request++
	out := s.step(fleet.Asked{Request: s.request, Actor: "alice", Ask: fleet.ReportIncident{Report: r}})
	var view api.Incident
	for _, e := range out.Effects {
		if reply, ok := e.(fleet.Reply); ok {
			if reply.Answer.Problem != nil {
				s.t.Fatalf("refused: %+v", reply.Answer.Problem)
			}
			s.must(json.Unmarshal(reply.Answer.Body, &view))
		}
	}
	tasks := map[string]api.Task{}
	for _, part := range view.Tasks {
		tasks[part.Role], _ = s.fleet.State().TaskView(fleet.TaskID(part.Task))
	}
	return view, tasks
}

// TestThePlacesOfAResponseCanBeReached reports fires all over the district, in
// buildings and out, and asks the planner for the way to every place chosen.
func TestThePlacesOfAResponseCanBeReached(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	p, err := route.NewPlanner(&route.World{Chart: c})
	if err != nil {
		t.Fatal(err)
	}
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 1))
	box := c.Frame.Bound(c.Extent)
	homes := map[bool]string{true: "node/6017", false: "node/6002"}
	inside := 0
	for n := range 40 {
		xy := space.XY{X: box.Min.X + r.Float64()*(box.Max.X-box.Min.X), Y: box.Min.Y + r.Float64()*(box.Max.Y-box.Min.Y)}
		if n%3 == 0 {
			xy = space.BoxOf(c.Outline(int32(n % len(c.Buildings)))[0]...).Centre()
		}
		if distM := nearestStreet(c, xy); distM > 150 || zoned(c, xy) {
			continue
		}
		if _, in := c.BuildingAt(xy); in {
			inside++
		}
		at := c.Frame.Point(xy)
		s := newStage(t)
		for kind, parts := range map[string][]string{"fire": {"overview", "extinguisher"}, "gas_leak": {"overview", "gas measurement"}, "medical": {"defibrillator", "first aid kit"}} {
			_, tasks := s.reported(api.IncidentReport{Kind: kind, Position: &api.Position{Lon: at[0], Lat: at[1]}})
			for _, role := range parts {
				task := tasks[role]
				flies := task.VehicleKinds[0] == "multirotor"
				spec, _ := motion.Preset(map[bool]string{true: "kapok-quad", false: "kapok-rover"}[flies])
				stop := task.Stops[0].Position
				goal := space.Position{Lon: stop.Lon, Lat: stop.Lat, AltitudeM: *stop.AltitudeM}
				_, err := p.Find(route.Query{From: space.Position(s.site(homes[flies])), To: goal, Spec: spec, Depart: s.now})
				if err != nil {
					t.Errorf("seed %d, place %d (%.6f,%.6f): the way to %s of %s: %v", seed, n, at[0], at[1], role, kind, err)
				}
				checkPlace(t, c, kind+" "+role, xy, goal, flies)
			}
		}
	}
	if inside < 8 {
		t.Errorf("only %d places lie in buildings", inside)
	}
}

func nearestStreet(c *chart.Chart, xy space.XY) float64 {
	p := c.Frame.Point(xy)
	_, distM, _ := c.SnapNode(space.Position{Lon: p[0], Lat: p[1]})
	return distM
}

// zoned tells whether a place is within 150 m of a zone that keeps out, where a
// response may well find no place.
func zoned(c *chart.Chart, xy space.XY) bool {
	for i := range c.Zones {
		z := &c.Zones[i]
		if z.Rule != chart.KeepOut {
			continue
		}
		var ring []space.XY
		for _, p := range z.Polygon[0] {
			ring = append(ring, c.Frame.XY(p))
		}
		if space.InRing(ring, xy) || space.RingDist(ring, xy) < 150 {
			return true
		}
	}
	return false
}

// checkPlace holds a place against the outlines of the chart.
func checkPlace(t *testing.T, c *chart.Chart, what string, from space.XY, goal space.Position, flies bool) {
	t.Helper()
	at := c.Frame.XY(goal.Point())
	far := at.Dist(from)
	low := goal.AltitudeM <= c.GroundAltitude(goal.Point())+0.01
	switch {
	case strings.HasPrefix(what, "gas_leak") && far < 29.9:
		t.Errorf("%s: %.0f m from the leak", what, far)
	case !strings.HasPrefix(what, "gas_leak") && flies && far > 120, far > 320:
		t.Errorf("%s: %.0f m away", what, far)
	}
	for i := range c.Buildings {
		rings := c.Outline(int32(i))
		if !space.InRings(rings, at) {
			continue
		}
		switch {
		case low && flies:
			t.Errorf("%s: on the ground in building %s", what, c.Buildings[i].ID)
		case flies && goal.AltitudeM < c.RoofM(int32(i))+9.9:
			t.Errorf("%s: at %.0f m over building %s with its roof at %.0f m", what, goal.AltitudeM, c.Buildings[i].ID, c.RoofM(int32(i)))
		}
	}
	if flies && goal.AltitudeM > c.GroundAltitude(goal.Point())+c.HeightLimitM {
		t.Errorf("%s: above the limit of height", what)
	}
}

// TestASearchLeavesNoGap walks the tracks of searches of many sizes and looks
// for places of the area that are further from all of them than the spacing.
func TestASearchLeavesNoGap(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	at := space.Position{Lon: 113.9295, Lat: 22.5125}
	centre := c.Frame.XY(at.Point())
	for _, kind := range []string{"flood", "lost_person"} {
		for _, radius := range []float64{60, 150, 250, 400} {
			s := newStage(t)
			_, tasks := s.reported(api.IncidentReport{Kind: kind, Position: &api.Position{Lon: at.Lon, Lat: at.Lat}, RadiusM: radius})
			var tracks [][2]space.XY
			left, searches := false, 0
			for role, task := range tasks {
				if task.Kind != "patrol" {
					continue
				}
				searches++
				left = left || strings.Contains(task.Note, "left out")
				for i := 1; i < len(task.Stops); i++ {
					tracks = append(tracks, [2]space.XY{place(c, task.Stops[i-1]), place(c, task.Stops[i])})
				}
				for _, stop := range task.Stops {
					if d := place(c, stop); math.Abs(d.X-centre.X) > radius+1 || math.Abs(d.Y-centre.Y) > radius+1 {
						t.Errorf("%s %s: a corner lies outside of %.0f m", kind, role, radius)
					}
				}
			}
			if want := map[string]int{"flood": 1, "lost_person": 2}[kind]; searches < want {
				t.Errorf("%s: %d searches", kind, searches)
			}
			if left {
				continue
			}
			for x := -radius; x <= radius; x += 7 {
				for y := -radius; y <= radius; y += 7 {
					p := space.XY{X: centre.X + x, Y: centre.Y + y}
					near := math.Inf(1)
					for _, tr := range tracks {
						near = min(near, space.SegmentDist(p, tr[0], tr[1]))
					}
					if near > 45 {
						t.Fatalf("%s within %.0f m: %.0f,%.0f is %.0f m from every track", kind, radius, x, y, near)
					}
				}
			}
		}
	}
}

func place(c *chart.Chart, s api.TaskStop) space.XY {
	return c.Frame.XY(space.Position{Lon: s.Position.Lon, Lat: s.Position.Lat}.Point())
}

// TestALongSearchIsShared: beyond what one sortie holds it becomes more tasks,
// and beyond those its tracks are further apart, which its note tells.
func TestALongSearchIsShared(t *testing.T) {
	s := newStage(t)
	at := &api.Position{Lon: 113.9295, Lat: 22.5125}
	view, tasks := s.reported(api.IncidentReport{Kind: "flood", Severity: "minor", Position: at, RadiusM: 400})
	if len(view.Tasks) < 2 || tasks["search 1 of "+fmt.Sprint(len(view.Tasks))].ID == "" {
		t.Errorf("within 400 m: %+v", view.Tasks)
	}
	view, tasks = s.reported(api.IncidentReport{Kind: "flood", Severity: "minor", Position: at, RadiusM: 5000})
	if len(view.Tasks) > fleet.MaxSectors || len(view.Tasks) == 0 {
		t.Fatalf("within 5000 m: %d tasks", len(view.Tasks))
	}
	for role, task := range tasks {
		if !strings.Contains(task.Note, "would be too long") {
			t.Errorf("%s says only %q", role, task.Note)
		}
	}
}

// TestThereIsALimitOfOpenIncidents reports one more than there may be.
func TestThereIsALimitOfOpenIncidents(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	f, err := fleet.New(fleet.DefaultConfig(), c, fleet.NewState())
	if err != nil {
		t.Fatal(err)
	}
	s := newStage(t)
	f.Step(s.now, []fleet.Input{fleet.Recovered{UnixEpoch: 1000}})
	ask := fleet.Asked{Actor: "alice", Ask: fleet.ReportIncident{Report: api.IncidentReport{Kind: "medical", Severity: "minor", Site: "way/1901"}}}
	for n := range fleet.MaxOpenIncidents + 1 {
		out := f.Step(s.now, []fleet.Input{ask})
		reply, ok := out.Effects[len(out.Effects)-1].(fleet.Reply)
		if !ok {
			t.Fatalf("report %d: no answer", n+1)
		}
		if full := n == fleet.MaxOpenIncidents; full != (reply.Answer.Status == 503) || full && reply.Answer.Problem.Code != "too_many_incidents" {
			t.Fatalf("report %d: %+v", n+1, reply.Answer.Problem)
		}
	}
}

// A search turns at each corner of its pattern, without a stop: no corner lies beside
// a zone that aircraft pass at a distance.
func TestASearchTurnsAwayFromZones(t *testing.T) {
	search := func(s *stage) (corners []space.XY) {
		_, tasks := s.reported(api.IncidentReport{Kind: "flood", Position: &api.Position{Lon: 113.9295, Lat: 22.5125}, RadiusM: 150})
		for _, task := range tasks {
			if task.Kind == "patrol" {
				for _, stop := range task.Stops {
					corners = append(corners, place(s.chart(), stop))
				}
			}
		}
		return corners
	}
	before := search(newStage(t))
	if len(before) < 5 {
		t.Fatalf("the search has %d corners", len(before))
	}
	// The zone begins 4 m north of the last corner.
	corner := before[len(before)-1]
	west, south, east, north := corner.X-20, corner.Y+4, corner.X+20, corner.Y+20
	s := newStage(t)
	s.directZone(strings.Fields(fmt.Sprintf("zone new keep_out rect=%g,%g,%g,%g", west, south, east, north)))
	after := search(s)
	if len(after) >= len(before) {
		t.Errorf("%d corners, and %d without the zone", len(after), len(before))
	}
	for _, p := range after {
		if d := math.Hypot(max(west-p.X, p.X-east, 0), max(south-p.Y, p.Y-north, 0)); d < route.ClearanceM-0.1 {
			t.Errorf("a corner lies %.1f m from the zone", d)
		}
	}
}

package fleet_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// directZone carries out a stage direction about zones, if it is one.
func (s *stage) directZone(words []string) bool {
	s.t.Helper()
	switch words[0] {
	case "zone": // zone new|ID keep_out rect=W,S,E,N [floor=N] [ceiling=N] [limit=N] [from=5m] [until=10m] [air|ground] [rev=N]
		ask := fleet.PutZone{Order: s.zoneOrder(words[2:]), Revision: s.revisionIn(words)}
		if words[1] != "new" {
			ask.Zone = fleet.ZoneID(words[1])
		}
		s.askZone(words, ask)
	case "suspend", "restore": // suspend Z1
		s.askZone(words, fleet.SuspendZone{
			Zone: fleet.ZoneID(words[1]), Revision: s.revisionIn(words), Suspension: api.ZoneSuspension{Suspended: words[0] == "suspend"},
		})
	case "unzone": // unzone Z1
		s.askZone(words, fleet.RemoveZone{Zone: fleet.ZoneID(words[1]), Revision: s.revisionIn(words)})
	case "place": // place d1 10,20,40: a sample at metres east and north of the centre, so high
		s.sampleAt(words[1], s.metres(words[2]))
	case "along": // along d1 0.4: a sample at a part of its current leg
		s.sampleAt(words[1], s.alongLeg(words[1], words[2]))
	case "lawful": // lawful d1: what an independent checker finds on its way
		s.showLawful(words[1])
	case "watch": // watch d1,d2 20s: time passes, and they stay where they are
		d, err := time.ParseDuration(words[2])
		s.must(err)
		for end := s.now.Add(d); s.now.Before(end); {
			s.now = s.now.Add(time.Second)
			var inputs []fleet.Input
			for _, who := range strings.Split(words[1], ",") {
				inputs = append(inputs, s.telemetry(who, s.position(who)))
			}
			s.step(append(inputs, fleet.Tick{})...)
		}
	default:
		return false
	}
	return true
}

func (s *stage) revisionIn(words []string) uint64 {
	if r := option(words, "rev"); r != "" {
		n, err := strconv.ParseUint(r, 10, 64)
		s.must(err)
		return n
	}
	return 0
}

func (s *stage) number(words []string, name string) float64 {
	if x := option(words, name); x != "" {
		n, err := strconv.ParseFloat(x, 64)
		s.must(err)
		return n
	}
	return 0
}

func (s *stage) when(words []string, name string) time.Time {
	if x := option(words, name); x != "" {
		d, err := time.ParseDuration(x)
		s.must(err)
		return s.now.Add(d)
	}
	return time.Time{}
}

func (s *stage) zoneOrder(words []string) api.ZoneOrder {
	o := api.ZoneOrder{
		Rule: words[0], Name: option(words, "name"), FloorM: s.number(words, "floor"), HeightLimitM: s.number(words, "limit"), SpeedLimitMPS: s.number(words, "speed"),
		From: s.when(words, "from"), Until: s.when(words, "until"), Airborne: slices.Contains(words, "air"), Ground: slices.Contains(words, "ground"),
	}
	if c := s.number(words, "ceiling"); c != 0 {
		o.CeilingM = &c
	}
	var x []float64
	for _, n := range strings.Split(option(words, "rect"), ",") {
		m, err := strconv.ParseFloat(n, 64)
		s.must(err)
		x = append(x, m)
	}
	c := s.chart()
	var ring [][2]float64
	for _, p := range [...]space.XY{{X: x[0], Y: x[1]}, {X: x[2], Y: x[1]}, {X: x[2], Y: x[3]}, {X: x[0], Y: x[3]}} {
		ring = append(ring, [2]float64(c.Frame.Point(p)))
	}
	o.Polygon = [][][2]float64{ring}
	return o
}

func (s *stage) chart() *chart.Chart {
	c, err := harbour.Chart()
	s.must(err)
	return c
}

// askZone asks and prints whom the change concerns.
func (s *stage) askZone(words []string, ask fleet.Ask) {
	s.request++
	body, err := json.Marshal(ask)
	s.must(err)
	out := s.step(fleet.Asked{Request: s.request, Actor: "alice", Key: option(words, "key"), BodyHash: string(body), Ask: ask})
	for _, e := range out.Effects {
		reply, ok := e.(fleet.Reply)
		if !ok || reply.Answer.Problem != nil {
			continue
		}
		var change api.ZoneChange
		s.must(json.Unmarshal(reply.Answer.Body, &change))
		fmt.Fprintf(&s.out, "  zone %s %s revision %d suspended %v\n", change.Zone.ID, change.Zone.Rule, change.Zone.Revision, change.Zone.Suspended)
		for _, a := range change.Affected {
			fmt.Fprintf(&s.out, "  %s %s caught=%v delay=%.0fs extra=%.0fm keeps=%v releases=%v (%s)\n",
				a.Vehicle, a.Action, a.CaughtInside, a.DelayS, a.ExtraM, a.Tasks, a.Released, a.Reason)
		}
	}
}

// metres reads a place "x,y,height" about the chart's centre.
func (s *stage) metres(text string) space.Position {
	var x [3]float64
	for i, n := range strings.Split(text, ",") {
		m, err := strconv.ParseFloat(n, 64)
		s.must(err)
		x[i] = m
	}
	c := s.chart()
	p := c.Frame.Position(space.XYZ{X: x[0], Y: x[1]})
	p.AltitudeM = c.GroundAltitude(p.Point()) + x[2]
	return p
}

func (s *stage) position(who string) space.Position {
	return space.Position(s.fleet.State().Volatile.Presences[fleet.VehicleID(who)].Sample.Position)
}

func (s *stage) telemetry(who string, at space.Position) fleet.Input {
	sample := protocol.Sample{Time: s.now, BatteryRatio: 0.95, Mode: protocol.ModeIdle, Position: protocol.Position(at)}
	if at.AltitudeM > s.chart().GroundAltitude(at.Point())+3 {
		sample.Mode, sample.SpeedMPS = protocol.ModeTravel, 1
	}
	return fleet.Telemetry{Vehicle: fleet.VehicleID(who), Session: session(who), Samples: []protocol.Sample{sample}}
}

func (s *stage) sampleAt(who string, at space.Position) { s.step(s.telemetry(who, at)) }

func (s *stage) alongLeg(who, part string) space.Position {
	k, err := strconv.ParseFloat(part, 64)
	s.must(err)
	d := &s.fleet.State().Durable
	m := d.Missions[d.Vehicles[fleet.VehicleID(who)].Mission]
	return partOf(s.chart(), m.Legs[m.Current()].Path, k)
}

// partOf is the place at a part of a path, by its length.
func partOf(c *chart.Chart, path []space.Position, part float64) space.Position {
	left := 0.0
	for i := 1; i < len(path); i++ {
		left += part * c.Frame.XYZ(path[i-1]).Dist(c.Frame.XYZ(path[i]))
	}
	for i := 1; i < len(path); i++ {
		a, b := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i])
		d := a.Dist(b)
		if left > d {
			left -= d
			continue
		}
		k := left / max(d, 1e-9)
		return c.Frame.Position(space.XYZ{X: a.X + (b.X-a.X)*k, Y: a.Y + (b.Y-a.Y)*k, Z: a.Z + (b.Z-a.Z)*k})
	}
	return path[len(path)-1]
}

func (s *stage) showLawful(who string) {
	d := &s.fleet.State().Durable
	v := d.Vehicles[fleet.VehicleID(who)]
	m := d.Missions[v.Mission]
	found := breaches(s.chart(), s.fleet.State(), s.now, v.Kind, m.Legs)
	if len(found) == 0 {
		fmt.Fprintf(&s.out, "  %s/%d is lawful\n", m.ID, m.Revision)
	}
	for _, b := range found {
		fmt.Fprintf(&s.out, "  %s/%d: %s\n", m.ID, m.Revision, b)
	}
}

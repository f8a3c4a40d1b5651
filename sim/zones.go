package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// circlePoints is how many corners a circle has.
const circlePoints = 32

// madeZone is what became of a zone of the scenario.
type madeZone struct {
	id      fleet.ZoneID
	refused string
	// ring is where it was laid.
	ring orb.Ring
	// askedAt is when it was asked for, affected what the answer said.
	askedAt  int64
	affected []api.ZoneEffect
	// open are the vehicles that have not yet accepted what they were told,
	// settledS how long the last of them took.
	open     []concerned
	settledS float64
}

// concerned is a vehicle whose way a zone touches, and the revision that it has
// to accept.
type concerned struct {
	vehicle  fleet.VehicleID
	mission  fleet.MissionID
	revision int
}

// zone puts the making of a zone into the queue.
func (p *people) zone(number int, z *scenario.TimedZone) {
	it := &madeZone{}
	p.zones = append(p.zones, it)
	p.w.after(z.At.D(), func() { p.lay(number, z, it, p.w.now) })
}

// lay finds where a zone is to be, and asks for it. What must lie across routes
// is tried again each second, and given up in time.
func (p *people) lay(number int, z *scenario.TimedZone, it *madeZone, since int64) {
	ring, ok := p.ringOf(number, z)
	if !ok {
		if p.w.now-since >= int64(scenario.AcrossPatience) {
			it.refused = "no rectangle lies across the ways of so many drones"
			return
		}
		p.w.after(time.Second, func() { p.lay(number, z, it, since) })
		return
	}
	it.ring, it.askedAt = ring, p.w.now
	order := orderOf(z, ring)
	if z.For > 0 {
		order.Until = p.w.time().Add(z.For.D())
	}
	p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/zones zone-%d", number), fleet.PutZone{Order: order}, func(a fleet.Answer) {
		if a.Problem != nil {
			it.refused = a.Problem.Code + ": " + a.Problem.Detail
			return
		}
		var made api.ZoneChange
		if err := json.Unmarshal(a.Body, &made); err != nil {
			p.w.fail(fmt.Errorf("the answer to zone %d: %w", number, err))
		}
		it.id, it.affected = fleet.ZoneID(made.Zone.ID), made.Affected
		p.await(it)
	})
}

// orderOf is the request for a zone.
func orderOf(z *scenario.TimedZone, ring orb.Ring) api.ZoneOrder {
	order := api.ZoneOrder{
		Name: z.Name, Rule: z.Rule, FloorM: z.FloorM, HeightLimitM: z.HeightLimitM, SpeedLimitMPS: z.SpeedLimitMPS,
		Airborne: z.Airborne, Ground: z.Ground, Reason: byScenario,
	}
	var points [][2]float64
	for _, at := range ring {
		points = append(points, [2]float64(at))
	}
	order.Polygon = [][][2]float64{points}
	if z.CeilingM != 0 {
		order.CeilingM = &z.CeilingM
	}
	return order
}

// ringOf is the outer ring of a zone; false while there is none that fits.
func (p *people) ringOf(number int, z *scenario.TimedZone) (orb.Ring, bool) {
	switch {
	case z.Across == nil:
		return p.plans.ringOf(z)
	case number <= len(p.w.laid):
		// A run that is compared with another has the zones of that one.
		return p.w.laid[number-1], len(p.w.laid[number-1]) > 0
	}
	return p.w.across(number, z.Across)
}

// ringOf is the outer ring of a zone that is drawn in the scenario; false when
// its place is not known.
func (p *orderPlan) ringOf(z *scenario.TimedZone) (orb.Ring, bool) {
	if z.Circle != nil {
		stop := p.named(z.Circle.At)
		at, ok := p.position(&stop)
		return circle(p.chart.Frame, at, z.Circle.RadiusM), ok
	}
	if len(z.Polygon) == 0 {
		return nil, false
	}
	ring := make(orb.Ring, 0, len(z.Polygon)+1)
	for _, at := range z.Polygon {
		ring = append(ring, at)
	}
	if ring[0] != ring[len(ring)-1] {
		ring = append(ring, ring[0])
	}
	return ring, true
}

// circle is a regular polygon about a place.
func circle(frame space.Frame, at space.XY, radiusM float64) orb.Ring {
	var ring orb.Ring
	for i := range circlePoints {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / circlePoints)
		ring = append(ring, frame.Point(space.XY{X: at.X + radiusM*cos, Y: at.Y + radiusM*sin}))
	}
	return append(ring, ring[0])
}

// await notes who has to accept a lawful revision, or a command.
func (p *people) await(it *madeZone) {
	if !p.w.backend.up() {
		return
	}
	d := &p.w.backend.core.Fleet().State().Durable
	for _, e := range it.affected {
		if e.Action == "none" {
			continue
		}
		c := concerned{vehicle: fleet.VehicleID(e.Vehicle)}
		if v := d.Vehicles[c.vehicle]; v != nil && v.Mission != "" {
			c.mission, c.revision = v.Mission, d.Missions[v.Mission].Revision
		}
		it.open = append(it.open, c)
	}
	p.settle()
}

// settle sees who has accepted by now.
func (p *people) settle() {
	if !p.w.backend.up() {
		return
	}
	d := &p.w.backend.core.Fleet().State().Durable
	for _, it := range p.zones {
		if len(it.open) == 0 {
			continue
		}
		it.open = slices.DeleteFunc(it.open, func(c concerned) bool { return c.settled(d) })
		it.settledS = time.Duration(p.w.now - it.askedAt).Seconds()
	}
}

// settled tells whether a vehicle has accepted all that it was told.
func (c concerned) settled(d *fleet.Durable) bool {
	v := d.Vehicles[c.vehicle]
	if v == nil {
		return true
	}
	for _, id := range v.Commands {
		if s := d.Commands[id].State; s == fleet.CommandIssued || s == fleet.CommandDelivered {
			return false
		}
	}
	m := d.Missions[c.mission]
	return m == nil || !m.EndedAt.IsZero() || m.Accepted >= c.revision
}

// liveZones tells the checker which zones are in force from now on.
func (w *world) liveZones() {
	if !w.backend.up() {
		return
	}
	zones := w.backend.core.Fleet().State().Durable.Zones
	var live []chart.Zone
	suspended := map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(zones)) {
		record := zones[id]
		if record.Suspended || record.Removed {
			suspended[string(id)] = true
			continue
		}
		live = append(live, record.Zone)
	}
	w.geometry.SetZones(w.time(), live, suspended)
}

// position is where a stop is, in the chart's frame.
func (p *orderPlan) position(s *api.OrderStop) (space.XY, bool) {
	if s.Position != nil {
		return p.chart.Frame.XY(orb.Point{s.Position.Lon, s.Position.Lat}), true
	}
	for i := range p.chart.Sites {
		if c := &p.chart.Sites[i]; s.Site != "" && c.ID == s.Site {
			return p.chart.Frame.XY(c.Position.Point()), true
		}
	}
	for i := range p.chart.Places {
		if c := &p.chart.Places[i]; s.Place != "" && c.ID == s.Place {
			return p.chart.Frame.XY(c.Position.Point()), true
		}
	}
	return space.XY{}, false
}

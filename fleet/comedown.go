package fleet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Where an aircraft comes down that can get neither home nor to another site.

const (
	// ComeDownReachM is how far off a place to come down may lie.
	ComeDownReachM = 400
	// OpenGroundM is how far from buildings and water an aircraft comes down. On
	// its way there it keeps as far from what it does not fly over.
	OpenGroundM = 5
	// comeDownMPS is the most that it flies on that way.
	comeDownMPS = 5
	// comeDownTurns is in how many directions places are looked for.
	comeDownTurns = 16
	// strandedRetry is how often a way is looked for that frees a stranded vehicle.
	strandedRetry = 30 * time.Second
)

// below is the altitude of what an aircraft at a place would come down on: the
// highest roof below it, else the ground.
func (f *Fleet) below(at space.Position) (altitudeM float64, roof bool) {
	xy := f.chart.Frame.XY(at.Point())
	altitudeM = f.chart.GroundAltitudeXY(xy)
	for _, i := range f.chart.BuildingsIn(space.BoxOf(xy), nil) {
		if top := f.chart.RoofM(i); top > altitudeM && top < at.AltitudeM+groundedM && space.InRings(f.chart.Outline(i), xy) {
			altitudeM, roof = top, true
		}
	}
	return altitudeM, roof
}

// canComeDown tells whether an aircraft can come down at a place: on the chart and
// clear of buildings and water.
func (f *Fleet) canComeDown(xy space.XY) bool {
	c := f.chart
	if !c.Extent.Contains(c.Frame.Point(xy)) {
		return false
	}
	for _, i := range c.BuildingsIn(space.BoxOf(xy).Grow(OpenGroundM), nil) {
		rings := c.Outline(i)
		if space.InRings(rings, xy) {
			return false
		}
		for _, r := range rings {
			if space.RingDist(r, xy) < OpenGroundM {
				return false
			}
		}
	}
	for _, d := range [...]space.XY{{}, {X: OpenGroundM}, {X: -OpenGroundM}, {Y: OpenGroundM}, {Y: -OpenGroundM}} {
		if _, wet := c.WaterAt(xy.Add(d)); wet {
			return false
		}
	}
	return true
}

// wayDown is the way of an aircraft to the nearest open ground: level, then
// straight down. It breaks no rule of a zone but those that it breaks where it
// begins, and ends outside of all zones that forbid it to be there if it can.
// False is returned when there is no such place within ComeDownReachM.
func (f *Fleet) wayDown(v *Vehicle, at space.Position) ([]space.Position, bool) {
	from := f.chart.Frame.XYZ(at)
	for _, strict := range [...]bool{true, false} {
		for r := 0.0; r <= ComeDownReachM; r += max(8, r/4) {
			for turn := range comeDownTurns {
				sin, cos := math.Sincos(2 * math.Pi * float64(turn) / comeDownTurns)
				to := space.XYZ{X: from.X + r*sin, Y: from.Y + r*cos, Z: from.Z}
				if path, ok := f.wayDownAt(v, at, from, to, strict); ok {
					return path, true
				}
				if r == 0 {
					break
				}
			}
		}
	}
	return nil, false
}

// wayDownAt is wayDown by one place at the altitude of the begin.
func (f *Fleet) wayDownAt(v *Vehicle, at space.Position, from, to space.XYZ, strict bool) ([]space.Position, bool) {
	if !f.canComeDown(to.XY()) || !f.lineFree(from, to.XY()) {
		return nil, false
	}
	ground := space.XYZ{X: to.X, Y: to.Y, Z: f.chart.GroundAltitudeXY(to.XY())}
	laws := f.lawsNow()
	for _, l := range laws {
		if l.breaks(f, ground, true) && (strict || !l.breaks(f, from, true)) {
			return nil, false
		}
	}
	if l := f.outside(laws, ground, true); l != nil && (strict || f.outside(laws, from, true) == nil) {
		return nil, false
	}
	need := v.Spec.Leg(from.XY().Dist(to.XY()), 0, max(0, from.Z-ground.Z), f.loadOn(v.ID)).EnergyWh
	if need > f.energy(v) && from.XY() != to.XY() {
		return nil, false
	}
	path := []space.Position{at, f.chart.Frame.Position(ground)}
	if from.XY() != to.XY() {
		path = []space.Position{at, f.chart.Frame.Position(to), f.chart.Frame.Position(ground)}
	}
	w := f.wayOf(v, at, bareLeg(path, f.comeDownSpeed(v)))
	if _, l := (look{f: f, laws: laws}).firstMet(w.stretches, true); l != nil {
		return nil, false
	}
	return path, true
}

// comeDownSpeed is a speed that is lawful in every zone.
func (f *Fleet) comeDownSpeed(v *Vehicle) float64 {
	speed := min(comeDownMPS, v.Spec.CruiseMPS)
	for _, l := range f.lawsNow() {
		if limit := l.zone.SpeedLimitMPS; limit > 0 && l.airborne {
			speed = min(speed, limit)
		}
	}
	return speed
}

// lineFree tells whether an aircraft can fly level from a place to above another:
// over roofs, beside higher buildings, above the ground.
func (f *Fleet) lineFree(from space.XYZ, to space.XY) bool {
	c, here := f.chart, from.XY()
	for _, i := range c.BuildingsIn(space.BoxOf(here, to).Grow(OpenGroundM), nil) {
		top := c.RoofM(i)
		rings := c.Outline(i)
		over := space.InRings(rings, here)
		if top+route.RoofClearanceM <= from.Z || over && top <= from.Z {
			continue
		}
		if over || space.InRings(rings, to) || ringsNearer(rings, here, to, OpenGroundM) {
			return false
		}
	}
	const stepM = 10
	room := min(OpenGroundM, from.Z-c.GroundAltitudeXY(here))
	for d := 0.0; d < here.Dist(to); d += stepM {
		if from.Z-c.GroundAltitudeXY(here.Lerp(to, d/here.Dist(to))) < room {
			return false
		}
	}
	return from.Z-c.GroundAltitudeXY(to) >= room || here == to
}

// ringsNearer tells whether a segment comes nearer to rings than so far, and than
// it is at its begin.
func ringsNearer(rings [][]space.XY, a, b space.XY, m float64) bool {
	for _, r := range rings {
		m := min(m, space.RingDist(r, a)-0.01)
		for k := range r {
			if space.SegmentsDist(a, b, r[k], r[(k+1)%len(r)]) < m {
				return true
			}
		}
	}
	return false
}

// strand deals with a vehicle that can get neither home nor to another site. One
// on the ground stays where it is. An aircraft comes down on the nearest open
// ground; where there is none it is held in the air, and planned again, and comes
// down where it is, on a roof it may be, when its battery is below the reserve.
func (f *Fleet) strand(v *Vehicle, m *Mission, at space.Position, kept []Leg, why *assign.Exclusion, r *rebuilt) {
	next := m.NextLeg
	r.stranded = true
	text := "it is told to stay where it is"
	stay := f.stayLeg(at, &next)
	if MotionKind(v.Kind).Airborne() {
		path, ok := f.wayDown(v, at)
		switch {
		case ok:
			stay.Path, stay.SpeedMPS = path, f.comeDownSpeed(v)
			text = "it comes down " + f.placeName(path)
		case f.energy(v) >= v.Spec.ReserveRatio*v.Spec.BatteryWh:
			r.held = true
			text = "there is no open ground near it to come down on: it waits in the air"
		default:
			text = "there is no open ground near it and its battery is low: it comes down where it is"
		}
	}
	r.where = text
	f.raise(strandedBy(v.ID, why), Critical, fmt.Sprintf("%s cannot get home: %s; %s", v.ID, exclusionText(why), text))
	if r.held {
		f.waitForWay(v, Reason{zoneReason, "it cannot get home: " + exclusionText(why) + "; " + text})
		return
	}
	r.left = tasksOf(f.heldLegs(m))
	f.issue(v, m, append(kept, stay), next, Reason{"stranded", "it cannot get home: " + exclusionText(why) + "; " + text})
}

// waitForWay holds a vehicle until a way is found for it.
func (f *Fleet) waitForWay(v *Vehicle, why Reason) {
	f.zones.due[v.ID] = true
	f.zones.retry[v.ID] = f.now.Add(zoneRetry)
	if v.Blocked == "" && !f.commandPending(v) {
		f.byKapok(func() { f.command(v.ID, protocol.CommandHold, why) })
	}
}

// strandedBy is what an alert about a stranded vehicle concerns: with an object,
// when ways are closed rather than the battery low.
func strandedBy(id VehicleID, why *assign.Exclusion) alertAbout {
	about := alertAbout{kind: AlertStranded, vehicle: id}
	if wayless(why) {
		about.object = why.Object
		if about.object == "" {
			about.object = string(why.Rule)
		}
	}
	return about
}

// freed ends the alerts that ways are closed to a vehicle.
func (f *Fleet) freed(id VehicleID, evidence string) {
	for _, a := range f.openAlerts(AlertStranded, id) {
		if f.state.Durable.Alerts[a].Object != "" {
			f.emit(AlertCleared{a, evidence})
		}
	}
}

// watchStranded looks, for one vehicle a tick, whether ways that were closed to it
// are open again. One in the air then goes home; one that has come down stays, and
// its alert with it, until it is sent home or charges.
func (f *Fleet) watchStranded() {
	if f.state.Durable.Freeze != nil {
		return
	}
	for _, k := range f.index.order {
		if len(k.alerts) == 0 {
			continue
		}
		v, id := k.vehicle, k.vehicle.ID
		p := f.presence(id)
		if f.now.Before(f.zones.retry[id]) || !p.Known || p.Link != LinkLive || f.zones.due[id] || !f.waysClosed(id) {
			continue
		}
		f.zones.retry[id] = f.now.Add(strandedRetry)
		m, open := f.openMission(v)
		at := space.Position(p.Sample.Position)
		switch {
		case f.endsHome(v, at, m):
			f.freed(id, "it is at home, or on its way to a site")
		case open && v.TakenOver == nil && v.Blocked == "" && !f.commandPending(v) && !f.stands(v, &p.Sample):
			if path, _ := f.wayHome(v); path != nil {
				f.replan(v, m, Reason{zoneReason, "there is a way home again"}, nil)
			}
		}
		return
	}
}

// endsHome tells whether a vehicle is at home, or has a mission that ends there or
// at another site.
func (f *Fleet) endsHome(v *Vehicle, at space.Position, m *Mission) bool {
	if m != nil && m.Open() && len(m.Legs) > 0 {
		last := &m.Legs[len(m.Legs)-1]
		if last.Site != "" {
			return true
		}
		if len(last.Path) > 0 {
			at = last.End()
		}
	}
	return v.HomeKnown && space.Distance(at, v.Home) < groundedM
}

// waysClosed tells whether an alert stands that ways are closed to a vehicle.
func (f *Fleet) waysClosed(id VehicleID) bool {
	return slices.ContainsFunc(f.openAlerts(AlertStranded, id), func(a AlertID) bool { return f.state.Durable.Alerts[a].Object != "" })
}

// placeName says where a way down ends.
func (f *Fleet) placeName(path []space.Position) string {
	if len(path) == 2 {
		return "where it is"
	}
	end := path[len(path)-1]
	away := space.Distance(path[0], path[1])
	return fmt.Sprintf("on open ground %.0f m away, at %.6f,%.6f", math.Round(away), end.Lon, end.Lat)
}

// stayLeg ends a plan where the vehicle is: an aircraft on what is below it.
func (f *Fleet) stayLeg(at space.Position, next *int) Leg {
	ground := at
	ground.AltitudeM, _ = f.below(at)
	return Leg{
		ID: newLeg(next), Action: protocol.ActionPark, State: protocol.LegPending,
		Path: []space.Position{at, ground}, ETA: f.now, EndsAt: f.now, SpeedMPS: standingMPS,
	}
}

// unsafeLanding is the code of a refused land.
const unsafeLanding = "unsafe_landing"

// unsafeLanding says what is in the way of a vehicle that is told to land: many
// go straight down. It is empty when nothing is, for other commands, and when the
// vehicle's place is not known.
func (f *Fleet) unsafeLanding(v *Vehicle, kind protocol.CommandKind) string {
	p := f.presence(v.ID)
	if kind != protocol.CommandLand || !p.Known || f.stands(v, &p.Sample) {
		return ""
	}
	xy := f.chart.Frame.XY(space.Position(p.Sample.Position).Point())
	if i, over := f.chart.BuildingAt(xy); over {
		return fmt.Sprintf("%s is above building %s: give it return, which leads to a place to land", v.ID, f.chart.Buildings[i].ID)
	}
	if i, over := f.chart.WaterAt(xy); over {
		return fmt.Sprintf("%s is above water, %s: give it return, which leads to a place to land", v.ID, f.chart.Water[i].ID)
	}
	return ""
}

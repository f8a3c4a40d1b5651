// Package verify checks plans independently of the planner: it knows the
// chart's raw geometry and walks along a path in small steps, so that a mistake
// in the planner's clever parts cannot hide in the same mistake here. It is
// slow and meant for tests, the simulator and the last look at a plan.
package verify

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// The tolerances of the checks.
const (
	// StepM is the greatest distance between two looks along a path.
	StepM = 1.0
	// OffNetworkM is how far a rover may be from the nearest arc, its first and
	// last segment apart.
	OffNetworkM = 0.5
	// HeightSlackM is how far an altitude may be beyond a roof or a limit, for
	// roundings and for vehicles that stand on a roof.
	HeightSlackM = 0.5
	// WallSlackM is how deep in a footprint a place may be and still count as at
	// its wall, as entrances are.
	WallSlackM = 0.1
)

// Rule names what a path breaks.
type Rule string

// The rules that are checked.
const (
	OutsideChart   Rule = "outside_chart"
	InBuilding     Rule = "in_building"
	InKeepOut      Rule = "in_keep_out"
	OutsideKeepIn  Rule = "outside_keep_in"
	AboveZoneLimit Rule = "above_zone_limit"
	AboveLimit     Rule = "above_height_limit"
	OffNetwork     Rule = "off_network"
	OffGround      Rule = "off_ground"
	OffWater       Rule = "off_water"
	WrongWay       Rule = "wrong_way"
	BadPath        Rule = "bad_path"
)

// Violation is one broken rule: where and when along the path it is first seen,
// and with what. Number and Limit are metres where the rule has such.
type Violation struct {
	Rule          Rule
	At            space.Position
	Time          time.Time
	Object        string
	Number, Limit float64
}

func (v Violation) String() string {
	return fmt.Sprintf("%s %s at %.7f,%.7f,%.1f (%.1f, limit %.1f) %s",
		v.Rule, v.Object, v.At.Lon, v.At.Lat, v.At.AltitudeM, v.Number, v.Limit, v.Time.Format(time.RFC3339))
}

// Path checks a path that is entered at depart and followed at speed metres a
// second along its length, heights included, over a chart with live zones on
// top of its own, but for those suspended. It returns the first violation of
// each rule by each object, in the order of the path; nil when there is none.
//
// Aircraft must stay out of footprints below the roof, which stands on the highest
// ground below it, and below the height limits over the ground at each place.
// Rovers must stay on the ground graph but for the first and last segment, and
// their points without a level on the ground; whether they may drive there is for
// Drive to say. Vessels must stay on the water of a chart that has any. All must stay out of keep-out zones and in one of the keep-in zones
// that bind them while these are in force. A zone or limit that the path breaks
// from its very start counts only after the path has complied once: leaving is
// allowed.
func Path(c *chart.Chart, zones []chart.Zone, suspended map[string]bool, kind motion.Kind,
	path []space.Position, depart time.Time, speed float64,
) []Violation {
	if len(path) == 0 || !(speed > 0) {
		return []Violation{{Rule: BadPath, Time: depart}}
	}
	w := newWalk(c, zones, suspended, kind, path)
	w.t = depart
	w.approach(path[0], path[0])
	w.look(path[0], true)
	if kind == motion.Rover {
		w.lookGround(path)
	}
	for i := 1; i < len(path); i++ {
		a, b := c.Frame.XYZ(path[i-1]), c.Frame.XYZ(path[i])
		length := a.Dist(b)
		steps := max(1, math.Ceil(length/StepM))
		loose := i == 1 || i == len(path)-1
		begun := w.t
		w.approach(path[i-1], path[i])
		for k := 1.0; k <= steps; k++ {
			t := k / steps
			at := c.Frame.Position(space.XYZ{X: a.X + (b.X-a.X)*t, Y: a.Y + (b.Y-a.Y)*t, Z: a.Z + (b.Z-a.Z)*t})
			w.t = begun.Add(time.Duration(length * t / speed * float64(time.Second)))
			w.look(at, loose)
		}
	}
	return w.found
}

// walk is the state of one check.
type walk struct {
	c         *chart.Chart
	kind      motion.Kind
	buildings []area
	// near are the numbers of the buildings near the segment at hand.
	near   []int
	waters []area
	zones  []area
	arcs   [][2]space.XY
	// on is the arc that the last place was on, which is where to look first.
	on    int
	t     time.Time
	found []Violation
	told  map[string]bool
	// complied are the zones and limits that the path has complied with once.
	complied map[string]bool
}

// area is a building or zone near the path.
type area struct {
	bound    orb.Bound
	polygon  orb.Polygon
	zone     *chart.Zone
	building *chart.Building
	water    *chart.WaterArea
	// roofM is the altitude of the building's roof, once surveyed.
	roofM    float64
	surveyed bool
	// active tells whether a zone with a schedule is in force, as it was looked up
	// last; it holds from since to turn, which is zero for ever.
	active      bool
	since, turn time.Time
}

func newWalk(c *chart.Chart, zones []chart.Zone, suspended map[string]bool, kind motion.Kind, path []space.Position) *walk {
	w := &walk{c: c, kind: kind, told: map[string]bool{}, complied: map[string]bool{}}
	line := make(orb.MultiPoint, len(path))
	for i := range path {
		line[i] = path[i].Point()
	}
	bound := line.Bound().Pad(0.0005)
	for i := range c.Buildings {
		b := &c.Buildings[i]
		if box := b.Footprint.Bound(); box.Intersects(bound) {
			w.buildings = append(w.buildings, area{bound: box, polygon: b.Footprint, building: b})
		}
	}
	add := func(z *chart.Zone) {
		bound := z.Polygon.Bound()
		if binds := z.Airborne == z.Ground || z.Airborne == kind.Airborne(); binds {
			w.zones = append(w.zones, area{bound: bound, polygon: z.Polygon, zone: z})
		}
	}
	for i := range c.Zones {
		if !suspended[c.Zones[i].ID] {
			add(&c.Zones[i])
		}
	}
	for i := range zones {
		add(&zones[i])
	}
	for i := range c.Water {
		b := &c.Water[i]
		if box := b.Polygon.Bound(); kind == motion.Vessel && box.Intersects(bound) {
			w.waters = append(w.waters, area{bound: box, polygon: b.Polygon, water: b})
		}
	}
	if kind == motion.Rover {
		near := c.Frame.Bound(bound)
		for i := range c.Ground.Arcs {
			a, b := c.Ground.Nodes[c.Ground.Arcs[i].From].Point, c.Ground.Nodes[c.Ground.Arcs[i].To].Point
			if p, q := c.Frame.XY(a), c.Frame.XY(b); space.BoxOf(p, q).Intersects(near) {
				w.arcs = append(w.arcs, [2]space.XY{p, q})
			}
		}
	}
	return w
}

// approach finds the buildings near a segment.
func (w *walk) approach(from, to space.Position) {
	w.near = w.near[:0]
	bound := orb.MultiPoint{from.Point(), to.Point()}.Bound().Pad(1e-5)
	for i := range w.buildings {
		if w.buildings[i].bound.Intersects(bound) {
			w.near = append(w.near, i)
		}
	}
}

// look checks one place of the path. A loose one need not be on the network.
func (w *walk) look(at space.Position, loose bool) {
	if !w.c.Extent.Pad(1e-7).Contains(at.Point()) {
		w.tell(OutsideChart, at, "", 0, 0)
	}
	ground := w.c.GroundAltitude(at.Point())
	if w.kind != motion.Rover {
		w.lookBuildings(at)
	}
	if w.kind == motion.Vessel && len(w.c.Water) > 0 {
		w.lookWater(at)
	}
	if w.kind.Airborne() && w.c.HeightLimitM > 0 {
		over := at.AltitudeM > ground+w.c.HeightLimitM+HeightSlackM
		w.rule(AboveLimit, at, "", over, at.AltitudeM-ground, w.c.HeightLimitM)
	}
	w.lookZones(at, ground)
	if w.kind == motion.Rover && !loose {
		w.lookNetwork(at)
	}
}

func (w *walk) lookBuildings(at space.Position) {
	for _, i := range w.near {
		b := &w.buildings[i]
		if !b.bound.Contains(at.Point()) {
			continue
		}
		roof := w.roof(b)
		if at.AltitudeM >= roof-HeightSlackM && w.kind.Airborne() {
			continue
		}
		if planar.PolygonContains(b.polygon, at.Point()) && w.depth(b.polygon, at) > WallSlackM {
			w.tell(InBuilding, at, b.building.ID, at.AltitudeM, roof)
		}
	}
}

// roofStepM is how closely the ground below a roof is looked at.
const roofStepM = 2.0

// roof is the altitude of a building's roof, over the highest ground on a fine
// grid below it and along its walls.
func (w *walk) roof(b *area) float64 {
	if b.surveyed {
		return b.roofM
	}
	b.surveyed = true
	if w.c.Terrain == nil {
		b.roofM = w.c.GroundAltitudeM + b.building.HeightM
		return b.roofM
	}
	high := math.Inf(-1)
	along := func(p, q orb.Point, inside bool) {
		steps := math.Ceil(w.c.Frame.XY(p).Dist(w.c.Frame.XY(q))/roofStepM) + 1
		for k := range int(steps) + 1 {
			t := float64(k) / steps
			at := orb.Point{p[0] + (q[0]-p[0])*t, p[1] + (q[1]-p[1])*t}
			if !inside || planar.PolygonContains(b.polygon, at) {
				high = max(high, w.c.GroundAltitude(at))
			}
		}
	}
	for _, ring := range b.polygon {
		for i := 1; i < len(ring); i++ {
			along(ring[i-1], ring[i], false)
		}
	}
	low, up := b.bound.Min, b.bound.Max
	rows := math.Ceil(w.c.Frame.XY(low).Dist(w.c.Frame.XY(orb.Point{low[0], up[1]}))/roofStepM) + 1
	for k := range int(rows) + 1 {
		lat := low[1] + (up[1]-low[1])*float64(k)/rows
		along(orb.Point{low[0], lat}, orb.Point{up[0], lat}, true)
	}
	b.roofM = high + b.building.HeightM
	return b.roofM
}

// lookWater tells of a vessel on land.
func (w *walk) lookWater(at space.Position) {
	for i := range w.waters {
		a := &w.waters[i]
		if a.bound.Pad(1e-6).Contains(at.Point()) &&
			(planar.PolygonContains(a.polygon, at.Point()) || w.depth(a.polygon, at) <= WallSlackM) {
			return
		}
	}
	w.tell(OffWater, at, "", 0, 0)
}

// lookGround tells of points of a rover's path that are not on the ground.
func (w *walk) lookGround(path []space.Position) {
	for _, at := range path {
		ground := w.c.GroundAltitude(at.Point())
		if at.Level == "" && math.Abs(at.AltitudeM-ground) > HeightSlackM {
			w.tell(OffGround, at, "", at.AltitudeM-ground, HeightSlackM)
		}
	}
}

// depth is how far a place is from the nearest wall, in metres.
func (w *walk) depth(polygon orb.Polygon, at space.Position) float64 {
	p, best := w.c.Frame.XY(at.Point()), math.Inf(1)
	for _, ring := range polygon {
		for i := 1; i < len(ring); i++ {
			best = min(best, space.SegmentDist(p, w.c.Frame.XY(ring[i-1]), w.c.Frame.XY(ring[i])))
		}
	}
	return best
}

func (w *walk) lookZones(at space.Position, ground float64) {
	bound, kept := false, false
	for i := range w.zones {
		a := &w.zones[i]
		z := a.zone
		active := a.inForce(w.t)
		inHeight := (z.FloorM == 0 || at.AltitudeM >= z.FloorM) && (z.CeilingM == 0 || at.AltitudeM <= z.CeilingM)
		inside := active && inHeight && a.bound.Contains(at.Point()) && planar.PolygonContains(a.polygon, at.Point())
		switch z.Rule {
		case chart.KeepOut:
			w.rule(InKeepOut, at, z.ID, inside, at.AltitudeM, z.FloorM)
		case chart.AltitudeLimit:
			over := inside && w.kind.Airborne() && at.AltitudeM > ground+z.HeightLimitM+HeightSlackM
			w.rule(AboveZoneLimit, at, z.ID, over, at.AltitudeM-ground, z.HeightLimitM)
		case chart.KeepIn:
			bound = bound || active
			kept = kept || inside
		case chart.SpeedLimit, chart.Advise:
		}
	}
	w.rule(OutsideKeepIn, at, "", bound && !kept, 0, 0)
}

// inForce tells whether a zone is in force. Schedules are asked when something
// changes only: events of the sun take longer to work out than all else here.
func (a *area) inForce(t time.Time) bool {
	if len(a.zone.Schedule) == 0 {
		return a.zone.ActiveAt(t)
	}
	if a.since.IsZero() || t.Before(a.since) || !a.turn.IsZero() && !t.Before(a.turn) {
		a.since, a.active = t, a.zone.ActiveAt(t)
		a.turn, _ = a.zone.NextChange(t)
	}
	return a.active
}

func (w *walk) lookNetwork(at space.Position) {
	p := w.c.Frame.XY(at.Point())
	if len(w.arcs) > 0 && space.SegmentDist(p, w.arcs[w.on][0], w.arcs[w.on][1]) <= OffNetworkM {
		return
	}
	best := math.Inf(1)
	for i, arc := range w.arcs {
		if d := space.SegmentDist(p, arc[0], arc[1]); d < best {
			best, w.on = d, i
		}
	}
	if best > OffNetworkM {
		w.tell(OffNetwork, at, "", best, OffNetworkM)
	}
}

// rule tells of a broken rule that had been kept before.
func (w *walk) rule(rule Rule, at space.Position, object string, broken bool, number, limit float64) {
	key := string(rule) + "/" + object
	switch {
	case !broken:
		w.complied[key] = true
	case w.complied[key]:
		w.tell(rule, at, object, number, limit)
	}
}

// tell notes a violation, once for each rule and object.
func (w *walk) tell(rule Rule, at space.Position, object string, number, limit float64) {
	key := string(rule) + "/" + object
	if w.told[key] {
		return
	}
	w.told[key] = true
	w.found = append(w.found, Violation{Rule: rule, At: at, Time: w.t, Object: object, Number: number, Limit: limit})
}

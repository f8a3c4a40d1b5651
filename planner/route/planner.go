package route

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// The rules of distance and height that every route keeps.
const (
	// ClearanceM is how far aircraft and vessels stay from walls and from the
	// edges of zones. Where the start or the goal is nearer than that, the first
	// or last leg may pass as near as the place itself lies, but never through a
	// footprint or into a zone.
	ClearanceM = 10.0
	// RoofClearanceM is how far above a roof, above the ceiling of a keep-out
	// zone, or below its floor aircraft cruise.
	RoofClearanceM = 10.0
	// MinCruiseM is the least height above ground of a cruise, where no zone's
	// height limit forces it lower; below LowestCruiseM there is no cruise. Over
	// terrain whose heights are uncertain both are that much more.
	MinCruiseM    = 40.0
	LowestCruiseM = 15.0
	// LimitMarginM is how far below a height limit the highest cruise stays, so
	// that an aircraft that holds its altitude to within that is lawful.
	LimitMarginM = 1.0
	// DefaultHeightLimitM binds on a chart that states no height limit.
	DefaultHeightLimitM = 120.0
	// OverWaterM is the least height above water at which an aircraft stops.
	OverWaterM = 5.0
	// AheadM is how far from where a rover was heard of last it may be when its way
	// is planned: near a zone with a limit of speed it sets out at that speed.
	AheadM = 10.0
	// SnapLimitM is how far from the ground graph a rover's start or goal may be.
	SnapLimitM = 200.0
	// HeadwayMPS is how much faster than the steady wind an aircraft must cruise;
	// with its gusts, the wind must not exceed the aircraft's greatest speed.
	HeadwayMPS = 1.0
	// LateS is how late a vehicle may pass a place and still be lawful: a zone
	// that begins within that time after the planned passing counts already.
	LateS = 60.0
	// EarlyS and EarlyPart are how early it may be: so many seconds, or that part
	// of the time since its departure, whichever is more. A zone that ends within
	// that time before the planned passing still counts. DepartEarlyS is how much
	// earlier than planned it may set out beside: who is under way turns at once.
	EarlyS       = 5.0
	EarlyPart    = 10
	DepartEarlyS = 3.0
	// ExpansionsPer50ms is how many expansions take no more than about 50 ms on a
	// server's core. Measured: 1.3 to 1.8 µs each in the air, where one is a leg
	// tested against the obstacles or some legs put into the queue, and 0.2 to
	// 0.5 µs on the ground, where one is a node.
	ExpansionsPer50ms = 20000
)

// Planner answers queries over one World. It keeps the obstacles compiled and
// its memory for the next search, so it is not for use by two goroutines at
// once: give each its own Clone. The World's chart and zones must not change
// after they were handed over.
type Planner struct {
	c     *chart.Chart
	fixed *fixed
	laws  *laws
	// wind and closed are the world's, never written again.
	wind   motion.Wind
	closed map[int64]bool

	seen seen
	ids  []int32
	// forces are the times of the zones with schedules, by the number of the zone,
	// as far as queries have asked.
	forces []force
	// departs is when the vehicle of the present query departs, in nanoseconds.
	departs int64
	air     air
	ground  ground
	places  places
}

// fixed is what is compiled from the chart once: shared by all clones and
// never written again.
type fixed struct {
	buildings  *shapes
	roofM      []float64
	buildingIx *index
	arcIx      *index
	// inner is the part of the frame that surely lies in the chart's extent.
	inner space.Box
	// layers are where many obstacles stand; see layer.go.
	layers []layer
	// water are the waters, whose shores and islands are the forbidden side.
	water *shapes
	// sites are those that aircraft may land at, by kind.
	sites map[motion.Kind]*landingSites
	// Where the ground is not flat, lowM is the lowest ground about each
	// building, and groundLowM and groundHighM are the bounds of all ground.
	lowM                    []float64
	groundLowM, groundHighM float64
}

// laws are the zones in force, compiled; never written again.
type laws struct {
	zones  []law
	shapes *shapes
	ix     *index
	// onArc are the zones that arcs of the ground graph meet, in order of arc
	// and zone; flagged has a bit for each arc that has any.
	onArc   []arcZone
	flagged []uint64
	// timed says that some zone has a begin, an end or a schedule.
	timed bool
	// slow says that some zone limits the speed.
	slow bool
	// keepIns are the numbers of the keep-in zones.
	keepIns []int32
}

type arcZone struct{ arc, zone int32 }

// law is one zone with its numbers ready for comparison.
type law struct {
	id               string
	rule             chart.Rule
	floorM, ceilingM float64
	limitM           float64
	speedMPS         float64
	from, until      int64
	airborne, ground bool
	// scheduled is the zone if it has a schedule, and at its number.
	scheduled *chart.Zone
	at        int32
	// lowM and highM bound the ground below a zone with a floor or a ceiling,
	// where the ground is not flat.
	lowM, highM float64
}

// NewPlanner compiles a world. It refuses a world without a chart and a ground
// graph whose arcs point to nowhere.
func NewPlanner(w *World) (*Planner, error) {
	p := &Planner{}
	if err := p.SetWorld(w); err != nil {
		return nil, err
	}
	return p, nil
}

// Clone returns a planner over the same world for use by another goroutine. It
// shares what is compiled and costs next to nothing.
func (p *Planner) Clone() *Planner {
	return &Planner{c: p.c, fixed: p.fixed, laws: p.laws, wind: p.wind, closed: p.closed}
}

// SetWorld takes over another world. With the same chart as before it costs no
// more than SetZones.
func (p *Planner) SetWorld(w *World) error {
	if w == nil || w.Chart == nil {
		return errors.New("route: compiling a world: it has no chart")
	}
	if p.c != w.Chart {
		g := &w.Chart.Ground
		if len(g.Nodes) > 0 && len(g.First) != len(g.Nodes)+1 {
			return errors.New("route: compiling a world: the ground graph's index does not fit its nodes")
		}
		for i := range g.Arcs {
			a := &g.Arcs[i]
			if min(a.From, a.To) < 0 || int(max(a.From, a.To)) >= len(g.Nodes) {
				return errors.New("route: compiling a world: an arc of the ground graph has no node at its end")
			}
		}
		p.c, p.places = w.Chart, places{}
		p.fixed = compileChart(w.Chart)
	}
	p.wind, p.closed = w.Wind, w.Closed
	p.SetZones(w.Zones, w.Suspended)
	return nil
}

// SetConditions takes over another wind and other closed ways; clones made before
// keep the old ones. The map must not change any more.
func (p *Planner) SetConditions(w motion.Wind, closed map[int64]bool) {
	p.wind, p.closed = w, closed
}

// SetZones takes over changed live zones and suspensions; clones made before
// keep the old ones.
func (p *Planner) SetZones(live []chart.Zone, suspended map[string]bool) {
	all := make([]*chart.Zone, 0, len(p.c.Zones)+len(live))
	for i := range p.c.Zones {
		if !suspended[p.c.Zones[i].ID] {
			all = append(all, &p.c.Zones[i])
		}
	}
	for i := range live {
		all = append(all, &live[i])
	}
	p.laws, p.forces = compileZones(p.c, p.fixed, all), nil
}

func compileChart(c *chart.Chart) *fixed {
	f := &fixed{buildings: newShapes(), water: newShapes(), inner: innerBox(c), sites: compileSites(c)}
	for i := range c.Buildings {
		f.buildings.add(c.Outline(int32(i)), false)
		f.roofM = append(f.roofM, c.RoofM(int32(i)))
	}
	for i := range c.Water {
		f.water.add(c.Shore(int32(i)), true)
	}
	if c.Terrain != nil {
		f.surveyGround(c)
	}
	limitM := c.HeightLimitM
	if limitM <= 0 {
		limitM = DefaultHeightLimitM
	}
	f.compileLayers(c.GroundAltitudeM, limitM-LimitMarginM, c.Terrain == nil)
	f.buildingIx = newIndex(f.buildings.boxes, 64)
	arcs := make([]space.Box, len(c.Ground.Arcs))
	for i := range c.Ground.Arcs {
		a := &c.Ground.Arcs[i]
		arcs[i] = space.BoxOf(c.Ground.Nodes[a.From].XY, c.Ground.Nodes[a.To].XY)
	}
	f.arcIx = newIndex(arcs, 64)
	return f
}

// innerBox is the greatest box along the frame's axes within an extent, whose
// sides are slightly bent there.
func innerBox(c *chart.Chart) space.Box {
	low, high, mid := c.Extent.Min, c.Extent.Max, c.Extent.Center()
	xy := func(lon, lat float64) space.XY { return c.Frame.XY(orb.Point{lon, lat}) }
	return space.Box{
		Min: space.XY{
			X: max(xy(low[0], low[1]).X, xy(low[0], high[1]).X),
			Y: max(xy(low[0], low[1]).Y, xy(mid[0], low[1]).Y, xy(high[0], low[1]).Y),
		},
		Max: space.XY{
			X: min(xy(high[0], low[1]).X, xy(high[0], high[1]).X),
			Y: min(xy(low[0], high[1]).Y, xy(mid[0], high[1]).Y, xy(high[0], high[1]).Y),
		},
	}
}

func compileZones(c *chart.Chart, f *fixed, all []*chart.Zone) *laws {
	l := &laws{shapes: newShapes(), flagged: make([]uint64, len(c.Ground.Arcs)/64+1)}
	for _, z := range all {
		if z.Rule == chart.Advise {
			continue
		}
		l.shapes.add(project(c.Frame, z.Polygon), z.Rule == chart.KeepIn)
		one := lawOf(z)
		one.at = int32(len(l.zones))
		if c.Terrain != nil {
			one.lowM, one.highM = f.groundUnder(c, &one, l.shapes.boxes[len(l.zones)])
		}
		l.timed = l.timed || one.timed()
		l.slow = l.slow || one.rule == chart.SpeedLimit
		if one.rule == chart.KeepIn {
			l.keepIns = append(l.keepIns, one.at)
		}
		l.zones = append(l.zones, one)
	}
	l.ix = newIndex(l.shapes.boxes, 256)
	var s seen
	var ids []int32
	for i := range l.zones {
		if !l.zones[i].ground || l.shapes.boxes[i].Empty() {
			continue
		}
		s.reset(len(c.Ground.Arcs))
		ids = f.arcIx.within(l.shapes.boxes[i], &s, ids[:0])
		for _, a := range ids {
			arc := &c.Ground.Arcs[a]
			from, to := c.Ground.Nodes[arc.From].XY, c.Ground.Nodes[arc.To].XY
			met := false
			if l.zones[i].rule == chart.KeepIn {
				met = l.shapes.closer(int32(i), from, to, 1e-6)
			} else {
				met = l.shapes.meets(int32(i), from, to)
			}
			if met {
				l.onArc = append(l.onArc, arcZone{a, int32(i)})
				l.flagged[a/64] |= 1 << (a % 64)
			}
		}
	}
	slices.SortFunc(l.onArc, func(a, b arcZone) int {
		return cmp.Or(cmp.Compare(a.arc, b.arc), cmp.Compare(a.zone, b.zone))
	})
	return l
}

func lawOf(z *chart.Zone) law {
	l := law{
		id: z.ID, rule: z.Rule, floorM: z.FloorM, ceilingM: z.CeilingM,
		limitM: z.HeightLimitM, speedMPS: z.SpeedLimitMPS,
		from: math.MinInt64, until: math.MaxInt64,
		airborne: z.Airborne || !z.Ground, ground: z.Ground || !z.Airborne,
	}
	if l.floorM == 0 {
		l.floorM = math.Inf(-1)
	}
	if l.ceilingM == 0 {
		l.ceilingM = math.Inf(1)
	}
	if !z.From.IsZero() {
		l.from = z.From.UnixNano()
	}
	if !z.Until.IsZero() {
		l.until = z.Until.UnixNano()
	}
	if len(z.Schedule) > 0 {
		l.scheduled = z
	}
	return l
}

// during tells whether a zone is in force while a place is passed, which is
// planned from t0 to t1; LateS is in t1 already.
func (p *Planner) during(l *law, t0, t1 int64) bool {
	if l.timed() {
		t0 -= early(t0-p.departs) + int64(DepartEarlyS*1e9)
	}
	return l.from <= t1 && t0 < l.until && (l.scheduled == nil || p.onSchedule(l, t0, t1))
}

// early is how much sooner than planned a place may be passed so long after the
// departure, in nanoseconds.
func early(after int64) int64 {
	if after <= 0 {
		return 0
	}
	return min(after, max(int64(EarlyS*1e9), after/EarlyPart))
}

// timed tells whether the zone has a begin, an end or a schedule.
func (l *law) timed() bool {
	return l.from != math.MinInt64 || l.until != math.MaxInt64 || l.scheduled != nil
}

// project takes a polygon into the frame.
func project(f space.Frame, poly orb.Polygon) [][]space.XY {
	rings := make([][]space.XY, len(poly))
	for i, r := range poly {
		rings[i] = make([]space.XY, len(r))
		for k, pt := range r {
			rings[i][k] = f.XY(pt)
		}
	}
	return rings
}

// Find returns the way that takes the least time, among those that the kind of
// vehicle can take and that package route looks at:
//
//   - Rovers drive the chart's ground graph, those for roads its road arcs and
//     all others its sidewalk arcs. Start and goal are joined to the nearest
//     such arc by a straight line of at most SnapLimitM. Arcs that meet a
//     keep-out zone in force when they are passed are closed; a rover that
//     starts in such a zone first takes the shortest way out of it. Altitudes
//     are the ground's, those of From and To included, except indoors (with a
//     level), where they stay.
//   - Aircraft climb or descend on the spot to a cruise altitude, fly there
//     around buildings and zones, and come down on the spot. A place may be
//     right beside a wall, as only the footprint itself is closed to the column;
//     above a footprint it must be no lower than the roof. The goal must not be
//     above the chart's limit of height less LimitMarginM. An aircraft caught in
//     a keep-out zone, or above a height limit that leaves no room for a cruise,
//     first leaves by the way that takes the least time, up, down or out around
//     buildings at its present height or another, and flies on from there; with
//     no way on, it leaves elsewhere. With
//     keep-in zones, the way stays in the first that holds start and goal; from
//     outside of all of them every way is lawful, since all lead back. Altitudes
//     below the ground count as the ground. Over terrain the cruise is at a
//     height above ground, as told at layProfile.
//   - Vessels travel at altitude 0 around buildings and zones that bind ground
//     vehicles. On a chart with water they stay in the water that holds start and
//     goal, ClearanceM off its shores but near those two places.
//
// A zone counts from LateS before its begin and a little beyond its end (EarlyS),
// and waiting for its end is never
// part of a way. Rovers keep the limits of speed of arcs and zones, which lengthen
// the cost. Flights weigh them: within ClearanceM of such a zone they are slow, and
// they go around it, over or beneath it where that takes less.
// Every query is answered alike whatever was asked before. An error is a
// *Refusal, or says that the spec is unusable; the Route then holds nothing but
// the Expansions that it took to find out.
func (p *Planner) Find(q Query) (Route, error) {
	if err := q.Spec.Validate(); err != nil {
		return Route{}, err
	}
	for _, at := range [2]space.Position{q.From, q.To} {
		finite := math.Abs(at.AltitudeM) <= math.MaxFloat64
		if !finite || !space.ValidPoint(at.Point()) || !p.c.Extent.Contains(at.Point()) {
			return Route{}, &Refusal{Rule: OutsideChart, At: at}
		}
	}
	if q.MaxExpansions <= 0 {
		q.MaxExpansions = math.MaxInt
	}
	p.departs = q.Depart.UnixNano()
	if q.Spec.Kind == motion.Rover {
		return p.drive(q)
	}
	return p.fly(q)
}

// LeastCost bounds what any way that Find returns takes that is to take the least
// time: the straight line at the cruise speed in the wind and, for aircraft, the climb to the lowest cruise there is.
func (p *Planner) LeastCost(s *motion.Spec, from, to space.Position, loadKg float64) motion.Cost {
	way := driftOf(p.windFor(s), s.CruiseMPS)
	lengthM := way.between(p.xy(from), p.xy(to))
	if !s.Kind.Airborne() {
		return s.Leg(lengthM, 0, 0, loadKg)
	}
	flight := s.In(motion.Wind{}, loadKg)
	a, b := p.groundM(from), p.groundM(to)
	return p.leastFlight(&flight, lengthM, end{max(from.AltitudeM, a), a}, end{max(to.AltitudeM, b), b})
}

// end is the altitude at which a flight begins or ends, and that of the ground there.
type end struct{ altitudeM, groundM float64 }

// leastFlight is LeastCost for a flight of so many metres through the air.
func (p *Planner) leastFlight(f *motion.Flight, lengthM float64, from, to end) motion.Cost {
	a, b := from.altitudeM, to.altitudeM
	if lengthM < 0.5 {
		return f.Leg(lengthM, max(0, b-a), max(0, a-b))
	}
	if p.c.Terrain != nil {
		// The cruise may begin and end at different altitudes, and to climb or
		// descend on its way may take no more time, and less power, than level.
		lowest := p.leastHeightM()
		return f.LeastLeg(lengthM, max(0, from.groundM+lowest-a), max(0, to.groundM+lowest-b))
	}
	top := max(a, b, max(from.groundM, to.groundM)+p.leastHeightM())
	return f.Leg(lengthM, max(0, top-a, b-a), max(0, a-b, top-b))
}

// leastHeightM is the lowest cruise above ground that any flight may choose:
// where terrain is uncertain, so much higher.
func (p *Planner) leastHeightM() float64 {
	least := LowestCruiseM + p.uncertaintyM()
	if p.c.HeightLimitM > 0 {
		return min(least, p.c.HeightLimitM-LimitMarginM)
	}
	return least
}

// uncertaintyM is how much higher the ground may be than the chart has it.
func (p *Planner) uncertaintyM() float64 {
	if p.c.Terrain == nil {
		return 0
	}
	return p.c.Terrain.UncertaintyM
}

// nanos is the time s seconds after t, in Unix nanoseconds.
func nanos(t time.Time, s float64) int64 { return t.UnixNano() + int64(s*1e9) }

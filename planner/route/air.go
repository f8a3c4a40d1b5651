package route

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// maxHeights is how many cruise altitudes one query looks at.
const maxHeights = 16

// air is the memory of searches through the air and over water.
type air struct {
	sight   sight
	heights []height
	bends   []space.XY
	best    []space.XY
	path    []space.Position
	// near are the obstacles that start or goal are within the clearance of.
	near []beside
	// caught are the zones that the start lies in and that the way leaves.
	caught []int32
	ids    []int32
	// timeless leaves zones that come or go in the time of a flight out of a search.
	timeless bool
	// avoid are the obstacles that no profile leads over or below.
	avoid []int32
	// profile is the way over terrain, line its points, bestLine those of the
	// best way so far.
	profile        profile
	line, bestLine []space.XYZ
	leaving
	landing
	slowing

	// The flight being planned.
	flight
}

// flight is one query at one altitude.
type flight struct {
	start, goal space.XY
	fromM, toM  float64
	// z is the cruise altitude, groundM the ground's that heights count from.
	z, groundM float64
	// speed is the cruise speed through the air, power what the flight draws, and
	// levelW what it draws in level cruise if the least energy is wanted, else 0.
	speed  float64
	power  motion.Flight
	levelW float64
	drift  drift
	// departed is when the cruise begins, and latest when the battery is empty at
	// the latest, in Unix nanoseconds.
	departed, latest int64
	// closes is the zone that closes the goal during the flight, -1 for none, and
	// withinM how long a way may be through the air to arrive before that.
	closes  int32
	withinM float64
	afloat  bool
	// keepIn is the keep-in zone that is not to be left, -1 for none.
	keepIn int32
	// water is the water that is not to be left, -1 for none.
	water int32
	// relief says that the ground is not flat. Then heightM is the height of the
	// cruise above ground and takes the place of z, limitM the greatest height
	// there is, fromGroundM and toGroundM the ground at start and goal.
	relief                 bool
	heightM, limitM        float64
	fromGroundM, toGroundM float64
	// last is the obstacle that blocked a leg last, for the refusal.
	last int32
	// among is the layer whose buildings legs are tested against, nil for all.
	among *layer
}

// height is a cruise altitude, over terrain a height above ground, with a lower
// bound of what the way takes there.
type height struct {
	z, boundS float64
	// done says that the search at this height has come to its end.
	done bool
}

// beside is an obstacle nearer to the start (spot 0) or goal (spot 1) than the
// clearance, and how near a leg to or from that place may pass it.
type beside struct {
	id, spot int32
	m        float64
}

// planned is what a search at some altitude found. Over terrain the altitude is
// in the points of the line.
type planned struct {
	z, seconds float64
	found      bool
}

func (p *Planner) fly(q Query) (Route, error) {
	budget := q.MaxExpansions
	if r := p.tooWindy(&q); r != nil {
		return Route{}, r
	}
	p.slowDown(&q)
	p.begin(&q)
	if r := p.endsLawful(&q); r != nil {
		return Route{}, r
	}
	if p.isCaught(&q) {
		return p.flyOut(&q, &budget)
	}
	return p.flyOn(&q, &budget)
}

// flyOn is the flight from a place in no zone that would have to be left.
func (p *Planner) flyOn(q *Query, budget *int) (Route, error) {
	a := &p.air
	a.caught = a.caught[:0]
	if a.start.Dist(a.goal) < 0.5 {
		return p.hop(q)
	}
	p.chooseHeights(q)
	if best, ok := p.flyFree(q, budget); ok {
		return p.routeOf(q, best, min(q.MaxExpansions, q.MaxExpansions-*budget)), nil
	}
	p.boundHeights(q, budget)
	best, direct := p.flyStraight(q, budget)
	if direct >= 0 && !a.held {
		a.heights[direct].done = true
	}
	var why *Refusal
	for share := p.share(); ; share *= shareGrowth {
		best, why = p.flyAround(q, best, direct, share, why, budget)
		if best.found || *budget < 0 || share > math.MaxInt/shareGrowth {
			break
		}
	}
	used := min(q.MaxExpansions, q.MaxExpansions-*budget)
	switch {
	case best.found:
		return p.routeOf(q, best, used), nil
	case *budget < 0:
		return Route{Expansions: used}, &Refusal{Rule: Budget, At: q.To, Number: float64(q.MaxExpansions)}
	case why == nil:
		why = &Refusal{Rule: NoWay, At: q.From, Object: "height limit"}
	}
	return Route{Expansions: used}, why
}

// flyFree is the straight way at the quickest height, if it is free and no zone slows
// it: no other way is quicker then.
func (p *Planner) flyFree(q *Query, budget *int) (planned, bool) {
	a := &p.air
	if a.relief || len(a.heights) == 0 {
		return planned{}, false // Over terrain what a height takes is known afterwards only.
	}
	best, _ := p.flyAt(q, a.heights[0].z, math.Inf(1), true, budget)
	if !best.found || a.held {
		return planned{}, false
	}
	a.best = append(a.best[:0], a.bends...)
	return best, true
}

// share is how many expansions the search at one height may take at first, or
// once a way is known at another.
func (p *Planner) share() int {
	if p.air.relief {
		return ShareExpansions
	}
	return math.MaxInt
}

// flyAround looks for ways quicker than the best at the heights that are not
// done with, each within a share of expansions. Where the straight way is free
// is index direct, -1 for nowhere. It keeps the reason why the first height has
// no way.
func (p *Planner) flyAround(q *Query, best planned, direct, share int, why *Refusal, budget *int) (planned, *Refusal) {
	a := &p.air
	for i := range a.heights {
		h := &a.heights[i]
		// Of equals, the height that comes first is taken.
		boundS := best.seconds
		if i < direct {
			boundS += sameS
		}
		if h.done || h.boundS >= boundS || *budget < 0 {
			continue
		}
		if best.found {
			share = min(share, p.share())
		}
		part := min(share, *budget)
		left := part
		found, refusal := p.flyAt(q, h.z, boundS, false, &left)
		*budget -= part - left
		if left < 0 && !found.found {
			continue
		}
		h.done = true
		if found.found {
			best = found
			a.best = append(a.best[:0], a.bends...)
			a.bestLine = append(a.bestLine[:0], a.line...)
		} else if why == nil {
			why = refusal
		}
	}
	return best, why
}

// sameS is how much longer a way may take that is taken for as quick.
const sameS = 1e-9

// flyStraight looks for the first height at which the straight way is free. It
// is no longer than most, is soon found, and bounds the searches at the other
// heights.
func (p *Planner) flyStraight(q *Query, budget *int) (best planned, index int) {
	a := &p.air
	for i, h := range a.heights {
		if *budget < 0 {
			break
		}
		if found, _ := p.flyAt(q, h.z, math.Inf(1), true, budget); found.found {
			a.best = append(a.best[:0], a.bends...)
			a.bestLine = append(a.bestLine[:0], a.line...)
			return found, i
		}
	}
	return planned{seconds: math.Inf(1)}, -1
}

// begin takes the query into the frame.
func (p *Planner) begin(q *Query) {
	f := &p.air.flight
	*f = flight{
		start: p.xy(q.From), goal: p.xy(q.To),
		speed: q.Spec.CruiseMPS, departed: q.Depart.UnixNano(), latest: nanos(q.Depart, q.Spec.EnduranceS()+LateS),
		afloat: q.Spec.Kind == motion.Vessel, keepIn: -1, water: -1, closes: -1,
		limitM: p.limitM(), fromGroundM: p.groundM(q.From), toGroundM: p.groundM(q.To),
		power: q.Spec.In(p.windFor(&q.Spec), q.LoadKg), drift: driftOf(p.windFor(&q.Spec), q.Spec.CruiseMPS),
	}
	if q.Objective == LeastEnergy {
		f.levelW = f.power.PowerW(f.speed, 0)
	}
	p.air.sight.drift = f.drift
	p.air.avoid = p.air.avoid[:0]
	if f.afloat {
		q.From.AltitudeM, q.To.AltitudeM = 0, 0
	} else {
		f.relief = p.c.Terrain != nil
		f.groundM = max(f.fromGroundM, f.toGroundM)
		q.From.AltitudeM = max(q.From.AltitudeM, f.fromGroundM)
		q.To.AltitudeM = max(q.To.AltitudeM, f.toGroundM)
	}
	f.fromM, f.toM = q.From.AltitudeM, q.To.AltitudeM
}

// limitM is the greatest height above ground that a cruise may have.
func (p *Planner) limitM() float64 {
	limitM := p.c.HeightLimitM
	if limitM <= 0 {
		limitM = DefaultHeightLimitM
	}
	return limitM - LimitMarginM
}

// endsLawful refuses what no cruise altitude can mend.
func (p *Planner) endsLawful(q *Query) *Refusal {
	a := &p.air
	if r := p.chooseWater(q); r != nil {
		return r
	}
	if heightM := a.toM - a.toGroundM; !a.afloat && heightM > a.limitM+heightSlackM {
		return &Refusal{Rule: AboveLimit, At: q.To, Number: heightM, Limit: a.limitM}
	}
	for i, at := range [2]space.XY{a.start, a.goal} {
		pos := [2]space.Position{q.From, q.To}[i]
		p.around(at, 0)
		for _, id := range a.ids {
			if id < p.firstWater() && p.fixed.buildings.inside(id, at) &&
				(a.afloat || p.fixed.roofM[id] > pos.AltitudeM+0.5) {
				return &Refusal{Rule: InsideBuilding, At: pos, Object: p.c.Buildings[id].ID, Number: p.c.Buildings[id].HeightM}
			}
		}
	}
	earliest := nanos(q.Depart, q.Spec.LowerBoundInS(p.windFor(&q.Spec), a.start.Dist(a.goal)))
	// No flight lasts longer than the battery: a zone that stands until then
	// stands until any arrival.
	latest := nanos(q.Depart, q.Spec.EnduranceS())
	for _, id := range p.zonesAt(a.goal) {
		l := &p.laws.zones[id]
		if !p.binds(l) || !p.during(l, earliest, earliest) {
			continue
		}
		switch {
		case l.rule == chart.KeepOut && q.To.AltitudeM >= l.floorM && q.To.AltitudeM <= l.ceilingM && p.lasts(l, earliest, latest):
			return &Refusal{Rule: InsideZone, At: q.To, Object: l.id}
		case l.rule == chart.AltitudeLimit && q.To.AltitudeM > a.toGroundM+l.limitM && l.applies(q.To.AltitudeM):
			return &Refusal{Rule: InsideZone, At: q.To, Object: l.id, Number: l.limitM}
		}
	}
	return p.chooseKeepIn(q)
}

// heightSlackM is what a height may be wrong by for having been reckoned.
const heightSlackM = 0.01

// CanStop refuses places where a vehicle of a kind may not come to a stop for its
// work although ways lead there: an aircraft does not come down on water, nor does
// it hover there lower than OverWaterM. What stands in the water, such as a
// building, is no water. A place where the vehicle belongs need not be asked about.
func (p *Planner) CanStop(kind motion.Kind, at space.Position) *Refusal {
	if !kind.Airborne() || len(p.c.Water) == 0 {
		return nil
	}
	xy := p.xy(at)
	heightM := at.AltitudeM - p.c.GroundAltitudeXY(xy)
	if heightM >= OverWaterM-heightSlackM {
		return nil
	}
	water, wet := p.waterAt(at)
	if !wet {
		return nil
	}
	if _, built := p.c.BuildingAt(xy); built {
		return nil
	}
	return &Refusal{Rule: OverWater, At: at, Number: max(heightM, 0), Limit: OverWaterM, Object: p.c.Water[water].ID}
}

// binds tells whether a zone binds this vehicle.
func (p *Planner) binds(l *law) bool {
	if p.air.afloat {
		return l.ground
	}
	return l.airborne
}

// applies tells whether an altitude is within the zone's floor and ceiling.
func (l *law) applies(z float64) bool { return z >= l.floorM && z <= l.ceilingM }

// hop is the way straight up or down.
func (p *Planner) hop(q *Query) (Route, error) {
	a := &p.air
	if id := p.columnZone(a.goal, a.fromM, a.toM, a.departed, nanos(q.Depart, LateS)); id >= 0 && a.toM != a.fromM {
		return Route{}, &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[id].id}
	}
	return p.priced(q, []space.Position{q.From, q.To}, 0), nil
}

// flyAt looks for a way at altitude z that takes less than boundS seconds. It
// leaves the bends in p.air.bends, and over terrain the points in p.air.line.
// Without a way it says why, unless the way would only take too long.
//
// With straight, it looks at the straight way alone.
func (p *Planner) flyAt(q *Query, z, boundS float64, straight bool, budget *int) (planned, *Refusal) {
	a := &p.air
	a.z, a.heightM, a.last = z, z, -1
	a.among = nil
	if !a.relief && !a.afloat {
		a.among = p.standing(z)
	}
	a.avoid = a.avoid[:0]
	up, _ := p.columns(z)
	upS := a.power.Leg(0, max(0, up-a.fromM), max(0, a.fromM-up)).Seconds
	a.departed = nanos(q.Depart, upS)
	a.bends = a.bends[:0]
	if r := p.columnsLawful(q, z, upS); r != nil {
		return planned{}, r
	}
	p.collectBeside(a.start)
	p.closing()
	if a.relief {
		return p.flyAbove(q, boundS, straight, budget)
	}
	columnsS := p.secondsAt(q, z, 0)
	boundM := (boundS - columnsS) * a.speed
	lengthM, ok := p.search(boundM, straight, budget)
	if !ok {
		return planned{}, p.whyNot(q)
	}
	a.bends = a.sight.bendsOf(a.bends)
	lastS := a.sight.spots[a.sight.last].lastM / a.speed
	arrive := nanos(q.Depart, upS+lengthM/a.speed+lastS)
	end := nanos(q.Depart, columnsS+lengthM/a.speed+lastS+LateS)
	if id := p.columnZone(a.goal, z, a.toM, arrive, end); id >= 0 {
		return planned{}, &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[id].id}
	}
	return planned{z: z, seconds: columnsS + lengthM/a.speed, found: true}, nil
}

// whyNot names what stood in the way last.
func (p *Planner) whyNot(q *Query) *Refusal {
	r := &Refusal{Rule: NoWay, At: q.To}
	switch {
	case p.air.closes >= 0:
		r.Rule, r.Object = InsideZone, p.laws.zones[p.air.closes].id
	case p.air.last >= 0:
		r.Object = p.name(p.air.last)
	}
	return r
}

// columnsLawful refuses an altitude that start or goal cannot be reached from
// or at.
func (p *Planner) columnsLawful(q *Query, z, upS float64) *Refusal {
	a := &p.air
	_, down := p.columns(z)
	if r := p.inBuilding(a.goal, q.To); r != nil {
		return r
	}
	for _, id := range p.zonesAt(a.goal) {
		if l := &p.laws.zones[id]; p.binds(l) && !l.timed() && (p.forbids(l, a.toGroundM, a.toGroundM) || l.rule == chart.KeepOut && overlaps(l, down, a.toM)) {
			return &Refusal{Rule: InsideZone, At: q.To, Object: l.id, Number: l.limitM}
		}
	}
	if r := p.startLawful(q, z, upS); r != nil || len(a.caught) == 0 {
		return r
	}
	return &Refusal{Rule: InsideZone, At: q.From, Object: p.laws.zones[a.caught[0]].id}
}

// inBuilding refuses an altitude at which a place is in a building.
func (p *Planner) inBuilding(at space.XY, pos space.Position) *Refusal {
	p.around(at, 0)
	for _, id := range p.air.ids {
		if id < p.firstWater() && p.tall(id) && p.fixed.buildings.inside(id, at) {
			return &Refusal{Rule: InsideBuilding, At: pos, Object: p.c.Buildings[id].ID, Number: p.c.Buildings[id].HeightM}
		}
	}
	return nil
}

// startLawful refuses an altitude that the start cannot be left at, and collects
// the zones that the start is caught in there.
func (p *Planner) startLawful(q *Query, z, upS float64) *Refusal {
	a := &p.air
	up, _ := p.columns(z)
	a.caught = a.caught[:0]
	if r := p.inBuilding(a.start, q.From); r != nil {
		return r
	}
	from, late := q.Depart.UnixNano(), nanos(q.Depart, upS+LateS)
	for _, id := range p.zonesAt(a.start) {
		l := &p.laws.zones[id]
		if !p.binds(l) || !p.during(l, from, late) {
			continue
		}
		here := p.traps(l, a.fromM, a.fromGroundM)
		forbidden := p.forbids(l, a.fromGroundM, a.fromGroundM)
		switch {
		case here && forbidden:
			a.caught = append(a.caught, id)
		case here:
		case l.rule == chart.KeepOut && (forbidden || overlaps(l, a.fromM, up)),
			l.rule == chart.AltitudeLimit && forbidden:
			return &Refusal{Rule: InsideZone, At: q.From, Object: l.id, Number: l.limitM}
		}
	}
	return nil
}

func overlaps(l *law, z0, z1 float64) bool {
	return min(z0, z1) <= l.ceilingM && max(z0, z1) >= l.floorM
}

// columnZone is the first keep-out zone in force between the times that a
// column over a place meets, or a height limit that it exceeds; -1 for none.
func (p *Planner) columnZone(at space.XY, z0, z1 float64, t0, t1 int64) int32 {
	groundM := p.c.GroundAltitudeXY(at)
	for _, id := range p.zonesAt(at) {
		l := &p.laws.zones[id]
		if !p.binds(l) || !p.during(l, t0, t1) {
			continue
		}
		if l.rule == chart.KeepOut && overlaps(l, z0, z1) ||
			l.rule == chart.AltitudeLimit && p.forbids(l, groundM, groundM) {
			return id
		}
	}
	return -1
}

// zonesAt returns the zones whose polygon holds a place; good until the next call.
func (p *Planner) zonesAt(at space.XY) []int32 {
	p.seen.reset(p.laws.shapes.count())
	found := p.laws.ix.within(space.BoxOf(at), &p.seen, p.ids[:0])
	kept := found[:0]
	for _, id := range found {
		if p.laws.zones[id].rule != chart.KeepIn && p.laws.shapes.inside(id, at) {
			kept = append(kept, id)
		}
	}
	p.ids = kept
	return kept
}

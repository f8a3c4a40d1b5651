package route

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is flight over ground that is not flat. There a cruise has a height
// above ground instead of an altitude. The search finds the way around what is
// in the way at that height; the profile, in profile.go, then gives the way its
// altitudes. What the profile finds to be in the way after all is flown around
// in another search.

const (
	// BandM is how much room over terrain the highest cruises leave below a
	// height limit, so that their profile need not copy each fold of the ground.
	BandM = 10.0
	// maxAvoided is how many obstacles, which no profile leads over or below, one
	// altitude's way is led around before the altitude is given up.
	maxAvoided = 4
	// rangeStepM is how closely the ground is looked at below a leg that passes
	// a zone.
	rangeStepM = 10.0
	// maxGroundSamples bounds the survey below one zone; below a larger one the
	// bounds of all the chart's ground are taken.
	maxGroundSamples = 100_000
	// ShareExpansions is how many expansions over terrain the search at one height
	// takes at most as long as it is not known that no other height has a way, or
	// once a way at another is known: at low heights a dense town is a labyrinth,
	// and its shortest way is worth a few seconds over the roofs.
	ShareExpansions = 1000
	// shareGrowth is how many times more it takes in each next round.
	shareGrowth = 8
	// samplesPerExpansion is how many samples of a profile count as one expansion.
	samplesPerExpansion = 16
)

// surveyGround finds the bounds of the ground, below each building and at large.
func (f *fixed) surveyGround(c *chart.Chart) {
	f.groundLowM, f.groundHighM = math.Inf(1), math.Inf(-1)
	for _, h := range c.Terrain.HeightDM {
		f.groundLowM = min(f.groundLowM, float64(h)/10)
		f.groundHighM = max(f.groundHighM, float64(h)/10)
	}
	f.lowM = make([]float64, len(c.Buildings))
	for i, box := range f.buildings.boxes {
		f.lowM[i] = f.groundLowM
		if !box.Empty() {
			f.lowM[i], _ = c.GroundRange(box.Grow(ClearanceM))
		}
	}
}

// groundUnder bounds the ground under a zone; nobody asks where it has neither
// floor nor ceiling.
func (f *fixed) groundUnder(c *chart.Chart, l *law, box space.Box) (lowM, highM float64) {
	if math.IsInf(l.floorM, -1) && math.IsInf(l.ceilingM, 1) {
		return 0, 0
	}
	box = box.Grow(ClearanceM)
	t := c.Terrain
	low, high := c.Frame.Point(box.Min), c.Frame.Point(box.Max)
	if !((high[0]-low[0])/t.StepLon*((high[1]-low[1])/t.StepLat) < maxGroundSamples) {
		return f.groundLowM, f.groundHighM
	}
	return c.GroundRange(box)
}

// tallAbove is tall for a cruise above ground: a building must also leave room
// between its roof and the height limit over the lowest ground about it.
func (p *Planner) tallAbove(id int32) bool {
	a := &p.air
	return p.c.Buildings[id].HeightM+RoofClearanceM > a.heightM ||
		p.fixed.roofM[id]+RoofClearanceM > p.fixed.lowM[id]+a.limitM
}

// spacing is how far below the floor and above the ceiling of a zone a cruise
// stays.
func (l *law) spacing() float64 {
	if l.rule == chart.KeepOut {
		return RoofClearanceM
	}
	return LimitMarginM
}

// concerns tells whether a zone's floor and ceiling matter for the cruise.
func (p *Planner) concerns(l *law) bool {
	return l.rule == chart.KeepOut || l.rule == chart.AltitudeLimit && p.air.heightM > l.limitM
}

// roundingM is how much altitudes that were reckoned in different ways may
// differ.
const roundingM = 1e-6

// forbidsAbove tells whether a zone may be in the way over ground between two
// altitudes.
func (p *Planner) forbidsAbove(l *law, lowM, highM float64) bool {
	h, spacing := p.air.heightM, l.spacing()
	return p.concerns(l) && highM+h > l.floorM-spacing+roundingM && lowM+h < l.ceilingM+spacing-roundingM
}

// bounds are the altitudes between which a way passes a zone, over ground
// between two altitudes: beneath it where all of the cruise is, above it where
// some of the cruise is and the height limit leaves room to rise with the rest.
func (p *Planner) bounds(l *law, lowM, highM float64) (bottomM, topM float64, ok bool) {
	h, spacing := p.air.heightM, l.spacing()
	switch {
	case !p.concerns(l):
		return math.Inf(-1), math.Inf(1), true
	case highM+h <= l.floorM-spacing+roundingM:
		return math.Inf(-1), l.floorM - spacing + roundingM, true
	case highM+h >= l.ceilingM+spacing-roundingM && l.ceilingM+spacing <= lowM+p.air.limitM:
		return l.ceilingM + spacing - roundingM, math.Inf(1), true
	}
	return 0, 0, false
}

// passes tells whether a leg that meets a zone passes above or beneath it.
func (p *Planner) passes(id int32, from, to space.XY) bool {
	a := &p.air
	if !a.relief || id < p.firstZone() || p.avoids(id) {
		return false
	}
	i := id - p.firstZone()
	l := &p.laws.zones[i]
	if l.rule == chart.KeepIn || math.IsInf(l.floorM, -1) && math.IsInf(l.ceilingM, 1) || slices.Contains(a.caught, i) {
		return false
	}
	t0, t1, ok := p.laws.shapes.span(i, from, to, ClearanceM)
	if !ok {
		return true
	}
	lowM, highM := p.groundAlong(from.Lerp(to, t0), from.Lerp(to, t1))
	_, _, ok = p.bounds(l, lowM, highM)
	return ok
}

// groundAlong is the lowest and the highest ground at places along a segment.
func (p *Planner) groundAlong(from, to space.XY) (lowM, highM float64) {
	a, b := p.c.Frame.Point(from), p.c.Frame.Point(to)
	lowM, highM = math.Inf(1), math.Inf(-1)
	steps := math.Ceil(from.Dist(to)/rangeStepM) + 1
	for k := range int(steps) + 1 {
		t := float64(k) / steps
		h := p.c.Terrain.Altitude(lerpPoint(a, b, t))
		lowM, highM = min(lowM, h), max(highM, h)
	}
	return lowM, highM
}

// chooseAbove collects the heights above ground worth trying, the quickest first.
func (p *Planner) chooseAbove(q *Query) {
	a := &p.air
	least := p.leastHeightM()
	highest := max(least, a.limitM-BandM)
	usual := MinCruiseM + p.uncertaintyM()
	lowest := min(usual, highest)
	for _, at := range [2]space.XY{a.start, a.goal} {
		for _, id := range p.zonesAt(at) {
			l := &p.laws.zones[id]
			if l.rule == chart.AltitudeLimit && p.binds(l) && l.limitM-LimitMarginM >= LowestCruiseM {
				lowest = min(lowest, max(least, l.limitM-LimitMarginM-BandM))
			}
		}
	}
	add := func(h float64) {
		if h >= lowest && h <= highest && len(a.heights) < maxHeights {
			a.heights = append(a.heights, height{z: h})
		}
	}
	for _, h := range [...]float64{usual, 60, 80, 100, highest, lowest, a.fromM - a.fromGroundM, a.toM - a.toGroundM} {
		add(h)
	}
	// One that is higher already may stay so.
	if h := a.fromM - a.fromGroundM; h > highest && h <= a.limitM {
		a.heights = append(a.heights, height{z: h})
	}
	for _, at := range [2]space.XY{a.start, a.goal} {
		p.around(at, 0)
		for _, id := range a.ids {
			if id < p.firstWater() && p.fixed.buildings.inside(id, at) {
				add(p.c.Buildings[id].HeightM + RoofClearanceM)
			}
		}
	}
	p.around2(a.start, a.goal, ClearanceM)
	for _, id := range a.ids {
		if id < p.firstZone() {
			continue
		}
		l := &p.laws.zones[id-p.firstZone()]
		if !p.binds(l) || l.rule != chart.KeepOut && l.rule != chart.AltitudeLimit {
			continue
		}
		if l.rule == chart.AltitudeLimit {
			add(max(LowestCruiseM, l.limitM-LimitMarginM-BandM))
		}
		highM := l.highM
		if t0, t1, ok := p.laws.shapes.span(id-p.firstZone(), a.start, a.goal, ClearanceM); ok {
			_, highM = p.groundAlong(a.start.Lerp(a.goal, t0), a.start.Lerp(a.goal, t1))
		}
		// The ground is looked at more closely later; half a metre is for that.
		add(l.floorM - l.spacing() - highM - 0.5)
		add(l.ceilingM + l.spacing() - highM + 0.5)
	}
	p.sortHeights(q)
}

// flyAbove is the rest of flyAt over terrain.
func (p *Planner) flyAbove(q *Query, boundS float64, straight bool, budget *int) (planned, *Refusal) {
	a := &p.air
	boundM := (boundS - p.secondsAt(q, a.heightM, 0)) * a.speed
	for {
		a.bends = a.bends[:0]
		if _, ok := p.search(boundM, straight, budget); !ok {
			return planned{}, p.whyNot(q)
		}
		a.bends = a.sight.bendsOf(a.bends)
		id, why := p.layProfile(q)
		*budget -= len(a.profile.samples) / samplesPerExpansion
		if why == nil {
			break
		}
		if id < 0 || straight || len(a.avoid) == maxAvoided || *budget < 0 {
			return planned{}, why
		}
		a.avoid = append(a.avoid, id)
	}
	cost, why := p.columnsAbove(q)
	seconds := a.price(cost)
	if why != nil || seconds >= boundS {
		return planned{}, why
	}
	return planned{z: a.heightM, seconds: seconds, found: true}, nil
}

// columnsAbove is what the way over terrain takes, unless the columns at its
// ends are not lawful.
func (p *Planner) columnsAbove(q *Query) (cost motion.Cost, why *Refusal) {
	a := &p.air
	up, down := a.line[0].Z, a.line[len(a.line)-1].Z
	cost = a.power.Leg(0, max(0, up-a.fromM), max(0, a.fromM-up))
	if r := p.startColumn(q, up, cost.Seconds); r != nil {
		return cost, r
	}
	for i := 1; i < len(a.line); i++ {
		cost = cost.Add(p.limitsOn(&a.power, a.line[i-1], a.line[i], nanos(q.Depart, cost.Seconds), false))
	}
	arrive := nanos(q.Depart, cost.Seconds)
	cost = cost.Add(a.power.Leg(0, max(0, a.toM-down), max(0, down-a.toM)))
	if id := p.columnZone(a.goal, down, a.toM, arrive, nanos(q.Depart, cost.Seconds+LateS)); id >= 0 {
		return cost, &Refusal{Rule: InsideZone, At: q.To, Object: p.laws.zones[id].id}
	}
	return cost, nil
}

// startColumn refuses a column over the start that leads into a zone.
func (p *Planner) startColumn(q *Query, up, upS float64) *Refusal {
	a := &p.air
	from, late := q.Depart.UnixNano(), nanos(q.Depart, upS+LateS)
	for _, id := range p.zonesAt(a.start) {
		l := &p.laws.zones[id]
		if l.rule == chart.KeepOut && p.binds(l) && p.during(l, from, late) && !l.applies(a.fromM) && overlaps(l, a.fromM, up) {
			return &Refusal{Rule: InsideZone, At: q.From, Object: l.id}
		}
	}
	return nil
}

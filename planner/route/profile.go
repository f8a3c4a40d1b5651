package route

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// sampleM is the greatest distance between two samples of a profile.
	sampleM = 25.0
	// looseM is how far a profile may leave the shortest one for having fewer
	// points.
	looseM = 2.0
	// straightM is how long a part of a leg may be to count as straight in
	// degrees as well: over it the two differ by less than a decimetre.
	straightM = 2000.0
)

// profile is the memory for giving a way its altitudes.
type profile struct {
	samples []sample
	runs    []run
	cuts    []float64
	// taut is the shortest profile, an altitude for each sample; knots are the
	// points of the one with fewer.
	taut  []float64
	knots []knot
}

// sample is a place of the way, m metres from its start, with the altitudes
// between which the aircraft must be, and the obstacles that set them, -1 where
// it is the ground.
type sample struct {
	m             float64
	lowM, highM   float64
	lowBy, highBy int32
	// groundM is the ground there; on the way to the samples before and after, it
	// is at most upM above and downM below the straight line.
	groundM, upM, downM float64
}

// run is the part of a leg within the clearance of an obstacle, as fractions.
type run struct {
	t0, t1 float64
	id     int32
}

type knot struct{ m, z float64 }

// layProfile gives the way along p.air.bends its altitudes, in p.air.line: the
// polyline that takes the least time between a lower and an upper bound, loosened
// by up to looseM where that saves points. The lower bound is the height of the
// cruise above ground, and RoofClearanceM above roofs and keep-out zones that
// the way leads over; the upper one the height limit, and RoofClearanceM below
// the keep-out zones that it leads beneath. Both are known at each place where
// the way crosses the terrain's grid, at most sampleM apart, and allow for how
// the ground bends in between. Where the bounds cross there is no profile: the
// refusal names what sets them, and id is what to fly around instead, below zero
// for nothing.
func (p *Planner) layProfile(q *Query) (id int32, why *Refusal) {
	a := &p.air
	pr := &a.profile
	pr.samples = pr.samples[:0]
	from, m, airM := a.start, 0.0, 0.0
	for i := range len(a.bends) + 1 {
		to := p.bend(i)
		p.lag(from, to, airM)
		p.surveyLeg(from, to, m, airM)
		m += from.Dist(to)
		airM += a.drift.between(from, to) + a.lastM
		from = to
	}
	for i := range pr.samples {
		if s := &pr.samples[i]; s.lowM > s.highM {
			return p.crossed(s)
		}
	}
	first, last := &pr.samples[0], &pr.samples[len(pr.samples)-1]
	first.lowM = clamp(a.fromM, first.lowM, first.highM)
	last.lowM = clamp(a.toM, last.lowM, last.highM)
	first.highM, last.highM = first.lowM, last.lowM
	pr.tighten()
	pr.loosen()
	p.drawLine()
	return p.tooLate(q)
}

// bend is the end of a leg of the way: a bend, or the goal.
func (p *Planner) bend(leg int) space.XY {
	if a := &p.air; leg < len(a.bends) {
		return a.bends[leg]
	}
	return p.air.goal
}

// crossed names what leaves no room at a sample.
func (p *Planner) crossed(s *sample) (id int32, why *Refusal) {
	at := p.alongWay(s.m)
	why = &Refusal{Rule: NoWay, At: p.c.Frame.Position(space.XYZ{X: at.X, Y: at.Y, Z: s.lowM}), Object: "height limit"}
	id = -1
	for _, by := range [2]int32{s.lowBy, s.highBy} {
		if by < 0 {
			continue
		}
		why.Object = p.name(by)
		// What holds the start or the goal cannot be flown around.
		if sh, i := p.shape(by); !sh.inside(i, p.air.start) && !sh.inside(i, p.air.goal) {
			id = by
		}
	}
	return id, why
}

// surveyLeg appends the samples of a leg that begins m metres along the way, or
// airM through the air; its
// first is the last of the leg before.
func (p *Planner) surveyLeg(from, to space.XY, m, airM float64) {
	pr := &p.air.profile
	lengthM := from.Dist(to)
	p.findRuns(from, to, airM)
	pr.cuts = append(pr.cuts[:0], 0, 1)
	for _, r := range pr.runs {
		pr.cuts = append(pr.cuts, r.t0, r.t1)
	}
	pieces := max(1, math.Ceil(lengthM/straightM))
	for k := range int(pieces) {
		p.gridCuts(from.Lerp(to, float64(k)/pieces), from.Lerp(to, float64(k+1)/pieces), float64(k), pieces)
	}
	slices.Sort(pr.cuts)
	begin := max(0, len(pr.samples)-1)
	p.sampleGround(from, to, m, pieces)
	for i := begin; i < len(pr.samples); i++ {
		s := &pr.samples[i]
		s.lowM = max(s.lowM, s.groundM+s.upM+p.air.heightM)
		s.highM = min(s.highM, s.groundM-s.downM+p.air.limitM)
	}
	for _, r := range pr.runs {
		p.applyRun(r, pr.samples[begin:], m, lengthM)
	}
}

// gridCuts appends where piece k of a leg crosses the grid of the terrain, as
// fractions of the leg, and its end, no two further apart than sampleM.
func (p *Planner) gridCuts(from, to space.XY, k, pieces float64) {
	t, pr := p.c.Terrain, &p.air.profile
	a, b := p.c.Frame.Point(from), p.c.Frame.Point(to)
	u, stepU := gridCut((a[0]-t.Origin[0])/t.StepLon, (b[0]-a[0])/t.StepLon)
	v, stepV := gridCut((a[1]-t.Origin[1])/t.StepLat, (b[1]-a[1])/t.StepLat)
	most := sampleM / max(from.Dist(to), sampleM)
	for at := 0.0; at < 1; {
		at = min(u, v, at+most, 1)
		if at == u {
			u += stepU
		}
		if at == v {
			v += stepV
		}
		pr.cuts = append(pr.cuts, (k+at)/pieces)
	}
}

// gridCut is the fraction of the way from x to x+dx at which the first whole
// number is crossed, and how much further each next.
func gridCut(x, dx float64) (first, step float64) {
	const least = 1e-9
	switch {
	case dx > least:
		return (math.Floor(x) + 1 - x) / dx, 1 / dx
	case dx < -least:
		return (math.Ceil(x) - 1 - x) / dx, -1 / dx
	}
	return math.Inf(1), math.Inf(1)
}

// closeM is how near to the last a sample may be without being needed.
const closeM = 1e-3

// sampleGround makes samples of the cuts of a leg.
func (p *Planner) sampleGround(from, to space.XY, m, pieces float64) {
	pr, t := &p.air.profile, p.c.Terrain
	lengthM := from.Dist(to)
	piece, lastT := -1.0, 0.0
	var a, b orb.Point
	at := func(cut float64) orb.Point {
		if k := min(math.Floor(cut*pieces), pieces-1); k != piece {
			piece = k
			a, b = p.c.Frame.Point(from.Lerp(to, k/pieces)), p.c.Frame.Point(from.Lerp(to, (k+1)/pieces))
		}
		return lerpPoint(a, b, cut*pieces-piece)
	}
	for i, cut := range pr.cuts {
		if i == 0 && len(pr.samples) > 0 || i > 0 && (cut-lastT)*lengthM < closeM {
			continue
		}
		if (1-cut)*lengthM < closeM {
			cut = 1
		}
		s := sample{
			m: m + cut*lengthM, groundM: t.Altitude(at(cut)),
			lowM: math.Inf(-1), highM: math.Inf(1), lowBy: -1, highBy: -1,
		}
		if i > 0 {
			before := &pr.samples[len(pr.samples)-1]
			// Within a cell of the grid the ground along a line is a parabola,
			// which is furthest from its chord in the middle.
			fold := t.Altitude(at((lastT+cut)/2)) - (before.groundM+s.groundM)/2
			s.upM, s.downM = max(0, fold), max(0, -fold)
			before.upM, before.downM = max(before.upM, s.upM), max(before.downM, s.downM)
		}
		pr.samples = append(pr.samples, s)
		lastT = cut
	}
}

func lerpPoint(a, b orb.Point, t float64) orb.Point {
	return orb.Point{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t}
}

// findRuns collects where a leg that begins airM metres through the air along the
// way leads over buildings and past zones.
func (p *Planner) findRuns(from, to space.XY, airM float64) {
	a := &p.air
	pr := &a.profile
	pr.runs = pr.runs[:0]
	t0 := a.departed + int64(airM/a.speed*1e9)
	t1 := t0 + int64(((a.drift.between(from, to)+a.lastM)/a.speed+LateS)*1e9)
	p.around2(from, to, ClearanceM)
	zones := p.firstZone()
	for _, id := range a.ids {
		if p.avoids(id) {
			continue
		}
		if id < zones {
			if p.tall(id) || p.fixed.roofM[id]+RoofClearanceM <= p.fixed.lowM[id]+a.heightM {
				continue
			}
		} else {
			l := &p.laws.zones[id-zones]
			limits := l.rule == chart.KeepOut || l.rule == chart.AltitudeLimit
			if !limits || !p.binds(l) || !p.during(l, t0, t1) || slices.Contains(a.caught, id-zones) {
				continue
			}
		}
		s, i := p.shape(id)
		if u, v, ok := s.span(i, from, to, ClearanceM-slackM); ok {
			pr.runs = append(pr.runs, run{u, v, id})
		}
	}
}

// applyRun bounds the samples of a leg within a run.
func (p *Planner) applyRun(r run, samples []sample, m, lengthM float64) {
	from, to := m+r.t0*lengthM-2*closeM, m+r.t1*lengthM+2*closeM
	first, _ := slices.BinarySearchFunc(samples, from, func(s sample, m float64) int { return cmp.Compare(s.m, m) })
	last := first
	for last < len(samples) && samples[last].m <= to {
		last++
	}
	samples = samples[first:last]
	bottomM, topM, heightM := p.runBounds(r.id, samples)
	for i := range samples {
		s := &samples[i]
		if bottomM > s.lowM {
			s.lowM, s.lowBy = bottomM, r.id
		}
		if top := min(topM, s.groundM-s.downM+heightM); top < s.highM {
			s.highM, s.highBy = top, r.id
		}
	}
}

// runBounds are the altitudes, and the height above ground, that an obstacle
// bounds the samples of a run by; where there is no room they cross.
func (p *Planner) runBounds(id int32, samples []sample) (bottomM, topM, heightM float64) {
	inf := math.Inf(1)
	if id < p.firstZone() {
		return p.fixed.roofM[id] + RoofClearanceM, inf, inf
	}
	l := &p.laws.zones[id-p.firstZone()]
	lowM, highM := inf, -inf
	for i := range samples {
		s := &samples[i]
		lowM, highM = min(lowM, s.groundM-s.downM), max(highM, s.groundM+s.upM)
	}
	bottomM, topM, ok := p.bounds(l, lowM, highM)
	if !ok {
		bottomM, topM = inf, -inf
	}
	heightM = inf
	if l.rule == chart.AltitudeLimit && p.air.heightM <= l.limitM {
		heightM = l.limitM - min(LimitMarginM, l.limitM-p.air.heightM)
	}
	return bottomM, topM, heightM
}

// tighten finds the shortest way between the bounds: a string pulled taut, which
// among all ways between them climbs and descends the least, whatever the price
// of a slope.
func (pr *profile) tighten() {
	s := pr.samples
	pr.taut = slices.Grow(pr.taut[:0], len(s))[:len(s)]
	pr.taut[0] = s[0].lowM
	for at := 0; at < len(s)-1; {
		z := pr.taut[at]
		next, nextZ := len(s)-1, s[len(s)-1].lowM
		low, high, lowAt, highAt := math.Inf(-1), math.Inf(1), at, at
		for j := at + 1; j < len(s); j++ {
			dx := s[j].m - s[at].m
			toLow, toHigh := (s[j].lowM-z)/dx, (s[j].highM-z)/dx
			if toLow > high {
				next, nextZ = highAt, s[highAt].highM
				break
			}
			if toHigh < low {
				next, nextZ = lowAt, s[lowAt].lowM
				break
			}
			if toLow >= low {
				low, lowAt = toLow, j
			}
			if toHigh <= high {
				high, highAt = toHigh, j
			}
		}
		slope := (nextZ - z) / (s[next].m - s[at].m)
		for j := at + 1; j < next; j++ {
			pr.taut[j] = z + slope*(s[j].m-s[at].m)
		}
		pr.taut[next] = nextZ
		at = next
	}
}

// loosen finds a way with few points within looseM of the taut one and between
// the bounds: from each point as far as a straight line goes.
func (pr *profile) loosen() {
	s := pr.samples
	end := len(s) - 1
	pr.knots = append(pr.knots[:0], knot{s[0].m, pr.taut[0]})
	for at := 0; at < end; {
		k := pr.knots[len(pr.knots)-1]
		low, high, next := math.Inf(-1), math.Inf(1), at+1
		for ; next <= end; next++ {
			dx := s[next].m - k.m
			toLow := (max(s[next].lowM, pr.taut[next]-looseM) - k.z) / dx
			toHigh := (min(s[next].highM, pr.taut[next]+looseM) - k.z) / dx
			if next == end {
				toLow = (pr.taut[end] - k.z) / dx
				toHigh = toLow
			}
			if max(low, toLow) > min(high, toHigh) {
				break
			}
			low, high = max(low, toLow), min(high, toHigh)
		}
		at = next - 1
		dx := s[at].m - k.m
		pr.knots = append(pr.knots, knot{s[at].m, clamp(pr.taut[at], k.z+low*dx, k.z+high*dx)})
	}
}

// alongWay is the place m metres along the way.
func (p *Planner) alongWay(m float64) space.XY {
	from := p.air.start
	for i := range len(p.air.bends) + 1 {
		to := p.bend(i)
		lengthM := from.Dist(to)
		if m <= lengthM && lengthM > 0 {
			return from.Lerp(to, m/lengthM)
		}
		m -= lengthM
		from = to
	}
	return from
}

// drawLine puts the knots of the profile and the bends of the way together.
func (p *Planner) drawLine() {
	a := &p.air
	knots := a.profile.knots
	a.line = append(a.line[:0], space.XYZ{X: a.start.X, Y: a.start.Y, Z: knots[0].z})
	from, m, k := a.start, 0.0, 1
	for i := range len(a.bends) + 1 {
		to := p.bend(i)
		lengthM := from.Dist(to)
		end := m + lengthM
		for ; k < len(knots) && knots[k].m < end-closeM; k++ {
			at := from.Lerp(to, (knots[k].m-m)/lengthM)
			a.line = append(a.line, space.XYZ{X: at.X, Y: at.Y, Z: knots[k].z})
		}
		k = min(k, len(knots)-1)
		z := knots[k].z
		if ahead := knots[k].m - end; ahead > closeM {
			before := knots[k-1]
			z = before.z + (z-before.z)*(end-before.m)/(knots[k].m-before.m)
		} else {
			k++
		}
		a.line = append(a.line, space.XYZ{X: to.X, Y: to.Y, Z: z})
		from, m = to, end
	}
}

// tooLate looks for zones with a begin or an end that are in the way after all,
// since slopes take longer than the search reckons with, and zones with a limit of
// speed may be met elsewhere than it knew.
func (p *Planner) tooLate(q *Query) (id int32, why *Refusal) {
	a := &p.air
	if !p.laws.timed {
		return -1, nil
	}
	up := a.line[0].Z
	t := nanos(q.Depart, a.power.Leg(0, max(0, up-a.fromM), max(0, a.fromM-up)).Seconds)
	zones := p.firstZone()
	for i := 1; i < len(a.line); i++ {
		from, to := a.line[i-1], a.line[i]
		end := t + int64(p.limitsOn(&a.power, from, to, t, false).Seconds*1e9)
		p.around2(from.XY(), to.XY(), 0)
		for _, id := range a.ids {
			if id < zones {
				continue
			}
			l := &p.laws.zones[id-zones]
			if !l.timed() || !p.binds(l) || !p.during(l, t, end+int64(LateS*1e9)) || slices.Contains(a.caught, id-zones) {
				continue
			}
			if p.breaks(id-zones, from, to) {
				return id, &Refusal{Rule: NoWay, At: p.c.Frame.Position(to), Object: l.id}
			}
		}
		t = end
	}
	return -1, nil
}

// breaks tells whether a piece of the line breaks a zone's rule.
func (p *Planner) breaks(zone int32, from, to space.XYZ) bool {
	l := &p.laws.zones[zone]
	switch l.rule {
	case chart.KeepOut:
		return overlaps(l, from.Z, to.Z) && p.laws.shapes.meets(zone, from.XY(), to.XY())
	case chart.AltitudeLimit:
		return p.air.heightM > l.limitM && overlaps(l, from.Z, to.Z) && p.laws.shapes.meets(zone, from.XY(), to.XY())
	case chart.KeepIn:
		return zone == p.air.keepIn && p.laws.shapes.closer(zone, from.XY(), to.XY(), 1e-6)
	case chart.SpeedLimit, chart.Advise:
	}
	return false
}

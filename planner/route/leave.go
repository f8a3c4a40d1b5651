package route

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is how aircraft and vessels leave the zones that they are caught in:
// by the way that takes the least time, wherever they want to go afterwards.

const (
	// LeaveExpansions is how many expansions the search for the way out of the
	// zones that a vehicle is caught in takes at most at one height.
	LeaveExpansions = 8000
	// maxExits bounds the places along the outlines of zones at which a way out may
	// end, exitStepM is the least distance between two, and maxFeet is how many
	// more are looked for right ahead of each place where the way bends.
	maxExits  = 256
	exitStepM = 10.0
	maxFeet   = 4
	// maxLeaves is how many ways out are tried when nothing leads on from the
	// first ones.
	maxLeaves = 4
	// aboveM is how much higher above a zone over terrain a way out leads, since
	// the ground is looked at more closely later.
	aboveM = 0.5
	// staysS is how long a place must remain lawful to count as a way out.
	staysS = 600.0
)

// leaving is the memory for finding ways out.
type leaving struct {
	// leaves says that the search at hand is for a way out.
	leaves bool
	// exits are the places at which the way out may end, feet those right ahead.
	exits []space.XY
	feetM []foot
	// barred are the rings of zones, and uprightZ the heights straight above and
	// below, that no way leads on from; nothing up to barredZ is to be tried at all.
	barred   []outline
	uprightZ []float64
	barredZ  float64
}

// outline is a ring of a zone, numbered as in its shapes; below zero it is none.
type outline struct{ zone, ring int32 }

// wayOut is a way out of the zones that the start is caught in: its points with
// their altitudes, how long it takes, at which height it was sought, and at which
// outline it ends, none where it leads straight up or down.
type wayOut struct {
	line    []space.XYZ
	seconds float64
	z       float64
	ends    outline
}

// foot is the place of an outline that is nearest to some other, on one edge.
type foot struct {
	out space.XY
	m   float64
}

// traps tells whether a zone that a flight breaks where it starts is to be left
// sideways if need be: it is one to keep out of, or leaves no room for a cruise.
func (p *Planner) traps(l *law, z, groundM float64) bool {
	switch l.rule {
	case chart.KeepOut:
		return l.applies(z)
	case chart.AltitudeLimit:
		return !p.air.afloat && l.applies(z) && l.limitM-LimitMarginM < LowestCruiseM && z > groundM+l.limitM
	case chart.KeepIn, chart.SpeedLimit, chart.Advise:
	}
	return false
}

// isCaught tells whether the start lies in a zone that is to be left.
func (p *Planner) isCaught(q *Query) bool {
	a := &p.air
	for _, id := range p.zonesAt(a.start) {
		l := &p.laws.zones[id]
		if p.binds(l) && p.during(l, q.Depart.UnixNano(), nanos(q.Depart, LateS)) && p.traps(l, a.fromM, a.fromGroundM) {
			return true
		}
	}
	return false
}

// flyOut leaves the zones that the start is caught in and flies on from there.
// Where nothing leads on it tries other ways out.
func (p *Planner) flyOut(q *Query, budget *int) (Route, error) {
	a := &p.air
	a.barred, a.uprightZ, a.barredZ = a.barred[:0], a.uprightZ[:0], math.Inf(-1)
	var first error
	lastZ := a.barredZ
	for range maxLeaves {
		p.begin(q)
		if r := p.endsLawful(q); r != nil {
			return Route{}, r
		}
		out, why := p.leave(q, budget)
		used := Route{Expansions: min(q.MaxExpansions, q.MaxExpansions-*budget)}
		if *budget < 0 {
			return used, &Refusal{Rule: Budget, At: q.To, Number: float64(q.MaxExpansions)}
		}
		if out.line == nil {
			if first == nil {
				return used, why
			}
			if len(a.barred) == 0 {
				return used, first
			}
			a.barred, a.barredZ = a.barred[:0], lastZ
			continue
		}
		r, err := p.flyFrom(q, out.line, budget)
		if err == nil || *budget < 0 {
			return r, err
		}
		if first == nil {
			first = err
		}
		if out.ends.zone < 0 {
			a.uprightZ = append(a.uprightZ, out.z)
		} else {
			a.barred, lastZ = append(a.barred, out.ends), out.z
		}
	}
	return Route{Expansions: min(q.MaxExpansions, q.MaxExpansions-*budget)}, first
}

// flyFrom is the flight that begins with a way out of zones.
func (p *Planner) flyFrom(q *Query, line []space.XYZ, budget *int) (Route, error) {
	path := []space.Position{q.From}
	for _, at := range line {
		pos := p.c.Frame.Position(at)
		if p.c.Frame.XYZ(path[len(path)-1]).Dist(at) > 0.01 {
			path = append(path, pos)
		}
	}
	if len(path) == 1 {
		path = append(path, p.c.Frame.Position(line[0]))
	}
	onto := *q
	onto.From = path[len(path)-1]
	onto.Depart = time.Unix(0, nanos(q.Depart, p.priced(q, path, 0).Cost.Seconds)).UTC()
	p.begin(&onto)
	if no := p.endsLawful(&onto); no != nil {
		return Route{}, no
	}
	r, err := p.flyOn(&onto, budget)
	if err != nil {
		return r, err
	}
	return p.priced(q, append(path, r.Path[1:]...), r.Expansions), nil
}

// leave finds the way out of the zones that the start is caught in that takes
// the least time, at any of the heights worth trying.
func (p *Planner) leave(q *Query, budget *int) (best wayOut, why *Refusal) {
	a := &p.air
	a.goal, a.toM, a.toGroundM = a.start, a.fromM, a.fromGroundM
	p.chooseHeights(q)
	p.addPresent()
	for i := range a.heights {
		h := &a.heights[i]
		h.boundS = p.upSeconds(q, h.z)
	}
	slices.SortFunc(a.heights, func(x, y height) int {
		return cmp.Or(cmp.Compare(x.boundS, y.boundS), cmp.Compare(x.z, y.z))
	})
	a.heights = slices.CompactFunc(a.heights, func(x, y height) bool { return x.z == y.z })
	best.seconds = math.Inf(1)
	for _, h := range a.heights {
		if h.boundS >= best.seconds || h.z <= a.barredZ || *budget < 0 {
			continue
		}
		part := min(LeaveExpansions, *budget)
		left := part
		out, refusal := p.leaveAt(q, h.z, best.seconds, &left)
		*budget -= part - left
		if out.line != nil && out.seconds < best.seconds {
			best = out
		} else if why == nil {
			why = refusal
		}
	}
	if why == nil {
		why = &Refusal{Rule: InsideZone, At: q.From}
		if len(a.caught) > 0 {
			why.Object = p.laws.zones[a.caught[0]].id
		}
	}
	return best, why
}

// addPresent adds the height at which the aircraft is, if it flies, and over
// terrain those above the zones there that are higher than cruises begin.
func (p *Planner) addPresent() {
	a := &p.air
	add := func(z, heightM float64) {
		if heightM >= LowestCruiseM && heightM <= a.limitM {
			a.heights = append(a.heights, height{z: z})
		}
	}
	switch {
	case a.afloat:
	case !a.relief:
		add(a.fromM, a.fromM-a.groundM)
	default:
		add(a.fromM-a.fromGroundM, a.fromM-a.fromGroundM)
		for _, id := range p.zonesAt(a.start) {
			l := &p.laws.zones[id]
			heightM := l.ceilingM + l.spacing() + aboveM - a.fromGroundM
			add(heightM, heightM)
		}
	}
}

// upSeconds is what the column over the start takes, up or down to height z.
func (p *Planner) upSeconds(q *Query, z float64) float64 {
	up, _ := p.columns(z)
	return p.columnSeconds(q, up)
}

func (p *Planner) columnSeconds(q *Query, up float64) float64 {
	a := &p.air
	return a.power.Leg(0, max(0, up-a.fromM), max(0, a.fromM-up)).Seconds
}

// leaveAt looks for the quickest way out at height z that takes less than boundS
// seconds.
func (p *Planner) leaveAt(q *Query, z, boundS float64, budget *int) (wayOut, *Refusal) {
	a := &p.air
	a.z, a.heightM, a.last = z, z, -1
	a.avoid, a.bends, a.goal = a.avoid[:0], a.bends[:0], a.start
	upS := p.upSeconds(q, z)
	a.departed = nanos(q.Depart, upS)
	if r := p.startLawful(q, z, upS); r != nil {
		return wayOut{}, r
	}
	if len(a.caught) == 0 {
		if slices.Contains(a.uprightZ, z) {
			return wayOut{}, nil
		}
		return p.leaveUpright(q, z)
	}
	p.collectBeside(a.start)
	a.near = slices.DeleteFunc(a.near, func(b beside) bool { return b.spot != 0 })
	a.leaves = true
	defer func() { a.leaves = false }()
	p.collectExits()
	for {
		lengthM, ok := a.sight.searchOut(p, a.start, a.exits, (boundS-upS)*a.speed, budget)
		if !ok {
			return wayOut{}, &Refusal{Rule: InsideZone, At: q.From, Object: p.laws.zones[a.caught[0]].id}
		}
		a.bends = a.sight.bendsOf(a.bends[:0])
		a.goal = a.sight.spots[a.sight.last].at
		seconds := upS + (lengthM+a.sight.spots[a.sight.last].lastM)/a.speed
		out := wayOut{z: z, seconds: seconds, ends: p.outlineAt(a.goal)}
		if !a.relief {
			out.line = append(out.line, space.XYZ{X: a.start.X, Y: a.start.Y, Z: z})
			for i := range len(a.bends) + 1 {
				at := p.bend(i)
				out.line = append(out.line, space.XYZ{X: at.X, Y: at.Y, Z: z})
			}
			return out, nil
		}
		id, why := p.layProfile(q)
		*budget -= len(a.profile.samples) / samplesPerExpansion
		if why == nil {
			return p.alongLine(q, out)
		}
		if id < 0 || len(a.avoid) == maxAvoided || *budget < 0 {
			return wayOut{}, why
		}
		a.avoid = append(a.avoid, id)
	}
}

// leaveUpright is the way out straight up or down.
func (p *Planner) leaveUpright(q *Query, z float64) (wayOut, *Refusal) {
	a := &p.air
	out := wayOut{z: z, ends: outline{-1, -1}}
	if a.relief {
		if _, why := p.layProfile(q); why != nil {
			return wayOut{}, why
		}
		return p.alongLine(q, out)
	}
	out.seconds = p.upSeconds(q, z)
	out.line = []space.XYZ{{X: a.start.X, Y: a.start.Y, Z: z}}
	return out, nil
}

// alongLine completes a way out over terrain by its profile.
func (p *Planner) alongLine(q *Query, out wayOut) (wayOut, *Refusal) {
	a := &p.air
	up := a.line[0].Z
	out.seconds = p.columnSeconds(q, up)
	if r := p.startColumn(q, up, out.seconds); r != nil {
		return wayOut{}, r
	}
	for i := 1; i < len(a.line); i++ {
		out.seconds += p.limitsOn(&a.power, a.line[i-1], a.line[i], nanos(q.Depart, out.seconds), false).Seconds
	}
	out.line = slices.Clone(a.line)
	return out, nil
}

// collectExits collects places along the outlines of the zones that the start is
// caught in, ClearanceM off them, at which a way out may end.
func (p *Planner) collectExits() {
	a, s := &p.air, p.laws.shapes
	a.exits = a.exits[:0]
	total := 0.0
	for _, id := range a.caught {
		s.edges(id, func(_ int32, from, to space.XY) { total += from.Dist(to) })
	}
	stepM := max(exitStepM, total/maxExits)
	for _, id := range a.caught {
		ahead := 0.0
		s.edges(id, func(ring int32, from, to space.XY) {
			lengthM := from.Dist(to)
			off := space.XY{X: to.Y - from.Y, Y: from.X - to.X}.Scale((ClearanceM + slackM) / lengthM)
			for ; ahead < lengthM; ahead += stepM {
				at := from.Lerp(to, ahead/lengthM).Add(off)
				if !p.isBarred(id, ring) && p.isExit(at) {
					a.exits = append(a.exits, at)
				}
			}
			ahead -= lengthM
		})
	}
}

func (p *Planner) isBarred(zone, ring int32) bool {
	return slices.Contains(p.air.barred, outline{zone, ring})
}

// isExit tells whether a way out may end at a place: it is on the chart, and in
// no obstacle now or soon.
func (p *Planner) isExit(at space.XY) bool {
	if !p.fixed.inner.Contains(at) {
		return false
	}
	a := &p.air
	p.around(at, ClearanceM)
	for _, id := range a.ids {
		standing, _ := p.stands(id, a.departed, a.departed+int64(staysS*1e9))
		if standing && p.covers(id, at) {
			return false
		}
	}
	return true
}

// isLeft tells whether an obstacle is a zone that the search at hand is to leave.
func (p *Planner) isLeft(id int32) bool {
	return p.air.leaves && id >= p.firstZone() && slices.Contains(p.air.caught, id-p.firstZone())
}

func (p *Planner) toLeave(at space.XY) float64 {
	least := 0.0
	for _, id := range p.air.caught {
		if s := p.laws.shapes; s.inside(id, at) {
			least = max(least, p.air.drift.least(s.distance(id, at)+ClearanceM-2*slackM))
		}
	}
	return least
}

func (p *Planner) feet(from space.XY, dst []space.XY) []space.XY {
	a := &p.air
	for _, id := range a.caught {
		a.feetM = a.feetM[:0]
		p.laws.shapes.edges(id, func(ring int32, u, v space.XY) {
			at, _ := space.ClosestOnSegment(from, u, v)
			m := from.Dist(at)
			if len(a.feetM) == maxFeet && m >= a.feetM[maxFeet-1].m || p.isBarred(id, ring) {
				return
			}
			away := at.Sub(from)
			if m < 0.1 {
				away = space.XY{X: v.Y - u.Y, Y: u.X - v.X}
			}
			f := foot{at.Add(away.Scale((ClearanceM + slackM) / away.Len())), m}
			i, _ := slices.BinarySearchFunc(a.feetM, m, func(f foot, m float64) int { return cmp.Compare(f.m, m) })
			if len(a.feetM) == maxFeet {
				a.feetM = a.feetM[:maxFeet-1]
			}
			a.feetM = slices.Insert(a.feetM, i, f)
		})
		for _, f := range a.feetM {
			if p.isExit(f.out) {
				dst = append(dst, f.out)
			}
		}
	}
	return dst
}

// outlineAt is the ring of the zones being left that is nearest to a place.
func (p *Planner) outlineAt(at space.XY) outline {
	nearest, best := outline{-1, -1}, math.Inf(1)
	for _, id := range p.air.caught {
		p.laws.shapes.edges(id, func(ring int32, u, v space.XY) {
			if m := space.SegmentDist(at, u, v); m < best {
				nearest, best = outline{id, ring}, m
			}
		})
	}
	return nearest
}

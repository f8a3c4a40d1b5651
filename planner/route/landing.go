package route

import (
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is where an aircraft can come down, and what that takes.

const (
	// OpenGroundM is how far from buildings, water and zones to keep out of open
	// ground lies that is landed on.
	OpenGroundM = 5.0
	// OpenGroundReachM is how far off open ground may be that is landed on.
	OpenGroundReachM = 400.0
	// LandingExpansions bounds the search for the way to one landing.
	LandingExpansions = 400

	// sitesTried and openTried are how many sites, and how many places on open
	// ground, one landing is chosen from, openTurns in how many directions they are
	// looked for.
	sitesTried = 4
	openTried  = 4
	openTurns  = 16
)

// Landing is a place where an aircraft can come down lawfully, and what it takes
// to get there from some place.
type Landing struct {
	// Site is the site's id, "" for open ground and for places of the caller's own.
	Site string
	At   space.Position
	// Cost has infinite energy where there is no landing.
	Cost motion.Cost
}

// Possible tells whether there is a landing at all.
func (l Landing) Possible() bool { return !math.IsInf(l.Cost.EnergyWh, 1) }

func noLanding() Landing {
	return Landing{Cost: motion.Cost{Seconds: math.Inf(1), EnergyWh: math.Inf(1)}}
}

// BestLanding is the landing that takes an aircraft at a place the least energy,
// of no more than energyWh, and false if there is none: one of the nearest sites
// that take its kind, one of the places of the caller's own (such as its home),
// or open ground within OpenGroundReachM: straight below, or else a few of the
// nearest places. Each has a lawful way, found by Find within LandingExpansions, and
// no zone forbids to stand there when the aircraft arrives or within ten minutes of
// that.
//
//   - Open ground is on the chart, in none of its waters, in or below no keep-out
//     zone, and OpenGroundM clear of all those and of buildings.
//   - A site that names the kinds it is for takes those, wherever it is; a pad, dock
//     or charger that names nobody takes aircraft unless it lies on water. None does
//     so from inside a building.
//   - A place of the caller's own may lie on water: where an aircraft belongs it may
//     come down.
//
// From within keep-in zones it leads to places in them. How much room a site has is
// not looked at. Vehicles that do not fly have no landing.
func (p *Planner) BestLanding(
	spec *motion.Spec, at space.Position, loadKg, energyWh float64, depart time.Time, own ...space.Position,
) (Landing, bool) {
	s := p.seeker(spec, loadKg, own)
	s.mostWh = energyWh
	best := s.from(at, depart)
	return best, best.Possible()
}

// Landings returns the best landing at each point of a path that an aircraft
// follows from depart on, as told at BestLanding, whatever the energy; one that is
// not Possible where there is none.
func (p *Planner) Landings(
	spec *motion.Spec, path []space.Position, loadKg float64, depart time.Time, own ...space.Position,
) []Landing {
	all := make([]Landing, len(path))
	s := p.seeker(spec, loadKg, own)
	for i, at := range path {
		if i > 0 {
			cost, _ := s.power.Segment(p.xyz(path[i-1]), p.xyz(at), 0)
			depart = time.Unix(0, nanos(depart, cost.Seconds)).UTC()
		}
		all[i] = s.from(at, depart)
	}
	return all
}

// seeker looks for landings of one aircraft with one load: what does not depend on
// the place that it looks from is worked out once.
type seeker struct {
	p     *Planner
	q     Query
	own   []space.Position
	power motion.Flight
	drift drift
	// leastW is no more than what any flight draws, mostWh the energy that there is,
	// and left how many expansions searches may still take.
	leastW, mostWh float64
	left           int
	usable         bool
	// turns are the directions that open ground is looked for in.
	turns [openTurns]space.XY

	// What follows is of the place at hand: where it is, and the best landing so far,
	// which may be open ground.
	start          space.XY
	fromM, groundM float64
	best           Landing
	bestOpen       bool
	// ringM is the ring to be looked at next, found how many places were open.
	ringM float64
	found int
}

// landing is the memory for finding landings.
type landing struct {
	landings, opens []candidate
	sites, about    []int32
	// nearby are the obstacles about the place at hand.
	nearby []int32
	sitesM []float64
	// keepIns are the keep-in zones that hold the place at hand.
	keepIns []int32
	nodes   []node
}

// candidate is a landing that has no way yet, with a lower bound of its energy.
type candidate struct {
	site    *chart.Site
	own     space.Position
	xy      space.XY
	leastWh float64
}

func (p *Planner) seeker(spec *motion.Spec, loadKg float64, own []space.Position) seeker {
	wind := p.windFor(spec)
	s := seeker{
		p: p, q: Query{Spec: *spec, LoadKg: loadKg}, own: own,
		power: spec.In(wind, loadKg), drift: driftOf(wind, spec.CruiseMPS),
		mostWh: math.Inf(1), left: math.MaxInt,
		usable: spec.Kind.Airborne() && spec.Validate() == nil && p.TooWindy(spec) == nil,
	}
	if !s.usable {
		return s
	}
	s.leastW = s.power.LeastW()
	for i := range s.turns {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / openTurns)
		s.turns[i] = space.XY{X: sin, Y: cos}
	}
	return s
}

// from is BestLanding at a place.
func (s *seeker) from(at space.Position, depart time.Time) Landing {
	s.best, s.bestOpen = noLanding(), false
	if !s.usable || !s.p.c.Extent.Contains(at.Point()) {
		return s.best
	}
	s.q.From, s.q.To, s.q.Depart = at, at, depart
	s.begin()
	s.gatherNear(openNearM)
	s.ringM, s.found = openStepM, 0
	if s.open(s.start, s.p.air.nearby) {
		if s.tryOpen(s.start); s.best.Possible() {
			s.found = openTried
		}
	}
	for !s.best.Possible() && s.ringM <= openNearM {
		s.tryRing()
	}
	cands := s.known(s.reachM(s.best.Cost.EnergyWh))
	for s.ringM <= OpenGroundReachM && s.found < openTried {
		boundWh := s.ringWh(s.ringM)
		if cands = s.tryUpTo(cands, boundWh); !s.worth(boundWh) {
			break
		}
		s.tryRing()
	}
	s.tryUpTo(cands, math.Inf(1))
	return s.best
}

// begin takes the place at hand into the frame.
func (s *seeker) begin() {
	p, a := s.p, &s.p.air
	p.departs = s.q.Depart.UnixNano()
	q := s.q
	p.begin(&q)
	s.start, s.fromM, s.groundM = a.start, a.fromM, a.fromGroundM
	a.keepIns = a.keepIns[:0]
	for _, i := range p.laws.keepIns {
		if l := &p.laws.zones[i]; p.binds(l) && p.during(l, p.departs, p.departs) && p.laws.shapes.inside(i, s.start) {
			a.keepIns = append(a.keepIns, i)
		}
	}
}

// worth tells whether a landing that takes at least so much may be better than the
// best, and is within the energy that there is.
func (s *seeker) worth(leastWh float64) bool {
	return leastWh <= s.mostWh && leastWh < s.best.Cost.EnergyWh
}

// asGood tells whether a landing is no worse than the best, which is open ground.
func (s *seeker) asGood(leastWh float64) bool {
	return s.bestOpen && leastWh <= s.mostWh && leastWh <= s.best.Cost.EnergyWh+sameWh
}

// sameWh is by how much costs may differ that count as the same.
const sameWh = 1e-6

// reachM is the length through the air beyond which nothing can be reached with so
// much energy.
func (s *seeker) reachM(energyWh float64) float64 {
	return (min(energyWh, s.mostWh) + sameWh) * secondsPerHour / s.leastW * s.q.Spec.CruiseMPS
}

// leastWh is no more than any way takes to a place so far through the air at some
// altitude, with the ground there.
func (s *seeker) leastWh(airM, altitudeM, groundM float64) float64 {
	return s.p.leastFlight(&s.power, airM, end{s.fromM, s.groundM}, end{max(altitudeM, groundM), groundM}).EnergyWh
}

// ringWh is no more than any way takes to open ground at least so far off.
func (s *seeker) ringWh(r float64) float64 {
	airM := s.drift.least(r)
	switch {
	case r == 0:
		return s.leastWh(0, s.groundM, s.groundM)
	case s.p.c.Terrain == nil:
		return s.leastWh(airM, s.groundM, s.groundM)
	}
	return s.power.LeastLeg(airM, 0, 0).EnergyWh
}

// known collects the sites that are the quickest to reach by the straight line,
// within so far through the air, and the caller's own places, the least energy first.
func (s *seeker) known(reachM float64) []candidate {
	p := s.p
	found := p.air.landings[:0]
	sites := p.fixed.sites[s.q.Spec.Kind]
	for _, i := range s.nearestSites(sites, reachM) {
		at := sites.all[i].site.Position
		airM := s.drift.between(s.start, sites.all[i].xy)
		found = append(found, candidate{site: sites.all[i].site, xy: sites.all[i].xy, leastWh: s.leastWh(airM, at.AltitudeM, sites.all[i].groundM)})
	}
	for _, at := range s.own {
		if !p.c.Extent.Contains(at.Point()) {
			continue
		}
		xy, groundM := p.xy(at), p.groundM(at)
		airM := s.drift.between(s.start, xy)
		if s.mayStand(xy, at.AltitudeM, groundM, airM) {
			found = append(found, candidate{own: at, xy: xy, leastWh: s.leastWh(airM, at.AltitudeM, groundM)})
		}
	}
	slices.SortStableFunc(found, byLeast)
	p.air.landings = found
	return found
}

func byLeast(x, y candidate) int {
	switch {
	case x.leastWh < y.leastWh:
		return -1
	case x.leastWh > y.leastWh:
		return 1
	}
	return 0
}

// tryUpTo looks for the ways to those of the candidates whose bounds are no more than
// so much and that may be better than the best, and returns the others.
func (s *seeker) tryUpTo(cands []candidate, boundWh float64) []candidate {
	for i := range cands {
		c := &cands[i]
		if c.leastWh > boundWh {
			return cands[i:]
		}
		if !s.worth(c.leastWh) && !s.asGood(c.leastWh) {
			return nil
		}
		l := Landing{At: c.own}
		if c.site != nil {
			l = Landing{Site: c.site.ID, At: c.site.Position}
		}
		s.try(l, false)
	}
	return nil
}

// tryRing looks for open ground on the next ring, and for the ways to it, as long as
// there are no more than openTried places.
func (s *seeker) tryRing() {
	p, r := s.p, s.ringM
	s.ringM += max(openStepM, r/4)
	opens := p.air.opens[:0]
	for _, turn := range s.turns {
		xy := s.start.Add(turn.Scale(r))
		ids := p.air.nearby
		if r > openNearM {
			p.around(xy, OpenGroundM)
			ids = p.air.ids
		}
		if !s.open(xy, ids) {
			continue
		}
		groundM := p.c.GroundAltitudeXY(xy)
		opens = append(opens, candidate{xy: xy, leastWh: s.leastWh(s.drift.between(s.start, xy), groundM, groundM)})
		if s.found++; s.found == openTried {
			break
		}
	}
	slices.SortStableFunc(opens, byLeast)
	p.air.opens = opens
	for i := range opens {
		if s.worth(opens[i].leastWh) {
			s.tryOpen(opens[i].xy)
		}
	}
}

const (
	// openStepM is the least distance between two rings, openNearM how far off the
	// obstacles are that are gathered at once.
	openStepM = 8.0
	openNearM = 64.0
)

// gatherNear collects the obstacles that may be in the way of landing within so far.
func (s *seeker) gatherNear(m float64) {
	a := &s.p.air
	s.p.around(s.start, m+OpenGroundM)
	a.nearby = append(a.nearby[:0], a.ids...)
}

func (s *seeker) tryOpen(at space.XY) {
	s.try(Landing{At: s.p.c.Frame.Position(space.XYZ{X: at.X, Y: at.Y, Z: s.p.c.GroundAltitudeXY(at)})}, true)
}

// try looks for the way to a landing, and takes it if it is the best so far; what is not
// open ground is also taken if it is as good.
func (s *seeker) try(l Landing, open bool) {
	q := s.q
	q.To, q.MaxExpansions = l.At, min(LandingExpansions, s.left)
	if q.MaxExpansions <= 0 {
		return
	}
	way, err := s.p.Find(q)
	s.left -= way.Expansions + 1
	if wh := way.Cost.EnergyWh; err == nil && (s.worth(wh) || !open && s.asGood(wh)) {
		s.best, s.bestOpen = l, open
		s.best.Cost = way.Cost
	}
}

// open tells whether a place is open ground that can be come down on from the
// present altitude, now and for some time. The obstacles about it are among the ids.
func (s *seeker) open(at space.XY, ids []int32) bool {
	p := s.p
	if !p.fixed.inner.Contains(at) {
		return false
	}
	groundM := p.c.GroundAltitudeXY(at)
	t0 := p.departs
	t1 := t0 + int64(staysS*1e9)
	about := space.Box{Min: at, Max: at}.Grow(OpenGroundM)
	for _, id := range ids {
		shapes, i := p.shape(id)
		if !shapes.boxes[i].Intersects(about) {
			continue
		}
		if id >= p.firstZone() {
			l := &p.laws.zones[i]
			if l.rule != chart.KeepOut || !p.binds(l) || !overlaps(l, groundM, max(s.fromM, groundM)) || !p.during(l, t0, t1) {
				continue
			}
		}
		if shapes.inside(i, at) || shapes.closer(i, at, at, OpenGroundM) {
			return false
		}
	}
	if !s.keptIn(at) {
		return false
	}
	if len(p.c.Water) == 0 {
		return true
	}
	for _, d := range [...]space.XY{{}, {X: OpenGroundM}, {X: -OpenGroundM}, {Y: OpenGroundM}, {Y: -OpenGroundM}} {
		if _, wet := p.c.WaterAt(at.Add(d)); wet {
			return false
		}
	}
	return true
}

// keptIn tells whether a place is in one of the keep-in zones that hold the place at
// hand, or none does.
func (s *seeker) keptIn(at space.XY) bool {
	in := s.p.air.keepIns
	return len(in) == 0 || slices.ContainsFunc(in, func(i int32) bool { return s.p.laws.shapes.inside(i, at) })
}

// mayStand tells whether no zone forbids the aircraft to be at a place so far off
// through the air when it arrives and for some time from then on.
func (s *seeker) mayStand(at space.XY, altitudeM, groundM, airM float64) bool {
	p := s.p
	altitudeM = max(altitudeM, groundM)
	t0 := p.departs + int64(airM/s.q.Spec.CruiseMPS*1e9)
	for _, id := range p.zonesAt(at) {
		l := &p.laws.zones[id]
		if !l.applies(altitudeM) || !p.binds(l) || !p.during(l, t0, t0+int64(staysS*1e9)) {
			continue
		}
		if l.rule == chart.KeepOut || l.rule == chart.AltitudeLimit && altitudeM > groundM+l.limitM {
			return false
		}
	}
	return s.keptIn(at)
}

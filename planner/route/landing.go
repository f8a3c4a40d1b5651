package route

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is where an aircraft can come down on its way, and what that takes.

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

// landingSite is a site that some aircraft may land at, in the frame.
type landingSite struct {
	xy   space.XY
	site *chart.Site
}

// landing is the memory for finding landings.
type landing struct {
	landings []candidate
	sites    []int32
	sitesM   []float64
}

// candidate is a landing that has no way yet, with a lower bound of its energy.
type candidate struct {
	Landing
	leastWh float64
}

// compileSites collects the sites that are not indoors.
func compileSites(c *chart.Chart) []landingSite {
	var sites []landingSite
	for i := range c.Sites {
		if s := &c.Sites[i]; s.Position.Level == "" {
			sites = append(sites, landingSite{c.Frame.XY(s.Position.Point()), s})
		}
	}
	return sites
}

// takes tells whether a kind of aircraft may land at a site: one that names it,
// or a pad, dock or charger that names nobody.
func takes(s *chart.Site, kind motion.Kind) bool {
	if len(s.Kinds) > 0 {
		return slices.Contains(s.Kinds, string(kind))
	}
	return s.Kind == chart.Pad || s.Kind == chart.Dock || s.Kind == chart.Charger
}

// BestLanding is the landing that takes an aircraft at a place the least energy,
// of no more than energyWh, and false if there is none: one of the nearest sites
// that take its kind, one of the places of the caller's own (such as its home),
// or open ground within OpenGroundReachM: on the chart, in none of its waters, in
// or below no keep-out zone, and OpenGroundM clear of all those and of buildings. Each
// has a lawful way, found by Find within LandingExpansions. How much room a site
// has is not looked at. Vehicles that do not fly have no landing.
func (p *Planner) BestLanding(
	spec *motion.Spec, at space.Position, loadKg, energyWh float64, depart time.Time, own ...space.Position,
) (Landing, bool) {
	best, _ := p.land(&Query{From: at, To: at, Spec: *spec, LoadKg: loadKg, Depart: depart}, energyWh, own)
	return best, best.Possible()
}

// Landings returns the best landing at each point of a path that an aircraft
// follows from depart on, as told at BestLanding, whatever the energy; one that is
// not Possible where there is none.
func (p *Planner) Landings(
	spec *motion.Spec, path []space.Position, loadKg float64, depart time.Time, own ...space.Position,
) []Landing {
	all := make([]Landing, len(path))
	flight := spec.In(p.windFor(spec), loadKg)
	for i, at := range path {
		if i > 0 {
			cost, _ := flight.Segment(p.c.Frame.XYZ(path[i-1]), p.c.Frame.XYZ(at), 0)
			depart = time.Unix(0, nanos(depart, cost.Seconds)).UTC()
		}
		all[i], _ = p.land(&Query{From: at, To: at, Spec: *spec, LoadKg: loadKg, Depart: depart}, math.Inf(1), own)
	}
	return all
}

// Descent is what it takes at the most to land from anywhere on a way.
type Descent struct {
	// Worst is the landing of the place that it takes the most from.
	Worst Landing
	// LackWh is what the battery has too little of, at the place where it lacks the
	// most, to land and keep the spec's reserve; below zero it is what is left over.
	LackWh     float64
	Expansions int
}

// LandingsAlong looks for landings from a way that an aircraft follows from depart
// on with energyWh in its battery. Places are looked at landingStepM apart, and
// what it takes to fly half of that is added.
func (p *Planner) LandingsAlong(
	spec *motion.Spec, way *Route, loadKg, energyWh float64, depart time.Time, own ...space.Position,
) Descent {
	d := Descent{LackWh: math.Inf(-1)}
	flight := spec.In(p.windFor(spec), loadKg)
	look := func(at space.XYZ, seconds, leftWh, addWh float64) {
		q := Query{From: p.c.Frame.Position(at), Spec: *spec, LoadKg: loadKg, Depart: time.Unix(0, nanos(depart, seconds)).UTC()}
		l, used := p.land(&q, math.Inf(1), own)
		l.Cost.EnergyWh += addWh
		d.Expansions += used
		d.LackWh = max(d.LackWh, l.Cost.EnergyWh+spec.ReserveWh()-leftWh)
		if l.Cost.EnergyWh >= d.Worst.Cost.EnergyWh {
			d.Worst = l
		}
	}
	var spent motion.Cost
	for i := range way.Path {
		to := p.c.Frame.XYZ(way.Path[i])
		if i == 0 {
			look(to, 0, energyWh, 0)
			continue
		}
		from := p.c.Frame.XYZ(way.Path[i-1])
		cost, _ := flight.Segment(from, to, way.SpeedsMPS[i-1])
		steps := max(1, math.Ceil(from.Dist(to)/landingStepM))
		for k := 1.0; k <= steps; k++ {
			part := k / steps
			at := space.XYZ{X: from.X + (to.X-from.X)*part, Y: from.Y + (to.Y-from.Y)*part, Z: from.Z + (to.Z-from.Z)*part}
			look(at, spent.Seconds+cost.Seconds*part, energyWh-spent.EnergyWh-cost.EnergyWh*part, cost.EnergyWh/steps/2)
		}
		spent = spent.Add(cost)
	}
	return d
}

// landingStepM is how far apart the places of a leg are that landings are looked
// for from.
const landingStepM = 250.0

// land is BestLanding, with the expansions that it took.
func (p *Planner) land(q *Query, energyWh float64, own []space.Position) (best Landing, used int) {
	best = noLanding()
	if !q.Spec.Kind.Airborne() || q.Spec.Validate() != nil || !p.c.Extent.Contains(q.From.Point()) {
		return best, 0
	}
	for _, c := range p.landingsNear(q, own) {
		if c.leastWh > energyWh || c.leastWh >= best.Cost.EnergyWh {
			break
		}
		to := *q
		to.To, to.MaxExpansions = c.At, LandingExpansions
		way, err := p.Find(to)
		used += way.Expansions + 1
		if err == nil && way.Cost.EnergyWh <= energyWh && way.Cost.EnergyWh < best.Cost.EnergyWh {
			best = c.Landing
			best.Cost = way.Cost
		}
	}
	return best, used
}

// landingsNear collects what is worth trying, the least energy first.
func (p *Planner) landingsNear(q *Query, own []space.Position) []candidate {
	p.departs = q.Depart.UnixNano()
	begun := *q
	p.begin(&begun)
	a := &p.air
	found := a.landings[:0]
	add := func(site string, at space.Position) {
		least := p.LeastCost(&q.Spec, begun.From, at, q.LoadKg)
		found = append(found, candidate{Landing{Site: site, At: at}, least.EnergyWh})
	}
	for _, i := range p.nearestSites(q.Spec.Kind) {
		s := p.fixed.sites[i].site
		add(s.ID, s.Position)
	}
	for _, at := range own {
		if p.c.Extent.Contains(at.Point()) {
			add("", at)
		}
	}
	p.openNear(q, func(at space.XY) {
		add("", p.c.Frame.Position(space.XYZ{X: at.X, Y: at.Y, Z: p.c.GroundAltitudeXY(at)}))
	})
	slices.SortStableFunc(found, func(x, y candidate) int { return cmp.Compare(x.leastWh, y.leastWh) })
	a.landings = found
	return found
}

// nearestSites are the numbers of the sitesTried sites that are the quickest to
// reach by the straight line, the lower number first among equals.
func (p *Planner) nearestSites(kind motion.Kind) []int32 {
	a := &p.air
	a.sites, a.sitesM = a.sites[:0], a.sitesM[:0]
	for i := range p.fixed.sites {
		s := &p.fixed.sites[i]
		if !takes(s.site, kind) {
			continue
		}
		m := a.drift.between(a.start, s.xy)
		if len(a.sites) == sitesTried && m >= a.sitesM[sitesTried-1] {
			continue
		}
		at, _ := slices.BinarySearchFunc(a.sitesM, m, func(x, y float64) int {
			if x <= y {
				return -1
			}
			return 1
		})
		a.sites, a.sitesM = slices.Insert(a.sites, at, int32(i)), slices.Insert(a.sitesM, at, m)
		if len(a.sites) > sitesTried {
			a.sites, a.sitesM = a.sites[:sitesTried], a.sitesM[:sitesTried]
		}
	}
	return a.sites
}

// openNear calls each with places on open ground, ring by ring about the start,
// until there are openTried.
func (p *Planner) openNear(q *Query, each func(space.XY)) {
	from, found := p.air.start, 0
	for r := 0.0; r <= OpenGroundReachM; r += max(8, r/4) {
		for turn := range openTurns {
			to := from
			if r > 0 {
				sin, cos := math.Sincos(2 * math.Pi * float64(turn) / openTurns)
				to = space.XY{X: from.X + r*sin, Y: from.Y + r*cos}
			}
			if p.open(q, to) {
				each(to)
				if found++; found == openTried {
					return
				}
			}
			if r == 0 {
				break
			}
		}
	}
}

// open tells whether a place is open ground that can be come down on from the
// present altitude, now and for some time.
func (p *Planner) open(q *Query, at space.XY) bool {
	if !p.fixed.inner.Contains(at) {
		return false
	}
	groundM := p.c.GroundAltitudeXY(at)
	t0 := q.Depart.UnixNano()
	t1 := nanos(q.Depart, staysS)
	p.around(at, OpenGroundM)
	for _, id := range p.air.ids {
		s, i := p.shape(id)
		if id >= p.firstZone() {
			l := &p.laws.zones[i]
			if l.rule != chart.KeepOut || !p.binds(l) || !overlaps(l, groundM, max(p.air.fromM, groundM)) || !p.during(l, t0, t1) {
				continue
			}
		}
		if s.inside(i, at) || s.closer(i, at, at, OpenGroundM) {
			return false
		}
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

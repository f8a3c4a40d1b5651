package route

import (
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// siteCellM is the side of the cells that sites are found by.
const siteCellM = 250.0

// landingSite is a site in the frame.
type landingSite struct {
	xy      space.XY
	groundM float64
	site    *chart.Site
}

// landingSites are the sites that one kind of aircraft may land at.
type landingSites struct {
	all []landingSite
	ix  *index
}

// compileSites collects the sites that aircraft may land at, by kind: those that take
// the kind, out of doors, and not below the roof of a building.
func compileSites(c *chart.Chart) map[motion.Kind]*landingSites {
	byKind := map[motion.Kind]*landingSites{}
	for _, kind := range [...]motion.Kind{motion.Multirotor, motion.VTOL} {
		sites := &landingSites{}
		var boxes []space.Box
		for i := range c.Sites {
			s := &c.Sites[i]
			xy := c.Frame.XY(s.Position.Point())
			if s.Position.Level == "" && takes(c, s, xy, kind) && !beneath(c, s, xy) {
				sites.all = append(sites.all, landingSite{xy, c.GroundAltitudeXY(xy), s})
				boxes = append(boxes, space.BoxOf(xy))
			}
		}
		sites.ix = newIndex(boxes, siteCellM)
		byKind[kind] = sites
	}
	return byKind
}

// takes tells whether a kind of aircraft may land at a site: one that names it, or a
// pad, dock or charger that names nobody and does not lie on water.
func takes(c *chart.Chart, s *chart.Site, xy space.XY, kind motion.Kind) bool {
	if len(s.Kinds) > 0 {
		return slices.Contains(s.Kinds, string(kind))
	}
	if s.Kind != chart.Pad && s.Kind != chart.Dock && s.Kind != chart.Charger {
		return false
	}
	if _, wet := c.WaterAt(xy); !wet {
		return true
	}
	// What stands in the water is no water.
	_, built := c.BuildingAt(xy)
	return built
}

// beneath tells whether a site lies below the roof of a building.
func beneath(c *chart.Chart, s *chart.Site, xy space.XY) bool {
	altitudeM := max(s.Position.AltitudeM, c.GroundAltitudeXY(xy))
	return slices.ContainsFunc(c.BuildingsIn(space.BoxOf(xy), nil), func(i int32) bool {
		return c.RoofM(i) > altitudeM+roofSlackM && space.InRings(c.Outline(i), xy)
	})
}

// nearestSites are the numbers of the sitesTried sites that are the quickest to reach
// by the straight line, of those within so far through the air at which the aircraft
// may stand, the lower number first among equals.
func (s *seeker) nearestSites(sites *landingSites, reachM float64) []int32 {
	a := &s.p.air
	a.sites, a.sitesM = a.sites[:0], a.sitesM[:0]
	if len(sites.all) == 0 {
		return nil
	}
	// What lies outside the box of a round is further than halfM in each direction.
	for halfM := siteCellM; ; halfM *= 2 {
		box := space.BoxOf(s.start).Grow(halfM)
		s.sitesIn(sites, box, reachM)
		beyondM := s.drift.least(halfM)
		full := len(a.sites) == sitesTried && a.sitesM[sitesTried-1] <= beyondM
		if full || beyondM >= reachM || box.Contains(sites.ix.bounds.Min) && box.Contains(sites.ix.bounds.Max) {
			return a.sites
		}
	}
}

// sitesIn leaves the nearest sites about a box in p.air.sites.
func (s *seeker) sitesIn(sites *landingSites, box space.Box, reachM float64) {
	p, a := s.p, &s.p.air
	a.sites, a.sitesM = a.sites[:0], a.sitesM[:0]
	p.seen.reset(len(sites.all))
	a.about = sites.ix.within(box, &p.seen, a.about[:0])
	slices.Sort(a.about)
	for _, i := range a.about {
		one := &sites.all[i]
		m := s.drift.between(s.start, one.xy)
		if m > reachM || len(a.sites) == sitesTried && m >= a.sitesM[sitesTried-1] {
			continue
		}
		at := one.site.Position
		if !s.mayStand(one.xy, at.AltitudeM, one.groundM, m) {
			continue
		}
		k := len(a.sites)
		for k > 0 && a.sitesM[k-1] > m {
			k--
		}
		if len(a.sites) == sitesTried {
			a.sites, a.sitesM = a.sites[:sitesTried-1], a.sitesM[:sitesTried-1]
		}
		a.sites, a.sitesM = slices.Insert(a.sites, k, i), slices.Insert(a.sitesM, k, m)
	}
}

// roofSlackM is how far below a roof a place may be and count as on it.
const roofSlackM = 0.5

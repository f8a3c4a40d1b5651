package assign

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// landable excludes an aircraft whose battery does not last, from somewhere on a
// way that it takes now, or nil for where it is in the end, to a landing with its
// reserve. One that has a home to go to is not looked at: the way on to there is
// planned, ends in a landing, and leaves the reserve.
func (r *run) landable(way *route.Route) *Exclusion {
	c := r.c
	if c.Home != (space.Position{}) || !c.Spec.Kind.Airborne() {
		return nil
	}
	loadWh := c.EnergyWh - r.used
	if way == nil {
		way = &route.Route{Path: []space.Position{r.at}}
	}
	d := r.p.LandingsAlong(&c.Spec, way, r.loadKg, loadWh, r.t)
	r.offer.Expansions += d.Expansions
	if d.LackWh <= 0 {
		return nil
	}
	x := &Exclusion{Rule: NotLandable, At: d.Worst.At, Object: d.Worst.Site}
	if x.Limit = loadWh; d.Worst.Possible() {
		x.Number = loadWh + d.LackWh
	}
	return x
}

// findLandings sets LandWh, and returns the expansions that it took, which are in
// the offer's.
func (o *Offer) findLandings(p *route.Planner, c *Candidate) int {
	if !c.Spec.Kind.Airborne() {
		return 0
	}
	before := o.Expansions
	var own []space.Position
	if c.Home != (space.Position{}) {
		own = []space.Position{c.Home}
	}
	depart := c.FreeAt
	for i := range o.Routes {
		d := p.LandingsAlong(&c.Spec, &o.Routes[i], c.Spec.MaxLoadKg, math.Inf(1), depart, own...)
		o.LandWh = append(o.LandWh, d.Worst.Cost.EnergyWh)
		o.Expansions += d.Expansions
		depart = o.departsAfter(i)
	}
	return o.Expansions - before
}

// departsAfter is when the way after stop i begins, the time of its work left out.
func (o *Offer) departsAfter(i int) time.Time {
	if i < len(o.Begin) {
		return o.Begin[i]
	}
	return o.Home
}

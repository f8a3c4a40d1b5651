package route

import "math"

// enclosedExpansions is how many expansions are spent to find out from the goal's
// own side that it cannot be reached.
const enclosedExpansions = 2000

// search looks for a way among the obstacles, shorter than boundM: in the layer of
// the flight if there is one, otherwise in the visibility graph. A search that
// does not end soon is interrupted by one from the goal's side: a court among
// high walls is soon explored from within, whereas from without the whole town
// would be.
func (p *Planner) search(boundM float64, straight bool, budget *int) (lengthM float64, ok bool) {
	a := &p.air
	if straight {
		*budget--
		a.sight.straight(a.start, a.goal)
		id, _ := p.blocked(0, 1, a.start, a.goal, 0)
		a.sight.spots[1].lastM, a.held = a.lastM-a.lagM, a.lagM > 0
		return a.drift.between(a.start, a.goal) + a.lagM, id < 0 && *budget >= 0
	}
	// A way that would come too late need not be looked for.
	boundM = min(boundM, a.withinM)
	lengthM, ok, said := p.inLayer(boundM, budget)
	switch said {
	case decided:
		return lengthM, ok
	case open:
		// The goal is not enclosed.
		return a.sight.search(p, a.start, a.goal, boundM, budget)
	case nothing:
	}
	first := min(*budget, ShareExpansions)
	left := first
	lengthM, ok = a.sight.search(p, a.start, a.goal, boundM, &left)
	*budget -= first - left
	if left >= 0 || *budget < 0 {
		return lengthM, ok
	}
	if p.enclosed(budget) {
		return 0, false
	}
	return a.sight.search(p, a.start, a.goal, boundM, budget)
}

// enclosed tells whether, at the height of the flight, no way leads from the goal
// to the start even without the zones that come or go meanwhile. False says nothing.
func (p *Planner) enclosed(budget *int) bool {
	a := &p.air
	most := min(*budget, enclosedExpansions)
	left := most
	a.start, a.goal, a.timeless = a.goal, a.start, true
	p.collectBeside(a.start)
	_, ok := a.sight.search(p, a.start, a.goal, math.Inf(1), &left)
	a.start, a.goal, a.timeless = a.goal, a.start, false
	p.collectBeside(a.start)
	*budget -= most - left
	return !ok && left >= 0
}

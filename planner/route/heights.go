package route

import (
	"cmp"
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// chooseHeights collects the cruise altitudes worth trying, the quickest first.
func (p *Planner) chooseHeights(q *Query) {
	a := &p.air
	a.heights = a.heights[:0]
	if a.afloat {
		a.heights = append(a.heights, height{})
		return
	}
	if a.relief {
		p.chooseAbove(q)
		return
	}
	limitM := a.limitM
	lowest, highest := a.groundM+min(MinCruiseM, limitM), a.groundM+limitM
	add := func(z float64) {
		if z >= lowest && z <= highest && len(a.heights) < maxHeights {
			a.heights = append(a.heights, height{z: z})
		}
	}
	p.limitsAt(&lowest)
	for _, h := range [...]float64{MinCruiseM, 60, 80, 100, limitM} {
		add(a.groundM + h)
	}
	add(lowest)
	add(a.fromM)
	add(a.toM)
	for _, at := range [2]space.XY{a.start, a.goal} {
		p.around(at, 0)
		for _, id := range a.ids {
			if id < p.firstWater() && p.fixed.buildings.inside(id, at) {
				add(p.fixed.roofM[id] + RoofClearanceM)
			}
		}
	}
	p.around2(a.start, a.goal, ClearanceM)
	for _, id := range a.ids {
		i := id - p.firstZone()
		if i < 0 || !p.binds(&p.laws.zones[i]) {
			continue
		}
		switch l := &p.laws.zones[i]; l.rule {
		case chart.AltitudeLimit:
			add(a.groundM + l.limitM - LimitMarginM)
		case chart.KeepOut, chart.SpeedLimit:
			add(l.floorM - RoofClearanceM)
			add(l.ceilingM + RoofClearanceM)
		}
	}
	p.sortHeights(q)
}

// limitsAt lowers the least cruise altitude to the limits where start and goal
// lie, since there is no flying there otherwise.
func (p *Planner) limitsAt(lowest *float64) {
	a := &p.air
	for _, at := range [2]space.XY{a.start, a.goal} {
		for _, id := range p.zonesAt(at) {
			l := &p.laws.zones[id]
			if l.rule == chart.AltitudeLimit && p.binds(l) && l.limitM-LimitMarginM >= LowestCruiseM {
				*lowest = min(*lowest, a.groundM+l.limitM-LimitMarginM)
			}
		}
	}
}

func (p *Planner) sortHeights(q *Query) {
	a := &p.air
	straight := a.drift.between(a.start, a.goal)
	for i := range a.heights {
		a.heights[i].boundS = p.secondsAt(q, a.heights[i].z, straight)
	}
	slices.SortFunc(a.heights, func(x, y height) int {
		return cmp.Or(cmp.Compare(x.boundS, y.boundS), cmp.Compare(x.z, y.z))
	})
	a.heights = slices.CompactFunc(a.heights, func(x, y height) bool { return x.z == y.z })
}

// secondsAt is what a cruise of lengthM at altitude z takes with its columns;
// over terrain it is a lower bound of that.
func (p *Planner) secondsAt(q *Query, z, lengthM float64) float64 {
	a := &p.air
	up, down := p.columns(z)
	climb := max(0, up-a.fromM) + max(0, a.toM-down)
	descent := max(0, a.fromM-up) + max(0, down-a.toM)
	return a.price(a.power.Leg(lengthM, climb, descent))
}

// columns is where the column over the start ends and the one over the goal
// begins; over terrain, as far as start and goal alone demand it.
func (p *Planner) columns(z float64) (up, down float64) {
	a := &p.air
	if !a.relief {
		return z, z
	}
	return clamp(a.fromM, a.fromGroundM+z, a.fromGroundM+a.limitM), clamp(a.toM, a.toGroundM+z, a.toGroundM+a.limitM)
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

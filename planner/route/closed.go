package route

import (
	"strconv"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// This file is what closed streets mean for rovers.

// wayName is a way of OpenStreetMap as the object of a refusal.
func wayName(way int64) string { return "way/" + strconv.FormatInt(way, 10) }

// free tells whether a node is outside the zones that the start is caught in, and
// has a way on that is not closed.
func (p *Planner) free(node int32) bool {
	g := &p.c.Ground
	for _, id := range p.ground.caught {
		if p.laws.shapes.inside(id, g.Nodes[node].XY) {
			return false
		}
	}
	if len(p.closed) == 0 {
		return true
	}
	for i := g.First[node]; i < g.First[node+1]; i++ {
		if g.Arcs[i].Profiles&p.ground.profile != 0 && !p.closed[g.Arcs[i].WayID] {
			return true
		}
	}
	return false
}

// shutIn tells whether all streets are closed that lead on from a place on one.
func (p *Planner) shutIn(at *chart.Snapped) bool {
	if len(p.closed) == 0 {
		return false
	}
	if node := p.nodeAt(at); node >= 0 {
		return !p.free(node)
	}
	return p.closed[p.c.Ground.Arcs[at.Arc].WayID]
}

// shut tells whether an arc may not be entered: it is not for the vehicle, or its
// way is closed. A rover that stands on a closed way leaves along closed ways.
func (p *Planner) shut(arc *chart.Arc) bool {
	d := &p.ground
	if arc.Profiles&d.profile == 0 {
		return true
	}
	if d.escaping || !p.closed[arc.WayID] {
		return false
	}
	if d.closedBy == 0 {
		d.closedBy = arc.WayID
	}
	return true
}

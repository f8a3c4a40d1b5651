package route

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// This file is zones over the goal that come into force while the vehicle may be on
// its way: it must be there before, or does not get there at all.

// closing finds the zone over the goal that closes it first, for as long as any
// flight lasts, and sets how long a way may be to arrive before that. a.closes is -1
// where nothing closes the goal.
func (p *Planner) closing() {
	a := &p.air
	a.closes, a.withinM = -1, math.Inf(1)
	// Energy is no matter of time.
	if !p.laws.timed || a.leaves || a.levelW != 0 {
		return
	}
	for _, id := range p.zonesAt(a.goal) {
		l := &p.laws.zones[id]
		closed := l.rule == chart.KeepOut || l.rule == chart.AltitudeLimit
		if !closed || !l.timed() || !p.binds(l) || !p.forbids(l, a.toGroundM, a.toGroundM) {
			continue
		}
		from, ok := p.closedFrom(l)
		if !ok {
			continue
		}
		if m := (float64(from-a.departed)/1e9 - LateS) * a.speed; m < a.withinM {
			a.closes, a.withinM = id, m
		}
	}
}

// closedFrom is from when on a zone is in force until no flight lasts any longer.
func (p *Planner) closedFrom(l *law) (from int64, ok bool) {
	a := &p.air
	switch {
	case l.until <= a.latest || l.from > a.latest:
		return 0, false
	case l.scheduled == nil:
		return l.from, true
	}
	for _, s := range p.forceOf(l, a.departed, a.latest).times {
		if s.from <= a.latest && a.latest < s.until {
			return max(s.from, l.from), true
		}
	}
	return 0, false
}

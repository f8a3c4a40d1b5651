package sim

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// PlannedConditions are what a dispatcher tells Kapok of wind and closed streets at
// a time of the run.
type PlannedConditions struct {
	At    time.Duration
	Order api.ConditionsOrder
}

// planConditions are all that is told: what is so at the start, if there is
// anything, and each change.
func planConditions(s *scenario.Scenario) []PlannedConditions {
	var all []PlannedConditions
	for i, w := range s.Conditions.Over() {
		if i == 0 && w.Calm() {
			continue
		}
		o := api.ConditionsOrder{Wind: api.Wind{SpeedMPS: w.WindMPS, FromDeg: w.WindFromDeg, GustMPS: w.GustMPS}, Reason: byScenario}
		for _, way := range w.Closed {
			o.Closures = append(o.Closures, api.Closure{Way: way})
		}
		all = append(all, PlannedConditions{At: w.At.D(), Order: o})
	}
	return all
}

// weather puts what a dispatcher tells of the conditions into the queue. What was
// not answered when there is newer news is not told any more.
func (p *people) weather() {
	newest := 0
	for n, c := range planConditions(&p.w.scenario) {
		p.w.after(c.At, func() {
			newest = n
			it := p.post("dispatcher", fmt.Sprintf("dispatcher PUT /v1/conditions conditions-%d", n+1), fleet.SetConditions{Order: c.Order}, func(a fleet.Answer) {
				if a.Problem != nil {
					p.refused = append(p.refused, fmt.Sprintf("conditions %d: %s: %s", n+1, a.Problem.Code, a.Problem.Detail))
				}
			})
			if it != nil {
				it.stale = func() bool { return newest > n }
			}
		})
	}
}

// liveStreets tells the checker which streets are closed from now on.
func (w *world) liveStreets() {
	if !w.backend.up() {
		return
	}
	var closed []int64
	if c := w.backend.core.Fleet().State().Durable.Conditions; c != nil {
		for i := range c.Closures {
			closed = append(closed, c.Closures[i].Way)
		}
	}
	w.jury.streets.SetClosed(w.time(), closed)
}

package sim

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/fault"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// What a run against a running backend takes over from one in virtual time.

// PlannedOutage is an outage of the link of one vehicle, counted from 0 over all
// fleets.
type PlannedOutage struct {
	Vehicle int
	At, For time.Duration
}

// RandomOutages draws the outages at random of a scenario, the same as a run in
// virtual time meets with.
func RandomOutages(s scenario.Scenario) []PlannedOutage {
	draw := chance(s.Seed, chanceTroubles)
	count := 0
	for i := range s.Fleets {
		count += s.Fleets[i].Count
	}
	var all []PlannedOutage
	for range s.Network.Random {
		o := PlannedOutage{Vehicle: draw.IntN(count), At: time.Duration(draw.Int64N(int64(s.Duration)))}
		o.For = min(spans(draw, s.Network.RandomFor), s.Duration.D()-o.At)
		all = append(all, o)
	}
	return all
}

// LineOf is what the links of a scenario are like.
func LineOf(n *scenario.Network) fault.Line { return lineOf(n) }

// Centre is the middle of an area that a scenario names, as the end of an order is
// named; false when there is no such place on the chart.
func Centre(s scenario.Scenario, place scenario.Placement, area *scenario.Circle) (space.XY, bool) {
	plans := newDraw(&s, place.Chart, place.Endpoints)
	stop := plans.named(area.At)
	return plans.position(&stop)
}

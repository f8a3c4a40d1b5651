package sim

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// Plan is what people do in a run that is known beforehand, drawn from the
// scenario's seed.
type Plan struct {
	Orders    []PlannedOrder
	Incidents []PlannedIncident
	Zones     []PlannedZone
	// Conditions are what is told of wind and closed streets, in order of time.
	Conditions []PlannedConditions
}

// PlannedZone is a zone that will be made at a time of the run.
type PlannedZone struct {
	At time.Duration
	// For is how long it is in force, 0 to the end.
	For   time.Duration
	Order api.ZoneOrder
}

// NewPlan draws what people do, on a chart where scenario.Place gave the
// endpoints. Zones that are to lie across routes are not among it, as nobody
// knows the routes; the names of these are in left.
func NewPlan(s scenario.Scenario, place scenario.Placement) (plan Plan, left []string) {
	draw := newDraw(&s, place.Chart, place.Endpoints)
	plan = draw.plan()
	plan.Conditions = planConditions(&s)
	if err := checkDemand(&s); err != nil {
		left = append(left, err.Error())
	}
	for i := range s.Zones {
		z := &s.Zones[i]
		ring, ok := draw.ringOf(z)
		if !ok {
			left = append(left, fmt.Sprintf("zone %s", z.Name))
			continue
		}
		plan.Zones = append(plan.Zones, PlannedZone{At: z.At.D(), For: z.For.D(), Order: orderOf(z, ring)})
	}
	return plan, left
}

// newDraw is what a run's orders and incidents are drawn from.
func newDraw(s *scenario.Scenario, c *chart.Chart, endpoints []scenario.Endpoint) orderPlan {
	return orderPlan{scenario: s, chart: c, endpoints: endpoints}
}

// plan draws orders and incidents, each from a source of its own.
func (p *orderPlan) plan() Plan {
	p.rand = chance(p.scenario.Seed, chanceOrders)
	orders := p.planOrders()
	p.rand = chance(p.scenario.Seed, chanceIncidents)
	incidents := p.planIncidents()
	orders, incidents = p.demand(orders, incidents)
	return Plan{Orders: orders, Incidents: incidents}
}

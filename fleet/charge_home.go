package fleet

import (
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Aircraft come home from work with the reserve and with what the flight from there to
// the nearest charger takes, so that no flight needs the reserve. Emergencies alone may
// leave them with less; then the flight to the charger uses it.

// fromHome is what the flight from a home to the nearest charger takes, and what it
// was reckoned with.
type fromHome struct {
	home space.Position
	// age is the world's.
	age      uint64
	energyWh float64
}

// keepForCharger raises the reserve of a candidate for work by the flight from its
// home to a charger.
func (f *Fleet) keepForCharger(v *Vehicle, c *assign.Candidate) {
	if !v.Spec.Kind.Airborne() || !v.HomeKnown || c.Spec.ReserveRatio == 0 || c.Spec.BatteryWh <= 0 {
		return
	}
	k := f.index.of(v.ID)
	if now := (fromHome{v.Home, f.worldAge, k.charge.energyWh}); k.charge != now {
		now.energyWh = f.toChargerWh(v)
		k.charge = now
	}
	c.Spec.ReserveRatio = min(c.Spec.ReserveRatio+k.charge.energyWh/c.Spec.BatteryWh, 1)
}

// toChargerWh is what the flight from a vehicle's home to the nearest charger takes,
// 0 where there is none or it stands there.
func (f *Fleet) toChargerWh(v *Vehicle) float64 {
	site, ok := f.nearestCharger(v.Spec.Kind, v.Home)
	if !ok || space.Distance(site, v.Home) < atHomeM {
		return 0
	}
	way, err := f.world.Find(route.Query{From: v.Home, To: site, Spec: v.Spec, Depart: f.now, MaxExpansions: f.config.ExpansionsPerStep})
	f.budget -= way.Expansions
	if err != nil {
		return f.world.LeastCost(&v.Spec, v.Home, site, 0).EnergyWh
	}
	return way.Cost.EnergyWh
}

// atHomeM is how near to a home a charger is the home's own.
const atHomeM = 1.0

// nearestCharger is the charger that is nearest to a place.
func (f *Fleet) nearestCharger(kind motion.Kind, at space.Position) (nearest space.Position, ok bool) {
	least := 0.0
	for i := range f.chart.Sites {
		s := &f.chart.Sites[i]
		if s.Kind != chart.Charger || !serves(s, kind) {
			continue
		}
		if m := space.Distance(at, s.Position); !ok || m < least {
			nearest, least, ok = s.Position, m, true
		}
	}
	return nearest, ok
}

package fleet_test

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// weather lets the wind change and streets close and open.
func (l *life) weather() {
	if l.chance.IntN(60) != 0 {
		return
	}
	o := api.ConditionsOrder{Wind: api.Wind{FromDeg: float64(l.chance.IntN(361))}}
	switch l.chance.IntN(4) {
	case 0:
	case 1:
		o.Wind.SpeedMPS, o.Wind.GustMPS = 30*l.chance.Float64(), 10*l.chance.Float64()
	default:
		o.Wind.SpeedMPS, o.Wind.GustMPS = 9*l.chance.Float64(), 4*l.chance.Float64()
	}
	arcs := l.chart.Ground.Arcs
	named := map[int64]bool{}
	for range l.chance.IntN(4) {
		way := arcs[l.chance.IntN(len(arcs))].WayID
		if way == 0 || named[way] {
			continue
		}
		named[way] = true
		c := api.Closure{Way: way}
		if l.chance.IntN(2) == 0 {
			c.Until = l.now.Add(time.Duration(10+l.chance.IntN(200)) * time.Second)
		}
		o.Closures = append(o.Closures, c)
	}
	l.ask(fleet.SetConditions{Order: o})
}

// stillAir ends the wind and all closures.
func (l *life) stillAir() { l.ask(fleet.SetConditions{}) }

package sim

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

const (
	// fuzzWindMPS is the most wind that flights are planned in: a metre a second
	// below the cruise of the simulated drones. fuzzGustsMPS is the most with its
	// gusts, their greatest speed.
	fuzzWindMPS  = 14
	fuzzGustsMPS = 20
	// mildMPS is the wind in which the liveness phase has to finish all work.
	mildMPS = 6
)

// drawWeather draws wind in two thirds of the scenarios, which changes in most of
// these and is a storm for a while in some, and closed streets in half of those with robots. With the safety phase the
// wind dies down, and the streets are open again.
func (d *fuzz) drawWeather() {
	r := d.part(fuzzWeather)
	c := &d.scenario.Conditions
	windy := r.IntN(3) > 0
	if windy {
		c.WindMPS, c.WindFromDeg, c.GustMPS = gale(r)
		for range r.IntN(4) {
			mps, from, gust := gale(r)
			c.Changes = append(c.Changes, scenario.WeatherChange{At: d.when(r, 0.02, 0.9), WindMPS: &mps, WindFromDeg: &from, GustMPS: &gust})
		}
		if r.IntN(6) == 0 {
			d.storm(r, c)
		}
	}
	if d.kinds["rover"] > 0 && r.IntN(2) == 0 {
		d.closeStreets(r, c)
	}
	slices.SortStableFunc(c.Changes, func(a, b scenario.WeatherChange) int { return int(a.At - b.At) })
	over := scenario.WeatherChange{At: scenario.Duration(d.lasts)}
	if last := c.At(over.At); last.WindMPS > mildMPS || last.GustMPS > mildMPS/2 {
		mps, gust := min(last.WindMPS, mildMPS), min(last.GustMPS, mildMPS/2)
		over.WindMPS, over.GustMPS = &mps, &gust
	}
	if over.OpenWays = c.At(over.At).Closed; over.WindMPS != nil || len(over.OpenWays) > 0 {
		c.Changes = append(c.Changes, over)
	}
}

// storm draws a while in which no flight is planned, and those under way end.
func (d *fuzz) storm(r *rand.Rand, c *scenario.Conditions) {
	at := d.when(r, 0.1, 0.8)
	mps, gust, after, little := round(fuzzWindMPS+4*r.Float64()), round(2*r.Float64()), round(mildMPS*r.Float64()), 1.0
	c.Changes = append(c.Changes,
		scenario.WeatherChange{At: at, WindMPS: &mps, GustMPS: &gust},
		scenario.WeatherChange{At: at + d.lasting(r, at, 20*time.Second, d.lasts/4), WindMPS: &after, GustMPS: &little})
}

// gale draws a wind that drones may fly in, weak ones more often than strong ones.
func gale(r *rand.Rand) (mps, fromDeg, gustMPS float64) {
	share := r.Float64()
	mps = round(fuzzWindMPS * share * share)
	return mps, float64(r.IntN(360)), round(r.Float64() * min(fuzzGustsMPS-mps, mps/2+3))
}

// closeStreets draws streets that are closed from the start or during the run, some
// of which are opened again.
func (d *fuzz) closeStreets(r *rand.Rand, c *scenario.Conditions) {
	var ways []int64
	for i := range d.chart.Ground.Arcs {
		if a := &d.chart.Ground.Arcs[i]; a.Profiles&chart.Sidewalk != 0 && a.WayID != 0 {
			ways = append(ways, a.WayID)
		}
	}
	slices.Sort(ways)
	ways = slices.Compact(ways)
	r.Shuffle(len(ways), func(i, j int) { ways[i], ways[j] = ways[j], ways[i] })
	ways = ways[:min(len(ways), 1+r.IntN(8))]
	at := d.when(r, 0.02, 0.8)
	switch {
	case r.IntN(3) == 0:
		c.ClosedWays = ways
	default:
		c.Changes = append(c.Changes, scenario.WeatherChange{At: at, CloseWays: ways})
	}
	if r.IntN(2) == 0 {
		back := at + d.lasting(r, at, 30*time.Second, d.lasts/2)
		c.Changes = append(c.Changes, scenario.WeatherChange{At: back, OpenWays: ways[:1+r.IntN(len(ways))]})
	}
}

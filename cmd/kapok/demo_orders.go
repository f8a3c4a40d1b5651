package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

const (
	// Every urgentEvery-th order is an urgent visit, every heavyEvery-th delivery
	// too heavy for a drone.
	urgentEvery = 9
	heavyEvery  = 5
	// Deliveries are at least nearM far, at most lightWithinM, and those for robots
	// alone at most heavyWithinM.
	nearM        = 80
	lightWithinM = 1000
	heavyWithinM = 250
	// Orders start within these distances of the home of a drone or a robot, so
	// that a demonstration of minutes sees work done in the largest city.
	droneWithinM = 800
	robotWithinM = 250
	// demoWorkS is the work at each stop.
	demoWorkS = 8
	// repeatAfter is the pause before an unanswered order is repeated.
	repeatAfter = 300 * time.Millisecond
	// sameSpotM is how far a place may be from the street for an order to name
	// it instead of the spot on the street in front of it.
	sameSpotM = 10
)

// demoOrder is an order as its dispatcher remembers it.
type demoOrder struct {
	task string
	// at is when it was answered, promised what the answer said; zero for no
	// promise yet.
	at, promised time.Time
}

// keepOrdering orders at a steady pace until ctx ends. An order that was begun
// is repeated until it is answered, with its key, so that none is given twice.
func (d *demo) keepOrdering(ctx context.Context) {
	draw := rand.New(rand.NewPCG(d.flags.seed, 0x6f7264657273))
	ticker := time.NewTicker(max(d.backend.clock.wall(d.flags.every), time.Millisecond))
	defer ticker.Stop()
	run := newKey()
	for n := 1; ; n++ {
		d.order(ctx, fmt.Sprintf("%s-%d", run, n), d.drawn(draw, n))
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// order posts one order until there is an answer.
func (d *demo) order(ctx context.Context, key string, order api.Order) {
	for {
		task, err := d.client.Order(context.WithoutCancel(ctx), key, order)
		problem, refused := errors.AsType[*client.ProblemError](err)
		switch {
		case err == nil:
			d.mu.Lock()
			d.orders = append(d.orders, demoOrder{task.ID, d.backend.clock.now(), task.PromisedAt})
			d.mu.Unlock()
			return
		case refused && problem.Status < 500:
			d.mu.Lock()
			d.refused = append(d.refused, problem.Error())
			d.mu.Unlock()
			return
		}
		pause := time.NewTimer(repeatAfter)
		select {
		case <-ctx.Done():
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// drawn is the n-th order: a delivery between two places, or a visit to one. What
// a drone can carry goes between places where drones can land, as far as there
// are such.
func (d *demo) drawn(draw *rand.Rand, n int) api.Order {
	heavy := n%heavyEvery == 0 && d.flags.robots > 0
	urgent := n%urgentEvery == 0
	light := !heavy && !urgent
	ends, open := d.reachable(light)
	from := d.source(draw, ends, light)
	if urgent {
		return api.Order{
			Kind: "visit", Priority: "urgent", Note: "look at " + from.Name, Stops: []api.OrderStop{d.stop(&from, open)},
		}
	}
	within, load := float64(lightWithinM), float64(5+draw.IntN(36))/10
	if heavy {
		load = float64(8 + draw.IntN(13))
	}
	if heavy || !open {
		within = heavyWithinM
	}
	to := d.partner(draw, ends, &from, within)
	return api.Order{
		Kind: "delivery", Priority: "routine", LoadKg: load, Note: from.Name + " → " + to.Name,
		Stops: []api.OrderStop{d.stop(&from, open), d.stop(&to, open)},
	}
}

// leastOpen is how many places for drones there must be for orders to keep to
// them.
const leastOpen = 8

// reachable are the endpoints that the vehicles of this run can use. With light,
// they are those that drones can use too, and open is true, where the chart has
// enough of them.
func (d *demo) reachable(light bool) (ends []scenario.Endpoint, open bool) {
	var both []scenario.Endpoint
	for _, e := range d.place.Endpoints {
		if d.flags.robots > 0 && !e.Ground || d.flags.robots == 0 && !e.Air {
			continue
		}
		ends = append(ends, e)
		if e.Air {
			both = append(both, e)
		}
	}
	if light && d.flags.drones > 0 && len(both) >= leastOpen {
		return both, true
	}
	if len(ends) == 0 {
		ends = d.place.Endpoints
	}
	return ends, d.flags.robots == 0
}

// source draws a place near the home of a vehicle that could go; after many
// tries it takes the nearest of them.
func (d *demo) source(draw *rand.Rand, ends []scenario.Endpoint, light bool) scenario.Endpoint {
	frame := d.place.Chart.Frame
	best, bestM := ends[0], math.Inf(1)
	for range 200 {
		e := ends[draw.IntN(len(ends))]
		at := frame.XY(e.Position.Point())
		far := math.Inf(1)
		for i, within := range [...]float64{droneWithinM, robotWithinM} {
			if i == 0 && !light && d.flags.robots > 0 || i >= len(d.place.Homes) {
				continue
			}
			for _, home := range d.place.Homes[i] {
				far = min(far, frame.XY(home.Position.Point()).Dist(at)/within)
			}
		}
		if far <= 1 {
			return e
		}
		if far < bestM {
			best, bestM = e, far
		}
	}
	return best
}

// partner draws another place that is neither too near nor too far; after many
// tries it takes the nearest of them.
func (d *demo) partner(draw *rand.Rand, ends []scenario.Endpoint, from *scenario.Endpoint, withinM float64) scenario.Endpoint {
	frame := d.place.Chart.Frame
	at := frame.XY(from.Position.Point())
	best, bestM := *from, math.Inf(1)
	for range 200 {
		e := ends[draw.IntN(len(ends))]
		far := frame.XY(e.Position.Point()).Dist(at)
		if far < nearM {
			continue
		}
		if far <= withinM {
			return e
		}
		if far < bestM {
			best, bestM = e, far
		}
	}
	return best
}

// stop names a site or place that is on the street or, for those on wheels, near
// it; and else gives the spot on the street in front of it, where drones have
// room to land.
func (d *demo) stop(e *scenario.Endpoint, open bool) api.OrderStop {
	c := d.place.Chart
	spot := c.Frame.XY(e.Position.Point())
	near := float64(sameSpotM)
	if open {
		near = 1
	}
	for i := range c.Sites {
		if s := &c.Sites[i]; s.ID == e.ID && c.Frame.XY(s.Position.Point()).Dist(spot) <= near {
			return api.OrderStop{Site: e.ID, WorkS: demoWorkS}
		}
	}
	for i := range c.Places {
		if p := &c.Places[i]; p.ID == e.ID && c.Frame.XY(p.Position.Point()).Dist(spot) <= near {
			return api.OrderStop{Place: e.ID, WorkS: demoWorkS}
		}
	}
	return api.OrderStop{Position: &api.Position{Lon: e.Position.Lon, Lat: e.Position.Lat, Level: e.Position.Level}, WorkS: demoWorkS}
}

package sim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// PlannedOrder is an order that will be given at a time of the run.
type PlannedOrder struct {
	// Name is for assertions, empty for none.
	Name  string
	At    time.Duration
	Order api.Order
	// CancelAfter is how long after At it is cancelled, 0 for never.
	CancelAfter time.Duration
}

// planOrders draws all orders of a scenario from its seed: the timed ones first,
// then each stream in order of time.
func (p *orderPlan) planOrders() []PlannedOrder {
	s := p.scenario
	var out []PlannedOrder
	for i := range s.Orders.Timed {
		o := &s.Orders.Timed[i]
		planned := PlannedOrder{Name: o.Name, At: o.At.D(), Order: p.timed(o)}
		if o.CancelAfter != nil {
			planned.CancelAfter = max(o.CancelAfter.D(), 1)
		}
		out = append(out, planned)
	}
	for i := range s.Orders.Stream {
		st := &s.Orders.Stream[i]
		next := pace(p.rand, st.PerMinute, st.Count, st.From, min(st.Until, s.Duration))
		for at, ok := next(); ok && len(out) < scenario.MaxOrders; at, ok = next() {
			out = append(out, PlannedOrder{At: at, Order: p.drawn(st)})
		}
	}
	return out
}

// pace gives the times of what happens at random, one after another, and false
// after the last: those of a Poisson process, or just so many of them.
func pace(r *rand.Rand, perMinute float64, count int, from, until scenario.Duration) func() (time.Duration, bool) {
	at := from.D()
	if count == 0 {
		return func() (time.Duration, bool) {
			at += time.Duration(r.ExpFloat64() / perMinute * float64(time.Minute))
			return at, at < until.D()
		}
	}
	times := make([]time.Duration, count)
	for i := range times {
		times[i] = at + time.Duration(r.Float64()*float64(until.D()-at))
	}
	slices.Sort(times)
	return func() (time.Duration, bool) {
		if len(times) == 0 {
			return 0, false
		}
		next := times[0]
		times = times[1:]
		return next, true
	}
}

// orderPlan is what orders and incidents are drawn from: the endpoints are those
// that scenario.Place gave.
type orderPlan struct {
	scenario  *scenario.Scenario
	chart     *chart.Chart
	endpoints []scenario.Endpoint
	rand      *rand.Rand
	// usables are the lists that usable has made, by what they are for.
	usables map[[3]bool][]scenario.Endpoint
}

// timed is the order of a scenario's list.
func (p *orderPlan) timed(o *scenario.TimedOrder) api.Order {
	out := api.Order{
		Kind: o.Kind, Priority: o.Priority, Rank: o.Rank, Laps: o.Laps, LoadKg: o.LoadKg,
		Capabilities: o.Capabilities, VehicleKinds: o.VehicleKinds,
	}
	for _, name := range o.Stops {
		out.Stops = append(out.Stops, p.stop(p.named(name), o.WorkS))
	}
	if len(out.Stops) == 0 {
		out.Stops = p.drawnStops(o.Kind, o.VehicleKinds, o.WorkS, 0, o.Between)
	}
	return out
}

// named finds an endpoint by its id, its number or its coordinates. What is not
// found becomes a site of that name, which the backend knows or refuses.
func (p *orderPlan) named(name string) api.OrderStop {
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "@")); err == nil && strings.HasPrefix(name, "@") && n >= 1 && n <= len(p.endpoints) {
		return stopAt(p.endpoints[n-1].Position)
	}
	for i := range p.endpoints {
		if p.endpoints[i].ID == name {
			return stopAt(p.endpoints[i].Position)
		}
	}
	if slices.ContainsFunc(p.chart.Places, func(place chart.Place) bool { return place.ID == name }) {
		return api.OrderStop{Place: name}
	}
	if lon, lat, ok := strings.Cut(name, ","); ok {
		x, errX := strconv.ParseFloat(strings.TrimSpace(lon), 64)
		y, errY := strconv.ParseFloat(strings.TrimSpace(lat), 64)
		if errX == nil && errY == nil {
			return api.OrderStop{Position: &api.Position{Lon: x, Lat: y}}
		}
	}
	return api.OrderStop{Site: name}
}

func stopAt(at space.Position) api.OrderStop {
	z := at.AltitudeM
	return api.OrderStop{Position: &api.Position{Lon: at.Lon, Lat: at.Lat, AltitudeM: &z, Level: at.Level}}
}

func (p *orderPlan) stop(s api.OrderStop, workS float64) api.OrderStop {
	s.WorkS = workS
	return s
}

// drawn is an order of a stream.
func (p *orderPlan) drawn(s *scenario.Stream) api.Order {
	o := api.Order{
		Kind:         share(p.rand, s.Mix, []string{"visit", "delivery", "patrol"}),
		Priority:     share(p.rand, s.Priorities, []string{"emergency", "urgent", "routine"}),
		VehicleKinds: s.VehicleKinds,
	}
	if o.Kind == "delivery" {
		o.LoadKg = float64(int(between(p.rand, s.LoadKg)*10)) / 10
	}
	o.Stops = p.drawnStops(o.Kind, s.VehicleKinds, s.WorkS, s.MaxDistanceM, s.Between)
	return o
}

// drawnStops picks endpoints: one for a visit, two for a delivery, three for a
// patrol; each next one within the distance of the first where there is one.
func (p *orderPlan) drawnStops(kind string, vehicleKinds []string, workS, withinM float64, between string) []api.OrderStop {
	ends := p.usable(vehicleKinds, between)
	if len(ends) == 0 {
		return nil
	}
	frame := p.chart.Frame
	first := ends[p.rand.IntN(len(ends))]
	picked := []scenario.Endpoint{first}
	for len(picked) < map[string]int{"visit": 1, "delivery": 2, "patrol": 3}[kind] {
		fits := func(end *scenario.Endpoint) bool {
			far := frame.XY(end.Position.Point()).Dist(frame.XY(first.Position.Point()))
			return far > 20 && (withinM == 0 || far <= withinM)
		}
		next := ends[p.rand.IntN(len(ends))]
		for range 30 {
			if fits(&next) {
				break
			}
			next = ends[p.rand.IntN(len(ends))]
		}
		if !fits(&next) {
			// Few are near on a large chart.
			var near []int
			for i := range ends {
				// A degree of latitude has 110.5 km and more.
				apartM := math.Abs(ends[i].Position.Lat-first.Position.Lat) * 110_500
				if (withinM == 0 || apartM <= withinM) && fits(&ends[i]) {
					near = append(near, i)
				}
			}
			if len(near) > 0 {
				next = ends[near[p.rand.IntN(len(near))]]
			}
		}
		picked = append(picked, next)
	}
	stops := make([]api.OrderStop, len(picked))
	for i := range picked {
		stops[i] = p.stop(stopOf(&picked[i], between), workS)
	}
	return stops
}

// stopOf is the stop at a drawn endpoint: the place itself, or the spot on the
// network in front of it.
func stopOf(e *scenario.Endpoint, between string) api.OrderStop {
	if between == scenario.BetweenPlaces {
		return api.OrderStop{Place: e.ID}
	}
	s := stopAt(e.Position)
	s.Position.AltitudeM = nil
	return s
}

// usable lists the endpoints for the kinds of vehicle; for any kind, those that
// all fleets of the run can reach. The list is not to be changed.
func (p *orderPlan) usable(vehicleKinds []string, between string) []scenario.Endpoint {
	ground, air := slices.Contains(vehicleKinds, "rover"), slices.Contains(vehicleKinds, "multirotor")
	if len(vehicleKinds) == 0 {
		for i := range p.scenario.Fleets {
			ground = ground || p.scenario.Fleets[i].Kind == "rover"
		}
		air = !ground
	}
	places := between == scenario.BetweenPlaces
	key := [3]bool{ground, air, places}
	if list, known := p.usables[key]; known {
		return slices.Clip(list)
	}
	list := slices.DeleteFunc(slices.Clone(p.endpoints), func(e scenario.Endpoint) bool {
		open := e.Air
		if places {
			open = e.OpenDoor
		}
		return places && !e.Place || ground && !e.Ground || air && !open
	})
	if p.usables == nil {
		p.usables = map[[3]bool][]scenario.Endpoint{}
	}
	p.usables[key] = list
	return slices.Clip(list)
}

// share draws one of the names by its share.
func share(r *rand.Rand, shares map[string]float64, names []string) string {
	sum := 0.0
	for _, n := range names {
		sum += shares[n]
	}
	x := r.Float64() * sum
	for _, n := range names {
		if x < shares[n] {
			return n
		}
		x -= shares[n]
	}
	for _, n := range slices.Backward(names) {
		if shares[n] > 0 {
			return n
		}
	}
	return names[0]
}

// took is how long a named order took, or why it is not done; of one that recurs,
// the one that took longest.
func (w *world) took(state *fleet.State, name string) (time.Duration, string) {
	found, longest := false, time.Duration(0)
	for _, o := range w.people.orders {
		if o.name != name && !strings.HasPrefix(o.name, name+"/") {
			continue
		}
		found = true
		t := state.Durable.Tasks[o.task]
		if t == nil {
			return 0, o.name + ": the order was not taken: " + o.refused
		}
		if t.State != fleet.TaskDone {
			return 0, fmt.Sprintf("%s: task %s is %s: %s", o.name, t.ID, t.State, t.Reason.Text)
		}
		longest = max(longest, t.EndedAt.Sub(w.start.Add(time.Duration(o.at))))
	}
	if !found {
		return 0, "no such order"
	}
	return longest, ""
}

package sim

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// plannedOrder is an order that will be given at a time of the run.
type plannedOrder struct {
	// Name is for assertions, empty for none.
	Name  string
	At    time.Duration
	Order api.Order
	// CancelAfter is how long after At it is cancelled, 0 for never.
	CancelAfter time.Duration
}

// planOrders draws all orders of a scenario from its seed, for endpoints that
// scenario.Place gave: the timed ones first, then each stream in order of time.
func planOrders(s scenario.Scenario, c *chart.Chart, endpoints []scenario.Endpoint) []plannedOrder {
	p := orderPlan{scenario: &s, chart: c, endpoints: endpoints, rand: chance(s.Seed, chanceOrders)}
	var out []plannedOrder
	for i := range s.Orders.Timed {
		o := &s.Orders.Timed[i]
		planned := plannedOrder{Name: o.Name, At: o.At.D(), Order: p.timed(o)}
		if o.CancelAfter != nil {
			planned.CancelAfter = max(o.CancelAfter.D(), 1)
		}
		out = append(out, planned)
	}
	for i := range s.Orders.Stream {
		st := &s.Orders.Stream[i]
		at := st.From.D()
		for {
			at += time.Duration(p.rand.ExpFloat64() / st.PerMinute * float64(time.Minute))
			if at >= st.Until.D() || at > s.Duration.D() || len(out) >= scenario.MaxOrders {
				break
			}
			out = append(out, plannedOrder{At: at, Order: p.drawn(st)})
		}
	}
	return out
}

// orderPlan is what orders are drawn from.
type orderPlan struct {
	scenario  *scenario.Scenario
	chart     *chart.Chart
	endpoints []scenario.Endpoint
	rand      *rand.Rand
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
		out.Stops = p.drawnStops(o.Kind, o.VehicleKinds, o.WorkS, 0)
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
	o.Stops = p.drawnStops(o.Kind, s.VehicleKinds, s.WorkS, s.MaxDistanceM)
	return o
}

// drawnStops picks endpoints: one for a visit, two for a delivery, three for a
// patrol; each next one within the distance of the first where there is one.
func (p *orderPlan) drawnStops(kind string, vehicleKinds []string, workS, withinM float64) []api.OrderStop {
	ends := p.usable(vehicleKinds)
	if len(ends) == 0 {
		return nil
	}
	frame := p.chart.Frame
	first := ends[p.rand.IntN(len(ends))]
	picked := []scenario.Endpoint{first}
	for len(picked) < map[string]int{"visit": 1, "delivery": 2, "patrol": 3}[kind] {
		next := ends[p.rand.IntN(len(ends))]
		for range 30 {
			far := frame.XY(next.Position.Point()).Dist(frame.XY(first.Position.Point()))
			if far > 20 && (withinM == 0 || far <= withinM) {
				break
			}
			next = ends[p.rand.IntN(len(ends))]
		}
		picked = append(picked, next)
	}
	stops := make([]api.OrderStop, len(picked))
	for i := range picked {
		stops[i] = p.stop(stopAt(picked[i].Position), workS)
		stops[i].Position.AltitudeM = nil
	}
	return stops
}

// usable lists the endpoints for the kinds of vehicle; for any kind, those that
// all fleets of the run can reach.
func (p *orderPlan) usable(vehicleKinds []string) []scenario.Endpoint {
	ground, air := slices.Contains(vehicleKinds, "rover"), slices.Contains(vehicleKinds, "multirotor")
	if len(vehicleKinds) == 0 {
		for i := range p.scenario.Fleets {
			ground = ground || p.scenario.Fleets[i].Kind == "rover"
		}
		air = !ground
	}
	return slices.DeleteFunc(slices.Clone(p.endpoints), func(e scenario.Endpoint) bool {
		return ground && !e.Ground || air && !e.Air
	})
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

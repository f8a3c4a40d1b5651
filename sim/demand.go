package sim

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// KgPerLoggiSize is what a unit of size of a Loggi parcel weighs here; its file
// does not say it.
const KgPerLoggiSize = 0.5

// ErrUnreadDemand is the kind of error for a scenario whose files of demand were
// not read by scenario.Charts.Prepare.
var ErrUnreadDemand = errors.New("the file of demand was not read")

// checkDemand refuses demand whose file was not read.
func checkDemand(s *scenario.Scenario) error {
	for i := range s.Demand {
		d := &s.Demand[i]
		if d.Loggi != "" && d.Parcels == nil || d.SeattleFire != "" && d.Calls == nil {
			return fmt.Errorf("sim: %s: demand[%d]: %w", s.Name, i, ErrUnreadDemand)
		}
	}
	return nil
}

// demand draws the orders and incidents of a scenario's sources of demand, each
// from a source of chance of its own, in the order of the sources and then of time.
// No more of either are made than a scenario may have.
func (p *orderPlan) demand(orders []PlannedOrder, incidents []PlannedIncident) ([]PlannedOrder, []PlannedIncident) {
	for i := range p.scenario.Demand {
		d := &p.scenario.Demand[i]
		p.rand = newChance(p.scenario.Seed, chanceDemand, uint64(i))
		switch {
		case d.Parcels != nil:
			orders = append(orders, p.parcels(d)...)
		case d.Calls != nil:
			incidents = append(incidents, p.calls(d)...)
		}
		for k := range d.Areas {
			p.rand = newChance(p.scenario.Seed, chanceDemand, uint64(i+1)<<16+uint64(k))
			orders = append(orders, p.area(d, &d.Areas[k])...)
		}
	}
	return orders[:min(len(orders), scenario.MaxOrders)], incidents[:min(len(incidents), scenario.MaxIncidents)]
}

// area draws a Poisson process whose rate changes with the hour of the day, by
// thinning one of the greatest rate (Lewis and Shedler 1979).
func (p *orderPlan) area(d *scenario.Demand, a *scenario.DemandArea) []PlannedOrder {
	ends := p.within(&a.Area, a.VehicleKinds)
	top := slices.Max(a.PerHour)
	until := min(d.Until, p.scenario.Duration).D()
	var out []PlannedOrder
	if top <= 0 || len(ends) == 0 {
		return nil
	}
	for at := d.From.D(); len(out) < scenario.MaxOrders; {
		at += time.Duration(p.rand.ExpFloat64() / top * float64(time.Hour))
		if at >= until {
			break
		}
		if hour := p.scenario.Start.Add(at).Hour(); p.rand.Float64()*top < a.PerHour[hour] {
			out = append(out, PlannedOrder{At: at, Order: p.toArea(a, ends)})
		}
	}
	return out
}

// drawnWorkS is the work at each stop of demand.
const drawnWorkS = 20

// toArea is an order that ends at one of the endpoints.
func (p *orderPlan) toArea(a *scenario.DemandArea, ends []scenario.Endpoint) api.Order {
	o := api.Order{Kind: a.Kind, Priority: a.Priority, VehicleKinds: a.VehicleKinds}
	last := &ends[p.rand.IntN(len(ends))]
	if a.Kind == "delivery" {
		o.LoadKg = max(0.1, math.Floor(between(p.rand, a.LoadKg)*10)/10)
	}
	switch {
	case a.Kind == "visit":
	case a.Pickup != "":
		o.Stops = append(o.Stops, p.stop(p.named(a.Pickup), drawnWorkS))
	default:
		all := p.usable(a.VehicleKinds, scenario.BetweenEndpoints)
		first := all[p.rand.IntN(len(all))]
		for range 30 {
			if first.ID != last.ID {
				break
			}
			first = all[p.rand.IntN(len(all))]
		}
		o.Stops = append(o.Stops, p.stop(stopOf(&first, scenario.BetweenEndpoints), drawnWorkS))
	}
	o.Stops = append(o.Stops, p.stop(stopOf(last, scenario.BetweenEndpoints), drawnWorkS))
	return o
}

// within lists the usable endpoints in a circle, or the one nearest to it when there
// is none.
func (p *orderPlan) within(c *scenario.Circle, vehicleKinds []string) []scenario.Endpoint {
	stop := p.named(c.At)
	at, ok := p.position(&stop)
	ends := p.usable(vehicleKinds, scenario.BetweenEndpoints)
	if !ok {
		return ends
	}
	far := func(e *scenario.Endpoint) float64 { return p.chart.Frame.XY(e.Position.Point()).Dist(at) }
	inside := slices.DeleteFunc(slices.Clone(ends), func(e scenario.Endpoint) bool { return far(&e) > c.RadiusM })
	if len(inside) > 0 || len(ends) == 0 {
		return inside
	}
	return []scenario.Endpoint{slices.MinFunc(ends, func(a, b scenario.Endpoint) int { return sign(far(&a) - far(&b)) })}
}

// sign is -1, 0 or 1.
func sign(x float64) int {
	switch {
	case x < 0:
		return -1
	case x > 0:
		return 1
	}
	return 0
}

// parcels lays the deliveries of a Loggi file onto the chart: the rectangle about
// its places onto that about the endpoints, each place to the endpoint nearest to
// it. The file has no times: the deliveries are ordered evenly from From to Until,
// a sooner end of them by Speedup.
func (p *orderPlan) parcels(d *scenario.Demand) []PlannedOrder {
	list := d.Parcels.List
	if d.Count > 0 {
		list = list[:min(d.Count, len(list))]
	}
	ends := p.usable(nil, scenario.BetweenEndpoints)
	if len(ends) < 2 {
		return nil
	}
	onto := p.layer(d.Parcels, ends)
	hub := onto(&d.Parcels.Hub, "")
	from, until := d.From.D(), min(d.Until, p.scenario.Duration).D()
	apart := float64(until-from) / float64(len(list)) / d.Speedup
	out := make([]PlannedOrder, 0, len(list))
	for i := range list {
		to := onto(&list[i], hub.ID)
		out = append(out, PlannedOrder{At: from + time.Duration((float64(i)+0.5)*apart), Order: api.Order{
			Kind: "delivery", LoadKg: float64(list[i].Size) * KgPerLoggiSize,
			Stops: []api.OrderStop{
				p.stop(stopOf(hub, scenario.BetweenEndpoints), drawnWorkS), p.stop(stopOf(to, scenario.BetweenEndpoints), drawnWorkS),
			},
		}})
	}
	return out
}

// layer returns how places of a Loggi file become endpoints, but for that of an id.
func (p *orderPlan) layer(file *scenario.Parcels, ends []scenario.Endpoint) func(at *scenario.Parcel, not string) *scenario.Endpoint {
	theirs, ours := emptyBox(), emptyBox()
	theirs.add(space.XY{X: file.Hub.Lon, Y: file.Hub.Lat})
	for i := range file.List {
		theirs.add(space.XY{X: file.List[i].Lon, Y: file.List[i].Lat})
	}
	spots := make([]space.XY, len(ends))
	for i := range ends {
		spots[i] = p.chart.Frame.XY(ends[i].Position.Point())
		ours.add(spots[i])
	}
	return func(at *scenario.Parcel, not string) *scenario.Endpoint {
		to := ours.at(theirs.share(space.XY{X: at.Lon, Y: at.Lat}))
		best := -1
		for i := range ends {
			if ends[i].ID != not && (best < 0 || spots[i].Dist(to) < spots[best].Dist(to)) {
				best = i
			}
		}
		return &ends[best]
	}
}

// box is a rectangle about places.
type box struct{ least, most space.XY }

func emptyBox() box {
	inf := math.Inf(1)
	return box{space.XY{X: inf, Y: inf}, space.XY{X: -inf, Y: -inf}}
}

func (b *box) add(at space.XY) {
	b.least = space.XY{X: min(b.least.X, at.X), Y: min(b.least.Y, at.Y)}
	b.most = space.XY{X: max(b.most.X, at.X), Y: max(b.most.Y, at.Y)}
}

// share is how far along each side a place is, 0 to 1.
func (b *box) share(at space.XY) space.XY {
	along := func(x, least, most float64) float64 {
		if most <= least {
			return 0.5
		}
		return (x - least) / (most - least)
	}
	return space.XY{X: along(at.X, b.least.X, b.most.X), Y: along(at.Y, b.least.Y, b.most.Y)}
}

// at is the place so far along each side.
func (b *box) at(share space.XY) space.XY {
	return space.XY{X: b.least.X + share.X*(b.most.X-b.least.X), Y: b.least.Y + share.Y*(b.most.Y-b.least.Y)}
}

// calls makes incidents of the calls of a file, at the times between them divided
// by Speedup. The file has addresses without coordinates: each address is a drawn
// address or shop of the chart, the same for the same address and seed.
func (p *orderPlan) calls(d *scenario.Demand) []PlannedIncident {
	list := d.Calls
	if d.Count > 0 {
		list = list[:min(d.Count, len(list))]
	}
	between := scenario.BetweenPlaces
	ends := p.usable(nil, between)
	if len(ends) == 0 {
		between = scenario.BetweenEndpoints
		ends = p.usable(nil, between)
	}
	if len(ends) == 0 {
		return nil
	}
	until := min(d.Until, p.scenario.Duration).D()
	var out []PlannedIncident
	for i := range list {
		c := &list[i]
		at := d.From.D() + time.Duration(float64(c.At)/d.Speedup)
		if at >= until {
			break
		}
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(strings.ToLower(c.Address)))
		draw := rand.New(rand.NewPCG(p.scenario.Seed, sum.Sum64()))
		r := api.IncidentReport{Kind: c.Kind, Severity: c.Severity(), Note: fmt.Sprintf("%s (%d units)", c.Type, c.Units)}
		put(&r, stopOf(&ends[draw.IntN(len(ends))], between))
		out = append(out, PlannedIncident{At: at, Report: r})
	}
	return out
}

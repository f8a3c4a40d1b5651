package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// repeatAfter is how long a client waits before it repeats a request that the
// backend died on.
const repeatAfter = time.Second

// people are those who use the backend: dispatchers who order and who repeat a
// request, with its key, until it is answered; and a person who looks at a
// vehicle when Kapok asks.
type people struct {
	w    *world
	rand *rand.Rand
	// posts are all requests, open those without an answer.
	posts, open []*post
	orders      []*order
	asked       map[fleet.AlertID]*question
	decisions   int
}

// post is a request that is repeated until it is answered.
type post struct {
	actor, key, hash string
	ask              fleet.Ask
	first            int64
	done             func(fleet.Answer)
	answered         bool
}

// order is what became of an order as its client knows it.
type order struct {
	name    string
	at      int64
	task    fleet.TaskID
	refused string
}

// question is an alert that waits for a person.
type question struct {
	since int64
	tries int
}

// plan draws all orders and puts them into the queue.
func (p *people) plan() {
	s := &p.w.scenario
	for i := range s.Orders.Timed {
		o := &s.Orders.Timed[i]
		p.order(o.At.D(), o.Name, p.timed(o), o.CancelAfter)
	}
	for i := range s.Orders.Stream {
		st := &s.Orders.Stream[i]
		at := st.From.D()
		for {
			at += time.Duration(p.rand.ExpFloat64() / st.PerMinute * float64(time.Minute))
			if at >= st.Until.D() || int64(at) > p.w.end || len(p.orders) >= scenario.MaxOrders {
				break
			}
			p.order(at, "", p.drawn(st), nil)
		}
	}
}

// order puts one order into the queue.
func (p *people) order(at time.Duration, name string, o api.Order, cancelAfter *scenario.Duration) {
	it := &order{name: name, at: int64(at)}
	p.orders = append(p.orders, it)
	number := len(p.orders)
	p.w.after(at, func() {
		p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/tasks order-%d", number), fleet.OrderTask{Order: o}, func(a fleet.Answer) {
			if a.Problem != nil {
				it.refused = a.Problem.Code + ": " + a.Problem.Detail
				return
			}
			var task api.Task
			if err := json.Unmarshal(a.Body, &task); err != nil {
				p.w.fail(fmt.Errorf("the answer to order %d: %w", number, err))
			}
			it.task = fleet.TaskID(task.ID)
		})
	})
	if cancelAfter != nil {
		p.w.after(at+cancelAfter.D(), func() {
			if it.task != "" {
				p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/tasks/%s/cancel order-%d", it.task, number),
					fleet.CancelTask{Task: it.task, Reason: "cancelled by the scenario"}, func(fleet.Answer) {})
			}
		})
	}
}

// post puts a request now, and repeats it while the backend dies on it.
func (p *people) post(actor, key string, ask fleet.Ask, done func(fleet.Answer)) {
	body, err := json.Marshal(ask)
	if err != nil {
		p.w.fail(fmt.Errorf("request %s: %w", key, err))
		return
	}
	sum := sha256.Sum256(body)
	it := &post{actor: actor, key: key, hash: hex.EncodeToString(sum[:8]), ask: ask, first: p.w.now, done: done}
	p.open = append(p.open, it)
	p.try(it)
}

func (p *people) try(it *post) {
	if it.answered {
		return
	}
	if !p.w.backend.up() {
		p.w.after(repeatAfter, func() { p.try(it) })
		return
	}
	p.w.backend.ask(it.actor, it.key, it.hash, it.ask, func(a fleet.Answer) {
		if a.Status == 503 {
			p.w.after(repeatAfter, func() { p.try(it) })
			return
		}
		it.answered = true
		p.open = slices.DeleteFunc(p.open, func(o *post) bool { return o == it })
		it.done(a)
	})
}

// lostServer repeats all that was not answered when the backend died.
func (p *people) lostServer() {
	for _, it := range p.open {
		p.w.after(repeatAfter, func() { p.try(it) })
	}
}

// look lets the person see the questions and answer those that are old enough.
func (p *people) look() {
	if !p.w.backend.up() || p.w.scenario.Person.Away {
		return
	}
	durable := &p.w.backend.core.Fleet().State().Durable
	var open []*fleet.Alert
	for _, a := range durable.Alerts {
		if a.Kind == fleet.AlertDecide && a.Open() {
			open = append(open, a)
		}
	}
	slices.SortFunc(open, func(a, b *fleet.Alert) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range open {
		q := p.asked[a.ID]
		if q == nil {
			q = &question{since: p.w.now}
			p.asked[a.ID] = q
		}
		wait := int64(p.w.scenario.Person.After) * int64(1+q.tries)
		if t := durable.Tasks[a.Task]; t != nil && p.w.now-q.since >= wait {
			p.decide(a, t, q)
		}
	}
}

// decide answers for the first stop in doubt, by what the person sees. A
// vehicle that is still at work on it is left alone.
func (p *people) decide(a *fleet.Alert, t *fleet.Task, q *question) {
	stop := slices.IndexFunc(t.Stops, func(s fleet.Stop) bool { return s.Doubt })
	if stop < 0 {
		stop = t.NextStop()
	}
	if stop >= len(t.Stops) {
		return
	}
	outcome, ok := p.see(t, stop)
	if !ok {
		return
	}
	q.tries++
	p.decisions++
	p.post("person", fmt.Sprintf("person POST /v1/tasks/%s/resolution %s-%d", t.ID, a.ID, q.tries), fleet.ResolveStop{
		Task: t.ID, Decision: api.Resolution{Stop: stop + 1, Outcome: outcome, Reason: "seen at the vehicle"},
	}, func(fleet.Answer) {})
}

// see tells the truth about a stop: done, not_done, or failed when the load is
// on a vehicle that cannot move any more; false while work goes on.
func (p *people) see(t *fleet.Task, stop int) (outcome string, ok bool) {
	key := agent.StopKey{Task: string(t.ID), Stop: stop + 1}
	for _, v := range p.w.vehicles {
		if v.agent.Truth().Done[key] > 0 {
			return "done", true
		}
		if v.agent.AtWork(key) {
			return "", false
		}
		if _, on := v.agent.Truth().Loads[key.Task]; on && v.agent.Body().Dead() {
			return "failed", true
		}
	}
	return "not_done", true
}

// timed is the order of a scenario's list.
func (p *people) timed(o *scenario.TimedOrder) api.Order {
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
func (p *people) named(name string) api.OrderStop {
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "@")); err == nil && strings.HasPrefix(name, "@") && n >= 1 && n <= len(p.w.endpoints) {
		return stopAt(p.w.endpoints[n-1].Position)
	}
	for i := range p.w.endpoints {
		if p.w.endpoints[i].ID == name {
			return stopAt(p.w.endpoints[i].Position)
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

func (p *people) stop(s api.OrderStop, workS float64) api.OrderStop {
	s.WorkS = workS
	return s
}

// drawn is an order of a stream.
func (p *people) drawn(s *scenario.Stream) api.Order {
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
func (p *people) drawnStops(kind string, vehicleKinds []string, workS, withinM float64) []api.OrderStop {
	ends := p.usable(vehicleKinds)
	if len(ends) == 0 {
		return nil
	}
	frame := p.w.chart.Frame
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
func (p *people) usable(vehicleKinds []string) []scenario.Endpoint {
	ground, air := slices.Contains(vehicleKinds, "rover"), slices.Contains(vehicleKinds, "multirotor")
	if len(vehicleKinds) == 0 {
		for i := range p.w.scenario.Fleets {
			ground = ground || p.w.scenario.Fleets[i].Kind == "rover"
		}
		air = !ground
	}
	return slices.DeleteFunc(slices.Clone(p.w.endpoints), func(e scenario.Endpoint) bool {
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

package sim

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// repeatAfter is how long a client waits before it repeats a request that the
// backend died on.
const repeatAfter = time.Second

// people are those who use the backend: dispatchers who order and who repeat a
// request, with its key, until it is answered; and a person who looks at a
// vehicle when Kapok asks.
type people struct {
	w *world
	// open are the requests without an answer.
	open      []*post
	plans     orderPlan
	orders    []*order
	incidents []*incident
	zones     []*madeZone
	// refused are actions that were refused.
	refused []string
	asked   map[fleet.AlertID]*question
	// tended are the vehicles that a person looks after.
	tended    map[string]*question
	decisions int
	// samples are what is measured.
	samples Samples
}

// post is a request that is repeated until it is answered.
type post struct {
	actor, key, hash string
	ask              fleet.Ask
	done             func(fleet.Answer)
	answered         bool
	// since is when it was made first; stale, when set, says that nobody wants it any
	// more.
	since int64
	stale func() bool
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

// plan puts all orders, and what else people do, into the queue.
func (p *people) plan() {
	s := &p.w.scenario
	p.plans = newDraw(s, p.w.chart, p.w.endpoints)
	plan := p.plans.plan()
	p.weather()
	for _, o := range plan.Orders {
		p.order(o)
	}
	for _, i := range plan.Incidents {
		p.report(i)
	}
	for i := range s.Zones {
		p.zone(i+1, &s.Zones[i])
	}
	for i := range s.Actions {
		p.act(i+1, s.Actions[i])
	}
}

// order puts one order into the queue.
func (p *people) order(o PlannedOrder) {
	it := &order{name: o.Name, at: int64(o.At)}
	p.orders = append(p.orders, it)
	number := len(p.orders)
	p.w.after(o.At, func() {
		p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/tasks order-%d", number), fleet.OrderTask{Order: o.Order}, func(a fleet.Answer) {
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
	if o.CancelAfter > 0 {
		p.w.after(o.At+o.CancelAfter, func() {
			if it.task != "" {
				p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/tasks/%s/cancel order-%d", it.task, number),
					fleet.CancelTask{Task: it.task, Reason: "cancelled by the scenario"}, func(fleet.Answer) {})
			}
		})
	}
}

// post puts a request now, and repeats it while the backend dies on it.
func (p *people) post(actor, key string, ask fleet.Ask, done func(fleet.Answer)) *post {
	body, err := json.Marshal(ask)
	if err != nil {
		p.w.fail(fmt.Errorf("request %s: %w", key, err))
		return nil
	}
	sum := sha256.Sum256(body)
	it := &post{actor: actor, key: key, hash: hex.EncodeToString(sum[:8]), ask: ask, done: done, since: p.w.now}
	p.open = append(p.open, it)
	p.try(it)
	return it
}

// kindOfAsk is the label of a request in samples; action when it is no other.
func kindOfAsk(ask fleet.Ask) string {
	_, order := ask.(fleet.OrderTask)
	_, cancel := ask.(fleet.CancelTask)
	_, report := ask.(fleet.ReportIncident)
	_, closing := ask.(fleet.CloseIncident)
	_, zone := ask.(fleet.PutZone)
	_, decision := ask.(fleet.ResolveStop)
	switch {
	case order || cancel:
		return "order"
	case report || closing:
		return "incident"
	case zone:
		return "zone"
	case decision:
		return "decision"
	}
	return "action"
}

func (p *people) try(it *post) {
	if it.answered {
		return
	}
	if it.stale != nil && it.stale() {
		it.answered = true
		p.open = slices.DeleteFunc(p.open, func(o *post) bool { return o == it })
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
		p.w.jury.answered(it, a)
		p.samples.Add("answer_s", time.Duration(p.w.now-it.since).Seconds(), "kind", kindOfAsk(it.ask))
		p.open = slices.DeleteFunc(p.open, func(o *post) bool { return o == it })
		it.done(a)
	})
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
		if p.w.now-q.since < wait {
			continue
		}
		if t := durable.Tasks[a.Task]; t != nil {
			p.decide(a, t, q)
		}
	}
	p.tend(durable)
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

// tend looks after vehicles with which nothing is the matter any more: one that a
// person keeps from its work, and has not heard that it may go on, is resumed; one
// that refused is put back in service. After the time of the scenario's actions
// only, which are what people want.
func (p *people) tend(d *fleet.Durable) {
	if d.Freeze != nil || p.w.now < int64(p.w.scenario.Duration) {
		return
	}
	refused := map[fleet.VehicleID]bool{}
	for _, a := range d.Alerts {
		if a.Kind == fleet.AlertRefusing && a.Open() {
			refused[a.Vehicle] = true
		}
	}
	for _, known := range p.w.vehicles {
		v := d.Vehicles[fleet.VehicleID(known.id)]
		if v == nil || v.TakenOver != nil || v.OutOfService != "" || len(v.Faults) > 0 || v.Blocked == "" && !refused[v.ID] {
			continue
		}
		q := p.tended[known.id]
		if q == nil {
			q = &question{since: p.w.now}
			p.tended[known.id] = q
		}
		if p.w.now-q.since < int64(p.w.scenario.Person.After)*int64(1+q.tries) {
			continue
		}
		q.tries++
		q.since = p.w.now
		p.decisions++
		ask := fleet.Ask(fleet.ChangeService{Vehicle: v.ID, Change: api.ServiceChange{InService: true, Reason: "nothing is the matter with it"}})
		if v.Blocked != "" {
			ask = fleet.OrderCommand{Vehicle: v.ID, Order: api.CommandOrder{Kind: string(protocol.CommandResume), Reason: "nothing is the matter with it"}}
		}
		p.post("person", fmt.Sprintf("person vehicle %s %d", v.ID, q.tries), ask, func(fleet.Answer) {})
	}
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

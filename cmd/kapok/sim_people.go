package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/agent"
)

// zoneAnswer is a zone that was made, and how many vehicles it concerned.
type zoneAnswer struct{ affected int }

// live lets the people and the troubles of the scenario happen until ctx ends.
func (r *connected) live(ctx context.Context) {
	var work sync.WaitGroup
	defer work.Wait()
	at := func(when time.Duration, do func()) {
		work.Go(func() {
			if pauseFor(ctx, time.Until(r.wallAt(when))) {
				do()
			}
		})
	}
	r.troubles(ctx, at)
	if r.client == nil || r.alone {
		<-ctx.Done()
		return
	}
	plan, left := sim.NewPlan(r.scenario, r.place)
	for _, what := range left {
		r.say("left out: %s depends on where the drones are and is made in virtual time only", what)
	}
	if len(r.scenario.Actions) > 0 {
		r.say("left out: actions happen in virtual time only")
	}
	for _, o := range plan.Conditions {
		at(o.At, func() { r.conditions(ctx, o) })
	}
	for i, o := range plan.Orders {
		at(o.At, func() { r.order(ctx, i, o) })
	}
	for i, o := range plan.Incidents {
		at(o.At, func() { r.report(ctx, i, o) })
	}
	for i, z := range plan.Zones {
		at(z.At, func() { r.zone(ctx, i, z) })
	}
	work.Go(func() { r.watchZones(ctx) })
	if !r.scenario.Person.Away {
		work.Go(func() { r.decide(ctx) })
	}
	<-ctx.Done()
}

// wallAt is the moment on the wall clock of a time of the run.
func (r *connected) wallAt(when time.Duration) time.Time {
	return r.clock.Wall.Add(r.clock.wall(r.began.Sub(r.clock.Fleet) + when))
}

// pauseFor waits, and reports false when ctx ends first.
func pauseFor(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(max(span, 0))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// vehicleID is the id of a vehicle by its number among all fleets.
func (r *connected) vehicleID(n int) string {
	for i := range r.scenario.Fleets {
		f := &r.scenario.Fleets[i]
		if n < f.Count {
			return f.VehicleID(n + 1)
		}
		n -= f.Count
	}
	return ""
}

// post makes a request until it is answered, with one key. It returns false when
// it was refused, which is noted, or the run is over.
func (r *connected) post(ctx context.Context, what string, request func() error) bool {
	for {
		err := request()
		problem, refused := errors.AsType[*client.ProblemError](err)
		switch {
		case err == nil:
			return true
		case refused && problem.Status < 500:
			r.mu.Lock()
			r.result.Refusals = append(r.result.Refusals, what+": "+problem.Error())
			r.mu.Unlock()
			return false
		}
		if !pauseFor(ctx, repeatAfter) {
			return false
		}
	}
}

func (r *connected) order(ctx context.Context, n int, o sim.PlannedOrder) {
	key, began := fmt.Sprintf("%s-order-%d", r.run, n+1), r.clock.now()
	var task api.Task
	ok := r.post(ctx, fmt.Sprintf("order %d", n+1), func() (err error) {
		task, err = r.client.Order(context.WithoutCancel(ctx), key, o.Order)
		return err
	})
	r.mu.Lock()
	if ok {
		r.tasks = append(r.tasks, madeTask{o.Name, task.ID, began})
	} else if ctx.Err() == nil {
		r.result.Refused++
	}
	r.mu.Unlock()
	if ok && o.CancelAfter > 0 && pauseFor(ctx, r.clock.wall(o.CancelAfter)) {
		r.post(ctx, "cancelling "+task.ID, func() error {
			_, err := r.client.Cancel(context.WithoutCancel(ctx), key+"-cancel", task.ID, "cancelled by the scenario")
			return err
		})
	}
}

func (r *connected) report(ctx context.Context, n int, i sim.PlannedIncident) {
	key, began := fmt.Sprintf("%s-incident-%d", r.run, n+1), r.clock.now()
	var made api.Incident
	ok := r.post(ctx, fmt.Sprintf("incident %d", n+1), func() (err error) {
		made, err = r.client.Report(context.WithoutCancel(ctx), key, i.Report)
		return err
	})
	r.mu.Lock()
	if ok {
		r.reports = append(r.reports, madeIncident{made.ID, began})
	} else if ctx.Err() == nil {
		r.result.IncidentsRefused++
	}
	r.mu.Unlock()
	if ok && i.CloseAfter > 0 && pauseFor(ctx, r.clock.wall(i.CloseAfter)) {
		r.post(ctx, "closing "+made.ID, func() error {
			_, err := r.client.CloseIncident(context.WithoutCancel(ctx), key+"-close", made.ID, api.IncidentClosure{Outcome: "over"})
			return err
		})
	}
}

func (r *connected) zone(ctx context.Context, n int, z sim.PlannedZone) {
	if z.For > 0 {
		z.Order.Until = r.clock.now().Add(z.For)
	}
	var made api.ZoneChange
	if r.post(ctx, fmt.Sprintf("zone %d", n+1), func() (err error) {
		made, err = r.client.CreateZone(context.WithoutCancel(ctx), fmt.Sprintf("%s-zone-%d", r.run, n+1), z.Order)
		return err
	}) {
		r.mu.Lock()
		r.zones[made.Zone.ID] = &zoneAnswer{len(made.Affected)}
		r.mu.Unlock()
	}
}

// conditions tells the backend of wind and closed streets, in the place of whatever
// it knew of them.
func (r *connected) conditions(ctx context.Context, o sim.PlannedConditions) {
	r.post(ctx, fmt.Sprintf("conditions at %v", o.At), func() error {
		now, err := r.client.Conditions(ctx)
		if err != nil {
			return err
		}
		_, err = r.client.SetConditions(context.WithoutCancel(ctx), now.Revision, o.Order)
		return err
	})
}

// watchZones keeps the checker's zones as people have made them.
func (r *connected) watchZones(ctx context.Context) {
	for pauseFor(ctx, time.Second/2) {
		zones, err := r.client.Zones(ctx, url.Values{"live": {"true"}})
		if err != nil {
			continue
		}
		var live []chart.Zone
		suspended := map[string]bool{}
		for i := range zones {
			if zones[i].Suspended {
				suspended[zones[i].ID] = true
				continue
			}
			live = append(live, chartZone(&zones[i]))
		}
		r.mu.Lock()
		r.geometry.SetZones(r.clock.now(), live, suspended)
		r.mu.Unlock()
	}
}

// chartZone is a zone of the API as the chart has it.
func chartZone(z *api.Zone) chart.Zone {
	c := chart.Zone{
		ID: z.ID, Name: z.Name, Rule: chart.Rule(z.Rule), FloorM: z.FloorM, HeightLimitM: z.HeightLimitM,
		SpeedLimitMPS: z.SpeedLimitMPS, From: z.From, Until: z.Until, Airborne: z.Airborne, Ground: z.Ground,
	}
	if z.CeilingM != nil {
		c.CeilingM = *z.CeilingM
	}
	for _, ring := range z.Polygon {
		var points orb.Ring
		for _, at := range ring {
			points = append(points, at)
		}
		c.Polygon = append(c.Polygon, points)
	}
	return c
}

// decide is the person who looks at a vehicle when Kapok asks.
func (r *connected) decide(ctx context.Context) {
	asked := map[string]time.Time{}
	for n := 0; pauseFor(ctx, time.Second/2); n++ {
		alerts, err := r.client.Alerts(ctx, url.Values{"open": {"true"}, "kind": {"decision_needed"}})
		if err != nil {
			continue
		}
		now := r.clock.now()
		for _, a := range alerts {
			if asked[a.ID].IsZero() {
				asked[a.ID] = now
			}
			if now.Sub(asked[a.ID]) < r.scenario.Person.After.D() {
				continue
			}
			task, err := r.client.Task(ctx, a.Task)
			if err == nil && r.resolve(ctx, fmt.Sprintf("%s-person-%s-%d", r.run, a.ID, n), &task) {
				asked[a.ID] = now
			}
		}
	}
}

// resolve answers for the first stop in doubt, by what can be seen at the
// vehicles; false while one is at work on it.
func (r *connected) resolve(ctx context.Context, key string, task *api.Task) bool {
	stop := 0
	for i := range task.Stops {
		if task.Stops[i].Doubt {
			stop = i + 1
			break
		}
		if stop == 0 && task.Stops[i].State != "done" {
			stop = i + 1
		}
	}
	if stop == 0 || final(task.State) {
		return false
	}
	outcome, sure := seenAt(r.fleet, agent.StopKey{Task: task.ID, Stop: stop})
	if !sure {
		return false
	}
	_, err := r.client.Resolve(ctx, key, task.ID, api.Resolution{Stop: stop, Outcome: outcome, Reason: "seen at the vehicle"})
	if err != nil {
		return false
	}
	r.mu.Lock()
	r.result.Decisions++
	r.mu.Unlock()
	return true
}

// seenAt tells the truth about a stop, and false while a vehicle is at work on it.
func seenAt(f *drive.Fleet, key agent.StopKey) (outcome string, sure bool) {
	outcome, sure = "not_done", true
	for _, v := range f.Vehicles() {
		v.With(func(a *agent.Agent) {
			_, loaded := a.Truth().Loads[key.Task]
			switch {
			case a.Truth().Done[key] > 0:
				outcome = "done"
			case a.AtWork(key):
				sure = false
			case loaded && a.Body().Dead():
				outcome = "failed"
			}
		})
		if outcome == "done" {
			return outcome, true
		}
	}
	return outcome, sure
}

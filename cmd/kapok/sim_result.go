package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

// connectedCheckers are those that can judge a run against a running backend.
func connectedCheckers() []string {
	return []string{check.Zones, check.Buildings, check.Terrain, check.Height, check.LostTask, check.Twice, check.Missed, check.Custody}
}

// conclude asks the backend what became of everything, ends the vehicles, and
// judges.
func (r *connected) conclude(ctx context.Context) (sim.Result, error) {
	ended := r.clock.now()
	res := &r.result
	res.Scenario, res.Seed = r.scenario.Name, r.scenario.Seed
	res.Chart, res.Vehicles = r.place.Chart.Name, len(r.fleet.Vehicles())
	res.SimulatedS = ended.Sub(r.began).Seconds()
	res.WallSeconds = r.clock.wall(ended.Sub(r.began)).Seconds()
	tasks := map[string]*api.Task{}
	if r.client != nil {
		if err := r.askAll(ctx, ended, tasks); err != nil {
			return r.result, err
		}
	}
	r.fleet.Stop()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.judgeWork(tasks)
	res.ZoneViolations, res.BuildingHits, res.CaughtInside = len(r.geometry.Zones), len(r.geometry.Buildings), len(r.geometry.Caught)
	res.Violations = append(res.Violations, r.log.Findings()...)
	res.ViolationCounts = map[string]int{}
	for i := range res.Violations {
		res.ViolationCounts[res.Violations[i].Checker]++
	}
	res.Violations = res.Violations[:min(len(res.Violations), sim.MaxFindings)]
	res.Refusals = res.Refusals[:min(len(res.Refusals), sim.MaxFindings)]
	for _, z := range r.zones {
		res.ZonesMade++
		res.ZoneAffected += z.affected
	}
	res.JudgeThresholds(r.scenario.Bounds())
	res.Judge(r.scenario.Assert, func(name string) (time.Duration, string) { return r.took(tasks, name) })
	res.Metrics = res.Samples.Summaries()
	return r.result, nil
}

// askAll reads tasks, incidents and alerts.
func (r *connected) askAll(ctx context.Context, ended time.Time, tasks map[string]*api.Task) error {
	list, err := r.client.Tasks(ctx, nil)
	if err != nil {
		return err
	}
	for i := range list {
		tasks[list[i].ID] = &list[i]
	}
	incidents, err := r.client.Incidents(ctx, nil)
	if err != nil {
		return err
	}
	alerts, err := r.client.Alerts(ctx, nil)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	refused, reportsRefused := r.result.Refused, r.result.IncidentsRefused
	r.result.Summary = sim.Summarize(ended, len(r.tasks), func(i int) (api.Task, bool) {
		if t := tasks[r.tasks[i].id]; t != nil {
			return *t, true
		}
		return api.Task{}, false
	})
	r.result.Refused = refused
	for _, made := range r.tasks {
		if t := tasks[made.id]; t != nil {
			r.result.Samples.AddTask(t, r.kindOf(t.Vehicle), ended)
		}
	}
	known := map[string]*api.Incident{}
	for i := range incidents {
		known[incidents[i].ID] = &incidents[i]
	}
	r.result.Add(len(r.reports), func(i int) (response time.Duration, reached bool) {
		response = ended.Sub(r.reports[i].at)
		one := known[r.reports[i].id]
		if one == nil {
			return response, false
		}
		if reached = !one.ReachedAt.IsZero(); reached {
			response = one.ReachedAt.Sub(r.reports[i].at)
		}
		r.result.Samples.AddIncident(one.Kind, one.Severity, response, reached)
		return response, reached
	})
	r.result.IncidentsRefused = reportsRefused
	for i := range alerts {
		if alerts[i].RaisedAt.Before(r.began) {
			continue
		}
		r.result.Alerts++
		if alerts[i].ClearedAt.IsZero() {
			r.result.AlertsOpen++
		}
	}
	return nil
}

// kindOf is the kind of a vehicle, empty for none.
func (r *connected) kindOf(id string) string {
	for i := range r.scenario.Fleets {
		f := &r.scenario.Fleets[i]
		if id != "" && r.scenario.Named(f.Prefix+"*", id) {
			return f.Kind
		}
	}
	return ""
}

// judgeWork holds what the backend says against what the bodies did. Nothing
// runs any more.
func (r *connected) judgeWork(tasks map[string]*api.Task) {
	res := &r.result
	find := func(checker, vehicle, object, format string, args ...any) {
		res.Violations = append(res.Violations, check.Finding{Checker: checker, Vehicle: vehicle, Object: object, Text: fmt.Sprintf(format, args...)})
	}
	r.fleet.Stops(func(task string, stop, times int) {
		res.StopsDone++
		if times > 1 {
			res.StopsDoneTwice++
			find(check.Twice, "", task, "stop %d of task %s was done %d times", stop, task, times)
		}
	})
	for _, made := range r.tasks {
		t := tasks[made.id]
		if t == nil {
			find(check.LostTask, "", made.id, "task %s was answered with success and is not known", made.id)
			continue
		}
		for i := range t.Stops {
			if t.Stops[i].State == "done" && r.fleet.Done(t.ID, i+1) == 0 {
				res.StopsMissed++
				find(check.Missed, "", t.ID, "stop %d of task %s is called done and was not done", i+1, t.ID)
			}
		}
	}
	carriers := map[string]int{}
	for _, v := range r.fleet.Vehicles() {
		v.With(func(a *agent.Agent) {
			for _, task := range a.Truth().OnBoard() {
				carriers[task]++
				t := tasks[task]
				if carriers[task] > 1 || t != nil && t.State == "done" {
					res.CustodyBreaches++
					find(check.Custody, a.ID(), task, "the load of task %s is where it must not be", task)
				}
			}
			for _, text := range a.Truth().Breaches {
				res.CustodyBreaches++
				find(check.Custody, a.ID(), a.ID(), "%s", text)
			}
		})
	}
}

// took is how long a named order took, or why it is not done.
func (r *connected) took(tasks map[string]*api.Task, name string) (time.Duration, string) {
	for _, made := range r.tasks {
		if made.name != name {
			continue
		}
		t := tasks[made.id]
		if t == nil || t.State != "done" {
			return 0, fmt.Sprintf("task %s is not done", made.id)
		}
		return t.EndedAt.Sub(made.at), ""
	}
	return 0, "no such order was taken"
}

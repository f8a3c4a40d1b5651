package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// Figures are the values that assertions compare, by the names of scenario.Figures.
func (r *Result) Figures() map[string]float64 { return r.figures() }

// figures are the values that assertions compare.
func (r *Result) figures() map[string]float64 {
	all := map[string]float64{
		"tasks_ordered": float64(r.Ordered), "tasks_refused": float64(r.Refused),
		"stops_done": float64(r.StopsDone), "stops_done_twice": float64(r.StopsDoneTwice),
		"stops_missed": float64(r.StopsMissed), "custody_breaches": float64(r.CustodyBreaches),
		"zone_violations": float64(r.ZoneViolations), "building_hits": float64(r.BuildingHits),
		"caught_inside": float64(r.CaughtInside), "zones_made": float64(r.ZonesMade),
		"zone_affected": float64(r.ZoneAffected), "zone_answer_s": r.ZoneAnswerS,
		"alerts": float64(r.Alerts), "alerts_open": float64(r.AlertsOpen),
		"crashes": float64(r.Crashes), "events": float64(r.Events), "violations": r.violations(),
		"incidents_reported": float64(r.IncidentsReported), "incidents_refused": float64(r.IncidentsRefused),
	}
	maps.Copy(all, r.atEnd)
	both(&r.Summary, &r.IncidentSummary, "", all)
	if r.Baseline != nil {
		other := map[string]float64{}
		both(&r.Baseline.Summary, &r.Baseline.IncidentSummary, "baseline_", other)
		for _, name := range scenario.Compared() {
			all["baseline_"+name] = other["baseline_"+name]
		}
	}
	return all
}

// both adds the figures that there are of both rules of dispatch.
func both(s *Summary, i *IncidentSummary, before string, all map[string]float64) {
	ratio := 1.0
	if s.Due > 0 {
		ratio = float64(s.DueDone) / float64(s.Due)
	}
	for name, value := range map[string]float64{
		"tasks_done": float64(s.Done), "tasks_failed": float64(s.Failed),
		"tasks_cancelled": float64(s.Cancelled), "tasks_underway": float64(s.Underway), "tasks_waiting": float64(s.Waiting), "tasks_lost": float64(s.Lost),
		"tasks_due": float64(s.Due), "tasks_due_done": float64(s.DueDone), "tasks_late": float64(s.Late),
		"due_done_ratio": ratio, "response_s_p50": s.ResponseP50S, "response_s_p95": s.ResponseP95S,
		"incidents_reached":       float64(i.IncidentsReached),
		"incident_response_s_p50": i.IncidentResponseP50S, "incident_response_s_p95": i.IncidentResponseP95S,
	} {
		all[before+name] = value
	}
}

// Judge adds what became of assertions to the outcomes. Took says how long a named
// order took, or why it is not done.
func (r *Result) Judge(assertions []string, took func(name string) (time.Duration, string)) {
	for _, text := range assertions {
		r.Outcomes = append(r.Outcomes, r.outcome(text, took))
	}
}

// outcome judges one assertion about the end of the run.
func (r *Result) outcome(text string, took func(name string) (time.Duration, string)) Outcome {
	a, err := scenario.ParseAssertion(text)
	if err != nil {
		return Outcome{Assertion: text, Found: err.Error()}
	}
	o := Outcome{Assertion: text, Expected: a.Expects(), AtS: r.SimulatedS}
	if a.Task != "" {
		o.Who = a.Task
		span, why := took(a.Task)
		if o.Found = why; why == "" {
			o.Held, o.Found = span <= a.Within, fmt.Sprintf("done after %v", span.Round(time.Second))
		}
		return o
	}
	if a.When != scenario.AtEnd {
		o.Found = "it is judged each second, in virtual time only"
		return o
	}
	all := r.figures()
	value, bound := all[a.Figure], a.Number
	o.Found = fmt.Sprintf("%s is %s", a.Figure, plain(value))
	if a.Other != "" {
		bound = all[a.Other]
		o.Found += fmt.Sprintf(", %s is %s", a.Other, plain(bound))
	}
	o.Held, o.Who = a.Holds(value, bound), r.about(a.Figure)
	return o
}

// about names the vehicles that the findings behind a figure are about.
func (r *Result) about(figure string) string {
	checkers := map[string][]string{
		"zone_violations": {check.Zones}, "building_hits": {check.Buildings}, "custody_breaches": {check.Custody},
		"stops_done_twice": {check.Twice}, "stops_missed": {check.Missed}, "tasks_lost": {check.LostTask}, "violations": check.Names(),
	}[figure]
	var c counted
	for i := range r.Findings {
		f := &r.Findings[i]
		who := f.Vehicle
		if who == "" {
			who = f.Object
		}
		if slices.Contains(checkers, f.Checker) && who != "" && !slices.Contains(c.names, who) {
			c.add(who)
		}
	}
	return c.reading().who
}

// violations counts all that must never happen, by any checker.
func (r *Result) violations() float64 {
	sum := 0
	for _, n := range r.ViolationCounts {
		sum += n
	}
	return float64(sum)
}

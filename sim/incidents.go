package sim

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// PlannedIncident is a report that will be made at a time of the run.
type PlannedIncident struct {
	At     time.Duration
	Report api.IncidentReport
	// CloseAfter is how long after At it is closed, 0 for never.
	CloseAfter time.Duration
}

// planIncidents draws all incidents of a scenario from its seed: the timed ones
// first, then each stream in order of time.
func (p *orderPlan) planIncidents() []PlannedIncident {
	var out []PlannedIncident
	for i := range p.scenario.Incidents.Timed {
		t := &p.scenario.Incidents.Timed[i]
		r := api.IncidentReport{Kind: t.Kind, Severity: t.Severity, Drill: t.Drill, RadiusM: t.RadiusM, Note: t.Name}
		if t.Where != "" {
			put(&r, p.named(t.Where))
		} else {
			put(&r, p.somewhere(t.Between))
		}
		out = append(out, PlannedIncident{At: t.At.D(), Report: r, CloseAfter: t.CloseAfter.D()})
	}
	for i := range p.scenario.Incidents.Stream {
		t := &p.scenario.Incidents.Stream[i]
		next := pace(p.rand, t.PerMinute, t.Count, t.From, min(t.Until, p.scenario.Duration))
		for at, ok := next(); ok && len(out) < scenario.MaxIncidents; at, ok = next() {
			r := api.IncidentReport{
				Kind:     share(p.rand, t.Kinds, slices.Sorted(maps.Keys(t.Kinds))),
				Severity: share(p.rand, t.Severities, []string{"minor", "serious", "critical"}), Drill: t.Drill,
			}
			put(&r, p.somewhere(t.Between))
			out = append(out, PlannedIncident{At: at, Report: r, CloseAfter: t.CloseAfter.D()})
		}
	}
	return out
}

// somewhere draws a place that the fleets of the run reach.
func (p *orderPlan) somewhere(between string) api.OrderStop {
	ends := p.usable(nil, between)
	if len(ends) == 0 {
		ends = p.endpoints
	}
	if len(ends) == 0 {
		return api.OrderStop{}
	}
	return stopOf(&ends[p.rand.IntN(len(ends))], between)
}

// put makes a stop the place of an incident.
func put(r *api.IncidentReport, at api.OrderStop) {
	r.Position, r.Site, r.Place = at.Position, at.Site, at.Place
}

// incident is what became of a report as its client knows it.
type incident struct {
	at      int64
	id      fleet.IncidentID
	refused string
}

// report puts one incident into the queue.
func (p *people) report(planned PlannedIncident) {
	it := &incident{at: int64(planned.At)}
	p.incidents = append(p.incidents, it)
	number := len(p.incidents)
	p.w.after(planned.At, func() {
		p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/incidents incident-%d", number), fleet.ReportIncident{Report: planned.Report}, func(a fleet.Answer) {
			if a.Problem != nil {
				it.refused = a.Problem.Code + ": " + a.Problem.Detail
				return
			}
			var made api.Incident
			if err := json.Unmarshal(a.Body, &made); err != nil {
				p.w.fail(fmt.Errorf("the answer to incident %d: %w", number, err))
			}
			it.id = fleet.IncidentID(made.ID)
		})
	})
	if planned.CloseAfter > 0 {
		p.w.after(planned.At+planned.CloseAfter, func() {
			if it.id != "" {
				p.post("dispatcher", fmt.Sprintf("dispatcher POST /v1/incidents/%s/close incident-%d", it.id, number),
					fleet.CloseIncident{Incident: it.id, Closure: api.IncidentClosure{Outcome: "over"}}, func(fleet.Answer) {})
			}
		})
	}
}

// IncidentSummary is what became of the incidents of a run.
type IncidentSummary struct {
	// IncidentsReported counts reports answered with success, IncidentsRefused
	// those answered otherwise, IncidentsReached those of the reported where a
	// vehicle began its work.
	IncidentsReported int `json:"incidents_reported"`
	IncidentsRefused  int `json:"incidents_refused"`
	IncidentsReached  int `json:"incidents_reached"`
	// IncidentResponseP50S and IncidentResponseP95S are seconds from the report to
	// the first begin of work there. An incident that was not reached counts with
	// the time to the end of the run.
	IncidentResponseP50S float64 `json:"incident_response_s_p50"`
	IncidentResponseP95S float64 `json:"incident_response_s_p95"`
}

// Add counts reports that were answered with success, by how long it took until
// somebody began to work there; false means that nobody did, and the time counts to
// the end of the run.
func (s *IncidentSummary) Add(count int, response func(i int) (time.Duration, bool)) {
	var responses []float64
	for i := range count {
		span, reached := response(i)
		if reached {
			s.IncidentsReached++
		}
		responses = append(responses, span.Seconds())
	}
	s.IncidentsReported = count
	s.IncidentResponseP50S, s.IncidentResponseP95S = quantiles(responses)
}

// summarizeIncidents says what became of the incidents.
func (w *world) summarizeIncidents(state *fleet.State) IncidentSummary {
	var s IncidentSummary
	var reported []*incident
	for _, it := range w.people.incidents {
		if it.refused != "" {
			s.IncidentsRefused++
		}
		if it.id != "" {
			reported = append(reported, it)
		}
	}
	s.Add(len(reported), func(i int) (time.Duration, bool) {
		began := w.start.Add(time.Duration(reported[i].at))
		if in := state.Durable.Incidents[reported[i].id]; in != nil && !in.ReachedAt.IsZero() {
			return in.ReachedAt.Sub(began), true
		}
		return w.time().Sub(began), false
	})
	return s
}

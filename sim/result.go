package sim

import (
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
)

// Grace is how long after its promised arrival a task counts as due.
const Grace = time.Minute

// Summary is what became of the orders of a run.
type Summary struct {
	// Ordered counts orders that were answered with success; Refused those
	// answered otherwise.
	Ordered int `json:"ordered"`
	Refused int `json:"refused"`
	Done    int `json:"done"`
	// Due are tasks whose promised arrival plus Grace lies within the run, DueDone
	// those of them that are done. Late are tasks that reached their last stop, or
	// have yet to reach it, later than that.
	Due       int `json:"due"`
	DueDone   int `json:"due_done"`
	Late      int `json:"late"`
	Waiting   int `json:"waiting"`
	Underway  int `json:"underway"`
	Failed    int `json:"failed"`
	Cancelled int `json:"cancelled"`
	// Lost are orders that were answered with success and that the backend does
	// not know, or keeps waiting without a reason.
	Lost int `json:"lost"`
	// ResponseP50S and ResponseP95S are seconds from the order to the begin of
	// work at the first stop, over the tasks that came that far.
	ResponseP50S float64 `json:"response_s_p50"`
	ResponseP95S float64 `json:"response_s_p95"`
}

// Outcome is an assertion, or a bound of a threshold, with what was found.
type Outcome struct {
	// Assertion is it as it was written; a bound of a threshold with its metric
	// before it.
	Assertion string `json:"assertion"`
	Held      bool   `json:"held"`
	// Expected is what had to hold, Found what was so.
	Expected string `json:"expected,omitempty"`
	Found    string `json:"found"`
	// AtS is the second of the run at which it was decided: when it broke, or came
	// true; at the end when that is what counts. Who is whom it is about: vehicles
	// and tasks, empty when it is about all.
	AtS float64 `json:"at_s"`
	Who string  `json:"who,omitempty"`
}

// Result is what a run showed.
type Result struct {
	Scenario string `json:"scenario"`
	Seed     uint64 `json:"seed"`
	Chart    string `json:"chart"`
	Vehicles int    `json:"vehicles"`
	Summary
	IncidentSummary

	StopsDone       int `json:"stops_done"`
	StopsDoneTwice  int `json:"stops_done_twice"`
	StopsMissed     int `json:"stops_missed"`
	CustodyBreaches int `json:"custody_breaches"`
	ZoneViolations  int `json:"zone_violations"`
	// CaughtInside counts stays in a zone that appeared around a vehicle, which
	// are no violations.
	CaughtInside int `json:"caught_inside"`
	// ZonesMade counts the scenario's zones that were made, ZoneAffected the
	// vehicles that they touched, each once for each zone. ZoneAnswerS is the
	// longest time from the request of a zone to the last acceptance of a lawful
	// revision or command by those vehicles; up to the end where there was none.
	ZonesMade    int     `json:"zones_made"`
	ZoneAffected int     `json:"zone_affected"`
	ZoneAnswerS  float64 `json:"zone_answer_s"`
	BuildingHits int     `json:"building_hits"`
	Alerts       int     `json:"alerts"`
	AlertsOpen   int     `json:"alerts_open"`
	Decisions    int     `json:"decisions"`
	Crashes      int     `json:"crashes"`
	// Refusals are requests that the backend refused, with the reason; at most
	// MaxFindings. Baseline is how another rule of dispatch did.
	Refusals []string  `json:"refusals,omitempty"`
	Baseline *Baseline `json:"baseline,omitempty"`
	// Findings are the first of what the checkers found, at most MaxFindings.
	Findings []check.Finding `json:"findings,omitempty"`
	Outcomes []Outcome       `json:"assertions,omitempty"`
	// Violations are what must never happen, by any checker, in order of time: at
	// most check.MaxKept of each; ViolationCounts count all by checker.
	Violations      []check.Finding `json:"violations,omitempty"`
	ViolationCounts map[string]int  `json:"violation_counts,omitempty"`
	// Forgiven are findings for which a vehicle cannot be blamed, with the reason;
	// Unfinished what liveness does not ask for. At most MaxFindings of each.
	Forgiven   []check.Finding `json:"forgiven,omitempty"`
	Unfinished []string        `json:"unfinished,omitempty"`
	SeparationSummary
	// Samples are what was measured, Metrics their distributions.
	Samples Samples         `json:"-"`
	Metrics []MetricSummary `json:"metrics,omitempty"`
	// atEnd are figures that are read from the vehicles at the end.
	atEnd map[string]float64

	// Events is how many durable events there are, EventLogSHA256 the checksum
	// over all events in order, volatile and lost ones included.
	Events         uint64  `json:"events"`
	EventLogSHA256 string  `json:"event_log_sha256"`
	SimulatedS     float64 `json:"simulated_seconds"`
	WallSeconds    float64 `json:"wall_seconds"`
}

// Baseline is what became of the same orders and incidents by another rule of
// dispatch.
type Baseline struct {
	Policy string `json:"policy"`
	Summary
	IncidentSummary
}

// MaxFindings bounds Result.Findings; the counts count all.
const MaxFindings = 50

// Passed tells whether every assertion held.
func (r *Result) Passed() bool {
	return !slices.ContainsFunc(r.Outcomes, func(o Outcome) bool { return !o.Held })
}

func (w *world) result() Result {
	s := &w.scenario
	r := Result{
		Scenario: s.Name, Seed: s.Seed, Chart: w.chart.Name, Vehicles: len(w.vehicles),
		Crashes: w.backend.crashes, Decisions: w.people.decisions,
		EventLogSHA256: hex.EncodeToString(w.hasher.Sum(nil)), SimulatedS: time.Duration(w.end).Seconds(),
	}
	state := w.finalState()
	r.Events = state.Durable.Index
	r.Summary = summarize(state, w.time(), w.orderedTasks())
	r.IncidentSummary = w.summarizeIncidents(state)
	for _, o := range w.people.orders {
		if o.refused != "" {
			r.Refused++
		}
	}
	w.judgeZones(&r)
	r.Refusals = w.refusals()
	for _, a := range state.Durable.Alerts {
		r.Alerts++
		if a.Open() {
			r.AlertsOpen++
		}
	}
	w.judge(&r, state)
	w.conclude(&r, state)
	return r
}

// assert judges the scenario's assertions and thresholds.
func (w *world) assert(r *Result) {
	state := w.finalState()
	for _, text := range w.scenario.Assert {
		if o, ok := w.watchedOutcome(text); ok {
			r.Outcomes = append(r.Outcomes, o)
			continue
		}
		r.Judge([]string{text}, func(name string) (time.Duration, string) { return w.took(state, name) })
	}
	r.JudgeThresholds(w.scenario.Bounds())
}

// judgeZones says what became of the scenario's zones.
func (w *world) judgeZones(r *Result) {
	r.CaughtInside = len(w.geometry.Caught)
	for _, z := range w.people.zones {
		if z.id == "" {
			continue
		}
		r.ZonesMade++
		r.ZoneAffected += len(z.affected)
		settledS := z.settledS
		if len(z.open) > 0 {
			settledS = time.Duration(w.end - z.askedAt).Seconds()
		}
		r.ZoneAnswerS = max(r.ZoneAnswerS, settledS)
	}
}

// refusals lists what was refused.
func (w *world) refusals() []string {
	var all []string
	note := func(what string, number int, why string) {
		if why != "" {
			all = append(all, fmt.Sprintf("%s %d: %s", what, number+1, why))
		}
	}
	for i, o := range w.people.orders {
		note("order", i, o.refused)
	}
	for i, it := range w.people.incidents {
		note("incident", i, it.refused)
	}
	for i, z := range w.people.zones {
		note("zone", i, z.refused)
	}
	all = append(all, w.people.refused...)
	return all[:min(len(all), MaxFindings)]
}

// finalState is the live state, or what the journal holds when the run ends
// while the backend is down.
func (w *world) finalState() *fleet.State {
	w.backend.finish()
	if w.backend.up() {
		return w.backend.core.Fleet().State()
	}
	return fleet.NewState()
}

// orderedTasks are the tasks that clients were told of.
func (w *world) orderedTasks() []fleet.TaskID {
	var ids []fleet.TaskID
	for _, o := range w.people.orders {
		if o.task != "" {
			ids = append(ids, o.task)
		}
	}
	return ids
}

func (w *world) judge(r *Result, state *fleet.State) {
	agents := make([]*agent.Agent, len(w.vehicles))
	for i, v := range w.vehicles {
		agents[i] = v.agent
	}
	work := check.JudgeWork(state, truthOf(agents))
	var breaches []check.Finding
	for _, v := range w.vehicles {
		for _, text := range v.agent.Truth().Breaches {
			breaches = append(breaches, check.Finding{Checker: check.Custody, Vehicle: v.id, Object: v.id, Text: text})
		}
	}
	r.StopsDone, r.StopsDoneTwice, r.StopsMissed = work.StopsDone, len(work.Twice), len(work.Missed)
	r.CustodyBreaches = len(work.Custody) + len(breaches)
	r.ZoneViolations, r.BuildingHits = len(w.geometry.Zones), len(w.geometry.Buildings)
	done := [][]check.Finding{work.Twice, work.Missed, work.Custody, breaches, w.backend.stream.judge()}
	for _, list := range append([][]check.Finding{w.geometry.Zones, w.geometry.Buildings}, done...) {
		r.Findings = append(r.Findings, list...)
	}
	r.Findings = r.Findings[:min(len(r.Findings), MaxFindings)]
	w.jury.finish(r, state, slices.Concat(done...))
}

// summarize counts what became of the tasks that were ordered, at a time.
func summarize(state *fleet.State, now time.Time, ordered []fleet.TaskID) Summary {
	return Summarize(now, len(ordered), func(i int) (api.Task, bool) { return state.TaskView(ordered[i]) })
}

// Summarize counts what became of a number of orders that were answered with
// success, at a time. Task gives the task of one, or false when the backend does
// not know it.
func Summarize(now time.Time, ordered int, task func(i int) (api.Task, bool)) Summary {
	s := Summary{Ordered: ordered}
	var responses []float64
	for i := range ordered {
		t, ok := task(i)
		if !ok {
			s.Lost++
			continue
		}
		s.count(&t, now)
		if begun := t.Stops[0].BegunAt; !begun.IsZero() {
			responses = append(responses, begun.Sub(t.OrderedAt).Seconds())
		}
	}
	s.ResponseP50S, s.ResponseP95S = quantiles(responses)
	return s
}

// count adds one task.
func (s *Summary) count(t *api.Task, now time.Time) {
	switch t.State {
	case "done":
		s.Done++
	case "failed":
		s.Failed++
	case "cancelled":
		s.Cancelled++
	case "waiting":
		s.Waiting++
		if t.Reason == "" {
			s.Lost++
		}
	default:
		s.Underway++
	}
	if t.PromisedAt.IsZero() || t.State == "cancelled" {
		return
	}
	due := t.PromisedAt.Add(Grace)
	if due.After(now) {
		return
	}
	s.Due++
	if t.State == "done" {
		s.DueDone++
	}
	if begun := t.Stops[len(t.Stops)-1].BegunAt; begun.IsZero() || begun.After(due) {
		s.Late++
	}
}

// quantiles are the values below which half and 95 % of the values lie.
func quantiles(values []float64) (p50, p95 float64) {
	slices.Sort(values)
	return quantile(values, 0.5), quantile(values, 0.95)
}

// quantile is the value below which the part q of sorted values lies, 0 of none.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

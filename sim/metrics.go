package sim

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// MaxSamples bounds the samples of one metric that are kept; the later ones are
// left out.
const MaxSamples = 1 << 20

// Sample is one measured value of a metric with its labels, such as
// {priority, emergency}.
type Sample struct {
	Value  float64
	Labels []scenario.Selector
}

// has tells whether the sample has all the labels.
func (s *Sample) has(selectors []scenario.Selector) bool {
	for _, want := range selectors {
		if !slices.Contains(s.Labels, want) {
			return false
		}
	}
	return true
}

// Samples are what was measured in a run, by the names that scenario.Metrics lists.
// The zero Samples are empty and usable.
type Samples struct{ of map[string][]Sample }

// Add takes one sample in. Labels are pairs of a label and its value; those with an
// empty value are left out.
func (s *Samples) Add(metric string, value float64, labels ...string) {
	if s.of == nil {
		s.of = map[string][]Sample{}
	}
	if len(s.of[metric]) >= MaxSamples {
		return
	}
	one := Sample{Value: value}
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i+1] != "" {
			one.Labels = append(one.Labels, scenario.Selector{Label: labels[i], Value: labels[i+1]})
		}
	}
	s.of[metric] = append(s.of[metric], one)
}

// Values are the values of a metric's samples that have the labels.
func (s *Samples) Values(metric string, selectors []scenario.Selector) []float64 {
	var values []float64
	for i := range s.of[metric] {
		if one := &s.of[metric][i]; one.has(selectors) {
			values = append(values, one.Value)
		}
	}
	return values
}

// AddTask measures an order that was answered with success, at the end of a run.
// VehicleKind is that of the vehicle that has the task, empty for none.
func (s *Samples) AddTask(t *api.Task, vehicleKind string, end time.Time) {
	labels := []string{"priority", t.Priority, "kind", t.Kind, "vehicle_kind", vehicleKind}
	cancelled := t.State == "cancelled"
	until := end
	if cancelled && !t.EndedAt.IsZero() {
		until = t.EndedAt
	}
	first, last := &t.Stops[0], &t.Stops[len(t.Stops)-1]
	s.Add("response_s", orEnd(first.BegunAt, until).Sub(t.OrderedAt).Seconds(), labels...)
	if cancelled {
		return
	}
	s.Add("done", asNumber(t.State == "done"), labels...)
	if t.Kind == "delivery" {
		s.Add("delivery_s", orEnd(last.DoneAt, end).Sub(t.OrderedAt).Seconds(), labels...)
	}
	if t.PromisedAt.IsZero() {
		return
	}
	late := orEnd(last.BegunAt, end).Sub(t.PromisedAt)
	if !last.BegunAt.IsZero() || late > 0 {
		s.Add("lateness_s", late.Seconds(), labels...)
	}
	if !last.BegunAt.IsZero() || late > Grace {
		s.Add("on_time", asNumber(late <= Grace && t.State != "failed"), labels...)
	}
}

// AddIncident measures a report that was answered with success: how long it took
// until somebody began to work there, or to the end of the run when nobody did.
func (s *Samples) AddIncident(kind, severity string, response time.Duration, reached bool) {
	s.Add("incident_response_s", response.Seconds(), "kind", kind, "severity", severity)
	s.Add("incident_reached", asNumber(reached), "kind", kind, "severity", severity)
}

// orEnd is a time, or the end when it has not come.
func orEnd(at, end time.Time) time.Time {
	if at.IsZero() {
		return end
	}
	return at
}

// asNumber is 1 for true and 0 for false.
func asNumber(is bool) float64 {
	if is {
		return 1
	}
	return 0
}

// MetricSummary is the distribution of a metric.
type MetricSummary struct {
	Name  string  `json:"name"`
	Count int     `json:"count"`
	Min   float64 `json:"min"`
	Avg   float64 `json:"avg"`
	Med   float64 `json:"med"`
	P90   float64 `json:"p90"`
	P95   float64 `json:"p95"`
	Max   float64 `json:"max"`
}

// Summaries are the distributions of all metrics that have samples, in the order of
// scenario.Metrics.
func (s *Samples) Summaries() []MetricSummary {
	var all []MetricSummary
	for _, m := range scenario.Metrics() {
		values := s.Values(m.Name, nil)
		if len(values) == 0 {
			continue
		}
		slices.Sort(values)
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		all = append(all, MetricSummary{
			Name: m.Name, Count: len(values), Min: values[0], Max: values[len(values)-1], Avg: sum / float64(len(values)),
			Med: scenario.Percentile(values, 50), P90: scenario.Percentile(values, 90), P95: scenario.Percentile(values, 95),
		})
	}
	return all
}

// JudgeThresholds adds what became of thresholds to the outcomes. One that has no
// sample does not hold, as it proves nothing, unless it counts them.
func (r *Result) JudgeThresholds(bounds []scenario.Threshold) {
	for i := range bounds {
		t := &bounds[i]
		o := Outcome{
			Assertion: t.Text, Expected: fmt.Sprintf("%s %s %s", t.Name(), t.Op, plain(t.Number)), AtS: r.SimulatedS,
		}
		values := r.Samples.Values(t.Metric, t.Selectors)
		value, ok := t.Of(values)
		if ok {
			o.Held = t.Holds(value)
			o.Found = fmt.Sprintf("%s is %s over %d", t.Name(), plain(value), len(values))
		} else {
			o.Found = "there is no sample"
		}
		r.Outcomes = append(r.Outcomes, o)
	}
}

// plain writes a number with at most four digits after the point.
func plain(v float64) string {
	text := strconv.FormatFloat(v, 'f', 4, 64)
	for text[len(text)-1] == '0' {
		text = text[:len(text)-1]
	}
	if text[len(text)-1] == '.' {
		text = text[:len(text)-1]
	}
	return text
}

// measure takes the samples that are known at the end of a run.
func (w *world) measure(state *fleet.State) {
	now := w.time()
	s := &w.people.samples
	for _, id := range w.orderedTasks() {
		if t, ok := state.TaskView(id); ok {
			s.AddTask(&t, string(w.kindOf(t.Vehicle)), now)
		}
	}
	for _, it := range w.people.incidents {
		in := state.Durable.Incidents[it.id]
		if in == nil {
			continue
		}
		s.AddIncident(in.Kind, string(in.Severity), orEnd(in.ReachedAt, now).Sub(w.start.Add(time.Duration(it.at))), !in.ReachedAt.IsZero())
	}
	for _, z := range w.people.zones {
		if z.id != "" && len(z.open) == 0 {
			s.Add("zone_answer_s", z.settledS)
		} else if z.id != "" {
			s.Add("zone_answer_s", time.Duration(w.now-z.askedAt).Seconds())
		}
	}
	for _, v := range w.vehicles {
		s.Add("energy_left_ratio", w.vigil.lowest(v), "vehicle_kind", string(v.kind))
	}
	var alerts []*fleet.Alert
	for _, a := range state.Durable.Alerts {
		alerts = append(alerts, a)
	}
	slices.SortFunc(alerts, func(a, b *fleet.Alert) int { return cmp.Compare(a.ID, b.ID) })
	for _, a := range alerts {
		s.Add("alert_open_s", orEnd(a.ClearedAt, now).Sub(a.RaisedAt).Seconds(), "kind", string(a.Kind))
	}
}

// kindOf is the kind of a vehicle, empty for none.
func (w *world) kindOf(id string) protocol.Kind {
	if v := w.byID[id]; v != nil {
		return v.kind
	}
	return ""
}

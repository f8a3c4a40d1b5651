package scenario

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Metric is something that is measured again and again in a run.
type Metric struct {
	Name string
	// Selectors are the labels that its samples have.
	Selectors []string
	// Means says what one sample is.
	Means string
}

// Metrics lists what thresholds may bound.
func Metrics() []Metric {
	task := []string{"priority", "kind", "vehicle_kind"}
	incident := []string{"kind", "severity"}
	return []Metric{
		{"response_s", task, "seconds from an order to the begin of work at its first stop; one that nobody began counts with the time to the end, or to its cancelling"},
		{"delivery_s", task, "seconds from the order of a delivery to the end of its last stop; one that is not done, and not cancelled, counts with the time to the end"},
		{"lateness_s", task, "seconds from the promised arrival at the last stop to the begin of work there, negative when early; one that is not there counts when it is late by now"},
		{"on_time", task, "1 for a task whose promise was kept within 60 s, 0 for one where it was not; tasks that are not yet due do not count"},
		{"done", task, "1 for a task that is done, 0 for any other that is not cancelled"},
		{"incident_response_s", incident, "seconds from a report to the first begin of work there; an incident that nobody reached counts with the time to the end"},
		{"incident_reached", incident, "1 for an incident where a vehicle began its work, 0 for one that nobody reached"},
		{"zone_answer_s", nil, "seconds from the request of a zone until every vehicle that it concerns had accepted a lawful revision or command"},
		{"answer_s", []string{"kind"}, "seconds from a request to its answer as its client sees it, repetitions over a crash included; kind is order, incident, zone, action or decision"},
		{"commit_ms", nil, "milliseconds that a group of events took to be durable"},
		{"plan_ms", nil, "milliseconds from a background question to its answer"},
		{"energy_left_ratio", []string{"vehicle_kind"}, "the lowest charge of a vehicle in the run, 0 to 1"},
		{"alert_open_s", []string{"kind"}, "seconds that an alert was open, to the end when it still is"},
	}
}

// MaxThresholds bounds the expressions of a scenario.
const MaxThresholds = 1000

// Selector is a label that a sample must have.
type Selector struct{ Label, Value string }

// Threshold is a bound of an aggregate over the samples of a metric.
type Threshold struct {
	// Text is the metric and the expression as they were written.
	Text      string
	Metric    string
	Selectors []Selector
	// Aggregate is avg, min, max, med, count, rate, or p with the percentage P.
	Aggregate string
	P         float64
	Op        string
	Number    float64
}

func aggregates() []string { return []string{"p(N)", "avg", "min", "max", "med", "count", "rate"} }

// ParseThreshold reads a metric with optional selectors, such as
// "response_s{priority=emergency}", and an expression, such as "p(90)<180".
func ParseThreshold(metric, expression string) (Threshold, error) {
	t := Threshold{Text: metric + " " + expression}
	if err := t.parseMetric(metric); err != nil {
		return t, err
	}
	return t, t.parseExpression(expression)
}

func (t *Threshold) parseMetric(text string) error {
	name, rest, selected := strings.Cut(strings.TrimSpace(text), "{")
	t.Metric = strings.TrimSpace(name)
	all := Metrics()
	names := make([]string, len(all))
	for i := range all {
		names[i] = all[i].Name
	}
	at := slices.Index(names, t.Metric)
	if at < 0 {
		return fmt.Errorf("%q is not a metric%s; known are %s", t.Metric, nearest(t.Metric, names), strings.Join(names, ", "))
	}
	if !selected {
		return nil
	}
	inner, ok := strings.CutSuffix(rest, "}")
	if !ok || strings.TrimSpace(inner) == "" {
		return fmt.Errorf("%q: selectors are written {label=value,label=value}", text)
	}
	for part := range strings.SplitSeq(inner, ",") {
		label, value, ok := strings.Cut(part, "=")
		s := Selector{strings.TrimSpace(label), strings.TrimSpace(value)}
		if !ok || s.Value == "" {
			return fmt.Errorf("%q: the selector %q is not label=value", text, part)
		}
		if err := all[at].check(s); err != nil {
			return err
		}
		if slices.ContainsFunc(t.Selectors, func(o Selector) bool { return o.Label == s.Label }) {
			return fmt.Errorf("%q: the selector %s stands there twice", text, s.Label)
		}
		t.Selectors = append(t.Selectors, s)
	}
	slices.SortFunc(t.Selectors, func(a, b Selector) int { return cmp.Compare(a.Label, b.Label) })
	return nil
}

// check judges a selector of the metric.
func (m *Metric) check(s Selector) error {
	if len(m.Selectors) == 0 {
		return fmt.Errorf("%s has no selectors; leave {%s=%s} out", m.Name, s.Label, s.Value)
	}
	if !slices.Contains(m.Selectors, s.Label) {
		return fmt.Errorf("%q is not a selector of %s; known are %s", s.Label, m.Name, strings.Join(m.Selectors, ", "))
	}
	known := map[string][]string{"priority": priorities(), "vehicle_kind": kinds(), "severity": severities()}[s.Label]
	if s.Label == "kind" && slices.Contains(m.Selectors, "priority") {
		known = taskKinds()
	}
	if s.Label == "kind" && m.Name == "answer_s" {
		known = []string{"order", "incident", "zone", "action", "decision"}
	}
	if known != nil && !slices.Contains(known, s.Value) {
		return fmt.Errorf("%s=%s: the value is not one of %s", s.Label, s.Value, strings.Join(known, ", "))
	}
	return nil
}

func (t *Threshold) parseExpression(text string) error {
	trimmed := strings.ReplaceAll(text, " ", "")
	at := strings.IndexAny(trimmed, "<>=!")
	if at < 0 {
		return fmt.Errorf(`%q is not "AGGREGATE OP NUMBER", such as p(90)<180`, text)
	}
	end := at + 1
	if end < len(trimmed) && trimmed[end] == '=' {
		end++
	}
	t.Aggregate, t.Op = trimmed[:at], trimmed[at:end]
	if !slices.Contains([]string{"<", "<=", ">", ">=", "=="}, t.Op) {
		return fmt.Errorf("%q: %q is not one of < <= > >= ==", text, t.Op)
	}
	if inner, ok := strings.CutPrefix(t.Aggregate, "p("); ok {
		inner, ok = strings.CutSuffix(inner, ")")
		p, err := strconv.ParseFloat(inner, 64)
		if !ok || err != nil || !(p >= 0 && p <= 100) {
			return fmt.Errorf("%q: %s is not p(N) with N from 0 to 100", text, t.Aggregate)
		}
		t.Aggregate, t.P = "p", p
	} else if !slices.Contains(aggregates()[1:], t.Aggregate) {
		return fmt.Errorf("%q: %q is not one of %s", text, t.Aggregate, strings.Join(aggregates(), ", "))
	}
	n, err := strconv.ParseFloat(trimmed[end:], 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return fmt.Errorf("%q: %q is not a number", text, trimmed[end:])
	}
	t.Number = n
	return nil
}

// Of is the aggregate over values, in any order, which it sorts; false when there
// are none, and it is neither count nor defined without them.
func (t *Threshold) Of(values []float64) (float64, bool) {
	n := len(values)
	if t.Aggregate == "count" {
		return float64(n), true
	}
	if n == 0 {
		return 0, false
	}
	slices.Sort(values)
	switch t.Aggregate {
	case "min":
		return values[0], true
	case "max":
		return values[n-1], true
	case "med":
		return Percentile(values, 50), true
	case "p":
		return Percentile(values, t.P), true
	}
	sum := 0.0
	for _, v := range values {
		if t.Aggregate == "avg" {
			sum += v
		} else if v != 0 {
			sum++
		}
	}
	return sum / float64(n), true
}

// Percentile is the value below which p percent of the sorted values lie, between
// two of them by straight line; 0 of none.
func Percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	at := p / 100 * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Holds tells whether a value satisfies the bound.
func (t *Threshold) Holds(value float64) bool { return holds(t.Op, value, t.Number) }

// Name is the aggregate as it is written.
func (t *Threshold) Name() string {
	if t.Aggregate == "p" {
		return "p(" + strconv.FormatFloat(t.P, 'g', -1, 64) + ")"
	}
	return t.Aggregate
}

// Bounds are the thresholds of a scenario that was parsed, in order of the metric
// and then as they were written.
func (s *Scenario) Bounds() []Threshold {
	var all []Threshold
	for _, metric := range slices.Sorted(maps.Keys(s.Thresholds)) {
		for _, text := range s.Thresholds[metric] {
			if t, err := ParseThreshold(metric, text); err == nil {
				all = append(all, t)
			}
		}
	}
	return all
}

func (s *Scenario) validateThresholds() error {
	count := 0
	for _, metric := range slices.Sorted(maps.Keys(s.Thresholds)) {
		path := "thresholds." + quoted(metric)
		if count += len(s.Thresholds[metric]); count > MaxThresholds {
			return wrong("thresholds", "has more than %d expressions", MaxThresholds)
		}
		if len(s.Thresholds[metric]) == 0 {
			return wrong(path, "has no expression, such as p(90)<180")
		}
		for i, text := range s.Thresholds[metric] {
			if _, err := ParseThreshold(metric, text); err != nil {
				return wrong(fmt.Sprintf("%s[%d]", path, i), "cannot be checked: %v", err)
			}
		}
	}
	return nil
}

// quoted makes a key a part of a path.
func quoted(key string) string {
	if strings.ContainsAny(key, ".[]{}*'") {
		return "'" + strings.ReplaceAll(key, "'", "") + "'"
	}
	return key
}

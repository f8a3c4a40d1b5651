package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Assertion is a statement about a run: a figure compared with a number or with
// another figure, at the end or at some or every second; or a named order that
// must be done within a time of being ordered.
type Assertion struct {
	// Text is the assertion as it was written.
	Text string
	// When is the part of the run that a comparison is about.
	When When
	// Figure and Op belong to "tasks_done >= 15", and what it is compared with: the
	// figure Other, or Number when that is empty.
	Figure string
	Op     string
	Other  string
	Number float64
	// Task and Within belong to "within 120s task NAME done"; Within alone, from the
	// start of the run, to "eventually within 300s FIGURE OP NUMBER".
	Task   string
	Within time.Duration
}

// When is the part of the run that a comparison is about.
type When uint8

// A comparison is made at the end; at each second, where it must become true once;
// or at each second, where it must never be true.
const (
	AtEnd When = iota
	Eventually
	Never
)

// Figures lists the names that an assertion may compare.
func Figures() []string {
	own := []string{
		"tasks_ordered", "tasks_refused", "tasks_done", "tasks_failed", "tasks_cancelled", "tasks_waiting", "tasks_lost",
		"tasks_due", "tasks_due_done", "tasks_late", "due_done_ratio",
		"stops_done", "stops_done_twice", "stops_missed", "custody_breaches",
		"zone_violations", "caught_inside", "building_hits", "zones_made", "zone_affected", "zone_answer_s",
		"alerts", "alerts_open", "alerts_unseen", "crashes", "events", "violations",
		"tasks_underway", "vehicles_live", "vehicles_lost", "vehicles_faulted", "vehicles_empty", "battery_ratio_min",
		"response_s_p50", "response_s_p95",
		"incidents_reported", "incidents_refused", "incidents_reached", "incident_response_s_p50", "incident_response_s_p95",
	}
	for _, name := range Compared() {
		own = append(own, baseline+name)
	}
	return own
}

// baseline begins the names of the figures of the other rule.
const baseline = "baseline_"

// Compared lists the figures that there are of the other rule too, as
// baseline_NAME.
func Compared() []string {
	return []string{
		"tasks_done", "tasks_late", "due_done_ratio", "response_s_p50", "response_s_p95",
		"incidents_reached", "incident_response_s_p50", "incident_response_s_p95",
	}
}

// LiveFigures lists the figures that can be read at each second of a run, which
// "never" and "eventually" are about.
func LiveFigures() []string {
	return []string{
		"tasks_ordered", "tasks_refused", "tasks_done", "tasks_failed", "tasks_cancelled", "tasks_waiting", "tasks_underway",
		"stops_done", "zone_violations", "caught_inside", "building_hits", "custody_breaches", "zones_made",
		"alerts", "alerts_open", "alerts_unseen", "crashes", "events", "incidents_reported", "incidents_reached",
		"vehicles_live", "vehicles_lost", "vehicles_faulted", "vehicles_empty", "battery_ratio_min", "violations",
	}
}

func operators() []string { return []string{"==", "!=", "<", "<=", ">", ">="} }

// ParseAssertion reads "FIGURE OP NUMBER" or "FIGURE OP FIGURE", with OP one of
// == != < <= > >=; the same after "never", "eventually" or "eventually within
// SPAN"; or "within SPAN task NAME done".
func ParseAssertion(text string) (Assertion, error) {
	words := strings.Fields(text)
	a := Assertion{Text: text}
	if len(words) == 5 && words[0] == "within" && words[2] == "task" && words[4] == "done" {
		a.Task = words[3]
		return a, a.span(words[1])
	}
	if len(words) > 0 && words[0] == "never" {
		a.When, words = Never, words[1:]
	} else if len(words) > 0 && words[0] == "eventually" {
		a.When, words = Eventually, words[1:]
		if len(words) > 1 && words[0] == "within" {
			if err := a.span(words[1]); err != nil {
				return a, err
			}
			words = words[2:]
		}
	}
	return a, a.compare(text, words)
}

// span reads the time of within.
func (a *Assertion) span(word string) error {
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 {
		return fmt.Errorf("%q is not a time span such as 120s", word)
	}
	a.Within = d
	return nil
}

// compare reads a comparison.
func (a *Assertion) compare(text string, words []string) error {
	if len(words) != 3 {
		return fmt.Errorf(`%q is neither "FIGURE OP NUMBER", alone or after never, eventually or eventually within SPAN, nor "within SPAN task NAME done"`, text)
	}
	known, about := Figures(), "a figure"
	if a.When != AtEnd {
		known, about = LiveFigures(), "a figure that can be read during the run"
	}
	if !slices.Contains(known, words[0]) {
		return fmt.Errorf("%q is not %s%s; known are %s", words[0], about, nearest(words[0], known), strings.Join(known, ", "))
	}
	if !slices.Contains(operators(), words[1]) {
		return fmt.Errorf("%q is not one of %s", words[1], strings.Join(operators(), " "))
	}
	a.Figure, a.Op = words[0], words[1]
	n, err := strconv.ParseFloat(words[2], 64)
	switch {
	case err == nil && n-n == 0:
		a.Number = n
	case slices.Contains(known, words[2]):
		a.Other = words[2]
	default:
		return fmt.Errorf("%q is neither a number nor %s%s", words[2], about, nearest(words[2], known))
	}
	return nil
}

// Expects says what must hold, as a person reads it.
func (a *Assertion) Expects() string {
	bound := a.Other
	if bound == "" {
		bound = strconv.FormatFloat(a.Number, 'g', -1, 64)
	}
	switch {
	case a.Task != "":
		return fmt.Sprintf("done within %v of the order", a.Within)
	case a.When == Never:
		return fmt.Sprintf("at no second %s %s", a.Op, bound)
	case a.When == Eventually && a.Within > 0:
		return fmt.Sprintf("%s %s within %v", a.Op, bound, a.Within)
	case a.When == Eventually:
		return fmt.Sprintf("%s %s at some second", a.Op, bound)
	}
	return a.Op + " " + bound
}

// comparesBaseline tells whether it needs the figures of another rule.
func (a Assertion) comparesBaseline() bool {
	return strings.HasPrefix(a.Figure, baseline) || strings.HasPrefix(a.Other, baseline)
}

// Holds tells whether a figure's value satisfies the comparison with a bound:
// Number, or the value of the figure Other.
func (a Assertion) Holds(value, bound float64) bool { return holds(a.Op, value, bound) }

func holds(op string, value, bound float64) bool {
	switch op {
	case "==":
		return value == bound
	case "!=":
		return value != bound
	case "<":
		return value < bound
	case "<=":
		return value <= bound
	case ">":
		return value > bound
	case ">=":
		return value >= bound
	}
	return false
}

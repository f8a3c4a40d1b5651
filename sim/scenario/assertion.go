package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Assertion is a statement about the outcome of a run: a figure compared with a
// number or with another figure, or a named order that must be done within a
// time of being ordered.
type Assertion struct {
	// Text is the assertion as it was written.
	Text string
	// Figure and Op belong to "tasks_done >= 15", and what it is compared with: the
	// figure Other, or Number when that is empty.
	Figure string
	Op     string
	Other  string
	Number float64
	// Task and Within belong to "within 120s task NAME done".
	Task   string
	Within time.Duration
}

// Figures lists the names that an assertion may compare.
func Figures() []string {
	own := []string{
		"tasks_ordered", "tasks_refused", "tasks_done", "tasks_failed", "tasks_cancelled", "tasks_waiting", "tasks_lost",
		"tasks_due", "tasks_due_done", "tasks_late", "due_done_ratio",
		"stops_done", "stops_done_twice", "stops_missed", "custody_breaches",
		"zone_violations", "caught_inside", "building_hits", "zones_made", "zone_affected", "zone_answer_s",
		"alerts", "alerts_open", "crashes", "events",
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

// ParseAssertion reads "FIGURE OP NUMBER" or "FIGURE OP FIGURE", with OP one of
// == != < <= > >=, or "within SPAN task NAME done".
func ParseAssertion(text string) (Assertion, error) {
	words := strings.Fields(text)
	a := Assertion{Text: text}
	if len(words) == 5 && words[0] == "within" && words[2] == "task" && words[4] == "done" {
		d, err := time.ParseDuration(words[1])
		if err != nil || d <= 0 {
			return a, fmt.Errorf("%q is not a time span such as 120s", words[1])
		}
		a.Within, a.Task = d, words[3]
		return a, nil
	}
	if len(words) != 3 {
		return a, fmt.Errorf(`%q is neither "FIGURE OP NUMBER" nor "within SPAN task NAME done"`, text)
	}
	if !slices.Contains(Figures(), words[0]) {
		return a, fmt.Errorf("%q is not a figure; known are %s", words[0], strings.Join(Figures(), ", "))
	}
	if !slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, words[1]) {
		return a, fmt.Errorf("%q is not one of == != < <= > >=", words[1])
	}
	a.Figure, a.Op = words[0], words[1]
	n, err := strconv.ParseFloat(words[2], 64)
	switch {
	case err == nil:
		a.Number = n
	case slices.Contains(Figures(), words[2]):
		a.Other = words[2]
	default:
		return a, fmt.Errorf("%q is neither a number nor a figure", words[2])
	}
	return a, nil
}

// comparesBaseline tells whether it needs the figures of another rule.
func (a Assertion) comparesBaseline() bool {
	return strings.HasPrefix(a.Figure, baseline) || strings.HasPrefix(a.Other, baseline)
}

// Holds tells whether a figure's value satisfies the comparison with a bound:
// Number, or the value of the figure Other.
func (a Assertion) Holds(value, bound float64) bool {
	switch a.Op {
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

package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Assertion is a statement about the outcome of a run: a figure compared with a
// number, or a named order that must be done within a time of being ordered.
type Assertion struct {
	// Text is the assertion as it was written.
	Text string
	// Figure, Op and Number belong to "tasks_done >= 15".
	Figure string
	Op     string
	Number float64
	// Task and Within belong to "within 120s task NAME done".
	Task   string
	Within time.Duration
}

// Figures lists the names that an assertion may compare.
func Figures() []string {
	return []string{
		"tasks_ordered", "tasks_done", "tasks_failed", "tasks_cancelled", "tasks_waiting", "tasks_lost",
		"tasks_due", "tasks_due_done", "tasks_late", "due_done_ratio",
		"stops_done", "stops_done_twice", "stops_missed", "custody_breaches",
		"zone_violations", "building_hits", "alerts", "alerts_open", "crashes", "events",
		"response_s_p50", "response_s_p95",
	}
}

// ParseAssertion reads "FIGURE OP NUMBER", with OP one of == != < <= > >=, or
// "within SPAN task NAME done".
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
	n, err := strconv.ParseFloat(words[2], 64)
	if err != nil {
		return a, fmt.Errorf("%q is not a number", words[2])
	}
	a.Figure, a.Op, a.Number = words[0], words[1], n
	return a, nil
}

// Holds tells whether a figure's value satisfies the comparison.
func (a Assertion) Holds(value float64) bool {
	switch a.Op {
	case "==":
		return value == a.Number
	case "!=":
		return value != a.Number
	case "<":
		return value < a.Number
	case "<=":
		return value <= a.Number
	case ">":
		return value > a.Number
	case ">=":
		return value >= a.Number
	}
	return false
}

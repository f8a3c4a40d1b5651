package check

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The names of the checkers, as findings carry them. They are stable.
const (
	Zones     = "zones"
	Buildings = "buildings"
	Terrain   = "terrain"
	Height    = "height"
	Clearance = "clearance"
	// ClosedStreets: no robot drives into a street that is closed.
	ClosedStreets = "closed_streets"
	Energy        = "energy"
	LostTask      = "lost_task"
	Twice         = "twice"
	Missed        = "missed"
	Custody       = "custody"
	Expired       = "expired_command"
	Epoch         = "stale_epoch"
	Authority     = "authority"
	Alerts        = "alerts"
	Answers       = "answers"
	Events        = "events"
	Liveness      = "liveness"
	Folds         = "folds"
	// Dispatchers: what dispatchers learned from their streams is what the fleet has
	// recorded.
	Dispatchers = "dispatchers"
)

// Names lists the checkers in the order of the docs.
func Names() []string {
	return []string{
		Zones, Buildings, Terrain, Height, Clearance, ClosedStreets, Energy, LostTask, Twice, Missed, Custody, Expired, Epoch,
		Authority, Alerts, Answers, Events, Liveness, Folds, Dispatchers,
	}
}

// Finding is something that must not happen.
type Finding struct {
	// Checker is who found it, one of Names.
	Checker string    `json:"checker"`
	Time    time.Time `json:"time,omitzero"`
	Vehicle string    `json:"vehicle,omitempty"`
	// Object is the zone, building, task, command or alert concerned.
	Object string `json:"object"`
	Text   string `json:"text"`
}

// String is the finding in one line.
func (f Finding) String() string {
	text := f.Checker + ": " + f.Text
	if f.Vehicle != "" {
		text = f.Checker + ": " + f.Vehicle + " " + f.Text
	}
	if f.Time.IsZero() {
		return text
	}
	return fmt.Sprintf("%s %s", f.Time.Format("15:04:05.0"), text)
}

// MaxKept bounds how many findings a Log keeps of each checker; all are counted.
const MaxKept = 200

// Log takes findings in. The zero Log is empty and usable.
type Log struct {
	list   []Finding
	counts map[string]int
}

// Add takes one finding in; beyond MaxKept of its checker it is only counted.
func (l *Log) Add(f Finding) {
	if l.counts == nil {
		l.counts = map[string]int{}
	}
	l.counts[f.Checker]++
	if l.counts[f.Checker] <= MaxKept {
		l.list = append(l.list, f)
	}
}

// Count is how many findings a checker has made.
func (l *Log) Count(checker string) int { return l.counts[checker] }

// Counts are the numbers of findings of those checkers that have any.
func (l *Log) Counts() map[string]int { return maps.Clone(l.counts) }

// Len is how many findings there are in all.
func (l *Log) Len() int {
	sum := 0
	for _, n := range l.counts {
		sum += n
	}
	return sum
}

// Findings lists those kept, in order of time, those of the same time in the
// order in which they came; those without a time, made at the end, stand last.
func (l *Log) Findings() []Finding {
	list := slices.Clone(l.list)
	slices.SortStableFunc(list, func(a, b Finding) int {
		if a.Time.IsZero() != b.Time.IsZero() {
			if a.Time.IsZero() {
				return 1
			}
			return -1
		}
		return a.Time.Compare(b.Time)
	})
	return list
}

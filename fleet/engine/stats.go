package engine

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// Stats counts what an engine did since Open, and says what waits.
type Stats struct {
	Steps, Inputs, Events, Records, Commits, Reopened, Questions uint64
	// StepTime and CommitTime are how long steps and appends took.
	StepTime, CommitTime Durations
	// Inbox is how many inputs wait, Pending how many requests, Waiting how many
	// records are not yet durable, Sessions how many sinks are attached.
	Inbox, Pending, Waiting, Sessions int
	// InboxShare is how full the inbox is, from 0 to 1. Telemetry finds no room
	// above TelemetryShare; beyond that, what must not be lost is waiting.
	InboxShare float64
	// Implausible counts samples that said what cannot be.
	Implausible uint64
	// Raised counts the alerts that were raised, by kind; a kind that is missing
	// was not.
	Raised map[fleet.AlertKind]uint64
	// Committed is the index of the last durable event.
	Committed uint64
}

// raised counts alerts.
func (s *Stats) raised(kinds []fleet.AlertKind) {
	if s.Raised == nil && len(kinds) > 0 {
		s.Raised = map[fleet.AlertKind]uint64{}
	}
	for _, kind := range kinds {
		s.Raised[kind]++
	}
}

// Durations is a histogram. Counts[i] is how many took at most DurationBounds()[i] and
// more than the bound before; the last one counts the rest.
type Durations struct {
	Counts [13]uint64
	Sum    time.Duration
	Max    time.Duration
}

// DurationBounds are the upper bounds of a Durations.
func DurationBounds() [12]time.Duration {
	const us, ms = time.Microsecond, time.Millisecond
	return [12]time.Duration{100 * us, 250 * us, 500 * us, ms, 2 * ms, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms, 500 * ms, time.Second}
}

// Count is how many durations were counted.
func (d *Durations) Count() uint64 {
	var n uint64
	for _, c := range d.Counts {
		n += c
	}
	return n
}

func (d *Durations) add(x time.Duration) {
	bounds := DurationBounds()
	i := 0
	for i < len(bounds) && x > bounds[i] {
		i++
	}
	d.Counts[i]++
	d.Sum += x
	d.Max = max(d.Max, x)
}

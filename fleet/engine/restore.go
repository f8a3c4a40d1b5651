package engine

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
)

// RestoreReport says what a state was read from.
type RestoreReport struct {
	// Snapshot is the index of the snapshot used, 0 for none.
	Snapshot uint64
	// Events is how many events were replayed on top of it.
	Events int
	// Last is the index of the last event, Time its time; zero for an empty
	// journal.
	Last uint64
	Time time.Time
}

// Restore reads the durable state: the newest snapshot and the events behind
// it. It refuses a gap, an event that it does not know, and a snapshot that it
// cannot read; the error names the index and what to do.
func Restore(j journal.Journal) (*fleet.State, RestoreReport, error) {
	state := fleet.NewState()
	var report RestoreReport
	snapshot, ok, err := j.Snapshot()
	if err != nil {
		return nil, report, fmt.Errorf("engine: reading the newest snapshot: %w", err)
	}
	if ok {
		if state.Durable, err = fleet.DecodeDurable(snapshot.Data); err != nil {
			return nil, report, fmt.Errorf("engine: reading the snapshot at event %d (a newer version of Kapok may have written it: run that version, or restore a backup): %w", snapshot.Index, err)
		}
		if state.Durable.Index != snapshot.Index {
			return nil, report, fmt.Errorf("engine: the snapshot named event %d holds the state at event %d: restore a backup", snapshot.Index, state.Durable.Index)
		}
		report.Snapshot = snapshot.Index
	}
	next := report.Snapshot + 1
	if first := j.First(); first > next {
		return nil, report, fmt.Errorf("engine: the journal begins at event %d, but the state is known only up to event %d: restore a backup", first, next-1)
	}
	if err := replay(j, next, func(r fleet.Recorded) { fleet.Evolve(state, r); report.Events++ }); err != nil {
		return nil, report, err
	}
	if state.Durable.Index != j.Last() {
		return nil, report, fmt.Errorf("engine: events end at %d, but the journal says %d: run kapok verify, or restore a backup", state.Durable.Index, j.Last())
	}
	report.Last, report.Time = state.Durable.Index, state.Durable.Time
	return state, report, nil
}

// replay calls take for each event from the index on, without gaps.
func replay(j journal.Journal, next uint64, take func(fleet.Recorded)) error {
	var problem error
	err := j.Read(next, func(record journal.Record) bool {
		var r fleet.Recorded
		r, problem = decodeRecord(record, next)
		if problem != nil {
			return false
		}
		take(r)
		next++
		return true
	})
	if err == nil {
		err = problem
	}
	if err != nil {
		return fmt.Errorf("engine: replaying event %d: %w", next, err)
	}
	return nil
}

// decodeRecord reads the event that must have the index.
func decodeRecord(record journal.Record, index uint64) (fleet.Recorded, error) {
	if record.Index != index {
		return fleet.Recorded{}, fmt.Errorf("the journal goes on with event %d: a part is missing, restore a backup", record.Index)
	}
	r, err := fleet.DecodeEvent(record.Data)
	if err != nil {
		return r, fmt.Errorf("run the version of Kapok that wrote it, or restore a backup: %w", err)
	}
	if r.Index != index || !r.Event.Lasting() {
		return r, fmt.Errorf("the record holds event %d (%s), which cannot stand here: restore a backup", r.Index, r.Event.EventName())
	}
	return r, nil
}

package agent

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// MaxRecords is how many entries a Log keeps at least, once it has had so many.
const MaxRecords = 512

// Log is a list that only grows and keeps its last entries. A reader that
// remembers how many it has seen misses none as long as it comes before
// MaxRecords more.
type Log[T any] struct {
	kept []T
	gone int
}

// Len is how many entries were ever added.
func (l *Log[T]) Len() int { return l.gone + len(l.kept) }

// Since returns the entries from number n on, counted from 0, without those that
// are not kept any more. The slice is valid until the next entry is added.
func (l *Log[T]) Since(n int) []T {
	return l.kept[min(max(n-l.gone, 0), len(l.kept)):]
}

func (l *Log[T]) add(entry T) {
	if len(l.kept) >= 2*MaxRecords {
		l.kept = slices.Delete(l.kept, 0, MaxRecords)
		l.gone += MaxRecords
	}
	l.kept = append(l.kept, entry)
}

// last is the newest entry, nil for none; it may be changed.
func (l *Log[T]) last() *T {
	if len(l.kept) == 0 {
		return nil
	}
	return &l.kept[len(l.kept)-1]
}

// Obeyed is a command, or a revision of a mission, that was accepted and acted
// upon.
type Obeyed struct {
	// At is the true time.
	At time.Time
	// Command is its id; for a mission "ID/REVISION".
	Command string
	// Kind is the command's; "mission" for a revision.
	Kind protocol.CommandKind
	// Epoch is that of the order, SeenEpoch the highest that the vehicle had ever
	// seen before, in stores that were wiped too.
	Epoch, SeenEpoch uint64
	// ExpiresAt is on Kapok's clock; zero for never.
	ExpiresAt time.Time
}

// Begun is work that was begun at a stop of a task.
type Begun struct {
	// At is the true time.
	At time.Time
	StopKey
	Mission string
	// AuthorityEnds is on Kapok's clock, by the sending time of the newest frame
	// that the vehicle had.
	AuthorityEnds time.Time
}

// Handled is a load that was taken on board or handed out, wholly or in part.
type Handled struct {
	// At is the true time.
	At time.Time
	StopKey
	// Kg is what was taken on, negative for what was handed out. Lost says that it
	// was lost by a fault; it has no stop then.
	Kg   float64
	Lost bool
	// OnBoard tells whether anything of the task is on board afterwards.
	OnBoard bool
}

// Emergency is a time in which the vehicle had declared that its energy does not
// last.
type Emergency struct {
	// At and Ended are true times; Ended is zero while it lasts.
	At, Ended time.Time
	// Reason says what the vehicle does about it, for people.
	Reason string
	// EnergyWh is what was left then, ReserveWh what should not be touched.
	EnergyWh, ReserveWh float64
}

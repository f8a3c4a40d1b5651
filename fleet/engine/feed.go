package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
)

// maxFeedEvents is how many events Feed.Next returns at most.
const maxFeedEvents = 1024

// ring holds the newest durable events that were released: at least keep of
// them, at most twice as many. It outlives the runs. Events in it never change,
// so readers share its memory.
type ring struct {
	keep int

	mu     sync.Mutex
	events []fleet.Recorded
	// next is the index that follows the last event, 0 before the first fill.
	next uint64
	// changed is closed when events come, and replaced.
	changed chan struct{}
	closed  bool
}

func newRing(keep int) *ring { return &ring{keep: keep, changed: make(chan struct{})} }

// fill takes from the journal what the ring does not have: after a restart the
// newest events, after a reopening also those of a group that turned out to be
// durable.
func (g *ring) fill(j journal.Journal) error {
	last := j.Last()
	from := g.last() + 1
	if last >= uint64(g.keep) {
		from = max(from, last-uint64(g.keep)+1)
	}
	from = max(from, j.First(), 1)
	g.mu.Lock()
	if g.next != from {
		g.events, g.next = nil, from
	}
	g.mu.Unlock()
	if last == 0 || from > last {
		return nil
	}
	var events []fleet.Recorded
	if err := replay(j, from, func(r fleet.Recorded) { events = append(events, r) }); err != nil {
		return err
	}
	g.append(events)
	return nil
}

func (g *ring) append(events []fleet.Recorded) {
	if len(events) == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.events)+len(events) > 2*g.keep {
		drop := max(0, len(g.events)+len(events)-g.keep)
		rest := append(make([]fleet.Recorded, 0, 2*g.keep), g.events[min(drop, len(g.events)):]...)
		g.events = rest
	}
	g.events = append(g.events, events...)
	g.next = events[len(events)-1].Index + 1
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *ring) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	close(g.changed)
	g.changed = make(chan struct{})
}

// last is the index of the last event, 0 for none.
func (g *ring) last() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.next, 1) - 1
}

// read returns events after an index, at most limit. Where there are none yet,
// changed is closed when there are.
func (g *ring) read(after uint64, limit int) (events []fleet.Recorded, changed <-chan struct{}, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	first := g.next - uint64(len(g.events))
	switch {
	case after+1 < first:
		return nil, nil, fmt.Errorf("engine: event %d, the oldest in memory is %d: %w", after+1, first, ErrTooOld)
	case after+1 > g.next:
		return nil, nil, fmt.Errorf("engine: event %d, the next one is %d: %w", after+1, g.next, ErrTooOld)
	case after+1 == g.next && g.closed:
		return nil, nil, fmt.Errorf("engine: following events: %w", ErrUnavailable)
	}
	events = g.events[after+1-first:]
	return events[:min(len(events), limit)], g.changed, nil
}

// Feed is a subscriber's place in the sequence of durable events. It holds no
// events itself, so a slow subscriber costs nothing: it is cut off when what it
// has not read leaves the memory. Positions and links are not in it; they are
// read from View, where what changed is another pointer.
type Feed struct {
	ring  *ring
	after uint64
}

// Next waits for events and returns those that follow, in order, at least one
// and at most 1024. They are shared and must not be changed. ErrCutOff when
// the subscriber is so far behind that events it has not seen are out of memory;
// ErrUnavailable after a shutdown, once all was read. One goroutine at a time.
func (f *Feed) Next(ctx context.Context) ([]fleet.Recorded, error) {
	for {
		events, changed, err := f.ring.read(f.after, maxFeedEvents)
		if err != nil {
			return nil, f.explain(err)
		}
		if len(events) > 0 {
			f.after = events[len(events)-1].Index
			return events, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("engine: waiting for events after %d: %w", f.after, ctx.Err())
		}
	}
}

// After is the index of the last event returned: where a new feed goes on.
func (f *Feed) After() uint64 { return f.after }

func (f *Feed) explain(err error) error {
	if errors.Is(err, ErrTooOld) {
		return fmt.Errorf("engine: %w after event %d", ErrCutOff, f.after)
	}
	return err
}

package engine

import (
	"context"
	"errors"
	"fmt"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
)

// The limits of one reading of events.
const (
	// DefaultPage is how many events are returned where no limit is given,
	// MaxPage how many at most; a larger limit counts as that.
	DefaultPage = 100
	MaxPage     = 1000
	// MaxScan is how many events one reading looks at. A filter that rarely
	// matches gives short or empty pages; Next says where to go on.
	MaxScan = 20_000
)

// Page is a part of the sequence of durable events.
type Page struct {
	Events []fleet.Recorded
	// Next is the index to go on from: behind the last event looked at, which
	// may be one that the filter left out.
	Next uint64
	// Last is the newest committed event. Next is above it when all was read.
	Last uint64
}

// Events reads durable events from an index on (0 for the oldest), at most limit
// (0 for DefaultPage), from memory or else from the journal. ErrTooOld when
// retention has removed them; ErrUnavailable when they would have to be read
// from a journal that is being reopened.
func (e *Engine) Events(ctx context.Context, from uint64, limit int, filter Filter) (Page, error) {
	if limit <= 0 {
		limit = DefaultPage
	}
	p := pager{ctx: ctx, filter: filter, limit: min(limit, MaxPage), known: &e.View().State.Durable}
	p.page = Page{Next: from, Last: e.ring.last()}
	if from > p.page.Last {
		return p.page, nil
	}
	if from > 0 {
		if events, _, err := e.ring.read(from-1, MaxScan); err == nil {
			for i := 0; i < len(events) && p.take(events[i]); i++ {
			}
			return p.page, p.err
		}
	}
	r := e.run.Load()
	if r == nil {
		return Page{}, e.unavailable()
	}
	if err := p.read(r.journal, from); err != nil {
		return Page{}, err
	}
	return p.page, nil
}

// pager fills a page.
type pager struct {
	ctx     context.Context
	filter  Filter
	limit   int
	known   *fleet.Durable
	scanned int
	page    Page
	err     error
}

// take looks at the next event, and tells whether to go on.
func (p *pager) take(r fleet.Recorded) bool {
	p.scanned++
	p.page.Next = r.Index + 1
	if p.filter.match(r.Event, p.known) {
		p.page.Events = append(p.page.Events, r)
	}
	if p.scanned%256 == 0 {
		p.err = p.ctx.Err()
	}
	return p.err == nil && len(p.page.Events) < p.limit && p.scanned < MaxScan
}

func (p *pager) read(j journal.Journal, from uint64) error {
	from = max(from, 1)
	if p.page.Next == 0 {
		from = max(j.First(), 1)
	}
	next := from
	err := j.Read(from, func(record journal.Record) bool {
		if record.Index > p.page.Last {
			return false // Durable, and not yet released.
		}
		var r fleet.Recorded
		if r, p.err = decodeRecord(record, next); p.err != nil {
			return false
		}
		next++
		return p.take(r)
	})
	switch {
	case errors.Is(err, journal.ErrRemoved):
		return fmt.Errorf("engine: event %d: %w", from, ErrTooOld)
	case errors.Is(err, journal.ErrClosed), errors.Is(err, journal.ErrBroken):
		return fmt.Errorf("engine: %w: %w", ErrUnavailable, err)
	case err == nil:
		err = p.err
	}
	if err != nil {
		return fmt.Errorf("engine: reading events from %d: %w", from, err)
	}
	return nil
}

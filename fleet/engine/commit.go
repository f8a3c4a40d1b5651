package engine

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
)

// commit appends one group after the other, and saves snapshots between them,
// until groups is closed.
func (r *run) commit() {
	for {
		select {
		case records, ok := <-r.groups:
			if !ok {
				return
			}
			began := time.Now()
			err := r.journal.Append(records)
			r.commits <- commit{took: time.Since(began), err: err}
		case s := <-r.snapshots:
			if err := r.saveSnapshot(s); err != nil {
				// The journal stays usable and the next one is tried in its turn.
				r.e.o.Log.Error("no snapshot was saved", "error", err)
			}
			r.encoding.Store(false)
		}
	}
}

func encodeSnapshot(view *View) (journal.Snapshot, error) {
	data, err := fleet.EncodeDurable(&view.State.Durable)
	if err != nil {
		return journal.Snapshot{}, fmt.Errorf("engine: encoding the state at event %d: %w", view.Index, err)
	}
	return journal.Snapshot{Index: view.Index, Data: data}, nil
}

func (r *run) saveSnapshot(s journal.Snapshot) error {
	if err := r.journal.SaveSnapshot(s); err != nil {
		return fmt.Errorf("engine: saving a snapshot at event %d: %w", s.Index, err)
	}
	r.snapshotAt.Store(s.Index)
	return nil
}

// release carries out what may leave, in order: readers see the state before
// anyone is told of it.
func (r *run) release() {
	for out := range r.releases {
		if out.view != nil {
			r.e.view.Store(out.view)
		}
		r.e.ring.append(out.events)
		if len(out.all) > 0 {
			r.e.o.Released(out.all)
		}
		for _, effect := range out.effects {
			r.carryOut(effect)
		}
	}
}

func (r *run) carryOut(effect fleet.Effect) {
	switch effect := effect.(type) {
	case fleet.Reply:
		r.mu.Lock()
		answer, ok := r.pending[effect.Request]
		delete(r.pending, effect.Request)
		r.mu.Unlock()
		if ok {
			answer <- effect.Answer // Never blocks: it has room for the only one.
		}
	case fleet.Welcome:
		r.deliver(effect.Session, effect)
	case fleet.Owe:
		r.deliver(effect.Session, effect)
	case fleet.CloseLink:
		r.deliver(effect.Session, effect)
	case fleet.Think:
		// The core hands these out by itself.
	}
}

func (r *run) deliver(session fleet.SessionID, effect fleet.Effect) {
	r.mu.Lock()
	sink, ok := r.sinks[session]
	r.mu.Unlock()
	if ok {
		sink.Deliver(effect)
	}
}

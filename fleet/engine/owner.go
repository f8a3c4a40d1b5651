package engine

import (
	"fmt"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/route"
)

// owner is the only goroutine that touches the core. It never waits for one
// thing alone: what it has to hand on stands in queues, and it goes on taking
// inputs until they are full.
type owner struct {
	*run
	others *sync.WaitGroup
	now    time.Time
	// taken is what came out of the inbox, rest what of it is not yet decided.
	taken, rest []fleet.Input

	// open is decided and not handed over; flying is with the committer.
	open   group
	flying *group
	queue  []release
	// wanted are questions, head the first of them with its planner.
	wanted []fleet.Question
	head   *thought
	// dirty says that something changed since the last view, viewDue that it is
	// time for another one.
	dirty, viewDue bool
}

func newOwner(r *run, others *sync.WaitGroup) *owner {
	return &owner{run: r, others: others, now: r.began, wanted: r.questions}
}

// loop returns nil after stop, once all is done.
func (w *owner) loop() error {
	tick, view := time.NewTicker(w.e.o.Tick), time.NewTicker(ViewInterval)
	defer tick.Stop()
	defer view.Stop()
	stop, stopping := w.e.stop, false
	atOnce := make(chan struct{})
	close(atOnce)
	for {
		w.handOver()
		// What the disk has done goes before what is new, however much that is.
		select {
		case c := <-w.commits:
			if err := w.committed(c); err != nil {
				return err
			}
			continue
		default:
		}
		if stopping && w.collect() == 0 && w.idle() {
			return nil
		}
		inbox, more, ticks := w.inbox.wake, (<-chan struct{})(nil), tick.C
		switch {
		case w.full():
			inbox, ticks = nil, nil
		case len(w.rest) > 0:
			inbox, more = nil, atOnce
		}
		releases, next := w.nextRelease()
		thoughts, thought := w.nextThought()
		var err error
		select {
		case <-inbox:
			w.collect()
		case <-more:
			err = w.decide()
		case <-ticks:
			err = w.step([]fleet.Input{fleet.Tick{}})
		case <-view.C:
			w.viewDue = true
		case c := <-w.commits:
			err = w.committed(c)
		case releases <- next:
			w.queue = append(w.queue[:0], w.queue[1:]...)
		case thoughts <- thought:
			w.head = nil
		case <-stop:
			stop, stopping = nil, true
		case <-w.e.kill:
			err = errKilled
		}
		if err != nil {
			return err
		}
	}
}

// idle tells whether nothing waits for the disk or the releaser.
func (w *owner) idle() bool {
	return w.flying == nil && w.open.steps == 0 && len(w.queue) == 0
}

// full tells whether so much waits that no more is taken in.
func (w *owner) full() bool {
	records, bytes := len(w.open.records), w.open.bytes
	if w.flying != nil {
		records, bytes = records+len(w.flying.records), bytes+w.flying.bytes
	}
	return records >= MaxWaitingRecords || bytes >= MaxWaitingBytes || len(w.queue) >= MaxReleases
}

// collect empties the inbox once all that was in it before is decided, and
// returns how many inputs are to be decided.
func (w *owner) collect() int {
	if len(w.rest) == 0 {
		w.taken = w.inbox.take(w.taken)
		w.rest = w.taken
	}
	return len(w.rest)
}

// decide steps the next inputs, at most MaxBatch.
func (w *owner) decide() error {
	n := min(len(w.rest), MaxBatch)
	batch := w.rest[:n]
	w.rest = w.rest[n:]
	return w.step(batch)
}

func (w *owner) step(inputs []fleet.Input) error {
	if now := w.e.o.Clock().UTC().Round(0); now.After(w.now) {
		w.now = now
	}
	began := time.Now()
	batch, err := w.core.Step(w.now, inputs)
	if err != nil {
		return err
	}
	took := time.Since(began)
	clear(inputs)
	g := &w.open
	g.records = append(g.records, batch.Records...)
	for i := range batch.Records {
		g.bytes += len(batch.Records[i].Data)
	}
	g.replies = g.replies || batch.Replies
	g.steps++
	w.dirty = true
	if f := w.flying; f != nil && f.view == nil && batch.Replies && batch.After == f.last {
		// The answer rests on the group that flies and will leave with it, so what
		// it rests on must be seen by then.
		f.view = w.look(f.last, false)
	}
	for _, t := range batch.Think {
		w.wanted = append(w.wanted, t.Question)
	}
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	s := &w.e.stats
	s.Steps++
	s.Inputs += uint64(len(inputs))
	s.Questions += uint64(len(batch.Think))
	s.StepTime.add(took)
	s.Events += uint64(batch.Events)
	s.Implausible += uint64(batch.Implausible)
	s.raised(batch.Raised)
	s.Waiting += len(batch.Records)
	return nil
}

// handOver gives what is decided to the committer as soon as that is free. So
// the longer the disk takes, the more shares one fsync; and one view is enough
// for all answers in a group.
func (w *owner) handOver() {
	due := w.viewDue && w.dirty
	if w.flying != nil || (w.open.steps == 0 && !due) {
		return
	}
	g := w.open
	w.open = group{}
	g.last = w.core.LastIndex()
	if g.replies || due {
		g.view = w.look(g.last, due)
		if due {
			w.dirty, w.viewDue = false, false
		}
	}
	if len(g.records) == 0 {
		// Nothing flies, so all that is decided is durable already.
		w.letGo(g)
		return
	}
	w.flying = &g
	w.groups <- g.records // Never blocks: the committer holds at most one.
}

// look takes a view of the state, whose last durable event is given. One that is
// only for an answer shows positions as the last one did; one that a snapshot is
// made from has everything.
func (w *owner) look(last uint64, positions bool) *View {
	v := &View{Index: last, At: w.now, World: clonePlanner(w.core)}
	if w.snapshotDue(last) {
		v.State = w.core.Fleet().State().View()
	} else {
		v.State = w.core.Fleet().State().Look(positions)
	}
	return v
}

func (w *owner) snapshotDue(last uint64) bool {
	return last >= w.snapshotAt.Load()+w.e.o.SnapshotEvery && !w.encoding.Load()
}

// committed takes the committer's word on the group that flies.
func (w *owner) committed(c commit) error {
	g := *w.flying
	w.flying = nil
	if c.err != nil {
		return fmt.Errorf("engine: committing %d records up to %d: %w", len(g.records), g.last, c.err)
	}
	w.letGo(g)
	w.snapshot(g.view)
	w.e.mu.Lock()
	defer w.e.mu.Unlock()
	s := &w.e.stats
	s.Commits++
	s.Records += uint64(len(g.records))
	s.Waiting -= len(g.records)
	s.CommitTime.add(c.took)
	return nil
}

// letGo queues what the group has held back.
func (w *owner) letGo(g group) {
	out := w.core.Committed(g.last)
	r := release{view: g.view, effects: out.Effects, events: lasting(out.Events)}
	if w.e.o.Released != nil {
		r.all = out.Events
	}
	if r.view != nil || len(r.effects) > 0 || len(r.events) > 0 || len(r.all) > 0 {
		w.queue = append(w.queue, r)
	}
}

// nextRelease is the channel and value of a send that is possible only when
// something is queued.
func (w *owner) nextRelease() (chan<- release, release) {
	if len(w.queue) == 0 {
		return nil, release{}
	}
	return w.releases, w.queue[0]
}

// nextThought likewise; the planner is cloned here because the world belongs to
// the owner.
func (w *owner) nextThought() (chan<- thought, thought) {
	if w.head == nil && len(w.wanted) > 0 {
		w.head = &thought{question: w.wanted[0], planner: clonePlanner(w.core), now: w.now}
		w.wanted = append(w.wanted[:0], w.wanted[1:]...)
	}
	if w.head == nil {
		return nil, thought{}
	}
	return w.thoughts, *w.head
}

func clonePlanner(c *Core) *route.Planner { return c.Fleet().Planner().Clone() }

// snapshot has one made when enough has happened. The encoding runs beside
// everything else; only the saving is the committer's.
func (w *owner) snapshot(view *View) {
	if view == nil || view.State.Durable.Answers == nil || !w.snapshotDue(view.Index) || !w.encoding.CompareAndSwap(false, true) {
		return
	}
	w.others.Go(func() {
		s, err := encodeSnapshot(view)
		if err != nil {
			w.e.o.Log.Error("no snapshot was made", "error", err)
			w.encoding.Store(false)
			return
		}
		w.snapshots <- s // Never blocks: there is one at a time.
	})
}

// lasting are the durable ones of the events.
func lasting(events []fleet.Recorded) []fleet.Recorded {
	var kept []fleet.Recorded
	for _, r := range events {
		if r.Event.Lasting() {
			kept = append(kept, r)
		}
	}
	return kept
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/planner/route"
)

// errKilled ends a run at once.
var errKilled = errors.New("engine: stopped before it was done")

// run is one life of the state: from its restoration to a failure or to the
// shutdown. Whoever waits for something of it also waits for dead.
type run struct {
	e       *Engine
	journal journal.Journal
	core    *Core
	// began is the time of the first step; questions were wanted by it.
	began     time.Time
	questions []fleet.Question

	inbox *inbox
	dead  chan struct{}

	groups    chan []journal.Record
	commits   chan commit
	releases  chan release
	thoughts  chan thought
	snapshots chan journal.Snapshot
	// snapshotAt is the index of the newest snapshot, encoding set while one is
	// being made.
	snapshotAt atomic.Uint64
	encoding   atomic.Bool

	mu      sync.Mutex
	over    bool
	pending map[fleet.RequestID]chan fleet.Answer
	sinks   map[fleet.SessionID]Sink
}

// group is what one Append makes durable, and what it lets go.
type group struct {
	records []journal.Record
	bytes   int
	// steps counts what waits for the group, replies says that answers are among
	// it, last is the index up to which all is durable then.
	steps   int
	replies bool
	last    uint64
	// view is published with the group; nil for none.
	view *View
}

// commit is the committer's word on a group.
type commit struct {
	took time.Duration
	err  error
}

// release is what the releaser carries out, in this order.
type release struct {
	view *View
	// events are the durable ones of all, which is kept only for EngineOptions.Released.
	events, all []fleet.Recorded
	effects     []fleet.Effect
}

// thought is a question with a planner of its own.
type thought struct {
	question fleet.Question
	planner  *route.Planner
	now      time.Time
}

// begin opens the journal, restores the state, and takes up ownership: the
// first step is committed when it returns.
func (e *Engine) begin() (*run, error) {
	j, err := e.o.Journal()
	if err != nil {
		return nil, fmt.Errorf("engine: opening the journal: %w", err)
	}
	r := &run{
		e: e, journal: j,
		inbox: newInbox(), dead: make(chan struct{}),
		groups: make(chan []journal.Record, 1), commits: make(chan commit, 1), releases: make(chan release),
		thoughts: make(chan thought), snapshots: make(chan journal.Snapshot, 1),
		pending: map[fleet.RequestID]chan fleet.Answer{}, sinks: map[fleet.SessionID]Sink{},
	}
	if err := r.recover(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return r, nil
}

func (r *run) recover() error {
	e := r.e
	state, report, err := Restore(r.journal)
	if err != nil {
		return err
	}
	e.o.Log.Info("state restored", "snapshot", report.Snapshot, "events", report.Events, "index", report.Last)
	r.snapshotAt.Store(report.Snapshot)
	if told := e.ring.last(); report.Last < told {
		return fmt.Errorf("engine: the journal ends at event %d, but event %d was acknowledged: the disk has lost data, restore a backup", report.Last, told)
	}
	if err := e.ring.fill(r.journal); err != nil {
		return err
	}
	if r.core, err = NewCore(e.o.Options, state); err != nil {
		return err
	}
	now := e.o.Clock().UTC().Round(0)
	r.began = now
	if now.Before(state.Durable.Time) {
		r.began = state.Durable.Time
	}
	unix := uint64(max(now.Unix(), 0)) //nolint:gosec // Not negative.
	batch, err := r.core.Step(r.began, []fleet.Input{fleet.Recovered{UnixEpoch: unix}})
	if err != nil {
		return err
	}
	if err := r.journal.Append(batch.Records); err != nil {
		return fmt.Errorf("engine: recording the recovery: %w", err)
	}
	for _, t := range batch.Think {
		r.questions = append(r.questions, t.Question)
	}
	e.ring.append(lasting(r.core.Committed(batch.After).Events))
	e.premises.Store(r.core.Fleet().Premises)
	e.view.Store(&View{State: state.Look(true), Index: batch.After, At: r.began, World: clonePlanner(r.core)})
	return nil
}

// live runs until a failure, which it returns, or the end of the shutdown.
func (r *run) live() error {
	var others sync.WaitGroup
	others.Go(r.commit)
	others.Go(r.release)
	for range r.e.o.Workers {
		others.Go(r.think)
	}
	w := newOwner(r, &others)
	err := w.loop()
	r.e.run.Store(nil)
	r.inbox.stop()
	close(r.dead)
	close(r.groups)
	close(r.releases)
	close(r.thoughts)
	others.Wait()
	r.closeSinks()
	if err == nil {
		err = r.lastSnapshot()
	}
	if e := r.journal.Close(); e != nil && err == nil {
		err = fmt.Errorf("engine: closing the journal: %w", e)
	}
	return err
}

// lastSnapshot makes the next start quick.
func (r *run) lastSnapshot() error {
	state := r.core.Fleet().State()
	if state.Durable.Index == r.snapshotAt.Load() {
		return nil
	}
	s, err := encodeSnapshot(&View{State: state, Index: state.Durable.Index})
	if err != nil {
		return err
	}
	return r.saveSnapshot(s)
}

func (r *run) submit(ctx context.Context, input fleet.Input) error {
	for {
		room, ok := r.inbox.put(input)
		if ok {
			return nil
		}
		select {
		case <-room:
		case <-r.dead:
			return r.e.unavailable()
		case <-r.e.stop:
			return fmt.Errorf("engine: shutting down: %w", ErrUnavailable)
		case <-ctx.Done():
			return fmt.Errorf("engine: waiting for room in the inbox: %w", ctx.Err())
		}
	}
}

// think answers questions, one after the other.
func (r *run) think() {
	for t := range r.thoughts {
		answer := fleet.AnswerQuestion(t.planner, t.question, t.now, r.e.o.Config)
		ready := fleet.PlanReady{Question: t.question, Answer: answer}
		for room, ok := r.inbox.put(ready); !ok; room, ok = r.inbox.put(ready) {
			select {
			case <-room:
			case <-r.dead:
				return
			}
		}
	}
}

// expect makes room for an answer.
func (r *run) expect(id fleet.RequestID) <-chan fleet.Answer {
	answer := make(chan fleet.Answer, 1)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pending[id] = answer
	return answer
}

func (r *run) forget(id fleet.RequestID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.pending, id)
}

// attach is false when the run is over.
func (r *run) attach(session fleet.SessionID, sink Sink) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.over {
		return false
	}
	r.sinks[session] = sink
	return true
}

func (r *run) detach(session fleet.SessionID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.sinks, session)
}

func (r *run) counts() (pending, sinks int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.pending), len(r.sinks)
}

// closeSinks ends all sessions, after the releaser has ended.
func (r *run) closeSinks() {
	r.mu.Lock()
	r.over = true
	sinks := r.sinks
	r.sinks = nil
	r.mu.Unlock()
	for session, sink := range sinks {
		sink.Deliver(restarting(session))
	}
}

func restarting(session fleet.SessionID) fleet.Effect {
	return fleet.CloseLink{Session: session, Code: CodeRestarting, Text: "Kapok is restarting; log in again"}
}

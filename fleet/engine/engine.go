package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/route"
)

// Engine runs one fleet. Its methods may be called from any goroutine.
type Engine struct {
	o    EngineOptions
	ring *ring

	// run is the present life of the state, nil while there is none.
	run      atomic.Pointer[run]
	view     atomic.Pointer[View]
	premises atomic.Pointer[fleet.Premises]
	requests atomic.Uint64

	// stop is closed to end in order, kill to end at once, done when it is over.
	stop, kill, done  chan struct{}
	stopping, killing sync.Once

	mu    sync.Mutex
	stats Stats
	down  error // why there is no run
}

// Sink is where the effects of one session go.
type Sink interface {
	// Deliver takes an effect, in order. It must not block: it runs on the
	// goroutine that serves all sessions.
	Deliver(fleet.Effect)
}

// View is the committed state at one moment. It is immutable, and so is all
// that it refers to. What changed between two views is another pointer.
type View struct {
	State *fleet.State
	// Index is the last durable event in it, At the time of the last step.
	Index uint64
	At    time.Time
	// World is a planner of the world that the state was taken in, for
	// fleet.Quote. A planner serves one goroutine: take a Clone of it.
	World *route.Planner
}

// Open opens the journal, restores the state, takes up ownership and returns
// when the fleet serves. An error here is not tried again: a damaged journal
// needs a person. ctx bounds the opening only.
func Open(ctx context.Context, o EngineOptions) (*Engine, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	e := &Engine{
		o: o, ring: newRing(o.KeepEvents),
		stop: make(chan struct{}), kill: make(chan struct{}), done: make(chan struct{}),
	}
	r, err := e.begin()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		_ = r.journal.Close()
		return nil, fmt.Errorf("engine: opening: %w", err)
	}
	e.run.Store(r)
	go e.supervise(r)
	return e, nil
}

// supervise lives one life of the state after the other, until the shutdown.
func (e *Engine) supervise(r *run) {
	defer close(e.done)
	defer e.ring.close()
	for r != nil {
		err := r.live()
		e.mu.Lock()
		e.down = err
		e.mu.Unlock()
		if err == nil || errors.Is(err, errKilled) {
			return
		}
		e.o.Log.Error("the state was given up and is read from disk again", "error", err)
		r = e.reopen()
	}
}

// reopen tries until it works, with growing pauses; nil when the engine is to
// end.
func (e *Engine) reopen() *run {
	for pause := ReopenFirst; ; pause = min(2*pause, ReopenMost) {
		select {
		case <-e.stop:
			return nil
		case <-time.After(pause):
		}
		r, err := e.begin()
		if err == nil {
			e.mu.Lock()
			e.down = nil
			e.stats.Reopened++
			e.stats.Waiting = 0
			e.mu.Unlock()
			e.run.Store(r)
			e.o.Log.Info("the state was reopened", "index", r.core.LastIndex())
			return r
		}
		e.mu.Lock()
		e.down = err
		e.mu.Unlock()
		e.o.Log.Error("the journal cannot be reopened", "error", err, "next_try", min(2*pause, ReopenMost))
	}
}

// serving returns the present run when inputs are welcome.
func (e *Engine) serving() (*run, error) {
	select {
	case <-e.stop:
		return nil, fmt.Errorf("engine: shutting down: %w", ErrUnavailable)
	default:
	}
	if r := e.run.Load(); r != nil {
		return r, nil
	}
	return nil, e.unavailable()
}

func (e *Engine) unavailable() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.down != nil {
		return fmt.Errorf("engine: %w: %w", ErrUnavailable, e.down)
	}
	return fmt.Errorf("engine: %w", ErrUnavailable)
}

// Submit hands in an input. It blocks while the inbox is full, until ctx ends;
// ErrUnavailable while the state is being reopened.
func (e *Engine) Submit(ctx context.Context, input fleet.Input) error {
	r, err := e.serving()
	if err != nil {
		return err
	}
	return r.submit(ctx, input)
}

// TrySubmit hands in an input that may be lost: false when the inbox is full or
// the state is being reopened. For telemetry the inbox is full at
// TelemetryShare, so that there is room for all else.
func (e *Engine) TrySubmit(input fleet.Input) bool {
	r, err := e.serving()
	if err != nil {
		return false
	}
	_, ok := r.inbox.put(input)
	return ok
}

// Ask decides a request and returns the answer once it is durable. A View taken
// afterwards shows what it did. The key scopes and names an idempotent request,
// empty for none. With ErrUnavailable, or when ctx ends first, it is unknown
// whether the request was carried out.
func (e *Engine) Ask(ctx context.Context, actor, key, bodyHash string, ask fleet.Ask) (fleet.Answer, error) {
	r, err := e.serving()
	if err != nil {
		return fleet.Answer{}, err
	}
	id := fleet.RequestID(e.requests.Add(1))
	answer := r.expect(id)
	defer r.forget(id)
	if err := r.submit(ctx, fleet.Asked{Request: id, Actor: actor, Key: key, BodyHash: bodyHash, Ask: ask}); err != nil {
		return fleet.Answer{}, err
	}
	select {
	case a := <-answer:
		return a, nil
	case <-ctx.Done():
		return fleet.Answer{}, fmt.Errorf("engine: waiting for the answer: %w", ctx.Err())
	case <-r.dead:
	}
	select {
	case a := <-answer: // It was committed before the end.
		return a, nil
	default:
		return fleet.Answer{}, e.unavailable()
	}
}

// Attach directs the effects of a session to a sink, before its Joined is
// submitted. When the state is reopened or the engine shuts down, the sink gets
// a CloseLink with the code CodeRestarting and nothing after it.
func (e *Engine) Attach(session fleet.SessionID, sink Sink) {
	r, err := e.serving()
	if err != nil || !r.attach(session, sink) {
		sink.Deliver(restarting(session))
	}
}

// Detach ends what Attach began. One more effect may be on its way.
func (e *Engine) Detach(session fleet.SessionID) {
	if r := e.run.Load(); r != nil {
		r.detach(session)
	}
}

// Premises returns what the fleet's decisions rest on beside its state, for
// fleet.Quote.
func (e *Engine) Premises() *fleet.Premises { return e.premises.Load() }

// View returns the newest committed state.
func (e *Engine) View() *View { return e.view.Load() }

// Ready returns nil while the engine serves, else why it does not.
func (e *Engine) Ready() error {
	_, err := e.serving()
	return err
}

// Shutdown decides what is in the inbox, commits it, carries out its effects,
// saves a snapshot and closes the journal. When ctx ends first, it stops at
// once; what was answered is durable either way. Calling it again waits again.
func (e *Engine) Shutdown(ctx context.Context) error {
	e.stopping.Do(func() { close(e.stop) })
	select {
	case <-e.done:
	case <-ctx.Done():
		e.killing.Do(func() { close(e.kill) })
		return fmt.Errorf("engine: shutting down: %w", ctx.Err())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

// Stats returns counts since Open.
func (e *Engine) Stats() Stats {
	e.mu.Lock()
	s := e.stats
	s.Raised = maps.Clone(s.Raised)
	e.mu.Unlock()
	s.Committed = e.ring.last()
	if r := e.run.Load(); r != nil {
		s.Inbox = r.inbox.len()
		s.InboxShare = float64(s.Inbox) / InboxInputs
		s.Pending, s.Sessions = r.counts()
	}
	return s
}

// Subscribe follows the durable events after an index. ErrTooOld when they are
// no longer in memory, or the index lies ahead of all events; then a View and
// its Index are the place to go on from.
func (e *Engine) Subscribe(after uint64) (*Feed, error) {
	if _, _, err := e.ring.read(after, 1); err != nil {
		return nil, err
	}
	return &Feed{ring: e.ring, after: after}, nil
}

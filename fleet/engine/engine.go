package engine

import (
	"context"
	"errors"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// errNotBuilt stands until the goroutines are there.
var errNotBuilt = errors.New("engine: not built yet")

// Engine runs one fleet. Its methods may be called from any goroutine.
type Engine struct {
	o EngineOptions
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
}

// Open opens the journal, restores the state, takes up ownership and returns
// when the fleet serves. ctx bounds the opening only.
func Open(ctx context.Context, o EngineOptions) (*Engine, error) { return nil, errNotBuilt }

// Submit hands in an input. It blocks while the inbox is full, until ctx ends;
// ErrUnavailable while the state is being reopened.
func (e *Engine) Submit(ctx context.Context, input fleet.Input) error { return errNotBuilt }

// TrySubmit hands in an input that may be lost, telemetry: false when the inbox
// is full or the state is being reopened.
func (e *Engine) TrySubmit(input fleet.Input) bool { return false }

// Ask decides a request and returns the answer once it is durable. A View taken
// afterwards shows what it did. With ErrUnavailable, or when ctx ends first, it
// is unknown whether the request was carried out.
func (e *Engine) Ask(ctx context.Context, actor, key, bodyHash string, ask fleet.Ask) (fleet.Answer, error) {
	return fleet.Answer{}, errNotBuilt
}

// Attach directs the effects of a session to a sink, before its Joined is
// submitted. When the state is reopened or the engine shuts down, the sink gets
// a CloseLink with the code CodeRestarting and nothing after it.
func (e *Engine) Attach(session fleet.SessionID, sink Sink) {}

// Detach ends what Attach began. One more effect may be on its way.
func (e *Engine) Detach(session fleet.SessionID) {}

// View returns the newest committed state.
func (e *Engine) View() *View { return nil }

// Ready returns nil while the engine serves, else why it does not.
func (e *Engine) Ready() error { return errNotBuilt }

// Shutdown decides what is in the inbox, commits it, carries out its effects,
// saves a snapshot and closes the journal. When ctx ends first, it stops at
// once; what was answered is durable either way.
func (e *Engine) Shutdown(ctx context.Context) error { return errNotBuilt }

// Stats returns counts since Open.
func (e *Engine) Stats() Stats { return Stats{} }

// Subscribe follows the durable events after an index (0 for all). ErrTooOld
// when they are no longer in memory; then View and its Index are the place to
// go on from.
func (e *Engine) Subscribe(after uint64) (*Feed, error) { return nil, errNotBuilt }

// Events reads durable events from an index on, at most limit.
func (e *Engine) Events(ctx context.Context, from uint64, limit int, filter Filter) (Page, error) {
	return Page{}, errNotBuilt
}

// Feed is a subscriber's place in the sequence of durable events.
type Feed struct{}

// Next waits for events and returns those that follow, in order, never empty
// without an error. ErrCutOff when the subscriber is so far behind that events
// it has not seen are out of memory; ErrUnavailable after Shutdown.
func (f *Feed) Next(ctx context.Context) ([]fleet.Recorded, error) { return nil, errNotBuilt }

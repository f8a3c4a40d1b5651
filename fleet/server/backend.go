package server

import (
	"context"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
)

// Backend is what the edge needs of an engine.
type Backend interface {
	View() *engine.View
	Premises() *fleet.Premises
	Ask(ctx context.Context, actor, key, bodyHash string, ask fleet.Ask) (fleet.Answer, error)
	Submit(ctx context.Context, input fleet.Input) error
	TrySubmit(input fleet.Input) bool
	Attach(session fleet.SessionID, sink engine.Sink)
	Detach(session fleet.SessionID)
	Events(ctx context.Context, from uint64, limit int, filter engine.Filter) (engine.Page, error)
	Ready() error
	Stats() engine.Stats
	// Follow returns the durable events after an index.
	Follow(after uint64) (Feed, error)
}

// Feed gives durable events in order; see engine.Feed.
type Feed interface {
	Next(ctx context.Context) ([]fleet.Recorded, error)
}

// Engine makes an engine the backend of a server.
type Engine struct{ *engine.Engine }

// Follow implements Backend.
func (e Engine) Follow(after uint64) (Feed, error) {
	feed, err := e.Subscribe(after)
	if err != nil {
		return nil, err
	}
	return feed, nil
}

package engine

import (
	"errors"
	"fmt"
	"hash"
	"log/slog"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/planner/chart"
)

// The limits of an engine, and what happens at them.
const (
	// MaxBatch is how many inputs are decided in one step; the rest waits.
	MaxBatch = 256
	// InboxInputs is how many inputs wait; then Submit blocks and TrySubmit
	// says no.
	InboxInputs = 4096
	// TelemetryShare is how much of the inbox telemetry may fill; beyond it
	// TrySubmit says no to it. Requests, reports and answers of the planner find
	// room in the rest, and wait for no more than MaxBatch inputs at a time.
	TelemetryShare = 0.75
	// GatherInterval is how long telemetry waits in the inbox for more of it, while
	// nothing else comes.
	GatherInterval = 10 * time.Millisecond
	// MaxWaitingRecords and MaxWaitingBytes bound what is decided and not yet
	// committed; beyond either, the owner takes no inputs until the disk has
	// caught up.
	MaxWaitingRecords = 16384
	MaxWaitingBytes   = 32 << 20
	// MaxReleases is how many committed groups may wait for the releaser; beyond
	// it the owner takes no inputs either.
	MaxReleases = 64
	// ViewInterval is how old a view gets while things change.
	ViewInterval = 200 * time.Millisecond
	// DefaultKeepEvents is how many of the newest durable events stay in memory
	// for subscribers.
	DefaultKeepEvents = 16384
	// DefaultSnapshotEvery is how many durable events lie between snapshots.
	DefaultSnapshotEvery = 50_000
	// DefaultTick is how often the fleet's deadlines are looked at.
	DefaultTick = time.Second
	// ReopenFirst and ReopenMost are the pauses before a failed journal is
	// reopened: the first, doubling up to the last.
	ReopenFirst = 100 * time.Millisecond
	ReopenMost  = 10 * time.Second
)

// The kinds of failure a caller tells apart with errors.Is.
var (
	// ErrUnavailable says that the state is being reopened or the engine is shut
	// down. Whether the request was carried out is unknown; with an idempotency
	// key it may be repeated.
	ErrUnavailable = errors.New("the fleet is not available")
	// ErrTooOld says that an index is further back than what is kept.
	ErrTooOld = errors.New("events are no longer kept")
	// ErrCutOff says that a subscriber fell too far behind.
	ErrCutOff = errors.New("subscriber fell behind and was cut off")
)

// Options of a Core.
type Options struct {
	Chart  *chart.Chart
	Config fleet.Config
	// Hash keeps a checksum over all events in order, volatile ones too.
	Hash bool
	// Hasher, when not nil, is continued instead of beginning anew: so that one
	// checksum covers restarts. It implies Hash.
	Hasher hash.Hash
	// CheckFolds keeps two shadow states, one evolved by decoded durable events
	// only and one by all events, and compares them with the live state after
	// each step. It about triples the price of a step.
	CheckFolds bool
	// KeepEvents is how many of the newest durable events an Engine keeps in
	// memory; 0 means DefaultKeepEvents. A Core keeps none.
	KeepEvents int
}

// EngineOptions configure an Engine. Journal is required; the rest has defaults.
type EngineOptions struct { //nolint:revive // The name tells it from the core's Options.
	Options
	// Journal opens the journal: at the beginning, and again after a failure.
	Journal func() (journal.Journal, error)
	// Clock reads the time; nil means time.Now.
	Clock func() time.Time
	// Tick is how often the fleet's deadlines are looked at, at most 1 s; 0 means
	// DefaultTick.
	Tick time.Duration
	// Log takes what an operator should read; nil discards it.
	Log *slog.Logger
	// SnapshotEvery is how many durable events lie between snapshots; 0 means
	// DefaultSnapshotEvery.
	SnapshotEvery uint64
	// Released is told of all events, volatile ones too, in order and once what
	// they rest on is durable; those of a restart's recovery, which are all before
	// the first sample, are left out. It must not block and must not keep the
	// slice: it runs on the goroutine that serves all sessions. Nil for nobody.
	Released func([]fleet.Recorded)
	// Workers is how many questions are planned at once in the background; 0
	// means 1.
	Workers int
}

func (o EngineOptions) withDefaults() (EngineOptions, error) {
	switch {
	case o.Journal == nil:
		return o, errors.New("engine: options have no journal")
	case o.Tick < 0 || o.Tick > time.Second:
		return o, fmt.Errorf("engine: tick of %v is not between 0 and 1 s", o.Tick)
	case o.Workers < 0 || o.KeepEvents < 0:
		return o, fmt.Errorf("engine: %d workers or %d kept events is negative", o.Workers, o.KeepEvents)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Tick == 0 {
		o.Tick = DefaultTick
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.SnapshotEvery == 0 {
		o.SnapshotEvery = DefaultSnapshotEvery
	}
	if o.Workers == 0 {
		o.Workers = 1
	}
	if o.KeepEvents == 0 {
		o.KeepEvents = DefaultKeepEvents
	}
	return o, nil
}

// CodeRestarting is the code of the CloseLink that every attached session gets
// when the state is reopened or the engine shuts down.
const CodeRestarting = "restarting"

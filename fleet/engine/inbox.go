package engine

import (
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// inbox holds inputs, in order, until the owner takes them. To wake the owner
// for a frame of telemetry costs more than to decide it, so telemetry is
// gathered for GatherInterval, or until there is a batch of it; everything else
// wakes the owner at once, and then what came before it is taken with it.
type inbox struct {
	// wake has a token when the owner should look.
	wake chan struct{}
	// gathered wakes the owner when what was gathered is due.
	gathered *time.Timer

	mu    sync.Mutex // guards the rest
	queue []fleet.Input
	// room is closed at the next taking; nil while nobody waits for that.
	room chan struct{}
}

func newInbox() *inbox {
	b := &inbox{wake: make(chan struct{}, 1)}
	b.gathered = time.AfterFunc(GatherInterval, b.rouse)
	b.gathered.Stop()
	return b
}

func (b *inbox) rouse() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// put adds an input. When there is no room for it, it says so, and what is
// closed once there may be.
func (b *inbox) put(input fleet.Input) (room <-chan struct{}, ok bool) {
	_, gather := input.(fleet.Telemetry)
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.queue) >= InboxInputs || gather && len(b.queue) >= InboxInputs*TelemetryShare {
		if b.room == nil {
			b.room = make(chan struct{})
		}
		return b.room, false
	}
	b.queue = append(b.queue, input)
	switch {
	case !gather || len(b.queue) == MaxBatch:
		b.rouse()
	case len(b.queue) == 1:
		b.gathered.Reset(GatherInterval)
	}
	return nil, true
}

// take returns all that waits, and keeps the emptied slice for what comes.
func (b *inbox) take(emptied []fleet.Input) []fleet.Input {
	b.mu.Lock()
	defer b.mu.Unlock()
	taken := b.queue
	b.queue = emptied[:0]
	if b.room != nil {
		close(b.room)
		b.room = nil
	}
	return taken
}

func (b *inbox) len() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.queue)
}

// stop ends the timer, after the owner.
func (b *inbox) stop() { b.gathered.Stop() }

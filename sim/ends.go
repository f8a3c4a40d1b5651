package sim

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/sim/fault"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// doom is where the process is struck by a crash.
type doom uint8

const (
	// spared: no crash is on its way. As a draw it means at once, between two
	// events whatever they are.
	spared doom = iota
	// doomDecided: something was decided, and nothing of it written.
	doomDecided
	// doomWriting: in the midst of a commit.
	doomWriting
	// doomDurable: a commit is done, and nobody was told.
	doomDurable
	dooms
)

const (
	// doomWithin is how long a crash waits for its moment.
	doomWithin = 5 * time.Second
	// statusUnavailable is the answer of HTTP to a request that nobody answers.
	statusUnavailable = 503
	// restartAfter is how long a process that ends because of its disk stays away.
	restartAfter = time.Second
)

// needsDisk tells whether the journal of a scenario has something to survive.
func needsDisk(s *scenario.Scenario) bool {
	return len(s.Crashes.At)+s.Crashes.Random > 0 || slices.ContainsFunc(s.Faults, func(f scenario.Fault) bool {
		return f.Kind == scenario.DiskFull || f.Kind == scenario.DiskSync
	})
}

// boot starts a process: state from the journal, then Recovered. One whose disk
// fails ends at once and is started again.
func (b *backend) boot() {
	b.running = true
	if b.cutShort && b.disk != nil {
		b.disk.HaltOpening()
	}
	b.cutShort = false
	err := b.begin()
	switch {
	case err == nil:
		if b.disk != nil {
			b.disk.Opened()
		}
		return
	case b.disk == nil || !fault.OfDisk(err):
		b.w.fail(err)
		return
	}
	b.stillborn++
	b.running = false
	b.disk.Crash(nil)
	b.w.after(restartAfter, b.boot)
}

// crash lets the process end in a drawn moment of its work, and start again after
// a while. One that is down already is struck when it is up again, so that each
// crash counts.
func (b *backend) crash(down time.Duration) {
	if !b.running || b.doom != spared {
		b.w.after(time.Second, func() { b.crash(down) })
		return
	}
	b.downFor = down
	b.doom = doom(b.ends.IntN(int(dooms)))
	if b.doom == spared || !b.up() {
		b.die()
		return
	}
	crashes := b.crashes
	b.w.after(doomWithin, func() {
		if b.crashes == crashes && b.running {
			b.doom = spared // It did not come.
			b.die()
		}
	})
}

// dies ends the process if this is the moment for it.
func (b *backend) dies(at doom) bool {
	if b.doom != at || !b.up() {
		return false
	}
	b.die()
	return true
}

// die ends the process. A group that is being written may be durable as a whole,
// torn or lost; nobody was told. When the power is gone too, the other ends of
// the connections are not told.
func (b *backend) die() {
	if b.w.err == nil {
		b.w.err = b.deepCheck()
	}
	power := false
	if b.disk != nil {
		power = b.disk.Crash(b.atWork())
	}
	b.crashes++
	b.struck[b.doom]++
	b.running, b.doom = false, spared
	b.cutShort = b.ends.IntN(4) == 0
	conns, pending := b.forget()
	for i := range conns {
		c := conns[i].conn
		c.serverOpen = false
		if c.orphan = power; !power {
			b.w.push(c, closeDown, nil)
		}
	}
	unavailable(pending)
	b.stream.lose()
	b.w.after(b.downFor, b.boot)
}

// atWork is what the process is doing with its disk, nil for nothing. Nobody is
// left to hear of errors.
func (b *backend) atWork() func() {
	group, s, j := b.writing, b.snapshot, b.journal
	switch {
	case len(group) > 0:
		return func() { _ = j.Append(group) }
	case s != nil && b.doom == doomDurable:
		return func() { _ = j.SaveSnapshot(*s) }
	}
	return nil
}

// giveUp is what the engine does after a failed write or fsync: there is no second
// try. Who waits for an answer is told that the fleet is not available, sessions
// are closed, and the state is read from disk again.
func (b *backend) giveUp(err error) {
	if !fault.OfDisk(err) {
		b.w.fail(err)
		return
	}
	if b.w.err == nil {
		b.w.err = b.deepCheck()
	}
	conns, pending := b.forget()
	for i := range conns {
		c := conns[i].conn
		b.w.apply(c, fleet.CloseLink{
			Session: c.session.ID(), Code: engine.CodeRestarting, Text: "Kapok is restarting; log in again",
		})
	}
	unavailable(pending)
	_ = b.journal.Close() // It is broken already.
	b.pause = engine.ReopenFirst
	b.reopenLater()
}

// reopenLater tries after a pause, which doubles.
func (b *backend) reopenLater() {
	crashes := b.crashes
	b.w.after(b.pause, func() {
		if b.crashes != crashes || b.up() {
			return
		}
		err := b.begin()
		switch {
		case err == nil:
			b.reopened++
		case fault.OfDisk(err):
			b.pause = min(2*b.pause, engine.ReopenMost)
			b.reopenLater()
		default:
			b.w.fail(fmt.Errorf("reopening: %w", err))
		}
	})
}

// forget gives the state up, with all that was only in memory, and returns the
// connections and the requests without an answer, in their order.
func (b *backend) forget() (conns []opened, pending []func(fleet.Answer)) {
	conns = b.order
	for _, id := range slices.Sorted(maps.Keys(b.pending)) {
		pending = append(pending, b.pending[id])
	}
	b.core, b.inbox, b.snapshot = nil, nil, nil
	b.decided, b.writing, b.decidedBytes, b.writingBytes = nil, nil, 0, 0
	b.conns, b.order, b.pending = nil, nil, nil
	return conns, pending
}

// unavailable answers requests that nobody is left to answer: by the process
// where it lives, else by the broken connection.
func unavailable(pending []func(fleet.Answer)) {
	for _, answered := range pending {
		answered(fleet.Answer{Status: statusUnavailable})
	}
}

// finish ends all faults of the disk, and starts the process where it is down, so
// that the state can be judged.
func (b *backend) finish() {
	if b.up() {
		return
	}
	if b.disk != nil {
		b.disk.Heal()
	}
	b.cutShort = false
	b.boot()
}

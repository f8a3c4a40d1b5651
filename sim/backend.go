package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
)

// pause is how long the backend waits for more inputs before it decides a
// batch, as an engine under load does.
const pause = 5 * time.Millisecond

// maxBatch is how many inputs are decided in one step.
const maxBatch = engine.MaxBatch

// backend is the simulated process: core, journal, pending commits. A crash
// loses all of it but the journal.
type backend struct {
	w              *world
	core           *engine.Core
	journal        *memory
	commits, plans *rand.Rand
	// life counts processes; what belongs to an earlier one is void.
	life    int
	crashes int

	inbox   []fleet.Input
	stepDue bool
	// decided are records that wait for a commit, writing those in one.
	decided, writing []journal.Record

	requests    uint64
	pending     map[fleet.RequestID]func(fleet.Answer)
	connections uint64
	conns       map[fleet.SessionID]*conn
	order       []*conn
}

func (b *backend) up() bool { return b.core != nil }

// boot starts a process: state from the journal, then Recovered.
func (b *backend) boot() {
	state, _, err := engine.Restore(b.journal)
	if err == nil {
		b.core, err = engine.NewCore(engine.Options{
			Chart: b.w.chart, Config: b.w.config, Hasher: b.w.hasher, CheckFolds: !b.w.options.SkipFolds,
		}, state)
	}
	if err != nil {
		b.w.fail(err)
		return
	}
	b.life++
	b.pending = map[fleet.RequestID]func(fleet.Answer){}
	b.conns, b.order = map[fleet.SessionID]*conn{}, nil
	b.put(fleet.Recovered{UnixEpoch: uint64(b.w.time().Unix())})
	b.step()
	b.w.liveZones()
}

// crash ends the process. A group that is being written may be durable or not;
// nobody was told.
func (b *backend) crash() {
	if !b.up() {
		return
	}
	if b.w.err == nil {
		b.w.err = b.deepCheck()
	}
	if len(b.writing) > 0 && b.commits.IntN(2) == 0 {
		if err := b.journal.Append(b.writing); err != nil {
			b.w.fail(err)
		}
	}
	b.crashes++
	b.core, b.inbox, b.decided, b.writing = nil, nil, nil, nil
	for _, c := range b.order {
		c.serverOpen = false
		b.w.push(c, closeDown, nil)
	}
	b.conns, b.order, b.pending = nil, nil, nil
	b.w.people.lostServer()
}

// put hands an input to the process, which decides it soon.
func (b *backend) put(in ...fleet.Input) {
	if !b.up() || len(in) == 0 {
		return
	}
	b.inbox = append(b.inbox, in...)
	if !b.stepDue {
		b.stepDue = true
		b.w.queue.push(event{at: b.w.now + int64(pause), kind: coreStep})
	}
}

// step decides what has come in.
func (b *backend) step() {
	b.stepDue = false
	if !b.up() {
		return
	}
	for len(b.inbox) > 0 && b.up() {
		n := min(len(b.inbox), maxBatch)
		batch, err := b.core.Step(b.w.time(), b.inbox[:n])
		if err != nil {
			b.w.fail(err)
			return
		}
		b.inbox = append(b.inbox[:0], b.inbox[n:]...)
		b.decided = append(b.decided, batch.Records...)
		for _, t := range batch.Think {
			b.think(t.Question)
		}
		if batch.After <= b.core.CommittedIndex() {
			b.release(b.core.Committed(b.core.CommittedIndex()))
		}
	}
	b.w.people.settle()
	b.commit()
}

// commit writes what was decided, in one group at a time.
func (b *backend) commit() {
	if len(b.writing) > 0 || len(b.decided) == 0 || !b.up() {
		return
	}
	b.writing, b.decided = b.decided, nil
	life := b.life
	b.w.after(millis(b.commits, b.w.scenario.Fleet.CommitMS), func() {
		if b.life != life || !b.up() {
			return
		}
		if err := b.journal.Append(b.writing); err != nil {
			b.w.fail(err)
			return
		}
		last := b.writing[len(b.writing)-1].Index
		b.writing = nil
		b.release(b.core.Committed(last))
		b.commit()
	})
}

// release lets out what waited for the commit.
func (b *backend) release(r engine.Release) {
	for _, e := range r.Effects {
		switch e := e.(type) {
		case fleet.Welcome:
			b.w.apply(b.conns[e.Session], e)
		case fleet.Owe:
			b.w.apply(b.conns[e.Session], e)
		case fleet.CloseLink:
			b.w.apply(b.conns[e.Session], e)
		case fleet.Reply:
			if answered := b.pending[e.Request]; answered != nil {
				delete(b.pending, e.Request)
				answered(e.Answer)
			}
		case fleet.Think:
			b.think(e.Question)
		}
	}
	zones := false
	for i := range r.Events {
		_, changed := r.Events[i].Event.(fleet.ZoneChanged)
		_, removed := r.Events[i].Event.(fleet.ZoneRemoved)
		zones = zones || changed || removed
		if b.w.options.OnEvent != nil {
			b.w.options.OnEvent(r.Events[i])
		}
	}
	if zones {
		b.w.liveZones()
	}
}

// think answers a question after a drawn time, on the world as it is now.
func (b *backend) think(q fleet.Question) {
	life := b.life
	answer := fleet.AnswerQuestion(b.core.Fleet().Planner().Clone(), q, b.w.time(), b.w.config)
	b.w.after(millis(b.plans, b.w.scenario.Fleet.PlanMS), func() {
		if b.life == life {
			b.put(fleet.PlanReady{Question: q, Answer: answer})
		}
	})
}

// ask puts a request; answered is called once, or never when the process ends.
func (b *backend) ask(actor, key, bodyHash string, ask fleet.Ask, answered func(fleet.Answer)) {
	b.requests++
	id := fleet.RequestID(b.requests)
	b.pending[id] = answered
	b.put(fleet.Asked{Request: id, Actor: actor, Key: key, BodyHash: bodyHash, Ask: ask})
}

func (b *backend) deepCheck() error {
	if !b.up() || b.w.options.SkipFolds {
		return nil
	}
	return b.core.DeepCheck()
}

func (w *world) fail(err error) {
	if w.err == nil && err != nil {
		w.err = fmt.Errorf("the backend: %w", err)
	}
}

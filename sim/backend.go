package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/sim/fault"
)

const (
	// pause is how long the backend waits for more inputs before it decides a
	// batch, as an engine under load does.
	pause = 5 * time.Millisecond
	// maxBatch is how many inputs are decided in one step.
	maxBatch = engine.MaxBatch
	// maxTelemetry is how many inputs may wait for telemetry to be taken in.
	maxTelemetry = int(engine.InboxInputs * engine.TelemetryShare)
	// snapshotEvery, and a few more for each vehicle, is how many records lie between
	// snapshots: fewer than an engine's, so that restarts begin with one.
	snapshotEvery = 300
)

// backend is the simulated process: core, journal, pending commits. A crash loses
// all of it but the disk. It does what package engine does, with the same Core and
// the same journal, one event of virtual time after the other.
type backend struct {
	w       *world
	core    *engine.Core
	journal journal.Journal
	// disk is what the journal lies on; nil where it need not survive anything.
	disk           *fault.Disk
	commits, plans *rand.Rand
	// ends is for how the process ends.
	ends *rand.Rand
	// life counts the lives of the state; what belongs to an earlier one is void.
	life int
	// running says that there is a process, which may be without a state while it
	// reopens the journal; downFor is how long it stays away after the next crash.
	running bool
	doom    doom
	downFor time.Duration
	// cutShort lets the next start come to a sudden end.
	cutShort bool
	// crashes counts all, struck those of each moment; stillborn the starts that came
	// to nothing, reopened the returns from a failed disk. Pause is the one before the
	// next try to reopen.
	crashes, stillborn, reopened int
	struck                       [dooms]int
	pause                        time.Duration

	inbox   []fleet.Input
	stepDue bool
	// decided are records that wait for a commit, writing those in one.
	decided, writing           []journal.Record
	decidedBytes, writingBytes int
	// told is the last durable event that anybody may have heard of.
	told uint64
	// snapshotAt is the index of the newest snapshot, snapshot the one that is saved
	// with the group that is being written.
	snapshotAt uint64
	snapshot   *journal.Snapshot
	// fsync and late are what faults add to a commit and to a background answer.
	fsync, late time.Duration

	requests    uint64
	pending     map[fleet.RequestID]func(fleet.Answer)
	connections uint64
	conns       map[fleet.SessionID]*conn
	order       []opened
	stream      stream
}

// newBackend makes a backend that does not run yet.
func newBackend(w *world) backend {
	seed := w.scenario.Seed
	b := backend{
		w: w, commits: chance(seed, chanceCommits), plans: chance(seed, chancePlans), ends: chance(seed, chanceEnds),
		stream: stream{w: w},
	}
	if needsDisk(&w.scenario) {
		b.disk = fault.NewDisk(seed, chance(seed, chanceDisk))
	} else {
		b.journal = &memory{}
	}
	return b
}

// up tells whether the state is there, so that the backend serves.
func (b *backend) up() bool { return b.core != nil }

// begin opens the journal, restores the state and takes up ownership, as the
// engine does: the recovery is durable when it returns.
func (b *backend) begin() error {
	if b.disk == nil {
		return b.recover()
	}
	var err error
	if b.journal, err = b.disk.Open(); err != nil {
		return err
	}
	if err = b.recover(); err != nil {
		_ = b.journal.Close() // What it says is known already.
	}
	return err
}

func (b *backend) recover() error {
	state, report, err := engine.Restore(b.journal)
	if err != nil {
		return err
	}
	if report.Last < b.told {
		return fmt.Errorf("the journal ends at event %d, but event %d was told of: the disk or the journal has lost data", report.Last, b.told)
	}
	core, err := engine.NewCore(engine.Options{
		Chart: b.w.chart, Config: b.w.config, Hasher: b.w.hasher, CheckFolds: !b.w.options.SkipFolds,
	}, state)
	if err != nil {
		return err
	}
	batch, err := core.Step(b.w.time(), []fleet.Input{fleet.Recovered{UnixEpoch: uint64(b.w.time().Unix())}})
	if err != nil {
		return err
	}
	if err := b.journal.Append(batch.Records); err != nil {
		return fmt.Errorf("recording the recovery: %w", err)
	}
	if err := b.unheard(report.Last); err != nil {
		return err
	}
	b.core, b.snapshotAt = core, report.Snapshot
	b.life++
	b.pending = map[fleet.RequestID]func(fleet.Answer){}
	b.conns, b.order = map[fleet.SessionID]*conn{}, nil
	for _, t := range batch.Think {
		b.think(t.Question)
	}
	b.release(b.core.Committed(batch.After))
	b.w.liveZones()
	b.w.liveStreets()
	return nil
}

// unheard tells of the events of a group that turned out to be durable though
// the state that decided it is lost.
func (b *backend) unheard(last uint64) error {
	if b.told >= last {
		return nil
	}
	var events []fleet.Recorded
	var problem error
	err := b.journal.Read(b.told+1, func(r journal.Record) bool {
		if r.Index > last {
			return false
		}
		var e fleet.Recorded
		e, problem = fleet.DecodeEvent(r.Data)
		events = append(events, e)
		return problem == nil
	})
	if err == nil {
		err = problem
	}
	if err != nil {
		return fmt.Errorf("reading the events after %d: %w", b.told, err)
	}
	b.tell(events)
	return nil
}

// put hands an input to the process, which decides it soon. One that is full
// takes no telemetry, and one that waits for its disk no ticks.
func (b *backend) put(in ...fleet.Input) {
	if !b.up() {
		return
	}
	for _, i := range in {
		if _, is := i.(fleet.Telemetry); is && len(b.inbox) >= maxTelemetry {
			continue
		}
		if _, is := i.(fleet.Tick); is && b.full() {
			continue
		}
		b.inbox = append(b.inbox, i)
	}
	b.stepSoon()
}

func (b *backend) stepSoon() {
	if len(b.inbox) > 0 && !b.stepDue {
		b.stepDue = true
		b.w.queue.push(event{at: b.w.now + int64(pause), kind: coreStep})
	}
}

// full tells whether so much waits for the disk that nothing more is decided.
func (b *backend) full() bool {
	return len(b.decided)+len(b.writing) >= engine.MaxWaitingRecords || b.decidedBytes+b.writingBytes >= engine.MaxWaitingBytes
}

// step decides what has come in.
func (b *backend) step() {
	b.stepDue = false
	if !b.up() {
		return
	}
	for len(b.inbox) > 0 && b.up() && !b.full() {
		n := min(len(b.inbox), maxBatch)
		batch, err := b.core.Step(b.w.time(), b.inbox[:n])
		if err != nil {
			b.w.fail(err)
			return
		}
		b.inbox = append(b.inbox[:0], b.inbox[n:]...)
		b.decided = append(b.decided, batch.Records...)
		for i := range batch.Records {
			b.decidedBytes += len(batch.Records[i].Data)
		}
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
	if b.dies(doomDecided) {
		return
	}
	b.writing, b.writingBytes = b.decided, b.decidedBytes
	b.decided, b.decidedBytes = nil, 0
	if err := b.makeSnapshot(); err != nil {
		b.w.fail(err)
		return
	}
	takes, life := millis(b.commits, b.w.scenario.Fleet.CommitMS)+b.fsync, b.life
	b.w.people.samples.Add("commit_ms", takes.Seconds()*1000)
	if b.doom == doomWriting {
		b.w.after(time.Duration(b.ends.Float64()*float64(takes)), func() {
			if b.life == life {
				b.dies(doomWriting)
			}
		})
	}
	b.w.after(takes, func() {
		if b.life == life && b.up() {
			b.committed()
		}
	})
}

// committed is when the disk has taken the group, or not.
func (b *backend) committed() {
	if err := b.journal.Append(b.writing); err != nil {
		b.giveUp(err)
		return
	}
	last := b.writing[len(b.writing)-1].Index
	b.writing, b.writingBytes = nil, 0
	if b.dies(doomDurable) {
		return
	}
	b.saveSnapshot()
	b.release(b.core.Committed(last))
	b.stepSoon()
	b.commit()
}

// makeSnapshot takes one of the state when it is time, which then ends with the
// group that is to be written.
func (b *backend) makeSnapshot() error {
	if last := b.core.LastIndex(); b.disk != nil && last >= b.snapshotAt+snapshotEvery+3*uint64(len(b.w.vehicles)) {
		data, err := fleet.EncodeDurable(&b.core.Fleet().State().Durable)
		if err != nil {
			return fmt.Errorf("encoding the state at event %d: %w", last, err)
		}
		b.snapshot = &journal.Snapshot{Index: last, Data: data}
	}
	return nil
}

// saveSnapshot saves what makeSnapshot took. Where the disk fails it is tried
// again with a later one.
func (b *backend) saveSnapshot() {
	s := b.snapshot
	if s == nil {
		return
	}
	b.snapshot = nil
	switch err := b.journal.SaveSnapshot(*s); {
	case err == nil:
		b.snapshotAt = s.Index
	case !fault.OfDisk(err):
		b.w.fail(err)
	}
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
	zones, streets := b.tell(r.Events)
	if zones {
		b.w.liveZones()
	}
	if streets {
		b.w.liveStreets()
	}
}

// tell lets out events, and says whether zones changed, and closed streets.
func (b *backend) tell(events []fleet.Recorded) (zones, streets bool) {
	for i := range events {
		_, changed := events[i].Event.(fleet.ZoneChanged)
		_, removed := events[i].Event.(fleet.ZoneRemoved)
		_, weather := events[i].Event.(fleet.ConditionsChanged)
		zones, streets = zones || changed || removed, streets || weather
		if events[i].Event.Lasting() {
			b.told = events[i].Index
		}
		if b.w.options.OnEvent != nil {
			b.w.options.OnEvent(events[i])
		}
	}
	b.w.jury.read(events)
	b.stream.publish(events)
	return zones, streets
}

// think answers a question after a drawn time, on the world as it is now.
func (b *backend) think(q fleet.Question) {
	life := b.life
	answer := fleet.AnswerQuestion(b.core.Fleet().Planner().Clone(), q, b.w.time(), b.w.config)
	takes := millis(b.plans, b.w.scenario.Fleet.PlanMS) + b.late
	b.w.people.samples.Add("plan_ms", takes.Seconds()*1000)
	b.w.after(takes, func() {
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

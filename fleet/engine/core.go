package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/mutant"
)

// Core decides inputs and holds their effects back until they may leave. It has
// one owner, no goroutine and no clock.
type Core struct {
	fleet     *fleet.Fleet
	hasher    hash.Hash
	summed    []byte
	folds     *folds
	decided   uint64
	committed uint64
	waiting   []step
}

// step is what one Step holds back until the record after is durable.
type step struct {
	after   uint64
	effects []fleet.Effect
	events  []fleet.Recorded
}

// Batch is what one step brought about.
type Batch struct {
	// Records are the durable events, encoded, to be appended to the journal in
	// order; it may be empty. The caller owns them.
	Records []journal.Record
	// After is the last durable event decided up to now: the effects of the step
	// are released by Committed of this index or a higher one. Without Records it
	// may be committed already; then the caller calls Committed at once.
	After uint64
	// Think are questions for the background planner, which need not wait.
	Think []fleet.Think
	// Events is how many events were concluded, volatile ones too, Implausible how
	// many samples said what cannot be.
	Events, Implausible int
	// Raised are the kinds of the alerts that were raised.
	Raised []fleet.AlertKind
	// Replies tells whether an answer to a request is among the effects.
	Replies bool
}

// Release is what may leave: the effects and events of committed steps, in
// order.
type Release struct {
	Effects []fleet.Effect
	Events  []fleet.Recorded
}

// NewCore returns a core over the durable state read by Restore, or
// fleet.NewState. The first input must be fleet.Recovered.
func NewCore(o Options, state *fleet.State) (*Core, error) {
	f, err := fleet.New(o.Config, o.Chart, state)
	if err != nil {
		return nil, fmt.Errorf("engine: starting the fleet at event %d: %w", state.Durable.Index, err)
	}
	c := &Core{fleet: f, decided: state.Durable.Index, committed: state.Durable.Index, hasher: o.Hasher}
	if c.hasher == nil && o.Hash {
		c.hasher = sha256.New()
	}
	if o.CheckFolds {
		if c.folds, err = newFolds(f.State()); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// Fleet returns the fleet, which changes with the next Step.
func (c *Core) Fleet() *fleet.Fleet { return c.fleet }

// LastIndex is the index of the last durable event decided.
func (c *Core) LastIndex() uint64 { return c.decided }

// CommittedIndex is the highest index that Committed was told, or the index
// that the core started with.
func (c *Core) CommittedIndex() uint64 { return c.committed }

// Waiting is how many steps are held back.
func (c *Core) Waiting() int { return len(c.waiting) }

// Step decides the inputs in order at time now, which the caller keeps from
// going back. An error means that the state can no longer be trusted: an event
// could not be encoded, or, with CheckFolds, a fold differs from the live state
// (the error names the first entity that does); the caller starts over from the
// journal.
func (c *Core) Step(now time.Time, inputs []fleet.Input) (Batch, error) {
	out := c.fleet.Step(now, inputs)
	s := step{events: out.Events}
	b := Batch{Events: len(out.Events), Implausible: out.Implausible, Raised: out.Raised}
	for i := range out.Events {
		if err := c.record(&b, &out.Events[i]); err != nil {
			return Batch{}, err
		}
	}
	if c.folds != nil {
		if err := c.folds.compare(c.fleet.State()); err != nil {
			return Batch{}, fmt.Errorf("engine: step at %s: %w", now.Format(time.RFC3339Nano), err)
		}
	}
	for _, e := range out.Effects {
		if think, ok := e.(fleet.Think); ok {
			b.Think = append(b.Think, think)
			continue
		}
		if _, ok := e.(fleet.Reply); ok {
			b.Replies = true
		}
		s.effects = append(s.effects, e)
	}
	s.after, b.After = c.decided, c.decided
	if mutant.On(mutant.AnswerBeforeCommit) {
		s.after, b.After = c.committed, c.committed
	}
	if len(s.effects) > 0 || len(s.events) > 0 {
		c.waiting = append(c.waiting, s)
	}
	return b, nil
}

// record encodes one event where its bytes are needed, and folds it.
func (c *Core) record(b *Batch, r *fleet.Recorded) error {
	lasting := r.Event.Lasting()
	if !lasting && c.hasher == nil && c.folds == nil {
		return nil
	}
	var data []byte
	if lasting {
		var err error
		if data, err = fleet.EncodeEvent(*r); err != nil {
			return fmt.Errorf("engine: recording event %d: %w", r.Index, err)
		}
	}
	if c.hasher != nil {
		var err error
		if c.summed, err = fleet.AppendSummed(c.summed[:0], r, data); err != nil {
			return fmt.Errorf("engine: recording event %d: %w", r.Index, err)
		}
		_, _ = c.hasher.Write(c.summed) // A hash never returns an error.
	}
	if lasting {
		if r.Index != c.decided+1 {
			return fmt.Errorf("engine: event %d (%s) does not follow event %d", r.Index, r.Event.EventName(), c.decided)
		}
		c.decided = r.Index
		b.Records = append(b.Records, journal.Record{Index: r.Index, Data: data})
	}
	if c.folds != nil {
		return c.folds.evolve(*r, data)
	}
	return nil
}

// Committed says that all records up to index are durable, and takes out what
// may leave because of it. An index below an earlier one changes nothing but
// still releases steps that wait for nothing more.
func (c *Core) Committed(index uint64) Release {
	c.committed = max(c.committed, min(index, c.decided))
	var r Release
	n := 0
	if len(c.waiting) > 0 && c.waiting[0].after <= c.committed {
		// Mostly there is but one step, and nothing need be copied.
		r.Effects, r.Events, n = slices.Clip(c.waiting[0].effects), slices.Clip(c.waiting[0].events), 1
	}
	for n < len(c.waiting) && c.waiting[n].after <= c.committed {
		r.Effects = append(r.Effects, c.waiting[n].effects...)
		r.Events = append(r.Events, c.waiting[n].events...)
		n++
	}
	c.waiting = append(c.waiting[:0], c.waiting[n:]...)
	clear(c.waiting[len(c.waiting):cap(c.waiting)])
	return r
}

// EventLogSHA256 is the checksum, in hex, over all events so far, each as
// fleet.AppendSummed writes it. It is empty without Hash.
func (c *Core) EventLogSHA256() string {
	if c.hasher == nil {
		return ""
	}
	return hex.EncodeToString(c.hasher.Sum(nil))
}

// DeepCheck compares the live state and both folds entity by entity, so that
// changes behind the digests' backs show. It needs CheckFolds.
func (c *Core) DeepCheck() error {
	if c.folds == nil {
		return errors.New("engine: a deep check needs CheckFolds")
	}
	return c.folds.deepCompare(c.fleet.State())
}

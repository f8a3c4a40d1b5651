package engine

import (
	"fmt"

	"github.com/kapok-fleet/kapok/fleet"
)

// folds are two shadows of the live state. The durable one sees durable events
// only, as they come back from their journaled form; the whole one sees every
// event. If a shadow differs from the live state, something changed the state
// other than by an event, or the journaled form has lost something.
type folds struct {
	durable, whole             *fleet.State
	durableSum, allSum, liveAt *fleet.Digest
}

func newFolds(live *fleet.State) (*folds, error) {
	f := &folds{whole: fleet.NewState(), durable: fleet.NewState()}
	for _, s := range []*fleet.State{f.whole, f.durable} {
		data, err := fleet.EncodeDurable(&live.Durable)
		if err == nil {
			s.Durable, err = fleet.DecodeDurable(data)
		}
		if err != nil {
			return nil, fmt.Errorf("engine: copying the state at event %d to check folds: %w", live.Durable.Index, err)
		}
	}
	f.durableSum, f.allSum, f.liveAt = f.durable.Track(), f.whole.Track(), live.Track()
	return f, f.compare(live)
}

// evolve takes in an event; data is its journaled form when it is durable.
func (f *folds) evolve(r fleet.Recorded, data []byte) error {
	fleet.Evolve(f.whole, r)
	if !r.Event.Lasting() {
		return nil
	}
	read, err := fleet.DecodeEvent(data)
	if err != nil {
		return fmt.Errorf("engine: reading back event %d: %w", r.Index, err)
	}
	fleet.Evolve(f.durable, read)
	return nil
}

// compare looks at what was touched since the last time.
func (f *folds) compare(live *fleet.State) error {
	liveDurable, liveAll := f.liveAt.Sum()
	foldDurable, _ := f.durableSum.Sum()
	_, foldAll := f.allSum.Sum()
	return f.judge(live, liveDurable == foldDurable, liveAll == foldAll)
}

// deepCompare looks at every part of the live state, and at whether its digest kept
// up. The folds' digests need no such look: nothing but events reaches the folds, and
// an event that changes a fold behind its digest's back does so to the live state.
func (f *folds) deepCompare(live *fleet.State) error {
	liveDurable, liveAll := live.DeepSum()
	foldDurable, _ := f.durableSum.Sum()
	_, foldAll := f.allSum.Sum()
	if err := f.judge(live, liveDurable == foldDurable, liveAll == foldAll); err != nil {
		return err
	}
	if _, kept := f.liveAt.Sum(); kept != liveAll {
		return fmt.Errorf("engine: at event %d the state was changed behind its digest's back", live.Durable.Index)
	}
	return nil
}

func (f *folds) judge(live *fleet.State, durable, all bool) error {
	if !durable {
		return fmt.Errorf("engine: at event %d the fold of durable events differs from the durable state, first in %q",
			live.Durable.Index, fleet.Differs(live, f.durable, true))
	}
	if !all {
		return fmt.Errorf("engine: at event %d the fold of all events differs from the live state, first in %q",
			live.Durable.Index, fleet.Differs(live, f.whole, false))
	}
	return nil
}

package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// The limits of a stream. They are those of /v1/stream, made smaller so that a
// run of minutes comes to them.
const (
	// keptEvents is how far back a dispatcher may resume.
	keptEvents = 128
	// frameEvents bounds one frame, queueFrames what waits for a dispatcher; beyond
	// it the dispatcher is cut off.
	frameEvents = 32
	queueFrames = 16
	// lookEvery is how often a dispatcher takes from its stream, lookAgain how long
	// it waits before it opens one again.
	lookEvery = 100 * time.Millisecond
	lookAgain = time.Second
)

// stream sends the durable events to dispatchers, as they become durable. Those
// that are open outlive a reopening of the state, and end with the process.
type stream struct {
	w           *world
	dispatchers []*dispatcher
	// kept are the last events, without a gap.
	kept []fleet.Recorded
}

// dispatcher follows the fleet through a stream: a copy of its durable state, kept
// up by events from index to index. Whatever happens to its streams, in the end
// the copy equals the state.
type dispatcher struct {
	w      *world
	number int
	state  *fleet.State
	// open says that a stream is; queue is what waits in it, sent the last event
	// that was put into it.
	open  bool
	queue [][]fleet.Recorded
	sent  uint64
	// rate is how many events it takes a second while slow is above 0; credit is
	// what it may take now.
	rate, credit float64
	slow         int
	// resumed, cut and snapshots count what happened to its streams.
	resumed, cut, snapshots int
	findings                []check.Finding
}

// dispatcherOf plans a time in which a dispatcher is slow: one who is not slow
// then, or else a new one.
func (w *world) slowDispatcher(f *scenario.Fault, busy *[]time.Duration) {
	s, from, until := &w.backend.stream, f.At.D(), w.ends(f.At, f.For)
	n := slices.IndexFunc(*busy, func(until time.Duration) bool { return until < from })
	if n < 0 {
		n = len(*busy)
		*busy = append(*busy, 0)
		d := &dispatcher{w: w, number: n + 1, state: fleet.NewState()}
		s.dispatchers = append(s.dispatchers, d)
		w.after(0, d.look)
	}
	(*busy)[n] = until
	d, rate := s.dispatchers[n], f.Amount
	w.after(from, func() { d.slow, d.rate, d.credit = d.slow+1, rate, 0 })
	w.after(until, func() { d.slow-- })
}

// publish sends events to all who are open.
func (s *stream) publish(events []fleet.Recorded) {
	if len(s.dispatchers) == 0 {
		return
	}
	var durable []fleet.Recorded
	for _, e := range events {
		if e.Event.Lasting() {
			durable = append(durable, e)
		}
	}
	if len(durable) == 0 {
		return
	}
	s.kept = append(s.kept, durable...)
	s.kept = slices.Delete(s.kept, 0, max(0, len(s.kept)-keptEvents))
	for _, d := range s.dispatchers {
		if d.open {
			d.send(durable)
		}
	}
}

// lose ends all streams with the process. The next one keeps less at first.
func (s *stream) lose() {
	s.kept = slices.Delete(s.kept, 0, max(0, len(s.kept)-keptEvents/2))
	for _, d := range s.dispatchers {
		d.open, d.queue = false, nil
	}
}

// send queues events, and cuts the dispatcher off where there is no room: it must
// have each event, or know that it lacks some.
func (d *dispatcher) send(events []fleet.Recorded) {
	for part := range slices.Chunk(events, frameEvents) {
		if len(d.queue) >= queueFrames {
			d.open, d.queue = false, nil
			d.cut++
			return
		}
		d.queue = append(d.queue, part)
		d.sent = part[len(part)-1].Index
	}
}

// look takes what it can from its stream, and opens one where there is none.
func (d *dispatcher) look() {
	if !d.open {
		if err := d.connect(); err != nil {
			d.w.fail(err)
			return
		}
		if !d.open {
			d.w.after(lookAgain, d.look)
			return
		}
	}
	d.w.after(lookEvery, d.look)
	d.credit = min(d.credit+d.rate*lookEvery.Seconds(), max(1, d.rate))
	for len(d.queue) > 0 && (d.slow == 0 || d.credit >= 1) {
		next := d.queue[0][0]
		if d.queue[0] = d.queue[0][1:]; len(d.queue[0]) == 0 {
			d.queue = d.queue[1:]
		}
		d.credit--
		d.take(next)
	}
}

// connect opens a stream: behind the last event that it has where that is kept,
// else with a snapshot. It stays closed while the fleet is not available.
func (d *dispatcher) connect() error {
	b := &d.w.backend
	if !b.up() {
		return nil
	}
	s, index := &b.stream, d.state.Durable.Index
	if index > b.told {
		d.find("knows event %d, but the fleet has told of no more than %d", index, b.told)
	}
	d.open, d.queue, d.sent = true, nil, index
	if first := b.told - uint64(len(s.kept)) + 1; index+1 >= first && index <= b.told {
		d.resumed++
		// No more is kept than what fits into the queue.
		d.send(slices.Clone(s.kept[index+1-first:]))
		return nil
	}
	d.snapshots++
	state, _, err := engine.Restore(b.journal)
	if err != nil {
		return fmt.Errorf("a snapshot for a dispatcher: %w", err)
	}
	d.state, d.sent = state, state.Durable.Index
	return nil
}

// take evolves its copy by the next event, as it comes over the wire.
func (d *dispatcher) take(e fleet.Recorded) {
	if next := d.state.Durable.Index + 1; e.Index != next {
		d.find("was sent event %d where %d follows", e.Index, next)
		d.open, d.queue = false, nil
		return
	}
	data, err := fleet.EncodeEvent(e)
	if err == nil {
		e, err = fleet.DecodeEvent(data)
	}
	if err != nil {
		d.w.fail(fmt.Errorf("event %d on a stream: %w", e.Index, err))
		return
	}
	fleet.Evolve(d.state, e)
}

func (d *dispatcher) find(format string, a ...any) {
	d.findings = append(d.findings, check.Finding{
		Checker: check.Dispatchers, Time: d.w.time(), Object: d.name(), Text: fmt.Sprintf(format, a...),
	})
}

func (d *dispatcher) name() string { return fmt.Sprintf("dispatcher %d", d.number) }

// judge lets every dispatcher take what is left, and compares what it knows with
// what is durable. The backend must be up.
func (s *stream) judge() []check.Finding {
	if len(s.dispatchers) == 0 || !s.w.backend.up() {
		return nil
	}
	durable, _, err := engine.Restore(s.w.backend.journal)
	if err != nil {
		s.w.fail(err)
		return nil
	}
	var all []check.Finding
	for _, d := range s.dispatchers {
		d.catchUp()
		before := len(d.findings)
		switch of, at := durable.Durable.Index, d.state.Durable.Index; {
		case at != of:
			d.find("ends at event %d of %d", at, of)
		default:
			if what := fleet.Differs(durable, d.state, true); what != "" {
				d.find("differs from the fleet at event %d, first in %q", at, what)
			}
		}
		all = append(all, d.findings...)
		// What is found at the end would else be found again.
		d.findings = d.findings[:before]
	}
	if core := s.w.backend.core; core.LastIndex() == durable.Durable.Index {
		if what := fleet.Differs(core.Fleet().State(), durable, true); what != "" {
			all = append(all, check.Finding{
				Checker: check.Dispatchers, Time: s.w.time(), Object: "journal",
				Text: fmt.Sprintf("differs from the live state at event %d, first in %q", core.LastIndex(), what),
			})
		}
	}
	return all
}

// catchUp takes all that waits, however slow the dispatcher is.
func (d *dispatcher) catchUp() {
	if !d.open {
		if err := d.connect(); err != nil {
			d.w.fail(err)
		}
	}
	for _, frame := range d.queue {
		for _, e := range frame {
			d.take(e)
		}
	}
	d.queue = nil
}

package server

import (
	"bytes"
	"context"
	"math"
	schedule "runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
)

// When more telemetry comes than the server can take, it would grow old in the
// sockets. So while links wait for their turn all the time, or the fleet's inbox
// fills, fewer telemetry frames of each vehicle are read: a position each two
// seconds is worth more than ten of a minute ago, and reports get through. Orders
// and commands do not wait behind frames in any case.
const (
	// lookEvery is how often the pressure is looked at.
	lookEvery = 100 * time.Millisecond
	// firstThin and mostThin are the shortest and longest time between two telemetry
	// frames of one vehicle that are read while the server is overloaded.
	firstThin = 100 * time.Millisecond
	mostThin  = 2 * time.Second
	// mostRest is the longest pause between two readings of a link meanwhile; reports
	// come so much later, too.
	mostRest = 250 * time.Millisecond
	// pressAfter is how many looks in a row must find pressure before thinning
	// begins: a short stop of the whole process is no overload. easeAfter is how many
	// must find none before more is read again, so that thinning does not swing.
	pressAfter = 3
	easeAfter  = 5
	// telemetryHead is how far a telemetry frame is looked into before it is read.
	telemetryHead = 64
)

// pressure is what one look found.
type pressure struct {
	// backlog: since the last look there was always a link that waited for its turn.
	backlog bool
	// inbox is how full the fleet's inbox was, 0 to 1.
	inbox float64
}

func (p pressure) high() bool { return p.backlog || p.inbox > 0.5 }

// thinning decides how much telemetry is read.
type thinning struct {
	interval time.Duration
	// pressed and easy are how many looks in a row found pressure, and none.
	pressed, easy int
}

// next takes a look's finding and returns the shortest time between two
// telemetry frames of one vehicle: once it is above 0 it doubles at each look
// under pressure, and falls by three tenths each easeAfter looks without: more
// slowly than it rises, or the server would swing between too much and too little.
func (t *thinning) next(p pressure) time.Duration {
	if p.high() {
		t.pressed, t.easy = t.pressed+1, 0
		if t.interval > 0 || t.pressed >= pressAfter {
			t.interval = min(max(2*t.interval, firstThin), mostThin)
		}
		return t.interval
	}
	t.pressed, t.easy = 0, t.easy+1
	if t.easy >= easeAfter && t.interval > 0 {
		t.easy = 0
		t.interval = t.interval * 7 / 10
		if t.interval < firstThin {
			t.interval = 0
		}
	}
	return t.interval
}

// overload is what the links and the gauges see of it.
type overload struct {
	thin, latency atomic.Int64 // nanoseconds
	// held keeps thin as it is, for tests.
	held atomic.Bool
}

// rest is how long a link is left alone between two readings while the server is
// overloaded: to wake up for each frame costs more than to read several.
func (o *overload) rest() time.Duration {
	return min(time.Duration(o.thin.Load())/2, mostRest)
}

// watchLoad looks at the pressure until ctx ends. The log says when thinning
// begins and ends.
func (s *Server) watchLoad(ctx context.Context) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	var t thinning
	waits := newWaits()
	began := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			before := t.interval
			p := pressure{
				backlog: s.links.group.Backlogged(),
				inbox:   float64(s.backend.Stats().Inbox) / engine.InboxInputs,
			}
			latency := waits.slowestTenth()
			s.overload.latency.Store(int64(latency))
			if interval := t.next(p); !s.overload.held.Load() {
				s.overload.thin.Store(int64(interval))
			}
			switch {
			case before == 0 && t.interval > 0:
				began = now
				s.options.Log.Warn("the server is overloaded: some telemetry is not read", "scheduler_latency", latency, "inbox", p.inbox)
			case before > 0 && t.interval == 0:
				s.options.Log.Warn("the server is no longer overloaded: all telemetry is read again", "after", now.Sub(began).Round(lookEvery))
			}
		}
	}
}

// waits reads how long goroutines waited for a processor since the last look.
type waits struct {
	sample [1]schedule.Sample
	before []uint64
}

func newWaits() *waits {
	w := &waits{}
	w.sample[0].Name = "/sched/latencies:seconds"
	return w
}

func (w *waits) slowestTenth() time.Duration {
	schedule.Read(w.sample[:])
	if w.sample[0].Value.Kind() != schedule.KindFloat64Histogram {
		return 0
	}
	h := w.sample[0].Value.Float64Histogram()
	if w.before == nil {
		w.before = make([]uint64, len(h.Counts))
	}
	d := upperDecile(h.Buckets, h.Counts, w.before)
	copy(w.before, h.Counts)
	return d
}

// upperDecile is the lower bound of the bucket in which the slowest tenth of
// what was counted since before begins. Counts[i] lies between the bounds i and
// i+1.
func upperDecile(bounds []float64, counts, before []uint64) time.Duration {
	var all uint64
	for i := range counts {
		all += counts[i] - before[i]
	}
	var slower uint64
	for i := len(counts) - 1; i >= 0 && all > 0; i-- {
		slower += counts[i] - before[i]
		if slower*10 >= all && !math.IsInf(bounds[i], -1) {
			return time.Duration(bounds[i] * float64(time.Second))
		}
	}
	return 0
}

// thins tells whether a frame is telemetry that comes too soon to be read while
// the server is overloaded.
func (l *link) thins(frame []byte, now time.Time) bool {
	thin := time.Duration(l.server.overload.thin.Load())
	since := now.Sub(l.sampledAt) // Below 0 once the clock was set back.
	return thin > 0 && since >= 0 && since < thin && isTelemetry(l.encoding, frame)
}

// isTelemetry recognises a telemetry frame by its first field, as vehicles
// usually send it. What it does not recognise may be telemetry all the same; what
// it does is telemetry, or no valid message.
func isTelemetry(e protocol.Encoding, frame []byte) bool {
	head := frame[:min(len(frame), telemetryHead)]
	if e == protocol.CBOR {
		// A map of up to 23 fields or of open length, then the texts "type" and
		// "telemetry" with their lengths.
		return len(head) > 0 && (head[0]&^0x1f == 0xa0 && (head[0]&0x1f < 24 || head[0] == 0xbf)) &&
			bytes.HasPrefix(head[1:], []byte("\x64type\x69telemetry"))
	}
	for _, token := range []string{"{", `"type"`, ":", `"telemetry"`} {
		head = bytes.TrimLeft(head, " \t\r\n")
		rest, ok := bytes.CutPrefix(head, []byte(token))
		if !ok {
			return false
		}
		head = rest
	}
	return true
}

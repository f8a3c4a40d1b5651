package server

import (
	"bytes"
	"context"
	"math"
	"runtime"
	schedule "runtime/metrics"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol"
)

// When more telemetry comes than the server can take, all else would wait behind
// it. So while goroutines wait long for a processor, or the fleet's inbox fills,
// fewer telemetry frames of each vehicle are read: a position each two seconds is
// worth more than ten of a minute ago, and orders and reports get through.
const (
	// lookEvery is how often the pressure is looked at.
	lookEvery = 100 * time.Millisecond
	// busyAt is the share of the processors above which one look at long waits counts
	// as overload, and busyOver how many looks that share is of: frames to many
	// streams at once hold all else up for a moment on a server that has time left.
	// Where something else uses the processors, slowLooks more with long waits than
	// without count instead.
	busyAt    = 0.55
	busyOver  = 5
	slowLooks = 3
	// pressedAt is the wait for a processor, of the slowest tenth of waits, above
	// which the server is overloaded.
	pressedAt = 25 * time.Millisecond
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
	// latency is what the slowest tenth of the waits for a processor exceeded.
	latency time.Duration
	// inbox is how full the fleet's inbox was, 0 to 1.
	inbox float64
	// busy is the share of the processors that this process used lately, 0 to 1.
	busy float64
}

// thinning decides how much telemetry is read.
type thinning struct {
	interval time.Duration
	// pressed and easy are how many looks in a row found pressure, and none.
	pressed, easy int
	// slow is how many more looks found long waits than did not, lately.
	slow int
}

// high tells whether a look's finding is overload.
func (t *thinning) high(p pressure) bool {
	if p.latency <= pressedAt {
		t.slow = max(t.slow-1, 0)
		return p.inbox > 0.5
	}
	t.slow = min(t.slow+1, 2*slowLooks)
	return p.inbox > 0.5 || p.busy > busyAt || t.slow >= slowLooks
}

// next takes a look's finding and returns the shortest time between two
// telemetry frames of one vehicle: once it is above 0 it doubles at each look
// under pressure, and falls by three tenths each easeAfter looks without: more
// slowly than it rises, or the server would swing between too much and too little.
func (t *thinning) next(p pressure) time.Duration {
	if t.high(p) {
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
	var used usage
	began := time.Time{}
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			before := t.interval
			p := pressure{
				latency: waits.slowestTenth(), inbox: float64(s.backend.Stats().Inbox) / engine.InboxInputs,
				busy: used.share(now, processorTime()),
			}
			s.overload.latency.Store(int64(p.latency))
			if interval := t.next(p); !s.overload.held.Load() {
				s.overload.thin.Store(int64(interval))
			}
			switch {
			case before == 0 && t.interval > 0:
				began = now
				s.options.Log.Warn("the server is overloaded: some telemetry is not read", "scheduler_latency", p.latency, "inbox", p.inbox)
			case before > 0 && t.interval == 0:
				s.options.Log.Warn("the server is no longer overloaded: all telemetry is read again", "after", now.Sub(began).Round(lookEvery))
			}
		}
	}
}

// usage is how much processor time the process used in the last looks.
type usage struct {
	at   [busyOver]time.Time
	time [busyOver]time.Duration
	next int
}

// share takes the processor time used up to now, and returns the share of all
// processors that was used since busyOver looks ago; 1 until that is known.
func (u *usage) share(now time.Time, spent time.Duration) float64 {
	at, before := u.at[u.next], u.time[u.next]
	u.at[u.next], u.time[u.next] = now, spent
	u.next = (u.next + 1) % busyOver
	passed := now.Sub(at)
	if at.IsZero() || passed <= 0 || spent == 0 {
		return 1
	}
	return float64(spent-before) / float64(passed) / float64(runtime.GOMAXPROCS(0))
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

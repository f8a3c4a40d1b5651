package fault

import (
	"math/rand/v2"
	"time"
)

// The figures of a link that a scenario cannot change.
const (
	// packetBytes is how much of a frame is lost or not at once.
	packetBytes = 1400
	// overheadBytes come with each frame: the heads of WebSocket, TLS, TCP and IP.
	overheadBytes = 80
	// retransmitFirst is added to a round trip for the first retransmission
	// timeout; each further one is twice as long, up to retransmitMost.
	retransmitFirst = 200 * time.Millisecond
	retransmitMost  = 60 * time.Second
	// maxRetransmissions is how often a frame is sent again; then it comes through.
	maxRetransmissions = 12
	// Stall is how long a frame may wait for those before it to be sent; beyond
	// it both ends give the connection up.
	Stall = 20 * time.Second
	// ReorderMost is how long a frame waits for the next one to overtake it.
	ReorderMost = time.Second
)

// Line is what a link is like, in both directions.
type Line struct {
	// LatencyLeast and LatencyMost bound what the way of each frame takes, drawn
	// evenly. Jitter is the mean of what is added, drawn from an exponential
	// distribution.
	LatencyLeast, LatencyMost, Jitter time.Duration
	// Loss is the share of packets that are lost.
	Loss float64
	// Duplicate and Reorder are the shares of frames that come twice, or after
	// the next one.
	Duplicate, Reorder float64
	// BytesPerSecond bounds each direction; unbounded when 0.
	BytesPerSecond float64
}

// Way is one direction of one connection. The zero value is that of a new one.
type Way struct {
	// last is when the last frame arrives, busy until when frames are being sent.
	last, busy int64
}

// Delivery is what becomes of a frame.
type Delivery struct {
	// At is when it arrives: after every frame that was sent before it.
	At int64
	// Again is when it arrives once more, 0 for never.
	Again int64
	// Late says that the next frame is to overtake it: the caller keeps it back
	// until then, for ReorderMost after At, and asks Behind for its time.
	Late bool
	// Stalled says that so much waits that both ends give the connection up.
	Stalled bool
}

// Send puts a frame of so many bytes on its way. Frames keep their order, as in
// TCP: what is lost comes later, and all behind it waits.
func (w *Way) Send(l *Line, draw *rand.Rand, now int64, bytes int) Delivery {
	at := now + int64(l.latency(draw))
	var d Delivery
	if l.BytesPerSecond > 0 {
		begins := max(now, w.busy)
		d.Stalled = begins-now > int64(Stall)
		w.busy = begins + int64(float64(bytes+overheadBytes)/l.BytesPerSecond*float64(time.Second))
		at += w.busy - now
	}
	if l.Loss > 0 {
		at += int64(l.retransmissions(draw, bytes))
	}
	w.last = max(at, w.last+1)
	d.At = w.last
	if l.Duplicate > 0 && draw.Float64() < l.Duplicate {
		w.last += 1 + int64(l.latency(draw))
		d.Again = w.last
	}
	d.Late = l.Reorder > 0 && draw.Float64() < l.Reorder
	return d
}

// Behind is when a frame arrives that was kept back, now that another has
// overtaken it or nothing came.
func (w *Way) Behind(now int64) int64 {
	w.last = max(now, w.last) + 1
	return w.last
}

func (l *Line) latency(draw *rand.Rand) time.Duration {
	took := l.LatencyLeast + time.Duration(draw.Float64()*float64(l.LatencyMost-l.LatencyLeast))
	if l.Jitter > 0 {
		took += time.Duration(draw.ExpFloat64() * float64(l.Jitter))
	}
	return took
}

// retransmissions is how long the packets of a frame take to come through.
func (l *Line) retransmissions(draw *rand.Rand, bytes int) time.Duration {
	lost := 0
	for range 1 + bytes/packetBytes {
		if draw.Float64() < l.Loss {
			lost++
		}
	}
	var took time.Duration
	timeout := retransmitFirst + l.LatencyLeast + l.LatencyMost
	for n := 0; lost > 0 && n < maxRetransmissions; n++ {
		took += timeout
		timeout = min(2*timeout, retransmitMost)
		again := 0
		for range lost {
			if draw.Float64() < l.Loss {
				again++
			}
		}
		lost = again
	}
	return took
}

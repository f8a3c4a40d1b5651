package rig

import (
	"context"
	"math"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// burstEvery is how long the pacer rests at least; what is due by then is sent
	// together.
	burstEvery = time.Millisecond
	// lateMost is how far behind the pacer makes up for; what is later is missed.
	lateMost = 0.25
	// yieldEvery is after how many frames the readers get their turn.
	yieldEvery = 16
)

// pacer sends the vehicles' telemetry: frame after frame, one vehicle after the
// other, evenly over the time.
type pacer struct {
	fleet []*vehicle
	frame *template
	// rate is how many frames each vehicle sends a second, as bits of a float.
	rate atomic.Uint64
	// changed wakes it when the rate has changed.
	changed chan struct{}

	frames, bytes, withheld, missed atomic.Int64
	// lag is how late a frame was sent at most, in nanoseconds.
	lag atomic.Int64
	in  inbound
}

// inbound counts messages to vehicles by type.
type inbound struct {
	welcome, alive, mission, command, received, failed atomic.Int64
}

func (p *pacer) set(framesHz float64) {
	p.rate.Store(math.Float64bits(framesHz))
	select {
	case p.changed <- struct{}{}:
	default:
	}
}

// run sends until ctx ends.
func (p *pacer) run(ctx context.Context) {
	next := 0
	for ctx.Err() == nil {
		each := math.Float64frombits(p.rate.Load())
		rate := each * float64(len(p.fleet))
		if rate == 0 {
			select {
			case <-ctx.Done():
			case <-p.changed:
			}
			continue
		}
		next = p.keep(ctx, next, rate, time.Duration(float64(time.Second)/each))
	}
}

// keep sends at one rate until it changes, beginning with the vehicle next.
func (p *pacer) keep(ctx context.Context, next int, rate float64, period time.Duration) int {
	start, sent := time.Now(), int64(0)
	timer := time.NewTimer(burstEvery)
	defer timer.Stop()
	for {
		since := time.Since(start)
		due := int64(since.Seconds() * rate)
		if sent < due {
			late := since - time.Duration(float64(sent+1)/rate*float64(time.Second))
			p.lag.Store(max(p.lag.Load(), int64(late)))
		}
		if behind := due - sent - int64(max(1, lateMost*rate)); behind > 0 {
			p.missed.Add(behind)
			sent += behind
		}
		for ; sent < due; sent++ {
			p.send(p.fleet[next], period)
			if next++; next == len(p.fleet) {
				next = 0
			}
			if sent%yieldEvery == 0 {
				runtime.Gosched()
			}
		}
		timer.Reset(max(burstEvery, time.Until(start.Add(time.Duration(float64(sent+1)/rate*float64(time.Second))))))
		select {
		case <-ctx.Done():
			return next
		case <-p.changed:
			return next
		case <-timer.C:
		}
	}
}

// send sends a vehicle's newest samples. The first ones lie behind the last frame.
func (p *pacer) send(v *vehicle, period time.Duration) {
	s := v.socket.Load()
	if s == nil {
		return
	}
	now := time.Now()
	since := min(now.Sub(v.last), period)
	n := len(p.frame.slots)
	for i := range n {
		at := now.Add(-since * time.Duration(n-1-i) / time.Duration(n))
		lon, lat := v.at(at)
		p.frame.set(i, at, lon, lat)
	}
	v.last = now
	sent, err := s.try(p.frame.frame)
	switch {
	case err != nil:
		// Its reader finds out by itself that the link is over.
	case sent:
		p.frames.Add(1)
		p.bytes.Add(int64(len(p.frame.frame)))
	default:
		p.withheld.Add(1)
	}
}

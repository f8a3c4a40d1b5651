package session

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// The limits of a link, and what happens at them.
const (
	// LimitedFor is how long a vehicle may go on sending more frames than it
	// may before its link is closed. A second without a dropped frame ends it.
	LimitedFor = 10 * time.Second
	limitedGap = time.Second
	// A vehicle may send badFramesBurst bad frames at once and one more each 4 s;
	// beyond that its link is closed.
	badFramesBurst     = 16
	badFramesPerSecond = 0.25
)

// Config of a session. A zero field takes the default named with it.
type Config struct {
	// AliveInterval is the longest pause between two frames to the vehicle: 5 s.
	// It is fleet.Config.AliveInterval, or less where Tick is called late.
	AliveInterval time.Duration
	// SkewMax is how far a vehicle's clock may be off, either way, for its times
	// to be corrected: 2 s. Beyond it the time of receipt is used.
	SkewMax time.Duration
	// Future is how far ahead a corrected sample may lie: 1 s. Beyond it the
	// sample is refused.
	Future time.Duration
	// FramesPerSecond is what a vehicle may send in the long run:
	// protocol.MaxFramesPerSecond. Burst is how many frames may come at once: twice
	// that. Beyond it frames are dropped.
	FramesPerSecond, Burst int
	// HelloWithin is how long a connection may stay silent at first: 10 s.
	HelloWithin time.Duration
}

// Validate refuses negative values.
func (c Config) Validate() error {
	for _, d := range []time.Duration{c.AliveInterval, c.SkewMax, c.Future, c.HelloWithin} {
		if d < 0 {
			return fmt.Errorf("session: config has the negative duration %v", d)
		}
	}
	if c.FramesPerSecond < 0 || c.Burst < 0 {
		return fmt.Errorf("session: config has a negative limit of frames: %d a second, burst %d", c.FramesPerSecond, c.Burst)
	}
	return nil
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		value    *time.Duration
		standard time.Duration
	}{
		{&c.AliveInterval, 5 * time.Second},
		{&c.SkewMax, 2 * time.Second},
		{&c.Future, time.Second},
		{&c.HelloWithin, 10 * time.Second},
	} {
		if *d.value == 0 {
			*d.value = d.standard
		}
	}
	if c.FramesPerSecond == 0 {
		c.FramesPerSecond = protocol.MaxFramesPerSecond
	}
	if c.Burst == 0 {
		c.Burst = 2 * c.FramesPerSecond
	}
	return c
}

// bucket is a token bucket: it holds up to burst tokens and gains rate a second.
type bucket struct {
	rate, burst, tokens float64
	at                  time.Time
}

func newBucket(at time.Time, rate, burst float64) bucket {
	return bucket{rate: rate, burst: burst, tokens: burst, at: at}
}

// take takes a token, and tells whether there was one.
func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.at); passed > 0 {
		b.tokens = min(b.burst, b.tokens+passed.Seconds()*b.rate)
		b.at = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// Admit tells whether the frame that has just come may pass. Ask it for each
// frame before decoding it, so that a flood costs no decoding; a frame that may
// not pass is dropped unread. The vehicle is told once a second, and its link
// ends when it goes on for LimitedFor: the reaction says so. Nothing passes once
// the session has ended.
func (s *Session) Admit(now time.Time) (Reaction, bool) {
	var r Reaction
	if s.phase == closed {
		return r, false
	}
	if s.frames.take(now) {
		return r, true
	}
	s.limit(now, &r)
	return r, false
}

// limit is what comes of a frame beyond the limit.
func (s *Session) limit(now time.Time, r *Reaction) {
	if s.limitedFrom.IsZero() || now.Sub(s.limitedAt) > limitedGap {
		s.limitedFrom = now
	}
	s.limitedAt = now
	switch {
	case now.Sub(s.limitedFrom) >= LimitedFor:
		s.fail(now, r, CodeRateLimited, fmt.Sprintf("more than %d frames a second for %v", s.config.FramesPerSecond, LimitedFor))
	case s.complainedAt.IsZero() || now.Sub(s.complainedAt) >= time.Second:
		s.complainedAt = now
		s.send(now, r, protocol.Error{
			Code: CodeRateLimited, Time: now,
			Text: fmt.Sprintf("more than %d frames a second: dropped; send reports again", s.config.FramesPerSecond),
		})
	}
}

package session

import (
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// clock turns the vehicle's times into Kapok's, by the error of its clock as
// measured at hello.
type clock struct {
	skewMax, future time.Duration
	// error is the vehicle's clock minus Kapok's.
	error time.Duration
	// last is the vehicle's time of the newest sample.
	last time.Time
	// marks tell the last samples that counted apart, in a ring; next is where the
	// next one goes.
	next  int
	marks [rememberedSamples]uint64
}

// rememberedSamples is how many samples back an exact repetition is known as one.
const rememberedSamples = 32

// mark tells a sample apart from others by when it was taken, where, and with what
// charge. It is never 0.
func mark(s *protocol.Sample) uint64 {
	m := uint64(s.Time.UnixNano())
	for _, x := range [...]float64{s.Position.Lon, s.Position.Lat, s.Position.AltitudeM, s.BatteryRatio} {
		// The odd factor is 2^64 divided by the golden ratio: it spreads the bits.
		m = (m ^ math.Float64bits(x)) * 0x9e3779b97f4a7c15
	}
	return m | 1
}

func (c *clock) set(now, vehicle time.Time) { c.error = vehicle.Sub(now) }

// skewed tells whether the clock is too far off to be corrected.
func (c *clock) skewed() bool { return c.error > c.skewMax || c.error < -c.skewMax }

// correct returns the samples that count, in Kapok's time and in the memory of
// those that came, how many were refused for lying ahead, and how many that are
// older than the newest are repetitions. A sample older than the one before it is dropped.
// With a skewed clock the last sample counts as taken now and the others as
// long before it as the vehicle says.
func (c *clock) correct(now time.Time, samples []protocol.Sample) (good []protocol.Sample, ahead, repeated int) {
	shift := -c.error
	if c.skewed() && len(samples) > 0 {
		shift = now.Sub(samples[len(samples)-1].Time)
	}
	good = samples[:0]
	for i := range samples {
		s := samples[i]
		at := s.Time.Add(shift).UTC()
		switch {
		case s.Time.Before(c.last):
			if slices.Contains(c.marks[:], mark(&s)) {
				repeated++
			}
		case at.Sub(now) > c.future:
			ahead++
		default:
			c.last = s.Time
			c.marks[c.next] = mark(&s)
			c.next = (c.next + 1) % rememberedSamples
			s.Time = at
			good = append(good, s)
		}
	}
	return good, ahead, repeated
}

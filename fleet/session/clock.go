package session

import (
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
}

func (c *clock) set(now, vehicle time.Time) { c.error = vehicle.Sub(now) }

// skewed tells whether the clock is too far off to be corrected.
func (c *clock) skewed() bool { return c.error > c.skewMax || c.error < -c.skewMax }

// correct returns the samples that count, in Kapok's time and in the memory of
// those that came, and how many were refused for lying ahead. A sample older than the one before it is dropped.
// With a skewed clock the last sample counts as taken now and the others as
// long before it as the vehicle says.
func (c *clock) correct(now time.Time, samples []protocol.Sample) (good []protocol.Sample, ahead int) {
	shift := -c.error
	if c.skewed() && len(samples) > 0 {
		shift = now.Sub(samples[len(samples)-1].Time)
	}
	good = samples[:0]
	for _, s := range samples {
		at := s.Time.Add(shift).UTC()
		switch {
		case s.Time.Before(c.last):
		case at.Sub(now) > c.future:
			ahead++
		default:
			c.last = s.Time
			s.Time = at
			good = append(good, s)
		}
	}
	return good, ahead
}

package body

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Wind is the motion of the air over the whole chart: a steady wind, and gusts
// that add to it in its direction. It is a pure function of time, and may be
// shared by all bodies. The zero value is calm.
type Wind struct {
	// along points to where the wind blows, with the length of 1.
	along           space.XY
	steadyMPS, gust float64
	seed            uint64
}

// gustEvery is the time from one strength of the gusts to the next; between them
// it changes smoothly.
const gustEvery = 8 * time.Second

// NewWind is a wind of mps metres a second from a direction in degrees clockwise
// from the frame's north, with gusts of up to gustMPS more whose strength is
// drawn from the seed. Speeds below zero count as zero.
func NewWind(mps, fromDeg, gustMPS float64, seed uint64) *Wind {
	sin, cos := math.Sincos(fromDeg * math.Pi / 180)
	return &Wind{along: space.XY{X: -sin, Y: -cos}, steadyMPS: max(mps, 0), gust: max(gustMPS, 0), seed: seed}
}

// At is the velocity of the air at a time, in m/s to the east and to the north of
// the frame. A nil wind is calm.
func (w *Wind) At(now time.Time) space.XY {
	if w == nil {
		return space.XY{}
	}
	mps := w.steadyMPS
	if w.gust > 0 {
		mps += w.gust * w.strength(now)
	}
	return space.XY{X: w.along.X * mps, Y: w.along.Y * mps}
}

// strength is that of the gusts, 0 to 1.
func (w *Wind) strength(now time.Time) float64 {
	every := int64(gustEvery)
	nanos := now.UnixNano()
	n := nanos / every
	t := float64(nanos-n*every) / float64(every)
	from, to := w.knot(n), w.knot(n+1)
	return from + (to-from)*t*t*(3-2*t)
}

// knot is the strength at a multiple of gustEvery. Its square makes strong gusts
// rarer than weak ones.
func (w *Wind) knot(n int64) float64 {
	// A mix of bits in the manner of G. Steele, D. Lea, C. Flood, "Fast splittable
	// pseudorandom number generators" (2014).
	z := w.seed + uint64(n)*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	u := float64(z>>11) / (1 << 53)
	return u * u
}

// Mean is the velocity of the air on average, with its gusts.
func (w *Wind) Mean() space.XY {
	if w == nil {
		return space.XY{}
	}
	// The mean of the square of an even draw is a third.
	mps := w.steadyMPS + w.gust/3
	return space.XY{X: w.along.X * mps, Y: w.along.Y * mps}
}

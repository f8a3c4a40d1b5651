package body

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Wind is the motion of the air over the whole chart: a steady wind, as an
// anemometer has it on average, and gusts and lulls that add to it in its
// direction and take from it, as much together. It is a pure function of time, and may be
// shared by all bodies once no more changes are added. The zero value is calm.
type Wind struct {
	// blows are what the steady wind and the gusts are, in order of their times. The
	// first is from ever on.
	blows []blow
	seed  uint64
}

// blow is a wind from a time on.
type blow struct {
	since time.Time
	// along points to where the wind blows, with the length of 1.
	along           space.XY
	steadyMPS, gust float64
}

const (
	// gustEvery is the time from one strength of the gusts to the next; between them
	// it changes smoothly.
	gustEvery = 8 * time.Second
	// meanStrength is that of the gusts on average: that of the square of an even draw.
	meanStrength = 1.0 / 3
	// changeTakes is how long one wind takes to become the next.
	changeTakes = 30 * time.Second
)

// NewWind is a wind of mps metres a second from a direction in degrees clockwise
// from the frame's north, with gusts of up to gustMPS more, and lulls of up to half
// as much less, whose strength is drawn from the seed. Speeds below zero count as zero.
func NewWind(mps, fromDeg, gustMPS float64, seed uint64) *Wind {
	return &Wind{blows: []blow{blowOf(mps, fromDeg, gustMPS)}, seed: seed}
}

func blowOf(mps, fromDeg, gustMPS float64) blow {
	sin, cos := math.Sincos(fromDeg * math.Pi / 180)
	return blow{along: space.XY{X: -sin, Y: -cos}, steadyMPS: max(mps, 0), gust: max(gustMPS, 0)}
}

// Change lets the wind turn into another one from a time on, which takes half a
// minute. Changes are added in order of time.
func (w *Wind) Change(at time.Time, mps, fromDeg, gustMPS float64) {
	b := blowOf(mps, fromDeg, gustMPS)
	b.since = at
	w.blows = append(w.blows, b)
}

// Changes tells whether the wind turns into another one at any time.
func (w *Wind) Changes() bool { return len(w.blows) > 1 }

// At is the velocity of the air at a time, in m/s to the east and to the north of
// the frame. A nil wind is calm.
func (w *Wind) At(now time.Time) space.XY {
	if w == nil || len(w.blows) == 0 {
		return space.XY{}
	}
	// The last wind that has fully come, and those that are coming since.
	first := len(w.blows) - 1
	for first > 0 && now.Sub(w.blows[first].since) < changeTakes {
		first--
	}
	strength := -1.0
	v := w.velocity(first, now, &strength)
	for i := first + 1; i < len(w.blows); i++ {
		over := now.Sub(w.blows[i].since)
		if over <= 0 {
			break
		}
		v = v.Lerp(w.velocity(i, now, &strength), float64(over)/float64(changeTakes))
	}
	return v
}

// velocity is that of one of the winds at a time. The strength of the gusts is drawn
// where there are any and it is below 0, and kept.
func (w *Wind) velocity(i int, now time.Time, strength *float64) space.XY {
	b := &w.blows[i]
	if b.gust == 0 {
		return b.along.Scale(b.steadyMPS)
	}
	if *strength < 0 {
		*strength = w.strength(now)
	}
	return b.along.Scale(b.steadyMPS + b.gust*(*strength-meanStrength)/(1-meanStrength))
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

// Mean is the velocity of the air at a time on average; while one wind becomes the
// next, it is that of the next.
func (w *Wind) Mean(now time.Time) space.XY {
	if w == nil || len(w.blows) == 0 {
		return space.XY{}
	}
	i := len(w.blows) - 1
	for i > 0 && now.Before(w.blows[i].since) {
		i--
	}
	return w.blows[i].along.Scale(w.blows[i].steadyMPS)
}

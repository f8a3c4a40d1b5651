package motion

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// leastHeadwayMPS is the ground speed below which a vehicle counts as making no
// way in the wind.
const leastHeadwayMPS = 1

// Wind is the air's motion over the ground, the same everywhere: towards, in
// metres a second along the chart frame's axes. GustMPS is how much more it may
// blow for moments. The zero value is calm.
type Wind struct {
	Toward  space.XY `json:"toward"`
	GustMPS float64  `json:"gust_mps,omitempty"`
}

// WindFrom returns the wind of a speed that blows from a direction, in degrees
// clockwise from the frame's north, with gusts of up to gustMPS more. A speed or
// gust below 0, or that is not finite, counts as 0.
func WindFrom(speedMPS, fromDeg, gustMPS float64) Wind {
	speedMPS, gustMPS = speedOrCalm(speedMPS), speedOrCalm(gustMPS)
	if speedMPS == 0 || math.IsNaN(fromDeg) || math.IsInf(fromDeg, 0) {
		return Wind{GustMPS: gustMPS}
	}
	sin, cos := math.Sincos(math.Mod(fromDeg, 360) * math.Pi / 180)
	return Wind{Toward: space.XY{X: -speedMPS * sin, Y: -speedMPS * cos}, GustMPS: gustMPS}
}

func speedOrCalm(mps float64) float64 {
	if !(mps > 0) || math.IsInf(mps, 1) {
		return 0
	}
	return mps
}

// Calm tells whether the air is still, gusts included.
func (w Wind) Calm() bool { return w == (Wind{}) }

// SpeedMPS is how fast the steady wind blows.
func (w Wind) SpeedMPS() float64 { return w.Toward.Len() }

// GroundSpeed is the speed over ground along a direction (unit vector) at an
// airspeed, by the wind triangle; ok is false when the wind does not let it hold
// its course there: a cross wind above the airspeed, or a headway below 1 m/s.
// Gusts are not counted: they pass within the seconds of a segment.
func (w Wind) GroundSpeed(airspeedMPS float64, along space.XY) (mps float64, ok bool) {
	if w.Toward == (space.XY{}) {
		return airspeedMPS, airspeedMPS >= leastHeadwayMPS
	}
	aside := w.Toward.Cross(along)
	left := airspeedMPS*airspeedMPS - aside*aside
	if !(left >= 0) {
		return 0, false
	}
	mps = w.Toward.Dot(along) + math.Sqrt(left)
	return mps, mps >= leastHeadwayMPS
}

// AirSpeed is the speed through the air of a vehicle that goes over the ground
// at a speed along a direction (unit vector).
func (w Wind) AirSpeed(groundMPS float64, along space.XY) float64 {
	return along.Scale(groundMPS).Sub(w.Toward).Len()
}

// SegmentIn is Segment in a wind, as told at Flight.Segment; who asks often
// prepares a Flight. It is false when the wind does not let the vehicle hold its
// course there.
func (s Spec) SegmentIn(w Wind, from, to space.XYZ, loadKg, limitMPS float64) (Cost, bool) {
	f := s.In(w, loadKg)
	return f.Segment(from, to, limitMPS)
}

// LowerBoundInS is LowerBoundS in a wind: no vehicle is faster over the ground
// than its greatest speed through the air and the strongest gust together.
func (s Spec) LowerBoundInS(w Wind, horizontalM float64) float64 {
	if !s.Kind.Airborne() {
		return s.LowerBoundS(horizontalM)
	}
	return horizontalM / (s.MaxMPS + w.SpeedMPS() + w.GustMPS)
}

package body

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Activity is what a vehicle does where it stands.
type Activity uint8

// The activities. Charging needs a charger, which is the caller's to know.
const (
	Resting Activity = iota
	Working
	Charging
)

// landedM is how close above the ground an aircraft counts as landed.
const landedM = 0.5

// Body is one vehicle's place, motion, battery and load. It has one owner. Its
// state after a number of steps depends on nothing but the calls made.
type Body struct {
	Figures Figures
	// At is where it is, in the chart's frame.
	At space.XYZ
	// SpeedMPS is along the ground, ClimbMPS upwards, when the last step ended;
	// in the step in which a path ends they are still those of its last metres.
	SpeedMPS, ClimbMPS float64
	// HeadingDeg is clockwise from the frame's north, 0 to 360.
	HeadingDeg float64
	// EnergyWh is what the battery holds; LoadKg what is carried.
	EnergyWh, LoadKg float64
	// GroundM is the altitude of the ground, where aircraft land, unless Ground
	// gives that of each place.
	GroundM float64
	// Ground, when set, is the altitude of the ground at a place, on a chart
	// whose ground is not flat. It must be a pure function.
	Ground func(at space.XY) float64
	// TravelledM is the length of all ways so far.
	TravelledM float64

	path []space.XYZ
	next int
	// speeds are those of the segments of path, or one for all.
	speeds []float64
	// moves are those of the last step.
	moves []Move
}

// New returns a body at rest. The battery's ratio is taken into 0 to 1.
func New(f Figures, at space.XYZ, groundM, batteryRatio float64) *Body {
	return &Body{
		Figures: f, At: at, GroundM: groundM,
		EnergyWh: f.BatteryWh * min(max(batteryRatio, 0), 1),
	}
}

// BatteryRatio is the charge, 0 to 1.
func (b *Body) BatteryRatio() float64 { return b.EnergyWh / b.Figures.BatteryWh }

// Dead tells whether the battery is empty; then nothing moves any more.
func (b *Body) Dead() bool { return b.EnergyWh <= 0 }

// GroundBelowM is the altitude of the ground below the body.
func (b *Body) GroundBelowM() float64 {
	if b.Ground == nil {
		return b.GroundM
	}
	return b.Ground(b.At.XY())
}

// Landed tells whether the vehicle stands on the surface.
func (b *Body) Landed() bool {
	return !b.Figures.airborne() || b.At.Z <= b.GroundBelowM()+landedM
}

// Moving tells whether a path is being followed.
func (b *Body) Moving() bool { return b.next < len(b.path) }

// Halt stops where it is and forgets the path.
func (b *Body) Halt() {
	b.path, b.speeds, b.next = nil, nil, 0
	b.SpeedMPS, b.ClimbMPS = 0, 0
}

// Follow sets out along a path at ground speeds in m/s: one for each segment,
// or a single one for all of them. They are cut to what the vehicle can do; zero
// or none means its greatest. The body joins the path at its nearest point, the
// first of equals, so that a path which begins a little behind is not driven
// backwards; the way there is taken at the speed of the segment joined. Path and
// speeds are kept and must not change.
func (b *Body) Follow(path []space.XYZ, speedsMPS []float64) {
	b.path, b.speeds, b.next = path, speedsMPS, 0
	best := math.Inf(1)
	for i := range path {
		at, d := path[i], 0.0
		if i > 0 {
			at = closest(b.At, path[i-1], path[i])
		}
		// A hair's breadth is no reason to prefer a later point.
		if d = b.At.Dist(at); d < best-1e-6 {
			best, b.next = d, i
		}
	}
	// Far from the path, the nearest point itself is the first aim.
	if b.next > 0 && best > joinM {
		at := closest(b.At, path[b.next-1], path[b.next])
		b.path = append([]space.XYZ{at}, path[b.next:]...)
		if len(b.speeds) > 1 {
			b.speeds = b.speeds[b.next-1:]
		}
		b.next = 0
	}
}

// joinM is how far beside its path a body may be without aiming at the nearest
// point first.
const joinM = 0.5

// closest returns the point of the segment p–q nearest to at, altitude counted.
func closest(at, p, q space.XYZ) space.XYZ {
	dx, dy, dz := q.X-p.X, q.Y-p.Y, q.Z-p.Z
	length2 := dx*dx + dy*dy + dz*dz
	if length2 == 0 {
		return p
	}
	t := ((at.X-p.X)*dx + (at.Y-p.Y)*dy + (at.Z-p.Z)*dz) / length2
	t = min(max(t, 0), 1)
	return space.XYZ{X: p.X + dx*t, Y: p.Y + dy*t, Z: p.Z + dz*t}
}

// PathDist returns how far a place is from the nearest point of a path in
// metres, altitude counted; +Inf for a path without points.
func PathDist(at space.XYZ, path []space.XYZ) float64 {
	best := math.Inf(1)
	for i := range path {
		best = min(best, at.Dist(closest(at, path[max(i-1, 0)], path[i])))
	}
	return best
}

// Step lets seconds pass: the body moves along its path, or does the activity
// where it stands. It returns the seconds that were left when the path ended,
// 0 while it goes on; a body without a path has all of them left.
func (b *Body) Step(seconds float64, a Activity) (left float64) {
	b.moves = b.moves[:0]
	if !(seconds > 0) {
		return 0
	}
	if b.Dead() && a != Charging {
		b.drop(seconds)
		return 0
	}
	left = seconds
	if b.Moving() {
		left = b.travel(seconds)
	} else {
		b.SpeedMPS, b.ClimbMPS = 0, 0
	}
	if left > 0 {
		b.stay(left, a)
	}
	b.EnergyWh = min(max(b.EnergyWh, 0), b.Figures.BatteryWh)
	return left
}

// travel moves along the path and returns what is left of the time.
func (b *Body) travel(seconds float64) (left float64) {
	left = seconds
	for left > 0 && b.Moving() {
		to := b.path[b.next]
		need := b.secondsTo(to)
		b.face(to)
		if need > left {
			t := left / need
			b.move(space.XYZ{
				X: b.At.X + (to.X-b.At.X)*t,
				Y: b.At.Y + (to.Y-b.At.Y)*t,
				Z: b.At.Z + (to.Z-b.At.Z)*t,
			}, left)
			left = 0
			break
		}
		b.move(to, need)
		b.next++
		left -= need
	}
	if !b.Moving() {
		b.path, b.speeds, b.next = nil, nil, 0
	}
	return left
}

// move goes straight to a point in so many seconds.
func (b *Body) move(to space.XYZ, seconds float64) {
	from := b.At
	b.At = to
	if !(seconds > 0) {
		return
	}
	b.SpeedMPS, b.ClimbMPS = from.XY().Dist(to.XY())/seconds, (to.Z-from.Z)/seconds
	b.TravelledM += from.Dist(to)
	b.moves = append(b.moves, Move{From: from, To: to, Seconds: seconds, SpeedMPS: b.SpeedMPS})
	b.EnergyWh -= b.movingW(b.SpeedMPS, b.ClimbMPS) * seconds / 3600
}

// segmentMPS is the ground speed on the way to the next point of the path.
func (b *Body) segmentMPS() float64 {
	speed := 0.0
	switch {
	case len(b.speeds) == 1:
		speed = b.speeds[0]
	case b.next <= len(b.speeds) && len(b.speeds) > 0:
		speed = b.speeds[max(b.next-1, 0)]
	}
	if !(speed > 0) {
		return b.Figures.MaxMPS
	}
	return min(speed, b.Figures.MaxMPS)
}

// secondsTo is how long the straight way to the next point takes.
func (b *Body) secondsTo(to space.XYZ) float64 {
	t := b.At.XY().Dist(to.XY()) / b.segmentMPS()
	switch dz := to.Z - b.At.Z; {
	case dz > 0 && b.Figures.ClimbMPS > 0:
		t = max(t, dz/b.Figures.ClimbMPS)
	case dz < 0 && b.Figures.DescentMPS > 0:
		t = max(t, -dz/b.Figures.DescentMPS)
	}
	return t
}

func (b *Body) face(to space.XYZ) {
	dx, dy := to.X-b.At.X, to.Y-b.At.Y
	if dx*dx+dy*dy < 1e-6 {
		return
	}
	b.HeadingDeg = math.Mod(math.Atan2(dx, dy)*(180/math.Pi)+360, 360)
}

// gravity is in m/s².
const gravity = 9.81

// movingW is the power drawn at a ground and a climbing speed.
func (b *Body) movingW(ground, climb float64) float64 {
	f := &b.Figures
	mass := f.MassKg + b.LoadKg
	w := f.IdleW + f.RollWPerKgMPS*mass*ground + f.DragWPerMPS3*ground*ground*ground
	if f.airborne() {
		w += b.hoverW()
		// Climbing lifts the mass at about 70 %; descending saves little.
		w += max(climb, climb*0.1) * mass * gravity / 0.7
	}
	return w
}

func (b *Body) hoverW() float64 {
	ratio := 1 + b.LoadKg/b.Figures.MassKg
	return b.Figures.HoverW * ratio * math.Sqrt(ratio)
}

// stay drains or charges the battery where the body stands.
func (b *Body) stay(seconds float64, a Activity) {
	w := b.Figures.IdleW
	if !b.Landed() {
		w += b.hoverW()
	}
	switch a {
	case Working:
		w += b.Figures.WorkW
	case Charging:
		if b.Landed() {
			w = -b.Figures.ChargeW
		}
	case Resting:
		if b.Landed() {
			// A vehicle at rest sleeps but for its radio.
			w /= 3
		}
	}
	b.EnergyWh -= w * seconds / 3600
}

// drop brings an aircraft without power down where it is.
func (b *Body) drop(seconds float64) {
	b.path, b.speeds, b.next = nil, nil, 0
	b.SpeedMPS, b.ClimbMPS = 0, 0
	if b.Landed() {
		return
	}
	fall, from := min(b.At.Z-b.GroundBelowM(), 8*seconds), b.At
	b.At.Z -= fall
	b.moves = append(b.moves, Move{From: from, To: b.At, Seconds: seconds})
	b.ClimbMPS = -fall / seconds
}

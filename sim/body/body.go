package body

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
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
	// Figures may be shared with other bodies, and are not to be changed.
	Figures *Figures
	// What a step of a body at rest needs stands before what one on its way needs: steps
	// cost as much as they touch lines of memory.

	// At is where it is, in the chart's frame.
	At space.XYZ
	// EnergyWh is what the battery holds; LoadKg what is carried.
	EnergyWh, LoadKg float64
	// LostWh is the part of the battery that is gone for good; DriveLost the share
	// of its greatest speed that it does not reach any more, 0 to 1.
	LostWh, DriveLost float64

	path []space.XYZ
	next int
	// moves are those of the last step.
	moves []Move
	// faced is the point of the path that the heading is towards, counted from 1.
	faced int

	// SpeedMPS is along the ground, ClimbMPS upwards, when the last step ended;
	// in the step in which a path ends they are still those of its last metres.
	SpeedMPS, ClimbMPS float64
	// Bias is where the body takes itself to be, minus where it is: paths are in
	// the coordinates that it believes in. Use Mislead to change it.
	Bias space.XY
	// Wind is the velocity of the air now, in m/s to the east and to the north.
	Wind space.XY
	// Air is its density and what its cold does to the battery. It is set before
	// the first step.
	Air Air

	// HeadingDeg is clockwise from the frame's north, 0 to 360.
	HeadingDeg float64
	// speeds are those of the segments of path, or one for all.
	speeds []float64
	// Paused says that the body does not follow its path for now, and stands or
	// hovers.
	Paused bool
	// GroundM is the altitude of the ground, where aircraft land, unless Ground
	// gives that of each place.
	GroundM float64
	// Ground, when set, is the altitude of the ground at a place, on a chart
	// whose ground is not flat. It must be a pure function.
	Ground func(at space.XY) float64
	// groundM is the altitude of the ground below the place grounded.
	grounded space.XY
	groundM  float64
	surveyed bool
	// lifted is the power of hovering with the load liftedKg.
	lifted, liftedKg float64
	// TravelledM is the length of all ways so far.
	TravelledM float64
	// Forecast is the velocity of the air with which WayWh, RestWh and DownWh reckon.
	Forecast space.XY
	trail    trail
}

// New returns a body at rest. The battery's ratio is taken into 0 to 1.
func New(f Figures, at space.XYZ, groundM, batteryRatio float64) *Body {
	return NewLike(&f, at, groundM, batteryRatio)
}

// NewLike is New for a body that shares its figures with others.
func NewLike(f *Figures, at space.XYZ, groundM, batteryRatio float64) *Body {
	b := &Body{
		Figures: f, At: at, GroundM: groundM,
		EnergyWh: f.BatteryWh * min(max(batteryRatio, 0), 1),
	}
	b.BeginTrail()
	return b
}

// BatteryRatio is the charge, 0 to 1, of the battery as it was when it was new.
func (b *Body) BatteryRatio() float64 { return b.EnergyWh / b.Figures.BatteryWh }

// Full tells whether the battery takes no more.
func (b *Body) Full() bool { return b.EnergyWh >= b.holdsWh()-1e-9 }

// holdsWh is the most that the battery holds.
func (b *Body) holdsWh() float64 { return max(b.Figures.BatteryWh-b.LostWh, 0) }

// Believed is where the body takes itself to be.
func (b *Body) Believed() space.XYZ {
	return space.XYZ{X: b.At.X + b.Bias.X, Y: b.At.Y + b.Bias.Y, Z: b.At.Z}
}

// Dead tells whether the battery is empty; then nothing moves any more.
func (b *Body) Dead() bool { return b.EnergyWh <= 0 }

// GroundBelowM is the altitude of the ground below the body.
func (b *Body) GroundBelowM() float64 {
	if b.Ground == nil {
		return b.GroundM
	}
	// A body that stays where it is asks again and again.
	if at := b.At.XY(); at != b.grounded || !b.surveyed {
		b.grounded, b.groundM, b.surveyed = at, b.Ground(at), true
	}
	return b.groundM
}

// Landed tells whether the vehicle stands on the surface.
func (b *Body) Landed() bool {
	return !b.Figures.airborne() || b.At.Z <= b.GroundBelowM()+landedM
}

// Moving tells whether a path is being followed.
func (b *Body) Moving() bool { return b.next < len(b.path) }

// Halt stops where it is and forgets the path.
func (b *Body) Halt() {
	b.path, b.speeds, b.next, b.faced = nil, nil, 0, 0
	b.SpeedMPS, b.ClimbMPS = 0, 0
}

// Follow sets out along a path at ground speeds in m/s: one for each segment,
// or a single one for all of them. They are cut to what the vehicle can do; zero
// or none means its greatest. The body joins the path at its nearest point, the
// first of equals, so that a path which begins a little behind is not driven
// backwards; the way there is taken at the speed of the segment joined. Path and
// speeds are kept and must not change.
func (b *Body) Follow(path []space.XYZ, speedsMPS []float64) {
	b.path, b.speeds, b.next, b.faced = path, speedsMPS, 0, 0
	here, best := b.Believed(), math.Inf(1)
	b.trail.turn(here)
	for i := range path {
		at, d := path[i], 0.0
		if i > 0 {
			at = closest(here, path[i-1], path[i])
		}
		// A hair's breadth is no reason to prefer a later point.
		if d = here.Dist(at); d < best-1e-6 {
			best, b.next = d, i
		}
	}
	// Far from the path, the nearest point itself is the first aim.
	if b.next > 0 && best > joinM {
		at := closest(here, path[b.next-1], path[b.next])
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

// Step lets seconds pass, as many as the caller likes: the body moves along its
// path, or does the activity where it stands. It returns the seconds that were
// left when the path ended, 0 while it goes on; a body without a path has all of
// them left. The way that it went is in Moves. Nothing is allocated but room for
// these, once.
func (b *Body) Step(seconds float64, a Activity) (left float64) {
	b.moves = b.moves[:0]
	if !(seconds > 0) {
		return 0
	}
	if b.Dead() && a != Charging {
		b.drop(seconds)
		return 0
	}
	switch {
	case !b.Moving():
		left = seconds
		b.SpeedMPS, b.ClimbMPS = 0, 0
		b.stay(left, a)
	case b.Paused:
		b.SpeedMPS, b.ClimbMPS = 0, 0
		b.stay(seconds, Resting)
	default:
		if left = b.travel(seconds); left > 0 {
			b.stay(left, a)
		}
	}
	b.EnergyWh = min(max(b.EnergyWh, 0), b.holdsWh())
	return left
}

// travel moves along the path and returns what is left of the time.
func (b *Body) travel(seconds float64) (left float64) {
	left = seconds
	for left > 0 && b.Moving() {
		to := b.path[b.next]
		if b.Bias != (space.XY{}) {
			to = b.truly(to)
		}
		need := b.secondsTo(b.At, to, b.segmentMPS(), b.Wind)
		b.face(to)
		if math.IsInf(need, 1) {
			// No drive, or more wind than it can fly against.
			b.SpeedMPS, b.ClimbMPS = 0, 0
			b.stay(left, Resting)
			return 0
		}
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
		b.trail.reach(b.path[b.next], b.segmentMPS())
		b.next++
		left -= need
	}
	if !b.Moving() {
		b.path, b.speeds, b.next, b.faced = nil, nil, 0, 0
	}
	return left
}

// truly is the place at which the body takes itself to be at another. It never
// lies below the ground.
func (b *Body) truly(at space.XYZ) space.XYZ {
	at.X -= b.Bias.X
	at.Y -= b.Bias.Y
	if b.Ground != nil && b.Figures.airborne() {
		at.Z = max(at.Z, b.Ground(at.XY()))
	}
	return at
}

// Mislead changes the bias. A body that moves or hovers holds to where it takes
// itself to be, and is carried the other way at once; so change it in steps of as
// much as a body may go in the time. One that stands only errs.
func (b *Body) Mislead(bias space.XY) {
	by := bias.Sub(b.Bias)
	b.Bias = bias
	if b.Moving() && !b.Paused || !b.Landed() {
		b.At.X -= by.X
		b.At.Y -= by.Y
	}
}

// instantS is a time in which nothing moves: the rounding of a place over it is no
// speed.
const instantS = 1e-9

// move goes straight to a point in so many seconds.
func (b *Body) move(to space.XYZ, seconds float64) {
	from := b.At
	b.At = to
	if !(seconds > instantS) {
		return
	}
	dx, dy, dz := to.X-from.X, to.Y-from.Y, to.Z-from.Z
	level := math.Sqrt(dx*dx + dy*dy)
	b.SpeedMPS, b.ClimbMPS = level/seconds, dz/seconds
	b.TravelledM += math.Sqrt(level*level + dz*dz)
	b.moves = append(b.moves, Move{From: from, To: to, Seconds: seconds, SpeedMPS: b.SpeedMPS})
	b.drain(b.movingW(space.XY{X: dx / seconds, Y: dy / seconds}, b.SpeedMPS, b.ClimbMPS, b.Wind), seconds)
}

// segmentMPS is the planned ground speed on the way to the next point of the
// path, within what the vehicle can do. What an aircraft can do is a matter of its
// speed through the air, which secondsTo sees to.
func (b *Body) segmentMPS() float64 {
	most := b.Figures.MaxMPS * (1 - min(max(b.DriveLost, 0), 1))
	speed := speedOf(b.speeds, b.next)
	switch {
	case !(speed > 0):
		return most
	case b.Figures.airborne():
		return speed
	}
	return min(speed, most)
}

// speedOf is the speed on the way to point next of a path, 0 for none planned.
func speedOf(speeds []float64, next int) float64 {
	switch {
	case len(speeds) == 1:
		return speeds[0]
	case next <= len(speeds) && len(speeds) > 0:
		return speeds[max(next-1, 0)]
	}
	return 0
}

// secondsTo is how long a straight way takes in a wind at a planned speed, +Inf
// when the vehicle does not get there.
func (b *Body) secondsTo(from, to space.XYZ, speed float64, wind space.XY) float64 {
	dx, dy, dz := to.X-from.X, to.Y-from.Y, to.Z-from.Z
	t := 0.0
	if level := math.Sqrt(dx*dx + dy*dy); level > 0 {
		if b.Figures.airborne() {
			speed = min(speed, b.againstWind(dx/level, dy/level, wind))
		}
		if !(speed > leastMPS) {
			return math.Inf(1)
		}
		t = level / speed
	}
	switch {
	case dz > 0 && b.Figures.ClimbMPS > 0:
		t = max(t, dz/b.Figures.ClimbMPS)
	case dz < 0 && b.Figures.DescentMPS > 0:
		t = max(t, -dz/b.Figures.DescentMPS)
	}
	return t
}

// leastMPS is the speed below which a vehicle makes no way.
const leastMPS = 0.05

// againstWind is the greatest ground speed in a direction of length 1 at which an
// aircraft's speed through the air is no more than it can fly; below zero when it
// is blown back or aside.
func (b *Body) againstWind(dx, dy float64, wind space.XY) float64 {
	most := b.Figures.MaxMPS * (1 - min(max(b.DriveLost, 0), 1))
	along, aside := wind.X*dx+wind.Y*dy, wind.X*dy-wind.Y*dx
	rest := most*most - aside*aside
	if rest < 0 {
		return -1
	}
	return along + math.Sqrt(rest)
}

// face turns towards the next point of the path, once for each.
func (b *Body) face(to space.XYZ) {
	if b.faced == b.next+1 {
		return
	}
	b.faced = b.next + 1
	dx, dy := to.X-b.At.X, to.Y-b.At.Y
	if dx*dx+dy*dy < 1e-6 {
		return
	}
	b.HeadingDeg = math.Mod(math.Atan2(dx, dy)*(180/math.Pi)+360, 360)
}

// gravity is in m/s².
const gravity = 9.81

// movingW is the power drawn at a velocity over the ground, of the given length,
// and a climbing speed. Drag is that of the air that an aircraft or a vehicle on
// wheels meets, or of the water.
func (b *Body) movingW(ground space.XY, speed, climb float64, wind space.XY) float64 {
	f := b.Figures
	mass := f.MassKg + b.LoadKg
	w := f.IdleW + f.RollWPerKgMPS*mass*speed
	air := speed
	if wind != (space.XY{}) && f.Kind != protocol.Vessel {
		dx, dy := ground.X-wind.X, ground.Y-wind.Y
		air = math.Sqrt(dx*dx + dy*dy)
	}
	if f.airborne() {
		return w + f.Rotors.shaftW(mass*gravity, air, climb, b.Air.density())/f.Rotors.DriveRatio
	}
	// On wheels the drag of the air is overcome at the speed over the ground.
	return w + f.DragWPerMPS3*air*air*speed
}

// hoverW is the power that keeps an aircraft up with its load in still air.
func (b *Body) hoverW() float64 {
	if b.lifted == 0 || b.liftedKg != b.LoadKg {
		r := &b.Figures.Rotors
		b.lifted = r.shaftW((b.Figures.MassKg+b.LoadKg)*gravity, 0, 0, b.Air.density()) / r.DriveRatio
		b.liftedKg = b.LoadKg
	}
	return b.lifted
}

// stay drains or charges the battery where the body stands.
func (b *Body) stay(seconds float64, a Activity) {
	w := b.Figures.IdleW
	if !b.Landed() {
		if b.Wind == (space.XY{}) {
			w += b.hoverW()
		} else {
			r := &b.Figures.Rotors
			w += r.shaftW((b.Figures.MassKg+b.LoadKg)*gravity, b.Wind.Len(), 0, b.Air.density()) / r.DriveRatio
		}
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
	b.drain(w, seconds)
}

// drop brings an aircraft without power down where it is.
func (b *Body) drop(seconds float64) {
	b.Halt()
	if b.Landed() {
		return
	}
	fall, from := min(b.At.Z-b.GroundBelowM(), 8*seconds), b.At
	b.At.Z -= fall
	b.moves = append(b.moves, Move{From: from, To: b.At, Seconds: seconds})
	b.ClimbMPS = -fall / seconds
}

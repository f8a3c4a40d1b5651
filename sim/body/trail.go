package body

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// maxTrail is how many corners of its way a body remembers; beyond it, it knows no
// way back until its trail begins anew.
const maxTrail = 4096

// trail is the way that a body came since it was last at a place of its own, as
// it believes.
type trail struct {
	points []space.XYZ
	// speeds are those at which the points were reached.
	speeds []float64
	lost   bool
}

// reach notes a corner of the way.
func (t *trail) reach(at space.XYZ, speed float64) {
	if t.lost || len(t.points) > 0 && t.points[len(t.points)-1] == at {
		return
	}
	if len(t.points) == maxTrail {
		t.points, t.speeds, t.lost = t.points[:0], t.speeds[:0], true
		return
	}
	t.points, t.speeds = append(t.points, at), append(t.speeds, speed)
}

// turn notes a place at which another path is taken up.
func (t *trail) turn(at space.XYZ) {
	if n := len(t.points); n > 0 && t.points[n-1].Dist(at) < 0.01 {
		return
	}
	speed := 0.0
	if n := len(t.speeds); n > 0 {
		speed = t.speeds[n-1]
	}
	t.reach(at, speed)
}

// BeginTrail says that the body is at a place of its own: WayBack leads here from
// now on.
func (b *Body) BeginTrail() {
	b.trail.points, b.trail.speeds, b.trail.lost = append(b.trail.points[:0], b.Believed()), append(b.trail.speeds[:0], 0), false
}

// WayBack is the way that the body came, backwards from where it is, at the speeds
// at which it came, to where BeginTrail was called; false when that is not known.
// An aircraft does not come down again where it only touched the ground in
// between. With nearest, its way ends where it last stood on the ground instead.
// The slices are appended to points and speeds.
func (b *Body) WayBack(nearest bool, points []space.XYZ, speeds []float64) ([]space.XYZ, []float64, bool) {
	t := &b.trail
	if t.lost || len(t.points) == 0 {
		return points, speeds, false
	}
	points = append(points, b.Believed())
	first := len(points)
	speed := 0.0
	if b.next > 0 || b.Moving() {
		speed = b.segmentMPS()
	}
	for i := len(t.points) - 1; i >= 0; i-- {
		p := t.points[i]
		if n := len(points); n > first && i > 0 && dips(points[n-2], points[n-1], p) {
			// What was touched between two columns of air is passed by.
			points, speeds = points[:n-1], speeds[:len(speeds)-1]
		}
		points, speeds = append(points, p), append(speeds, speed)
		if t.speeds[i] > 0 {
			speed = t.speeds[i]
		}
		if nearest && b.Figures.airborne() && p.Z <= b.groundAt(p.XY())+landedM {
			break
		}
	}
	return points, speeds, true
}

// dips tells whether the way goes down to a point and up again on the spot.
func dips(before, at, after space.XYZ) bool {
	const sameM = 0.5
	return at.Z < before.Z-sameM && at.Z < after.Z-sameM &&
		math.Abs(before.X-at.X)+math.Abs(before.Y-at.Y) < sameM && math.Abs(after.X-at.X)+math.Abs(after.Y-at.Y) < sameM
}

func (b *Body) groundAt(at space.XY) float64 {
	if b.Ground == nil {
		return b.GroundM
	}
	return b.Ground(at)
}

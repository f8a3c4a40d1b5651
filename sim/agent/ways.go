package agent

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// follow sets the body out along a way, and with it the one that a liar tells of.
func (a *Agent) follow(way []space.XYZ, speeds []float64) {
	a.body.Follow(way, speeds)
	if a.ills.ghost != nil {
		a.ills.ghost.Follow(way, speeds)
	}
}

// way is the path of a leg of the mission held, in the frame.
func (a *Agent) way(i int) []space.XYZ {
	m := a.store.Mission
	if m.Own[i].way == nil {
		m.Own[i].way = a.xyz(m.Legs[i].Path)
	}
	return m.Own[i].way
}

// heightM is how high above the ground a place is.
func (a *Agent) heightM(at space.XYZ) float64 {
	if a.body.Ground == nil {
		return at.Z - a.body.GroundM
	}
	return at.Z - a.body.Ground(at.XY())
}

// besideM is how far from its path an aircraft may be and still turn straight
// onto it.
const besideM = 5

// nearM is how far an aircraft may have come from a path that was planned from where
// it was a moment before.
const nearM = 20

// speeds are the planned speeds of a leg's segments, or one for all of them.
func speeds(leg *protocol.Leg) []float64 {
	if len(leg.SpeedsMPS) > 0 {
		return leg.SpeedsMPS
	}
	return []float64{leg.SpeedMPS}
}

// sameWay tells whether two legs have the same path at the same speeds.
func sameWay(a, b *protocol.Leg) bool {
	return slices.Equal(a.Path, b.Path) && a.SpeedMPS == b.SpeedMPS && slices.Equal(a.SpeedsMPS, b.SpeedsMPS)
}

// joined is the path for the body to follow, with its speeds. An aircraft that is
// beside it does what autopilots do: it rises to the path's greatest height
// first, crosses over there, at the lowest of the speeds since none is planned
// for that, and only then goes on along the path. Where the ground is not flat,
// the path may have to climb a hill elsewhere, and near its path the greatest height
// may be one that is forbidden here: there it rises only to the height of the path
// where it joins, and overM above uneven ground on the way there.
func (a *Agent) joined(path []space.XYZ, speeds []float64) (way []space.XYZ, waySpeeds []float64) {
	at, next := a.body.Believed(), 0
	if !a.airborne() || body.PathDist(at, path) <= besideM {
		return path, speeds
	}
	top, best, over := at.Z, math.Inf(1), at.XY()
	for i, p := range path {
		top = max(top, p.Z)
		near, _ := space.ClosestOnSegment(at.XY(), path[max(i-1, 0)].XY(), p.XY())
		if d := near.Dist(at.XY()); d < best-1e-6 {
			best, over, next = d, near, i
		}
	}
	if a.body.Ground != nil || best <= nearM {
		top = a.joinTop(path, next, over)
	}
	way = []space.XYZ{at, {X: at.X, Y: at.Y, Z: top}, {X: over.X, Y: over.Y, Z: top}}
	if len(path) > 1 {
		// Not down to the foot of the climb.
		next = max(next, 1)
	}
	if len(speeds) > 1 {
		slow := slices.Min(speeds)
		speeds = append([]float64{slow, slow}, speeds[next-1:]...)
	}
	return append(way, path[next:]...), speeds
}

// overM is how far above uneven ground an aircraft crosses over to its path.
const overM = 40

// joinTop is the altitude at which an aircraft crosses over to the segment of its
// path that ends at point next, whose nearest place is over.
func (a *Agent) joinTop(path []space.XYZ, next int, over space.XY) float64 {
	from, to := path[max(next-1, 0)], path[next]
	top := max(a.body.At.Z, from.Z, to.Z)
	if length := from.XY().Dist(to.XY()); length > 0.01 {
		t := from.XY().Dist(over) / length
		top = max(a.body.At.Z, from.Z+(to.Z-from.Z)*t)
	} else if next+1 < len(path) {
		// At the foot of a climb.
		top = max(top, path[max(next, 1)].Z)
	}
	if a.body.Ground == nil {
		return top
	}
	here := a.body.Believed().XY()
	steps := int(here.Dist(over)/10) + 1
	for k := range steps + 1 {
		top = max(top, a.body.Ground(here.Lerp(over, float64(k)/float64(steps)))+overM)
	}
	return top
}

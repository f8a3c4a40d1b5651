package sim

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

const (
	// acrossTries is how many rectangles are tried at one time.
	acrossTries = 4000
	// clearM is how far from the rectangle's edge every vehicle is, and every stop
	// and home that lies outside: who is outside has room to turn away, and who is
	// inside is inside.
	clearM = 40
	// airborneM is the least height above ground at which a drone counts as flying.
	airborneM = 5
)

// flight is a flying drone with its way ahead.
type flight struct {
	at  space.XY
	way []space.XY
}

// rectangle is one in any direction.
type rectangle struct {
	middle, along space.XY
	// long and wide are half its length and width.
	long, wide float64
}

func (r *rectangle) corners() [4]space.XY {
	across := space.XY{X: -r.along.Y, Y: r.along.X}
	l, w := r.along.Scale(r.long), across.Scale(r.wide)
	return [4]space.XY{
		r.middle.Add(l).Add(w), r.middle.Sub(l).Add(w), r.middle.Sub(l).Sub(w), r.middle.Add(l).Sub(w),
	}
}

// depth is how far inside a place is, negative outside; outside it is a lower
// bound of the distance.
func (r *rectangle) depth(at space.XY) float64 {
	d := at.Sub(r.middle)
	return min(r.long-math.Abs(d.Dot(r.along)), r.wide-math.Abs(d.Cross(r.along)))
}

// meets tells whether a way runs through it.
func (r *rectangle) meets(way []space.XY) bool {
	corners := r.corners()
	for i := 1; i < len(way); i++ {
		for k := range corners {
			if space.SegmentsCross(way[i-1], way[i], corners[k], corners[(k+1)%len(corners)]) {
				return true
			}
		}
	}
	return false
}

// across finds a rectangle that lies across the ways of so many flying drones,
// with just so many of them inside, and no stop or home of anyone inside. The
// smallest of those tried is taken.
func (w *world) across(number int, a *scenario.Across) (orb.Ring, bool) {
	if !w.backend.up() {
		return nil, false
	}
	flights, fixed := w.flights()
	if len(flights) < a.Routes {
		return nil, false
	}
	draw := rand.New(rand.NewPCG(w.scenario.Seed, chanceZones<<32+uint64(number)))
	best, bestArea := rectangle{}, math.Inf(1)
	for range acrossTries {
		r := drawnRectangle(draw, flights)
		if r.long*r.wide < bestArea && r.fits(a, flights, fixed) {
			best, bestArea = r, r.long*r.wide
		}
	}
	if math.IsInf(bestArea, 1) {
		return nil, false
	}
	var ring orb.Ring
	for _, at := range best.corners() {
		ring = append(ring, w.chart.Frame.Point(at))
	}
	return append(ring, ring[0]), true
}

// drawnRectangle draws one about a place on the way of a drone.
func drawnRectangle(draw *rand.Rand, flights []flight) rectangle {
	f := &flights[draw.IntN(len(flights))]
	middle := f.at
	if n := len(f.way); n > 1 {
		i := 1 + draw.IntN(n-1)
		t := draw.Float64()
		middle = f.way[i-1].Scale(1 - t).Add(f.way[i].Scale(t))
	}
	if other := flights[draw.IntN(len(flights))]; draw.IntN(2) == 0 {
		middle = f.at.Add(other.at).Scale(0.5)
	}
	sin, cos := math.Sincos(draw.Float64() * math.Pi)
	return rectangle{
		middle: middle, along: space.XY{X: cos, Y: sin},
		long: 60 + 900*draw.Float64(), wide: 60 + 250*draw.Float64(),
	}
}

// fits tells whether the rectangle is as it is asked for.
func (r *rectangle) fits(a *scenario.Across, flights []flight, fixed []space.XY) bool {
	inside, routes := 0, 0
	for i := range flights {
		f := &flights[i]
		switch depth := r.depth(f.at); {
		case depth >= clearM:
			inside++
			routes++
		case depth > -clearM:
			return false
		case r.meets(f.way):
			routes++
		}
	}
	if inside != a.Inside || routes < a.Routes {
		return false
	}
	for _, at := range fixed {
		if r.depth(at) > -clearM {
			return false
		}
	}
	return true
}

// flights lists the flying drones that have a way ahead, and the places that
// must stay free: homes, stops, and where the other vehicles are.
func (w *world) flights() (flights []flight, fixed []space.XY) {
	d := &w.backend.core.Fleet().State().Durable
	frame := w.chart.Frame
	for _, v := range w.vehicles {
		body := v.agent.Body()
		record := d.Vehicles[fleet.VehicleID(v.id)]
		if record == nil {
			continue
		}
		fixed = append(fixed, frame.XY(record.Home.Point()))
		m := d.Missions[record.Mission]
		flying := v.kind == protocol.Multirotor && body.At.Z-body.GroundBelowM() > airborneM && v.conn != nil && v.out == 0
		if m == nil || !flying {
			fixed = append(fixed, body.At.XY())
			continue
		}
		f := flight{at: body.At.XY()}
		for i := range m.Legs {
			if s := m.Legs[i].State; s == protocol.LegDone || s == protocol.LegAbandoned || len(m.Legs[i].Path) == 0 {
				continue
			}
			var way []space.XY
			for _, p := range m.Legs[i].Path {
				way = append(way, frame.XY(p.Point()))
			}
			fixed = append(fixed, way[len(way)-1])
			if f.way == nil {
				way = ahead(way, f.at)
			}
			f.way = append(f.way, way...)
		}
		flights = append(flights, f)
	}
	return flights, fixed
}

// ahead is what of a way lies before one who is at a place on it.
func ahead(way []space.XY, at space.XY) []space.XY {
	best, bestM := len(way), math.Inf(1)
	for i := 1; i < len(way); i++ {
		if d := space.SegmentDist(at, way[i-1], way[i]); d <= bestM {
			best, bestM = i, d
		}
	}
	return append([]space.XY{at}, way[min(best, len(way)):]...)
}

package fleet

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// What a vehicle has still before it.

// way is the remaining way of a plan from where the vehicle is, with the work on
// it.
type way struct {
	stretches []stretch
	// arriveS are the arrivals of the legs, in seconds from now, in order of the
	// plan; NaN for a leg that is over or begun.
	arriveS []float64
	// arriveM are how far it is to there.
	arriveM []float64
	lengthM float64
}

// wayOf lays out what remains of a plan, from the place at. The current leg is
// taken up at the point of its path that is nearest.
func (f *Fleet) wayOf(v *Vehicle, at space.Position, legs []Leg) way {
	w := way{arriveS: make([]float64, len(legs)), arriveM: make([]float64, len(legs))}
	b := wayBuilder{f: f, v: v, w: &w}
	if i := begunOf(legs); i >= 0 {
		l := &legs[i]
		b.stay(l.End(), min(max(l.EndsAt.Sub(f.now).Seconds(), 0), l.WorkS))
	}
	first := true
	for i := range legs {
		l := &legs[i]
		w.arriveS[i] = math.NaN()
		if l.Final() || l.State == protocol.LegBegun || len(l.Path) == 0 {
			continue
		}
		if first {
			b.join(at, l)
		} else {
			b.follow(l, 0)
		}
		first = false
		w.arriveS[i], w.arriveM[i] = b.t, w.lengthM
		b.stay(l.End(), max(l.NotBefore.Sub(f.now).Seconds()-b.t, 0)+l.WorkS)
	}
	return w
}

// wayOfOffer lays out what an offer has a vehicle do from the candidate's place on:
// the given stops, and those that the candidate has behind them.
func (f *Fleet) wayOfOffer(v *Vehicle, c *assign.Candidate, stops []assign.Stop, o *assign.Offer) way {
	var w way
	stops = append(slices.Clone(stops), c.After...)
	b := wayBuilder{f: f, v: v, w: &w, t: c.FreeAt.Sub(f.now).Seconds()}
	for i := range o.Routes {
		var l Leg
		l.lay(&o.Routes[i])
		b.follow(&l, 0)
		if i < len(stops) && i < len(o.Begin) {
			b.stay(l.End(), o.Begin[i].Sub(f.now).Seconds()+stops[i].WorkS-b.t)
		}
	}
	return w
}

// begunOf is the leg whose work goes on, -1 for none.
func begunOf(legs []Leg) int {
	for i := range legs {
		if legs[i].State == protocol.LegBegun && len(legs[i].Path) > 0 {
			return i
		}
	}
	return -1
}

// bareLeg is a path without work, as that of a return, as a plan.
func bareLeg(path []space.Position, speedMPS float64) []Leg {
	return []Leg{{Path: path, SpeedMPS: speedMPS}}
}

// wayBuilder appends to a way.
type wayBuilder struct {
	f *Fleet
	v *Vehicle
	w *way
	t float64
}

// stay adds a time at a place.
func (b *wayBuilder) stay(at space.Position, seconds float64) {
	if seconds > 0 {
		p := b.f.chart.Frame.XYZ(at)
		b.w.stretches = append(b.w.stretches, stretch{a: p, b: p, t0: b.t, t1: b.t + seconds})
		b.t += seconds
	}
}

// join takes up a leg at the point of its path nearest to a place. On the ground
// altitudes do not count, as vehicles know theirs less well than their place.
func (b *wayBuilder) join(at space.Position, l *Leg) {
	frame := b.f.chart.Frame
	here := frame.XYZ(at)
	flies := MotionKind(b.v.Kind).Airborne()
	next, entry, best := 0, frame.XYZ(l.Path[0]), math.Inf(1)
	for k := 1; k < len(l.Path); k++ {
		p, q := frame.XYZ(l.Path[k-1]), frame.XYZ(l.Path[k])
		on := nearestOn(here, p, q, flies)
		d := on.Dist(here)
		if !flies {
			d = on.XY().Dist(here.XY())
		}
		if d < best-1e-9 {
			best, next, entry = d, k, on
		}
	}
	if !flies {
		here.Z = entry.Z
	}
	b.leg(here, entry, l.speedOf(max(next-1, 0)))
	if next < len(l.Path) {
		end := frame.XYZ(l.Path[next])
		b.leg(entry, end, l.speedOf(max(next-1, 0)))
	}
	b.follow(l, next)
}

// nearestOn is the point of a segment nearest to a place.
func nearestOn(at, p, q space.XYZ, inSpace bool) space.XYZ {
	dx, dy, dz := q.X-p.X, q.Y-p.Y, q.Z-p.Z
	ex, ey, ez := at.X-p.X, at.Y-p.Y, at.Z-p.Z
	if !inSpace {
		ez = 0
	}
	dot, square := dx*ex+dy*ey, dx*dx+dy*dy
	if inSpace {
		dot, square = dot+dz*ez, square+dz*dz
	}
	t := 0.0
	if square > 0 {
		t = min(max(dot/square, 0), 1)
	}
	return space.XYZ{X: p.X + dx*t, Y: p.Y + dy*t, Z: p.Z + dz*t}
}

// follow adds the path of a leg from one of its points on.
func (b *wayBuilder) follow(l *Leg, from int) {
	frame := b.f.chart.Frame
	for k := from + 1; k < len(l.Path); k++ {
		b.leg(frame.XYZ(l.Path[k-1]), frame.XYZ(l.Path[k]), l.speedOf(k-1))
	}
}

// leg adds a straight line.
func (b *wayBuilder) leg(p, q space.XYZ, speedMPS float64) {
	along, rise := p.XY().Dist(q.XY()), q.Z-p.Z
	if along < 0.01 && math.Abs(rise) < 0.01 {
		return
	}
	seconds := along / max(speedMPS, 0.1)
	if spec := &b.v.Spec; spec.Kind.Airborne() && rise > 0 && spec.ClimbMPS > 0 {
		seconds = max(seconds, rise/spec.ClimbMPS)
	} else if spec.Kind.Airborne() && rise < 0 && spec.DescentMPS > 0 {
		seconds = max(seconds, -rise/spec.DescentMPS)
	}
	b.w.stretches = append(b.w.stretches, stretch{a: p, b: q, t0: b.t, t1: b.t + seconds, speedMPS: speedMPS})
	b.t += seconds
	b.w.lengthM += p.Dist(q)
}

// speedOf is the planned ground speed on a segment of the path.
func (l *Leg) speedOf(segment int) float64 {
	if segment < len(l.SpeedsMPS) {
		return l.SpeedsMPS[segment]
	}
	return l.SpeedMPS
}

// sentLegs lists what the vehicle may be following: every plan that it may hold,
// as a whole, and cut off with its safe end where it was sent so.
func sentLegs(m *Mission) [][]Leg {
	var plans [][]Leg
	add := func(legs []Leg, window int, end *Leg) {
		if legs == nil {
			return
		}
		plans = append(plans, legs)
		if window > 0 && window <= len(legs) && end != nil {
			plans = append(plans, append(append([]Leg(nil), legs[:window]...), *end))
		}
	}
	add(m.Previous, m.PreviousWindow, m.PreviousSafeEnd)
	for i := range m.Sent {
		add(m.Sent[i].Legs, m.Sent[i].Window, m.Sent[i].SafeEnd)
	}
	return plans
}

// presentLegs lists the newest plan likewise.
func presentLegs(m *Mission) [][]Leg {
	return sentLegs(&Mission{Previous: m.Legs, PreviousWindow: m.Window, PreviousSafeEnd: m.SafeEnd})
}

// lastStop is the arrival at the last stop of the given tasks, and at the end of
// the plan when there is none.
func (w *way) lastStop(legs []Leg, tasks []TaskID) float64 {
	last := math.NaN()
	for i := range legs {
		if s := w.arriveS[i]; !math.IsNaN(s) && (contains(tasks, legs[i].Task) || len(tasks) == 0) {
			last = s
		}
	}
	return last
}

// lengthTo is how far it is to the last stop of the given tasks.
func (w *way) lengthTo(legs []Leg, tasks []TaskID) float64 {
	last := 0.0
	for i := range legs {
		if !math.IsNaN(w.arriveS[i]) && contains(tasks, legs[i].Task) {
			last = w.arriveM[i]
		}
	}
	return last
}

// grounded tells whether an aircraft stands on the ground or at its home, as far
// as is known.
func (f *Fleet) grounded(v *Vehicle) bool {
	p := f.presence(v.ID)
	if !MotionKind(v.Kind).Airborne() {
		return false
	}
	if !p.Known {
		_, open := f.openMission(v)
		return !open
	}
	return f.stands(v, &p.Sample)
}

// stands tells whether a sample shows an aircraft standing on the ground, on a
// roof or at its home.
func (f *Fleet) stands(v *Vehicle, s *protocol.Sample) bool {
	if !MotionKind(v.Kind).Airborne() {
		return false
	}
	if s.Mode == protocol.ModeCharging {
		return true
	}
	at := space.Position(s.Position)
	slow := s.SpeedMPS < 0.5 && math.Abs(s.ClimbMPS) < 0.5
	under, _ := f.below(at)
	low := at.AltitudeM < under+groundedM
	return slow && (low || v.HomeKnown && space.Distance(at, v.Home) < groundedM && math.Abs(at.AltitudeM-v.Home.AltitudeM) < groundedM)
}

// groundedM is how high above the ground, or far from its home, an aircraft may
// be that counts as standing there.
const groundedM = 2.5

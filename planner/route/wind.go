package route

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Objective is what a way is to take least of.
type Objective string

// The objectives. LeastEnergy flies at the speed through the air that takes the
// least energy for each metre, where the spec has an airframe to tell it by, and
// weighs climbs by what they draw.
const (
	LeastTime   Objective = ""
	LeastEnergy Objective = "energy"
)

// leastSpeedPart is the lowest part of the cruise speed that LeastEnergy flies at.
const leastSpeedPart = 0.4

// drift turns lengths over the ground into lengths through the air, which an
// aircraft of constant speed through the air takes its time by (Zermelo's problem
// in a wind that is the same everywhere: the quickest ways are straight). Such
// lengths depend on the direction but keep the triangle inequality, so what holds
// of shortest ways among obstacles holds of them. The zero value is still air.
type drift struct {
	windy bool
	// u is the wind as a part of the speed through the air, and stretch is
	// 1/(1-u²).
	u       space.XY
	stretch float64
}

// driftOf is the drift at a speed through the air. A wind as fast as that, against
// which no flight is planned, counts as none.
func driftOf(w motion.Wind, airMPS float64) drift {
	if w.Toward == (space.XY{}) || w.SpeedMPS() >= airMPS {
		return drift{stretch: 1}
	}
	u := w.Toward.Scale(1 / airMPS)
	return drift{windy: true, u: u, stretch: 1 / (1 - u.Dot(u))}
}

// lengthM is the length through the air of a straight piece of a way.
func (d *drift) lengthM(dx, dy float64) float64 {
	square := dx*dx + dy*dy
	if !d.windy {
		return math.Sqrt(square)
	}
	along := dx*d.u.X + dy*d.u.Y
	return (math.Sqrt(along*along+square/d.stretch) - along) * d.stretch
}

// between is the length through the air from one place to another.
func (d *drift) between(from, to space.XY) float64 { return d.lengthM(to.X-from.X, to.Y-from.Y) }

// least is the least length through the air of so many metres, whatever the
// direction.
func (d *drift) least(m float64) float64 {
	if !d.windy {
		return m
	}
	return m / (1 + d.u.Len())
}

// tooWindy refuses a flight that the wind might carry off: Number is the wind's
// speed and Limit what the vehicle can do against it.
func (p *Planner) tooWindy(q *Query) *Refusal {
	if !q.Spec.Kind.Airborne() {
		return nil
	}
	steady, most := p.wind.SpeedMPS(), p.wind.SpeedMPS()+p.wind.GustMPS
	if limit := q.Spec.CruiseMPS - HeadwayMPS; steady > limit {
		return &Refusal{Rule: TooWindy, At: q.From, Number: steady, Limit: limit}
	}
	if most > q.Spec.MaxMPS {
		return &Refusal{Rule: TooWindy, At: q.From, Number: most, Limit: q.Spec.MaxMPS}
	}
	return nil
}

// TooWindy is the refusal of all flights of a spec in the planner's wind, nil for
// none.
func (p *Planner) TooWindy(s *motion.Spec) *Refusal { return p.tooWindy(&Query{Spec: *s}) }

// slowDown sets the cruise speed that takes the least energy for each metre of
// the straight way.
func (p *Planner) slowDown(q *Query) {
	if q.Objective != LeastEnergy || !q.Spec.Kind.Airborne() || q.Spec.Airframe.MassKg <= 0 {
		return
	}
	wind := p.windFor(&q.Spec)
	way := p.c.Frame.XY(q.To.Point()).Sub(p.c.Frame.XY(q.From.Point()))
	lengthM := way.Len()
	if lengthM == 0 {
		return
	}
	way = way.Scale(1 / lengthM)
	flight := q.Spec.In(wind, q.LoadKg)
	least, best := math.Inf(1), q.Spec.CruiseMPS
	const tried = 24
	for i := range tried + 1 {
		air := q.Spec.CruiseMPS * (leastSpeedPart + (1-leastSpeedPart)*float64(i)/tried)
		ground, ok := wind.GroundSpeed(air, way)
		if !ok || wind.SpeedMPS() > air-HeadwayMPS {
			continue
		}
		if perM := flight.PowerW(air, 0) / ground; perM < least {
			least, best = perM, air
		}
	}
	q.Spec.CruiseMPS = best
}

// windFor is the wind as far as it concerns a vehicle.
func (p *Planner) windFor(s *motion.Spec) motion.Wind {
	if !s.Kind.Airborne() {
		return motion.Wind{}
	}
	return p.wind
}

// Wind is the wind of the planner's world.
func (p *Planner) Wind() motion.Wind { return p.wind }

// onGroundM is how far above the ground an aircraft's stop may be and counts as
// one at which it lands.
const onGroundM = 1

// Work returns what it takes a vehicle to work at a stop for some seconds: for
// aircraft a hover in the planner's wind, unless the stop is on the ground, where
// they land and stand.
func (p *Planner) Work(s *motion.Spec, at space.Position, seconds, loadKg float64) motion.Cost {
	if s.Kind.Airborne() && at.AltitudeM <= p.groundM(at)+onGroundM {
		return s.Stand(seconds, loadKg)
	}
	f := s.In(p.windFor(s), loadKg)
	return f.Work(seconds)
}

// price is what a cost counts in the comparison of ways: its seconds, or the
// seconds of level cruise that take as much energy.
func (f *flight) price(c motion.Cost) float64 {
	if f.levelW == 0 {
		return c.Seconds
	}
	return c.EnergyWh * secondsPerHour / f.levelW
}

// secondsPerHour turns watt hours into watt seconds.
const secondsPerHour = 3600

// groundMPS is the speed over the ground along a straight piece of the flight.
func (p *Planner) groundMPS(s *motion.Spec, from, to space.XYZ) float64 {
	way := to.XY().Sub(from.XY())
	lengthM := way.Len()
	if lengthM == 0 {
		return s.CruiseMPS
	}
	mps, ok := p.windFor(s).GroundSpeed(s.CruiseMPS, way.Scale(1/lengthM))
	if !ok {
		return s.CruiseMPS
	}
	return mps
}

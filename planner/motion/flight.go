package motion

import "github.com/kapok-fleet/kapok/planner/space"

// Flight is a Spec with a load in a wind, made ready for many questions: what
// does not depend on the way is computed once. It is a plain value.
type Flight struct {
	wind                         Wind
	airborne                     bool
	cruise, most, climb, descent float64
	cruiseW, climbW, workW       float64
	rotor                        rotor
	theory                       bool
}

// In prepares a spec for a load in a wind.
func (s *Spec) In(w Wind, loadKg float64) Flight {
	f := Flight{
		wind: w, airborne: s.Kind.Airborne(),
		cruise: s.CruiseMPS, most: s.MaxMPS, climb: s.ClimbMPS, descent: s.DescentMPS,
		theory: s.Airframe.MassKg > 0,
	}
	if f.theory {
		f.rotor = s.Airframe.rotorOf(loadKg, s.AirKgM3)
		return f
	}
	load := s.LoadWPerKg * loadKg
	f.cruiseW, f.climbW, f.workW = s.CruiseW+load, s.ClimbW+load, s.WorkW+load
	return f
}

// PowerW is what the battery gives at a speed through the air and a rate of
// climb, below 0 for a descent. Where only constant powers are known it is the
// climb's for whatever is not level, and for standing still that of work.
func (f *Flight) PowerW(airMPS, climbMPS float64) float64 {
	switch {
	case f.theory:
		return f.rotor.powerW(airMPS, climbMPS)
	case climbMPS != 0 && f.airborne:
		return f.climbW
	case airMPS != 0:
		return f.cruiseW
	}
	return f.workW
}

// Segment returns what one straight piece of a path takes. Aircraft keep their
// cruise speed through the air, or as slow a one as the slope demands of the climb
// or descent speed or as a speed limit over the ground demands; gusts are not
// counted. It is false when the wind does not let the vehicle hold its course
// there; a vertical piece is held while the wind is no more than the greatest
// speed. Vehicles on the ground and on water feel no wind.
func (f *Flight) Segment(from, to space.XYZ, limitMPS float64) (Cost, bool) {
	way := space.XY{X: to.X - from.X, Y: to.Y - from.Y}
	length := way.Len()
	speed := f.cruise
	windy := f.airborne && f.wind.Toward != (space.XY{})
	if windy && length == 0 && f.wind.SpeedMPS() > f.most {
		return Cost{}, false
	}
	if windy && length > 0 {
		way = way.Scale(1 / length)
		var ok bool
		if speed, ok = f.wind.GroundSpeed(f.cruise, way); !ok {
			return Cost{}, false
		}
	}
	if limitMPS > 0 {
		speed = min(speed, limitMPS)
	}
	seconds := length / speed
	if !f.airborne {
		return spend(f.cruiseW, seconds), true
	}
	rise, slopeS := to.Z-from.Z, 0.0
	if rise > 0 {
		slopeS = rise / f.climb
	} else {
		slopeS = -rise / f.descent
	}
	if !f.theory {
		return spend(f.climbW, slopeS).Add(spend(f.cruiseW, max(0, seconds-slopeS))), true
	}
	if seconds = max(seconds, slopeS); seconds == 0 {
		return Cost{}, true
	}
	air := length / seconds
	if windy {
		air = f.wind.AirSpeed(air, way)
	}
	return spend(f.rotor.powerW(air, rise/seconds), seconds), true
}

// Leg is Spec.Leg. The wind is not counted: a length has no direction.
func (f *Flight) Leg(horizontalM, climbM, descentM float64) Cost {
	levelS := horizontalM / f.cruise
	if !f.airborne {
		return spend(f.cruiseW, levelS)
	}
	if !f.theory {
		return spend(f.cruiseW, levelS).Add(spend(f.climbW, climbM/f.climb+descentM/f.descent))
	}
	var sum Cost
	if levelS > 0 {
		sum = spend(f.rotor.powerW(f.cruise, 0), levelS)
	}
	if climbM > 0 {
		sum = sum.Add(spend(f.rotor.powerW(0, f.climb), climbM/f.climb))
	}
	if descentM > 0 {
		sum = sum.Add(spend(f.rotor.powerW(0, -f.descent), descentM/f.descent))
	}
	return sum
}

// LeastLeg is Spec.LeastLeg.
func (f *Flight) LeastLeg(horizontalM, climbM, descentM float64) Cost {
	return f.Leg(0, climbM, descentM).Add(spend(f.LeastW(), horizontalM/f.cruise))
}

// Work returns what it takes to work at a stop for some seconds; for aircraft
// that is a hover in the wind.
func (f *Flight) Work(seconds float64) Cost {
	if f.theory {
		return spend(f.rotor.powerW(f.wind.SpeedMPS(), 0), seconds)
	}
	return spend(f.workW, seconds)
}

// LeastW is a power that no flight goes below while it is not faster than the
// cruise, whatever it does.
func (f *Flight) LeastW() float64 {
	if !f.theory {
		if f.airborne {
			return min(f.cruiseW, f.climbW)
		}
		return f.cruiseW
	}
	// The power has one lowest place over the speed; between the speeds tried it
	// is no more than a few parts in a thousand lower.
	least := f.rotor.powerW(0, -f.descent)
	const tried = 16
	for i := 1; i <= tried; i++ {
		least = min(least, f.rotor.powerW(f.cruise*float64(i)/tried, -f.descent))
	}
	return least * 0.99
}

// spend is the cost of a power for a time.
func spend(watts, seconds float64) Cost {
	return Cost{Seconds: seconds, EnergyWh: watts * seconds / secondsPerHour}
}

package motion

import (
	"errors"
	"fmt"
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// secondsPerHour turns watt seconds into watt hours.
const secondsPerHour = 3600

// Add returns the sum of two costs.
func (c Cost) Add(d Cost) Cost {
	return Cost{Seconds: c.Seconds + d.Seconds, EnergyWh: c.EnergyWh + d.EnergyWh}
}

// Validate says what is wrong with a spec: an unknown kind, a figure that is
// not finite, a speed, power or battery that is not positive, a greatest speed
// below the cruise, a reserve outside 0 ≤ r < 1, an aircraft without climb,
// descent or climb power, a vehicle for roads that is no rover, or an airframe
// that is not whole. All faults are reported, joined.
func (s Spec) Validate() error {
	var faults []error
	complain := func(format string, args ...any) {
		faults = append(faults, fmt.Errorf("spec: "+format, args...))
	}
	switch s.Kind {
	case Rover, Multirotor, VTOL, Vessel:
	default:
		complain("kind %q is not rover, multirotor, vtol or vessel", s.Kind)
	}
	if s.Road && s.Kind != Rover {
		complain("road is set for a %s; only rovers drive", s.Kind)
	}
	positive := func(name string, v float64) {
		if !(v > 0) || math.IsInf(v, 0) {
			complain("%s is %g; it must be above 0", name, v)
		}
	}
	atLeastZero := func(name string, v float64) {
		if !(v >= 0) || math.IsInf(v, 0) {
			complain("%s is %g; it must be 0 or more", name, v)
		}
	}
	positive("cruise_mps", s.CruiseMPS)
	positive("max_mps", s.MaxMPS)
	positive("battery_wh", s.BatteryWh)
	positive("cruise_w", s.CruiseW)
	positive("charge_w", s.ChargeW)
	atLeastZero("work_w", s.WorkW)
	atLeastZero("load_w_per_kg", s.LoadWPerKg)
	atLeastZero("max_load_kg", s.MaxLoadKg)
	check := atLeastZero
	if s.Kind.Airborne() {
		check = positive
	}
	check("climb_mps", s.ClimbMPS)
	check("descent_mps", s.DescentMPS)
	check("climb_w", s.ClimbW)
	if s.MaxMPS < s.CruiseMPS {
		complain("max_mps %g is below cruise_mps %g", s.MaxMPS, s.CruiseMPS)
	}
	if s.Airframe != (Airframe{}) {
		faults = append(faults, s.Airframe.validate())
		if s.Kind != Multirotor {
			complain("an airframe is set for a %s; it is for multirotors", s.Kind)
		}
	}
	atLeastZero("air_kg_m3", s.AirKgM3)
	if !(s.ReserveRatio >= 0 && s.ReserveRatio < 1) {
		complain("reserve_ratio is %g; it must be at least 0 and below 1", s.ReserveRatio)
	}
	return errors.Join(faults...)
}

// Leg returns what it takes to travel horizontalM metres level at cruise speed
// and, before or after and not at the same time, to climb and descend vertical
// columns of climbM and descentM metres, with loadKg on board. Only aircraft
// pay for height; for others climbM and descentM are ignored.
func (s Spec) Leg(horizontalM, climbM, descentM, loadKg float64) Cost {
	f := s.In(Wind{}, loadKg)
	return f.Leg(horizontalM, climbM, descentM)
}

// LeastLeg is no more than what any way takes that is at least so long and begins
// and ends with such columns, wherever it climbs and descends in between and
// however slowly parts of it are flown.
func (s Spec) LeastLeg(horizontalM, climbM, descentM, loadKg float64) Cost {
	f := s.In(Wind{}, loadKg)
	return f.LeastLeg(horizontalM, climbM, descentM)
}

// Work returns what it takes to work at a stop for some seconds with loadKg on
// board; for aircraft that is a hover.
func (s Spec) Work(seconds, loadKg float64) Cost {
	f := s.In(Wind{}, loadKg)
	return f.Work(seconds)
}

// Stand returns what it takes to work at a stop for some seconds while it stands
// on the ground: with an airframe its avionics alone, else as Work.
func (s Spec) Stand(seconds, loadKg float64) Cost {
	if s.Airframe.MassKg > 0 {
		return spend(s.Airframe.AvionicsW, seconds)
	}
	return s.Work(seconds, loadKg)
}

// Path returns what it takes to follow a path with loadKg on board. Aircraft
// take each segment at cruise speed or as slowly as its slope demands of the
// climb or descent speed; a vertical segment takes its height alone.
// limitsMPS[i] is the speed limit of the segment from path[i] to path[i+1]; 0
// or a missing entry is none. Lengths are the frame's. Fewer than two points
// cost nothing.
func (s Spec) Path(frame space.Frame, path []space.Position, loadKg float64, limitsMPS []float64) Cost {
	var sum Cost
	if len(path) == 0 {
		return sum
	}
	from, f := frame.XYZ(path[0]), s.In(Wind{}, loadKg)
	for i := 1; i < len(path); i++ {
		to := frame.XYZ(path[i])
		limit := 0.0
		if i-1 < len(limitsMPS) {
			limit = limitsMPS[i-1]
		}
		cost, _ := f.Segment(from, to, limit)
		sum = sum.Add(cost)
		from = to
	}
	return sum
}

// Segment returns what one straight piece of a path takes, as told at Path.
func (s Spec) Segment(from, to space.XYZ, loadKg, limitMPS float64) Cost {
	f := s.In(Wind{}, loadKg)
	cost, _ := f.Segment(from, to, limitMPS)
	return cost
}

// LowerBoundS returns seconds within which no vehicle of this spec covers the
// distance, whatever its plan: it stays true of a vehicle that speeds.
func (s Spec) LowerBoundS(horizontalM float64) float64 { return horizontalM / s.MaxMPS }

// ReserveWh returns the part of the battery that no plan may touch.
func (s Spec) ReserveWh() float64 { return s.BatteryWh * s.ReserveRatio }

// ChargeS returns the seconds at a charger from one part of the battery to
// another, at constant power; 0 when there is nothing to charge.
func (s Spec) ChargeS(fromRatio, toRatio float64) float64 {
	return max(0, toRatio-fromRatio) * s.BatteryWh / s.ChargeW * secondsPerHour
}

// EnduranceS returns the seconds for which a full battery can keep the vehicle
// moving without a load, whatever it does.
func (s Spec) EnduranceS() float64 {
	f := s.In(Wind{}, 0)
	return s.BatteryWh / f.LeastW() * secondsPerHour
}

// RangeM returns how many metres a full battery carries the vehicle level at
// cruise speed with loadKg on board, down to the reserve.
func (s Spec) RangeM(loadKg float64) float64 {
	f := s.In(Wind{}, loadKg)
	return (s.BatteryWh - s.ReserveWh()) / f.PowerW(s.CruiseMPS, 0) * secondsPerHour * s.CruiseMPS
}

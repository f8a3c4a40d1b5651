package body

import "math"

// Rotors are those of an aircraft, as the theory of blade elements sees them: with
// a fixed pitch, so that they turn the faster the more air comes through them.
type Rotors struct {
	// DiscM2 is what they sweep, BladeM2 the area of their blades, all together.
	DiscM2, BladeM2 float64
	// PitchRad is the mean angle of the blades, LiftSlope the lift coefficient for
	// a radian, DragCoefficient that of their profile.
	PitchRad, LiftSlope, DragCoefficient float64
	// BodyM2 is the drag area of what hangs below them.
	BodyM2 float64
	// DriveRatio is the part of the power that motors and controllers pass on.
	DriveRatio float64
}

// Pack is what the battery is made of. Its zero value has no losses.
type Pack struct {
	// FullV and EmptyV are its voltages without a current.
	FullV, EmptyV float64
	// Ohms is its resistance and that of its wires.
	Ohms float64
}

// Air is what the weather does to flight and to batteries. The zero value is a day
// of 20 °C or more at sea level.
type Air struct {
	// KgM3 is its density, 0 for 1.2.
	KgM3 float64
	// Cold is the share of a battery that the cold keeps from being used, 0 to 0.5.
	Cold float64
}

const (
	// seaLevelKgM3 is the density of air at sea level and about 20 °C.
	seaLevelKgM3 = 1.2
	// tipLoss is the part of the disc that carries: the blades' tips do not.
	tipLoss = 0.95
	// givenBack is the part of a descent's power that the rotors get back while
	// they sink through their own downwash.
	givenBack = 0.2
)

// AirAt is the air at an altitude in metres and a temperature in °C: density falls
// by its scale height, and batteries lose 0.7 % of their charge for each degree
// below 20 °C, at most half.
func AirAt(altitudeM, celsius float64) Air {
	kelvin := max(celsius, -60) + 273.15
	return Air{
		KgM3: 353 / kelvin * math.Exp(-altitudeM*0.0342/kelvin),
		Cold: min(max(20-celsius, 0)*0.007, 0.5),
	}
}

// density is that of the air.
func (a *Air) density() float64 {
	if a.KgM3 > 0 {
		return a.KgM3
	}
	return seaLevelKgM3
}

// shaftW is the power that the rotors take to carry a weight in newtons at a speed
// through the air and a rate of climb. The air that comes through them from above
// is the climb, the part of the speed that the tilt turns against them, and what
// they push down; the blades' lift on it gives the speed of the tips.
func (r *Rotors) shaftW(weight, airMPS, climbMPS, density float64) float64 {
	drag := density / 2 * r.BodyM2 * airMPS * airMPS
	thrust := weight
	if drag > 0 {
		thrust = math.Sqrt(weight*weight + drag*drag)
	}
	against := drag * airMPS / thrust
	if climbMPS > 0 {
		against += climbMPS
	}
	hover2 := thrust / (2 * density * r.DiscM2 * tipLoss)
	through := against + pushed(airMPS*airMPS, against, hover2)
	if climbMPS < 0 {
		through = max(through+givenBack*climbMPS, 0)
	}
	// Lift: thrust = density/2 × blades × slope × (pitch/3 tip² + pitch/2 speed² - through/2 tip).
	lift := 2 * thrust / (density * r.BladeM2 * r.LiftSlope)
	half := through / 2
	third := r.PitchRad / 3
	root := half*half + 4*third*(lift-r.PitchRad/2*airMPS*airMPS)
	tip := (half + math.Sqrt(max(root, 0))) / (2 * third)
	blades := density / 8 * r.BladeM2 * r.DragCoefficient * tip * (tip*tip + 3*airMPS*airMPS)
	return thrust*through + blades
}

// pushed is the speed that rotors give the air: their thrust over the air that
// comes by, which they push faster the less of it there is. Two steps of the secant
// kind from the speed alone come within 1 % of it.
func pushed(speed2, against, hover2 float64) float64 {
	v := hover2 / math.Sqrt(speed2+hover2)
	for range 2 {
		by2 := speed2 + (against+v)*(against+v)
		by := math.Sqrt(by2)
		// The slope of v×by is by + v(against+v)/by.
		v -= (v*by - hover2) * by / (by2 + v*(against+v))
	}
	return v
}

// lostShare is how much more than it gives the battery loses: in its own
// resistance, by the current at a charge of 0 to 1, and in the cold.
func (b *Body) lostShare(watts, charge float64) float64 {
	share := 1.0
	if p := &b.Figures.Pack; p.Ohms > 0 && watts > 0 {
		volts := p.EmptyV + (p.FullV-p.EmptyV)*charge
		// The current makes the voltage sag, and so grows itself: once is enough.
		sag := p.Ohms * watts / (volts * volts)
		share += sag * (1 + 2*sag)
	}
	if b.Air.Cold > 0 && watts > 0 {
		share /= 1 - b.Air.Cold
	}
	return share
}

// VoltageV is what the battery shows while it gives a power; 0 for one of which
// only the energy is known.
func (b *Body) VoltageV(watts float64) float64 {
	p := &b.Figures.Pack
	volts := p.EmptyV + (p.FullV-p.EmptyV)*b.BatteryRatio()
	if p.Ohms == 0 || volts == 0 {
		return volts
	}
	// volts² - 4 × resistance × power below 0 is more than it can give at all.
	return (volts + math.Sqrt(max(volts*volts-4*p.Ohms*watts, 0))) / 2
}

// drain takes a power from the battery for a time; one below 0 charges it.
func (b *Body) drain(watts, seconds float64) {
	if b.Figures.Pack.Ohms > 0 || b.Air.Cold > 0 {
		watts *= b.lostShare(watts, b.BatteryRatio())
	}
	b.EnergyWh -= watts * seconds / 3600
}

// foreseen is what a power takes from the battery, as it is reckoned beforehand:
// half full.
func (b *Body) foreseen(watts float64) float64 { return watts * b.lostShare(watts, 0.5) }

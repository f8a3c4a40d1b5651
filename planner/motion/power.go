package motion

import "math"

// The constants of the power model. They are the same for all airframes; what
// differs between them is in Airframe.
const (
	// gravity is in m/s².
	gravity = 9.80665
	// inducedFactor is by how much real rotors need more than the ideal power to
	// push air down: uneven inflow and tip losses (J. G. Leishman, Principles of
	// Helicopter Aerodynamics, 2nd edition 2006, section 2.14).
	inducedFactor = 1.15
	// solidity is the part of a rotor's disc that its blades cover, bladeLift and
	// bladeDrag their mean coefficients: usual values of small propellers with two
	// blades. Together they say how fast the tips turn for a thrust.
	solidity, bladeLift, bladeDrag = 0.10, 0.6, 0.02
	// bladeAdvance is how profile power grows with the square of the advance
	// ratio (Leishman, section 5.4).
	bladeAdvance = 4.65
	// SeaLevelKgM3 is the density of air at sea level and 15 °C.
	SeaLevelKgM3 = 1.225
	// UsableShare is the part of a pack's published energy that flight takes
	// before the pack counts as empty. It is the same for all airframes.
	UsableShare = 0.9
)

// Airframe is what the power of a multirotor follows from, by momentum theory.
// The zero value stands for a vehicle of which only constant powers are known.
type Airframe struct {
	// Name is the file's that it came from.
	Name string `json:"name"`
	// MassKg is with battery and without load, DiscM2 the area that all rotors
	// sweep together, DragM2 the drag area of the body.
	MassKg float64 `json:"mass_kg"`
	DiscM2 float64 `json:"disc_m2"`
	DragM2 float64 `json:"drag_m2"`
	// DriveRatio is the part of the battery's power that reaches the rotors: the
	// constant calibrated from the published endurance.
	DriveRatio float64 `json:"drive_ratio"`
	// AvionicsW is drawn whatever the rotors do.
	AvionicsW float64 `json:"avionics_w,omitempty"`
}

// AirDensity is the density of dry air in kg/m³ at an altitude in metres above
// mean sea level, by the standard atmosphere's pressure and a temperature in °C.
// Altitudes are cut to -500 to 11,000 m, temperatures to -60 to 60 °C.
func AirDensity(altitudeM, celsius float64) float64 {
	altitudeM, celsius = min(max(altitudeM, -500), 11_000), min(max(celsius, -60), 60)
	pressurePa := 101_325 * math.Pow(1-2.25577e-5*altitudeM, 5.25588)
	return pressurePa / (287.05 * (celsius + 273.15))
}

// rotor is an airframe with a load in air of some density, made ready to be asked
// for its power many times.
type rotor struct {
	weightN float64
	// perN makes half the square of the hover's inflow of a thrust, dragN the drag
	// of the square of a speed.
	perN, dragN float64
	// profileW is the blades' power in the hover, advance how it grows with the
	// square of the speed.
	profileW, advance   float64
	perDrive, avionicsW float64
}

// rotorOf prepares an airframe. A density of 0 is that of the sea level.
func (a *Airframe) rotorOf(loadKg, airKgM3 float64) rotor {
	if airKgM3 == 0 {
		airKgM3 = SeaLevelKgM3
	}
	weight, disc := (a.MassKg+loadKg)*gravity, airKgM3*a.DiscM2
	// Thrust is density × disc × tip speed² × solidity × lift / 6, profile power
	// density × disc × tip speed³ × solidity × drag / 8.
	tip2 := 6 * weight / (disc * solidity * bladeLift)
	return rotor{
		weightN: weight, perN: 1 / (2 * disc), dragN: airKgM3 * a.DragM2 / 2,
		profileW: weight * math.Sqrt(tip2) * (0.75 * bladeDrag / bladeLift), advance: bladeAdvance / tip2,
		perDrive: 1 / a.DriveRatio, avionicsW: a.AvionicsW,
	}
}

// powerW is what the battery gives at a speed through the air and a rate of climb,
// below 0 for a descent.
func (r *rotor) powerW(airMPS, climbMPS float64) float64 {
	v2 := airMPS * airMPS
	drag := r.dragN * v2
	thrust := r.weightN
	if drag > 0 {
		thrust = math.Sqrt(thrust*thrust + drag*drag)
	}
	hover2 := thrust * r.perN
	inflow := math.Sqrt(glauert(v2, hover2))
	shaft := drag*airMPS + r.profileW*(1+r.advance*v2)
	switch {
	case climbMPS > 0:
		shaft += thrust * (climbMPS + inducedFactor*climbing(inflow, v2, hover2, climbMPS))
	case climbMPS < 0:
		shaft += thrust * (inducedFactor*inflow + sinking(v2, hover2, climbMPS))
	default:
		shaft += thrust * inducedFactor * inflow
	}
	return max(shaft, 0)*r.perDrive + r.avionicsW
}

// glauert is the square of the air's speed down through the rotors in level
// flight (H. Glauert, A General Theory of the Autogyro, 1926), given the squares
// of the speed and of the hover's inflow.
func glauert(v2, hover2 float64) float64 {
	half := v2 / 2
	return math.Sqrt(half*half+hover2*hover2) - half
}

// climbing is the inflow of a climb: the root of v²(V² + (c+v)²) = vₕ⁴, by
// Newton's method from the level inflow, which lies above it; the function is
// convex there, so that each step stays above and the fourth is within 0.1 %.
func climbing(level, v2, hover2, climb float64) float64 {
	v := level
	for range 4 {
		through := climb + v
		f := v*v*(v2+through*through) - hover2*hover2
		v -= f / (2*v*(v2+through*through) + 2*v*v*through)
	}
	return v
}

// sinking is what a descent adds to the power for each newton of thrust, below 0.
// Straight down, in the air that the rotors have just pushed down, momentum theory
// fails, and a curve measured in wind tunnels says how much is saved (Leishman,
// section 2.13, to twice the hover's inflow); with speed, the height lost is
// gained.
func sinking(v2, hover2, climb float64) float64 {
	hover := math.Sqrt(hover2)
	x := max(climb/hover, -2)
	column := hover * (x - x*(1.125+x*(1.372+x*(1.718+x*0.655))))
	still := hover2 / (hover2 + v2)
	return still*min(column, 0) + (1-still)*max(climb, -hover)
}

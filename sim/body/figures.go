package body

import "github.com/kapok-fleet/kapok/protocol"

// Figures are what one vehicle's hardware can do. Powers are what the battery
// gives; they are added up from parts that physics suggests rather than from
// the planner's phases.
type Figures struct {
	Kind protocol.Kind
	// MaxMPS bounds the ground speed, of aircraft that through the air, ClimbMPS and
	// DescentMPS the vertical one; zero climb and descent mean that the vehicle stays
	// on the surface.
	MaxMPS, ClimbMPS, DescentMPS float64
	BatteryWh                    float64
	// MassKg is without load.
	MassKg float64
	// IdleW is always drawn: computers, radios, sensors.
	IdleW float64
	// Rotors keep an aircraft up; the zero value is a vehicle that does not fly.
	Rotors Rotors
	// Pack gives the losses in the battery.
	Pack Pack
	// RollWPerKgMPS is the power of rolling or drag for each kilogram and metre
	// per second; DragWPerMPS3 that of the fluid's drag. Aircraft have neither.
	RollWPerKgMPS, DragWPerMPS3 float64
	// WorkW is added while working at a stop.
	WorkW float64
	// ChargeW goes into the battery at a charger.
	ChargeW   float64
	MaxLoadKg float64
}

// FiguresOf returns the hardware that vehicles of the kind have here; false for
// a kind that is not simulated.
//
//   - multirotor: 13 kg on four rotors of 0.33 m with a pitch of 12°, about 1.75 kW
//     in the hover, 1600 Wh in twelve cells in a row.
//   - rover: 45 kg on wheels, rolling resistance 4 %, motors 60 % efficient.
//   - vessel: a displacement launch of 900 kg, drag by the cube of speed.
func FiguresOf(kind protocol.Kind) (Figures, bool) {
	switch kind {
	case protocol.Multirotor:
		return Figures{
			Kind: protocol.Multirotor, MaxMPS: 20, ClimbMPS: 4.5, DescentMPS: 3.5,
			BatteryWh: 1600, MassKg: 13, IdleW: 25,
			Rotors: Rotors{
				DiscM2: 1.37, BladeM2: 0.123, PitchRad: 0.21, LiftSlope: 5.7, DragCoefficient: 0.018,
				BodyM2: 0.23, DriveRatio: 0.645,
			},
			Pack:  Pack{FullV: 50.2, EmptyV: 42, Ohms: 0.025},
			WorkW: 30, ChargeW: 1750, MaxLoadKg: 5,
		}, true
	case protocol.Rover:
		return Figures{
			Kind: protocol.Rover, MaxMPS: 3,
			BatteryWh: 1200, MassKg: 45, IdleW: 30, RollWPerKgMPS: 0.65, DragWPerMPS3: 0.5,
			WorkW: 10, ChargeW: 580, MaxLoadKg: 30,
		}, true
	case protocol.Vessel:
		return Figures{
			Kind: protocol.Vessel, MaxMPS: 6,
			BatteryWh: 8000, MassKg: 900, IdleW: 60, DragWPerMPS3: 24,
			WorkW: 150, ChargeW: 2900, MaxLoadKg: 150,
		}, true
	case protocol.VTOL:
	}
	return Figures{}, false
}

// FiguresOfModel returns the hardware of a model that differs from what FiguresOf
// has for its kind, and that for all others; false for a kind that is not
// simulated.
//
//   - kapok-van: a driverless delivery van of 1150 kg on roads, rolling resistance
//     1.2 %, 1.2 m² of drag area, motors 85 % efficient.
func FiguresOfModel(kind protocol.Kind, model string) (Figures, bool) {
	if kind == protocol.Rover && model == "kapok-van" {
		return Figures{
			Kind: protocol.Rover, MaxMPS: 11,
			BatteryWh: 31000, MassKg: 1150, IdleW: 900, RollWPerKgMPS: 0.14, DragWPerMPS3: 0.85,
			WorkW: 100, ChargeW: 6500, MaxLoadKg: 190,
		}, true
	}
	return FiguresOf(kind)
}

// airborne tells whether the vehicle needs power to stay where it is.
func (f *Figures) airborne() bool { return f.Rotors.DiscM2 > 0 }

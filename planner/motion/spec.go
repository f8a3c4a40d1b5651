// Package motion says what a kind of vehicle can do and what that costs in
// time and energy. All figures are SI; energy is in watt hours.
//
// A Spec is a table of figures, a Cost what a way or a piece of work takes by it.
// What multirotors take follows from their Airframe by momentum theory; an
// AirframeFile says where each of its figures comes from.
// The planner trusts these figures and nothing else; the simulator's
// bodies have figures of their own, so that an error here shows there.
package motion

// Kind is what sort of vehicle it is.
type Kind string

// The kinds of vehicle.
const (
	Rover      Kind = "rover"
	Multirotor Kind = "multirotor"
	VTOL       Kind = "vtol"
	Vessel     Kind = "vessel"
)

// Airborne tells whether vehicles of the kind fly.
func (k Kind) Airborne() bool { return k == Multirotor || k == VTOL }

// Spec is one vehicle's performance. The zero value is not usable.
type Spec struct {
	Kind Kind `json:"kind"`
	// Road is for rovers: it drives on roads, as cars do; false where people walk.
	Road bool `json:"road,omitempty"`
	// CruiseMPS is the planned ground speed, MaxMPS the greatest that the
	// vehicle can reach and what lower bounds of travel time are built on.
	CruiseMPS  float64 `json:"cruise_mps"`
	MaxMPS     float64 `json:"max_mps"`
	ClimbMPS   float64 `json:"climb_mps,omitempty"`
	DescentMPS float64 `json:"descent_mps,omitempty"`
	BatteryWh  float64 `json:"battery_wh"`
	// CruiseW, ClimbW and WorkW are the power drawn while travelling level,
	// while climbing or descending, and while working at a stop (a hover for aircraft).
	CruiseW float64 `json:"cruise_w"`
	ClimbW  float64 `json:"climb_w,omitempty"`
	WorkW   float64 `json:"work_w"`
	// LoadWPerKg is added to each of them for each kilogram carried.
	LoadWPerKg float64 `json:"load_w_per_kg,omitempty"`
	// ChargeW is the power into the battery at a charger.
	ChargeW   float64 `json:"charge_w"`
	MaxLoadKg float64 `json:"max_load_kg,omitempty"`
	// ReserveRatio is the part of the battery that no plan may touch.
	ReserveRatio float64 `json:"reserve_ratio"`
	// Airframe, when it is set, says what flight takes by momentum theory, and the
	// four powers above are only examples of it: in cruise, in the climb, in the
	// hover, and for a kilogram in cruise. The zero value has them for constants.
	Airframe Airframe `json:"airframe,omitzero"`
	// AirKgM3 is the density of the air where it flies, 0 for that of the sea
	// level; it counts with an airframe alone.
	AirKgM3 float64 `json:"air_kg_m3,omitempty"`
}

// Cost is what a way or a piece of work takes.
type Cost struct {
	Seconds  float64
	EnergyWh float64
}

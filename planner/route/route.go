// Package route finds one vehicle's way across a World: along the ground graph
// for rovers, through lawful air around zones and buildings and over the terrain
// for aircraft, over open water for vessels.
//
// A Planner is made for a World, the map and what is laid over it, and answers
// queries: with a Route that says what it takes in time and energy, or with a
// *Refusal that names the rule, the object and the place that stand in the way. A
// search is bounded by counted expansions, so the same question always has the
// same answer.
package route

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
)

// World is what a route is planned across: the chart and what is laid over it
// at present.
type World struct {
	Chart *chart.Chart
	// Zones are live zones, on top of the chart's own.
	Zones []chart.Zone
	// Suspended names zones of the chart that do not apply.
	Suspended map[string]bool
	// Wind is the same everywhere and at all times; the zero value is still air.
	// It concerns aircraft.
	Wind motion.Wind
	// Closed are the ways of OpenStreetMap that rovers may not enter at present.
	Closed map[int64]bool
}

// Query asks for a way.
type Query struct {
	From, To space.Position
	Spec     motion.Spec
	LoadKg   float64
	// Depart is when the vehicle leaves; zones are tested at the time of passing.
	// It must be a time that fits nanoseconds since 1970, years 1678 to 2262.
	Depart time.Time
	// Objective is what the way is to take least of.
	Objective Objective
	// MaxExpansions bounds the search, 0 for no bound.
	MaxExpansions int
}

// Route is a way with what it takes. Path starts at Query.From and ends at
// Query.To; altitudes are set for every kind of vehicle.
type Route struct {
	Path []space.Position
	// SpeedsMPS has the planned ground speed of each segment of Path, one less
	// than it has points, all above 0: the cruise speed, or what arcs and zones
	// allow. Cost is what the segments take at these speeds; a column takes its
	// height alone, whatever the speed.
	SpeedsMPS  []float64
	LengthM    float64
	Cost       motion.Cost
	Expansions int
}

// Rule names why there is no route.
type Rule string

// The reasons for a refusal.
const (
	// NoWay: the network or the air between obstacles does not connect the two;
	// Object, where one is known, is a zone or closed way that is against it.
	NoWay Rule = "no_way"
	// OffNetwork: a place is further from the ground graph than SnapLimitM.
	OffNetwork Rule = "off_network"
	// InsideZone: a place lies in a zone that forbids it.
	InsideZone Rule = "inside_zone"
	// InsideBuilding: the place or its column lies in a building.
	InsideBuilding Rule = "inside_building"
	// OutsideChart: a place lies beyond the chart's extent.
	OutsideChart Rule = "outside_chart"
	// OffWater: a vessel's place is on no water, or, with the Object the start's
	// water, on another.
	OffWater Rule = "off_water"
	// AboveLimit: an aircraft's goal is higher above the ground, by Number, than
	// the chart's limit of height less LimitMarginM, which is Limit.
	AboveLimit Rule = "above_limit"
	// OverWater: an aircraft would come down on water, or hover there lower than
	// OverWaterM; Number is its height above the water, Limit OverWaterM, Object
	// the water. Find does not refuse this, CanStop does.
	OverWater Rule = "over_water"
	// WayClosed: a rover's goal lies on a way that is closed; Object names it as
	// "way/ID".
	WayClosed Rule = "way_closed"
	// TooWindy: the wind, Number, is more than the aircraft can fly against,
	// Limit, both in metres a second.
	TooWindy Rule = "too_windy"
	// Budget: MaxExpansions ran out; asking again with more may find a way.
	Budget Rule = "budget"
)

// Refusal is the error for a question that has no answer: the rule that binds,
// its number and limit where it has them, and what it binds to.
type Refusal struct {
	Rule   Rule
	Number float64
	// Limit is what Number was held against, in the same unit, 0 for nothing.
	Limit float64
	// At is the place concerned; Object names the zone or building.
	At     space.Position
	Object string
}

func (r *Refusal) Error() string {
	s := fmt.Sprintf("route: %s at %.6f,%.6f", r.Rule, r.At.Lon, r.At.Lat)
	if r.Object != "" {
		s += " (" + r.Object + ")"
	}
	unit := r.Rule.unit()
	switch {
	case r.Rule == Budget:
		s += fmt.Sprintf(": %.0f %s", r.Number, unit)
	case r.Number != 0 || r.Limit != 0:
		s += fmt.Sprintf(": %.1f %s", r.Number, unit)
	}
	if r.Limit != 0 {
		s += fmt.Sprintf(" against a limit of %.1f %s", r.Limit, unit)
	}
	return s
}

// unit is what a refusal's Number and Limit are counted in.
func (r Rule) unit() string {
	switch r {
	case TooWindy:
		return "m/s"
	case Budget:
		return "expansions"
	default:
		return "m"
	}
}

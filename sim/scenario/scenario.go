// Package scenario reads what is to be simulated: a chart, fleets, orders, the
// troubles of links and machines, and what must hold in the end. It also places
// fleets and the ends of deliveries on any chart.
//
// A scenario is a YAML file; docs/scenarios.md describes it and schema.json is
// its JSON Schema. Unknown keys are refused, and every error names the file,
// the line and the column.
package scenario

import (
	"errors"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/strictyaml"
	"github.com/kapok-fleet/kapok/protocol"
)

// Scenario is what is to be simulated.
type Scenario struct {
	Name string `yaml:"name"`
	// Seed is for everything that is drawn: same seed, same run.
	Seed uint64 `yaml:"seed,omitempty"`
	// Start is the simulated time at the beginning; DefaultStart when absent.
	Start time.Time `yaml:"start,omitempty"`
	// Proves is a paragraph for people: what the scenario shows.
	Proves string `yaml:"proves,omitempty"`
	// Realtime says that the scenario may be run against a running backend, with
	// --connect.
	Realtime bool `yaml:"realtime,omitempty"`
	// Duration is how long is simulated, at most MaxDuration.
	Duration Duration `yaml:"duration"`
	// Chart is "harbour" for the embedded one, "generated:SEED" or
	// "generated:SEED,2km" for a city made up from a seed, or a .chart, .osm or
	// .osm.pbf file: relative to the scenario, or "data:PATH" under the data folder.
	Chart string `yaml:"chart"`
	// Terrain are .hgt or .hgt.zip files that an OpenStreetMap chart gets its
	// ground from, named like Chart.
	Terrain   []string  `yaml:"terrain,omitempty"`
	Fleets    []Fleet   `yaml:"fleets"`
	Orders    Orders    `yaml:"orders,omitempty"`
	Incidents Incidents `yaml:"incidents,omitempty"`
	// Zones appear, and go, at their times.
	Zones []TimedZone `yaml:"zones,omitempty"`
	// Actions are what people do at times.
	Actions []Action `yaml:"actions,omitempty"`
	Network Network  `yaml:"network,omitempty"`
	// Crashes are of the backend; Faults of vehicles, of the backend's disk and
	// planner, and of dispatchers.
	Crashes Crashes `yaml:"crashes,omitempty"`
	Faults  []Fault `yaml:"faults,omitempty"`
	// Demand are orders and incidents drawn from places, hours and records of real
	// ones.
	Demand []Demand `yaml:"demand,omitempty"`
	// Conditions are the weather and the streets that are closed.
	Conditions Conditions `yaml:"conditions,omitempty"`
	// Person decides what only a person can.
	Person Person `yaml:"person,omitempty"`
	// Fleet changes settings of the backend.
	Fleet Settings `yaml:"fleet,omitempty"`
	// Compare names another rule of dispatch, "nearest_idle": the same scenario is
	// run by it too, and its figures stand beside as baseline_….
	Compare string `yaml:"compare,omitempty"`
	// Settle is how long the run goes on, at most, after Duration, without new
	// demand and faults, until all work is finished; 0 for not at all. Work that is
	// not finished then is a violation of liveness.
	Settle Duration `yaml:"settle,omitempty"`
	// Assert is what must hold; see ParseAssertion.
	Assert []string `yaml:"assert,omitempty"`
	// Thresholds bound the distribution of a metric, by its name with optional
	// selectors: {"response_s{priority=emergency}": ["p(90)<180"]}; see
	// ParseThreshold.
	Thresholds map[string][]string `yaml:"thresholds,omitempty"`
	// Matrix runs the scenario once for each combination of the values of keys,
	// named by their paths: {seed: [1, 2], "network.loss": [0, 0.05]}.
	Matrix map[string][]any `yaml:"matrix,omitempty"`

	// file and data are what it was read from, virtualOnly the path of what exists
	// in virtual time only, and why.
	file        string
	data        []byte
	virtualOnly [2]string
}

// The limits of a scenario; a file beyond one of them is refused.
const (
	MaxDuration  = 7 * 24 * time.Hour
	MaxVehicles  = 10_000
	MaxOrders    = 100_000
	MaxIncidents = 10_000
	MaxZones     = 1000
	MaxTroubles  = 10_000
	MaxFileBytes = 1 << 20
)

// DefaultStart is when a scenario without a start begins.
func DefaultStart() time.Time { return time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC) }

// Fleet is a number of vehicles of one kind and model.
type Fleet struct {
	Kind  string `yaml:"kind"`
	Model string `yaml:"model,omitempty"`
	Count int    `yaml:"count"`
	// Prefix begins the vehicles' ids, which end in their number: R1, R2, ….
	Prefix       string   `yaml:"prefix"`
	Capabilities []string `yaml:"capabilities,omitempty"`
	// Homes are kinds or ids of sites, or ids of places: the vehicles are spread
	// over them. Absent, the placing rule chooses.
	Homes     []string `yaml:"homes,omitempty"`
	MaxLoadKg float64  `yaml:"max_load_kg,omitempty"`
	MaxLegs   int      `yaml:"max_legs,omitempty"`
	// BatteryRatio is the range that the charge at the start is drawn from;
	// 0.7 to 1 when absent.
	BatteryRatio []float64 `yaml:"battery_ratio,omitempty"`
	// ClockErrorMS is the greatest error of the vehicles' clocks, either way.
	ClockErrorMS int `yaml:"clock_error_ms,omitempty"`
	// LostLink is what the vehicles do of their own accord when nothing has come from
	// Kapok for LostLinkAfter: one of LostLinks; "continue" when absent, after 30 s.
	LostLink      string   `yaml:"lost_link,omitempty"`
	LostLinkAfter Duration `yaml:"lost_link_after,omitempty"`
}

// Orders are what dispatchers ask for.
type Orders struct {
	Timed  []TimedOrder `yaml:"timed,omitempty"`
	Stream []Stream     `yaml:"stream,omitempty"`
}

// TimedOrder is one order at a time.
type TimedOrder struct {
	// Name is for assertions.
	Name     string   `yaml:"name,omitempty"`
	At       Duration `yaml:"at"`
	Kind     string   `yaml:"kind"`
	Priority string   `yaml:"priority,omitempty"`
	Rank     int      `yaml:"rank,omitempty"`
	// Stops are endpoints: the id of a site or place, "@N" for the N-th endpoint
	// of the placing rule, or "lon,lat". Absent, they are drawn from Between:
	// "endpoints" (also when absent) or "places".
	Stops        []string  `yaml:"stops,omitempty"`
	Between      string    `yaml:"between,omitempty"`
	LoadKg       float64   `yaml:"load_kg,omitempty"`
	WorkS        float64   `yaml:"work_s,omitempty"`
	Laps         int       `yaml:"laps,omitempty"`
	VehicleKinds []string  `yaml:"vehicle_kinds,omitempty"`
	Capabilities []string  `yaml:"capabilities,omitempty"`
	CancelAfter  *Duration `yaml:"cancel_after,omitempty"`
	// Every repeats it each time after so long, Times times in all (any when 0), until
	// Until; Parse replaces it by its repetitions.
	Every Duration `yaml:"every,omitempty"`
	Times int      `yaml:"times,omitempty"`
	Until Duration `yaml:"until,omitempty"`
}

// Stream is orders at random times. Exactly one of PerMinute and Count is given.
type Stream struct {
	// PerMinute makes it a Poisson process; Count gives just so many orders, at
	// times drawn evenly.
	PerMinute float64 `yaml:"per_minute,omitempty"`
	Count     int     `yaml:"count,omitempty"`
	// From and Until bound it; until the end of the run when absent.
	From  Duration `yaml:"from,omitempty"`
	Until Duration `yaml:"until,omitempty"`
	// Mix and Priorities are shares by kind and priority, of any sum; deliveries
	// of routine priority when absent.
	Mix        map[string]float64 `yaml:"mix,omitempty"`
	Priorities map[string]float64 `yaml:"priorities,omitempty"`
	// LoadKg is the range that a delivery's load is drawn from; 0.5 to 3 when
	// absent. WorkS is the work at each stop; 20 s when absent.
	LoadKg       []float64 `yaml:"load_kg,omitempty"`
	WorkS        float64   `yaml:"work_s,omitempty"`
	VehicleKinds []string  `yaml:"vehicle_kinds,omitempty"`
	// MaxDistanceM is how far apart the stops of a delivery may be; any when 0.
	MaxDistanceM float64 `yaml:"max_distance_m,omitempty"`
	// Between is what the stops are drawn from: "endpoints" of the placing rule
	// (also when absent), or "places", the chart's addresses and shops alone, which
	// orders then name.
	Between string `yaml:"between,omitempty"`
}

// Person is who looks at a vehicle when Kapok asks what only a person can know.
type Person struct {
	// After is how long the person takes; 30 s when absent.
	After Duration `yaml:"after,omitempty"`
	// Away says that nobody answers.
	Away bool `yaml:"away,omitempty"`
}

// Settings change the backend's own where they are not zero.
type Settings struct {
	TelemetryInterval Duration `yaml:"telemetry_interval,omitempty"`
	TaskAuthority     Duration `yaml:"task_authority,omitempty"`
	// CommitMS is the range that the time of a commit is drawn from; 1 to 15
	// when absent. PlanMS is that of a background answer; 50 to 500.
	CommitMS []float64 `yaml:"commit_ms,omitempty"`
	PlanMS   []float64 `yaml:"plan_ms,omitempty"`
}

// Duration is a time span, written as Go writes it: "90s", "10m", "1h30m".
type Duration time.Duration

// D returns it as a time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the span as it is written.
func (d Duration) String() string { return time.Duration(d).String() }

// UnmarshalYAML reads a span; a negative one is refused.
func (d *Duration) UnmarshalYAML(unmarshal func(any) error) error {
	var text string
	if err := unmarshal(&text); err != nil {
		return err
	}
	problem := ""
	v, err := time.ParseDuration(text)
	switch {
	case err != nil:
		problem = fmt.Sprintf("%q is not a time span such as 90s or 10m", text)
	case v < 0:
		problem = fmt.Sprintf("%q is negative; times count from the start of the run", text)
	default:
		*d = Duration(v)
		return nil
	}
	var at strictyaml.Spot
	if err := unmarshal(&at); err != nil {
		return errors.New(problem)
	}
	return at.Wrong(problem)
}

// MarshalYAML writes the span.
func (d Duration) MarshalYAML() (any, error) { return d.String(), nil }

// VehicleID is the id of a fleet's vehicle, counted from 1.
func (f *Fleet) VehicleID(n int) string { return fmt.Sprintf("%s%d", f.Prefix, n) }

// ProtocolKind is the fleet's kind in the words of package protocol.
func (f *Fleet) ProtocolKind() protocol.Kind { return protocol.Kind(f.Kind) }

// Groups is what Place needs to know of the fleets.
func (s *Scenario) Groups() []Group {
	groups := make([]Group, len(s.Fleets))
	for i := range s.Fleets {
		groups[i] = Group{Kind: s.Fleets[i].ProtocolKind(), Count: s.Fleets[i].Count, Homes: s.Fleets[i].Homes}
	}
	return groups
}

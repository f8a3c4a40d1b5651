package scenario

import "time"

// What happens in the city, and what people do about it.

// Incidents are what is reported.
type Incidents struct {
	Timed  []TimedIncident  `yaml:"timed,omitempty"`
	Stream []IncidentStream `yaml:"stream,omitempty"`
}

// TimedIncident is one incident at a time.
type TimedIncident struct {
	// Name is for reading.
	Name string   `yaml:"name,omitempty"`
	At   Duration `yaml:"at"`
	Kind string   `yaml:"kind"`
	// Where is the id of a site or place, "@N" for the N-th endpoint of the
	// placing rule, or "lon,lat". Absent, it is drawn from Between, as stops are.
	Where    string  `yaml:"where,omitempty"`
	Between  string  `yaml:"between,omitempty"`
	Severity string  `yaml:"severity,omitempty"`
	Drill    bool    `yaml:"drill,omitempty"`
	RadiusM  float64 `yaml:"radius_m,omitempty"`
	// CloseAfter closes it this long after its report; it stays open when absent.
	CloseAfter Duration `yaml:"close_after,omitempty"`
	// Every repeats it each time after so long, Times times in all (any when 0), until
	// Until; Parse replaces it by its repetitions.
	Every Duration `yaml:"every,omitempty"`
	Times int      `yaml:"times,omitempty"`
	Until Duration `yaml:"until,omitempty"`
}

// IncidentStream is incidents at random times. Exactly one of PerMinute and
// Count is given.
type IncidentStream struct {
	PerMinute float64 `yaml:"per_minute,omitempty"`
	Count     int     `yaml:"count,omitempty"`
	// From and Until bound it; until the end of the run when absent.
	From  Duration `yaml:"from,omitempty"`
	Until Duration `yaml:"until,omitempty"`
	// Kinds and Severities are shares, of any sum; serious ones when absent.
	Kinds      map[string]float64 `yaml:"kinds"`
	Severities map[string]float64 `yaml:"severities,omitempty"`
	// Between is what places are drawn from, as in Stream.
	Between string `yaml:"between,omitempty"`
	Drill   bool   `yaml:"drill,omitempty"`
	// CloseAfter closes each this long after its report.
	CloseAfter Duration `yaml:"close_after,omitempty"`
}

// TimedZone is a zone that a person makes at a time. Exactly one of Polygon,
// Circle and Across says where it is.
type TimedZone struct {
	// Name is the zone's, and what actions call it by.
	Name string   `yaml:"name"`
	At   Duration `yaml:"at"`
	// For is how long it is in force; to the end when absent.
	For  Duration `yaml:"for,omitempty"`
	Rule string   `yaml:"rule"`
	// Polygon is the outer ring, of [lon, lat].
	Polygon [][2]float64 `yaml:"polygon,omitempty"`
	Circle  *Circle      `yaml:"circle,omitempty"`
	Across  *Across      `yaml:"across,omitempty"`
	// FloorM and CeilingM are metres above mean sea level; none when absent.
	FloorM        float64 `yaml:"floor_m,omitempty"`
	CeilingM      float64 `yaml:"ceiling_m,omitempty"`
	HeightLimitM  float64 `yaml:"height_limit_m,omitempty"`
	SpeedLimitMPS float64 `yaml:"speed_limit_mps,omitempty"`
	// Airborne and Ground say whom it binds; both when neither is set.
	Airborne bool `yaml:"airborne,omitempty"`
	Ground   bool `yaml:"ground,omitempty"`
	// Every repeats it each time after so long, Times times in all (any when 0), until
	// Until; Parse replaces it by its repetitions.
	Every Duration `yaml:"every,omitempty"`
	Times int      `yaml:"times,omitempty"`
	Until Duration `yaml:"until,omitempty"`
}

// Circle is a zone round a place.
type Circle struct {
	// At is a site, place, "@N" or "lon,lat", as a stop is.
	At      string  `yaml:"at"`
	RadiusM float64 `yaml:"radius_m"`
}

// Across is a rectangle that is laid, at its time, so that it is crossed by the
// ways ahead of flying drones, some of which are inside. When no rectangle fits
// it is tried again each second, for AcrossPatience at most.
type Across struct {
	// Routes is how many flying drones have it on their way or are inside, at
	// least; Inside is how many of these are inside.
	Routes int `yaml:"routes"`
	Inside int `yaml:"inside,omitempty"`
}

// AcrossPatience is how long after its time an Across may still be laid.
const AcrossPatience = 5 * time.Minute

// The words that say what places are drawn from: all endpoints of the placing
// rule, or the chart's addresses and shops alone.
const (
	BetweenEndpoints = "endpoints"
	BetweenPlaces    = "places"
)

// NearestIdle is the rule of dispatch that Compare knows.
const NearestIdle = "nearest_idle"

// Action is something that a person does at a time.
type Action struct {
	At Duration `yaml:"at"`
	// Do is one of Actions.
	Do string `yaml:"do"`
	// Vehicle and Zone are whom it is about; a zone by its name in this file, or
	// by the id of one of the chart.
	Vehicle string `yaml:"vehicle,omitempty"`
	Zone    string `yaml:"zone,omitempty"`
	// Every repeats it each time after so long, Times times in all (any when 0), until
	// Until; Parse replaces it by its repetitions.
	Every Duration `yaml:"every,omitempty"`
	Times int      `yaml:"times,omitempty"`
	Until Duration `yaml:"until,omitempty"`
}

// The actions.
const (
	TakeOver      = "take_over"
	HandBack      = "hand_back"
	OutOfService  = "out_of_service"
	InService     = "in_service"
	EmergencyStop = "emergency_stop"
	// Release ends an emergency stop and lets the vehicles go on.
	Release     = "release"
	SuspendZone = "suspend_zone"
	RestoreZone = "restore_zone"
	RemoveZone  = "remove_zone"
)

// actions lists what can be done to a vehicle, to the fleet and to a zone.
func actions() (vehicle, fleet, zone []string) {
	return []string{TakeOver, HandBack, OutOfService, InService}, []string{EmergencyStop, Release},
		[]string{SuspendZone, RestoreZone, RemoveZone}
}

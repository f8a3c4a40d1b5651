package scenario

import "github.com/kapok-fleet/kapok/sim/fault"

// Network is what lies between vehicles and backend. Messages travel over TCP
// unless Duplicate, Reorder or Drop say that a bridge lies in between.
type Network struct {
	// LatencyMS is the range that the way of each frame is drawn from; 20 to 120
	// when absent. JitterMS is the mean of what is added to it, drawn from an
	// exponential distribution.
	LatencyMS []float64 `yaml:"latency_ms,omitempty"`
	JitterMS  float64   `yaml:"jitter_ms,omitempty"`
	// Loss is the share of packets lost: a frame that lost one comes later by the
	// retransmission timeout, which doubles, and those behind it wait.
	Loss float64 `yaml:"loss,omitempty"`
	// Duplicate and Reorder are the shares of messages that a bridge delivers
	// twice, or after the next one.
	Duplicate float64 `yaml:"duplicate,omitempty"`
	Reorder   float64 `yaml:"reorder,omitempty"`
	// BandwidthKbps bounds each direction of each link; unbounded when 0.
	BandwidthKbps float64 `yaml:"bandwidth_kbps,omitempty"`
	// Encoding is cbor (the default) or json.
	Encoding string   `yaml:"encoding,omitempty"`
	Outages  []Outage `yaml:"outages,omitempty"`
	// Random is how many more outages are drawn, of RandomFor each.
	Random    int        `yaml:"random,omitempty"`
	RandomFor []Duration `yaml:"random_for,omitempty"`
	// Storms are times at which the links of all vehicles break at once, so that
	// all connect again together.
	Storms []Duration `yaml:"storms,omitempty"`
}

// Outage is a time without a link: frames are held up, and lost when one end
// gives the connection up. Exactly one of Vehicle and Area says whose.
type Outage struct {
	// Vehicle is an id, "PREFIX*" for a fleet, or "*" for all.
	Vehicle string `yaml:"vehicle,omitempty"`
	// Area: whoever is in it at the time has no link.
	Area *Circle  `yaml:"area,omitempty"`
	At   Duration `yaml:"at"`
	For  Duration `yaml:"for"`
}

// Crashes are sudden ends of the backend, which is started again.
type Crashes struct {
	At []Duration `yaml:"at,omitempty"`
	// Random is how many more are drawn over the run.
	Random int `yaml:"random,omitempty"`
	// Down is the range of how long it stays down; 1 to 5 s when absent.
	Down []Duration `yaml:"down,omitempty"`
}

// Fault is something that goes wrong for a while.
type Fault struct {
	// Kind is one of FaultKinds; "broken" when absent.
	Kind string `yaml:"kind,omitempty"`
	// Vehicle is an id, "PREFIX*" for a fleet, or "*" for all; absent for the
	// faults of the backend and of dispatchers.
	Vehicle string   `yaml:"vehicle,omitempty"`
	At      Duration `yaml:"at"`
	// For is how long it lasts; faults that happen at once need none.
	For Duration `yaml:"for,omitempty"`
	// Amount is how strong it is, in the unit of its kind.
	Amount float64 `yaml:"amount,omitempty"`
	// Code is what the vehicle reports; LoadLost that its loads are gone (both of
	// broken only).
	Code     string `yaml:"code,omitempty"`
	LoadLost bool   `yaml:"load_lost,omitempty"`
	// Every repeats it each time after so long, Times times in all (any when 0), until
	// Until; Parse replaces it by its repetitions.
	Every Duration `yaml:"every,omitempty"`
	Times int      `yaml:"times,omitempty"`
	Until Duration `yaml:"until,omitempty"`
}

// The kinds of faults, with the unit of Amount.
const (
	// Broken: the vehicle stands still and reports Code.
	Broken = fault.Broken
	// Reboot: it loses its memory, and with Wiped its store too, and is away for
	// For.
	Reboot = "reboot"
	Wiped  = "wiped"
	// ClockJump: its clock jumps by Amount seconds, either way; ClockDrift: it
	// runs fast by Amount parts in a million, slow when negative.
	ClockJump  = fault.ClockJump
	ClockDrift = fault.ClockDrift
	// GNSSNoise: reported positions scatter, with a standard deviation of Amount
	// metres. GNSSBias: it takes itself to be Amount metres east of where it is,
	// and flies accordingly, which builds up at 1 m/s. GNSSLoss: it does not know
	// where it is, holds and reports its last position. GNSSTeleport: reported
	// positions are Amount metres off, at once.
	GNSSNoise    = fault.GNSSNoise
	GNSSBias     = fault.GNSSBias
	GNSSLoss     = fault.GNSSLoss
	GNSSTeleport = fault.GNSSTeleport
	// CellDrop: Amount, a share of the battery's capacity, is gone for good.
	CellDrop = fault.CellDrop
	// DriveFailure: it reaches only the share Amount of its speed, 0 for none.
	DriveFailure = fault.DriveFailure
	// Frozen: it stands still, does nothing, and goes on reporting as if all
	// were well. Liar: it reports that it follows its path while it stands still.
	Frozen = fault.Frozen
	Liar   = fault.Liar
	// Slow: it takes Amount seconds to take notice of each message. Refusing: it
	// refuses every mission. Forgetful: it drops its mission without a word.
	Slow      = fault.Slow
	Refusing  = fault.Refusing
	Forgetful = fault.Forgetful
	// DiskFull, DiskSync: the backend's journal finds the disk full, or its fsync
	// fails. DiskSlow: each fsync takes Amount milliseconds.
	DiskFull = "disk_full"
	DiskSync = "disk_sync"
	DiskSlow = "disk_slow"
	// PlannerLate: background answers take Amount seconds longer.
	PlannerLate = "planner_late"
	// SlowDispatcher: a dispatcher's stream takes in only Amount events a second.
	SlowDispatcher = "slow_dispatcher"
)

// Demand is a source of orders or incidents beyond Orders and Incidents.
// Exactly one of Areas, Loggi and SeattleFire is given.
type Demand struct {
	// Areas are Poisson processes by place and hour.
	Areas []DemandArea `yaml:"areas,omitempty"`
	// Loggi is a file of the Loggi benchmark, named like Chart: its deliveries,
	// in its order, from its hub; its places are laid onto the chart (see
	// docs/scenarios.md). SeattleFire is a file of calls of the Seattle Fire
	// Department: their times, types and numbers of units, at seeded buildings.
	Loggi       string `yaml:"loggi,omitempty"`
	SeattleFire string `yaml:"seattle_fire,omitempty"`
	// Count is how many of the file's entries are taken, from the first; all when
	// 0. Speedup divides the times between them; 1 when absent.
	Count   int     `yaml:"count,omitempty"`
	Speedup float64 `yaml:"speedup,omitempty"`
	// From and Until bound it; the whole run when absent.
	From  Duration `yaml:"from,omitempty"`
	Until Duration `yaml:"until,omitempty"`
	// Parcels and Calls are the content of the file, which Charts.Prepare reads.
	Parcels *Parcels `yaml:"-"`
	Calls   []Call   `yaml:"-"`
}

// DemandArea is a Poisson process of orders that end in an area.
type DemandArea struct {
	// Area is where the last stops are; Pickup, where the first are, as a stop of
	// an order is named, or drawn when absent.
	Area   Circle `yaml:"area"`
	Pickup string `yaml:"pickup,omitempty"`
	// PerHour are the orders an hour of each hour of the day, 24 numbers, or one
	// for all.
	PerHour      []float64 `yaml:"per_hour"`
	Kind         string    `yaml:"kind,omitempty"`
	Priority     string    `yaml:"priority,omitempty"`
	LoadKg       []float64 `yaml:"load_kg,omitempty"`
	VehicleKinds []string  `yaml:"vehicle_kinds,omitempty"`
}

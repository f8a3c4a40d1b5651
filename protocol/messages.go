package protocol

import "time"

// FromVehicle is a message that a vehicle sends.
//
//sumtype:decl
type FromVehicle interface {
	fromVehicle()
	// Validate returns nil, or a *MessageError for the first field that is
	// beyond its limits or contradicts another. Decoding and encoding call it.
	Validate() error
}

// ToVehicle is a message that Kapok sends.
//
//sumtype:decl
type ToVehicle interface {
	toVehicle()
	// Validate is as in FromVehicle.
	Validate() error
}

// Position is a point on or above the earth: WGS-84 degrees, and metres above
// mean sea level (EGM96). Level is the OSM level of an indoor position and is
// empty outdoors.
type Position struct {
	Lon       float64 `json:"lon"`
	Lat       float64 `json:"lat"`
	AltitudeM float64 `json:"altitude_m"`
	Level     string  `json:"level,omitempty"`
}

// Kind is what sort of vehicle it is; it decides how Kapok plans for it.
type Kind string

// The kinds of vehicle.
const (
	Rover      Kind = "rover"
	Multirotor Kind = "multirotor"
	VTOL       Kind = "vtol"
	Vessel     Kind = "vessel"
)

// Hello is the first message of every session. Kapok answers Welcome, then
// everything that it owes the vehicle.
type Hello struct {
	Kind         Kind     `json:"kind"`
	Model        string   `json:"model"`
	Capabilities []string `json:"capabilities,omitempty"`
	// Limits may be absent, which means Kapok's defaults.
	Limits Limits `json:"limits,omitzero"`
	// Mission is the mission that the vehicle holds, absent when it holds none.
	Mission *MissionRef `json:"mission,omitempty"`
	// LastCommand is the id of the last command that it accepted.
	LastCommand string `json:"last_command,omitempty"`
	// LogID names the vehicle's store of numbered reports. A vehicle that lost
	// its store starts a new one, and numbers from 1 again.
	LogID string `json:"log_id"`
	// Epoch is the highest epoch that the vehicle has seen, 0 for none.
	Epoch uint64 `json:"epoch"`
	// Time is the vehicle's clock as it sends.
	Time time.Time `json:"time"`
}

// Limits are what the vehicle can take in; zero means Kapok's default.
type Limits struct {
	// MaxLegs is the most legs a mission may have; at least MinLegs.
	MaxLegs int `json:"max_legs,omitempty"`
	// MaxLoadKg is the most that it can carry, absent when it carries nothing.
	MaxLoadKg float64 `json:"max_load_kg,omitempty"`
}

// MissionRef names a revision of a mission.
type MissionRef struct {
	ID       string `json:"id"`
	Revision int    `json:"revision"`
}

// Mode is what a vehicle says that it is doing.
type Mode string

// The modes of a vehicle.
const (
	ModeIdle     Mode = "idle"
	ModeTravel   Mode = "travel"
	ModeWork     Mode = "work"
	ModeCharging Mode = "charging"
	ModeHold     Mode = "hold"
	ModeReturn   Mode = "return"
	ModeManual   Mode = "manual"
	ModeFault    Mode = "fault"
)

// Telemetry carries samples, oldest first, at most MaxSamples.
type Telemetry struct {
	Samples []Sample `json:"samples"`
}

// Sample is the vehicle's state at one instant of its own clock.
type Sample struct {
	Time     time.Time `json:"time"`
	Position Position  `json:"position"`
	// SpeedMPS is along the ground, ClimbMPS upwards.
	SpeedMPS     float64 `json:"speed_mps"`
	ClimbMPS     float64 `json:"climb_mps,omitempty"`
	HeadingDeg   float64 `json:"heading_deg"`
	BatteryRatio float64 `json:"battery_ratio"`
	Mode         Mode    `json:"mode"`
}

// Verdict is a vehicle's answer to a mission or a command.
type Verdict string

// The verdicts.
const (
	Accepted Verdict = "accepted"
	Refused  Verdict = "refused"
)

// Ack answers a Mission or a Command; exactly one of them is named.
type Ack struct {
	Seq     uint64      `json:"seq"`
	Mission *MissionRef `json:"mission,omitempty"`
	Command string      `json:"command,omitempty"`
	Verdict Verdict     `json:"verdict"`
	// Reason is a short code, required with a refusal, e.g. "low_battery",
	// "too_many_legs", "stale_epoch", "expired"; Text is for people.
	Reason string `json:"reason,omitempty"`
	Text   string `json:"text,omitempty"`
}

// ProgressState is how far a leg or a command has come.
type ProgressState string

// The states that progress reports. Started means under way to the stop, Begun
// that work at the stop has started: from then on only this vehicle may finish
// it. Abandoned means that the task authority ended before the stop was begun.
const (
	Started   ProgressState = "started"
	Begun     ProgressState = "begun"
	Done      ProgressState = "done"
	Failed    ProgressState = "failed"
	Abandoned ProgressState = "abandoned"
)

// Progress reports on a leg of a mission, or on a command (only Done and
// Failed); exactly one of them is named.
type Progress struct {
	Seq     uint64        `json:"seq"`
	Mission string        `json:"mission,omitempty"`
	Leg     string        `json:"leg,omitempty"`
	Command string        `json:"command,omitempty"`
	State   ProgressState `json:"state"`
	// Time is when it happened, by the vehicle's clock.
	Time   time.Time `json:"time"`
	Reason string    `json:"reason,omitempty"`
	Text   string    `json:"text,omitempty"`
}

// Fault reports that something on the vehicle is broken or, with Cleared, that
// it works again. LoadLost says that the loads on board are gone.
type Fault struct {
	Seq      uint64    `json:"seq"`
	Code     string    `json:"code"`
	Text     string    `json:"text"`
	Cleared  bool      `json:"cleared,omitempty"`
	LoadLost bool      `json:"load_lost,omitempty"`
	Time     time.Time `json:"time"`
}

// Welcome opens the session.
type Welcome struct {
	Session string `json:"session"`
	Vehicle string `json:"vehicle"`
	Epoch   uint64 `json:"epoch"`
	// TelemetryIntervalS is how often Kapok wants a sample.
	TelemetryIntervalS float64 `json:"telemetry_interval_s"`
	// AliveIntervalS is the longest pause between two frames from Kapok.
	AliveIntervalS float64 `json:"alive_interval_s"`
	// HelloTime repeats the vehicle's clock from its Hello; Time is Kapok's
	// clock as it sends. Together they give the vehicle its clock's error.
	HelloTime time.Time `json:"hello_time"`
	Time      time.Time `json:"time"`
	// LogID and Seq are the store that Kapok knows and the highest number in it
	// that is durable with nothing missing below it.
	LogID string `json:"log_id"`
	Seq   uint64 `json:"seq"`
}

// Alive says that Kapok is there. Task authority runs from its Time.
type Alive struct {
	Time time.Time `json:"time"`
}

// MissionState is whether the mission is to be carried out.
type MissionState string

// The states of a mission.
const (
	MissionActive    MissionState = "active"
	MissionSuspended MissionState = "suspended"
	MissionEnded     MissionState = "ended"
)

// Mission is a whole revision of what the vehicle is told to do, in order. It
// is idempotent: the same revision may come more than once. An ended mission
// has no legs.
type Mission struct {
	ID       string       `json:"id"`
	Revision int          `json:"revision"`
	State    MissionState `json:"state"`
	Epoch    uint64       `json:"epoch"`
	// TaskAuthorityS is how long after the Time of the last frame from Kapok
	// the vehicle may still begin stops.
	TaskAuthorityS float64   `json:"task_authority_s"`
	Time           time.Time `json:"time"`
	Legs           []Leg     `json:"legs"`
	// Reason says why the mission ended or was suspended.
	Reason string `json:"reason,omitempty"`
}

// Action is the work at the end of a leg.
type Action string

// The actions. Park is the safe end of every mission: a rover or vessel stops
// and waits, an aircraft lands. Charge lasts until the battery is at
// ChargeToRatio.
const (
	ActionVisit   Action = "visit"
	ActionPickup  Action = "pickup"
	ActionDropoff Action = "dropoff"
	ActionCharge  Action = "charge"
	ActionPark    Action = "park"
)

// LegState is how far Kapok knows a leg to be.
type LegState string

// The states of a leg.
const (
	LegPending   LegState = "pending"
	LegStarted   LegState = "started"
	LegBegun     LegState = "begun"
	LegDone      LegState = "done"
	LegFailed    LegState = "failed"
	LegAbandoned LegState = "abandoned"
)

// Leg is a way to a place and the work there.
type Leg struct {
	// ID is unique in the mission and stable over its revisions.
	ID string `json:"id"`
	// Task and Stop name the work; Site names a dock, charger or pad instead.
	Task string `json:"task,omitempty"`
	Stop int    `json:"stop,omitempty"`
	Site string `json:"site,omitempty"`

	Action Action   `json:"action"`
	State  LegState `json:"state"`
	// Path is the way, its last point the stop. It starts where Kapok expects
	// the vehicle to be when the leg starts.
	Path []Position `json:"path"`
	// SpeedMPS is the planned ground speed along the path, the greatest where
	// SpeedsMPS says it of each segment.
	SpeedMPS float64 `json:"speed_mps"`
	// SpeedsMPS are the planned ground speeds of the segments of the path, all
	// above 0 and one less than the path has points; empty for SpeedMPS on all.
	SpeedsMPS []float64 `json:"speeds_mps,omitempty"`
	// WorkS is how long the work takes once begun.
	WorkS float64 `json:"work_s,omitempty"`
	// NotBefore is the earliest time for the work to begin, zero for at once.
	NotBefore     time.Time `json:"not_before,omitzero"`
	ETA           time.Time `json:"eta,omitzero"`
	LoadKg        float64   `json:"load_kg,omitempty"`
	ChargeToRatio float64   `json:"charge_to_ratio,omitempty"`
}

// CommandKind is what a command orders.
type CommandKind string

// The kinds of command. Hold suspends the mission where the vehicle is, Resume
// takes it up again; Return, Land and Stop end it.
const (
	CommandHold   CommandKind = "hold"
	CommandResume CommandKind = "resume"
	CommandReturn CommandKind = "return"
	CommandLand   CommandKind = "land"
	CommandStop   CommandKind = "stop"
)

// Command is an order that acts at once, until ExpiresAt.
type Command struct {
	ID        string      `json:"id"`
	Kind      CommandKind `json:"kind"`
	Epoch     uint64      `json:"epoch"`
	Time      time.Time   `json:"time"`
	ExpiresAt time.Time   `json:"expires_at"`
	// Path is the way home of a Return, in order.
	Path []Position `json:"path,omitempty"`
	// SpeedMPS is the greatest speed on Path, 0 for the vehicle's own.
	SpeedMPS float64 `json:"speed_mps,omitempty"`
	Reason   string  `json:"reason,omitempty"`
}

// Received confirms reports: Seq is the highest number of the store LogID that
// is durable with nothing missing below it.
type Received struct {
	LogID string    `json:"log_id"`
	Seq   uint64    `json:"seq"`
	Time  time.Time `json:"time"`
}

// Error says what was wrong with a message; after a fatal one the link closes.
type Error struct {
	Code  string    `json:"code"`
	Text  string    `json:"text"`
	Fatal bool      `json:"fatal,omitempty"`
	Time  time.Time `json:"time"`
}

func (Hello) fromVehicle()     {}
func (Telemetry) fromVehicle() {}
func (Ack) fromVehicle()       {}
func (Progress) fromVehicle()  {}
func (Fault) fromVehicle()     {}

func (Welcome) toVehicle()  {}
func (Alive) toVehicle()    {}
func (Mission) toVehicle()  {}
func (Command) toVehicle()  {}
func (Received) toVehicle() {}
func (Error) toVehicle()    {}

// Package api holds the shapes of Kapok's HTTP API, shared by the server and
// the command-line client. Units stand in the names; positions are WGS-84
// degrees, altitudes metres above mean sea level (EGM96); times are RFC 3339
// UTC.
package api

import "time"

// Position is a place. Altitude may be left out of an order: then it is the
// ground.
type Position struct {
	Lon       float64  `json:"lon" minimum:"-180" maximum:"180" doc:"Longitude, WGS-84 degrees."`
	Lat       float64  `json:"lat" minimum:"-90" maximum:"90" doc:"Latitude, WGS-84 degrees."`
	AltitudeM *float64 `json:"altitude_m,omitempty" doc:"Metres above mean sea level (EGM96)."`
	Level     string   `json:"level,omitempty" maxLength:"16" doc:"OSM level indoors, empty outdoors."`
}

// Order asks for a task.
type Order struct {
	Kind         string      `json:"kind" enum:"visit,delivery,patrol" doc:"visit: go there and work; delivery: from the first stop to the others; patrol: the stops in order, laps times."`
	Priority     string      `json:"priority,omitempty" enum:"emergency,urgent,routine" doc:"routine when left out."`
	Rank         int         `json:"rank,omitempty" minimum:"-100" maximum:"100" doc:"Order within the priority: greater goes first; one step is worth a minute of waiting."`
	Stops        []OrderStop `json:"stops" minItems:"1" maxItems:"200"`
	Laps         int         `json:"laps,omitempty" minimum:"0" maximum:"100" doc:"Of a patrol; 1 when left out. Stops times laps is at most 2000."`
	LoadKg       float64     `json:"load_kg,omitempty" minimum:"0" maximum:"10000" doc:"What a delivery carries."`
	Capabilities []string    `json:"capabilities,omitempty" maxItems:"32" doc:"What the vehicle must be able to do, all of them."`
	VehicleKinds []string    `json:"vehicle_kinds,omitempty" maxItems:"4" doc:"rover, multirotor, vtol, vessel; any when left out."`
	Note         string      `json:"note,omitempty" maxLength:"1024"`
}

// OrderStop is a stop of an order: a position, or a site or place of the chart.
type OrderStop struct {
	Position  *Position `json:"position,omitempty"`
	Site      string    `json:"site,omitempty" maxLength:"64" doc:"Id of a site instead of a position."`
	Place     string    `json:"place,omitempty" maxLength:"64" doc:"Id of a place of the chart (address, shop) instead of a position."`
	WorkS     float64   `json:"work_s,omitempty" minimum:"0" maximum:"86400" doc:"How long the work takes."`
	NotBefore time.Time `json:"not_before,omitzero" doc:"Earliest begin of the work."`
	NotAfter  time.Time `json:"not_after,omitzero" doc:"Latest begin of the work."`
}

// Task is work, ordered and watched.
type Task struct {
	ID           string     `json:"id"`
	Kind         string     `json:"kind"`
	Priority     string     `json:"priority"`
	Rank         int        `json:"rank"`
	State        string     `json:"state" enum:"waiting,assigned,underway,done,failed,cancelled"`
	Reason       string     `json:"reason,omitempty" doc:"Why it waits, failed or was cancelled; waiting tasks always have one."`
	ReasonCode   string     `json:"reason_code,omitempty"`
	Revision     uint64     `json:"revision" doc:"Changes with every change; the ETag."`
	Vehicle      string     `json:"vehicle,omitempty"`
	Mission      string     `json:"mission,omitempty"`
	LoadKg       float64    `json:"load_kg,omitempty"`
	LoadOn       string     `json:"load_on,omitempty" doc:"The vehicle that has the load on board."`
	Capabilities []string   `json:"capabilities,omitempty"`
	VehicleKinds []string   `json:"vehicle_kinds,omitempty"`
	Stops        []TaskStop `json:"stops"`
	OrderedBy    string     `json:"ordered_by"`
	OrderedAt    time.Time  `json:"ordered_at"`
	ChangedAt    time.Time  `json:"changed_at"`
	// PromisedAt is when the work at the last stop was to begin, as answered
	// when the task was first assigned; it never changes afterwards.
	PromisedAt time.Time `json:"promised_at,omitzero" doc:"Promised arrival at the last stop, fixed when first given."`
	ETA        time.Time `json:"eta,omitzero" doc:"Present estimate of the arrival at the last stop."`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	Note       string    `json:"note,omitempty"`
	Incident   string    `json:"incident,omitempty" doc:"The incident that it answers."`
	Role       string    `json:"role,omitempty" doc:"Which part of the response it is."`
	Drill      bool      `json:"drill,omitempty"`
	Wanted     string    `json:"wanted,omitempty" doc:"The vehicle that a person gave it to by hand."`
}

// TaskStop is a stop of a task and how far it is.
type TaskStop struct {
	Stop      int       `json:"stop" doc:"Counts from 1."`
	Action    string    `json:"action" enum:"visit,pickup,dropoff"`
	State     string    `json:"state" enum:"open,begun,done,failed"`
	Doubt     bool      `json:"doubt,omitempty" doc:"A person must say whether the work was done."`
	Position  Position  `json:"position"`
	Name      string    `json:"name,omitempty"`
	WorkS     float64   `json:"work_s,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	BegunAt   time.Time `json:"begun_at,omitzero"`
	DoneAt    time.Time `json:"done_at,omitzero"`
}

// Vehicle is a vehicle as Kapok knows it.
type Vehicle struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind"`
	Model        string    `json:"model"`
	Capabilities []string  `json:"capabilities,omitempty"`
	MaxLoadKg    float64   `json:"max_load_kg"`
	Home         *Position `json:"home,omitempty"`
	HomeSite     string    `json:"home_site,omitempty"`
	InService    bool      `json:"in_service"`
	Reason       string    `json:"reason,omitempty" doc:"Why it takes no new work."`
	Link         string    `json:"link" enum:"unknown,live,late,lost"`
	LastHeard    time.Time `json:"last_heard,omitzero"`
	Position     *Position `json:"position,omitempty"`
	PositionTime time.Time `json:"position_time,omitzero" doc:"When the vehicle was there, by its corrected clock."`
	SpeedMPS     float64   `json:"speed_mps"`
	HeadingDeg   float64   `json:"heading_deg"`
	BatteryRatio float64   `json:"battery_ratio"`
	Mode         string    `json:"mode,omitempty"`
	Mission      string    `json:"mission,omitempty"`
	Tasks        []string  `json:"tasks,omitempty"`
	Charger      string    `json:"charger,omitempty" doc:"The charger that it uses or waits for."`
	TakenOver    string    `json:"taken_over,omitempty" doc:"Who has taken it over; Kapok leaves it alone until it is handed back."`
	Revision     uint64    `json:"revision"`
}

// VehicleRegistration registers a vehicle, or changes what is registered.
type VehicleRegistration struct {
	Kind         string    `json:"kind" enum:"rover,multirotor,vtol,vessel"`
	Model        string    `json:"model" maxLength:"64"`
	Capabilities []string  `json:"capabilities,omitempty" maxItems:"32"`
	MaxLoadKg    float64   `json:"max_load_kg,omitempty" minimum:"0" maximum:"10000"`
	HomeSite     string    `json:"home_site,omitempty" maxLength:"64"`
	Home         *Position `json:"home,omitempty"`
}

// Mission is what one vehicle is told to do.
type Mission struct {
	ID       string     `json:"id"`
	Vehicle  string     `json:"vehicle"`
	Revision int        `json:"revision"`
	Accepted int        `json:"accepted" doc:"Last revision that the vehicle accepted, 0 for none."`
	State    string     `json:"state" enum:"active,suspended,ended"`
	Reason   string     `json:"reason,omitempty"`
	Tasks    []string   `json:"tasks"`
	Legs     []Leg      `json:"legs"`
	IssuedAt time.Time  `json:"issued_at"`
	EndedAt  *time.Time `json:"ended_at,omitempty"`
}

// Leg is a way to a place and the work there.
type Leg struct {
	ID     string     `json:"id"`
	Task   string     `json:"task,omitempty"`
	Stop   int        `json:"stop,omitempty"`
	Site   string     `json:"site,omitempty"`
	Action string     `json:"action"`
	State  string     `json:"state"`
	ETA    time.Time  `json:"eta,omitzero"`
	Path   []Position `json:"path"`
}

// Site is a named place that vehicles use.
type Site struct {
	ID       string   `json:"id"`
	Kind     string   `json:"kind"`
	Name     string   `json:"name,omitempty"`
	Position Position `json:"position"`
	Capacity int      `json:"capacity"`
	Kinds    []string `json:"vehicle_kinds,omitempty"`
	// Using and Waiting are vehicles, in the order of arrival.
	Using   []string `json:"using,omitempty"`
	Waiting []string `json:"waiting,omitempty"`
}

// Place is an address, a shop or another named point to deliver to.
type Place struct {
	ID       string   `json:"id"`
	Name     string   `json:"name"`
	Position Position `json:"position"`
}

// CommandOrder orders a command to a vehicle.
type CommandOrder struct {
	Kind   string `json:"kind" enum:"hold,resume,return,land,stop"`
	Reason string `json:"reason,omitempty" maxLength:"1024"`
	Force  bool   `json:"force,omitempty" doc:"Land although a building or water is below. Without it such a land is refused with unsafe_landing."`
}

// Command is a command and how far it has come.
type Command struct {
	ID        string    `json:"id"`
	Vehicle   string    `json:"vehicle"`
	Kind      string    `json:"kind"`
	State     string    `json:"state" enum:"issued,delivered,accepted,done,refused,expired,superseded,failed"`
	Reason    string    `json:"reason,omitempty"`
	Answer    string    `json:"answer,omitempty" doc:"The vehicle's reason for a refusal or failure."`
	IssuedBy  string    `json:"issued_by"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// Alert is something that a person should know.
type Alert struct {
	ID             string    `json:"id"`
	Kind           string    `json:"kind"`
	Severity       string    `json:"severity" enum:"info,warning,critical"`
	Vehicle        string    `json:"vehicle,omitempty"`
	Task           string    `json:"task,omitempty"`
	Text           string    `json:"text"`
	RaisedAt       time.Time `json:"raised_at"`
	ClearedAt      time.Time `json:"cleared_at,omitzero"`
	ClearedBy      string    `json:"cleared_by,omitempty" doc:"The evidence that cleared it."`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
}

// Resolution is a person's decision on a stop that Kapok cannot judge.
type Resolution struct {
	Stop    int    `json:"stop" minimum:"1"`
	Outcome string `json:"outcome" enum:"done,not_done,failed" doc:"done: the work was done; not_done: it was not and may be given out again; failed: it cannot be done any more."`
	Reason  string `json:"reason" minLength:"1" maxLength:"1024"`
}

// ServiceChange takes a vehicle out of service, or back.
type ServiceChange struct {
	InService bool   `json:"in_service"`
	Reason    string `json:"reason,omitempty" maxLength:"1024"`
	// KeepTasks lets it finish what it has; otherwise it gives up the stops that
	// it has not begun and whose loads are not on board, and goes home.
	KeepTasks bool `json:"keep_tasks,omitempty" doc:"Let it finish what it has; otherwise it gives up what it has not begun and goes home."`
}

// Cancellation cancels a task.
type Cancellation struct {
	Reason string `json:"reason,omitempty" maxLength:"1024"`
}

// Event is something that the fleet concluded.
type Event struct {
	Index uint64    `json:"index"`
	Time  time.Time `json:"time"`
	Actor string    `json:"actor" doc:"Who brought it about: a token's name, a vehicle, or kapok."`
	Cause uint64    `json:"cause,omitempty" doc:"Index of the event that led to this one; 0 when it came from outside."`
	Input string    `json:"input" doc:"The kind of input that was being decided."`
	Type  string    `json:"type"`
	// Data has the event's own fields, named as in docs/events.md.
	Data any `json:"data"`
}

// Problem is an error answer (RFC 9457) with a stable code.
type Problem struct {
	Type   string `json:"type" doc:"urn:kapok:problem: and the code."`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Code   string `json:"code" doc:"Stable; docs/errors.md lists all codes."`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty" doc:"Path of the field at fault, e.g. body.stops[0].site."`
	// Errors lists all faults of a request that has several, at most 16.
	Errors []FieldProblem `json:"errors,omitempty"`
}

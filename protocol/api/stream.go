package api

import (
	"encoding/json"
	"time"
)

// The types of the frames of /v1/stream. Each frame is one JSON object with its
// type in the field "type". All but StreamSubscribeType come from Kapok.
const (
	// StreamSnapshotType opens a stream: StreamSnapshot, in one or more parts.
	StreamSnapshotType = "snapshot"
	// StreamResumedType opens a stream that was asked for with after=INDEX.
	StreamResumedType = "resumed"
	// StreamEventsType carries durable events, in order.
	StreamEventsType = "events"
	// StreamPositionsType carries the newest state of vehicles that changed.
	StreamPositionsType = "positions"
	// StreamSubscribeType changes what an open stream carries.
	StreamSubscribeType = "subscribe"
	// StreamSubscribedType answers a subscribe frame; a snapshot follows.
	StreamSubscribedType = "subscribed"
	// StreamErrorType answers a frame that was not understood.
	StreamErrorType = "error"
)

// StreamTicket admits one stream, for clients that cannot send a header with
// the upgrade request, such as browsers.
type StreamTicket struct {
	Ticket    string    `json:"ticket" doc:"Pass it as ?ticket= to /v1/stream; it works once."`
	ExpiresAt time.Time `json:"expires_at"`
}

// StreamSubscribe says what a stream is to carry from now on, in place of what
// was said before; what is left out has its default.
type StreamSubscribe struct {
	Type string `json:"type"`
	// Area is west, south, east, north in degrees; the whole world when left out.
	Area []float64 `json:"area,omitempty"`
	// Kinds are of vehicles, tasks, alerts, zones, incidents, commands and
	// positions; all when left out.
	Kinds []string `json:"kinds,omitempty"`
	// VehicleKinds are of rover, multirotor, vtol and vessel; all when left out.
	VehicleKinds []string `json:"vehicle_kinds,omitempty"`
	// RateHz is how often positions come at most; 2 when left out.
	RateHz *float64 `json:"rate_hz,omitempty"`
}

// StreamSubscribed repeats what the stream carries now. The snapshot that
// follows takes the place of all that the subscriber had.
type StreamSubscribed struct {
	Type         string    `json:"type"`
	Area         []float64 `json:"area,omitempty"`
	Kinds        []string  `json:"kinds"`
	VehicleKinds []string  `json:"vehicle_kinds,omitempty"`
	RateHz       float64   `json:"rate_hz"`
}

// StreamError says why a frame changed nothing. The stream goes on.
type StreamError struct {
	Type   string `json:"type"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

// StreamSnapshot is one part of the state at the event Index. More says that
// another part of the same snapshot follows.
type StreamSnapshot struct {
	Type     string    `json:"type"`
	Index    uint64    `json:"index"`
	Time     time.Time `json:"time"`
	More     bool      `json:"more"`
	Vehicles []Vehicle `json:"vehicles,omitempty"`
	// Tasks and Commands are those that are not final, Alerts those that are not
	// cleared, Incidents those that are open, Zones those of the chart and those
	// that people made.
	Tasks     []Task     `json:"tasks,omitempty"`
	Alerts    []Alert    `json:"alerts,omitempty"`
	Commands  []Command  `json:"commands,omitempty"`
	Incidents []Incident `json:"incidents,omitempty"`
	Zones     []Zone     `json:"zones,omitempty"`
}

// StreamResumed says that the events after Index follow.
type StreamResumed struct {
	Type  string `json:"type"`
	Index uint64 `json:"index"`
}

// StreamEvents carries events in order. Index is that of the last event that was
// considered: of all up to it, the subscriber has been sent what it asked for.
type StreamEvents struct {
	Type   string        `json:"type"`
	Index  uint64        `json:"index"`
	Events []StreamEvent `json:"events"`
}

// StreamEvent is an event with what it is about, as that stands when the frame
// is made: possibly newer than the event, never older than what an earlier event
// of the stream showed.
type StreamEvent struct {
	// Event is an Event.
	Event    json.RawMessage `json:"event"`
	Task     *Task           `json:"task,omitempty"`
	Vehicle  *VehicleRecord  `json:"vehicle,omitempty"`
	Alert    *Alert          `json:"alert,omitempty"`
	Command  *Command        `json:"command,omitempty"`
	Incident *Incident       `json:"incident,omitempty"`
	Zone     *Zone           `json:"zone,omitempty"`
}

// StreamPositions carries vehicles whose volatile state changed since the last
// such frame; what changed more than once comes once, with its newest value.
type StreamPositions struct {
	Type string    `json:"type"`
	Time time.Time `json:"time"`
	// Complete says that every vehicle of the subscription is in this frame, so
	// that any other may be forgotten: the first one of a resumed stream.
	Complete bool `json:"complete,omitempty"`
	// Entered are vehicles that came into the subscription's area, whole.
	Entered  []Vehicle         `json:"entered,omitempty"`
	Vehicles []VehiclePosition `json:"vehicles"`
	// LeftArea are vehicles that are no longer in the subscription's area. Nothing
	// more is told of them until they enter again.
	LeftArea []string `json:"left_area,omitempty"`
}

// VehiclePosition is the part of a Vehicle that changes often and is not
// durable.
type VehiclePosition struct {
	ID           string    `json:"id"`
	Link         string    `json:"link"`
	LastHeard    time.Time `json:"last_heard,omitzero"`
	Position     *Position `json:"position,omitempty"`
	PositionTime time.Time `json:"position_time,omitzero"`
	SpeedMPS     float64   `json:"speed_mps"`
	HeadingDeg   float64   `json:"heading_deg"`
	BatteryRatio float64   `json:"battery_ratio"`
	Mode         string    `json:"mode,omitempty"`
}

// VehicleRecord is the durable rest of a Vehicle: with VehiclePosition it makes
// a whole one.
type VehicleRecord struct {
	ID           string    `json:"id"`
	Kind         string    `json:"kind"`
	Model        string    `json:"model"`
	Capabilities []string  `json:"capabilities,omitempty"`
	MaxLoadKg    float64   `json:"max_load_kg"`
	Home         *Position `json:"home,omitempty"`
	HomeSite     string    `json:"home_site,omitempty"`
	InService    bool      `json:"in_service"`
	Reason       string    `json:"reason,omitempty"`
	Mission      string    `json:"mission,omitempty"`
	Tasks        []string  `json:"tasks,omitempty"`
	Charger      string    `json:"charger,omitempty"`
	TakenOver    string    `json:"taken_over,omitempty"`
	Revision     uint64    `json:"revision"`
}

// Record is the durable part of the vehicle.
func (v *Vehicle) Record() VehicleRecord {
	return VehicleRecord{
		ID: v.ID, Kind: v.Kind, Model: v.Model, Capabilities: v.Capabilities, MaxLoadKg: v.MaxLoadKg, Home: v.Home,
		HomeSite: v.HomeSite, InService: v.InService, Reason: v.Reason, Mission: v.Mission, Tasks: v.Tasks,
		Charger: v.Charger, TakenOver: v.TakenOver, Revision: v.Revision,
	}
}

// Moving is the volatile part of the vehicle.
func (v *Vehicle) Moving() VehiclePosition {
	return VehiclePosition{
		ID: v.ID, Link: v.Link, LastHeard: v.LastHeard, Position: v.Position, PositionTime: v.PositionTime,
		SpeedMPS: v.SpeedMPS, HeadingDeg: v.HeadingDeg, BatteryRatio: v.BatteryRatio, Mode: v.Mode,
	}
}

// Take puts the durable part in the place of the vehicle's own.
func (v *Vehicle) Take(r VehicleRecord) {
	v.ID, v.Kind, v.Model, v.Capabilities, v.MaxLoadKg, v.Home = r.ID, r.Kind, r.Model, r.Capabilities, r.MaxLoadKg, r.Home
	v.HomeSite, v.InService, v.Reason, v.Mission, v.Tasks = r.HomeSite, r.InService, r.Reason, r.Mission, r.Tasks
	v.Charger, v.TakenOver, v.Revision = r.Charger, r.TakenOver, r.Revision
}

// Move puts the volatile part in the place of the vehicle's own.
func (v *Vehicle) Move(p VehiclePosition) {
	v.ID, v.Link, v.LastHeard, v.Position, v.PositionTime = p.ID, p.Link, p.LastHeard, p.Position, p.PositionTime
	v.SpeedMPS, v.HeadingDeg, v.BatteryRatio, v.Mode = p.SpeedMPS, p.HeadingDeg, p.BatteryRatio, p.Mode
}

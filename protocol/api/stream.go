package api

import (
	"encoding/json"
	"time"
)

// The types of the frames of /v1/stream. Each frame is one JSON object with its
// type in the field "type".
const (
	// StreamSnapshotType opens a stream: StreamSnapshot, in one or more parts.
	StreamSnapshotType = "snapshot"
	// StreamResumedType opens a stream that was asked for with after=INDEX.
	StreamResumedType = "resumed"
	// StreamEventsType carries durable events, in order and without gaps.
	StreamEventsType = "events"
	// StreamPositionsType carries the newest state of vehicles that changed.
	StreamPositionsType = "positions"
)

// StreamTicket admits one stream, for clients that cannot send a header with
// the upgrade request, such as browsers.
type StreamTicket struct {
	Ticket    string    `json:"ticket" doc:"Pass it as ?ticket= to /v1/stream; it works once."`
	ExpiresAt time.Time `json:"expires_at"`
}

// StreamSnapshot is one part of the state at the event Index. More says that
// another part of the same snapshot follows.
type StreamSnapshot struct {
	Type     string    `json:"type"`
	Index    uint64    `json:"index"`
	Time     time.Time `json:"time"`
	More     bool      `json:"more"`
	Vehicles []Vehicle `json:"vehicles,omitempty"`
	// Tasks are those that are not final, Alerts those that are not cleared.
	Tasks  []Task  `json:"tasks,omitempty"`
	Alerts []Alert `json:"alerts,omitempty"`
}

// StreamResumed says that the events after Index follow.
type StreamResumed struct {
	Type  string `json:"type"`
	Index uint64 `json:"index"`
}

// StreamEvents carries events in order; Index is that of the last one.
type StreamEvents struct {
	Type   string        `json:"type"`
	Index  uint64        `json:"index"`
	Events []StreamEvent `json:"events"`
}

// StreamEvent is an event with what it is about, as that stands when the frame
// is made: possibly newer than the event, never older.
type StreamEvent struct {
	// Event is an Event.
	Event   json.RawMessage `json:"event"`
	Task    *Task           `json:"task,omitempty"`
	Vehicle *Vehicle        `json:"vehicle,omitempty"`
	Alert   *Alert          `json:"alert,omitempty"`
	Command *Command        `json:"command,omitempty"`
}

// StreamPositions carries vehicles whose volatile state changed since the last
// such frame; what changed more than once comes once, with its newest value.
type StreamPositions struct {
	Type     string            `json:"type"`
	Time     time.Time         `json:"time"`
	Vehicles []VehiclePosition `json:"vehicles"`
}

// VehiclePosition is what changes often about a vehicle.
type VehiclePosition struct {
	ID           string    `json:"id"`
	Link         string    `json:"link"`
	LastHeard    time.Time `json:"last_heard,omitzero"`
	Position     *Position `json:"position,omitempty"`
	SpeedMPS     float64   `json:"speed_mps"`
	HeadingDeg   float64   `json:"heading_deg"`
	BatteryRatio float64   `json:"battery_ratio"`
	Mode         string    `json:"mode,omitempty"`
}

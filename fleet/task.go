package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// TaskKind is the sort of work.
type TaskKind string

// The kinds of task.
const (
	Visit    TaskKind = "visit"
	Delivery TaskKind = "delivery"
	Patrol   TaskKind = "patrol"
)

// Priority is how urgent a task is. Only Emergency pre-empts a started mission.
type Priority string

// The priorities.
const (
	Emergency Priority = "emergency"
	Urgent    Priority = "urgent"
	Routine   Priority = "routine"
)

// TaskState is how far a task has come.
type TaskState string

// The states of a task. A waiting task always has a reason.
const (
	TaskWaiting   TaskState = "waiting"
	TaskAssigned  TaskState = "assigned"
	TaskUnderway  TaskState = "underway"
	TaskDone      TaskState = "done"
	TaskFailed    TaskState = "failed"
	TaskCancelled TaskState = "cancelled"
)

// Final tells whether nothing changes any more.
func (s TaskState) Final() bool {
	return s == TaskDone || s == TaskFailed || s == TaskCancelled
}

// StopState is how far a stop has come.
type StopState string

// The states of a stop.
const (
	StopOpen   StopState = "open"
	StopBegun  StopState = "begun"
	StopDone   StopState = "done"
	StopFailed StopState = "failed"
)

// Reason says why something is as it is: a stable code and a sentence.
type Reason struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

// Stop is a place of a task and the work there.
type Stop struct {
	Action    protocol.Action `json:"action"`
	At        space.Position  `json:"at"`
	Name      string          `json:"name,omitempty"`
	WorkS     float64         `json:"work_s,omitempty"`
	NotBefore time.Time       `json:"not_before,omitzero"`
	NotAfter  time.Time       `json:"not_after,omitzero"`
	// LoadKg comes on board (positive) or leaves (negative).
	LoadKg  float64   `json:"load_kg,omitempty"`
	State   StopState `json:"state"`
	BegunAt time.Time `json:"begun_at,omitzero"`
	DoneAt  time.Time `json:"done_at,omitzero"`
	// Doubt is set when the stop may have been begun or done without Kapok
	// knowing; evidence or a person removes it.
	Doubt bool `json:"doubt,omitempty"`
}

// Task is work with ordered stops.
type Task struct {
	ID           TaskID          `json:"id"`
	Kind         TaskKind        `json:"kind"`
	Priority     Priority        `json:"priority"`
	Rank         int             `json:"rank,omitempty"`
	Stops        []Stop          `json:"stops"`
	LoadKg       float64         `json:"load_kg,omitempty"`
	Capabilities []string        `json:"capabilities,omitempty"`
	Kinds        []protocol.Kind `json:"vehicle_kinds,omitempty"`
	Note         string          `json:"note,omitempty"`
	OrderedBy    string          `json:"ordered_by"`
	OrderedAt    time.Time       `json:"ordered_at"`

	State  TaskState `json:"state"`
	Reason Reason    `json:"reason,omitzero"`
	// Revision is the index of the last event that changed the task.
	Revision  uint64    `json:"revision"`
	ChangedAt time.Time `json:"changed_at"`
	// WaitsSince is since when it waits, zero for since ChangedAt.
	WaitsSince time.Time `json:"waits_since,omitzero"`
	EndedAt    time.Time `json:"ended_at,omitzero"`
	// Vehicle and Mission hold the task while it is assigned or under way, and
	// stay afterwards to tell who did it.
	Vehicle VehicleID `json:"vehicle,omitempty"`
	Mission MissionID `json:"mission,omitempty"`
	// LoadOn is the vehicle that has the load on board.
	LoadOn VehicleID `json:"load_on,omitempty"`
	// PromisedAt is fixed at the first assignment.
	PromisedAt time.Time `json:"promised_at,omitzero"`
	ETA        time.Time `json:"eta,omitzero"`
	// CancelWanted is set while the vehicle has not yet given the task up.
	CancelWanted string `json:"cancel_wanted,omitempty"`
	// Incident is the incident that the task answers, Role its part of the
	// response; Drill marks an exercise.
	Incident IncidentID `json:"incident,omitempty"`
	Role     string     `json:"role,omitempty"`
	Drill    bool       `json:"drill,omitempty"`
	// Wanted is the vehicle that a person gave it to by hand, which alone may
	// take it; empty for any.
	Wanted   VehicleID `json:"wanted,omitempty"`
	Attempts int       `json:"attempts,omitempty"`
}

// NextStop is the index of the first stop that is neither done nor failed;
// len(Stops) when there is none.
func (t *Task) NextStop() int {
	for i := range t.Stops {
		if t.Stops[i].State == StopOpen || t.Stops[i].State == StopBegun {
			return i
		}
	}
	return len(t.Stops)
}

func (t *Task) clone() *Task {
	c := *t
	c.Stops = append([]Stop(nil), t.Stops...)
	return &c
}

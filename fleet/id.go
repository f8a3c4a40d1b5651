package fleet

import (
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/protocol"
)

// Ids are given out from counters in Durable (T1, M1, C1, A1, I1, Z1) or, for vehicles
// and sites, by people and charts. At most protocol.MaxIDBytes bytes.
type (
	// VehicleID names a vehicle.
	VehicleID string
	// TaskID names a task.
	TaskID string
	// MissionID names a mission.
	MissionID string
	// LegID names a leg; it is unique in its mission.
	LegID string
	// CommandID names a command.
	CommandID string
	// AlertID names an alert.
	AlertID string
	// SiteID names a site of the chart.
	SiteID string
	// IncidentID names an incident.
	IncidentID string
	// ZoneID names a zone, of the chart or live.
	ZoneID string
	// SessionID names one connection of a vehicle.
	SessionID string
	// RequestID names a pending request of the HTTP edge, chosen by the engine;
	// it is never journaled.
	RequestID uint64
)

// MotionKind is the planner's word for a vehicle's kind.
func MotionKind(k protocol.Kind) motion.Kind { return motion.Kind(k) }

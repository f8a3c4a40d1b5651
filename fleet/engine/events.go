package engine

import "github.com/kapok-fleet/kapok/fleet"

// Filter selects events. An empty field selects all; several fields must all
// match.
type Filter struct {
	Vehicle fleet.VehicleID
	Task    fleet.TaskID
	Mission fleet.MissionID
	Command fleet.CommandID
	Alert   fleet.AlertID
	// Type is an event's name.
	Type string
}

// Page is a part of the sequence of durable events.
type Page struct {
	Events []fleet.Recorded
	// Next is the index to go on from: behind the last event looked at, which
	// may be one that the filter left out.
	Next uint64
	// Last is the newest committed event. Next is above it when all was read.
	Last uint64
}

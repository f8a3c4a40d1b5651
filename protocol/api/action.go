package api

import "time"

// Takeover takes a vehicle out of Kapok's hands, or gives it back.
type Takeover struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1024"`
}

// Reassignment gives a task to a vehicle by hand.
type Reassignment struct {
	Vehicle string `json:"vehicle" minLength:"1" maxLength:"64"`
	Reason  string `json:"reason" minLength:"1" maxLength:"1024"`
}

// Ranking changes the order in which tasks are served.
type Ranking struct {
	Priority string `json:"priority,omitempty" enum:"emergency,urgent,routine" doc:"Unchanged when left out."`
	Rank     *int   `json:"rank,omitempty" minimum:"-100" maximum:"100" doc:"Unchanged when left out."`
	Reason   string `json:"reason" minLength:"1" maxLength:"1024"`
}

// GroupCommand commands several vehicles at once: those that match all that is
// given. Nothing given means all vehicles.
type GroupCommand struct {
	Kind         string      `json:"kind" enum:"hold,resume,return,land,stop" doc:"land goes to aircraft only, stop to others only."`
	Vehicles     []string    `json:"vehicles,omitempty" maxItems:"20000"`
	VehicleKinds []string    `json:"vehicle_kinds,omitempty" maxItems:"4"`
	Area         *[4]float64 `json:"area,omitempty" doc:"West, south, east, north; WGS-84 degrees: those whose last position lies in it."`
	Reason       string      `json:"reason" minLength:"1" maxLength:"1024"`
}

// GroupResult lists what a group command, or an emergency stop, brought about.
type GroupResult struct {
	Commands []Command        `json:"commands"`
	Skipped  []SkippedVehicle `json:"skipped" doc:"Vehicles that match and were not commanded, with the reason."`
}

// SkippedVehicle is a vehicle that a group command left out.
type SkippedVehicle struct {
	Vehicle string `json:"vehicle"`
	Code    string `json:"code"`
	Reason  string `json:"reason"`
}

// EmergencyStop holds every vehicle and freezes the fleet: no mission or
// revision that moves a vehicle goes out until it is released.
type EmergencyStop struct {
	Reason string `json:"reason" minLength:"1" maxLength:"1024"`
}

// EmergencyRelease ends an emergency stop. With Resume the vehicles that it held
// are resumed; otherwise each stays held until it is resumed.
type EmergencyRelease struct {
	Resume bool   `json:"resume"`
	Reason string `json:"reason" minLength:"1" maxLength:"1024"`
}

// EmergencyState tells whether the fleet is stopped, by whom and since when.
type EmergencyState struct {
	Stopped bool      `json:"stopped"`
	By      string    `json:"by,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Reason  string    `json:"reason,omitempty"`
	// Commands and Skipped stand in the answer to a stop or release.
	Commands []Command        `json:"commands,omitempty"`
	Skipped  []SkippedVehicle `json:"skipped,omitempty"`
}

package api

import "time"

// QuoteRequest asks who would go, when, and why not the others. Exactly one of
// its fields is given. Nothing changes.
type QuoteRequest struct {
	Order    *Order          `json:"order,omitempty" doc:"An order as POST /v1/tasks takes it."`
	Incident *IncidentReport `json:"incident,omitempty" doc:"A report as POST /v1/incidents takes it."`
	Task     string          `json:"task,omitempty" maxLength:"64" doc:"A task that is there already: what it waits for, or why it has the vehicle that it has."`
}

// Quote is what would happen now.
type Quote struct {
	At    time.Time   `json:"at"`
	Tasks []TaskQuote `json:"tasks" doc:"One for an order or task; one for each part of an incident's response."`
}

// TaskQuote is what would become of one task.
type TaskQuote struct {
	Task     string `json:"task,omitempty" doc:"Of a task that is there already."`
	Role     string `json:"role,omitempty" doc:"Of a part of an incident's response."`
	Kind     string `json:"kind"`
	Priority string `json:"priority"`
	// Vehicle is empty when the task would wait.
	Vehicle string `json:"vehicle,omitempty" doc:"Who would go; absent when the task would wait."`
	// ETA is the arrival at the last stop; Arrive those at all stops.
	ETA    time.Time   `json:"eta,omitzero" doc:"Arrival at the last stop."`
	Arrive []time.Time `json:"arrive,omitempty" doc:"Arrival at each open stop."`
	Home   time.Time   `json:"home,omitzero" doc:"When it would be back home."`
	// BatteryAfterRatio is the charge left at home, after all its work.
	BatteryAfterRatio *float64 `json:"battery_after_ratio,omitempty" doc:"The charge left when it is back home after all its work."`
	EnergyWh          float64  `json:"energy_wh,omitempty"`
	// Delayed are tasks of the vehicle that would come later because of this one.
	Delayed []DelayedTask `json:"delayed,omitempty"`
	// Displaced are tasks that the vehicle would give up for this one.
	Displaced []string `json:"displaced,omitempty" doc:"Tasks that the vehicle would give up for this one; they wait for another vehicle."`
	// WaitsFor says what the task would wait for, or waits for, WaitsSince since when.
	WaitsFor     string           `json:"waits_for,omitempty"`
	WaitsForCode string           `json:"waits_for_code,omitempty"`
	WaitsSince   time.Time        `json:"waits_since,omitzero"`
	Others       []QuoteExclusion `json:"others" doc:"Every other vehicle, in the order of ids, with the rule that excluded it."`
}

// DelayedTask is work that would come later.
type DelayedTask struct {
	Task   string  `json:"task"`
	DelayS float64 `json:"delay_s"`
}

// QuoteExclusion says why a vehicle would not go.
type QuoteExclusion struct {
	Vehicle string `json:"vehicle"`
	Rule    string `json:"rule" doc:"Stable code, listed in docs/errors.md."`
	// Number broke Limit; their unit is Unit.
	Number  *float64  `json:"number,omitempty" doc:"The figure that excluded it."`
	Limit   *float64  `json:"limit,omitempty" doc:"What the figure was compared with."`
	Unit    string    `json:"unit,omitempty" doc:"Of number and limit: s, Wh, kg, m, tasks, refusals, epoch, or ratio (of a full battery)."`
	AtLeast bool      `json:"at_least,omitempty" doc:"number is a lower bound: a straight line, no route."`
	Object  string    `json:"object,omitempty" doc:"The zone, building, capability, fault or command concerned."`
	At      *Position `json:"at,omitempty"`
	Text    string    `json:"text" doc:"The same in a sentence."`
}

package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// Input is something that happened or was asked.
//
//sumtype:decl
type Input interface{ inputName() string }

// Recovered is the first input after the durable state was read: links are
// unknown, timers start anew. UnixEpoch is the least epoch to take.
type Recovered struct {
	UnixEpoch uint64
}

// Tick lets deadlines fire. The owner sends one at least each second.
type Tick struct{}

// Joined says that a vehicle opened a session: Hello is its first message.
type Joined struct {
	Vehicle VehicleID
	Session SessionID
	Hello   protocol.Hello
	// ClockError is the vehicle's clock minus Kapok's.
	ClockError time.Duration
}

// Left says that a session is over: closed, or cut by the owner.
type Left struct {
	Vehicle VehicleID
	Session SessionID
	Why     string
}

// Telemetry carries samples whose times are already Kapok's.
type Telemetry struct {
	Vehicle VehicleID
	Session SessionID
	Samples []protocol.Sample
	// Skewed says that the vehicle's clock was off and receive time was used.
	Skewed bool
}

// Report carries a numbered Ack, Progress or Fault with the store it is in.
type Report struct {
	Vehicle VehicleID
	Session SessionID
	LogID   string
	Message protocol.FromVehicle
}

// Delivered says that a command was written to a live session.
type Delivered struct {
	Vehicle VehicleID
	Command CommandID
}

// Asked is a request from a person or program through the HTTP edge.
type Asked struct {
	Request RequestID
	// Actor is the token's name.
	Actor string
	// Key scopes and names an idempotent request (token, path, key); empty for
	// none. BodyHash tells two bodies apart.
	Key, BodyHash string
	Ask           Ask
}

// PlanReady brings the background planner's answer to a Question.
type PlanReady struct {
	Question Question
	Answer   assign.Answer
}

// Ask is what an Asked asks for.
//
//sumtype:decl
type Ask interface{ ask() }

// The requests.
type (
	// OrderTask orders work. Answer: 201 with api.Task.
	OrderTask struct{ Order api.Order }
	// CancelTask cancels a task. Revision, when not 0, must be the task's.
	// Answer: 200 with api.Task; 202 while the vehicle has not yet given it up.
	CancelTask struct {
		Task     TaskID
		Revision uint64
		Reason   string
	}
	// ResolveStop is a person's word on a stop in doubt. Answer: 200, api.Task.
	ResolveStop struct {
		Task     TaskID
		Revision uint64
		Decision api.Resolution
	}
	// RegisterVehicle registers or changes a vehicle. Answer: 200 or 201 with
	// api.Vehicle.
	RegisterVehicle struct {
		Vehicle      VehicleID
		Registration api.VehicleRegistration
	}
	// ChangeService takes a vehicle out of service or back. Answer: 200 with
	// api.Vehicle.
	ChangeService struct {
		Vehicle VehicleID
		Change  api.ServiceChange
	}
	// OrderCommand commands a vehicle. Answer: 201 with api.Command.
	OrderCommand struct {
		Vehicle VehicleID
		Order   api.CommandOrder
	}
	// AcknowledgeAlert notes that a person has seen an alert. Answer: 200 with
	// api.Alert.
	AcknowledgeAlert struct{ Alert AlertID }
	// ReportIncident takes an incident in and sends the response of its kind.
	// Answer: 201 with api.Incident.
	ReportIncident struct{ Report api.IncidentReport }
	// EscalateIncident makes an incident graver, or calls for reinforcement.
	// Revision, when not 0, must be the incident's. Answer: 200, api.Incident.
	EscalateIncident struct {
		Incident   IncidentID
		Revision   uint64
		Escalation api.IncidentEscalation
	}
	// CloseIncident ends an incident. Answer: 200 with api.Incident.
	CloseIncident struct {
		Incident IncidentID
		Revision uint64
		Closure  api.IncidentClosure
	}
	// PutZone makes a zone (Zone empty: the id is given) or puts another in the
	// place of one, of the chart's too. Revision, when not 0, must be the zone's.
	// Answer: 201 or 200 with api.ZoneChange.
	PutZone struct {
		Zone     ZoneID
		Revision uint64
		Order    api.ZoneOrder
	}
	// SuspendZone suspends a zone or ends its suspension. Answer: 200 with
	// api.ZoneChange.
	SuspendZone struct {
		Zone       ZoneID
		Revision   uint64
		Suspension api.ZoneSuspension
	}
	// SetConditions puts other conditions in force. Revision, when not 0, must be
	// theirs of now. Answer: 200 with api.ConditionsChange.
	SetConditions struct {
		Revision uint64
		Order    api.ConditionsOrder
	}
	// RemoveZone takes a zone away, one of the chart's too. Answer: 200 with
	// api.ZoneChange.
	RemoveZone struct {
		Zone     ZoneID
		Revision uint64
		Reason   string
	}
	// TakeOver takes a vehicle out of Kapok's hands, or (HandBack) gives it back.
	// Answer: 200 with api.Vehicle.
	TakeOver struct {
		Vehicle  VehicleID
		HandBack bool
		Order    api.Takeover
	}
	// ReassignTask gives a task to a vehicle by hand. Answer: 200 with api.Task;
	// 202 while its present vehicle has not yet given it up.
	ReassignTask struct {
		Task     TaskID
		Revision uint64
		Order    api.Reassignment
	}
	// RankTask changes priority or rank. Answer: 200 with api.Task.
	RankTask struct {
		Task     TaskID
		Revision uint64
		Order    api.Ranking
	}
	// CommandGroup commands several vehicles. Answer: 201 with api.GroupResult.
	CommandGroup struct{ Order api.GroupCommand }
	// StopFleet holds every vehicle and freezes the fleet. Answer: 200 with
	// api.EmergencyState.
	StopFleet struct{ Order api.EmergencyStop }
	// ReleaseFleet ends an emergency stop. Answer: 200 with api.EmergencyState.
	ReleaseFleet struct{ Order api.EmergencyRelease }
)

func (OrderTask) ask()        {}
func (CancelTask) ask()       {}
func (ResolveStop) ask()      {}
func (RegisterVehicle) ask()  {}
func (ChangeService) ask()    {}
func (OrderCommand) ask()     {}
func (AcknowledgeAlert) ask() {}
func (ReportIncident) ask()   {}
func (EscalateIncident) ask() {}
func (CloseIncident) ask()    {}
func (PutZone) ask()          {}
func (SuspendZone) ask()      {}
func (SetConditions) ask()    {}
func (RemoveZone) ask()       {}
func (TakeOver) ask()         {}
func (ReassignTask) ask()     {}
func (RankTask) ask()         {}
func (CommandGroup) ask()     {}
func (StopFleet) ask()        {}
func (ReleaseFleet) ask()     {}

func (Recovered) inputName() string { return "recovered" }
func (Tick) inputName() string      { return "tick" }
func (Joined) inputName() string    { return "joined" }
func (Left) inputName() string      { return "left" }
func (Telemetry) inputName() string { return "telemetry" }
func (Report) inputName() string    { return "report" }
func (Delivered) inputName() string { return "delivered" }
func (Asked) inputName() string     { return "asked" }
func (PlanReady) inputName() string { return "plan_ready" }

package fleet

import (
	"encoding/json"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// Event is something that the fleet concluded. A durable event lives long: its
// name and fields are stable, and a change of meaning takes a new version.
//
//sumtype:decl
type Event interface {
	// EventName is the stable name, with a version behind a dot from the second
	// one on.
	EventName() string
	// Lasting tells durable events from volatile ones.
	Lasting() bool
	event()
}

// Recorded is an event with what every event carries.
type Recorded struct {
	// Index counts durable events from 1; a volatile event has 0.
	Index uint64
	Time  time.Time
	// Actor is who brought it about: a token's name, "vehicle:ID" or "kapok".
	Actor string
	// Cause is the index of the event that led to this one, 0 when it came from
	// outside.
	Cause uint64
	// Input is the kind of input that was being decided.
	Input string
	Event Event
}

// Durable events.
type (
	// FleetRecovered opens an ownership with its epoch.
	FleetRecovered struct {
		Epoch uint64 `json:"epoch"`
		Chart string `json:"chart"`
	}
	// VehicleRegistered holds all that is registered of a vehicle.
	VehicleRegistered struct {
		Vehicle Vehicle `json:"vehicle"`
	}
	// VehicleServiceChanged takes a vehicle out of service (a reason) or back.
	VehicleServiceChanged struct {
		Vehicle      VehicleID `json:"vehicle"`
		OutOfService string    `json:"out_of_service"`
		// GivesUp says that it gives up the work that it has not begun.
		GivesUp bool `json:"gives_up,omitempty"`
	}
	// VehicleBlocked keeps a vehicle from new work until a resume; an empty
	// command ends that.
	VehicleBlocked struct {
		Vehicle VehicleID `json:"vehicle"`
		Command CommandID `json:"command"`
	}
	// VehicleRefused notes that a vehicle refused a task, or (Until zero) that
	// the refusals are over.
	VehicleRefused struct {
		Vehicle   VehicleID `json:"vehicle"`
		Task      TaskID    `json:"task,omitempty"`
		Until     time.Time `json:"until,omitzero"`
		Reason    string    `json:"reason,omitempty"`
		Suspended bool      `json:"suspended,omitempty"`
	}
	// VehicleFaulted notes a fault, or that it is over.
	VehicleFaulted struct {
		Vehicle VehicleID `json:"vehicle"`
		Code    string    `json:"code"`
		Text    string    `json:"text"`
		Cleared bool      `json:"cleared,omitempty"`
	}
	// EpochSeen notes that a vehicle knows a higher epoch, or (0) no longer.
	EpochSeen struct {
		Vehicle VehicleID `json:"vehicle"`
		Epoch   uint64    `json:"epoch"`
	}
	// LogOpened notes that a vehicle started a new report store.
	LogOpened struct {
		Vehicle VehicleID `json:"vehicle"`
		LogID   string    `json:"log_id"`
	}
	// ReportTaken notes that a numbered report was taken in; its consequences
	// are the events that name it as their cause.
	ReportTaken struct {
		Vehicle VehicleID `json:"vehicle"`
		LogID   string    `json:"log_id"`
		Seq     uint64    `json:"seq"`
		// Kind is ack, progress or fault; the rest repeats the report.
		Kind    string `json:"kind"`
		Mission string `json:"mission,omitempty"`
		Leg     string `json:"leg,omitempty"`
		Command string `json:"command,omitempty"`
		State   string `json:"state,omitempty"`
		Reason  string `json:"reason,omitempty"`
		Text    string `json:"text,omitempty"`
		// Ignored says why the report changed nothing, empty when it did.
		Ignored string `json:"ignored,omitempty"`
	}

	// TaskOrdered holds the task as ordered, waiting.
	TaskOrdered struct {
		Task Task `json:"task"`
	}
	// TaskChanged gives a task another state, reason, holder or estimate. Zero
	// values mean none, not unchanged; PromisedAt is taken only once.
	TaskChanged struct {
		Task       TaskID    `json:"task"`
		State      TaskState `json:"state"`
		Reason     Reason    `json:"reason,omitzero"`
		Vehicle    VehicleID `json:"vehicle,omitempty"`
		Mission    MissionID `json:"mission,omitempty"`
		PromisedAt time.Time `json:"promised_at,omitzero"`
		ETA        time.Time `json:"eta,omitzero"`
		Attempts   int       `json:"attempts,omitempty"`
		// WaitsSince is since when it waits, where it waited before this event.
		WaitsSince time.Time `json:"waits_since,omitzero"`
	}
	// TaskCancelWanted notes that a task is to be cancelled when its vehicle has
	// given it up.
	TaskCancelWanted struct {
		Task   TaskID `json:"task"`
		Reason string `json:"reason"`
	}
	// StopChanged gives a stop another state. Doubt says that it is unsure.
	StopChanged struct {
		Task    TaskID    `json:"task"`
		Stop    int       `json:"stop"`
		State   StopState `json:"state"`
		Doubt   bool      `json:"doubt,omitempty"`
		Vehicle VehicleID `json:"vehicle,omitempty"`
		At      time.Time `json:"at"`
	}
	// LoadChanged notes who has a task's load on board; empty for nobody.
	LoadChanged struct {
		Task    TaskID    `json:"task"`
		Vehicle VehicleID `json:"vehicle"`
	}

	// MissionIssued holds a whole revision of a mission.
	MissionIssued struct {
		Mission  MissionID             `json:"mission"`
		Vehicle  VehicleID             `json:"vehicle"`
		Revision int                   `json:"revision"`
		State    protocol.MissionState `json:"state"`
		Legs     []Leg                 `json:"legs"`
		NextLeg  int                   `json:"next_leg"`
		Window   int                   `json:"window,omitempty"`
		SafeEnd  *Leg                  `json:"safe_end,omitempty"`
		Why      Reason                `json:"why,omitzero"`
	}
	// MissionAnswered notes the vehicle's verdict on a revision.
	MissionAnswered struct {
		Mission  MissionID        `json:"mission"`
		Revision int              `json:"revision"`
		Verdict  protocol.Verdict `json:"verdict"`
		Reason   Reason           `json:"reason,omitzero"`
	}
	// MissionChanged suspends, activates or ends a mission.
	MissionChanged struct {
		Mission MissionID             `json:"mission"`
		State   protocol.MissionState `json:"state"`
		Reason  Reason                `json:"reason"`
	}
	// LegChanged gives a leg another state.
	LegChanged struct {
		Mission MissionID         `json:"mission"`
		Leg     LegID             `json:"leg"`
		State   protocol.LegState `json:"state"`
		At      time.Time         `json:"at"`
	}

	// CommandOrdered holds a new command.
	CommandOrdered struct {
		Command Command `json:"command"`
	}
	// CommandChanged gives a command another state.
	CommandChanged struct {
		Command CommandID    `json:"command"`
		State   CommandState `json:"state"`
		Answer  Reason       `json:"answer,omitzero"`
	}

	// QueueChanged holds a charger's queue after a change.
	QueueChanged struct {
		Site    SiteID      `json:"site"`
		Using   []VehicleID `json:"using"`
		Waiting []VehicleID `json:"waiting"`
		// Vehicle is whom the change is about; its charger becomes Charger.
		Vehicle VehicleID `json:"vehicle"`
		Charger SiteID    `json:"charger"`
	}

	// AlertRaised holds a new alert.
	AlertRaised struct {
		Alert Alert `json:"alert"`
	}
	// AlertCleared ends an alert and names the evidence.
	AlertCleared struct {
		Alert AlertID `json:"alert"`
		By    string  `json:"by"`
	}
	// AlertAcknowledged notes who has seen an alert.
	AlertAcknowledged struct {
		Alert AlertID `json:"alert"`
		By    string  `json:"by"`
	}

	// IncidentReported holds a new incident; its tasks follow.
	IncidentReported struct {
		Incident Incident `json:"incident"`
	}
	// IncidentChanged gives an incident another state, severity or count of
	// escalations, or notes that it was reached. Reason is a person's, at a
	// closing the outcome.
	IncidentChanged struct {
		Incident  IncidentID    `json:"incident"`
		State     IncidentState `json:"state"`
		Severity  Gravity       `json:"severity"`
		ReachedAt time.Time     `json:"reached_at,omitzero"`
		Escalated int           `json:"escalated,omitempty"`
		Reason    string        `json:"reason,omitempty"`
	}
	// ZoneChanged holds a zone after a person made, changed, suspended or
	// restored it; for a zone of the chart, Removed takes it away. New takes an
	// id from the counter.
	ZoneChanged struct {
		Zone ZoneRecord `json:"zone"`
		New  bool       `json:"new,omitempty"`
	}
	// ZoneRemoved ends what people did to a zone: one that they made is gone, one
	// of the chart is as it was drawn.
	ZoneRemoved struct {
		Zone   ZoneID `json:"zone"`
		Reason string `json:"reason,omitempty"`
	}
	// ConditionsChanged puts other conditions in force.
	ConditionsChanged struct {
		Conditions Conditions `json:"conditions"`
	}
	// VehicleTakenOver notes that the actor has the vehicle in hand, or has
	// handed it back.
	VehicleTakenOver struct {
		Vehicle    VehicleID `json:"vehicle"`
		HandedBack bool      `json:"handed_back,omitempty"`
		Reason     string    `json:"reason,omitempty"`
	}
	// TaskRanked gives a task another priority or rank.
	TaskRanked struct {
		Task     TaskID   `json:"task"`
		Priority Priority `json:"priority"`
		Rank     int      `json:"rank"`
		Reason   string   `json:"reason,omitempty"`
	}
	// TaskWanted notes which vehicle a person gave the task to; empty for any
	// vehicle again.
	TaskWanted struct {
		Task    TaskID    `json:"task"`
		Vehicle VehicleID `json:"vehicle"`
		Reason  string    `json:"reason,omitempty"`
	}
	// FleetStopped notes an emergency stop with the commands that it gave,
	// FleetReleased its end.
	FleetStopped struct {
		Reason   string      `json:"reason"`
		Commands []CommandID `json:"commands,omitempty"`
	}
	// FleetReleased ends an emergency stop.
	FleetReleased struct {
		Reason string `json:"reason"`
		Resume bool   `json:"resume,omitempty"`
	}

	// AnswerGiven keeps the answer to a request with an idempotency key.
	AnswerGiven struct {
		Key      string          `json:"key"`
		BodyHash string          `json:"body_hash"`
		Status   int             `json:"status"`
		Body     json.RawMessage `json:"body"`
	}
	// Archived lists what leaves memory: final tasks, ended missions, final
	// commands, cleared alerts and old answers.
	Archived struct {
		Tasks     []TaskID     `json:"tasks,omitempty"`
		Missions  []MissionID  `json:"missions,omitempty"`
		Commands  []CommandID  `json:"commands,omitempty"`
		Alerts    []AlertID    `json:"alerts,omitempty"`
		Answers   []string     `json:"answers,omitempty"`
		Incidents []IncidentID `json:"incidents,omitempty"`
	}
)

// Volatile events.
type (
	// VolatileCleared forgets everything volatile, at a restart.
	VolatileCleared struct{}
	// LinkChanged notes a session's begin or end and the state of the link.
	LinkChanged struct {
		Vehicle VehicleID `json:"vehicle"`
		Session SessionID `json:"session,omitempty"`
		State   LinkState `json:"state"`
		// Holds is the revision that the vehicle says it holds, at the begin of a
		// session.
		Holds string `json:"holds,omitempty"`
		// LinkEnd is when Kapok stopped sending, zero while a session is open.
		LinkEnd time.Time `json:"link_end,omitzero"`
		Why     string    `json:"why,omitempty"`
		// Doubted says that a frame came from the vehicle whose places are not
		// believed: where it is counts as not known in this session until they are.
		Doubted bool `json:"doubted,omitempty"`
	}
	// Moved is the newest sample of a vehicle. It makes the link live. Earlier are
	// those that came in the same frame before it, oldest first, for tracks.
	Moved struct {
		Vehicle VehicleID         `json:"vehicle"`
		Sample  protocol.Sample   `json:"sample"`
		Earlier []protocol.Sample `json:"earlier,omitempty"`
	}
	// ZonesChanged lists the zones that a vehicle is in.
	ZonesChanged struct {
		Vehicle VehicleID `json:"vehicle"`
		Zones   []string  `json:"zones"`
		Entered []string  `json:"entered,omitempty"`
		Left    []string  `json:"left,omitempty"`
	}
	// PlanWanted notes that the background planner was asked.
	PlanWanted struct {
		Question Question `json:"question"`
	}
	// PlanDropped notes that the question is settled or void.
	PlanDropped struct {
		Task TaskID `json:"task"`
		Why  string `json:"why"`
	}
)

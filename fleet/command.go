package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// CommandState is how far a command has come.
type CommandState string

// The states of a command; all but the first three are final.
const (
	CommandIssued     CommandState = "issued"
	CommandDelivered  CommandState = "delivered"
	CommandAccepted   CommandState = "accepted"
	CommandDone       CommandState = "done"
	CommandRefused    CommandState = "refused"
	CommandExpired    CommandState = "expired"
	CommandSuperseded CommandState = "superseded"
	CommandFailed     CommandState = "failed"
)

// Final tells whether nothing changes any more.
func (s CommandState) Final() bool {
	return s != CommandIssued && s != CommandDelivered && s != CommandAccepted
}

// Command is an order that acts at once.
type Command struct {
	ID      CommandID            `json:"id"`
	Vehicle VehicleID            `json:"vehicle"`
	Kind    protocol.CommandKind `json:"kind"`
	State   CommandState         `json:"state"`
	Reason  string               `json:"reason,omitempty"`
	// Code is that of the reason: a hold with the code zone is taken back by Kapok
	// itself.
	Code      string           `json:"code,omitempty"`
	Answer    Reason           `json:"answer,omitzero"`
	Path      []space.Position `json:"path,omitempty"`
	SpeedMPS  float64          `json:"speed_mps,omitempty"`
	IssuedBy  string           `json:"issued_by"`
	IssuedAt  time.Time        `json:"issued_at"`
	ExpiresAt time.Time        `json:"expires_at"`
	EndedAt   time.Time        `json:"ended_at,omitzero"`
}

// AlertKind is the sort of alert.
type AlertKind string

// The kinds of alert. Each is raised once for its vehicle or task and cleared
// only by the evidence named here.
const (
	// AlertLinkLost is cleared by a frame from the vehicle.
	AlertLinkLost AlertKind = "link_lost"
	// AlertLowToLand says that the battery of an aircraft may no longer be enough to
	// come down from its leg and keep the reserve; it is cleared when it stands on the
	// ground, or shows enough again.
	AlertLowToLand AlertKind = "low_to_land"
	// AlertBatteryLow is cleared by a charge above the reserve again.
	AlertBatteryLow AlertKind = "battery_low"
	// AlertRefusing is cleared by an accepted mission.
	AlertRefusing AlertKind = "refusing"
	// AlertFault is cleared by the vehicle's report that the fault is over.
	AlertFault AlertKind = "fault"
	// AlertZone is cleared when the vehicle has left the zone.
	AlertZone AlertKind = "zone_violation"
	// AlertCaughtInside says that a vehicle was in a zone when that came into
	// force, which is no violation; cleared when it has left, or when it is still
	// inside after CaughtGrace, which is one.
	AlertCaughtInside AlertKind = "caught_inside"
	// AlertZoneUnfit says that a zone that people made lies beyond a changed
	// chart; cleared when it is changed or removed.
	AlertZoneUnfit AlertKind = "zone_outside_chart"
	// AlertClock is cleared by a sample with a good time.
	AlertClock AlertKind = "clock_skew"
	// AlertImplausible says that the vehicle says it is where it cannot be; cleared
	// by AgreeingSamples plausible ones in a row. The last good place stays known
	// meanwhile, and the vehicle gets no new work.
	AlertImplausible AlertKind = "implausible_position"
	// AlertImplausibleSpeed says that it says it is faster than it can be; cleared
	// by as many samples without that.
	AlertImplausibleSpeed AlertKind = "implausible_speed"
	// AlertImplausibleBattery says that its charge rose at once without a charger;
	// cleared when it has not done so again for BatterySettled, or at a charger.
	// The vehicle gets no new work meanwhile.
	AlertImplausibleBattery AlertKind = "implausible_battery"
	// AlertDecide asks a person to decide on a stop; cleared by the decision or
	// by the vehicle's own report.
	AlertDecide AlertKind = "decision_needed"
	// AlertStoreLost says that the vehicle lost its reports; cleared when no
	// stop of it is in doubt any more.
	AlertStoreLost AlertKind = "store_lost"
	// AlertStranded says that a vehicle cannot reach a charger or its home. For
	// want of charge it is cleared by a charge above ChargeBelow; where ways are
	// closed its object is the zone or building in the way, or the rule, and it is
	// cleared when the vehicle has a way home again, or is there. Either is cleared
	// when it charges.
	AlertStranded AlertKind = "stranded"
	// AlertEpoch says that the vehicle has seen a newer owner; cleared when it
	// says otherwise.
	AlertEpoch AlertKind = "stale_epoch"
	// AlertUnanswered says that a live vehicle does not answer a mission;
	// cleared by its answer.
	AlertUnanswered AlertKind = "mission_unanswered"
	// AlertStillHeld says that a vehicle did not hear a person's resume before that
	// expired, and stays held; cleared when it is resumed, or held anew.
	AlertStillHeld AlertKind = "still_held"
	// AlertTaskFailed says that a task failed; a person clears it by
	// acknowledging.
	AlertTaskFailed AlertKind = "task_failed"
	// AlertEmergencyWaits says that an emergency has nobody; cleared by its
	// assignment or end.
	AlertEmergencyWaits AlertKind = "emergency_waits"
	// AlertWanted says that the vehicle to which a person gave a task cannot take
	// it; cleared when it does, or when the wish or the task ends.
	AlertWanted AlertKind = "wanted_waits"
	// AlertStopped stands while an emergency stop is in force.
	AlertStopped AlertKind = "fleet_stopped"
	// AlertIncidentUnreached: nobody has reached an incident in its time; its
	// object is the incident.
	AlertIncidentUnreached AlertKind = "incident_unreached"
)

// AlertKinds lists all kinds of alert.
func AlertKinds() []AlertKind {
	return []AlertKind{
		AlertLinkLost, AlertLowToLand, AlertBatteryLow, AlertRefusing, AlertFault, AlertZone, AlertCaughtInside, AlertZoneUnfit, AlertClock,
		AlertImplausible, AlertImplausibleSpeed, AlertImplausibleBattery, AlertDecide, AlertStoreLost, AlertStranded, AlertEpoch,
		AlertUnanswered, AlertStillHeld, AlertTaskFailed, AlertEmergencyWaits, AlertWanted, AlertStopped, AlertIncidentUnreached,
	}
}

// Severity is how bad it is.
type Severity string

// The severities.
const (
	Info     Severity = "info"
	Warning  Severity = "warning"
	Critical Severity = "critical"
)

// Alert is something that a person should know.
type Alert struct {
	ID       AlertID   `json:"id"`
	Kind     AlertKind `json:"kind"`
	Severity Severity  `json:"severity"`
	Vehicle  VehicleID `json:"vehicle,omitempty"`
	Task     TaskID    `json:"task,omitempty"`
	// Object is a zone or fault code, where one vehicle may have several.
	Object         string    `json:"object,omitempty"`
	Text           string    `json:"text"`
	RaisedAt       time.Time `json:"raised_at"`
	ClearedAt      time.Time `json:"cleared_at,omitzero"`
	ClearedBy      string    `json:"cleared_by,omitempty"`
	AcknowledgedBy string    `json:"acknowledged_by,omitempty"`
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"`
}

// Open tells whether the alert still stands.
func (a *Alert) Open() bool { return a.ClearedAt.IsZero() }

package api

import "time"

// IncidentReport says that something happened somewhere. The response of its
// kind turns it into tasks.
type IncidentReport struct {
	Kind     string    `json:"kind" minLength:"1" maxLength:"64" doc:"A kind that the fleet has a response for; GET /v1/responses lists them." example:"fire"`
	Position *Position `json:"position,omitempty" doc:"Exactly one of position, site and place."`
	Site     string    `json:"site,omitempty" maxLength:"64"`
	Place    string    `json:"place,omitempty" maxLength:"64"`
	RadiusM  float64   `json:"radius_m,omitempty" minimum:"0" maximum:"5000" doc:"Of the area to be searched, for kinds that search; the response's own when left out."`
	Severity string    `json:"severity,omitempty" enum:"minor,serious,critical" doc:"serious when left out."`
	Drill    bool      `json:"drill,omitempty" doc:"An exercise: it never displaces real work."`
	Note     string    `json:"note,omitempty" maxLength:"1024"`
}

// Incident is something that happened somewhere, and what is being done.
type Incident struct {
	ID         string         `json:"id"`
	Kind       string         `json:"kind"`
	Severity   string         `json:"severity" enum:"minor,serious,critical"`
	State      string         `json:"state" enum:"open,closed"`
	Drill      bool           `json:"drill,omitempty"`
	Position   Position       `json:"position"`
	Name       string         `json:"name,omitempty" doc:"Of the site or place."`
	RadiusM    float64        `json:"radius_m,omitempty"`
	Note       string         `json:"note,omitempty"`
	ReportedBy string         `json:"reported_by"`
	ReportedAt time.Time      `json:"reported_at"`
	ChangedAt  time.Time      `json:"changed_at"`
	ReachedAt  time.Time      `json:"reached_at,omitzero" doc:"When the first vehicle began its work there."`
	ClosedAt   time.Time      `json:"closed_at,omitzero"`
	ClosedBy   string         `json:"closed_by,omitempty"`
	Outcome    string         `json:"outcome,omitempty" doc:"What was said at its closing."`
	Escalated  int            `json:"escalated,omitempty" doc:"How often it was escalated."`
	Tasks      []IncidentTask `json:"tasks"`
	Revision   uint64         `json:"revision" doc:"Changes with every change; the ETag."`
}

// IncidentTask is one part of the response.
type IncidentTask struct {
	Task       string    `json:"task"`
	Role       string    `json:"role" doc:"What the response calls this part, e.g. overview."`
	State      string    `json:"state"`
	Vehicle    string    `json:"vehicle,omitempty"`
	ETA        time.Time `json:"eta,omitzero"`
	ReachedAt  time.Time `json:"reached_at,omitzero"`
	ReasonCode string    `json:"reason_code,omitempty"`
	Reason     string    `json:"reason,omitempty" doc:"Why it waits, failed or was cancelled."`
}

// IncidentEscalation makes an incident graver, or calls for the response's
// reinforcement.
type IncidentEscalation struct {
	Severity string `json:"severity,omitempty" enum:"minor,serious,critical" doc:"The new severity, not below the present one; the present one when left out."`
	Reason   string `json:"reason" minLength:"1" maxLength:"1024"`
}

// IncidentClosure ends an incident: its tasks that are not over are cancelled
// where that is possible.
type IncidentClosure struct {
	Outcome string `json:"outcome" minLength:"1" maxLength:"1024" doc:"What became of it, in words."`
}

// Response is what is done about a kind of incident.
type Response struct {
	Kind           string         `json:"kind"`
	Title          string         `json:"title"`
	RadiusM        float64        `json:"radius_m" doc:"What is searched where a report names no radius."`
	EscalateAfterS float64        `json:"escalate_after_s" doc:"After how long an alert tells that nobody has reached the place; 0 for never."`
	Tasks          []ResponseTask `json:"tasks"`
	Reinforcement  []ResponseTask `json:"reinforcement" doc:"What each escalation adds."`
}

// ResponseTask is one part of a response.
type ResponseTask struct {
	Role         string   `json:"role"`
	Action       string   `json:"action" enum:"visit,search"`
	Place        string   `json:"place" enum:"at,near,above" doc:"Where it goes, seen from the place of the incident."`
	VehicleKinds []string `json:"vehicle_kinds,omitempty"`
	Capabilities []string `json:"capabilities,omitempty"`
	// From is the least severity at which this part is sent.
	From    string  `json:"from" enum:"minor,serious,critical" doc:"The least severity at which this part is sent."`
	WorkS   float64 `json:"work_s"`
	HeightM float64 `json:"height_m,omitempty" doc:"Of aircraft above what is below them."`
}

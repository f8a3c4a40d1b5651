package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
)

// IncidentState is whether an incident is still going on.
type IncidentState string

// The states of an incident.
const (
	IncidentOpen   IncidentState = "open"
	IncidentClosed IncidentState = "closed"
)

// Gravity is how bad an incident is.
type Gravity string

// The gravities, from least to greatest.
const (
	Minor   Gravity = "minor"
	Serious Gravity = "serious"
	Grave   Gravity = "critical"
)

// Incident is something that happened somewhere. Its tasks name it.
type Incident struct {
	ID         IncidentID     `json:"id"`
	Kind       string         `json:"kind"`
	Severity   Gravity        `json:"severity"`
	State      IncidentState  `json:"state"`
	Drill      bool           `json:"drill,omitempty"`
	At         space.Position `json:"at"`
	Name       string         `json:"name,omitempty"`
	RadiusM    float64        `json:"radius_m,omitempty"`
	Note       string         `json:"note,omitempty"`
	ReportedBy string         `json:"reported_by"`
	ReportedAt time.Time      `json:"reported_at"`
	// ReachedAt is when the first vehicle began its work there.
	ReachedAt time.Time `json:"reached_at,omitzero"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	ClosedBy  string    `json:"closed_by,omitempty"`
	Outcome   string    `json:"outcome,omitempty"`
	// Escalated counts escalations.
	Escalated int `json:"escalated,omitempty"`
	// Tasks are those of the response, in its order.
	Tasks []TaskID `json:"tasks"`
	// Revision is the index of the last event that changed it.
	Revision  uint64    `json:"revision"`
	ChangedAt time.Time `json:"changed_at"`
}

// Open tells whether the incident still goes on.
func (i *Incident) Open() bool { return i.State == IncidentOpen }

func (f *Fleet) reportIncident(a ReportIncident) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) escalateIncident(a EscalateIncident) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) closeIncident(a CloseIncident) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

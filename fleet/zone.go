package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// ZoneRecord is what people did to a zone: one that they made, or one of the
// chart that they changed or suspended. A record takes the place of the chart's
// zone of the same id.
type ZoneRecord struct {
	ID        ZoneID     `json:"id"`
	Zone      chart.Zone `json:"zone"`
	Suspended bool       `json:"suspended,omitempty"`
	// Removed marks a zone of the chart that people took away.
	Removed   bool      `json:"removed,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	ChangedBy string    `json:"changed_by"`
	ChangedAt time.Time `json:"changed_at"`
	// Revision is the index of the last event that changed it.
	Revision uint64 `json:"revision"`
}

func (f *Fleet) putZone(a PutZone) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) suspendZone(a SuspendZone) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

func (f *Fleet) removeZone(a RemoveZone) Answer {
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", a))
}

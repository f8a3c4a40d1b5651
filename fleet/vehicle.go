package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Vehicle is what is durably known of a vehicle.
type Vehicle struct {
	ID           VehicleID      `json:"id"`
	Kind         protocol.Kind  `json:"kind"`
	Model        string         `json:"model"`
	Capabilities []string       `json:"capabilities,omitempty"`
	MaxLoadKg    float64        `json:"max_load_kg,omitempty"`
	MaxLegs      int            `json:"max_legs,omitempty"`
	Spec         motion.Spec    `json:"spec"`
	Home         space.Position `json:"home"`
	HomeSite     SiteID         `json:"home_site,omitempty"`
	HomeKnown    bool           `json:"home_known,omitempty"`

	// OutOfService is empty while the vehicle may work, else the reason.
	OutOfService string `json:"out_of_service,omitempty"`
	// GivesUp says that, out of service, it gives up the work that it has not
	// begun and does not carry.
	GivesUp bool `json:"gives_up,omitempty"`
	// Blocked is the command by which a person keeps it from new work until a
	// resume.
	Blocked CommandID `json:"blocked,omitempty"`
	// TakenOver is set while a person has the vehicle in hand: Kapok leaves it
	// alone.
	TakenOver *Takeover `json:"taken_over,omitempty"`
	// Faults are the open faults by code.
	Faults map[string]string `json:"faults,omitempty"`

	// Mission is the open mission, empty for none.
	Mission MissionID `json:"mission,omitempty"`
	// LastMission is the mission that ended last; the vehicle is told so.
	LastMission MissionID `json:"last_mission,omitempty"`
	// Logs are the report stores that the vehicle used, the present one last;
	// at most MaxLogs.
	Logs []ReportLog `json:"logs,omitempty"`
	// Charger is the charger that it uses or waits for.
	Charger SiteID `json:"charger,omitempty"`
	// Commands are those that are not over, oldest first.
	Commands []CommandID `json:"commands,omitempty"`
	// Refusals are recent refusals by task; RefusedInARow counts them since the
	// last acceptance.
	Refusals      map[TaskID]Refusal `json:"refusals,omitempty"`
	RefusedInARow int                `json:"refused_in_a_row,omitempty"`
	// Suspended is set after a second refusal in a row, until a person or an
	// accepted mission clears it.
	Suspended bool `json:"suspended,omitempty"`
	// EpochAbove is the higher epoch that the vehicle says it has seen.
	EpochAbove uint64 `json:"epoch_above,omitempty"`
	// Revision is the index of the last durable event that concerned it.
	Revision uint64 `json:"revision"`
}

// MaxLogs is how many report stores of a vehicle are remembered; the oldest is
// forgotten beyond it.
const MaxLogs = 4

// MaxRefusals is how many refused tasks of a vehicle are remembered; beyond it
// the one that may be offered again first is forgotten, and may be offered.
const MaxRefusals = 256

// ReportLog is how far one report store has been taken in.
type ReportLog struct {
	ID  string `json:"id"`
	Seq uint64 `json:"seq"`
}

// Refusal keeps a task from being offered again too soon.
type Refusal struct {
	Until  time.Time `json:"until"`
	Times  int       `json:"times"`
	Reason string    `json:"reason"`
}

// Log is the present report store.
func (v *Vehicle) Log() (ReportLog, bool) {
	if len(v.Logs) == 0 {
		return ReportLog{}, false
	}
	return v.Logs[len(v.Logs)-1], true
}

func (v *Vehicle) clone() *Vehicle {
	c := *v
	return &c
}

// LinkState is whether the vehicle is being heard.
type LinkState string

// The states of a link.
const (
	LinkUnknown LinkState = "unknown"
	LinkLive    LinkState = "live"
	LinkLate    LinkState = "late"
	LinkLost    LinkState = "lost"
)

// Presence is what is known of a vehicle until the process ends.
type Presence struct {
	Link    LinkState `json:"link"`
	Session SessionID `json:"session,omitempty"`
	// LastHeard is when a frame last came; LinkEnd when Kapok stopped sending,
	// zero while a session is open.
	LastHeard time.Time `json:"last_heard,omitzero"`
	LinkEnd   time.Time `json:"link_end,omitzero"`
	// Known tells whether Sample holds anything, Fresh whether it came in the
	// present session.
	Known  bool            `json:"known,omitempty"`
	Fresh  bool            `json:"fresh,omitempty"`
	Sample protocol.Sample `json:"sample"`
	// Holds is the revision that the vehicle held when it logged in, as
	// "mission/revision".
	Holds string `json:"holds,omitempty"`
	// Since is when the session or the silence began.
	Since time.Time `json:"since,omitzero"`
	// Zones are the ids of the zones that it is in, sorted.
	Zones []string `json:"zones,omitempty"`

	// era is Volatile's when it was put there, and entry the digest's of it.
	era   uint64
	entry *entry
}

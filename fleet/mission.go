package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Leg is a way to a place and the work there. Path is never changed in place.
type Leg struct {
	ID     LegID             `json:"id"`
	Task   TaskID            `json:"task,omitempty"`
	Stop   int               `json:"stop,omitempty"` // index into Task.Stops
	Site   SiteID            `json:"site,omitempty"`
	Action protocol.Action   `json:"action"`
	State  protocol.LegState `json:"state"`
	Path   []space.Position  `json:"path"`

	// SpeedMPS is the greatest planned ground speed on the path, SpeedsMPS that
	// of each segment, empty for SpeedMPS on all; never changed in place.
	SpeedMPS  float64   `json:"speed_mps"`
	SpeedsMPS []float64 `json:"speeds_mps,omitempty"`
	WorkS     float64   `json:"work_s,omitempty"`
	NotBefore time.Time `json:"not_before,omitzero"`
	LoadKg    float64   `json:"load_kg,omitempty"`
	// StartedAt is when the vehicle set out, zero before.
	StartedAt time.Time `json:"started_at,omitzero"`
	// ETA is the planned arrival, EndsAt when the work is planned to be over.
	ETA    time.Time `json:"eta"`
	EndsAt time.Time `json:"ends_at"`
	// EnergyWh is what way and work are planned to take.
	EnergyWh float64 `json:"energy_wh"`
	// LandWh is what it takes an aircraft at most to come down somewhere lawful from
	// anywhere on the path, the reserve not counted; 0 where nobody reckoned it.
	LandWh        float64 `json:"land_wh,omitempty"`
	ChargeToRatio float64 `json:"charge_to_ratio,omitempty"`
}

// Final tells whether the leg is over, one way or another.
func (l *Leg) Final() bool {
	return l.State == protocol.LegDone || l.State == protocol.LegFailed
}

// End is where the leg ends.
func (l *Leg) End() space.Position { return l.Path[len(l.Path)-1] }

// Mission is what one vehicle is told to do, covering all its tasks. A vehicle
// has at most one that is not ended.
type Mission struct {
	ID      MissionID             `json:"id"`
	Vehicle VehicleID             `json:"vehicle"`
	State   protocol.MissionState `json:"state"`
	Reason  Reason                `json:"reason,omitzero"`
	// Revision is that of Legs; Accepted the last one that the vehicle accepted,
	// 0 for none; Latest the highest ever issued (a refused one included).
	Revision int   `json:"revision"`
	Accepted int   `json:"accepted"`
	Latest   int   `json:"latest"`
	Legs     []Leg `json:"legs"`
	// Previous are the legs in force while Revision is unanswered.
	Previous []Leg `json:"previous,omitempty"`
	// PreviousWindow and PreviousSafeEnd belong to Previous.
	PreviousWindow  int  `json:"previous_window,omitempty"`
	PreviousSafeEnd *Leg `json:"previous_safe_end,omitempty"`
	// Sent are revisions after the accepted one that were replaced before they
	// were answered; the vehicle may hold one of them. At most MaxSent, the
	// oldest forgotten beyond it.
	Sent []SentPlan `json:"sent,omitempty"`
	// RefusedAt is when the vehicle last refused a revision, RefusedTimes how
	// often in a row; the next one of Kapok's own accord waits.
	RefusedAt    time.Time `json:"refused_at,omitzero"`
	RefusedTimes int       `json:"refused_times,omitempty"`
	// Window is how many of Legs the present revision carries, followed by
	// SafeEnd; 0 means all of them, which end safely by themselves.
	Window  int  `json:"window,omitempty"`
	SafeEnd *Leg `json:"safe_end,omitempty"`
	// Dropped are legs of earlier revisions that may still be reported on; at
	// most MaxDropped, the oldest forgotten beyond it.
	Dropped []DroppedLeg `json:"dropped,omitempty"`
	// NextLeg numbers the next leg id.
	NextLeg  int       `json:"next_leg"`
	IssuedAt time.Time `json:"issued_at"`
	EndedAt  time.Time `json:"ended_at,omitzero"`
	// Issued is the index of the event that issued the present revision.
	Issued uint64 `json:"issued,omitempty"`
}

// MaxSent is how many unanswered revisions a mission remembers.
const MaxSent = 4

// SentPlan is a revision that was replaced before it was answered.
type SentPlan struct {
	Revision int   `json:"revision"`
	Legs     []Leg `json:"legs"`
	Window   int   `json:"window,omitempty"`
	SafeEnd  *Leg  `json:"safe_end,omitempty"`
}

// sent finds an unanswered revision that was replaced.
func (m *Mission) sent(revision int) (SentPlan, bool) {
	for i := range m.Sent {
		if m.Sent[i].Revision == revision {
			return m.Sent[i], true
		}
	}
	return SentPlan{}, false
}

// plans lists the legs of every revision that the vehicle may hold.
func (m *Mission) plans() [][]Leg {
	plans := [][]Leg{m.Legs}
	if m.Previous != nil {
		plans = append(plans, m.Previous)
	}
	for i := range m.Sent {
		plans = append(plans, m.Sent[i].Legs)
	}
	return plans
}

// MaxDropped is how many dropped legs a mission remembers.
const MaxDropped = 64

// DroppedLeg is what stays known of a leg that a revision left out.
type DroppedLeg struct {
	ID   LegID  `json:"id"`
	Task TaskID `json:"task"`
	Stop int    `json:"stop"`
}

// Answered tells whether the vehicle has accepted the present revision.
func (m *Mission) Answered() bool { return m.Revision == m.Accepted }

// Open tells whether the mission is not ended.
func (m *Mission) Open() bool { return m.State != protocol.MissionEnded }

// Current is the index of the first leg that is not final; len(Legs) when all
// are.
func (m *Mission) Current() int { return current(m.Legs) }

func current(legs []Leg) int {
	for i := range legs {
		if !legs[i].Final() {
			return i
		}
	}
	return len(legs)
}

// LegIndex finds a leg by id.
func (m *Mission) LegIndex(id LegID) (int, bool) {
	for i := range m.Legs {
		if m.Legs[i].ID == id {
			return i, true
		}
	}
	return 0, false
}

// Tasks lists the tasks with a leg that is not final, in order of their legs.
func (m *Mission) Tasks() []TaskID {
	var ids []TaskID
	for i := range m.Legs {
		l := &m.Legs[i]
		if l.Task == "" || l.Final() || contains(ids, l.Task) {
			continue
		}
		ids = append(ids, l.Task)
	}
	return ids
}

// leads tells whether a task has a leg that is not final.
func (m *Mission) leads(task TaskID) bool {
	for i := range m.Legs {
		if l := &m.Legs[i]; l.Task == task && !l.Final() {
			return true
		}
	}
	return false
}

func (m *Mission) clone() *Mission {
	c := *m
	c.Legs = append([]Leg(nil), m.Legs...)
	return &c
}

func contains[T comparable](list []T, x T) bool {
	for _, y := range list {
		if x == y {
			return true
		}
	}
	return false
}

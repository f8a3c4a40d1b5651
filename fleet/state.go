package fleet

import (
	"encoding/json"
	"time"
)

// State is all that a fleet knows.
type State struct {
	Durable  Durable
	Volatile Volatile

	// looked is what Look returned last.
	looked *State
}

// Durable is the fold of all durable events.
type Durable struct {
	// Index is that of the last durable event; Time its time.
	Index uint64    `json:"index"`
	Time  time.Time `json:"time"`
	// Epoch is that of the present ownership.
	Epoch uint64 `json:"epoch"`
	// Chart is the checksum of the chart that missions were planned on.
	Chart    string                  `json:"chart"`
	Counters Counters                `json:"counters"`
	Vehicles map[VehicleID]*Vehicle  `json:"vehicles"`
	Tasks    map[TaskID]*Task        `json:"tasks"`
	Missions map[MissionID]*Mission  `json:"missions"`
	Commands map[CommandID]*Command  `json:"commands"`
	Alerts   map[AlertID]*Alert      `json:"alerts"`
	Queues   map[SiteID]*Queue       `json:"queues"`
	Answers  map[string]*GivenAnswer `json:"answers"`
	// Incidents are those that are open or were closed less than FinalKept ago.
	Incidents map[IncidentID]*Incident `json:"incidents,omitempty"`
	// Zones are what people did to zones; the chart's own that nobody touched
	// are not among them.
	Zones map[ZoneID]*ZoneRecord `json:"zones,omitempty"`
	// Freeze is the emergency stop in force, nil for none.
	Freeze *Freeze `json:"freeze,omitempty"`
	// Conditions are the wind and closed streets, nil while nobody has given any.
	Conditions *Conditions `json:"conditions,omitempty"`

	digest *Digest
	index  *index
	marks  *marks
}

// Counters give out ids.
type Counters struct {
	Task     uint64 `json:"task"`
	Mission  uint64 `json:"mission"`
	Command  uint64 `json:"command"`
	Alert    uint64 `json:"alert"`
	Incident uint64 `json:"incident,omitempty"`
	Zone     uint64 `json:"zone,omitempty"`
}

// Queue is who uses a charger and who waits for it, in order of arrival.
type Queue struct {
	Using   []VehicleID `json:"using,omitempty"`
	Waiting []VehicleID `json:"waiting,omitempty"`
}

// GivenAnswer is the answer to a request with an idempotency key. It is kept
// for AnswersKept.
type GivenAnswer struct {
	BodyHash string          `json:"body_hash"`
	Status   int             `json:"status"`
	Body     json.RawMessage `json:"body"`
	At       time.Time       `json:"at"`
}

// Volatile is what a restart loses.
type Volatile struct {
	Presences map[VehicleID]*Presence `json:"presences"`
	// Questions are tasks that the background planner was asked about.
	Questions map[TaskID]*Question `json:"questions"`

	digest *Digest
	marks  *marks
	// era counts, from 1 on, the copies that share presences: those put there since are
	// nobody else's, and samples change them in place. It is 0 in a copy, of which
	// others may make copies meanwhile.
	era uint64
}

// NewState is the state before the first event.
func NewState() *State {
	return &State{
		Durable: Durable{
			Vehicles:  map[VehicleID]*Vehicle{},
			Tasks:     map[TaskID]*Task{},
			Missions:  map[MissionID]*Mission{},
			Commands:  map[CommandID]*Command{},
			Alerts:    map[AlertID]*Alert{},
			Queues:    map[SiteID]*Queue{},
			Answers:   map[string]*GivenAnswer{},
			Incidents: map[IncidentID]*Incident{},
			Zones:     map[ZoneID]*ZoneRecord{},
		},
		Volatile: newVolatile(),
	}
}

func newVolatile() Volatile {
	return Volatile{Presences: map[VehicleID]*Presence{}, Questions: map[TaskID]*Question{}, era: 1}
}

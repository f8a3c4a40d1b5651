package fleet

import (
	"encoding/json"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
)

// Effect is something to do outside, once the events before it are durable.
//
//sumtype:decl
type Effect interface{ effect() }

// Welcome answers a Hello; the session fills in the times.
type Welcome struct {
	Vehicle VehicleID
	Session SessionID
	Message protocol.Welcome
}

// Owe tells a session all that its vehicle is owed now. The session sends what
// it has not sent yet.
type Owe struct {
	Vehicle VehicleID
	Session SessionID
	Owed    Owed
}

// Owed is what a vehicle must be told: a function of Durable.
type Owed struct {
	// Mission is the revision in force or proposed, nil when no mission is open.
	Mission *protocol.Mission
	// Ended names missions that the vehicle may still hold and that are over.
	Ended []protocol.Mission
	// Commands are those not yet answered, oldest first.
	Commands []protocol.Command
	// LogID and Seq confirm reports.
	LogID string
	Seq   uint64
}

// CloseLink ends a session with an error message.
type CloseLink struct {
	Vehicle VehicleID
	Session SessionID
	Code    string
	Text    string
}

// Reply answers an Asked.
type Reply struct {
	Request RequestID
	Answer  Answer
}

// Answer is what a request gets. Either Problem is set or Body, which is the
// JSON of the shape named at the Ask.
type Answer struct {
	Status  int
	Body    json.RawMessage
	Problem *Problem
	// Repeated says that this is the stored answer to an earlier request.
	Repeated bool
}

// Problem says why a request was refused.
type Problem struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
	Field  string `json:"field,omitempty"`
}

// Think asks the background planner. It needs no durability, and its answer
// comes back as PlanReady.
type Think struct{ Question Question }

// Question is a dispatch that was too long to be planned at once. It names the
// revisions that it was asked on: what changed meanwhile is asked again.
type Question struct {
	Task         TaskID             `json:"task"`
	TaskRevision uint64             `json:"task_revision"`
	Vehicles     []VehicleID        `json:"vehicles"`
	Revisions    []uint64           `json:"revisions"`
	Job          assign.Job         `json:"-"`
	Candidates   []assign.Candidate `json:"-"`
	// Without are the tasks that each candidate gives up, and Rounds where the
	// candidates of each round end: a later round is looked at when those before
	// it have nobody. Both are empty when nobody gives up anything.
	Without [][]TaskID `json:"without,omitempty"`
	Rounds  []int      `json:"rounds,omitempty"`
	// Zones is the index of the last event that had changed a zone when it was
	// asked.
	Zones uint64 `json:"zones,omitempty"`
	// Conditions is the revision of the conditions in force when it was asked.
	Conditions uint64 `json:"conditions,omitempty"`
}

func (Welcome) effect()   {}
func (Owe) effect()       {}
func (CloseLink) effect() {}
func (Reply) effect()     {}
func (Think) effect()     {}

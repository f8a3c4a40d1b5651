package agent

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// Store is what a vehicle keeps over its reboots. A wiped one is replaced by
// NewStore with another log id. It belongs to the agent.
type Store struct {
	// LogID names the numbering of reports; LastSeq is the last number used.
	LogID   string
	LastSeq uint64
	// Reports are those that Kapok has not confirmed, in the order of numbers.
	Reports []Report
	// Epoch is the highest seen.
	Epoch uint64
	// Mission is the one held, nil for none; Held says that a person holds it.
	Mission *Mission
	Held    bool
	// Motion is the return or land command being carried out, nil for none.
	Motion *protocol.Command
	// LastCommand is the last one accepted; Answered the last ones answered.
	LastCommand string
	Answered    []string
	// Ended are the last missions whose end was acknowledged.
	Ended []string
	// Heard is the sending time of the newest frame from Kapok, on Kapok's
	// clock. Behind is Kapok's clock minus the vehicle's, at most as much too
	// great as the exchange of times took, so that authority ends early rather
	// than late.
	Heard  time.Time
	Behind time.Duration
	Synced bool
	// LowBattery says that the fault of that name was reported and is not cleared.
	LowBattery bool
}

// Report is a numbered message.
type Report struct {
	Seq     uint64
	Message protocol.FromVehicle
}

// Mission is the accepted revision with what the vehicle knows of its legs.
type Mission struct {
	protocol.Mission
	// Own has one entry for each leg.
	Own []OwnLeg
}

// OwnLeg is how far the vehicle itself is with a leg.
type OwnLeg struct {
	State protocol.LegState
	// WorkedS is how long it has worked there.
	WorkedS float64
	// Abandoned says that the task authority ended before the work was begun:
	// only a newer revision allows it again. Passed says that an abandoned
	// leg's way has been travelled on the way to safety.
	Abandoned, Passed bool
	// leaveAt is when the place of an abandoned stop is left, zero before the vehicle
	// is there.
	leaveAt time.Time
	// way is the leg's path in the frame, nil when it was not needed yet.
	way []space.XYZ
}

// remembered is how many ended missions and answered commands are kept.
const remembered = 16

// NewStore is an empty store with a name for its numbering.
func NewStore(logID string) *Store { return &Store{LogID: logID} }

// add numbers a report and keeps it until it is confirmed.
func (s *Store) add(m protocol.FromVehicle) {
	s.LastSeq++
	s.Reports = append(s.Reports, Report{Seq: s.LastSeq, Message: numbered(m, s.LastSeq)})
}

// numbered puts the number into a report.
func numbered(m protocol.FromVehicle, seq uint64) protocol.FromVehicle {
	switch m := m.(type) {
	case protocol.Ack:
		m.Seq = seq
		return m
	case protocol.Progress:
		m.Seq = seq
		return m
	case protocol.Fault:
		m.Seq = seq
		return m
	case protocol.Hello, protocol.Telemetry:
	}
	return m
}

// confirm drops the reports up to seq, when they are of this store.
func (s *Store) confirm(logID string, seq uint64) {
	if logID != s.LogID {
		return
	}
	n := 0
	for n < len(s.Reports) && s.Reports[n].Seq <= seq {
		n++
	}
	s.Reports = slices.Delete(s.Reports, 0, n)
}

// remember appends to a short list and drops its oldest entries.
func remember(list []string, id string) []string {
	list = append(list, id)
	if len(list) > remembered {
		list = slices.Delete(list, 0, len(list)-remembered)
	}
	return list
}

// over tells whether nothing is left to do or travel for the leg.
func (o *OwnLeg) over() bool {
	return o.State == protocol.LegDone || o.State == protocol.LegFailed || o.Passed
}

// current is the index of the first leg that is not over; len(Legs) when all
// are.
func (m *Mission) current() int {
	for i := range m.Own {
		if !m.Own[i].over() {
			return i
		}
	}
	return len(m.Own)
}

// begun returns the leg whose work has been begun and not finished.
func (m *Mission) begun() (leg *protocol.Leg, ok bool) {
	i := m.current()
	if i < len(m.Own) && m.Own[i].State == protocol.LegBegun && m.Legs[i].Task != "" {
		return &m.Legs[i], true
	}
	return nil, false
}

// own returns what is known of a leg by its id. Its way is known only as long as
// its path is the same.
func (m *Mission) own(leg *protocol.Leg) (OwnLeg, bool) {
	for i := range m.Legs {
		if m.Legs[i].ID != leg.ID {
			continue
		}
		own := m.Own[i]
		if !slices.Equal(m.Legs[i].Path, leg.Path) {
			own.way = nil
		}
		return own, true
	}
	return OwnLeg{}, false
}

package fleet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// envelope is a recorded event as it is journaled.
type envelope struct {
	Index uint64          `json:"index"`
	Time  time.Time       `json:"time"`
	Actor string          `json:"actor"`
	Cause uint64          `json:"cause,omitempty"`
	Input string          `json:"input"`
	Type  string          `json:"type"`
	Data  json.RawMessage `json:"data"`
}

// writtenEvent is envelope with its data not yet written.
type writtenEvent struct {
	Index uint64    `json:"index"`
	Time  time.Time `json:"time"`
	Actor string    `json:"actor"`
	Cause uint64    `json:"cause,omitempty"`
	Input string    `json:"input"`
	Type  string    `json:"type"`
	Data  Event     `json:"data"`
}

// EncodeEvent writes a recorded event as one JSON object, the form in which
// durable events are journaled and served.
func EncodeEvent(r Recorded) ([]byte, error) {
	frame, err := json.Marshal(writtenEvent{r.Index, r.Time, r.Actor, r.Cause, r.Input, r.Event.EventName(), r.Event})
	if err != nil {
		return nil, fmt.Errorf("fleet: encode event %d (%s): %w", r.Index, r.Event.EventName(), err)
	}
	return frame, nil
}

// readEvent is envelope with its data read at once.
type readEvent[T Event] struct {
	Index uint64    `json:"index"`
	Time  time.Time `json:"time"`
	Actor string    `json:"actor"`
	Cause uint64    `json:"cause"`
	Input string    `json:"input"`
	Type  string    `json:"type"`
	Data  T         `json:"data"`
}

// DecodeEvent reads what EncodeEvent wrote. An unknown event type is an error:
// the journal was written by a newer version.
func DecodeEvent(frame []byte) (Recorded, error) {
	if t, ok := durableEvent(typeAhead(frame)); ok {
		if r, ok := t.whole(frame); ok {
			return r, nil
		}
	}
	var e envelope
	if err := json.Unmarshal(frame, &e); err != nil {
		return Recorded{}, fmt.Errorf("fleet: decode event: %w", err)
	}
	t, ok := durableEvent([]byte(e.Type))
	if !ok {
		return Recorded{}, fmt.Errorf("fleet: decode event %d: unknown event type %q: written by a newer version of Kapok", e.Index, e.Type)
	}
	event, err := t.data(e.Data)
	if err != nil {
		return Recorded{}, fmt.Errorf("fleet: decode event %d: %w", e.Index, err)
	}
	return Recorded{e.Index, e.Time, e.Actor, e.Cause, e.Input, event}, nil
}

// typeAhead finds the type of an event that is written as EncodeEvent does, with
// its data right behind it; it is empty, or wrong, for another. Within texts quotes
// are escaped, so that none looks like the field.
func typeAhead(frame []byte) []byte {
	_, rest, _ := bytes.Cut(frame, []byte(`,"type":"`))
	name, data, _ := bytes.Cut(rest, []byte(`"`))
	if !bytes.HasPrefix(data, []byte(`,"data":{`)) {
		return nil
	}
	return name
}

// eventType is how events of one type are read.
type eventType interface {
	name() string
	// whole reads data and what stands around them at once, which takes half the
	// time, and fails for what EncodeEvent has not written; data reads them alone.
	whole(frame []byte) (Recorded, bool)
	data(data []byte) (Event, error)
}

type typeOf[T Event] struct{}

func (typeOf[T]) name() string {
	var event T
	return event.EventName()
}

func (typeOf[T]) whole(frame []byte) (Recorded, bool) {
	var e readEvent[T]
	err := json.Unmarshal(frame, &e)
	return Recorded{e.Index, e.Time, e.Actor, e.Cause, e.Input, e.Data}, err == nil && e.Type == e.Data.EventName()
}

func (t typeOf[T]) data(data []byte) (Event, error) {
	var event T
	if err := json.Unmarshal(data, &event); err != nil {
		return nil, fmt.Errorf("%s: %w", t.name(), err)
	}
	return event, nil
}

func durableEvent(name []byte) (eventType, bool) {
	for _, t := range durableEvents() {
		if t.name() == string(name) {
			return t, true
		}
	}
	return nil, false
}

// durableEvents is the table of all event types that may stand in a journal.
func durableEvents() [36]eventType {
	return [...]eventType{
		typeOf[FleetRecovered]{},
		typeOf[VehicleRegistered]{},
		typeOf[VehicleServiceChanged]{},
		typeOf[VehicleBlocked]{},
		typeOf[VehicleRefused]{},
		typeOf[VehicleFaulted]{},
		typeOf[EpochSeen]{},
		typeOf[LogOpened]{},
		typeOf[ReportTaken]{},
		typeOf[TaskOrdered]{},
		typeOf[TaskChanged]{},
		typeOf[TaskCancelWanted]{},
		typeOf[StopChanged]{},
		typeOf[LoadChanged]{},
		typeOf[MissionIssued]{},
		typeOf[MissionAnswered]{},
		typeOf[MissionChanged]{},
		typeOf[LegChanged]{},
		typeOf[CommandOrdered]{},
		typeOf[CommandChanged]{},
		typeOf[QueueChanged]{},
		typeOf[AlertRaised]{},
		typeOf[AlertCleared]{},
		typeOf[AlertAcknowledged]{},
		typeOf[AnswerGiven]{},
		typeOf[IncidentReported]{},
		typeOf[IncidentChanged]{},
		typeOf[ZoneChanged]{},
		typeOf[ZoneRemoved]{},
		typeOf[ConditionsChanged]{},
		typeOf[VehicleTakenOver]{},
		typeOf[TaskRanked]{},
		typeOf[TaskWanted]{},
		typeOf[FleetStopped]{},
		typeOf[FleetReleased]{},
		typeOf[Archived]{},
	}
}

// EventNames lists the names of all events, durable ones first.
func EventNames() []string {
	var names []string
	for _, t := range durableEvents() {
		names = append(names, t.name())
	}
	slices.Sort(names)
	for _, e := range [...]Event{VolatileCleared{}, LinkChanged{}, Moved{}, ZonesChanged{}, PlanWanted{}, PlanDropped{}} {
		names = append(names, e.EventName())
	}
	return names
}

// EncodeDurable writes the durable state, the content of a snapshot.
func EncodeDurable(d *Durable) ([]byte, error) {
	data, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("fleet: encode snapshot at event %d: %w", d.Index, err)
	}
	return data, nil
}

// DecodeDurable reads what EncodeDurable wrote.
func DecodeDurable(data []byte) (Durable, error) {
	d := NewState().Durable
	if err := json.Unmarshal(data, &d); err != nil {
		return Durable{}, fmt.Errorf("fleet: decode snapshot: %w", err)
	}
	return d, nil
}

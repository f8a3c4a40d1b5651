package fleet

import (
	"encoding/json"
	"fmt"
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

// DecodeEvent reads what EncodeEvent wrote. An unknown event type is an error:
// the journal was written by a newer version.
func DecodeEvent(frame []byte) (Recorded, error) {
	var e envelope
	if err := json.Unmarshal(frame, &e); err != nil {
		return Recorded{}, fmt.Errorf("fleet: decode event: %w", err)
	}
	event, err := decodeData(e.Type, e.Data)
	if err != nil {
		return Recorded{}, fmt.Errorf("fleet: decode event %d: %w", e.Index, err)
	}
	return Recorded{e.Index, e.Time, e.Actor, e.Cause, e.Input, event}, nil
}

func decodeAs[T Event](data []byte) (Event, error) {
	var event T
	if err := json.Unmarshal(data, &event); err != nil {
		return nil, fmt.Errorf("%s: %w", event.EventName(), err)
	}
	return event, nil
}

func decodeData(name string, data []byte) (Event, error) {
	decode, ok := durableEvents()[name]
	if !ok {
		return nil, fmt.Errorf("unknown event type %q: written by a newer version of Kapok", name)
	}
	return decode(data)
}

// durableEvents is the table of all event types that may stand in a journal.
func durableEvents() map[string]func([]byte) (Event, error) {
	return map[string]func([]byte) (Event, error){
		FleetRecovered{}.EventName():        decodeAs[FleetRecovered],
		VehicleRegistered{}.EventName():     decodeAs[VehicleRegistered],
		VehicleServiceChanged{}.EventName(): decodeAs[VehicleServiceChanged],
		VehicleBlocked{}.EventName():        decodeAs[VehicleBlocked],
		VehicleRefused{}.EventName():        decodeAs[VehicleRefused],
		VehicleFaulted{}.EventName():        decodeAs[VehicleFaulted],
		EpochSeen{}.EventName():             decodeAs[EpochSeen],
		LogOpened{}.EventName():             decodeAs[LogOpened],
		ReportTaken{}.EventName():           decodeAs[ReportTaken],
		TaskOrdered{}.EventName():           decodeAs[TaskOrdered],
		TaskChanged{}.EventName():           decodeAs[TaskChanged],
		TaskCancelWanted{}.EventName():      decodeAs[TaskCancelWanted],
		StopChanged{}.EventName():           decodeAs[StopChanged],
		LoadChanged{}.EventName():           decodeAs[LoadChanged],
		MissionIssued{}.EventName():         decodeAs[MissionIssued],
		MissionAnswered{}.EventName():       decodeAs[MissionAnswered],
		MissionChanged{}.EventName():        decodeAs[MissionChanged],
		LegChanged{}.EventName():            decodeAs[LegChanged],
		CommandOrdered{}.EventName():        decodeAs[CommandOrdered],
		CommandChanged{}.EventName():        decodeAs[CommandChanged],
		QueueChanged{}.EventName():          decodeAs[QueueChanged],
		AlertRaised{}.EventName():           decodeAs[AlertRaised],
		AlertCleared{}.EventName():          decodeAs[AlertCleared],
		AlertAcknowledged{}.EventName():     decodeAs[AlertAcknowledged],
		AnswerGiven{}.EventName():           decodeAs[AnswerGiven],
		IncidentReported{}.EventName():      decodeAs[IncidentReported],
		IncidentChanged{}.EventName():       decodeAs[IncidentChanged],
		ZoneChanged{}.EventName():           decodeAs[ZoneChanged],
		ZoneRemoved{}.EventName():           decodeAs[ZoneRemoved],
		VehicleTakenOver{}.EventName():      decodeAs[VehicleTakenOver],
		TaskRanked{}.EventName():            decodeAs[TaskRanked],
		TaskWanted{}.EventName():            decodeAs[TaskWanted],
		FleetStopped{}.EventName():          decodeAs[FleetStopped],
		FleetReleased{}.EventName():         decodeAs[FleetReleased],
		Archived{}.EventName():              decodeAs[Archived],
	}
}

// EventNames lists the names of all events, durable ones first.
func EventNames() []string {
	names := sortedKeys(durableEvents())
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

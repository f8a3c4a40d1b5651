package server

import (
	"encoding/json"
	"fmt"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// subject is what an event is about, as far as a subscriber is shown it.
type subject struct {
	task     fleet.TaskID
	vehicle  fleet.VehicleID
	alert    fleet.AlertID
	command  fleet.CommandID
	incident fleet.IncidentID
	zone     fleet.ZoneID
}

// subjectOf names what an event changed. A vehicle is shown whenever anything
// durable in its shape changed, its mission and revision included; an incident
// also with its tasks, whose states it repeats.
func subjectOf(d *fleet.Durable, event fleet.Event) subject {
	switch e := event.(type) {
	case fleet.VehicleRegistered, fleet.VehicleServiceChanged, fleet.VehicleBlocked, fleet.VehicleRefused, fleet.VehicleFaulted,
		fleet.EpochSeen, fleet.LogOpened, fleet.ReportTaken, fleet.QueueChanged, fleet.VehicleTakenOver:
		return subject{vehicle: vehicleOf(e)}
	case fleet.TaskOrdered, fleet.TaskChanged, fleet.TaskCancelWanted, fleet.TaskRanked, fleet.TaskWanted,
		fleet.StopChanged, fleet.LoadChanged:
		return ofTask(d, taskOf(e))
	case fleet.MissionIssued:
		return subject{vehicle: e.Vehicle}
	case fleet.MissionAnswered:
		return ofMission(d, e.Mission)
	case fleet.MissionChanged:
		return ofMission(d, e.Mission)
	case fleet.LegChanged:
		return ofMission(d, e.Mission)
	case fleet.CommandOrdered:
		return subject{command: e.Command.ID, vehicle: e.Command.Vehicle}
	case fleet.CommandChanged:
		if c, ok := d.Commands[e.Command]; ok {
			return subject{command: e.Command, vehicle: c.Vehicle}
		}
	case fleet.AlertRaised:
		return subject{alert: e.Alert.ID}
	case fleet.AlertCleared:
		return subject{alert: e.Alert}
	case fleet.AlertAcknowledged:
		return subject{alert: e.Alert}
	case fleet.IncidentReported:
		return subject{incident: e.Incident.ID}
	case fleet.IncidentChanged:
		return subject{incident: e.Incident}
	case fleet.ZoneChanged:
		return subject{zone: e.Zone.ID}
	case fleet.ZoneRemoved:
		return subject{zone: e.Zone}
	case fleet.FleetRecovered, fleet.ConditionsChanged, fleet.FleetStopped, fleet.FleetReleased, fleet.AnswerGiven, fleet.Archived, fleet.VolatileCleared,
		fleet.LinkChanged, fleet.Moved, fleet.ZonesChanged, fleet.PlanWanted, fleet.PlanDropped:
	}
	return subject{}
}

func vehicleOf(event fleet.Event) fleet.VehicleID {
	switch e := event.(type) { //nolint:gochecksumtype // subjectOf is complete.
	case fleet.VehicleRegistered:
		return e.Vehicle.ID
	case fleet.VehicleServiceChanged:
		return e.Vehicle
	case fleet.VehicleBlocked:
		return e.Vehicle
	case fleet.VehicleRefused:
		return e.Vehicle
	case fleet.VehicleFaulted:
		return e.Vehicle
	case fleet.EpochSeen:
		return e.Vehicle
	case fleet.LogOpened:
		return e.Vehicle
	case fleet.ReportTaken:
		return e.Vehicle
	case fleet.QueueChanged:
		return e.Vehicle
	case fleet.VehicleTakenOver:
		return e.Vehicle
	default:
		return ""
	}
}

func taskOf(event fleet.Event) fleet.TaskID {
	switch e := event.(type) { //nolint:gochecksumtype // subjectOf is complete.
	case fleet.TaskOrdered:
		return e.Task.ID
	case fleet.TaskChanged:
		return e.Task
	case fleet.TaskCancelWanted:
		return e.Task
	case fleet.TaskRanked:
		return e.Task
	case fleet.TaskWanted:
		return e.Task
	case fleet.StopChanged:
		return e.Task
	case fleet.LoadChanged:
		return e.Task
	default:
		return ""
	}
}

func ofTask(d *fleet.Durable, id fleet.TaskID) subject {
	if t, ok := d.Tasks[id]; ok {
		return subject{task: id, incident: t.Incident}
	}
	return subject{task: id}
}

func ofMission(d *fleet.Durable, id fleet.MissionID) subject {
	if m, ok := d.Missions[id]; ok {
		return subject{vehicle: m.Vehicle}
	}
	return subject{}
}

// matters are the things that a subject names, as subscriptions tell them apart.
func matters(state *fleet.State, s subject) []matter {
	var all []matter
	if s.task != "" {
		all = append(all, taskMatter(state, s.task))
	}
	if s.vehicle != "" {
		all = append(all, vehicleMatter(state, s.vehicle, aboutVehicles))
	}
	if s.command != "" {
		// A command stays in the subscription wherever its vehicle goes, so that
		// who was told of it is also told what became of it.
		m := vehicleMatter(state, s.vehicle, aboutCommands)
		m.placed = false
		all = append(all, m)
	}
	if s.alert != "" {
		all = append(all, matter{topic: aboutAlerts})
	}
	if s.incident != "" {
		all = append(all, incidentMatter(state, s.incident))
	}
	if s.zone != "" {
		all = append(all, matter{topic: aboutZones})
	}
	return all
}

func vehicleMatter(state *fleet.State, id fleet.VehicleID, topic topics) matter {
	return presenceMatter(state.Durable.Vehicles[id], state.Volatile.Presences[id], topic)
}

// presenceMatter places a vehicle where it was last seen; both may be nil.
func presenceMatter(v *fleet.Vehicle, p *fleet.Presence, topic topics) matter {
	m := matter{topic: topic}
	if v != nil {
		m.kind = kindBit(v.Kind)
	}
	if p != nil && p.Known {
		m.placed, m.box = true, boxOf(space.Position(p.Sample.Position))
	}
	return m
}

func kindBit(kind protocol.Kind) vehicleKinds {
	return vehicleKinds(bitOf(string(kind), vehicleKindNames()))
}

// taskMatter places a task in the box around its stops.
func taskMatter(state *fleet.State, id fleet.TaskID) matter {
	m := matter{topic: aboutTasks}
	t, ok := state.Durable.Tasks[id]
	if !ok || len(t.Stops) == 0 {
		return m
	}
	m.placed, m.box = true, boxOf(t.Stops[0].At)
	for i := range t.Stops {
		m.box = m.box.add(t.Stops[i].At)
	}
	return m
}

func incidentMatter(state *fleet.State, id fleet.IncidentID) matter {
	m := matter{topic: aboutIncidents}
	if i, ok := state.Durable.Incidents[id]; ok {
		m.placed, m.box = true, boxOf(i.At)
	}
	return m
}

// keptEvent is an encoded event with what it is about.
type keptEvent struct {
	bytes []byte
	about []matter
}

// encodeStreamEvents encodes events in order; what several of them are about
// stands with the last. Who is told of a thing by one of the events is told by
// the last as well, since a thing is wanted or not whatever the event is.
func encodeStreamEvents(on *chart.Chart, state *fleet.State, events []fleet.Recorded) ([]keptEvent, error) {
	encoded := make([]keptEvent, len(events))
	told := map[string]bool{}
	for i := len(events) - 1; i >= 0; i-- {
		about := subjectOf(&state.Durable, events[i].Event)
		frame, err := encodeStreamEvent(on, state, events[i], about, told)
		if err != nil {
			return nil, err
		}
		encoded[i] = keptEvent{frame, matters(state, about)}
	}
	return encoded, nil
}

// encodeStreamEvent encodes an event with what it is about, unless a later event
// of the batch shows that already: told remembers it.
func encodeStreamEvent(on *chart.Chart, state *fleet.State, r fleet.Recorded, about subject, told map[string]bool) ([]byte, error) {
	frame, err := fleet.EncodeEvent(publicEvent(r))
	if err != nil {
		return nil, fmt.Errorf("server: stream event %d: %w", r.Index, err)
	}
	e := api.StreamEvent{Event: frame}
	e.Task = shown(told, about.task, state.TaskView)
	e.Vehicle = shown(told, about.vehicle, recordView(state))
	e.Alert = shown(told, about.alert, state.AlertView)
	e.Command = shown(told, about.command, state.CommandView)
	e.Incident = shown(told, about.incident, state.IncidentView)
	e.Zone = shown(told, about.zone, func(id fleet.ZoneID) (api.Zone, bool) { return state.ZoneView(on, id) })
	if frame, err = json.Marshal(e); err != nil {
		return nil, fmt.Errorf("server: stream event %d (%s): %w", r.Index, r.Event.EventName(), err)
	}
	return frame, nil
}

// recordView shows what is durable of a vehicle. An event may be sent again to
// who resumes, so what changes without events must not stand with it: it would
// be older than the positions that were sent meanwhile.
func recordView(state *fleet.State) func(fleet.VehicleID) (api.VehicleRecord, bool) {
	return func(id fleet.VehicleID) (api.VehicleRecord, bool) {
		v, ok := state.VehicleView(id)
		return v.Record(), ok
	}
}

// shown is the view of a thing, nil for none or one that is told already.
func shown[ID ~string, T any](told map[string]bool, id ID, view func(ID) (T, bool)) *T {
	key := fmt.Sprintf("%T %s", id, id)
	if id == "" || told[key] {
		return nil
	}
	told[key] = true
	v, ok := view(id)
	if !ok {
		return nil
	}
	return &v
}

// publicEvent is an event as it is shown: without the idempotency keys of other
// tokens and the answers that they were given.
func publicEvent(r fleet.Recorded) fleet.Recorded {
	if e, ok := r.Event.(fleet.AnswerGiven); ok {
		r.Event = fleet.AnswerGiven{Status: e.Status}
	}
	return r
}

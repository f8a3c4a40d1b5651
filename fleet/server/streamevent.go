package server

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// snapshotPart is how many things stand in one part of a snapshot.
const snapshotPart = 200

// subject is what an event is about, as far as a subscriber is shown it.
type subject struct {
	task    fleet.TaskID
	vehicle fleet.VehicleID
	alert   fleet.AlertID
	command fleet.CommandID
}

// subjectOf names what an event changed. The vehicle's own shape is shown when
// something durable about it changed, its mission included.
func subjectOf(event fleet.Event) subject {
	switch e := event.(type) {
	case fleet.VehicleRegistered:
		return subject{vehicle: e.Vehicle.ID}
	case fleet.VehicleServiceChanged:
		return subject{vehicle: e.Vehicle}
	case fleet.VehicleBlocked:
		return subject{vehicle: e.Vehicle}
	case fleet.VehicleRefused:
		return subject{vehicle: e.Vehicle}
	case fleet.VehicleFaulted:
		return subject{vehicle: e.Vehicle}
	case fleet.EpochSeen:
		return subject{vehicle: e.Vehicle}
	case fleet.TaskOrdered:
		return subject{task: e.Task.ID}
	case fleet.TaskChanged:
		return subject{task: e.Task}
	case fleet.TaskCancelWanted:
		return subject{task: e.Task}
	case fleet.StopChanged:
		return subject{task: e.Task}
	case fleet.LoadChanged:
		return subject{task: e.Task}
	case fleet.MissionIssued:
		return subject{vehicle: e.Vehicle}
	case fleet.CommandOrdered:
		return subject{command: e.Command.ID, vehicle: e.Command.Vehicle}
	case fleet.CommandChanged:
		return subject{command: e.Command}
	case fleet.QueueChanged:
		return subject{vehicle: e.Vehicle}
	case fleet.AlertRaised:
		return subject{alert: e.Alert.ID}
	case fleet.AlertCleared:
		return subject{alert: e.Alert}
	case fleet.AlertAcknowledged:
		return subject{alert: e.Alert}
	case fleet.FleetRecovered, fleet.LogOpened, fleet.ReportTaken, fleet.MissionAnswered, fleet.MissionChanged,
		fleet.LegChanged, fleet.AnswerGiven, fleet.Archived, fleet.VolatileCleared, fleet.LinkChanged, fleet.Moved,
		fleet.ZonesChanged, fleet.PlanWanted, fleet.PlanDropped:
	}
	return subject{}
}

// encodeStreamEvents encodes events in order; what several of them are about
// stands with the last.
func encodeStreamEvents(state *fleet.State, events []fleet.Recorded) ([][]byte, error) {
	encoded := make([][]byte, len(events))
	told := map[string]bool{}
	for i := len(events) - 1; i >= 0; i-- {
		frame, err := encodeStreamEvent(state, events[i], told)
		if err != nil {
			return nil, err
		}
		encoded[i] = frame
	}
	return encoded, nil
}

// encodeStreamEvent encodes an event with what it is about, unless a later event
// of the batch shows that already: told remembers it.
func encodeStreamEvent(state *fleet.State, r fleet.Recorded, told map[string]bool) ([]byte, error) {
	frame, err := fleet.EncodeEvent(publicEvent(r))
	if err != nil {
		return nil, fmt.Errorf("server: stream event %d: %w", r.Index, err)
	}
	e := api.StreamEvent{Event: frame}
	about := subjectOf(r.Event)
	e.Task = shown(told, about.task, state.TaskView)
	e.Vehicle = shown(told, about.vehicle, state.VehicleView)
	e.Alert = shown(told, about.alert, state.AlertView)
	e.Command = shown(told, about.command, state.CommandView)
	if frame, err = json.Marshal(e); err != nil {
		return nil, fmt.Errorf("server: stream event %d (%s): %w", r.Index, r.Event.EventName(), err)
	}
	return frame, nil
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

// snapshotFrames encodes the state in parts of a bounded size.
func snapshotFrames(view *engine.View) ([][]byte, error) {
	d := &view.State.Durable
	var parts []api.StreamSnapshot
	part := func() *api.StreamSnapshot {
		if n := len(parts); n > 0 {
			if p := &parts[n-1]; len(p.Vehicles)+len(p.Tasks)+len(p.Alerts) < snapshotPart {
				return p
			}
		}
		parts = append(parts, api.StreamSnapshot{Type: api.StreamSnapshotType, Index: view.Index, Time: view.At})
		return &parts[len(parts)-1]
	}
	part()
	for _, id := range inOrder(d.Vehicles) {
		if v, ok := view.State.VehicleView(id); ok {
			p := part()
			p.Vehicles = append(p.Vehicles, v)
		}
	}
	for _, id := range inOrder(d.Tasks) {
		if v, ok := view.State.TaskView(id); ok && !d.Tasks[id].State.Final() {
			p := part()
			p.Tasks = append(p.Tasks, v)
		}
	}
	for _, id := range inOrder(d.Alerts) {
		if v, ok := view.State.AlertView(id); ok && d.Alerts[id].Open() {
			p := part()
			p.Alerts = append(p.Alerts, v)
		}
	}
	frames := make([][]byte, len(parts))
	for i := range parts {
		parts[i].More = i < len(parts)-1
		frame, err := json.Marshal(parts[i])
		if err != nil {
			return nil, fmt.Errorf("server: encode a snapshot: %w", err)
		}
		frames[i] = frame
	}
	return frames, nil
}

// inOrder are the keys of a map in the order of lists.
func inOrder[ID ~string, T any](m map[ID]T) []ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b ID) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}

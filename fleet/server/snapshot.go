package server

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// snapshotPart is how many things stand in one part of a snapshot.
	snapshotPart = 200
	// snapshotsAtOnce is how many different snapshots are made at once; who wants
	// another waits.
	snapshotsAtOnce = 2
	// snapshotPulses is how long streams that want the same share a snapshot; what
	// has happened since is sent behind it. Of different ones so many are kept.
	snapshotPulses = 5
	snapshotsKept  = 8
)

// opening is a snapshot of what an interest wants, for users streams.
type opening struct {
	view  *engine.View
	wants interest
	// seen is the look of the roster at the view, inside who was inside then, and beat
	// the pulse of it.
	seen   uint64
	inside *members
	beat   uint64
	making chan struct{}
	users  int // guarded by the hub

	once    sync.Once
	encoded [][]byte
	err     error
}

// opening is the newest snapshot of an interest, a new one if that is too old; opened
// gives it back. The lock is held.
func (h *hub) opening(wants interest) *opening {
	if h.snapshots == nil {
		h.snapshots, h.making = map[interest]*opening{}, make(chan struct{}, snapshotsAtOnce)
	}
	o := h.snapshots[wants]
	if o == nil || h.beat-o.beat > snapshotPulses || o.view.Index+1 < h.first() {
		view := h.server.backend.View()
		h.roster.look(view)
		o = &opening{view: view, wants: wants, seen: h.roster.looks, beat: h.beat, making: h.making}
		if wants.selective() {
			o.inside = h.roster.wanted(wants)
		}
		h.snapshots[wants] = o
	}
	o.users++
	return o
}

func (h *hub) opened(o *opening) {
	if o.users--; len(h.snapshots) > snapshotsKept {
		h.forgetSnapshots(0)
	}
}

// forgetSnapshots lets go of those that nobody uses and that are older than so many
// pulses. The lock is held.
func (h *hub) forgetSnapshots(pulses uint64) {
	maps.DeleteFunc(h.snapshots, func(_ interest, o *opening) bool { return o.users == 0 && h.beat-o.beat >= pulses })
}

// frames makes the snapshot, or waits for who does.
func (o *opening) frames(on *chart.Chart) ([][]byte, error) {
	o.once.Do(func() {
		o.making <- struct{}{}
		defer func() { <-o.making }()
		o.encoded, o.err = snapshotFrames(on, o.view, o.wants)
	})
	return o.encoded, o.err
}

// snapshot makes the parts of a snapshot, of what an interest wants.
type snapshot struct {
	on    *chart.Chart
	view  *engine.View
	wants interest
	parts []api.StreamSnapshot
}

// snapshotFrames encodes what of the state an interest wants, in parts of a
// bounded size.
func snapshotFrames(on *chart.Chart, view *engine.View, wants interest) ([][]byte, error) {
	s := snapshot{on: on, view: view, wants: wants}
	s.part()
	s.vehicles()
	s.tasks()
	s.others()
	s.incidents()
	s.zones()
	frames := make([][]byte, len(s.parts))
	for i := range s.parts {
		var err error
		s.parts[i].More = i < len(s.parts)-1
		if frames[i], err = json.Marshal(s.parts[i]); err != nil {
			return nil, fmt.Errorf("server: encode a snapshot: %w", err)
		}
	}
	return frames, nil
}

// part is the part that takes the next thing.
func (s *snapshot) part() *api.StreamSnapshot {
	if n := len(s.parts); n > 0 {
		p := &s.parts[n-1]
		if len(p.Vehicles)+len(p.Tasks)+len(p.Alerts)+len(p.Commands)+len(p.Incidents)+len(p.Zones) < snapshotPart {
			return p
		}
	}
	s.parts = append(s.parts, api.StreamSnapshot{Type: api.StreamSnapshotType, Index: s.view.Index, Time: s.view.At})
	return &s.parts[len(s.parts)-1]
}

func (s *snapshot) vehicles() {
	var ids []fleet.VehicleID
	for id := range s.view.State.Durable.Vehicles {
		if s.wants.wants(vehicleMatter(s.view.State, id, aboutVehicles)) {
			ids = append(ids, id)
		}
	}
	slices.SortFunc(ids, func(a, b fleet.VehicleID) int { return shortlex(string(a), string(b)) })
	for _, id := range ids {
		if v, ok := s.view.State.VehicleView(id); ok {
			p := s.part()
			p.Vehicles = append(p.Vehicles, v)
		}
	}
}

func (s *snapshot) tasks() {
	d := &s.view.State.Durable
	for _, id := range inOrder(d.Tasks) {
		if d.Tasks[id].State.Final() || !s.wants.wants(taskMatter(s.view.State, id)) {
			continue
		}
		if v, ok := s.view.State.TaskView(id); ok {
			p := s.part()
			p.Tasks = append(p.Tasks, v)
		}
	}
}

// others adds alerts and commands.
func (s *snapshot) others() {
	d := &s.view.State.Durable
	for _, id := range inOrder(d.Alerts) {
		if v, ok := s.view.State.AlertView(id); ok && d.Alerts[id].Open() && s.wants.wants(matter{topic: aboutAlerts}) {
			p := s.part()
			p.Alerts = append(p.Alerts, v)
		}
	}
	for _, id := range inOrder(d.Commands) {
		c := d.Commands[id]
		about := matters(s.view.State, subject{command: id, vehicle: c.Vehicle})
		if v, ok := s.view.State.CommandView(id); ok && !c.State.Final() && slices.ContainsFunc(about, func(m matter) bool {
			return m.topic == aboutCommands && s.wants.wants(m)
		}) {
			p := s.part()
			p.Commands = append(p.Commands, v)
		}
	}
}

func (s *snapshot) incidents() {
	d := &s.view.State.Durable
	for _, id := range inOrder(d.Incidents) {
		if !d.Incidents[id].Open() || !s.wants.wants(incidentMatter(s.view.State, id)) {
			continue
		}
		if v, ok := s.view.State.IncidentView(id); ok {
			p := s.part()
			p.Incidents = append(p.Incidents, v)
		}
	}
}

// zones adds the chart's and those that people made, as they stand.
func (s *snapshot) zones() {
	if !s.wants.wants(matter{topic: aboutZones}) {
		return
	}
	ids := map[fleet.ZoneID]struct{}{}
	for i := range s.on.Zones {
		ids[fleet.ZoneID(s.on.Zones[i].ID)] = struct{}{}
	}
	for id := range s.view.State.Durable.Zones {
		ids[id] = struct{}{}
	}
	for _, id := range inOrder(ids) {
		if v, ok := s.view.State.ZoneView(s.on, id); ok {
			p := s.part()
			p.Zones = append(p.Zones, v)
		}
	}
}

// inOrder are the keys of a map in the order of lists.
func inOrder[ID ~string, T any](m map[ID]T) []ID {
	return slices.SortedFunc(maps.Keys(m), func(a, b ID) int { return shortlex(string(a), string(b)) })
}

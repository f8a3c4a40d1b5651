package fleet

import (
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// The shapes of the HTTP API, made from the state.

func viewPosition(p space.Position) api.Position {
	alt := p.AltitudeM
	return api.Position{Lon: p.Lon, Lat: p.Lat, AltitudeM: &alt, Level: p.Level}
}

// TaskView is the task as the HTTP API shows it.
func (s *State) TaskView(id TaskID) (api.Task, bool) {
	t, ok := s.Durable.Tasks[id]
	if !ok {
		return api.Task{}, false
	}
	v := api.Task{
		ID: string(t.ID), Kind: string(t.Kind), Priority: string(t.Priority), Rank: t.Rank, State: string(t.State),
		Reason: t.Reason.Text, ReasonCode: t.Reason.Code, Revision: t.Revision, Vehicle: string(t.Vehicle),
		Mission: string(t.Mission), LoadKg: t.LoadKg, LoadOn: string(t.LoadOn), Capabilities: t.Capabilities,
		OrderedBy: t.OrderedBy, OrderedAt: t.OrderedAt, ChangedAt: t.ChangedAt, PromisedAt: t.PromisedAt,
		ETA: t.ETA, EndedAt: t.EndedAt, Note: t.Note, VehicleKinds: words(t.Kinds), Stops: []api.TaskStop{},
		Incident: string(t.Incident), Role: t.Role, Drill: t.Drill, Wanted: string(t.Wanted),
	}
	for i := range t.Stops {
		stop := &t.Stops[i]
		v.Stops = append(v.Stops, api.TaskStop{
			Stop: i + 1, Action: string(stop.Action), State: string(stop.State), Doubt: stop.Doubt,
			Position: viewPosition(stop.At),
			Name:     stop.Name, WorkS: stop.WorkS, NotBefore: stop.NotBefore, NotAfter: stop.NotAfter,
			BegunAt: stop.BegunAt, DoneAt: stop.DoneAt,
		})
	}
	return v, true
}

func words[T ~string](list []T) []string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// VehicleView is the vehicle as the HTTP API shows it.
func (s *State) VehicleView(id VehicleID) (api.Vehicle, bool) {
	v, ok := s.Durable.Vehicles[id]
	if !ok {
		return api.Vehicle{}, false
	}
	view := api.Vehicle{
		ID: string(id), Kind: string(v.Kind), Model: v.Model, Capabilities: v.Capabilities, MaxLoadKg: v.MaxLoadKg,
		HomeSite: string(v.HomeSite), InService: v.OutOfService == "", Reason: v.unavailable(), Link: string(LinkUnknown),
		Mission: string(v.Mission), Charger: string(v.Charger), Revision: v.Revision,
	}
	if v.TakenOver != nil {
		view.TakenOver = v.TakenOver.By
	}
	if v.HomeKnown {
		home := viewPosition(v.Home)
		view.Home = &home
	}
	if m, ok := s.Durable.Missions[v.Mission]; ok {
		view.Tasks = words(m.Tasks())
	}
	if p, ok := s.Volatile.Presences[id]; ok {
		view.Link, view.LastHeard = string(p.Link), p.LastHeard
		if p.Known {
			at := viewPosition(space.Position(p.Sample.Position))
			view.Position, view.PositionTime, view.Mode = &at, p.Sample.Time, string(p.Sample.Mode)
			view.SpeedMPS, view.HeadingDeg, view.BatteryRatio = p.Sample.SpeedMPS, p.Sample.HeadingDeg, p.Sample.BatteryRatio
		}
	}
	return view, true
}

// unavailable says why the vehicle takes no new work, empty when it does.
func (v *Vehicle) unavailable() string {
	switch {
	case v.OutOfService != "":
		return v.OutOfService
	case v.Blocked != "":
		return "kept from work by command " + string(v.Blocked) + " until a resume"
	case v.Suspended:
		return "it refused twice in a row"
	case len(v.Faults) > 0:
		code := sortedKeys(v.Faults)[0]
		return "fault " + code + ": " + v.Faults[code]
	case v.EpochAbove != 0:
		return "it has seen a newer owner"
	}
	return ""
}

// MissionView is the mission as the HTTP API shows it.
func (s *State) MissionView(id MissionID) (api.Mission, bool) {
	m, ok := s.Durable.Missions[id]
	if !ok {
		return api.Mission{}, false
	}
	view := api.Mission{
		ID: string(id), Vehicle: string(m.Vehicle), Revision: m.Revision, Accepted: m.Accepted,
		State: string(m.State), Reason: m.Reason.Text, Tasks: []string{}, Legs: []api.Leg{}, IssuedAt: m.IssuedAt,
	}
	view.Tasks = append(view.Tasks, words(m.Tasks())...)
	if !m.EndedAt.IsZero() {
		end := m.EndedAt
		view.EndedAt = &end
	}
	for i := range m.Legs {
		view.Legs = append(view.Legs, viewLeg(&m.Legs[i]))
	}
	return view, true
}

func viewLeg(l *Leg) api.Leg {
	view := api.Leg{
		ID: string(l.ID), Task: string(l.Task), Site: string(l.Site), Action: string(l.Action),
		State: string(l.State), ETA: l.ETA,
	}
	if l.Task != "" {
		view.Stop = l.Stop + 1
	}
	for _, p := range l.Path {
		view.Path = append(view.Path, viewPosition(p))
	}
	return view
}

// CommandView is the command as the HTTP API shows it.
func (s *State) CommandView(id CommandID) (api.Command, bool) {
	c, ok := s.Durable.Commands[id]
	if !ok {
		return api.Command{}, false
	}
	answer := c.Answer.Text
	if answer == "" {
		answer = c.Answer.Code
	}
	return api.Command{
		ID: string(id), Vehicle: string(c.Vehicle), Kind: string(c.Kind), State: string(c.State), Reason: c.Reason,
		Answer: answer, IssuedBy: c.IssuedBy, IssuedAt: c.IssuedAt, ExpiresAt: c.ExpiresAt,
	}, true
}

// AlertView is the alert as the HTTP API shows it.
func (s *State) AlertView(id AlertID) (api.Alert, bool) {
	a, ok := s.Durable.Alerts[id]
	if !ok {
		return api.Alert{}, false
	}
	return api.Alert{
		ID: string(id), Kind: string(a.Kind), Severity: string(a.Severity), Vehicle: string(a.Vehicle),
		Task: string(a.Task), Text: a.Text, RaisedAt: a.RaisedAt, ClearedAt: a.ClearedAt, ClearedBy: a.ClearedBy,
		AcknowledgedBy: a.AcknowledgedBy, AcknowledgedAt: a.AcknowledgedAt,
	}, true
}

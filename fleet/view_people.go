package fleet

import (
	"fmt"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// IncidentView is the incident as the HTTP API shows it.
func (s *State) IncidentView(id IncidentID) (api.Incident, bool) {
	i, ok := s.Durable.Incidents[id]
	if !ok {
		return api.Incident{}, false
	}
	view := api.Incident{
		ID: string(id), Kind: i.Kind, Severity: string(i.Severity), State: string(i.State), Drill: i.Drill,
		Position: viewPosition(i.At), Name: i.Name, RadiusM: i.RadiusM, Note: i.Note,
		ReportedBy: i.ReportedBy, ReportedAt: i.ReportedAt, ChangedAt: i.ChangedAt, ReachedAt: i.ReachedAt,
		ClosedAt: i.ClosedAt, ClosedBy: i.ClosedBy, Outcome: i.Outcome, Escalated: i.Escalated,
		Tasks: []api.IncidentTask{}, Revision: i.Revision,
	}
	for _, tid := range i.Tasks {
		t, ok := s.Durable.Tasks[tid]
		if !ok {
			continue
		}
		part := api.IncidentTask{
			Task: string(tid), Role: t.Role, State: string(t.State), Vehicle: string(t.Vehicle), ETA: t.ETA,
			ReasonCode: t.Reason.Code, Reason: t.Reason.Text,
		}
		if len(t.Stops) > 0 {
			part.ReachedAt = t.Stops[0].BegunAt
			if part.ReachedAt.IsZero() {
				part.ReachedAt = t.Stops[0].DoneAt
			}
		}
		if t.CancelWanted != "" && !t.State.Final() {
			part.ReasonCode, part.Reason = "cancel_wanted", stillHeld(t)
		}
		view.Tasks = append(view.Tasks, part)
	}
	return view, true
}

// stillHeld says why a task that is to be cancelled is not cancelled yet.
func stillHeld(t *Task) string {
	switch n := t.NextStop(); {
	case t.LoadOn != "":
		return fmt.Sprintf("%s; %s has its load on board and delivers it first", t.CancelWanted, t.LoadOn)
	case n < len(t.Stops) && t.Stops[n].State == StopBegun:
		return fmt.Sprintf("%s; %s finishes stop %d first, which it has begun", t.CancelWanted, t.Vehicle, n+1)
	}
	return fmt.Sprintf("%s; %s has yet to give it up", t.CancelWanted, t.Vehicle)
}

// ZoneView is a zone of the chart, or what people made of it, as the HTTP API
// shows it. A zone of the chart that people took away shows as suspended.
func (s *State) ZoneView(c *chart.Chart, id ZoneID) (api.Zone, bool) {
	if z, ok := s.Durable.Zones[id]; ok {
		view := viewZone(&z.Zone)
		view.Live, view.Suspended = true, z.Suspended || z.Removed
		view.Reason, view.ChangedBy, view.ChangedAt, view.Revision = z.Reason, z.ChangedBy, z.ChangedAt, z.Revision
		return view, true
	}
	for i := range c.Zones {
		if c.Zones[i].ID == string(id) {
			return viewZone(&c.Zones[i]), true
		}
	}
	return api.Zone{}, false
}

func viewZone(z *chart.Zone) api.Zone {
	view := api.Zone{
		ID: z.ID, Name: z.Name, Rule: string(z.Rule), FloorM: z.FloorM, HeightLimitM: z.HeightLimitM,
		SpeedLimitMPS: z.SpeedLimitMPS, From: z.From, Until: z.Until, Source: z.Source,
		// Neither means both.
		Airborne: z.Airborne || !z.Ground, Ground: z.Ground || !z.Airborne,
	}
	if z.CeilingM != 0 {
		ceiling := z.CeilingM
		view.CeilingM = &ceiling
	}
	view.Schedule = viewSchedule(z.Schedule)
	for _, ring := range z.Polygon {
		view.Polygon = append(view.Polygon, viewRing(ring))
	}
	return view
}

func viewRing(ring orb.Ring) [][2]float64 {
	points := make([][2]float64, len(ring))
	for i := range ring {
		points[i] = ring[i]
	}
	return points
}

// EmergencyView tells whether the fleet is stopped.
func (s *State) EmergencyView() api.EmergencyState {
	stop := s.Durable.Freeze
	if stop == nil {
		return api.EmergencyState{}
	}
	return api.EmergencyState{Stopped: true, By: stop.By, At: stop.At, Reason: stop.Reason}
}

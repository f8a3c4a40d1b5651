package fleet_test

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// skills are what the vehicles of the test can do; nobody has a loudspeaker.
func skills(kind protocol.Kind, number int) []string {
	if kind == protocol.Rover {
		return [][]string{{"extinguisher", "gas_sensor"}, {"extinguisher"}, {"first_aid_kit"}}[number/2%3]
	}
	return [][]string{{"camera", "gas_sensor"}, {"aed", "camera", "thermal_camera"}}[(number+1)/2%2]
}

// incidents lets things happen that people report, and grow worse.
func (l *life) incidents() {
	switch l.chance.IntN(480) {
	case 0, 1, 2, 3:
		l.ask(fleet.ReportIncident{Report: l.someReport()})
	case 4, 5, 6:
		if open := l.openIncidents(); len(open) > 0 {
			severity := []string{"", "serious", "critical"}[l.chance.IntN(3)]
			l.ask(fleet.EscalateIncident{
				Incident: open[l.chance.IntN(len(open))], Escalation: api.IncidentEscalation{Severity: severity, Reason: "it grows"},
			})
		}
	case 7:
		if open := l.openIncidents(); len(open) > 0 {
			l.closeIncident(open[l.chance.IntN(len(open))])
		}
	}
}

func (l *life) someReport() api.IncidentReport {
	kinds := []string{"fire", "medical", "flood", "gas_leak", "lost_person"}
	r := api.IncidentReport{
		Kind: kinds[l.chance.IntN(len(kinds))], Severity: []string{"minor", "serious", "critical"}[l.chance.IntN(3)],
		Site: l.places[l.chance.IntN(len(l.places))], Drill: l.chance.IntN(4) == 0,
	}
	if l.chance.IntN(2) == 0 {
		r.RadiusM = 60 + 60*l.chance.Float64()
	}
	return r
}

func (l *life) closeIncident(id fleet.IncidentID) {
	l.ask(fleet.CloseIncident{Incident: id, Closure: api.IncidentClosure{Outcome: "it is over"}})
}

// closeOld closes what has gone on for long: in the end all are closed.
func (l *life) closeOld() {
	for _, id := range l.openIncidents() {
		if l.now.Sub(l.fleet.State().Durable.Incidents[id].ReportedAt) > 20*time.Minute {
			l.closeIncident(id)
		}
	}
}

func (l *life) openIncidents() []fleet.IncidentID {
	var ids []fleet.IncidentID
	for id, i := range l.fleet.State().Durable.Incidents {
		if i.Open() {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// checkIncidents holds what must be true of incidents at any time.
func (l *life) checkIncidents() {
	l.t.Helper()
	d := &l.fleet.State().Durable
	listed := map[fleet.TaskID]bool{}
	for id, i := range d.Incidents {
		begun := false
		for _, tid := range i.Tasks {
			t := d.Tasks[tid]
			listed[tid] = true
			if t == nil || t.Incident != id || t.Drill != i.Drill || t.Role == "" {
				l.fail("%s lists %s, which is %+v", id, tid, t)
			}
			for k := range t.Stops {
				begun = begun || t.Stops[k].State == fleet.StopDone || t.Stops[k].State == fleet.StopBegun
			}
			if !i.Open() && t.State == fleet.TaskWaiting && t.Reason.Code != "decision_needed" && t.LoadOn == "" {
				l.fail("%s of %s, which is closed, waits still (%s)", tid, id, t.Reason.Text)
			}
		}
		if len(i.Tasks) == 0 || i.Open() && begun && i.ReachedAt.IsZero() {
			l.fail("%s has tasks %v, begun %v, reached %v", id, i.Tasks, begun, i.ReachedAt)
		}
	}
	for id, t := range d.Tasks {
		if t.Incident != "" && !listed[id] || t.Drill && t.Priority == fleet.Emergency {
			l.fail("%s of incident %q, priority %s, drill %v is not as it should be", id, t.Incident, t.Priority, t.Drill)
		}
	}
	for _, a := range d.Alerts {
		if i := d.Incidents[fleet.IncidentID(a.Object)]; a.Kind == fleet.AlertIncidentUnreached && a.Open() && (!i.Open() || !i.ReachedAt.IsZero()) {
			l.fail("%s stands, but %s is %s and was reached at %v", a.ID, i.ID, i.State, i.ReachedAt)
		}
	}
}

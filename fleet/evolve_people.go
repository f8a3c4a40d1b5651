package fleet

import (
	"slices"
	"strconv"
)

// How incidents, zones and what people decide evolve.

func (e IncidentReported) evolve(d *Durable, r Recorded) {
	i := e.Incident
	i.Revision, i.ChangedAt = r.Index, r.Time
	d.Counters.Incident++
	d.putIncident(&i)
}

func (e IncidentChanged) evolve(d *Durable, r Recorded) {
	d.changeIncident(r, e.Incident, func(i *Incident) {
		i.State, i.Severity = e.State, e.Severity
		i.ReachedAt, i.Escalated = e.ReachedAt, e.Escalated
		if e.State == IncidentClosed {
			i.ClosedAt, i.ClosedBy, i.Outcome = r.Time, r.Actor, e.Reason
		}
	})
}

func (d *Durable) changeIncident(r Recorded, id IncidentID, change func(i *Incident)) {
	old, ok := d.Incidents[id]
	if !ok {
		return
	}
	i := *old
	change(&i)
	i.Revision, i.ChangedAt = r.Index, r.Time
	d.putIncident(&i)
}

// linkTask notes a new task with its incident.
func (d *Durable) linkTask(r Recorded, t *Task) {
	if t.Incident == "" {
		return
	}
	d.changeIncident(r, t.Incident, func(i *Incident) { i.Tasks = append(slices.Clone(i.Tasks), t.ID) })
}

func (e ZoneChanged) evolve(d *Durable, r Recorded) {
	z := e.Zone
	z.Revision, z.ChangedAt, z.ChangedBy = r.Index, r.Time, r.Actor
	if e.New {
		// Ids that the chart uses are passed over.
		d.Counters.Zone = max(d.Counters.Zone+1, numberOf(string(z.ID)))
	}
	d.putZone(&z)
}

func (e ZoneRemoved) evolve(d *Durable, _ Recorded) {
	delete(d.Zones, e.Zone)
	d.touch(kindZone, string(e.Zone))
}

func (e VehicleTakenOver) evolve(d *Durable, r Recorded) {
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) {
		v.TakenOver = nil
		if !e.HandedBack {
			v.TakenOver = &Takeover{By: r.Actor, At: r.Time, Reason: e.Reason}
		}
	})
}

func (e TaskRanked) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) {
		t.waitOn()
		t.Priority, t.Rank = e.Priority, e.Rank
	})
}

// waitOn keeps since when a task waits over a change that does not end that.
func (t *Task) waitOn() {
	if t.State == TaskWaiting {
		t.WaitsSince = t.waitsSince()
	}
}

func (e TaskWanted) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) {
		t.waitOn()
		t.Wanted = e.Vehicle
	})
}

func (e ConditionsChanged) evolve(d *Durable, _ Recorded) {
	c := e.Conditions
	d.Conditions = &c
	d.touch(kindScalars, "")
}

func (e FleetStopped) evolve(d *Durable, r Recorded) {
	d.Freeze = &Freeze{By: r.Actor, At: r.Time, Reason: e.Reason, Commands: e.Commands}
	d.touch(kindScalars, "")
}

func (FleetReleased) evolve(d *Durable, _ Recorded) {
	d.Freeze = nil
	d.touch(kindScalars, "")
}

// numberOf is the number behind the letter of an id that was given out; 0 for any
// other id.
func numberOf(id string) uint64 {
	if len(id) < 2 {
		return 0
	}
	n, err := strconv.ParseUint(id[1:], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

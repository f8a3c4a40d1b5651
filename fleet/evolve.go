package fleet

import (
	"maps"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// Evolve changes the state by one event; nothing else does. An event about
// something that is not there changes nothing, so that folding never fails.
func Evolve(s *State, r Recorded) {
	if !r.Event.Lasting() {
		evolveVolatile(&s.Volatile, r)
		return
	}
	d := &s.Durable
	d.Index, d.Time = r.Index, r.Time
	d.touch(kindScalars, "")
	switch e := r.Event.(type) {
	case FleetRecovered:
		d.Epoch, d.Chart = e.Epoch, e.Chart
	case VehicleRegistered, VehicleServiceChanged, VehicleBlocked, VehicleRefused, VehicleFaulted,
		EpochSeen, LogOpened, ReportTaken:
		evolveVehicle(d, r)
	case TaskOrdered, TaskChanged, TaskCancelWanted, StopChanged, LoadChanged:
		evolveTask(d, r)
	case MissionIssued, MissionAnswered, MissionChanged, LegChanged:
		evolveMission(d, r)
	case CommandOrdered:
		c := e.Command
		d.Counters.Command++
		d.putCommand(&c)
		if old, ok := d.Vehicles[c.Vehicle]; ok {
			v := old.clone()
			v.Commands = append(append([]CommandID(nil), v.Commands...), c.ID)
			d.putVehicle(v)
		}
		d.bump(c.Vehicle)
	case CommandChanged:
		evolveCommand(d, r, e)
	case QueueChanged:
		evolveQueue(d, e)
	case AlertRaised, AlertCleared, AlertAcknowledged:
		evolveAlert(d, r)
	case AnswerGiven:
		d.putAnswer(e.Key, &GivenAnswer{e.BodyHash, e.Status, e.Body, r.Time})
	case Archived:
		evolveArchived(d, e)
	case VolatileCleared, LinkChanged, Moved, ZonesChanged, PlanWanted, PlanDropped:
		// Volatile events have been dealt with above.
	}
}

func evolveVehicle(d *Durable, r Recorded) {
	change := func(id VehicleID, f func(v *Vehicle)) {
		if old, ok := d.Vehicles[id]; ok {
			v := old.clone()
			f(v)
			v.Revision = r.Index
			d.putVehicle(v)
		}
	}
	switch e := r.Event.(type) {
	case VehicleRegistered:
		v := e.Vehicle
		v.Revision = r.Index
		d.putVehicle(&v)
	case VehicleServiceChanged:
		change(e.Vehicle, func(v *Vehicle) {
			v.OutOfService = e.OutOfService
			v.Suspended, v.RefusedInARow, v.Refusals = false, 0, nil
		})
	case VehicleBlocked:
		change(e.Vehicle, func(v *Vehicle) { v.Blocked = e.Command })
	case VehicleRefused:
		change(e.Vehicle, func(v *Vehicle) { evolveRefusal(v, e) })
	case VehicleFaulted:
		change(e.Vehicle, func(v *Vehicle) {
			v.Faults = maps.Clone(v.Faults)
			if v.Faults == nil {
				v.Faults = map[string]string{}
			}
			if e.Cleared {
				delete(v.Faults, e.Code)
			} else {
				v.Faults[e.Code] = e.Text
			}
		})
	case EpochSeen:
		change(e.Vehicle, func(v *Vehicle) { v.EpochAbove = e.Epoch })
	case LogOpened:
		change(e.Vehicle, func(v *Vehicle) { v.Logs = openLog(v.Logs, e.LogID) })
	case ReportTaken:
		change(e.Vehicle, func(v *Vehicle) {
			v.Logs = append([]ReportLog(nil), v.Logs...)
			for i := range v.Logs {
				if v.Logs[i].ID == e.LogID {
					v.Logs[i].Seq = e.Seq
				}
			}
		})
	}
}

func evolveRefusal(v *Vehicle, e VehicleRefused) {
	v.Refusals = maps.Clone(v.Refusals)
	if v.Refusals == nil {
		v.Refusals = map[TaskID]Refusal{}
	}
	if e.Until.IsZero() {
		delete(v.Refusals, e.Task)
		return
	}
	if e.Task != "" {
		v.Refusals[e.Task] = Refusal{e.Until, v.Refusals[e.Task].Times + 1, e.Reason}
	}
	v.RefusedInARow++
	v.Suspended = v.Suspended || e.Suspended
}

// openLog puts the log last, with the number it had reached if it is known.
func openLog(logs []ReportLog, id string) []ReportLog {
	opened := ReportLog{ID: id}
	var rest []ReportLog
	for _, l := range logs {
		if l.ID == id {
			opened = l
		} else {
			rest = append(rest, l)
		}
	}
	if len(rest) >= MaxLogs {
		rest = rest[len(rest)-MaxLogs+1:]
	}
	return append(rest, opened)
}

func evolveTask(d *Durable, r Recorded) {
	change := func(id TaskID, f func(t *Task)) {
		if old, ok := d.Tasks[id]; ok {
			t := old.clone()
			f(t)
			t.Revision, t.ChangedAt = r.Index, r.Time
			d.putTask(t)
		}
	}
	switch e := r.Event.(type) {
	case TaskOrdered:
		t := e.Task
		t.Stops = append([]Stop(nil), t.Stops...)
		t.Revision, t.ChangedAt = r.Index, r.Time
		d.Counters.Task++
		d.putTask(&t)
	case TaskChanged:
		change(e.Task, func(t *Task) {
			t.State, t.Reason = e.State, e.Reason
			t.Vehicle, t.Mission = e.Vehicle, e.Mission
			t.ETA, t.Attempts = e.ETA, e.Attempts
			if t.PromisedAt.IsZero() {
				t.PromisedAt = e.PromisedAt
			}
			if e.State.Final() {
				t.EndedAt, t.CancelWanted = r.Time, ""
			}
		})
	case TaskCancelWanted:
		change(e.Task, func(t *Task) { t.CancelWanted = e.Reason })
	case StopChanged:
		change(e.Task, func(t *Task) {
			if e.Stop < 0 || e.Stop >= len(t.Stops) {
				return
			}
			s := &t.Stops[e.Stop]
			s.State, s.Doubt = e.State, e.Doubt
			switch e.State {
			case StopBegun:
				s.BegunAt = e.At
			case StopDone:
				s.DoneAt = e.At
			case StopOpen:
				s.BegunAt, s.DoneAt = time.Time{}, time.Time{}
			case StopFailed:
			}
		})
	case LoadChanged:
		change(e.Task, func(t *Task) { t.LoadOn = e.Vehicle })
	}
}

func evolveMission(d *Durable, r Recorded) {
	change := func(id MissionID, f func(m *Mission)) {
		if old, ok := d.Missions[id]; ok {
			m := old.clone()
			f(m)
			d.putMission(m)
			d.bump(m.Vehicle)
		}
	}
	switch e := r.Event.(type) {
	case MissionIssued:
		evolveIssued(d, r, e)
	case MissionAnswered:
		change(e.Mission, func(m *Mission) {
			if e.Verdict == protocol.Accepted {
				m.Accepted, m.Previous = e.Revision, nil
				return
			}
			m.Revision = m.Accepted
			if m.Previous != nil {
				m.Legs, m.Previous = m.Previous, nil
				m.Window, m.SafeEnd = 0, nil
			}
		})
		if e.Verdict == protocol.Accepted {
			if m, ok := d.Missions[e.Mission]; ok {
				evolveAccepting(d, m.Vehicle)
			}
		}
	case MissionChanged:
		change(e.Mission, func(m *Mission) {
			m.State, m.Reason = e.State, e.Reason
			if e.State == protocol.MissionEnded {
				m.EndedAt, m.Previous = r.Time, nil
			}
		})
		if m, ok := d.Missions[e.Mission]; ok && e.State == protocol.MissionEnded {
			if v, ok := d.Vehicles[m.Vehicle]; ok && v.Mission == m.ID {
				c := v.clone()
				c.Mission, c.LastMission = "", m.ID
				d.putVehicle(c)
			}
		}
	case LegChanged:
		change(e.Mission, func(m *Mission) {
			m.Previous = append([]Leg(nil), m.Previous...)
			setLeg(m.Legs, e)
			setLeg(m.Previous, e)
			if m.SafeEnd != nil && m.SafeEnd.ID == e.Leg {
				end := *m.SafeEnd
				end.State = e.State
				m.SafeEnd = &end
			}
		})
	}
}

func setLeg(legs []Leg, e LegChanged) {
	for i := range legs {
		if legs[i].ID != e.Leg {
			continue
		}
		legs[i].State = e.State
		if e.State == protocol.LegStarted {
			legs[i].StartedAt = e.At
		}
	}
}

func evolveIssued(d *Durable, r Recorded, e MissionIssued) {
	m := &Mission{ID: e.Mission, Vehicle: e.Vehicle}
	if old, ok := d.Missions[e.Mission]; ok {
		m = old.clone()
		if m.Answered() && m.Accepted > 0 {
			m.Previous = old.Legs
		}
		m.Dropped = droppedLegs(old, e.Legs)
	} else {
		d.Counters.Mission++
	}
	m.State, m.Reason = e.State, e.Why
	m.Revision, m.Latest = e.Revision, e.Revision
	m.Legs, m.NextLeg = append([]Leg(nil), e.Legs...), e.NextLeg
	m.Window, m.SafeEnd = e.Window, e.SafeEnd
	m.IssuedAt, m.Issued = r.Time, r.Index
	d.putMission(m)
	if v, ok := d.Vehicles[e.Vehicle]; ok {
		c := v.clone()
		c.Mission = m.ID
		d.putVehicle(c)
	}
	d.bump(e.Vehicle)
}

func droppedLegs(old *Mission, legs []Leg) []DroppedLeg {
	dropped := append([]DroppedLeg(nil), old.Dropped...)
	for i := range old.Legs {
		l := &old.Legs[i]
		kept := false
		for k := range legs {
			kept = kept || legs[k].ID == l.ID
		}
		if !kept && l.Task != "" && !l.Final() {
			dropped = append(dropped, DroppedLeg{l.ID, l.Task, l.Stop})
		}
	}
	if len(dropped) > MaxDropped {
		dropped = dropped[len(dropped)-MaxDropped:]
	}
	return dropped
}

// evolveAccepting ends the count of refusals in a row.
func evolveAccepting(d *Durable, id VehicleID) {
	v, ok := d.Vehicles[id]
	if !ok || v.RefusedInARow == 0 && !v.Suspended {
		return
	}
	c := v.clone()
	c.RefusedInARow, c.Suspended = 0, false
	d.putVehicle(c)
}

func evolveCommand(d *Durable, r Recorded, e CommandChanged) {
	old, ok := d.Commands[e.Command]
	if !ok {
		return
	}
	c := *old
	c.State, c.Answer = e.State, e.Answer
	if e.State.Final() {
		c.EndedAt = r.Time
		if v, ok := d.Vehicles[c.Vehicle]; ok {
			v = v.clone()
			v.Commands = slices.DeleteFunc(append([]CommandID(nil), v.Commands...),
				func(id CommandID) bool { return id == c.ID })
			d.putVehicle(v)
		}
	}
	d.putCommand(&c)
	d.bump(c.Vehicle)
}

func evolveQueue(d *Durable, e QueueChanged) {
	if len(e.Using)+len(e.Waiting) == 0 {
		delete(d.Queues, e.Site)
		d.touch(kindQueue, string(e.Site))
	} else {
		d.putQueue(e.Site, &Queue{e.Using, e.Waiting})
	}
	if v, ok := d.Vehicles[e.Vehicle]; ok {
		c := v.clone()
		c.Charger = e.Charger
		d.putVehicle(c)
		d.bump(e.Vehicle)
	}
}

func evolveAlert(d *Durable, r Recorded) {
	switch e := r.Event.(type) {
	case AlertRaised:
		a := e.Alert
		d.Counters.Alert++
		d.putAlert(&a)
	case AlertCleared:
		if old, ok := d.Alerts[e.Alert]; ok {
			a := *old
			a.ClearedAt, a.ClearedBy = r.Time, e.By
			d.putAlert(&a)
		}
	case AlertAcknowledged:
		if old, ok := d.Alerts[e.Alert]; ok {
			a := *old
			a.AcknowledgedAt, a.AcknowledgedBy = r.Time, e.By
			d.putAlert(&a)
		}
	}
}

func evolveArchived(d *Durable, e Archived) {
	for _, id := range e.Tasks {
		delete(d.Tasks, id)
		d.touch(kindTask, string(id))
	}
	for _, id := range e.Missions {
		delete(d.Missions, id)
		d.touch(kindMission, string(id))
	}
	for _, id := range e.Commands {
		delete(d.Commands, id)
		d.touch(kindCommand, string(id))
	}
	for _, id := range e.Alerts {
		delete(d.Alerts, id)
		d.touch(kindAlert, string(id))
	}
	for _, key := range e.Answers {
		delete(d.Answers, key)
		d.touch(kindAnswer, key)
	}
}

func evolveVolatile(v *Volatile, r Recorded) {
	switch e := r.Event.(type) {
	case VolatileCleared:
		digest := v.digest
		for id := range v.Presences {
			v.touch(kindPresence, string(id))
		}
		for id := range v.Questions {
			v.touch(kindQuestion, string(id))
		}
		*v = newVolatile()
		v.digest = digest
	case LinkChanged:
		p := v.presence(e.Vehicle)
		if p.Session != e.Session || p.Link != e.State {
			p.Since = r.Time
		}
		p.Link, p.Session, p.LinkEnd = e.State, e.Session, e.LinkEnd
		if e.State == LinkLive {
			p.LastHeard = r.Time
		}
		v.putPresence(e.Vehicle, p)
	case Moved:
		p := v.presence(e.Vehicle)
		p.Known, p.Sample, p.LastHeard = true, e.Sample, r.Time
		v.putPresence(e.Vehicle, p)
	case ZonesChanged:
		p := v.presence(e.Vehicle)
		p.Zones = e.Zones
		v.putPresence(e.Vehicle, p)
	case PlanWanted:
		q := e.Question
		v.putQuestion(q.Task, &q)
	case PlanDropped:
		delete(v.Questions, e.Task)
		v.touch(kindQuestion, string(e.Task))
	}
}

// presence is a copy that may be changed and put back.
func (v *Volatile) presence(id VehicleID) *Presence {
	if old, ok := v.Presences[id]; ok {
		p := *old
		return &p
	}
	return &Presence{Link: LinkUnknown}
}

// bump notes that a durable event concerned the vehicle.
func (d *Durable) bump(id VehicleID) {
	if v, ok := d.Vehicles[id]; ok && v.Revision != d.Index {
		c := v.clone()
		c.Revision = d.Index
		d.putVehicle(c)
	}
}

package fleet

import (
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// How tasks and missions evolve.

func (d *Durable) changeTask(r Recorded, id TaskID, change func(t *Task)) {
	old, ok := d.Tasks[id]
	if !ok {
		return
	}
	t := old.clone()
	change(t)
	t.Revision, t.ChangedAt = r.Index, r.Time
	d.putTask(t)
}

func (e TaskOrdered) evolve(d *Durable, r Recorded) {
	t := e.Task
	t.Stops = append([]Stop(nil), t.Stops...)
	t.Revision, t.ChangedAt = r.Index, r.Time
	d.Counters.Task++
	d.putTask(&t)
	d.linkTask(r, &t)
}

func (e TaskChanged) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) {
		t.State, t.Reason = e.State, e.Reason
		t.Vehicle, t.Mission = e.Vehicle, e.Mission
		t.ETA, t.Attempts = e.ETA, e.Attempts
		t.WaitsSince = e.WaitsSince
		if t.PromisedAt.IsZero() {
			t.PromisedAt = e.PromisedAt
		}
		if e.State.Final() {
			t.EndedAt, t.CancelWanted = r.Time, ""
		}
	})
}

func (e TaskCancelWanted) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) { t.CancelWanted = e.Reason })
}

func (e StopChanged) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) {
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
}

func (e LoadChanged) evolve(d *Durable, r Recorded) {
	d.changeTask(r, e.Task, func(t *Task) { t.LoadOn = e.Vehicle })
}

func (d *Durable) changeMission(r Recorded, id MissionID, change func(m *Mission)) {
	old, ok := d.Missions[id]
	if !ok {
		return
	}
	m := old.clone()
	change(m)
	d.putMission(m)
	d.changeVehicle(r, m.Vehicle, func(*Vehicle) {})
}

func (e MissionIssued) evolve(d *Durable, r Recorded) {
	m := &Mission{ID: e.Mission, Vehicle: e.Vehicle}
	if old, ok := d.Missions[e.Mission]; ok {
		m = old.clone()
		switch {
		case !m.Answered():
			m.Sent = append(append([]SentPlan(nil), old.Sent...), SentPlan{old.Revision, old.Legs, old.Window, old.SafeEnd})
			if len(m.Sent) > MaxSent {
				m.Sent = m.Sent[len(m.Sent)-MaxSent:]
			}
		case m.Accepted > 0:
			m.Previous, m.PreviousWindow, m.PreviousSafeEnd = old.Legs, old.Window, old.SafeEnd
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
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) { v.Mission = m.ID })
}

func droppedLegs(old *Mission, legs []Leg) []DroppedLeg {
	dropped := append([]DroppedLeg(nil), old.Dropped...)
	kept := &Mission{Legs: legs}
	for i := range old.Legs {
		l := &old.Legs[i]
		if _, ok := kept.LegIndex(l.ID); !ok && l.Task != "" && !l.Final() {
			dropped = append(dropped, DroppedLeg{l.ID, l.Task, l.Stop})
		}
	}
	if len(dropped) > MaxDropped {
		dropped = dropped[len(dropped)-MaxDropped:]
	}
	return dropped
}

func (e MissionAnswered) evolve(d *Durable, r Recorded) {
	d.changeMission(r, e.Mission, func(m *Mission) {
		if e.Verdict == protocol.Accepted {
			m.accept(e.Revision)
			return
		}
		m.RefusedAt = r.Time
		m.RefusedTimes++
		m.Revision = m.Accepted
		if m.Previous != nil {
			m.Legs, m.Window, m.SafeEnd = m.Previous, m.PreviousWindow, m.PreviousSafeEnd
		}
		m.forgetPrevious()
	})
	if m, ok := d.Missions[e.Mission]; ok && e.Verdict == protocol.Accepted {
		d.changeVehicle(r, m.Vehicle, func(v *Vehicle) { v.RefusedInARow, v.Suspended = 0, false })
	}
}

func (e MissionChanged) evolve(d *Durable, r Recorded) {
	d.changeMission(r, e.Mission, func(m *Mission) {
		m.State, m.Reason = e.State, e.Reason
		if e.State == protocol.MissionEnded {
			m.EndedAt = r.Time
			m.forgetPrevious()
		}
	})
	m, ok := d.Missions[e.Mission]
	if !ok || e.State != protocol.MissionEnded {
		return
	}
	d.changeVehicle(r, m.Vehicle, func(v *Vehicle) {
		if v.Mission == m.ID {
			v.Mission, v.LastMission = "", m.ID
		}
	})
}

func (e LegChanged) evolve(d *Durable, r Recorded) {
	d.changeMission(r, e.Mission, func(m *Mission) {
		m.Previous = append([]Leg(nil), m.Previous...)
		e.set(m.Legs)
		e.set(m.Previous)
		m.SafeEnd, m.PreviousSafeEnd = e.setEnd(m.SafeEnd), e.setEnd(m.PreviousSafeEnd)
		m.Sent = append([]SentPlan(nil), m.Sent...)
		for i := range m.Sent {
			p := &m.Sent[i]
			p.Legs = append([]Leg(nil), p.Legs...)
			e.set(p.Legs)
			p.SafeEnd = e.setEnd(p.SafeEnd)
		}
	})
}

// accept puts a revision in force: the present one, or one that was replaced
// before the vehicle's answer came.
func (m *Mission) accept(revision int) {
	m.Accepted, m.RefusedAt, m.RefusedTimes = revision, time.Time{}, 0
	plan, replaced := m.sent(revision)
	later := m.Sent
	m.forgetPrevious()
	if !replaced {
		return
	}
	m.Previous, m.PreviousWindow, m.PreviousSafeEnd = plan.Legs, plan.Window, plan.SafeEnd
	for i := range later {
		if later[i].Revision > revision {
			m.Sent = append(m.Sent, later[i])
		}
	}
}

func (m *Mission) forgetPrevious() {
	m.Previous, m.PreviousWindow, m.PreviousSafeEnd, m.Sent = nil, 0, nil, nil
}

// setEnd is the safe end with its new state, if the event is about it.
func (e LegChanged) setEnd(end *Leg) *Leg {
	if end == nil || end.ID != e.Leg {
		return end
	}
	changed := *end
	changed.State = e.State
	return &changed
}

func (e LegChanged) set(legs []Leg) {
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

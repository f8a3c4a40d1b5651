package fleet

import (
	"slices"
	"time"
)

// lasting is a durable event: it changes Durable and sees nothing else.
type lasting interface {
	Event
	evolve(d *Durable, r Recorded)
}

// passing is a volatile event.
type passing interface {
	Event
	evolve(v *Volatile, r Recorded)
}

// Evolve changes the state by one event; nothing else does. An event about
// something that is not there changes nothing, so that folding never fails.
func Evolve(s *State, r Recorded) {
	if e, ok := r.Event.(Moved); ok { // It is most of all events.
		e.evolve(&s.Volatile, r)
		return
	}
	if e, ok := r.Event.(lasting); ok {
		s.Durable.Index, s.Durable.Time = r.Index, r.Time
		s.Durable.touch(kindScalars, "")
		e.evolve(&s.Durable, r)
	}
	if e, ok := r.Event.(passing); ok {
		e.evolve(&s.Volatile, r)
		if s.Volatile.marks != nil && r.Input != (Telemetry{}).inputName() {
			s.Volatile.marks.placed = true
		}
	}
}

func (e FleetRecovered) evolve(d *Durable, _ Recorded) {
	d.Epoch, d.Chart = e.Epoch, e.Chart
}

func (e AnswerGiven) evolve(d *Durable, r Recorded) {
	d.putAnswer(e.Key, &GivenAnswer{e.BodyHash, e.Status, e.Body, r.Time})
}

func (e Archived) evolve(d *Durable, _ Recorded) {
	for _, id := range e.Tasks {
		forget(d, kindTask, d.Tasks, id, taskEnding)
	}
	d.forgetRefusals(e.Tasks)
	for _, id := range e.Missions {
		forget(d, kindMission, d.Missions, id, missionEnding)
	}
	for _, id := range e.Commands {
		forget(d, kindCommand, d.Commands, id, commandEnding)
	}
	for _, id := range e.Alerts {
		forget(d, kindAlert, d.Alerts, id, alertEnding)
	}
	for _, id := range e.Incidents {
		forget(d, kindIncident, d.Incidents, id, incidentEnding)
	}
	for _, key := range e.Answers {
		forget(d, kindAnswer, d.Answers, key, answerEnding)
	}
}

func (e CommandOrdered) evolve(d *Durable, r Recorded) {
	c := e.Command
	d.Counters.Command++
	d.putCommand(&c)
	d.changeVehicle(r, c.Vehicle, func(v *Vehicle) {
		v.Commands = append(append([]CommandID(nil), v.Commands...), c.ID)
	})
}

func (e CommandChanged) evolve(d *Durable, r Recorded) {
	old, ok := d.Commands[e.Command]
	if !ok {
		return
	}
	c := *old
	c.State, c.Answer = e.State, e.Answer
	c.EndedAt = time.Time{}
	if e.State.Final() {
		c.EndedAt = r.Time
	}
	d.putCommand(&c)
	d.changeVehicle(r, c.Vehicle, func(v *Vehicle) {
		v.Commands = slices.DeleteFunc(append([]CommandID(nil), v.Commands...),
			func(id CommandID) bool { return id == c.ID && e.State.Final() })
		if !e.State.Final() && !contains(v.Commands, c.ID) {
			v.Commands = append(v.Commands, c.ID)
		}
	})
}

func (e QueueChanged) evolve(d *Durable, r Recorded) {
	if len(e.Using)+len(e.Waiting) == 0 {
		delete(d.Queues, e.Site)
		d.touch(kindQueue, string(e.Site))
	} else {
		d.putQueue(e.Site, &Queue{e.Using, e.Waiting})
	}
	d.changeVehicle(r, e.Vehicle, func(v *Vehicle) { v.Charger = e.Charger })
}

func (e AlertRaised) evolve(d *Durable, _ Recorded) {
	a := e.Alert
	d.Counters.Alert++
	d.putAlert(&a)
}

func (e AlertCleared) evolve(d *Durable, r Recorded) {
	if old, ok := d.Alerts[e.Alert]; ok {
		a := *old
		a.ClearedAt, a.ClearedBy = r.Time, e.By
		d.putAlert(&a)
	}
}

func (e AlertAcknowledged) evolve(d *Durable, r Recorded) {
	if old, ok := d.Alerts[e.Alert]; ok {
		a := *old
		a.AcknowledgedAt, a.AcknowledgedBy = r.Time, e.By
		d.putAlert(&a)
	}
}

func (VolatileCleared) evolve(v *Volatile, _ Recorded) {
	for id := range v.Presences {
		v.touchPresence(id, nil)
	}
	for id := range v.Questions {
		v.touch(kindQuestion, string(id))
	}
	v.touch(kindPresence, "")
	v.touch(kindQuestion, "")
	digest, marks, era := v.digest, v.marks, v.era
	*v = newVolatile()
	v.digest, v.marks, v.era = digest, marks, era
}

func (e LinkChanged) evolve(v *Volatile, r Recorded) {
	_, known := v.Presences[e.Vehicle]
	p := v.presence(e.Vehicle)
	if !known || p.Session != e.Session || p.Link != e.State {
		p.Since = r.Time
	}
	if p.Session != e.Session {
		p.Fresh, p.Holds = false, e.Holds
	}
	if e.Doubted {
		p.Fresh = false
	}
	p.Link, p.Session, p.LinkEnd = e.State, e.Session, e.LinkEnd
	if e.State == LinkLive {
		p.LastHeard = r.Time
	}
	v.putPresence(e.Vehicle, p)
}

func (e Moved) evolve(v *Volatile, r Recorded) {
	p := v.Presences[e.Vehicle]
	if p == nil || p.era != v.era || v.era == 0 {
		p = v.presence(e.Vehicle)
		v.putPresence(e.Vehicle, p)
	} else {
		v.touchPresence(e.Vehicle, p)
	}
	p.Known, p.Fresh, p.Sample, p.LastHeard = true, true, e.Sample, r.Time
}

func (e ZonesChanged) evolve(v *Volatile, _ Recorded) {
	p := v.presence(e.Vehicle)
	p.Zones = e.Zones
	v.putPresence(e.Vehicle, p)
}

func (e PlanWanted) evolve(v *Volatile, _ Recorded) {
	q := e.Question
	v.putQuestion(q.Task, &q)
}

func (e PlanDropped) evolve(v *Volatile, _ Recorded) {
	delete(v.Questions, e.Task)
	v.touch(kindQuestion, string(e.Task))
}

// presence is a copy that may be changed and put back.
func (v *Volatile) presence(id VehicleID) *Presence {
	if old, ok := v.Presences[id]; ok {
		p := *old
		return &p
	}
	return &Presence{Link: LinkUnknown}
}

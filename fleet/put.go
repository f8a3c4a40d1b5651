package fleet

import (
	"cmp"
	"maps"
	"slices"
)

// The put functions are the only writers of the state's maps: they keep
// digest and index informed.

func (d *Durable) touch(kind entityKind, id string) {
	if d.marks != nil {
		d.marks.written[kind] = true
	}
	if d.digest != nil {
		d.digest.touched = append(d.digest.touched, entityKey{kind, id})
	}
}

func (v *Volatile) touch(kind entityKind, id string) {
	if v.marks != nil {
		v.marks.written[kind] = true
	}
	if v.digest != nil {
		v.digest.touched = append(v.digest.touched, entityKey{kind, id})
	}
}

func (d *Durable) putVehicle(v *Vehicle) {
	d.Vehicles[v.ID] = v
	if d.index != nil {
		d.index.vehicle(v)
	}
	d.touch(kindVehicle, string(v.ID))
}

func (d *Durable) putTask(t *Task) {
	if d.index != nil {
		old := d.Tasks[t.ID]
		d.index.task(old, t)
		d.index.finals[kindTask].change(string(t.ID), taskEnding(old), taskEnding(t))
	}
	d.Tasks[t.ID] = t
	d.touch(kindTask, string(t.ID))
}

func (d *Durable) putMission(m *Mission) {
	if d.index != nil {
		d.index.finals[kindMission].change(string(m.ID), missionEnding(d.Missions[m.ID]), missionEnding(m))
		d.index.mission(m)
	}
	d.Missions[m.ID] = m
	d.touch(kindMission, string(m.ID))
}

func (d *Durable) putCommand(c *Command) {
	if d.index != nil {
		d.index.finals[kindCommand].change(string(c.ID), commandEnding(d.Commands[c.ID]), commandEnding(c))
	}
	d.Commands[c.ID] = c
	d.touch(kindCommand, string(c.ID))
}

func (d *Durable) putAlert(a *Alert) {
	old := d.Alerts[a.ID]
	d.Alerts[a.ID] = a
	if d.index != nil {
		d.index.alert(a)
		d.index.finals[kindAlert].change(string(a.ID), alertEnding(old), alertEnding(a))
	}
	d.touch(kindAlert, string(a.ID))
}

func (d *Durable) putQueue(id SiteID, q *Queue) {
	d.Queues[id] = q
	d.touch(kindQueue, string(id))
}

func (d *Durable) putAnswer(key string, a *GivenAnswer) {
	if d.index != nil {
		d.index.finals[kindAnswer].change(key, answerEnding(d.Answers[key]), answerEnding(a))
	}
	d.Answers[key] = a
	d.touch(kindAnswer, key)
}

func (d *Durable) putIncident(i *Incident) {
	if d.index != nil {
		old := d.Incidents[i.ID]
		d.index.incident(old, i)
		d.index.finals[kindIncident].change(string(i.ID), incidentEnding(old), incidentEnding(i))
	}
	d.Incidents[i.ID] = i
	d.touch(kindIncident, string(i.ID))
}

func (d *Durable) putZone(z *ZoneRecord) {
	d.Zones[z.ID] = z
	d.touch(kindZone, string(z.ID))
}

func (v *Volatile) putPresence(id VehicleID, p *Presence) {
	p.era = v.era
	v.Presences[id] = p
	v.touchPresence(id, p)
}

// touchPresence is touch for what stands there now, nil for nothing.
func (v *Volatile) touchPresence(id VehicleID, p *Presence) {
	if v.marks != nil {
		v.marks.written[kindPresence] = true
	}
	if v.digest != nil {
		v.digest.touchPresence(id, p)
	}
}

func (v *Volatile) putQuestion(id TaskID, q *Question) {
	v.Questions[id] = q
	v.touch(kindQuestion, string(id))
}

// sortedKeys gives a map's keys in order, so that map order never shows.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

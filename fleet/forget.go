package fleet

import (
	"slices"
	"strings"
	"time"
)

// What is over stays in memory for a time, and only so much of it: the journal
// has it all. What is forgotten is said by an event, Archived, so that a replay
// comes to the same state.

// ending says of one entity whether it is over and since when, and how much it
// counts towards the limit of weight of its kind. The zero ending is that of
// what is not there.
type ending struct {
	over   bool
	at     time.Time
	weight int
}

func taskEnding(t *Task) ending {
	if t == nil {
		return ending{}
	}
	return ending{t.State.Final(), t.EndedAt, len(t.Stops)}
}

func missionEnding(m *Mission) ending {
	if m == nil {
		return ending{}
	}
	points := 0
	for _, legs := range [...][]Leg{m.Legs, m.Previous} {
		for i := range legs {
			points += 1 + len(legs[i].Path)
		}
	}
	return ending{!m.Open(), m.EndedAt, points}
}

func commandEnding(c *Command) ending {
	if c == nil {
		return ending{}
	}
	return ending{c.State.Final(), c.EndedAt, len(c.Path)}
}

func alertEnding(a *Alert) ending {
	if a == nil {
		return ending{}
	}
	return ending{!a.Open(), a.ClearedAt, 1}
}

func incidentEnding(i *Incident) ending {
	if i == nil {
		return ending{}
	}
	return ending{!i.Open(), i.ClosedAt, 1}
}

func answerEnding(a *GivenAnswer) ending {
	if a == nil {
		return ending{}
	}
	return ending{true, a.At, len(a.Body)}
}

// ended is an entity that was over at a time.
type ended struct {
	at time.Time
	id string
}

func compareEnded(a, b ended) int {
	if c := a.at.Compare(b.at); c != 0 {
		return c
	}
	return strings.Compare(a.id, b.id)
}

// finals are the entities of one kind that are over.
type finals struct {
	// count and weight are of all of them.
	count, weight int
	// queue has them by the time of their end, then by id; and some that have
	// gone since, or have another end by now.
	queue []ended
}

// change takes in that an entity has another ending.
func (x *finals) change(id string, was, is ending) {
	if was.over {
		x.count--
		x.weight -= was.weight
	}
	if !is.over {
		return
	}
	x.count++
	x.weight += is.weight
	if was.over && was.at.Equal(is.at) {
		return
	}
	e := ended{is.at, id}
	at := len(x.queue)
	for at > 0 && compareEnded(x.queue[at-1], e) > 0 {
		at-- // Mostly it is the last.
	}
	x.queue = slices.Insert(x.queue, at, e)
}

// bound is how much of one kind may stay.
type bound struct {
	age           time.Duration
	count, weight int
}

// oldest takes out of the queue what must go: what is older than the age, and
// the oldest as long as there is more than the count or the weight. now gives the
// present ending of an entity, may whether it may go already; what may not stays
// in the queue. The ids are sorted.
func oldest[K ~string](x *finals, b bound, t time.Time, now func(K) ending, may func(K) bool) []K {
	var gone []K
	count, weight, n := x.count, x.weight, 0
	var stay []ended
	for ; n < len(x.queue); n++ {
		e := x.queue[n]
		is := now(K(e.id))
		if !is.over || !is.at.Equal(e.at) {
			continue
		}
		if count <= b.count && weight <= b.weight && t.Sub(e.at) <= b.age {
			break
		}
		if !may(K(e.id)) {
			stay = append(stay, e)
			continue
		}
		count, weight = count-1, weight-is.weight
		gone = append(gone, K(e.id))
	}
	if x.queue = x.queue[n:]; len(stay) > 0 {
		x.queue = append(stay, x.queue...)
	}
	slices.Sort(gone)
	return gone
}

// exceeds tells whether there is more than may stay, whatever its age.
func (x *finals) exceeds(b bound) bool { return x.count > b.count || x.weight > b.weight }

// archive forgets what has been over for long enough, once a minute, and at
// each tick what is beyond the limits.
func (f *Fleet) archive() {
	d, x, c := &f.state.Durable, f.index, &f.config
	final := bound{age: c.FinalKept, count: c.MaxFinal, weight: c.MaxFinalWeight}
	answers := bound{age: c.AnswersKept, count: c.MaxAnswers, weight: c.MaxAnswerBytes}
	due := f.now.Sub(x.archivedAt) >= time.Minute
	for _, kind := range [...]entityKind{kindTask, kindMission, kindCommand, kindAlert, kindIncident} {
		due = due || x.finals[kind].exceeds(final)
	}
	if !due && !x.finals[kindAnswer].exceeds(answers) {
		return
	}
	x.archivedAt = f.now
	var gone Archived
	gone.Tasks = oldest(&x.finals[kindTask], final, f.now,
		func(id TaskID) ending { return taskEnding(d.Tasks[id]) },
		func(id TaskID) bool { return !f.answersOpen(d.Tasks[id]) })
	gone.Missions = oldest(&x.finals[kindMission], final, f.now,
		func(id MissionID) ending { return missionEnding(d.Missions[id]) }, anyOf[MissionID])
	gone.Commands = oldest(&x.finals[kindCommand], final, f.now,
		func(id CommandID) ending { return commandEnding(d.Commands[id]) },
		func(id CommandID) bool {
			// What keeps a vehicle from work tells by whom, and who may end that.
			v, ok := d.Vehicles[d.Commands[id].Vehicle]
			return !(ok && v.Blocked == id)
		})
	gone.Alerts = oldest(&x.finals[kindAlert], final, f.now,
		func(id AlertID) ending { return alertEnding(d.Alerts[id]) }, anyOf[AlertID])
	gone.Answers = oldest(&x.finals[kindAnswer], answers, f.now,
		func(key string) ending { return answerEnding(d.Answers[key]) }, anyOf[string])
	gone.Incidents = oldest(&x.finals[kindIncident], final, f.now,
		func(id IncidentID) ending { return incidentEnding(d.Incidents[id]) }, anyOf[IncidentID])
	if len(gone.Tasks)+len(gone.Missions)+len(gone.Commands)+len(gone.Alerts)+len(gone.Answers)+len(gone.Incidents) > 0 {
		f.emit(gone)
	}
}

func anyOf[K any](K) bool { return true }

// fillFinals takes in all that is over in a state, as after a restart.
func (x *index) fillFinals(d *Durable) {
	fill(&x.finals[kindTask], d.Tasks, taskEnding)
	fill(&x.finals[kindMission], d.Missions, missionEnding)
	fill(&x.finals[kindCommand], d.Commands, commandEnding)
	fill(&x.finals[kindAlert], d.Alerts, alertEnding)
	fill(&x.finals[kindIncident], d.Incidents, incidentEnding)
	fill(&x.finals[kindAnswer], d.Answers, answerEnding)
}

func fill[K ~string, V any](x *finals, all map[K]*V, end func(*V) ending) {
	for id, v := range all {
		if e := end(v); e.over {
			x.count++
			x.weight += e.weight
			x.queue = append(x.queue, ended{e.at, string(id)})
		}
	}
	slices.SortFunc(x.queue, compareEnded)
}

// forget removes an entity from the state.
func forget[K ~string, V any](d *Durable, kind entityKind, all map[K]*V, id K, end func(*V) ending) {
	if d.index != nil {
		d.index.finals[kind].change(string(id), end(all[id]), ending{})
	}
	delete(all, id)
	d.touch(kind, string(id))
}

package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// QuoteRounds is how often one quote lets questions be thought through that the
// answers to earlier ones brought up. All questions of a quote together get the
// searches of one in the background, Config.ExpansionsInBackground: what they did
// not come to is in the quote as not_tried, with the lower bound that is known.
const QuoteRounds = 8

// Quote says what would become of an order, a report or a task that is there, if
// it were decided now. It is a rehearsal: the very rules decide, on a copy of the
// view, and what they concluded is read off and dropped. So a quote names the
// vehicle that an order gets which is decided on the same state, and changes
// nothing; any number may be made at once.
//
// World must be a planner of the world that the view was taken in; it is cloned.
// A problem is one with which the fleet would refuse the order or report, or
// bad_quote when not exactly one thing is asked about, task_not_found, task_over.
func Quote(premises *Premises, view *State, world *route.Planner, now time.Time, r api.QuoteRequest) (api.Quote, *Problem) {
	given := 0
	for _, is := range [...]bool{r.Order != nil, r.Incident != nil, r.Task != ""} {
		if is {
			given++
		}
	}
	if given != 1 {
		return api.Quote{}, bad("bad_quote", "", "a quote is about exactly one of order, incident and task, not %d", given)
	}
	h := newRehearsal(premises, view, world, now)
	var ids []TaskID
	var p *Problem
	switch {
	case r.Order != nil:
		ids, p = h.ask(OrderTask{*r.Order})
	case r.Incident != nil:
		// Where the stops of a response lie is held against the fences.
		h.fleet.fences = fence.Compile(h.fleet.chart, h.fleet.allZones())
		ids, p = h.ask(ReportIncident{*r.Incident})
	default:
		ids, p = []TaskID{TaskID(r.Task)}, h.look(TaskID(r.Task))
	}
	if p != nil {
		return api.Quote{}, p
	}
	quote := api.Quote{At: h.fleet.now, Tasks: make([]api.TaskQuote, 0, len(ids))}
	for _, id := range ids {
		quote.Tasks = append(quote.Tasks, h.taskQuote(id))
	}
	return quote, nil
}

// rehearsal is a fleet of its own that decides in place of the real one.
type rehearsal struct {
	fleet *Fleet
	// before is the view that it began with.
	before *State
	// left is what the questions may still take.
	left int
}

func newRehearsal(premises *Premises, view *State, world *route.Planner, now time.Time) *rehearsal {
	state := view.View()
	f := &Fleet{
		Premises: premises, state: state, world: world.Clone(),
		owing: map[VehicleID]bool{}, told: map[VehicleID][]MissionID{}, searchPauses: map[TaskID]pause{},
		zones: zones{due: map[VehicleID]bool{}, retry: map[VehicleID]time.Time{}},
		notes: &notes{decisions: map[TaskID]*decision{}},
	}
	f.index = newIndex(&state.Durable)
	state.Durable.index = f.index
	f.now = later(now.UTC().Round(0), state.Durable.Time)
	f.budget = f.config.ExpansionsPerStep
	return &rehearsal{fleet: f, before: view, left: f.config.ExpansionsInBackground}
}

// ask lets the fleet decide a request and lists the tasks that came of it.
func (h *rehearsal) ask(ask Ask) ([]TaskID, *Problem) {
	out := h.fleet.Step(h.fleet.now, []Input{Asked{Actor: "quote", Ask: ask}})
	for _, e := range out.Effects {
		if reply, ok := e.(Reply); ok && reply.Answer.Problem != nil {
			return nil, reply.Answer.Problem
		}
	}
	var ids []TaskID
	for _, r := range out.Events {
		if e, ok := r.Event.(TaskOrdered); ok {
			ids = append(ids, e.Task.ID)
		}
	}
	h.think(out)
	return ids, nil
}

// think answers the questions of a step, those of the steps that the answers
// make, and so on.
func (h *rehearsal) think(out Output) {
	for range QuoteRounds {
		var ready []Input
		for _, e := range out.Effects {
			if think, ok := e.(Think); ok && h.left > 0 {
				ready = append(ready, PlanReady{think.Question, h.answer(think.Question)})
			}
		}
		if len(ready) == 0 {
			return
		}
		out = h.fleet.Step(h.fleet.now, ready)
	}
}

func (h *rehearsal) answer(q Question) assign.Answer {
	config := h.fleet.config
	config.ExpansionsInBackground = h.left
	answer := AnswerQuestion(h.fleet.world, q, h.fleet.now, config)
	h.left -= answer.Expansions
	return answer
}

// look lets the fleet look at a task that is there. One that a vehicle holds is
// only compared with what the others could do.
func (h *rehearsal) look(id TaskID) *Problem {
	f := h.fleet
	t, ok := f.task(id)
	switch {
	case !ok:
		return bad("task_not_found", "task", "there is no task %s here", id)
	case t.State.Final():
		return bad("task_over", "task", "task %s is %s", id, t.State)
	case t.State != TaskWaiting:
		h.compare(t)
		return nil
	}
	delete(f.state.Volatile.Questions, id)
	f.out = Output{}
	f.dispatch(id)
	h.think(f.out)
	return nil
}

// compare asks about all vehicles but the holder of a task, as if it waited.
func (h *rehearsal) compare(held *Task) {
	f := h.fleet
	t := held.clone()
	t.State, t.Vehicle, t.Mission = TaskWaiting, "", ""
	q, _ := f.question(t)
	others := Question{Task: q.Task, TaskRevision: q.TaskRevision, Job: q.Job}
	for i, id := range q.Vehicles {
		if id == held.Vehicle {
			continue
		}
		others.Vehicles = append(others.Vehicles, id)
		others.Revisions = append(others.Revisions, q.Revisions[i])
		others.Candidates = append(others.Candidates, q.Candidates[i])
	}
	answer := assign.Earliest(f.world, others.Job, others.Candidates, f.now, assign.Limits{
		MaxCandidates: f.config.MaxCandidates, MaxExpansions: h.left,
	})
	f.notes.settle(others, answer)
}

// taskQuote reads off what became of a task.
func (h *rehearsal) taskQuote(id TaskID) api.TaskQuote {
	t, _ := h.fleet.task(id)
	q := api.TaskQuote{Role: t.Role, Kind: string(t.Kind), Priority: string(t.Priority)}
	known, there := h.before.Durable.Tasks[id]
	if there {
		q.Task = string(id)
	}
	if t.State == TaskWaiting || there && known.State == TaskWaiting {
		waiting := t
		if there && known.State == TaskWaiting {
			waiting = known
		}
		q.WaitsFor, q.WaitsForCode, q.WaitsSince = waiting.Reason.Text, waiting.Reason.Code, waiting.waitsSince()
	}
	if m, ok := h.fleet.state.Durable.Missions[t.Mission]; ok && t.State != TaskWaiting {
		if hasOpenLeg(m, t.ID) {
			h.holder(&q, t, m)
		} else {
			q.WaitsForCode, q.WaitsFor = givesItUp, fmt.Sprintf("%s has it and is to give it up", t.Vehicle)
		}
	}
	q.Others = h.others(t)
	return q
}

// hasOpenLeg tells whether a mission still leads to a stop of a task.
func hasOpenLeg(m *Mission, id TaskID) bool {
	return slices.ContainsFunc(m.Legs, func(l Leg) bool { return l.Task == id && !l.Final() })
}

// holder says who has the task, or would get it, when it arrives and what it has
// left in the end.
func (h *rehearsal) holder(q *api.TaskQuote, t *Task, m *Mission) {
	f := h.fleet
	q.Vehicle = string(t.Vehicle)
	for i := range m.Legs {
		l := &m.Legs[i]
		if l.Final() {
			continue
		}
		if l.Task == t.ID {
			q.Arrive = append(q.Arrive, l.ETA)
			q.ETA = l.ETA
		}
		q.EnergyWh += l.EnergyWh
		q.Home = l.ETA
	}
	v, _ := f.vehicle(t.Vehicle)
	ratio := (f.energy(v) - q.EnergyWh) / v.Spec.BatteryWh
	if d := f.notes.decisions[t.ID]; d != nil && d.answer != nil && d.answer.Best != nil && d.question.Vehicles[d.answer.Best.Candidate] == t.Vehicle {
		best := d.answer.Best
		q.EnergyWh, q.Home, ratio = best.EnergyWh, best.Home, best.BatteryAfterRatio
	}
	q.BatteryAfterRatio = &ratio
	if old, ok := h.before.Durable.Missions[h.before.Durable.Vehicles[t.Vehicle].Mission]; ok && !h.compared(t) {
		q.Displaced = words(slices.DeleteFunc(old.Tasks(), func(id TaskID) bool { return contains(m.Tasks(), id) }))
	}
	for _, id := range f.index.tasks[t.Vehicle] {
		old, ok := h.before.Durable.Tasks[id]
		now, _ := f.task(id)
		if !ok || id == t.ID || old.ETA.IsZero() {
			continue
		}
		if late := now.ETA.Sub(old.ETA); late > time.Second {
			q.Delayed = append(q.Delayed, api.DelayedTask{Task: string(id), DelayS: late.Seconds()})
		}
	}
}

// waitsSince is since when a waiting task waits.
func (t *Task) waitsSince() time.Time {
	if t.WaitsSince.IsZero() {
		return t.ChangedAt
	}
	return t.WaitsSince
}

// untried is a vehicle that was not routed: the bound below which it cannot
// finish, in seconds from now.
func (h *rehearsal) untried(job *assign.Job, c *assign.Candidate) float64 {
	at, t, loadKg := c.Start, later(c.FreeAt, h.fleet.now), c.LoadKg
	for i := range job.Stops {
		s := &job.Stops[i]
		cost := h.fleet.world.LeastCost(&c.Spec, at, s.At, loadKg)
		t = later(t.Add(secondsOf(cost.Seconds)), s.Earliest).Add(secondsOf(s.WorkS))
		at, loadKg = s.At, max(0, loadKg+s.LoadKg)
	}
	return t.Sub(h.fleet.now).Seconds()
}

// secondsOf is a duration of at most a hundred years.
func secondsOf(s float64) time.Duration {
	return time.Duration(min(max(s, 0), 3e9) * float64(time.Second))
}

// finishS is when the holder of a task is done with it, in seconds from now.
func (h *rehearsal) finishS(t *Task) (float64, bool) {
	m, ok := h.fleet.state.Durable.Missions[t.Mission]
	if !ok || t.State == TaskWaiting {
		return 0, false
	}
	var end time.Time
	for i := range m.Legs {
		if m.Legs[i].Task == t.ID {
			end = m.Legs[i].EndsAt
		}
	}
	return end.Sub(h.fleet.now).Seconds(), !end.IsZero()
}

// clock writes a time of day for people.
func clock(t time.Time) string { return fmt.Sprint(t.UTC().Format("15:04:05"), " UTC") }

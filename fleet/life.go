package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The rules by which tasks change hands.

// reasonPause is how long a waiting task keeps the wording of its reason while
// the kind of reason stays the same; each change is a durable event. A task that
// has waited longer keeps it for as long again.
const reasonPause = time.Minute

func (f *Fleet) mission(id MissionID) *Mission { return f.state.Durable.Missions[id] }

// changeTask gives a task another state and reason and leaves the rest.
func (f *Fleet) changeTask(t *Task, state TaskState, reason Reason) {
	f.emit(TaskChanged{
		Task: t.ID, State: state, Reason: reason, Vehicle: t.Vehicle, Mission: t.Mission, ETA: t.ETA, Attempts: t.Attempts,
	})
}

// wait makes a task wait that was held, and looks for another vehicle.
func (f *Fleet) wait(t *Task, why Reason) {
	f.stillWaits(t, why)
	f.lookAgain = true
}

// stillWaits makes a task wait, with a reason; nobody holds it any more. A task
// that is to be cancelled is cancelled instead, unless its load is on board.
func (f *Fleet) stillWaits(t *Task, why Reason) {
	if t.CancelWanted != "" && t.LoadOn == "" {
		f.emit(TaskChanged{Task: t.ID, State: TaskCancelled, Reason: Reason{"cancelled", t.CancelWanted}, Attempts: t.Attempts})
		f.taskOver(t.ID, "the task was cancelled")
		return
	}
	if t.LoadOn != "" {
		why = Reason{"load_on_board", fmt.Sprintf("its load is on %s, which alone may finish it (%s)", t.LoadOn, why.Text)}
	}
	if t.State == TaskWaiting && t.Reason.Code == why.Code && (t.Reason == why || f.now.Sub(t.ChangedAt) < max(reasonPause, t.ChangedAt.Sub(t.OrderedAt))) {
		return
	}
	e := TaskChanged{Task: t.ID, State: TaskWaiting, Reason: why, Attempts: t.Attempts}
	if t.State == TaskWaiting {
		e.WaitsSince = t.waitsSince()
	}
	f.emit(e)
}

// release takes a task from its vehicle. A stop that is begun stays with the
// vehicle and becomes a question for a person.
func (f *Fleet) release(t *Task, why Reason) {
	if n := t.NextStop(); n < len(t.Stops) && t.Stops[n].State == StopBegun {
		f.askPerson(t.ID, n, t.Vehicle, fmt.Sprintf("%s had begun stop %d when its mission ended: %s", t.Vehicle, n+1, why.Text))
		return
	}
	f.wait(t, why)
}

// fail ends a task without success and tells people.
func (f *Fleet) fail(t *Task, why Reason) {
	f.emit(TaskChanged{
		Task: t.ID, State: TaskFailed, Reason: why, Vehicle: t.Vehicle, Mission: t.Mission, Attempts: t.Attempts,
	})
	f.taskOver(t.ID, "the task failed")
	f.raise(alertAbout{kind: AlertTaskFailed, vehicle: t.Vehicle, task: t.ID}, Warning, fmt.Sprintf("task %s failed: %s", t.ID, why.Text))
}

// askPerson marks a stop as being in doubt: only a person, or the vehicle's own
// report, can say whether its work was done.
func (f *Fleet) askPerson(id TaskID, stop int, vehicle VehicleID, text string) {
	t, _ := f.task(id)
	if !t.Stops[stop].Doubt {
		f.emit(StopChanged{Task: id, Stop: stop, State: t.Stops[stop].State, Doubt: true, Vehicle: vehicle, At: t.Stops[stop].BegunAt})
	}
	t, _ = f.task(id)
	f.emit(TaskChanged{
		Task: id, State: TaskWaiting, Reason: Reason{"decision_needed", text}, Vehicle: vehicle, Attempts: t.Attempts,
	})
	f.raise(alertAbout{kind: AlertDecide, vehicle: vehicle, task: id}, Warning,
		fmt.Sprintf("was stop %d of task %s done? %s", stop+1, id, text))
}

// settleStop ends the doubt about one stop; the question to people ends with
// the last doubt about the task.
func (f *Fleet) settleStop(id TaskID, stop int, evidence string) {
	t, _ := f.task(id)
	if s := t.Stops[stop]; s.Doubt {
		at := s.BegunAt
		if s.State == StopDone {
			at = s.DoneAt
		}
		f.emit(StopChanged{Task: id, Stop: stop, State: s.State, Vehicle: t.Vehicle, At: at})
		t, _ = f.task(id)
	}
	if !inDoubt(t) {
		f.clearQuestions(id, evidence)
	}
}

// clearQuestions ends the alerts that ask people about a task.
func (f *Fleet) clearQuestions(id TaskID, evidence string) {
	for _, a := range f.questionsAbout(id) {
		f.emit(AlertCleared{a, evidence})
	}
}

// questionsAbout lists the open alerts that ask people about a task, in order.
func (f *Fleet) questionsAbout(id TaskID) []AlertID {
	var open []AlertID
	for key, a := range f.index.alerts {
		if key.kind == AlertDecide && key.task == id {
			open = append(open, a)
		}
	}
	sortNumbered(open)
	return open
}

// taskOver clears what was raised about a task that has ended.
func (f *Fleet) taskOver(id TaskID, evidence string) {
	t, _ := f.task(id)
	for i := range t.Stops {
		if t.Stops[i].Doubt {
			f.settleStop(id, i, evidence)
		}
	}
	f.clearQuestions(id, evidence)
	f.clearAlert(alertAbout{kind: AlertEmergencyWaits, task: id}, evidence)
	f.clearAlert(alertAbout{kind: AlertWanted, task: id, vehicle: t.Wanted}, evidence)
	if _, asked := f.state.Volatile.Questions[id]; asked {
		f.emit(PlanDropped{id, evidence})
	}
	f.lookAgain = true
}

// inDoubt tells whether a person must decide first.
func inDoubt(t *Task) bool {
	for i := range t.Stops {
		if t.Stops[i].Doubt {
			return true
		}
	}
	return false
}

// endMission ends a mission; its tasks that are not over are released.
func (f *Fleet) endMission(m *Mission, why, release Reason) {
	f.emit(MissionChanged{m.ID, protocol.MissionEnded, why})
	f.owe(m.Vehicle)
	f.clearAlert(alertAbout{kind: AlertUnanswered, vehicle: m.Vehicle}, "the mission ended")
	for _, id := range f.heldBy(m) {
		t, _ := f.task(id)
		f.release(t, release)
	}
}

// heldBy lists the tasks that a mission holds and that are not over, in order.
func (f *Fleet) heldBy(m *Mission) []TaskID { return f.appendHeld(nil, m) }

// appendHeld is heldBy where there is room already.
func (f *Fleet) appendHeld(ids []TaskID, m *Mission) []TaskID {
	for _, id := range f.index.tasks[m.Vehicle] {
		if t, _ := f.task(id); t.Mission == m.ID && (t.State == TaskAssigned || t.State == TaskUnderway) {
			ids = append(ids, id)
		}
	}
	return ids
}

// releaseDropped frees the tasks that an accepted revision leaves out.
func (f *Fleet) releaseDropped(m *Mission) {
	// It is asked of each mission at each tick, and mostly nothing is left out.
	var room [4]TaskID
	for _, id := range f.appendHeld(room[:0], m) {
		if m.leads(id) {
			continue
		}
		t, _ := f.task(id)
		why := Reason{"taken_off", fmt.Sprintf("%s has given it up: %s", m.Vehicle, m.Reason.Text)}
		if m.Reason.Code == displaced {
			why = Reason{displaced, fmt.Sprintf("%s: %s has given it up", m.Reason.Text, m.Vehicle)}
		}
		if t.Reason.Code == failedAttempt {
			why = t.Reason
		}
		f.release(t, why)
	}
}

// storeLost deals with a vehicle that lost its reports: what it may have begun
// without telling becomes a question, the rest is still owed to it. until is the
// last instant at which it had the authority to begin a stop, held the mission
// that it says it holds. A mission that it does not hold any more is over.
func (f *Fleet) storeLost(id VehicleID, until time.Time, held *protocol.MissionRef) {
	v, _ := f.vehicle(id)
	f.raise(alertAbout{kind: AlertStoreLost, vehicle: id}, Warning,
		fmt.Sprintf("%s lost its store of reports: what it did while out of touch is not known", id))
	for _, cid := range v.Commands {
		if f.state.Durable.Commands[cid].State == CommandAccepted {
			f.emit(CommandChanged{cid, CommandFailed, Reason{"store_lost", "the vehicle lost its store, and the command with it"}})
		}
	}
	if m, ok := f.openMission(v); ok {
		doubtful := f.mayHaveBegun(v, m, until)
		if mutant.On(mutant.StoreLossIgnored) {
			doubtful = nil
		}
		for _, leg := range doubtful {
			t, _ := f.task(leg.Task)
			f.askPerson(t.ID, leg.Stop, id, fmt.Sprintf("%s may have worked at stop %d before it lost its store", id, leg.Stop+1))
		}
		switch {
		case held == nil || held.ID != string(m.ID):
			why := Reason{"store_lost", fmt.Sprintf("%s lost its store, and the mission with it", id)}
			f.endMission(m, why, why)
			f.leaveCharger(id)
		case len(doubtful) > 0:
			f.dropLegs(m.ID, Reason{"store_lost", "stops in doubt are taken out"})
		}
	}
	f.clearAlert(alertAbout{kind: AlertStoreLost, vehicle: id}, "every stop that it may have begun has been put to a person")
}

// mayHaveBegun lists the legs whose stops the vehicle may have begun without
// Kapok knowing, in order. It had no authority after until, and it cannot have
// been faster than its greatest speed: a stop that lies further is certainly not
// begun. Every revision that it may hold counts.
func (f *Fleet) mayHaveBegun(v *Vehicle, m *Mission, until time.Time) []Leg {
	if until.After(f.now) {
		until = f.now
	}
	var all []Leg
	for _, legs := range m.plans() {
		for _, l := range f.withinReach(v, m, legs, until) {
			if !slices.ContainsFunc(all, func(x Leg) bool { return x.Task == l.Task && x.Stop == l.Stop }) {
				all = append(all, l)
			}
		}
	}
	return all
}

// withinReach lists the legs of one plan that may have been begun. The newest
// sample is a certain place and time. Without one no place is certain, only that
// the first stop was not begun when its leg was started or, in a revision that
// was answered, when that was issued.
func (f *Fleet) withinReach(v *Vehicle, m *Mission, plan []Leg, until time.Time) []Leg {
	var at space.Position
	var when time.Time
	p := f.presence(v.ID)
	known := p.Known
	if known {
		at, when = space.Position(p.Sample.Position), p.Sample.Time
	} else if m.Answered() {
		when = m.IssuedAt
	}
	var legs []Leg
	for i := current(plan); i < len(plan); i++ {
		l := plan[i]
		if !known && len(legs) == 0 {
			when = later(when, l.StartedAt)
		}
		if l.Task == "" || l.Final() {
			continue
		}
		if known {
			when = when.Add(time.Duration(v.Spec.LowerBoundS(space.Distance(at, l.End())) * float64(time.Second)))
		}
		if l.State != protocol.LegBegun && when.After(until) {
			break
		}
		at, known = l.End(), true
		when = when.Add(time.Duration(l.WorkS * float64(time.Second)))
		if t, ok := f.task(l.Task); ok && !t.State.Final() && t.Mission == m.ID && t.Stops[l.Stop].State != StopDone {
			legs = append(legs, l)
		}
	}
	return legs
}

// anchor is the last place and time that is known: the newest sample, or the
// start of the current leg.
func (f *Fleet) anchor(v *Vehicle, m *Mission) (space.Position, time.Time) {
	at, when := v.Home, m.IssuedAt
	if i := m.Current(); i < len(m.Legs) {
		at = m.Legs[i].Path[0]
		if s := m.Legs[i].StartedAt; s.After(when) {
			when = s
		}
	}
	return at, when
}

// backAgain ends what was said of a vehicle's silence: it reports for itself.
func (f *Fleet) backAgain(id VehicleID) {
	for _, tid := range slices.Clone(f.index.tasks[id]) {
		t, _ := f.task(tid)
		if !inDoubt(t) {
			f.clearQuestions(tid, fmt.Sprintf("%s logged in and reports for itself", id))
		}
		if t.Reason.Code == silentReason && t.Vehicle == id && t.State != TaskWaiting {
			f.changeTask(t, t.State, Reason{"back", fmt.Sprintf("%s logged in again", id)})
		}
	}
}

// silentReason is the code of tasks whose vehicle is silent.
const silentReason = "vehicle_silent"

// authorityEnd is the last instant at which the vehicle may have begun a stop.
func (f *Fleet) authorityEnd(id VehicleID) time.Time {
	end := f.presence(id).LinkEnd
	if end.IsZero() {
		end = f.now
	}
	return end.Add(f.config.TaskAuthority + f.config.AuthorityMargin)
}

// giveAway takes from a silent vehicle the tasks that it certainly has not
// begun, once its authority has ended. The others wait for evidence.
func (f *Fleet) giveAway(v *Vehicle) {
	if f.now.Before(f.authorityEnd(v.ID)) && !mutant.On(mutant.SilentStopGivenAway) {
		return
	}
	f.missLoads(v)
	m, ok := f.openMission(v)
	if !ok {
		return
	}
	doubtful := map[TaskID]bool{}
	for _, l := range f.mayHaveBegun(v, m, f.authorityEnd(v.ID)) {
		doubtful[l.Task] = true
	}
	gave := false
	for _, id := range f.heldBy(m) {
		t, _ := f.task(id)
		if t.LoadOn == "" && (!doubtful[id] || mutant.On(mutant.SilentStopGivenAway)) {
			f.wait(t, Reason{silentReason, fmt.Sprintf("%s is silent and certainly has not begun it", v.ID)})
			gave = true
			continue
		}
		if t.LoadOn == "" {
			f.askAboutSilence(v, t, fmt.Sprintf("%s is silent and may have begun it: it waits for the vehicle or a person", v.ID))
		}
	}
	if gave {
		f.dropLegs(m.ID, Reason{silentReason, "tasks were given away"})
	}
}

// missLoads asks about the loads on a vehicle that is silent.
func (f *Fleet) missLoads(v *Vehicle) {
	for _, id := range slices.Clone(f.index.tasks[v.ID]) {
		if t, _ := f.task(id); t.LoadOn == v.ID && !inDoubt(t) {
			f.askAboutSilence(v, t, fmt.Sprintf("%s is silent with the load on board: it waits for the vehicle or a person", v.ID))
		}
	}
}

// askAboutSilence gives a task the reason that its vehicle is silent, and asks
// people.
func (f *Fleet) askAboutSilence(v *Vehicle, t *Task, text string) {
	if why := (Reason{silentReason, text}); t.Reason != why && t.State != TaskWaiting {
		f.changeTask(t, t.State, why)
	}
	f.raise(alertAbout{kind: AlertDecide, vehicle: v.ID, task: t.ID}, Warning, fmt.Sprintf("task %s: %s", t.ID, text))
}

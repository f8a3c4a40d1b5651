package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The rules by which tasks change hands.

// reasonPause is how long a waiting task keeps the wording of its reason while
// the kind of reason stays the same; each change is a durable event.
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
		return
	}
	if t.LoadOn != "" {
		why = Reason{"load_on_board", fmt.Sprintf("its load is on %s, which alone may finish it (%s)", t.LoadOn, why.Text)}
	}
	if t.State == TaskWaiting && t.Reason.Code == why.Code && (t.Reason == why || f.now.Sub(t.ChangedAt) < reasonPause) {
		return
	}
	f.emit(TaskChanged{Task: t.ID, State: TaskWaiting, Reason: why, Attempts: t.Attempts})
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
	f.raise(alertAbout{kind: AlertTaskFailed, vehicle: t.Vehicle, task: t.ID}, Warning, fmt.Sprintf("task %s failed: %s", t.ID, why.Text))
	f.lookAgain = true
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

// settleDoubt ends the doubt about a task's stops.
func (f *Fleet) settleDoubt(id TaskID, evidence string) {
	t, _ := f.task(id)
	for i := range t.Stops {
		if s := t.Stops[i]; s.Doubt {
			at := s.BegunAt
			if s.State == StopDone {
				at = s.DoneAt
			}
			f.emit(StopChanged{Task: id, Stop: i, State: s.State, Vehicle: t.Vehicle, At: at})
		}
	}
	var open []AlertID
	for key, a := range f.index.alerts {
		if key.kind == AlertDecide && key.task == id {
			open = append(open, a)
		}
	}
	sortNumbered(open)
	for _, a := range open {
		f.emit(AlertCleared{a, evidence})
	}
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
func (f *Fleet) heldBy(m *Mission) []TaskID {
	var ids []TaskID
	for _, id := range f.index.tasks[m.Vehicle] {
		if t, _ := f.task(id); t.Mission == m.ID && (t.State == TaskAssigned || t.State == TaskUnderway) {
			ids = append(ids, id)
		}
	}
	return ids
}

// releaseDropped frees the tasks that an accepted revision left out.
func (f *Fleet) releaseDropped(m *Mission) {
	kept := m.Tasks()
	for _, id := range f.heldBy(m) {
		t, _ := f.task(id)
		if !contains(kept, id) {
			f.release(t, Reason{"taken_off", fmt.Sprintf("%s has given it up", m.Vehicle)})
		}
	}
}

// storeLost deals with a vehicle that lost its reports: what it may have begun
// without telling becomes a question, the rest is still owed to it.
// until is the last instant at which it had the authority to begin a stop.
func (f *Fleet) storeLost(id VehicleID, until time.Time) {
	v, _ := f.vehicle(id)
	f.raise(alertAbout{kind: AlertStoreLost, vehicle: id}, Warning,
		fmt.Sprintf("%s lost its store of reports: what it did while out of touch is not known", id))
	if m, ok := f.openMission(v); ok {
		doubtful := f.mayHaveBegun(v, m, until)
		for _, leg := range doubtful {
			t, _ := f.task(leg.Task)
			f.askPerson(t.ID, leg.Stop, id, fmt.Sprintf("%s may have worked at stop %d before it lost its store", id, leg.Stop+1))
		}
		if len(doubtful) > 0 {
			f.dropLegs(m.ID, Reason{"store_lost", "stops in doubt are taken out"})
		}
	}
	f.clearAlert(alertAbout{kind: AlertStoreLost, vehicle: id}, "every stop that it may have begun has been put to a person")
}

// mayHaveBegun lists the legs whose stops the vehicle may have begun without
// Kapok knowing, in order. It had no authority after the link's end plus
// TaskAuthority, and it cannot have been faster than its greatest speed: a stop
// that lies further is certainly not begun.
func (f *Fleet) mayHaveBegun(v *Vehicle, m *Mission, until time.Time) []Leg {
	if until.After(f.now) {
		until = f.now
	}
	at, when := f.anchor(v, m)
	var legs []Leg
	for i := m.Current(); i < len(m.Legs); i++ {
		l := m.Legs[i]
		if l.Task == "" {
			continue
		}
		way := space.Distance(at, l.End())
		when = when.Add(time.Duration(v.Spec.LowerBoundS(way) * float64(time.Second)))
		if l.State != protocol.LegBegun && when.After(until) {
			break
		}
		at = l.End()
		when = when.Add(time.Duration(l.WorkS * float64(time.Second)))
		if t, ok := f.task(l.Task); ok && !t.State.Final() && t.Mission == m.ID && t.Stops[l.Stop].State != StopDone {
			legs = append(legs, l)
		}
	}
	return legs
}

// anchor is the last place and time that is certain: the newest sample, or the
// start of the current leg.
func (f *Fleet) anchor(v *Vehicle, m *Mission) (space.Position, time.Time) {
	at, when := v.Home, m.IssuedAt
	if i := m.Current(); i < len(m.Legs) {
		at = m.Legs[i].Path[0]
		if s := m.Legs[i].StartedAt; s.After(when) {
			when = s
		}
	}
	if p := f.presence(v.ID); p.Known && p.Sample.Time.After(when) {
		return space.Position(p.Sample.Position), p.Sample.Time
	}
	return at, when
}

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
	m, ok := f.openMission(v)
	if !ok || f.now.Before(f.authorityEnd(v.ID)) {
		return
	}
	doubtful := f.mayHaveBegun(v, m, f.authorityEnd(v.ID))
	isDoubtful := map[TaskID]bool{}
	for _, l := range doubtful {
		isDoubtful[l.Task] = true
	}
	gave := false
	for _, id := range f.heldBy(m) {
		t, _ := f.task(id)
		if t.LoadOn == "" && !isDoubtful[id] {
			f.wait(t, Reason{"vehicle_silent", fmt.Sprintf("%s is silent and certainly has not begun it", v.ID)})
			gave = true
			continue
		}
		why := Reason{"vehicle_silent", fmt.Sprintf("%s is silent and may have begun it: it waits for the vehicle or a person", v.ID)}
		if t.LoadOn != "" {
			why.Text = fmt.Sprintf("%s is silent with the load on board: it waits for the vehicle or a person", v.ID)
		}
		if t.Reason != why {
			f.changeTask(t, t.State, why)
		}
		f.raise(alertAbout{kind: AlertDecide, vehicle: v.ID, task: id}, Warning, fmt.Sprintf("task %s: %s", id, why.Text))
	}
	if gave {
		f.dropLegs(m.ID, Reason{"vehicle_silent", "tasks were given away"})
	}
}

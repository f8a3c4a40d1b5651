package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// What progress means for legs, stops and tasks.

func (f *Fleet) takeProgress(v *Vehicle, log string, p protocol.Progress) {
	taken := ReportTaken{
		Vehicle: v.ID, LogID: log, Seq: p.Seq, Kind: "progress", Mission: p.Mission, Leg: p.Leg,
		Command: p.Command, State: string(p.State), Reason: p.Reason, Text: p.Text,
	}
	if p.Command != "" {
		c, ok := f.state.Durable.Commands[CommandID(p.Command)]
		if !ok || c.Vehicle != v.ID || c.State.Final() {
			taken.Ignored = "not an open command of this vehicle"
		}
		f.take(0, taken)
		if taken.Ignored == "" {
			f.commandEnded(v, c, p)
		}
		return
	}
	m, ok := f.state.Durable.Missions[MissionID(p.Mission)]
	if !ok || m.Vehicle != v.ID {
		taken.Ignored = "not a mission of this vehicle"
		f.take(0, taken)
		return
	}
	leg, known := findLeg(m, LegID(p.Leg))
	switch {
	case !known:
		taken.Ignored = "not a leg of this mission"
	case leg.Final():
		taken.Ignored = "the leg is " + string(leg.State)
	case leg.State == protocol.LegBegun && (p.State == protocol.Started || p.State == protocol.Begun):
		taken.Ignored = "the leg is begun"
	}
	f.take(m.Issued, taken)
	if taken.Ignored == "" {
		f.legProgress(v, m, leg, p)
	}
}

// findLeg finds a leg in the plan, in the plan in force, as the safe end, or
// among those dropped.
func findLeg(m *Mission, id LegID) (Leg, bool) {
	if i, ok := m.LegIndex(id); ok {
		return m.Legs[i], true
	}
	for i := range m.Previous {
		if m.Previous[i].ID == id {
			return m.Previous[i], true
		}
	}
	if m.SafeEnd != nil && m.SafeEnd.ID == id {
		return *m.SafeEnd, true
	}
	for _, l := range m.Dropped {
		if l.ID == id {
			return Leg{ID: l.ID, Task: l.Task, Stop: l.Stop}, true
		}
	}
	return Leg{}, false
}

// legProgress takes in how far a leg has come. It counts at any revision.
func (f *Fleet) legProgress(v *Vehicle, m *Mission, leg Leg, p protocol.Progress) {
	at := f.happened(p.Time)
	f.emit(LegChanged{m.ID, leg.ID, protocol.LegState(p.State), at})
	if leg.Task != "" {
		f.stopProgress(v, m, leg, p, at)
	} else {
		f.siteProgress(v, leg, p.State)
	}
	m = f.mission(m.ID)
	if !m.Open() {
		f.afterEnd(v, m, leg, p.State)
		return
	}
	if f.complete(m) {
		return
	}
	if p.State == protocol.Failed && m.Answered() {
		// The vehicle waits to hear how to go on.
		f.rebuild(v, m, Reason{"failed", "a leg failed"})
		return
	}
	f.pursue(v.ID)
}

// complete ends a mission of which the vehicle has done all.
func (f *Fleet) complete(m *Mission) bool {
	if !m.Answered() || m.Current() < len(m.Legs) {
		return false
	}
	f.endMission(m, Reason{"completed", "all legs are done"}, Reason{"left_over", "its mission ended without it"})
	f.lookAgain = true
	return true
}

// afterEnd deals with work that a vehicle reports for a mission that is over: a
// stop that is begun waits for its report or a person, other stops for anybody.
func (f *Fleet) afterEnd(v *Vehicle, m *Mission, leg Leg, state protocol.ProgressState) {
	t, ok := f.task(leg.Task)
	if !ok || t.State.Final() || t.Mission != m.ID {
		return
	}
	f.release(t, Reason{string(state), fmt.Sprintf("%s reports stop %d %s, but its mission is over", v.ID, leg.Stop+1, state)})
}

// happened is the vehicle's time of an occurrence, kept within what can be.
func (f *Fleet) happened(t time.Time) time.Time {
	t = t.UTC().Round(0)
	if t.After(f.now) || t.IsZero() {
		return f.now
	}
	return t
}

// stopProgress takes in what a leg's progress means for its task.
func (f *Fleet) stopProgress(v *Vehicle, m *Mission, leg Leg, p protocol.Progress, at time.Time) {
	t, ok := f.task(leg.Task)
	if !ok || leg.Stop >= len(t.Stops) {
		return
	}
	stop := t.Stops[leg.Stop]
	if stop.State == StopDone {
		return
	}
	if p.State == protocol.Failed && stop.Doubt && t.Mission == "" && t.Vehicle == v.ID {
		f.reopen(t, leg.Stop, Reason{"not_done", fmt.Sprintf("%s reports that it did not finish stop %d: %s %s", v.ID, leg.Stop+1, p.Reason, p.Text)})
		return
	}
	if !t.State.Final() && t.Mission != m.ID && (p.State == protocol.Started || p.State == protocol.Failed) {
		// The task was given to somebody else meanwhile.
		return
	}
	switch p.State {
	case protocol.Started:
		f.underway(t, v, m)
	case protocol.Begun:
		f.underway(t, v, m)
		f.emit(StopChanged{Task: t.ID, Stop: leg.Stop, State: StopBegun, Vehicle: v.ID, At: at})
		f.settleStop(t.ID, leg.Stop, "the vehicle reports the stop begun")
		f.wishOver(t.ID, v)
		f.reached(t, at)
	case protocol.Done:
		f.underway(t, v, m)
		f.stopDone(t.ID, leg.Stop, v, at, "the vehicle reports the stop done")
	case protocol.Failed:
		f.stopFailed(v, m, t, leg.Stop, Reason{p.Reason, p.Text})
	case protocol.Abandoned:
		if !t.State.Final() && t.Mission == m.ID && stop.State != StopBegun {
			f.changeTask(t, TaskAssigned, Reason{"abandoned", fmt.Sprintf("%s was out of touch longer than its task authority: it waits for a new revision", v.ID)})
		}
	}
}

// underway notes that the vehicle is at work on the task. Work on a task that
// was cancelled or done elsewhere changes nothing.
func (f *Fleet) underway(t *Task, v *Vehicle, m *Mission) {
	if t.State.Final() || t.State == TaskUnderway && t.Vehicle == v.ID && t.Mission == m.ID && t.Reason == (Reason{}) {
		return
	}
	other := t.Vehicle
	f.emit(TaskChanged{
		Task: t.ID, State: TaskUnderway, Vehicle: v.ID, Mission: m.ID, ETA: t.ETA, Attempts: t.Attempts,
	})
	if other != "" && other != v.ID {
		f.pursue(other)
	}
}

// stopDone notes a stop as done, moves its load, and ends the task with its
// last stop.
func (f *Fleet) stopDone(id TaskID, stop int, v *Vehicle, at time.Time, evidence string) {
	f.emit(StopChanged{Task: id, Stop: stop, State: StopDone, Vehicle: v.ID, At: at})
	t, _ := f.task(id)
	switch t.Stops[stop].Action {
	case protocol.ActionPickup:
		f.emit(LoadChanged{id, v.ID})
	case protocol.ActionDropoff:
		if t.LoadOn != "" && stop == lastDropoff(t) {
			f.emit(LoadChanged{id, ""})
		}
	case protocol.ActionVisit, protocol.ActionCharge, protocol.ActionPark:
	}
	f.settleStop(id, stop, evidence)
	f.reached(t, at)
	t, _ = f.task(id)
	if t.State.Final() || t.NextStop() < len(t.Stops) {
		return
	}
	f.emit(TaskChanged{
		Task: id, State: TaskDone, Vehicle: v.ID, Mission: t.Mission, ETA: t.ETA, Attempts: t.Attempts,
	})
	f.taskOver(id, "the task is done")
}

func lastDropoff(t *Task) int {
	for i := len(t.Stops) - 1; i >= 0; i-- {
		if t.Stops[i].Action == protocol.ActionDropoff {
			return i
		}
	}
	return -1
}

// stopFailed gives a task out again, or fails it: with a load on board or after
// MaxAttempts there is no second try. The vehicle goes on with its next leg, so
// it holds the task until it has accepted a revision without it.
func (f *Fleet) stopFailed(v *Vehicle, m *Mission, t *Task, stop int, reason Reason) {
	if t.State.Final() || stop > t.NextStop() {
		// That a stop fails because one before it did is no news.
		return
	}
	text := fmt.Sprintf("%s failed at stop %d: %s %s", v.ID, stop+1, reason.Code, reason.Text)
	if t.LoadOn == v.ID {
		f.emit(StopChanged{Task: t.ID, Stop: stop, State: StopOpen, Doubt: true, Vehicle: v.ID, At: f.now})
		f.askPerson(t.ID, stop, v.ID, text)
		return
	}
	f.emit(StopChanged{Task: t.ID, Stop: stop, State: StopOpen, Vehicle: v.ID, At: f.now})
	t, _ = f.task(t.ID)
	if t.Attempts+1 >= f.config.MaxAttempts {
		f.emit(StopChanged{Task: t.ID, Stop: stop, State: StopFailed, Vehicle: v.ID, At: f.now})
		t, _ = f.task(t.ID)
		f.fail(t, Reason{"attempts", fmt.Sprintf("%s, the last of %d attempts", text, f.config.MaxAttempts)})
		return
	}
	f.emit(VehicleRefused{v.ID, t.ID, f.now.Add(f.config.RefusalPause), text, false})
	why := Reason{failedAttempt, text}
	f.emit(TaskChanged{
		Task: t.ID, State: TaskAssigned, Reason: why, Vehicle: v.ID, Mission: m.ID, ETA: t.ETA, Attempts: t.Attempts + 1,
	})
	if !m.Open() {
		t, _ = f.task(t.ID)
		f.wait(t, why)
	}
}

// failedAttempt is the code of a task that a vehicle could not do.
const failedAttempt = "failed_attempt"

// reopen takes a vehicle's word that a stop in doubt was not done.
func (f *Fleet) reopen(t *Task, stop int, why Reason) {
	f.emit(StopChanged{Task: t.ID, Stop: stop, State: StopOpen, Vehicle: t.Vehicle, At: f.now})
	f.settleStop(t.ID, stop, "the vehicle reports the stop not done")
	if t, _ = f.task(t.ID); !inDoubt(t) {
		f.wait(t, why)
	}
}

// siteProgress follows a vehicle to and from a charger.
func (f *Fleet) siteProgress(v *Vehicle, leg Leg, state protocol.ProgressState) {
	if leg.Action == protocol.ActionPark && (state == protocol.Started || state == protocol.Done) {
		m, open := f.openMission(v)
		if slices.Contains(f.queue(v.Charger).Using, v.ID) && !(open && toCharger(m)) {
			f.leaveCharger(v.ID)
		}
	}
	if leg.Action == protocol.ActionCharge {
		if state == protocol.Done || state == protocol.Failed {
			f.leaveCharger(v.ID)
		}
		if state == protocol.Begun {
			f.clearAlert(alertAbout{kind: AlertStranded, vehicle: v.ID}, "it charges")
			f.freed(v.ID, "it charges")
		}
		f.lookAgain = true
	}
}

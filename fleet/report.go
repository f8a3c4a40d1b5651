package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// report takes in a numbered report: each number of a store exactly once and
// in order. A repeated one is only confirmed again; one above a gap is left for
// the vehicle to send again.
func (f *Fleet) report(in Report) {
	v, ok := f.vehicle(in.Vehicle)
	if !ok {
		return
	}
	log, ok := v.Log()
	if !ok || log.ID != in.LogID {
		return
	}
	seq := reportSeq(in.Message)
	if seq <= log.Seq {
		f.owe(v.ID)
		return
	}
	if seq != log.Seq+1 {
		return
	}
	f.owe(v.ID)
	switch m := in.Message.(type) {
	case protocol.Ack:
		f.takeAck(v, in.LogID, m)
	case protocol.Progress:
		f.takeProgress(v, in.LogID, m)
	case protocol.Fault:
		f.takeFault(v, in.LogID, m)
	case protocol.Hello, protocol.Telemetry:
		// Not numbered: reportSeq gave 0.
	}
}

// take notes a report as taken in: what follows names it as its cause.
func (f *Fleet) take(cause uint64, taken ReportTaken) {
	f.cause = cause
	f.cause = f.emit(taken)
}

func reportSeq(m protocol.FromVehicle) uint64 {
	switch m := m.(type) {
	case protocol.Ack:
		return m.Seq
	case protocol.Progress:
		return m.Seq
	case protocol.Fault:
		return m.Seq
	case protocol.Hello, protocol.Telemetry:
	}
	return 0
}

func (f *Fleet) takeAck(v *Vehicle, log string, a protocol.Ack) {
	taken := ReportTaken{
		Vehicle: v.ID, LogID: log, Seq: a.Seq, Kind: "ack", Command: a.Command,
		State: string(a.Verdict), Reason: a.Reason, Text: a.Text,
	}
	reason := Reason{a.Reason, a.Text}
	if a.Command != "" {
		c, ok := f.state.Durable.Commands[CommandID(a.Command)]
		switch {
		case !ok || c.Vehicle != v.ID:
			taken.Ignored = "not a command of this vehicle"
		case c.State.Final() && c.State != CommandExpired || c.State == CommandAccepted:
			// An answer that comes late to an expired command still tells what the
			// vehicle does.
			taken.Ignored = "the command is " + string(c.State)
		}
		f.take(0, taken)
		if taken.Ignored == "" {
			f.commandAnswered(v, c, a.Verdict, reason)
		}
		return
	}
	taken.Mission = a.Mission.ID
	m, ok := f.openMission(v)
	switch {
	case !ok || string(m.ID) != a.Mission.ID:
		taken.Ignored = "not the vehicle's open mission"
	case a.Mission.Revision != m.Revision:
		taken.Ignored = fmt.Sprintf("revision %d is not the present one, %d", a.Mission.Revision, m.Revision)
	case m.Answered():
		taken.Ignored = "answered before"
	}
	f.take(issuedBy(m), taken)
	if taken.Ignored == "" {
		f.missionAnswered(v, m, a.Verdict, reason)
	}
}

// issuedBy is the event that issued the present revision, 0 without a mission.
func issuedBy(m *Mission) uint64 {
	if m == nil {
		return 0
	}
	return m.Issued
}

// missionAnswered takes in the verdict on the present revision.
func (f *Fleet) missionAnswered(v *Vehicle, m *Mission, verdict protocol.Verdict, reason Reason) {
	f.lookAgain = true
	f.clearAlert(alertAbout{kind: AlertUnanswered, vehicle: v.ID}, "the vehicle answered")
	if verdict == protocol.Refused {
		f.missionRefused(v, m, reason)
		return
	}
	answered := f.emit(MissionAnswered{m.ID, m.Revision, verdict, reason})
	defer f.because(answered)()
	f.clearAlert(alertAbout{kind: AlertRefusing, vehicle: v.ID}, "the vehicle accepted a mission")
	f.releaseDropped(f.mission(m.ID))
	f.pursue(v.ID)
}

// stopBegun is a vehicle's reason for refusing a revision without a stop that
// it has begun meanwhile.
const stopBegun = "stop_begun"

// staleRevision is a vehicle's reason for refusing a revision below the one it
// holds.
const staleRevision = "stale_revision"

// missionRefused puts the last accepted revision in force again; what the
// refused one added goes back to waiting.
func (f *Fleet) missionRefused(v *Vehicle, m *Mission, reason Reason) {
	added := addedTasks(m)
	answered := f.emit(MissionAnswered{m.ID, m.Revision, protocol.Refused, reason})
	defer f.because(answered)()
	if reason.Code != stopBegun {
		f.countRefusal(v, added, reason)
	}
	why := Reason{"refused", fmt.Sprintf("%s refused it: %s %s", v.ID, reason.Code, reason.Text)}
	m = f.mission(m.ID)
	if m.Accepted == 0 {
		f.endMission(m, Reason{"refused", "the vehicle refused it"}, why)
		f.leaveCharger(v.ID)
		return
	}
	for _, id := range added {
		if t, ok := f.task(id); ok && t.Mission == m.ID && !t.State.Final() {
			f.release(t, why)
		}
	}
	if reason.Code == staleRevision {
		f.rebuild(v, m, Reason{"stale_revision", "the vehicle holds another revision than was thought"})
		return
	}
	f.recallUnlawful(v.ID, m)
}

// countRefusal keeps the refused tasks from being offered again too soon; after
// a second refusal in a row the vehicle gets no new work.
func (f *Fleet) countRefusal(v *Vehicle, added []TaskID, reason Reason) {
	suspend := v.RefusedInARow >= 1
	if len(added) == 0 {
		f.emit(VehicleRefused{v.ID, "", f.now.Add(f.config.RefusalPause), reason.Text, suspend})
	}
	for _, id := range added {
		pause := f.config.RefusalPause
		for range min(v.Refusals[id].Times, 10) {
			pause = min(2*pause, f.config.RefusalPauseMax)
		}
		f.emit(VehicleRefused{v.ID, id, f.now.Add(pause), reason.Text, suspend})
	}
	if suspend {
		f.raise(alertAbout{kind: AlertRefusing, vehicle: v.ID}, Warning,
			fmt.Sprintf("%s refused twice in a row (%s: %s): it gets no new work until it accepts a mission or is put back in service", v.ID, reason.Code, reason.Text))
	}
}

// addedTasks lists the tasks of the present revision that the one before it
// did not have.
func addedTasks(m *Mission) []TaskID {
	before := Mission{Legs: m.Previous}
	var added []TaskID
	for _, id := range m.Tasks() {
		if !contains(before.Tasks(), id) {
			added = append(added, id)
		}
	}
	return added
}

func (f *Fleet) takeFault(v *Vehicle, log string, a protocol.Fault) {
	f.take(0, ReportTaken{
		Vehicle: v.ID, LogID: log, Seq: a.Seq, Kind: "fault", State: faultState(a), Reason: a.Code, Text: a.Text,
	})
	about := alertAbout{kind: AlertFault, vehicle: v.ID, object: a.Code}
	if a.Cleared {
		f.emit(VehicleFaulted{v.ID, a.Code, a.Text, true})
		f.clearAlert(about, "the vehicle reports the fault over")
		f.lookAgain = true
		return
	}
	f.emit(VehicleFaulted{v.ID, a.Code, a.Text, false})
	f.raise(about, Critical, fmt.Sprintf("%s reports a fault: %s: %s", v.ID, a.Code, a.Text))
	if !a.LoadLost {
		return
	}
	for _, id := range slices.Clone(f.index.tasks[v.ID]) {
		t, _ := f.task(id)
		if t.LoadOn != v.ID {
			continue
		}
		f.emit(LoadChanged{t.ID, ""})
		f.fail(t, Reason{"load_lost", fmt.Sprintf("%s reports that the load is gone", v.ID)})
	}
	f.pursue(v.ID)
}

func faultState(a protocol.Fault) string {
	if a.Cleared {
		return "cleared"
	}
	return "open"
}

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
		return
	}
	if m.Answered() && m.Current() == len(m.Legs) {
		f.endMission(m, Reason{"completed", "all legs are done"}, Reason{"left_over", "its mission ended without it"})
		f.lookAgain = true
		return
	}
	if p.State == protocol.Failed && m.Answered() {
		// The vehicle waits to hear how to go on.
		f.rebuild(v, m, Reason{"failed", "a leg failed"})
		return
	}
	f.pursue(v.ID)
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
		f.settleDoubt(t.ID, "the vehicle reports the stop begun")
	case protocol.Done:
		f.underway(t, v, m)
		f.stopDone(t.ID, leg.Stop, v, at, "the vehicle reports the stop done")
	case protocol.Failed:
		f.stopFailed(v, t, leg.Stop, Reason{p.Reason, p.Text})
	case protocol.Abandoned:
		if !t.State.Final() && t.Mission == m.ID && stop.State != StopBegun {
			f.changeTask(t, TaskAssigned, Reason{"abandoned", fmt.Sprintf("%s was out of touch longer than its task authority: it waits for a new revision", v.ID)})
		}
	}
}

// underway notes that the vehicle is at work on the task. Work on a task that
// was cancelled or done elsewhere changes nothing.
func (f *Fleet) underway(t *Task, v *Vehicle, m *Mission) {
	if t.State.Final() || t.State == TaskUnderway && t.Vehicle == v.ID {
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
	f.settleDoubt(id, evidence)
	t, _ = f.task(id)
	if t.State.Final() || t.NextStop() < len(t.Stops) {
		return
	}
	f.emit(TaskChanged{
		Task: id, State: TaskDone, Vehicle: v.ID, Mission: t.Mission, ETA: t.ETA, Attempts: t.Attempts,
	})
	f.clearAlert(alertAbout{kind: AlertEmergencyWaits, task: id}, "the task is done")
	f.lookAgain = true
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
// MaxAttempts there is no second try.
func (f *Fleet) stopFailed(v *Vehicle, t *Task, stop int, reason Reason) {
	if t.State.Final() {
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
	f.emit(TaskChanged{Task: t.ID, State: TaskWaiting, Reason: Reason{"failed_attempt", text}, Attempts: t.Attempts + 1})
	f.lookAgain = true
}

// siteProgress follows a vehicle to and from a charger.
func (f *Fleet) siteProgress(v *Vehicle, leg Leg, state protocol.ProgressState) {
	if leg.Action == protocol.ActionPark && (state == protocol.Started || state == protocol.Done) {
		f.leaveCharger(v.ID)
	}
	if leg.Action == protocol.ActionCharge {
		if state == protocol.Done || state == protocol.Failed {
			f.leaveCharger(v.ID)
		}
		if state == protocol.Begun {
			f.clearAlert(alertAbout{kind: AlertStranded, vehicle: v.ID}, "it charges")
		}
		f.lookAgain = true
	}
}

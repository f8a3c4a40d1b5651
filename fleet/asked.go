package fleet

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// asked answers a request. With a key, the answer is kept: the same request
// again gets the same answer and changes nothing.
func (f *Fleet) asked(in Asked) {
	if in.Key != "" {
		if given, ok := f.state.Durable.Answers[in.Key]; ok && !mutant.On(mutant.KeyForgotten) {
			f.effect(Reply{in.Request, repeat(given, in.BodyHash)})
			return
		}
	}
	answer := f.answer(in.Ask)
	if answer.Problem == nil && in.Key != "" {
		f.emit(AnswerGiven{in.Key, in.BodyHash, answer.Status, answer.Body})
	}
	f.effect(Reply{in.Request, answer})
}

func repeat(given *GivenAnswer, bodyHash string) Answer {
	if given.BodyHash != bodyHash {
		return problem(statusUnprocessable, "idempotency_mismatch", "", "this Idempotency-Key was used with another body: use a new key for a new request")
	}
	return Answer{Status: given.Status, Body: given.Body, Repeated: true}
}

func (f *Fleet) answer(ask Ask) Answer {
	switch a := ask.(type) {
	case OrderTask:
		return f.orderTask(a)
	case CancelTask:
		return f.cancelTask(a)
	case ResolveStop:
		return f.resolveStop(a)
	case RegisterVehicle:
		return f.registerVehicle(a)
	case ChangeService:
		return f.changeService(a)
	case OrderCommand:
		return f.orderCommand(a)
	case AcknowledgeAlert:
		return f.acknowledge(a)
	case ReportIncident:
		return f.reportIncident(a)
	case EscalateIncident:
		return f.escalateIncident(a)
	case CloseIncident:
		return f.closeIncident(a)
	case PutZone:
		return f.putZone(a)
	case SuspendZone:
		return f.suspendZone(a)
	case SetConditions:
		return f.setConditions(a)
	case RemoveZone:
		return f.removeZone(a)
	case TakeOver:
		return f.takeOver(a)
	case ReassignTask:
		return f.reassignTask(a)
	case RankTask:
		return f.rankTask(a)
	case CommandGroup:
		return f.commandGroup(a)
	case StopFleet:
		return f.stopFleet(a)
	case ReleaseFleet:
		return f.releaseFleet(a)
	}
	return problem(statusUnprocessable, "unknown_request", "", fmt.Sprintf("no rule for %T", ask))
}

// The statuses of answers, as in HTTP.
const (
	statusOK            = 200
	statusCreated       = 201
	statusAccepted      = 202
	statusNotFound      = 404
	statusConflict      = 409
	statusPrecondition  = 412
	statusUnprocessable = 422
	statusUnavailable   = 503
)

func problem(status int, code, field, detail string) Answer {
	return Answer{Status: status, Problem: &Problem{Code: code, Detail: detail, Field: field}}
}

func answerWith(status int, shape any) Answer {
	body, err := json.Marshal(shape)
	if err != nil {
		return problem(500, "internal", "", "the answer could not be written")
	}
	return Answer{Status: status, Body: body}
}

func (f *Fleet) taskAnswer(status int, id TaskID) Answer {
	view, _ := f.state.TaskView(id)
	return answerWith(status, view)
}

func (f *Fleet) cancelTask(a CancelTask) Answer {
	t, ok := f.task(a.Task)
	if p, bad := f.checkTask(t, ok, a.Task, a.Revision); bad {
		return p
	}
	if t.LoadOn != "" {
		return problem(statusConflict, "load_on_board", "", fmt.Sprintf("the load of %s is on %s: it must be delivered, or the vehicle's report or a person's decision must say that it is gone", t.ID, t.LoadOn))
	}
	if n := t.NextStop(); n < len(t.Stops) && t.Stops[n].State == StopBegun {
		return problem(statusConflict, "stop_begun", "", fmt.Sprintf("%s is working at stop %d: send it stop or hold, or wait until it is done", t.Vehicle, n+1))
	}
	reason := a.Reason
	if reason == "" {
		reason = "cancelled by " + f.actor
	}
	if t.State == TaskWaiting {
		f.emit(TaskChanged{Task: t.ID, State: TaskCancelled, Reason: Reason{"cancelled", reason}, Attempts: t.Attempts})
		f.taskOver(t.ID, "the task was cancelled")
		return f.taskAnswer(statusOK, t.ID)
	}
	f.emit(TaskCancelWanted{t.ID, reason})
	f.pursue(t.Vehicle)
	return f.taskAnswer(statusAccepted, t.ID)
}

// checkTask refuses a request about a task that is not there, over, or not as
// the asker saw it.
func (f *Fleet) checkTask(t *Task, ok bool, id TaskID, revision uint64) (Answer, bool) {
	switch {
	case !ok:
		return problem(statusNotFound, "task_not_found", "", fmt.Sprintf("there is no task %s here", id)), true
	case revision != 0 && revision != t.Revision:
		return problem(statusPrecondition, "revision_mismatch", "", fmt.Sprintf("task %s is at revision %d, not %d: read it again", id, t.Revision, revision)), true
	case t.State.Final():
		return problem(statusConflict, "task_over", "", fmt.Sprintf("task %s is %s", id, t.State)), true
	}
	return Answer{}, false
}

func (f *Fleet) resolveStop(a ResolveStop) Answer {
	t, ok := f.task(a.Task)
	if p, bad := f.checkTask(t, ok, a.Task, a.Revision); bad {
		return p
	}
	n := a.Decision.Stop - 1
	if n < 0 || n >= len(t.Stops) {
		return problem(statusUnprocessable, "no_such_stop", "stop", fmt.Sprintf("task %s has stops 1 to %d", t.ID, len(t.Stops)))
	}
	if !t.Stops[n].Doubt && !f.mayDecide(t, n) {
		return problem(statusConflict, "nothing_to_decide", "stop", fmt.Sprintf("stop %d of %s is %s and not in doubt", n+1, t.ID, t.Stops[n].State))
	}
	holder := t.Vehicle
	if t.LoadOn != "" {
		holder = t.LoadOn
	}
	evidence := fmt.Sprintf("%s: %s", f.actor, a.Decision.Reason)
	switch a.Decision.Outcome {
	case "done":
		v := &Vehicle{ID: holder}
		f.stopDone(t.ID, n, v, f.now, evidence)
		if !f.mayHaveGoneOn(t.ID) {
			f.decided(t.ID, evidence)
		}
	case "not_done":
		// Stops are done in order: those that follow are not done either.
		for i := n; i < len(t.Stops); i++ {
			if i == n || t.Stops[i].Doubt {
				f.emit(StopChanged{Task: t.ID, Stop: i, State: StopOpen, Vehicle: holder, At: f.now})
			}
		}
		f.settleStop(t.ID, n, evidence)
		f.decided(t.ID, evidence)
	case "failed":
		if t.LoadOn != "" {
			f.emit(LoadChanged{t.ID, ""})
		}
		f.emit(StopChanged{Task: t.ID, Stop: n, State: StopFailed, Vehicle: holder, At: f.now})
		t, _ = f.task(t.ID)
		f.fail(t, Reason{"decided", evidence})
	default:
		return problem(statusUnprocessable, "bad_outcome", "outcome", "outcome must be done, not_done or failed")
	}
	f.pursue(holder)
	f.lookAgain = true
	return f.taskAnswer(statusOK, t.ID)
}

// mayDecide tells whether a person may say what became of a stop that is not in
// doubt: people were asked about the task, or its vehicle cannot speak for
// itself.
func (f *Fleet) mayDecide(t *Task, stop int) bool {
	if stop != t.NextStop() {
		return false
	}
	v, ok := f.vehicle(t.LoadOn)
	if !ok {
		if v, ok = f.vehicle(t.Vehicle); !ok || t.Stops[stop].State != StopBegun {
			return len(f.questionsAbout(t.ID)) > 0
		}
	}
	p := f.presence(v.ID)
	return len(f.questionsAbout(t.ID)) > 0 || len(v.Faults) > 0 || v.OutOfService != "" ||
		p.Link != LinkLive && p.Link != LinkLate || p.Sample.Mode == protocol.ModeFault
}

// mayHaveGoneOn tells whether the silent vehicle that has the task may have begun
// its next stop, too, before its authority ended: then people are asked about that
// one before it is given to another.
func (f *Fleet) mayHaveGoneOn(id TaskID) bool {
	t, _ := f.task(id)
	m, ok := f.state.Durable.Missions[t.Mission]
	if !ok || !m.Open() || t.State.Final() || f.presence(m.Vehicle).Session != "" {
		return false
	}
	v, ok := f.vehicle(m.Vehicle)
	return ok && slices.ContainsFunc(f.mayHaveBegun(v, m, f.authorityEnd(v.ID)), func(l Leg) bool {
		return l.Task == id && l.Stop == t.NextStop()
	})
}

// decided lets a task go on after a person's word. A vehicle in touch that holds
// it goes on with it; a silent one has lost it.
func (f *Fleet) decided(id TaskID, evidence string) {
	t, _ := f.task(id)
	if t.State.Final() || inDoubt(t) {
		return
	}
	if m, ok := f.state.Durable.Missions[t.Mission]; ok && m.Open() && f.presence(m.Vehicle).Session != "" {
		return
	}
	f.wait(t, Reason{"decided", evidence})
}

func (f *Fleet) registerVehicle(a RegisterVehicle) Answer {
	r := a.Registration
	if bad := tooLong(r.Capabilities, r.Model); bad != nil {
		return Answer{Status: statusUnprocessable, Problem: bad}
	}
	kind := protocol.Kind(r.Kind)
	spec, ok := f.config.Spec(kind, r.Model)
	if !ok {
		return problem(statusUnprocessable, "unknown_model", "model", fmt.Sprintf("no performance is known for a %s of model %q", r.Kind, r.Model))
	}
	v := Vehicle{ID: a.Vehicle, Kind: kind}
	status := statusCreated
	if old, ok := f.vehicle(a.Vehicle); ok {
		if _, busy := f.openMission(old); busy && old.Kind != kind {
			return problem(statusConflict, "vehicle_busy", "kind", fmt.Sprintf("%s has an open mission: its kind cannot change", old.ID))
		}
		v, status = *old, statusOK
	} else if len(f.index.vehicles) >= f.config.MaxVehicles {
		return problem(statusUnavailable, "too_many_vehicles", "", fmt.Sprintf("this fleet holds its limit of %d vehicles", f.config.MaxVehicles))
	}
	v.Kind, v.Model, v.Spec = kind, r.Model, spec
	v.Capabilities, v.MaxLoadKg = r.Capabilities, loadLimit(r.MaxLoadKg, spec.MaxLoadKg)
	switch {
	case r.HomeSite != "":
		site, ok := f.sites[SiteID(r.HomeSite)]
		if !ok {
			return problem(statusUnprocessable, "no_such_site", "home_site", fmt.Sprintf("the chart has no site %q", r.HomeSite))
		}
		v.Home, v.HomeSite, v.HomeKnown = site.Position, SiteID(r.HomeSite), true
	case r.Home != nil && !sensible(r.Home):
		return problem(statusUnprocessable, "bad_position", "home", badPosition)
	case r.Home != nil:
		v.Home, v.HomeSite, v.HomeKnown = f.position(r.Home), "", true
	}
	f.emit(VehicleRegistered{v})
	f.lookAgain = true
	view, _ := f.state.VehicleView(v.ID)
	return answerWith(status, view)
}

// position fills in the ground where an order gives no altitude.
func (f *Fleet) position(p *api.Position) space.Position {
	at := f.groundAt(p.Lon, p.Lat, p.Level)
	if p.AltitudeM != nil {
		at.AltitudeM = *p.AltitudeM
	}
	return at
}

func noVehicle(id VehicleID) Answer {
	return problem(statusNotFound, "vehicle_not_found", "", fmt.Sprintf("there is no vehicle %s here", id))
}

func (f *Fleet) orderCommand(a OrderCommand) Answer {
	v, ok := f.vehicle(a.Vehicle)
	if !ok {
		return noVehicle(a.Vehicle)
	}
	kind := protocol.CommandKind(a.Order.Kind)
	if !slices.Contains(commandKinds(), kind) {
		return problem(statusUnprocessable, "bad_command", "kind", "kind must be hold, resume, return, land or stop")
	}
	if why := commandFits(v, kind); why != "" {
		return problem(statusUnprocessable, "command_does_not_fit", "kind", why)
	}
	if v.TakenOver != nil && kind == protocol.CommandResume {
		return problem(statusConflict, takenOver, "", fmt.Sprintf("%s has %s in hand: hand it back first", v.TakenOver.By, v.ID))
	}
	if why := f.unsafeLanding(v, kind); why != "" && !a.Order.Force {
		return problem(statusConflict, unsafeLanding, "kind", why+"; send force to land all the same")
	}
	id := f.command(v.ID, kind, Reason{"ordered", a.Order.Reason})
	view, _ := f.state.CommandView(id)
	return answerWith(statusCreated, view)
}

// commandKinds lists the kinds of command.
func commandKinds() []protocol.CommandKind {
	return []protocol.CommandKind{
		protocol.CommandHold, protocol.CommandResume, protocol.CommandReturn, protocol.CommandLand, protocol.CommandStop,
	}
}

func (f *Fleet) acknowledge(a AcknowledgeAlert) Answer {
	alert, ok := f.state.Durable.Alerts[a.Alert]
	if !ok {
		return problem(statusNotFound, "alert_not_found", "", fmt.Sprintf("there is no alert %s here", a.Alert))
	}
	if alert.AcknowledgedAt.IsZero() {
		f.emit(AlertAcknowledged{a.Alert, f.actor})
		if alert.Kind == AlertTaskFailed && alert.Open() {
			f.emit(AlertCleared{a.Alert, "acknowledged by " + f.actor})
		}
	}
	view, _ := f.state.AlertView(a.Alert)
	return answerWith(statusOK, view)
}

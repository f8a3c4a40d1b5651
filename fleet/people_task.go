package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// What people decide about who does a task, and when.

// reassignTask gives a task to a vehicle by hand: only that vehicle is asked, and
// refused with the rule when it cannot. One that has the task already gives it up
// first, in a revision that it accepts.
func (f *Fleet) reassignTask(a ReassignTask) Answer {
	t, ok := f.task(a.Task)
	if p, bad := f.checkTask(t, ok, a.Task, a.Revision); bad {
		return p
	}
	v, ok := f.vehicle(VehicleID(a.Order.Vehicle))
	if !ok {
		return noVehicle(VehicleID(a.Order.Vehicle))
	}
	if p, bad := f.checkGiving(t); bad {
		return p
	}
	holder := t.Vehicle
	if t.State == TaskWaiting {
		holder = ""
	}
	if holder == v.ID {
		return f.leaveWith(t, v, a.Order.Reason)
	}
	if x, no := f.cannotTake(v, t); no {
		return problem(statusConflict, "vehicle_cannot", "vehicle", fmt.Sprintf("%s cannot take %s: %s: %s", v.ID, t.ID, x.Rule, x.Text))
	}
	cause := f.want(t, v.ID, a.Order.Reason)
	defer f.because(cause)()
	if holder != "" {
		f.pursue(holder)
		return f.taskAnswer(statusAccepted, t.ID)
	}
	if _, asked := f.state.Volatile.Questions[t.ID]; asked {
		f.emit(PlanDropped{t.ID, "the task was given to " + a.Order.Vehicle})
	}
	f.byKapok(func() { f.dispatch(t.ID) })
	if t, _ = f.task(t.ID); t.State == TaskWaiting {
		return f.taskAnswer(statusAccepted, t.ID)
	}
	return f.taskAnswer(statusOK, t.ID)
}

// checkGiving refuses to give away what only its vehicle, or a person, can end.
func (f *Fleet) checkGiving(t *Task) (Answer, bool) {
	n := t.NextStop()
	switch {
	case t.LoadOn != "":
		return problem(statusConflict, "load_on_board", "", fmt.Sprintf("the load of %s is on %s, which alone may finish it", t.ID, t.LoadOn)), true
	case inDoubt(t):
		return problem(statusConflict, "decision_needed", "", fmt.Sprintf("it is not known whether a stop of %s was done: decide that first", t.ID)), true
	case n < len(t.Stops) && t.Stops[n].State == StopBegun:
		return problem(statusConflict, "stop_begun", "", fmt.Sprintf("%s is working at stop %d: send it stop or hold, or wait until it is done", t.Vehicle, n+1)), true
	case t.CancelWanted != "":
		return problem(statusConflict, "task_over", "", fmt.Sprintf("task %s is being cancelled", t.ID)), true
	}
	return Answer{}, false
}

// leaveWith keeps a task with the vehicle that has it: a wish for another is
// over. If a revision without it is on its way already, it comes back to it.
func (f *Fleet) leaveWith(t *Task, v *Vehicle, reason string) Answer {
	m := f.mission(t.Mission)
	wish := VehicleID("")
	if !contains(m.Tasks(), t.ID) {
		wish = v.ID
	}
	if t.Wanted != wish {
		f.want(t, wish, reason)
		f.pursue(v.ID)
	}
	return f.taskAnswer(statusOK, t.ID)
}

// want notes to whom a person gave a task, empty for anybody again.
func (f *Fleet) want(t *Task, id VehicleID, reason string) uint64 {
	if t.Wanted != "" {
		f.clearAlert(alertAbout{kind: AlertWanted, task: t.ID, vehicle: t.Wanted}, "it was given to somebody else")
	}
	return f.emit(TaskWanted{Task: t.ID, Vehicle: id, Reason: reason})
}

// cannotTake says why a vehicle cannot take a task, as if it waited for that
// vehicle alone. Where the searches do not suffice to tell, it may.
func (f *Fleet) cannotTake(v *Vehicle, held *Task) (api.QuoteExclusion, bool) {
	t := held.clone()
	t.State, t.Vehicle, t.Mission, t.Wanted = TaskWaiting, "", "", v.ID
	if b := f.bar(v, t); b.rule != "" {
		return f.barText(v, b), true
	}
	job, candidates := f.job(t), []assign.Candidate{f.openingFor(v, t, nil).candidate}
	answer := assign.Earliest(f.world, job, candidates, f.now, assign.Limits{MaxExpansions: f.config.ExpansionsPerStep})
	f.budget -= answer.Expansions
	if answer.Best != nil || len(answer.Excluded) == 0 || answer.Excluded[0].Rule == assign.NotTried {
		return api.QuoteExclusion{}, false
	}
	return exclusionOf(&answer.Excluded[0]), true
}

// wantedWaits tells people that a task given to a vehicle by hand waits for it,
// unless only an answer of the vehicle is awaited.
func (f *Fleet) wantedWaits(t *Task) {
	t, _ = f.task(t.ID)
	if t.Wanted == "" || t.State != TaskWaiting || t.Reason.Code == answerIsPending || t.Reason.Code == commandIsPending {
		return
	}
	f.raise(alertAbout{kind: AlertWanted, task: t.ID, vehicle: t.Wanted}, Warning,
		fmt.Sprintf("task %s was given to %s, which cannot take it now: %s", t.ID, t.Wanted, t.Reason.Text))
}

// wishOver ends the wish for another vehicle: this one has begun the work.
func (f *Fleet) wishOver(id TaskID, v *Vehicle) {
	if t, _ := f.task(id); t.Wanted != "" && t.Wanted != v.ID && !t.State.Final() {
		f.want(t, "", fmt.Sprintf("%s has begun it", v.ID))
	}
}

// rankTask changes how pressing a task is. An emergency that is one only now goes
// before the other work of its vehicle.
func (f *Fleet) rankTask(a RankTask) Answer {
	t, ok := f.task(a.Task)
	if p, bad := f.checkTask(t, ok, a.Task, a.Revision); bad {
		return p
	}
	e := TaskRanked{Task: t.ID, Priority: t.Priority, Rank: t.Rank, Reason: a.Order.Reason}
	if a.Order.Priority != "" {
		e.Priority = Priority(a.Order.Priority)
	}
	if a.Order.Rank != nil {
		e.Rank = *a.Order.Rank
	}
	switch {
	case a.Order.Priority == "" && a.Order.Rank == nil:
		return problem(statusUnprocessable, "nothing_to_change", "", "give priority, rank or both")
	case !slices.Contains([]Priority{Emergency, Urgent, Routine}, e.Priority):
		return problem(statusUnprocessable, "bad_priority", "priority", fmt.Sprintf("priority must be emergency, urgent or routine, not %q", e.Priority))
	case t.Drill && e.Priority == Emergency:
		return problem(statusConflict, "drill", "priority", fmt.Sprintf("task %s is an exercise: it never displaces real work", t.ID))
	case e.Rank < -MaxRank || e.Rank > MaxRank:
		return problem(statusUnprocessable, "bad_rank", "rank", fmt.Sprintf("rank must be from %d to %d", -MaxRank, MaxRank))
	}
	defer f.because(f.emit(e))()
	if e.Priority != Emergency {
		f.clearAlert(alertAbout{kind: AlertEmergencyWaits, task: t.ID}, "it is no emergency any more")
	}
	if v, held := f.vehicle(t.Vehicle); held && t.State != TaskWaiting {
		f.planForward(v)
	}
	if _, asked := f.state.Volatile.Questions[t.ID]; asked && t.State == TaskWaiting {
		f.emit(PlanDropped{t.ID, "its rank was changed"})
	}
	f.lookAgain = true
	return f.taskAnswer(statusOK, t.ID)
}

// MaxRank is the greatest rank, and the least below zero.
const MaxRank = 100

// planForward puts the stops of emergencies before the other stops of a vehicle
// that are not begun, if it can do all of them in that order. A revision that is
// on its way is answered first.
func (f *Fleet) planForward(v *Vehicle) {
	m, open := f.openMission(v)
	p := f.presence(v.ID)
	if !open || m.State != protocol.MissionActive || !m.Answered() || p.Link != LinkLive || !p.Fresh || v.TakenOver != nil {
		return
	}
	var legs, rest []Leg
	held := f.heldLegs(m)
	for i := range held {
		if t, ok := f.task(held[i].Task); ok && t.Priority == Emergency && !t.Drill {
			legs = append(legs, held[i])
		} else {
			rest = append(rest, held[i])
		}
	}
	urgent := len(legs)
	if legs = append(legs, rest...); urgent == 0 || legs[0].ID == held[0].ID && ordered(held, urgent, legs) {
		return
	}
	c, kept := f.fromHere(v, m)
	offer, refused := assign.Plan(f.world, f.stopsOf(legs), c, f.config.ExpansionsPerStep)
	if refused != nil {
		return
	}
	next := m.NextLeg
	f.issue(v, m, append(kept, f.legsOf(&offer, legs, v, &next)...), next, Reason{"planned_forward", "an emergency goes first"})
	f.estimate(m.ID)
}

// ordered tells whether the first n legs are the same in both.
func ordered(a []Leg, n int, b []Leg) bool {
	return slices.EqualFunc(a[:n], b[:n], func(x, y Leg) bool { return x.ID == y.ID })
}

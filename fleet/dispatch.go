package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// urgentLead is how long a routine task must wait to go before a new urgent
// one: priorities order the work, waiting lifts it, so that all is served.
const urgentLead = 20 * time.Minute

// EmergencyExpansions is how many times ExpansionsPerStep a step may spend, beside
// its own, on finding vehicles for the emergencies that people report in it, so
// that the answer to the report names the vehicle. Over Monaco with 36 vehicles,
// one in 14 parts of critical incidents needs more than one, and none needs more
// than three. With all of it spent, a step takes some 0.3 s.
const EmergencyExpansions = 5

// amply does what people wait for, with what the step has for emergencies if it
// is one.
func (f *Fleet) amply(p Priority, do func()) {
	if p != Emergency {
		do()
		return
	}
	own := f.budget
	f.budget, f.ample = own+f.ample, 0
	do()
	f.ample = max(0, f.budget-own)
	f.budget = min(f.budget, own)
}

// LooksPerRefill is how many vehicles are looked at for waiting tasks in each
// PlanningRefill, which takes some hundredth of a second; emergencies may have as
// many again. With more to look at, the next step goes on where this one ended.
const LooksPerRefill = 50_000

// dispatchWaiting looks at all waiting tasks, the most pressing first, as far
// as the step's budgets reach.
func (f *Fleet) dispatchWaiting() {
	if f.looks <= 0 {
		return
	}
	// What has changed since a round began may let those go that it has passed.
	f.lookBack = f.lookBack || f.lookAgain && f.looked > 0
	f.lookAgain, f.lastLook = false, f.now
	f.forgetPauses()
	tasks := make([]*Task, 0, len(f.index.waiting))
	for id := range f.index.waiting {
		if t, ok := f.task(id); ok {
			tasks = append(tasks, t)
		}
	}
	slices.SortFunc(tasks, f.moreUrgent)
	f.looks -= len(tasks) / 4 // For putting them in order.
	from := f.looked
	f.looked = 0
	for i, t := range tasks {
		least := 0
		if t.Priority == Emergency {
			least = -LooksPerRefill
		} else if i < from {
			continue
		}
		if f.looks <= least {
			f.looked, f.lookAgain = max(i, from), f.lookAgain || i == 0 && from == 0
			break
		}
		f.looks -= len(f.index.vehicles)
		f.actor, f.cause = "kapok", t.Revision
		f.dispatch(t.ID)
	}
	if f.looked == 0 {
		f.lookAgain, f.lookBack = f.lookAgain || f.lookBack, false
	}
	f.cause = 0
}

// moreUrgent orders waiting tasks: emergencies, then by priority and rank with
// age, then by number.
func (f *Fleet) moreUrgent(a, b *Task) int {
	if x, y := f.pressure(a), f.pressure(b); x != y {
		if x > y {
			return -1
		}
		return 1
	}
	return compareNumbered(string(a.ID), string(b.ID))
}

// pressure is in seconds of waiting.
func (f *Fleet) pressure(t *Task) float64 {
	s := f.now.Sub(t.OrderedAt).Seconds() + 60*float64(t.Rank)
	if t.Drill {
		// A drill comes behind all real work, whatever its priority.
		s -= 1e9
	}
	switch t.Priority {
	case Emergency:
		s += 1e9
	case Urgent:
		s += urgentLead.Seconds()
	case Routine:
	}
	return s
}

// dispatch finds a vehicle for a waiting task, or says why there is none.
func (f *Fleet) dispatch(id TaskID) {
	t, ok := f.task(id)
	if !ok || t.State != TaskWaiting || inDoubt(t) {
		return
	}
	if why, stopped := f.stopped(); stopped {
		f.stillWaits(t, why)
		f.emergencyWaits(t)
		return
	}
	if _, asked := f.state.Volatile.Questions[id]; asked {
		return
	}
	if f.dispatchNear(t) {
		return
	}
	q, barred := f.question(t)
	if len(q.Vehicles) == 0 {
		f.nobody(t, barred.reason())
		return
	}
	if f.config.Policy == NearestIdle {
		f.nearestIdle(t, q, barred)
		return
	}
	limits := assign.Limits{MaxCandidates: f.config.MaxCandidates, MaxExpansions: f.budget}
	if t.Priority == Emergency {
		// However many there are, each may be the one.
		limits.MaxCandidates = 0
		f.offerLess(t, &q)
	}
	full := len(f.state.Volatile.Questions) >= MaxQuestions
	paused := f.pauses(t)
	if f.budget <= 0 && (full || paused) {
		return
	}
	if f.budget <= 0 {
		f.ask(q)
		return
	}
	answer := q.answer(f.world, f.now, limits)
	f.budget -= answer.Expansions
	if answer.Exhausted || answer.Best == nil && notTried(&answer) {
		if !paused {
			f.ask(q)
			return
		}
		if answer.Best == nil {
			return
		}
	}
	f.settle(t, q, answer, barred)
}

// notTried tells whether some candidates were left out for their number.
func notTried(a *assign.Answer) bool {
	return slices.ContainsFunc(a.Excluded, func(x assign.Exclusion) bool { return x.Rule == assign.NotTried })
}

// MaxQuestions is how many tasks are planned in the background at once; more
// wait for their turn, the most pressing first.
const MaxQuestions = 256

// ask hands a question to the background planner.
func (f *Fleet) ask(q Question) {
	q.Zones, q.Conditions = f.zones.at, f.state.Durable.Conditions.revision()
	f.emit(PlanWanted{q})
	f.effect(Think{q})
}

// AnswerQuestion answers a question in the background, with all candidates; p must not be in use
// elsewhere.
func AnswerQuestion(p *route.Planner, q Question, now time.Time, config Config) assign.Answer {
	return q.answer(p, now, assign.Limits{MaxExpansions: config.ExpansionsInBackground})
}

// planReady applies a background answer when nothing that it rests on has
// changed; otherwise the task is looked at again.
func (f *Fleet) planReady(in PlanReady) {
	q := in.Question
	asked, ok := f.state.Volatile.Questions[q.Task]
	if !ok || asked.TaskRevision != q.TaskRevision {
		return
	}
	t, ok := f.task(q.Task)
	stale := !ok || t.State != TaskWaiting || t.Revision != q.TaskRevision || q.Conditions != f.state.Durable.Conditions.revision()
	if best := in.Answer.Best; !stale && best != nil {
		id := q.Vehicles[best.Candidate]
		v, ok := f.vehicle(id)
		stale = !ok || v.Revision != q.Revisions[best.Candidate] || !mutant.On(mutant.StalePlanApplied) &&
			(f.bar(v, t).rule != "" || !f.stillFits(v, q, best) || !f.stillYield(q.without(best.Candidate)))
	}
	why := "answered"
	if stale {
		why = "the world changed meanwhile"
	}
	f.emit(PlanDropped{q.Task, why})
	if stale {
		f.lookAgain = true
		return
	}
	f.cause = t.Revision
	_, barred := f.question(t)
	f.notePause(t, &in.Answer)
	f.settle(t, q, in.Answer, barred)
}

// stillFits re-checks an answer against the battery, the zones and the windows of
// now.
func (f *Fleet) stillFits(v *Vehicle, q Question, best *assign.Offer) bool {
	c := q.Candidates[best.Candidate]
	lostWh := c.EnergyWh - f.energy(v)
	if c.EnergyWh-lostWh-best.EnergyWh < v.Spec.ReserveWh() && len(c.After) == 0 && v.Mission == "" {
		return false
	}
	if f.nowMeets(v, &q, best) {
		return false
	}
	late := f.now.Add(startDelay).Sub(c.FreeAt)
	for i, s := range q.Job.Stops {
		if !s.Latest.IsZero() && late > 0 && best.Begin[i].Add(late).After(s.Latest) {
			return false
		}
	}
	return true
}

// settle assigns the task to the best candidate, or lets it wait.
func (f *Fleet) settle(t *Task, q Question, answer assign.Answer, barred bars) {
	if best := answer.Best; best != nil {
		v, _ := f.vehicle(q.Vehicles[best.Candidate])
		if l := f.meetsLater(v, &q.Candidates[best.Candidate], q.Job.Stops, best); l != nil {
			x := *exclusionBy(l)
			x.Candidate = best.Candidate
			answer.Best, answer.Excluded = nil, append(slices.Clone(answer.Excluded), x)
		}
	}
	f.notes.settle(q, answer)
	if answer.Best == nil {
		for i := range answer.Excluded {
			x := &answer.Excluded[i]
			barred.add(string(x.Rule), fmt.Sprintf("%s: %s", q.Vehicles[x.Candidate], exclusionOf(x).Text))
		}
		f.chargeFor(q, answer)
		f.nobody(t, barred.reason())
		return
	}
	v, _ := f.vehicle(q.Vehicles[answer.Best.Candidate])
	f.assign(t, v, answer.Best, q.without(answer.Best.Candidate))
}

// nobody lets a task wait that no vehicle can take now, and tells people where
// they should know.
func (f *Fleet) nobody(t *Task, why Reason) {
	if lacks, is := f.lacking(t); is {
		why = lacks
	}
	f.stillWaits(t, why)
	f.emergencyWaits(t)
	f.wantedWaits(t)
}

// emergencyWaits raises the alert for an emergency that has no vehicle. It is not
// raised again when the reason changes, so it says when that was the reason.
func (f *Fleet) emergencyWaits(t *Task) {
	if t.Priority == Emergency && !f.soonKnown(t) {
		t, _ = f.task(t.ID)
		f.raise(alertAbout{kind: AlertEmergencyWaits, task: t.ID}, Critical, fmt.Sprintf("emergency %s has no vehicle; at %s: %s", t.ID, clock(f.now), t.Reason.Text))
	}
}

// question gathers the vehicles that may be considered for a task.
func (f *Fleet) question(t *Task) (Question, bars) {
	q := Question{Task: t.ID, TaskRevision: t.Revision, Job: f.job(t)}
	var barred bars
	f.notes.look(t.ID)
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if why := f.bar(v, t); why.rule != "" {
			if lasts := unfit(v, t); lasts.rule != "" && why.ofVehicle() {
				why = lasts
			}
			f.notes.bar(t.ID, id, why)
			if why.rule != givenToAnother {
				barred.bar(f, v, why)
			}
			continue
		}
		q.Vehicles = append(q.Vehicles, id)
		q.Revisions = append(q.Revisions, v.Revision)
		q.Candidates = append(q.Candidates, f.openingFor(v, t, nil).candidate)
	}
	f.notes.ask(q)
	return q, barred
}

// job is what remains of a task, for the planner.
func (f *Fleet) job(t *Task) assign.Job {
	job := assign.Job{Needs: t.Capabilities}
	for _, k := range t.Kinds {
		job.Kinds = append(job.Kinds, motion.Kind(k))
	}
	for _, i := range openStops(t) {
		job.Stops = append(job.Stops, planStop(&t.Stops[i]))
	}
	return job
}

// groundAt is a place on the ground.
func (f *Fleet) groundAt(lon, lat float64, level string) space.Position {
	p := space.Position{Lon: lon, Lat: lat, Level: level}
	p.AltitudeM = f.chart.GroundAltitude(p.Point())
	return p
}

package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// How an emergency gets a vehicle that has other work to do.

// variant is a vehicle without some of its work.
type variant struct {
	at      int
	without []TaskID
	urgent  bool
}

// offerLess adds to the question of an emergency, round by round, the vehicles
// without some of their lesser work. A round is only looked at when those before
// it found nobody, so the least is lost: routine work before urgent work, one
// task before two, and of a vehicle's tasks those first that are least pressing.
func (f *Fleet) offerLess(t *Task, q *Question) {
	n := len(q.Vehicles)
	var variants []variant
	for at, id := range q.Vehicles {
		v, _ := f.vehicle(id)
		lesser := f.lesserWork(v)
		for k := range lesser {
			without := lesser[:k+1]
			last, _ := f.task(without[k])
			variants = append(variants, variant{at, without, last.Priority == Urgent})
		}
	}
	if len(variants) == 0 {
		return
	}
	round := func(x, y variant) int {
		if x.urgent != y.urgent {
			return map[bool]int{false: -1, true: 1}[x.urgent]
		}
		return cmp.Compare(len(x.without), len(y.without))
	}
	slices.SortStableFunc(variants, round)
	q.Without, q.Rounds = make([][]TaskID, n), []int{n}
	for i, x := range variants {
		if i > 0 && round(variants[i-1], x) != 0 {
			q.Rounds = append(q.Rounds, len(q.Vehicles))
		}
		v, _ := f.vehicle(q.Vehicles[x.at])
		q.Vehicles = append(q.Vehicles, v.ID)
		q.Revisions = append(q.Revisions, v.Revision)
		q.Candidates = append(q.Candidates, f.openingFor(v, t, x.without).candidate)
		q.Without = append(q.Without, x.without)
	}
	q.Rounds = append(q.Rounds, len(q.Vehicles))
}

// lesserWork lists the tasks that may be taken off a vehicle for an emergency,
// the one that is least missed first: not emergencies, not with their load on
// board, not while a stop is begun. Drills give way in any case.
func (f *Fleet) lesserWork(v *Vehicle) []TaskID {
	m, ok := f.openMission(v)
	if !ok {
		return nil
	}
	var ids []TaskID
	for _, id := range m.Tasks() {
		if t, ok := f.task(id); ok && !t.Drill && mayYield(t) {
			ids = append(ids, id)
		}
	}
	slices.SortStableFunc(ids, func(a, b TaskID) int {
		x, _ := f.task(a)
		y, _ := f.task(b)
		if x.Priority != y.Priority {
			return map[bool]int{true: -1, false: 1}[x.Priority == Routine]
		}
		return -f.moreUrgent(x, y)
	})
	return ids
}

// mayYield tells whether a task may be taken off its vehicle for an emergency.
func mayYield(t *Task) bool {
	n := t.NextStop()
	return t.Priority != Emergency && t.LoadOn == "" && !t.State.Final() && n < len(t.Stops) && t.Stops[n].State != StopBegun
}

// stillYield tells whether all of the tasks that an answer takes off may be
// taken off still.
func (f *Fleet) stillYield(ids []TaskID) bool {
	return !slices.ContainsFunc(ids, func(id TaskID) bool {
		t, ok := f.task(id)
		return !ok || !mayYield(t)
	})
}

// without are the tasks that a candidate of the question gives up.
func (q *Question) without(candidate int) []TaskID {
	if candidate < len(q.Without) {
		return q.Without[candidate]
	}
	return nil
}

// answer looks at the rounds of candidates in order until one of them has
// somebody, or the budget ends. Exclusions are those of the first round: of
// vehicles with all their work.
func (q *Question) answer(p *route.Planner, now time.Time, limits assign.Limits) assign.Answer {
	if len(q.Rounds) == 0 {
		return assign.Earliest(p, q.Job, q.Candidates, now, limits)
	}
	var all assign.Answer
	from, bounded := 0, limits.MaxExpansions > 0
	for n, to := range q.Rounds {
		a := assign.Earliest(p, q.Job, q.Candidates[from:to], now, limits)
		all.Expansions += a.Expansions
		all.Exhausted = a.Exhausted
		if n == 0 {
			all.Excluded = a.Excluded
		}
		if a.Best != nil {
			a.Best.Candidate += from
			all.Best = a.Best
			chosen := q.Vehicles[a.Best.Candidate]
			all.Excluded = slices.DeleteFunc(all.Excluded, func(x assign.Exclusion) bool { return q.Vehicles[x.Candidate] == chosen })
			return all
		}
		limits.MaxExpansions -= a.Expansions
		if bounded && limits.MaxExpansions <= 0 {
			all.Exhausted = true
		}
		if all.Exhausted {
			return all
		}
		from = to
	}
	return all
}

// nearestIdle chooses by the policy of that name: of the vehicles without any
// task, the nearest to the first stop that can do it all.
func (f *Fleet) nearestIdle(t *Task, q Question, barred bars) {
	at := q.Job.Stops[0].At
	var order []int
	far := make([]float64, len(q.Vehicles))
	for i, id := range q.Vehicles {
		v, _ := f.vehicle(id)
		if m, ok := f.openMission(v); ok && len(m.Tasks()) > 0 {
			barred.add("not_idle", "")
			continue
		}
		far[i] = space.Distance(q.Candidates[i].Start, at)
		order = append(order, i)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(far[a], far[b]) })
	var all assign.Answer
	for _, i := range order {
		if all.Best != nil {
			all.Excluded = append(all.Excluded, assign.Exclusion{Candidate: i, Rule: "farther", Number: far[i], Limit: far[all.Best.Candidate]})
			continue
		}
		if f.budget <= 0 {
			// The next step looks again.
			return
		}
		a := assign.Earliest(f.world, q.Job, q.Candidates[i:i+1], f.now, assign.Limits{MaxExpansions: f.budget})
		f.budget -= a.Expansions
		for _, x := range a.Excluded {
			x.Candidate = i
			all.Excluded = append(all.Excluded, x)
		}
		if a.Best != nil {
			a.Best.Candidate = i
			all.Best = a.Best
		}
	}
	f.settle(t, q, all, barred)
}

// lacking says what no vehicle of the fleet has, when nobody could ever do a
// task.
func (f *Fleet) lacking(t *Task) (Reason, bool) {
	if len(f.index.vehicles) == 0 {
		return Reason{}, false
	}
	ofKind, missing := 0, slices.Clone(t.Capabilities)
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if len(t.Kinds) > 0 && !contains(t.Kinds, v.Kind) {
			continue
		}
		ofKind++
		if able(v, t) {
			return Reason{}, false
		}
		missing = slices.DeleteFunc(missing, func(c string) bool { return contains(v.Capabilities, c) })
	}
	who := "vehicle"
	if len(t.Kinds) > 0 {
		who = strings.Join(words(t.Kinds), " or ")
	}
	switch {
	case ofKind == 0:
		return Reason{"no_vehicle", fmt.Sprintf("no %s is registered", who)}, true
	case len(missing) > 0:
		return Reason{string(assign.NoCapability), fmt.Sprintf("no %s of this fleet has %s", who, strings.Join(missing, ", "))}, true
	}
	return Reason{string(assign.NoCapability), fmt.Sprintf("no %s of this fleet has all of %s", who, strings.Join(t.Capabilities, ", "))}, true
}

// able tells whether a vehicle has all the capabilities that a task needs.
func able(v *Vehicle, t *Task) bool {
	return !slices.ContainsFunc(t.Capabilities, func(c string) bool { return !contains(v.Capabilities, c) })
}

// soonKnown tells whether a vehicle that could do a task has only to answer a
// mission first, and has had no time yet.
func (f *Fleet) soonKnown(t *Task) bool {
	return slices.ContainsFunc(f.index.vehicles, func(id VehicleID) bool {
		v, _ := f.vehicle(id)
		b := f.bar(v, t)
		return b.rule == answerIsPending && b.number < b.limit && able(v, t) && (len(t.Kinds) == 0 || contains(t.Kinds, v.Kind))
	})
}

// queued counts the tasks of a mission that another task would not take off.
func (f *Fleet) queued(m *Mission, t *Task) int {
	n := 0
	for _, id := range m.Tasks() {
		if !f.givesWay(id, t) {
			n++
		}
	}
	return n
}

// alreadyThere finds another task of the same incident that a vehicle has: the
// parts of a response are for different vehicles, or for one after the other.
func (f *Fleet) alreadyThere(v *Vehicle, t *Task) (TaskID, bool) {
	if t.Incident == "" {
		return "", false
	}
	for _, id := range f.index.tasks[v.ID] {
		if other, ok := f.task(id); ok && id != t.ID && other.Incident == t.Incident && other.Vehicle == v.ID &&
			(other.State == TaskAssigned || other.State == TaskUnderway) {
			return id, true
		}
	}
	return "", false
}

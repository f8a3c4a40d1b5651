package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
)

// Why a task waits, and how often it is asked about.

// maxWaitingText is how long, in bytes, the sentence is that says why a task
// waits; what does not fit is only counted.
const maxWaitingText = 200

// nearness is the order in which rules are told that exclude vehicles from a
// task, from what can never change to what passes by itself: first what the
// vehicles are, then what keeps them from all work, what is against the place,
// what this task asks too much of, and what they only have to do before. A rule
// that is not listed, such as a mode, stands with the second.
func nearness(rule string) int {
	for n, rules := range [...][]string{
		{string(assign.BadSpec), notTheCarrier, givenToAnother, string(assign.WrongKind), string(assign.NoCapability), string(assign.TooHeavy)},
		nil,
		{string(route.OutsideChart), string(route.OffWater), string(route.OverWater), string(route.AboveLimit)},
		{string(route.OffNetwork), string(route.InsideBuilding), string(route.NoWay), string(route.InsideZone)},
		{string(assign.NoEnergy), string(assign.NotLandable), string(assign.TooLate), string(route.TooWindy), string(route.WayClosed)},
		{refusedRecently, isSuspended, sameIncident},
		{isBusy, isCharging, linkIs + string(LinkLate), string(assign.NotTried), commandIsPending, answerIsPending},
	} {
		if slices.Contains(rules, rule) {
			return n
		}
	}
	return 1
}

// bars counts why vehicles cannot be considered.
type bars struct {
	counts   map[string]int
	examples map[string]string
}

func (b *bars) add(code, example string) {
	if b.counts == nil {
		b.counts, b.examples = map[string]int{}, map[string]string{}
	}
	b.counts[code]++
	if b.examples[code] == "" {
		b.examples[code] = example
	}
}

// bar counts a vehicle that is barred. What would change with every second is
// not said.
func (b *bars) bar(f *Fleet, v *Vehicle, why bar) {
	example := ""
	if why.unit != "s" && why.rule != sameIncident {
		example = fmt.Sprintf("%s: %s", v.ID, f.barText(v, why).Text)
	}
	b.add(why.rule, example)
}

// reason names the rule of the vehicles that come nearest to taking the task,
// with one of them as an example, and counts the others.
func (b *bars) reason() Reason {
	if len(b.counts) == 0 {
		return Reason{"no_vehicle", "no vehicle is registered"}
	}
	codes := sortedKeys(b.counts)
	slices.SortStableFunc(codes, func(x, y string) int {
		if n := nearness(y) - nearness(x); n != 0 {
			return n
		}
		return b.counts[y] - b.counts[x]
	})
	counted, others := "", 0
	for _, c := range codes[1:] {
		part := fmt.Sprintf(", %d %s", b.counts[c], c)
		if len(counted)+len(part) > maxWaitingText/2 {
			others += b.counts[c]
			continue
		}
		counted += part
	}
	if others > 0 {
		counted += fmt.Sprintf(", %d others", others)
	}
	text := fmt.Sprintf("no vehicle can take it: %d %s", b.counts[codes[0]], codes[0])
	if e := b.examples[codes[0]]; e != "" {
		if b.counts[codes[0]] > 1 {
			e = "e.g. " + e
		}
		if e = " (" + e + ")"; len(text)+len(e)+len(counted) <= maxWaitingText {
			text += e
		}
	}
	return Reason{codes[0], text + counted}
}

// The pauses between background searches for one task that all ended without an
// answer because their budget was used up: the first, and the longest, for an
// emergency and for other work.
const (
	searchPause             = 10 * time.Second
	longestPause            = 2 * time.Minute
	longestPauseOfEmergency = 20 * time.Second
)

// pause spaces the background searches for a task.
type pause struct {
	task taskForm
	// lasts is how long the present pause lasts, until when it ends.
	lasts time.Duration
	until time.Time
}

// taskForm is what the search for a vehicle depends on in a task.
type taskForm struct {
	priority Priority
	wanted   VehicleID
	loadOn   VehicleID
	attempts int
	open     int
}

func formOf(t *Task) taskForm {
	return taskForm{t.Priority, t.Wanted, t.LoadOn, t.Attempts, len(openStops(t))}
}

// pauses tells whether no background search for a task is due yet. Within a step
// the task is looked at all the same, as a vehicle may have come near.
func (f *Fleet) pauses(t *Task) bool {
	p, ok := f.searchPauses[t.ID]
	return ok && p.task == formOf(t) && f.now.Before(p.until)
}

// notePause notes how a background search for a task ended: one that used up its
// budget in vain is not repeated at once.
func (f *Fleet) notePause(t *Task, answer *assign.Answer) {
	if answer.Best != nil || !answer.Exhausted {
		delete(f.searchPauses, t.ID)
		return
	}
	p := f.searchPauses[t.ID]
	if p.task != formOf(t) {
		p = pause{task: formOf(t)}
	}
	longest := longestPause
	if t.Priority == Emergency {
		longest = longestPauseOfEmergency
	}
	p.lasts = min(max(searchPause, 2*p.lasts), longest)
	p.until = f.now.Add(p.lasts)
	f.searchPauses[t.ID] = p
}

// forgetPauses drops the pauses of tasks that do not wait any more.
func (f *Fleet) forgetPauses() {
	for id := range f.searchPauses {
		if !f.index.waiting[id] {
			delete(f.searchPauses, id)
		}
	}
}

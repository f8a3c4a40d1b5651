package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// heldByAnother excludes a vehicle that might be there earlier than the one that
	// has the task: work that is given out changes hands only for a reason.
	heldByAnother = "held_by_another"
	// givesItUp excludes the vehicle that has a task and is to give it up: it has
	// yet to accept the plan without it.
	givesItUp = "gives_it_up"
)

// others says of each vehicle that would not go which rule excluded it, in the
// order of ids.
func (h *rehearsal) others(t *Task) []api.QuoteExclusion {
	list := []api.QuoteExclusion{}
	m, held := h.fleet.state.Durable.Missions[t.Mission]
	leaves := held && t.State != TaskWaiting && !hasOpenLeg(m, t.ID)
	said := map[VehicleID]bool{t.Vehicle: t.State != TaskWaiting && !leaves}
	add := func(id VehicleID, x api.QuoteExclusion) {
		if !said[id] {
			said[id] = true
			x.Vehicle = string(id)
			list = append(list, x)
		}
	}
	if leaves {
		add(t.Vehicle, api.QuoteExclusion{Rule: givesItUp, Object: string(m.ID), Text: fmt.Sprintf("it is to give the task up, and has yet to accept the plan of mission %s without it", m.ID)})
	}
	if d := h.fleet.notes.decisions[t.ID]; d != nil {
		for _, b := range d.barred {
			v, _ := h.fleet.vehicle(b.vehicle)
			add(b.vehicle, h.part(h.fleet.barText(v, b.bar)))
		}
		if d.answer != nil {
			for i := range d.answer.Excluded {
				x := &d.answer.Excluded[i]
				add(d.question.Vehicles[x.Candidate], h.excluded(t, d, x))
			}
			if best := d.answer.Best; best != nil && h.compared(t) {
				add(d.question.Vehicles[best.Candidate], h.held(t, best.Begin[len(d.question.Job.Stops)-1].Sub(h.fleet.now).Seconds()+lastWorkS(d), false))
			}
		}
		for i, id := range d.question.Vehicles {
			add(id, h.notTried(d.question, i, 0))
		}
	}
	for _, id := range h.fleet.index.vehicles {
		add(id, api.QuoteExclusion{Rule: t.Reason.Code, Text: "nobody is looked for: " + t.Reason.Text})
	}
	slices.SortFunc(list, func(a, b api.QuoteExclusion) int { return cmp.Compare(a.Vehicle, b.Vehicle) })
	return list
}

// part names, in place of a task that comes of the quote alone and will never be,
// the part of the response that the vehicle would have.
func (h *rehearsal) part(x api.QuoteExclusion) api.QuoteExclusion {
	if _, there := h.before.Durable.Tasks[TaskID(x.Object)]; x.Rule == sameIncident && !there {
		t, _ := h.fleet.task(TaskID(x.Object))
		x.Object = t.Role
		x.Text = fmt.Sprintf("it would have the part %q: the parts of a response are for different vehicles", t.Role)
	}
	return x
}

// compared tells whether the task had its vehicle before the quote.
func (h *rehearsal) compared(t *Task) bool {
	known, ok := h.before.Durable.Tasks[t.ID]
	return ok && known.State != TaskWaiting
}

func lastWorkS(d *decision) float64 {
	return d.question.Job.Stops[len(d.question.Job.Stops)-1].WorkS
}

// excluded says an exclusion by the planner.
func (h *rehearsal) excluded(t *Task, d *decision, x *assign.Exclusion) api.QuoteExclusion {
	switch {
	case x.Rule == assign.NotTried:
		limit := 0.0
		if best := d.answer.Best; best != nil && !h.compared(t) {
			limit = best.Begin[len(d.question.Job.Stops)-1].Sub(h.fleet.now).Seconds() + lastWorkS(d)
		}
		return h.notTried(d.question, x.Candidate, limit)
	case x.Rule == assign.Slower && h.compared(t):
		return h.held(t, x.Number, x.AtLeast)
	}
	return exclusionOf(x)
}

// held compares a vehicle with the one that has the task.
func (h *rehearsal) held(t *Task, number float64, atLeast bool) api.QuoteExclusion {
	limit, ok := h.finishS(t)
	if !ok {
		return api.QuoteExclusion{
			Rule: heldByAnother, Object: string(t.Vehicle), Number: &number, Unit: "s", AtLeast: atLeast,
			Text: fmt.Sprintf("it would finish in %s%.0f s, once %s has given the task up", atLeastText(atLeast), number, t.Vehicle),
		}
	}
	x := assign.Exclusion{Rule: assign.Slower, Number: number, Limit: limit, AtLeast: atLeast}
	if number > limit {
		return exclusionOf(&x)
	}
	e := exclusionOf(&x)
	e.Rule, e.Object = heldByAnother, string(t.Vehicle)
	e.Text = fmt.Sprintf("%s has the task and would finish in %.0f s, this one in %s%.0f s: work that is given out changes hands only by hand or for a reason",
		t.Vehicle, limit, atLeastText(atLeast), number)
	return e
}

// notTried says of a vehicle that it was not routed. Limit 0 is for none.
func (h *rehearsal) notTried(q Question, candidate int, limit float64) api.QuoteExclusion {
	bound := h.untried(&q.Job, &q.Candidates[candidate])
	e := api.QuoteExclusion{
		Rule: string(assign.NotTried), Number: &bound, Unit: "s", AtLeast: true,
		Text: fmt.Sprintf("no way was looked for: it would take at least %.0f s, and others seemed nearer or the searches for one decision were used up", bound),
	}
	if limit > 0 {
		e.Limit = &limit
		e.Text = fmt.Sprintf("no way was looked for: it would take at least %.0f s, the chosen one takes %.0f s, and others seemed nearer or the searches for one decision were used up", bound, limit)
	}
	return e
}

func atLeastText(is bool) string {
	if is {
		return "at least "
	}
	return ""
}

// exclusionOf says an exclusion by the planner with its unit and in a sentence.
func exclusionOf(x *assign.Exclusion) api.QuoteExclusion {
	e := api.QuoteExclusion{Rule: string(x.Rule), Object: x.Object, AtLeast: x.AtLeast}
	figures := func(unit string) {
		number, limit := x.Number, x.Limit
		e.Number, e.Limit, e.Unit = &number, &limit, unit
	}
	least := atLeastText(x.AtLeast)
	switch x.Rule {
	case assign.WrongKind:
		e.Text = fmt.Sprintf("a %s is not among the kinds of vehicle that it asks for", x.Object)
	case assign.NoCapability:
		e.Text = fmt.Sprintf("it lacks the capability %q", x.Object)
	case assign.TooHeavy:
		figures("kg")
		e.Text = fmt.Sprintf("it would carry %.4g kg and may carry %.4g kg", x.Number, x.Limit)
	case assign.NoEnergy:
		figures("Wh")
		e.Text = fmt.Sprintf("work, way home and reserve take %s%.4g Wh, and it has %.4g Wh", least, x.Number, x.Limit)
	case assign.TooLate:
		figures("s")
		e.Text = fmt.Sprintf("it would begin a stop in %s%.0f s, which must begin within %.0f s", least, x.Number, x.Limit)
	case assign.Slower:
		figures("s")
		e.Text = fmt.Sprintf("it would finish in %s%.0f s, another in %.0f s", least, x.Number, x.Limit)
	case assign.NotTried:
		e.Object = ""
		e.Text = "no way was looked for: the searches for one decision were used up"
	case assign.NotLandable:
		figures("Wh")
		e.Text = fmt.Sprintf("from somewhere on its way it could not come down with its reserve: that takes %s%.4g Wh, and it would have %.4g Wh", least, x.Number, x.Limit)
	case assign.BadSpec:
		e.Text = "its figures are unusable: " + x.Object
	default:
		noWay(&e, x)
	}
	return e
}

// noWay says a refusal of package route.
func noWay(e *api.QuoteExclusion, x *assign.Exclusion) {
	if x.At != (space.Position{}) {
		at := viewPosition(x.At)
		e.At = &at
	}
	if x.Number != 0 || x.Limit != 0 {
		number := x.Number
		e.Number, e.Unit = &number, "m"
	}
	if x.Limit != 0 {
		limit := x.Limit
		e.Limit = &limit
	}
	place := fmt.Sprintf("%.6f,%.6f", x.At.Lon, x.At.Lat)
	switch route.Rule(x.Rule) {
	case route.NoWay:
		e.Text = "there is no way to " + place
		if x.Object != "" {
			e.Text += ": " + x.Object + " is against it"
		}
	case route.OffNetwork:
		e.Text = fmt.Sprintf("%s is %.0f m from the streets and paths that it may use", place, x.Number)
	case route.WayClosed:
		e.Text = fmt.Sprintf("%s lies on %s, which is closed", place, x.Object)
	case route.TooWindy:
		e.Unit = "m/s"
		e.Text = fmt.Sprintf("the wind of %.3g m/s with its gusts is more than the %.3g m/s that it can fly in", x.Number, x.Limit)
	case route.InsideZone:
		e.Text = fmt.Sprintf("%s lies in zone %s, which forbids it", place, x.Object)
		if x.Number != 0 {
			e.Text = fmt.Sprintf("%s lies in zone %s, which allows %.4g m above ground", place, x.Object, x.Number)
		}
	case route.InsideBuilding:
		e.Text = fmt.Sprintf("%s lies in building %s", place, x.Object)
	case route.OutsideChart:
		e.Text = place + " lies outside of the chart"
	case route.OffWater:
		e.Text = place + " is on no water that it can reach"
	case route.AboveLimit:
		e.Text = fmt.Sprintf("%s is %.4g m above the ground there, more than the %.4g m that aircraft may stop at", place, x.Number, x.Limit)
	case route.OverWater:
		e.Text = fmt.Sprintf("%s is %.4g m above the water %s: an aircraft stops there from %.4g m on", place, x.Number, x.Object, x.Limit)
	case route.Budget:
		e.Text = "the searches were used up before a way was found to " + place
	default:
		e.Text = string(x.Rule)
	}
}

// barText says a bar in a sentence.
func (f *Fleet) barText(v *Vehicle, b bar) api.QuoteExclusion {
	switch rule := assign.Rule(b.rule); rule {
	case assign.WrongKind, assign.NoCapability, assign.TooHeavy:
		return exclusionOf(&assign.Exclusion{Rule: rule, Number: b.number, Limit: b.limit, Object: b.object})
	}
	e := api.QuoteExclusion{Rule: b.rule, Object: b.object, Unit: b.unit, Text: f.barSentence(v, b)}
	if b.unit != "" {
		number, limit := b.number, b.limit
		e.Number = &number
		if b.rule != refusedRecently {
			e.Limit = &limit
		}
	}
	return e
}

func (f *Fleet) barSentence(v *Vehicle, b bar) string {
	switch b.rule {
	case fleetStopped:
		why, _ := f.stopped()
		return why.Text
	case standsInZone:
		return fmt.Sprintf("it stands in zone %s, against its rule, and stays there", b.object)
	case notTheCarrier:
		return fmt.Sprintf("the load is on %s, which alone may finish the task", b.object)
	case givenToAnother:
		return fmt.Sprintf("a person gave the task to %s", b.object)
	case takenOver:
		return fmt.Sprintf("%s has it in hand since %s: %s", b.object, clock(v.TakenOver.At), v.TakenOver.Reason)
	case outOfService:
		return "it is out of service: " + b.object
	case blockedByCommand:
		return fmt.Sprintf("command %s keeps it from work until it is resumed", b.object)
	case isRefusing:
		return fmt.Sprintf("it refused %.0f missions in a row, more than %.0f: it gets no new work until it accepts one or is put back in service", b.number, b.limit)
	case staleEpoch:
		return fmt.Sprintf("it has been commanded with epoch %.0f, above ours of %.0f", b.number, b.limit)
	case hasFault:
		return fmt.Sprintf("it reports %s: %s", plural(len(v.Faults), "fault"), faultList(v))
	case positionUnknown:
		return "its position in this session, or its home, is not known"
	case positionDoubtful:
		return "it says that it is where it cannot be: it gets no work until its samples agree again"
	case batteryDoubtful:
		return fmt.Sprintf("its charge rose at once without a charger: it gets no work until that has lasted for %v", BatterySettled)
	case refusedRecently:
		return fmt.Sprintf("it refused the task and is not asked again for %.0f s: %s", b.number, b.object)
	case commandIsPending:
		return fmt.Sprintf("command %s is on its way to it since %.0f s, of at most %.0f s", b.object, b.number, b.limit)
	case answerIsPending:
		return fmt.Sprintf("it has not answered mission %s for %.0f s, of %.0f s until an alert", b.object, b.number, b.limit)
	case isSuspended:
		return fmt.Sprintf("its mission %s is suspended", b.object)
	case sameIncident:
		return fmt.Sprintf("it has %s of the same incident: the parts of a response are for different vehicles", b.object)
	case isBusy:
		return fmt.Sprintf("it holds %.0f tasks, of at most %.0f", b.number, b.limit)
	case isCharging:
		return fmt.Sprintf("it is charging at %s, or waits to: charge %.0f %%, to work from %.0f %%", b.object, 100*b.number, 100*b.limit)
	}
	switch {
	case strings.HasPrefix(b.rule, modeIs):
		return fmt.Sprintf("it says that it is in mode %s", b.object)
	case strings.HasPrefix(b.rule, linkIs) && b.unit == "":
		return "nothing was heard of it since Kapok started"
	case strings.HasPrefix(b.rule, linkIs):
		return fmt.Sprintf("nothing was heard of it for %.0f s, its link is %s from %.0f s on or as soon as it closes", b.number, strings.TrimPrefix(b.rule, linkIs), b.limit)
	}
	return b.rule
}

func plural(n int, what string) string {
	if n == 1 {
		return "a " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// faultList writes the open faults of a vehicle, in order of their codes.
func faultList(v *Vehicle) string {
	list := make([]string, 0, len(v.Faults))
	for _, code := range sortedKeys(v.Faults) {
		list = append(list, code+" ("+v.Faults[code]+")")
	}
	return strings.Join(list, ", ")
}

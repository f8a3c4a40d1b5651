package fleet

import (
	"fmt"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
)

// opening is how a task would go into the work of a vehicle: behind the legs
// that are kept as they are, and before those that are planned anew behind it.
type opening struct {
	candidate   assign.Candidate
	kept, after []Leg
	// off are tasks that lose legs to it.
	off []TaskID
}

// openingFor finds the place of a task in the work of a vehicle. An emergency
// goes before everything but a stop that is begun and emergencies that the
// vehicle has already; anything else goes behind all. Drills give way to real
// work: their stops that are not begun are taken off. So are those of the tasks
// named by without.
func (f *Fleet) openingFor(v *Vehicle, t *Task, without []TaskID) opening {
	o := f.placeFor(v, t, without)
	if t.Priority != Emergency || t.Drill {
		f.keepForCharger(v, &o.candidate)
	}
	return o
}

// placeFor is openingFor without regard to what a flight to a charger takes.
func (f *Fleet) placeFor(v *Vehicle, t *Task, without []TaskID) opening {
	m, ok := f.openMission(v)
	if !ok {
		c, _ := f.fromHere(v, nil)
		return opening{candidate: c}
	}
	todo := taskLegs(m, true)
	gone := func(l *Leg) bool {
		return l.State != protocol.LegBegun && (contains(without, l.Task) || f.givesWay(l.Task, t))
	}
	var o opening
	if t.Priority == Emergency && !t.Drill {
		o.emergency(f, todo, gone)
	} else {
		o.last(todo, gone)
	}
	for i := range todo {
		if l := &todo[i]; !hasLeg(o.kept, l.ID) && !hasLeg(o.after, l.ID) && !contains(o.off, l.Task) {
			o.off = append(o.off, l.Task)
		}
	}
	ahead := o.kept
	if onlyBegun(ahead) && (t.Priority == Emergency || len(ahead) == 0) {
		o.candidate, o.kept = f.fromHere(v, m)
	} else {
		o.candidate = f.afterLegs(v, ahead)
		o.kept = append(lastFinished(m), ahead...)
	}
	o.candidate.After = f.stopsOf(o.after)
	return o
}

// emergency puts a task behind what is begun and the emergencies at the front.
func (o *opening) emergency(f *Fleet, todo []Leg, gone func(*Leg) bool) {
	front := 0
	for front < len(todo) && (todo[front].State == protocol.LegBegun || f.isEmergency(todo[front].Task)) {
		front++
	}
	for i := front; i < len(todo); i++ {
		if todo[i].State == protocol.LegBegun {
			// It is about to be planned anew, with the stop that is begun first.
			front = 0
		}
	}
	o.kept = todo[:front:front]
	for i := front; i < len(todo); i++ {
		if l := &todo[i]; l.State == protocol.LegBegun {
			o.kept = append(o.kept, *l)
		} else if !gone(l) {
			o.after = append(o.after, *l)
		}
	}
}

// last puts a task behind all; what gives way is taken off if nothing stands
// behind it, so that the rest stays as it is.
func (o *opening) last(todo []Leg, gone func(*Leg) bool) {
	n := len(todo)
	for n > 0 && gone(&todo[n-1]) {
		n--
	}
	o.kept = todo[:n:n]
}

// givesWay tells whether a task is a drill before a task that is none.
func (f *Fleet) givesWay(id TaskID, to *Task) bool {
	t, ok := f.task(id)
	return ok && t.Drill && !to.Drill
}

func (f *Fleet) isEmergency(id TaskID) bool {
	t, ok := f.task(id)
	return ok && t.Priority == Emergency && !t.Drill
}

func hasLeg(legs []Leg, id LegID) bool {
	for i := range legs {
		if legs[i].ID == id {
			return true
		}
	}
	return false
}

func onlyBegun(legs []Leg) bool {
	for i := range legs {
		if legs[i].State != protocol.LegBegun {
			return false
		}
	}
	return true
}

// afterLegs is the vehicle at the end of legs that stay as they are planned.
func (f *Fleet) afterLegs(v *Vehicle, legs []Leg) assign.Candidate {
	last := legs[len(legs)-1]
	energy, load := f.energy(v), f.loadOn(v.ID)
	for i := range legs {
		energy -= legs[i].EnergyWh
		if t, ok := f.task(legs[i].Task); ok {
			load += t.Stops[legs[i].Stop].LoadKg
		}
	}
	return f.candidate(v, last.End(), later(f.now.Add(startDelay), last.EndsAt), energy, max(load, 0))
}

// assign gives a task to a vehicle: a new mission, or a revision of its own.
// Tasks that it takes off are released when the vehicle has accepted that.
func (f *Fleet) assign(t *Task, v *Vehicle, offer *assign.Offer, without []TaskID) {
	m, open := f.openMission(v)
	next := 0
	mission := MissionID(fmt.Sprintf("M%d", f.state.Durable.Counters.Mission+1))
	if open {
		mission, next = m.ID, m.NextLeg
	} else {
		m = nil
	}
	o := f.openingFor(v, t, without)
	todo := newLegs(t)
	eta := offer.Arrive[len(todo)-1]
	legs := append(o.kept, f.legsOf(offer, append(todo, o.after...), v, &next)...)
	f.emit(TaskChanged{
		Task: t.ID, State: TaskAssigned, Vehicle: v.ID, Mission: mission,
		Reason:     Reason{"assigned", f.whyChosen(t, v)},
		PromisedAt: eta, ETA: eta, Attempts: t.Attempts,
	})
	defer f.because(f.state.Durable.Index)()
	if r, ok := v.Refusals[t.ID]; ok && !r.Until.After(f.now) {
		f.emit(VehicleRefused{Vehicle: v.ID, Task: t.ID})
	}
	v, _ = f.vehicle(v.ID)
	why := Reason{"assigned", fmt.Sprintf("task %s", t.ID)}
	if len(o.off) > 0 {
		why = Reason{displaced, fmt.Sprintf("displaced by %s", t.ID)}
	}
	f.issue(v, m, legs, next, why)
	f.estimate(mission)
	f.clearAlert(alertAbout{kind: AlertEmergencyWaits, task: t.ID}, "a vehicle was assigned")
	f.clearAlert(alertAbout{kind: AlertWanted, task: t.ID, vehicle: v.ID}, "the vehicle has it")
}

func (f *Fleet) whyChosen(t *Task, v *Vehicle) string {
	if t.Wanted == v.ID {
		return fmt.Sprintf("it was given to %s by hand", v.ID)
	}
	if f.config.Policy == NearestIdle {
		return fmt.Sprintf("%s is the nearest that is idle", v.ID)
	}
	return fmt.Sprintf("%s arrives earliest", v.ID)
}

// displaced is the code of work that was taken off for more urgent work.
const displaced = "displaced"

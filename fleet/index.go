package fleet

import (
	"slices"
	"time"
)

// index is what can be derived from Durable and is looked up often. The put
// functions keep it up to date.
type index struct {
	vehicles []VehicleID
	waiting  map[TaskID]bool
	// open counts the tasks that are not final.
	open   int
	alerts map[alertKey]AlertID
	// inZones counts the open alerts of a vehicle about zones whose rule it breaks.
	inZones map[VehicleID]int
	// incidents counts those that are open; unreached are those of them that
	// nobody has reached.
	incidents int
	unreached map[IncidentID]bool
	// tasks are those that a vehicle holds or has a load of, by number.
	tasks map[VehicleID][]TaskID
	// archivedAt is when the archive was last looked after.
	archivedAt time.Time
}

type alertKey struct {
	kind    AlertKind
	vehicle VehicleID
	task    TaskID
	object  string
}

func newIndex(d *Durable) *index {
	x := &index{
		waiting: map[TaskID]bool{}, alerts: map[alertKey]AlertID{}, tasks: map[VehicleID][]TaskID{},
		unreached: map[IncidentID]bool{}, inZones: map[VehicleID]int{},
	}
	x.vehicles = sortedKeys(d.Vehicles)
	for _, t := range d.Tasks {
		x.task(nil, t)
	}
	for _, a := range d.Alerts {
		x.alert(a)
	}
	for _, i := range d.Incidents {
		x.incident(nil, i)
	}
	return x
}

// incident takes in an incident that has changed; old is nil for a new one.
func (x *index) incident(old, i *Incident) {
	if old != nil && old.Open() {
		x.incidents--
	}
	if i.Open() {
		x.incidents++
	}
	if i.Open() && i.ReachedAt.IsZero() {
		x.unreached[i.ID] = true
	} else {
		delete(x.unreached, i.ID)
	}
}

func (x *index) vehicle(v *Vehicle) {
	if at, found := slices.BinarySearch(x.vehicles, v.ID); !found {
		x.vehicles = slices.Insert(x.vehicles, at, v.ID)
	}
}

// task takes in a task that has changed; old is nil for a new one.
func (x *index) task(old, t *Task) {
	if old != nil {
		x.letGo(old)
		if !old.State.Final() {
			x.open--
		}
	}
	if !t.State.Final() {
		x.open++
	}
	if t.State == TaskWaiting {
		x.waiting[t.ID] = true
	} else {
		delete(x.waiting, t.ID)
	}
	x.hold(t)
}

// hold notes who holds a task, letGo that they do no longer.
func (x *index) hold(t *Task) {
	for _, v := range [...]VehicleID{t.Vehicle, t.LoadOn} {
		if v == "" || t.State.Final() {
			continue
		}
		less := func(a, b TaskID) int { return compareNumbered(string(a), string(b)) }
		if at, found := slices.BinarySearchFunc(x.tasks[v], t.ID, less); !found {
			x.tasks[v] = slices.Insert(x.tasks[v], at, t.ID)
		}
	}
}

func (x *index) letGo(t *Task) {
	for _, v := range [...]VehicleID{t.Vehicle, t.LoadOn} {
		x.tasks[v] = slices.DeleteFunc(x.tasks[v], func(id TaskID) bool { return id == t.ID })
		if len(x.tasks[v]) == 0 {
			delete(x.tasks, v)
		}
	}
}

func (x *index) alert(a *Alert) {
	key := alertKey{a.Kind, a.Vehicle, a.Task, a.Object}
	about := 0
	if _, open := x.alerts[key]; a.Open() {
		x.alerts[key] = a.ID
		if !open {
			about = 1
		}
	} else if x.alerts[key] == a.ID {
		delete(x.alerts, key)
		about = -1
	}
	if a.Kind == AlertZone || a.Kind == AlertCaughtInside {
		if x.inZones[a.Vehicle] += about; x.inZones[a.Vehicle] == 0 {
			delete(x.inZones, a.Vehicle)
		}
	}
}

// compareNumbered orders ids of one letter and a number by the number.
func compareNumbered(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

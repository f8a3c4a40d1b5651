package fleet

import (
	"math"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// index is what can be derived from Durable and is looked up often. The put
// functions keep it up to date.
type index struct {
	vehicles []VehicleID
	// order is what is known of them, in the same order.
	order   []*known
	waiting map[TaskID]bool
	// open counts the tasks that are not final.
	open   int
	alerts map[alertKey]AlertID
	// known is what is looked up for each frame of a vehicle, in one place.
	known map[VehicleID]*known
	// plots are where they are.
	plots plots
	// incidents counts those that are open; unreached are those of them that
	// nobody has reached.
	incidents int
	unreached map[IncidentID]bool
	// tasks are those that a vehicle holds or has a load of, by number.
	tasks map[VehicleID][]TaskID
	// stops are those of the tasks that are not final.
	stops int
	// finals are, by kind, what is over.
	finals [kindQuestion + 1]finals
	// archivedAt is when the archive was last looked after.
	archivedAt time.Time
}

// known is what the hot path needs of one vehicle.
type known struct {
	// vehicle is nil while only alerts name it.
	vehicle *Vehicle
	// quiet is until when its silence, if it is silent, means nothing. idle says that
	// its registration gives a tick nothing to look after, and full that its newest
	// sample shows that it needs no charger. Of most vehicles a tick reads these alone.
	quiet      time.Time
	idle, full bool
	// actor is how events name it.
	actor string
	// airborne, fastest and pace are what its registration makes of its samples,
	// cruiseMPS is its cruise speed.
	airborne                 bool
	fastest, pace, cruiseMPS float64
	// landRatio is the charge below which its battery may not be enough to come down
	// from its present leg and keep the reserve, 0 for none.
	landRatio float64
	// homeless says that its home is not known.
	homeless bool
	// alerts are its open alerts, oldest first; inZones counts those of them about
	// zones whose rule it breaks.
	alerts  []AlertID
	inZones int

	// What follows is not derived from Durable: a restart forgets it, and nothing
	// that is promised rests on it.

	doubt doubt
	// at is where it last said that it is. It stands in a plot of a band from then on,
	// and is the nth there.
	at   protocol.Position
	band *band
	plot plot
	nth  int
	// point is the one held against zones last, and place where it is in the
	// chart's frame: who stands still is not projected again.
	point orb.Point
	place space.XY
	// reports and clears are what it may still bring about.
	reports, clears allowance
	// charge is what the flight from its home to a charger takes.
	charge fromHome
	// stall is how long it has been idle on a leg.
	stall stall
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
		unreached: map[IncidentID]bool{}, known: make(map[VehicleID]*known, len(d.Vehicles)),
		plots: plots{bands: map[int]*band{}},
	}
	x.vehicles = sortedKeys(d.Vehicles)
	for _, id := range x.vehicles {
		k := x.of(id)
		k.register(d.Vehicles[id])
		x.order = append(x.order, k)
	}
	for _, t := range d.Tasks {
		x.task(nil, t)
	}
	for _, m := range d.Missions {
		x.mission(m)
	}
	for _, a := range d.Alerts {
		x.alert(a)
	}
	for _, i := range d.Incidents {
		x.incident(nil, i)
	}
	x.fillFinals(d)
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

// of is what is known of a vehicle, of one that is not registered too.
func (x *index) of(id VehicleID) *known {
	k, ok := x.known[id]
	if !ok {
		k = &known{actor: vehicleActor(id), point: orb.Point{math.NaN(), math.NaN()}}
		x.known[id] = k
	}
	return k
}

func (k *known) register(v *Vehicle) {
	k.vehicle, k.airborne, k.cruiseMPS = v, MotionKind(v.Kind).Airborne(), v.Spec.CruiseMPS
	k.fastest, k.pace = fastest(v), pace(v)
	k.homeless = !v.HomeKnown
	k.quiet = time.Time{}
	k.idle = v.Mission == "" && v.Blocked == "" && v.TakenOver == nil && v.Charger == "" && len(v.Commands) == 0
}

func (x *index) vehicle(v *Vehicle) {
	k := x.of(v.ID)
	before := k.cruiseMPS
	if k.register(v); k.band != nil && k.cruiseMPS != before {
		x.plots.put(k)
	}
	if at, found := slices.BinarySearch(x.vehicles, v.ID); !found {
		x.vehicles = slices.Insert(x.vehicles, at, v.ID)
		x.order = slices.Insert(x.order, at, k)
	}
}

// mission takes in a mission that has changed.
func (x *index) mission(m *Mission) {
	k := x.of(m.Vehicle)
	if k.vehicle == nil || !k.airborne {
		return
	}
	i := m.Current()
	if !m.Open() || i == len(m.Legs) || m.Legs[i].LandWh == 0 {
		if k.vehicle.Mission == m.ID || k.vehicle.Mission == "" {
			k.landRatio = 0
		}
		return
	}
	k.landRatio = (m.Legs[i].LandWh + k.vehicle.Spec.ReserveWh()) / k.vehicle.Spec.BatteryWh
}

// task takes in a task that has changed; old is nil for a new one.
func (x *index) task(old, t *Task) {
	if old != nil {
		x.letGo(old)
		if !old.State.Final() {
			x.open--
			x.stops -= len(old.Stops)
		}
	}
	if !t.State.Final() {
		x.open++
		x.stops += len(t.Stops)
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
	before, stands := x.alerts[key]
	switch {
	case a.Open():
		x.alerts[key] = a.ID
	case before == a.ID:
		delete(x.alerts, key)
	}
	if _, now := x.alerts[key]; a.Vehicle == "" || now == stands {
		return
	}
	k, about := x.of(a.Vehicle), 1
	if stands {
		k.alerts, about = slices.DeleteFunc(k.alerts, func(id AlertID) bool { return id == a.ID }), -1
	} else {
		at, _ := slices.BinarySearchFunc(k.alerts, a.ID, func(a, b AlertID) int { return compareNumbered(string(a), string(b)) })
		k.alerts = slices.Insert(k.alerts, at, a.ID)
	}
	if a.Kind == AlertZone || a.Kind == AlertCaughtInside {
		k.inZones += about
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

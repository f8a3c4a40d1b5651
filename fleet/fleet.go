package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
)

// Fleet decides. It has one owner, who calls it from one goroutine at a time.
type Fleet struct {
	// Premises are what decisions rest on beside the state.
	*Premises

	world *route.Planner
	// worldAge counts the changes of zones and conditions in the world.
	worldAge uint64
	fences   *fence.Set
	zones    zones
	// weather is what the conditions of the durable state come to now.
	weather weather
	state   *State
	index   *index

	// What follows belongs to the step that is running.
	now    time.Time
	actor  string
	input  string
	cause  uint64
	out    Output
	owing  map[VehicleID]bool
	told   map[VehicleID][]MissionID
	budget int
	// ample is what the step may spend besides on emergencies that people report.
	ample int
	// refilled is when both were last filled up.
	refilled time.Time
	// lookAgain says that something changed that may let a waiting task go.
	lookAgain bool
	// looked is how many of the waiting tasks a round has passed that goes on, 0 for
	// none; lookBack says that another one must follow. looks is how many vehicles
	// may still be looked at.
	looked   int
	lookBack bool
	looks    int
	lastLook time.Time
	// searchPauses are the pauses between background searches. They are not part
	// of the state: after a restart every task is searched for anew.
	searchPauses map[TaskID]pause
	// notes, where a decision is only rehearsed, takes down how it came about.
	notes *notes
}

// Output is what a step brought about, in order.
type Output struct {
	Events  []Recorded
	Effects []Effect
	// Implausible is how many samples said what cannot be; see AlertImplausible.
	Implausible int
	// Raised are the kinds of the alerts that were raised, in order.
	Raised []AlertKind
}

// New returns a fleet over a chart, with the state read from a journal (or
// NewState). The first input must be Recovered.
func New(config Config, c *chart.Chart, state *State) (*Fleet, error) {
	premises, err := newPremises(config, c)
	if err != nil {
		return nil, err
	}
	world, err := route.NewPlanner(&route.World{Chart: c})
	if err != nil {
		return nil, fmt.Errorf("fleet: prepare chart %s for planning: %w", c.Name, err)
	}
	f := &Fleet{
		Premises: premises, state: state, world: world,
		zones: zones{due: map[VehicleID]bool{}, retry: map[VehicleID]time.Time{}, open: newOpenGround(c)},
		owing: map[VehicleID]bool{},
		told:  map[VehicleID][]MissionID{}, searchPauses: map[TaskID]pause{},
	}
	f.index = newIndex(&state.Durable)
	state.Durable.index = f.index
	f.setZones()
	f.setWeather()
	return f, nil
}

// State is the live state; it changes with the next Step. State().View() is
// safe to keep.
func (f *Fleet) State() *State { return f.state }

// Planner is the planner of the present world. Background workers take a Clone
// of it on the owner's goroutine.
func (f *Fleet) Planner() *route.Planner { return f.world }

// Step decides the inputs in order at time now; a time below that of the last
// durable event counts as that. The output belongs to the caller.
func (f *Fleet) Step(now time.Time, inputs []Input) Output {
	now = now.UTC().Round(0)
	if now.Before(f.state.Durable.Time) {
		now = f.state.Durable.Time
	}
	// Most inputs are telemetry, and most telemetry is one event.
	f.now, f.out = now, Output{Events: make([]Recorded, 0, len(inputs))}
	f.refill()
	for _, in := range inputs {
		f.actor, f.input, f.cause = "kapok", in.inputName(), 0
		f.decide(in)
	}
	f.actor, f.cause = "kapok", 0
	if f.lookAgain || f.looked > 0 {
		f.dispatchWaiting()
	}
	f.payDebts()
	return f.out
}

// PlanningRefill is the time in which what a step may spend on planning is full
// again, and EmergencyRefill that for emergencies: however many orders and steps
// there are, planning within steps takes no more than about a quarter of a core,
// and that for emergencies a sixth.
const (
	PlanningRefill  = 200 * time.Millisecond
	EmergencyRefill = 2 * time.Second
)

// refill gives the step what it may spend on planning.
func (f *Fleet) refill() {
	passed := f.now.Sub(f.refilled)
	f.refilled = f.now
	fill := func(left, full int, within time.Duration) int {
		if passed >= within {
			return full
		}
		return min(full, max(left, 0)+int(float64(full)*float64(passed)/float64(within)))
	}
	f.budget = fill(f.budget, f.config.ExpansionsPerStep, PlanningRefill)
	f.looks = fill(f.looks, LooksPerRefill, PlanningRefill)
	f.ample = fill(f.ample, EmergencyExpansions*f.config.ExpansionsPerStep, EmergencyRefill)
}

func (f *Fleet) decide(in Input) {
	switch in := in.(type) {
	case Recovered:
		f.recovered(in)
	case Tick:
		f.tick()
	case Joined:
		f.actor = vehicleActor(in.Vehicle)
		f.joined(in)
	case Left:
		f.left(in)
	case Telemetry:
		f.telemetry(in)
	case Report:
		f.actor = vehicleActor(in.Vehicle)
		f.report(in)
	case Delivered:
		f.actor = vehicleActor(in.Vehicle)
		f.delivered(in)
	case Asked:
		f.actor = in.Actor
		f.asked(in)
	case PlanReady:
		f.planReady(in)
	}
}

func vehicleActor(id VehicleID) string { return "vehicle:" + string(id) }

// emit concludes an event: it is evolved at once. The first durable event of a
// decision is the cause of those that follow, unless because says otherwise.
func (f *Fleet) emit(e Event) uint64 {
	r := Recorded{Time: f.now, Actor: f.actor, Cause: f.cause, Input: f.input, Event: e}
	if e.Lasting() {
		r.Index = f.state.Durable.Index + 1
	}
	if mutant.On(mutant.EventNotJournaled) && e.EventName() == (LoadChanged{}).EventName() {
		r.Index--
		Evolve(f.state, r)
		return r.Index
	}
	Evolve(f.state, r)
	f.out.Events = append(f.out.Events, r)
	if f.cause == 0 {
		f.cause = r.Index
	}
	return r.Index
}

// because makes an event the cause of those emitted until the returned function
// is called.
func (f *Fleet) because(index uint64) func() {
	before := f.cause
	f.cause = index
	return func() { f.cause = before }
}

// as lets what is done be somebody's doing, whoever asked; byKapok lets it be
// Kapok's.
func (f *Fleet) as(who string, do func()) {
	actor := f.actor
	f.actor = who
	do()
	f.actor = actor
}

func (f *Fleet) byKapok(do func()) { f.as("kapok", do) }

func (f *Fleet) effect(e Effect) { f.out.Effects = append(f.out.Effects, e) }

func (f *Fleet) owe(id VehicleID) { f.owing[id] = true }

// payDebts tells the sessions of all vehicles concerned what they are owed.
func (f *Fleet) payDebts() {
	if len(f.owing) == 0 {
		return
	}
	for _, id := range sortedKeys(f.owing) {
		p, ok := f.state.Volatile.Presences[id]
		if ok && p.Session != "" {
			owed := owedTo(f.state, id, f.config)
			for _, m := range f.told[id] {
				owed.Ended = append(owed.Ended, endedMission(m, &f.state.Durable))
			}
			f.effect(Owe{Vehicle: id, Session: p.Session, Owed: owed})
		}
	}
	clear(f.owing)
	clear(f.told)
}

func (f *Fleet) vehicle(id VehicleID) (*Vehicle, bool) {
	v, ok := f.state.Durable.Vehicles[id]
	return v, ok
}

func (f *Fleet) task(id TaskID) (*Task, bool) {
	t, ok := f.state.Durable.Tasks[id]
	return t, ok
}

// openMission is the vehicle's mission that is not ended.
func (f *Fleet) openMission(v *Vehicle) (*Mission, bool) {
	if v.Mission == "" {
		return nil, false
	}
	m, ok := f.state.Durable.Missions[v.Mission]
	return m, ok && m.Open()
}

func (f *Fleet) presence(id VehicleID) Presence {
	if p, ok := f.state.Volatile.Presences[id]; ok {
		return *p
	}
	return Presence{Link: LinkUnknown}
}

package fleet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// How missions are put together from plans.

// startDelay is what passes between a decision and the vehicle's first metre:
// the way over the link, its acceptance, its start.
const startDelay = 3 * time.Second

// frameBudget is how many bytes of legs one mission message may have; the rest
// of protocol.MaxFrameToVehicle is room for its head. A point of a path takes
// at most pointBytes, the rest of a leg at most legBytes.
const (
	frameBudget = protocol.MaxFrameToVehicle - 4096
	pointBytes  = 140
	legBytes    = 700
)

// candidate is the vehicle as the planner sees it, starting at a place and time.
func (f *Fleet) candidate(v *Vehicle, at space.Position, when time.Time, energyWh, loadKg float64) assign.Candidate {
	spec := v.Spec
	spec.MaxLoadKg = v.MaxLoadKg
	if mutant.On(mutant.ReserveForgotten) {
		spec.ReserveRatio = 0
	}
	return assign.Candidate{
		Spec: spec, Capabilities: v.Capabilities, Start: at, FreeAt: when,
		EnergyWh: energyWh, LoadKg: loadKg, Home: v.Home,
	}
}

// fromHere is the vehicle where it is, or at the end of the stop that it has
// begun; kept are the legs that stay as they are.
func (f *Fleet) fromHere(v *Vehicle, m *Mission) (c assign.Candidate, kept []Leg) {
	at, _ := f.whereabouts(v, m)
	when := f.now.Add(startDelay)
	energy := f.energy(v)
	if m != nil {
		kept = lastFinished(m)
		// More than one is begun when a revision put another stop before one that was
		// just being begun.
		for i := range m.Legs {
			l := m.Legs[i]
			if l.State != protocol.LegBegun || l.Task == "" || !f.holds(m, &m.Legs[i]) {
				continue
			}
			kept = append(kept, l)
			at = l.End()
			when = later(when, l.EndsAt)
			energy -= f.workWh(v, &l)
		}
	}
	return f.candidate(v, at, when, energy, f.loadOn(v.ID)), kept
}

// begunLeg is the leg whose stop is begun. It need not be the current one: a stop
// may be begun while a revision that puts it behind another is on its way.
func begunLeg(m *Mission) (int, bool) {
	for i := range m.Legs {
		if m.Legs[i].State == protocol.LegBegun && m.Legs[i].Task != "" {
			return i, true
		}
	}
	return 0, false
}

// whereabouts is the newest known place of the vehicle and when it was there.
func (f *Fleet) whereabouts(v *Vehicle, m *Mission) (space.Position, time.Time) {
	if p := f.presence(v.ID); p.Known {
		return space.Position(p.Sample.Position), p.Sample.Time
	}
	if m != nil {
		return f.anchor(v, m)
	}
	return v.Home, f.now
}

// energy is what the battery holds, as far as is known.
func (f *Fleet) energy(v *Vehicle) float64 {
	if p := f.presence(v.ID); p.Known {
		return p.Sample.BatteryRatio * v.Spec.BatteryWh
	}
	return v.Spec.BatteryWh
}

// loadOn is the weight of the loads on board.
func (f *Fleet) loadOn(id VehicleID) float64 {
	kg := 0.0
	for _, tid := range f.index.tasks[id] {
		if t, _ := f.task(tid); t.LoadOn == id {
			kg += t.LoadKg
		}
	}
	return kg
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// lastFinished is the last leg that is over, as a slice of its own.
func lastFinished(m *Mission) []Leg {
	if i := m.Current(); i > 0 {
		return append([]Leg(nil), m.Legs[i-1])
	}
	return nil
}

// taskLegs lists the legs to stops that are still to be served, in order. With
// begun false, the leg whose stop is begun is left out.
func taskLegs(m *Mission, begun bool) []Leg {
	var legs []Leg
	for i := m.Current(); i < len(m.Legs); i++ {
		l := m.Legs[i]
		if l.Task != "" && !l.Final() && (begun || l.State != protocol.LegBegun) {
			legs = append(legs, l)
		}
	}
	return legs
}

// stopsOf turns legs into stops for the planner.
func (f *Fleet) stopsOf(legs []Leg) []assign.Stop {
	stops := make([]assign.Stop, 0, len(legs))
	for i := range legs {
		t, ok := f.task(legs[i].Task)
		if !ok {
			continue
		}
		stops = append(stops, planStop(&t.Stops[legs[i].Stop]))
	}
	return stops
}

func planStop(s *Stop) assign.Stop {
	return assign.Stop{At: s.At, WorkS: s.WorkS, Earliest: s.NotBefore, Latest: s.NotAfter, LoadKg: s.LoadKg}
}

// legsOf lays the routes of an offer along the given legs, and ends with the
// way home. Legs keep their ids; one without an id gets the next.
func (f *Fleet) legsOf(o *assign.Offer, todo []Leg, v *Vehicle, nextLeg *int) []Leg {
	legs := make([]Leg, 0, len(todo)+1)
	for i := range todo {
		l := todo[i]
		l.lay(&o.Routes[i])
		l.LandWh = landWh(o, i)
		l.ETA = o.Arrive[i]
		l.EndsAt = o.Begin[i].Add(time.Duration(l.WorkS * float64(time.Second)))
		l.EnergyWh += f.workWh(v, &l)
		l.State, l.StartedAt = protocol.LegPending, time.Time{}
		if l.ID == "" {
			l.ID = newLeg(nextLeg)
		}
		legs = append(legs, l)
	}
	home := Leg{ID: newLeg(nextLeg), Site: v.HomeSite, Action: protocol.ActionPark, State: protocol.LegPending}
	home.lay(&o.Routes[len(o.Routes)-1])
	home.LandWh = landWh(o, len(o.Routes)-1)
	home.ETA, home.EndsAt = o.Home, o.Home
	return append(legs, home)
}

// landWh is what it takes at most to land from a route of an offer, in tenths of a
// watt hour, rounded up; 0 for what nobody reckoned, or for what has no landing.
func landWh(o *assign.Offer, i int) float64 {
	if i >= len(o.LandWh) || math.IsInf(o.LandWh[i], 0) {
		return 0
	}
	return math.Ceil(10*o.LandWh[i]) / 10
}

// workWh is what the work of a leg takes.
func (f *Fleet) workWh(v *Vehicle, l *Leg) float64 {
	return f.world.Work(&v.Spec, l.End(), l.WorkS, 0).EnergyWh
}

// standingMPS is stated for a leg that leads nowhere: any speed will do.
const standingMPS = 1

// lay gives a leg its way and the speeds along it.
func (l *Leg) lay(r *route.Route) {
	l.Path, l.EnergyWh = r.Path, r.Cost.EnergyWh
	if len(l.Path) == 1 {
		l.Path = []space.Position{l.Path[0], l.Path[0]}
	}
	l.SpeedMPS, l.SpeedsMPS = standingMPS, nil
	if len(r.SpeedsMPS) > 0 {
		l.SpeedMPS = slices.Max(r.SpeedsMPS)
		if slices.Min(r.SpeedsMPS) < l.SpeedMPS {
			l.SpeedsMPS = r.SpeedsMPS
		}
	}
}

func newLeg(next *int) LegID {
	*next++
	return LegID(fmt.Sprintf("L%d", *next))
}

// openStops lists the stops of a task that are still to be done.
func openStops(t *Task) []int {
	var open []int
	for i := range t.Stops {
		if s := t.Stops[i].State; s == StopOpen || s == StopBegun {
			open = append(open, i)
		}
	}
	return open
}

// newLegs are the legs of a task's open stops, without ids and ways.
func newLegs(t *Task) []Leg {
	var legs []Leg
	for _, i := range openStops(t) {
		s := &t.Stops[i]
		legs = append(legs, Leg{
			Task: t.ID, Stop: i, Action: s.Action, WorkS: s.WorkS, NotBefore: s.NotBefore, LoadKg: absolute(s.LoadKg),
		})
	}
	return legs
}

func absolute(x float64) float64 { return max(x, -x) }

// issue sends out a plan: a new mission (m nil) or the next revision of m.
func (f *Fleet) issue(v *Vehicle, m *Mission, legs []Leg, nextLeg int, why Reason) uint64 {
	e := MissionIssued{Vehicle: v.ID, Revision: 1, State: protocol.MissionActive, Legs: legs, NextLeg: nextLeg, Why: why}
	if m == nil {
		e.Mission = MissionID(fmt.Sprintf("M%d", f.state.Durable.Counters.Mission+1))
	} else {
		e.Mission, e.Revision, e.State = m.ID, m.Latest+1, m.State
	}
	if f.state.Durable.Freeze != nil {
		e.State = protocol.MissionSuspended
	}
	for i := range e.Legs {
		if e.Legs[i].State == protocol.LegAbandoned {
			e.Legs[i].State = protocol.LegPending
		}
	}
	f.window(v, &e)
	f.owe(v.ID)
	issued := f.emit(e)
	if mutant.On(mutant.DisplacedAtOnce) {
		f.releaseDropped(f.mission(e.Mission))
	}
	return issued
}

// window cuts a plan that is too long for one message: the revision carries
// the first legs and a safe end behind them.
func (f *Fleet) window(v *Vehicle, e *MissionIssued) {
	fit := fitting(v, e.Legs)
	if fit == len(e.Legs) {
		return
	}
	last := e.Legs[fit-1]
	end := Leg{ID: newLeg(&e.NextLeg), Site: v.HomeSite, Action: protocol.ActionPark, State: protocol.LegPending}
	r, err := f.world.Find(route.Query{From: last.End(), To: v.Home, Spec: v.Spec, Depart: last.EndsAt})
	if err != nil {
		r = route.Route{Path: []space.Position{last.End(), last.End()}}
	}
	end.lay(&r)
	end.ETA = last.EndsAt.Add(time.Duration(r.Cost.Seconds * float64(time.Second)))
	end.EndsAt = end.ETA
	e.Window, e.SafeEnd = fit, &end
}

// fitting is how many of the legs one message can carry: all, or those that
// leave room for the safe end, and at least two whatever their size.
func fitting(v *Vehicle, legs []Leg) int {
	limit := v.MaxLegs
	if limit == 0 {
		limit = protocol.DefaultLegs
	}
	limit = min(limit, protocol.MaxLegs)
	fit, bytes := 0, 0
	for fit < len(legs) && fit < limit {
		bytes += legBytes + pointBytes*len(legs[fit].Path)
		if bytes > frameBudget {
			break
		}
		fit++
	}
	if fit >= len(legs) {
		return len(legs)
	}
	return min(max(fit-1, 2), len(legs))
}

// estimate passes the planned arrivals of a mission on to its tasks.
func (f *Fleet) estimate(id MissionID) {
	m := f.mission(id)
	for _, tid := range m.Tasks() {
		t, ok := f.task(tid)
		if !ok || t.Mission != id || t.State.Final() {
			continue
		}
		if eta := arrival(m.Legs, tid); !eta.IsZero() && !eta.Equal(t.ETA) {
			f.emit(TaskChanged{
				Task: tid, State: t.State, Reason: t.Reason, Vehicle: t.Vehicle, Mission: t.Mission, ETA: eta, Attempts: t.Attempts,
			})
		}
	}
}

// arrival is the planned arrival at the last stop of a task.
func arrival(legs []Leg, id TaskID) time.Time {
	var eta time.Time
	for i := range legs {
		if legs[i].Task == id {
			eta = legs[i].ETA
		}
	}
	return eta
}

// exclusionText says an exclusion in words.
func exclusionText(x *assign.Exclusion) string {
	return exclusionOf(x).Text
}

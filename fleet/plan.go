package fleet

import (
	"fmt"
	"slices"
	"time"

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
		if i := m.Current(); i < len(m.Legs) && m.Legs[i].State == protocol.LegBegun && m.Legs[i].Task != "" && f.holds(m, &m.Legs[i]) {
			l := m.Legs[i]
			kept = append(kept, l)
			at = l.End()
			when = later(when, l.EndsAt)
			energy -= v.Spec.Work(l.WorkS, 0).EnergyWh
		}
	}
	return f.candidate(v, at, when, energy, f.loadOn(v.ID)), kept
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
// begun false, the current leg is left out if its stop is begun.
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
func legsOf(o *assign.Offer, todo []Leg, v *Vehicle, nextLeg *int) []Leg {
	legs := make([]Leg, 0, len(todo)+1)
	for i := range todo {
		l := todo[i]
		l.lay(&o.Routes[i])
		l.ETA = o.Arrive[i]
		l.EndsAt = o.Begin[i].Add(time.Duration(l.WorkS * float64(time.Second)))
		l.EnergyWh += v.Spec.Work(l.WorkS, 0).EnergyWh
		l.State, l.StartedAt = protocol.LegPending, time.Time{}
		if l.ID == "" {
			l.ID = newLeg(nextLeg)
		}
		legs = append(legs, l)
	}
	home := Leg{ID: newLeg(nextLeg), Site: v.HomeSite, Action: protocol.ActionPark, State: protocol.LegPending}
	home.lay(&o.Routes[len(o.Routes)-1])
	home.ETA, home.EndsAt = o.Home, o.Home
	return append(legs, home)
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

// newLegs are the legs of a task's open stops, without ids and ways.
func newLegs(t *Task) []Leg {
	var legs []Leg
	for i := t.NextStop(); i < len(t.Stops); i++ {
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
	f.window(v, &e)
	f.owe(v.ID)
	return f.emit(e)
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

// pursue makes the vehicle's mission what it should be, once the present
// revision is answered: legs whose tasks are gone are dropped, abandoned stops
// taken up again, the next window sent before two legs remain.
func (f *Fleet) pursue(id VehicleID) {
	v, ok := f.vehicle(id)
	if !ok {
		return
	}
	m, ok := f.openMission(v)
	if !ok || !m.Answered() {
		return
	}
	abandoned := false
	for i := m.Current(); i < len(m.Legs); i++ {
		l := &m.Legs[i]
		if l.Task != "" && !f.holds(m, l) {
			f.dropLegs(m.ID, Reason{"changed", "stops are taken out"})
			return
		}
		abandoned = abandoned || l.State == protocol.LegAbandoned || l.State == protocol.LegFailed
	}
	if abandoned {
		p := f.presence(id)
		if p.Link == LinkLive && p.Fresh {
			f.rebuild(v, m, Reason{"abandoned", "stops that were abandoned are taken up again"})
		}
		return
	}
	f.nextWindow(v, m)
}

// offPathM is how far a vehicle may be from the way of its current leg, on the
// ground, before it is planned anew from where it is.
const offPathM = 60

// arrived looks at a vehicle whose position in this session has just become
// known: what it is to do must start where it is.
func (f *Fleet) arrived(id VehicleID) {
	v, _ := f.vehicle(id)
	m, ok := f.openMission(v)
	if !ok {
		return
	}
	f.owe(id)
	if m.State != protocol.MissionActive {
		return
	}
	i := m.Current()
	if i == len(m.Legs) || m.Legs[i].State == protocol.LegBegun {
		return
	}
	at := f.chart.Frame.XY(space.Position(f.presence(id).Sample.Position).Point())
	way := m.Legs[i].Path
	off := f.chart.Frame.XY(way[0].Point()).Dist(at)
	for k := 1; k < len(way); k++ {
		off = min(off, space.SegmentDist(at, f.chart.Frame.XY(way[k-1].Point()), f.chart.Frame.XY(way[k].Point())))
	}
	if off > offPathM {
		f.rebuild(v, m, Reason{"off_path", fmt.Sprintf("it is %.0f m off its way", off)})
	}
}

// nextWindow sends the legs that follow before two legs remain of those sent,
// if the vehicle can then hold more than it has.
func (f *Fleet) nextWindow(v *Vehicle, m *Mission) {
	if m.Window == 0 || m.Window-m.Current() > 2 {
		return
	}
	why := Reason{"next_legs", "the next legs of the plan"}
	if m.SafeEnd != nil && m.SafeEnd.State != protocol.LegPending {
		f.rebuild(v, m, why)
		return
	}
	legs := append(lastFinished(m), m.Legs[m.Current():]...)
	if fit := fitting(v, legs); legs[fit-1].ID != m.Legs[m.Window-1].ID {
		f.issue(v, m, legs, m.NextLeg, why)
	}
}

// holds tells whether a leg still has its reason: the task is held by this
// mission, its stop open, and nobody wants it cancelled.
func (f *Fleet) holds(m *Mission, l *Leg) bool {
	t, ok := f.task(l.Task)
	if !ok || t.State.Final() || t.Mission != m.ID || t.Stops[l.Stop].State == StopDone || t.Stops[l.Stop].Doubt {
		return false
	}
	return t.CancelWanted == "" || t.LoadOn != "" || l.State == protocol.LegBegun
}

// dropLegs re-plans a mission without the legs that lost their reason.
func (f *Fleet) dropLegs(id MissionID, why Reason) {
	m := f.mission(id)
	v, ok := f.vehicle(m.Vehicle)
	if ok {
		f.rebuild(v, m, why)
	}
}

// rebuild plans a mission anew from where the vehicle is, through the stops
// that it still holds, and home. When that cannot be flown or driven, the tasks
// are released and the vehicle is sent home.
func (f *Fleet) rebuild(v *Vehicle, m *Mission, why Reason) {
	c, kept := f.fromHere(v, m)
	var todo []Leg
	for _, l := range taskLegs(m, false) {
		if f.holds(m, &l) {
			todo = append(todo, l)
		}
	}
	offer, refused := assign.Plan(f.world, f.stopsOf(todo), c, f.config.ExpansionsPerStep)
	if refused == nil {
		next := m.NextLeg
		legs := append(kept, legsOf(&offer, todo, v, &next)...)
		f.issue(v, m, legs, next, why)
		f.estimate(m.ID)
		return
	}
	if len(todo) > 0 {
		text := fmt.Sprintf("%s cannot go on with it: %s", v.ID, exclusionText(refused))
		released := map[TaskID]bool{}
		for i := range todo {
			if t, _ := f.task(todo[i].Task); !released[t.ID] {
				released[t.ID] = true
				f.wait(t, Reason{string(refused.Rule), text})
			}
		}
		offer, refused = assign.Plan(f.world, nil, c, f.config.ExpansionsPerStep)
	}
	next := m.NextLeg
	if refused == nil {
		f.issue(v, m, append(kept, legsOf(&offer, nil, v, &next)...), next, why)
		return
	}
	f.strand(v, m, c.Start, kept, refused)
}

// strand tells a vehicle that cannot get home to stay where it is.
func (f *Fleet) strand(v *Vehicle, m *Mission, at space.Position, kept []Leg, why *assign.Exclusion) {
	next := m.NextLeg
	ground := at
	ground.AltitudeM = f.chart.GroundAltitude(at.Point())
	stay := Leg{
		ID: newLeg(&next), Action: protocol.ActionPark, State: protocol.LegPending,
		Path: []space.Position{at, ground}, ETA: f.now, EndsAt: f.now, SpeedMPS: 1,
	}
	f.raise(alertAbout{kind: AlertStranded, vehicle: v.ID}, Critical,
		fmt.Sprintf("%s cannot get home: %s; it is told to stay where it is", v.ID, exclusionText(why)))
	f.issue(v, m, append(kept, stay), next, Reason{"stranded", exclusionText(why)})
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
	s := string(x.Rule)
	if x.Object != "" {
		s += " (" + x.Object + ")"
	}
	if x.Number != 0 || x.Limit != 0 {
		s += fmt.Sprintf(": %.4g against %.4g", x.Number, x.Limit)
	}
	return s
}

// watchMission looks after an open mission at each tick: an answer that does
// not come, abandoned stops, commands that ran out of time.
func (f *Fleet) watchMission(id VehicleID) {
	v, _ := f.vehicle(id)
	f.expireCommands(v)
	m, ok := f.openMission(v)
	if !ok {
		f.considerWork(v)
		return
	}
	p := f.presence(id)
	if !m.Answered() {
		if p.Link == LinkLive && f.now.Sub(later(m.IssuedAt, p.Since)) > f.config.AnswerWithin {
			f.raise(alertAbout{kind: AlertUnanswered, vehicle: id}, Warning,
				fmt.Sprintf("%s has not answered revision %d of mission %s for %v", id, m.Revision, m.ID, f.config.AnswerWithin))
		}
		return
	}
	f.pursue(id)
}

// considerWork looks at an idle vehicle: home if it stands elsewhere, a charger
// if it is low.
func (f *Fleet) considerWork(v *Vehicle) {
	p := f.presence(v.ID)
	if p.Link == LinkLive && p.Fresh && p.Sample.BatteryRatio < f.config.ChargeBelow {
		f.considerCharging(v.ID)
	}
}

// revalidate plans all open missions anew after the chart was changed.
func (f *Fleet) revalidate() {
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if m, ok := f.openMission(v); ok {
			f.rebuild(v, m, Reason{"chart_changed", "the chart was changed"})
		}
	}
}

// recallUnlawful re-plans a vehicle whose last accepted revision breaks a rule
// by now, after it refused a better one.
func (f *Fleet) recallUnlawful(id VehicleID, m *Mission) {
	for i := m.Current(); i < len(m.Legs); i++ {
		l := &m.Legs[i]
		if l.Task != "" && !f.holds(m, l) {
			f.command(id, protocol.CommandHold, Reason{"unlawful", "the last accepted plan serves work that was taken off"})
			f.raise(alertAbout{kind: AlertRefusing, vehicle: id}, Warning,
				fmt.Sprintf("%s refused to give up work that was taken off: it is held until a person resumes or recalls it", id))
			return
		}
	}
}

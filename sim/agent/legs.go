package agent

import (
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// forcedLanding is the charge below which an aircraft without instructions
// lands where it is.
const forcedLanding = 0.12

// think lets the vehicle draw its conclusions until nothing changes any more.
func (a *Agent) think(now time.Time) {
	if a.down || a.fault != "" {
		return
	}
	if a.store.Motion != nil {
		a.moveByCommand(now)
		return
	}
	if a.store.Mission == nil {
		if !a.body.Landed() && !a.body.Moving() && a.body.BatteryRatio() < forcedLanding {
			a.descend()
		}
		return
	}
	if !a.authority(now) {
		a.abandon(now)
	}
	// Each round finishes a leg or ends; a mission has finitely many.
	for a.followMission(now) {
	}
}

// abandon gives up all stops that were not begun, once.
func (a *Agent) abandon(now time.Time) {
	m := a.store.Mission
	for i := range m.Legs {
		own := &m.Own[i]
		if m.Legs[i].Task == "" || own.Abandoned || own.over() || own.State == protocol.LegBegun {
			continue
		}
		own.Abandoned = true
		a.progress(now, m, &m.Legs[i], protocol.Abandoned, "authority_ended", "")
	}
}

// holding tells whether the mission is not to be carried on now. An aircraft
// whose authority has ended goes on to the safe end of its mission rather than
// hover until its battery is empty.
func (a *Agent) holding(now time.Time) bool {
	m := a.store.Mission
	if !a.store.Held && m.State == protocol.MissionActive {
		return false
	}
	return a.body.Landed() || a.authority(now)
}

// followMission does the next thing of the mission, and tells whether a leg
// came to its end, so that another may be begun.
func (a *Agent) followMission(now time.Time) bool {
	m := a.store.Mission
	i := m.current()
	if i == len(m.Legs) || a.holding(now) {
		return false
	}
	leg, own := &m.Legs[i], &m.Own[i]
	if own.State == protocol.LegPending {
		own.State = protocol.LegStarted
		if !own.Abandoned {
			a.progress(now, m, leg, protocol.Started, "", "")
		}
	}
	if own.State == protocol.LegStarted || a.driving != leg.ID {
		if !a.arrived(leg) {
			return false
		}
		if own.Abandoned {
			own.Passed = true
			return true
		}
	}
	return a.work(now, m, leg, own)
}

// arrived sets out along the leg's path when that is not done yet, and tells
// whether the body stands at its end.
func (a *Agent) arrived(leg *protocol.Leg) bool {
	if a.driving != leg.ID {
		path := a.xyz(leg.Path)
		end := path[len(path)-1]
		if a.body.At.Dist(end) > 0.01 {
			a.body.Follow(a.joined(path, speeds(leg)))
		}
		a.driving, a.driven = leg.ID, *leg
	}
	if a.body.Moving() {
		return false
	}
	if (leg.Action == protocol.ActionPark || leg.Action == protocol.ActionCharge) && !a.body.Landed() {
		a.descend()
		return false
	}
	return true
}

// besideM is how far from its path an aircraft may be and still turn straight
// onto it.
const besideM = 5

// speeds are the planned speeds of a leg's segments, or one for all of them.
func speeds(leg *protocol.Leg) []float64 {
	if len(leg.SpeedsMPS) > 0 {
		return leg.SpeedsMPS
	}
	return []float64{leg.SpeedMPS}
}

// sameWay tells whether two legs have the same path at the same speeds.
func sameWay(a, b *protocol.Leg) bool {
	return slices.Equal(a.Path, b.Path) && a.SpeedMPS == b.SpeedMPS && slices.Equal(a.SpeedsMPS, b.SpeedsMPS)
}

// joined is the path for the body to follow, with its speeds. An aircraft that is
// beside it does what autopilots do: it rises to the path's greatest height
// first, crosses over there, at the lowest of the speeds since none is planned
// for that, and only then goes on along the path. Where the ground is not flat,
// the path may have to climb a hill elsewhere, so it rises only to the height of
// the path where it joins, and overM above the ground on the way there.
func (a *Agent) joined(path []space.XYZ, speeds []float64) (way []space.XYZ, waySpeeds []float64) {
	at, next := a.body.At, 0
	air := a.options.Kind == protocol.Multirotor || a.options.Kind == protocol.VTOL
	if !air || body.PathDist(at, path) <= besideM {
		return path, speeds
	}
	top, best, over := at.Z, math.Inf(1), at.XY()
	for i, p := range path {
		top = max(top, p.Z)
		near, _ := space.ClosestOnSegment(at.XY(), path[max(i-1, 0)].XY(), p.XY())
		if d := near.Dist(at.XY()); d < best-1e-6 {
			best, over, next = d, near, i
		}
	}
	if a.body.Ground != nil {
		top = a.joinTop(path, next, over)
	}
	way = []space.XYZ{at, {X: at.X, Y: at.Y, Z: top}, {X: over.X, Y: over.Y, Z: top}}
	if len(path) > 1 {
		// Not down to the foot of the climb.
		next = max(next, 1)
	}
	if len(speeds) > 1 {
		slow := slices.Min(speeds)
		speeds = append([]float64{slow, slow}, speeds[next-1:]...)
	}
	return append(way, path[next:]...), speeds
}

// overM is how far above uneven ground an aircraft crosses over to its path.
const overM = 40

// joinTop is the altitude at which an aircraft crosses over to the segment of its
// path that ends at point next, whose nearest place is over.
func (a *Agent) joinTop(path []space.XYZ, next int, over space.XY) float64 {
	from, to := path[max(next-1, 0)], path[next]
	top := max(a.body.At.Z, from.Z, to.Z)
	if length := from.XY().Dist(to.XY()); length > 0.01 {
		t := from.XY().Dist(over) / length
		top = max(a.body.At.Z, from.Z+(to.Z-from.Z)*t)
	} else if next+1 < len(path) {
		// At the foot of a climb.
		top = max(top, path[max(next, 1)].Z)
	}
	here := a.body.At.XY()
	steps := int(here.Dist(over)/10) + 1
	for k := range steps + 1 {
		top = max(top, a.body.Ground(here.Lerp(over, float64(k)/float64(steps)))+overM)
	}
	return top
}

// work begins the leg's work when that is allowed, and ends it when it is over.
func (a *Agent) work(now time.Time, m *Mission, leg *protocol.Leg, own *OwnLeg) bool {
	if leg.Action == protocol.ActionPark {
		return a.finish(now, m, leg, own)
	}
	if own.State != protocol.LegBegun {
		if leg.NotBefore.After(a.kapokTime(now)) || leg.Task != "" && !a.authority(now) {
			return false
		}
		own.State = protocol.LegBegun
		own.WorkedS, a.spareS = a.spareS, 0
		a.progress(now, m, leg, protocol.Begun, "", "")
	}
	if leg.Action == protocol.ActionCharge {
		if a.body.BatteryRatio() < min(leg.ChargeToRatio, 1)-1e-9 {
			return false
		}
	} else if own.WorkedS < leg.WorkS-1e-9 {
		return false
	}
	return a.finish(now, m, leg, own)
}

// finish lets the work have its physical effect and reports it.
func (a *Agent) finish(now time.Time, m *Mission, leg *protocol.Leg, own *OwnLeg) bool {
	if why := a.effect(now, m, leg); why != (refusal{}) {
		own.State = protocol.LegFailed
		a.progress(now, m, leg, protocol.Failed, why.reason, why.text)
		return true
	}
	own.State = protocol.LegDone
	a.progress(now, m, leg, protocol.Done, "", "")
	return true
}

// effect changes the physical world, or says why it cannot.
func (a *Agent) effect(now time.Time, m *Mission, leg *protocol.Leg) refusal {
	if leg.Task == "" {
		return refusal{}
	}
	t := a.truth
	switch leg.Action {
	case protocol.ActionPickup:
		if _, on := t.Loads[leg.Task]; on {
			t.breach("%s: stop %d asks for the load of task %s, which is on board", a.options.ID, leg.Stop, leg.Task)
			return refusal{"already_on_board", "the load is on board already"}
		}
		t.Loads[leg.Task] = abs(leg.LoadKg)
	case protocol.ActionDropoff:
		kg, on := t.Loads[leg.Task]
		if !on {
			t.breach("%s: stop %d hands out the load of task %s, which is not on board", a.options.ID, leg.Stop, leg.Task)
			return refusal{"no_load", "the load is not on board"}
		}
		t.Loads[leg.Task] = kg - abs(leg.LoadKg)
		if t.Loads[leg.Task] <= 1e-9 && !moreDropoffs(m, leg) {
			delete(t.Loads, leg.Task)
		}
	case protocol.ActionVisit, protocol.ActionCharge, protocol.ActionPark:
	}
	a.body.LoadKg = t.LoadKg()
	t.complete(StopKey{leg.Task, leg.Stop}, now)
	return refusal{}
}

// moreDropoffs tells whether another stop of the mission hands out something
// of the same task.
func moreDropoffs(m *Mission, leg *protocol.Leg) bool {
	for i := range m.Legs {
		l := &m.Legs[i]
		if l.ID != leg.ID && l.Task == leg.Task && l.Action == protocol.ActionDropoff && !m.Own[i].over() {
			return true
		}
	}
	return false
}

// activity is what the body does in the next step.
func (a *Agent) activity() body.Activity {
	m := a.store.Mission
	if m == nil || a.fault != "" || a.store.Motion != nil || a.body.Moving() ||
		a.store.Held || m.State != protocol.MissionActive {
		return body.Resting
	}
	i := m.current()
	if i == len(m.Legs) || m.Own[i].State != protocol.LegBegun || a.driving != m.Legs[i].ID {
		return body.Resting
	}
	if m.Legs[i].Action == protocol.ActionCharge {
		return body.Charging
	}
	return body.Working
}

// worked counts seconds of work at the current leg.
func (a *Agent) worked(seconds float64) {
	m := a.store.Mission
	m.Own[m.current()].WorkedS += seconds
}

// halt stops the body; what it was following is forgotten.
func (a *Agent) halt() {
	a.body.Halt()
	a.driving, a.driven, a.commanded = "", protocol.Leg{}, false
}

// mode is what the vehicle says that it is doing.
func (a *Agent) mode() protocol.Mode {
	switch {
	case a.fault != "":
		return protocol.ModeFault
	case a.store.Motion != nil:
		return protocol.ModeReturn
	case a.store.Held, a.store.Mission != nil && a.store.Mission.State == protocol.MissionSuspended:
		return protocol.ModeHold
	}
	switch a.activity() {
	case body.Working:
		return protocol.ModeWork
	case body.Charging:
		return protocol.ModeCharging
	case body.Resting:
	}
	if a.body.Moving() {
		return protocol.ModeTravel
	}
	return protocol.ModeIdle
}

func (a *Agent) progress(now time.Time, m *Mission, leg *protocol.Leg, state protocol.ProgressState, reason, text string) {
	a.store.add(protocol.Progress{
		Mission: m.ID, Leg: leg.ID, State: state, Time: a.clock(now), Reason: reason, Text: text,
	})
}

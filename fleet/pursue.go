package fleet

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// How a mission is kept what it should be.

// pursue makes the vehicle's mission what it should be, once the present
// revision is answered: legs whose tasks are gone are dropped, abandoned stops
// taken up again, the next window sent before two legs remain. A revision that
// is on its way to nobody is replaced at once when a leg lost its reason.
func (f *Fleet) pursue(id VehicleID) {
	v, ok := f.vehicle(id)
	if !ok {
		return
	}
	m, ok := f.openMission(v)
	p := f.seen(id)
	if !ok || !m.Answered() && p.Session != "" {
		return
	}
	if m.Answered() {
		f.releaseDropped(m)
		if m = f.mission(m.ID); f.complete(m) || f.now.Before(f.retryAt(m)) {
			return
		}
	}
	abandoned := false
	for i := m.Current(); i < len(m.Legs); i++ {
		l := &m.Legs[i]
		if l.Task != "" && !f.holds(m, l) {
			f.dropLegs(m.ID, Reason{"changed", "stops are taken out"})
			return
		}
		abandoned = abandoned || l.State == protocol.LegAbandoned || l.Action == protocol.ActionCharge && v.Charger != l.Site ||
			l.State == protocol.LegBegun && l.Task != "" && i > m.Current()
	}
	if !m.Answered() || v.TakenOver != nil {
		return
	}
	if abandoned {
		if p.Link == LinkLive && p.Fresh {
			f.rebuild(v, m, Reason{"taken_up", "the plan is made anew from where the vehicle is"})
		}
		return
	}
	f.nextWindow(v, m)
}

// retryAt is until when a mission of which a revision was refused is left as it
// is: a vehicle that refuses all is not asked without end.
func (f *Fleet) retryAt(m *Mission) time.Time {
	if m.RefusedAt.IsZero() {
		return time.Time{}
	}
	pause := f.config.RetryWaiting
	for range min(m.RefusedTimes-1, 10) {
		pause = min(2*pause, f.config.RefusalPauseMax)
	}
	return m.RefusedAt.Add(pause)
}

// offPathM is how far a vehicle may be from the way of its current leg, on the
// ground, before it is planned anew from where it is.
const offPathM = 60

// arrived looks at a vehicle whose position in this session has just become
// known: what it is to do must start where it is.
func (f *Fleet) arrived(id VehicleID) {
	f.resumeAgain(id)
	v, _ := f.vehicle(id)
	m, ok := f.openMission(v)
	if !ok {
		return
	}
	f.owe(id)
	// A suspended one, too: who is told to go on goes at once.
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
// mission, its stop open, not failed before it, and nobody wants it cancelled or
// elsewhere.
func (f *Fleet) holds(m *Mission, l *Leg) bool {
	t, ok := f.task(l.Task)
	if !ok || t.State.Final() || t.Mission != m.ID || t.Stops[l.Stop].State == StopDone || t.Stops[l.Stop].Doubt {
		return false
	}
	if n := t.NextStop(); n < len(t.Stops) && t.Stops[n].State == StopOpen && failedAt(m, l.Task, n) {
		return false
	}
	return t.CancelWanted == "" && !f.leaves(m, t) || t.LoadOn != "" || l.State == protocol.LegBegun
}

// failedAt tells whether the mission's last leg to a stop failed.
func failedAt(m *Mission, task TaskID, stop int) bool {
	failed := false
	for i := range m.Legs {
		if l := &m.Legs[i]; l.Task == task && l.Stop == stop {
			failed = l.State == protocol.LegFailed
		}
	}
	return failed
}

// dropLegs re-plans a mission without the legs that lost their reason.
func (f *Fleet) dropLegs(id MissionID, why Reason) {
	m := f.mission(id)
	v, ok := f.vehicle(m.Vehicle)
	if ok {
		f.rebuild(v, m, why)
	}
}

// watchMission looks after an open mission at each tick: an answer that does
// not come, abandoned stops, commands that ran out of time.
func (f *Fleet) watchMission(k *known) {
	v := k.vehicle
	id := v.ID
	f.expireCommands(v)
	m, ok := f.openMission(v)
	if !ok {
		f.considerWork(v)
		return
	}
	if f.overdue(v, m) {
		f.raise(alertAbout{kind: AlertUnanswered, vehicle: id}, Warning,
			fmt.Sprintf("%s has not answered revision %d of mission %s for %v", id, m.Revision, m.ID, f.config.AnswerWithin))
	}
	f.unsuspend(v, Reason{"nothing_holds_it", "nothing holds it any more"})
	f.endOwnHold(v)
	f.watchStalled(k, m)
	f.pursue(id)
	f.watchCharger(id)
}

// overdue tells whether the answer to a revision should have come by now. What
// waits for a command to be answered, or for the first sample, is not sent yet.
func (f *Fleet) overdue(v *Vehicle, m *Mission) bool {
	p := f.presence(v.ID)
	if m.Answered() || p.Link != LinkLive || !mayHave(f.state, m) || f.now.Sub(later(m.IssuedAt, p.Since)) <= f.config.AnswerWithin {
		return false
	}
	if _, raised := f.index.alerts[alertKey{kind: AlertUnanswered, vehicle: v.ID}]; raised {
		return false
	}
	sent := later(m.IssuedAt, p.Since)
	for _, c := range f.state.Durable.Commands {
		if c.Vehicle != v.ID || c.Kind == protocol.CommandResume {
			continue
		}
		if !c.State.Final() {
			return false
		}
		sent = later(sent, c.EndedAt)
	}
	return f.now.Sub(sent) > f.config.AnswerWithin
}

// considerWork looks at an idle vehicle: a charger if it is low.
func (f *Fleet) considerWork(v *Vehicle) {
	f.endOwnHold(v)
	f.watchCharger(v.ID)
	p := f.seen(v.ID)
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
	if v, ok := f.vehicle(id); !ok || m.State != protocol.MissionActive || f.holdUnlawful(v, m) {
		return
	}
	for i := m.Current(); i < len(m.Legs); i++ {
		l := &m.Legs[i]
		if l.Task != "" && !f.holds(m, l) {
			f.byKapok(func() {
				f.command(id, protocol.CommandHold, Reason{unlawful, "the last accepted plan serves work that was taken off"})
			})
			f.raise(alertAbout{kind: AlertRefusing, vehicle: id}, Warning,
				fmt.Sprintf("%s refused to give up work that was taken off: it is held until it does, or a person resumes or recalls it", id))
			return
		}
	}
}

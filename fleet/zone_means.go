package fleet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// The means by which a vehicle is brought into line with a zone.

// mend plans a mission anew because of a zone. A way to a charger stays one when
// it can.
func (f *Fleet) mend(c *concern, spend *int) rebuilt {
	m := c.m
	if site := c.v.Charger; site != "" && len(m.Tasks()) == 0 && toCharger(m) && *spend > 0 && slices.Contains(f.queue(site).Using, c.v.ID) {
		before := m.Latest
		f.sendToCharger(c.v, site)
		if f.mission(m.ID).Latest > before {
			return rebuilt{}
		}
		c.v, _ = f.vehicle(c.v.ID)
		m = f.mission(m.ID)
	}
	return f.replan(c.v, m, c.zoneWhy(), spend)
}

// workLeft is how long the work at the stop that the vehicle has begun still
// takes, at most; false when it works at none. Work rests while the vehicle is held,
// and nobody knows how much was done before: then it is all of it.
func (f *Fleet) workLeft(m *Mission) (time.Duration, bool) {
	i, ok := begunLeg(m)
	if !ok || !f.holds(m, &m.Legs[i]) {
		return 0, false
	}
	l := &m.Legs[i]
	work := time.Duration(l.WorkS * float64(time.Second))
	t, _ := f.task(l.Task)
	begun := t.Stops[l.Stop].BegunAt
	if begun.IsZero() || f.heldSince(m.Vehicle, begun) {
		return work, true
	}
	return min(max(begun.Add(work).Sub(f.now), 0), work), true
}

// heldSince tells whether the vehicle was told to hold since a time.
func (f *Fleet) heldSince(id VehicleID, begun time.Time) bool {
	for _, c := range f.state.Durable.Commands {
		if c.Vehicle == id && c.Kind == protocol.CommandHold && c.IssuedAt.After(begun) {
			return true
		}
	}
	return false
}

// stayPut keeps an aircraft on the ground that stands in a zone: it finishes what
// it does there and gives up the rest.
func (f *Fleet) stayPut(c *concern, e *api.ZoneEffect) {
	m, v := c.m, c.v
	say(e, "it stands on the ground, where it stays")
	e.Tasks = nil
	kept := lastFinished(m)
	for i := m.Current(); i < len(m.Legs); i++ {
		if l := m.Legs[i]; l.State == protocol.LegBegun && (l.Task == "" || f.holds(m, &l)) {
			kept = append(kept, l)
		}
	}
	e.Tasks = words(tasksOf(kept))
	e.Released = without(words(tasksOf(m.Legs)), e.Tasks)
	if len(e.Released) > 0 {
		e.Action = zoneRecalled
	}
	next := m.NextLeg
	why := c.zoneWhy()
	f.issue(v, m, append(kept, f.stayLeg(c.at, &next)), next, Reason{why.Code, why.Text + "; it stays on the ground"})
}

// callBack has a vehicle abandon the work at a stop in a zone and return. An
// aircraft without a way home comes down on open ground nearby; what cannot do that
// either waits where it is.
func (f *Fleet) callBack(c *concern, e *api.ZoneEffect, left time.Duration) {
	v, tasks := c.v, e.Tasks
	if path, speed := f.wayHome(v); path != nil {
		e.Action, e.Released, e.Tasks = zoneRecalled, tasks, nil
		say(e, "it leaves its work, which would take %v more", left.Round(time.Second))
		f.byKapok(func() { f.commandAlong(v.ID, protocol.CommandReturn, c.zoneWhy(), path, speed) })
		return
	}
	about := alertAbout{kind: AlertStranded, vehicle: v.ID, object: c.caught.zone.ID}
	if MotionKind(v.Kind).Airborne() {
		if path, ok := f.wayDown(v, c.at); ok {
			text := fmt.Sprintf("it leaves its work, which would take %v more; there is no lawful way home: it comes down %s", left.Round(time.Second), f.placeName(path))
			e.Action, e.Released, e.Tasks = zoneLanded, tasks, nil
			say(e, "%s", text)
			f.raise(about, Critical, fmt.Sprintf("%s cannot get home: %s; %s", v.ID, c.zoneWhy().Text, text))
			f.byKapok(func() {
				f.commandAlong(v.ID, protocol.CommandReturn, Reason{zoneReason, c.zoneWhy().Text + "; " + text}, path, f.comeDownSpeed(v))
			})
			return
		}
	}
	e.Action = zoneHeld
	say(e, "there is no lawful way out of it: it waits where it is")
	f.raise(about, Critical, fmt.Sprintf("%s cannot get home: %s; it waits where it is", v.ID, c.zoneWhy().Text))
	f.waitForWay(v, c.zoneWhy())
}

// notNow deals with a vehicle for which there was no time to plan: it is held if
// its way meets the zone soon, and planned in the ticks that follow.
func (f *Fleet) notNow(c *concern, e *api.ZoneEffect) {
	f.zones.due[c.v.ID] = true
	soon := c.caught != nil || c.entersS < ZoneHoldAhead.Seconds()
	if c.m.State == protocol.MissionSuspended || f.commandPending(c.v) {
		soon = false
	}
	if !soon {
		e.Action = zoneDeferred
		say(e, "it is planned anew shortly")
		return
	}
	e.Action = zoneHeld
	say(e, "it waits until its way is planned anew, shortly")
	f.byKapok(func() { f.command(c.v.ID, protocol.CommandHold, c.zoneWhy()) })
}

// doubted tells whether the vehicle is in touch, and says that it is where it cannot
// be: nothing is planned from there.
func (f *Fleet) doubted(id VehicleID) bool {
	p := f.presence(id)
	return p.Link == LinkLive && p.Known && !p.Fresh && f.raised(alertAbout{kind: AlertImplausible, vehicle: id})
}

// waitForPlace holds a vehicle of which nobody knows how far from a zone it is, until
// its place is known.
func (f *Fleet) waitForPlace(c *concern, e *api.ZoneEffect) {
	f.zones.due[c.v.ID] = true
	e.Action = zoneHeld
	say(e, "where it says that it is cannot be: it waits until its place is known")
	if c.m.State != protocol.MissionSuspended && !f.commandPending(c.v) {
		f.byKapok(func() { f.command(c.v.ID, protocol.CommandHold, c.zoneWhy()) })
	}
}

// reactReturn sends a vehicle that returns on another way, or has it wait.
func (f *Fleet) reactReturn(c *concern, e *api.ZoneEffect) {
	if !f.mayGoHome(c.v, c.at, c.caught != nil) {
		e.Action = zoneHeld
		say(e, "no lawful way home is known: it waits")
		f.byKapok(func() { f.command(c.v.ID, protocol.CommandHold, c.zoneWhy()) })
		return
	}
	e.Action = zoneRerouted
	f.returnAs(c.v.ID, c.ordered.IssuedBy, c.zoneWhy())
}

// mayGoHome tells whether there is a lawful way home; one that is caught in a zone
// may take any way out.
func (f *Fleet) mayGoHome(v *Vehicle, at space.Position, caught bool) bool {
	path, speed := f.wayHome(v)
	if path == nil || caught {
		return path != nil
	}
	w := f.wayOf(v, at, bareLeg(path, speed))
	_, l := (look{f: f, laws: f.lawsNow()}).firstMet(w.stretches, MotionKind(v.Kind).Airborne())
	return l == nil
}

// returnAs sends a vehicle home in the name of the one who wanted that.
func (f *Fleet) returnAs(id VehicleID, who string, why Reason) {
	f.as(who, func() { f.command(id, protocol.CommandReturn, why) })
}

// returnAgain deals with a vehicle without a mission that Kapok holds for a zone.
// If the hold cut off its way home, that goes on once it is lawful; otherwise the
// hold is over.
func (f *Fleet) returnAgain(v *Vehicle) {
	var cut *Command
	for _, c := range f.state.Durable.Commands {
		older := c.Vehicle == v.ID && compareNumbered(string(c.ID), string(v.Blocked)) < 0
		if older && (cut == nil || compareNumbered(string(c.ID), string(cut.ID)) > 0) {
			cut = c
		}
	}
	if cut == nil || cut.Kind != protocol.CommandReturn || cut.State != CommandSuperseded {
		f.goOn(v)
		return
	}
	p := f.presence(v.ID)
	if p.Link != LinkLive || !p.Fresh || f.now.Before(f.zones.retry[v.ID]) || !f.mayResume(v) {
		return
	}
	f.zones.retry[v.ID] = f.now.Add(zoneRetry)
	if at, _ := f.whereabouts(v, nil); f.mayGoHome(v, at, false) {
		f.returnAs(v.ID, cut.IssuedBy, Reason{zoneReason, "its way home is lawful: it goes on"})
	}
}

// sendOut gives an idle vehicle in a zone a mission that leads out of it.
func (f *Fleet) sendOut(c *concern, e *api.ZoneEffect, spend *int) {
	v := c.v
	p := f.presence(v.ID)
	switch {
	case c.caught == nil:
		return
	case f.grounded(v):
		say(e, "it stands on the ground, where it stays")
		return
	case v.Blocked != "":
		say(e, "it is kept where it is by command %s: give it another", v.Blocked)
		return
	case len(v.Faults) > 0 || v.EpochAbove != 0 || !v.HomeKnown || p.Session == "" || !p.Fresh || p.Sample.Mode == protocol.ModeManual || p.Sample.Mode == protocol.ModeFault:
		say(e, "it cannot be sent: look at its state")
		return
	}
	cand, _ := f.fromHere(v, nil)
	cand.Spec.ReserveRatio = 0
	s := search{f: f, v: v, c: cand, site: v.HomeSite, spend: spend, caught: c.caught}
	offer, refused := s.plan(nil)
	if refused != nil && !s.exhausted && wayless(refused) {
		offer, refused = s.refuge(v, refused)
	}
	if refused != nil {
		f.comeDown(c, e, refused)
		return
	}
	next := 0
	legs := f.legsOf(&offer, nil, v, &next)
	legs[0].Site = s.site
	e.Action = zoneLeaving
	f.issue(v, nil, legs, next, c.zoneWhy())
	v, _ = f.vehicle(v.ID)
	e.Mission = string(v.Mission)
	w := f.wayOf(v, c.at, legs)
	e.ExtraM = tenths(w.lengthM)
}

// comeDown has an aircraft come down on open ground that has nowhere to go; others
// stay.
func (f *Fleet) comeDown(c *concern, e *api.ZoneEffect, refused *assign.Exclusion) {
	say(e, "there is no lawful way out: %s", exclusionText(refused))
	if !MotionKind(c.v.Kind).Airborne() {
		return
	}
	path, ok := f.wayDown(c.v, c.at)
	text := "there is no open ground near it to come down on: it stays in the air"
	if ok {
		e.Action = zoneLanded
		text = "it comes down " + f.placeName(path)
	}
	say(e, "%s", text)
	f.raise(strandedBy(c.v.ID, refused), Critical, fmt.Sprintf("%s cannot get home: %s; %s", c.v.ID, exclusionText(refused), text))
	switch {
	case !ok:
	case len(path) == 2:
		f.byKapok(func() { f.command(c.v.ID, protocol.CommandLand, c.zoneWhy()) })
	default:
		next := 0
		leg := f.stayLeg(c.at, &next)
		leg.Path, leg.SpeedMPS = path, f.comeDownSpeed(c.v)
		f.issue(c.v, nil, []Leg{leg}, next, c.zoneWhy())
		v, _ := f.vehicle(c.v.ID)
		e.Mission = string(v.Mission)
	}
}

// tenths rounds a figure for people; what cannot be told is 0.
func tenths(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0
	}
	// Adding 0 makes 0 of -0.
	return math.Round(10*x)/10 + 0
}

// standsIn is the zone that forbids an aircraft to fly where it stands: it gets no
// work before it is out or the zone is gone.
func (f *Fleet) standsIn(v *Vehicle, p Presence) (string, bool) {
	if !p.Known || len(p.Zones) == 0 || !f.grounded(v) {
		return "", false
	}
	at := f.chart.Frame.XYZ(space.Position(p.Sample.Position))
	for _, id := range p.Zones {
		if laws := f.lawsOf(ZoneID(id)); len(laws) > 0 && laws[0].zone.Rule == chart.KeepOut && laws[0].breaks(f, at, true) {
			return id, true
		}
	}
	return "", false
}

// breaksZone raises the alert for a rule that a sample shows broken. A vehicle
// around which the zone appeared, or right before which, has CaughtGrace to keep the
// rule; one that stands on the ground is left in peace, without an alert. Before
// are the zones that it was in until now.
func (f *Fleet) breaksZone(v *Vehicle, id string, before []string, s *protocol.Sample) {
	caught := alertAbout{kind: AlertCaughtInside, vehicle: v.ID, object: id}
	broken := alertAbout{kind: AlertZone, vehicle: v.ID, object: id}
	if f.raised(broken) {
		return
	}
	where := fmt.Sprintf("at %.6f,%.6f, %.0f m", s.Position.Lon, s.Position.Lat, s.Position.AltitudeM)
	stands := f.stands(v, s)
	if open, ok := f.index.alerts[alertKey(caught)]; ok {
		if f.now.Sub(f.state.Durable.Alerts[open].RaisedAt) <= CaughtGrace || stands {
			return
		}
		f.emit(AlertCleared{open, fmt.Sprintf("it breaks the rule still, after %v", CaughtGrace)})
	} else if stands {
		return
	} else if was := !slices.Contains(before, id) && f.appearedAround(v, id, s); was || f.cameRightBefore(id) {
		f.raise(caught, Warning, fmt.Sprintf("%s %s, %s", v.ID, f.caughtText(id, was), where))
		return
	}
	f.raise(broken, Critical, fmt.Sprintf("%s breaks the rule of zone %s %s", v.ID, id, where))
}

// cameRightBefore tells whether a zone came into force so recently that nobody
// could keep out of it.
func (f *Fleet) cameRightBefore(id string) bool {
	r, ok := f.state.Durable.Zones[ZoneID(id)]
	if !ok {
		return false
	}
	since := f.now.Sub(later(r.ChangedAt, r.Zone.From))
	return since >= 0 && since <= EnterGrace
}

// caughtText says how a zone came over a vehicle and what it is to do. One that
// was not against the rule when the zone came was so right after.
func (f *Fleet) caughtText(id string, was bool) string {
	how, until := "inside", "leaves"
	if laws := f.lawsOf(ZoneID(id)); len(laws) > 0 {
		switch laws[0].zone.Rule {
		case chart.KeepIn:
			how, until = "outside", "comes in"
		case chart.AltitudeLimit:
			how, until = "above its limit of height", "comes down"
		case chart.SpeedLimit:
			how, until = "faster than it allows", "slows down"
		case chart.KeepOut, chart.Advise:
		}
	}
	when := "when"
	if !was {
		when = "right after"
	}
	return fmt.Sprintf("was %s %s zone %s came into force: no violation if it %s within %v", how, when, id, until, CaughtGrace)
}

// appearedAround tells whether the vehicle was already where the zone forbids it
// to be when the zone came into force.
func (f *Fleet) appearedAround(v *Vehicle, id string, s *protocol.Sample) bool {
	p := f.presence(v.ID)
	if !p.Known {
		return false
	}
	at := f.chart.Frame.XYZ(space.Position(p.Sample.Position))
	hits := f.fences.Locate(at, s.Time, MotionKind(v.Kind).Airborne(), p.Sample.SpeedMPS, nil)
	for _, h := range hits {
		if h.Violated && f.fences.Zone(h).ID == id {
			return true
		}
	}
	return false
}

package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// What a change of a zone does to those whom it concerns.

// The bounds of the reaction.
const (
	// ZoneExpansions is how many times ExpansionsPerStep may be spent on planning
	// anew in the step of a change, about 200 ms. Vehicles beyond it are held, or
	// deferred when their way meets the zone only later, and planned in the ticks
	// that follow, the most pressing first.
	ZoneExpansions = 4
	// ZoneHoldAhead is how soon the way of a vehicle that cannot be planned at
	// once must meet a zone for the vehicle to be held.
	ZoneHoldAhead = 30 * time.Second
	// CaughtGrace is how long a vehicle that was in a zone when it appeared may
	// take to leave before that counts as a violation; work at a stop in the
	// zone is finished when it takes no longer.
	CaughtGrace = 60 * time.Second
	// EnterGrace is how long after a zone came into force a vehicle that comes into
	// it counts as caught: it must hear of the zone first, and brake.
	EnterGrace = 5 * time.Second
)

// zoneReason is the code of everything done because of a zone: of revisions, and
// of the holds that Kapok takes back by itself.
const zoneReason = "zone"

// ofTheWorld tells whether something was done because zones or conditions changed.
func ofTheWorld(code string) bool { return code == zoneReason || code == conditionsCode }

// The actions of a ZoneEffect.
const (
	zoneRerouted = "rerouted"
	zoneHeld     = "held"
	zoneRecalled = "recalled"
	zoneLanded   = "landed"
	zoneLeaving  = "leaving"
	zoneDeferred = "deferred"
	zoneNone     = "none"
)

// concern is a vehicle whose place or way breaks the rule of a zone.
type concern struct {
	v *Vehicle
	// m is its open mission, nil for none; ordered its open return otherwise.
	m       *Mission
	ordered *Command
	at      space.Position
	// caught is the zone that it is in, nil for none.
	caught *zoneLaw
	// meets is the zone that its way meets, after entersS seconds; nil and
	// infinite for none. newest says that the newest plan does, not only an
	// older one that it may still follow.
	meets   *zoneLaw
	entersS float64
	newest  bool
	// why is set where conditions concern it rather than a zone; grounds says that it
	// may not fly in them.
	why     *Reason
	grounds bool
}

// zoneReaction lets the fleet react to a change of a zone that was old before,
// and tells whom it concerned, in the order of their ids.
func (f *Fleet) zoneReaction(id ZoneID, old []*zoneLaw) []api.ZoneEffect {
	k := look{f: f, laws: f.changedLaws(id, old), marginS: route.LateS}
	effects := []api.ZoneEffect{}
	if len(k.laws) == 0 || mutant.On(mutant.ZoneChangeUnnoticed) {
		return effects
	}
	var concerns []*concern
	for _, vid := range f.index.vehicles {
		v, _ := f.vehicle(vid)
		if c, ok := f.concernOf(v, k, old); ok {
			concerns = append(concerns, c)
		}
	}
	slices.SortStableFunc(concerns, moreConcerned)
	spend := ZoneExpansions * f.config.ExpansionsPerStep
	for _, c := range concerns {
		effects = append(effects, f.react(c, &spend))
	}
	slices.SortFunc(effects, func(a, b api.ZoneEffect) int { return cmp.Compare(a.Vehicle, b.Vehicle) })
	return effects
}

// changedLaws are what must be looked at after a change of one zone: that zone,
// and all keep-in zones when it is or was one of them.
func (f *Fleet) changedLaws(id ZoneID, old []*zoneLaw) []*zoneLaw {
	laws := f.lawsOf(id)
	keepIn := func(l *zoneLaw) bool { return l.zone.Rule == chart.KeepIn }
	if !slices.ContainsFunc(laws, keepIn) && !slices.ContainsFunc(old, keepIn) {
		return laws
	}
	for _, l := range f.lawsNow() {
		if keepIn(l) && l.zone.ID != string(id) {
			laws = append(laws, l)
		}
	}
	return laws
}

// moreConcerned puts those caught first, then those whose way meets the zone
// soonest.
func moreConcerned(a, b *concern) int {
	if (a.caught != nil) != (b.caught != nil) {
		if a.caught != nil {
			return -1
		}
		return 1
	}
	return cmp.Compare(a.entersS, b.entersS)
}

// concernOf tells whether zones concern a vehicle where it is or on its way. A
// vehicle that broke the rule of the zone as it was before is not caught by it.
func (f *Fleet) concernOf(v *Vehicle, k look, old []*zoneLaw) (*concern, bool) {
	m, open := f.openMission(v)
	if !open {
		m = nil
	}
	p := f.presence(v.ID)
	if !p.Known && m == nil {
		return nil, false
	}
	c := &concern{v: v, m: m, entersS: math.Inf(1)}
	c.at, _ = f.whereabouts(v, m)
	airborne := MotionKind(v.Kind).Airborne()
	if p.Known {
		c.caught = f.caughtBy(k.laws, old, f.chart.Frame.XYZ(c.at), airborne)
	}
	hold := func(legs []Leg, newest bool) {
		if !k.mayMeet(c.at, legs, airborne) {
			return
		}
		if t, l := k.firstMet(f.wayOf(v, c.at, legs).stretches, airborne); l != nil {
			c.newest = c.newest || newest
			if t < c.entersS {
				c.meets, c.entersS = l, t
			}
		}
	}
	if m != nil {
		for _, legs := range presentLegs(m) {
			hold(legs, true)
		}
		for _, legs := range sentLegs(m) {
			hold(legs, false)
		}
	} else if c.ordered = f.openReturn(v); c.ordered != nil {
		hold(bareLeg(c.ordered.Path, c.ordered.SpeedMPS), true)
	}
	return c, c.caught != nil || c.meets != nil
}

// caughtBy is the first zone whose rule a vehicle breaks by being where it is.
func (f *Fleet) caughtBy(laws, old []*zoneLaw, at space.XYZ, airborne bool) *zoneLaw {
	for _, l := range old {
		if l.breaks(f, at, airborne) {
			return nil
		}
	}
	for _, l := range laws {
		if l.breaks(f, at, airborne) {
			return l
		}
	}
	if l := f.outside(laws, at, airborne); l != nil && f.outside(old, at, airborne) == nil {
		return l
	}
	return nil
}

// openReturn is the return that a vehicle without a mission is on, or is told.
func (f *Fleet) openReturn(v *Vehicle) *Command {
	for _, id := range v.Commands {
		if c := f.state.Durable.Commands[id]; c != nil && c.Kind == protocol.CommandReturn && len(c.Path) > 0 {
			return c
		}
	}
	return nil
}

// zoneWhy is the reason that a concern gives.
func (c *concern) zoneWhy() Reason {
	switch {
	case c.why != nil:
		return *c.why
	case c.caught != nil && c.caught.zone.Rule == chart.KeepIn:
		return Reason{zoneReason, fmt.Sprintf("%s was outside when %s came into force", c.v.ID, zoneName(c.caught.zone))}
	case c.caught != nil:
		return Reason{zoneReason, fmt.Sprintf("%s was inside when %s came into force", c.v.ID, zoneName(c.caught.zone))}
	case c.meets != nil:
		return Reason{zoneReason, zoneName(c.meets.zone) + " lies across its way"}
	}
	return Reason{zoneReason, "zones or conditions were changed"}
}

// zoneName is a zone in words.
func zoneName(z *chart.Zone) string {
	if z.Name == "" {
		return "zone " + z.ID
	}
	return fmt.Sprintf("zone %s (%s)", z.ID, z.Name)
}

// react does for one vehicle what can be done at once.
func (f *Fleet) react(c *concern, spend *int) api.ZoneEffect {
	e := api.ZoneEffect{Vehicle: string(c.v.ID), Action: zoneNone, CaughtInside: c.caught != nil, Reason: c.zoneWhy().Text}
	switch {
	case c.v.TakenOver != nil:
		say(&e, "%s has it in hand: Kapok leaves it alone", c.v.TakenOver.By)
		return e
	case c.m != nil:
		f.reactMission(c, &e, spend)
	case c.ordered != nil:
		f.reactReturn(c, &e)
	case f.state.Durable.Freeze != nil:
		say(&e, "the fleet is stopped: nothing moves before it is released")
	default:
		f.sendOut(c, &e, spend)
	}
	p := f.presence(c.v.ID)
	if p.Link != LinkLive {
		say(&e, "it cannot hear now (its link is %s); it is told when it is back", p.Link)
	}
	if p.Link != LinkLive || f.state.Durable.Freeze != nil {
		f.recheck(c.v.ID)
	}
	return e
}

// say adds to the reason of an effect.
func say(e *api.ZoneEffect, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if e.Reason != "" {
		text = e.Reason + "; " + text
	}
	e.Reason = text
}

// recheck has the ways of a vehicle looked at in the ticks that follow, once its
// place is known.
func (f *Fleet) recheck(id VehicleID) {
	if _, due := f.zones.due[id]; !due {
		f.zones.due[id] = false
	}
}

// reactMission mends a mission.
func (f *Fleet) reactMission(c *concern, e *api.ZoneEffect, spend *int) {
	m := c.m
	e.Mission, e.Tasks = string(m.ID), words(m.Tasks())
	switch {
	case !c.newest && c.caught == nil:
		e.Action = zoneRerouted
		say(e, "revision %d, which is on its way to the vehicle, keeps clear of it", m.Revision)
		return
	case f.doubted(c.v.ID):
		f.waitForPlace(c, e)
		return
	case (c.caught != nil || c.grounds) && f.grounded(c.v):
		f.stayPut(c, e)
		return
	}
	if left, ok := f.workLeft(m); ok && c.caught != nil {
		if left > CaughtGrace && f.state.Durable.Freeze == nil {
			f.callBack(c, e, left)
			return
		}
		say(e, "it first finishes the work at its stop, in %v", left.Round(time.Second))
	}
	before := f.wayOf(c.v, c.at, m.Legs)
	r := f.mend(c, spend)
	if r.exhausted {
		f.notNow(c, e)
		return
	}
	now := f.mission(m.ID)
	e.Tasks, e.Released = words(now.Tasks()), words(r.left)
	switch {
	case r.stranded && MotionKind(c.v.Kind).Airborne() && !r.held:
		e.Action = zoneLanded
	case r.stranded:
		e.Action = zoneHeld
	case len(r.left) > 0:
		e.Action = zoneRecalled
	default:
		e.Action = zoneRerouted
	}
	if r.refused != nil {
		say(e, "%s", exclusionText(r.refused))
	}
	if r.stranded {
		say(e, "%s", r.where)
	}
	if r.refuge != "" {
		say(e, "it ends at %s, as it cannot get home", r.refuge)
	}
	if m.State == protocol.MissionSuspended {
		say(e, "it is held, and goes on when it is resumed")
	}
	f.zones.retry[c.v.ID] = f.now.Add(zoneRetry)
	if r.stranded {
		// It goes nowhere: neither later nor longer.
		return
	}
	f.compare(e, c, m, now, &before)
}

// compare tells how much later and longer a mission is after a change. What it
// does not serve any more makes it neither.
func (f *Fleet) compare(e *api.ZoneEffect, c *concern, m, now *Mission, before *way) {
	after := f.wayOf(c.v, c.at, now.Legs)
	stay := now.Tasks()
	if len(stay) == 0 && len(e.Released) > 0 {
		say(e, "no stop stays")
		return
	}
	e.DelayS = tenths(after.lastStop(now.Legs, stay) - before.lastStop(m.Legs, stay))
	if len(e.Released) == 0 {
		e.ExtraM = tenths(after.lengthM - before.lengthM)
		return
	}
	// Both ways count to the last stop that stays.
	e.ExtraM = tenths(after.lengthTo(now.Legs, stay) - before.lengthTo(m.Legs, stay))
}

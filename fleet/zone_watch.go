package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// How ways are kept lawful while time passes.

// The rhythm of the watch.
const (
	// ZoneLookAhead is how long before its begin a zone is held against the ways
	// of missions, which may be late by then.
	ZoneLookAhead = 10 * time.Minute
	// zoneLookEvery is how often that is done.
	zoneLookEvery = 5 * time.Second
	// comingMarginS is how long before its begin a zone counts in that look:
	// less than in a plan, so that not every small delay makes a new one.
	comingMarginS = 20
	// zoneRetry is how long a mission that was planned anew because of a zone is
	// left as it is.
	zoneRetry = 15 * time.Second
)

// watchZones plans, at a tick, what the step of a change had no time for, lets
// vehicles go on that were held for it, and looks ahead to zones that are to
// come into force. It spends at most a step's expansions, but
// for the most pressing vehicle, which alone may take ZoneExpansions times that.
func (f *Fleet) watchZones() {
	if f.state.Durable.Freeze != nil {
		return
	}
	coming := f.comingLaws()
	var concerns []*concern
	for _, k := range f.index.order {
		if k.idle && len(f.zones.due) == 0 {
			continue
		}
		v, id := k.vehicle, k.vehicle.ID
		_, due := f.zones.due[id]
		held := f.heldForZone(v)
		switch {
		case v.TakenOver != nil:
			delete(f.zones.due, id)
		case due || held:
			if c := f.lookAgainAt(v, held); c != nil {
				concerns = append(concerns, c)
			}
		case len(coming) > 0 && v.Mission != "" && !f.mustWait(v):
			if c, ok := f.concernOf(v, look{f: f, laws: coming, marginS: comingMarginS}, coming); ok && c.newest {
				c.caught = nil
				concerns = append(concerns, c)
			}
		}
	}
	slices.SortStableFunc(concerns, moreConcerned)
	spend := f.config.ExpansionsPerStep
	for i, c := range concerns {
		f.cause = 0
		if i > 0 {
			f.watched(c, &spend)
			continue
		}
		first := ZoneExpansions * spend
		f.watched(c, &first)
		spend -= ZoneExpansions*spend - first
	}
}

// comingLaws are the zones with a begin, an end or a schedule that are, or will soon be, in
// force; empty when it is not time to look.
func (f *Fleet) comingLaws() []*zoneLaw {
	if f.now.Sub(f.zones.looked) < zoneLookEvery {
		return nil
	}
	f.zones.looked = f.now
	var laws []*zoneLaw
	for _, l := range f.lawsNow() {
		if l.comes(f.now, ZoneLookAhead) {
			laws = append(laws, l)
		}
	}
	return laws
}

// mustWait tells whether a vehicle's mission is best left as it is now.
func (f *Fleet) mustWait(v *Vehicle) bool {
	m, open := f.openMission(v)
	return f.now.Before(f.zones.retry[v.ID]) || f.commandPending(v) || open && f.now.Before(f.retryAt(m))
}

// lookAgainAt looks at a vehicle that is due, or held for a zone: it is to be
// planned anew, may go on, or waits.
func (f *Fleet) lookAgainAt(v *Vehicle, held bool) *concern {
	must := f.zones.due[v.ID]
	m, open := f.openMission(v)
	p := f.presence(v.ID)
	if !open {
		f.lookAtIdle(v, held)
		return nil
	}
	if f.commandPending(v) || !p.Known || p.Link != LinkLive || !p.Fresh || f.now.Before(f.retryAt(m)) {
		return nil
	}
	c, _ := f.concernOf(v, look{f: f, laws: f.lawsNow()}, nil)
	if f.now.Before(f.zones.retry[v.ID]) && (must || c.newest) {
		return nil
	}
	if must || c.newest {
		return c
	}
	delete(f.zones.due, v.ID)
	if held && !c.newest && m.Answered() {
		f.goOn(v)
	}
	return nil
}

// lookAtIdle looks at a vehicle without a mission that is held for a zone, or that
// could not be told of one.
func (f *Fleet) lookAtIdle(v *Vehicle, held bool) {
	p := f.presence(v.ID)
	switch {
	case held:
		f.returnAgain(v)
	case p.Link != LinkLive || !p.Fresh || f.commandPending(v):
		return
	default:
		if c, _ := f.concernOf(v, look{f: f, laws: f.lawsNow()}, nil); c != nil && c.ordered == nil {
			spend := ZoneExpansions * f.config.ExpansionsPerStep
			f.sendOut(c, &api.ZoneEffect{}, &spend)
		}
	}
	delete(f.zones.due, v.ID)
}

// heldForZone tells whether Kapok itself holds the vehicle until its way is
// lawful, or can be followed.
func (f *Fleet) heldForZone(v *Vehicle) bool {
	if v.Blocked == "" {
		return false
	}
	c, ok := f.state.Durable.Commands[v.Blocked]
	return ok && ofTheWorld(c.Code) && c.Kind == protocol.CommandHold && c.IssuedBy == "kapok"
}

// goOn takes back a hold that was given for a zone. A vehicle that refused to be
// resumed is left to people.
func (f *Fleet) goOn(v *Vehicle) {
	if f.presence(v.ID).Link == LinkLive && f.mayResume(v) {
		f.command(v.ID, protocol.CommandResume, Reason{zoneReason, "its way is lawful: it goes on"})
	}
}

// watched mends the mission of a vehicle that the watch found.
func (f *Fleet) watched(c *concern, spend *int) {
	f.actor = "kapok"
	f.zones.retry[c.v.ID] = f.now.Add(zoneRetry)
	r := rebuilt{exhausted: true}
	full := *spend >= ZoneExpansions*f.config.ExpansionsPerStep
	if *spend > 0 {
		r = f.mend(c, spend)
	}
	if r.exhausted {
		var e api.ZoneEffect
		f.notNow(c, &e)
		if !full {
			// Its turn is still to come; one that had all there is waits.
			delete(f.zones.retry, c.v.ID)
		}
		return
	}
	if !r.held {
		delete(f.zones.due, c.v.ID)
	}
}

// lookAtAll has every open mission looked at once, as after a restart.
func (f *Fleet) lookAtAll() {
	for _, id := range f.index.vehicles {
		if v, _ := f.vehicle(id); v.Mission != "" {
			f.recheck(id)
		}
	}
}

// holdUnlawful holds a vehicle that refused to go round a zone, if the plan that
// it follows instead meets one. It is planned anew after a pause, and goes on
// when it accepts that.
func (f *Fleet) holdUnlawful(v *Vehicle, m *Mission) bool {
	c, ok := f.concernOf(v, look{f: f, laws: f.lawsNow()}, nil)
	if !ok || !c.newest {
		return false
	}
	f.recheck(v.ID)
	delete(f.zones.retry, v.ID)
	f.raise(alertAbout{kind: AlertRefusing, vehicle: v.ID}, Warning,
		fmt.Sprintf("%s refused a way that keeps clear of %s: it is held until it accepts one", v.ID, zoneName(c.meets.zone)))
	if !f.commandPending(v) && !f.heldForZone(v) && m.State == protocol.MissionActive {
		f.byKapok(func() { f.command(v.ID, protocol.CommandHold, c.zoneWhy()) })
	}
	return true
}

// nowMeets tells whether a plan that was found while other zones were in force
// meets one by now.
func (f *Fleet) nowMeets(v *Vehicle, q *Question, o *assign.Offer) bool {
	if q.Zones == f.zones.at {
		return false
	}
	w := f.wayOfOffer(v, &q.Candidates[o.Candidate], q.Job.Stops, o)
	_, l := (look{f: f, laws: f.lawsNow()}).firstMet(w.stretches, MotionKind(v.Kind).Airborne())
	return l != nil
}

// meetsLater is the zone yet to come into force that an offer meets; nil for none.
// The planner looks at zones by the times of a way, but not at the work at its
// stops, and at keep-in zones only when a way begins.
func (f *Fleet) meetsLater(v *Vehicle, c *assign.Candidate, stops []assign.Stop, o *assign.Offer) *zoneLaw {
	var laws, keepIns []*zoneLaw
	airborne, keepInLater := MotionKind(v.Kind).Airborne(), false
	for _, l := range f.lawsNow() {
		later := l.zone.From.After(f.now) || len(l.zone.Schedule) > 0
		switch l.zone.Rule {
		case chart.KeepIn:
			keepIns = append(keepIns, l)
			keepInLater = keepInLater || later && l.binds(airborne)
		case chart.KeepOut, chart.AltitudeLimit:
			if later {
				laws = append(laws, l)
			}
		case chart.SpeedLimit, chart.Advise:
		}
	}
	if keepInLater {
		laws = append(laws, keepIns...)
	}
	if len(laws) == 0 {
		return nil
	}
	w := f.wayOfOffer(v, c, stops, o)
	_, l := (look{f: f, laws: laws}).firstMet(w.stretches, airborne)
	return l
}

// unfitZones tells people of zones that they made and that do not fit a changed
// chart, and drops what they did to zones that the chart has no more.
func (f *Fleet) unfitZones() {
	d := &f.state.Durable
	for _, id := range sortedKeys(d.Zones) {
		r := d.Zones[id]
		_, ofChart := chartZone(f.chart, id)
		switch {
		case (r.Removed || r.Suspended && r.Zone.Source != "") && !ofChart:
			f.emit(ZoneRemoved{Zone: id, Reason: "the chart has it no more"})
		case !r.Removed && !onChart(f.chart, &r.Zone):
			f.raise(alertAbout{kind: AlertZoneUnfit, object: string(id)}, Warning,
				fmt.Sprintf("zone %s lies beyond the new chart and is not in force: remove or change it", id))
		default:
			f.clearAlert(alertAbout{kind: AlertZoneUnfit, object: string(id)}, "the chart was changed again, and the zone fits")
		}
	}
	f.setZones()
}

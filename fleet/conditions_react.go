package fleet

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// What a change of the wind or of closed streets does to those on their way. Every
// open mission is looked at without a search. One that cannot be kept, or whose
// times are no longer those of the plan, is planned anew by the means and within
// the bounds of a changed zone.

// A plan in another wind counts as the same while it takes neither windLateS longer or
// shorter nor windLatePart of its time.
const (
	windLateS    = 10
	windLatePart = 0.05
)

// onWayM is how far beside a street a way may lie that runs along it.
const onWayM = 0.5

// weatherReaction lets the fleet react to a change from other conditions, and tells
// whom it concerned, in the order of their ids.
func (f *Fleet) weatherReaction(before *weather) []api.ZoneEffect {
	effects := []api.ZoneEffect{}
	closed := f.newlyClosed(before)
	windy := f.weather.wind != before.wind
	var concerns []*concern
	for _, id := range f.index.vehicles {
		v, _ := f.vehicle(id)
		if c := f.weatherConcern(v, before, windy, closed); c != nil {
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

// weatherConcern is how a vehicle is concerned that has a mission, or on the ground
// a way home; nil for not at all.
func (f *Fleet) weatherConcern(v *Vehicle, before *weather, windy bool, closed []piece) *concern {
	m, open := f.openMission(v)
	airborne := MotionKind(v.Kind).Airborne()
	c := &concern{v: v, newest: true, entersS: math.Inf(1)}
	var legs []Leg
	switch {
	case open && airborne && len(m.Tasks()) == 0 && f.grounded(v):
		// It stands where it came down, or at home, and has nothing to fly for.
		return nil
	case open:
		c.m, legs = m, m.Legs
	case airborne:
		return nil
	default:
		if c.ordered = f.openReturn(v); c.ordered == nil {
			return nil
		}
		legs = bareLeg(c.ordered.Path, c.ordered.SpeedMPS)
	}
	c.at, _ = f.whereabouts(v, m)
	switch {
	case airborne && windy:
		c.why = f.strained(v, c, legs, before)
	case !airborne && len(closed) > 0:
		c.why = f.cutOff(v, c, legs, closed)
	}
	if c.why == nil {
		return nil
	}
	return c
}

// strained says why an aircraft cannot go on as planned in the wind of now; nil when
// it can.
func (f *Fleet) strained(v *Vehicle, c *concern, legs []Leg, before *weather) *Reason {
	if r := f.world.TooWindy(&v.Spec); r != nil {
		c.grounds = true
		return &Reason{conditionsCode, fmt.Sprintf("the wind of %.3g m/s with its gusts is more than %s can fly in, %.3g m/s", r.Number, v.ID, r.Limit)}
	}
	loadKg := f.loadOn(v.ID)
	was, now := v.Spec.In(before.wind, loadKg), v.Spec.In(f.weather.wind, loadKg)
	var oldS, newS, usedWh float64
	way := f.wayOf(v, c.at, legs)
	for i := range way.stretches {
		s := &way.stretches[i]
		if s.speedMPS == 0 {
			work := now.Work(s.t1 - s.t0)
			usedWh += work.EnergyWh
			continue
		}
		old, _ := was.Segment(s.a, s.b, 0)
		cost, ok := now.Segment(s.a, s.b, 0)
		if !ok {
			return &Reason{conditionsCode, "it cannot hold its course in the wind of now"}
		}
		oldS, newS, usedWh = oldS+old.Seconds, newS+cost.Seconds, usedWh+cost.EnergyWh
	}
	if left := f.energy(v) - usedWh; left < v.Spec.ReserveWh() {
		return &Reason{conditionsCode, fmt.Sprintf("in the wind of now its plan would leave %.3g Wh, below its reserve of %.3g Wh", left, v.Spec.ReserveWh())}
	}
	if late := newS - oldS; math.Abs(late) > max(windLateS, windLatePart*oldS) {
		return &Reason{conditionsCode, fmt.Sprintf("in the wind of now its way takes %+.0f s", late)}
	}
	return nil
}

// piece is a straight piece of a closed way.
type piece struct {
	a, b space.XY
	way  int64
}

// newlyClosed are the pieces of the ways that are closed now and were not before.
func (f *Fleet) newlyClosed(before *weather) []piece {
	var pieces []piece
	g := &f.chart.Ground
	for i := range g.Arcs {
		if arc := &g.Arcs[i]; f.weather.closed[arc.WayID] && !before.closed[arc.WayID] {
			pieces = append(pieces, piece{g.Nodes[arc.From].XY, g.Nodes[arc.To].XY, arc.WayID})
		}
	}
	return pieces
}

// cutOff says why a robot cannot go on as planned: its way leads along a closed one,
// first after entersS seconds; nil when none does.
func (f *Fleet) cutOff(v *Vehicle, c *concern, legs []Leg, closed []piece) *Reason {
	way := f.wayOf(v, c.at, legs)
	for i := range way.stretches {
		s := &way.stretches[i]
		if s.speedMPS == 0 {
			continue
		}
		a, b := s.a.XY(), s.b.XY()
		box := space.BoxOf(a, b).Grow(onWayM)
		for k := range closed {
			p := &closed[k]
			if !box.Intersects(space.BoxOf(p.a, p.b)) {
				continue
			}
			if space.SegmentDist(p.a.Lerp(p.b, 0.5), a, b) < onWayM || space.SegmentDist(a.Lerp(b, 0.5), p.a, p.b) < onWayM {
				c.entersS = s.t0
				return &Reason{conditionsCode, fmt.Sprintf("way %d, which is closed now, lies ahead of it", p.way)}
			}
		}
	}
	return nil
}

// lowToLand looks at an aircraft whose battery is at or below what it takes to come
// down from its leg with the reserve: people are told, and it comes down or goes home
// by what is nearer, as long as there is something left to do it with.
func (f *Fleet) lowToLand(k *known, s *protocol.Sample) {
	v := k.vehicle
	about := alertAbout{kind: AlertLowToLand, vehicle: v.ID}
	if f.stands(v, s) {
		f.clearBySample(k, about, "it stands on the ground")
		return
	}
	m, open := f.openMission(v)
	if !open {
		return
	}
	i := m.Current()
	if i == len(m.Legs) {
		return
	}
	need := m.Legs[i].LandWh + v.Spec.ReserveWh()
	have := s.BatteryRatio * v.Spec.BatteryWh
	switch {
	case m.Legs[i].LandWh == 0:
	case have >= need:
		if have >= 1.05*need {
			f.clearBySample(k, about, fmt.Sprintf("charge of %.0f %%", 100*s.BatteryRatio))
		}
	case !f.raised(about):
		text := fmt.Sprintf("%s has %.3g Wh left, and coming down from its leg with the reserve may take %.3g Wh", v.ID, have, need)
		f.raise(about, Critical, text)
		if m.State == protocol.MissionActive && v.TakenOver == nil && f.state.Durable.Freeze == nil {
			f.rebuild(v, m, Reason{string(AlertLowToLand), text})
		}
	}
}

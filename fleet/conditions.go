package fleet

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// Conditions are the wind and the closed streets that all ways are planned in. They
// are never changed in place.
type Conditions struct {
	Wind Wind `json:"wind"`
	// Closures are in the order of their ways.
	Closures  []Closure `json:"closures,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	ChangedBy string    `json:"changed_by"`
	ChangedAt time.Time `json:"changed_at"`
	// Revision is the index of the event that put them in force.
	Revision uint64 `json:"revision"`
}

// revision is 0 for conditions that nobody ever gave.
func (c *Conditions) revision() uint64 {
	if c == nil {
		return 0
	}
	return c.Revision
}

// Wind blows from FromDeg, clockwise from north, everywhere alike; GustMPS is how
// much more it blows for moments.
type Wind struct {
	SpeedMPS float64 `json:"speed_mps"`
	FromDeg  float64 `json:"from_deg"`
	GustMPS  float64 `json:"gust_mps,omitempty"`
}

// Closure is a way of OpenStreetMap that robots may not enter until it is open
// again; a zero Until is no end.
type Closure struct {
	Way    int64     `json:"way"`
	Until  time.Time `json:"until,omitzero"`
	Reason string    `json:"reason,omitempty"`
}

// The limits of conditions; an order beyond them is refused.
const (
	// MaxWindMPS bounds wind and gusts: more is no wind that anything flies in.
	MaxWindMPS = 60
	// MaxClosures is how many ways may be closed at once.
	MaxClosures = 10_000
)

// conditionsCode is the code of what is done because the conditions changed.
const conditionsCode = "conditions"

// weather is what follows from the conditions in force.
type weather struct {
	wind   motion.Wind
	closed map[int64]bool
	// reopens is when the next closed way is open again, zero for never.
	reopens time.Time
}

// weatherAt is what the conditions come to at a time.
func (c *Conditions) weatherAt(now time.Time) weather {
	var w weather
	if c == nil {
		return w
	}
	w.wind = motion.WindFrom(c.Wind.SpeedMPS, c.Wind.FromDeg, c.Wind.GustMPS)
	for _, closure := range c.Closures {
		if !closure.Until.IsZero() {
			if !closure.Until.After(now) {
				continue
			}
			if w.reopens.IsZero() || closure.Until.Before(w.reopens) {
				w.reopens = closure.Until
			}
		}
		if w.closed == nil {
			w.closed = map[int64]bool{}
		}
		w.closed[closure.Way] = true
	}
	return w
}

// setWeather plans with the conditions of the durable state from now on.
func (f *Fleet) setWeather() {
	f.weather = f.state.Durable.Conditions.weatherAt(later(f.now, f.state.Durable.Time))
	f.world.SetConditions(f.weather.wind, f.weather.closed)
	f.worldAge++
}

// watchWeather opens ways at a tick whose closure has ended.
func (f *Fleet) watchWeather() {
	if at := f.weather.reopens; !at.IsZero() && !f.now.Before(at) {
		f.setWeather()
		f.lookAgain = true
	}
}

// setConditions puts other conditions in force, lets the fleet react, and answers
// with whom that concerned.
func (f *Fleet) setConditions(a SetConditions) Answer {
	d := &f.state.Durable
	revision := d.Conditions.revision()
	if a.Revision != 0 && a.Revision != revision {
		return problem(statusPrecondition, "revision_mismatch", "",
			fmt.Sprintf("the conditions are at revision %d, not %d: read them again", revision, a.Revision))
	}
	c, p, bad := f.conditionsOf(&a.Order)
	if bad {
		return p
	}
	if old := d.Conditions; old != nil && old.Wind == c.Wind && old.Reason == c.Reason && slices.EqualFunc(old.Closures, c.Closures, sameClosure) {
		return answerWith(statusOK, api.ConditionsChange{Conditions: f.state.ConditionsView(), Affected: []api.ZoneEffect{}})
	}
	c.ChangedBy, c.ChangedAt, c.Revision = f.actor, f.now, d.Index+1
	before := f.weather
	f.emit(ConditionsChanged{Conditions: c})
	f.setWeather()
	affected := f.weatherReaction(&before)
	f.lookAgain = true
	return answerWith(statusOK, api.ConditionsChange{Conditions: f.state.ConditionsView(), Affected: affected})
}

func sameClosure(a, b Closure) bool {
	return a.Way == b.Way && a.Reason == b.Reason && a.Until.Equal(b.Until)
}

// conditionsOf checks an order and makes conditions of it.
func (f *Fleet) conditionsOf(o *api.ConditionsOrder) (Conditions, Answer, bool) {
	refuse := func(field, format string, args ...any) (Conditions, Answer, bool) {
		return Conditions{}, problem(statusUnprocessable, "bad_conditions", field, fmt.Sprintf(format, args...)), true
	}
	w := o.Wind
	switch {
	case !(w.SpeedMPS >= 0 && w.SpeedMPS <= MaxWindMPS):
		return refuse("wind.speed_mps", "%g is not 0 to %d m/s", w.SpeedMPS, MaxWindMPS)
	case !(w.GustMPS >= 0 && w.GustMPS <= MaxWindMPS):
		return refuse("wind.gust_mps", "%g is not 0 to %d m/s", w.GustMPS, MaxWindMPS)
	case !(w.FromDeg >= 0 && w.FromDeg <= 360):
		return refuse("wind.from_deg", "%g is not 0 to 360 degrees clockwise from north", w.FromDeg)
	case len(o.Closures) > MaxClosures:
		return refuse("closures", "%d ways are more than the limit of %d", len(o.Closures), MaxClosures)
	}
	c := Conditions{Wind: Wind{w.SpeedMPS, math.Mod(w.FromDeg, 360), w.GustMPS}, Reason: o.Reason}
	known := f.waysOfChart(len(o.Closures) > 0)
	for i, one := range o.Closures {
		field := fmt.Sprintf("closures[%d]", i)
		until := one.Until.UTC()
		switch y := until.Year(); {
		case !known[one.Way]:
			return refuse(field+".way", "the chart has no street or path of the way %d", one.Way)
		case !until.IsZero() && !until.After(f.now):
			return refuse(field+".until", "it would have ended at %s, before now, %s", until.Format(time.RFC3339), f.now.Format(time.RFC3339))
		case !until.IsZero() && y > lastZoneYear:
			return refuse(field+".until", "the year %d is beyond %d", y, lastZoneYear)
		}
		c.Closures = append(c.Closures, Closure{one.Way, until, one.Reason})
	}
	slices.SortFunc(c.Closures, func(a, b Closure) int { return int(min(max(a.Way-b.Way, -1), 1)) })
	for i := 1; i < len(c.Closures); i++ {
		if c.Closures[i].Way == c.Closures[i-1].Way {
			return refuse("closures", "the way %d is named twice", c.Closures[i].Way)
		}
	}
	return c, Answer{}, false
}

// waysOfChart are the ways that the chart's streets and paths come from.
func (f *Fleet) waysOfChart(wanted bool) map[int64]bool {
	ways := map[int64]bool{}
	if wanted {
		for i := range f.chart.Ground.Arcs {
			if way := f.chart.Ground.Arcs[i].WayID; way != 0 {
				ways[way] = true
			}
		}
	}
	return ways
}

// ConditionsView are the conditions as the HTTP API shows them.
func (s *State) ConditionsView() api.Conditions {
	c := s.Durable.Conditions
	if c == nil {
		return api.Conditions{Closures: []api.Closure{}}
	}
	view := api.Conditions{
		Wind:     api.Wind{SpeedMPS: c.Wind.SpeedMPS, FromDeg: c.Wind.FromDeg, GustMPS: c.Wind.GustMPS},
		Closures: make([]api.Closure, len(c.Closures)), Reason: c.Reason,
		ChangedBy: c.ChangedBy, ChangedAt: c.ChangedAt, Revision: c.Revision,
	}
	for i, one := range c.Closures {
		view.Closures[i] = api.Closure{Way: one.Way, Until: one.Until, Reason: one.Reason}
	}
	return view
}

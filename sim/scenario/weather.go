package scenario

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/planner/chart"
)

// The limits of conditions; a file beyond one of them is refused.
const (
	MaxWindMPS      = 40
	MaxClosedWays   = 10_000
	MaxWeatherTimes = 1000
)

// Conditions are the weather and the streets that are closed. Vehicles move in
// them, and a dispatcher tells Kapok of them at once: of the wind and of its gusts
// as they are on average, not of the single gust.
type Conditions struct {
	// WindMPS blows from WindFromDeg, clockwise from north, in gusts of up to
	// GustMPS more.
	WindMPS     float64 `yaml:"wind_mps,omitempty"`
	WindFromDeg float64 `yaml:"wind_from_deg,omitempty"`
	GustMPS     float64 `yaml:"gust_mps,omitempty"`
	// ClosedWays are ways of OpenStreetMap, by their ids on the chart, that nobody may
	// drive on.
	ClosedWays []int64 `yaml:"closed_ways,omitempty"`
	// Changes are in order of time.
	Changes []WeatherChange `yaml:"changes,omitempty"`
}

// WeatherChange is a change of the conditions at a time. What it does not name
// stays as it is.
type WeatherChange struct {
	At          Duration `yaml:"at"`
	WindMPS     *float64 `yaml:"wind_mps,omitempty"`
	WindFromDeg *float64 `yaml:"wind_from_deg,omitempty"`
	GustMPS     *float64 `yaml:"gust_mps,omitempty"`
	// CloseWays are closed, OpenWays opened again.
	CloseWays []int64 `yaml:"close_ways,omitempty"`
	OpenWays  []int64 `yaml:"open_ways,omitempty"`
}

// Weather is what the conditions are from a time of the run on.
type Weather struct {
	At                            Duration
	WindMPS, WindFromDeg, GustMPS float64
	// Closed are the ways that are closed, in order.
	Closed []int64
}

// Calm tells whether it is a day without wind on which every street is open.
func (w *Weather) Calm() bool { return w.WindMPS == 0 && w.GustMPS == 0 && len(w.Closed) == 0 }

// Over returns the conditions from the start and from each change on; just one
// for conditions that do not change.
func (c *Conditions) Over() []Weather {
	now := Weather{WindMPS: c.WindMPS, WindFromDeg: c.WindFromDeg, GustMPS: c.GustMPS, Closed: slices.Sorted(slices.Values(c.ClosedWays))}
	all := []Weather{now}
	for i := range c.Changes {
		ch := &c.Changes[i]
		now.At = ch.At
		for _, set := range []struct{ to, from *float64 }{
			{&now.WindMPS, ch.WindMPS}, {&now.WindFromDeg, ch.WindFromDeg}, {&now.GustMPS, ch.GustMPS},
		} {
			if set.from != nil {
				*set.to = *set.from
			}
		}
		closed := slices.DeleteFunc(slices.Clone(now.Closed), func(way int64) bool { return slices.Contains(ch.OpenWays, way) })
		closed = append(closed, ch.CloseWays...)
		slices.Sort(closed)
		now.Closed = slices.Compact(closed)
		all = append(all, now)
	}
	return all
}

// At is what the conditions are at a time of the run.
func (c *Conditions) At(at Duration) Weather {
	all := c.Over()
	now := all[0]
	for _, w := range all[1:] {
		if w.At <= at {
			now = w
		}
	}
	return now
}

// Any tells whether there is any wind, or a closed street, at any time.
func (c *Conditions) Any() bool {
	return slices.ContainsFunc(c.Over(), func(w Weather) bool { return !w.Calm() })
}

// validateConditions judges the conditions and their changes.
func (s *Scenario) validateConditions() error {
	c := &s.Conditions
	if err := checkWind("conditions", &c.WindMPS, &c.WindFromDeg, &c.GustMPS); err != nil {
		return err
	}
	if err := checkWays("conditions.closed_ways", c.ClosedWays); err != nil {
		return err
	}
	if len(c.Changes) > MaxWeatherTimes {
		return wrong("conditions.changes", "has more than %d changes", MaxWeatherTimes)
	}
	closed := map[int64]bool{}
	for _, way := range c.ClosedWays {
		closed[way] = true
	}
	last := Duration(0)
	for i := range c.Changes {
		ch, path := &c.Changes[i], fmt.Sprintf("conditions.changes[%d]", i)
		if ch.At < last {
			return wrong(path+".at", "is %v, before the change above it at %v: put them in order of time", ch.At, last)
		}
		last = ch.At
		if err := s.validateChange(ch, path, closed); err != nil {
			return err
		}
	}
	return nil
}

// validateChange judges a change, and changes what is closed.
func (s *Scenario) validateChange(ch *WeatherChange, path string, closed map[int64]bool) error {
	if err := s.checkAt(path+".at", ch.At); err != nil {
		return err
	}
	if ch.WindMPS == nil && ch.WindFromDeg == nil && ch.GustMPS == nil && len(ch.CloseWays)+len(ch.OpenWays) == 0 {
		return wrong(path, "changes nothing: give wind_mps, wind_from_deg, gust_mps, close_ways or open_ways")
	}
	if err := checkWind(path, ch.WindMPS, ch.WindFromDeg, ch.GustMPS); err != nil {
		return err
	}
	if err := checkWays(path+".close_ways", ch.CloseWays); err != nil {
		return err
	}
	for i, way := range ch.OpenWays {
		if !closed[way] {
			return wrong(fmt.Sprintf("%s.open_ways[%d]", path, i), "is %d, which is not closed then", way)
		}
		delete(closed, way)
	}
	for _, way := range ch.CloseWays {
		closed[way] = true
	}
	if len(closed) > MaxClosedWays {
		return wrong(path+".close_ways", "makes more than %d closed ways", MaxClosedWays)
	}
	return nil
}

// checkWind judges the figures of a wind, nil for those that are not given.
func checkWind(path string, mps, fromDeg, gustMPS *float64) error {
	for _, f := range []struct {
		key   string
		value *float64
		most  float64
	}{{".wind_mps", mps, MaxWindMPS}, {".wind_from_deg", fromDeg, 360}, {".gust_mps", gustMPS, MaxWindMPS}} {
		if f.value == nil {
			continue
		}
		if err := checkNumber(path+f.key, *f.value, 0, f.most); err != nil {
			return err
		}
	}
	return nil
}

// checkWays judges a list of ways to be closed.
func checkWays(path string, ways []int64) error {
	if len(ways) > MaxClosedWays {
		return wrong(path, "has more than %d ways", MaxClosedWays)
	}
	named := map[int64]bool{0: true}
	for i, way := range ways {
		if named[way] {
			return wrong(fmt.Sprintf("%s[%d]", path, i), "is %d: it must be the id of a way, and named once", way)
		}
		named[way] = true
	}
	return nil
}

// checkClosed refuses ways that the chart does not have.
func (s *Scenario) checkClosed(on *chart.Chart) error {
	known := map[int64]bool{}
	for i := range on.Ground.Arcs {
		known[on.Ground.Arcs[i].WayID] = true
	}
	check := func(path string, ways []int64) error {
		for i, way := range ways {
			if !known[way] {
				at := fmt.Sprintf("%s[%d]", path, i)
				return fmt.Errorf("%s: %w: %s is %d, which is no way of the chart %s that anybody drives on", s.Where(at), ErrInvalid, at, way, on.Name)
			}
		}
		return nil
	}
	if err := check("conditions.closed_ways", s.Conditions.ClosedWays); err != nil {
		return err
	}
	for i := range s.Conditions.Changes {
		if err := check(fmt.Sprintf("conditions.changes[%d].close_ways", i), s.Conditions.Changes[i].CloseWays); err != nil {
			return err
		}
	}
	return nil
}

// LostLinks lists what vehicles may do without a link.
func LostLinks() []string { return []string{"continue", "hold", "return", "land"} }

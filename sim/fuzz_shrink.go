package sim

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/sim/scenario"
)

// Shrink looks for a smaller scenario in which the same checker finds something:
// it halves the duration, drops troubles, demand and vehicles, as long as that
// succeeds, in at most so many runs. Tell is told of each success, nil for nobody.
// It returns the smallest that it found, with its verdict, and how many runs it
// took; the error is that of a context that has ended, and what was found until
// then stands.
//
// The parts of a list are dropped in halves, then quarters and so on, as delta
// debugging does (Zeller and Hildebrandt, "Simplifying and isolating
// failure-inducing input", 2002).
func (c FuzzCase) Shrink(ctx context.Context, checker string, runs int, o Options, tell func(FuzzCase)) (FuzzCase, FuzzVerdict, int, error) {
	s := shrinker{best: c, checker: checker, left: runs, options: o, tell: tell}
	err := s.all(ctx)
	return s.best, s.verdict, runs - s.left, err
}

type shrinker struct {
	best    FuzzCase
	verdict FuzzVerdict
	checker string
	left    int
	options Options
	tell    func(FuzzCase)
}

// all tries everything until nothing helps any more.
func (s *shrinker) all(ctx context.Context) error {
	for better := true; better && s.left > 0; {
		better = false
		for _, step := range []func(context.Context) (bool, error){s.shorter, s.without, s.fewer, s.less} {
			ok, err := step(ctx)
			if err != nil {
				return err
			}
			better = better || ok
		}
	}
	return nil
}

// try runs a smaller scenario, and keeps it when the checker still finds something.
func (s *shrinker) try(ctx context.Context, smaller scenario.Scenario) (bool, error) {
	if s.left <= 0 {
		return false, nil
	}
	tidy(&smaller)
	read, _, err := rewrite(smaller)
	if err != nil {
		// What cannot be is not tried: the last fleet was dropped, say.
		return false, nil
	}
	s.left--
	c := FuzzCase{Scenario: read, Chart: s.best.Chart}
	v, err := c.Run(ctx, s.options)
	if err != nil || !slices.Contains(v.Checkers(), s.checker) {
		return false, err
	}
	s.best, s.verdict = c, v
	if s.tell != nil {
		s.tell(c)
	}
	return true, nil
}

// shorter halves the safety phase, and takes a liveness phase away that is not
// needed.
func (s *shrinker) shorter(ctx context.Context) (bool, error) {
	better := false
	for s.best.Scenario.Duration.D() > 10*time.Second {
		smaller := s.best.Scenario
		smaller.Duration = scenario.Duration((smaller.Duration.D() / 2).Truncate(time.Second))
		ok, err := s.try(ctx, smaller)
		if err != nil {
			return better, err
		}
		if !ok {
			break
		}
		better = true
	}
	if s.best.Scenario.Settle == 0 || s.checker == "liveness" {
		return better, nil
	}
	smaller := s.best.Scenario
	smaller.Settle = 0
	ok, err := s.try(ctx, smaller)
	return better || ok, err
}

// without drops whole groups of troubles.
func (s *shrinker) without(ctx context.Context) (bool, error) {
	better := false
	for _, drop := range []func(*scenario.Scenario){
		func(s *scenario.Scenario) { s.Faults = nil },
		func(s *scenario.Scenario) { s.Crashes = scenario.Crashes{} },
		func(s *scenario.Scenario) { s.Network = scenario.Network{} },
		func(s *scenario.Scenario) { s.Network.Outages, s.Network.Storms = nil, nil },
		func(s *scenario.Scenario) {
			s.Network = scenario.Network{Outages: s.Network.Outages, Storms: s.Network.Storms}
		},
		func(s *scenario.Scenario) { s.Zones, s.Actions = nil, nil },
		func(s *scenario.Scenario) { s.Incidents = scenario.Incidents{} },
		func(s *scenario.Scenario) { s.Orders = scenario.Orders{} },
		func(s *scenario.Scenario) { s.Conditions = scenario.Conditions{} },
		func(s *scenario.Scenario) { s.Fleet = scenario.Settings{} },
	} {
		smaller := s.best.Scenario
		drop(&smaller)
		if same(&smaller, &s.best.Scenario) {
			continue
		}
		ok, err := s.try(ctx, smaller)
		if err != nil {
			return better, err
		}
		better = better || ok
	}
	return better, nil
}

// same tells whether two scenarios say the same.
func same(a, b *scenario.Scenario) bool {
	_, textA, errA := rewrite(*a)
	_, textB, errB := rewrite(*b)
	return errA == nil && errB == nil && string(textA) == string(textB)
}

// list is a list of a scenario that can be cut.
type list struct {
	long func(*scenario.Scenario) int
	cut  func(s *scenario.Scenario, from, to int)
}

func listOf[T any](of func(*scenario.Scenario) *[]T) list {
	return list{
		long: func(s *scenario.Scenario) int { return len(*of(s)) },
		cut: func(s *scenario.Scenario, from, to int) {
			all := *of(s)
			*of(s) = slices.Concat(all[:from], all[to:])
		},
	}
}

// fewer drops parts of lists.
func (s *shrinker) fewer(ctx context.Context) (bool, error) {
	better := false
	for _, l := range []list{
		listOf(func(s *scenario.Scenario) *[]scenario.Fault { return &s.Faults }),
		listOf(func(s *scenario.Scenario) *[]scenario.Duration { return &s.Crashes.At }),
		listOf(func(s *scenario.Scenario) *[]scenario.Outage { return &s.Network.Outages }),
		listOf(func(s *scenario.Scenario) *[]scenario.Duration { return &s.Network.Storms }),
		listOf(func(s *scenario.Scenario) *[]scenario.Action { return &s.Actions }),
		listOf(func(s *scenario.Scenario) *[]scenario.TimedZone { return &s.Zones }),
		listOf(func(s *scenario.Scenario) *[]scenario.WeatherChange { return &s.Conditions.Changes }),
		listOf(func(s *scenario.Scenario) *[]scenario.TimedIncident { return &s.Incidents.Timed }),
		listOf(func(s *scenario.Scenario) *[]scenario.TimedOrder { return &s.Orders.Timed }),
		listOf(func(s *scenario.Scenario) *[]scenario.Fleet { return &s.Fleets }),
	} {
		ok, err := s.thin(ctx, l)
		if err != nil {
			return better, err
		}
		better = better || ok
	}
	return better, nil
}

// thin drops halves of a list, then quarters, down to single parts.
func (s *shrinker) thin(ctx context.Context, l list) (bool, error) {
	better := false
	for size := (l.long(&s.best.Scenario) + 1) / 2; size > 0; size /= 2 {
		for from := 0; from < l.long(&s.best.Scenario); {
			smaller := s.best.Scenario
			l.cut(&smaller, from, min(from+size, l.long(&smaller)))
			ok, err := s.try(ctx, smaller)
			if err != nil {
				return better, err
			}
			if !ok {
				from += size
			}
			better = better || ok
		}
	}
	return better, nil
}

// less makes the fleets smaller.
func (s *shrinker) less(ctx context.Context) (bool, error) {
	better := false
	for i := range s.best.Scenario.Fleets {
		for by := s.best.Scenario.Fleets[i].Count / 2; by > 0; by /= 2 {
			for s.best.Scenario.Fleets[i].Count > by {
				smaller := s.best.Scenario
				smaller.Fleets = slices.Clone(smaller.Fleets)
				smaller.Fleets[i].Count -= by
				ok, err := s.try(ctx, smaller)
				if err != nil {
					return better, err
				}
				if !ok {
					break
				}
				better = true
			}
		}
	}
	return better, nil
}

// tidy drops what has lost its time or its vehicle.
func tidy(s *scenario.Scenario) {
	gone := func(vehicle string) bool {
		if vehicle == "" || vehicle == "*" {
			return false
		}
		return !slices.ContainsFunc(s.Fleets, func(f scenario.Fleet) bool {
			if vehicle == f.Prefix+"*" {
				return true
			}
			if !strings.HasPrefix(vehicle, f.Prefix) {
				return false
			}
			for n := range f.Count {
				if f.VehicleID(n+1) == vehicle {
					return true
				}
			}
			return false
		})
	}
	late := func(at scenario.Duration) bool { return at >= s.Duration }
	drop(&s.Faults, func(f scenario.Fault) bool { return late(f.At) || gone(f.Vehicle) })
	drop(&s.Crashes.At, late)
	drop(&s.Network.Storms, late)
	drop(&s.Network.Outages, func(o scenario.Outage) bool { return late(o.At) || gone(o.Vehicle) })
	drop(&s.Actions, func(a scenario.Action) bool { return gone(a.Vehicle) })
	tidyWeather(&s.Conditions, s.Duration)
	drop(&s.Zones, func(z scenario.TimedZone) bool { return late(z.At) })
	drop(&s.Incidents.Timed, func(i scenario.TimedIncident) bool { return late(i.At) })
	drop(&s.Orders.Timed, func(o scenario.TimedOrder) bool { return late(o.At) })
	for i := range s.Faults {
		s.Faults[i].For = min(s.Faults[i].For, s.Duration-s.Faults[i].At)
	}
	for i := range s.Network.Outages {
		s.Network.Outages[i].For = min(s.Network.Outages[i].For, s.Duration-s.Network.Outages[i].At)
	}
	for i := range s.Zones {
		s.Zones[i].For = min(s.Zones[i].For, s.Duration-s.Zones[i].At)
	}
	// What is undone later than the end is undone at the end.
	for i := range s.Actions {
		s.Actions[i].At = min(s.Actions[i].At, s.Duration-scenario.Duration(time.Second))
	}
	for i := range s.Incidents.Timed {
		s.Incidents.Timed[i].CloseAfter = min(s.Incidents.Timed[i].CloseAfter, s.Duration-s.Incidents.Timed[i].At)
	}
	for i, o := range s.Orders.Timed {
		if o.CancelAfter != nil {
			after := min(*o.CancelAfter, s.Duration-o.At)
			s.Orders.Timed[i].CancelAfter = &after
		}
	}
}

// tidyWeather brings changes forward that would come after the end, and opens only
// streets that are closed.
func tidyWeather(c *scenario.Conditions, end scenario.Duration) {
	c.Changes = slices.Clone(c.Changes)
	closed := slices.Clone(c.ClosedWays)
	for i := range c.Changes {
		ch := &c.Changes[i]
		ch.At = min(ch.At, end)
		drop(&ch.OpenWays, func(way int64) bool { return !slices.Contains(closed, way) })
		drop(&closed, func(way int64) bool { return slices.Contains(ch.OpenWays, way) })
		closed = append(closed, ch.CloseWays...)
	}
	drop(&c.Changes, func(ch scenario.WeatherChange) bool {
		return ch.WindMPS == nil && ch.WindFromDeg == nil && ch.GustMPS == nil && len(ch.CloseWays)+len(ch.OpenWays) == 0
	})
}

// drop takes what matches out of a list, which is left as it is: others may have
// it too.
func drop[T any](list *[]T, match func(T) bool) {
	*list = slices.DeleteFunc(slices.Clone(*list), match)
}

package scenario

import (
	"fmt"
	"slices"
)

// MaxRepetitions bounds how often one happening of a file may happen; a file that
// asks for more is refused.
const MaxRepetitions = 10_000

// recurrence is when something happens again.
type recurrence struct {
	at, every, until Duration
	times            int
}

// count is how often it happens in a run of a duration.
func (r recurrence) count(duration Duration) int {
	if r.every <= 0 {
		return 1
	}
	until := duration
	if r.until > 0 {
		until = min(until, r.until)
	}
	n := 0
	if until >= r.at {
		n = int((until-r.at)/r.every) + 1
		if r.until == 0 && (until-r.at)%r.every == 0 && n > 1 {
			// What would begin just at the end is not seen any more.
			n--
		}
	}
	if r.times > 0 {
		n = min(n, r.times)
	}
	return max(n, 1)
}

// check judges a recurrence at a path.
func (r recurrence) check(path string, duration Duration) error {
	switch {
	case r.every == 0 && (r.times != 0 || r.until != 0):
		return wrong(path, "has times or until without every: say after how long it happens again, such as every: 10m")
	case r.times < 0 || r.times > MaxRepetitions:
		return wrong(path+".times", "is %d: it must be 1 to %d", r.times, MaxRepetitions)
	case r.until != 0 && r.until < r.at:
		return wrong(path+".until", "is %v, before the first at %v", r.until, r.at)
	case r.count(duration) > MaxRepetitions:
		return wrong(path+".every", "is %v: it would happen %d times; bound it with times or until to %d", r.every, r.count(duration), MaxRepetitions)
	}
	return nil
}

// recurring are what may happen again and again.
type recurring interface {
	TimedOrder | TimedIncident | TimedZone | Action | Fault
}

// of reads when a happening recurs.
func of[T recurring](item *T) recurrence {
	switch it := any(item).(type) {
	case *TimedOrder:
		return recurrence{it.At, it.Every, it.Until, it.Times}
	case *TimedIncident:
		return recurrence{it.At, it.Every, it.Until, it.Times}
	case *TimedZone:
		return recurrence{it.At, it.Every, it.Until, it.Times}
	case *Action:
		return recurrence{it.At, it.Every, it.Until, it.Times}
	case *Fault:
		return recurrence{it.At, it.Every, it.Until, it.Times}
	}
	return recurrence{}
}

// again makes a happening its repetition number k, the first being 0.
func again[T recurring](item *T, k int) {
	at := of(item).at + Duration(k)*of(item).every
	name := func(own string) string {
		if own == "" || k == 0 {
			return own
		}
		return fmt.Sprintf("%s/%d", own, k+1)
	}
	switch it := any(item).(type) {
	case *TimedOrder:
		it.Name, it.At, it.Every, it.Until, it.Times = name(it.Name), at, 0, 0, 0
		it.Stops = slices.Clone(it.Stops)
	case *TimedIncident:
		it.Name, it.At, it.Every, it.Until, it.Times = name(it.Name), at, 0, 0, 0
	case *TimedZone:
		it.Name, it.At, it.Every, it.Until, it.Times = name(it.Name), at, 0, 0, 0
	case *Action:
		it.At, it.Every, it.Until, it.Times = at, 0, 0, 0
	case *Fault:
		it.At, it.Every, it.Until, it.Times = at, 0, 0, 0
	}
}

// repeat replaces each happening of a list by its repetitions.
func repeat[T recurring](list []T, duration Duration) []T {
	if !slices.ContainsFunc(list, func(item T) bool { return of(&item).every > 0 }) {
		return list
	}
	var out []T
	for i := range list {
		for k := range of(&list[i]).count(duration) {
			item := list[i]
			again(&item, k)
			out = append(out, item)
		}
	}
	return out
}

// checkRecurring judges all recurrences of a list, and how many they make.
func checkRecurring[T recurring](path string, list []T, duration Duration, most int) error {
	sum := 0
	for i := range list {
		where := fmt.Sprintf("%s[%d]", path, i)
		r := of(&list[i])
		if err := r.check(where, duration); err != nil {
			return err
		}
		if sum += r.count(duration); sum > most {
			return wrong(where, "makes more than %d of %s together", most, path)
		}
	}
	return nil
}

func (s *Scenario) validateRecurring() error {
	if err := checkRecurring("orders.timed", s.Orders.Timed, s.Duration, MaxOrders); err != nil {
		return err
	}
	if err := checkRecurring("incidents.timed", s.Incidents.Timed, s.Duration, MaxIncidents); err != nil {
		return err
	}
	if err := checkRecurring("zones", s.Zones, s.Duration, MaxZones); err != nil {
		return err
	}
	if err := checkRecurring("actions", s.Actions, s.Duration, MaxTroubles); err != nil {
		return err
	}
	return checkRecurring("faults", s.Faults, s.Duration, MaxTroubles)
}

// repeatAll replaces what recurs by its repetitions.
func (s *Scenario) repeatAll() {
	s.Orders.Timed = repeat(s.Orders.Timed, s.Duration)
	s.Incidents.Timed = repeat(s.Incidents.Timed, s.Duration)
	s.Zones = repeat(s.Zones, s.Duration)
	s.Actions = repeat(s.Actions, s.Duration)
	s.Faults = repeat(s.Faults, s.Duration)
}

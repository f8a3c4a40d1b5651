package chart

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
)

// The limits of schedules.
const (
	// MaxPeriods is how many periods a zone's schedule may have.
	MaxPeriods = 64
	// MaxSunOffsetS is how far before or after an event of the sun a moment may
	// be.
	MaxSunOffsetS = 6 * 3600
	// MaxScheduleDays is how many days from a time on a schedule is looked at: a
	// change beyond it is not found, and a stretch of more days is taken as
	// wholly in force.
	MaxScheduleDays = 372
)

// Weekdays is a set of days of the week, Monday in bit 0 to Sunday in bit 6; 0 is
// each day.
type Weekdays uint8

const allWeekdays = Weekdays(1<<7 - 1)

// weekdayNames are the names of days in JSON, those of ED-269 and ED-318.
const weekdayNames = "MON TUE WED THU FRI SAT SUN"

// Period is a weekly time of force: on Days, from Start to End of that day in UTC.
// End is the first such moment after Start, so that one whose clock time is not
// after that of Start is on the next day. A period one of whose events of the sun
// does not happen on a day (polar day or night, nights that do not get dark) is on
// the safe side: with no Start it is in force from 12 h before the solar noon of
// that day, with no End until 24 h after its start.
type Period struct {
	Days  Weekdays `json:"days,omitempty"`
	Start Moment   `json:"start"`
	End   Moment   `json:"end"`
}

// Moment is a clock time, or an event of the sun at the zone's middle with an
// offset. As text it is "07:30", "07:30:15", "SR" or "SS+00:30"; clock times are
// in UTC and go to "24:00".
type Moment struct {
	// Event is empty for a clock time.
	Event SunEvent
	// ClockS is in seconds after 00:00 UTC, or after the event; it may be negative
	// with an event.
	ClockS int32
}

// Interval is a time of force: From belongs to it and Until does not. A zero time
// is an open end.
type Interval struct{ From, Until time.Time }

const (
	hourSeconds = 3600
	daySeconds  = 24 * hourSeconds
)

// floorDay is the day of a time in seconds, both since 1970.
func floorDay(unix int64) int64 {
	day := unix / daySeconds
	if unix%daySeconds < 0 {
		day--
	}
	return day
}

// Timed tells whether the zone has a begin, an end or a schedule.
func (z *Zone) Timed() bool {
	return !z.From.IsZero() || !z.Until.IsZero() || len(z.Schedule) > 0
}

// ActiveAt tells whether the zone is in force at a time.
func (z *Zone) ActiveAt(t time.Time) bool {
	if !z.From.IsZero() && t.Before(z.From) || !z.Until.IsZero() && !t.Before(z.Until) {
		return false
	}
	if len(z.Schedule) == 0 {
		return true
	}
	s := z.roster()
	unix := t.Unix()
	today := floorDay(unix)
	for i := range s.periods {
		p := &s.periods[i]
		// The most likely days come first, as events take long to work out.
		for _, day := range [...]int64{today, today - 1, today + 1, today - 2} {
			if sp, ok := s.on(p, day); ok && sp.lo <= unix && unix < sp.hi {
				return true
			}
		}
	}
	return false
}

// ActiveDuring tells whether the zone is in force at any time from one to another,
// both included. With a schedule, a stretch of more than MaxScheduleDays is.
func (z *Zone) ActiveDuring(from, to time.Time) bool {
	if to.Before(from) || !z.From.IsZero() && to.Before(z.From) || !z.Until.IsZero() && !from.Before(z.Until) {
		return false
	}
	if len(z.Schedule) == 0 {
		return true
	}
	if from.Before(z.From) {
		from = z.From
	}
	if !z.Until.IsZero() && !to.Before(z.Until) {
		to = z.Until.Add(-1)
	}
	first, last := floorDay(from.Unix()), floorDay(to.Unix())
	if last-first > MaxScheduleDays {
		return true
	}
	s := z.roster()
	for day := first - sunReach; day <= last+1; day++ {
		for i := range s.periods {
			sp, ok := s.on(&s.periods[i], day)
			if ok && sp.lo <= to.Unix() && from.Unix() < sp.hi {
				return true
			}
		}
	}
	return false
}

// NextChange is when the zone next begins or ends, after a time; false when it
// does not within MaxScheduleDays of it, or of its From if that is later.
func (z *Zone) NextChange(after time.Time) (time.Time, bool) {
	if len(z.Schedule) == 0 {
		switch {
		case z.From.After(after):
			return z.From, true
		case z.Until.After(after):
			return z.Until, true
		}
		return time.Time{}, false
	}
	from := after
	if z.From.After(after) {
		if z.ActiveAt(z.From) {
			return z.From, true
		}
		from = z.From
	}
	for _, days := range [...]int{2, 9, MaxScheduleDays} {
		for _, in := range z.Intervals(from, from.AddDate(0, 0, days), nil) {
			switch {
			case in.From.After(after):
				return in.From, true
			case in.Until.After(after):
				return in.Until, true
			case in.Until.IsZero():
				return time.Time{}, false
			}
		}
	}
	return time.Time{}, false
}

// Intervals appends to dst, in their order, the times of force that have an instant
// in common with the stretch from one time to another, both included, each as long
// as it lasts: it may begin before and end after the stretch. What lasts longer
// than MaxScheduleDays has open ends. At most MaxScheduleDays are looked at; the
// rest of a longer stretch counts as in force.
func (z *Zone) Intervals(from, to time.Time, dst []Interval) []Interval {
	if to.Before(from) || !z.From.IsZero() && to.Before(z.From) || !z.Until.IsZero() && !from.Before(z.Until) {
		return dst
	}
	if len(z.Schedule) == 0 {
		return append(dst, Interval{z.From, z.Until})
	}
	s := z.roster()
	first, last := floorDay(from.Unix()), floorDay(to.Unix())
	endless := last-first > MaxScheduleDays
	if endless {
		last = first + MaxScheduleDays
	}
	var spans []daySpan
	for _, more := range [...]int64{0, 9, MaxScheduleDays} {
		spans = s.between(first-more, last+more, spans[:0])
		lo, hi := (first-more)*daySeconds, (last+more+1)*daySeconds
		open := false
		for i := range spans {
			if meets := spans[i].lo <= to.Unix() && from.Unix() < spans[i].hi; meets {
				open = open || spans[i].lo <= lo || spans[i].hi >= hi
			}
		}
		if !open || more == MaxScheduleDays || more > 0 && !s.sunny {
			for i := range spans {
				if spans[i].lo <= lo {
					spans[i].lo = foreverAgo
				}
				if spans[i].hi >= hi {
					spans[i].hi = forever
				}
			}
			break
		}
	}
	if endless {
		spans = merge(append(spans, daySpan{(last + 1) * daySeconds, forever}))
	}
	return z.clip(spans, from, to, dst)
}

// The ends of spans without an end.
const (
	foreverAgo = -1 << 62
	forever    = 1 << 62
)

// clip turns spans that meet a stretch into intervals within the zone's own times.
func (z *Zone) clip(spans []daySpan, from, to time.Time, dst []Interval) []Interval {
	for _, sp := range spans {
		in := Interval{z.From, z.Until}
		if begin := time.Unix(sp.lo, 0).UTC(); sp.lo != foreverAgo && (z.From.IsZero() || begin.After(z.From)) {
			in.From = begin
		}
		if end := time.Unix(sp.hi, 0).UTC(); sp.hi != forever && (z.Until.IsZero() || end.Before(z.Until)) {
			in.Until = end
		}
		empty := !in.Until.IsZero() && !in.From.Before(in.Until)
		if !empty && !in.From.After(to) && (in.Until.IsZero() || in.Until.After(from)) {
			dst = append(dst, in)
		}
	}
	return dst
}

// daySpan is a time of force in seconds since 1970; hi does not belong to it.
type daySpan struct{ lo, hi int64 }

// roster is a schedule with the place of its events.
type roster struct {
	periods []Period
	middle  orb.Point
	// sunny says that an event of the sun occurs.
	sunny bool
}

func (z *Zone) roster() roster {
	s := roster{periods: z.Schedule}
	for i := range z.Schedule {
		s.sunny = s.sunny || z.Schedule[i].Start.Event != "" || z.Schedule[i].End.Event != ""
	}
	if s.sunny && len(z.Polygon) > 0 {
		s.middle = z.Polygon[0].Bound().Center()
	}
	return s
}

// sunReach is how many days before another a period may begin that still lasts
// then: a solar day lies up to half a day beside the date, and an offset is up to six
// hours more.
const sunReach = 2

// on is when a period that begins on a day is in force; false when it does not
// begin on that day of the week.
func (s *roster) on(p *Period, day int64) (daySpan, bool) {
	// The first of January 1970 was a Thursday.
	if weekday := ((day+3)%7 + 7) % 7; p.Days != 0 && p.Days&(1<<weekday) == 0 {
		return daySpan{}, false
	}
	lo, ok := s.moment(p.Start, day)
	if !ok {
		lo = s.midnight(day)
	}
	for k := day - 1; k <= day+2; k++ {
		// Events are within their solar day but for some minutes.
		if p.End.Event != "" && s.midnight(k+1)+int64(p.End.ClockS)+hourSeconds <= lo {
			continue
		}
		hi, ok := s.moment(p.End, k)
		switch {
		case ok && hi > lo:
			return daySpan{lo, min(hi, lo+2*daySeconds)}, true
		case !ok && s.midnight(k+1) > lo:
			return daySpan{lo, lo + daySeconds}, true
		}
	}
	return daySpan{lo, lo + daySeconds}, true
}

// moment is a moment of a day, in seconds since 1970; false where the event does
// not happen.
func (s *roster) moment(m Moment, day int64) (int64, bool) {
	if m.Event == "" {
		return day*daySeconds + int64(m.ClockS), true
	}
	seconds, ok := sunSeconds(m.Event, s.middle, day)
	return seconds + int64(m.ClockS), ok
}

// midnight is the begin of a solar day.
func (s *roster) midnight(day int64) int64 {
	return day*daySeconds - int64(s.middle[0]*240)
}

// between lists what the schedule has in force from the begin of one day to the end
// of another, in order and joined where it touches.
func (s *roster) between(first, last int64, dst []daySpan) []daySpan {
	for day := first - sunReach; day <= last+1; day++ {
		for i := range s.periods {
			if sp, ok := s.on(&s.periods[i], day); ok {
				dst = append(dst, sp)
			}
		}
	}
	return merge(dst)
}

// merge sorts spans and joins those that touch.
func merge(spans []daySpan) []daySpan {
	slices.SortFunc(spans, func(a, b daySpan) int { return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.hi, b.hi)) })
	kept := spans[:0]
	for _, sp := range spans {
		if n := len(kept); n > 0 && sp.lo <= kept[n-1].hi {
			kept[n-1].hi = max(kept[n-1].hi, sp.hi)
			continue
		}
		kept = append(kept, sp)
	}
	return kept
}

// checkSchedule says what is wrong with a schedule.
func checkSchedule(schedule []Period) error {
	if len(schedule) > MaxPeriods {
		return fmt.Errorf("the schedule has %d periods, the limit is %d", len(schedule), MaxPeriods)
	}
	for i, p := range schedule {
		if p.Days > allWeekdays {
			return fmt.Errorf("schedule %d: days has bits beyond the week", i+1)
		}
		for _, m := range [...]Moment{p.Start, p.End} {
			if err := m.check(); err != nil {
				return fmt.Errorf("schedule %d: %w", i+1, err)
			}
		}
	}
	return nil
}

func (m Moment) check() error {
	switch m.Event {
	case "":
		if m.ClockS < 0 || m.ClockS > daySeconds {
			return fmt.Errorf("the clock time is %d s after midnight, not within the day", m.ClockS)
		}
	case BMCT, SR, SS, EMCT:
		if m.ClockS < -MaxSunOffsetS || m.ClockS > MaxSunOffsetS {
			return fmt.Errorf("%s is moved by %d s, more than %d", m.Event, m.ClockS, MaxSunOffsetS)
		}
	default:
		return fmt.Errorf("the event %q is not BMCT, SR, SS or EMCT", m.Event)
	}
	return nil
}

// MarshalText gives the moment as text.
func (m Moment) MarshalText() ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	clock := func(s int32) string {
		if s%60 == 0 {
			return fmt.Sprintf("%02d:%02d", s/3600, s/60%60)
		}
		return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	switch {
	case m.Event == "":
		return []byte(clock(m.ClockS)), nil
	case m.ClockS > 0:
		return []byte(string(m.Event) + "+" + clock(m.ClockS)), nil
	case m.ClockS < 0:
		return []byte(string(m.Event) + "-" + clock(-m.ClockS)), nil
	}
	return []byte(m.Event), nil
}

// UnmarshalText takes the text of a moment.
func (m *Moment) UnmarshalText(text []byte) error {
	s := string(text)
	var one Moment
	sign := int32(1)
	if at := strings.IndexAny(s, "+-"); at >= 0 {
		if s[at] == '-' {
			sign = -1
		}
		one.Event, s = SunEvent(s[:at]), s[at+1:]
		if one.Event == "" {
			return fmt.Errorf("the moment %q has an offset to nothing", text)
		}
	} else if s != "" && (s[0] < '0' || s[0] > '9') {
		one.Event, s = SunEvent(s), ""
	}
	if s != "" || one.Event == "" {
		seconds, ok := clockSeconds(s)
		if !ok {
			return fmt.Errorf("the moment %q is neither a clock time such as 07:30 nor an event of the sun such as SR or SS+00:30", text)
		}
		one.ClockS = sign * seconds
	}
	if err := one.check(); err != nil {
		return err
	}
	*m = one
	return nil
}

// clockSeconds reads HH:MM or HH:MM:SS.
func clockSeconds(s string) (int32, bool) {
	if len(s) != 5 && len(s) != 8 {
		return 0, false
	}
	total := int32(0)
	for i, unit := 0, int32(3600); i < len(s); i, unit = i+3, unit/60 {
		a, b := s[i], s[i+1]
		if a < '0' || a > '9' || b < '0' || b > '9' || i > 0 && (s[i-1] != ':' || a > '5') {
			return 0, false
		}
		total += (int32(a-'0')*10 + int32(b-'0')) * unit
	}
	return total, true
}

// String names the days, MON to SUN, with blanks between them; nothing for each day.
func (d Weekdays) String() string { return strings.Join(d.Names(), " ") }

// MarshalJSON gives the days as a list of names, MON to SUN.
func (d Weekdays) MarshalJSON() ([]byte, error) { return json.Marshal(d.Names()) }

// Names are the days of the set from MON to SUN, none for each day.
func (d Weekdays) Names() []string {
	names := []string{}
	for i, name := range strings.Fields(weekdayNames) {
		if d&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// UnmarshalJSON takes a list of names.
func (d *Weekdays) UnmarshalJSON(data []byte) error {
	var names []string
	if err := json.Unmarshal(data, &names); err != nil {
		return fmt.Errorf("days: %w", err)
	}
	var days Weekdays
	for _, name := range names {
		i := slices.Index(strings.Fields(weekdayNames), name)
		if i < 0 {
			return fmt.Errorf("the day %q is not one of %s", name, weekdayNames)
		}
		days |= 1 << i
	}
	*d = days
	return nil
}

package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// applicabilities reads when a zone is in force; none means always.
func (im *airspaceImport) applicabilities(zone *jnode, member, id string) ([]applicability, error) {
	n, ok := zone.get(member)
	if !ok {
		return nil, nil
	}
	var times []applicability
	for _, item := range n.items() {
		t, err := im.applicability(item, id)
		if err != nil {
			return nil, err
		}
		if t.from.IsZero() && t.until.IsZero() && t.schedule == nil {
			// Always, whatever else there is.
			return nil, nil
		}
		times = append(times, t)
	}
	return times, nil
}

func (im *airspaceImport) applicability(n *jnode, id string) (applicability, error) {
	var t applicability
	permanent, err := n.word("permanent")
	if err != nil {
		return t, err
	}
	switch strings.ToUpper(permanent) {
	case "YES", "NO", "":
	default:
		return t, n.fault("permanent is %.40q, not YES or NO", permanent)
	}
	if strings.ToUpper(permanent) != "YES" {
		for member, at := range map[string]*time.Time{"startDateTime": &t.from, "endDateTime": &t.until} {
			if *at, err = readTime(n, member); err != nil {
				return t, err
			}
		}
		if !t.from.IsZero() && !t.until.IsZero() && !t.until.After(t.from) {
			return t, n.fault("it ends at %s, not after it begins at %s", t.until.Format(time.RFC3339), t.from.Format(time.RFC3339))
		}
	}
	schedule, ok := n.get("schedule")
	if !ok {
		return t, nil
	}
	for _, item := range schedule.items() {
		periods, err := im.periods(item, id)
		if err != nil {
			return t, err
		}
		t.schedule = append(t.schedule, periods...)
	}
	return t, nil
}

// readTime reads a time as in RFC 3339; a zero time for none. One without an
// offset is in UTC, as ED-269 and ED-318 have it.
func readTime(n *jnode, member string) (time.Time, error) {
	at, ok := n.get(member)
	if !ok {
		return time.Time{}, nil
	}
	text, err := at.text()
	if err != nil {
		return time.Time{}, err
	}
	for _, form := range [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(form, text); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, at.fault("%.60q is not a time such as 2026-08-01T06:00:00Z", text)
}

// periods reads an item of a schedule. Days of holidays are known to nobody here:
// they count as each day.
func (im *airspaceImport) periods(n *jnode, id string) ([]Period, error) {
	var p Period
	if day, ok := n.get("day"); ok {
		for _, item := range day.items() {
			name, err := item.text()
			if err != nil {
				return nil, err
			}
			i := slices.Index(strings.Fields(weekdayNames), strings.ToUpper(name))
			switch {
			case i >= 0:
				p.Days |= 1 << i
			case slices.Contains([]string{"WORK_DAY", "BEF_WORK_DAY", "AFT_WORK_DAY", "HOL", "BEF_HOL", "AFT_HOL", "BUSY_FRI"}, name):
				im.report.note(&im.report.Widened, id, 0, "it is in force on days %q, which are taken as each day", name)
				p.Days = allWeekdays
			case strings.EqualFold(name, "ANY"):
				p.Days = allWeekdays
			default:
				return nil, item.fault("the day %.40q is not ANY or one of %s", name, weekdayNames)
			}
		}
	}
	if p.Days == allWeekdays {
		p.Days = 0
	}
	start, shift, err := readMoment(n, "startTime", "startEvent", false)
	if err != nil {
		return nil, err
	}
	end, _, err := readMoment(n, "endTime", "endEvent", true)
	if err != nil {
		return nil, err
	}
	p.Start, p.End = start, end
	p.Days = p.Days.shift(shift)
	return []Period{p}, nil
}

// shift moves the days of the week on.
func (d Weekdays) shift(days int) Weekdays {
	if days = (days%7 + 7) % 7; days == 0 {
		return d
	}
	return (d<<days | d>>(7-days)) & allWeekdays
}

// readMoment reads a clock time or an event; neither is the begin of the day. In
// UTC it may lie on another day than as written, by shift. A last second or minute
// of a day is meant to be its end.
func readMoment(n *jnode, clock, event string, end bool) (m Moment, shift int, err error) {
	if at, ok := n.get(event); ok {
		name, err := at.text()
		if err != nil {
			return m, 0, err
		}
		switch m.Event = SunEvent(strings.ToUpper(name)); m.Event {
		case BMCT, SR, SS, EMCT:
			return m, 0, nil
		}
		return m, 0, at.fault("the event %.40q is not BMCT, SR, SS or EMCT", name)
	}
	at, ok := n.get(clock)
	if !ok {
		return m, 0, nil
	}
	text, err := at.text()
	if err != nil {
		return m, 0, err
	}
	seconds, ok := readClock(text, end)
	if !ok {
		return m, 0, at.fault("%.40q is not a clock time such as 07:30:00Z", text)
	}
	shift = int(math.Floor(float64(seconds) / daySeconds))
	if end && seconds == daySeconds {
		shift = 0
	}
	m.ClockS = int32(seconds - shift*daySeconds)
	return m, shift, nil
}

// readClock reads HH:MM, HH:MM:SS and HH:MM:SS.FF with or without Z or an offset, in
// seconds after midnight in UTC, which may lie on the day before or after.
func readClock(text string, end bool) (int, bool) {
	offset := 0
	if at := strings.LastIndexAny(text, "+-"); at > 0 {
		seconds, ok := clockSeconds(text[at+1:])
		if !ok || seconds > 18*3600 {
			return 0, false
		}
		if offset = int(seconds); text[at] == '-' {
			offset = -offset
		}
		text = text[:at]
	}
	text = strings.TrimSuffix(text, "Z")
	whole, part, split := strings.Cut(text, ".")
	if split {
		if _, err := strconv.ParseUint(part, 10, 64); err != nil {
			return 0, false
		}
	}
	clock, ok := clockSeconds(whole)
	if !ok || clock > daySeconds {
		return 0, false
	}
	seconds := int(clock)
	if end && strings.Trim(part, "0") != "" {
		seconds++
	}
	if end && seconds >= daySeconds-60 && seconds%60 != 1 {
		// 23:59 and 23:59:59.
		if seconds == daySeconds-60 || seconds >= daySeconds-1 {
			seconds = daySeconds
		}
	}
	return seconds - offset, true
}

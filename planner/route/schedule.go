package route

import (
	"math"
	"time"
)

// How the schedules of zones are asked: the times of force of about two days are
// worked out at the first question, as an event of the sun costs as much as some
// expansions. What is kept changes no answer.

// force is what is known of a zone's times of force: all that meet the time from
// from to until, in nanoseconds since 1970 like all times here.
type force struct {
	from, until int64
	times       []nanoSpan
}

// nanoSpan is a time of force; until does not belong to it.
type nanoSpan struct{ from, until int64 }

const (
	hourNS = int64(time.Hour)
	// onceNS is the longest time asked for that is kept.
	onceNS = 30 * 24 * hourNS
)

// onSchedule tells whether a zone with a schedule is in force at any time from one
// to another.
func (p *Planner) onSchedule(l *law, t0, t1 int64) bool {
	if t1 < t0 || t1-t0 > onceNS || t1-t0 < 0 {
		return l.scheduled.ActiveDuring(time.Unix(0, t0), time.Unix(0, t1))
	}
	for _, s := range p.forceOf(l, t0, t1).times {
		if s.from <= t1 && t0 < s.until {
			return true
		}
	}
	return false
}

// lasts tells whether a zone is in force from one time to beyond another without a
// break.
func (p *Planner) lasts(l *law, t0, t1 int64) bool {
	if l.until <= t1 || l.from > t0 {
		return false
	}
	if l.scheduled == nil {
		return true
	}
	if t1 < t0 || t1-t0 > onceNS || t1-t0 < 0 {
		return false
	}
	for _, s := range p.forceOf(l, t0, t1).times {
		if s.from <= t0 && t1 < s.until {
			return true
		}
	}
	return false
}

// forceOf is what is known of a zone's times, t0 to t1 included.
func (p *Planner) forceOf(l *law, t0, t1 int64) *force {
	if len(p.forces) != len(p.laws.zones) {
		p.forces = make([]force, len(p.laws.zones))
	}
	f := &p.forces[l.at]
	if f.until != 0 && t0 >= f.from && t1 <= f.until {
		return f
	}
	f.from, f.until, f.times = t0-6*hourNS, max(t1, t0+42*hourNS), f.times[:0]
	for _, in := range l.scheduled.Intervals(time.Unix(0, f.from), time.Unix(0, f.until), nil) {
		s := nanoSpan{math.MinInt64, math.MaxInt64}
		if !in.From.IsZero() {
			s.from = in.From.UnixNano()
		}
		if !in.Until.IsZero() {
			s.until = in.Until.UnixNano()
		}
		f.times = append(f.times, s)
	}
	return f
}

// endless tells whether a zone is in force for good once it is.
func (l *law) endless() bool { return l.until == math.MaxInt64 && l.scheduled == nil }

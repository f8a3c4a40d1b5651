package fleet

import (
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
)

// When zones are in force, as far as ways are concerned.

// force is a time of force, in seconds from now.
type force struct{ from, until float64 }

// roster is what is known of the times of a zone with a schedule: all that meet the
// time from one to another. What it holds changes no answer.
type roster struct {
	from, to time.Time
	times    []chart.Interval
}

// rosterAhead is how far ahead times are worked out at once.
const rosterAhead = 48 * time.Hour

// window is a time of force in seconds from now; with a margin it counts from
// marginS before its begin, and beyond its end as far as vehicles may come earlier
// than planned.
func window(in chart.Interval, now time.Time, marginS float64) force {
	w := force{math.Inf(-1), math.Inf(1)}
	if !in.From.IsZero() {
		w.from = in.From.Sub(now).Seconds() - marginS
	}
	if !in.Until.IsZero() {
		w.until = in.Until.Sub(now).Seconds()
		if w.until > 0 && marginS > 0 {
			w.until = max(w.until+route.EarlyS, w.until*route.EarlyPart/(route.EarlyPart-1))
		}
	}
	return w
}

// forces appends when the zone counts, with a margin, of what meets the time from t0
// to t1 in seconds from now. One without a schedule has a single such time, which is
// given whether it meets that or not.
func (l *zoneLaw) forces(now time.Time, marginS, t0, t1 float64, dst []force) []force {
	whole := window(chart.Interval{From: l.zone.From, Until: l.zone.Until}, now, marginS)
	if len(l.zone.Schedule) == 0 || math.IsInf(marginS, 1) {
		return append(dst, whole)
	}
	// No plan is longer than some days, and a schedule is not known for ever.
	const mostS = chart.MaxScheduleDays * 24 * 3600
	ahead := func(s float64) time.Time {
		return now.Add(time.Duration(min(max(s, -mostS), mostS) * float64(time.Second)))
	}
	from, to := ahead(min(t0-route.EarlyS, t0*(route.EarlyPart-1)/route.EarlyPart)), ahead(t1+marginS)
	if r := &l.roster; r.from.IsZero() || from.Before(r.from) || to.After(r.to) {
		r.from, r.to = from.Add(-time.Hour), later(to, from.Add(rosterAhead))
		r.times = l.zone.Intervals(r.from, r.to, r.times[:0])
	}
	for _, in := range l.roster.times {
		if w := window(in, now, marginS); w.from <= t1 && w.until >= t0 {
			dst = append(dst, w)
		}
	}
	return dst
}

// counts tells whether the zone counts at a time in seconds from now, with a margin.
func (l *zoneLaw) counts(now time.Time, marginS, t float64) bool {
	var room [4]force
	for _, w := range l.forces(now, marginS, t, t, room[:0]) {
		if t >= w.from && t < w.until {
			return true
		}
	}
	return false
}

// comes tells whether a zone that is not always in force is so by some time.
func (l *zoneLaw) comes(now time.Time, within time.Duration) bool {
	return l.zone.Timed() && l.zone.ActiveDuring(now, now.Add(within-1))
}

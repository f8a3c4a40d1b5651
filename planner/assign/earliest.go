package assign

import (
	"cmp"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// trial is a candidate that may be able to do the job.
type trial struct {
	candidate int
	// least is a lower bound of when it finishes the last stop of the job.
	least time.Time
}

// Earliest chooses the candidate that finishes the job's last stop first, by a
// plan that also serves its After stops in time and brings it home with its
// reserve; among equals the one that stands first. A candidate that is free
// earlier than now begins now.
//
// What can be judged without a route comes first: kind, capabilities, load,
// whether it may stop at the job's places at all, and lower bounds of time and
// energy by straight lines. Of the rest, the first Limits.MaxCandidates by their
// lower bound of finishing are routed, except those that cannot be before the
// best so far, and those of a kind for which one of the job's stops has turned
// out to be out of reach. Each candidate but the best is in Excluded once, in
// order of candidates, with the reason that holds when all is done; seconds
// there count from now.
func Earliest(p *route.Planner, job Job, candidates []Candidate, now time.Time, limits Limits) Answer {
	a := Answer{Excluded: make([]Exclusion, 0, len(candidates))}
	free := slices.Clone(candidates)
	trials := make([]trial, 0, len(free))
	for i := range free {
		if free[i].FreeAt.Before(now) {
			free[i].FreeAt = now
		}
		least, x := judge(p, &job, &free[i], now)
		if x != nil {
			a.exclude(i, x)
			continue
		}
		trials = append(trials, trial{i, least})
	}
	slices.SortFunc(trials, func(x, y trial) int {
		return cmp.Or(x.least.Compare(y.least), cmp.Compare(x.candidate, y.candidate))
	})
	a.try(p, &job, free, trials, now, limits)
	if a.Best != nil {
		a.Expansions += a.Best.findLandings(p, &free[a.Best.Candidate])
	}
	a.limitSlower(&job, free, now)
	slices.SortFunc(a.Excluded, func(x, y Exclusion) int { return cmp.Compare(x.Candidate, y.Candidate) })
	return a
}

// try routes the trials in order.
func (a *Answer) try(p *route.Planner, job *Job, free []Candidate, trials []trial, now time.Time, limits Limits) {
	routed := 0
	var best time.Time
	closed := map[class]*Exclusion{}
	for k, t := range trials {
		if x := closed[classOf(&free[t.candidate].Spec)]; x != nil {
			a.exclude(t.candidate, &Exclusion{Rule: x.Rule, Number: x.Number, Limit: x.Limit, Object: x.Object, At: x.At})
			continue
		}
		if a.Best != nil && (t.least.After(best) || t.least.Equal(best) && t.candidate > a.Best.Candidate) {
			a.exclude(t.candidate, &Exclusion{Rule: Slower, Number: t.least.Sub(now).Seconds(), AtLeast: true})
			continue
		}
		left := limits.MaxExpansions - a.Expansions
		if limits.MaxExpansions > 0 && left <= 0 {
			a.Exhausted = true
			a.exclude(t.candidate, &Exclusion{Rule: NotTried, Object: string(route.Budget)})
			continue
		}
		if limits.MaxCandidates > 0 && routed >= limits.MaxCandidates {
			a.exclude(t.candidate, &Exclusion{
				Rule: NotTried, Number: float64(routed + 1), Limit: float64(limits.MaxCandidates), Object: "candidates",
			})
			continue
		}
		routed++
		r := run{p: p, c: &free[t.candidate], budget: share(left, len(trials)-k), bounded: limits.MaxExpansions > 0, now: now}
		offer, x := r.all(job.Stops, best)
		a.Expansions += offer.Expansions
		if x != nil {
			a.Exhausted = a.Exhausted || x.Rule == NotTried
			a.exclude(t.candidate, x)
			if job.closes(x) {
				closed[classOf(&free[t.candidate].Spec)] = x
			}
			continue
		}
		offer.Candidate = t.candidate
		finish := offer.finish(job, &free[t.candidate])
		switch {
		case a.Best == nil || finish.Before(best) || finish.Equal(best) && t.candidate < a.Best.Candidate:
			if a.Best != nil {
				a.exclude(a.Best.Candidate, &Exclusion{Rule: Slower, Number: best.Sub(now).Seconds()})
			}
			a.Best, best = &offer, finish
		default:
			a.exclude(t.candidate, &Exclusion{Rule: Slower, Number: finish.Sub(now).Seconds()})
		}
	}
}

// share is what one of the candidates still to be routed may use of the
// expansions that are left: at most a quarter as long as there are several, so
// that one hard question does not keep the easy ones from being asked.
func share(left, candidates int) int {
	return max(left/4, left/candidates, min(left, leastShare))
}

// leastShare is worth asking with; less is not kept back for others.
const leastShare = 2000

// class is a kind of vehicle that can go to the same places.
type class struct {
	kind motion.Kind
	road bool
}

func classOf(s *motion.Spec) class { return class{s.Kind, s.Road} }

// closes tells whether an exclusion holds for every vehicle of the class, at any
// time: one of the job's stops is where the class cannot go.
func (job *Job) closes(x *Exclusion) bool {
	switch route.Rule(x.Rule) {
	case route.InsideBuilding, route.OffNetwork, route.OutsideChart, route.AboveLimit:
		return slices.ContainsFunc(job.Stops, func(s Stop) bool { return s.At == x.At })
	case route.OffWater:
		// With an object, it is only on another water than the vehicle.
		return x.Object == "" && slices.ContainsFunc(job.Stops, func(s Stop) bool { return s.At == x.At })
	case route.NoWay, route.InsideZone, route.OverWater, route.Budget:
	}
	return false
}

// finish is when the job's own stops are done.
func (o *Offer) finish(job *Job, c *Candidate) time.Time {
	if len(job.Stops) == 0 {
		return c.FreeAt
	}
	last := len(job.Stops) - 1
	return o.Begin[last].Add(seconds(job.Stops[last].WorkS))
}

func (a *Answer) exclude(candidate int, x *Exclusion) {
	x.Candidate = candidate
	a.Excluded = append(a.Excluded, *x)
}

// limitSlower states the time of the final best with all that were slower.
func (a *Answer) limitSlower(job *Job, free []Candidate, now time.Time) {
	if a.Best == nil {
		return
	}
	limit := a.Best.finish(job, &free[a.Best.Candidate]).Sub(now).Seconds()
	for i := range a.Excluded {
		if a.Excluded[i].Rule == Slower {
			a.Excluded[i].Limit = limit
		}
	}
}

// judge decides what can be decided without a route, and bounds when the
// candidate finishes the job.
func judge(p *route.Planner, job *Job, c *Candidate, now time.Time) (least time.Time, x *Exclusion) {
	if x := usable(c); x != nil {
		return least, x
	}
	if x := allowed(job, c); x != nil {
		return least, x
	}
	if x := tooHeavy(job.Stops, c); x != nil {
		return least, x
	}
	for i := range job.Stops {
		if r := p.CanStop(c.Spec.Kind, job.Stops[i].At); r != nil {
			return least, refused(r)
		}
	}
	at, t, loadKg, used := c.Start, c.FreeAt, c.LoadKg, 0.0
	least = t
	for i := range len(job.Stops) + len(c.After) {
		s := stopAt(job.Stops, c.After, i)
		cost := p.LeastCost(&c.Spec, at, s.At, loadKg)
		t = t.Add(seconds(cost.Seconds))
		if t.Before(s.Earliest) {
			t = s.Earliest
		}
		if x := lateness(s, t, now); x != nil {
			x.AtLeast = true
			return least, x
		}
		// Waiting is left out: who really arrives later waits less.
		used += cost.EnergyWh + p.Work(&c.Spec, s.At, s.WorkS, loadKg).EnergyWh
		t = t.Add(seconds(s.WorkS))
		at, loadKg = s.At, max(0, loadKg+s.LoadKg)
		if i == len(job.Stops)-1 {
			least = t
		}
	}
	if c.Home != (space.Position{}) {
		used += p.LeastCost(&c.Spec, at, c.Home, loadKg).EnergyWh
	}
	return least, energy(c, used, true)
}

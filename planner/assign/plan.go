package assign

import (
	"errors"
	"math"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Plan plans the given stops, then those of c.After, then the way home, for one
// vehicle that begins at c.FreeAt. It is what a mission is re-planned with, and
// what Earliest tries each candidate with. The exclusion is nil when the vehicle
// can do it all:
//
//   - it never carries more than MaxLoadKg (a load below zero counts as none);
//   - work begins no earlier than each stop's Earliest, for which it waits on
//     the spot at the power of work, and no later than its Latest;
//   - the energy for ways, work and waiting leaves the reserve;
//   - from everywhere on its way an aircraft can come down somewhere and keep the
//     reserve: at home, which it reaches as planned, or, when it has none to go to,
//     at the best landing that package route knows.
//
// MaxExpansions bounds all its searches together, 0 for no bound; when they run
// out the exclusion is NotTried. The offer's Candidate and the exclusion's are
// 0; of an offer with an exclusion only Expansions counts. Seconds in an
// exclusion count from c.FreeAt. What a stop takes is not bounded from above,
// so a plan may be days long.
func Plan(p *route.Planner, stops []Stop, c Candidate, maxExpansions int) (Offer, *Exclusion) {
	if x := usable(&c); x != nil {
		return Offer{}, x
	}
	if x := tooHeavy(stops, &c); x != nil {
		return Offer{}, x
	}
	r := run{p: p, c: &c, budget: maxExpansions, bounded: maxExpansions > 0, now: c.FreeAt}
	o, x := r.all(stops, time.Time{})
	if x == nil {
		o.findLandings(p, &c)
	}
	return o, x
}

// run is one vehicle going through its stops in thought.
type run struct {
	p       *route.Planner
	c       *Candidate
	budget  int
	bounded bool
	// now is what seconds in exclusions count from.
	now time.Time

	at     space.Position
	t      time.Time
	loadKg float64
	used   float64
	offer  Offer
}

// all goes through the stops, After and home. A best time other than zero ends
// it as Slower when the stops are not done before it.
func (r *run) all(stops []Stop, best time.Time) (Offer, *Exclusion) {
	c := r.c
	n := len(stops) + len(c.After)
	r.at, r.t, r.loadKg = c.Start, c.FreeAt, c.LoadKg
	r.offer.Routes = make([]route.Route, 0, n+1)
	r.offer.Arrive, r.offer.Begin = make([]time.Time, 0, n), make([]time.Time, 0, n)
	for i := range n {
		s := stopAt(stops, c.After, i)
		if x := r.visit(s); x != nil {
			return Offer{Expansions: r.offer.Expansions}, x
		}
		if i == len(stops)-1 && !best.IsZero() && r.t.After(best) {
			return Offer{Expansions: r.offer.Expansions}, &Exclusion{
				Rule: Slower, Number: r.t.Sub(r.now).Seconds(), Limit: best.Sub(r.now).Seconds(),
			}
		}
	}
	if c.Home != (space.Position{}) {
		if x := r.drive(c.Home); x != nil {
			return Offer{Expansions: r.offer.Expansions}, x
		}
	}
	if x := r.landable(nil); x != nil {
		return Offer{Expansions: r.offer.Expansions}, x
	}
	r.offer.Home = r.t
	r.offer.EnergyWh = r.used
	r.offer.BatteryAfterRatio = (c.EnergyWh - r.used) / c.Spec.BatteryWh
	if x := r.enough(false); x != nil {
		return Offer{Expansions: r.offer.Expansions}, x
	}
	return r.offer, nil
}

func stopAt(stops, after []Stop, i int) *Stop {
	if i < len(stops) {
		return &stops[i]
	}
	return &after[i-len(stops)]
}

// visit goes to a stop, waits for its window and works there.
func (r *run) visit(s *Stop) *Exclusion {
	if x := r.drive(s.At); x != nil {
		return x
	}
	begin := r.t
	if begin.Before(s.Earliest) {
		begin = s.Earliest
	}
	if late := lateness(s, begin, r.now); late != nil {
		return late
	}
	r.used += r.p.Work(&r.c.Spec, s.At, begin.Sub(r.t).Seconds()+s.WorkS, r.loadKg).EnergyWh
	r.offer.Arrive = append(r.offer.Arrive, r.t)
	r.offer.Begin = append(r.offer.Begin, begin)
	r.t = begin.Add(seconds(s.WorkS))
	r.loadKg = max(0, r.loadKg+s.LoadKg)
	return r.enough(true)
}

// drive takes the way to a place.
func (r *run) drive(to space.Position) *Exclusion {
	q := route.Query{From: r.at, To: to, Spec: r.c.Spec, LoadKg: r.loadKg, Depart: r.t}
	if r.bounded {
		q.MaxExpansions = r.budget - r.offer.Expansions
		if q.MaxExpansions <= 0 {
			return &Exclusion{Rule: NotTried, Object: string(route.Budget)}
		}
	}
	way, err := r.p.Find(q)
	r.offer.Expansions += way.Expansions
	if err != nil {
		return refused(err)
	}
	r.offer.Routes = append(r.offer.Routes, way)
	if x := r.landable(&way); x != nil {
		return x
	}
	r.used += way.Cost.EnergyWh
	r.t = r.t.Add(seconds(way.Cost.Seconds))
	r.at = to
	return nil
}

// refused turns a refusal of package route into an exclusion.
func refused(err error) *Exclusion {
	var no *route.Refusal
	switch {
	case !errors.As(err, &no):
		return &Exclusion{Rule: BadSpec, Object: err.Error()}
	case no.Rule == route.Budget:
		return &Exclusion{Rule: NotTried, Object: string(route.Budget)}
	}
	return &Exclusion{Rule: Rule(no.Rule), Number: no.Number, Limit: no.Limit, Object: no.Object, At: no.At}
}

// enough tells whether the battery can give what was used and keep the reserve.
func (r *run) enough(atLeast bool) *Exclusion {
	return energy(r.c, r.used, atLeast)
}

func energy(c *Candidate, used float64, atLeast bool) *Exclusion {
	if needed := used + c.Spec.ReserveWh(); needed > c.EnergyWh {
		return &Exclusion{Rule: NoEnergy, Number: needed, Limit: c.EnergyWh, AtLeast: atLeast}
	}
	return nil
}

// lateness excludes a begin after the stop's latest.
func lateness(s *Stop, begin, now time.Time) *Exclusion {
	if s.Latest.IsZero() || !begin.After(s.Latest) {
		return nil
	}
	return &Exclusion{Rule: TooLate, Number: begin.Sub(now).Seconds(), Limit: s.Latest.Sub(now).Seconds()}
}

// usable excludes vehicles that cannot be reckoned with.
func usable(c *Candidate) *Exclusion {
	if err := c.Spec.Validate(); err != nil {
		return &Exclusion{Rule: BadSpec, Object: err.Error()}
	}
	return nil
}

// tooHeavy excludes a vehicle that would at some stop carry more than it can.
func tooHeavy(stops []Stop, c *Candidate) *Exclusion {
	load := max(0, c.LoadKg)
	most := load
	for i := range len(stops) + len(c.After) {
		load = max(0, load+stopAt(stops, c.After, i).LoadKg)
		most = max(most, load)
	}
	if most > c.Spec.MaxLoadKg+1e-9 {
		return &Exclusion{Rule: TooHeavy, Number: most, Limit: c.Spec.MaxLoadKg}
	}
	return nil
}

// allowed excludes a vehicle by what it is.
func allowed(job *Job, c *Candidate) *Exclusion {
	if len(job.Kinds) > 0 && !slices.Contains(job.Kinds, c.Spec.Kind) {
		return &Exclusion{Rule: WrongKind, Object: string(c.Spec.Kind)}
	}
	for _, need := range job.Needs {
		if !slices.Contains(c.Capabilities, need) {
			return &Exclusion{Rule: NoCapability, Object: need}
		}
	}
	return nil
}

// seconds is a duration, cut off where time.Duration ends and at zero.
func seconds(s float64) time.Duration {
	return time.Duration(min(max(s, 0), math.MaxInt64/2/1e9) * 1e9)
}

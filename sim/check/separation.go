package check

import (
	"cmp"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// How near two aircraft may come: nearer than both is a loss of separation.
const (
	SeparationM         = 50.0
	SeparationVerticalM = 15.0
)

// Separation measures how near aircraft come to each other while both fly. It
// knows each one's place at every tenth of a second; places are up to a twentieth
// of a second old.
type Separation struct {
	flyers []flyer
	// heads and next chain the flyers of a cell; keys are those in use.
	heads map[[2]int32]int32
	next  []int32
	pairs map[[2]int32]*Pair
	least float64
	// nearest are the two that came nearest.
	nearest [2]int32
}

// Pair is what is known of two aircraft.
type Pair struct {
	// A and B are their numbers, the lower first.
	A, B int
	// LeastM is the least distance through the air between them while they were
	// too near; Seconds is how long they were.
	LeastM, Seconds float64
}

const (
	// keptTenths is how many tenths of a second are remembered: those that Second
	// looks at, and those that were told since.
	keptTenths = 16
	// lagTenths is how long it takes until all have told where they were.
	lagTenths = 2
	// pairCellM is more than the separation and what two aircraft fly in a second.
	pairCellM = 128.0
)

// flyer is where an aircraft was.
type flyer struct {
	in bool
	// up says that it flies, and at where it is, as told last; base and baseUp what
	// held before the tenths that are looked at next.
	up, baseUp bool
	at, base   space.XYZ
	// changed is the last tenth at which it flew or was somewhere else than before.
	changed int64
	tenths  *[keptTenths]fix
}

type fix struct {
	tenth int64
	up    bool
	at    space.XYZ
}

// NewSeparation measures nothing yet.
func NewSeparation() *Separation {
	return &Separation{heads: map[[2]int32]int32{}, pairs: map[[2]int32]*Pair{}, least: math.Inf(1)}
}

// Add takes an aircraft in, named by a number from 0.
func (s *Separation) Add(n int) {
	for len(s.flyers) <= n {
		s.flyers = append(s.flyers, flyer{})
		s.next = append(s.next, -1)
	}
	s.flyers[n].in, s.flyers[n].tenths = true, &[keptTenths]fix{}
}

// At says where an aircraft is at a tenth of a second, counted from any begin, and
// whether it flies. While it stays there it need not be told again.
func (s *Separation) At(tenth int64, n int, at space.XYZ, flies bool) {
	f := &s.flyers[n]
	if !flies && !f.up && at == f.at {
		return // Most aircraft stand most of the time, and no place need be told twice.
	}
	f.tenths[tenth%keptTenths] = fix{tenth + 1, flies, at}
	f.at, f.up, f.changed = at, flies, tenth
}

// Second measures the second that ended lagTenths ago. It is to be called once each
// second, with the present tenth.
func (s *Separation) Second(tenth int64) {
	from, to := tenth-lagTenths-9, tenth-lagTenths
	clear(s.heads)
	for n := range s.flyers {
		f := &s.flyers[n]
		if !f.in || !f.up && !f.baseUp {
			continue
		}
		k := [2]int32{squareOf(f.base.X / pairCellM), squareOf(f.base.Y / pairCellM)}
		s.next[n] = -1
		// Whoever is met in the chains came before: each pair is looked at once.
		for x := k[0] - 1; x <= k[0]+1; x++ {
			for y := k[1] - 1; y <= k[1]+1; y++ {
				for other := s.heads[[2]int32{x, y}] - 1; other >= 0; other = s.next[other] {
					s.measure(int(other), n, from, to)
				}
			}
		}
		s.next[n] = s.heads[k] - 1
		s.heads[k] = int32(n) + 1
	}
	for n := range s.flyers {
		s.flyers[n].pass(from, to)
	}
}

// pass makes what holds at the end of the tenths looked at the base of the next.
func (f *flyer) pass(from, to int64) {
	if !f.in || f.changed < from {
		return // What was told before is the base already.
	}
	for t := max(from, 0); t <= to; t++ {
		if x := &f.tenths[t%keptTenths]; x.tenth == t+1 {
			f.base, f.baseUp = x.at, x.up
		}
	}
}

// measure compares two aircraft at each tenth.
func (s *Separation) measure(a, b int, from, to int64) {
	f, g := &s.flyers[a], &s.flyers[b]
	if f.base.XY().Dist(g.base.XY()) > pairCellM {
		return
	}
	p, pUp, q, qUp := f.base, f.baseUp, g.base, g.baseUp
	for t := max(from, 0); t <= to; t++ {
		if x := &f.tenths[t%keptTenths]; x.tenth == t+1 {
			p, pUp = x.at, x.up
		}
		if x := &g.tenths[t%keptTenths]; x.tenth == t+1 {
			q, qUp = x.at, x.up
		}
		if !pUp || !qUp {
			continue
		}
		through := p.Dist(q)
		if through < s.least {
			s.least, s.nearest = through, [2]int32{int32(a), int32(b)}
		}
		if math.Abs(p.Z-q.Z) < SeparationVerticalM && p.XY().Dist(q.XY()) < SeparationM {
			k := [2]int32{int32(a), int32(b)}
			pair := s.pairs[k]
			if pair == nil {
				pair = &Pair{A: a, B: b, LeastM: through}
				s.pairs[k] = pair
			}
			pair.Seconds += 0.1
			pair.LeastM = min(pair.LeastM, through)
		}
	}
}

// Least is the least distance through the air between two aircraft while both
// flew, and who they were; false when no two came within about 100 m.
func (s *Separation) Least() (distanceM float64, a, b int, ok bool) {
	return s.least, int(s.nearest[0]), int(s.nearest[1]), !math.IsInf(s.least, 1)
}

// Seconds is how long pairs were too near, all together.
func (s *Separation) Seconds() float64 {
	tenths := 0
	for _, p := range s.pairs {
		tenths += int(math.Round(p.Seconds * 10))
	}
	return float64(tenths) / 10
}

// Pairs lists the pairs that were too near, the longest first.
func (s *Separation) Pairs() []Pair {
	list := make([]Pair, 0, len(s.pairs))
	for _, p := range s.pairs {
		one := *p
		one.Seconds = math.Round(p.Seconds*10) / 10
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Pair) int {
		return cmp.Or(cmp.Compare(b.Seconds, a.Seconds), cmp.Compare(a.LeastM, b.LeastM), cmp.Compare(a.A, b.A), cmp.Compare(a.B, b.B))
	})
	return list
}

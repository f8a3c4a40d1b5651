package route

import "github.com/kapok-fleet/kapok/planner/space"

// slackM is taken off the clearance in tests, so that a way along the offset
// boundary itself is free whatever the rounding.
const slackM = 0.01

// pushesPerExpansion is how many ways put into the queue are counted as one
// expansion, which stands for one test of a leg against the obstacles.
const pushesPerExpansion = 16

// sight finds shortest ways among obstacles at one altitude: A* over the
// visibility graph of their offset corners (Lozano-Pérez and Wesley, "An
// algorithm for planning collision-free paths among polyhedral obstacles",
// 1979). It is lazy twice over. A leg is tested against the obstacles only when
// it comes up as the most promising, and the corners of an obstacle join the
// graph only when the obstacle has blocked a leg: as long as it has not, the
// shortest way without it is no longer than one around it, so the answer is
// that of the whole graph.
type sight struct {
	// drift is what the lengths of ways are reckoned by; all lengths but those of
	// the obstacles are through the air.
	drift  drift
	spots  []spot
	queue  heap
	done   []int32
	active seen
	bends  []corner
	feet   []space.XY
	slow   []int32
	layered
	// last is the spot at which the way found ends.
	last int32
	// out says that the search is for a way out, which may end at many places.
	out bool
}

// spot is a place where a way may bend: 0 is the start. A way ends at a final
// one: at 1, the goal, or in a search for a way out at any of many.
type spot struct {
	corner
	g float64
	// lastM is by how much more than g the way lasts, in metres through the air,
	// where g counts something else than time.
	lastM float64
	// aheadM is a lower bound of what is left from here.
	aheadM float64
	parent int32
	closed bool
	dead   bool
	final  bool
}

// blocker tells what stands in the way of a leg: an obstacle's id, or -1. The
// leg leaves spot a after g metres of the way. lasting says that no way may
// ever end in the obstacle.
type field interface {
	blocked(a, b int32, from, to space.XY, g float64) (id int32, lasting bool)
	// lagged tells what zones with a limit of speed add to the leg that was asked about
	// last and is not blocked: to what the search counts, and to how long it lasts.
	// slowedBy appends the zones.
	lagged() (lagM, lastM float64)
	slowedBy(dst []int32) []int32
	// offset appends the corners of an obstacle.
	offset(id int32, dst []corner) []corner
	// covers tells whether a place is within the obstacle's clearance.
	covers(id int32, at space.XY) bool
	// obstacles is one more than the greatest id.
	obstacles() int
	// toLeave is a lower bound of the length through the air of the way from a place out of what a search for a
	// way out leaves, and feet appends places near it where such a way may end.
	toLeave(at space.XY) float64
	feet(at space.XY, dst []space.XY) []space.XY
}

// search finds the shortest way from start to goal that is shorter than bound.
// Of budget it takes what it uses; ok is false when there is no such way or the
// budget has run out, which is then below zero.
func (s *sight) search(f field, start, goal space.XY, bound float64, budget *int) (lengthM float64, ok bool) {
	s.begin(f, start)
	s.spots = append(s.spots, spot{corner: corner{at: goal}, parent: -1, final: true})
	s.spots[0].aheadM = s.drift.between(start, goal)
	return s.run(f, bound, budget)
}

// searchOut finds the shortest way from start to any of the exits, or to one of
// the feet before the places where it bends, that is shorter than bound.
func (s *sight) searchOut(f field, start space.XY, exits []space.XY, bound float64, budget *int) (lengthM float64, ok bool) {
	s.begin(f, start)
	s.spots[0].aheadM = f.toLeave(start)
	s.out = true
	s.addFinal(exits)
	return s.run(f, bound, budget)
}

func (s *sight) addFinal(exits []space.XY) {
	for _, at := range exits {
		s.spots = append(s.spots, spot{corner: corner{at: at}, parent: -1, final: true})
	}
}

func (s *sight) begin(f field, start space.XY) {
	s.spots = append(s.spots[:0], spot{corner: corner{at: start}, parent: -1})
	s.queue, s.done, s.out = s.queue[:0], s.done[:0], false
	s.active.reset(f.obstacles())
}

// run is the search among the spots at hand.
func (s *sight) run(f field, bound float64, budget *int) (lengthM float64, ok bool) {
	if s.spots[0].aheadM >= bound {
		return 0, false
	}
	s.close(f, 0, -1, 0, bound, budget)
	for len(s.queue) > 0 {
		e := s.queue.pop()
		weighed := e.from < 0
		if weighed {
			e.from = ^e.from
		}
		to := &s.spots[e.to]
		if to.closed || to.dead {
			continue
		}
		if *budget--; *budget < 0 {
			return 0, false
		}
		from := &s.spots[e.from]
		if id, lasting := f.blocked(e.from, e.to, from.at, to.at, from.g+from.lastM); id >= 0 {
			if lasting && !to.final && f.covers(id, to.at) {
				to.dead = true
			}
			if s.active.first(id) {
				s.activate(f, id, bound, budget)
			}
			continue
		}
		lagM, lastM := f.lagged()
		if !weighed && (lagM > 0 || lastM > 0) {
			s.weigh(f, e, lagM, bound, budget)
			continue
		}
		to.lastM = from.lastM + lastM - lagM
		if to.final {
			to.g, to.parent, to.closed, s.last = e.g, e.from, true, e.to
			return e.g, true
		}
		s.close(f, e.to, e.from, e.g, bound, budget)
	}
	return 0, false
}

// weigh puts a leg that is slowed down back into the queue with what it truly takes,
// and lets the corners of the zones that slow it take part.
func (s *sight) weigh(f field, e entry, lagM, bound float64, budget *int) {
	if e.f += lagM; e.f < bound {
		s.queue.push(entry{f: e.f, g: e.g + lagM, to: e.to, from: ^e.from})
	}
	s.slow = f.slowedBy(s.slow[:0])
	for _, id := range s.slow {
		if s.active.first(id) {
			s.activate(f, id, bound, budget)
		}
	}
}

// straight sets the way from start to goal without a bend.
func (s *sight) straight(start, goal space.XY) {
	s.spots = append(s.spots[:0],
		spot{corner: corner{at: start}, parent: -1, closed: true},
		spot{corner: corner{at: goal}, parent: 0, closed: true, final: true})
	s.last = 1
}

// close fixes the way to a spot and offers all legs that leave it.
func (s *sight) close(f field, i, parent int32, g, bound float64, budget *int) {
	if s.out {
		s.feet = f.feet(s.spots[i].at, s.feet[:0])
		s.addFinal(s.feet)
	}
	sp := &s.spots[i]
	sp.g, sp.parent, sp.closed = g, parent, true
	s.done = append(s.done, i)
	before := len(s.queue)
	for j := 1; j < len(s.spots); j++ {
		s.offer(i, int32(j), bound)
	}
	*budget -= (len(s.queue) - before) / pushesPerExpansion
}

// activate lets the corners of an obstacle take part.
func (s *sight) activate(f field, id int32, bound float64, budget *int) {
	s.bends = f.offset(id, s.bends[:0])
	first := len(s.spots)
	for _, c := range s.bends {
		aheadM := 0.0
		if s.out {
			aheadM = f.toLeave(c.at)
		} else {
			aheadM = s.drift.between(c.at, s.spots[1].at)
		}
		s.spots = append(s.spots, spot{corner: c, parent: -1, aheadM: aheadM})
	}
	before := len(s.queue)
	for _, i := range s.done {
		for j := first; j < len(s.spots); j++ {
			s.offer(i, int32(j), bound)
		}
	}
	*budget -= (len(s.queue) - before) / pushesPerExpansion
}

// offer puts the leg from a closed spot to another into the queue, unless no
// shortest way can bend like that.
func (s *sight) offer(i, j int32, bound float64) {
	a, b := &s.spots[i], &s.spots[j]
	if b.closed || b.dead {
		return
	}
	dx, dy := b.at.X-a.at.X, b.at.Y-a.at.Y
	// The ends may lie between a shape and the boundary that its corners are on.
	bends := i > 0 && !b.final
	if bends && (!a.tangent(dx, dy) || !b.tangent(dx, dy)) {
		return
	}
	g := a.g + s.drift.lengthM(dx, dy)
	f := g + b.aheadM
	if f >= bound {
		return
	}
	s.queue.push(entry{f: f, g: g, to: j, from: i})
}

// bendsOf appends the places of the way between its ends, both left out.
func (s *sight) bendsOf(dst []space.XY) []space.XY {
	first := len(dst)
	for i := s.spots[s.last].parent; i > 0; i = s.spots[i].parent {
		dst = append(dst, s.spots[i].at)
	}
	for i, j := first, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return dst
}

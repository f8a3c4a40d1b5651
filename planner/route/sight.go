package route

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

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
	spots  []spot
	queue  heap
	done   []int32
	active seen
	bends  []corner
}

// spot is a place where a way may bend: 0 is the start, 1 the goal.
type spot struct {
	corner
	g      float64
	parent int32
	closed bool
	dead   bool
}

// blocker tells what stands in the way of a leg: an obstacle's id, or -1. The
// leg leaves spot a after g metres of the way. lasting says that no way may
// ever end in the obstacle.
type field interface {
	blocked(a, b int32, from, to space.XY, g float64) (id int32, lasting bool)
	// offset appends the corners of an obstacle.
	offset(id int32, dst []corner) []corner
	// covers tells whether a place is within the obstacle's clearance.
	covers(id int32, at space.XY) bool
	// obstacles is one more than the greatest id.
	obstacles() int
}

// search finds the shortest way from start to goal that is shorter than bound.
// Of budget it takes what it uses; ok is false when there is no such way or the
// budget has run out, which is then below zero.
func (s *sight) search(f field, start, goal space.XY, bound float64, budget *int) (lengthM float64, ok bool) {
	s.spots = append(s.spots[:0],
		spot{corner: corner{at: start}, parent: -1},
		spot{corner: corner{at: goal}, parent: -1})
	s.queue, s.done = s.queue[:0], s.done[:0]
	s.active.reset(f.obstacles())
	if start.Dist(goal) >= bound {
		return 0, false
	}
	s.close(0, -1, 0, bound, budget)
	for len(s.queue) > 0 {
		e := s.queue.pop()
		to := &s.spots[e.to]
		if to.closed || to.dead {
			continue
		}
		if *budget--; *budget < 0 {
			return 0, false
		}
		from := &s.spots[e.from]
		if id, lasting := f.blocked(e.from, e.to, from.at, to.at, from.g); id >= 0 {
			if lasting && e.to != 1 && f.covers(id, to.at) {
				to.dead = true
			}
			if s.active.first(id) {
				s.activate(f, id, bound, budget)
			}
			continue
		}
		if e.to == 1 {
			to.g, to.parent, to.closed = e.g, e.from, true
			return e.g, true
		}
		s.close(e.to, e.from, e.g, bound, budget)
	}
	return 0, false
}

// straight sets the way from start to goal without a bend.
func (s *sight) straight(start, goal space.XY) {
	s.spots = append(s.spots[:0],
		spot{corner: corner{at: start}, parent: -1, closed: true},
		spot{corner: corner{at: goal}, parent: 0, closed: true})
}

// close fixes the way to a spot and offers all legs that leave it.
func (s *sight) close(i, parent int32, g, bound float64, budget *int) {
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
		s.spots = append(s.spots, spot{corner: c, parent: -1})
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
	if (i > 1 && !a.tangent(dx, dy)) || (j > 1 && !b.tangent(dx, dy)) {
		return
	}
	g := a.g + math.Sqrt(dx*dx+dy*dy)
	goal := &s.spots[1]
	f := g + b.at.Dist(goal.at)
	if f >= bound {
		return
	}
	s.queue.push(entry{f: f, g: g, to: j, from: i})
}

// bendsOf appends the places of the way between start and goal, both left out.
func (s *sight) bendsOf(dst []space.XY) []space.XY {
	first := len(dst)
	for i := s.spots[1].parent; i > 0; i = s.spots[i].parent {
		dst = append(dst, s.spots[i].at)
	}
	for i, j := first, len(dst)-1; i < j; i, j = i+1, j-1 {
		dst[i], dst[j] = dst[j], dst[i]
	}
	return dst
}

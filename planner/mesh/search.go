package mesh

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Search is the memory of searches. It is for one goroutine at a time, may go from
// mesh to mesh, and after some questions asks for no more memory. The zero value
// is ready for use.
type Search struct {
	m *Mesh
	// from and to are the ends of the question, fromCells and toCells the cells
	// that hold them.
	from, to           space.XY
	fromCells, toCells []int32
	// bound is the length from which on ways are of no use.
	bound float64
	nodes []node
	queue heap
	turns []turn
	// next are the nodes that follow from the one being expanded.
	next []node
	// reached has the shortest way known to each vertex, marked which cells are of
	// use for this question.
	reached []reach
	marked  []mark
	asked   uint32
}

// Outcome is how a search ended.
type Outcome uint8

// The outcomes.
const (
	// Found: there is a way, and it is the shortest.
	Found Outcome = iota
	// NoWay: no way leads from one place to the other, or none shorter than asked
	// for.
	NoWay
	// FromBlocked and ToBlocked: the place lies in an obstacle or beyond the bounds.
	FromBlocked
	// ToBlocked: see FromBlocked.
	ToBlocked
	// OutOfBudget: the expansions did not suffice.
	OutOfBudget
)

// Limits bounds a search. The zero value sets no bounds.
type Limits struct {
	// ShorterThanM leaves out all ways that are as long or longer, 0 for none.
	ShorterThanM float64
	// MaxExpansions is how many cells may be expanded, 0 for any number. Each takes
	// about a quarter of a microsecond.
	MaxExpansions int
}

// Way is the answer of a search.
type Way struct {
	LengthM    float64
	Expansions int
	// last is the turn that the way ends with.
	last int32
}

// turn is a corner at which a way bends, or its start: where it is, how long the
// way is up to there, and the turn before, −1 for the start.
type turn struct {
	at     space.XY
	g      float64
	vertex int32
	before int32
}

// node is an interval: what is seen from its root of the side at which a cell is
// entered, between the lines from l0 through l1 and from r0 through r1. The root
// is on both lines, or is an end of the side itself and sees all of the cell.
type node struct {
	l0, l1, r0, r1 space.XY
	root           space.XY
	// entry is the side of the entered cell; at the goal there is no cell, and −1.
	cell, entry int32
	turn        int32
}

type reach struct {
	g     float64
	asked uint32
}

// mark says what a cell is to the question of number asked: goal means that it
// holds the goal, live that the goal is further up its tree, start that it holds
// the start.
type mark struct {
	asked             uint32
	goal, live, start bool
}

// samePart is by how much of itself a way to a corner must be longer than another
// for the other to be preferred for certain: rounding makes up less.
const samePart = 1e-11

// Find looks for the shortest way from one place to another. A place on the edge
// of an obstacle is free. Only with Found is the Way one, which Bends then has the
// corners of; its Expansions are set with every outcome.
//
// The length is exact but for the rounding of the sum of its pieces; for a place
// within an obstacle, but less than NearM, it may be off by twice as much.
func (s *Search) Find(m *Mesh, from, to space.XY, limits Limits) (Way, Outcome) {
	s.begin(m, from, to, limits)
	switch {
	case len(s.fromCells) == 0:
		return Way{}, FromBlocked
	case len(s.toCells) == 0:
		return Way{}, ToBlocked
	}
	if length, same := s.sameCell(); same {
		if length >= s.bound {
			return Way{}, NoWay
		}
		return Way{LengthM: length}, Found
	}
	if !s.connected() {
		return Way{}, NoWay
	}
	s.markCells()
	s.leave()
	return s.run(limits.MaxExpansions)
}

// begin takes a question up.
func (s *Search) begin(m *Mesh, from, to space.XY, limits Limits) {
	s.m, s.from, s.to = m, settled(from), settled(to)
	s.bound = math.Inf(1)
	if limits.ShorterThanM > 0 {
		s.bound = limits.ShorterThanM
	}
	if s.fromCells = m.CellsAt(s.from, s.fromCells[:0]); len(s.fromCells) == 0 {
		s.from, s.fromCells = m.nearest(s.from, s.fromCells)
	}
	if s.toCells = m.CellsAt(s.to, s.toCells[:0]); len(s.toCells) == 0 {
		s.to, s.toCells = m.nearest(s.to, s.toCells)
	}
	s.nodes, s.queue, s.next = s.nodes[:0], s.queue[:0], s.next[:0]
	s.turns = append(s.turns[:0], turn{at: s.from, vertex: -1, before: -1})
	if s.asked++; s.asked == 0 || len(s.reached) < len(m.vertices) || len(s.marked) < m.Cells() {
		s.reached = make([]reach, max(len(s.reached), len(m.vertices)))
		s.marked = make([]mark, max(len(s.marked), m.Cells()))
		s.asked = 1
	}
}

// sameCell tells whether some cell holds both places.
func (s *Search) sameCell() (length float64, same bool) {
	for _, a := range s.fromCells {
		for _, b := range s.toCells {
			if a == b {
				return s.from.Dist(s.to), true
			}
		}
	}
	return 0, false
}

// connected tells whether any way leads from start to goal.
func (s *Search) connected() bool {
	for _, a := range s.fromCells {
		for _, b := range s.toCells {
			if s.m.part[a] == s.m.part[b] {
				return true
			}
		}
	}
	return false
}

// markCells marks the cells at the ends, and those that lead from the round ways
// to the goal.
func (s *Search) markCells() {
	at := func(c int32) *mark {
		k := &s.marked[c]
		if k.asked != s.asked {
			*k = mark{asked: s.asked}
		}
		return k
	}
	for _, c := range s.toCells {
		at(c).goal = true
		for ; c >= 0 && !at(c).live; c = s.m.rank[c].up {
			at(c).live = true
		}
	}
	for _, c := range s.fromCells {
		at(c).start = true
	}
}

// of returns what a cell is to the question.
func (s *Search) of(cell int32) mark {
	if k := s.marked[cell]; k.asked == s.asked {
		return k
	}
	return mark{}
}

// leave puts all sides of the cells at the start into the queue: from the start
// all of them is seen.
func (s *Search) leave() {
	s.next = s.next[:0]
	for _, c := range s.fromCells {
		n := node{root: s.from, cell: c}
		for i := s.m.first[c]; i < s.m.first[c+1]; i++ {
			if t := &s.m.sides[i]; t.twin >= 0 && !s.of(t.cell).start {
				s.seeAll(&n, i, t.at, s.m.sides[s.m.after(c, i)].at)
			}
		}
	}
	s.enqueue()
}

// run is the search among the nodes in the queue.
func (s *Search) run(most int) (Way, Outcome) {
	if most <= 0 {
		most = math.MaxInt
	}
	expansions := 0
	for len(s.queue) > 0 {
		e := s.queue.pop()
		n := s.nodes[e.node]
		last := &s.turns[n.turn]
		if n.entry < 0 {
			return Way{LengthM: e.f, Expansions: expansions, last: n.turn}, Found
		}
		if last.vertex >= 0 && s.longer(last.vertex, last.g) {
			continue
		}
		for {
			if expansions >= most {
				return Way{Expansions: expansions}, OutOfBudget
			}
			expansions++
			s.expand(n)
			// A single way on needs no place in the queue.
			if len(s.next) != 1 || s.next[0].entry < 0 {
				break
			}
			n = s.next[0]
		}
		s.enqueue()
	}
	return Way{Expansions: expansions}, NoWay
}

// longer tells whether a shorter way to a vertex is known than one of length g.
func (s *Search) longer(vertex int32, g float64) bool {
	r := &s.reached[vertex]
	return r.asked == s.asked && g > r.g*(1+samePart)
}

// reach notes a way to a vertex and tells whether it is of use.
func (s *Search) reach(vertex int32, g float64) bool {
	r := &s.reached[vertex]
	if r.asked != s.asked {
		*r = reach{g: g, asked: s.asked}
		return true
	}
	if g > r.g*(1+samePart) {
		return false
	}
	r.g = min(r.g, g)
	return true
}

// Bends appends the corners of the way that the last Find found, without its ends.
// Corners in the middle of a straight piece may be among them.
func (s *Search) Bends(w Way, dst []space.XY) []space.XY {
	first := len(dst)
	for t := w.last; t > 0; t = s.turns[t].before {
		if at := s.turns[t].at; at != s.from && at != s.to && (len(dst) == first || dst[len(dst)-1] != at) {
			dst = append(dst, at)
		}
	}
	for i, k := first, len(dst)-1; i < k; i, k = i+1, k-1 {
		dst[i], dst[k] = dst[k], dst[i]
	}
	return dst
}

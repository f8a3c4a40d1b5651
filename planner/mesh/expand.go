package mesh

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// This file is how a node goes on: what follows from what its root sees of a side,
// on the sides of the cell behind it.

// none is no turn: a corner that no shortest way bends at.
const none = -1

// expand leaves in s.next the nodes that follow from one. The sides of the cell
// are passed from right to left as seen from the root: those to the right of what
// it sees, which a way reaches that bends at the right end of the interval, those
// that it sees, and those to the left.
func (s *Search) expand(n node) {
	s.next = s.next[:0]
	m := s.m
	first, end := m.first[n.cell], m.first[n.cell+1]
	follows := func(i int32) int32 {
		if i++; i == end {
			return first
		}
		return i
	}
	a, b := &m.sides[n.entry], &m.sides[follows(n.entry)]
	if n.root == a.at || n.root == b.at {
		for i := follows(n.entry); i != n.entry; i = follows(i) {
			s.seeAll(&n, i, m.sides[i].at, m.sides[follows(i)].at)
		}
		return
	}
	right, left := n, n
	right.turn, left.turn = none, none
	if orient(n.r0, n.r1, b.at) == 0 {
		right.turn = s.bend(n.turn, b.vertex, -1)
		right.root = b.at
	}
	if orient(n.l0, n.l1, a.at) == 0 {
		left.turn = s.bend(n.turn, a.vertex, 1)
		left.root = a.at
	}
	i, p := follows(n.entry), b.at
	// Sides to the right.
	seen := n
	for i != n.entry {
		w := m.sides[follows(i)].at
		at := orient(n.r0, n.r1, w)
		if at <= 0 {
			s.seeAll(&right, i, p, w)
		} else if p != b.at || right.turn == none {
			right.l0, right.l1, right.r0, right.r1 = n.root, b.at, right.root, p
			s.see(&right, i, p, w)
		}
		if at > 0 {
			break
		}
		i, p = follows(i), w
		if at == 0 {
			seen.r0, seen.r1 = n.root, w
			break
		}
	}
	i, p = s.inView(&n, &seen, &left, i, p)
	s.toTheLeft(&n, &seen, &left, i, p)
}

// inView goes on from side i, which begins at p, through the sides that the root
// sees, and returns the first to the left of them.
func (s *Search) inView(n, seen, left *node, i int32, p space.XY) (int32, space.XY) {
	m := s.m
	for i != n.entry {
		follows := m.after(n.cell, i)
		w := m.sides[follows].at
		at := orient(n.l0, n.l1, w)
		if at > 0 {
			seen.l0, seen.l1 = n.l0, n.l1
			s.see(seen, i, p, w)
			left.l0, left.l1, left.r0, left.r1 = left.root, w, n.root, m.sides[n.entry].at
			s.see(left, i, p, w)
			return follows, w
		}
		seen.l0, seen.l1 = n.root, w
		s.see(seen, i, p, w)
		i, p = follows, w
		if at == 0 {
			break
		}
		seen.r0, seen.r1 = n.root, w
	}
	return i, p
}

// toTheLeft goes on from side i through the rest of the sides. One on the line
// itself is seen edge-on where the way does not bend before.
func (s *Search) toTheLeft(n, seen, left *node, i int32, p space.XY) {
	m := s.m
	for i != n.entry {
		follows := m.after(n.cell, i)
		w := m.sides[follows].at
		switch {
		case left.turn != none:
			s.seeAll(left, i, p, w)
		case orient(n.l0, n.l1, w) == 0 && orient(n.l0, n.l1, p) == 0:
			s.seeAll(seen, i, p, w)
		default:
			return
		}
		i, p = follows, w
	}
}

// seeAll goes on through all of a side that runs from p to w.
func (s *Search) seeAll(n *node, i int32, p, w space.XY) {
	n.l0, n.l1, n.r0, n.r1 = n.root, w, n.root, p
	s.see(n, i, p, w)
}

// see goes on through side i of the node's cell, which runs from p to w, as far as
// it lies between the node's lines.
func (s *Search) see(n *node, i int32, p, w space.XY) {
	t := &s.m.sides[i]
	if t.twin < 0 || n.turn == none {
		return
	}
	k := s.of(t.cell)
	if !s.m.rank[t.cell].core && !k.live && s.m.rank[n.cell].up != t.cell {
		return
	}
	on := *n
	if n.root != p && n.root != w && orient(n.root, p, w) == 0 {
		// Seen edge-on: the way leads to its nearer end and bends there.
		near, hand := t.vertex, -1
		if n.root.Dist(w) < n.root.Dist(p) {
			near, hand = s.m.sides[s.m.after(n.cell, i)].vertex, 1
		}
		if on.turn = s.bend(n.turn, near, hand); on.turn == none {
			return
		}
		on.root = s.m.vertices[near].at
	}
	if k.goal {
		s.arrive(&on, i, p, w)
		return
	}
	on.cell, on.entry = t.cell, t.twin
	s.next = append(s.next, on)
}

// arrive ends a way that enters a cell with the goal through the side i, from p
// to w.
func (s *Search) arrive(n *node, i int32, p, w space.XY) {
	last := n.turn
	switch {
	case n.root == p || n.root == w:
	case orient(n.r0, n.r1, s.to) < 0:
		if orient(n.r0, n.r1, p) != 0 {
			return
		}
		last = s.bend(last, s.m.sides[i].vertex, -1)
	case orient(n.l0, n.l1, s.to) > 0:
		if orient(n.l0, n.l1, w) != 0 {
			return
		}
		last = s.bend(last, s.m.sides[s.m.after(n.cell, i)].vertex, 1)
	}
	if last != none {
		s.next = append(s.next, node{entry: -1, turn: last})
	}
}

// bend lengthens a way to a corner where it turns left (1) or right (−1), and
// returns none where no shortest way does: unless the border lies on the inside
// of the turn, there is a shorter way across.
func (s *Search) bend(before, vertex int32, hand int) int32 {
	v, last := &s.m.vertices[vertex], &s.turns[before]
	if !v.bends || orient(last.at, v.at, v.from)*hand < 0 || orient(last.at, v.at, v.to)*hand < 0 {
		return none
	}
	g := last.g + last.at.Dist(v.at)
	if g >= s.bound || !s.reach(vertex, g) {
		return none
	}
	s.turns = append(s.turns, turn{at: v.at, g: g, vertex: vertex, before: before})
	return int32(len(s.turns) - 1)
}

// enqueue puts the nodes into the queue, by a lower bound of the ways that lead
// through them.
func (s *Search) enqueue() {
	for k := range s.next {
		n := &s.next[k]
		f := s.turns[n.turn].g + s.ahead(n)
		if f >= s.bound {
			continue
		}
		s.queue.push(entry{f: f, node: int32(len(s.nodes))})
		s.nodes = append(s.nodes, *n)
	}
}

// ahead is the length of the shortest way from a node's root through its interval
// to the goal, whatever lies behind.
func (s *Search) ahead(n *node) float64 {
	if n.entry < 0 {
		return s.turns[n.turn].at.Dist(s.to)
	}
	a, b := s.m.sides[n.entry].at, s.m.sides[s.m.after(n.cell, n.entry)].at
	root, to := n.root, s.to
	if root == a || root == b {
		return root.Dist(to)
	}
	along := b.Sub(a)
	if off := along.Cross(to.Sub(a)); off < 0 {
		// The goal is on the root's side: its mirror image is as far.
		k := 2 * off / along.Dot(along)
		to.X += k * along.Y
		to.Y -= k * along.X
	}
	left, right := meeting(n.l0, n.l1, a, b), meeting(n.r0, n.r1, a, b)
	toGoal := to.Sub(root)
	switch {
	case right.Sub(root).Cross(toGoal) < 0:
		return root.Dist(right) + right.Dist(to)
	case left.Sub(root).Cross(toGoal) > 0:
		return root.Dist(left) + left.Dist(to)
	}
	return toGoal.Len()
}

// meeting is where the line from p through q meets the segment a–b.
func meeting(p, q, a, b space.XY) space.XY {
	if q == a || q == b {
		return q
	}
	d, ab := q.Sub(p), b.Sub(a)
	t := p.Sub(a).Cross(d) / ab.Cross(d)
	if !(t > 0) {
		return a
	}
	return a.Lerp(b, math.Min(t, 1))
}

// entry is a node in the queue: a lower bound of the ways through it, and its
// number.
type entry struct {
	f    float64
	node int32
}

// before is a total order: of equal bounds the newest comes first, as it is
// nearer to the goal more often than not.
func (e entry) before(o entry) bool {
	return e.f < o.f || e.f == o.f && e.node > o.node
}

// heap is a binary heap with the first entry at its top.
type heap []entry

func (h *heap) push(e entry) {
	q := append(*h, e)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !e.before(q[up]) {
			break
		}
		q[i] = q[up]
		i = up
	}
	q[i] = e
	*h = q
}

// pop takes the first entry out; the heap must not be empty.
func (h *heap) pop() entry {
	q := *h
	top, e := q[0], q[len(q)-1]
	q = q[:len(q)-1]
	*h = q
	i := 0
	for {
		kid := 2*i + 1
		if kid >= len(q) {
			break
		}
		if kid+1 < len(q) && q[kid+1].before(q[kid]) {
			kid++
		}
		if !q[kid].before(e) {
			break
		}
		q[i] = q[kid]
		i = kid
	}
	if len(q) > 0 {
		q[i] = e
	}
	return top
}

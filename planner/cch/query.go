package cch

import "fmt"

// Seed is a place where a way starts or ends: a node, and what it costs to get from
// the start to it, or from it to the end. A place in the middle of an arc is the
// seeds of the nodes that can be reached from it.
type Seed struct {
	Node int32
	Cost uint32
}

// label is what a search knows of a node: the cost, and the slot over which it came,
// or -1 at a seed.
type label struct {
	cost uint32
	slot int32
}

// Query answers questions, one at a time, in memory that it keeps: after the first
// few questions of a kind it allocates nothing. The lists of seeds may have any
// length; a few are meant.
type Query struct {
	m *Metric
	h *Hierarchy
	// to and from have the costs from the seeds of the start and to those of the end.
	// Between questions, all costs are Infinity.
	from, to []label
	// front is the nodes at which ways to the root stand, ascending from the end.
	front []int32
	// meet is the highest node of the last way found, or -1, and its ends.
	meet           int32
	version        uint64
	starts, finals []Seed
	stack          []int32
	path           []int32
	matrix         matrix
}

// NewQuery makes a query on a metric.
func NewQuery(m *Metric) *Query {
	n := m.h.nodes
	q := &Query{m: m, h: m.h, from: make([]label, n), to: make([]label, n), meet: -1}
	for i := range n {
		q.from[i], q.to[i] = label{Infinity, -1}, label{Infinity, -1}
	}
	return q
}

// Use makes the query go on with another metric of the same hierarchy; of another
// one it gives ErrBadGraph. The last way found is forgotten.
func (q *Query) Use(m *Metric) error {
	if m.h != q.h {
		return fmt.Errorf("use a metric: %w: it belongs to another hierarchy", ErrBadGraph)
	}
	q.m, q.meet = m, -1
	return nil
}

// Cost is the least cost of a way from one of the first seeds to one of the second,
// and Infinity when there is none. Seeds at nodes that do not exist give
// ErrOutOfRange.
func (q *Query) Cost(from, to []Seed) (uint32, error) {
	q.meet = -1
	if err := q.check(from); err != nil {
		return Infinity, fmt.Errorf("find a way from its start: %w", err)
	}
	if err := q.check(to); err != nil {
		return Infinity, fmt.Errorf("find a way to its end: %w", err)
	}
	q.starts, q.finals = append(q.starts[:0], from...), append(q.finals[:0], to...)
	q.seed(q.from, from)
	q.seed(q.to, to)
	q.version = q.m.version
	up, down := q.m.sides()
	return q.climb(up, down), nil
}

// Between is the cost of the way between two nodes.
func (q *Query) Between(from, to int32) (uint32, error) {
	a, b := [1]Seed{{Node: from}}, [1]Seed{{Node: to}}
	return q.Cost(a[:], b[:])
}

// sides are the arcs that searches climb from the start and from the end.
func (m *Metric) sides() (up, down side) {
	if p := m.pruned; p != nil {
		return p.up, p.down
	}
	return side{m.h.up, m.h.high, m.w}, side{m.h.down, m.h.high, m.w}
}

// check tells whether all seeds are at nodes of the network.
func (q *Query) check(seeds []Seed) error {
	for _, s := range seeds {
		if uint(s.Node) >= uint(q.h.nodes) {
			return fmt.Errorf("%w: node %d of %d", ErrOutOfRange, s.Node, q.h.nodes)
		}
	}
	return nil
}

// seed puts the costs of seeds into labels, and their nodes into the front.
func (q *Query) seed(labels []label, seeds []Seed) {
	for _, s := range seeds {
		x := q.h.rank[s.Node]
		if s.Cost < labels[x].cost {
			labels[x] = label{s.Cost, -1}
			q.enter(x)
		}
	}
}

// enter puts a node into the front, unless it is there.
func (q *Query) enter(x int32) {
	i := len(q.front)
	for i > 0 && q.front[i-1] < x {
		i--
	}
	if i > 0 && q.front[i-1] == x {
		return
	}
	q.front = append(q.front, 0)
	copy(q.front[i+1:], q.front[i:])
	q.front[i] = x
}

// leave takes the lowest node out of the front, and puts its parent in.
func (q *Query) leave() int32 {
	last := len(q.front) - 1
	x := q.front[last]
	p := q.h.parent[x]
	switch {
	case p < 0 || last > 0 && q.front[last-1] == p:
		q.front = q.front[:last]
	case last == 0 || q.front[last-1] > p:
		q.front[last] = p
	default:
		q.front = q.front[:last]
		q.enter(p)
	}
	return x
}

// climb goes through all nodes on the ways from the seeds to the root, the lowest
// first, and keeps the best node at which both searches meet.
func (q *Query) climb(up, down side) uint32 {
	best := Infinity
	for len(q.front) > 0 {
		x := q.leave()
		f, t := q.from[x].cost, q.to[x].cost
		q.from[x].cost, q.to[x].cost = Infinity, Infinity
		if f < best {
			if s := f + t; s < best {
				best, q.meet = s, x
			}
			relax(q.from, up, x, f)
		}
		if t < best {
			relax(q.to, down, x, t)
		}
	}
	return best
}

// relax carries the cost of a node to its higher neighbours.
func relax(labels []label, s side, x int32, cost uint32) {
	first, end := s.first[x], s.first[x+1]
	high, w := s.high[first:end], s.w[first:end]
	for i, y := range high {
		if c := cost + w[i]; c < labels[y].cost {
			labels[y] = label{c, first + int32(i)}
		}
	}
}

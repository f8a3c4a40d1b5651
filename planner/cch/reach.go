package cch

import "fmt"

// Reached is a node and the least cost to get there.
type Reached struct {
	Node int32
	Cost uint32
}

// Reach appends every node that can be reached from the seeds at a cost of at most
// the bound, and that cost, in the order of a search from the highest node down. A
// bound of Infinity, or above, is every node that can be reached at all. Seeds at
// nodes that do not exist give ErrOutOfRange, and nothing is appended.
//
// After a climb from the seeds it goes once through the nodes from the highest down
// (Delling, Goldberg, Nowatzyk and Werneck, "PHAST: Hardware-accelerated shortest path
// trees", Journal of Parallel and Distributed Computing 73, 2013), and leaves out
// subtrees of the elimination tree that have no seed and whose higher neighbours are
// all beyond the bound: they are the only ways in.
func (q *Query) Reach(nodes []Reached, from []Seed, bound uint32) ([]Reached, error) {
	return q.sweep(nodes, from, bound, false)
}

// ReachBack is Reach against the arcs: the nodes from which the seeds can be reached,
// each with the least cost of doing so.
func (q *Query) ReachBack(nodes []Reached, to []Seed, bound uint32) ([]Reached, error) {
	return q.sweep(nodes, to, bound, true)
}

// sweep is Reach along the arcs, or against them.
func (q *Query) sweep(nodes []Reached, seeds []Seed, bound uint32, back bool) ([]Reached, error) {
	if err := q.check(seeds); err != nil {
		return nodes, fmt.Errorf("find what can be reached: %w", err)
	}
	q.meet = -1
	bound = min(bound, Infinity-1)
	up, down := q.m.sides()
	if back {
		up, down = down, up
	}
	// The climb leaves its costs in place, and marks its nodes in to.
	q.seed(q.from, seeds)
	climbed := q.path[:0]
	for len(q.front) > 0 {
		x := q.leave()
		if cost := q.from[x].cost; cost < Infinity {
			relax(q.from, up, x, cost)
		}
		q.to[x].cost = 0
		climbed = append(climbed, x)
	}
	q.path = climbed
	before := len(nodes)
	for x := int32(q.h.nodes - 1); x >= 0; x-- {
		if cost := q.pull(down, x); cost <= bound {
			q.from[x].cost = cost
			nodes = append(nodes, Reached{q.h.node[x], cost})
			continue
		}
		// What is beyond the bound counts as not reached from here on.
		q.from[x].cost = Infinity
		if q.to[x].cost == Infinity && q.closed(x) {
			x -= q.h.size[x] - 1
		}
	}
	for _, r := range nodes[before:] {
		q.from[q.h.rank[r.Node]].cost = Infinity
	}
	for _, x := range climbed {
		q.to[x].cost = Infinity
	}
	return nodes, nil
}

// pull is the cost of a node when those of all higher ones are known.
func (q *Query) pull(down side, x int32) uint32 {
	cost := q.from[x].cost
	first, end := down.first[x], down.first[x+1]
	high, w := down.high[first:end], down.w[first:end]
	for i, y := range high {
		cost = min(cost, q.from[y].cost+w[i])
	}
	return cost
}

// closed tells whether a subtree is large enough to be left out, and no way leads
// into it from a node that is reached.
func (q *Query) closed(x int32) bool {
	if q.h.size[x] < gateSize {
		return false
	}
	for _, y := range q.h.gate.at(x) {
		if q.from[y].cost < Infinity {
			return false
		}
	}
	return true
}

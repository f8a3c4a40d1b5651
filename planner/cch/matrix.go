package cch

import "fmt"

// matrix is the memory of Query.Matrix.
type matrix struct {
	// met are the nodes that searches from the ends have reached; of each node, start
	// and end are its part of bucket. start and end are 0 between questions.
	met        []int32
	start, end []int32
	// found is what the searches have reached, one after another; bucket is the same
	// sorted by nodes.
	found  []found
	bucket []entry
}

// found is a node, reached from an end at a cost.
type found struct {
	node int32
	entry
}

// entry is the number of an end, and its cost from a node.
type entry struct {
	end  int32
	cost uint32
}

// MaxMatrix bounds the cells of a matrix.
const MaxMatrix = 1 << 28

// Matrix appends the least cost from each place to each other place, row by row:
// those from the first place come first. Each place is a list of seeds. There is
// Infinity where there is no way. Seeds at nodes that do not exist give
// ErrOutOfRange, more than MaxMatrix cells ErrTooLarge; nothing is appended then.
//
// Each node that a search climbs to from an end keeps the cost in a bucket, which the
// searches from the starts look into (Knopp, Sanders, Schultes, Schulz and Wagner,
// "Computing many-to-many shortest paths using highway hierarchies", ALENEX 2007).
func (q *Query) Matrix(costs []uint32, from, to [][]Seed) ([]uint32, error) {
	if len(to) > 0 && len(from) > MaxMatrix/len(to) {
		return costs, fmt.Errorf("fill a matrix of %d by %d: %w: at most %d cells", len(from), len(to), ErrTooLarge, MaxMatrix)
	}
	for i, seeds := range from {
		if err := q.check(seeds); err != nil {
			return costs, fmt.Errorf("fill a matrix: start %d: %w", i, err)
		}
	}
	for i, seeds := range to {
		if err := q.check(seeds); err != nil {
			return costs, fmt.Errorf("fill a matrix: end %d: %w", i, err)
		}
	}
	q.meet = -1
	up, down := q.m.sides()
	q.fillBuckets(down, to)
	for range len(from) * len(to) {
		costs = append(costs, Infinity)
	}
	rows := costs[len(costs)-len(from)*len(to):]
	for i, seeds := range from {
		q.row(rows[i*len(to):(i+1)*len(to)], up, seeds)
	}
	for _, x := range q.matrix.met {
		q.matrix.start[x], q.matrix.end[x] = 0, 0
	}
	return costs, nil
}

// fillBuckets searches from all ends and sorts what is found by nodes.
func (q *Query) fillBuckets(down side, to [][]Seed) {
	b := &q.matrix
	if b.start == nil {
		b.start, b.end = make([]int32, q.h.nodes), make([]int32, q.h.nodes)
	}
	b.met, b.found = b.met[:0], b.found[:0]
	for i, seeds := range to {
		q.seed(q.to, seeds)
		for len(q.front) > 0 {
			x := q.leave()
			cost := q.to[x].cost
			if cost == Infinity {
				continue
			}
			q.to[x].cost = Infinity
			relax(q.to, down, x, cost)
			if b.end[x] == 0 {
				b.met = append(b.met, x)
			}
			b.end[x]++
			b.found = append(b.found, found{x, entry{int32(i), cost}})
		}
	}
	// Counts become places.
	at := int32(0)
	for _, x := range b.met {
		count := b.end[x]
		b.start[x], b.end[x] = at, at
		at += count
	}
	if cap(b.bucket) < len(b.found) {
		b.bucket = make([]entry, len(b.found)+len(b.found)/4)
	}
	b.bucket = b.bucket[:len(b.found)]
	for _, f := range b.found {
		b.bucket[b.end[f.node]] = f.entry
		b.end[f.node]++
	}
}

// row searches from one start.
func (q *Query) row(row []uint32, up side, seeds []Seed) {
	b := &q.matrix
	q.seed(q.from, seeds)
	for len(q.front) > 0 {
		x := q.leave()
		cost := q.from[x].cost
		if cost == Infinity {
			continue
		}
		q.from[x].cost = Infinity
		relax(q.from, up, x, cost)
		for _, e := range b.bucket[b.start[x]:b.end[x]] {
			if s := cost + e.cost; s < row[e.end] {
				row[e.end] = s
			}
		}
	}
}

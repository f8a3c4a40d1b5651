package cch

import (
	"fmt"
	"slices"
)

// Hierarchy is a contracted network without weights. Inside, nodes are named by
// their ranks, and an arc of the hierarchy by its slot: first those that lead up,
// sorted by their lower ends, then those that lead down, sorted so too. What no way
// over lower nodes leads through, in a direction, has no slot.
//
// It is immutable.
type Hierarchy struct {
	nodes, arcs int
	// rank of each node of the network, and the node of each rank.
	rank, node []int32
	// parent in the elimination tree, -1 at its roots. size counts the ranks of the
	// subtree: those of node x are x-size[x]+1 to x.
	parent, size []int32
	// up and down are the first slots of each node's arcs to higher nodes, and from
	// them; sorted by their upper ends.
	up, down []int32
	// high and low are the ends of each slot.
	high, low []int32
	// upTo and downTo list the slots of each upper end, sorted by their lower ends.
	upTo, downTo index
	// slot of each arc of the network, -1 for loops; of lists the arcs of each slot.
	slot []int32
	of   index
	// gate are all higher neighbours, in any direction, of nodes with a subtree of
	// gateSize or more; others have none.
	gate index
}

// gateSize is the size of a subtree from which a search tests whether it can be left
// out whole.
const gateSize = 16

// index is a list of numbers for each of a row of things.
type index struct{ first, item []int32 }

// at is the list of one thing.
func (x *index) at(i int32) []int32 { return x.item[x.first[i]:x.first[i+1]] }

// indexBy lists for each of n things the numbers whose key it is, ascending; keys
// below zero are in no list.
func indexBy(n int, keys []int32, from int32) index {
	x := index{first: make([]int32, n+1)}
	for _, k := range keys {
		if k >= 0 {
			x.first[k+1]++
		}
	}
	for i := range n {
		x.first[i+1] += x.first[i]
	}
	x.item = make([]int32, x.first[n])
	next := slices.Clone(x.first[:n])
	for i, k := range keys {
		if k >= 0 {
			x.item[next[k]] = int32(i) + from
			next[k]++
		}
	}
	return x
}

// New contracts the nodes of a network in the order given, the first one lowest.
// The order is a permutation of the nodes; those of Order keep the hierarchy small.
// Bad networks and orders give ErrBadGraph, and ErrTooLarge stands for networks, or
// orders, that would add too many arcs. The graph is not kept.
func New(g *Graph, order []int32) (*Hierarchy, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("contract a network: %w", err)
	}
	n := g.Nodes()
	if len(order) != n {
		return nil, fmt.Errorf("contract a network: %w: the order has %d nodes of %d", ErrBadGraph, len(order), n)
	}
	h := &Hierarchy{nodes: n, arcs: g.Arcs(), rank: make([]int32, n), node: slices.Clone(order)}
	for i := range h.rank {
		h.rank[i] = -1
	}
	for r, v := range order {
		if uint(v) >= uint(n) || h.rank[v] >= 0 {
			return nil, fmt.Errorf("contract a network: %w: the order has node %d at rank %d, twice or beyond the %d nodes", ErrBadGraph, v, r, n)
		}
		h.rank[v] = int32(r)
	}
	above, err := h.contract(g)
	if err != nil {
		return nil, fmt.Errorf("contract a network: %w", err)
	}
	above = h.postorder(above)
	h.fillSlots(g, above)
	h.findGates(above)
	return h, nil
}

// Nodes is the number of nodes of the network.
func (h *Hierarchy) Nodes() int { return h.nodes }

// Arcs is the number of arcs of the network.
func (h *Hierarchy) Arcs() int { return h.arcs }

// Slots is the number of arcs of the hierarchy: what Customize gives weights to.
func (h *Hierarchy) Slots() int { return len(h.high) }

// Depth is the largest number of nodes on a way from a node to its root: about how
// many nodes a query looks at, from each end.
func (h *Hierarchy) Depth() int {
	depth := make([]int32, h.nodes)
	deepest := int32(0)
	for x := h.nodes - 1; x >= 0; x-- {
		depth[x] = 1
		if p := h.parent[x]; p >= 0 {
			depth[x] = depth[p] + 1
		}
		deepest = max(deepest, depth[x])
	}
	return int(deepest)
}

// contract lists the higher neighbours of each node, ascending, after all lower ones
// are taken out and their neighbours joined; and finds the parents.
//
// It is enough to join a node's higher neighbours with its lowest one's: this one
// hands them on.
func (h *Hierarchy) contract(g *Graph) (index, error) {
	n := h.nodes
	own := h.ownNeighbours(g)
	above := index{first: make([]int32, n+1), item: make([]int32, 0, 2*len(own.item))}
	h.parent = make([]int32, n)
	// child and next are lists of the nodes that have a node as their lowest neighbour.
	child, next, seen := make([]int32, n), make([]int32, n), make([]int32, n)
	for i := range n {
		child[i], seen[i] = -1, -1
	}
	for x := range int32(n) {
		start := len(above.item)
		seen[x] = x
		for _, y := range own.at(x) {
			if seen[y] != x {
				seen[y] = x
				above.item = append(above.item, y)
			}
		}
		for c := child[x]; c >= 0; c = next[c] {
			for _, y := range above.at(c) {
				if seen[y] != x {
					seen[y] = x
					above.item = append(above.item, y)
				}
			}
		}
		if len(above.item) > MaxHierarchyArcs {
			return index{}, fmt.Errorf("%w: more than %d pairs of neighbours after %d of %d nodes; the network has no small cuts, or the order does not use them", ErrTooLarge, MaxHierarchyArcs, x, n)
		}
		list := above.item[start:]
		slices.Sort(list)
		above.first[x+1] = int32(len(above.item))
		h.parent[x] = -1
		if len(list) > 0 {
			p := list[0]
			h.parent[x] = p
			next[x], child[p] = child[p], x
		}
	}
	return above, nil
}

// ownNeighbours lists for each node the ranks of the higher nodes that arcs of the
// network join it with, some more than once.
func (h *Hierarchy) ownNeighbours(g *Graph) index {
	n := h.nodes
	x := index{first: make([]int32, n+1)}
	for pass := range 2 {
		for v := range n {
			for a := g.First[v]; a < g.First[v+1]; a++ {
				lo, hi := h.rank[v], h.rank[g.Head[a]]
				if lo == hi {
					continue
				}
				if lo > hi {
					lo, hi = hi, lo
				}
				if pass == 0 {
					x.first[lo+1]++
					continue
				}
				// In the second pass first[lo] runs ahead, and stands at the next list in the end.
				x.item[x.first[lo]] = hi
				x.first[lo]++
			}
		}
		if pass == 0 {
			for i := range n {
				x.first[i+1] += x.first[i]
			}
			x.item = make([]int32, x.first[n])
		}
	}
	copy(x.first[1:], x.first[:n])
	x.first[0] = 0
	return x
}

// postorder gives the nodes new ranks, such that those of each subtree of the
// elimination tree follow one another, with its root last. This changes no
// neighbours. The lists are put into the new order.
func (h *Hierarchy) postorder(above index) index {
	n := int32(h.nodes)
	h.size = make([]int32, n)
	for x := range n {
		h.size[x]++
		if p := h.parent[x]; p >= 0 {
			h.size[p] += h.size[x]
		}
	}
	// A node's subtree ends where the part of its parent's that is not given away yet
	// ends; from the highest node down.
	rank, left := make([]int32, n), make([]int32, n)
	roots := n
	for x := n - 1; x >= 0; x-- {
		end := &roots
		if p := h.parent[x]; p >= 0 {
			end = &left[p]
		}
		rank[x] = *end - 1
		left[x] = rank[x]
		*end -= h.size[x]
	}
	node, parent, size := make([]int32, n), make([]int32, n), make([]int32, n)
	sorted := index{first: make([]int32, n+1), item: make([]int32, 0, len(above.item))}
	for x, r := range rank {
		node[r], size[r], parent[r] = int32(x), h.size[x], h.parent[x]
		if p := h.parent[x]; p >= 0 {
			parent[r] = rank[p]
		}
	}
	for r, x := range node {
		for _, y := range above.at(x) {
			sorted.item = append(sorted.item, rank[y])
		}
		sorted.first[r+1] = int32(len(sorted.item))
	}
	for r, x := range node {
		node[r] = h.node[x]
	}
	h.node, h.parent, h.size = node, parent, size
	for r, v := range node {
		h.rank[v] = int32(r)
	}
	return sorted
}

// findGates keeps the higher neighbours of nodes with large subtrees.
func (h *Hierarchy) findGates(above index) {
	h.gate.first = make([]int32, h.nodes+1)
	for x := range int32(h.nodes) {
		if h.size[x] >= gateSize {
			h.gate.item = append(h.gate.item, above.at(x)...)
		}
		h.gate.first[x+1] = int32(len(h.gate.item))
	}
}

// Package cch answers questions about shortest ways in street networks within
// microseconds, and takes in a closed street within milliseconds.
//
// It is built on customizable contraction hierarchies (Dibbelt, Strasser and
// Wagner, "Customizable Contraction Hierarchies", ACM Journal of Experimental
// Algorithmics 21, 2016). The work is split in three, by how often things change:
//
//   - Once for a network: Order finds small sets of nodes that cut it in two, again
//     and again, and ranks a cut above what it separates. New contracts the nodes in
//     this order: what it adds between the neighbours of each node depends on no
//     weight, and every shortest way then leads first up in rank and then down.
//   - Once for a set of weights: Hierarchy.Customize gives each arc of the hierarchy
//     the weight of the best way over lower nodes. Metric.Update does so again for
//     what depends on a few changed arcs, with the same result.
//   - For each question: a Query climbs the elimination tree, in which a node's
//     parent is its lowest neighbour above. Nothing above a node on its shortest
//     ways lies outside of its path to the root, so there is no queue.
//
// Restrictions of turns are exact on the edge-based network that Expand makes: its
// nodes are the arcs of the streets, its arcs the turns.
//
// Weights are uint32 in a unit of the caller's choice, milliseconds for instance.
// Infinity and everything above it means closed; a sum that reaches Infinity counts
// as no way.
//
// A Hierarchy is immutable. A Metric may be read by any number of queries at once,
// as long as nobody updates it. A Query serves one question at a time.
package cch

import (
	"errors"
	"fmt"
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Infinity is the weight of what cannot be used, and the cost where there is no
// way. It is 2³¹−1, which in milliseconds is almost 25 days; every weight and every
// sum at or above it counts as Infinity.
const Infinity uint32 = math.MaxInt32

// Limits of what the package takes. What is larger is refused with ErrTooLarge.
const (
	// MaxNodes is the largest number of nodes of a network.
	MaxNodes = 1 << 24
	// MaxArcs is the largest number of arcs of a network.
	MaxArcs = 1 << 26
	// MaxHierarchyArcs is the largest number of pairs of neighbours in a hierarchy.
	// Street networks have about six for each node; networks without small cuts
	// come to this limit.
	MaxHierarchyArcs = 1 << 26
)

// Kinds of errors; the ones returned wrap them and say what was wrong.
var (
	// ErrBadGraph means that a network, its weights or its turns do not fit together.
	ErrBadGraph = errors.New("bad network")
	// ErrTooLarge means that a limit of this package is exceeded.
	ErrTooLarge = errors.New("network too large")
	// ErrOutOfRange means that a question names a node or an arc that does not exist.
	ErrOutOfRange = errors.New("no such node or arc")
)

// Graph is a directed network. Arcs are numbered by their tails: those that leave
// node n are First[n] to First[n+1]-1, and Head tells where each of them leads.
// Parallel arcs and loops are allowed. Weights are not part of it.
type Graph struct {
	// At is the place of each node, in metres in any plane. Places guide Order and
	// nothing else.
	At []space.XY
	// First has one more element than there are nodes.
	First []int32
	// Head is the node at which each arc ends.
	Head []int32
}

// Arc is one arc of a network that is not sorted by tails yet.
type Arc struct{ Tail, Head int32 }

// NewGraph sorts arcs by their tails, those of one tail staying in the order given.
// The second result tells which of the given arcs each arc of the graph is.
func NewGraph(at []space.XY, arcs []Arc) (Graph, []int32, error) {
	n := len(at)
	if n > MaxNodes || len(arcs) > MaxArcs {
		return Graph{}, nil, fmt.Errorf("sort %d arcs of %d nodes: %w", len(arcs), n, ErrTooLarge)
	}
	g := Graph{At: at, First: make([]int32, n+1), Head: make([]int32, len(arcs))}
	for i, a := range arcs {
		if uint(a.Tail) >= uint(n) || uint(a.Head) >= uint(n) {
			return Graph{}, nil, fmt.Errorf("sort arcs: %w: arc %d leads from node %d to %d, there are %d nodes", ErrBadGraph, i, a.Tail, a.Head, n)
		}
		g.First[a.Tail+1]++
	}
	for i := range n {
		g.First[i+1] += g.First[i]
	}
	next := append([]int32(nil), g.First[:n]...)
	given := make([]int32, len(arcs))
	for i, a := range arcs {
		k := next[a.Tail]
		next[a.Tail]++
		g.Head[k], given[k] = a.Head, int32(i)
	}
	return g, given, nil
}

// Nodes is the number of nodes.
func (g *Graph) Nodes() int { return len(g.At) }

// Arcs is the number of arcs.
func (g *Graph) Arcs() int { return len(g.Head) }

// Out are the numbers of the first arc that leaves a node and of the one after the
// last.
func (g *Graph) Out(node int32) (first, end int32) { return g.First[node], g.First[node+1] }

// Tails lists the node at which each arc starts.
func (g *Graph) Tails() []int32 {
	tails := make([]int32, len(g.Head))
	for n := range g.At {
		for a := g.First[n]; a < g.First[n+1]; a++ {
			tails[a] = int32(n)
		}
	}
	return tails
}

// Validate tells what is wrong with a network, as an error that wraps ErrBadGraph
// or ErrTooLarge.
func (g *Graph) Validate() error {
	n := len(g.At)
	if n > MaxNodes || len(g.Head) > MaxArcs {
		return fmt.Errorf("%w: %d nodes and %d arcs, at most %d and %d", ErrTooLarge, n, len(g.Head), MaxNodes, MaxArcs)
	}
	if len(g.First) != n+1 || g.First[0] != 0 || int(g.First[n]) != len(g.Head) {
		return fmt.Errorf("%w: First does not span %d arcs of %d nodes", ErrBadGraph, len(g.Head), n)
	}
	for i := range n {
		if g.First[i] > g.First[i+1] {
			return fmt.Errorf("%w: First falls at node %d", ErrBadGraph, i)
		}
		if p := g.At[i]; !finite(p.X) || !finite(p.Y) {
			return fmt.Errorf("%w: node %d is at (%v, %v)", ErrBadGraph, i, p.X, p.Y)
		}
	}
	for a, h := range g.Head {
		if uint(h) >= uint(n) {
			return fmt.Errorf("%w: arc %d leads to node %d of %d", ErrBadGraph, a, h, n)
		}
	}
	return nil
}

// finite tells whether a coordinate can be used. Sums of two must be numbers too.
func finite(v float64) bool { return math.Abs(v) <= 1e100 }

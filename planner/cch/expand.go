package cch

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Turns is what holds where arcs meet. The zero value allows every turn at no cost.
type Turns struct {
	// Twin is for each arc the same street in the other direction, or -1; nil means
	// that no arc has one. Only a turn from an arc to its twin is a U-turn.
	Twin []int32
	// UTurn is the cost of a U-turn, Infinity where they are forbidden. UTurnAtEnd is
	// its cost where no other arc leaves the node.
	UTurn, UTurnAtEnd uint32
	// Cost tells what any other turn costs, Infinity for a forbidden one; nil means
	// nothing. The second arc starts where the first one ends.
	Cost func(from, to int32) uint32
	// Never lists ways, of two arcs or more, that nobody may go as a whole: a forbidden
	// turn is two arcs, one that leads over a street between is three.
	Never [][]int32
	// Only lists ways, of two arcs or more, that all must go on with who have gone all
	// of it but the last arc.
	Only [][]int32
}

// Limits of Turns.
const (
	// MaxRestrictions is the largest number of ways in Never and Only together.
	MaxRestrictions = 1 << 22
	// MaxRestrictionArcs is the largest number of arcs of one of them.
	MaxRestrictionArcs = 64
)

// Expanded is the edge-based network of a street network: a node for each of its arcs,
// an arc for each turn that is allowed. The cost from one node to another is that from
// the start of one street to the start of the other.
//
// What is forbidden on longer ways is exact too. A street that is one of the inner
// arcs of such a way has further nodes: one for each part of such a way that leads
// over it and may have been gone already. What comes next depends on which of its
// nodes a way is at.
type Expanded struct {
	// Graph is the network for New. Its first nodes are the arcs of the streets.
	Graph Graph
	// Arc is the street of each node.
	Arc []int32
	// Turn is the cost of the turn of each arc of Graph, without the street before it.
	Turn []uint32
	// streets is what was expanded.
	streets *Graph
	// copies lists the further nodes of each street, into the arcs that lead to each
	// node of the streets, and tails the node at which each arc starts.
	copies, into index
	tails        []int32
}

// Expand makes the edge-based network. The streets and the turns are kept and must not
// change. Turns that do not fit the streets, or ways whose arcs do not follow one
// another, give ErrBadGraph, and ErrTooLarge stands for more nodes or arcs than
// networks may have.
func Expand(streets *Graph, turns *Turns) (*Expanded, error) {
	if err := streets.Validate(); err != nil {
		return nil, fmt.Errorf("expand a network: %w", err)
	}
	e := &Expanded{streets: streets, tails: streets.Tails(), into: indexBy(streets.Nodes(), streets.Head, 0)}
	if err := e.checkTurns(turns); err != nil {
		return nil, fmt.Errorf("expand a network: %w", err)
	}
	r, err := e.restrict(turns)
	if err != nil {
		return nil, fmt.Errorf("expand a network: %w", err)
	}
	e.Arc = make([]int32, len(r.live))
	for i, s := range r.live {
		e.Arc[i] = r.last[s]
	}
	e.copies = indexBy(streets.Arcs(), e.Arc[streets.Arcs():], int32(streets.Arcs()))
	e.Graph.At = make([]space.XY, len(e.Arc))
	e.Graph.First = make([]int32, len(e.Arc)+1)
	for s, a := range e.Arc {
		from, to := streets.At[e.tails[a]], streets.At[streets.Head[a]]
		e.Graph.At[s] = space.XY{X: from.X/2 + to.X/2, Y: from.Y/2 + to.Y/2}
		first, end := streets.Out(streets.Head[a])
		for b := first; b < end; b++ {
			cost := e.cost(turns, a, b, end-first == 1)
			if cost >= Infinity {
				continue
			}
			if next, allowed := r.step(r.live[s], b); allowed {
				e.Graph.Head = append(e.Graph.Head, next)
				e.Turn = append(e.Turn, cost)
			}
		}
		if len(e.Graph.Head) > MaxArcs {
			return nil, fmt.Errorf("expand a network: %w: more than %d turns", ErrTooLarge, MaxArcs)
		}
		e.Graph.First[s+1] = int32(len(e.Graph.Head))
	}
	return e, nil
}

// cost of a turn from an arc to another; alone tells that the other is the only one.
func (e *Expanded) cost(turns *Turns, from, to int32, alone bool) uint32 {
	switch {
	case turns.Twin != nil && turns.Twin[from] == to:
		if alone {
			return turns.UTurnAtEnd
		}
		return turns.UTurn
	case turns.Cost != nil:
		return turns.Cost(from, to)
	default:
		return 0
	}
}

// checkTurns tells whether turns fit the streets.
func (e *Expanded) checkTurns(turns *Turns) error {
	n := e.streets.Arcs()
	if turns.Twin != nil && len(turns.Twin) != n {
		return fmt.Errorf("%w: %d twins for %d arcs", ErrBadGraph, len(turns.Twin), n)
	}
	for a, b := range turns.Twin {
		if b != -1 && (uint(b) >= uint(n) || e.tails[b] != e.streets.Head[a] || e.streets.Head[b] != e.tails[a]) {
			return fmt.Errorf("%w: arc %d has the twin %d, which does not lead back", ErrBadGraph, a, b)
		}
	}
	if len(turns.Never)+len(turns.Only) > MaxRestrictions {
		return fmt.Errorf("%w: %d restrictions, at most %d", ErrTooLarge, len(turns.Never)+len(turns.Only), MaxRestrictions)
	}
	for i, way := range turns.Never {
		if err := e.checkWay(way); err != nil {
			return fmt.Errorf("forbidden way %d: %w", i, err)
		}
	}
	for i, way := range turns.Only {
		if err := e.checkWay(way); err != nil {
			return fmt.Errorf("only way %d: %w", i, err)
		}
	}
	return nil
}

// checkWay tells whether the arcs of a way follow one another.
func (e *Expanded) checkWay(way []int32) error {
	if len(way) < 2 || len(way) > MaxRestrictionArcs {
		return fmt.Errorf("%w: it has %d arcs, not 2 to %d", ErrBadGraph, len(way), MaxRestrictionArcs)
	}
	for i, a := range way {
		if uint(a) >= uint(e.streets.Arcs()) {
			return fmt.Errorf("%w: there is no arc %d", ErrBadGraph, a)
		}
		if i > 0 && e.streets.Head[way[i-1]] != e.tails[a] {
			return fmt.Errorf("%w: arc %d does not start where arc %d ends", ErrBadGraph, a, way[i-1])
		}
	}
	return nil
}

// Order ranks the nodes for New, given an order of the streets' arcs from OrderArcs:
// the nodes of one street follow one another. A list that is no such order gives
// ErrBadGraph.
func (e *Expanded) Order(arcs []int32) ([]int32, error) {
	n := e.streets.Arcs()
	if len(arcs) != n {
		return nil, fmt.Errorf("order an expanded network: %w: %d arcs of %d", ErrBadGraph, len(arcs), n)
	}
	order := make([]int32, 0, len(e.Arc))
	seen := make([]bool, n)
	for _, a := range arcs {
		if uint(a) >= uint(n) || seen[a] {
			return nil, fmt.Errorf("order an expanded network: %w: arc %d is named twice or does not exist", ErrBadGraph, a)
		}
		seen[a] = true
		order = append(order, a)
		order = append(order, e.copies.at(a)...)
	}
	return order, nil
}

// Weights appends the weights of the expanded network's arcs for those of the
// streets: that of the street before the turn and the cost of the turn. A wrong
// number of weights gives ErrBadGraph.
func (e *Expanded) Weights(dst, streets []uint32) ([]uint32, error) {
	if len(streets) != e.streets.Arcs() {
		return dst, fmt.Errorf("expand weights: %w: %d weights for %d arcs", ErrBadGraph, len(streets), e.streets.Arcs())
	}
	dst = slices.Grow(dst, len(e.Turn))
	for s, a := range e.Arc {
		w := min(streets[a], Infinity)
		for k := e.Graph.First[s]; k < e.Graph.First[s+1]; k++ {
			dst = append(dst, min(w+e.Turn[k], Infinity))
		}
	}
	return dst, nil
}

// Changes appends what Metric.Update needs when a street gets another weight. An arc
// that does not exist has no changes.
func (e *Expanded) Changes(dst []Change, arc int32, weight uint32) []Change {
	if uint(arc) >= uint(e.streets.Arcs()) {
		return dst
	}
	w := min(weight, Infinity)
	dst = e.changes(dst, arc, w)
	for _, s := range e.copies.at(arc) {
		dst = e.changes(dst, s, w)
	}
	return dst
}

// changes appends those of one node.
func (e *Expanded) changes(dst []Change, node int32, weight uint32) []Change {
	for k := e.Graph.First[node]; k < e.Graph.First[node+1]; k++ {
		dst = append(dst, Change{k, min(weight+e.Turn[k], Infinity)})
	}
	return dst
}

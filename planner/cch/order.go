package cch

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// The two sides of a cut, and the nodes on it.
const (
	oneSide int8 = 1 + iota
	otherSide
	onCut
)

// Order ranks the nodes of a network for New, the first of the result lowest. It is
// a nested dissection: a small set of nodes that separates the rest into two parts
// comes last, in this order, and each part is ranked in the same way before it.
//
// Separators are found by inertial flow (Schild and Sommer, "On balanced separators
// in road networks", SEA 2015): the nodes at one end of the network, in a direction,
// are one set, those at the other end the second, and the fewest edges between them
// that cut all ways are found as a maximum flow. Of several directions and several
// sizes of the two sets, the cut with the fewest edges for the size of its smaller
// side is taken, and of its edges' ends the fewest that touch all.
//
// The result depends on the network alone. Bad networks give ErrBadGraph, too large
// ones ErrTooLarge.
func Order(g *Graph) ([]int32, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("order nodes: %w", err)
	}
	d := dissection{order: make([]int32, 0, g.Nodes())}
	p := whole(g, false)
	for _, part := range p.components(make([]int8, g.Nodes())) {
		d.nodes(part)
	}
	return d.order, nil
}

// OrderArcs ranks the arcs of a network for the edge-based one that Expand makes of
// it. It is the same dissection, but what separates two parts are the arcs between
// them: turns lead from one part to the other only by way of these (Buchhold,
// Wagner, Zeitz and Zündorf, "Customizable contraction hierarchies with turn costs",
// ATMOS 2020). Expanded.Order takes the result.
func OrderArcs(g *Graph) ([]int32, error) {
	if err := g.Validate(); err != nil {
		return nil, fmt.Errorf("order arcs: %w", err)
	}
	d := dissection{order: make([]int32, 0, g.Arcs()), g: g, mark: make([]int8, g.Nodes())}
	p := whole(g, true)
	for _, part := range p.components(make([]int8, g.Nodes())) {
		d.arcs(part)
	}
	return d.order, nil
}

// dissection collects the order while pieces are cut up.
type dissection struct {
	order []int32
	flow  flow
	by    []spot
	best  []int8
	// g and mark, the side of each node of the piece at hand, are for arcs only.
	g    *Graph
	mark []int8
}

// spot is a node and how far it lies in a direction.
type spot struct {
	along float64
	node  int32
}

// nodes ranks the nodes of a connected piece.
func (d *dissection) nodes(p *piece) {
	if len(p.node) <= 2 {
		d.order = append(d.order, p.node...)
		return
	}
	side := d.bisect(p)
	cover(p, side)
	cut := make([]int32, 0, 16)
	for v, s := range side {
		if s == onCut {
			cut = append(cut, p.node[v])
		}
	}
	for _, part := range p.components(side) {
		d.nodes(part)
	}
	d.order = append(d.order, cut...)
}

// arcs ranks the arcs between the nodes of a connected piece.
func (d *dissection) arcs(p *piece) {
	if len(p.node) == 1 {
		d.between(p, func(tail, head int32) bool { return tail == head })
		return
	}
	side := d.bisect(p)
	parts := p.components(side)
	cut := dissection{g: d.g, mark: d.mark}
	for v, s := range side {
		d.mark[p.node[v]] = s
	}
	cut.between(p, func(tail, head int32) bool {
		return d.mark[head] != 0 && d.mark[tail] != d.mark[head]
	})
	for _, v := range p.node {
		d.mark[v] = 0
	}
	for _, part := range parts {
		d.arcs(part)
	}
	d.order = append(d.order, cut.order...)
}

// between ranks the arcs that leave nodes of a piece and that the test names.
func (d *dissection) between(p *piece, test func(tail, head int32) bool) {
	for _, v := range p.node {
		for a := d.g.First[v]; a < d.g.First[v+1]; a++ {
			if test(v, d.g.Head[a]) {
				d.order = append(d.order, a)
			}
		}
	}
}

// bisect divides the nodes of a connected piece of two or more into two sides, of
// which neither is empty.
func (d *dissection) bisect(p *piece) []int8 {
	n := len(p.node)
	d.flow.bind(p)
	if cap(d.by) < n {
		d.by, d.best = make([]spot, n), make([]int8, n)
	}
	d.by, d.best = d.by[:n], d.best[:n]
	score := math.Inf(1)
	for dir := range directions {
		angle := math.Pi * float64(dir) / directions
		cos, sin := math.Cos(angle), math.Sin(angle)
		for v, at := range p.at {
			d.by[v] = spot{along: cos*at.X + sin*at.Y, node: int32(v)}
		}
		slices.SortFunc(d.by, func(a, b spot) int {
			return cmp.Or(cmp.Compare(a.along, b.along), cmp.Compare(a.node, b.node))
		})
		score = d.sweep(score)
	}
	return slices.Clone(d.best)
}

const directions = 4

// sizes are the parts of the nodes that each of the two sets has, one after another.
var sizes = [...]float64{0.2, 0.3, 0.4}

// sweep looks for a cut between the ends of the direction by which the nodes are
// sorted, and keeps it if it is better than the score; the better one is returned.
func (d *dissection) sweep(score float64) float64 {
	n, f := len(d.by), &d.flow
	f.reset()
	taken := 0
	for _, size := range sizes {
		k := max(1, int(size*float64(n)))
		for ; taken < k; taken++ {
			f.end[d.by[taken].node] = 1
			f.end[d.by[n-1-taken].node] = 2
		}
		limit := int32(math.MaxInt32)
		if !math.IsInf(score, 1) {
			limit = int32(min(score*float64(n)/2, math.MaxInt32))
		}
		if !f.run(limit) {
			return score
		}
		near := f.reached()
		s := float64(f.value) / float64(min(near, n-near))
		if s < score {
			score = s
			for v, l := range f.level {
				d.best[v] = otherSide
				if l >= 0 {
					d.best[v] = oneSide
				}
			}
		}
		f.reaching()
		far := f.reached()
		if s := float64(f.value) / float64(min(far, n-far)); s < score {
			score = s
			for v, l := range f.level {
				d.best[v] = oneSide
				if l >= 0 {
					d.best[v] = otherSide
				}
			}
		}
	}
	return score
}

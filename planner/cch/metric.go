package cch

import (
	"fmt"
	"slices"
)

// Metric is a hierarchy with weights. It may be read by many queries at once, but by
// none while Update or Prune run; Clone makes one to be changed meanwhile.
type Metric struct {
	h *Hierarchy
	// arc is the weight of each arc of the network.
	arc []uint32
	// w is for each slot the least cost from one end to the other over its arcs and
	// over lower nodes.
	w []uint32
	// pos is scratch: the slot of the node at hand that leads to each higher one.
	pos []int32
	// pruned is what queries search instead of all slots, or nil.
	pruned *pruned
	update update
	// version counts the changes, so that a query knows whether its way still stands.
	version uint64
}

// Customize gives the hierarchy weights, one for each arc of the network. Weights of
// Infinity and above close an arc. A wrong number of weights gives ErrBadGraph.
func (h *Hierarchy) Customize(weights []uint32) (*Metric, error) {
	if len(weights) != h.arcs {
		return nil, fmt.Errorf("customize a hierarchy: %w: %d weights for %d arcs", ErrBadGraph, len(weights), h.arcs)
	}
	m := &Metric{h: h, arc: make([]uint32, h.arcs), w: make([]uint32, len(h.high)), pos: make([]int32, h.nodes)}
	for a, w := range weights {
		m.arc[a] = min(w, Infinity)
	}
	m.customize()
	return m, nil
}

// Reset gives the metric other weights, all at once and in the memory that it has.
func (m *Metric) Reset(weights []uint32) error {
	if len(weights) != m.h.arcs {
		return fmt.Errorf("customize a hierarchy again: %w: %d weights for %d arcs", ErrBadGraph, len(weights), m.h.arcs)
	}
	for a, w := range weights {
		m.arc[a] = min(w, Infinity)
	}
	m.pruned = nil
	m.version++
	m.customize()
	return nil
}

// Clone copies a metric, so that the copy can be updated while the first one is in
// use.
func (m *Metric) Clone() *Metric {
	return &Metric{
		h: m.h, arc: slices.Clone(m.arc), w: slices.Clone(m.w), pos: make([]int32, len(m.pos)), pruned: m.pruned,
	}
}

// Hierarchy is what the metric has weights for.
func (m *Metric) Hierarchy() *Hierarchy { return m.h }

// Weight is the weight of an arc of the network; of one that does not exist it is
// Infinity.
func (m *Metric) Weight(arc int32) uint32 {
	if uint(arc) >= uint(len(m.arc)) {
		return Infinity
	}
	return m.arc[arc]
}

// customize computes all weights of slots from those of the arcs.
func (m *Metric) customize() {
	h := m.h
	for k := range m.w {
		m.w[k] = Infinity
	}
	for a, k := range h.slot {
		if k >= 0 {
			m.w[k] = min(m.w[k], m.arc[a])
		}
	}
	for y := range int32(h.nodes) {
		m.lowerTriangles(y)
	}
}

// lowerTriangles lowers the weights of a node's slots to those of ways over one lower
// node, whose own slots are right already.
func (m *Metric) lowerTriangles(y int32) {
	h := m.h
	if h.up[y] < h.up[y+1] {
		m.via(y, h.downTo.at(y), h.up)
	}
	if h.down[y] < h.down[y+1] {
		m.via(y, h.upTo.at(y), h.down)
	}
}

// via lowers the weights of the slots of node y in one direction, whose first ones
// are given: for each lower node x that a slot joins with y, over the slots of x in
// this direction that lead beyond y.
func (m *Metric) via(y int32, slots, first []int32) {
	h, w, pos := m.h, m.w, m.pos
	high := h.high
	for k := first[y]; k < first[y+1]; k++ {
		pos[high[k]] = k
	}
	for _, xy := range slots {
		part := w[xy]
		if part == Infinity {
			continue
		}
		x := h.low[xy]
		xFirst, xEnd := first[x], first[x+1]
		highs, ws := high[xFirst:xEnd], w[xFirst:xEnd]
		for k := len(highs) - 1; k >= 0; k-- {
			z := highs[k]
			if z <= y {
				break
			}
			t := pos[z]
			if s := part + ws[k]; s < w[t] {
				w[t] = s
			}
		}
	}
}

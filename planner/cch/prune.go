package cch

// pruned is the part of a metric that shortest ways need: the slots of which none
// costs more than another way between its ends.
type pruned struct {
	up, down side
	// slot of each of the arcs that are left.
	slot []int32
}

// side is the arcs of a search in one direction: those of each node, with the other
// end and the weight of each.
type side struct {
	first, high []int32
	w           []uint32
}

// Prune leaves out of searches what no shortest way needs (the perfect customization
// of Dibbelt, Strasser and Wagner). Queries give the same costs and take about half
// of the time; Prune itself takes a few times as long as Customize. Update and Reset
// undo it.
func (m *Metric) Prune() {
	h := m.h
	best := m.perfect()
	p := &pruned{}
	keep := func(first []int32) []int32 {
		starts := make([]int32, len(first))
		for x := range h.nodes {
			starts[x] = int32(len(p.slot))
			for k := first[x]; k < first[x+1]; k++ {
				if m.w[k] < Infinity && m.w[k] == best[k] {
					p.slot = append(p.slot, k)
				}
			}
		}
		starts[h.nodes] = int32(len(p.slot))
		return starts
	}
	p.up.first = keep(h.up)
	p.down.first = keep(h.down)
	high, w := make([]int32, len(p.slot)), make([]uint32, len(p.slot))
	for i, k := range p.slot {
		high[i], w[i] = h.high[k], m.w[k]
	}
	p.up.high, p.down.high = high, high
	p.up.w, p.down.w = w, w
	m.pruned = p
	m.version++
}

// perfect computes the cost of the shortest way between the ends of each slot, over
// any nodes. From the highest node down, the first step to a neighbour costs what its
// slot does, and what follows is a slot between two higher neighbours, which is right
// already.
func (m *Metric) perfect() []uint32 {
	h, n := m.h, m.h.nodes
	best := make([]uint32, len(m.w))
	copy(best, m.w)
	pos := m.pos
	for i := range pos {
		pos[i] = -1
	}
	for x := int32(n - 1); x >= 0; x-- {
		m.upperTriangles(best, x, h.up, h.down)
		m.upperTriangles(best, x, h.down, h.up)
	}
	return best
}

// upperTriangles lowers the costs of a node's slots in one direction, whose first ones
// are in along, to those over one higher node.
func (m *Metric) upperTriangles(best []uint32, x int32, along, against []int32) {
	h, pos := m.h, m.pos
	for k := along[x]; k < along[x+1]; k++ {
		pos[h.high[k]] = k
	}
	for k := along[x]; k < along[x+1]; k++ {
		z, own := h.high[k], m.w[k]
		if own == Infinity {
			continue
		}
		// To y above z, and to y below z by a slot that leads the other way from z.
		for j := along[z]; j < along[z+1]; j++ {
			if t := pos[h.high[j]]; t >= 0 {
				best[t] = min(best[t], own+best[j])
			}
		}
		m.belowOf(best, z, own, along, against, x)
	}
	for k := along[x]; k < along[x+1]; k++ {
		pos[h.high[k]] = -1
	}
}

// belowOf does the same for the neighbours of x that are below z.
func (m *Metric) belowOf(best []uint32, z int32, own uint32, along, against []int32, x int32) {
	h := m.h
	for t := along[x]; t < along[x+1]; t++ {
		y := h.high[t]
		if y >= z {
			break
		}
		if j := h.slotOf(y, z, against); j >= 0 {
			best[t] = min(best[t], own+best[j])
		}
	}
}

// slotOf is the slot between a lower and a higher node in the direction whose first
// slots are given, or -1.
func (h *Hierarchy) slotOf(lo, hi int32, first []int32) int32 {
	a, b := first[lo], first[lo+1]
	for a < b {
		mid := int32(uint32(a+b) / 2)
		if h.high[mid] < hi {
			a = mid + 1
		} else {
			b = mid
		}
	}
	if a < first[lo+1] && h.high[a] == hi {
		return a
	}
	return -1
}

package cch

import "slices"

// fillSlots finds out which pairs of neighbours are joined by a way over lower nodes
// in which direction, and numbers these as slots. This is a customization in which
// all arcs of the network are open and nothing but that counts.
func (h *Hierarchy) fillSlots(g *Graph, above index) {
	n := h.nodes
	canUp, canDown := make([]bool, len(above.item)), make([]bool, len(above.item))
	// pair of each arc: its pair of neighbours, and below zero, as a complement, when
	// it leads down.
	pair := make([]int32, g.Arcs())
	for v := range n {
		for a := g.First[v]; a < g.First[v+1]; a++ {
			lo, hi := h.rank[v], h.rank[g.Head[a]]
			switch {
			case lo < hi:
				k := above.find(lo, hi)
				canUp[k], pair[a] = true, k
			case lo > hi:
				k := above.find(hi, lo)
				canDown[k], pair[a] = true, ^k
			}
		}
	}
	joinDirections(above, canUp, canDown)

	// The number of each pair's slots.
	upSlot, downSlot := make([]int32, len(above.item)), make([]int32, len(above.item))
	h.up, h.down = make([]int32, n+1), make([]int32, n+1)
	h.addSlots(above, canUp, h.up, upSlot)
	h.addSlots(above, canDown, h.down, downSlot)
	ups := h.up[n]
	h.upTo = indexBy(n, h.high[:ups], 0)
	h.downTo = indexBy(n, h.high[ups:], ups)

	h.slot = make([]int32, g.Arcs())
	for v := range n {
		for a := g.First[v]; a < g.First[v+1]; a++ {
			switch k := pair[a]; {
			case int(g.Head[a]) == v:
				h.slot[a] = -1
			case k >= 0:
				h.slot[a] = upSlot[k]
			default:
				h.slot[a] = downSlot[^k]
			}
		}
	}
	h.of = indexBy(len(h.high), h.slot, 0)
}

// addSlots gives numbers to the pairs that have a way in one direction.
func (h *Hierarchy) addSlots(above index, can []bool, first, slot []int32) {
	count := 0
	for _, c := range can {
		if c {
			count++
		}
	}
	h.high, h.low = slices.Grow(h.high, count), slices.Grow(h.low, count)
	for x := range int32(len(first) - 1) {
		first[x] = int32(len(h.high))
		for k := above.first[x]; k < above.first[x+1]; k++ {
			if can[k] {
				slot[k] = int32(len(h.high))
				h.high = append(h.high, above.item[k])
				h.low = append(h.low, x)
			}
		}
	}
	first[len(first)-1] = int32(len(h.high))
}

// joinDirections marks every pair that a way over lower nodes leads through.
func joinDirections(above index, canUp, canDown []bool) {
	n := len(above.first) - 1
	to := indexBy(n, above.item, 0)
	low := make([]int32, len(above.item))
	for x := range n {
		for k := above.first[x]; k < above.first[x+1]; k++ {
			low[k] = int32(x)
		}
	}
	pos := make([]int32, n)
	for y := range int32(n) {
		for k := above.first[y]; k < above.first[y+1]; k++ {
			pos[above.item[k]] = k
		}
		for _, xy := range to.at(y) {
			// x is below y; z is above both.
			up, down := canUp[xy], canDown[xy]
			for xz := xy + 1; xz < above.first[low[xy]+1]; xz++ {
				yz := pos[above.item[xz]]
				canUp[yz] = canUp[yz] || down && canUp[xz]
				canDown[yz] = canDown[yz] || up && canDown[xz]
			}
		}
	}
}

// find is the place of an item in the list of a thing, which is sorted and has it.
func (x *index) find(i, item int32) int32 {
	k, _ := slices.BinarySearch(x.at(i), item)
	return x.first[i] + int32(k)
}

package cch

import "fmt"

// Change gives an arc of the network another weight; Infinity closes it.
type Change struct {
	Arc    int32
	Weight uint32
}

// update is the memory of Metric.Update.
type update struct {
	// due holds the nodes whose slots have to be computed again, as a heap with the
	// lowest first; isDue says the same for each node.
	due   []int32
	isDue []uint8
	old   []uint32
}

// The directions in which a node's slots are due.
const (
	dueUp uint8 = 1 << iota
	dueDown
)

// Update changes the weights of some arcs and of all that follows from them. The
// metric is then the same as a new one with these weights. When an arc is named more
// than once, the last change counts. Arcs that do not exist give ErrOutOfRange, and
// nothing is changed.
//
// It computes again the slots of nodes whose weights may have changed, from the lowest
// node up; all of them lie on the ways from the arcs' lower ends to the root of the
// elimination tree. The return value is their number.
func (m *Metric) Update(changes []Change) (int, error) {
	h, u := m.h, &m.update
	for _, c := range changes {
		if uint(c.Arc) >= uint(h.arcs) {
			return 0, fmt.Errorf("update weights: %w: arc %d of %d", ErrOutOfRange, c.Arc, h.arcs)
		}
	}
	if u.isDue == nil {
		u.isDue = make([]uint8, h.nodes)
	}
	for _, c := range changes {
		w := min(c.Weight, Infinity)
		if k := h.slot[c.Arc]; k >= 0 && m.arc[c.Arc] != w {
			m.mark(k)
		}
		m.arc[c.Arc] = w
	}
	m.version++
	count := 0
	for len(u.due) > 0 {
		y := u.pop()
		what := u.isDue[y]
		u.isDue[y] = 0
		if what&dueUp != 0 {
			m.again(y, h.downTo.at(y), h.up, h.down)
		}
		if what&dueDown != 0 {
			m.again(y, h.upTo.at(y), h.down, h.up)
		}
		count++
	}
	return count, nil
}

// mark makes the node of a slot due.
func (m *Metric) mark(slot int32) {
	x, what := m.h.low[slot], dueUp
	if slot >= m.h.up[m.h.nodes] {
		what = dueDown
	}
	if m.update.isDue[x] == 0 {
		m.update.push(x)
	}
	m.update.isDue[x] |= what
}

// again computes the slots of a node in one direction, and marks what depends on
// those that have changed.
func (m *Metric) again(y int32, lower, first, against []int32) {
	h, u := m.h, &m.update
	from, end := first[y], first[y+1]
	u.old = append(u.old[:0], m.w[from:end]...)
	for k := from; k < end; k++ {
		m.w[k] = Infinity
		for _, a := range h.of.at(k) {
			m.w[k] = min(m.w[k], m.arc[a])
		}
	}
	m.via(y, lower, first)
	for i, old := range u.old {
		k := from + int32(i)
		if m.w[k] == old {
			continue
		}
		m.pruned = nil
		// The slots of y in the other direction, with this one, lead from neighbour to
		// neighbour of y.
		for j := against[y]; j < against[y+1]; j++ {
			if h.high[j] != h.high[k] {
				m.follow(k, j, old, first, against)
			}
		}
	}
}

// follow marks the slot between the upper ends of two slots of one node if it may
// change because slot k no longer has its old weight.
//
// It may if it was as heavy as the way over the node was, or is heavier than the way
// is now. When both slots change, the first to do so sees the old way as it was.
func (m *Metric) follow(k, j int32, old uint32, along, against []int32) {
	h := m.h
	lo, hi, first := h.high[j], h.high[k], along
	if lo > hi {
		lo, hi, first = hi, lo, against
	}
	t := h.slotOf(lo, hi, first)
	if t < 0 {
		return
	}
	w := m.w[t]
	if m.w[k] < old && m.w[k]+m.w[j] < w || m.w[k] > old && w < Infinity && old+m.w[j] == w {
		m.mark(t)
	}
}

// push adds a node to the heap.
func (u *update) push(x int32) {
	u.due = append(u.due, x)
	i := len(u.due) - 1
	for i > 0 && u.due[(i-1)/2] > u.due[i] {
		u.due[i], u.due[(i-1)/2] = u.due[(i-1)/2], u.due[i]
		i = (i - 1) / 2
	}
}

// pop takes the lowest node off the heap.
func (u *update) pop() int32 {
	top := u.due[0]
	last := len(u.due) - 1
	u.due[0] = u.due[last]
	u.due = u.due[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			return top
		}
		if c+1 < last && u.due[c+1] < u.due[c] {
			c++
		}
		if u.due[i] <= u.due[c] {
			return top
		}
		u.due[i], u.due[c] = u.due[c], u.due[i]
		i = c
	}
}

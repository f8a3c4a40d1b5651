package cch

// Path appends the arcs of the network on the way that the last Cost found, from its
// start to its end, and returns the longer slice. After a Cost of Infinity, or when
// one node is start and end, it appends none; nor when the metric has changed since.
func (q *Query) Path(arcs []int32) []int32 {
	if _, _, ok := q.Ends(); !ok {
		return arcs
	}
	// From the meeting point back to the start, the slots come last first.
	q.path = q.path[:0]
	for x := q.meet; ; {
		k := q.slot(q.from[x])
		if k < 0 {
			break
		}
		q.path = append(q.path, k)
		x = q.h.low[k]
	}
	for i := len(q.path) - 1; i >= 0; i-- {
		arcs = q.unpack(arcs, q.path[i])
	}
	for x := q.meet; ; {
		k := q.slot(q.to[x])
		if k < 0 {
			break
		}
		arcs = q.unpack(arcs, k)
		x = q.h.low[k]
	}
	return arcs
}

// Ends are the places in the lists of seeds at which the last way found starts and
// ends; ok is false when none was found, or the metric has changed since.
func (q *Query) Ends() (from, to int, ok bool) {
	if q.meet < 0 || q.version != q.m.version {
		return 0, 0, false
	}
	return q.end(q.from, q.starts), q.end(q.to, q.finals), true
}

// end is the place of the seed from which a search came to the meeting point.
func (q *Query) end(labels []label, seeds []Seed) int {
	x := q.meet
	for k := q.slot(labels[x]); k >= 0; k = q.slot(labels[x]) {
		x = q.h.low[k]
	}
	best := -1
	for i, s := range seeds {
		if s.Node == q.h.node[x] && (best < 0 || s.Cost < seeds[best].Cost) {
			best = i
		}
	}
	return best
}

// slot is the slot of a label, or -1 at a seed.
func (q *Query) slot(l label) int32 {
	if p := q.m.pruned; p != nil && l.slot >= 0 {
		return p.slot[l.slot]
	}
	return l.slot
}

// unpack appends the arcs behind a slot. A slot that is no lighter than its lightest
// arc is that arc; another one is two slots of a lower node, which exist as the
// weight came from them.
func (q *Query) unpack(arcs []int32, slot int32) []int32 {
	h, m := q.h, q.m
	q.stack = append(q.stack[:0], slot)
	for len(q.stack) > 0 {
		k := q.stack[len(q.stack)-1]
		q.stack = q.stack[:len(q.stack)-1]
		own := int32(-1)
		for _, a := range h.of.at(k) {
			if m.arc[a] == m.w[k] {
				own = a
				break
			}
		}
		if own >= 0 {
			arcs = append(arcs, own)
			continue
		}
		first, second := m.halves(k)
		q.stack = append(q.stack, second, first)
	}
	return arcs
}

// halves are the two slots of a lower node that have together the weight of a slot:
// the one that leads down to the node, and the one up from it. Of several nodes, the
// first in the shorter of two lists is taken.
func (m *Metric) halves(slot int32) (first, second int32) {
	h := m.h
	tail, head := h.low[slot], h.high[slot]
	if slot >= h.up[h.nodes] {
		tail, head = head, tail
	}
	out, in := h.downTo.at(tail), h.upTo.at(head)
	if len(out) <= len(in) {
		for _, a := range out {
			if m.w[a] > m.w[slot] {
				continue
			}
			if b := h.slotOf(h.low[a], head, h.up); b >= 0 && m.w[a]+m.w[b] == m.w[slot] {
				return a, b
			}
		}
	}
	for _, b := range in {
		if m.w[b] > m.w[slot] {
			continue
		}
		if a := h.slotOf(h.low[b], tail, h.down); a >= 0 && m.w[a]+m.w[b] == m.w[slot] {
			return a, b
		}
	}
	// Weights of a metric come from nothing else.
	panic("cch: a slot without arcs")
}

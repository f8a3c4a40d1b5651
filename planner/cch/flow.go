package cch

import "slices"

// flow is a maximum flow between two growing sets of nodes of a piece (Dinitz,
// "Algorithm for solution of a problem of maximum flow in a network with power
// estimation", 1970): in rounds, as many shortest ways as there are, until none is
// left. When nodes are added to a set, the flow that stands remains a flow.
type flow struct {
	p *piece
	// free is what is left of the capacity of each edge, in its direction.
	free []int32
	// end tells for each node which set it is in: 1, 2, or 0 for none.
	end   []int8
	level []int32
	next  []int32
	queue []int32
	way   []int32
	value int32
}

// bind makes a flow ready for a piece; the memory of the one before is used again.
func (f *flow) bind(p *piece) {
	n := len(p.node)
	f.p = p
	f.free = slices.Grow(f.free[:0], len(p.head))[:len(p.head)]
	f.end = slices.Grow(f.end[:0], n)[:n]
	f.level = slices.Grow(f.level[:0], n)[:n]
	f.next = slices.Grow(f.next[:0], n)[:n]
}

// reset empties the sets and the flow.
func (f *flow) reset() {
	copy(f.free, f.p.room)
	clear(f.end)
	f.value = 0
}

// run lets the flow grow to its maximum, or until it exceeds the limit; then it
// returns false.
func (f *flow) run(limit int32) bool {
	for f.levels() {
		copy(f.next, f.p.first)
		for v := range f.end {
			if f.end[v] == 1 {
				f.push(int32(v))
			}
			if f.value > limit {
				return false
			}
		}
	}
	return true
}

// levels numbers the nodes by their distance from the first set over edges that have
// capacity left, and tells whether the second set can be reached. Otherwise exactly
// the nodes with a level of 0 or more can be reached.
func (f *flow) levels() bool {
	p := f.p
	f.queue = f.queue[:0]
	for v := range f.level {
		f.level[v] = -1
		if f.end[v] == 1 {
			f.level[v] = 0
			f.queue = append(f.queue, int32(v))
		}
	}
	last := int32(len(p.node))
	for i := 0; i < len(f.queue); i++ {
		v := f.queue[i]
		if f.level[v] >= last {
			break
		}
		for e := p.first[v]; e < p.first[v+1]; e++ {
			h := p.head[e]
			if f.level[h] >= 0 || f.free[e] <= 0 {
				continue
			}
			f.level[h] = f.level[v] + 1
			if f.end[h] == 2 {
				last = f.level[h]
				continue
			}
			f.queue = append(f.queue, h)
		}
	}
	return last < int32(len(p.node))
}

// push sends as much as possible from one node of the first set along the levels.
func (f *flow) push(from int32) {
	p := f.p
	f.way = f.way[:0]
	v := from
	for {
		if f.end[v] == 2 {
			f.send()
			f.way = f.way[:0]
			v = from
		}
		e := f.next[v]
		if e == p.first[v+1] {
			if v == from {
				return
			}
			// Nothing leads on from here: one step back, and past this edge.
			last := f.way[len(f.way)-1]
			f.way = f.way[:len(f.way)-1]
			v = p.head[p.back[last]]
			f.next[v]++
			continue
		}
		if h := p.head[e]; f.free[e] > 0 && f.level[h] == f.level[v]+1 {
			f.way = append(f.way, e)
			v = h
			continue
		}
		f.next[v]++
	}
}

// send moves what the way that was found can carry.
func (f *flow) send() {
	least := f.free[f.way[0]]
	for _, e := range f.way {
		least = min(least, f.free[e])
	}
	for _, e := range f.way {
		f.free[e] -= least
		f.free[f.p.back[e]] += least
	}
	f.value += least
}

// reaching marks in level, with 0 or more, the nodes from which the second set can be
// reached over edges that have capacity left.
func (f *flow) reaching() {
	p := f.p
	f.queue = f.queue[:0]
	for v := range f.level {
		f.level[v] = -1
		if f.end[v] == 2 {
			f.level[v] = 0
			f.queue = append(f.queue, int32(v))
		}
	}
	for i := 0; i < len(f.queue); i++ {
		v := f.queue[i]
		for e := p.first[v]; e < p.first[v+1]; e++ {
			if h := p.head[e]; f.level[h] < 0 && f.free[p.back[e]] > 0 {
				f.level[h] = 0
				f.queue = append(f.queue, h)
			}
		}
	}
}

// reached counts the nodes with a level of 0 or more.
func (f *flow) reached() int {
	count := 0
	for _, l := range f.level {
		if l >= 0 {
			count++
		}
	}
	return count
}

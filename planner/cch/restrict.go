package cch

import "fmt"

// restrictions recognises forbidden ways while one goes along (Aho and Corasick,
// "Efficient string matching", Communications of the ACM 18, 1975). A state is the
// longest part that has been gone of the beginning of any forbidden way: the first
// states are single arcs, whether or not a way begins with them.
type restrictions struct {
	// last is the arc of each state, and depth the number of its arcs.
	last  []int32
	depth []int32
	// next leads from a state by an arc to a longer one.
	next map[stateArc]int32
	// fall is the longest state that is an end of this one and shorter, -1 for single
	// arcs. banned tells that this state, or one that it ends with, is forbidden.
	fall   []int32
	banned []bool
	// live are the states that are not forbidden, the nodes of the expanded network;
	// number is the node of each.
	live, number []int32
}

type stateArc struct{ state, arc int32 }

// restrict builds the states of all forbidden ways.
func (e *Expanded) restrict(turns *Turns) (*restrictions, error) {
	n := e.streets.Arcs()
	r := &restrictions{
		last: make([]int32, n), depth: make([]int32, n), next: map[stateArc]int32{},
		fall: make([]int32, n), banned: make([]bool, n),
	}
	for a := range n {
		r.last[a], r.depth[a], r.fall[a] = int32(a), 1, -1
	}
	for _, way := range turns.Never {
		r.add(way)
	}
	for _, way := range turns.Only {
		before := way[:len(way)-1]
		first, end := e.streets.Out(e.streets.Head[before[len(before)-1]])
		for b := first; b < end; b++ {
			if b != way[len(way)-1] {
				r.add(append(before[:len(before):len(before)], b))
			}
		}
		if len(r.last) > MaxNodes {
			break
		}
	}
	if len(r.last) > MaxNodes {
		return nil, fmt.Errorf("%w: restrictions of more than %d parts", ErrTooLarge, MaxNodes)
	}
	r.link(n)
	r.number = make([]int32, len(r.last))
	for s, banned := range r.banned {
		r.number[s] = int32(len(r.live))
		if !banned {
			r.live = append(r.live, int32(s))
		}
	}
	return r, nil
}

// add puts a forbidden way into the states.
func (r *restrictions) add(way []int32) {
	s := way[0]
	for i, a := range way[1:] {
		t, known := r.next[stateArc{s, a}]
		if !known {
			t = int32(len(r.last))
			r.next[stateArc{s, a}] = t
			r.last = append(r.last, a)
			r.depth = append(r.depth, int32(i)+2)
			r.fall = append(r.fall, s) // The shorter state before it, until link.
			r.banned = append(r.banned, false)
		}
		s = t
	}
	r.banned[s] = true
}

// link finds for each state the longest shorter one that it ends with, shorter states
// first.
func (r *restrictions) link(singles int) {
	deepest := int32(1)
	for _, d := range r.depth {
		deepest = max(deepest, d)
	}
	byDepth := indexBy(int(deepest)+1, r.depth[singles:], int32(singles))
	before := append([]int32(nil), r.fall...)
	for d := int32(2); d <= deepest; d++ {
		for _, s := range byDepth.at(d) {
			r.fall[s] = r.longest(r.fall[before[s]], r.last[s])
			r.banned[s] = r.banned[s] || r.banned[r.fall[s]]
		}
	}
}

// longest is the longest state that a state, or one that it ends with, leads to by an
// arc; at least the arc alone.
func (r *restrictions) longest(state, arc int32) int32 {
	for ; state >= 0; state = r.fall[state] {
		if t, ok := r.next[stateArc{state, arc}]; ok {
			return t
		}
	}
	return arc
}

// step goes on from a state by an arc to a node, unless that is forbidden.
func (r *restrictions) step(state, arc int32) (int32, bool) {
	t := r.longest(state, arc)
	if r.banned[t] {
		return 0, false
	}
	return r.number[t], true
}

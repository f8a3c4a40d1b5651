package cch

// maxCover bounds the edges of a cut for which the fewest ends are sought; of larger
// cuts, which street networks do not have, all ends on one side are taken.
const maxCover = 4096

// cover puts onto the cut the fewest nodes that touch every edge between the two
// sides. By Kőnig's theorem there are as many as edges can be chosen without a common
// end (a maximum matching), and they are found from what alternating ways reach.
func cover(p *piece, side []int8) {
	m := matching{p: p, side: side, mate: map[int32]int32{}, seen: map[int32]bool{}}
	edges := 0
	for v, s := range side {
		if s != oneSide {
			continue
		}
		before := edges
		for e := p.first[v]; e < p.first[v+1]; e++ {
			if side[p.head[e]] == otherSide {
				edges++
			}
		}
		if edges > before {
			m.left = append(m.left, int32(v))
		}
	}
	if edges > maxCover {
		m.smaller()
		return
	}
	for _, v := range m.left {
		clear(m.seen)
		m.grow(v)
	}
	// The cover: on the first side what alternating ways from free nodes do not reach,
	// on the other what they do.
	clear(m.seen)
	for _, v := range m.left {
		if _, mated := m.mate[v]; !mated {
			m.reach(v)
		}
	}
	var cut []int32
	for _, v := range m.left {
		if !m.seen[v] {
			cut = append(cut, v)
		}
		for e := p.first[v]; e < p.first[v+1]; e++ {
			if h := p.head[e]; side[h] == otherSide && m.seen[h] {
				cut = append(cut, h)
			}
		}
	}
	for _, v := range cut {
		side[v] = onCut
	}
}

// matching pairs nodes at the cut with nodes across it.
type matching struct {
	p    *piece
	side []int8
	// left are the nodes of the first side that have an edge across.
	left []int32
	mate map[int32]int32
	seen map[int32]bool
}

// grow finds a mate for a node of the first side, if need be by giving others new ones.
func (m *matching) grow(v int32) bool {
	for e := m.p.first[v]; e < m.p.first[v+1]; e++ {
		h := m.p.head[e]
		if m.side[h] != otherSide || m.seen[h] {
			continue
		}
		m.seen[h] = true
		if w, mated := m.mate[h]; !mated || m.grow(w) {
			m.mate[h], m.mate[v] = v, h
			return true
		}
	}
	return false
}

// reach marks what alternating ways lead to from a node of the first side.
func (m *matching) reach(v int32) {
	m.seen[v] = true
	for e := m.p.first[v]; e < m.p.first[v+1]; e++ {
		h := m.p.head[e]
		if m.side[h] != otherSide || m.seen[h] {
			continue
		}
		m.seen[h] = true
		if w := m.mate[h]; !m.seen[w] {
			m.reach(w)
		}
	}
}

// smaller puts onto the cut the ends of its edges on the side that has fewer of them.
func (m *matching) smaller() {
	right := map[int32]bool{}
	for _, v := range m.left {
		for e := m.p.first[v]; e < m.p.first[v+1]; e++ {
			if h := m.p.head[e]; m.side[h] == otherSide {
				right[h] = true
			}
		}
	}
	if len(m.left) <= len(right) {
		for _, v := range m.left {
			m.side[v] = onCut
		}
		return
	}
	for v := range right {
		m.side[v] = onCut
	}
}

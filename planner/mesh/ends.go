package mesh

// Cells that a way can enter but not pass through are of use only to a way that
// begins or ends there. Taking such dead ends away, again and again, leaves the
// cells of which one is on some round way; the cells taken away form trees that
// hang from these. A search need not enter a tree but towards the goal.

// rank tells how a cell stands to those around it: the cell of its tree that is
// one nearer to the round ways, or none.
type rank struct {
	// up is the next cell, -1 for none.
	up int32
	// core says that the cell is on some round way or links such.
	core bool
}

// connect numbers the connected parts and finds the dead ends.
func (m *Mesh) connect() {
	n := m.Cells()
	m.rank, m.part = make([]rank, n), make([]int32, n)
	exits := make([]int, n)
	var leaves []int32
	for c := range int32(n) {
		m.rank[c], m.part[c] = rank{up: -1, core: true}, -1
		for _, s := range m.sides[m.first[c]:m.first[c+1]] {
			if s.twin >= 0 {
				exits[c]++
			}
		}
		if exits[c] <= 1 {
			leaves = append(leaves, c)
		}
	}
	for len(leaves) > 0 {
		c := leaves[len(leaves)-1]
		leaves = leaves[:len(leaves)-1]
		m.rank[c].core = false
		for _, s := range m.sides[m.first[c]:m.first[c+1]] {
			if s.twin < 0 || !m.rank[s.cell].core {
				continue
			}
			m.rank[c].up = s.cell
			if exits[s.cell]--; exits[s.cell] == 1 {
				leaves = append(leaves, s.cell)
			}
		}
	}
	parts := int32(0)
	var todo []int32
	for c := range int32(n) {
		if m.part[c] >= 0 {
			continue
		}
		m.part[c] = parts
		for todo = append(todo[:0], c); len(todo) > 0; {
			at := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			for _, s := range m.sides[m.first[at]:m.first[at+1]] {
				if s.twin >= 0 && m.part[s.cell] < 0 {
					m.part[s.cell] = parts
					todo = append(todo, s.cell)
				}
			}
		}
		parts++
	}
}

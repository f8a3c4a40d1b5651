package mesh

import (
	"cmp"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// cells joins the free triangles into convex cells and writes them down.
func (m *Mesh) cells(d *triangulation) {
	j := newJoiner(d, d.free(0))
	j.join()
	// The side of each half-edge that is left, by the cell it belongs to.
	number := make([]int32, len(j.half))
	for h := range number {
		number[h] = -1
	}
	m.first = append(m.first, 0)
	for h := range j.half {
		if j.half[h].from < 0 || number[h] >= 0 {
			continue
		}
		for k := int32(h); number[k] < 0; k = j.half[k].next {
			number[k] = int32(len(m.sides))
			m.sides = append(m.sides, side{at: d.pts[j.half[k].from], twin: j.half[k].twin, cell: int32(len(m.first) - 1)})
		}
		m.first = append(m.first, int32(len(m.sides)))
	}
	own := make([]int32, len(m.sides))
	for i := range m.sides {
		own[i] = m.sides[i].cell
	}
	for i := range m.sides {
		s := &m.sides[i]
		if s.twin >= 0 {
			s.twin = number[s.twin]
			s.cell = own[s.twin]
		} else {
			s.cell = -1
		}
	}
	m.nameVertices()
}

// after is the next side of the same cell.
func (m *Mesh) after(cell, i int32) int32 {
	if i++; i == m.first[cell+1] {
		return m.first[cell]
	}
	return i
}

// nameVertices numbers the corners. Cells that meet at a place share its corner
// only if one can go from one to the other about the place across their sides.
func (m *Mesh) nameVertices() {
	set := make([]int32, len(m.sides))
	for i := range set {
		set[i] = int32(i)
	}
	root := func(i int32) int32 {
		for set[i] != i {
			set[i] = set[set[i]]
			i = set[i]
		}
		return i
	}
	for c := range int32(m.Cells()) {
		for i := m.first[c]; i < m.first[c+1]; i++ {
			if s := &m.sides[i]; s.twin >= 0 {
				set[root(i)] = root(m.after(s.cell, s.twin))
			}
		}
	}
	names := make([]int32, len(m.sides))
	for i := range m.sides {
		if r := root(int32(i)); names[r] == 0 {
			m.vertices = append(m.vertices, vertex{at: m.sides[i].at})
			names[r] = int32(len(m.vertices))
		}
		m.sides[i].vertex = names[root(int32(i))] - 1
	}
	for c := range int32(m.Cells()) {
		for i := m.first[c]; i < m.first[c+1]; i++ {
			if m.sides[i].twin < 0 {
				from, to := &m.vertices[m.sides[i].vertex], &m.vertices[m.sides[m.after(c, i)].vertex]
				from.to, to.from = to.at, from.at
			}
		}
	}
	for i := range m.vertices {
		v := &m.vertices[i]
		turn := orient(v.from, v.at, v.to)
		v.bends = turn < 0 || turn == 0 && v.at.Sub(v.from).Dot(v.to.Sub(v.at)) < 0
	}
}

// joiner holds the free triangles as a list of half-edges, those of triangle t
// at 3t.
type joiner struct {
	pts  []space.XY
	half []half
}

// half is one side of an edge: it runs from a point to where the next begins, with
// its cell to the left. One that is gone comes from −1.
type half struct {
	from, next, prev, twin int32
}

func newJoiner(d *triangulation, free []bool) *joiner {
	j := &joiner{pts: d.pts, half: make([]half, 3*len(d.tri))}
	for t := range d.tri {
		for i := range 3 {
			// Half-edge i runs from point i to point i+1, and so is opposite to i+2.
			h := &j.half[3*t+i]
			h.from, h.twin = -1, -1
			if !free[t] {
				continue
			}
			h.from = d.tri[t].v[i]
			h.next, h.prev = int32(3*t+(i+1)%3), int32(3*t+(i+2)%3)
			if u := d.tri[t].n[(i+2)%3]; u >= 0 && free[u] {
				h.twin = 3*u + int32((d.sideOf(u, int32(t))+1)%3)
			}
		}
	}
	return j
}

// join takes out edges, the longest first, whenever what lies on both sides makes
// one convex cell.
func (j *joiner) join() {
	type candidate struct {
		length float64
		h      int32
	}
	var all []candidate
	for h := range j.half {
		if twin := j.half[h].twin; twin > int32(h) {
			all = append(all, candidate{j.pts[j.half[h].from].Dist(j.pts[j.half[twin].from]), int32(h)})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(b.length, a.length), cmp.Compare(a.h, b.h))
	})
	for _, c := range all {
		if h := c.h; j.convexWithout(h) && j.convexWithout(j.half[h].twin) {
			j.remove(h)
		}
	}
}

// convexWithout tells whether the corner at which a half-edge begins would not be
// a dent without it.
func (j *joiner) convexWithout(h int32) bool {
	before := j.half[j.half[h].prev].from
	after := j.half[j.half[j.half[j.half[h].twin].next].next].from
	return orient(j.pts[before], j.pts[j.half[h].from], j.pts[after]) >= 0
}

// remove joins the cells on both sides of an edge.
func (j *joiner) remove(h int32) {
	twin := j.half[h].twin
	a, b := j.half[h], j.half[twin]
	j.half[a.prev].next, j.half[b.next].prev = b.next, a.prev
	j.half[b.prev].next, j.half[a.next].prev = a.next, b.prev
	j.half[h].from, j.half[twin].from = -1, -1
	j.half[h].twin, j.half[twin].twin = -1, -1
}

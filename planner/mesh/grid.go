package mesh

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// grid tells which cells may hold a place: the cells that meet each square of it.
type grid struct {
	min        space.XY
	perM       space.XY
	cols, rows int
	first      []int32
	cells      []int32
}

// newGrid lays about one square for each cell over the field.
func (m *Mesh) newGrid() grid {
	w, h := m.bounds.Max.X-m.bounds.Min.X, m.bounds.Max.Y-m.bounds.Min.Y
	squares := float64(2*m.Cells() + 1)
	g := grid{min: m.bounds.Min}
	g.cols = int(clamp(math.Sqrt(squares*w/h), 1, squares))
	g.rows = int(clamp(math.Sqrt(squares*h/w), 1, squares))
	g.perM = space.XY{X: float64(g.cols) / w, Y: float64(g.rows) / h}
	g.first = make([]int32, g.cols*g.rows+1)
	for pass := range 2 {
		for c := range int32(m.Cells()) {
			m.squares(&g, c, func(square int) {
				if pass == 0 {
					g.first[square+1]++
					return
				}
				g.cells[g.first[square]] = c
				g.first[square]++
			})
		}
		if pass == 0 {
			for i := 1; i < len(g.first); i++ {
				g.first[i] += g.first[i-1]
			}
			g.cells = make([]int32, g.first[len(g.first)-1])
		}
	}
	// Filling has moved each beginning to its end.
	copy(g.first[1:], g.first)
	g.first[0] = 0
	return g
}

// squares calls each with the squares that a cell may have a point of, row by row.
func (m *Mesh) squares(g *grid, cell int32, each func(square int)) {
	sides := m.sides[m.first[cell]:m.first[cell+1]]
	box := space.EmptyBox()
	for i := range sides {
		box = box.Extend(sides[i].at)
	}
	for row := g.row(box.Min.Y); row <= g.row(box.Max.Y); row++ {
		// A hair more than the row, since it was found by rounding.
		slack := 1e-6 / g.perM.Y
		low := g.min.Y + float64(row)/g.perM.Y - slack
		high := g.min.Y + float64(row+1)/g.perM.Y + slack
		from, to := math.Inf(1), math.Inf(-1)
		p := sides[len(sides)-1].at
		for i := range sides {
			q := sides[i].at
			if a, b, ok := withinRow(p, q, low, high); ok {
				from, to = min(from, a), max(to, b)
			}
			p = q
		}
		if from > to {
			continue
		}
		slack = 1e-6 / g.perM.X
		for col := g.col(from - slack); col <= g.col(to+slack); col++ {
			each(row*g.cols + col)
		}
	}
}

// withinRow is the span in x of what of the segment p–q lies between two heights.
func withinRow(p, q space.XY, low, high float64) (from, to float64, ok bool) {
	if p.Y > q.Y {
		p, q = q, p
	}
	if q.Y < low || p.Y > high {
		return 0, 0, false
	}
	a, b := p.X, q.X
	if dy := q.Y - p.Y; dy > 0 {
		a = p.X + (q.X-p.X)*max(0, (low-p.Y)/dy)
		b = p.X + (q.X-p.X)*min(1, (high-p.Y)/dy)
	}
	return min(a, b), max(a, b), true
}

func (g *grid) row(y float64) int {
	return int(clamp(math.Floor((y-g.min.Y)*g.perM.Y), 0, float64(g.rows-1)))
}

func (g *grid) col(x float64) int {
	return int(clamp(math.Floor((x-g.min.X)*g.perM.X), 0, float64(g.cols-1)))
}

// CellsAt appends the cells that hold a place: one, or on a side all that have
// it, or none where the place is within an obstacle or beyond the bounds.
func (m *Mesh) CellsAt(at space.XY, dst []int32) []int32 {
	if !m.bounds.Contains(at) {
		return dst
	}
	at = settled(at)
	square := m.grid.row(at.Y)*m.grid.cols + m.grid.col(at.X)
	for _, c := range m.grid.cells[m.grid.first[square]:m.grid.first[square+1]] {
		if m.holds(c, at) {
			dst = append(dst, c)
		}
	}
	return dst
}

// NearM is how far within an obstacle a place may lie that is taken to be on its
// edge: edges that others cross are bent by their last digits.
const NearM = 1e-6

// nearest moves a place that no cell holds into the first that begins within NearM,
// and appends that cell.
func (m *Mesh) nearest(at space.XY, dst []int32) (space.XY, []int32) {
	if !m.bounds.Contains(at) {
		return at, dst
	}
	square := m.grid.row(at.Y)*m.grid.cols + m.grid.col(at.X)
	for _, c := range m.grid.cells[m.grid.first[square]:m.grid.first[square+1]] {
		if moved, ok := m.into(c, at); ok {
			return moved, append(dst, c)
		}
	}
	return at, dst
}

// into moves a place towards the middle of a cell until it is inside.
func (m *Mesh) into(cell int32, at space.XY) (moved space.XY, ok bool) {
	sides := m.sides[m.first[cell]:m.first[cell+1]]
	middle := space.XY{}
	p := sides[len(sides)-1].at
	for i := range sides {
		q := sides[i].at
		if pq := q.Sub(p); pq.Cross(at.Sub(p)) < -NearM*pq.Len() {
			return at, false
		}
		middle, p = middle.Add(q.Scale(1/float64(len(sides)))), q
	}
	length := at.Dist(middle)
	for step := NearM / 1024; step <= 2*NearM && step < length; step *= 2 {
		if moved = at.Lerp(middle, step/length); m.holds(cell, moved) {
			return moved, true
		}
	}
	return at, false
}

// holds tells whether a place is in a cell or on its sides.
func (m *Mesh) holds(cell int32, at space.XY) bool {
	sides := m.sides[m.first[cell]:m.first[cell+1]]
	p := sides[len(sides)-1].at
	for i := range sides {
		q := sides[i].at
		if orient(p, q, at) < 0 {
			return false
		}
		p = q
	}
	return true
}

package space

import (
	"math"
	"slices"
)

// Grid is an index of live points: squares of a fixed side, kept in a hash
// table, so that moving a point costs the same however many there are. Points
// are named by handles, small integers that the caller chooses (memory grows
// with the greatest handle). Answers depend on the points alone, never on the
// order in which they came. The zero Grid is not usable.
type Grid struct {
	cellM  float64
	cells  map[cell][]int32
	points []XY
	where  []cell
	in     []bool
	count  int
}

// cell is the column and row of a square.
type cell struct{ col, row int32 }

// NewGrid returns an empty grid of squares with the side cellM in metres,
// which should be near the usual radius of questions; a side that is not
// positive and finite is taken as 100.
func NewGrid(cellM float64) *Grid {
	if !(cellM > 0) || math.IsInf(cellM, 1) {
		cellM = 100
	}
	return &Grid{cellM: cellM, cells: map[cell][]int32{}}
}

// Len returns how many points are in the grid.
func (g *Grid) Len() int { return g.count }

// At returns where a handle's point is.
func (g *Grid) At(handle int) (XY, bool) {
	if handle < 0 || handle >= len(g.in) || !g.in[handle] {
		return XY{}, false
	}
	return g.points[handle], true
}

// Insert puts a point into the grid, or moves the one that has the handle
// already. A negative handle or a point that is not finite is not inserted, and
// false returned.
func (g *Grid) Insert(handle int, at XY) bool {
	if handle < 0 || handle > math.MaxInt32 || !finite(at.X) || !finite(at.Y) {
		return false
	}
	for handle >= len(g.in) {
		g.points = append(g.points, XY{})
		g.where = append(g.where, cell{})
		g.in = append(g.in, false)
	}
	c := g.cellOf(at)
	if g.in[handle] {
		if g.where[handle] == c {
			g.points[handle] = at
			return true
		}
		g.Remove(handle)
	}
	g.points[handle], g.where[handle], g.in[handle] = at, c, true
	g.cells[c] = append(g.cells[c], int32(handle))
	g.count++
	return true
}

// Move is Insert for a point that is already in the grid; an unknown handle is
// left out and false returned.
func (g *Grid) Move(handle int, at XY) bool {
	if _, ok := g.At(handle); !ok {
		return false
	}
	return g.Insert(handle, at)
}

// Remove takes a point out and tells whether it was in.
func (g *Grid) Remove(handle int) bool {
	if _, ok := g.At(handle); !ok {
		return false
	}
	c := g.where[handle]
	list := g.cells[c]
	i := slices.Index(list, int32(handle))
	list[i] = list[len(list)-1]
	if list = list[:len(list)-1]; len(list) == 0 {
		delete(g.cells, c)
	} else {
		g.cells[c] = list
	}
	g.in[handle] = false
	g.count--
	return true
}

// Within appends to dst the handles of all points at most radiusM metres from
// the place, in ascending order, and returns it.
func (g *Grid) Within(at XY, radiusM float64, dst []int) []int {
	if !(radiusM >= 0) || !finite(at.X) || !finite(at.Y) {
		return dst
	}
	start := len(dst)
	keep := func(h int32) {
		if g.points[h].Dist(at) <= radiusM {
			dst = append(dst, int(h))
		}
	}
	lo := g.cellOf(XY{at.X - radiusM, at.Y - radiusM})
	hi := g.cellOf(XY{at.X + radiusM, at.Y + radiusM})
	squares := (float64(hi.col) - float64(lo.col) + 1) * (float64(hi.row) - float64(lo.row) + 1)
	if squares > float64(len(g.cells)) {
		// A radius beyond the occupied squares: looking at each point is cheaper.
		for h := range g.in {
			if g.in[h] {
				keep(int32(h))
			}
		}
		return dst
	}
	for col := int64(lo.col); col <= int64(hi.col); col++ {
		for row := int64(lo.row); row <= int64(hi.row); row++ {
			for _, h := range g.cells[cell{int32(col), int32(row)}] {
				keep(h)
			}
		}
	}
	slices.Sort(dst[start:])
	return dst
}

// Nearest returns the handle of the point nearest to the place and its distance
// in metres, the lowest handle among equals, and false when there is none
// within maxM.
func (g *Grid) Nearest(at XY, maxM float64) (handle int, distM float64, ok bool) {
	if g.count == 0 || !(maxM >= 0) {
		return 0, 0, false
	}
	var found []int
	// Doubling the radius looks at most at four times the squares needed. Once
	// Within would look at every point, it may as well do so for good.
	for radius := g.cellM; ; radius *= 2 {
		if side := 2 * radius / g.cellM; radius > maxM || side*side > float64(len(g.cells)) {
			radius = maxM
		}
		found = g.Within(at, radius, found[:0])
		if len(found) > 0 || radius >= maxM {
			break
		}
	}
	for _, h := range found {
		if d := g.points[h].Dist(at); !ok || d < distM {
			handle, distM, ok = h, d, true
		}
	}
	return handle, distM, ok
}

// cellOf clamps to the range of cells, so that far points share the outermost
// squares instead of overflowing.
func (g *Grid) cellOf(at XY) cell {
	return cell{clampCell(at.X / g.cellM), clampCell(at.Y / g.cellM)}
}

func clampCell(v float64) int32 {
	return int32(min(max(math.Floor(v), -1<<30), 1<<30))
}

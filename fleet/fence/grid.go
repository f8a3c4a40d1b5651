package fence

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// The bounds of the grid's memory: at most maxSide × maxSide cells of 4 bytes,
// and on average perZone entries of 4 bytes for each zone.
const (
	maxSide = 256
	perZone = 32
)

// grid tells which zones may hold a place: those whose boxes touch its cell.
// What lies beyond the cells counts to the nearest one, so that every place has
// a cell, and a zone far away takes part in the outermost ones only.
//
// Where zones are so large or so many that their entries would go beyond the
// bound, the cells are made larger until they fit, at the worst into a single
// one. That happens only when most cells would list many zones, and so costs
// little beside looking at those.
type grid struct {
	x, y axis
	// The zones of cell i are zones[first[i]:first[i+1]], in the order of ids.
	first []int32
	zones []int32
}

// axis divides a line into cells, of which the first and the last are endless.
// The zero axis has a single one.
type axis struct {
	low, perM float64
	last      int32
}

// newAxis divides what is between low and high into n cells.
func newAxis(low, high float64, n int) axis {
	if n < 2 || !(high > low) {
		return axis{}
	}
	return axis{low: low, perM: float64(n) / (high - low), last: int32(n - 1)}
}

// cell is the cell of v. It never falls as v rises, whatever the rounding: what
// is between two values is in a cell between theirs.
func (a *axis) cell(v float64) int32 {
	k := (v - a.low) * a.perM
	if !(k >= 1) { // NaN too.
		return 0
	}
	if k >= float64(a.last) {
		return a.last
	}
	return int32(k)
}

// newGrid lists the zones with these boxes; one that is empty is in no cell.
func newGrid(boxes []space.Box) grid {
	var xs, ys []float64
	for _, b := range boxes {
		if !b.Empty() {
			xs, ys = append(xs, b.Centre().X), append(ys, b.Centre().Y)
		}
	}
	side := min(int(math.Ceil(2*math.Sqrt(float64(len(xs))))), maxSide)
	west, east := middle(xs)
	south, north := middle(ys)
	g := grid{x: newAxis(west, east, side), y: newAxis(south, north, side)}
	for side > 1 && g.entries(boxes) > perZone*len(boxes) {
		side /= 2
		g.x, g.y = newAxis(west, east, side), newAxis(south, north, side)
	}
	g.fill(boxes)
	return g
}

// middle is the stretch that holds the middle nine tenths of some values, so
// that a few far away do not stretch it.
func middle(values []float64) (low, high float64) {
	if len(values) == 0 {
		return 0, 0
	}
	slices.Sort(values)
	cut := len(values) / 20
	return values[cut], values[len(values)-1-cut]
}

// window is the cells that a box touches, the last ones included.
func (g *grid) window(b *space.Box) (x0, y0, x1, y1 int32) {
	return g.x.cell(b.Min.X), g.y.cell(b.Min.Y), g.x.cell(b.Max.X), g.y.cell(b.Max.Y)
}

// entries is how many entries the cells would have.
func (g *grid) entries(boxes []space.Box) int {
	n := 0
	for i := range boxes {
		if !boxes[i].Empty() {
			x0, y0, x1, y1 := g.window(&boxes[i])
			n += int(x1-x0+1) * int(y1-y0+1)
		}
	}
	return n
}

// fill lists the zones of each cell: first it counts them, then it puts them
// one after the other.
func (g *grid) fill(boxes []space.Box) {
	wide := g.x.last + 1
	g.first = make([]int32, int(wide)*int(g.y.last+1)+1)
	each := func(do func(zone, cell int32)) {
		for i := range boxes {
			if boxes[i].Empty() {
				continue
			}
			x0, y0, x1, y1 := g.window(&boxes[i])
			for y := y0; y <= y1; y++ {
				for x := x0; x <= x1; x++ {
					do(int32(i), y*wide+x)
				}
			}
		}
	}
	each(func(_, cell int32) { g.first[cell+1]++ })
	for i := 1; i < len(g.first); i++ {
		g.first[i] += g.first[i-1]
	}
	g.zones = make([]int32, g.first[len(g.first)-1])
	next := slices.Clone(g.first)
	each(func(zone, cell int32) {
		g.zones[next[cell]] = zone
		next[cell]++
	})
}

// at lists the zones that may hold a place.
func (g *grid) at(p space.XY) []int32 {
	cell := g.y.cell(p.Y)*(g.x.last+1) + g.x.cell(p.X)
	return g.zones[g.first[cell]:g.first[cell+1]]
}

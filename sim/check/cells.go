package check

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// cellM is the side of a cell, reachM how far around a cell its edges are known:
// distances up to reachM are exact, greater ones are at least reachM.
const (
	cellM  = 64.0
	reachM = 48.0
)

// shape is what cells are made of: rings in the frame.
type shape struct {
	rings [][]space.XY
	box   space.Box
}

// cells is a uniform grid over shapes. A cell is made when somebody is there for
// the first time: it holds the edges near it and whether its centre is inside of
// each shape, so that neither distance nor inside costs more than those few edges.
type cells struct {
	shapes []shape
	// coarse lists the shapes whose boxes touch a coarse square.
	coarse map[[2]int32][]int32
	wide   []int32
	made   plots[cell]
}

// coarseCells is how many cells a coarse square has along each side. Shapes that
// touch more than maxCoarse of them stand in a list of their own.
const (
	coarseCells = 8
	maxCoarse   = 64
)

// cell is one square with what is near.
type cell struct {
	centre space.XY
	near   []nearby
}

// nearby is a shape near a cell.
type nearby struct {
	shape  int32
	inside bool
	edges  []edge
}

type edge struct{ a, b space.XY }

func newCells(shapes []shape) *cells {
	c := &cells{shapes: shapes, coarse: map[[2]int32][]int32{}, made: newPlots[cell]()}
	for i := range shapes {
		if shapes[i].box.Empty() {
			continue
		}
		box := shapes[i].box.Grow(reachM)
		lo, hi := coarseOf(box.Min), coarseOf(box.Max)
		if float64(hi[0]-lo[0]+1)*float64(hi[1]-lo[1]+1) > maxCoarse {
			c.wide = append(c.wide, int32(i))
			continue
		}
		for x := lo[0]; x <= hi[0]; x++ {
			for y := lo[1]; y <= hi[1]; y++ {
				k := [2]int32{x, y}
				c.coarse[k] = append(c.coarse[k], int32(i))
			}
		}
	}
	return c
}

func coarseOf(at space.XY) [2]int32 {
	return [2]int32{squareOf(at.X / (cellM * coarseCells)), squareOf(at.Y / (cellM * coarseCells))}
}

// squareOf keeps far places, and those that are no numbers, in the range.
func squareOf(v float64) int32 {
	if !(v > -1e9) {
		return -1e9
	}
	return int32(min(math.Floor(v), 1e9))
}

// at is the cell of a place.
func (c *cells) at(p space.XY) *cell {
	x, y := squareOf(p.X/cellM), squareOf(p.Y/cellM)
	if made := c.made.at(x, y); made != nil {
		return made
	}
	made := c.build(x, y)
	c.made.put(x, y, made)
	return made
}

func (c *cells) build(x, y int32) *cell {
	corner := space.XY{X: float64(x) * cellM, Y: float64(y) * cellM}
	box := space.BoxOf(corner, corner.Add(space.XY{X: cellM, Y: cellM}))
	made := &cell{centre: box.Centre()}
	wide := box.Grow(reachM)
	for _, list := range [2][]int32{c.coarse[coarseOf(made.centre)], c.wide} {
		for _, i := range list {
			s := &c.shapes[i]
			if !s.box.Intersects(wide) {
				continue
			}
			n := nearby{shape: i, inside: inRings(s.rings, made.centre)}
			for _, ring := range s.rings {
				for a, b := 0, len(ring)-1; a < len(ring); b, a = a, a+1 {
					if ring[a] != ring[b] && space.BoxOf(ring[a], ring[b]).Intersects(wide) {
						n.edges = append(n.edges, edge{ring[b], ring[a]})
					}
				}
			}
			if n.inside || len(n.edges) > 0 {
				made.near = append(made.near, n)
			}
		}
	}
	return made
}

// inRings is the even-odd rule over all rings together, so that courts are
// outside.
func inRings(rings [][]space.XY, p space.XY) bool {
	inside := false
	for _, ring := range rings {
		inside = inside != space.InRing(ring, p)
	}
	return inside
}

// depth is how far a place of the cell is from the edges of a shape: negative
// within it, and at most reachM either way.
func (n *nearby) depth(centre, p space.XY) float64 {
	inside, best := n.inside, reachM*reachM
	for i := range n.edges {
		a, b := n.edges[i].a, n.edges[i].b
		// From the centre straight up or down to the height of the place, and from
		// there to the place: each edge crossed changes sides. Both counts are
		// half open, so that a corner counts once.
		if (a.X > centre.X) != (b.X > centre.X) {
			y := a.Y + (b.Y-a.Y)*(centre.X-a.X)/(b.X-a.X)
			inside = inside != ((y > centre.Y) != (y > p.Y))
		}
		if (a.Y > p.Y) != (b.Y > p.Y) {
			x := a.X + (b.X-a.X)*(p.Y-a.Y)/(b.Y-a.Y)
			inside = inside != ((x > centre.X) != (x > p.X))
		}
		best = min(best, dist2(p, a, b))
	}
	d := math.Sqrt(best)
	if inside {
		return -d
	}
	return d
}

// dist2 is the square of the distance from p to the segment a–b, which has a
// length.
func dist2(p, a, b space.XY) float64 {
	dx, dy := b.X-a.X, b.Y-a.Y
	t := min(max(((p.X-a.X)*dx+(p.Y-a.Y)*dy)/(dx*dx+dy*dy), 0), 1)
	x, y := a.X+dx*t-p.X, a.Y+dy*t-p.Y
	return x*x + y*y
}

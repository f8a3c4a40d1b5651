package chart

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// reliefCellM and reliefCells are the least side of relief's squares, and the
	// most of them along a side: at 100 m a place is off by less than a
	// millimetre, and by a centimetre where the chart is 200 km wide.
	reliefCellM = 100
	reliefCells = 500
)

// relief tells where a place in the frame lies in the terrain's grid, without
// the trigonometry of the frame's inverse: that is done once, at the corners of
// squares, and between them it is bilinear. The zero relief knows no place.
type relief struct {
	box        space.Box
	cellM      float64
	cols, rows int
	// corners are columns and rows of the terrain's grid, not clamped to it.
	corners [][2]float64
}

func newRelief(c *Chart) relief {
	if c.Terrain == nil {
		return relief{}
	}
	box := c.Frame.Bound(c.Extent).Grow(reliefCellM)
	width, height := box.Max.X-box.Min.X, box.Max.Y-box.Min.Y
	r := relief{box: box, cellM: max(reliefCellM, width/reliefCells, height/reliefCells)}
	r.cols, r.rows = int(math.Ceil(width/r.cellM))+1, int(math.Ceil(height/r.cellM))+1
	r.corners = make([][2]float64, r.cols*r.rows)
	for i := range r.corners {
		p := c.Frame.Point(box.Min.Add(space.XY{X: float64(i%r.cols) * r.cellM, Y: float64(i/r.cols) * r.cellM}))
		r.corners[i] = [2]float64{(p[0] - c.Terrain.Origin[0]) / c.Terrain.StepLon, (p[1] - c.Terrain.Origin[1]) / c.Terrain.StepLat}
	}
	return r
}

// grid returns the column and row of a place, false for one beyond the extent.
func (r *relief) grid(at space.XY) (u, v float64, ok bool) {
	if r.corners == nil || !r.box.Contains(at) {
		return 0, 0, false
	}
	x, y := (at.X-r.box.Min.X)/r.cellM, (at.Y-r.box.Min.Y)/r.cellM
	col, row := min(int(x), r.cols-2), min(int(y), r.rows-2)
	x, y = x-float64(col), y-float64(row)
	south, north := r.corners[row*r.cols+col:], r.corners[(row+1)*r.cols+col:]
	mix := func(i int) float64 {
		return (south[0][i]*(1-x)+south[1][i]*x)*(1-y) + (north[0][i]*(1-x)+north[1][i]*x)*y
	}
	return mix(0), mix(1), true
}

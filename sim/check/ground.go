package check

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// landedM is how close above the ground an aircraft counts as landed.
const landedM = 0.5

// roofStepM is how closely the ground below a roof is looked at.
const roofStepM = 2.0

// ground knows the altitude of the ground, reckoned here from the samples of the
// terrain: the four about a place weigh by the areas of the rectangles opposite to
// them.
type ground struct {
	chart   *chart.Chart
	patches plots[patch]
}

// patch is one cell of the ground. Within so small a piece, columns and rows of
// the samples are linear in the frame to far less than a millimetre.
type patch struct {
	corner      space.XY
	col, row    float64
	colX, colY  float64
	rowX, rowY  float64
	lowM, highM float64
}

func newGround(c *chart.Chart) ground { return ground{chart: c, patches: newPlots[patch]()} }

// at is the altitude of the ground at a place.
func (g *ground) at(p space.XY) float64 {
	if g.chart.Terrain == nil {
		return g.chart.GroundAltitudeM
	}
	h := g.patch(squareOf(p.X/cellM), squareOf(p.Y/cellM))
	dx, dy := p.X-h.corner.X, p.Y-h.corner.Y
	return sample(g.chart.Terrain, h.col+dx*h.colX+dy*h.colY, h.row+dx*h.rowX+dy*h.rowY)
}

// between is how low and how high the ground is in a box, or lower and higher.
func (g *ground) between(box space.Box) (low, high float64) {
	if g.chart.Terrain == nil {
		return g.chart.GroundAltitudeM, g.chart.GroundAltitudeM
	}
	low, high = math.Inf(1), math.Inf(-1)
	for x := squareOf(box.Min.X / cellM); x <= squareOf(box.Max.X/cellM); x++ {
		for y := squareOf(box.Min.Y / cellM); y <= squareOf(box.Max.Y/cellM); y++ {
			h := g.patch(x, y)
			low, high = min(low, h.lowM), max(high, h.highM)
		}
	}
	return low, high
}

func (g *ground) patch(x, y int32) *patch {
	if h := g.patches.at(x, y); h != nil {
		return h
	}
	t := g.chart.Terrain
	h := &patch{corner: space.XY{X: float64(x) * cellM, Y: float64(y) * cellM}}
	place := func(dx, dy float64) (col, row float64) {
		p := g.chart.Frame.Point(h.corner.Add(space.XY{X: dx, Y: dy}))
		return (p.Lon() - t.Origin.Lon()) / t.StepLon, (p.Lat() - t.Origin.Lat()) / t.StepLat
	}
	h.col, h.row = place(0, 0)
	colX, rowX := place(cellM, 0)
	colY, rowY := place(0, cellM)
	colXY, rowXY := place(cellM, cellM)
	h.colX, h.rowX = (colX-h.col)/cellM, (rowX-h.row)/cellM
	h.colY, h.rowY = (colY-h.col)/cellM, (rowY-h.row)/cellM
	h.lowM, h.highM = extremes(t, [4]float64{h.col, colX, colY, colXY}, [4]float64{h.row, rowX, rowY, rowXY})
	g.patches.put(x, y, h)
	return h
}

// extremes are the lowest and highest samples about a patch: what lies between
// samples lies between their heights.
func extremes(t *chart.Terrain, cols, rows [4]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	c0, c1 := span(cols, t.Cols)
	r0, r1 := span(rows, t.Rows)
	for r := r0; r <= r1; r++ {
		for c := c0; c <= c1; c++ {
			m := float64(t.HeightDM[r*t.Cols+c]) / 10
			low, high = min(low, m), max(high, m)
		}
	}
	return low, high
}

// span is the range of samples about some places, of n.
func span(at [4]float64, n int) (from, to int) {
	low, high := min(at[0], at[1], at[2], at[3]), max(at[0], at[1], at[2], at[3])
	limit := float64(n - 1)
	return int(math.Floor(min(max(low, 0), limit))), int(math.Ceil(min(max(high, 0), limit)))
}

func sample(t *chart.Terrain, col, row float64) float64 {
	x := max(0, min(float64(t.Cols-1), col))
	y := max(0, min(float64(t.Rows-1), row))
	c, r := int(x), int(y)
	fx, fy := x-float64(c), y-float64(r)
	c1, r1 := min(c+1, t.Cols-1), min(r+1, t.Rows-1)
	south := float64(t.HeightDM[r*t.Cols+c])*(1-fx) + float64(t.HeightDM[r*t.Cols+c1])*fx
	north := float64(t.HeightDM[r1*t.Cols+c])*(1-fx) + float64(t.HeightDM[r1*t.Cols+c1])*fx
	return (south*(1-fy) + north*fy) / 10
}

// roof is what is known of the altitude of a building's roof: between which two it
// lies at least, and once it is surveyed, what it is.
type roof struct {
	lowM, highM float64
	atM         float64
	surveyed    bool
}

// roughlyM is how much wider than the ground's samples the bounds of a roof are, for
// the millimetres by which a patch is not linear.
const roughlyM = 0.05

// aboutRoof are the bounds of a building's roof, from the lowest and the highest
// ground about it.
func (g *ground) aboutRoof(building int, box space.Box) roof {
	heightM := g.chart.Buildings[building].HeightM
	low, high := g.between(box)
	return roof{lowM: low + heightM - roughlyM, highM: high + heightM + roughlyM}
}

// roofM is the altitude of a building's roof: its height over the highest ground
// that is found below it, in steps of roofStepM along its walls and on a grid
// within them.
func (g *ground) roofM(building int) float64 {
	heightM := g.chart.Buildings[building].HeightM
	if g.chart.Terrain == nil {
		return g.chart.GroundAltitudeM + heightM
	}
	rings, high := g.chart.Outline(int32(building)), math.Inf(-1)
	box := space.EmptyBox()
	for _, ring := range rings {
		for i, p := range ring {
			box = box.Extend(p)
			from := ring[max(i-1, 0)]
			for done, length := 0.0, from.Dist(p); done <= length; done += roofStepM {
				high = max(high, g.at(from.Lerp(p, done/max(length, roofStepM))))
			}
		}
	}
	for x := box.Min.X; x <= box.Max.X; x += roofStepM {
		for y := box.Min.Y; y <= box.Max.Y; y += roofStepM {
			if at := (space.XY{X: x, Y: y}); space.InRings(rings, at) {
				high = max(high, g.at(at))
			}
		}
	}
	return high + heightM
}

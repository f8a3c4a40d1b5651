package chart

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// maxHeightDM bounds the heights of terrain.
const maxHeightDM = 10 * MaxHeightM

// Terrain is the shape of the bare ground: heights at the crossings of a grid
// along the meridians and parallels, and between them bilinear. It is read-only
// once it belongs to a chart.
type Terrain struct {
	// Origin is the place of the south-westernmost sample.
	Origin orb.Point
	// StepLon and StepLat are the degrees between samples.
	StepLon, StepLat float64
	// Cols and Rows are how many samples there are from west to east and from
	// south to north, at least 2.
	Cols, Rows int
	// HeightDM are the samples row by row from the south-west, in decimetres
	// above mean sea level (EGM96). All are known: importers fill voids.
	HeightDM []int32
	// Voids is how many samples the sources did not have, and Faults how many of
	// theirs were spikes or pits; both were filled from their neighbours. Repairs
	// are the first MaxRepairs of the faults. The samples of the sources need not
	// be those of the grid.
	Voids, Faults int
	Repairs       []Repair
	// UncertaintyM is how far the ground may be above the heights, at 95 % of
	// places, by what is stated of the source; 0 where nothing is. Flights keep
	// that much more height above ground.
	UncertaintyM float64
	// Source names the files that it was imported from.
	Source string
}

// Altitude returns the altitude of the ground in metres above mean sea level. A
// point outside of the grid has that of the nearest point of its edge.
func (t *Terrain) Altitude(p orb.Point) float64 {
	return t.at(t.grid(p))
}

// grid returns a point's place in units of columns and rows, clamped to the
// grid.
func (t *Terrain) grid(p orb.Point) (u, v float64) {
	return within((p[0]-t.Origin[0])/t.StepLon, t.Cols-1), within((p[1]-t.Origin[1])/t.StepLat, t.Rows-1)
}

// within clamps v to 0 … most; what is no number is 0.
func within(v float64, most int) float64 {
	if v > 0 {
		return min(v, float64(most))
	}
	return 0
}

// at is the bilinear surface.
func (t *Terrain) at(u, v float64) float64 {
	col, row := min(int(u), t.Cols-2), min(int(v), t.Rows-2)
	du, dv := u-float64(col), v-float64(row)
	i := row*t.Cols + col
	south := float64(t.HeightDM[i])*(1-du) + float64(t.HeightDM[i+1])*du
	i += t.Cols
	north := float64(t.HeightDM[i])*(1-du) + float64(t.HeightDM[i+1])*du
	return (south*(1-dv) + north*dv) / 10
}

// Range returns the lowest and the highest altitude in a bound. Its cost grows
// with the number of samples in the bound.
func (t *Terrain) Range(bound orb.Bound) (lowM, highM float64) {
	u0, v0 := t.grid(bound.Min)
	u1, v1 := t.grid(bound.Max)
	lowM, highM = math.Inf(1), math.Inf(-1)
	// A bilinear patch has its extremes at corners: those of the bound, the
	// samples, and where the bound's sides cross the grid.
	for v := v0; ; v = min(math.Floor(v)+1, v1) {
		for u := u0; ; u = min(math.Floor(u)+1, u1) {
			h := t.at(u, v)
			lowM, highM = min(lowM, h), max(highM, h)
			if u >= u1 {
				break
			}
		}
		if v >= v1 {
			break
		}
	}
	return lowM, highM
}

// before is what a sample is stored as a difference to.
func (t *Terrain) before(i int) int32 {
	switch {
	case i%t.Cols > 0:
		return t.HeightDM[i-1]
	case i > 0:
		return t.HeightDM[i-t.Cols]
	}
	return 0
}

// check says what is wrong with terrain; having none is fine.
func (t *Terrain) check() error {
	if t == nil {
		return nil
	}
	if t.Cols < 2 || t.Rows < 2 || t.Cols > MaxTerrainSamples/t.Rows || len(t.HeightDM) != t.Cols*t.Rows {
		return fmt.Errorf("terrain of %d by %d samples has %d heights; it needs 2 by 2 and may have %d", t.Cols, t.Rows, len(t.HeightDM), MaxTerrainSamples)
	}
	if err := t.checkGrid(); err != nil {
		return err
	}
	if t.Voids < 0 || t.Voids > MaxTerrainSamples || t.Faults < 0 || t.Faults > MaxTerrainSamples {
		return fmt.Errorf("terrain has %d voids and %d faults", t.Voids, t.Faults)
	}
	if len(t.Repairs) > min(t.Faults, MaxRepairs) {
		return fmt.Errorf("terrain lists %d repairs of %d faults; at most %d are listed", len(t.Repairs), t.Faults, MaxRepairs)
	}
	for _, r := range t.Repairs {
		if !space.ValidPoint(r.At) || !(math.Abs(r.WasM) <= 1e6 && math.Abs(r.BecameM) <= MaxHeightM) {
			return fmt.Errorf("terrain lists a repair that cannot be: %s", r)
		}
	}
	if !(t.UncertaintyM >= 0 && t.UncertaintyM <= MaxTerrainUncertaintyM) {
		return fmt.Errorf("terrain is uncertain by %g m", t.UncertaintyM)
	}
	for i, h := range t.HeightDM {
		if h > maxHeightDM || h < -maxHeightDM {
			return fmt.Errorf("terrain sample %d is %g m high, out of range", i, float64(h)/10)
		}
	}
	return nil
}

// checkGrid demands that the corners of the grid are on earth.
func (t *Terrain) checkGrid() error {
	east, north := t.Origin[0]+t.StepLon*float64(t.Cols-1), t.Origin[1]+t.StepLat*float64(t.Rows-1)
	if !(t.StepLon > 0 && t.StepLat > 0) || !space.ValidPoint(t.Origin) || !space.ValidPoint(orb.Point{east, north}) {
		return errors.New("the terrain's grid is not a place on earth")
	}
	return nil
}

// GroundAltitude returns the altitude of the ground at a point in metres above
// mean sea level: that of the terrain, or where there is none GroundAltitudeM.
func (c *Chart) GroundAltitude(p orb.Point) float64 {
	if c.Terrain == nil {
		return c.GroundAltitudeM
	}
	return c.Terrain.Altitude(p)
}

// GroundAltitudeXY is GroundAltitude at a place in the chart's frame. Within the
// extent it looks the place up rather than computing its degrees, which may take
// it a centimetre aside.
func (c *Chart) GroundAltitudeXY(at space.XY) float64 {
	if c.Terrain == nil {
		return c.GroundAltitudeM
	}
	if c.index != nil {
		if u, v, ok := c.index.relief.grid(at); ok {
			return c.Terrain.at(within(u, c.Terrain.Cols-1), within(v, c.Terrain.Rows-1))
		}
	}
	return c.Terrain.Altitude(c.Frame.Point(at))
}

// GroundRange returns the lowest and the highest altitude of the ground under a
// box: never too narrow a range, and too wide by no more than the turn of the
// meridians within the box. Its cost grows with the number of samples below.
func (c *Chart) GroundRange(box space.Box) (lowM, highM float64) {
	if c.Terrain == nil || box.Empty() {
		return c.GroundAltitudeM, c.GroundAltitudeM
	}
	mid := box.Centre()
	var bound orb.Bound
	for i, at := range [...]space.XY{
		box.Min,
		{X: mid.X, Y: box.Min.Y},
		{X: box.Max.X, Y: box.Min.Y},
		{X: box.Max.X, Y: mid.Y},
		box.Max,
		{X: mid.X, Y: box.Max.Y},
		{X: box.Min.X, Y: box.Max.Y},
		{X: box.Min.X, Y: mid.Y},
	} {
		p := c.Frame.Point(at)
		if i == 0 {
			bound = p.Bound()
		}
		bound = bound.Extend(p)
	}
	return c.Terrain.Range(bound)
}

// RoofM returns the altitude of a building's roof: the highest ground under its
// footprint and its height, which on a slope errs to the safe side.
func (c *Chart) RoofM(building int32) float64 { return c.index.roofsM[building] }

// maxSamplesUnderRoof bounds the search under one footprint, which is kilometres
// wide; beyond it the highest ground in its bounding box is taken.
const maxSamplesUnderRoof = 40_000

// highestGround returns the highest ground under a ring.
func (c *Chart) highestGround(ring orb.Ring) float64 {
	t := c.Terrain
	if t == nil {
		return c.GroundAltitudeM
	}
	high := math.Inf(-1)
	plane := make([]space.XY, len(ring))
	for i, p := range ring {
		plane[i].X, plane[i].Y = t.grid(p)
		if i > 0 {
			high = max(high, t.highestAlong(plane[i-1], plane[i]))
		}
	}
	// Inside, it is highest at a sample.
	box := space.BoxOf(plane...)
	if (box.Max.X-box.Min.X)*(box.Max.Y-box.Min.Y) > maxSamplesUnderRoof {
		_, high = t.Range(ring.Bound())
		return high
	}
	for v := math.Ceil(box.Min.Y); v <= box.Max.Y; v++ {
		for u := math.Ceil(box.Min.X); u <= box.Max.X; u++ {
			if space.InRing(plane, space.XY{X: u, Y: v}) {
				high = max(high, t.at(u, v))
			}
		}
	}
	return high
}

// highestAlong returns the highest ground on a line, in units of the grid. From
// one crossing of the grid to the next, the ground is a parabola.
func (t *Terrain) highestAlong(a, b space.XY) float64 {
	cuts := []float64{0, 1}
	crossings := func(from, to float64) {
		low, high := min(from, to), max(from, to)
		for line := math.Floor(low) + 1; line < high; line++ {
			cuts = append(cuts, (line-from)/(to-from))
		}
	}
	crossings(a.X, b.X)
	crossings(a.Y, b.Y)
	slices.Sort(cuts)
	ground := func(at float64) float64 {
		p := a.Lerp(b, at)
		return t.at(p.X, p.Y)
	}
	high := max(ground(0), ground(1))
	for i := 1; i < len(cuts); i++ {
		from, to := ground(cuts[i-1]), ground(cuts[i])
		// y = from + (k - bend)·x + bend·x², through the middle as well.
		middle := ground((cuts[i-1] + cuts[i]) / 2)
		bend := 2 * (from + to - 2*middle)
		high = max(high, from, to)
		if top := (from - to + bend) / (2 * bend); bend < 0 && top > 0 && top < 1 {
			high = max(high, from+(to-from-bend)*top+bend*top*top)
		}
	}
	return high
}

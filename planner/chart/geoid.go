package chart

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

const (
	// geoidStepDeg is how closely a chart keeps the geoid: between points so far
	// apart, EGM96 is straight to 2 cm.
	geoidStepDeg = 0.0625
	maxGeoidSide = 1000
	// maxUndulationMM bounds undulations; those of EGM96 are from -107 to 86 m.
	maxUndulationMM = 200_000
)

// Undulation tells how high mean sea level lies above the ellipsoid of WGS-84.
type Undulation interface {
	// UndulationM is so at a point, in metres, at most 200 up or down.
	UndulationM(p orb.Point) float64
	// String names the model or grid.
	String() string
}

// Geoid is the part of a geoid model that a chart keeps: how high mean sea level
// (EGM96) lies above the ellipsoid of WGS-84, on a grid along the meridians and
// parallels, bilinear in between. It is read-only once it belongs to a chart.
type Geoid struct {
	// Origin is the place of the south-westernmost point, StepDeg the degrees from
	// one to the next.
	Origin  orb.Point
	StepDeg float64
	// Cols and Rows are how many there are from west to east and from south to
	// north: one each for a constant.
	Cols, Rows int
	// UndulationMM are they row by row from the south-west, in millimetres.
	UndulationMM []int32
	// Source names where they come from.
	Source string
}

// NewGeoid keeps the part of a model that lies about an area.
func NewGeoid(from Undulation, area orb.Bound) *Geoid {
	low := orb.Point{math.Floor(area.Min[0] / geoidStepDeg), math.Floor(area.Min[1] / geoidStepDeg)}
	cols, rows := int(math.Ceil(area.Max[0]/geoidStepDeg)-low[0])+1, int(math.Ceil(area.Max[1]/geoidStepDeg)-low[1])+1
	g := &Geoid{
		Origin: orb.Point{low[0] * geoidStepDeg, low[1] * geoidStepDeg}, StepDeg: geoidStepDeg,
		Cols: min(max(cols, 2), maxGeoidSide), Rows: min(max(rows, 2), maxGeoidSide), Source: from.String(),
	}
	for i := range g.Cols * g.Rows {
		at := orb.Point{g.Origin[0] + float64(i%g.Cols)*geoidStepDeg, g.Origin[1] + float64(i/g.Cols)*geoidStepDeg}
		g.UndulationMM = append(g.UndulationMM, int32(math.Round(1000*from.UndulationM(at))))
	}
	for _, mm := range g.UndulationMM {
		if mm != g.UndulationMM[0] {
			return g
		}
	}
	g.Cols, g.Rows, g.UndulationMM = 1, 1, g.UndulationMM[:1]
	return g
}

// UndulationM returns how high mean sea level lies above the ellipsoid at a
// point, in metres; outside of the grid, that of its edge.
func (g *Geoid) UndulationM(p orb.Point) float64 {
	if g.Cols < 2 || g.Rows < 2 {
		return float64(g.UndulationMM[0]) / 1000
	}
	u, v := within((p[0]-g.Origin[0])/g.StepDeg, g.Cols-1), within((p[1]-g.Origin[1])/g.StepDeg, g.Rows-1)
	col, row := min(int(u), g.Cols-2), min(int(v), g.Rows-2)
	du, dv := u-float64(col), v-float64(row)
	at := func(i int) float64 { return float64(g.UndulationMM[row*g.Cols+col+i]) }
	south := at(0)*(1-du) + at(1)*du
	north := at(g.Cols)*(1-du) + at(g.Cols+1)*du
	return (south*(1-dv) + north*dv) / 1000
}

// check says what is wrong with a geoid; having none is fine.
func (g *Geoid) check() error {
	if g == nil {
		return nil
	}
	if g.Cols < 1 || g.Rows < 1 || g.Cols > maxGeoidSide || g.Rows > maxGeoidSide || len(g.UndulationMM) != g.Cols*g.Rows || (g.Cols == 1) != (g.Rows == 1) {
		return fmt.Errorf("geoid of %d by %d points has %d undulations", g.Cols, g.Rows, len(g.UndulationMM))
	}
	if !(g.StepDeg > 0 && g.StepDeg <= 10) || !(math.Abs(g.Origin[0]) <= 190 && math.Abs(g.Origin[1]) <= 100) {
		return errors.New("the geoid's grid is not a place on earth")
	}
	for i, mm := range g.UndulationMM {
		if mm > maxUndulationMM || mm < -maxUndulationMM {
			return fmt.Errorf("geoid point %d has an undulation of %d mm, out of range", i, mm)
		}
	}
	return nil
}

// Heights is what a chart knows of heights: the ground and the geoid. The zero
// Heights has flat ground at sea level and sea level on the ellipsoid.
type Heights struct {
	Terrain         *Terrain
	GroundAltitudeM float64
	Geoid           *Geoid
}

// Heights returns what the chart knows of heights.
func (c *Chart) Heights() Heights {
	return Heights{Terrain: c.Terrain, GroundAltitudeM: c.GroundAltitudeM, Geoid: c.Geoid}
}

// GroundRange returns the lowest and the highest altitude of the ground in a
// bound in degrees, in metres above mean sea level (EGM96), less and more the
// terrain's stated uncertainty.
func (h Heights) GroundRange(b orb.Bound) (lowM, highM float64) {
	if h.Terrain == nil {
		return h.GroundAltitudeM, h.GroundAltitudeM
	}
	lowM, highM = h.Terrain.Range(b)
	return lowM - h.Terrain.UncertaintyM, highM + h.Terrain.UncertaintyM
}

// UndulationM returns how high mean sea level lies above the ellipsoid of WGS-84
// at a point: a height above the ellipsoid less this is an altitude. It is 0
// where there is no Geoid.
func (h Heights) UndulationM(p orb.Point) float64 {
	if h.Geoid == nil {
		return 0
	}
	return h.Geoid.UndulationM(p)
}

// UndulationM returns how high mean sea level (EGM96) lies above the ellipsoid of
// WGS-84 at a point, in metres: a height above the ellipsoid less this is an
// altitude. It is 0 where the chart has no Geoid.
func (c *Chart) UndulationM(p orb.Point) float64 { return c.Heights().UndulationM(p) }

// AltitudeOf returns the altitude above mean sea level of a height above the
// ellipsoid of WGS-84, as receivers of satellites give it.
func (c *Chart) AltitudeOf(p orb.Point, ellipsoidM float64) float64 {
	return ellipsoidM - c.UndulationM(p)
}

// Constant is a geoid that is as high everywhere.
type Constant float64

// UndulationM is the constant.
func (c Constant) UndulationM(orb.Point) float64 { return float64(c) }

// String tells the constant.
func (c Constant) String() string { return fmt.Sprintf("stated as %g m", float64(c)) }

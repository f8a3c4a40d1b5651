package check

import (
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// landedM is how close above the ground an aircraft counts as landed.
const landedM = 0.5

// roofStepM is how closely the ground below a roof is looked at.
const roofStepM = 2.0

// groundM is the altitude of the ground at a place, reckoned here from the
// samples of the terrain: the four about the place weigh by the areas of the
// rectangles opposite to them.
func (g *Geometry) groundM(at space.XY) float64 {
	if g.chart.Terrain == nil {
		return g.chart.GroundAltitudeM
	}
	return g.heightAt(g.chart.Frame.Point(at))
}

func (g *Geometry) heightAt(p orb.Point) float64 {
	t := g.chart.Terrain
	x := math.Max(0, math.Min(float64(t.Cols-1), (p.Lon()-t.Origin.Lon())/t.StepLon))
	y := math.Max(0, math.Min(float64(t.Rows-1), (p.Lat()-t.Origin.Lat())/t.StepLat))
	sum := 0.0
	for _, row := range [2]float64{math.Floor(y), math.Floor(y) + 1} {
		for _, col := range [2]float64{math.Floor(x), math.Floor(x) + 1} {
			weight := (1 - math.Abs(col-x)) * (1 - math.Abs(row-y))
			if weight > 0 {
				sum += weight * float64(t.HeightDM[int(row)*t.Cols+int(col)])
			}
		}
	}
	return sum / 10
}

// roofM is the altitude of a building's roof: its height over the highest ground
// that is found below it, in steps of roofStepM along its walls and on a grid
// within them.
func (g *Geometry) roofM(building int32) float64 {
	if !math.IsNaN(g.roofs[building]) {
		return g.roofs[building]
	}
	heightM := g.chart.Buildings[building].HeightM
	if g.chart.Terrain == nil {
		g.roofs[building] = g.chart.GroundAltitudeM + heightM
		return g.roofs[building]
	}
	rings, high := g.chart.Outline(building), math.Inf(-1)
	box := space.EmptyBox()
	for _, ring := range rings {
		for i, p := range ring {
			box = box.Extend(p)
			from := ring[max(i-1, 0)]
			for done, length := 0.0, from.Dist(p); done <= length; done += roofStepM {
				high = max(high, g.groundM(from.Lerp(p, done/max(length, roofStepM))))
			}
		}
	}
	for x := box.Min.X; x <= box.Max.X; x += roofStepM {
		for y := box.Min.Y; y <= box.Max.Y; y += roofStepM {
			if at := (space.XY{X: x, Y: y}); space.InRings(rings, at) {
				high = max(high, g.groundM(at))
			}
		}
	}
	g.roofs[building] = high + heightM
	return g.roofs[building]
}

package chart

import (
	"errors"
	"fmt"
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// plane is what the columns and rows of a raster run along: degrees, pixels of
// Web Mercator at a zoom, or the metres of a national grid.
type plane struct {
	crs space.CRS
	// zoom belongs to webMercator, whose pixels count from the north-west corner
	// of the world, northwards up to 0.
	zoom int
}

// webMercator is the projection of map tiles (EPSG:3857), of which only tiles
// are read.
const webMercator space.CRS = 3857

// inDegrees tells whether the plane is that of terrain already.
func (p plane) inDegrees() bool { return p.crs == 0 || p.crs == space.EPSG4326 }

// tilePixels is how many pixels a tile of Web Mercator has on each side; larger
// ones count as tiles of a higher zoom.
const tilePixels = 256

// worldPixels is how many pixels the equator has.
func (p plane) worldPixels() float64 { return math.Ldexp(tilePixels, p.zoom) }

// from converts degrees of WGS-84 to the plane; what is not on it is not finite.
func (p plane) from(at orb.Point) orb.Point {
	switch {
	case p.inDegrees():
		return at
	case p.crs == webMercator:
		// The sphere's Mercator on the ellipsoid's latitude, as tiles have it.
		world := p.worldPixels()
		lat := at[1] * (math.Pi / 180)
		north := math.Asinh(math.Tan(lat)) / (2 * math.Pi)
		return orb.Point{(at[0] + 180) / 360 * world, (north - 0.5) * world}
	}
	return p.crs.FromWGS84(at)
}

// to undoes from.
func (p plane) to(at orb.Point) orb.Point {
	switch {
	case p.inDegrees():
		return at
	case p.crs == webMercator:
		world := p.worldPixels()
		north := (at[1]/world + 0.5) * 2 * math.Pi
		return orb.Point{at[0]/world*360 - 180, math.Atan(math.Sinh(north)) * (180 / math.Pi)}
	}
	return p.crs.ToWGS84(at)
}

// boundOf is the bound of what convert makes of an area's corners, the middles
// of its sides and its centre; it is empty where one of them is not finite.
func boundOf(area orb.Bound, convert func(orb.Point) orb.Point) orb.Bound {
	bound := orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
	mid := area.Center()
	for i, x := range [...]float64{area.Min[0], mid[0], area.Max[0]} {
		for k, y := range [...]float64{area.Min[1], mid[1], area.Max[1]} {
			at := convert(orb.Point{x, y})
			if math.IsNaN(at[0]+at[1]) || math.IsInf(at[0]+at[1], 0) {
				return orb.Bound{Min: orb.Point{1, 1}, Max: orb.Point{-1, -1}}
			}
			if i == 0 && k == 0 {
				bound = at.Bound()
			}
			bound = bound.Extend(at)
		}
	}
	return bound
}

// metresPerDegree is the length of a degree of latitude, to half a per cent.
const metresPerDegree = 111_195.0

// cellM is how far apart the samples of a raster are, to the east and the north,
// at its middle.
func (r *raster) cellM() (eastM, northM float64) {
	mid := r.plane.to(orb.Point{r.origin[0] + r.stepLon*float64(r.cols-1)/2, r.origin[1] + r.stepLat*float64(r.rows-1)/2})
	cos := math.Cos(mid[1] * (math.Pi / 180))
	switch {
	case r.plane.inDegrees():
		return r.stepLon * metresPerDegree * cos, r.stepLat * metresPerDegree
	case r.plane.crs == webMercator:
		eastM = 360 / r.plane.worldPixels() * metresPerDegree * cos
		return eastM, eastM
	}
	return r.stepLon, r.stepLat
}

// bound is where the samples lie in the plane.
func (r *raster) bound() orb.Bound {
	return orb.Bound{Min: r.origin, Max: orb.Point{r.origin[0] + r.stepLon*float64(r.cols-1), r.origin[1] + r.stepLat*float64(r.rows-1)}}
}

// gridShare is how many samples along meridians and parallels there are for one
// along a national grid, which they cross askew: bilinear ground between samples
// this close keeps its tops to a few per cent of the rise from one cell to the
// next.
const gridShare = 2

// resampled returns the raster in degrees, bilinear between its samples, on a
// lattice of about its own step. All of its samples must be known. The columns of
// tiles stay where they are.
func (r *raster) resampled(area orb.Bound) (raster, error) {
	if r.plane.inDegrees() {
		return *r, nil
	}
	bound := boundOf(r.bound(), r.plane.to)
	if bound.IsEmpty() {
		return raster{}, errors.New("it reaches beyond where its grid is used")
	}
	eastM, northM := r.cellM()
	cos := math.Cos(bound.Center()[1] * (math.Pi / 180))
	to := raster{
		name: r.name, uncertaintyM: r.uncertaintyM, origin: bound.Min,
		stepLon: eastM / gridShare / metresPerDegree / cos, stepLat: northM / gridShare / metresPerDegree,
	}
	if r.plane.crs == webMercator {
		to.stepLon = 360 / r.plane.worldPixels()
		to.stepLat = to.stepLon * cos
	}
	// A sample more on each side of the area, and the last within the raster.
	lastCol, lastRow := (bound.Max[0]-bound.Min[0])/to.stepLon, (bound.Max[1]-bound.Min[1])/to.stepLat
	if !(lastCol*lastRow < 4*MaxTerrainSamples) {
		return raster{}, fmt.Errorf("%w: it has more than %d samples", ErrTerrain, MaxTerrainSamples)
	}
	c0, c1 := span(area.Min[0], area.Max[0], bound.Min[0], to.stepLon, int(lastCol+1e-6)+1)
	r0, r1 := span(area.Min[1], area.Max[1], bound.Min[1], to.stepLat, int(lastRow+1e-6)+1)
	if to.cols, to.rows = c1-c0, r1-r0; to.cols < 2 || to.rows < 2 || to.cols > MaxTerrainSamples/to.rows {
		return raster{}, fmt.Errorf("%w: it would have %d by %d samples in degrees; 2 by 2 to %d together can be", ErrTerrain, to.cols, to.rows, MaxTerrainSamples)
	}
	to.origin[0] += float64(c0) * to.stepLon
	to.origin[1] += float64(r0) * to.stepLat
	to.heights = make([]int32, 0, to.cols*to.rows)
	for row := range to.rows {
		to.heights = r.appendRow(to.heights, &to, to.origin[1]+float64(row)*to.stepLat)
	}
	return to, nil
}

// rowPiece is how many samples of a row are placed by a straight line in the
// plane: over the kilometre that they take it bends by a centimetre.
const rowPiece = 32

// appendRow appends the heights of a row of another lattice.
func (r *raster) appendRow(heights []int32, to *raster, lat float64) []int32 {
	place := func(col int) orb.Point { return r.plane.from(orb.Point{to.origin[0] + float64(col)*to.stepLon, lat}) }
	from := place(0)
	for col := 0; col < to.cols; {
		n := min(rowPiece, to.cols-col)
		next := place(col + n)
		for k := range n {
			t := float64(k) / float64(n)
			heights = append(heights, r.heightAt(from[0]+(next[0]-from[0])*t, from[1]+(next[1]-from[1])*t))
		}
		from = next
		col += n
	}
	return heights
}

// heightAt is the bilinear height at a place of the plane, in decimetres; beyond
// the edge, that of the edge.
func (r *raster) heightAt(x, y float64) int32 {
	u, v := within((x-r.origin[0])/r.stepLon, r.cols-1), within((y-r.origin[1])/r.stepLat, r.rows-1)
	col, row := min(int(u), r.cols-2), min(int(v), r.rows-2)
	du, dv := u-float64(col), v-float64(row)
	h := r.heights[row*r.cols+col:]
	south := float64(h[0])*(1-du) + float64(h[1])*du
	h = h[r.cols:]
	north := float64(h[0])*(1-du) + float64(h[1])*du
	return int32(math.Round(south*(1-dv) + north*dv))
}

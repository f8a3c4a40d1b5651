package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

const (
	// MaxTerrainFileBytes is the longest terrain file, as it stands and unpacked.
	MaxTerrainFileBytes = 256 << 20
	// terrainMarginDeg is how far around the chart terrain is kept: some 300 m.
	terrainMarginDeg = 0.003
	// Heights beyond these, in metres, are faults of the source and count as
	// voids: the lowest and the highest dry land lie within.
	lowestLandM, highestLandM = -500, 9000
)

// raster is a grid of heights in decimetres, rows from the south. Void samples
// are void.
type raster struct {
	name string
	// plane is what origin and steps refer to.
	plane            plane
	origin           orb.Point
	stepLon, stepLat float64
	cols, rows       int
	heights          []int32
	// mostM is the greatest height that the file can hold, 0 for one that holds
	// any.
	mostM int32
	// uncertaintyM is how far the ground may be from the heights, see Terrain.
	uncertaintyM float64
}

const void = math.MinInt32

// cut returns the part of a raster around an area in degrees, with a sample more
// on each side where there is one; without heights when it does not touch the
// area.
func (r raster) cut(area orb.Bound) raster {
	if area = boundOf(area, r.plane.from); area.IsEmpty() {
		r.heights = nil
		return r
	}
	c0, c1 := span(area.Min[0], area.Max[0], r.origin[0], r.stepLon, r.cols)
	r0, r1 := span(area.Min[1], area.Max[1], r.origin[1], r.stepLat, r.rows)
	if c1-c0 < 2 || r1-r0 < 2 {
		r.heights = nil
		return r
	}
	heights := make([]int32, 0, (c1-c0)*(r1-r0))
	for row := r0; row < r1; row++ {
		heights = append(heights, r.heights[row*r.cols+c0:row*r.cols+c1]...)
	}
	r.origin[0] += float64(c0) * r.stepLon
	r.origin[1] += float64(r0) * r.stepLat
	r.cols, r.rows, r.heights = c1-c0, r1-r0, heights
	return r
}

// span returns the samples from …to-1 around an interval.
func span(low, high, origin, step float64, count int) (from, to int) {
	if high < origin || low > origin+step*float64(count-1) {
		return 0, 0
	}
	from = int(math.Floor(within((low-origin)/step, count-1)))
	to = int(math.Ceil(within((high-origin)/step, count-1))) + 1
	return max(from-1, 0), min(to+1, count)
}

// aligned tells whether the samples of both lie on one lattice.
func (r raster) aligned(o raster) bool {
	whole := func(v float64) bool { return math.Abs(v-math.Round(v)) < 0.01 }
	return r.plane == o.plane && math.Abs(r.stepLon-o.stepLon) < 1e-6*r.stepLon && math.Abs(r.stepLat-o.stepLat) < 1e-6*r.stepLat &&
		whole((o.origin[0]-r.origin[0])/r.stepLon) && whole((o.origin[1]-r.origin[1])/r.stepLat)
}

// covers tells whether an area lies within the raster, but for a sample's width.
func (r raster) covers(area orb.Bound) bool {
	area = boundOf(area, r.plane.from)
	return area.Min[0] >= r.origin[0]-r.stepLon && area.Max[0] <= r.origin[0]+r.stepLon*float64(r.cols) &&
		area.Min[1] >= r.origin[1]-r.stepLat && area.Max[1] <= r.origin[1]+r.stepLat*float64(r.rows)
}

// joinRasters lays aligned rasters into one. Where several have a sample, as
// tiles do along their edges, the first counts.
func joinRasters(parts []raster) (raster, error) {
	whole := parts[0]
	if len(parts) == 1 {
		return whole, nil
	}
	offset := func(p raster) (col, row int) {
		return int(math.Round((p.origin[0] - parts[0].origin[0]) / whole.stepLon)), int(math.Round((p.origin[1] - parts[0].origin[1]) / whole.stepLat))
	}
	var c0, r0, c1, r1 int
	var names []string
	for _, p := range parts {
		whole.uncertaintyM = max(whole.uncertaintyM, p.uncertaintyM)
		col, row := offset(p)
		c0, r0, c1, r1 = min(c0, col), min(r0, row), max(c1, col+p.cols), max(r1, row+p.rows)
		names = append(names, p.name)
	}
	whole.cols, whole.rows = c1-c0, r1-r0
	if whole.cols > MaxTerrainSamples/whole.rows {
		return raster{}, fmt.Errorf("%w: together the files have %d by %d samples, more than %d", ErrTerrain, whole.cols, whole.rows, MaxTerrainSamples)
	}
	whole.origin[0] += float64(c0) * whole.stepLon
	whole.origin[1] += float64(r0) * whole.stepLat
	whole.name = sourceName(names)
	whole.heights = slices.Repeat([]int32{void}, whole.cols*whole.rows)
	for _, p := range parts {
		col, row := offset(p)
		for y := range p.rows {
			to := whole.heights[(row-r0+y)*whole.cols+col-c0:]
			for x, h := range p.heights[y*p.cols : (y+1)*p.cols] {
				if to[x] == void {
					to[x] = h
				}
			}
		}
	}
	return whole, nil
}

// maxNamed is how many files the source of terrain names.
const maxNamed = 8

// sourceName lists names, and only counts those beyond the first few.
func sourceName(names []string) string {
	if more := len(names) - maxNamed; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), more)
	}
	return strings.Join(names, ", ")
}

// decimetres returns a height, void for one that cannot be.
func decimetres(m float64) int32 {
	if m >= lowestLandM && m <= highestLandM {
		return int32(math.Round(m * 10))
	}
	return void
}

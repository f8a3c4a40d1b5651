package chart

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"path"
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

// ErrTerrain is the kind of error for a file that ImportTerrain cannot use.
var ErrTerrain = errors.New("unusable terrain file")

// TerrainFile is a file of heights. Its name says what it is: ".hgt" and
// ".hgt.zip" are SRTM tiles, whose name begins with that of their south-west
// corner as in N43E007.hgt; ".tif" and ".tiff" are GeoTIFF in degrees.
type TerrainFile struct {
	Name string
	io.Reader
}

// TerrainReport counts what ImportTerrain found.
type TerrainReport struct {
	// Files are those that touch the area asked for.
	Files int
	// Samples are those of the terrain, and Voids those of them that the files
	// did not have.
	Samples, Voids int
	Warnings       []Warning
}

// raster is a grid of heights in decimetres, rows from the south. Void samples
// are void.
type raster struct {
	name             string
	origin           orb.Point
	stepLon, stepLat float64
	cols, rows       int
	heights          []int32
	// mostM is the greatest height that the file can hold, 0 for one that holds
	// any.
	mostM int32
}

const void = math.MinInt32

// ImportTerrain reads files of heights and joins those that touch an area to
// one grid, cut to the area. All must have the same steps between samples, on
// one lattice. A void is filled from its neighbours, and counted; an area that
// the files do not cover counts as void up to the bound of what they do cover,
// and beyond that bound there is no grid. The error is of kind ErrTerrain and
// names the file.
func ImportTerrain(files []TerrainFile, area orb.Bound) (*Terrain, TerrainReport, error) {
	var report TerrainReport
	var parts []raster
	names := map[string]bool{}
	for _, f := range files {
		fault := func(err error) error { return fmt.Errorf("%w: %s: %w", ErrTerrain, f.Name, err) }
		part, err := readRaster(f)
		if err != nil {
			return nil, report, fault(err)
		}
		if names[part.name] {
			return nil, report, fault(fmt.Errorf("the tile %s is given twice", part.name))
		}
		names[part.name] = true
		if part = part.cut(area); part.heights == nil {
			report.Warnings = append(report.Warnings, Warning{Text: "a terrain file does not touch the chart and is not used", Count: 1, First: f.Name})
			continue
		}
		if len(parts) > 0 && !parts[0].aligned(part) {
			return nil, report, fault(fmt.Errorf("its samples do not lie on the lattice of those of %s", parts[0].name))
		}
		parts = append(parts, part)
	}
	if len(parts) == 0 {
		return nil, report, fmt.Errorf("%w: none of the files touches the chart, which reaches from %.4f, %.4f to %.4f, %.4f",
			ErrTerrain, area.Min[0], area.Min[1], area.Max[0], area.Max[1])
	}
	// By name, so that the order of the files does not show.
	slices.SortFunc(parts, func(a, b raster) int { return cmp.Compare(a.name, b.name) })
	whole, err := joinRasters(parts)
	if err != nil {
		return nil, report, err
	}
	terrain := &Terrain{
		Origin: whole.origin, StepLon: whole.stepLon, StepLat: whole.stepLat,
		Cols: whole.cols, Rows: whole.rows, HeightDM: whole.heights, Source: whole.name,
	}
	if terrain.Voids, err = fillVoids(terrain); err != nil {
		return nil, report, fmt.Errorf("%w: %s: %w", ErrTerrain, whole.name, err)
	}
	report.Files, report.Samples, report.Voids = len(parts), len(terrain.HeightDM), terrain.Voids
	report.warnOfCeiling(parts)
	if terrain.Voids > 0 {
		report.Warnings = append(report.Warnings, Warning{
			Text: "a height that the terrain does not have is taken from its neighbours", Count: terrain.Voids, First: whole.name,
		})
	}
	if !whole.covers(area) {
		report.Warnings = append(report.Warnings, Warning{
			Text: "the terrain does not cover the whole chart, beyond it the ground is as high as at its edge", Count: 1, First: whole.name,
		})
	}
	return terrain, report, nil
}

// warnOfCeiling counts the heights that are the greatest a file can hold.
func (r *TerrainReport) warnOfCeiling(parts []raster) {
	for _, part := range parts {
		count := 0
		for _, h := range part.heights {
			if part.mostM > 0 && h >= 10*part.mostM {
				count++
			}
		}
		if count > 0 {
			r.Warnings = append(r.Warnings, Warning{
				Text:  fmt.Sprintf("a height stands at the %d m that the terrain file can hold at most, the ground may be higher", part.mostM),
				Count: count, First: part.name,
			})
		}
	}
}

// readRaster reads a file by its name.
func readRaster(f TerrainFile) (raster, error) {
	data, err := io.ReadAll(io.LimitReader(f, MaxTerrainFileBytes+1))
	if err != nil {
		return raster{}, err
	}
	if len(data) > MaxTerrainFileBytes {
		return raster{}, fmt.Errorf("it is longer than %d bytes", MaxTerrainFileBytes)
	}
	name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".hgt"):
		return readHGT(name, data)
	case strings.HasSuffix(lower, ".hgt.zip"):
		return unzipHGT(data)
	case strings.HasSuffix(lower, ".tif"), strings.HasSuffix(lower, ".tiff"):
		return readTIFF(name, data)
	}
	return raster{}, errors.New("only .hgt, .hgt.zip, .tif and .tiff are read")
}

// cut returns the part of a raster around an area, with a sample more on each
// side where there is one; without heights when it does not touch the area.
func (r raster) cut(area orb.Bound) raster {
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
	return math.Abs(r.stepLon-o.stepLon) < 1e-6*r.stepLon && math.Abs(r.stepLat-o.stepLat) < 1e-6*r.stepLat &&
		whole((o.origin[0]-r.origin[0])/r.stepLon) && whole((o.origin[1]-r.origin[1])/r.stepLat)
}

// covers tells whether an area lies within the raster, but for a sample's width.
func (r raster) covers(area orb.Bound) bool {
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
	whole.name = strings.Join(names, ", ")
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

// fillVoids gives each void the mean of those of its eight neighbours that are
// known, from the rims of each hole inwards, and returns how many there were.
func fillVoids(t *Terrain) (count int, err error) {
	var rim, next []int
	for i, h := range t.HeightDM {
		if h == void {
			count++
			if t.meanAround(i) != void {
				rim = append(rim, i)
			}
		}
	}
	if count == len(t.HeightDM) {
		return count, errors.New("it has no height within the chart")
	}
	means := []int32{}
	for len(rim) > 0 {
		// A whole rim at once, so that the order of samples does not show.
		means = means[:0]
		for _, i := range rim {
			means = append(means, t.meanAround(i))
		}
		for k, i := range rim {
			t.HeightDM[i] = means[k]
		}
		next = next[:0]
		for _, i := range rim {
			for _, k := range t.around(i) {
				if k >= 0 && t.HeightDM[k] == void {
					next = append(next, k)
				}
			}
		}
		slices.Sort(next)
		rim, next = slices.Compact(next), rim
	}
	return count, nil
}

// around returns the neighbours of a sample, -1 beyond the edge.
func (t *Terrain) around(i int) (list [8]int) {
	col, row := i%t.Cols, i/t.Cols
	n := 0
	for dy := -1; dy <= 1; dy++ {
		for dx := -1; dx <= 1; dx++ {
			if dx == 0 && dy == 0 {
				continue
			}
			list[n] = -1
			if x, y := col+dx, row+dy; x >= 0 && x < t.Cols && y >= 0 && y < t.Rows {
				list[n] = y*t.Cols + x
			}
			n++
		}
	}
	return list
}

// meanAround returns the mean of the known neighbours, void when there is none.
func (t *Terrain) meanAround(i int) int32 {
	sum, known := 0, 0
	for _, k := range t.around(i) {
		if k >= 0 && t.HeightDM[k] != void {
			sum += int(t.HeightDM[k])
			known++
		}
	}
	if known == 0 {
		return void
	}
	return int32(math.Round(float64(sum) / float64(known)))
}

// decimetres returns a height, void for one that cannot be.
func decimetres(m float64) int32 {
	if m >= lowestLandM && m <= highestLandM {
		return int32(math.Round(m * 10))
	}
	return void
}

package chart

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/paulmach/orb"
)

// SRTMUncertaintyM is the stated vertical uncertainty of heights from SRTM and
// of tiles made of them: the ground is at most so much higher at 95 % of places.
// Measured against the lidar terrain of all Hong Kong on 223439 cells of land,
// SRTM less lidar is -2 m in the median, -17 m at the 5th percentile and +12 m at
// the 95th.
const SRTMUncertaintyM = 17

// MaxTerrainUncertaintyM bounds Terrain.UncertaintyM.
const MaxTerrainUncertaintyM = 1000

// ErrTerrain is the kind of error for a file that ImportTerrain cannot use.
var ErrTerrain = errors.New("unusable terrain file")

// TerrainFile is a file of heights. Its name says what it is: ".hgt" and
// ".hgt.zip" are SRTM tiles, whose name begins with that of their south-west
// corner as in N43E007.hgt; ".tif" and ".tiff" are GeoTIFF in degrees; ".png" are
// terrarium tiles of Web Mercator, whose path ends in zoom, column and row; and
// ".json" are grids in the metres of a national grid, with the file of their
// extent beside them.
type TerrainFile struct {
	Name string
	io.Reader
}

// TerrainReport counts what ImportTerrain found.
type TerrainReport struct {
	// Files are those that touch the area asked for.
	Files int
	// Samples are those of the files within the area. Voids are those of them that
	// the files did not have, and Faults spikes and pits; all of these are filled
	// from their neighbours.
	Samples, Voids, Faults int
	// Repairs are the first MaxRepairs of the faults.
	Repairs []Repair
	// UncertaintyM is that of the terrain.
	UncertaintyM float64
	Warnings     []Warning
}

// terrainParts are the files of one import as far as they are read.
type terrainParts struct {
	area    orb.Bound
	report  *TerrainReport
	rasters []raster
	names   map[string]bool
	grids   []*heightGrid
	extent  *gridExtent
	// unused counts the files that do not touch the area.
	unused int
}

// ImportTerrain reads files of heights and joins those that touch an area to
// one grid, cut to the area. All must have the same steps between samples, on
// one lattice. Where several have a sample, the first by name counts. Spikes and
// pits are found and counted, and like voids filled from their neighbours; an
// area that the files do not cover counts as void up to the bound of what they
// do cover, and beyond that bound there is no grid. Heights that come in another
// projection are repaired there and then laid on a lattice of degrees. The error
// is of kind ErrTerrain and names the file.
func ImportTerrain(files []TerrainFile, area orb.Bound) (*Terrain, TerrainReport, error) {
	var report TerrainReport
	parts, err := readTerrain(files, area, &report)
	if err != nil {
		return nil, report, err
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
	report.Files, report.Samples, report.UncertaintyM = len(parts), len(whole.heights), whole.uncertaintyM
	covered := whole.covers(area)
	report.warnOfCeiling(parts)
	report.Repairs, report.Faults, report.Voids, err = whole.mend()
	if err != nil {
		return nil, report, fmt.Errorf("%w: %s: %w", ErrTerrain, whole.name, err)
	}
	report.warnOf(whole.name, covered)
	if whole, err = whole.resampled(area); err != nil {
		return nil, report, err
	}
	return &Terrain{
		Origin: whole.origin, StepLon: whole.stepLon, StepLat: whole.stepLat,
		Cols: whole.cols, Rows: whole.rows, HeightDM: whole.heights, Source: whole.name,
		Voids: report.Voids, Faults: report.Faults, Repairs: report.Repairs, UncertaintyM: whole.uncertaintyM,
	}, report, nil
}

// readTerrain reads all files and cuts them to the area; those that do not touch
// it are left out.
func readTerrain(files []TerrainFile, area orb.Bound, report *TerrainReport) ([]raster, error) {
	p := terrainParts{area: area, report: report, names: map[string]bool{}}
	for _, f := range files {
		if err := p.read(f); err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTerrain, f.Name, err)
		}
	}
	for _, grid := range p.grids {
		if p.extent == nil {
			return nil, fmt.Errorf(`%w: %s: it does not say where it lies; give the file with its extent ("texbb") as well`, ErrTerrain, grid.name)
		}
		laid, err := grid.on(p.extent)
		if err == nil {
			err = p.add(laid, grid.name)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrTerrain, grid.name, err)
		}
	}
	return p.rasters, nil
}

// add takes a raster in that lies on the lattice of the others.
func (p *terrainParts) add(part raster, file string) error {
	if p.names[part.name] {
		return fmt.Errorf("the tile %s is given twice", part.name)
	}
	p.names[part.name] = true
	if part = part.cut(p.area); part.heights == nil {
		if p.unused == 0 {
			p.report.Warnings = append(p.report.Warnings, Warning{Text: "a terrain file does not touch the chart and is not used", First: file})
		}
		// It is the first of the warnings: those of what is in the files come later.
		p.unused++
		p.report.Warnings[0].Count = p.unused
		return nil
	}
	if len(p.rasters) > 0 && !p.rasters[0].aligned(part) {
		return fmt.Errorf("its samples do not lie on the lattice of those of %s", p.rasters[0].name)
	}
	p.rasters = append(p.rasters, part)
	return nil
}

// read reads a file by its name. What its first bytes show not to be of that
// kind is refused before the rest is read.
func (p *terrainParts) read(f TerrainFile) error {
	name := path.Base(strings.ReplaceAll(f.Name, `\`, "/"))
	file := bufio.NewReader(f)
	start, err := file.Peek(len(pngMagic))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	switch lower := strings.ToLower(name); {
	case strings.HasSuffix(lower, ".hgt"):
		return p.readWith(file, name, 2*3601*3601, readHGT)
	case strings.HasSuffix(lower, ".hgt.zip"):
		if !bytes.HasPrefix(start, []byte("PK")) {
			return errors.New("it is no intact ZIP archive")
		}
		return p.readWith(file, name, MaxTerrainFileBytes, func(_ string, data []byte) (raster, error) { return unzipHGT(data) })
	case strings.HasSuffix(lower, ".tif"), strings.HasSuffix(lower, ".tiff"):
		if len(start) >= 2 && string(start[:2]) != "II" && string(start[:2]) != "MM" {
			return errors.New("it is no TIFF file")
		}
		return p.readWith(file, name, MaxTerrainFileBytes, readTIFF)
	case strings.HasSuffix(lower, ".png"):
		if string(start) != pngMagic {
			return errors.New("it is no PNG file")
		}
		return p.readWith(file, strings.ReplaceAll(f.Name, `\`, "/"), maxTerrariumBytes, readTerrarium)
	case strings.HasSuffix(lower, ".json"):
		return p.readGrid(withoutMark(file), name)
	}
	return errors.New("only .hgt, .hgt.zip, .tif, .tiff, .png and .json are read")
}

// pngMagic is what every PNG file begins with.
const pngMagic = "\x89PNG\r\n\x1a\n"

// readWith reads a whole file of limited length.
func (p *terrainParts) readWith(file io.Reader, name string, mostBytes int64, decode func(name string, data []byte) (raster, error)) error {
	data, err := io.ReadAll(io.LimitReader(file, mostBytes+1))
	if err != nil {
		return err
	}
	if int64(len(data)) > mostBytes {
		return fmt.Errorf("it is longer than %d bytes", mostBytes)
	}
	part, err := decode(name, data)
	if err != nil {
		return err
	}
	return p.add(part, name)
}

// readGrid reads a grid of heights in JSON, or where it lies.
func (p *terrainParts) readGrid(file io.Reader, name string) error {
	limited := &io.LimitedReader{R: file, N: maxGridBytes}
	extent, grid, err := readGridJSON(name, limited)
	switch {
	case limited.N == 0:
		return fmt.Errorf("it is longer than %d bytes", maxGridBytes)
	case err != nil:
		return err
	case grid != nil:
		p.grids = append(p.grids, grid)
		return nil
	case p.extent != nil && *p.extent != *extent:
		return errors.New("it says where grids lie, and so did another file")
	}
	p.extent = extent
	return nil
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

// warnOf tells of what was filled and what is not covered.
func (r *TerrainReport) warnOf(source string, covered bool) {
	if r.Voids > 0 {
		r.Warnings = append(r.Warnings, Warning{
			Text: "a height that the terrain does not have is taken from its neighbours", Count: r.Voids, First: source,
		})
	}
	if r.Faults > 0 {
		r.Warnings = append(r.Warnings, Warning{
			Text: "a spike or pit of the terrain that no ground can be is taken from its neighbours", Count: r.Faults, First: r.Repairs[0].String(),
		})
	}
	if !covered {
		r.Warnings = append(r.Warnings, Warning{
			Text: "the terrain does not cover the whole chart, beyond it the ground is as high as at its edge", Count: 1, First: source,
		})
	}
}

// String tells of a repair in a few words.
func (r Repair) String() string {
	return fmt.Sprintf("%.5f, %.5f: %g m became %g m", r.At[0], r.At[1], r.WasM, r.BecameM)
}

package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// maxGridBytes is the longest grid of heights in JSON.
const maxGridBytes = 64 << 20

// gridExtent says where the grids beside it lie: the middles of their outermost
// cells, in metres of a coordinate reference system.
type gridExtent struct {
	E0, E1, N0, N1 float64
	crs            space.CRS
}

// heightGrid is a grid of heights in metres, from the north-west corner, row by
// row; null is a void.
type heightGrid struct {
	name             string
	w, h             int
	cell             float64
	elevDM           []int32
	uncertaintyM     float64
	saysUncertaintyM bool
}

// readGridJSON reads one file of the pair: the extent or the heights, which the
// other lacks.
func readGridJSON(name string, r io.Reader) (*gridExtent, *heightGrid, error) {
	decoder := json.NewDecoder(r)
	if err := wantDelim(decoder, '{'); err != nil {
		return nil, nil, fmt.Errorf("it is no JSON object: %w", err)
	}
	grid := &heightGrid{name: name}
	var extent *gridExtent
	var crsName string
	for decoder.More() {
		key, err := decoder.Token()
		if err != nil {
			return nil, nil, err
		}
		switch key {
		case "w":
			err = decoder.Decode(&grid.w)
		case "h":
			err = decoder.Decode(&grid.h)
		case "cell":
			err = decoder.Decode(&grid.cell)
		case "uncertainty_m":
			grid.saysUncertaintyM = true
			err = decoder.Decode(&grid.uncertaintyM)
		case "elev":
			err = grid.readHeights(decoder)
		case "texbb":
			extent = &gridExtent{}
			err = decoder.Decode(extent)
		case "crs":
			err = decoder.Decode(&crsName)
		default:
			var skipped json.RawMessage
			err = decoder.Decode(&skipped)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("its member %q: %w", key, err)
		}
	}
	if _, err := decoder.Token(); err != nil {
		return nil, nil, fmt.Errorf("it is cut off or damaged: %w", err)
	}
	switch {
	case extent != nil && grid.elevDM == nil:
		err := extent.check(crsName)
		return extent, nil, err
	case extent == nil && grid.elevDM != nil:
		return nil, grid, grid.check()
	}
	return nil, nil, errors.New(`it is neither a grid of heights ("w", "h", "cell" and "elev") nor the extent of one ("texbb")`)
}

func wantDelim(decoder *json.Decoder, want json.Delim) error {
	token, err := decoder.Token()
	if err != nil {
		return err
	}
	if token != want {
		return fmt.Errorf("it has %v where %v belongs", token, want)
	}
	return nil
}

// readHeights reads numbers and nulls. Going through the text by its commas is some
// ten times as fast as by the decoder's tokens, and refuses all else that JSON may
// have there.
func (g *heightGrid) readHeights(decoder *json.Decoder) error {
	var raw json.RawMessage
	if err := decoder.Decode(&raw); err != nil {
		return err
	}
	text, ok := bytes.CutPrefix(raw, []byte("["))
	if !ok {
		return errors.New("it is not a list")
	}
	text = bytes.TrimSpace(bytes.TrimSuffix(text, []byte("]")))
	g.elevDM = []int32{}
	for more := len(text) > 0; more; {
		var item []byte
		item, text, more = bytes.Cut(text, []byte(","))
		item = bytes.TrimSpace(item)
		if most := g.most(); len(g.elevDM) >= most {
			return fmt.Errorf("it has more than %d heights", most)
		}
		if string(item) == "null" {
			g.elevDM = append(g.elevDM, void)
			continue
		}
		v, err := strconv.ParseFloat(string(item), 64)
		if err != nil {
			return fmt.Errorf("height %d is %.40q, no number", len(g.elevDM)+1, item)
		}
		g.elevDM = append(g.elevDM, rawDecimetres(v))
	}
	return nil
}

// most is how many heights the grid may have, by its size where that is known.
func (g *heightGrid) most() int {
	if g.w > 0 && g.h > 0 && g.w <= MaxTerrainSamples/g.h {
		return g.w * g.h
	}
	return MaxTerrainSamples
}

// rawDecimetres returns a height as it stands, a fault or not; void for one that
// is none.
func rawDecimetres(m float64) int32 {
	if math.Abs(m) <= 100_000 {
		return int32(math.Round(m * 10))
	}
	return void
}

func (g *heightGrid) check() error {
	if g.w < 2 || g.h < 2 || g.w > MaxTerrainSamples/g.h || len(g.elevDM) != g.w*g.h {
		return fmt.Errorf("it has %d heights for %d by %d cells; 2 by 2 to %d together are read", len(g.elevDM), g.w, g.h, MaxTerrainSamples)
	}
	if !(g.cell > 0 && g.cell <= 10_000) || !(g.uncertaintyM >= 0 && g.uncertaintyM <= MaxTerrainUncertaintyM) {
		return fmt.Errorf("its cells are %g m wide and its heights uncertain by %g m", g.cell, g.uncertaintyM)
	}
	if !g.saysUncertaintyM && strings.Contains(strings.ToLower(g.name), "srtm") {
		g.uncertaintyM = SRTMUncertaintyM
	}
	return nil
}

// hongKongArea is where the Hong Kong 1980 Grid is used, in its metres. No place
// of Switzerland or of UTM has such figures that could be meant here.
func hongKongArea(e *gridExtent) bool {
	return e.E0 > 790_000 && e.E1 < 875_000 && e.N0 > 795_000 && e.N1 < 855_000
}

// check finds the system of an extent and demands that it is one.
func (e *gridExtent) check(crsName string) error {
	switch {
	case crsName != "":
		crs, err := space.ParseCRS(crsName)
		if err != nil {
			return err
		}
		if crs == space.EPSG4326 || crs == space.EPSG4979 {
			return errors.New("grids in degrees are read from GeoTIFF, not from JSON")
		}
		e.crs = crs
	case hongKongArea(e):
		e.crs = space.EPSG2326
	default:
		return errors.New(`it does not say its coordinate reference system and does not lie in Hong Kong's grid: give it a member "crs" such as "EPSG:2326"`)
	}
	if !(e.E1 > e.E0 && e.N1 > e.N0) || !(math.Abs(e.E0)+math.Abs(e.E1)+math.Abs(e.N0)+math.Abs(e.N1) < 1e9) {
		return fmt.Errorf("its extent from %g, %g to %g, %g is no area", e.E0, e.N0, e.E1, e.N1)
	}
	return nil
}

// on lays the grid on its extent.
func (g *heightGrid) on(e *gridExtent) (raster, error) {
	east, north := (e.E1-e.E0)/float64(g.w-1), (e.N1-e.N0)/float64(g.h-1)
	if math.Abs(east-g.cell) > 0.01*g.cell || math.Abs(north-g.cell) > 0.01*g.cell {
		return raster{}, fmt.Errorf("its %d by %d cells of %g m do not fill the extent, in which they would be %.2f by %.2f m", g.w, g.h, g.cell, east, north)
	}
	r := raster{
		name: g.name, plane: plane{crs: e.crs}, uncertaintyM: g.uncertaintyM,
		origin: orb.Point{e.E0, e.N0}, stepLon: east, stepLat: north, cols: g.w, rows: g.h,
		heights: make([]int32, 0, len(g.elevDM)),
	}
	for row := g.h - 1; row >= 0; row-- {
		r.heights = append(r.heights, g.elevDM[row*g.w:(row+1)*g.w]...)
	}
	return r, nil
}

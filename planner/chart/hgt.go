package chart

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// hgtName is the south-west corner of a tile, and what may follow it.
const hgtName = `^(?i)([NS])([0-9]{2})([EW])([0-9]{3})(\..*)?\.hgt$`

// readHGT reads a tile of SRTM: 16-bit heights in metres, the most significant
// byte first, rows from the north, the outermost samples on the edges of its
// degree. -32768 is a void.
func readHGT(name string, data []byte) (raster, error) {
	corner, err := hgtCorner(name)
	if err != nil {
		return raster{}, err
	}
	side := 0
	switch len(data) {
	case 2 * 1201 * 1201:
		side = 1201
	case 2 * 3601 * 3601:
		side = 3601
	default:
		return raster{}, fmt.Errorf("it has %d bytes; a tile has %d (3 arc seconds) or %d (1 arc second)", len(data), 2*1201*1201, 2*3601*3601)
	}
	tile := raster{
		name: strings.ToUpper(name[:7]), origin: corner, stepLon: 1 / float64(side-1), stepLat: 1 / float64(side-1),
		cols: side, rows: side, heights: make([]int32, side*side), uncertaintyM: SRTMUncertaintyM,
	}
	for i := range tile.heights {
		row, col := side-1-i/side, i%side
		tile.heights[i] = decimetres(float64(int16(binary.BigEndian.Uint16(data[2*(row*side+col):]))))
	}
	return tile, nil
}

func hgtCorner(name string) (orb.Point, error) {
	parts := regexp.MustCompile(hgtName).FindStringSubmatch(name)
	if parts == nil {
		return orb.Point{}, fmt.Errorf("its name %q does not say where it belongs, as N43E007.hgt does", name)
	}
	lat, _ := strconv.ParseFloat(parts[2], 64)
	lon, _ := strconv.ParseFloat(parts[4], 64)
	if strings.EqualFold(parts[1], "S") {
		lat = -lat
	}
	if strings.EqualFold(parts[3], "W") {
		lon = -lon
	}
	if lat < -90 || lat > 89 || lon < -180 || lon > 179 {
		return orb.Point{}, fmt.Errorf("its name %q is not a place on earth", name)
	}
	return orb.Point{lon, lat}, nil
}

// zipEncrypted marks a file of an archive that needs a password.
const zipEncrypted = 1

// unzipHGT reads the one tile in a ZIP archive.
func unzipHGT(data []byte) (raster, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return raster{}, fmt.Errorf("it is no intact ZIP archive: %w", err)
	}
	var tile *zip.File
	for _, f := range archive.File {
		// Files whose names begin with a dot are other systems' notes on a file.
		if !strings.HasSuffix(strings.ToLower(f.Name), ".hgt") || strings.HasPrefix(path.Base(f.Name), ".") {
			continue
		}
		if tile != nil {
			return raster{}, fmt.Errorf("it holds several tiles, %s and %s", tile.Name, f.Name)
		}
		tile = f
	}
	if tile == nil {
		return raster{}, fmt.Errorf("it holds no .hgt file among %d", len(archive.File))
	}
	if tile.Flags&zipEncrypted != 0 {
		return raster{}, fmt.Errorf("%s in it is encrypted; unpack it first", tile.Name)
	}
	packed, err := tile.Open()
	if err != nil {
		return raster{}, fmt.Errorf("%s in it: %w", tile.Name, err)
	}
	// One byte more than the largest tile tells one that is too long.
	unpacked, err := io.ReadAll(io.LimitReader(packed, 2*3601*3601+1))
	if err != nil {
		return raster{}, fmt.Errorf("%s in it is cut off or damaged: %w", tile.Name, err)
	}
	if err := packed.Close(); err != nil {
		return raster{}, fmt.Errorf("%s in it is damaged: %w", tile.Name, err)
	}
	return readHGT(path.Base(tile.Name), unpacked)
}

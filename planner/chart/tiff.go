package chart

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// The tags of a TIFF file that matter to heights.
const (
	tagWidth        = 256
	tagHeight       = 257
	tagBits         = 258
	tagCompression  = 259
	tagStripOffsets = 273
	tagSamples      = 277
	tagRowsPerStrip = 278
	tagStripBytes   = 279
	tagPredictor    = 317
	tagTileWidth    = 322
	tagTileHeight   = 323
	tagTileOffsets  = 324
	tagTileBytes    = 325
	tagFormat       = 339
	tagPixelScale   = 33550
	tagTiePoint     = 33922
	tagGeoKeys      = 34735
	tagNoData       = 42113
)

// maxTIFFTags bounds the entries of a directory; real ones have some twenty.
const maxTIFFTags = 512

// readTIFF reads a GeoTIFF of one channel of heights in metres, in degrees of
// WGS-84: whole numbers or floats, in strips or tiles, packed with deflate or
// not at all. Its heights count as above mean sea level.
func readTIFF(name string, data []byte) (raster, error) {
	f := &tiff{data: data, tags: map[uint16]tiffTag{}}
	if err := f.directory(); err != nil {
		return raster{}, err
	}
	r, err := f.lattice(name)
	if err != nil {
		return raster{}, err
	}
	layout, err := f.layout(r.cols, r.rows)
	if err != nil {
		return raster{}, err
	}
	if layout.bits == 8 {
		r.mostM = math.MaxUint8
		if layout.format == 2 {
			r.mostM = math.MaxInt8
		}
	}
	r.heights = slices.Repeat([]int32{void}, r.cols*r.rows)
	return r, f.samples(&r, layout)
}

// tiff is the file and its first directory.
type tiff struct {
	data  []byte
	order binary.ByteOrder
	tags  map[uint16]tiffTag
}

// tiffTag is an entry of the directory, with its values as they stand.
type tiffTag struct {
	kind  uint16
	count int
	bytes []byte
}

func (f *tiff) directory() error {
	switch {
	case len(f.data) < 8:
		return errors.New("it is cut off within its first 8 bytes")
	case string(f.data[:4]) == "II*\x00":
		f.order = binary.LittleEndian
	case string(f.data[:4]) == "MM\x00*":
		f.order = binary.BigEndian
	case string(f.data[:4]) == "II+\x00" || string(f.data[:4]) == "MM\x00+":
		return errors.New("it is a BigTIFF, which is not read; write it anew with gdal_translate -co BIGTIFF=NO")
	default:
		return errors.New("it is no TIFF file")
	}
	at := uint64(f.order.Uint32(f.data[4:]))
	head, err := f.cut(at, 2)
	if err != nil {
		return err
	}
	count := uint64(f.order.Uint16(head))
	if count > maxTIFFTags {
		return fmt.Errorf("its directory has %d entries, more than %d", count, maxTIFFTags)
	}
	entries, err := f.cut(at+2, 12*count)
	if err != nil {
		return err
	}
	for ; len(entries) > 0; entries = entries[12:] {
		tag := tiffTag{kind: f.order.Uint16(entries[2:])}
		size := uint64(f.order.Uint32(entries[4:]))
		length := size * tiffSize(tag.kind)
		tag.count, tag.bytes = int(size), entries[8:12]
		if length > 4 {
			if tag.bytes, err = f.cut(uint64(f.order.Uint32(entries[8:])), length); err != nil {
				return err
			}
		}
		f.tags[f.order.Uint16(entries)] = tag
	}
	return nil
}

// cut returns a piece of the file.
func (f *tiff) cut(at, length uint64) ([]byte, error) {
	if at > uint64(len(f.data)) || length > uint64(len(f.data))-at {
		return nil, fmt.Errorf("it is damaged or cut off: %d bytes at %d are not in its %d", length, at, len(f.data))
	}
	return f.data[at : at+length], nil
}

// tiffSize is how many bytes a value of a kind takes; kinds that are of no use
// here count as bytes.
func tiffSize(kind uint16) uint64 {
	switch kind {
	case 3:
		return 2
	case 4, 11:
		return 4
	case 12:
		return 8
	}
	return 1
}

// number returns a value of a tag, or what stands for it where it is absent.
func (f *tiff) number(id uint16, i int, absent float64) float64 {
	tag := f.tags[id]
	if i >= tag.count || uint64(i+1)*tiffSize(tag.kind) > uint64(len(tag.bytes)) {
		return absent
	}
	at := tag.bytes[i*int(tiffSize(tag.kind)):]
	switch tag.kind {
	case 3:
		return float64(f.order.Uint16(at))
	case 4:
		return float64(f.order.Uint32(at))
	case 11:
		return float64(math.Float32frombits(f.order.Uint32(at)))
	case 12:
		return math.Float64frombits(f.order.Uint64(at))
	}
	return float64(at[0])
}

// whole returns a value of a tag as a number from 0 to limit, -1 for others.
func (f *tiff) whole(id uint16, i, absent, limit int) int {
	v := f.number(id, i, float64(absent))
	if !(v >= 0 && v <= float64(limit)) {
		return -1
	}
	return int(v)
}

// lattice reads where the samples lie.
func (f *tiff) lattice(name string) (raster, error) {
	r := raster{name: name, cols: f.whole(tagWidth, 0, 0, MaxTerrainSamples), rows: f.whole(tagHeight, 0, 0, MaxTerrainSamples)}
	if r.cols < 2 || r.rows < 2 || r.cols > MaxTerrainSamples/r.rows {
		return r, fmt.Errorf("it has %d by %d samples; 2 by 2 to %d together are read", r.cols, r.rows, MaxTerrainSamples)
	}
	if f.tags[tagPixelScale].count < 2 || f.tags[tagTiePoint].count < 6 {
		return r, errors.New("it does not say where it lies: it has no pixel scale and tie point")
	}
	key := f.geoKeys()
	if key[1024] != 2 || key[2048] != 4326 {
		return r, fmt.Errorf("it is not in degrees of WGS-84 (model %d, system %d); convert it with gdalwarp -t_srs EPSG:4326", key[1024], key[2048])
	}
	if unit := key[4099]; unit != 0 && unit != 9001 {
		return r, fmt.Errorf("its heights are in unit %d, not in metres; convert them with gdal_calc or gdalwarp -t_srs EPSG:4326+5773", unit)
	}
	// 5001 to 5033 are heights above an ellipsoid, 4979 those of WGS-84.
	if over := key[4096]; over >= 5001 && over <= 5033 || over == 4979 {
		return r, fmt.Errorf("its heights are above an ellipsoid (%d), not above the sea; convert them with gdalwarp -s_srs EPSG:4979 -t_srs EPSG:4326+5773", over)
	}
	r.stepLon, r.stepLat = f.number(tagPixelScale, 0, 0), f.number(tagPixelScale, 1, 0)
	// Where a pixel is an area, its height is that of its middle.
	middle := 0.5
	if key[1025] == 2 {
		middle = 0
	}
	west := f.number(tagTiePoint, 3, 0) + (middle-f.number(tagTiePoint, 0, 0))*r.stepLon
	north := f.number(tagTiePoint, 4, 0) - (middle-f.number(tagTiePoint, 1, 0))*r.stepLat
	r.origin = orb.Point{west, north - float64(r.rows-1)*r.stepLat}
	shape := Terrain{Origin: r.origin, StepLon: r.stepLon, StepLat: r.stepLat, Cols: r.cols, Rows: r.rows}
	return r, shape.checkGrid()
}

// geoKeys returns the keys of the coordinate system that stand in the directory
// itself.
func (f *tiff) geoKeys() map[int]int {
	keys := map[int]int{}
	for i := 4; i+3 < f.tags[tagGeoKeys].count && i < 4*maxTIFFTags; i += 4 {
		if f.whole(tagGeoKeys, i+1, 0, math.MaxUint16) == 0 {
			keys[f.whole(tagGeoKeys, i, 0, math.MaxUint16)] = f.whole(tagGeoKeys, i+3, 0, math.MaxUint16)
		}
	}
	return keys
}

// noData returns the number that marks samples without a height.
func (f *tiff) noData() (float64, bool) {
	text := strings.Trim(string(f.tags[tagNoData].bytes), " \x00")
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil
}

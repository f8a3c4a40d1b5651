package chart

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

// tiffFile is a GeoTIFF to write: the sample in column x and row y from the
// north-west has the height 10x + y, and the first is without.
type tiffFile struct {
	west, north, step float64
	cols, rows        int
	bits, format      int
	big, tiles, zip   bool
	predictor         int
	change            func(tags map[uint16][]uint64)
}

const tiffVoid = 251

func geoTIFF(f tiffFile) []byte {
	var order binary.AppendByteOrder = binary.LittleEndian
	head := "II*\x00"
	if f.big {
		order, head = binary.BigEndian, "MM\x00*"
	}
	f.format = max(f.format, 1)
	block := [2]int{f.cols, 3}
	if f.tiles {
		block = [2]int{16, 16}
	}
	file := append([]byte(head), 0, 0, 0, 0)
	var offsets, lengths []uint64
	for top := 0; top < f.rows; top += block[1] {
		for left := 0; left < f.cols; left += block[0] {
			var raw []byte
			for y := top; y < top+block[1] && (f.tiles || y < f.rows); y++ {
				previous := uint64(0)
				for x := left; x < left+block[0]; x++ {
					v := f.bitsOf(10*x + y)
					if x == 0 && y == 0 {
						v = f.bitsOf(tiffVoid)
					}
					if f.predictor == 2 {
						v, previous = v-previous, v
					}
					raw = appendBits(order, raw, v, f.bits)
				}
			}
			if f.zip {
				var packed bytes.Buffer
				w := zlib.NewWriter(&packed)
				_, _ = w.Write(raw)
				_ = w.Close()
				raw = packed.Bytes()
			}
			offsets, lengths = append(offsets, uint64(len(file))), append(lengths, uint64(len(raw)))
			file = append(file, raw...)
		}
	}
	compression := uint64(1)
	if f.zip {
		compression = 8
	}
	bits := math.Float64bits
	tags := map[uint16][]uint64{
		tagWidth: {uint64(f.cols)}, tagHeight: {uint64(f.rows)}, tagBits: {uint64(f.bits)}, tagFormat: {uint64(f.format)},
		tagCompression: {compression}, tagSamples: {1}, tagPredictor: {uint64(max(f.predictor, 1))},
		tagPixelScale: {bits(f.step), bits(f.step), 0},
		tagTiePoint:   {0, 0, 0, bits(f.west - f.step/2), bits(f.north + f.step/2), 0},
		tagGeoKeys:    {1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4326},
		tagNoData:     {'2', '5', '1', 0},
	}
	if f.tiles {
		tags[tagTileWidth], tags[tagTileHeight], tags[tagTileOffsets], tags[tagTileBytes] = []uint64{16}, []uint64{16}, offsets, lengths
	} else {
		tags[tagRowsPerStrip], tags[tagStripOffsets], tags[tagStripBytes] = []uint64{3}, offsets, lengths
	}
	if f.change != nil {
		f.change(tags)
	}
	return appendTags(order, file, tags)
}

func (f tiffFile) bitsOf(v int) uint64 {
	switch {
	case f.format == 3 && f.bits == 32:
		return uint64(math.Float32bits(float32(v)))
	case f.format == 3:
		return math.Float64bits(float64(v))
	}
	return uint64(v)
}

func appendBits(order binary.AppendByteOrder, to []byte, v uint64, bits int) []byte {
	switch bits {
	case 8:
		return append(to, byte(v))
	case 16:
		return order.AppendUint16(to, uint16(v))
	case 32:
		return order.AppendUint32(to, uint32(v))
	}
	return order.AppendUint64(to, v)
}

// appendTags writes the directory at the end, and its place into the head.
func appendTags(order binary.AppendByteOrder, file []byte, tags map[uint16][]uint64) []byte {
	var ids []uint16
	for id := range tags {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	directory := order.AppendUint16(nil, uint16(len(ids)))
	for _, id := range ids {
		kind, bits := uint16(4), 32
		switch id {
		case tagPixelScale, tagTiePoint:
			kind, bits = 12, 64
		case tagGeoKeys:
			kind, bits = 3, 16
		case tagNoData:
			kind, bits = 2, 8
		}
		var values []byte
		for _, v := range tags[id] {
			values = appendBits(order, values, v, bits)
		}
		directory = order.AppendUint16(directory, id)
		directory = order.AppendUint16(directory, kind)
		directory = order.AppendUint32(directory, uint32(len(tags[id])))
		if len(values) > 4 {
			directory = order.AppendUint32(directory, uint32(len(file)))
			file = append(file, values...)
		} else {
			directory = append(directory, append(values, 0, 0, 0, 0)[:4]...)
		}
	}
	copy(file[4:8], order.AppendUint32(nil, uint32(len(file))))
	return append(append(file, directory...), 0, 0, 0, 0)
}

func TestGeoTIFF(t *testing.T) {
	plain := tiffFile{west: 7, north: 43.2, step: 0.01, cols: 20, rows: 21, bits: 32, format: 3}
	for name, change := range map[string]func(*tiffFile){
		"floats":          func(*tiffFile) {},
		"double floats":   func(f *tiffFile) { f.bits = 64 },
		"short":           func(f *tiffFile) { f.bits, f.format = 16, 2 },
		"unsigned":        func(f *tiffFile) { f.bits, f.format = 16, 1 },
		"long":            func(f *tiffFile) { f.bits, f.format = 32, 2 },
		"bytes":           func(f *tiffFile) { f.bits, f.format = 8, 1 },
		"big-endian":      func(f *tiffFile) { f.big = true },
		"tiles":           func(f *tiffFile) { f.tiles = true },
		"packed":          func(f *tiffFile) { f.zip = true },
		"packed tiles":    func(f *tiffFile) { f.zip, f.tiles, f.big = true, true, true },
		"predicted":       func(f *tiffFile) { f.bits, f.format, f.predictor, f.zip = 16, 2, 2, true },
		"predicted tiles": func(f *tiffFile) { f.bits, f.format, f.predictor, f.tiles = 32, 1, 2, true },
	} {
		f := plain
		change(&f)
		terrain, report, err := ImportTerrain([]TerrainFile{{"dem.tif", bytes.NewReader(geoTIFF(f))}}, bound(7, 43, 7.19, 43.2))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if terrain.Cols != 20 || terrain.Rows != 21 || report.Voids != 1 {
			t.Errorf("%s: %+v", name, report)
		}
		for _, c := range []struct{ x, y int }{{1, 0}, {19, 0}, {3, 7}, {17, 20}, {0, 20}} {
			at := orb.Point{7 + 0.01*float64(c.x), 43.2 - 0.01*float64(c.y)}
			if got := terrain.Altitude(at); math.Abs(got-float64(10*c.x+c.y)) > 1e-4 {
				t.Errorf("%s: column %d row %d is at %g m", name, c.x, c.y, got)
			}
		}
	}
}

func TestGeoTIFFRefuses(t *testing.T) {
	plain := tiffFile{west: 7, north: 43.2, step: 0.01, cols: 20, rows: 21, bits: 32, format: 3}
	with := func(change func(map[uint16][]uint64)) []byte {
		f := plain
		f.change = change
		return geoTIFF(f)
	}
	whole := geoTIFF(plain)
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"empty":       {nil, "cut off within"},
		"text":        {[]byte("hello, world"), "no TIFF"},
		"BigTIFF":     {[]byte("II+\x00\x08\x00\x00\x00"), "BigTIFF"},
		"cut":         {whole[:len(whole)-40], "cut off"},
		"half":        {whole[:len(whole)/2], "cut off"},
		"projected":   {with(func(m map[uint16][]uint64) { m[tagGeoKeys] = []uint64{1, 1, 0, 1, 1024, 0, 1, 1} }), "not in degrees of WGS-84"},
		"no place":    {with(func(m map[uint16][]uint64) { delete(m, tagTiePoint) }), "does not say where it lies"},
		"colours":     {with(func(m map[uint16][]uint64) { m[tagSamples] = []uint64{3} }), "3 channels"},
		"LZW":         {with(func(m map[uint16][]uint64) { m[tagCompression] = []uint64{5} }), "compression 5 is not read"},
		"predictor":   {with(func(m map[uint16][]uint64) { m[tagPredictor] = []uint64{3} }), "predictor 3"},
		"bits":        {with(func(m map[uint16][]uint64) { m[tagBits] = []uint64{12} }), "12 bits"},
		"huge":        {with(func(m map[uint16][]uint64) { m[tagWidth] = []uint64{1 << 31} }), "samples; 2 by 2"},
		"blocks":      {with(func(m map[uint16][]uint64) { m[tagStripOffsets] = []uint64{8} }), "1 blocks and needs 7"},
		"outside":     {with(func(m map[uint16][]uint64) { m[tagStripOffsets][2] = 1 << 31 }), "damaged or cut off"},
		"short block": {with(func(m map[uint16][]uint64) { m[tagStripBytes][2], m[tagStripBytes][1] = 3, 600 }), "block 3 has 3 of 240 bytes"},
		"few bytes":   {with(func(m map[uint16][]uint64) { m[tagStripBytes][2] = 3 }), "too few for 20 by 21 samples"},
		"bomb": {with(func(m map[uint16][]uint64) {
			m[tagTileWidth], m[tagTileHeight] = []uint64{1 << 16}, []uint64{900}
		}), "too large for the 20 by 21"},
		"no step": {with(func(m map[uint16][]uint64) { m[tagPixelScale] = []uint64{0, 0, 0} }), "not a place on earth"},
	} {
		_, _, err := ImportTerrain([]TerrainFile{{"dem.tif", bytes.NewReader(c.file)}}, bound(7, 43, 7.19, 43.2))
		if !errors.Is(err, ErrTerrain) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// FuzzImportTerrain wants terrain or an error of its kind, whatever the bytes.
func FuzzImportTerrain(f *testing.F) {
	f.Add(geoTIFF(tiffFile{west: 7, north: 43.2, step: 0.01, cols: 20, rows: 21, bits: 32, format: 3}))
	f.Add(geoTIFF(tiffFile{west: 7, north: 43.2, step: 0.01, cols: 20, rows: 21, bits: 16, format: 2, tiles: true, zip: true, big: true, predictor: 2}))
	f.Fuzz(func(t *testing.T, file []byte) {
		terrain, _, err := ImportTerrain([]TerrainFile{{"dem.tif", bytes.NewReader(file)}}, bound(7, 43, 7.19, 43.2))
		switch {
		case err != nil && !errors.Is(err, ErrTerrain):
			t.Fatal(err)
		case err == nil && terrain.check() != nil:
			t.Fatalf("imported terrain is not valid: %v", terrain.check())
		}
	})
}

// TestTerrainOfPortoAlegre reads a file that other programs wrote.
func TestTerrainOfPortoAlegre(t *testing.T) {
	data := openData(t, "terrain/porto-alegre-elevation.tif")
	terrain, report, err := ImportTerrain([]TerrainFile{{"poa.tif", bytes.NewReader(data)}}, bound(-51.24, -30.10, -51.15, -30.01))
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(terrain.StepLon-1./3600) > 1e-9 || report.Voids > 0 {
		t.Errorf("step %g, %+v", terrain.StepLon, report)
	}
	// The city lies on the lake's shore, the hills are in the south.
	shore, hill := terrain.Altitude(orb.Point{-51.235, -30.03}), terrain.Altitude(orb.Point{-51.163611, -30.086944})
	if shore > 20 || hill < 240 {
		t.Errorf("the shore is at %g m, the hill at %g m", shore, hill)
	}
}

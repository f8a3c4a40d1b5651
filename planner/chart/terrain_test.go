package chart

import (
	"archive/zip"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

func TestTerrainIsBilinearAndClamped(t *testing.T) {
	terrain := Terrain{Origin: orb.Point{10, 50}, StepLon: 0.1, StepLat: 0.2, Cols: 3, Rows: 2, HeightDM: []int32{0, 100, 200, 1000, 1100, 1400}}
	for _, c := range []struct {
		at   orb.Point
		want float64
	}{
		{orb.Point{10, 50}, 0},
		{orb.Point{10.1, 50}, 10},
		{orb.Point{10.05, 50}, 5},
		{orb.Point{10, 50.1}, 50},
		{orb.Point{10.15, 50.1}, 70},
		{orb.Point{10.2, 50.2}, 140},
		{orb.Point{99, 88}, 140},
		{orb.Point{-99, 0}, 0},
		{orb.Point{math.NaN(), 50.2}, 100},
		{orb.Point{math.Inf(1), math.Inf(-1)}, 20},
	} {
		if got := terrain.Altitude(c.at); math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%v is at %g m, want %g", c.at, got, c.want)
		}
	}
	if allocs := testing.AllocsPerRun(100, func() { terrain.Altitude(orb.Point{10.07, 50.03}) }); allocs != 0 {
		t.Errorf("a question allocates %g times", allocs)
	}
}

// hills is a chart with rough ground and a few hundred buildings.
func hills(t testing.TB, rng *rand.Rand) *Chart {
	t.Helper()
	d := Draft{Terrain: &Terrain{Origin: orb.Point{7.40, 43.70}, StepLon: 1. / 1200, StepLat: 1. / 1200, Cols: 60, Rows: 50}}
	for range d.Terrain.Cols * d.Terrain.Rows {
		d.Terrain.HeightDM = append(d.Terrain.HeightDM, rng.Int32N(3000))
	}
	for range 300 {
		at := orb.Point{7.405 + 0.035*rng.Float64(), 43.705 + 0.03*rng.Float64()}
		d.Buildings = append(d.Buildings, Building{
			ID: "b", HeightM: 10, Source: HeightTag,
			Footprint: orb.Polygon{square(at[0], at[1], 0.00001+0.002*rng.Float64())},
		})
	}
	c, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRangesHoldTheGround compares ranges and roofs with the ground at many
// places beneath.
func TestRangesHoldTheGround(t *testing.T) {
	const seed = 11
	rng := rand.New(rand.NewPCG(seed, 0))
	c := hills(t, rng)
	for i := range c.Buildings {
		box := space.BoxOf(c.Outline(int32(i))[0]...)
		low, high := c.GroundRange(box)
		lowest, highest := math.Inf(1), math.Inf(-1)
		for range 400 {
			at := space.XY{X: box.Min.X + rng.Float64()*(box.Max.X-box.Min.X), Y: box.Min.Y + rng.Float64()*(box.Max.Y-box.Min.Y)}
			h := c.GroundAltitudeXY(at)
			lowest, highest = min(lowest, h), max(highest, h)
		}
		if low > lowest+1e-6 || high < highest-1e-6 {
			t.Fatalf("seed %d: building %d: range %g to %g, found %g to %g", seed, i, low, high, lowest, highest)
		}
		// The footprint fills its box, so that the roof is 10 m above the same.
		if roof := c.RoofM(int32(i)); roof < highest+10-0.5 || roof > high+10+1e-6 {
			t.Fatalf("seed %d: building %d: roof at %g m, ground up to %g, range to %g", seed, i, roof, highest, high)
		}
	}
	for i := range c.Buildings {
		p := c.Buildings[i].Footprint[0][0]
		// The hills fall by 5 m a metre, so that a millimetre aside is 5 mm.
		if a, b := c.GroundAltitude(p), c.GroundAltitudeXY(c.Frame.XY(p)); math.Abs(a-b) > 0.005 {
			t.Fatalf("seed %d: the ground at %v is at %g m by degrees and %g by metres", seed, p, a, b)
		}
	}
}

// TestReliefOfLargeCharts: looking a place up in 200 km takes it a centimetre
// aside at most.
func TestReliefOfLargeCharts(t *testing.T) {
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, 0))
	c := mustNew(t, Draft{
		Extent:  bound(8.7, 59.2, 12.1, 60.9),
		Terrain: &Terrain{Origin: orb.Point{8.6, 59.1}, StepLon: 0.9, StepLat: 0.9, Cols: 5, Rows: 3, HeightDM: make([]int32, 15)},
	})
	for range 2000 {
		at := space.XY{X: 180_000 * (rng.Float64() - 0.5), Y: 180_000 * (rng.Float64() - 0.5)}
		u, v, ok := c.index.relief.grid(at)
		p := c.Terrain.Origin
		p[0], p[1] = p[0]+u*c.Terrain.StepLon, p[1]+v*c.Terrain.StepLat
		if off := c.Frame.XY(p).Dist(at); !ok || off > 0.012 {
			t.Fatalf("seed %d: %v is taken %g m aside, %v", seed, at, off, ok)
		}
	}
	if _, _, ok := c.index.relief.grid(space.XY{X: 150_000}); ok {
		t.Error("a place beyond the extent is looked up")
	}
	if _, _, ok := c.index.relief.grid(space.XY{X: math.NaN()}); ok {
		t.Error("no number is looked up")
	}
}

func TestFlatGround(t *testing.T) {
	d := village()
	d.Terrain = nil
	c := mustNew(t, d)
	low, high := c.GroundRange(space.BoxOf(space.XY{X: -10, Y: -10}, space.XY{X: 10, Y: 10}))
	if low != 3 || high != 3 || c.GroundAltitudeXY(space.XY{}) != 3 || c.RoofM(0) != 24.5 || c.Ground.Nodes[0].AltitudeM != 3 {
		t.Errorf("ground from %g to %g m, roof at %g m", low, high, c.RoofM(0))
	}
}

// tile is an SRTM3 tile with one height everywhere, but for those set.
func tile(metres int16, set map[[2]int]int16) []byte {
	data := make([]byte, 2*1201*1201)
	for i := 0; i < len(data); i += 2 {
		binary.BigEndian.PutUint16(data[i:], uint16(metres))
	}
	for at, h := range set {
		// Column from the west, row from the north.
		binary.BigEndian.PutUint16(data[2*(at[1]*1201+at[0]):], uint16(h))
	}
	return data
}

func zipped(t testing.TB, files map[string][]byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, data := range files {
		f, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func bound(west, south, east, north float64) orb.Bound {
	return orb.Bound{Min: orb.Point{west, south}, Max: orb.Point{east, north}}
}

func TestTilesOfSRTM(t *testing.T) {
	// A hole of 3 by 3 in the south-east of the first tile, and a pit that no
	// land has.
	west := tile(100, map[[2]int]int16{{1190, 1190}: 640, {0, 1200}: 9999})
	for x := 1180; x < 1183; x++ {
		for y := 1180; y < 1183; y++ {
			binary.BigEndian.PutUint16(west[2*(y*1201+x):], 0x8000)
		}
	}
	east := zipped(t, map[string][]byte{"dir/S01E011.hgt": tile(200, nil), "readme.txt": []byte("hello")})
	files := func() []TerrainFile {
		return []TerrainFile{
			{"some/where/S01E010.hgt", bytes.NewReader(west)},
			{"any.hgt.zip", bytes.NewReader(east)},
			{"N50W001.hgt", bytes.NewReader(tile(5, nil))},
		}
	}
	terrain, report, err := ImportTerrain(files(), bound(10.98, -0.995, 11.01, -0.98))
	if err != nil {
		t.Fatal(err)
	}
	if report.Files != 2 || report.Voids != 9 || terrain.Voids != 9 || report.Samples != terrain.Cols*terrain.Rows || terrain.Source != "S01E010, S01E011" {
		t.Errorf("%+v, source %q", report, terrain.Source)
	}
	// 0.03 by 0.015 degrees, with one sample more on each side.
	if terrain.Cols < 37 || terrain.Cols > 41 || terrain.Rows < 19 || terrain.Rows > 23 {
		t.Errorf("%d by %d samples", terrain.Cols, terrain.Rows)
	}
	for _, c := range []struct {
		at   orb.Point
		want float64
	}{
		{orb.Point{10 + 1190./1200, -1190. / 1200}, 640},
		{orb.Point{10 + 1181./1200, -1181. / 1200}, 100},
		{orb.Point{11, -0.99}, 100},
		{orb.Point{11 + 0.5/1200, -0.99}, 150},
		{orb.Point{11.005, -0.99}, 200},
	} {
		if got := terrain.Altitude(c.at); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%v is at %g m, want %g", c.at, got, c.want)
		}
	}
	if len(report.Warnings) != 2 || !strings.Contains(report.Warnings[0].Text, "does not touch") || report.Warnings[0].First != "N50W001.hgt" || report.Warnings[1].Count != 9 {
		t.Errorf("warnings %+v", report.Warnings)
	}
	// The other way round it is the same.
	back := files()
	slices.Reverse(back)
	again, _, err := ImportTerrain(back, bound(10.98, -0.995, 11.01, -0.98))
	if err != nil || !slices.Equal(again.HeightDM, terrain.HeightDM) || again.Source != terrain.Source {
		t.Errorf("in another order: %v", err)
	}
	// Beyond the files the ground goes on level, and is told.
	_, report, err = ImportTerrain(files()[1:2], bound(11.9, -0.5, 12.2, -0.4))
	if err != nil || len(report.Warnings) != 1 || !strings.Contains(report.Warnings[0].Text, "does not cover") {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestTerrainRefuses(t *testing.T) {
	good := tile(1, nil)
	area := bound(7.2, 43.2, 7.3, 43.3)
	for name, c := range map[string]struct {
		files []TerrainFile
		want  string
	}{
		"no name":      {[]TerrainFile{{"monaco.hgt", bytes.NewReader(good)}}, `its name "monaco.hgt" does not say where it belongs`},
		"bad name":     {[]TerrainFile{{"N95E007.hgt", bytes.NewReader(good)}}, "not a place on earth"},
		"short":        {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(good[2:])}}, "it has 2884800 bytes"},
		"wrong ending": {[]TerrainFile{{"N43E007.asc", bytes.NewReader(good)}}, "only .hgt"},
		"twice":        {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(good)}, {"n43e007.hgt", bytes.NewReader(good)}}, "given twice"},
		"elsewhere":    {[]TerrainFile{{"S43E007.hgt", bytes.NewReader(good)}}, "none of the files touches the chart"},
		"only voids":   {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(tile(-32768, nil))}}, "no height within the chart"},
		"no zip":       {[]TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(good)}}, "no intact ZIP"},
		"empty zip":    {[]TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(zipped(t, nil))}}, "holds no .hgt file"},
		"two in a zip": {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": good, "N43E008.hgt": good}))}}, "several tiles"},
		"too long":     {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": make([]byte, 30_000_000)}))}}, "it has 25934403 bytes"},
		"half a zip":   {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": good})[:1500])}}, "no intact ZIP"},
		"mixed": {[]TerrainFile{
			{"N43E007.hgt", bytes.NewReader(good)},
			{"x.tif", bytes.NewReader(geoTIFF(tiffFile{west: 7.1, north: 43.4, step: 0.01, cols: 40, rows: 40, bits: 16}))},
		}, "lattice"},
	} {
		_, _, err := ImportTerrain(c.files, area)
		if !errors.Is(err, ErrTerrain) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

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
		"no step":     {with(func(m map[uint16][]uint64) { m[tagPixelScale] = []uint64{0, 0, 0} }), "not a place on earth"},
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

func BenchmarkGroundAltitude(b *testing.B) {
	c := hills(b, rand.New(rand.NewPCG(1, 0)))
	p := orb.Point{7.42, 43.72}
	b.Run("degrees", func(b *testing.B) {
		for b.Loop() {
			c.GroundAltitude(p)
		}
	})
	at := c.Frame.XY(p)
	b.Run("metres", func(b *testing.B) {
		for b.Loop() {
			c.GroundAltitudeXY(at)
		}
	})
	box := space.BoxOf(at).Grow(100)
	b.Run("range of 200 m", func(b *testing.B) {
		for b.Loop() {
			c.GroundRange(box)
		}
	})
}

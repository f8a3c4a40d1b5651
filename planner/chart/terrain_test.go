package chart

import (
	"archive/zip"
	"bytes"
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
	// A hole of 3 by 3 in the south-east of the first tile, a hill, a spike, and a
	// height that no land has.
	west := tile(100, map[[2]int]int16{{1190, 1190}: 240, {1186, 1186}: 1640, {0, 1200}: 9999})
	for x := 1180; x < 1183; x++ {
		for y := 1180; y < 1183; y++ {
			binary.BigEndian.PutUint16(west[2*(y*1201+x):], 0x8000)
		}
	}
	east := zipped(t, map[string][]byte{"dir/S01E011.hgt": tile(200, nil), "readme.txt": []byte("hello"), "__MACOSX/._S01E011.hgt": []byte("note")})
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
	if len(report.Repairs) != 1 || report.Faults != 1 || report.Repairs[0].WasM != 1640 || report.Repairs[0].BecameM != 100 || report.UncertaintyM != SRTMUncertaintyM {
		t.Errorf("%+v", report)
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
		{orb.Point{10 + 1190./1200, -1190. / 1200}, 240},
		{orb.Point{10 + 1186./1200, -1186. / 1200}, 100},
		{orb.Point{10 + 1181./1200, -1181. / 1200}, 100},
		{orb.Point{11, -0.99}, 100},
		{orb.Point{11 + 0.5/1200, -0.99}, 150},
		{orb.Point{11.005, -0.99}, 200},
	} {
		if got := terrain.Altitude(c.at); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("%v is at %g m, want %g", c.at, got, c.want)
		}
	}
	if len(report.Warnings) != 3 || !strings.Contains(report.Warnings[0].Text, "does not touch") || report.Warnings[0].First != "N50W001.hgt" || report.Warnings[1].Count != 9 {
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
	locked := zipped(t, map[string][]byte{"N43E007.hgt": good})
	locked[bytes.LastIndex(locked, []byte("PK\x01\x02"))+8] |= zipEncrypted
	for name, c := range map[string]struct {
		files []TerrainFile
		want  string
	}{
		"no name":               {[]TerrainFile{{"monaco.hgt", bytes.NewReader(good)}}, `its name "monaco.hgt" does not say where it belongs`},
		"bad name":              {[]TerrainFile{{"N95E007.hgt", bytes.NewReader(good)}}, "not a place on earth"},
		"short":                 {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(good[2:])}}, "it has 2884800 bytes"},
		"wrong ending":          {[]TerrainFile{{"N43E007.asc", bytes.NewReader(good)}}, "only .hgt"},
		"twice":                 {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(good)}, {"n43e007.hgt", bytes.NewReader(good)}}, "given twice"},
		"elsewhere":             {[]TerrainFile{{"S43E007.hgt", bytes.NewReader(good)}}, "none of the files touches the chart"},
		"only voids":            {[]TerrainFile{{"N43E007.hgt", bytes.NewReader(tile(-32768, nil))}}, "no height within the chart"},
		"no zip":                {[]TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(good)}}, "no intact ZIP"},
		"empty zip":             {[]TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(zipped(t, nil))}}, "holds no .hgt file"},
		"two in a zip":          {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": good, "N43E008.hgt": good}))}}, "several tiles"},
		"too long":              {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": make([]byte, 30_000_000)}))}}, "it has 25934403 bytes"},
		"half a zip":            {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(zipped(t, map[string][]byte{"N43E007.hgt": good})[:1500])}}, "no intact ZIP"},
		"a zip with a password": {[]TerrainFile{{"a.hgt.zip", bytes.NewReader(locked)}}, "is encrypted; unpack it first"},
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

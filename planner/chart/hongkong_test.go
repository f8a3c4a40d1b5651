package chart

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// testData is the folder of test data; a test without it is skipped.
func testData(t testing.TB) string {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	if _, err := os.Stat(root); err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	return root
}

// terrainFiles opens files of heights by a pattern.
func terrainFiles(t testing.TB, patterns ...string) []TerrainFile {
	t.Helper()
	var files []TerrainFile
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(testData(t), "terrain", pattern))
		if err != nil || len(names) == 0 {
			t.Skipf("no test data is %s: %v", pattern, err)
		}
		for _, name := range names {
			file, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			files = append(files, TerrainFile{name, file})
		}
	}
	return files
}

// hongKong is all that the tiles cover, and hongKongLand what the grids do too,
// whose land ends at the border.
var (
	hongKong     = orb.Bound{Min: orb.Point{113.730, 22.106}, Max: orb.Point{114.520, 22.593}}
	hongKongLand = orb.Bound{Min: orb.Point{113.83, 22.15}, Max: orb.Point{114.43, 22.54}}
)

func mustImport(t testing.TB, area orb.Bound, patterns ...string) (*Terrain, TerrainReport) {
	t.Helper()
	terrain, report, err := ImportTerrain(terrainFiles(t, patterns...), area)
	if err != nil {
		t.Fatal(err)
	}
	return terrain, report
}

// TestTilesOfHongKong: 54 tiles, nine of them with a palette, are joined; each of
// the nine spikes and of the deep pits is found, listed and mended, and the tops
// of the real hills stay as high as the tiles have them.
func TestTilesOfHongKong(t *testing.T) {
	terrain, report := mustImport(t, hongKong, "hk-terrarium-z12/*.png")
	t.Logf("%d samples in %d by %d; %d voids, %d faults", report.Samples, terrain.Cols, terrain.Rows, report.Voids, report.Faults)
	if report.Files != 54 || report.Voids != 0 || report.UncertaintyM != SRTMUncertaintyM {
		t.Errorf("%+v", report.Warnings)
	}
	spikes, pits := 0, 0
	for _, r := range report.Repairs {
		switch {
		case r.WasM > 1000:
			spikes++
		case r.WasM < -60:
			pits++
		}
		if r.BecameM > 957 || r.BecameM < -30 {
			t.Errorf("%s", r)
		}
	}
	if report.Faults != len(report.Repairs) || spikes != 9 || pits != 186 || report.Faults > 800 {
		t.Errorf("%d faults, %d listed, among them %d spikes above 1000 m and %d pits below -60 m", report.Faults, len(report.Repairs), spikes, pits)
	}
	if low, high := terrain.Range(hongKong); low < -30.1 || high > 965 {
		t.Errorf("the ground is from %g to %g m", low, high)
	}
	for _, top := range []struct {
		name string
		at   orb.Point
		// tileM is the highest pixel about the top as the tiles have it.
		realM, tileM float64
	}{
		{"Tai Mo Shan", orb.Point{114.1247, 22.4104}, 957, 956},
		{"Victoria Peak", orb.Point{114.1455, 22.2759}, 552, 546},
		{"Lion Rock", orb.Point{114.1870, 22.3523}, 495, 468},
		{"Lantau Peak", orb.Point{113.9206, 22.2489}, 934, 896},
	} {
		_, high := terrain.Range(top.at.Bound().Pad(0.003))
		t.Logf("%s: %.1f m, really %g m", top.name, high, top.realM)
		if math.Abs(high-top.tileM) > 3 {
			t.Errorf("%s is %.1f m high, in the tiles %g m, really %g m", top.name, high, top.tileM, top.realM)
		}
	}
}

// TestGridsOfHongKong: the grids in metres of the Hong Kong 1980 Grid fall onto
// the hills, to the north of which row 0 lies, and SRTM differs from lidar as is
// stated.
func TestGridsOfHongKong(t *testing.T) {
	lidar, report := mustImport(t, hongKongLand, "hk-grid-extent.json", "hk-dtm-70m.json")
	srtm, rough := mustImport(t, hongKongLand, "hk-srtm-70m.json", "hk-grid-extent.json")
	if report.Files != 1 || report.Faults != 0 || report.Voids != 0 || report.UncertaintyM != 0 || rough.UncertaintyM != SRTMUncertaintyM || rough.Faults != 0 {
		t.Errorf("%+v %+v", report, rough)
	}
	top, highest := orb.Point{}, math.Inf(-1)
	for i, h := range lidar.HeightDM {
		if m := float64(h) / 10; m > highest {
			highest = m
			top = orb.Point{lidar.Origin[0] + float64(i%lidar.Cols)*lidar.StepLon, lidar.Origin[1] + float64(i/lidar.Cols)*lidar.StepLat}
		}
	}
	summit := space.EPSG2326.ToWGS84(orb.Point{830902, 830117})
	off := space.Distance(space.Position{Lon: top[0], Lat: top[1]}, space.Position{Lon: summit[0], Lat: summit[1]})
	if off > 50 || math.Abs(highest-952) > 6 {
		t.Errorf("the highest ground is %g m at %v, %g m from Tai Mo Shan", highest, top, off)
	}
	differences := compare(lidar, srtm)
	low, median, high := differences.at(0.05), differences.at(0.5), differences.at(0.95)
	t.Logf("SRTM less lidar on land: %.1f, %.1f, %.1f m at 5, 50 and 95 %%", low, median, high)
	if math.Abs(median+2) > 1.5 || math.Abs(low+SRTMUncertaintyM) > 2.5 || math.Abs(high-12) > 2.5 {
		t.Errorf("SRTM less lidar on land: %.1f, %.1f, %.1f m", low, median, high)
	}
	tiles, _ := mustImport(t, hongKongLand, "hk-terrarium-z12/*.png")
	differences = compare(lidar, tiles)
	t.Logf("tiles less lidar on land: %.1f, %.1f, %.1f m; from %.0f to %.0f m", differences.at(0.05), differences.at(0.5), differences.at(0.95), differences.at(0), differences.at(1))
	// The worst are cliffs that a grid of 70 m rounds off, and the towers of the
	// city, which radar took for ground.
	if math.Abs(differences.at(0.05)) > SRTMUncertaintyM || differences.at(0) < -110 || differences.at(1) > 130 {
		t.Errorf("tiles less lidar on land: from %.0f to %.0f m", differences.at(0), differences.at(1))
	}
}

// sorted are figures in order.
type sorted []float64

func (s sorted) at(share float64) float64 { return s[int(share*float64(len(s)-1))] }

// compare returns by how much one terrain is above another where that is land.
func compare(from, to *Terrain) sorted {
	var list sorted
	for lat := hongKongLand.Min[1]; lat < hongKongLand.Max[1]; lat += 0.0006 {
		for lon := hongKongLand.Min[0]; lon < hongKongLand.Max[0]; lon += 0.0006 {
			p := orb.Point{lon, lat}
			if h := from.Altitude(p); h > 0 {
				list = append(list, to.Altitude(p)-h)
			}
		}
	}
	slices.Sort(list)
	return list
}

// TestFaultsAreToldFromGround: what is mended and what stays, on made-up ground
// of 30 m a sample.
func TestFaultsAreToldFromGround(t *testing.T) {
	const side = 60
	at := func(col, row int) int { return row*side + col }
	for name, c := range map[string]struct {
		height func(col, row int) float64
		faults []int
	}{
		"flat":               {func(int, int) float64 { return 4 }, nil},
		"a slope of 58°":     {func(col, _ int) float64 { return 48 * float64(col) }, nil},
		"a cliff of 300 m":   {func(col, row int) float64 { return 300 * math.Floor(float64(col+row)/side) }, nil},
		"a cone of 50°":      {func(col, row int) float64 { return 900 - 36*math.Hypot(float64(col-30), float64(row-30)) }, nil},
		"a sharp ridge":      {func(col, row int) float64 { return 1500 - 50*math.Abs(float64(col-30)) + float64(row) }, nil},
		"below the sea":      {func(col, _ int) float64 { return -400 - float64(col) }, nil},
		"a mine on the hill": {func(col, row int) float64 { return max(300, 20*math.Hypot(float64(col-30), float64(row-30))) - 280 }, nil},
		"a spike": {func(col, row int) float64 {
			if col == 7 && row == 9 {
				return 6431
			}
			return 2
		}, []int{at(7, 9)}},
		"a spike in a corner": {func(col, row int) float64 {
			if col == 0 && row == 0 {
				return 200
			}
			return 2
		}, []int{at(0, 0)}},
		"a slab": {func(col, row int) float64 {
			if col >= 20 && col < 23 && row >= 20 && row < 23 {
				return 500
			}
			return 5
		}, []int{at(20, 20), at(21, 20), at(22, 20), at(20, 21), at(21, 21), at(22, 21), at(20, 22), at(21, 22), at(22, 22)}},
		"a smooth pit by the sea": {func(col, row int) float64 {
			return -20 * max(0, 2.6-math.Hypot(float64(col-30), float64(row-30)))
		}, []int{at(30, 29), at(29, 30), at(30, 30), at(31, 30), at(30, 31)}},
	} {
		r := raster{origin: orb.Point{0, 0}, stepLon: 30 / metresPerDegree, stepLat: 30 / metresPerDegree, cols: side, rows: side}
		for i := range side * side {
			r.heights = append(r.heights, rawDecimetres(c.height(i%side, i/side)))
		}
		if got := r.faults(); !slices.Equal(got, c.faults) {
			t.Errorf("%s: faults %v, want %v", name, got, c.faults)
		}
	}
}

// TestPlanes: terrain that comes in another plane lies where it did.
func TestPlanes(t *testing.T) {
	for _, p := range []plane{{crs: webMercator, zoom: 12}, {crs: space.EPSG2326}, {crs: 32650}, {}} {
		at := orb.Point{114.1247, 22.4104}
		back := p.to(p.from(at))
		if math.Hypot(back[0]-at[0], back[1]-at[1]) > 1e-8 {
			t.Errorf("%+v: %v comes back as %v", p, at, back)
		}
	}
	// By definition, the world is a square.
	got := plane{crs: webMercator, zoom: 12}.to(orb.Point{0, 0})
	if got[0] != -180 || math.Abs(got[1]-85.05112877980659) > 1e-9 {
		t.Errorf("the first tile begins at %v", got)
	}
}

func TestPicturesAndGridsRefused(t *testing.T) {
	intact, err := os.ReadFile(filepath.Join(testData(t), "terrain", "hk-terrarium-z12", "12-3342-1784.png"))
	if err != nil {
		t.Skip(err)
	}
	const extent = `{"texbb":{"E0":800032.5,"E1":800102.5,"N0":800087.5,"N1":800157.5}}`
	const grid = `{"w":2,"h":2,"cell":70,"elev":[1,2,3,null]}`
	for name, c := range map[string]struct {
		files [][2]string
		want  string
	}{
		"no tile":          {[][2]string{{"heights.png", string(intact)}}, "does not say which tile"},
		"beyond the world": {[][2]string{{"3/8/1.png", string(intact)}}, "no tile 3/8/1"},
		"cut off":          {[][2]string{{"12/3342/1784.png", string(intact[:200])}}, "no intact PNG"},
		"no PNG":           {[][2]string{{"12/3342/1784.png", "GIF89a .............."}}, "no PNG"},
		"only a grid":      {[][2]string{{"grid.json", grid}}, "does not say where it lies"},
		"only an extent":   {[][2]string{{"extent.json", extent}}, "none of the files"},
		"short":            {[][2]string{{"extent.json", extent}, {"grid.json", `{"w":2,"h":2,"cell":70,"elev":[1,2,3]}`}}, "3 heights for 2 by 2"},
		"other cells":      {[][2]string{{"extent.json", extent}, {"grid.json", `{"w":2,"h":2,"cell":30,"elev":[1,2,3,4]}`}}, "do not fill the extent"},
		"text":             {[][2]string{{"grid.json", `{"w":2,"h":2,"cell":70,"elev":["high"]}`}}, "no number"},
		"neither":          {[][2]string{{"grid.json", `{"type":"FeatureCollection"}`}}, "neither a grid"},
		"no system":        {[][2]string{{"extent.json", `{"texbb":{"E0":1,"E1":71,"N0":1,"N1":71}}`}}, "does not say its coordinate reference system"},
		"foreign system":   {[][2]string{{"extent.json", `{"crs":"EPSG:28992","texbb":{"E0":1,"E1":71,"N0":1,"N1":71}}`}}, "EPSG:28992"},
		"half":             {[][2]string{{"grid.json", grid[:20]}}, "EOF"},
	} {
		var files []TerrainFile
		for _, f := range c.files {
			files = append(files, TerrainFile{f[0], strings.NewReader(f[1])})
		}
		_, _, err := ImportTerrain(files, hongKong)
		if !errors.Is(err, ErrTerrain) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// noise is endless garbage that counts what is read of it.
type noise struct{ read int64 }

func (n *noise) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(int64(i)*2654435761 + n.read>>3)
	}
	n.read += int64(len(p))
	return len(p), nil
}

// TestGarbageIsRefusedEarly: of 100 MB of garbage no reader takes more than the
// beginning.
func TestGarbageIsRefusedEarly(t *testing.T) {
	for _, name := range []string{"N43E007.hgt.zip", "x.tif", "12/3342/1784.png", "grid.json"} {
		var garbage noise
		_, _, err := ImportTerrain([]TerrainFile{{name, io.LimitReader(&garbage, 100<<20)}}, hongKong)
		if !errors.Is(err, ErrTerrain) || garbage.read > 1<<20 {
			t.Errorf("%s: %v after %d bytes", name, err, garbage.read)
		}
	}
}

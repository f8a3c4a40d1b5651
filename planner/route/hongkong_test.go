package route_test

import (
	"cmp"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

// bareHongKong is a chart of Hong Kong's ground alone, from files of heights.
func bareHongKong(t testing.TB, patterns ...string) (*chart.Chart, chart.TerrainReport) {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	var files []chart.TerrainFile
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join(root, "terrain", pattern))
		if err != nil || len(names) == 0 {
			t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
		}
		for _, name := range names {
			file, err := os.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = file.Close() })
			files = append(files, chart.TerrainFile{Name: name, Reader: file})
		}
	}
	area := orb.Bound{Min: orb.Point{113.84, 22.16}, Max: orb.Point{114.42, 22.53}}
	terrain, report, err := chart.ImportTerrain(files, area)
	if err != nil {
		t.Fatal(err)
	}
	c, err := chart.New(chart.Draft{Name: "Hong Kong", Extent: area, Terrain: terrain, HeightLimitM: chart.DefaultHeightLimitM})
	if err != nil {
		t.Fatal(err)
	}
	return c, report
}

// altitudeAlong returns the altitude of a straight flight at a share of its way,
// columns left out.
func altitudeAlong(c *chart.Chart, path []space.Position, share float64) float64 {
	from, to := c.Frame.XY(path[0].Point()), c.Frame.XY(path[len(path)-1].Point())
	at := share * from.Dist(to)
	for i := 1; i < len(path); i++ {
		a, b := from.Dist(c.Frame.XY(path[i-1].Point())), from.Dist(c.Frame.XY(path[i].Point()))
		if at >= a && at <= b && b > a {
			return path[i-1].AltitudeM + (path[i].AltitudeM-path[i-1].AltitudeM)*(at-a)/(b-a)
		}
	}
	return math.NaN()
}

// TestNoSpikeLeadsARoute: over mended tiles, flights across the worst spikes and
// pits and others at random keep the altitudes that they have over the lidar
// terrain, but for the stated uncertainty; and they clear the lidar ground.
func TestNoSpikeLeadsARoute(t *testing.T) {
	tiles, report := bareHongKong(t, "hk-terrarium-z12/*.png")
	lidar, _ := bareHongKong(t, "hk-grid-extent.json", "hk-dtm-70m.json")
	// The same law over both, to compare the ground alone.
	lidar.Terrain.UncertaintyM = tiles.Terrain.UncertaintyM
	overTiles, overLidar := planner(t, tiles), planner(t, lidar)
	const seed = 3
	r := rand.New(rand.NewPCG(seed, seed))
	var pairs [][2]orb.Point
	slices.SortFunc(report.Repairs, func(a, b chart.Repair) int { return cmp.Compare(math.Abs(b.WasM), math.Abs(a.WasM)) })
	for _, fault := range report.Repairs[:60] {
		turn := orb.Point{0.015 * math.Cos(r.Float64()*6.3), 0.015 * math.Sin(r.Float64()*6.3)}
		pairs = append(pairs, [2]orb.Point{{fault.At[0] - turn[0], fault.At[1] - turn[1]}, {fault.At[0] + turn[0], fault.At[1] + turn[1]}})
	}
	for range 60 {
		from := orb.Point{113.87 + 0.5*r.Float64(), 22.19 + 0.3*r.Float64()}
		pairs = append(pairs, [2]orb.Point{from, {from[0] + 0.04*r.Float64() - 0.02, from[1] + 0.04*r.Float64() - 0.02}})
	}
	var differences, clearances []float64
	flights, refused := 0, 0
	for _, pair := range pairs {
		if !tiles.Extent.Contains(pair[0]) || !tiles.Extent.Contains(pair[1]) {
			continue
		}
		fly := func(c *chart.Chart, p *route.Planner) ([]space.Position, bool) {
			at := func(p orb.Point) space.Position {
				return space.Position{Lon: p[0], Lat: p[1], AltitudeM: c.GroundAltitude(p)}
			}
			got, err := p.Find(route.Query{From: at(pair[0]), To: at(pair[1]), Spec: spec(t, "kapok-quad"), Depart: noon()})
			return got.Path, err == nil
		}
		one, ok := fly(tiles, overTiles)
		two, well := fly(lidar, overLidar)
		if !ok || !well {
			refused++
			continue
		}
		flights++
		for share := 0.02; share < 0.98; share += 0.02 {
			z := altitudeAlong(tiles, one, share)
			differences = append(differences, math.Abs(z-altitudeAlong(lidar, two, share)))
			at := orb.Point{pair[0][0] + (pair[1][0]-pair[0][0])*share, pair[0][1] + (pair[1][1]-pair[0][1])*share}
			clearances = append(clearances, z-lidar.GroundAltitude(at))
		}
	}
	slices.Sort(differences)
	slices.Sort(clearances)
	n := len(differences)
	t.Logf("seed %d: %d flights, %d without a way; altitudes differ by %.1f m in the median, %.1f at 90 %%, %.1f at most; %.1f m above the lidar ground at least, %.1f at 5 %%",
		seed, flights, refused, differences[n/2], differences[n*9/10], differences[n-1], clearances[0], clearances[n/20])
	if flights < 100 {
		t.Errorf("seed %d: only %d flights, %d without a way", seed, flights, refused)
	}
	// The stated uncertainty is that of the 5th to the 95th percentile.
	if differences[n*9/10] > chart.SRTMUncertaintyM || differences[n-1] > 100 {
		t.Errorf("seed %d: altitudes differ by %.1f m at 90 %% and by %.1f m at most", seed, differences[n*9/10], differences[n-1])
	}
	if clearances[n/20] < route.MinCruiseM || clearances[0] < route.LowestCruiseM {
		t.Errorf("seed %d: flights are %.1f m above the lidar ground at least, %.1f m at 5 %%", seed, clearances[0], clearances[n/20])
	}
}

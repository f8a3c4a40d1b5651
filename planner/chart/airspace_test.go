package chart

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/space"
)

// flatGround has ground between two altitudes everywhere, and sea level so high
// above the ellipsoid.
type flatGround struct{ low, high, undulation float64 }

func (f flatGround) GroundRange(orb.Bound) (lowM, highM float64) { return f.low, f.high }

func (f flatGround) UndulationM(orb.Point) float64 { return f.undulation }

// airspaceFile opens a file of the test data.
func airspaceFile(t testing.TB, name string) *os.File {
	t.Helper()
	data := os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	file, err := os.Open(filepath.Join(data, "airspace", name))
	if err != nil {
		t.Skipf("the test data are not there (KAPOK_DATA names their folder): %v", err)
	}
	t.Cleanup(func() { _ = file.Close() })
	return file
}

const refused = "import airspace: unusable airspace file: "

// counts tells a report in one line.
func counts(r *AirspaceReport) string {
	var parts []string
	for rule, n := range r.Rules {
		parts = append(parts, fmt.Sprintf("%s %d", rule, n))
	}
	slices.Sort(parts)
	return fmt.Sprintf("%s, %d features: %s; widened %d, advised %d, notes %d, elsewhere %d", r.Format, r.Features,
		strings.Join(parts, ", "), len(r.Widened), len(r.Advised), len(r.Notes), r.Elsewhere)
}

// TestAirspaceFiles imports every file of the test data, or is told why not.
func TestAirspaceFiles(t *testing.T) {
	hills := flatGround{low: 400, high: 650, undulation: 49}
	for _, tt := range []struct {
		file string
		opts AirspaceOptions
		want string
	}{
		{"ed269-ch.json", AirspaceOptions{Heights: hills}, "ed269, 4 features: keep_out 5; widened 1, advised 0, notes 0, elsewhere 0"},
		{"ed269-ch.json", AirspaceOptions{Heights: hills, Authorised: true}, "ed269, 4 features: advise 5; widened 1, advised 5, notes 0, elsewhere 0"},
		{"ed269-ch.json", AirspaceOptions{}, "ed269, 4 features: keep_out 5; widened 1, advised 0, notes 0, elsewhere 0"},
		{"ed269-ch.json", AirspaceOptions{HeightLimitM: 150}, refused + "features[2].geometry[0]: its upper limit is 120 m above ground, and without terrain that is at no known altitude"},
		{"ed269-lu.json", AirspaceOptions{Heights: hills}, "ed269, 2 features: keep_out 2; widened 1, advised 0, notes 1, elsewhere 0"},
		{"ed269-lu.json", AirspaceOptions{}, "ed269, 2 features: keep_out 2; widened 1, advised 0, notes 0, elsewhere 0"},
		{"ed269-che-1.json", AirspaceOptions{Heights: hills}, "ed269, 6 features: advise 1, keep_out 9; widened 13, advised 0, notes 0, elsewhere 0"},
		{"ed269-che-1.json", AirspaceOptions{}, refused + "features[1].geometry[1]: its lower limit is 50 m above ground, and without terrain that is at no known altitude"},
		{"ed318-che-sample.json", AirspaceOptions{Heights: hills}, "ed318, 3 features: keep_out 3; widened 1, advised 0, notes 0, elsewhere 0"},
		{"ed318-che-sample.json", AirspaceOptions{}, refused + "features[0].geometry.coordinates: its lower limit is 60 m above ground, and without terrain that is at no known altitude"},
		{"ed318-example-circle.json", AirspaceOptions{Heights: hills}, "ed318, 1 features: keep_out 1; widened 2, advised 0, notes 0, elsewhere 0"},
		{"ed318-example-2-layers.json", AirspaceOptions{Heights: hills}, "ed318, 1 features: keep_out 2; widened 3, advised 0, notes 0, elsewhere 0"},
		{"ed318-example-collection.json", AirspaceOptions{Heights: hills}, "ed318, 2 features: keep_out 3; widened 5, advised 0, notes 0, elsewhere 0"},
		{"ed318-invalid-2-layers.json", AirspaceOptions{Heights: hills}, refused + "metadata.validFrom: it is an object, not text"},
		{"faa-uasfm.json", AirspaceOptions{}, "uasfm, 2 features: altitude_limit 1, keep_out 1; widened 0, advised 0, notes 0, elsewhere 0"},
		{"faa-uasfm.json", AirspaceOptions{Within: orb.Bound{Min: orb.Point{-73.89, 40.7}, Max: orb.Point{-73.8, 40.8}}}, "uasfm, 2 features: keep_out 1; widened 0, advised 0, notes 0, elsewhere 1"},
		{"runways-world.csv", AirspaceOptions{}, refused + "line 1: it is a table of runways, of which ImportRunways (kapok chart build --runways) makes zones"},
	} {
		zones, report, err := ImportAirspace(airspaceFile(t, tt.file), tt.opts)
		got := counts(&report)
		if err != nil {
			got = err.Error()
			if !errors.Is(err, ErrAirspace) {
				t.Errorf("%s: the error is of no kind: %v", tt.file, err)
			}
		} else if _, err := New(Draft{Zones: slices.Clone(zones), Extent: orb.Bound{Min: orb.Point{8, 47}, Max: orb.Point{8.1, 47.1}}}); err != nil {
			t.Errorf("%s: %v", tt.file, err)
		}
		if got != tt.want {
			t.Errorf("%s %+v:\n got %s\nwant %s", tt.file, tt.opts, got, tt.want)
		}
	}
}

func TestRunways(t *testing.T) {
	for _, tt := range []struct {
		airports []string
		shape    RunwayShape
		want     string
	}{
		{[]string{"ZGSZ"}, "", "runways, 3 features: keep_out 18; widened 0, advised 0, notes 0, elsewhere 0"},
		{[]string{"ZGSZ"}, China, "runways, 3 features: keep_out 3; widened 0, advised 0, notes 0, elsewhere 0"},
		{[]string{"ZGSZ", "ZGGG", "ZGSD", "VHHH", "VMMC"}, Annex14, "runways, 13 features: keep_out 78; widened 0, advised 0, notes 1, elsewhere 0"},
		{[]string{"ZGXX"}, "", `import runways: unusable airspace file: it has no runway of airport "ZGXX" that is open and says where it is`},
		{nil, "", "import runways: unusable airspace file: no airport is named"},
	} {
		zones, report, err := ImportRunways(airspaceFile(t, "runways-world.csv"), RunwayOptions{Airports: tt.airports, Shape: tt.shape})
		got := counts(&report)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%v %s:\n got %s\nwant %s", tt.airports, tt.shape, got, tt.want)
		}
		for _, z := range zones {
			// A place on the middle of the first runway of Shenzhen, and one 5 km
			// beyond its northern end, where the second section begins at 60 m.
			if z.ID == "runway/ZGSZ/15-33/nearest" && !planar.PolygonContains(z.Polygon, orb.Point{113.8105, 22.6393}) {
				t.Error("the runway does not lie in its strip")
			}
			if z.ID == "runway/ZGSZ/15-33/approach-le-2" && (math.Abs(z.FloorM-63.96) > 0.01 || !planar.PolygonContains(z.Polygon, orb.Point{113.7804, 22.6936})) {
				t.Errorf("the approach from %g m: %v", z.FloorM, z.Polygon)
			}
		}
	}
}

// TestCircles: a polygon about a circle holds all of it and is at most ChordErrorM
// larger, by distances along the ellipsoid; one within it the other way round.
func TestCircles(t *testing.T) {
	for _, middle := range []orb.Point{{6.9, 46.4}, {113.8, 22.6}, {-73.9, 40.7}, {20, 69}, {0, 0}} {
		for _, radius := range []float64{5, 100, 3500, 30_000, 100_000, MaxCircleM} {
			for _, within := range []bool{false, true} {
				polygon, err := circlePolygon(middle, radius, within)
				if err != nil {
					t.Fatal(err)
				}
				if err := snapPolygon(polygon); err != nil {
					t.Fatal(err)
				}
				least, most := math.Inf(1), 0.0
				at := space.Position{Lon: middle[0], Lat: middle[1]}
				ring := polygon[0]
				for i := 1; i < len(ring); i++ {
					// The ring's edges are straight in degrees by less than is
					// asked for here, as they are short.
					for _, f := range [...]float64{0, 0.25, 0.5, 0.75} {
						p := orb.Point{ring[i-1][0] + (ring[i][0]-ring[i-1][0])*f, ring[i-1][1] + (ring[i][1]-ring[i-1][1])*f}
						d := space.Distance(at, space.Position{Lon: p[0], Lat: p[1]})
						least, most = min(least, d), max(most, d)
					}
				}
				low, high := radius, radius+ChordErrorM
				if within {
					low, high = radius-ChordErrorM, radius
				}
				if least < low || most > high {
					t.Errorf("%v, %g m, within %t: %.3f to %.3f m with %d corners", middle, radius, within, least, most, len(ring)-1)
				}
			}
		}
	}
	for _, radius := range []float64{0, -1, math.NaN(), MaxCircleM + 1} {
		if _, err := circlePolygon(orb.Point{10, 50}, radius, false); err == nil {
			t.Errorf("a radius of %g m is taken", radius)
		}
	}
}

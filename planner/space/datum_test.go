package space

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/paulmach/orb"
)

func TestParseDatum(t *testing.T) {
	for name, want := range map[string]Datum{"wgs84": WGS84, "WGS-84": WGS84, "GCJ-02": GCJ02, "bd09": BD09} {
		if got, err := ParseDatum(name); got != want || err != nil {
			t.Errorf("%q is %q, %v", name, got, err)
		}
	}
	if _, err := ParseDatum("EPSG:2326"); !errors.Is(err, ErrDatum) {
		t.Errorf("EPSG:2326 gives %v", err)
	}
}

func metresApart(a, b orb.Point) float64 {
	return Distance(Position{Lon: a[0], Lat: a[1]}, Position{Lon: b[0], Lat: b[1]})
}

func TestDatumRoundTrip(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	for _, d := range []Datum{GCJ02, BD09} {
		for range 2000 {
			p := orb.Point{73 + 64*rng.Float64(), 1.5 + 54*rng.Float64()}
			there := d.FromWGS84(p)
			if back := d.ToWGS84(there); metresApart(back, p) > 0.001 {
				t.Fatalf("seed %d: %s: %v comes back %g m off", seed, d, p, metresApart(back, p))
			}
			if off := metresApart(there, p); off < 1 || off > 3000 {
				t.Fatalf("seed %d: %s moves %v by %g m", seed, d, p, off)
			}
		}
	}
	for _, p := range []orb.Point{{7.42, 43.73}, {-46.6, -23.5}, {139.7, 35.7}, {math.NaN(), 22}} {
		for _, d := range []Datum{WGS84, GCJ02, BD09} {
			if q := d.ToWGS84(p); q != p && p[0] == p[0] {
				t.Errorf("%s moves %v, which is not in China, to %v", d, p, q)
			}
		}
	}
}

// TestDatumByPublishedPoints uses pairs that converters in wide use give, from
// Shanghai, Shenzhen and Beijing.
func TestDatumByPublishedPoints(t *testing.T) {
	for _, pair := range [][2]orb.Point{
		{{121.5272106, 31.1774276}, {121.531541859215, 31.17530398364597}},
		{{113.912316, 22.543847}, {113.9171764808363, 22.540796131694766}},
		{{116.377817, 39.911954}, {116.38404722455657, 39.91334545536069}},
	} {
		gcj := GCJ02.FromWGS84(pair[0])
		if off := metresApart(gcj, pair[1]); off > 0.001 {
			t.Errorf("%v goes to %v, %g m from the published %v", pair[0], gcj, off, pair[1])
		}
		if off := metresApart(gcj, BD09.FromWGS84(pair[0])); off < 700 || off > 1100 {
			t.Errorf("BD-09 is %g m from GCJ-02 at %v", off, pair[0])
		}
	}
}

// borderPoints reads all places of a GeoJSON file, district by district.
func borderPoints(t *testing.T, name string) []orb.Point {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	data, err := os.ReadFile(filepath.Join(root, "borders", name))
	if err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	var file struct {
		Features []struct {
			Geometry struct {
				Coordinates any `json:"coordinates"`
			} `json:"geometry"`
		} `json:"features"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var points []orb.Point
	var walk func(any)
	walk = func(v any) {
		list, _ := v.([]any)
		if len(list) >= 2 {
			lon, isLon := list[0].(float64)
			lat, isLat := list[1].(float64)
			if isLon && isLat {
				points = append(points, orb.Point{lon, lat})
				return
			}
		}
		for _, one := range list {
			walk(one)
		}
	}
	for _, f := range file.Features {
		walk(f.Geometry.Coordinates)
	}
	return points
}

// TestDatumOnTheBordersOfShenzhen: two files with the same districts, one in
// each datum. Converted, the borders fall together; taken as they are, they lie
// hundreds of metres apart.
func TestDatumOnTheBordersOfShenzhen(t *testing.T) {
	wgs, gcj := borderPoints(t, "shenzhen-districts.wgs84.geojson"), borderPoints(t, "shenzhen-districts.gcj02.geojson")
	frame := NewFrame(orb.Point{114, 22.6})
	grid := NewGrid(100)
	for i, p := range wgs {
		grid.Insert(i, frame.XY(p))
	}
	median := func(convert func(orb.Point) orb.Point) float64 {
		var dists []float64
		for _, p := range gcj {
			_, d, ok := grid.Nearest(frame.XY(convert(p)), 20_000)
			if ok {
				dists = append(dists, d)
			}
		}
		slices.Sort(dists)
		return dists[len(dists)/2]
	}
	converted := median(GCJ02.ToWGS84)
	asItIs := median(WGS84.ToWGS84)
	t.Logf("%d and %d points; median distance %.0f m converted, %.0f m as they stand", len(wgs), len(gcj), converted, asItIs)
	if converted > 60 || asItIs < 5*converted {
		t.Errorf("the borders are %.0f m apart converted, %.0f m as they stand", converted, asItIs)
	}
}

// TestDatumRoundTripOnTheBorders: each place of the borders comes back, from WGS-84 and
// from the shifted datums, and so does a lattice over all China from the Pamirs to the
// Ussuri and from James Shoal to the Amur.
func TestDatumRoundTripOnTheBorders(t *testing.T) {
	places := append(borderPoints(t, "shenzhen-districts.wgs84.geojson"), borderPoints(t, "shenzhen-districts.gcj02.geojson")...)
	for lon := 73.4; lon < 135.2; lon += 0.37 {
		for lat := 3.4; lat < 53.7; lat += 0.31 {
			places = append(places, orb.Point{lon, lat})
		}
	}
	for _, d := range []Datum{GCJ02, BD09} {
		most := 0.0
		for _, p := range places {
			most = max(most, metresApart(d.ToWGS84(d.FromWGS84(p)), p), metresApart(d.FromWGS84(d.ToWGS84(p)), p))
		}
		t.Logf("%s: %d places come back to %.2g m", d, len(places), most)
		if !(most < 0.01) {
			t.Errorf("%s: a place comes back %g m off", d, most)
		}
	}
}

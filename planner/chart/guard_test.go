package chart

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// borders reads all places of a GeoJSON file.
func borders(t *testing.T, name string) []orb.Point {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testData(t), "borders", name))
	if err != nil {
		t.Skip(err)
	}
	var file struct {
		Features []struct{ Geometry geometry }
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	var places []orb.Point
	for _, f := range file.Features {
		polygons, err := f.Geometry.polygons()
		if err != nil {
			t.Fatal(err)
		}
		for _, polygon := range polygons {
			for _, ring := range polygon {
				places = append(places, ring...)
			}
		}
	}
	return places
}

// TestGuardOnTheBordersOfShenzhen: the file in GCJ-02 is warned about when it is
// taken for WGS-84, the one in WGS-84 when it is taken for GCJ-02, and neither
// when it is taken for what it is.
func TestGuardOnTheBordersOfShenzhen(t *testing.T) {
	gcj, wgs := borders(t, "shenzhen-districts.gcj02.geojson"), borders(t, "shenzhen-districts.wgs84.geojson")
	var converted []orb.Point
	for _, p := range gcj {
		converted = append(converted, space.GCJ02.ToWGS84(p))
	}
	for _, c := range []struct {
		name       string
		places     []orb.Point
		taken      space.Datum
		references []orb.Point
		looks      space.Datum
	}{
		{"GCJ-02 as WGS-84", gcj, space.WGS84, wgs, space.GCJ02},
		{"GCJ-02 as it is", gcj, space.GCJ02, wgs, ""},
		{"GCJ-02 as BD-09", gcj, space.BD09, wgs, space.GCJ02},
		{"WGS-84 as it is", wgs, space.WGS84, converted, ""},
		{"WGS-84 as GCJ-02", wgs, space.GCJ02, converted, space.WGS84},
	} {
		w, found := GuardDatum(c.places, c.taken, c.references)
		if found != (c.looks != "") || w.Looks != c.looks {
			t.Errorf("%s: %v, %+v", c.name, found, w)
		}
		if found {
			t.Logf("%s: %s", c.name, w)
			if w.ShiftM < 300 || w.ShiftM > 2000 || w.FitM > 70 {
				t.Errorf("%s: %+v", c.name, w)
			}
		}
	}
}

// TestGuardKeepsQuiet: nothing is said of few places, of places outside of China,
// or where nothing fits.
func TestGuardKeepsQuiet(t *testing.T) {
	const seed = 9
	rng := rand.New(rand.NewPCG(seed, 0))
	scatter := func(lon, lat float64, n int) []orb.Point {
		var list []orb.Point
		for range n {
			list = append(list, orb.Point{lon + 0.2*rng.Float64(), lat + 0.2*rng.Float64()})
		}
		return list
	}
	shenzhen := scatter(113.9, 22.5, 500)
	for name, c := range map[string][2][]orb.Point{
		"few":       {shenzhen[:GuardLeast-1], shenzhen},
		"no truth":  {shenzhen, nil},
		"far":       {shenzhen, scatter(7.4, 43.7, 500)},
		"Monaco":    {scatter(7.4, 43.7, 500), scatter(7.4, 43.7, 500)},
		"unrelated": {shenzhen, scatter(113.9, 22.5, 500)},
		"the same":  {shenzhen, shenzhen},
		"no number": {append(scatter(113.9, 22.5, 30), orb.Point{math.NaN(), 1}), shenzhen},
	} {
		if w, found := GuardDatum(c[0], space.WGS84, c[1]); found {
			t.Errorf("seed %d: %s: %s", seed, name, w)
		}
	}
}

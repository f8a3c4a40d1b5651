package space

import (
	"errors"
	"math"
	"testing"

	"github.com/paulmach/orb"
)

func TestParseCRS(t *testing.T) {
	for name, want := range map[string]CRS{
		"EPSG:2056": EPSG2056, "epsg:4326": EPSG4326, "urn:ogc:def:crs:EPSG::2326": EPSG2326,
		"https://www.opengis.net/def/crs/EPSG/0/2056": EPSG2056,
		"urn:ogc:def:crs:OGC:1.3:CRS84":               EPSG4326, "EPSG:32650": 32650, "EPSG:32701": 32701,
	} {
		if got, err := ParseCRS(name); got != want || err != nil {
			t.Errorf("%q is %d, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "2056", "EPSG:28992", "EPSG:32600", "EPSG:32661", "EPSG:7415", "EPSG:", "urn:ogc:def:crs,crs:EPSG::2056,crs:EPSG::5728", "GCJ02"} {
		if got, err := ParseCRS(name); !errors.Is(err, ErrCRS) {
			t.Errorf("%q is %d, %v", name, got, err)
		}
	}
}

// TestCRSByPublishedPoints holds the conversions against points that their
// offices publish, and others that PROJ 9.1 gives.
func TestCRSByPublishedPoints(t *testing.T) {
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	for _, c := range []struct {
		name    string
		crs     CRS
		from    orb.Point
		want    orb.Point
		withinM float64
	}{
		// The Lands Department's rule of thumb: WGS-84 lies 5.5" south and 8.8" east
		// of the Hong Kong 1980 datum; and the grid's origin.
		{"origin of Hong Kong's grid", EPSG2326, orb.Point{836694.05, 819069.80}, orb.Point{dms(114, 10, 42.80+8.8), dms(22, 18, 43.68-5.5)}, 2},
		{"the same by PROJ", EPSG2326, orb.Point{836694.05, 819069.80}, orb.Point{114.181009327, 22.310602434}, 0.02},
		{"Tai Mo Shan by PROJ", EPSG2326, orb.Point{830902, 830117}, orb.Point{114.124758327, 22.410356377}, 0.02},
		{"north-west corner by PROJ", EPSG2326, orb.Point{800032.5, 847967.5}, orb.Point{113.824540005, 22.571175848}, 0.02},
		{"south-east corner by PROJ", EPSG2326, orb.Point{863662.5, 800087.5}, orb.Point{114.442423741, 22.138962892}, 0.02},
		// swisstopo's own worked example, and the old observatory of Bern.
		{"example of swisstopo", EPSG2056, orb.Point{2_700_000, 1_100_000}, orb.Point{dms(8, 43, 49.80), dms(46, 2, 38.86)}, 0.5},
		{"Bern by PROJ", EPSG2056, orb.Point{2_600_000, 1_200_000}, orb.Point{7.438632421, 46.951082772}, 1},
		{"Zurich by PROJ", EPSG2056, orb.Point{2_684_572.43, 1_246_323.059}, orb.Point{8.558192425, 47.362325942}, 1},
		// GeographicLib's example of GeoConvert, and a point in the south by PROJ.
		{"UTM 38 N", 32638, orb.Point{444140.54, 3684706.36}, orb.Point{44.4, 33.3}, 0.01},
		{"UTM 56 S", 32756, orb.Point{300000, 6200000}, orb.Point{150.826229238, -34.322005052}, 0.01},
		{"degrees", EPSG4326, orb.Point{7.4, 43.7}, orb.Point{7.4, 43.7}, 0},
	} {
		got := c.crs.ToWGS84(c.from)
		if off := metresApart(got, c.want); !(off <= c.withinM) {
			t.Errorf("%s: %v, %.3f m from %v", c.name, got, off, c.want)
		}
	}
}

func TestCRSOfNonsense(t *testing.T) {
	for _, crs := range []CRS{EPSG2326, EPSG2056, 32650, 0, 9999} {
		for _, p := range []orb.Point{{math.NaN(), 1}, {math.Inf(1), math.Inf(-1)}, {1e300, -1e300}, {1e9, 0}} {
			if got := crs.ToWGS84(p); ValidPoint(got) {
				t.Errorf("EPSG:%d takes %v for %v", crs, p, got)
			}
		}
	}
	if got := EPSG2326.ToWGS84(orb.Point{0, 0}); ValidPoint(got) {
		t.Errorf("Hong Kong's grid is taken far beyond Hong Kong: %v", got)
	}
}

func TestCRSRoundTrip(t *testing.T) {
	for _, c := range []struct {
		crs CRS
		at  orb.Point
	}{
		{EPSG2326, orb.Point{800032.5, 847967.5}},
		{EPSG2326, orb.Point{863662.5, 800087.5}},
		{EPSG2056, orb.Point{2_485_000, 1_075_000}},
		{EPSG2056, orb.Point{2_830_000, 1_290_000}},
		{32650, orb.Point{210_000, 2_500_000}},
		{32756, orb.Point{790_000, 6_200_000}},
		{EPSG4326, orb.Point{114, 22}},
	} {
		if back := c.crs.FromWGS84(c.crs.ToWGS84(c.at)); !(math.Hypot(back[0]-c.at[0], back[1]-c.at[1]) < 0.001) {
			t.Errorf("EPSG:%d: %v comes back as %v", c.crs, c.at, back)
		}
	}
	for _, p := range []orb.Point{{0, 0}, {math.NaN(), 0}, {-70, 40}} {
		if got := EPSG2326.FromWGS84(p); finite(got[0]) {
			t.Errorf("%v is at %v in Hong Kong's grid", p, got)
		}
	}
}

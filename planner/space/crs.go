package space

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/paulmach/orb"
)

// CRS is a coordinate reference system in which files come, by its number in
// the EPSG dataset. Kapok computes in WGS-84 alone; places of another system are
// converted once, when they are imported.
type CRS int

// The systems that are read, besides those of UTM on WGS-84: 32601 to 32660 in
// the north and 32701 to 32760 in the south.
const (
	// EPSG4326 is WGS-84 in degrees. Its files have longitude first, as in GeoJSON.
	EPSG4326 CRS = 4326
	// EPSG4979 is the same with heights above the ellipsoid.
	EPSG4979 CRS = 4979
	// EPSG2326 is the Hong Kong 1980 Grid, in metres.
	EPSG2326 CRS = 2326
	// EPSG2056 is the Swiss grid LV95, in metres; EPSG7415 and others that
	// combine a grid with heights are not read.
	EPSG2056 CRS = 2056
)

// ErrCRS is the kind of error for a coordinate reference system that is not
// read.
var ErrCRS = errors.New("unknown coordinate reference system")

// ParseCRS reads a system from one of its usual names: "EPSG:2056",
// "urn:ogc:def:crs:EPSG::2056", "https://www.opengis.net/def/crs/EPSG/0/2056",
// "CRS84" and what ends in it.
func ParseCRS(name string) (CRS, error) {
	upper := strings.ToUpper(strings.TrimSpace(name))
	if strings.HasSuffix(upper, "CRS84") {
		return EPSG4326, nil
	}
	if strings.Contains(upper, "EPSG") && !strings.Contains(upper, ",") && !strings.Contains(upper, "+") {
		digits := upper[strings.LastIndexAny(upper, ":/")+1:]
		if code, err := strconv.Atoi(digits); err == nil && CRS(code).known() {
			return CRS(code), nil
		}
	}
	return 0, fmt.Errorf("%w %q: read are EPSG:4326 and CRS84, UTM on WGS-84 (EPSG:32601 to 32660 and 32701 to 32760), EPSG:2056 (Switzerland) and EPSG:2326 (Hong Kong)",
		ErrCRS, name)
}

func (c CRS) known() bool {
	switch c {
	case EPSG4326, EPSG4979, EPSG2326, EPSG2056:
		return true
	}
	_, _, ok := c.utm()
	return ok
}

// utm returns the central meridian and the northing of the equator of a zone.
func (c CRS) utm() (meridian, equatorM float64, ok bool) {
	switch zone := int(c) % 100; {
	case zone < 1 || zone > 60:
		return 0, 0, false
	case c/100 == 326:
		return float64(6*zone - 183), 0, true
	case c/100 == 327:
		return float64(6*zone - 183), 10_000_000, true
	}
	return 0, 0, false
}

// ToWGS84 converts a place of the system, easting or longitude first, to
// degrees of WGS-84: Hong Kong's grid to a decimetre within Hong Kong, the Swiss
// one to a metre within Switzerland, the others exactly. A place far outside of
// the system's area of use, or in a system that ParseCRS does not read, gives a
// point that is not valid.
func (c CRS) ToWGS84(p orb.Point) orb.Point {
	if !(math.Abs(p[0]) < 1e8 && math.Abs(p[1]) < 1e8) {
		return orb.Point{math.NaN(), math.NaN()}
	}
	switch c {
	case EPSG4326, EPSG4979:
		return p
	case EPSG2326:
		return hongKong1980(p)
	case EPSG2056:
		return swiss(p)
	}
	if meridian, equator, ok := c.utm(); ok {
		const scale, eastM = 0.9996, 500_000
		return NewFrame(orb.Point{meridian, 0}).Point(XY{X: (p[0] - eastM) / scale, Y: (p[1] - equator) / scale})
	}
	return orb.Point{math.NaN(), math.NaN()}
}

// swiss converts LV95 to WGS-84 by the approximate formulas of swisstopo
// ("Approximate formulas for the transformation between Swiss projection
// coordinates and WGS84", Federal Office of Topography, 2016), good to a metre.
func swiss(p orb.Point) orb.Point {
	y, x := (p[0]-2_600_000)/1e6, (p[1]-1_200_000)/1e6
	// The series are of use in and about Switzerland alone.
	if math.Abs(y) > 0.4 || math.Abs(x) > 0.3 {
		return orb.Point{math.NaN(), math.NaN()}
	}
	lon := 2.6779094 + 4.728982*y + 0.791484*y*x + 0.1306*y*x*x - 0.0436*y*y*y
	lat := 16.9023892 + 3.238272*x - 0.270978*y*y - 0.002528*x*x - 0.0447*y*y*x - 0.0140*x*x*x
	// The formulas count in 10 000 seconds of arc.
	return orb.Point{lon * 100 / 36, lat * 100 / 36}
}

// The Hong Kong 1980 Grid as the Survey and Mapping Office of the Lands
// Department publishes it ("Explanatory Notes on Geodetic Datums in Hong Kong",
// 1995): transverse Mercator of scale 1 on the international
// ellipsoid of 1924 (Hayford), and the seven parameters from the Hong Kong 1980
// geodetic datum to WGS-84 (EPSG transformation 1825, rotations of the
// coordinate frame).
const (
	hayfordM          = 6378388.0
	hayfordFlattening = 1. / 297

	hk80Lat   = 22 + 18./60 + 43.68/3600
	hk80Lon   = 114 + 10./60 + 42.80/3600
	hk80EastM = 836694.05
	hk80NorM  = 819069.80

	hk80XM, hk80YM, hk80ZM = -162.619, -276.959, -161.764
	hk80RX, hk80RY, hk80RZ = -0.067753, 2.243648, 1.158828
	hk80PPM                = -1.094246
)

// hongKong1980 converts from the grid to WGS-84. Within the grid, the terms of
// the projection's series that are left out come to less than a millimetre.
func hongKong1980(p orb.Point) orb.Point {
	east, north := p[0]-hk80EastM, p[1]-hk80NorM
	if math.Abs(east) > 500_000 || math.Abs(north) > 500_000 {
		return orb.Point{math.NaN(), math.NaN()}
	}
	const e2 = hayfordFlattening * (2 - hayfordFlattening)
	lat := footpoint(radians(hk80Lat), north, e2)
	// Inverse series of the transverse Mercator: Snyder, "Map Projections, a
	// Working Manual" (1987), equations 8-17 and 8-18.
	sin, cos := math.Sincos(lat)
	tan := sin / cos
	t, c := tan*tan, e2/(1-e2)*cos*cos
	root := 1 - e2*sin*sin
	n := hayfordM / math.Sqrt(root)
	r := hayfordM * (1 - e2) / (root * math.Sqrt(root))
	d := east / n
	d2 := d * d
	lon := radians(hk80Lon) + d*(1-d2*((1+2*t+c)/6-d2*(5-2*c+28*t-3*c*c+8*e2/(1-e2)+24*t*t)/120))/cos
	lat -= n * tan / r * d2 * (1./2 - d2*((5+3*t+10*c-4*c*c-9*e2/(1-e2))/24-
		d2*(61+90*t+298*c+45*t*t-252*e2/(1-e2)-3*c*c)/720))
	return helmert(lat, lon, e2)
}

// footpoint is the latitude that lies some metres along the meridian north of
// another, on Hayford's ellipsoid.
func footpoint(lat, northM, e2 float64) float64 {
	// Simpson's rule on the meridian's radius of curvature; over 200 km it errs
	// by less than a micrometre.
	radius := func(lat float64) float64 {
		sin := math.Sin(lat)
		root := 1 - e2*sin*sin
		return hayfordM * (1 - e2) / (root * math.Sqrt(root))
	}
	to := lat + northM/radius(lat)
	for range 4 {
		length := (to - lat) / 6 * (radius(lat) + 4*radius((lat+to)/2) + radius(to))
		to += (northM - length) / radius(to)
	}
	return to
}

// helmert takes a place at sea level from the Hong Kong 1980 datum to WGS-84.
func helmert(lat, lon, e2 float64) orb.Point {
	sin, cos := math.Sincos(lat)
	sinLon, cosLon := math.Sincos(lon)
	n := hayfordM / math.Sqrt(1-e2*sin*sin)
	x, y, z := n*cos*cosLon, n*cos*sinLon, n*(1-e2)*sin
	rx, ry, rz := radians(hk80RX/3600), radians(hk80RY/3600), radians(hk80RZ/3600)
	scale := 1 + hk80PPM*1e-6
	x, y, z = hk80XM+scale*(x+rz*y-ry*z), hk80YM+scale*(y-rz*x+rx*z), hk80ZM+scale*(z+ry*x-rx*y)
	// Bowring's formula, exact to a micrometre near the ground.
	const b = equatorM * (1 - flattening)
	const second = (equatorM*equatorM - b*b) / (b * b)
	p := math.Hypot(x, y)
	sinT, cosT := math.Sincos(math.Atan2(z*equatorM, p*b))
	phi := math.Atan2(z+second*b*sinT*sinT*sinT, p-eccentricity*eccentricity*equatorM*cosT*cosT*cosT)
	return orb.Point{degrees(math.Atan2(y, x)), degrees(phi)}
}

// FromWGS84 undoes ToWGS84 to a millimetre. What ToWGS84 does not reach gives a
// point that is not finite.
func (c CRS) FromWGS84(p orb.Point) orb.Point {
	nowhere := orb.Point{math.NaN(), math.NaN()}
	var guess orb.Point
	switch _, equator, ok := c.utm(); {
	case c == EPSG4326, c == EPSG4979:
		return p
	case c == EPSG2326:
		guess = orb.Point{hk80EastM, hk80NorM}
	case c == EPSG2056:
		guess = orb.Point{2_600_000, 1_200_000}
	case ok:
		guess = orb.Point{500_000, equator + 110_000*p[1]}
	default:
		return nowhere
	}
	frame := NewFrame(p)
	for range 30 {
		// The metres of all grids run nearly east and north, so that each round
		// gains a digit or more.
		at := c.ToWGS84(guess)
		if !ValidPoint(at) {
			return nowhere
		}
		off := frame.XY(at)
		guess[0], guess[1] = guess[0]-off.X, guess[1]-off.Y
		if math.Abs(off.X) < 1e-4 && math.Abs(off.Y) < 1e-4 {
			return guess
		}
	}
	return nowhere
}

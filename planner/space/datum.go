package space

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"
)

// Datum is what a map's degrees refer to. Kapok computes in WGS-84 alone; maps
// in another datum are converted once, when they are imported.
type Datum string

// The datums of maps. GCJ-02 is that of published maps of China, off by some
// hundred metres that vary from place to place; BD-09 shifts it once more.
const (
	WGS84 Datum = "wgs84"
	GCJ02 Datum = "gcj02"
	BD09  Datum = "bd09"
)

// ErrDatum is the kind of error for a datum that is not known.
var ErrDatum = errors.New("unknown datum")

// ParseDatum reads a datum by name, whatever its case and hyphens.
func ParseDatum(name string) (Datum, error) {
	switch d := Datum(strings.ReplaceAll(strings.ToLower(name), "-", "")); d {
	case WGS84, GCJ02, BD09:
		return d, nil
	}
	return "", fmt.Errorf("%w %q: known are wgs84, gcj02 and bd09", ErrDatum, name)
}

// ToWGS84 converts a point of the datum to WGS-84, to better than a centimetre
// where the datum's own formulas are taken as exact. Outside of the rectangle of
// longitude 72.004 to 137.8347 and latitude 0.8293 to 55.8271, and for any other
// datum, it returns the point as it is.
func (d Datum) ToWGS84(p orb.Point) orb.Point {
	return d.convert(p, func(forward func(orb.Point) orb.Point) orb.Point {
		// The formulas have no inverse. Their offset changes by less than a
		// thousandth of the way, so each round gains three digits.
		guess := p
		for range 20 {
			there := forward(guess)
			off := orb.Point{p[0] - there[0], p[1] - there[1]}
			guess = orb.Point{guess[0] + off[0], guess[1] + off[1]}
			if math.Abs(off[0]) < 1e-11 && math.Abs(off[1]) < 1e-11 {
				break
			}
		}
		return guess
	})
}

// FromWGS84 converts a point of WGS-84 to the datum; it undoes ToWGS84.
func (d Datum) FromWGS84(p orb.Point) orb.Point {
	return d.convert(p, func(forward func(orb.Point) orb.Point) orb.Point { return forward(p) })
}

// convert hands the datum's formula on, where there is one.
func (d Datum) convert(p orb.Point, by func(forward func(orb.Point) orb.Point) orb.Point) orb.Point {
	// Written so that what is no number is outside.
	shifted := p[0] >= 72.004 && p[0] <= 137.8347 && p[1] >= 0.8293 && p[1] <= 55.8271
	switch {
	case shifted && d == GCJ02:
		return by(gcj02)
	case shifted && d == BD09:
		return by(func(p orb.Point) orb.Point { return bd09(gcj02(p)) })
	}
	return p
}

// The ellipsoid of Krasovsky, as the formulas of GCJ-02 have it.
const (
	krasovskyM  = 6378245.0
	krasovskyE2 = 0.00669342162296594323
)

// gcj02 is the published approximation of the offset of GCJ-02: metres north and
// east as polynomials and sines of the degrees from 105° E 35° N.
func gcj02(p orb.Point) orb.Point {
	x, y := p[0]-105, p[1]-35
	waves := func(v float64, amplitudes, periods [2]float64) float64 {
		return 2. / 3 * (amplitudes[0]*math.Sin(v*math.Pi/periods[0]) + amplitudes[1]*math.Sin(v*math.Pi/periods[1]))
	}
	shared := waves(x, [2]float64{20, 20}, [2]float64{1. / 6, 1. / 2})
	north := -100 + 2*x + 3*y + 0.2*y*y + 0.1*x*y + 0.2*math.Sqrt(math.Abs(x)) + shared +
		waves(y, [2]float64{20, 40}, [2]float64{1, 3}) + waves(y, [2]float64{160, 320}, [2]float64{12, 30})
	east := 300 + x + 2*y + 0.1*x*x + 0.1*x*y + 0.1*math.Sqrt(math.Abs(x)) + shared +
		waves(x, [2]float64{20, 40}, [2]float64{1, 3}) + waves(x, [2]float64{150, 300}, [2]float64{12, 30})
	sin, cos := math.Sincos(radians(p[1]))
	root := math.Sqrt(1 - krasovskyE2*sin*sin)
	meridian := krasovskyM * (1 - krasovskyE2) / (root * root * root)
	return orb.Point{p[0] + degrees(east/(krasovskyM/root*cos)), p[1] + degrees(north/meridian)}
}

// bd09 shifts a point of GCJ-02 to BD-09, by the published formula.
func bd09(p orb.Point) orb.Point {
	const wave = math.Pi * 3000 / 180
	radius := math.Hypot(p[0], p[1]) + 0.00002*math.Sin(p[1]*wave)
	angle := math.Atan2(p[1], p[0]) + 0.000003*math.Cos(p[0]*wave)
	return orb.Point{radius*math.Cos(angle) + 0.0065, radius*math.Sin(angle) + 0.006}
}

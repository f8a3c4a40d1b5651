package space

import (
	"fmt"
	"math"

	"github.com/paulmach/orb"
)

// MaxExtentM is the greatest width and height of a chart. At 100 km from the
// central meridian the frame's metres are 0.012 % too long.
const MaxExtentM = 200_000

// The WGS-84 ellipsoid.
const (
	equatorM   = 6378137.0
	flattening = 1 / 298.257223563
	// third is the third flattening, in which Krüger's series are written.
	third        = flattening / (2 - flattening)
	eccentricity = 0.081819190842621494335
	// rectifyingM is the radius of the circle as long as a meridian.
	rectifyingM = equatorM / (1 + third) *
		(1 + third*third/4 + third*third*third*third/64 +
			third*third*third*third*third*third/256)
)

// Krüger's coefficients to sixth order: Karney, "Transverse Mercator with an
// accuracy of a few nanometers", Journal of Geodesy 85 (2011), equations 35, 36.
const (
	n1 = third
	n2 = n1 * n1
	n3 = n2 * n1
	n4 = n3 * n1
	n5 = n4 * n1
	n6 = n5 * n1

	alpha1 = n1/2 - 2*n2/3 + 5*n3/16 + 41*n4/180 - 127*n5/288 + 7891*n6/37800
	alpha2 = 13*n2/48 - 3*n3/5 + 557*n4/1440 + 281*n5/630 - 1983433*n6/1935360
	alpha3 = 61*n3/240 - 103*n4/140 + 15061*n5/26880 + 167603*n6/181440
	alpha4 = 49561*n4/161280 - 179*n5/168 + 6601661*n6/7257600
	alpha5 = 34729*n5/80640 - 3418889*n6/1995840
	alpha6 = 212378941 * n6 / 319334400

	beta1 = n1/2 - 2*n2/3 + 37*n3/96 - n4/360 - 81*n5/512 + 96199*n6/604800
	beta2 = n2/48 + n3/15 - 437*n4/1440 + 46*n5/105 - 1118711*n6/3870720
	beta3 = 17*n3/480 - 37*n4/840 - 209*n5/4480 + 5569*n6/90720
	beta4 = 4397*n4/161280 - 11*n5/504 - 830251*n6/7257600
	beta5 = 4583*n5/161280 - 108847*n6/3991680
	beta6 = 20648693 * n6 / 638668800
)

// Frame is the metric frame of one chart: transverse Mercator on the WGS-84
// ellipsoid about a centre, where the scale is 1. Within MaxExtentM it is exact
// to well below a millimetre, and a straight line is a geodesic for all
// purposes of planning. The zero Frame is centred at 0° N 0° E.
type Frame struct {
	centre orb.Point
	// originM is the length of the meridian from the equator to the centre.
	originM float64
}

// NewFrame returns the frame about a centre in degrees. Latitudes are clamped
// to ±89.9°, beyond which nothing is charted; a centre that is not finite gives
// the zero Frame.
func NewFrame(centre orb.Point) Frame {
	if !finite(centre[0]) || !finite(centre[1]) {
		return Frame{}
	}
	centre[1] = min(max(centre[1], -89.9), 89.9)
	_, north := krueger(radians(centre[1]), 0)
	return Frame{centre: centre, originM: north}
}

// Centre returns the place of XY{0, 0}.
func (f Frame) Centre() orb.Point { return f.centre }

// XY returns the metres east and north of the centre. It is meant for points
// within MaxExtentM of the centre; more than some 3000 km from the central
// meridian the result means nothing.
func (f Frame) XY(p orb.Point) XY {
	east, north := krueger(radians(p[1]), radians(wrapDeg(p[0]-f.centre[0])))
	return XY{X: east, Y: north - f.originM}
}

// XYZ returns a position's place in the frame. The level is lost.
func (f Frame) XYZ(p Position) XYZ {
	at := f.XY(p.Point())
	return XYZ{X: at.X, Y: at.Y, Z: p.AltitudeM}
}

// Point returns the degrees of a place in the frame; it undoes XY to better
// than a micrometre.
func (f Frame) Point(at XY) orb.Point {
	lat, lon := kruegerInverse(at.X, at.Y+f.originM)
	return orb.Point{wrapDeg(degrees(lon) + f.centre[0]), degrees(lat)}
}

// Position returns the degrees and altitude of a place in the frame, with an
// empty level.
func (f Frame) Position(at XYZ) Position {
	p := f.Point(XY{X: at.X, Y: at.Y})
	return Position{Lon: p[0], Lat: p[1], AltitudeM: at.Z}
}

// Bound returns the smallest box around the corners and edge middles of an
// extent in degrees.
func (f Frame) Bound(b orb.Bound) Box {
	box := EmptyBox()
	mid := b.Center()
	for _, lon := range [...]float64{b.Min[0], mid[0], b.Max[0]} {
		for _, lat := range [...]float64{b.Min[1], mid[1], b.Max[1]} {
			box = box.Extend(f.XY(orb.Point{lon, lat}))
		}
	}
	return box
}

// CheckExtent says whether a chart may cover the bound: valid degrees, not
// empty, and at most MaxExtentM wide and high.
func CheckExtent(b orb.Bound) error {
	for _, p := range [...]orb.Point{b.Min, b.Max} {
		if !ValidPoint(p) {
			return fmt.Errorf("extent: %g, %g is not a place on earth", p[0], p[1])
		}
	}
	if b.Min[0] > b.Max[0] || b.Min[1] > b.Max[1] {
		return fmt.Errorf("extent: the lower corner %v is beyond the upper corner %v", b.Min, b.Max)
	}
	// The widest parallel is the one nearest to the equator.
	lat := min(max(0, b.Min[1]), b.Max[1])
	cosLat := math.Cos(radians(lat))
	width := radians(b.Max[0]-b.Min[0]) * equatorM * cosLat
	height := radians(b.Max[1]-b.Min[1]) * equatorM
	if width > MaxExtentM || height > MaxExtentM {
		return fmt.Errorf("extent: %.0f by %.0f km is larger than the %d km a side that one metric frame serves",
			width/1000, height/1000, MaxExtentM/1000)
	}
	return nil
}

// ValidPoint tells whether a point is finite and within ±180° and ±89.9°, the
// range that frames serve.
func ValidPoint(p orb.Point) bool {
	return math.Abs(p[0]) <= 180 && math.Abs(p[1]) <= 89.9
}

// krueger projects from latitude and longitude difference in radians to metres
// east of the central meridian and north of the equator.
func krueger(lat, dlon float64) (east, north float64) {
	// The conformal latitude's tangent, Karney equations 7 to 9.
	tau := math.Tan(lat)
	taup := conformal(tau)
	sinLon, cosLon := math.Sincos(dlon)
	xi := math.Atan2(taup, cosLon)
	eta := math.Asinh(sinLon / math.Hypot(taup, cosLon))
	dxi, deta := clenshaw(xi, eta, [6]float64{alpha1, alpha2, alpha3, alpha4, alpha5, alpha6})
	return rectifyingM * (eta + deta), rectifyingM * (xi + dxi)
}

// kruegerInverse undoes krueger.
func kruegerInverse(east, north float64) (lat, dlon float64) {
	xi, eta := north/rectifyingM, east/rectifyingM
	dxi, deta := clenshaw(xi, eta, [6]float64{beta1, beta2, beta3, beta4, beta5, beta6})
	xi, eta = xi-dxi, eta-deta
	sinhEta := math.Sinh(eta)
	sinXi, cosXi := math.Sincos(xi)
	taup := sinXi / math.Hypot(sinhEta, cosXi)
	// Newton's method on the conformal latitude, Karney equations 19 to 21; it
	// is quadratic and two steps are enough, so five never fail.
	tau := taup / (1 - eccentricity*eccentricity)
	for range 5 {
		have := conformal(tau)
		e2 := eccentricity * eccentricity
		step := (taup - have) / math.Sqrt(1+have*have) *
			(1 + (1-e2)*tau*tau) / ((1 - e2) * math.Sqrt(1+tau*tau))
		tau += step
		if math.Abs(step) <= 1e-16*max(1, math.Abs(tau)) {
			break
		}
	}
	return math.Atan(tau), math.Atan2(sinhEta, cosXi)
}

// conformal returns the tangent of the conformal latitude for the tangent of
// the geographic one.
func conformal(tau float64) float64 {
	sec := math.Sqrt(1 + tau*tau)
	sigma := math.Sinh(eccentricity * math.Atanh(eccentricity*tau/sec))
	return tau*math.Sqrt(1+sigma*sigma) - sigma*sec
}

// clenshaw sums c[j]·sin(2(j+1)(ξ+iη)) in complex numbers, by Clenshaw's
// recurrence, and returns the real and the imaginary part.
func clenshaw(xi, eta float64, c [6]float64) (dxi, deta float64) {
	sin, cos := math.Sincos(2 * xi)
	sinh, cosh := math.Sinh(2*eta), math.Cosh(2*eta)
	twice := complex(2*cos*cosh, -2*sin*sinh)
	var b1, b2 complex128
	for j := len(c) - 1; j >= 0; j-- {
		b1, b2 = complex(c[j], 0)+twice*b1-b2, b1
	}
	sum := b1 * complex(sin*cosh, cos*sinh)
	return real(sum), imag(sum)
}

func radians(deg float64) float64 { return deg * (math.Pi / 180) }

func degrees(rad float64) float64 { return rad * (180 / math.Pi) }

// wrapDeg brings an angle into -180 to 180 degrees.
func wrapDeg(deg float64) float64 {
	if deg >= -180 && deg <= 180 {
		return deg
	}
	return math.Remainder(deg, 360)
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

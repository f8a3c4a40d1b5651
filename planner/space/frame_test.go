package space

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/paulmach/orb"
)

// utm projects as UTM does: scale 0.9996 on the zone's meridian, false easting.
func utm(lonLat orb.Point, zoneMeridian float64) (east, north float64) {
	at := NewFrame(orb.Point{zoneMeridian, 0}).XY(lonLat)
	return 500000 + 0.9996*at.X, 0.9996 * at.Y
}

func TestFrameAgreesWithPublishedUTM(t *testing.T) {
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	for _, c := range []struct {
		name        string
		at          orb.Point
		meridian    float64
		east, north float64
		within      float64
	}{
		// The example of GeographicLib's GeoConvert manual.
		{"GeoConvert, 33.3 N 44.4 E, zone 38", orb.Point{44.4, 33.3}, 45, 444140.54, 3684706.36, 0.01},
		// Printed to the metre in many a description of UTM.
		{"CN Tower, zone 17", orb.Point{-dms(79, 23, 13.7), dms(43, 38, 33.24)}, -81, 630084, 4833438, 1},
	} {
		east, north := utm(c.at, c.meridian)
		if math.Abs(east-c.east) > c.within || math.Abs(north-c.north) > c.within {
			t.Errorf("%s: %.3f %.3f, published %.3f %.3f", c.name, east, north, c.east, c.north)
		}
	}
}

func TestDistancePublished(t *testing.T) {
	dms := func(d, m, s float64) float64 { return d + m/60 + s/3600 }
	// Geoscience Australia's worked example, Flinders Peak to Buninyong (GRS 80,
	// which differs from WGS-84 by less than a millimetre here).
	flinders := Position{Lat: -dms(37, 57, 3.72030), Lon: dms(144, 25, 29.52440)}
	buninyong := Position{Lat: -dms(37, 39, 10.15610), Lon: dms(143, 55, 35.38390)}
	if d := Distance(flinders, buninyong); math.Abs(d-54972.271) > 0.001 {
		t.Errorf("Flinders Peak to Buninyong is %.4f m, published 54972.271", d)
	}
	quarter := Distance(Position{Lon: 10}, Position{Lon: 10, Lat: 89.9}) + Distance(Position{Lat: 89.9}, Position{Lat: 90})
	if math.Abs(quarter-10001965.729) > 0.01 {
		t.Errorf("a quarter meridian is %.3f m, published 10001965.729", quarter)
	}
	if d := Distance(flinders, flinders); d != 0 {
		t.Errorf("distance to itself is %g", d)
	}
	half := Distance(Position{Lon: 0}, Position{Lon: 180})
	if math.Abs(half-20003931.5) > 20003931.5*0.006 {
		t.Errorf("antipodes are %.1f m apart, want about 20003931.5", half)
	}
	if d := Distance(Position{Lon: 179.9}, Position{Lon: -179.9}); math.Abs(d-22263.898) > 0.01 {
		t.Errorf("across the date line %.3f m, want 22263.898", d)
	}
}

// ecef is the place in earth-centred coordinates, independent of projections.
func ecef(p orb.Point) [3]float64 {
	const a, f = 6378137.0, 1 / 298.257223563
	e2 := f * (2 - f)
	sinB, cosB := math.Sincos(p[1] * math.Pi / 180)
	sinL, cosL := math.Sincos(p[0] * math.Pi / 180)
	n := a / math.Sqrt(1-e2*sinB*sinB)
	return [3]float64{n * cosB * cosL, n * cosB * sinL, n * (1 - e2) * sinB}
}

// chordDistance is the geodesic distance of points at most 2 km apart to 0.1
// mm: the chord, lengthened to the arc of a sphere.
func chordDistance(p, q orb.Point) float64 {
	a, b := ecef(p), ecef(q)
	chord := math.Sqrt((a[0]-b[0])*(a[0]-b[0]) + (a[1]-b[1])*(a[1]-b[1]) + (a[2]-b[2])*(a[2]-b[2]))
	return chord + chord*chord*chord/(24*6371000.0*6371000.0)
}

func TestFrameAgreesWithTheEllipsoid(t *testing.T) {
	const seed = 7
	rng := rand.New(rand.NewPCG(seed, 0))
	for range 2000 {
		centre := orb.Point{rng.Float64()*360 - 180, rng.Float64()*170 - 85}
		frame := NewFrame(centre)
		a := XY{(rng.Float64() - 0.5) * 200_000, (rng.Float64() - 0.5) * 200_000}
		angle := rng.Float64() * 2 * math.Pi
		b := a.Add(XY{math.Cos(angle), math.Sin(angle)}.Scale(1000 * rng.Float64()))
		p, q := frame.Point(a), frame.Point(b)
		chord := chordDistance(p, q)
		// Transverse Mercator lengthens by x²/2R² off its meridian, R being the
		// Gaussian radius at the latitude.
		sinB := math.Sin(centre[1] * math.Pi / 180)
		e2 := 0.0066943799901413165
		r := 6378137 * math.Sqrt(1-e2) / (1 - e2*sinB*sinB)
		x := (a.X + b.X) / 2
		scale := 1 + x*x/(2*r*r)
		if d := a.Dist(b); math.Abs(d-chord*scale) > 1e-3+d*1e-6 {
			t.Fatalf("seed %d: centre %v, %v to %v: frame %.6f m, ellipsoid times scale %.6f m", seed, centre, a, b, d, chord*scale)
		}
		if d := Distance(frame.Position(XYZ{X: a.X, Y: a.Y}), frame.Position(XYZ{X: b.X, Y: b.Y})); math.Abs(d-chord) > 5e-4 {
			t.Fatalf("seed %d: Distance %.6f m, chord %.6f m", seed, d, chord)
		}
		// Back to the frame within a micrometre.
		if miss := frame.XY(p).Dist(a); miss > 1e-6 {
			t.Fatalf("seed %d: centre %v, %v returns %g m away", seed, centre, a, miss)
		}
	}
}

func TestFrameCentreAndPositions(t *testing.T) {
	frame := NewFrame(orb.Point{113.93, 22.51})
	if at := frame.XY(frame.Centre()); at.Len() > 1e-8 {
		t.Errorf("the centre is at %v", at)
	}
	p := Position{Lon: 113.94, Lat: 22.515, AltitudeM: 42, Level: "1"}
	back := frame.Position(frame.XYZ(p))
	if back.AltitudeM != 42 || math.Abs(back.Lon-p.Lon) > 1e-11 || math.Abs(back.Lat-p.Lat) > 1e-11 {
		t.Errorf("%v comes back as %v", p, back)
	}
	if at := (Frame{}).XY(orb.Point{0, 0}); at != (XY{}) {
		t.Errorf("the zero frame has %v at its centre", at)
	}
	if f := NewFrame(orb.Point{math.NaN(), 0}); f != (Frame{}) {
		t.Errorf("a NaN centre gives %v", f)
	}
	date := NewFrame(orb.Point{179.99, -17})
	if at := date.XY(orb.Point{-179.99, -17}); at.X < 2000 || at.X > 2200 {
		t.Errorf("0.02° across the date line is %.0f m east", at.X)
	}
}

func TestCheckExtent(t *testing.T) {
	bound := func(w, s, e, n float64) orb.Bound {
		return orb.Bound{Min: orb.Point{w, s}, Max: orb.Point{e, n}}
	}
	for _, c := range []struct {
		bound orb.Bound
		ok    bool
	}{
		{bound(113.92, 22.5, 113.94, 22.52), true},
		{bound(0, 59, 3.4, 60), true},
		{bound(0, 0, 3.4, 1), false},
		{bound(0, -1, 3.4, 60), false},
		{bound(10, 50, 11, 52), false},
		{bound(10, 50, 9, 51), false},
		{bound(10, 89, 11, 90), false},
		{bound(math.NaN(), 50, 9, 51), false},
		{bound(math.Inf(-1), 50, 9, 51), false},
	} {
		if err := CheckExtent(c.bound); (err == nil) != c.ok {
			t.Errorf("%v: %v", c.bound, err)
		}
	}
}

func ExampleFrame_XY() {
	frame := NewFrame(orb.Point{113.93, 22.51})
	at := frame.XY(orb.Point{113.94, 22.52})
	fmt.Printf("%.2f m east, %.2f m north\n", at.X, at.Y)
	// Output: 1028.81 m east, 1107.41 m north
}

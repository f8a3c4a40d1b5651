package chart

import (
	"fmt"
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// footM is the international foot.
const footM = 0.3048

// unlimited is the limit that files give for none, in whatever unit.
const unlimited = 99999

// heightRef is what a height is measured from.
type heightRef string

const (
	overGround    heightRef = "AGL"
	overSea       heightRef = "AMSL"
	overEllipsoid heightRef = "WGS84"
)

// limit is a lower or upper limit of a volume; given is false for none.
type limit struct {
	m     float64
	ref   heightRef
	given bool
}

// applicability is a time in which a volume is in force.
type applicability struct {
	from, until time.Time
	schedule    []Period
}

// volume is one volume of a restriction, as the formats have it.
type volume struct {
	at *jnode
	// id is that of the zone, but for what makes it different from others.
	id, name, source string
	// kind is what the file calls the restriction.
	kind         string
	rule         Rule
	advised      string
	polygon      orb.Polygon
	lower, upper limit
	times        []applicability
}

// take makes zones of a volume, one for each of its times.
func (im *airspaceImport) take(v *volume) error {
	z := Zone{ID: v.id, Name: v.name, Rule: v.rule, Polygon: v.polygon, Airborne: true, Source: v.source}
	if im.opts.Within != (orb.Bound{}) && !v.polygon.Bound().Intersects(im.opts.Within) {
		im.report.Elsewhere += max(1, len(v.times))
		return nil
	}
	switch err := im.heights(v, &z); {
	case err != nil:
		return err
	case z.FloorM > MaxHeightM:
		im.report.note(&im.report.Notes, z.ID, 0, "it begins at %.0f m, above all flight, and is left out", z.FloorM)
		im.report.Elsewhere += max(1, len(v.times))
		return nil
	}
	if len(v.times) == 0 {
		v.times = make([]applicability, 1)
	}
	for i, t := range v.times {
		one := z
		if len(v.times) > 1 {
			one.ID = fmt.Sprintf("%s/t%d", z.ID, i+1)
		}
		one.From, one.Until, one.Schedule = t.from, t.until, t.schedule
		if i > 0 {
			one.Polygon = v.polygon.Clone()
		}
		if err := im.add(v.at, one, v.kind); err != nil {
			return err
		}
		if v.advised != "" {
			im.report.note(&im.report.Advised, one.ID, 0, "%s", v.advised)
		}
	}
	return nil
}

// heights converts the limits of a volume to altitudes such that it grows: the
// floor counts from the lowest place within, the ceiling from the highest.
func (im *airspaceImport) heights(v *volume, z *Zone) error {
	if v.lower.given && v.upper.given && v.lower.ref == v.upper.ref && v.upper.m < v.lower.m {
		return v.at.fault("its upper limit %g m is below its lower limit %g m", v.upper.m, v.lower.m)
	}
	var err error
	if z.FloorM, err = im.floor(v, z.ID); err != nil {
		return err
	}
	if z.CeilingM, err = im.ceiling(v, z.ID); err != nil {
		return err
	}
	if z.CeilingM != 0 && z.CeilingM <= z.FloorM && z.FloorM != 0 && z.FloorM <= MaxHeightM {
		// Limits of different kinds, or of the same height, that cross somewhere.
		im.report.note(&im.report.Widened, z.ID, 0, "its floor of %.1f m is not below its ceiling of %.1f m: it is taken from the ground", z.FloorM, z.CeilingM)
		z.FloorM = 0
	}
	if low, _, ok := im.ground(v.polygon.Bound()); ok && z.CeilingM != 0 && z.CeilingM < low {
		im.report.note(&im.report.Notes, z.ID, 0, "its ceiling of %.1f m above sea level is below all ground within it (%.1f m): it never binds", z.CeilingM, low)
	}
	return nil
}

// ground is the lowest and highest ground within a bound; false where nothing is
// known.
func (im *airspaceImport) ground(b orb.Bound) (low, high float64, ok bool) {
	if im.opts.Heights == nil {
		return 0, 0, false
	}
	low, high = im.opts.Heights.GroundRange(b)
	return low, high, !math.IsNaN(low) && !math.IsNaN(high)
}

// floor is the altitude of the lower limit, 0 for none.
func (im *airspaceImport) floor(v *volume, id string) (float64, error) {
	l := v.lower
	if !l.given || l.ref == overGround && l.m <= 0 {
		return 0, nil
	}
	switch l.ref {
	case overGround:
		low, high, ok := im.ground(v.polygon.Bound())
		if !ok {
			return 0, v.at.fault("its lower limit is %g m above ground, and without terrain that is at no known altitude", l.m)
		}
		if high > low {
			im.report.note(&im.report.Widened, id, high-low, "its floor of %g m above ground counts from the lowest ground within it", l.m)
		}
		return figure(low + l.m), nil
	case overEllipsoid:
		_, most, err := im.undulation(v, "lower")
		return figure(l.m - most), err
	case overSea:
	}
	return l.m, nil
}

// ceiling is the altitude of the upper limit, 0 for none.
func (im *airspaceImport) ceiling(v *volume, id string) (float64, error) {
	l := v.upper
	if !l.given || l.m >= MaxHeightM {
		return 0, nil
	}
	switch l.ref {
	case overGround:
		low, high, ok := im.ground(v.polygon.Bound())
		switch {
		case ok && high > low:
			im.report.note(&im.report.Widened, id, high-low, "its ceiling of %g m above ground counts from the highest ground within it", l.m)
		case !ok && l.m >= im.opts.HeightLimitM:
			im.report.note(&im.report.Widened, id, 0, "its ceiling of %g m above ground is taken as none, as nothing flies higher than %g m", l.m, im.opts.HeightLimitM)
			return 0, nil
		case !ok:
			return 0, v.at.fault("its upper limit is %g m above ground, and without terrain that is at no known altitude", l.m)
		}
		return figure(high + l.m), nil
	case overEllipsoid:
		least, _, err := im.undulation(v, "upper")
		return figure(l.m - least), err
	case overSea:
	}
	return figure(l.m), nil
}

// figure keeps an altitude from being 0, which is none.
func figure(m float64) float64 {
	if m == 0 {
		return 0.01
	}
	return m
}

// undulation is the least and most undulation about a volume, which varies so
// slowly that its corners and middle show it.
func (im *airspaceImport) undulation(v *volume, which string) (least, most float64, err error) {
	least, most = math.Inf(1), math.Inf(-1)
	b := v.polygon.Bound()
	for _, p := range [...]orb.Point{b.Min, b.Max, b.LeftTop(), b.RightBottom(), b.Center()} {
		n := math.NaN()
		if im.opts.Heights != nil {
			n = im.opts.Heights.UndulationM(p)
		}
		if math.IsNaN(n) {
			return 0, 0, v.at.fault("its %s limit is above the ellipsoid (WGS84), and how high sea level is there is not known: state the undulation", which)
		}
		least, most = min(least, n), max(most, n)
	}
	return least, most, nil
}

const (
	// ChordErrorM is the most by which a polygon made of a circle is larger, or
	// for one that must not be left smaller, than the circle.
	ChordErrorM = 1.0
	// MaxCircleM is the greatest radius of a circle.
	MaxCircleM = 150_000
	// chordM is what the corners may be off, snapM what rounding costs, and
	// sphereM what the sphere costs at 100 km, with the cube of the radius.
	chordM  = 0.6
	snapM   = 0.03
	sphereM = 0.05
)

// circlePolygon is a regular polygon about a circle, or within it. The corners lie
// at the same distance along the ground: in a transverse Mercator frame about the
// middle distances grow away from its meridian, which is undone on the sphere
// that fits best there.
func circlePolygon(middle orb.Point, radiusM float64, within bool) (orb.Polygon, error) {
	if !(radiusM > 0.1 && radiusM <= MaxCircleM) {
		return nil, fmt.Errorf("a radius of %g m is not above 0.1 and up to %d m", radiusM, MaxCircleM)
	}
	if !space.ValidPoint(middle) || math.Abs(middle[1]) > 85 {
		return nil, fmt.Errorf("%g, %g is not a place on earth below 85 degrees of latitude", middle[0], middle[1])
	}
	chord := min(chordM, radiusM/20)
	n := max(16, int(math.Ceil(math.Pi/math.Acos(radiusM/(radiusM+chord)))))
	slack := snapM + sphereM*(radiusM*radiusM*radiusM/1e15)
	corner := (radiusM + slack) / math.Cos(math.Pi/float64(n))
	if within {
		corner = radiusM - slack
	}
	frame, earthM := space.NewFrame(middle), gaussRadiusM(middle[1])
	ring := make(orb.Ring, 0, n+1)
	for i := range n {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		angle := corner / earthM
		at := space.XY{X: earthM * math.Atanh(math.Sin(angle)*sin), Y: earthM * math.Atan(math.Tan(angle)*cos)}
		p := frame.Point(at)
		if !space.ValidPoint(p) || math.Abs(p[0]-middle[0]) > 90 {
			return nil, fmt.Errorf("the circle about %g, %g crosses the 180th meridian or a pole", middle[0], middle[1])
		}
		ring = append(ring, p)
	}
	// Rings run against the clock.
	for i, k := 0, len(ring)-1; i < k; i, k = i+1, k-1 {
		ring[i], ring[k] = ring[k], ring[i]
	}
	return orb.Polygon{append(ring, ring[0])}, nil
}

// gaussRadiusM is the mean radius of curvature of the ellipsoid at a latitude.
func gaussRadiusM(latDeg float64) float64 {
	const a, e2 = 6378137.0, 0.0066943799901413165
	sin := math.Sin(latDeg * math.Pi / 180)
	return a * math.Sqrt(1-e2) / (1 - e2*sin*sin)
}

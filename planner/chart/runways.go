package chart

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// MaxRunwaysBytes is the longest table that ImportRunways reads, and
	// maxRunwayLine its longest line.
	MaxRunwaysBytes = 64 << 20
	maxRunwayLine   = 64 << 10
	// MaxRunways is how many runways the airports that are named may have together.
	MaxRunways = 20_000
)

// RunwayShape is what is kept clear about a runway. It is a choice of the operator:
// the law of the place and the airport say what holds.
type RunwayShape string

// The shapes.
const (
	// Annex14 follows the obstacle limitation surfaces of ICAO Annex 14, Volume I,
	// Table 4-1, for a precision approach runway of code number 4, as steps:
	//
	//   - nearest: from the ground up, the strip, 150 m to each side and to 60 m
	//     beyond the ends, and the first section of the approach, 3000 m long and
	//     15 % wider to each side with every metre;
	//   - approach, to each end: the second section, 3600 m, from 60 m above the
	//     runway's lower end, and the horizontal one, 8400 m, from 150 m, each at
	//     the height where it begins;
	//   - inner horizontal: within 4000 m of the runway, from 45 m above its lower
	//     end up.
	Annex14 RunwayShape = "annex14"
	// China is the area that is watched for obstacles and objects in the air about
	// airports of the People's Republic, 10 km to each side of the runway's middle
	// line and to 20 km beyond its ends, from the ground up (Civil Aviation
	// Administration of China, measures on the protection of obstacle clearance of
	// transport airports, "inspection area").
	China RunwayShape = "china"
)

// RunwayOptions say of which airports zones are made, and how.
type RunwayOptions struct {
	// Airports are the identifiers as in the table, which are ICAO codes where
	// there is one. At least one is needed.
	Airports []string
	// Shape is Annex14 if empty.
	Shape RunwayShape
	// Heights gives a runway's altitude where the table does not; may be nil, then
	// it is taken as 0.
	Heights HeightModel
	// Within and Taken are as in AirspaceOptions.
	Within orb.Bound
	Taken  map[string]bool
}

// ImportRunways makes clearance zones of the runways of some airports out of the
// table of OurAirports (runways.csv): a first line with the names of columns, of
// which airport_ident, closed, le_ident, le_latitude_deg, le_longitude_deg,
// le_elevation_ft and those of the other end, he_, are read, in whatever order.
// Closed runways are left out, and so are those without positions, with a note. All
// zones are keep_out for aircraft; their ids are "runway/", airport, ends and part.
// An airport without a runway that is drawn is a fault. Errors are of kind ErrAirspace and
// name the line.
func ImportRunways(r io.Reader, opts RunwayOptions) ([]Zone, AirspaceReport, error) {
	im := newAirspaceImport(AirspaceOptions{Heights: opts.Heights, Within: opts.Within, Taken: opts.Taken})
	im.report.Format = "runways"
	if err := im.runways(r, opts); err != nil {
		return nil, im.report, fmt.Errorf("import runways: %w: %w", ErrAirspace, err)
	}
	return im.zones, im.report, nil
}

func (im *airspaceImport) runways(r io.Reader, opts RunwayOptions) error {
	switch opts.Shape {
	case "", Annex14, China:
	default:
		return fmt.Errorf("the shape %q is not annex14 or china", opts.Shape)
	}
	if len(opts.Airports) == 0 {
		return errors.New("no airport is named")
	}
	found := map[string]bool{}
	limited := &io.LimitedReader{R: r, N: MaxRunwaysBytes + 1}
	scanner := bufio.NewScanner(limited)
	scanner.Buffer(make([]byte, 0, 4096), maxRunwayLine)
	var columns map[string]int
	number := 0
	for scanner.Scan() {
		number++
		line := strings.TrimPrefix(scanner.Text(), "\ufeff")
		if columns != nil && !slices.ContainsFunc(opts.Airports, func(id string) bool { return strings.Contains(line, id) }) {
			continue
		}
		fields, err := csv.NewReader(strings.NewReader(line)).Read()
		if err != nil && (columns == nil || !errors.Is(err, io.EOF)) {
			return fmt.Errorf("line %d: it is no line of a table with commas", number)
		}
		if columns == nil {
			if columns, err = runwayColumns(fields); err != nil {
				return err
			}
			continue
		}
		row := runwayRow{columns, fields, number}
		airport := row.field("airport_ident")
		if !slices.Contains(opts.Airports, airport) {
			continue
		}
		if im.report.Features++; im.report.Features > MaxRunways {
			return fmt.Errorf("line %d: the airports that are named have more than %d runways", number, MaxRunways)
		}
		drawn, err := im.runway(&row, opts.Shape)
		if err != nil {
			return err
		}
		found[airport] = found[airport] || drawn
	}
	return runwaysRead(scanner.Err(), limited.N <= 0, number, opts.Airports, found)
}

// runwaysRead says what was wrong with the table as a whole.
func runwaysRead(err error, long bool, number int, airports []string, found map[string]bool) error {
	switch {
	case long:
		return fmt.Errorf("it is longer than %d bytes", MaxRunwaysBytes)
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("line %d: it is longer than %d bytes", number+1, maxRunwayLine)
	case err != nil:
		return err
	case number == 0:
		return errors.New("line 1: it is empty")
	}
	for _, airport := range airports {
		if !found[airport] {
			return fmt.Errorf("it has no runway of airport %q that is open and says where it is", airport)
		}
	}
	return nil
}

// runwayColumns are the numbers of the columns that are read.
func runwayColumns(header []string) (map[string]int, error) {
	columns := map[string]int{}
	for i, name := range header {
		columns[strings.TrimSpace(name)] = i
	}
	for _, name := range [...]string{
		"airport_ident", "closed", "le_ident", "le_latitude_deg", "le_longitude_deg", "le_elevation_ft",
		"he_ident", "he_latitude_deg", "he_longitude_deg", "he_elevation_ft",
	} {
		if _, ok := columns[name]; !ok {
			return nil, fmt.Errorf("line 1: it has no column %q: it is no table of runways", name)
		}
	}
	return columns, nil
}

// runwayRow is a line of the table.
type runwayRow struct {
	columns map[string]int
	fields  []string
	line    int
}

// field is a field, empty where the line has none.
func (r *runwayRow) field(name string) string {
	if i := r.columns[name]; i < len(r.fields) {
		return strings.TrimSpace(r.fields[i])
	}
	return ""
}

// number is a field that is a number; false where it is empty.
func (r *runwayRow) number(name string) (float64, bool, error) {
	text := r.field(name)
	if text == "" {
		return 0, false, nil
	}
	v, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, false, fmt.Errorf("line %d: %s is %.40q, not a number", r.line, name, text)
	}
	return v, true, nil
}

// runwayEnd is one end of a runway.
type runwayEnd struct {
	at        orb.Point
	placed    bool
	altitudeM float64
	high      bool
}

func (r *runwayRow) end(prefix string) (runwayEnd, error) {
	var e runwayEnd
	lat, hasLat, err := r.number(prefix + "latitude_deg")
	if err != nil {
		return e, err
	}
	lon, hasLon, err := r.number(prefix + "longitude_deg")
	if err != nil {
		return e, err
	}
	feet, high, err := r.number(prefix + "elevation_ft")
	if err != nil {
		return e, err
	}
	e.at, e.placed, e.altitudeM, e.high = orb.Point{lon, lat}, hasLat && hasLon, feet*footM, high
	if e.placed && (math.Abs(lat) > 85 || math.Abs(lon) > 180) || math.Abs(feet) > 30000 {
		return e, fmt.Errorf("line %d: %g, %g at %g feet is no place of a runway", r.line, lon, lat, feet)
	}
	return e, nil
}

// runway makes the zones of one runway; false for one that is left out.
func (im *airspaceImport) runway(row *runwayRow, shape RunwayShape) (drawn bool, err error) {
	name := row.field("airport_ident") + "/" + row.field("le_ident") + "-" + row.field("he_ident")
	if row.field("closed") == "1" {
		im.report.note(&im.report.Notes, "runway/"+name, 0, "the runway is closed and left out")
		return false, nil
	}
	low, err := row.end("le_")
	if err != nil {
		return false, err
	}
	high, err := row.end("he_")
	if err != nil {
		return false, err
	}
	if !low.placed || !high.placed {
		im.report.note(&im.report.Notes, "runway/"+name, 0, "the table does not say where it is: it is left out")
		return false, nil
	}
	axis := newRunwayAxis(low.at, high.at)
	if axis.lengthM < 50 || axis.lengthM > 10_000 {
		return false, fmt.Errorf("line %d: the ends of runway %s are %.0f m apart", row.line, name, axis.lengthM)
	}
	altitude := im.runwayAltitude("runway/"+name, low, high)
	at := &jnode{value: nil, parent: &jnode{}, key: fmt.Sprintf("line %d", row.line)}
	for _, part := range axis.parts(shape) {
		z := Zone{
			ID: "runway/" + name + "/" + part.name, Name: name + " " + part.name, Rule: KeepOut, Airborne: true,
			Polygon: axis.polygon(part.outline), Source: "runways:" + name,
		}
		if part.aboveM > 0 {
			z.FloorM = figure(altitude + part.aboveM)
		}
		if err := im.add(at, z, part.name); err != nil {
			return false, err
		}
	}
	return true, nil
}

// runwayAltitude is the altitude of the lower end, or what is known of it.
func (im *airspaceImport) runwayAltitude(name string, low, high runwayEnd) float64 {
	switch {
	case low.high && high.high:
		return min(low.altitudeM, high.altitudeM)
	case low.high:
		return low.altitudeM
	case high.high:
		return high.altitudeM
	}
	ground, _, ok := im.ground(orb.MultiPoint{low.at, high.at}.Bound())
	if !ok {
		ground = 0
	}
	im.report.note(&im.report.Notes, name, 0, "the table does not say how high it is: it is taken as %.1f m above sea level", ground)
	return ground
}

// runwayAxis is a frame about a runway: x along it from its middle, y to the left.
type runwayAxis struct {
	frame       space.Frame
	middle      space.XY
	along, left space.XY
	lengthM     float64
}

func newRunwayAxis(low, high orb.Point) runwayAxis {
	a := runwayAxis{frame: space.NewFrame(orb.Point{(low[0] + high[0]) / 2, (low[1] + high[1]) / 2})}
	p, q := a.frame.XY(low), a.frame.XY(high)
	a.middle, a.lengthM = p.Lerp(q, 0.5), p.Dist(q)
	if a.lengthM > 0 {
		d := q.Sub(p)
		a.along = space.XY{X: d.X / a.lengthM, Y: d.Y / a.lengthM}
		a.left = space.XY{X: -a.along.Y, Y: a.along.X}
	}
	return a
}

// polygon takes an outline, against the clock, to places on earth.
func (a *runwayAxis) polygon(outline []space.XY) orb.Polygon {
	ring := make(orb.Ring, 0, len(outline)+1)
	for _, p := range outline {
		ring = append(ring, a.frame.Point(space.XY{
			X: a.middle.X + a.along.X*p.X + a.left.X*p.Y,
			Y: a.middle.Y + a.along.Y*p.X + a.left.Y*p.Y,
		}))
	}
	return orb.Polygon{append(ring, ring[0])}
}

// runwayPart is an outline along a runway's axis, from so many metres above its
// lower end up, or from the ground if that is 0.
type runwayPart struct {
	name    string
	outline []space.XY
	aboveM  float64
}

// The figures of the shapes, in metres; RunwayShape tells what they are.
const (
	stripHalfM, stripBeyondM           = 150.0, 60.0
	approachSpread                     = 0.15
	approachFirstM, approachSecondM    = 3000.0, 3600.0
	approachLastM                      = 8400.0
	approachSecondUpM, approachLastUpM = 60.0, 150.0
	innerRadiusM, innerUpM             = 4000.0, 45.0
	chinaSideM, chinaBeyondM           = 10_000.0, 20_000.0
	innerCorners                       = 72
)

// parts are the outlines of a shape.
func (a *runwayAxis) parts(shape RunwayShape) []runwayPart {
	half := a.lengthM / 2
	if shape == China {
		x, y := half+chinaBeyondM, chinaSideM
		return []runwayPart{{"clearance", []space.XY{{X: -x, Y: -y}, {X: x, Y: -y}, {X: x, Y: y}, {X: -x, Y: y}}, 0}}
	}
	begin := half + stripBeyondM
	wide := func(fromBegin float64) float64 { return stripHalfM + approachSpread*fromBegin }
	section := func(from, length float64) []space.XY {
		to := from + length
		return []space.XY{
			{X: begin + from, Y: -wide(from)},
			{X: begin + to, Y: -wide(to)},
			{X: begin + to, Y: wide(to)},
			{X: begin + from, Y: wide(from)},
		}
	}
	end, out := begin+approachFirstM, wide(approachFirstM)
	second, last := section(approachFirstM, approachSecondM), section(approachFirstM+approachSecondM, approachLastM)
	return []runwayPart{
		{"nearest", []space.XY{
			{X: -begin, Y: -stripHalfM},
			{X: begin, Y: -stripHalfM},
			{X: end, Y: -out},
			{X: end, Y: out},
			{X: begin, Y: stripHalfM},
			{X: -begin, Y: stripHalfM},
			{X: -end, Y: out},
			{X: -end, Y: -out},
		}, 0},
		{"approach-he-2", second, approachSecondUpM},
		{"approach-he-3", last, approachLastUpM},
		{"approach-le-2", turned(second), approachSecondUpM},
		{"approach-le-3", turned(last), approachLastUpM},
		{"inner-horizontal", racetrack(half, innerRadiusM), innerUpM},
	}
}

// turned is an outline turned about the middle by half a turn.
func turned(outline []space.XY) []space.XY {
	other := make([]space.XY, len(outline))
	for i, p := range outline {
		other[i] = space.XY{X: -p.X, Y: -p.Y}
	}
	return other
}

// racetrack is the outline of what is within a radius of the axis between -half and
// half, with corners outside of it.
func racetrack(half, radius float64) []space.XY {
	var outline []space.XY
	corner := radius / math.Cos(math.Pi/innerCorners)
	for i := range innerCorners {
		sin, cos := math.Sincos(2 * math.Pi * (float64(i) + 0.5) / innerCorners)
		x := half
		if cos < 0 {
			x = -half
		}
		outline = append(outline, space.XY{X: x + corner*cos, Y: corner * sin})
	}
	return outline
}

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
)

const (
	// maxRouteWindMPS bounds wind and gusts, as in conditions.
	maxRouteWindMPS = 60
	// maxModelBytes is the longest file of a vehicle.
	maxModelBytes = 1 << 16
)

// trip is a question that was understood.
type trip struct {
	chart     *chart.Chart
	world     route.World
	planner   *route.Planner
	model     string
	spec      motion.Spec
	loadKg    float64
	battery   float64
	from, to  space.Position
	depart    time.Time
	objective route.Objective
	wind      windView
}

// trip understands the flags. What is wrong with them is wrong use; a file that
// says something unusable is a negative result.
func (f *routeFlags) trip(c console) (*trip, error) {
	if f.chart == "" || f.from == "" || f.to == "" {
		return nil, errors.New("a route needs --chart, --from and --to")
	}
	t := &trip{loadKg: f.loadKg, battery: f.battery}
	for _, understand := range []func(*trip) error{f.vehicle, f.figures} {
		if err := understand(t); err != nil {
			return nil, err
		}
	}
	on, err := openChart(c, f.chart)
	if err != nil {
		return nil, unusable(err)
	}
	t.chart = on
	if t.from, err = routePlace(on, f.from); err != nil {
		return nil, fmt.Errorf("--from: %w", err)
	}
	if t.to, err = routePlace(on, f.to); err != nil {
		return nil, fmt.Errorf("--to: %w", err)
	}
	if err := f.overlay(t); err != nil {
		return nil, err
	}
	t.planner, err = route.NewPlanner(&t.world)
	if err != nil {
		return nil, unusable(err)
	}
	return t, nil
}

// figures understands the numbers and times.
func (f *routeFlags) figures(t *trip) error {
	switch {
	case !(f.loadKg >= 0) || math.IsInf(f.loadKg, 0):
		return fmt.Errorf("--load is %g kg; it must be 0 or more", f.loadKg)
	case !(f.battery > 0 && f.battery <= 1):
		return fmt.Errorf("--battery is %g; it must be above 0 and at most 1", f.battery)
	}
	switch f.objective {
	case "time":
		t.objective = route.LeastTime
	case "energy":
		t.objective = route.LeastEnergy
	default:
		return fmt.Errorf("--objective %q is not time or energy", f.objective)
	}
	var err error
	if t.depart, err = routeTime(f.depart); err != nil {
		return err
	}
	t.wind, err = routeWind(f.wind)
	t.world.Wind = motion.WindFrom(t.wind.SpeedMPS, t.wind.FromDeg, t.wind.GustMPS)
	return err
}

// routeTime is when the vehicle leaves.
func routeTime(text string) (time.Time, error) {
	if text == "" {
		return time.Now().UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--depart %q is no time such as 2026-05-04T09:00:00Z", text)
	}
	if y := at.Year(); y < 1970 || y > 2200 {
		return at, fmt.Errorf("--depart: the year %d is not within 1970 to 2200", y)
	}
	return at.UTC(), nil
}

// windView is a wind as people say it.
type windView struct {
	SpeedMPS float64 `json:"speed_mps"`
	FromDeg  float64 `json:"from_deg"`
	GustMPS  float64 `json:"gust_mps"`
}

// routeWind reads SPEED@FROM and SPEED@FROM+GUST.
func routeWind(text string) (windView, error) {
	var w windView
	if text == "" {
		return w, nil
	}
	speed, rest, ok := strings.Cut(text, "@")
	from, gust, gusty := strings.Cut(rest, "+")
	numbers := []*float64{&w.SpeedMPS, &w.FromDeg, &w.GustMPS}
	for i, part := range []string{speed, from, gust} {
		if i == 2 && !gusty {
			break
		}
		v, err := strconv.ParseFloat(part, 64)
		*numbers[i] = v
		ok = ok && err == nil
	}
	switch {
	case !ok:
		return w, fmt.Errorf("--wind %q is not SPEED@FROM or SPEED@FROM+GUST, such as 8@270+3", text)
	case !(w.SpeedMPS >= 0 && w.SpeedMPS <= maxRouteWindMPS && w.GustMPS >= 0 && w.GustMPS <= maxRouteWindMPS):
		return w, fmt.Errorf("--wind %q: speed and gust must be from 0 to %d m/s", text, maxRouteWindMPS)
	case !(w.FromDeg >= 0 && w.FromDeg <= 360):
		return w, fmt.Errorf("--wind %q: the direction must be from 0 to 360 degrees", text)
	}
	return w, nil
}

// routePlace reads a place: LON,LAT with a height or an altitude, or a site's id.
func routePlace(on *chart.Chart, text string) (space.Position, error) {
	parts := strings.Split(text, ",")
	if len(parts) == 1 {
		for i := range on.Sites {
			if on.Sites[i].ID == text {
				return on.Sites[i].Position, nil
			}
		}
		return space.Position{}, fmt.Errorf("%q is neither LON,LAT nor the id of a site of the chart", text)
	}
	form := fmt.Errorf("%q is not LON,LAT or LON,LAT,HEIGHT or LON,LAT,alt:ALTITUDE", text)
	if len(parts) > 3 {
		return space.Position{}, form
	}
	var at space.Position
	var err, err2 error
	at.Lon, err = strconv.ParseFloat(strings.TrimSpace(parts[0]), 64)
	at.Lat, err2 = strconv.ParseFloat(strings.TrimSpace(parts[1]), 64)
	if err != nil || err2 != nil {
		return at, form
	}
	if !space.ValidPoint(at.Point()) {
		return at, fmt.Errorf("%q is no place on the earth; longitude comes first", text)
	}
	// Beyond the chart the planner refuses the place by name.
	if on.Extent.Contains(at.Point()) {
		at.AltitudeM = on.GroundAltitude(at.Point())
	}
	if len(parts) == 2 {
		return at, nil
	}
	third, isAltitude := strings.CutPrefix(strings.TrimSpace(parts[2]), "alt:")
	m, err := strconv.ParseFloat(third, 64)
	switch {
	case err != nil || !(math.Abs(m) <= chart.MaxHeightM):
		return at, form
	case isAltitude:
		at.AltitudeM = m
	case m < 0:
		return at, fmt.Errorf("%q: %g m is below the ground; write an altitude as alt:%g", text, m, m)
	default:
		at.AltitudeM += m
	}
	return at, nil
}

// vehicle finds the figures of the vehicle.
func (f *routeFlags) vehicle(t *trip) error {
	kind := motion.Kind(f.kind)
	if f.kind != "" && !slices.Contains([]motion.Kind{motion.Multirotor, motion.Rover, motion.Vessel, motion.VTOL}, kind) {
		return fmt.Errorf("--kind %q is not multirotor, rover, vessel or vtol", f.kind)
	}
	t.model = f.airframe
	if t.model == "" {
		switch kind {
		case motion.Rover:
			t.model = "kapok-rover"
		case motion.Vessel:
			t.model = "kapok-boat"
		case motion.VTOL:
			return errors.New("there is no model of a vtol: give its figures by --airframe FILE (docs/route.md)")
		default:
			t.model = "kapok-quad"
		}
	}
	spec, known := motion.Preset(t.model)
	if !known {
		var err error
		if spec, err = readModel(t.model); err != nil {
			return err
		}
	}
	if f.kind != "" && spec.Kind != kind {
		return fmt.Errorf("--airframe %s is a %s, not a %s", t.model, spec.Kind, f.kind)
	}
	t.spec = spec
	return nil
}

// readModel reads a vehicle from a file: an airframe, or a table of figures, which
// has a kind.
func readModel(name string) (motion.Spec, error) {
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return motion.Spec{}, fmt.Errorf("--airframe %q is neither a file nor one of %s", name, strings.Join(modelNames(), ", "))
	}
	if err != nil {
		return motion.Spec{}, fmt.Errorf("opening the airframe: %w", err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxModelBytes+1))
	if err != nil {
		return motion.Spec{}, fmt.Errorf("reading the airframe %s: %w", name, err)
	}
	if len(data) > maxModelBytes {
		return motion.Spec{}, no("the airframe %s has more than %d bytes", name, maxModelBytes)
	}
	var look struct {
		Kind *motion.Kind `json:"kind"`
	}
	if json.Unmarshal(data, &look) == nil && look.Kind != nil {
		spec, err := readSpec(data)
		if err != nil {
			return spec, no("the figures in %s: %v", name, err)
		}
		return spec, nil
	}
	frame, err := motion.ReadAirframe(data)
	if err != nil {
		return motion.Spec{}, no("%s: %v", name, err)
	}
	return frame.Spec(), nil
}

// readSpec reads a table of figures.
func readSpec(data []byte) (motion.Spec, error) {
	var spec motion.Spec
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&spec); err != nil {
		return spec, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return spec, errors.New("more follows the object")
	}
	return spec, spec.Validate()
}

// overlay lays zones, suspensions and closures over the chart.
func (f *routeFlags) overlay(t *trip) error {
	t.world.Chart, t.world.Suspended, t.world.Closed = t.chart, map[string]bool{}, map[int64]bool{}
	datum, err := statedDatum(f.datum, len(f.zones) > 0)
	if err != nil {
		return err
	}
	seen := map[string]string{}
	for _, name := range f.zones {
		zones, err := readZones(name, datum)
		if err != nil {
			return err
		}
		for i := range zones {
			if other, twice := seen[zones[i].ID]; twice {
				return no("%s: the zone %q is in %s already", name, zones[i].ID, other)
			}
			seen[zones[i].ID] = name
			if t.onChart(zones[i].ID) {
				t.world.Suspended[zones[i].ID] = true
			}
		}
		t.world.Zones = append(t.world.Zones, zones...)
	}
	for _, id := range f.suspend {
		if !t.onChart(id) {
			return fmt.Errorf("--suspend %q: the chart has no such zone", id)
		}
		t.world.Suspended[id] = true
	}
	ways := map[int64]bool{}
	for i := range t.chart.Ground.Arcs {
		ways[t.chart.Ground.Arcs[i].WayID] = true
	}
	for _, way := range f.closed {
		if !ways[way] {
			return fmt.Errorf("--close %d: the chart has no such way", way)
		}
		t.world.Closed[way] = true
	}
	return nil
}

func statedDatum(text string, used bool) (space.Datum, error) {
	if text == "" {
		return "", nil
	}
	if !used {
		return "", errors.New("--datum is of --zones, and there are none")
	}
	return space.ParseDatum(text)
}

func readZones(name string, datum space.Datum) ([]chart.Zone, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening zones: %w", err)
	}
	defer func() { _ = file.Close() }()
	zones, err := chart.ImportZones(file, datum)
	if err != nil {
		return nil, no("%s: %v", name, err)
	}
	return zones, nil
}

func (t *trip) onChart(id string) bool {
	return slices.ContainsFunc(t.chart.Zones, func(z chart.Zone) bool { return z.ID == id })
}

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// circlePoints are the corners of the polygon that stands for a circle.
	circlePoints = 48
	// maxCircleM is the greatest radius of a circle.
	maxCircleM = 50_000
	// maxZoneFileBytes is the longest GeoJSON file that is read for a zone.
	maxZoneFileBytes = 1 << 20
)

// zoneFlags describe a zone, or a change of one.
type zoneFlags struct {
	geojson, circle        string
	name, rule, reason     string
	floorM, ceilingM       float64
	heightLimitM, limitMPS float64
	from, until            string
	lasts                  time.Duration
	schedule               []string
	airborne, ground       bool
}

func (f *zoneFlags) flags(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.StringVar(&f.geojson, "geojson", "", "GeoJSON file with one polygon, - for stdin; properties named as in the API are taken too")
	fl.StringVar(&f.circle, "circle", "", "a circle instead: LON,LAT,RADIUS_M")
	fl.StringVar(&f.name, "name", "", "its name")
	fl.StringVar(&f.rule, "rule", "keep_out", "keep_out, keep_in, altitude_limit, speed_limit or advise")
	fl.Float64Var(&f.floorM, "floor-m", 0, "from this altitude up, metres above mean sea level")
	fl.Float64Var(&f.ceilingM, "ceiling-m", 0, "up to this altitude, metres above mean sea level; without it there is no ceiling")
	fl.Float64Var(&f.heightLimitM, "height-limit-m", 0, "greatest height above ground, of an altitude_limit")
	fl.Float64Var(&f.limitMPS, "speed-limit-mps", 0, "of a speed_limit")
	fl.StringVar(&f.from, "from", "", "when it comes into force, e.g. 2026-05-01T08:00:00Z; at once if left out")
	fl.StringVar(&f.until, "until", "", "when it ends; never if left out")
	fl.DurationVar(&f.lasts, "for", 0, "how long it lasts from --from, or from now, instead of --until")
	fl.StringArrayVar(&f.schedule, "schedule", nil, "a weekly time of force in UTC: \"MON TUE 07:30 to 16:00\", \"SS-00:30 to SR\"; may be repeated; always when it is empty")
	fl.BoolVar(&f.airborne, "airborne", false, "it binds aircraft; with neither --airborne nor --ground it binds both")
	fl.BoolVar(&f.ground, "ground", false, "it binds vehicles on the ground")
	fl.StringVar(&f.reason, "reason", "", "why, for the record")
}

// fill puts what was given into an order; the file comes first, so that flags
// go before its properties.
func (f *zoneFlags) fill(cmd *cobra.Command, c console, k *client.Client, order *api.ZoneOrder) error {
	given := cmd.Flags().Changed
	if f.geojson != "" && f.circle != "" {
		return errors.New("--geojson and --circle are two places: give one")
	}
	if f.geojson != "" {
		if err := readZone(c, f.geojson, order); err != nil {
			return err
		}
	}
	if f.circle != "" {
		ring, err := circleRing(f.circle, f.rule == "keep_in" || order.Rule == "keep_in")
		if err != nil {
			return err
		}
		order.Polygon = [][][2]float64{ring}
	}
	for _, set := range []struct {
		flag string
		to   func()
	}{
		{"name", func() { order.Name = f.name }},
		{"rule", func() { order.Rule = f.rule }},
		{"floor-m", func() { order.FloorM = f.floorM }},
		{"ceiling-m", func() { order.CeilingM = &f.ceilingM }},
		{"height-limit-m", func() { order.HeightLimitM = f.heightLimitM }},
		{"speed-limit-mps", func() { order.SpeedLimitMPS = f.limitMPS }},
		{"airborne", func() { order.Airborne = f.airborne }},
		{"ground", func() { order.Ground = f.ground }},
		{"reason", func() { order.Reason = f.reason }},
	} {
		if given(set.flag) {
			set.to()
		}
	}
	if given("schedule") {
		var err error
		if order.Schedule, err = readSchedule(f.schedule); err != nil {
			return err
		}
	}
	return f.fillTimes(cmd, k, order)
}

// readSchedule reads periods such as "MON TUE 07:30 to 16:00"; empty ones are none.
// What days and moments there are is for the server to judge.
func readSchedule(texts []string) ([]api.ZonePeriod, error) {
	var schedule []api.ZonePeriod
	for _, text := range texts {
		words := strings.Fields(strings.ReplaceAll(text, ",", " "))
		n := len(words)
		if n == 0 {
			continue
		}
		if n < 3 || words[n-2] != "to" {
			return nil, fmt.Errorf("--schedule %q is no period such as \"MON TUE 07:30 to 16:00\"", text)
		}
		schedule = append(schedule, api.ZonePeriod{Days: words[:n-3], Start: words[n-3], End: words[n-1]})
	}
	return schedule, nil
}

func (f *zoneFlags) fillTimes(cmd *cobra.Command, k *client.Client, order *api.ZoneOrder) error {
	var err error
	for _, end := range []struct {
		flag, text string
		to         *time.Time
	}{{"from", f.from, &order.From}, {"until", f.until, &order.Until}} {
		if !cmd.Flags().Changed(end.flag) {
			continue
		}
		if *end.to, err = time.Parse(time.RFC3339, end.text); err != nil {
			return fmt.Errorf("--%s %q is not a time such as 2026-05-01T08:00:00Z", end.flag, end.text)
		}
	}
	if !cmd.Flags().Changed("for") {
		return nil
	}
	if f.lasts <= 0 || f.until != "" {
		return errors.New("--for must be above 0, and stands in place of --until")
	}
	begin := order.From
	if begin.IsZero() {
		if begin, err = k.Now(cmd.Context()); err != nil {
			return err
		}
	}
	order.Until = begin.Add(f.lasts)
	return nil
}

// circleRing reads LON,LAT,RADIUS_M and makes a ring of it that holds the whole
// circle, or with inside one that the circle holds: a zone never binds less than
// was asked for.
func circleRing(text string, inside bool) ([][2]float64, error) {
	parts := strings.Split(text, ",")
	var numbers [3]float64
	ok := len(parts) == len(numbers)
	for i := 0; ok && i < len(parts); i++ {
		var err error
		numbers[i], err = strconv.ParseFloat(strings.TrimSpace(parts[i]), 64)
		ok = err == nil
	}
	centre := orb.Point{numbers[0], numbers[1]}
	if radius := numbers[2]; !ok || !space.ValidPoint(centre) || !(radius > 0 && radius <= maxCircleM) {
		return nil, fmt.Errorf("--circle %q is not LON,LAT,RADIUS_M with a radius above 0 and at most %d", text, maxCircleM)
	}
	radius := numbers[2]
	if !inside {
		radius /= math.Cos(math.Pi / circlePoints)
	}
	frame := space.NewFrame(centre)
	ring := make([][2]float64, 0, circlePoints+1)
	for i := range circlePoints {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / circlePoints)
		p := frame.Point(space.XY{X: radius * cos, Y: radius * sin})
		// Seven decimals are a centimetre.
		ring = append(ring, [2]float64{math.Round(p[0]*1e7) / 1e7, math.Round(p[1]*1e7) / 1e7})
	}
	return append(ring, ring[0]), nil
}

// readZone reads a polygon, a feature with one, or a collection of one such
// feature into an order.
func readZone(c console, name string, order *api.ZoneOrder) error {
	data, err := readBounded(c, name)
	if err != nil {
		return err
	}
	var shape struct {
		Type        string            `json:"type"`
		Features    []json.RawMessage `json:"features"`
		Geometry    json.RawMessage   `json:"geometry"`
		Properties  json.RawMessage   `json:"properties"`
		Coordinates json.RawMessage   `json:"coordinates"`
	}
	if err := json.Unmarshal(data, &shape); err != nil {
		return fmt.Errorf("reading the zone of %s: %w", name, err)
	}
	if shape.Type == "FeatureCollection" {
		if len(shape.Features) != 1 {
			return fmt.Errorf("reading the zone of %s: it has %d features, and a zone is one polygon", name, len(shape.Features))
		}
		if err := json.Unmarshal(shape.Features[0], &shape); err != nil {
			return fmt.Errorf("reading the zone of %s: %w", name, err)
		}
	}
	if shape.Type == "Feature" {
		if len(shape.Properties) > 0 {
			if err := json.Unmarshal(shape.Properties, order); err != nil {
				return fmt.Errorf("reading the properties of %s: %w", name, err)
			}
		}
		if err := json.Unmarshal(shape.Geometry, &shape); err != nil {
			return fmt.Errorf("reading the geometry of %s: %w", name, err)
		}
	}
	if shape.Type != "Polygon" {
		return fmt.Errorf("reading the zone of %s: its geometry is a %s, and a zone is a Polygon", name, shape.Type)
	}
	// A third number of a position is left out.
	var rings [][][]float64
	if err := json.Unmarshal(shape.Coordinates, &rings); err != nil {
		return fmt.Errorf("reading the coordinates of %s: %w", name, err)
	}
	order.Polygon = nil
	for _, ring := range rings {
		points := make([][2]float64, len(ring))
		for i, p := range ring {
			if len(p) < 2 {
				return fmt.Errorf("reading the coordinates of %s: a position has %d numbers", name, len(p))
			}
			points[i] = [2]float64{p[0], p[1]}
		}
		order.Polygon = append(order.Polygon, points)
	}
	return nil
}

// readBounded reads a whole file, or stdin, up to a limit.
func readBounded(c console, name string) ([]byte, error) {
	from := c.in
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("opening the zone: %w", err)
		}
		defer func() { _ = file.Close() }()
		from = file
	}
	data, err := io.ReadAll(io.LimitReader(from, maxZoneFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("reading the zone of %s: %w", name, err)
	}
	if len(data) > maxZoneFileBytes {
		return nil, fmt.Errorf("reading the zone of %s: it has more than %d bytes", name, maxZoneFileBytes)
	}
	return data, nil
}

package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// flushTracks is how often tracks are written to their files, expireTracks how
	// often it is looked what is too old.
	flushTracks  = 2 * time.Second
	expireTracks = time.Minute
	// The pages of tracks.
	trackPage    = 1000
	maxTrackPage = 10_000
	// maxTrackVehicles is how many vehicles one request may name.
	maxTrackVehicles = 100
	// A drawn line has at most linePoints points and no gap above lineGap;
	// waitingPoints of all vehicles wait to become lines.
	linePoints    = 1000
	lineGap       = time.Minute
	waitingPoints = 100_000
)

// keepTracks writes tracks until ctx ends; who opened the store closes it.
func (s *Server) keepTracks(ctx context.Context) {
	store := s.options.Tracks
	if store == nil {
		return
	}
	flush, expire := time.NewTicker(flushTracks), time.NewTicker(expireTracks)
	defer flush.Stop()
	defer expire.Stop()
	failing := false
	for {
		var err error
		select {
		case <-ctx.Done():
			return
		case <-flush.C:
			err = store.Flush()
		case <-expire.C:
			err = store.Expire(s.options.Clock())
		}
		if err != nil && !failing {
			s.options.Log.Error("tracks cannot be kept", "error", err)
		}
		failing = err != nil
	}
}

// serveTracks serves GET /v1/tracks.
func (s *Server) serveTracks(w http.ResponseWriter, r *http.Request) {
	q, p := parseExport(r, trackPage, maxTrackPage, "vehicle")
	if p == nil && s.options.Tracks == nil {
		p = newProblem(codeTracksNotKept, "this server keeps no tracks")
	}
	wanted := track.Query{From: q.from, Until: q.until, Vehicles: listed(q.values, "vehicle")}
	if p == nil && (len(wanted.Vehicles) > maxTrackVehicles || slices.Contains(wanted.Vehicles, "")) {
		p = newProblem(codeInvalid, "vehicle must be 1 to %d ids, separated by commas", maxTrackVehicles).about("query.vehicle")
	}
	if p == nil && q.cursor != "" {
		var err error
		if wanted.After, err = track.ParsePosition(q.cursor); err != nil {
			p = newProblem(codeMalformedCursor, "cursor must be a next_cursor of this list").about("query.cursor")
		}
	}
	if p != nil {
		p.write(w)
		return
	}
	if q.form == asJSON {
		s.trackPage(w, r, q, wanted)
		return
	}
	if !s.exporting(w) {
		return
	}
	defer s.exports.Add(-1)
	d := beginDownload(w, q.form, "tracks")
	sheet := newTrackSheet(d, q.form)
	next, err := s.readTracks(r.Context(), wanted, q.limit, sheet.add)
	if err == nil {
		err = sheet.end(next)
	}
	s.end(d, next, err)
}

// readTracks hands at most limit samples on; next is empty when those were all.
func (s *Server) readTracks(ctx context.Context, wanted track.Query, limit int, take func(track.Sample) error) (next string, err error) {
	n := 0
	var broken error
	at, more, err := s.options.Tracks.Read(ctx, wanted, func(one track.Sample) bool {
		if n == limit || broken != nil {
			return false
		}
		n++
		broken = take(one)
		return true
	})
	if more {
		next = at.String()
	}
	return next, errors.Join(err, broken)
}

func (s *Server) trackPage(w http.ResponseWriter, r *http.Request, q exportQuery, wanted track.Query) {
	ctx, cancel := context.WithTimeout(r.Context(), s.options.AnswerWithin)
	defer cancel()
	list := api.List[api.TrackPoint]{Items: []api.TrackPoint{}}
	var err error
	list.NextCursor, err = s.readTracks(ctx, wanted, q.limit, func(one track.Sample) error {
		list.Items = append(list.Items, trackPoint(one))
		return nil
	})
	if err != nil {
		p := fromEngine(err)
		if p == nil {
			s.options.Log.Error("tracks cannot be read", "error", err)
			p = newProblem(codeInternal, "the tracks could not be read; the server's log says more")
		}
		p.write(w)
		return
	}
	w.Header().Set("Vary", "Accept")
	writeJSON(w, list)
}

func trackPoint(one track.Sample) api.TrackPoint {
	return api.TrackPoint{
		Vehicle: one.Vehicle, Time: one.Time, SpeedMPS: one.SpeedMPS, HeadingDeg: one.HeadingDeg, BatteryRatio: one.BatteryRatio, Mode: one.Mode,
		Position: api.Position{Lon: one.Lon, Lat: one.Lat, AltitudeM: &one.AltitudeM, Level: one.Level},
	}
}

// trackSheet writes samples in one of the forms of a file.
type trackSheet interface {
	add(track.Sample) error
	// end writes what is left; next is where another download goes on, empty for
	// nowhere.
	end(next string) error
}

func newTrackSheet(w io.Writer, form string) trackSheet {
	switch form {
	case asCSV:
		sheet := &trackTable{csv.NewWriter(w)}
		_ = sheet.w.Write([]string{"vehicle", "time", "lon", "lat", "altitude_m", "level", "speed_mps", "heading_deg", "battery_ratio", "mode"})
		return sheet
	case asKML:
		return newTrackLines(&kml{w: w})
	default:
		return newTrackLines(&geoSheet{w: w})
	}
}

type trackTable struct{ w *csv.Writer }

func (t *trackTable) add(s track.Sample) error {
	return t.w.Write([]string{
		cell(s.Vehicle), s.Time.Format(time.RFC3339Nano), decimal(s.Lon), decimal(s.Lat), decimal(s.AltitudeM), cell(s.Level),
		decimal(s.SpeedMPS), decimal(s.HeadingDeg), decimal(s.BatteryRatio), cell(s.Mode),
	})
}

func (t *trackTable) end(string) error {
	t.w.Flush()
	return t.w.Error()
}

func decimal(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// drawing takes the pieces of tracks as they are finished.
type drawing interface {
	line(points []track.Sample) error
	end(next string) error
}

// trackLines gathers the samples of each vehicle to lines.
type trackLines struct {
	out     drawing
	waiting map[string][]track.Sample
	points  int
}

func newTrackLines(out drawing) *trackLines {
	return &trackLines{out: out, waiting: map[string][]track.Sample{}}
}

func (l *trackLines) add(s track.Sample) error {
	line := l.waiting[s.Vehicle]
	n := len(line)
	if n > 0 && (n >= linePoints || s.Time.Sub(line[n-1].Time) > lineGap) {
		if err := l.out.line(line); err != nil {
			return err
		}
		l.points -= n
		last := line[n-1]
		line = line[:0]
		if s.Time.Sub(last.Time) <= lineGap {
			// The next piece begins where this one ends.
			line = append(line, last)
			l.points++
		}
	}
	l.waiting[s.Vehicle] = append(line, s)
	l.points++
	if l.points > waitingPoints {
		return l.flush()
	}
	return nil
}

func (l *trackLines) flush() error {
	for _, id := range slices.Sorted(maps.Keys(l.waiting)) {
		if err := l.out.line(l.waiting[id]); err != nil {
			return err
		}
	}
	clear(l.waiting)
	l.points = 0
	return nil
}

func (l *trackLines) end(next string) error {
	if err := l.flush(); err != nil {
		return err
	}
	return l.out.end(next)
}

// geoSheet writes a feature collection, feature by feature.
type geoSheet struct {
	w     io.Writer
	begun bool
}

func (g *geoSheet) feature(f feature) error {
	separator := ",\n"
	if !g.begun {
		separator = `{"type":"FeatureCollection","features":[` + "\n"
	}
	g.begun = true
	encoded, err := json.Marshal(f)
	if err != nil {
		return fmt.Errorf("server: drawing %s: %w", f.ID, err)
	}
	_, err = io.WriteString(g.w, separator+string(encoded))
	return err
}

func (g *geoSheet) line(points []track.Sample) error {
	properties := struct {
		Vehicle   string      `json:"vehicle"`
		Times     []time.Time `json:"times"`
		Altitudes []float64   `json:"altitudes_m"`
		Speeds    []float64   `json:"speeds_mps"`
		Batteries []float64   `json:"battery_ratios"`
	}{Vehicle: points[0].Vehicle}
	var coordinates []lonLat
	for i := range points {
		p := &points[i]
		coordinates = append(coordinates, lonLat{p.Lon, p.Lat})
		properties.Times = append(properties.Times, p.Time)
		properties.Altitudes = append(properties.Altitudes, p.AltitudeM)
		properties.Speeds = append(properties.Speeds, p.SpeedMPS)
		properties.Batteries = append(properties.Batteries, p.BatteryRatio)
	}
	drawn := &geometry{"LineString", coordinates}
	if len(coordinates) == 1 {
		drawn = &geometry{"Point", coordinates[0]}
	}
	return g.feature(feature{"Feature", points[0].Vehicle + "@" + points[0].Time.Format(time.RFC3339Nano), drawn, properties})
}

func (g *geoSheet) end(next string) error {
	tail := "\n]"
	if !g.begun {
		tail = `{"type":"FeatureCollection","features":[]`
	}
	if next != "" {
		tail += `,"next_cursor":` + strconv.Quote(next) // A cursor is plain ASCII.
	}
	_, err := io.WriteString(g.w, tail+"}\n")
	return err
}

// listShape is the name of a page's items in the document.
func listShape(item string) reflect.Type {
	if item == "Event" {
		return reflect.TypeFor[api.List[api.Event]]()
	}
	return reflect.TypeFor[api.List[api.TrackPoint]]()
}

// exportAnswer describes a page and the other forms.
func (s *Server) exportAnswer(id string, page reflect.Type) *huma.Response {
	schemas := s.api.OpenAPI().Components.Schemas
	text := &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	types := exportTypes()
	return &huma.Response{
		Description: strings.ToUpper(http.StatusText(http.StatusOK)),
		Content: map[string]*huma.MediaType{
			types[asJSON]:    {Schema: schemas.Schema(page, true, id)},
			types[asGeoJSON]: {Schema: schemas.Schema(reflect.TypeFor[featureCollection](), true, "")},
			types[asCSV]:     text, types[asKML]: text,
		},
	}
}

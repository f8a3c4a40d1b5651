package server

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// eventQuery is which events are asked for.
type eventQuery struct {
	exportQuery
	after  uint64
	filter engine.Filter
}

func parseEventQuery(r *http.Request) (eventQuery, *problem) {
	shared, p := parseExport(r, defaultLimit, maxLimit, "after", "task", "vehicle", "mission", "type")
	q := eventQuery{exportQuery: shared}
	ids := map[string]string{}
	for _, name := range []string{"task", "vehicle", "mission", "type"} {
		if p == nil {
			ids[name], p = q.id(name)
		}
	}
	if p != nil {
		return q, p
	}
	q.filter = engine.Filter{
		Task: fleet.TaskID(ids["task"]), Vehicle: fleet.VehicleID(ids["vehicle"]), Mission: fleet.MissionID(ids["mission"]), Type: ids["type"],
	}
	var err error
	if text := q.values.Get("after"); text != "" {
		if q.after, err = strconv.ParseUint(text, 10, 64); err != nil {
			return q, newProblem(codeInvalid, "after must be the index of an event").about("query.after")
		}
	}
	if q.cursor != "" {
		if q.after, err = strconv.ParseUint(q.cursor, 10, 64); err != nil {
			return q, newProblem(codeMalformedCursor, "cursor must be a next_cursor of this list").about("query.cursor")
		}
	}
	return q, nil
}

// serveEvents serves GET /v1/events.
func (s *Server) serveEvents(w http.ResponseWriter, r *http.Request) {
	q, p := parseEventQuery(r)
	if p != nil {
		p.write(w)
		return
	}
	if q.form == asJSON {
		s.eventPage(w, r, q)
		return
	}
	if !s.exporting(w) {
		return
	}
	defer s.exports.Add(-1)
	// What is too old is told before anything is sent.
	q.after, p = s.beginEvents(r.Context(), q)
	if p != nil {
		p.write(w)
		return
	}
	d := beginDownload(w, q.form, "events")
	sheet := newEventSheet(d, q.form, s.backend.View().State)
	next, err := s.readEvents(r.Context(), q, sheet.add)
	if err == nil {
		err = sheet.end(next)
	}
	s.end(d, next, err)
}

// eventPage answers with a page. A page may be short, or empty, and still have a
// next one: the filter looks at a bounded number of events.
func (s *Server) eventPage(w http.ResponseWriter, r *http.Request, q eventQuery) {
	ctx, cancel := context.WithTimeout(r.Context(), s.options.AnswerWithin)
	defer cancel()
	list := api.List[json.RawMessage]{Items: []json.RawMessage{}}
	var p *problem
	if q.after, p = s.beginEvents(ctx, q); p != nil {
		p.write(w)
		return
	}
	var err error
	if q.after < 1<<64-1 {
		list.NextCursor, err = s.eventsOnce(ctx, &q, q.limit, func(e fleet.Recorded) error {
			item, err := fleet.EncodeEvent(publicEvent(e))
			list.Items = append(list.Items, item)
			return err
		})
	}
	if err != nil {
		s.eventProblem(err, q.after).write(w)
		return
	}
	w.Header().Set("Vary", "Accept")
	writeJSON(w, list)
}

func (s *Server) eventProblem(err error, after uint64) *problem {
	if errors.Is(err, engine.ErrTooOld) {
		return newProblem(codeTooOld, "events after %d are no longer all kept", after)
	}
	if p := fromEngine(err); p != nil {
		return p
	}
	s.options.Log.Error("events cannot be read", "error", err)
	return newProblem(codeInternal, "the events could not be read; the server's log says more")
}

// beginEvents is the index behind which to read: that of the request, or that of
// the last event before its time, found by halving: events are in the order of
// time.
func (s *Server) beginEvents(ctx context.Context, q eventQuery) (uint64, *problem) {
	if q.from.IsZero() || q.cursor != "" {
		return q.after, nil
	}
	first, err := s.backend.Events(ctx, 0, 1, engine.Filter{})
	if err != nil {
		return 0, s.eventProblem(err, q.after)
	}
	if len(first.Events) == 0 || !first.Events[0].Time.Before(q.from) {
		return q.after, nil
	}
	before, above := first.Events[0].Index, first.Last+1
	for before+1 < above {
		middle := before + (above-before)/2
		page, err := s.backend.Events(ctx, middle, 1, engine.Filter{})
		switch {
		case err != nil:
			return 0, s.eventProblem(err, middle)
		case len(page.Events) > 0 && page.Events[0].Time.Before(q.from):
			before = middle
		default:
			above = middle
		}
	}
	return max(before, q.after), nil
}

// readEvents hands on all events that are asked for, up to the limit.
func (s *Server) readEvents(ctx context.Context, q eventQuery, take func(fleet.Recorded) error) (next string, err error) {
	left := q.limit
	for left > 0 && q.after < 1<<64-1 {
		next, err = s.eventsOnce(ctx, &q, min(left, maxLimit), func(e fleet.Recorded) error {
			left--
			return take(e)
		})
		if err != nil || next == "" {
			return "", err
		}
	}
	return next, nil
}

// eventsOnce hands on a page of events and moves the query behind it; next is
// empty when those were the last.
func (s *Server) eventsOnce(ctx context.Context, q *eventQuery, limit int, take func(fleet.Recorded) error) (next string, err error) {
	from := q.after + 1
	if q.after == 0 {
		from = 0 // The oldest that is kept.
	}
	page, err := s.backend.Events(ctx, from, limit, q.filter)
	if err != nil {
		return "", fmt.Errorf("server: reading events after %d: %w", q.after, err)
	}
	for _, e := range page.Events {
		if !q.until.IsZero() && !e.Time.Before(q.until) {
			return "", nil
		}
		if err := take(e); err != nil {
			return "", fmt.Errorf("server: writing event %d: %w", e.Index, err)
		}
	}
	if page.Next > page.Last || page.Next == 0 {
		return "", nil
	}
	q.after = page.Next - 1
	return strconv.FormatUint(q.after, 10), nil
}

// eventSheet writes events in one of the forms of a file.
type eventSheet struct {
	state *fleet.State
	table *csv.Writer
	geo   *geoSheet
	kml   *kml
}

func newEventSheet(w io.Writer, form string, state *fleet.State) *eventSheet {
	sheet := &eventSheet{state: state}
	switch form {
	case asCSV:
		sheet.table = csv.NewWriter(w)
		_ = sheet.table.Write([]string{"index", "time", "actor", "cause", "input", "type", "tasks", "vehicles", "missions", "lon", "lat", "data"})
	case asKML:
		sheet.kml = &kml{w: w}
	default:
		sheet.geo = &geoSheet{w: w}
	}
	return sheet
}

func (t *eventSheet) add(r fleet.Recorded) error {
	r = publicEvent(r)
	where := eventPlace(&t.state.Durable, r.Event)
	data, err := json.Marshal(r.Event)
	if err != nil {
		return err
	}
	if t.table != nil {
		lon, lat := "", ""
		if where != nil {
			p := firstPoint(where)
			lon, lat = decimal(p[0]), decimal(p[1])
		}
		about := engine.Concerns(r.Event)
		return t.table.Write([]string{
			strconv.FormatUint(r.Index, 10), r.Time.UTC().Format(time.RFC3339Nano), cell(r.Actor), strconv.FormatUint(r.Cause, 10), r.Input,
			r.Event.EventName(), cell(joined(about.Tasks)), cell(joined(about.Vehicles)), cell(joined(about.Missions)), lon, lat, string(data),
		})
	}
	if where == nil {
		return nil
	}
	if t.kml != nil {
		return t.kml.event(fmt.Sprintf("%d %s", r.Index, r.Event.EventName()), string(data), r.Time.UTC(), where)
	}
	whole, err := fleet.EncodeEvent(r)
	if err != nil {
		return err
	}
	return t.geo.feature(feature{"Feature", strconv.FormatUint(r.Index, 10), where, json.RawMessage(whole)})
}

func (t *eventSheet) end(next string) error {
	switch {
	case t.table != nil:
		t.table.Flush()
		return t.table.Error()
	case t.kml != nil:
		return t.kml.end(next)
	default:
		return t.geo.end(next)
	}
}

func joined[T ~string](ids []T) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, " ")
}

func firstPoint(g *geometry) lonLat {
	switch c := g.Coordinates.(type) {
	case lonLat:
		return c
	case []lonLat:
		return c[0]
	case [][]lonLat:
		return c[0][0]
	default:
		return lonLat{}
	}
}

// eventPlace is where an event happened or what it draws, nil for none: the
// stops of a task (while it is in memory), the way of a mission, a vehicle's
// home, the place of an incident, the outline of a zone.
func eventPlace(d *fleet.Durable, event fleet.Event) *geometry {
	switch e := event.(type) { //nolint:gochecksumtype // The others have no place.
	case fleet.VehicleRegistered:
		if e.Vehicle.HomeKnown {
			return &geometry{"Point", lonLatOf(e.Vehicle.Home)}
		}
	case fleet.TaskOrdered:
		return stopsGeometry(e.Task.Stops)
	case fleet.StopChanged:
		if t, ok := d.Tasks[e.Task]; ok && e.Stop >= 0 && e.Stop < len(t.Stops) {
			return &geometry{"Point", lonLatOf(t.Stops[e.Stop].At)}
		}
	case fleet.MissionIssued:
		return legsGeometry(e.Legs)
	case fleet.IncidentReported:
		return &geometry{"Point", lonLatOf(e.Incident.At)}
	case fleet.IncidentChanged:
		if i, ok := d.Incidents[e.Incident]; ok {
			return &geometry{"Point", lonLatOf(i.At)}
		}
	case fleet.ZoneChanged:
		rings := make([][]lonLat, 0, len(e.Zone.Zone.Polygon))
		for _, ring := range e.Zone.Zone.Polygon {
			line := make([]lonLat, len(ring))
			for i := range ring {
				line[i] = lonLat(ring[i])
			}
			rings = append(rings, line)
		}
		if len(rings) > 0 && len(rings[0]) > 0 {
			return &geometry{"Polygon", rings}
		}
	default:
		if t, ok := d.Tasks[taskOf(e)]; ok {
			return stopsGeometry(t.Stops)
		}
	}
	return nil
}

func lonLatOf(p space.Position) lonLat { return lonLat{p.Lon, p.Lat} }

func stopsGeometry(stops []fleet.Stop) *geometry {
	if len(stops) == 0 {
		return nil
	}
	points := make([]lonLat, len(stops))
	for i := range stops {
		points[i] = lonLatOf(stops[i].At)
	}
	return &geometry{"MultiPoint", points}
}

func legsGeometry(legs []fleet.Leg) *geometry {
	var lines [][]lonLat
	for i := range legs {
		if len(legs[i].Path) < 2 {
			continue
		}
		line := make([]lonLat, len(legs[i].Path))
		for n, p := range legs[i].Path {
			line[n] = lonLatOf(p)
		}
		lines = append(lines, line)
	}
	if len(lines) == 0 {
		return nil
	}
	return &geometry{"MultiLineString", lines}
}

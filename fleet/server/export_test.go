package server

import (
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// tracked is a world with tracks of two vehicles: r1 for an hour, with a break
// of ten minutes after the first half, and r2 for one sample.
func tracked(t *testing.T) (*world, time.Time) {
	t.Helper()
	store, err := track.Open(track.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := newWorld(t, func(o *Options) { o.Tracks = store })
	start := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	take := func(id fleet.VehicleID, at time.Time, n int) {
		store.Take([]fleet.Recorded{{Event: fleet.Moved{Vehicle: id, Sample: protocol.Sample{
			Time: at, Position: protocol.Position{Lon: 113.93 + float64(n)*1e-6, Lat: 22.51, AltitudeM: 4.5}, BatteryRatio: 0.5, Mode: protocol.ModeIdle,
		}}}})
	}
	take("r2", start, 0)
	for n := range 3600 {
		if n < 1800 || n >= 2400 {
			take("r1", start.Add(time.Duration(n)*time.Second), n)
		}
	}
	w.must(store.Flush())
	return w, start
}

// TestTracksInEveryForm reads the same track as pages of JSON, GeoJSON, CSV and
// KML.
func TestTracksInEveryForm(t *testing.T) {
	w, start := tracked(t)
	const points = 3000
	var seen []api.TrackPoint
	for cursor := ""; ; {
		var page api.List[api.TrackPoint]
		w.want(http.StatusOK, &page, "viewer", "GET", "/v1/tracks?vehicle=r1&limit=700"+cursor, "")
		seen = append(seen, page.Items...)
		if page.NextCursor == "" {
			break
		}
		cursor = "&cursor=" + page.NextCursor
	}
	if len(seen) != points || !seen[0].Time.Equal(start) || seen[0].Mode != "idle" || *seen[0].Position.AltitudeM != 4.5 {
		t.Fatalf("%d points, the first is %+v", len(seen), seen[0])
	}

	var collection struct {
		Features []struct {
			Geometry struct {
				Type        string       `json:"type"`
				Coordinates [][2]float64 `json:"coordinates"`
			} `json:"geometry"`
			Properties struct {
				Vehicle string      `json:"vehicle"`
				Times   []time.Time `json:"times"`
			} `json:"properties"`
		} `json:"features"`
	}
	a := w.want(http.StatusOK, &collection, "viewer", "GET", "/v1/tracks?vehicle=r1", "", "Accept", "application/geo+json")
	if a.header.Get("Content-Type") != geoJSONType {
		t.Errorf("the content type is %q", a.header.Get("Content-Type"))
	}
	at := 0
	for n, f := range collection.Features {
		if f.Geometry.Type != "LineString" || len(f.Geometry.Coordinates) != len(f.Properties.Times) {
			t.Fatalf("feature %d is a %s of %d points with %d times", n, f.Geometry.Type, len(f.Geometry.Coordinates), len(f.Properties.Times))
		}
		for i, when := range f.Properties.Times {
			if i == 0 && at > 0 && when.Equal(seen[at-1].Time) {
				continue // A piece begins where the last one ended.
			}
			if !when.Equal(seen[at].Time) || f.Geometry.Coordinates[i][0] != seen[at].Position.Lon {
				t.Fatalf("point %d is %v, want %v", at, when, seen[at].Time)
			}
			at++
		}
	}
	if at != points || len(collection.Features) != 4 {
		t.Errorf("%d lines with %d points", len(collection.Features), at)
	}

	a = w.want(http.StatusOK, nil, "viewer", "GET", "/v1/tracks?format=csv", "")
	rows, err := csv.NewReader(strings.NewReader(string(a.body))).ReadAll()
	if err != nil || len(rows) != points+2 || strings.Join(rows[1][:4], " ") != "r1 "+start.Format(time.RFC3339)+" 113.93 22.51" {
		t.Errorf("%d rows of CSV, %v, %v", len(rows), rows[1], err)
	}

	a = w.want(http.StatusOK, nil, "viewer", "GET", "/v1/tracks?format=kml", "")
	when, coordinates := elements(t, string(a.body), "when"), elements(t, string(a.body), "coord")
	if when != coordinates || when < points {
		t.Errorf("KML has %d times and %d places", when, coordinates)
	}
}

// elements counts the elements of a name in well-formed XML.
func elements(t *testing.T, text, name string) int {
	t.Helper()
	n := 0
	for decoder := xml.NewDecoder(strings.NewReader(text)); ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			t.Fatalf("the XML is malformed: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == name {
			n++
		}
	}
}

// TestDownloadsEndAtTheirLimit and say where the next one goes on.
func TestDownloadsEndAtTheirLimit(t *testing.T) {
	w, start := tracked(t)
	request, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+w.address+"/v1/tracks?format=csv&limit=100&from="+
		start.Add(time.Minute).Format(time.RFC3339), nil)
	w.must(err)
	request.Header.Set("Authorization", "Bearer "+w.secrets["viewer"])
	response, err := http.DefaultTransport.RoundTrip(request)
	w.must(err)
	body, err := io.ReadAll(response.Body)
	w.must(err)
	w.must(response.Body.Close())
	next := response.Trailer.Get(nextCursor)
	if lines := strings.Count(string(body), "\n"); lines != 101 || next == "" {
		t.Fatalf("%d lines, the trailer is %q", lines, next)
	}
	var rest api.List[api.TrackPoint]
	w.want(http.StatusOK, &rest, "viewer", "GET", "/v1/tracks?limit=1&cursor="+next+"&from="+start.Add(time.Minute).Format(time.RFC3339), "")
	if want := start.Add(160 * time.Second); !rest.Items[0].Time.Equal(want) {
		t.Errorf("it goes on at %v, want %v", rest.Items[0].Time, want)
	}

	w.server.exports.Store(maxExports)
	w.problem(http.StatusServiceUnavailable, codeTooManyExports, "viewer", "GET", "/v1/events?format=csv", "")
	w.server.exports.Store(0)
	for _, query := range []string{
		"format=xlsx", "from=yesterday", "from=2026-03-01T06:00:00Z&until=2026-03-01T06:00:00Z", "limit=0", "limit=10001", "format=csv&limit=1000001",
		"speed=1", "vehicle=", "vehicle=a&vehicle=b", "vehicle=" + strings.Repeat("a,", 100) + "a",
	} {
		w.problem(http.StatusUnprocessableEntity, codeInvalid, "viewer", "GET", "/v1/tracks?"+query, "")
	}
	w.problem(http.StatusBadRequest, codeMalformedCursor, "viewer", "GET", "/v1/tracks?cursor=x", "")
	without := newWorld(t, func(o *Options) { o.Tracks = nil })
	without.problem(http.StatusNotFound, codeTracksNotKept, "viewer", "GET", "/v1/tracks", "")
}

// TestEventsInEveryForm: CSV has all events of a span of time, GeoJSON and KML
// those with a place.
func TestEventsInEveryForm(t *testing.T) {
	w := newWorld(t, nil)
	for range 3 {
		w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/tasks", w.visit())
	}
	var all api.List[api.Event]
	w.want(http.StatusOK, &all, "viewer", "GET", "/v1/events?limit=1000", "")
	if len(all.Items) < 4 || all.NextCursor != "" {
		t.Fatalf("%d events", len(all.Items))
	}
	rows, err := csv.NewReader(strings.NewReader(string(w.want(http.StatusOK, nil, "viewer", "GET", "/v1/events", "", "Accept", "text/csv").body))).ReadAll()
	if err != nil || len(rows) != len(all.Items)+1 || rows[1][0] != "1" || rows[len(rows)-1][0] != strconv.Itoa(len(all.Items)) {
		t.Errorf("%d rows of %d events, %v", len(rows), len(all.Items), err)
	}
	var collection struct {
		Features []struct {
			ID         string          `json:"id"`
			Geometry   json.RawMessage `json:"geometry"`
			Properties api.Event       `json:"properties"`
		} `json:"features"`
	}
	w.want(http.StatusOK, &collection, "viewer", "GET", "/v1/events?type=task_ordered&format=geojson", "")
	if len(collection.Features) != 3 || collection.Features[0].Properties.Type != "task_ordered" || !strings.Contains(string(collection.Features[0].Geometry), "MultiPoint") {
		t.Errorf("the features are %+v", collection.Features)
	}
	if n := elements(t, string(w.want(http.StatusOK, nil, "viewer", "GET", "/v1/events?format=kml", "").body), "Placemark"); n < 3 {
		t.Errorf("%d placemarks", n)
	}
	w.want(http.StatusOK, &collection, "viewer", "GET", "/v1/events?format=geojson&type=nothing", "")
	if len(collection.Features) != 0 {
		t.Errorf("the features are %+v", collection.Features)
	}

	// A span of time is found, wherever it begins.
	for n, from := range all.Items {
		var page api.List[api.Event]
		span := "from=" + from.Time.Format(time.RFC3339Nano)
		w.want(http.StatusOK, &page, "viewer", "GET", "/v1/events?"+span, "")
		want := n
		for want > 0 && all.Items[want-1].Time.Equal(from.Time) {
			want--
		}
		if len(page.Items) != len(all.Items)-want || page.Items[0].Index != all.Items[want].Index {
			t.Errorf("from %v: %d events, want %d", from.Time, len(page.Items), len(all.Items)-want)
		}
		w.want(http.StatusOK, &page, "viewer", "GET", "/v1/events?until="+from.Time.Format(time.RFC3339Nano), "")
		if len(page.Items) != want {
			t.Errorf("until %v: %d events, want %d", from.Time, len(page.Items), want)
		}
	}
	for path, code := range map[string]string{
		"/v1/events?after=x": codeInvalid, "/v1/events?limit=1001": codeInvalid, "/v1/events?task=" + strings.Repeat("T", 65): codeInvalid, "/v1/events?speed=1": codeInvalid,
	} {
		w.problem(http.StatusUnprocessableEntity, code, "viewer", "GET", path, "")
	}
	w.problem(http.StatusBadRequest, codeMalformedCursor, "viewer", "GET", "/v1/events?cursor=x", "")
}

// TestEventPlaces: what an event draws.
func TestEventPlaces(t *testing.T) {
	d := &fleet.NewState().Durable
	d.Tasks["T1"] = &fleet.Task{ID: "T1", Stops: make([]fleet.Stop, 2)}
	for _, c := range []struct {
		event fleet.Event
		want  string
	}{
		{fleet.TaskChanged{Task: "T1"}, "MultiPoint"},
		{fleet.TaskChanged{Task: "T2"}, ""},
		{fleet.StopChanged{Task: "T1", Stop: 1}, "Point"},
		{fleet.StopChanged{Task: "T1", Stop: 2}, ""},
		{fleet.MissionIssued{Mission: "M1"}, ""},
		{fleet.IncidentReported{}, "Point"},
		{fleet.ZoneChanged{}, ""},
		{fleet.AlertRaised{}, ""},
		{fleet.VehicleRegistered{Vehicle: fleet.Vehicle{HomeKnown: true}}, "Point"},
	} {
		got := ""
		if where := eventPlace(d, c.event); where != nil {
			got = where.Type
			if drawn := kmlGeometry(where); elements(t, drawn, "coordinates") == 0 {
				t.Errorf("%s draws %s", c.event.EventName(), drawn)
			}
		}
		if got != c.want {
			t.Errorf("%s is drawn as %q, want %q", c.event.EventName(), got, c.want)
		}
	}
	polygon := &geometry{"Polygon", [][]lonLat{{{0, 0}, {1, 0}, {1, 1}, {0, 0}}, {{0.5, 0.1}, {0.6, 0.1}, {0.6, 0.2}, {0.5, 0.1}}}}
	if drawn := kmlGeometry(polygon); elements(t, drawn, "LinearRing") != 2 || fmt.Sprint(firstPoint(polygon)) != "[0 0]" {
		t.Errorf("a polygon with a hole is %s", drawn)
	}
}

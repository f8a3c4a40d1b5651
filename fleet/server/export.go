package server

import (
	"bufio"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// The limits of tracks and events as files.
const (
	// maxExportRows is how many points or events one download has at most; the
	// trailer Next-Cursor says where the next one goes on.
	maxExportRows = 1_000_000
	// maxExports is how many downloads may be under way at once.
	maxExports = 4
	// exportStalls is how long a client may take for a piece of a download.
	exportStalls = 30 * time.Second
	// nextCursor is the trailer of a download that ended at its limit.
	nextCursor = "Next-Cursor"
)

// The forms of tracks and events.
const (
	asJSON    = "json"
	asGeoJSON = "geojson"
	asCSV     = "csv"
	asKML     = "kml"
)

// exportTypes are the media types of the forms.
func exportTypes() map[string]string {
	return map[string]string{
		asJSON: "application/json", asGeoJSON: geoJSONType, asCSV: "text/csv", asKML: "application/vnd.google-earth.kml+xml",
	}
}

// exportQuery is what the addresses of tracks and events are asked for.
type exportQuery struct {
	values      url.Values
	form        string
	from, until time.Time
	limit       int
	cursor      string
}

// parseExport reads the parameters that tracks and events share, and checks that
// there are none but those and the others.
func parseExport(r *http.Request, pageLimit, maxPage int, others ...string) (exportQuery, *problem) {
	q := exportQuery{values: r.URL.Query(), form: asJSON}
	known := append([]string{"cursor", "format", "from", "limit", "until"}, others...)
	for name, values := range q.values {
		if !slices.Contains(known, name) || len(values) != 1 {
			return q, newProblem(codeInvalid, "parameters are %s, each at most once", strings.Join(known, ", ")).about("query." + name)
		}
	}
	var p *problem
	if q.form, p = formOf(r); p != nil {
		return q, p
	}
	var err error
	for name, t := range map[string]*time.Time{"from": &q.from, "until": &q.until} {
		text := q.values.Get(name)
		if *t, err = time.Parse(time.RFC3339Nano, text); text != "" && err != nil {
			return q, newProblem(codeInvalid, "%s must be a time such as 2026-03-01T06:00:00Z", name).about("query." + name)
		}
	}
	if !q.from.IsZero() && !q.until.IsZero() && !q.from.Before(q.until) {
		return q, newProblem(codeInvalid, "until must be later than from").about("query.until")
	}
	most := maxPage
	q.limit = pageLimit
	if q.form != asJSON {
		most, q.limit = maxExportRows, maxExportRows
	}
	if text := q.values.Get("limit"); text != "" {
		if q.limit, err = strconv.Atoi(text); err != nil || q.limit < 1 || q.limit > most {
			return q, newProblem(codeInvalid, "limit must be from 1 to %d", most).about("query.limit")
		}
	}
	q.cursor = q.values.Get("cursor")
	return q, nil
}

// formOf is the form that a request asks for: by name, or else by the Accept
// header, whose first known type counts.
func formOf(r *http.Request) (string, *problem) {
	types := exportTypes()
	if name := r.URL.Query().Get("format"); name != "" {
		if _, ok := types[name]; !ok {
			return "", newProblem(codeInvalid, "format must be json, geojson, csv or kml").about("query.format")
		}
		return name, nil
	}
	for _, header := range r.Header.Values("Accept") {
		for part := range strings.SplitSeq(header, ",") {
			name, params, err := mime.ParseMediaType(part)
			if err != nil || params["q"] == "0" {
				continue
			}
			for form, media := range types {
				if name == media {
					return form, nil
				}
			}
		}
	}
	return asJSON, nil
}

// id reads a parameter that names one thing.
func (q exportQuery) id(name string) (string, *problem) {
	text := q.values.Get(name)
	if len(text) > 64 {
		return "", newProblem(codeInvalid, "%s has at most 64 characters", name).about("query." + name)
	}
	return text, nil
}

// download is an answer that is sent while it is made: nothing of it is held in
// memory but the piece under way.
type download struct {
	*bufio.Writer
	answer http.ResponseWriter
}

// piecewise extends the time that the client has, piece by piece.
type piecewise struct {
	answer  http.ResponseWriter
	control *http.ResponseController
}

// Write implements io.Writer.
func (d *piecewise) Write(b []byte) (int, error) {
	// Not every writer has deadlines; then the server's own holds.
	_ = d.control.SetWriteDeadline(time.Now().Add(exportStalls))
	return d.answer.Write(b)
}

// beginDownload prepares the head of a download, which goes out with the first
// piece.
func beginDownload(w http.ResponseWriter, form, name string) *download {
	h := w.Header()
	h.Set("Content-Type", exportTypes()[form])
	h.Set("Content-Disposition", `attachment; filename="`+name+"."+form+`"`)
	h.Set("Vary", "Accept")
	h.Set("Trailer", nextCursor)
	return &download{bufio.NewWriterSize(&piecewise{w, http.NewResponseController(w)}, 64<<10), w}
}

// end sends the rest. What could not be made or sent whole is cut off, so that
// nobody takes it for whole.
func (s *Server) end(d *download, next string, err error) {
	if err == nil {
		err = d.Flush()
	}
	if err != nil {
		s.options.Log.Warn("a download was cut off", "error", err)
		panic(http.ErrAbortHandler)
	}
	if next != "" {
		d.answer.Header().Set(nextCursor, next)
	}
}

// cell is a text as it stands in CSV. Spreadsheets take what begins like a
// formula for one and run it when the file is opened; an apostrophe makes it a
// text. Numbers do not pass through here: theirs may begin with a minus.
func cell(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r\n", rune(text[0])) {
		return "'" + text
	}
	return text
}

// exporting counts a download in; false when too many are under way.
func (s *Server) exporting(w http.ResponseWriter) bool {
	if s.exports.Add(1) <= maxExports {
		return true
	}
	s.exports.Add(-1)
	newProblem(codeTooManyExports, "%d downloads are under way, which is the limit", maxExports).with("Retry-After", "10").write(w)
	return false
}

// registerExports adds the addresses of tracks and events.
func (s *Server) registerExports() {
	shared := []*huma.Param{
		queryParam("from", "Not before this time (RFC 3339).", huma.TypeString),
		queryParam("until", "Before this time (RFC 3339).", huma.TypeString),
		queryParam("limit", "At most so many: of events 100 when left out and at most 1000 in a page, of tracks 1000 and 10000; in other forms than JSON at most 1000000, which is also meant when it is left out.", huma.TypeInteger),
		queryParam("cursor", "From next_cursor, or from the trailer Next-Cursor.", huma.TypeString),
		queryParam("format", "json, geojson, csv or kml, instead of the Accept header.", huma.TypeString),
	}
	s.registerOne(raw{
		path: "/v1/events", id: "list-events", tag: "events", needs: toRead, serve: s.serveEvents,
		summary: "Read the durable events, in order, with their causes",
		description: "A page of JSON, or all of them as GeoJSON, CSV or KML: the events of a span of time go out while they are read. " +
			"GeoJSON and KML have those that have a place.",
		answer: s.exportAnswer("list-events", listShape("Event")),
		query: append([]*huma.Param{
			queryParam("after", "Events with a greater index.", huma.TypeInteger),
			queryParam("task", "Those that concern this task.", huma.TypeString),
			queryParam("vehicle", "Those that concern this vehicle.", huma.TypeString),
			queryParam("mission", "Those that concern this mission.", huma.TypeString),
			queryParam("type", "Those of this type.", huma.TypeString),
		}, shared...),
		codes: []string{codeMalformedCursor, codeTooOld, codeInvalid, codeUnavailable, codeAnswerLate, codeTooManyExports},
	})
	s.registerOne(raw{
		path: "/v1/tracks", id: "read-tracks", tag: "tracks", needs: toRead, serve: s.serveTracks,
		summary: "Read where vehicles were",
		description: "Of each vehicle at most one sample a second, for as long as tracks are kept; the newest few seconds may be missing. " +
			"Those of one vehicle come in the order of time. GeoJSON has a LineString for each piece of a track, with the times of its points.",
		answer: s.exportAnswer("read-tracks", listShape("TrackPoint")),
		query:  append([]*huma.Param{queryParam("vehicle", "Of these vehicles, at most 100, separated by commas; of all when left out.", huma.TypeString)}, shared...),
		codes:  []string{codeMalformedCursor, codeInvalid, codeTracksNotKept, codeAnswerLate, codeTooManyExports},
	})
}

package server

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestForeignTextsInFiles puts into every text what a spreadsheet, an XML reader
// or a browser would obey, and reads the files with strict readers.
func TestForeignTextsInFiles(t *testing.T) {
	const nasty = "=cmd|'/C calc'!A0 </name><script>alert(1)</script> ]]> & \u202egnp \x1b[2J \x00 \r\n\"x\",\"y"
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
	for _, id := range []string{nasty, "-2+3", "@SUM(A1)", "+1", "r1"} {
		store.Take([]fleet.Recorded{{Event: fleet.Moved{Vehicle: fleet.VehicleID(id), Sample: protocol.Sample{
			Time:     time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC),
			Position: protocol.Position{Lon: -113.93, Lat: -22.51, Level: "=1+1"}, Mode: protocol.Mode(nasty),
		}}}})
	}
	w.must(store.Flush())
	note, err := json.Marshal(nasty)
	w.must(err)
	w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/tasks", `{"kind":"visit","note":`+string(note)+`,"stops":[{"site":"`+w.site(0)+`"}]}`)
	w.want(http.StatusCreated, nil, "dispatcher", "POST", "/v1/incidents", `{"kind":"fire","note":`+string(note)+`,"site":"`+w.site(0)+`"}`)

	for _, path := range []string{"/v1/tracks", "/v1/events"} {
		rows, err := csv.NewReader(bytes.NewReader(w.want(http.StatusOK, nil, "viewer", "GET", path+"?format=csv", "").body)).ReadAll()
		if err != nil || len(rows) < 3 {
			t.Fatalf("%s: %d rows, %v", path, len(rows), err)
		}
		for _, row := range rows {
			for i, text := range row {
				if _, err := strconv.ParseFloat(text, 64); err != nil && text != "" && strings.ContainsAny(text[:1], "=+-@\t\r\n") {
					t.Errorf("%s: column %s holds the formula %q", path, rows[0][i], text)
				}
			}
		}
		geo := w.want(http.StatusOK, nil, "viewer", "GET", path+"?format=geojson", "").body
		if !json.Valid(geo) || !bytes.Contains(geo, []byte("script")) {
			t.Errorf("%s: the GeoJSON is not whole: %.300s", path, geo)
		}
		inside := ""
		document := xml.NewDecoder(bytes.NewReader(w.want(http.StatusOK, nil, "viewer", "GET", path+"?format=kml", "").body))
		for {
			token, err := document.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: the KML is not XML: %v", path, err)
			}
			if element, ok := token.(xml.StartElement); ok && element.Name.Local == "script" {
				t.Errorf("%s: a text became an element", path)
			}
			if text, ok := token.(xml.CharData); ok {
				inside += string(text)
			}
		}
		if !strings.Contains(inside, "<script>") && !strings.Contains(inside, `\u003cscript\u003e`) {
			t.Errorf("%s: the text is not in the KML", path)
		}
	}
}

// TestLogLinesStayLines: nothing that a client sends makes a line of its own in
// the log, or colours it.
func TestLogLinesStayLines(t *testing.T) {
	var log logBook
	w := newWorld(t, func(o *Options) {
		o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	r := w.connect("r1", "", protocol.SubprotocolJSON)
	r.login()
	for _, text := range []string{"x\ntime=2026 level=ERROR msg=forged", "x\r\x1b[2J", "x\u202egnp\u2028y\u009b2J"} {
		quoted, err := json.Marshal(text)
		w.must(err)
		w.do("dispatcher", "POST", "/v1/tasks", `{"kind":"visit","note":`+string(quoted)+`,"stops":[{"site":"`+w.site(0)+`"}]}`)
		w.do("dispatcher", "POST", "/v1/tasks", string(quoted))
		w.do("dispatcher", "GET", "/v1/tasks/"+url.QueryEscape(text), "")
		w.do("dispatcher", "GET", "/v1/events?type="+url.QueryEscape(text), "", "Origin", "http://x", "User-Agent", "x\ty", "X-Forwarded-For", "1.2.3.4, \tforged")
		w.must(r.conn.Send([]byte(`{"type":` + string(quoted) + `}`)))
		w.must(r.conn.Send([]byte(`{"type":"fault","seq":1,"code":"c","text":` + string(quoted) + `,"time":"2026-03-01T06:00:00Z"}`)))
	}
	r.conn.Close(1000, "x\u202e\u2028y")
	w.stop()
	for line := range strings.Lines(log.text()) {
		if !strings.HasPrefix(line, "time=") || strings.ContainsAny(strings.TrimSuffix(line, "\n"), "\r\x1b\u009b\u202e\u2028") {
			t.Errorf("the log has the line %q", line)
		}
	}
}

// logBook keeps what is logged.
type logBook struct {
	mu   sync.Mutex // guards kept
	kept bytes.Buffer
}

// Write implements io.Writer.
func (b *logBook) Write(data []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept.Write(data)
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept.String()
}

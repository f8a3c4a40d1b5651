package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// patience bounds every wait of these tests.
const patience = 20 * time.Second

// world is a server with a real engine, on a real socket of the loopback.
type world struct {
	t       *testing.T
	chart   *chart.Chart
	engine  *engine.Engine
	server  *Server
	address string
	tokens  *access.Store
	secrets map[string]string
	// diskFull makes every write to the journal fail.
	diskFull atomic.Bool
	// stop ends the server; the test fails if that is not an orderly end.
	stop context.CancelFunc
}

// failing is a journal on a disk that may be full.
type failing struct {
	journal.Journal
	full *atomic.Bool
}

func (f failing) Append(records []journal.Record) error {
	if f.full.Load() {
		return errors.New("no space left on device")
	}
	return f.Journal.Append(records)
}

func newWorld(t *testing.T, change func(*Options)) *world {
	t.Helper()
	w := &world{t: t, secrets: map[string]string{}}
	var err error
	w.chart, err = harbour.Chart()
	w.must(err)
	dir := t.TempDir()
	w.tokens, err = access.OpenStore(filepath.Join(dir, "tokens"))
	w.must(err)
	for _, token := range []access.Token{
		{Name: "viewer", Role: access.Viewer},
		{Name: "dispatcher", Role: access.Dispatcher},
		{Name: "second", Role: access.Dispatcher},
		{Name: "admin", Role: access.Admin},
		{Name: "elsewhere", Role: access.Admin, Fleet: "north"},
		{Name: "r1", Role: access.Vehicle, Fleet: "harbour", Vehicle: "r1"},
		{Name: "sim", Role: access.Simulator, Fleet: "harbour"},
	} {
		w.secrets[token.Name], err = w.tokens.Create(token, time.Now(), rand.Reader)
		w.must(err)
	}
	config := fleet.DefaultConfig()
	config.TrustSamples = true // The vehicles of tests leap from place to place.
	w.engine, err = engine.Open(t.Context(), engine.EngineOptions{
		Options: engine.Options{Chart: w.chart, Config: config},
		Journal: func() (journal.Journal, error) {
			j, err := journal.Open(filepath.Join(dir, "journal"), journal.Options{})
			return failing{j, &w.diskFull}, err
		},
		Tick: 100 * time.Millisecond,
	})
	w.must(err)
	tracks, err := track.Open(track.Options{Dir: filepath.Join(dir, "tracks")})
	w.must(err)
	t.Cleanup(func() { w.must(tracks.Close()) })
	o := Options{Backend: Engine{w.engine}, Tracks: tracks, Chart: w.chart, Access: w.tokens, Fleet: "harbour", Log: slog.New(slog.NewTextHandler(t.Output(), nil))}
	o.Responses = fleet.DefaultConfig().ResponseViews()
	if change != nil {
		change(&o)
	}
	w.server, err = New(o)
	w.must(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	w.must(err)
	w.address = listener.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	w.stop = stop
	served := make(chan error, 1)
	go func() { served <- w.server.Serve(ctx, listener) }()
	t.Cleanup(func() {
		stop()
		if err := <-served; err != nil {
			t.Errorf("the server did not end in order: %v", err)
		}
		end, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := w.engine.Shutdown(end); err != nil {
			t.Errorf("the engine did not end in order: %v", err)
		}
	})
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// answer is what a request got.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) into(t *testing.T, v any) {
	t.Helper()
	if err := json.Unmarshal(a.body, v); err != nil {
		t.Fatalf("status %d, body %q: %v", a.status, a.body, err)
	}
}

// do sends a request as the named token's holder; headers are pairs of name and
// value.
func (w *world) do(who, method, path, body string, headers ...string) answer {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, "http://"+w.address+path, reader)
	w.must(err)
	if secret, ok := w.secrets[who]; ok {
		request.Header.Set("Authorization", "Bearer "+secret)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	w.must(err)
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	w.must(err)
	w.documented(request, response.StatusCode, read)
	return answer{response.StatusCode, response.Header, bytes.TrimSpace(read)}
}

// documented demands that the OpenAPI document has the status of an answer, and
// the code of a problem.
func (w *world) documented(request *http.Request, status int, body []byte) {
	w.t.Helper()
	inner, _ := w.server.inFleet(request)
	_, pattern := w.server.mux.Handler(inner)
	if pattern == "" || status == http.StatusTemporaryRedirect {
		return
	}
	var d document
	w.must(json.Unmarshal(w.server.document, &d))
	method, path, _ := strings.Cut(pattern, " ")
	known, ok := d.Paths[path][strings.ToLower(method)].Responses[strconv.Itoa(status)]
	if !ok {
		w.t.Errorf("%s %s answered with status %d, which the document does not have for %s", request.Method, request.URL, status, pattern)
	}
	var p api.Problem
	if status < 400 || json.Unmarshal(body, &p) != nil {
		return
	}
	if !slices.Contains(strings.Split(known.Description, ", "), p.Code) {
		w.t.Errorf("%s %s answered with the problem %s, which the document does not have for %s", request.Method, request.URL, p.Code, pattern)
	}
}

// want sends a request and decodes an answer that must have the status.
func (w *world) want(status int, v any, who, method, path, body string, headers ...string) answer {
	w.t.Helper()
	a := w.do(who, method, path, body, headers...)
	if a.status != status {
		w.t.Fatalf("%s %s as %s: status %d, want %d; body %s", method, path, who, a.status, status, a.body)
	}
	if v != nil {
		a.into(w.t, v)
	}
	return a
}

// problem sends a request that must be refused with the status and code.
func (w *world) problem(status int, code, who, method, path, body string, headers ...string) api.Problem {
	w.t.Helper()
	a := w.do(who, method, path, body, headers...)
	var p api.Problem
	if got := a.header.Get("Content-Type"); got != problemType {
		w.t.Fatalf("%s %s: status %d, content type %q, want a problem; body %s", method, path, a.status, got, a.body)
	}
	a.into(w.t, &p)
	if a.status != status || p.Status != status || p.Code != code || p.Title == "" || p.Detail == "" || p.Type != "urn:kapok:problem:"+code {
		w.t.Fatalf("%s %s: status %d, problem %s, want status %d, code %s", method, path, a.status, a.body, status, code)
	}
	return p
}

// site is a place of the chart to order things to.
func (w *world) site(n int) string { return w.chart.Sites[n].ID }

func (w *world) visit() string {
	return `{"kind":"visit","stops":[{"site":"` + w.site(0) + `","work_s":5}]}`
}

// number writes a coordinate as JSON does.
func number(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

package server

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// idle is a backend with an empty fleet that does nothing.
type idle struct {
	Backend
	// ask answers requests; nil answers 200 and {}.
	ask func(context.Context) (fleet.Answer, error)
}

func (b *idle) Ask(ctx context.Context, _, _, _ string, _ fleet.Ask) (fleet.Answer, error) {
	if b.ask != nil {
		return b.ask(ctx)
	}
	return fleet.Answer{Status: http.StatusCreated, Body: []byte("{}")}, nil
}
func (*idle) Ready() error                { return nil }
func (*idle) Stats() engine.Stats         { return engine.Stats{} }
func (*idle) View() *engine.View          { return &engine.View{State: fleet.NewState()} }
func (*idle) Follow(uint64) (Feed, error) { return &silence{}, nil }

// silence is a feed without events.
type silence struct{}

func (*silence) Next(ctx context.Context) ([]fleet.Recorded, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// roll is a gate whose secrets are the names of its tokens.
type roll map[string]access.Token

func (r roll) Lookup(secret string) (access.Token, bool) {
	token, ok := r[secret]
	return token, ok
}

func (roll) Reload() (bool, error) { return false, nil }

func newRoll() roll {
	r := roll{}
	for _, token := range []access.Token{
		{Name: "viewer", Role: access.Viewer},
		{Name: "other", Role: access.Viewer},
		{Name: "dispatcher", Role: access.Dispatcher},
		{Name: "r1", Role: access.Vehicle, Fleet: "harbour", Vehicle: "r1"},
		{Name: "sim", Role: access.Simulator, Fleet: "harbour"},
	} {
		r[token.Name] = token
	}
	return r
}

// newEdge is a server without sockets and with an idle backend.
func newEdge(t testing.TB, change func(*Options)) *Server {
	t.Helper()
	on, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	o := Options{
		Backend: &idle{}, Chart: on, Access: newRoll(), Fleet: "harbour",
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)), Responses: fleet.DefaultConfig().ResponseViews(),
	}
	if change != nil {
		change(&o)
	}
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := s.Shutdown(end); err != nil {
			t.Errorf("the server did not end in order: %v", err)
		}
	})
	return s
}

// ask is a request to a server without sockets; headers are pairs of name and
// value, of which each is added.
func ask(t testing.TB, who, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	if body != "" {
		r = httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
	}
	if who != "" {
		r.Header.Set("Authorization", "Bearer "+who)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

// from sends a request as if from an address.
func from(s *Server, address string, r *http.Request) *httptest.ResponseRecorder {
	r.RemoteAddr = address + ":40000"
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

// refusedWith demands a problem.
func refusedWith(t *testing.T, w *httptest.ResponseRecorder, status int, code string) api.Problem {
	t.Helper()
	var p api.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != status || p.Code != code {
		t.Fatalf("status %d, body %s; want %d, %s", w.Code, w.Body, status, code)
	}
	return p
}

// metric reads one line of /metrics.
func metric(t *testing.T, s *Server, name string) string {
	t.Helper()
	// An address of its own, which no limit of a test concerns.
	w := from(s, "203.0.113.9", ask(t, "", "GET", "/metrics", ""))
	for line := range bytes.Lines(w.Body.Bytes()) {
		if value, ok := strings.CutPrefix(strings.TrimSpace(string(line)), name+" "); ok {
			return value
		}
	}
	return ""
}

// begin is any time.
func begin() time.Time { return time.Date(2026, 5, 4, 4, 0, 0, 0, time.UTC) }

package server

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// FuzzRequest sends any method, address, header and body that passes HTTP to a
// server with a real fleet behind it. Whatever comes, the answer is JSON of a
// good status or a problem of the table, never a fault of the server, and no
// input stops the fleet.
func FuzzRequest(f *testing.F) {
	s, secret := fuzzedServer(f)
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete, http.MethodPatch}
	addresses := addressesOf(f, s)
	examples, err := readExamples()
	if err != nil {
		f.Fatal(err)
	}
	for _, e := range examples {
		method, target, ok := e.target(addresses)
		if !ok {
			f.Fatalf("the example of %s has no address", e.Operation)
		}
		for i := range methods {
			if methods[i] == method {
				f.Add(uint8(i), target, []byte(e.Request), "application/geo+json", `"1"`, "key")
			}
		}
	}
	f.Add(uint8(1), "/v1/tasks", []byte(`{"kind":"visit","stops":[{"position":{"lon":1e400,"lat":-91}}]}`), "", "", "")
	f.Add(uint8(1), "/v1/tasks", bytes.Repeat([]byte(`[`), 100_000), "", "", "")
	f.Add(uint8(2), "/v1/zones/%2e%2e/x", []byte(`{"rule":"keep_out","polygon":[[[0,0],[1,1],[0,1],[1,0],[0,0]]]}`), "", "*", "")
	f.Add(uint8(1), "/v1/zones", []byte(`{"rule":"keep_out","polygon":[[[113.93,22.51],[113.93,22.51],[113.93,22.51],[113.93,22.51]]],"floor_m":-1e308}`), "", "", "k")
	f.Add(uint8(0), "/v1/events?format=kml&from=0000-01-01T00:00:00Z&cursor=18446744073709551615", []byte{}, "text/csv;q=2", "W/", "")
	f.Add(uint8(0), "/v1/fleets/harbour/v1/../tasks?limit=-1&cursor=!&state=waiting,%00", []byte{}, ",;", "", "\xff")
	f.Fuzz(func(t *testing.T, method uint8, target string, body []byte, accept, ifMatch, key string) {
		at, err := url.ParseRequestURI(target)
		if err != nil || !strings.HasPrefix(target, "/") {
			return
		}
		r := httptest.NewRequestWithContext(t.Context(), methods[int(method)%len(methods)], "http://localhost/", bytes.NewReader(body))
		r.URL, r.RequestURI = at, target
		r.Header.Set("Authorization", "Bearer "+secret)
		for name, value := range map[string]string{"Accept": accept, "If-Match": ifMatch, "Idempotency-Key": key} {
			if value != "" {
				r.Header.Set(name, value)
			}
		}
		if len(body) > 0 {
			r.Header.Set("Content-Type", "application/json")
		}
		w := httptest.NewRecorder()
		began := time.Now()
		s.ServeHTTP(w, r)
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%s %s took %v", r.Method, target, took)
		}
		wellAnswered(t, r, w)
	})
}

// wellAnswered judges an answer by what a client may rely on.
func wellAnswered(t *testing.T, r *http.Request, w *httptest.ResponseRecorder) {
	t.Helper()
	kind := w.Header().Get("Content-Type")
	switch {
	case w.Code >= 400:
		var p api.Problem
		if kind != problemType || json.Unmarshal(w.Body.Bytes(), &p) != nil {
			t.Fatalf("%s %s: status %d is no problem: %q", r.Method, r.URL, w.Code, w.Body)
		}
		if _, ok := kinds()[p.Code]; !ok || p.Code == codeInternal || p.Status != w.Code || p.Detail == "" {
			t.Errorf("%s %s: %s", r.Method, r.URL, w.Body)
		}
		if w.Body.Len() > 64<<10 {
			t.Errorf("%s %s: a problem of %d bytes", r.Method, r.URL, w.Body.Len())
		}
	case w.Code >= 300:
		if to := w.Header().Get("Location"); !strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//") {
			t.Errorf("%s %s leads away to %q", r.Method, r.URL, to)
		}
	case kind == "application/json" || kind == geoJSONType:
		if !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s: status %d and no JSON: %q", r.Method, r.URL, w.Code, w.Body)
		}
	}
}

// fuzzedServer is a server with a fleet on a journal in memory, and the secret of
// an admin.
func fuzzedServer(f *testing.F) (s *Server, secret string) {
	f.Helper()
	must := func(err error) {
		f.Helper()
		if err != nil {
			f.Fatal(err)
		}
	}
	on, err := harbour.Chart()
	must(err)
	tokens, err := access.OpenStore(filepath.Join(f.TempDir(), "tokens"))
	must(err)
	secret, err = tokens.Create(access.Token{Name: "admin", Role: access.Admin}, time.Now(), rand.Reader)
	must(err)
	config := fleet.DefaultConfig()
	config.MaxOpenTasks, config.MaxVehicles = 50, 20
	disk := journaltest.NewMemFS(1)
	e, err := engine.Open(f.Context(), engine.EngineOptions{
		Options: engine.Options{Chart: on, Config: config},
		Journal: func() (journal.Journal, error) { return journal.Open("journal", journal.Options{FS: disk}) },
		Tick:    100 * time.Millisecond,
	})
	must(err)
	f.Cleanup(func() {
		end, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		must(e.Shutdown(end))
	})
	s, err = New(Options{Backend: Engine{e}, Chart: on, Access: tokens, Fleet: "harbour", Responses: config.ResponseViews(), Limits: Limits{
		// It is asked thousands of times a second, from one address with one token.
		TokenRate: maxRate, TokenBurst: maxCount, AddressRate: maxRate, AddressBurst: maxCount, FailureRate: maxRate, FailureBurst: maxCount,
	}})
	must(err)
	return s, secret
}

// addressesOf are the methods and paths of the operations by their ids.
func addressesOf(f *testing.F, s *Server) map[string][2]string {
	f.Helper()
	var d struct {
		Paths map[string]map[string]struct {
			OperationID string `json:"operationId"`
		} `json:"paths"`
	}
	if err := json.Unmarshal(s.document, &d); err != nil {
		f.Fatal(err)
	}
	all := map[string][2]string{}
	for path, item := range d.Paths {
		for method, o := range item {
			all[o.OperationID] = [2]string{strings.ToUpper(method), path}
		}
	}
	return all
}

// target is the method and address of an example.
func (e *example) target(addresses map[string][2]string) (method, target string, ok bool) {
	at, ok := addresses[e.Operation]
	path := at[1]
	for name, value := range e.Path {
		path = strings.ReplaceAll(path, "{"+name+"}", url.PathEscape(value))
	}
	query := url.Values{}
	for name, value := range e.Query {
		query.Set(name, value)
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	return at[0], path, ok
}

package server

import (
	"context"
	"io"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
)

// TestEveryErrorIsAProblem sends what clients should not send.
func TestEveryErrorIsAProblem(t *testing.T) {
	w := newWorld(t, nil)
	order := func(stop string) string { return `{"kind":"visit","stops":[` + stop + `]}` }
	for _, c := range []struct {
		name               string
		status             int
		code               string
		who, method, path  string
		body, field, extra string
	}{
		{"unknown path", 404, codeNotFound, "viewer", "GET", "/v1/nothing", "", "", ""},
		{"root", 404, codeNotFound, "", "GET", "/", "", "", ""},
		{"other fleet", 404, codeFleetNotFound, "viewer", "GET", "/v1/fleets/north/tasks", "", "", ""},
		{"bare fleet", 404, codeFleetNotFound, "viewer", "GET", "/v1/fleets/north", "", "", ""},
		{"wrong method", 405, codeMethodNotAllowed, "viewer", "DELETE", "/v1/tasks", "", "", ""},
		{"wrong method on health", 405, codeMethodNotAllowed, "", "POST", "/healthz", "", "", ""},
		{"unknown task", 404, codeTaskNotFound, "viewer", "GET", "/v1/tasks/T7", "", "", ""},
		{"unknown vehicle", 404, codeVehicleNotFound, "viewer", "GET", "/v1/vehicles/r7", "", "", ""},
		{"unknown mission", 404, codeMissionNotFound, "viewer", "GET", "/v1/missions/M7", "", "", ""},
		{"unknown command", 404, codeCommandNotFound, "viewer", "GET", "/v1/commands/C7", "", "", ""},
		{"unknown alert", 404, "alert_not_found", "dispatcher", "POST", "/v1/alerts/A7/acknowledge", "", "", ""},
		{"malformed JSON", 400, codeMalformedJSON, "dispatcher", "POST", "/v1/tasks", `{"kind":`, "body", ""},
		{"two values", 400, codeMalformedJSON, "dispatcher", "POST", "/v1/tasks", w.visit() + "{}", "body", ""},
		{"NaN as text", 400, codeMalformedJSON, "dispatcher", "POST", "/v1/tasks", order(`{"work_s":NaN}`), "body", ""},
		{"no body", 400, codeMalformedJSON, "dispatcher", "POST", "/v1/tasks", "", "", ""},
		{"a list", 422, codeInvalid, "dispatcher", "POST", "/v1/tasks", `[]`, "body", ""},
		{"unknown field", 422, codeInvalid, "dispatcher", "POST", "/v1/tasks", `{"kind":"visit","stops":[{"site":"x"}],"colour":"red"}`, "body.colour", ""},
		{"wrong type", 422, codeInvalid, "dispatcher", "POST", "/v1/tasks", order(`{"site":"x","work_s":"NaN"}`), "body.stops[0].work_s", ""},
		{"huge number", 422, codeInvalid, "dispatcher", "POST", "/v1/tasks", order(`{"site":"x","work_s":1e300}`), "body.stops[0].work_s", ""},
		{"beyond float64", 400, codeMalformedJSON, "dispatcher", "POST", "/v1/tasks", order(`{"site":"x","work_s":1e999}`), "body", ""},
		{"no stops", 422, codeInvalid, "dispatcher", "POST", "/v1/tasks", order(""), "body.stops", ""},
		{"unknown site", 422, "no_such_site", "dispatcher", "POST", "/v1/tasks", order(`{"site":"nowhere"}`), "body.stops[0].site", ""},
		{"outside", 422, "outside_chart", "dispatcher", "POST", "/v1/tasks", order(`{"position":{"lon":0,"lat":0}}`), "body.stops[0].position", ""},
		{"bad limit", 422, codeInvalid, "viewer", "GET", "/v1/tasks?limit=0", "", "query.limit", ""},
		{"bad filter", 422, codeInvalid, "viewer", "GET", "/v1/tasks?state=finished", "", "query.state[0]", ""},
		{"unknown parameter", 422, codeInvalid, "viewer", "GET", "/v1/tasks?stat=done", "", "query.stat", ""},
		{"bad id", 422, codeInvalid, "admin", "PUT", "/v1/vehicles/a%20b", `{"kind":"rover","model":"x"}`, "path.id", ""},
		{"wrong type of body", 415, codeUnsupportedMedia, "dispatcher", "POST", "/v1/tasks", w.visit(), "", "text/plain"},
		{"body too large", 413, codeBodyTooLarge, "dispatcher", "POST", "/v1/tasks", order(strings.Repeat(" ", maxBodyBytes)), "", ""},
		{"stream without upgrade", 426, codeUpgradeRequired, "viewer", "GET", "/v1/stream", "", "", ""},
		{"stream with a bad rate", 422, codeInvalid, "viewer", "GET", "/v1/stream?rate_hz=NaN", "", "query.rate_hz", ""},
		{"used ticket", 401, codeTicketInvalid, "", "GET", "/v1/stream?ticket=abc", "", "", ""},
		{"link without upgrade", 426, codeUpgradeRequired, "r1", "GET", "/v1/link", "", "", ""},
		{"simulator without vehicle", 422, codeInvalid, "sim", "GET", "/v1/link", "", "query.vehicle", ""},
		{"another vehicle's link", 403, codeForbidden, "r1", "GET", "/v1/link?vehicle=r2", "", "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var headers []string
			if c.extra != "" {
				headers = []string{"Content-Type", c.extra}
			}
			p := w.problem(c.status, c.code, c.who, c.method, c.path, c.body, headers...)
			if p.Field != c.field {
				t.Errorf("the field is %q, want %q; detail %q", p.Field, c.field, p.Detail)
			}
		})
	}
	several := w.problem(422, codeInvalid, "dispatcher", "POST", "/v1/tasks", `{"kind":"dance","stops":[],"rank":1000}`)
	if len(several.Errors) != 3 {
		t.Errorf("a request with three faults lists %d: %+v", len(several.Errors), several)
	}
	if a := w.do("viewer", "DELETE", "/v1/tasks", ""); !strings.Contains(a.header.Get("Allow"), "POST") {
		t.Errorf("405 must name the methods that there are, not %q", a.header.Get("Allow"))
	}
	upgrade := []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA=="}
	w.problem(400, codeSubprotocol, "r1", "GET", "/v1/link", "", upgrade...)
	w.problem(400, codeMalformedRequest, "viewer", "GET", "/v1/stream", "", "Connection", "Upgrade", "Upgrade", "websocket")
	w.problem(403, codeOriginRefused, "viewer", "GET", "/v1/stream", "", append(upgrade, "Origin", "https://elsewhere.example")...)
	w.problem(403, codeOriginRefused, "r1", "GET", "/v1/link", "", append(upgrade, "Origin", "https://elsewhere.example")...)
	w.problem(410, codeTooOld, "viewer", "GET", "/v1/stream?after=999999", "", upgrade...)
}

// broken is a backend that fails in the ways that an engine may.
type broken struct {
	Backend
	answer fleet.Answer
	err    error
	panics bool
	state  *fleet.State
}

func (b *broken) Ask(context.Context, string, string, string, fleet.Ask) (fleet.Answer, error) {
	if b.panics {
		panic("a fault")
	}
	return b.answer, b.err
}

func (b *broken) Ready() error { return b.err }

func (b *broken) View() *engine.View { return &engine.View{State: b.state} }

func (b *broken) Follow(uint64) (Feed, error) { return nil, engine.ErrUnavailable }

// TestFaultsInsideAreProblems tells nothing of an inner fault and never answers
// 200 to it.
func TestFaultsInsideAreProblems(t *testing.T) {
	b := &broken{state: fleet.NewState()}
	w := newWorld(t, func(o *Options) {
		b.Backend = o.Backend
		o.Backend = b
	})
	b.err = engine.ErrUnavailable
	w.problem(503, codeUnavailable, "dispatcher", "POST", "/v1/tasks", w.visit())
	w.problem(503, codeUnavailable, "", "GET", "/readyz", "")
	w.want(200, nil, "", "GET", "/healthz", "")
	b.err = context.DeadlineExceeded
	w.problem(503, codeAnswerLate, "dispatcher", "POST", "/v1/tasks", w.visit())
	b.err = io.ErrUnexpectedEOF
	if p := w.problem(500, codeInternal, "dispatcher", "POST", "/v1/tasks", w.visit()); strings.Contains(p.Detail, "EOF") {
		t.Errorf("the detail tells of an inner error: %s", p.Detail)
	}
	b.err, b.panics = nil, true
	w.problem(500, codeInternal, "dispatcher", "POST", "/v1/tasks", w.visit())
	b.state.Durable.Vehicles["r1"] = &fleet.Vehicle{ID: "r1", MaxLoadKg: math.NaN()}
	w.problem(500, codeInternal, "viewer", "GET", "/v1/vehicles/r1", "")
	w.problem(500, codeInternal, "viewer", "GET", "/v1/vehicles", "", "Accept", geoJSONType)
}

// TestALateFaultCutsTheConnection: what has begun as a success must not end as
// one when the handler fails.
func TestALateFaultCutsTheConnection(t *testing.T) {
	w := newWorld(t, nil)
	w.server.mux.HandleFunc("GET /half", func(out http.ResponseWriter, _ *http.Request) {
		_, _ = out.Write([]byte("half"))
		panic("a fault")
	})
	w.server.rules["GET /half"] = openToAll
	server := httptest.NewServer(w.server)
	defer server.Close()
	response, err := server.Client().Get(server.URL + "/half")
	if err == nil {
		_, err = io.ReadAll(response.Body)
		_ = response.Body.Close()
	}
	if err == nil {
		t.Error("the client must see that the answer is not whole")
	}
}

// TestErrorsAreDocumented holds the table of codes against docs/errors.md.
func TestErrorsAreDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/errors.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range slices.Sorted(maps.Keys(kinds())) {
		if !strings.Contains(string(text), "| `"+code+"` |") {
			t.Errorf("docs/errors.md does not explain %s", code)
		}
	}
	codes, _, _ := strings.Cut(string(text), "\n## Why a vehicle does not go\n")
	for line := range strings.SplitSeq(codes, "\n") {
		if rest, ok := strings.CutPrefix(line, "| `"); ok {
			code, _, _ := strings.Cut(rest, "`")
			if _, ok := kinds()[code]; !ok {
				t.Errorf("docs/errors.md explains %s, which no answer has", code)
			}
		}
	}
}

// TestTags reads conditional headers.
func TestTags(t *testing.T) {
	for _, c := range []struct {
		header string
		ok     bool
		count  int
	}{
		{`"1"`, true, 1},
		{`"1","2"`, true, 2},
		{`"1" ,  W/"2"`, true, 2},
		{`"a,b"`, true, 1},
		{`*`, true, 0},
		{``, false, 0},
		{`"1`, false, 0},
		{`1`, false, 0},
		{`"1" "2"`, false, 0},
		{`w/"1"`, false, 0},
		{`"1", *`, false, 0},
	} {
		got, ok := parseTags(c.header)
		if ok != c.ok || len(got.strong)+len(got.weak) != c.count {
			t.Errorf("parseTags(%q) = %+v, %v", c.header, got, ok)
		}
	}
}

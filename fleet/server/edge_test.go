package server

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
)

// inBubble runs a story in virtual time: no time passes but what it waits.
func inBubble(t *testing.T, change func(*Options), story func(*testing.T, *Server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { story(t, newEdge(t, change)) })
}

// pause lets time pass.
func pause(d time.Duration) { <-time.After(d) }

// TestATokenHasARate: its burst, then 429 with the time to wait; the rate fills
// it again, and no other token is concerned.
func TestATokenHasARate(t *testing.T) {
	inBubble(t, func(o *Options) { o.Limits = Limits{TokenRate: 0.5, TokenBurst: 3} }, func(t *testing.T, s *Server) {
		get := func(who, path string) *httptest.ResponseRecorder {
			return from(s, "192.0.2.1", ask(t, who, "GET", path, ""))
		}
		for range 3 {
			if w := get("viewer", "/v1/tasks"); w.Code != http.StatusOK {
				t.Fatalf("within the burst: %d, %s", w.Code, w.Body)
			}
		}
		w := get("viewer", "/v1/tasks")
		refusedWith(t, w, http.StatusTooManyRequests, codeTooManyRequests)
		if w.Header().Get("Retry-After") != "2" {
			t.Errorf("Retry-After is %q, want 2", w.Header().Get("Retry-After"))
		}
		// What a token may not do counts as well.
		refusedWith(t, get("viewer", "/v1/link"), http.StatusForbidden, codeForbidden)
		if w := get("other", "/v1/tasks"); w.Code != http.StatusOK {
			t.Errorf("another token: %d", w.Code)
		}
		pause(2 * time.Second)
		if w := get("viewer", "/v1/tasks"); w.Code != http.StatusOK {
			t.Errorf("after the wait: %d", w.Code)
		}
		if got := metric(t, s, `kapok_refusals_total{code="too_many_requests"}`); got != "1" {
			t.Errorf("%q refusals are counted, want 1", got)
		}
	})
}

// TestAnAddressHasARate: whatever it asks, except for whether the server lives.
func TestAnAddressHasARate(t *testing.T) {
	inBubble(t, func(o *Options) { o.Limits = Limits{AddressRate: 1, AddressBurst: 2} }, func(t *testing.T, s *Server) {
		for _, path := range []string{"/v1/nothing", "/openapi.json"} {
			if w := from(s, "192.0.2.1", ask(t, "", "GET", path, "")); w.Code == http.StatusTooManyRequests {
				t.Fatalf("within the burst: %s", w.Body)
			}
		}
		w := from(s, "192.0.2.1", ask(t, "viewer", "GET", "/v1/tasks", ""))
		refusedWith(t, w, http.StatusTooManyRequests, codeTooManyRequests)
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q, want 1", w.Header().Get("Retry-After"))
		}
		for _, path := range []string{"/healthz", "/readyz"} {
			if w := from(s, "192.0.2.1", ask(t, "", "GET", path, "")); w.Code != http.StatusOK {
				t.Errorf("%s: %d, %s", path, w.Code, w.Body)
			}
		}
		if w := from(s, "192.0.2.2", ask(t, "viewer", "GET", "/v1/tasks", "")); w.Code != http.StatusOK {
			t.Errorf("another address: %d", w.Code)
		}
		pause(time.Second)
		if w := from(s, "192.0.2.1", ask(t, "viewer", "GET", "/v1/tasks", "")); w.Code != http.StatusOK {
			t.Errorf("after the wait: %d", w.Code)
		}
	})
}

// TestWhoeverTriesTokensIsSlowedDown, and the rightful holder behind the same
// address is not.
func TestWhoeverTriesTokensIsSlowedDown(t *testing.T) {
	inBubble(t, func(o *Options) { o.Limits = Limits{FailureRate: 1, FailureBurst: 3} }, func(t *testing.T, s *Server) {
		refusedWith(t, from(s, "192.0.2.1", ask(t, "", "GET", "/v1/tasks", "")), http.StatusUnauthorized, codeUnauthenticated)
		refusedWith(t, from(s, "192.0.2.1", ask(t, "wrong", "GET", "/v1/link", "")), http.StatusUnauthorized, codeUnauthenticated)
		refusedWith(t, from(s, "192.0.2.1", ask(t, "", "GET", "/v1/stream?ticket=wrong", "")), http.StatusUnauthorized, codeTicketInvalid)
		w := from(s, "192.0.2.1", ask(t, "wrong", "GET", "/v1/tasks", ""))
		refusedWith(t, w, http.StatusTooManyRequests, codeTooManyFailures)
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q, want 1", w.Header().Get("Retry-After"))
		}
		if w := from(s, "192.0.2.1", ask(t, "viewer", "GET", "/v1/tasks", "")); w.Code != http.StatusOK {
			t.Errorf("a good token from there: %d, %s", w.Code, w.Body)
		}
		refusedWith(t, from(s, "192.0.2.2", ask(t, "wrong", "GET", "/v1/tasks", "")), http.StatusUnauthorized, codeUnauthenticated)
		pause(time.Second)
		refusedWith(t, from(s, "192.0.2.1", ask(t, "wrong", "GET", "/v1/tasks", "")), http.StatusUnauthorized, codeUnauthenticated)
		if got := metric(t, s, `kapok_refusals_total{code="too_many_failures"}`); got != "1" {
			t.Errorf("%q refusals are counted, want 1", got)
		}
	})
}

// TestAVehicleLogsInAtARate: each vehicle for itself, whoever speaks for it; a
// simulator's token may log in many.
func TestAVehicleLogsInAtARate(t *testing.T) {
	inBubble(t, func(o *Options) { o.Limits = Limits{LoginRate: 1, LoginBurst: 2, TokenBurst: 1} }, func(t *testing.T, s *Server) {
		link := func(who, query string) *httptest.ResponseRecorder {
			return from(s, "192.0.2.1", ask(t, who, "GET", "/v1/link"+query, ""))
		}
		// The recorder cannot become a WebSocket, which is told after admission.
		refusedWith(t, link("r1", ""), http.StatusUpgradeRequired, codeUpgradeRequired)
		refusedWith(t, link("sim", "?vehicle=r1"), http.StatusUpgradeRequired, codeUpgradeRequired)
		w := link("r1", "")
		refusedWith(t, w, http.StatusTooManyRequests, codeTooManyLogins)
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q, want 1", w.Header().Get("Retry-After"))
		}
		refusedWith(t, link("sim", "?vehicle=r1"), http.StatusTooManyRequests, codeTooManyLogins)
		for i := range 100 {
			refusedWith(t, link("sim", fmt.Sprintf("?vehicle=s%d", i)), http.StatusUpgradeRequired, codeUpgradeRequired)
		}
		// What is no log-in of a vehicle counts for none.
		refusedWith(t, link("r1", "?vehicle=s100"), http.StatusForbidden, codeForbidden)
		pause(time.Second)
		refusedWith(t, link("r1", ""), http.StatusUpgradeRequired, codeUpgradeRequired)
	})
}

// TestTooManyRequestsUnderWay: of one token a quarter, of all the limit; health
// is told all the same.
func TestTooManyRequestsUnderWay(t *testing.T) {
	release := make(chan struct{})
	inBubble(t, func(o *Options) {
		o.Limits = Limits{Requests: 4}
		release = make(chan struct{})
		o.Backend = &idle{ask: func(ctx context.Context) (fleet.Answer, error) {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return fleet.Answer{Status: http.StatusCreated, Body: []byte("{}")}, nil
		}}
		gate := newRoll()
		for i := range 5 {
			token := gate["dispatcher"]
			token.Name = fmt.Sprintf("d%d", i)
			gate[token.Name] = token
		}
		o.Access = gate
	}, func(t *testing.T, s *Server) {
		body := `{"kind":"visit","stops":[{"site":"x","work_s":5}]}`
		var work sync.WaitGroup
		for i := range 4 {
			work.Go(func() {
				if w := from(s, "192.0.2.1", ask(t, fmt.Sprintf("d%d", i), "POST", "/v1/tasks", body)); w.Code != http.StatusCreated {
					t.Errorf("a request within the limit: %d, %s", w.Code, w.Body)
				}
			})
			if i == 0 {
				synctest.Wait()
				w := from(s, "192.0.2.1", ask(t, "d0", "POST", "/v1/tasks", body))
				refusedWith(t, w, http.StatusTooManyRequests, codeTooManyRequests)
				if w.Header().Get("Retry-After") != "1" {
					t.Errorf("Retry-After is %q, want 1", w.Header().Get("Retry-After"))
				}
			}
		}
		synctest.Wait()
		w := from(s, "192.0.2.1", ask(t, "d4", "GET", "/v1/tasks", ""))
		refusedWith(t, w, http.StatusServiceUnavailable, codeTooBusy)
		if w.Header().Get("Retry-After") != "1" {
			t.Errorf("Retry-After is %q, want 1", w.Header().Get("Retry-After"))
		}
		for _, path := range []string{"/healthz", "/readyz", "/metrics"} {
			if w := from(s, "192.0.2.1", ask(t, "", "GET", path, "")); w.Code != http.StatusOK {
				t.Errorf("%s: %d, %s", path, w.Code, w.Body)
			}
		}
		if got := metric(t, s, "kapok_requests_under_way"); got != "5" { // four, and this one
			t.Errorf("%s requests are under way, want 5", got)
		}
		close(release)
		work.Wait()
		if w := from(s, "192.0.2.1", ask(t, "d4", "GET", "/v1/tasks", "")); w.Code != http.StatusOK {
			t.Errorf("afterwards: %d, %s", w.Code, w.Body)
		}
		if s.underWay.count() != 0 {
			t.Errorf("%d requests are still under way", s.underWay.count())
		}
	})
}

// TestWhatARequestMayNotBe has each refusal of the edge by shape.
func TestWhatARequestMayNotBe(t *testing.T) {
	s := newEdge(t, nil)
	order := `{"kind":"visit","stops":[{"site":"x","work_s":5}]}`
	long := strings.Repeat("a", maxURLBytes)
	for _, c := range []struct {
		name    string
		r       *http.Request
		status  int
		code    string
		closing bool
	}{
		{"a body on GET", ask(t, "viewer", "GET", "/v1/tasks", order), 400, codeMalformedRequest, true},
		{"a body on DELETE", ask(t, "dispatcher", "DELETE", "/v1/zones/z", order), 400, codeMalformedRequest, true},
		{"a body on health", ask(t, "", "GET", "/healthz", order), 400, codeMalformedRequest, true},
		{"a body to nowhere", ask(t, "", "POST", "/v1/nothing", order), 404, codeNotFound, true},
		{"a body of a stranger", ask(t, "", "POST", "/v1/tasks", order), 401, codeUnauthenticated, true},
		{"a compressed body", ask(t, "dispatcher", "POST", "/v1/tasks", order, "Content-Encoding", "gzip"), 415, codeUnsupportedMedia, true},
		{"an unknown coding", ask(t, "dispatcher", "POST", "/v1/tasks", order, "Content-Encoding", "identity, br"), 415, codeUnsupportedMedia, true},
		{"two tokens", ask(t, "viewer", "GET", "/v1/tasks", "", "Authorization", "Bearer dispatcher"), 400, codeMalformedRequest, false},
		{"the same token twice", ask(t, "viewer", "GET", "/v1/tasks", "", "Authorization", "Bearer viewer"), 400, codeMalformedRequest, false},
		{"a basic password", ask(t, "", "GET", "/v1/tasks", "", "Authorization", "Basic dmlld2VyOnZpZXdlcg=="), 401, codeUnauthenticated, false},
		{"an empty token", ask(t, "", "GET", "/v1/tasks", "", "Authorization", "Bearer "), 401, codeUnauthenticated, false},
		{"a token in the URL", ask(t, "", "GET", "/v1/tasks?token=viewer", ""), 401, codeUnauthenticated, false},
		{"a long URL", ask(t, "viewer", "GET", "/v1/tasks/"+long, ""), 414, codeURLTooLong, false},
		{"a long query", ask(t, "", "GET", "/healthz/?"+long, ""), 414, codeURLTooLong, false},
		{"many parameters", ask(t, "viewer", "GET", "/v1/tasks?"+strings.Repeat("a&", 3000), ""), 400, codeMalformedRequest, false},
		{"a form of a web page", ask(t, "dispatcher", "POST", "/v1/tasks", order, "Sec-Fetch-Site", "cross-site", "Origin", "https://elsewhere.example"), 415, codeUnsupportedMedia, false},
		{"a web page asks first", ask(t, "", "OPTIONS", "/v1/tasks", "", "Origin", "https://elsewhere.example", "Access-Control-Request-Method", "POST"), 405, codeMethodNotAllowed, false},
		{"another method", ask(t, "dispatcher", "PATCH", "/v1/tasks", ""), 405, codeMethodNotAllowed, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, "a form") {
				c.r.Header.Set("Content-Type", "text/plain")
			}
			before := metric(t, s, `kapok_refusals_total{code="`+c.code+`"}`)
			w := from(s, "192.0.2.1", c.r)
			p := refusedWith(t, w, c.status, c.code)
			if closing := w.Header().Get("Connection") == "close"; closing != c.closing {
				t.Errorf("the connection is closed: %v, want %v", closing, c.closing)
			}
			if strings.Contains(p.Detail, "aaa") {
				t.Errorf("the answer repeats what was sent: %s", p.Detail)
			}
			for name := range w.Header() {
				if strings.HasPrefix(name, "Access-Control-") || name == "Server" {
					t.Errorf("the answer has the header %s", name)
				}
			}
			counted, _ := strconv.Atoi(before)
			if got := metric(t, s, `kapok_refusals_total{code="`+c.code+`"}`); got != strconv.Itoa(counted+1) {
				t.Errorf("the refusals of %s went from %q to %q", c.code, before, got)
			}
		})
	}
}

// TestWhatARequestMayBe: the near misses of what is refused.
func TestWhatARequestMayBe(t *testing.T) {
	s := newEdge(t, nil)
	order := `{"kind":"visit","stops":[{"site":"x","work_s":5}]}`
	for name, r := range map[string]*http.Request{
		"identity is no coding":  ask(t, "dispatcher", "POST", "/v1/tasks", order, "Content-Encoding", "identity"),
		"a page of elsewhere":    ask(t, "dispatcher", "POST", "/v1/tasks", order, "Origin", "https://elsewhere.example"),
		"bearer in lower case":   ask(t, "", "GET", "/v1/tasks", "", "Authorization", "bearer viewer"),
		"a list as a parameter":  ask(t, "viewer", "GET", "/v1/tasks?state=waiting,assigned&limit=5", ""),
		"the fleet's long name":  ask(t, "viewer", "GET", "/v1/fleets/harbour/tasks", ""),
		"health with a query":    ask(t, "", "GET", "/healthz?probe=1", ""),
		"a stranger's document":  ask(t, "", "GET", "/openapi.json", ""),
		"metrics unless guarded": ask(t, "", "GET", "/metrics", ""),
	} {
		if w := from(s, "192.0.2.1", r); w.Code >= 400 || w.Header().Get("Connection") == "close" {
			t.Errorf("%s: %d, %s", name, w.Code, w.Body)
		}
	}
}

// TestEveryAnswerHasTheHeaders, good and bad ones, those of huma and of net/http.
func TestEveryAnswerHasTheHeaders(t *testing.T) {
	s := newEdge(t, func(o *Options) { o.Backend = &broken{state: fleet.NewState(), panics: true} })
	for path, r := range map[string]*http.Request{
		"good":      ask(t, "viewer", "GET", "/v1/tasks", ""),
		"health":    ask(t, "", "GET", "/healthz", ""),
		"document":  ask(t, "", "GET", "/openapi.json", ""),
		"stranger":  ask(t, "", "GET", "/v1/tasks", ""),
		"nowhere":   ask(t, "", "GET", "/../etc/passwd", ""),
		"huma":      ask(t, "viewer", "GET", "/v1/tasks?limit=0", ""),
		"panic":     ask(t, "dispatcher", "POST", "/v1/tasks", `{"kind":"visit","stops":[{"site":"x"}]}`),
		"no method": ask(t, "viewer", "DELETE", "/v1/tasks", ""),
	} {
		w := from(s, "192.0.2.1", r)
		for name, values := range securityHeaders() {
			if got := w.Header()[name]; len(got) != 1 || got[0] != values[0] {
				t.Errorf("%s (%d): %s is %q, want %q", path, w.Code, name, got, values)
			}
		}
		if w.Header().Get("Strict-Transport-Security") != "" {
			t.Errorf("%s: without TLS nothing is to be said of it", path)
		}
	}
	// httptest puts TLS on a request to https.
	w := from(s, "192.0.2.1", ask(t, "", "GET", "https://kapok.example/healthz", ""))
	if got := w.Header().Get("Strict-Transport-Security"); got != overTLS()[0] {
		t.Errorf("over TLS: Strict-Transport-Security is %q", got)
	}
	if len(s.headers) != len(securityHeaders()) || s.headers.Get("Cache-Control") != "no-cache" {
		t.Errorf("an answer has changed the headers of all: %v", s.headers)
	}
}

// TestMetricsCanBeGuarded: then they are for those who may read.
func TestMetricsCanBeGuarded(t *testing.T) {
	s := newEdge(t, func(o *Options) { o.GuardMetrics = true })
	refusedWith(t, from(s, "192.0.2.1", ask(t, "", "GET", "/metrics", "")), 401, codeUnauthenticated)
	refusedWith(t, from(s, "192.0.2.1", ask(t, "r1", "GET", "/metrics", "")), 403, codeForbidden)
	if w := from(s, "192.0.2.1", ask(t, "viewer", "GET", "/metrics", "")); w.Code != 200 || !strings.Contains(w.Body.String(), "kapok_ready 1") {
		t.Errorf("a viewer: %d", w.Code)
	}
}

// BenchmarkRefusal is what it costs to refuse.
func BenchmarkRefusal(b *testing.B) {
	for name, r := range map[string]*http.Request{
		"401": ask(b, "wrong", "GET", "/v1/tasks", ""),
		"404": ask(b, "", "GET", "/v1/nothing", ""),
		"429": ask(b, "viewer", "GET", "/v1/tasks", ""),
	} {
		b.Run(name, func(b *testing.B) {
			s := newEdge(b, func(o *Options) {
				o.Limits = Limits{AddressBurst: maxCount, AddressRate: maxRate, FailureBurst: maxCount, FailureRate: maxRate, TokenRate: 1e-6, TokenBurst: 1}
			})
			b.ReportAllocs()
			for b.Loop() {
				s.ServeHTTP(httptest.NewRecorder(), r)
			}
		})
	}
}

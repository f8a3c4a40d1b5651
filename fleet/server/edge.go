package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

const (
	// maxBodyBytes is the largest request body; a larger one gets 413.
	maxBodyBytes = 1 << 20
	// maxKeyBytes bounds an Idempotency-Key.
	maxKeyBytes = 255
)

// request is what the edge found out about a request before its operation runs.
type request struct {
	caller caller
	// key scopes and names an idempotent request, empty for none; bodyHash
	// tells two bodies apart.
	key, bodyHash string
	geoJSON       bool
}

// requestKey is where the request stands in its context.
type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// ServeHTTP is the edge: it finds the route, admits the caller, bounds the body,
// and sees to it that every error is a problem.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	answer := &response{inner: w}
	answer.Header().Set("X-Content-Type-Options", "nosniff")
	answer.Header().Set("Cache-Control", "no-cache")
	route := "unknown"
	defer func() {
		s.metrics.request(route, r.Method, answer.status, time.Since(started))
	}()
	defer s.recovered(answer, r)

	r, found := s.inFleet(r)
	if !found {
		answer.fail(newProblem(codeFleetNotFound, "this server runs the fleet %q", s.options.Fleet))
		return
	}
	if _, pattern := s.mux.Handler(r); pattern != "" {
		route = pattern
	}
	if route == "unknown" {
		// The mux answers with 404 or with 405 and the methods that there are.
		s.mux.ServeHTTP(answer, r)
		answer.finish()
		return
	}
	admitted, p := s.admit(r, route)
	if p != nil {
		answer.fail(p)
		return
	}
	s.mux.ServeHTTP(answer, admitted)
	answer.finish()
}

// recovered turns a panic into a problem, or cuts the connection when part of
// the answer is already sent.
func (s *Server) recovered(answer *response, r *http.Request) {
	fault := recover()
	if fault == nil {
		return
	}
	if err, ok := fault.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(fault)
	}
	s.options.Log.Error("panic while answering a request", "method", r.Method, "path", r.URL.Path,
		"fault", fault, "stack", string(debug.Stack()))
	if !answer.fail(newProblem(codeInternal, "the request could not be answered; the server's log says more")) && !answer.hijacked {
		panic(http.ErrAbortHandler)
	}
}

// inFleet turns /v1/fleets/NAME/REST into /v1/REST. It reports false when NAME
// is not this server's fleet.
func (s *Server) inFleet(r *http.Request) (*http.Request, bool) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/v1/fleets/")
	if !ok {
		return r, true
	}
	name, rest, ok := strings.Cut(rest, "/")
	if !ok || name != s.options.Fleet {
		// Without a rest there is nothing at that address, whatever the fleet.
		return r, !ok && (name == "" || name == s.options.Fleet)
	}
	inner := *r
	inner.URL = new(url.URL)
	*inner.URL = *r.URL
	inner.URL.Path = "/v1/" + rest
	if raw, ok := strings.CutPrefix(r.URL.RawPath, "/v1/fleets/"); ok {
		_, raw, _ = strings.Cut(raw, "/")
		inner.URL.RawPath = "/v1/" + raw
	}
	return &inner, true
}

// admit checks who asks and what for, reads the body and returns the request
// with what was found in its context.
func (s *Server) admit(r *http.Request, route string) (*http.Request, *problem) {
	found := &request{geoJSON: wantsGeoJSON(r.Header.Values("Accept"))}
	rule, ok := s.rules[route]
	if !ok {
		return nil, newProblem(codeForbidden, "no rule admits anyone here")
	}
	if rule != openToAll {
		who, p := s.authenticate(r, rule)
		if p != nil {
			return nil, p
		}
		found.caller = who
	}
	if r.Method == http.MethodPost || r.Method == http.MethodPut {
		if p := readBody(r, found); p != nil {
			return nil, p
		}
	}
	if r.Method == http.MethodPost {
		key, p := idempotencyKey(r, found.caller.token)
		if p != nil {
			return nil, p
		}
		found.key = key
	}
	return r.WithContext(context.WithValue(r.Context(), requestKey{}, found)), nil
}

// readBody reads the whole body, so that it can be bounded, hashed and decoded.
func readBody(r *http.Request, found *request) *problem {
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBodyBytes))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return newProblem(codeBodyTooLarge, "the body may have at most %d bytes", maxBodyBytes).with("Connection", "close")
		}
		return newProblem(codeRequestTimeout, "the body did not arrive as announced").with("Connection", "close")
	}
	sum := sha256.Sum256(body)
	found.bodyHash = hex.EncodeToString(sum[:])
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

// idempotencyKey scopes the client's key to its token and the path, so that two
// clients cannot meet in one key.
func idempotencyKey(r *http.Request, who access.Token) (string, *problem) {
	values := r.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", nil
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > maxKeyBytes || strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return "", newProblem(codeMalformedKey, "Idempotency-Key must be one text of 1 to %d visible ASCII characters", maxKeyBytes)
	}
	return who.Name + " " + r.URL.EscapedPath() + " " + key, nil
}

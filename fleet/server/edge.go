package server

import (
	"bytes"
	"cmp"
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
	// bodyWithin is how long a body may take to arrive, from the end of the
	// headers on; a slower one gets 408.
	bodyWithin = 20 * time.Second
	// bodyWorth is how many bytes of a body count as one more request of its token.
	// What comes in chunks, without its length, counts as an eighth of the largest.
	bodyWorth = 8 << 10
	// maxBodyValues is how many JSON values a body may hold, those within others
	// included: read, each costs hundreds of bytes however short it is. The largest
	// zone has 12,300. More gets 413.
	maxBodyValues = 16384
	// refusedBodyWithin is how long the rest of a body may take that nobody wants.
	refusedBodyWithin = 2 * time.Second
	// refusedStays is how long a connection stays open that is ended because its
	// address asks too much, unless the peer ends it before.
	refusedStays = 2 * time.Second
	// maxURLBytes is the longest URL; a longer one gets 414.
	maxURLBytes = 8 << 10
	// maxParameters is how many parameters a query may have; one more gets 400.
	maxParameters = 64
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
	// refused is the code of the problem that huma answered.
	refused string
}

// requestKey is where the request stands in its context.
type requestKey struct{}

func requestOf(ctx context.Context) *request {
	if r, ok := ctx.Value(requestKey{}).(*request); ok {
		return r
	}
	return &request{}
}

// ServeHTTP is the edge: it bounds what the peer may ask, finds the route, admits
// the caller, bounds the body, and sees to it that every error is a problem.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	answer := &response{inner: w}
	found := &request{}
	asks(r)
	s.harden(answer, r)
	tooMany := false
	defer func() {
		if tooMany {
			s.linger(r)
		}
	}()
	route := "unknown"
	defer func() {
		s.metrics.request(route, r.Method, answer.status, time.Since(started))
		s.metrics.refusal(cmp.Or(answer.refused, found.refused))
		if answer.stuck {
			s.metrics.cut.WithLabelValues("request").Inc()
		}
	}()
	defer s.recovered(answer, r)

	health := r.URL.Path == "/healthz" || r.URL.Path == "/readyz"
	p := s.bounded(r, started)
	if p != nil && p.Code == codeTooManyRequests {
		// Whoever asks too much may have sent hundreds of requests ahead on each of
		// hundreds of connections. To read and refuse them all would take seconds, for
		// which everybody else would wait.
		answer.Header().Set("Connection", "close")
		tooMany = !health
	}
	if p != nil && !health {
		answer.fail(p)
		// The answer goes out before the connection lingers.
		_ = http.NewResponseController(w).Flush()
		return
	}
	r, ours := s.inFleet(r)
	if !ours {
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
	rule, ok := s.rules[route]
	if !ok {
		answer.fail(newProblem(codeForbidden, "no rule admits anyone here"))
		return
	}
	admitted, p := s.admit(r, rule, found, started)
	if p != nil {
		answer.fail(p)
		return
	}
	s.serve(answer, admitted, rule, health)
}

// linger leaves a connection open for a while that is ended with a refusal: closed
// while the peer still sends, it would take answers away that he has not read yet.
func (s *Server) linger(r *http.Request) {
	if _, ok := r.Context().Value(visitorKey{}).(*visitor); !ok {
		return
	}
	timer := time.NewTimer(refusedStays)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.Context().Done():
	case <-s.serving.Done():
	}
}

// serve answers a request that was admitted, unless too many are under way.
func (s *Server) serve(answer *response, r *http.Request, rule permission, health bool) {
	found := requestOf(r.Context())
	if counts := rule != toLink && rule != toStream && !health; counts {
		token := found.caller.token.Name
		if all, own := s.underWay.enter(token, s.options.Limits.Requests); all > 0 {
			answer.fail(newProblem(codeTooBusy, "%d requests are under way, which is the limit", all).retryAfter(time.Second))
			return
		} else if own > 0 {
			answer.fail(newProblem(codeTooManyRequests, "%d requests of this token are under way, which is the limit for one", own).retryAfter(time.Second))
			return
		}
		defer s.underWay.leave(token)
	}
	if p := s.takeBody(answer, r, found); p != nil {
		answer.fail(p)
		return
	}
	s.mux.ServeHTTP(answer, r)
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

// admit checks who asks and what for, and returns the request with what was found
// in its context. Its body is yet to be read.
func (s *Server) admit(r *http.Request, rule permission, found *request, now time.Time) (*http.Request, *problem) {
	found.geoJSON = wantsGeoJSON(r.Header.Values("Accept"))
	if rule != openToAll {
		var p *problem
		if found.caller, p = s.authenticate(r, rule, now); p != nil {
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
	r = r.WithContext(context.WithValue(r.Context(), requestKey{}, found))
	if rule == toLink {
		if p := s.mayLogIn(r, now); p != nil {
			return nil, p
		}
	}
	return r, nil
}

// takeBody reads the whole body, so that it can be bounded, hashed and decoded.
// What has no business with a body is refused.
func (s *Server) takeBody(answer *response, r *http.Request, found *request) *problem {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		if r.ContentLength != 0 {
			return newProblem(codeMalformedRequest, "a %s here has no body", r.Method)
		}
		return nil
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return newProblem(codeUnsupportedMedia, "send the body as it is: no Content-Encoding is taken")
	}
	announced := r.ContentLength != 0
	if r.ContentLength > maxBodyBytes {
		return newProblem(codeBodyTooLarge, "the body may have at most %d bytes", maxBodyBytes)
	}
	// A body costs as many requests as it has pieces of bodyWorth: reading large
	// ones is what keeps a server busiest. One in chunks may be as large as any.
	size := r.ContentLength
	if size < 0 {
		size = maxBodyBytes / 8
	}
	if wait := s.limiters.token.take(found.caller.token.Name, int(size/bodyWorth), time.Now()); wait > 0 {
		return newProblem(codeTooManyRequests, "each %d bytes of a body count as another request of this token, and there were too many", bodyWorth).retryAfter(wait)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBodyBytes))
	if err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return newProblem(codeBodyTooLarge, "the body may have at most %d bytes", maxBodyBytes)
		}
		return newProblem(codeRequestTimeout, "the body did not arrive as announced, or not within %v", bodyWithin)
	}
	if announced {
		answer.bodyTaken(len(r.TransferEncoding) > 0)
	}
	if values(body) > maxBodyValues {
		return newProblem(codeBodyTooLarge, "the body may hold at most %d JSON values", maxBodyValues)
	}
	sum := sha256.Sum256(body)
	found.bodyHash = hex.EncodeToString(sum[:])
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}

// values is at least how many JSON values a text holds, or any number where it
// is no JSON: it counts what begins and separates them.
func values(body []byte) int {
	count, quoted := 1, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case b == '"':
			quoted = !quoted
		case quoted && b == '\\':
			i++
		case !quoted && (b == ',' || b == '[' || b == '{'):
			count++
		}
	}
	return count
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

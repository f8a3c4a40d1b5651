package server

import (
	"net/http"
	"strings"
	"time"
)

// securityHeaders are those of every answer. Nothing that this server answers is
// meant to be shown, framed or embedded by a web page of elsewhere.
func securityHeaders() http.Header {
	return http.Header{
		"X-Content-Type-Options":       {"nosniff"},
		"Cache-Control":                {"no-cache"},
		"Content-Security-Policy":      {"default-src 'none'; frame-ancestors 'none'"},
		"Referrer-Policy":              {"no-referrer"},
		"X-Frame-Options":              {"DENY"},
		"Cross-Origin-Resource-Policy": {"same-origin"},
	}
}

// overTLS is what is added to them on a connection with TLS: a browser that came
// by TLS once shall come by TLS for a year.
func overTLS() []string { return []string{"max-age=31536000"} }

// harden gives the answer the headers of all answers, and the body of the request
// its time. A request whose body nobody reads ends the connection: the rest of
// the body would have to be read before anything else could be.
func (s *Server) harden(answer *response, r *http.Request) {
	h := answer.Header()
	for name, values := range s.headers {
		// The slices are shared: each has the capacity of its length, so that
		// adding to one copies it.
		h[name] = values
	}
	if r.TLS != nil {
		h["Strict-Transport-Security"] = s.strictTransport
	}
	var deadline time.Time
	if r.ContentLength != 0 {
		h.Set("Connection", "close")
		answer.unread = true
		deadline = time.Now().Add(bodyWithin)
	}
	answer.readUntil(deadline)
}

// readUntil bounds the reading of the rest of the request; the zero time does
// not. net/http's own deadline would end a request whose answer takes long. Not
// every connection has deadlines; those of net/http have.
func (r *response) readUntil(deadline time.Time) {
	_ = http.NewResponseController(r.inner).SetReadDeadline(deadline)
}

// bodyTaken says that the body was read to its end: what comes until the answer
// is given has no deadline. The connection can go on, unless the body came in
// chunks: a proxy that went by a length beside them saw its end elsewhere, and
// what follows might be another's request, or part of this one.
func (r *response) bodyTaken(chunked bool) {
	r.unread = false
	if !chunked {
		r.Header().Del("Connection")
	}
	r.readUntil(time.Time{})
}

// bodyRefused gives up on a body: net/http reads what is left of it before it
// closes, so that the peer comes to read the answer, but not for long.
func (r *response) bodyRefused() {
	if r.unread {
		r.readUntil(time.Now().Add(refusedBodyWithin))
	}
}

// bounded refuses what is beyond the address's rate, or absurd before anything is
// known of it.
func (s *Server) bounded(r *http.Request, now time.Time) *problem {
	if wait := s.limiters.address.admit(addressOf(r.RemoteAddr), now); wait > 0 {
		return newProblem(codeTooManyRequests, "this address may make %g requests a second, and %d at once",
			s.options.Limits.AddressRate, s.options.Limits.AddressBurst).retryAfter(wait)
	}
	if len(r.RequestURI) > maxURLBytes {
		return newProblem(codeURLTooLong, "a URL may have at most %d bytes", maxURLBytes)
	}
	if strings.Count(r.URL.RawQuery, "&") >= maxParameters {
		return newProblem(codeMalformedRequest, "a query may have at most %d parameters", maxParameters)
	}
	return nil
}

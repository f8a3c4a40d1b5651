package server

import (
	"net/http"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

// permission is what an address demands of its caller.
type permission int

const (
	// openToAll admits anyone: health, the API's own description, and metrics
	// unless they are guarded.
	openToAll permission = iota
	toRead
	toOperate
	toAdminister
	toLink
	// toStream is toRead, and a ticket will do.
	toStream
)

// Gate knows the tokens; access.Store is one.
type Gate interface {
	// Lookup returns what a secret stands for.
	Lookup(secret string) (access.Token, bool)
	// Reload takes in what was changed from outside.
	Reload() (changed bool, err error)
}

// caller is who made a request, and by which secret. A ticket stands for the
// token that it was given to.
type caller struct {
	token  access.Token
	secret string
}

// permits tells whether a token has a permission in this server's fleet.
func (s *Server) permits(token access.Token, p permission) bool {
	if !token.Reaches(s.options.Fleet) {
		return p == openToAll
	}
	switch p {
	case openToAll:
		return true
	case toRead, toStream:
		return access.Can(token.Role, access.ViewAll)
	case toOperate:
		return access.Can(token.Role, access.Dispatch)
	case toAdminister:
		return access.Can(token.Role, access.Administer)
	case toLink:
		return access.Can(token.Role, access.Link)
	}
	return false
}

// needed says who is permitted, for people.
func (p permission) needed() string {
	switch p {
	case openToAll:
	case toRead, toStream:
		return "viewer, dispatcher or admin"
	case toOperate:
		return "dispatcher or admin"
	case toAdminister:
		return "admin"
	case toLink:
		return "vehicle or simulator"
	}
	return "any"
}

// authenticate finds out who calls, and whether that is enough.
func (s *Server) authenticate(r *http.Request, need permission, now time.Time) (caller, *problem) {
	who, p := s.identify(r, need)
	if p != nil && p.Status == http.StatusUnauthorized {
		// Whoever tries tokens is slowed down; the lookup comes first, so that the
		// rightful holders behind the same address are not.
		if wait := s.limiters.failure.admit(addressOf(r.RemoteAddr), now); wait > 0 {
			p = newProblem(codeTooManyFailures, "too many authentications from this address have failed").retryAfter(wait)
		}
	}
	if p != nil {
		return caller{}, p
	}
	if need != toLink {
		if wait := s.limiters.token.admit(who.token.Name, now); wait > 0 {
			return caller{}, newProblem(codeTooManyRequests, "this token may make %g requests a second, and %d at once",
				s.options.Limits.TokenRate, s.options.Limits.TokenBurst).retryAfter(wait)
		}
	}
	if !who.token.Reaches(s.options.Fleet) {
		return caller{}, newProblem(codeForbidden, "this token is for another fleet")
	}
	if !s.permits(who.token, need) {
		return caller{}, newProblem(codeForbidden, "this needs a token with the role %s; this one has the role %s", need.needed(), who.token.Role)
	}
	return who, nil
}

// identify finds the caller by its token, or by its ticket where one will do.
func (s *Server) identify(r *http.Request, need permission) (caller, *problem) {
	if need == toStream {
		if query := r.URL.Query(); query.Has("ticket") {
			who, ok := s.tickets.use(query.Get("ticket"))
			if !ok || !s.stillAdmits(who, toRead) {
				return caller{}, newProblem(codeTicketInvalid, "get a new ticket: POST /v1/stream-tickets").with("WWW-Authenticate", challenge(""))
			}
			return who, nil
		}
	}
	headers := r.Header["Authorization"]
	if len(headers) > 1 {
		// Two parties on the way could each believe another one of them.
		return caller{}, newProblem(codeMalformedRequest, "send one Authorization header")
	}
	scheme, secret, ok := "", "", false
	if len(headers) == 1 {
		scheme, secret, ok = strings.Cut(headers[0], " ")
	}
	if !ok || !strings.EqualFold(scheme, "Bearer") {
		return caller{}, newProblem(codeUnauthenticated, "send the header Authorization: Bearer TOKEN; kapok token makes tokens").with("WWW-Authenticate", challenge(""))
	}
	who := caller{secret: strings.TrimSpace(secret)}
	if who.token, ok = s.options.Access.Lookup(who.secret); !ok {
		return caller{}, newProblem(codeUnauthenticated, "the token is unknown, withdrawn or expired").with("WWW-Authenticate", challenge("invalid_token"))
	}
	return who, nil
}

// mayLogIn bounds how often one vehicle opens a link. What is wrong with the
// log-in beside that is for acceptLink to say.
func (s *Server) mayLogIn(r *http.Request, now time.Time) *problem {
	vehicle, p := s.linkVehicle(r)
	if p != nil {
		return nil
	}
	wait := s.limiters.login.admit(vehicle, now)
	if wait == 0 {
		return nil
	}
	return newProblem(codeTooManyLogins, "the vehicle %q may log in %g times a second, and %d times at once",
		vehicle, s.options.Limits.LoginRate, s.options.Limits.LoginBurst).retryAfter(wait)
}

// stillAdmits tells whether a caller that was admitted would still be.
func (s *Server) stillAdmits(who caller, need permission) bool {
	token, ok := s.options.Access.Lookup(who.secret)
	return ok && token.Name == who.token.Name && token.Vehicle == who.token.Vehicle && s.permits(token, need)
}

func challenge(fault string) string {
	if fault == "" {
		return `Bearer realm="kapok"`
	}
	return `Bearer realm="kapok", error="` + fault + `"`
}

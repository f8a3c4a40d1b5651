package server

import (
	"context"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

const (
	// defaultRateHz and maxRateHz are how often positions are sent.
	defaultRateHz = 2.0
	maxRateHz     = 10.0
	// What waits for a subscriber: beyond either it is cut off.
	streamQueueFrames = 1024
	streamQueueBytes  = 32 << 20
)

type ticketInput struct {
	Body *struct{}
}

func (s *Server) registerTickets() {
	register(s, operation{
		id: "issue-stream-ticket", method: http.MethodPost, path: "/v1/stream-tickets", tag: "stream", needs: toRead,
		summary: "Get a ticket for one stream, for clients that cannot send a header",
		description: "It admits once, within 30 s, and as long as the token does. A ticket is a secret and is not kept: " +
			"an Idempotency-Key changes nothing here, a repeated request gets another ticket.",
		answers: []shape{{http.StatusCreated, api.StreamTicket{}}},
		codes:   []string{codeTooManyTickets, codeMalformedKey, codeMalformedJSON, codeBodyTooLarge, codeRequestTimeout, codeUnsupportedMedia},
	}, s.issueTicket)
}

func (s *Server) issueTicket(ctx context.Context, _ *ticketInput) (*reply, error) {
	name, expires, ok := s.tickets.issue(requestOf(ctx).caller, time.Now())
	if !ok {
		return nil, newProblem(codeTooManyTickets, "%d tickets are unused; wait until they expire", maxTickets).with("Retry-After", "30")
	}
	return encode(http.StatusCreated, api.StreamTicket{Ticket: name, ExpiresAt: expires.UTC()})
}

// wish is what a subscriber asks for.
type wish struct {
	resume bool
	after  uint64
	every  uint64
}

// parseWish reads the query of /v1/stream.
func parseWish(query url.Values) (wish, *problem) {
	w := wish{}
	for name := range query {
		switch name {
		case "after", "rate_hz", "ticket":
		default:
			return w, newProblem(codeInvalid, "the stream has no parameter of this name; it has after, rate_hz and ticket").about("query." + name)
		}
	}
	rate := defaultRateHz
	if text := query.Get("rate_hz"); text != "" {
		var err error
		if rate, err = strconv.ParseFloat(text, 64); err != nil || !(rate >= 0 && rate <= maxRateHz) {
			return w, newProblem(codeInvalid, "rate_hz must be a number from 0 (no positions) to %g", maxRateHz).about("query.rate_hz")
		}
	}
	if rate > 0 {
		// At least a frame an hour, so that no rate overflows.
		w.every = uint64(math.Ceil(min(1/(rate*pulse.Seconds()), time.Hour.Seconds()/pulse.Seconds())))
	}
	if query.Has("after") {
		var err error
		if w.after, err = strconv.ParseUint(query.Get("after"), 10, 64); err != nil || w.after == 1<<64-1 {
			return w, newProblem(codeInvalid, "after must be the index of an event").about("query.after")
		}
		w.resume = true
	}
	return w, nil
}

// acceptStream serves GET /v1/stream.
func (s *Server) acceptStream(w http.ResponseWriter, r *http.Request) {
	wanted, p := parseWish(r.URL.Query())
	if p == nil {
		p = s.upgradable(r)
	}
	if p == nil && s.hub.count() >= s.options.MaxStreams {
		p = newProblem(codeTooManyStreams, "%d streams are open, which is the limit", s.options.MaxStreams).with("Retry-After", "10")
	}
	if p == nil && s.backend.Ready() != nil {
		p = newProblem(codeUnavailable, "the fleet is being reopened from its record; try again shortly").with("Retry-After", "1")
	}
	if p == nil && wanted.resume && !s.hub.keeps(wanted.after) {
		p = newProblem(codeTooOld, "the stream cannot go on after %d; open it without after and take the snapshot", wanted.after)
	}
	if p != nil {
		p.write(w)
		return
	}
	conn, err := ws.Accept(w, r, ws.Options{
		Group: &s.hub.group, Origin: func(*http.Request) bool { return true }, ReadLimit: 4 << 10,
		QueueFrames: streamQueueFrames, QueueBytes: streamQueueBytes,
	})
	if err != nil {
		s.options.Log.Debug("stream refused", "remote", r.RemoteAddr, "error", err)
		return
	}
	sub := &subscriber{conn: conn, caller: requestOf(r.Context()).caller, every: wanted.every}
	conn.Go(func() { s.serveStream(sub, wanted) })
}

// serveStream opens the stream and then waits for its end: what a subscriber
// sends is not looked at.
func (s *Server) serveStream(sub *subscriber, wanted wish) {
	var err error
	if wanted.resume {
		err = s.hub.resume(sub, wanted.after)
	} else {
		err = s.hub.start(sub)
	}
	defer s.hub.leave(sub)
	switch {
	case errors.Is(err, errTooOld):
		sub.conn.Close(ws.CloseTryAgain, codeTooOld+": open it without after and take the snapshot")
		return
	case err != nil:
		s.options.Log.Error("a stream could not be opened", "error", err)
		sub.conn.Close(ws.CloseInternal, codeInternal)
		return
	}
	for {
		if _, err := sub.conn.Receive(); err != nil && !errors.Is(err, ws.ErrFrameTooLarge) {
			return
		}
	}
}

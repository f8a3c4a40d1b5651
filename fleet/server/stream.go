package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
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
	// maxStreamFrame is the longest frame that a subscriber may send.
	maxStreamFrame = 4 << 10
	// maxBadFrames is how many frames in a row may be refused; then the stream is
	// closed.
	maxBadFrames = 3
	// changesAtOnce and changeEvery are how often a subscriber may change what it
	// is sent: each change costs a snapshot.
	changesAtOnce = 5
	changeEvery   = time.Second
)

// streamOptions are the limits of a stream's socket.
func streamOptions() ws.Options {
	return ws.Options{
		Origin: func(*http.Request) bool { return true }, ReadLimit: maxStreamFrame,
		QueueFrames: streamQueueFrames, QueueBytes: streamQueueBytes,
	}
}

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
	o := s.hub.socket
	o.Group = &s.hub.group
	conn, err := ws.Accept(w, r, o)
	if err != nil {
		s.options.Log.Debug("stream refused", "remote", r.RemoteAddr, "error", err)
		return
	}
	sub := &subscriber{conn: conn, caller: requestOf(r.Context()).caller, interest: wanted.interest, every: wanted.every}
	conn.Go(func() { s.serveStream(conn, sub, wanted) })
}

// serveStream opens the stream, and then listens until its end.
func (s *Server) serveStream(conn *ws.Conn, sub *subscriber, wanted wish) {
	defer s.hub.leave(sub)
	var err error
	if wanted.resume {
		err = s.hub.resume(sub, wanted.after)
	} else {
		err = s.hub.start(sub)
	}
	manners := manners{changes: changesAtOnce, since: time.Now()}
	for err == nil {
		var frame []byte
		frame, err = conn.Receive()
		if errors.Is(err, ws.ErrStuck) {
			// It was not cut off for what waits for it: then it would be closed.
			s.metrics.cut.WithLabelValues("stream").Inc()
		}
		if err != nil && !errors.Is(err, ws.ErrFrameTooLarge) {
			s.metrics.streamEnded(err)
			return
		}
		err = s.hear(sub, &manners, frame, err != nil)
	}
	s.metrics.streamEnded(nil)
	switch {
	case errors.Is(err, errTooOld):
		sub.conn.Close(ws.CloseTryAgain, codeTooOld+": open it without after and take the snapshot")
		return
	case errors.Is(err, errCrowded):
		s.metrics.cut.WithLabelValues("stream").Inc()
		sub.conn.Close(ws.CloseTryAgain, "too much waits for other streams; try again in a while")
		return
	}
	s.options.Log.Error("a stream could not be opened", "error", err)
	sub.conn.Close(ws.CloseInternal, codeInternal)
}

// manners are how a subscriber behaves.
type manners struct {
	// changes is how many changes it may make, as of since; bad is how many frames
	// in a row were refused.
	changes float64
	since   time.Time
	bad     int
}

// mayChange takes a change from the account, which fills with the time.
func (m *manners) mayChange(now time.Time) bool {
	m.changes = min(changesAtOnce, m.changes+now.Sub(m.since).Seconds()/changeEvery.Seconds())
	m.since = now
	if m.changes < 1 {
		return false
	}
	m.changes--
	return true
}

// hear takes a frame of a subscriber: a new wish, or something to refuse.
func (s *Server) hear(sub *subscriber, m *manners, frame []byte, tooLarge bool) error {
	wanted, p := wish{}, newProblem(codeBodyTooLarge, "a frame may have at most %d bytes", maxStreamFrame)
	if !tooLarge {
		wanted, p = parseSubscribe(frame)
	}
	if p == nil && !m.mayChange(time.Now()) {
		p = newProblem(codeTooManyChanges, "a stream may be changed %d times at once, and then once each %v", changesAtOnce, changeEvery)
	}
	if p != nil {
		return s.refuseFrame(sub, m, p)
	}
	m.bad = 0
	opening, err := json.Marshal(wanted.subscribed())
	if err != nil {
		return fmt.Errorf("server: answering a subscription: %w", err)
	}
	// While it is out of the hub nobody else touches it, and nothing is sent that
	// the snapshot would take back.
	s.hub.leave(sub)
	sub.interest, sub.every = wanted.interest, wanted.every
	return s.hub.start(sub, opening)
}

// refuseFrame answers a frame that changes nothing, and closes the stream when
// such frames repeat.
func (s *Server) refuseFrame(sub *subscriber, m *manners, p *problem) error {
	m.bad++
	if m.bad >= maxBadFrames {
		sub.conn.Close(ws.ClosePolicy, p.Code+": "+p.Detail)
		return nil
	}
	frame, err := json.Marshal(api.StreamError{Type: api.StreamErrorType, Code: p.Code, Detail: p.Detail, Field: p.Field})
	if err != nil {
		return fmt.Errorf("server: refusing a frame: %w", err)
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.hub.send(sub, frame, s.metrics.streamed.errors)
	return nil
}

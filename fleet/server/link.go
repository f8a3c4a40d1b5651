package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"runtime/debug"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

const (
	// tickEvery is how often all links are looked at: for Alive, for a vehicle
	// that never says hello, for inputs that found the inbox full.
	tickEvery = 250 * time.Millisecond
	// maxHeld bounds the inputs of one link that found the inbox full while an
	// effect was being delivered; beyond it the oldest is dropped. They are
	// notes that a command was written, which the vehicle's answer repeats.
	maxHeld = 64
	// leaveWithin bounds how long the end of a link waits for a full inbox.
	leaveWithin = 10 * time.Second
)

// link is one vehicle's connection: a session with a socket and a lock.
type link struct {
	server   *Server
	conn     *ws.Conn
	encoding protocol.Encoding
	caller   caller

	mu      sync.Mutex // guards the rest, and the order of what is sent
	session *session.Session
	held    []fleet.Input
	why     string // why this side ended it, empty for the peer
}

// acceptLink serves GET /v1/link. Everything that can be refused is refused
// before the upgrade, as a problem.
func (s *Server) acceptLink(w http.ResponseWriter, r *http.Request) {
	vehicle, p := s.linkVehicle(r)
	if p == nil {
		p = s.upgradable(r)
	}
	if p == nil && len(websocketProtocols(r)) == 0 {
		p = newProblem(codeSubprotocol, "offer %s or %s in Sec-WebSocket-Protocol", protocol.SubprotocolJSON, protocol.SubprotocolCBOR)
	}
	if p == nil && s.backend.Ready() != nil {
		p = fromEngine(engine.ErrUnavailable)
	}
	if p != nil {
		p.write(w)
		return
	}
	conn, err := ws.Accept(w, r, ws.Options{
		Group: &s.links.group, Subprotocols: []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR},
		Origin: func(*http.Request) bool { return true }, ReadLimit: protocol.MaxFrameFromVehicle,
	})
	if err != nil {
		s.options.Log.Debug("link refused", "vehicle", vehicle, "remote", r.RemoteAddr, "error", err)
		return
	}
	encoding, _ := protocol.EncodingOf(conn.Subprotocol())
	id := fleet.SessionID(rand.Text())
	l := &link{
		server: s, conn: conn, encoding: encoding, caller: requestOf(r.Context()).caller,
		session: session.New(vehicle, id, s.options.Session, s.options.Clock()),
	}
	s.links.add(l)
	conn.Go(l.serve)
}

// linkVehicle is the vehicle that the caller speaks for: the one that its token
// is bound to, or the one that a simulator names.
func (s *Server) linkVehicle(r *http.Request) (fleet.VehicleID, *problem) {
	who := requestOf(r.Context()).caller.token
	named := r.URL.Query().Get("vehicle")
	switch {
	case who.Role == access.Simulator && !access.ValidID(named):
		return "", newProblem(codeInvalid, "a simulator names its vehicle: /v1/link?vehicle=ID, 1 to %d of A-Z a-z 0-9 . _ : -", access.MaxIDBytes).about("query.vehicle")
	case who.Role == access.Simulator:
		return fleet.VehicleID(named), nil
	case named != "" && named != who.Vehicle:
		return "", newProblem(codeForbidden, "this token is bound to the vehicle %q", who.Vehicle)
	}
	return fleet.VehicleID(who.Vehicle), nil
}

// serve is the reader: frames in, inputs on. It waits where the inbox is full,
// which stops reading from the vehicle.
func (l *link) serve() {
	s := l.server
	id := l.session.ID()
	s.backend.Attach(id, l)
	defer l.leave()
	defer l.contain()
	for {
		frame, err := l.conn.Receive()
		if err != nil && !errors.Is(err, ws.ErrFrameTooLarge) {
			l.ended(err)
			return
		}
		inputs, on := l.receive(frame, err)
		for _, input := range inputs {
			if !l.submit(input) {
				return
			}
		}
		if !on {
			return
		}
	}
}

// contain keeps a fault of ours in the reading of one vehicle's frames from
// ending the process: that link alone ends, and the log has the stack.
func (l *link) contain() {
	if fault := recover(); fault != nil {
		l.server.options.Log.Error("a fault while reading a vehicle's frames", "vehicle", l.session.Vehicle(), "fault", fault, "stack", string(debug.Stack()))
		l.close(ws.CloseInternal, "internal error")
	}
}

// receive takes one frame, or the news that one was too large, and reports
// false when the link is over.
func (l *link) receive(frame []byte, tooLarge error) ([]fleet.Input, bool) {
	l.mu.Lock()
	r, admitted := l.session.Admit(l.server.options.Clock())
	on := l.send(r)
	l.mu.Unlock()
	if !admitted {
		l.server.metrics.throttled.WithLabelValues("frames").Inc()
		return nil, on
	}
	var m protocol.FromVehicle
	err := tooLarge
	if err == nil {
		m, err = l.encoding.DecodeFrom(frame)
	} else {
		err = &protocol.MessageError{Code: protocol.CodeFrameTooLarge, Problem: "frame is longer than 64 KiB"}
	}
	l.server.metrics.received(m, err)
	now := l.server.options.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		r = l.session.ReceiveError(now, err)
	} else {
		r = l.session.Receive(now, m)
	}
	on = l.send(r)
	return r.Inputs, on
}

// submit hands an input to the engine; it reports false when the link must end.
func (l *link) submit(input fleet.Input) bool {
	if t, ok := input.(fleet.Telemetry); ok {
		l.server.metrics.samples(len(t.Samples), l.server.backend.TrySubmit(input))
		return true
	}
	if err := l.server.backend.Submit(l.server.serving, input); err != nil {
		if l.server.serving.Err() != nil {
			l.close(ws.CloseGoingAway, "server is shutting down")
			return false
		}
		l.close(ws.CloseTryAgain, engine.CodeRestarting+": connect again shortly")
		return false
	}
	return true
}

// send writes what a reaction sends. The lock is held. It reports false when
// the link is over.
func (l *link) send(r session.Reaction) bool {
	for _, m := range r.Send {
		frame, err := l.encoding.EncodeTo(nil, m)
		if err != nil {
			l.server.options.Log.Error("a message to a vehicle could not be encoded", "vehicle", l.session.Vehicle(), "error", err)
			l.end(ws.CloseInternal, "a message could not be encoded")
			return false
		}
		err = l.conn.Send(frame)
		if errors.Is(err, ws.ErrQueueFull) || errors.Is(err, ws.ErrFrameTooLarge) {
			l.server.metrics.cut.WithLabelValues("link").Inc()
			l.end(ws.CloseTryAgain, "too slow: the send queue is full")
			return false
		}
		if err != nil {
			return false
		}
		l.server.metrics.sent(m)
	}
	if r.Close != nil {
		l.end(closeCode(r.Close.Code), r.Close.Code+": "+r.Close.Text)
		return false
	}
	return true
}

// closeCode is the WebSocket close code of a session's.
func closeCode(code string) int {
	switch code {
	case engine.CodeRestarting:
		return ws.CloseTryAgain
	case session.CodeHelloExpected:
		return ws.CloseProtocol
	}
	return ws.ClosePolicy
}

// end closes the connection and notes why. The lock is held.
func (l *link) end(code int, reason string) {
	if l.why == "" {
		l.why = reason
	}
	l.conn.Close(code, reason)
}

func (l *link) close(code int, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(code, reason)
}

func (l *link) ended(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		l.why = protocol.CleanText(err.Error(), protocol.MaxTextBytes)
	}
}

// Deliver implements engine.Sink. It never waits: what does not fit the queue
// ends the link, and the next session is owed it again.
func (l *link) Deliver(e fleet.Effect) {
	now := l.server.options.Clock()
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.session.Apply(now, e)
	l.send(r)
	l.hold(r.Inputs)
}

// tick runs the session's timers, and hands in what was held.
func (l *link) tick(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.session.Tick(now)
	l.send(r)
	l.hold(r.Inputs)
}

// hold hands in inputs without waiting and keeps those that found no room. The
// lock is held.
func (l *link) hold(inputs []fleet.Input) {
	l.held = append(l.held, inputs...)
	for len(l.held) > 0 && l.server.backend.TrySubmit(l.held[0]) {
		l.held = l.held[1:]
	}
	if len(l.held) > maxHeld {
		l.held = l.held[len(l.held)-maxHeld:]
	}
	if len(l.held) == 0 {
		l.held = nil
	}
}

// leave tells the fleet that the session is over.
func (l *link) leave() {
	s := l.server
	s.backend.Detach(l.session.ID())
	s.links.remove(l)
	l.mu.Lock()
	inputs := l.session.Lost(l.why)
	l.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.serving), leaveWithin)
	defer cancel()
	for _, input := range inputs {
		// While the state is being reopened all links are unknown anyway.
		if err := s.backend.Submit(ctx, input); err != nil {
			return
		}
	}
}

// links are all open links.
type links struct {
	group ws.Group
	mu    sync.Mutex
	open  map[*link]struct{}
}

func (ls *links) add(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if ls.open == nil {
		ls.open = map[*link]struct{}{}
	}
	ls.open[l] = struct{}{}
}

func (ls *links) remove(l *link) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	delete(ls.open, l)
}

func (ls *links) count() int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.open)
}

// list appends the open links to dst.
func (ls *links) list(dst []*link) []*link {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for l := range ls.open {
		dst = append(dst, l)
	}
	return dst
}

// tickLinks is the one goroutine that runs the timers of all links.
func (s *Server) tickLinks(ctx context.Context) {
	ticker := time.NewTicker(s.tickEvery())
	defer ticker.Stop()
	var all []*link
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := s.options.Clock()
		all = s.links.list(all[:0])
		for _, l := range all {
			l.tick(now)
		}
		clear(all)
	}
}

// tickEvery keeps the pace of the links' timers where fleet time runs faster
// than the wall clock.
func (s *Server) tickEvery() time.Duration {
	return max(time.Duration(float64(tickEvery)/max(1, s.options.Speed)), 10*time.Millisecond)
}

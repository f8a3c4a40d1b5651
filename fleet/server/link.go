package server

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
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
	// linkQueueBytes is what may wait for a vehicle: the longest mission and what
	// goes with it.
	linkQueueBytes = protocol.MaxFrameToVehicle + 256<<10
	// linkReceiveBuffer is how much the system holds of a vehicle that sends faster
	// than it is read: a hundred frames or so, so that none is stale for long when
	// the server has caught up.
	linkReceiveBuffer = 32 << 10
)

// link is one vehicle's connection: a session with a socket and a lock.
type link struct {
	server   *Server
	conn     *ws.Conn
	encoding protocol.Encoding
	caller   caller

	// sampledAt is when telemetry was last read; the reader's own.
	sampledAt time.Time
	// due is when tick next has something to do, in nanoseconds of Unix time; 0
	// when that is to be found out.
	due atomic.Int64

	mu      sync.Mutex // guards the rest, and the order of what is sent
	session *session.Session
	held    []fleet.Input
	why     string // why it ended, for people, empty while it stands
	whyCode string // likewise, for counting
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
	conn, err := ws.Accept(w, r, s.linkOptions())
	if err != nil {
		s.options.Log.Debug("link refused", "vehicle", vehicle, "remote", r.RemoteAddr, "error", err)
		return
	}
	encoding, _ := protocol.EncodingOf(conn.Subprotocol())
	id := fleet.SessionID(rand.Text())
	l := &link{
		server: s, conn: conn, encoding: encoding, caller: requestOf(r.Context()).caller,
		session: session.New(fleet.VehicleID(strings.Clone(string(vehicle))), id, s.options.Session, s.options.Clock()),
	}
	s.links.add(l)
	s.backend.Attach(id, l)
	conn.Go(l.serve)
}

// linkOptions are the limits of a link's socket.
func (s *Server) linkOptions() ws.Options {
	return ws.Options{
		Group: &s.links.group, Subprotocols: []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR},
		Origin: func(*http.Request) bool { return true }, ReadLimit: protocol.MaxFrameFromVehicle,
		QueueBytes: linkQueueBytes, ReceiveBufferBytes: linkReceiveBuffer,
		Rest:      s.overload.rest,
		Throttled: func(what ws.Throttle) { s.metrics.throttled.WithLabelValues(string(what)).Inc() },
	}
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
	defer l.leave()
	l.conn.Serve(l)
}

// Frame implements ws.Handler. A fault of ours in the reading of one vehicle's
// frames does not end the process: that link alone ends, and the log has the
// stack.
func (l *link) Frame(frame []byte, tooLarge error) (on bool) {
	defer func() {
		if fault := recover(); fault != nil {
			l.server.options.Log.Error("a fault while reading a vehicle's frames", "vehicle", l.session.Vehicle(), "fault", fault, "stack", string(debug.Stack()))
			l.closeFor(ws.CloseInternal, whyInternal, "internal error")
			on = false
		}
	}()
	now := l.server.options.Clock()
	admitted, on := l.admit(now)
	if !admitted {
		l.server.metrics.throttled.WithLabelValues("frames").Inc()
		return on
	}
	if l.thins(frame, now) {
		l.server.metrics.telemetry.thinned.Inc()
		return true
	}
	var m protocol.FromVehicle
	err := tooLarge
	if err == nil {
		m, err = l.encoding.DecodeFrom(frame)
	} else {
		err = &protocol.MessageError{Code: protocol.CodeFrameTooLarge, Problem: "frame is longer than 64 KiB"}
	}
	l.server.metrics.received(m, err)
	if t, ok := m.(protocol.Telemetry); ok && err == nil {
		return l.telemetry(now, t)
	}
	inputs, on := l.receive(now, m, err)
	for _, input := range inputs {
		if !l.submit(input) {
			return false
		}
	}
	return on
}

// Ended implements ws.Handler.
func (l *link) Ended(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why == "" {
		l.why, l.whyCode = protocol.CleanText(err.Error(), protocol.MaxTextBytes), whyOf(err)
	}
	if errors.Is(err, ws.ErrStuck) {
		l.server.metrics.cut.WithLabelValues("link").Inc()
	}
}

// admit asks the session before the frame is decoded, so that a flood of frames
// costs little.
func (l *link) admit(now time.Time) (admitted, on bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	r, admitted := l.session.Admit(now)
	return admitted, l.send(r)
}

// telemetry takes the message that nearly all frames carry. What finds no room
// in the inbox is lost.
func (l *link) telemetry(now time.Time, m protocol.Telemetry) (on bool) {
	l.sampledAt = now
	l.mu.Lock()
	input, ok, r := l.session.ReceiveTelemetry(now, m)
	on = l.send(r)
	l.mu.Unlock()
	if r.Repeated > 0 {
		l.server.metrics.telemetry.repeated.Add(float64(r.Repeated))
	}
	if ok {
		l.server.metrics.samples(len(input.Samples), l.server.backend.TrySubmit(input))
	}
	return on
}

// receive takes any other message, or what was wrong with the frame, and reports
// false when the link is over.
func (l *link) receive(now time.Time, m protocol.FromVehicle, err error) ([]fleet.Input, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var r session.Reaction
	if err != nil {
		r = l.session.ReceiveError(now, err)
	} else {
		r = l.session.Receive(now, m)
	}
	on := l.send(r)
	return r.Inputs, on
}

// submit hands an input to the engine; it reports false when the link must end.
func (l *link) submit(input fleet.Input) bool {
	if err := l.server.backend.Submit(l.server.serving, input); err != nil {
		if l.server.serving.Err() != nil {
			l.closeFor(ws.CloseGoingAway, whyShutdown, "server is shutting down")
			return false
		}
		l.closeFor(ws.CloseTryAgain, engine.CodeRestarting, engine.CodeRestarting+": connect again shortly")
		return false
	}
	return true
}

// send writes what a reaction sends. The lock is held. It reports false when
// the link is over.
func (l *link) send(r session.Reaction) bool {
	if len(r.Send) > 0 {
		l.due.Store(0)
	}
	for _, m := range r.Send {
		frame, err := l.encoding.EncodeTo(nil, m)
		if err != nil {
			l.server.options.Log.Error("a message to a vehicle could not be encoded", "vehicle", l.session.Vehicle(), "error", err)
			l.end(ws.CloseInternal, whyInternal, "a message could not be encoded")
			return false
		}
		err = l.conn.Send(frame)
		if errors.Is(err, ws.ErrQueueFull) || errors.Is(err, ws.ErrFrameTooLarge) {
			l.server.metrics.cut.WithLabelValues("link").Inc()
			l.end(ws.CloseTryAgain, whyTooSlow, "too slow: the send queue is full")
			return false
		}
		if err != nil {
			return false
		}
		l.server.metrics.sent(m)
		l.answered(m)
	}
	if r.Close != nil {
		l.end(closeCode(r.Close.Code), r.Close.Code, r.Close.Code+": "+r.Close.Text)
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

// end closes the connection and notes why: in one of the words of linkends.go,
// and for people. The lock is held.
func (l *link) end(code int, why, reason string) {
	if l.why == "" {
		l.why, l.whyCode = reason, why
	}
	l.conn.Close(code, reason)
}

func (l *link) closeFor(code int, why, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end(code, why, reason)
}

// close ends a link whose token is no longer good for it.
func (l *link) close(code int, reason string) { l.closeFor(code, whyToken, reason) }

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
	if l.due.Load() > now.UnixNano() {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.session.Tick(now)
	l.send(r)
	l.hold(r.Inputs)
	next := int64(math.MaxInt64) // Until something is sent.
	if due, ok := l.session.Deadline(); ok {
		next = due.UnixNano()
	}
	if len(l.held) > 0 {
		next = 0
	}
	l.due.Store(next)
}

// hold hands in inputs without waiting and keeps those that found no room. The
// lock is held.
func (l *link) hold(inputs []fleet.Input) {
	l.held = append(l.held, inputs...)
	for len(l.held) > 0 && l.server.backend.TrySubmit(l.held[0]) {
		l.held = l.held[1:]
	}
	if len(l.held) > 0 {
		l.due.Store(0)
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
	s.metrics.closed.WithLabelValues(boundedWhy(l.whyCode)).Inc()
	l.departed()
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

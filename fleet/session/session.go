// Package session is one vehicle's link as a pure state machine: it turns what
// the vehicle sends into inputs of the fleet, and the fleet's effects into what
// the vehicle is sent. It has no clock, socket or goroutine; server and
// simulator run the same one.
//
// It keeps the promises of a link. A session begins with hello. Numbered
// reports reach the fleet once each and in order, whatever the vehicle repeats
// or leaves out. What a vehicle is owed is sent once in a session, and all of it
// in a new one. Every frame carries the time at which it is sent, and a pause
// never exceeds AliveInterval. A vehicle beyond its limits is told so, and cut
// off if it goes on.
package session

import (
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// The codes of errors that a session sends beside those of package protocol.
const (
	// CodeHelloExpected: the first message was not hello. Fatal.
	CodeHelloExpected = "hello_expected"
	// CodeHelloTimeout: no hello came within HelloWithin. Fatal.
	CodeHelloTimeout = "hello_timeout"
	// CodeSecondHello: a session has one hello; the second is ignored.
	CodeSecondHello = "second_hello"
	// CodeRateLimited: the frame came too soon and was dropped; a report is to
	// be sent again. Fatal after LimitedFor.
	CodeRateLimited = "rate_limited"
	// CodeSampleAhead: a sample's time lies in the future; it was dropped.
	CodeSampleAhead = "sample_ahead"
	// CodeStaleSamples: all samples of a frame are older than the last one, so
	// the vehicle's clock went back; they were dropped. What came before and is
	// repeated by the network, or by a bridge, is dropped without an error.
	CodeStaleSamples = "stale_samples"
	// CodeTooManyErrors: the vehicle went on with bad frames. Fatal.
	CodeTooManyErrors = "too_many_errors"
)

// Reaction is what one call brings about, to be done in this order: Inputs go to
// the engine, Send to the vehicle, and with Close the link ends once they are
// written.
type Reaction struct {
	Inputs []fleet.Input
	Send   []protocol.ToVehicle
	// Close is nil while the link stays.
	Close *Close
	// Repeated is how many samples were dropped because they had come before.
	Repeated int
}

// Close says why a link ends: a code for programs and a text for people. The
// vehicle has been told the same in a fatal Error.
type Close struct {
	Code, Text string
}

// phase is how far a session has come.
type phase int

const (
	// connected: nothing has come yet.
	connected phase = iota
	// greeted: hello has come and was passed on.
	greeted
	// welcomed: the fleet has answered.
	welcomed
	closed
)

// Session is the state of one link. Use it from one goroutine at a time.
type Session struct {
	// What each sample needs stands first: a frame of one vehicle among thousands costs
	// as much as it touches lines of memory.
	phase   phase
	frames  bucket
	vehicle fleet.VehicleID
	id      fleet.SessionID
	clock   clock

	config Config
	opened time.Time
	// sent is when the last frame was sent.
	sent    time.Time
	reports reports
	told    told
	errors  bucket
	// limitedFrom is when frames began to be dropped, zero while none is;
	// limitedAt when the last one was, complainedAt when the vehicle was told.
	limitedFrom, limitedAt, complainedAt time.Time
}

// New returns the session of a connection that was opened at the given time.
// The id is unique among all connections of the fleet.
func New(vehicle fleet.VehicleID, id fleet.SessionID, config Config, opened time.Time) *Session {
	config = config.withDefaults()
	return &Session{
		config: config, vehicle: vehicle, id: id, opened: opened, sent: opened,
		clock:  clock{skewMax: config.SkewMax, future: config.Future},
		frames: newBucket(opened, float64(config.FramesPerSecond), float64(config.Burst)),
		errors: newBucket(opened, badFramesPerSecond, badFramesBurst),
	}
}

// ID returns the session's id, Vehicle whose link it is.
func (s *Session) ID() fleet.SessionID { return s.id }

// Vehicle returns whose link it is.
func (s *Session) Vehicle() fleet.VehicleID { return s.vehicle }

// Closed tells whether the session has ended; then nothing comes from it.
func (s *Session) Closed() bool { return s.phase == closed }

// Receive takes one message from the vehicle, whose frame Admit let pass. The
// message is the session's from then on.
func (s *Session) Receive(now time.Time, m protocol.FromVehicle) Reaction {
	var r Reaction
	if s.phase == closed {
		return r
	}
	hello, isHello := m.(protocol.Hello)
	switch {
	case s.phase == connected && isHello:
		s.greet(now, hello, &r)
		return r
	case s.phase == connected:
		s.fail(now, &r, CodeHelloExpected, "the first message of a session must be hello")
		return r
	}
	switch m := m.(type) {
	case protocol.Hello:
		s.complain(now, &r, CodeSecondHello, "a session has one hello; open a new connection to log in again")
	case protocol.Telemetry:
		if input, ok := s.telemetry(now, m, &r); ok {
			r.Inputs = append(r.Inputs, input)
		}
	case protocol.Ack:
		s.report(now, m.Seq, m, &r)
	case protocol.Progress:
		s.report(now, m.Seq, m, &r)
	case protocol.Fault:
		s.report(now, m.Seq, m, &r)
	}
	return r
}

// ReceiveError takes a frame that Admit let pass and that could not be decoded:
// the vehicle is told, and cut off after too many. A message of a type that
// Kapok does not know is answered and otherwise harmless, once the session has
// begun.
func (s *Session) ReceiveError(now time.Time, err error) Reaction {
	var r Reaction
	if s.phase == closed {
		return r
	}
	answer := protocol.ErrorFor(err, now)
	switch {
	case s.phase == connected:
		s.fail(now, &r, CodeHelloExpected, "the first message of a session must be hello: "+answer.Text)
	case answer.Code == protocol.CodeUnknownType:
		s.send(now, &r, answer)
	default:
		s.complain(now, &r, answer.Code, answer.Text)
	}
	return r
}

// Apply takes an effect of the fleet. One that is for another session, or for
// none, changes nothing. A CloseLink without a session is for all.
func (s *Session) Apply(now time.Time, e fleet.Effect) Reaction {
	var r Reaction
	if s.phase == closed {
		return r
	}
	switch e := e.(type) {
	case fleet.Welcome:
		if e.Session == s.id {
			s.welcome(now, e.Message, &r)
		}
	case fleet.Owe:
		if e.Session == s.id {
			s.owe(now, e.Owed, &r)
		}
	case fleet.CloseLink:
		if e.Session == s.id || e.Session == "" {
			s.fail(now, &r, e.Code, e.Text)
		}
	case fleet.Reply, fleet.Think:
		// Not for vehicles.
	}
	return r
}

// Tick sends Alive when nothing was sent for AliveInterval, and closes a link
// that never said hello. Call it when Deadline has come, or more often.
func (s *Session) Tick(now time.Time) Reaction {
	var r Reaction
	due, ok := s.Deadline()
	switch {
	case !ok || now.Before(due):
	case s.phase == connected:
		s.fail(now, &r, CodeHelloTimeout, fmt.Sprintf("no hello came within %v", s.config.HelloWithin))
	case s.phase == welcomed:
		s.send(now, &r, protocol.Alive{Time: now})
	}
	return r
}

// Rests tells until when Tick has nothing to do whatever comes, false when that may
// change at any time.
func (s *Session) Rests() (until time.Time, ok bool) {
	return s.sent.Add(s.config.AliveInterval), s.phase == welcomed
}

// Deadline is when Tick next has something to do, false for never as things
// stand.
func (s *Session) Deadline() (time.Time, bool) {
	switch s.phase {
	case connected:
		return s.opened.Add(s.config.HelloWithin), true
	case welcomed:
		return s.sent.Add(s.config.AliveInterval), true
	case greeted, closed:
	}
	return time.Time{}, false
}

// Lost takes the end of the connection, whoever ended it and however often it is
// said, and returns what the fleet must be told: nothing when it never heard of
// the session.
func (s *Session) Lost(why string) []fleet.Input {
	known := s.reports.logID != ""
	s.phase, s.reports.logID = closed, ""
	if !known {
		return nil
	}
	return []fleet.Input{fleet.Left{Vehicle: s.vehicle, Session: s.id, Why: why}}
}

func (s *Session) greet(now time.Time, h protocol.Hello, r *Reaction) {
	s.phase = greeted
	s.clock.set(now, h.Time)
	s.reports.logID = h.LogID
	r.Inputs = append(r.Inputs, fleet.Joined{Vehicle: s.vehicle, Session: s.id, Hello: h, ClockError: s.clock.error})
}

func (s *Session) welcome(now time.Time, w protocol.Welcome, r *Reaction) {
	if s.phase != greeted {
		return
	}
	s.phase = welcomed
	w.Time = now
	if w.AliveIntervalS == 0 {
		w.AliveIntervalS = s.config.AliveInterval.Seconds()
	}
	if w.LogID == s.reports.logID {
		s.reports.forwarded, s.reports.confirmed = w.Seq, w.Seq
	}
	s.send(now, r, w)
}

// ReceiveTelemetry is Receive for the message that nearly all frames carry: what
// goes to the fleet, if anything, is returned beside the reaction, which then is
// empty more often than not and costs no memory.
func (s *Session) ReceiveTelemetry(now time.Time, m protocol.Telemetry) (input fleet.Telemetry, ok bool, r Reaction) {
	switch s.phase {
	case closed:
	case connected:
		r = s.Receive(now, m)
	case greeted, welcomed:
		input, ok = s.telemetry(now, m, &r)
	}
	return input, ok, r
}

// telemetry passes samples on with Kapok's times.
func (s *Session) telemetry(now time.Time, m protocol.Telemetry, r *Reaction) (input fleet.Telemetry, ok bool) {
	sent := len(m.Samples)
	samples, ahead, repeated := s.clock.correct(now, m.Samples)
	r.Repeated = repeated
	switch {
	case ahead > 0:
		s.complain(now, r, CodeSampleAhead, fmt.Sprintf("%d of %d samples are more than %v ahead of Kapok's clock; if the clock was set, log in again", ahead, sent, s.config.Future))
	case len(samples) == 0 && sent > repeated:
		s.complain(now, r, CodeStaleSamples, "all samples are older than the last one; if the clock was set, log in again")
	}
	input = fleet.Telemetry{Vehicle: s.vehicle, Session: s.id, Samples: samples, Skewed: s.clock.skewed()}
	return input, len(samples) > 0
}

// send adds a message, which already carries now as its time.
func (s *Session) send(now time.Time, r *Reaction, m protocol.ToVehicle) {
	s.sent = now
	r.Send = append(r.Send, m)
}

// complain tells the vehicle of a bad frame, and ends the link when there are
// too many of them.
func (s *Session) complain(now time.Time, r *Reaction, code, text string) {
	if !s.errors.take(now) {
		s.fail(now, r, CodeTooManyErrors, "too many bad frames, the last one: "+text)
		return
	}
	s.send(now, r, protocol.Error{Code: code, Text: text, Time: now})
}

// fail ends the link with a fatal error.
func (s *Session) fail(now time.Time, r *Reaction, code, text string) {
	text = protocol.CleanText(text, protocol.MaxTextBytes)
	s.send(now, r, protocol.Error{Code: code, Text: text, Fatal: true, Time: now})
	s.phase = closed
	r.Close = &Close{Code: code, Text: text}
}

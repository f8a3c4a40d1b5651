package sim

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/fault"
)

// conn is one connection of a vehicle. Frames keep their order in each direction,
// unless a bridge reorders them. During an outage they are held up, as TCP does
// it, and what is held up is lost when either end gives the connection up.
type conn struct {
	vehicle *vehicle
	session *session.Session
	// The ends know of the other's end only by a frame or by silence. An orphan is a
	// connection whose machine lost its power: whoever sends over it when that is up
	// again is told so.
	clientOpen, serverOpen, orphan bool
	up, down                       direction
	held                           []event
	// mission is the last revision that was put on the link, where a bridge lies in
	// between, by the process of that life; stale is that of a process that is dead by
	// now, which the bridge may deliver again.
	mission, stale []byte
	life           int
}

// opened is a connection in the order in which they were opened.
type opened struct {
	conn *conn
	// rests is until when its session need not be looked at.
	rests time.Time
}

// direction is one way of a connection.
type direction struct {
	way fault.Way
	// late is the frame that the next one is to overtake, nil for none.
	late *event
}

// reconnectMost is the longest pause between two tries to connect.
const reconnectMost = 8 * time.Second

// connect tries to open a link, and again later when that fails.
func (w *world) connect(v *vehicle) {
	if v.down || v.conn != nil || v.connecting {
		return
	}
	v.connecting = true
	trip := millis(v.rand, w.scenario.Network.LatencyMS) + millis(v.rand, w.scenario.Network.LatencyMS)
	w.after(trip, func() {
		v.connecting = false
		if v.down || v.conn != nil {
			return
		}
		if !w.backend.up() || v.out > 0 {
			v.tries++
			wait := min(500*time.Millisecond<<min(v.tries, 6), reconnectMost)
			w.after(wait/2+time.Duration(v.rand.Int64N(int64(wait))), func() { w.connect(v) })
			return
		}
		v.tries = 0
		w.open(v)
	})
}

// open makes the connection at both ends.
func (w *world) open(v *vehicle) {
	b := &w.backend
	b.connections++
	id := fleet.SessionID(fmt.Sprintf("S%d", b.connections))
	alive := w.config.AliveInterval()
	c := &conn{
		vehicle: v, clientOpen: true, serverOpen: true,
		// Sessions are looked at once a second, so they speak a second early.
		session: session.New(fleet.VehicleID(v.id), id, session.Config{AliveInterval: max(alive-time.Second, alive/2)}, w.time()),
	}
	if c.life = b.life; v.bridgedBy != b.life {
		c.stale = v.bridged
	}
	v.bridged = nil
	b.conns[id] = c
	b.order = append(b.order, opened{conn: c})
	v.conn = c
	w.send(v, v.agent.Connected(w.time(), w.out[:0]))
}

// send puts a vehicle's messages on its link.
func (w *world) send(v *vehicle, messages []protocol.FromVehicle) {
	w.out = messages[:0]
	if v.conn == nil {
		return
	}
	for _, m := range messages {
		if v.conn == nil {
			return // It broke under what was sent before.
		}
		frame, err := w.encoding.EncodeFrom(w.frame(), m)
		if err != nil {
			w.fail(fmt.Errorf("vehicle %s sends what cannot be encoded: %w", v.id, err))
			return
		}
		w.push(v.conn, frameUp, frame)
	}
}

// push puts a frame, or the end of the connection, on its way.
func (w *world) push(c *conn, k kind, frame []byte) {
	e := event{kind: k, conn: c, frame: frame}
	if c.vehicle.out > 0 {
		if k == frameUp || k == frameDown {
			c.held = append(c.held, e)
		}
		// The end of a connection is not told through an outage.
		return
	}
	w.travel(c, e)
}

// travel puts a frame, or the end of the connection, on its way over the line.
func (w *world) travel(c *conn, e event) {
	to := &c.up
	if e.kind == frameDown || e.kind == closeDown {
		to = &c.down
	}
	d := to.way.Send(&w.line, c.vehicle.rand, w.now, len(e.frame))
	e.at = d.At
	if e.kind == frameUp || e.kind == frameDown {
		switch {
		case d.Stalled:
			w.spare(e.frame)
			w.sever(c, true)
			return
		case d.Late && to.late == nil:
			w.keepBack(to, e)
			return
		case d.Again != 0:
			again := e
			again.frame, again.at = append(w.frame(), e.frame...), d.Again
			w.queue.push(again)
		}
	}
	w.queue.push(e)
	if to.late != nil {
		w.overtaken(to, e.at)
	}
}

// keepBack lets the next frame overtake this one, if it comes soon.
func (w *world) keepBack(to *direction, e event) {
	late := &e
	to.late = late
	w.after(time.Duration(e.at-w.now)+fault.ReorderMost, func() {
		if to.late == late {
			w.overtaken(to, w.now)
		}
	})
}

// overtaken lets the frame that was kept back arrive behind a time.
func (w *world) overtaken(to *direction, at int64) {
	e := *to.late
	to.late = nil
	e.at = to.way.Behind(at)
	w.queue.push(e)
}

// arriveUp takes a frame from a vehicle.
func (w *world) arriveUp(c *conn, frame []byte) {
	if c.orphan && w.backend.running {
		c.orphan = false
		w.push(c, closeDown, nil)
	}
	if c.serverOpen {
		now := w.time()
		r, ok := c.session.Admit(now)
		if ok {
			m, err := w.encoding.DecodeFrom(frame)
			if err != nil {
				r = c.session.ReceiveError(now, err)
			} else {
				r = w.receive(c, now, m)
			}
		}
		w.react(c, r)
	}
	w.spare(frame)
}

// receive hands a message to the session, as the server does it: samples, of which
// most messages are, go on without the room of a reaction.
func (w *world) receive(c *conn, now time.Time, m protocol.FromVehicle) session.Reaction {
	samples, is := m.(protocol.Telemetry)
	if !is {
		return c.session.Receive(now, m)
	}
	input, ok, r := c.session.ReceiveTelemetry(now, samples)
	if ok {
		w.backend.put(input)
	}
	return r
}

// arriveDown takes a frame from Kapok.
func (w *world) arriveDown(c *conn, frame []byte) {
	v := c.vehicle
	if c.clientOpen && v.conn == c && !v.down {
		m, err := w.hear(frame)
		if err != nil {
			w.fail(fmt.Errorf("a frame to %s cannot be decoded: %w", v.id, err))
			return
		}
		w.send(v, v.agent.Receive(w.time(), m, w.out[:0]))
		if _, greeted := m.(protocol.Welcome); greeted && len(c.stale) > 0 {
			w.repeatStale(c)
		}
	}
	w.spare(frame)
}

// staleAgain is the share of new links on which a bridge first delivers the last
// mission of the link before again, where that came from a process that is dead by
// now: its epoch is old.
const staleAgain = 0.5

func (w *world) repeatStale(c *conn) {
	if c.vehicle.rand.Float64() < staleAgain {
		w.queue.push(event{at: w.now + 1, kind: frameDown, conn: c, frame: append(w.frame(), c.stale...)})
	}
	c.stale = nil
}

// apply hands an effect to the session that it is for.
func (w *world) apply(c *conn, e fleet.Effect) {
	if c != nil && c.serverOpen {
		w.react(c, c.session.Apply(w.time(), e))
	}
}

// react does what a session wants, in its order.
func (w *world) react(c *conn, r session.Reaction) {
	w.backend.put(r.Inputs...)
	for _, m := range r.Send {
		frame, err := w.say(m)
		if err != nil {
			w.fail(fmt.Errorf("what is sent to %s cannot be encoded: %w", c.vehicle.id, err))
			return
		}
		if _, is := m.(protocol.Mission); is && w.line.Duplicate > 0 {
			c.mission = append(c.mission[:0], frame...)
		}
		w.push(c, frameDown, frame)
	}
	if r.Close != nil {
		w.push(c, closeDown, nil)
		w.endAtServer(c, r.Close.Text)
	}
}

// echo is the last word of Kapok that was the same for many vehicles, such as one
// that says no more than that it is there: written and read once.
type echo struct {
	said  protocol.Alive
	frame []byte
	heard protocol.ToVehicle
}

// say writes a message of Kapok.
func (w *world) say(m protocol.ToVehicle) ([]byte, error) {
	alive, is := m.(protocol.Alive)
	if !is {
		return w.encoding.EncodeTo(w.frame(), m)
	}
	if e := &w.echo; len(e.frame) == 0 || e.said != alive {
		frame, err := w.encoding.EncodeTo(e.frame[:0], m)
		if err != nil {
			return nil, err
		}
		e.said, e.frame, e.heard = alive, frame, nil
	}
	return append(w.frame(), w.echo.frame...), nil
}

// hear reads a message of Kapok.
func (w *world) hear(frame []byte) (protocol.ToVehicle, error) {
	e := &w.echo
	if !bytes.Equal(frame, e.frame) {
		return w.encoding.DecodeTo(frame)
	}
	if e.heard == nil {
		m, err := w.encoding.DecodeTo(frame)
		if err != nil {
			return nil, err
		}
		e.heard = m
	}
	return e.heard, nil
}

// endAtServer ends the backend's half of a connection.
func (w *world) endAtServer(c *conn, why string) {
	if !c.serverOpen {
		return
	}
	c.serverOpen = false
	b := &w.backend
	delete(b.conns, c.session.ID())
	for i := range b.order {
		if b.order[i].conn == c {
			b.order = append(b.order[:i], b.order[i+1:]...)
			break
		}
	}
	b.put(c.session.Lost(why)...)
}

// endAtVehicle ends the vehicle's half, after which it connects again.
func (w *world) endAtVehicle(c *conn) {
	v := c.vehicle
	if !c.clientOpen {
		return
	}
	c.clientOpen, c.held = false, nil
	if len(c.mission) > 0 {
		v.bridged, v.bridgedBy = c.mission, c.life
	}
	if v.conn != c {
		return
	}
	v.conn = nil
	if v.down {
		return
	}
	v.agent.Disconnected(w.time())
	w.after(time.Duration(v.rand.Int64N(int64(time.Second))), func() { w.connect(v) })
}

// sever breaks a connection: the vehicle sees it at once, the backend only when it
// is told; else it finds out when the vehicle is there again, or by silence.
func (w *world) sever(c *conn, told bool) {
	w.endAtVehicle(c)
	if told {
		w.endAtServer(c, "the link broke")
	}
}

// giveUp lets a vehicle end a link that is dead.
func (w *world) giveUp(v *vehicle) {
	c := v.conn
	w.push(c, closeUp, nil)
	w.endAtVehicle(c)
}

// tickSessions lets sessions speak where they must.
func (w *world) tickSessions() {
	now := w.time()
	for i := 0; i < len(w.backend.order); i++ {
		at := &w.backend.order[i]
		if now.Before(at.rests) {
			continue
		}
		c := at.conn
		w.react(c, c.session.Tick(now))
		if !c.serverOpen {
			i--
			continue
		}
		// What is said in between lets it rest the longer, never less.
		if until, ok := c.session.Rests(); ok {
			at.rests = until
		}
	}
}

// setOut begins (+1) or ends (-1) an outage of a vehicle's link; outages may
// overlap.
func (w *world) setOut(v *vehicle, by int) {
	v.out += by
	c := v.conn
	if v.out > 0 || c == nil {
		return
	}
	held := c.held
	c.held = nil
	for _, e := range held {
		w.travel(c, e)
	}
	// An end that was not told through the outage is found out now.
	if !c.serverOpen && !c.orphan {
		w.travel(c, event{kind: closeDown, conn: c})
	}
}

// newChance is a vehicle's own source.
func newChance(seed, part, n uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, part<<32+n))
}

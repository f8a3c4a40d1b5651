// Package drive runs simulated vehicles over real WebSockets: each agent has a
// goroutine that lets time pass for it, a connection that is opened again when
// it breaks, and troubles on demand: a link that is cut or goes silent, a reboot
// with or without the loss of the store. Time in the agents is the fleet's;
// sockets run on the wall clock.
package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/fault"
)

// Options say how vehicles reach the backend.
type Options struct {
	// URL is the backend's http or https address, Token a simulator's secret.
	URL, Token string
	// Clock is the fleet's.
	Clock func() time.Time
	// Step is the wall time between two steps of an agent; 0 for 100 ms.
	Step time.Duration
	// Encoding is that of the frames.
	Encoding protocol.Encoding
	// Look, when not nil, is called after each step of an agent. It may read the
	// agent during the call only, and is called from several goroutines.
	Look func(now time.Time, a *agent.Agent)
	// Line is what the links are like, in the fleet's time, beyond what the sockets
	// are themselves; the zero value adds nothing. What is held up arrives with the
	// next step. Chances are drawn from Seed.
	Line fault.Line
	Seed uint64
}

const (
	defaultStep = 100 * time.Millisecond
	// The pauses before a broken link is opened again, the first and the most.
	firstPause = 100 * time.Millisecond
	mostPause  = 2 * time.Second
	// dialWithin bounds the opening of a link.
	dialWithin = 5 * time.Second
)

// errStalled is why a link is given up on which too much waits.
var errStalled = errors.New("too much waits to be sent")

// Fleet are the running vehicles.
type Fleet struct {
	vehicles []*Vehicle
	stop     context.CancelFunc
	work     sync.WaitGroup
}

// Start begins to drive agents, which it owns until Stop returns.
func Start(ctx context.Context, o Options, agents []*agent.Agent) (*Fleet, error) {
	if o.Step == 0 {
		o.Step = defaultStep
	}
	base, err := url.Parse(strings.TrimSuffix(o.URL, "/"))
	if err != nil || base.Host == "" || !strings.HasPrefix(base.Scheme, "http") {
		return nil, fmt.Errorf("drive: %q is not an http address", o.URL)
	}
	base.Scheme = "ws" + strings.TrimPrefix(base.Scheme, "http")
	base.Path += "/v1/link"
	f := &Fleet{}
	ctx, f.stop = context.WithCancel(ctx)
	for n, a := range agents {
		to := *base
		to.RawQuery = url.Values{"vehicle": {a.ID()}}.Encode()
		v := &Vehicle{options: o, url: to.String(), agent: a, events: make(chan event, 64), logs: 1}
		v.draw = rand.New(rand.NewPCG(o.Seed, uint64(n)))
		f.vehicles = append(f.vehicles, v)
		f.work.Go(func() { v.run(ctx) })
	}
	return f, nil
}

// Stop ends all links and waits until nothing runs any more.
func (f *Fleet) Stop() {
	f.stop()
	f.work.Wait()
}

// Vehicles are all vehicles, in the order of the agents.
func (f *Fleet) Vehicles() []*Vehicle { return f.vehicles }

// Vehicle is one driven agent. Its methods may be called from any goroutine.
type Vehicle struct {
	options Options
	url     string
	events  chan event
	dialing sync.WaitGroup

	mu    sync.Mutex // guards the rest
	agent *agent.Agent
	conn  *ws.Conn
	line  *line
	// opening is set while a link is being opened; retry is when the next may
	// be, pause how long to wait after another failure.
	opening bool
	retry   time.Time
	pause   time.Duration
	// cutUntil is when the link may be there again; downUntil is when a reboot
	// is over, zero for none. logs counts the stores.
	cutUntil, downUntil time.Time
	logs                int
	out                 []protocol.FromVehicle
	transit             transit
	draw                *rand.Rand
}

// event is something that another goroutine found out about a connection.
type event struct {
	conn *ws.Conn
	line *line
	// Exactly one of the rest tells what: opened, a message, or the end.
	opened  bool
	message protocol.ToVehicle
	bytes   int
	err     error
}

// With calls f while nothing happens to the agent. F must not keep it.
func (v *Vehicle) With(f func(*agent.Agent)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f(v.agent)
}

// Cut takes the link away for a span of wall time. A silent cut is one that
// neither end is told of: frames vanish on the way.
func (v *Vehicle) Cut(span time.Duration, silent bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.cutUntil = time.Now().Add(span)
	if silent && v.line != nil {
		v.line.silence()
		return
	}
	v.drop()
}

// Reboot takes the agent's memory for a span of wall time, and with wiped its
// store as well.
func (v *Vehicle) Reboot(span time.Duration, wiped bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.downUntil.IsZero() {
		return
	}
	if wiped {
		v.logs++
	}
	v.downUntil = time.Now().Add(span)
	v.agent.Reboot(v.options.Clock(), wiped, fmt.Sprintf("%s-%d", v.agent.ID(), v.logs))
	v.drop()
}

// drop ends the link at this end. The lock is held.
func (v *Vehicle) drop() {
	if v.conn == nil {
		return
	}
	v.line.cut()
	v.conn.Close(ws.CloseGoingAway, "")
	v.conn, v.line, v.transit = nil, nil, transit{}
	v.agent.Disconnected(v.options.Clock())
	v.retry, v.pause = time.Now().Add(firstPause), firstPause
}

// run drives the agent until ctx ends.
func (v *Vehicle) run(ctx context.Context) {
	ticker := time.NewTicker(v.options.Step)
	defer ticker.Stop()
	defer v.end()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			v.step(ctx)
		case e := <-v.events:
			v.handle(ctx, e)
		}
	}
}

// end closes what is open and waits for it.
func (v *Vehicle) end() {
	v.mu.Lock()
	v.drop()
	v.mu.Unlock()
	gone := make(chan struct{})
	go func() { v.dialing.Wait(); close(gone) }()
	for {
		select {
		case e := <-v.events:
			if e.opened {
				e.line.cut()
				e.conn.Close(ws.CloseGoingAway, "")
			}
		case <-gone:
			return
		}
	}
}

// step lets time pass, and opens a link where there is none.
func (v *Vehicle) step(ctx context.Context) {
	v.mu.Lock()
	defer v.mu.Unlock()
	wall, now := time.Now(), v.options.Clock()
	if !v.downUntil.IsZero() && !wall.Before(v.downUntil) {
		v.downUntil = time.Time{}
		v.agent.Boot()
	}
	v.arrive(now)
	v.send(v.agent.Step(now, v.out[:0]))
	if v.options.Look != nil {
		v.options.Look(now, v.agent)
	}
	switch {
	case v.conn != nil && (v.agent.LinkDead(now) || v.line.silent() && !wall.Before(v.cutUntil)):
		v.drop()
	case v.conn == nil && !v.opening && v.downUntil.IsZero() && !wall.Before(v.cutUntil) && !wall.Before(v.retry):
		v.opening = true
		v.dialing.Go(func() { v.dial(ctx) })
	}
}

// dial opens a link and reads from it until its end.
func (v *Vehicle) dial(ctx context.Context) {
	var l line
	opening, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	conn, err := ws.Dial(opening, v.url, http.Header{"Authorization": {"Bearer " + v.options.Token}}, ws.Options{
		Subprotocols: []string{v.options.Encoding.Subprotocol()}, ReadLimit: protocol.MaxFrameToVehicle, DialNet: l.dial,
	})
	if err != nil {
		v.events <- event{err: err}
		return
	}
	v.events <- event{conn: conn, line: &l, opened: true}
	for {
		frame, err := conn.Receive()
		if err != nil && !errors.Is(err, ws.ErrFrameTooLarge) {
			v.events <- event{conn: conn, err: err}
			<-conn.Done()
			return
		}
		if err != nil {
			continue
		}
		// What cannot be read is passed over, as a vehicle would.
		if m, err := v.options.Encoding.DecodeTo(frame); err == nil {
			v.events <- event{conn: conn, message: m, bytes: len(frame)}
		}
	}
}

// handle takes in what happened to a connection.
func (v *Vehicle) handle(ctx context.Context, e event) {
	v.mu.Lock()
	defer v.mu.Unlock()
	now := v.options.Clock()
	switch {
	case e.opened:
		v.opening = false
		if ctx.Err() != nil || !v.downUntil.IsZero() || time.Now().Before(v.cutUntil) {
			e.line.cut()
			e.conn.Close(ws.CloseGoingAway, "")
			return
		}
		v.conn, v.line, v.pause = e.conn, e.line, 0
		v.send(v.agent.Connected(now, v.out[:0]))
	case e.conn == nil:
		v.opening = false
		v.pause = min(max(2*v.pause, firstPause), mostPause)
		v.retry = time.Now().Add(v.pause)
	case e.conn != v.conn:
		// It is about a link that was given up.
	case e.err != nil:
		v.drop()
	case v.delays():
		v.deliver(now, e.message, e.bytes)
	default:
		v.send(v.agent.Receive(now, e.message, v.out[:0]))
	}
}

// send writes messages; a link that takes none is given up. The lock is held.
func (v *Vehicle) send(messages []protocol.FromVehicle) {
	v.out = messages
	if v.conn == nil {
		return
	}
	for _, m := range messages {
		frame, err := v.options.Encoding.EncodeFrom(nil, m)
		switch {
		case err != nil:
		case !v.delays():
			err = v.conn.Send(frame)
		case !v.dispatch(v.options.Clock(), frame):
			err = errStalled
		}
		if err != nil {
			v.drop()
			return
		}
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// byRecording is why replayed vehicles refuse what they are told to do.
const byRecording = "a recording is being replayed"

// replayRetry is the pause before a broken link is opened again.
const replayRetry = time.Second

// replayed is one vehicle of a recording that is being replayed.
type replayed struct {
	p     *replayer
	actor simout.Actor
	url   string
	logID string

	mu sync.Mutex // guards the rest
	// conn is open and welcomed, nil otherwise.
	conn *ws.Conn
	// waiting is the newest sample, not yet sent.
	waiting *protocol.Sample
	seq     uint64
	epoch   uint64
	sent    int
}

func (p *replayer) newActor(a simout.Actor) *replayed {
	if a.Kind == "" {
		a.Kind = p.kind
	}
	return &replayed{
		p: p, actor: a, url: p.url + "?" + url.Values{"vehicle": {a.ID}}.Encode(), logID: "replay-" + newKey(),
	}
}

// show gives the vehicle a sample to report: now, or when it is connected, unless
// a newer one comes before that.
func (a *replayed) show(s protocol.Sample) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.waiting = &s
	a.flush()
}

// flush sends the sample that waits. The lock is held.
func (a *replayed) flush() {
	if a.conn == nil || a.waiting == nil {
		return
	}
	s := *a.waiting
	s.Time = a.p.clock.now()
	if a.send(a.conn, protocol.Telemetry{Samples: []protocol.Sample{s}}) == nil {
		a.waiting = nil
		a.sent++
	}
}

func (a *replayed) waits() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waiting != nil
}

func (a *replayed) sentSoFar() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent
}

func (a *replayed) send(conn *ws.Conn, m protocol.FromVehicle) error {
	frame, err := protocol.CBOR.EncodeFrom(nil, m)
	if err == nil {
		err = conn.Send(frame)
	}
	if err != nil {
		return fmt.Errorf("vehicle %s: %w", a.actor.ID, err)
	}
	return nil
}

// dial opens a link and greets.
func (a *replayed) dial(ctx context.Context) (*ws.Conn, error) {
	opening, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := ws.Dial(opening, a.url, http.Header{"Authorization": {"Bearer " + a.p.secret}}, ws.Options{
		Subprotocols: []string{protocol.CBOR.Subprotocol()}, ReadLimit: protocol.MaxFrameToVehicle,
	})
	if err != nil {
		return nil, fmt.Errorf("connecting vehicle %s: %w", a.actor.ID, err)
	}
	a.mu.Lock()
	hello := protocol.Hello{
		Kind: a.actor.Kind, Model: a.actor.Model, Capabilities: a.actor.Capabilities, LogID: a.logID, Epoch: a.epoch, Time: a.p.clock.now(),
	}
	a.mu.Unlock()
	if err := a.send(conn, hello); err != nil {
		conn.Close(ws.CloseGoingAway, "")
		return nil, err
	}
	return conn, nil
}

// run keeps the vehicle connected until ctx ends.
func (a *replayed) run(ctx context.Context) {
	for {
		conn, err := a.dial(ctx)
		if err == nil {
			end := context.AfterFunc(ctx, func() { conn.Close(ws.CloseGoingAway, "") })
			err = a.listen(conn)
			end()
			conn.Close(ws.CloseGoingAway, "")
			<-conn.Done()
		}
		if refused, ok := errors.AsType[*ws.RefusedError](err); ok && refused.Status < 500 {
			select {
			case a.p.refused <- err:
			default:
			}
			return
		}
		if !pauseFor(ctx, replayRetry) {
			return
		}
	}
}

// listen takes what the backend says until the link ends.
func (a *replayed) listen(conn *ws.Conn) error {
	defer func() {
		a.mu.Lock()
		a.conn = nil
		a.mu.Unlock()
	}()
	for {
		frame, err := conn.Receive()
		if errors.Is(err, ws.ErrFrameTooLarge) {
			continue
		}
		if err != nil {
			return fmt.Errorf("vehicle %s: %w", a.actor.ID, err)
		}
		if m, err := protocol.CBOR.DecodeTo(frame); err == nil {
			a.hear(conn, m)
		}
	}
}

// hear answers one message.
func (a *replayed) hear(conn *ws.Conn, m protocol.ToVehicle) {
	a.mu.Lock()
	defer a.mu.Unlock()
	refuse := func(ack protocol.Ack) {
		a.seq++
		ack.Seq, ack.Verdict, ack.Reason, ack.Text = a.seq, protocol.Refused, "replay", byRecording
		_ = a.send(conn, ack)
	}
	switch m := m.(type) {
	case protocol.Welcome:
		a.conn, a.epoch = conn, max(a.epoch, m.Epoch)
		if m.LogID == a.logID {
			a.seq = max(a.seq, m.Seq)
		}
		a.flush()
	case protocol.Mission:
		if m.State != protocol.MissionEnded {
			refuse(protocol.Ack{Mission: &protocol.MissionRef{ID: m.ID, Revision: m.Revision}})
		}
	case protocol.Command:
		refuse(protocol.Ack{Command: m.ID})
	case protocol.Alive, protocol.Received, protocol.Error:
	}
}

// readClock asks the backend for the fleet's time, which may be ahead of the wall
// clock.
func (p *replayer) readClock(ctx context.Context, who simout.Actor) error {
	a := p.newActor(who)
	conn, err := a.dial(ctx)
	if err != nil {
		return err
	}
	defer func() {
		conn.Close(ws.CloseGoingAway, "")
		<-conn.Done()
	}()
	end := context.AfterFunc(ctx, func() { conn.Close(ws.CloseGoingAway, "") })
	defer end()
	timeout := time.AfterFunc(10*time.Second, func() { conn.Close(ws.CloseGoingAway, "") })
	defer timeout.Stop()
	for {
		frame, err := conn.Receive()
		if err != nil {
			return fmt.Errorf("the backend does not welcome vehicle %s: %w", who.ID, err)
		}
		m, err := protocol.CBOR.DecodeTo(frame)
		if err != nil {
			continue
		}
		switch m := m.(type) {
		case protocol.Welcome:
			p.clock.Wall, p.clock.Fleet = time.Now().Round(0), m.Time
			return nil
		case protocol.Error:
			return fmt.Errorf("the backend refuses vehicle %s: %s: %s", who.ID, m.Code, m.Text)
		case protocol.Alive, protocol.Received, protocol.Mission, protocol.Command:
		}
	}
}

package ws

import (
	"errors"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// job is what a writer does next.
type job int

const (
	rest job = iota
	sendFrame
	sendPing
	sayFarewell
)

// wantWriter sees to it that a writer runs. The lock is held.
func (c *Conn) wantWriter() {
	if !c.writing {
		c.writing = true
		c.begin()
		go c.write()
	}
}

// beat is called each PingInterval.
func (c *Conn) beat() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.pingDue = true
	c.wantWriter()
	c.pinging.Reset(c.limits.pingInterval)
}

// write is the writer: frames in order, pings, and the farewell, until there is
// nothing left to do.
func (c *Conn) write() {
	defer c.release()
	for {
		todo, frame, by := c.next()
		switch todo {
		case rest:
			return
		case sendPing:
			// Its own failure needs no answer: the next frame fails too, or the read
			// deadline passes.
			_ = c.socket.WriteControl(websocket.PingMessage, nil, by)
		case sendFrame:
			c.writeFrame(frame, by)
		case sayFarewell:
			c.farewell()
			return
		}
	}
}

// next takes what is to be written first, and by when it must be. After the
// peer's end nothing is left to take but the farewell; after that the writer
// counts as running for ever, so that no other one starts.
func (c *Conn) next() (todo job, frame []byte, by time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing && !errors.Is(c.cause, ErrClosed) && !errors.Is(c.cause, ErrWrongKind) {
		c.queue, c.queuedBytes = nil, 0
	}
	c.holding = false
	by = c.closeBy
	if !c.closing {
		by = time.Now().Add(c.limits.writeTimeout)
	}
	switch {
	case c.pingDue && !c.closing:
		c.pingDue = false
		return sendPing, nil, by
	case len(c.queue) > 0:
		frame = c.queue[0]
		c.holding, c.held = true, len(frame)
		c.queue[0] = nil
		c.queue = c.queue[1:]
		c.queuedBytes -= len(frame)
		if len(c.queue) == 0 {
			c.queue = nil // An idle connection keeps no queue.
		}
		return sendFrame, frame, by
	case c.closing:
		return sayFarewell, nil, by
	}
	c.writing = false
	return rest, nil, by
}

// writeFrame ends the stream when the frame cannot be written in time.
func (c *Conn) writeFrame(frame []byte, by time.Time) {
	_ = c.socket.SetWriteDeadline(by)
	err := c.socket.WriteMessage(c.kind, frame)
	if err == nil {
		return
	}
	c.mu.Lock()
	c.queue, c.queuedBytes = nil, 0
	c.mu.Unlock()
	if errors.Is(err, websocket.ErrCloseSent) {
		// The socket answered by itself to what was read. The reader is about to say
		// what that was.
		return
	}
	var network net.Error
	if errors.As(err, &network) && network.Timeout() {
		c.end(CloseAbnormal, "", ErrStuck)
		return
	}
	c.end(CloseAbnormal, "", &PeerClosedError{Code: CloseAbnormal, Reason: err.Error()})
}

// farewell writes the close frame and gives the peer until the deadline to
// answer it. Whoever reads at that moment waits for the answer.
func (c *Conn) farewell() {
	c.mu.Lock()
	code, reason, deadline := c.closeCode, c.closeReason, c.closeBy
	c.mu.Unlock()
	// With 1006 there is nobody to tell, and it must not be sent.
	told := code != CloseAbnormal &&
		c.socket.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), deadline) == nil
	c.mu.Lock()
	c.said = true
	awaited := told && c.reading
	if told {
		_ = c.socket.SetReadDeadline(deadline)
	}
	c.mu.Unlock()
	if awaited {
		return
	}
	if told {
		c.drain()
		return
	}
	c.finish()
}

// drain reads until the peer's close frame, an error or the deadline, so that
// closing the socket with unread data does not destroy our close frame on its
// way. Then the stream is over.
func (c *Conn) drain() {
	for {
		if _, _, err := c.socket.NextReader(); err != nil {
			c.finish()
			return
		}
	}
}

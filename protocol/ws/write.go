package ws

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"
)

// write is the writer goroutine: frames in order, pings, and the farewell.
func (c *Conn) write() {
	defer c.finish()
	ping := time.NewTimer(c.options.PingInterval)
	defer ping.Stop()
	for {
		select {
		case <-ping.C:
			c.ping()
			ping.Reset(c.options.PingInterval)
		default:
		}
		frame, ok, closing := c.next()
		if ok {
			if !c.writeFrame(frame) {
				return
			}
			continue
		}
		if closing {
			c.farewell()
			return
		}
		select {
		case <-c.wake:
		case <-ping.C:
			c.ping()
			ping.Reset(c.options.PingInterval)
		}
	}
}

// next takes the first frame off the queue. After the peer's end nothing is
// left to take.
func (c *Conn) next() (frame []byte, ok, closing bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing && !errors.Is(c.cause, ErrClosed) && !errors.Is(c.cause, ErrWrongKind) {
		c.queue, c.queuedBytes = nil, 0
	}
	c.writing = len(c.queue) > 0
	if !c.writing {
		return nil, false, c.closing
	}
	frame = c.queue[0]
	c.current = len(frame)
	c.queue[0] = nil
	c.queue = c.queue[1:]
	c.queuedBytes -= len(frame)
	if len(c.queue) == 0 {
		c.queue = nil // An idle connection keeps no queue.
	}
	return frame, true, c.closing
}

// writeFrame reports whether the stream can go on.
func (c *Conn) writeFrame(frame []byte) bool {
	_ = c.socket.SetWriteDeadline(c.writeBy())
	err := c.socket.WriteMessage(c.kind, frame)
	if err != nil {
		c.end(CloseAbnormal, "", &PeerClosedError{Code: CloseAbnormal, Reason: err.Error()})
	}
	return err == nil
}

// writeBy returns when the next frame must be written.
func (c *Conn) writeBy() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return c.closeBy
	}
	return time.Now().Add(c.options.WriteTimeout)
}

// ping asks for a sign of life. Its own failure needs no answer: the next
// frame fails too, or the read deadline passes.
func (c *Conn) ping() {
	_ = c.socket.WriteControl(websocket.PingMessage, nil, c.writeBy())
}

// farewell writes the close frame and gives the peer until the deadline to
// answer it.
func (c *Conn) farewell() {
	c.mu.Lock()
	code, reason, deadline := c.closeCode, c.closeReason, c.closeBy
	c.mu.Unlock()
	if code == CloseAbnormal {
		return // There is nobody to tell, and 1006 must not be sent.
	}
	message := websocket.FormatCloseMessage(code, reason)
	if err := c.socket.WriteControl(websocket.CloseMessage, message, deadline); err == nil {
		c.drain(deadline)
	}
}

// finish closes the socket and counts the connection out.
func (c *Conn) finish() {
	_ = c.socket.Close()
	close(c.done)
	if c.options.Group != nil {
		c.options.Group.end(c)
	}
}

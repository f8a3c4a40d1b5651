package ws

import (
	"bufio"
	"bytes"
	"errors"
	"time"
)

// Handler takes what Serve reads.
type Handler interface {
	// Frame takes the next frame, which is valid until it returns, or
	// ErrFrameTooLarge for one that was skipped. With false Serve ends.
	Frame(frame []byte, err error) bool
	// Ended takes the final error, as Receive would have returned it. It is not
	// called when Frame ended Serve.
	Ended(err error)
}

// Serve gives the handler each frame in order, one after the other, until the
// stream or the handler ends it. It is Receive in a loop for servers of many
// connections: the calling goroutine waits for the peer on a small stack, and
// lends what has come to a worker of the group, which has the buffers and the
// stack that reading and handling take. So an idle connection costs neither,
// and the memory of frames grows with those that are read at the same time. The
// group's workers end with its last connection. Where the system cannot wait
// like this, with TLS, and without a group, it is Receive in a loop.
func (c *Conn) Serve(h Handler) {
	c.begin()
	defer c.release()
	if c.wire == nil || c.wire.raw == nil || c.limits.group == nil {
		c.receiveAll(h)
		return
	}
	if !c.beginReading() {
		h.Ended(c.over())
		return
	}
	c.handler = h
	if n := c.reader.Buffered(); n > 0 {
		// It came while Receive was called.
		left, _ := c.reader.Peek(n)
		c.wire.pending = bytes.Clone(left)
	}
	*c.reader = bufio.Reader{}
	for c.wire.await() != turnOver {
		if c.wire.drained {
			c.rest()
		}
	}
}

// rests tells whether rest would wait.
func (c *Conn) rests() bool { return c.limits.rest != nil && c.limits.rest() > 0 }

// rest leaves the peer alone for a while. What little there is in here must get
// along with the smallest stack.
func (c *Conn) rest() {
	if c.limits.rest == nil {
		return
	}
	if d := c.limits.rest(); d > 0 {
		time.Sleep(d)
	}
}

func (c *Conn) receiveAll(h Handler) {
	for {
		frame, err := c.Receive()
		if isFinal(err) {
			h.Ended(err)
			return
		}
		if !c.handle(h, frame, err) {
			return
		}
		if c.drained {
			c.rest()
		}
	}
}

// handle is a turn of a connection that is read without the group's workers.
func (c *Conn) handle(h Handler, frame []byte, err error) bool {
	if c.line != nil {
		w := c.line.enter()
		defer c.line.leave(w)
	}
	return h.Frame(frame, err)
}

// isFinal tells whether the stream is at its end.
func isFinal(err error) bool { return err != nil && !errors.Is(err, ErrFrameTooLarge) }

package ws

import (
	"bufio"
	"bytes"
	"errors"
	"time"
)

// maxIdleWorkers is how many workers of a group may wait for a turn.
const maxIdleWorkers = 64

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
	if c.wire == nil || c.wire.raw == nil || c.limits.group == nil {
		c.receiveAll(h)
		return
	}
	c.begin()
	defer c.release()
	if !c.beginReading() {
		h.Ended(c.over())
		return
	}
	c.handler, c.turns = h, make(chan turnEnd, 1)
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
		c.line.enter()
		defer c.line.leave()
	}
	return h.Frame(frame, err)
}

// isFinal tells whether the stream is at its end.
func isFinal(err error) bool { return err != nil && !errors.Is(err, ErrFrameTooLarge) }

// worker reads and handles what has come for one connection after the other.
type worker struct {
	reader *bufio.Reader
	buffer []byte
}

// turn reads and handles the frames that have come, until nothing of the next
// one has.
func (w *worker) turn(c *Conn) turnEnd {
	*c.reader = *w.reader
	c.reader.Reset(c.wire)
	c.inTurn = true
	c.wire.slowDown()
	for c.nextIsMessage() {
		var frame []byte
		var err error
		frame, w.buffer, err = c.receive(w.buffer)
		switch {
		case isFinal(err):
			w.partWith(c)
			c.stopReading(!errors.Is(err, ErrWrongKind))
			c.handler.Ended(err)
			return turnOver
		case c.isClosing():
			// It is thrown away; reading goes on to the peer's answer.
		case !c.handler.Frame(frame, err):
			w.partWith(c)
			c.stopReading(false)
			return turnOver
		}
	}
	c.inTurn, c.wire.inside = false, false
	c.wire.prolong()
	// The next turn may be another worker's, whose buffer serves as well.
	*c.reader = bufio.Reader{}
	if cap(w.buffer) > c.limits.readLimit {
		w.buffer = nil
	}
	return turnOn
}

// partWith leaves the reader's memory, and the chunk of which not all is taken, to
// whoever reads the connection to its end, perhaps nobody: the worker and the
// group get others.
func (w *worker) partWith(c *Conn) {
	// Closing the socket waits for whoever is within it.
	c.wire.letGo()
	c.inTurn = false
	w.reader = bufio.NewReaderSize(nil, DefaultBufferBytes)
	if c.wire.chunk != nil {
		c.limits.group.spare(new(chunk))
	}
}

// nextIsMessage handles the pings and pongs that stand before the next message.
// It is false when nothing of that has come. All that is wrong is left to the
// socket.
func (c *Conn) nextIsMessage() bool {
	const ping, pong, headBytes = 0x89, 0x8a, 6
	for c.wire.broken || c.wire.failure != nil || len(c.wire.pending) > 0 || c.reader.Buffered() > 0 {
		head, err := c.reader.Peek(2)
		if err != nil || head[0] != ping && head[0] != pong || head[1] < 0x80 || head[1] > 0x80+125 {
			return true
		}
		kind, size := head[0], headBytes+int(head[1]-0x80)
		frame, err := c.reader.Peek(size)
		if err != nil {
			return true
		}
		var payload [125]byte
		n := copy(payload[:], frame[headBytes:])
		for i := range n {
			payload[i] ^= frame[2+i%4]
		}
		_, _ = c.reader.Discard(size)
		if kind == ping {
			c.pinged(payload[:n])
		} else {
			c.control()
		}
	}
	return false
}

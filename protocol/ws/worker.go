package ws

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"runtime/debug"
)

// chunkBytes is how much is read at once where a goroutine waited with Serve.
const chunkBytes = 4 << 10

// turnEnd is what a turn comes to.
type turnEnd uint8

const (
	// turnWaits: nothing had come.
	turnWaits turnEnd = iota
	// turnOn: all that had come is handled. turnOver: Serve is over.
	turnOn
	turnOver
	// turnOut: the turn goes on, and the connection's goroutine has to leave the
	// socket to the worker.
	turnOut
)

// worker reads and handles what has come for one connection after the other. It
// is a coroutine: a goroutine with a stack of its own which runs while that of a
// connection waits for it, and which is switched to without the scheduler. Who
// has it owns all of it.
type worker struct {
	conn   *Conn // whose turn it is
	reader *bufio.Reader
	buffer []byte
	chunk  []byte
	// next goes on with the worker until it yields, stop ends it; nil before begin.
	next  func() (turnEnd, bool)
	stop  func()
	yield func(turnEnd) bool
}

// begin makes the worker's coroutine, which takes more stack than a connection's
// goroutine has.
func (w *worker) begin() {
	w.next, w.stop = iter.Pull(func(yield func(turnEnd) bool) {
		defer func() {
			// It goes on in the connection's goroutine, which knows nothing of this stack.
			if fault := recover(); fault != nil {
				panic(fmt.Sprintf("%v\n\n%s", fault, debug.Stack()))
			}
		}()
		w.yield = yield
		for yield(w.turn(w.conn)) {
		}
	})
}

// end ends the worker between two turns.
func (w *worker) end() {
	if w.stop != nil {
		w.stop()
	}
}

// goOn lets the worker begin or go on with a turn, until its end or turnOut.
func (w *worker) goOn() turnEnd {
	end, _ := w.next()
	return end
}

// turn has a worker read and handle what has come for the connection, which
// waits meanwhile, first for its turn.
func (c *Conn) turn() turnEnd {
	w := c.line.enter()
	if w.next == nil {
		w.begin()
	}
	w.conn, c.worker = c, w
	return c.turnEnds()
}

// turnEnds waits for the end of a turn, or for turnOut.
func (c *Conn) turnEnds() turnEnd {
	w := c.worker
	end := w.goOn()
	if end != turnOut {
		w.conn, c.worker = nil, nil
		c.line.leave(w)
	}
	return end
}

// turn reads and handles the frames that have come, until nothing of the next
// one has.
func (w *worker) turn(c *Conn) turnEnd {
	if w.chunk == nil {
		w.chunk = make([]byte, chunkBytes)
	}
	if w.reader == nil {
		w.reader = bufio.NewReaderSize(nil, DefaultBufferBytes)
	}
	if !c.wire.takeChunk(w.chunk) {
		return turnWaits
	}
	*c.reader = *w.reader
	c.reader.Reset(c.wire)
	c.inTurn = true
	c.wire.slowDown()
	for {
		frame, whole := c.nextWhole()
		if !whole && !c.nextIsMessage(false) {
			break
		}
		var err error
		if !whole {
			frame, w.buffer, err = c.receive(w.buffer)
		}
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
// whoever reads the connection to its end, perhaps nobody: the worker gets others.
func (w *worker) partWith(c *Conn) {
	// Closing the socket waits for whoever is within it.
	c.wire.letGo()
	c.inTurn = false
	w.reader = nil
	if len(c.wire.pending) > 0 {
		w.chunk = nil
	}
}

// nextWhole takes the next message if all of it has come, in one frame and in the
// chunk, as nearly all do. It is valid until the turn's next reading. Pings and
// pongs before it are handled. Everything else, and all that is wrong, is left to
// the socket, which stands between two messages and does not notice.
func (c *Conn) nextWhole() (message []byte, ok bool) {
	for c.reader.Buffered() == 0 {
		f, ok := wholeFrame(c.wire.pending)
		switch {
		case !ok:
			return nil, false
		case f.first == pingFrame:
			c.wire.pending = f.rest
			c.pinged(f.open())
		case f.first == pongFrame:
			c.wire.pending = f.rest
			c.control()
		case int(f.first) != finalBit|c.kind || len(f.payload) > c.limits.readLimit:
			return nil, false
		default:
			c.wire.pending = f.rest
			c.heard()
			return f.open(), true
		}
	}
	return nil, false
}

// nextIsMessage handles the pings and pongs that stand before the next message.
// It is false when nothing of that has come, unless it is to wait for it. All that
// is wrong is left to the socket, but for what that takes for right.
func (c *Conn) nextIsMessage(waits bool) bool {
	const headBytes = 2 + maskBytes
	for waits || c.wire.broken || c.wire.failure != nil || len(c.wire.pending) > 0 || c.reader.Buffered() > 0 {
		head, err := c.reader.Peek(2)
		switch {
		case err != nil:
			return true
		case head[0] == closeFrame && head[1] == maskedBit+1:
			const half = "a close frame of one byte"
			c.end(CloseProtocol, half, &PeerClosedError{Code: CloseAbnormal, Reason: half})
			return true
		case head[0] != pingFrame && head[0] != pongFrame || head[1] < maskedBit || head[1] > maskedBit+longestControl:
			return true
		}
		kind, size := head[0], headBytes+int(head[1]-maskedBit)
		bytes, err := c.reader.Peek(size)
		if err != nil {
			return true
		}
		var payload [longestControl]byte
		n := copy(payload[:], bytes[headBytes:])
		unmask(payload[:n], [maskBytes]byte(bytes[2:]))
		_, _ = c.reader.Discard(size)
		if kind == pingFrame {
			c.pinged(payload[:n])
		} else {
			c.control()
		}
	}
	return false
}

// What stands in a frame's head, by RFC 6455, section 5.2.
const (
	finalBit   = 0x80 // of the first byte
	maskedBit  = 0x80 // of the second
	closeFrame = finalBit | 0x8
	pingFrame  = finalBit | 0x9
	pongFrame  = finalBit | 0xa
	maskBytes  = 4
	// longestControl is the longest payload of a ping or pong, and of any frame
	// whose length stands in the second byte; with twoBytes it stands behind that.
	longestControl = 125
	twoBytes       = 126
)

// frame is a masked frame in memory.
type frame struct {
	first   byte
	mask    [maskBytes]byte
	payload []byte
	rest    []byte // what comes behind it
}

// wholeFrame finds the frame with which b begins, if all of it is there. One
// that is not masked, or whose length is written in a way that is wrong or
// longer than here, is none.
func wholeFrame(b []byte) (frame, bool) {
	if len(b) < 2+maskBytes || b[1] < maskedBit {
		return frame{}, false
	}
	head, length := 2, int(b[1]-maskedBit)
	switch {
	case length > twoBytes:
		return frame{}, false
	case length == twoBytes:
		head, length = 4, int(binary.BigEndian.Uint16(b[2:]))
		if b[0] == pingFrame || b[0] == pongFrame || length < twoBytes {
			return frame{}, false
		}
	}
	begins := head + maskBytes
	if len(b) < begins+length {
		return frame{}, false
	}
	return frame{b[0], [maskBytes]byte(b[head:]), b[begins : begins+length : begins+length], b[begins+length:]}, true
}

// open takes the mask off the payload and returns it.
func (f *frame) open() []byte {
	unmask(f.payload, f.mask)
	return f.payload
}

// unmask takes the mask off a payload.
func unmask(payload []byte, mask [maskBytes]byte) {
	once := binary.NativeEndian.Uint32(mask[:])
	twice := uint64(once)<<32 | uint64(once)
	for len(payload) >= 8 {
		binary.NativeEndian.PutUint64(payload, binary.NativeEndian.Uint64(payload)^twice)
		payload = payload[8:]
	}
	for i := range payload {
		payload[i] ^= mask[i%maskBytes]
	}
}

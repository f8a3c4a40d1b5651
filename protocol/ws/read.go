package ws

import (
	"errors"
	"io"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// Receive waits for the next frame, which is valid until the next call. It
// returns ErrFrameTooLarge for a frame that it skipped; every other error is
// final: ErrClosed, ErrSilent, ErrUnfinished, ErrStuck, ErrWrongKind,
// ErrFrameRefused or a *PeerClosedError. Frames that arrive after Close are
// thrown away.
func (c *Conn) Receive() ([]byte, error) {
	if !c.beginReading() {
		return nil, c.over()
	}
	if cap(c.buffer) > keepBytes {
		c.buffer = nil
	}
	var frame []byte
	var err error
	for {
		if c.wire != nil {
			c.nextIsMessage(true)
		}
		frame, c.buffer, err = c.receive(c.buffer)
		if isFinal(err) || !c.isClosing() {
			break
		}
		// Thrown away; reading goes on to the peer's answer.
	}
	// From then on the writer may read, if the stream is closing.
	c.drained = c.reader != nil && c.reader.Buffered() == 0
	c.stopReading(isFinal(err) && !errors.Is(err, ErrWrongKind))
	return frame, err
}

// beginReading is false after the end.
func (c *Conn) beginReading() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = !c.closing
	return c.reading
}

// over waits for the end of a stream that is closing and returns its cause.
func (c *Conn) over() error {
	<-c.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// stopReading ends what beginReading began. If the farewell relied on it, the
// stream is over where reading has failed; else somebody has to read on.
func (c *Conn) stopReading(failed bool) {
	c.mu.Lock()
	c.reading = false
	last := c.said
	c.mu.Unlock()
	switch {
	case !last:
	case failed:
		c.finish()
	default:
		c.begin()
		go func() {
			defer c.release()
			c.drain()
		}()
	}
}

// receive reads one frame into the buffer, which it returns for the next one. A
// frame of a stream that is closing may be returned too.
func (c *Conn) receive(buffer []byte) (frame, kept []byte, err error) {
	kind, reader, err := c.socket.NextReader()
	if err != nil {
		return nil, buffer, c.failed(err)
	}
	c.inMessage = true
	if kind != c.kind && !c.isClosing() {
		// The rest of what comes is read by whoever waits for the peer's answer.
		c.end(CloseUnsupported, "frame is of the wrong kind for sub-protocol "+c.Subprotocol(), ErrWrongKind)
		return nil, buffer, ErrWrongKind
	}
	buffer, err = readUpTo(buffer[:0], reader, c.limits.readLimit)
	switch {
	case err == nil:
		c.complete()
		return buffer, buffer, nil
	case errors.Is(err, ErrFrameTooLarge):
		c.complete()
		return nil, buffer, ErrFrameTooLarge
	}
	return nil, buffer, c.failed(err)
}

// complete notes the end of a message, a sign of life.
func (c *Conn) complete() {
	c.inMessage = false
	c.heard()
}

// control notes a ping or pong. In the midst of a message it is a sign of life
// and yet gives that message no more time.
func (c *Conn) control() { c.heard() }

// heard notes a sign of life. What comes next is a new message, unless one is
// under way.
func (c *Conn) heard() {
	if c.wire != nil {
		c.wire.heard(c.inMessage)
		return
	}
	// A client's deadline is the socket's own. While the stream closes, the writer
	// has set the last one.
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.socket.SetReadDeadline(time.Now().Add(c.limits.readTimeout))
	}
}

// pinged answers a ping, as often as is reasonable.
func (c *Conn) pinged(payload []byte) {
	c.control()
	if !c.pings.take(c.now(), pingsPerSecond, pingsAtOnce) {
		c.throttle(ThrottledPings)
		return
	}
	// One that cannot be answered in time is a problem of the peer's reading,
	// which the writing of frames finds out.
	c.stepOut()
	_ = c.socket.WriteControl(websocket.PongMessage, payload, time.Now().Add(pongWithin))
	c.stepIn()
}

// stepOut and stepIn stand around what may wait for the peer, so that no other
// connection waits for that too.
func (c *Conn) stepOut() {
	if c.inTurn {
		c.line.stepOut()
	}
}

func (c *Conn) stepIn() {
	if c.inTurn {
		c.line.stepIn()
	}
}

func (c *Conn) throttle(what Throttle) {
	if c.limits.throttled != nil {
		c.limits.throttled(what)
	}
}

// readUpTo appends what r holds to dst. It never grows dst beyond twice what
// has really arrived, whatever length the frame's header claims. What is
// beyond the limit is skipped, as far as the socket's own limit lets it.
func readUpTo(dst []byte, r io.Reader, limit int) ([]byte, error) {
	if dst == nil {
		dst = make([]byte, 0, 512)
	}
	for {
		if len(dst) == cap(dst) {
			dst = append(dst, 0)[:len(dst)]
		}
		n, err := r.Read(dst[len(dst):cap(dst)])
		dst = dst[:len(dst)+n]
		if len(dst) > limit {
			if _, err := io.Copy(io.Discard, r); err != nil {
				return dst, err
			}
			return dst, ErrFrameTooLarge
		}
		if errors.Is(err, io.EOF) {
			return dst, nil
		}
		if err != nil {
			return dst, err
		}
	}
}

func (c *Conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// failed ends the stream after a reading error and returns what Receive
// reports: the first cause, not what followed from it.
func (c *Conn) failed(err error) error {
	var closed *websocket.CloseError
	var network net.Error
	switch {
	case errors.As(err, &closed):
		// NextReader reports a bare end of the network connection as 1006 too.
		c.end(echo(closed.Code), "", &PeerClosedError{Code: closed.Code, Reason: closed.Text})
	case errors.Is(err, websocket.ErrReadLimit):
		c.end(CloseTooLarge, "", ErrFrameRefused)
	case errors.As(err, &network) && network.Timeout():
		if c.wire != nil && c.wire.unfinished() {
			c.end(ClosePolicy, "a message was not complete within "+c.limits.messageWithin.String(), ErrUnfinished)
			break
		}
		c.end(CloseGoingAway, "no sign of life", ErrSilent)
	default:
		c.end(CloseAbnormal, "", &PeerClosedError{Code: CloseAbnormal, Reason: err.Error()})
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cause
}

// echo returns the code that answers the peer's: the same, unless it is one
// that must not be sent.
func echo(code int) int {
	if code == websocket.CloseNoStatusReceived {
		return CloseNormal
	}
	return code
}

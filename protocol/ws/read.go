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
// final: ErrClosed, ErrSilent, ErrWrongKind, ErrFrameRefused or a
// *PeerClosedError. Frames that arrive after Close are thrown away.
func (c *Conn) Receive() ([]byte, error) {
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	if cap(c.buffer) > keepBytes {
		c.buffer = nil
	}
	for {
		kind, reader, err := c.socket.NextReader()
		if err != nil {
			return nil, c.failed(err)
		}
		if c.isClosing() {
			continue
		}
		if kind != c.kind {
			c.end(CloseUnsupported, "frame is of the wrong kind for sub-protocol "+c.Subprotocol(), ErrWrongKind)
			return nil, ErrWrongKind
		}
		c.buffer, err = readUpTo(c.buffer[:0], reader, c.options.ReadLimit)
		switch {
		case err == nil:
			c.heard()
			return c.buffer, nil
		case errors.Is(err, ErrFrameTooLarge):
			c.heard()
			return nil, ErrFrameTooLarge
		default:
			return nil, c.failed(err)
		}
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

// drain reads until the peer's close frame, an error or the deadline, so that
// closing the socket with unread data does not destroy our close frame on its
// way. A Receive that is under way does the same for it.
func (c *Conn) drain(deadline time.Time) {
	_ = c.socket.SetReadDeadline(deadline)
	c.reading <- struct{}{}
	defer func() { <-c.reading }()
	for {
		if _, _, err := c.socket.NextReader(); err != nil {
			return
		}
	}
}

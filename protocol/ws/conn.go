package ws

import (
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kapok-fleet/kapok/protocol"
)

const (
	// keepBytes is the largest read buffer that an idle connection keeps.
	keepBytes = 4 << 10
	// skipFactor is how far beyond the read limit a frame is still skipped
	// rather than answered by closing.
	skipFactor = 4
	// maxReasonBytes is what a close frame can carry beside its code.
	maxReasonBytes = 123
)

// Conn is one stream. Send, Close, Go and Done may be called from any
// goroutine; Receive from one at a time.
type Conn struct {
	socket  *websocket.Conn
	options Options
	kind    int // websocket.TextMessage or BinaryMessage

	reading chan struct{} // capacity 1: holds a token while someone reads
	buffer  []byte

	wake chan struct{} // capacity 1: the queue or the state changed
	done chan struct{} // closed when the writer has ended

	mu          sync.Mutex
	queue       [][]byte
	queuedBytes int
	writing     bool // the writer has a frame of current bytes in hand
	current     int
	closing     bool  // no more is queued; the writer drains and closes
	cause       error // why, as Receive reports it
	closeCode   int
	closeReason string
	closeBy     time.Time // when the socket is closed at the latest
}

// start begins the writer of an upgraded connection.
func start(socket *websocket.Conn, o Options) (*Conn, error) {
	c := &Conn{
		socket:  socket,
		options: o,
		kind:    websocket.TextMessage,
		reading: make(chan struct{}, 1),
		wake:    make(chan struct{}, 1),
		done:    make(chan struct{}),
	}
	if isBinary(socket.Subprotocol()) {
		c.kind = websocket.BinaryMessage
	}
	if o.Group != nil {
		if err := o.Group.join(c); err != nil {
			_ = socket.Close()
			return nil, err
		}
	}
	socket.SetReadLimit(int64(o.ReadLimit) * skipFactor)
	socket.SetPongHandler(func(string) error { c.heard(); return nil })
	// The peer's close frame is answered by the writer, after what is queued.
	socket.SetCloseHandler(func(int, string) error { return nil })
	c.heard()
	go c.write()
	return c, nil
}

// Subprotocol returns what was agreed, empty for none.
func (c *Conn) Subprotocol() string { return c.socket.Subprotocol() }

// RemoteAddr returns the peer's network address, for logs.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// Done is closed when the stream has ended and its socket is closed.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Go runs f in a goroutine that the connection's group awaits at shutdown, and
// closes the stream normally when f returns. f is usually the Receive loop.
func (c *Conn) Go(f func()) {
	if c.options.Group != nil {
		c.options.Group.begin()
	}
	go func() {
		defer func() {
			c.Close(CloseNormal, "")
			<-c.done
			if c.options.Group != nil {
				c.options.Group.end(nil)
			}
		}()
		f()
	}()
}

// Send queues a frame and returns at once; the stream owns the frame's memory
// from then on, and several streams may share it, since nobody changes it. It
// returns ErrQueueFull when the queue has no room, ErrFrameTooLarge for a frame
// that would not fit an empty queue, and ErrClosed after the end.
func (c *Conn) Send(frame []byte) error {
	if len(frame) > c.options.QueueBytes {
		return ErrFrameTooLarge
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ErrClosed
	}
	if len(c.queue) >= c.options.QueueFrames || c.queuedBytes+len(frame) > c.options.QueueBytes {
		return ErrQueueFull
	}
	c.queue = append(c.queue, frame)
	c.queuedBytes += len(frame)
	c.signal()
	return nil
}

// Queued returns how many frames and bytes wait to be written.
func (c *Conn) Queued() (frames, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue), c.queuedBytes
}

// Unwritten returns how many frames and bytes wait to be written or are being
// written: so many of the last frames are still in memory for this stream.
func (c *Conn) Unwritten() (frames, bytes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.writing {
		return len(c.queue) + 1, c.queuedBytes + c.current
	}
	return len(c.queue), c.queuedBytes
}

// Close ends the stream: what is queued is still written, then a close frame
// with code and reason (cut to 123 bytes), then the socket is closed once the
// peer has answered, all within the write timeout. Close does not wait; Done
// tells the end. The first Close decides; later ones do nothing.
func (c *Conn) Close(code int, reason string) { c.end(code, reason, ErrClosed) }

// end is Close with the cause that Receive reports.
func (c *Conn) end(code int, reason string, cause error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.closing, c.cause = true, cause
	c.closeCode, c.closeReason = code, protocol.CleanText(reason, maxReasonBytes)
	c.closeBy = time.Now().Add(c.options.WriteTimeout)
	c.signal()
}

// cut closes the socket at once, which ends reader and writer.
func (c *Conn) cut() {
	c.end(CloseAbnormal, "", ErrClosed)
	_ = c.socket.NetConn().Close()
}

// signal wakes the writer; a wake-up that is pending already is enough.
func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// heard extends the peer's time to be silent, unless the stream is closing:
// then the writer has set the last deadline.
func (c *Conn) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closing {
		_ = c.socket.SetReadDeadline(time.Now().Add(c.options.ReadTimeout))
	}
}

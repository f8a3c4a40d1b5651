package ws

import (
	"bufio"
	"net"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/kapok-fleet/kapok/protocol"
)

const (
	// keepBytes is the largest buffer of a frame that Receive keeps for the next.
	keepBytes = 4 << 10
	// skipFactor is how far beyond the read limit a frame is still skipped
	// rather than answered by closing.
	skipFactor = 4
	// maxReasonBytes is what a close frame can carry beside its code.
	maxReasonBytes = 123
)

// Conn is one stream. Send, Close, Go and Done may be called from any
// goroutine; Receive and Serve from one at a time.
//
// No goroutine stands by for writing: one runs while there is something to
// write. An idle connection is a socket, this struct and, with Serve, a
// goroutine with the smallest stack that there is.
type Conn struct {
	socket *websocket.Conn
	wire   *wire         // under the socket, nil for a client
	reader *bufio.Reader // the socket's, nil for a client
	limits limits
	kind   int // websocket.TextMessage or BinaryMessage
	opened time.Time

	// The rest up to mu belongs to whoever reads.
	buffer    []byte
	inMessage bool
	drained   bool // nothing more had come when Receive returned
	pings     allowance
	handler   Handler
	line      *line   // the group's
	worker    *worker // who has the turn that is under way
	inTurn    bool    // one of Serve is under way, and has not stepped out

	mu          sync.Mutex
	queue       [][]byte
	queuedBytes int
	held        int  // bytes of the frame that the writer has in hand
	holding     bool // it has one
	pinging     *time.Timer
	pingDue     bool
	writing     bool  // a writer runs
	reading     bool  // Receive or Serve is under way
	closing     bool  // no more is queued; the writer drains and closes
	said        bool  // the close frame is written, or there is nobody to tell
	finished    bool  // the socket is closed
	cause       error // why, as Receive reports it
	closeCode   int
	closeReason string
	closeBy     time.Time // when the socket is closed at the latest
	done        chan struct{}
}

// limits are what a connection keeps of its options.
type limits struct {
	group                                                  *Group
	throttled                                              func(Throttle)
	rest                                                   func() time.Duration
	readLimit, queueFrames, queueBytes                     int
	pingInterval, readTimeout, writeTimeout, messageWithin time.Duration
}

func limitsOf(o *Options) limits {
	return limits{
		group: o.Group, throttled: o.Throttled, rest: o.Rest,
		readLimit: o.ReadLimit, queueFrames: o.QueueFrames, queueBytes: o.QueueBytes,
		pingInterval: o.PingInterval, readTimeout: o.ReadTimeout, writeTimeout: o.WriteTimeout, messageWithin: o.MessageTimeout,
	}
}

// start takes the connection up once it is upgraded.
func (c *Conn) start(socket *websocket.Conn) (*Conn, error) {
	c.socket, c.kind = socket, websocket.TextMessage
	if isBinary(socket.Subprotocol()) {
		c.kind = websocket.BinaryMessage
	}
	socket.SetReadLimit(int64(c.limits.readLimit) * skipFactor)
	socket.SetPongHandler(func(string) error { c.control(); return nil })
	socket.SetPingHandler(func(payload string) error { c.pinged([]byte(payload)); return nil })
	// The peer's close frame is answered by the writer, after what is queued.
	socket.SetCloseHandler(func(int, string) error { return nil })
	if c.wire != nil {
		c.wire.last = max(c.now(), 1)
		c.wire.heard(false)
		// Moving a deadline takes more stack than one who waits has.
		c.wire.arm()
	} else {
		c.heard()
	}
	// As soon as it has joined, a shutdown may close it: it waits for the lock.
	c.mu.Lock()
	defer c.mu.Unlock()
	if g := c.limits.group; g != nil {
		if err := g.join(c); err != nil {
			_ = socket.Close()
			return nil, err
		}
	}
	c.pinging = time.AfterFunc(c.limits.pingInterval, c.beat)
	return c, nil
}

// now is the time since the connection was opened.
func (c *Conn) now() time.Duration { return time.Since(c.opened) }

// Subprotocol returns what was agreed, empty for none.
func (c *Conn) Subprotocol() string { return c.socket.Subprotocol() }

// RemoteAddr returns the peer's network address, for logs.
func (c *Conn) RemoteAddr() net.Addr { return c.socket.RemoteAddr() }

// Done is closed when the stream has ended and its socket is closed.
func (c *Conn) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.finished {
			close(c.done)
		}
	}
	return c.done
}

// Go runs f in a goroutine that the connection's group awaits at shutdown, and
// closes the stream normally when f returns. f usually calls Serve, or Receive
// in a loop.
func (c *Conn) Go(f func()) {
	c.begin()
	go func() {
		defer c.release()
		f()
		c.ended() // Not after a panic, whose waiting it would never end.
	}()
}

// ended closes the stream and awaits its end.
func (c *Conn) ended() {
	c.Close(CloseNormal, "")
	<-c.Done()
}

// begin and release count a goroutine of the connection in its group.
func (c *Conn) begin() {
	if g := c.limits.group; g != nil {
		g.begin()
	}
}

func (c *Conn) release() {
	if g := c.limits.group; g != nil {
		g.end(nil)
	}
}

// Send queues a frame and returns at once; the stream owns the frame's memory
// from then on, and several streams may share it, since nobody changes it. It
// returns ErrQueueFull when the queue has no room, ErrFrameTooLarge for a frame
// that would not fit an empty queue, and ErrClosed after the end.
func (c *Conn) Send(frame []byte) error {
	if len(frame) > c.limits.queueBytes {
		return ErrFrameTooLarge
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return ErrClosed
	}
	if len(c.queue) >= c.limits.queueFrames || c.queuedBytes+len(frame) > c.limits.queueBytes {
		return ErrQueueFull
	}
	c.queue = append(c.queue, frame)
	c.queuedBytes += len(frame)
	c.wantWriter()
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
	if c.holding {
		return len(c.queue) + 1, c.queuedBytes + c.held
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
	c.closeBy = time.Now().Add(c.limits.writeTimeout)
	c.pinging.Stop()
	c.wantWriter()
}

// cut closes the socket at once, which ends reader and writer.
func (c *Conn) cut() {
	c.end(CloseAbnormal, "", ErrClosed)
	_ = c.socket.NetConn().Close()
}

// finish closes the socket and counts the connection out. The writer or the
// reader calls it, whoever is the last at the socket.
func (c *Conn) finish() {
	_ = c.socket.Close()
	c.mu.Lock()
	already := c.finished
	c.finished = true
	if !already && c.done != nil {
		close(c.done)
	}
	c.mu.Unlock()
	if g := c.limits.group; g != nil && !already {
		g.end(c)
	}
}

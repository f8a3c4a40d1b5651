// Package ws is a bounded stream of messages over one WebSocket.
//
// A Conn has a queue that is bounded in frames and in bytes; Send never waits,
// so a slow peer costs its sender nothing and the sender decides what a full
// queue means. A writer runs while there is something to write. Reading is
// pulled: the owner calls Receive in a loop, or Serve, usually in a goroutine
// that it starts with Conn.Go. The stream pings, gives up on a silent peer, and
// closes in an orderly way. A Group counts the connections that live on when
// their HTTP handlers have returned, and closes and awaits them, because
// http.Server does neither.
//
// The limits, most of them set by Options:
//
//   - ReadLimit: a longer message is skipped and Receive returns
//     ErrFrameTooLarge; the stream goes on. One longer than four times the limit
//     closes the connection with 1009.
//   - MessageTimeout: a message that is not complete so long after its first
//     byte closes the connection with 1008, however its fragments come and
//     whatever control frames stand between them.
//   - 4 MiB a second, and 4 MiB at once: beyond it reading waits, which holds the
//     peer back, so that floods of any frames cost bounded time.
//   - 10 pings a second, and 20 at once: more are not answered.
//   - QueueFrames, QueueBytes: beyond either, Send returns ErrQueueFull.
//   - PingInterval, ReadTimeout: a peer that sends no message, ping or pong for
//     ReadTimeout is closed with 1001, and Receive returns ErrSilent.
//   - WriteTimeout: a frame that is not written in time cuts the connection, and
//     Receive returns ErrStuck.
//   - HandshakeTimeout: bounds Accept's and Dial's exchange of headers.
//
// Those of messages, rates and pings hold for accepted connections. A frame of
// the wrong kind (text or binary, by the sub-protocol) closes the connection
// with 1003, what RFC 6455 forbids with 1002. Frames are never compressed.
// Payloads are not looked into: whether text is valid UTF-8 is the decoder's to
// check.
//
// The memory of an accepted connection that waits in Serve is about 4 KB: a
// stack of 2 KB and this package's and the socket's state. While a message is
// read, a worker has 12 to 24 KB for it, and twice of what has arrived of the
// message, at most twice ReadLimit; there are as many workers as processors, one
// more for each message of which only a part has come, and 64 idle ones of these
// at most. What waits to be written
// is at most QueueBytes and one frame under way. The system's own buffers come
// on top of that, see ReceiveBufferBytes. With Receive in place of Serve an idle
// connection takes 4 to 8 KB more.
package ws

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// The defaults of Options.
const (
	DefaultReadLimit        = protocol.MaxFrameFromVehicle
	DefaultQueueFrames      = 64
	DefaultQueueBytes       = 2 << 20
	DefaultPingInterval     = 15 * time.Second
	DefaultReadTimeout      = 40 * time.Second
	DefaultWriteTimeout     = 10 * time.Second
	DefaultMessageTimeout   = 10 * time.Second
	DefaultHandshakeTimeout = 10 * time.Second
	DefaultBufferBytes      = 512
)

// Options are the limits and manners of a stream. The zero value of a number
// or duration means the default of its name.
type Options struct {
	// Group counts the connection. It may be nil for a client; Accept needs it.
	Group *Group
	// Subprotocols are what Accept takes and Dial offers, the preferred one
	// first. Accept takes the first of the client's that is among them. Empty
	// means a stream without sub-protocol, in text frames.
	Subprotocols []string
	// SubprotocolOptional lets a peer in that agrees on none of Subprotocols;
	// otherwise Accept answers it with 400 and Dial fails.
	SubprotocolOptional bool
	// Origin decides whether a request with this Origin header may connect. Nil
	// admits requests without one, and those whose origin is the request's own
	// host.
	Origin func(*http.Request) bool

	// ReadLimit is the longest frame that Receive returns, in bytes.
	ReadLimit int
	// QueueFrames and QueueBytes bound what waits to be written. A frame longer
	// than QueueBytes can never be sent.
	QueueFrames int
	QueueBytes  int

	// PingInterval is the pause between pings.
	PingInterval time.Duration
	// ReadTimeout is how long the peer may be silent; more than PingInterval.
	ReadTimeout time.Duration
	// WriteTimeout bounds the writing of one frame, and Close as a whole.
	WriteTimeout time.Duration
	// MessageTimeout is how long a message may take from its first byte to its
	// last, however it is cut into frames. It holds for accepted streams.
	MessageTimeout time.Duration
	// HandshakeTimeout bounds the exchange of HTTP headers.
	HandshakeTimeout time.Duration
	// BufferBytes is the size of the read buffer of each connection and of the
	// shared write buffers.
	BufferBytes int
	// ReceiveBufferBytes asks the system to hold no more than that of an accepted
	// peer who sends faster than he is read; 0 leaves it to the system.
	ReceiveBufferBytes int
	// Throttled is told of each time that an accepted peer is held back. It is
	// called from the goroutine that reads, and must not block. Nil for nobody.
	Throttled func(Throttle)
	// Rest is how long Serve leaves a peer alone of whom all that came is handled:
	// what comes meanwhile is then read at once, which costs a fraction of reading
	// it frame by frame. It is asked each time and must be quick. Nil for never.
	Rest func() time.Duration

	// TLS is the client's configuration for wss addresses, nil for the default.
	TLS *tls.Config
	// DialNet opens the client's network connection, nil for plain TCP.
	DialNet func(ctx context.Context, network, address string) (net.Conn, error)
}

// Throttle is why a peer is held back.
type Throttle string

// What a peer may send too much of.
const (
	// ThrottledBytes: reading waited, because the peer sent more than 4 MiB a second.
	ThrottledBytes Throttle = "bytes"
	// ThrottledPings: a ping was not answered, because the peer sent more than 10 a
	// second.
	ThrottledPings Throttle = "pings"
)

// Validate returns an error naming the first option that makes no sense.
func (o Options) Validate() error {
	o = o.withDefaults()
	switch {
	case o.ReadLimit < 0 || o.ReadLimit > 64<<20:
		return fmt.Errorf("ws options: read limit of %d bytes is not in 0..64 MiB", o.ReadLimit)
	case o.QueueFrames < 0 || o.QueueBytes < 0:
		return fmt.Errorf("ws options: queue of %d frames and %d bytes is negative", o.QueueFrames, o.QueueBytes)
	case o.PingInterval < 0 || o.WriteTimeout < 0 || o.HandshakeTimeout < 0 || o.MessageTimeout < 0:
		return fmt.Errorf("ws options: negative duration")
	case o.ReadTimeout <= o.PingInterval:
		return fmt.Errorf("ws options: read timeout %v must be longer than ping interval %v", o.ReadTimeout, o.PingInterval)
	case o.BufferBytes < 300 || o.BufferBytes > 1<<20 || o.ReceiveBufferBytes < 0:
		return fmt.Errorf("ws options: buffers of %d bytes are not in 300..1 MiB, or of the system negative", o.BufferBytes)
	}
	return nil
}

func (o Options) withDefaults() Options {
	setDefault(&o.ReadLimit, DefaultReadLimit)
	setDefault(&o.QueueFrames, DefaultQueueFrames)
	setDefault(&o.QueueBytes, DefaultQueueBytes)
	setDefault(&o.PingInterval, DefaultPingInterval)
	setDefault(&o.ReadTimeout, DefaultReadTimeout)
	setDefault(&o.WriteTimeout, DefaultWriteTimeout)
	setDefault(&o.MessageTimeout, DefaultMessageTimeout)
	setDefault(&o.HandshakeTimeout, DefaultHandshakeTimeout)
	setDefault(&o.BufferBytes, DefaultBufferBytes)
	return o
}

func setDefault[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// isBinary tells the kind of frame by the sub-protocol's name.
func isBinary(subprotocol string) bool { return strings.HasSuffix(subprotocol, ".cbor") }

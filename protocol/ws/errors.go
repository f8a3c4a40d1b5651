package ws

import (
	"errors"
	"fmt"
)

// The errors of a stream. All but ErrQueueFull and ErrFrameTooLarge are final.
var (
	// ErrQueueFull: the peer reads more slowly than it is sent to. Nothing was
	// queued; the caller drops, retries later, or closes.
	ErrQueueFull = errors.New("ws: send queue is full")
	// ErrFrameTooLarge: a frame beyond the read limit was skipped, or a frame
	// beyond the queue's bytes was not sent. The stream goes on.
	ErrFrameTooLarge = errors.New("ws: frame too large")
	// ErrFrameRefused: a frame beyond four times the read limit ended the stream.
	ErrFrameRefused = errors.New("ws: frame is far beyond the read limit")
	// ErrClosed: this side closed the stream.
	ErrClosed = errors.New("ws: stream is closed")
	// ErrSilent: the peer sent nothing, not even a pong, for the read timeout.
	ErrSilent = errors.New("ws: peer is silent")
	// ErrUnfinished: the peer began a message and did not complete it within the
	// message timeout.
	ErrUnfinished = errors.New("ws: peer did not complete a message in time")
	// ErrStuck: the peer took no more data for the write timeout.
	ErrStuck = errors.New("ws: peer does not read")
	// ErrWrongKind: the peer sent text where binary is agreed, or the reverse.
	ErrWrongKind = errors.New("ws: frame is of the wrong kind")
	// ErrShutdown: the group is shutting down and takes no more connections.
	ErrShutdown = errors.New("ws: shutting down")
)

// The close codes of RFC 6455 that Kapok uses.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseProtocol    = 1002
	CloseUnsupported = 1003
	CloseAbnormal    = 1006
	ClosePolicy      = 1008
	CloseTooLarge    = 1009
	CloseInternal    = 1011
	CloseTryAgain    = 1013
)

// PeerClosedError says that the peer ended the stream.
type PeerClosedError struct {
	// Code is the peer's close code, CloseAbnormal when the network connection
	// ended without one.
	Code int
	// Reason is the peer's text, possibly empty. It is the peer's: do not trust
	// it.
	Reason string
}

// Error names the code and quotes the reason.
func (e *PeerClosedError) Error() string {
	return fmt.Sprintf("ws: peer closed the stream with %d %q", e.Code, e.Reason)
}

// RefusedError says that the server answered Dial without upgrading.
type RefusedError struct {
	// Status is the HTTP status.
	Status int
	// Body is the start of the answer, at most 1 KiB.
	Body string
}

// Error names the status and quotes the body.
func (e *RefusedError) Error() string {
	return fmt.Sprintf("ws: server refused the upgrade with status %d: %q", e.Status, e.Body)
}

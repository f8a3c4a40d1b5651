package drive

import (
	"context"
	"net"
	"sync/atomic"
)

// line is the network connection under a link. It can be made to swallow
// everything in both directions, as a dead radio does.
type line struct {
	net.Conn
	dead atomic.Bool
}

func (l *line) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	l.Conn = conn
	return l, nil
}

// Read passes on what arrives while the line is alive.
func (l *line) Read(p []byte) (int, error) {
	for {
		n, err := l.Conn.Read(p)
		if err != nil || !l.dead.Load() {
			return n, err
		}
	}
}

// Write sends, or pretends to.
func (l *line) Write(p []byte) (int, error) {
	if l.dead.Load() {
		return len(p), nil
	}
	return l.Conn.Write(p)
}

func (l *line) silence()     { l.dead.Store(true) }
func (l *line) silent() bool { return l.dead.Load() }

// cut ends a silent line at once, without farewell; one that is alive is closed
// by its stream.
func (l *line) cut() {
	if l.dead.Load() {
		_ = l.Close()
	}
}

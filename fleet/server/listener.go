package server

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
)

// The limits that a connection is refused for, as the metric names them.
const (
	limitTotal   = "total"
	limitAddress = "address"
)

// doors count the network connections that are open: in all, of each address,
// and those of an address that are neither a link nor a stream (yet), which cost
// a goroutine and buffers each.
type doors struct {
	limits Limits
	// refused is called for each connection that was closed at once, unasked for
	// each that ended without a request.
	refused func(limit string)
	unasked func()

	mu       sync.Mutex
	open     int
	upgraded int
	of       map[netip.Addr]visits
}

// visits are one address's open connections.
type visits struct{ open, pending int }

// listener is a net.Listener whose connections are counted in and out. What
// comes beyond a limit is reset before anything is read of it or written to it.
type listener struct {
	net.Listener
	doors *doors
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			// Unwrapped: net/http asks it whether to go on.
			return nil, err
		}
		addr := netip.Addr{}
		if remote := conn.RemoteAddr(); remote != nil {
			addr = addressOf(remote.String())
		}
		limit := l.doors.enter(addr)
		if limit == "" {
			return &visitor{Conn: conn, doors: l.doors, addr: addr, pending: true}, nil
		}
		l.doors.refused(limit)
		// A reset leaves nothing behind, where an orderly end would keep the
		// connection in the kernel's memory for a minute.
		if c, ok := conn.(interface{ SetLinger(seconds int) error }); ok {
			_ = c.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// enter counts a connection in, or names the limit that it is beyond.
func (d *doors) enter(addr netip.Addr) (limit string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	v := d.of[addr]
	switch {
	case d.open >= d.limits.Connections:
		return limitTotal
	case v.open >= d.limits.ConnectionsPerAddress || v.pending >= d.limits.PendingPerAddress:
		return limitAddress
	}
	if d.of == nil {
		d.of = map[netip.Addr]visits{}
	}
	d.open++
	d.of[addr] = visits{v.open + 1, v.pending + 1}
	return ""
}

// count returns how many connections are pending and how many are links or
// streams.
func (d *doors) count() (pending, upgraded int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open - d.upgraded, d.upgraded
}

// follow is an http.Server's ConnState: a connection that was hijacked is a link
// or a stream.
func (d *doors) follow(conn net.Conn, state http.ConnState) {
	if state != http.StateHijacked {
		return
	}
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	if v, ok := conn.(*visitor); ok {
		v.upgrade()
	}
}

// visitor is a connection that was counted in. Its close counts it out, once.
type visitor struct {
	net.Conn
	doors *doors
	addr  netip.Addr
	// asked says that a request of it was read.
	asked atomic.Bool
	// pending and gone are guarded by the doors' lock.
	pending, gone bool
}

// visitorKey is where the connection stands in the context of its requests.
type visitorKey struct{}

// receive is an http.Server's ConnContext: requests know their connection.
func (d *doors) receive(ctx context.Context, conn net.Conn) context.Context {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	return context.WithValue(ctx, visitorKey{}, conn)
}

// asks takes note that a request came on its connection.
func asks(r *http.Request) {
	if v, ok := r.Context().Value(visitorKey{}).(*visitor); ok {
		v.asked.Store(true)
	}
}

// upgrade takes note that the connection has become a link or a stream.
func (v *visitor) upgrade() {
	d := v.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.gone || !v.pending {
		return
	}
	v.pending = false
	d.upgraded++
	of := d.of[v.addr]
	of.pending--
	d.of[v.addr] = of
}

// leave counts the connection out, once.
func (v *visitor) leave() {
	d := v.doors
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.gone {
		return
	}
	v.gone = true
	if !v.asked.Load() {
		d.unasked()
	}
	d.open--
	of := d.of[v.addr]
	of.open--
	if v.pending {
		of.pending--
	} else {
		d.upgraded--
	}
	d.of[v.addr] = of
	if of.open == 0 {
		delete(d.of, v.addr)
	}
}

// NetConn returns the connection that was counted in, for what only a socket can
// do.
func (v *visitor) NetConn() net.Conn { return v.Conn }

// Close implements net.Conn.
func (v *visitor) Close() error {
	v.leave()
	return v.Conn.Close()
}

// CloseWrite ends only the sending side, where the connection can: net/http does
// this so that its last answer reaches a client that is still sending.
func (v *visitor) CloseWrite() error {
	if c, ok := v.Conn.(interface{ CloseWrite() error }); ok {
		return c.CloseWrite()
	}
	return nil
}

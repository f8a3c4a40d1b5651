package server

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"testing"
)

// knock is a connection from an address; it says whether it was closed.
type knock struct {
	net.Conn
	from   string
	closed int
	linger []int
}

func (k *knock) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(k.from))
}
func (k *knock) Close() error                { k.closed++; return nil }
func (k *knock) SetLinger(seconds int) error { k.linger = append(k.linger, seconds); return nil }

// door is a listener whose connections are given.
type door struct {
	net.Listener
	coming []*knock
}

func (d *door) Accept() (net.Conn, error) {
	if len(d.coming) == 0 {
		return nil, net.ErrClosed
	}
	next := d.coming[0]
	d.coming = d.coming[1:]
	return next, nil
}

// TestConnectionsAreCounted plays connections that come, become links, and go.
func TestConnectionsAreCounted(t *testing.T) {
	var refused []string
	d := &doors{
		unasked: func() {},
		limits:  Limits{Connections: 6, ConnectionsPerAddress: 4, PendingPerAddress: 2},
		refused: func(limit string) { refused = append(refused, limit) },
	}
	outside := &door{}
	l := &listener{Listener: outside, doors: d}
	// accept returns the last of some connections, nil when it was refused.
	accept := func(from ...string) (*visitor, *knock) {
		t.Helper()
		for _, address := range from {
			outside.coming = append(outside.coming, &knock{from: address})
		}
		last := outside.coming[len(outside.coming)-1]
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil, last
		}
		v, ok := conn.(*visitor)
		if err != nil || !ok {
			t.Fatalf("accepting: %v, %T", err, conn)
		}
		return v, last
	}
	const a, b = "192.0.2.1:1", "[2001:db8::1]:1"
	first, _ := accept(a)
	second, _ := accept(a)
	if v, k := accept(a); v != nil || k.closed != 1 || !slices.Equal(k.linger, []int{0}) {
		t.Error("a third pending connection of an address must be reset at once")
	}
	d.follow(first, http.StateActive)
	if pending, upgraded := d.count(); pending != 2 || upgraded != 0 {
		t.Errorf("%d pending, %d upgraded, want 2 and 0", pending, upgraded)
	}
	d.follow(first, http.StateHijacked)
	d.follow(first, http.StateHijacked)
	d.follow(tls.Server(second, &tls.Config{MinVersion: tls.VersionTLS13}), http.StateHijacked)
	if pending, upgraded := d.count(); pending != 0 || upgraded != 2 {
		t.Errorf("%d pending, %d upgraded, want 0 and 2", pending, upgraded)
	}
	third, _ := accept(a)
	// The refused one is skipped, and the next taken.
	fourth, _ := accept(a)
	if v, _ := accept(a); v != nil {
		t.Error("a fifth connection of an address must be refused")
	}
	fifth, _ := accept(b)
	sixth, _ := accept("[2001:db8::2]:9")
	if v, _ := accept(b); v != nil {
		t.Error("two addresses of one /64 are one")
	}
	if want := []string{limitAddress, limitAddress, limitTotal}; !slices.Equal(refused, want) {
		t.Errorf("refused for %v, want %v", refused, want)
	}
	for _, v := range []*visitor{first, second, third, fourth, fifth, sixth} {
		for range 2 {
			if err := v.Close(); err != nil {
				t.Fatal(err)
			}
		}
		v.upgrade()
	}
	if pending, upgraded := d.count(); pending != 0 || upgraded != 0 || len(d.of) != 0 {
		t.Errorf("all are gone, and %d pending, %d upgraded, %v are left", pending, upgraded, d.of)
	}
}

// TestALinkIsNoPendingConnection counts on real sockets, until all are gone.
func TestALinkIsNoPendingConnection(t *testing.T) {
	w := newWorld(t, nil)
	stream := w.watch("viewer", "?rate_hz=0")
	stream.next("snapshot")
	var idle net.Dialer
	conn, err := idle.DialContext(t.Context(), "tcp", w.address)
	w.must(err)
	defer func() { _ = conn.Close() }()
	// The request comes after the connection, and is one of those that it counts.
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+w.address+"/healthz", nil)
	w.must(err)
	request.Close = true
	response, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(request)
	w.must(err)
	w.must(response.Body.Close())
	if _, upgraded := w.server.doors.count(); upgraded != 1 {
		t.Errorf("%d connections are links or streams, want 1", upgraded)
	}
	end, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.stop()
	w.must(w.server.Shutdown(end))
	w.must(conn.Close())
	if _, upgraded := w.server.doors.count(); upgraded != 0 {
		t.Errorf("after the end %d connections are still links or streams", upgraded)
	}
}

package ws_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// pipe is one direction of a connection in memory, with a buffer and a read
// deadline. Its waiting is by channels, so that synctest sees it.
type pipe struct {
	mu       sync.Mutex
	data     bytes.Buffer
	limit    int
	closed   bool
	changed  chan struct{} // closed and replaced at each change
	deadline [2]time.Time  // of reading and of writing
}

func newPipe(limit int) *pipe { return &pipe{limit: limit, changed: make(chan struct{})} }

func (p *pipe) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

// wait calls try under the lock until it is done or the deadline has passed.
func (p *pipe) wait(side int, try func() bool) error {
	for {
		p.mu.Lock()
		done, changed, deadline := try(), p.changed, p.deadline[side]
		p.mu.Unlock()
		if done {
			return nil
		}
		var expired <-chan time.Time
		if !deadline.IsZero() {
			expired = time.After(time.Until(deadline))
		}
		select {
		case <-changed:
		case <-expired:
			return os.ErrDeadlineExceeded
		}
	}
}

func (p *pipe) read(b []byte) (n int, err error) {
	waited := p.wait(0, func() bool {
		if p.data.Len() > 0 {
			n, err = p.data.Read(b)
			return true
		}
		if p.closed {
			err = io.EOF
		}
		return p.closed
	})
	p.change(func() {})
	return n, errors.Join(waited, err)
}

func (p *pipe) write(b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		waited := p.wait(1, func() bool {
			if p.closed {
				err = net.ErrClosed
				return true
			}
			room := min(p.limit-p.data.Len(), len(b)-n)
			p.data.Write(b[n : n+room])
			n += room
			return room > 0
		})
		p.change(func() {})
		err = errors.Join(waited, err)
	}
	return n, err
}

// memory is one end of a connection in memory.
type memory struct{ in, out *pipe }

func (m memory) Read(b []byte) (int, error)  { return unjoin(m.in.read(b)) }
func (m memory) Write(b []byte) (int, error) { return unjoin(m.out.write(b)) }

// unjoin gives io.EOF and the deadline's error as they are, as a socket does.
func unjoin(n int, err error) (int, error) {
	for _, plain := range []error{io.EOF, os.ErrDeadlineExceeded, net.ErrClosed} {
		if errors.Is(err, plain) {
			return n, plain
		}
	}
	return n, err
}

func (m memory) Close() error {
	m.in.change(func() { m.in.closed = true })
	m.out.change(func() { m.out.closed = true })
	return nil
}

func (m memory) SetReadDeadline(t time.Time) error {
	m.in.change(func() { m.in.deadline[0] = t })
	return nil
}

func (m memory) SetWriteDeadline(t time.Time) error {
	m.out.change(func() { m.out.deadline[1] = t })
	return nil
}

func (m memory) SetDeadline(t time.Time) error {
	return errors.Join(m.SetReadDeadline(t), m.SetWriteDeadline(t))
}
func (m memory) LocalAddr() net.Addr  { return &net.UnixAddr{Name: "memory"} }
func (m memory) RemoteAddr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// once is a listener for a single connection.
type once struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l once) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l once) Close() error   { close(l.closed); return nil }
func (l once) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// inMemory runs play in a bubble with both ends of a stream through a real
// http.Server over a connection in memory that buffers limit bytes each way.
func inMemory(t *testing.T, limit int, serverSide, clientSide ws.Options, play func(client, server *ws.Conn, network memory)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		there, back := newPipe(limit), newPipe(limit)
		near, far := memory{in: back, out: there}, memory{in: there, out: back}
		l := once{conns: make(chan net.Conn, 1), closed: make(chan struct{})}
		l.conns <- far
		accepted := make(chan *ws.Conn, 1)
		group := new(ws.Group)
		serverSide.Group, serverSide.Subprotocols = group, []string{protocol.SubprotocolJSON}
		server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			conn, err := ws.Accept(w, r, serverSide)
			if err != nil {
				t.Error(err)
			}
			accepted <- conn
		})}
		go func() { _ = server.Serve(l) }()
		clientSide.Subprotocols = []string{protocol.SubprotocolJSON}
		clientSide.DialNet = func(context.Context, string, string) (net.Conn, error) { return near, nil }
		client, err := ws.Dial(t.Context(), "ws://memory/", nil, clientSide)
		if err != nil {
			t.Fatal(err)
		}
		play(client, <-accepted, near)
		client.Close(ws.CloseNormal, "")
		<-client.Done()
		if err := group.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		_ = server.Close()
	})
}

// read receives until the end and reports it.
func read(c *ws.Conn) <-chan error {
	ended := make(chan error, 1)
	c.Go(func() {
		for {
			if _, err := c.Receive(); err != nil {
				ended <- err
				return
			}
		}
	})
	return ended
}

func minutes() ws.Options {
	return ws.Options{PingInterval: time.Minute, ReadTimeout: 150 * time.Second, WriteTimeout: 10 * time.Second}
}

// Two peers with nothing to say keep each other alive by pings alone.
func TestPingsKeepAnIdleStreamAlive(t *testing.T) {
	t.Parallel()
	inMemory(t, 4096, minutes(), minutes(), func(client, server *ws.Conn, _ memory) {
		clientEnd, serverEnd := read(client), read(server)
		select {
		case err := <-clientEnd:
			t.Errorf("the client ended with %v", err)
		case err := <-serverEnd:
			t.Errorf("the server ended with %v", err)
		case <-time.After(24 * time.Hour):
		}
	})
}

// A client that reads nothing answers no ping: after the read timeout it is
// cut off, at the very second.
func TestSilentPeerIsCutOff(t *testing.T) {
	t.Parallel()
	mute := minutes()
	mute.PingInterval, mute.ReadTimeout = 100*time.Hour, 200*time.Hour
	inMemory(t, 4096, minutes(), mute, func(client, server *ws.Conn, _ memory) {
		began := time.Now()
		ended := read(server)
		time.AfterFunc(100*time.Second, func() {
			if err := client.Send([]byte("a last word")); err != nil {
				t.Error(err)
			}
		})
		if err := <-ended; !errors.Is(err, ws.ErrSilent) {
			t.Errorf("a silent peer: %v", err)
		}
		if d := time.Since(began); d != 250*time.Second {
			t.Errorf("cut off after %v, want 150 s after the last word at 100 s", d)
		}
		<-server.Done()
	})
}

// The network takes nothing more: the frame's write deadline ends the stream.
func TestStuckWriteEnds(t *testing.T) {
	t.Parallel()
	mute := minutes()
	mute.PingInterval, mute.ReadTimeout = 100*time.Hour, 200*time.Hour
	inMemory(t, 1024, minutes(), mute, func(_, server *ws.Conn, _ memory) {
		began := time.Now()
		ended := read(server)
		if err := server.Send(make([]byte, 5000)); err != nil {
			t.Fatal(err)
		}
		<-server.Done()
		if d := time.Since(began); d != 10*time.Second {
			t.Errorf("ended after %v, want the write timeout of 10 s", d)
		}
		if err := <-ended; !errors.Is(err, ws.ErrStuck) {
			t.Errorf("the reader was told %v", err)
		}
	})
}

// A peer that does not answer the farewell holds the socket for the write
// timeout at most, whether the owner reads or not.
func TestUnansweredFarewellEnds(t *testing.T) {
	t.Parallel()
	for _, reading := range []bool{false, true} {
		mute := minutes()
		mute.PingInterval, mute.ReadTimeout = 100*time.Hour, 200*time.Hour
		inMemory(t, 4096, minutes(), mute, func(_, server *ws.Conn, _ memory) {
			if reading {
				ended := read(server)
				defer func() {
					if err := <-ended; !errors.Is(err, ws.ErrClosed) {
						t.Errorf("the reader was told %v", err)
					}
				}()
				synctest.Wait()
			}
			began := time.Now()
			server.Close(ws.CloseNormal, "bye")
			<-server.Done()
			if d := time.Since(began); d != 10*time.Second {
				t.Errorf("ended after %v, want the write timeout of 10 s", d)
			}
		})
	}
}

// The network vanishes while both sides wait.
func TestVanishedNetworkEndsBothSides(t *testing.T) {
	t.Parallel()
	inMemory(t, 4096, minutes(), minutes(), func(client, server *ws.Conn, network memory) {
		clientEnd, serverEnd := read(client), read(server)
		time.AfterFunc(time.Second, func() { _ = network.Close() })
		for _, ended := range []<-chan error{clientEnd, serverEnd} {
			if err := <-ended; !isAbnormal(err) {
				t.Errorf("ended with %v", err)
			}
		}
	})
}

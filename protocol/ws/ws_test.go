package ws_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// listener is a test server whose accepted streams can be taken one by one.
type listener struct {
	*httptest.Server
	group    *ws.Group
	accepted chan *ws.Conn
	refused  chan error
}

// serve starts a listener without closing it.
func serve(o ws.Options) *listener {
	l := &listener{group: new(ws.Group), accepted: make(chan *ws.Conn, 16), refused: make(chan error, 16)}
	o.Group = l.group
	l.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := ws.Accept(w, r, o)
		if err != nil {
			l.refused <- err
			return
		}
		l.accepted <- conn
	}))
	return l
}

// listen starts a listener that leaves nothing behind at the end of the test.
func listen(t *testing.T, o ws.Options) *listener {
	t.Helper()
	l := serve(o)
	t.Cleanup(func() {
		l.Close()
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		if err := l.group.Shutdown(ctx); err != nil {
			t.Errorf("streams left over: %v", err)
		}
		if n := l.group.Count(); n != 0 {
			t.Errorf("%d streams left over", n)
		}
	})
	return l
}

func (l *listener) url() string { return "ws" + strings.TrimPrefix(l.URL, "http") }

// pair returns both ends of one stream.
func (l *listener) pair(t *testing.T, o ws.Options) (client, server *ws.Conn) {
	t.Helper()
	client, err := ws.Dial(t.Context(), l.url(), nil, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(ws.CloseNormal, ""); <-client.Done() })
	return client, <-l.accepted
}

func links() ws.Options {
	return ws.Options{Subprotocols: []string{protocol.SubprotocolCBOR, protocol.SubprotocolJSON}}
}

func offering(subprotocols ...string) ws.Options { return ws.Options{Subprotocols: subprotocols} }

func wantFrame(t *testing.T, c *ws.Conn, want string) {
	t.Helper()
	frame, err := c.Receive()
	if err != nil || string(frame) != want {
		t.Fatalf("received %.60q, %v, want %.60q", frame, err, want)
	}
}

func wantClosed(t *testing.T, c *ws.Conn, code int, reason string) {
	t.Helper()
	frame, err := c.Receive()
	closed, ok := errors.AsType[*ws.PeerClosedError](err)
	if !ok || closed.Code != code || closed.Reason != reason {
		t.Fatalf("received %q, %v, want the end with %d %q", frame, err, code, reason)
	}
	<-c.Done()
}

func TestFramesGoBothWays(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	for _, subprotocol := range []string{protocol.SubprotocolJSON, protocol.SubprotocolCBOR} {
		client, server := l.pair(t, offering(subprotocol))
		if client.Subprotocol() != subprotocol || server.Subprotocol() != subprotocol {
			t.Errorf("agreed on %q and %q, want %q", client.Subprotocol(), server.Subprotocol(), subprotocol)
		}
		big := strings.Repeat("0123456789", 5000)
		for _, frame := range []string{"a", "", big, "b"} {
			if err := client.Send([]byte(frame)); err != nil {
				t.Fatal(err)
			}
			wantFrame(t, server, frame)
			if err := server.Send([]byte(frame)); err != nil {
				t.Fatal(err)
			}
			wantFrame(t, client, frame)
		}
		client.Close(ws.CloseNormal, "done")
		wantClosed(t, server, ws.CloseNormal, "done")
		if _, err := client.Receive(); !errors.Is(err, ws.ErrClosed) {
			t.Errorf("receiving after Close: %v", err)
		}
		if err := server.Send([]byte("x")); !errors.Is(err, ws.ErrClosed) {
			t.Errorf("sending after the end: %v", err)
		}
	}
}

func TestNegotiation(t *testing.T) {
	t.Parallel()
	strict, lenient := listen(t, links()), listen(t, ws.Options{Subprotocols: []string{"stream.v1"}, SubprotocolOptional: true})
	tests := []struct {
		name   string
		at     *listener
		offer  []string
		agreed string
		status int
	}{
		{"the client's order counts", strict, []string{"x", protocol.SubprotocolJSON, protocol.SubprotocolCBOR}, protocol.SubprotocolJSON, 0},
		{"nothing in common", strict, []string{"x"}, "", http.StatusBadRequest},
		{"nothing offered", strict, nil, "", http.StatusBadRequest},
		{"a list of the server's own", lenient, []string{"stream.v1"}, "stream.v1", 0},
		{"optional", lenient, nil, "", 0},
	}
	for _, test := range tests {
		client, err := ws.Dial(t.Context(), test.at.url(), nil, offering(test.offer...))
		if test.status != 0 {
			refused, ok := errors.AsType[*ws.RefusedError](err)
			if !ok || refused.Status != test.status || !strings.Contains(refused.Body, protocol.SubprotocolCBOR) {
				t.Errorf("%s: %v", test.name, err)
			}
			if err := <-test.at.refused; err == nil {
				t.Errorf("%s: Accept returned no error", test.name)
			}
			continue
		}
		if err != nil || client.Subprotocol() != test.agreed {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		client.Close(ws.CloseNormal, "")
		wantClosed(t, <-test.at.accepted, ws.CloseNormal, "")
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	own := listen(t, links())
	open := links()
	open.Origin = func(r *http.Request) bool { return r.Header.Get("Origin") == "https://console.example" }
	listed := listen(t, open)
	for _, test := range []struct {
		at     *listener
		origin string
		ok     bool
	}{
		{own, "", true},
		{own, own.URL, true},
		{own, "https://console.example", false},
		{listed, "https://console.example", true},
		{listed, "https://evil.example", false},
	} {
		header := http.Header{}
		if test.origin != "" {
			header.Set("Origin", test.origin)
		}
		client, err := ws.Dial(t.Context(), test.at.url(), header, links())
		refused, _ := errors.AsType[*ws.RefusedError](err)
		if (err == nil) != test.ok || !test.ok && (refused == nil || refused.Status != http.StatusForbidden) {
			t.Errorf("origin %q: %v", test.origin, err)
		}
		if err == nil {
			client.Close(ws.CloseNormal, "")
			wantClosed(t, <-test.at.accepted, ws.CloseNormal, "")
		}
	}
}

func TestPlainRequestIsRefused(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	response, err := http.Get(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusBadRequest {
		t.Errorf("a plain request was answered with %s", response.Status)
	}
}

func TestFullQueueIsTheSendersDecision(t *testing.T) {
	t.Parallel()
	o := links()
	o.QueueFrames, o.QueueBytes, o.WriteTimeout = 4, 1<<20, 200*time.Millisecond
	l := listen(t, o)
	client, server := l.pair(t, links())
	if err := server.Send(make([]byte, o.QueueBytes+1)); !errors.Is(err, ws.ErrFrameTooLarge) {
		t.Errorf("a frame beyond the queue's bytes: %v", err)
	}
	// The client does not read: first the network's buffers fill, then the
	// queue, and at last the write deadline ends the stream.
	frame := make([]byte, 256<<10)
	wasFull := false
	for {
		err := server.Send(frame)
		if errors.Is(err, ws.ErrClosed) {
			break
		}
		if wasFull = wasFull || errors.Is(err, ws.ErrQueueFull); err != nil && !wasFull {
			t.Fatal(err)
		}
		if n, bytes := server.Queued(); n > o.QueueFrames || bytes > o.QueueBytes {
			t.Fatalf("%d frames with %d bytes are queued", n, bytes)
		}
		if n, bytes := server.Unwritten(); n > o.QueueFrames+1 || bytes > o.QueueBytes+len(frame) || n > 0 && bytes == 0 {
			t.Fatalf("%d frames with %d bytes are not written", n, bytes)
		}
		runtime.Gosched()
	}
	if !wasFull {
		t.Error("the queue was never full")
	}
	<-server.Done()
	client.Close(ws.CloseNormal, "")
}

func TestWhatIsQueuedGoesBeforeTheFarewell(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	client, server := l.pair(t, links())
	for _, frame := range []string{"1", "2", "3"} {
		if err := server.Send([]byte(frame)); err != nil {
			t.Fatal(err)
		}
	}
	server.Close(ws.ClosePolicy, strings.Repeat("é", 100))
	server.Close(ws.CloseNormal, "only the first counts")
	for _, frame := range []string{"1", "2", "3"} {
		wantFrame(t, client, frame)
	}
	wantClosed(t, client, ws.ClosePolicy, strings.Repeat("é", 61))
	<-server.Done()
	if n, bytes := server.Unwritten(); n != 0 || bytes != 0 {
		t.Errorf("after the end %d frames with %d bytes are not written", n, bytes)
	}
}

func TestTooLargeFrameIsSkipped(t *testing.T) {
	t.Parallel()
	o := links()
	o.ReadLimit = 1000
	l := listen(t, o)
	client, server := l.pair(t, links())
	for _, size := range []int{1000, 1001, 3900, 10, 4001} {
		if err := client.Send(bytes.Repeat([]byte("x"), size)); err != nil {
			t.Fatal(err)
		}
	}
	wantFrame(t, server, strings.Repeat("x", 1000))
	for range 2 {
		if frame, err := server.Receive(); frame != nil || !errors.Is(err, ws.ErrFrameTooLarge) {
			t.Fatalf("received %d bytes, %v", len(frame), err)
		}
	}
	wantFrame(t, server, strings.Repeat("x", 10))
	if _, err := server.Receive(); !errors.Is(err, ws.ErrFrameRefused) {
		t.Fatalf("a frame far beyond the limit: %v", err)
	}
	wantClosed(t, client, ws.CloseTooLarge, "")
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	ended := make(chan error, 3)
	var clients []*ws.Conn
	for range 3 {
		client, server := l.pair(t, links())
		clients = append(clients, client)
		server.Go(func() {
			_, err := server.Receive()
			ended <- err
		})
		client.Go(func() {
			for {
				if _, err := client.Receive(); err != nil {
					return
				}
			}
		})
	}
	if n := l.group.Count(); n != 3 {
		t.Errorf("%d streams are counted, want 3", n)
	}
	if err := l.group.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := <-ended; !errors.Is(err, ws.ErrClosed) {
			t.Errorf("the reader ended with %v", err)
		}
	}
	for _, client := range clients {
		wantClosed(t, client, ws.CloseGoingAway, "server is shutting down")
	}
	_, err := ws.Dial(t.Context(), l.url(), nil, links())
	if refused, ok := errors.AsType[*ws.RefusedError](err); !ok || refused.Status != http.StatusServiceUnavailable {
		t.Errorf("dialling after shutdown: %v", err)
	}
}

// A peer that neither reads nor closes cannot hold the shutdown up.
func TestShutdownCutsWhenTimeIsUp(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	_, server := l.pair(t, links())
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := l.group.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shutdown with a mute peer: %v", err)
	}
	<-server.Done()
}

// raw opens a stream by hand and returns the network connection after the
// handshake.
func (l *listener) raw(t *testing.T) (net.Conn, *ws.Conn) {
	t.Helper()
	conn, err := net.Dial("tcp", l.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	request := "GET / HTTP/1.1\r\nHost: kapok\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: kapok.v1.json\r\n\r\n"
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	header := make([]byte, 0, 512)
	for !bytes.HasSuffix(header, []byte("\r\n\r\n")) {
		var b [1]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			t.Fatalf("after %q: %v", header, err)
		}
		header = append(header, b[0])
	}
	return conn, <-l.accepted
}

// The bits and opcodes of RFC 6455 for frames written by hand.
const (
	final        = 0x80
	continuation = 0
	text         = 1
	binaryKind   = 2
	ping         = 9
)

// masked returns a client's frame with an all-zero mask.
func masked(head byte, payload string) []byte {
	frame := []byte{head, 0x80 | byte(len(payload))}
	if len(payload) > 125 {
		frame = binary.BigEndian.AppendUint16([]byte{head, 0x80 | 126}, uint16(len(payload)))
	}
	return append(append(frame, 0, 0, 0, 0), payload...)
}

func TestByteAtATimeAndFragments(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	conn, server := l.raw(t)
	message := strings.Repeat("kapok ", 40)
	stream := masked(final|text, message)
	stream = append(stream, masked(text, message[:7])...)
	stream = append(stream, masked(final|ping, "still there?")...)
	stream = append(stream, masked(continuation, "")...)
	stream = append(stream, masked(continuation, message[7:100])...)
	stream = append(stream, masked(final|continuation, message[100:])...)
	go func() {
		for i := range stream {
			if _, err := conn.Write(stream[i : i+1]); err != nil {
				return
			}
		}
	}()
	wantFrame(t, server, message)
	wantFrame(t, server, message)
	pong := make([]byte, 14)
	if _, err := io.ReadFull(conn, pong); err != nil || string(pong[2:]) != "still there?" {
		t.Errorf("pong %q, %v", pong, err)
	}
	server.Close(ws.CloseNormal, "")
	_ = conn.Close()
	<-server.Done()
}

func TestRawMisbehaviour(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	tests := []struct {
		name  string
		bytes []byte
		check func(error) bool
		code  uint16
	}{
		{"wrong kind", masked(final|binaryKind, "x"), func(err error) bool { return errors.Is(err, ws.ErrWrongKind) }, ws.CloseUnsupported},
		{"no mask", []byte{final | text, 1, 'x'}, isAbnormal, ws.CloseProtocol},
		{"reserved opcode", masked(final|5, "x"), isAbnormal, ws.CloseProtocol},
		{"compressed", masked(final|0x40|text, "x"), isAbnormal, ws.CloseProtocol},
		{
			"claims 2^62 bytes",
			[]byte{final | text, 0x80 | 127, 0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
			func(err error) bool { return errors.Is(err, ws.ErrFrameRefused) }, ws.CloseTooLarge,
		},
	}
	for _, test := range tests {
		conn, server := l.raw(t)
		if _, err := conn.Write(test.bytes); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Receive(); !test.check(err) {
			t.Errorf("%s: %v", test.name, err)
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(conn, head); err != nil || head[0] != final|8 || binary.BigEndian.Uint16(head[2:]) != test.code {
			t.Errorf("%s: answered with % x, %v, want close code %d", test.name, head, err, test.code)
		}
		_ = conn.Close()
		<-server.Done()
	}
}

func isAbnormal(err error) bool {
	closed, ok := errors.AsType[*ws.PeerClosedError](err)
	return ok && closed.Code == ws.CloseAbnormal
}

func TestCutConnection(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	conn, server := l.raw(t)
	if _, err := conn.Write(masked(text, "the rest never comes")); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	if _, err := server.Receive(); !isAbnormal(err) {
		t.Errorf("a cut connection: %v", err)
	}
	<-server.Done()
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for _, o := range []ws.Options{
		{ReadLimit: -1}, {QueueFrames: -1}, {PingInterval: time.Minute}, {BufferBytes: 1}, {WriteTimeout: -1},
	} {
		if o.Validate() == nil {
			t.Errorf("%+v was taken", o)
		}
		if _, err := ws.Dial(t.Context(), "ws://127.0.0.1:1", nil, o); err == nil {
			t.Errorf("dialling with %+v worked", o)
		}
	}
	if err := (ws.Options{}).Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

package ws

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// quiet takes frames and says when reading has ended.
type quiet struct{ ended chan error }

func (quiet) Frame([]byte, error) bool { return true }

func (q quiet) Ended(err error) { q.ended <- err }

// TestConnectionsThatEndInTheMidstTakeNoTurnAway has peers send what ends the
// stream, and more behind it, which nobody reads. All turns are free afterwards,
// each with a worker that no connection holds.
func TestConnectionsThatEndInTheMidstTakeNoTurnAway(t *testing.T) {
	t.Parallel()
	var group Group
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := Accept(w, r, Options{Group: &group})
		if err == nil {
			conn.Go(func() { conn.Serve(quiet{ended}) })
		}
	}))
	defer server.Close()
	// One more stands by, so that the group keeps what it has.
	standing, err := Dial(t.Context(), "ws"+strings.TrimPrefix(server.URL, "http"), nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for range 32 {
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		head := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
			"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
		if _, err := conn.Write([]byte(head)); err != nil {
			t.Fatal(err)
		}
		answer := make([]byte, 16)
		if _, err := conn.Read(answer); err != nil || !strings.Contains(string(answer), "101") {
			t.Fatalf("the answer is %q, %v", answer, err)
		}
		// An opcode that there is not, and more than a worker's reader holds.
		if _, err := conn.Write(append([]byte{0x83}, make([]byte, 3000)...)); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err == nil {
			t.Error("it ended without an error")
		}
		_ = conn.Close()
	}
	group.mu.Lock()
	line := group.line
	group.mu.Unlock()
	workers := map[*worker]bool{}
	for range cap(line.turns) {
		w := line.enter()
		workers[w] = true
		if w.conn != nil {
			t.Error("a worker in the line has a connection")
		}
	}
	if len(workers) != cap(line.turns) {
		t.Errorf("%d workers for %d turns", len(workers), cap(line.turns))
	}
	for w := range workers {
		line.leave(w)
	}
	standing.Close(CloseNormal, "")
	<-standing.Done()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := group.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// TestShutdownWhileConnectionsCome shuts a group down at the moment at which a
// connection joins it.
func TestShutdownWhileConnectionsCome(t *testing.T) {
	t.Parallel()
	for range 300 {
		var group Group
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if conn, err := Accept(w, r, Options{Group: &group}); err == nil {
				conn.Go(func() { conn.Serve(quiet{make(chan error, 1)}) })
			}
		}))
		dialled := make(chan struct{})
		go func() {
			defer close(dialled)
			if conn, err := Dial(context.Background(), "ws"+strings.TrimPrefix(server.URL, "http"), nil, Options{}); err == nil {
				conn.Close(CloseNormal, "")
				<-conn.Done()
			}
		}()
		for joined := false; !joined; {
			select {
			case <-dialled:
				joined = true
			default:
				joined = group.Count() > 0
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := group.Shutdown(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		<-dialled
		server.Close()
	}
}

package ws_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol/ws"
)

// TestALongFarewellArrivesWhole has a peer that sends all the time and reads
// late: the stream is closed meanwhile, and the deadline that its socket had
// passes before all is written. What is queued and the close frame get there.
func TestALongFarewellArrivesWhole(t *testing.T) {
	t.Parallel()
	o := links()
	o.PingInterval, o.ReadTimeout = 300*time.Millisecond, 600*time.Millisecond
	o.QueueBytes = 32 << 20
	l := listen(t, o)
	conn, server := l.raw(t)
	h := serving(server)
	const size = 8 << 20
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		for range 3 {
			if err := server.Send(make([]byte, size)); err != nil {
				t.Error(err)
			}
		}
		server.Close(ws.CloseNormal, "")
	}()
	<-closed
	// Longer than the read timeout it sends and does not read.
	talk := time.NewTicker(20 * time.Millisecond)
	defer talk.Stop()
	for range 50 {
		<-talk.C
		if _, err := conn.Write(masked(final|text, "still here")); err != nil {
			t.Fatal(err)
		}
	}
	got := drainSlowly(t, conn, talk.C, 3*(size+10)+4)
	if tail := []byte{0x88, 2, 1000 >> 8, 1000 & 0xff}; !bytes.HasSuffix(got, tail) {
		t.Errorf("%d bytes came, the last ones are %x", len(got), got[max(0, len(got)-8):])
	}
	_ = conn.Close()
	if err := <-h.ended; err == nil {
		t.Error("it ended without an error")
	}
}

// drainSlowly reads so many bytes or to the end, sending all the while.
func drainSlowly(t *testing.T, conn net.Conn, tick <-chan time.Time, want int) []byte {
	t.Helper()
	var got []byte
	piece := make([]byte, 1<<20)
	for len(got) < want {
		select {
		case <-tick:
			// The other side may have closed, which reading shows.
			_, _ = conn.Write(masked(final|text, "still here"))
		default:
		}
		n, err := conn.Read(piece)
		got = append(got, piece[:n]...)
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Errorf("after %d bytes: %v", len(got), err)
			}
			break
		}
	}
	return got
}

// TestServeTakesWhatReceiveLeft: what came together with a frame that Receive
// returned is not lost when Serve goes on.
func TestServeTakesWhatReceiveLeft(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	conn, server := l.raw(t)
	if _, err := conn.Write(append(masked(final|text, "first"), masked(final|text, "second")...)); err != nil {
		t.Fatal(err)
	}
	if frame, err := server.Receive(); err != nil || string(frame) != "first" {
		t.Fatalf("received %q, %v", frame, err)
	}
	h := serving(server)
	if got := <-h.frames; got != "second" {
		t.Errorf("served %q", got)
	}
	_ = conn.Close()
	if err := <-h.ended; err == nil {
		t.Error("it ended without an error")
	}
}

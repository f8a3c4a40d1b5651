package rig

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

func TestAppendFrame(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		size int
		head []byte
	}{
		{0, []byte{0x81, 0x80, 0, 0, 0, 0}},
		{125, []byte{0x81, 0x80 | 125, 0, 0, 0, 0}},
		{126, []byte{0x81, 0x80 | 126, 0, 126, 0, 0, 0, 0}},
		{65535, []byte{0x81, 0x80 | 126, 0xff, 0xff, 0, 0, 0, 0}},
		{65536, []byte{0x81, 0x80 | 127, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
	} {
		payload := bytes.Repeat([]byte("x"), test.size)
		want := append(append([]byte("before"), test.head...), payload...)
		if got := AppendFrame([]byte("before"), opText, payload); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: the frame begins with % x, want % x", test.size, got[6:min(len(got), 24)], test.head)
		}
	}
}

// Whatever a template writes, the decoder reads as it was meant.
func TestTemplate(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 17, 59, 59, 999_001_000, time.UTC)
	for _, cbor := range []bool{false, true} {
		for _, samples := range []int{1, 8, 64} {
			frame, err := newTemplate(cbor, samples)
			if err != nil {
				t.Fatal(err)
			}
			for round := range 3 {
				for i := range samples {
					when := at.Add(time.Duration(round*1000+i) * 1100 * time.Microsecond)
					frame.set(i, when, 113.9+float64(i)/1e4, 22.5+float64(round)/1e4)
				}
				message, err := decoded(cbor, frame.frame)
				if err != nil {
					t.Fatal(err)
				}
				for i, s := range message.Samples {
					when := at.Add(time.Duration(round*1000+i) * 1100 * time.Microsecond)
					if !s.Time.Equal(when) || !near(s.Position.Lon, 113.9+float64(i)/1e4) || !near(s.Position.Lat, 22.5+float64(round)/1e4) {
						t.Errorf("cbor %v, sample %d of %d: %+v", cbor, i, samples, s)
					}
				}
			}
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-7 && b-a < 1e-7 }

// decoded takes the payload out of a client's frame and decodes it.
func decoded(cbor bool, frame []byte) (protocol.Telemetry, error) {
	head := 2 + 4
	switch frame[1] & 0x7f {
	case 126:
		head += 2
	case 127:
		head += 8
	}
	encoding := protocol.JSON
	if cbor {
		encoding = protocol.CBOR
	}
	m, err := encoding.DecodeFrom(frame[head:])
	if err != nil {
		return protocol.Telemetry{}, err
	}
	telemetry, ok := m.(protocol.Telemetry)
	if !ok {
		return protocol.Telemetry{}, fmt.Errorf("it is a %T", m)
	}
	return telemetry, nil
}

// peer accepts one connection, answers the handshake and hands it out.
func peer(t *testing.T, reply string) (target, <-chan net.Conn) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 1)
	go func() {
		defer func() { _ = listener.Close() }()
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		head := make([]byte, 0, 1024)
		for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
			n, err := conn.Read(head[len(head):cap(head)])
			if err != nil {
				return
			}
			head = head[:len(head)+n]
		}
		_, _ = io.WriteString(conn, reply)
		accepted <- conn
	}()
	return target{address: listener.Addr().String()}, accepted
}

const switching = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"

func TestSocketReads(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("long ", 20_000)
	// What follows the head of the answer at once is not lost.
	to, accepted := peer(t, switching+"\x81\x05first")
	s, err := to.open(t.Context(), "/v1/link?vehicle=b1", "secret", protocol.SubprotocolJSON)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	conn := <-accepted
	defer func() { _ = conn.Close() }()
	go func() {
		stream := "\x81\x7f\x00\x00\x00\x00\x00\x01\x86\xa0" + long + "\x01\x04two-\x89\x04ping\x80\x05parts\x82\x01b\x88\x09\x03\xf8because"
		for i := 0; i < len(stream); i += 999 {
			if _, err := io.WriteString(conn, stream[i:min(len(stream), i+999)]); err != nil {
				return
			}
		}
	}()
	for _, want := range []string{"first", long, "two-parts", "b"} {
		if got, err := s.next(); err != nil || string(got) != want {
			t.Fatalf("read %.40q, %v, want %.40q", got, err, want)
		}
	}
	_, err = s.next()
	if closed, ok := errors.AsType[*closedError](err); !ok || closed.code != 1016 || closed.reason != "because" {
		t.Errorf("the farewell: %v", err)
	}
	answers := make([]byte, len("pong is masked")+100)
	n, err := io.ReadAtLeast(conn, answers, 6+4+6+9)
	if err != nil || !bytes.HasPrefix(answers[:n], []byte("\x8a\x84\x00\x00\x00\x00ping\x88\x89\x00\x00\x00\x00\x03\xf8because")) {
		t.Errorf("answers % x, %v", answers[:n], err)
	}
}

func TestSocketIsRefused(t *testing.T) {
	t.Parallel()
	to, _ := peer(t, "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 4\r\n\r\nslow")
	_, err := to.open(t.Context(), "/", "", "")
	if refused, ok := errors.AsType[*refusedError](err); !ok || refused.status != 429 || refused.body != "slow" {
		t.Errorf("refused with %v", err)
	}
}

// A socket that is full takes no new frames, and loses nothing of one that was
// begun.
func TestSocketThatIsFull(t *testing.T) {
	t.Parallel()
	to, accepted := peer(t, switching)
	s, err := to.open(t.Context(), "/", "", "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	conn := <-accepted
	defer func() { _ = conn.Close() }()
	frame := AppendFrame(nil, opBinary, bytes.Repeat([]byte("0123456789"), 1000))
	sent, full := 0, 0
	for full < 3 {
		ok, err := s.try(frame)
		switch {
		case err != nil:
			t.Fatal(err)
		case ok:
			sent++
		default:
			full++
		}
	}
	got := make(chan int, 1)
	go func() {
		n, buffer := 0, make([]byte, len(frame))
		for n < sent+1 {
			if _, err := io.ReadFull(conn, buffer); err != nil || !bytes.Equal(buffer, frame) {
				break
			}
			n++
		}
		got <- n
	}()
	// The next frame goes once there is room, behind the rest of the last.
	for {
		ok, err := s.try(frame)
		if err != nil {
			t.Fatal(err)
		}
		if ok {
			break
		}
		runtime.Gosched()
	}
	s.mu.Lock()
	rest := len(s.rest)
	s.mu.Unlock()
	if rest > 0 {
		s.must(nil)
	}
	if n := <-got; n != sent+1 {
		t.Errorf("%d whole frames arrived of %d", n, sent+1)
	}
}

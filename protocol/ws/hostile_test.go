package ws_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/protocol/ws"
)

// log is a handler that keeps what it is given.
type log struct {
	frames chan string
	ended  chan error
}

func newLog() *log { return &log{frames: make(chan string, 1000), ended: make(chan error, 1)} }

func (h *log) Frame(frame []byte, err error) bool {
	if err != nil {
		frame = []byte(err.Error())
	}
	h.frames <- string(frame)
	return string(frame) != "that will do"
}

func (h *log) Ended(err error) { h.ended <- err }

// serving starts Serve with a log.
func serving(c *ws.Conn) *log {
	h := newLog()
	c.Go(func() { c.Serve(h) })
	return h
}

// TestFramesThatAreWrong sends what no good peer sends, to Receive and to Serve.
func TestFramesThatAreWrong(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	closing := func(code uint16, reason string) []byte {
		return masked(final|closeKind, string(binary.BigEndian.AppendUint16(nil, code))+reason)
	}
	peer := func(code int) func(error) bool {
		return func(err error) bool {
			closed, ok := errors.AsType[*ws.PeerClosedError](err)
			return ok && closed.Code == code
		}
	}
	tests := []struct {
		name  string
		bytes []byte
		check func(error) bool
		code  uint16
	}{
		{"second reserved bit", masked(final|0x20|text, "x"), isAbnormal, ws.CloseProtocol},
		{"third reserved bit", masked(final|0x10|text, "x"), isAbnormal, ws.CloseProtocol},
		{"reserved bit on a ping", masked(final|0x40|ping, "x"), isAbnormal, ws.CloseProtocol},
		{"reserved control opcode", masked(final|11, "x"), isAbnormal, ws.CloseProtocol},
		{"ping without a mask", []byte{final | ping, 0}, isAbnormal, ws.CloseProtocol},
		{"long ping", masked(final|ping, strings.Repeat("x", 126)), isAbnormal, ws.CloseProtocol},
		{"ping in pieces", masked(ping, "x"), isAbnormal, ws.CloseProtocol},
		{"a piece of nothing", masked(final|continuation, "x"), isAbnormal, ws.CloseProtocol},
		{"a message in a message", append(masked(text, "x"), masked(final|text, "y")...), isAbnormal, ws.CloseProtocol},
		{"binary for text", masked(final|binaryKind, "x"), func(err error) bool { return errors.Is(err, ws.ErrWrongKind) }, ws.CloseUnsupported},
		{"a close code that must not be sent", closing(1006, ""), isAbnormal, ws.CloseProtocol},
		{"a close code of nobody", closing(999, ""), isAbnormal, ws.CloseProtocol},
		{"a reason that is no text", closing(1000, "\xff"), isAbnormal, ws.CloseProtocol},
		{"a close frame of one byte", masked(final|closeKind, "x"), isAbnormal, ws.CloseProtocol},
		{"a close frame of none", masked(final|closeKind, ""), peer(1005), ws.CloseNormal},
		{"a close frame of its own", closing(4000, "enough"), peer(4000), 4000},
		{"2^63 bytes", append([]byte{final | text, 0x80 | 127, 0x80}, make([]byte, 11)...), func(err error) bool { return err != nil }, ws.CloseTooLarge},
	}
	for _, test := range tests {
		for _, served := range []bool{false, true} {
			conn, server := l.raw(t)
			if _, err := conn.Write(append(masked(final|ping, ""), test.bytes...)); err != nil {
				t.Fatal(err)
			}
			var err error
			if served {
				err = <-serving(server).ended
			} else {
				_, err = server.Receive()
			}
			if !test.check(err) {
				t.Errorf("%s, served %t: %v", test.name, served, err)
			}
			answer := make([]byte, 6) // A pong, then the close frame.
			if _, err := io.ReadFull(conn, answer); err != nil || answer[2] != final|closeKind || binary.BigEndian.Uint16(answer[4:]) != test.code {
				t.Errorf("%s, served %t: answered with % x, %v, want close code %d", test.name, served, answer, err, test.code)
			}
			_ = conn.Close()
			<-server.Done()
		}
	}
}

const closeKind = 8

// TestServe reads from many connections with few workers: each handler has its
// own frames in order, whatever stands between them.
func TestServe(t *testing.T) {
	t.Parallel()
	o := links()
	o.ReadLimit = 1000
	l := listen(t, o)
	type end struct {
		net.Conn
		*log
		server *ws.Conn
	}
	var ends []end
	for range 40 {
		conn, server := l.raw(t)
		ends = append(ends, end{conn, serving(server), server})
	}
	for round := range 5 {
		for i, e := range ends {
			name := strconv.Itoa(i) + " in round " + strconv.Itoa(round)
			stream := append(masked(final|ping, "p"), masked(final|text, "first of "+name)...)
			stream = append(stream, masked(text, "second ")...)
			stream = append(stream, masked(final|ping, "p")...)
			stream = append(stream, masked(final|continuation, "of "+name)...)
			stream = append(stream, masked(final|text, strings.Repeat("x", 1001))...)
			stream = append(stream, masked(final|10, "a pong")...)
			cut := (i*7 + round*13) % len(stream)
			for _, part := range [][]byte{stream[:cut], stream[cut:]} {
				if _, err := e.Write(part); err != nil {
					t.Fatal(err)
				}
			}
		}
		for i, e := range ends {
			name := strconv.Itoa(i) + " in round " + strconv.Itoa(round)
			for _, want := range []string{"first of " + name, "second of " + name, ws.ErrFrameTooLarge.Error()} {
				if got := <-e.frames; got != want {
					t.Fatalf("connection %d was given %q, want %q", i, got, want)
				}
			}
		}
	}
	for i, e := range ends {
		switch i % 3 {
		case 0: // The handler has enough.
			if _, err := e.Write(masked(final|text, "that will do")); err != nil {
				t.Fatal(err)
			}
			<-e.frames
		case 1: // The network ends.
			_ = e.Conn.Close()
			if err := <-e.ended; !isAbnormal(err) {
				t.Errorf("connection %d ended with %v", i, err)
			}
		case 2: // This side closes.
			e.server.Close(ws.ClosePolicy, "")
		}
	}
	for _, e := range ends {
		_ = e.Conn.Close()
		<-e.server.Done()
	}
}

// TestPingFlood: pings beyond the allowance are not answered, and counted.
func TestPingFlood(t *testing.T) {
	t.Parallel()
	const sent = 1000
	var throttled atomic.Int64
	o := links()
	o.Throttled = func(what ws.Throttle) {
		if what == ws.ThrottledPings {
			throttled.Add(1)
		}
	}
	l := listen(t, o)
	for _, served := range []bool{false, true} {
		throttled.Store(0)
		began := time.Now()
		conn, server := l.raw(t)
		if _, err := conn.Write(append(bytes.Repeat(masked(final|ping, "x"), sent), masked(final|text, "that will do")...)); err != nil {
			t.Fatal(err)
		}
		if served {
			<-serving(server).frames
		} else {
			wantFrame(t, server, "that will do")
			server.Close(ws.CloseNormal, "")
		}
		pongs, pong := 0, make([]byte, 3)
		for {
			if _, err := io.ReadFull(conn, pong); err != nil || pong[0] != final|10 {
				break
			}
			pongs++
		}
		most := 20 + int(time.Since(began).Seconds()*10) + 1
		if pongs < 20 || pongs > most || pongs+int(throttled.Load()) != sent {
			t.Errorf("served %t: of %d pings %d were answered and %d counted as too many; at most %d may be answered", served, sent, pongs, throttled.Load(), most)
		}
		_ = conn.Close()
		<-server.Done()
	}
}

// TestMessagesMustComeToAnEnd: however a message trickles in, its time is over
// ten seconds after its first byte.
func TestMessagesMustComeToAnEnd(t *testing.T) {
	t.Parallel()
	long := masked(final|text, strings.Repeat("x", 5000))
	for name, next := range map[string]func(i int) []byte{
		"byte after byte":         func(i int) []byte { return long[i : i+1] },
		"a header and no more":    func(i int) []byte { return long[:min(1, 1-min(i, 1))] },
		"fragments without end":   func(i int) []byte { return masked([]byte{text, continuation}[min(i, 1)], "x") },
		"fragments and pings":     func(i int) []byte { return masked([]byte{text, final | ping, continuation}[min(i, 1+i%2)], "") },
		"a control frame's bytes": func(i int) []byte { return masked(final|ping, strings.Repeat("x", 120))[i : i+1] },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inMemory(t, 4096, minutes(), minutes(), func(_, server *ws.Conn, network memory) {
				ended := read(server)
				began := time.Now()
				wrote := make(chan struct{})
				defer func() { <-wrote }()
				go func() {
					defer close(wrote)
					for i := range 110 {
						if _, err := network.Write(next(i)); err != nil {
							return
						}
						time.Sleep(100 * time.Millisecond)
					}
				}()
				if err := <-ended; !errors.Is(err, ws.ErrUnfinished) {
					t.Errorf("ended with %v", err)
				}
				if d := time.Since(began); d.Round(time.Microsecond) != 10*time.Second {
					t.Errorf("ended after %v, want 10 s", d)
				}
			})
		})
	}
}

// TestSlowMessagesInTime: a slow peer that keeps to the time is no hostile one.
func TestSlowMessagesInTime(t *testing.T) {
	t.Parallel()
	inMemory(t, 4096, minutes(), minutes(), func(_, server *ws.Conn, network memory) {
		ended := read(server)
		for range 20 {
			for _, part := range [][]byte{masked(text, "x"), masked(final|ping, ""), masked(final|continuation, "y")} {
				if _, err := network.Write(part); err != nil {
					t.Fatal(err)
				}
				time.Sleep(4500 * time.Millisecond)
			}
		}
		server.Close(ws.CloseNormal, "")
		if err := <-ended; !errors.Is(err, ws.ErrClosed) {
			t.Errorf("ended with %v", err)
		}
	})
}

// TestByteFlood: of one peer no more is read than 4 MiB a second, whatever it
// is cut into.
func TestByteFlood(t *testing.T) {
	t.Parallel()
	const frames = 100_000
	frame := masked(final|text, strings.Repeat("x", 120))
	var throttled atomic.Int64
	o := minutes()
	o.Throttled = func(ws.Throttle) { throttled.Add(1) }
	inMemory(t, 64<<10, o, minutes(), func(_, server *ws.Conn, network memory) {
		began := time.Now()
		go func() {
			many := bytes.Repeat(frame, 100)
			for range frames / 100 {
				if _, err := network.Write(many); err != nil {
					return
				}
			}
		}()
		for i := range frames {
			if _, err := server.Receive(); err != nil {
				t.Fatalf("frame %d: %v", i, err)
			}
		}
		least := time.Duration(frames*len(frame)-4<<20) * time.Second / (4 << 20)
		if d := time.Since(began); d < least-100*time.Millisecond || d > least+100*time.Millisecond || throttled.Load() == 0 {
			t.Errorf("%d bytes were read within %v, want %v; held back %d times", frames*len(frame), d, least, throttled.Load())
		}
	})
}

// TestCompressionIsNeverAgreedOn, whatever the client offers.
func TestCompressionIsNeverAgreedOn(t *testing.T) {
	t.Parallel()
	l := listen(t, links())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, l.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
		"Sec-WebSocket-Protocol": "kapok.v1.json", "Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits",
	} {
		request.Header.Set(name, value)
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		t.Fatal(err)
	}
	if got := response.Header.Get("Sec-WebSocket-Extensions"); response.StatusCode != http.StatusSwitchingProtocols || got != "" {
		t.Errorf("answered with %s and the extensions %q", response.Status, got)
	}
	server := <-l.accepted
	_ = response.Body.Close()
	if _, err := server.Receive(); !isAbnormal(err) {
		t.Errorf("ended with %v", err)
	}
	<-server.Done()
}

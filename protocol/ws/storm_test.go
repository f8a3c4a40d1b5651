package ws

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// storm is a server that many sockets do random things to. Each message that it
// takes must be the next of its connection, and whole; it answers with the same.
type storm struct {
	t          *testing.T
	group      Group
	plain, tls *httptest.Server
	open       atomic.Int64
	taken      atomic.Int64
}

// strand is one connection's handler.
type strand struct {
	of   *storm
	conn *Conn
	next uint32
	// closesAt is the message at which the server closes, leavesAt at which Serve
	// is ended.
	closesAt, leavesAt uint32
}

// message is the message with a number: the number and what follows from it.
func message(n uint32, size int) []byte {
	m := binary.BigEndian.AppendUint32(make([]byte, 0, size+4), n)
	for i := range size {
		m = append(m, byte(int(n)*7+i))
	}
	return m
}

func (s *strand) Frame(frame []byte, err error) bool {
	if err == nil {
		if want := message(s.next, max(0, len(frame)-4)); !bytes.Equal(frame, want) {
			s.of.t.Errorf("message %d came as %.20x of %d bytes", s.next, frame, len(frame))
		}
		// A full queue is the peer's own doing.
		_ = s.conn.Send(bytes.Clone(frame))
	}
	s.of.taken.Add(1)
	s.next++
	if s.next == s.closesAt {
		s.conn.Close(ClosePolicy, "enough")
	}
	return s.next != s.leavesAt
}

func (s *strand) Ended(err error) {
	if err == nil {
		s.of.t.Error("it ended without an error")
	}
}

func newStorm(t *testing.T, seed uint64) *storm {
	s := &storm{t: t}
	var mu sync.Mutex
	chance := rand.New(rand.NewPCG(seed, 0))
	o := Options{
		Group: &s.group, ReadLimit: 20_000, QueueFrames: 16, QueueBytes: 200_000, ReceiveBufferBytes: 8 << 10,
		PingInterval: 20 * time.Millisecond, ReadTimeout: 400 * time.Millisecond, WriteTimeout: time.Second, MessageTimeout: 300 * time.Millisecond,
		Rest: func() time.Duration {
			mu.Lock()
			defer mu.Unlock()
			return time.Duration(max(0, chance.IntN(8)-4)) * time.Millisecond
		},
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, err := Accept(w, r, o)
		if err != nil {
			return
		}
		mu.Lock()
		h := &strand{of: s, conn: conn}
		switch chance.IntN(4) {
		case 0:
			h.closesAt = 1 + chance.Uint32N(40)
		case 1:
			h.leavesAt = 1 + chance.Uint32N(40)
		}
		mu.Unlock()
		s.open.Add(1)
		conn.Go(func() { defer s.open.Add(-1); conn.Serve(h) })
	})
	s.plain, s.tls = httptest.NewServer(handler), httptest.NewTLSServer(handler)
	return s
}

// piece is one frame of the client's.
func piece(head byte, payload []byte, chance *rand.Rand) []byte {
	f := []byte{head}
	switch {
	case len(payload) < 126:
		f = append(f, 0x80|byte(len(payload)))
	case len(payload) < 1<<16:
		f = binary.BigEndian.AppendUint16(append(f, 0x80|126), uint16(len(payload)))
	default:
		f = binary.BigEndian.AppendUint64(append(f, 0x80|127), uint64(len(payload)))
	}
	var key [4]byte
	binary.BigEndian.PutUint32(key[:], chance.Uint32())
	f = append(f, key[:]...)
	for i, b := range payload {
		f = append(f, b^key[i%4])
	}
	return f
}

// say is a message as a peer may send it: in fragments, with pings, pongs and
// empty fragments between them, mostly short, at times of just a chunk, or too
// long.
func say(n uint32, chance *rand.Rand) []byte {
	size := chance.IntN(200)
	switch chance.IntN(8) {
	case 0:
		size = chunkBytes - 16 + chance.IntN(32)
	case 1:
		size = chance.IntN(15_000)
	case 2:
		size = 20_000 + chance.IntN(20_000)
	}
	rest := message(n, size)
	var out []byte
	for opcode := byte(1); ; opcode = 0 {
		if chance.IntN(6) == 0 {
			out = append(out, piece(0x89+byte(chance.IntN(2)), message(0, chance.IntN(122)), chance)...)
		}
		cut := len(rest)
		if chance.IntN(3) == 0 {
			cut = chance.IntN(len(rest) + 1)
		}
		if cut == len(rest) {
			return append(out, piece(0x80|opcode, rest, chance)...)
		}
		out = append(out, piece(opcode, rest[:cut], chance)...)
		rest = rest[cut:]
	}
}

// peer opens a connection, sends messages in pieces of any size, and ends in any
// way at any moment.
func (s *storm) peer(chance *rand.Rand) {
	server, secure := s.plain, chance.IntN(4) == 0
	if secure {
		server = s.tls
	}
	raw, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		s.t.Error(err)
		return
	}
	conn := raw
	if secure {
		conn = tls.Client(raw, &tls.Config{InsecureSkipVerify: true}) //nolint:gosec // Its own server.
	}
	defer func() { _ = conn.Close() }()
	hello := "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"
	if _, err := conn.Write([]byte(hello)); err != nil {
		return
	}
	answer := make([]byte, 1)
	head := []byte(nil)
	for ; !bytes.HasSuffix(head, []byte("\r\n\r\n")); head = append(head, answer[0]) {
		if _, err := conn.Read(answer); err != nil {
			return
		}
	}
	if !bytes.Contains(head, []byte(" 101 ")) {
		return // The group is shutting down.
	}
	heard := make(chan struct{})
	go func() {
		defer close(heard)
		s.listen(conn)
	}()
	var text []byte
	for n := range uint32(chance.IntN(60)) {
		text = append(text, say(n, chance)...)
	}
	switch chance.IntN(6) {
	case 0:
		text = append(text, piece(0x88, []byte{3, 232}, chance)...)
	case 1:
		text = append(text, piece(0x83, make([]byte, 100), chance)...)
	case 2:
		text = text[:chance.IntN(len(text)+1)]
	case 3:
		text = append(text, 0x81)
	}
	for len(text) > 0 {
		n := min(len(text), 1+chance.IntN([]int{3, 20, 600, chunkBytes, 60_000}[chance.IntN(5)]))
		if _, err := conn.Write(text[:n]); err != nil {
			break
		}
		text = text[n:]
		if chance.IntN(50) == 0 {
			<-time.After(time.Duration(chance.IntN(10)) * time.Millisecond)
		}
	}
	switch tcp, ok := raw.(*net.TCPConn); chance.IntN(4) {
	case 0:
		if ok {
			_ = tcp.SetLinger(0)
		}
	case 1:
		if ok {
			_ = tcp.CloseWrite()
		}
		<-heard
	case 2:
		<-heard // The server ends it, at the latest for silence.
	}
	_ = conn.Close()
	<-heard
}

// listen reads what the server says: its frames are whole, and the echoes are
// echoes, in order.
func (s *storm) listen(conn net.Conn) {
	var got []byte
	room := make([]byte, 8192)
	before := -1
	for {
		n, err := conn.Read(room)
		got = append(got, room[:n]...)
		for len(got) >= 2 {
			head, size := 2, int(got[1])
			if size == 126 {
				if head = 4; len(got) < head {
					break
				}
				size = int(binary.BigEndian.Uint16(got[2:]))
			}
			if len(got) < head+size {
				break
			}
			payload := got[head : head+size]
			switch got[0] {
			case 0x81:
				number := int(binary.BigEndian.Uint32(payload))
				if number <= before || !bytes.Equal(payload, message(uint32(number), size-4)) {
					s.t.Errorf("the echo %d of %d bytes came after %d", number, size, before)
				}
				before = number
			case 0x88, 0x89, 0x8a:
			default:
				s.t.Errorf("a frame begins with %x", got[0])
				return
			}
			got = got[head+size:]
		}
		if err != nil {
			return
		}
	}
}

// TestStorm has many peers do random things to a server, and shuts it down in
// the midst. KAPOK_SOAK=1 makes it long, KAPOK_SEED repeats one.
func TestStorm(t *testing.T) {
	t.Parallel()
	lasting, seed := time.Second, uint64(time.Now().UnixNano())
	if os.Getenv("KAPOK_SOAK") == "1" {
		lasting = 30 * time.Second
	}
	if given, err := strconv.ParseUint(os.Getenv("KAPOK_SEED"), 10, 64); err == nil {
		seed = given
	}
	s := newStorm(t, seed)
	defer func() {
		if t.Failed() {
			t.Logf("repeat with: KAPOK_SEED=%d go test -race -run TestStorm ./protocol/ws", seed)
		}
	}()
	over := time.After(lasting)
	stop := make(chan struct{})
	var peers sync.WaitGroup
	for i := range 40 {
		chance := rand.New(rand.NewPCG(seed, uint64(i)+1))
		peers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					s.peer(chance)
				}
			}
		})
	}
	<-over
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := s.group.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	close(stop)
	peers.Wait()
	s.plain.Close()
	s.tls.Close()
	if err := s.left(); err != nil {
		t.Error(err)
	}
	t.Logf("seed %d: %d messages", seed, s.taken.Load())
}

// left says what is left over after the shutdown.
func (s *storm) left() error {
	g := &s.group
	g.mu.Lock()
	defer g.mu.Unlock()
	var wrong []string
	for name, n := range map[string]int{
		"connections": len(g.conns), "tasks": g.tasks, "serving": int(s.open.Load()),
	} {
		if n != 0 {
			wrong = append(wrong, fmt.Sprintf("%d %s", n, name))
		}
	}
	if g.line != nil {
		wrong = append(wrong, "the line with its workers")
	}
	if len(wrong) > 0 {
		return errors.New("left over: " + strings.Join(wrong, ", "))
	}
	return nil
}

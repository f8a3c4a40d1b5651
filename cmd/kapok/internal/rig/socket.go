package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The opcodes of RFC 6455.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xa
	finalBit       = 0x80
	maskBit        = 0x80
)

const (
	// shakeWithin bounds the dialling and the handshake.
	shakeWithin = 20 * time.Second
	// maxFrame bounds what is read as one frame.
	maxFrame = 64 << 20
	// maxRest bounds what waits for a socket that is full; beyond it answers are
	// lost, as with a vehicle whose memory is full.
	maxRest = 64 << 10
)

// AppendFrame appends a client's frame with an all-zero mask, which leaves the
// payload as it is.
func AppendFrame(dst []byte, opcode byte, payload []byte) []byte {
	dst = append(dst, finalBit|opcode)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, maskBit|byte(n))
	case n < 1<<16:
		dst = binary.BigEndian.AppendUint16(append(dst, maskBit|126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, maskBit|127), uint64(n))
	}
	dst = append(dst, 0, 0, 0, 0)
	return append(dst, payload...)
}

// target is a server and whom its clients come from.
type target struct {
	address string
	from    *net.TCPAddr
}

func newTarget(base, from string) (target, error) {
	u, err := url.Parse(base)
	if err != nil {
		return target{}, fmt.Errorf("reading the address %q: %w", base, err)
	}
	t := target{address: u.Host}
	if from != "" {
		ip := net.ParseIP(from)
		if ip == nil || !ip.IsLoopback() {
			return target{}, fmt.Errorf("%q is not a loopback address", from)
		}
		t.from = &net.TCPAddr{IP: ip}
	}
	return t, nil
}

// refusedError says that the server answered without upgrading.
type refusedError struct {
	status int
	body   string
}

func (e *refusedError) Error() string {
	return fmt.Sprintf("refused with status %d: %s", e.status, e.body)
}

// open opens a WebSocket. The subprotocol may be empty.
func (t target) open(ctx context.Context, path, token, subprotocol string) (*socket, error) {
	dialer := net.Dialer{Timeout: shakeWithin}
	if t.from != nil {
		dialer.LocalAddr = t.from
	}
	conn, err := dialer.DialContext(ctx, "tcp", t.address)
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", t.address, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	s, err := t.shake(conn, path, token, subprotocol)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return s, nil
}

// shake does the handshake. What the server answers with is trusted: it is ours.
func (t target) shake(conn net.Conn, path, token, subprotocol string) (*socket, error) {
	if err := conn.SetDeadline(time.Now().Add(shakeWithin)); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: " + t.address + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: S2Fwb2sga2Fwb2sgMTIzNA==\r\n"
	if token != "" {
		request += "Authorization: Bearer " + token + "\r\n"
	}
	if subprotocol != "" {
		request += "Sec-WebSocket-Protocol: " + subprotocol + "\r\n"
	}
	if _, err := io.WriteString(conn, request+"\r\n"); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	s := &socket{conn: conn, buffer: make([]byte, 512)}
	end := -1
	for end < 0 {
		if s.end == len(s.buffer) && len(s.buffer) >= 16<<10 {
			return nil, fmt.Errorf("opening %s: the head of the answer is too long", path)
		}
		if err := s.fill(); err != nil {
			return nil, fmt.Errorf("opening %s: %w", path, err)
		}
		end = bytes.Index(s.buffer[:s.end], []byte("\r\n\r\n"))
	}
	if !bytes.HasPrefix(s.buffer, []byte("HTTP/1.1 101 ")) {
		return nil, fmt.Errorf("opening %s: %w", path, refusal(io.MultiReader(bytes.NewReader(s.buffer[:s.end]), conn)))
	}
	s.begin = end + 4
	if err := conn.SetDeadline(time.Time{}); err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	return s, s.prepare()
}

// refusal reads an answer that is no upgrade.
func refusal(r io.Reader) error {
	response, err := http.ReadResponse(bufio.NewReader(r), nil)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(io.LimitReader(response.Body, 1024))
	return &refusedError{response.StatusCode, strings.TrimSpace(string(body))}
}

// socket is a WebSocket of a client, as cheap as can be. One goroutine reads;
// any may write.
type socket struct {
	conn net.Conn
	// buffer[begin:end] is what has been read and not been used.
	buffer     []byte
	begin, end int
	// parts are the beginning of a message in several frames.
	parts []byte

	mu sync.Mutex // guards the rest
	// rest is what was begun or must be written, and found the socket full.
	rest []byte
	raw  syscall.RawConn
	out  []byte
	n    int
	err  error
	now  func(fd uintptr) bool
}

// fill reads more into the buffer, which grows when it is full.
func (s *socket) fill() error {
	if s.begin > 0 && s.begin == s.end {
		s.begin, s.end = 0, 0
	}
	if s.end == len(s.buffer) {
		if s.begin > 0 {
			s.end = copy(s.buffer, s.buffer[s.begin:s.end])
			s.begin = 0
		} else {
			s.buffer = append(s.buffer, make([]byte, len(s.buffer))...)
		}
	}
	n, err := s.conn.Read(s.buffer[s.end:])
	s.end += n
	if n > 0 {
		return nil
	}
	return err
}

// head reads the head of the next frame.
func (s *socket) head() (first byte, size int, err error) {
	for {
		b := s.buffer[s.begin:s.end]
		need := 2
		if len(b) >= 2 {
			switch b[1] & 0x7f {
			case 126:
				need = 4
			case 127:
				need = 10
			}
		}
		if len(b) >= need {
			size = int(b[1] & 0x7f)
			switch need {
			case 4:
				size = int(binary.BigEndian.Uint16(b[2:]))
			case 10:
				size = int(binary.BigEndian.Uint64(b[2:]) & (1<<62 - 1))
			}
			if size > maxFrame || b[1]&maskBit != 0 {
				return 0, 0, fmt.Errorf("the server sent a frame of %d bytes with the head % x", size, b[:need])
			}
			s.begin += need
			return b[0], size, nil
		}
		if err := s.fill(); err != nil {
			return 0, 0, err
		}
	}
}

// payload reads the payload of a frame; it is good until the next read.
func (s *socket) payload(size int) ([]byte, error) {
	for s.end-s.begin < size {
		if err := s.fill(); err != nil {
			return nil, err
		}
	}
	p := s.buffer[s.begin : s.begin+size]
	s.begin += size
	return p, nil
}

// skip passes over a payload.
func (s *socket) skip(size int) error {
	for {
		n := min(size, s.end-s.begin)
		s.begin += n
		if size -= n; size == 0 {
			return nil
		}
		if err := s.fill(); err != nil {
			return err
		}
	}
}

// closedError is the server's farewell.
type closedError struct {
	code   int
	reason string
}

func (e *closedError) Error() string { return fmt.Sprintf("%d %s", e.code, e.reason) }

// next returns the next message, which is good until the next call. Pings are
// answered, pongs passed over; a farewell is a *closedError.
func (s *socket) next() ([]byte, error) {
	for {
		first, size, err := s.head()
		if err != nil {
			return nil, err
		}
		p, err := s.payload(size)
		if err != nil {
			return nil, err
		}
		switch opcode := first & 0x0f; opcode {
		case opPing, opPong, opClose:
			if err := s.control(opcode, p); err != nil {
				return nil, err
			}
		case opContinuation, opText, opBinary:
			if first&finalBit != 0 && opcode != opContinuation {
				return p, nil
			}
			if opcode != opContinuation {
				s.parts = s.parts[:0]
			}
			if s.parts = append(s.parts, p...); first&finalBit != 0 {
				return s.parts, nil
			}
		default:
			return nil, fmt.Errorf("the server sent a frame with opcode %d", opcode)
		}
	}
}

// control does what a control frame asks for.
func (s *socket) control(opcode byte, p []byte) error {
	switch opcode {
	case opPing:
		s.must(AppendFrame(nil, opPong, p))
	case opClose:
		s.must(AppendFrame(nil, opClose, p))
		if len(p) < 2 {
			return &closedError{1005, ""}
		}
		return &closedError{int(binary.BigEndian.Uint16(p)), string(p[2:])}
	}
	return nil
}

// try writes a frame if the socket has room for it, and tells whether it had. A
// frame that was begun is finished before the next.
func (s *socket) try(frame []byte) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.flush(); err != nil || len(s.rest) > 0 {
		return false, err
	}
	n, err := s.writeNow(frame)
	if n == 0 || err != nil {
		return false, err
	}
	s.rest = append(s.rest, frame[n:]...)
	return true, nil
}

// must writes a frame, later if the socket is full now. Where much waits
// already, it is lost.
func (s *socket) must(frame []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.flush(); err != nil || len(s.rest)+len(frame) > maxRest {
		return
	}
	n := 0
	if len(s.rest) == 0 {
		n, _ = s.writeNow(frame)
	}
	s.rest = append(s.rest, frame[n:]...)
}

// flush writes what waits. The lock is held.
func (s *socket) flush() error {
	if len(s.rest) == 0 {
		return nil
	}
	n, err := s.writeNow(s.rest)
	s.rest = s.rest[:copy(s.rest, s.rest[n:])]
	return err
}

// close ends the connection.
func (s *socket) close() { _ = s.conn.Close() }

// errNoRaw says that a connection cannot be written to without waiting.
var errNoRaw = errors.New("the connection has no descriptor")

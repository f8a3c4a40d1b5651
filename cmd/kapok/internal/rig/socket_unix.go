//go:build unix

package rig

import (
	"errors"
	"fmt"
	"syscall"
)

// prepare lets the socket be written to without waiting.
func (s *socket) prepare() error {
	conn, ok := s.conn.(syscall.Conn)
	if !ok {
		return errNoRaw
	}
	var err error
	if s.raw, err = conn.SyscallConn(); err != nil {
		return fmt.Errorf("preparing a socket: %w", err)
	}
	s.now = func(fd uintptr) bool {
		s.n, s.err = syscall.Write(int(fd), s.out)
		return true
	}
	return nil
}

// writeNow writes what fits and tells how much that was. The lock is held.
func (s *socket) writeNow(b []byte) (int, error) {
	s.out = b
	if err := s.raw.Write(s.now); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	s.out = nil
	if errors.Is(s.err, syscall.EAGAIN) || errors.Is(s.err, syscall.EINTR) {
		return 0, nil
	}
	if s.err != nil {
		return 0, fmt.Errorf("writing: %w", s.err)
	}
	return s.n, nil
}

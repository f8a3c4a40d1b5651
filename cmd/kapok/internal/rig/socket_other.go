//go:build !unix

package rig

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// fullAfter is how long a write may wait before the socket counts as full.
const fullAfter = 2 * time.Millisecond

func (s *socket) prepare() error { return nil }

// writeNow writes what fits within two milliseconds. The lock is held.
func (s *socket) writeNow(b []byte) (int, error) {
	if err := s.conn.SetWriteDeadline(time.Now().Add(fullAfter)); err != nil {
		return 0, fmt.Errorf("writing: %w", err)
	}
	n, err := s.conn.Write(b)
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return n, fmt.Errorf("writing: %w", err)
	}
	return n, nil
}

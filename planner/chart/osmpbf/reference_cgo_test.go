//go:build cgo

package osmpbf_test

import "testing"

// TestContentIsThatOfAnotherReader needs the other reader, which with cgo needs
// the C library zlib and its headers.
func TestContentIsThatOfAnotherReader(t *testing.T) {
	t.Skip("the other reader is compared with CGO_ENABLED=0 only")
}

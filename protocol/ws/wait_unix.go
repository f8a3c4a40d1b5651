//go:build unix

package ws

import (
	"io"
	"syscall"
)

// canWait says that readNow works on this system.
const canWait = true

// readNow reads what there is from a socket that does not block: neither bytes
// nor an error mean that there is nothing.
func readNow(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p) //nolint:gosec // A descriptor is small.
		// The errors are bare numbers, and to look for wrapped ones takes stack.
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case err == syscall.EINTR: //nolint:errorlint // See above.
		case err == syscall.EAGAIN: //nolint:errorlint // See above.
			return 0, nil
		default:
			return 0, err
		}
	}
}

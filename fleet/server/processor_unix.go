//go:build unix

package server

import (
	"syscall"
	"time"
)

// processorTime is how much of the processors this process has used, in its own
// code and in the system's on its behalf; 0 when that cannot be told.
func processorTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

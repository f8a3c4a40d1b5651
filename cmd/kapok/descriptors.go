package main

import "syscall"

// descriptorLimit is how many files and sockets this process may have open, and
// false where that is not known. The Go runtime has raised it as far as it may.
func descriptorLimit() (int, bool) {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 0, false
	}
	return int(min(uint64(limit.Cur), 1<<31-1)), true
}

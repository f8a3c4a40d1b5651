package rig

import (
	"os"
	"time"
)

// OwnCPU is the processor time of this process so far, in all of its threads.
// The error is ErrUnsupported where the system does not tell it.
func OwnCPU() (time.Duration, error) { return processCPU(os.Getpid()) }

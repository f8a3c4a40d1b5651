package rig

import (
	"os"
	"time"
)

// OwnCPU is the processor time of this process so far, in all of its threads.
// The error is ErrUnsupported where the system does not tell it.
func OwnCPU() (time.Duration, error) { return processCPU(os.Getpid()) }

// OwnPeakRSS is the most bytes of this process that were in memory so far. The
// error is ErrUnsupported where the system does not tell it.
func OwnPeakRSS() (int64, error) { return processPeakRSS(os.Getpid()) }

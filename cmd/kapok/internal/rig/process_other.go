//go:build !linux

package rig

import (
	"fmt"
	"os/exec"
	"time"
)

// startPinned starts the command unpinned: this system cannot pin.
func startPinned(command *exec.Cmd, _ []int) ([]int, error) { return nil, command.Start() }

func cores() []int { return nil }

func processCPU(pid int) (time.Duration, error) {
	return 0, fmt.Errorf("processor time of process %d: %w", pid, ErrUnsupported)
}

func processRSS(pid int) (int64, error) {
	return 0, fmt.Errorf("memory of process %d: %w", pid, ErrUnsupported)
}

func processPeakRSS(pid int) (int64, error) { return processRSS(pid) }

func resetPeak(pid int) error {
	_, err := processRSS(pid)
	return err
}

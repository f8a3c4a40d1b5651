package rig

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startPinned starts the command on some of the cores. The child inherits the
// affinity of the thread that starts it, before its first instruction; so the
// runtime of a child in Go counts only these cores.
func startPinned(command *exec.Cmd, cores []int) ([]int, error) {
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, wanted unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		return nil, command.Start()
	}
	var pinned []int
	for _, core := range cores {
		if before.IsSet(core) && !wanted.IsSet(core) {
			wanted.Set(core)
			pinned = append(pinned, core)
		}
	}
	if len(pinned) == 0 || before.Count() < 2 || unix.SchedSetaffinity(0, &wanted) != nil {
		return nil, command.Start()
	}
	err := command.Start()
	if back := unix.SchedSetaffinity(0, &before); back != nil && err == nil {
		return pinned, fmt.Errorf("unpinning this process: %w", back)
	}
	return pinned, err
}

// cores are those that this process may use.
func cores() []int {
	var set unix.CPUSet
	if err := unix.SchedGetaffinity(0, &set); err != nil {
		return nil
	}
	var all []int
	for core := 0; len(all) < set.Count(); core++ {
		if set.IsSet(core) {
			all = append(all, core)
		}
	}
	return all
}

// processCPU sums the run time of the threads, which the kernel keeps in
// nanoseconds. Threads of a Go program hardly ever end.
func processCPU(pid int) (time.Duration, error) {
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		return statCPU(pid)
	}
	var sum time.Duration
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // The thread has just ended.
		}
		ns, _, _ := bytes.Cut(data, []byte(" "))
		n, err := strconv.ParseInt(string(ns), 10, 64)
		if err != nil {
			return statCPU(pid)
		}
		sum += time.Duration(n)
	}
	return sum, nil
}

// statCPU reads the times in ticks, of which there are 100 a second on every
// Linux.
func statCPU(pid int) (time.Duration, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of process %d: %w", pid, err)
	}
	// The name in parentheses may hold anything; utime and stime are the 12th and
	// 13th field behind it.
	fields := bytes.Fields(data[bytes.LastIndexByte(data, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("reading the processor time of process %d: it has %d fields", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the processor time of process %d: %w", pid, err)
		}
		ticks += n
	}
	return time.Duration(ticks) * (time.Second / 100), nil
}

func processRSS(pid int) (int64, error) { return statusBytes(pid, "VmRSS:") }

func processPeakRSS(pid int) (int64, error) { return statusBytes(pid, "VmHWM:") }

// statusBytes reads a size from the status of a process.
func statusBytes(pid int, name string) (int64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
	}
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			kib, err := strconv.ParseInt(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 64)
			if err != nil {
				return 0, fmt.Errorf("reading the memory of process %d: %w", pid, err)
			}
			return kib << 10, nil
		}
	}
	return 0, fmt.Errorf("reading the memory of process %d: there is no %s", pid, name)
}

func resetPeak(pid int) error {
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
		return fmt.Errorf("forgetting the peak of process %d: %w", pid, err)
	}
	return nil
}

package rig

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopWithin is how long a process may take to end after SIGTERM; then it is
// killed.
const stopWithin = 15 * time.Second

// ErrUnsupported says that this system does not tell what was asked.
var ErrUnsupported = errors.New("this system does not tell")

// ProcessOptions say what to start and how.
type ProcessOptions struct {
	// Path is the program, empty for this one.
	Path string
	Args []string
	// Env is added to the environment of this process.
	Env []string
	// Cores are the processor cores that it may use, counted from 0; none leaves
	// it unpinned. Cores that the machine does not have are left out, and where
	// none remains, or the system cannot pin, the process runs unpinned: see
	// Pinned.
	Cores []int
	// Stdin may be nil. Stdout and Stderr may be nil, which discards what is
	// written.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Process is a child process. On Linux it ends with this process at the latest.
// Its methods may be called from any goroutine.
type Process struct {
	command *exec.Cmd
	pinned  []int
	exited  chan struct{}
	how     error
}

// Start starts a process. It does not end with ctx, which only bounds the start;
// the caller calls Stop.
func Start(ctx context.Context, o ProcessOptions) (*Process, error) {
	if o.Path == "" {
		own, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding this program: %w", err)
		}
		o.Path = own
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Path, err)
	}
	command := exec.CommandContext(context.WithoutCancel(ctx), o.Path, o.Args...)
	command.Env = append(command.Environ(), o.Env...)
	command.Stdin, command.Stdout, command.Stderr = o.Stdin, o.Stdout, o.Stderr
	p := &Process{command: command, exited: make(chan struct{})}
	var err error
	if p.pinned, err = startPinned(command, o.Cores); err != nil {
		return nil, fmt.Errorf("starting %s: %w", o.Path, err)
	}
	go func() {
		p.how = command.Wait()
		close(p.exited)
	}()
	return p, nil
}

// PID is the id of the process.
func (p *Process) PID() int { return p.command.Process.Pid }

// Pinned are the cores that the process is pinned to, none for unpinned.
func (p *Process) Pinned() []int { return p.pinned }

// Exited is closed when the process has ended.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Err says how the process ended, nil for success. It may be called once Exited
// is closed.
func (p *Process) Err() error { return p.how }

// CPU is the time that the process has spent on processors so far, its own and
// the system's on its behalf.
func (p *Process) CPU() (time.Duration, error) { return processCPU(p.PID()) }

// RSS is how many bytes of it are in memory now.
func (p *Process) RSS() (int64, error) { return processRSS(p.PID()) }

// PeakRSS is the most bytes of it that were in memory since ResetPeak, or since
// its start.
func (p *Process) PeakRSS() (int64, error) { return processPeakRSS(p.PID()) }

// ResetPeak lets PeakRSS begin anew.
func (p *Process) ResetPeak() error { return resetPeak(p.PID()) }

// Stop ends the process: SIGTERM, and after 15 s a kill. It returns when the
// process has ended; stopping twice does no harm. The error says that it had
// failed before, or had to be killed.
func (p *Process) Stop() error {
	select {
	case <-p.exited:
		return p.how
	default:
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		// A system without SIGTERM.
		_ = p.command.Process.Kill()
	}
	timer := time.NewTimer(stopWithin)
	defer timer.Stop()
	select {
	case <-p.exited:
		return p.how
	case <-timer.C:
	}
	_ = p.command.Process.Kill()
	<-p.exited
	return fmt.Errorf("process %d did not end within %v and was killed", p.PID(), stopWithin)
}

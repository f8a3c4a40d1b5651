package rig

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// maxLine bounds a line between a load and who conducts it.
const maxLine = 4 << 20

// order is a line to a load in a process of its own. The first has the options;
// each is answered with a line.
type order struct {
	Options  *LoadOptions `json:"options,omitempty"`
	FramesHz *float64     `json:"frames_hz,omitempty"`
	Report   bool         `json:"report,omitempty"`
	Fault    *fault       `json:"fault,omitempty"`
}

// fault is a fault that a vehicle is to report.
type fault struct {
	Vehicle int    `json:"vehicle"`
	Code    string `json:"code"`
	Text    string `json:"text"`
}

// answer is a line from a load.
type answer struct {
	Error  string      `json:"error,omitempty"`
	Report *LoadReport `json:"report,omitempty"`
}

// LoadProcess is a Load in a process of its own, which ends with this one.
type LoadProcess struct {
	*Process
	stdin, stdout *os.File
	lines         *bufio.Scanner
	said          *said

	mu sync.Mutex // guards the conversation
}

// StartLoadProcess starts `kapok bench load` and waits until all are connected.
// Of the process options, Path, Env and Cores are used.
func StartLoadProcess(ctx context.Context, p ProcessOptions, o LoadOptions) (*LoadProcess, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	theirIn, ourIn, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting a load: %w", err)
	}
	ourOut, theirOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("starting a load: %w", err), theirIn.Close(), ourIn.Close())
	}
	l := &LoadProcess{stdin: ourIn, stdout: ourOut, lines: bufio.NewScanner(ourOut), said: newSaid()}
	l.lines.Buffer(nil, maxLine)
	p.Args, p.Stdin, p.Stdout, p.Stderr = []string{"bench", "load"}, theirIn, theirOut, l.said
	l.Process, err = Start(ctx, p)
	_, _ = theirIn.Close(), theirOut.Close()
	if err != nil {
		return nil, errors.Join(err, ourIn.Close(), ourOut.Close())
	}
	// What is waited for ends with the process.
	stop := context.AfterFunc(ctx, func() { _ = ourIn.Close() })
	_, err = l.ask(order{Options: &o})
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = l.Stop()
		return nil, fmt.Errorf("starting a load: %w", err)
	}
	return l, nil
}

// ask gives an order and waits for the answer.
func (l *LoadProcess) ask(o order) (answer, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	line, err := json.Marshal(o)
	if err != nil {
		return answer{}, fmt.Errorf("speaking to the load: %w", err)
	}
	if _, err := l.stdin.Write(append(line, '\n')); err != nil {
		return answer{}, fmt.Errorf("speaking to the load: %w", err)
	}
	if !l.lines.Scan() {
		return answer{}, fmt.Errorf("the load ended: %s", l.said)
	}
	var a answer
	if err := json.Unmarshal(l.lines.Bytes(), &a); err != nil {
		return answer{}, fmt.Errorf("reading what the load says: %w", err)
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

// Rate is as Load.Rate.
func (l *LoadProcess) Rate(framesHz float64) error {
	_, err := l.ask(order{FramesHz: &framesHz})
	return err
}

// Report is as Load.Report.
func (l *LoadProcess) Report() (LoadReport, error) {
	a, err := l.ask(order{Report: true})
	if err != nil {
		return LoadReport{}, err
	}
	if a.Report == nil {
		return LoadReport{}, errors.New("the load gave no report")
	}
	return *a.Report, nil
}

// Fault is as Load.Fault.
func (l *LoadProcess) Fault(vehicle int, code, text string) error {
	_, err := l.ask(order{Fault: &fault{vehicle, code, text}})
	return err
}

// Stop ends the load and its process.
func (l *LoadProcess) Stop() error {
	_ = l.stdin.Close()
	defer func() { _ = l.stdout.Close() }()
	return l.Process.Stop()
}

// RunLoad is the other end: it takes orders from in, one a line, answers them on
// out, and ends with in or ctx.
func RunLoad(ctx context.Context, in io.Reader, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	orders := make(chan order)
	failed := make(chan error, 1)
	// The reader cannot be woken; it ends with the process.
	go func() {
		defer cancel()
		lines := bufio.NewScanner(in)
		lines.Buffer(nil, maxLine)
		for lines.Scan() {
			var o order
			if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
				failed <- fmt.Errorf("reading an order: %w", err)
				return
			}
			select {
			case orders <- o:
			case <-ctx.Done():
				return
			}
		}
	}()
	var load *Load
	defer func() {
		if load != nil {
			load.Stop()
		}
	}()
	for {
		select {
		case <-ctx.Done():
			select {
			case err := <-failed:
				return err
			default:
				return nil
			}
		case o := <-orders:
			var a answer
			load, a = obey(ctx, load, o)
			line, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("answering an order: %w", err)
			}
			if _, err := out.Write(append(line, '\n')); err != nil {
				return fmt.Errorf("answering an order: %w", err)
			}
		}
	}
}

// obey carries out one order.
func obey(ctx context.Context, load *Load, o order) (*Load, answer) {
	failed := func(err error) (*Load, answer) { return load, answer{Error: err.Error()} }
	switch {
	case o.Options != nil && load == nil:
		started, err := StartLoad(ctx, *o.Options)
		if err != nil {
			return failed(err)
		}
		return started, answer{}
	case load == nil || o.Options != nil:
		return failed(errors.New("the first order, and only that, has the options"))
	case o.FramesHz != nil:
		if err := load.Rate(*o.FramesHz); err != nil {
			return failed(err)
		}
		return load, answer{}
	case o.Fault != nil:
		if err := load.Fault(o.Fault.Vehicle, o.Fault.Code, o.Fault.Text); err != nil {
			return failed(err)
		}
		return load, answer{}
	case o.Report:
		r := load.Report()
		return load, answer{Report: &r}
	}
	return failed(errors.New("an order without anything to do"))
}

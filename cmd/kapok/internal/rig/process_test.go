package rig

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"
)

// childVariable lets the test binary be a child: it does what its value says.
const childVariable = "KAPOK_RIG_CHILD"

func TestMain(m *testing.M) {
	switch os.Getenv(childVariable) {
	case "":
		os.Exit(m.Run())
	case "wait":
		// Some work and some memory, and then nothing until stdin ends.
		kept := bytes.Repeat([]byte("x"), 32<<20)
		fmt.Println("there")
		_, _ = io.Copy(io.Discard, os.Stdin)
		fmt.Println(len(kept))
	case "fail":
		fmt.Fprintln(os.Stderr, "no")
		os.Exit(3)
	case "ready":
		fmt.Fprintln(os.Stderr, "kapok: serving on http://127.0.0.1:1234 (nothing)")
		fmt.Fprintln(os.Stderr, "kapok: ready")
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
}

func child(t *testing.T, does string, o ProcessOptions) *Process {
	t.Helper()
	o.Env = []string{childVariable + "=" + does}
	p, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func TestProcessIsMeasured(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells what a process uses")
	}
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	said, tell := io.Pipe()
	_, core := Places()
	p := child(t, "wait", ProcessOptions{Stdin: theirs, Stdout: tell, Cores: core})
	_ = theirs.Close()
	if _, err := said.Read(make([]byte, 6)); err != nil {
		t.Fatal(err)
	}
	cpu, err := p.CPU()
	if err != nil || cpu <= 0 || cpu > time.Minute {
		t.Errorf("processor time %v, %v", cpu, err)
	}
	rss, err := p.RSS()
	if err != nil || rss < 32<<20 {
		t.Errorf("%d bytes in memory, %v", rss, err)
	}
	if err := p.ResetPeak(); err != nil {
		t.Error(err)
	}
	if peak, err := p.PeakRSS(); err != nil || peak < 32<<20 {
		t.Errorf("%d bytes in memory at most, %v", peak, err)
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID()))
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Pinned()) == 1 && !strings.Contains(string(status), fmt.Sprintf("Cpus_allowed_list:\t%d\n", core[0])) {
		t.Errorf("it is not pinned to core %d alone:\n%s", core[0], status)
	}
	if all := cores(); len(all) > 1 && len(p.Pinned()) == 0 {
		t.Errorf("it is not pinned, though there are the cores %v", all)
	}
	go func() { _, _ = io.Copy(io.Discard, said) }()
	_ = ours.Close()
	<-p.Exited()
	if p.Err() != nil {
		t.Errorf("it ended with %v", p.Err())
	}
}

func TestProcessIsStopped(t *testing.T) {
	t.Parallel()
	theirs, ours, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ours.Close() }()
	p := child(t, "wait", ProcessOptions{Stdin: theirs})
	// SIGTERM ends a program that does not care about it, which is no success.
	if err := p.Stop(); err == nil {
		t.Error("a process that was ended by a signal ended well")
	}
	select {
	case <-p.Exited():
	default:
		t.Error("it still runs")
	}
	if again := p.Stop(); again == nil {
		t.Error("how it ended is forgotten")
	}
}

func TestServerThatDoesNotStart(t *testing.T) {
	t.Parallel()
	_, err := StartServer(t.Context(), ServerOptions{Env: []string{childVariable + "=fail"}})
	if err == nil || !strings.Contains(err.Error(), "no") || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("%v", err)
	}
}

func TestServerTellsItsAddressAndForgetsItsData(t *testing.T) {
	t.Parallel()
	s, err := StartServer(t.Context(), ServerOptions{Env: []string{childVariable + "=ready"}})
	if err != nil {
		t.Fatal(err)
	}
	if s.URL != "http://127.0.0.1:1234" || s.Tokens.Simulator == "" || s.Tokens.Admin == s.Tokens.Viewer {
		t.Errorf("%s, %+v", s.URL, s.Tokens)
	}
	_ = s.Stop()
	if _, err := os.Stat(s.Data); !os.IsNotExist(err) {
		t.Errorf("its data are left: %v", err)
	}
}

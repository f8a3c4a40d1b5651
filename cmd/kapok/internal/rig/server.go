package rig

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

const (
	// readyWithin is how long a server may take to be ready.
	readyWithin = 60 * time.Second
	// maxSaid is how much of what a server says is kept, from its beginning.
	maxSaid = 64 << 10
	// fleetName and tokensFile are those of kapok serve.
	fleetName  = "main"
	tokensFile = "tokens.yaml"
)

// ServerOptions say what server to start.
type ServerOptions struct {
	// Executable is the kapok binary, empty for this one.
	Executable string
	// Cores are as in ProcessOptions.
	Cores []int
	// Args are more flags of kapok serve.
	Args []string
	// Crowd lifts the limits of requests of one token and one address, which a load
	// would meet that stands for thousands of vehicles elsewhere.
	Crowd bool
	// Env is added to its environment.
	Env []string
	// Profile, when not empty, is a file that a processor profile of the whole
	// run is written to; beside it, with .heap, what is on the heap at the end.
	Profile string
	// Data is its data directory; empty makes one that Stop deletes.
	Data string
}

// Tokens are secrets, one of each role.
type Tokens struct {
	Admin, Dispatcher, Viewer, Simulator string
}

// Server is a running kapok serve.
type Server struct {
	*Process
	// URL is where it is reached, http://127.0.0.1:PORT.
	URL    string
	Tokens Tokens
	// Data is its data directory.
	Data string

	remove bool
	said   *said
	http   *http.Client
}

// StartServer starts kapok serve on a free port of 127.0.0.1, with a token for
// each role, and waits until it is ready.
func StartServer(ctx context.Context, o ServerOptions) (*Server, error) {
	s := &Server{Data: o.Data, http: &http.Client{Timeout: 30 * time.Second}}
	if s.Data == "" {
		var err error
		if s.Data, err = os.MkdirTemp("", "kapok-bench-"); err != nil {
			return nil, fmt.Errorf("making a data directory: %w", err)
		}
		s.remove = true
	}
	if err := s.tokens(); err != nil {
		return nil, errors.Join(err, s.forget())
	}
	args := []string{"serve", "--data", s.Data, "--listen", "127.0.0.1:0"}
	if o.Crowd {
		args = append(args, crowdFlags()...)
	}
	args = append(args, o.Args...)
	if o.Profile != "" {
		args = append([]string{"bench", "profile", o.Profile, "--"}, args...)
	}
	if err := s.start(ctx, o, args); err != nil {
		return nil, errors.Join(err, s.forget())
	}
	return s, nil
}

// crowdFlags let one token and one address make as many requests as they can.
func crowdFlags() []string {
	return []string{"--token-rate", "100000", "--token-burst", "100000", "--address-rate", "100000", "--address-burst", "100000"}
}

// StartYardstick starts the server that reads and decodes and does nothing else.
// It has no tokens and no data.
func StartYardstick(ctx context.Context, o ServerOptions) (*Server, error) {
	s := &Server{http: &http.Client{Timeout: 30 * time.Second}}
	args := append([]string{"bench", "yardstick"}, o.Args...)
	if o.Profile != "" {
		args = append([]string{"bench", "profile", o.Profile, "--"}, args...)
	}
	if err := s.start(ctx, o, args); err != nil {
		return nil, err
	}
	return s, nil
}

// tokens makes one token of each role in the data directory.
func (s *Server) tokens() error {
	store, err := access.OpenStore(filepath.Join(s.Data, tokensFile))
	if err != nil {
		return fmt.Errorf("making tokens: %w", err)
	}
	for role, secret := range map[access.Role]*string{
		access.Admin: &s.Tokens.Admin, access.Dispatcher: &s.Tokens.Dispatcher,
		access.Viewer: &s.Tokens.Viewer, access.Simulator: &s.Tokens.Simulator,
	} {
		token := access.Token{Name: "bench-" + string(role), Role: role, Fleet: fleetName}
		if *secret, err = store.Create(token, time.Now(), rand.Reader); err != nil {
			return fmt.Errorf("making a token of role %s: %w", role, err)
		}
	}
	return nil
}

// start starts the process and learns its address from what it says.
func (s *Server) start(ctx context.Context, o ServerOptions, args []string) error {
	s.said = newSaid()
	var err error
	s.Process, err = Start(ctx, ProcessOptions{Path: o.Executable, Args: args, Env: o.Env, Cores: o.Cores, Stderr: s.said})
	if err != nil {
		return err
	}
	timer := time.NewTimer(readyWithin)
	defer timer.Stop()
	select {
	case s.URL = <-s.said.ready:
		return nil
	case <-s.Exited():
		return fmt.Errorf("kapok %s ended before it was ready: %w: %s", strings.Join(args, " "), s.Err(), s.Said())
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("not ready within %v", readyWithin)
	}
	_ = s.Process.Stop()
	return fmt.Errorf("starting kapok %s: %w: %s", strings.Join(args, " "), err, s.Said())
}

// Said is the beginning of what the server has said on stderr, at most 64 KiB.
func (s *Server) Said() string { return s.said.String() }

// Stop ends the server and deletes its data directory, if it made one.
func (s *Server) Stop() error {
	s.http.CloseIdleConnections()
	return errors.Join(s.Process.Stop(), s.forget())
}

func (s *Server) forget() error {
	if !s.remove {
		return nil
	}
	if err := os.RemoveAll(s.Data); err != nil {
		return fmt.Errorf("deleting the data directory: %w", err)
	}
	return nil
}

// Metrics reads GET /metrics. The keys are as they stand there, with labels:
// kapok_links, or kapok_telemetry_samples_total{outcome="taken"}.
func (s *Server) Metrics(ctx context.Context) (map[string]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/metrics", nil)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	if s.Tokens.Viewer != "" {
		request.Header.Set("Authorization", "Bearer "+s.Tokens.Viewer)
	}
	response, err := s.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("reading metrics: the server answered %s", response.Status)
	}
	return readMetrics(response.Body)
}

// readMetrics reads Prometheus' text format as far as Kapok writes it.
func readMetrics(r io.Reader) (map[string]float64, error) {
	all := map[string]float64{}
	scanner := bufio.NewScanner(r)
	for scanner.Scan() {
		line := scanner.Text()
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		at := strings.LastIndexByte(line, ' ')
		if at < 0 {
			return nil, fmt.Errorf("reading metrics: the line %q has no value", line)
		}
		value, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("reading metrics: the line %q: %w", line, err)
		}
		all[line[:at]] = value
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("reading metrics: %w", err)
	}
	return all, nil
}

// said takes in what a server says, and finds its address in it.
type said struct {
	address *regexp.Regexp
	// ready gets the address once the server is ready.
	ready chan string

	mu   sync.Mutex // guards the rest
	text bytes.Buffer
	told bool
}

func newSaid() *said {
	return &said{address: regexp.MustCompile(`http://127\.0\.0\.1:\d+`), ready: make(chan string, 1)}
}

// Write implements io.Writer.
func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text.Write(p[:min(len(p), max(0, maxSaid-s.text.Len()))])
	if !s.told && bytes.Contains(s.text.Bytes(), []byte("kapok: ready\n")) {
		if url := s.address.FindString(s.text.String()); url != "" {
			s.told = true
			s.ready <- url
		}
	}
	return len(p), nil
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

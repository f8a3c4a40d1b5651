package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/server"
	"github.com/kapok-fleet/kapok/fleet/session"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/planner/chart"
)

// tracksDir is where tracks are kept, in the data directory.
const tracksDir = "tracks"

// shutdownWithin bounds the orderly end of the engine.
const shutdownWithin = 20 * time.Second

// backend is a fleet that is served: journal, engine and HTTP edge.
type backend struct {
	settings settings
	chart    *chart.Chart
	clock    fleetClock
	tokens   *access.Store
	tracks   *track.Store
	engine   *engine.Engine
	server   *server.Server
	listener net.Listener
	// tls is what the server answers with, nil for no TLS.
	tls *tls.Config
	// url is where it is reached.
	url string
	log *slog.Logger
}

// openBackend opens what is in the data directory and listens; serve answers.
func openBackend(ctx context.Context, s settings, on *chart.Chart, log *slog.Logger) (*backend, error) {
	b := &backend{settings: s, chart: on, log: log}
	if most, known := descriptorLimit(); known && b.settings.Edge.fit(most) {
		log.Warn("the system grants too few open files for --max-connections, which is lowered", "open_files", most, "max_connections", b.settings.Edge.MaxConnections)
	}
	var err error
	if b.tokens, err = openTokens(s.DataDir); err != nil {
		return nil, err
	}
	if b.clock, err = openClock(s.DataDir, s.Speed); err != nil {
		return nil, err
	}
	// The address first: it is what most often is taken already.
	if err := b.listen(); err != nil {
		return nil, err
	}
	if err := b.openEngine(ctx); err != nil {
		return nil, errors.Join(err, b.listener.Close())
	}
	config := s.config()
	b.server, err = server.New(server.Options{
		Backend: server.Engine{Engine: b.engine}, Tracks: b.tracks, Chart: on, Access: &gate{Store: b.tokens, now: time.Now}, Fleet: s.Fleet, Log: log,
		Session: session.Config{AliveInterval: config.AliveInterval()}, Clock: b.clock.now, Speed: s.Speed,
		AllowedOrigins: origins(s.AllowedOrigins), Responses: config.ResponseViews(), Version: buildOf().Version,
		TLS: b.tls, Limits: b.settings.Edge.limits(), GuardMetrics: s.Edge.guardsMetrics(s.Listen),
	})
	if err != nil {
		return nil, errors.Join(err, b.closeEngine(ctx), b.listener.Close())
	}
	return b, nil
}

func origins(list string) []string {
	var all []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); name != "" {
			all = append(all, name)
		}
	}
	return all
}

// listen takes the address, and reads the certificate if there is one.
func (b *backend) listen() error {
	s := &b.settings
	scheme := "http"
	if s.TLSCert != "" {
		pair, err := tls.LoadX509KeyPair(s.TLSCert, s.TLSKey)
		if err != nil {
			return fmt.Errorf("reading the certificate %s: %w", s.TLSCert, err)
		}
		// WebSockets need HTTP/1.1.
		b.tls = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"http/1.1"}}
		scheme = "https"
	}
	listener, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return fmt.Errorf("listening on %s: %w", s.Listen, err)
	}
	b.url = scheme + "://" + listener.Addr().String()
	b.listener = listener
	return nil
}

func (b *backend) openEngine(ctx context.Context) error {
	s := &b.settings
	dir := filepath.Join(s.DataDir, journalDir)
	options := engine.EngineOptions{
		Options: engine.Options{Chart: b.chart, Config: s.config()},
		Journal: func() (journal.Journal, error) {
			return b.openJournal(dir, s.KeepJournalMB<<20)
		},
		Clock: b.clock.now, Tick: max(min(b.clock.wall(time.Second), time.Second), 20*time.Millisecond),
		Log: b.log, SnapshotEvery: s.SnapshotEvery, Workers: s.Workers,
	}
	var err error
	if b.tracks, err = track.Open(track.Options{Dir: filepath.Join(s.DataDir, tracksDir)}); err != nil {
		return fmt.Errorf("opening the tracks in %s: %w", s.DataDir, err)
	}
	options.Released = b.tracks.Take
	b.engine, err = engine.Open(ctx, options)
	if err != nil {
		return errors.Join(fmt.Errorf("opening the fleet in %s: %w", s.DataDir, err), b.tracks.Close())
	}
	return nil
}

// openJournal opens the journal and tells what was found wrong with it: what a
// power failure tore off was never acknowledged, but nobody should wonder.
func (b *backend) openJournal(dir string, keepBytes int64) (journal.Journal, error) {
	disk, err := journal.Open(dir, journal.Options{KeepBytes: keepBytes})
	if err != nil {
		return nil, err
	}
	report := disk.Report()
	if torn := report.Torn; torn != nil {
		b.log.Warn("the journal ended in a write that was cut short; it was never acknowledged and is dropped",
			"segment", torn.Segment, "bytes", torn.Bytes, "last", report.Last)
	}
	if report.MarkLost {
		b.log.Warn("the journal's commit mark is missing or damaged: acknowledged events lost from its end could not be noticed",
			"dir", report.Dir, "last", report.Last)
	}
	for _, bad := range report.BadSnapshots {
		b.log.Warn("a snapshot cannot be used; an older one or the whole journal is read instead", "path", bad.Path, "reason", bad.Reason)
	}
	return disk, nil
}

// serve answers until ctx ends, and then ends everything in order.
func (b *backend) serve(ctx context.Context) error {
	err := b.server.Serve(ctx, b.listener)
	return errors.Join(err, b.closeEngine(ctx))
}

func (b *backend) closeEngine(ctx context.Context) error {
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownWithin)
	defer cancel()
	if err := errors.Join(b.engine.Shutdown(end), b.tracks.Close()); err != nil {
		return fmt.Errorf("closing the fleet: %w", err)
	}
	return nil
}

// token makes a token for this process's own use, in place of one of the same
// name.
func (b *backend) token(name string, role access.Role) (string, error) {
	if err := b.tokens.Revoke(name); err != nil && !errors.Is(err, access.ErrUnknown) {
		return "", err
	}
	return createToken(b.tokens, access.Token{Name: name, Role: role, Fleet: b.settings.Fleet})
}

// newLog writes for people on a terminal.
func newLog(c console, level slog.Level) *slog.Logger {
	return slog.New(slog.NewTextHandler(c.err, &slog.HandlerOptions{Level: level}))
}

// temporaryData is a data directory that remove deletes.
func temporaryData() (dir string, remove func(), err error) {
	dir, err = os.MkdirTemp("", "kapok-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("making a temporary data directory: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

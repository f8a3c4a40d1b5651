package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// memory measures what a connection costs: first when it has only said hello, and
// again when it has sent some telemetry.
func (b *ingest) memory(ctx context.Context) (err error) {
	serverCores, loadCores := rig.Places()
	// Vehicles that say nothing are not to be reported lost.
	o := rig.ServerOptions{Cores: serverCores, Crowd: true, Args: []string{"--late-after", "30m", "--lost-after", "40m"}}
	if b.profile != "" {
		o.Profile = b.profile + "-memory.pprof"
	}
	server, err := rig.StartServer(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	before, err := server.RSS()
	if err != nil {
		return err
	}
	b.say("connecting %d vehicles", b.connections)
	load, err := rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: server.URL, Token: server.Tokens.Simulator, Vehicles: b.connections, Answer: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, load.Stop()) }()
	idle, err := b.perConnection(ctx, server, load, before, "idle")
	if err != nil {
		return err
	}
	if err := load.Rate(1); err != nil {
		return err
	}
	if err := pass(ctx, max(b.settle/4, time.Second)); err != nil {
		return err
	}
	if err := load.Rate(0); err != nil {
		return err
	}
	used, err := b.perConnection(ctx, server, load, before, "after traffic")
	if err != nil {
		return err
	}
	b.report.AtMost("memory of a connection, idle", idle, mostIdleKB, "KiB")
	b.report.AtMost("memory of a connection, after traffic", used, mostUsedKB, "KiB")
	b.report.Note("memory is what the process has in memory (RSS) %v after the last frame, less what it had before the first connection; it holds the vehicle's place in the fleet too", b.settle)
	return nil
}

// perConnection waits until the memory has settled, and shares it out.
func (b *ingest) perConnection(ctx context.Context, server *rig.Server, load *rig.LoadProcess, before int64, when string) (float64, error) {
	b.say("%s: waiting %v", when, b.settle)
	if err := pass(ctx, b.settle); err != nil {
		return 0, err
	}
	r, err := load.Report()
	if err != nil {
		return 0, err
	}
	if r.Connected != b.connections {
		return 0, fmt.Errorf("%d of %d vehicles are connected; links ended: %v", r.Connected, b.connections, r.Closed)
	}
	now, err := server.RSS()
	if err != nil {
		return 0, err
	}
	each := float64(now-before) / 1024 / float64(b.connections)
	b.report.Row(fmt.Sprintf("memory with %d connections, %s", b.connections, when), float64(now)/(1<<20), "MiB")
	b.report.Row("a connection, "+when, each, "KiB")
	return each, nil
}

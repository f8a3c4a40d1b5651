package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/protocol"
)

// The bounds of kapok bench overload.
const (
	// mostMemoryMiB is what the server may have in memory at most, with as many
	// vehicles as the benchmark has by itself.
	mostMemoryMiB = 256
	// mostCommand is how long a command may take from the request to the vehicle,
	// at any time; mostRecovery how long until positions are as fresh as normally.
	mostCommand  = time.Second
	mostRecovery = 5 * time.Second
	// Positions are as fresh as normally when 99 of 100 take at most twice as long
	// as they did before, or freshAllowance longer.
	freshFactor    = 2
	freshAllowance = 50 * time.Millisecond
	// leastTwice is how much of twice the sustainable rate must really be offered.
	leastTwice = 0.95
)

// overloadFlags say how long and how much.
type overloadFlags struct {
	benchFlags
	vehicles    int
	samples     int
	span, probe time.Duration
	normalHz    float64
	profile     string
}

func newBenchOverload(c console) *cobra.Command {
	var f overloadFlags
	cmd := &cobra.Command{
		Use: "overload", Short: "Send twice the telemetry that a core can take, and see what suffers", Args: cobra.NoArgs,
		Long: "Find the most telemetry that kapok serve takes in without losing a sample and without delay, then send twice as much,\n" +
			"then as much as normally. Throughout, orders are placed, vehicles are commanded, and one of them reports a fault.\n" +
			"Memory, tasks, alerts, commands and the time until positions are fresh again are held to their bounds.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.DurationVar(&f.span, "seconds", time.Minute, "how long twice the sustainable rate is sent")
	fl.DurationVar(&f.probe, "probe", 3*time.Second, "how long each rate is tried in the search for the sustainable one")
	fl.IntVar(&f.vehicles, "vehicles", 2000, "vehicles that send")
	fl.IntVar(&f.samples, "samples", 16, "samples of each frame")
	fl.Float64Var(&f.normalHz, "normal-hz", 1, "frames that each vehicle sends a second normally")
	fl.StringVar(&f.profile, "profile", "", "file for a processor profile of kapok serve")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *overloadFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("seconds") {
		f.span = time.Second
	}
	if !given("probe") {
		f.probe = 200 * time.Millisecond
	}
	if !given("vehicles") {
		f.vehicles = 100
	}
}

func (f *overloadFlags) validate() error {
	switch {
	case f.span < 100*time.Millisecond || f.span > time.Hour:
		return fmt.Errorf("--seconds %v is not 100ms to 1h", f.span)
	case f.probe < 100*time.Millisecond || f.probe > time.Minute:
		return fmt.Errorf("--probe %v is not 100ms to 1m", f.probe)
	case f.vehicles < 10 || f.vehicles > 10_000:
		return fmt.Errorf("--vehicles %d is not 10 to 10000", f.vehicles)
	case f.samples < 1 || f.samples > protocol.MaxSamples:
		return fmt.Errorf("--samples %d is not 1 to %d", f.samples, protocol.MaxSamples)
	case !(f.normalHz > 0 && f.normalHz <= 10):
		return fmt.Errorf("--normal-hz %g is not above 0 and at most 10", f.normalHz)
	}
	return nil
}

// overload is a run.
type overload struct {
	*overloadFlags
	console
	report *rig.Report
	server *rig.Server
	load   *rig.LoadProcess
	client *client.Client
	// normal is how old 99 of 100 positions are at most, normally.
	normal time.Duration
	// slowest is the longest that any command took, lag how late the load was at
	// most, in milliseconds.
	slowest time.Duration
	lag     float64
}

func (f *overloadFlags) run(ctx context.Context, c console, r *rig.Report) (err error) {
	b := &overload{overloadFlags: f, console: c, report: r}
	if err := b.open(ctx); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	sustainable, err := b.search(ctx)
	if err != nil {
		return err
	}
	if err := b.rest(ctx); err != nil {
		return err
	}
	if _, err := b.look(); err != nil { // What the search did to commands does not count.
		return err
	}
	b.slowest, b.lag = 0, 0
	begun, err := b.load.Report()
	if err != nil {
		return err
	}
	orders := newOrders(b.client, b.report.Quick)
	ordering, stop := context.WithCancel(ctx)
	defer stop()
	var work sync.WaitGroup
	work.Go(func() { orders.run(ordering) })
	err = b.storm(ctx, sustainable)
	if err == nil {
		err = b.recover(ctx)
	}
	stop()
	work.Wait()
	if err != nil {
		return err
	}
	if err := b.commands(ctx, begun); err != nil {
		return err
	}
	return orders.judge(ctx, r)
}

// open starts the server, and a load with a dispatcher who watches and one who
// commands.
func (b *overload) open(ctx context.Context) error {
	serverCores, loadCores := rig.Places()
	var err error
	if b.server, err = rig.StartServer(ctx, rig.ServerOptions{Cores: serverCores, Crowd: true, Profile: b.profile}); err != nil {
		return err
	}
	b.load, err = rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: b.server.URL, Token: b.server.Tokens.Simulator, Vehicles: b.vehicles, SamplesAFrame: b.samples, Answer: true,
		Dispatcher: b.server.Tokens.Dispatcher, CommandsHz: 5,
		Streams: []rig.StreamOptions{{Token: b.server.Tokens.Viewer, Query: "rate_hz=5", Timed: true}},
	})
	if err != nil {
		return errors.Join(err, b.server.Stop())
	}
	if b.client, err = client.New(b.server.URL, b.server.Tokens.Dispatcher); err != nil {
		return errors.Join(err, b.load.Stop(), b.server.Stop())
	}
	b.report.Took("kapok serve", b.server.Process)
	b.report.Took("load", b.load.Process)
	return nil
}

func (b *overload) close() error {
	b.client.Close()
	return errors.Join(b.load.Stop(), b.server.Stop())
}

// look reads the load and keeps the longest delay of a command.
func (b *overload) look() (rig.LoadReport, error) {
	r, err := b.load.Report()
	b.slowest = max(b.slowest, time.Duration(r.Commands.MaxMS*float64(time.Millisecond)))
	b.lag = max(b.lag, r.LagMS)
	return r, err
}

// fresh tells whether positions are as fresh as normally.
func (b *overload) fresh(r rig.LoadReport) bool {
	age := time.Duration(r.Streams[0].Delays.P99MS * float64(time.Millisecond))
	return r.Streams[0].Delays.N > 0 && age <= max(freshFactor*b.normal, b.normal+freshAllowance)
}

// moment is what the server and the load were like at one time.
type moment struct {
	load    rig.LoadReport
	metrics map[string]float64
	bytes   int64
}

func (b *overload) moment(ctx context.Context) (m moment, err error) {
	if m.load, err = b.look(); err != nil {
		return m, err
	}
	if m.metrics, err = b.server.Metrics(ctx); err != nil {
		return m, err
	}
	m.bytes, err = b.server.RSS()
	return m, err
}

// storm sends twice the sustainable rate. In its middle a vehicle reports a fault.
func (b *overload) storm(ctx context.Context, sustainable float64) error {
	before, err := b.moment(ctx)
	if err != nil {
		return err
	}
	if err := b.server.ResetPeak(); err != nil {
		return err
	}
	b.say("sending %s frames/s for %v", rig.Figure(2*sustainable), b.span)
	if err := b.load.Rate(2 * sustainable / float64(b.vehicles)); err != nil {
		return err
	}
	begun := time.Now()
	faulted := false
	var worst rig.Quantiles
	for time.Since(begun) < b.span {
		if err := pass(ctx, min(time.Second, b.span/4)); err != nil {
			return err
		}
		r, err := b.look()
		if err != nil {
			return err
		}
		if r.Streams[0].Delays.P99MS > worst.P99MS {
			worst = r.Streams[0].Delays
		}
		if !faulted && time.Since(begun) > b.span/2 {
			faulted = true
			if err := b.load.Fault(0, benchFault, "reported in the middle of the overload"); err != nil {
				return err
			}
		}
	}
	after, err := b.moment(ctx)
	if err != nil {
		return err
	}
	peak, err := b.server.PeakRSS()
	if err != nil {
		return err
	}
	b.report.Row("overload: age of positions in the worst second, p99", worst.P99MS, "ms")
	b.report.Row("overload: how late the load sent at most", b.lag, "ms")
	b.stormy(before, after, 2*sustainable)
	b.report.AtMost("overload: memory at the most", float64(peak)/(1<<20), mostMemoryMiB, "MiB")
	return nil
}

// stormy tells what was sent between two moments, and what became of it.
func (b *overload) stormy(before, after moment, offered float64) {
	span := after.load.At.Sub(before.load.At).Seconds()
	rate := func(name string, from, to float64, unit string) {
		b.report.Row("overload: "+name, (to-from)/span, unit)
	}
	rate("frames sent", float64(before.load.FramesOut), float64(after.load.FramesOut), "frames/s")
	rate("frames withheld, as the sockets were full", float64(before.load.Withheld), float64(after.load.Withheld), "frames/s")
	for _, count := range []struct{ name, metric, unit string }{
		{"frames thinned", "kapok_telemetry_frames_thinned_total", "frames/s"},
		{"samples dropped, as the inbox was full", `kapok_telemetry_samples_total{outcome="dropped"}`, "samples/s"},
		{"samples taken", `kapok_telemetry_samples_total{outcome="taken"}`, "samples/s"},
	} {
		rate(count.name, before.metrics[count.metric], after.metrics[count.metric], count.unit)
	}
	b.report.Row("overload: links and streams ended", float64(sum(after.load.Closed)-sum(before.load.Closed)), "connections")
	b.report.Row("memory before", float64(before.bytes)/(1<<20), "MiB")
	missed := float64(after.load.Missed-before.load.Missed) / span
	b.report.AtLeast("overload: offered of twice the sustainable rate", 1-missed/offered, leastTwice, "of 1")
}

func sum(counts map[string]int64) int64 {
	var all int64
	for _, n := range counts {
		all += n
	}
	return all
}

// recover goes back to the normal rate, and waits until positions are fresh.
func (b *overload) recover(ctx context.Context) error {
	b.say("back to %s frames/s", rig.Figure(b.normalHz*float64(b.vehicles)))
	if err := b.load.Rate(b.normalHz); err != nil {
		return err
	}
	begun := time.Now()
	took := time.Duration(-1)
	every := min(500*time.Millisecond, b.probe)
	for time.Since(begun) < 6*mostRecovery && took < 0 {
		if err := pass(ctx, every); err != nil {
			return err
		}
		r, err := b.look()
		if err != nil {
			return err
		}
		if b.fresh(r) {
			// It was so from the beginning of this span on.
			took = max(0, time.Since(begun)-every)
		}
	}
	if took < 0 {
		took = 6 * mostRecovery
		b.report.Note("positions were not as fresh as normally within %v", took)
	}
	b.report.AtMost("afterwards: until positions are as fresh as normally", took.Seconds(), mostRecovery.Seconds(), "s")
	return nil
}

// commands judges the commands since begun.
func (b *overload) commands(ctx context.Context, begun rig.LoadReport) error {
	// Those under way have their second.
	if err := pass(ctx, min(mostCommand, 5*b.probe)); err != nil {
		return err
	}
	r, err := b.look()
	if err != nil {
		return err
	}
	n := r.FramesIn["command"] - begun.FramesIn["command"]
	b.report.Row("commands that arrived", float64(n), "commands")
	b.report.AtMost("the slowest command, from the request to the vehicle", float64(b.slowest)/float64(time.Millisecond), float64(mostCommand)/float64(time.Millisecond), "ms")
	b.report.AtMost("commands that were refused or never arrived", float64(r.CommandsFailed-begun.CommandsFailed+int64(r.CommandsOpen)), 0, "commands")
	for code, n := range r.Errors {
		b.report.Note("vehicles or the commander were answered %q %d times", code, n)
	}
	for why, n := range r.Closed {
		b.report.Note("the server ended %d links or streams: %s", n, why)
	}
	return nil
}

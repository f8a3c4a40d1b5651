package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// The bounds of kapok bench fanout.
const (
	// mostFanout is what sending to all dispatchers may cost, in cores; a tenth of
	// the area may cost mostTenth of that. Where each dispatcher has another tenth, all
	// positions must be put together as for the whole area, and only the sending is
	// less; that is told, without a bound.
	mostFanout = 0.3
	mostTenth  = 0.25
	// mostFresh is how old positions may be when they arrive, for 99 of 100: with 2
	// frames a second they wait up to half a second for their turn, and before that
	// up to 0.2 s for a view.
	mostFresh = time.Second
	// leastShown is the share of frames of positions that must be sent in each slice:
	// a slice that is shorter than it seems to be may lack one of its frames.
	leastShown = 0.8
	// mostSilent is how long a dispatcher that reads nothing may stay: 10 s for a
	// frame, after the systems' buffers are full.
	mostSilent = 20 * time.Second
	// mostWaitsMiB is what may wait for all dispatchers together.
	mostWaitsMiB = 256
)

// fanoutFlags say how long and how much.
type fanoutFlags struct {
	benchFlags
	slices, vehicles, dispatchers, silent int
	span, warm                            time.Duration
	profile                               string
}

func newBenchFanout(c console) *cobra.Command {
	var f fanoutFlags
	cmd := &cobra.Command{
		Use: "fanout", Short: "Measure what it costs to show all vehicles to many dispatchers", Args: cobra.NoArgs,
		Long: "Measure the processor time that kapok serve takes to send positions to dispatchers. Vehicles send a sample a second\n" +
			"throughout. Slices with nobody watching, with dispatchers of the whole area, and with dispatchers of a tenth of it come\n" +
			"in turns, against one server; what sending costs is the difference to the slice of the same round with nobody watching.\n" +
			"At last some dispatchers read nothing, until they are cut off.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.IntVar(&f.slices, "slices", 9, "slices of each contender")
	fl.DurationVar(&f.span, "seconds", 6*time.Second, "length of a slice")
	fl.DurationVar(&f.warm, "warm", 3*time.Second, "how long dispatchers watch before a slice begins")
	fl.IntVar(&f.vehicles, "vehicles", 10_000, "vehicles that send a sample a second")
	fl.IntVar(&f.dispatchers, "dispatchers", 100, "dispatchers who watch")
	fl.IntVar(&f.silent, "silent", 20, "dispatchers who read nothing at the end; 0 leaves that out")
	fl.StringVar(&f.profile, "profile", "", "file for a processor profile of kapok serve over the whole run")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *fanoutFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("slices") {
		f.slices = 1
	}
	if !given("seconds") {
		f.span = time.Second
	}
	if !given("warm") {
		f.warm = 200 * time.Millisecond
	}
	if !given("vehicles") {
		f.vehicles = 100
	}
	if !given("dispatchers") {
		f.dispatchers = 10
	}
	if !given("silent") {
		f.silent = 0
	}
}

func (f *fanoutFlags) validate() error {
	switch {
	case f.slices < 1 || f.slices > 100:
		return fmt.Errorf("--slices %d is not 1 to 100", f.slices)
	case f.span < 100*time.Millisecond || f.span > 10*time.Minute:
		return fmt.Errorf("--seconds %v is not 100ms to 10m", f.span)
	case f.warm < 0 || f.warm > 10*time.Minute:
		return fmt.Errorf("--warm %v is not 0 to 10m", f.warm)
	case f.vehicles < 10 || f.vehicles > 12_000:
		return fmt.Errorf("--vehicles %d is not 10 to 12000", f.vehicles)
	case f.dispatchers < 1 || f.dispatchers > 250:
		return fmt.Errorf("--dispatchers %d is not 1 to 250", f.dispatchers)
	case f.silent < 0 || f.silent > 250:
		return fmt.Errorf("--silent %d is not 0 to 250", f.silent)
	}
	return nil
}

// watching is a contender: what each dispatcher asks for.
type watching struct {
	name    string
	queries []string
}

// fanout is a run.
type fanout struct {
	*fanoutFlags
	console
	report   *rig.Report
	server   *rig.Server
	vehicles *rig.LoadProcess
	// fresh and slowest are how old positions were on arrival, in the median and
	// for 99 of 100, slice by slice; bytes are those that arrived a second.
	fresh, slowest, bytes map[string][]float64
	// sent is the least share of samples due that were sent in any slice, shown the
	// least share of frames of positions due that dispatchers were sent in any, lost
	// how many dispatchers were cut off though they read, unread how many samples
	// the server passed over for being overloaded.
	sent, shown float64
	lost        int64
	unread      float64
	seen        bool
}

func (f *fanoutFlags) run(ctx context.Context, c console, r *rig.Report) (err error) {
	serverCores, loadCores := rig.Places()
	b := &fanout{
		fanoutFlags: f, console: c, report: r, sent: 1, shown: 1,
		fresh: map[string][]float64{}, slowest: map[string][]float64{}, bytes: map[string][]float64{},
	}
	// All connections come from one address, and at once.
	crowd := []string{"--max-pending-per-address", strconv.Itoa(f.vehicles + 1000)}
	if b.server, err = rig.StartServer(ctx, rig.ServerOptions{Cores: serverCores, Profile: f.profile, Args: crowd}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Stop()) }()
	b.vehicles, err = rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: b.server.URL, Token: b.server.Tokens.Simulator, Vehicles: f.vehicles, FramesHz: 1, Answer: true, DialHz: 500,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.vehicles.Stop()) }()
	r.Took("kapok serve", b.server.Process)
	r.Took("vehicles", b.vehicles.Process)
	if err := pass(ctx, max(f.warm, 2*time.Second)); err != nil {
		return err
	}
	all, err := b.contenders(ctx)
	if err != nil {
		return err
	}
	var measured []rig.Contender
	for _, w := range all {
		measured = append(measured, rig.Contender{Name: w.name, Measure: func(ctx context.Context) (float64, error) { return b.slice(ctx, w) }})
	}
	figures, err := rig.Alternate(ctx, f.slices, measured, func(round int, name string, figure float64) {
		c.say("round %d of %d: %s: %s%% of a core", round, f.slices, name, rig.Figure(figure))
	})
	if err != nil {
		return err
	}
	b.conclude(all, figures)
	if f.silent > 0 {
		return b.silence(ctx)
	}
	return nil
}

// contenders asks the server where the vehicles are, and cuts the area into
// tenths with as many of them each.
func (b *fanout) contenders(ctx context.Context) ([]watching, error) {
	api, err := client.New(b.server.URL, b.server.Tokens.Viewer)
	if err != nil {
		return nil, err
	}
	defer api.Close()
	lons, err := b.places(ctx, api)
	if err != nil {
		return nil, err
	}
	slices.Sort(lons)
	at := func(share float64) float64 { return lons[min(int(share*float64(len(lons))), len(lons)-1)] }
	all := []watching{
		{name: "nobody"}, {name: "whole area"}, {name: "a tenth, the same"}, {name: "a tenth, ten different"}, {name: "a tenth, all different"},
	}
	for n := range b.dispatchers {
		tenth, from := float64(n%10)/10, 0.9*float64(n)/float64(b.dispatchers)
		all[1].queries = append(all[1].queries, "")
		all[2].queries = append(all[2].queries, strip(at(0.4), at(0.5)))
		all[3].queries = append(all[3].queries, strip(at(tenth), at(tenth+0.1)))
		all[4].queries = append(all[4].queries, strip(at(from), at(from+0.1)))
	}
	return all, nil
}

// places are the longitudes of the vehicles, once nearly all have one.
func (b *fanout) places(ctx context.Context, api *client.Client) (lons []float64, err error) {
	for range 60 {
		vehicles, err := api.Vehicles(ctx, nil)
		if err != nil {
			return nil, fmt.Errorf("asking where the vehicles are: %w", err)
		}
		lons = lons[:0]
		for i := range vehicles {
			if at := vehicles[i].Position; at != nil {
				lons = append(lons, at.Lon)
			}
		}
		if len(lons) >= b.fanoutFlags.vehicles*99/100 {
			return lons, nil
		}
		if err := pass(ctx, time.Second); err != nil {
			return nil, err
		}
	}
	return nil, fmt.Errorf("only %d of %d vehicles have a position after a minute", len(lons), b.fanoutFlags.vehicles)
}

// strip is the query for an area from pole to pole.
func strip(west, east float64) string {
	return "area=" + strconv.FormatFloat(west, 'f', 7, 64) + ",-90," + strconv.FormatFloat(east, 'f', 7, 64) + ",90"
}

// slice measures one contender once: the share of a core that the server uses, in
// per cent.
func (b *fanout) slice(ctx context.Context, w watching) (figure float64, err error) {
	var dispatchers *rig.LoadProcess
	if len(w.queries) > 0 {
		if dispatchers, err = b.open(ctx, w.queries, false); err != nil {
			return 0, err
		}
		defer func() { err = errors.Join(err, dispatchers.Stop()) }()
		if err := b.opened(ctx, dispatchers); err != nil {
			return 0, err
		}
	}
	if err := b.settled(ctx); err != nil {
		return 0, err
	}
	// What the server counts is asked for outside of what is measured.
	counted, err := b.server.Metrics(ctx)
	if err != nil {
		return 0, err
	}
	before, err := b.look(dispatchers)
	if err != nil {
		return 0, err
	}
	if err := pass(ctx, b.span); err != nil {
		return 0, err
	}
	after, err := b.look(dispatchers)
	if err != nil {
		return 0, err
	}
	if err := b.count(ctx, counted, len(w.queries)); err != nil {
		return 0, err
	}
	span := after.sent.At.Sub(before.sent.At).Seconds()
	b.sent = min(b.sent, float64(after.sent.SamplesOut-before.sent.SamplesOut)/(float64(b.fanoutFlags.vehicles)*span))
	if dispatchers != nil {
		b.notice(w.name, before.seen, after.seen)
	}
	return 100 * (after.cpu - before.cpu).Seconds() / span, nil
}

// count takes down what the server did in a slice, by what it counted before.
func (b *fanout) count(ctx context.Context, before map[string]float64, dispatchers int) error {
	now, err := b.server.Metrics(ctx)
	if err != nil {
		return err
	}
	const thinned, frames = "kapok_telemetry_frames_thinned_total", `kapok_stream_frames_total{kind="positions"}`
	b.unread += now[thinned] - before[thinned]
	if dispatchers > 0 {
		due := float64(dispatchers) * b.span.Seconds() * 2
		b.shown = min(b.shown, (now[frames]-before[frames])/due)
	}
	return nil
}

// open lets dispatchers watch. The first of them measures how old positions are.
func (b *fanout) open(ctx context.Context, queries []string, silent bool) (*rig.LoadProcess, error) {
	_, loadCores := rig.Places()
	var streams []rig.StreamOptions
	for i, query := range queries {
		streams = append(streams, rig.StreamOptions{Token: b.server.Tokens.Viewer, Query: query, Timed: i == 0 && !silent, Silent: silent})
	}
	l, err := rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{URL: b.server.URL, Streams: streams})
	if err == nil && !b.seen {
		b.seen = true
		b.report.Took("dispatchers", l.Process)
	}
	return l, err
}

// opened waits until all dispatchers have been sent something: snapshots are no
// part of what is measured.
func (b *fanout) opened(ctx context.Context, dispatchers *rig.LoadProcess) error {
	for range 600 {
		seen, err := dispatchers.Report()
		if err != nil {
			return err
		}
		if !slices.ContainsFunc(seen.Streams, func(s rig.StreamReport) bool { return s.Frames == 0 }) {
			return nil
		}
		if err := pass(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
	return errors.New("not all dispatchers have a snapshot after a minute")
}

// settled waits until the server reads all telemetry again, which it may not do
// while a hundred snapshots are made, and has done so for a while. When that
// takes too long the slice is measured all the same: a check tells of it.
func (b *fanout) settled(ctx context.Context) error {
	const patience = 15 * time.Second
	for began := time.Now(); ; {
		now, err := b.server.Metrics(ctx)
		if err != nil {
			return err
		}
		overloaded := now["kapok_telemetry_thinning_seconds"] > 0
		if overloaded && time.Since(began) > patience {
			b.say("the server is still overloaded after %v: it does not read all telemetry", patience)
			overloaded = false
		}
		if !overloaded {
			return pass(ctx, b.warm)
		}
		if err := pass(ctx, 100*time.Millisecond); err != nil {
			return err
		}
	}
}

// fanoutSight is what vehicles and dispatchers have done, and what processor time
// the server has used.
type fanoutSight struct {
	sent, seen rig.LoadReport
	cpu        time.Duration
}

// look looks at them; dispatchers may be nil.
func (b *fanout) look(dispatchers *rig.LoadProcess) (s fanoutSight, err error) {
	if dispatchers != nil {
		if s.seen, err = dispatchers.Report(); err != nil {
			return s, err
		}
	}
	if s.sent, err = b.vehicles.Report(); err != nil {
		return s, err
	}
	s.cpu, err = b.server.CPU()
	return s, err
}

// notice takes down what dispatchers saw between two reports.
func (b *fanout) notice(name string, before, after rig.LoadReport) {
	var bytes int64
	for i := range after.Streams {
		bytes += after.Streams[i].Bytes - before.Streams[i].Bytes
	}
	for why, n := range after.Closed {
		b.lost += n
		b.say("%d of %s: %s", n, name, why)
	}
	span := after.At.Sub(before.At).Seconds()
	b.bytes[name] = append(b.bytes[name], float64(bytes)/span/1e6)
	b.fresh[name] = append(b.fresh[name], after.Streams[0].Delays.P50MS)
	b.slowest[name] = append(b.slowest[name], after.Streams[0].Delays.P99MS)
}

// conclude turns the figures into rows and checks.
func (b *fanout) conclude(all []watching, figures map[string][]float64) {
	nobody := all[0].name
	b.report.Rounds(fmt.Sprintf("%d vehicles, nobody watches", b.fanoutFlags.vehicles), figures[nobody], "% of a core")
	alone := map[string][]float64{}
	for _, w := range all[1:] {
		for i, figure := range figures[w.name] {
			alone[w.name] = append(alone[w.name], (figure-figures[nobody][i])/100)
		}
	}
	oldest := 0.0
	for _, w := range all[1:] {
		name := fmt.Sprintf("%d dispatchers of %s", b.dispatchers, w.name)
		b.report.Rounds(name+", the sending alone", alone[w.name], "cores")
		b.report.Rounds(name+", sent a second", b.bytes[w.name], "MB")
		b.report.Rounds(name+", from sample to dispatcher, half", b.fresh[w.name], "ms")
		oldest = max(oldest, b.report.Rounds(name+", from sample to dispatcher, 99 of 100", b.slowest[w.name], "ms"))
	}
	whole := alone[all[1].name]
	// The medians are divided, since a single difference may be close to nothing.
	ratio := func(name string) float64 { return rig.Median(alone[name]) / max(rig.Median(whole), 1e-3) }
	b.report.AtMost("sending the whole area to all", rig.Median(whole), mostFanout, "cores")
	b.report.AtMost("a tenth to the whole area", ratio(all[2].name), mostTenth, "times")
	b.report.Row("ten different tenths to the whole area", ratio(all[3].name), "times")
	b.report.Row("as many different tenths to the whole area", ratio(all[4].name), "times")
	b.report.AtMost("from sample to dispatcher, 99 of 100, the slowest contender", oldest, float64(mostFresh.Milliseconds()), "ms")
	b.report.AtMost("dispatchers cut off though they read", float64(b.lost), 0, "")
	b.report.AtLeast("samples sent of those that were due", b.sent, leastTaken, "of 1")
	b.report.AtMost("samples that the server passed over, being overloaded", b.unread, 0, "")
	b.report.AtLeast("frames of positions sent of those that were due, the least of all slices", b.shown, leastShown, "of 1")
	b.report.Note("dispatchers are sent 2 frames a second, the default; nobody watches in the slices that the others are compared with")
}

// silence lets dispatchers watch who read nothing, until all are cut off.
func (b *fanout) silence(ctx context.Context) (err error) {
	before, err := b.server.Metrics(ctx)
	if err != nil {
		return err
	}
	resident, err := b.server.RSS()
	if err != nil {
		return err
	}
	if err := b.server.ResetPeak(); err != nil {
		return err
	}
	dispatchers, err := b.open(ctx, make([]string, b.silent), true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, dispatchers.Stop()) }()
	began := time.Now()
	const cutOff, bytes = `kapok_cut_off_total{what="stream"}`, "kapok_stream_bytes_total"
	now := before
	for now[cutOff] < before[cutOff]+float64(b.silent) && time.Since(began) < 2*mostSilent {
		if err := pass(ctx, 100*time.Millisecond); err != nil {
			return err
		}
		if now, err = b.server.Metrics(ctx); err != nil {
			return err
		}
	}
	took := time.Since(began)
	peak, err := b.server.PeakRSS()
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%d dispatchers who read nothing", b.silent)
	each := (now[bytes] - before[bytes]) / float64(b.silent) / (1 << 20)
	b.report.Row(name+": queued for each until it was cut off", each, "MiB")
	b.report.AtLeast(name+": cut off", now[cutOff]-before[cutOff], float64(b.silent), "")
	b.report.AtMost(name+": the last is cut off after", took.Seconds(), mostSilent.Seconds(), "s")
	b.report.AtMost(name+": more memory meanwhile", max(0, float64(peak-resident)/(1<<20)), mostWaitsMiB, "MiB")
	return nil
}

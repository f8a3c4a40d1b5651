package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// The bounds of kapok bench ingest.
const (
	// leastOfYardstick is what Kapok takes in of one JSON sample a frame, by the
	// yardstick's measure.
	leastOfYardstick = 0.7
	// leastCBOR and leastPacked compare CBOR, and CBOR with eight samples a frame,
	// with one JSON sample a frame.
	leastCBOR   = 1.0
	leastPacked = 4.0
	// mostIdleKB and mostUsedKB are what a connection costs, in units of 1024
	// bytes: after its hello, and after some telemetry.
	mostIdleKB = 12
	mostUsedKB = 14
	// leastTaken is how much of what is offered must be sent, and of what is sent
	// be taken, for a figure to count.
	leastTaken = 0.98
)

// ingestFlags say how long and how much.
type ingestFlags struct {
	benchFlags
	slices, vehicles, connections int
	span, settle                  time.Duration
	framesHz                      float64
	profile                       string
}

func newBenchIngest(c console) *cobra.Command {
	var f ingestFlags
	cmd := &cobra.Command{
		Use: "ingest", Short: "Measure how much telemetry a core takes in, and what a connection costs", Args: cobra.NoArgs,
		Long: "Measure the telemetry that kapok serve takes in per second of processor time, in turns with the yardstick: a server\n" +
			"that only reads and decodes the same frames with the same decoder. As many frames a second are sent to all, well below\n" +
			"what they could take. Each slice has a fresh server and a fresh load; the medians of the slices, and of the ratios\n" +
			"round by round, count. Then the memory of a connection is measured with very many of them.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.IntVar(&f.slices, "slices", 9, "slices of each contender")
	fl.DurationVar(&f.span, "seconds", 4*time.Second, "length of a slice")
	fl.IntVar(&f.vehicles, "vehicles", 500, "vehicles that send")
	fl.Float64Var(&f.framesHz, "frames-hz", 16, "frames that each vehicle sends a second")
	fl.IntVar(&f.connections, "connections", 9000, "connections whose memory is measured; 0 leaves that out")
	fl.DurationVar(&f.settle, "settle", 20*time.Second, "pause before memory is read")
	fl.StringVar(&f.profile, "profile", "", "prefix of files for processor profiles of kapok serve in the first slices")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *ingestFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("slices") {
		f.slices = 1
	}
	if !given("seconds") {
		f.span = 200 * time.Millisecond
	}
	if !given("vehicles") {
		f.vehicles = 50
	}
	if !given("connections") {
		f.connections = 200
	}
	if !given("settle") {
		f.settle = 200 * time.Millisecond
	}
}

func (f *ingestFlags) validate() error {
	switch {
	case f.slices < 1 || f.slices > 100:
		return fmt.Errorf("--slices %d is not 1 to 100", f.slices)
	case f.span < 100*time.Millisecond || f.span > 10*time.Minute:
		return fmt.Errorf("--seconds %v is not 100ms to 10m", f.span)
	case f.vehicles < 1 || f.vehicles > 10_000:
		return fmt.Errorf("--vehicles %d is not 1 to 10000", f.vehicles)
	case f.connections < 0 || f.connections > 12_000:
		return fmt.Errorf("--connections %d is not 0 to 12000", f.connections)
	case !(f.framesHz > 0 && f.framesHz <= 40):
		return fmt.Errorf("--frames-hz %g is not above 0 and at most 40", f.framesHz)
	case f.settle < 0:
		return fmt.Errorf("--settle %v is negative", f.settle)
	}
	return nil
}

// ingestKind is a server and how its vehicles speak.
type ingestKind struct {
	name      string
	yardstick bool
	cbor      bool
	samples   int
}

func ingestKinds() []ingestKind {
	return []ingestKind{
		{"yardstick, JSON, 1 a frame", true, false, 1},
		{"kapok, JSON, 1 a frame", false, false, 1},
		{"kapok, CBOR, 1 a frame", false, true, 1},
		{"kapok, JSON, 8 a frame", false, false, 8},
		{"kapok, CBOR, 8 a frame", false, true, 8},
		{"yardstick, CBOR, 8 a frame", true, true, 8},
	}
}

// ingest is a run.
type ingest struct {
	*ingestFlags
	console
	report *rig.Report
	// offered and taken are the least shares seen in any slice: of the samples
	// that were due those that were sent, and of those the ones that were taken.
	offered, taken float64
	// busy is the most of a core that any server used.
	busy float64
	// seen says that the processes are in the report, shot which kinds have a
	// profile.
	seen map[string]bool
	shot map[string]bool
}

func (f *ingestFlags) run(ctx context.Context, c console, r *rig.Report) error {
	b := &ingest{ingestFlags: f, console: c, report: r, offered: 1, taken: 1, seen: map[string]bool{}, shot: map[string]bool{}}
	var all []rig.Contender
	for _, kind := range ingestKinds() {
		all = append(all, rig.Contender{Name: kind.name, Measure: func(ctx context.Context) (float64, error) { return b.slice(ctx, kind) }})
	}
	figures, err := rig.Alternate(ctx, f.slices, all, func(round int, name string, figure float64) {
		c.say("round %d of %d: %s: %s samples per CPU-second", round, f.slices, name, rig.Figure(figure))
	})
	if err != nil {
		return err
	}
	b.conclude(figures)
	if err := b.idle(ctx); err != nil {
		return err
	}
	if f.connections > 0 {
		return b.memory(ctx)
	}
	return nil
}

// conclude turns the figures into rows and checks.
func (b *ingest) conclude(figures map[string][]float64) {
	kinds := ingestKinds()
	for _, kind := range kinds {
		b.report.Rounds(kind.name, figures[kind.name], "samples per CPU-second")
	}
	yard, plain, cbor, packedJSON, packed := figures[kinds[0].name], figures[kinds[1].name], figures[kinds[2].name], figures[kinds[3].name], figures[kinds[4].name]
	toYardstick := b.report.Rounds("JSON: Kapok to the yardstick", rig.Ratios(plain, yard), "times")
	toJSON := b.report.Rounds("1 a frame: CBOR to JSON", rig.Ratios(cbor, plain), "times")
	b.report.Rounds("JSON: 8 a frame to 1", rig.Ratios(packedJSON, plain), "times")
	toPacked := b.report.Rounds("CBOR, 8 a frame, to JSON, 1 a frame", rig.Ratios(packed, plain), "times")
	b.report.Rounds("CBOR, 8 a frame: Kapok to the yardstick", rig.Ratios(packed, figures[kinds[5].name]), "times")
	b.report.Row("busiest server", b.busy*100, "% of a core")
	b.report.AtLeast("JSON, 1 a frame: Kapok to the yardstick", toYardstick, leastOfYardstick, "times")
	b.report.AtLeast("1 a frame: CBOR to JSON", toJSON, leastCBOR, "times")
	b.report.AtLeast("CBOR, 8 a frame, to JSON, 1 a frame", toPacked, leastPacked, "times")
	b.report.AtLeast("samples sent of those that were due", b.offered, leastTaken, "of 1")
	b.report.AtLeast("samples taken of those that were sent", b.taken, leastTaken, "of 1")
}

// open starts a server and its load, each on a core of its own.
func (b *ingest) open(ctx context.Context, kind ingestKind, vehicles int) (*rig.Server, *rig.LoadProcess, error) {
	serverCores, loadCores := rig.Places()
	o := rig.ServerOptions{Cores: serverCores, Crowd: true}
	start := rig.StartServer
	if kind.yardstick {
		start = rig.StartYardstick
	} else if b.profile != "" && kind.name != "" && !b.shot[kind.name] {
		b.shot[kind.name] = true
		o.Profile = fmt.Sprintf("%s-cbor-%v-%d.pprof", b.profile, kind.cbor, kind.samples)
	}
	server, err := start(ctx, o)
	if err != nil {
		return nil, nil, err
	}
	load, err := rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: server.URL, Token: server.Tokens.Simulator, Vehicles: vehicles, CBOR: kind.cbor, SamplesAFrame: kind.samples,
		Answer: true, Bare: kind.yardstick,
	})
	if err != nil {
		return nil, nil, errors.Join(err, server.Stop())
	}
	if !b.seen[fmt.Sprint(kind.yardstick)] {
		b.seen[fmt.Sprint(kind.yardstick)] = true
		name := "kapok serve"
		if kind.yardstick {
			name = "yardstick"
			b.report.Took("load", load.Process)
		}
		b.report.Took(name, server.Process)
	}
	return server, load, nil
}

// slice measures one contender once: samples per second of processor time.
func (b *ingest) slice(ctx context.Context, kind ingestKind) (figure float64, err error) {
	server, load, err := b.open(ctx, kind, b.vehicles)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, load.Stop(), server.Stop()) }()
	if err := load.Rate(b.framesHz); err != nil {
		return 0, err
	}
	// The warm-up: the heap finds its size.
	if err := pass(ctx, max(b.span/4, 100*time.Millisecond)); err != nil {
		return 0, err
	}
	before, err := look(server, load)
	if err != nil {
		return 0, err
	}
	takenBefore, err := taken(ctx, server)
	if err != nil {
		return 0, err
	}
	if err := pass(ctx, b.span); err != nil {
		return 0, err
	}
	after, err := look(server, load)
	if err != nil {
		return 0, err
	}
	takenAfter, err := taken(ctx, server)
	if err != nil {
		return 0, err
	}
	span := after.sent.At.Sub(before.sent.At).Seconds()
	sent := float64(after.sent.SamplesOut - before.sent.SamplesOut)
	b.offered = min(b.offered, sent/(b.framesHz*float64(kind.samples*b.vehicles)*span))
	b.busy = max(b.busy, (after.cpu-before.cpu).Seconds()/span)
	share, err := b.settled(ctx, server, load, kind)
	if err != nil {
		return 0, err
	}
	b.taken = min(b.taken, share)
	return (takenAfter - takenBefore) / (after.cpu - before.cpu).Seconds(), nil
}

// sight is what was seen at one moment: what the load had done, and what the
// server had cost.
type sight struct {
	sent rig.LoadReport
	cpu  time.Duration
}

func look(server *rig.Server, load *rig.LoadProcess) (s sight, err error) {
	if s.sent, err = load.Report(); err != nil {
		return s, err
	}
	s.cpu, err = server.CPU()
	return s, err
}

// taken is how many samples a server has taken in so far, be it kapok serve or the
// yardstick.
func taken(ctx context.Context, server *rig.Server) (float64, error) {
	m, err := server.Metrics(ctx)
	return m[`kapok_telemetry_samples_total{outcome="taken"}`] + m["yardstick_samples_total"], err
}

// settled stops the load, and tells what share of all that was sent was taken.
func (b *ingest) settled(ctx context.Context, server *rig.Server, load *rig.LoadProcess, kind ingestKind) (float64, error) {
	if err := load.Rate(0); err != nil {
		return 0, err
	}
	share := 0.0
	for range 20 {
		sent, err := load.Report()
		if err != nil {
			return 0, err
		}
		got, err := taken(ctx, server)
		if err != nil {
			return 0, err
		}
		if share = got / float64(sent.SamplesOut); share >= 1 {
			return 1, nil
		}
		if err := pass(ctx, 50*time.Millisecond); err != nil {
			return 0, err
		}
	}
	if share < leastTaken {
		metrics, err := server.Metrics(ctx)
		if err != nil {
			return 0, err
		}
		b.report.Note("of what was sent to %q, %s was taken: the inbox was full for %s samples, and %s frames were thinned", kind.name, rig.Figure(share),
			rig.Figure(metrics[`kapok_telemetry_samples_total{outcome="dropped"}`]), rig.Figure(metrics["kapok_telemetry_frames_thinned_total"]))
	}
	return share, nil
}

// pass waits, and fails when ctx ends first.
func pass(ctx context.Context, span time.Duration) error {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// idle tells what the links cost while nothing is sent. It is part of the figures
// above.
func (b *ingest) idle(ctx context.Context) (err error) {
	server, load, err := b.open(ctx, ingestKind{samples: 1}, b.vehicles)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, load.Stop(), server.Stop()) }()
	if err := pass(ctx, b.span/4); err != nil {
		return err
	}
	before, err := look(server, load)
	if err != nil {
		return err
	}
	if err := pass(ctx, b.span); err != nil {
		return err
	}
	after, err := look(server, load)
	if err != nil {
		return err
	}
	span := after.sent.At.Sub(before.sent.At)
	b.report.Row(fmt.Sprintf("kapok serve with %d links while nothing is sent", b.vehicles), 100*float64(after.cpu-before.cpu)/float64(span), "% of a core")
	b.report.Note("%d vehicles send %s frames a second each; what the links cost while nothing is sent is part of the figures", b.vehicles, rig.Figure(b.framesHz))
	return nil
}

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/hostile"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

// The bounds of kapok bench hostile.
const (
	// mostTimesQuiet is how much longer 99 of 100 samples of good vehicles may take
	// to the dispatcher than without the attack.
	mostTimesQuiet = 2.0
	// mostAttackedCommand is how long a command to a good vehicle may take.
	mostAttackedCommand = time.Second
	// mostAttackedMiB is what the server may have in memory, whatever the attack.
	mostAttackedMiB = 512
	// attackedCommandsHz is how many commands are given a second.
	attackedCommandsHz = 5
	// attackedAfter is how much longer an attack goes on than the server may take to
	// do what it does about one.
	attackedAfter = 5 * time.Second
	// attackedTasks is how many open tasks an attack may leave to the next one on the
	// same server.
	attackedTasks = 500
	// attackerAddress is where attacks come from, on systems where every address of
	// the loopback network can be used.
	attackerAddress = "127.0.0.2"
)

// hostileFlags say how long and what.
type hostileFlags struct {
	benchFlags
	span, pause time.Duration
	vehicles    int
	only        []string
}

// endured is what one attack did to the server and to good peers.
type endured struct {
	Name   string `json:"name"`
	Answer string `json:"answer"`
	Metric string `json:"metric"`
	// Moved is by how much the metric grew, Limited by how much those of the limits
	// did that apply before: of an address, of log-ins and of tickets. Sent is how
	// many frames, connections or runs the attack had.
	Moved   float64 `json:"moved"`
	Limited float64 `json:"limited"`
	Sent    int64   `json:"sent"`
	// PeakMiB is the most that the server had in memory, CPU its share of a core.
	PeakMiB float64 `json:"peak_mib"`
	CPU     float64 `json:"cpu"`
	// P99MS is the age of the good vehicles' positions at the dispatcher, QuietMS
	// the same before and after the attack.
	P99MS   float64 `json:"p99_ms"`
	QuietMS float64 `json:"quiet_p99_ms"`
	Ratio   float64 `json:"p99_ratio"`
	// CommandMS is the longest delay of a command to a good vehicle. Those that
	// failed or did not arrive are Lost.
	CommandMS float64 `json:"worst_command_ms"`
	Lost      int64   `json:"commands_lost"`
}

// hostileReport is a report with what each attack did.
type hostileReport struct {
	*rig.Report
	Attacks []endured `json:"attacks"`
}

func newBenchHostile(c console) *cobra.Command {
	var f hostileFlags
	cmd := &cobra.Command{
		Use: "hostile", Short: "Attack a server in all the ways of docs/hostile.md, and see how others are served", Args: cobra.NoArgs,
		Long: "Attack kapok serve from a process of its own, one attack after another, each as fast as it goes: at most 1,000 frames a\n" +
			"second on links, or 200 connections. Good vehicles report once a second meanwhile, a dispatcher watches them, and one\n" +
			"of them is commanded every 200 ms. How fresh positions are is compared with the time before and after each attack.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.shorten(cmd)
			attacks, err := f.chosen()
			if err != nil {
				return err
			}
			r := hostileReport{Report: f.newReport(cmd)}
			if err := f.run(cmd.Context(), c, &r, attacks); err != nil {
				return err
			}
			return f.showAll(c, &r)
		},
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.DurationVar(&f.span, "seconds", 30*time.Second, "how long each attack goes on")
	fl.DurationVar(&f.pause, "quiet", 10*time.Second, "how long is measured without one, before and after each")
	fl.IntVar(&f.vehicles, "vehicles", 500, "good vehicles")
	fl.StringSliceVar(&f.only, "only", nil, "attacks by name, separated by commas; all when left out")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *hostileFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("seconds") {
		f.span = time.Second
	}
	if !given("quiet") {
		f.pause = time.Second
	}
	if !given("vehicles") {
		f.vehicles = 20
	}
	if !given("only") {
		f.only = []string{"telemetry-flood", "token-guessing"}
	}
}

// chosen are the attacks that were asked for.
func (f *hostileFlags) chosen() ([]hostile.Attack, error) {
	switch {
	case f.span < time.Second || f.span > time.Hour || f.pause < time.Second || f.pause > time.Hour:
		return nil, fmt.Errorf("--seconds %v and --quiet %v must be 1s to 1h", f.span, f.pause)
	case f.vehicles < 1 || f.vehicles > 5_000:
		return nil, fmt.Errorf("--vehicles %d is not 1 to 5000", f.vehicles)
	}
	var attacks []hostile.Attack
	for _, a := range hostile.All() {
		if !a.Once && (len(f.only) == 0 || slices.Contains(f.only, a.Name)) {
			attacks = append(attacks, a)
		}
	}
	for _, name := range f.only {
		if a, ok := hostile.Find(name); !ok || a.Once {
			return nil, fmt.Errorf("--only: there is no attack %q that can be repeated; docs/hostile.md lists them", name)
		}
	}
	return attacks, nil
}

// run makes all attacks, against another server whenever one has left much work behind.
func (f *hostileFlags) run(ctx context.Context, c console, r *hostileReport, attacks []hostile.Attack) error {
	for len(r.Attacks) < len(attacks) {
		if err := f.besiege(ctx, c, r, attacks); err != nil {
			return err
		}
	}
	r.conclude()
	return nil
}

// besiege starts server and good peers, and makes the attacks that are not in the report
// yet, as far as one server is good for.
func (f *hostileFlags) besiege(ctx context.Context, c console, r *hostileReport, attacks []hostile.Attack) (err error) {
	cores, loadCores := rig.Places()
	server, err := rig.StartServer(ctx, rig.ServerOptions{Cores: cores})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Stop()) }()
	load, err := rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: server.URL, Token: server.Tokens.Simulator, Vehicles: f.vehicles, FramesHz: 1, Answer: true,
		CommandsHz: attackedCommandsHz, Dispatcher: server.Tokens.Dispatcher,
		Streams: []rig.StreamOptions{{Token: server.Tokens.Dispatcher, Query: "rate_hz=10&kinds=positions", Timed: true}},
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, load.Stop()) }()
	first := len(r.Attacks) == 0
	if first {
		r.Took("server", server.Process)
		r.Took("good vehicles and dispatcher", load.Process)
	}
	siege := &siege{flags: f, server: server, load: load, cores: loadCores}
	if siege.order, err = newAttackOrder(server); err != nil {
		return err
	}
	if runtime.GOOS == "linux" {
		siege.order.Source = attackerAddress
	} else if first {
		r.Note("attackers and good peers have the same address here, and share its limits")
	}
	return siege.lay(ctx, c, r, attacks)
}

// limitCodes are the codes of refusals by the limits that come before all else.
func limitCodes() []string {
	return []string{"too_many_requests", "too_many_logins", "too_many_tickets"}
}

// siege is a server with good peers around it, and those who attack it.
type siege struct {
	flags  *hostileFlags
	server *rig.Server
	load   *rig.LoadProcess
	order  attackOrder
	cores  []int
}

// lay runs the attacks that are not in the report yet, with quiet between them, until
// one has left too much work behind.
func (s *siege) lay(ctx context.Context, c console, r *hostileReport, attacks []hostile.Attack) error {
	if _, err := s.watch(ctx, s.flags.pause); err != nil {
		return err
	}
	before, err := s.watch(ctx, s.flags.pause)
	if err != nil {
		return err
	}
	for _, a := range attacks[len(r.Attacks):] {
		c.say("%d of %d: %s", len(r.Attacks)+1, len(attacks), a.Name)
		e, err := s.attack(ctx, a)
		if err != nil {
			return err
		}
		// What the attack left behind belongs to neither.
		if _, err := s.watch(ctx, time.Second); err != nil {
			return err
		}
		after, err := s.watch(ctx, s.flags.pause)
		if err != nil {
			return err
		}
		e.QuietMS = (freshness(before) + freshness(after)) / 2
		e.Ratio = e.P99MS / e.QuietMS
		r.Attacks = append(r.Attacks, e)
		before = after
		if full, err := s.full(ctx); full || err != nil {
			return err
		}
	}
	return nil
}

// full tells whether so many tasks are open that they would count with the next attack:
// of some, all orders are good ones.
func (s *siege) full(ctx context.Context) (bool, error) {
	metrics, err := s.server.Metrics(ctx)
	open := 0.0
	for _, state := range []string{"waiting", "assigned", "underway"} {
		open += metrics[`kapok_tasks{state="`+state+`"}`]
	}
	return open > attackedTasks, err
}

// watch lets the good peers be for a while, and tells what they saw.
func (s *siege) watch(ctx context.Context, span time.Duration) (rig.LoadReport, error) {
	if _, err := s.load.Report(); err != nil {
		return rig.LoadReport{}, err
	}
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return rig.LoadReport{}, ctx.Err()
	case <-s.server.Exited():
		return rig.LoadReport{}, fmt.Errorf("the server has ended: %w: %s", s.server.Err(), s.server.Said())
	case <-timer.C:
	}
	return s.load.Report()
}

func freshness(r rig.LoadReport) float64 { return r.Streams[0].Delays.P99MS }

// attack runs one attack and measures meanwhile.
func (s *siege) attack(ctx context.Context, a hostile.Attack) (endured, error) {
	e := endured{Name: a.Name, Answer: a.Want.String(), Metric: a.Metric}
	metrics, err := s.server.Metrics(ctx)
	if err != nil {
		return e, err
	}
	cpu, err := s.server.CPU()
	if err == nil {
		err = s.server.ResetPeak()
	}
	if err != nil && !errors.Is(err, rig.ErrUnsupported) {
		return e, err
	}
	// What the server does only after a while is waited for.
	span := s.flags.span
	if !s.flags.quick && a.Within > 0 {
		span = max(span, a.Within+attackedAfter)
	}
	order := s.order
	order.Span, order.Rate = span, a.Rate()
	told, err := json.Marshal(order)
	if err != nil {
		return e, fmt.Errorf("telling the attackers: %w", err)
	}
	var said, complained bytes.Buffer
	attackers, err := rig.Start(ctx, rig.ProcessOptions{Args: []string{"bench", "attack", a.Name}, Cores: s.cores, Stdin: bytes.NewReader(told), Stdout: &said, Stderr: &complained})
	if err != nil {
		return e, err
	}
	defer func() { _ = attackers.Stop() }()
	lost, err := s.load.Report()
	if err != nil {
		return e, err
	}
	seen, err := s.watch(ctx, span)
	if err != nil {
		return e, err
	}
	e.P99MS, e.CommandMS = freshness(seen), seen.Commands.MaxMS
	e.Lost = seen.CommandsFailed - lost.CommandsFailed
	if spent, err := s.server.CPU(); err == nil {
		e.CPU = (spent - cpu).Seconds() / span.Seconds()
	}
	if peak, err := s.server.PeakRSS(); err == nil {
		e.PeakMiB = float64(peak) / (1 << 20)
	}
	return e, s.finish(ctx, &e, attackers, &said, &complained, metrics)
}

// finish waits for the attackers, and reads what they and the metrics say.
func (s *siege) finish(ctx context.Context, e *endured, attackers *rig.Process, said, complained *bytes.Buffer, before map[string]float64) error {
	timer := time.NewTimer(30 * time.Second)
	defer timer.Stop()
	select {
	case <-attackers.Exited():
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("the attackers of %s do not end", e.Name)
	}
	var done attackDone
	if err := json.Unmarshal(said.Bytes(), &done); err != nil || attackers.Err() != nil {
		return fmt.Errorf("the attackers of %s failed: %w: %s", e.Name, cmp.Or(attackers.Err(), err), complained)
	}
	after, err := s.server.Metrics(ctx)
	e.Sent, e.Moved = done.Sent, after[e.Metric]-before[e.Metric]
	for _, code := range limitCodes() {
		metric := `kapok_refusals_total{code="` + code + `"}`
		e.Limited += after[metric] - before[metric]
	}
	return err
}

// conclude holds the worst of all attacks to the bounds.
func (r *hostileReport) conclude() {
	worst := func(of func(endured) float64) endured {
		return slices.MaxFunc(r.Attacks, func(a, b endured) int { return cmp.Compare(of(a), of(b)) })
	}
	slow := worst(func(e endured) float64 { return e.Ratio })
	r.AtMost("p99 of positions, times quiet ("+slow.Name+")", slow.Ratio, mostTimesQuiet, "")
	late := worst(func(e endured) float64 { return e.CommandMS })
	r.AtMost("longest command ("+late.Name+")", late.CommandMS, float64(mostAttackedCommand/time.Millisecond), "ms")
	lost := worst(func(e endured) float64 { return float64(e.Lost) })
	r.AtMost("commands lost ("+lost.Name+")", float64(lost.Lost), 0, "")
	large := worst(func(e endured) float64 { return e.PeakMiB })
	r.AtMost("memory of the server ("+large.Name+")", large.PeakMiB, mostAttackedMiB, "MiB")
	busy := worst(func(e endured) float64 { return e.CPU })
	r.Row("most processor time of the server ("+busy.Name+")", busy.CPU, "cores")
	r.Row("attacks", float64(len(r.Attacks)), "")
	var still []string
	for _, e := range r.Attacks {
		if e.Moved+e.Limited <= 0 && !strings.HasPrefix(e.Metric, "kapok_alerts") {
			still = append(still, e.Name)
		}
	}
	r.AtMost("attacks that no metric tells of", float64(len(still)), 0, "")
	if len(still) > 0 {
		r.Note("no metric grew with: %s", strings.Join(still, ", "))
	}
}

// showAll prints what each attack did, and then the report.
func (f *hostileFlags) showAll(c console, r *hostileReport) error {
	form, err := f.choose(c.out)
	if err != nil {
		return err
	}
	if form == asJSON {
		err = printJSON(c.out, r)
	} else {
		t := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
		fmt.Fprintln(t, "ATTACK\tSENT\tANSWER\tMETRIC\tLIMITED\tPEAK MiB\tCPU\tP99 ms\tTIMES QUIET\tWORST COMMAND ms")
		for _, e := range r.Attacks {
			fmt.Fprintf(t, "%s\t%d\t%s\t%s +%.0f\t%.0f\t%.0f\t%.2f\t%.0f\t%.2f\t%.0f\n",
				e.Name, e.Sent, strings.ReplaceAll(e.Answer, "`", ""), e.Metric, e.Moved, e.Limited, e.PeakMiB, e.CPU, e.P99MS, e.Ratio, e.CommandMS)
		}
		t.Flush()
		fmt.Fprintln(c.out)
		err = r.WriteTable(c.out)
	}
	if err == nil && !f.quick && !r.OK() {
		return &negativeError{text: "not every bound holds", shown: true}
	}
	return err
}

package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

func newSim(c console) *cobra.Command {
	cmd := &cobra.Command{Use: "sim", Short: "Run scenarios in virtual time", Args: cobra.ArbitraryArgs, RunE: needsCommand}
	cmd.AddCommand(newSimRun(c), newSimReplay(c), newSimFuzz(c), newSimValidate(c))
	return cmd
}

// simRun are the flags of sim run.
type simRun struct {
	output
	connection
	console
	seed    uint64
	seeded  bool
	length  time.Duration
	events  bool
	only    string
	outDir  string
	charts  map[string]*chart.Chart
	folders map[string]bool
}

// simCase is one run that was asked for: a scenario, or one of its matrix.
type simCase struct {
	file     string
	scenario scenario.Scenario
	chart    *chart.Chart
}

func newSimRun(c console) *cobra.Command {
	f := simRun{console: c, charts: map[string]*chart.Chart{}, folders: map[string]bool{}}
	cmd := &cobra.Command{
		Use: "run FILE...", Short: "Simulate scenarios and judge them; exit status 1 when one fails",
		Long: "Simulate scenarios, faster than real time, and judge what they show. The same scenario, seed and binary give\n" +
			"the same events: compare event_log_sha256. A file with a matrix is run once for each combination of its values.\n" +
			"Exit status: 0 all passed, 1 an assertion, a threshold or a checker failed, 2 a scenario cannot be run.\n" +
			"A chart named data:PATH is looked for under KAPOK_DATA (default ../shared/data).\n\n" +
			"With --out each run leaves a folder there: result.json, junit.xml, summary.md, events.ndjson, tracks.geojson and\n" +
			"run.mcap (for Foxglove); see docs/simulator.md. In GitHub Actions failures become annotations, and the summary\n" +
			"that of the step.\n\n" +
			"With --connect the same vehicles run in real time, over real sockets, against a running kapok serve that has\n" +
			"the same chart, and the scenario's people use its HTTP API; the result is what API and vehicles say. Only\n" +
			"scenarios with realtime: true are taken, or any with --vehicles-only, which judges nothing.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("sim run needs one scenario file or more")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			f.seeded = cmd.Flags().Changed("seed")
			form, err := f.choose(c.out)
			if err != nil {
				return err
			}
			cases, err := f.load(args)
			if err != nil {
				return err
			}
			return f.all(cmd.Context(), cases, form)
		},
	}
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "another seed than the scenario's")
	cmd.Flags().DurationVar(&f.length, "for", 0, "another duration than the scenario's, in simulated time")
	cmd.Flags().StringVar(&f.only, "only", "", "only the run of this name, of those of a matrix")
	cmd.Flags().StringVar(&f.outDir, "out", "", "folder that gets a folder of results and recordings for each run")
	cmd.Flags().BoolVar(&f.events, "events", false, "print every event, durable and not, before the result (ndjson)")
	f.connection.flags(cmd)
	f.output.flag(cmd, asTable, asJSON)
	return cmd
}

// load reads all scenarios and their charts, so that a bad one is told before the
// first is run.
func (f *simRun) load(files []string) ([]simCase, error) {
	var cases []simCase
	for _, file := range files {
		list, err := scenario.LoadAll(file)
		if err != nil {
			return nil, err
		}
		for _, s := range list {
			if f.only != "" && s.Name != f.only {
				continue
			}
			if f.seeded {
				s.Seed = f.seed
			}
			if f.length > 0 {
				s.Duration = scenario.Duration(f.length)
			}
			if f.url != "" && !f.alone {
				if err := s.ForRealtime(); err != nil {
					return nil, err
				}
				if s.Duration.D() > scenario.MaxRealtime {
					return nil, fmt.Errorf("--for %v: with --connect a run lasts %v at most", f.length, scenario.MaxRealtime)
				}
			}
			on, err := scenario.Charts{Dir: filepath.Dir(file), Data: dataFolder(f.console), Harbour: harbour.Chart, Kept: f.charts}.Prepare(&s)
			if err != nil {
				return nil, err
			}
			cases = append(cases, simCase{file, s, on})
		}
	}
	if len(cases) == 0 {
		return nil, fmt.Errorf("no run is named %q", f.only)
	}
	return cases, nil
}

// all runs the cases one after the other, tells each and then all, and returns
// what the exit status follows from: a run that cannot be carried through is worse
// than one that failed.
func (f *simRun) all(ctx context.Context, cases []simCase, form string) error {
	if len(cases) > 1 && f.alone {
		return errors.New("--vehicles-only runs one scenario")
	}
	var reports []*simout.Report
	var worst error
	for i := range cases {
		report, result, err := f.one(ctx, &cases[i], fmt.Sprintf("[%d/%d] ", i+1, len(cases)))
		if ctx.Err() != nil {
			return errors.Join(fmt.Errorf("%s was interrupted: %w", cases[i].scenario.Name, ctx.Err()), f.leave(reports))
		}
		if err != nil && (worst == nil || statusOf(worst) == exitNegative) {
			worst = err
		}
		reports = append(reports, report)
		if err := f.tell(report, &result, form); err != nil {
			return err
		}
	}
	if form == asTable {
		if err := printTotal(f.out, reports); err != nil {
			return err
		}
	}
	if err := errors.Join(f.leave(reports), f.annotate(reports)); err != nil {
		return err
	}
	return conclusion(reports, worst)
}

// conclusion is the error that the exit status follows from.
func conclusion(reports []*simout.Report, worst error) error {
	if worst != nil {
		return worst
	}
	var failed []*simout.Report
	for _, r := range reports {
		if !r.Passed {
			failed = append(failed, r)
		}
	}
	switch len(failed) {
	case 0:
		return nil
	case 1:
		v := failed[0].Failed()[0]
		return no("scenario %s, seed %d failed: %s %s: expected %s, got %s", failed[0].Scenario, failed[0].Seed, v.Kind, v.Name, v.Expected, v.Got)
	}
	return no("%d of %d runs failed, the first is %s", len(failed), len(reports), failed[0].Scenario)
}

// one carries out one run. An error says why it could not be; the report has it
// too.
func (f *simRun) one(ctx context.Context, it *simCase, before string) (*simout.Report, sim.Result, error) {
	rec, folder, err := f.record(it)
	var result sim.Result
	if err == nil && f.url != "" {
		result, err = connectTo(ctx, f.console, it, &f.connection, rec)
	} else if err == nil {
		result, err = f.virtual(ctx, it, before, rec)
	}
	if rec != nil {
		err = errors.Join(err, rec.Close())
	}
	report := f.report(it, &result, err)
	if folder != "" {
		err = errors.Join(err, leaveOne(folder, report))
	}
	return report, result, err
}

// virtual runs a case in virtual time.
func (f *simRun) virtual(ctx context.Context, it *simCase, before string, rec *simout.Recorder) (sim.Result, error) {
	options := sim.Options{Chart: it.chart, Wall: time.Now}
	began, show := false, func(_, _ time.Duration) {}
	if terminal(f.err) {
		show = progress(f.console, before+it.scenario.Name+": ")
		defer fmt.Fprint(f.err, "\r\x1b[K")
	}
	options.OnSecond = func(done, whole time.Duration) {
		began = true
		show(done, whole)
	}
	var failed error
	if rec != nil {
		options.OnEvent, options.OnTrack = rec.Event, rec.Track
	}
	if f.events {
		options.OnEvent = func(r fleet.Recorded) {
			data, err := fleet.EncodeEvent(r)
			if err == nil {
				_, err = fmt.Fprintf(f.out, "%s\n", data)
			}
			if err != nil && failed == nil {
				failed = fmt.Errorf("printing an event: %w", err)
			}
			if rec != nil {
				rec.Event(r)
			}
		}
	}
	result, err := sim.Run(ctx, it.scenario, options)
	if err != nil && began {
		// The scenario could be run; the backend failed in it.
		err = no("%v", err)
	}
	if err == nil {
		err = failed
	}
	return result, err
}

// progress shows how far a run is, on one line of a terminal.
func progress(c console, before string) func(done, whole time.Duration) {
	var shown time.Time
	return func(done, whole time.Duration) {
		if now := time.Now(); now.Sub(shown) > 200*time.Millisecond {
			shown = now
			fmt.Fprintf(c.err, "\r\x1b[K%s%v of %v", clean(before), done, whole)
		}
	}
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/sim"
)

// shrinkRuns is how many runs a violation is shrunk with, at most.
const shrinkRuns = 300

// simFuzz are the flags of sim fuzz.
type simFuzz struct {
	output
	seeds, first, seed uint64
	length             time.Duration
	jobs               int
	shrink, on         bool
	file               string
	// options are those of the runs; a test plants violations by them.
	options sim.Options
}

func newSimFuzz(c console) *cobra.Command {
	return fuzzCommand(c, &simFuzz{options: sim.Options{Wall: time.Now}})
}

func fuzzCommand(c console, f *simFuzz) *cobra.Command {
	cmd := &cobra.Command{
		Use: "fuzz", Short: "Simulate scenarios that are drawn from seeds; exit status 1 at the first violation",
		Long: "Draws a scenario from each seed: a city, fleets, work, and a random part of all that can go wrong. Faults and\n" +
			"new work last for --duration of simulated time, in which nothing may happen that must never happen; then all\n" +
			"work must be finished. The first violation ends it, with the seed and the command that repeats it.\n\n" +
			"--seed repeats one seed and tells its result. --shrink looks for a smaller scenario with the same violation and\n" +
			"writes it to a file that kapok sim run takes.",
		Example: "  kapok sim fuzz --seeds 200 --first-seed 1 --duration 10m\n  kapok sim fuzz --seed 17 --duration 10m --shrink",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			form, err := f.choose(c.out)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("seed") {
				f.first, f.seeds = f.seed, 1
			}
			if f.seeds < 1 || f.length < 10*time.Second || f.length > 24*time.Hour || f.jobs < 1 {
				return errors.New("--seeds and --jobs must be 1 or more, and --duration 10s to 24h")
			}
			return f.run(cmd.Context(), c, form, cmd.Flags().Changed("seed"))
		},
	}
	cmd.Flags().Uint64Var(&f.seeds, "seeds", 200, "how many seeds")
	cmd.Flags().Uint64Var(&f.first, "first-seed", 1, "the first of them")
	cmd.Flags().Uint64Var(&f.seed, "seed", 0, "only this seed, and tell its result")
	cmd.Flags().DurationVar(&f.length, "duration", 10*time.Minute, "how long faults and new work last, in simulated time")
	cmd.Flags().IntVar(&f.jobs, "jobs", runtime.GOMAXPROCS(0), "how many seeds are simulated at once")
	cmd.Flags().BoolVar(&f.shrink, "shrink", false, "look for a smaller scenario with the same violation")
	cmd.Flags().BoolVar(&f.on, "keep-going", false, "go on after a violation, and tell all seeds that have one")
	cmd.Flags().StringVar(&f.file, "file", "", "where --shrink writes the scenario (default fuzz-SEED.yaml)")
	f.output.flag(cmd, asTable, asJSON)
	return cmd
}

// fuzzed is what became of one seed.
type fuzzed struct {
	seed    uint64
	drawn   sim.FuzzCase
	verdict sim.FuzzVerdict
	err     error
}

// run simulates the seeds.
func (f *simFuzz) run(ctx context.Context, c console, form string, details bool) error {
	began := time.Now()
	sum := fuzzSummary{FirstSeed: f.first, DurationS: f.length.Seconds(), Version: versionLine(), Faults: map[string]int{}}
	var bad []fuzzed
	var printing error
	err := f.each(ctx, func(one fuzzed) {
		sum.add(&one)
		if len(one.verdict.Violations) > 0 {
			bad = append(bad, one)
		}
		if terminal(c.err) {
			fmt.Fprintf(c.err, "\r\x1b[K%d of %d seeds, %d with a violation, %v", sum.Seeds, f.seeds, len(bad), time.Since(began).Truncate(time.Second))
		}
		if details && form == asTable {
			printing = cmp.Or(printing, printResult(c, &one.verdict.Result))
		}
	})
	if terminal(c.err) {
		fmt.Fprint(c.err, "\r\x1b[K")
	}
	if err = cmp.Or(err, printing); err != nil {
		return err
	}
	sum.WallS = time.Since(began).Seconds()
	slices.SortFunc(bad, func(a, b fuzzed) int { return cmp.Compare(a.seed, b.seed) })
	for i := range bad {
		sum.Violations = append(sum.Violations, f.violation(&bad[i]))
	}
	if err := sum.tell(c, form); err != nil {
		return err
	}
	if len(bad) == 0 {
		return nil
	}
	for i := range bad {
		f.say(c, &bad[i])
	}
	if f.shrink {
		if err := f.smaller(ctx, c, &bad[0]); err != nil {
			return err
		}
	}
	return no("seed %d: %s", bad[0].seed, bad[0].verdict.Violations[0].String())
}

// each runs the seeds on several goroutines, in their order, and hands the
// outcomes over one at a time. After a violation no more seeds are begun; those
// that are being run are waited for, so that the lowest is told.
func (f *simFuzz) each(ctx context.Context, done func(fuzzed)) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var lock sync.Mutex
	next, ended := f.first, false
	take := func() (uint64, bool) {
		lock.Lock()
		defer lock.Unlock()
		if ended || next-f.first >= f.seeds {
			return 0, false
		}
		next++
		return next - 1, true
	}
	var failed error
	var group sync.WaitGroup
	for range f.jobs {
		group.Go(func() {
			for seed, ok := take(); ok; seed, ok = take() {
				one := f.one(ctx, seed)
				lock.Lock()
				switch {
				case one.err != nil:
					ended, failed = true, cmp.Or(failed, one.err)
					cancel()
				default:
					ended = ended || len(one.verdict.Violations) > 0 && !f.on
					done(one)
				}
				lock.Unlock()
			}
		})
	}
	group.Wait()
	return failed
}

// one draws and runs one seed.
func (f *simFuzz) one(ctx context.Context, seed uint64) fuzzed {
	one := fuzzed{seed: seed}
	one.drawn, one.err = sim.DrawFuzz(seed, f.length)
	if one.err == nil {
		one.verdict, one.err = one.drawn.Run(ctx, f.options)
	}
	return one
}

// repeat is the command that repeats a seed.
func (f *simFuzz) repeat(seed uint64) string {
	return fmt.Sprintf("kapok sim fuzz --seed %d --duration %v", seed, f.length)
}

// say tells a violation.
func (f *simFuzz) say(c console, one *fuzzed) {
	c.say("seed %d, %s: %d violations", one.seed, versionLine(), len(one.verdict.Violations))
	for i := range one.verdict.Violations[:min(len(one.verdict.Violations), 5)] {
		c.say("  %s", one.verdict.Violations[i].String())
	}
	c.say("repeat it with: %s", f.repeat(one.seed))
}

// smaller shrinks a violation and writes the scenario.
func (f *simFuzz) smaller(ctx context.Context, c console, one *fuzzed) error {
	checker := one.verdict.Violations[0].Checker
	file := cmp.Or(f.file, fmt.Sprintf("fuzz-%d.yaml", one.seed))
	small, verdict, runs, err := one.drawn.Shrink(ctx, checker, shrinkRuns, f.options, func(k sim.FuzzCase) {
		if terminal(c.err) {
			fmt.Fprintf(c.err, "\r\x1b[K%s", sizeOf(&k))
		}
	})
	if terminal(c.err) {
		fmt.Fprint(c.err, "\r\x1b[K")
	}
	if err != nil {
		return err
	}
	text, err := yaml.Marshal(small.Scenario)
	if err != nil {
		return fmt.Errorf("writing the smaller scenario: %w", err)
	}
	head := fmt.Sprintf("# Seed %d of kapok sim fuzz, shrunk by %d runs; %s finds:\n", one.seed, runs, checker)
	for i := range verdict.Violations[:min(len(verdict.Violations), 3)] {
		head += "#   " + strings.ReplaceAll(verdict.Violations[i].String(), "\n", " ") + "\n"
	}
	if err := os.WriteFile(file, append([]byte(head), text...), 0o600); err != nil {
		return fmt.Errorf("writing the smaller scenario: %w", err)
	}
	c.say("shrunk by %d runs to %s: kapok sim run %s", runs, sizeOf(&small), filepath.ToSlash(file))
	return nil
}

func sizeOf(k *sim.FuzzCase) string {
	s := &k.Scenario
	vehicles := 0
	for i := range s.Fleets {
		vehicles += s.Fleets[i].Count
	}
	return fmt.Sprintf("%v with %d vehicles, %d orders, %d incidents, %d faults, %d outages, %d crashes, %d zones, %d actions", s.Duration,
		vehicles, len(s.Orders.Timed), len(s.Incidents.Timed), len(s.Faults), len(s.Network.Outages), len(s.Crashes.At), len(s.Zones), len(s.Actions))
}

// versionLine says what was run.
func versionLine() string {
	b := buildOf()
	line := "kapok " + b.Version
	if b.Commit != "" {
		line += " of " + b.Commit
	}
	if b.Modified {
		line += " (modified)"
	}
	return line
}

// fuzzViolation is a seed with what was found.
type fuzzViolation struct {
	Seed    uint64   `json:"seed"`
	Version string   `json:"version"`
	Repeat  string   `json:"repeat"`
	Found   []string `json:"found"`
}

func (f *simFuzz) violation(one *fuzzed) fuzzViolation {
	v := fuzzViolation{Seed: one.seed, Version: versionLine(), Repeat: f.repeat(one.seed)}
	for i := range one.verdict.Violations {
		v.Found = append(v.Found, one.verdict.Violations[i].String())
	}
	return v
}

// fuzzSummary is what all seeds were together.
type fuzzSummary struct {
	Version   string  `json:"version"`
	FirstSeed uint64  `json:"first_seed"`
	Seeds     int     `json:"seeds"`
	DurationS float64 `json:"duration_s"`
	// VehiclesP50 and VehiclesP90 are of the seeds' fleets; Crashed counts the
	// seeds in which the backend crashed.
	VehiclesP50 int            `json:"vehicles_p50"`
	VehiclesP90 int            `json:"vehicles_p90"`
	Crashed     int            `json:"seeds_with_crashes"`
	Crashes     int            `json:"crashes"`
	Faults      map[string]int `json:"faults"`
	Ordered     int            `json:"tasks_ordered"`
	Done        int            `json:"tasks_done"`
	Events      uint64         `json:"events"`
	SimulatedH  float64        `json:"simulated_hours"`
	// RunS is the sum of the runs' times, WallS that of the whole.
	RunS       float64         `json:"run_seconds"`
	SlowestS   float64         `json:"slowest_run_seconds"`
	Slowest    uint64          `json:"slowest_seed"`
	WallS      float64         `json:"wall_seconds"`
	Violations []fuzzViolation `json:"violations,omitempty"`

	fleets []int
}

func (s *fuzzSummary) add(one *fuzzed) {
	r := &one.verdict.Result
	s.Seeds++
	vehicles := 0
	for i := range one.drawn.Scenario.Fleets {
		vehicles += one.drawn.Scenario.Fleets[i].Count
	}
	s.fleets = append(s.fleets, vehicles)
	slices.Sort(s.fleets)
	s.VehiclesP50, s.VehiclesP90 = s.fleets[len(s.fleets)/2], s.fleets[len(s.fleets)*9/10]
	if r.Crashes > 0 {
		s.Crashed++
	}
	s.Crashes += r.Crashes
	for kind, n := range one.verdict.Faults {
		s.Faults[kind] += n
	}
	s.Ordered, s.Done, s.Events = s.Ordered+r.Ordered, s.Done+r.Done, s.Events+r.Events
	s.SimulatedH += r.SimulatedS / 3600
	s.RunS += r.WallSeconds
	if r.WallSeconds > s.SlowestS {
		s.SlowestS, s.Slowest = r.WallSeconds, one.seed
	}
}

// tell prints the summary.
func (s *fuzzSummary) tell(c console, form string) error {
	if form == asJSON {
		return printJSON(c.out, s)
	}
	var faults []string
	for _, kind := range slices.Sorted(maps.Keys(s.Faults)) {
		faults = append(faults, fmt.Sprintf("%d %s", s.Faults[kind], kind))
	}
	rows := [][]string{
		{"version", s.Version},
		{"seeds", fmt.Sprintf("%d, from %d; %d with a violation", s.Seeds, s.FirstSeed, len(s.Violations))},
		{"vehicles", fmt.Sprintf("%d for half of the seeds, %d for nine tenths", s.VehiclesP50, s.VehiclesP90)},
		{"tasks", fmt.Sprintf("%d ordered, %d done", s.Ordered, s.Done)},
		{"crashes", fmt.Sprintf("%d, in %d of the seeds", s.Crashes, s.Crashed)},
	}
	for i := 0; i < len(faults); i += 6 {
		rows = append(rows, []string{"faults", strings.Join(faults[i:min(i+6, len(faults))], ", ")})
	}
	rows = append(rows, [][]string{
		{"events", strconv.FormatUint(s.Events, 10)},
		{"simulated", fmt.Sprintf("%.1f hours", s.SimulatedH)},
		{"time", fmt.Sprintf("%.0f s; %.1f s a seed, %.1f s at most (seed %d)", s.WallS, s.RunS/float64(max(s.Seeds, 1)), s.SlowestS, s.Slowest)},
	}...)
	return printTable(c.out, []string{"WHAT", "VALUE"}, rows)
}

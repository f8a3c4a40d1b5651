package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

func newBench(c console) *cobra.Command {
	cmd := &cobra.Command{
		Use: "bench", Short: "Measure this machine's Kapok and hold it to its bounds",
		Long: "Measure kapok serve under a load from processes of their own, on loopback addresses only. Each benchmark\n" +
			"prints its figures and the bounds that they are held to; exit status 1 when one does not hold.\n" +
			"On Linux with two cores or more, server and load are pinned to one core each.",
		Args: cobra.ArbitraryArgs, RunE: needsCommand,
	}
	cmd.AddCommand(
		// The benchmarks.
		newBenchIngest(c),
		newBenchOverload(c),
		newBenchFanout(c),
		newBenchTasks(c),
		newBenchFences(c),
		newBenchRoutes(c),
		newBenchAir(c),
		newBenchSim(c),
		newBenchHostile(c),
		// What they start.
		newBenchLoad(c),
		newBenchAttack(c),
		newBenchYardstick(c),
		newBenchSimulate(c),
		newBenchProfile(c),
	)
	return cmd
}

// benchFlags are what every benchmark has.
type benchFlags struct {
	output
	quick bool
}

// flags adds them to a command.
func (f *benchFlags) flags(cmd *cobra.Command) {
	cmd.Flags().SortFlags = false
	cmd.Flags().BoolVar(&f.quick, "quick", false, "a run of some seconds, which shows that the benchmark works and checks no speed")
	f.flag(cmd, asTable, asJSON)
}

// measured is a benchmark with its flags.
type measured interface {
	// shorten makes a quick run of it, where the flags do not say otherwise.
	shorten(cmd *cobra.Command)
	validate() error
	newReport(cmd *cobra.Command) *rig.Report
	run(ctx context.Context, c console, r *rig.Report) error
	show(c console, r *rig.Report) error
}

// measuring is how a benchmark is carried out.
func measuring(c console, b measured) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		b.shorten(cmd)
		if err := b.validate(); err != nil {
			return err
		}
		r := b.newReport(cmd)
		if err := b.run(cmd.Context(), c, r); err != nil {
			return err
		}
		return b.show(c, r)
	}
}

// newReport begins the report of a benchmark.
func (f *benchFlags) newReport(cmd *cobra.Command) *rig.Report {
	line := append([]string{"kapok"}, os.Args[1:]...)
	if !strings.Contains(strings.Join(line, " "), "bench") {
		line = strings.Fields(cmd.CommandPath())
	}
	return rig.NewReport(line, f.quick)
}

// show prints a report. Bounds that do not hold are exit status 1; those of a
// quick run are shown and do not count.
func (f *benchFlags) show(c console, r *rig.Report) error {
	form, err := f.choose(c.out)
	if err != nil {
		return err
	}
	if form == asJSON {
		err = printJSON(c.out, r)
	} else {
		err = r.WriteTable(c.out)
	}
	if err == nil && !f.quick && !r.OK() {
		return &negativeError{text: "not every bound holds", shown: true}
	}
	return err
}

// newBenchLoad is what the benchmarks start as a process of its own.
func newBenchLoad(c console) *cobra.Command {
	return &cobra.Command{
		Use: "load", Short: "Be vehicles and dispatchers, as told by lines of JSON on stdin", Hidden: true, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return rig.RunLoad(cmd.Context(), c.in, c.out) },
	}
}

// newBenchProfile carries out another command and writes where its time went.
func newBenchProfile(c console) *cobra.Command {
	return &cobra.Command{
		Use: "profile FILE -- COMMAND...", Short: "Carry out a command and write a processor profile of it", Hidden: true, Args: cobra.MinimumNArgs(2),
		Long: "Carry out a command and write a processor profile of it to FILE, and the heap as it is at the end to FILE.heap.",
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := os.Create(args[0])
			if err != nil {
				return fmt.Errorf("making the profile: %w", err)
			}
			defer func() { _ = file.Close() }()
			if err := pprof.StartCPUProfile(file); err != nil {
				return fmt.Errorf("starting the profile: %w", err)
			}
			root := newRoot(c)
			root.SetArgs(args[1:])
			err = root.ExecuteContext(cmd.Context())
			pprof.StopCPUProfile()
			if err != nil {
				return err
			}
			return writeHeap(args[0] + ".heap")
		},
	}
}

// writeHeap writes what is on the heap now.
func writeHeap(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("making the profile: %w", err)
	}
	runtime.GC()
	if err := pprof.WriteHeapProfile(file); err != nil {
		_ = file.Close()
		return fmt.Errorf("writing the profile: %w", err)
	}
	return file.Close()
}

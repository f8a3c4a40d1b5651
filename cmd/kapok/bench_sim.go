package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/sim"
	madeup "github.com/kapok-fleet/kapok/sim/city"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// What a simulation may cost.
const (
	// leastTimesReal is how much faster than real time 1,000 vehicles run on a core.
	leastTimesReal = 100
	// mostSimMemoryMiB is what 500 vehicles may take at the most in a simulated hour.
	mostSimMemoryMiB = 1000
	// mostGrowth is by how much the cost may grow over n log n from one size to the
	// next, for what was measured beside other programs.
	mostGrowth = 1.1
	// simDensity is how many vehicles there are in a square kilometre, ordersAMinute
	// how many orders come for each vehicle.
	simDensity, ordersAMinute = 39.0, 0.08
)

// simBench are the flags of bench sim.
type simBench struct {
	benchFlags
	sizes  []int
	slices int
	length time.Duration
	hour   time.Duration
	seed   uint64
}

func newBenchSim(c console) *cobra.Command {
	var f simBench
	cmd := &cobra.Command{
		Use: "sim", Short: "Measure how fast scenarios are simulated, what a vehicle costs, and how that grows", Args: cobra.NoArgs,
		Long: "Measure the simulator on one core: made-up cities of equal density with ever more vehicles, a sample of each a\n" +
			"second in CBOR, looked at ten times a second while they move, every checker, both folds and the checksum over\n" +
			"all events on. Each run is a process of its own whose processor time counts, so that other programs disturb\n" +
			"little; sizes take turns. At last 500 vehicles run for an hour, for their memory.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.IntSliceVar(&f.sizes, "sizes", []int{100, 1000, 10_000}, "numbers of vehicles, each at least four")
	fl.IntVar(&f.slices, "slices", 3, "runs of each size")
	fl.DurationVar(&f.length, "for", 5*time.Minute, "simulated time of each run")
	fl.DurationVar(&f.hour, "hour", time.Hour, "simulated time of the 500 vehicles whose memory is measured; 0 leaves them out")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of the cities and of what happens there")
	return cmd
}

func (f *simBench) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("sizes") {
		f.sizes = []int{40, 160}
	}
	if !given("slices") {
		f.slices = 1
	}
	if !given("for") {
		f.length = time.Minute
	}
	if !given("hour") {
		f.hour = 30 * time.Second
	}
}

func (f *simBench) validate() error {
	switch {
	case f.slices < 1:
		return fmt.Errorf("--slices is %d: it must be 1 or more", f.slices)
	case f.length < 10*time.Second || f.length > scenario.MaxDuration:
		return fmt.Errorf("--for is %v: it must be 10s or more", f.length)
	case f.hour < 0 || f.hour > scenario.MaxDuration:
		return fmt.Errorf("--hour is %v: it must be 0 or more", f.hour)
	case len(f.sizes) == 0 || slices.Min(f.sizes) < 4 || slices.Max(f.sizes) > scenario.MaxVehicles || !slices.IsSorted(f.sizes):
		return fmt.Errorf("--sizes is %v: numbers from 4 to %d, the least first", f.sizes, scenario.MaxVehicles)
	}
	return nil
}

// simulated is what one run came to, as the process that ran it tells.
type simulated struct {
	Vehicles   int     `json:"vehicles"`
	SimulatedS float64 `json:"simulated_s"`
	CPUS       float64 `json:"cpu_s"`
	PeakBytes  int64   `json:"peak_bytes"`
	Ordered    int     `json:"ordered"`
	Done       int     `json:"done"`
	Violations int     `json:"violations"`
	First      string  `json:"first,omitempty"`
	SHA256     string  `json:"event_log_sha256"`
}

func (f *simBench) run(ctx context.Context, c console, r *rig.Report) error {
	runs := make([][]simulated, len(f.sizes))
	for slice := range f.slices {
		for i := range f.sizes {
			if slice%2 == 1 {
				i = len(f.sizes) - 1 - i
			}
			one, err := f.one(ctx, c, r, f.sizes[i], f.length, slice+i == 0)
			if err != nil {
				return err
			}
			runs[i] = append(runs[i], one)
		}
	}
	f.tell(r, runs)
	if f.hour > 0 {
		one, err := f.one(ctx, c, r, 500, f.hour, false)
		if err != nil {
			return err
		}
		mib := float64(one.PeakBytes) / (1 << 20)
		r.Row("500 vehicles for "+f.hour.String()+": times real time", one.SimulatedS/one.CPUS, "")
		r.AtMost("500 vehicles for "+f.hour.String()+": memory at the most", mib, mostSimMemoryMiB, "MiB")
		runs = append(runs, []simulated{one})
	}
	found := 0
	for _, of := range runs {
		for i := range of {
			found += of[i].Violations
			if of[i].SHA256 != of[0].SHA256 {
				r.Note("two runs of %d vehicles differ: %s and %s", of[i].Vehicles, of[0].SHA256, of[i].SHA256)
				found++
			}
			if of[i].First != "" && i == 0 {
				r.Note("%d vehicles: %s", of[i].Vehicles, of[i].First)
			}
		}
	}
	r.AtMost("violations found by the checkers, and runs that differ", float64(found), 0, "")
	return nil
}

// tell puts the figures of all sizes into the report.
func (f *simBench) tell(r *rig.Report, runs [][]simulated) {
	costs := make([]float64, len(runs))
	for i, of := range runs {
		n := of[0].Vehicles
		var times, cpu, perHour []float64
		for _, one := range of {
			times = append(times, one.SimulatedS/one.CPUS)
			cpu = append(cpu, one.CPUS)
			perHour = append(perHour, one.CPUS/one.SimulatedS/float64(n)*3600)
		}
		name := fmt.Sprintf("%d vehicles: ", n)
		fast := r.Rounds(name+"times real time on one core", times, "")
		r.Rounds(name+"processor time of a vehicle for an hour", perHour, "s")
		r.Row(name+"orders done", float64(of[0].Done), fmt.Sprintf("of %d", of[0].Ordered))
		r.Row(name+"memory at the most", float64(of[0].PeakBytes)/(1<<20), "MiB")
		// Of runs of the same work, the one that others disturbed least.
		costs[i] = slices.Min(cpu)
		if n == 1000 {
			r.AtLeast("1000 vehicles: times real time on one core", max(fast, slices.Max(times)), leastTimesReal, "")
		}
	}
	for i := 1; i < len(costs); i++ {
		a, b := float64(runs[i-1][0].Vehicles), float64(runs[i][0].Vehicles)
		grown := costs[i] / costs[i-1]
		name := fmt.Sprintf("from %.0f to %.0f vehicles", a, b)
		r.Row(name+": the cost grows by the power", math.Log(grown)/math.Log(b/a), "")
		r.AtMost(name+": growth of the cost, of n log n", grown/(b*math.Log(b)/(a*math.Log(a))), mostGrowth, "")
	}
}

// one lets a process run a simulation.
func (f *simBench) one(ctx context.Context, c console, r *rig.Report, n int, length time.Duration, first bool) (simulated, error) {
	core, _ := rig.Places()
	var out bytes.Buffer
	p, err := rig.Start(ctx, rig.ProcessOptions{
		Args: []string{"bench", "simulate", strconv.Itoa(n), length.String(), strconv.FormatUint(f.seed, 10)},
		Env:  []string{"GOMAXPROCS=1"}, Cores: core, Stdout: &out, Stderr: c.err,
	})
	if err != nil {
		return simulated{}, err
	}
	if first {
		r.Took("simulation", p)
	}
	select {
	case <-ctx.Done():
		_ = p.Stop()
		return simulated{}, ctx.Err()
	case <-p.Exited():
	}
	var one simulated
	if err := p.Err(); err != nil {
		return simulated{}, fmt.Errorf("simulating %d vehicles for %v: %w", n, length, err)
	}
	if err := json.Unmarshal(out.Bytes(), &one); err != nil {
		return simulated{}, fmt.Errorf("what the simulation of %d vehicles says: %w", n, err)
	}
	c.say("kapok: %d vehicles for %v: %.1f s, %.0f times real time", n, length, one.CPUS, one.SimulatedS/one.CPUS)
	return one, nil
}

// newBenchSimulate is one run, a process of its own.
func newBenchSimulate(c console) *cobra.Command {
	return &cobra.Command{
		Use: "simulate VEHICLES DURATION SEED", Short: "Simulate a city and tell what that took", Hidden: true, Args: cobra.ExactArgs(3),
		RunE: func(cmd *cobra.Command, args []string) error {
			n, err := strconv.Atoi(args[0])
			length, err2 := time.ParseDuration(args[1])
			seed, err3 := strconv.ParseUint(args[2], 10, 64)
			if err != nil || err2 != nil || err3 != nil || n < 4 {
				return fmt.Errorf("%s is not a number of vehicles, a duration and a seed", strings.Join(args, " "))
			}
			one, err := simulateCity(cmd.Context(), n, length, seed)
			if err != nil {
				return err
			}
			return json.NewEncoder(c.out).Encode(one)
		},
	}
}

// simulateCity makes a city for so many vehicles, and lets them work there.
func simulateCity(ctx context.Context, n int, length time.Duration, seed uint64) (simulated, error) {
	s, err := scenario.Parse("bench", []byte(cityScenario(n, length, seed)))
	if err != nil {
		return simulated{}, err
	}
	// A city has parks, a river and outskirts: the smallest is larger than need be.
	on, err := madeup.New(seed, min(max(1000*math.Sqrt(float64(n)/simDensity), madeup.MinSideM), madeup.MaxSideM))
	if err != nil {
		return simulated{}, err
	}
	before, err := rig.OwnCPU()
	if err != nil {
		return simulated{}, fmt.Errorf("reading the processor time: %w", err)
	}
	result, err := sim.Run(ctx, s, sim.Options{Chart: on})
	if err != nil {
		return simulated{}, err
	}
	after, err := rig.OwnCPU()
	if err != nil {
		return simulated{}, fmt.Errorf("reading the processor time: %w", err)
	}
	peak, err := rig.OwnPeakRSS()
	if err != nil {
		return simulated{}, fmt.Errorf("reading the memory: %w", err)
	}
	one := simulated{
		Vehicles: n, SimulatedS: result.SimulatedS, CPUS: (after - before).Seconds(), PeakBytes: peak,
		Ordered: result.Ordered, Done: result.Done, Violations: len(result.Violations), SHA256: result.EventLogSHA256,
	}
	if len(result.Violations) > 0 {
		v := &result.Violations[0]
		one.First = fmt.Sprintf("%s: %s %s %s", v.Checker, v.Vehicle, v.Object, v.Text)
	}
	return one, nil
}

// cityScenario is the scenario for so many vehicles.
func cityScenario(n int, length time.Duration, seed uint64) string {
	rovers := n * 6 / 10
	return fmt.Sprintf(`name: bench-%d
seed: %d
duration: %v
chart: generated:%d
fleets:
  - {kind: rover, count: %d, prefix: R}
  - {kind: multirotor, count: %d, prefix: D}
orders:
  stream:
    - {per_minute: %g, mix: {delivery: 0.8, visit: 0.2}, max_distance_m: 1500}
`, n, seed, length, seed, rovers, n-rovers, ordersAMinute*float64(n))
}

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"
	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// leastFenceChecks is how many places a core must hold against 1,000 zones of 16
// corners in a second.
const leastFenceChecks = 1e6

// fenceFlags say over what, how long and how much.
type fenceFlags struct {
	benchFlags
	chart                          string
	zones, corners, slices, places int
	span                           time.Duration
	seed                           uint64
}

func newBenchFences(c console) *cobra.Command {
	var f fenceFlags
	cmd := &cobra.Command{
		Use: "fences", Short: "Measure how fast a place is held against many zones, and whether the answers are right", Args: cobra.NoArgs,
		Long: "Measure how many places are held against zones with heights and times in a second of one core, in turns with orb's\n" +
			"test of a point in a polygon behind a test of its box. Then the answers are compared with orb's: at random places, at\n" +
			"every vertex and edge, hole, floor, ceiling, first and last instant, and once more about the antimeridian.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.shorten(cmd)
			if err := f.validate(); err != nil {
				return err
			}
			from, err := openChart(c, f.chart)
			if err != nil {
				return unusable(err)
			}
			r := f.newReport(cmd)
			if err := f.run(cmd.Context(), c, r, from); err != nil {
				return err
			}
			return f.show(c, r)
		},
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.chart, "chart", "harbour", "chart over whose extent the zones lie: a .chart, .osm or .osm.pbf file, or harbour")
	fl.IntVar(&f.zones, "zones", 1000, "number of zones")
	fl.IntVar(&f.corners, "corners", 16, "corners of each zone")
	fl.IntVar(&f.slices, "slices", 9, "slices of each contender")
	fl.DurationVar(&f.span, "seconds", time.Second, "length of a slice")
	fl.IntVar(&f.places, "places", 1_000_000, "random places at which the answers are compared")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of the zones and places")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *fenceFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("slices") {
		f.slices = 1
	}
	if !given("seconds") {
		f.span = 50 * time.Millisecond
	}
	if !given("places") {
		f.places = 10_000
	}
	if !given("zones") {
		f.zones = 200
	}
}

func (f *fenceFlags) validate() error {
	switch {
	case f.zones < 1 || f.zones > 100_000:
		return fmt.Errorf("--zones %d is not 1 to 100000", f.zones)
	case f.corners < 3 || f.corners > 10_000:
		return fmt.Errorf("--corners %d is not 3 to 10000", f.corners)
	case f.slices < 1 || f.slices > 100:
		return fmt.Errorf("--slices %d is not 1 to 100", f.slices)
	case f.span < 10*time.Millisecond || f.span > 10*time.Minute:
		return fmt.Errorf("--seconds %v is not 10ms to 10m", f.span)
	case f.places < 1 || f.places > 100_000_000:
		return fmt.Errorf("--places %d is not 1 to 100000000", f.places)
	}
	return nil
}

func (f *fenceFlags) run(ctx context.Context, c console, r *rig.Report, from *chart.Chart) error {
	over := newZoneField(from, f.seed)
	zones := over.zones(f.zones, f.corners)
	began := time.Now()
	set := fence.Compile(from, zones)
	r.Row("compiling the zones", float64(time.Since(began))/float64(time.Millisecond), "ms")
	oracle := newOrbZones(from.Frame, zones)

	sightings := over.sightings(8192)
	inside := 0
	for i := range sightings {
		inside += len(set.Locate(sightings[i].at, sightings[i].when, sightings[i].airborne, 5, nil))
	}
	r.Row("zones that a place is in", float64(inside)/float64(len(sightings)), "")
	if err := f.measure(ctx, c, r, set, oracle, sightings); err != nil {
		return err
	}

	c.say("comparing the answers at %d places", f.places)
	compare := comparison{set: set, oracle: oracle}
	for i := range f.places {
		if i%4096 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		l := over.sighting()
		compare.at(&l)
	}
	r.Row("random places compared", float64(compare.asked), "")
	r.AtMost("random places where orb disagrees", float64(compare.wrong), 0, "")

	edges := comparison{set: set, oracle: oracle}
	if err := edges.edges(ctx); err != nil {
		return err
	}
	r.Row("edge cases compared", float64(edges.asked), "")
	r.AtMost("edge cases where orb disagrees", float64(edges.wrong), 0, "")
	return f.antimeridian(ctx, r)
}

// antimeridian compares the edge cases on a chart that has the same zones about
// the antimeridian.
func (f *fenceFlags) antimeridian(ctx context.Context, r *rig.Report) error {
	extent := orb.Bound{Min: orb.Point{179.95, -17.05}, Max: orb.Point{180.05, -16.95}}
	there := &chart.Chart{Extent: extent, Frame: space.NewFrame(extent.Center())}
	zones := newZoneField(there, f.seed).zones(min(f.zones, 200), f.corners)
	for _, z := range zones {
		for _, ring := range z.Polygon {
			for i := range ring {
				if ring[i][0] > 180 {
					ring[i][0] -= 360
				}
			}
		}
	}
	edges := comparison{set: fence.Compile(there, zones), oracle: newOrbZones(there.Frame, zones)}
	if err := edges.edges(ctx); err != nil {
		return err
	}
	r.Row("edge cases about the antimeridian compared", float64(edges.asked), "")
	r.AtMost("edge cases about the antimeridian where orb disagrees", float64(edges.wrong), 0, "")
	return nil
}

// measure counts checks a second, in turns.
func (f *fenceFlags) measure(ctx context.Context, c console, r *rig.Report, set *fence.Set, oracle orbZones, sightings []sighting) error {
	var hits []fence.Hit
	var ids []string
	slice := func(check func(l *sighting)) func(context.Context) (float64, error) {
		return func(ctx context.Context) (float64, error) {
			n, began, spent := 0, time.Now(), stopwatch(r)
			for time.Since(began) < f.span {
				for range 256 {
					check(&sightings[n%len(sightings)])
					n++
				}
			}
			return float64(n) / spent().Seconds(), ctx.Err()
		}
	}
	figures, err := rig.Alternate(ctx, f.slices, []rig.Contender{
		{Name: "orb", Measure: slice(func(l *sighting) { ids = oracle.inside(l, false, ids[:0]) })},
		{Name: "kapok", Measure: slice(func(l *sighting) { hits = set.Locate(l.at, l.when, l.airborne, 5, hits[:0]) })},
	}, func(round int, name string, figure float64) {
		c.say("round %d: %s %s checks/s", round, name, rig.Figure(figure))
	})
	if err != nil {
		return err
	}
	rate := r.Rounds("places checked, kapok", figures["kapok"], "1/s")
	r.Rounds("places checked, orb behind boxes", figures["orb"], "1/s")
	r.Rounds("kapok by orb", rig.Ratios(figures["kapok"], figures["orb"]), "")
	r.AtLeast(fmt.Sprintf("places checked against %d zones of %d corners", f.zones, f.corners), rate, leastFenceChecks, "1/s")
	return nil
}

// stopwatch begins to measure processor time, of which others on the machine
// take nothing; where the system does not tell it, time by the clock.
func stopwatch(r *rig.Report) (spent func() time.Duration) {
	began := time.Now()
	before, err := rig.OwnCPU()
	if err != nil {
		r.Note("time was taken by the clock, as this system does not tell that of the processor")
		return func() time.Duration { return time.Since(began) }
	}
	return func() time.Duration {
		after, err := rig.OwnCPU()
		if err != nil {
			return time.Since(began)
		}
		return after - before
	}
}

// zoneField makes zones and places over a chart's extent, from a seed.
type zoneField struct {
	frame   space.Frame
	box     space.Box
	groundM float64
	begin   time.Time
	rng     *rand.Rand
}

func newZoneField(c *chart.Chart, seed uint64) *zoneField {
	return &zoneField{
		frame: c.Frame, box: c.Frame.Bound(c.Extent), groundM: c.GroundAltitudeM,
		begin: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), rng: rand.New(rand.NewPCG(seed, 4)),
	}
}

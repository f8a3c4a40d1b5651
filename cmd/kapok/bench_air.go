package main

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// The bounds of kapok bench air, with airBuildings buildings on flat ground in still
// air.
const (
	airBuildings  = 10_000
	mostAirP50MS  = 2.0
	mostAirP99MS  = 20.0
	mostInsertMS  = 5.0
	airLeastWayM  = 500.0
	airWindMPS    = 7.0
	airModel      = "kapok-quad"
	airInsertions = 20
)

// airFlags say how large the town is and how much is asked.
type airFlags struct {
	benchFlags
	zones, queries int
	buildings      []int
	over           []string
	seed           uint64
}

// The surroundings that --over names.
const (
	airFlat  = "flat"
	airWindy = "wind"
	airHilly = "hills"
)

func newBenchAir(c console) *cobra.Command {
	var f airFlags
	cmd := &cobra.Command{
		Use: "air", Short: "Measure flights among many buildings and zones with times", Args: cobra.NoArgs,
		Long: "Measure how long the planner takes for a flight in a town of 10 by 10 km drawn from a seed, with 500 zones with heights\n" +
			"and times, and buildings of which one in ten is higher than flights may be. The straight line of every flight is blocked\n" +
			"by one of those. Every way is held against the chart and the zones by the checks of package verify. A zone is put\n" +
			"across a way that was found, and the next question must see it. The table has towns of other sizes, hills, and a wind.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.IntSliceVar(&f.buildings, "buildings", []int{1_000, 3_000, airBuildings, 30_000}, "buildings of each town")
	fl.StringSliceVar(&f.over, "over", []string{airFlat, airWindy, airHilly}, "what is measured: flat ground in still air, flat ground in a wind, hills (these two with 10000 buildings)")
	fl.IntVar(&f.zones, "zones", 500, "zones")
	fl.IntVar(&f.queries, "queries", 500, "flights in each town")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of towns, zones and flights")
	return cmd
}

func (f *airFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("buildings") {
		f.buildings = []int{1_000}
	}
	if !given("zones") {
		f.zones = 50
	}
	if !given("queries") {
		f.queries = 30
	}
}

func (f *airFlags) validate() error {
	for _, n := range f.buildings {
		if n < 1 || n > 50_000 {
			return fmt.Errorf("--buildings %d is not 1 to 50000", n)
		}
	}
	for _, o := range f.over {
		if o != airFlat && o != airWindy && o != airHilly {
			return fmt.Errorf("--over %s is not %s, %s or %s", o, airFlat, airWindy, airHilly)
		}
	}
	if f.zones < 0 || f.zones > 5_000 {
		return fmt.Errorf("--zones %d is not 0 to 5000", f.zones)
	}
	if f.queries < 1 || f.queries > 100_000 {
		return fmt.Errorf("--queries %d is not 1 to 100000", f.queries)
	}
	return nil
}

// airCase is one town as it is measured.
type airCase struct {
	name      string
	buildings int
	relief    bool
	wind      motion.Wind
}

func (f *airFlags) run(ctx context.Context, c console, r *rig.Report) error {
	var cases []airCase
	for _, n := range f.buildings {
		if slices.Contains(f.over, airFlat) {
			cases = append(cases, airCase{name: fmt.Sprintf("%d buildings", n), buildings: n})
		}
		if n == airBuildings && slices.Contains(f.over, airWindy) {
			cases = append(cases, airCase{name: fmt.Sprintf("%d buildings, wind of %g m/s", n, airWindMPS), buildings: n, wind: motion.WindFrom(airWindMPS, 70, 2)})
		}
		if n == airBuildings && slices.Contains(f.over, airHilly) {
			cases = append(cases, airCase{name: fmt.Sprintf("%d buildings, hills", n), buildings: n, relief: true})
		}
	}
	for i := range cases {
		c.say("%s", cases[i].name)
		if err := f.measure(ctx, r, &cases[i]); err != nil {
			return err
		}
	}
	return nil
}

// flights draws the questions.
func (f *airFlags) flights(t *airTown, spec motion.Spec) []route.Query {
	var all []route.Query
	for len(all) < f.queries {
		from, to := t.place(), t.place()
		if space.Distance(from, to) < airLeastWayM || !t.blocked(from, to) {
			continue
		}
		depart := t.day.Add(time.Duration(t.rand.IntN(24*3600)) * time.Second)
		all = append(all, route.Query{From: from, To: to, Spec: spec, Depart: depart})
	}
	return all
}

// measure asks all questions in one town.
func (f *airFlags) measure(ctx context.Context, r *rig.Report, a *airCase) error {
	town, err := newAirTown(f.seed, a.buildings, f.zones, a.relief)
	if err != nil {
		return err
	}
	spec, ok := motion.Preset(airModel)
	if !ok {
		return fmt.Errorf("bench air: there is no %s", airModel)
	}
	questions := f.flights(town, spec)
	before := heapMiB()
	began := time.Now()
	p, err := route.NewPlanner(&route.World{Chart: town.chart, Zones: town.zones, Wind: a.wind})
	if err != nil {
		return fmt.Errorf("bench air: %w", err)
	}
	built := time.Since(began)
	var asked airAsked
	for i := range questions {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err := asked.ask(p, town, &questions[i]); err != nil {
			return err
		}
	}
	memory := heapMiB() - before
	insert, err := f.insert(p, town, questions)
	if err != nil {
		return err
	}
	asked.tell(r, a, built, memory, insert)
	return nil
}

// airAsked is what came of the questions.
type airAsked struct {
	ms, detour []float64
	refused    map[route.Rule]int
	unlawful   int
	example    string
}

func (a *airAsked) ask(p *route.Planner, t *airTown, q *route.Query) error {
	began := time.Now()
	way, err := p.Find(*q)
	a.ms = append(a.ms, float64(time.Since(began))/float64(time.Millisecond))
	if refusal, ok := errors.AsType[*route.Refusal](err); ok {
		if a.refused == nil {
			a.refused = map[route.Rule]int{}
		}
		a.refused[refusal.Rule]++
		return nil
	}
	if err != nil {
		return fmt.Errorf("bench air: %w", err)
	}
	a.detour = append(a.detour, way.LengthM/space.Distance(q.From, q.To))
	if found := t.check(p, q, &way); len(found) > 0 {
		a.unlawful++
		if a.example == "" {
			a.example = found[0].String()
		}
	}
	return nil
}

// check holds a way against the raw chart and zones, at the times at which it is flown.
func (t *airTown) check(p *route.Planner, q *route.Query, way *route.Route) []verify.Violation {
	flight := q.Spec.In(p.Wind(), q.LoadKg)
	times := []time.Time{q.Depart}
	seconds := 0.0
	for i := 1; i < len(way.Path); i++ {
		cost, _ := flight.Segment(t.frame.XYZ(way.Path[i-1]), t.frame.XYZ(way.Path[i]), way.SpeedsMPS[i-1])
		seconds += cost.Seconds
		times = append(times, q.Depart.Add(time.Duration(seconds*float64(time.Second))))
	}
	return verify.Timed(t.chart, t.zones, nil, q.Spec.Kind, way.Path, times)
}

// insert puts zones across ways one after the other, and returns how long each takes,
// the slowest in milliseconds. The next question must go round it.
func (f *airFlags) insert(p *route.Planner, t *airTown, questions []route.Query) (slowest float64, err error) {
	for i := range min(airInsertions, len(questions)) {
		q := &questions[i]
		way, err := p.Find(*q)
		if err != nil || len(way.Path) < 3 {
			continue
		}
		mid := t.frame.XY(way.Path[len(way.Path)/2].Point())
		if mid.Dist(t.frame.XY(q.From.Point())) < 100 || mid.Dist(t.frame.XY(q.To.Point())) < 100 {
			continue
		}
		z := t.zone(fmt.Sprintf("new%d", i))
		z.Rule, z.FloorM, z.CeilingM, z.Schedule, z.From, z.Until = "keep_out", 0, 0, nil, q.Depart.Add(-time.Hour), q.Depart.Add(24*time.Hour)
		z.HeightLimitM, z.SpeedLimitMPS = 0, 0
		ring := []space.XY{{X: mid.X - 30, Y: mid.Y - 30}, {X: mid.X + 30, Y: mid.Y - 30}, {X: mid.X + 30, Y: mid.Y + 30}, {X: mid.X - 30, Y: mid.Y + 30}}
		z.Polygon[0] = t.ring(ring)
		t.zones = append(t.zones, z)
		began := time.Now()
		p.SetZones(t.zones, nil)
		took := float64(time.Since(began)) / float64(time.Millisecond)
		slowest = max(slowest, took)
		again, err := p.Find(*q)
		if err != nil {
			continue
		}
		if found := t.check(p, q, &again); len(found) > 0 {
			return 0, fmt.Errorf("bench air: a zone that was put across a way was not seen: %s", found[0])
		}
	}
	return slowest, nil
}

// tell adds the rows and, for the town that they are for, the bounds.
func (a *airAsked) tell(r *rig.Report, c *airCase, built time.Duration, memoryMiB, insertMS float64) {
	slices.Sort(a.ms)
	p50, p99 := a.ms[len(a.ms)/2], a.ms[len(a.ms)*99/100]
	row := func(name string, value float64, unit, note string) {
		r.Rows = append(r.Rows, rig.Row{Name: c.name + ": " + name, Value: value, Unit: unit, Note: note})
	}
	row("a flight, p50", p50, "ms", "")
	row("a flight, p99", p99, "ms", fmt.Sprintf("the slowest %.3g ms", a.ms[len(a.ms)-1]))
	row("flights found", float64(len(a.detour)), "", fmt.Sprintf("of %d; refused: %v", len(a.ms), a.refused))
	row("their way to the straight line, median", rig.Median(a.detour), "times", "")
	row("planner made in", float64(built)/float64(time.Millisecond), "ms", "")
	row("memory of the planner", memoryMiB, "MiB", "")
	row("a zone is put in within", insertMS, "ms", "the slowest of 20")
	r.AtMost(c.name+": ways that break a rule", float64(a.unlawful), 0, "")
	if a.unlawful > 0 {
		r.Note("%s: %s", c.name, a.example)
	}
	if c.buildings == airBuildings && !c.relief && c.wind == (motion.Wind{}) {
		r.AtMost(c.name+": p50", p50, mostAirP50MS, "ms")
		r.AtMost(c.name+": p99", p99, mostAirP99MS, "ms")
		r.AtMost(c.name+": a zone is seen after", insertMS, mostInsertMS, "ms")
		r.AtLeast(c.name+": flights found", float64(len(a.detour))/float64(len(a.ms)), 0.8, "of 1")
	}
}

func heapMiB() float64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}

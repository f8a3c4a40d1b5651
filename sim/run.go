package sim

import (
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/fault"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// Options of a run.
type Options struct {
	// Chart is the scenario's chart, before anything is placed on it.
	Chart *chart.Chart
	// Config is the backend's; nil means fleet.DefaultConfig. The scenario's own
	// settings are applied to it.
	Config *fleet.Config
	// Wall reads a clock for Result.WallSeconds; nil leaves them at 0.
	Wall func() time.Time
	// OnEvent gets every event when it is released, in order; nil for none.
	OnEvent func(fleet.Recorded)
	// OnTrack is shown each vehicle as it truly is, once a second; it may read the
	// agent during the call only. Nil for none.
	OnTrack func(now time.Time, a *agent.Agent)
	// OnSecond is told how far the run is, each simulated second; nil for none.
	OnSecond func(done, whole time.Duration)
	// SkipFolds leaves out the comparison of both folds at every step.
	SkipFolds bool
}

// The sources of chance, one for each part, so that a change in one does not
// shift what the others draw.
const (
	chanceFleet uint64 = iota + 1
	chanceOrders
	chanceTroubles
	chanceCommits
	chancePlans
	chanceLinks
	chanceIncidents
	chanceZones
	chanceDemand
	chanceDisk
	chanceEnds
)

// world is one run.
type world struct {
	scenario scenario.Scenario
	options  Options
	config   fleet.Config
	encoding protocol.Encoding

	start time.Time
	end   int64
	now   int64
	queue queue

	chart     *chart.Chart
	endpoints []scenario.Endpoint
	vehicles  []*vehicle
	// brisk says of each vehicle whether it is looked at each stepEvery.
	brisk    []bool
	byID     map[string]*vehicle
	line     fault.Line
	backend  backend
	people   people
	vigil    vigil
	geometry *check.Geometry
	jury     *Judge
	// laid are the rings of the scenario's zones as another run laid them, empty
	// for those that it did not lay; nil when there was no other run.
	laid   []orb.Ring
	hasher hash.Hash
	frames [][]byte
	echo   echo
	out    []protocol.FromVehicle
	err    error
}

// Run simulates a scenario. An error means that the run could not be carried
// through: a bad scenario, a chart without room, a fold that differs from the
// live state (which is a fault of the backend). Broken assertions are no error;
// they stand in the Result.
func Run(ctx context.Context, s scenario.Scenario, o Options) (Result, error) {
	w, err := newWorld(s, o)
	if err != nil {
		return Result{}, err
	}
	var began time.Time
	if o.Wall != nil {
		began = o.Wall()
	}
	if err := w.run(ctx); err != nil {
		return Result{}, err
	}
	r := w.result()
	if w.err != nil {
		return Result{}, w.err
	}
	if s.Compare != "" {
		if r.Baseline, err = w.compare(ctx); err != nil {
			return Result{}, err
		}
	}
	w.assert(&r)
	if o.Wall != nil {
		r.WallSeconds = o.Wall().Sub(began).Seconds()
	}
	return r, nil
}

// compare runs the same scenario by another rule of dispatch: the same orders,
// incidents and troubles, and zones in the same places.
func (w *world) compare(ctx context.Context) (*Baseline, error) {
	o := w.options
	config := w.config
	config.Policy = fleet.Policy(w.scenario.Compare)
	o.Config, o.SkipFolds, o.OnEvent, o.OnTrack = &config, true, nil, nil
	other, err := newWorld(w.scenario, o)
	if err != nil {
		return nil, err
	}
	other.laid = make([]orb.Ring, 0, len(w.people.zones))
	for _, z := range w.people.zones {
		other.laid = append(other.laid, z.ring)
	}
	if err := other.run(ctx); err != nil {
		return nil, fmt.Errorf("by the rule %s: %w", w.scenario.Compare, err)
	}
	r := other.result()
	return &Baseline{Policy: w.scenario.Compare, Summary: r.Summary, IncidentSummary: r.IncidentSummary}, nil
}

// run lets the whole time pass.
func (w *world) run(ctx context.Context) error {
	w.begin()
	for w.err == nil {
		e, ok := w.queue.pop()
		if !ok || e.at > w.end {
			break
		}
		w.now = e.at
		w.handle(&e)
		if w.err == nil && ctx.Err() != nil {
			return fmt.Errorf("sim: %s at %v: %w", w.scenario.Name, time.Duration(w.now), ctx.Err())
		}
	}
	if w.err == nil {
		w.err = w.backend.deepCheck()
	}
	if w.err != nil {
		return fmt.Errorf("sim: %s, seed %d, at %v: %w", w.scenario.Name, w.scenario.Seed, time.Duration(w.now), w.err)
	}
	return nil
}

func newWorld(s scenario.Scenario, o Options) (*world, error) {
	w := &world{
		scenario: s, options: o, config: fleet.DefaultConfig(), encoding: protocol.CBOR,
		start: s.Start, end: int64(s.Duration + s.Settle), byID: map[string]*vehicle{}, hasher: sha256.New(),
	}
	if o.Config != nil {
		w.config = *o.Config
	}
	if s.Fleet.TelemetryInterval > 0 {
		w.config.TelemetryInterval = s.Fleet.TelemetryInterval.D()
	}
	if s.Fleet.TaskAuthority > 0 {
		w.config.TaskAuthority = s.Fleet.TaskAuthority.D()
	}
	if s.Network.Encoding == "json" {
		w.encoding = protocol.JSON
	}
	if err := checkDemand(&s); err != nil {
		return nil, err
	}
	placed, err := scenario.Place(o.Chart, s.Groups(), s.Seed)
	if err != nil {
		return nil, fmt.Errorf("sim: %s: %w", s.Name, err)
	}
	w.chart, w.endpoints = placed.Chart, placed.Endpoints
	w.geometry = check.NewGeometry(w.chart)
	agents, err := NewAgents(s, w.chart, placed.Homes)
	if err != nil {
		return nil, err
	}
	for n, a := range agents {
		v := &vehicle{n: int32(n), id: a.ID(), kind: a.Kind(), agent: a, logs: 1}
		v.rand = newChance(s.Seed, chanceLinks, uint64(n))
		w.vehicles = append(w.vehicles, v)
		w.geometry.Add(v.id, v.kind)
		w.byID[v.id] = v
	}
	w.line, w.backend = lineOf(&s.Network), newBackend(w)
	w.brisk = make([]bool, len(w.vehicles))
	w.people = people{w: w, asked: map[fleet.AlertID]*question{}, tended: map[string]*question{}}
	w.jury = newJudge(w)
	w.vigil = newVigil(&w.scenario, len(w.vehicles))
	return w, nil
}

// chance is the source of one part.
func chance(seed, part uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, part)) }

// begin puts the first events into the queue.
func (w *world) begin() {
	w.backend.boot()
	w.after(0, w.everySecond)
	w.queue.push(event{kind: vehicleSteps})
	for i, v := range w.vehicles {
		// Vehicles do not all speak at the same instant.
		phase := int64(i%phases) * int64(phase)
		w.after(time.Duration(phase), func() { w.connect(v) })
	}
	w.people.plan()
	w.planTroubles()
}

// time is the present as a time of day.
func (w *world) time() time.Time { return w.start.Add(time.Duration(w.now)) }

// after runs a function later.
func (w *world) after(d time.Duration, do func()) {
	w.queue.push(event{at: w.now + int64(d), kind: call, do: do})
}

func (w *world) handle(e *event) {
	switch e.kind {
	case call:
		e.do()
	case vehicleSteps:
		w.stepVehicles()
	case frameUp:
		w.arriveUp(e.conn, e.frame)
	case frameDown:
		w.arriveDown(e.conn, e.frame)
		w.rouse(e.conn.vehicle)
	case closeUp:
		w.endAtServer(e.conn, "the vehicle closed the link")
	case closeDown:
		w.endAtVehicle(e.conn)
	case coreStep:
		w.backend.step()
	}
}

// everySecond is the beat of deadlines and checks.
func (w *world) everySecond() {
	w.after(time.Second, w.everySecond)
	if w.backend.up() {
		w.backend.put(fleet.Tick{})
		w.tickSessions()
	}
	w.jury.beat()
	w.settle()
	w.people.look()
	w.watch()
	if seconds := w.now / int64(time.Second); seconds%10 == 0 && w.err == nil {
		w.err = w.backend.deepCheck()
	}
	if w.options.OnSecond != nil {
		w.options.OnSecond(time.Duration(w.now), time.Duration(w.end))
	}
}

// between draws a number from a range.
func between(r *rand.Rand, span []float64) float64 { return span[0] + r.Float64()*(span[1]-span[0]) }

// millis draws a time from a range in milliseconds.
func millis(r *rand.Rand, span []float64) time.Duration {
	return time.Duration(between(r, span) * float64(time.Millisecond))
}

// spans draws a time from a range of times.
func spans(r *rand.Rand, span []scenario.Duration) time.Duration {
	return span[0].D() + time.Duration(r.Float64()*float64(span[1]-span[0]))
}

// frame gives a buffer for a frame; spare takes it back.
func (w *world) frame() []byte {
	if n := len(w.frames); n > 0 {
		b := w.frames[n-1]
		w.frames = w.frames[:n-1]
		return b[:0]
	}
	return make([]byte, 0, 256)
}

func (w *world) spare(b []byte) { w.frames = append(w.frames, b) }

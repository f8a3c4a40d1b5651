package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/body"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// demoFlags say what kind of demonstration it is to be.
type demoFlags struct {
	output
	chart, data, listen string
	length              time.Duration
	speed               float64
	every               time.Duration
	seed                uint64
	drones, robots      int
}

func newDemo(c console) *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "demo", Short: "Show a fleet at work: backend, map and simulated vehicles in one process",
		Long: "Run a backend and, against it over real WebSockets and HTTP, simulated drones and robots and a dispatcher who\n" +
			"orders deliveries and now and then an urgent visit. Ends with a summary: exit status 1 when an order is lost,\n" +
			"a zone violated, or less than 90 % of the deliveries that are due are done.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), c, &f) },
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	fl.DurationVar(&f.length, "for", 0, "how long, in real time; 0 until Ctrl-C")
	fl.Float64Var(&f.speed, "speed", 1, "how much faster than real time the fleet's clock and the vehicles run")
	fl.StringVar(&f.chart, "chart", "harbour", "harbour (the embedded one), or a .chart or .osm file")
	fl.StringVar(&f.listen, "listen", "127.0.0.1:0", "address to listen on, loopback only; port 0 takes a free one")
	fl.StringVar(&f.data, "data", "", "data directory to keep; a temporary one otherwise")
	fl.IntVar(&f.drones, "drones", 12, "how many drones")
	fl.IntVar(&f.robots, "robots", 20, "how many robots")
	fl.DurationVar(&f.every, "every", 12*time.Second, "the fleet's time between two orders")
	fl.Uint64Var(&f.seed, "seed", 1, "seed of what is ordered and where vehicles start")
	f.flag(cmd, asTable, asJSON)
	return cmd
}

func (f *demoFlags) validate() error {
	switch {
	case f.drones < 0 || f.robots < 0 || f.drones+f.robots < 1 || f.drones+f.robots > 1000:
		return fmt.Errorf("--drones %d and --robots %d must be 1 to 1000 together", f.drones, f.robots)
	case f.length < 0:
		return fmt.Errorf("--for %v is negative", f.length)
	case f.every < time.Second:
		return fmt.Errorf("--every %v is less than 1s", f.every)
	}
	return nil
}

// demo is a running demonstration.
type demo struct {
	console
	flags   *demoFlags
	form    string
	backend *backend
	place   scenario.Placement
	fleet   *drive.Fleet
	client  *client.Client

	mu       sync.Mutex // guards the rest
	geometry *check.Geometry
	orders   []demoOrder
	refused  []string
}

func runDemo(ctx context.Context, c console, f *demoFlags) (err error) {
	form, err := f.choose(c.out)
	if err != nil {
		return err
	}
	d := &demo{console: c, flags: f, form: form}
	s, on, err := d.settings()
	if err != nil {
		return err
	}
	if f.data == "" {
		dir, remove, err := temporaryData()
		if err != nil {
			return err
		}
		defer remove()
		s.DataDir = dir
	}
	groups := []scenario.Group{{Kind: protocol.Multirotor, Count: f.drones}, {Kind: protocol.Rover, Count: f.robots}}
	if d.place, err = scenario.Place(on, groups, f.seed); err != nil {
		return err
	}
	d.geometry = check.NewGeometry(d.place.Chart)
	if d.backend, err = openBackend(ctx, s, d.place.Chart, newLog(c, slog.LevelError)); err != nil {
		return err
	}
	// The backend outlives the run, so that its end can be asked about.
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- d.backend.serve(serving) }()
	defer func() {
		stop()
		err = errors.Join(err, <-served)
	}()
	return d.run(ctx, groups)
}

// settings are those of the backend, and its chart.
func (d *demo) settings() (settings, *chart.Chart, error) {
	s := defaultSettings()
	s.Listen, s.Speed = d.flags.listen, d.flags.speed
	s.DataDir = d.flags.data
	if err := d.flags.validate(); err != nil {
		return s, nil, err
	}
	if err := s.validate(); err != nil {
		return s, nil, err
	}
	on, err := openChart(d.console, d.flags.chart)
	return s, on, err
}

// run drives vehicles and orders until the time is over, and sums up.
func (d *demo) run(ctx context.Context, groups []scenario.Group) error {
	simulator, err := d.backend.token("demo-vehicles", access.Simulator)
	if err != nil {
		return err
	}
	dispatcher, err := d.backend.token("demo-dispatcher", access.Dispatcher)
	if err != nil {
		return err
	}
	if d.client, err = client.New(d.backend.url, dispatcher); err != nil {
		return err
	}
	defer d.client.Close()
	d.say("kapok demo on %s: %d drones, %d robots, %d places; seed %d, speed %g",
		d.place.Chart.Name, d.flags.drones, d.flags.robots, len(d.place.Endpoints), d.flags.seed, d.flags.speed)
	if d.place.Chart.Illustrative {
		d.say("the map is illustrative: not for navigation")
	}
	d.say("look in from another terminal with: export KAPOK_URL=%s KAPOK_TOKEN=%s", d.backend.url, dispatcher)
	agents := newAgents(d.place, groups, d.flags.seed)
	d.fleet, err = drive.Start(context.WithoutCancel(ctx), drive.Options{
		URL: d.backend.url, Token: simulator, Clock: d.backend.clock.now, Step: stepAt(d.flags.speed), Encoding: protocol.CBOR,
		Look: d.look,
	}, agents)
	if err != nil {
		return err
	}
	defer d.fleet.Stop()
	d.waitForVehicles(ctx)
	began := time.Now()
	during, cancel := context.WithCancel(ctx)
	if d.flags.length > 0 {
		during, cancel = context.WithTimeout(ctx, d.flags.length)
	}
	defer cancel()
	var work sync.WaitGroup
	work.Go(func() { d.keepOrdering(during) })
	d.show(during, began)
	work.Wait()
	return d.conclude(context.WithoutCancel(ctx), began)
}

// stepAt is the wall time between two steps of a vehicle: about 0.4 s of the
// fleet's time where the machine can keep up with that.
func stepAt(speed float64) time.Duration {
	return min(max(time.Duration(0.4/speed*float64(time.Second)), 25*time.Millisecond), 100*time.Millisecond)
}

// waitForVehicles waits until most vehicles have logged in, a few seconds at
// most.
func (d *demo) waitForVehicles(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		live := 0
		for _, p := range d.backend.engine.View().State.Volatile.Presences {
			if p.Known {
				live++
			}
		}
		if live >= d.flags.drones+d.flags.robots {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// look judges where a vehicle truly is.
func (d *demo) look(now time.Time, a *agent.Agent) {
	b := a.Body()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.geometry.Look(now, a.ID(), b.Figures.Kind, b.At, b.SpeedMPS)
}

// newAgents puts vehicles at their homes.
func newAgents(place scenario.Placement, groups []scenario.Group, seed uint64) []*agent.Agent {
	draw := rand.New(rand.NewPCG(seed, 0x6167656e7473))
	on := place.Chart
	var agents []*agent.Agent
	for i, g := range groups {
		prefix, model := "drone", "kapok-quad"
		if g.Kind == protocol.Rover {
			prefix, model = "robot", "kapok-rover"
		}
		figures, _ := body.FiguresOf(g.Kind)
		for n, home := range place.Homes[i] {
			id := fmt.Sprintf("%s-%d", prefix, n+1)
			b := body.New(figures, on.Frame.XYZ(home.Position), on.GroundAltitude(home.Position.Point()), 0.75+0.25*draw.Float64())
			if on.Terrain != nil {
				b.Ground = on.GroundAltitudeXY
			}
			agents = append(agents, agent.New(agent.Options{
				ID: id, Kind: g.Kind, Model: model, MaxLoadKg: figures.MaxLoadKg, Frame: on.Frame,
				ClockError: time.Duration(draw.IntN(801)-400) * time.Millisecond,
			}, b, agent.NewStore(fmt.Sprintf("%s-%d", id, time.Now().UnixNano())), agent.NewTruth()))
		}
	}
	return agents
}

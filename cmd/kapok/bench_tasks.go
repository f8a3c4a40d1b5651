package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// The bounds of kapok bench tasks.
const (
	// leastOrders is how many orders a second are answered durably when clients
	// order as fast as they can.
	leastOrders = 100
	// mostAnswer is how long an order takes to its durable answer at a steady pace,
	// and mostMission to the mission at the vehicle, for 99 of 100.
	mostAnswer  = 250 * time.Millisecond
	mostMission = 2 * time.Second
	// leastArrived is how many of the orders of a steady pace must come to a vehicle.
	leastArrived = 0.99
	// arriveWithin is how long missions are waited for.
	arriveWithin = 30 * time.Second
)

// tasksFlags say how long and how much.
type tasksFlags struct {
	benchFlags
	slices, vehicles, clients, burst int
	span                             time.Duration
	ordersHz                         float64
	profile                          string
}

func newBenchTasks(c console) *cobra.Command {
	var f tasksFlags
	cmd := &cobra.Command{
		Use: "tasks", Short: "Measure how fast orders are answered and come to vehicles", Args: cobra.NoArgs,
		Long: "Measure orders over HTTP against one server with live vehicles: as many as clients can place one after the other, and\n" +
			"then at a steady pace. An order is answered when it is on the disk. In turns with them come slices in which the same\n" +
			"clients read tasks, and slices in which nobody asks anything: what an order costs is what the server used beyond\n" +
			"those, from the first order until the last mission is at its vehicle. Between slices all tasks are cancelled.",
		RunE: measuring(c, &f),
	}
	f.flags(cmd)
	fl := cmd.Flags()
	fl.IntVar(&f.slices, "slices", 9, "slices of each contender")
	fl.DurationVar(&f.span, "seconds", 5*time.Second, "length of a slice")
	fl.IntVar(&f.vehicles, "vehicles", 500, "vehicles that are there, each with a sample a second")
	fl.IntVar(&f.clients, "clients", 8, "clients who order or read at the same time")
	fl.IntVar(&f.burst, "burst", 400, "orders that are placed as fast as possible in a slice")
	fl.Float64Var(&f.ordersHz, "orders-hz", 20, "orders a second at the steady pace")
	fl.StringVar(&f.profile, "profile", "", "file for a processor profile of kapok serve over the whole run")
	return cmd
}

// shorten makes a quick run of it, where the flags do not say otherwise.
func (f *tasksFlags) shorten(cmd *cobra.Command) {
	if !f.quick {
		return
	}
	given := cmd.Flags().Changed
	if !given("slices") {
		f.slices = 1
	}
	if !given("seconds") {
		f.span = 500 * time.Millisecond
	}
	if !given("vehicles") {
		f.vehicles = 30
	}
	if !given("burst") {
		f.burst = 20
	}
}

func (f *tasksFlags) validate() error {
	switch {
	case f.slices < 1 || f.slices > 100:
		return fmt.Errorf("--slices %d is not 1 to 100", f.slices)
	case f.span < 100*time.Millisecond || f.span > 10*time.Minute:
		return fmt.Errorf("--seconds %v is not 100ms to 10m", f.span)
	case f.vehicles < 1 || f.vehicles > 10_000:
		return fmt.Errorf("--vehicles %d is not 1 to 10000", f.vehicles)
	case f.clients < 1 || f.clients > 100:
		return fmt.Errorf("--clients %d is not 1 to 100", f.clients)
	case f.burst < 1 || f.burst > 5000:
		return fmt.Errorf("--burst %d is not 1 to 5000", f.burst)
	case !(f.ordersHz > 0 && f.ordersHz*f.span.Seconds() <= 5000):
		return fmt.Errorf("--orders-hz %g is not above 0 and at most 5000 orders a slice", f.ordersHz)
	}
	return nil
}

// tasksRun is a run.
type tasksRun struct {
	*tasksFlags
	report  *rig.Report
	server  *rig.Server
	load    *rig.LoadProcess
	clients []*client.Client
	stops   []api.Position
	// half and most are how long answers and missions took, in ms, in the median and
	// for 99 of 100, slice by slice; costs are the CPU-ms of each order or read
	// beyond what the server costs in peace.
	half, most, costs map[string][]float64
	// idle are the CPU-ms a second in peace, shares those of the orders of a steady
	// pace that came to a vehicle.
	idle, shares []float64
}

// The contenders.
const (
	nobodyAsks  = "nobody asks"
	tasksRead   = "tasks are read"
	ordersBurst = "orders as fast as possible"
	ordersPaced = "orders at a steady pace"
)

func (f *tasksFlags) run(ctx context.Context, c console, r *rig.Report) (err error) {
	serverCores, loadCores := rig.Places()
	b := &tasksRun{tasksFlags: f, report: r, half: map[string][]float64{}, most: map[string][]float64{}, costs: map[string][]float64{}}
	if b.stops, err = visited(); err != nil {
		return err
	}
	unbound := []string{"--token-rate", "1000000", "--token-burst", "1000000", "--address-rate", "1000000", "--address-burst", "1000000"}
	if b.server, err = rig.StartServer(ctx, rig.ServerOptions{Cores: serverCores, Profile: f.profile, Args: unbound}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.Stop()) }()
	b.load, err = rig.StartLoadProcess(ctx, rig.ProcessOptions{Cores: loadCores}, rig.LoadOptions{
		URL: b.server.URL, Token: b.server.Tokens.Simulator, Vehicles: f.vehicles, FramesHz: 1, Answer: true,
	})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.load.Stop()) }()
	r.Took("kapok serve", b.server.Process)
	r.Took("vehicles", b.load.Process)
	for range f.clients {
		one, err := client.New(b.server.URL, b.server.Tokens.Dispatcher)
		if err != nil {
			return err
		}
		defer one.Close()
		b.clients = append(b.clients, one)
	}
	if err := pass(ctx, 2*time.Second); err != nil {
		return err
	}
	figures, err := rig.Alternate(ctx, f.slices, []rig.Contender{
		{Name: nobodyAsks, Measure: b.nobody},
		{Name: tasksRead, Measure: b.read},
		{Name: ordersBurst, Measure: b.hurry},
		{Name: ordersPaced, Measure: b.pace},
	}, func(round int, name string, figure float64) {
		c.say("round %d of %d: %s: %s", round, f.slices, name, rig.Figure(figure))
	})
	if err != nil {
		return err
	}
	b.conclude(figures)
	return nil
}

// used measures the processor time of the server, in ms, and how long f took.
func (b *tasksRun) used(f func() error) (cpu, span float64, err error) {
	begun := time.Now()
	before, err := b.server.CPU()
	if err != nil {
		return 0, 0, err
	}
	if err := f(); err != nil {
		return 0, 0, err
	}
	after, err := b.server.CPU()
	return float64((after - before).Microseconds()) / 1e3, time.Since(begun).Seconds(), err
}

// nobody measures the server in peace: the share of a core, in per cent.
func (b *tasksRun) nobody(ctx context.Context) (float64, error) {
	cpu, span, err := b.used(func() error { return pass(ctx, b.span) })
	b.idle = append(b.idle, cpu/span)
	return cpu / span / 10, err
}

// beyond is what each of n costs beyond what nobody costs, in CPU-ms.
func (b *tasksRun) beyond(cpu, span float64, n int) float64 {
	peace := 0.0
	if len(b.idle) > 0 {
		peace = b.idle[len(b.idle)-1] * span
	}
	return (cpu - peace) / float64(max(n, 1))
}

// together lets all clients do something until it is false.
func (b *tasksRun) together(do func(c *client.Client) bool) {
	var work sync.WaitGroup
	for _, c := range b.clients {
		work.Go(func() {
			for do(c) {
			}
		})
	}
	work.Wait()
}

// read lets the clients read one task, one after the other: reads a second.
func (b *tasksRun) read(ctx context.Context) (float64, error) {
	task, err := b.order(ctx, b.clients[0], 0)
	if err != nil {
		return 0, err
	}
	var mu sync.Mutex
	var delays rig.Delays
	failed := error(nil)
	cpu, span, err := b.used(func() error {
		end := time.Now().Add(b.span)
		b.together(func(c *client.Client) bool {
			begun := time.Now()
			_, err := c.Task(ctx, task)
			mu.Lock()
			defer mu.Unlock()
			delays.Add(time.Since(begun))
			failed = errors.Join(failed, err)
			return err == nil && time.Now().Before(end)
		})
		return failed
	})
	if err != nil {
		return 0, err
	}
	b.note(tasksRead, &delays)
	b.costs[tasksRead] = append(b.costs[tasksRead], b.beyond(cpu, span, int(delays.N())))
	return float64(delays.N()) / span, b.clear(ctx)
}

func (b *tasksRun) note(name string, d *rig.Delays) {
	q := d.Quantiles()
	b.half[name], b.most[name] = append(b.half[name], q.P50MS), append(b.most[name], q.P99MS)
}

// order orders visit number n and returns the task.
func (b *tasksRun) order(ctx context.Context, c *client.Client, n int) (string, error) {
	task, err := c.Order(ctx, newKey(), api.Order{
		Kind: "visit", Priority: "routine", Stops: []api.OrderStop{{Position: &b.stops[n%len(b.stops)], WorkS: 10}},
	})
	return task.ID, err
}

// booked are orders that were answered: when they were placed.
type booked struct {
	mu     sync.Mutex
	placed map[string]time.Time
	delays rig.Delays
	failed error
}

// take places an order that was due at a time and books it.
func (b *tasksRun) take(ctx context.Context, k *booked, c *client.Client, n int, due time.Time) {
	task, err := b.order(ctx, c, n)
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.failed = errors.Join(k.failed, err)
		return
	}
	k.delays.Add(time.Since(due))
	k.placed[task] = due
}

// hurry places a number of orders as fast as the clients can: orders a second.
func (b *tasksRun) hurry(ctx context.Context) (float64, error) {
	k := &booked{placed: map[string]time.Time{}}
	return b.measure(ctx, ordersBurst, k, func() (float64, error) {
		var mu sync.Mutex
		n := 0
		begun := time.Now()
		b.together(func(c *client.Client) bool {
			mu.Lock()
			mine := n
			n++
			mu.Unlock()
			if mine >= b.burst {
				return false
			}
			b.take(ctx, k, c, mine, time.Now())
			return true
		})
		return float64(b.burst) / time.Since(begun).Seconds(), k.failed
	})
}

// pace places orders at a steady pace, whether or not those before are answered.
// Each counts from when it was due.
func (b *tasksRun) pace(ctx context.Context) (float64, error) {
	k := &booked{placed: map[string]time.Time{}}
	return b.measure(ctx, ordersPaced, k, func() (float64, error) {
		due := make(chan time.Time, 5000)
		var work sync.WaitGroup
		for i, c := range b.clients {
			work.Go(func() {
				for at := range due {
					b.take(ctx, k, c, i+int(at.UnixMilli()), at)
				}
			})
		}
		n := max(1, int(b.ordersHz*b.span.Seconds()))
		ticker := time.NewTicker(time.Duration(float64(time.Second) / b.ordersHz))
		defer ticker.Stop()
		begun := time.Now()
		for range n {
			select {
			case at := <-ticker.C:
				due <- at
			case <-ctx.Done():
			}
		}
		close(due)
		work.Wait()
		return float64(n) / time.Since(begun).Seconds(), errors.Join(k.failed, ctx.Err())
	})
}

// measure lets orders be placed, waits until they are at vehicles, and clears up.
func (b *tasksRun) measure(ctx context.Context, name string, k *booked, place func() (float64, error)) (rate float64, err error) {
	if _, err := b.load.Report(); err != nil { // Forgets the tasks of before.
		return 0, err
	}
	var missions rig.Delays
	cpu, span, err := b.used(func() error {
		if rate, err = place(); err != nil {
			return err
		}
		return b.await(ctx, k, &missions)
	})
	if err != nil {
		return 0, err
	}
	b.note(name, &k.delays)
	b.note(name+missionsOf, &missions)
	b.costs[name] = append(b.costs[name], b.beyond(cpu, span, int(k.delays.N())))
	if name == ordersPaced {
		b.shares = append(b.shares, float64(missions.N())/float64(max(1, k.delays.N())))
	}
	return rate, b.clear(ctx)
}

// missionsOf marks the delays of missions of a contender.
const missionsOf = ": missions"

// await collects the arrivals of all tasks that were booked.
func (b *tasksRun) await(ctx context.Context, k *booked, missions *rig.Delays) error {
	until := time.Now().Add(arriveWithin)
	for len(k.placed) > 0 && time.Now().Before(until) {
		seen, err := b.load.Report()
		if err != nil {
			return err
		}
		for task, at := range seen.Tasks {
			if due, ok := k.placed[task]; ok {
				missions.Add(at.Sub(due))
				delete(k.placed, task)
			}
		}
		if len(k.placed) == 0 {
			return nil
		}
		if err := pass(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

// clear cancels all tasks that are not final, and waits until none is.
func (b *tasksRun) clear(ctx context.Context) error {
	until := time.Now().Add(2 * arriveWithin)
	for time.Now().Before(until) {
		open, err := b.open(ctx)
		if err != nil || len(open) == 0 {
			return err
		}
		var mu sync.Mutex
		b.together(func(c *client.Client) bool {
			mu.Lock()
			if len(open) == 0 {
				mu.Unlock()
				return false
			}
			id := open[0]
			open = open[1:]
			mu.Unlock()
			_, _ = c.Cancel(ctx, newKey(), id, "the slice is over") // It is tried again.
			return true
		})
		if err := pass(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("tasks are not cancelled within %v", 2*arriveWithin)
}

// open are the tasks that are not final.
func (b *tasksRun) open(ctx context.Context) ([]string, error) {
	var all []string
	for _, state := range []string{"waiting", "assigned", "underway"} {
		tasks, err := b.clients[0].Tasks(ctx, url.Values{"state": {state}})
		if err != nil {
			return nil, err
		}
		for i := range tasks {
			all = append(all, tasks[i].ID)
		}
	}
	return all, nil
}

// conclude turns the figures into rows and checks.
func (b *tasksRun) conclude(figures map[string][]float64) {
	r := b.report
	r.Rounds(fmt.Sprintf("%d vehicles, nobody asks", b.vehicles), figures[nobodyAsks], "% of a core")
	r.Rounds("tasks read", figures[tasksRead], "reads/s")
	r.Rounds("tasks read, each", b.costs[tasksRead], "CPU-ms")
	r.Rounds("tasks read, answer, half", b.half[tasksRead], "ms")
	r.Rounds("tasks read, answer, 99 of 100", b.most[tasksRead], "ms")
	rates, answered, arrived := map[string]float64{}, map[string]float64{}, map[string]float64{}
	for _, name := range []string{ordersBurst, ordersPaced} {
		rates[name] = r.Rounds(name, figures[name], "orders/s")
		r.Rounds(name+", each, its planning and mission included", b.costs[name], "CPU-ms")
		r.Rounds(name+", durable answer, half", b.half[name], "ms")
		answered[name] = r.Rounds(name+", durable answer, 99 of 100", b.most[name], "ms")
		r.Rounds(name+", mission at the vehicle, half", b.half[name+missionsOf], "ms")
		arrived[name] = r.Rounds(name+", mission at the vehicle, 99 of 100", b.most[name+missionsOf], "ms")
	}
	r.AtLeast(ordersBurst, rates[ordersBurst], leastOrders, "orders/s")
	r.AtMost(ordersPaced+", durable answer, 99 of 100", answered[ordersPaced], float64(mostAnswer.Milliseconds()), "ms")
	r.AtMost(ordersPaced+", mission at the vehicle, 99 of 100", arrived[ordersPaced], float64(mostMission.Milliseconds()), "ms")
	r.AtLeast(ordersPaced+", that came to a vehicle", rig.Median(b.shares), leastArrived, "of 1")
	r.Note("the %d clients run beside the vehicles, unpinned, and keep their connections; limits of requests are lifted", len(b.clients))
}

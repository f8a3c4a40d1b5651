package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// built is the real binary, made once for all tests that start it.
var built struct {
	once   sync.Once
	dir    string
	failed error
}

func TestMain(m *testing.M) {
	status := m.Run()
	if built.dir != "" {
		_ = os.RemoveAll(built.dir)
	}
	os.Exit(status)
}

// buildKapok builds the real binary.
func buildKapok(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.dir, built.failed = os.MkdirTemp("", "kapok-test-"); built.failed != nil {
			return
		}
		// It outlives the test that asked first.
		build := exec.CommandContext(context.WithoutCancel(t.Context()), "go", "build", "-o", filepath.Join(built.dir, "kapok"), ".")
		build.Env = append(build.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			built.failed = fmt.Errorf("building kapok: %w\n%s", err, out)
		}
	})
	if built.failed != nil {
		t.Fatal(built.failed)
	}
	return filepath.Join(built.dir, "kapok")
}

// stand is a real kapok serve on a port and a directory that stay the same over
// its deaths, with vehicles and people around it that live on.
type stand struct {
	t      *testing.T
	binary string
	dir    string
	addr   string
	flags  []string
	speed  float64
	clock  fleetClock
	place  scenario.Placement
	fleet  *drive.Fleet
	client *client.Client

	// ends are the places that orders are for, none far from a rover's home.
	ends []scenario.Endpoint
	// posting gets a note when an order is posted and somebody listens.
	posting chan struct{}

	process *exec.Cmd
	// exited gets what became of the process.
	exited chan string
	said   *talk

	mu sync.Mutex // guards what follows
	// tasks are the ids by the keys of the orders that were answered.
	tasks map[string]string
	asked int
	// repeats counts posts that were not answered, again answers to a second
	// post with the key of one that was.
	repeats, again int
	decisions      int
}

func newStand(t *testing.T, binary string, seed uint64, speed float64, flags ...string) *stand {
	t.Helper()
	r := &stand{t: t, binary: binary, dir: t.TempDir(), speed: speed, flags: flags, said: &talk{}, tasks: map[string]string{}, posting: make(chan struct{})}
	r.addr = freeAddress(t)
	var err error
	if r.clock, err = openClock(r.dir, speed); err != nil {
		t.Fatal(err)
	}
	store, err := openTokens(r.dir)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[access.Role]string{}
	for _, role := range []access.Role{access.Dispatcher, access.Simulator} {
		if secrets[role], err = createToken(store, access.Token{Name: string(role), Role: role, Fleet: defaultFleet}); err != nil {
			t.Fatal(err)
		}
	}
	if r.client, err = client.New("http://"+r.addr, secrets[access.Dispatcher]); err != nil {
		t.Fatal(err)
	}
	on, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	groups := []scenario.Group{{Kind: protocol.Multirotor, Count: 15}, {Kind: protocol.Rover, Count: 15}}
	if r.place, err = scenario.Place(on, groups, seed); err != nil {
		t.Fatal(err)
	}
	r.ends = near(r.place, r.place.Homes[1])
	r.start()
	r.fleet, err = drive.Start(context.WithoutCancel(t.Context()), drive.Options{
		URL: "http://" + r.addr, Token: secrets[access.Simulator], Clock: r.clock.now, Step: stepAt(speed), Encoding: protocol.CBOR,
	}, newAgents(r.place, groups, seed))
	if err != nil {
		t.Fatal(err)
	}
	// With all of them there, no early order is given to the few that were first.
	await(t, "the position of every vehicle", func() bool {
		vehicles, err := r.client.Vehicles(t.Context(), nil)
		return err == nil && len(vehicles) == len(r.place.Homes[0])+len(r.place.Homes[1]) &&
			!slices.ContainsFunc(vehicles, func(v api.Vehicle) bool { return v.Position == nil })
	})
	return r
}

// start starts the server and waits until it is ready.
func (r *stand) start() {
	r.t.Helper()
	args := append([]string{"serve", "--data", r.dir, "--listen", r.addr, "--speed", fmt.Sprint(r.speed)}, r.flags...)
	r.process = exec.CommandContext(context.WithoutCancel(r.t.Context()), r.binary, args...)
	r.process.Stderr = r.said
	if err := r.process.Start(); err != nil {
		r.t.Fatalf("starting kapok: %v", err)
	}
	r.exited = make(chan string, 1)
	go func(p *exec.Cmd, exited chan string) { exited <- fmt.Sprint(p.Wait()) }(r.process, r.exited)
	deadline := time.After(20 * time.Second)
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for r.client.Ready(r.t.Context()) != nil {
		select {
		case how := <-r.exited:
			r.t.Fatalf("kapok serve ended by itself: %s\n%s", how, r.said)
		case <-deadline:
			r.t.Fatalf("kapok serve is not ready after 20 s\n%s", r.said)
		case <-ticker.C:
		}
	}
}

// kill ends the server with SIGKILL; that it still runs until then is part of
// the test.
func (r *stand) kill() {
	r.t.Helper()
	select {
	case how := <-r.exited:
		r.t.Fatalf("kapok serve ended by itself: %s\n%s", how, r.said)
	default:
	}
	if err := r.process.Process.Kill(); err != nil {
		r.t.Fatalf("killing kapok: %v", err)
	}
	<-r.exited
	r.client.Close()
}

// end ends everything.
func (r *stand) end() {
	if r.fleet != nil {
		r.fleet.Stop()
	}
	_ = r.process.Process.Kill()
	select {
	case <-r.exited:
	case <-time.After(5 * time.Second):
	}
}

// order orders one task under a key, and repeats that until there is an answer.
func (r *stand) order(ctx context.Context, key string, order api.Order, twice bool) {
	r.mu.Lock()
	r.asked++
	r.mu.Unlock()
	for {
		select {
		case r.posting <- struct{}{}:
		default:
		}
		task, err := r.client.Order(ctx, key, order)
		if ctx.Err() != nil {
			return
		}
		if problem, ok := errors.AsType[*client.ProblemError](err); ok && problem.Status < 500 {
			r.t.Errorf("order %s was refused: %v", key, err)
			return
		}
		r.mu.Lock()
		known, answered := r.tasks[key]
		switch {
		case err != nil:
			r.repeats++
		case answered && known != task.ID:
			r.t.Errorf("order %s became task %s and then task %s", key, known, task.ID)
		case answered:
			r.again++
			twice = false
		default:
			r.tasks[key] = task.ID
		}
		r.mu.Unlock()
		if err == nil && !twice {
			return
		}
		if !pause(ctx, 150*time.Millisecond) {
			return
		}
	}
}

// pause waits, and reports false when ctx ends first.
func pause(ctx context.Context, span time.Duration) bool {
	timer := time.NewTimer(span)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// near lists the endpoints that are not far from one of the homes.
func near(place scenario.Placement, homes []scenario.Home) []scenario.Endpoint {
	frame := place.Chart.Frame
	var ends []scenario.Endpoint
	for _, e := range place.Endpoints {
		for _, h := range homes {
			if frame.XY(e.Position.Point()).Dist(frame.XY(h.Position.Point())) < 250 {
				ends = append(ends, e)
				break
			}
		}
	}
	return ends
}

// drawn is an order between places near each other.
func (r *stand) drawn(draw *rand.Rand, n int) api.Order {
	frame := r.place.Chart.Frame
	from := r.ends[draw.IntN(len(r.ends))]
	stop := func(e scenario.Endpoint) api.OrderStop {
		return api.OrderStop{Position: &api.Position{Lon: e.Position.Lon, Lat: e.Position.Lat}, WorkS: 6}
	}
	if n%6 == 5 {
		return api.Order{Kind: "visit", Priority: "urgent", Stops: []api.OrderStop{stop(from)}}
	}
	to := from
	for range 500 {
		e := r.ends[draw.IntN(len(r.ends))]
		if far := frame.XY(e.Position.Point()).Dist(frame.XY(from.Position.Point())); far > 30 && far < 300 {
			to = e
			break
		}
	}
	return api.Order{Kind: "delivery", LoadKg: 1, Stops: []api.OrderStop{stop(from), stop(to)}}
}

// decide is a person who looks at the vehicles when Kapok asks.
func (r *stand) decide(ctx context.Context) {
	asked := map[string]time.Time{}
	for n := 0; pause(ctx, 200*time.Millisecond); n++ {
		alerts, err := r.client.Alerts(ctx, url.Values{"open": {"true"}, "kind": {"decision_needed"}})
		if err != nil {
			continue
		}
		for _, a := range alerts {
			if asked[a.ID].IsZero() {
				asked[a.ID] = time.Now()
			}
			// About fifteen seconds of the fleet's time.
			if time.Since(asked[a.ID]) < r.clock.wall(15*time.Second) {
				continue
			}
			task, err := r.client.Task(ctx, a.Task)
			if err != nil {
				continue
			}
			if r.resolve(ctx, fmt.Sprintf("person-%s-%d", a.ID, n), &task) {
				asked[a.ID] = time.Now()
			}
		}
	}
}

// resolve answers for the first stop in doubt, by what can be seen there.
func (r *stand) resolve(ctx context.Context, key string, task *api.Task) bool {
	stop := -1
	for i := range task.Stops {
		if task.Stops[i].Doubt {
			stop = i + 1
			break
		}
		if stop < 0 && task.Stops[i].State != "done" {
			stop = i + 1
		}
	}
	if stop < 0 || final(task.State) {
		return false
	}
	outcome, sure := r.see(agent.StopKey{Task: task.ID, Stop: stop})
	if !sure {
		return false
	}
	_, err := r.client.Resolve(ctx, key, task.ID, api.Resolution{Stop: stop, Outcome: outcome, Reason: "seen at the vehicle"})
	if err == nil {
		r.mu.Lock()
		r.decisions++
		r.mu.Unlock()
		r.t.Logf("%s person: stop %d of task %s is %s", clock(r.clock.now()), stop, task.ID, outcome)
	}
	return err == nil
}

// see tells the truth about a stop, and false while a vehicle is at work on it.
func (r *stand) see(key agent.StopKey) (outcome string, sure bool) {
	outcome, sure = "not_done", true
	for _, v := range r.fleet.Vehicles() {
		v.With(func(a *agent.Agent) {
			switch {
			case a.Truth().Done[key] > 0:
				outcome = "done"
			case a.AtWork(key):
				sure = false
			}
		})
	}
	return outcome, sure || outcome == "done"
}

// open counts orders that are not answered, or whose tasks are not final.
func (r *stand) open(ctx context.Context) (open int, tasks map[string]*api.Task, err error) {
	list, err := r.client.Tasks(ctx, nil)
	if err != nil {
		return 0, nil, err
	}
	tasks = map[string]*api.Task{}
	for i := range list {
		tasks[list[i].ID] = &list[i]
		if !final(list[i].State) {
			open++
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return open + r.asked - len(r.tasks), tasks, nil
}

// judge holds what Kapok says, and what truly was done, against the orders.
func (r *stand) judge(tasks map[string]*api.Task) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.tasks) != r.asked {
		r.t.Errorf("%d of %d orders were answered", len(r.tasks), r.asked)
	}
	if len(tasks) != len(r.tasks) {
		r.t.Errorf("there are %d tasks for %d orders", len(tasks), len(r.tasks))
	}
	for key, id := range r.tasks {
		task := tasks[id]
		if task == nil {
			r.t.Errorf("order %s was answered with task %s, which is not known any more", key, id)
			continue
		}
		if task.State != "done" {
			r.t.Errorf("order %s: %s\n%s", key, taskLine(task), r.story(id))
		}
		for i := range task.Stops {
			if n := r.fleet.Done(id, i+1); n != 1 && (task.State == "done" || n > 1) {
				r.t.Errorf("stop %d of task %s was done %d times\n%s", i+1, id, n, r.story(id))
			}
		}
	}
	for _, breach := range r.fleet.Breaches() {
		r.t.Errorf("impossible demand: %s", breach)
	}
}

// story is what the events say about a task.
func (r *stand) story(task string) string {
	events, err := r.client.Events(context.WithoutCancel(r.t.Context()), url.Values{"task": {task}})
	if err != nil {
		return err.Error()
	}
	var b bytes.Buffer
	for _, e := range events {
		data := fmt.Sprint(e.Data)
		fmt.Fprintf(&b, "    %s %d %s (%s, because of %d) %s\n", clock(e.Time), e.Index, e.Type, e.Actor, e.Cause, data[:min(len(data), 250)])
	}
	return b.String()
}

package main

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/fleet/access"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestExampleClient lets the vehicle of docs/example-client, which knows Kapok
// from docs/protocol.md alone, log in to a real kapok serve, take a visit a few
// metres away and report it done.
func TestExampleClient(t *testing.T) {
	t.Parallel()
	example := filepath.Join(t.TempDir(), "example-client")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", example, "../../docs/example-client")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v\n%s", err, out)
	}
	dir := t.TempDir()
	addr := freeAddress(t)
	people, vehicle := exampleTokens(t, dir)
	on, err := client.New("http://"+addr, people)
	if err != nil {
		t.Fatal(err)
	}
	serve := exec.CommandContext(t.Context(), buildKapok(t), "serve", "--data", dir, "--listen", addr)
	startUntilEnd(t, serve)
	await(t, "the server", func() bool { return on.Ready(t.Context()) == nil })

	place, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	home := place.Ground.Nodes[0].Point
	rover := exec.CommandContext(t.Context(), example, "-url", "ws://"+addr+"/v1/link",
		"-lon", fmt.Sprint(home[0]), "-lat", fmt.Sprint(home[1]))
	rover.Env = append(rover.Environ(), "KAPOK_TOKEN="+vehicle)
	startUntilEnd(t, rover)
	await(t, "the vehicle's first sample", func() bool {
		v, err := on.Vehicle(t.Context(), "rover-1")
		return err == nil && v.Position != nil
	})
	task, err := on.Order(t.Context(), "order-1", api.Order{Kind: "visit", Stops: []api.OrderStop{{
		Position: &api.Position{Lon: home[0] + 5e-5, Lat: home[1]}, WorkS: 2,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	if task.Vehicle != "rover-1" || task.PromisedAt.IsZero() {
		t.Fatalf("the order was answered with %+v", task)
	}
	await(t, "the end of the task", func() bool {
		task, err = on.Task(t.Context(), task.ID)
		return err == nil && task.State == "done"
	})
	events, err := on.Events(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var story []string
	for _, e := range events {
		story = append(story, e.Type)
	}
	const want = "task_ordered task_changed mission_issued"
	if told := strings.Join(story, " "); !strings.Contains(told, want) || !strings.Contains(told, "mission_answered") {
		t.Errorf("the events do not tell the story %q: %s", want, told)
	}
}

// exampleTokens makes a dispatcher's token and that of the vehicle rover-1.
func exampleTokens(t *testing.T, dir string) (people, vehicle string) {
	t.Helper()
	store, err := openTokens(dir)
	if err != nil {
		t.Fatal(err)
	}
	if people, err = createToken(store, access.Token{Name: "alice", Role: access.Dispatcher, Fleet: defaultFleet}); err != nil {
		t.Fatal(err)
	}
	if vehicle, err = createToken(store, access.Token{Name: "rover-1", Role: access.Vehicle, Vehicle: "rover-1", Fleet: defaultFleet}); err != nil {
		t.Fatal(err)
	}
	return people, vehicle
}

// freeAddress is a loopback address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}()
	return listener.Addr().String()
}

// startUntilEnd starts a process that is killed and waited for at the end of
// the test.
func startUntilEnd(t *testing.T, c *exec.Cmd) {
	t.Helper()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// It was told to end; how it did so does not matter.
		_ = c.Process.Kill()
		_ = c.Wait()
	})
}

// await looks ten times a second until something is so, for a minute at most.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	deadline := time.After(time.Minute)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for !so() {
		select {
		case <-deadline:
			t.Fatalf("%s did not come within a minute", what)
		case <-ticker.C:
		}
	}
}

package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

const (
	// commandsAtOnce bounds the requests under way; one beyond them waits, and
	// its delay counts from when it was due.
	commandsAtOnce = 64
	// maxEarly bounds the commands kept that arrived before their answer.
	maxEarly = 4096
)

// commander issues commands and measures how long they take to the vehicle.
type commander struct {
	load *Load
	http *http.Client

	mu sync.Mutex // guards the rest
	// posted are commands under way, by id, and since when; early are those that
	// arrived before their answer, and when.
	posted, early map[string]time.Time
	delays        Delays
	failed        int64
}

func newCommander(l *Load) *commander {
	return &commander{
		load: l, posted: map[string]time.Time{}, early: map[string]time.Time{},
		http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: commandsAtOnce}},
	}
}

// run issues commands until ctx ends.
func (c *commander) run(ctx context.Context) {
	o := &c.load.o
	if o.CommandsHz == 0 || len(c.load.fleet) == 0 {
		return
	}
	ticker := time.NewTicker(time.Duration(float64(time.Second) / o.CommandsHz))
	defer ticker.Stop()
	var work sync.WaitGroup
	defer work.Wait()
	slots := make(chan struct{}, commandsAtOnce)
	for n := 0; ; n++ {
		var due time.Time
		select {
		case <-ctx.Done():
			return
		case due = <-ticker.C:
		}
		select {
		case <-ctx.Done():
			return
		case slots <- struct{}{}:
		}
		// Each vehicle is held, and resumed a round later. The stride is prime to
		// most numbers of vehicles, so that they are not neighbours.
		v := c.load.fleet[n*37%len(c.load.fleet)]
		kind := "hold"
		if n/len(c.load.fleet)%2 == 1 {
			kind = "resume"
		}
		work.Go(func() {
			defer func() { <-slots }()
			c.issue(ctx, v.id, kind, due)
		})
	}
}

// issue issues one command.
func (c *commander) issue(ctx context.Context, vehicle, kind string, due time.Time) {
	id, err := c.post(ctx, vehicle, kind)
	if ctx.Err() != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
		c.load.noteError("command: " + err.Error())
		return
	}
	if at, ok := c.early[id]; ok {
		delete(c.early, id)
		c.delays.Add(at.Sub(due))
		return
	}
	c.posted[id] = due
}

func (c *commander) post(ctx context.Context, vehicle, kind string) (string, error) {
	body, err := json.Marshal(api.CommandOrder{Kind: kind, Reason: "benchmark"})
	if err != nil {
		return "", fmt.Errorf("making a command: %w", err)
	}
	to := c.load.o.URL + "/v1/vehicles/" + url.PathEscape(vehicle) + "/commands"
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("making a command: %w", err)
	}
	request.Header.Set("Authorization", "Bearer "+c.load.o.Dispatcher)
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return "", fmt.Errorf("no answer")
	}
	defer func() { _ = response.Body.Close() }()
	data, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("no whole answer")
	}
	if response.StatusCode >= 300 {
		var p api.Problem
		_ = json.Unmarshal(data, &p)
		return "", fmt.Errorf("%d %s", response.StatusCode, p.Code)
	}
	var command api.Command
	if err := json.Unmarshal(data, &command); err != nil {
		return "", fmt.Errorf("an answer that is no command")
	}
	return command.ID, nil
}

// arrived notes that a vehicle has a command. One that comes again, after a new
// link, counts once.
func (c *commander) arrived(id string, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due, ok := c.posted[id]
	if ok {
		delete(c.posted, id)
		c.delays.Add(at.Sub(due))
		return
	}
	if len(c.early) >= maxEarly {
		clear(c.early)
	}
	c.early[id] = at
}

// report writes what there is; the delays begin anew.
func (c *commander) report(r *LoadReport) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Commands, r.CommandsFailed, r.CommandsOpen = c.delays.Quantiles(), c.failed, len(c.posted)
	c.delays = Delays{}
}

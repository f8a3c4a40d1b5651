package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/client"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/drive"
	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/check"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// connection are the flags of a run against a running backend.
type connection struct {
	url, token, dispatcher string
	speed                  float64
	// alone says that the vehicles run alone, and nothing is ordered or judged.
	alone bool
}

func (k *connection) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&k.url, "connect", "", "run the vehicles over real sockets against the kapok serve at this address")
	f.StringVar(&k.token, "token", "", "with --connect: secret, or file with it, of a token of the role simulator")
	f.StringVar(&k.dispatcher, "dispatcher-token", "",
		"with --connect: the same of a dispatcher, for orders, incidents and zones (KAPOK_TOKEN)")
	f.Float64Var(&k.speed, "speed", 1, "with --connect: the --speed of the backend")
	f.BoolVar(&k.alone, "vehicles-only", false,
		"with --connect: run the vehicles alone, for people to use, for as long as the scenario says; nothing is ordered or judged")
}

// secretOf reads a secret that is given as itself or by the name of a file.
func secretOf(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	data, err := os.ReadFile(given)
	if errors.Is(err, os.ErrNotExist) || err != nil && !strings.ContainsAny(given, "./") {
		return given, nil
	}
	if err != nil {
		return "", fmt.Errorf("reading the token: %w", err)
	}
	return strings.TrimSpace(string(data)), nil
}

// connected is a run against a running backend: the scenario's vehicles over
// real sockets, and its people over HTTP.
type connected struct {
	console
	scenario scenario.Scenario
	place    scenario.Placement
	clock    fleetClock
	fleet    *drive.Fleet
	alone    bool
	// client is nil without a dispatcher's token.
	client *client.Client
	began  time.Time
	run    string

	mu       sync.Mutex // guards the rest
	geometry *check.Geometry
	log      check.Log
	result   sim.Result
	rec      *simout.Recorder
	tasks    []madeTask
	reports  []madeIncident
	zones    map[string]*zoneAnswer
}

// madeTask is an order that was answered with success.
type madeTask struct {
	name, id string
	at       time.Time
}

// madeIncident is a report that was answered with success.
type madeIncident struct {
	id string
	at time.Time
}

// connectTo runs a case against a running backend and tells the result. Rec, when
// not nil, records it.
func connectTo(ctx context.Context, c console, it *simCase, k *connection, rec *simout.Recorder) (sim.Result, error) {
	s := it.scenario
	r := &connected{console: c, scenario: s, run: newKey(), alone: k.alone, rec: rec, zones: map[string]*zoneAnswer{}}
	secret, err := r.open(ctx, k, it.chart)
	if err != nil {
		return r.result, err
	}
	if r.client != nil {
		defer r.client.Close()
	}
	// The wind of the bodies changes at times of the run, which begins when all of them
	// have a link: a few seconds later.
	s.Start = r.clock.now()
	agents, err := sim.NewAgents(s, r.place.Chart, r.place.Homes)
	if err != nil {
		return r.result, err
	}
	r.geometry = check.NewGeometry(r.place.Chart)
	r.geometry.Report(&r.log)
	r.fleet, err = drive.Start(context.WithoutCancel(ctx), drive.Options{
		URL: k.url, Token: secret, Clock: r.clock.now, Step: stepAt(k.speed), Encoding: encodingOf(s), Look: r.look,
		Line: sim.LineOf(&s.Network), Seed: s.Seed,
	}, agents)
	if err != nil {
		return r.result, fmt.Errorf("connecting the vehicles: %w", err)
	}
	defer r.fleet.Stop()
	if err := r.waitForVehicles(ctx, len(agents)); err != nil {
		return r.result, err
	}
	r.began = r.clock.now()
	during, cancel := context.WithTimeout(ctx, r.clock.wall(s.Duration.D()))
	defer cancel()
	r.live(during)
	return r.conclude(context.WithoutCancel(ctx))
}

func encodingOf(s scenario.Scenario) protocol.Encoding {
	if s.Network.Encoding == "json" {
		return protocol.JSON
	}
	return protocol.CBOR
}

// open reads chart and tokens, and sees that the backend has the same chart. It
// returns the vehicles' secret.
func (r *connected) open(ctx context.Context, k *connection, on *chart.Chart) (string, error) {
	if !(k.speed > 0 && k.speed <= maxSpeed) {
		return "", fmt.Errorf("--speed %g is not above 0 and at most %d", k.speed, maxSpeed)
	}
	secret, err := secretOf(k.token)
	if err != nil {
		return "", err
	}
	if secret == "" {
		return "", errors.New("--connect needs --token: kapok token create --role simulator makes one")
	}
	if r.place, err = scenario.Place(on, r.scenario.Groups(), r.scenario.Seed); err != nil {
		return "", err
	}
	now := time.Now().Round(0)
	r.clock = fleetClock{Wall: now, Fleet: now, Speed: k.speed}
	person := k.dispatcher
	if person == "" {
		person = r.env("KAPOK_TOKEN")
	}
	if person, err = secretOf(person); err != nil {
		return secret, err
	}
	if person == "" && !r.alone {
		return "", errors.New("--connect needs --dispatcher-token or KAPOK_TOKEN for orders, incidents and zones, or --vehicles-only")
	}
	if person == "" {
		r.say("no dispatcher's token: the backend's chart is not compared")
		return secret, nil
	}
	if r.client, err = client.New(k.url, person); err != nil {
		return "", err
	}
	theirs, err := r.client.Chart(ctx)
	if err != nil {
		return "", err
	}
	if theirs.Checksum != on.Checksum && theirs.Checksum != r.place.Chart.Checksum {
		return "", fmt.Errorf("the backend has chart %s (%s), the scenario %s (%s): start kapok serve with the scenario's chart",
			theirs.Name, theirs.Checksum, on.Name, on.Checksum)
	}
	if theirs.Checksum != r.place.Chart.Checksum {
		r.say("the backend's chart has none of the chargers that a simulation adds: vehicles charge at home")
	}
	return secret, r.readClock(ctx, theirs)
}

// readClock takes over the fleet's time, which may be ahead of the wall clock: a
// quote tells it, and changes nothing.
func (r *connected) readClock(ctx context.Context, on api.Chart) error {
	middle := api.Position{Lon: (on.Extent[0] + on.Extent[2]) / 2, Lat: (on.Extent[1] + on.Extent[3]) / 2}
	before := time.Now()
	quote, err := r.client.Quote(ctx, api.QuoteRequest{Order: &api.Order{Kind: "visit", Stops: []api.OrderStop{{Position: &middle}}}})
	if err != nil {
		return fmt.Errorf("asking the backend for its time: %w", err)
	}
	after := time.Now()
	r.clock.Wall, r.clock.Fleet = before.Add(after.Sub(before)/2).Round(0), quote.At
	return nil
}

// waitForVehicles waits until all of them have a link, a minute at most.
func (r *connected) waitForVehicles(ctx context.Context, all int) error {
	deadline := time.Now().Add(time.Minute)
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		linked := 0
		for _, v := range r.fleet.Vehicles() {
			v.With(func(a *agent.Agent) {
				if a.Welcomed() {
					linked++
				}
			})
		}
		if linked == all {
			r.say("%d vehicles are connected", all)
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("after a minute only %d of %d vehicles are connected: is the token one of the role simulator?", linked, all)
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for the vehicles: %w", ctx.Err())
		case <-ticker.C:
		}
	}
}

// look judges where a vehicle truly is.
func (r *connected) look(now time.Time, a *agent.Agent) {
	b := a.Body()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.geometry.Look(now, a.ID(), b.Figures.Kind, b.At, b.SpeedMPS)
	if r.rec != nil {
		r.rec.Track(now, a)
	}
}

package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/simout"
	"github.com/kapok-fleet/kapok/protocol"
)

// simReplay are the flags of sim replay.
type simReplay struct {
	output
	url, token, kind string
	speed            float64
}

// replaySummary is what a replay did.
type replaySummary struct {
	Recording string  `json:"recording"`
	Vehicles  int     `json:"vehicles"`
	Samples   int     `json:"samples"`
	Sent      int     `json:"sent"`
	Seconds   float64 `json:"recorded_s"`
}

func newSimReplay(c console) *cobra.Command {
	var f simReplay
	cmd := &cobra.Command{
		Use: "replay RECORDING", Short: "Send the telemetry of a recording to a running backend",
		Long: "Send the telemetry of a recording to a running backend: its vehicles connect as they did and report where they\n" +
			"were, at the pace of the recording, with the times of now. RECORDING is the events.ndjson of a run (what vehicles\n" +
			"reported) or its run.mcap (where they truly were), or another MCAP file with foxglove.LocationFix messages in\n" +
			"JSON. Replayed vehicles refuse missions and commands.",
		Args: exactly(1, "one recording"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := f.choose(c.out)
			if err != nil {
				return err
			}
			recording, err := simout.OpenRecording(args[0])
			if err != nil {
				return err
			}
			summary, err := f.replay(cmd.Context(), c, &recording)
			if err != nil {
				return err
			}
			if form == asJSON {
				err = printJSON(c.out, summary)
			} else {
				err = printTable(c.out, []string{"RECORDING", "VEHICLES", "SAMPLES", "SENT", "SECONDS"}, [][]string{{
					summary.Recording, fmt.Sprint(summary.Vehicles), fmt.Sprint(summary.Samples), fmt.Sprint(summary.Sent), fmt.Sprintf("%.0f", summary.Seconds),
				}})
			}
			if err == nil && summary.Sent == 0 {
				err = no("nothing of %s reached the backend", args[0])
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "connect", "", "address of the running kapok serve (KAPOK_URL)")
	flags.StringVar(&f.token, "token", "", "secret, or file with it, of a token of the role simulator")
	flags.StringVar(&f.kind, "kind", string(protocol.Multirotor), "kind of the vehicles whose kind the recording does not say")
	flags.Float64Var(&f.speed, "speed", 1, "play so many times as fast; for sensible speeds the --speed of the backend")
	f.output.flag(cmd, asTable, asJSON)
	return cmd
}

// replayer plays a recording to a backend.
type replayer struct {
	console
	url, secret string
	clock       fleetClock
	work        sync.WaitGroup
	actors      map[string]*replayed
	kinds       map[string]simout.Actor
	kind        protocol.Kind
	refused     chan error
}

// replay connects and plays.
func (f *simReplay) replay(ctx context.Context, c console, recording *simout.Recording) (replaySummary, error) {
	p, err := f.open(c, recording)
	if err != nil {
		return replaySummary{}, err
	}
	summary := replaySummary{
		Recording: recording.File, Vehicles: len(recording.Actors), Samples: recording.Sightings, Seconds: recording.Until.Sub(recording.From).Seconds(),
	}
	// The first vehicle asks what time it is.
	if err := p.readClock(ctx, recording.Actors[0]); err != nil {
		return summary, err
	}
	during, stop := context.WithCancel(ctx)
	defer func() {
		stop()
		p.work.Wait()
	}()
	began := time.Now()
	show := func(time.Duration) {}
	if terminal(c.err) {
		whole := recording.Until.Sub(recording.From)
		line := progress(c, "")
		show = func(done time.Duration) { line(done.Round(time.Second), whole) }
		defer fmt.Fprint(c.err, "\r\x1b[K")
	}
	err = recording.Play(func(s simout.Sighting) error {
		after := s.At.Sub(recording.From)
		due := began.Add(p.clock.wall(after))
		if wait := time.Until(due); wait > 0 && !pauseFor(during, wait) {
			return during.Err()
		}
		select {
		case err := <-p.refused:
			return err
		default:
		}
		show(after)
		p.actor(during, s.Vehicle).show(s.Sample)
		return ctx.Err()
	})
	if err == nil {
		p.drain(during)
	}
	for _, a := range p.actors {
		summary.Sent += a.sentSoFar()
	}
	if err != nil {
		return summary, fmt.Errorf("replaying %s: %w", recording.File, err)
	}
	return summary, nil
}

// open looks at the flags.
func (f *simReplay) open(c console, recording *simout.Recording) (*replayer, error) {
	address := f.url
	if address == "" {
		address = c.env("KAPOK_URL")
	}
	if address == "" {
		return nil, errors.New("sim replay needs --connect: the address of a running kapok serve")
	}
	base, err := url.Parse(strings.TrimSuffix(address, "/"))
	if err != nil || base.Host == "" || !strings.HasPrefix(base.Scheme, "http") {
		return nil, fmt.Errorf("--connect %q is not an http address", address)
	}
	base.Scheme = "ws" + strings.TrimPrefix(base.Scheme, "http")
	base.Path += "/v1/link"
	if !(f.speed > 0 && f.speed <= maxSpeed) {
		return nil, fmt.Errorf("--speed %g is not above 0 and at most %d", f.speed, maxSpeed)
	}
	secret, err := secretOf(f.token)
	if err != nil {
		return nil, err
	}
	if secret == "" {
		return nil, errors.New("sim replay needs --token: kapok token create --role simulator makes one")
	}
	now := time.Now().Round(0)
	p := &replayer{
		console: c, url: base.String(), secret: secret, clock: fleetClock{Wall: now, Fleet: now, Speed: f.speed},
		actors: map[string]*replayed{}, kinds: map[string]simout.Actor{}, kind: protocol.Kind(f.kind), refused: make(chan error, 1),
	}
	for _, a := range recording.Actors {
		p.kinds[a.ID] = a
	}
	return p, nil
}

// actor is the vehicle of a name, which connects when it appears.
func (p *replayer) actor(ctx context.Context, id string) *replayed {
	a := p.actors[id]
	if a == nil {
		a = p.newActor(p.kinds[id])
		p.actors[id] = a
		p.work.Go(func() { a.run(ctx) })
	}
	return a
}

// drain gives the last samples a little time to leave.
func (p *replayer) drain(ctx context.Context) {
	deadline := time.Now().Add(5 * time.Second)
	for time.Now().Before(deadline) {
		waiting := false
		for _, a := range p.actors {
			waiting = waiting || a.waits()
		}
		if !waiting || !pauseFor(ctx, 20*time.Millisecond) {
			return
		}
	}
}

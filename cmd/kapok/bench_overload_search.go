package main

import (
	"context"
	"fmt"
	"time"

	"github.com/kapok-fleet/kapok/cmd/kapok/internal/rig"
)

const (
	// mostEachHz is the most frames that a vehicle sends a second in the search, so
	// that twice as many are within its limit.
	mostEachHz = 22
	// leastRead is how much of what is sent must be taken within a trial; less
	// piles up somewhere.
	leastRead = 0.97
	// searchSteps is how often the rate is halved in between.
	searchSteps = 4
)

// trial is what came of a rate.
type trial struct {
	rate   float64
	age    rig.Quantiles
	holds  bool
	reason string
}

// search finds the highest rate, in frames a second of all vehicles together, at
// which nothing is lost and positions are fresh.
func (b *overload) search(ctx context.Context) (float64, error) {
	normal := b.normalHz * float64(b.vehicles)
	if err := b.load.Rate(b.normalHz); err != nil {
		return 0, err
	}
	if err := pass(ctx, b.probe); err != nil {
		return 0, err
	}
	first, err := b.try(ctx, normal, true)
	if err != nil {
		return 0, err
	}
	b.normal = time.Duration(first.age.P99MS * float64(time.Millisecond))
	b.report.Row("normally: frames sent", normal, "frames/s")
	b.report.Row("normally: age of positions, p99", first.age.P99MS, "ms")
	if !first.holds {
		b.report.Note("even the normal rate could not be sustained: %s", first.reason)
	}
	most := mostEachHz * float64(b.vehicles)
	good, bad := normal, 0.0
	reason := ""
	for rate := 2 * normal; bad == 0 && good < most; rate = min(2*rate, most) {
		t, err := b.try(ctx, rate, false)
		if err != nil {
			return 0, err
		}
		if t.holds {
			good = rate
		} else {
			bad, reason = rate, t.reason
		}
	}
	for range searchSteps {
		if bad == 0 {
			break
		}
		t, err := b.try(ctx, (good+bad)/2, false)
		if err != nil {
			return 0, err
		}
		if t.holds {
			good = t.rate
		} else {
			bad, reason = t.rate, t.reason
		}
	}
	if bad == 0 {
		b.report.Note("the sustainable rate is higher: more than %d frames/s of each vehicle were not tried", mostEachHz)
	} else {
		b.report.Note("beyond the sustainable rate: %s", reason)
	}
	b.report.Row(fmt.Sprintf("the sustainable rate, %d samples a frame", b.samples), good, "frames/s")
	return good, nil
}

// try sends at a rate and tells what became of it. A rate that fails is tried
// once more, since machines have bad moments.
func (b *overload) try(ctx context.Context, rate float64, normal bool) (trial, error) {
	t, err := b.tryOnce(ctx, rate, normal)
	if err == nil && !t.holds {
		t, err = b.tryOnce(ctx, rate, normal)
	}
	return t, err
}

func (b *overload) tryOnce(ctx context.Context, rate float64, normal bool) (trial, error) {
	t := trial{rate: rate, holds: true}
	if err := b.rest(ctx); err != nil {
		return t, err
	}
	if err := b.load.Rate(rate / float64(b.vehicles)); err != nil {
		return t, err
	}
	if err := pass(ctx, b.probe/3); err != nil {
		return t, err
	}
	lost, got, err := b.counts(ctx)
	if err != nil {
		return t, err
	}
	before, err := b.look()
	if err != nil {
		return t, err
	}
	if err := pass(ctx, b.probe); err != nil {
		return t, err
	}
	after, err := b.look()
	if err != nil {
		return t, err
	}
	lostNow, gotNow, err := b.counts(ctx)
	if err != nil {
		return t, err
	}
	t.age = after.Streams[0].Delays
	read := (gotNow - got) / float64(after.SamplesOut-before.SamplesOut)
	held, late := after.Withheld-before.Withheld, after.Missed-before.Missed
	switch {
	case lostNow > lost:
		t.holds, t.reason = false, fmt.Sprintf("at %s frames/s, %s samples or frames were dropped or thinned", rig.Figure(rate), rig.Figure(lostNow-lost))
	case held > 0:
		t.holds, t.reason = false, fmt.Sprintf("at %s frames/s, %d frames were withheld because sockets were full", rig.Figure(rate), held)
	case read < leastRead:
		t.holds, t.reason = false, fmt.Sprintf("at %s frames/s, only %s of the samples were taken in time", rig.Figure(rate), rig.Figure(read))
	case late > 0:
		t.holds, t.reason = false, fmt.Sprintf("at %s frames/s the load itself was too slow for %d frames", rig.Figure(rate), late)
	case !normal && !b.fresh(after):
		t.holds, t.reason = false, fmt.Sprintf("at %s frames/s, positions were %s ms old (p99)", rig.Figure(rate), rig.Figure(t.age.P99MS))
	}
	b.say("%s frames/s: positions %s ms old (p99), commands %s ms at most %s", rig.Figure(rate), rig.Figure(t.age.P99MS), rig.Figure(after.Commands.MaxMS), t.reason)
	return t, nil
}

// counts are the samples dropped and frames thinned so far, and the samples taken.
func (b *overload) counts(ctx context.Context) (lost, taken float64, err error) {
	m, err := b.server.Metrics(ctx)
	if err != nil {
		return 0, 0, err
	}
	lost = m[`kapok_telemetry_samples_total{outcome="dropped"}`] + m["kapok_telemetry_frames_thinned_total"]
	return lost, m[`kapok_telemetry_samples_total{outcome="taken"}`], nil
}

// rest sends at the normal rate until what came before is forgotten.
func (b *overload) rest(ctx context.Context) error {
	if err := b.load.Rate(b.normalHz); err != nil {
		return err
	}
	if _, err := b.look(); err != nil {
		return err
	}
	for range 20 {
		if err := pass(ctx, b.probe/2); err != nil {
			return err
		}
		r, err := b.look()
		if err != nil {
			return err
		}
		// Before the first trial, what connecting has stirred up settles.
		if b.fresh(r) || b.normal == 0 && r.Streams[0].Delays.N > 0 {
			return nil
		}
	}
	return nil
}

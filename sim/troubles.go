package sim

import (
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/sim/scenario"
)

// planTroubles puts the scenario's outages, crashes, reboots and faults into
// the queue, and draws those that are random.
func (w *world) planTroubles() {
	draw := chance(w.scenario.Seed, chanceTroubles)
	s := &w.scenario
	for _, o := range s.Network.Outages {
		for _, v := range w.vehicles {
			if o.Vehicle == v.id || o.Vehicle == "*" {
				w.planOutage(v, o.At.D(), o.For.D())
			}
		}
	}
	for range s.Network.Random {
		v := w.vehicles[draw.IntN(len(w.vehicles))]
		w.planOutage(v, time.Duration(draw.Int64N(w.end)), spans(draw, s.Network.RandomFor))
	}
	crashes := slices.Clone(s.Crashes.At)
	for range s.Crashes.Random {
		// The last quarter is left for the work to be finished.
		crashes = append(crashes, scenario.Duration(draw.Int64N(w.end*3/4)))
	}
	for _, at := range crashes {
		down := spans(draw, s.Crashes.Down)
		w.after(at.D(), func() { w.crash(down) })
	}
	for _, f := range s.Faults {
		v := w.byID[f.Vehicle]
		if f.Kind == scenario.Reboot || f.Kind == scenario.Wiped {
			w.after(f.At.D(), func() { w.reboot(v, f.For.D(), f.Kind == scenario.Wiped) })
			continue
		}
		w.after(f.At.D(), func() { v.agent.Break(w.time(), f.Code, "broken by the scenario", f.LoadLost) })
		w.after(f.At.D()+f.For.D(), func() { v.agent.Repair(w.time()) })
	}
}

func (w *world) planOutage(v *vehicle, at, lasts time.Duration) {
	w.after(at, func() { w.setOut(v, 1) })
	w.after(at+lasts, func() { w.setOut(v, -1) })
}

// crash kills the backend and starts it again later. One that is down already
// is killed as soon as it is up, so that each crash counts.
func (w *world) crash(down time.Duration) {
	if !w.backend.up() {
		w.after(time.Second, func() { w.crash(down) })
		return
	}
	w.backend.crash()
	w.after(down, w.backend.boot)
}

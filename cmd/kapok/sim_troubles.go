package main

import (
	"context"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// troubles happen to links and vehicles; the backend's are not ours.
func (r *connected) troubles(ctx context.Context, at func(time.Duration, func())) {
	s := &r.scenario
	vehicles := r.fleet.Vehicles()
	cut := func(n int, from, lasts time.Duration) {
		at(from, func() { vehicles[n].Cut(r.clock.wall(lasts), true) })
	}
	for i := range s.Network.Outages {
		o := &s.Network.Outages[i]
		if o.Area != nil {
			at(o.At.D(), func() { r.silence(ctx, o) })
			continue
		}
		for n := range vehicles {
			if s.Named(o.Vehicle, r.vehicleID(n)) {
				cut(n, o.At.D(), r.lasts(o.At, o.For))
			}
		}
	}
	for _, o := range sim.RandomOutages(*s) {
		cut(o.Vehicle, o.At, o.For)
	}
	for _, storm := range s.Network.Storms {
		at(storm.D(), func() {
			for _, v := range vehicles {
				v.Cut(0, false)
			}
		})
	}
	for i := range s.Faults {
		for n, v := range vehicles {
			if s.Named(s.Faults[i].Vehicle, r.vehicleID(n)) {
				r.fault(at, v, &s.Faults[i])
			}
		}
	}
}

// lasts is how long something goes on: all is over when the scenario is.
func (r *connected) lasts(at, span scenario.Duration) time.Duration {
	return max(min(span.D(), r.scenario.Duration.D()-at.D()), 0)
}

// sufferer is a vehicle that things go wrong with.
type sufferer interface {
	With(f func(*agent.Agent))
	Reboot(span time.Duration, wiped bool)
}

// fault lets one thing go wrong with a vehicle, and be right again.
func (r *connected) fault(at func(time.Duration, func()), v sufferer, f *scenario.Fault) {
	lasts := r.lasts(f.At, f.For)
	if f.Kind == scenario.Reboot || f.Kind == scenario.Wiped {
		at(f.At.D(), func() { v.Reboot(r.clock.wall(lasts), f.Kind == scenario.Wiped) })
		return
	}
	trouble := agent.Trouble{Kind: f.Kind, Amount: f.Amount}
	if f.Kind == "" || f.Kind == scenario.Broken {
		trouble = agent.Trouble{Kind: agent.Broken, Code: f.Code, LoadLost: f.LoadLost}
	}
	at(f.At.D(), func() {
		v.With(func(a *agent.Agent) {
			if err := a.Suffer(r.clock.now(), trouble); err != nil {
				r.say("left out: %v", err)
			}
		})
	})
	at(f.At.D()+lasts, func() { v.With(func(a *agent.Agent) { a.Recover(r.clock.now(), trouble.Kind) }) })
}

// silence takes the links of those who are in an area, looked at each second of
// the fleet's time.
func (r *connected) silence(ctx context.Context, o *scenario.Outage) {
	middle, ok := sim.Centre(r.scenario, r.place, o.Area)
	if !ok {
		r.say("left out: the area of an outage is at %q, which is not on the chart", o.Area.At)
		return
	}
	until := r.clock.now().Add(r.lasts(o.At, o.For))
	for r.clock.now().Before(until) {
		for _, v := range r.fleet.Vehicles() {
			in := false
			v.With(func(a *agent.Agent) {
				at := a.Body().At
				in = space.XY{X: at.X, Y: at.Y}.Dist(middle) <= o.Area.RadiusM
			})
			if in {
				v.Cut(r.clock.wall(min(2*time.Second, until.Sub(r.clock.now()))), true)
			}
		}
		if !pauseFor(ctx, r.clock.wall(time.Second)) {
			return
		}
	}
}

package sim

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/fault"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// planTroubles puts the scenario's outages, storms, crashes and faults into the
// queue, and draws those that are random. All are over at the scenario's
// Duration, so that what comes after it shows what is left of them.
func (w *world) planTroubles() {
	draw := chance(w.scenario.Seed, chanceTroubles)
	s := &w.scenario
	w.planLinks(draw.IntN, draw.Int64N, func() time.Duration { return spans(draw, s.Network.RandomFor) })
	crashes := slices.Clone(s.Crashes.At)
	for range s.Crashes.Random {
		// The last quarter is left for the work to be finished.
		crashes = append(crashes, scenario.Duration(draw.Int64N(int64(s.Duration)*3/4)))
	}
	for _, at := range crashes {
		down := spans(draw, s.Crashes.Down)
		w.after(at.D(), func() { w.backend.crash(down) })
	}
	var busy []time.Duration
	for i := range s.Faults {
		f := &s.Faults[i]
		switch {
		case f.Kind == scenario.SlowDispatcher:
			w.slowDispatcher(f, &busy)
		case f.OfVehicle():
			for _, v := range w.vehicles {
				if s.Named(f.Vehicle, v.id) {
					w.planVehicleFault(v, f)
				}
			}
		default:
			w.planBackendFault(f)
		}
	}
}

// ends is when something is over that begins at a time and lasts for a while.
func (w *world) ends(at, lasts scenario.Duration) time.Duration {
	return max(at.D(), min(at.D()+lasts.D(), w.scenario.Duration.D()))
}

// planLinks puts outages and storms into the queue.
func (w *world) planLinks(pick func(int) int, when func(int64) int64, lasts func() time.Duration) {
	n := &w.scenario.Network
	for i := range n.Outages {
		o := &n.Outages[i]
		if o.Area != nil {
			w.planArea(o)
			continue
		}
		for _, v := range w.vehicles {
			if w.scenario.Named(o.Vehicle, v.id) {
				w.planOutage(v, o.At, o.For)
			}
		}
	}
	for range n.Random {
		v := w.vehicles[pick(len(w.vehicles))]
		w.planOutage(v, scenario.Duration(when(int64(w.scenario.Duration))), scenario.Duration(lasts()))
	}
	for _, at := range n.Storms {
		w.after(at.D(), w.storm)
	}
}

func (w *world) planOutage(v *vehicle, at, lasts scenario.Duration) {
	w.after(at.D(), func() { w.setOut(v, 1) })
	w.after(w.ends(at, lasts), func() { w.setOut(v, -1) })
}

// area is a place without links, for a while.
type area struct {
	at      space.XY
	radiusM float64
	until   int64
	// inside are the vehicles that are in it, by number.
	inside []bool
}

// planArea puts an outage of an area into the queue.
func (w *world) planArea(o *scenario.Outage) {
	stop := w.people.plans.named(o.Area.At)
	at, ok := w.people.plans.position(&stop)
	if !ok {
		w.fail(fmt.Errorf("the area of an outage is at %q, which is not on the chart", o.Area.At))
		return
	}
	a := &area{at: at, radiusM: o.Area.RadiusM, until: int64(w.ends(o.At, o.For)), inside: make([]bool, len(w.vehicles))}
	w.after(o.At.D(), func() { w.lookInto(a) })
}

// lookInto holds up the links of those who are truly in an area, each second.
func (w *world) lookInto(a *area) {
	over := w.now >= a.until
	for i, v := range w.vehicles {
		at := v.agent.Body().At
		in := !over && space.XY{X: at.X, Y: at.Y}.Dist(a.at) <= a.radiusM
		switch {
		case in && !a.inside[i]:
			w.setOut(v, 1)
		case !in && a.inside[i]:
			w.setOut(v, -1)
		}
		a.inside[i] = in
	}
	if !over {
		w.after(min(time.Second, time.Duration(a.until-w.now)), func() { w.lookInto(a) })
	}
}

// storm breaks all links at once, so that all vehicles connect again together.
// The backend notices at once of about half of them.
func (w *world) storm() {
	for _, v := range w.vehicles {
		if v.conn != nil {
			w.sever(v.conn, v.rand.IntN(2) == 0)
		}
	}
}

// planVehicleFault puts a fault of a vehicle into the queue.
func (w *world) planVehicleFault(v *vehicle, f *scenario.Fault) {
	until := w.ends(f.At, f.For)
	if f.Kind == scenario.Reboot || f.Kind == scenario.Wiped {
		w.after(f.At.D(), func() { w.reboot(v, until-f.At.D(), f.Kind == scenario.Wiped) })
		return
	}
	t := agent.Trouble{Kind: f.Kind, Amount: f.Amount}
	if t.Kind == "" || t.Kind == scenario.Broken {
		t = agent.Trouble{Kind: agent.Broken, Code: f.Code, LoadLost: f.LoadLost}
	}
	w.after(f.At.D(), func() {
		if err := v.agent.Suffer(w.time(), t); err != nil {
			w.fail(err)
		}
	})
	// Forgetting for no time is forgetting once; other troubles without an end are
	// for good.
	if f.For > 0 || t.Kind == scenario.Forgetful {
		w.after(until, func() { v.agent.Recover(w.time(), t.Kind) })
	}
}

// planBackendFault puts a fault of the disk or of the planner into the queue.
func (w *world) planBackendFault(f *scenario.Fault) {
	b := &w.backend
	change := func(int) {}
	switch f.Kind {
	case scenario.DiskFull:
		change = b.disk.Fill
	case scenario.DiskSync:
		change = b.disk.Break
	case scenario.DiskSlow:
		change = func(by int) { b.fsync += time.Duration(float64(by) * f.Amount * float64(time.Millisecond)) }
	case scenario.PlannerLate:
		change = func(by int) { b.late += time.Duration(float64(by) * f.Amount * float64(time.Second)) }
	}
	w.after(f.At.D(), func() { change(1) })
	w.after(w.ends(f.At, f.For), func() { change(-1) })
}

// lineOf is what the scenario's links are like.
func lineOf(n *scenario.Network) fault.Line {
	ms := func(v float64) time.Duration { return time.Duration(v * float64(time.Millisecond)) }
	return fault.Line{
		LatencyLeast: ms(n.LatencyMS[0]), LatencyMost: ms(n.LatencyMS[1]), Jitter: ms(n.JitterMS),
		Loss: n.Loss, Duplicate: n.Duplicate, Reorder: n.Reorder, BytesPerSecond: n.BandwidthKbps * 1000 / 8,
	}
}

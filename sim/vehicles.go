package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/body"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// vehicle is an agent with its link.
type vehicle struct {
	n     int32
	id    string
	kind  protocol.Kind
	agent *agent.Agent
	rand  *rand.Rand

	conn       *conn
	connecting bool
	tries      int
	// out counts the outages that hold up its link now.
	out int
	// down is set while it reboots; logs counts its stores.
	down bool
	logs int
}

func (w *world) makeVehicles(homes [][]scenario.Home) error {
	draw := w.chance(chanceFleet)
	for i := range w.scenario.Fleets {
		f := &w.scenario.Fleets[i]
		figures, ok := body.FiguresOf(f.ProtocolKind())
		if !ok {
			return fmt.Errorf("sim: %s: vehicles of kind %s have no body", w.scenario.Name, f.Kind)
		}
		load := f.MaxLoadKg
		if load == 0 {
			load = figures.MaxLoadKg
		}
		for n := range f.Count {
			v := &vehicle{n: int32(len(w.vehicles)), id: f.VehicleID(n + 1), kind: f.ProtocolKind(), logs: 1}
			v.rand = newChance(w.scenario.Seed, chanceLinks, uint64(len(w.vehicles)))
			var clockError time.Duration
			if f.ClockErrorMS > 0 {
				clockError = time.Duration(draw.IntN(2*f.ClockErrorMS+1)-f.ClockErrorMS) * time.Millisecond
			}
			home := homes[i][n].Position
			b := body.New(figures, w.chart.Frame.XYZ(home), w.chart.GroundAltitude(home.Point()), between(draw, f.BatteryRatio))
			v.agent = agent.New(agent.Options{
				ID: v.id, Kind: v.kind, Model: f.Model, Capabilities: f.Capabilities,
				MaxLoadKg: load, MaxLegs: f.MaxLegs, Frame: w.chart.Frame, ClockError: clockError,
			}, b, agent.NewStore(v.logID()), agent.NewTruth())
			w.vehicles = append(w.vehicles, v)
			w.byID[v.id] = v
		}
	}
	return nil
}

func (v *vehicle) logID() string { return fmt.Sprintf("%s-%d", v.id, v.logs) }

// stepVehicle lets a second pass for a vehicle, and judges where it is.
func (w *world) stepVehicle(v *vehicle) {
	now := w.time()
	w.queue.push(event{at: w.now + int64(time.Second), kind: vehicleStep, who: v.n})
	w.send(v, v.agent.Step(now, w.out[:0]))
	if v.conn != nil && v.agent.LinkDead(now) {
		w.giveUp(v)
	}
	b := v.agent.Body()
	w.geometry.Look(now, v.id, v.kind, b.At, b.SpeedMPS)
}

// reboot takes a vehicle's memory, and its link without a word.
func (w *world) reboot(v *vehicle, lasts time.Duration, wiped bool) {
	if v.down {
		return
	}
	if wiped {
		v.logs++
	}
	v.agent.Reboot(w.time(), wiped, v.logID())
	v.down = true
	if c := v.conn; c != nil {
		c.clientOpen, c.held = false, nil
		v.conn = nil
	}
	w.after(lasts, func() {
		v.down = false
		v.agent.Boot()
		w.connect(v)
	})
}

// planTroubles puts the scenario's outages, crashes, reboots and faults into
// the queue, and draws those that are random.
func (w *world) planTroubles() {
	draw := w.chance(chanceTroubles)
	s := &w.scenario
	for _, o := range s.Link.Outages {
		for _, v := range w.vehicles {
			if o.Vehicle == v.id || o.Vehicle == "*" {
				w.planOutage(v, o.At.D(), o.For.D())
			}
		}
	}
	for range s.Link.Random {
		v := w.vehicles[draw.IntN(len(w.vehicles))]
		w.planOutage(v, time.Duration(draw.Int64N(w.end)), spans(draw, s.Link.RandomFor))
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
	for _, r := range s.Reboots {
		w.after(r.At.D(), func() { w.reboot(w.byID[r.Vehicle], r.For.D(), r.Wiped) })
	}
	for _, f := range s.Faults {
		v := w.byID[f.Vehicle]
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

// truth tells the checkers what was truly done.
type truth struct{ vehicles []*vehicle }

// Done implements check.Truth.
func (t truth) Done(task string, stop int) int {
	n := 0
	for _, v := range t.vehicles {
		n += v.agent.Truth().Done[agent.StopKey{Task: task, Stop: stop}]
	}
	return n
}

// Carriers implements check.Truth.
func (t truth) Carriers(task string) []string {
	var ids []string
	for _, v := range t.vehicles {
		if _, on := v.agent.Truth().Loads[task]; on {
			ids = append(ids, v.id)
		}
	}
	return ids
}

// Stops implements check.Truth.
func (t truth) Stops(yield func(task string, stop, times int)) {
	sum := map[agent.StopKey]int{}
	for _, v := range t.vehicles {
		for key, n := range v.agent.Truth().Done {
			sum[key] += n
		}
	}
	keys := make([]agent.StopKey, 0, len(sum))
	for k := range sum {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, agent.StopKey.Compare)
	for _, k := range keys {
		yield(k.Task, k.Stop, sum[k])
	}
}

package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/body"
	"github.com/kapok-fleet/kapok/sim/check"
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

// Agents makes the vehicles of a scenario at homes that scenario.Place gave, in
// the order of its fleets. Charges and clock errors are drawn from the seed.
func Agents(s scenario.Scenario, c *chart.Chart, homes [][]scenario.Home) ([]*agent.Agent, error) {
	draw := chance(s.Seed, chanceFleet)
	var agents []*agent.Agent
	for i := range s.Fleets {
		f := &s.Fleets[i]
		figures, ok := body.FiguresOf(f.ProtocolKind())
		if !ok {
			return nil, fmt.Errorf("sim: %s: vehicles of kind %s have no body", s.Name, f.Kind)
		}
		load := f.MaxLoadKg
		if load == 0 {
			load = figures.MaxLoadKg
		}
		for n := range f.Count {
			var clockError time.Duration
			if f.ClockErrorMS > 0 {
				clockError = time.Duration(draw.IntN(2*f.ClockErrorMS+1)-f.ClockErrorMS) * time.Millisecond
			}
			home, id := homes[i][n].Position, f.VehicleID(n+1)
			b := body.New(figures, c.Frame.XYZ(home), c.GroundAltitude(home.Point()), between(draw, f.BatteryRatio))
			agents = append(agents, agent.New(agent.Options{
				ID: id, Kind: f.ProtocolKind(), Model: f.Model, Capabilities: f.Capabilities,
				MaxLoadKg: load, MaxLegs: f.MaxLegs, Frame: c.Frame, ClockError: clockError,
			}, b, agent.NewStore(logID(id, 1)), agent.NewTruth()))
		}
	}
	return agents, nil
}

func logID(vehicle string, number int) string { return fmt.Sprintf("%s-%d", vehicle, number) }

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
	v.agent.Reboot(w.time(), wiped, logID(v.id, v.logs))
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
	draw := chance(w.scenario.Seed, chanceTroubles)
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

// TruthOf tells the checkers what the agents truly did, all together. It reads
// them when it is asked.
func TruthOf(agents []*agent.Agent) check.Truth { return truth(agents) }

type truth []*agent.Agent

// Done implements check.Truth.
func (t truth) Done(task string, stop int) int {
	n := 0
	for _, a := range t {
		n += a.Truth().Done[agent.StopKey{Task: task, Stop: stop}]
	}
	return n
}

// Carriers implements check.Truth.
func (t truth) Carriers(task string) []string {
	var ids []string
	for _, a := range t {
		if _, on := a.Truth().Loads[task]; on {
			ids = append(ids, a.ID())
		}
	}
	return ids
}

// Stops implements check.Truth.
func (t truth) Stops(yield func(task string, stop, times int)) {
	sum := map[agent.StopKey]int{}
	for _, a := range t {
		for key, n := range a.Truth().Done {
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

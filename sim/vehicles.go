package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
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
	// seen is where it was at its last step.
	seen space.XYZ

	conn       *conn
	connecting bool
	tries      int
	// out counts the outages that hold up its link now.
	out int
	// down is set while it reboots; logs counts its stores.
	down bool
	logs int
	// bridged is the last mission that a bridge has seen on its links, bridgedBy the
	// life of the process that sent it.
	bridged   []byte
	bridgedBy int
}

// NewAgents makes the vehicles of a scenario at homes that scenario.Place gave, in
// the order of its fleets. Charges and clock errors are drawn from the seed.
func NewAgents(s scenario.Scenario, c *chart.Chart, homes [][]scenario.Home) ([]*agent.Agent, error) {
	wind := windOf(&s)
	draw := chance(s.Seed, chanceFleet)
	var agents []*agent.Agent
	for i := range s.Fleets {
		f := &s.Fleets[i]
		figures, ok := body.FiguresOfModel(f.ProtocolKind(), f.Model)
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
			b := body.NewLike(&figures, c.Frame.XYZ(home), c.GroundAltitude(home.Point()), between(draw, f.BatteryRatio))
			if c.Terrain != nil {
				b.Ground = c.GroundAltitudeXY
			}
			agents = append(agents, agent.New(agent.Options{
				ID: id, Kind: f.ProtocolKind(), Model: f.Model, Capabilities: f.Capabilities,
				MaxLoadKg: load, MaxLegs: f.MaxLegs, Frame: c.Frame, ClockError: clockError, Wind: wind,
				LostLink: agent.LostLink{Do: agent.LinkAction(f.LostLink), After: f.LostLinkAfter.D()},
			}, b, agent.NewStore(logID(id, 1)), agent.NewTruth()))
		}
	}
	return agents, nil
}

// windOf is the wind that the bodies of a scenario move in, nil for calm.
func windOf(s *scenario.Scenario) *body.Wind {
	all := s.Conditions.Over()
	if !slices.ContainsFunc(all, func(w scenario.Weather) bool { return w.WindMPS+w.GustMPS > 0 }) {
		return nil
	}
	wind := body.NewWind(all[0].WindMPS, all[0].WindFromDeg, all[0].GustMPS, s.Seed)
	for _, w := range all[1:] {
		wind.Change(s.Start.Add(w.At.D()), w.WindMPS, w.WindFromDeg, w.GustMPS)
	}
	return wind
}

func logID(vehicle string, number int) string { return fmt.Sprintf("%s-%d", vehicle, number) }

const (
	// stepEvery is how often a vehicle is looked at that moves or was just spoken to;
	// one that rests is looked at each second.
	stepEvery = 100 * time.Millisecond
	// phase is the time between the turns of vehicles, and phases how many turns a
	// second has.
	phase      = 50 * time.Millisecond
	phases     = int(time.Second / phase)
	stepPhases = int(stepEvery / phase)
)

// stepVehicles lets time pass for the vehicles whose turn it is: in each second
// all of them, in each stepEvery those that move, always in the same order.
func (w *world) stepVehicles() {
	turn := int(w.now/int64(phase)) % phases
	w.queue.push(event{at: w.now + int64(phase), kind: vehicleSteps})
	now := w.time()
	for i := turn % stepPhases; i < len(w.vehicles) && w.err == nil; i += stepPhases {
		if second := i%phases == turn; second || w.brisk[i] {
			w.stepVehicle(now, w.vehicles[i], second)
		}
	}
}

// stepVehicle lets the time pass since a vehicle's last step, and judges the way
// that it went.
func (w *world) stepVehicle(now time.Time, v *vehicle, second bool) {
	w.send(v, v.agent.Step(now, w.out[:0]))
	b := v.agent.Body()
	w.brisk[v.n] = b.Moving()
	w.jury.moved(now, v, second)
	if !second {
		return
	}
	if v.conn != nil && v.agent.LinkDead(now) {
		w.giveUp(v)
	}
	if w.options.OnTrack != nil {
		w.options.OnTrack(now, v.agent)
	}
}

// rouse lets a vehicle think at its next turn, in a stepEvery at most.
func (w *world) rouse(v *vehicle) { w.brisk[v.n] = true }

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

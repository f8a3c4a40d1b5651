package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
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

// NewAgents makes the vehicles of a scenario at homes that scenario.Place gave, in
// the order of its fleets. Charges and clock errors are drawn from the seed.
func NewAgents(s scenario.Scenario, c *chart.Chart, homes [][]scenario.Home) ([]*agent.Agent, error) {
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
			b := body.New(figures, c.Frame.XYZ(home), c.GroundAltitude(home.Point()), between(draw, f.BatteryRatio))
			if c.Terrain != nil {
				b.Ground = c.GroundAltitudeXY
			}
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
	if w.options.OnTrack != nil {
		w.options.OnTrack(now, v.agent)
	}
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

package sim

import (
	"context"
	"math"
	"path/filepath"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/agent"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// flights holds what the legs of aircraft were planned to take against what their
// bodies took for them.
type flights struct {
	agents map[string]*agent.Agent
	// missions are the vehicles of missions, plans their legs as last issued.
	missions map[fleet.MissionID]string
	plans    map[fleet.MissionID]map[fleet.LegID]fleet.Leg
	begun    map[fleet.MissionID]map[fleet.LegID]begunLeg

	legs, changed     int
	plannedWh, usedWh float64
}

type begunLeg struct {
	plannedWh, atWh float64
	changed         bool
}

func (f *flights) track(_ time.Time, a *agent.Agent) { f.agents[a.ID()] = a }

func (f *flights) event(r fleet.Recorded) {
	switch e := r.Event.(type) { //nolint:gochecksumtype // The rest says nothing of legs.
	case fleet.MissionIssued:
		f.missions[e.Mission] = string(e.Vehicle)
		if f.plans[e.Mission] == nil {
			f.plans[e.Mission], f.begun[e.Mission] = map[fleet.LegID]fleet.Leg{}, map[fleet.LegID]begunLeg{}
		}
		for _, l := range e.Legs {
			f.plans[e.Mission][l.ID] = l
			if b, ok := f.begun[e.Mission][l.ID]; ok && !l.Final() && l.EnergyWh != b.plannedWh {
				b.changed = true
				f.begun[e.Mission][l.ID] = b
			}
		}
	case fleet.LegChanged:
		f.leg(e)
	}
}

// leg takes a leg that began or is done.
func (f *flights) leg(e fleet.LegChanged) {
	a := f.agents[f.missions[e.Mission]]
	l, ok := f.plans[e.Mission][e.Leg]
	if a == nil || !ok || a.Body().Figures.Kind != protocol.Multirotor || l.ChargeToRatio > 0 {
		return
	}
	b, started := f.begun[e.Mission][e.Leg]
	switch {
	case !started && e.State != protocol.LegDone && e.State != protocol.LegFailed:
		f.begun[e.Mission][e.Leg] = begunLeg{plannedWh: l.EnergyWh, atWh: heldWh(a)}
	case started && e.State == protocol.LegDone && b.changed:
		f.changed++
	case started && e.State == protocol.LegDone:
		f.legs++
		f.plannedWh += b.plannedWh
		f.usedWh += b.atWh - heldWh(a)
	}
}

// heldWh is what the battery holds, with the charge that went with dead cells, which
// nobody used.
func heldWh(a *agent.Agent) float64 { return a.Body().EnergyWh + a.Body().LostWh }

// TestFlightsTakeWhatWasPlanned runs the stories in which aircraft fly, and holds
// the energy planned for their legs against what the bodies, with figures and
// formulas of their own, took for them.
func TestFlightsTakeWhatWasPlanned(t *testing.T) {
	files, err := filepath.Glob("scenario/stories/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	plannedWh, usedWh, legs := 0.0, 0.0, 0
	for _, file := range files {
		runs, err := scenario.LoadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range runs {
			on, err := scenario.Charts{Dir: filepath.Dir(file), Harbour: harbour.Chart}.Prepare(&s)
			if err != nil {
				t.Fatal(err)
			}
			f := flights{
				agents: map[string]*agent.Agent{}, missions: map[fleet.MissionID]string{},
				plans: map[fleet.MissionID]map[fleet.LegID]fleet.Leg{}, begun: map[fleet.MissionID]map[fleet.LegID]begunLeg{},
			}
			if _, err := Run(context.Background(), s, Options{Chart: on, Wall: time.Now, OnEvent: f.event, OnTrack: f.track}); err != nil {
				t.Fatal(err)
			}
			t.Logf("%-16s %3d legs, %d changed under way and left out: planned %.1f Wh, used %.1f (planned %+.1f %%)",
				s.Name, f.legs, f.changed, f.plannedWh, f.usedWh, 100*(f.plannedWh/f.usedWh-1))
			plannedWh, usedWh, legs = plannedWh+f.plannedWh, usedWh+f.usedWh, legs+f.legs
			if f.legs >= 5 && math.Abs(f.plannedWh/f.usedWh-1) > 0.10 {
				t.Errorf("%s: planned %.1f Wh, used %.1f; repeat: go test ./sim -run TestFlightsTakeWhatWasPlanned", s.Name, f.plannedWh, f.usedWh)
			}
		}
	}
	t.Logf("all: %d legs, planned %.1f Wh, used %.1f (planned %+.1f %%)", legs, plannedWh, usedWh, 100*(plannedWh/usedWh-1))
	if legs < 50 || math.Abs(plannedWh/usedWh-1) > 0.10 {
		t.Errorf("%d legs were planned to take %.1f Wh and took %.1f", legs, plannedWh, usedWh)
	}
}

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
	"github.com/kapok-fleet/kapok/sim/check"
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

	// least is the lowest charge in the air, who had it and when.
	least float64
	who   string
	at    time.Time

	legs, changed     int
	plannedWh, usedWh float64
}

type begunLeg struct {
	plannedWh, atWh float64
}

// track notes the least charge of any aircraft that flies as it was told to, to a
// charger too, but for those that have lost a part of their battery.
func (f *flights) track(now time.Time, a *agent.Agent) {
	f.agents[a.ID()] = a
	b := a.Body()
	if b.Figures.Kind != protocol.Multirotor || b.Landed() || b.LostWh > 0 || !told(a) {
		return
	}
	if ratio := b.BatteryRatio(); f.who == "" || ratio < f.least {
		f.least, f.who, f.at = ratio, a.ID(), now
	}
}

// told tells whether an aircraft carries out a mission, of whatever kind.
func told(a *agent.Agent) bool {
	m := a.Store().Mission
	return m != nil && m.State == protocol.MissionActive && !a.Store().Held && a.Store().Motion == nil
}

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
				// What is left of it is planned anew from where the aircraft is.
				f.changed++
				f.begun[e.Mission][l.ID] = begunLeg{plannedWh: l.EnergyWh, atWh: heldWh(f.agents[string(e.Vehicle)])}
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
	case started && e.State == protocol.LegDone:
		f.legs++
		f.plannedWh += b.plannedWh
		f.usedWh += b.atWh - heldWh(a)
	}
}

// heldWh is what the battery holds, with the charge that went with dead cells, which
// nobody used.
func heldWh(a *agent.Agent) float64 { return a.Body().EnergyWh + a.Body().LostWh }

// flown runs a scenario and looks at its flights.
func flown(t *testing.T, dir string, s scenario.Scenario) (flights, Result) {
	t.Helper()
	on, err := scenario.Charts{Dir: dir, Harbour: harbour.Chart}.Prepare(&s)
	if err != nil {
		t.Fatal(err)
	}
	f := flights{
		agents: map[string]*agent.Agent{}, missions: map[fleet.MissionID]string{},
		plans: map[fleet.MissionID]map[fleet.LegID]fleet.Leg{}, begun: map[fleet.MissionID]map[fleet.LegID]begunLeg{},
	}
	r, err := Run(context.Background(), s, Options{Chart: on, Wall: time.Now, OnEvent: f.event, OnTrack: f.track})
	if err != nil {
		t.Fatal(err)
	}
	return f, r
}

// off is by how much more was planned than used, as a share.
func (f *flights) off() float64 { return f.plannedWh/f.usedWh - 1 }

// keptReserve holds the least charge in the air, and what the checker found, against
// the reserve.
func (f *flights) keptReserve(t *testing.T, s *scenario.Scenario, r *Result) {
	t.Helper()
	spec, ok := fleet.PresetSpec(protocol.Multirotor, "kapok-quad")
	if !ok {
		t.Fatal("the simulated aircraft has no spec")
	}
	if n := r.ViolationCounts[check.Energy]; n > 0 || f.who != "" && f.least < spec.ReserveRatio {
		t.Errorf("%s: %d flights below the reserve, by the checker; the least charge in the air was %.1f %%, of %s at %v",
			s.Name, n, 100*f.least, f.who, f.at.Sub(s.Start))
	}
}

// TestFlightsTakeWhatWasPlanned runs the stories in which aircraft fly, and holds
// the energy planned for their legs against what the bodies, with figures and
// formulas of their own, took for them. No flight comes below its reserve.
func TestFlightsTakeWhatWasPlanned(t *testing.T) {
	files, err := filepath.Glob("scenario/stories/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var all flights
	windy := 0
	for _, file := range files {
		runs, err := scenario.LoadAll(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range runs {
			f, r := flown(t, filepath.Dir(file), s)
			t.Logf("%-16s %3d legs, %d planned anew under way: planned %.0f Wh, used %.0f (planned %+.1f %%); least charge in the air %.0f %%",
				s.Name, f.legs, f.changed, f.plannedWh, f.usedWh, 100*f.off(), 100*f.least)
			all.plannedWh, all.usedWh, all.legs = all.plannedWh+f.plannedWh, all.usedWh+f.usedWh, all.legs+f.legs
			windy += int(asNumber(s.Conditions.Any()))
			if f.legs >= 5 && math.Abs(f.off()) > 0.10 {
				t.Errorf("%s: planned %.1f Wh, used %.1f; repeat: go test ./sim -run TestFlightsTakeWhatWasPlanned", s.Name, f.plannedWh, f.usedWh)
			}
			f.keptReserve(t, &s, &r)
		}
	}
	if windy == 0 {
		t.Error("no story has wind")
	}
	t.Logf("all: %d legs, planned %.0f Wh, used %.0f (planned %+.1f %%)", all.legs, all.plannedWh, all.usedWh, 100*all.off())
	if all.legs < 50 || math.Abs(all.off()) > 0.10 {
		t.Errorf("%d legs were planned to take %.1f Wh and took %.1f", all.legs, all.plannedWh, all.usedWh)
	}
}

// TestNoFlightComesBelowItsReserve: aircraft that are low on charge from the start,
// in calm and in winds from all sides up to what they fly in.
func TestNoFlightComesBelowItsReserve(t *testing.T) {
	base, err := scenario.Load("scenario/testdata/low-energy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ wind, from, gust float64 }{{}, {5, 30, 2}, {9, 200, 4}, {12, 300, 6}} {
		s := base
		s.Conditions = scenario.Conditions{WindMPS: c.wind, WindFromDeg: c.from, GustMPS: c.gust}
		f, r := flown(t, "scenario/testdata", s)
		t.Logf("wind %g m/s from %g°: %d legs, planned %+.1f %%, least charge in the air %.1f %% (%s)", c.wind, c.from, f.legs, 100*f.off(), 100*f.least, f.who)
		f.keptReserve(t, &s, &r)
	}
}

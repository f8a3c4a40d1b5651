package motion

import (
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// plain has figures that make sums easy: an hour of cruise takes 3600 Wh.
func plain(kind Kind) Spec {
	return Spec{
		Kind: kind, CruiseMPS: 10, MaxMPS: 20, ClimbMPS: 4, DescentMPS: 2,
		BatteryWh: 1000, CruiseW: 3600, ClimbW: 7200, WorkW: 1800, LoadWPerKg: 360,
		ChargeW: 500, MaxLoadKg: 5, ReserveRatio: 0.2,
	}
}

func same(a, b Cost) bool {
	return math.Abs(a.Seconds-b.Seconds) < 1e-6 && math.Abs(a.EnergyWh-b.EnergyWh) < 1e-6
}

func TestLegAndWork(t *testing.T) {
	drone, rover := plain(Multirotor), plain(Rover)
	for _, c := range []struct {
		name string
		got  Cost
		want Cost
	}{
		{"level", drone.Leg(1000, 0, 0, 0), Cost{100, 100}},
		{"columns", drone.Leg(0, 40, 20, 0), Cost{20, 40}},
		{"both", drone.Leg(1000, 40, 20, 0), Cost{120, 140}},
		{"with a load of 10 kg", drone.Leg(1000, 40, 20, 10), Cost{120, 140 + 120}},
		{"a rover pays nothing for height", rover.Leg(1000, 40, 20, 0), Cost{100, 100}},
		{"hovering", drone.Work(60, 0), Cost{60, 30}},
		{"hovering with 5 kg", drone.Work(60, 5), Cost{60, 60}},
		{"nothing", drone.Leg(0, 0, 0, 3), Cost{}},
	} {
		if !same(c.got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
}

func TestPathFollowsEachSegment(t *testing.T) {
	frame := space.NewFrame(orb.Point{10, 50})
	at := func(x, z float64) space.Position { return frame.Position(space.XYZ{X: x, Z: z}) }
	drone, rover := plain(Multirotor), plain(Rover)
	for _, c := range []struct {
		name   string
		spec   Spec
		path   []space.Position
		limits []float64
		want   Cost
	}{
		{"up, over, down: as Leg", drone, []space.Position{at(0, 0), at(0, 40), at(1000, 40), at(1000, 20)}, nil, drone.Leg(1000, 40, 20, 0)},
		{"a gentle slope takes no more time", drone, []space.Position{at(0, 0), at(1000, 40)}, nil, Cost{100, 20 + 90}},
		{"a steep slope takes as long as its climb", drone, []space.Position{at(0, 0), at(100, 400)}, nil, Cost{100, 200}},
		{"a steep dive as long as its descent", drone, []space.Position{at(0, 400), at(100, 0)}, nil, Cost{200, 400}},
		{"limits by segment, zero is none", rover, []space.Position{at(0, 0), at(100, 0), at(200, 0), at(300, 0)}, []float64{5, 0}, Cost{40, 40}},
		{"a limit above the cruise changes nothing", rover, []space.Position{at(0, 0), at(100, 0)}, []float64{15}, Cost{10, 10}},
		{"a point", drone, []space.Position{at(0, 0)}, nil, Cost{}},
		{"nothing", drone, nil, nil, Cost{}},
	} {
		if got := c.spec.Path(frame, c.path, 0, c.limits); !same(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestBoundsAndBattery(t *testing.T) {
	s := plain(VTOL)
	if s.LowerBoundS(1000) != 50 || s.ReserveWh() != 200 || math.Abs(s.ChargeS(0.2, 0.7)-3600) > 1e-6 || s.ChargeS(0.9, 0.7) != 0 {
		t.Errorf("%g %g %g", s.LowerBoundS(1000), s.ReserveWh(), s.ChargeS(0.2, 0.7))
	}
	if got := s.RangeM(0); math.Abs(got-8000) > 1e-9 {
		t.Errorf("range %g m, want 8000", got)
	}
	if !s.Kind.Airborne() || Rover.Airborne() {
		t.Error("who flies")
	}
}

func TestValidate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Spec)
		want   string
	}{
		"good":              {func(*Spec) {}, ""},
		"a rover on wheels": {func(s *Spec) { s.Kind, s.ClimbMPS, s.DescentMPS, s.ClimbW = Rover, 0, 0, 0 }, ""},
		"kind":              {func(s *Spec) { s.Kind = "kite" }, `kind "kite"`},
		"cruise":            {func(s *Spec) { s.CruiseMPS = 0 }, "cruise_mps"},
		"NaN":               {func(s *Spec) { s.BatteryWh = math.NaN() }, "battery_wh"},
		"infinite":          {func(s *Spec) { s.ChargeW = math.Inf(1) }, "charge_w"},
		"slow":              {func(s *Spec) { s.MaxMPS = 5 }, "max_mps 5 is below"},
		"no climb":          {func(s *Spec) { s.ClimbMPS = 0 }, "climb_mps"},
		"negative load":     {func(s *Spec) { s.LoadWPerKg = -1 }, "load_w_per_kg"},
		"reserve":           {func(s *Spec) { s.ReserveRatio = 1 }, "reserve_ratio"},
	} {
		s := plain(Multirotor)
		c.change(&s)
		err := s.Validate()
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if err := (Spec{}).Validate(); err == nil || strings.Count(err.Error(), "\n") < 5 {
		t.Errorf("the zero spec has all its faults reported: %v", err)
	}
}

func TestModels(t *testing.T) {
	for _, model := range Models() {
		s, ok := Preset(model)
		if !ok {
			t.Fatalf("%s is listed but unknown", model)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", model, err)
		}
		// Each serves a district of a few kilometres, there and back, fully loaded.
		if r := s.RangeM(s.MaxLoadKg); r < 10_000 {
			t.Errorf("%s reaches %.0f m", model, r)
		}
	}
	if _, ok := Preset("kapok-zeppelin"); ok {
		t.Error("an unknown model is known")
	}
}

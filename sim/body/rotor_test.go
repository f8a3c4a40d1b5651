package body

import (
	"math"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

func TestRotorsBehaveAsFlightDoes(t *testing.T) {
	b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
	r, weight := &b.Figures.Rotors, b.Figures.MassKg*gravity
	at := func(air, climb float64) float64 { return r.shaftW(weight, air, climb, seaLevelKgM3) }
	hover := at(0, 0)
	if at(8, 0) >= hover || at(20, 0) <= hover || at(0, 3) <= hover || at(0, -3) >= hover || at(0, -3) < 0.8*hover {
		t.Errorf("hover %.0f, slow %.0f, fast %.0f, up %.0f, down %.0f W", hover, at(8, 0), at(20, 0), at(0, 3), at(0, -3))
	}
	if r.shaftW(weight, 0, 0, 0.9) <= hover || r.shaftW(weight*1.4, 0, 0, seaLevelKgM3) <= 1.5*hover {
		t.Error("thin air or a load costs too little")
	}
	for air := 0.0; air <= 25; air += 0.25 {
		for climb := -4.0; climb <= 5; climb += 0.25 {
			if w := at(air, climb); !(w > 0) || math.IsInf(w, 0) {
				t.Fatalf("%g W at %g m/s climbing %g", w, air, climb)
			}
		}
	}
}

func TestTheAirPushedIsThatOfTheThrust(t *testing.T) {
	for _, c := range []struct{ speed, against float64 }{{0, 0}, {0, 4}, {5, 1}, {15, 3}, {20, 8}} {
		const hover2 = 40
		v := pushed(c.speed*c.speed, c.against, hover2)
		if got := v * math.Hypot(c.speed, c.against+v); math.Abs(got/hover2-1) > 0.02 {
			t.Errorf("at %g m/s and %g against: %g of %d", c.speed, c.against, got, hover2)
		}
	}
}

func TestBatteriesSagAndFeelTheCold(t *testing.T) {
	used := func(ratio float64, air Air, load float64) float64 {
		b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
		b.EnergyWh, b.Air, b.LoadKg = b.Figures.BatteryWh*ratio, air, load
		before := b.EnergyWh
		for range 60 {
			b.Step(1, Resting)
		}
		return before - b.EnergyWh
	}
	full := used(1, Air{}, 0)
	if low := used(0.3, Air{}, 0); low <= full*1.002 || low > full*1.05 {
		t.Errorf("a minute takes %.2f Wh full, %.2f nearly empty", full, low)
	}
	freezing := AirAt(0, 0)
	if cold := used(1, Air{Cold: freezing.Cold}, 0); math.Abs(cold/full-1/0.86) > 1e-3 {
		t.Errorf("a minute takes %.2f Wh in the warm, %.2f at 0 °C", full, cold)
	}
	if high := used(1, Air{KgM3: AirAt(3000, 20).KgM3}, 0); high <= full*1.1 {
		t.Errorf("at 3000 m %.2f Wh, at sea level %.2f", high, full)
	}
	if d := AirAt(0, 15).KgM3; math.Abs(d-1.225) > 0.003 {
		t.Errorf("%g kg/m³ at 15 °C", d)
	}
	b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
	if idle, drawn := b.VoltageV(0), b.VoltageV(2800); idle != 50.2 || drawn >= 49 || drawn < 47 {
		t.Errorf("%g V without a current, %g V with 2800 W", idle, drawn)
	}
	if v := newBody(t, protocol.Rover, space.XYZ{}).VoltageV(100); v != 0 {
		t.Errorf("a rover's battery shows %g V", v)
	}
}

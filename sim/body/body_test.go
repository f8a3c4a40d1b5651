package body

import (
	"math"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

func newBody(t *testing.T, kind protocol.Kind, at space.XYZ) *Body {
	t.Helper()
	f, ok := FiguresOf(kind)
	if !ok {
		t.Fatalf("no figures for %s", kind)
	}
	return New(f, at, 0, 1)
}

func TestRoverDrivesItsPathAtThePlannedSpeed(t *testing.T) {
	b := newBody(t, protocol.Rover, space.XYZ{})
	b.Follow([]space.XYZ{{}, {X: 30}, {X: 30, Y: 20}}, []float64{2.5})
	seconds, left := 0, 0.0
	for b.Moving() {
		left = b.Step(1, Resting)
		seconds++
	}
	if seconds != 20 || left > 1e-9 {
		t.Errorf("50 m at 2.5 m/s took %d s with %g s left, want 20 and 0", seconds, left)
	}
	if b.At != (space.XYZ{X: 30, Y: 20}) {
		t.Errorf("ended at %v", b.At)
	}
	if math.Abs(b.TravelledM-50) > 0.5 {
		t.Errorf("travelled %g m, want about 50", b.TravelledM)
	}
	if b.HeadingDeg > 1e-9 {
		t.Errorf("heading %g, want north", b.HeadingDeg)
	}
}

func TestSpeedIsCutToTheHardware(t *testing.T) {
	b := newBody(t, protocol.Rover, space.XYZ{})
	b.Follow([]space.XYZ{{}, {X: 300}}, []float64{50})
	b.Step(1, Resting)
	if b.SpeedMPS != b.Figures.MaxMPS {
		t.Errorf("speed %g, want %g", b.SpeedMPS, b.Figures.MaxMPS)
	}
}

func TestMultirotorClimbsFliesAndLands(t *testing.T) {
	b := newBody(t, protocol.Multirotor, space.XYZ{})
	b.Follow([]space.XYZ{{}, {Z: 45}, {X: 150, Z: 45}, {X: 150}}, []float64{15})
	seconds, highest := 0, 0.0
	for b.Moving() {
		before := b.At.Z
		b.Step(1, Resting)
		seconds++
		highest = max(highest, b.At.Z)
		if rise := b.At.Z - before; rise > b.Figures.ClimbMPS+1e-9 || -rise > b.Figures.DescentMPS+1e-9 {
			t.Fatalf("vertical speed %g beyond the limits", rise)
		}
	}
	// 45/4.5 + 150/15 + 45/3.5 seconds.
	if seconds != 33 || highest != 45 || !b.Landed() {
		t.Errorf("took %d s, highest %g m, landed %v", seconds, highest, b.Landed())
	}
}

func TestABodyBesideItsPathJoinsItAhead(t *testing.T) {
	b := newBody(t, protocol.Rover, space.XYZ{X: 40, Y: 5})
	b.Follow([]space.XYZ{{}, {X: 100}}, []float64{2.5})
	b.Step(2, Resting)
	if math.Abs(b.At.X-40) > 1e-9 || math.Abs(b.At.Y) > 1e-9 {
		t.Errorf("after 5 m at %v, want the nearest point of the path", b.At)
	}
	b.Step(1, Resting)
	if b.At.X <= 40 {
		t.Errorf("did not go on along the path: %v", b.At)
	}
}

func TestOutAndBackIsNotShortened(t *testing.T) {
	b := newBody(t, protocol.Rover, space.XYZ{X: 10})
	b.Follow([]space.XYZ{{}, {X: 100}, {}}, []float64{2.5})
	for range 30 {
		b.Step(1, Resting)
	}
	if math.Abs(b.At.X-85) > 1e-6 {
		t.Errorf("at %v, want on the way out", b.At)
	}
}

func TestBattery(t *testing.T) {
	hover := newBody(t, protocol.Multirotor, space.XYZ{Z: 50})
	hover.Step(60, Working)
	laden := newBody(t, protocol.Multirotor, space.XYZ{Z: 50})
	laden.LoadKg = 5
	laden.Step(60, Working)
	if hover.EnergyWh >= 1600 || laden.EnergyWh >= hover.EnergyWh {
		t.Errorf("a minute in the air left %g Wh, laden %g", hover.EnergyWh, laden.EnergyWh)
	}
	charging := newBody(t, protocol.Rover, space.XYZ{})
	charging.EnergyWh = 100
	charging.Step(3600, Charging)
	if want := 100 + charging.Figures.ChargeW; math.Abs(charging.EnergyWh-want) > 1e-6 {
		t.Errorf("an hour of charging gave %g Wh, want %g", charging.EnergyWh, want)
	}
	charging.Step(36000, Charging)
	if charging.BatteryRatio() != 1 {
		t.Errorf("ratio %g, want 1", charging.BatteryRatio())
	}
}

func TestEmptyBatteryEndsTheFlight(t *testing.T) {
	b := newBody(t, protocol.Multirotor, space.XYZ{Z: 30})
	b.EnergyWh = 0.1
	b.Follow([]space.XYZ{{Z: 30}, {X: 1000, Z: 30}}, []float64{15})
	for range 20 {
		b.Step(1, Resting)
	}
	if !b.Dead() || !b.Landed() || b.Moving() || b.At.X > 100 {
		t.Errorf("dead %v, landed %v, moving %v at %v", b.Dead(), b.Landed(), b.Moving(), b.At)
	}
}

func BenchmarkStep(b *testing.B) {
	f, _ := FiguresOf(protocol.Rover)
	v := New(f, space.XYZ{}, 0, 1)
	path := []space.XYZ{{}, {X: 1e9}}
	b.ReportAllocs()
	for b.Loop() {
		if !v.Moving() {
			v.Follow(path, []float64{2.5})
		}
		v.EnergyWh = f.BatteryWh
		v.Step(1, Resting)
	}
}

func TestEachSegmentHasItsOwnSpeed(t *testing.T) {
	path := []space.XYZ{{}, {X: 20}, {X: 30}, {X: 50}}
	speeds := []float64{2, 0.5, 2.5}
	b := newBody(t, protocol.Rover, space.XYZ{})
	b.Follow(path, speeds)
	used := b.EnergyWh
	for second := range 38 {
		b.Step(1, Resting)
		// The speed shown is that of where the body is, not of the whole step.
		want := speeds[0]
		if second >= 30 {
			want = speeds[2]
		} else if second >= 10 {
			want = speeds[1]
		}
		if math.Abs(b.SpeedMPS-want) > 1e-9 {
			t.Fatalf("at %v after %d s: %g m/s, want %g", b.At, second+1, b.SpeedMPS, want)
		}
	}
	if b.Moving() || b.At.X != 50 {
		t.Errorf("after 38 s at %v", b.At)
	}
	if used -= b.EnergyWh; !(used > 0) {
		t.Errorf("used %g Wh", used)
	}

	// Within one long step nothing is skipped.
	b = newBody(t, protocol.Rover, space.XYZ{})
	b.Follow(path, speeds)
	if b.Step(32, Resting); math.Abs(b.At.X-35) > 1e-9 {
		t.Errorf("after 32 s at once at %v, want 35 m", b.At)
	}

	// Beside the path, the segment that is joined gives the speed.
	b = newBody(t, protocol.Rover, space.XYZ{X: 25, Y: 1})
	b.Follow(path, speeds)
	if b.Step(2, Resting); b.At != (space.XYZ{X: 25}) || b.SpeedMPS != 0.5 {
		t.Errorf("joined the path at %v with %g m/s", b.At, b.SpeedMPS)
	}
	if b.Step(12, Resting); math.Abs(b.At.X-35) > 1e-9 {
		t.Errorf("12 s after joining at %v, want 35 m", b.At)
	}
}

func TestTheGroundIsWhereTheBodyIs(t *testing.T) {
	hill := func(at space.XY) float64 { return at.X / 10 }
	b := newBody(t, protocol.Multirotor, space.XYZ{})
	b.Ground = hill
	b.Follow([]space.XYZ{{}, {Z: 60}, {X: 200, Z: 60}, {X: 200, Z: 20}}, []float64{15})
	for b.Moving() {
		b.Step(1, Resting)
	}
	if !b.Landed() || b.GroundBelowM() != 20 {
		t.Errorf("at %v over ground of %g m: landed %v", b.At, b.GroundBelowM(), b.Landed())
	}
	fallen := newBody(t, protocol.Multirotor, space.XYZ{X: 300, Z: 70})
	fallen.Ground, fallen.EnergyWh = hill, 0
	for range 10 {
		fallen.Step(1, Resting)
	}
	if fallen.At.Z != 30 {
		t.Errorf("without power it fell to %g m, want the ground at 30 m", fallen.At.Z)
	}
}

// What a van draws on its way is about what small electric vans are said to need.
func TestAVanDrivesFasterThanARobot(t *testing.T) {
	f, ok := FiguresOfModel(protocol.Rover, "kapok-van")
	if !ok {
		t.Fatal("no figures")
	}
	b := New(f, space.XYZ{}, 0, 1)
	b.Follow([]space.XYZ{{}, {X: 9000}}, []float64{9})
	for b.Moving() {
		b.Step(1, Resting)
	}
	if perKm := (f.BatteryWh - b.EnergyWh) / 9; perKm < 70 || perKm > 160 || b.At.X != 9000 {
		t.Errorf("it took %.0f Wh/km to %v", perKm, b.At)
	}
	if robot, _ := FiguresOfModel(protocol.Rover, "kapok-rover"); robot.MaxMPS != 3 {
		t.Errorf("a robot drives %g m/s", robot.MaxMPS)
	}
}

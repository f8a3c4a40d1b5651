package body

import (
	"math"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

func TestWindAgainstAndBehind(t *testing.T) {
	for _, c := range []struct {
		name            string
		from, mps, want float64
	}{
		// 20 m/s are the most through the air.
		{"calm", 90, 0, 15},
		{"head wind", 90, 8, 12},
		{"tail wind", 270, 8, 15},
		{"cross wind", 0, 12, 15},
		{"too much", 90, 25, 0},
		{"too much across", 0, 25, 0},
	} {
		b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
		b.Wind = NewWind(c.mps, c.from, 0, 1).At(time.Unix(0, 0))
		b.Follow([]space.XYZ{{Z: 60}, {X: 10_000, Z: 60}}, []float64{15})
		for range 10 {
			b.Step(1, Resting)
		}
		if math.Abs(b.At.X-10*c.want) > 1e-6 || math.Abs(b.SpeedMPS-c.want) > 1e-6 {
			t.Errorf("%s: at %v with %g m/s, want %g m/s", c.name, b.At, b.SpeedMPS, c.want)
		}
	}
}

// TestATailWindCarriesFurther: an aircraft's greatest speed is that through the air.
func TestATailWindCarriesFurther(t *testing.T) {
	for _, c := range []struct{ wind, planned, want float64 }{{0, 27, 20}, {8, 27, 27}, {8, 40, 28}} {
		b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
		b.Wind = NewWind(c.wind, 270, 0, 1).At(time.Unix(0, 0))
		b.Follow([]space.XYZ{{Z: 60}, {X: 10_000, Z: 60}}, []float64{c.planned})
		b.Step(10, Resting)
		if math.Abs(b.At.X-10*c.want) > 1e-6 {
			t.Errorf("planned at %g m/s before a wind of %g: %g m/s, want %g", c.planned, c.wind, b.At.X/10, c.want)
		}
	}
}

func TestWindCostsEnergyByTheAirSpeed(t *testing.T) {
	used := func(from, mps float64) float64 {
		b := newBody(t, protocol.Multirotor, space.XYZ{Z: 60})
		b.Wind = NewWind(mps, from, 0, 1).At(time.Unix(0, 0))
		b.Follow([]space.XYZ{{Z: 60}, {X: 1000, Z: 60}}, []float64{15})
		before := b.EnergyWh
		for b.Moving() {
			b.Step(1, Resting)
		}
		return before - b.EnergyWh
	}
	calm, against, behind := used(0, 0), used(90, 8), used(270, 8)
	if against <= calm*1.2 || behind >= calm {
		t.Errorf("calm %.1f Wh, against the wind %.1f, before it %.1f", calm, against, behind)
	}
}

func TestGustsAreAFunctionOfTimeAndSeed(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	a, b, other := NewWind(5, 90, 4, 1), NewWind(5, 90, 4, 1), NewWind(5, 90, 4, 2)
	differ, last, sum := false, a.At(at), 0.0
	for i := range 10_000 {
		now := at.Add(time.Duration(i) * 100 * time.Millisecond)
		v := a.At(now)
		if v != b.At(now) {
			t.Fatal("the same wind differs")
		}
		differ = differ || v != other.At(now)
		if mps := -v.X; mps < 3-1e-9 || mps > 9+1e-9 || math.Abs(v.X-last.X) > 0.15 {
			t.Fatalf("a wind of %g m/s after one of %g", mps, -last.X)
		}
		last = v
		sum -= v.X
	}
	if !differ {
		t.Error("seeds 1 and 2 give the same gusts")
	}
	if mean := sum / 10_000; math.Abs(mean+a.Mean(time.Time{}).X) > 0.3 {
		t.Errorf("mean %g m/s, Mean says %g", mean, -a.Mean(time.Time{}).X)
	}
}

// TestAWindTurnsIntoTheNext: it is the old one until its time, the new one half a
// minute later, and never leaps.
func TestAWindTurnsIntoTheNext(t *testing.T) {
	at := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	w := NewWind(4, 90, 0, 1)
	w.Change(at, 10, 0, 0)
	w.Change(at.Add(10*time.Second), 0, 0, 0)
	for after, want := range map[time.Duration]space.XY{
		-time.Hour: {X: -4}, 0: {X: -4}, 5 * time.Second: {X: -4 * 25.0 / 30, Y: -10 * 5.0 / 30}, 40 * time.Second: {},
	} {
		if got := w.At(at.Add(after)); got.Dist(want) > 1e-9 {
			t.Errorf("%v after the change it is %v, want %v", after, got, want)
		}
	}
	if got := w.Mean(at.Add(time.Second)); got.Dist(space.XY{Y: -10}) > 1e-9 {
		t.Errorf("a second after the change %v are coming", got)
	}
	last := w.At(at.Add(-time.Second))
	for i := range 600 {
		now := w.At(at.Add(time.Duration(i-10) * 100 * time.Millisecond))
		if now.Dist(last) > 0.15 {
			t.Errorf("from %v to %v at once", last, now)
		}
		last = now
	}
}

// A long step shows every place that short ones show.
func TestPlacesOfALongStepAreThoseOfShortOnes(t *testing.T) {
	path := []space.XYZ{{}, {X: 7}, {X: 7, Y: 3.3}, {X: 20, Y: 3.3}}
	long, short := newBody(t, protocol.Rover, space.XYZ{}), newBody(t, protocol.Rover, space.XYZ{})
	long.Follow(path, []float64{2, 0.5, 2.5})
	short.Follow(path, []float64{2, 0.5, 2.5})
	seen := 0
	for range 30 {
		long.Step(1, Resting)
		step := 0
		long.Places(0.1, func(at space.XYZ, after, _ float64) bool {
			for float64(step+1)*0.1 <= after+1e-9 {
				short.Step(0.1, Resting)
				step++
			}
			if math.Abs(float64(step)*0.1-after) < 1e-9 && at.Dist(short.At) > 1e-6 {
				t.Errorf("at %v after %g s, in short steps at %v", at, after, short.At)
			}
			seen++
			return true
		})
		for ; step < 10; step++ {
			short.Step(0.1, Resting)
		}
	}
	if seen < 152 || seen > 156 || len(long.Moves()) != 0 || long.EnergyWh-short.EnergyWh > 1e-3 {
		t.Errorf("%d places, %d moves at rest, %g and %g Wh", seen, len(long.Moves()), long.EnergyWh, short.EnergyWh)
	}
}

func TestWhatAWayTakesIsWhatItTook(t *testing.T) {
	wind := NewWind(6, 45, 0, 1)
	for _, kind := range []protocol.Kind{protocol.Multirotor, protocol.Rover, protocol.Vessel} {
		b := newBody(t, kind, space.XYZ{X: 3})
		b.LoadKg = 2
		b.Wind, b.Forecast = wind.At(time.Unix(0, 0)), wind.Mean(time.Time{})
		path := []space.XYZ{{}, {X: 300}, {X: 300, Y: 200}}
		if kind == protocol.Multirotor {
			path = []space.XYZ{{X: 3}, {X: 3, Z: 50}, {X: 300, Z: 60}, {X: 300, Y: 200, Z: 60}, {X: 300, Y: 200}}
		}
		want := b.WayWh(b.At, path, []float64{2}, 2)
		b.Follow(path, []float64{2})
		if rest := b.RestWh(); math.Abs(rest-want) > 1e-9 {
			t.Errorf("%s: the way takes %g Wh, its rest %g", kind, want, rest)
		}
		before := b.EnergyWh
		for b.Moving() {
			left := b.Step(0.5, Resting)
			if left > 0 {
				// What is left of the last step is rest.
				before -= (b.Figures.IdleW / 3) * left / 3600
			}
		}
		if used := before - b.EnergyWh; math.Abs(used-want) > 0.01*want {
			t.Errorf("%s: reckoned %g Wh, took %g", kind, want, used)
		}
	}
}

func TestTheWayBackIsTheWayThere(t *testing.T) {
	b := newBody(t, protocol.Multirotor, space.XYZ{})
	b.Follow([]space.XYZ{{}, {Z: 50}, {X: 100, Z: 50}, {X: 100}}, []float64{10})
	for b.Moving() {
		b.Step(1, Resting)
	}
	b.Follow([]space.XYZ{{X: 100}, {X: 100, Z: 60}, {X: 100, Y: 500, Z: 60}}, []float64{5})
	for range 30 {
		b.Step(1, Resting)
	}
	near, _, ok := b.WayBack(true, nil, nil)
	if end := near[len(near)-1]; !ok || end != (space.XYZ{X: 100}) {
		t.Errorf("the nearest end is %v", end)
	}
	way, mps, ok := b.WayBack(false, nil, nil)
	if !ok || len(mps) != len(way)-1 {
		t.Fatalf("%v at %v", way, mps)
	}
	b.Follow(way, mps)
	for b.Moving() {
		b.Step(1, Resting)
		if b.At.Z < 49 && math.Hypot(b.At.X, b.At.Y) > 1 {
			t.Fatalf("came down at %v", b.At)
		}
	}
	if b.At != (space.XYZ{}) {
		t.Errorf("came to %v", b.At)
	}
	b.BeginTrail()
	if way, _, _ := b.WayBack(false, nil, nil); len(way) != 2 || way[1] != b.At {
		t.Errorf("from home it is %v", way)
	}
}

func TestStepAllocatesNothing(t *testing.T) {
	b := newBody(t, protocol.Multirotor, space.XYZ{})
	b.Wind = space.XY{X: 3}
	b.Follow([]space.XYZ{{Z: 50}, {X: 1e7, Z: 50}}, []float64{10})
	b.Step(1, Resting)
	if n := testing.AllocsPerRun(100, func() {
		b.EnergyWh = b.Figures.BatteryWh
		b.Step(0.1, Resting)
		_ = b.RestWh()
	}); n != 0 {
		t.Errorf("%g allocations a step", n)
	}
}

package motion

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

func airframe(t testing.TB, name string) (AirframeFile, Spec) {
	t.Helper()
	f, ok := AirframeOf(name)
	if !ok {
		t.Fatalf("no airframe %s", name)
	}
	return f, f.Spec()
}

func TestEveryAirframeIsWholeAndLastsAsPublished(t *testing.T) {
	for _, name := range Airframes() {
		f, s := airframe(t, name)
		if f.Name != name {
			t.Errorf("the file %s is of %s", name, f.Name)
		}
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		flight := s.In(Wind{}, 0)
		lowest := math.Inf(1)
		for v := 0.0; v <= s.MaxMPS; v += 0.05 {
			lowest = min(lowest, flight.PowerW(v, 0))
		}
		at := lowest
		if f.EnduranceMPS != nil {
			at = flight.PowerW(f.EnduranceMPS.Value, 0)
		}
		if lasts := s.BatteryWh / at * 3600; math.Abs(lasts/f.EnduranceS.Value-1) > 0.002 {
			t.Errorf("%s lasts %.0f s, published %g", name, lasts, f.EnduranceS.Value)
		}
		// Slower is not cheaper by the metre below the cruise, on which the bounds
		// of the planner rest.
		for v := 1.0; v < s.CruiseMPS; v++ {
			if flight.PowerW(v, 0)/v < flight.PowerW(s.CruiseMPS, 0)/s.CruiseMPS {
				t.Errorf("%s: a metre at %g m/s is cheaper than in cruise", name, v)
			}
		}
	}
}

// What makers publish beside the endurance that the drive is calibrated from is
// foretold.
func TestPublishedFiguresThatCalibrateNothingAreMet(t *testing.T) {
	for _, c := range []struct {
		name             string
		loadKg, seconds  float64
		within           float64
		airMPS, climbMPS float64
	}{
		{"dji-m600-pro", 6, 16 * 60, 0.05, 0, 0},
		{"dji-m30", 0, 36 * 60, 0.10, 0, 0},
	} {
		_, s := airframe(t, c.name)
		f := s.In(Wind{}, c.loadKg)
		if got := s.BatteryWh / f.PowerW(c.airMPS, c.climbMPS) * 3600; math.Abs(got/c.seconds-1) > c.within {
			t.Errorf("%s with %g kg stays up %.0f s, published %g", c.name, c.loadKg, got, c.seconds)
		}
	}
}

// An independent solution: the inflow by bisection of the momentum equation.
func TestPowerAgainstBisection(t *testing.T) {
	_, s := airframe(t, "kapok-quad")
	draw := rand.New(rand.NewPCG(7, 7))
	for range 500 {
		load, v, c := draw.Float64()*5, draw.Float64()*20, draw.Float64()*6
		a := s.Airframe
		weight := (a.MassKg + load) * gravity
		drag := SeaLevelKgM3 / 2 * a.DragM2 * v * v
		thrust := math.Hypot(weight, drag)
		low, high := 0.0, 50.0
		for range 80 {
			mid := (low + high) / 2
			if 2*SeaLevelKgM3*a.DiscM2*mid*math.Hypot(v, c+mid) < thrust {
				low = mid
			} else {
				high = mid
			}
		}
		tip := math.Sqrt(6 * weight / (SeaLevelKgM3 * a.DiscM2 * solidity * bladeLift))
		profile := SeaLevelKgM3 * a.DiscM2 * tip * tip * tip * solidity * bladeDrag / 8 * (1 + 4.65*v*v/tip/tip)
		want := (thrust*(c+inducedFactor*low)+profile+drag*v)/a.DriveRatio + a.AvionicsW
		f := s.In(Wind{}, load)
		if got := f.PowerW(v, c); math.Abs(got/want-1) > 2e-3 {
			t.Fatalf("%g kg at %g m/s climbing %g: %g W, want %g", load, v, c, got, want)
		}
	}
}

func TestPowerBehavesAsFlightDoes(t *testing.T) {
	for _, name := range Airframes() {
		_, s := airframe(t, name)
		f := s.In(Wind{}, 0)
		hover := f.PowerW(0, 0)
		if f.PowerW(0, 2) <= hover || f.PowerW(0, -2) >= hover || f.PowerW(6, 0) >= hover || f.PowerW(s.MaxMPS, 0) <= hover {
			t.Errorf("%s: hover %.0f, climb %.0f, descent %.0f, slow %.0f, fast %.0f W", name,
				hover, f.PowerW(0, 2), f.PowerW(0, -2), f.PowerW(6, 0), f.PowerW(s.MaxMPS, 0))
		}
		heavy, high := s.In(Wind{}, 1), s
		high.AirKgM3 = AirDensity(3000, 15)
		thin := high.In(Wind{}, 0)
		if heavy.PowerW(0, 0) <= hover || thin.PowerW(0, 0) <= hover*1.1 {
			t.Errorf("%s: with a kilogram %.0f, at 3000 m %.0f, hover %.0f W", name, heavy.PowerW(0, 0), thin.PowerW(0, 0), hover)
		}
		for v := 0.0; v <= s.MaxMPS; v += 0.5 {
			for c := -s.DescentMPS; c <= s.ClimbMPS; c += 0.25 {
				w := f.PowerW(v, c)
				if !(w > 0) || math.Abs(f.PowerW(v, c+1e-9)-w) > 0.1 {
					t.Fatalf("%s: %g W at %g m/s climbing %g", name, w, v, c)
				}
				if v <= s.CruiseMPS && w < f.LeastW() {
					t.Fatalf("%s: %g W at %g m/s climbing %g are below the least, %g", name, w, v, c, f.LeastW())
				}
			}
		}
	}
}

func TestAirDensity(t *testing.T) {
	for _, c := range []struct{ m, celsius, want float64 }{
		{0, 15, 1.225},
		{1000, 8.5, 1.1116},
		{3000, -4.5, 0.9091},
		{0, 35, 1.1455},
		{-1e9, 15, 1.2989},
		{1e9, -1e9, 0.3701},
	} {
		if got := AirDensity(c.m, c.celsius); math.Abs(got-c.want) > 0.002 {
			t.Errorf("%g m, %g °C: %g kg/m³, want %g", c.m, c.celsius, got, c.want)
		}
	}
}

func TestASpecWithAnAirframeIsOfOnePiece(t *testing.T) {
	_, s := airframe(t, "kapok-quad")
	from, over, to := space.XYZ{}, space.XYZ{Z: 60}, space.XYZ{X: 3000, Z: 60}
	sum := s.Segment(from, over, 3, 0).Add(s.Segment(over, to, 3, 0)).Add(s.Segment(to, space.XYZ{X: 3000}, 3, 0))
	if leg := s.Leg(3000, 60, 60, 3); !same(sum, leg) {
		t.Errorf("in pieces %+v, as a leg %+v", sum, leg)
	}
	if least := s.LeastLeg(3000, 60, 60, 3); least.Seconds > sum.Seconds+1e-9 || least.EnergyWh > sum.EnergyWh {
		t.Errorf("the least is %+v, the way takes %+v", least, sum)
	}
	against, ok := s.SegmentIn(WindFrom(8, 90, 0), over, to, 3, 0)
	if calm := s.Segment(over, to, 3, 0); !ok || against.EnergyWh < calm.EnergyWh*2 {
		t.Errorf("against 8 m/s %+v, calm %+v", against, calm)
	}
	f := s.In(WindFrom(8, 90, 0), 0)
	if still := s.Work(60, 0); f.Work(60).EnergyWh >= still.EnergyWh {
		t.Error("a hover in a light wind takes less than in calm")
	}
	if s.RangeM(5) < 20_000 || s.RangeM(5) >= s.RangeM(0) || s.EnduranceS() < 3300 {
		t.Errorf("range %g m, loaded %g m, endurance %g s", s.RangeM(0), s.RangeM(5), s.EnduranceS())
	}
}

func TestAirframeFilesAreRefusedWithTheReason(t *testing.T) {
	good, err := airframes.ReadFile("airframes/dji-m30.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"an unknown name":      {`"title"`, `"tilte"`, "tilte"},
		"no mass":              {`"value": 3.77`, `"value": 0`, "mass_kg is 0"},
		"no source":            {`"source": "DJI BS30 station: 525 W"`, `"source": ""`, "charge_w has no source"},
		"not JSON":             {`{`, `[`, "airframe:"},
		"an endless endurance": {`"value": 2460`, `"value": 86400`, "efficiency"},
		"more":                 {"}\n}", "}\n} {}", "more follows"},
	} {
		_, err := ReadAirframe([]byte(strings.Replace(string(good), c.old, c.new, 1)))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, err := ReadAirframe(make([]byte, maxAirframeBytes+1)); err == nil {
		t.Error("a huge file is read")
	}
	_, s := airframe(t, "dji-m30")
	s.Airframe.DriveRatio = 0
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "drive_ratio") {
		t.Errorf("a broken airframe: %v", err)
	}
	s.Airframe.DriveRatio, s.Kind = 0.7, Rover
	if err := s.Validate(); err == nil || !strings.Contains(err.Error(), "airframe is set for a rover") {
		t.Errorf("a rover with rotors: %v", err)
	}
}

func FuzzReadAirframe(f *testing.F) {
	for _, name := range Airframes() {
		data, err := airframes.ReadFile("airframes/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := ReadAirframe(data)
		if err != nil {
			return
		}
		s := file.Spec()
		flight := s.In(Wind{}, 0)
		if w := flight.PowerW(0, 0); !(w > 0) || math.IsInf(w, 0) {
			t.Errorf("a hover of %g W", w)
		}
	})
}

var sink Cost

func BenchmarkSegment(b *testing.B) {
	quad, _ := Preset("kapok-quad")
	constant := quad
	constant.Airframe = Airframe{}
	from, to := space.XYZ{Z: 60}, space.XYZ{X: 300, Y: 200, Z: 60}
	wind := WindFrom(5, 30, 0)
	b.Run("constant powers", func(b *testing.B) {
		for b.Loop() {
			sink = constant.Segment(from, to, 2, 0)
		}
	})
	b.Run("momentum theory", func(b *testing.B) {
		for b.Loop() {
			sink = quad.Segment(from, to, 2, 0)
		}
	})
	b.Run("prepared, in wind", func(b *testing.B) {
		f := quad.In(wind, 2)
		for b.Loop() {
			sink, _ = f.Segment(from, to, 0)
		}
	})
}

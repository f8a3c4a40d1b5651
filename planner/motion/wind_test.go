package motion

import (
	"math"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

func TestTheWindTriangle(t *testing.T) {
	north, east := space.XY{Y: 1}, space.XY{X: 1}
	for _, c := range []struct {
		name  string
		wind  Wind
		air   float64
		along space.XY
		want  float64
		ok    bool
	}{
		{"calm", Wind{}, 15, north, 15, true},
		{"head wind", WindFrom(5, 0, 0), 15, north, 10, true},
		{"tail wind", WindFrom(5, 180, 0), 15, north, 20, true},
		{"cross wind by the triangle 5 12 13", WindFrom(5, 270, 0), 13, north, 12, true},
		{"gusts are no wind", WindFrom(5, 0, 30), 15, north, 10, true},
		{"a cross wind as strong as the airspeed", WindFrom(15, 0, 0), 15, east, 0, false},
		{"too strong a cross wind", WindFrom(16, 0, 0), 15, east, 0, false},
		{"a metre a second is enough", WindFrom(14, 90, 0), 15, east, 1, true},
		{"less is not", WindFrom(14.1, 90, 0), 15, east, 0.9, false},
		{"no speed in calm", Wind{}, 0.5, north, 0.5, false},
	} {
		got, ok := c.wind.GroundSpeed(c.air, c.along)
		if ok != c.ok || math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, %v; want %g, %v", c.name, got, ok, c.want, c.ok)
		}
		if ok && math.Abs(c.wind.AirSpeed(got, c.along)-c.air) > 1e-9 {
			t.Errorf("%s: the airspeed is %g, want %g again", c.name, c.wind.AirSpeed(got, c.along), c.air)
		}
	}
}

func TestWindFromCountsNonsenseAsCalm(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, w := range []Wind{WindFrom(0, 90, 0), WindFrom(-3, 90, -1), WindFrom(nan, 90, nan), WindFrom(inf, 90, inf), WindFrom(5, nan, 0)} {
		if !w.Calm() {
			t.Errorf("%+v is no calm", w)
		}
	}
	if w := WindFrom(4, 450, 2); w.Toward.Dist(space.XY{X: -4}) > 1e-9 || w.GustMPS != 2 || math.Abs(w.SpeedMPS()-4) > 1e-9 {
		t.Errorf("from the east: %+v", w)
	}
}

func TestSegmentInWind(t *testing.T) {
	drone, rover := plain(Multirotor), plain(Rover)
	from, to := space.XYZ{Z: 40}, space.XYZ{X: 1000, Z: 40}
	for _, c := range []struct {
		name    string
		spec    Spec
		wind    Wind
		to      space.XYZ
		limit   float64
		seconds float64
		ok      bool
	}{
		{"calm", drone, Wind{}, to, 0, 100, true},
		{"against", drone, WindFrom(5, 90, 0), to, 0, 200, true},
		{"before it", drone, WindFrom(10, 270, 0), to, 0, 50, true},
		{"before it under a limit", drone, WindFrom(10, 270, 0), to, 5, 200, true},
		{"too strong", drone, WindFrom(10, 90, 0), to, 0, 0, false},
		{"a column", drone, WindFrom(10, 90, 0), space.XYZ{Z: 80}, 0, 10, true},
		{"a column in too strong a wind", drone, WindFrom(21, 90, 0), space.XYZ{Z: 80}, 0, 0, false},
		{"a steep slope takes its climb, with the wind too", drone, WindFrom(10, 270, 0), space.XYZ{X: 100, Z: 440}, 0, 100, true},
		{"on wheels", rover, WindFrom(30, 90, 0), to, 0, 100, true},
	} {
		got, ok := c.spec.SegmentIn(c.wind, from, c.to, 0, c.limit)
		if ok != c.ok || math.Abs(got.Seconds-c.seconds) > 1e-6 {
			t.Errorf("%s: %+v, %v; want %g s, %v", c.name, got, ok, c.seconds, c.ok)
		}
	}
	if got := drone.LowerBoundInS(WindFrom(3, 0, 2), 1000); math.Abs(got-40) > 1e-9 {
		t.Errorf("lower bound %g s, want 40", got)
	}
	if got := rover.LowerBoundInS(WindFrom(3, 0, 2), 1000); math.Abs(got-50) > 1e-9 {
		t.Errorf("lower bound on wheels %g s, want 50", got)
	}
}

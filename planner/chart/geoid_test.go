package chart

import (
	"bytes"
	"math"
	"reflect"
	"testing"

	"github.com/paulmach/orb"
)

// slope is a made-up geoid.
type slope struct{}

func (slope) UndulationM(p orb.Point) float64 { return -10 + p[0]/10 + p[1]*p[1]/1000 }
func (slope) String() string                  { return "slope" }

// TestGeoidAndRepairsKept: what a chart knows of heights above the ellipsoid and
// of its terrain's faults survives the file and counts for the checksum.
func TestGeoidAndRepairsKept(t *testing.T) {
	d := village()
	d.Extent = bound(9.9, 49.9, 10.4, 50.3)
	d.Geoid = NewGeoid(slope{}, d.Extent)
	ground := *d.Terrain
	ground.Faults, ground.UncertaintyM = 3, 17
	ground.Repairs = []Repair{{At: orb.Point{10.1, 50.1}, WasM: 6431, BecameM: 3.5}, {At: orb.Point{10.2, 50}, WasM: -1256, BecameM: 0}}
	d.Terrain = &ground
	c := mustNew(t, d)
	back, err := Read(bytes.NewReader(encoded(t, c)))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Geoid, c.Geoid) || !reflect.DeepEqual(back.Terrain, c.Terrain) || back.Checksum != c.Checksum {
		t.Errorf("geoid %+v and terrain %+v, want %+v and %+v", back.Geoid, back.Terrain, c.Geoid, c.Terrain)
	}
	for _, p := range []orb.Point{{10, 50}, {9.95, 50.29}, {10.37, 49.91}} {
		if off := math.Abs(back.UndulationM(p) - slope{}.UndulationM(p)); off > 0.002 {
			t.Errorf("at %v off by %g m", p, off)
		}
	}
	if got := back.AltitudeOf(orb.Point{10, 50}, 100); math.Abs(got-(100-slope{}.UndulationM(orb.Point{10, 50}))) > 0.002 {
		t.Errorf("100 m above the ellipsoid are %g m above the sea", got)
	}
	low, high := back.Heights().GroundRange(d.Extent)
	if lowM, highM := ground.Range(d.Extent); low != lowM-17 || high != highM+17 {
		t.Errorf("the ground is from %g to %g m", low, high)
	}
	// Each of them counts.
	ground.UncertaintyM = 12
	other := mustNew(t, d)
	d.Geoid = NewGeoid(Constant(-3), d.Extent)
	constant := mustNew(t, d)
	if other.Checksum == c.Checksum || constant.Checksum == other.Checksum {
		t.Error("the checksum does not cover the geoid or the uncertainty")
	}
	if back, err = Read(bytes.NewReader(encoded(t, constant))); err != nil || back.UndulationM(orb.Point{1, 2}) != -3 || back.Geoid.Source != "stated as -3 m" {
		t.Errorf("%+v, %v", back, err)
	}
}

func TestGeoidRefused(t *testing.T) {
	for name, g := range map[string]*Geoid{
		"empty":     {StepDeg: 1},
		"short":     {StepDeg: 1, Cols: 2, Rows: 2, UndulationMM: []int32{1}},
		"thin":      {StepDeg: 1, Cols: 1, Rows: 2, UndulationMM: []int32{1, 2}},
		"high":      {StepDeg: 1, Cols: 1, Rows: 1, UndulationMM: []int32{300_000}},
		"no step":   {Cols: 1, Rows: 1, UndulationMM: []int32{3}},
		"elsewhere": {StepDeg: 1, Origin: orb.Point{math.NaN(), 3}, Cols: 1, Rows: 1, UndulationMM: []int32{3}},
	} {
		if _, err := New(Draft{Extent: bound(1, 1, 1.1, 1.1), Geoid: g}); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

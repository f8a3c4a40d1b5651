package city

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// TestCities builds many cities and looks whether people and vehicles could live
// in them.
func TestCities(t *testing.T) {
	var flat, basins, rivers int
	for seed := range uint64(80) {
		c, err := New(seed, 0)
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		size := c.Frame.Bound(c.Extent)
		if side := (size.Max.X - size.Min.X) / math.Sqrt2; side < MinSideM || side > drawnSideM+200 {
			t.Errorf("seed %d: %.0f m wide", seed, side)
		}
		if c.Terrain == nil {
			flat++
		}
		for _, w := range c.Water {
			switch w.ID {
			case "basin":
				basins++
			case "river":
				rivers++
			}
		}
		lookAtStreets(t, seed, c)
		lookAtSites(t, seed, c)
	}
	if flat < 10 || flat > 50 || basins < 15 || rivers < 30 {
		t.Errorf("of 80 cities %d are flat, %d have a basin, %d a river", flat, basins, rivers)
	}
}

func lookAtStreets(t *testing.T, seed uint64, c *chart.Chart) {
	t.Helper()
	lost := 0
	for n := range c.Ground.Nodes {
		if !c.Ground.InMain(int32(n)) {
			lost++
		}
	}
	if lost*4 > len(c.Ground.Nodes) || len(c.Ground.Nodes) < 40 {
		t.Errorf("seed %d: %d of %d nodes are not in the main network", seed, lost, len(c.Ground.Nodes))
	}
	for _, a := range c.Ground.Arcs {
		from, to := c.Ground.Nodes[a.From].XY, c.Ground.Nodes[a.To].XY
		for i := range 11 {
			at := from.Lerp(to, float64(i)/10)
			if _, wet := c.WaterAt(at); wet && a.Layer == 0 {
				t.Errorf("seed %d: %s leads through water", seed, a.Name)
			}
			if indoors(c, at) {
				t.Errorf("seed %d: %s leads through a building", seed, a.Name)
			}
		}
	}
}

func lookAtSites(t *testing.T, seed uint64, c *chart.Chart) {
	t.Helper()
	kinds := map[chart.SiteKind]int{}
	at := func(p space.Position) space.XY {
		if ground := c.GroundAltitude(p.Point()); math.Abs(p.AltitudeM-ground) > 0.2 {
			t.Errorf("seed %d: a site at %.1f m on ground of %.1f m", seed, p.AltitudeM, ground)
		}
		return c.Frame.XY(p.Point())
	}
	for _, s := range c.Sites {
		kinds[s.Kind]++
		if indoors(c, at(s.Position)) {
			t.Errorf("seed %d: site %s is in a building", seed, s.ID)
		}
		if _, wet := c.WaterAt(at(s.Position)); wet != slices.Contains(s.Kinds, "vessel") {
			t.Errorf("seed %d: site %s for %v, in water: %t", seed, s.ID, s.Kinds, wet)
		}
	}
	for _, kind := range []chart.SiteKind{chart.Dock, chart.Charger, chart.Hospital, chart.FireStation, chart.Station, chart.Locker} {
		if kinds[kind] == 0 {
			t.Errorf("seed %d: there is no %s", seed, kind)
		}
	}
	if len(c.Places) < 40 {
		t.Errorf("seed %d: there are %d places", seed, len(c.Places))
	}
	for _, p := range c.Places {
		if indoors(c, at(p.Position)) {
			t.Errorf("seed %d: place %s is in a building", seed, p.ID)
		}
		if _, wet := c.WaterAt(at(p.Position)); wet != strings.HasPrefix(p.ID, Buoy) {
			t.Errorf("seed %d: place %s, in water: %t", seed, p.ID, wet)
		}
	}
}

func indoors(c *chart.Chart, at space.XY) bool {
	return slices.ContainsFunc(c.BuildingsIn(space.BoxOf(at).Grow(1), nil), func(i int32) bool {
		return space.InRings(c.Outline(i), at)
	})
}

func TestTheSameSeedMakesTheSameCity(t *testing.T) {
	a, errA := New(7, 2000)
	b, errB := Open("7,2km")
	other, errOther := Open("8, 2000m")
	if err := errors.Join(errA, errB, errOther); err != nil {
		t.Fatal(err)
	}
	if a.Checksum != b.Checksum || a.Checksum == other.Checksum || a.Name != "city-7" {
		t.Errorf("%s: %s, %s; seed 8: %s", a.Name, a.Checksum, b.Checksum, other.Checksum)
	}
}

func TestOpenRefuses(t *testing.T) {
	for _, words := range []string{"", "x", "-1", "1,", "1,2", "1,2 miles", "1,0.5km", "1,50km", "1,NaNm"} {
		if _, err := Open(words); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", words, err)
		}
	}
}

// TestACityIsBuiltFast holds the time of a city that is as large as seeds choose.
func TestACityIsBuiltFast(t *testing.T) {
	best := time.Hour
	for range 3 {
		began := time.Now()
		if _, err := New(3, drawnSideM); err != nil {
			t.Fatal(err)
		}
		best = min(best, time.Since(began))
	}
	if best > time.Second {
		t.Errorf("it took %v", best)
	}
	t.Logf("a city of 4 by 4 km took %v", best)
}

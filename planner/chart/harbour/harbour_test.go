package harbour

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

func load(t *testing.T) *chart.Chart {
	t.Helper()
	c, err := Chart()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestTheImportIsClean keeps the drawing free of everything an import warns of.
func TestTheImportIsClean(t *testing.T) {
	_, report, err := chart.ImportOSM(strings.NewReader(drawing), chart.OSMOptions{})
	if err != nil || len(report.Warnings) > 0 || report.HeightFromDefault > 0 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestTheDistrictHasAllThatTheDemoNeeds(t *testing.T) {
	c := load(t)
	if !c.Illustrative || !strings.Contains(c.Attribution, "not for navigation") {
		t.Error("it is not marked as illustrative")
	}
	if c.HeightLimitM != 120 || c.GroundAltitudeM != groundAltitudeM {
		t.Errorf("height limit %g, ground %g", c.HeightLimitM, c.GroundAltitudeM)
	}
	size := c.Frame.Bound(c.Extent)
	for _, side := range [...]float64{size.Max.X - size.Min.X, size.Max.Y - size.Min.Y} {
		if side < 1800 || side > 2300 {
			t.Errorf("a side is %.0f m long", side)
		}
	}
	counts := map[string]int{"nodes": len(c.Ground.Nodes), "buildings": len(c.Buildings)}
	for _, b := range c.Buildings {
		switch {
		case b.HeightM >= 90 && b.HeightM <= 160:
			counts["towers"]++
		case b.HeightM == 12:
			counts["warehouses"]++
		}
	}
	for _, s := range c.Sites {
		kind := string(s.Kind)
		if s.Kind == chart.Charger {
			kind += " of " + strings.Join(s.Kinds, " ")
		}
		counts[kind]++
		counts["room in a "+kind] += s.Capacity
	}
	for _, z := range c.Zones {
		counts[string(z.Rule)]++
	}
	for _, p := range c.Places {
		counts["places"]++
		if strings.ContainsFunc(p.Name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			counts["places with a Chinese name"]++
		}
	}
	for what, least := range map[string]int{
		"nodes": 200, "buildings": 60, "towers": 5, "warehouses": 6,
		"hospital": 1, "fire_station": 1, "station": 1, "locker": 8, "pad": 4,
		"charger of rover": 6, "charger of multirotor vtol": 4,
		"dock": 4, "room in a dock": 20, "room in a pad": 12,
		"altitude_limit": 1, "keep_out": 1, "places": 60, "places with a Chinese name": 60,
	} {
		if counts[what] < least {
			t.Errorf("%d %s, want %d", counts[what], what, least)
		}
	}
}

func TestSitesAndPlacesCanBeReached(t *testing.T) {
	c := load(t)
	for n := range c.Ground.Nodes {
		if !c.Ground.InMain(int32(n)) {
			t.Errorf("node %d is cut off", c.Ground.Nodes[n].OSMID)
		}
	}
	for _, s := range c.Sites {
		checkOpen(t, c, "site "+s.ID+" "+s.Name, s.Position, 60)
	}
	for _, p := range c.Places {
		checkOpen(t, c, "place "+p.ID+" "+p.Name, p.Position, 90)
	}
	// Aircraft land with some room around them.
	for _, s := range c.Sites {
		if !slices.Contains(s.Kinds, "multirotor") {
			continue
		}
		at := c.Frame.XY(s.Position.Point())
		for i, b := range c.Buildings {
			if d := space.RingDist(c.Outline(int32(i))[0], at); d < 12 {
				t.Errorf("%s is %.1f m from %s", s.Name, d, b.ID)
			}
		}
	}
}

// checkOpen demands that a position is near the network, in no building and in
// no zone that keeps vehicles out.
func checkOpen(t *testing.T, c *chart.Chart, name string, p space.Position, withinM float64) {
	t.Helper()
	if _, distM, ok := c.SnapNode(p); !ok || distM > withinM {
		t.Errorf("%s is %.0f m from the network", name, distM)
	}
	at := c.Frame.XY(p.Point())
	if i, in := c.BuildingAt(at); in {
		t.Errorf("%s lies in building %s", name, c.Buildings[i].ID)
	}
	for _, z := range c.Zones {
		if z.Rule == chart.KeepOut && inZone(c, z, at) {
			t.Errorf("%s lies in zone %s", name, z.ID)
		}
	}
}

func inZone(c *chart.Chart, z chart.Zone, at space.XY) bool {
	var ring []space.XY
	for _, p := range z.Polygon[0] {
		ring = append(ring, c.Frame.XY(p))
	}
	return space.InRing(ring, at)
}

// TestWaysLeadThroughOpenGround: no street goes through a house, and none into
// a zone that keeps robots out.
func TestWaysLeadThroughOpenGround(t *testing.T) {
	c := load(t)
	for _, arc := range c.Ground.Arcs {
		a, b := c.Ground.Nodes[arc.From].XY, c.Ground.Nodes[arc.To].XY
		for _, i := range c.BuildingsIn(space.BoxOf(a, b), nil) {
			for _, ring := range c.Outline(i) {
				for k := 1; k < len(ring); k++ {
					if space.SegmentsCross(a, b, ring[k-1], ring[k]) {
						t.Errorf("way %d goes through building %s", arc.WayID, c.Buildings[i].ID)
					}
				}
			}
		}
		for _, z := range c.Zones {
			if z.Rule == chart.KeepOut && !z.Airborne && (inZone(c, z, a) || inZone(c, z, b)) {
				t.Errorf("way %d goes into zone %s", arc.WayID, z.ID)
			}
		}
	}
}

func TestTheChecksumIsStable(t *testing.T) {
	if a, b := load(t).Checksum, load(t).Checksum; a != b {
		t.Errorf("%s, then %s", a, b)
	}
}

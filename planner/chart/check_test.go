package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// TestCheckTellsWhatToKnow: a village with one of each thing that people must know
// before they go by its chart, beside what Findings tells.
func TestCheckTellsWhatToKnow(t *testing.T) {
	monday := time.Date(2026, 5, 4, 0, 0, 0, 0, time.UTC)
	noon := []Period{{Start: Moment{ClockS: 12 * 3600}, End: Moment{ClockS: 13 * 3600}}}
	d := village()
	d.Extent = orb.Bound{Min: orb.Point{9.9995, 49.9995}, Max: orb.Point{10.01, 50.0035}}
	n := int32(len(d.Nodes))
	d.Nodes = append(d.Nodes, Node{OSMID: 91, Point: orb.Point{10.0011, 50.0001}})
	d.Arcs = append(d.Arcs, Arc{From: 1, To: n, Profiles: Road})
	for _, pair := range [][2]int32{{0, 1}, {1, 2}} {
		d.Arcs = append(d.Arcs, Arc{From: pair[0], To: pair[1], Profiles: Road}, Arc{From: pair[1], To: pair[0], Profiles: Road})
	}
	d.Buildings = append(d.Buildings, Building{ID: "way/5", HeightM: 12, Source: HeightDefault, Footprint: orb.Polygon{square(10.003, 50.002, 0.0001)}})
	wet := Site{ID: "node/35", Kind: Pad, Position: space.Position{Lon: 10.00235, Lat: 50.00055}, Capacity: 1}
	boats := wet
	boats.ID, boats.Kinds = "node/36", []string{"vessel"}
	d.Sites = append(d.Sites, wet, boats)
	zone := func(id string, z Zone) {
		z.ID = id
		if z.Rule == "" {
			z.Rule = KeepOut
		}
		if z.Polygon == nil {
			z.Polygon = orb.Polygon{square(10.0005, 50.002, 0.0002)}
		}
		d.Zones = append(d.Zones, z)
	}
	zone("fair", Zone{Until: monday.Add(-time.Hour)})
	zone("lunch", Zone{From: monday, Until: monday.Add(12 * time.Hour), Schedule: noon})
	zone("dinner", Zone{From: monday, Until: monday.Add(12*time.Hour + time.Second), Schedule: noon})
	zone("abroad", Zone{Polygon: orb.Polygon{square(11, 50.002, 0.0002)}})
	zone("dot", Zone{Polygon: orb.Polygon{square(10.0005, 50.002, 0.000005)}})
	zone("gentle", Zone{Rule: AltitudeLimit, HeightLimitM: 150})
	zone("cellar", Zone{CeilingM: -20})
	zone("airway", Zone{FloorM: 900, Airborne: true})
	zone("bridge", Zone{FloorM: 40, Ground: true})
	c := mustNew(t, d)
	known := c.Findings()
	var got []string
	for _, f := range c.Check(monday)[len(known):] {
		got = append(got, fmt.Sprintf("%s %d %s", f.Code, f.Count, f.First))
	}
	want := []string{
		"illustrative 1 village",
		"sidewalk_islet 2 node/21",
		"sidewalk_trap 1 node/15",
		"road_trap 1 node/91",
		"site_in_water 1 node/35 in way/51",
		"height_assumed 1 way/5, 12 m",
		"no_geoid 1 village",
		"terrain_unstated 1 drawn by hand",
		"terrain_short 1 10.01000,50.00350",
		"zone_over 1 fair at 2026-05-03T23:00:00Z",
		"zone_never 1 lunch",
		"zone_off_chart 1 abroad",
		"zone_tiny 1 dot",
		"zone_above_limit 1 gentle, 150 m",
		"zone_below_ground 1 cellar, at -20 m",
		"zone_above_flight 1 airway, at 900 m",
		"zone_above_ground 1 bridge, at 40 m",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestCheckWarnsOfShiftedZones: zones about buildings near Shenzhen, drawn in
// GCJ-02 and taken for WGS-84, look shifted; drawn right they do not.
func TestCheckWarnsOfShiftedZones(t *testing.T) {
	draw := func(datum space.Datum) *Chart {
		d := Draft{Name: "houses", HeightLimitM: 120}
		for i := range 60 {
			lon, lat := 113.93+0.002*float64(i%10)+0.0003*float64(i%3), 22.51+0.002*float64(i/10)
			house := square(lon, lat, 0.0001)
			d.Buildings = append(d.Buildings, Building{ID: fmt.Sprintf("way/%d", i), HeightM: 10, Source: HeightTag, Footprint: orb.Polygon{house}})
			drawn := slices.Clone(house)
			for k := range drawn {
				drawn[k] = datum.FromWGS84(drawn[k])
			}
			d.Zones = append(d.Zones, Zone{ID: fmt.Sprintf("z%d", i), Rule: KeepOut, Polygon: orb.Polygon{drawn}})
		}
		return mustNew(t, d)
	}
	for datum, shifted := range map[space.Datum]bool{space.WGS84: false, space.GCJ02: true} {
		told := ""
		for _, f := range draw(datum).Check(time.Time{}) {
			if f.Code == "datum_shifted" {
				told = f.First
			}
		}
		if (told != "") != shifted || shifted && !strings.Contains(told, "zones: it was taken for wgs84 and looks like gcj02") {
			t.Errorf("zones in %s: %q", datum, told)
		}
	}
}

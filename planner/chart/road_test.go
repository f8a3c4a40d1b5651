package chart

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// TestWhoMayDriveAWay goes through the rules tag by tag: s and r are robots and
// road vehicles in the direction of the way, S and R against it.
func TestWhoMayDriveAWay(t *testing.T) {
	for _, c := range []struct{ tags, want string }{
		{"highway=residential", "sSrR"},
		{"highway=residential oneway=yes", "sSr"},
		{"highway=residential oneway=-1", "sSR"},
		{"highway=residential oneway=reverse", "sSR"},
		{"highway=residential oneway=reversible", "sS"},
		{"highway=residential oneway=alternating", "sSrR"},
		{"highway=residential oneway=no junction=roundabout", "sSrR"},
		{"highway=tertiary junction=roundabout", "sSr"},
		{"highway=tertiary junction=circular", "sSr"},
		{"highway=motorway", "r"},
		{"highway=motorway oneway=no", "rR"},
		{"highway=motorway_link", "rR"},
		{"highway=motorway_link oneway=yes", "r"},
		{"highway=trunk", "rR"},
		{"highway=primary", "rR"},
		{"highway=primary sidewalk=both", "sSrR"},
		{"highway=living_street", "sSrR"},
		{"highway=steps", ""},
		{"highway=footway", "sS"},
		{"highway=footway motor_vehicle=yes", "sS"},
		{"highway=pedestrian", "sS"},
		{"highway=track", "sS"},
		{"highway=construction", ""},
		{"highway=service", "sSrR"},
		{"highway=service area=yes", "sS"},
		{"highway=service access=private", "sSrR"},
		{"highway=residential access=private", ""},
		{"highway=residential access=no", ""},
		{"highway=residential access=no motor_vehicle=yes", "rR"},
		{"highway=residential access=yes vehicle=no", "sS"},
		{"highway=residential vehicle=no motorcar=yes", "sSrR"},
		{"highway=residential motor_vehicle=yes motorcar=no", "sS"},
		{"highway=residential motor_vehicle=destination", "sSrR"},
		{"highway=residential motor_vehicle=private", "sS"},
		{"highway=service motor_vehicle=private", "sSrR"},
		{"highway=residential motor_vehicle=permit", "sS"},
		{"highway=unclassified foot=no", "rR"},
		{"building=yes", ""},
	} {
		list := tags{}
		for pair := range strings.FieldsSeq(c.tags) {
			k, v, _ := strings.Cut(pair, "=")
			list[k] = v
		}
		forward, backward := list.drive()
		got := ""
		for _, one := range []struct {
			in     bool
			letter string
		}{{forward&Sidewalk != 0, "s"}, {backward&Sidewalk != 0, "S"}, {forward&Road != 0, "r"}, {backward&Road != 0, "R"}} {
			if one.in {
				got += one.letter
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", c.tags, got, c.want)
		}
	}
}

func TestWhomABarrierStops(t *testing.T) {
	for _, c := range []struct {
		tags       tags
		foot, road bool
	}{
		{tags{"highway": "crossing"}, false, false},
		{tags{"barrier": "bollard"}, false, true},
		{tags{"barrier": "bollard", "motor_vehicle": "yes"}, false, false},
		{tags{"barrier": "gate"}, false, false},
		{tags{"barrier": "gate", "access": "private"}, true, true},
		{tags{"barrier": "gate", "access": "no", "foot": "yes"}, false, true},
		{tags{"barrier": "gate", "motor_vehicle": "no"}, false, true},
		{tags{"barrier": "lift_gate", "access": "customers"}, false, false},
		{tags{"barrier": "stile"}, true, true},
		{tags{"barrier": "kissing_gate"}, true, true},
	} {
		if foot, road := c.tags.blocks(), c.tags.blocksRoad(); foot != c.foot || road != c.road {
			t.Errorf("%v stops robots %v and cars %v", c.tags, foot, road)
		}
	}
}

func TestLayers(t *testing.T) {
	for _, c := range []struct {
		tags tags
		want int8
	}{
		{tags{}, 0},
		{tags{"bridge": "yes"}, 1},
		{tags{"bridge": "no"}, 0},
		{tags{"tunnel": "yes"}, -1},
		{tags{"tunnel": "building_passage"}, 0},
		{tags{"bridge": "viaduct", "layer": "3"}, 3},
		{tags{"tunnel": "yes", "layer": "-2"}, -2},
		{tags{"bridge": "yes", "layer": "high"}, 1},
		{tags{"layer": "999"}, 0},
	} {
		if got := c.tags.layer(); got != c.want {
			t.Errorf("%v is on layer %d, want %d", c.tags, got, c.want)
		}
	}
}

// crossroads is a street from west to east (1 2 3) under a motorway bridge from
// north to south (4 5), which it does not touch; a footway (3 6) and a bollard
// (7) on the street to the north (2 7 8); a one-way ring (8 9 10).
const crossroads = `<osm>
 <node id="1" lon="10.000" lat="50.000"/><node id="2" lon="10.001" lat="50.000"/><node id="3" lon="10.004" lat="50.000"/>
 <node id="4" lon="10.002" lat="50.001"/><node id="5" lon="10.002" lat="49.999"/><node id="6" lon="10.005" lat="50.000"/>
 <node id="7" lon="10.001" lat="50.001"><tag k="barrier" v="bollard"/></node>
 <node id="8" lon="10.001" lat="50.002"/><node id="9" lon="10.001" lat="50.003"/><node id="10" lon="10.002" lat="50.003"/>
 <way id="1"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>
 <way id="2"><nd ref="4"/><nd ref="5"/><tag k="highway" v="motorway"/><tag k="bridge" v="yes"/></way>
 <way id="3"><nd ref="3"/><nd ref="6"/><tag k="highway" v="footway"/></way>
 <way id="4"><nd ref="2"/><nd ref="7"/><nd ref="8"/><tag k="highway" v="residential"/></way>
 <way id="5"><nd ref="8"/><nd ref="9"/><nd ref="10"/><nd ref="8"/><tag k="highway" v="residential"/><tag k="oneway" v="yes"/></way>
</osm>`

func TestNetworksOfTheProfiles(t *testing.T) {
	c, report, err := ImportOSM(strings.NewReader(crossroads), OSMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	g := c.Ground
	node := func(osm int64) int32 {
		return int32(slices.IndexFunc(g.Nodes, func(n Node) bool { return n.OSMID == osm }))
	}
	for _, want := range []struct {
		osm         int64
		foot, road  int32
		main, roads bool
	}{
		{1, 0, 0, true, true},
		{3, 0, 0, true, true},
		{6, 0, -1, true, false},
		{7, 0, -1, true, false},
		{8, 0, 1, true, false},
		{4, -1, 2, false, false},
		{5, -1, 3, false, false},
	} {
		n := node(want.osm)
		if g.Component[n] != want.foot || g.RoadComponent[n] != want.road || g.InMain(n) != want.main || g.InMainOf(n, Road) != want.roads ||
			g.InMainOf(n, Sidewalk|Road) != (want.main && want.roads) {
			t.Errorf("node %d: components %d and %d", want.osm, g.Component[n], g.RoadComponent[n])
		}
	}
	if g.InMainOf(0, 0) || g.InMainOf(0, 4) || g.InMainOf(-1, Road) || g.InMainOf(99, Road) {
		t.Error("a node is in the network of no profile")
	}
	for _, arc := range g.Arcs {
		if (arc.WayID == 2) != (arc.Layer == 1) {
			t.Errorf("arc %+v is on the wrong layer", arc)
		}
	}
	if report.GraphWays != 4 || report.RoadWays != 3 || report.RoadMainNodes != 3 || report.MainNodes != 8 {
		t.Errorf("%+v", report)
	}
	// On the bridge, a robot is taken to the street below, and a car too: the
	// motorway leads nowhere else.
	on := space.Position{Lon: 10.002, Lat: 50.0005}
	for _, p := range []Profile{Sidewalk, Road} {
		snap, ok := c.SnapOn(on, p)
		if !ok || g.Arcs[snap.Arc].WayID != 1 {
			t.Errorf("profile %d: %+v, %v", p, snap, ok)
		}
	}
	// Beside the footway, a car stops at the end of the street.
	beside := space.Position{Lon: 10.005, Lat: 50.0001}
	foot, _ := c.SnapOn(beside, Sidewalk)
	car, _ := c.SnapOn(beside, Road)
	if g.Arcs[foot.Arc].WayID != 3 || g.Arcs[car.Arc].WayID != 1 || car.DistM < 60 {
		t.Errorf("robot %+v, car %+v", foot, car)
	}
	if n, _, ok := c.SnapNodeOn(beside, Road); !ok || g.Nodes[n].OSMID != 3 {
		t.Errorf("the car's node is %d", g.Nodes[n].OSMID)
	}
	if _, ok := c.SnapOn(beside, Sidewalk|Road); ok {
		t.Error("two profiles at once snap")
	}
}

// TestFindings: a chart with one of each trouble, and one without.
func TestFindings(t *testing.T) {
	d := village()
	d.Terrain.Voids = 4
	d.Buildings = append(d.Buildings,
		Building{ID: "way/2", HeightM: 50, Source: HeightMaximum, Footprint: orb.Polygon{square(10.003, 50.001, 0.0001)}},
		Building{ID: "way/3", HeightM: 150, Source: HeightTag, Footprint: orb.Polygon{square(10.0025, 50.002, 0.0001)}})
	d.Sites = append(d.Sites,
		Site{ID: "node/32", Kind: Pad, Position: space.Position{Lon: 10.003, Lat: 50.001}, Capacity: 1},
		Site{ID: "node/33", Kind: Dock, Position: space.Position{Lon: 10.002, Lat: 50.002}, Capacity: 1})
	d.Places = append(d.Places, Place{ID: "node/42", Position: space.Position{Lon: 10, Lat: 50.003}})
	for i := range 25 {
		n := int32(len(d.Nodes))
		d.Nodes = append(d.Nodes, Node{OSMID: 1000 + int64(i), Point: orb.Point{10.0001 * float64(1), 50.0029 + 1e-6*float64(i)}})
		if i > 0 {
			d.Arcs = append(d.Arcs, Arc{From: n - 1, To: n, Profiles: Road}, Arc{From: n, To: n - 1, Profiles: Road})
		}
	}
	for i := range 22 {
		n := int32(len(d.Nodes))
		d.Nodes = append(d.Nodes, Node{OSMID: 2000 + int64(i), Point: orb.Point{10.003, 50.0029 + 1e-6*float64(i)}})
		if i > 0 {
			d.Arcs = append(d.Arcs, Arc{From: n - 1, To: n, Profiles: Road}, Arc{From: n, To: n - 1, Profiles: Road})
		}
	}
	var got []string
	for _, f := range mustNew(t, d).Findings() {
		got = append(got, fmt.Sprintf("%s %d %s", f.Code, f.Count, f.First))
	}
	want := []string{
		"road_isolated 1 22 nodes with node/2000",
		"site_in_building 1 node/32 in way/2",
		"site_off_network 2 node/32",
		"zone_over_site 1 school over node/33",
		"place_off_network 1 node/42",
		"height_unknown 1 way/2",
		"above_height_limit 1 way/3, 150 m",
		"terrain_voids 4 drawn by hand",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	clean := village()
	clean.Arcs = append(clean.Arcs, Arc{From: 0, To: 1, Profiles: Road})
	if found := mustNew(t, clean).Findings(); len(found) > 0 {
		t.Errorf("found %+v in a chart without trouble", found)
	}
}

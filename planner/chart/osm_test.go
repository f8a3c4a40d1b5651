package chart

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// openData opens a file of the shared test data, or skips the test.
func openData(t testing.TB, name string) []byte {
	t.Helper()
	root := os.Getenv("KAPOK_DATA")
	if root == "" {
		root = "../../../shared/data"
	}
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	return data
}

// TestPlacesKeepTheirScript: names stand as people read them there.
func TestPlacesKeepTheirScript(t *testing.T) {
	c, _, err := ImportOSM(bytes.NewReader(openData(t, "osm/taipei-block.osm")), OSMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	chinese := 0
	for _, p := range c.Places {
		if strings.ContainsFunc(p.Name, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
			chinese++
		}
	}
	if chinese < 500 {
		t.Errorf("%d places have Chinese names", chinese)
	}
}

// TestImportRules goes through the rules one by one, in a file that has each case.
func TestImportRules(t *testing.T) {
	const file = `<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lat="50.000" lon="10.000"/><node id="2" lat="50.000" lon="10.001"/>
 <node id="3" lat="50.000" lon="10.002"><tag k="level" v="0;1"/></node>
 <node id="4" lat="50.001" lon="10.002"/><node id="5" lat="50.002" lon="10.002"/>
 <node id="6" lat="50.003" lon="10.002"><tag k="barrier" v="gate"/><tag k="access" v="private"/></node>
 <node id="7" lat="50.004" lon="10.002"/><node id="8" lat="50.005" lon="10.002"/>
 <node id="11" lat="50.0010" lon="10.0000"/><node id="12" lat="50.0010" lon="10.0010"/>
 <node id="13" lat="50.0020" lon="10.0010"/><node id="14" lat="50.0020" lon="10.0000"/>
 <node id="15" lat="50.0012" lon="10.0003"/><node id="16" lat="50.0012" lon="10.0007"/>
 <node id="17" lat="50.0018" lon="10.0007"/><node id="18" lat="50.0018" lon="10.0003"/>
 <node id="21" lat="50.0001" lon="10.0001"><tag k="amenity" v="parcel_locker"/><tag k="name" v="快递柜"/><tag k="name:en" v="Locker"/></node>
 <node id="22" lat="50.0001" lon="10.0002"><tag k="amenity" v="charging_station"/><tag k="capacity" v="3"/></node>
 <node id="23" lat="50.0001" lon="10.0003"><tag k="kapok:site" v="charger"/><tag k="kapok:for" v="vtol; multirotor"/><tag k="capacity" v="many"/></node>
 <node id="24" lat="50.0001" lon="10.0004"><tag k="shop" v="bakery"/><tag k="addr:street" v="Hauptstraße"/><tag k="addr:housenumber" v="5"/></node>
 <node id="25" lat="50.0001" lon="10.0005"><tag k="shop" v="vacant"/><tag k="name" v="gone"/></node>
 <node id="26" lat="50.0001" lon="10.0006"><tag k="amenity" v="cafe"/></node>
 <way id="101"><nd ref="1"/><nd ref="2"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/><tag k="oneway" v="yes"/><tag k="name" v="Hauptstraße"/><tag k="maxspeed" v="30"/></way>
 <way id="102"><nd ref="3"/><nd ref="4"/><nd ref="5"/><nd ref="6"/><nd ref="7"/><nd ref="8"/><tag k="highway" v="service"/><tag k="access" v="private"/></way>
 <way id="103"><nd ref="1"/><nd ref="4"/><tag k="highway" v="steps"/></way>
 <way id="104"><nd ref="1"/><nd ref="5"/><tag k="highway" v="motorway"/><tag k="foot" v="yes"/></way>
 <way id="105"><nd ref="1"/><nd ref="5"/><tag k="highway" v="path"/><tag k="access" v="private"/></way>
 <way id="106"><nd ref="1"/><nd ref="5"/><tag k="highway" v="footway"/><tag k="foot" v="no"/></way>
 <way id="107"><nd ref="1"/><nd ref="5"/><tag k="highway" v="primary"/></way>
 <way id="108"><nd ref="2"/><nd ref="4"/><tag k="highway" v="primary"/><tag k="sidewalk" v="both"/></way>
 <way id="109"><nd ref="2"/><nd ref="999"/><nd ref="5"/><tag k="highway" v="footway"/></way>
 <way id="201"><nd ref="11"/><nd ref="12"/><nd ref="13"/></way>
 <way id="202"><nd ref="11"/><nd ref="14"/><nd ref="13"/></way>
 <way id="203"><nd ref="15"/><nd ref="16"/><nd ref="17"/><nd ref="18"/><nd ref="15"/></way>
 <way id="204"><nd ref="15"/><nd ref="16"/><nd ref="17"/><nd ref="15"/><tag k="building" v="yes"/><tag k="height" v="40 ft"/></way>
 <way id="205"><nd ref="16"/><nd ref="17"/><nd ref="18"/><nd ref="16"/><tag k="building" v="yes"/><tag k="height" v="tall"/><tag k="building:levels" v="2"/><tag k="amenity" v="hospital"/><tag k="capacity" v="300"/></way>
 <relation id="301"><member type="way" ref="201" role="outer"/><member type="way" ref="202" role="outer"/><member type="way" ref="203" role="inner"/><tag k="type" v="multipolygon"/><tag k="building" v="garage"/></relation>
 <relation id="302"><member type="way" ref="998" role="outer"/><tag k="type" v="multipolygon"/><tag k="building" v="yes"/></relation>
</osm>`
	c, report, err := ImportOSM(strings.NewReader(file), OSMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var arcs []string
	for _, a := range c.Ground.Arcs {
		by := []string{"", "", "r", ""}[a.Profiles]
		if a.Profiles == Sidewalk {
			by = "s"
		}
		arcs = append(arcs, fmt.Sprintf("%d-%d%s", c.Ground.Nodes[a.From].OSMID, c.Ground.Nodes[a.To].OSMID, by))
	}
	if want := strings.Fields("1-2 1-5r 1-5r 2-1s 2-3 2-4 3-2s 3-4 4-2 4-3 4-5 5-1r 5-4 7-8 8-7"); !slices.Equal(arcs, want) {
		t.Errorf("arcs %v, want %v", arcs, want)
	}
	if first := c.Ground.Arcs[0]; first.Name != "Hauptstraße" || first.WayID != 101 || first.SpeedLimitMPS != 8.333 {
		t.Errorf("first arc %+v", first)
	}
	if node := c.Ground.Nodes[2]; node.Level != "0;1" {
		t.Errorf("node 3 is on level %q", node.Level)
	}
	if report.MissingNodes != 1 || report.MissingWays != 1 || report.MainNodes != 5 {
		t.Errorf("%+v", report)
	}
	var buildings []string
	for _, b := range c.Buildings {
		buildings = append(buildings, fmt.Sprintf("%s %g %s %d", b.ID, b.HeightM, b.Source, len(b.Footprint)))
	}
	if want := []string{"way/204 12.192 height 1", "way/205 6.4 levels 1", "relation/301 4 default 2"}; !slices.Equal(buildings, want) {
		t.Errorf("buildings %q, want %q", buildings, want)
	}
	var sites, places []string
	for _, s := range c.Sites {
		sites = append(sites, fmt.Sprintf("%s %s %s %d %v", s.ID, s.Kind, s.Name, s.Capacity, s.Kinds))
	}
	if want := []string{"node/21 locker 快递柜 1 []", "node/22 charger  3 []", "node/23 charger  1 [multirotor vtol]", "way/205 hospital  1 []"}; !slices.Equal(sites, want) {
		t.Errorf("sites %q, want %q", sites, want)
	}
	for _, p := range c.Places {
		places = append(places, p.ID+" "+p.Name)
	}
	if want := []string{"node/21 快递柜", "node/24 Hauptstraße 5"}; !slices.Equal(places, want) {
		t.Errorf("places %q, want %q", places, want)
	}
	if len(report.Warnings) != 7 {
		t.Errorf("warnings %+v", report.Warnings)
	}
	if c.Attribution != OSMAttribution || c.HeightLimitM != DefaultHeightLimitM {
		t.Errorf("attribution %q, height limit %g", c.Attribution, c.HeightLimitM)
	}
}

func TestDoorstepIsBeforeTheOutlineNearTheMiddle(t *testing.T) {
	frame := space.NewFrame(orb.Point{10, 50})
	var ring orb.Ring
	for _, at := range []space.XY{{X: 0, Y: 0}, {X: 100, Y: 0}, {X: 100, Y: 40}, {X: 0, Y: 40}, {X: 0, Y: 0}} {
		ring = append(ring, frame.Point(at))
	}
	at := frame.XY(doorstep([]orb.Ring{ring}))
	if math.Abs(at.X-50) > 0.01 || math.Abs(at.Y+1) > 0.01 && math.Abs(at.Y-41) > 0.01 {
		t.Errorf("the doorstep is at %v", at)
	}
}

func TestHeights(t *testing.T) {
	for _, c := range []struct {
		tags   tags
		m      float64
		source HeightSource
		bad    bool
	}{
		{tags{"building": "yes", "height": "12"}, 12, HeightTag, false},
		{tags{"building": "yes", "height": "12 m"}, 12, HeightTag, false},
		{tags{"building": "yes", "height": " 12.5m "}, 12.5, HeightTag, false},
		{tags{"building": "yes", "height": "12,5"}, 12.5, HeightTag, false},
		{tags{"building": "yes", "height": "40 ft"}, 12.192, HeightTag, false},
		{tags{"building": "yes", "height": `40'6"`}, 12.3444, HeightTag, false},
		{tags{"building": "yes", "height": "40'"}, 12.192, HeightTag, false},
		{tags{"building": "yes", "building:levels": "5"}, 16, HeightLevels, false},
		{tags{"building": "yes", "building:levels": "4.5"}, 14.4, HeightLevels, false},
		{tags{"building": "yes", "height": "12", "building:levels": "9"}, 12, HeightTag, false},
		{tags{"building": "yes", "height": "-3", "building:levels": "9"}, 28.8, HeightLevels, true},
		{tags{"building": "yes", "height": "NaN"}, 50, HeightMaximum, true},
		{tags{"building": "yes", "height": "1e300"}, 50, HeightMaximum, true},
		{tags{"building": "yes", "building:levels": "0"}, 50, HeightMaximum, true},
		{tags{"building": "yes"}, 50, HeightMaximum, false},
		{tags{"building": "folly"}, 50, HeightMaximum, false},
		{tags{"building:part": "roof", "height": "none"}, 4, HeightDefault, true},
		{tags{"building": "warehouse"}, 12, HeightDefault, false},
		{tags{"building": "garage"}, 4, HeightDefault, false},
		{tags{"building": "apartments"}, 24, HeightDefault, false},
	} {
		m, source, bad := c.tags.height()
		if math.Abs(m-c.m) > 1e-9 || source != c.source || bad != c.bad {
			t.Errorf("%v: %g by %s, bad %v; want %g by %s, bad %v", c.tags, m, source, bad, c.m, c.source, c.bad)
		}
	}
}

func TestImportRefusesClearly(t *testing.T) {
	whole := `<osm><node id="1" lat="1" lon="1"/><way id="2"><nd ref="1"/></way></osm>`
	for name, c := range map[string]struct{ file, want string }{
		"empty":      {"", "empty"},
		"blank":      {" \n", "empty"},
		"json":       {`{"elements": []}`, "JSON"},
		"text":       {"hello", "neither"},
		"pbf":        {"\x00\x00\x00\x0d\x0a\x09OSMHeader\x18", "cut short"},
		"gzip":       {"\x1f\x8b\x08\x00", "compressed"},
		"html":       {"<html><body>404</body></html>", "not <osm>"},
		"no nodes":   {`<osm><way id="2"/></osm>`, "no nodes"},
		"no ways":    {`<osm><node id="1" lat="1" lon="1"/></osm>`, "no ways"},
		"nothing":    {whole, "no way that a vehicle can take"},
		"truncated":  {whole[:len(whole)-20], "cut off"},
		"no end tag": {strings.TrimSuffix(whole, "</osm>"), "cut off"},
		"bad number": {`<osm><node id="1" lat="x" lon="1"/></osm>`, "not valid XML"},
		"too large":  {`<osm><node id="1" lat="1" lon="1"/><node id="2" lat="5" lon="1"/><way id="2"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></osm>`, "200 km"},
	} {
		_, _, err := ImportOSM(strings.NewReader(c.file), OSMOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if name != "too large" && !errors.Is(err, ErrOSM) {
			t.Errorf("%s: %v is not of kind ErrOSM", name, err)
		}
	}
}

// TestImportDoesNotDependOnOrder shuffles nothing but puts ways before nodes.
func TestImportDoesNotDependOnOrder(t *testing.T) {
	node := `<node id="%d" lat="50.00%d" lon="10"/>`
	nodes := fmt.Sprintf(node, 3, 3) + fmt.Sprintf(node, 1, 1) + fmt.Sprintf(node, 2, 2)
	way := `<way id="9"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="path"/></way>`
	a, _, errA := ImportOSM(strings.NewReader("<osm>"+nodes+way+"</osm>"), OSMOptions{})
	b, _, errB := ImportOSM(strings.NewReader("<osm>"+way+nodes+"</osm>"), OSMOptions{})
	if errA != nil || errB != nil || a.Checksum != b.Checksum || !reflect.DeepEqual(a.Ground, b.Ground) {
		t.Errorf("%v, %v", errA, errB)
	}
}

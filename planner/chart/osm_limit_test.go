package chart

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/paulmach/osm"
)

// lane is a map of one street, with room for more of it.
func lane(more string) string {
	return `<osm><node id="1" lat="50" lon="10"/><node id="2" lat="50.001" lon="10"/><node id="3" lat="50.002" lon="10"/>` +
		`<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="residential"/></way>` + more + `</osm>`
}

// TestWhatIsKeptIsBounded: a small file can unpack to any number of elements,
// with or without references and tags.
func TestWhatIsKeptIsBounded(t *testing.T) {
	street := osm.Tags{{Key: "highway", Value: "path"}}
	for _, c := range []struct {
		name string
		m    importer
		take osm.Object
	}{
		{"a way without nodes", importer{refs: MaxOSMRefs}, &osm.Way{ID: 1}},
		{"a relation's members", importer{refs: MaxOSMRefs}, &osm.Relation{
			ID: 1, Tags: osm.Tags{{Key: "type", Value: "multipolygon"}, {Key: "building", Value: "yes"}}, Members: osm.Members{{Type: osm.TypeWay}},
		}},
		{"a way with tags", importer{kept: MaxOSMTagged}, &osm.Way{ID: 1, Tags: street}},
		{"a barrier", importer{kept: MaxOSMTagged}, &osm.Node{ID: 1, Lat: 1, Lon: 1, Tags: osm.Tags{{Key: "barrier", Value: "wall"}}}},
		{"a shop", importer{kept: MaxOSMTagged}, &osm.Node{ID: 1, Lat: 1, Lon: 1, Tags: osm.Tags{{Key: "shop", Value: "tea"}}}},
	} {
		c.m.infos, c.m.warned = map[int64]nodeInfo{}, map[string]int{}
		if err := c.m.take(c.take); !errors.Is(err, ErrOSM) || !strings.Contains(err.Error(), "smaller extract") {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestTagsThatNoRuleLooksAtAreNotKept, nor are those longer than the map allows.
func TestTagsThatNoRuleLooksAtAreNotKept(t *testing.T) {
	m := importer{warned: map[string]int{}}
	list := osm.Tags{{Key: "highway", Value: "path"}, {Key: "name", Value: strings.Repeat("名", 255)}, {Key: "brand", Value: strings.Repeat("x", 2000)}}
	for i := range 1000 {
		list = append(list, osm.Tag{Key: fmt.Sprintf("note:%d", i), Value: "x"})
	}
	kept := m.tagsOf(list, osm.TypeWay, 7)
	if len(kept) != 2 || kept["highway"] != "path" || kept["name"] == "" {
		t.Errorf("kept %v", kept)
	}
	if len(m.report.Warnings) != 1 || m.report.Warnings[0].First != "way/7" {
		t.Errorf("warnings: %+v", m.report.Warnings)
	}
}

// TestElementsThatStandTwice: each counts once, from its last place.
func TestElementsThatStandTwice(t *testing.T) {
	shop := `<node id="9" lat="50" lon="10"><tag k="shop" v="tea"/><tag k="name" v="%s"/></node>`
	house := `<way id="5"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/><tag k="building" v="yes"/><tag k="height" v="%d"/></way>`
	gate := `<node id="2" lat="50.001" lon="10"><tag k="barrier" v="wall"/></node><node id="2" lat="50.001" lon="10"/>`
	c, report, err := ImportOSM(strings.NewReader(lane(fmt.Sprintf(shop, "old")+fmt.Sprintf(shop, "new")+gate+fmt.Sprintf(house, 7)+fmt.Sprintf(house, 8)+
		`<way id="1"><nd ref="2"/><nd ref="3"/><tag k="highway" v="residential"/></way>`)), OSMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Places) != 1 || c.Places[0].Name != "new" || len(c.Buildings) != 1 || c.Buildings[0].HeightM != 8 || len(c.Ground.Arcs) != 2 {
		t.Errorf("%d arcs, places %+v, buildings %+v", len(c.Ground.Arcs), c.Places, c.Buildings)
	}
	told := map[string]int{}
	for _, w := range report.Warnings {
		told[w.First] = w.Count
	}
	if told["node/2"] != 3 || told["way/1"] != 2 {
		t.Errorf("warnings: %+v", report.Warnings)
	}
}

// TestWhatLooksLikeAMap: the first element and the character set are looked at
// before anything is read.
func TestWhatLooksLikeAMap(t *testing.T) {
	whole := lane("")
	for _, c := range []struct{ name, file, want string }{
		{"plain", whole, ""},
		{"with a byte order mark", "\xef\xbb\xbf" + whole, ""},
		{"with a document type", `<?xml version="1.0" encoding="utf-8"?><!DOCTYPE osm><!-- a map -->` + whole, ""},
		{"after a long comment", "<!--" + strings.Repeat(" ", 100_000) + "-->" + whole, ""},
		{"changes", "<osmChange><delete>" + whole + "</delete></osmChange>", "<osmChange>, not <osm>"},
		{"in Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + whole, `"ISO-8859-1"; convert it to UTF-8`},
		{"in UTF-16", "\xff\xfe<\x00?\x00", "UTF-16; convert it"},
		{"with an entity of its own", lane("&a;"), "character entity"},
		{"cut off", whole[:len(whole)-3], "fetch it again"},
	} {
		_, _, err := ImportOSM(strings.NewReader(c.file), OSMOptions{})
		switch {
		case c.want == "" && err != nil:
			t.Errorf("%s: %v", c.name, err)
		case c.want != "" && (!errors.Is(err, ErrOSM) || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestANameOfBlanksIsNone: the place has the next best.
func TestANameOfBlanksIsNone(t *testing.T) {
	if got := (tags{"name": " ", "brand": " 全家 "}).label(); got != "全家" {
		t.Errorf("label %q", got)
	}
}

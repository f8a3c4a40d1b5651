package chart

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

// seaside is a map of 0.1 by 0.1 degrees with a path, and the coastlines given
// as lists of places in hundredths of a degree, "x y, x y".
func seaside(bounds bool, lines ...string) string {
	var nodes, ways strings.Builder
	ids := map[string]int{}
	node := func(at string) int {
		var x, y float64
		if ids[at] == 0 {
			ids[at] = 100 + len(ids)
			_, _ = fmt.Sscan(at, &x, &y)
			fmt.Fprintf(&nodes, `<node id="%d" lon="%g" lat="%g"/>`, ids[at], 10+x/100, 50+y/100)
		}
		return ids[at]
	}
	for i, line := range lines {
		fmt.Fprintf(&ways, `<way id="%d">`, 10+i)
		for at := range strings.SplitSeq(line, ",") {
			fmt.Fprintf(&ways, `<nd ref="%d"/>`, node(strings.TrimSpace(at)))
		}
		ways.WriteString(`<tag k="natural" v="coastline"/></way>`)
	}
	head := ""
	if bounds {
		head = `<bounds minlon="10" minlat="50" maxlon="10.1" maxlat="50.1"/>`
	}
	return "<osm>" + head + `<node id="1" lon="10" lat="50"/><node id="2" lon="10.1" lat="50.1"/>` + nodes.String() +
		`<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way>` + ways.String() + "</osm>"
}

// TestCoastlines: water is on the right of a coastline. Each case lists places
// that are water and places that are not.
func TestCoastlines(t *testing.T) {
	for _, c := range []struct {
		name     string
		lines    []string
		wet, dry string
		warned   string
	}{
		{"none", nil, "", "5 5", ""},
		{"land in the west", []string{"5 0, 5 10"}, "9 5, 6 1, 9.9 9.9", "1 5, 4 9", ""},
		{"land in the east", []string{"5 10, 5 0"}, "1 5, 4 9", "9 5, 6 1", ""},
		{"in two ways, crossing the edge", []string{"5 5, 5 12", "5 -3, 5 5"}, "9 5", "1 5", ""},
		{"around a corner", []string{"0 5, 5 0"}, "1 1", "9 9, 5 5, 1 9", ""},
		{"all but a corner", []string{"5 0, 0 5"}, "9 9, 5 5, 1 9", "1 1", ""},
		{"a strait", []string{"3 0, 3 10", "7 10, 7 0"}, "5 5, 4 1", "1 5, 9 5", ""},
		{"lines that contradict each other", []string{"3 0, 3 10", "7 10, 7 0", "10 8, 9 5, 10 2"}, "", "5 5, 4 1, 1 5, 8 5", "does not close"},
		{"two bays", []string{"10 2, 9 5, 10 8", "0 8, 1 5, 0 2"}, "9.5 5, 0.5 5", "5 5, 8 8, 9.9 1", ""},
		{"two capes", []string{"10 8, 9 5, 10 2", "0 2, 1 5, 0 8"}, "5 5, 8 8, 9.9 1", "9.5 5, 0.5 5", ""},
		{"an island", []string{"4 4, 6 4, 6 6, 4 6, 4 4"}, "1 1, 9 9", "5 5", ""},
		{"an island in two ways", []string{"4 4, 6 4, 6 6", "6 6, 4 6, 4 4"}, "1 1, 9 9", "5 5", ""},
		{"an island off a coast", []string{"3 0, 3 10", "5 5, 7 5, 7 7, 5 7, 5 5"}, "4 5, 9 9", "1 1, 6 6", ""},
		{"an island over the edge", []string{"8 4, 12 4, 12 6, 8 6, 8 4"}, "1 1, 9.5 9, 9.5 1", "9 5", ""},
		{"a lake on an island, with an island", []string{
			"2 2, 8 2, 8 8, 2 8, 2 2", "3 3, 3 7, 7 7, 7 3, 3 3", "4 4, 6 4, 6 6, 4 6, 4 4",
		}, "1 1, 3.5 5, 9 9", "2.5 5, 5 5", ""},
		{"an island that touches the coast", []string{"3 0, 3 5, 3 10", "3 5, 5 4, 5 6, 3 5"}, "6 5, 4 1, 4 9", "1 5, 4.5 5", ""},
		{"slanting over the edges", []string{"3.1 -3.7, 7.3 13.9", "-3.3 1.7, 1.9 -2.3"}, "9 1, 9 9", "1 5, 4 9, 1 1", ""},
		{"a lagoon", []string{"4 4, 4 6, 6 6, 6 4, 4 4"}, "5 5", "1 1, 9 9", ""},
		{"outside of the map", []string{"20 0, 20 10"}, "", "5 5", ""},
		{"ending near the edge", []string{"5 0.5, 5 9"}, "9 5", "1 5", "drawn on to it"},
		{"ending far from the edge", []string{"5 0, 5 5"}, "", "9 5, 1 5", "far from the edge"},
		{"a loose end along the edge", []string{"5 0, 5 10", "7 0.1, 8 0.1"}, "9 5", "1 5", "loose piece"},
	} {
		chart, report, err := ImportOSM(strings.NewReader(seaside(true, c.lines...)), OSMOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for want, list := range map[bool]string{true: c.wet, false: c.dry} {
			for at := range strings.SplitSeq(list, ",") {
				var x, y float64
				if n, _ := fmt.Sscan(at, &x, &y); n < 2 {
					continue
				}
				if _, wet := chart.WaterAt(chart.Frame.XY(orb.Point{10 + x/100, 50 + y/100})); wet != want {
					t.Errorf("%s: water at %s is %v", c.name, at, wet)
				}
			}
		}
		if warnings := fmt.Sprint(report.Warnings); c.warned == "" && len(report.Warnings) > 0 || !strings.Contains(warnings, c.warned) {
			t.Errorf("%s: warnings %s, want %q", c.name, warnings, c.warned)
		}
	}
}

// TestWaterOfWaysAndRelations: lakes with islands, and what is no open water.
func TestWaterOfWaysAndRelations(t *testing.T) {
	ring := func(id int, half float64, tags string) string {
		var b strings.Builder
		for i, p := range square(10.05, 50.05, half)[:4] {
			fmt.Fprintf(&b, `<node id="%d" lon="%.4f" lat="%.4f"/>`, 10*id+i, p[0], p[1])
		}
		fmt.Fprintf(&b, `<way id="%d"><nd ref="%d"/><nd ref="%d"/><nd ref="%d"/><nd ref="%d"/><nd ref="%d"/>%s</way>`,
			id, 10*id, 10*id+1, 10*id+2, 10*id+3, 10*id, tags)
		return b.String()
	}
	tag := func(k, v string) string { return fmt.Sprintf(`<tag k="%s" v="%s"/>`, k, v) }
	path := `<node id="1" lon="10" lat="50"/><node id="2" lon="10.1" lat="50.1"/><way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way>`
	lake := ring(20, 0.02, "") + ring(21, 0.01, "") + `<relation id="5"><member type="way" ref="20" role="outer"/><member type="way" ref="21" role="inner"/>` +
		tag("type", "multipolygon") + tag("natural", "water") + `</relation>`
	for _, c := range []struct {
		name, file   string
		areas        int
		centre, side bool
	}{
		{"a lake", ring(20, 0.02, tag("natural", "water")), 1, true, true},
		{"a river", ring(20, 0.02, tag("waterway", "riverbank")), 1, true, true},
		{"a reservoir", ring(20, 0.02, tag("water", "reservoir")), 1, true, true},
		{"underground", ring(20, 0.02, tag("natural", "water")+tag("location", "underground")), 0, false, false},
		{"a lake with an island", lake, 1, false, true},
		{"an island that touches the shore", strings.Replace(lake, `<nd ref="210"/>`, `<nd ref="200"/>`, 2), 1, false, true},
		{"a lake tagged twice", strings.Replace(lake, "</way>", tag("natural", "water")+"</way>", 1), 1, false, true},
		{"half a lake", strings.Replace(lake, `ref="20" role`, `ref="99" role`, 1), 0, false, false},
		{"an open line", strings.Replace(ring(20, 0.02, tag("natural", "water")), `<nd ref="200"/>`, "", 1), 0, false, false},
	} {
		chart, report, err := ImportOSM(strings.NewReader("<osm>"+path+c.file+"</osm>"), OSMOptions{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		_, centre := chart.WaterAt(chart.Frame.XY(orb.Point{10.05, 50.05}))
		_, side := chart.WaterAt(chart.Frame.XY(orb.Point{10.065, 50.05}))
		if len(chart.Water) != c.areas || report.Water != c.areas || centre != c.centre || side != c.side {
			t.Errorf("%s: %d areas, water in the middle %v, at the side %v", c.name, len(chart.Water), centre, side)
		}
	}
}

// TestTheHarbourOfMonaco: the sea reaches into Port Hercule and not up to the
// Casino, and the ground rises from the one to the other.
func TestTheHarbourOfMonaco(t *testing.T) {
	c, report, err := ImportOSM(bytes.NewReader(openData(t, "osm/monaco.osm.pbf")), OSMOptions{
		Terrain: []TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(openData(t, "terrain/N43E007.hgt.zip"))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range []struct {
		name             string
		at               orb.Point
		water            bool
		lowestM, highest float64
	}{
		{"Port Hercule", orb.Point{7.4257, 43.7347}, true, -3, 8},
		{"the open sea", orb.Point{7.4450, 43.7300}, true, -3, 3},
		{"the Casino", orb.Point{7.4283, 43.7393}, false, 30, 70},
		{"the Rock", orb.Point{7.4210, 43.7312}, false, 30, 70},
		{"the exotic garden", orb.Point{7.4130, 43.7325}, false, 90, 180},
	} {
		_, water := c.WaterAt(c.Frame.XY(place.at))
		ground := c.GroundAltitude(place.at)
		if water != place.water || ground < place.lowestM || ground > place.highest {
			t.Errorf("%s: water %v, ground at %.1f m", place.name, water, ground)
		}
	}
	for _, s := range c.Sites {
		if d := s.Position.AltitudeM - c.GroundAltitude(s.Position.Point()); d > 0.006 || d < -0.006 {
			t.Errorf("site %s stands at %g m, the ground is %g m lower", s.ID, s.Position.AltitudeM, d)
		}
	}
	if report.Terrain.Voids != 2 || report.Terrain.Files != 1 || c.Terrain.Source != "N43E007" {
		t.Errorf("%+v", report.Terrain)
	}
	back, err := Read(bytes.NewReader(encoded(t, c)))
	if err != nil || back.Checksum != c.Checksum || len(back.Water) != len(c.Water) || back.GroundAltitude(orb.Point{7.413, 43.7325}) != c.GroundAltitude(orb.Point{7.413, 43.7325}) {
		t.Errorf("read back: %v", err)
	}
}

// BenchmarkImportMonaco builds the chart of the first command that users try.
func BenchmarkImportMonaco(b *testing.B) {
	city, heights := openData(b, "osm/monaco.osm.pbf"), openData(b, "terrain/N43E007.hgt.zip")
	b.ReportAllocs()
	for b.Loop() {
		_, _, err := ImportOSM(bytes.NewReader(city), OSMOptions{Terrain: []TerrainFile{{"N43E007.hgt.zip", bytes.NewReader(heights)}}})
		if err != nil {
			b.Fatal(err)
		}
	}
}

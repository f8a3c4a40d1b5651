package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// TestBuildingsOfZurich holds each of the buildings of a real file against the
// extent that the file states for it.
func TestBuildingsOfZurich(t *testing.T) {
	data, err := os.ReadFile(filepath.Join(testData(t), "buildings", "zurich-lod2.city.json"))
	if err != nil {
		t.Skip(err)
	}
	buildings, report, err := ImportCityJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if report.Objects != 210 || report.Buildings != 161 || len(buildings) != 161 || report.Hulls > 8 {
		t.Errorf("%+v", report)
	}
	var file struct {
		CityObjects map[string]struct {
			GeographicalExtent [6]float64
			Parents            []string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for _, b := range buildings {
		o := file.CityObjects[b.ID]
		e, whole := o.GeographicalExtent, file.CityObjects[o.Parents[0]].GeographicalExtent
		if math.Abs(b.HeightM-(e[5]-whole[2])) > 0.02 {
			t.Errorf("%s is %g m high, not %g", b.ID, b.HeightM, e[5]-whole[2])
		}
		centre := space.EPSG2056.ToWGS84(orb.Point{(e[0] + e[3]) / 2, (e[1] + e[4]) / 2})
		frame := space.NewFrame(centre)
		box := space.EmptyBox()
		for _, p := range b.Footprint[0] {
			box = box.Extend(frame.XY(p))
		}
		// The extent is that of the eaves, which reach out over the walls by up to two
		// metres; and the grid's north is not quite that of the frame.
		slack := 0.05 + 0.03*math.Hypot(e[3]-e[0], e[4]-e[1])
		wide, deep := e[3]-e[0]-(box.Max.X-box.Min.X), e[4]-e[1]-(box.Max.Y-box.Min.Y)
		if wide < -slack || deep < -slack || wide > 4+slack || deep > 4+slack || box.Centre().Len() > 2 {
			t.Errorf("%s: %.2f by %.2f m about %v, stated %.2f by %.2f m", b.ID, box.Max.X-box.Min.X, box.Max.Y-box.Min.Y, box.Centre(), e[3]-e[0], e[4]-e[1])
		}
	}
	if _, err := New(Draft{Name: "Zurich", Buildings: buildings}); err != nil {
		t.Error(err)
	}
}

// cube is a file with one solid of 10 by 20 m, 5 m high, on a part 3 m lower.
const cube = `{"type":"CityJSON","version":"1.1","transform":{"scale":[0.01,0.01,0.01],"translate":[2600000,1200000,400]},
"metadata":{"referenceSystem":"https://www.opengis.net/def/crs/EPSG/0/2056"},
"CityObjects":{
 "house":{"type":"Building","children":["top","tree"]},
 "top":{"type":"BuildingPart","parents":["house"],"geometry":[
  {"type":"MultiSurface","lod":"1","boundaries":[[[0,1,2]]]},
  {"type":"Solid","lod":"2.2","boundaries":[[[[0,3,2,1]],[[4,5,6,7]],[[0,1,5,4]],[[1,2,6,5]],[[2,3,7,6]],[[3,0,4,7]]]]}]},
 "foot":{"type":"BuildingPart","parents":["house"],"geometry":[{"type":"MultiSurface","lod":1,"boundaries":[[[8,9,10]]],"semantics":{"surfaces":[{"type":"GroundSurface"}],"values":[0]}}]},
 "tree":{"type":"SolitaryVegetationObject","geometry":[{"type":"GeometryInstance","template":0,"boundaries":[3]}]}},
"vertices":[[0,0,300],[1000,0,300],[1000,2000,300],[0,2000,300],[0,0,800],[1000,0,800],[1000,2000,800],[0,2000,800],[0,0,0],[1000,0,0],[0,1000,0]]}`

func TestSolids(t *testing.T) {
	buildings, report, err := ImportCityJSON(strings.NewReader(cube))
	if err != nil {
		t.Fatal(err)
	}
	if len(buildings) != 2 || report.Hulls != 0 || buildings[0].ID != "foot" || buildings[1].ID != "top" || buildings[1].HeightM != 8 || buildings[1].Source != HeightTag {
		t.Fatalf("%+v", buildings)
	}
	ring := buildings[1].Footprint[0]
	side := func(i int) float64 {
		return space.Distance(space.Position{Lon: ring[i][0], Lat: ring[i][1]}, space.Position{Lon: ring[i+1][0], Lat: ring[i+1][1]})
	}
	if len(ring) != 5 || math.Abs(side(0)*side(1)-200) > 1 {
		t.Errorf("footprint %v", ring)
	}
	// A hole in the floor is a court; surfaces that do not join give their hull.
	court := strings.Replace(cube, `[[0,3,2,1]],[[4,5,6,7]]`, `[[0,3,2,1]],[[4,5,6,7],[11,12,13]]`, 1)
	court = strings.Replace(court, `[0,1000,0]]`, `[0,1000,0],[200,200,800],[200,400,800],[400,400,800]]`, 1)
	if buildings, _, err = ImportCityJSON(strings.NewReader(court)); err != nil || len(buildings[1].Footprint) != 2 {
		t.Errorf("%+v, %v", buildings, err)
	}
	torn := strings.Replace(cube, `[[4,5,6,7]]`, `[[4,5,6]],[[4,5,7]],[[4,6,7]]`, 1)
	if buildings, report, err = ImportCityJSON(strings.NewReader(torn)); err != nil || report.Hulls != 1 || len(buildings[1].Footprint[0]) != 5 || report.Warnings[0].First != "top" {
		t.Errorf("%+v, %+v, %v", buildings, report, err)
	}
}

func TestCityJSONRefuses(t *testing.T) {
	for name, c := range map[string]struct{ old, with, want string }{
		"no JSON":       {cube, "<osm/>", "no JSON object"},
		"other type":    {`"type":"CityJSON"`, `"type":"FeatureCollection"`, `"FeatureCollection"`},
		"other version": {`"1.1"`, `"0.9"`, `version is "0.9"`},
		"no system":     {`"referenceSystem"`, `"title"`, "does not say its coordinate reference system"},
		"Dutch":         {"EPSG/0/2056", "EPSG/0/7415", "EPSG/0/7415"},
		"elsewhere":     {"[2600000,1200000,400]", "[0,0,400]", "no place of EPSG:2056"},
		"no transform":  {`"transform"`, `"transformation"`, `no whole "transform"`},
		"no vertex":     {"[4,5,6,7]", "[4,5,6,99]", "vertex 99 of 11"},
		"negative":      {"[4,5,6,7]", "[4,5,6,-1]", "vertex -1"},
		"flat vertex":   {"[0,0,300]", "[0,300]", "vertex 0 has 2 numbers"},
		"text":          {"[4,5,6,7]", `[4,5,6,"7"]`, "boundaries"},
		"half":          {cube[600:], "", "unexpected"},
		"no building":   {`"BuildingPart"`, `"Bridge"`, "none of its 4 objects"},
	} {
		_, _, err := ImportCityJSON(strings.NewReader(strings.ReplaceAll(cube, c.old, c.with)))
		if !errors.Is(err, ErrBuildings) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	var garbage noise
	if _, _, err := ImportCityJSON(io.LimitReader(&garbage, 100<<20)); !errors.Is(err, ErrBuildings) || garbage.read > 1<<20 {
		t.Errorf("%v after %d bytes", err, garbage.read)
	}
}

// TestCityJSONInAllVersions: the same solid by each version and in several systems.
func TestCityJSONInAllVersions(t *testing.T) {
	plain := strings.Replace(cube, `"transform":{"scale":[0.01,0.01,0.01],"translate":[2600000,1200000,400]},`, "", 1)
	plain = plain[:strings.Index(plain, `"vertices"`)] + `"vertices":[[2600000,1200000,403],[2600010,1200000,403],[2600010,1200020,403],[2600000,1200020,403],` +
		`[2600000,1200000,408],[2600010,1200000,408],[2600010,1200020,408],[2600000,1200020,408],[2600000,1200000,400],[2600010,1200000,400],[2600000,1200010,400]]}`
	version := func(file, v string) string { return strings.Replace(file, `"1.1"`, `"`+v+`"`, 1) }
	system := func(name, translate string) string {
		return strings.NewReplacer("https://www.opengis.net/def/crs/EPSG/0/2056", name, "[2600000,1200000,400]", translate).Replace(cube)
	}
	// The old observatory of Bern, the origin of Hong Kong's grid as its survey office
	// has it in WGS-84 (22 18 43.68 N, 114 10 42.80 E and -5.5, +8.8 seconds), and where
	// the middle of zone 50 meets the equator.
	bern, origin, equator := orb.Point{7.43864, 46.95108}, orb.Point{114.18100, 22.31061}, orb.Point{117, 0}
	for name, c := range map[string]struct {
		file string
		near orb.Point
		err  string
	}{
		"1.0":                        {version(cube, "1.0"), bern, ""},
		"1.0 without a transform":    {version(plain, "1.0"), bern, ""},
		"1.1":                        {cube, bern, ""},
		"1.1 with a mark":            {"\xef\xbb\xbf" + cube, bern, ""},
		"1.1 without a transform":    {plain, bern, `no whole "transform"`},
		"2.0":                        {version(cube, "2.0"), bern, ""},
		"3.0":                        {version(cube, "3.0"), bern, `version is "3.0"`},
		"in Hong Kong's grid":        {system("urn:ogc:def:crs:EPSG::2326", "[836694,819069,0]"), origin, ""},
		"in UTM":                     {system("EPSG:32650", "[500000,0,0]"), equator, ""},
		"in the Dutch one":           {system("https://www.opengis.net/def/crs/EPSG/0/28992", "[85000,446000,0]"), bern, "28992"},
		"with heights named besides": {system("urn:ogc:def:crs,crs:EPSG::2056,crs:EPSG::5728", "[2600000,1200000,400]"), bern, "unknown coordinate reference system"},
		"scaled out of the world":    {strings.Replace(cube, "[0.01,0.01,0.01]", "[1e307,1e307,0.01]", 1), bern, "no place of EPSG:2056"},
		"higher than the sky":        {strings.Replace(cube, "[0.01,0.01,0.01]", "[0.01,0.01,1e307]", 1), bern, "high"},
	} {
		buildings, _, err := ImportCityJSON(strings.NewReader(c.file))
		if c.err != "" {
			if !errors.Is(err, ErrBuildings) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %s", name, err, c.err)
			}
			continue
		}
		if err != nil || len(buildings) != 2 || buildings[1].HeightM != 8 {
			t.Errorf("%s: %v, %v", name, buildings, err)
			continue
		}
		at := buildings[1].Footprint[0][0]
		if off := space.Distance(space.Position{Lon: at[0], Lat: at[1]}, space.Position{Lon: c.near[0], Lat: c.near[1]}); off > 20 {
			t.Errorf("%s: it stands at %v, %.0f m from %v", name, at, off, c.near)
		}
	}
}

// FuzzImportCityJSON wants buildings that make a chart, or an error of its kind.
func FuzzImportCityJSON(f *testing.F) {
	f.Add([]byte(cube))
	f.Add([]byte(strings.ReplaceAll(cube, "EPSG/0/2056", "EPSG/0/4326")))
	f.Add([]byte(`{"type":"CityJSON","version":"2.0","CityObjects":{},"vertices":[]}`))
	f.Fuzz(func(t *testing.T, file []byte) {
		buildings, _, err := ImportCityJSON(bytes.NewReader(file))
		if err != nil {
			if !errors.Is(err, ErrBuildings) {
				t.Fatal(err)
			}
			return
		}
		d := Draft{Buildings: buildings}
		if err := d.normaliseBuildings(); err != nil {
			t.Fatalf("imported buildings are not valid: %v", err)
		}
	})
}

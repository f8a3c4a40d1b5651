package chart

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

const ring = `[[[10,50],[10.001,50],[10.001,50.001],[10,50]]]`

func collection(features ...string) string {
	return `{"type":"FeatureCollection","features":[` + strings.Join(features, ",") + `]}`
}

func feature(properties, geometry string) string {
	return `{"type":"Feature","properties":` + properties + `,"geometry":` + geometry + `}`
}

func TestImportZones(t *testing.T) {
	polygon := `{"type":"Polygon","coordinates":` + ring + `}`
	zones, err := ImportZones(strings.NewReader("\xef\xbb\xbf"+collection(
		feature(`{"id":"a","name":"机场","rule":"altitude_limit","height_limit_m":60,"airborne":true,"from":"2026-01-01T08:00:00+08:00"}`, polygon),
		feature(`{"id":"b","rule":"keep_out","floor_m":10,"ceiling_m":100}`, `{"type":"MultiPolygon","coordinates":[`+ring+`,`+ring+`]}`),
		`{"type":"Feature","id":12345678901,"properties":{"rule":"advise"},"geometry":`+polygon+`}`,
	)), space.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, z := range zones {
		ids = append(ids, z.ID)
	}
	if got := strings.Join(ids, " "); got != "a b/1 b/2 12345678901" {
		t.Errorf("ids %q", got)
	}
	a := zones[0]
	if a.Name != "机场" || a.Rule != AltitudeLimit || a.HeightLimitM != 60 || !a.Airborne || len(a.Polygon[0]) != 4 ||
		!a.From.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("zone %+v", a)
	}
	if _, err := New(Draft{Zones: zones}); err != nil {
		t.Error(err)
	}
}

func TestImportZonesRefuses(t *testing.T) {
	polygon := `{"type":"Polygon","coordinates":` + ring + `}`
	good := feature(`{"id":"a","rule":"keep_out"}`, polygon)
	for name, c := range map[string]struct{ file, want string }{
		"syntax":       {"{\n \"type\": }", "line 2, column 10"},
		"empty":        {"", "line 1"},
		"xml":          {"<osm/>", "line 1, column 1"},
		"one feature":  {good, `its type is "Feature"`},
		"unknown rule": {collection(good, feature(`{"id":"b","rule":"never"}`, polygon)), `feature 2: zone "b": rule "never"`},
		"unknown name": {collection(feature(`{"id":"b","rule":"keep_out","hight":3}`, polygon)), `unknown field "hight"`},
		"no id":        {collection(feature(`{"rule":"keep_out"}`, polygon)), "no id"},
		"same id":      {collection(good, good), "feature 2: the id \"a\" is that of feature 1"},
		"point":        {collection(feature(`{"id":"b","rule":"keep_out"}`, `{"type":"Point","coordinates":[1,2]}`)), `"Point"`},
		"no geometry":  {collection(feature(`{"id":"b","rule":"keep_out"}`, `null`)), "geometry: it is missing"},
		"one number":   {collection(feature(`{"id":"b","rule":"keep_out"}`, `{"type":"Polygon","coordinates":[[[1],[2,3],[3,4],[1]]]}`)), "place 1 has 1 numbers"},
		"off earth":    {collection(feature(`{"id":"b","rule":"keep_out"}`, `{"type":"Polygon","coordinates":[[[1,2],[2,300],[3,4],[1,2]]]}`)), "not a place on earth"},
		"line":         {collection(feature(`{"id":"b","rule":"keep_out"}`, `{"type":"Polygon","coordinates":[[[1,2],[2,3],[1,2]]]}`)), "ring 0 has 2 points"},
		"flat":         {collection(feature(`{"id":"b","rule":"keep_out"}`, `{"type":"Polygon","coordinates":[[[1,2],[2,3],[4,5],[1,2]]]}`)), "no area"},
		"id":           {collection(`{"type":"Feature","id":[1],"properties":{"rule":"advise"},"geometry":` + polygon + `}`), "its id is neither"},
		"properties":   {collection(feature(`null`, polygon)), "no properties"},
		"polygon":      {collection(feature(`{"id":"b","rule":"keep_out","polygon":`+ring+`}`, polygon)), "belongs into the geometry"},
	} {
		_, err := ImportZones(strings.NewReader(c.file), space.WGS84)
		if !errors.Is(err, ErrZones) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestZonesStateTheirDatum: a file says what its degrees are, or the caller does;
// never is it guessed.
func TestZonesStateTheirDatum(t *testing.T) {
	const place = `[[[113.912316,22.543847],[113.92,22.543847],[113.92,22.55],[113.912316,22.543847]]]`
	features := `"features":[` + feature(`{"id":"a","rule":"keep_out"}`, `{"type":"Polygon","coordinates":`+place+`}`) + `]`
	wgs := orb.Point{113.912316, 22.543847}
	fromGCJ, fromBD := space.GCJ02.ToWGS84(wgs), space.BD09.ToWGS84(wgs)
	crs := func(name string) string { return `"crs":{"type":"name","properties":{"name":"` + name + `"}},` }
	for name, c := range map[string]struct {
		members string
		stated  space.Datum
		want    orb.Point
		err     string
	}{
		"not said":            {"", "", wgs, "does not say its datum"},
		"stated":              {"", space.WGS84, wgs, ""},
		"stated gcj02":        {"", space.GCJ02, fromGCJ, ""},
		"stated bd09":         {"", space.BD09, fromBD, ""},
		"stated nonsense":     {"", "mars", wgs, `unknown datum "mars"`},
		"said":                {`"datum":"wgs84",`, "", wgs, ""},
		"said GCJ-02":         {`"datum":"GCJ-02",`, "", fromGCJ, ""},
		"said and stated":     {`"datum":"gcj02",`, space.GCJ02, fromGCJ, ""},
		"disagreeing":         {`"datum":"gcj02",`, space.WGS84, wgs, "it says that it is in gcj02, not in wgs84 as stated"},
		"said nonsense":       {`"datum":"here",`, "", wgs, `unknown datum "here"`},
		"crs":                 {crs("urn:ogc:def:crs:OGC:1.3:CRS84"), "", wgs, ""},
		"crs by number":       {crs("urn:ogc:def:crs:EPSG::4326"), "", wgs, ""},
		"another crs":         {crs("EPSG:2326"), space.WGS84, wgs, `its crs is "EPSG:2326"`},
		"crs against datum":   {crs("EPSG:4326") + `"datum":"bd09",`, "", wgs, "it says both"},
		"crs with statement":  {crs("EPSG:4326"), space.WGS84, wgs, ""},
		"crs against stating": {crs("EPSG:4326"), space.GCJ02, wgs, "not in gcj02 as stated"},
	} {
		zones, err := ImportZones(strings.NewReader(`{"type":"FeatureCollection",`+c.members+features+`}`), c.stated)
		if c.err != "" {
			if !errors.Is(err, ErrZones) || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: %v, want %q", name, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got := zones[0].Polygon[0][0]
		if err := snapPoint(&c.want); err != nil || got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func FuzzImportZones(f *testing.F) {
	f.Add(collection(feature(`{"id":"a","rule":"keep_out"}`, `{"type":"Polygon","coordinates":`+ring+`}`)))
	f.Fuzz(func(t *testing.T, file string) {
		zones, err := ImportZones(strings.NewReader(file), space.WGS84)
		if err != nil && !errors.Is(err, ErrZones) {
			t.Fatal(err)
		}
		for _, z := range zones {
			if err := z.Validate(); err != nil {
				t.Fatalf("an imported zone is not valid: %v", err)
			}
		}
	})
}

// TestAZoneElsewhereIsTold: most often its longitude and latitude are exchanged.
func TestAZoneElsewhereIsTold(t *testing.T) {
	polygon := func(coordinates string) string { return `{"type":"Polygon","coordinates":` + coordinates + `}` }
	zones, err := ImportZones(strings.NewReader(collection(
		feature(`{"id":"here","rule":"keep_out"}`, polygon(`[[[10,50],[10.1,50],[10.1,50.1],[10,50]]]`)),
		feature(`{"id":"there","rule":"keep_out"}`, polygon(`[[[50,10],[50,10.1],[50.1,10.1],[50,10]]]`)),
	)), space.WGS84)
	if err != nil {
		t.Fatal(err)
	}
	_, report, err := ImportOSM(strings.NewReader(lane("")), OSMOptions{Zones: zones})
	if err != nil || len(report.Warnings) != 1 || report.Warnings[0].First != "there" {
		t.Errorf("%+v, %v", report.Warnings, err)
	}
}

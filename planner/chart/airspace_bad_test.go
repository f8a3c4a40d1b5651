package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// An ED-269 zone in parts, to be spoilt.
const (
	volume269 = `{"uomDimensions":"M","lowerLimit":0,"lowerVerticalReference":"AGL","upperLimit":99999,"upperVerticalReference":"AMSL","horizontalProjection":{"type":"Polygon","coordinates":[[[7,46],[7.1,46],[7.1,46.1],[7,46]]]}}`
	zone269   = `{"identifier":"a","country":"CHE","restriction":"PROHIBITED","applicability":[{"permanent":"YES"}],"geometry":[` + volume269 + `]}`
	file269   = `{"title":"t","features":[` + zone269 + `]}`
	zone318   = `{"type":"Feature","geometry":{"type":"Point","coordinates":[7,46],"extent":{"subType":"Circle","radius":100},"layer":{"lower":0,"lowerReference":"AGL","upper":500,"upperReference":"AMSL","uom":"m"}},"properties":{"identifier":"b","type":"PROHIBITED","variant":"COMMON","name":[{"text":"x","lang":"en-GB"}]}}`
	file318   = `{"type":"FeatureCollection","metadata":{"issued":"2018-12-01T15:59:59Z"},"features":[` + zone318 + `]}`
	filePlan  = `{"fileType":"Plan","geoFence":{"version":2,"polygons":[{"inclusion":true,"version":1,"polygon":[[46,7],[46,7.1],[46.1,7.1]]}],"circles":[{"inclusion":false,"version":1,"circle":{"center":[46.05,7.05],"radius":200}}]},"mission":{}}`
	fileUASFM = `{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"OBJECTID":7,"CEILING":100},"geometry":{"type":"Polygon","coordinates":[[[7,46],[7.1,46],[7.1,46.1],[7,46]]]}}]}`
)

// TestAirspaceRefused: what is wrong with a file is told with its place.
func TestAirspaceRefused(t *testing.T) {
	with := func(file, old, now string) string {
		if !strings.Contains(file, old) {
			t.Fatalf("%q is not in %q", old, file)
		}
		return strings.Replace(file, old, now, 1)
	}
	for _, tt := range []struct{ file, want string }{
		{"", `line 1: it begins with ""`},
		{"<xml/>", `line 1: it begins with "<xml/>"`},
		{"[1,2]", `line 1: it begins with "[1,2]"`},
		{"{\n\"a\":1,\n\"b\" 2}", "line 3: invalid character"},
		{"{\"features\":[\n{\"a\":", "line 2: it ends in the middle"},
		{"{}", "it has no members, and neither features nor a geoFence"},
		{`{"a":1,"b":2}`, `it has the members ["a" "b"]`},
		{file269 + "{}", "more follows the end"},
		{`{"features":7}`, "features: it is not a list"},
		{`{"features":[7]}`, "features[0]: it is a number, not an object"},
		{with(file269, `"identifier":"a",`, ""), `features[0]: it has no "identifier"`},
		{with(file269, `"PROHIBITED"`, `"FORBIDDEN"`), `features[0].restriction: "FORBIDDEN" is none of PROHIBITED`},
		{with(file269, `"PROHIBITED"`, `5`), `features[0].restriction: it is a number, not text`},
		{with(file269, `[7,46],[7.1,46]`, `[7,146],[7.1,46]`), `features[0].geometry[0].horizontalProjection.coordinates[0][0]: 7, 146 is not a place on earth`},
		{with(file269, `[7.1,46.1],[7,46]]`, `[7.1,46.1],[7,46.05]]`), `coordinates[0]: it is not closed`},
		{with(file269, `[7.1,46],[7.1,46.1],`, ``), `coordinates[0]: it has 2 points`},
		{with(file269, `"uomDimensions":"M"`, `"uomDimensions":"FL"`), `features[0].geometry[0]: the unit "FL"`},
		{with(file269, `"lowerLimit":0`, `"lowerLimit":"0"`), `features[0].geometry[0].lowerLimit: it is text, not a number`},
		{with(file269, `"lowerLimit":0,"lowerVerticalReference":"AGL"`, `"lowerLimit":9,"lowerVerticalReference":"HAT"`), `lowerVerticalReference: "HAT" is not AGL, AMSL or WGS84`},
		{with(with(file269, `"uomDimensions":"M",`, ``), `"lowerLimit":0`, `"lowerLimit":400`), `features[0].geometry[0]: it does not say its unit`},
		{with(with(file269, `"lowerLimit":0,"lowerVerticalReference":"AGL"`, `"lowerLimit":10,"lowerVerticalReference":"AMSL"`), `"upperLimit":99999`, `"upperLimit":-5`), `geometry[0]: its upper limit -5 m is below its lower limit 10 m`},
		{with(file269, `[7,46],[7.1,46],[7.1,46.1],[7,46]`, `[179.9,46],[-179.9,46],[-179.9,46.1],[179.9,46]`), `features[0].geometry[0]: zone "a": the polygon crosses the 180th meridian between 179.9 and -179.9`},
		{with(file318, `"coordinates":[7,46]`, `"coordinates":[179.9995,46]`), `features[0].geometry.extent.radius: the circle about 179.9995, 46 crosses the 180th meridian`},
		{"\xff\xfe{\x00", "line 1: its text is in UTF-16; save it as UTF-8"},
		{"{\x00\"\x00", "line 1: its text is in UTF-16 or UTF-32"},
		{with(file269, `[7,46]`, `[NaN,46]`), "line 1: invalid character 'N'"},
		{with(file269, `[7,46]`, `[1e999,46]`), "features[0]: json: cannot unmarshal number 1e999"},
		{with(file269, `"title"`, `"datum":"gcj02","title"`), "ed269 is in WGS-84 by definition, but it says that it is in gcj02"},
		{with(file318, `"metadata"`, `"crs":{"type":"name","properties":{"name":"EPSG:2154"}},"metadata"`), `ed318 is in WGS-84 by definition, but its crs is "EPSG:2154"`},
		{with(fileUASFM, `"features"`, `"crs":{"type":"name","properties":{"name":"EPSG:3857"}},"features"`), `uasfm is in WGS-84 by definition, but its crs is "EPSG:3857"`},
		{with(filePlan, `"geoFence":{"version":2`, `"geoFence":{"version":3`), `geoFence.version: it is 3; only version 2 of the fence is read`},
		{`{"geoFence":{"polygon":[[46,7],[46,7.1],[46.1,7.1]]}}`, `geoFence.polygon: it belongs to version 1 of the fence`},
		{`{"geoFence":null}`, `geoFence: it is null, not an object`},
		{`{"a":{"b":` + file269 + `}}`, `neither features nor a geoFence`},
		{with(file269, `"permanent":"YES"`, `"schedule":[{"startEvent":"SR-00:30","endEvent":"SS"}]`), `schedule[0].startEvent: the event "SR-00:30" is not BMCT, SR, SS or EMCT`},
		{with(file269, volume269, strings.Repeat("[", 20_000)+strings.Repeat("]", 20_000)), "exceeded max depth"},
		{with(file269, `[[7,46],`, `[`+strings.Repeat("[7.0000001,46.0000001],", 400_000)), "features: item 1 is 9200318 bytes long; at most 8388608 are read"},
		{with(file269, `"upperLimit":99999,"upperVerticalReference":"AMSL"`, `"upperLimit":900,"upperVerticalReference":"WGS84"`), `geometry[0]: its upper limit is above the ellipsoid`},
		{with(file269, `"type":"Polygon"`, `"type":"Sphere"`), `horizontalProjection.type: it is "Sphere"`},
		{with(file269, `"permanent":"YES"`, `"permanent":"NO","startDateTime":"yesterday"`), `features[0].applicability[0].startDateTime: "yesterday" is not a time`},
		{with(file269, `"permanent":"YES"`, `"permanent":"NO","startDateTime":"2026-01-02T00:00:00Z","endDateTime":"2026-01-01T00:00:00Z"`), `applicability[0]: it ends at`},
		{with(file269, `"permanent":"YES"`, `"permanent":"MAYBE"`), `permanent is "MAYBE"`},
		{with(file269, `"permanent":"YES"`, `"schedule":[{"day":["FREITAG"]}]`), `applicability[0].schedule[0].day[0]: the day "FREITAG"`},
		{with(file269, `"permanent":"YES"`, `"schedule":[{"day":["MON"],"startTime":"morning"}]`), `schedule[0].startTime: "morning" is not a clock time`},
		{with(file318, `"subType":"Circle"`, `"subType":"Square"`), `features[0].geometry.extent.subType: it is "Square"`},
		{with(file318, `"radius":100`, `"radius":-1`), `features[0].geometry.extent.radius: a radius of -1 m`},
		{with(file318, `"issued":"2018-12-01T15:59:59Z"`, `"issued":7`), `metadata.issued: it is a number, not text`},
		{with(file318, `[{"text":"x","lang":"en-GB"}]`, `[{"lang":"en-GB"}]`), `features[0].properties.name[0]: it has no "text"`},
		{with(file318, zone318, zone318+","+zone269), `features[1]: it looks like ed269, and what comes before like ed318`},
		{with(fileUASFM, `"CEILING":100`, `"CEILING":"100"`), `features[0].properties.CEILING: it is text`},
		{with(filePlan, `"inclusion":true`, `"inclusion":1`), `geoFence.polygons[0].inclusion: it is a number`},
		{with(filePlan, `[46,7]`, `[146,7]`), `geoFence.polygons[0].polygon[0]: 146, 7 is not a place on earth: it should be latitude and longitude`},
		{with(filePlan, `"radius":200`, `"radius":0`), `geoFence.circles[0].circle.radius: a radius of 0 m`},
	} {
		zones, _, err := ImportAirspace(strings.NewReader(tt.file), AirspaceOptions{})
		if !errors.Is(err, ErrAirspace) || !strings.Contains(err.Error(), tt.want) || zones != nil {
			t.Errorf("%.200s:\n got %v\nwant %s", tt.file, err, tt.want)
		}
	}
}

// endless gives as many bytes as are asked for, counting them.
type endless struct {
	start, repeat string
	given, most   int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && e.given < e.most {
		text := e.start
		if e.given >= int64(len(e.start)) {
			text = e.repeat[(e.given-int64(len(e.start)))%int64(len(e.repeat)):]
		} else {
			text = text[e.given:]
		}
		k := copy(p[n:], text)
		n, e.given = n+k, e.given+int64(k)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestGarbageIsRefusedSoon: of 100 MB that are no such file little is read, and
// memory stays bounded even where they look like one to the end.
func TestGarbageIsRefusedSoon(t *testing.T) {
	const most = 100 << 20
	read := func(r io.Reader) error {
		_, _, err := ImportAirspace(r, AirspaceOptions{})
		return err
	}
	runways := func(r io.Reader) error {
		_, _, err := ImportRunways(r, RunwayOptions{Airports: []string{"ZGSZ"}})
		return err
	}
	header := `airport_ident,closed,le_ident,le_latitude_deg,le_longitude_deg,le_elevation_ft,he_ident,he_latitude_deg,he_longitude_deg,he_elevation_ft` + "\n"
	for _, tt := range []struct {
		name, start, repeat string
		read                func(io.Reader) error
		mostRead            int64
		want                string
	}{
		{"noise", "", "\x00\x17garbage", read, 1 << 16, "no JSON object"},
		{"zeros", "", "\x00", read, 1 << 16, "no JSON object"},
		{"blanks", "", " ", read, 1 << 16, "no JSON object"},
		{"noise in braces", "{", "garbage", read, 1 << 16, "line 1: invalid character"},
		{"a long text", `{"features":["`, "a", read, MaxAirspaceBytes + 1<<20, "longer than 67108864 bytes"},
		{"brackets", `{"features":`, "[", read, 1 << 20, "exceeded max depth"},
		{"features", `{"features":[`, "{},", read, MaxAirspaceBytes + 1<<20, "longer than 67108864 bytes"},
		{"no table", "", "garbage", runways, 1 << 18, "line 1: it is longer than 65536 bytes"},
		{"a long line", header, "garbage", runways, 1 << 18, "line 2: it is longer than 65536 bytes"},
		{"lines", header, "ZGXX,0\n", runways, MaxRunwaysBytes + 1<<20, "longer than 67108864 bytes"},
		{"another table", "", "a,b,c\n", runways, 1 << 18, `line 1: it has no column "airport_ident"`},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		r := &endless{tt.start, tt.repeat, 0, most}
		err := tt.read(r)
		runtime.ReadMemStats(&after)
		if !errors.Is(err, ErrAirspace) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %.200v, want %s", tt.name, err, tt.want)
		}
		if r.given > tt.mostRead {
			t.Errorf("%s: %d bytes were read", tt.name, r.given)
		}
		// What was allocated in all, freed or not.
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 6*MaxAirspaceBytes || tt.mostRead <= 1<<20 && grown > 16<<20 {
			t.Errorf("%s: %d bytes were allocated", tt.name, grown)
		}
	}
}

// TestAirspaceTimes: what files say of times, as text of the schedule.
func TestAirspaceTimes(t *testing.T) {
	for _, tt := range []struct{ applicability, want string }{
		{`[{"permanent":"YES"}]`, "always"},
		{`[]`, "always"},
		{`[{"permanent":"YES","schedule":[{"day":["MON","TUE"],"startTime":"08:00:00Z","endTime":"16:30:00.00Z"}]}]`, `[{"days":["MON","TUE"],"start":"08:00","end":"16:30"}]`},
		{`[{"schedule":[{"day":["ANY"],"startEvent":"BMCT","endEvent":"EMCT"}]}]`, `[{"start":"BMCT","end":"EMCT"}]`},
		{`[{"schedule":[{"day":["SAT","SUN"],"startTime":"17:00:00.00Z","endTime":"23:59:59.00Z"}]}]`, `[{"days":["SAT","SUN"],"start":"17:00","end":"24:00"}]`},
		{`[{"schedule":[{"day":["MON"]}]}]`, `[{"days":["MON"],"start":"00:00","end":"00:00"}]`},
		// Half past midnight on Monday in central Europe is Sunday in UTC.
		{`[{"schedule":[{"day":["MON"],"startTime":"00:30:00+01:00","endTime":"02:00:00+01:00"}]}]`, `[{"days":["SUN"],"start":"23:30","end":"01:00"}]`},
		{`[{"schedule":[{"day":["SUN"],"startTime":"22:00:00-05:00","endTime":"23:00:00-05:00"}]}]`, `[{"days":["MON"],"start":"03:00","end":"04:00"}]`},
		{`[{"schedule":[{"day":["HOL"],"startTime":"08:00:00Z","endEvent":"SS"}]}]`, `[{"start":"08:00","end":"SS"}]`},
		{`[{"startDateTime":"2026-08-01T06:00:00+00:00","endDateTime":"2026-08-01T20:00:00+02:00"}]`, "2026-08-01 06:00 to 2026-08-01 18:00"},
		{`[{"startDateTime":"2026-08-01T06:00:00"},{"endDateTime":"2025-01-01"}]`, "2026-08-01 06:00 to 0001-01-01 00:00; 0001-01-01 00:00 to 2025-01-01 00:00"},
	} {
		file := strings.Replace(file269, `[{"permanent":"YES"}]`, tt.applicability, 1)
		zones, _, err := ImportAirspace(strings.NewReader(file), AirspaceOptions{})
		if err != nil {
			t.Errorf("%s: %v", tt.applicability, err)
			continue
		}
		var parts []string
		for _, z := range zones {
			text := "always"
			if z.Schedule != nil {
				data, err := json.Marshal(z.Schedule)
				if err != nil {
					t.Fatal(err)
				}
				text = string(data)
			} else if z.Timed() {
				const form = "2006-01-02 15:04"
				text = z.From.Format(form) + " to " + z.Until.Format(form)
			}
			parts = append(parts, text)
		}
		if got := strings.Join(parts, "; "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.applicability, got, tt.want)
		}
	}
}

// TestAirspaceHeights: limits become altitudes such that the zone grows. The ground
// is from 400 to 650 m, sea level 49 m above the ellipsoid.
func TestAirspaceHeights(t *testing.T) {
	for _, tt := range []struct {
		limits         string
		floor, ceiling float64
	}{
		{`"uomDimensions":"M","lowerLimit":0,"lowerVerticalReference":"AGL","upperLimit":120,"upperVerticalReference":"AGL"`, 0, 770},
		{`"uomDimensions":"M","lowerLimit":50,"lowerVerticalReference":"AGL","upperLimit":120,"upperVerticalReference":"AGL"`, 450, 770},
		{`"uomDimensions":"FT","lowerLimit":1000,"lowerVerticalReference":"AMSL","upperLimit":99999,"upperVerticalReference":"AMSL"`, 304.8, 0},
		{`"uomDimensions":"M","lowerLimit":600,"lowerVerticalReference":"WGS84","upperLimit":900,"upperVerticalReference":"WGS84"`, 551, 851},
		{`"uomDimensions":"M","lowerLimit":200,"lowerVerticalReference":"AGL","upperLimit":500,"upperVerticalReference":"AMSL"`, 0, 500},
		{`"uomDimensions":"M","lowerLimit":0,"lowerVerticalReference":"AMSL","upperLimit":0,"upperVerticalReference":"AMSL"`, 0, 0.01},
		{`"uomDimensions":"M"`, 0, 0},
	} {
		const standard = `"uomDimensions":"M","lowerLimit":0,"lowerVerticalReference":"AGL","upperLimit":99999,"upperVerticalReference":"AMSL"`
		file := strings.Replace(file269, standard, tt.limits, 1)
		zones, _, err := ImportAirspace(strings.NewReader(file), AirspaceOptions{Heights: flatGround{400, 650, 49}})
		if err != nil || len(zones) != 1 {
			t.Errorf("%s: %d zones, %v", tt.limits, len(zones), err)
			continue
		}
		if z := zones[0]; math.Abs(z.FloorM-tt.floor) > 1e-9 || math.Abs(z.CeilingM-tt.ceiling) > 1e-9 {
			t.Errorf("%s: %g to %g, want %g to %g", tt.limits, z.FloorM, z.CeilingM, tt.floor, tt.ceiling)
		}
	}
}

// TestAirspaceForms: wrapped and mixed forms give the same zones, and ids in use
// make others.
func TestAirspaceForms(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{file269, "a keep_out"},
		{"\xef\xbb\xbf \n" + file269, "a keep_out"},
		{`{"UASZoneList":[` + zone269 + `]}`, "a keep_out"},
		{`{"response":` + file269 + `}`, "a keep_out"},
		{`{"type":"FeatureCollection","features":[{"type":"Feature","properties":` + zone269 + `}]}`, "a keep_out"},
		{`{"features":[` + zone269 + "," + zone269 + `]}`, "a keep_out, a#2 keep_out"},
		{file318, "b keep_out"},
		{fileUASFM, "uasfm/7 altitude_limit"},
		{filePlan, "fence/polygon/1 keep_in, fence/circle/1 keep_out"},
		{`{"type":"FeatureCollection","datum":"wgs84","features":[` + feature(`{"id":"a","rule":"advise"}`, `{"type":"Polygon","coordinates":`+ring+`}`) + `]}`, "a advise"},
		{`{"features":[]}`, ""},
	} {
		zones, _, err := ImportAirspace(strings.NewReader(tt.file), AirspaceOptions{Name: "fence"})
		if err != nil {
			t.Errorf("%.100s: %v", tt.file, err)
		}
		var parts []string
		for _, z := range zones {
			parts = append(parts, z.ID+" "+string(z.Rule))
		}
		if got := strings.Join(parts, ", "); got != tt.want {
			t.Errorf("%.100s: %s, want %s", tt.file, got, tt.want)
		}
	}
	zones, _, err := ImportAirspace(strings.NewReader(file269), AirspaceOptions{Taken: map[string]bool{"a": true, "a#2": true}})
	if err != nil || zones[0].ID != "a#3" {
		t.Errorf("%v, %v", zones, err)
	}
}

// TestZonesRoundTrip: zones written as GeoJSON are read back as they were, places to
// a centimetre, from each format.
func TestZonesRoundTrip(t *testing.T) {
	for _, name := range []string{"ed269-ch.json", "ed269-lu.json", "ed269-che-1.json", "ed318-che-sample.json", "ed318-example-collection.json", "ed318-example-circle.json", "ed318-example-2-layers.json", "faa-uasfm.json"} {
		zones, _, err := ImportAirspace(airspaceFile(t, name), AirspaceOptions{Heights: flatGround{400, 650, 49}})
		if err != nil {
			t.Fatal(err)
		}
		var file bytes.Buffer
		if err := WriteZones(&file, zones); err != nil {
			t.Fatal(err)
		}
		back, err := ImportZones(bytes.NewReader(file.Bytes()), "")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !reflect.DeepEqual(zones, back) {
			t.Errorf("%s: %+v, want %+v", name, back, zones)
		}
		again, report, err := ImportAirspace(&file, AirspaceOptions{})
		if err != nil || report.Format != "kapok" || !reflect.DeepEqual(zones, again) {
			t.Errorf("%s: %s, %v", name, report.Format, err)
		}
	}
	// Places that the file has are kept to a centimetre by a chart.
	z := Zone{ID: "z", Rule: KeepOut, From: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Polygon: orb.Polygon{{{10.123456789, 50}, {10.2, 50.0000000499}, {10.2, 50.1}, {10.123456789, 50}}}}
	c, err := New(Draft{Zones: []Zone{{ID: z.ID, Rule: z.Rule, From: z.From, Polygon: z.Polygon.Clone()}}})
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range c.Zones[0].Polygon[0] {
		if q := z.Polygon[0][i]; c.Frame.XY(p).Dist(c.Frame.XY(q)) > 0.01 {
			t.Errorf("%v is %v", q, p)
		}
	}
}

func FuzzImportAirspace(f *testing.F) {
	for _, seed := range []string{file269, file318, filePlan, fileUASFM, `{"features":[]}`, `{"a":` + file269 + `}`} {
		f.Add(seed, true)
		f.Add(strings.ReplaceAll(seed, "YES", `","schedule":[{"day":["SUN"],"startTime":"23:30:00+05:00","endEvent":"SS"}],"x":"`), false)
	}
	f.Fuzz(func(t *testing.T, file string, high bool) {
		opts := AirspaceOptions{}
		if high {
			opts.Heights = flatGround{100, 200, -30}
		}
		zones, _, err := ImportAirspace(strings.NewReader(file), opts)
		if err != nil {
			if zones != nil || !errors.Is(err, ErrAirspace) {
				t.Fatalf("%v with %d zones", err, len(zones))
			}
			return
		}
		var written bytes.Buffer
		if err := WriteZones(&written, zones); err != nil {
			t.Fatal(err)
		}
		back, err := ImportZones(&written, "")
		if err != nil || len(back) != len(zones) {
			t.Fatalf("%d of %d zones come back: %v", len(back), len(zones), err)
		}
		for i := range back {
			if fmt.Sprint(back[i]) != fmt.Sprint(zones[i]) {
				t.Fatalf("%+v comes back as %+v", zones[i], back[i])
			}
		}
	})
}

func FuzzImportRunways(f *testing.F) {
	const header = "airport_ident,closed,le_ident,le_latitude_deg,le_longitude_deg,le_elevation_ft,he_ident,he_latitude_deg,he_longitude_deg,he_elevation_ft\n"
	f.Add(header + "\"A\",0,15,22.65,113.80,13,33,22.62,113.81,13\n")
	f.Add(header + "A,1,15,,,,33,,,\nA,0,\"1")
	f.Fuzz(func(t *testing.T, file string) {
		zones, _, err := ImportRunways(strings.NewReader(file), RunwayOptions{Airports: []string{"A"}})
		if err != nil {
			if zones != nil || !errors.Is(err, ErrAirspace) {
				t.Fatalf("%v with %d zones", err, len(zones))
			}
			return
		}
		for i := range zones {
			if err := zones[i].Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}

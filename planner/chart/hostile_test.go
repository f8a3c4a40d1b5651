package chart

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/raced"
	"github.com/kapok-fleet/kapok/planner/space"
)

// importers are all that take files of others, by name, each with the kind of its
// errors.
func importers() map[string]struct {
	read func(io.Reader) error
	kind error
} {
	type importer = struct {
		read func(io.Reader) error
		kind error
	}
	terrain := func(name string) importer {
		return importer{func(r io.Reader) error {
			_, _, err := ImportTerrain([]TerrainFile{{name, r}}, hongKong)
			return err
		}, ErrTerrain}
	}
	return map[string]importer{
		"airspace": {func(r io.Reader) error {
			_, _, err := ImportAirspace(r, AirspaceOptions{})
			return err
		}, ErrAirspace},
		"runways": {func(r io.Reader) error {
			_, _, err := ImportRunways(r, RunwayOptions{Airports: []string{"ZGSZ"}})
			return err
		}, ErrAirspace},
		"zones": {func(r io.Reader) error {
			_, err := ImportZones(r, space.WGS84)
			return err
		}, ErrZones},
		"buildings": {func(r io.Reader) error {
			_, err := ImportGeoJSONBuildings(r, space.WGS84)
			return err
		}, ErrBuildings},
		"city": {func(r io.Reader) error {
			_, _, err := ImportCityJSON(r)
			return err
		}, ErrBuildings},
		"map": {func(r io.Reader) error {
			_, _, err := ImportOSM(r, OSMOptions{})
			return err
		}, ErrOSM},
		"grid": terrain("grid.json"),
		"hgt":  terrain("N22E113.hgt"),
		"zip":  terrain("N22E113.hgt.zip"),
		"tif":  terrain("a.tif"),
		"png":  terrain("12-3342-1784.png"),
	}
}

// cpuSeconds is what the process has taken of the processor until now.
func cpuSeconds(t *testing.T) float64 {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return float64(u.Utime.Sec+u.Stime.Sec) + float64(u.Utime.Usec+u.Stime.Usec)/1e6
}

// greatestHeap is how much memory the heap takes at most while something is done,
// as often as it is looked at.
func greatestHeap(do func()) uint64 {
	done, most := make(chan struct{}), make(chan uint64)
	go func() {
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		samples := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/unused:bytes"}}
		for greatest := uint64(0); ; {
			metrics.Read(samples)
			greatest = max(greatest, samples[0].Value.Uint64()+samples[1].Value.Uint64())
			select {
			case <-done:
				most <- greatest
				return
			case <-tick.C:
			}
		}
	}()
	do()
	close(done)
	return <-most
}

// TestAHundredMegabytesOfGarbage: each importer refuses it within seconds and a
// bounded memory, whether it is refused at its first byte or looks like a file of
// its kind to the end.
func TestAHundredMegabytesOfGarbage(t *testing.T) {
	if testing.Short() {
		t.Skip("it reads some gigabytes of garbage")
	}
	const (
		most     = 100 << 20
		mostHeap = 900 << 20
	)
	mostSeconds := 15.0
	if raced.On {
		mostSeconds *= 8
	}
	header := "airport_ident,closed,le_ident,le_latitude_deg,le_longitude_deg,le_elevation_ft,he_ident,he_latitude_deg,he_longitude_deg,he_elevation_ft\n"
	collection := `{"type":"FeatureCollection","datum":"wgs84","features":[`
	xml := `<?xml version="1.0"?><osm version="0.6">`
	type garbage struct{ name, start, repeat, end string }
	general := []garbage{{"noise", "", "\x93\x00\xff\x17garbage\xfe", ""}}
	if os.Getenv("KAPOK_SOAK") != "" {
		general = append(general, garbage{"brackets", `{"features":`, "[", ""}, garbage{"digits", `{"a":`, "7", ""},
			garbage{"commas", "", ",", ""}, garbage{"blanks", "", " \n", ""})
	}
	special := map[string][]garbage{
		"airspace": {
			{"numbers for features", `{"features":[1`, ",1", ""},
			{"a feature of numbers", `{"features":[{"identifier":"a","restriction":"PROHIBITED","geometry":[1`, ",1", ""},
			{"objects in objects", "", `{"a":`, ""},
			{"60 MB of numbers for features", `{"features":[1`, ",1", "]}"},
			{"60 MB of empty zones", `{"features":[{}`, ",{}", "]}"},
			{"60 MB of numbers in a feature", `{"features":[{"identifier":"a","restriction":"PROHIBITED","geometry":[1`, ",1", "]}]}"},
		},
		"runways": {{"one runway again and again", header, "ZGSZ,0,a,22.6,113.8,10,b,22.6,113.82,10\n", ""}},
		"zones": {
			{"numbers for features", collection + "1", ",1", ""},
			{"60 MB of numbers for features", collection + "1", ",1", "]}"},
			{"60 MB of nothing", collection + "null", ",null", "]}"},
		},
		"buildings": {
			{"numbers for features", collection + "1", ",1", "]}"},
			{"a feature of numbers", collection + `{"geometry":{"type":"Polygon","coordinates":[1`, ",1", "]}}]}"},
		},
		"city": {
			{"vertices", `{"type":"CityJSON","vertices":[[1,2,3]`, ",[1,2,3]", ""},
			{"surfaces", `{"type":"CityJSON","CityObjects":{"a":{"geometry":[{"boundaries":[[1]`, ",[1]", ""},
			{"a long text", `{"type":"CityJSON","x":"`, "a", ""},
		},
		"map": {
			{"elements in elements", xml, "<node>", ""},
			{"tags without end", xml + `<node id="1" lat="1" lon="1">`, `<tag k="a" v="b"/>`, ""},
			{"a long name", xml + `<node id="1" x="`, "a", ""},
			{"text", xml, "garbage", ""},
		},
		"grid": {
			{"heights without end", `{"w":2,"h":2,"elev":[1`, ",1", ""},
			{"heights for no grid", `{"elev":[1`, ",1", ""},
			{"a list of something", `{"x":[1`, ",1", ""},
		},
		"zip": {{"no archive", "PK\x03\x04", "\x00\x01\x02\x03", ""}},
		"tif": {{"no directory", "II*\x00", "\x00\x01\x02\x03", ""}},
		"png": {{"no chunks", pngMagic, "\x00\x01\x02\x03", ""}},
	}
	worstS, worstMB := 0.0, uint64(0)
	for name, importer := range importers() {
		list := append(general[:len(general):len(general)], special[name]...)
		if os.Getenv("KAPOK_SOAK") == "" {
			list = list[:min(len(list), 2)]
		}
		for _, g := range list {
			debug.FreeOSMemory()
			// A long piece is copied sooner.
			repeat := strings.Repeat(g.repeat, 1+4096/len(g.repeat))
			length := int64(most)
			if strings.HasPrefix(g.name, "60 MB") {
				length = 60 << 20
			}
			file := io.MultiReader(&endless{g.start, repeat, 0, length - int64(len(g.end))}, strings.NewReader(g.end))
			began := cpuSeconds(t)
			var err error
			heap := greatestHeap(func() { err = importer.read(file) })
			seconds := cpuSeconds(t) - began
			if !errors.Is(err, importer.kind) {
				t.Errorf("%s, %s: %.200v", name, g.name, err)
			}
			if seconds > 1 || heap > 300<<20 {
				t.Logf("%s, %s: %.1f s, %d MB: %.150v", name, g.name, seconds, heap>>20, err)
			}
			if seconds > mostSeconds || heap > mostHeap {
				t.Errorf("%s, %s: refused after %.1f s of the processor and with a heap of %d MB", name, g.name, seconds, heap>>20)
			}
			worstS, worstMB = max(worstS, seconds), max(worstMB, heap>>20)
		}
	}
	t.Logf("at most %.1f s of the processor, a heap of at most %d MB", worstS, worstMB)
}

// TestUnusualAirspaceIsTaken: files that keep to the published formats in ways that
// few of them use.
func TestUnusualAirspaceIsTaken(t *testing.T) {
	const square = `[[[7,46],[7.1,46],[7.1,46.1],[7,46.1],[7,46]]]`
	layer := func(uom, lower, upper string) string {
		return fmt.Sprintf(`{"uomDimensions":%q,"lowerLimit":%s,"upperLimit":%s,"horizontalProjection":{"type":"Polygon","coordinates":%s}}`,
			uom, strings.Replace(lower, " ", `,"lowerVerticalReference":`, 1), strings.Replace(upper, " ", `,"upperVerticalReference":`, 1), square)
	}
	zone := func(geometry string) string {
		return `{"features":[{"identifier":"a","restriction":"PROHIBITED","geometry":[` + geometry + `]}]}`
	}
	hills := flatGround{400, 650, 49}
	for name, tt := range map[string]struct {
		file    string
		heights HeightModel
		want    string
	}{
		"layers of a union, with three references": {
			zone(layer("FT", `0 "AGL"`, `400 "AGL"`) + "," + layer("M", `700 "WGS84"`, `900 "AMSL"`) + "," + layer("FT", `3000 "AMSL"`, `99999 "AMSL"`)),
			hills, "a/1 0..771.92 a/2 651..900 a/3 914.4..0",
		},
		"99999 in feet over the ellipsoid, without knowing it": {zone(layer("FT", `0 "AGL"`, `99999 "WGS84"`)), nil, "a 0..0"},
		"beginning above all flight":                           {zone(layer("M", `12000 "AMSL"`, `99999 "AMSL"`) + "," + layer("M", `0 "AGL"`, `99999 "AMSL"`)), hills, "a/2 0..0; a/1: it begins at 12000 m, above all flight, and is left out"},
		"beginning above all flight, in feet over ground":      {zone(layer("FT", `60000 "AGL"`, `99999 "AMSL"`)), hills, "; a: it begins at 18688 m, above all flight, and is left out"},
		"ground below the sea":                                 {zone(layer("M", `0 "AGL"`, `120 "AGL"`)), flatGround{-430, -400, 20}, "a 0..-280"},
		"a fence with a closed ring": {
			strings.Replace(filePlan, `[[46,7],[46,7.1],[46.1,7.1]]`, `[[46,7],[46,7.1],[46.1,7.1],[46,7]]`, 1), nil, "fence/polygon/1 0..0 fence/circle/1 0..0",
		},
		"a plan without a fence, with a place of return": {
			`{"fileType":"Plan","geoFence":{"version":2,"polygons":[],"circles":[],"breachReturn":[46,7,50]}}`, nil,
			"; fence: the plan has no geofence; fence: the plan's place of return after a breach is not read",
		},
	} {
		zones, report, err := ImportAirspace(strings.NewReader(tt.file), AirspaceOptions{Heights: tt.heights, Name: "fence"})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var parts []string
		for _, z := range zones {
			parts = append(parts, fmt.Sprintf("%s %g..%g", z.ID, math.Round(z.FloorM*100)/100, math.Round(z.CeilingM*100)/100))
			if n := len(z.Polygon[0]); z.Polygon[0][n-1] == z.Polygon[0][n-2] {
				t.Errorf("%s: the last point stands twice", name)
			}
		}
		got := strings.Join(parts, " ")
		for _, n := range report.Notes {
			got += "; " + n.Zone + ": " + n.Text
		}
		if got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, tt.want)
		}
	}
}

// TestOneIDManyTimes: zones that share an id get numbers, and quickly.
func TestOneIDManyTimes(t *testing.T) {
	const n = 20_000
	file := `{"features":[` + strings.Repeat(zone269+",", n-1) + zone269 + `]}`
	began := cpuSeconds(t)
	zones, _, err := ImportAirspace(strings.NewReader(file), AirspaceOptions{})
	if err != nil || len(zones) != n || zones[n-1].ID != fmt.Sprintf("a#%d", n) {
		t.Fatalf("%d zones, %v", len(zones), err)
	}
	if seconds := cpuSeconds(t) - began; seconds > 20 {
		t.Errorf("it took %.1f s of the processor", seconds)
	}
}

// TestEveryAirspaceFileIsKnown: what lies in the folder of the test data is what
// TestAirspaceFiles and TestRunways count, nothing less.
func TestEveryAirspaceFileIsKnown(t *testing.T) {
	folder := filepath.Join(testData(t), "airspace")
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Skip(err)
	}
	source, err := os.ReadFile("airspace_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if !strings.Contains(string(source), `{"`+f.Name()+`"`) {
			t.Errorf("%s is in no test", f.Name())
		}
	}
}

// TestRunwayTables: tables of other programs, with other columns, quotes, gaps and
// runways that are closed.
func TestRunwayTables(t *testing.T) {
	const columns = `"he_elevation_ft","he_longitude_deg","he_latitude_deg","he_ident","note","le_elevation_ft","le_longitude_deg","le_latitude_deg","le_ident","closed","airport_ident"` + "\n"
	open := `"20","113.81","22.62","33","a ""quoted"", with commas","10","113.80","22.65","15","0","ZGSZ"` + "\r\n"
	for name, tt := range map[string]struct{ file, want string }{
		"too many":          {columns + strings.Repeat(strings.Replace(open, `"113.81"`, `"113.80"`, 1), MaxRunways+1), "line 16668: more than the 100000 zones"},
		"turned about":      {columns + open, "keep_out 6; notes 0"},
		"with a mark":       {"\ufeff" + columns + open, "keep_out 6; notes 0"},
		"closed":            {columns + open + strings.Replace(open, `"0","ZGSZ"`, `"1","ZGSZ"`, 1), "keep_out 6; notes 1"},
		"only closed":       {columns + strings.Replace(open, `"0","ZGSZ"`, `"1","ZGSZ"`, 1), "that is open and says where it is"},
		"no place":          {columns + open + strings.Replace(open, `"113.81","22.62"`, `"",""`, 1), "keep_out 6; notes 1"},
		"no height":         {columns + strings.NewReplacer(`"20"`, `""`, `"10"`, `""`).Replace(open), "keep_out 6; notes 1"},
		"short line":        {columns + open + "20,113.81,22.62,ZGSZ\n", "keep_out 6; notes 0"},
		"a place in words":  {columns + strings.Replace(open, `"22.62"`, `"22°37'N"`, 1), `line 2: he_latitude_deg is "22°37'N", not a number`},
		"exchanged":         {columns + strings.Replace(open, `"113.81","22.62"`, `"22.62","113.81"`, 1), "line 2: 22.62, 113.81 at 20 feet is no place"},
		"NaN":               {columns + strings.Replace(open, `"22.62"`, `"NaN"`, 1), "not a number"},
		"an open quote":     {columns + `"20,113.81,22.62,33,ZGSZ` + "\n", "line 2: it is no line of a table"},
		"semicolons":        {strings.ReplaceAll(columns+open, ",", ";"), `line 1: it is no line of a table with commas`},
		"across the world":  {columns + strings.Replace(open, `"113.81"`, `"-66.2"`, 1), "apart"},
		"only its columns":  {columns, "that is open and says where it is"},
		"another's columns": {"id,airport_ref\n1,2\n", `line 1: it has no column "airport_ident"`},
	} {
		_, report, err := ImportRunways(strings.NewReader(tt.file), RunwayOptions{Airports: []string{"ZGSZ"}})
		got := fmt.Sprintf("keep_out %d; notes %d", report.Rules[KeepOut], len(report.Notes))
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
	// Runways that do not touch the chart cost time, too.
	many := columns + strings.Repeat(open, MaxRunways+1)
	_, _, err := ImportRunways(strings.NewReader(many), RunwayOptions{Airports: []string{"ZGSZ"}, Within: bound(7, 46, 8, 47)})
	if want := "line 20002: the airports that are named have more than 20000 runways"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestEveryImporterAsksForTheDatum: formats that define none must say it.
func TestEveryImporterAsksForTheDatum(t *testing.T) {
	collection := `{"type":"FeatureCollection","features":[` + feature(`{"id":"a","rule":"keep_out"}`, `{"type":"Polygon","coordinates":`+ring+`}`) + `]}`
	for name, err := range map[string]error{
		"zones": func() error { _, err := ImportZones(strings.NewReader(collection), ""); return err }(),
		"airspace": func() error {
			_, _, err := ImportAirspace(strings.NewReader(collection), AirspaceOptions{})
			return err
		}(),
		"buildings": func() error { _, err := ImportGeoJSONBuildings(strings.NewReader(collection), ""); return err }(),
		"city": func() error {
			_, _, err := ImportCityJSON(strings.NewReader(`{"type":"CityJSON","version":"1.0","vertices":[],"CityObjects":{}}`))
			return err
		}(),
		"grid": func() error {
			_, _, err := ImportTerrain([]TerrainFile{{"extent.json", strings.NewReader(`{"texbb":{"E0":1,"E1":71,"N0":1,"N1":71}}`)}}, orb.Bound{})
			return err
		}(),
	} {
		if err == nil || !strings.Contains(err.Error(), "does not say its datum") && !strings.Contains(err.Error(), "does not say its coordinate reference system") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCornersComeOutAsTheyWentIn: each corner of a polygon in an authority's file is, to
// a centimetre, a corner of the GeoJSON that is written of its zones.
func TestCornersComeOutAsTheyWentIn(t *testing.T) {
	total := 0
	for _, name := range []string{
		"ed269-ch.json", "ed269-lu.json", "ed269-che-1.json", "ed318-che-sample.json", "ed318-example-collection.json",
		"ed318-example-2-layers.json", "faa-uasfm.json",
	} {
		data, err := io.ReadAll(airspaceFile(t, name))
		if err != nil {
			t.Fatal(err)
		}
		zones, _, err := ImportAirspace(bytes.NewReader(data), AirspaceOptions{Heights: flatGround{400, 650, 49}})
		if err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		if err := WriteZones(&written, zones); err != nil {
			t.Fatal(err)
		}
		in, out := cornersIn(t, data), cornersIn(t, written.Bytes())
		for _, p := range in {
			least := math.Inf(1)
			for _, q := range out {
				least = min(least, space.Distance(space.Position{Lon: p[0], Lat: p[1]}, space.Position{Lon: q[0], Lat: q[1]}))
			}
			if least > 0.01 {
				t.Errorf("%s: %v is %g m from the nearest corner that is written", name, p, least)
			}
		}
		total += len(in)
	}
	if t.Logf("%d corners", total); total < 60 {
		t.Errorf("only %d corners were found", total)
	}
}

// cornersIn are those of all polygons in a JSON document, whatever its form.
func cornersIn(t *testing.T, data []byte) []orb.Point {
	t.Helper()
	var document any
	if err := json.Unmarshal(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), &document); err != nil {
		t.Fatal(err)
	}
	var points []orb.Point
	var walk func(v any, within bool)
	walk = func(v any, within bool) {
		switch v := v.(type) {
		case map[string]any:
			for key, member := range v {
				walk(member, key == "coordinates" && v["type"] == "Polygon")
			}
		case []any:
			if within && len(v) >= 2 {
				x, isX := v[0].(float64)
				y, isY := v[1].(float64)
				if isX && isY {
					points = append(points, orb.Point{x, y})
					return
				}
			}
			for _, one := range v {
				walk(one, within)
			}
		}
	}
	walk(document, false)
	return points
}

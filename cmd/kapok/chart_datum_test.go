package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// bordersAsZones makes a file of zones of the borders of Shenzhen, in a datum that it
// says, true or not; empty for none.
func bordersAsZones(t *testing.T, from, to, datum string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: %v", err)
	}
	var file struct {
		Type     string            `json:"type"`
		Datum    string            `json:"datum,omitempty"`
		Features []json.RawMessage `json:"features"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	for i, raw := range file.Features {
		var feature struct {
			Geometry json.RawMessage `json:"geometry"`
		}
		if err := json.Unmarshal(raw, &feature); err != nil {
			t.Fatal(err)
		}
		id := strings.TrimSuffix(filepath.Base(to), ".geojson")
		file.Features[i] = json.RawMessage(fmt.Sprintf(`{"type":"Feature","properties":{"id":"%s/%d","rule":"advise"},"geometry":%s}`, id, i, feature.Geometry))
	}
	file.Type, file.Datum = "FeatureCollection", datum
	data, err = json.Marshal(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAShiftedBorderIsWarnedAbout: the borders of Shenzhen from two sources. The file
// in GCJ-02 is refused as long as nobody says its datum, warned about when it is said to
// be in WGS-84, and taken in silence when it is converted; and the other way round.
func TestAShiftedBorderIsWarnedAbout(t *testing.T) {
	data := filepath.Join(cmp.Or(os.Getenv("KAPOK_DATA"), filepath.Join("..", "..", "..", "shared", "data")), "borders")
	folder := t.TempDir()
	osm := filepath.Join(folder, "shenzhen.osm")
	const lane = `<?xml version="1.0"?><osm version="0.6"><node id="1" lat="22.55" lon="114.05"/><node id="2" lat="22.551" lon="114.051"/>` +
		`<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="footway"/></way></osm>`
	if err := os.WriteFile(osm, []byte(lane), 0o600); err != nil {
		t.Fatal(err)
	}
	one, two := filepath.Join(folder, "one.geojson"), filepath.Join(folder, "two.geojson")
	for _, tt := range []struct {
		// wgs and gcj are what the two files say of themselves.
		wgs, gcj string
		flag     []string
		status   int
		want     string
	}{
		{"wgs84", "", nil, 1, "it does not say its datum"},
		{"wgs84", "wgs84", nil, 0, "two.geojson looks shifted against the map and the other files: it was taken for wgs84 and looks like gcj02"},
		{"wgs84", "gcj02", nil, 0, ""},
		{"", "gcj02", []string{"--datum", "gcj02"}, 0, "one.geojson looks shifted against the map and the other files: it was taken for gcj02 and looks like wgs84"},
		{"wgs84", "bd09", nil, 0, "two.geojson looks shifted against the map and the other files: it was taken for bd09 and looks like gcj02"},
		{"wgs84", "gcj02", []string{"--datum", "gcj02"}, 1, "it says that it is in wgs84, not in gcj02 as stated"},
	} {
		bordersAsZones(t, filepath.Join(data, "shenzhen-districts.wgs84.geojson"), one, tt.wgs)
		bordersAsZones(t, filepath.Join(data, "shenzhen-districts.gcj02.geojson"), two, tt.gcj)
		args := append([]string{"chart", "build", "--osm", osm, "--zones", one, "--zones", two, "-o", filepath.Join(folder, "a.chart"), "--format", "json"}, tt.flag...)
		status, _, said := kapok(t, args...)
		warned := strings.Contains(said, "looks shifted")
		if status != tt.status || !strings.Contains(said, tt.want) || warned != strings.Contains(tt.want, "looks shifted") {
			t.Errorf("%q and %q, %v: status %d, want %d and %q:\n%s", tt.wgs, tt.gcj, tt.flag, status, tt.status, tt.want, said)
		}
	}
}

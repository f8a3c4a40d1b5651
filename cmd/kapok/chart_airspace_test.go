package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestChartWithAirspace builds a chart with airspace of a file and of runways,
// writes its zones, and builds it again from those.
func TestChartWithAirspace(t *testing.T) {
	data, _ := cities(t)
	folder := t.TempDir()
	osm := filepath.Join(data, "osm", "monaco.osm.pbf")
	zones := filepath.Join(folder, "ed269.json")
	// Monaco's heliport, by an authority's file with heights above ground; the
	// second is in Paris.
	const text = `{"title":"Monaco","features":[
		{"identifier":"HELI","country":"MCO","name":"Heliport","restriction":"REQ_AUTHORISATION",
		 "applicability":[{"schedule":[{"day":["ANY"],"startEvent":"SR","endEvent":"SS"}]}],
		 "geometry":[{"uomDimensions":"FT","lowerLimit":0,"lowerVerticalReference":"AGL","upperLimit":1000,"upperVerticalReference":"AGL",
		  "horizontalProjection":{"type":"Circle","center":[7.4197,43.7258],"radius":2000}}]},
		{"identifier":"PARIS","restriction":"PROHIBITED","geometry":[{"uomDimensions":"M","horizontalProjection":{"type":"Circle","center":[2.35,48.85],"radius":5000}}]}]}`
	if err := os.WriteFile(zones, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(out string, more ...string) (status int, said string) {
		status, _, said = kapok(t, append([]string{"chart", "build", "--osm", osm, "--format", "json", "-o", filepath.Join(folder, out)}, more...)...)
		return status, said
	}
	status, said := build("a.chart", "--airspace", zones, "--terrain", filepath.Join(data, "terrain", "N43E007.hgt.zip"),
		"--runways", filepath.Join(data, "airspace", "runways-world.csv"), "--airports", "LFMN")
	for _, want := range []string{
		"ed269.json: ed269, features: 2; zones: 1 keep_out; elsewhere and left out: 1",
		"widened: zone HELI: its ceiling of 304.8 m above ground counts from the highest ground within it, up to ",
		"runways-world.csv: runways, features: 2; zones: ",
	} {
		if status != 0 || !strings.Contains(said, want) {
			t.Errorf("status %d, %q is not in\n%s", status, want, said)
		}
	}
	status, table, said := kapok(t, "chart", "zones", filepath.Join(folder, "a.chart"), "-o", "table")
	if status != 0 || !strings.Contains(table, "SR to SS") || !strings.Contains(table, "ed269:MCO:HELI") {
		t.Errorf("status %d\n%s%s", status, table, said)
	}
	status, geojson, said := kapok(t, "chart", "zones", filepath.Join(folder, "a.chart"), "-o", "geojson")
	if status != 0 {
		t.Fatalf("status %d\n%s", status, said)
	}
	again := filepath.Join(folder, "again.geojson")
	if err := os.WriteFile(again, []byte(geojson), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, said := build("b.chart", "--zones", again); status != 0 {
		t.Fatalf("status %d\n%s", status, said)
	}
	if _, back, _ := kapok(t, "chart", "zones", filepath.Join(folder, "b.chart"), "-o", "geojson"); back != geojson {
		t.Errorf("the zones come back as\n%s\nnot\n%s", back, geojson)
	}
	for _, tt := range []struct {
		status int
		want   string
		args   []string
	}{
		{0, "its ceiling of 304.8 m above ground is taken as none", []string{"--airspace", zones}},
		{0, "taken as advice: zone HELI: flight needs an authorisation", []string{"--airspace", zones, "--authorised"}},
		{1, "features[0].geometry[0]: its upper limit is 304.8 m above ground", []string{"--airspace", zones, "--height-limit-m", "400"}},
		{1, "metadata.validFrom: it is an object", []string{"--airspace", filepath.Join(data, "airspace", "ed318-invalid-2-layers.json")}},
		{1, `no runway of airport "XXXX"`, []string{"--runways", filepath.Join(data, "airspace", "runways-world.csv"), "--airports", "XXXX"}},
		{2, "--runways needs --airports", []string{"--runways", "runways.csv"}},
		{2, "there is none", []string{"--airports", "ZGSZ"}},
		{2, "is not annex14 or china", []string{"--runway-shape", "round"}},
		{2, "opening the airspace", []string{"--airspace", filepath.Join(folder, "none.json")}},
	} {
		if status, said := build("c.chart", tt.args...); status != tt.status || !strings.Contains(said, tt.want) {
			t.Errorf("%v: status %d, want %d and %q:\n%s", tt.args, status, tt.status, tt.want, said)
		}
	}
}

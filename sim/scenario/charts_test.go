package scenario

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
)

func TestMapNames(t *testing.T) {
	for file, want := range map[string]string{
		"maps/monaco.osm":     "monaco",
		"maps/monaco.osm.pbf": "monaco",
		"monaco.pbf":          "monaco",
		"a.b.osm":             "a.b",
		"monaco.chart":        "",
		".osm":                "",
		"monaco":              "",
	} {
		name, ok := MapName(file)
		if ok != (want != "") || ok && name != want {
			t.Errorf("%s: %q, %v", file, name, ok)
		}
	}
}

// TestChartsAreReadByTheirEnding: a map and the chart made of it are the same.
func TestChartsAreReadByTheirEnding(t *testing.T) {
	dir := t.TempDir()
	const town = `<osm><node id="1" lat="50" lon="10"/><node id="2" lat="50" lon="10.001"/><way id="3"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></osm>`
	if err := os.WriteFile(filepath.Join(dir, "town.osm"), []byte(town), 0o600); err != nil {
		t.Fatal(err)
	}
	charts := Charts{Dir: dir, Data: filepath.Join(dir, "none"), Harbour: func() (*chart.Chart, error) { return nil, errors.New("harbour") }}
	drawn, err := charts.Open("town.osm")
	if err != nil || drawn.Name != "town" || len(drawn.Ground.Nodes) != 2 {
		t.Fatalf("%+v, %v", drawn, err)
	}
	file, err := os.Create(filepath.Join(dir, "town.chart"))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(drawn.Write(file), file.Close()); err != nil {
		t.Fatal(err)
	}
	read, err := charts.Open(filepath.Join(dir, "town.chart"))
	if err != nil || read.Checksum != drawn.Checksum {
		t.Errorf("read back: %v", err)
	}
	// Other endings are no matter.
	for from, to := range map[string]string{"town.osm": "town.xml", "town.chart": "town.kapok"} {
		data, err := os.ReadFile(filepath.Join(dir, from))
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, to), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if read, err := charts.Open(to); err != nil || len(read.Ground.Nodes) != 2 {
			t.Errorf("%s: %v", to, err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "maps"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"maps": "it is a folder; only .chart, .osm", "none": "opening the chart",
		"town.txt": "", "harbour": "harbour", "data:osm/x.osm": "KAPOK_DATA", "none.osm.pbf": "opening the chart",
	} {
		if want == "" {
			want = "reading the chart"
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := charts.Open(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", name, err, want)
		}
	}
}

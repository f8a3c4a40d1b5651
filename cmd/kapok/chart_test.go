package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/raced"
)

// cities lists the real maps, or skips the test.
func cities(t *testing.T) (data string, files []string) {
	t.Helper()
	data = os.Getenv("KAPOK_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	files, err := filepath.Glob(filepath.Join(data, "osm", "*.osm*"))
	if err != nil || len(files) == 0 {
		t.Skipf("test data is absent; set KAPOK_DATA to its folder: no osm/*.osm* in %s", data)
	}
	return data, files
}

// kapok runs a command, and returns its status, its output and what it says.
func kapok(t *testing.T, args ...string) (status int, out, said string) {
	t.Helper()
	var o, s bytes.Buffer
	status = runContext(t.Context(), args, console{in: strings.NewReader(""), out: &o, err: &s, env: func(string) string { return "" }})
	return status, o.String(), s.String()
}

// TestEveryCityBecomesAChart builds each map as a user would, looks at the chart
// and checks it.
func TestEveryCityBecomesAChart(t *testing.T) {
	data, files := cities(t)
	for _, file := range files {
		if name := filepath.Base(file); raced.On && (strings.HasPrefix(name, "heidelberg") || strings.HasPrefix(name, "columbus")) {
			continue // The largest are read without the race detector.
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "city.chart")
			args := []string{"chart", "build", "--osm", file, "-o", out, "--format", "json"}
			city := strings.HasPrefix(filepath.Base(file), "monaco")
			if city {
				args = append(args, "--terrain", filepath.Join(data, "terrain", "N43E007.hgt.zip"))
			}
			status, built, said := kapok(t, args...)
			if status != 0 || !strings.Contains(said, "city.chart written") {
				t.Fatalf("status %d\n%s", status, said)
			}
			for line := range strings.Lines(said) {
				if strings.HasPrefix(line, "warning:") && !regexp.MustCompile(`^warning: .+: (once|\d+ times), first .+\n$`).MatchString(line) {
					t.Errorf("a warning without a number and an example: %s", line)
				}
			}
			status, info, said := kapok(t, "chart", "info", out, "-o", "json")
			if status != 0 || info != built {
				t.Errorf("info, status %d, tells otherwise than build:\n%s\n%s\n%s", status, info, built, said)
			}
			var s chart.Summary
			if err := json.Unmarshal([]byte(info), &s); err != nil {
				t.Fatal(err)
			}
			if s.Sidewalk.MainNodes == 0 || s.Road.MainNodes == 0 || s.Buildings == 0 || (s.Terrain != nil) != city {
				t.Errorf("%+v", s)
			}
			status, found, said := kapok(t, "chart", "check", out, "-o", "json")
			if status != 0 {
				t.Errorf("check has status %d\n%s", status, said)
			}
			var findings []chart.Finding
			if err := json.Unmarshal([]byte(found), &findings); err != nil || len(findings) == 0 {
				t.Errorf("findings %s, %v", found, err)
			}
		})
	}
}

// TestBadFilesGetOneSentence cuts a real map short, and bends one byte of it.
func TestBadFilesGetOneSentence(t *testing.T) {
	data, _ := cities(t)
	whole, err := os.ReadFile(filepath.Join(data, "osm", "monaco.osm.pbf"))
	if err != nil {
		t.Fatal(err)
	}
	bent := bytes.Clone(whole)
	bent[len(bent)/2] ^= 0xff
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"truncated": {whole[:len(whole)/2], "it was cut short, fetch it again"},
		"bent":      {bent, "the file is damaged, fetch it again"},
		"huge blob": {[]byte("\x00\x00\x00\x10\x0a\x09OSMHeader\x18\xff\xff\xff\x7f"), "more than"},
	} {
		file := filepath.Join(t.TempDir(), "bad.osm.pbf")
		if err := os.WriteFile(file, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{
			{"chart", "build", "--osm", file, "-o", file + ".chart"}, {"chart", "info", file}, {"chart", "check", file},
		} {
			status, out, said := kapok(t, args...)
			if status != exitNegative || out != "" || strings.Count(said, "\n") != 1 || !strings.Contains(said, c.want) {
				t.Errorf("%s: %s has status %d and says %q, want %q", name, args[1], status, said, c.want)
			}
		}
		if _, err := os.Stat(file + ".chart"); err == nil {
			t.Errorf("%s: a chart was written", name)
		}
	}
}

// TestAChartMayHaveAnyName: build writes where it is told, and info finds out what
// a file is.
func TestAChartMayHaveAnyName(t *testing.T) {
	dir := t.TempDir()
	street := filepath.Join(dir, "street.xml")
	if err := os.WriteFile(street, []byte(`<osm><node id="1" lat="50" lon="10"/><node id="2" lat="50.001" lon="10"/>`+
		`<way id="1"><nd ref="1"/><nd ref="2"/><tag k="highway" v="path"/></way></osm>`), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "MAP")
	if status, _, said := kapok(t, "chart", "build", "--osm", street, "-o", out); status != 0 {
		t.Fatalf("status %d\n%s", status, said)
	}
	for _, name := range []string{out, street} {
		if status, info, said := kapok(t, "chart", "info", name, "-o", "json"); status != 0 || !strings.Contains(info, `"arcs": 2`) {
			t.Errorf("%s: status %d\n%s%s", name, status, info, said)
		}
	}
	note := filepath.Join(dir, "note.txt")
	if err := os.WriteFile(note, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, said := kapok(t, "chart", "check", note); status != 1 || !strings.Contains(said, "neither OpenStreetMap XML nor PBF") {
		t.Errorf("status %d\n%s", status, said)
	}
	if status, _, said := kapok(t, "chart", "check", dir); status != 2 {
		t.Errorf("status %d\n%s", status, said)
	}
}

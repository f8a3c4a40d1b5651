package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Lengths on made-up grids, where blocked squares touch at many corners, are those
// of the search that shares nothing with the mesh.
func TestBenchRoutes(t *testing.T) {
	t.Parallel()
	const size, seed = 40, 7
	dir := t.TempDir()
	rng := rand.New(rand.NewPCG(seed, 7))
	var grid, asks strings.Builder
	fmt.Fprintf(&grid, "type octile\nheight %d\nwidth %d\nmap\n", size, size)
	open := map[spotXY]bool{}
	for y := range size {
		for x := range size {
			square := byte('.')
			if rng.IntN(4) == 0 && (x > 0 || y > 0) {
				square = '@'
			}
			open[spotXY{x, y}] = square == '.'
			grid.WriteByte(square)
		}
		grid.WriteString("\r\n")
	}
	asks.WriteString("version 1\n")
	n := 0
	for to := range size * size {
		if at := (spotXY{to % size, to / size}); open[at] && rng.IntN(8) == 0 {
			fmt.Fprintf(&asks, "0\tarena.map\t%d\t%d\t%d\t%d\t%d\t%d\t10\n", size, size, 0, 0, at.x, at.y)
			n++
		}
	}
	for name, text := range map[string]string{"maps/arena.map": grid.String(), "scen/arena.map.scen": asks.String()} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, talk bytes.Buffer
	c := console{in: strings.NewReader(""), out: &out, err: &talk, env: func(string) string { return "" }}
	if status := runContext(t.Context(), []string{"bench", "routes", "--quick", "--data", dir, "-o", "json"}, c); status != exitOK {
		t.Fatalf("exit status %d: %s", status, talk.String())
	}
	var report struct {
		Rows   []struct{ Name, Note string }
		Checks []struct {
			Name  string
			Holds bool
		}
		Notes []string
	}
	if err := json.Unmarshal(out.Bytes(), &report); err != nil {
		t.Fatal(err)
	}
	exact := false
	for _, check := range report.Checks {
		if check.Name == "arena: lengths that are not exact" {
			exact = check.Holds
		}
	}
	if !exact {
		t.Errorf("seed %d, %d questions: not every length is exact, or none was compared: %s\n%s", seed, n, out.String(), talk.String())
	}
	if notes := strings.Join(report.Notes, "\n"); !strings.Contains(notes, "ost003d was left out: there is no ") {
		t.Errorf("notes %q, want that ost003d is absent", notes)
	}
}

func TestBenchRoutesRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"--maps=atlantis", "--rounds=0"} {
		var talk bytes.Buffer
		c := console{in: strings.NewReader(""), out: &talk, err: &talk, env: func(string) string { return "" }}
		if status := runContext(t.Context(), []string{"bench", "routes", flag}, c); status != exitUsage {
			t.Errorf("%s: exit status %d: %s", flag, status, talk.String())
		}
	}
}

func TestReadGridRefusesBrokenFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"no size", "type octile\nmap\n...\n", "no size"},
		{"a huge size", "height 100000\nwidth 2\nmap\n", "no size"},
		{"a short row", "height 1\nwidth 4\nmap\n...\n", "row 0 has 3 squares of 4"},
		{"rows missing", "height 2\nwidth 3\nmap\n...\n", "ends after 1 rows of 2"},
	} {
		file := filepath.Join(t.TempDir(), "x.map")
		if err := os.WriteFile(file, []byte(tt.text), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, _, err := readGrid(file); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want an error with %q", tt.name, err, tt.want)
		}
	}
}

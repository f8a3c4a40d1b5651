package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// FuzzSettings reads arbitrary bytes as the configuration of kapok serve: it is
// refused, or every setting of it is in its bounds.
func FuzzSettings(f *testing.F) {
	f.Add([]byte("data_dir: here\nlate_after: 5s\nspeed: 2\nauto_register: false\n"))
	f.Add([]byte("speed: .nan\ncharge_below: .inf\n"))
	f.Add([]byte("listen: \"[::]:80\"\ninsecure: yes\nallowed_origins: https://a,https://b\n"))
	f.Add([]byte("a: &a [*a, *a]\n"))
	f.Add([]byte("max_vehicles: -1\nkeep_journal_mb: 99999999999999999999\n"))
	f.Add([]byte("---\n---\n# nothing\n"))
	f.Add([]byte("lost_after: 9999999h\nworkers: 0x10\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		file := filepath.Join(t.TempDir(), "kapok.yaml")
		if err := os.WriteFile(file, content, 0o600); err != nil {
			t.Fatal(err)
		}
		nothing := defaultSettings()
		s, err := loadSettings(file, func(string) string { return "" }, nothing.flags())
		if err != nil {
			if text := err.Error(); text == "" || len(text) > 2*len(content)+1024 {
				t.Errorf("an error of %d bytes for a file of %d", len(text), len(content))
			}
			return
		}
		if err := s.validate(); err != nil {
			t.Errorf("what was read is not valid: %v", err)
		}
	})
}

// FuzzZoneFile reads arbitrary bytes as the GeoJSON of a zone: it is refused, or
// becomes an order that can be sent.
func FuzzZoneFile(f *testing.F) {
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[1,2],[2,2],[2,3],[1,2]]]}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"rule":"advise","ceiling_m":3},"geometry":{"type":"Polygon","coordinates":[[[1,2,9],[2,2],[2,3],[1,2]]]}}]}`))
	f.Add([]byte(`{"type":"Feature","geometry":null,"properties":null}`))
	f.Add([]byte(`{"type":"FeatureCollection","features":[null]}`))
	f.Add([]byte(`{"type":"Polygon","coordinates":[[[]]]}`))
	f.Add([]byte(strings.Repeat(`{"type":"Feature","geometry":`, 1000)))
	f.Fuzz(func(t *testing.T, content []byte) {
		var order api.ZoneOrder
		if err := readZone(console{in: bytes.NewReader(content)}, "-", &order); err != nil {
			return
		}
		if _, err := json.Marshal(order); err != nil {
			t.Errorf("the order cannot be sent: %v", err)
		}
		points := 0
		for _, ring := range order.Polygon {
			points += len(ring)
		}
		if points > len(content) {
			t.Errorf("%d points of %d bytes", points, len(content))
		}
	})
}

// FuzzClock reads arbitrary bytes as the fleet's clock: it is refused, or runs
// at a speed that is possible, and never backwards.
func FuzzClock(f *testing.F) {
	f.Add([]byte(`{"wall":"2026-03-01T06:00:00Z","fleet":"2026-03-02T06:00:00Z","speed":2}`), 2.0)
	f.Add([]byte(`{"wall":"2026-03-01T06:00:00Z","fleet":"9999-12-31T23:59:59Z","speed":50}`), 1.0)
	f.Add([]byte(`{"wall":"0001-01-01T00:00:00Z","fleet":"2026-03-02T06:00:00Z","speed":1e-300}`), 0.5)
	f.Fuzz(func(t *testing.T, content []byte, speed float64) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, clockFile), content, 0o600); err != nil {
			t.Fatal(err)
		}
		clock, err := openClock(dir, speed)
		if err != nil {
			return
		}
		if !(clock.Speed > 0 && clock.Speed <= maxSpeed) {
			t.Errorf("the clock runs at speed %g", clock.Speed)
		}
		first := clock.now()
		if again, err := openClock(dir, speed); err != nil || again.now().Before(first) {
			t.Errorf("opened again, the clock is at %v after %v: %v", again.now(), first, err)
		}
	})
}

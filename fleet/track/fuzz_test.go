package track

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// FuzzFile reads arbitrary bytes as a day of tracks. Whatever they are, the store
// opens, hands out no more samples than there are bytes, the same twice and page
// by page, and goes on writing.
func FuzzFile(f *testing.F) {
	samples := []Sample{
		{Vehicle: "r1", Time: morning(), Lon: 1, Lat: 2, Mode: "idle"},
		{Vehicle: "r1", Time: morning().Add(time.Second), Lon: 2, Level: "1"},
		{Vehicle: "r2", Time: morning(), AltitudeM: 7, BatteryRatio: 0.5, Mode: "flying"},
	}
	whole := appendBlock(appendBlock(fileHeader(), samples), samples[:1])
	f.Add(whole)
	f.Add(whole[:len(whole)-2])
	f.Add(whole[:fileHeaderBytes+5])
	f.Add([]byte{})
	flipped := bytes.Clone(whole)
	flipped[fileHeaderBytes+blockHeaderBytes+4] ^= 1
	f.Add(flipped)
	f.Fuzz(func(t *testing.T, content []byte) {
		dir := t.TempDir()
		name := part{day: morning().Format(dayLayout), number: 1}.name()
		must(t, os.WriteFile(filepath.Join(dir, name), content, 0o600))
		s, err := Open(Options{Dir: dir})
		if err != nil {
			return // It is of another version.
		}
		all := read(t, s, Query{})
		if len(all) > len(content) {
			t.Errorf("%d samples of %d bytes", len(all), len(content))
		}
		var paged []Sample
		for at, more := (Position{}), true; more; {
			n := 0
			at, more, err = s.Read(t.Context(), Query{After: at}, func(one Sample) bool {
				if n == 2 {
					return false
				}
				n++
				paged = append(paged, one)
				return true
			})
			must(t, err)
			if more && n == 0 {
				t.Fatalf("a page is empty and has a next one, at %+v", at)
			}
		}
		if len(paged) != len(all) {
			t.Errorf("page by page there are %d samples, at once %d", len(paged), len(all))
		}
		must(t, s.Close())
	})
}

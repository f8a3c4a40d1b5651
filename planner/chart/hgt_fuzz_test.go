package chart

import (
	"bytes"
	"errors"
	"testing"
)

// FuzzImportTile wants terrain or an error of its kind, whatever the name and
// the bytes of a tile, packed or not.
func FuzzImportTile(f *testing.F) {
	flat := tile(100, nil)
	f.Add("N43E007.hgt", flat[:4000])
	f.Add("N43E007.hgt.zip", zipped(f, map[string][]byte{"N43E007.hgt": flat}))
	f.Add("x.zip", zipped(f, map[string][]byte{"N43E007.SRTMGL1.hgt": flat[:100], "._N43E007.hgt": flat[:10]}))
	f.Add("x.zip", zipped(f, map[string][]byte{"a.hgt": nil, "b.hgt": nil}))
	f.Add("S90W180.hgt", []byte{})
	f.Add("n99e999.hgt", []byte("II*\x00"))
	f.Fuzz(func(t *testing.T, name string, file []byte) {
		terrain, _, err := ImportTerrain([]TerrainFile{{name, bytes.NewReader(file)}}, bound(7, 43, 7.01, 43.01))
		switch {
		case err != nil && !errors.Is(err, ErrTerrain):
			t.Fatal(err)
		case err == nil && terrain.check() != nil:
			t.Fatalf("imported terrain is not valid: %v", terrain.check())
		}
	})
}

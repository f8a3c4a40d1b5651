package chart

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/png"
	"strings"
	"testing"
)

// painted is a terrarium tile of one height with a spike.
func painted(tb testing.TB) []byte {
	tb.Helper()
	picture := image.NewPaletted(image.Rect(0, 0, 256, 256), color.Palette{color.NRGBA{128, 3, 0, 255}, color.NRGBA{140, 0, 0, 255}})
	picture.SetColorIndex(7, 9, 1)
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// FuzzImportTerrarium wants terrain or an error of its kind, whatever the path
// and the bytes of a picture.
func FuzzImportTerrarium(f *testing.F) {
	tile := painted(f)
	f.Add("12/3345/1786.png", tile)
	f.Add("0-0-0.png", tile)
	f.Add("12-3345-1786.png", tile[:100])
	f.Add("99/1/1.png", []byte(pngMagic))
	f.Fuzz(func(t *testing.T, name string, file []byte) {
		wantTerrain(t, []TerrainFile{{name, bytes.NewReader(file)}})
	})
}

// FuzzImportGrid is the same for a grid in JSON and its extent.
func FuzzImportGrid(f *testing.F) {
	f.Add(`{"texbb":{"E0":830000,"E1":830070,"N0":820000,"N1":820140}}`, `{"w":2,"h":3,"cell":70,"elev":[1,2,3,null,5,6431]}`)
	f.Add(`{"crs":"EPSG:32650","texbb":{"E0":205000,"E1":205070,"N0":2470000,"N1":2470070}}`, `{"w":2,"h":2,"cell":70,"uncertainty_m":3,"elev":[1,2,3,4]}`)
	f.Fuzz(func(t *testing.T, extent, grid string) {
		wantTerrain(t, []TerrainFile{{"extent.json", strings.NewReader(extent)}, {"grid.json", strings.NewReader(grid)}})
	})
}

func wantTerrain(t *testing.T, files []TerrainFile) {
	t.Helper()
	terrain, report, err := ImportTerrain(files, bound(114.0, 22.2, 114.3, 22.5))
	switch {
	case err != nil && !errors.Is(err, ErrTerrain):
		t.Fatal(err)
	case err == nil && terrain.check() != nil:
		t.Fatalf("imported terrain is not valid: %v", terrain.check())
	case err == nil && len(report.Repairs) != min(report.Faults, MaxRepairs):
		t.Fatalf("%d repairs are listed of %d", len(report.Repairs), report.Faults)
	}
}

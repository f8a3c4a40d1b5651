package chart

import (
	"bytes"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strings"
	"testing"

	"github.com/paulmach/orb"
)

// TestTilesInAllForms: one ground, 100 m high with a hill of 164 m, as pictures of all
// forms that heights can have in PNG.
func TestTilesInAllForms(t *testing.T) {
	ground, hill := color.NRGBA{128, 100, 0, 255}, color.NRGBA{128, 164, 0, 255}
	paint := func(picture draw.Image) image.Image {
		side := picture.Bounds().Dx()
		for y := range side {
			for x := range side {
				c := ground
				if x > side/4 && x < side/2 && y > side/4 && y < side/2 {
					c = hill
				}
				picture.Set(x, y, c)
			}
		}
		return picture
	}
	square := func(side int) image.Rectangle { return image.Rect(0, 0, side, side) }
	holed := image.NewNRGBA(square(256))
	paint(holed)
	for x := range 256 {
		holed.SetNRGBA(x, 3, color.NRGBA{})
	}
	// What tiles of another encoding (height = -10000 + value / 10) have at 100 m.
	other := image.NewNRGBA(square(256))
	draw.Draw(other, other.Bounds(), image.NewUniform(color.NRGBA{1, 138, 136, 255}), image.Point{}, draw.Src)
	mid := orb.Point{114.12, 22.43}
	for name, tt := range map[string]struct {
		picture image.Image
		voids   int
		err     string
	}{
		"true colour":             {paint(image.NewNRGBA(square(256))), 0, ""},
		"no transparency":         {paint(image.NewRGBA(square(256))), 0, ""},
		"16 bits a channel":       {paint(image.NewNRGBA64(square(256))), 0, ""},
		"a palette":               {paint(image.NewPaletted(square(256), color.Palette{ground, hill})), 0, ""},
		"512 pixels":              {paint(image.NewNRGBA(square(512))), 0, ""},
		"holes":                   {holed, 1, ""},
		"grey":                    {paint(image.NewGray(square(256))), 0, "it is grey"},
		"grey of 16 bits":         {paint(image.NewGray16(square(256))), 0, "it is grey"},
		"not square":              {image.NewNRGBA(image.Rect(0, 0, 256, 128)), 0, "256 by 128 pixels"},
		"another encoding":        {other, 0, "it has no height within the chart"},
		"nothing but transparent": {image.NewNRGBA(square(256)), 0, "it has no height within the chart"},
	} {
		var file bytes.Buffer
		if err := png.Encode(&file, tt.picture); err != nil {
			t.Fatal(err)
		}
		// The tile lies from 22.431 to 22.512 north and from 114.082 to 114.170 east.
		terrain, report, err := ImportTerrain([]TerrainFile{{"12/3346/1785.png", &file}}, bound(114.09, 22.44, 114.16, 22.505))
		if tt.err != "" {
			if !errors.Is(err, ErrTerrain) || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%s: %v, want %s", name, err, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		low, high := terrain.Range(mid.Bound().Pad(1))
		if math.Abs(low-100) > 0.2 || math.Abs(high-164) > 0.2 || tt.voids == 0 && report.Voids > 0 {
			t.Errorf("%s: from %g to %g m, %d voids", name, low, high, report.Voids)
		}
	}
}

// TestDamagedTiles: a picture that is cut anywhere or has a changed byte is refused or
// read, never a mishap.
func TestDamagedTiles(t *testing.T) {
	tile := painted(t)
	for i := 8; i < len(tile); i += 1 + len(tile)/97 {
		changed := bytes.Clone(tile)
		changed[i] ^= 0x40
		for name, file := range map[string][]byte{"cut": tile[:i], "changed": changed} {
			_, _, err := ImportTerrain([]TerrainFile{{"12/3345/1786.png", bytes.NewReader(file)}}, hongKong)
			if err == nil || !errors.Is(err, ErrTerrain) {
				t.Errorf("%s at byte %d: %v", name, i, err)
			}
		}
	}
	// A header that promises more than any tile has, with its checksum right.
	huge := bytes.Clone(tile)
	copy(huge[16:24], []byte{0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff})
	sum := crc32.ChecksumIEEE(huge[12:29])
	copy(huge[29:33], []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)})
	if _, _, err := ImportTerrain([]TerrainFile{{"12/3345/1786.png", bytes.NewReader(huge)}}, hongKong); !errors.Is(err, ErrTerrain) {
		t.Errorf("a huge one: %v", err)
	}
}

// TestHeightsInOtherUnitsAreRefused: GeoTIFFs that say that their heights are no metres
// above the sea.
func TestHeightsInOtherUnitsAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		key, value uint64
		want       string
	}{
		"metres":           {4099, 9001, ""},
		"feet":             {4099, 9002, "in unit 9002, not in metres"},
		"US survey feet":   {4099, 9003, "in unit 9003, not in metres"},
		"EGM96":            {4096, 5773, ""},
		"the ellipsoid":    {4096, 4979, "above an ellipsoid"},
		"another, by name": {4096, 5030, "above an ellipsoid"},
	} {
		f := tiffFile{west: 7, north: 43.2, step: 0.01, cols: 20, rows: 21, bits: 32, format: 3}
		f.change = func(m map[uint16][]uint64) {
			m[tagGeoKeys] = []uint64{1, 1, 0, 3, 1024, 0, 1, 2, 2048, 0, 1, 4326, tt.key, 0, 1, tt.value}
		}
		_, _, err := ImportTerrain([]TerrainFile{{"dem.tif", bytes.NewReader(geoTIFF(f))}}, bound(7, 43, 7.19, 43.2))
		if (tt.want == "") != (err == nil) || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

// TestTilesOfAWrongSize: SRTM tiles that are cut, too long, or of half the size.
func TestTilesOfAWrongSize(t *testing.T) {
	for _, length := range []int{0, 1, 2*1201*1201 - 2, 2*1201*1201 + 1, 2 * 601 * 601, 2 * 3601 * 1801, 2*3601*3601 + 1} {
		_, _, err := ImportTerrain([]TerrainFile{{"N22E114.hgt", bytes.NewReader(make([]byte, length))}}, hongKong)
		if !errors.Is(err, ErrTerrain) || !strings.Contains(err.Error(), "a tile has 2884802") && !strings.Contains(err.Error(), "longer than") {
			t.Errorf("%d bytes: %v", length, err)
		}
	}
}

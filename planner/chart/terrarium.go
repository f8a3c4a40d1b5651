package chart

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"regexp"
	"strconv"

	"github.com/paulmach/orb"
)

// terrariumName is zoom, column and row of a tile at the end of its path, as in
// 12-3342-1784.png or 12/3342/1784.png.
const terrariumName = `(?i)(?:^|[^0-9])([0-9]{1,2})[-_/]([0-9]{1,8})[-_/]([0-9]{1,8})\.png$`

const (
	// maxTerrariumBytes is the longest tile; one of 512 by 512 pixels with four
	// bytes each takes at most 1 MiB.
	maxTerrariumBytes = 4 << 20
	maxTerrariumZoom  = 20
)

// readTerrarium reads a tile of heights of Web Mercator: 256 by 256 pixels, or
// 512 by 512, of which red counts 256 metres, green one and blue 1/256, from
// -32768 m. A transparent pixel is a void, and so is one of no colour.
func readTerrarium(name string, data []byte) (raster, error) {
	parts := regexp.MustCompile(terrariumName).FindStringSubmatch(name)
	if parts == nil {
		return raster{}, fmt.Errorf("its name %q does not say which tile it is, as 12/3342/1784.png or 12-3342-1784.png does", name)
	}
	zoom, _ := strconv.Atoi(parts[1])
	x, _ := strconv.Atoi(parts[2])
	y, _ := strconv.Atoi(parts[3])
	if zoom > maxTerrariumZoom || x >= 1<<zoom || y >= 1<<zoom {
		return raster{}, fmt.Errorf("there is no tile %d/%d/%d of zoom 0 to %d", zoom, x, y, maxTerrariumZoom)
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return raster{}, fmt.Errorf("it is no intact PNG: %w", err)
	}
	side := config.Width
	if config.Height != side || side != tilePixels && side != 2*tilePixels {
		return raster{}, fmt.Errorf("it has %d by %d pixels; a tile has %d or %d a side", config.Width, config.Height, tilePixels, 2*tilePixels)
	}
	picture, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		return raster{}, fmt.Errorf("it is no intact PNG: %w", err)
	}
	switch picture.(type) {
	case *image.Gray, *image.Gray16:
		return raster{}, errors.New("it is grey, so that it holds no heights as red, green and blue")
	}
	tile := raster{
		name:  fmt.Sprintf("%d/%d/%d", zoom, x, y),
		plane: plane{crs: webMercator, zoom: zoom + side/(2*tilePixels)}, uncertaintyM: SRTMUncertaintyM,
		stepLon: 1, stepLat: 1, cols: side, rows: side, heights: make([]int32, 0, side*side),
		// The middle of the south-westernmost pixel.
		origin: orb.Point{float64(x*side) + 0.5, -float64((y+1)*side) + 0.5},
	}
	for row := side - 1; row >= 0; row-- {
		for col := range side {
			tile.heights = append(tile.heights, terrariumHeight(picture.At(col, row)))
		}
	}
	return tile, nil
}

// terrariumHeight returns the height of a pixel in decimetres.
func terrariumHeight(c color.Color) int32 {
	pixel, _ := color.NRGBAModel.Convert(c).(color.NRGBA)
	value := int32(pixel.R)<<16 | int32(pixel.G)<<8 | int32(pixel.B)
	if pixel.A == 0 || value == 0 {
		return void
	}
	// The value counts 1/256 m.
	return (value*5+64)/128 - 327_680
}

// Package space holds positions, the chart's metric frame, boxes and the index
// of live points. It is the only place where Kapok does arithmetic on the
// earth: everything else works in the frame's metres or calls this package.
package space

import "github.com/paulmach/orb"

// Position is a point on or above the earth: WGS-84 degrees, and metres above
// mean sea level (EGM96). Level is an OSM level indoors, empty outdoors.
type Position struct {
	Lon       float64 `json:"lon"`
	Lat       float64 `json:"lat"`
	AltitudeM float64 `json:"altitude_m"`
	Level     string  `json:"level,omitempty"`
}

// Point returns longitude and latitude in orb's order.
func (p Position) Point() orb.Point { return orb.Point{p.Lon, p.Lat} }

// XY is a place in a Frame, in metres east and north of its centre.
type XY struct{ X, Y float64 }

// XYZ is a place in a Frame with its altitude above mean sea level in metres.
type XYZ struct{ X, Y, Z float64 }

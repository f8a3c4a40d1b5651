package simout

import (
	"encoding/json"
	"math"
	"strconv"

	"github.com/kapok-fleet/kapok/planner/space"
)

// appendJSON appends a text as JSON.
func appendJSON(b []byte, s string) []byte {
	text, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, text...)
}

// appendRounded appends a number with a few digits behind the point at most. What
// is no number becomes 0.
func appendRounded(b []byte, v float64, digits int) []byte {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		v = 0
	}
	scale := math.Pow10(digits)
	return strconv.AppendFloat(b, math.Round(v*scale)/scale, 'f', -1, 64)
}

// headingDeg is the direction from one place to another that is near, clockwise
// from north, 0 to 360.
func headingDeg(from, to space.Position) float64 {
	east := (to.Lon - from.Lon) * math.Cos(from.Lat*math.Pi/180)
	deg := math.Atan2(east, to.Lat-from.Lat) * 180 / math.Pi
	if deg < 0 {
		deg += 360
	}
	return deg
}

package space

import "math"

// degreeM is more than the length of a degree of latitude or longitude anywhere.
const degreeM = 111_700

// Within tells whether two positions are at most a number of metres apart, over
// ground and in height alike. Where they clearly are, it costs next to nothing;
// else as much as Distance. It is false for positions that are not finite.
func Within(a, b Position, metres float64) bool {
	if !(math.Abs(a.AltitudeM-b.AltitudeM) <= metres) {
		return false
	}
	if degreeM*(math.Abs(a.Lat-b.Lat)+math.Abs(a.Lon-b.Lon)) <= metres {
		return true
	}
	return Distance(a, b) <= metres
}

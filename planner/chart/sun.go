package chart

import (
	"math"
	"time"

	"github.com/paulmach/orb"
)

// SunEvent is an event of the sun, by the names that EUROCAE ED-269 and ED-318
// use.
type SunEvent string

// The events of the sun.
const (
	// BMCT and EMCT are the begin of morning and the end of evening civil
	// twilight: the sun's centre is 6 degrees below the horizon.
	BMCT SunEvent = "BMCT"
	EMCT SunEvent = "EMCT"
	// SR and SS are sunrise and sunset: the sun's centre is 0.833 degrees below
	// the horizon, which is its upper edge on it, refraction counted.
	SR SunEvent = "SR"
	SS SunEvent = "SS"
)

// altitudeDeg is the altitude of the sun's centre at the event.
func (e SunEvent) altitudeDeg() float64 {
	if e == BMCT || e == EMCT {
		return -6
	}
	return -0.833
}

// side is -1 for events before noon and 1 for those after it.
func (e SunEvent) side() float64 {
	if e == BMCT || e == SR {
		return -1
	}
	return 1
}

// SunTime is when an event of the sun happens at a place on the day that has the
// date of day in UTC; false where it does not happen, as in polar night or in a
// night that does not get dark. A day is a solar one: it is the one whose noon,
// by the sun's mean time at the place, lies in that date, which makes it the date
// that people there write; sunrise in Shenzhen is on the evening before in UTC.
// The times are good to about a minute between the polar circles from 1900 to
// 2100.
//
// The sun's place is that of J. Meeus, Astronomical Algorithms, second edition
// (1998), chapter 25, low accuracy, and the times follow from it as in the Solar
// Calculator of the US National Oceanic and Atmospheric Administration.
func SunTime(event SunEvent, at orb.Point, day time.Time) (time.Time, bool) {
	seconds, ok := sunSeconds(event, at, floorDay(day.Unix()))
	return time.Unix(seconds, 0).UTC(), ok
}

// sunSeconds is SunTime for a day since 1970, in seconds since then.
func sunSeconds(event SunEvent, at orb.Point, day int64) (int64, bool) {
	h := event.altitudeDeg() * math.Pi / 180
	lat := at[1] * math.Pi / 180
	// The sun moves on while it sinks: its place is taken at the event itself,
	// which is within a second after few rounds.
	minutes := 720 - 4*at[0]
	for range 4 {
		declination, equationMin := sunPlace(float64(day)*daySeconds + minutes*60)
		cos := math.Sin(h)/(math.Cos(lat)*math.Cos(declination)) - math.Tan(lat)*math.Tan(declination)
		// So written that a figure that is none counts as no event.
		if !(cos >= -1 && cos <= 1) {
			return 0, false
		}
		minutes = 720 - 4*at[0] - equationMin + event.side()*4*math.Acos(cos)*180/math.Pi
	}
	return day*daySeconds + int64(math.Floor(minutes*60)), true
}

// sunPlace is the sun's declination in radians and the equation of time in minutes
// at a time in seconds since 1970.
func sunPlace(unix float64) (declination, equationMin float64) {
	const rad = math.Pi / 180
	t := (unix/daySeconds + 2440587.5 - 2451545) / 36525
	longitude := math.Mod(280.46646+t*(36000.76983+t*0.0003032), 360) * rad
	anomaly := (357.52911 + t*(35999.05029-t*0.0001537)) * rad
	eccentricity := 0.016708634 - t*(0.000042037+t*0.0000001267)
	centre := math.Sin(anomaly)*(1.914602-t*(0.004817+t*0.000014)) +
		math.Sin(2*anomaly)*(0.019993-t*0.000101) + math.Sin(3*anomaly)*0.000289
	node := (125.04 - 1934.136*t) * rad
	apparent := longitude + (centre-0.00569-0.00478*math.Sin(node))*rad
	obliquity := (23 + (26+(21.448-t*(46.815+t*(0.00059-t*0.001813)))/60)/60 + 0.00256*math.Cos(node)) * rad
	declination = math.Asin(math.Sin(obliquity) * math.Sin(apparent))
	y := math.Tan(obliquity/2) * math.Tan(obliquity/2)
	equation := y*math.Sin(2*longitude) - 2*eccentricity*math.Sin(anomaly) +
		4*eccentricity*y*math.Sin(anomaly)*math.Cos(2*longitude) -
		0.5*y*y*math.Sin(4*longitude) - 1.25*eccentricity*eccentricity*math.Sin(2*anomaly)
	return declination, 4 * equation / rad
}

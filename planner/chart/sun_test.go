package chart

import (
	"math"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// TestSunTime holds the sun's times against published ones. "SPA" is the worked
// example of I. Reda and A. Andreas, Solar Position Algorithm for Solar Radiation
// Applications, NREL/TP-560-34302 (2003), appendix A.5, whose sunset is that of the
// day in UTC and so of the evening before; "astral" the example in the manual of
// the library of that name; "tables" the times of the first of the month in Hong
// Kong at whattime.city, which are in whole minutes.
func TestSunTime(t *testing.T) {
	golden, london, hongKong := orb.Point{-105.1786, 39.742476}, orb.Point{-0.1167, 51.5}, orb.Point{114.17, 22.32}
	for _, tt := range []struct {
		source string
		event  SunEvent
		at     orb.Point
		day    string
		want   string
	}{
		{"SPA", SR, golden, "2003-10-17", "2003-10-17T13:12:43Z"},
		{"SPA", SS, golden, "2003-10-16", "2003-10-17T00:20:19Z"},
		{"astral", BMCT, london, "2009-04-22", "2009-04-22T04:12:56Z"},
		{"astral", SR, london, "2009-04-22", "2009-04-22T04:49:36Z"},
		{"astral", SS, london, "2009-04-22", "2009-04-22T19:09:07Z"},
		{"astral", EMCT, london, "2009-04-22", "2009-04-22T19:45:52Z"},
		{"tables", SR, hongKong, "2026-06-01", "2026-05-31T21:40:00Z"},
		{"tables", SS, hongKong, "2026-06-01", "2026-06-01T11:04:00Z"},
		{"tables", SR, hongKong, "2026-11-01", "2026-10-31T22:28:00Z"},
		{"tables", SS, hongKong, "2026-11-01", "2026-11-01T09:47:00Z"},
	} {
		day, err := time.Parse(time.DateOnly, tt.day)
		if err != nil {
			t.Fatal(err)
		}
		want, err := time.Parse(time.RFC3339, tt.want)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := SunTime(tt.event, tt.at, day)
		if !ok || got.Sub(want).Abs() > 2*time.Minute {
			t.Errorf("%s: %s at %v on %s is %s, %t, want %s", tt.source, tt.event, tt.at, tt.day, got, ok, tt.want)
		}
	}
}

// TestSunStaysUpOrDown: beyond the polar circle events do not happen, and at 60
// degrees north the summer night has a sunset and no end of twilight.
func TestSunStaysUpOrDown(t *testing.T) {
	for _, tt := range []struct {
		event SunEvent
		at    orb.Point
		month time.Month
		want  bool
	}{
		{SR, orb.Point{18.96, 69.65}, time.June, false},
		{SS, orb.Point{18.96, 69.65}, time.June, false},
		{SR, orb.Point{18.96, 69.65}, time.December, false},
		{BMCT, orb.Point{18.96, 69.65}, time.December, true},
		{SS, orb.Point{18.96, 69.65}, time.March, true},
		{SS, orb.Point{25, 61}, time.June, true},
		{EMCT, orb.Point{25, 61}, time.June, false},
		{SR, orb.Point{0, 90}, time.June, false},
		{SR, orb.Point{0, -90}, time.June, false},
		{SR, orb.Point{180, 0}, time.June, true},
	} {
		if at, got := SunTime(tt.event, tt.at, time.Date(2026, tt.month, 21, 0, 0, 0, 0, time.UTC)); got != tt.want {
			t.Errorf("%s at %v in %s: %t (%s)", tt.event, tt.at, tt.month, got, at)
		}
	}
}

// almanacAltitude is the altitude of the sun's centre in degrees, without refraction, by
// another way than SunTime: the right ascension and declination of the low-precision
// formulas of the Astronomical Almanac (US Naval Observatory, page C5), and the sidereal
// time.
func almanacAltitude(at orb.Point, unix float64) float64 {
	const rad = math.Pi / 180
	n := unix/86400 - 10957.5
	anomaly := (357.528 + 0.9856003*n) * rad
	longitude := (280.460 + 0.9856474*n + 1.915*math.Sin(anomaly) + 0.020*math.Sin(2*anomaly)) * rad
	obliquity := (23.439 - 0.0000004*n) * rad
	ascension := math.Atan2(math.Cos(obliquity)*math.Sin(longitude), math.Cos(longitude))
	declination := math.Asin(math.Sin(obliquity) * math.Sin(longitude))
	hour := math.Mod(280.46061837+360.98564736629*n+at[0], 360)*rad - ascension
	lat := at[1] * rad
	return math.Asin(math.Sin(lat)*math.Sin(declination)+math.Cos(lat)*math.Cos(declination)*math.Cos(hour)) / rad
}

// TestSunByTheAlmanac: at each event the sun stands at its altitude, by formulas of
// another source, and rises or sinks; where an event does not happen it never does that
// day. From the tropics to the polar day and night, through all seasons, on both sides
// of the 180th meridian.
func TestSunByTheAlmanac(t *testing.T) {
	events, none := 0, 0
	for _, at := range []orb.Point{
		{-78.5, -0.2},
		{151.21, -33.87},
		{-21.94, 64.15},
		{33.08, 68.97},
		{-68.3, -54.8},
		{178.44, -18.14},
		{-171.76, -13.83},
		{114.05, 22.55},
		{-149.9, 61.2},
		{166.67, -77.85},
	} {
		for day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC); day.Year() < 2027; day = day.AddDate(0, 0, 13) {
			noon := float64(day.Unix()) + 43200 - at[0]*240
			for _, event := range [...]SunEvent{BMCT, SR, SS, EMCT} {
				got, ok := SunTime(event, at, day)
				if !ok {
					none++
					least, most := math.Inf(1), math.Inf(-1)
					for s := -43200.0; s <= 43200; s += 300 {
						h := almanacAltitude(at, noon+s)
						least, most = min(least, h), max(most, h)
					}
					// A twentieth of a degree is for what refraction and formulas leave open.
					if least < event.altitudeDeg()-0.05 && most > event.altitudeDeg()+0.05 {
						t.Errorf("%s at %v on %s is said not to happen; the sun goes from %.2f to %.2f degrees", event, at, day.Format(time.DateOnly), least, most)
					}
					continue
				}
				events++
				unix := float64(got.Unix())
				h, later := almanacAltitude(at, unix), almanacAltitude(at, unix+60)
				if math.Abs(h-event.altitudeDeg()) > 0.05 || (later > h) != (event.side() < 0) || math.Abs(unix-noon) > 13*3600 {
					t.Errorf("%s at %v on %s is %s, when the sun stands at %.3f degrees", event, at, day.Format(time.DateOnly), got, h)
				}
			}
		}
	}
	if events < 2000 || none < 100 {
		t.Errorf("%d events and %d that do not happen were looked at", events, none)
	}
}

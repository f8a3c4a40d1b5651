package chart

import (
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

package chart

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/paulmach/orb"
)

// zoneAt is a keep-out zone of some 200 m about a place, with a schedule in JSON.
func zoneAt(t *testing.T, middle orb.Point, schedule string) Zone {
	t.Helper()
	z := Zone{ID: "z", Rule: KeepOut}
	const d = 0.001
	z.Polygon = orb.Polygon{{
		{middle[0] - d, middle[1] - d},
		{middle[0] + d, middle[1] - d},
		{middle[0] + d, middle[1] + d},
		{middle[0] - d, middle[1] + d},
		{middle[0] - d, middle[1] - d},
	}}
	if err := json.Unmarshal([]byte(schedule), &z.Schedule); err != nil {
		t.Fatalf("%s: %v", schedule, err)
	}
	if err := z.Validate(); err != nil {
		t.Fatal(err)
	}
	return z
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// TestScheduleInstants is a table of instants worked out by hand. The 23rd of
// November 2026 is a Monday.
func TestScheduleInstants(t *testing.T) {
	shenzhen, tromso, hawaii := orb.Point{114.05, 22.55}, orb.Point{18.96, 69.65}, orb.Point{-157.86, 21.31}
	for _, tt := range []struct {
		name     string
		middle   orb.Point
		schedule string
		at       string
		want     bool
	}{
		{"a working day, before", shenzhen, `[{"days":["MON"],"start":"08:00","end":"16:00"}]`, "2026-11-23T07:59:59Z", false},
		{"its begin belongs to it", shenzhen, `[{"days":["MON"],"start":"08:00","end":"16:00"}]`, "2026-11-23T08:00:00Z", true},
		{"its last second", shenzhen, `[{"days":["MON"],"start":"08:00","end":"16:00"}]`, "2026-11-23T15:59:59Z", true},
		{"its end does not", shenzhen, `[{"days":["MON"],"start":"08:00","end":"16:00"}]`, "2026-11-23T16:00:00Z", false},
		{"the next day is another", shenzhen, `[{"days":["MON"],"start":"08:00","end":"16:00"}]`, "2026-11-24T09:00:00Z", false},
		{"past midnight", shenzhen, `[{"days":["SUN"],"start":"22:00","end":"04:00"}]`, "2026-11-23T03:59:00Z", true},
		{"past midnight of another day", shenzhen, `[{"days":["MON"],"start":"22:00","end":"04:00"}]`, "2026-11-23T03:59:00Z", false},
		{"a whole day", shenzhen, `[{"days":["MON"],"start":"00:00","end":"00:00"}]`, "2026-11-23T23:59:59Z", true},
		{"24:00", shenzhen, `[{"days":["MON"],"start":"00:00","end":"24:00"}]`, "2026-11-24T00:00:00Z", false},
		// Sunrise on Monday is at 22:41 on Sunday in UTC, sunset at 09:39.
		{"daylight in Shenzhen, before sunrise", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-22T22:37:00Z", false},
		{"after sunrise", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-22T22:45:00Z", true},
		{"before sunset", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-23T09:36:00Z", true},
		{"after sunset", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-23T09:43:00Z", false},
		{"half an hour later", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS+00:30"}]`, "2026-11-23T10:06:00Z", true},
		{"Tuesday's sunrise is no Monday", shenzhen, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-23T22:50:00Z", false},
		{"the night of Monday", shenzhen, `[{"days":["MON"],"start":"SS","end":"SR"}]`, "2026-11-23T22:35:00Z", true},
		{"from the sun to the clock", shenzhen, `[{"days":["MON"],"start":"SR","end":"23:30"}]`, "2026-11-22T23:29:00Z", true},
		{"which ends in time", shenzhen, `[{"days":["MON"],"start":"SR","end":"23:30"}]`, "2026-11-22T23:31:00Z", false},
		{"Monday noon in Hawaii", hawaii, `[{"days":["MON"],"start":"BMCT","end":"EMCT"}]`, "2026-11-23T22:00:00Z", true},
		// Civil dusk in Honolulu is at 18:12 that day, 04:12 of Tuesday in UTC.
		{"Monday's dusk in Hawaii", hawaii, `[{"days":["MON"],"start":"BMCT","end":"EMCT"}]`, "2026-11-24T04:09:00Z", true},
		{"past Monday's dusk in Hawaii", hawaii, `[{"days":["MON"],"start":"BMCT","end":"EMCT"}]`, "2026-11-24T04:16:00Z", false},
		// By the Astronomical Almanac's formulas: in Sydney the sun rises on Monday the
		// 23rd at 18:39:35 on Sunday in UTC and sets at 08:43:39; in Quito it sets at
		// 23:04:22, civil dusk is 23:26:26; in Suva, near the 180th meridian, it rises at
		// 17:20:53 on Sunday in UTC, and in Apia, beyond it, at 16:48:44 on Monday.
		{"Sydney, a minute before", orb.Point{151.21, -33.87}, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-22T18:38:30Z", false},
		{"Sydney, a minute after", orb.Point{151.21, -33.87}, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-22T18:40:40Z", true},
		{"Sydney, half an hour before sunset", orb.Point{151.21, -33.87}, `[{"days":["MON"],"start":"SR","end":"SS-00:30"}]`, "2026-11-23T08:12:30Z", true},
		{"Sydney, and past that", orb.Point{151.21, -33.87}, `[{"days":["MON"],"start":"SR","end":"SS-00:30"}]`, "2026-11-23T08:14:50Z", false},
		{"Quito, between sunset and dusk", orb.Point{-78.5, -0.2}, `[{"days":["MON"],"start":"SS","end":"EMCT"}]`, "2026-11-23T23:20:00Z", true},
		{"Quito, past dusk", orb.Point{-78.5, -0.2}, `[{"days":["MON"],"start":"SS","end":"EMCT"}]`, "2026-11-23T23:27:30Z", false},
		{"Quito, from dusk on Monday to dawn, past midnight in UTC", orb.Point{-78.5, -0.2}, `[{"days":["MON"],"start":"EMCT","end":"BMCT"}]`, "2026-11-24T10:30:00Z", true},
		{"Quito, dawn has come", orb.Point{-78.5, -0.2}, `[{"days":["MON"],"start":"EMCT","end":"BMCT"}]`, "2026-11-24T10:37:00Z", false},
		{"Suva's Monday begins on Sunday", orb.Point{178.44, -18.14}, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-22T18:30:00Z", true},
		{"Apia's Monday, reckoned by the sun of its meridian", orb.Point{-171.76, -13.83}, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-11-23T18:00:00Z", true},
		{"the day of a leap year", shenzhen, `[{"days":["THU"],"start":"08:00","end":"09:00"}]`, "2024-02-29T08:30:00Z", true},
		{"from Sunday into the new year", shenzhen, `[{"days":["THU"],"start":"23:00","end":"01:00"}]`, "2027-01-01T00:30:00Z", true},
		{"polar night, by day: the safe side", tromso, `[{"start":"SR","end":"SS"}]`, "2026-12-21T11:00:00Z", true},
		{"polar night, by night: the safe side", tromso, `[{"start":"SR","end":"SS"}]`, "2026-12-21T23:00:00Z", true},
		{"polar night has a twilight", tromso, `[{"start":"BMCT","end":"EMCT"}]`, "2026-12-21T20:00:00Z", false},
		{"polar day, the night", tromso, `[{"start":"SS","end":"SR"}]`, "2026-06-21T12:00:00Z", true},
		{"polar night, only on Mondays", tromso, `[{"days":["MON"],"start":"SR","end":"SS"}]`, "2026-12-24T11:00:00Z", false},
		{"until a sunset that is not", tromso, `[{"days":["MON"],"start":"10:00","end":"SS"}]`, "2026-12-22T09:59:00Z", true},
	} {
		z := zoneAt(t, tt.middle, tt.schedule)
		if got := z.ActiveAt(instant(t, tt.at)); got != tt.want {
			t.Errorf("%s: %s at %s: %t, want %t", tt.name, tt.schedule, tt.at, got, tt.want)
		}
	}
}

// TestScheduleIntervals: a zone's times of force, its next change and its state
// must tell the same, whatever the schedule.
func TestScheduleIntervals(t *testing.T) {
	const seed = 6
	random := rand.New(rand.NewPCG(seed, 1))
	moment := func() Moment {
		if random.IntN(2) == 0 {
			return Moment{ClockS: int32(random.IntN(96)) * 900}
		}
		return Moment{[...]SunEvent{BMCT, SR, SS, EMCT}[random.IntN(4)], int32(random.IntN(9)-4) * 3600}
	}
	for range 60 {
		z := zoneAt(t, orb.Point{random.Float64()*360 - 180, random.Float64()*178 - 89}, "[]")
		for range 1 + random.IntN(3) {
			z.Schedule = append(z.Schedule, Period{Weekdays(random.IntN(128)), moment(), moment()})
		}
		from := time.Date(2026, 1, 1, random.IntN(8000), 0, 0, 0, time.UTC)
		if random.IntN(3) == 0 {
			z.From = from.Add(time.Duration(random.IntN(100)) * time.Hour)
		}
		if random.IntN(3) == 0 {
			z.Until = from.Add(time.Duration(100+random.IntN(100)) * time.Hour)
		}
		to := from.Add(time.Duration(random.IntN(300)) * time.Hour)
		tell := func(format string, args ...any) {
			t.Helper()
			schedule, _ := json.Marshal(z.Schedule)
			t.Errorf("seed %d: "+format+": %s about %v, %s to %s", append(append([]any{seed}, args...), schedule, z.Polygon[0][0], z.From, z.Until)...)
		}
		intervals := z.Intervals(from, to, nil)
		if got := z.ActiveDuring(from, to); got != (len(intervals) > 0) {
			tell("active during: %t, intervals %v", got, intervals)
		}
		for at := from; !at.After(to); at = at.Add(17 * time.Minute) {
			within := false
			for _, in := range intervals {
				within = within || !at.Before(in.From) && (in.Until.IsZero() || at.Before(in.Until))
			}
			if z.ActiveAt(at) != within {
				tell("at %s active is %t, intervals %v", at, !within, intervals)
				break
			}
		}
		for i, in := range intervals {
			for _, at := range [...]time.Time{in.From, in.Until} {
				if at.IsZero() {
					continue
				}
				if z.ActiveAt(at) == z.ActiveAt(at.Add(-time.Nanosecond)) {
					tell("interval %d of %v: nothing changes at %s", i, intervals, at)
				}
				if next, ok := z.NextChange(at.Add(-time.Nanosecond)); !ok || !next.Equal(at) {
					tell("the next change is at %s, %t, not at %s", next, ok, at)
				}
			}
		}
	}
}

func TestAlwaysInForce(t *testing.T) {
	for _, schedule := range []string{`[]`, `[{"start":"00:00","end":"24:00"}]`, `[{"start":"06:00","end":"06:00"}]`, `[{"start":"SR","end":"SS"},{"start":"SS-00:01","end":"SR+00:01"}]`} {
		z := zoneAt(t, orb.Point{10, 50}, schedule)
		at := instant(t, "2026-11-23T12:00:00Z")
		if next, ok := z.NextChange(at); ok {
			t.Errorf("%s: changes at %s", schedule, next)
		}
		if got := z.Intervals(at, at, nil); !reflect.DeepEqual(got, []Interval{{}}) {
			t.Errorf("%s: intervals %v", schedule, got)
		}
		z.Until = at.AddDate(1, 0, 0)
		if next, ok := z.NextChange(at); !ok || !next.Equal(z.Until) {
			t.Errorf("%s: changes at %s, %t", schedule, next, ok)
		}
	}
}

// TestScheduleKept: schedules survive JSON and the chart file; charts without any
// keep the checksum that version 2 gave them.
func TestScheduleKept(t *testing.T) {
	text := `[{"days":["MON","SUN"],"start":"07:30:15","end":"SS+00:30"},{"start":"BMCT-01:00","end":"24:00"}]`
	z := zoneAt(t, orb.Point{10, 50}, text)
	if got, err := json.Marshal(z.Schedule); err != nil || string(got) != text {
		t.Errorf("JSON %s, %v, want %s", got, err, text)
	}
	plain := zoneAt(t, orb.Point{10, 50}, "[]")
	plain.Schedule, plain.ID = nil, "a"
	c, err := New(Draft{Name: "x", Zones: []Zone{plain, z}})
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	back, err := Read(&file)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(back.Zones, c.Zones) {
		t.Errorf("zones %+v, want %+v", back.Zones, c.Zones)
	}
	if c, err = New(Draft{Name: "x", Zones: []Zone{plain}}); err != nil {
		t.Fatal(err)
	}
	file.Reset()
	if err := c.Write(&file); err != nil {
		t.Fatal(err)
	}
	// What version 2 wrote differs from it by its number alone.
	old := file.Bytes()
	old[len(Magic)+3] = 2
	if back, err = Read(bytes.NewReader(old)); err != nil || back.Checksum != c.Checksum {
		t.Errorf("version 2: %v", err)
	}
}

func TestScheduleRefused(t *testing.T) {
	for text, want := range map[string]string{
		`[{"days":["FUN"],"start":"00:00","end":"01:00"}]`: `the day "FUN"`,
		`[{"start":"7:00","end":"01:00"}]`:                 `"7:00" is neither`,
		`[{"start":"25:00","end":"01:00"}]`:                "not within the day",
		`[{"start":"07:61","end":"01:00"}]`:                `"07:61" is neither`,
		`[{"start":"NOON","end":"01:00"}]`:                 `event "NOON"`,
		`[{"start":"+01:00","end":"01:00"}]`:               "offset to nothing",
		`[{"start":"SR+07:00","end":"01:00"}]`:             "moved by 25200 s",
		`[{"start":"","end":"01:00"}]`:                     `"" is neither`,
	} {
		var schedule []Period
		if err := json.Unmarshal([]byte(text), &schedule); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	z := zoneAt(t, orb.Point{10, 50}, "[]")
	z.Schedule = make([]Period, MaxPeriods+1)
	if err := z.Validate(); err == nil || !strings.Contains(err.Error(), "65 periods") {
		t.Error(err)
	}
	z.Schedule = []Period{{Start: Moment{Event: "noon"}}}
	if err := z.Validate(); err == nil || !strings.Contains(err.Error(), `event "noon"`) {
		t.Error(err)
	}
}

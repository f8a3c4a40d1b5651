package route_test

import (
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/route"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
)

// TestZonesCountByTheirSchedules: whether a way goes round a zone follows its
// schedule, whatever was asked before, and the checker agrees. The first of March
// 2026 is a Sunday; about Helsinki the sun rises at 05:05 and sets at 15:43 then.
func TestZonesCountByTheirSchedules(t *testing.T) {
	moment := func(s string) chart.Moment {
		var m chart.Moment
		if err := m.UnmarshalText([]byte(s)); err != nil {
			t.Fatal(err)
		}
		return m
	}
	zone := func(days chart.Weekdays, start, end string) chart.Zone {
		return chart.Zone{
			ID: "z", Rule: chart.KeepOut, Polygon: rect(200, -60, 300, 60),
			Schedule: []chart.Period{{Days: days, Start: moment(start), End: moment(end)}},
		}
	}
	const sunday = 1 << 6
	c := build(t, chart.Draft{})
	for _, tt := range []struct {
		name   string
		zone   chart.Zone
		depart string
		round  bool
	}{
		{"at its time", zone(sunday, "12:00", "12:30"), "2026-03-01T12:10:00Z", true},
		{"within a minute of its begin", zone(sunday, "12:00", "12:30"), "2026-03-01T11:59:00Z", true},
		{"before", zone(sunday, "12:00", "12:30"), "2026-03-01T11:50:00Z", false},
		{"after", zone(sunday, "12:00", "12:30"), "2026-03-01T12:31:00Z", false},
		{"on another day", zone(sunday, "12:00", "12:30"), "2026-03-02T12:10:00Z", false},
		{"a week later", zone(sunday, "12:00", "12:30"), "2026-03-08T12:10:00Z", true},
		{"by daylight", zone(0, "SR", "SS"), "2026-03-01T15:30:00Z", true},
		{"after sunset", zone(0, "SR", "SS"), "2026-03-01T16:00:00Z", false},
		{"before sunrise", zone(0, "SR", "SS"), "2026-03-01T04:50:00Z", false},
		{"after sunrise", zone(0, "SR", "SS"), "2026-03-01T05:20:00Z", true},
	} {
		depart, err := time.Parse(time.RFC3339, tt.depart)
		if err != nil {
			t.Fatal(err)
		}
		p := planner(t, c, tt.zone)
		for _, days := range [...]int{0, 7, 0} {
			q := route.Query{From: pos(0, 0, 0), To: pos(500, 0, 0), Spec: spec(t, "kapok-quad"), Depart: depart.AddDate(0, 0, days)}
			r, err := p.Find(q)
			if err != nil {
				t.Errorf("%s: %v", tt.name, err)
				continue
			}
			if days == 7 {
				continue
			}
			if round := len(r.Path) > 4; round != tt.round {
				t.Errorf("%s: %s", tt.name, draw(r.Path))
			}
			if found := verify.Path(c, []chart.Zone{tt.zone}, nil, motion.Multirotor, r.Path, depart, 15); len(found) > 0 {
				t.Errorf("%s: %v", tt.name, found)
			}
		}
		straight := verify.Path(c, []chart.Zone{tt.zone}, nil, motion.Multirotor, []space.Position{pos(0, 0, 60), pos(500, 0, 60)}, depart.Add(time.Minute), 15)
		if broken := len(straight) > 0; broken != tt.round {
			t.Errorf("%s: the straight way breaks %v", tt.name, straight)
		}
	}
	// A goal in a zone that is over in time can be flown to, and one that is not
	// over by any arrival cannot.
	for depart, want := range map[string]bool{"2026-03-01T12:29:50Z": true, "2026-03-01T08:00:00Z": false} {
		at, _ := time.Parse(time.RFC3339, depart)
		q := route.Query{From: pos(0, 0, 0), To: pos(250, 0, 0), Spec: spec(t, "kapok-quad"), Depart: at}
		_, err := planner(t, c, zone(sunday, "07:00", "12:30")).Find(q)
		if got := err == nil; got != want {
			t.Errorf("to a goal in a zone until 12:30, from %s: %v", depart, err)
		}
	}
}

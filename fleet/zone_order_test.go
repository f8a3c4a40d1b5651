package fleet_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func TestWhatZonesAreRefused(t *testing.T) {
	q := newSquad(t)
	ceiling := func(m float64) *float64 { return &m }
	good := q.rectangle(0, 0, 50, 50)
	bow := q.rectangle(0, 0, 50, 50)
	bow[0][1], bow[0][2] = bow[0][2], bow[0][1]
	many := make([][2]float64, fleet.MaxZonePoints+1)
	for i := range many {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / float64(len(many)))
		many[i] = [2]float64{113.93 + 0.001*cos, 22.51 + 0.001*sin}
	}
	tests := []struct {
		name        string
		order       api.ZoneOrder
		code, field string
	}{
		{"good", api.ZoneOrder{Rule: "keep_out", Polygon: good}, "", ""},
		{"the most points", api.ZoneOrder{Rule: "keep_out", Polygon: [][][2]float64{many[1:]}}, "", ""},
		{"too many points", api.ZoneOrder{Rule: "keep_out", Polygon: [][][2]float64{many}}, "bad_zone", "polygon"},
		{"too many corners", api.ZoneOrder{Rule: "keep_out", Polygon: q.round(fleet.MaxZoneCorners+2, 400, 300)}, "bad_zone", "polygon"},
		{"no rings", api.ZoneOrder{Rule: "keep_out"}, "bad_zone", "polygon"},
		{"an unknown rule", api.ZoneOrder{Rule: "forbid", Polygon: good}, "bad_zone", "rule"},
		{"two points", api.ZoneOrder{Rule: "keep_out", Polygon: [][][2]float64{good[0][:2]}}, "bad_zone", "polygon"},
		{"edges that cross", api.ZoneOrder{Rule: "keep_out", Polygon: bow}, "bad_zone", "polygon"},
		{"latitude first", api.ZoneOrder{Rule: "keep_out", Polygon: [][][2]float64{{{22.5, 113.9}, {22.6, 113.9}, {22.6, 114}}}}, "bad_zone", "polygon"},
		{"beyond the chart", api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(9000, 0, 9100, 100)}, "zone_outside_chart", "polygon"},
		{"ceiling below floor", api.ZoneOrder{Rule: "keep_out", Polygon: good, FloorM: 50, CeilingM: ceiling(40)}, "bad_zone", "ceiling_m"},
		{"ceiling at the sea", api.ZoneOrder{Rule: "keep_out", Polygon: good, CeilingM: ceiling(0)}, "bad_zone", "ceiling_m"},
		{"no height limit", api.ZoneOrder{Rule: "altitude_limit", Polygon: good}, "bad_zone", "height_limit_m"},
		{"no speed limit", api.ZoneOrder{Rule: "speed_limit", Polygon: good}, "bad_zone", "speed_limit_mps"},
		{"a speed limit beyond all", api.ZoneOrder{Rule: "speed_limit", Polygon: good, SpeedLimitMPS: 1e9}, "bad_zone", "speed_limit_mps"},
		{"a speed limit of a keep-out", api.ZoneOrder{Rule: "keep_out", Polygon: good, SpeedLimitMPS: 5}, "bad_zone", "speed_limit_mps"},
		{"a height limit of a keep-out", api.ZoneOrder{Rule: "keep_out", Polygon: good, HeightLimitM: 5}, "bad_zone", "height_limit_m"},
		{"a height limit for the ground alone", api.ZoneOrder{Rule: "altitude_limit", Polygon: good, HeightLimitM: 5, Ground: true}, "bad_zone", "ground"},
		{"a court", api.ZoneOrder{Rule: "keep_out", Polygon: append(q.rectangle(0, 0, 50, 50), q.rectangle(10, 10, 20, 20)...)}, "", ""},
		{"a second ring outside", api.ZoneOrder{Rule: "keep_out", Polygon: append(q.rectangle(0, 0, 50, 50), q.rectangle(60, 10, 70, 20)...)}, "bad_zone", "polygon"},
		{"over already", api.ZoneOrder{Rule: "keep_out", Polygon: good, Until: q.now.Add(-time.Second)}, "bad_zone", "until"},
		{"ends before it begins", api.ZoneOrder{Rule: "keep_out", Polygon: good, From: q.now.Add(time.Hour), Until: q.now.Add(time.Minute)}, "bad_zone", "until"},
		{"a schedule", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: []api.ZonePeriod{{Days: []string{"MON", "SUN"}, Start: "07:30", End: "SS+00:30"}}}, "", ""},
		{"a day that no week has", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: []api.ZonePeriod{{Days: []string{"HOL"}, Start: "07:30", End: "16:00"}}}, "bad_zone", "schedule[0].days"},
		{"a moment that no day has", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: []api.ZonePeriod{{Start: "07:30", End: "16:00"}, {Start: "25:00", End: "16:00"}}}, "bad_zone", "schedule[1].start"},
		{"an event that the sun has not", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: []api.ZonePeriod{{Start: "SR", End: "noon"}}}, "bad_zone", "schedule[0].end"},
		{"an offset of a day", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: []api.ZonePeriod{{Start: "SR-07:00", End: "SS"}}}, "bad_zone", "schedule[0].start"},
		{"too many periods", api.ZoneOrder{Rule: "keep_out", Polygon: good, Schedule: make([]api.ZonePeriod, chart.MaxPeriods+1)}, "bad_zone", "schedule"},
		{"a year that no clock holds", api.ZoneOrder{Rule: "keep_out", Polygon: good, Until: q.now.AddDate(900, 0, 0)}, "bad_zone", "until"},
	}
	for _, tt := range tests {
		out := q.step(fleet.Asked{Request: 1, Ask: fleet.PutZone{Order: tt.order}})
		p := answerIn(t, out).Problem
		if p == nil {
			p = &fleet.Problem{}
		}
		if strings.Contains(p.Detail, "Z") && strings.Contains(p.Detail, "zone") {
			t.Errorf("%s: the refusal names a zone that never was: %s", tt.name, p.Detail)
		}
		if tt.name == "edges that cross" && !strings.Contains(p.Detail, "cross") {
			t.Errorf("a symmetric bow: %s", p.Detail)
		}
		if p.Code != tt.code || p.Field != tt.field {
			t.Errorf("%s: %+v", tt.name, p)
		}
	}
}

func TestZonesHaveALimitAndIdsOfTheirOwn(t *testing.T) {
	q := newSquad(t)
	put := func() fleet.Answer {
		out := q.step(fleet.Asked{Request: 1, Ask: fleet.PutZone{Order: api.ZoneOrder{Rule: "advise", Polygon: q.rectangle(0, 0, 50, 50)}}})
		return answerIn(t, out)
	}
	seen := map[string]bool{}
	for range 20 {
		var change api.ZoneChange
		if err := json.Unmarshal(put().Body, &change); err != nil {
			t.Fatal(err)
		}
		if seen[change.Zone.ID] {
			t.Fatalf("the id %s is given out twice", change.Zone.ID)
		}
		seen[change.Zone.ID] = true
	}
	// The rest of the limit is put straight into the state, and read in New.
	state := q.fleet.State().View()
	for i := len(state.Durable.Zones); i < fleet.MaxLiveZones; i++ {
		r := *state.Durable.Zones["Z1"]
		r.ID = fleet.ZoneID("X" + string(rune('A'+i%26)) + time.Duration(i).String())
		r.Zone.ID = string(r.ID)
		state.Durable.Zones[r.ID] = &r
	}
	f, err := fleet.New(fleet.DefaultConfig(), q.chart, state)
	if err != nil {
		t.Fatal(err)
	}
	q.fleet = f
	if p := put().Problem; p == nil || p.Code != "too_many_zones" {
		t.Errorf("beyond the limit: %+v", p)
	}
}

// answerIn finds the answer among what came of a step.
func answerIn(t *testing.T, out fleet.Output) fleet.Answer {
	t.Helper()
	for _, e := range out.Effects {
		if reply, ok := e.(fleet.Reply); ok {
			return reply.Answer
		}
	}
	t.Fatal("no answer")
	return fleet.Answer{}
}

// TestZonesOfPeopleKeepTheirSchedule: a zone with a schedule is shown as it was
// made, counts within its times alone, and loses them when the order that changes
// it has none.
func TestZonesOfPeopleKeepTheirSchedule(t *testing.T) {
	q := newSquad(t)
	put := func(id fleet.ZoneID, schedule []api.ZonePeriod) api.Zone {
		t.Helper()
		order := api.ZoneOrder{Rule: "keep_out", Polygon: q.rectangle(0, 0, 50, 50), Schedule: schedule}
		answer := answerIn(t, q.step(fleet.Asked{Request: 1, Ask: fleet.PutZone{Zone: id, Order: order}}))
		var change api.ZoneChange
		if err := json.Unmarshal(answer.Body, &change); err != nil {
			t.Fatalf("%v: %+v", err, answer)
		}
		return change.Zone
	}
	want := []api.ZonePeriod{{Days: []string{"TUE", "SAT"}, Start: "07:30", End: "SS-00:30"}, {Start: "22:00", End: "05:00"}}
	zone := put("", want)
	if got, _ := json.Marshal(zone.Schedule); string(got) != `[{"days":["TUE","SAT"],"start":"07:30","end":"SS-00:30"},{"start":"22:00","end":"05:00"}]` {
		t.Fatalf("the schedule reads %s", got)
	}
	id := fleet.ZoneID(zone.ID)
	kept := q.fleet.State().Durable.Zones[id].Zone
	for at, active := range map[string]bool{
		"2026-05-05T08:00:00Z": true, "2026-05-06T08:00:00Z": false, "2026-05-06T23:00:00Z": true, "2026-05-07T04:59:59Z": true, "2026-05-07T05:00:00Z": false,
	} {
		when, err := time.Parse(time.RFC3339, at)
		if err != nil || kept.ActiveAt(when) != active {
			t.Errorf("at %s it is in force: %v, want %v (%v)", at, !active, active, err)
		}
	}
	if zone = put(id, nil); zone.Schedule != nil {
		t.Errorf("it keeps the schedule %+v", zone.Schedule)
	}
}

package fleet_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// TestBadOrders gives orders that make no sense: each gets a problem that names
// the field, and nothing is recorded.
func TestBadOrders(t *testing.T) {
	here := api.OrderStop{Position: &api.Position{Lon: 113.93, Lat: 22.51}}
	at := func(change func(*api.OrderStop)) []api.OrderStop {
		s := here
		change(&s)
		return []api.OrderStop{s}
	}
	start := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name  string
		order api.Order
		code  string
		field string
	}{
		{"no kind", api.Order{Stops: []api.OrderStop{here}}, "bad_kind", "kind"},
		{"bad priority", api.Order{Kind: "visit", Priority: "soon", Stops: []api.OrderStop{here}}, "bad_priority", "priority"},
		{"no stops", api.Order{Kind: "visit"}, "no_stops", "stops"},
		{"one stop of a delivery", api.Order{Kind: "delivery", Stops: []api.OrderStop{here}}, "no_dropoff", "stops"},
		{"too many stops", api.Order{Kind: "patrol", Laps: 100, Stops: make([]api.OrderStop, 21)}, "too_many_stops", "stops"},
		{"laps of a visit", api.Order{Kind: "visit", Laps: 2, Stops: []api.OrderStop{here}}, "bad_laps", "laps"},
		{"load of a visit", api.Order{Kind: "visit", LoadKg: 2, Stops: []api.OrderStop{here}}, "bad_load", "load_kg"},
		{"load that is no number", api.Order{Kind: "delivery", LoadKg: math.NaN(), Stops: []api.OrderStop{here, here}}, "bad_load", "load_kg"},
		{"kind of vehicle", api.Order{Kind: "visit", VehicleKinds: []string{"tram"}, Stops: []api.OrderStop{here}}, "bad_vehicle_kind", "vehicle_kinds"},
		{"nowhere", api.Order{Kind: "visit", Stops: []api.OrderStop{{}}}, "bad_place", "stops[0]"},
		{"two places", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.Site = "node/6001" })}, "bad_place", "stops[0]"},
		{"unknown site", api.Order{Kind: "visit", Stops: []api.OrderStop{here, {Site: "node/1"}}}, "no_such_site", "stops[1].site"},
		{"unknown place", api.Order{Kind: "visit", Stops: []api.OrderStop{{Place: "way/1"}}}, "no_such_place", "stops[0].place"},
		{"another city", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.Position = &api.Position{Lon: 7.42, Lat: 43.73} })}, "outside_chart", "stops[0].position"},
		{"no number", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.Position = &api.Position{Lon: math.NaN()} })}, "bad_position", "stops[0].position"},
		{"window the wrong way", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) {
			s.NotBefore, s.NotAfter = start.Add(time.Hour), start.Add(time.Minute)
		})}, "bad_window", "stops[0]"},
		{"window that is over", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.NotAfter = start.Add(-time.Hour) })}, "window_over", "stops[0].not_after"},
		{"window beyond a year", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.NotBefore = start.AddDate(500, 0, 0) })}, "bad_window", "stops[0].not_before"},
		{"laps without end", api.Order{Kind: "patrol", Laps: math.MaxInt / 2, Stops: []api.OrderStop{here, here, here, here}}, "too_many_stops", "stops"},
		{"work without end", api.Order{Kind: "visit", Stops: at(func(s *api.OrderStop) { s.WorkS = math.Inf(1) })}, "bad_work", "stops[0].work_s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newStage(t)
			out := s.step(fleet.Asked{Request: 1, Actor: "alice", Ask: fleet.OrderTask{Order: c.order}})
			if len(out.Events) != 0 {
				t.Errorf("a refused order left %d events", len(out.Events))
			}
			reply, ok := out.Effects[0].(fleet.Reply)
			if !ok || reply.Answer.Problem == nil {
				t.Fatalf("want a problem, got %+v", out.Effects)
			}
			p := reply.Answer.Problem
			if p.Code != c.code || p.Field != c.field || strings.TrimSpace(p.Detail) == "" {
				t.Errorf("got %s at %s (%s), want %s at %s", p.Code, p.Field, p.Detail, c.code, c.field)
			}
		})
	}
}

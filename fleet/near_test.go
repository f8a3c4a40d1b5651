package fleet_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// somewhere is a crossing that everybody can reach.
func somewhere(c *chart.Chart, r *rand.Rand) protocol.Position {
	for {
		n := r.Int32N(int32(len(c.Ground.Nodes)))
		node := c.Ground.Nodes[n]
		if _, covered := c.BuildingAt(node.XY); c.Ground.InMain(n) && !covered && node.Level == "" {
			return protocol.Position{Lon: node.Point[0], Lat: node.Point[1], AltitudeM: c.GroundAltitude(node.Point)}
		}
	}
}

// crowded has 240 vehicles all over the harbour, half of them drones.
func crowded(t *testing.T, c *chart.Chart, r *rand.Rand) *stage {
	s := newStage(t)
	var inputs []fleet.Input
	for i := range 240 {
		kind := protocol.Rover
		if i%2 == 0 {
			kind = protocol.Multirotor
		}
		id := fmt.Sprintf("v%03d", i)
		s.logs[id] = "l"
		inputs = append(inputs,
			fleet.Joined{Vehicle: fleet.VehicleID(id), Session: session(id), Hello: protocol.Hello{Kind: kind, Model: model(string(kind)), LogID: "l", Time: s.now}},
			fleet.Telemetry{Vehicle: fleet.VehicleID(id), Session: session(id), Samples: []protocol.Sample{{
				Time: s.now, BatteryRatio: 0.3 + 0.7*r.Float64(), Mode: protocol.ModeIdle, Position: somewhere(c, r),
			}}})
	}
	s.fleet.Step(s.now, inputs)
	return s
}

// Orders are decided by looking at the near vehicles, quotes by looking at all.
func TestTheNearVehiclesAreEnoughToFindTheFirst(t *testing.T) {
	c, err := harbour.Chart()
	if err != nil {
		t.Fatal(err)
	}
	given := 0
	for seed := range uint64(3) {
		r := rand.New(rand.NewPCG(seed, 12))
		s := crowded(t, c, r)
		for n := range 60 {
			s.now = s.now.Add(2 * time.Second)
			order := api.Order{Kind: "delivery", LoadKg: 1, Priority: []string{"routine", "urgent", "emergency"}[r.IntN(3)]}
			for range 2 {
				at := somewhere(c, r)
				order.Stops = append(order.Stops, api.OrderStop{WorkS: 20, Position: &api.Position{Lon: at.Lon, Lat: at.Lat}})
			}
			if r.IntN(4) == 0 {
				order.Stops[1].NotAfter = s.now.Add(time.Duration(100+r.IntN(400)) * time.Second)
			}
			quote, problem := s.quote(api.QuoteRequest{Order: &order})
			if problem != nil {
				t.Fatalf("seed %d, order %d: %s", seed, n, problem.Detail)
			}
			out := s.fleet.Step(s.now, []fleet.Input{fleet.Asked{Request: 1, Actor: "alice", Ask: fleet.OrderTask{Order: order}}})
			got := fleet.VehicleID("")
			for _, e := range out.Events {
				if issued, ok := e.Event.(fleet.MissionIssued); ok {
					got = issued.Vehicle
					accept(s, &issued)
				}
			}
			if string(got) != quote.Tasks[0].Vehicle {
				t.Fatalf("seed %d, order %d went to %q, looking at all finds %q (go test -run TheNearVehicles ./fleet)", seed, n, got, quote.Tasks[0].Vehicle)
			}
			if got != "" {
				given++
			}
		}
	}
	if given < 120 {
		t.Errorf("only %d of 180 orders were given to a vehicle", given)
	}
}

// accept lets a vehicle take a revision, so that it may get more.
func accept(s *stage, m *fleet.MissionIssued) {
	id := string(m.Vehicle)
	s.seqs[id]++
	s.fleet.Step(s.now, []fleet.Input{fleet.Report{Vehicle: m.Vehicle, Session: session(id), LogID: "l", Message: protocol.Ack{
		Seq: s.seqs[id], Verdict: protocol.Accepted, Mission: &protocol.MissionRef{ID: string(m.Mission), Revision: m.Revision},
	}}})
}

package fleet_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/chart/harbour"
	"github.com/kapok-fleet/kapok/protocol"
)

// BenchmarkTelemetry is one second of 500 vehicles: a sample of each and a tick.
func BenchmarkTelemetry(b *testing.B) {
	c, err := harbour.Chart()
	if err != nil {
		b.Fatal(err)
	}
	f, err := fleet.New(fleet.DefaultConfig(), c, fleet.NewState())
	if err != nil {
		b.Fatal(err)
	}
	now := time.Date(2027, 3, 1, 8, 0, 0, 0, time.UTC)
	inputs := []fleet.Input{fleet.Recovered{UnixEpoch: 1}}
	const vehicles = 500
	for i := range vehicles {
		id := fleet.VehicleID(fmt.Sprintf("v%03d", i))
		inputs = append(inputs, fleet.Joined{Vehicle: id, Session: fleet.SessionID(id), Hello: protocol.Hello{
			Kind: protocol.Rover, Model: "kapok-rover", LogID: "l", Time: now,
		}})
	}
	f.Step(now, inputs)
	b.ReportAllocs()
	for b.Loop() {
		now = now.Add(time.Second)
		inputs = inputs[:0]
		for i := range vehicles {
			id := fleet.VehicleID(fmt.Sprintf("v%03d", i))
			inputs = append(inputs, fleet.Telemetry{Vehicle: id, Session: fleet.SessionID(id), Samples: []protocol.Sample{{
				Time: now, BatteryRatio: 0.9, Mode: protocol.ModeIdle,
				Position: protocol.Position{Lon: 113.93 + float64(i)*1e-5, Lat: 22.51, AltitudeM: 4},
			}}})
		}
		f.Step(now, append(inputs, fleet.Tick{}))
	}
	b.ReportMetric(float64(b.N)*vehicles/b.Elapsed().Seconds(), "samples/s")
}

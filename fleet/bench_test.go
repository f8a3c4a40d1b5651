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
// BenchmarkTelemetry decides one frame of each vehicle a second, with the tick of
// that second.
func BenchmarkTelemetry(b *testing.B) {
	for _, c := range []struct{ vehicles, samples int }{{500, 1}, {500, 8}, {10_000, 1}} {
		b.Run(fmt.Sprintf("vehicles=%d/samples=%d", c.vehicles, c.samples), func(b *testing.B) {
			benchTelemetry(b, c.vehicles, c.samples)
		})
	}
}

func benchTelemetry(b *testing.B, vehicles, samples int) {
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
	ids := make([]fleet.VehicleID, vehicles)
	for i := range ids {
		ids[i] = fleet.VehicleID(fmt.Sprintf("v%05d", i))
		inputs = append(inputs, fleet.Joined{Vehicle: ids[i], Session: fleet.SessionID(ids[i]), Hello: protocol.Hello{
			Kind: protocol.Rover, Model: "kapok-rover", LogID: "l", Time: now,
		}})
	}
	f.Step(now, inputs)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		inputs = inputs[:0]
		for i, id := range ids {
			frame := make([]protocol.Sample, samples)
			for k := range frame {
				frame[k] = protocol.Sample{
					Time: now.Add(time.Duration(k+1) * time.Second / time.Duration(samples)), BatteryRatio: 0.9, Mode: protocol.ModeIdle,
					Position: protocol.Position{Lon: 113.93 + float64(i%1000)*1e-5, Lat: 22.51 + float64(k)*1e-6, AltitudeM: 4},
				}
			}
			inputs = append(inputs, fleet.Telemetry{Vehicle: id, Session: fleet.SessionID(id), Samples: frame})
		}
		now = now.Add(time.Second)
		inputs = append(inputs, fleet.Tick{})
		b.StartTimer()
		f.Step(now, inputs)
	}
	b.ReportMetric(float64(b.N*vehicles*samples)/b.Elapsed().Seconds(), "samples/s")
}

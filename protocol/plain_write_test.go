package protocol

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// longFrame writes telemetry the long way.
func longFrame(t *testing.T, m Telemetry) []byte {
	t.Helper()
	frame, err := CBOR.append(nil, struct {
		Type string `json:"type"`
		Telemetry
	}{"telemetry", m}, MaxFrameFromVehicle)
	if err != nil {
		t.Fatal(err)
	}
	return frame
}

// oddFloats are numbers at the edges of the forms that CBOR has for them.
func oddFloats() []float64 {
	all := []float64{0, math.Copysign(0, -1), 1, -1, 0.5, 1.0 / 3, 65504, 65505, 65520, 65536, 1e300, -1e-300, math.MaxFloat32, math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat64, math.Pi, 100.25, 2049, 2050}
	for e := -30; e <= 18; e++ {
		for _, f := range []float64{1, 1.5, 1 + 1.0/1024, 1 + 1.0/2048, 2 - 1.0/1024} {
			all = append(all, math.Ldexp(f, e), -math.Ldexp(f, e))
		}
	}
	return all
}

func TestTheShortWayWritesWhatTheLongWayWrites(t *testing.T) {
	const seed = 9
	draw := rand.New(rand.NewPCG(seed, 1))
	floats := oddFloats()
	number := func() float64 {
		if draw.IntN(2) == 0 {
			return floats[draw.IntN(len(floats))]
		}
		return math.Round(draw.Float64()*1e6) / 1e4
	}
	for n := range 3000 {
		m := Telemetry{Samples: make([]Sample, 1+draw.IntN(40))}
		for i := range m.Samples {
			m.Samples[i] = Sample{
				Time:     time.Unix(draw.Int64N(4e9), draw.Int64N(10)*draw.Int64N(1e8)).UTC(),
				Position: Position{Lon: number(), Lat: number(), AltitudeM: number(), Level: []string{"", "1", "-2;0", "étage"}[draw.IntN(4)]},
				SpeedMPS: number(), ClimbMPS: number(), HeadingDeg: number(), BatteryRatio: number(),
				Mode: modes()[draw.IntN(len(modes()))],
			}
		}
		if got, want := appendTelemetry(nil, &m), longFrame(t, m); !bytes.Equal(got, want) {
			t.Fatalf("seed %d, frame %d:\n%x, want\n%x", seed, n, got, want)
		}
	}
}

func TestTheShortWayWritesAliveAndReceivedAlike(t *testing.T) {
	const seed = 10
	draw := rand.New(rand.NewPCG(seed, 1))
	for n := range 2000 {
		at := time.Unix(1e9+draw.Int64N(3e9), draw.Int64N(10)*draw.Int64N(1e8)).UTC()
		received := Received{LogID: strings.Repeat("l", 1+draw.IntN(MaxIDBytes)), Seq: 1 + draw.Uint64N(1<<draw.IntN(54)), Time: at}
		for _, one := range []struct {
			short ToVehicle
			long  any
		}{
			{Alive{at}, struct {
				Type string `json:"type"`
				Alive
			}{"alive", Alive{at}}},
			{received, struct {
				Type string `json:"type"`
				Received
			}{"received", received}},
		} {
			got, err := CBOR.EncodeTo([]byte("before"), one.short)
			if err != nil {
				t.Fatal(err)
			}
			want, err := CBOR.append([]byte("before"), one.long, MaxFrameToVehicle)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Fatalf("seed %d, message %d, %+v:\n%x, want\n%x", seed, n, one.short, got, want)
			}
		}
	}
}

func BenchmarkEncodeTelemetry(b *testing.B) {
	m := Telemetry{Samples: []Sample{{
		Time:     time.Date(2026, 5, 4, 9, 30, 0, 250e6, time.UTC),
		Position: Position{Lon: 7.4246158, Lat: 43.7384176, AltitudeM: 61.25},
		SpeedMPS: 9.5, HeadingDeg: 211.7, BatteryRatio: 0.8312, Mode: modes()[0],
	}}}
	for _, e := range []Encoding{JSON, CBOR} {
		b.Run(e.String(), func(b *testing.B) {
			room := make([]byte, 0, 512)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.EncodeFrom(room, m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

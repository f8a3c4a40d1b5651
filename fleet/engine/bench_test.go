package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/fleet/track"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// BenchmarkTelemetry is one second of 500 vehicles at 1 Hz in one step.
// BenchmarkTelemetry decides a frame of each of 500 vehicles, as the engine does.
func BenchmarkTelemetry(b *testing.B) {
	for _, c := range []struct {
		name        string
		samples     int
		hash, folds bool
		tracks      bool
	}{
		{name: "bare", samples: 1},
		{name: "eight samples", samples: 8},
		{name: "tracks", samples: 1, tracks: true},
		{name: "eight samples, tracks", samples: 8, tracks: true},
		{name: "hash", samples: 1, hash: true},
		{name: "hash and folds", samples: 1, hash: true, folds: true},
	} {
		b.Run(c.name, func(b *testing.B) {
			const vehicles = 500
			o := coreOptions(b)
			o.Hash, o.CheckFolds, o.Config.TrustSamples = c.hash, c.folds, false
			core := newCore(b, o, fleet.NewState())
			released := func([]fleet.Recorded) {}
			if c.tracks {
				store, err := track.Open(track.Options{Dir: b.TempDir()})
				if err != nil {
					b.Fatal(err)
				}
				released = store.Take
			}
			now := dawn()
			mustStep(b, core, now, fleet.Recovered{UnixEpoch: 5})
			ids := make([]fleet.VehicleID, vehicles)
			for i := range ids {
				ids[i] = fleet.VehicleID(fmt.Sprint("V", i))
				mustStep(b, core, now, hello(ids[i], fleet.SessionID(ids[i]), now))
			}
			inputs := make([]fleet.Input, vehicles)
			b.ReportAllocs()
			for b.Loop() {
				b.StopTimer()
				for i, id := range ids {
					frame := sampleAt(o.Chart, id, fleet.SessionID(id), i, now)
					for k := 1; k < c.samples; k++ {
						next := frame.Samples[0]
						next.Time = now.Add(time.Duration(k) * time.Second / time.Duration(c.samples))
						frame.Samples = append(frame.Samples, next)
					}
					inputs[i] = frame
				}
				now = now.Add(time.Second)
				b.StartTimer()
				batch, err := core.Step(now, inputs)
				if err != nil {
					b.Fatal(err)
				}
				released(core.Committed(batch.After).Events)
			}
			b.ReportMetric(float64(vehicles*c.samples*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

func BenchmarkAsk(b *testing.B) {
	ask := func(b *testing.B, e *Engine, n int) {
		_, err := e.Ask(b.Context(), "bench", "", "", fleet.CancelTask{Task: fleet.TaskID(fmt.Sprint("T", n))})
		if err != nil {
			b.Error(err)
		}
	}
	prepare := func(b *testing.B) *Engine {
		e := engineOn(b, journaltest.NewMemFS(1), func(o *EngineOptions) { o.Config.MaxOpenTasks = 1 << 30 })
		b.Cleanup(func() { shutDown(b, e) })
		return e
	}
	b.Run("refused/one", func(b *testing.B) {
		e := prepare(b)
		for n := 0; b.Loop(); n++ {
			ask(b, e, n)
		}
	})
	b.Run("service/one", func(b *testing.B) {
		e := prepare(b)
		submit(b, e, hello("V1", "s1", time.Now()))
		for n := 0; b.Loop(); n++ {
			change(b, e, n)
		}
	})
	b.Run("service/many", func(b *testing.B) {
		e := prepare(b)
		submit(b, e, hello("V1", "s1", time.Now()))
		b.SetParallelism(64)
		b.RunParallel(func(p *testing.PB) {
			for n := 0; p.Next(); n++ {
				change(b, e, n)
			}
		})
		s := e.Stats()
		b.ReportMetric(float64(b.N)/float64(s.Commits), "asks/commit")
	})
}

// change makes one small durable event.
func change(b *testing.B, e *Engine, n int) {
	_, err := e.Ask(b.Context(), "bench", "", "", fleet.ChangeService{Vehicle: "V1", Change: api.ServiceChange{InService: n%2 == 0, Reason: "bench"}})
	if err != nil {
		b.Error(err)
	}
}

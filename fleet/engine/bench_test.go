package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// BenchmarkTelemetry is one second of 500 vehicles at 1 Hz in one step.
func BenchmarkTelemetry(b *testing.B) {
	for _, c := range []struct {
		name        string
		hash, folds bool
	}{{"bare", false, false}, {"hash", true, false}, {"hash and folds", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			const vehicles = 500
			o := coreOptions(b)
			o.Hash, o.CheckFolds = c.hash, c.folds
			core := newCore(b, o, fleet.NewState())
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
				now = now.Add(time.Second)
				for i, id := range ids {
					inputs[i] = sampleAt(o.Chart, id, fleet.SessionID(id), i, now)
				}
				batch, err := core.Step(now, inputs)
				if err != nil {
					b.Fatal(err)
				}
				core.Committed(batch.After)
			}
			b.ReportMetric(float64(vehicles*b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

// BenchmarkAsk is the time from a request to its durable answer, the disk taking
// no time, for one asker and for many at once.
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

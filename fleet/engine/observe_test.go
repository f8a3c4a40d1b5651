package engine

import (
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// TestReleasedEventsAreSeenInOrder: an observer sees every sample, and every
// durable event after the recovery, without a gap.
func TestReleasedEventsAreSeenInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var indices []uint64
		var samples []time.Time
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			o.Released = func(events []fleet.Recorded) {
				mu.Lock()
				defer mu.Unlock()
				for _, r := range events {
					if r.Index > 0 {
						indices = append(indices, r.Index)
					}
					if moved, ok := r.Event.(fleet.Moved); ok {
						samples = append(samples, moved.Sample.Time)
					}
				}
			}
		})
		first := e.View().Index + 1
		if err := e.Submit(t.Context(), hello("d1", "s1", time.Now())); err != nil {
			t.Fatal(err)
		}
		var sent []time.Time
		for n := range 50 {
			at := time.Now()
			sent = append(sent, at)
			if err := e.Submit(t.Context(), sampleAt(e.o.Chart, "d1", "s1", n, at)); err != nil {
				t.Fatal(err)
			}
			<-time.After(time.Second)
		}
		order(t, e, 1)
		shutDown(t, e)
		mu.Lock()
		defer mu.Unlock()
		if !slices.EqualFunc(samples, sent, time.Time.Equal) {
			t.Errorf("%d samples were seen of %d", len(samples), len(sent))
		}
		for i, index := range indices {
			if index != first+uint64(i) {
				t.Fatalf("event %d was seen where %d is due", index, first+uint64(i))
			}
		}
		if last := e.View().Index; len(indices) == 0 || indices[len(indices)-1] != last {
			t.Errorf("the last of %d events seen is not %d", len(indices), last)
		}
	})
}

package engine

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// TestTelemetryIsGathered sends single frames: they wait for one another and are
// decided in one step, but never for longer than GatherInterval.
func TestTelemetryIsGathered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		submit(t, e, hello("V1", "s1", time.Now()))
		synctest.Wait()
		before := e.Stats()
		for n := range 9 {
			if !e.TrySubmit(sampleAt(e.o.Chart, "V1", "s1", n, time.Now())) {
				t.Fatal("no room")
			}
			<-time.After(time.Millisecond)
		}
		if s := e.Stats(); s.Steps != before.Steps || s.Inbox != 9 {
			t.Errorf("after 9 ms %d steps were made and %d frames wait", s.Steps-before.Steps, s.Inbox)
		}
		<-time.After(time.Millisecond)
		synctest.Wait()
		if s := e.Stats(); s.Steps != before.Steps+1 || s.Inputs != before.Inputs+9 {
			t.Errorf("after %v %d frames were decided in %d steps", GatherInterval, s.Inputs-before.Inputs, s.Steps-before.Steps)
		}
		shutDown(t, e)
	})
}

// TestWhatIsNoTelemetryWaitsForNothing sends a frame and then a report: both are
// decided at once, the frame first, and so is a whole batch of frames.
func TestWhatIsNoTelemetryWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		submit(t, e, hello("V1", "s1", time.Now()))
		synctest.Wait()
		before, began := e.Stats(), time.Now()
		e.TrySubmit(sampleAt(e.o.Chart, "V1", "s1", 1, time.Now()))
		submit(t, e, fleet.Left{Vehicle: "V1", Session: "s1", Why: "it said farewell"})
		synctest.Wait()
		if s := e.Stats(); s.Inputs != before.Inputs+2 {
			t.Errorf("%d of 2 inputs were decided", s.Inputs-before.Inputs)
		}
		for n := range MaxBatch {
			e.TrySubmit(sampleAt(e.o.Chart, "V1", "s1", n, time.Now()))
		}
		synctest.Wait()
		if s := e.Stats(); s.Inputs != before.Inputs+2+MaxBatch || !time.Now().Equal(began) {
			t.Errorf("%d of a whole batch were decided at once", s.Inputs-before.Inputs-2)
		}
		<-time.After(2 * ViewInterval)
		p := e.View().State.Volatile.Presences["V1"]
		if p == nil || !p.Known {
			t.Error("the frame before the farewell is not known")
		}
		shutDown(t, e)
	})
}

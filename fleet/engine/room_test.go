package engine

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// TestTelemetryLeavesRoom floods the inbox while nobody reads it: telemetry finds
// it full at its share, and what must not be lost fills the rest.
func TestTelemetryLeavesRoom(t *testing.T) {
	o, err := EngineOptions{
		Options: Options{Chart: harbourChart(t), Config: leaping()},
		Journal: func() (journal.Journal, error) {
			return journal.Open("j", journal.Options{FS: journaltest.NewMemFS(1)})
		},
	}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{o: o, ring: newRing(o.KeepEvents), stop: make(chan struct{})}
	r, err := e.begin()
	if err != nil {
		t.Fatal(err)
	}
	e.run.Store(r)
	fill := func(in fleet.Input) (n int) {
		for e.TrySubmit(in) {
			n++
		}
		return n
	}
	if n := fill(sampleAt(o.Chart, "V1", "s1", 0, dawn())); n != InboxInputs*TelemetryShare {
		t.Errorf("%d frames found room", n)
	}
	if got := e.Stats().InboxShare; got != TelemetryShare {
		t.Errorf("the inbox is full to %v", got)
	}
	if n := fill(fleet.Delivered{Vehicle: "V1", Command: "C1"}); n != InboxInputs*(1-TelemetryShare) {
		t.Errorf("%d other inputs found room", n)
	}
	if e.TrySubmit(sampleAt(o.Chart, "V1", "s1", 0, dawn())) || e.Stats().InboxShare != 1 {
		t.Error("a full inbox takes more")
	}
}

// TestARequestIsDecidedUnderAFlood asks while vehicles send more than is taken
// in: the answer comes within the commit that it waits for.
func TestARequestIsDecidedUnderAFlood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		for n := range 20 {
			id := fleet.VehicleID(fmt.Sprint("V", n))
			submit(t, e, hello(id, fleet.SessionID(id), time.Now()))
		}
		lost := 0
		for round := range 10 {
			for n := range 2 * InboxInputs {
				id := fleet.VehicleID(fmt.Sprint("V", n%20))
				if !e.TrySubmit(sampleAt(e.o.Chart, id, fleet.SessionID(id), n, time.Now())) {
					lost++
				}
			}
			began := time.Now()
			order(t, e, round)
			if took := time.Since(began); took > time.Second {
				t.Errorf("order %d took %v", round, took)
			}
		}
		if s := e.Stats(); s.Inputs < 20 || s.Events < s.Records {
			t.Errorf("%d inputs, %d events, %d records, %d frames lost", s.Inputs, s.Events, s.Records, lost)
		}
		shutDown(t, e)
	})
}

// TestASnapshotHasWhatViewsLeaveOut reads the snapshot that was made while the
// engine ran.
func TestASnapshotHasWhatViewsLeaveOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, func(o *EngineOptions) { o.SnapshotEvery = 20 })
		for n := range 60 {
			if _, err := e.Ask(t.Context(), "alice", fmt.Sprint("key", n), "h", visit(e.o.Chart, n)); err != nil {
				t.Fatal(err)
			}
			<-time.After(ViewInterval)
		}
		synctest.Wait()
		s, ok, err := e.run.Load().journal.Snapshot()
		if err != nil || !ok {
			t.Fatalf("there is no snapshot: %v", err)
		}
		d, err := fleet.DecodeDurable(s.Data)
		if err != nil {
			t.Fatal(err)
		}
		if len(d.Answers) == 0 || len(d.Answers) != len(d.Tasks) {
			t.Errorf("the snapshot at event %d has %d answers to %d orders", s.Index, len(d.Answers), len(d.Tasks))
		}
		if e.View().State.Durable.Answers != nil {
			t.Error("a view holds answers")
		}
		shutDown(t, e)
	})
}

package engine

import (
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

func TestAFailedFsync(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault journaltest.Fault
	}{
		{"EIO on fsync", journaltest.Fault{Op: journaltest.OpSync, Number: 1, Err: journaltest.ErrIO}},
		{"EIO on write", journaltest.Fault{Op: journaltest.OpWrite, Number: 1, Err: journaltest.ErrIO, Part: 0.5}},
		{"ENOSPC on write", journaltest.Fault{Op: journaltest.OpWrite, Number: 1, Err: journaltest.ErrNoSpace}},
	} {
		t.Run(c.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { failedFsync(t, c.fault) }) })
	}
}

func failedFsync(t *testing.T, fault journaltest.Fault) {
	fsys := journaltest.NewMemFS(1)
	e := engineOn(t, fsys, nil)
	s := newSink()
	e.Attach("s1", s)
	submit(t, e, hello("V1", "s1", time.Now()))
	kept := order(t, e, 1)
	synctest.Wait()
	s.drain()

	fsys.ResetCounts()
	fsys.Fail(fault)
	if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 2)); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("an order whose write failed was answered with %v", err)
	}
	synctest.Wait()
	if err := e.Ready(); !errors.Is(err, ErrUnavailable) || !errors.Is(err, fault.Err) {
		t.Errorf("readiness says %v", err)
	}
	if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 3)); !errors.Is(err, ErrUnavailable) {
		t.Errorf("an order meanwhile: %v", err)
	}
	if got := s.drain(); len(got) != 1 || !isRestarting(got[0]) {
		t.Errorf("the session was sent %+v", got)
	}
	if v := e.View(); v.State.Durable.Tasks[kept] == nil {
		t.Error("reads do not go on meanwhile")
	}

	<-time.After(ReopenFirst)
	synctest.Wait()
	if err := e.Ready(); err != nil {
		t.Fatalf("not ready after %v: %v", ReopenFirst, err)
	}
	next := order(t, e, 4)
	if tasks := e.View().State.Durable.Tasks; tasks[kept] == nil || tasks[next] == nil {
		t.Errorf("tasks %s and %s were confirmed; there are %v", kept, next, tasks)
	}
	if st := e.Stats(); st.Reopened != 1 || st.Sessions != 0 {
		t.Errorf("reopened %d times, %d sessions", st.Reopened, st.Sessions)
	}
	shutDown(t, e)
}

func TestReopeningWaitsLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		began := time.Now()
		attempts := make(chan time.Duration, 100)
		e := engineOn(t, fsys, func(o *EngineOptions) {
			open := o.Journal
			o.Journal = func() (journal.Journal, error) {
				attempts <- time.Since(began)
				if n := len(attempts); n > 1 && n < 11 {
					return nil, journaltest.ErrIO
				}
				return open()
			}
		})
		fsys.ResetCounts()
		fsys.Fail(journaltest.Fault{Op: journaltest.OpSync, Number: 1, Err: journaltest.ErrIO})
		if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 2)); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if err := e.Ready(); err != nil || len(attempts) != 11 {
			t.Fatalf("after %d tries: %v", len(attempts), err)
		}
		at, pause := <-attempts, ReopenFirst
		for i := range 10 {
			at += pause
			if got := <-attempts; got != at {
				t.Errorf("try %d came after %v, not %v", i+1, got, at)
			}
			pause = min(2*pause, ReopenMost)
		}
		shutDown(t, e)
	})
}

func TestShutdownWhileReopening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		var broken atomic.Bool
		e := engineOn(t, fsys, func(o *EngineOptions) {
			open := o.Journal
			o.Journal = func() (journal.Journal, error) {
				if broken.Load() {
					return nil, journaltest.ErrIO
				}
				return open()
			}
		})
		broken.Store(true)
		fsys.ResetCounts()
		fsys.Fail(journaltest.Fault{Op: journaltest.OpSync, Number: 1, Err: journaltest.ErrIO})
		if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 2)); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		if err := e.Shutdown(t.Context()); !errors.Is(err, journaltest.ErrIO) {
			t.Errorf("a shutdown without a journal says %v", err)
		}
	})
}

func TestLostDataIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disks := []*journaltest.MemFS{journaltest.NewMemFS(1), journaltest.NewMemFS(2)}
		var disk atomic.Int32
		e := engineOn(t, disks[0], func(o *EngineOptions) {
			o.Journal = func() (journal.Journal, error) { return journal.Open("j", journal.Options{FS: disks[disk.Load()]}) }
		})
		for i := range 5 {
			order(t, e, i)
		}
		// What comes back is another disk, an empty one.
		disk.Store(1)
		disks[0].Crash()
		if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 2)); !errors.Is(err, ErrUnavailable) {
			t.Fatal(err)
		}
		<-time.After(time.Minute)
		synctest.Wait()
		if err := e.Ready(); !errors.Is(err, ErrUnavailable) {
			t.Errorf("an engine whose acknowledged events are gone serves: %v", err)
		}
		disk.Store(0)
		<-time.After(2 * ReopenMost)
		if err := e.Ready(); err != nil {
			t.Errorf("the right disk is back: %v", err)
		}
		shutDown(t, e)
	})
}

// TestPowerFailures crashes the disk at random moments under load. The engine
// comes back by itself each time, and every task that was confirmed is there.
// KAPOK_SEED repeats a run.
func TestPowerFailures(t *testing.T) {
	seed := rand.Uint64()
	if s, err := strconv.ParseUint(os.Getenv("KAPOK_SEED"), 10, 64); err == nil {
		seed = s
	}
	t.Logf("repeat with: KAPOK_SEED=%d go test ./fleet/engine -run TestPowerFailures", seed)
	synctest.Test(t, func(t *testing.T) {
		random := rand.New(rand.NewPCG(seed, 1))
		fsys := journaltest.NewMemFS(seed)
		e := engineOn(t, fsys, func(o *EngineOptions) {
			o.SnapshotEvery = 50
			o.CheckFolds = true
			open := o.Journal
			o.Journal = func() (journal.Journal, error) {
				j, err := open()
				return &slowJournal{Journal: j, takes: 3 * time.Millisecond}, err
			}
		})
		confirmed, end := make(chan fleet.TaskID, 100_000), make(chan struct{})
		var askers sync.WaitGroup
		for i := range 8 {
			pauses := rand.New(rand.NewPCG(seed, uint64(i)))
			askers.Go(func() { askUntil(t, e, pauses, confirmed, end) })
		}
		for range 10 {
			<-time.After(time.Duration(200+random.IntN(400)) * time.Millisecond)
			fsys.Crash()
		}
		<-time.After(time.Second)
		close(end)
		askers.Wait()
		shutDown(t, e)
		close(confirmed)
		state, _, err := Restore(openJournal(t, fsys))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for id := range confirmed {
			n++
			if state.Durable.Tasks[id] == nil {
				t.Errorf("%s was confirmed and is gone", id)
			}
		}
		if st := e.Stats(); st.Reopened != 10 || n < 100 {
			t.Errorf("reopened %d times, %d tasks confirmed", st.Reopened, n)
		}
	})
}

func askUntil(t *testing.T, e *Engine, pauses *rand.Rand, confirmed chan<- fleet.TaskID, end <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-end:
			return
		case <-time.After(time.Duration(1+pauses.IntN(40)) * time.Millisecond):
		}
		a, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, i))
		if errors.Is(err, ErrUnavailable) {
			continue
		}
		id, err := idOf(a)
		if err != nil {
			t.Errorf("order %d: %v", i, err)
			return
		}
		confirmed <- fleet.TaskID(id)
	}
}

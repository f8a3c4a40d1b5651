package engine

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/protocol"
)

// TestARefusalShowsWhatItRestsOn asks for something while events are on their
// way to the disk: when the refusal leaves, they can be seen. The owner is driven
// by hand, because the moment is short.
func TestARefusalShowsWhatItRestsOn(t *testing.T) {
	o, err := EngineOptions{
		Options: Options{Chart: harbourChart(t), Config: fleet.DefaultConfig()},
		Journal: func() (journal.Journal, error) {
			return journal.Open("j", journal.Options{FS: journaltest.NewMemFS(1)})
		},
	}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	e := &Engine{o: o, ring: newRing(o.KeepEvents)}
	r, err := e.begin()
	if err != nil {
		t.Fatal(err)
	}
	w := newOwner(r, nil)
	step := func(in fleet.Input) {
		t.Helper()
		if err := w.step([]fleet.Input{in}); err != nil {
			t.Fatal(err)
		}
		w.handOver()
	}
	// The log-in makes durable events, but nobody waits for its answer.
	step(hello("V1", "s1", dawn()))
	if w.flying == nil || w.flying.view != nil {
		t.Fatalf("a log-in flies as %+v", w.flying)
	}
	step(fleet.Asked{Request: 1, Ask: fleet.CancelTask{Task: "T404"}})
	if err := w.journal.Append(<-w.groups); err != nil {
		t.Fatal(err)
	}
	if err := w.committed(commit{}); err != nil {
		t.Fatal(err)
	}
	first := w.queue[0]
	if got := requests(Release{Effects: first.effects}); len(got) != 1 {
		t.Fatalf("the commit released answers %v", got)
	}
	if v := first.view; v == nil || v.State.Durable.Vehicles["V1"] == nil || v.Index != w.core.LastIndex() {
		t.Errorf("the refusal leaves with the view %+v", v)
	}
}

func TestDeadlinesFire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		submit(t, e, hello("V1", "s1", time.Now()), sampleAt(e.o.Chart, "V1", "s1", 0, time.Now()))
		for _, c := range []struct {
			after time.Duration
			want  fleet.LinkState
		}{{time.Second, fleet.LinkLive}, {6 * time.Second, fleet.LinkLate}, {12 * time.Second, fleet.LinkLost}} {
			<-time.After(c.after)
			if p := e.View().State.Volatile.Presences["V1"]; p == nil || p.Link != c.want {
				t.Errorf("%v later the link is %+v, want %s", c.after, p, c.want)
			}
		}
		shutDown(t, e)
	})
}

func TestSnapshotsAreTakenOnTheWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, func(o *EngineOptions) { o.SnapshotEvery = 20 })
		for i := range 100 {
			order(t, e, i)
			synctest.Wait() // Else the orders outrun the encoding.
		}
		last := e.Stats().Committed
		// The process is killed: what a new one finds is what the disk has.
		killed, err := journal.Open("j", journal.Options{FS: crashed(fsys)})
		if err != nil {
			t.Fatal(err)
		}
		state, report, err := Restore(killed)
		if err != nil || report.Last != last || len(state.Durable.Tasks) != 100 {
			t.Fatalf("after a crash at %d: %+v, %d tasks, %v", last, report, len(state.Durable.Tasks), err)
		}
		if report.Events >= 40 {
			t.Errorf("%d events had to be replayed, with a snapshot every 20", report.Events)
		}
		shutDown(t, e)
	})
}

func crashed(fsys *journaltest.MemFS) *journaltest.MemFS {
	c := fsys.Clone(2)
	c.Crash()
	return c
}

func TestAskGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			open := o.Journal
			o.Journal = func() (journal.Journal, error) {
				j, err := open()
				return &slowJournal{Journal: j, takes: time.Second}, err
			}
		})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if _, err := e.Ask(ctx, "tester", "", "", visit(e.o.Chart, 1)); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("an asker with 100 ms on a disk of 1 s: %v", err)
		}
		if n := e.Stats().Pending; n != 0 {
			t.Errorf("%d requests are still pending", n)
		}
		shutDown(t, e)
	})
}

// removedJournal has lost its old events to retention, and any to a failure.
type removedJournal struct {
	journal.Journal
	err error
}

func (j removedJournal) Read(uint64, func(journal.Record) bool) error { return j.err }

func TestEventsThatAreGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct{ read, want error }{
			{journal.ErrRemoved, ErrTooOld},
			{journal.ErrClosed, ErrUnavailable},
			{journaltest.ErrIO, journaltest.ErrIO},
		} {
			p := pager{ctx: t.Context(), limit: 1, page: Page{Next: 1, Last: 9}}
			if err := p.read(removedJournal{err: c.read}, 1); !errors.Is(err, c.want) {
				t.Errorf("a journal that says %v: %v", c.read, err)
			}
		}
	})
}

func TestReadsShareTheStateSafely(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		submit(t, e, hello("V1", "s1", time.Now()))
		end := make(chan struct{})
		read := make(chan int)
		go func() {
			n := 0
			for {
				select {
				case <-end:
					read <- n
					return
				case <-time.After(time.Millisecond):
				}
				s := e.View().State
				for _, p := range s.Volatile.Presences {
					if p.Sample.Mode == protocol.ModeFault {
						n++
					}
				}
				n += len(s.Durable.Tasks)
			}
		}()
		for i := range 100 {
			submit(t, e, sampleAt(e.o.Chart, "V1", "s1", i, time.Now()))
			order(t, e, i)
			<-time.After(time.Millisecond)
		}
		close(end)
		if n := <-read; n == 0 {
			t.Error("the reader saw no task")
		}
		shutDown(t, e)
	})
}

package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/protocol/api"
)

func TestAnAnswerIsDurableAndVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, nil)
		for i := range 20 {
			id := order(t, e, i)
			v := e.View()
			if task, ok := v.State.Durable.Tasks[id]; !ok || task.OrderedBy != "tester" {
				t.Fatalf("the view at %d does not show %s, which was just confirmed", v.Index, id)
			}
			if v.Index != v.State.Durable.Index || v.Index > e.Stats().Committed {
				t.Fatalf("the view says %d, its state %d, committed is %d", v.Index, v.State.Durable.Index, e.Stats().Committed)
			}
		}
		shutDown(t, e)
		state, report, err := Restore(openJournal(t, fsys))
		if err != nil || len(state.Durable.Tasks) != 20 {
			t.Fatalf("%d tasks came back: %v", len(state.Durable.Tasks), err)
		}
		if report.Snapshot != report.Last || report.Events != 0 {
			t.Errorf("after a shutdown a restart replays: %+v", report)
		}
	})
}

func TestARefusalIsAnsweredToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		a, err := e.Ask(t.Context(), "tester", "", "", fleet.CancelTask{Task: "T404"})
		if err != nil || a.Problem == nil || a.Status != 404 {
			t.Errorf("cancelling nothing: %+v, %v", a, err)
		}
		shutDown(t, e)
	})
}

func TestAKeyIsAnsweredOnceEvenOverARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		var first string
		for i := range 3 {
			e := engineOn(t, fsys, nil)
			a, err := e.Ask(t.Context(), "tester", "key", "hash", visit(e.o.Chart, 1))
			if err != nil {
				t.Fatal(err)
			}
			id, err := idOf(a)
			if err != nil {
				t.Fatal(err)
			}
			if i == 0 {
				first = id
			}
			if id != first || a.Repeated != (i > 0) {
				t.Errorf("round %d: task %s, repeated %v", i, id, a.Repeated)
			}
			shutDown(t, e)
		}
	})
}

func TestOneFsyncForAllThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		groups := make(chan int, 1000)
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			open := o.Journal
			o.Journal = func() (journal.Journal, error) {
				j, err := open()
				return &slowJournal{Journal: j, takes: 5 * time.Millisecond, groups: groups}, err
			}
		})
		began := time.Now()
		var askers sync.WaitGroup
		const asks = 200
		for i := range asks {
			askers.Go(func() { order(t, e, i) })
		}
		askers.Wait()
		// The first group takes what has come by then, the second all the rest; a
		// third one may follow where a tick falls between.
		if n := len(groups) - 1; n > 4 {
			t.Errorf("%d requests took %d groups", asks, n)
		}
		if took := time.Since(began); took > 25*time.Millisecond {
			t.Errorf("%d requests took %v", asks, took)
		}
		shutDown(t, e)
	})
}

func TestEffectsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		s := newSink()
		e.Attach("s1", s)
		submit(t, e, hello("V1", "s1", time.Now()), sampleAt(e.o.Chart, "V1", "s1", 0, time.Now()))
		id := order(t, e, 3)
		synctest.Wait()
		if task := e.View().State.Durable.Tasks[id]; task.Vehicle != "V1" {
			t.Fatalf("the order was not given to V1: %s %+v", task.State, task.Reason)
		}
		var story []string
		for _, effect := range s.drain() {
			switch effect := effect.(type) {
			case fleet.Welcome:
				story = append(story, "welcome")
			case fleet.Owe:
				if m := effect.Owed.Mission; m != nil {
					story = append(story, fmt.Sprint("mission ", m.Revision))
				}
			case fleet.CloseLink, fleet.Reply, fleet.Think:
				story = append(story, fmt.Sprintf("%T", effect))
			}
		}
		story = slices.Compact(story)
		if !slices.Equal(story, []string{"welcome", "mission 1"}) {
			t.Errorf("the session was sent %q", story)
		}
		e.Detach("s1")
		submit(t, e, hello("V1", "s1", time.Now()))
		synctest.Wait()
		if rest := s.drain(); len(rest) != 0 {
			t.Errorf("a detached session was sent %+v", rest)
		}
		shutDown(t, e)
	})
}

func submit(t testing.TB, e *Engine, inputs ...fleet.Input) {
	t.Helper()
	for _, in := range inputs {
		if err := e.Submit(t.Context(), in); err != nil {
			t.Fatalf("submitting %T: %v", in, err)
		}
	}
}

func TestBackgroundAnswersComeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			o.Config.ExpansionsPerStep = 1 // Nothing can be planned inline.
			o.Workers = 2
		})
		now := time.Now()
		submit(t, e, hello("V1", "s1", now), sampleAt(e.o.Chart, "V1", "s1", 0, now))
		id := order(t, e, 3)
		<-time.After(3 * time.Second)
		synctest.Wait()
		task := e.View().State.Durable.Tasks[id]
		if e.Stats().Questions == 0 {
			t.Errorf("the order was planned inline, with no expansions allowed: %s", task.State)
		}
		if task.Vehicle != "V1" {
			t.Errorf("the background's answer did not assign the task: %s %+v", task.State, task.Reason)
		}
		shutDown(t, e)
	})
}

func TestPositionsShowWithinAFifthOfASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			o.Config.LateAfter, o.Config.LostAfter = time.Minute, time.Hour
		})
		submit(t, e, hello("V1", "s1", time.Now()), sampleAt(e.o.Chart, "V1", "s1", 0, time.Now()))
		<-time.After(time.Second)
		before := e.View()
		for n := 1; n < 20; n++ {
			now := time.Now()
			if !e.TrySubmit(sampleAt(e.o.Chart, "V1", "s1", n, now)) {
				t.Fatal("an idle engine has no room")
			}
			<-time.After(ViewInterval)
			synctest.Wait()
			p := e.View().State.Volatile.Presences["V1"]
			if p == nil || !p.Sample.Time.Equal(now) {
				t.Fatalf("%v later the view shows %+v", ViewInterval, p)
			}
		}
		if old := before.State.Volatile.Presences["V1"]; old.Sample.Position != place(e.o.Chart, 0) {
			t.Error("an old view has changed")
		}
		shutDown(t, e)
	})
}

// stuckSink blocks the releaser, against its contract.
type stuckSink struct{ let chan struct{} }

func (s stuckSink) Deliver(fleet.Effect) { <-s.let }

func TestTheOwnerWaitsForNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		s := stuckSink{make(chan struct{})}
		e.Attach("s1", s)
		submit(t, e, hello("V1", "s1", time.Now()))
		synctest.Wait()
		before := e.Stats()
		for n := range 1000 {
			if !e.TrySubmit(sampleAt(e.o.Chart, "V1", "s1", n, time.Now())) {
				t.Fatalf("no room after %d samples", n)
			}
		}
		<-time.After(2 * GatherInterval)
		synctest.Wait()
		if after := e.Stats(); after.Inputs < before.Inputs+1000 || after.Inbox != 0 {
			t.Errorf("with a stuck sink %d of 1000 inputs were decided", after.Inputs-before.Inputs)
		}
		close(s.let)
		shutDown(t, e)
	})
}

func TestAFullEngineSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		s := stuckSink{make(chan struct{})}
		e.Attach("s1", s)
		submit(t, e, hello("V1", "s1", time.Now()))
		accepted := 0
		for ; accepted < 10*InboxInputs; accepted++ {
			// Each asks for an answer, so each makes a release that waits.
			if !e.TrySubmit(fleet.Asked{Request: 1 << 40, Ask: fleet.CancelTask{Task: "T404"}}) {
				break
			}
			synctest.Wait()
		}
		if accepted < InboxInputs || accepted > InboxInputs+MaxBatch+MaxReleases {
			t.Errorf("%d inputs were accepted", accepted)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.Submit(ctx, fleet.Tick{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("submitting to a full inbox: %v", err)
		}
		close(s.let)
		shutDown(t, e)
	})
}

func TestTimeNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		var offset atomic.Int64
		offset.Store(int64(time.Hour))
		clock := func(o *EngineOptions) {
			o.Clock = func() time.Time { return time.Now().Add(time.Duration(offset.Load())) }
		}
		e := engineOn(t, fsys, clock)
		order(t, e, 1)
		offset.Store(0)
		order(t, e, 2)
		shutDown(t, e)
		e = engineOn(t, fsys, clock)
		order(t, e, 3)
		page, err := e.Events(t.Context(), 0, MaxPage, Filter{})
		if err != nil {
			t.Fatal(err)
		}
		for i := 1; i < len(page.Events); i++ {
			if page.Events[i].Time.Before(page.Events[i-1].Time) {
				t.Errorf("event %d is at %v, the one before at %v", page.Events[i].Index, page.Events[i].Time, page.Events[i-1].Time)
			}
		}
		shutDown(t, e)
	})
}

func TestOptionsAreChecked(t *testing.T) {
	for _, o := range []EngineOptions{
		{},
		{Journal: func() (journal.Journal, error) { return nil, nil }, Tick: time.Hour},
		{Journal: func() (journal.Journal, error) { return nil, nil }, Workers: -1},
		{Journal: func() (journal.Journal, error) { return nil, errors.New("no disk") }},
	} {
		if e, err := Open(t.Context(), o); err == nil {
			t.Errorf("opened %v with %+v", e, o)
		}
	}
}

func TestShutdownFinishesWhatWasTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, nil)
		s := newSink()
		e.Attach("s1", s)
		var askers sync.WaitGroup
		answered := make(chan string, 100)
		for i := range 100 {
			askers.Go(func() {
				a, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, i))
				if errors.Is(err, ErrUnavailable) {
					return
				}
				id, err := idOf(a)
				if err != nil {
					t.Error(err)
				}
				answered <- id
			})
		}
		shutDown(t, e)
		askers.Wait()
		close(answered)
		state, _, err := Restore(openJournal(t, fsys))
		if err != nil {
			t.Fatal(err)
		}
		for id := range answered {
			if _, ok := state.Durable.Tasks[fleet.TaskID(id)]; !ok {
				t.Errorf("%s was confirmed and is gone", id)
			}
		}
		if err := e.Submit(t.Context(), fleet.Tick{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("submitting after the shutdown: %v", err)
		}
		if e.Ready() == nil || e.TrySubmit(fleet.Tick{}) {
			t.Error("an engine that was shut down is ready")
		}
		late := newSink()
		e.Attach("s2", late)
		for name, got := range map[string][]fleet.Effect{"attached": s.drain(), "late": late.drain()} {
			if len(got) != 1 || !isRestarting(got[0]) {
				t.Errorf("the %s session was sent %+v", name, got)
			}
		}
		shutDown(t, e)
	})
}

func isRestarting(e fleet.Effect) bool {
	c, ok := e.(fleet.CloseLink)
	return ok && c.Code == CodeRestarting
}

func TestShutdownInAHurry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) {
			open := o.Journal
			calls := 0
			o.Journal = func() (journal.Journal, error) {
				j, err := open()
				return journalFunc{j, func(r []journal.Record) error {
					if calls++; calls > 1 {
						<-time.After(time.Minute) // A disk that hangs.
					}
					return j.Append(r)
				}}, err
			}
		})
		asked := make(chan error, 1)
		go func() {
			_, err := e.Ask(t.Context(), "tester", "", "", fleet.OrderTask{Order: api.Order{
				Kind: "visit", Stops: []api.OrderStop{{Place: e.o.Chart.Places[0].ID}},
			}})
			asked <- err
		}()
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := e.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a shutdown on a hanging disk: %v", err)
		}
		if err := <-asked; !errors.Is(err, ErrUnavailable) {
			t.Errorf("who waited for the disk was told %v", err)
		}
		<-e.done
	})
}

// journalFunc is a journal with another Append.
type journalFunc struct {
	journal.Journal
	append func([]journal.Record) error
}

func (j journalFunc) Append(r []journal.Record) error { return j.append(r) }

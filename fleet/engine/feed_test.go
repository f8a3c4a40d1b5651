package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
	"github.com/kapok-fleet/kapok/protocol"
)

func TestAFeedMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, nil)
		feed, err := e.Subscribe(0)
		if err != nil {
			t.Fatal(err)
		}
		var seen []uint64
		ended := make(chan error, 1)
		go func() {
			for {
				events, err := feed.Next(t.Context())
				if err != nil {
					ended <- err
					return
				}
				for _, r := range events {
					seen = append(seen, r.Index)
				}
			}
		}()
		for i := range 30 {
			order(t, e, i)
			if i == 15 {
				// The feed goes on over a failure of the disk.
				fsys.Crash()
				if _, err := e.Ask(t.Context(), "tester", "", "", visit(e.o.Chart, 2)); !errors.Is(err, ErrUnavailable) {
					t.Fatal(err)
				}
				<-time.After(time.Second)
			}
		}
		shutDown(t, e)
		if err := <-ended; !errors.Is(err, ErrUnavailable) {
			t.Errorf("the feed ended with %v", err)
		}
		last := e.Stats().Committed
		if uint64(len(seen)) != last || !slices.IsSorted(seen) || seen[0] != 1 || seen[len(seen)-1] != last {
			t.Errorf("of %d events the feed saw %v", last, seen)
		}
	})
}

func TestASlowSubscriberIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), func(o *EngineOptions) { o.KeepEvents = 16 })
		slow, err := e.Subscribe(e.View().Index)
		if err != nil {
			t.Fatal(err)
		}
		early := slow.After()
		for i := range 100 {
			order(t, e, i)
		}
		if _, err := slow.Next(t.Context()); !errors.Is(err, ErrCutOff) {
			t.Fatalf("a subscriber 100 orders behind: %v", err)
		}
		if _, err := e.Subscribe(early); !errors.Is(err, ErrTooOld) {
			t.Errorf("resuming from %d: %v", early, err)
		}
		if _, err := e.Subscribe(e.Stats().Committed + 1); !errors.Is(err, ErrTooOld) {
			t.Errorf("resuming from the future: %v", err)
		}
		// It takes a snapshot and goes on from there.
		view := e.View()
		again, err := e.Subscribe(view.Index)
		if err != nil {
			t.Fatal(err)
		}
		id := order(t, e, 1)
		events, err := again.Next(t.Context())
		if err != nil || events[0].Index != view.Index+1 || !slices.Contains(Concerns(events[0].Event).Tasks, id) {
			t.Errorf("after %d came %+v, %v", view.Index, events, err)
		}
		// One that keeps up resumes by its index alone.
		third, err := e.Subscribe(again.After())
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if events, err := third.Next(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("nothing has happened, and the feed says %+v, %v", events, err)
		}
		shutDown(t, e)
	})
}

func TestEventsFromMemoryAndJournalAreTheSame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fsys := journaltest.NewMemFS(1)
		e := engineOn(t, fsys, func(o *EngineOptions) { o.KeepEvents = 8 })
		now := time.Now()
		submit(t, e, hello("V1", "s1", now), sampleAt(e.o.Chart, "V1", "s1", 0, now))
		for i := range 40 {
			order(t, e, i)
		}
		last := e.Stats().Committed
		var all []uint64
		for from := uint64(0); from <= last; {
			page, err := e.Events(t.Context(), from, 7, Filter{})
			if err != nil {
				t.Fatalf("from %d: %v", from, err)
			}
			if len(page.Events) == 0 || len(page.Events) > 7 || page.Last != last {
				t.Fatalf("from %d: %d events, last %d", from, len(page.Events), page.Last)
			}
			for _, r := range page.Events {
				all = append(all, r.Index)
			}
			from = page.Next
		}
		if uint64(len(all)) != last || !slices.IsSorted(all) {
			t.Errorf("of %d events the pages held %v", last, all)
		}
		if page, err := e.Events(t.Context(), last+1, 7, Filter{}); err != nil || len(page.Events) != 0 || page.Next != last+1 {
			t.Errorf("behind the end: %+v, %v", page, err)
		}
		for _, f := range []Filter{{Task: "T3"}, {Vehicle: "V1"}, {Mission: "M1"}, {Type: "task_ordered"}, {Task: "T3", Type: "task_ordered"}, {Alert: "A99"}, {Command: "C1"}} {
			compareFilter(t, e, f)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := e.Events(ctx, 0, 0, Filter{Alert: "A99"}); last >= 256 && err == nil {
			t.Error("a cancelled reading goes on")
		}
		shutDown(t, e)
		if _, err := e.Events(t.Context(), 1, 0, Filter{}); !errors.Is(err, ErrUnavailable) {
			t.Errorf("reading the journal after a shutdown: %v", err)
		}
	})
}

// compareFilter reads with a filter and checks it against all events.
func compareFilter(t *testing.T, e *Engine, f Filter) {
	t.Helper()
	all, err := e.Events(t.Context(), 0, MaxPage, Filter{})
	if err != nil {
		t.Fatal(err)
	}
	var want []uint64
	for _, r := range all.Events {
		if f.match(r.Event, &e.View().State.Durable) {
			want = append(want, r.Index)
		}
	}
	page, err := e.Events(t.Context(), 0, MaxPage, f)
	if err != nil {
		t.Fatal(err)
	}
	var got []uint64
	for _, r := range page.Events {
		got = append(got, r.Index)
	}
	if !slices.Equal(got, want) || page.Next != all.Next {
		t.Errorf("%+v: events %v up to %d, want %v up to %d", f, got, page.Next, want, all.Next)
	}
}

// TestTheStoryOfATask lets a vehicle carry a visit out and reads what happened by
// the task's id alone.
func TestTheStoryOfATask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := engineOn(t, journaltest.NewMemFS(1), nil)
		now := time.Now()
		submit(t, e, hello("V1", "s1", now), sampleAt(e.o.Chart, "V1", "s1", 0, now))
		id := order(t, e, 3)
		other := order(t, e, 5)
		v := e.View().State
		mission := v.Durable.Missions[v.Durable.Tasks[id].Mission]
		if mission == nil {
			t.Fatalf("%s waits: %+v", id, v.Durable.Tasks[id].Reason)
		}
		seq := uint64(0)
		report := func(m protocol.FromVehicle) {
			submit(t, e, fleet.Report{Vehicle: "V1", Session: "s1", LogID: "log-V1", Message: m})
		}
		seq++
		report(protocol.Ack{Seq: seq, Mission: &protocol.MissionRef{ID: string(mission.ID), Revision: mission.Latest}, Verdict: protocol.Accepted})
		for _, state := range []protocol.ProgressState{protocol.Started, protocol.Begun, protocol.Done} {
			seq++
			report(protocol.Progress{Seq: seq, Mission: string(mission.ID), Leg: string(mission.Legs[0].ID), State: state, Time: now})
		}
		<-time.After(ViewInterval)
		synctest.Wait()
		if s := e.View().State.Durable.Tasks[id].State; s != fleet.TaskDone {
			t.Fatalf("the task is %s", s)
		}
		page, err := e.Events(t.Context(), 0, MaxPage, Filter{Task: id})
		if err != nil {
			t.Fatal(err)
		}
		var story []string
		for _, r := range page.Events {
			story = append(story, r.Event.EventName())
			if o, ok := r.Event.(fleet.TaskOrdered); ok && o.Task.ID == other {
				t.Errorf("the story of %s tells of the order of %s", id, other)
			}
		}
		for _, want := range []string{"task_ordered", "mission_issued", "task_changed", "mission_answered", "report_taken", "leg_changed", "stop_changed"} {
			if !slices.Contains(story, want) {
				t.Errorf("the story lacks %s: %v", want, story)
			}
		}
		shutDown(t, e)
	})
}

func TestConcerns(t *testing.T) {
	legs := []fleet.Leg{{ID: "L1", Task: "T1"}, {ID: "L2", Task: "T1"}, {ID: "L3", Site: "pad"}, {ID: "L4", Task: "T2"}}
	for _, c := range []struct {
		event fleet.Event
		want  string
	}{
		{fleet.FleetRecovered{Epoch: 1}, ""},
		{fleet.VehicleRegistered{Vehicle: fleet.Vehicle{ID: "V1", Mission: "M1"}}, "V1 M1"},
		{fleet.VehicleServiceChanged{Vehicle: "V1"}, "V1"},
		{fleet.VehicleBlocked{Vehicle: "V1", Command: "C1"}, "V1 C1"},
		{fleet.VehicleRefused{Vehicle: "V1", Task: "T1"}, "V1 T1"},
		{fleet.VehicleFaulted{Vehicle: "V1"}, "V1"},
		{fleet.EpochSeen{Vehicle: "V1"}, "V1"},
		{fleet.LogOpened{Vehicle: "V1"}, "V1"},
		{fleet.ReportTaken{Vehicle: "V1", Mission: "M1"}, "V1 M1"},
		{fleet.ReportTaken{Vehicle: "V1", Command: "C1"}, "V1 C1"},
		{fleet.TaskOrdered{Task: fleet.Task{ID: "T1"}}, "T1"},
		{fleet.TaskChanged{Task: "T1", Vehicle: "V1", Mission: "M1"}, "V1 T1 M1"},
		{fleet.TaskCancelWanted{Task: "T1"}, "T1"},
		{fleet.StopChanged{Task: "T1", Vehicle: "V1"}, "V1 T1"},
		{fleet.LoadChanged{Task: "T1"}, "T1"},
		{fleet.MissionIssued{Mission: "M1", Vehicle: "V1", Legs: legs}, "V1 T1 T2 M1"},
		{fleet.MissionAnswered{Mission: "M1"}, "M1"},
		{fleet.MissionChanged{Mission: "M1"}, "M1"},
		{fleet.LegChanged{Mission: "M1", Leg: "L1"}, "M1"},
		{fleet.CommandOrdered{Command: fleet.Command{ID: "C1", Vehicle: "V1"}}, "V1 C1"},
		{fleet.CommandChanged{Command: "C1"}, "C1"},
		{fleet.QueueChanged{Vehicle: "V1", Using: []fleet.VehicleID{"V2"}, Waiting: []fleet.VehicleID{"V3"}}, "V1 V2 V3"},
		{fleet.AlertRaised{Alert: fleet.Alert{ID: "A1", Vehicle: "V1", Task: "T1"}}, "V1 T1 A1"},
		{fleet.AlertCleared{Alert: "A1"}, "A1"},
		{fleet.AlertAcknowledged{Alert: "A1"}, "A1"},
		{fleet.AnswerGiven{Key: "k"}, ""},
		{fleet.Archived{Tasks: []fleet.TaskID{"T1"}, Alerts: []fleet.AlertID{"A1"}}, "T1 A1"},
		{fleet.VolatileCleared{}, ""},
		{fleet.LinkChanged{Vehicle: "V1"}, "V1"},
		{fleet.Moved{Vehicle: "V1", Sample: protocol.Sample{}}, "V1"},
		{fleet.ZonesChanged{Vehicle: "V1"}, "V1"},
		{fleet.PlanWanted{Question: fleet.Question{Task: "T1", Vehicles: []fleet.VehicleID{"V1"}}}, "V1 T1"},
		{fleet.PlanDropped{Task: "T1"}, "T1"},
	} {
		s := Concerns(c.event)
		got := ""
		for _, list := range [][]string{texts(s.Vehicles), texts(s.Tasks), texts(s.Missions), texts(s.Commands), texts(s.Alerts)} {
			for _, id := range list {
				got += " " + id
			}
		}
		if got != "" {
			got = got[1:]
		}
		if got != c.want {
			t.Errorf("%s concerns %q, want %q", c.event.EventName(), got, c.want)
		}
	}
}

func texts[T ~string](list []T) []string {
	var all []string
	for _, id := range list {
		all = append(all, fmt.Sprint(id))
	}
	return all
}

func TestFilterKnowsWhoseThingsAre(t *testing.T) {
	s := fleet.NewState()
	known := &s.Durable
	known.Missions["M1"] = &fleet.Mission{ID: "M1", Vehicle: "V1", Legs: []fleet.Leg{{ID: "L2", Task: "T2"}, {ID: "L3", Site: "pad"}}}
	known.Tasks["T1"] = &fleet.Task{ID: "T1", Mission: "M1"}
	known.Commands["C1"] = &fleet.Command{ID: "C1", Vehicle: "V1"}
	known.Alerts["A1"] = &fleet.Alert{ID: "A1", Vehicle: "V1", Task: "T2"}
	for _, c := range []struct {
		filter Filter
		event  fleet.Event
		want   bool
	}{
		{Filter{Vehicle: "V1"}, fleet.LegChanged{Mission: "M1", Leg: "L2"}, true},
		{Filter{Vehicle: "V2"}, fleet.LegChanged{Mission: "M1", Leg: "L2"}, false},
		{Filter{Task: "T2"}, fleet.LegChanged{Mission: "M1", Leg: "L2"}, true},
		{Filter{Task: "T1"}, fleet.LegChanged{Mission: "M1", Leg: "L2"}, false},
		{Filter{Task: "T1"}, fleet.LegChanged{Mission: "M1", Leg: "L3"}, false},
		{Filter{Task: "T1"}, fleet.LegChanged{Mission: "M1", Leg: "L1"}, true}, // It has left the mission.
		{Filter{Task: "T1"}, fleet.MissionAnswered{Mission: "M1"}, true},
		{Filter{Task: "T2"}, fleet.MissionChanged{Mission: "M1"}, true},
		{Filter{Task: "T3"}, fleet.MissionChanged{Mission: "M1"}, false},
		{Filter{Task: "T2"}, fleet.ReportTaken{Vehicle: "V1", Mission: "M1", Leg: "L2"}, true},
		{Filter{Vehicle: "V1"}, fleet.CommandChanged{Command: "C1"}, true},
		{Filter{Vehicle: "V1", Command: "C2"}, fleet.CommandChanged{Command: "C1"}, false},
		{Filter{Vehicle: "V1"}, fleet.AlertCleared{Alert: "A1"}, true},
		{Filter{Task: "T2"}, fleet.AlertAcknowledged{Alert: "A1"}, true},
		// What is not in memory is matched by what the event says.
		{Filter{Vehicle: "V1"}, fleet.LegChanged{Mission: "M9", Leg: "L1"}, false},
		{Filter{Mission: "M9"}, fleet.LegChanged{Mission: "M9", Leg: "L1"}, true},
		{Filter{Vehicle: "V1"}, fleet.AlertCleared{}, false},
		{Filter{Type: "leg_changed"}, fleet.LegChanged{}, true},
		{Filter{}, fleet.AnswerGiven{}, true},
	} {
		if got := c.filter.match(c.event, known); got != c.want {
			t.Errorf("%+v on %s %+v: %v", c.filter, c.event.EventName(), c.event, got)
		}
	}
}

package engine

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

func TestEffectsWaitForTheirEvents(t *testing.T) {
	o := coreOptions(t)
	c := newCore(t, o, fleet.NewState())
	first := mustStep(t, c, dawn(), fleet.Recovered{UnixEpoch: 5})
	if r := c.Committed(first.After); len(r.Effects) != 0 || len(r.Events) == 0 {
		t.Fatalf("recovery released %+v", r)
	}
	ordered := mustStep(t, c, dawn(), fleet.Asked{Request: 1, Actor: "ann", Ask: visit(o.Chart, 1)})
	if !ordered.Replies || len(ordered.Records) == 0 {
		t.Fatalf("an order brought about %d records, replies %v", len(ordered.Records), ordered.Replies)
	}
	// A refusal changes nothing, but it was decided on what is not yet durable.
	refused := mustStep(t, c, dawn(), fleet.Asked{Request: 2, Actor: "ann", Ask: fleet.CancelTask{Task: "T999"}})
	if len(refused.Records) != 0 || refused.After != ordered.After {
		t.Fatalf("a refusal waits for %d with %d records, not for %d", refused.After, len(refused.Records), ordered.After)
	}
	later := mustStep(t, c, dawn(), fleet.Asked{Request: 3, Actor: "ann", Ask: visit(o.Chart, 2)})

	if r := c.Committed(ordered.After - 1); len(r.Effects)+len(r.Events) != 0 {
		t.Fatalf("half a step is durable, and %+v left", r)
	}
	if got := requests(c.Committed(ordered.After)); !slices.Equal(got, []fleet.RequestID{1, 2}) {
		t.Errorf("the first commit released answers %v", got)
	}
	if got := requests(c.Committed(later.After)); !slices.Equal(got, []fleet.RequestID{3}) {
		t.Errorf("the second commit released answers %v", got)
	}
	// Everything is durable: a refusal may leave at once.
	at := mustStep(t, c, dawn(), fleet.Asked{Request: 4, Actor: "ann", Ask: fleet.CancelTask{Task: "T999"}}).After
	if got := requests(c.Committed(at)); !slices.Equal(got, []fleet.RequestID{4}) || c.Waiting() != 0 {
		t.Errorf("a refusal on durable ground released %v, %d steps wait", got, c.Waiting())
	}
}

func requests(r Release) []fleet.RequestID {
	var all []fleet.RequestID
	for _, e := range r.Effects {
		if reply, ok := e.(fleet.Reply); ok {
			all = append(all, reply.Request)
		}
	}
	return all
}

func TestCommittedNeverRunsAhead(t *testing.T) {
	o := coreOptions(t)
	c := newCore(t, o, fleet.NewState())
	c.Committed(1_000_000)
	b := mustStep(t, c, dawn(), fleet.Recovered{UnixEpoch: 5})
	if r := c.Committed(b.After - 1); len(r.Events) != 0 {
		t.Errorf("a word about the future released %+v", r)
	}
}

func TestSameInputsSameHash(t *testing.T) {
	o := coreOptions(t)
	play := func(orders int) string {
		c := newCore(t, o, fleet.NewState())
		now := dawn()
		mustStep(t, c, now, fleet.Recovered{UnixEpoch: 5})
		mustStep(t, c, now, hello("V1", "s1", now), sampleAt(o.Chart, "V1", "s1", 0, now))
		for i := range orders {
			now = now.Add(time.Second)
			mustStep(t, c, now, fleet.Asked{Request: fleet.RequestID(i), Ask: visit(o.Chart, i)}, fleet.Tick{})
		}
		return c.EventLogSHA256()
	}
	if a, b := play(5), play(5); a != b {
		t.Errorf("the same inputs hash to %s and %s", a, b)
	}
	if a, b := play(5), play(6); a == b {
		t.Errorf("other inputs have the same hash")
	}
}

func TestHasherCoversRestarts(t *testing.T) {
	o := coreOptions(t)
	o.Hasher = sha256.New()
	c := newCore(t, o, fleet.NewState())
	mustStep(t, c, dawn(), fleet.Recovered{UnixEpoch: 5})
	before := c.EventLogSHA256()
	again := newCore(t, o, fleet.NewState())
	if again.EventLogSHA256() != before {
		t.Error("the hash began anew")
	}
	mustStep(t, again, dawn(), fleet.Recovered{UnixEpoch: 5})
	if again.EventLogSHA256() == before {
		t.Error("the hash does not go on")
	}
}

func TestAChangeBehindTheEventsIsNamed(t *testing.T) {
	o := coreOptions(t)
	c := newCore(t, o, fleet.NewState())
	mustStep(t, c, dawn(), fleet.Recovered{UnixEpoch: 5}, fleet.Asked{Request: 1, Ask: visit(o.Chart, 1)})
	if err := c.DeepCheck(); err != nil {
		t.Fatalf("nothing is wrong yet: %v", err)
	}
	task := *c.Fleet().State().Durable.Tasks["T1"]
	task.Note = "changed by nobody"
	c.Fleet().State().Durable.Tasks["T1"] = &task
	if err := c.DeepCheck(); err == nil || !strings.Contains(err.Error(), "task T1") {
		t.Errorf("the deep check says %v", err)
	}
	// The next event that touches the task brings it to light in a step.
	_, err := c.Step(dawn(), []fleet.Input{fleet.Asked{Request: 2, Ask: fleet.CancelTask{Task: "T1"}}})
	if err == nil || !strings.Contains(err.Error(), "task T1") {
		t.Errorf("the step says %v", err)
	}
}

func TestDeepCheckNeedsFolds(t *testing.T) {
	o := coreOptions(t)
	o.CheckFolds, o.Hash = false, false
	c := newCore(t, o, fleet.NewState())
	if c.DeepCheck() == nil || c.EventLogSHA256() != "" {
		t.Error("a core without folds and hash pretends to have them")
	}
}

func TestRestoreRefuses(t *testing.T) {
	o := coreOptions(t)
	records := func(t *testing.T) []journal.Record {
		c := newCore(t, o, fleet.NewState())
		return mustStep(t, c, dawn(), fleet.Recovered{UnixEpoch: 5}, fleet.Asked{Request: 1, Ask: visit(o.Chart, 1)}).Records
	}
	rewrite := func(r []journal.Record, i int, from, to string) {
		r[i].Data = []byte(strings.Replace(string(r[i].Data), from, to, 1))
	}
	for _, c := range []struct {
		name   string
		change func(r []journal.Record) []journal.Record
		save   func(j journal.Journal) error
		want   string
	}{
		{"an unknown event", func(r []journal.Record) []journal.Record {
			rewrite(r, 1, "task_ordered", "task_teleported")
			return r
		}, nil, "event 2: run the version"},
		{"another index inside", func(r []journal.Record) []journal.Record {
			rewrite(r, 1, `"index":2`, `"index":7`)
			return r
		}, nil, "event 2: the record holds event 7"},
		{"garbage", func(r []journal.Record) []journal.Record {
			r[0].Data = []byte("{")
			return r
		}, nil, "event 1: "},
		{"a snapshot of another kind", nil, func(j journal.Journal) error {
			return j.SaveSnapshot(journal.Snapshot{Index: 1, Data: []byte("[]")})
		}, "snapshot at event 1"},
		{"a snapshot under another name", nil, func(j journal.Journal) error {
			s := fleet.NewState()
			data, err := fleet.EncodeDurable(&s.Durable)
			if err != nil {
				return err
			}
			return j.SaveSnapshot(journal.Snapshot{Index: 1, Data: data})
		}, "named event 1 holds the state at event 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := openJournal(t, journaltest.NewMemFS(1))
			r := records(t)
			if c.change != nil {
				r = c.change(r)
			}
			if err := j.Append(r); err != nil {
				t.Fatal(err)
			}
			if c.save != nil {
				if err := c.save(j); err != nil {
					t.Fatal(err)
				}
			}
			if _, _, err := Restore(j); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v does not say %q", err, c.want)
			}
		})
	}
}

// cutJournal has lost its beginning.
type cutJournal struct{ journal.Journal }

func (cutJournal) First() uint64 { return 2 }

func TestRestoreRefusesAMissingBeginning(t *testing.T) {
	j := openJournal(t, journaltest.NewMemFS(1))
	if _, _, err := Restore(cutJournal{j}); err == nil || !strings.Contains(err.Error(), "begins at event 2") {
		t.Errorf("a journal without its beginning: %v", err)
	}
}

// TestCrashAnywhere plays a random story: inputs, commits that lag behind,
// crashes at any moment. After each crash the state is what the journal holds,
// both folds agree throughout, and whatever anyone was told is still true.
func TestCrashAnywhere(t *testing.T) {
	o := coreOptions(t)
	rapid.Check(t, func(r *rapid.T) {
		w := &world{t: r, o: o, now: dawn(), fs: journaltest.NewMemFS(rapid.Uint64().Draw(r, "fs"))}
		w.o.Hasher = sha256.New()
		w.start()
		for range rapid.IntRange(1, 60).Draw(r, "moves") {
			w.move()
		}
		w.crash()
	})
}

// world is a core on a journal that may crash, and what people were told.
type world struct {
	t       *rapid.T
	o       Options
	fs      *journaltest.MemFS
	j       journal.Journal
	c       *Core
	now     time.Time
	waiting []journal.Record
	request fleet.RequestID
	told    map[string]bool
}

func (w *world) start() {
	j, err := journal.Open("j", journal.Options{FS: w.fs})
	if err != nil {
		w.t.Fatalf("opening the journal: %v", err)
	}
	state, report, err := Restore(j)
	if err != nil {
		w.t.Fatalf("restoring: %v", err)
	}
	if report.Last != j.Last() || state.Durable.Index != j.Last() {
		w.t.Fatalf("restored up to %d, the journal has %d", report.Last, j.Last())
	}
	for id := range w.told {
		if _, ok := state.Durable.Tasks[fleet.TaskID(id)]; !ok {
			w.t.Fatalf("task %s was confirmed and is gone", id)
		}
	}
	if w.c, err = NewCore(w.o, state); err != nil {
		w.t.Fatalf("starting: %v", err)
	}
	w.j, w.waiting = j, nil
	w.step(fleet.Recovered{UnixEpoch: 5})
}

func (w *world) step(inputs ...fleet.Input) {
	b, err := w.c.Step(w.now, inputs)
	if err != nil {
		w.t.Fatalf("step: %v", err)
	}
	w.waiting = append(w.waiting, b.Records...)
	for _, think := range b.Think {
		answer := fleet.AnswerQuestion(w.c.Fleet().Planner().Clone(), think.Question, w.now, w.o.Config)
		w.step(fleet.PlanReady{Question: think.Question, Answer: answer})
	}
}

func (w *world) move() {
	w.now = w.now.Add(time.Duration(rapid.IntRange(0, 4000).Draw(w.t, "ms")) * time.Millisecond)
	n := rapid.IntRange(0, 3).Draw(w.t, "vehicle")
	id := fleet.VehicleID(fmt.Sprint("V", n))
	session := fleet.SessionID(fmt.Sprint("s", n))
	switch rapid.IntRange(0, 9).Draw(w.t, "move") {
	case 0:
		w.step(hello(id, session, w.now), sampleAt(w.o.Chart, id, session, n, w.now))
	case 1, 2:
		w.request++
		w.step(fleet.Asked{Request: w.request, Ask: visit(w.o.Chart, int(w.request))})
	case 3:
		task := fleet.TaskID(fmt.Sprint("T", rapid.IntRange(1, 5).Draw(w.t, "task")))
		w.step(fleet.Asked{Request: 0, Ask: fleet.CancelTask{Task: task}})
	case 4:
		w.step(sampleAt(w.o.Chart, id, session, rapid.IntRange(0, 9).Draw(w.t, "where"), w.now), fleet.Tick{})
	case 5:
		w.step(fleet.Left{Vehicle: id, Session: session, Why: "radio"})
	case 6, 7:
		w.commit(rapid.IntRange(0, len(w.waiting)).Draw(w.t, "records"))
	case 8:
		w.snapshot()
	case 9:
		if rapid.IntRange(0, 3).Draw(w.t, "crash") == 0 {
			w.crash()
		}
	}
}

// commit makes the first n waiting records durable and hears what leaves.
func (w *world) commit(n int) {
	if err := w.j.Append(w.waiting[:n]); err != nil {
		w.t.Fatalf("appending: %v", err)
	}
	w.waiting = w.waiting[n:]
	if w.told == nil {
		w.told = map[string]bool{}
	}
	for _, e := range w.c.Committed(w.j.Last()).Effects {
		reply, ok := e.(fleet.Reply)
		if !ok || reply.Answer.Status != 201 {
			continue
		}
		id, err := idOf(reply.Answer)
		if err != nil {
			w.t.Fatalf("answer: %v", err)
		}
		w.told[id] = true
	}
}

func (w *world) snapshot() {
	w.commit(len(w.waiting))
	s := w.c.Fleet().State()
	data, err := fleet.EncodeDurable(&s.Durable)
	if err == nil {
		err = w.j.SaveSnapshot(journal.Snapshot{Index: s.Durable.Index, Data: data})
	}
	if err != nil {
		w.t.Fatalf("snapshot: %v", err)
	}
}

// crash loses what is not committed, and compares what comes back with the fold
// of what was.
func (w *world) crash() {
	if err := w.c.DeepCheck(); err != nil {
		w.t.Fatalf("before the crash: %v", err)
	}
	fold := fleet.NewState()
	err := w.j.Read(1, func(r journal.Record) bool {
		event, err := fleet.DecodeEvent(r.Data)
		if err != nil {
			w.t.Fatalf("event %d: %v", r.Index, err)
		}
		fleet.Evolve(fold, event)
		return true
	})
	if err != nil {
		w.t.Fatalf("reading: %v", err)
	}
	w.fs.Crash()
	j, err := journal.Open("j", journal.Options{FS: w.fs})
	if err != nil {
		w.t.Fatalf("reopening: %v", err)
	}
	state, _, err := Restore(j)
	if err != nil {
		w.t.Fatalf("restoring: %v", err)
	}
	if differs := fleet.Differs(state, fold, true); differs != "" {
		a, _ := json.Marshal(state.Durable)
		b, _ := json.Marshal(fold.Durable)
		w.t.Fatalf("what came back differs from the fold in %s:\n%s\n%s", differs, a, b)
	}
	if err := j.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.start()
}

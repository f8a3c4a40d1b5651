package journal_test

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// world is a journal on a disk that fails and crashes, beside what it ought to
// hold.
type world struct {
	t            *rapid.T
	fsys         *journaltest.MemFS
	options      journal.Options
	journal      *journal.Disk
	model        [][]byte // all that was ever handed to Append and may be there
	acknowledged int
	newest       uint64
}

// TestModelWithCrashes: whatever fails and however often the power is lost,
// what is found is a prefix of what was appended and holds all acknowledged.
// rapid prints the seed of a failure and how to repeat it.
func TestModelWithCrashes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := &world{
			t:    t,
			fsys: journaltest.NewMemFS(rapid.Uint64().Draw(t, "disk seed")),
		}
		w.options = journal.Options{
			FS:           w.fsys,
			SegmentBytes: rapid.Int64Range(100, 3000).Draw(t, "segment bytes"),
			KeepBytes:    rapid.SampledFrom([]int64{0, 2000}).Draw(t, "keep bytes"),
		}
		w.reopen()
		t.Repeat(map[string]func(*rapid.T){
			"append":   w.append,
			"snapshot": w.snapshot,
			"fail":     w.fail,
			"close":    func(*rapid.T) { _ = w.journal.Close(); w.reopen() },
			"crash":    func(*rapid.T) { w.fsys.Crash(); w.reopen() },
			"":         func(*rapid.T) { w.check() },
		})
	})
}

// reopen tries until no armed fault strikes, crashing at times.
func (w *world) reopen() {
	for attempt := 0; ; attempt++ {
		j, err := journal.Open(dir, w.options)
		if err == nil {
			w.journal = j
			break
		}
		if !errors.Is(err, journaltest.ErrIO) || attempt > 20 {
			w.t.Fatalf("reopening: %v", err)
		}
		if attempt%2 == 1 {
			w.fsys.Crash()
		}
	}
	last := int(w.journal.Last())
	if last < w.acknowledged || last > len(w.model) {
		w.t.Fatalf("%d records after reopening; %d were acknowledged, %d appended", last, w.acknowledged, len(w.model))
	}
	// What was found counts as durable from now on: others act on it.
	w.model = w.model[:last]
	w.acknowledged = last
	w.check()
}

func (w *world) append(t *rapid.T) {
	sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 40, 200, 511, 700, 1500}), 1, 6).Draw(t, "sizes")
	data := journaltest.Payloads(uint64(len(w.model)+1), sizes...)
	w.model = append(w.model, data...)
	err := w.journal.Append(journaltest.Records(uint64(w.acknowledged+1), data...))
	if err == nil {
		w.acknowledged = len(w.model)
		return
	}
	if !errors.Is(err, journal.ErrBroken) || !errors.Is(err, journaltest.ErrIO) {
		t.Fatalf("Append: %v", err)
	}
	w.recover(t)
}

func (w *world) recover(t *rapid.T) {
	if rapid.Bool().Draw(t, "power lost") {
		w.fsys.Crash()
	} else {
		_ = w.journal.Close()
	}
	w.reopen()
}

func (w *world) snapshot(t *rapid.T) {
	if w.acknowledged == 0 {
		t.Skip("nothing to snapshot")
	}
	index := uint64(w.acknowledged)
	err := w.journal.SaveSnapshot(journal.Snapshot{Index: index, Data: fmt.Append(nil, "state ", index)})
	if err == nil {
		w.newest = index
	} else if !errors.Is(err, journaltest.ErrIO) {
		t.Fatalf("SaveSnapshot: %v", err)
	}
}

// fail arms a fault for one of the next operations.
func (w *world) fail(t *rapid.T) {
	op := rapid.SampledFrom([]journaltest.Op{journaltest.OpWrite, journaltest.OpSync, journaltest.OpDir}).Draw(t, "op")
	w.fsys.Fail(journaltest.Fault{
		Op: op, Err: journaltest.ErrIO,
		Number: w.fsys.Count(op) + rapid.IntRange(1, 4).Draw(t, "how soon"),
		Part:   rapid.SampledFrom([]float64{0, 0.5, 0.9, 1}).Draw(t, "part"),
	})
}

func (w *world) check() {
	next := w.journal.First()
	err := w.journal.Read(0, func(record journal.Record) bool {
		if record.Index != next || string(record.Data) != string(w.model[next-1]) {
			w.t.Fatalf("record %d in the place of %d, %q", record.Index, next, record.Data)
		}
		next++
		return true
	})
	if err != nil {
		w.t.Fatal(err)
	}
	if w.journal.First() > 0 && next != uint64(w.acknowledged+1) {
		w.t.Fatalf("read ended before record %d; %d were acknowledged", next, w.acknowledged)
	}
	got, ok, err := w.journal.Snapshot()
	if err != nil || got.Index < w.newest || ok != (got.Index > 0) {
		w.t.Fatalf("Snapshot: %d, %v, %v, want %d or newer", got.Index, ok, err, w.newest)
	}
	if ok && string(got.Data) != string(fmt.Append(nil, "state ", got.Index)) {
		w.t.Fatalf("snapshot %d has data %q", got.Index, got.Data)
	}
	if w.journal.First() > got.Index+1 {
		w.t.Fatalf("records begin at %d, and the snapshot is of %d", w.journal.First(), got.Index)
	}
}

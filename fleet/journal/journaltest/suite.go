// Package journaltest is the contract that every journal passes, and a file
// system in memory that fails and crashes on demand.
package journaltest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
)

// Factory makes a fresh, empty store for one test and returns how to open it;
// opening it again after Close must find the same store.
type Factory func(t *testing.T) (open func() (journal.Journal, error))

// Run checks the contract of journal.Journal.
func Run(t *testing.T, fresh Factory) {
	stories := []struct {
		name string
		tell func(t *testing.T, s *stage)
	}{
		{"an empty journal holds nothing", emptyHoldsNothing},
		{"what was appended is read, now and after reopening", appendedIsRead},
		{"a read starts and stops where it is told", readStartsAndStops},
		{"a gap is refused and harms nothing", gapIsRefused},
		{"the newest snapshot is returned, now and after reopening", newestSnapshotIsReturned},
		{"a snapshot of no durable record is refused", snapshotNeedsRecord},
		{"a closed journal answers ErrClosed", closedAnswers},
		{"readers beside the appender see whole prefixes", readersSeePrefixes},
		{"a long random life loses nothing", longLife},
	}
	for _, story := range stories {
		t.Run(story.name, func(t *testing.T) {
			s := &stage{t: t, open: fresh(t)}
			s.reopen()
			story.tell(t, s)
			if err := s.journal.Close(); err != nil {
				t.Fatalf("Close: %v", err)
			}
		})
	}
}

// stage holds an open journal and what it ought to contain.
type stage struct {
	t       *testing.T
	open    func() (journal.Journal, error)
	journal journal.Journal
	model   [][]byte
}

func (s *stage) reopen() {
	s.t.Helper()
	if s.journal != nil {
		if err := s.journal.Close(); err != nil {
			s.t.Fatalf("Close: %v", err)
		}
	}
	var err error
	if s.journal, err = s.open(); err != nil {
		s.t.Fatalf("opening: %v", err)
	}
}

func (s *stage) append(data ...[]byte) {
	s.t.Helper()
	if err := s.journal.Append(Records(uint64(len(s.model)+1), data...)); err != nil {
		s.t.Fatalf("Append: %v", err)
	}
	s.model = append(s.model, data...)
}

func (s *stage) check() {
	s.t.Helper()
	if last := s.journal.Last(); last != uint64(len(s.model)) {
		s.t.Fatalf("Last is %d, want %d", last, len(s.model))
	}
	if err := CheckPrefix(s.journal, s.model, len(s.model)); err != nil {
		s.t.Fatal(err)
	}
}

// Records numbers data from first on.
func Records(first uint64, data ...[]byte) []journal.Record {
	records := make([]journal.Record, len(data))
	for i, d := range data {
		records[i] = journal.Record{Index: first + uint64(i), Data: d}
	}
	return records
}

// Payloads makes distinct data of the given sizes in bytes, numbered from first.
func Payloads(first uint64, sizes ...int) [][]byte {
	data := make([][]byte, len(sizes))
	for i, size := range sizes {
		line := fmt.Sprintf("record %d|", first+uint64(i))
		data[i] = bytes.Repeat([]byte(line), size/len(line)+1)[:size]
	}
	return data
}

// CheckPrefix reports how a journal's whole content differs from the wanted
// data: it must be a prefix of it with at least so many records.
func CheckPrefix(j journal.Journal, want [][]byte, atLeast int) error {
	count := 0
	var wrong error
	err := j.Read(0, func(record journal.Record) bool {
		switch {
		case record.Index != uint64(count+1):
			wrong = fmt.Errorf("record %d came where %d was due", record.Index, count+1)
		case count >= len(want):
			wrong = fmt.Errorf("record %d was never appended", record.Index)
		case !bytes.Equal(record.Data, want[count]) || record.Data == nil:
			wrong = fmt.Errorf("record %d has wrong data", record.Index)
		}
		count++
		return wrong == nil
	})
	switch {
	case err != nil:
		return fmt.Errorf("reading back: %w", err)
	case wrong != nil:
		return wrong
	case count < atLeast:
		return fmt.Errorf("%d records are left of %d acknowledged", count, atLeast)
	}
	return nil
}

func emptyHoldsNothing(t *testing.T, s *stage) {
	for range 2 {
		s.check()
		if first := s.journal.First(); first != 0 {
			t.Errorf("First is %d, want 0", first)
		}
		if _, ok, err := s.journal.Snapshot(); ok || err != nil {
			t.Errorf("Snapshot: %v, %v, want none", ok, err)
		}
		if err := s.journal.Append(nil); err != nil {
			t.Errorf("appending nothing: %v", err)
		}
		s.reopen()
	}
}

func appendedIsRead(t *testing.T, s *stage) {
	s.append([]byte("the first"))
	s.append(Payloads(2, 0, 1, 511, 512, 513, 0)...)
	s.check()
	s.reopen()
	s.check()
	s.append(Payloads(8, 1<<20, 3)...)
	s.check()
	if first := s.journal.First(); first != 1 {
		t.Errorf("First is %d, want 1", first)
	}
	s.reopen()
	s.check()
}

func readStartsAndStops(t *testing.T, s *stage) {
	s.append(Payloads(1, 10, 10, 10)...)
	s.append(Payloads(4, 10, 10)...)
	tests := []struct {
		from uint64
		stop int // after so many
		want string
	}{
		{0, 9, "[1 2 3 4 5]"},
		{1, 9, "[1 2 3 4 5]"},
		{3, 9, "[3 4 5]"},
		{4, 1, "[4]"},
		{2, 3, "[2 3 4]"},
		{5, 9, "[5]"},
		{6, 9, "[]"},
		{1 << 63, 9, "[]"},
	}
	for _, test := range tests {
		var got []uint64
		err := s.journal.Read(test.from, func(record journal.Record) bool {
			got = append(got, record.Index)
			return len(got) < test.stop
		})
		if err != nil || fmt.Sprint(got) != test.want {
			t.Errorf("Read from %d, stopped after %d: %v, %v, want %s", test.from, test.stop, got, err, test.want)
		}
	}
}

func gapIsRefused(t *testing.T, s *stage) {
	s.append(Payloads(1, 5, 5)...)
	for _, first := range []uint64{0, 1, 2, 4} {
		err := s.journal.Append(Records(first, []byte("misplaced")))
		if !errors.Is(err, journal.ErrGap) {
			t.Errorf("appending record %d after 2: %v, want ErrGap", first, err)
		}
	}
	group := Records(3, []byte("a"), []byte("b"))
	group[1].Index = 5
	if err := s.journal.Append(group); !errors.Is(err, journal.ErrGap) {
		t.Errorf("appending records 3 and 5: %v, want ErrGap", err)
	}
	s.append(Payloads(3, 5)...)
	s.check()
	s.reopen()
	s.check()
}

func (s *stage) wantSnapshot(index uint64, data string) {
	s.t.Helper()
	got, ok, err := s.journal.Snapshot()
	if err != nil || !ok || got.Index != index || string(got.Data) != data {
		s.t.Fatalf("Snapshot: %d %q, %v, %v, want %d %q", got.Index, got.Data, ok, err, index, data)
	}
}

func newestSnapshotIsReturned(t *testing.T, s *stage) {
	s.append(Payloads(1, 5, 5, 5, 5)...)
	for i, data := range []string{"one", "", "three", "three again"} {
		index := uint64(min(i+1, 3))
		if err := s.journal.SaveSnapshot(journal.Snapshot{Index: index, Data: []byte(data)}); err != nil {
			t.Fatalf("SaveSnapshot of %d: %v", index, err)
		}
		s.wantSnapshot(index, data)
		s.reopen()
		s.wantSnapshot(index, data)
	}
	s.append(Payloads(5, 5)...)
	s.check()
}

func snapshotNeedsRecord(t *testing.T, s *stage) {
	s.append(Payloads(1, 5, 5, 5)...)
	if err := s.journal.SaveSnapshot(journal.Snapshot{Index: 2, Data: []byte("two")}); err != nil {
		t.Fatal(err)
	}
	for _, index := range []uint64{0, 1, 4} {
		err := s.journal.SaveSnapshot(journal.Snapshot{Index: index, Data: []byte("wrong")})
		if !errors.Is(err, journal.ErrGap) {
			t.Errorf("SaveSnapshot of %d beside records 1 to 3 and snapshot 2: %v, want ErrGap", index, err)
		}
	}
	s.wantSnapshot(2, "two")
}

func closedAnswers(t *testing.T, s *stage) {
	s.append(Payloads(1, 5)...)
	if err := s.journal.Close(); err != nil {
		t.Fatal(err)
	}
	_, _, snapshotErr := s.journal.Snapshot()
	for name, err := range map[string]error{
		"Append":       s.journal.Append(Records(2, []byte("late"))),
		"Read":         s.journal.Read(1, func(journal.Record) bool { return true }),
		"SaveSnapshot": s.journal.SaveSnapshot(journal.Snapshot{Index: 1}),
		"Snapshot":     snapshotErr,
	} {
		if !errors.Is(err, journal.ErrClosed) {
			t.Errorf("%s after Close: %v, want ErrClosed", name, err)
		}
	}
	s.reopen()
	s.check()
}

func readersSeePrefixes(t *testing.T, s *stage) {
	const groups, size = 60, 4
	model := make([][]byte, 0, groups*size)
	for first := uint64(1); first <= groups*size; first++ {
		model = append(model, Payloads(first, int(first)*7%900)...)
	}
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for s.journal.Last() < uint64(len(model)) && !t.Failed() {
				promised := int(s.journal.Last())
				if err := CheckPrefix(s.journal, model, promised); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for at := 0; at < len(model); at += size {
		s.append(model[at : at+size]...)
	}
	readers.Wait()
	s.check()
}

func longLife(t *testing.T, s *stage) {
	const seed = 20
	random := rand.New(rand.NewPCG(seed, 0))
	for range 150 {
		next := uint64(len(s.model) + 1)
		switch random.IntN(8) {
		case 0:
			s.reopen()
			s.check()
		case 1:
			if next == 1 {
				continue
			}
			err := s.journal.SaveSnapshot(journal.Snapshot{Index: next - 1, Data: fmt.Append(nil, next-1)})
			if err != nil {
				t.Fatal(err)
			}
			s.wantSnapshot(next-1, fmt.Sprint(next-1))
		default:
			sizes := make([]int, 1+random.IntN(5))
			for i := range sizes {
				sizes[i] = random.IntN(1200)
			}
			s.append(Payloads(next, sizes...)...)
		}
	}
	s.check()
}

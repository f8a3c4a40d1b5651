package journal_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// smallJournal has two segments, groups of one to three records, two snapshots
// and a fresh mark. It was closed in good order; everything is acknowledged.
func smallJournal(t *testing.T, seed uint64) (*journaltest.MemFS, [][]byte) {
	t.Helper()
	fsys := journaltest.NewMemFS(seed)
	j := open(t, fsys, journal.Options{SegmentBytes: 230})
	model := journaltest.Payloads(1, 40, 0, 60, 1, 30, 20, 50, 9)
	mustAppend(t, j, model[:3]...)
	mustAppend(t, j, model[3])
	snapshot(t, j, 1)
	snapshot(t, j, 2)
	mustAppend(t, j, model[4])
	mustAppend(t, j, model[5:7]...)
	mustAppend(t, j, model[7])
	closeJournal(t, j)
	return fsys, model
}

// outcome opens a damaged journal and checks the promise: what it holds is a
// prefix of what was appended, and if anything is missing, that was said.
func outcome(fsys *journaltest.MemFS, model [][]byte) (kept int, reported bool, err error) {
	report, verifyErr := journal.Verify(fsys, dir)
	j, err := journal.Open(dir, journal.Options{FS: fsys, SegmentBytes: 230})
	var corrupt *journal.CorruptError
	if errors.As(err, &corrupt) {
		if corrupt.Segment == "" || corrupt.Reason == "" {
			return 0, true, fmt.Errorf("the error does not say what is wrong: %w", corrupt)
		}
		if !errors.As(verifyErr, &corrupt) {
			return 0, true, fmt.Errorf("Open says %w and Verify says %w", err, verifyErr)
		}
		return 0, true, nil
	}
	if err != nil || verifyErr != nil {
		return 0, true, errors.Join(err, verifyErr)
	}
	kept = int(j.Last())
	if err := journaltest.CheckPrefix(j, model, kept); err != nil {
		return kept, false, err
	}
	return kept, report.Torn != nil && j.Report().Torn != nil, j.Close()
}

func TestLastSegmentCutAtEveryByte(t *testing.T) {
	whole, model := smallJournal(t, 1)
	last := segmentPath(5)
	content := whole.Bytes(last)
	for _, withMark := range []bool{true, false} {
		for size := range content {
			fsys := whole.Clone(1)
			fsys.SetBytes(last, content[:size])
			if !withMark {
				fsys.Delete(dir + "/mark")
			}
			kept, reported, err := outcome(fsys, model)
			atBoundary := size == 24 || size == 94 || size == 220
			switch {
			case err != nil:
				t.Errorf("cut at byte %d, mark %v: %v", size, withMark, err)
			case withMark && !reported:
				t.Errorf("cut at byte %d: %d of %d records are left and nothing was said", size, kept, len(model))
			case !withMark && !reported && !atBoundary:
				t.Errorf("cut at byte %d without a mark: %d of %d records and nothing was said", size, kept, len(model))
			case !withMark && kept < 4:
				t.Errorf("cut at byte %d without a mark: records of an earlier segment are gone", size)
			}
		}
	}
}

func TestEachFlippedByteIsFoundOrHarmless(t *testing.T) {
	whole, model := smallJournal(t, 1)
	for _, path := range []string{segmentPath(1), segmentPath(5)} {
		for _, bits := range []byte{0x01, 0x80, 0xff} {
			for offset := range whole.Bytes(path) {
				fsys := whole.Clone(1)
				fsys.Flip(path, int64(offset), bits)
				kept, reported, err := outcome(fsys, model)
				if err == nil && !reported {
					err = fmt.Errorf("it was not noticed, %d records", kept)
				}
				if err != nil {
					t.Errorf("%s with byte %d flipped by %#x: %v", path, offset, bits, err)
				}
			}
		}
	}
	for offset := range whole.Bytes(dir + "/mark") {
		fsys := whole.Clone(1)
		fsys.Flip(dir+"/mark", int64(offset), 0x10)
		if kept, _, err := outcome(fsys, model); err != nil || kept != len(model) {
			t.Errorf("mark with byte %d flipped: %d records, %v", offset, kept, err)
		}
	}
}

func TestAFlippedByteWithoutAMarkIsDamageToo(t *testing.T) {
	whole, model := smallJournal(t, 1)
	whole.Delete(dir + "/mark")
	for offset := range whole.Bytes(segmentPath(5)) {
		fsys := whole.Clone(1)
		fsys.Flip(segmentPath(5), int64(offset), 0x04)
		if _, err := journal.Verify(fsys, dir); err == nil {
			t.Errorf("byte %d of a complete segment flipped: no CorruptError", offset)
		}
		if _, _, err := outcome(fsys, model); err != nil {
			t.Errorf("byte %d flipped: %v", offset, err)
		}
	}
}

// everything is the names and contents of all files.
func everything(t *testing.T, fsys *journaltest.MemFS) string {
	t.Helper()
	var all strings.Builder
	for _, name := range names(t, fsys, "") {
		fmt.Fprintf(&all, "%s %x\n", name, fsys.Bytes(filepath.Join(dir, name)))
	}
	return all.String()
}

func TestDamageChangesNothing(t *testing.T) {
	fsys, _ := smallJournal(t, 1)
	fsys.Flip(segmentPath(5), 100, 0x01)
	before := everything(t, fsys)
	_, err := journal.Open(dir, journal.Options{FS: fsys})
	var corrupt *journal.CorruptError
	if !errors.As(err, &corrupt) || corrupt.Segment != segmentPath(5) || corrupt.Index != 6 {
		t.Errorf("got %v, want damage of record 6 in %s", err, segmentPath(5))
	}
	after := everything(t, fsys)
	if before != after {
		t.Error("Open changed a damaged journal")
	}
}

func TestMissingSegmentsAreDamage(t *testing.T) {
	for _, first := range []uint64{1, 5} {
		fsys, _ := smallJournal(t, 1)
		fsys.Delete(segmentPath(first))
		var corrupt *journal.CorruptError
		if _, err := journal.Open(dir, journal.Options{FS: fsys}); !errors.As(err, &corrupt) {
			t.Errorf("without the segment from %d: %v, want CorruptError", first, err)
		}
	}
	fsys, _ := smallJournal(t, 1)
	fsys.Delete(segmentPath(1))
	fsys.Delete(segmentPath(5))
	var corrupt *journal.CorruptError
	if _, err := journal.Open(dir, journal.Options{FS: fsys}); !errors.As(err, &corrupt) {
		t.Errorf("without any segment: %v, want CorruptError", err)
	}
}

func TestTornGroupIsDroppedAsAWhole(t *testing.T) {
	for seed := range uint64(200) {
		fsys := journaltest.NewMemFS(seed)
		j := open(t, fsys, journal.Options{})
		model := journaltest.Payloads(1, 700, 10, 900, 2000, 300)
		mustAppend(t, j, model[:2]...)
		fsys.Fail(journaltest.Fault{Op: journaltest.OpSync, Number: fsys.Count(journaltest.OpSync) + 1, Err: journaltest.ErrIO})
		_ = j.Append(journaltest.Records(3, model[2:]...)) // ends in ErrBroken, as another test shows
		fsys.Crash()
		j = open(t, fsys, journal.Options{})
		if last := j.Last(); last != 2 {
			t.Errorf("seed %d: %d records after a failed fsync and a crash, want 2", seed, last)
		}
		if err := journaltest.CheckPrefix(j, model, 2); err != nil {
			t.Errorf("seed %d: %v", seed, err)
		}
		mustAppend(t, j, model[2:]...)
		closeJournal(t, j)
	}
}

func TestEveryFailingOperationBreaksTheJournalAndLosesNothing(t *testing.T) {
	for _, op := range []journaltest.Op{journaltest.OpWrite, journaltest.OpSync, journaltest.OpDir} {
		for _, fault := range []error{journaltest.ErrIO, journaltest.ErrNoSpace} {
			for number := 1; failOnce(t, op, fault, number); number++ {
			}
		}
	}
}

// failOnce lives a short life in which one operation fails, twice: with and
// without a crash after it. It is false when there was no such operation.
func failOnce(t *testing.T, op journaltest.Op, fault error, number int) bool {
	t.Helper()
	struck := false
	for crash := range 2 {
		story := fmt.Sprintf("operation %d number %d fails with %v, crash %d", op, number, fault, crash)
		fsys := journaltest.NewMemFS(uint64(number))
		fsys.Fail(journaltest.Fault{Op: op, Number: number, Err: fault, Part: float64(number%3) / 2})
		model := journaltest.Payloads(1, 100, 90, 80, 70, 60, 50, 40, 30)
		acknowledged, err := shortLife(fsys, model)
		if err == nil {
			continue
		}
		struck = true
		if !errors.Is(err, fault) {
			t.Fatalf("%s: the error does not say so: %v", story, err)
		}
		if crash == 1 {
			fsys.Crash()
		}
		fsys.ResetCounts()
		j, err := journal.Open(dir, journal.Options{FS: fsys, SegmentBytes: 300})
		if err != nil {
			t.Fatalf("%s: reopening: %v", story, err)
		}
		if err := journaltest.CheckPrefix(j, model, acknowledged); err != nil {
			t.Fatalf("%s: %v", story, err)
		}
		mustAppend(t, j, model[j.Last():]...)
		closeJournal(t, j)
	}
	return struck
}

// shortLife opens, appends in groups of one and two, saves snapshots and closes,
// until something fails.
func shortLife(fsys *journaltest.MemFS, model [][]byte) (acknowledged int, err error) {
	j, err := journal.Open(dir, journal.Options{FS: fsys, SegmentBytes: 300, KeepBytes: 1 << 20})
	if err != nil {
		return 0, err
	}
	for at := 0; at < len(model); {
		next := min(at+1+at%2, len(model))
		err := j.Append(journaltest.Records(uint64(at+1), model[at:next]...))
		if err != nil {
			again := j.Append(journaltest.Records(uint64(at+1), model[at:next]...))
			if !errors.Is(err, journal.ErrBroken) || !errors.Is(again, journal.ErrBroken) {
				return at, fmt.Errorf("want ErrBroken, now and again: %w, %w", err, again)
			}
			return at, errors.Join(err, j.Close())
		}
		at = next
		if err := j.SaveSnapshot(journal.Snapshot{Index: uint64(at)}); err != nil {
			return at, errors.Join(err, j.Close())
		}
	}
	return len(model), j.Close()
}

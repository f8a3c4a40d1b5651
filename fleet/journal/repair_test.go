package journal_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

func repair(t *testing.T, fsys *journaltest.MemFS) journal.RepairReport {
	t.Helper()
	report, err := journal.Repair(fsys, dir)
	if err != nil {
		t.Fatalf("repairing: %v", err)
	}
	return report
}

func TestRepairLeavesASoundJournalAlone(t *testing.T) {
	fsys, model := smallJournal(t, 1)
	report := repair(t, fsys)
	if len(report.Damage) != 0 || len(report.SideFiles) != 0 || report.Lost || report.Report.Last != uint64(len(model)) {
		t.Errorf("report is %+v", report)
	}
}

func TestRepairCutsAtTheDamagedRecordAndKeepsTheRest(t *testing.T) {
	fsys, model := smallJournal(t, 1)
	content := fsys.Bytes(segmentPath(5))
	fsys.Flip(segmentPath(5), 200, 0x01) // in record 7, the second of its group
	report := repair(t, fsys)
	if !report.Lost || len(report.Damage) != 1 || report.Damage[0].Index != 7 {
		t.Errorf("report is %+v", report)
	}
	if len(report.SideFiles) != 1 {
		t.Fatalf("side files are %v, want one", report.SideFiles)
	}
	side := fsys.Bytes(report.SideFiles[0])
	if len(side) != len(content)-94 {
		t.Errorf("side file has %d bytes, want everything from the group on, %d", len(side), len(content)-94)
	}
	j := open(t, fsys, journal.Options{})
	if j.Last() != 6 {
		t.Errorf("%d records are left, want 6", j.Last())
	}
	if err := journaltest.CheckPrefix(j, model, 6); err != nil {
		t.Error(err)
	}
	mustAppend(t, j, []byte("a new seventh"))
	closeJournal(t, j)
}

func TestRepairOfAcknowledgedRecordsCutShort(t *testing.T) {
	whole, model := smallJournal(t, 1)
	content := whole.Bytes(segmentPath(5))
	for size := range content {
		fsys := whole.Clone(1)
		fsys.SetBytes(segmentPath(5), content[:size])
		report := repair(t, fsys)
		j := open(t, fsys, journal.Options{})
		if err := journaltest.CheckPrefix(j, model, 4); err != nil || !report.Lost {
			t.Errorf("cut at byte %d: lost %v, %v", size, report.Lost, err)
		}
		if size >= 170 && j.Last() < 6 {
			t.Errorf("cut at byte %d: %d records are left; record 6 was whole", size, j.Last())
		}
		closeJournal(t, j)
	}
}

// longJournal has five segments of two records, the last snapshots at the given
// records.
func longJournal(t *testing.T, snapshots ...uint64) *journaltest.MemFS {
	t.Helper()
	fsys := journaltest.NewMemFS(1)
	j := open(t, fsys, journal.Options{SegmentBytes: 300})
	for i := range uint64(10) {
		mustAppend(t, j, journaltest.Payloads(i+1, 100)...)
	}
	for _, index := range snapshots {
		snapshot(t, j, index)
	}
	closeJournal(t, j)
	return fsys
}

func TestRepairKeepsTheStateThatReachesFurthest(t *testing.T) {
	tests := []struct {
		name      string
		snapshots []uint64
		damage    func(*journaltest.MemFS)
		first     uint64
		last      uint64
		lost      bool
	}{
		{"a snapshot covers the damaged segment", []uint64{3, 6}, func(m *journaltest.MemFS) { m.Flip(segmentPath(3), 80, 1) }, 4, 10, false},
		{"a snapshot covers the missing segment", []uint64{3, 6}, func(m *journaltest.MemFS) { m.Delete(segmentPath(3)) }, 5, 10, false},
		{"a snapshot covers the damaged first half of a segment", []uint64{3, 5}, func(m *journaltest.MemFS) { m.Flip(segmentPath(5), 80, 1) }, 6, 10, false},
		{"two segments are damaged", []uint64{3, 9}, func(m *journaltest.MemFS) { m.Flip(segmentPath(1), 80, 1); m.Flip(segmentPath(7), 80, 1) }, 8, 10, false},
		{"no snapshot covers the damage", []uint64{3, 4}, func(m *journaltest.MemFS) { m.Flip(segmentPath(7), 80, 1) }, 1, 6, true},
		{"the segments' headers are damaged", nil, func(m *journaltest.MemFS) { m.Flip(segmentPath(7), 1, 1) }, 1, 6, true},
		{"a snapshot knows more than the records", []uint64{3, 10}, func(m *journaltest.MemFS) { m.Delete(segmentPath(9)) }, 0, 10, false},
		{"only a snapshot is left", []uint64{3, 10}, func(m *journaltest.MemFS) {
			for first := uint64(1); first < 10; first += 2 {
				m.Delete(segmentPath(first))
			}
		}, 0, 10, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fsys := longJournal(t, test.snapshots...)
			test.damage(fsys)
			var corrupt *journal.CorruptError
			if _, err := journal.Open(dir, journal.Options{FS: fsys}); !errors.As(err, &corrupt) {
				t.Fatalf("opening: %v, want CorruptError", err)
			}
			report := repair(t, fsys)
			j := open(t, fsys, journal.Options{})
			if j.First() != test.first || j.Last() != test.last || report.Lost != test.lost {
				t.Errorf("holds %d to %d, lost %v, want %d to %d, lost %v; report %+v",
					j.First(), j.Last(), report.Lost, test.first, test.last, test.lost, report)
			}
			mustAppend(t, j, []byte("next"))
			closeJournal(t, j)
			j = open(t, fsys, journal.Options{})
			if j.Last() != test.last+1 {
				t.Errorf("after one more record it ends at %d", j.Last())
			}
			closeJournal(t, j)
		})
	}
}

func TestRepairCanBeInterruptedAnywhere(t *testing.T) {
	for number := 1; ; number++ {
		fsys := longJournal(t, 3, 5)
		fsys.Flip(segmentPath(5), 80, 1)
		fsys.Flip(segmentPath(9), 80, 1)
		fsys.ResetCounts()
		op := journaltest.OpDir
		if number%2 == 0 {
			op = journaltest.OpSync
		}
		fsys.Fail(journaltest.Fault{Op: op, Number: number/2 + 1, Err: journaltest.ErrIO})
		_, err := journal.Repair(fsys, dir)
		if err == nil && number > 30 {
			return
		}
		fsys.Crash()
		fsys.ResetCounts()
		repair(t, fsys)
		j := open(t, fsys, journal.Options{})
		if j.First() != 6 || j.Last() != 8 {
			t.Errorf("%s: holds %d to %d, want 6 to 8", fmt.Sprint(number, err), j.First(), j.Last())
		}
		closeJournal(t, j)
	}
}

func TestALostBeginningCannotBeRepaired(t *testing.T) {
	fsys := longJournal(t)
	fsys.Delete(segmentPath(1))
	var corrupt *journal.CorruptError
	if _, err := journal.Repair(fsys, dir); !errors.As(err, &corrupt) {
		t.Errorf("got %v, want CorruptError", err)
	}
}

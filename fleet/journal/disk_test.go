package journal_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

const dir = "fleet"

func open(t testing.TB, fsys journal.FS, options journal.Options) *journal.Disk {
	t.Helper()
	options.FS = fsys
	j, err := journal.Open(dir, options)
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	return j
}

func closeJournal(t testing.TB, j *journal.Disk) {
	t.Helper()
	if err := j.Close(); err != nil {
		t.Fatalf("closing: %v", err)
	}
}

func mustAppend(t testing.TB, j *journal.Disk, data ...[]byte) {
	t.Helper()
	if err := j.Append(journaltest.Records(j.Last()+1, data...)); err != nil {
		t.Fatalf("appending: %v", err)
	}
}

func snapshot(t testing.TB, j *journal.Disk, index uint64) {
	t.Helper()
	if err := j.SaveSnapshot(journal.Snapshot{Index: index, Data: fmt.Appendf(nil, "state %d", index)}); err != nil {
		t.Fatal(err)
	}
}

func segmentPath(first uint64) string { return filepath.Join(dir, fmt.Sprintf("%020d.seg", first)) }

func snapshotPath(index uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%020d.snap", index))
}

func names(t testing.TB, fsys *journaltest.MemFS, suffix string) []string {
	t.Helper()
	all, err := fsys.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var some []string
	for _, name := range all {
		if strings.HasSuffix(name, suffix) {
			some = append(some, name)
		}
	}
	return some
}

func TestContractOnTheRealDisk(t *testing.T) {
	journaltest.Run(t, func(t *testing.T) func() (journal.Journal, error) {
		root := filepath.Join(t.TempDir(), "data", "fleet")
		return func() (journal.Journal, error) { return journal.Open(root, journal.Options{SegmentBytes: 4096}) }
	})
}

func TestContractInMemory(t *testing.T) {
	journaltest.Run(t, func(*testing.T) func() (journal.Journal, error) {
		fsys := journaltest.NewMemFS(1)
		return func() (journal.Journal, error) { return journal.Open(dir, journal.Options{FS: fsys}) }
	})
}

func TestADirectoryHasOneOwner(t *testing.T) {
	root := t.TempDir()
	owner, err := journal.Open(root, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = journal.Open(root, journal.Options{})
	if !errors.Is(err, journal.ErrLocked) || !strings.Contains(err.Error(), root) {
		t.Errorf("second Open: %v, want ErrLocked naming %s", err, root)
	}
	if _, err := journal.Repair(nil, root); !errors.Is(err, journal.ErrLocked) {
		t.Errorf("Repair beside an owner: %v, want ErrLocked", err)
	}
	closeJournal(t, owner)
	second, err := journal.Open(root, journal.Options{})
	if err != nil {
		t.Fatalf("Open after Close: %v", err)
	}
	closeJournal(t, second)
}

func TestSegmentsRotateAndStayReadable(t *testing.T) {
	fsys := journaltest.NewMemFS(1)
	j := open(t, fsys, journal.Options{SegmentBytes: 300})
	var model [][]byte
	for i := range 10 {
		data := journaltest.Payloads(uint64(i+1), 100)
		mustAppend(t, j, data...)
		model = append(model, data...)
	}
	if got := len(names(t, fsys, ".seg")); got != 5 {
		t.Errorf("%d segments, want 5 of two records each", got)
	}
	closeJournal(t, j)
	j = open(t, fsys, journal.Options{SegmentBytes: 300})
	if err := journaltest.CheckPrefix(j, model, 10); err != nil {
		t.Error(err)
	}
	if report := j.Report(); report.Segments != 5 || report.First != 1 || report.Last != 10 || report.Torn != nil {
		t.Errorf("report is %+v", report)
	}
	closeJournal(t, j)
}

func TestRetentionRemovesOnlyWhatTwoSnapshotsCover(t *testing.T) {
	fsys := journaltest.NewMemFS(1)
	options := journal.Options{SegmentBytes: 300, KeepBytes: 1000}
	j := open(t, fsys, options)
	for i := range 10 {
		mustAppend(t, j, journaltest.Payloads(uint64(i+1), 100)...)
	}
	snapshot(t, j, 9)
	if first := j.First(); first != 1 {
		t.Errorf("with one snapshot the journal begins at %d, want 1", first)
	}
	snapshot(t, j, 10)
	if first := j.First(); first != 5 {
		t.Errorf("with two snapshots the journal begins at %d, want 5: three segments fit 1000 bytes", first)
	}
	err := j.Read(4, func(journal.Record) bool { return true })
	if !errors.Is(err, journal.ErrRemoved) {
		t.Errorf("reading a removed record: %v, want ErrRemoved", err)
	}
	mustAppend(t, j, journaltest.Payloads(11, 100)...)
	snapshot(t, j, 11)
	if got := names(t, fsys, ".snap"); len(got) != 2 || !strings.HasSuffix(got[0], "010.snap") {
		t.Errorf("snapshots are %v, want those of 10 and 11", got)
	}
	closeJournal(t, j)
	j = open(t, fsys, options)
	if j.First() != 7 || j.Last() != 11 {
		t.Errorf("reopened journal has %d to %d, want 7 to 11", j.First(), j.Last())
	}
	closeJournal(t, j)
	fsys.Delete(snapshotPath(10))
	fsys.Delete(snapshotPath(11))
	var corrupt *journal.CorruptError
	if _, err := journal.Open(dir, journal.Options{FS: fsys}); !errors.As(err, &corrupt) {
		t.Errorf("records from 7 without a snapshot: %v, want CorruptError", err)
	}
}

func TestADamagedSnapshotFallsBack(t *testing.T) {
	fsys := journaltest.NewMemFS(1)
	j := open(t, fsys, journal.Options{})
	mustAppend(t, j, journaltest.Payloads(1, 9, 9, 9)...)
	snapshot(t, j, 1)
	snapshot(t, j, 2)
	whole := fsys.Bytes(snapshotPath(2))
	closeJournal(t, j)
	for offset := range whole {
		damaged := fsys.Clone(1)
		damaged.Flip(snapshotPath(2), int64(offset), 0x40)
		checkFallback(t, damaged, fmt.Sprintf("byte %d flipped", offset))
		damaged = fsys.Clone(1)
		damaged.SetBytes(snapshotPath(2), whole[:offset])
		checkFallback(t, damaged, fmt.Sprintf("cut at byte %d", offset))
	}
}

func checkFallback(t *testing.T, fsys *journaltest.MemFS, how string) {
	t.Helper()
	j := open(t, fsys, journal.Options{})
	defer closeJournal(t, j)
	got, ok, err := j.Snapshot()
	if err != nil || !ok || got.Index != 1 || string(got.Data) != "state 1" {
		t.Errorf("%s: got %d %q, %v, %v, want the snapshot before", how, got.Index, got.Data, ok, err)
	}
	if bad := j.Report().BadSnapshots; len(bad) != 1 || bad[0].Path != snapshotPath(2) {
		t.Errorf("%s: reported %v", how, bad)
	}
}

func TestLimitsRefuseBeforeWriting(t *testing.T) {
	fsys := journaltest.NewMemFS(1)
	j := open(t, fsys, journal.Options{MaxRecordBytes: 10})
	mustAppend(t, j, bytes.Repeat([]byte("x"), 10))
	writes := fsys.Count(journaltest.OpWrite)
	err := j.Append(journaltest.Records(2, bytes.Repeat([]byte("x"), 11)))
	if !errors.Is(err, journal.ErrTooLarge) {
		t.Errorf("a record of 11 bytes: %v, want ErrTooLarge", err)
	}
	if fsys.Count(journaltest.OpWrite) != writes {
		t.Error("a refused record was written")
	}
	mustAppend(t, j, []byte("fits"))
	closeJournal(t, j)
	for _, options := range []journal.Options{{SegmentBytes: -1}, {KeepBytes: -1}, {MaxRecordBytes: -1}, {MaxRecordBytes: 1 << 30}} {
		if _, err := journal.Open(dir, options); err == nil {
			t.Errorf("options %+v were accepted", options)
		}
	}
}

func TestOneGroupIsOneWriteAndOneSync(t *testing.T) {
	fsys := journaltest.NewMemFS(1)
	j := open(t, fsys, journal.Options{})
	mustAppend(t, j, []byte("makes the segment"))
	fsys.ResetCounts()
	mustAppend(t, j, journaltest.Payloads(2, make([]int, 256)...)...)
	// The second write is the commit mark's, which is not synced.
	if w, s := fsys.Count(journaltest.OpWrite), fsys.Count(journaltest.OpSync); w != 2 || s != 1 {
		t.Errorf("a group took %d writes and %d syncs, want 2 and 1", w, s)
	}
	closeJournal(t, j)
}

func TestAnAppendAllocatesNothing(t *testing.T) {
	j, err := journal.Open(t.TempDir(), journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer closeJournal(t, j)
	mustAppend(t, j, make([]byte, 200))
	records := journaltest.Records(0, make([]byte, 100))
	got := testing.AllocsPerRun(20, func() {
		records[0].Index = j.Last() + 1
		if err := j.Append(records); err != nil {
			t.Fatal(err)
		}
	})
	if got > 0 {
		t.Errorf("Append allocates %v times", got)
	}
}

func BenchmarkAppend(b *testing.B) {
	for _, size := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("group=%d", size), func(b *testing.B) {
			j, err := journal.Open(b.TempDir(), journal.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer closeJournal(b, j)
			records := journaltest.Records(1, journaltest.Payloads(1, make([]int, size)...)...)
			data := make([]byte, 300)
			b.SetBytes(int64(size * len(data)))
			for b.Loop() {
				next := j.Last() + 1
				for i := range records {
					records[i] = journal.Record{Index: next + uint64(i), Data: data}
				}
				if err := j.Append(records); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	root := b.TempDir()
	j, err := journal.Open(root, journal.Options{})
	if err != nil {
		b.Fatal(err)
	}
	data := journaltest.Payloads(1, 300)
	group := make([][]byte, 256)
	for i := range group {
		group[i] = data[0]
	}
	for range 400 {
		mustAppend(b, j, group...)
	}
	closeJournal(b, j)
	b.SetBytes(400 * 256 * 316)
	for b.Loop() {
		if _, err := journal.Verify(nil, root); err != nil {
			b.Fatal(err)
		}
	}
}

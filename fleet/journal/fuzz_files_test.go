package journal_test

import (
	"bytes"
	"errors"
	"path/filepath"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// twoGroups is a journal of five records and a snapshot at the third.
func twoGroups(f *testing.F) *journaltest.MemFS {
	f.Helper()
	fsys := journaltest.NewMemFS(1)
	j := open(f, fsys, journal.Options{})
	mustAppend(f, j, journaltest.Payloads(1, 10, 0, 5)...)
	mustAppend(f, j, journaltest.Payloads(4, 20, 600)...)
	snapshot(f, j, 3)
	closeJournal(f, j)
	return fsys
}

// FuzzMark puts arbitrary bytes in the place of the mark. A journal that
// still opens has every record that was acknowledged, unless the mark itself is
// intact and says otherwise; one that does not says that it is damaged.
func FuzzMark(f *testing.F) {
	whole := twoGroups(f)
	path := filepath.Join(dir, "mark")
	mark := whole.Bytes(path)
	if len(mark) == 0 {
		f.Fatalf("the mark is not in %s", path)
	}
	segment := whole.Bytes(segmentPath(1))
	f.Add(mark)
	f.Add([]byte{})
	f.Add(mark[:len(mark)/2])
	f.Add(bytes.Repeat([]byte{0xff}, len(mark)))
	f.Add(append(bytes.Clone(mark), mark...))
	f.Fuzz(func(t *testing.T, content []byte) {
		fsys := journaltest.NewMemFS(1)
		fsys.SetBytes(segmentPath(1), segment)
		fsys.SetBytes(path, content)
		j, err := journal.Open(dir, journal.Options{FS: fsys})
		if _, corrupt := errors.AsType[*journal.CorruptError](err); corrupt {
			return
		}
		if err != nil {
			t.Fatalf("a bad mark is no reason not to open, but for damage: %v", err)
		}
		if j.Last() != 5 {
			t.Errorf("%d records are left of 5", j.Last())
		}
		mustAppend(t, j, []byte("more"))
		closeJournal(t, j)
		if again := open(t, fsys, journal.Options{}); again.Last() != 6 {
			t.Errorf("after writing and opening again the last record is %d", again.Last())
		}
	})
}

// FuzzSnapshot puts arbitrary bytes in the place of the newest snapshot. What is
// handed out is a snapshot that was saved, or none.
func FuzzSnapshot(f *testing.F) {
	whole := twoGroups(f)
	saved := whole.Bytes(snapshotPath(3))
	f.Add(saved)
	f.Add([]byte{})
	f.Add(saved[:len(saved)-1])
	f.Add(append(bytes.Clone(saved), 0))
	names, err := whole.ReadDir(dir)
	if err != nil {
		f.Fatal(err)
	}
	contents := map[string][]byte{}
	for _, name := range names {
		contents[name] = whole.Bytes(filepath.Join(dir, name))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		fsys := journaltest.NewMemFS(1)
		for name, data := range contents {
			fsys.SetBytes(filepath.Join(dir, name), data)
		}
		fsys.SetBytes(snapshotPath(3), content)
		j, err := journal.Open(dir, journal.Options{FS: fsys})
		if err != nil {
			if bytes.Equal(content, saved) {
				t.Fatalf("the journal is whole and does not open: %v", err)
			}
			return // The snapshot says that it is of another version.
		}
		got, ok, err := j.Snapshot()
		switch {
		case err != nil:
			t.Fatalf("reading the snapshot: %v", err)
		case bytes.Equal(content, saved) && (!ok || got.Index != 3 || string(got.Data) != "state 3"):
			t.Fatalf("the snapshot that was saved is read as %v, %d, %q", ok, got.Index, got.Data)
		case ok && got.Index != 3:
			t.Fatalf("a snapshot of record %d comes from nowhere", got.Index)
		}
		closeJournal(t, j)
	})
}

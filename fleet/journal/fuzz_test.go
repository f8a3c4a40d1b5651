package journal_test

import (
	"errors"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/journaltest"
)

// FuzzSegment reads arbitrary bytes as the only segment. Whatever they are,
// Open and Verify agree, a journal that opens can be read and appended to, and
// one that is damaged can be repaired without losing a record that was readable.
func FuzzSegment(f *testing.F) {
	fsys := journaltest.NewMemFS(1)
	j := open(f, fsys, journal.Options{})
	mustAppend(f, j, journaltest.Payloads(1, 10, 0, 600)...)
	mustAppend(f, j, journaltest.Payloads(4, 20)...)
	closeJournal(f, j)
	whole := fsys.Bytes(segmentPath(1))
	f.Add([]byte{})
	f.Add(whole)
	f.Add(whole[:len(whole)-3])
	f.Add(append(whole[:200:200], make([]byte, 900)...))
	for _, offset := range []int{3, 30, 60, 700} {
		flipped := append([]byte{}, whole...)
		flipped[offset] ^= 1
		f.Add(flipped)
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		fsys := journaltest.NewMemFS(1)
		fsys.SetBytes(segmentPath(1), content)
		before, verifyErr := journal.Verify(fsys, dir)
		j, err := journal.Open(dir, journal.Options{FS: fsys})
		if (err == nil) != (verifyErr == nil) {
			t.Fatalf("Open says %v and Verify says %v", err, verifyErr)
		}
		var corrupt *journal.CorruptError
		if errors.As(err, &corrupt) {
			if _, err := journal.Repair(fsys, dir); err != nil {
				t.Fatalf("Repair: %v", err)
			}
			j, err = journal.Open(dir, journal.Options{FS: fsys})
		}
		if err != nil {
			if corrupt != nil {
				t.Fatalf("opening after Repair: %v", err)
			}
			return // another format version
		}
		if j.Last() < before.Last {
			t.Fatalf("%d records were good and %d are left", before.Last, j.Last())
		}
		mustAppend(t, j, []byte("more"))
		closeJournal(t, j)
	})
}

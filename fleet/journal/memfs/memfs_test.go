package memfs_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/memfs"
)

func records(from uint64, n, size int) []journal.Record {
	list := make([]journal.Record, n)
	for i := range list {
		list[i] = journal.Record{Index: from + uint64(i), Data: bytes.Repeat([]byte{'x'}, size)}
	}
	return list
}

func open(t *testing.T, disk *memfs.FS) *journal.Disk {
	t.Helper()
	j, err := journal.Open("j", journal.Options{FS: disk})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAFullDiskTakesNothingUntilThereIsRoom(t *testing.T) {
	disk := memfs.New(1)
	j := open(t, disk)
	if err := j.Append(records(1, 3, 100)); err != nil {
		t.Fatal(err)
	}
	disk.SetFull(true)
	if err := j.Append(records(4, 3, 1000)); !errors.Is(err, memfs.ErrNoSpace) || !errors.Is(err, journal.ErrBroken) {
		t.Fatalf("appending to a full disk: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Open("j", journal.Options{FS: disk}); !errors.Is(err, memfs.ErrNoSpace) {
		t.Fatalf("opening on a full disk: %v", err)
	}
	disk.SetFull(false)
	j = open(t, disk)
	if j.Last() != 3 {
		t.Errorf("it ends at %d", j.Last())
	}
	if err := j.Append(records(4, 3, 1000)); err != nil {
		t.Error(err)
	}
}

func TestABrokenDiskSyncsNothing(t *testing.T) {
	disk := memfs.New(1)
	j := open(t, disk)
	disk.SetBroken(true)
	if err := j.Append(records(1, 1, 10)); !errors.Is(err, memfs.ErrIO) {
		t.Fatalf("appending without fsync: %v", err)
	}
	_ = j.Close()
	disk.SetBroken(false)
	j = open(t, disk)
	// What was written is still seen, and was made durable by opening.
	last := j.Last()
	disk.Crash()
	if j = open(t, disk); j.Last() != last {
		t.Errorf("%d records were found, and %d after the next crash", last, j.Last())
	}
}

// TestACrashInTheMidstOfAppending halts the disk before each of the changes that
// a group needs: the group is there as a whole or not at all, and nothing before
// it is lost, whether the machine or only the program stops.
func TestACrashInTheMidstOfAppending(t *testing.T) {
	kept, dropped := 0, 0
	for seed := range uint64(200) {
		disk := memfs.New(seed)
		j := open(t, disk)
		if err := j.Append(records(1, 3, 700)); err != nil {
			t.Fatal(err)
		}
		disk.Halt(int(seed % 4))
		err := j.Append(records(4, 5, 700))
		if seed%4 < 3 && !errors.Is(err, memfs.ErrHalted) {
			t.Fatalf("seed %d: a halted disk gave %v", seed, err)
		}
		if seed%8 < 4 {
			disk.Crash()
		} else {
			disk.Kill()
		}
		switch j = open(t, disk); j.Last() {
		case 3:
			dropped++
		case 8:
			kept++
		default:
			t.Fatalf("seed %d: the record ends at %d", seed, j.Last())
		}
	}
	if kept < 20 || dropped < 20 {
		t.Errorf("%d groups were kept and %d dropped", kept, dropped)
	}
}

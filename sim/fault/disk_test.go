package fault_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/sim/fault"
)

// TestWhatWasSyncedSurvives crashes a disk a hundred times: at rest, in the midst
// of an append and in the midst of opening. Whatever Append confirmed is there
// afterwards, and whatever is there was appended.
func TestWhatWasSyncedSurvives(t *testing.T) {
	for seed := range uint64(10) {
		draw := rand.New(rand.NewPCG(seed, 2))
		disk := fault.NewDisk(seed, draw)
		confirmed, written, stillborn := uint64(0), uint64(0), 0
		for range 100 {
			if draw.IntN(3) == 0 {
				disk.HaltOpening()
			}
			j, err := disk.Open()
			if fault.Halted(err) {
				stillborn++
				disk.Crash(nil)
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			if last := j.Last(); last < confirmed || last > written {
				t.Fatalf("seed %d: %d records are found, %d were confirmed of %d", seed, last, confirmed, written)
			}
			written = j.Last()
			for range 1 + draw.IntN(5) {
				group := someRecords(written+1, 1+draw.IntN(20))
				written += uint64(len(group))
				if j.Append(group) != nil {
					break
				}
				confirmed = written
			}
			midst := func() {
				group := someRecords(written+1, 5)
				written += 5
				_ = j.Append(group) // Nobody hears of it.
			}
			if written > confirmed || draw.IntN(2) == 0 {
				midst = nil
			}
			disk.Crash(midst)
		}
		if confirmed == 0 || stillborn == 0 {
			t.Errorf("seed %d: %d records confirmed, %d openings cut short", seed, confirmed, stillborn)
		}
	}
}

func someRecords(from uint64, n int) []journal.Record {
	list := make([]journal.Record, n)
	for i := range list {
		list[i] = journal.Record{Index: from + uint64(i), Data: fmt.Appendf(nil, "record %d", from+uint64(i))}
	}
	return list
}

func TestFaultsOfADiskOverlapAndEnd(t *testing.T) {
	for name, change := range map[string]func(*fault.Disk, int){"full": (*fault.Disk).Fill, "broken": (*fault.Disk).Break} {
		disk := fault.NewDisk(1, rand.New(rand.NewPCG(1, 2)))
		change(disk, 1)
		change(disk, 1)
		change(disk, -1)
		if _, err := disk.Open(); err == nil || !fault.OfDisk(err) || fault.Halted(err) {
			t.Errorf("%s: opening says %v", name, err)
		}
		change(disk, -1)
		j, err := disk.Open()
		if err != nil {
			t.Fatalf("%s: afterwards: %v", name, err)
		}
		if err := j.Append(someRecords(1, 3)); err != nil {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
}

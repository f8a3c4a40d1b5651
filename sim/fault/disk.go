package fault

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/kapok-fleet/kapok/fleet/journal"
	"github.com/kapok-fleet/kapok/fleet/journal/memfs"
)

// The sizes of the simulated journal, small enough for segments to fill up, and
// to be removed, within a run.
const (
	segmentBytes = 2 << 20
	keepBytes    = 8 << 20
)

// The changes that a disk makes for an Append, a segment more included, and for
// opening a journal and appending: a crash in their midst comes after fewer.
const (
	appendChanges = 4
	openChanges   = 16
)

// Disk is the disk of a simulated backend. What was synced survives every crash.
type Disk struct {
	files *memfs.FS
	draw  *rand.Rand
	// full and broken count the faults that last at present.
	full, broken int
}

// NewDisk makes an empty disk. What crashes keep is drawn from the seed, and what
// kind of crashes they are from the source.
func NewDisk(seed uint64, draw *rand.Rand) *Disk {
	return &Disk{files: memfs.New(seed), draw: draw}
}

// Open opens the journal on the disk.
func (d *Disk) Open() (journal.Journal, error) {
	j, err := journal.Open("journal", journal.Options{FS: d.files, SegmentBytes: segmentBytes, KeepBytes: keepBytes})
	if err != nil {
		return nil, fmt.Errorf("fault: opening the journal: %w", err)
	}
	return j, nil
}

// Fill begins (+1) or ends (-1) a time in which the disk is full.
func (d *Disk) Fill(by int) {
	d.full += by
	d.files.SetFull(d.full > 0)
}

// Break begins (+1) or ends (-1) a time in which every fsync fails.
func (d *Disk) Break(by int) {
	d.broken += by
	d.files.SetBroken(d.broken > 0)
}

// Crash ends the program in the midst of what it is writing, nil for nothing. In
// half of all cases the power is gone too: then of what was not synced anything
// may be lost, whole or torn.
func (d *Disk) Crash(writing func()) (power bool) {
	if writing != nil {
		d.files.Halt(d.draw.IntN(appendChanges))
		writing()
	}
	if d.draw.IntN(2) == 0 {
		d.files.Kill()
		return false
	}
	d.files.Crash()
	return true
}

// HaltOpening lets the next opening, and what follows it, come to a sudden end
// somewhere, after which Crash(nil) is to be called; Opened takes it back.
func (d *Disk) HaltOpening() { d.files.Halt(d.draw.IntN(openChanges)) }

// Opened says that what HaltOpening was to strike is over.
func (d *Disk) Opened() { d.files.Halt(-1) }

// Heal ends all faults.
func (d *Disk) Heal() {
	d.Fill(-d.full)
	d.Break(-d.broken)
	d.Opened()
}

// Halted tells whether an error is that of a disk that was halted.
func Halted(err error) bool { return errors.Is(err, memfs.ErrHalted) }

// OfDisk tells whether an error is one that a failing disk gives, and not damage
// or a fault of the journal.
func OfDisk(err error) bool {
	return errors.Is(err, memfs.ErrIO) || errors.Is(err, memfs.ErrNoSpace) || Halted(err)
}

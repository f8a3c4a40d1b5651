// Package journal keeps the durable record of one fleet on the local disk.
//
// A journal is a sequence of records, counted from 1 without gaps, and beside
// it the last two snapshots of the state that the records lead to. The package
// does not know what a record says. What it promises is this: when Append has
// returned, the records survive the loss of the process and of power, and what
// is read back is either exactly what was written or an error that names the
// damage. It never hands out wrong data and never panics on bad files.
//
// # Files
//
// A directory holds segments (FIRSTINDEX.seg), snapshots (INDEX.snap), the
// commit mark (mark), and a lock file (lock). All integers are little-endian,
// all checksums CRC-32C (Castagnoli).
//
//	segment  magic[8] version:4 first:8 crc:4, then groups
//	group    magic:4 length:4 first:8 count:4 crc:4 of the 20 bytes before, then count records
//	record   length:4 index:8 crc:4 of length, index and data, then data
//	snapshot magic[8] version:4 index:8 length:8 crc:4 of all else, then data
//	mark     two slots of 512 bytes: magic[8] last:8 segment:8 end:8 crc:4
//
// One Append is one group: one write and one fsync.
//
// # Torn or damaged
//
// A crash in the middle of an Append leaves an incomplete last group, which
// nobody was told of and which Open drops and reports. Damage to what was
// acknowledged must not be taken for that. Three things tell them apart:
//
//   - Only the last group can be torn, because a group is written after the one
//     before it is durable. Anything wrong that is followed by a later group or
//     segment is damage.
//   - An interrupted write leaves missing bytes: a short file, or sectors of
//     512 bytes that read as zeros. A last group that is complete and has other
//     bytes than it should is damage.
//   - After each fsync the commit mark is overwritten with the last durable
//     index. It is not itself synced for each group, so after a power failure
//     it may be older than the record, never newer. A record that ends below
//     the mark, or below a snapshot, has lost acknowledged data: that is damage.
//
// What remains undecidable: after a power failure that also loses the newest
// mark, a last group that lost whole sectors of acknowledged data looks torn.
// Open then still reports what it dropped.
//
// Damage makes Open return a *CorruptError and change nothing. Repair cuts it
// off when a person asks for it, and keeps what it cuts.
package journal

import (
	"errors"
	"fmt"
)

// Record is one durable event. Index counts from 1 without gaps; Data is
// opaque. Data may be empty; it never comes back as nil.
type Record struct {
	Index uint64
	Data  []byte
}

// Snapshot is the state after the record with Index.
type Snapshot struct {
	Index uint64
	Data  []byte
}

// Journal is the contract that every journal passes (journaltest.Run). One
// goroutine appends and saves snapshots; any goroutine may read.
type Journal interface {
	// Append writes records and makes them durable before it returns, with one
	// write and one fsync for the group. Indices must continue from Last
	// without a gap. A group that breaks a rule (ErrGap, ErrTooLarge) is refused
	// before anything is written. After any other error the journal is unusable
	// (ErrBroken) until it is reopened; there is no retry, and the group may or
	// may not be found there, as a whole. An empty group does nothing. The
	// journal keeps no reference to the records.
	Append(records []Record) error
	// Read calls yield for each record with Index >= from, in order, until yield
	// returns false. From 0 means the oldest stored record; an index that
	// retention has removed gives ErrRemoved; one above Last gives nothing. It may
	// run beside Append and reads only what was durable when it started. Data
	// belongs to the journal and is valid only during the call.
	Read(from uint64, yield func(Record) bool) error
	// SaveSnapshot writes a snapshot atomically and keeps the last two. Its
	// index must be at most Last and at least that of the newest snapshot. An
	// error leaves the journal usable and the earlier snapshots in place.
	SaveSnapshot(Snapshot) error
	// Snapshot returns the newest valid snapshot, and false for none. A damaged
	// newest one falls back to the one before. The data belongs to the caller.
	Snapshot() (Snapshot, bool, error)
	// First is the index of the oldest stored record, 0 when none is stored.
	First() uint64
	// Last is the index of the newest durable record, 0 when there never was
	// one. The next record to append has Last plus one.
	Last() uint64
	// Close releases the journal. Everything acknowledged is already durable.
	// After it every call fails with ErrClosed.
	Close() error
}

// The kinds of failure a caller tells apart with errors.Is.
var (
	// ErrBroken says that a write or fsync has failed, now or before: what of
	// the last group is durable is unknown until the journal is reopened.
	ErrBroken = errors.New("journal is broken and must be reopened")
	// ErrClosed says that the journal was closed.
	ErrClosed = errors.New("journal is closed")
	// ErrGap says that an index does not continue the sequence.
	ErrGap = errors.New("index does not continue the journal")
	// ErrTooLarge says that a record, group or snapshot exceeds its limit.
	ErrTooLarge = errors.New("too large for the journal")
	// ErrRemoved says that retention has removed the records asked for.
	ErrRemoved = errors.New("records were removed by retention")
	// ErrLocked says that another process has the directory open.
	ErrLocked = errors.New("journal directory is in use by another process")
)

// CorruptError says that stored data which was, or may have been, acknowledged
// is damaged or missing. Nothing was changed on the disk.
type CorruptError struct {
	// Segment is the path of the damaged file.
	Segment string
	// Offset in bytes, from the start of the file, of the first damaged part.
	Offset int64
	// Index of the first record that cannot be read.
	Index uint64
	// Reason says what is wrong, for a person.
	Reason string
}

// Error names file, place, record and reason.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("journal segment %s is damaged at byte %d (record %d): %s",
		e.Segment, e.Offset, e.Index, e.Reason)
}

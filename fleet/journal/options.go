package journal

import "fmt"

// The limits of a journal. Exceeding one is refused with ErrTooLarge before
// anything is written.
const (
	// DefaultSegmentBytes is the size at which a new segment is begun.
	DefaultSegmentBytes = 64 << 20
	// DefaultMaxRecordBytes is the largest record accepted by default.
	DefaultMaxRecordBytes = 16 << 20
	// MaxGroupBytes is the largest group of one Append, as stored; a record
	// limit above it is refused.
	MaxGroupBytes = 256 << 20
	// MaxSnapshotBytes is the largest snapshot.
	MaxSnapshotBytes = 1 << 30
)

// Options of a journal. The zero value is usable.
type Options struct {
	// FS is the file system; nil means the operating system's.
	FS FS
	// SegmentBytes is the size at which a new segment is begun, at the next
	// Append; 0 means DefaultSegmentBytes. A segment may exceed it by one group.
	SegmentBytes int64
	// KeepBytes is the total size of the segments above which those that lie
	// wholly at or below the older of two kept snapshots are removed, oldest
	// first, after a snapshot was saved. 0 keeps all.
	KeepBytes int64
	// MaxRecordBytes is the largest Record.Data; 0 means
	// DefaultMaxRecordBytes. It limits Append only: what is stored stays readable.
	MaxRecordBytes int
}

// Validate reports the first option that cannot be honoured.
func (o Options) Validate() error {
	switch {
	case o.SegmentBytes < 0:
		return fmt.Errorf("journal options: segment size %d bytes is negative", o.SegmentBytes)
	case o.KeepBytes < 0:
		return fmt.Errorf("journal options: kept size %d bytes is negative", o.KeepBytes)
	case o.MaxRecordBytes < 0:
		return fmt.Errorf("journal options: record limit %d bytes is negative", o.MaxRecordBytes)
	case o.MaxRecordBytes > MaxGroupBytes/2:
		return fmt.Errorf("journal options: record limit %d bytes is above %d", o.MaxRecordBytes, MaxGroupBytes/2)
	}
	return nil
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = OS()
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = DefaultSegmentBytes
	}
	if o.MaxRecordBytes == 0 {
		o.MaxRecordBytes = DefaultMaxRecordBytes
	}
	return o
}

package journal

import (
	"errors"
	"fmt"
)

// Append implements Journal. Its buffer is reused, so that a steady load
// allocates nothing.
func (d *Disk) Append(records []Record) error {
	d.appending.Lock()
	defer d.appending.Unlock()
	if err := d.usable(); err != nil {
		return fmt.Errorf("appending to journal %s: %w", d.dir, err)
	}
	if len(records) == 0 {
		return nil
	}
	if err := d.admit(records); err != nil {
		return err
	}
	if err := d.write(records); err != nil {
		broken := fmt.Errorf("%w: records %d to %d: %w", ErrBroken, records[0].Index, records[len(records)-1].Index, err)
		d.published.Lock()
		d.failed = broken
		d.published.Unlock()
		return fmt.Errorf("appending to journal %s: %w", d.dir, broken)
	}
	return nil
}

// admit refuses a group that breaks a rule, before anything is written.
func (d *Disk) admit(records []Record) error {
	next := d.last + 1
	for i, record := range records {
		if record.Index != next+uint64(i) {
			return fmt.Errorf("appending record %d to journal %s, which expects %d: %w",
				record.Index, d.dir, next+uint64(i), ErrGap)
		}
		if len(record.Data) > d.options.MaxRecordBytes {
			return fmt.Errorf("appending record %d of %d bytes, more than %d: %w",
				record.Index, len(record.Data), d.options.MaxRecordBytes, ErrTooLarge)
		}
	}
	if size := groupBytes(records); size > MaxGroupBytes {
		return fmt.Errorf("appending %d records of %d bytes in all, more than %d: %w",
			len(records), size, MaxGroupBytes, ErrTooLarge)
	}
	return nil
}

// write makes an admitted group durable and only then visible.
func (d *Disk) write(records []Record) error {
	if d.active == nil || d.end >= d.options.SegmentBytes {
		if err := d.rotate(); err != nil {
			return err
		}
	}
	d.buffer = appendGroup(d.buffer[:0], records)
	if _, err := d.active.WriteAt(d.buffer, d.end); err != nil {
		return fmt.Errorf("writing: %w", err)
	}
	if err := d.active.Sync(); err != nil {
		return fmt.Errorf("syncing: %w", err)
	}
	d.end += int64(len(d.buffer))
	if cap(d.buffer) > keptBufferBytes {
		d.buffer = nil
	}
	d.published.Lock()
	newest := &d.segments[len(d.segments)-1]
	newest.last = records[len(records)-1].Index
	newest.size = d.end
	d.last = newest.last
	value := d.markValue()
	d.published.Unlock()
	if err := d.mark.write(value); err != nil {
		return fmt.Errorf("writing the commit mark: %w", err)
	}
	return nil
}

// rotate begins a new segment behind the active one. A new segment that holds
// no record yet stays the active one.
func (d *Disk) rotate() error {
	if d.active != nil && d.end == segmentHeaderBytes {
		return nil
	}
	fresh := segment{path: indexedName(d.dir, d.last+1, segmentSuffix), first: d.last + 1, last: d.last}
	file, err := d.fs.Create(fresh.path)
	if err != nil {
		return fmt.Errorf("creating a segment: %w", err)
	}
	full := d.active
	d.active = file
	d.published.Lock()
	d.segments = append(d.segments, fresh)
	d.published.Unlock()
	if full != nil {
		err = errors.Join(full.Close(), d.mark.file.Sync())
	}
	if err != nil {
		return fmt.Errorf("finishing the full segment: %w", err)
	}
	return d.writeHeader(fresh)
}

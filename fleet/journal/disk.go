package journal

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"
)

// A larger group's buffer is given back to the garbage collector after use.
const keptBufferBytes = 4 << 20

// Disk is the journal on the local disk.
type Disk struct {
	fs      FS
	dir     string
	options Options
	lock    io.Closer

	appending sync.Mutex // held while records are written; guards these:
	active    File       // the newest segment, nil before the first record
	end       int64      // of the active segment
	mark      *mark
	buffer    []byte

	snapshotting sync.Mutex // held while snapshots are read or written; guards:
	snapshots    []uint64   // the valid ones, oldest first

	published sync.Mutex // held briefly; guards what readers see:
	segments  []segment  // durable part of each; at least one after the first record
	last      uint64
	report    Report
	failed    error // ErrBroken or ErrClosed with its cause
}

var _ Journal = (*Disk)(nil)

// Open opens the journal in a directory, which it creates if it is missing, and
// takes its lock until Close. It reads and checks everything stored, gigabytes a
// second from the page cache. A torn tail is dropped and reported by
// Report. Damage is a *CorruptError, a directory in use ErrLocked; then nothing
// is changed but that the lock file exists.
func Open(dir string, options Options) (*Disk, error) {
	if err := options.Validate(); err != nil {
		return nil, err
	}
	options = options.withDefaults()
	fsys := options.FS
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("creating journal directory: %w", err)
	}
	lock, err := lockDir(fsys, dir)
	if err != nil {
		return nil, err
	}
	d := &Disk{fs: fsys, dir: dir, options: options, lock: lock}
	if err := d.load(); err != nil {
		return nil, errors.Join(err, d.releaseFiles())
	}
	return d, nil
}

func lockDir(fsys FS, dir string) (io.Closer, error) {
	lock, err := fsys.Lock(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("opening journal directory %s: %w", dir, err)
	}
	return lock, nil
}

// load surveys the directory and makes it fit to append to.
func (d *Disk) load() error {
	found, err := takeSurvey(d.fs, d.dir)
	if err != nil {
		return err
	}
	if found.damage != nil {
		return fmt.Errorf("opening journal %s: %w", d.dir, &found.damage.CorruptError)
	}
	d.segments = found.segments
	d.snapshots = slices.Clone(found.report.Snapshots)
	d.report = found.report
	d.last = found.report.Last
	err = d.fs.Remove(filepath.Join(d.dir, temporaryName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing an unfinished file: %w", err)
	}
	if err := d.openActive(found.marked); err != nil {
		return err
	}
	d.mark, err = createMark(d.fs, d.dir, d.markValue())
	return err
}

// openActive opens the newest segment, drops a torn tail, and makes durable
// what lies beyond the mark.
func (d *Disk) openActive(marked markValue) error {
	if len(d.segments) == 0 {
		return nil
	}
	newest := d.segments[len(d.segments)-1]
	file, err := d.fs.OpenWrite(newest.path)
	if err != nil {
		return fmt.Errorf("opening journal segment: %w", err)
	}
	d.active, d.end = file, newest.size
	if newest.size < segmentHeaderBytes {
		return d.restartSegment(newest)
	}
	from := int64(0)
	if marked.segment == newest.first && marked.end > 0 && marked.end <= newest.size {
		from = marked.end
	}
	if err := rewrite(file, from, newest.size); err != nil {
		return fmt.Errorf("making journal segment %s durable: %w", newest.path, err)
	}
	// Even when no tail shows: an earlier truncation may have failed to sync.
	if err := errors.Join(file.Truncate(newest.size), file.Sync()); err != nil {
		return fmt.Errorf("dropping the torn tail of journal segment %s: %w", newest.path, err)
	}
	if err := d.fs.SyncDir(d.dir); err != nil {
		return fmt.Errorf("making journal directory %s durable: %w", d.dir, err)
	}
	return nil
}

// rewrite writes a part of a file over itself and syncs it. After a failed
// fsync the system may show data that it no longer intends to write; being told
// that an fsync succeeded means something only for data written again.
func rewrite(file File, from, to int64) error {
	buffer := make([]byte, min(to-from, 1<<20))
	for from < to {
		part := buffer[:min(to-from, int64(len(buffer)))]
		if n, err := file.ReadAt(part, from); n < len(part) {
			return err
		}
		if _, err := file.WriteAt(part, from); err != nil {
			return err
		}
		from += int64(len(part))
	}
	return file.Sync()
}

// restartSegment gives a segment whose creation was interrupted its header.
func (d *Disk) restartSegment(torn segment) error {
	if err := d.active.Truncate(0); err != nil {
		return fmt.Errorf("emptying journal segment %s: %w", torn.path, err)
	}
	return d.writeHeader(torn)
}

func (d *Disk) writeHeader(fresh segment) error {
	header := encodeSegmentHeader(fresh.first)
	if _, err := d.active.WriteAt(header, 0); err != nil {
		return fmt.Errorf("writing the header of journal segment %s: %w", fresh.path, err)
	}
	if err := d.active.Sync(); err != nil {
		return fmt.Errorf("syncing journal segment %s: %w", fresh.path, err)
	}
	if err := d.fs.SyncDir(d.dir); err != nil {
		return fmt.Errorf("making journal directory %s durable: %w", d.dir, err)
	}
	d.end = segmentHeaderBytes
	d.published.Lock()
	d.segments[len(d.segments)-1].size = d.end
	d.published.Unlock()
	return nil
}

func (d *Disk) markValue() markValue {
	value := markValue{last: d.last, end: d.end}
	if len(d.segments) > 0 {
		value.segment = d.segments[len(d.segments)-1].first
	}
	return value
}

// Read implements Journal.
func (d *Disk) Read(from uint64, yield func(Record) bool) error {
	d.published.Lock()
	segments, failed := slices.Clone(d.segments), d.failed
	d.published.Unlock()
	if failed != nil {
		return fmt.Errorf("reading journal %s: %w", d.dir, failed)
	}
	if len(segments) > 0 && from > 0 && from < segments[0].first {
		return fmt.Errorf("reading journal %s from record %d, of which the oldest is %d: %w",
			d.dir, from, segments[0].first, ErrRemoved)
	}
	for _, s := range segments {
		if s.last < s.first || s.last < from {
			continue
		}
		more, err := d.readSegment(s, from, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func (d *Disk) readSegment(s segment, from uint64, yield func(Record) bool) (more bool, err error) {
	file, err := d.fs.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("reading journal segment %s, removed meanwhile: %w", s.path, ErrRemoved)
	}
	if err != nil {
		return false, fmt.Errorf("opening journal segment: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	reader := segmentReader{file: file, size: s.size, offset: segmentHeaderBytes, index: s.first}
	for {
		header, body, bad, err := reader.next()
		if err != nil {
			return false, fmt.Errorf("reading journal segment %s: %w", s.path, err)
		}
		if bad != nil {
			return false, &CorruptError{Segment: s.path, Offset: bad.offset, Index: bad.index, Reason: bad.reason}
		}
		if header.count == 0 {
			return true, nil
		}
		more := header.each(body, func(record Record) bool {
			return record.Index < from || yield(record)
		})
		if !more {
			return false, nil
		}
	}
}

// First implements Journal.
func (d *Disk) First() uint64 {
	d.published.Lock()
	defer d.published.Unlock()
	if len(d.segments) == 0 || d.segments[0].last < d.segments[0].first {
		return 0
	}
	return d.segments[0].first
}

// Last implements Journal.
func (d *Disk) Last() uint64 {
	d.published.Lock()
	defer d.published.Unlock()
	return d.last
}

// Report says what Open found, and which snapshots were found damaged since.
func (d *Disk) Report() Report {
	d.published.Lock()
	defer d.published.Unlock()
	report := d.report
	report.Snapshots = slices.Clone(report.Snapshots)
	report.BadSnapshots = slices.Clone(report.BadSnapshots)
	return report
}

// Close implements Journal. A second call does nothing.
func (d *Disk) Close() error {
	d.appending.Lock()
	defer d.appending.Unlock()
	d.snapshotting.Lock()
	defer d.snapshotting.Unlock()
	d.published.Lock()
	failed := d.failed
	d.failed = ErrClosed
	d.published.Unlock()
	if errors.Is(failed, ErrClosed) {
		return nil
	}
	var err error
	if failed == nil {
		// Not needed for what was promised; it keeps the mark fresh over a power
		// failure while the process is not running.
		err = d.mark.file.Sync()
	}
	if err = errors.Join(err, d.releaseFiles()); err != nil {
		return fmt.Errorf("closing journal %s: %w", d.dir, err)
	}
	return nil
}

func (d *Disk) releaseFiles() error {
	var err error
	if d.active != nil {
		err = d.active.Close()
	}
	if d.mark != nil {
		err = errors.Join(err, d.mark.file.Close())
	}
	return errors.Join(err, d.lock.Close())
}

// usable gives the reason why the journal cannot be used, if there is one.
func (d *Disk) usable() error {
	d.published.Lock()
	defer d.published.Unlock()
	return d.failed
}

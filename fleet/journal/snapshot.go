package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"slices"
)

const (
	snapshotMagic       = "kapoksnp"
	snapshotHeaderBytes = 32
	keptSnapshots       = 2
)

func encodeSnapshotHeader(s Snapshot) []byte {
	header := append(make([]byte, 0, snapshotHeaderBytes), snapshotMagic...)
	header = binary.LittleEndian.AppendUint32(header, formatVersion)
	header = binary.LittleEndian.AppendUint64(header, s.Index)
	header = binary.LittleEndian.AppendUint64(header, uint64(len(s.Data)))
	return binary.LittleEndian.AppendUint32(header, checksum(header, s.Data))
}

// loadSnapshot reads and checks one snapshot file. A reason says what is wrong
// with its content; an error, that it could not be read.
func loadSnapshot(fsys FS, path string, index uint64) (data []byte, reason string, err error) {
	file, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "the file is missing", nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("opening snapshot: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return nil, "", fmt.Errorf("reading the size of snapshot %s: %w", path, err)
	}
	if size < snapshotHeaderBytes {
		return nil, "the file ends inside its header", nil
	}
	if size > snapshotHeaderBytes+MaxSnapshotBytes {
		return nil, "the file is larger than any snapshot", nil
	}
	whole := make([]byte, size)
	if n, err := file.ReadAt(whole, 0); n < len(whole) {
		return nil, "", fmt.Errorf("reading snapshot %s: %w", path, err)
	}
	header, data := whole[:snapshotHeaderBytes], whole[snapshotHeaderBytes:]
	switch {
	case string(header[:8]) != snapshotMagic:
		return nil, "it is not a snapshot", nil
	case binary.LittleEndian.Uint32(header[28:]) != checksum(header[:28], data):
		return nil, "it has a wrong checksum", nil
	case binary.LittleEndian.Uint64(header[20:]) != uint64(len(data)):
		return nil, "it has a wrong length", nil
	case binary.LittleEndian.Uint32(header[8:]) != formatVersion:
		return nil, "", fmt.Errorf("snapshot %s has format version %d; this program reads version %d",
			path, binary.LittleEndian.Uint32(header[8:]), formatVersion)
	case binary.LittleEndian.Uint64(header[12:]) != index:
		return nil, "it belongs to another record than its name says", nil
	}
	return data, "", nil
}

// Snapshot implements Journal. It reads the file again, so a snapshot damaged
// since Open falls back too.
func (d *Disk) Snapshot() (Snapshot, bool, error) {
	d.snapshotting.Lock()
	defer d.snapshotting.Unlock()
	if err := d.usable(); err != nil {
		return Snapshot{}, false, fmt.Errorf("reading the snapshot of journal %s: %w", d.dir, err)
	}
	for len(d.snapshots) > 0 {
		index := d.snapshots[len(d.snapshots)-1]
		path := indexedName(d.dir, index, snapshotSuffix)
		data, reason, err := loadSnapshot(d.fs, path, index)
		if err != nil {
			return Snapshot{}, false, err
		}
		if reason == "" {
			return Snapshot{Index: index, Data: data}, true, nil
		}
		d.snapshots = d.snapshots[:len(d.snapshots)-1]
		d.published.Lock()
		d.report.BadSnapshots = append(d.report.BadSnapshots, BadSnapshot{Path: path, Reason: reason})
		d.published.Unlock()
	}
	return Snapshot{}, false, nil
}

// SaveSnapshot implements Journal. It may run beside Append.
func (d *Disk) SaveSnapshot(s Snapshot) error {
	d.snapshotting.Lock()
	defer d.snapshotting.Unlock()
	if err := d.usable(); err != nil {
		return fmt.Errorf("saving a snapshot in journal %s: %w", d.dir, err)
	}
	var newest uint64
	if len(d.snapshots) > 0 {
		newest = d.snapshots[len(d.snapshots)-1]
	}
	switch last := d.Last(); {
	case s.Index == 0 || s.Index > last:
		return fmt.Errorf("saving a snapshot of record %d in journal %s, which ends at %d: %w", s.Index, d.dir, last, ErrGap)
	case s.Index < newest:
		return fmt.Errorf("saving a snapshot of record %d in journal %s, which has one of %d: %w", s.Index, d.dir, newest, ErrGap)
	case len(s.Data) > MaxSnapshotBytes:
		return fmt.Errorf("saving a snapshot of %d bytes, more than %d: %w", len(s.Data), MaxSnapshotBytes, ErrTooLarge)
	}
	path := indexedName(d.dir, s.Index, snapshotSuffix)
	if err := writeWhole(d.fs, d.dir, path, encodeSnapshotHeader(s), s.Data); err != nil {
		return fmt.Errorf("saving a snapshot: %w", err)
	}
	if s.Index != newest {
		d.snapshots = append(d.snapshots, s.Index)
	}
	if err := d.removeOld(); err != nil {
		return fmt.Errorf("removing what snapshot %s replaces: %w", path, err)
	}
	return nil
}

// removeOld removes snapshots older than the last two, and then, as far as
// KeepBytes asks for it, segments that the older of them covers.
func (d *Disk) removeOld() error {
	if len(d.snapshots) < keptSnapshots {
		return nil
	}
	older := d.snapshots[len(d.snapshots)-keptSnapshots]
	names, err := d.fs.ReadDir(d.dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		index, ok := parseIndexedName(name, snapshotSuffix)
		if !ok || index >= older {
			continue
		}
		if err := d.fs.Remove(indexedName(d.dir, index, snapshotSuffix)); err != nil {
			return err
		}
	}
	d.snapshots = slices.Clone(d.snapshots[len(d.snapshots)-keptSnapshots:])
	if d.options.KeepBytes > 0 {
		return d.removeSegments(older)
	}
	return nil
}

// removeSegments goes oldest first and makes each removal durable before the
// next, so that neither a crash nor a failure leaves a hole.
func (d *Disk) removeSegments(covered uint64) error {
	for {
		oldest, ok := d.removable(covered)
		if !ok {
			return nil
		}
		// It is missing already if making its removal durable failed before.
		if err := d.fs.Remove(oldest); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if err := d.fs.SyncDir(d.dir); err != nil {
			return err
		}
		d.published.Lock()
		d.segments = slices.Clone(d.segments[1:])
		d.published.Unlock()
	}
}

// removable names the oldest segment if retention asks for its removal.
func (d *Disk) removable(covered uint64) (path string, ok bool) {
	d.published.Lock()
	defer d.published.Unlock()
	var total int64
	for _, s := range d.segments {
		total += s.size
	}
	if len(d.segments) < 2 || total <= d.options.KeepBytes || d.segments[0].last > covered {
		return "", false
	}
	return d.segments[0].path, true
}

package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

const (
	markMagic     = "kapokmrk"
	markSlotBytes = 36
	markFileBytes = 2 * sectorBytes
)

// markValue says how far the record was durable at some past moment.
type markValue struct {
	last    uint64 // newest durable record
	segment uint64 // first index of its segment
	end     int64  // where the segment ended, in bytes
}

// mark is the commit mark's file: two slots, written in turn, so that an
// interrupted write leaves the older one.
type mark struct {
	file File
	slot int64 // the next to write
	data [markSlotBytes]byte
}

func (m markValue) encode(slot []byte) {
	copy(slot, markMagic)
	binary.LittleEndian.PutUint64(slot[8:], m.last)
	binary.LittleEndian.PutUint64(slot[16:], m.segment)
	binary.LittleEndian.PutUint64(slot[24:], uint64(m.end))
	binary.LittleEndian.PutUint32(slot[32:], checksum(slot[:32]))
}

func parseMark(slot []byte) (markValue, bool) {
	if string(slot[:8]) != markMagic || binary.LittleEndian.Uint32(slot[32:]) != checksum(slot[:32]) {
		return markValue{}, false
	}
	return markValue{
		last:    binary.LittleEndian.Uint64(slot[8:]),
		segment: binary.LittleEndian.Uint64(slot[16:]),
		end:     int64(binary.LittleEndian.Uint64(slot[24:])),
	}, true
}

// readMark returns the newest valid mark of a directory, and false for none.
func readMark(fsys FS, dir string) (value markValue, ok bool, err error) {
	path := filepath.Join(dir, markName)
	file, err := fsys.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return markValue{}, false, nil
	}
	if err != nil {
		return markValue{}, false, fmt.Errorf("opening the journal's commit mark: %w", err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	size, err := file.Size()
	if err != nil {
		return markValue{}, false, fmt.Errorf("reading the size of %s: %w", path, err)
	}
	data := make([]byte, min(size, markFileBytes))
	if n, err := file.ReadAt(data, 0); n < len(data) {
		return markValue{}, false, fmt.Errorf("reading the journal's commit mark %s: %w", path, err)
	}
	for at := 0; at+markSlotBytes <= len(data); at += sectorBytes {
		found, valid := parseMark(data[at : at+markSlotBytes])
		if valid && (!ok || found.last > value.last) {
			value, ok = found, true
		}
	}
	return value, ok, nil
}

// createMark replaces the mark of a directory by one with this value, durably.
// It never leaves a moment with a wrong or no mark.
func createMark(fsys FS, dir string, value markValue) (*mark, error) {
	data := make([]byte, markFileBytes)
	value.encode(data)
	path := filepath.Join(dir, markName)
	if err := writeWhole(fsys, dir, path, data); err != nil {
		return nil, fmt.Errorf("creating the journal's commit mark: %w", err)
	}
	file, err := fsys.OpenWrite(path)
	if err != nil {
		return nil, fmt.Errorf("opening the journal's commit mark: %w", err)
	}
	return &mark{file: file, slot: 1}, nil
}

// write advances the mark without syncing it.
func (m *mark) write(value markValue) error {
	value.encode(m.data[:])
	if _, err := m.file.WriteAt(m.data[:], m.slot*sectorBytes); err != nil {
		return err
	}
	m.slot = 1 - m.slot
	return nil
}

// writeWhole replaces a file atomically and durably by the parts in a row.
func writeWhole(fsys FS, dir, path string, parts ...[]byte) error {
	temporary := filepath.Join(dir, temporaryName)
	file, err := fsys.Create(temporary)
	if err != nil {
		return fmt.Errorf("creating %s: %w", temporary, err)
	}
	var offset int64
	for _, part := range parts {
		if err == nil && len(part) > 0 {
			_, err = file.WriteAt(part, offset)
			offset += int64(len(part))
		}
	}
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = fsys.Rename(temporary, path)
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", path, errors.Join(err, fsys.Remove(temporary)))
	}
	if err := fsys.SyncDir(dir); err != nil {
		return fmt.Errorf("making %s durable: %w", path, err)
	}
	return nil
}

package memfs

import (
	"io"
	"io/fs"
	"slices"
)

// alive needs the file system's mutex.
func (f *file) alive(op string, write bool) error {
	switch {
	case f.closed || f.life != f.fs.life:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	case write && !f.writable:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrPermission}
	}
	return nil
}

// ReadAt implements journal.File.
func (f *file) ReadAt(p []byte, offset int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("read", false); err != nil {
		return 0, err
	}
	if offset >= int64(len(f.node.visible)) {
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, f.node.visible[offset:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteAt implements journal.File. A struck write does the part that the fault
// states and returns its error.
func (f *file) WriteAt(p []byte, offset int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("write", true); err != nil {
		return 0, err
	}
	if f.fs.halted() {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: ErrHalted}
	}
	fault := f.fs.strike(OpWrite)
	if fault == nil && f.fs.full {
		fault = f.noSpace(p, offset)
	}
	if fault != nil {
		p = p[:int(fault.Part*float64(len(p)))]
	}
	if len(p) > 0 {
		f.change(change{offset: offset, data: slices.Clone(p)})
	}
	if fault != nil {
		return len(p), &fs.PathError{Op: "write", Path: f.name, Err: fault.Err}
	}
	return len(p), nil
}

// noSpace is the fault of a write that would make the file grow beyond its last
// sector, nil for one that would not.
func (f *file) noSpace(p []byte, offset int64) *Fault {
	room := (int64(len(f.node.visible)) + 511) / 512 * 512
	end := offset + int64(len(p))
	if end <= room {
		return nil
	}
	return &Fault{Op: OpWrite, Err: ErrNoSpace, Part: float64(max(0, room-offset)) / float64(len(p))}
}

// Truncate implements journal.File.
func (f *file) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("truncate", true); err != nil {
		return err
	}
	if f.fs.halted() {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: ErrHalted}
	}
	f.change(change{offset: size})
	return nil
}

func (f *file) change(c change) {
	f.node.visible = c.apply(f.node.visible)
	f.node.pending = append(f.node.pending, c)
}

// Sync implements journal.File.
func (f *file) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("sync", false); err != nil {
		return err
	}
	if f.fs.halted() {
		return &fs.PathError{Op: "sync", Path: f.name, Err: ErrHalted}
	}
	pending := f.node.pending
	f.node.pending = nil
	if f.fs.broken {
		return &fs.PathError{Op: "sync", Path: f.name, Err: ErrIO}
	}
	if fault := f.fs.strike(OpSync); fault != nil {
		return &fs.PathError{Op: "sync", Path: f.name, Err: fault.Err}
	}
	for _, c := range pending {
		f.node.durable = c.apply(f.node.durable)
	}
	return nil
}

// Size implements journal.File.
func (f *file) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("stat", false); err != nil {
		return 0, err
	}
	return int64(len(f.node.visible)), nil
}

// Close implements journal.File.
func (f *file) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.closed = true
	return nil
}

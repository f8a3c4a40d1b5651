package journaltest

import (
	"io"
	"io/fs"
	"slices"
)

// alive needs the file system's mutex.
func (f *memFile) alive(op string, write bool) error {
	switch {
	case f.closed || f.life != f.fs.life:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrClosed}
	case write && !f.writable:
		return &fs.PathError{Op: op, Path: f.name, Err: fs.ErrPermission}
	}
	return nil
}

// ReadAt implements journal.File.
func (f *memFile) ReadAt(p []byte, offset int64) (int, error) {
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
func (f *memFile) WriteAt(p []byte, offset int64) (int, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("write", true); err != nil {
		return 0, err
	}
	fault := f.fs.strike(OpWrite)
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

// Truncate implements journal.File.
func (f *memFile) Truncate(size int64) error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("truncate", true); err != nil {
		return err
	}
	f.change(change{offset: size})
	return nil
}

func (f *memFile) change(c change) {
	f.node.visible = c.apply(f.node.visible)
	f.node.pending = append(f.node.pending, c)
}

// Sync implements journal.File.
func (f *memFile) Sync() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("sync", false); err != nil {
		return err
	}
	pending := f.node.pending
	f.node.pending = nil
	if fault := f.fs.strike(OpSync); fault != nil {
		return &fs.PathError{Op: "sync", Path: f.name, Err: fault.Err}
	}
	for _, c := range pending {
		f.node.durable = c.apply(f.node.durable)
	}
	return nil
}

// Size implements journal.File.
func (f *memFile) Size() (int64, error) {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if err := f.alive("stat", false); err != nil {
		return 0, err
	}
	return int64(len(f.node.visible)), nil
}

// Close implements journal.File.
func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	f.closed = true
	return nil
}

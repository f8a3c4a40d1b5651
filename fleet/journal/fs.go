package journal

import "io"

// FS is the part of a file system that a journal uses, injected so that full
// disks, failing fsyncs and crashes can be simulated. Errors for a missing file
// satisfy errors.Is(err, fs.ErrNotExist).
type FS interface {
	// MkdirAll creates a directory and its parents, durably, if they are missing.
	MkdirAll(dir string) error
	// ReadDir returns the names in a directory, sorted.
	ReadDir(dir string) ([]string, error)
	// Create makes an empty file for reading and writing, replacing any
	// other. The name is durable after SyncDir, the content after Sync.
	Create(name string) (File, error)
	// Open opens an existing file for reading.
	Open(name string) (File, error)
	// OpenWrite opens an existing file for reading and writing.
	OpenWrite(name string) (File, error)
	// Rename replaces the new name by the old one's file, atomically; durable
	// after SyncDir.
	Rename(oldName, newName string) error
	// Remove deletes a file; durable after SyncDir.
	Remove(name string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(dir string) error
	// Lock takes an exclusive lock on a file, creating it if missing, and
	// fails at once with ErrLocked if another holder has it. Closing releases it,
	// and so does the end of the process.
	Lock(name string) (io.Closer, error)
}

// File is an open file. It has no position: reads and writes say where.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	// Sync makes the content and size durable.
	Sync() error
	// Truncate sets the size in bytes.
	Truncate(size int64) error
	// Size returns the present size in bytes.
	Size() (int64, error)
}

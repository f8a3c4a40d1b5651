package journaltest

import "github.com/kapok-fleet/kapok/fleet/journal/memfs"

// MemFS is memfs.FS, and so are the other names here those of package memfs: a
// disk in memory for tests.
type (
	MemFS = memfs.FS
	Fault = memfs.Fault
	Op    = memfs.Op
)

// The operations that a Fault can strike.
const (
	OpWrite = memfs.OpWrite
	OpSync  = memfs.OpSync
	OpDir   = memfs.OpDir
)

// The errors that disks and full file systems give.
const (
	ErrIO      = memfs.ErrIO
	ErrNoSpace = memfs.ErrNoSpace
)

// NewMemFS makes an empty file system; see memfs.New.
func NewMemFS(seed uint64) *MemFS { return memfs.New(seed) }

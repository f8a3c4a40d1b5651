package journaltest

import "github.com/kapok-fleet/kapok/fleet/journal/memfs"

// MemFS is a disk in memory. This name and those below are those of package memfs,
// which tests of journals need all the time.
type MemFS = memfs.FS

// Fault strikes one operation of a MemFS.
type Fault = memfs.Fault

// Op is a kind of file operation that can be made to fail.
type Op = memfs.Op

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

// Package memfs is a file system in memory that fails and crashes on demand. The
// tests of journals and the simulator's disks are made of it.
package memfs

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/kapok-fleet/kapok/fleet/journal"
)

// Op is a kind of file operation that can be made to fail.
type Op int

// The operations that a Fault can strike.
const (
	OpWrite Op = iota // WriteAt of any file
	OpSync            // Sync of any file
	OpDir             // Create, Rename, Remove and SyncDir
	opCount
)

// Fault strikes one operation. The journal's files see the error as the
// operating system would give it.
type Fault struct {
	Op Op
	// Number of the operation of this kind, counted from 1 since the file system
	// was made or Count was reset.
	Number int
	// Err is what the operation returns.
	Err error
	// Part of a struck write that is still done, from 0 to 1.
	Part float64
}

// The errors that disks and full file systems give.
const (
	ErrIO      = syscall.EIO
	ErrNoSpace = syscall.ENOSPC
)

// ErrHalted is what every operation gives between Halt and the crash that it
// stands for. No program sees it: it is gone by then.
const ErrHalted = syscall.ENODEV

// FS is a file system in memory that can fail, crash and rot. It keeps what
// is visible apart from what would survive a crash:
//
//   - a write or truncation survives once its file was synced; before, a crash
//     keeps it, drops it, cuts it short at any byte, or leaves out some of its
//     512-byte sectors (zeros beyond the old end of the file);
//   - a failed Sync is like that of Linux: the writes stay visible but count as
//     clean, so that no later Sync makes them survive;
//   - a name survives once its directory was synced; before, a crash keeps a
//     prefix of the changes in order.
//
// Directories always survive. It is safe for use by several goroutines.
type FS struct {
	mu      sync.Mutex
	random  *rand.Rand
	visible map[string]*inode
	durable map[string]*inode
	renames []func(names map[string]*inode)
	locked  map[string]bool
	counts  [opCount]int
	faults  []Fault
	life    int // counts crashes; files opened before one are dead
	// full is set while nothing grows, broken while no Sync succeeds.
	full, broken bool
	// halting says that only so many more changes are done.
	halting bool
	left    int
}

type inode struct {
	visible []byte
	durable []byte
	pending []change
}

// change is a write at an offset or, without data, a truncation to it.
type change struct {
	offset int64
	data   []byte
}

type file struct {
	fs       *FS
	node     *inode
	name     string
	life     int
	writable bool
	closed   bool
}

// New makes an empty file system. The seed decides what crashes keep.
func New(seed uint64) *FS {
	return &FS{
		random:  rand.New(rand.NewPCG(seed, 0x6b61706f6b)),
		visible: map[string]*inode{},
		durable: map[string]*inode{},
		locked:  map[string]bool{},
	}
}

// Fail arms faults beside those armed before. Each strikes once.
func (m *FS) Fail(faults ...Fault) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.faults = append(m.faults, faults...)
}

// Count is the number of operations of a kind since the last ResetCounts.
func (m *FS) Count(op Op) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.counts[op]
}

// ResetCounts counts operations from 1 again and disarms all faults.
func (m *FS) ResetCounts() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts = [opCount]int{}
	m.faults = nil
}

// SetFull fills the disk, or makes room again: while it is full no file is made
// and none grows; a write that would make it grow does what fits, in whole
// sectors of 512 bytes, and returns ErrNoSpace.
func (m *FS) SetFull(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

// SetBroken makes every Sync fail with ErrIO, or lets them succeed again.
func (m *FS) SetBroken(broken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.broken = broken
}

// Halt stops everything after so many more changes (writes, truncations, syncs
// and changes of names): what follows changes nothing and gives ErrHalted, until
// Crash or Kill. So a crash strikes in the midst of what a program does. A
// negative number takes it back.
func (m *FS) Halt(after int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.halting, m.left = after >= 0, after
}

// halted counts a change, and tells whether it is not to happen any more. It
// needs the mutex.
func (m *FS) halted() bool {
	if !m.halting {
		return false
	}
	m.left--
	return m.left < 0
}

// Kill ends the program and not the machine: locks are released and open files
// are useless, but all that was written is still there, synced or not.
func (m *FS) Kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	m.locked = map[string]bool{}
	m.halting = false
}

// Crash loses or tears what was not synced, releases all locks, and makes every
// open file useless, as the loss of power does.
func (m *FS) Crash() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.life++
	m.locked = map[string]bool{}
	m.halting = false
	kept := m.random.IntN(len(m.renames) + 1)
	for _, rename := range m.renames[:kept] {
		rename(m.durable)
	}
	m.renames = nil
	m.visible = map[string]*inode{}
	for _, name := range sortedNames(m.durable) {
		node := m.durable[name]
		for _, c := range node.pending {
			node.durable = m.tear(node.durable, c)
		}
		node.pending = nil
		node.visible = slices.Clone(node.durable)
		m.visible[name] = node
	}
}

// tear applies what a crash keeps of a change.
func (m *FS) tear(content []byte, c change) []byte {
	switch m.random.IntN(4) {
	case 0:
		return content
	case 1:
		return c.apply(content)
	case 2:
		if c.data == nil {
			return content
		}
		c.data = c.data[:m.random.IntN(len(c.data)+1)]
		return c.apply(content)
	}
	if c.data == nil {
		return content
	}
	old := len(content)
	whole := c.apply(slices.Clone(content))
	for at := c.offset; at < c.offset+int64(len(c.data)); {
		next := min((at/512+1)*512, c.offset+int64(len(c.data)))
		if m.random.IntN(2) == 0 {
			clear(whole[at:next])
			if at < int64(old) {
				copy(whole[at:next], content[at:])
			}
		}
		at = next
	}
	return whole
}

func (c change) apply(content []byte) []byte {
	end := c.offset + int64(len(c.data))
	if int64(len(content)) < end {
		content = append(content, make([]byte, end-int64(len(content)))...)
	}
	if c.data == nil {
		return content[:c.offset]
	}
	copy(content[c.offset:], c.data)
	return content
}

// Bytes returns a copy of a file's visible content, nil when it is missing.
func (m *FS) Bytes(name string) []byte {
	m.mu.Lock()
	defer m.mu.Unlock()
	if node, ok := m.visible[filepath.Clean(name)]; ok {
		return append([]byte{}, node.visible...)
	}
	return nil
}

// SetBytes makes a file with this content, durably: how tests damage files.
func (m *FS) SetBytes(name string, content []byte) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node := &inode{visible: slices.Clone(content), durable: slices.Clone(content)}
	m.visible[filepath.Clean(name)] = node
	m.durable[filepath.Clean(name)] = node
}

// Flip inverts bits of one byte of a file, durably.
func (m *FS) Flip(name string, offset int64, bits byte) {
	content := m.Bytes(name)
	content[offset] ^= bits
	m.SetBytes(name, content)
}

// Delete removes a file, durably.
func (m *FS) Delete(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.visible, filepath.Clean(name))
	delete(m.durable, filepath.Clean(name))
}

// Clone copies the visible state as if all of it were durable, without locks,
// faults or counts.
func (m *FS) Clone(seed uint64) *FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	clone := New(seed)
	for name, node := range m.visible {
		copied := &inode{visible: slices.Clone(node.visible), durable: slices.Clone(node.visible)}
		clone.visible[name] = copied
		clone.durable[name] = copied
	}
	return clone
}

// strike counts an operation and returns the fault that hits it, if any.
func (m *FS) strike(op Op) *Fault {
	m.counts[op]++
	for i, fault := range m.faults {
		if fault.Op == op && fault.Number == m.counts[op] {
			m.faults = slices.Delete(m.faults, i, i+1)
			return &fault
		}
	}
	return nil
}

// MkdirAll implements journal.FS; directories need no making.
func (m *FS) MkdirAll(string) error { return nil }

// ReadDir implements journal.FS.
func (m *FS) ReadDir(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for _, name := range sortedNames(m.visible) {
		if filepath.Dir(name) == filepath.Clean(dir) {
			names = append(names, filepath.Base(name))
		}
	}
	return names, nil
}

func sortedNames(nodes map[string]*inode) []string {
	names := make([]string, 0, len(nodes))
	for name := range nodes {
		names = append(names, name)
	}
	slices.SortFunc(names, strings.Compare)
	return names
}

// changeNames applies a change to the visible names and remembers it for
// SyncDir.
func (m *FS) changeNames(op, name string, apply func(names map[string]*inode)) error {
	if m.halted() {
		return &fs.PathError{Op: op, Path: name, Err: ErrHalted}
	}
	if fault := m.strike(OpDir); fault != nil {
		return &fs.PathError{Op: op, Path: name, Err: fault.Err}
	}
	if m.full && op == "create" {
		return &fs.PathError{Op: op, Path: name, Err: ErrNoSpace}
	}
	apply(m.visible)
	m.renames = append(m.renames, apply)
	return nil
}

// Create implements journal.FS.
func (m *FS) Create(name string) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	node := &inode{}
	err := m.changeNames("create", name, func(names map[string]*inode) { names[name] = node })
	if err != nil {
		return nil, err
	}
	return &file{fs: m, node: node, name: name, life: m.life, writable: true}, nil
}

// Open implements journal.FS.
func (m *FS) Open(name string) (journal.File, error) { return m.open(name, false) }

// OpenWrite implements journal.FS.
func (m *FS) OpenWrite(name string) (journal.File, error) { return m.open(name, true) }

func (m *FS) open(name string, writable bool) (journal.File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	node, ok := m.visible[filepath.Clean(name)]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &file{fs: m, node: node, name: name, life: m.life, writable: writable}, nil
}

// Rename implements journal.FS.
func (m *FS) Rename(oldName, newName string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	oldName, newName = filepath.Clean(oldName), filepath.Clean(newName)
	node, ok := m.visible[oldName]
	if !ok {
		return &fs.PathError{Op: "rename", Path: oldName, Err: fs.ErrNotExist}
	}
	return m.changeNames("rename", oldName, func(names map[string]*inode) {
		delete(names, oldName)
		names[newName] = node
	})
}

// Remove implements journal.FS.
func (m *FS) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	if _, ok := m.visible[name]; !ok {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	return m.changeNames("remove", name, func(names map[string]*inode) { delete(names, name) })
}

// SyncDir implements journal.FS. It makes the names of all directories durable.
func (m *FS) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.halted() {
		return &fs.PathError{Op: "sync", Path: dir, Err: ErrHalted}
	}
	if fault := m.strike(OpDir); fault != nil {
		return &fs.PathError{Op: "sync", Path: dir, Err: fault.Err}
	}
	if m.broken {
		return &fs.PathError{Op: "sync", Path: dir, Err: ErrIO}
	}
	for _, rename := range m.renames {
		rename(m.durable)
	}
	m.renames = nil
	return nil
}

// Lock implements journal.FS.
func (m *FS) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = filepath.Clean(name)
	if m.locked[name] {
		return nil, fmt.Errorf("locking %s: %w", name, journal.ErrLocked)
	}
	m.locked[name] = true
	return &lock{fs: m, name: name, life: m.life}, nil
}

type lock struct {
	fs   *FS
	name string
	life int
}

// Close releases the lock, unless a crash has done so.
func (l *lock) Close() error {
	l.fs.mu.Lock()
	defer l.fs.mu.Unlock()
	if l.life == l.fs.life {
		delete(l.fs.locked, l.name)
	}
	return nil
}

//go:build mutants

package mutant

import "sync/atomic"

// active is the bug that is switched on, nil for none.
var active atomic.Pointer[Bug]

// On tells whether a bug is switched on.
func On(b Bug) bool {
	p := active.Load()
	return p != nil && *p == b
}

// Switch switches one bug on in the whole program, and any other off; back
// switches it off. Tests that use it do not run side by side.
func Switch(b Bug) (back func()) {
	active.Store(&b)
	return func() { active.Store(nil) }
}

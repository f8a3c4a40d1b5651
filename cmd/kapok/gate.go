package main

import (
	"sync"
	"time"

	"github.com/kapok-fleet/kapok/fleet/access"
)

// rereadAfter is how long a token file that could not be read is left alone.
const rereadAfter = time.Second

// gate looks into the file for a token that it does not know, so that one that
// was just made is good at once. That costs a stranger's request one look at the
// file's time of change: it is read only when it has changed, and a file that
// cannot be read is tried again once a second.
type gate struct {
	*access.Store
	now func() time.Time

	mu sync.Mutex
	// failed is when the file could last not be read, zero for never.
	failed time.Time
}

// Lookup implements server.Gate.
func (g *gate) Lookup(secret string) (access.Token, bool) {
	token, ok := g.Store.Lookup(secret)
	if ok || !access.WellFormed(secret) || !g.reread() {
		return token, ok
	}
	return g.Store.Lookup(secret)
}

// reread takes in what was changed, and reports whether anything was.
func (g *gate) reread() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.failed.IsZero() && g.now().Sub(g.failed) < rereadAfter {
		return false
	}
	changed, err := g.Reload()
	g.failed = time.Time{}
	if err != nil {
		g.failed = g.now()
	}
	return changed && err == nil
}

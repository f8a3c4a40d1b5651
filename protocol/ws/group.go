package ws

import (
	"context"
	"fmt"
	"sync"
)

// Group counts connections, and closes and awaits them: http.Server forgets a
// connection once it is upgraded. The zero value is ready. A Group must not be
// copied. Its methods may be called from any goroutine.
type Group struct {
	writeBuffers sync.Pool

	mu    sync.Mutex
	conns map[*Conn]struct{}
	// tasks are the connections and their goroutines, without the workers of the
	// line, which end with the last task.
	tasks  int
	line   *line
	idle   chan struct{}
	closed bool
}

// Count returns how many connections are open or closing.
func (g *Group) Count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.conns)
}

// Shutdown refuses new connections, closes all present ones with code 1001,
// and waits until all their goroutines have ended. When ctx ends first, the
// connections are cut and Shutdown returns ctx's error without waiting on.
// Calling it again waits again.
func (g *Group) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	g.closed = true
	conns := make([]*Conn, 0, len(g.conns))
	for c := range g.conns {
		conns = append(conns, c)
	}
	if g.tasks > 0 && g.idle == nil {
		g.idle = make(chan struct{})
	}
	idle := g.idle
	g.mu.Unlock()
	if idle == nil {
		return nil
	}

	for _, c := range conns {
		c.Close(CloseGoingAway, "server is shutting down")
	}
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
	}
	for _, c := range conns {
		c.cut()
	}
	return fmt.Errorf("ws: waiting for %d connections to close: %w", g.Count(), ctx.Err())
}

// refuses says whether the group is shutting down.
func (g *Group) refuses() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// join counts a connection.
func (g *Group) join(c *Conn) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return ErrShutdown
	}
	if g.conns == nil {
		g.conns = make(map[*Conn]struct{})
	}
	if g.line == nil {
		g.line = newLine()
	}
	g.conns[c] = struct{}{}
	c.line = g.line
	g.tasks++
	return nil
}

// begin counts one more goroutine of a connection that is already counted.
func (g *Group) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.tasks++
}

// end counts a goroutine out, or the connection that leaves.
func (g *Group) end(leave *Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.conns, leave)
	g.tasks--
	if g.tasks > 0 {
		return
	}
	if g.line != nil {
		g.line.close()
		g.line = nil
	}
	if g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// Backlogged tells whether frames have waited for a turn ever since it was last
// called: more comes than the processors can take. It is for one caller.
func (g *Group) Backlogged() bool {
	g.mu.Lock()
	l := g.line
	g.mu.Unlock()
	return l != nil && !l.emptied.Swap(false) && l.waiting.Load() > 0
}

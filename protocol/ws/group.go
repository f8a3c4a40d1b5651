package ws

import (
	"bufio"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// spareChunks bounds the memory for reading that a group keeps.
const spareChunks = 64

// Group counts connections, and closes and awaits them: http.Server forgets a
// connection once it is upgraded. The zero value is ready. A Group must not be
// copied. Its methods may be called from any goroutine.
type Group struct {
	writeBuffers sync.Pool

	resting atomic.Int32 // workers without a turn
	// chunks are spare memory for reading.
	chunks chan *chunk

	mu    sync.Mutex
	conns map[*Conn]struct{}
	// tasks are the connections and their goroutines, without the workers of Serve;
	// with the last task they end too.
	tasks, workers int
	jobs           chan *Conn
	idle           chan struct{}
	closed         bool
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
	if g.tasks+g.workers > 0 && g.idle == nil {
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
	if g.chunks == nil {
		g.chunks = make(chan *chunk, spareChunks)
		for range spareChunks / 4 {
			g.chunks <- new(chunk)
		}
	}
	if g.jobs == nil {
		g.jobs = make(chan *Conn)
	}
	g.conns[c] = struct{}{}
	c.jobs = g.jobs
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
	if g.tasks == 0 && g.jobs != nil {
		close(g.jobs)
		g.jobs = nil
	}
	g.rest()
}

// rest tells those who wait that nothing is left. The lock is held.
func (g *Group) rest() {
	if g.tasks+g.workers == 0 && g.idle != nil {
		close(g.idle)
		g.idle = nil
	}
}

// turn has a worker read and handle what has come for the connection, which
// waits meanwhile. It is false when there is no more to come.
func (g *Group) turn(c *Conn) bool {
	select {
	case c.jobs <- c:
	default:
		g.mu.Lock()
		g.workers++
		g.mu.Unlock()
		go g.work(c)
	}
	return <-c.turns
}

// work is a worker. It stays for later turns unless enough others do.
func (g *Group) work(c *Conn) {
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.workers--
		g.rest()
	}()
	jobs := c.jobs
	w := worker{reader: bufio.NewReaderSize(nil, DefaultBufferBytes)}
	for ok := true; ok; {
		c.turns <- w.turn(c)
		if g.resting.Add(1) > maxIdleWorkers {
			g.resting.Add(-1)
			return
		}
		c, ok = <-jobs
		g.resting.Add(-1)
	}
}

// spare keeps memory for the next reading, up to a bound.
func (g *Group) spare(c *chunk) {
	select {
	case g.chunks <- c:
	default:
	}
}

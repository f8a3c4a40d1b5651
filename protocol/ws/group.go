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

	// workers counts those of Serve, resting those without a turn.
	workers, resting atomic.Int32
	// chunks are spare memory for reading, taken without a lock: waiting for one
	// would take more stack than a reader has.
	chunks [spareChunks]atomic.Pointer[chunk]

	mu    sync.Mutex
	conns map[*Conn]struct{}
	// tasks are the connections and their goroutines, without the workers of Serve;
	// with the last task they end too.
	tasks  int
	jobs   chan *Conn
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
	if g.tasks+int(g.workers.Load()) > 0 && g.idle == nil {
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
	if g.jobs == nil {
		g.jobs = make(chan *Conn)
		for range spareChunks / 4 {
			g.spare(new(chunk))
		}
	}
	g.conns[c] = struct{}{}
	c.jobs, c.line = g.jobs, g.line
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
	if g.tasks+int(g.workers.Load()) == 0 && g.idle != nil {
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

// turnEnd is what a turn comes to.
type turnEnd uint8

const (
	// turnWaits: there was none.
	turnWaits turnEnd = iota
	// turnOn: all that had come is handled. turnOver: Serve is over.
	turnOn
	turnOver
	// turnOut: the turn goes on, and the connection's goroutine has to leave the
	// socket to the worker.
	turnOut
)

// turn has a worker read and handle what has come for the connection, which
// waits meanwhile, first for its turn.
func (g *Group) turn(c *Conn) turnEnd {
	c.line.enter()
	select {
	case c.jobs <- c:
	default:
		g.workers.Add(1)
		go g.work(c)
	}
	return g.turnEnds(c)
}

// turnEnds waits for the end of a turn, or for turnOut.
func (g *Group) turnEnds(c *Conn) turnEnd {
	end := <-c.turns
	if end != turnOut {
		c.line.leave()
	}
	return end
}

// work is a worker. It stays for later turns unless enough others do.
func (g *Group) work(c *Conn) {
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.workers.Add(-1)
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
	for i := range g.chunks {
		if g.chunks[i].CompareAndSwap(nil, c) {
			return
		}
	}
}

// takeSpare returns nil when there is none.
func (g *Group) takeSpare() *chunk {
	for i := range g.chunks {
		if g.chunks[i].Load() != nil {
			if c := g.chunks[i].Swap(nil); c != nil {
				return c
			}
		}
	}
	return nil
}

package ws

import (
	"runtime"
	"sync/atomic"
)

// line is where connections that have frames wait for their turn, in order. As
// many turns run at a time as there are processors: were thousands of readers to
// stand in the scheduler's own queues, everything else of the process would wait
// behind all of them.
type line struct {
	turns   chan struct{}
	waiting atomic.Int32
	// emptied is set when a turn ends and nobody waits for the next.
	emptied atomic.Bool
}

func newLine() *line {
	return &line{turns: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

// enter waits for a turn.
func (l *line) enter() {
	select {
	case l.turns <- struct{}{}:
		return
	default:
	}
	l.waiting.Add(1)
	l.turns <- struct{}{}
	l.waiting.Add(-1)
}

// leave ends a turn. Before the next one begins, everything else that could run
// does: who yields goes to the end of the scheduler's last queue.
func (l *line) leave() {
	if l.waiting.Load() > 0 {
		runtime.Gosched()
	} else {
		l.emptied.Store(true)
	}
	<-l.turns
}

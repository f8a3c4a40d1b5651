package ws

import (
	"runtime"
	"sync/atomic"
	"time"
)

// yieldEvery is how long turns go on before everything else that could run does:
// short enough that nothing waits long behind frames, and long enough that frames
// are read while something else wants a processor all the time.
const yieldEvery = 2 * time.Millisecond

// line is where connections that have frames wait for their turn, in order. As
// many turns run at a time as there are processors: were thousands of readers to
// stand in the scheduler's own queues, everything else of the process would wait
// behind all of them.
type line struct {
	turns   chan struct{}
	waiting atomic.Int32
	// emptied is set when a turn ends and nobody waits for the next.
	emptied atomic.Bool
	// opened is the line's own beginning, yielded when it last made way, since then.
	opened  time.Time
	yielded atomic.Int64
}

func newLine() *line {
	return &line{turns: make(chan struct{}, runtime.GOMAXPROCS(0)), opened: time.Now()}
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

// leave ends a turn. Now and then it makes way before the next one begins: who
// yields goes to the end of the scheduler's last queue.
func (l *line) leave() {
	if l.waiting.Load() == 0 {
		l.emptied.Store(true)
	} else if now := int64(time.Since(l.opened)); now-l.yielded.Load() > int64(yieldEvery) {
		runtime.Gosched()
		l.yielded.Store(int64(time.Since(l.opened)))
	}
	<-l.turns
}

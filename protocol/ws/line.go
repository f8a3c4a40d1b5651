package ws

import (
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// yieldEvery is how long turns go on before everything else that could run does:
	// short enough that nothing waits long behind frames, and long enough that frames
	// are read while something else wants a processor all the time.
	yieldEvery = 2 * time.Millisecond
	// spareWorkers bounds the workers beyond those of the turns that stand by.
	spareWorkers = 64
)

// line is where connections that have frames wait for their turn, in order. As
// many turns run at a time as there are processors: were thousands of readers to
// stand in the scheduler's own queues, everything else of the process would wait
// behind all of them.
type line struct {
	// turns holds a worker for each turn that is free: whoever gets one has the turn.
	turns   chan *worker
	waiting atomic.Int32
	// emptied is set when a turn ends and nobody waits for the next.
	emptied atomic.Bool
	// opened is the line's own beginning, yielded when it last made way, since then.
	opened  time.Time
	yielded atomic.Int64
	// spare are workers for the turns of those who step out of theirs.
	spare chan *worker
}

func newLine() *line {
	l := &line{turns: make(chan *worker, runtime.GOMAXPROCS(0)), spare: make(chan *worker, spareWorkers), opened: time.Now()}
	for range cap(l.turns) {
		l.turns <- &worker{}
	}
	return l
}

// enter waits for a turn, and for the worker that goes with it.
func (l *line) enter() *worker {
	select {
	case w := <-l.turns:
		return w
	default:
	}
	l.waiting.Add(1)
	w := <-l.turns
	l.waiting.Add(-1)
	return w
}

// leave ends a turn. Now and then it makes way before the next one begins: who
// yields goes to the end of the scheduler's last queue.
func (l *line) leave(w *worker) {
	if l.waiting.Load() == 0 {
		l.emptied.Store(true)
	} else if now := int64(time.Since(l.opened)); now-l.yielded.Load() > int64(yieldEvery) {
		runtime.Gosched()
		l.yielded.Store(int64(time.Since(l.opened)))
	}
	l.turns <- w
}

// stepOut leaves a turn with another worker than the one that has it and goes on.
// That one is made ready here, as those who wait for turns have not the stack for
// it.
func (l *line) stepOut() {
	var w *worker
	select {
	case w = <-l.spare:
	default:
		w = &worker{}
		w.begin()
	}
	l.leave(w)
}

// stepIn takes a turn again for a worker that stepped out of its own.
func (l *line) stepIn() {
	w := l.enter()
	select {
	case l.spare <- w:
	default:
		w.end()
	}
}

// close ends the workers. All of them are in the line, as no connection is left.
func (l *line) close() {
	for {
		select {
		case w := <-l.turns:
			w.end()
		case w := <-l.spare:
			w.end()
		default:
			return
		}
	}
}

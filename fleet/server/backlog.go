package server

import (
	"cmp"
	"strconv"

	"github.com/kapok-fleet/kapok/protocol/ws"
)

const (
	// backlogBytes bounds what waits for all streams together; a frame that waits
	// for several counts once. Beyond it positions are left out, a stream that is
	// owed an event is cut off, and none is opened.
	backlogBytes = 256 << 20
	// stuckAfter is the number of pulses for which a frame may wait before its
	// stream may be cut off to make room.
	stuckAfter = 10
)

// backlog counts the frames that wait for all streams, those of streams that are
// closing included.
type backlog struct {
	// limit is the bound, 0 for backlogBytes.
	limit int
	// holders are by the first byte of a frame, which no other frame shares.
	holders map[*byte]int
	bytes   int
	// sheets is the memory of frames that are used once.
	sheets sheets
}

// most is the bound of bytes.
func (b *backlog) most() int { return cmp.Or(b.limit, backlogBytes) }

// fits tells whether there is room for a frame, or it is held already.
func (b *backlog) fits(frame []byte) bool {
	return b.holders[&frame[0]] > 0 || b.bytes+len(frame) <= b.most()
}

func (b *backlog) add(frame []byte) {
	if b.holders == nil {
		b.holders = map[*byte]int{}
	}
	if b.holders[&frame[0]]++; b.holders[&frame[0]] == 1 {
		b.bytes += len(frame)
	}
}

// remove takes note that a stream holds a frame no longer.
func (b *backlog) remove(frame []byte, beat uint64) {
	if b.holders[&frame[0]]--; b.holders[&frame[0]] <= 0 {
		delete(b.holders, &frame[0])
		b.bytes -= len(frame)
		b.sheets.giveBack(frame, beat)
	}
}

// sweep takes back a frame that no stream was sent.
func (b *backlog) sweep(frame []byte, beat uint64) {
	if b.holders[&frame[0]] == 0 {
		b.sheets.giveBack(frame, beat)
	}
}

// unwritten is a frame that was queued at a pulse and may not be written yet.
type unwritten struct {
	frame     []byte
	beat      uint64
	positions bool
}

// settle takes note of what has been written for a subscriber. The lock is held.
func (h *hub) settle(s *subscriber) {
	left, _ := s.conn.Unwritten()
	h.forget(s, len(s.unwritten)-left)
}

// forget takes the oldest frames of a subscriber off the books.
func (h *hub) forget(s *subscriber, n int) {
	if n <= 0 {
		return
	}
	for i := range n {
		h.backlog.remove(s.unwritten[i].frame, h.beat)
		s.unwritten[i].frame = nil
	}
	if s.unwritten = s.unwritten[n:]; len(s.unwritten) == 0 {
		s.unwritten = nil
	}
}

// positionsWait tells whether a frame of positions is still to be written: no
// second one is queued, since the next will have newer values.
func (s *subscriber) positionsWait() bool {
	for i := range s.unwritten {
		if s.unwritten[i].positions {
			return true
		}
	}
	return false
}

// relieve counts what was written since the last pulse, and where much is left,
// cuts off the stream that takes least. The lock is held.
func (h *hub) relieve() {
	for s := range h.subscribers {
		h.settle(s)
	}
	for s := range h.leaving {
		select {
		case <-s.conn.Done():
			// Its writer may still be at the last one, in vain.
			for i := range s.unwritten {
				h.backlog.sheets.forsake(s.unwritten[i].frame)
			}
			h.forget(s, len(s.unwritten))
			delete(h.leaving, s)
		default:
			h.settle(s)
		}
	}
	if h.backlog.bytes <= h.backlog.most()/2 {
		return
	}
	var worst *subscriber
	most := 0
	for s := range h.subscribers {
		_, size := s.conn.Unwritten()
		if size > most && len(s.unwritten) > 0 && h.beat-s.unwritten[0].beat >= stuckAfter {
			worst, most = s, size
		}
	}
	if worst != nil {
		h.cutOff(worst)
	}
}

// cutOff ends a stream that takes too little. The lock is held.
func (h *hub) cutOff(s *subscriber) {
	h.server.metrics.cut.WithLabelValues("stream").Inc()
	s.conn.Close(ws.CloseTryAgain, "too slow: resume with after="+strconv.FormatUint(s.index, 10))
	h.drop(s)
}

// drop takes a subscriber out; what waits for it is counted until its socket is
// closed. The lock is held.
func (h *hub) drop(s *subscriber) {
	delete(h.subscribers, s)
	if h.leaving == nil {
		h.leaving = map[*subscriber]struct{}{}
	}
	h.leaving[s] = struct{}{}
}

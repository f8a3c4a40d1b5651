package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

const (
	// pulse is the pace at which positions are looked at; no subscriber gets
	// more frames of them than one each pulse.
	pulse = 100 * time.Millisecond
	// keptEvents and keptBytes are how far back a subscriber may resume. All of it
	// fits into the queue of one that does.
	keptEvents = 8192
	keptBytes  = streamQueueBytes / 2
	// tellIndex is the number of pulses after which a subscriber learns that the
	// index moved though nothing was for it.
	tellIndex = 10
	// frameEvents and frameBytes bound one frame of events.
	frameEvents = 256
	frameBytes  = 512 << 10
	// positionsBehind is how many frames may wait for a subscriber before it is
	// sent no positions; what it misses is in the next frame that it gets. Of
	// positions no more than one waits.
	positionsBehind = 4
	// viewWithin is how long a frame of events waits for a view that shows them.
	viewWithin = 2 * time.Second
	viewPoll   = 5 * time.Millisecond
	// followAgain is the pause before a broken feed is followed again.
	followAgain = time.Second
)

var (
	errTooOld  = errors.New("events that far back are no longer kept")
	errCrowded = errors.New("too much waits for other streams")
)

// hub makes the frames of /v1/stream, each once for all subscribers. Events are
// followed by one goroutine and positions by another.
type hub struct {
	server *Server
	group  ws.Group
	// socket are the limits of each stream's socket.
	socket ws.Options

	mu          sync.Mutex // guards the rest
	subscribers map[*subscriber]struct{}
	// leaving are those whose socket may still have frames to write, which are in
	// the backlog like those of subscribers.
	leaving map[*subscriber]struct{}
	backlog backlog
	// kept are the last events, encoded; index is that of the newest. Their
	// indices have no gap.
	kept     []keptEvent
	keptSize int
	index    uint64
	// roster are the newest states of vehicles, beat counts pulses.
	roster roster
	beat   uint64
	// spare is a batch of the last pulse, whose memory the next one uses, as it does
	// scratch.
	spare   *batch
	scratch scratch
	// snapshots are those that are being made or were just now, making holds a token
	// for each at work.
	snapshots map[interest]*opening
	making    chan struct{}
}

// outlet is the sending side of a stream's socket, as ws.Conn has it. What it
// counts as unwritten no longer, it reads no longer.
type outlet interface {
	Send(frame []byte) error
	Unwritten() (frames, bytes int)
	Close(code int, reason string)
	Done() <-chan struct{}
}

// subscriber is one open stream. The hub's lock guards it.
type subscriber struct {
	conn   outlet
	caller caller
	interest
	// index is the last event that was considered for it, or that its snapshot
	// shows; told is the last index that it knows of, at the pulse toldAt.
	index, told, toldAt uint64
	// every is the number of pulses between frames of positions, 0 for none; seen
	// is the look of the roster up to which it has them.
	every, seen uint64
	// complete says that its next frame of positions is to have all vehicles;
	// inside are those that it has, where the interest is selective.
	complete bool
	inside   *members
	// unwritten are its last frames, as far as they may not be written yet.
	unwritten []unwritten
}

// begin finds the place to follow from: a little back, so that a subscriber can
// resume over a restart of the server.
func (h *hub) begin() Feed {
	now := h.server.backend.View().Index
	for _, after := range []uint64{now - min(now, keptEvents/2), now} {
		feed, err := h.server.backend.Follow(after)
		if err == nil {
			h.mu.Lock()
			h.index, h.kept, h.keptSize = after, nil, 0
			h.mu.Unlock()
			return feed
		}
	}
	return nil
}

// follow sends out events until ctx ends. When it falls behind the engine, all
// subscribers are cut off and begin anew.
func (h *hub) follow(ctx context.Context) {
	feed := h.begin()
	for ctx.Err() == nil {
		var events []fleet.Recorded
		err := engine.ErrUnavailable
		if feed != nil {
			events, err = feed.Next(ctx)
		}
		if err == nil {
			err = h.publish(ctx, events)
		}
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return
		}
		h.server.options.Log.Warn("the stream lost its place in the events", "error", err)
		h.cutAll(ws.CloseTryAgain, "the server lost its place; take a new snapshot")
		pause := time.NewTimer(followAgain)
		select {
		case <-ctx.Done():
		case <-pause.C:
			feed = h.begin()
		}
		pause.Stop()
	}
}

// publish encodes events with what they are about and sends them out.
func (h *hub) publish(ctx context.Context, events []fleet.Recorded) error {
	if len(events) == 0 {
		return nil
	}
	h.awaitView(ctx, events[len(events)-1].Index)
	h.mu.Lock()
	defer h.mu.Unlock()
	// The view is taken and sent under one lock, so that no positions of a newer
	// one are sent in between.
	encoded, err := encodeStreamEvents(h.server.options.Chart, h.server.backend.View().State, events)
	if err != nil {
		return err
	}
	if events[0].Index != h.index+1 {
		return fmt.Errorf("server: event %d follows event %d", events[0].Index, h.index)
	}
	h.keep(encoded)
	h.index = events[len(events)-1].Index
	shared := map[place][]eventFrame{}
	for s := range h.subscribers {
		if s.index+1 < h.first() {
			s.conn.Close(ws.CloseTryAgain, "the server lost its place; take a new snapshot")
			h.drop(s)
			continue
		}
		// Nearly all are at the same place and want the same, and share their frames.
		at := place{s.interest, s.index}
		frames, ok := shared[at]
		if !ok {
			frames = h.eventFrames(at)
			shared[at] = frames
		}
		h.sendEvents(s, frames)
	}
	return nil
}

// keep adds events for those who resume, and drops the oldest beyond the
// limits. The lock is held.
func (h *hub) keep(events []keptEvent) {
	h.kept = append(h.kept, events...)
	for i := range events {
		h.keptSize += len(events[i].bytes)
	}
	extra := 0
	for len(h.kept)-extra > keptEvents || h.keptSize > keptBytes && len(h.kept)-extra > len(events) {
		h.keptSize -= len(h.kept[extra].bytes)
		extra++
	}
	h.kept = slices.Delete(h.kept, 0, extra)
}

// awaitView waits for a view that shows the event with the index.
func (h *hub) awaitView(ctx context.Context, index uint64) {
	if h.server.backend.View().Index >= index {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, viewWithin)
	defer cancel()
	poll := time.NewTicker(viewPoll)
	defer poll.Stop()
	for h.server.backend.View().Index < index {
		select {
		case <-ctx.Done():
			return
		case <-poll.C:
		}
	}
}

// place is where a subscriber with an interest stands in the events.
type place struct {
	interest
	after uint64
}

// eventFrame is an encoded StreamEvents: those that are wanted up to index.
type eventFrame struct {
	index uint64
	bytes []byte
}

// first is the index of the oldest kept event; above index when none is kept.
// The lock is held.
func (h *hub) first() uint64 { return h.index - uint64(len(h.kept)) + 1 }

// eventFrames encodes what is wanted of the kept events behind an index. The
// lock is held.
func (h *hub) eventFrames(at place) []eventFrame {
	first := h.first()
	if at.after >= h.index || at.after+1 < first {
		return nil
	}
	var frames []eventFrame
	var batch [][]byte
	size := 0
	for i := at.after + 1 - first; i < uint64(len(h.kept)); i++ {
		e := &h.kept[i]
		if !at.wantsAny(e.about) {
			continue
		}
		if len(batch) == frameEvents || len(batch) > 0 && size+len(e.bytes) > frameBytes {
			frames = append(frames, eventsFrame(first+i-1, batch, size))
			batch, size = batch[:0], 0
		}
		batch = append(batch, e.bytes)
		size += len(e.bytes)
	}
	if len(batch) > 0 {
		frames = append(frames, eventsFrame(h.index, batch, size))
	}
	return frames
}

// eventsFrame writes encoded events as a frame.
func eventsFrame(index uint64, events [][]byte, size int) eventFrame {
	var b bytes.Buffer
	b.Grow(size + len(events) + 64)
	b.WriteString(`{"type":"` + api.StreamEventsType + `","index":` + strconv.FormatUint(index, 10) + `,"events":[`)
	b.Write(bytes.Join(events, []byte{','}))
	b.WriteString("]}")
	return eventFrame{index, b.Bytes()}
}

// sendEvents sends frames of events to one subscriber, who is cut off when it
// cannot keep up: events are never dropped. The lock is held.
func (h *hub) sendEvents(s *subscriber, frames []eventFrame) {
	for _, f := range frames {
		if !h.send(s, f.bytes, h.server.metrics.streamed.events) {
			return
		}
		s.index, s.told, s.toldAt = f.index, f.index, h.beat
	}
	// What came after the last frame was not for it.
	s.index = max(s.index, h.index)
}

// tell says how far the index has come, when nothing that moved it was for the
// subscriber for a while. The lock is held.
func (h *hub) tell(s *subscriber) {
	if s.told == s.index || h.beat-s.toldAt < tellIndex {
		return
	}
	if h.send(s, eventsFrame(s.index, nil, 0).bytes, h.server.metrics.streamed.events) {
		s.told, s.toldAt = s.index, h.beat
	}
}

// send queues a frame, and cuts the subscriber off when there is no room for it:
// it must have the frame or know that it lacks something. The lock is held.
func (h *hub) send(s *subscriber, frame []byte, kind prometheus.Counter) bool {
	err := ws.ErrQueueFull
	if h.backlog.fits(frame) {
		err = s.conn.Send(frame)
	}
	switch {
	case err == nil:
		h.sent(s, frame, kind)
		return true
	case errors.Is(err, ws.ErrQueueFull), errors.Is(err, ws.ErrFrameTooLarge):
		h.cutOff(s)
	default:
		h.drop(s)
	}
	return false
}

// sendPositions queues a frame that may be left out: what it has is in the next
// one too. The lock is held.
func (h *hub) sendPositions(s *subscriber, frame []byte) bool {
	if !h.backlog.fits(frame) {
		return false
	}
	err := s.conn.Send(frame)
	switch {
	case err == nil:
		h.sent(s, frame, h.server.metrics.streamed.positions)
		s.unwritten[len(s.unwritten)-1].positions = true
	case errors.Is(err, ws.ErrFrameTooLarge):
		h.cutOff(s) // It never fits.
	case !errors.Is(err, ws.ErrQueueFull):
		h.drop(s)
	}
	return err == nil
}

// sent keeps account of a frame that was queued. The lock is held.
func (h *hub) sent(s *subscriber, frame []byte, kind prometheus.Counter) {
	h.backlog.add(frame)
	s.unwritten = append(s.unwritten, unwritten{frame: frame, beat: h.beat})
	kind.Inc()
	h.server.metrics.streamed.bytes.Add(float64(len(frame)))
}

func (h *hub) cutAll(code int, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		s.conn.Close(code, reason)
		h.drop(s)
	}
}

func (h *hub) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.subscribers)
}

func (h *hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s)
}

// keeps tells whether a stream can go on behind an index.
func (h *hub) keeps(after uint64) bool {
	newest := h.server.backend.View().Index
	h.mu.Lock()
	defer h.mu.Unlock()
	return after+1 >= h.first() && after <= max(h.index, newest)
}

// resume adds a subscriber that has everything up to an index. Where vehicles
// are it may have seen later than that, or not at all: the first frame of
// positions tells it of all.
func (h *hub) resume(s *subscriber, after uint64) error {
	opening, err := json.Marshal(api.StreamResumed{Type: api.StreamResumedType, Index: after})
	if err != nil {
		return fmt.Errorf("server: opening a stream: %w", err)
	}
	if !h.keeps(after) {
		return errTooOld
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.index, s.seen, s.complete, s.inside = after, 0, true, nil
	return h.join(s, [][]byte{opening})
}

// start adds a subscriber with a snapshot, behind what else opens the stream.
func (h *hub) start(s *subscriber, before ...[]byte) error {
	h.mu.Lock()
	made := h.opening(s.interest)
	h.mu.Unlock()
	frames, err := made.frames(h.server.options.Chart)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.opened(made)
	if err != nil {
		return err
	}
	s.index, s.seen, s.complete, s.inside = made.view.Index, made.seen, false, made.inside
	if s.topics&aboutVehicles == 0 {
		// The snapshot has no vehicles: the first frame of positions has them all.
		s.seen, s.complete, s.inside = 0, true, nil
	}
	return h.join(s, append(before, frames...))
}

// join sends the opening and what happened since, and adds the subscriber. The
// lock is held.
func (h *hub) join(s *subscriber, opening [][]byte) error {
	if s.index+1 < h.first() {
		return errTooOld
	}
	events := h.eventFrames(place{s.interest, s.index})
	room := h.backlog.most() - h.backlog.bytes
	for _, frame := range opening {
		room -= len(frame)
	}
	for _, frame := range events {
		room -= len(frame.bytes)
	}
	if room < 0 {
		return errCrowded
	}
	s.told, s.toldAt = s.index, h.beat
	if h.subscribers == nil {
		h.subscribers = map[*subscriber]struct{}{}
	}
	h.subscribers[s] = struct{}{}
	delete(h.leaving, s)
	for _, frame := range opening {
		if !h.send(s, frame, h.server.metrics.streamed.openings) {
			return nil
		}
	}
	h.sendEvents(s, events)
	return nil
}

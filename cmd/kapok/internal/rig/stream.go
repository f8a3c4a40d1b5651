package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"sync/atomic"
	"time"

	"github.com/kapok-fleet/kapok/protocol/api"
)

// streamBuffer is how much a dispatcher reads at once.
const streamBuffer = 64 << 10

// streams are dispatchers who watch in the same way.
type streams struct {
	load *Load
	o    StreamOptions
	open atomic.Int64

	frames, bytes     atomic.Int64
	positions, events atomic.Int64

	mu     sync.Mutex // guards the rest
	delays Delays
}

// run keeps one stream open until ctx ends. The first opening is announced.
func (w *streams) run(ctx context.Context, timed bool, first func(error)) {
	path := "/v1/stream"
	if w.o.Query != "" {
		path += "?" + w.o.Query
	}
	pause, begun := reconnectPause, time.Now()
	for try := 1; ; try++ {
		s, err := w.load.target.open(ctx, path, w.o.Token, "")
		if err == nil {
			w.open.Add(1)
			first(nil)
			pause = reconnectPause
			err = w.watch(ctx, s, timed)
			w.open.Add(-1)
			s.close()
			if ctx.Err() == nil {
				w.load.note(err)
			}
		} else if ctx.Err() == nil {
			w.load.dialsFailed.Add(1)
			if outOfPatience(try, begun, err) {
				first(err)
			}
		}
		if !wait(ctx, pause) {
			first(ctx.Err())
			return
		}
		pause = min(2*pause, reconnectPauseMax)
	}
}

// watch reads until the stream ends.
func (w *streams) watch(ctx context.Context, s *socket, timed bool) error {
	stop := context.AfterFunc(ctx, s.close)
	defer stop()
	if w.o.Silent {
		<-ctx.Done()
		return ctx.Err()
	}
	s.buffer = append(s.buffer, make([]byte, streamBuffer)...)
	if timed {
		return w.measure(s)
	}
	for {
		first, size, err := s.head()
		if err != nil {
			return err
		}
		opcode := first & 0x0f
		if opcode >= opClose {
			p, err := s.payload(size)
			if err == nil {
				err = s.control(opcode, p)
			}
			if err != nil {
				return err
			}
			continue
		}
		if err := s.skip(size); err != nil {
			return err
		}
		if first&finalBit != 0 {
			w.frames.Add(1)
		}
		w.bytes.Add(int64(size))
	}
}

// moved is what is read of a frame of positions.
type moved struct {
	Vehicles []struct {
		ID           string    `json:"id"`
		PositionTime time.Time `json:"position_time"`
	} `json:"vehicles"`
}

// measure reads everything, and the times of positions.
func (w *streams) measure(s *socket) error {
	mark := []byte(`"type":"` + api.StreamPositionsType + `"`)
	newest := map[string]time.Time{}
	for {
		frame, err := s.next()
		if err != nil {
			return err
		}
		at := time.Now()
		w.frames.Add(1)
		w.bytes.Add(int64(len(frame)))
		if !bytes.Contains(frame[:min(len(frame), 64)], mark) {
			w.events.Add(1)
			continue
		}
		var m moved
		if err := json.Unmarshal(frame, &m); err != nil {
			return err
		}
		w.positions.Add(int64(len(m.Vehicles)))
		w.mu.Lock()
		for i := range m.Vehicles {
			v := &m.Vehicles[i]
			if v.PositionTime.After(newest[v.ID]) {
				newest[v.ID] = v.PositionTime
				w.delays.Add(at.Sub(v.PositionTime))
			}
		}
		w.mu.Unlock()
	}
}

// report sums up; the delays begin anew.
func (w *streams) report() StreamReport {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := StreamReport{
		Frames: w.frames.Load(), Bytes: w.bytes.Load(), Positions: w.positions.Load(), Events: w.events.Load(),
		Delays: w.delays.Quantiles(),
	}
	w.delays = Delays{}
	return r
}

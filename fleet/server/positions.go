package server

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
	"github.com/kapok-fleet/kapok/protocol/api"
	"github.com/kapok-fleet/kapok/protocol/ws"
)

// checkEvery is how often the tokens are read again, and it is looked whether
// those of open links and streams still admit them.
const checkEvery = 2 * time.Second

// beatOn sends out positions until ctx ends.
func (h *hub) beatOn(ctx context.Context) {
	ticker := time.NewTicker(pulse)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			h.pulse()
		}
	}
}

// pulse looks at what moved and sends it to those whose turn it is. The view is
// taken under the lock: no subscriber has been sent a newer one by then.
func (h *hub) pulse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beat++
	if len(h.subscribers) == 0 {
		return
	}
	view := h.server.backend.View()
	h.look(view)
	frames := map[uint64][]byte{}
	for s := range h.subscribers {
		if s.every == 0 || h.beat%s.every != 0 {
			continue
		}
		if waiting, _ := s.conn.Queued(); waiting > positionsBehind {
			continue
		}
		frame, ok := frames[s.beat]
		if !ok {
			frame = h.positionsFrame(view.At, s.beat)
			frames[s.beat] = frame
		}
		if frame == nil || h.send(s, frame) {
			s.beat = h.beat
		}
	}
}

// look encodes the vehicles that changed. Presences are never changed in place:
// another pointer is another state. The lock is held.
func (h *hub) look(view *engine.View) {
	if h.positions == nil {
		h.positions = map[fleet.VehicleID]*position{}
	}
	for id, presence := range view.State.Volatile.Presences {
		known, ok := h.positions[id]
		if ok && known.presence == presence {
			continue
		}
		vehicle, ok := view.State.VehicleView(id)
		if !ok {
			continue
		}
		frame, err := json.Marshal(api.VehiclePosition{
			ID: vehicle.ID, Link: vehicle.Link, LastHeard: vehicle.LastHeard, Position: vehicle.Position,
			SpeedMPS: vehicle.SpeedMPS, HeadingDeg: vehicle.HeadingDeg, BatteryRatio: vehicle.BatteryRatio, Mode: vehicle.Mode,
		})
		if err != nil {
			h.server.options.Log.Error("a vehicle's position cannot be encoded", "vehicle", id, "error", err)
			continue
		}
		h.positions[id] = &position{presence, h.beat, frame}
	}
}

// positionsFrame holds what changed after a pulse, nil for nothing. The lock is
// held.
func (h *hub) positionsFrame(at time.Time, after uint64) []byte {
	var ids []fleet.VehicleID
	for id, p := range h.positions {
		if p.beat > after {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	slices.Sort(ids)
	var b bytes.Buffer
	b.WriteString(`{"type":"` + api.StreamPositionsType + `","time":"` + at.UTC().Format(time.RFC3339Nano) + `","vehicles":[`)
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(h.positions[id].frame)
	}
	b.WriteString("]}")
	return b.Bytes()
}

// checkOn closes links and streams whose token no longer admits them.
func (s *Server) checkOn(ctx context.Context) {
	ticker := time.NewTicker(checkEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			s.checkCallers()
		}
	}
}

func (s *Server) checkCallers() {
	if _, err := s.options.Access.Reload(); err != nil {
		s.options.Log.Error("the tokens could not be read again; those known before stay in force", "error", err)
	}
	for _, l := range s.links.list(nil) {
		if !s.stillAdmits(l.caller, toLink) {
			l.close(ws.ClosePolicy, codeUnauthenticated+": the token was withdrawn")
		}
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for sub := range s.hub.subscribers {
		if !s.stillAdmits(sub.caller, toRead) {
			sub.conn.Close(ws.ClosePolicy, codeUnauthenticated+": the token was withdrawn")
			delete(s.hub.subscribers, sub)
		}
	}
}

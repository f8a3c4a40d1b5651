package server

import (
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

// position is the encoded volatile state of a vehicle, and when it changed.
type position struct {
	presence *fleet.Presence
	matter   matter
	beat     uint64
	frame    []byte
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
	shared := map[uint64][]byte{}
	for s := range h.subscribers {
		if waiting, _ := s.conn.Queued(); waiting > positionsBehind {
			continue
		}
		h.tell(s)
		if s.every == 0 || h.beat%s.every != 0 {
			continue
		}
		var frame []byte
		ok := false
		if !s.complete && !s.selective() {
			frame, ok = shared[s.beat]
		}
		if !ok {
			frame = h.positionsFrame(view, s)
		}
		if !s.complete && !s.selective() {
			shared[s.beat] = frame
		}
		if frame == nil || h.send(s, frame) {
			s.beat, s.complete = h.beat, false
		}
	}
}

// look encodes the vehicles that changed. Presences are never changed in place:
// another pointer is another state, and none the state after a restart. The lock
// is held.
func (h *hub) look(view *engine.View) {
	if h.positions == nil {
		h.positions = map[fleet.VehicleID]*position{}
	}
	for id := range view.State.Durable.Vehicles {
		presence := view.State.Volatile.Presences[id]
		known, ok := h.positions[id]
		about := vehicleMatter(view.State, id, aboutPositions)
		if ok && known.presence == presence && known.matter == about {
			continue
		}
		vehicle, ok := view.State.VehicleView(id)
		if !ok {
			continue
		}
		frame, err := json.Marshal(vehicle.Moving())
		if err != nil {
			h.server.options.Log.Error("a vehicle's position cannot be encoded", "vehicle", id, "error", err)
			continue
		}
		h.positions[id] = &position{presence, about, h.beat, frame}
	}
}

// positionsFrame holds what changed for a subscriber since its last one, nil for
// nothing, and takes note of who is inside its area. The lock is held.
func (h *hub) positionsFrame(view *engine.View, s *subscriber) []byte {
	frame := struct {
		api.StreamPositions
		Vehicles []json.RawMessage `json:"vehicles"`
	}{
		StreamPositions: api.StreamPositions{Type: api.StreamPositionsType, Time: view.At.UTC(), Complete: s.complete},
		Vehicles:        []json.RawMessage{},
	}
	var changed []fleet.VehicleID
	for id, p := range h.positions {
		if p.beat > s.beat || s.complete {
			changed = append(changed, id)
		}
	}
	slices.Sort(changed)
	for _, id := range changed {
		p := h.positions[id]
		_, inside := s.inside[id]
		wanted := s.wants(p.matter)
		switch {
		case !s.selective():
		case wanted && !inside:
			s.inside[id] = struct{}{}
			if v, ok := view.State.VehicleView(id); ok && s.topics&aboutVehicles != 0 {
				frame.Entered = append(frame.Entered, v)
			}
		case !wanted && inside:
			delete(s.inside, id)
			frame.LeftArea = append(frame.LeftArea, string(id))
		}
		if wanted {
			frame.Vehicles = append(frame.Vehicles, p.frame)
		}
	}
	if len(frame.Vehicles)+len(frame.LeftArea) == 0 && !s.complete {
		return nil
	}
	encoded, err := json.Marshal(frame)
	if err != nil {
		h.server.options.Log.Error("positions cannot be encoded", "error", err)
		return nil
	}
	return encoded
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

package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
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

// turn decides what is in a frame of positions: subscribers with the same turn
// share the frame.
type turn struct {
	interest
	// seen is the look up to which they have positions, inside are the vehicles
	// that they have then, where the interest is selective.
	seen     uint64
	complete bool
	inside   *members
}

// turn is that of a subscriber. What its frame does not depend on is left out.
func (s *subscriber) turn() turn {
	t := turn{seen: s.seen, complete: s.complete}
	t.topics = s.topics & (aboutPositions | aboutVehicles)
	if s.selective() {
		t.interest, t.inside = interest{t.topics, s.kinds, s.bounded, s.area}, s.inside
	}
	return t
}

// moved is what a turn comes to: a frame, nil for nothing, and who is inside.
type moved struct {
	frame  []byte
	inside *members
}

// round is the work of one pulse, each piece of it done once for all who need it.
type round struct {
	roster *roster
	log    *slog.Logger
	made   map[turn]moved
	// changed are the rows that changed behind a look.
	changed map[uint64]*batch
	// inside are the sets that interests have come to. Whoever has all that
	// changed has the same set, however it came there.
	inside map[interest]*members
	// whole are encoded vehicles, for those who are told of them anew.
	whole map[int][]byte
	// spare is a batch whose memory may be used, picked is used by each frame anew.
	spare  *batch
	picked []int
}

func newRound(r *roster, log *slog.Logger) *round {
	return &round{
		roster: r, log: log, made: map[turn]moved{}, changed: map[uint64]*batch{}, inside: map[interest]*members{}, whole: map[int][]byte{},
	}
}

// pulse looks at what moved and sends it to those whose turn it is. The view is
// taken under the lock: no subscriber has been sent a newer one by then.
func (h *hub) pulse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beat++
	h.relieve()
	var due []*subscriber
	for s := range h.subscribers {
		if len(s.unwritten) > positionsBehind {
			continue
		}
		h.tell(s)
		if s.every > 0 && h.beat%s.every == 0 && !s.positionsWait() {
			due = append(due, s)
		}
	}
	if len(due) == 0 {
		return
	}
	h.roster.look(h.server.backend.View(), h.server.options.Log)
	round := newRound(&h.roster, h.server.options.Log)
	round.spare, h.spare = h.spare, nil
	for _, s := range due {
		if s.seen == h.roster.looks && !s.complete {
			continue
		}
		m := round.moved(s.turn())
		if m.frame == nil || h.sendPositions(s, m.frame) {
			s.seen, s.complete, s.inside = h.roster.looks, false, m.inside
		}
	}
	for _, used := range round.changed {
		h.spare = used
	}
}

// moved makes what a turn comes to, once.
func (r *round) moved(t turn) moved {
	m, ok := r.made[t]
	if !ok {
		m = r.make(t)
		r.made[t] = m
	}
	return m
}

func (r *round) make(t turn) moved {
	changed, ok := r.changed[t.seen]
	if !ok {
		changed = &batch{}
		if r.spare != nil {
			changed, r.spare = r.spare, nil
		}
		changed.fill(r.roster, t.seen)
		r.changed[t.seen] = changed
	}
	p := parts{complete: t.complete, of: changed, vehicles: r.picked[:0]}
	inside, selective := t.inside, t.selective()
	if selective {
		inside = inside.copied(len(r.roster.rows))
	}
	for i, n := range changed.numbers {
		wanted := t.wants(changed.about[i])
		if wanted {
			p.vehicles = append(p.vehicles, i)
			p.size += len(changed.part(i))
		}
		if !selective || wanted == inside.has(n) {
			continue
		}
		inside.set(n, wanted)
		if !wanted {
			p.add(&p.left, r.named(r.roster.rows[n].id))
		} else if t.topics&aboutVehicles != 0 {
			p.add(&p.entered, r.shown(n))
		}
	}
	r.picked = p.vehicles
	if selective {
		if known, ok := r.inside[t.interest]; ok {
			inside = known
		}
		r.inside[t.interest] = inside
	}
	return moved{p.frame(r.roster.view.At, r.log), inside}
}

// shown encodes a vehicle whole, once.
func (r *round) shown(n int) []byte {
	if whole, ok := r.whole[n]; ok {
		return whole
	}
	v, ok := r.roster.view.State.VehicleView(r.roster.rows[n].id)
	whole, err := json.Marshal(v)
	if !ok || err != nil {
		r.log.Error("a vehicle cannot be encoded", "vehicle", r.roster.rows[n].id, "known", ok, "error", err)
		whole = []byte("null")
	}
	r.whole[n] = whole
	return whole
}

func (r *round) named(id fleet.VehicleID) []byte {
	name, err := appendText(nil, string(id))
	if err != nil {
		r.log.Error("the id of a vehicle cannot be encoded", "vehicle", id, "error", err)
		return []byte(`""`)
	}
	return name
}

// parts are what an api.StreamPositions is put together from.
type parts struct {
	complete bool
	// vehicles are of the batch; entered and left are encoded, each behind a comma.
	of            *batch
	vehicles      []int
	entered, left []byte
	size          int
}

func (p *parts) add(to *[]byte, element []byte) {
	*to = append(append(*to, ','), element...)
	p.size += len(element) + 1
}

// frame puts the parts together; nil where there is nothing to tell.
func (p *parts) frame(at time.Time, log *slog.Logger) []byte {
	if len(p.vehicles)+len(p.left) == 0 && !p.complete {
		return nil
	}
	const around = 160 // All that is not an element.
	b := make([]byte, 0, p.size+around)
	b = append(b, `{"type":"`+api.StreamPositionsType+`","time":"`...)
	b, err := at.UTC().AppendText(b)
	if err != nil {
		log.Error("positions cannot be encoded", "error", err)
		return nil
	}
	b = append(b, '"')
	if p.complete {
		b = append(b, `,"complete":true`...)
	}
	if len(p.entered) > 0 {
		b = append(append(b, `,"entered":[`...), p.entered[1:]...)
		b = append(b, ']')
	}
	b = append(b, `,"vehicles":[`...)
	for i, n := range p.vehicles {
		part := p.of.part(n)
		if i == 0 {
			part = part[1:]
		}
		b = append(b, part...)
	}
	b = append(b, ']')
	if len(p.left) > 0 {
		b = append(append(b, `,"left_area":[`...), p.left[1:]...)
		b = append(b, ']')
	}
	return append(b, '}')
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
			s.hub.drop(sub)
		}
	}
}

package server

import (
	"context"
	"encoding/json"
	"log/slog"
	"math/bits"
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
	// spare is a batch whose memory may be used, scratch is used by each frame anew.
	spare   *batch
	scratch *scratch
	// sheets is the memory of frames.
	sheets *sheets
}

func newRound(r *roster, s *sheets, log *slog.Logger) *round {
	return &round{
		roster: r, sheets: s, log: log, made: map[turn]moved{}, changed: map[uint64]*batch{}, inside: map[interest]*members{}, whole: map[int][]byte{},
	}
}

// pulse looks at what moved and sends it to those whose turn it is. The view is
// taken under the lock: no subscriber has been sent a newer one by then.
func (h *hub) pulse() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.beat++
	h.relieve()
	h.backlog.sheets.tidy(h.beat)
	h.forgetSnapshots(snapshotPulses + 1)
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
	h.roster.look(h.server.backend.View())
	round := newRound(&h.roster, &h.backlog.sheets, h.server.options.Log)
	round.spare, round.scratch, h.spare = h.spare, &h.scratch, nil
	for _, s := range due {
		if s.seen == h.roster.looks && !s.complete {
			continue
		}
		m := round.moved(s.turn())
		if m.frame == nil || h.sendPositions(s, m.frame) {
			s.seen, s.complete, s.inside = h.roster.looks, false, m.inside
		}
	}
	for _, m := range round.made {
		if m.frame != nil {
			h.backlog.sweep(m.frame, h.beat)
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
	changed := r.behind(t.seen)
	p := parts{complete: t.complete, rows: r.roster.rows}
	if !t.selective() {
		p.whole = changed.all(r.roster, r.log)
		p.size = len(p.whole)
		return moved{p.frame(r.roster.view.At, r.sheets, r.log), t.inside}
	}
	inside := r.pick(t, changed, &p)
	if known, ok := r.inside[t.interest]; ok {
		inside = known
	}
	r.inside[t.interest] = inside
	return moved{p.frame(r.roster.view.At, r.sheets, r.log), inside}
}

// behind are the rows that changed behind a look.
func (r *round) behind(seen uint64) *batch {
	changed, ok := r.changed[seen]
	if !ok {
		changed = &batch{}
		if r.spare != nil {
			changed, r.spare = r.spare, nil
		}
		changed.fill(r.roster, seen)
		r.changed[seen] = changed
	}
	return changed
}

// pick finds what of the batch is for a turn, and returns who is inside then.
func (r *round) pick(t turn, changed *batch, p *parts) *members {
	scratch := r.scratch
	scratch.clear(len(changed.spots), len(r.roster.rows))
	sight := t.sight()
	changed.within(&sight, func(i int) {
		if sight.has(&changed.spots[i]) {
			scratch.picked.set(i)
			scratch.now.set(changed.numbers[i])
		}
	})
	p.vehicles = scratch.vehicles[:0]
	for i := range scratch.picked.each() {
		n := changed.numbers[i]
		if one := r.roster.encoded(n, r.log); len(one) > 0 {
			p.vehicles = append(p.vehicles, n)
			p.size += len(one) + 1
		}
	}
	scratch.vehicles = p.vehicles
	return r.crossed(t, changed, p)
}

// crossed tells who came into the turn's interest and who left it, with what
// pick found to be there now.
func (r *round) crossed(t turn, changed *batch, p *parts) *members {
	inside, now := t.inside, r.scratch.now
	p.entered, p.left = r.scratch.entered[:0], r.scratch.left[:0]
	own := false
	for w := range changed.changed.bits {
		was := inside.word(w)
		is := was&^changed.changed.bits[w] | now.bits[w]
		if is == was {
			continue
		}
		if !own {
			inside, own = inside.copied(len(r.roster.rows)), true
		}
		inside.bits[w] = is
		for crossed := is ^ was; crossed != 0; crossed &= crossed - 1 {
			n := w<<6 + bits.TrailingZeros64(crossed)
			if was&(1<<(n&63)) != 0 {
				p.add(&p.left, r.named(r.roster.rows[n].id))
			} else if t.topics&aboutVehicles != 0 {
				p.add(&p.entered, r.shown(n))
			}
		}
	}
	r.scratch.entered, r.scratch.left = p.entered, p.left
	return inside
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

// scratch is memory for the making of one frame.
type scratch struct {
	// picked are rows of the batch, now are rows of the roster.
	picked, now   members
	vehicles      []int
	entered, left []byte
}

func (s *scratch) clear(batch, roster int) {
	s.picked.clear(batch)
	s.now.clear(roster)
}

// parts are what an api.StreamPositions is put together from.
type parts struct {
	complete bool
	// vehicles are the numbers of rows that are encoded; whole, entered and left are
	// encoded, each behind a comma.
	rows                 []row
	vehicles             []int
	whole, entered, left []byte
	size                 int
}

func (p *parts) add(to *[]byte, element []byte) {
	*to = append(append(*to, ','), element...)
	p.size += len(element) + 1
}

// frame puts the parts together, in memory of sheets; nil where there is nothing
// to tell.
func (p *parts) frame(at time.Time, sheets *sheets, log *slog.Logger) []byte {
	if len(p.vehicles)+len(p.left)+len(p.whole) == 0 && !p.complete {
		return nil
	}
	const around = 160 // All that is not an element.
	b := sheets.take(p.size + around)
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
	if len(p.whole) > 0 {
		b = append(b, p.whole[1:]...)
	}
	for i, n := range p.vehicles {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, p.rows[n].frame...)
	}
	b = append(b, ']')
	if len(p.left) > 0 {
		b = append(append(b, `,"left_area":[`...), p.left[1:]...)
		b = append(b, ']')
	}
	b = append(b, '}')
	sheets.lend(b)
	return b
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

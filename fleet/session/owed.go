package session

import (
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// rememberedIDs is how many ended missions and commands a session remembers to
// have sent, and rememberedRevisions how many revisions of a mission. One that
// is forgotten and still owed is sent again, which does no harm.
const (
	rememberedIDs       = 256
	rememberedRevisions = 16
)

// told is what this session has sent of what the vehicle is owed.
type told struct {
	mission         string
	revisions       []sentRevision
	ended, commands recent
}

// sentRevision is a revision with the state that it was last sent in.
type sentRevision struct {
	revision int
	state    protocol.MissionState
}

// recent is the last ids of a kind, oldest first.
type recent struct{ ids []string }

// add tells whether the id is new, and remembers it.
func (r *recent) add(id string) bool {
	for _, known := range r.ids {
		if known == id {
			return false
		}
	}
	if len(r.ids) == rememberedIDs {
		r.ids = append(r.ids[:0], r.ids[1:]...)
	}
	r.ids = append(r.ids, id)
	return true
}

// newMission tells whether the vehicle has yet to be told of the revision, or of
// its state, and remembers it as told. A revision that comes back in the state
// in which it was last sent, because a later one was refused, is not new: the
// vehicle still holds it.
func (t *told) newMission(m *protocol.Mission) bool {
	if t.mission != m.ID {
		t.mission, t.revisions = m.ID, nil
	}
	for i := range t.revisions {
		if t.revisions[i].revision == m.Revision {
			changed := t.revisions[i].state != m.State
			t.revisions[i].state = m.State
			return changed
		}
	}
	if len(t.revisions) == rememberedRevisions {
		t.revisions = append(t.revisions[:0], t.revisions[1:]...)
	}
	t.revisions = append(t.revisions, sentRevision{m.Revision, m.State})
	return true
}

// owe sends what has not been sent in this session: confirmations first, then
// ended missions, the mission, and commands that have not expired. The fleet
// owes nothing before its Welcome.
func (s *Session) owe(now time.Time, owed fleet.Owed, r *Reaction) {
	if s.phase != welcomed {
		return
	}
	s.confirmUpTo(now, owed.LogID, owed.Seq, r)
	for _, m := range owed.Ended {
		if s.told.ended.add(m.ID) {
			m.Time = now
			s.send(now, r, m)
		}
	}
	if owed.Mission != nil && s.told.newMission(owed.Mission) {
		m := *owed.Mission
		m.Time = now
		s.send(now, r, m)
	}
	for _, c := range owed.Commands {
		if !now.Before(c.ExpiresAt) || !s.told.commands.add(c.ID) {
			continue
		}
		c.Time = now
		s.send(now, r, c)
		r.Inputs = append(r.Inputs, fleet.Delivered{Vehicle: s.vehicle, Command: fleet.CommandID(c.ID)})
	}
}

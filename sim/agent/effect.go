package agent

import (
	"time"

	"github.com/kapok-fleet/kapok/protocol"
)

// effect changes the physical world, or says why it cannot.
func (a *Agent) effect(now time.Time, m *Mission, leg *protocol.Leg) refusal {
	if leg.Task == "" {
		return refusal{}
	}
	t := a.truth
	switch leg.Action {
	case protocol.ActionPickup:
		if _, on := t.Loads[leg.Task]; on {
			t.breach("%s: stop %d asks for the load of task %s, which is on board", a.options.ID, leg.Stop, leg.Task)
			return refusal{"already_on_board", "the load is on board already"}
		}
		t.Loads[leg.Task] = abs(leg.LoadKg)
		t.handle(now, leg, abs(leg.LoadKg))
	case protocol.ActionDropoff:
		kg, on := t.Loads[leg.Task]
		if !on {
			if t.lost[leg.Task] {
				// Whoever has not heard of that cannot know it.
				return refusal{"no_load", "the load was lost"}
			}
			t.breach("%s: stop %d hands out the load of task %s, which is not on board", a.options.ID, leg.Stop, leg.Task)
			return refusal{"no_load", "the load is not on board"}
		}
		t.Loads[leg.Task] = kg - abs(leg.LoadKg)
		if t.Loads[leg.Task] <= 1e-9 && !moreDropoffs(m, leg) {
			delete(t.Loads, leg.Task)
		}
		t.handle(now, leg, -min(abs(leg.LoadKg), kg))
	case protocol.ActionVisit, protocol.ActionCharge, protocol.ActionPark:
	}
	a.body.LoadKg = t.LoadKg()
	t.complete(StopKey{leg.Task, leg.Stop}, now)
	return refusal{}
}

// moreDropoffs tells whether another stop of the mission hands out something
// of the same task.
func moreDropoffs(m *Mission, leg *protocol.Leg) bool {
	for i := range m.Legs {
		l := &m.Legs[i]
		if l.ID != leg.ID && l.Task == leg.Task && l.Action == protocol.ActionDropoff && !m.Own[i].over() {
			return true
		}
	}
	return false
}

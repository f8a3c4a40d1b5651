package server

import (
	"log/slog"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
)

// roster is the table of vehicles that frames of positions are made from: a row
// for each, encoded once for all subscribers. Its numbers of rows never change,
// so that a set of vehicles is a set of bits. The hub's lock guards it.
type roster struct {
	rows   []row
	number map[fleet.VehicleID]int
	// order are the numbers of all rows, by id.
	order []int
	// view is what was looked at last, looks counts the looks.
	view  *engine.View
	looks uint64
}

// row is the moving state of one vehicle, encoded, and when it changed.
type row struct {
	id       fleet.VehicleID
	vehicle  *fleet.Vehicle
	presence *fleet.Presence
	about    matter
	// look is that in which another state was found than in the one before.
	look  uint64
	frame []byte
}

// look takes note of what changed since the last view. Vehicles and presences
// are never changed in place: another pointer is another state, and none the
// state of a vehicle that was not heard since the start.
func (r *roster) look(view *engine.View, log *slog.Logger) {
	if view == r.view {
		return
	}
	// What is durable is the same in views with the same index.
	durable := r.view == nil || view.Index != r.view.Index
	r.view = view
	r.looks++
	d, presences := &view.State.Durable, view.State.Volatile.Presences
	present := 0
	for i := range r.rows {
		row := &r.rows[i]
		vehicle, presence := row.vehicle, presences[row.id]
		if durable {
			vehicle = d.Vehicles[row.id]
		}
		if vehicle != nil {
			present++
		}
		if vehicle != row.vehicle || presence != row.presence {
			r.renew(row, vehicle, presence, log)
		}
	}
	if present < len(d.Vehicles) {
		r.admit(view.State, log)
	}
}

// renew gives a row its new state. A vehicle that is gone is about no topic: no
// subscription has it.
func (r *roster) renew(row *row, vehicle *fleet.Vehicle, presence *fleet.Presence, log *slog.Logger) {
	about := matter{}
	if vehicle != nil {
		about = presenceMatter(vehicle, presence, aboutPositions)
	}
	same := row.frame != nil && presence == row.presence && about == row.about
	row.vehicle, row.presence = vehicle, presence
	if same {
		return
	}
	var err error
	if row.frame, err = appendMoving(row.frame[:0], row.id, presence); err != nil {
		log.Error("a vehicle's position cannot be encoded; it is not shown", "vehicle", row.id, "error", err)
		about = matter{}
	}
	row.about, row.look = about, r.looks
}

// admit adds rows for vehicles that have none.
func (r *roster) admit(state *fleet.State, log *slog.Logger) {
	if r.number == nil {
		r.number = map[fleet.VehicleID]int{}
	}
	for id, vehicle := range state.Durable.Vehicles {
		if _, ok := r.number[id]; ok {
			continue
		}
		n := len(r.rows)
		r.number[id] = n
		r.rows = append(r.rows, row{id: id})
		r.order = append(r.order, n)
		r.renew(&r.rows[n], vehicle, state.Volatile.Presences[id], log)
	}
	slices.SortFunc(r.order, func(a, b int) int { return strings.Compare(string(r.rows[a].id), string(r.rows[b].id)) })
}

// batch are the rows that changed behind a look, by id, side by side in memory:
// a hundred areas are cut out of one batch.
type batch struct {
	numbers []int
	about   []matter
	// encoded are the rows' frames, each behind a comma; ends are their ends.
	encoded []byte
	ends    []int
}

// fill makes a batch of what changed, in the memory that it has.
func (b *batch) fill(r *roster, since uint64) {
	b.numbers, b.about, b.encoded, b.ends = b.numbers[:0], b.about[:0], b.encoded[:0], b.ends[:0]
	for _, n := range r.order {
		row := &r.rows[n]
		if row.look <= since {
			continue
		}
		b.encoded = append(append(b.encoded, ','), row.frame...)
		b.numbers, b.about, b.ends = append(b.numbers, n), append(b.about, row.about), append(b.ends, len(b.encoded))
	}
}

// part is the encoded row i of the batch, behind a comma.
func (b *batch) part(i int) []byte {
	if i == 0 {
		return b.encoded[:b.ends[0]]
	}
	return b.encoded[b.ends[i-1]:b.ends[i]]
}

// members is a set of rows; nil is empty. It never changes once it is shared.
type members struct{ bits []uint64 }

func (m *members) has(n int) bool {
	return m != nil && n>>6 < len(m.bits) && m.bits[n>>6]&(1<<(n&63)) != 0
}

// set adds or removes a row, for which there is room.
func (m *members) set(n int, in bool) {
	m.bits[n>>6] &^= 1 << (n & 63)
	if in {
		m.bits[n>>6] |= 1 << (n & 63)
	}
}

// copied is a copy with room for so many rows.
func (m *members) copied(rows int) *members {
	c := &members{make([]uint64, (rows+63)/64)}
	if m != nil {
		copy(c.bits, m.bits)
	}
	return c
}

// wanted are the rows that an interest has, as of the last look.
func (r *roster) wanted(i interest) *members {
	var none *members
	all := none.copied(len(r.rows))
	for n := range r.rows {
		all.set(n, i.wants(r.rows[n].about))
	}
	return all
}

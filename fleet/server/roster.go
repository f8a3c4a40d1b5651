package server

import (
	"log/slog"
	"math"
	"slices"
	"strings"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/fleet/engine"
)

// roster is the table of vehicles that frames of positions are made from: a row
// for each, encoded once for all subscribers, and only when one of them is sent it. Its numbers of rows never change,
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

// row is the moving state of one vehicle and when it changed.
type row struct {
	id       fleet.VehicleID
	vehicle  *fleet.Vehicle
	presence *fleet.Presence
	spot     spot
	// look is that in which another state was found than in the one before.
	look uint64
	// frame is the state encoded, unless it is stale.
	frame []byte
	stale bool
}

// spot is what a row's matter comes to, in little memory: a hundred areas look
// at ten thousand of them. A vehicle that was never seen anywhere has no
// numbers there, and so lies in every area.
type spot struct {
	lon, lat float64
	// kind is none for a row that is not shown.
	kind vehicleKinds
}

// sight is what of spots an interest has.
type sight struct {
	kinds   vehicleKinds
	area    box
	crosses bool
}

func (i interest) sight() sight {
	s := sight{kinds: i.kinds, area: box{math.Inf(-1), math.Inf(-1), math.Inf(1), math.Inf(1)}}
	if s.kinds == 0 {
		s.kinds = ^s.kinds
	}
	if i.topics&aboutPositions == 0 {
		s.kinds = 0
	}
	if i.bounded {
		s.area, s.crosses = i.area, i.area.west > i.area.east
	}
	return s
}

// has is interest.wants for the matter of a spot. No comparison holds for what
// is no number.
func (s *sight) has(at *spot) bool {
	if at.kind&s.kinds == 0 || at.lat < s.area.south || at.lat > s.area.north {
		return false
	}
	west, east := at.lon < s.area.west, at.lon > s.area.east
	if s.crosses {
		return !(west && east)
	}
	return !west && !east
}

// look takes note of what changed since the last view. Vehicles and presences
// are never changed in place: another pointer is another state, and none the
// state of a vehicle that was not heard since the start.
func (r *roster) look(view *engine.View) {
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
			r.renew(row, vehicle, presence)
		}
	}
	if present < len(d.Vehicles) {
		r.admit(view.State)
	}
}

// renew gives a row its new state. A vehicle that is gone is about no topic: no
// subscription has it.
func (r *roster) renew(row *row, vehicle *fleet.Vehicle, presence *fleet.Presence) {
	at := spot{lon: math.NaN(), lat: math.NaN()}
	if presence != nil && presence.Known {
		at.lon, at.lat = presence.Sample.Position.Lon, presence.Sample.Position.Lat
	}
	switch {
	case vehicle == nil:
	case row.vehicle != nil && row.vehicle.Kind == vehicle.Kind && row.spot.kind != 0:
		at.kind = row.spot.kind
	default:
		at.kind = kindBit(vehicle.Kind)
	}
	same := row.look > 0 && presence == row.presence && at.kind == row.spot.kind
	row.vehicle, row.presence = vehicle, presence
	if same {
		return
	}
	row.spot, row.look, row.stale = at, r.looks, true
}

// encoded is a row's state as it is sent; empty where it cannot be encoded.
func (r *roster) encoded(n int, log *slog.Logger) []byte {
	row := &r.rows[n]
	if row.stale {
		var err error
		if row.frame, err = appendMoving(row.frame[:0], row.id, row.presence); err != nil {
			log.Error("a vehicle's position cannot be encoded; it is not shown", "vehicle", row.id, "error", err)
			row.frame = row.frame[:0]
		}
		row.stale = false
	}
	return row.frame
}

// admit adds rows for vehicles that have none.
func (r *roster) admit(state *fleet.State) {
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
		r.renew(&r.rows[n], vehicle, state.Volatile.Presences[id])
	}
	slices.SortFunc(r.order, func(a, b int) int { return strings.Compare(string(r.rows[a].id), string(r.rows[b].id)) })
}

// wanted are the rows that an interest has, as of the last look.
func (r *roster) wanted(i interest) *members {
	all, sight := &members{}, i.sight()
	all.clear(len(r.rows))
	for n := range r.rows {
		if sight.has(&r.rows[n].spot) {
			all.set(n)
		}
	}
	return all
}

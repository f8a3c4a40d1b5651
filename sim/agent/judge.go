package agent

import (
	"fmt"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
	"github.com/kapok-fleet/kapok/sim/body"
)

// How far from the vehicle a way may begin: it joins it straight. News of where
// it was take their time, in which it goes on.
const (
	airReachM    = 400
	groundReachM = 150
)

// What no sound order exceeds.
const (
	mostMPS   = 200
	mostWorkS = 7 * 24 * 3600
	mostKg    = 1e5
	mostTimeS = 365 * 24 * 3600
	mostAltM  = 20_000
)

// lowBattery is the reason of everything that the energy does not allow, and the
// code of the fault.
const lowBattery = "low_battery"

// spareRatio is the share of the battery beyond the reserve that a mission must
// leave to be taken, so that a little more wind or waiting does not end it.
const spareRatio = 0.01

func (a *Agent) reachM() float64 {
	if a.airborne() {
		return airReachM
	}
	return groundReachM
}

// judge says why a revision cannot be taken; the zero refusal says that it can,
// and own is then what the vehicle knows of its legs.
func (a *Agent) judge(m *protocol.Mission) (own []OwnLeg, why refusal) {
	held := a.store.Mission
	switch {
	case held != nil && held.ID == m.ID && m.Revision < held.Revision:
		return nil, refusal{"stale_revision", "a newer revision is in force"}
	case a.suffers(Refusing):
		return nil, refusal{"busy", "it takes no mission now"}
	case len(m.Legs) > a.options.MaxLegs:
		return nil, refusal{"too_many_legs", "more legs than this vehicle takes"}
	}
	if why := judgeFigures(m); why != (refusal{}) {
		return nil, why
	}
	if held != nil {
		if leg, ok := held.begun(); ok && !keeps(m, held.ID, leg.ID) {
			return nil, refusal{"stop_begun", "work at leg " + leg.ID + " has begun"}
		}
	}
	own = make([]OwnLeg, len(m.Legs))
	for i := range m.Legs {
		own[i] = a.merged(m, i)
	}
	if a.options.MaxLoadKg > 0 || a.carries(m) {
		if a.heaviest(m, own) > a.options.MaxLoadKg+1e-9 {
			return nil, refusal{"too_heavy", "the loads together are more than this vehicle carries"}
		}
	}
	if why := a.judgeWays(m, own); why != (refusal{}) {
		return nil, why
	}
	return own, a.judgeEnergy(m, own)
}

// judgeFigures refuses what no vehicle could make sense of.
func judgeFigures(m *protocol.Mission) refusal {
	bad := func(leg *protocol.Leg, what string) refusal {
		return refusal{"bad_mission", "leg " + leg.ID + " has " + what}
	}
	if absurd(m.TaskAuthorityS, 0, mostTimeS) {
		return refusal{"bad_mission", fmt.Sprintf("a task authority of %g s", m.TaskAuthorityS)}
	}
	for i := range m.Legs {
		switch l := &m.Legs[i]; {
		case len(l.Path) == 0 && l.State != protocol.LegDone && l.State != protocol.LegFailed:
			return bad(l, "no path")
		case absurdPath(l.Path):
			return bad(l, "a path that leads nowhere on earth")
		case absurd(l.SpeedMPS, 0, mostMPS) || slices.ContainsFunc(l.SpeedsMPS, func(v float64) bool { return absurd(v, 0, mostMPS) }):
			return bad(l, "an impossible speed")
		case absurd(l.WorkS, 0, mostWorkS):
			return bad(l, "an impossible time of work")
		case absurd(l.LoadKg, -mostKg, mostKg):
			return bad(l, "an impossible load")
		case l.Action == protocol.ActionCharge && absurd(l.ChargeToRatio, 0, 1):
			return bad(l, "an impossible charge")
		case l.Task != "" && l.Stop < 1:
			return bad(l, "no number of its stop")
		default:
			switch l.Action {
			case protocol.ActionVisit, protocol.ActionPickup, protocol.ActionDropoff, protocol.ActionCharge, protocol.ActionPark:
			default:
				return refusal{"unsupported", "leg " + l.ID + " asks for the unknown action " + string(l.Action)}
			}
		}
	}
	return refusal{}
}

// absurd tells whether a figure is no number or out of bounds.
func absurd(v, least, most float64) bool { return !(v >= least && v <= most) }

func absurdPath(path []protocol.Position) bool {
	return slices.ContainsFunc(path, func(p protocol.Position) bool {
		return absurd(p.Lon, -180, 180) || absurd(p.Lat, -90, 90) || absurd(p.AltitudeM, -mostAltM, mostAltM)
	})
}

// keeps tells whether a revision still has a leg of the mission held.
func keeps(m *protocol.Mission, mission, leg string) bool {
	return m.ID == mission && slices.ContainsFunc(m.Legs, func(l protocol.Leg) bool { return l.ID == leg })
}

// carries tells whether the mission takes any load on board.
func (a *Agent) carries(m *protocol.Mission) bool {
	return slices.ContainsFunc(m.Legs, func(l protocol.Leg) bool {
		return l.Action == protocol.ActionPickup && l.LoadKg != 0
	})
}

// heaviest is the greatest load that the legs still to do bring about.
func (a *Agent) heaviest(m *protocol.Mission, own []OwnLeg) float64 {
	load := a.truth.LoadKg()
	most := load
	for i := range m.Legs {
		if !own[i].over() {
			load += taken(&m.Legs[i])
			most = max(most, load)
		}
	}
	return most
}

// taken is the load that a leg adds, below zero for what it hands out.
func taken(l *protocol.Leg) float64 {
	switch l.Action {
	case protocol.ActionPickup:
		return abs(l.LoadKg)
	case protocol.ActionDropoff:
		return -abs(l.LoadKg)
	case protocol.ActionVisit, protocol.ActionCharge, protocol.ActionPark:
	}
	return 0
}

func abs(x float64) float64 { return max(x, -x) }

// judgeWays refuses a way that begins far from the vehicle, or far from the end of
// the way before.
func (a *Agent) judgeWays(m *protocol.Mission, own []OwnLeg) refusal {
	at := a.body.Believed()
	for i := range m.Legs {
		if own[i].over() || len(m.Legs[i].Path) == 0 {
			continue
		}
		if own[i].way == nil {
			own[i].way = a.xyz(m.Legs[i].Path)
		}
		way := own[i].way
		if d := body.PathDist(at, way); d > a.reachM() {
			return refusal{"unreachable", fmt.Sprintf("the way of leg %s begins %.0f m away from where the vehicle is then", m.Legs[i].ID, d)}
		}
		at = way[len(way)-1]
	}
	return refusal{}
}

// judgeEnergy refuses an active mission that the vehicle does not get to the end
// of with its reserve, by its own figures and in the wind that it knows. What
// leads to a site without work before, it may go to with less. A revision of the
// mission held that asks for less than that does is taken in any case.
func (a *Agent) judgeEnergy(m *protocol.Mission, own []OwnLeg) refusal {
	if m.State != protocol.MissionActive {
		return refusal{}
	}
	spare, leg := a.spareWh(m.Legs, own)
	if spare >= 0 {
		return refusal{}
	}
	if held := a.store.Mission; held != nil && held.ID == m.ID {
		for i := range held.Own {
			if !held.Own[i].over() {
				a.way(i)
			}
		}
		if before, _ := a.spareWh(held.Legs, held.Own); spare >= before {
			return refusal{}
		}
	}
	return refusal{lowBattery, fmt.Sprintf("after leg %s it lacks %.0f Wh to its reserve of %.0f Wh", m.Legs[leg].ID, -spare, a.ReserveWh())}
}

// spareWh is the least energy beyond what must be kept that is left at the end of
// any leg, and the index of that leg. Whatever cannot be reckoned, such as a way
// for which there is no drive now, is not judged.
func (a *Agent) spareWh(legs []protocol.Leg, own []OwnLeg) (least float64, leg int) {
	b := a.body
	energy, load, at := b.EnergyWh, b.LoadKg, b.Believed()
	keep := 0.0
	least = math.Inf(1)
	joining := true
	for i := range legs {
		l, way := &legs[i], own[i].way
		if own[i].over() || len(way) == 0 {
			continue
		}
		if l.Task != "" {
			keep = a.ReserveWh() + spareRatio*b.Figures.BatteryWh
		}
		energy -= a.legWh(l, way, at, load, joining)
		if math.IsInf(energy, 0) {
			return 0, i
		}
		if energy-keep < least {
			least, leg = energy-keep, i
		}
		if l.Action == protocol.ActionCharge {
			energy = max(energy, min(l.ChargeToRatio, 1)*(b.Figures.BatteryWh-b.LostWh))
		}
		load += taken(l)
		at, joining = way[len(way)-1], false
	}
	return least, leg
}

// legWh is what a leg takes with its work.
func (a *Agent) legWh(l *protocol.Leg, way []space.XYZ, from space.XYZ, load float64, joining bool) float64 {
	b := a.body
	end := way[len(way)-1]
	height := a.heightM(end)
	path, mps := way, speeds(l)
	if joining {
		if from.Dist(end) <= 0.01 {
			path = nil
		} else {
			path, mps = a.joined(way, mps)
		}
	}
	wh := 0.0
	if len(path) > 0 {
		wh = b.WayWh(from, path, mps, max(load, 0))
	}
	if l.Action == protocol.ActionCharge || l.Action == protocol.ActionPark {
		return wh + b.DownWh(height)
	}
	return wh + b.WorkWh(l.WorkS, height, max(load, 0))
}

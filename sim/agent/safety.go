package agent

import (
	"fmt"
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// safety is what the vehicle does by itself, against or without orders.
type safety struct {
	cause cause
	act   act
	// under says that the body was set on its way, over that it has arrived.
	under, over bool
	// look is when the energy is reckoned with next.
	look time.Time
}

type cause uint8

// The causes for which a vehicle acts by itself.
const (
	none cause = iota
	linkLost
	energyShort
)

type act uint8

// What a vehicle does by itself: it stays or hovers; goes on to the safe end of
// what it is following, without work; goes back the way it came; comes down.
const (
	stay act = iota
	onward
	back
	down
)

// leads tells whether the vehicle follows neither mission nor command.
func (s *safety) leads() bool { return s.cause != none && s.act != onward }

// inDistress tells whether the vehicle is under way with too little energy.
func (a *Agent) inDistress() bool {
	return a.safety.cause == energyShort && (a.body.Moving() || !a.body.Landed())
}

// ReserveWh is the energy that the vehicle keeps for the unforeseen. It has less
// only while Truth().InEmergency().
func (a *Agent) ReserveWh() float64 {
	ratio := a.options.ReserveRatio
	if ratio == 0 {
		ratio = groundReserve
		if a.airborne() {
			ratio = airReserve
		}
	}
	return ratio * a.body.Figures.BatteryWh
}

// The share of the battery that vehicles keep unless their options say otherwise.
const (
	airReserve    = 0.10
	groundReserve = 0.05
)

// airborne tells whether the vehicle flies.
func (a *Agent) airborne() bool {
	return a.options.Kind == protocol.Multirotor || a.options.Kind == protocol.VTOL
}

// The times between two looks at the energy of a vehicle under way and of one that
// rests, and the seconds at full power that are kept for what happens in between.
const (
	leastLook = 2 * time.Second
	mostLook  = 30 * time.Second
	restLook  = 10 * time.Second
	slackS    = 4
)

// relief is the share of the battery above the reserve at which an energy
// emergency is over.
const relief = 0.03

// guardEnergy reckons, now and then, whether the energy lasts to a safe end.
func (a *Agent) guardEnergy(now time.Time) {
	s, b := &a.safety, a.body
	if now.Before(s.look) {
		return
	}
	if !b.Moving() && b.Landed() {
		s.look = now.Add(restLook)
		a.rested(now)
		return
	}
	s.look = now.Add(leastLook)
	watts := b.PeakW()
	floor := a.ReserveWh() + watts*slackS/3600
	onward := a.onwardWh()
	if spare := b.EnergyWh - floor - onward; spare >= 0 && s.cause != energyShort {
		span := time.Duration(min(spare/watts*1800, mostLook.Seconds()) * float64(time.Second))
		s.look = now.Add(max(span, leastLook))
		return
	}
	a.runsShort(now, floor, onward)
}

// runsShort decides what to do when what lies ahead would touch the reserve.
func (a *Agent) runsShort(now time.Time, floor, ahead float64) {
	s, b := &a.safety, a.body
	behind := math.Inf(1)
	if a.canTravel() {
		behind = a.backWh()
	} else {
		ahead = math.Inf(1)
	}
	if s.cause == energyShort {
		switch {
		case s.act == down || s.act == stay || b.EnergyWh >= ahead:
		case s.act == onward && b.EnergyWh >= behind:
			// What it followed was taken away, or has become longer.
			a.act(now, energyShort, back, fmt.Sprintf("%.0f Wh are left, the way back takes %.0f Wh: it goes back after all", b.EnergyWh, behind))
		default:
			a.cutShort(now, ahead)
		}
		return
	}
	switch {
	case math.IsInf(ahead, 1) && math.IsInf(behind, 1):
		if b.EnergyWh-b.DownWh(a.heightM(b.At)) < floor {
			a.cutShort(now, 0)
		}
	case math.IsInf(ahead, 1) && b.EnergyWh-behind >= floor:
		// It hovers, and there is time left.
	case b.EnergyWh >= ahead && (ahead <= behind || a.toSite()):
		a.act(now, energyShort, onward, fmt.Sprintf("%.0f Wh are left, the way to the end takes %.0f Wh: it goes there without work", b.EnergyWh, ahead))
	case b.EnergyWh >= behind:
		a.act(now, energyShort, back, fmt.Sprintf("%.0f Wh are left, the way back takes %.0f Wh: it goes back", b.EnergyWh, behind))
	default:
		a.cutShort(now, min(ahead, behind))
	}
}

// toSite tells whether the mission leads to a site next, such as a charger: that
// is a better place to be than where the vehicle came from.
func (a *Agent) toSite() bool {
	m := a.store.Mission
	return m != nil && a.store.Motion == nil && m.current() < len(m.Legs) && a.onlySites()
}

// cutShort ends the way here.
func (a *Agent) cutShort(now time.Time, need float64) {
	if a.airborne() {
		a.act(now, energyShort, down, fmt.Sprintf("%.0f Wh are left, a safe end takes %.0f Wh: it comes down here", a.body.EnergyWh, need))
		return
	}
	a.act(now, energyShort, stay, fmt.Sprintf("%.0f Wh are left, a safe end takes %.0f Wh: it stops here", a.body.EnergyWh, need))
}

// act begins to do something by itself.
func (a *Agent) act(now time.Time, why cause, what act, text string) {
	a.safety.cause, a.safety.act, a.safety.under, a.safety.over = why, what, false, false
	if why == energyShort {
		a.declare(now, text)
		if !a.store.LowBattery {
			a.store.LowBattery = true
			a.store.add(protocol.Fault{Code: lowBattery, Text: text, Time: a.clock(now)})
		}
		a.giveUp(now, text)
	}
	if what != onward {
		if why == energyShort && a.store.Motion != nil {
			a.finishMotion(now, protocol.Failed, lowBattery, text)
		}
		a.halt()
	}
	a.pause()
}

// giveUp abandons all work for want of energy; what was begun in the air has
// failed.
func (a *Agent) giveUp(now time.Time, text string) {
	m := a.store.Mission
	if m == nil {
		return
	}
	if leg, ok := m.begun(); ok {
		m.Own[m.current()].State = protocol.LegFailed
		a.progress(now, m, leg, protocol.Failed, lowBattery, text)
	}
	a.abandon(now, lowBattery, text)
}

// mayLeave tells whether the energy of a vehicle that stands allows it to set out
// on the current leg. If not, it stays, and abandons its stops.
func (a *Agent) mayLeave(now time.Time) bool {
	b := a.body
	if b.Moving() || !b.Landed() {
		return true
	}
	need := a.onwardWh()
	floor := a.ReserveWh() + b.PeakW()*slackS/3600
	if a.onlySites() {
		floor = 0
	}
	if math.IsInf(need, 1) || b.EnergyWh-need >= floor {
		return true
	}
	text := fmt.Sprintf("%.0f Wh are left, the way takes %.0f Wh: it stays where it is", b.EnergyWh, need)
	a.safety.cause, a.safety.act, a.safety.over = energyShort, stay, true
	a.giveUp(now, text)
	return false
}

// onlySites tells whether the legs up to the next safe end have no stop of a task.
func (a *Agent) onlySites() bool {
	m := a.store.Mission
	for i := m.current(); i < len(m.Legs); i++ {
		if m.Legs[i].Task != "" {
			return false
		}
		if a.safeEnd(i) {
			return true
		}
	}
	return true
}

// calm ends what the vehicle does by itself: it follows orders again.
func (a *Agent) calm(now time.Time) {
	a.safety = safety{look: now.Add(leastLook)}
	a.wellAgain(now)
	a.pause()
}

// wellAgain takes the report of a low battery back.
func (a *Agent) wellAgain(now time.Time) {
	if a.store.LowBattery {
		a.store.LowBattery = false
		a.store.add(protocol.Fault{Code: lowBattery, Text: "the vehicle stands safely", Cleared: true, Time: a.clock(now)})
	}
}

// rested looks at a vehicle that stands on the ground: one that came there by
// plan needs no help, and one that was charged follows orders again.
func (a *Agent) rested(now time.Time) {
	s := &a.safety
	if s.cause != energyShort {
		return
	}
	enough := a.body.EnergyWh >= a.ReserveWh()+relief*a.body.Figures.BatteryWh
	switch {
	case s.act == onward || s.act == back && s.over:
		a.wellAgain(now)
	case s.over && enough:
		a.wellAgain(now)
	}
	if s.act == onward && a.store.Mission == nil && a.store.Motion == nil {
		a.safety = safety{look: s.look}
	}
}

// seekSafety carries out what the vehicle does by itself.
func (a *Agent) seekSafety(now time.Time) {
	s := &a.safety
	switch {
	case s.over || a.body.Moving():
	case s.act == stay:
		s.over = true
	case s.act == back && !s.under:
		s.under = true
		if way, mps, ok := a.body.WayBack(s.cause == energyShort, nil, nil); ok {
			a.follow(way, mps)
		}
	case !a.body.Landed():
		s.under = true
		a.descend()
	default:
		s.over = true
		if s.act == back && s.cause == linkLost {
			a.body.BeginTrail()
		}
		a.rested(now)
	}
}

// bringDown lets an aircraft that can do nothing else come down when its energy is
// short.
func (a *Agent) bringDown(now time.Time) {
	if a.safety.cause == energyShort && a.safety.act == down {
		a.seekSafety(now)
	}
}

// canTravel tells whether the vehicle is able to follow a path now.
func (a *Agent) canTravel() bool {
	return a.fault == "" && !a.suffers(Frozen) && !a.suffers(GNSSLoss) && !a.suffers(Liar)
}

// onwardWh is what it takes to come to the next safe end of what the vehicle
// follows; +Inf when it follows nothing that has one.
func (a *Agent) onwardWh() float64 {
	b := a.body
	m := a.store.Mission
	if a.safety.leads() || a.store.Motion != nil || m == nil {
		end, ok := b.End()
		if !ok {
			return math.Inf(1)
		}
		return b.RestWh() + b.DownWh(a.heightM(end))
	}
	sum, load, at := 0.0, b.LoadKg, b.Believed()
	for i := m.current(); i < len(m.Legs); i++ {
		leg, way := &m.Legs[i], a.way(i)
		end := way[len(way)-1]
		switch {
		case a.driving == leg.ID:
			sum += b.RestWh()
		case i == m.current() && at.Dist(end) > 0.01:
			path, mps := a.joined(way, speeds(leg))
			sum += b.WayWh(at, path, mps, load)
		case i != m.current():
			sum += b.WayWh(at, way, speeds(leg), max(load, 0))
		}
		if a.safeEnd(i) {
			return sum + b.DownWh(a.heightM(end))
		}
		at, load = end, load+taken(leg)
	}
	return math.Inf(1)
}

// safeEnd tells whether a vehicle may stay at the end of a leg: at a site, or for
// an aircraft, on the ground.
func (a *Agent) safeEnd(i int) bool {
	leg := &a.store.Mission.Legs[i]
	if leg.Action == protocol.ActionPark || leg.Action == protocol.ActionCharge {
		return true
	}
	way := a.way(i)
	return a.airborne() && a.heightM(way[len(way)-1]) <= 0.5
}

// backWh is what it takes to go back to the last place to stay at; +Inf when that
// is not known.
func (a *Agent) backWh() float64 {
	b := a.body
	way, mps, ok := b.WayBack(true, a.wayBack[:0], a.backSpeeds[:0])
	a.wayBack, a.backSpeeds = way, mps
	if !ok {
		return math.Inf(1)
	}
	return b.WayWh(b.Believed(), way, mps, b.LoadKg) + b.DownWh(a.heightM(way[len(way)-1]))
}

// declare notes an energy emergency; of one that goes on, what is done about it
// now.
func (a *Agent) declare(now time.Time, reason string) {
	if a.truth.InEmergency() {
		a.truth.Emergencies.last().Reason = reason
		return
	}
	a.truth.Emergencies.add(Emergency{At: now, Reason: reason, EnergyWh: a.body.EnergyWh, ReserveWh: a.ReserveWh()})
}

// watchReserve declares an emergency whenever the reserve is touched, and ends it
// when there is enough again and the vehicle is not on its way to safety.
func (a *Agent) watchReserve(now time.Time) {
	reserve := a.ReserveWh()
	if !a.truth.InEmergency() {
		if a.body.EnergyWh < reserve {
			a.declare(now, "the battery is below its reserve")
		}
		return
	}
	if a.body.EnergyWh >= reserve+relief*a.body.Figures.BatteryWh && !a.inDistress() {
		a.truth.Emergencies.last().Ended = now
	}
}

// SwapBattery is a person's help: the battery is as full as it gets, and the
// vehicle fit for orders.
func (a *Agent) SwapBattery(now time.Time) {
	a.disturb()
	a.body.EnergyWh = a.body.Figures.BatteryWh - a.body.LostWh
	if a.fault == batteryEmpty {
		a.Repair(now)
	}
	if a.safety.cause == energyShort {
		a.calm(now)
	}
	a.wellAgain(now)
	a.watchReserve(now)
}

// batteryEmpty is the code of the fault of a vehicle without power.
const batteryEmpty = "battery_empty"

// The rings in which an aircraft looks for free ground: their distance and number.
const (
	ringM = 12
	rings = 15
)

// descend sets out straight down, or, where the ground below is not free, down to
// the nearest free place that can be reached at this height.
func (a *Agent) descend() {
	at := a.body.Believed()
	if spot, ok := a.freeGround(); ok {
		over := space.XYZ{X: spot.X, Y: spot.Y, Z: at.Z}
		a.follow([]space.XYZ{at, over, spot}, []float64{5})
		return
	}
	a.follow([]space.XYZ{at, {X: at.X, Y: at.Y, Z: a.body.GroundBelowM()}}, nil)
}

// freeGround finds where to come down when the ground below is not free; false
// when it is, or none is found.
func (a *Agent) freeGround() (space.XYZ, bool) {
	free, b := a.options.Clear, a.body
	if free == nil || a.suffers(GNSSLoss) {
		return space.XYZ{}, false
	}
	below := b.At
	below.Z = b.GroundBelowM() + 1
	if free(below) {
		return space.XYZ{}, false
	}
	const s = 0.7071
	ways := [8]space.XY{{X: 1}, {X: s, Y: s}, {Y: 1}, {X: -s, Y: s}, {X: -1}, {X: -s, Y: -s}, {Y: -1}, {X: s, Y: -s}}
	var blocked [8]bool
	for ring := 1; ring <= rings; ring++ {
		for k, way := range ways {
			if blocked[k] {
				continue
			}
			for step := (ring-1)*3 + 1; step <= ring*3 && !blocked[k]; step++ {
				d := float64(step) * ringM / 3
				blocked[k] = !free(space.XYZ{X: b.At.X + way.X*d, Y: b.At.Y + way.Y*d, Z: b.At.Z})
			}
			spot := space.XYZ{X: b.At.X + way.X*ringM*float64(ring), Y: b.At.Y + way.Y*ringM*float64(ring)}
			spot.Z = spot.Z - a.heightM(spot) + 1
			if !blocked[k] && free(spot) {
				return space.XYZ{X: spot.X + b.Bias.X, Y: spot.Y + b.Bias.Y, Z: spot.Z - 1}, true
			}
		}
	}
	return space.XYZ{}, false
}

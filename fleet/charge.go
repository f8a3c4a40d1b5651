package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/motion"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// considerCharging sends an idle vehicle that is low to a charger, or into its
// queue. Vehicles wait where they are and go in order of arrival.
func (f *Fleet) considerCharging(id VehicleID) { f.charge(id, f.config.ChargeBelow) }

// charge sends an idle vehicle below a charge to a charger, or into its queue.
func (f *Fleet) charge(id VehicleID, below float64) {
	v, ok := f.vehicle(id)
	p := f.presence(id)
	if !ok || !f.canCharge(v, p) || p.Sample.BatteryRatio >= below || f.commandPending(v) {
		return
	}
	m, open := f.openMission(v)
	if open && (!m.Answered() || m.State != protocol.MissionActive || len(m.Tasks()) > 0 || toCharger(m) || f.now.Before(f.retryAt(m))) {
		return
	}
	if _, stranded := f.index.alerts[alertKey{kind: AlertStranded, vehicle: id}]; stranded {
		return
	}
	site := v.Charger
	if site == "" {
		var ok bool
		if site, ok = f.chooseCharger(v, space.Position(p.Sample.Position)); !ok {
			return
		}
		f.joinQueue(site, id)
	}
	if slices.Contains(f.queue(site).Using, id) {
		v, _ = f.vehicle(id)
		f.sendToCharger(v, site)
	}
}

// canCharge tells whether a vehicle can be sent to a charger as it is now.
func (f *Fleet) canCharge(v *Vehicle, p Presence) bool {
	return f.state.Durable.Freeze == nil && v.TakenOver == nil && v.HomeKnown && v.Blocked == "" && !v.Suspended && v.EpochAbove == 0 && v.OutOfService == "" && len(v.Faults) == 0 &&
		p.Link == LinkLive && p.Fresh && p.Sample.Mode != protocol.ModeManual && p.Sample.Mode != protocol.ModeFault
}

// chargeFor sends the vehicle to a charger that lacks least energy for a task
// which nobody can do now, and which it could do with a full charge.
func (f *Fleet) chargeFor(q Question, answer assign.Answer) {
	best, bestLacks := VehicleID(""), 0.0
	for i := range answer.Excluded {
		x := &answer.Excluded[i]
		if x.Rule != assign.NoEnergy {
			continue
		}
		id := q.Vehicles[x.Candidate]
		v, ok := f.vehicle(id)
		if !ok || v.Charger != "" || x.Number > f.config.ChargeTo*v.Spec.BatteryWh-v.Spec.ReserveWh() {
			continue
		}
		if lacks := x.Number - x.Limit; best == "" || lacks < bestLacks {
			best, bestLacks = id, lacks
		}
	}
	if best != "" {
		f.charge(best, f.config.ChargeTo-0.05)
	}
}

// watchCharger takes a place at a charger, or in its queue, from a vehicle that
// is not about to use it. A vehicle on its way there, or charging, keeps it.
func (f *Fleet) watchCharger(id VehicleID) {
	v, _ := f.vehicle(id)
	if v.Charger == "" || f.state.Durable.Freeze != nil {
		return
	}
	if m, open := f.openMission(v); open && (toCharger(m) || toCharger(&Mission{Legs: m.Previous})) {
		return
	}
	p := f.presence(id)
	waits := slices.Contains(f.queue(v.Charger).Waiting, id)
	switch {
	case p.Link == LinkUnknown, p.Link == LinkLate, p.Link == LinkLost && waits, p.Link == LinkLive && !p.Fresh:
	case p.Link == LinkLost, !f.canCharge(v, p), p.Sample.BatteryRatio >= f.config.ChargeTo-0.05:
		f.leaveCharger(id)
	case waits:
		f.advance(v.Charger)
	default:
		f.charge(id, f.config.ChargeTo-0.05)
	}
}

// toCharger tells whether the mission leads to a charger.
func toCharger(m *Mission) bool {
	for i := m.Current(); i < len(m.Legs); i++ {
		if m.Legs[i].Action == protocol.ActionCharge {
			return true
		}
	}
	return false
}

func (f *Fleet) queue(id SiteID) Queue {
	if q, ok := f.state.Durable.Queues[id]; ok {
		return *q
	}
	return Queue{}
}

// detourF is how much more than the straight way a charger may take that is counted on.
const detourF = 1.25

// chooseCharger takes the charger with the fewest vehicles before this one for
// each place, and of these the nearest; those that may need the reserve come last.
func (f *Fleet) chooseCharger(v *Vehicle, at space.Position) (SiteID, bool) {
	var best SiteID
	bestTurns, bestM, bestNeeds := 0, 0.0, false
	spareWh := f.energy(v) - v.Spec.ReserveWh()
	for i := range f.chart.Sites {
		s := &f.chart.Sites[i]
		if s.Kind != chart.Charger || !serves(s, v.Spec.Kind) {
			continue
		}
		q := f.queue(SiteID(s.ID))
		turns := (len(q.Using) + len(q.Waiting)) / max(s.Capacity, 1)
		m := space.Distance(at, s.Position)
		needs := detourF*f.world.LeastCost(&v.Spec, at, s.Position, 0).EnergyWh > spareWh
		if best == "" || bestNeeds && !needs || needs == bestNeeds && (turns < bestTurns || turns == bestTurns && m < bestM) {
			best, bestTurns, bestM, bestNeeds = SiteID(s.ID), turns, m, needs
		}
	}
	return best, best != ""
}

// serves tells whether a site is for a kind of vehicle.
func serves(s *chart.Site, kind motion.Kind) bool {
	return len(s.Kinds) == 0 || slices.Contains(s.Kinds, string(kind))
}

func (f *Fleet) joinQueue(site SiteID, id VehicleID) {
	q := f.queue(site)
	e := QueueChanged{Site: site, Vehicle: id, Charger: site, Using: q.Using, Waiting: q.Waiting}
	if len(q.Using) < max(f.sites[site].Capacity, 1) || mutant.On(mutant.SlotGivenTwice) {
		e.Using = append(slices.Clone(q.Using), id)
	} else {
		e.Waiting = append(slices.Clone(q.Waiting), id)
	}
	f.emit(e)
}

// leaveCharger takes a vehicle off its charger or out of the queue; the next in
// order takes the place.
func (f *Fleet) leaveCharger(id VehicleID) {
	v, ok := f.vehicle(id)
	if !ok || v.Charger == "" {
		return
	}
	site := v.Charger
	q := f.queue(site)
	isIt := func(x VehicleID) bool { return x == id }
	using := slices.DeleteFunc(slices.Clone(q.Using), isIt)
	waiting := slices.DeleteFunc(slices.Clone(q.Waiting), isIt)
	f.emit(QueueChanged{Site: site, Vehicle: id, Using: using, Waiting: waiting})
	f.advance(site)
}

// advance gives free places at a charger to those who wait, in order; who cannot
// go now keeps its turn and holds nobody up.
func (f *Fleet) advance(site SiteID) {
	for {
		q := f.queue(site)
		next := slices.IndexFunc(q.Waiting, func(id VehicleID) bool {
			v, ok := f.vehicle(id)
			return ok && f.canCharge(v, f.presence(id))
		})
		if next < 0 || len(q.Using) >= max(f.sites[site].Capacity, 1) {
			return
		}
		id := q.Waiting[next]
		f.emit(QueueChanged{
			Site: site, Vehicle: id, Charger: site, Using: append(slices.Clone(q.Using), id),
			Waiting: slices.Delete(slices.Clone(q.Waiting), next, next+1),
		})
		f.charge(id, f.config.ChargeTo-0.05)
	}
}

// sendToCharger issues the way to the charger, the charging, and the way home. Who
// gets there no other way uses the reserve for it.
func (f *Fleet) sendToCharger(v *Vehicle, site SiteID) {
	m, open := f.openMission(v)
	if !open {
		m = nil
	}
	c, kept := f.fromHere(v, m)
	s := f.sites[site]
	needS := v.Spec.ChargeS(min(c.EnergyWh/v.Spec.BatteryWh, f.config.ChargeTo), f.config.ChargeTo)
	needS = min(needS, protocol.MaxDurationS)
	there, refused := f.planCharge(&c, s.Position)
	if refused == nil {
		c.Start, c.FreeAt, c.EnergyWh = s.Position, there.Arrive[0].Add(time.Duration(needS*float64(time.Second))), f.config.ChargeTo*v.Spec.BatteryWh
		var home assign.Offer
		if home, refused = assign.Plan(f.world, nil, c, f.config.ExpansionsPerStep); refused == nil {
			there.Routes = append(there.Routes[:1], home.Routes...)
			there.Home = home.Home
		}
	}
	if refused != nil {
		f.raise(alertAbout{kind: AlertStranded, vehicle: v.ID}, Critical,
			fmt.Sprintf("%s is low and cannot reach charger %s: %s", v.ID, site, exclusionText(refused)))
		f.leaveCharger(v.ID)
		return
	}
	next := 0
	if m != nil {
		next = m.NextLeg
	}
	todo := []Leg{{Site: site, Action: protocol.ActionCharge, ChargeToRatio: f.config.ChargeTo, WorkS: needS}}
	legs := f.legsOf(&there, todo, v, &next)
	f.issue(v, m, append(kept, legs...), next, Reason{"charging", "the battery is low"})
}

// planCharge is the way to a charger, with the reserve if that can be kept.
func (f *Fleet) planCharge(c *assign.Candidate, at space.Position) (assign.Offer, *assign.Exclusion) {
	stops := []assign.Stop{{At: at}}
	there, refused := assign.Plan(f.world, stops, withHome(*c, at), f.config.ExpansionsPerStep)
	if refused == nil || refused.Rule != assign.NoEnergy && refused.Rule != assign.NotLandable {
		return there, refused
	}
	c.Spec.ReserveRatio = 0
	return assign.Plan(f.world, stops, withHome(*c, at), f.config.ExpansionsPerStep)
}

func withHome(c assign.Candidate, home space.Position) assign.Candidate {
	c.Home = home
	return c
}

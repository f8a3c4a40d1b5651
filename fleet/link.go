package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/protocol"
)

func (f *Fleet) recovered(in Recovered) {
	f.emit(VolatileCleared{})
	d := &f.state.Durable
	moved := d.Chart != "" && d.Chart != f.chart.Checksum
	epoch := max(d.Epoch+1, in.UnixEpoch)
	if mutant.On(mutant.EpochKept) {
		epoch = max(d.Epoch, 1)
	}
	f.emit(FleetRecovered{Epoch: epoch, Chart: f.chart.Checksum})
	for _, id := range f.index.vehicles {
		// Whatever Kapok sent, it sent before now.
		f.emit(LinkChanged{Vehicle: id, State: LinkUnknown, LinkEnd: f.now, Why: "Kapok restarted"})
	}
	if moved {
		f.unfitZones()
		f.revalidate()
	}
	f.lookAtAll()
	f.lookAgain = true
}

func (f *Fleet) joined(in Joined) {
	v, ok := f.vehicle(in.Vehicle)
	if !ok {
		if v, ok = f.registerUnknown(in); !ok {
			return
		}
	}
	if v.Kind != in.Hello.Kind {
		f.refuseLink(in, "wrong_kind", fmt.Sprintf("%s is registered as %s, not %s: register it again or mend the vehicle's configuration",
			v.ID, v.Kind, in.Hello.Kind))
		return
	}
	if p := f.presence(v.ID); p.Session != "" && p.Session != in.Session {
		f.effect(CloseLink{v.ID, p.Session, "replaced", "a newer session of this vehicle was opened"})
	}
	f.takeLimits(v, in.Hello)
	f.takeEpoch(v, in.Hello.Epoch)
	until := f.authorityEnd(v.ID)
	lost := f.takeLog(v, in.Hello.LogID)
	f.emit(LinkChanged{Vehicle: v.ID, Session: in.Session, State: LinkLive, Holds: holding(in.Hello.Mission)})
	f.clearAlert(alertAbout{kind: AlertLinkLost, vehicle: v.ID}, "the vehicle logged in")
	v, _ = f.vehicle(in.Vehicle)
	log, _ := v.Log()
	f.effect(Welcome{v.ID, in.Session, protocol.Welcome{
		Session: string(in.Session), Vehicle: string(v.ID), Epoch: f.state.Durable.Epoch,
		TelemetryIntervalS: f.config.TelemetryInterval.Seconds(),
		AliveIntervalS:     f.config.AliveInterval().Seconds(),
		HelloTime:          in.Hello.Time, LogID: log.ID, Seq: log.Seq,
	}})
	if ref := in.Hello.Mission; ref != nil && MissionID(ref.ID) != v.Mission {
		f.told[v.ID] = append(f.told[v.ID], MissionID(ref.ID))
	}
	f.owe(v.ID)
	f.keepStopped(v.ID)
	f.backAgain(v.ID)
	if lost {
		f.storeLost(v.ID, until, in.Hello.Mission)
	}
	f.lookAgain = true
}

// holding writes a revision as Presence.Holds does.
func holding(ref *protocol.MissionRef) string {
	if ref == nil {
		return ""
	}
	return fmt.Sprintf("%s/%d", ref.ID, ref.Revision)
}

// registerUnknown admits a vehicle on its first log-in.
func (f *Fleet) registerUnknown(in Joined) (*Vehicle, bool) {
	if !f.config.AutoRegister {
		f.refuseLink(in, "unknown_vehicle", fmt.Sprintf("vehicle %s is not registered: an admin must register it first", in.Vehicle))
		return nil, false
	}
	if len(f.index.vehicles) >= f.config.MaxVehicles {
		f.refuseLink(in, "too_many_vehicles", fmt.Sprintf("this fleet holds its limit of %d vehicles", f.config.MaxVehicles))
		return nil, false
	}
	spec, ok := f.config.Spec(in.Hello.Kind, in.Hello.Model)
	if !ok {
		f.refuseLink(in, "unknown_model", fmt.Sprintf("no performance is known for a %s of model %q", in.Hello.Kind, in.Hello.Model))
		return nil, false
	}
	f.emit(VehicleRegistered{Vehicle{
		ID: in.Vehicle, Kind: in.Hello.Kind, Model: in.Hello.Model, Capabilities: in.Hello.Capabilities,
		MaxLoadKg: loadLimit(in.Hello.Limits.MaxLoadKg, spec.MaxLoadKg), MaxLegs: in.Hello.Limits.MaxLegs, Spec: spec,
	}})
	return f.vehicle(in.Vehicle)
}

// loadLimit is what a vehicle states, or what its model can where it states
// nothing.
func loadLimit(stated, model float64) float64 {
	if stated > 0 {
		return stated
	}
	return model
}

// refuseLink tells a vehicle why it cannot log in.
func (f *Fleet) refuseLink(in Joined, code, text string) {
	f.effect(CloseLink{in.Vehicle, in.Session, code, text})
}

// takeLimits notes what the vehicle says that it can, where that is new.
func (f *Fleet) takeLimits(v *Vehicle, h protocol.Hello) {
	load := loadLimit(h.Limits.MaxLoadKg, v.Spec.MaxLoadKg)
	if v.MaxLegs == h.Limits.MaxLegs && v.MaxLoadKg == load &&
		v.Model == h.Model && slices.Equal(v.Capabilities, h.Capabilities) {
		return
	}
	c := v.clone()
	c.MaxLegs, c.MaxLoadKg, c.Capabilities = h.Limits.MaxLegs, load, h.Capabilities
	if spec, ok := f.config.Spec(h.Kind, h.Model); ok && v.Model != h.Model {
		c.Model, c.Spec = h.Model, spec
	}
	f.emit(VehicleRegistered{*c})
}

// takeEpoch keeps a vehicle uncommanded that has seen a newer owner.
func (f *Fleet) takeEpoch(v *Vehicle, seen uint64) {
	about := alertAbout{kind: AlertEpoch, vehicle: v.ID}
	switch {
	case seen > f.state.Durable.Epoch:
		if v.EpochAbove != seen {
			f.emit(EpochSeen{v.ID, seen})
		}
		f.raise(about, Critical, fmt.Sprintf("%s has been commanded with epoch %d, above ours of %d: it gets no missions or commands from here",
			v.ID, seen, f.state.Durable.Epoch))
	case v.EpochAbove != 0:
		f.emit(EpochSeen{v.ID, 0})
		f.clearAlert(about, "the vehicle logged in with an epoch of ours")
	}
}

// takeLog opens the vehicle's report store and tells whether an earlier one was
// lost with it.
func (f *Fleet) takeLog(v *Vehicle, id string) (lost bool) {
	log, had := v.Log()
	if had && log.ID == id {
		return false
	}
	f.emit(LogOpened{v.ID, id})
	return had
}

func (f *Fleet) left(in Left) {
	p := f.presence(in.Vehicle)
	if p.Session != in.Session || in.Session == "" {
		return
	}
	f.emit(LinkChanged{Vehicle: in.Vehicle, State: LinkLate, LinkEnd: f.now, Why: in.Why})
}

// tick lets deadlines fire.
func (f *Fleet) tick() {
	for _, k := range f.index.order {
		f.actor, f.cause = "kapok", 0
		if !f.now.Before(k.quiet) {
			f.watchLink(k)
		}
		if !k.idle || !k.full {
			f.watchMission(k)
		}
	}
	f.cause = 0
	f.watchWeather()
	f.watchZones()
	f.watchStranded()
	f.cause = 0
	f.watchIncidents()
	f.archive()
	if f.now.Sub(f.lastLook) >= f.config.RetryWaiting {
		f.lookAgain = true
	}
}

// watchLink turns silence into late and lost, and gives a silent vehicle's work
// away when that is safe.
func (f *Fleet) watchLink(k *known) {
	v := k.vehicle
	id, p := v.ID, f.seen(v.ID)
	heard := p.LastHeard
	if p.Since.After(heard) && p.Link == LinkUnknown {
		heard = p.Since
	}
	silent := f.now.Sub(heard)
	switch {
	case p.Link == LinkLost:
		if mutant.On(mutant.AlertClearedBlindly) {
			f.clearAlert(alertAbout{kind: AlertLinkLost, vehicle: id}, "it has been silent for long")
		}
		f.giveAway(v)
	case p.Link == LinkUnknown && v.Mission == "":
	case silent < f.config.LateAfter:
		k.quiet = heard.Add(f.config.LateAfter)
	case silent >= f.config.LostAfter:
		if p.Session != "" {
			f.effect(CloseLink{id, p.Session, "silent", fmt.Sprintf("nothing was heard for %v", silent.Truncate(time.Second))})
		}
		end := p.LinkEnd
		if end.IsZero() {
			end = f.now
		}
		f.emit(LinkChanged{Vehicle: id, State: LinkLost, LinkEnd: end, Why: "silent"})
		f.raise(alertAbout{kind: AlertLinkLost, vehicle: id}, Warning,
			fmt.Sprintf("%s has been silent for %v", id, silent.Truncate(time.Second)))
	case p.Link == LinkLive:
		f.emit(LinkChanged{Vehicle: id, Session: p.Session, State: LinkLate, LinkEnd: p.LinkEnd, Why: "silent"})
	}
}

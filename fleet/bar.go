package fleet

import (
	"github.com/kapok-fleet/kapok/fleet/mutant"
	"github.com/kapok-fleet/kapok/planner/assign"
	"github.com/kapok-fleet/kapok/protocol"
)

// bar is the rule by which a vehicle is not considered for a task, with the
// figure that broke its limit; the zero bar lets it through.
type bar struct {
	rule          string
	number, limit float64
	// unit is that of both figures, empty when the rule has none.
	unit string
	// object is the command, fault, mission, vehicle or reason concerned.
	object string
}

// The rules that bar a vehicle from a task before anything is planned; those of
// a link or mode end with its state.
const (
	notTheCarrier    = "not_the_carrier"
	givenToAnother   = "given_to_another"
	takenOver        = "taken_over"
	outOfService     = "out_of_service"
	blockedByCommand = "blocked_by_command"
	isRefusing       = "refusing"
	staleEpoch       = "stale_epoch"
	hasFault         = "fault"
	linkIs           = "link_"
	positionUnknown  = "position_unknown"
	positionDoubtful = "position_implausible"
	batteryDoubtful  = "battery_implausible"
	modeIs           = "mode_"
	refusedRecently  = "refused_recently"
	commandIsPending = "command_pending"
	answerIsPending  = "answer_pending"
	isSuspended      = "suspended"
	isBusy           = "busy"
	isCharging       = "charging"
	sameIncident     = "same_incident"
	standsInZone     = "stands_in_zone"
)

// bar says why a vehicle is not considered for a task.
func (f *Fleet) bar(v *Vehicle, t *Task) bar {
	if b := f.barOfVehicle(v, t); b.rule != "" {
		return b
	}
	return f.barOfWork(v, t)
}

// ofVehicle tells whether a vehicle is barred for itself, not by what holds for
// the task or for the whole fleet.
func (b *bar) ofVehicle() bool {
	return b.rule != fleetStopped && b.rule != notTheCarrier && b.rule != givenToAnother
}

// unfit says why a vehicle could not take a task at any time. Who is in its way
// for a while besides is told this, which lasts.
func unfit(v *Vehicle, t *Task) bar {
	switch {
	case len(t.Kinds) > 0 && !contains(t.Kinds, v.Kind):
		return bar{rule: string(assign.WrongKind), object: string(v.Kind)}
	case t.LoadOn == "" && t.LoadKg > v.MaxLoadKg:
		return bar{rule: string(assign.TooHeavy), number: t.LoadKg, limit: v.MaxLoadKg, unit: "kg"}
	}
	for _, c := range t.Capabilities {
		if !contains(v.Capabilities, c) {
			return bar{rule: string(assign.NoCapability), object: c}
		}
	}
	return bar{}
}

// barOfVehicle bars a vehicle for what it is or for the state that it is in.
func (f *Fleet) barOfVehicle(v *Vehicle, t *Task) bar {
	p := f.presence(v.ID)
	switch {
	case f.state.Durable.Freeze != nil:
		return bar{rule: fleetStopped, object: f.state.Durable.Freeze.By}
	case t.LoadOn != "" && t.LoadOn != v.ID && !mutant.On(mutant.CustodyIgnored):
		return bar{rule: notTheCarrier, object: string(t.LoadOn)}
	case t.Wanted != "" && t.Wanted != v.ID:
		return bar{rule: givenToAnother, object: string(t.Wanted)}
	case v.TakenOver != nil:
		return bar{rule: takenOver, object: v.TakenOver.By}
	case v.OutOfService != "":
		return bar{rule: outOfService, object: v.OutOfService}
	case v.Blocked != "":
		return bar{rule: blockedByCommand, object: string(v.Blocked)}
	case v.Suspended:
		return bar{rule: isRefusing, number: float64(v.RefusedInARow), limit: 1, unit: "refusals"}
	case v.EpochAbove != 0:
		return bar{rule: staleEpoch, number: float64(v.EpochAbove), limit: float64(f.state.Durable.Epoch), unit: "epoch"}
	case len(v.Faults) > 0:
		return bar{rule: hasFault, object: sortedKeys(v.Faults)[0]}
	case p.Link != LinkLive:
		return f.barOfSilence(p)
	case f.raised(alertAbout{kind: AlertImplausible, vehicle: v.ID}):
		return bar{rule: positionDoubtful}
	case !p.Fresh || !v.HomeKnown:
		return bar{rule: positionUnknown}
	case f.raised(alertAbout{kind: AlertImplausibleBattery, vehicle: v.ID}):
		return bar{rule: batteryDoubtful}
	case p.Sample.Mode == protocol.ModeManual || p.Sample.Mode == protocol.ModeFault:
		return bar{rule: modeIs + string(p.Sample.Mode), object: string(p.Sample.Mode)}
	}
	if zone, stands := f.standsIn(v, p); stands {
		return bar{rule: standsInZone, object: zone}
	}
	return bar{}
}

// barOfSilence bars a vehicle that is not in touch. After a restart of Kapok
// nothing was heard of it, and there is no figure.
func (f *Fleet) barOfSilence(p Presence) bar {
	b := bar{rule: linkIs + string(p.Link)}
	if p.LastHeard.IsZero() {
		return b
	}
	b.number, b.unit = f.now.Sub(p.LastHeard).Seconds(), "s"
	b.limit = f.config.LateAfter.Seconds()
	if p.Link == LinkLost {
		b.limit = f.config.LostAfter.Seconds()
	}
	return b
}

// barOfWork bars a vehicle for what it has to do already.
func (f *Fleet) barOfWork(v *Vehicle, t *Task) bar {
	if r, ok := v.Refusals[t.ID]; ok && f.now.Before(r.Until) {
		return bar{rule: refusedRecently, number: r.Until.Sub(f.now).Seconds(), unit: "s", object: r.Reason}
	}
	if other, ok := f.alreadyThere(v, t); ok {
		return bar{rule: sameIncident, object: string(other)}
	}
	if c, ok := f.pendingCommand(v); ok {
		return bar{
			rule: commandIsPending, object: string(c.ID), unit: "s",
			number: f.now.Sub(c.IssuedAt).Seconds(), limit: f.config.CommandTTL.Seconds(),
		}
	}
	m, ok := f.openMission(v)
	switch {
	case !ok:
	case !m.Answered():
		return bar{
			rule: answerIsPending, object: string(m.ID), unit: "s",
			number: f.now.Sub(m.IssuedAt).Seconds(), limit: f.config.AnswerWithin.Seconds(),
		}
	case m.State != protocol.MissionActive:
		return bar{rule: isSuspended, object: string(m.ID)}
	case f.queued(m, t) >= f.config.MaxQueuedTasks && t.Priority != Emergency && t.LoadOn == "":
		return bar{rule: isBusy, number: float64(f.queued(m, t)), limit: float64(f.config.MaxQueuedTasks), unit: "tasks"}
	}
	if least := f.config.ChargeTo - 0.25; v.Charger != "" && t.Priority != Emergency {
		if ratio := f.presence(v.ID).Sample.BatteryRatio; ratio < least {
			return bar{rule: isCharging, number: ratio, limit: least, unit: "ratio", object: string(v.Charger)}
		}
	}
	return bar{}
}

// commandPending tells whether a command that takes the vehicle from its work is
// on its way to it.
func (f *Fleet) commandPending(v *Vehicle) bool {
	_, pending := f.pendingCommand(v)
	return pending
}

// pendingCommand is the oldest command that takes the vehicle from its work and
// is on its way to it.
func (f *Fleet) pendingCommand(v *Vehicle) (*Command, bool) {
	for _, id := range v.Commands {
		c := f.state.Durable.Commands[id]
		if c != nil && c.State != CommandAccepted && c.Kind != protocol.CommandResume {
			return c, true
		}
	}
	return nil, false
}

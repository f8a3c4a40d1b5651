package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/protocol"
)

// Evidence reads the events and finds alerts that were cleared without the evidence
// that their kind asks for, or that were raised while they stood. What is evidence
// comes from the contract of each kind; the text with which an alert was cleared
// counts for nothing.
type Evidence struct {
	log *Log
	// chargeBelow is the charge below which vehicles are sent to charge.
	chargeBelow float64
	// Breaks tells whether a vehicle there breaks the rule of a zone in force.
	Breaks func(now time.Time, zone string, sample protocol.Sample, vehicle string) bool

	// seq counts events.
	seq      uint64
	open     map[fleet.AlertID]raised
	about    map[string]fleet.AlertID
	reserves map[fleet.VehicleID]float64
	samples  map[fleet.VehicleID]*protocol.Sample
	// proofs say at which event something was last the case.
	proofs  map[proof]uint64
	waiting []cleared
}

type raised struct {
	fleet.Alert
	seq uint64
}

// cleared is an alert that was cleared in the batch that is being read.
type cleared struct {
	raised
	at time.Time
	by string
}

// proof is a piece of evidence: what, and about whom.
type proof struct {
	what  string
	whose string
}

// NewEvidence adds what it finds to a log.
func NewEvidence(log *Log, chargeBelow float64) *Evidence {
	return &Evidence{
		log: log, chargeBelow: chargeBelow, open: map[fleet.AlertID]raised{}, about: map[string]fleet.AlertID{},
		reserves: map[fleet.VehicleID]float64{}, samples: map[fleet.VehicleID]*protocol.Sample{}, proofs: map[proof]uint64{},
	}
}

// Read takes one event in. Flush must follow the last one of a step.
func (v *Evidence) Read(r fleet.Recorded) {
	v.seq++
	switch e := any(r.Event).(type) {
	case fleet.Moved:
		v.move(e.Vehicle, &e.Sample)
		return
	case fleet.LinkChanged:
		if e.State == fleet.LinkLive || e.Session != "" {
			v.prove("heard", string(e.Vehicle))
		}
	case fleet.VehicleRegistered:
		v.reserves[e.Vehicle.ID] = e.Vehicle.Spec.ReserveRatio
	case fleet.AlertRaised:
		v.raise(r, e.Alert)
	case fleet.AlertCleared:
		v.clear(r, e)
	case fleet.AlertAcknowledged:
		v.prove("acknowledged", string(e.Alert))
	default:
		v.readVehicle(r)
		v.readWork(r)
	}
}

// move keeps the newest sample of a vehicle.
func (v *Evidence) move(vehicle fleet.VehicleID, sample *protocol.Sample) {
	kept := v.samples[vehicle]
	if kept == nil {
		kept = new(protocol.Sample)
		v.samples[vehicle] = kept
	}
	*kept = *sample
}

// readVehicle notes what events prove about vehicles and people.
func (v *Evidence) readVehicle(r fleet.Recorded) {
	switch e := any(r.Event).(type) {
	case fleet.VehicleServiceChanged:
		if e.OutOfService == "" {
			v.prove("in service", string(e.Vehicle))
		}
	case fleet.VehicleFaulted:
		if e.Cleared {
			v.proofs[proof{"fault over", string(e.Vehicle) + "/" + e.Code}] = v.seq
		}
	case fleet.VehicleBlocked:
		v.prove("blocked", string(e.Vehicle))
	case fleet.EpochSeen:
		if e.Epoch == 0 {
			v.prove("epoch", string(e.Vehicle))
		}
	case fleet.LogOpened:
		v.prove("store", string(e.Vehicle))
	case fleet.QueueChanged:
		v.prove("busy", string(e.Vehicle))
	case fleet.FleetRecovered:
		v.prove("chart", "")
		// Volatile events were lost with the process before.
		v.prove("blind", "")
	case fleet.FleetReleased:
		v.prove("released", "")
	case fleet.ZoneChanged:
		v.prove("zone", string(e.Zone.ID))
	case fleet.ZoneRemoved:
		v.prove("zone", string(e.Zone))
	}
}

// readWork notes what events prove about tasks, missions and incidents.
func (v *Evidence) readWork(r fleet.Recorded) {
	switch e := any(r.Event).(type) {
	case fleet.ReportTaken:
		v.prove("heard", string(e.Vehicle))
		if e.Kind == "ack" && e.Mission != "" {
			v.prove("answered", string(e.Vehicle))
			if e.State == string(protocol.Accepted) {
				v.prove("accepted", string(e.Vehicle))
			}
		}
	case fleet.MissionIssued:
		v.prove("busy", string(e.Vehicle))
		v.proofs[proof{"vehicle of", string(e.Mission)}] = v.seq
	case fleet.MissionChanged:
		if e.State == protocol.MissionEnded {
			v.prove("ended", "")
		}
	case fleet.LegChanged:
		v.prove("leg", "")
	case fleet.StopChanged:
		if !e.Doubt {
			v.prove("stop", string(e.Task))
		}
	case fleet.TaskChanged:
		if e.State != fleet.TaskWaiting {
			v.prove("taken", string(e.Task))
		}
		if e.State.Final() {
			v.prove("stop", string(e.Task))
		}
	case fleet.TaskRanked:
		v.prove("taken", string(e.Task))
	case fleet.TaskWanted:
		v.prove("taken", string(e.Task))
	case fleet.IncidentChanged:
		if !e.ReachedAt.IsZero() || e.State == fleet.IncidentClosed {
			v.prove("incident", string(e.Incident))
		}
	}
}

// prove notes that something is the case now.
func (v *Evidence) prove(what, whose string) {
	v.proofs[proof{what, whose}] = v.seq
}

// since tells whether something was the case after an event.
func (v *Evidence) since(seq uint64, what, whose string) bool {
	return v.proofs[proof{what, whose}] > seq
}

func subject(a *fleet.Alert) string {
	return fmt.Sprintf("%s %s %s %s", a.Kind, a.Vehicle, a.Task, a.Object)
}

func (v *Evidence) raise(r fleet.Recorded, a fleet.Alert) {
	if other, stands := v.about[subject(&a)]; stands {
		v.log.Add(Finding{Alerts, r.Time, string(a.Vehicle), string(a.ID), fmt.Sprintf("has alert %s (%s) while %s stands", a.ID, a.Kind, other)})
	}
	v.about[subject(&a)] = a.ID
	v.open[a.ID] = raised{a, v.seq}
}

func (v *Evidence) clear(r fleet.Recorded, e fleet.AlertCleared) {
	a, stands := v.open[e.Alert]
	if !stands {
		v.log.Add(Finding{Checker: Alerts, Time: r.Time, Object: string(e.Alert), Text: fmt.Sprintf("alert %s was cleared and did not stand", e.Alert)})
		return
	}
	delete(v.open, e.Alert)
	delete(v.about, subject(&a.Alert))
	v.waiting = append(v.waiting, cleared{a, r.Time, e.By})
}

// Flush judges the alerts that the events since the last Flush have cleared: their
// evidence may stand behind them in the same step. Blind says that the volatile
// events are missing, as those of a group that became durable in a crash; then what
// rests on them is believed.
func (v *Evidence) Flush(blind bool) {
	for i := range v.waiting {
		c := &v.waiting[i]
		if !(blind && volatile(c.Kind)) && !v.proven(c) {
			v.log.Add(Finding{Alerts, c.at, string(c.Vehicle), string(c.ID), fmt.Sprintf("had alert %s (%s) cleared for %q, of which the events know nothing", c.ID, c.Kind, c.by)})
		}
	}
	v.waiting = v.waiting[:0]
}

// volatile tells whether the evidence of a kind is in volatile events.
func volatile(kind fleet.AlertKind) bool {
	return slices.Contains([]fleet.AlertKind{
		fleet.AlertLinkLost, fleet.AlertBatteryLow, fleet.AlertLowToLand, fleet.AlertZone, fleet.AlertCaughtInside, fleet.AlertClock, fleet.AlertImplausible,
		fleet.AlertImplausibleSpeed, fleet.AlertImplausibleBattery, fleet.AlertDecide, fleet.AlertStranded, fleet.AlertEpoch,
	}, kind)
}

// proven tells whether there is evidence for the end of an alert.
func (v *Evidence) proven(c *cleared) bool {
	vehicle, task := string(c.Vehicle), string(c.Task)
	sample := v.samples[c.Vehicle]
	fresh := sample != nil && sample.Time.After(c.RaisedAt.Add(-5*time.Second))
	switch c.Kind {
	case fleet.AlertLinkLost:
		return v.since(c.seq, "heard", vehicle)
	case fleet.AlertLowToLand:
		// It stands, has no mission any more, or has again more than the reserve.
		return v.since(c.seq, "ended", "") || fresh && (sample.SpeedMPS < 0.5 || sample.BatteryRatio > v.reserves[c.Vehicle])
	case fleet.AlertBatteryLow:
		return fresh && sample.BatteryRatio > v.reserves[c.Vehicle]
	case fleet.AlertRefusing:
		return v.since(c.seq, "accepted", vehicle) || v.since(c.seq, "in service", vehicle)
	case fleet.AlertFault:
		return v.since(c.seq, "fault over", vehicle+"/"+c.Object) || v.since(c.seq, "in service", vehicle)
	case fleet.AlertZone, fleet.AlertCaughtInside:
		return v.keepsZone(c, sample)
	case fleet.AlertZoneUnfit:
		return v.since(c.seq, "zone", c.Object) || v.since(c.seq, "chart", "")
	case fleet.AlertClock, fleet.AlertImplausible, fleet.AlertImplausibleSpeed, fleet.AlertImplausibleBattery:
		return fresh || v.since(c.seq, "heard", vehicle)
	case fleet.AlertDecide:
		return v.since(c.seq, "stop", task) || vehicle != "" && v.since(c.seq, "heard", vehicle)
	case fleet.AlertStoreLost:
		return v.proofs[proof{"store", vehicle}] > 0
	case fleet.AlertStranded:
		return fresh && sample.BatteryRatio >= v.chargeBelow || v.since(c.seq, "busy", vehicle) || v.since(c.seq, "leg", "") || c.Object != "" && fresh
	case fleet.AlertEpoch:
		return v.since(c.seq, "epoch", vehicle) || v.since(c.seq, "heard", vehicle)
	case fleet.AlertUnanswered:
		return v.since(c.seq, "answered", vehicle) || v.since(c.seq, "ended", "")
	case fleet.AlertStillHeld:
		return v.since(c.seq, "blocked", vehicle)
	case fleet.AlertTaskFailed:
		return v.since(c.seq, "acknowledged", string(c.ID))
	case fleet.AlertEmergencyWaits, fleet.AlertWanted:
		return v.since(c.seq, "taken", task)
	case fleet.AlertStopped:
		return v.since(c.seq, "released", "")
	case fleet.AlertIncidentUnreached:
		return v.since(c.seq, "incident", c.Object)
	}
	return false
}

// keepsZone tells whether the vehicle is out of the zone by its newest sample, or
// the zone has changed. Being caught inside also ends as a violation.
func (v *Evidence) keepsZone(c *cleared, sample *protocol.Sample) bool {
	if v.since(c.seq, "zone", c.Object) {
		return true
	}
	if c.Kind == fleet.AlertCaughtInside && slices.ContainsFunc(v.openOf(c.Vehicle), func(a raised) bool {
		return a.Kind == fleet.AlertZone && a.Object == c.Object && a.seq > c.seq
	}) {
		return true
	}
	return v.Breaks == nil || sample != nil && !v.Breaks(sample.Time, c.Object, *sample, string(c.Vehicle))
}

func (v *Evidence) openOf(vehicle fleet.VehicleID) []raised {
	var list []raised
	for _, a := range v.open {
		if a.Vehicle == vehicle {
			list = append(list, a)
		}
	}
	return list
}

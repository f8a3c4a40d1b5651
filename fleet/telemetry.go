package fleet

import (
	"fmt"
	"slices"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// What is looked up stands in one place and is looked up once a frame, and no
// text is written that nobody reads: this is the hot path.

func (f *Fleet) telemetry(in Telemetry) {
	k, ok := f.index.known[in.Vehicle]
	if !ok || k.vehicle == nil || len(in.Samples) == 0 {
		return
	}
	p := f.seen(in.Vehicle)
	if p.Session != in.Session {
		return
	}
	f.actor = k.actor
	if p.Link != LinkLive {
		f.heard(k.vehicle, *p)
	}
	good := f.believe(k, p, in.Samples)
	if len(good) == 0 {
		// The vehicle is heard, and where it is stays as it was known.
		f.emit(LinkChanged{Vehicle: in.Vehicle, Session: in.Session, State: LinkLive, Doubted: true})
		return
	}
	// The event changes what p points to.
	zones, first := p.Zones, !p.Fresh
	for i := range good {
		zones = f.crossZones(k, zones, &good[i])
	}
	sample := &good[len(good)-1]
	f.emit(Moved{Vehicle: in.Vehicle, Sample: *sample, Earlier: good[:len(good)-1]})
	f.index.plots.stands(k, &sample.Position)
	k.quiet, k.full = f.now.Add(f.config.LateAfter), sample.BatteryRatio >= f.config.ChargeBelow
	f.watchClock(k, in.Skewed)
	if k.homeless {
		f.settleHome(k.vehicle, sample.Position)
	}
	f.watchBattery(k, sample, first)
	if k.airborne && (sample.BatteryRatio < k.landRatio || len(k.alerts) > 0) {
		f.lowToLand(k, sample)
	}
	if first {
		f.lookAgain = true
		f.arrived(in.Vehicle)
	}
}

// seen is what is known of a vehicle until the process ends; it is not to be
// changed. A sample may change it, and other events put another in its place.
func (f *Fleet) seen(id VehicleID) *Presence {
	if p, ok := f.state.Volatile.Presences[id]; ok {
		return p
	}
	return &Presence{Link: LinkUnknown}
}

// heard notes that a frame came from the vehicle in its present session.
func (f *Fleet) heard(v *Vehicle, p Presence) {
	f.emit(LinkChanged{Vehicle: v.ID, Session: p.Session, State: LinkLive})
	f.clearAlert(alertAbout{kind: AlertLinkLost, vehicle: v.ID}, "a frame came from the vehicle")
	f.lookAgain = f.lookAgain || p.Link != LinkLive
	if p.Link != LinkLive {
		f.keepStopped(v.ID)
	}
}

// crossZones notes which zones a sample lies in.
func (f *Fleet) crossZones(k *known, before []string, s *protocol.Sample) []string {
	if len(before) == 0 && k.inZones == 0 && f.zones.open.at(s.Position.Lon, s.Position.Lat) {
		return before
	}
	var hitRoom [8]fence.Hit
	if p := space.Position(s.Position).Point(); p != k.point {
		k.point, k.place = p, f.chart.Frame.XY(p)
	}
	at := space.XYZ{X: k.place.X, Y: k.place.Y, Z: s.Position.AltitudeM}
	hits := f.fences.Locate(at, s.Time, k.airborne, s.SpeedMPS, hitRoom[:0])
	if len(hits) == 0 && len(before) == 0 && k.inZones == 0 {
		return before
	}
	var nowRoom, brokenRoom [8]string
	now, broken := nowRoom[:0], brokenRoom[:0]
	for i := range hits {
		if hits[i].Inside {
			now = append(now, hits[i].ID)
		}
		if hits[i].Violated && hits[i].Rule != chart.Advise {
			broken = append(broken, hits[i].ID)
		}
	}
	v, zones := k.vehicle, before
	if !slices.Equal(before, now) {
		zones = append(make([]string, 0, len(now)), now...)
		f.emit(ZonesChanged{v.ID, zones, without(zones, before), without(before, zones)})
	}
	for _, id := range broken {
		f.breaksZone(v, id, before, s)
	}
	if k.inZones == 0 {
		return zones
	}
	for _, kind := range [...]AlertKind{AlertCaughtInside, AlertZone} {
		for _, id := range f.openAlerts(kind, v.ID) {
			if a := f.state.Durable.Alerts[id]; !slices.Contains(broken, a.Object) && k.mayClear(f.now) {
				f.emit(AlertCleared{id, "a sample shows the rule kept"})
			}
		}
	}
	return zones
}

// without lists what is in a and not in b.
func without(a, b []string) []string {
	var rest []string
	for _, x := range a {
		if !slices.Contains(b, x) {
			rest = append(rest, x)
		}
	}
	return rest
}

func (f *Fleet) watchClock(k *known, skewed bool) {
	if !skewed && len(k.alerts) == 0 {
		return
	}
	about := alertAbout{kind: AlertClock, vehicle: k.vehicle.ID}
	switch {
	case !skewed:
		f.clearBySample(k, about, "a sample with a good time")
	case !f.raised(about):
		f.raise(about, Warning, fmt.Sprintf("the clock of %s is off by more than 2 s: times of receipt are used", k.vehicle.ID))
	}
}

// clearBySample ends an alert that a sample disproves, as often as MaxFlaps
// allows.
func (f *Fleet) clearBySample(k *known, about alertAbout, evidence string) {
	if len(k.alerts) > 0 && f.raised(about) && k.mayClear(f.now) {
		f.clearAlert(about, evidence)
	}
}

// settleHome makes the ground under the first sample the home of a vehicle that
// was registered without one.
func (f *Fleet) settleHome(v *Vehicle, at protocol.Position) {
	c := v.clone()
	c.Home = space.Position(at)
	c.Home.AltitudeM = f.chart.GroundAltitude(c.Home.Point())
	c.HomeKnown = true
	f.emit(VehicleRegistered{*c})
}

// watchBattery raises the alarm below the reserve, and sends an idle vehicle to
// charge.
func (f *Fleet) watchBattery(k *known, s *protocol.Sample, first bool) {
	v := k.vehicle
	about := alertAbout{kind: AlertBatteryLow, vehicle: v.ID}
	switch {
	case s.BatteryRatio < v.Spec.ReserveRatio:
		if !f.raised(about) {
			f.raise(about, Critical, fmt.Sprintf("%s is at %.0f %%, below its reserve of %.0f %%", v.ID, 100*s.BatteryRatio, 100*v.Spec.ReserveRatio))
		}
	case len(k.alerts) > 0 && s.BatteryRatio > v.Spec.ReserveRatio+0.05:
		f.clearBySample(k, about, fmt.Sprintf("charge of %.0f %%", 100*s.BatteryRatio))
	}
	if len(k.alerts) > 0 && s.BatteryRatio >= f.config.ChargeBelow {
		f.clearBySample(k, alertAbout{kind: AlertStranded, vehicle: v.ID}, fmt.Sprintf("charge of %.0f %%", 100*s.BatteryRatio))
	}
	if first || s.BatteryRatio < f.config.ChargeBelow {
		f.considerCharging(v.ID)
	}
}

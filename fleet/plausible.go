package fleet

import (
	"fmt"
	"math"
	"time"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// What a vehicle says of itself is held against what a vehicle can do. A place
// that it cannot have reached is not used until it has said so for a while.
const (
	// PlausibleNoiseM is by how much two places may differ at any speed: receivers
	// scatter.
	PlausibleNoiseM = 30
	// Two places may further differ by what PaceFactor times the greatest speed of
	// its model makes in the time between them, with the wind of PlausibleWindMPS for
	// aircraft, and at least PaceGroundMPS for others, which may go downhill.
	PaceFactor    = 1.25
	PaceGroundMPS = 5
	// The speed that a vehicle says it has may be PlausibleFactor times the greatest
	// of its model, for aircraft with that wind; and at least the floor of its kind.
	PlausibleFactor      = 2
	PlausibleWindMPS     = 20
	PlausibleAircraftMPS = 60
	PlausibleGroundMPS   = 30
	// AgreeingSamples in a row that could follow one another, none more than
	// AgreeingPause after the one before, over AgreeingTime at least, make a new
	// place credible. As many plausible ones in a row end the alert.
	AgreeingSamples = 5
	AgreeingTime    = 45 * time.Second
	AgreeingPause   = 10 * time.Second
	// PlausibleCharge is by how much a charge may rise between two samples of a
	// session without a charger; BatterySettled is for how long it must not do so
	// again before it is believed.
	PlausibleCharge = 0.2
	BatterySettled  = time.Minute
)

// fastest is the speed, in m/s, beyond which nothing is believed of a vehicle.
func fastest(v *Vehicle) float64 {
	if MotionKind(v.Kind).Airborne() {
		return max(PlausibleAircraftMPS, PlausibleFactor*v.Spec.MaxMPS+PlausibleWindMPS)
	}
	return max(PlausibleGroundMPS, PlausibleFactor*v.Spec.MaxMPS)
}

// pace is the speed, in m/s, with which a vehicle can have come from one place to
// another.
func pace(v *Vehicle) float64 {
	if MotionKind(v.Kind).Airborne() {
		return PaceFactor*v.Spec.MaxMPS + PlausibleWindMPS
	}
	return max(PaceGroundMPS, PaceFactor*v.Spec.MaxMPS)
}

// doubt is what a vehicle has said that is not believed yet.
type doubt struct {
	// run counts the newest samples in a row that agree with each other and not
	// with the known place; last is the newest of them, since the time of the
	// oldest.
	run   int
	last  protocol.Sample
	since time.Time
	// leapt is by how much the oldest of them is off the known place, when there is
	// one: receivers that leap mostly leap back.
	leapt space.XY
	// gap is the time between the known place and the first sample that did not agree
	// with it.
	gap time.Duration
	// good and slow count plausible samples in a row while an alert stands, of the
	// place and of the speed.
	good, slow int
	// jumped is when the charge last rose beyond belief.
	jumped time.Time
}

// believe returns the samples that are believed, in order: mostly all of them,
// and then the slice itself.
func (f *Fleet) believe(k *known, p *Presence, samples []protocol.Sample) []protocol.Sample {
	if f.config.TrustSamples {
		return samples
	}
	var last *protocol.Sample
	if p.Known {
		last = &p.Sample
	}
	var some []protocol.Sample
	all, sameSession := true, p.Fresh
	for i := range samples {
		s := &samples[i]
		good := f.credible(k, last, s)
		if !good && all {
			some, all = append(some, samples[:i]...), false
		}
		if good && !all {
			some = append(some, *s)
		}
		if !good {
			continue
		}
		f.watchSpeed(k, s)
		f.watchCharge(k, last, s, sameSession)
		last, sameSession = s, true
	}
	if all {
		return samples
	}
	return some
}

// credible tells whether a sample's place is believed. The last one believed is
// nil when there is none, as after a restart: then anything is.
func (f *Fleet) credible(k *known, last, s *protocol.Sample) bool {
	d := &k.doubt
	// Who says now this and now that is nowhere the sooner believed for it, nor is
	// who goes on saying the same: a leap is one however much time passes.
	most := time.Duration(math.MaxInt64)
	if d.run > 0 && s.Time.Sub(d.last.Time) <= AgreeingPause {
		most = d.gap
	}
	if last == nil && f.offWay(k.vehicle, s) <= offPathM || last != nil && (k.follows(last, s, most) || f.leapsBack(k, s)) {
		d.run = 0
		if len(k.alerts) > 0 {
			f.agrees(k)
		}
		return true
	}
	about := alertAbout{kind: AlertImplausible, vehicle: k.vehicle.ID}
	f.out.Implausible++
	d.good = 0
	f.doubtSample(k, last, s)
	if !f.raised(about) {
		text := fmt.Sprintf("%s says that it is %.0f m from the way of its mission", k.vehicle.ID, f.offWay(k.vehicle, s))
		if last != nil {
			text = fmt.Sprintf("%s says that it is %.0f m from where it was %.1f s before",
				k.vehicle.ID, space.Distance(space.Position(last.Position), space.Position(s.Position)), s.Time.Sub(last.Time).Seconds())
		}
		f.raise(about, Warning, fmt.Sprintf("%s, at %.6f,%.6f: that is not used until it has said so for a while", text, s.Position.Lon, s.Position.Lat))
	}
	if d.run < AgreeingSamples || s.Time.Sub(d.since) < AgreeingTime {
		return false
	}
	d.run = 0
	return true
}

// agrees counts a sample of a vehicle with alerts that is believed.
func (f *Fleet) agrees(k *known) {
	about := alertAbout{kind: AlertImplausible, vehicle: k.vehicle.ID}
	if !f.raised(about) {
		return
	}
	if k.doubt.good++; k.doubt.good >= AgreeingSamples {
		f.clearBySample(k, about, fmt.Sprintf("%d samples in a row that agree", k.doubt.good))
	}
}

// doubtSample counts a sample that is not believed.
func (f *Fleet) doubtSample(k *known, last, s *protocol.Sample) {
	d := &k.doubt
	if last != nil && (d.run == 0 || s.Time.Sub(d.last.Time) > AgreeingPause) {
		d.gap = s.Time.Sub(last.Time)
	}
	if d.run > 0 && k.follows(&d.last, s, AgreeingPause) && s.Time.Sub(d.last.Time) <= AgreeingPause {
		d.run++
	} else {
		d.run, d.since, d.leapt = 1, s.Time, space.XY{}
		if last != nil {
			d.leapt = f.chart.Frame.XY(space.Position(s.Position).Point()).Sub(f.chart.Frame.XY(space.Position(last.Position).Point()))
		}
	}
	d.last = *s
}

// leapsBack tells whether a sample is as far from the one before it, which was not
// believed, as the first of those was from the known place, and the other way: then
// the vehicle has gone on meanwhile, and is where it would be without the leap.
func (f *Fleet) leapsBack(k *known, s *protocol.Sample) bool {
	d := &k.doubt
	seconds := s.Time.Sub(d.last.Time)
	if d.run == 0 || d.leapt == (space.XY{}) || seconds > AgreeingPause {
		return false
	}
	was := f.chart.Frame.XY(space.Position(d.last.Position).Point()).Sub(d.leapt)
	return was.Dist(f.chart.Frame.XY(space.Position(s.Position).Point())) <= PlausibleNoiseM+k.pace*max(0, seconds.Seconds())
}

// offWay is how far a sample is from what the vehicle's mission lays before it, 0
// without one. What is known of a vehicle is lost with the process; its mission is
// not, and tells where to expect it: on the way of any revision that it may hold, as
// the newest may have been issued while it was out of touch.
func (f *Fleet) offWay(v *Vehicle, s *protocol.Sample) float64 {
	m, ok := f.openMission(v)
	if !ok {
		return 0
	}
	at := f.chart.Frame.XY(space.Position(s.Position).Point())
	off := math.Inf(1)
	for _, legs := range m.plans() {
		for i := range legs {
			path := legs[i].Path
			if legs[i].Final() {
				path = nil
			}
			for k := range path {
				off = min(off, space.SegmentDist(at, f.chart.Frame.XY(path[max(k-1, 0)].Point()), f.chart.Frame.XY(path[k].Point())))
			}
		}
	}
	if math.IsInf(off, 1) {
		return 0
	}
	return off
}

// follows tells whether a vehicle can have come from one sample to the next,
// in the time between them but at most in the time given.
func (k *known) follows(a, b *protocol.Sample, most time.Duration) bool {
	seconds := max(0, min(most, b.Time.Sub(a.Time)).Seconds())
	return space.Within(space.Position(a.Position), space.Position(b.Position), PlausibleNoiseM+k.pace*seconds)
}

// watchSpeed raises an alert about a speed that the vehicle cannot have. The
// place that came with it is believed for itself.
func (f *Fleet) watchSpeed(k *known, s *protocol.Sample) {
	if s.SpeedMPS <= k.fastest && len(k.alerts) == 0 {
		return
	}
	about := alertAbout{kind: AlertImplausibleSpeed, vehicle: k.vehicle.ID}
	if s.SpeedMPS > k.fastest {
		f.out.Implausible++
		k.doubt.slow = 0
		if !f.raised(about) {
			f.raise(about, Warning, fmt.Sprintf("%s says that it goes at %.0f m/s, beyond the %.0f m/s that it might reach", k.vehicle.ID, s.SpeedMPS, k.fastest))
		}
		return
	}
	if f.raised(about) {
		if k.doubt.slow++; k.doubt.slow >= AgreeingSamples {
			f.clearBySample(k, about, fmt.Sprintf("%d samples in a row with a speed that it can have", k.doubt.slow))
		}
	}
}

// watchCharge raises an alert about a battery that is suddenly fuller within a
// session though nothing charges it. A battery that was exchanged comes with a
// new session.
func (f *Fleet) watchCharge(k *known, last, s *protocol.Sample, sameSession bool) {
	risen := last != nil && sameSession && s.BatteryRatio > last.BatteryRatio+PlausibleCharge
	if !risen && len(k.alerts) == 0 {
		return
	}
	about := alertAbout{kind: AlertImplausibleBattery, vehicle: k.vehicle.ID}
	charging := s.Mode == protocol.ModeCharging || last != nil && last.Mode == protocol.ModeCharging || k.vehicle.Charger != ""
	if risen && !charging {
		f.out.Implausible++
		k.doubt.jumped = s.Time
		if !f.raised(about) {
			f.raise(about, Warning, fmt.Sprintf("the charge of %s rose from %.0f %% to %.0f %% at once, without a charger: it gets no new work until that has lasted",
				k.vehicle.ID, 100*last.BatteryRatio, 100*s.BatteryRatio))
		}
		return
	}
	if !f.raised(about) {
		return
	}
	if k.doubt.jumped.IsZero() {
		k.doubt.jumped = s.Time
	}
	if charging || s.Time.Sub(k.doubt.jumped) >= BatterySettled {
		f.clearBySample(k, about, fmt.Sprintf("its charge is %.0f %%, and has not risen at once again", 100*s.BatteryRatio))
	}
}

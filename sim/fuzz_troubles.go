package sim

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/sim/scenario"
)

// drawNetwork draws what lies between vehicles and backend.
func (d *fuzz) drawNetwork() {
	r := d.part(fuzzNetwork)
	n := &d.scenario.Network
	if r.IntN(3) == 0 {
		low := 5 + float64(r.IntN(100))
		n.LatencyMS = []float64{low, low + float64(r.IntN(400))}
	}
	if r.IntN(4) == 0 {
		n.JitterMS = float64(r.IntN(200))
	}
	if r.IntN(4) == 0 {
		n.Loss = round(0.01 + 0.12*r.Float64())
	}
	if r.IntN(5) == 0 {
		n.Duplicate = round(0.01 + 0.1*r.Float64())
	}
	if r.IntN(5) == 0 {
		n.Reorder = round(0.01 + 0.1*r.Float64())
	}
	if r.IntN(6) == 0 {
		n.BandwidthKbps = float64(48 + r.IntN(1000))
	}
	if r.IntN(5) == 0 {
		n.Encoding = "json"
	}
	if r.IntN(2) == 0 {
		for range 1 + r.IntN(2+len(d.ids)/10) {
			d.outage(r)
		}
	}
	if r.IntN(5) == 0 {
		for range 1 + r.IntN(3) {
			n.Storms = append(n.Storms, d.when(r, 0.02, 0.95))
		}
	}
}

// outage draws one of a vehicle, of a fleet, of all or of an area, for less and
// for more than the authority of tasks.
func (d *fuzz) outage(r *rand.Rand) {
	at := d.when(r, 0, 0.9)
	o := scenario.Outage{At: at, For: d.lasting(r, at, 3*time.Second, 4*time.Minute)}
	switch r.IntN(10) {
	case 0:
		o.Vehicle, o.For = "*", min(o.For, scenario.Duration(90*time.Second))
	case 1:
		o.Vehicle = d.scenario.Fleets[r.IntN(len(d.scenario.Fleets))].Prefix + "*"
	case 2, 3:
		o.Area = &scenario.Circle{At: fmt.Sprintf("@%d", 1+r.IntN(scenario.MinEndpoints)), RadiusM: float64(100 + r.IntN(500))}
	default:
		o.Vehicle = d.anyone(r)
	}
	d.scenario.Network.Outages = append(d.scenario.Network.Outages, o)
}

func (d *fuzz) anyone(r *rand.Rand) string { return d.ids[r.IntN(len(d.ids))] }

// drawBackend draws the crashes of the backend, in half of the scenarios, and its
// settings.
func (d *fuzz) drawBackend() {
	r := d.part(fuzzBackend)
	if r.Float64() < 0.55 {
		for range 1 + r.IntN(4) {
			d.scenario.Crashes.At = append(d.scenario.Crashes.At, d.when(r, 0.02, 0.95))
		}
		if r.IntN(3) == 0 {
			d.scenario.Crashes.Down = []scenario.Duration{scenario.Duration(time.Second), scenario.Duration(time.Duration(5+r.IntN(60)) * time.Second)}
		}
	}
	f := &d.scenario.Fleet
	if r.IntN(4) == 0 {
		f.TelemetryInterval = scenario.Duration(2 * time.Second)
	}
	if r.IntN(3) == 0 {
		f.TaskAuthority = scenario.Duration(time.Duration(20+r.IntN(60)) * time.Second)
	}
	if r.IntN(4) == 0 {
		f.CommitMS = []float64{1, float64(10 + r.IntN(150))}
	}
	if r.IntN(4) == 0 {
		f.PlanMS = []float64{50, float64(200 + r.IntN(4000))}
	}
	d.scenario.Person.After = scenario.Duration(time.Duration(10+r.IntN(50)) * time.Second)
}

// fuzzFault is how a kind of fault is drawn: the range of its amount, which may
// be of either sign, and how long it lasts at most.
type fuzzFault struct {
	kind      string
	low, high float64
	signed    bool
	most      time.Duration
	// backend faults belong to no vehicle.
	backend bool
}

func fuzzFaultKinds() []fuzzFault {
	return []fuzzFault{
		{kind: scenario.Broken, most: 3 * time.Minute},
		{kind: scenario.Reboot, most: time.Minute},
		{kind: scenario.Wiped, most: time.Minute},
		{kind: scenario.ClockJump, low: 0.5, high: 20, signed: true, most: 4 * time.Minute},
		{kind: scenario.ClockDrift, low: 50, high: 5000, signed: true, most: 5 * time.Minute},
		{kind: scenario.GNSSNoise, low: 0.5, high: 5, most: 3 * time.Minute},
		{kind: scenario.GNSSBias, low: 1, high: 6, most: 2 * time.Minute},
		{kind: scenario.GNSSLoss, most: time.Minute},
		// Shorter leaps than a vehicle can go in a moment are beyond doubt.
		{kind: scenario.GNSSTeleport, low: 130, high: 3000, most: 40 * time.Second},
		{kind: scenario.CellDrop, low: 0.05, high: 0.3},
		{kind: scenario.DriveFailure, low: 0.2, high: 0.8, most: 3 * time.Minute},
		{kind: scenario.Frozen, most: 2 * time.Minute},
		{kind: scenario.Liar, most: 2 * time.Minute},
		{kind: scenario.Slow, low: 1, high: 15, most: 3 * time.Minute},
		{kind: scenario.Refusing, most: 3 * time.Minute},
		{kind: scenario.Forgetful},
		{kind: scenario.DiskFull, most: 20 * time.Second, backend: true},
		{kind: scenario.DiskSync, most: 20 * time.Second, backend: true},
		{kind: scenario.DiskSlow, low: 50, high: 1500, most: time.Minute, backend: true},
		{kind: scenario.PlannerLate, low: 1, high: 20, most: 3 * time.Minute, backend: true},
		{kind: scenario.SlowDispatcher, low: 1, high: 50, most: 3 * time.Minute, backend: true},
	}
}

// drawFaults draws a random part of all kinds of faults.
func (d *fuzz) drawFaults() {
	r := d.part(fuzzFaults)
	// One scenario in ten is calm, one in ten has them all.
	share := 0.3
	switch r.IntN(10) {
	case 0:
		share = 0
	case 1:
		share = 1
	}
	for _, kind := range fuzzFaultKinds() {
		if r.Float64() >= share {
			continue
		}
		count := 1 + r.IntN(1+len(d.ids)/12)
		if kind.backend {
			count = 1 + r.IntN(2)
		}
		for range count {
			d.scenario.Faults = append(d.scenario.Faults, d.fault(r, kind))
		}
	}
}

func (d *fuzz) fault(r *rand.Rand, k fuzzFault) scenario.Fault {
	at := d.when(r, 0.02, 0.95)
	f := scenario.Fault{Kind: k.kind, At: at}
	if k.most > 0 {
		f.For = d.lasting(r, at, 5*time.Second, k.most)
	}
	if !k.backend {
		f.Vehicle = d.anyone(r)
	}
	if k.high > 0 {
		f.Amount = round(k.low + r.Float64()*(k.high-k.low))
		if k.signed && r.IntN(2) == 0 {
			f.Amount = -f.Amount
		}
	}
	if k.kind == scenario.Broken {
		f.Code = "broken"
		f.LoadLost = r.IntN(5) == 0
	}
	if k.kind == scenario.Forgetful && r.IntN(3) == 0 {
		f.For = d.lasting(r, at, 5*time.Second, 3*time.Minute)
	}
	if k.kind == scenario.DriveFailure && r.IntN(3) == 0 {
		f.Amount = 0
	}
	return f
}

// drawZones draws zones that people make, in every scenario, all of which end
// within the safety phase.
func (d *fuzz) drawZones() {
	r := d.part(fuzzZones)
	for n := range 1 + r.IntN(4) {
		at := d.when(r, 0, 0.85)
		middle, radiusM := r.IntN(scenario.MinEndpoints), float64(30+r.IntN(120))
		z := scenario.TimedZone{
			Name: fmt.Sprintf("zone %d", n+1), At: at, For: d.lasting(r, at, 20*time.Second, d.lasts/2),
			Rule: string(chart.KeepOut), Circle: &scenario.Circle{At: fmt.Sprintf("@%d", middle+1), RadiusM: radiusM},
			// Who lives on the ground inside may have no other place to go to.
			Airborne: slices.ContainsFunc(d.homes, func(h space.XY) bool { return h.Dist(d.ends[middle]) < radiusM+20 }),
		}
		switch r.IntN(6) {
		case 0:
			z.Airborne = false
			z.Rule, z.SpeedLimitMPS = string(chart.SpeedLimit), 1+round(3*r.Float64())
		case 1:
			z.Rule, z.HeightLimitM, z.Airborne = string(chart.AltitudeLimit), float64(60+r.IntN(30)), true
		case 2:
			z.Rule = string(chart.Advise)
		case 3:
			z.Airborne = true
			if d.kinds["multirotor"] > 3 {
				z.Circle, z.Across = nil, &scenario.Across{Routes: 1 + r.IntN(2)}
			}
		case 4:
			z.Airborne = true
		}
		d.scenario.Zones = append(d.scenario.Zones, z)
	}
}

// drawActions draws what people do; all of it is undone within the safety phase.
func (d *fuzz) drawActions() {
	r := d.part(fuzzActions)
	if r.IntN(2) == 0 {
		return
	}
	for range 1 + r.IntN(3) {
		at := d.when(r, 0.05, 0.8)
		back := at + d.lasting(r, at, 10*time.Second, d.lasts/4)
		do, undo := scenario.Action{At: at}, scenario.Action{At: back}
		switch r.IntN(4) {
		case 0:
			do.Do, undo.Do = scenario.TakeOver, scenario.HandBack
			do.Vehicle = d.anyone(r)
		case 1:
			do.Do, undo.Do = scenario.OutOfService, scenario.InService
			do.Vehicle = d.anyone(r)
		case 2:
			do.Do, undo.Do = scenario.EmergencyStop, scenario.Release
		case 3:
			if len(d.chart.Zones) == 0 {
				continue
			}
			do.Do, undo.Do = scenario.SuspendZone, scenario.RestoreZone
			do.Zone = d.chart.Zones[r.IntN(len(d.chart.Zones))].ID
		}
		undo.Vehicle, undo.Zone = do.Vehicle, do.Zone
		d.scenario.Actions = append(d.scenario.Actions, do, undo)
	}
}

package fleet_test

import (
	"slices"
	"strings"
	"time"

	"github.com/kapok-fleet/kapok/fleet"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/verify"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// zoning lets people draw, change, suspend and remove zones.
func (l *life) zoning() {
	if l.chance.IntN(40) != 0 {
		return
	}
	records := l.zoneIDs()
	if len(records) > 0 && l.chance.IntN(2) == 0 || len(records) > 3 {
		id := records[l.chance.IntN(len(records))]
		switch l.chance.IntN(4) {
		case 0:
			l.ask(fleet.SuspendZone{Zone: id, Suspension: api.ZoneSuspension{Suspended: l.chance.IntN(2) == 0}})
		case 1:
			l.ask(fleet.PutZone{Zone: id, Order: l.someZone()})
		default:
			l.ask(fleet.RemoveZone{Zone: id})
		}
		return
	}
	if l.chance.IntN(6) == 0 {
		l.ask(fleet.SuspendZone{Zone: "school", Suspension: api.ZoneSuspension{Suspended: true}})
		return
	}
	l.ask(fleet.PutZone{Order: l.someZone()})
}

func (l *life) zoneIDs() []fleet.ZoneID {
	var ids []fleet.ZoneID
	for id := range l.fleet.State().Durable.Zones {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (l *life) someZone() api.ZoneOrder {
	o := api.ZoneOrder{Rule: []string{"keep_out", "keep_out", "keep_out", "altitude_limit", "speed_limit", "keep_in", "advise"}[l.chance.IntN(7)]}
	west, south := 1800*l.chance.Float64()-900, 1800*l.chance.Float64()-900
	east, north := west+50+300*l.chance.Float64(), south+50+300*l.chance.Float64()
	switch o.Rule {
	case "keep_in":
		west, south, east, north = west-1500, south-1500, east+1500, north+1500
	case "altitude_limit":
		o.HeightLimitM = 20 + 60*l.chance.Float64()
	case "speed_limit":
		o.SpeedLimitMPS = 1 + 5*l.chance.Float64()
	}
	if l.chance.IntN(3) == 0 {
		o.From = l.now.Add(time.Duration(l.chance.IntN(300)) * time.Second)
	}
	if l.chance.IntN(3) == 0 {
		o.Until = l.now.Add(time.Duration(301+l.chance.IntN(300)) * time.Second)
	}
	switch l.chance.IntN(3) {
	case 0:
		o.Airborne = true
	case 1:
		o.Ground = true
	}
	frame := l.chart.Frame
	var ring [][2]float64
	for _, p := range [...]space.XY{{X: west, Y: south}, {X: east, Y: south}, {X: east, Y: north}, {X: west, Y: north}} {
		ring = append(ring, [2]float64(frame.Point(p)))
	}
	o.Polygon = [][][2]float64{ring}
	return o
}

// unzone ends all that people did to zones.
func (l *life) unzone() {
	d := &l.fleet.State().Durable
	for _, id := range l.zoneIDs() {
		if strings.HasPrefix(string(id), "Z") {
			l.ask(fleet.RemoveZone{Zone: id})
		} else if d.Zones[id].Suspended || d.Zones[id].Removed {
			l.ask(fleet.SuspendZone{Zone: id})
		} else {
			l.ask(fleet.RemoveZone{Zone: id})
		}
	}
}

// checkZones holds the revisions that a change of zones brought about against
// the zones as they are then, as an independent checker sees them.
func (l *life) checkZones(events []fleet.Recorded) {
	l.t.Helper()
	changes := 0
	for _, r := range events {
		if name := r.Event.EventName(); name == "zone_changed" || name == "zone_removed" {
			changes++
		}
	}
	if changes > 1 {
		// A later change in the same step may have made a revision unlawful that
		// was replaced at once.
		return
	}
	state := l.fleet.State()
	zones, replaced := live(state)
	for _, r := range events {
		e, ok := r.Event.(fleet.MissionIssued)
		if !ok || e.Why.Code != "zone" {
			continue
		}
		v := state.Durable.Vehicles[e.Vehicle]
		depart := r.Time
		for i := range e.Legs {
			leg := &e.Legs[i]
			if leg.State == "begun" && leg.EndsAt.After(depart) {
				depart = leg.EndsAt
			}
			if leg.Final() || leg.State == "begun" {
				continue
			}
			for _, b := range verify.Path(l.chart, zones, replaced, fleet.MotionKind(v.Kind), leg.Path, depart, leg.SpeedMPS) {
				if b.Rule == verify.InKeepOut || b.Rule == verify.AboveZoneLimit || b.Rule == verify.OutsideKeepIn {
					l.fail("%s revision %d of %s, leg %s: %s", e.Mission, e.Revision, e.Vehicle, leg.ID, b)
				}
			}
			depart = leg.EndsAt
		}
	}
}

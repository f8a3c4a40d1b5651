package fleet

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/fleet/fence"
	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/protocol/api"
)

// ZoneRecord is what people did to a zone: one that they made, or one of the
// chart that they changed or suspended. A record takes the place of the chart's
// zone of the same id.
type ZoneRecord struct {
	ID        ZoneID     `json:"id"`
	Zone      chart.Zone `json:"zone"`
	Suspended bool       `json:"suspended,omitempty"`
	// Removed marks a zone of the chart that people took away.
	Removed   bool      `json:"removed,omitempty"`
	Reason    string    `json:"reason,omitempty"`
	ChangedBy string    `json:"changed_by"`
	ChangedAt time.Time `json:"changed_at"`
	// Revision is the index of the last event that changed it.
	Revision uint64 `json:"revision"`
}

// MaxLiveZones is how many zones people may have made or changed at once; more
// are refused until some are removed.
const MaxLiveZones = 1000

// zones is everything that follows from the zones in force: it is made anew from
// the durable state after each change, and in New.
type zones struct {
	// laws are the zones in force that bind anybody, in the order of their ids.
	laws []*zoneLaw
	// open is where no zone can be.
	open openGround
	// at is the index of the last event that changed a zone, as far as this
	// process knows.
	at uint64
	// due are vehicles whose missions must be looked at in the following ticks;
	// true for those that must be planned anew whatever the look says.
	due map[VehicleID]bool
	// retry is when the ways of a vehicle that could not be mended, or were just
	// mended, are looked at again.
	retry map[VehicleID]time.Time
	// looked is when all ways were last held against zones to come.
	looked time.Time
}

// zonesNow lists the records in force and names the zones of the chart that they
// replace. Records that lie beyond the chart, which may happen after it was
// changed, are not in force.
func (f *Fleet) zonesNow() (live []chart.Zone, replaced map[string]bool) {
	d := &f.state.Durable
	replaced = make(map[string]bool, len(d.Zones))
	for _, id := range sortedKeys(d.Zones) {
		r := d.Zones[id]
		replaced[string(id)] = true
		if !r.Suspended && !r.Removed && onChart(f.chart, &r.Zone) {
			live = append(live, r.Zone)
		}
	}
	return live, replaced
}

// lawsNow are the zones in force that bind anybody; a rehearsal, which begins
// without them, makes them at the first need.
func (f *Fleet) lawsNow() []*zoneLaw {
	if f.zones.laws == nil {
		f.zones.laws = compileLaws(f.chart.Frame, f.allZones())
	}
	return f.zones.laws
}

// allZones lists the zones in force, the chart's and people's.
func (f *Fleet) allZones() []chart.Zone {
	live, replaced := f.zonesNow()
	all := make([]chart.Zone, 0, len(f.chart.Zones)+len(live))
	for i := range f.chart.Zones {
		if z := &f.chart.Zones[i]; !replaced[z.ID] {
			all = append(all, *z)
		}
	}
	return append(all, live...)
}

// setZones puts the zones of the durable state in force: for the planner, the
// fences and the checks of ways.
func (f *Fleet) setZones() {
	f.world.SetZones(f.zonesNow())
	f.worldAge++
	all := f.allZones()
	f.fences = fence.Compile(f.chart, all)
	f.zones.laws = compileLaws(f.chart.Frame, all)
	f.zones.open.mark(f.chart.Frame, all)
	f.zones.at = f.state.Durable.Index
}

// chartZone finds a zone as the chart has it.
func chartZone(c *chart.Chart, id ZoneID) (*chart.Zone, bool) {
	for i := range c.Zones {
		if c.Zones[i].ID == string(id) {
			return &c.Zones[i], true
		}
	}
	return nil, false
}

// zone is a zone as it stands: what people made of it, else the chart's. A
// removed one of the chart is found too.
func (f *Fleet) zone(id ZoneID) (ZoneRecord, bool) {
	if r, ok := f.state.Durable.Zones[id]; ok {
		return *r, true
	}
	if z, ok := chartZone(f.chart, id); ok {
		return ZoneRecord{ID: id, Zone: *z}, true
	}
	return ZoneRecord{}, false
}

// newZoneID gives out the next id that neither chart nor people have used.
func (f *Fleet) newZoneID() ZoneID {
	for n := f.state.Durable.Counters.Zone + 1; ; n++ {
		id := ZoneID(fmt.Sprintf("Z%d", n))
		if _, taken := f.zone(id); !taken {
			return id
		}
	}
}

func (f *Fleet) putZone(a PutZone) Answer {
	r, status := ZoneRecord{ID: a.Zone}, statusOK
	if a.Zone == "" {
		r.ID, status = f.newZoneID(), statusCreated
	} else {
		var p Answer
		var bad bool
		if r, p, bad = f.checkZone(a.Zone, a.Revision); bad {
			return p
		}
	}
	if p, full := f.roomForZone(r.ID); full {
		return p
	}
	zone, p, bad := f.zoneOf(r.ID, &a.Order)
	if bad {
		return p
	}
	zone.Source = r.Zone.Source
	r.Zone, r.Removed, r.Reason = zone, false, a.Order.Reason
	return f.changeZone(status, ZoneChanged{Zone: r, New: a.Zone == ""}, r.ID)
}

func (f *Fleet) suspendZone(a SuspendZone) Answer {
	r, p, bad := f.checkZone(a.Zone, a.Revision)
	if bad {
		return p
	}
	if p, full := f.roomForZone(r.ID); full {
		return p
	}
	if r.Suspended == a.Suspension.Suspended && !r.Removed {
		view, _ := f.state.ZoneView(f.chart, r.ID)
		return answerWith(statusOK, api.ZoneChange{Zone: view, Affected: []api.ZoneEffect{}})
	}
	drawn, ofChart := chartZone(f.chart, r.ID)
	if !a.Suspension.Suspended && ofChart && (r.Removed || sameZone(drawn, &r.Zone)) {
		// One that was taken away comes back as it was drawn.
		return f.changeZone(statusOK, ZoneRemoved{Zone: r.ID, Reason: a.Suspension.Reason}, r.ID)
	}
	r.Suspended, r.Removed, r.Reason = a.Suspension.Suspended, false, a.Suspension.Reason
	return f.changeZone(statusOK, ZoneChanged{Zone: r}, r.ID)
}

func (f *Fleet) removeZone(a RemoveZone) Answer {
	r, p, bad := f.checkZone(a.Zone, a.Revision)
	if bad {
		return p
	}
	if _, ofChart := chartZone(f.chart, r.ID); !ofChart {
		return f.changeZone(statusOK, ZoneRemoved{Zone: r.ID, Reason: a.Reason}, r.ID)
	}
	if p, full := f.roomForZone(r.ID); full {
		return p
	}
	r.Removed, r.Suspended, r.Reason = true, false, a.Reason
	return f.changeZone(statusOK, ZoneChanged{Zone: r}, r.ID)
}

// sameZone tells whether two zones are the same in all that they say.
func sameZone(a, b *chart.Zone) bool {
	same := len(a.Polygon) == len(b.Polygon) && a.From.Equal(b.From) && a.Until.Equal(b.Until) && slices.Equal(a.Schedule, b.Schedule)
	for i := 0; same && i < len(a.Polygon); i++ {
		same = slices.Equal(a.Polygon[i], b.Polygon[i])
	}
	return same && a.Name == b.Name && a.Rule == b.Rule && a.FloorM == b.FloorM && a.CeilingM == b.CeilingM &&
		a.HeightLimitM == b.HeightLimitM && a.SpeedLimitMPS == b.SpeedLimitMPS &&
		a.Airborne == b.Airborne && a.Ground == b.Ground && a.Source == b.Source
}

// changeZone puts a change of a zone in force, lets the fleet react, and answers
// with whom it concerned.
func (f *Fleet) changeZone(status int, e Event, id ZoneID) Answer {
	view, _ := f.state.ZoneView(f.chart, id)
	old := f.lawsOf(id)
	if z, ok := e.(ZoneChanged); ok {
		z.Zone.ChangedBy, z.Zone.ChangedAt, z.Zone.Revision = f.actor, f.now, f.state.Durable.Index+1
		e = z
	}
	f.emit(e)
	f.setZones()
	if now, ok := f.state.ZoneView(f.chart, id); ok {
		view = now
	}
	f.clearAlert(alertAbout{kind: AlertZoneUnfit, object: string(id)}, "the zone was changed by "+f.actor)
	affected := f.zoneReaction(id, old)
	f.relocate(id)
	f.lookAgain = true
	return answerWith(status, api.ZoneChange{Zone: view, Affected: affected})
}

// checkZone refuses a request about a zone that is not there, or not as the
// asker saw it.
func (f *Fleet) checkZone(id ZoneID, revision uint64) (ZoneRecord, Answer, bool) {
	r, ok := f.zone(id)
	switch {
	case !ok:
		return r, noZone(id), true
	case revision != 0 && revision != r.Revision:
		return r, problem(statusPrecondition, "revision_mismatch", "", fmt.Sprintf("zone %s is at revision %d, not %d: read it again", id, r.Revision, revision)), true
	}
	return r, Answer{}, false
}

func noZone(id ZoneID) Answer {
	return problem(statusNotFound, "zone_not_found", "", fmt.Sprintf("there is no zone %s here", id))
}

// roomForZone refuses one more record beyond MaxLiveZones.
func (f *Fleet) roomForZone(id ZoneID) (Answer, bool) {
	d := &f.state.Durable
	if _, known := d.Zones[id]; known || len(d.Zones) < MaxLiveZones {
		return Answer{}, false
	}
	return problem(statusUnavailable, "too_many_zones", "", fmt.Sprintf("people have made or changed the limit of %d zones: remove some first", MaxLiveZones)), true
}

// relocate takes note of which vehicles are in the zones as they are now, as far
// as their newest samples tell, and ends the alerts about a zone that is no more.
func (f *Fleet) relocate(id ZoneID) {
	for _, vid := range f.index.vehicles {
		p := f.seen(vid)
		if !p.Known {
			continue
		}
		s := p.Sample
		s.Time = f.now
		f.crossZones(f.index.of(vid), p.Zones, &s)
	}
	if len(f.lawsOf(id)) > 0 {
		return
	}
	for _, kind := range [...]AlertKind{AlertZone, AlertCaughtInside} {
		for _, vid := range f.index.vehicles {
			f.clearAlert(alertAbout{kind: kind, vehicle: vid, object: string(id)}, fmt.Sprintf("zone %s is not in force any more", id))
		}
	}
}

package check

import (
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// How long a vehicle may stay in a zone that appeared over it: aircraft
// CaughtS, and others SlowSPerM more for each metre that they were from its
// edge, as they are slow and follow streets.
const (
	CaughtS   = 60.0
	SlowSPerM = 2.0
)

// CaughtWithin is how long after a zone appeared a vehicle may come in and still
// count as caught: so long it takes to be told and to turn.
const CaughtWithin = 2 * time.Second

type zone struct {
	chart.Zone
	rings       [][]space.XY
	box         space.Box
	air, ground bool
	// version is that of the SetZones with which it appeared or changed, 0 for
	// the chart's own; live says that it is none of the chart's own. appeared is
	// when it did, or came into force.
	version  int
	live     bool
	appeared time.Time
}

// caught is a stay in a zone that appeared over the vehicle.
type caught struct {
	zone    string
	finding int
	// from is when the stay began, until when the vehicle must have left; told
	// says that it has not and a violation was found.
	from, until time.Time
	allowed     time.Duration
	landed      bool
	told        bool
}

func (g *Geometry) compile(source *chart.Zone) zone {
	z := zone{Zone: *source, box: space.EmptyBox()}
	z.air, z.ground = z.Airborne || !z.Ground, z.Ground || !z.Airborne
	for _, ring := range z.Polygon {
		var xy []space.XY
		for _, p := range ring {
			at := g.chart.Frame.XY(p)
			xy, z.box = append(xy, at), z.box.Extend(at)
		}
		z.rings = append(z.rings, xy)
	}
	return z
}

// SetZones says which zones hold from now on: the chart's own but for those
// suspended, and live zones, which take the place of the chart's of the same id.
//
// A vehicle that is where a zone forbids it at the first look after the zone
// appeared, changed, was resumed or, being a live one, came into force by its
// From, or within CaughtWithin of that, is caught and no violation. It is caught until it has left; coming back
// is a violation, and so is staying longer than CaughtS, or for vehicles on the
// surface than SlowSPerM tells. An aircraft that lands where it was caught may
// stay as long as it is on the ground; the finding says so. The chart's own
// zones were known beforehand: being there when one comes into force by its From
// is a violation. The zones must not change afterwards; the same ones given
// again change nothing.
func (g *Geometry) SetZones(now time.Time, zones []chart.Zone, suspended map[string]bool) {
	g.version++
	before := g.zones
	g.zones = make([]zone, 0, len(before)+len(zones))
	add := func(source *chart.Zone, live bool) {
		for i := range before {
			if b := &before[i]; b.ID == source.ID && b.live == live && reflect.DeepEqual(b.Zone, *source) {
				g.zones = append(g.zones, *b)
				return
			}
		}
		z := g.compile(source)
		z.version, z.live, z.appeared = g.version, live, now
		if live && z.From.After(now) {
			z.appeared = z.From
		}
		g.zones = append(g.zones, z)
	}
	overridden := map[string]bool{}
	for i := range zones {
		overridden[zones[i].ID] = true
	}
	for i := range g.chart.Zones {
		if z := &g.chart.Zones[i]; !suspended[z.ID] && !overridden[z.ID] {
			add(z, false)
		}
	}
	for i := range zones {
		add(&zones[i], true)
	}
}

// fresh tells whether the zone was not yet in force at the last look at a
// vehicle, or has only just come into force, and nobody could know that it would.
func (z *zone) fresh(v *watched, now time.Time) bool {
	return z.version > 0 && (z.version > v.version || v.last.Before(z.appeared) || now.Sub(z.appeared) <= CaughtWithin)
}

// catch begins a stay in a zone that appeared over the vehicle.
func (g *Geometry) catch(now time.Time, vehicle string, v *watched, z *zone, at space.XYZ, air bool) {
	seconds := CaughtS
	if !air {
		edge := 0.0
		for i, ring := range z.rings {
			if d := space.RingDist(ring, at.XY()); i == 0 || d < edge {
				edge = d
			}
		}
		seconds += SlowSPerM * edge
	}
	allowed := time.Duration(seconds * float64(time.Second))
	v.caught = append(v.caught, caught{zone: z.ID, finding: len(g.Caught), from: now, until: now.Add(allowed), allowed: allowed})
	g.Caught = append(g.Caught, Finding{now, vehicle, z.ID, fmt.Sprintf("was caught by %s zone %s at %.1f, %.1f, %.1f m", z.Rule, z.ID, at.X, at.Y, at.Z)})
}

// followCaught ends the stays that are over and finds those that last too long.
func (g *Geometry) followCaught(now time.Time, vehicle string, v *watched, at space.XYZ, landed bool) {
	kept := v.caught[:0]
	for _, c := range v.caught {
		finding := &g.Caught[c.finding]
		if !slices.Contains(g.inside, c.zone) {
			finding.Text += fmt.Sprintf("; it was out after %.0f s", now.Sub(c.from).Seconds())
			continue
		}
		if landed {
			if !c.landed {
				finding.Text += fmt.Sprintf("; it landed there after %.0f s", now.Sub(c.from).Seconds())
			}
			c.until = now.Add(c.allowed)
		}
		c.landed = landed
		if now.After(c.until) && !c.told {
			c.told = true
			g.Zones = append(g.Zones, Finding{now, vehicle, c.zone, fmt.Sprintf("is still in zone %s, %.0f s after it was caught there, at %.1f, %.1f, %.1f m", c.zone, now.Sub(c.from).Seconds(), at.X, at.Y, at.Z)})
		}
		kept = append(kept, c)
	}
	v.caught = kept
}

// broken tells whether a vehicle there breaks the zone's rule.
func (z *zone) broken(now time.Time, at space.XYZ, heightM, speedMPS float64) bool {
	if !z.From.IsZero() && now.Before(z.From) || !z.Until.IsZero() && !now.Before(z.Until) {
		return false
	}
	if z.Rule == chart.Advise {
		return false
	}
	inside := z.box.Contains(at.XY()) && space.InRings(z.rings, at.XY()) &&
		(z.FloorM == 0 || at.Z > z.FloorM+edgeM) && (z.CeilingM == 0 || at.Z < z.CeilingM-edgeM)
	switch z.Rule {
	case chart.KeepOut:
		return inside && !onEdge(z.rings, at.XY())
	case chart.KeepIn:
		return !inside && !onEdge(z.rings, at.XY())
	case chart.AltitudeLimit:
		return inside && heightM > z.HeightLimitM+edgeM
	case chart.SpeedLimit:
		return inside && speedMPS > z.SpeedLimitMPS*speedF && !onEdge(z.rings, at.XY())
	case chart.Advise:
	}
	return false
}

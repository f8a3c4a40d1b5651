package check

import (
	"fmt"
	"slices"
	"time"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/protocol"
)

// The tolerances of the checks: a vehicle on the very edge is not inside.
const (
	edgeM  = 0.5
	speedF = 1.02
)

// Finding is something that must not happen.
type Finding struct {
	Time    time.Time `json:"time"`
	Vehicle string    `json:"vehicle,omitempty"`
	// Object is the zone, building or task concerned.
	Object string `json:"object"`
	Text   string `json:"text"`
}

// Geometry watches true positions. Each stay in a zone or building that must
// not be is found once, when it begins.
type Geometry struct {
	chart *chart.Chart
	zones []zone
	// in lists, for each vehicle, the objects that it is in.
	in     map[string][]string
	hits   []int32
	inside []string
	// Zones and Buildings are the findings, in order of time.
	Zones, Buildings []Finding
}

type zone struct {
	*chart.Zone
	rings       [][]space.XY
	box         space.Box
	air, ground bool
}

// NewGeometry takes the zones and buildings of a chart.
func NewGeometry(c *chart.Chart) *Geometry {
	g := &Geometry{chart: c, in: map[string][]string{}}
	for i := range c.Zones {
		z := zone{Zone: &c.Zones[i], box: space.EmptyBox()}
		z.air, z.ground = z.Airborne || !z.Ground, z.Ground || !z.Airborne
		for _, ring := range z.Polygon {
			var xy []space.XY
			for _, p := range ring {
				at := c.Frame.XY(p)
				xy, z.box = append(xy, at), z.box.Extend(at)
			}
			z.rings = append(z.rings, xy)
		}
		g.zones = append(g.zones, z)
	}
	return g
}

// Look judges where a vehicle is at a time.
func (g *Geometry) Look(now time.Time, vehicle string, kind protocol.Kind, at space.XYZ, speedMPS float64) {
	air := kind == protocol.Multirotor || kind == protocol.VTOL
	before := g.in[vehicle]
	g.inside = g.inside[:0]
	for i := range g.zones {
		z := &g.zones[i]
		if air && !z.air || !air && !z.ground || !z.broken(g.chart, now, at, speedMPS) {
			continue
		}
		g.inside = append(g.inside, z.ID)
		if !slices.Contains(before, z.ID) {
			g.Zones = append(g.Zones, Finding{now, vehicle, z.ID, fmt.Sprintf("breaks %s of zone %s at %.1f, %.1f, %.1f m", z.Rule, z.ID, at.X, at.Y, at.Z)})
		}
	}
	if air {
		g.lookAtBuildings(now, vehicle, at, before)
	}
	if len(before) > 0 || len(g.inside) > 0 {
		g.in[vehicle] = append(before[:0], g.inside...)
	}
}

// lookAtBuildings finds an aircraft within walls.
func (g *Geometry) lookAtBuildings(now time.Time, vehicle string, at space.XYZ, before []string) {
	g.hits = g.chart.BuildingsIn(space.BoxOf(at.XY()), g.hits[:0])
	for _, i := range g.hits {
		b := &g.chart.Buildings[i]
		rings := g.chart.Outline(i)
		if at.Z >= g.chart.GroundAltitudeM+b.HeightM-edgeM || !space.InRings(rings, at.XY()) || onEdge(rings, at.XY()) {
			continue
		}
		g.inside = append(g.inside, b.ID)
		if !slices.Contains(before, b.ID) {
			g.Buildings = append(g.Buildings, Finding{now, vehicle, b.ID, fmt.Sprintf("is inside building %s at %.1f, %.1f, %.1f m", b.ID, at.X, at.Y, at.Z)})
		}
	}
}

// broken tells whether a vehicle there breaks the zone's rule.
func (z *zone) broken(c *chart.Chart, now time.Time, at space.XYZ, speedMPS float64) bool {
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
		return inside && at.Z-c.GroundAltitudeM > z.HeightLimitM+edgeM
	case chart.SpeedLimit:
		return inside && speedMPS > z.SpeedLimitMPS*speedF && !onEdge(z.rings, at.XY())
	case chart.Advise:
	}
	return false
}

func onEdge(rings [][]space.XY, at space.XY) bool {
	for _, ring := range rings {
		if space.RingDist(ring, at) < edgeM {
			return true
		}
	}
	return false
}

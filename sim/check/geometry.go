package check

import (
	"fmt"
	"math"
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
	// version counts the calls of SetZones.
	version int
	seen    map[string]*watched
	// roofs are the altitudes of roofs, NaN for those not surveyed yet.
	roofs  []float64
	hits   []int32
	inside []string
	// Zones and Buildings are the findings, in order of time. Caught are the
	// stays of vehicles that a zone appeared over, one for each; they become
	// violations only as SetZones tells.
	Zones, Buildings, Caught []Finding
}

// watched is what is known of one vehicle.
type watched struct {
	// in are the objects that it is in.
	in     []string
	caught []caught
	// last and version are the time and the zones of its last look.
	last    time.Time
	version int
}

// NewGeometry takes the zones and buildings of a chart.
func NewGeometry(c *chart.Chart) *Geometry {
	g := &Geometry{chart: c, seen: map[string]*watched{}, roofs: make([]float64, len(c.Buildings))}
	for i := range g.roofs {
		g.roofs[i] = math.NaN()
	}
	for i := range c.Zones {
		g.zones = append(g.zones, g.compile(&c.Zones[i]))
	}
	return g
}

// Look judges where a vehicle is at a time. Looks at one vehicle must be in order
// of time.
func (g *Geometry) Look(now time.Time, vehicle string, kind protocol.Kind, at space.XYZ, speedMPS float64) {
	air := kind == protocol.Multirotor || kind == protocol.VTOL
	v := g.seen[vehicle]
	if v == nil {
		v = &watched{version: -1}
		g.seen[vehicle] = v
	}
	heightM := at.Z - g.groundM(at.XY())
	g.inside = g.inside[:0]
	for i := range g.zones {
		z := &g.zones[i]
		if air && !z.air || !air && !z.ground || !z.broken(now, at, heightM, speedMPS) {
			continue
		}
		g.inside = append(g.inside, z.ID)
		switch {
		case slices.Contains(v.in, z.ID):
		case z.fresh(v, now):
			g.catch(now, vehicle, v, z, at, air)
		default:
			g.Zones = append(g.Zones, Finding{now, vehicle, z.ID, fmt.Sprintf("breaks %s of zone %s at %.1f, %.1f, %.1f m", z.Rule, z.ID, at.X, at.Y, at.Z)})
		}
	}
	g.followCaught(now, vehicle, v, at, air && heightM <= landedM)
	if air {
		g.lookAtLimit(now, vehicle, v, at, heightM)
		g.lookAtBuildings(now, vehicle, at, v.in)
	}
	v.in = append(v.in[:0], g.inside...)
	v.last, v.version = now, g.version
}

// limit is what findings call the height limit of the chart.
const limit = "height limit"

// lookAtLimit finds an aircraft above the height limit of the chart.
func (g *Geometry) lookAtLimit(now time.Time, vehicle string, v *watched, at space.XYZ, heightM float64) {
	if g.chart.HeightLimitM <= 0 || heightM <= g.chart.HeightLimitM+edgeM {
		return
	}
	g.inside = append(g.inside, limit)
	if !slices.Contains(v.in, limit) {
		g.Zones = append(g.Zones, Finding{now, vehicle, limit, fmt.Sprintf("is %.1f m above ground at %.1f, %.1f, %.1f m", heightM, at.X, at.Y, at.Z)})
	}
}

// lookAtBuildings finds an aircraft within walls.
func (g *Geometry) lookAtBuildings(now time.Time, vehicle string, at space.XYZ, before []string) {
	g.hits = g.chart.BuildingsIn(space.BoxOf(at.XY()), g.hits[:0])
	for _, i := range g.hits {
		b := &g.chart.Buildings[i]
		rings := g.chart.Outline(i)
		if at.Z >= g.roofM(i)-edgeM || !space.InRings(rings, at.XY()) || onEdge(rings, at.XY()) {
			continue
		}
		g.inside = append(g.inside, b.ID)
		if !slices.Contains(before, b.ID) {
			g.Buildings = append(g.Buildings, Finding{now, vehicle, b.ID, fmt.Sprintf("is inside building %s at %.1f, %.1f, %.1f m", b.ID, at.X, at.Y, at.Z)})
		}
	}
}

func onEdge(rings [][]space.XY, at space.XY) bool {
	for _, ring := range rings {
		if space.RingDist(ring, at) < edgeM {
			return true
		}
	}
	return false
}

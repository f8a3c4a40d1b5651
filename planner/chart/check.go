package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"

	"github.com/kapok-fleet/kapok/planner/space"
)

// leastZoneM2 is the area below which Check takes a zone as covering nothing.
const leastZoneM2 = 1.0

// Check is Findings, and what a person must know besides before vehicles go by the
// chart at a time: zones without effect, ways that lead into a part that cannot be
// left, what is assumed of buildings and terrain, and a datum that looks wrong.
func (c *Chart) Check(at time.Time) []Finding {
	f := findings(c.Findings())
	if c.Illustrative {
		f.add("illustrative", "chart that is not of a real place, or not for navigation", c.Name)
	}
	c.checkTraps(&f)
	c.checkSites(&f)
	c.checkHeights(&f)
	c.checkZones(&f, at)
	c.checkDatum(&f)
	return f
}

// checkTraps finds nodes of a network that can be entered from its main part and
// not left again, and small parts that are cut off.
func (c *Chart) checkTraps(f *findings) {
	for _, network := range [...]struct {
		name      string
		profile   Profile
		component []int32
	}{{"sidewalk", Sidewalk, c.Ground.Component}, {"road", Road, c.Ground.RoadComponent}} {
		entered := c.reachable(network.profile, network.component)
		sizes := map[int32]int{}
		for _, number := range network.component {
			sizes[number]++
		}
		for n, number := range network.component {
			id := fmt.Sprintf("node/%d", c.Ground.Nodes[n].OSMID)
			switch {
			case number <= 0:
			case entered[n]:
				f.add(network.name+"_trap", "node of the "+network.name+" network that can be entered from the main one and not left again", id)
			case sizes[number] <= IsolatedNodes:
				f.add(network.name+"_islet", fmt.Sprintf("node in a part of the %s network of at most %d nodes, cut off from the main one", network.name, IsolatedNodes), id)
			}
		}
	}
}

// reachable marks the nodes that can be reached from the main part of a network.
func (c *Chart) reachable(profile Profile, component []int32) []bool {
	seen := make([]bool, len(component))
	var next []int32
	for n, number := range component {
		if number == 0 {
			seen[n] = true
			next = append(next, int32(n))
		}
	}
	for len(next) > 0 {
		n := next[len(next)-1]
		next = next[:len(next)-1]
		for _, a := range c.Ground.Arcs[c.Ground.First[n]:c.Ground.First[n+1]] {
			if a.Profiles&profile != 0 && !seen[a.To] {
				seen[a.To] = true
				next = append(next, a.To)
			}
		}
	}
	return seen
}

// checkSites finds sites in the water that serve others than boats.
func (c *Chart) checkSites(f *findings) {
	for i := range c.Sites {
		s := &c.Sites[i]
		if slices.Contains(s.Kinds, "vessel") {
			continue
		}
		xy := c.Frame.XY(s.Position.Point())
		if _, built := c.BuildingAt(xy); built {
			continue
		}
		if water, wet := c.WaterAt(xy); wet {
			f.add("site_in_water", "site in the water, which is not for boats", s.ID+" in "+c.Water[water].ID)
		}
	}
}

// checkHeights tells what heights are assumed or uncertain.
func (c *Chart) checkHeights(f *findings) {
	for i := range c.Buildings {
		if b := &c.Buildings[i]; b.Source == HeightDefault {
			f.add("height_assumed", "building without height or levels, taken as high as is usual for its type", fmt.Sprintf("%s, %g m", b.ID, b.HeightM))
		}
	}
	if c.HeightLimitM <= 0 {
		f.add("no_height_limit", "chart without a height limit: 120 m above ground counts", c.Name)
	}
	if c.Geoid == nil {
		f.add("no_geoid", "chart that does not know the geoid: heights above the ellipsoid, as of GPS, cannot be converted", c.Name)
	}
	t := c.Terrain
	if t == nil {
		return
	}
	if t.UncertaintyM > 0 {
		f.add("terrain_uncertain", "terrain whose ground may be higher than it says; aircraft fly that much higher, and less remains below the height limit",
			fmt.Sprintf("%g m, %s", t.UncertaintyM, t.Source))
	} else {
		f.add("terrain_unstated", "terrain of which nobody says how uncertain it is", t.Source)
	}
	end := orb.Point{t.Origin[0] + t.StepLon*float64(t.Cols-1), t.Origin[1] + t.StepLat*float64(t.Rows-1)}
	for _, corner := range [...]orb.Point{c.Extent.Min, c.Extent.Max} {
		if !(orb.Bound{Min: t.Origin, Max: end}).Pad(1e-9).Contains(corner) {
			f.add("terrain_short", "side of the chart beyond the terrain, where the ground is as high as at its edge", fmt.Sprintf("%.5f,%.5f", corner[0], corner[1]))
		}
	}
}

// checkZones finds zones that do nothing, and that there are none for aircraft.
func (c *Chart) checkZones(f *findings, at time.Time) {
	aloft := false
	for i := range c.Zones {
		z := &c.Zones[i]
		aloft = aloft || z.Rule != Advise && (z.Airborne || !z.Ground)
		c.checkTimes(f, z, at)
		c.checkReach(f, z)
	}
	if !aloft {
		f.add("no_airspace", "chart without a zone that binds aircraft: what airports and authorities forbid is not in it", c.Name)
	}
}

// checkTimes tells of zones that are never, or never again, in force.
func (c *Chart) checkTimes(f *findings, z *Zone, at time.Time) {
	if len(z.Schedule) > 0 && !z.From.IsZero() && !z.Until.IsZero() && len(z.Intervals(z.From, z.Until.Add(-1), nil)) == 0 {
		f.add("zone_never", "zone that is never in force: no period of its schedule lies between its begin and its end", z.ID)
		return
	}
	if !z.Until.IsZero() && !z.Until.After(at) {
		f.add("zone_over", "zone that is over", z.ID+" at "+z.Until.UTC().Format(time.RFC3339))
	}
}

// checkReach tells of zones that hold no place that a vehicle may be at.
func (c *Chart) checkReach(f *findings, z *Zone) {
	bound := z.Polygon.Bound()
	if !bound.Intersects(c.Extent) {
		f.add("zone_off_chart", "zone that lies beyond the chart", z.ID)
		return
	}
	// Degrees are turned into metres at the zone's middle.
	m2 := math.Abs(planar.Area(z.Polygon)) * degreeM * degreeM * math.Cos(bound.Center()[1]*math.Pi/180)
	if m2 < leastZoneM2 {
		f.add("zone_tiny", fmt.Sprintf("zone of less than %g m²", leastZoneM2), z.ID)
	}
	limitM := c.HeightLimitM
	if limitM <= 0 {
		limitM = 120
	}
	if z.Rule == AltitudeLimit && z.HeightLimitM >= limitM {
		f.add("zone_above_limit", "altitude limit that is no lower than the chart's height limit", fmt.Sprintf("%s, %g m", z.ID, z.HeightLimitM))
	}
	lowM, highM := c.GroundRange(c.Frame.Bound(bound))
	switch {
	case z.FloorM != 0 && z.CeilingM != 0 && z.CeilingM <= z.FloorM:
		f.add("zone_inverted", "zone whose floor is not below its ceiling", z.ID)
	case z.CeilingM != 0 && z.CeilingM < lowM:
		f.add("zone_below_ground", "zone that ends below the ground", fmt.Sprintf("%s, at %g m", z.ID, z.CeilingM))
	case z.FloorM != 0 && z.FloorM > highM+limitM && !z.Ground:
		f.add("zone_above_flight", "zone that begins higher than aircraft may fly", fmt.Sprintf("%s, at %g m", z.ID, z.FloorM))
	case z.FloorM != 0 && z.FloorM > highM && z.Ground && !z.Airborne:
		f.add("zone_above_ground", "zone for vehicles on the ground that begins above it", fmt.Sprintf("%s, at %g m", z.ID, z.FloorM))
	}
}

// degreeM is about a degree of latitude in metres.
const degreeM = 111_195.0

// checkDatum warns of zones, and of buildings of sources besides OpenStreetMap,
// that look as if they were in another datum than the rest of the chart.
func (c *Chart) checkDatum(f *findings) {
	sources := map[string][]orb.Point{}
	for i := range c.Zones {
		source, _, _ := strings.Cut(c.Zones[i].Source, ":")
		name := "zones of " + source
		if source == "" {
			name = "zones"
		}
		sources[name] = append(sources[name], c.Zones[i].Polygon[0]...)
	}
	foreign := map[string]bool{}
	for i := range c.Buildings {
		b := &c.Buildings[i]
		if !strings.HasPrefix(b.ID, "way/") && !strings.HasPrefix(b.ID, "relation/") {
			foreign[b.ID] = true
			sources["buildings"] = append(sources["buildings"], b.Footprint[0]...)
		}
	}
	names := make([]string, 0, len(sources))
	for name := range sources {
		names = append(names, name)
	}
	if slices.Sort(names); len(names) == 0 {
		return
	}
	landmarks := c.Landmarks(foreign)
	for _, name := range names {
		if w, shifted := GuardDatum(sources[name], space.WGS84, landmarks); shifted {
			f.add("datum_shifted", "objects that look shifted against the map, as of another datum", name+": "+w.String())
		}
	}
}

package chart

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Limits of a chart. A draft beyond one of them is refused.
const (
	MaxNodes     = 8_000_000
	MaxArcs      = 20_000_000
	MaxBuildings = 2_000_000
	MaxZones     = 100_000
	MaxSites     = 100_000
	MaxPlaces    = 2_000_000
	MaxWater     = 1_000_000
	// MaxTerrainSamples is enough for 200 by 200 km at one arc second.
	MaxTerrainSamples = 60_000_000
	// MaxHeightM bounds heights and altitudes, up and down.
	MaxHeightM = 10_000
)

// ErrInvalid is the kind of error for a draft that makes no chart.
var ErrInvalid = errors.New("invalid chart")

// Draft is what a chart is made of, before the parts that follow from it.
type Draft struct {
	Name         string
	Attribution  string
	Illustrative bool
	// Extent may be left zero: it is then the bound of all that is drawn.
	Extent          orb.Bound
	GroundAltitudeM float64
	Terrain         *Terrain
	Geoid           *Geoid
	HeightLimitM    float64
	// Nodes need only OSMID, Point and Level; arcs, in any order, need all but
	// LengthM.
	Nodes     []Node
	Arcs      []Arc
	Buildings []Building
	Zones     []Zone
	Sites     []Site
	Places    []Place
	Water     []WaterArea
}

// Draft returns a draft of all that the chart has, in slices of its own, from
// which New makes the same chart. Polygons and terrain are shared.
func (c *Chart) Draft() Draft {
	return Draft{
		Name: c.Name, Attribution: c.Attribution, Illustrative: c.Illustrative, Extent: c.Extent,
		GroundAltitudeM: c.GroundAltitudeM, Terrain: c.Terrain, Geoid: c.Geoid, HeightLimitM: c.HeightLimitM,
		Nodes: slices.Clone(c.Ground.Nodes), Arcs: slices.Clone(c.Ground.Arcs),
		Buildings: slices.Clone(c.Buildings), Zones: slices.Clone(c.Zones),
		Sites: slices.Clone(c.Sites), Places: slices.Clone(c.Places), Water: slices.Clone(c.Water),
	}
}

// New builds a chart. It takes the draft's slices over and changes them:
// coordinates are rounded to 1e-7 degree (about a centimetre, as in
// OpenStreetMap), rings are closed, arcs sorted and measured, times brought to
// UTC. The error is of kind ErrInvalid and names the first offending part.
func New(d Draft) (*Chart, error) {
	c, err := build(d)
	if err != nil {
		return nil, err
	}
	c.Checksum = digest(encodeBody(c))
	return c, nil
}

// build is New without the checksum.
func build(d Draft) (*Chart, error) {
	if err := d.normalise(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	c := &Chart{
		Name: d.Name, Attribution: d.Attribution, Illustrative: d.Illustrative,
		Frame: space.NewFrame(d.Extent.Center()), Extent: d.Extent,
		GroundAltitudeM: d.GroundAltitudeM, HeightLimitM: d.HeightLimitM,
		Ground:    Graph{Nodes: d.Nodes, Arcs: d.Arcs},
		Buildings: d.Buildings, Zones: d.Zones, Sites: d.Sites, Places: d.Places,
		Terrain: d.Terrain, Geoid: d.Geoid, Water: d.Water,
	}
	c.Ground.measure(c.Frame)
	for i := range c.Ground.Nodes {
		c.Ground.Nodes[i].AltitudeM = c.GroundAltitude(c.Ground.Nodes[i].Point)
	}
	c.Ground.Component = components(c.Ground, Sidewalk)
	c.Ground.RoadComponent = components(c.Ground, Road)
	c.index = newIndex(c)
	return c, nil
}

// measure sets what follows from nodes and arcs in a frame.
func (g *Graph) measure(frame space.Frame) {
	for i := range g.Nodes {
		g.Nodes[i].XY = frame.XY(g.Nodes[i].Point)
	}
	slices.SortStableFunc(g.Arcs, func(a, b Arc) int {
		return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To), cmp.Compare(a.WayID, b.WayID),
			cmp.Compare(a.Profiles, b.Profiles))
	})
	g.First = make([]int32, len(g.Nodes)+1)
	for i := range g.Arcs {
		arc := &g.Arcs[i]
		arc.LengthM = g.Nodes[arc.From].XY.Dist(g.Nodes[arc.To].XY)
		g.First[arc.From+1]++
	}
	for n := range g.Nodes {
		g.First[n+1] += g.First[n]
	}
}

// InMain tells whether a node is in the main component of Sidewalk, within which
// every node can be reached from every other.
func (g Graph) InMain(node int32) bool { return g.InMainOf(node, Sidewalk) }

// InMainOf tells whether a node is in the main component of one profile; of
// several, in the main components of all of them.
func (g Graph) InMainOf(node int32, p Profile) bool {
	in := func(component []int32) bool {
		return node >= 0 && int(node) < len(component) && component[node] == 0
	}
	return p != 0 && p&^allProfiles == 0 &&
		(p&Sidewalk == 0 || in(g.Component)) && (p&Road == 0 || in(g.RoadComponent))
}

// From returns the arcs that leave a node.
func (g Graph) From(node int32) []Arc { return g.Arcs[g.First[node]:g.First[node+1]] }

func (d *Draft) normalise() error {
	for _, count := range [...]struct {
		what      string
		have, max int
	}{
		{"nodes", len(d.Nodes), MaxNodes},
		{"arcs", len(d.Arcs), MaxArcs},
		{"buildings", len(d.Buildings), MaxBuildings},
		{"zones", len(d.Zones), MaxZones},
		{"sites", len(d.Sites), MaxSites},
		{"places", len(d.Places), MaxPlaces},
		{"water areas", len(d.Water), MaxWater},
	} {
		if count.have > count.max {
			return fmt.Errorf("%d %s are more than the %d that a chart may have", count.have, count.what, count.max)
		}
	}
	if !height(d.GroundAltitudeM) || !height(d.HeightLimitM) || d.HeightLimitM < 0 {
		return fmt.Errorf("ground altitude %g m or height limit %g m is out of range", d.GroundAltitudeM, d.HeightLimitM)
	}
	steps := []func() error{d.normaliseGraph, d.normaliseBuildings, d.normaliseZones, d.normaliseSites, d.normalisePlaces, d.normaliseWater, d.normaliseExtent, d.Terrain.check, d.Geoid.check}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (d *Draft) normaliseGraph() error {
	for i := range d.Nodes {
		if err := snapPoint(&d.Nodes[i].Point); err != nil {
			return fmt.Errorf("node %d (OSM %d): %w", i, d.Nodes[i].OSMID, err)
		}
	}
	for i, arc := range d.Arcs {
		if arc.From < 0 || arc.To < 0 || int(arc.From) >= len(d.Nodes) || int(arc.To) >= len(d.Nodes) {
			return fmt.Errorf("arc %d (way %d) goes from node %d to %d of %d", i, arc.WayID, arc.From, arc.To, len(d.Nodes))
		}
		if arc.From == arc.To {
			return fmt.Errorf("arc %d (way %d) goes from node %d to itself", i, arc.WayID, arc.From)
		}
		if !(arc.SpeedLimitMPS >= 0 && arc.SpeedLimitMPS <= 1000) {
			return fmt.Errorf("arc %d (way %d) has the speed limit %g m/s", i, arc.WayID, arc.SpeedLimitMPS)
		}
		if arc.Profiles&^allProfiles != 0 {
			return fmt.Errorf("arc %d (way %d) is for unknown profiles, %b", i, arc.WayID, arc.Profiles)
		}
		if arc.Profiles == 0 {
			d.Arcs[i].Profiles = Sidewalk
		}
	}
	return nil
}

func (d *Draft) normaliseBuildings() error {
	for i := range d.Buildings {
		b := &d.Buildings[i]
		if err := snapPolygon(b.Footprint); err != nil {
			return fmt.Errorf("building %q: %w", b.ID, err)
		}
		if !(b.HeightM > 0) || !height(b.HeightM) {
			return fmt.Errorf("building %q is %g m high", b.ID, b.HeightM)
		}
		switch b.Source {
		case HeightTag, HeightLevels, HeightDefault, HeightMaximum:
		default:
			return fmt.Errorf("building %q: unknown source of height %q", b.ID, b.Source)
		}
	}
	return nil
}

func (d *Draft) normaliseZones() error {
	seen := map[string]bool{}
	for i := range d.Zones {
		z := &d.Zones[i]
		if seen[z.ID] {
			return fmt.Errorf("zone %q stands twice", z.ID)
		}
		seen[z.ID] = true
		if err := z.Validate(); err != nil {
			return err
		}
		if err := snapPolygon(z.Polygon); err != nil {
			return fmt.Errorf("zone %q: %w", z.ID, err)
		}
		z.From, z.Until = z.From.Round(0).UTC(), z.Until.Round(0).UTC()
	}
	return nil
}

// Validate says what is wrong with a zone: no id, an unknown rule, a polygon
// without an area, a rule without its number, a ceiling not above the floor, an
// end not after its begin, or a schedule with a moment that no day has.
func (z Zone) Validate() error {
	fault := func(format string, args ...any) error {
		return fmt.Errorf("zone %q: "+format, append([]any{z.ID}, args...)...)
	}
	if z.ID == "" {
		return errors.New("zone: it has no id")
	}
	switch z.Rule {
	case KeepOut, KeepIn, Advise:
	case AltitudeLimit:
		if !(z.HeightLimitM > 0) {
			return fault("rule altitude_limit needs height_limit_m above 0")
		}
	case SpeedLimit:
		if !(z.SpeedLimitMPS > 0 && z.SpeedLimitMPS <= 1000) {
			return fault("rule speed_limit needs speed_limit_mps above 0")
		}
	default:
		return fault("rule %q is not keep_out, keep_in, altitude_limit, speed_limit or advise", z.Rule)
	}
	for _, v := range [...]float64{z.FloorM, z.CeilingM, z.HeightLimitM, z.SpeedLimitMPS} {
		if !height(v) {
			return fault("a figure is %g, out of range", v)
		}
	}
	// Either may lie below the sea, and 0 is none.
	if z.CeilingM != 0 && z.FloorM != 0 && z.CeilingM <= z.FloorM {
		return fault("ceiling_m %g is not above floor_m %g", z.CeilingM, z.FloorM)
	}
	if !z.Until.IsZero() && !z.From.IsZero() && !z.Until.After(z.From) {
		return fault("until is not after from")
	}
	if err := checkSchedule(z.Schedule); err != nil {
		return fault("%w", err)
	}
	if err := checkPolygon(z.Polygon); err != nil {
		return fault("%w", err)
	}
	if flat(z.Polygon[0]) {
		return fault("the polygon has no area, its points lie on a line")
	}
	for _, ring := range z.Polygon {
		for i := 1; i < len(ring); i++ {
			if math.Abs(ring[i][0]-ring[i-1][0]) >= 180 {
				return fault("the polygon crosses the 180th meridian between %g and %g: it must be cut there", ring[i-1][0], ring[i][0])
			}
		}
	}
	return nil
}

// flat tells whether the points of a ring lie on one line, to a millimetre.
func flat(ring orb.Ring) bool {
	const lineDeg = 1e-8
	var far orb.Point
	farDeg := 0.0
	for _, p := range ring {
		if d := math.Hypot(p[0]-ring[0][0], p[1]-ring[0][1]); d > farDeg {
			far, farDeg = p, d
		}
	}
	for _, p := range ring {
		cross := (far[0]-ring[0][0])*(p[1]-ring[0][1]) - (far[1]-ring[0][1])*(p[0]-ring[0][0])
		if math.Abs(cross) > lineDeg*farDeg {
			return false
		}
	}
	return true
}

func (d *Draft) normaliseSites() error {
	seen := map[string]bool{}
	for i := range d.Sites {
		s := &d.Sites[i]
		if s.ID == "" || seen[s.ID] {
			return fmt.Errorf("site %d: its id %q is empty or stands twice", i, s.ID)
		}
		seen[s.ID] = true
		switch s.Kind {
		case Dock, Charger, Pad, Locker, Hospital, FireStation, Station:
		default:
			return fmt.Errorf("site %q: unknown kind %q", s.ID, s.Kind)
		}
		if err := snapPosition(&s.Position); err != nil {
			return fmt.Errorf("site %q: %w", s.ID, err)
		}
		if s.Capacity < 1 || s.Capacity > 1_000_000 {
			return fmt.Errorf("site %q has the capacity %d; it must be 1 to 1000000", s.ID, s.Capacity)
		}
		slices.Sort(s.Kinds)
		s.Kinds = slices.Compact(s.Kinds)
	}
	return nil
}

func (d *Draft) normalisePlaces() error {
	for i := range d.Places {
		if err := snapPosition(&d.Places[i].Position); err != nil {
			return fmt.Errorf("place %q: %w", d.Places[i].ID, err)
		}
	}
	return nil
}

func (d *Draft) normaliseWater() error {
	for i := range d.Water {
		if err := snapPolygon(d.Water[i].Polygon); err != nil {
			return fmt.Errorf("water %q: %w", d.Water[i].ID, err)
		}
	}
	return nil
}

// normaliseExtent rounds the extent given, or finds it.
func (d *Draft) normaliseExtent() error {
	if d.Extent == (orb.Bound{}) {
		d.Extent = d.bound()
	}
	if err := snapPoint(&d.Extent.Min); err != nil {
		return fmt.Errorf("extent: %w", err)
	}
	if err := snapPoint(&d.Extent.Max); err != nil {
		return fmt.Errorf("extent: %w", err)
	}
	return space.CheckExtent(d.Extent)
}

// bound returns the bound of all that is drawn; of nothing, the point 0, 0.
func (d *Draft) bound() orb.Bound {
	var bound orb.Bound
	first := true
	add := func(b orb.Bound) {
		if first {
			bound, first = b, false
		}
		bound = bound.Union(b)
	}
	for _, n := range d.Nodes {
		add(n.Point.Bound())
	}
	for _, b := range d.Buildings {
		add(b.Footprint.Bound())
	}
	for _, z := range d.Zones {
		add(z.Polygon.Bound())
	}
	for _, s := range d.Sites {
		add(s.Position.Point().Bound())
	}
	for _, p := range d.Places {
		add(p.Position.Point().Bound())
	}
	for _, w := range d.Water {
		add(w.Polygon.Bound())
	}
	return bound
}

// coordScale is how many units of stored coordinates make a degree.
const coordScale = 1e7

// snapPoint rounds to the precision of charts.
func snapPoint(p *orb.Point) error {
	if !space.ValidPoint(*p) {
		return fmt.Errorf("%g, %g is not a place on earth", p[0], p[1])
	}
	// Adding zero turns a negative zero into zero.
	p[0] = math.Round(p[0]*coordScale)/coordScale + 0
	p[1] = math.Round(p[1]*coordScale)/coordScale + 0
	return nil
}

func snapPosition(p *space.Position) error {
	point := p.Point()
	if err := snapPoint(&point); err != nil {
		return err
	}
	if !height(p.AltitudeM) {
		return fmt.Errorf("altitude %g m is out of range", p.AltitudeM)
	}
	p.Lon, p.Lat = point[0], point[1]
	return nil
}

// checkPolygon demands an outer ring, and three points in each ring.
func checkPolygon(polygon orb.Polygon) error {
	if len(polygon) == 0 {
		return errors.New("the polygon has no ring")
	}
	for i, ring := range polygon {
		points := len(ring)
		if points > 1 && ring[0] == ring[points-1] {
			points--
		}
		if points < 3 {
			return fmt.Errorf("ring %d has %d points; it needs 3", i, points)
		}
	}
	return nil
}

// snapPolygon rounds and closes the rings.
func snapPolygon(polygon orb.Polygon) error {
	if err := checkPolygon(polygon); err != nil {
		return err
	}
	for i, ring := range polygon {
		for j := range ring {
			if err := snapPoint(&ring[j]); err != nil {
				return err
			}
		}
		if ring[0] != ring[len(ring)-1] {
			polygon[i] = append(ring, ring[0])
		}
		if len(polygon[i]) < 4 {
			return fmt.Errorf("ring %d has fewer than 3 points a centimetre apart", i)
		}
	}
	return nil
}

func height(v float64) bool { return math.Abs(v) <= MaxHeightM }

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return "sha256:" + hex.EncodeToString(sum[:])
}

package chart

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/paulmach/orb"
	"github.com/paulmach/osm"
	"github.com/paulmach/osm/osmxml"

	"github.com/kapok-fleet/kapok/planner/chart/osmpbf"
	"github.com/kapok-fleet/kapok/planner/space"
)

// Limits and defaults of ImportOSM.
const (
	// MaxOSMBytes is the longest file that ImportOSM reads; the rest counts as
	// cut off.
	MaxOSMBytes = 4 << 30
	// MaxOSMNodes and MaxOSMRefs bound what is kept while reading: 16 bytes for
	// each node and 8 for each reference of a way or relation. A way counts for 6
	// references more.
	MaxOSMNodes = 40_000_000
	MaxOSMRefs  = 80_000_000
	// DefaultHeightLimitM is the height limit of a chart whose options have none.
	DefaultHeightLimitM = 120
	// OSMAttribution is the line that the licence of OpenStreetMap asks for.
	OSMAttribution = "© OpenStreetMap contributors, ODbL 1.0"
)

// ErrOSM is the kind of error for a file that ImportOSM cannot use.
var ErrOSM = errors.New("unusable OpenStreetMap file")

// OSMOptions says what the file does not. The zero value is fine.
type OSMOptions struct {
	Name string
	// Attribution is OSMAttribution when empty.
	Attribution     string
	Illustrative    bool
	GroundAltitudeM float64
	// Terrain are files of heights, which ImportTerrain reads for the extent of
	// the chart.
	Terrain []TerrainFile
	// Undulation tells how high sea level lies above the ellipsoid of WGS-84, of
	// which the chart keeps its own area; nil where it is not known.
	Undulation Undulation
	// TerrainUncertaintyM replaces that of the files of terrain, see Terrain; nil
	// for what is known of them.
	TerrainUncertaintyM *float64
	// Buildings are taken into the chart beside those of the map, where they touch
	// its extent.
	Buildings []Building
	// HeightLimitM is DefaultHeightLimitM when 0.
	HeightLimitM float64
	// Zones are taken into the chart as they are.
	Zones []Zone
}

// Report counts what an import found, took and left out.
type Report struct {
	// Nodes, Ways and Relations are the elements in the file.
	Nodes, Ways, Relations int
	// GraphWays are the ways that robots may take and RoadWays those that road
	// vehicles may. Together they make the ground graph of GraphNodes and
	// GraphArcs, of which MainNodes and RoadMainNodes are in the main components.
	GraphWays, RoadWays, GraphNodes, GraphArcs, MainNodes, RoadMainNodes int
	// Buildings are those of each source of height together, parts included.
	Buildings, HeightFromTag, HeightFromLevels, HeightFromDefault, HeightFromMaximum int
	Sites, Places, Water                                                             int
	// MissingNodes are references of ways to nodes that the file does not have,
	// MissingWays those of relations to ways.
	MissingNodes, MissingWays int
	// Terrain says what came of OSMOptions.Terrain.
	Terrain TerrainReport
	// Warnings has at most one entry for each kind of fault, but for those of
	// terrain, of which each file may have its own.
	Warnings []Warning
}

// Warning is one kind of fault in a file, how often it occurs and the first
// element that has it, such as "way/123".
type Warning struct {
	Text  string
	Count int
	First string
}

// ImportOSM reads OpenStreetMap XML or PBF into a chart by the rules of
// docs/charts.md. The file is read as a stream; what is kept is bounded by
// MaxOSMNodes and MaxOSMRefs. References to elements outside the file are left
// out and counted. A file that makes no chart gives an error of kind ErrOSM in
// one sentence, with the report so far.
func ImportOSM(r io.Reader, opts OSMOptions) (*Chart, Report, error) {
	m := &importer{infos: map[int64]nodeInfo{}, warned: map[string]int{}}
	if err := m.read(r); err != nil {
		return nil, m.report, fmt.Errorf("import: %w", err)
	}
	draft := Draft{
		Name: opts.Name, Attribution: cmp.Or(opts.Attribution, OSMAttribution), Illustrative: opts.Illustrative,
		GroundAltitudeM: opts.GroundAltitudeM, HeightLimitM: cmp.Or(opts.HeightLimitM, DefaultHeightLimitM),
	}
	m.graph(&draft)
	m.areas(&draft)
	if len(draft.Arcs) == 0 && len(draft.Buildings) == 0 {
		return nil, m.report, fmt.Errorf("import: %w: it has no way that a vehicle can take and no building", ErrOSM)
	}
	m.points(&draft)
	draft.Extent = draft.bound()
	if m.bounds != nil {
		draft.Extent = draft.Extent.Union(*m.bounds)
	}
	draft.Water = append(draft.Water, m.sea(draft.Extent)...)
	for _, b := range opts.Buildings {
		if !b.Footprint.Bound().Intersects(draft.Extent) {
			m.warn("a building of another file lies outside of the chart and is left out", b.ID)
			continue
		}
		draft.Buildings = append(draft.Buildings, b)
	}
	draft.Zones = opts.Zones
	for _, z := range draft.Zones {
		if !z.Polygon.Bound().Intersects(draft.Extent) {
			m.warn("a zone lies outside of the chart, its longitude and latitude may be exchanged", z.ID)
		}
	}
	if err := m.terrain(&draft, opts.Terrain); err != nil {
		return nil, m.report, fmt.Errorf("import: %w", err)
	}
	if opts.TerrainUncertaintyM != nil && draft.Terrain != nil {
		draft.Terrain.UncertaintyM = *opts.TerrainUncertaintyM
		m.report.Terrain.UncertaintyM = *opts.TerrainUncertaintyM
	}
	if opts.Undulation != nil {
		draft.Geoid = NewGeoid(opts.Undulation, draft.Extent)
	}
	c, err := New(draft)
	if err != nil {
		return nil, m.report, fmt.Errorf("import: %w", err)
	}
	m.finish(c)
	return c, m.report, nil
}

// terrain reads the terrain of the draft's extent and stands sites and places
// on it.
func (m *importer) terrain(d *Draft, files []TerrainFile) error {
	if len(files) == 0 {
		return nil
	}
	// A margin of a few samples, so that the ground goes on behind the edge.
	terrain, report, err := ImportTerrain(files, d.Extent.Pad(terrainMarginDeg))
	m.report.Terrain = report
	m.report.Warnings = append(m.report.Warnings, report.Warnings...)
	if err != nil {
		return err
	}
	d.Terrain = terrain
	stand := func(p *space.Position) {
		// To the centimetre, so that files stay small.
		p.AltitudeM = math.Round(terrain.Altitude(p.Point())*100) / 100
	}
	for i := range d.Sites {
		stand(&d.Sites[i].Position)
	}
	for i := range d.Places {
		stand(&d.Places[i].Position)
	}
	return nil
}

// finish completes the report.
func (m *importer) finish(c *Chart) {
	m.report.GraphNodes, m.report.GraphArcs = len(c.Ground.Nodes), len(c.Ground.Arcs)
	for n := range c.Ground.Nodes {
		if c.Ground.InMain(int32(n)) {
			m.report.MainNodes++
		}
		if c.Ground.InMainOf(int32(n), Road) {
			m.report.RoadMainNodes++
		}
	}
	m.report.Water = len(c.Water)
	m.report.Buildings, m.report.Sites, m.report.Places = len(c.Buildings), len(c.Sites), len(c.Places)
	for _, b := range c.Buildings {
		switch b.Source {
		case HeightTag:
			m.report.HeightFromTag++
		case HeightLevels:
			m.report.HeightFromLevels++
		case HeightDefault:
			m.report.HeightFromDefault++
		case HeightMaximum:
			m.report.HeightFromMaximum++
		}
	}
}

// importer is the state of one import.
type importer struct {
	bounds    *orb.Bound
	nodes     []rawNode
	infos     map[int64]nodeInfo
	tagged    []element
	ways      []rawWay
	relations []rawRelation
	// refs and kept count references and elements with tags that are kept.
	refs, kept int
	// ringWork counts the corners that cutOut has looked at.
	ringWork int
	report   Report
	warned   map[string]int
}

// rawNode is a node in units of 1e-7 degree.
type rawNode struct {
	id       int64
	lon, lat int32
}

func (n rawNode) point() orb.Point {
	return orb.Point{float64(n.lon) / coordScale, float64(n.lat) / coordScale}
}

// nodeInfo is what matters of a node's tags to the graph.
type nodeInfo struct {
	level string
	// blocks are those who cannot pass it.
	blocks Profile
}

// element is a node, way or relation with tags that may make it a site or place.
type element struct {
	id    string
	tags  tags
	point orb.Point
	// rings are the outlines of an area, nil for a node.
	rings []orb.Ring
}

type rawWay struct {
	id   int64
	refs []int64
	// tags is nil for a way that matters only as a relation's member.
	tags tags
}

type rawRelation struct {
	id           int64
	tags         tags
	outer, inner []int64
}

// warn counts a fault.
func (m *importer) warn(text, id string) {
	i, ok := m.warned[text]
	if !ok {
		i = len(m.report.Warnings)
		m.warned[text] = i
		m.report.Warnings = append(m.report.Warnings, Warning{Text: text, First: id})
	}
	m.report.Warnings[i].Count++
}

// warnOf is warn for an element of the file.
func (m *importer) warnOf(text string, kind osm.Type, id int64) {
	if i, ok := m.warned[text]; ok {
		m.report.Warnings[i].Count++
		return
	}
	m.warn(text, fmt.Sprintf("%s/%d", kind, id))
}

// read goes through the file once, keeping what later steps need.
func (m *importer) read(r io.Reader) error {
	limited := &io.LimitedReader{R: r, N: MaxOSMBytes}
	buffered := bufio.NewReaderSize(limited, 64<<10)
	form, err := sniff(buffered)
	if err != nil {
		return err
	}
	if form == formXML {
		err = checkRoot(buffered)
	}
	if err != nil {
		return err
	}
	if form == formPBF {
		err = m.readPBF(buffered)
	} else {
		err = m.readXML(buffered)
	}
	switch {
	case limited.N == 0:
		return fmt.Errorf("%w: it is longer than %d bytes", ErrOSM, int64(MaxOSMBytes))
	case err != nil:
		return err
	case m.report.Nodes == 0:
		return fmt.Errorf("%w: it has no nodes", ErrOSM)
	case m.report.Ways == 0:
		return fmt.Errorf("%w: it has no ways", ErrOSM)
	}
	m.sortElements()
	return nil
}

func (m *importer) readPBF(r io.Reader) error {
	_, err := osmpbf.Read(r, osmpbf.Limits{MaxBytes: MaxOSMBytes}, m.take)
	if err != nil && !errors.Is(err, ErrOSM) {
		return fmt.Errorf("%w: %w", ErrOSM, err)
	}
	return err
}

func (m *importer) readXML(r io.Reader) error {
	piece := &elementReader{r: r, left: MaxOSMElementBytes}
	scanner := osmxml.New(context.Background(), piece)
	for scanner.Scan() {
		piece.left = MaxOSMElementBytes
		if err := m.take(scanner.Object()); err != nil {
			return err
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("%w: after %d nodes, %d ways and %d relations it is cut off or not valid XML, fetch it again: %w",
			ErrOSM, m.report.Nodes, m.report.Ways, m.report.Relations, err)
	}
	return nil
}

func (m *importer) take(object osm.Object) error {
	switch o := object.(type) {
	case *osm.Bounds:
		b := orb.Bound{Min: orb.Point{o.MinLon, o.MinLat}, Max: orb.Point{o.MaxLon, o.MaxLat}}
		if space.CheckExtent(b) != nil {
			m.warn("the file's bounds are not usable and ignored", "bounds")
			return nil
		}
		m.bounds = &b
	case *osm.Node:
		return m.takeNode(o)
	case *osm.Way:
		return m.takeWay(o)
	case *osm.Relation:
		return m.takeRelation(o)
	}
	return nil
}

func (m *importer) takeNode(n *osm.Node) error {
	m.report.Nodes++
	if m.report.Nodes > MaxOSMNodes {
		return fmt.Errorf("%w: it has more than %d nodes", ErrOSM, MaxOSMNodes)
	}
	p := orb.Point{n.Lon, n.Lat}
	if snapPoint(&p) != nil || p == (orb.Point{}) {
		m.warnOf("a node without a usable place is left out", osm.TypeNode, int64(n.ID))
		return nil
	}
	raw := rawNode{id: int64(n.ID), lon: unit(p[0]), lat: unit(p[1])}
	m.nodes = append(m.nodes, raw)
	t := m.tagsOf(n.Tags, osm.TypeNode, raw.id)
	info := nodeInfo{level: t["level"]}
	if t.blocks() {
		info.blocks |= Sidewalk
	}
	if t.blocksRoad() {
		info.blocks |= Road
	}
	interesting := t.interesting()
	if info == (nodeInfo{}) {
		// The node may have stood before with tags.
		delete(m.infos, raw.id)
		if !interesting {
			return nil
		}
	} else {
		m.infos[raw.id] = info
	}
	if interesting {
		m.tagged = append(m.tagged, element{id: fmt.Sprintf("node/%d", raw.id), tags: t, point: p})
	}
	return m.keepTags()
}

func (m *importer) takeWay(w *osm.Way) error {
	m.report.Ways++
	if err := m.keepRefs(len(w.Nodes) + wayRefs); err != nil {
		return err
	}
	raw := rawWay{id: int64(w.ID), refs: make([]int64, len(w.Nodes))}
	for i, n := range w.Nodes {
		raw.refs[i] = int64(n.ID)
	}
	if t := m.tagsOf(w.Tags, osm.TypeWay, raw.id); t["highway"] != "" || t.building() || t.water() || t["natural"] == "coastline" || t.interesting() {
		raw.tags = t
		if err := m.keepTags(); err != nil {
			return err
		}
	}
	m.ways = append(m.ways, raw)
	return nil
}

func (m *importer) takeRelation(r *osm.Relation) error {
	m.report.Relations++
	t := m.tagsOf(r.Tags, osm.TypeRelation, int64(r.ID))
	if t["type"] == "restriction" {
		m.warn("a turn restriction is not heeded", fmt.Sprintf("relation/%d", r.ID))
	}
	if t["type"] != "multipolygon" || !t.building() && !t.water() && !t.interesting() {
		return nil
	}
	if err := cmp.Or(m.keepRefs(len(r.Members)), m.keepTags()); err != nil {
		return err
	}
	raw := rawRelation{id: int64(r.ID), tags: t}
	for _, member := range r.Members {
		switch {
		case member.Type != osm.TypeWay:
		case member.Role == "inner":
			raw.inner = append(raw.inner, member.Ref)
		default:
			raw.outer = append(raw.outer, member.Ref)
		}
	}
	m.relations = append(m.relations, raw)
	return nil
}

// node returns the index of a node in m.nodes.
func (m *importer) node(id int64) (int, bool) {
	return slices.BinarySearchFunc(m.nodes, id, func(n rawNode, id int64) int { return cmp.Compare(n.id, id) })
}

func unit(deg float64) int32 {
	if deg < 0 {
		return int32(deg*coordScale - 0.5)
	}
	return int32(deg*coordScale + 0.5)
}

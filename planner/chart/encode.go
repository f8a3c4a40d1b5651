package chart

import (
	"encoding/binary"
	"fmt"
	"io"
	"maps"
	"math"
	"math/bits"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// The file: Magic, version, length of the body, body, SHA-256 of the body.
// docs/charts.md describes it in full.
const (
	// Magic is what every chart file begins with.
	Magic = "KAPKCHRT"
	// Version is the version of the file format that Write makes. Read takes
	// those from OldestVersion on.
	Version       = 3
	OldestVersion = 2

	headBytes  = len(Magic) + 4 + 8
	digestSize = 32
)

// Write writes the chart as one file. The same content gives the same bytes,
// always.
func (c *Chart) Write(w io.Writer) error {
	body := encodeBody(c)
	if len(body) > MaxFileBytes {
		return fmt.Errorf("write chart %q: %d bytes are more than the %d that Read takes", c.Name, len(body), MaxFileBytes)
	}
	head := append([]byte(Magic), 0, 0, 0, 0)
	binary.BigEndian.PutUint32(head[len(Magic):], Version)
	head = binary.BigEndian.AppendUint64(head, uint64(len(body)))
	sum := sha(body)
	for _, part := range [][]byte{head, body, sum[:]} {
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("write chart %q: %w", c.Name, err)
		}
	}
	return nil
}

// The sections of the body, each with its tag and length, in this order. Those
// after sectionWater are left out when they have nothing to say, so that a chart
// which needs none of them keeps its checksum over versions.
const (
	sectionStrings = 1 + iota
	sectionHead
	sectionGraph
	sectionBuildings
	sectionZones
	sectionSites
	sectionPlaces
	sectionTerrain
	sectionWater
	sectionSchedules
	sectionRepairs
	sectionGeoid
)

// encoder appends values to a buffer. Strings are numbered in the order of
// their first use and stored once.
type encoder struct {
	buf     []byte
	numbers map[string]uint64
	strings []string
	// lon and lat are the last coordinates; the next are stored as differences.
	lon, lat int64
}

// encodeBody returns the content of a chart as bytes: that which is not derived
// from other parts.
func encodeBody(c *Chart) []byte {
	e := &encoder{numbers: map[string]uint64{}}
	sections := [][]byte{
		e.section(func() { e.head(c) }),
		e.section(func() { e.graph(c.Ground) }),
		e.section(func() { e.buildings(c.Buildings) }),
		e.section(func() { e.zones(c.Zones) }),
		e.section(func() { e.sites(c.Sites) }),
		e.section(func() { e.places(c.Places) }),
		e.section(func() { e.terrain(c.Terrain) }),
		e.section(func() { e.water(c.Water) }),
	}
	optional := map[byte][]byte{
		sectionSchedules: e.section(func() { e.schedules(c.Zones) }),
		sectionRepairs:   e.section(func() { e.repairs(c.Terrain) }),
		sectionGeoid:     e.section(func() { e.geoid(c.Geoid) }),
	}
	table := e.section(e.table)
	var body []byte
	add := func(tag byte, section []byte) {
		body = append(body, tag)
		body = binary.BigEndian.AppendUint64(body, uint64(len(section)))
		body = append(body, section...)
	}
	for i, section := range slices.Insert(sections, 0, table) {
		add(byte(sectionStrings+i), section)
	}
	for _, tag := range slices.Sorted(maps.Keys(optional)) {
		if len(optional[tag]) > 0 {
			add(tag, optional[tag])
		}
	}
	return body
}

// section returns what write appends, with coordinates starting anew.
func (e *encoder) section(write func()) []byte {
	e.buf, e.lon, e.lat = nil, 0, 0
	write()
	return e.buf
}

func (e *encoder) table() {
	e.count(len(e.strings))
	for _, s := range e.strings {
		e.count(len(s))
		e.buf = append(e.buf, s...)
	}
}

func (e *encoder) head(c *Chart) {
	e.text(c.Name)
	e.text(c.Attribution)
	e.flag(c.Illustrative)
	e.point(c.Extent.Min)
	e.point(c.Extent.Max)
	e.number(c.GroundAltitudeM)
	e.number(c.HeightLimitM)
}

func (e *encoder) graph(g Graph) {
	e.count(len(g.Nodes))
	var id int64
	for _, n := range g.Nodes {
		e.signed(n.OSMID - id)
		id = n.OSMID
		e.point(n.Point)
		e.text(n.Level)
	}
	var way int64
	for n := range g.Nodes {
		arcs := g.From(int32(n))
		e.count(len(arcs))
		for _, arc := range arcs {
			e.signed(int64(arc.To) - int64(arc.From))
			e.number(arc.SpeedLimitMPS)
			e.signed(arc.WayID - way)
			way = arc.WayID
			e.text(arc.Name)
			e.count(int(arc.Profiles))
			e.signed(int64(arc.Layer))
		}
	}
}

func (e *encoder) buildings(list []Building) {
	e.count(len(list))
	for _, b := range list {
		e.text(b.ID)
		e.text(b.Name)
		e.number(b.HeightM)
		e.text(string(b.Source))
		e.polygon(b.Footprint)
	}
}

func (e *encoder) zones(list []Zone) {
	e.count(len(list))
	for _, z := range list {
		e.text(z.ID)
		e.text(z.Name)
		e.text(string(z.Rule))
		e.number(z.FloorM)
		e.number(z.CeilingM)
		e.number(z.HeightLimitM)
		e.number(z.SpeedLimitMPS)
		e.time(z.From)
		e.time(z.Until)
		e.flag(z.Airborne)
		e.flag(z.Ground)
		e.text(z.Source)
		e.polygon(z.Polygon)
	}
}

// schedules stores those of the zones that have one, each with the number of zones
// passed over since the last; nothing at all where there is none.
func (e *encoder) schedules(list []Zone) {
	last := 0
	for i, z := range list {
		if len(z.Schedule) == 0 {
			continue
		}
		e.count(i - last)
		last = i
		e.count(len(z.Schedule))
		for _, p := range z.Schedule {
			e.count(int(p.Days))
			for _, m := range [...]Moment{p.Start, p.End} {
				e.text(string(m.Event))
				e.signed(int64(m.ClockS))
			}
		}
	}
}

func (e *encoder) sites(list []Site) {
	e.count(len(list))
	for _, s := range list {
		e.text(s.ID)
		e.text(string(s.Kind))
		e.text(s.Name)
		e.position(s.Position)
		e.count(s.Capacity)
		e.count(len(s.Kinds))
		for _, kind := range s.Kinds {
			e.text(kind)
		}
	}
}

func (e *encoder) places(list []Place) {
	e.count(len(list))
	for _, p := range list {
		e.text(p.ID)
		e.text(p.Name)
		e.position(p.Position)
	}
}

// terrain stores heights as differences to the sample before, the first of a row
// to the first of the row before, in steps of a metre where all are whole.
func (e *encoder) terrain(t *Terrain) {
	e.flag(t != nil)
	if t == nil {
		return
	}
	for _, v := range [...]float64{t.Origin[0], t.Origin[1], t.StepLon, t.StepLat} {
		e.number(v)
	}
	e.text(t.Source)
	e.count(t.Voids)
	e.count(t.Cols)
	e.count(t.Rows)
	unit := int32(10)
	for _, h := range t.HeightDM {
		if h%unit != 0 {
			unit = 1
			break
		}
	}
	e.count(int(unit))
	for i, h := range t.HeightDM {
		e.signed(int64(h-t.before(i)) / int64(unit))
	}
}

// repairs stores what is known of the faults of terrain, if anything is.
func (e *encoder) repairs(t *Terrain) {
	if t == nil || t.Faults == 0 && t.UncertaintyM == 0 {
		return
	}
	e.number(t.UncertaintyM)
	e.count(t.Faults)
	e.count(len(t.Repairs))
	for _, r := range t.Repairs {
		e.point(r.At)
		e.number(r.WasM)
		e.number(r.BecameM)
	}
}

func (e *encoder) geoid(g *Geoid) {
	if g == nil {
		return
	}
	e.text(g.Source)
	for _, v := range [...]float64{g.Origin[0], g.Origin[1], g.StepDeg} {
		e.number(v)
	}
	e.count(g.Cols)
	e.count(g.Rows)
	before := int32(0)
	for _, mm := range g.UndulationMM {
		e.signed(int64(mm - before))
		before = mm
	}
}

func (e *encoder) water(list []WaterArea) {
	e.count(len(list))
	for _, w := range list {
		e.text(w.ID)
		e.polygon(w.Polygon)
	}
}

func (e *encoder) count(n int) { e.buf = binary.AppendUvarint(e.buf, uint64(n)) }

func (e *encoder) signed(v int64) { e.buf = binary.AppendVarint(e.buf, v) }

func (e *encoder) flag(v bool) {
	if v {
		e.buf = append(e.buf, 1)
	} else {
		e.buf = append(e.buf, 0)
	}
}

// number stores all bits of a float, the exponent first: round numbers end in
// zero bits and so take few bytes.
func (e *encoder) number(v float64) {
	e.buf = binary.AppendUvarint(e.buf, bits.ReverseBytes64(math.Float64bits(v)))
}

func (e *encoder) text(s string) {
	n, ok := e.numbers[s]
	if !ok {
		n = uint64(len(e.strings))
		e.numbers[s] = n
		e.strings = append(e.strings, s)
	}
	e.buf = binary.AppendUvarint(e.buf, n)
}

func (e *encoder) point(p orb.Point) {
	lon, lat := int64(math.Round(p[0]*coordScale)), int64(math.Round(p[1]*coordScale))
	e.signed(lon - e.lon)
	e.signed(lat - e.lat)
	e.lon, e.lat = lon, lat
}

func (e *encoder) position(p space.Position) {
	e.point(p.Point())
	e.number(p.AltitudeM)
	e.text(p.Level)
}

// polygon leaves out each ring's last point, which repeats its first.
func (e *encoder) polygon(polygon orb.Polygon) {
	e.count(len(polygon))
	for _, ring := range polygon {
		e.count(len(ring) - 1)
		for _, p := range ring[:len(ring)-1] {
			e.point(p)
		}
	}
}

// time stores a flag, then seconds and nanoseconds since 1970.
func (e *encoder) time(t time.Time) {
	e.flag(!t.IsZero())
	if !t.IsZero() {
		e.signed(t.Unix())
		e.count(t.Nanosecond())
	}
}

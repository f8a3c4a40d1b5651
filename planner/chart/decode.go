package chart

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"math/bits"
	"time"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// MaxFileBytes is the longest body that Read takes. A chart takes about 40
// times its file's length in memory at most, and usually 10.
const MaxFileBytes = 256 << 20

// ErrFile is the kind of error for input that is no intact chart file.
var ErrFile = errors.New("not an intact chart file")

// Read reads a file that Write made. Anything else, down to one changed bit or
// a byte too few or too many, gives an error of kind ErrFile that says what is
// wrong; memory is taken only in step with bytes that are there.
func Read(r io.Reader) (*Chart, error) {
	c, err := read(r)
	if err != nil {
		return nil, fmt.Errorf("read chart: %w", err)
	}
	return c, nil
}

func read(r io.Reader) (*Chart, error) {
	var head [headBytes]byte
	n, err := io.ReadFull(r, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	if m := min(n, len(Magic)); n == 0 || string(head[:m]) != Magic[:m] {
		return nil, fmt.Errorf("%w: it does not begin with %q", ErrFile, Magic)
	}
	if n < headBytes {
		return nil, fmt.Errorf("%w: truncated within the first %d bytes", ErrFile, headBytes)
	}
	if v := binary.BigEndian.Uint32(head[len(Magic):]); v < OldestVersion || v > Version {
		return nil, fmt.Errorf("%w: it has version %d and this program reads version %d to %d; build it anew from its sources with kapok chart build",
			ErrFile, v, OldestVersion, Version)
	}
	length := binary.BigEndian.Uint64(head[len(Magic)+4:])
	if length > MaxFileBytes {
		return nil, fmt.Errorf("%w: it claims a body of %d bytes; the limit is %d", ErrFile, length, MaxFileBytes)
	}
	want := int64(length) + digestSize
	// One byte more, to notice what follows the end.
	data, err := io.ReadAll(io.LimitReader(r, want+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) < want {
		return nil, fmt.Errorf("%w: truncated, %d of %d bytes are there", ErrFile, n+len(data), int64(n)+want)
	}
	if int64(len(data)) > want {
		return nil, fmt.Errorf("%w: more bytes follow its end", ErrFile)
	}
	body, sum := data[:length], data[length:]
	if got := sha(body); !bytes.Equal(got[:], sum) {
		return nil, fmt.Errorf("%w: the content has changed, its checksum does not match", ErrFile)
	}
	draft, err := decodeBody(body)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	c, err := build(draft)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	c.Checksum = "sha256:" + hex.EncodeToString(sum)
	return c, nil
}

func sha(body []byte) [digestSize]byte { return sha256.Sum256(body) }

// decoder takes values off a section. The first fault sticks; after it all
// values are zero and all counts 0.
type decoder struct {
	rest     []byte
	name     string
	strings  []string
	err      error
	lon, lat int64
}

// decodeBody undoes encodeBody.
func decodeBody(body []byte) (Draft, error) {
	var draft Draft
	d := &decoder{}
	for i, section := range []struct {
		name string
		read func()
	}{
		{"strings", d.table},
		{"head", func() { d.head(&draft) }},
		{"graph", func() { d.graph(&draft) }},
		{"buildings", func() { draft.Buildings = d.buildings() }},
		{"zones", func() { draft.Zones = d.zones() }},
		{"sites", func() { draft.Sites = d.sites() }},
		{"places", func() { draft.Places = d.places() }},
		{"terrain", func() { draft.Terrain = d.terrain() }},
		{"water", func() { draft.Water = d.water() }},
		{"schedules", func() { d.schedules(draft.Zones) }},
		{"repairs", func() { d.repairs(draft.Terrain) }},
		{"geoid", func() { draft.Geoid = d.geoid() }},
	} {
		tag := byte(sectionStrings + i)
		if tag > sectionWater && (len(body) == 0 || body[0] != tag) {
			continue
		}
		var err error
		if body, err = d.section(body, tag, section.name, section.read); err != nil {
			return draft, err
		}
	}
	if len(body) > 0 {
		return draft, fmt.Errorf("%d bytes follow the last section", len(body))
	}
	return draft, nil
}

// section reads one section off the body and returns what follows it.
func (d *decoder) section(body []byte, tag byte, name string, read func()) ([]byte, error) {
	if len(body) < 9 || body[0] != tag {
		return nil, fmt.Errorf("section %q is missing", name)
	}
	length := binary.BigEndian.Uint64(body[1:])
	body = body[9:]
	if length > uint64(len(body)) {
		return nil, fmt.Errorf("section %q claims %d bytes, %d are there", name, length, len(body))
	}
	d.rest, d.name, d.lon, d.lat = body[:length], name, 0, 0
	read()
	if d.err == nil && len(d.rest) > 0 {
		d.fail("has %d bytes too many", len(d.rest))
	}
	return body[length:], d.err
}

func (d *decoder) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("section %q "+format, append([]any{d.name}, args...)...)
	}
	d.rest = nil
}

func (d *decoder) table() {
	d.strings = make([]string, d.count(1))
	for i := range d.strings {
		n := d.count(1)
		d.strings[i] = string(d.rest[:n])
		d.rest = d.rest[n:]
	}
}

func (d *decoder) head(draft *Draft) {
	draft.Name, draft.Attribution = d.text(), d.text()
	draft.Illustrative = d.flag()
	draft.Extent.Min, draft.Extent.Max = d.point(), d.point()
	draft.GroundAltitudeM, draft.HeightLimitM = d.number(), d.number()
}

func (d *decoder) graph(draft *Draft) {
	// A node takes at least four bytes, and one for the count of its arcs.
	draft.Nodes = make([]Node, d.count(5))
	var id int64
	for i := range draft.Nodes {
		id += d.signed()
		draft.Nodes[i] = Node{OSMID: id, Point: d.point(), Level: d.text()}
	}
	var way int64
	for n := range draft.Nodes {
		for range d.count(6) {
			to := int64(n) + d.signed()
			if to < 0 || to >= int64(len(draft.Nodes)) {
				d.fail("has an arc to node %d of %d", to, len(draft.Nodes))
				return
			}
			arc := Arc{From: int32(n), To: int32(to), SpeedLimitMPS: d.number()}
			way += d.signed()
			arc.WayID, arc.Name = way, d.text()
			arc.Profiles = Profile(min(d.unsigned(), math.MaxUint8))
			arc.Layer = int8(min(max(d.signed(), math.MinInt8), math.MaxInt8))
			draft.Arcs = append(draft.Arcs, arc)
		}
	}
}

func (d *decoder) buildings() []Building {
	list := make([]Building, d.count(5))
	for i := range list {
		list[i] = Building{ID: d.text(), Name: d.text(), HeightM: d.number(), Source: HeightSource(d.text()), Footprint: d.polygon()}
	}
	return list
}

func (d *decoder) zones() []Zone {
	list := make([]Zone, d.count(13))
	for i := range list {
		list[i] = Zone{
			ID: d.text(), Name: d.text(), Rule: Rule(d.text()),
			FloorM: d.number(), CeilingM: d.number(), HeightLimitM: d.number(), SpeedLimitMPS: d.number(),
			From: d.time(), Until: d.time(), Airborne: d.flag(), Ground: d.flag(),
			Source: d.text(), Polygon: d.polygon(),
		}
	}
	return list
}

func (d *decoder) schedules(zones []Zone) {
	at := uint64(0)
	for len(d.rest) > 0 && d.err == nil {
		if at += d.unsigned(); at >= uint64(len(zones)) || zones[at].Schedule != nil {
			d.fail("names zone %d of %d", at, len(zones))
			return
		}
		// A period takes at least five bytes.
		schedule := make([]Period, d.count(5))
		for i := range schedule {
			p := &schedule[i]
			p.Days = Weekdays(min(d.unsigned(), math.MaxUint8))
			for _, m := range [...]*Moment{&p.Start, &p.End} {
				m.Event = SunEvent(d.text())
				m.ClockS = int32(min(max(d.signed(), math.MinInt32), math.MaxInt32))
			}
		}
		zones[at].Schedule = schedule
	}
}

func (d *decoder) sites() []Site {
	list := make([]Site, d.count(9))
	for i := range list {
		list[i] = Site{ID: d.text(), Kind: SiteKind(d.text()), Name: d.text(), Position: d.position()}
		list[i].Capacity = int(min(d.unsigned(), math.MaxInt32))
		for range d.count(1) {
			list[i].Kinds = append(list[i].Kinds, d.text())
		}
	}
	return list
}

func (d *decoder) terrain() *Terrain {
	if !d.flag() {
		return nil
	}
	t := &Terrain{Origin: orb.Point{d.number(), d.number()}, StepLon: d.number(), StepLat: d.number(), Source: d.text()}
	t.Voids = int(min(d.unsigned(), math.MaxInt32))
	cols, rows, unit := d.unsigned(), d.unsigned(), d.unsigned()
	// Each sample takes at least a byte.
	if cols > uint64(len(d.rest)) || rows > uint64(len(d.rest)) || cols*rows > uint64(len(d.rest)) || unit < 1 || unit > 10 {
		d.fail("claims %d by %d heights in steps of %d dm in %d bytes", cols, rows, unit, len(d.rest))
		return nil
	}
	t.Cols, t.Rows = int(cols), int(rows)
	t.HeightDM = make([]int32, cols*rows)
	for i := range t.HeightDM {
		step := d.signed()
		if step > maxHeightDM || step < -maxHeightDM {
			d.fail("has a step of %d between heights", step)
			return nil
		}
		t.HeightDM[i] = t.before(i) + int32(step)*int32(unit)
		if h := t.HeightDM[i]; h > maxHeightDM || h < -maxHeightDM {
			d.fail("has a height of %d dm", h)
			return nil
		}
	}
	return t
}

func (d *decoder) repairs(t *Terrain) {
	if t == nil {
		d.fail("is there without terrain")
		return
	}
	t.UncertaintyM = d.number()
	t.Faults = int(min(d.unsigned(), math.MaxInt32))
	// A place takes two bytes at least, and so do the heights.
	for range d.count(4) {
		t.Repairs = append(t.Repairs, Repair{At: d.point(), WasM: d.number(), BecameM: d.number()})
	}
}

func (d *decoder) geoid() *Geoid {
	g := &Geoid{Source: d.text(), Origin: orb.Point{d.number(), d.number()}, StepDeg: d.number()}
	cols, rows := d.unsigned(), d.unsigned()
	if cols > maxGeoidSide || rows > maxGeoidSide || cols*rows > uint64(len(d.rest)) {
		d.fail("claims %d by %d undulations in %d bytes", cols, rows, len(d.rest))
		return nil
	}
	g.Cols, g.Rows = int(cols), int(rows)
	g.UndulationMM = make([]int32, cols*rows)
	at := int64(0)
	for i := range g.UndulationMM {
		if at += d.signed(); at > maxUndulationMM || at < -maxUndulationMM {
			d.fail("has an undulation of %d mm", at)
			return nil
		}
		g.UndulationMM[i] = int32(at)
	}
	return g
}

func (d *decoder) water() []WaterArea {
	list := make([]WaterArea, d.count(2))
	for i := range list {
		list[i] = WaterArea{ID: d.text(), Polygon: d.polygon()}
	}
	return list
}

func (d *decoder) places() []Place {
	list := make([]Place, d.count(6))
	for i := range list {
		list[i] = Place{ID: d.text(), Name: d.text(), Position: d.position()}
	}
	return list
}

// count takes the number of items that follow, each of at least size bytes: a
// number that the bytes left cannot hold is a fault.
func (d *decoder) count(size int) int {
	n := d.unsigned()
	if n > uint64(len(d.rest)/size) {
		d.fail("claims %d items in %d bytes", n, len(d.rest))
		return 0
	}
	return int(n)
}

func (d *decoder) unsigned() uint64 {
	v, n := binary.Uvarint(d.rest)
	if n <= 0 {
		d.fail("ends early")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) signed() int64 {
	v, n := binary.Varint(d.rest)
	if n <= 0 {
		d.fail("ends early")
		return 0
	}
	d.rest = d.rest[n:]
	return v
}

func (d *decoder) flag() bool { return d.unsigned() != 0 }

func (d *decoder) number() float64 {
	return math.Float64frombits(bits.ReverseBytes64(d.unsigned()))
}

func (d *decoder) text() string {
	n := d.unsigned()
	if n >= uint64(len(d.strings)) {
		if d.err == nil {
			d.fail("names string %d of %d", n, len(d.strings))
		}
		return ""
	}
	return d.strings[n]
}

func (d *decoder) point() orb.Point {
	d.lon += d.signed()
	d.lat += d.signed()
	return orb.Point{float64(d.lon) / coordScale, float64(d.lat) / coordScale}
}

func (d *decoder) position() space.Position {
	p := d.point()
	return space.Position{Lon: p[0], Lat: p[1], AltitudeM: d.number(), Level: d.text()}
}

func (d *decoder) polygon() orb.Polygon {
	polygon := make(orb.Polygon, d.count(1))
	for i := range polygon {
		n := d.count(2)
		ring := make(orb.Ring, 0, n+1)
		for range n {
			ring = append(ring, d.point())
		}
		if n > 0 {
			ring = append(ring, ring[0])
		}
		polygon[i] = ring
	}
	return polygon
}

func (d *decoder) time() time.Time {
	if !d.flag() {
		return time.Time{}
	}
	sec := d.signed()
	return time.Unix(sec, int64(min(d.unsigned(), 999_999_999))).UTC()
}

package indoor

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

// ReadRMF reads a building.yaml of Open-RMF, as its traffic editor writes it. Its
// coordinates may be those of a drawing (pixels, y down), of which measurements tell
// the scale and fiducials how the levels lie above each other; metres; degrees of
// WGS-84; or metres of web Mercator. Errors name line and column.
func ReadRMF(r io.Reader) (*Map, error) {
	data, err := io.ReadAll(io.LimitReader(r, strictyaml.MaxBytes+1))
	if err != nil {
		return nil, err
	}
	root, err := strictyaml.Tree(data)
	if e, ok := errors.AsType[*strictyaml.Error](err); ok && e.Place.Line > 0 {
		return nil, fmt.Errorf("line %d, column %d: %s", e.Place.Line, e.Place.Column, e.Message)
	}
	if err != nil {
		return nil, err
	}
	if root == nil || root.Kind != strictyaml.Map || root.Get("levels") == nil {
		return nil, errors.New("it has no levels: it is no building.yaml of Open-RMF")
	}
	b := &rmfReader{m: &Map{Format: "building.yaml"}, number: map[string]int{}, ids: map[string]bool{}}
	for _, step := range []func(*strictyaml.Value) error{b.header, b.levels, b.align, b.lifts, b.graph} {
		if err := step(root); err != nil {
			return nil, err
		}
	}
	b.m.close()
	return b.m, nil
}

// The coordinate systems of building.yaml.
const (
	ofDrawing     = "reference_image"
	ofMetres      = "cartesian_meters"
	ofDegrees     = "wgs84"
	ofWebMercator = "web_mercator"
)

// rmfReader is the reading of one file.
type rmfReader struct {
	m         *Map
	system    string
	reference string
	// levels as they stand in the file, and the number of each by its name.
	file   []*rmfLevel
	number map[string]int
	// ids are those of nodes.
	ids map[string]bool
	// frame is that of files with places on the earth.
	frame space.Frame
}

// rmfLevel is a level of the file. Its vertices are in the file's coordinates with y
// up; to brings them to metres.
type rmfLevel struct {
	name      string
	at        *strictyaml.Value
	elevation float64
	vertices  []rmfVertex
	fiducials map[string]space.XY
	to        similarity
	// rank is the number of the level in the map.
	rank int
}

type rmfVertex struct {
	at   *strictyaml.Value
	xy   space.XY
	name string
	params
	// lift is the name of the lift in whose cabin it lies.
	lift string
	// node is its number in the map, -1 while nothing uses it.
	node int
}

func (b *rmfReader) header(root *strictyaml.Value) error {
	for _, key := range []string{"name", "building_name"} {
		if v := root.Get(key); v != nil && b.m.Name == "" {
			b.m.Name = v.Text
		}
	}
	b.system = ofDrawing
	if v := root.Get("coordinate_system"); v != nil {
		b.system = v.Text
		switch b.system {
		case ofDrawing, ofMetres, ofDegrees, ofWebMercator:
		default:
			return fault(v, "the coordinate system is %s; read are %s, %s, %s and %s", told(v), ofDrawing, ofMetres, ofDegrees, ofWebMercator)
		}
	}
	if v := root.Get("reference_level_name"); v != nil {
		b.reference = v.Text
	}
	return nil
}

func (b *rmfReader) levels(root *strictyaml.Value) error {
	levels, err := want(root, "levels", strictyaml.Map)
	if err != nil {
		return err
	}
	if len(levels.Pairs) == 0 || len(levels.Pairs) > MaxLevels {
		return fault(levels, "it has %d levels; 1 to %d are read", len(levels.Pairs), MaxLevels)
	}
	count := 0
	for i, pair := range levels.Pairs {
		l := &rmfLevel{name: pair.Key, at: pair.Value, to: scaledBy(1)}
		if err := b.level(l); err != nil {
			return err
		}
		if count += len(l.vertices); count > MaxNodes {
			return fault(pair.Value, "it has more than %d vertices", MaxNodes)
		}
		b.number[l.name] = i
		b.file = append(b.file, l)
	}
	if b.reference == "" {
		b.reference = b.file[0].name
	}
	if _, ok := b.number[b.reference]; !ok {
		return fault(root.Get("reference_level_name"), "there is no level %q", b.reference)
	}
	sorted := slices.Clone(b.file)
	slices.SortStableFunc(sorted, func(x, y *rmfLevel) int { return cmp.Compare(x.elevation, y.elevation) })
	for i, l := range sorted {
		l.rank = i
		b.m.Levels = append(b.m.Levels, Level{l.name, l.elevation})
	}
	return nil
}

func (b *rmfReader) level(l *rmfLevel) (err error) {
	if err := demand(l.at, "level "+l.name, strictyaml.Map); err != nil {
		return err
	}
	if v := l.at.Get("elevation"); v != nil {
		if l.elevation, err = number(v, "elevation"); err != nil {
			return err
		}
		if math.Abs(l.elevation) > MaxSpanM {
			return fault(v, "the elevation %g m is beyond %d m", l.elevation, MaxSpanM)
		}
	}
	vertices, err := may(l.at, "vertices", strictyaml.List)
	if err != nil {
		return err
	}
	if vertices != nil {
		for _, item := range vertices.Items {
			v, err := b.vertex(item)
			if err != nil {
				return err
			}
			l.vertices = append(l.vertices, v)
		}
	}
	return b.fiducials(l)
}

func (b *rmfReader) vertex(item *strictyaml.Value) (v rmfVertex, err error) {
	v = rmfVertex{at: item, node: -1}
	if item.Kind != strictyaml.List || len(item.Items) < 2 {
		return v, fault(item, "the vertex is not x, y, z, a name and properties")
	}
	if v.xy, err = b.place(item.Items[0], item.Items[1]); err != nil {
		return v, err
	}
	if len(item.Items) > 3 {
		v.name = item.Items[3].Text
	}
	if v.params, err = paramsOf(item, 4); err != nil {
		return v, err
	}
	v.lift, err = v.text("lift_cabin")
	return v, err
}

// place reads a place; that of a drawing has y up from then on, like all others.
func (b *rmfReader) place(x, y *strictyaml.Value) (at space.XY, err error) {
	if at.X, err = number(x, "x"); err != nil {
		return at, err
	}
	if at.Y, err = number(y, "y"); err != nil {
		return at, err
	}
	switch b.system {
	case ofDegrees:
		return at, b.onEarth(x, orb.Point{at.X, at.Y})
	case ofWebMercator:
		const earth = 6378137.0
		at = space.XY{X: at.X / earth * 180 / math.Pi, Y: math.Atan(math.Sinh(-at.Y/earth)) * 180 / math.Pi}
		return at, b.onEarth(x, orb.Point{at.X, at.Y})
	case ofDrawing:
		at.Y = -at.Y
	}
	return at, nil
}

func (b *rmfReader) onEarth(v *strictyaml.Value, p orb.Point) error {
	if !space.ValidPoint(p) {
		return fault(v, "longitude %g and latitude %g are no place", p[0], p[1])
	}
	return nil
}

func (b *rmfReader) fiducials(l *rmfLevel) error {
	list, err := may(l.at, "fiducials", strictyaml.List)
	if err != nil || list == nil {
		return err
	}
	l.fiducials = map[string]space.XY{}
	for _, item := range list.Items {
		if item.Kind != strictyaml.List || len(item.Items) != 3 {
			return fault(item, "the fiducial is not x, y and a name")
		}
		at, err := b.place(item.Items[0], item.Items[1])
		if err != nil {
			return err
		}
		name := item.Items[2].Text
		if _, twice := l.fiducials[name]; twice {
			return fault(item, "the fiducial %q is there twice", name)
		}
		l.fiducials[name] = at
	}
	return nil
}

// nodeOf is the number of a vertex in the map; it becomes a node when it is asked
// for first.
func (b *rmfReader) nodeOf(l *rmfLevel, n int) (int, error) {
	v := &l.vertices[n]
	if v.node >= 0 {
		return v.node, nil
	}
	node := Node{ID: l.name + "/" + v.name, Name: v.name, Level: l.rank, Lift: -1}
	if v.name == "" || b.ids[node.ID] {
		node.ID = l.name + "/#" + strconv.Itoa(n)
	}
	for b.ids[node.ID] {
		node.ID += "#"
	}
	b.ids[node.ID] = true
	if err := v.tell(&node); err != nil {
		return 0, err
	}
	node.XY = l.to.apply(v.xy)
	if b.m.Placed {
		node.Point = orb.Point{v.xy.X, v.xy.Y}
		node.XY = b.frame.XY(node.Point)
	}
	if math.Hypot(node.XY.X, node.XY.Y) > MaxSpanM {
		return 0, fault(v.at, "the vertex lies %.0f m from the map's origin; at most %d m are read", math.Hypot(node.XY.X, node.XY.Y), MaxSpanM)
	}
	v.node = len(b.m.Nodes)
	b.m.Nodes = append(b.m.Nodes, node)
	return v.node, nil
}

// tell tells a node what the vertex's properties say that robots may do there.
func (v *rmfVertex) tell(node *Node) (err error) {
	for _, flag := range [...]struct {
		key  string
		into *bool
	}{
		{"is_charger", &node.Charger}, {"is_parking_spot", &node.Parking}, {"is_holding_point", &node.Holding}, {"is_passthrough_point", &node.PassThrough},
	} {
		if *flag.into, err = v.flag(flag.key); err != nil {
			return err
		}
	}
	for _, name := range [...]struct {
		key  string
		into *string
	}{
		{"dock_name", &node.Dock}, {"pickup_dispenser", &node.Pickup}, {"dropoff_ingestor", &node.Dropoff},
	} {
		if *name.into, err = v.text(name.key); err != nil {
			return err
		}
	}
	return nil
}

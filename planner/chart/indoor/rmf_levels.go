package indoor

import (
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
	"github.com/kapok-fleet/kapok/planner/strictyaml"
)

const (
	// fiducialsOffM is how far fiducials of two levels may lie apart once the levels
	// are laid above each other, before people are told.
	fiducialsOffM = 0.5
	// scalesOff is by how much the scale that a level measures may differ from the
	// one by which it is laid, likewise.
	scalesOff = 0.05
)

// align finds what brings each level to metres.
func (b *rmfReader) align(*strictyaml.Value) error {
	switch b.system {
	case ofDegrees, ofWebMercator:
		b.m.Placed = true
		extent := orb.Bound{Min: orb.Point{180, 90}, Max: orb.Point{-180, -90}}
		for _, l := range b.file {
			for i := range l.vertices {
				extent = extent.Extend(orb.Point{l.vertices[i].xy.X, l.vertices[i].xy.Y})
			}
		}
		b.frame = space.NewFrame(extent.Center())
		return nil
	case ofMetres:
		return nil
	}
	reference := b.file[b.number[b.reference]]
	scale, ok, err := b.measured(reference)
	if err != nil {
		return err
	}
	if !ok {
		return fault(reference.at, "level %s has no measurement, so that its drawing has no scale: measure a length in the traffic editor", reference.name)
	}
	reference.to = scaledBy(scale)
	for _, l := range b.file {
		if l == reference {
			continue
		}
		if err := b.lay(l, reference); err != nil {
			return err
		}
	}
	return nil
}

// lay brings a level above the level of reference, by the fiducials that both have.
func (b *rmfReader) lay(l, reference *rmfLevel) error {
	names := []string{}
	for name := range l.fiducials {
		if _, ok := reference.fiducials[name]; ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var from, to []space.XY
	for _, name := range names {
		from, to = append(from, l.fiducials[name]), append(to, reference.fiducials[name])
	}
	own, measured, err := b.measured(l)
	if err != nil {
		return err
	}
	if len(names) < 2 {
		if !measured {
			return fault(l.at, "level %s shares %d fiducials with level %s and has no measurement: two fiducials of the same names are needed to lay it", l.name, len(names), reference.name)
		}
		l.to = scaledBy(own)
		if len(names) == 1 {
			here, there := l.to.apply(from[0]), reference.to.apply(to[0])
			l.to.x, l.to.y = there.X-here.X, there.Y-here.Y
		}
		b.m.note(lineOf(l.at), "level %s shares %d fiducials with level %s; two are needed to lay it: it is taken to be drawn in the same direction", l.name, len(names), reference.name)
		return nil
	}
	onto, off, ok := fit(from, to)
	if !ok {
		return fault(l.at, "the fiducials %q of level %s lie at one place", names, l.name)
	}
	l.to = reference.to.after(onto)
	if off *= reference.to.scale(); off > fiducialsOffM {
		b.m.note(lineOf(l.at), "the fiducials of levels %s and %s differ by up to %.2f m", l.name, reference.name, off)
	}
	if measured && math.Abs(own/l.to.scale()-1) > scalesOff {
		b.m.note(lineOf(l.at), "level %s measures %.4f m a pixel, and its fiducials say %.4f", l.name, own, l.to.scale())
	}
	return nil
}

// measured is the mean scale of a level's measurements in metres a pixel; false where
// it has none.
func (b *rmfReader) measured(l *rmfLevel) (scale float64, ok bool, err error) {
	list, err := may(l.at, "measurements", strictyaml.List)
	if err != nil || list == nil || len(list.Items) == 0 {
		return 0, false, err
	}
	for _, item := range list.Items {
		from, to, p, err := b.edge(l, item, "measurement")
		if err != nil {
			return 0, false, err
		}
		metres, err := p.number("distance")
		if err != nil {
			return 0, false, err
		}
		pixels := l.vertices[from].xy.Dist(l.vertices[to].xy)
		if !(metres > 0) || !(pixels > 0) {
			return 0, false, fault(item, "the measurement is %g m over %g pixels", metres, pixels)
		}
		scale += metres / pixels / float64(len(list.Items))
	}
	return scale, true, nil
}

// edge reads what goes from a vertex to another.
func (b *rmfReader) edge(l *rmfLevel, item *strictyaml.Value, what string) (from, to int, p params, err error) {
	if item.Kind != strictyaml.List || len(item.Items) < 2 {
		return 0, 0, p, fault(item, "the %s is not two vertices and properties", what)
	}
	if from, err = index(item.Items[0], "the vertex of a "+what, len(l.vertices)); err != nil {
		return 0, 0, p, err
	}
	if to, err = index(item.Items[1], "the vertex of a "+what, len(l.vertices)); err != nil {
		return 0, 0, p, err
	}
	p, err = paramsOf(item, 2)
	return from, to, p, err
}

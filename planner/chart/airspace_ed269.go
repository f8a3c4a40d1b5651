package chart

import (
	"fmt"
	"math"
	"strings"

	"github.com/paulmach/orb"
)

// ed269 takes a zone of EUROCAE ED-269, as it stands or as a GeoJSON feature whose
// properties it is.
func (im *airspaceImport) ed269(n *jnode) error {
	zone := n
	if _, ok := n.get("restriction"); !ok {
		if p, ok := n.get("properties"); ok {
			zone = p
		}
	}
	v, err := im.restriction(zone, "restriction")
	if err != nil {
		return err
	}
	if v.name, err = zone.word("name"); err != nil {
		return err
	}
	if v.times, err = im.applicabilities(zone, "applicability", v.id); err != nil {
		return err
	}
	g, ok := zone.get("geometry")
	if !ok {
		if g, err = n.need("geometry"); err != nil {
			return err
		}
	}
	volumes := g.items()
	if len(volumes) == 0 {
		return g.fault("it has no volume")
	}
	id := v.id
	for i, one := range volumes {
		v.at, v.id = one, id
		if len(volumes) > 1 {
			v.id = fmt.Sprintf("%s/%d", id, i+1)
		}
		if err := v.ed269(one); err != nil {
			return err
		}
		if err := im.take(&v); err != nil {
			return err
		}
	}
	return nil
}

// ed269 takes limits and outline of one volume.
func (v *volume) ed269(n *jnode) error {
	uom, err := n.word("uomDimensions")
	if err != nil {
		return err
	}
	if v.lower, err = readLimit(n, "lowerLimit", "lowerVerticalReference", uom); err != nil {
		return err
	}
	if v.upper, err = readLimit(n, "upperLimit", "upperVerticalReference", uom); err != nil {
		return err
	}
	h, err := n.need("horizontalProjection")
	if err != nil {
		return err
	}
	kind, err := h.need("type")
	if err != nil {
		return err
	}
	switch kind.value {
	case "Circle":
		middle, err := h.need("center")
		if err != nil {
			return err
		}
		radius, err := h.need("radius")
		if err != nil {
			return err
		}
		v.polygon, err = readCircle(middle, radius, uom)
		return err
	case "Polygon":
		rings, err := h.need("coordinates")
		if err != nil {
			return err
		}
		v.polygon, err = readPolygon(rings)
		return err
	}
	return kind.fault("it is %.40q, not Circle or Polygon", kind.value)
}

// restriction begins a volume with what the zone as a whole says: its id, and what
// its kind means for a flight.
func (im *airspaceImport) restriction(zone *jnode, member string) (volume, error) {
	v := volume{at: zone}
	id, err := zone.need("identifier")
	if err != nil {
		return v, err
	}
	if v.id, err = id.text(); err != nil {
		return v, err
	}
	if v.id = strings.TrimSpace(v.id); v.id == "" {
		return v, id.fault("it is empty")
	}
	country, err := zone.word("country")
	if err != nil {
		return v, err
	}
	v.source = strings.Trim(im.report.Format+":"+country+":"+v.id, ":")
	kind, err := zone.need(member)
	if err != nil {
		return v, err
	}
	if v.kind, err = kind.text(); err != nil {
		return v, err
	}
	v.rule = KeepOut
	switch v.kind {
	case "PROHIBITED":
	case "REQ_AUTHORISATION", "REQ_AUTHORIZATION", "USPACE":
		if im.opts.Authorised {
			v.rule, v.advised = Advise, "flight needs an authorisation, which is stated to be there"
		}
	case "CONDITIONAL":
		if im.opts.Authorised {
			v.rule, v.advised = Advise, "flight has conditions, which are stated to be kept"
		}
	case "NO_RESTRICTION", "INFORMATION":
		v.rule = Advise
	default:
		return v, kind.fault("%.40q is none of PROHIBITED, REQ_AUTHORISATION, CONDITIONAL, USPACE, NO_RESTRICTION and INFORMATION", v.kind)
	}
	return v, nil
}

// readLimit reads a limit and what it is measured from.
func readLimit(n *jnode, member, reference, uom string) (limit, error) {
	at, ok := n.get(member)
	if !ok {
		return limit{}, nil
	}
	value, err := at.number()
	if err != nil {
		return limit{}, err
	}
	if value >= unlimited {
		return limit{}, nil
	}
	// 0 is 0 in every unit.
	factor := 1.0
	if value != 0 || uom != "" {
		if factor, err = unitM(n, uom); err != nil {
			return limit{}, err
		}
	}
	l := limit{m: value * factor, given: true}
	if math.Abs(l.m) > 1e6 {
		return limit{}, at.fault("%g m is no height of flight", l.m)
	}
	ref, err := n.need(reference)
	if err != nil {
		return limit{}, err
	}
	switch l.ref = heightRef(strings.ToUpper(fmt.Sprint(ref.value))); l.ref {
	case overGround, overSea, overEllipsoid:
		return l, nil
	}
	return limit{}, ref.fault("%.40q is not AGL, AMSL or WGS84", ref.value)
}

// unitM is how many metres one of the file's units has.
func unitM(n *jnode, uom string) (float64, error) {
	switch strings.ToUpper(uom) {
	case "":
		return 0, n.fault("it does not say its unit, metres (M) or feet (FT)")
	case "M":
		return 1, nil
	case "FT":
		return footM, nil
	}
	return 0, n.fault("the unit %.40q is not metres (M) or feet (FT)", uom)
}

// readPosition reads longitude and latitude.
func readPosition(n *jnode) (orb.Point, error) {
	list, err := n.list()
	if err != nil {
		return orb.Point{}, err
	}
	if len(list) < 2 || len(list) > 3 {
		return orb.Point{}, n.fault("it has %d numbers, not longitude and latitude", len(list))
	}
	var p orb.Point
	for i := range p {
		if p[i], err = list[i].number(); err != nil {
			return p, err
		}
	}
	if math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
		return p, n.fault("%g, %g is not a place on earth: it should be longitude and latitude in degrees", p[0], p[1])
	}
	return p, nil
}

// readCircle makes a polygon about a circle whose radius is in the file's unit.
func readCircle(middle, radius *jnode, uom string) (orb.Polygon, error) {
	at, err := readPosition(middle)
	if err != nil {
		return nil, err
	}
	r, err := radius.number()
	if err != nil {
		return nil, err
	}
	factor, err := unitM(radius, uom)
	if err != nil {
		return nil, err
	}
	polygon, err := circlePolygon(at, r*factor, false)
	if err != nil {
		return nil, radius.fault("%w", err)
	}
	return polygon, nil
}

// readPolygon reads rings, each closed.
func readPolygon(n *jnode) (orb.Polygon, error) {
	rings, err := n.list()
	if err != nil {
		return nil, err
	}
	if len(rings) == 0 {
		return nil, n.fault("it has no ring")
	}
	polygon := make(orb.Polygon, len(rings))
	for i, r := range rings {
		points, err := r.list()
		if err != nil {
			return nil, err
		}
		for _, at := range points {
			p, err := readPosition(at)
			if err != nil {
				return nil, err
			}
			polygon[i] = append(polygon[i], p)
		}
		if len(polygon[i]) < 4 {
			return nil, r.fault("it has %d points; a ring has at least 4, of which the last is the first", len(points))
		}
		if polygon[i][0] != polygon[i][len(points)-1] {
			return nil, r.fault("it is not closed: its last point is not its first")
		}
	}
	return polygon, nil
}

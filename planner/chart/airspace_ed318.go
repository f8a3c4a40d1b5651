package chart

import (
	"encoding/json"
	"fmt"

	"github.com/paulmach/orb"
)

// checkMetadata holds the metadata of an ED-318 file against what they must be.
func checkMetadata(root *jnode, raw json.RawMessage) error {
	if raw == nil {
		return nil
	}
	n := &jnode{parent: root, key: "metadata"}
	if err := json.Unmarshal(raw, &n.value); err != nil {
		return n.fault("%w", err)
	}
	if _, ok := n.value.(map[string]any); !ok {
		return n.fault("it is %s, not an object", n.what())
	}
	for _, member := range [...]string{"validFrom", "validTo", "issued"} {
		if _, err := readTime(n, member); err != nil {
			return err
		}
	}
	return nil
}

// ed318 takes a feature of EUROCAE ED-318.
func (im *airspaceImport) ed318(n *jnode) error {
	p, err := n.need("properties")
	if err != nil {
		return err
	}
	v, err := im.restriction(p, "type")
	if err != nil {
		return err
	}
	if v.name, err = firstText(p, "name"); err != nil {
		return err
	}
	if v.times, err = im.applicabilities(p, "limitedApplicability", v.id); err != nil {
		return err
	}
	g, err := n.need("geometry")
	if err != nil {
		return err
	}
	parts, err := layers(g)
	if err != nil {
		return err
	}
	id := v.id
	for i := range parts {
		v.at, v.polygon, v.id = parts[i].at, parts[i].polygon, id
		if len(parts) > 1 {
			v.id = fmt.Sprintf("%s/%d", id, i+1)
		}
		if err := v.layer(parts[i].geometry); err != nil {
			return err
		}
		if err := im.take(&v); err != nil {
			return err
		}
	}
	return nil
}

// firstText is the first of texts in several languages, in English if there is one.
func firstText(n *jnode, member string) (string, error) {
	at, ok := n.get(member)
	if !ok {
		return "", nil
	}
	if text, err := at.text(); err == nil {
		return text, nil
	}
	first := ""
	for i, item := range at.items() {
		text, err := item.need("text")
		if err != nil {
			return "", err
		}
		s, err := text.text()
		if err != nil {
			return "", err
		}
		lang, err := item.word("lang")
		if err != nil {
			return "", err
		}
		if i == 0 || len(lang) >= 2 && lang[:2] == "en" {
			first = s
		}
	}
	return first, nil
}

// part is a polygon of a geometry, and the geometry that has its layer.
type part struct {
	at, geometry *jnode
	polygon      orb.Polygon
}

// layers are the polygons of a geometry.
func layers(g *jnode) ([]part, error) {
	kind, err := g.need("type")
	if err != nil {
		return nil, err
	}
	switch kind.value {
	case "GeometryCollection":
		n, err := g.need("geometries")
		if err != nil {
			return nil, err
		}
		list, err := n.list()
		if err != nil {
			return nil, err
		}
		var parts []part
		for _, one := range list {
			if t, ok := one.get("type"); ok && t.value == "GeometryCollection" {
				return nil, one.fault("a collection within a collection")
			}
			more, err := layers(one)
			if err != nil {
				return nil, err
			}
			parts = append(parts, more...)
		}
		if len(parts) == 0 {
			return nil, n.fault("it has no geometry")
		}
		return parts, nil
	case "Point":
		polygon, err := extent(g)
		return []part{{g, g, polygon}}, err
	case "Polygon", "MultiPolygon":
	default:
		return nil, kind.fault("it is %.40q, not Polygon, MultiPolygon, Point or GeometryCollection", kind.value)
	}
	c, err := g.need("coordinates")
	if err != nil {
		return nil, err
	}
	polygons := []*jnode{c}
	if kind.value == "MultiPolygon" {
		if polygons, err = c.list(); err != nil {
			return nil, err
		}
		if len(polygons) == 0 {
			return nil, c.fault("it has no polygon")
		}
	}
	parts := make([]part, len(polygons))
	for i, n := range polygons {
		polygon, err := readPolygon(n)
		if err != nil {
			return nil, err
		}
		parts[i] = part{n, g, polygon}
	}
	return parts, nil
}

// extent is the circle about a point.
func extent(g *jnode) (orb.Polygon, error) {
	middle, err := g.need("coordinates")
	if err != nil {
		return nil, err
	}
	e, err := g.need("extent")
	if err != nil {
		return nil, err
	}
	kind, err := e.need("subType")
	if err != nil {
		return nil, err
	}
	if kind.value != "Circle" {
		return nil, kind.fault("it is %.40q, not Circle", kind.value)
	}
	radius, err := e.need("radius")
	if err != nil {
		return nil, err
	}
	// The radius is in metres whatever the unit of the heights.
	return readCircle(middle, radius, "M")
}

// layer takes the limits of a geometry; one without a layer has none.
func (v *volume) layer(g *jnode) error {
	v.lower, v.upper = limit{}, limit{}
	n, ok := g.get("layer")
	if !ok {
		return nil
	}
	uom, err := n.word("uom")
	if err != nil {
		return err
	}
	if v.lower, err = readLimit(n, "lower", "lowerReference", uom); err != nil {
		return err
	}
	v.upper, err = readLimit(n, "upper", "upperReference", uom)
	return err
}

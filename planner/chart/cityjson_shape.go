package chart

import (
	"cmp"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// rawCityObject is an object as the file has it.
type rawCityObject struct {
	Type     string        `json:"type"`
	Parents  []string      `json:"parents"`
	Geometry []rawGeometry `json:"geometry"`
}

type rawGeometry struct {
	Type       string          `json:"type"`
	LoD        json.RawMessage `json:"lod"`
	Boundaries json.RawMessage `json:"boundaries"`
	Semantics  *struct {
		Surfaces []struct {
			Type string `json:"type"`
		} `json:"surfaces"`
		Values json.RawMessage `json:"values"`
	} `json:"semantics"`
}

// lod is the level of detail, 0 where none can be read.
func (g *rawGeometry) lod() float64 {
	v, _ := strconv.ParseFloat(strings.Trim(string(g.LoD), `"`), 64)
	return v
}

// depths tell how many levels of lists lie above the surfaces of a geometry.
func (g *rawGeometry) depth() (levels int, ok bool) {
	switch g.Type {
	case "MultiSurface", "CompositeSurface":
		return 0, true
	case "Solid":
		return 1, true
	case "MultiSolid", "CompositeSolid":
		return 2, true
	}
	return 0, false
}

// surfaces returns those of the geometry with the highest level of detail. An
// object that is no building has none.
func (o *rawCityObject) surfaces() ([]citySurface, error) {
	if o.Type != "Building" && o.Type != "BuildingPart" {
		return nil, nil
	}
	var best *rawGeometry
	for i := range o.Geometry {
		if _, ok := o.Geometry[i].depth(); ok && (best == nil || o.Geometry[i].lod() > best.lod()) {
			best = &o.Geometry[i]
		}
	}
	if best == nil {
		return nil, nil
	}
	levels, _ := best.depth()
	var surfaces []citySurface
	if err := flatten(best.Boundaries, levels, func(raw json.RawMessage) error {
		var list [][][]int32
		if err := json.Unmarshal(raw, &list); err != nil {
			return err
		}
		for _, rings := range list {
			surfaces = append(surfaces, citySurface{rings: rings})
		}
		return nil
	}); err != nil {
		return nil, fmt.Errorf("boundaries: %w", err)
	}
	if best.Semantics != nil && len(best.Semantics.Values) > 0 && string(best.Semantics.Values) != "null" {
		if err := best.name(surfaces, levels); err != nil {
			return nil, fmt.Errorf("semantics: %w", err)
		}
	}
	return surfaces, nil
}

// flatten goes down some levels of lists and hands on what is there; null counts
// as nothing.
func flatten(raw json.RawMessage, levels int, take func(json.RawMessage) error) error {
	if levels == 0 {
		return take(raw)
	}
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil {
		return err
	}
	for _, one := range list {
		if err := flatten(one, levels-1, take); err != nil {
			return err
		}
	}
	return nil
}

// name gives the surfaces their semantic kinds. Where the values do not match the
// surfaces, none has a kind.
func (g *rawGeometry) name(surfaces []citySurface, levels int) error {
	var values []*int
	if err := flatten(g.Semantics.Values, levels, func(raw json.RawMessage) error {
		var list []*int
		err := json.Unmarshal(raw, &list)
		values = append(values, list...)
		return err
	}); err != nil {
		return err
	}
	if len(values) != len(surfaces) {
		return nil
	}
	for i, v := range values {
		if v != nil && *v >= 0 && *v < len(g.Semantics.Surfaces) {
			surfaces[i].kind = g.Semantics.Surfaces[*v].Type
		}
	}
	return nil
}

// flatM2 is the area below which a surface seen from above is a wall.
const flatM2 = 1e-6

// outline returns the footprint of an object in the file's coordinates; joined
// is false where it is the convex hull.
func (c *cityReader) outline(o *cityObject) (outlines []orb.Polygon, joined bool) {
	for _, wanted := range [...]string{"GroundSurface", "RoofSurface", ""} {
		var edges cityEdges
		for _, s := range o.surfaces {
			if wanted == "" || s.kind == wanted {
				edges.add(c, s, wanted != "")
			}
		}
		if outlines, joined = edges.join(); joined {
			return outlines, true
		}
	}
	return []orb.Polygon{{c.hull(o)}}, false
}

// cityPoint is a corner seen from above, in millimetres (or 1e-9 degree).
type cityPoint [2]int64

// cityEdges are the edges of surfaces, each with the surface on its left; an edge
// that two share in opposite directions is no part of the outline.
type cityEdges struct {
	next map[cityPoint][]cityPoint
	area float64
	at   map[cityPoint]orb.Point
}

// add takes in a surface; either way round if turn is set, else only one that
// faces up.
func (e *cityEdges) add(c *cityReader, s citySurface, turn bool) {
	if e.next == nil {
		e.next, e.at = map[cityPoint][]cityPoint{}, map[cityPoint]orb.Point{}
	}
	if len(s.rings) == 0 {
		return
	}
	area := 0.0
	rings := make([]orb.Ring, len(s.rings))
	for i, ring := range s.rings {
		for _, v := range ring {
			rings[i] = append(rings[i], orb.Point{c.vertices[v][0], c.vertices[v][1]})
		}
		area += turnArea(rings[i])
	}
	scale := 1000.0
	if c.crs == space.EPSG4326 || c.crs == space.EPSG4979 {
		scale = 1e9
		area *= 1e10
	}
	if math.Abs(area) < flatM2 || area < 0 && !turn {
		return
	}
	e.area += math.Abs(area)
	for _, ring := range rings {
		for k, from := range ring {
			to := ring[(k+1)%len(ring)]
			if area < 0 {
				from, to = to, from
			}
			e.edge(from, to, scale)
		}
	}
}

func (e *cityEdges) edge(from, to orb.Point, scale float64) {
	a := cityPoint{int64(math.Round(from[0] * scale)), int64(math.Round(from[1] * scale))}
	b := cityPoint{int64(math.Round(to[0] * scale)), int64(math.Round(to[1] * scale))}
	if a == b {
		return
	}
	e.at[a], e.at[b] = from, to
	if k := slices.Index(e.next[b], a); k >= 0 {
		e.next[b] = slices.Delete(e.next[b], k, k+1)
		return
	}
	e.next[a] = append(e.next[a], b)
}

// join follows the edges that are left. They join to an outline if each ends
// where it began and no two outer rings cover each other's ground: then the rings
// enclose as much as the surfaces.
func (e *cityEdges) join() (outlines []orb.Polygon, ok bool) {
	var starts []cityPoint
	for at, to := range e.next {
		if len(to) > 1 {
			// Rings that touch: which goes on is not known.
			return nil, false
		}
		if len(to) == 1 {
			starts = append(starts, at)
		}
	}
	slices.SortFunc(starts, func(a, b cityPoint) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	var courts []orb.Ring
	for _, start := range starts {
		ring, closed := e.follow(start)
		if !closed {
			return nil, false
		}
		switch area := turnArea(ring); {
		case len(ring) < 3:
		case area > 0:
			outlines = append(outlines, orb.Polygon{ring})
		default:
			courts = append(courts, ring)
		}
	}
	for _, court := range courts {
		for i := range outlines {
			if inRing(outlines[i][0], court[0]) {
				outlines[i] = append(outlines[i], court)
				break
			}
		}
	}
	return outlines, len(outlines) > 0
}

// follow takes a ring off the edges; it is empty where its edges are gone.
func (e *cityEdges) follow(start cityPoint) (ring orb.Ring, closed bool) {
	at := start
	for len(e.next[at]) == 1 {
		to := e.next[at][0]
		e.next[at] = nil
		ring = append(ring, e.at[at])
		if at = to; at == start {
			return ring, true
		}
	}
	return nil, len(ring) == 0
}

// turnArea is the area of a ring, above 0 where it runs counterclockwise. The
// first point is taken off, as areas of far-away places lose their digits.
func turnArea(ring orb.Ring) float64 {
	sum := 0.0
	for i, p := range ring {
		q := ring[(i+1)%len(ring)]
		sum += (p[0]-ring[0][0])*(q[1]-ring[0][1]) - (q[0]-ring[0][0])*(p[1]-ring[0][1])
	}
	return sum / 2
}

// inRing tells whether a point lies within a ring.
func inRing(ring orb.Ring, p orb.Point) bool {
	in := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > p[1]) != (b[1] > p[1]) && p[0] < (b[0]-a[0])*(p[1]-a[1])/(b[1]-a[1])+a[0] {
			in = !in
		}
	}
	return in
}

// hull is the convex hull of all of an object, counterclockwise: Andrew, "Another
// efficient algorithm for convex hulls in two dimensions", 1979.
func (c *cityReader) hull(o *cityObject) orb.Ring {
	var points []orb.Point
	for _, s := range o.surfaces {
		for _, ring := range s.rings {
			for _, v := range ring {
				points = append(points, orb.Point{c.vertices[v][0], c.vertices[v][1]})
			}
		}
	}
	slices.SortFunc(points, func(a, b orb.Point) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	points = slices.Compact(points)
	var ring orb.Ring
	half := func(points []orb.Point) {
		begin := len(ring)
		for _, p := range points {
			for n := len(ring); n >= begin+2; n = len(ring) {
				a, b := ring[n-2], ring[n-1]
				if (b[0]-a[0])*(p[1]-a[1])-(b[1]-a[1])*(p[0]-a[0]) > 0 {
					break
				}
				ring = ring[:n-1]
			}
			ring = append(ring, p)
		}
		ring = ring[:max(len(ring)-1, 0)]
	}
	half(points)
	slices.Reverse(points)
	half(points)
	return ring
}

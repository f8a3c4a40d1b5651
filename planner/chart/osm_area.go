package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// areas takes obstacles and water from closed ways and multipolygon relations.
// The outline of a relation may carry the tags as well; alone it would cover the
// courts or islands, so it is passed over.
func (m *importer) areas(d *Draft) {
	var ofRelations Draft
	covered := m.relationAreas(&ofRelations)
	m.wayAreas(d, covered)
	d.Buildings = append(d.Buildings, ofRelations.Buildings...)
	d.Water = append(d.Water, ofRelations.Water...)
}

// outlined are the ways that are outlines of multipolygons, by what those are.
type outlined struct{ building, water map[int64]bool }

// relationAreas takes the areas of multipolygons, and lists the ways that are
// their outlines.
func (m *importer) relationAreas(d *Draft) outlined {
	ways := make(map[int64]int, len(m.ways))
	for i, way := range m.ways {
		ways[way.id] = i
	}
	covered := outlined{building: map[int64]bool{}, water: map[int64]bool{}}
	for _, relation := range m.relations {
		id := fmt.Sprintf("relation/%d", relation.id)
		polygons, ok := m.assemble(relation, ways)
		if !ok {
			m.warn("a multipolygon whose outline is not complete in the file is left out", id)
			continue
		}
		e := element{id: id, tags: relation.tags}
		for _, polygon := range polygons {
			e.rings = append(e.rings, polygon[0])
		}
		if e.tags.interesting() {
			m.tagged = append(m.tagged, e)
		}
		building, water := relation.tags.building(), relation.tags.water()
		if !building && !water {
			continue
		}
		for i, polygon := range polygons {
			part := id
			if i > 0 {
				part = fmt.Sprintf("%s/%d", id, i+1)
			}
			if building {
				d.Buildings = append(d.Buildings, m.newBuilding(part, relation.tags, polygon))
			} else {
				d.Water = append(d.Water, WaterArea{ID: part, Polygon: polygon})
			}
		}
		for _, ref := range relation.outer {
			if building {
				covered.building[ref] = true
			} else {
				covered.water[ref] = true
			}
		}
	}
	return covered
}

// wayAreas takes the areas that are ways, but for those that a relation covers.
func (m *importer) wayAreas(d *Draft, covered outlined) {
	for _, way := range m.ways {
		building, water := way.tags.building(), way.tags.water()
		if !building && !water && !way.tags.interesting() {
			continue
		}
		id := fmt.Sprintf("way/%d", way.id)
		ring := m.ring(way)
		if len(ring) == 0 {
			continue
		}
		if way.tags.interesting() {
			m.tagged = append(m.tagged, element{id: id, tags: way.tags, rings: []orb.Ring{ring}})
		}
		if water && !building && !covered.water[way.id] {
			m.waterWay(d, id, ring)
		}
		if !building || covered.building[way.id] {
			continue
		}
		if len(ring) > 2 && ring[0] != ring[len(ring)-1] {
			m.warn("a building whose outline is not closed is closed by a straight line", id)
			ring = append(ring.Clone(), ring[0])
		}
		if len(ring) < 4 {
			m.warn("a building with fewer than three corners in the file is left out", id)
			continue
		}
		d.Buildings = append(d.Buildings, m.newBuilding(id, way.tags, orb.Polygon{ring}))
	}
}

func (m *importer) newBuilding(id string, t tags, footprint orb.Polygon) Building {
	heightM, source, bad := t.height()
	if bad {
		m.warn("a building's height or number of levels cannot be read", id)
	}
	return Building{ID: id, Name: t["name"], Footprint: footprint, HeightM: heightM, Source: source}
}

// ring returns the points of a way that are in the file, closed if the way is
// closed.
func (m *importer) ring(way rawWay) orb.Ring {
	ring := make(orb.Ring, 0, len(way.refs))
	for _, ref := range way.refs {
		n, ok := m.node(ref)
		if !ok {
			m.report.MissingNodes++
			m.warn("a way refers to nodes outside the file, which are left out", fmt.Sprintf("way/%d", way.id))
			continue
		}
		if p := m.nodes[n].point(); len(ring) == 0 || ring[len(ring)-1] != p {
			ring = append(ring, p)
		}
	}
	closed := len(way.refs) > 3 && way.refs[0] == way.refs[len(way.refs)-1]
	if closed && len(ring) > 2 && ring[0] != ring[len(ring)-1] {
		ring = append(ring, ring[0])
	}
	return ring
}

// assemble joins the member ways of a multipolygon to polygons, each inner ring
// going to the outer that holds it. An outline that does not close fails; a
// court that does not is left out, which errs to the side of the obstacle.
func (m *importer) assemble(relation rawRelation, ways map[int64]int) ([]orb.Polygon, bool) {
	outers, ok := m.join(relation.outer, ways)
	if !ok || len(outers) == 0 {
		return nil, false
	}
	inners, ok := m.join(relation.inner, ways)
	if !ok {
		m.warn("a court that is not complete in the file is left out", fmt.Sprintf("relation/%d", relation.id))
	}
	polygons := make([]orb.Polygon, len(outers))
	for i, ring := range outers {
		polygons[i] = orb.Polygon{ring}
	}
	if !m.cutOut(polygons, inners) {
		m.warn("a court or island is left out, there are too many to tell whose they are", fmt.Sprintf("relation/%d", relation.id))
	}
	return polygons, true
}

// maxRingWork bounds how many corners cutOut looks at in one import: a fraction
// of a second for each of the lakes and forests that there are, and an end for
// files made to take for ever.
const maxRingWork = 400_000_000

// cutOut gives each inner ring to the smallest polygon whose outline holds it. It
// is false when that would take too long; some inner rings are then left out.
func (m *importer) cutOut(polygons []orb.Polygon, inners []orb.Ring) bool {
	type outline struct {
		polygon int
		bound   orb.Bound
		area    float64
	}
	list := make([]outline, len(polygons))
	for i, polygon := range polygons {
		list[i] = outline{i, polygon[0].Bound(), ringArea(polygon[0])}
	}
	slices.SortStableFunc(list, func(a, b outline) int { return cmp.Compare(a.area, b.area) })
	for _, inner := range inners {
		for _, o := range list {
			if m.ringWork++; m.ringWork > maxRingWork {
				return false
			}
			if !o.bound.Contains(inner[0]) {
				continue
			}
			outer := polygons[o.polygon][0]
			m.ringWork += len(outer) + len(inner)
			if ringHolds(outer, innerPoint(outer, inner)) {
				polygons[o.polygon] = append(polygons[o.polygon], inner)
				break
			}
		}
	}
	return true
}

// innerPoint returns a corner of an inner ring at which it does not touch the
// outer one, if there is such.
func innerPoint(outer, inner orb.Ring) orb.Point {
	if !slices.Contains(outer, inner[0]) {
		return inner[0]
	}
	touched := make(map[orb.Point]bool, len(outer))
	for _, p := range outer {
		touched[p] = true
	}
	for _, p := range inner {
		if !touched[p] {
			return p
		}
	}
	return inner[0]
}

// ringArea is the area of a ring in square degrees.
func ringArea(ring orb.Ring) float64 {
	sum := 0.0
	for i := 1; i < len(ring); i++ {
		a, b := ring[i-1], ring[i]
		sum += (a[0]-ring[0][0])*(b[1]-ring[0][1]) - (b[0]-ring[0][0])*(a[1]-ring[0][1])
	}
	return math.Abs(sum) / 2
}

// join makes rings of ways that meet end to end, and tells whether all of them
// were used up.
func (m *importer) join(members []int64, ways map[int64]int) (rings []orb.Ring, ok bool) {
	var open [][]int64
	var first []int64
	ok = true
	for _, id := range members {
		i, there := ways[id]
		if !there {
			m.report.MissingWays++
			ok = false
			continue
		}
		if len(m.ways[i].refs) > 1 {
			open = append(open, m.ways[i].refs)
			first = append(first, id)
		}
	}
	// Ends of open lines by node, so that joining is linear in their number.
	ends := map[int64][]int{}
	for i, line := range open {
		ends[line[0]] = append(ends[line[0]], i)
		ends[line[len(line)-1]] = append(ends[line[len(line)-1]], i)
	}
	used := make([]bool, len(open))
	for i := range open {
		if used[i] {
			continue
		}
		line := slices.Clone(open[i])
		used[i] = true
		for line[0] != line[len(line)-1] {
			end := line[len(line)-1]
			for len(ends[end]) > 0 && used[ends[end][0]] {
				ends[end] = ends[end][1:]
			}
			if len(ends[end]) == 0 {
				break
			}
			next := ends[end][0]
			used[next] = true
			line = append(line, onward(open[next], end)...)
		}
		ring := m.ring(rawWay{id: first[i], refs: line})
		if line[0] != line[len(line)-1] || len(ring) < 4 {
			ok = false
			continue
		}
		rings = append(rings, ring)
	}
	return rings, ok
}

// onward returns the nodes of a line after the end it is entered at.
func onward(line []int64, from int64) []int64 {
	if line[0] == from {
		return line[1:]
	}
	back := slices.Clone(line[:len(line)-1])
	slices.Reverse(back)
	return back
}

// ringHolds is the even-odd rule in degrees, which is exact for telling courts
// from their outlines.
func ringHolds(ring orb.Ring, p orb.Point) bool {
	plane := make([]space.XY, len(ring))
	for i, q := range ring {
		plane[i] = space.XY{X: q[0], Y: q[1]}
	}
	return space.InRing(plane, space.XY{X: p[0], Y: p[1]})
}

// points takes sites and places from tagged elements.
func (m *importer) points(d *Draft) {
	for _, e := range m.tagged {
		site, isSite := e.tags.siteKind()
		isPlace := e.tags.place()
		if !isSite && !isPlace {
			continue
		}
		p := e.point
		if e.rings != nil {
			p = doorstep(e.rings)
		}
		at := space.Position{Lon: p[0], Lat: p[1], AltitudeM: d.GroundAltitudeM, Level: oneLevel(e.tags["level"])}
		if isSite {
			capacity, bad := e.tags.capacity(site)
			if bad {
				m.warn("a site's capacity cannot be read and is taken as 1", e.id)
			}
			d.Sites = append(d.Sites, Site{ID: e.id, Kind: site, Name: e.tags.label(), Position: at, Capacity: capacity, Kinds: e.tags.kinds()})
		}
		if !isPlace {
			continue
		}
		if e.tags.label() == "" {
			m.warn("a shop or amenity with neither name nor address is no place to deliver to", e.id)
			continue
		}
		d.Places = append(d.Places, Place{ID: e.id, Name: e.tags.label(), Position: at})
	}
	d.Sites = uniqueSites(d.Sites)
}

// uniqueSites drops repetitions of an id, which a file with an element twice has.
func uniqueSites(sites []Site) []Site {
	seen := make(map[string]bool, len(sites))
	return slices.DeleteFunc(sites, func(s Site) bool {
		twice := seen[s.ID]
		seen[s.ID] = true
		return twice
	})
}

// oneLevel returns the first of the levels listed, empty for the ground.
func oneLevel(list string) string {
	for i, r := range list {
		if r == ';' || r == ',' {
			list = list[:i]
			break
		}
	}
	if list == "0" {
		return ""
	}
	return list
}

// doorstepM is how far outside of an outline a doorstep is, so that rounding
// does not put it into the building.
const doorstepM = 1

// doorstep returns the point before the outline that is nearest to the centroid
// of the largest ring: where a vehicle comes to, for an area that has no
// entrance drawn.
func doorstep(rings []orb.Ring) orb.Point {
	frame := space.NewFrame(rings[0][0])
	var largest []space.XY
	best := -1.0
	for _, ring := range rings {
		plane := make([]space.XY, len(ring))
		for i, p := range ring {
			plane[i] = frame.XY(p)
		}
		if area := math.Abs(space.RingArea(plane)); area > best {
			largest, best = plane, area
		}
	}
	centre := centroid(largest)
	on, distM := largest[0], math.Inf(1)
	for i := 1; i < len(largest); i++ {
		at, _ := space.ClosestOnSegment(centre, largest[i-1], largest[i])
		if d := at.Dist(centre); d < distM {
			on, distM = at, d
		}
	}
	return frame.Point(stepOut(largest, on))
}

// stepOut goes doorstepM from a point on a ring's line to the outside, in the
// one of sixteen directions that leads furthest from the line: in corners, that
// is between the walls.
func stepOut(ring []space.XY, on space.XY) space.XY {
	best, bestM := on, 0.0
	for k := range 16 {
		sin, cos := math.Sincos(float64(k) * math.Pi / 8)
		at := on.Add(space.XY{X: cos, Y: sin}.Scale(doorstepM))
		if d := space.RingDist(ring, at); d > bestM && !space.InRing(ring, at) {
			best, bestM = at, d
		}
	}
	return best
}

// centroid returns the centre of gravity of a ring's area, or of its points when
// it has none.
func centroid(ring []space.XY) space.XY {
	var sum, mean space.XY
	area := 0.0
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[j].Sub(ring[0]), ring[i].Sub(ring[0])
		cross := a.Cross(b)
		area += cross
		sum = sum.Add(a.Add(b).Scale(cross / 3))
		mean = mean.Add(b.Scale(1 / float64(len(ring))))
	}
	if math.Abs(area) < 1e-6 {
		return ring[0].Add(mean)
	}
	return ring[0].Add(sum.Scale(1 / area))
}

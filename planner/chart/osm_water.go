package chart

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// waterWay takes a way as a stretch of water.
func (m *importer) waterWay(d *Draft, id string, ring orb.Ring) {
	if len(ring) < 4 || ring[0] != ring[len(ring)-1] {
		m.warn("a stretch of water whose outline is not closed is left out", id)
		return
	}
	d.Water = append(d.Water, WaterArea{ID: id, Polygon: orb.Polygon{ring}})
}

// sea makes areas of the coastline, which has water on its right: the parts of
// the file's bounds, or else of the extent, that lie on that side. Where the
// coastline does not say on which side the water is, there is none.
func (m *importer) sea(extent orb.Bound) []WaterArea {
	if m.bounds != nil {
		extent = *m.bounds
	}
	var shore shoreline
	shore.box = extent
	for _, line := range m.coast() {
		shore.take(line)
	}
	open, ok := m.bindEnds(&shore)
	var seas []orb.Polygon
	if ok {
		seas = shore.closeAlongEdge(open)
	}
	for _, ring := range shore.lagoons {
		seas = append(seas, orb.Polygon{ring})
	}
	if ok && len(open) == 0 && shore.surrounded() {
		ring := extent.ToRing()
		ring.Reverse()
		seas = append(seas, orb.Polygon{ring})
	}
	if !m.cutOut(seas, shore.islands) {
		m.warn("an island is left out, there are too many to tell in which sea they are", "coastline")
	}
	list := make([]WaterArea, len(seas))
	for i, polygon := range seas {
		list[i] = WaterArea{ID: fmt.Sprintf("coastline/%d", i+1), Polygon: polygon}
	}
	return list
}

// coastLine is a piece of coastline, and the node ids of its ends.
type coastLine struct {
	points   []orb.Point
	from, to int64
}

// coast joins the ways of the coastline end to start. It ends at nodes that the
// file does not have.
func (m *importer) coast() []coastLine {
	var lines [][]int64
	for _, way := range m.ways {
		if way.tags["natural"] == "coastline" {
			lines = append(lines, m.present(way)...)
		}
	}
	starts := make(map[int64]int, len(lines))
	entered := make(map[int64]bool, len(lines))
	for i, line := range lines {
		starts[line[0]] = i
		entered[line[len(line)-1]] = true
	}
	used := make([]bool, len(lines))
	var joined []coastLine
	follow := func(i int) {
		var c coastLine
		c.from = lines[i][0]
		for !used[i] {
			used[i] = true
			for k, ref := range lines[i] {
				if n, _ := m.node(ref); k > 0 || len(c.points) == 0 {
					c.points = append(c.points, m.nodes[n].point())
				}
			}
			c.to = lines[i][len(lines[i])-1]
			next, ok := starts[c.to]
			if !ok {
				break
			}
			i = next
		}
		joined = append(joined, c)
	}
	// First those that begin where no other ends, then what is left: rings.
	for i, line := range lines {
		if !used[i] && !entered[line[0]] {
			follow(i)
		}
	}
	for i := range lines {
		if !used[i] {
			follow(i)
		}
	}
	return joined
}

// present returns the runs of a way's nodes that are in the file.
func (m *importer) present(way rawWay) (runs [][]int64) {
	var run []int64
	end := func() {
		if len(run) > 1 {
			runs = append(runs, run)
		}
		run = nil
	}
	for _, ref := range way.refs {
		if _, ok := m.node(ref); !ok {
			m.report.MissingNodes++
			m.warn("a way refers to nodes outside the file, which are left out", fmt.Sprintf("way/%d", way.id))
			end()
			continue
		}
		run = append(run, ref)
	}
	end()
	return runs
}

// shoreline sorts coastline into what closes by itself and what must be closed
// along the edge of a box.
type shoreline struct {
	box orb.Bound
	// islands have land inside, lagoons water.
	islands, lagoons []orb.Ring
	open             []coastLine
}

// surrounded tells whether there is an island that lies in no lagoon, and so in
// the sea.
func (s *shoreline) surrounded() bool {
	if len(s.islands) == 0 {
		return false
	}
	// What holds the largest island is larger still.
	largest := slices.MaxFunc(s.islands, func(a, b orb.Ring) int { return cmp.Compare(ringArea(a), ringArea(b)) })
	return !slices.ContainsFunc(s.lagoons, func(lagoon orb.Ring) bool { return ringHolds(lagoon, innerPoint(lagoon, largest)) })
}

// take adds a piece, clipped to the box.
func (s *shoreline) take(line coastLine) {
	closed := line.from == line.to && len(line.points) > 3
	outside := slices.IndexFunc(line.points, func(p orb.Point) bool { return !s.box.Contains(p) })
	switch {
	case closed && outside < 0:
		ring := orb.Ring(line.points)
		// Land on the left: an island runs counter-clockwise.
		if ring.Orientation() == orb.CCW {
			s.islands = append(s.islands, ring)
		} else {
			s.lagoons = append(s.lagoons, ring)
		}
		return
	case closed:
		// Beginning outside, the clipped parts are whole.
		ring := line.points[:len(line.points)-1]
		line.points = slices.Concat(ring[outside:], ring[:outside], ring[outside:outside+1])
	}
	var part []orb.Point
	end := func(at int64) {
		if len(part) > 1 {
			s.open = append(s.open, coastLine{points: part, from: line.from, to: at})
		}
		part = nil
	}
	for i := 1; i < len(line.points); i++ {
		a, b, ok := clip(s.box, line.points[i-1], line.points[i])
		if !ok {
			end(line.to)
			continue
		}
		if len(part) == 0 || part[len(part)-1] != a {
			end(line.to)
			part = append(part, a)
		}
		if a != b {
			part = append(part, b)
		}
	}
	end(line.to)
}

// clip returns the part of a segment in a box: Liang and Barsky.
func clip(box orb.Bound, a, b orb.Point) (from, to orb.Point, ok bool) {
	t0, t1 := 0.0, 1.0
	for axis := range 2 {
		step := b[axis] - a[axis]
		for _, side := range [...][2]float64{{-step, a[axis] - box.Min[axis]}, {step, box.Max[axis] - a[axis]}} {
			p, q := side[0], side[1]
			switch {
			case p == 0 && q < 0:
				return a, b, false
			case p < 0:
				t0 = max(t0, q/p)
			case p > 0:
				t1 = min(t1, q/p)
			}
		}
	}
	if t0 > t1 {
		return a, b, false
	}
	at := func(t float64) orb.Point {
		switch t {
		case 0:
			return a
		case 1:
			return b
		}
		// Rounding must not leave the point beside the edge it lies on.
		on := func(v, low, high float64) float64 {
			const beside = 1e-12
			switch {
			case v < low+beside:
				return low
			case v > high-beside:
				return high
			}
			return v
		}
		return orb.Point{
			on(a[0]+t*(b[0]-a[0]), box.Min[0], box.Max[0]),
			on(a[1]+t*(b[1]-a[1]), box.Min[1], box.Max[1]),
		}
	}
	return at(t0), at(t1), true
}

// bindEnds draws ends of the coastline that lie inside the box on to its edge.
// An end further from it than a third of the box's shorter side leaves the sea
// unknown, and so do ends that do not take turns along the edge. A loose piece
// that nowhere leaves the edge by more than a fiftieth of that side is cut off
// from what it belongs to, and left out.
func (m *importer) bindEnds(s *shoreline) (open []coastLine, ok bool) {
	side := min(s.box.Right()-s.box.Left(), s.box.Top()-s.box.Bottom())
	limit := side / 3
	for _, line := range s.open {
		if s.hugsEdge(line.points, side/50) {
			m.warn("a loose piece of coastline along the edge of the map is left out", fmt.Sprintf("node/%d", line.from))
			continue
		}
		first, last := line.points[0], line.points[len(line.points)-1]
		for _, end := range [...]struct {
			at orb.Point
			id int64
		}{{first, line.from}, {last, line.to}} {
			edge, dist := nearestEdge(s.box, end.at)
			if dist == 0 {
				continue
			}
			id := fmt.Sprintf("node/%d", end.id)
			if dist > limit {
				m.warn("the coastline ends far from the edge of the map, the sea is left out", id)
				return nil, false
			}
			m.warn("the coastline ends near the edge of the map and is drawn on to it", id)
			if end.at == first {
				line.points = slices.Insert(slices.Clone(line.points), 0, edge)
			} else {
				line.points = append(slices.Clone(line.points), edge)
			}
		}
		open = append(open, line)
	}
	if !takeTurns(s.box, open) {
		m.warn("the coastline does not close along the edge of the map, the sea is left out", fmt.Sprintf("node/%d", open[0].from))
		return nil, false
	}
	return open, true
}

// hugsEdge tells whether a line with a loose end is all near the edge.
func (s *shoreline) hugsEdge(points []orb.Point, near float64) bool {
	farthest := 0.0
	for _, p := range points {
		_, dist := nearestEdge(s.box, p)
		farthest = max(farthest, dist)
	}
	_, first := nearestEdge(s.box, points[0])
	_, last := nearestEdge(s.box, points[len(points)-1])
	return first+last > 0 && farthest <= near
}

// nearestEdge returns the point of the box's edge that is nearest to one inside
// and its distance in degrees.
func nearestEdge(box orb.Bound, p orb.Point) (edge orb.Point, dist float64) {
	edge, dist = orb.Point{box.Min[0], p[1]}, p[0]-box.Min[0]
	for _, other := range [...]orb.Point{{box.Max[0], p[1]}, {p[0], box.Min[1]}, {p[0], box.Max[1]}} {
		if d := math.Abs(other[0]-p[0]) + math.Abs(other[1]-p[1]); d < dist {
			edge, dist = other, d
		}
	}
	return edge, max(dist, 0)
}

// along returns how far along the edge of the box a point of it is: clockwise
// from the south-west corner, four sides of length 1.
func along(box orb.Bound, p orb.Point) float64 {
	x := (p[0] - box.Min[0]) / (box.Max[0] - box.Min[0])
	y := (p[1] - box.Min[1]) / (box.Max[1] - box.Min[1])
	switch {
	case p[0] <= box.Min[0]:
		return y
	case p[1] >= box.Max[1]:
		return 1 + x
	case p[0] >= box.Max[0]:
		return 2 + (1 - y)
	}
	return math.Mod(3+(1-x), 4)
}

// takeTurns tells whether lines come in and go out by turns along the edge.
func takeTurns(box orb.Bound, lines []coastLine) bool {
	type end struct {
		at  float64
		out bool
	}
	var ends []end
	for _, line := range lines {
		ends = append(ends,
			end{along(box, line.points[0]), false},
			end{along(box, line.points[len(line.points)-1]), true})
	}
	slices.SortFunc(ends, func(a, b end) int { return cmp.Compare(a.at, b.at) })
	for i := range ends {
		if ends[i].out == ends[(i+1)%len(ends)].out {
			return false
		}
	}
	return true
}

// closeAlongEdge makes rings of open lines: with the water on the right, each
// goes on clockwise along the edge to where the next one comes in.
func (s *shoreline) closeAlongEdge(lines []coastLine) (seas []orb.Polygon) {
	used := make([]bool, len(lines))
	for first := range lines {
		if used[first] {
			continue
		}
		var ring orb.Ring
		for i := first; !used[i]; {
			used[i] = true
			ring = append(ring, lines[i].points...)
			from := along(s.box, ring[len(ring)-1])
			next, way := first, math.Inf(1)
			for k := range lines {
				d := math.Mod(along(s.box, lines[k].points[0])-from+4, 4)
				if d < way {
					next, way = k, d
				}
			}
			ring = append(ring, corners(s.box, from, way)...)
			i = next
		}
		ring = append(ring, ring[0])
		if ring = slices.Compact(ring); len(ring) > 3 {
			seas = append(seas, orb.Polygon{ring})
		}
	}
	return seas
}

// corners returns the corners of the box on the way clockwise along its edge.
func corners(box orb.Bound, from, way float64) (list []orb.Point) {
	all := [...]orb.Point{box.LeftTop(), box.Max, box.RightBottom(), box.Min}
	for k := math.Floor(from) + 1; k < from+way; k++ {
		list = append(list, all[(int(k)+3)%4])
	}
	return list
}

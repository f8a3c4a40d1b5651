package fence

import (
	"math"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/space"
)

// The bands of a polygon: as many as give each about edgesPerBand edges, at most
// maxBands, and so few that edges which cross many of them take no more than
// maxCopies entries for each edge.
const (
	edgesPerBand = 8
	maxBands     = 1024
	maxCopies    = 4
)

// bands are the edges of one polygon, cut into bands from south to north: an
// edge stands in each band that comes within EdgeM of it, so that a place asks
// the edges of its own band only. At the worst, when every edge is as tall as
// the polygon, it has a single band, and a place asks them all.
type bands struct {
	y axis
	// The edges of band i are those from start[first+i] to start[first+i+1].
	first int32
}

// outline takes the rings of a polygon that hold something into the frame, each
// closed, and lists their edges by their first points.
func (s *Set) outline(frame space.Frame, polygon orb.Polygon, edges []int32) ([]int32, space.Box) {
	box := space.EmptyBox()
	for _, ring := range polygon {
		if len(ring) < 3 {
			continue
		}
		if ring[0] == ring[len(ring)-1] {
			ring = ring[1:]
		}
		begin, here := len(s.points), space.EmptyBox()
		for _, p := range ring {
			at := frame.XY(p)
			here = here.Extend(at)
			s.points = append(s.points, at)
		}
		if !finite(here.Min) || !finite(here.Max) {
			s.points = s.points[:begin]
			continue
		}
		for i := begin; i < len(s.points); i++ {
			edges = append(edges, int32(i))
		}
		s.points = append(s.points, s.points[begin])
		box = box.Union(here)
	}
	return edges, box
}

func finite(p space.XY) bool {
	return !math.IsNaN(p.X-p.X) && !math.IsNaN(p.Y-p.Y)
}

// cut sorts the edges of a polygon, which lie within a box, into bands.
func (s *Set) cut(edges []int32, box space.Box) bands {
	n := min(max(len(edges)/edgesPerBand, 1), maxBands)
	b := bands{first: int32(len(s.start) - 1)}
	for ; ; n /= 2 {
		b.y = newAxis(box.Min.Y, box.Max.Y, n)
		copies := 0
		for _, e := range edges {
			from, to := s.span(&b, e)
			copies += int(to - from + 1)
		}
		if b.y.last == 0 || copies <= maxCopies*len(edges) {
			break
		}
	}
	next := make([]int32, b.y.last+2)
	for _, e := range edges {
		for from, to := s.span(&b, e); from <= to; from++ {
			next[from+1]++
		}
	}
	next[0] = s.start[b.first]
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
		s.start = append(s.start, next[i])
	}
	s.edges = append(s.edges, make([]int32, next[len(next)-1]-next[0])...)
	for _, e := range edges {
		for from, to := s.span(&b, e); from <= to; from++ {
			s.edges[next[from]] = e
			next[from]++
		}
	}
	return b
}

// span is the first and the last band that an edge stands in.
func (s *Set) span(b *bands, e int32) (from, to int32) {
	y1, y2 := s.points[e].Y, s.points[e+1].Y
	return b.y.cell(min(y1, y2) - EdgeM), b.y.cell(max(y1, y2) + EdgeM)
}

// contains tells whether a place is within a polygon's rings by the even-odd
// rule or on one of them.
func (s *Set) contains(bands *bands, p space.XY) bool {
	band := bands.first + bands.y.cell(p.Y)
	in := false
	for _, e := range s.edges[s.start[band]:s.start[band+1]] {
		ring := s.points[e:]
		a, b := ring[0], ring[1]
		if a.Y > b.Y {
			a, b = b, a
		}
		if p.Y < a.Y-EdgeM || p.Y > b.Y+EdgeM {
			continue
		}
		// Twice the area of the triangle with p: positive where p is left of the
		// edge, seen upwards.
		dx, dy := b.X-a.X, b.Y-a.Y
		area := dx*(p.Y-a.Y) - dy*(p.X-a.X)
		if area > 0 && a.Y <= p.Y && p.Y < b.Y {
			in = !in
		}
		// Far from the line means far from the edge; twice EdgeM leaves room for
		// rounding.
		if area*area <= 4*EdgeM*EdgeM*(dx*dx+dy*dy) && onEdge(p, a, b) {
			return true
		}
	}
	return in
}

// onEdge tells whether p is within EdgeM of the segment a–b.
func onEdge(p, a, b space.XY) bool {
	at, _ := space.ClosestOnSegment(p, a, b)
	d := p.Sub(at)
	return d.Dot(d) <= EdgeM*EdgeM
}

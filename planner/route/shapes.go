package route

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// shapes holds many polygons in flat arrays: shape s has the rings
// shapes.first[s]..shapes.first[s+1], ring r the points ring[r]..ring[r+1].
// Rings are open (the last point is not the first again) and wound so that the
// forbidden side lies to the left.
type shapes struct {
	pts   []space.XY
	ring  []int32
	first []int32
	boxes []space.Box
	// blocks are the boxes of each blockEdges edges of a ring; those of ring r are
	// block[r]..block[r+1].
	blocks []space.Box
	block  []int32
	// coarse are the rings of many points without those that do not stand out.
	coarse map[int32][]space.XY
}

const (
	// manyPoints is how many points a ring may have before it is simplified for
	// the search; coarseM is by how much it may then be off.
	manyPoints = 96
	coarseM    = 1.0
	// blockEdges is how many edges of a ring are passed over at once.
	blockEdges = 32
)

func newShapes() *shapes {
	return &shapes{ring: []int32{0}, first: []int32{0}, block: []int32{0}}
}

func (s *shapes) count() int { return len(s.boxes) }

// add appends one polygon. Rings of fewer than three different points are
// left out; a polygon without rings stays as a shape that blocks nothing.
// With inverted, all that is outside the polygon is the forbidden side.
func (s *shapes) add(rings [][]space.XY, inverted bool) {
	b := space.EmptyBox()
	for i, r := range rings {
		start := len(s.pts)
		for _, p := range r {
			if n := len(s.pts); n > start && near(s.pts[n-1], p) {
				continue
			}
			s.pts = append(s.pts, p)
		}
		for len(s.pts) > start+1 && near(s.pts[len(s.pts)-1], s.pts[start]) {
			s.pts = s.pts[:len(s.pts)-1]
		}
		if len(s.pts)-start < 3 {
			s.pts = s.pts[:start]
			continue
		}
		ring := s.pts[start:]
		for _, p := range ring {
			b = b.Extend(p)
		}
		forbiddenInside := (i == 0) != inverted
		if (space.RingArea(ring) > 0) != forbiddenInside {
			slices.Reverse(ring)
		}
		if len(ring) > manyPoints {
			if s.coarse == nil {
				s.coarse = map[int32][]space.XY{}
			}
			s.coarse[int32(len(s.ring)-1)] = space.SimplifyRing(ring, coarseM)
		}
		s.ring = append(s.ring, int32(len(s.pts)))
		s.addBlocks(ring)
	}
	s.first = append(s.first, int32(len(s.ring)-1))
	s.boxes = append(s.boxes, b)
}

// addBlocks appends the blocks of a ring.
func (s *shapes) addBlocks(ring []space.XY) {
	last := ring[len(ring)-1]
	for k := 0; k < len(ring); k += blockEdges {
		b := space.BoxOf(last)
		for _, p := range ring[k:min(k+blockEdges, len(ring))] {
			b, last = b.Extend(p), p
		}
		s.blocks = append(s.blocks, b)
	}
	s.block = append(s.block, int32(len(s.blocks)))
}

func near(a, b space.XY) bool {
	dx, dy := a.X-b.X, a.Y-b.Y
	return dx*dx+dy*dy < 1e-6
}

// edges calls each with all edges of shape i and the numbers of their rings.
func (s *shapes) edges(i int32, each func(ring int32, from, to space.XY)) {
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		p := ring[len(ring)-1]
		for _, q := range ring {
			each(r, p, q)
			p = q
		}
	}
}

// blockOf returns the points at which the edges of block k of a ring end, and the
// one at which the first begins.
func blockOf(ring []space.XY, k int) (from space.XY, to []space.XY) {
	first := k * blockEdges
	from = ring[(first+len(ring)-1)%len(ring)]
	return from, ring[first:min(first+blockEdges, len(ring))]
}

// inside tells whether p lies within the rings of shape i by the even-odd rule.
func (s *shapes) inside(i int32, p space.XY) bool {
	if !s.boxes[i].Contains(p) {
		return false
	}
	in := false
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		for k, box := range s.blocks[s.block[r]:s.block[r+1]] {
			if p.Y < box.Min.Y || p.Y > box.Max.Y || p.X > box.Max.X {
				continue
			}
			a, some := blockOf(ring, k)
			for _, b := range some {
				if (a.Y > p.Y) != (b.Y > p.Y) && p.X < a.X+(p.Y-a.Y)/(b.Y-a.Y)*(b.X-a.X) {
					in = !in
				}
				a = b
			}
		}
	}
	return in
}

// distance is how far p lies from the nearest ring of shape i, inside or out.
func (s *shapes) distance(i int32, p space.XY) float64 {
	best := math.Inf(1)
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		for k, box := range s.blocks[s.block[r]:s.block[r+1]] {
			if m := box.Dist(p); m*m > best {
				continue
			}
			a, some := blockOf(ring, k)
			for _, b := range some {
				best = min(best, pointSegment2(p, a, b))
				a = b
			}
		}
	}
	return math.Sqrt(best)
}

// closer tells whether the segment a–b comes closer than c to a ring of shape i.
func (s *shapes) closer(i int32, a, b space.XY, c float64) bool {
	reach := space.BoxOf(a, b).Grow(c)
	if !s.boxes[i].Intersects(reach) {
		return false
	}
	c2 := c * c
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		for k, box := range s.blocks[s.block[r]:s.block[r+1]] {
			if !box.Intersects(reach) {
				continue
			}
			p, some := blockOf(ring, k)
			for _, q := range some {
				if min(p.X, q.X) <= reach.Max.X && max(p.X, q.X) >= reach.Min.X &&
					min(p.Y, q.Y) <= reach.Max.Y && max(p.Y, q.Y) >= reach.Min.Y &&
					segmentsCloser(a, b, p, q, c2) {
					return true
				}
				p = q
			}
		}
	}
	return false
}

// meets tells whether the segment a–b has a point inside shape i or on its rings.
func (s *shapes) meets(i int32, a, b space.XY) bool {
	return s.closer(i, a, b, 1e-6) || s.inside(i, a)
}

// segmentsCloser tells whether the segments a–b and p–q cross or come closer
// than the square root of c2.
func segmentsCloser(a, b, p, q space.XY, c2 float64) bool {
	d1 := cross(p, q, a)
	d2 := cross(p, q, b)
	d3 := cross(a, b, p)
	d4 := cross(a, b, q)
	if d1*d2 < 0 && d3*d4 < 0 {
		return true
	}
	return pointSegment2(a, p, q) < c2 || pointSegment2(b, p, q) < c2 ||
		pointSegment2(p, a, b) < c2 || pointSegment2(q, a, b) < c2
}

// cross is twice the area of the triangle a, b, p, positive when p is to the left.
func cross(a, b, p space.XY) float64 {
	return (b.X-a.X)*(p.Y-a.Y) - (b.Y-a.Y)*(p.X-a.X)
}

// pointSegment2 is the square of the distance from p to the segment a–b.
func pointSegment2(p, a, b space.XY) float64 {
	q, _ := space.ClosestOnSegment(p, a, b)
	dx, dy := p.X-q.X, p.Y-q.Y
	return dx*dx + dy*dy
}

// corner is a point where a way may bend around a shape, with the directions
// of the offset boundary that arrives there and leaves.
type corner struct {
	at      space.XY
	in, out space.XY
}

// corners appends the points around shape i at which a shortest way that keeps
// the clearance c may bend: the mitre of the offset boundary at each convex
// corner, two tangent points where the corner turns by clearly more than a
// right angle, so that none lies further than 1.6·c from the corner. Of a ring of
// many points only those count that stand out by coarseM, and the clearance is
// larger by as much, so that the ways along it keep c from the ring itself.
func (s *shapes) corners(i int32, c float64, dst []corner) []corner {
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring, c := s.pts[s.ring[r]:s.ring[r+1]], c
		if few, many := s.coarse[r]; many {
			ring, c = few, c+coarseM
		}
		n := len(ring)
		for k := range n {
			prev, p, next := ring[(k+n-1)%n], ring[k], ring[(k+1)%n]
			a1 := math.Atan2(p.Y-prev.Y, p.X-prev.X)
			turn := math.Atan2(next.Y-p.Y, next.X-p.X) - a1
			if turn <= -math.Pi {
				turn += 2 * math.Pi
			} else if turn > math.Pi {
				turn -= 2 * math.Pi
			}
			if turn <= 1e-9 {
				continue
			}
			parts := max(1, math.Ceil(turn/(math.Pi/2)-0.1))
			step := turn / parts
			reach := c / math.Cos(step/2)
			for j := range int(parts) {
				a := a1 + step*float64(j)
				sin, cos := math.Sincos(a + step/2 - math.Pi/2)
				in, out := direction(a), direction(a+step)
				dst = append(dst, corner{space.XY{X: p.X + reach*cos, Y: p.Y + reach*sin}, in, out})
			}
		}
	}
	return dst
}

func direction(angle float64) space.XY {
	sin, cos := math.Sincos(angle)
	return space.XY{X: cos, Y: sin}
}

// tangent tells whether a way in direction d may bend at the corner: the
// boundary before and after it lies on one side of the line.
func (c *corner) tangent(dx, dy float64) bool {
	slack := 1e-9 * (math.Abs(dx) + math.Abs(dy))
	before := dy*c.in.X - dx*c.in.Y
	after := dx*c.out.Y - dy*c.out.X
	return (before >= -slack && after >= -slack) || (before <= slack && after <= slack)
}

// span is the part of the segment a–b, as fractions, from where it first comes
// within c of shape i, or is inside of it, to where it last does; false when it
// never does.
func (s *shapes) span(i int32, a, b space.XY, c float64) (t0, t1 float64, ok bool) {
	reach := space.BoxOf(a, b).Grow(c)
	if !s.boxes[i].Intersects(reach) {
		return 0, 0, false
	}
	t0, t1 = math.Inf(1), math.Inf(-1)
	if s.inside(i, a) {
		t0, t1 = 0, 0
	}
	if s.inside(i, b) {
		t0, t1 = min(t0, 1), 1
	}
	for r := s.first[i]; r < s.first[i+1]; r++ {
		ring := s.pts[s.ring[r]:s.ring[r+1]]
		for k, box := range s.blocks[s.block[r]:s.block[r+1]] {
			if !box.Intersects(reach) {
				continue
			}
			p, some := blockOf(ring, k)
			for _, q := range some {
				if min(p.X, q.X) <= reach.Max.X && max(p.X, q.X) >= reach.Min.X &&
					min(p.Y, q.Y) <= reach.Max.Y && max(p.Y, q.Y) >= reach.Min.Y {
					u, v := capsule(a, b, p, q, c)
					t0, t1 = min(t0, u), max(t1, v)
				}
				p = q
			}
		}
	}
	return max(t0, 0), min(t1, 1), t0 <= t1
}

// capsule is the part of the segment a–b, as fractions, within c of the segment
// p–q: the union of what lies in the discs about its ends and in the strip
// along it, which is one piece. Infinities the wrong way round stand for none.
func capsule(a, b, p, q space.XY, c float64) (t0, t1 float64) {
	t0, t1 = math.Inf(1), math.Inf(-1)
	take := func(u, v float64) {
		if u, v = max(u, 0), min(v, 1); u <= v {
			t0, t1 = min(t0, u), max(t1, v)
		}
	}
	d := b.Sub(a)
	for _, centre := range [2]space.XY{p, q} {
		take(quadratic(d.X*d.X+d.Y*d.Y, dot(d, a.Sub(centre)), dot(a.Sub(centre), a.Sub(centre))-c*c))
	}
	side := q.Sub(p)
	if length := side.Len(); length > 0 {
		along := side.Scale(1 / length)
		across := space.XY{X: -along.Y, Y: along.X}
		u0, v0 := slab(dot(a.Sub(p), along), dot(d, along), 0, length)
		u1, v1 := slab(dot(a.Sub(p), across), dot(d, across), -c, c)
		take(max(u0, u1), min(v0, v1))
	}
	return t0, t1
}

func dot(a, b space.XY) float64 { return a.X*b.X + a.Y*b.Y }

// quadratic is where a·t² + 2·half·t + c ≤ 0, for a ≥ 0.
func quadratic(a, half, c float64) (t0, t1 float64) {
	root := half*half - a*c
	switch {
	case a < 1e-12 && c <= 0:
		return math.Inf(-1), math.Inf(1)
	case a < 1e-12 || root < 0:
		return math.Inf(1), math.Inf(-1)
	}
	root = math.Sqrt(root)
	return (-half - root) / a, (-half + root) / a
}

// slab is where low ≤ x + t·dx ≤ high.
func slab(x, dx, low, high float64) (t0, t1 float64) {
	if math.Abs(dx) < 1e-12 {
		if x >= low && x <= high {
			return math.Inf(-1), math.Inf(1)
		}
		return math.Inf(1), math.Inf(-1)
	}
	u, v := (low-x)/dx, (high-x)/dx
	return min(u, v), max(u, v)
}

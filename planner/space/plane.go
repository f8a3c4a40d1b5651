package space

import "math"

// Add returns a + b.
func (a XY) Add(b XY) XY { return XY{a.X + b.X, a.Y + b.Y} }

// Sub returns a − b.
func (a XY) Sub(b XY) XY { return XY{a.X - b.X, a.Y - b.Y} }

// Scale returns a times k.
func (a XY) Scale(k float64) XY { return XY{a.X * k, a.Y * k} }

// Dot returns the scalar product.
func (a XY) Dot(b XY) float64 { return a.X*b.X + a.Y*b.Y }

// Cross returns the z component of the vector product: positive when b points
// to the left of a.
func (a XY) Cross(b XY) float64 { return a.X*b.Y - a.Y*b.X }

// Len returns the length in metres.
func (a XY) Len() float64 { return math.Sqrt(a.X*a.X + a.Y*a.Y) }

// Dist returns the distance in metres.
func (a XY) Dist(b XY) float64 { return a.Sub(b).Len() }

// Lerp returns the point at fraction t of the way from a to b.
func (a XY) Lerp(b XY, t float64) XY {
	return XY{a.X + (b.X-a.X)*t, a.Y + (b.Y-a.Y)*t}
}

// XY returns the place without its altitude.
func (a XYZ) XY() XY { return XY{a.X, a.Y} }

// Dist returns the distance in metres, altitude included.
func (a XYZ) Dist(b XYZ) float64 {
	dx, dy, dz := a.X-b.X, a.Y-b.Y, a.Z-b.Z
	return math.Sqrt(dx*dx + dy*dy + dz*dz)
}

// ClosestOnSegment returns the point of the segment a–b that is nearest to p,
// and its fraction of the way from a to b, 0 for a segment without length.
func ClosestOnSegment(p, a, b XY) (at XY, t float64) {
	ab := b.Sub(a)
	length2 := ab.Dot(ab)
	if length2 == 0 {
		return a, 0
	}
	t = min(max(p.Sub(a).Dot(ab)/length2, 0), 1)
	return a.Lerp(b, t), t
}

// SegmentDist returns the distance in metres from p to the segment a–b.
func SegmentDist(p, a, b XY) float64 {
	at, _ := ClosestOnSegment(p, a, b)
	return p.Dist(at)
}

// SegmentsCross tells whether the closed segments a–b and c–d have a point in
// common; touching counts.
func SegmentsCross(a, b, c, d XY) bool {
	d1, d2 := side(a, b, c), side(a, b, d)
	d3, d4 := side(c, d, a), side(c, d, b)
	if d1*d2 < 0 && d3*d4 < 0 {
		return true
	}
	return d1 == 0 && within(a, b, c) || d2 == 0 && within(a, b, d) ||
		d3 == 0 && within(c, d, a) || d4 == 0 && within(c, d, b)
}

// SegmentsDist returns the least distance in metres between the segments a–b
// and c–d, 0 when they cross.
func SegmentsDist(a, b, c, d XY) float64 {
	if SegmentsCross(a, b, c, d) {
		return 0
	}
	return min(SegmentDist(a, c, d), SegmentDist(b, c, d), SegmentDist(c, a, b), SegmentDist(d, a, b))
}

// side is -1, 0 or 1: whether c is right of, on or left of the line a–b. A sign,
// since the product of two tiny areas could underflow to zero.
func side(a, b, c XY) int {
	area := b.Sub(a).Cross(c.Sub(a))
	switch {
	case area > 0:
		return 1
	case area < 0:
		return -1
	}
	return 0
}

// within tells whether c, known to be on the line a–b, lies between a and b.
func within(a, b, c XY) bool {
	return c.X >= min(a.X, b.X) && c.X <= max(a.X, b.X) &&
		c.Y >= min(a.Y, b.Y) && c.Y <= max(a.Y, b.Y)
}

// InRing tells whether p is inside the ring, by the even-odd rule; the ring may
// repeat its first point at the end or not. A point on the edge may be told
// either way, so callers that mind keep a margin.
func InRing(ring []XY, p XY) bool {
	inside := false
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		a, b := ring[i], ring[j]
		if (a.Y > p.Y) != (b.Y > p.Y) && p.X < (b.X-a.X)*(p.Y-a.Y)/(b.Y-a.Y)+a.X {
			inside = !inside
		}
	}
	return inside
}

// InRings tells whether p is inside the first ring and in none of the others,
// which are its holes.
func InRings(rings [][]XY, p XY) bool {
	if len(rings) == 0 || !InRing(rings[0], p) {
		return false
	}
	for _, hole := range rings[1:] {
		if InRing(hole, p) {
			return false
		}
	}
	return true
}

// RingDist returns the distance in metres from p to the ring's line, whether p
// is inside or not, and +Inf for an empty ring.
func RingDist(ring []XY, p XY) float64 {
	best := math.Inf(1)
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		best = min(best, SegmentDist(p, ring[j], ring[i]))
	}
	return best
}

// RingArea returns the signed area in square metres, positive for a ring that
// runs counter-clockwise.
func RingArea(ring []XY) float64 {
	area := 0.0
	for i, j := 0, len(ring)-1; i < len(ring); j, i = i, i+1 {
		// Relative to the first point, so that rings far from the centre lose no digits.
		area += ring[j].Sub(ring[0]).Cross(ring[i].Sub(ring[0]))
	}
	return area / 2
}

// Box is a rectangle along the frame's axes, its edges included.
type Box struct{ Min, Max XY }

// EmptyBox returns the box that holds nothing and takes any Extend.
func EmptyBox() Box {
	inf := math.Inf(1)
	return Box{Min: XY{inf, inf}, Max: XY{-inf, -inf}}
}

// BoxOf returns the smallest box around the points, EmptyBox for none.
func BoxOf(points ...XY) Box {
	box := EmptyBox()
	for _, p := range points {
		box = box.Extend(p)
	}
	return box
}

// Empty tells whether the box holds no point.
func (b Box) Empty() bool { return !(b.Min.X <= b.Max.X && b.Min.Y <= b.Max.Y) }

// Extend returns the smallest box around b and p.
func (b Box) Extend(p XY) Box {
	return Box{
		Min: XY{min(b.Min.X, p.X), min(b.Min.Y, p.Y)},
		Max: XY{max(b.Max.X, p.X), max(b.Max.Y, p.Y)},
	}
}

// Union returns the smallest box around both.
func (b Box) Union(o Box) Box {
	if o.Empty() {
		return b
	}
	return b.Extend(o.Min).Extend(o.Max)
}

// Grow returns the box with each side moved outward by margin metres.
func (b Box) Grow(margin float64) Box {
	return Box{
		Min: XY{b.Min.X - margin, b.Min.Y - margin},
		Max: XY{b.Max.X + margin, b.Max.Y + margin},
	}
}

// Contains tells whether p is in the box or on its edge.
func (b Box) Contains(p XY) bool {
	return p.X >= b.Min.X && p.X <= b.Max.X && p.Y >= b.Min.Y && p.Y <= b.Max.Y
}

// Intersects tells whether the boxes have a point in common; touching counts.
func (b Box) Intersects(o Box) bool {
	return b.Min.X <= o.Max.X && b.Max.X >= o.Min.X && b.Min.Y <= o.Max.Y && b.Max.Y >= o.Min.Y
}

// Centre returns the middle of the box.
func (b Box) Centre() XY { return b.Min.Lerp(b.Max, 0.5) }

// Dist returns the distance in metres from p to the box, 0 inside.
func (b Box) Dist(p XY) float64 {
	dx := max(b.Min.X-p.X, 0, p.X-b.Max.X)
	dy := max(b.Min.Y-p.Y, 0, p.Y-b.Max.Y)
	return math.Sqrt(dx*dx + dy*dy)
}

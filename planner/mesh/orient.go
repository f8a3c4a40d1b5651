package mesh

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Signs of areas decide everything that is built and searched here, so they are
// exact: a wrong one makes a triangulation that is none, or a search that loses a
// way through a corner. The method is that of Shewchuk, "Adaptive precision
// floating-point arithmetic and fast robust geometric predicates" (1997): a bound
// of the rounding error settles nearly all, and expansions settle the rest. It is
// exact as long as nothing overflows or underflows, which the limits of New see
// to.

const (
	epsilon = 1.0 / (1 << 53)
	// orientBound and circleBound are Shewchuk's bounds of the relative error of
	// the plain formulas.
	orientBound = (3 + 16*epsilon) * epsilon
	circleBound = (10 + 96*epsilon) * epsilon
)

// orient is the sign of the area of the triangle a, b, c: 1 when c lies to the
// left of the line from a to b, −1 to the right, 0 on it. The sign is exact.
func orient(a, b, c space.XY) int {
	// The conversions forbid fused operations, whose error is another.
	left := float64((a.X - c.X) * (b.Y - c.Y))
	right := float64((a.Y - c.Y) * (b.X - c.X))
	area, bound := left-right, orientBound*(math.Abs(left)+math.Abs(right))
	switch {
	case area > bound:
		return 1
	case area < -bound:
		return -1
	case bound == 0:
		return 0
	}
	return orientExact(a, b, c)
}

// orientExact is orient where the plain formula cannot tell.
func orientExact(a, b, c space.XY) int {
	acx, acxTail := difference(a.X, c.X)
	bcx, bcxTail := difference(b.X, c.X)
	acy, acyTail := difference(a.Y, c.Y)
	bcy, bcyTail := difference(b.Y, c.Y)
	if acxTail == 0 && bcxTail == 0 && acyTail == 0 && bcyTail == 0 {
		// Two products without a rounding error before them, as on a grid.
		p, pTail := product(acx, bcy)
		q, qTail := product(acy, bcx)
		if p != q {
			return sign(p - q)
		}
		return sign(pTail - qTail)
	}
	var sum expansion
	sum.addProduct(acx, acxTail, bcy, bcyTail)
	sum.addProduct(-acy, -acyTail, bcx, bcxTail)
	return sum.sign()
}

// expansion is a sum of floating-point numbers that do not overlap, the least
// first: an exact number. The zero value is 0.
type expansion struct {
	part [16]float64
	n    int
}

// addProduct adds (x + xTail)·(y + yTail).
func (e *expansion) addProduct(x, xTail, y, yTail float64) {
	for _, pair := range [4][2]float64{{xTail, yTail}, {xTail, y}, {x, yTail}, {x, y}} {
		if pair[0] != 0 && pair[1] != 0 {
			p, tail := product(pair[0], pair[1])
			e.add(tail)
			e.add(p)
		}
	}
}

// add grows the expansion by one number.
func (e *expansion) add(x float64) {
	kept := 0
	for _, part := range e.part[:e.n] {
		var tail float64
		x, tail = total(x, part)
		if tail != 0 {
			e.part[kept] = tail
			kept++
		}
	}
	if x != 0 {
		e.part[kept] = x
		kept++
	}
	e.n = kept
}

// sign is that of the greatest part.
func (e *expansion) sign() int {
	if e.n == 0 {
		return 0
	}
	return sign(e.part[e.n-1])
}

func sign(x float64) int {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return 0
}

// total is a + b, rounded, and what the rounding left out.
func total(a, b float64) (sum, tail float64) {
	sum = a + b
	virtual := sum - a
	return sum, (a - (sum - virtual)) + (b - virtual)
}

// difference is a − b, rounded, and what the rounding left out.
func difference(a, b float64) (diff, tail float64) { return total(a, -b) }

// product is a·b, rounded, and what the rounding left out.
func product(a, b float64) (p, tail float64) {
	p = float64(a * b)
	return p, math.FMA(a, b, -p)
}

// surelyInCircle tells whether p lies within the circle through a, b and c, which
// run counter-clockwise, by more than rounding could feign. A triangulation that
// keeps an edge in doubt is still one, only not quite Delaunay's, and edges that
// are never in doubt cannot be flipped to and fro.
func surelyInCircle(a, b, c, p space.XY) bool {
	ax, ay := a.X-p.X, a.Y-p.Y
	bx, by := b.X-p.X, b.Y-p.Y
	cx, cy := c.X-p.X, c.Y-p.Y
	a2, b2, c2 := ax*ax+ay*ay, bx*bx+by*by, cx*cx+cy*cy
	det := a2*(bx*cy-cx*by) + b2*(cx*ay-ax*cy) + c2*(ax*by-bx*ay)
	size := a2*(math.Abs(bx*cy)+math.Abs(cx*by)) + b2*(math.Abs(cx*ay)+math.Abs(ax*cy)) +
		c2*(math.Abs(ax*by)+math.Abs(bx*ay))
	return det > circleBound*size
}

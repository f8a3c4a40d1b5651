package indoor

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// similarity turns, scales and moves a drawing into another one's places.
type similarity struct {
	// a and b are the scale times cosine and sine of the turn.
	a, b, x, y float64
}

func scaledBy(scale float64) similarity { return similarity{a: scale} }

func (s similarity) apply(p space.XY) space.XY {
	return space.XY{X: s.a*p.X - s.b*p.Y + s.x, Y: s.b*p.X + s.a*p.Y + s.y}
}

func (s similarity) scale() float64 { return math.Hypot(s.a, s.b) }

// after is first t, then s.
func (s similarity) after(t similarity) similarity {
	at := s.apply(space.XY{X: t.x, Y: t.y})
	return similarity{a: s.a*t.a - s.b*t.b, b: s.a*t.b + s.b*t.a, x: at.X, y: at.Y}
}

// fit finds the similarity that brings places nearest to others, by the sum of
// squares: Horn, "Closed-form solution of absolute orientation using unit
// quaternions" (1987), in the plane. residual is how far the worst one stays away;
// false where all places are the same.
func fit(from, to []space.XY) (s similarity, residual float64, ok bool) {
	var f, t space.XY
	n := float64(len(from))
	for i := range from {
		f.X, f.Y, t.X, t.Y = f.X+from[i].X/n, f.Y+from[i].Y/n, t.X+to[i].X/n, t.Y+to[i].Y/n
	}
	var dot, cross, spread float64
	for i := range from {
		p, q := space.XY{X: from[i].X - f.X, Y: from[i].Y - f.Y}, space.XY{X: to[i].X - t.X, Y: to[i].Y - t.Y}
		dot += p.X*q.X + p.Y*q.Y
		cross += p.X*q.Y - p.Y*q.X
		spread += p.X*p.X + p.Y*p.Y
	}
	if !(spread > 0) || (dot == 0 && cross == 0) {
		return similarity{}, 0, false
	}
	s.a, s.b = dot/spread, cross/spread
	at := s.apply(f)
	s.x, s.y = t.X-at.X, t.Y-at.Y
	for i := range from {
		residual = max(residual, s.apply(from[i]).Dist(to[i]))
	}
	return s, residual, true
}

package fleet

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"

	"github.com/kapok-fleet/kapok/planner/chart"
	"github.com/kapok-fleet/kapok/planner/space"
)

// nearM is how near the planned way of an aircraft may pass a keep-out zone. Ways
// are planned further from zones that are known; one that comes up beside a way,
// without touching it, is held against this, since no aircraft keeps its way to the
// metre.
const nearM = 5.0

// apart is by how much a zone is larger for a look than it is drawn.
func (k look) apart(l *zoneLaw) float64 {
	if l.zone.Rule != chart.KeepOut {
		return 0
	}
	return k.nearM
}

// past drops the distance to be kept from a zone for a way that has something to do
// right beside it: a stop or a landing.
func (k look) past(l *zoneLaw, way []stretch) look {
	apartM := k.apart(l)
	if apartM == 0 {
		return k
	}
	for i := range way {
		a := way[i].a.XY()
		if a.Dist(way[i].b.XY()) > 0.01 || !l.box.Grow(apartM).Contains(a) {
			continue
		}
		for _, r := range l.rings {
			if space.RingDist(r, a) <= apartM {
				k.nearM = 0
				return k
			}
		}
	}
	return k
}

// beside adds, to the parts of a stretch that lie over a zone, those that pass its
// edges nearer than that, and orders them. All is the part that counts at all.
func (l *zoneLaw) beside(s *stretch, all span, apartM float64, dst []span) []span {
	a, b := s.a.XY(), s.b.XY()
	if a.Dist(b) < 1e-6 {
		return dst
	}
	for _, r := range l.rings {
		p := r[len(r)-1]
		for _, q := range r {
			if near := besideEdge(a, b, p, q, apartM); near.hi > near.lo {
				near = span{max(near.lo, all.lo), min(near.hi, all.hi)}
				if near.hi > near.lo {
					dst = append(dst, near)
				}
			}
			p = q
		}
	}
	slices.SortFunc(dst, func(x, y span) int { return cmp.Compare(x.lo, y.lo) })
	n := 0
	for i := 1; i < len(dst); i++ {
		if dst[i].lo <= dst[n].hi+spanSlack {
			dst[n].hi = max(dst[n].hi, dst[i].hi)
			continue
		}
		n++
		dst[n] = dst[i]
	}
	return dst[:min(n+1, len(dst))]
}

// besideEdge is the part of the segment from a to b that is within a distance of the
// edge from p to q; empty (hi not above lo) for none. What is within a distance of
// an edge is convex: two discs, and the strip between them.
func besideEdge(a, b, p, q space.XY, apartM float64) span {
	near := span{math.Inf(1), math.Inf(-1)}
	add := func(s span) {
		if s.hi > s.lo {
			near = span{min(near.lo, s.lo), max(near.hi, s.hi)}
		}
	}
	add(inDisc(a, b, p, apartM))
	add(inDisc(a, b, q, apartM))
	e := q.Sub(p)
	if length := e.Len(); length > 1e-6 {
		strip := clip(span{0, 1}, a.Sub(p).Cross(e)/length, b.Sub(p).Cross(e)/length, -apartM, apartM)
		add(clip(strip, a.Sub(p).Dot(e)/length, b.Sub(p).Dot(e)/length, 0, length))
	}
	return near
}

// inDisc is the part of the segment from a to b, of some length, within a disc.
func inDisc(a, b, centre space.XY, radiusM float64) span {
	d, m := b.Sub(a), a.Sub(centre)
	square, half := d.Dot(d), d.Dot(m)
	root := half*half - square*(m.Dot(m)-radiusM*radiusM)
	if root <= 0 {
		return span{1, 0}
	}
	root = math.Sqrt(root)
	return span{max((-half-root)/square, 0), min((-half+root)/square, 1)}
}

// widened is a bound of degrees with nearM around it.
func widened(b orb.Bound) orb.Bound {
	const metresPerDegree = 110000
	high := nearM / metresPerDegree
	wide := high / max(math.Cos(max(math.Abs(b.Min[1]), math.Abs(b.Max[1]))*math.Pi/180), 0.01)
	b.Min = orb.Point{b.Min[0] - wide, b.Min[1] - high}
	b.Max = orb.Point{b.Max[0] + wide, b.Max[1] + high}
	return b
}

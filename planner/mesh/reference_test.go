package mesh_test

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/mesh"
	"github.com/kapok-fleet/kapok/planner/space"
)

// reference finds shortest ways slowly and shares nothing with the mesh: Dijkstra
// over the visibility graph of all corners, where a corner counts once for each
// free sector about it, and a line of sight is walked from crossing to crossing.
// It is meant for small whole coordinates: no two places that are not the same are
// nearer to each other than about 1e-5.
type reference struct {
	bounds    space.Box
	obstacles []mesh.Obstacle
	edges     [][2]space.XY
}

const (
	// refSame is how near places are that are the same, refStep how far from a
	// place the reference looks about.
	refSame = 1e-10
	refStep = 1e-8
)

func newReference(bounds space.Box, obstacles []mesh.Obstacle) *reference {
	r := &reference{bounds: bounds, obstacles: obstacles}
	low, high := bounds.Min, bounds.Max
	field := mesh.Obstacle{{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}}
	for _, o := range append([]mesh.Obstacle{field}, obstacles...) {
		for _, ring := range o {
			for i := range ring {
				if p, q := ring[i], ring[(i+1)%len(ring)]; p != q {
					r.edges = append(r.edges, [2]space.XY{p, q})
				}
			}
		}
	}
	return r
}

// free tells whether a place that is on no edge is free.
func (r *reference) free(at space.XY) bool {
	if !r.bounds.Contains(at) {
		return false
	}
	for _, o := range r.obstacles {
		turns := 0
		for _, ring := range o {
			for i := range ring {
				p, q := ring[i], ring[(i+1)%len(ring)]
				if (p.Y > at.Y) == (q.Y > at.Y) {
					continue
				}
				if area := q.Sub(p).Cross(at.Sub(p)); q.Y > p.Y && area > 0 {
					turns++
				} else if q.Y < p.Y && area < 0 {
					turns--
				}
			}
		}
		if turns != 0 {
			return false
		}
	}
	return true
}

// sector is a free part of what is around a place, between two angles; the second
// is the greater.
type sector struct{ from, to float64 }

func (s sector) has(angle float64) bool {
	for _, a := range [3]float64{angle - 2*math.Pi, angle, angle + 2*math.Pi} {
		if a > s.from-1e-7 && a < s.to+1e-7 {
			return true
		}
	}
	return false
}

// sectors are the free parts of what is around a place.
func (r *reference) sectors(at space.XY) []sector {
	var angles []float64
	for _, e := range r.edges {
		if space.SegmentDist(at, e[0], e[1]) > refSame {
			continue
		}
		for i := range 2 {
			if d := e[i].Sub(at); d.Len() > refSame*10 {
				// The edge's own direction, since the place may be rounded.
				d = e[i].Sub(e[1-i])
				angles = append(angles, math.Atan2(d.Y, d.X))
			}
		}
	}
	slices.Sort(angles)
	angles = slices.CompactFunc(angles, func(a, b float64) bool { return math.Abs(b-a) < 1e-7 })
	if len(angles) > 1 && angles[0]+2*math.Pi-angles[len(angles)-1] < 1e-7 {
		angles = angles[:len(angles)-1]
	}
	if len(angles) == 0 {
		if r.free(at) {
			return []sector{{0, 2 * math.Pi}}
		}
		return nil
	}
	var all []sector
	for i, from := range angles {
		to := angles[0] + 2*math.Pi
		if i+1 < len(angles) {
			to = angles[i+1]
		}
		sin, cos := math.Sincos((from + to) / 2)
		if !r.free(at.Add(space.XY{X: cos, Y: sin}.Scale(refStep))) {
			continue
		}
		if n := len(all); n > 0 && all[n-1].to == from {
			all[n-1].to = to
		} else {
			all = append(all, sector{from, to})
		}
	}
	if n := len(all); n > 1 && all[n-1].to == all[0].from+2*math.Pi {
		all[0].from = all[n-1].from - 2*math.Pi
		all = all[:n-1]
	}
	return all
}

// sees tells whether one can go straight from a to b.
func (r *reference) sees(a, b space.XY) bool {
	cuts := []float64{0, 1}
	ab := b.Sub(a)
	for _, e := range r.edges {
		cd := e[1].Sub(e[0])
		for _, end := range e {
			if at, t := space.ClosestOnSegment(end, a, b); at.Dist(end) < refSame {
				cuts = append(cuts, t)
			}
		}
		if across := ab.Cross(cd); across != 0 {
			t, u := e[0].Sub(a).Cross(cd)/across, e[0].Sub(a).Cross(ab)/across
			if t > 0 && t < 1 && u > -1e-12 && u < 1+1e-12 {
				cuts = append(cuts, t)
			}
		}
	}
	slices.Sort(cuts)
	length := ab.Len()
	cuts = slices.CompactFunc(cuts, func(t, u float64) bool { return math.Abs(u-t)*length < refSame*10 })
	cuts[len(cuts)-1] = 1
	aside := space.XY{X: -ab.Y, Y: ab.X}.Scale(refStep / length)
	ahead, back := math.Atan2(ab.Y, ab.X), math.Atan2(-ab.Y, -ab.X)
	for i, t := range cuts[1:] {
		mid := a.Lerp(b, (cuts[i]+t)/2)
		if !r.free(mid.Add(aside)) && !r.free(mid.Sub(aside)) {
			return false
		}
		if t < 1 && !slices.ContainsFunc(r.sectors(a.Lerp(b, t)), func(s sector) bool { return s.has(ahead) && s.has(back) }) {
			return false
		}
	}
	return true
}

// station is a place in one of the free sectors about it.
type station struct {
	at     space.XY
	sector sector
	g      float64
	done   bool
}

// shortest is the length of the shortest way, +Inf for none, and NaN where an end
// is not free.
func (r *reference) shortest(from, to space.XY) float64 {
	var all []station
	add := func(at space.XY, g float64) int {
		around := r.sectors(at)
		for _, s := range around {
			all = append(all, station{at: at, sector: s, g: g})
		}
		return len(around)
	}
	starts := add(from, 0)
	goals := add(to, math.Inf(1))
	if starts == 0 || goals == 0 {
		return math.NaN()
	}
	var corners []space.XY
	for _, e := range r.edges {
		if !slices.Contains(corners, e[0]) {
			corners = append(corners, e[0])
			add(e[0], math.Inf(1))
		}
	}
	if from == to {
		return 0
	}
	for {
		best := -1
		for i := range all {
			if !all[i].done && !math.IsInf(all[i].g, 1) && (best < 0 || all[i].g < all[best].g) {
				best = i
			}
		}
		if best < 0 {
			return math.Inf(1)
		}
		b := &all[best]
		if b.done = true; b.at == to {
			return b.g
		}
		for i := range all {
			c := &all[i]
			d := c.at.Sub(b.at)
			length := d.Len()
			if c.done || length == 0 || b.g+length >= c.g {
				continue
			}
			if b.sector.has(math.Atan2(d.Y, d.X)) && c.sector.has(math.Atan2(-d.Y, -d.X)) && r.sees(b.at, c.at) {
				c.g = b.g + length
			}
		}
	}
}

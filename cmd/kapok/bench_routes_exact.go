package main

import (
	"container/heap"
	"math"
	"slices"
)

// This file is the exact answer that kapok bench routes holds the planner's to. It
// has nothing in common with planner/mesh: it looks from corner to corner of a grid
// along its rows, in whole numbers, and searches the graph of what sees what.

// spotXY is a corner of grid squares.
type spotXY struct{ x, y int }

// freeRun is a row's free squares from one corner to another.
type freeRun struct{ from, to int }

// ratio is n/d, with d = 0 for what is greater or less than all.
type ratio struct{ n, d int }

func (r ratio) less(o ratio) bool { return r.n*o.d < o.n*r.d }

// sightGrid is a grid with its free squares, the corners that ways may bend at, and
// what each of these sees.
type sightGrid struct {
	w, h  int
	open  []bool
	spans [][]freeRun
	// bends are the columns of the corners in each row that stand out from one
	// blocked square, number those corners.
	bends  [][]int
	number map[spotXY]int
	spots  []spotXY
	links  [][]link
	// g and seen are the memory of a search.
	g    []float64
	seen []bool
}

// link is a corner in sight and its distance.
type link struct {
	to      int
	lengthM float64
}

func newSightGrid(w, h int, open []bool) *sightGrid {
	s := &sightGrid{w: w, h: h, open: open, spans: make([][]freeRun, h), bends: make([][]int, h+1), number: map[spotXY]int{}}
	for y := range h {
		for x := 0; x < w; x++ {
			if !s.isOpen(x, y) {
				continue
			}
			from := x
			for x < w && s.isOpen(x, y) {
				x++
			}
			s.spans[y] = append(s.spans[y], freeRun{from, x})
		}
	}
	for y := range h + 1 {
		for x := range w + 1 {
			if _, _, ok := s.blockedQuarter(x, y); ok {
				s.bends[y] = append(s.bends[y], x)
				s.number[spotXY{x, y}] = len(s.spots)
				s.spots = append(s.spots, spotXY{x, y})
			}
		}
	}
	return s
}

func (s *sightGrid) isOpen(x, y int) bool {
	return x >= 0 && y >= 0 && x < s.w && y < s.h && s.open[y*s.w+x]
}

// blockedQuarter is the direction of the only blocked square about a corner.
func (s *sightGrid) blockedQuarter(x, y int) (dx, dy int, ok bool) {
	blocked := 0
	for _, d := range [4][2]int{{-1, -1}, {1, -1}, {-1, 1}, {1, 1}} {
		if !s.isOpen(x+min(d[0], 0), y+min(d[1], 0)) {
			blocked++
			dx, dy = d[0], d[1]
		}
	}
	return dx, dy, blocked == 1
}

// pinched tells whether two blocked squares touch at a corner, so that no way leads
// through between them.
func (s *sightGrid) pinched(x, y int) bool {
	a, b := s.isOpen(x-1, y-1), s.isOpen(x, y-1)
	c, d := s.isOpen(x-1, y), s.isOpen(x, y)
	return a == d && b == c && a != b
}

// bendsAt tells whether a shortest way may arrive at a corner or leave it in a
// direction: not towards the blocked square or straight away from it.
func (s *sightGrid) bendsAt(at spotXY, dx, dy int) bool {
	qx, qy, ok := s.blockedQuarter(at.x, at.y)
	return ok && dx*qx*dy*qy <= 0
}

// connect finds what each corner sees and may be part of a shortest way.
func (s *sightGrid) connect() {
	s.links = make([][]link, len(s.spots))
	for i, at := range s.spots {
		s.look(at, at, func(to spotXY) {
			dx, dy := to.x-at.x, to.y-at.y
			if s.bendsAt(at, dx, dy) && s.bendsAt(to, dx, dy) {
				s.links[i] = append(s.links[i], link{s.number[to], math.Hypot(float64(dx), float64(dy))})
			}
		})
	}
	s.g, s.seen = make([]float64, len(s.spots)), make([]bool, len(s.spots))
}

// look calls each with the corners that a place sees, some more than once, and with
// the wanted place if it sees that.
func (s *sightGrid) look(from, wanted spotXY, each func(spotXY)) {
	for _, way := range [2]int{1, -1} {
		s.lookAlong(from, wanted, way, each)
		s.lookOver(from, wanted, way, 0, ratio{-1, 0}, ratio{1, 0}, each)
	}
}

// lookAlong looks along the place's own row of corners.
func (s *sightGrid) lookAlong(from, wanted spotXY, way int, each func(spotXY)) {
	for x := from.x; ; x += way {
		left := min(x, x+way)
		if x != from.x && s.pinched(x, from.y) || !s.isOpen(left, from.y) && !s.isOpen(left, from.y-1) {
			return
		}
		to := spotXY{x + way, from.y}
		if _, bends := s.number[to]; bends || to == wanted {
			each(to)
		}
	}
}

// lookOver looks over one row of squares after the other, upwards or downwards, in
// the directions from low to high, which are columns for each row.
func (s *sightGrid) lookOver(from, wanted spotXY, way, rows int, low, high ratio, each func(spotXY)) {
	row := from.y + way*rows
	squares := row + min(way, 0)
	if squares < 0 || squares >= s.h {
		return
	}
	for _, free := range s.spans[squares] {
		l, h := low, high
		a, b := free.from-from.x, free.to-from.x
		if rows == 0 && (a > 0 || b < 0) {
			continue
		}
		for t := max(rows, 1); t <= rows+1; t++ {
			if l.less(ratio{a, t}) {
				l = ratio{a, t}
			}
			if (ratio{b, t}).less(h) {
				h = ratio{b, t}
			}
		}
		if h.less(l) {
			continue
		}
		// A single line of sight may be one that squeezes through.
		if !l.less(h) && rows > 0 && l.n*rows%l.d == 0 && s.pinched(from.x+l.n*rows/l.d, row) {
			continue
		}
		next := row + way
		first, last := from.x+ceilDiv(l.n*(rows+1), l.d), from.x-ceilDiv(-h.n*(rows+1), h.d)
		bends := s.bends[next]
		k, _ := slices.BinarySearch(bends, first)
		for ; k < len(bends) && bends[k] <= last; k++ {
			each(spotXY{bends[k], next})
		}
		if wanted.y == next && wanted.x >= first && wanted.x <= last {
			each(wanted)
		}
		s.lookOver(from, wanted, way, rows+1, l, h, each)
	}
}

// ceilDiv is n/d, rounded up, for d > 0.
func ceilDiv(n, d int) int {
	q := n / d
	if n%d > 0 {
		q++
	}
	return q
}

// shortest is the length of the shortest way, +Inf for none.
func (s *sightGrid) shortest(from, to spotXY) float64 {
	if from == to {
		return 0
	}
	best := math.Inf(1)
	for i := range s.g {
		s.g[i], s.seen[i] = math.Inf(1), false
	}
	length := func(a, b spotXY) float64 { return math.Hypot(float64(a.x-b.x), float64(a.y-b.y)) }
	ends := map[int]float64{}
	s.look(to, from, func(at spotXY) {
		if at == from {
			best = length(from, to)
		}
		if i, ok := s.number[at]; ok {
			ends[i] = length(at, to)
		}
	})
	// One may begin at a corner itself, in whatever direction.
	if i, ok := s.number[to]; ok {
		ends[i] = 0
	}
	var queue openSpots
	offer := func(i int, g float64) {
		if g < s.g[i] {
			s.g[i] = g
			heap.Push(&queue, openSpot{g + length(s.spots[i], to), i})
		}
	}
	s.look(from, from, func(at spotXY) {
		if i, ok := s.number[at]; ok {
			offer(i, length(from, at))
		}
	})
	for len(queue) > 0 {
		e, ok := heap.Pop(&queue).(openSpot)
		if !ok || e.f >= best {
			break
		}
		if s.seen[e.spot] {
			continue
		}
		s.seen[e.spot] = true
		if d, ok := ends[e.spot]; ok {
			best = min(best, s.g[e.spot]+d)
		}
		for _, l := range s.links[e.spot] {
			offer(l.to, s.g[e.spot]+l.lengthM)
		}
	}
	return best
}

// openSpot is a corner that a way reaches, with a lower bound of its length.
type openSpot struct {
	f    float64
	spot int
}

// openSpots are a heap of them.
type openSpots []openSpot

func (q openSpots) Len() int           { return len(q) }
func (q openSpots) Less(i, k int) bool { return q[i].f < q[k].f }
func (q openSpots) Swap(i, k int)      { q[i], q[k] = q[k], q[i] }

// Push implements heap.Interface.
func (q *openSpots) Push(x any) {
	if one, ok := x.(openSpot); ok {
		*q = append(*q, one)
	}
}

// Pop implements heap.Interface.
func (q *openSpots) Pop() any {
	all := *q
	last := all[len(all)-1]
	*q = all[:len(all)-1]
	return last
}

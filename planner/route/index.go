package route

import (
	"math"

	"github.com/kapok-fleet/kapok/planner/space"
)

// index finds the boxes that meet a box. It is a uniform grid of lists in flat
// arrays; boxes that would fill a great part of it stand in one list apart.
// It is immutable once built.
type index struct {
	bounds     space.Box
	cellM      float64
	cols, rows int
	first      []int32
	items      []int32
	wide       []int32
}

// maxCells bounds the memory of an index; the cells of a large area are larger.
const maxCells = 1 << 16

func newIndex(boxes []space.Box, cellM float64) *index {
	ix := &index{bounds: space.EmptyBox(), cellM: cellM}
	for _, b := range boxes {
		ix.bounds = ix.bounds.Union(b)
	}
	if ix.bounds.Empty() {
		ix.bounds = space.Box{}
	}
	w, h := ix.bounds.Max.X-ix.bounds.Min.X, ix.bounds.Max.Y-ix.bounds.Min.Y
	ix.cellM = max(cellM, math.Sqrt(w*h/maxCells), max(w, h)/maxCells)
	ix.cols, ix.rows = int(w/ix.cellM)+1, int(h/ix.cellM)+1
	ix.fill(boxes)
	return ix
}

func (ix *index) fill(boxes []space.Box) {
	count := make([]int32, ix.cols*ix.rows+1)
	wideAt := max(64, ix.cols*ix.rows/8)
	for i, b := range boxes {
		x0, y0, x1, y1 := ix.cells(b)
		if (x1-x0+1)*(y1-y0+1) > wideAt {
			ix.wide = append(ix.wide, int32(i))
			continue
		}
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				count[y*ix.cols+x+1]++
			}
		}
	}
	for i := 1; i < len(count); i++ {
		count[i] += count[i-1]
	}
	ix.first = count
	ix.items = make([]int32, count[len(count)-1])
	next := append([]int32(nil), count[:len(count)-1]...)
	for i, b := range boxes {
		x0, y0, x1, y1 := ix.cells(b)
		if (x1-x0+1)*(y1-y0+1) > wideAt {
			continue
		}
		for y := y0; y <= y1; y++ {
			for x := x0; x <= x1; x++ {
				c := y*ix.cols + x
				ix.items[next[c]] = int32(i)
				next[c]++
			}
		}
	}
}

// cells is the range of cells that b covers; an empty one (x1 < x0 or y1 < y0)
// when it lies outside.
func (ix *index) cells(b space.Box) (x0, y0, x1, y1 int) {
	if !b.Intersects(ix.bounds) {
		return 0, 0, -1, -1
	}
	x0 = max(0, int((b.Min.X-ix.bounds.Min.X)/ix.cellM))
	y0 = max(0, int((b.Min.Y-ix.bounds.Min.Y)/ix.cellM))
	x1 = min(ix.cols-1, int((b.Max.X-ix.bounds.Min.X)/ix.cellM))
	y1 = min(ix.rows-1, int((b.Max.Y-ix.bounds.Min.Y)/ix.cellM))
	return x0, y0, x1, y1
}

// seen remembers which items a walk has met, so that each is visited once.
type seen struct {
	stamp []uint32
	epoch uint32
}

func (s *seen) reset(n int) {
	if len(s.stamp) < n {
		s.stamp = make([]uint32, n)
		s.epoch = 0
	}
	s.epoch++
	if s.epoch == 0 {
		clear(s.stamp)
		s.epoch = 1
	}
}

// first tells whether item i is met for the first time since the last reset.
func (s *seen) first(i int32) bool {
	if s.stamp[i] == s.epoch {
		return false
	}
	s.stamp[i] = s.epoch
	return true
}

// within appends the items whose cells meet b, each once, those apart first.
func (ix *index) within(b space.Box, s *seen, dst []int32) []int32 {
	dst = append(dst, ix.wide...)
	x0, y0, x1, y1 := ix.cells(b)
	for y := y0; y <= y1; y++ {
		dst = ix.row(y, x0, x1, s, dst)
	}
	return dst
}

// along appends the items whose cells come closer than c to the segment p–q,
// each once; a few more may be among them.
func (ix *index) along(p, q space.XY, c float64, s *seen, dst []int32) []int32 {
	dst = append(dst, ix.wide...)
	b := space.BoxOf(p, q).Grow(c)
	x0, y0, x1, y1 := ix.cells(b)
	if y1-y0 <= 1 || x1-x0 <= 1 || p.Y == q.Y {
		for y := y0; y <= y1; y++ {
			dst = ix.row(y, x0, x1, s, dst)
		}
		return dst
	}
	slope := (q.X - p.X) / (q.Y - p.Y)
	for y := y0; y <= y1; y++ {
		lo := max(b.Min.Y, ix.bounds.Min.Y+float64(y)*ix.cellM-c)
		hi := min(b.Max.Y, ix.bounds.Min.Y+float64(y+1)*ix.cellM+c)
		xa, xb := p.X+(lo-p.Y)*slope, p.X+(hi-p.Y)*slope
		from := max(b.Min.X, min(xa, xb)-c)
		to := min(b.Max.X, max(xa, xb)+c)
		c0 := max(x0, int((from-ix.bounds.Min.X)/ix.cellM))
		c1 := min(x1, int((to-ix.bounds.Min.X)/ix.cellM))
		dst = ix.row(y, c0, c1, s, dst)
	}
	return dst
}

func (ix *index) row(y, x0, x1 int, s *seen, dst []int32) []int32 {
	for x := x0; x <= x1; x++ {
		cell := y*ix.cols + x
		for _, i := range ix.items[ix.first[cell]:ix.first[cell+1]] {
			if s.first(i) {
				dst = append(dst, i)
			}
		}
	}
	return dst
}

package match

import "math"

// length is what a path costs: rows that it leaves alone against the problem's wish
// come first, so that no number must stand for infinity.
type length struct {
	left int
	cost float64
}

func (a length) plus(b length) length  { return length{a.left + b.left, a.cost + b.cost} }
func (a length) minus(b length) length { return length{a.left - b.left, a.cost - b.cost} }
func (a length) less(b length) bool {
	return a.left < b.left || a.left == b.left && a.cost < b.cost
}

var unreached = length{math.MaxInt32, math.Inf(1)}

// solver holds a matching of the rows added so far that costs the least, with
// potentials that prove it. Behind the columns of the problem, each row has one of
// its own, in which it stays alone.
type solver struct {
	rows, cols int
	alone      []float64
	// rowOf and colOf are the pairs, -1 for none.
	rowOf, colOf []int
	// u of rows and v of columns: no cost is below u + v, and those of pairs equal it.
	u, v []length
	// Of the search for one row: the length to each column and the row before it, the
	// columns that have theirs for good, and those that have one.
	dist    []length
	before  []int
	settled []bool
	touched []int
	heap    heap
}

func newSolver(rows, cols int, alone []float64) *solver {
	all := cols + rows
	s := &solver{
		rows: rows, cols: cols, alone: alone, rowOf: make([]int, all), colOf: make([]int, rows),
		u: make([]length, rows), v: make([]length, all),
		dist: make([]length, all), before: make([]int, all), settled: make([]bool, all),
	}
	s.heap.place = make([]int32, all)
	for c := range all {
		s.rowOf[c], s.dist[c] = Alone, unreached
	}
	for r := range rows {
		s.colOf[r] = Alone
	}
	return s
}

// stay is what it costs to leave a row alone.
func (s *solver) stay(r int) length {
	if s.alone == nil || math.IsInf(s.alone[r], 1) {
		return length{left: 1}
	}
	return length{cost: s.alone[r]}
}

// add adds a row, whose pairs and those of all rows before it are told by edges. The
// search is Dijkstra's, over columns, by reduced costs.
func (s *solver) add(row int, edges func(r int, see func(col int, cost float64))) {
	s.touched = s.touched[:0]
	s.heap.clear()
	s.u[row] = s.cheapest(row, edges)
	reached := length{}
	r, end := row, -1
	for {
		relax := func(c int, cost length) {
			if s.settled[c] {
				return
			}
			d := reached.plus(cost.minus(s.u[r]).minus(s.v[c]))
			if d.less(reached) {
				d = reached // Rounding must not lead back.
			}
			if !d.less(s.dist[c]) {
				return
			}
			if s.dist[c] == unreached {
				s.touched = append(s.touched, c)
			}
			s.dist[c], s.before[c] = d, r
			s.heap.put(c, s.dist)
		}
		edges(r, func(c int, cost float64) { relax(c, length{cost: cost}) })
		relax(s.cols+r, s.stay(r))
		end = s.heap.take(s.dist)
		reached = s.dist[end]
		s.settled[end] = true
		if s.rowOf[end] < 0 {
			break
		}
		r = s.rowOf[end]
	}
	s.raise(row, reached)
	for c := end; ; {
		r := s.before[c]
		c, s.colOf[r], s.rowOf[c] = s.colOf[r], c, r
		if r == row {
			break
		}
	}
	for _, c := range s.touched {
		s.dist[c], s.settled[c] = unreached, false
	}
}

// cheapest is the greatest potential of a new row that leaves none of its costs below
// 0.
func (s *solver) cheapest(row int, edges func(r int, see func(col int, cost float64))) length {
	u := s.stay(row).minus(s.v[s.cols+row])
	edges(row, func(c int, cost float64) {
		if d := (length{cost: cost}).minus(s.v[c]); d.less(u) {
			u = d
		}
	})
	return u
}

// raise brings the potentials up to the search for a row, which ended at a length:
// the pairs that the path makes then cost nothing more.
func (s *solver) raise(row int, reached length) {
	s.u[row] = s.u[row].plus(reached)
	for _, c := range s.touched {
		if !s.settled[c] {
			continue
		}
		by := reached.minus(s.dist[c])
		s.v[c] = s.v[c].minus(by)
		if r := s.rowOf[c]; r >= 0 {
			s.u[r] = s.u[r].plus(by)
		}
	}
}

// pairs are the answer, its costs summed up anew.
func (s *solver) pairs(cost func(r, c int) float64) Pairs {
	p := Pairs{Col: s.colOf}
	for r, c := range s.colOf {
		if c < s.cols {
			p.Cost += cost(r, c)
			continue
		}
		p.Col[r] = Alone
		p.Unpaired++
		if s.alone != nil && !math.IsInf(s.alone[r], 1) {
			p.Cost += s.alone[r]
		}
	}
	return p
}

// heap holds columns by their length, the nearest first, and of equal ones the
// lowest. place is where each stands, plus 1; 0 for nowhere.
type heap struct {
	cols  []int32
	place []int32
}

func (h *heap) clear() {
	for _, c := range h.cols {
		h.place[c] = 0
	}
	h.cols = h.cols[:0]
}

func (h *heap) before(a, b int32, dist []length) bool {
	return dist[a].less(dist[b]) || dist[a] == dist[b] && a < b
}

// put adds a column, or moves it up after its length became less.
func (h *heap) put(col int, dist []length) {
	c := int32(col) //nolint:gosec // Columns and rows are bounded by MaxRows and MaxCols.
	i := int(h.place[c]) - 1
	if i < 0 {
		i = len(h.cols)
		h.cols = append(h.cols, c)
	}
	for i > 0 {
		up := (i - 1) / 2
		if !h.before(c, h.cols[up], dist) {
			break
		}
		h.set(i, h.cols[up])
		i = up
	}
	h.set(i, c)
}

// take removes the nearest column.
func (h *heap) take(dist []length) int {
	first, last := h.cols[0], h.cols[len(h.cols)-1]
	h.cols, h.place[first] = h.cols[:len(h.cols)-1], 0
	if len(h.cols) == 0 {
		return int(first)
	}
	i := 0
	for {
		down := 2*i + 1
		if down >= len(h.cols) {
			break
		}
		if down+1 < len(h.cols) && h.before(h.cols[down+1], h.cols[down], dist) {
			down++
		}
		if !h.before(h.cols[down], last, dist) {
			break
		}
		h.set(i, h.cols[down])
		i = down
	}
	h.set(i, last)
	return int(first)
}

func (h *heap) set(i int, c int32) {
	h.cols[i], h.place[c] = c, int32(i+1) //nolint:gosec // As above.
}

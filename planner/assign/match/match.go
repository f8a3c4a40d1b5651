// Package match pairs rows with columns at the least total cost: tasks with the
// vehicles that are free, chargers with those that need one.
//
// Both forms add one row after the other by a shortest augmenting path under
// potentials that keep all reduced costs at or above 0: Jonker and Volgenant, "A
// shortest augmenting path algorithm for dense and sparse linear assignment
// problems" (1987), for rectangles as in Crouse, "On implementing 2D rectangular
// assignment algorithms" (2016). A row that may stay alone has a column of its own
// for that.
package match

import (
	"fmt"
	"math"
)

// Limits of a problem.
const (
	MaxRows  = 1_000_000
	MaxCols  = 1_000_000
	MaxCells = 100_000_000
)

// Alone is the column of a row that stays alone.
const Alone = -1

// Pairs is the answer.
type Pairs struct {
	// Col is the column of each row, Alone for none.
	Col []int
	// Cost is the sum over all pairs, and over the rows that stay alone of what that
	// costs.
	Cost float64
	// Unpaired counts the rows that stay alone.
	Unpaired int
}

// Edge is a pair that may be.
type Edge struct {
	Row, Col int
	Cost     float64
}

// Dense pairs the rows of a matrix, row by row in cost; +Inf forbids a pair. alone is
// what it costs to leave each row alone; where it is nil, as many rows as can be are
// paired, and at the least cost among all ways to pair as many. Of equal answers it
// is always the same one. It takes time in the cube of the smaller side at worst.
func Dense(rows, cols int, cost, alone []float64) (Pairs, error) {
	if rows < 0 || cols < 0 || rows > MaxRows || cols > MaxCols || rows > 0 && cols > MaxCells/rows {
		return Pairs{}, fmt.Errorf("a matrix of %d rows and %d columns is beyond %d by %d, or %d cells", rows, cols, MaxRows, MaxCols, MaxCells)
	}
	if len(cost) != rows*cols {
		return Pairs{}, fmt.Errorf("a matrix of %d rows and %d columns has %d costs, not %d", rows, cols, len(cost), rows*cols)
	}
	for i, c := range cost {
		if math.IsNaN(c) || math.IsInf(c, -1) {
			return Pairs{}, fmt.Errorf("the cost of row %d and column %d is %g", i/cols, i%cols, c)
		}
	}
	if err := checkAlone(rows, alone); err != nil {
		return Pairs{}, err
	}
	s := newSolver(rows, cols, alone)
	for r := range rows {
		s.add(r, func(r int, see func(col int, cost float64)) {
			for c, cost := range cost[r*cols : (r+1)*cols] {
				if !math.IsInf(cost, 1) {
					see(c, cost)
				}
			}
		})
	}
	return s.pairs(func(r, c int) float64 { return cost[r*cols+c] }), nil
}

// Sparse is Dense for pairs that are listed; of a pair that is listed twice the
// cheaper counts. It takes time in rows times edges times the logarithm of the
// columns at worst.
func Sparse(rows, cols int, edges []Edge, alone []float64) (Pairs, error) {
	if rows < 0 || cols < 0 || rows > MaxRows || cols > MaxCols || len(edges) > MaxCells {
		return Pairs{}, fmt.Errorf("%d rows, %d columns and %d pairs are beyond %d, %d and %d", rows, cols, len(edges), MaxRows, MaxCols, MaxCells)
	}
	for i, e := range edges {
		if e.Row < 0 || e.Row >= rows || e.Col < 0 || e.Col >= cols || math.IsNaN(e.Cost) || math.IsInf(e.Cost, 0) {
			return Pairs{}, fmt.Errorf("pair %d is of row %d of %d and column %d of %d at the cost %g", i, e.Row, rows, e.Col, cols, e.Cost)
		}
	}
	if err := checkAlone(rows, alone); err != nil {
		return Pairs{}, err
	}
	first, list := byRow(rows, edges)
	of := func(r int) []Edge { return list[first[r]:first[r+1]] }
	s := newSolver(rows, cols, alone)
	for r := range rows {
		s.add(r, func(r int, see func(col int, cost float64)) {
			for _, e := range of(r) {
				see(e.Col, e.Cost)
			}
		})
	}
	return s.pairs(func(r, c int) float64 {
		cheapest := math.Inf(1)
		for _, e := range of(r) {
			if e.Col == c {
				cheapest = min(cheapest, e.Cost)
			}
		}
		return cheapest
	}), nil
}

func checkAlone(rows int, alone []float64) error {
	if alone == nil {
		return nil
	}
	if len(alone) != rows {
		return fmt.Errorf("%d rows have %d costs of staying alone", rows, len(alone))
	}
	for r, c := range alone {
		if math.IsNaN(c) || math.IsInf(c, -1) {
			return fmt.Errorf("the cost of row %d to stay alone is %g", r, c)
		}
	}
	return nil
}

// byRow sorts edges by row: those of r are list[first[r]:first[r+1]].
func byRow(rows int, edges []Edge) (first []int, list []Edge) {
	first, list = make([]int, rows+2), make([]Edge, len(edges))
	for _, e := range edges {
		first[e.Row+2]++
	}
	for r := range rows {
		first[r+2] += first[r+1]
	}
	for _, e := range edges {
		list[first[e.Row+1]] = e
		first[e.Row+1]++
	}
	return first[:rows+1], list
}

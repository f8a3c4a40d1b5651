package match_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/kapok-fleet/kapok/planner/assign/match"
)

var never = math.Inf(1)

func TestTheNearestVehicleIsNotAlwaysTheBest(t *testing.T) {
	// Greedy gives the first task its nearest vehicle, and the second then waits for 9.
	cost := []float64{
		1, 2,
		2, 9,
	}
	p, err := match.Dense(2, 2, cost, nil)
	if err != nil || p.Cost != 4 || p.Col[0] != 1 || p.Col[1] != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	// A third task that nobody can do stays alone, and costs nothing.
	p, err = match.Dense(3, 2, append(cost, never, never), nil)
	if err != nil || p.Cost != 4 || p.Unpaired != 1 || p.Col[2] != match.Alone {
		t.Errorf("%+v, %v", p, err)
	}
	// Leaving the second alone at 0.5 is better than any vehicle.
	p, err = match.Dense(2, 2, cost, []float64{100, 0.5})
	if err != nil || p.Cost != 1.5 || p.Col[1] != match.Alone {
		t.Errorf("%+v, %v", p, err)
	}
	// As many as can be are paired, whatever it costs.
	p, err = match.Dense(2, 2, []float64{1, 1e9, 1, never}, nil)
	if err != nil || p.Cost != 1e9+1 || p.Unpaired != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := match.Dense(0, 3, nil, nil); err != nil || len(p.Col) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
	if p, err := match.Dense(2, 0, nil, nil); err != nil || p.Unpaired != 2 {
		t.Errorf("%+v, %v", p, err)
	}
}

// problem is a random one: costs that often are equal, negative or forbidden.
func problem(rng *rand.Rand, rows, cols int) (cost, alone []float64) {
	for range rows * cols {
		switch rng.IntN(4) {
		case 0:
			cost = append(cost, never)
		case 1:
			cost = append(cost, float64(rng.IntN(5)))
		default:
			cost = append(cost, rng.Float64()*20-5)
		}
	}
	if rng.IntN(2) == 0 {
		for range rows {
			alone = append(alone, []float64{never, 3, rng.Float64() * 20}[rng.IntN(3)])
		}
	}
	return cost, alone
}

func edgesOf(rows, cols int, cost []float64) (edges []match.Edge) {
	for r := range rows {
		for c := range cols {
			if v := cost[r*cols+c]; v < never {
				edges = append(edges, match.Edge{Row: r, Col: c, Cost: v})
			}
		}
	}
	return edges
}

// best tries all ways to pair rows from the r-th on: the fewest unwanted singles, then
// the least cost.
func best(r, rows, cols int, used uint, cost, alone []float64) (left int, sum float64) {
	if r == rows {
		return 0, 0
	}
	left, sum = best(r+1, rows, cols, used, cost, alone)
	if alone == nil || alone[r] == never {
		left++
	} else {
		sum += alone[r]
	}
	for c := range cols {
		if used&(1<<c) != 0 || cost[r*cols+c] == never {
			continue
		}
		l, s := best(r+1, rows, cols, used|1<<c, cost, alone)
		if s += cost[r*cols+c]; l < left || l == left && s < sum {
			left, sum = l, s
		}
	}
	return left, sum
}

func TestAllSmallProblemsAgainstTryingEverything(t *testing.T) {
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		rows, cols := rng.IntN(6), rng.IntN(6)
		cost, alone := problem(rng, rows, cols)
		_, want := best(0, rows, cols, 0, cost, alone)
		wantLeft, _ := best(0, rows, cols, 0, cost, alone)
		for name, solve := range map[string]func() (match.Pairs, error){
			"dense":  func() (match.Pairs, error) { return match.Dense(rows, cols, cost, alone) },
			"sparse": func() (match.Pairs, error) { return match.Sparse(rows, cols, edgesOf(rows, cols, cost), alone) },
		} {
			p, err := solve()
			if err != nil {
				t.Fatal(err)
			}
			if got := judge(t, p, rows, cols, cost, alone); math.Abs(p.Cost-want) > 1e-9 || got != wantLeft {
				t.Fatalf("seed %d, %s: cost %g with %d left out, want %g and %d (go test -run TestAllSmall ./planner/assign/match)", seed, name, p.Cost, got, want, wantLeft)
			}
		}
	}
}

// judge checks that an answer is one, and counts the rows that it leaves out against
// the problem's wish.
func judge(t *testing.T, p match.Pairs, rows, cols int, cost, alone []float64) (left int) {
	t.Helper()
	used, sum := map[int]bool{}, 0.0
	for r, c := range p.Col {
		if c == match.Alone {
			if alone == nil || alone[r] == never {
				left++
			} else {
				sum += alone[r]
			}
			continue
		}
		if c < 0 || c >= cols || used[c] || cost[r*cols+c] == never {
			t.Fatalf("row %d is paired with column %d", r, c)
		}
		used[c] = true
		sum += cost[r*cols+c]
	}
	if len(p.Col) != rows || math.Abs(sum-p.Cost) > 1e-6 {
		t.Fatalf("%d rows, and the cost %g is said to be %g", len(p.Col), sum, p.Cost)
	}
	return left
}

// In a matching of least cost no exchange along a circle pays. The circles are looked
// for by Bellman and Ford's method, which knows nothing of potentials.
func TestNoExchangePaysInLargeProblems(t *testing.T) {
	for seed := range uint64(12) {
		rng := rand.New(rand.NewPCG(seed, 2))
		rows, cols := 20+rng.IntN(60), 20+rng.IntN(60)
		cost := make([]float64, rows*cols)
		alone := make([]float64, rows)
		for i := range cost {
			if cost[i] = rng.Float64() * 100; rng.IntN(3) == 0 {
				cost[i] = never
			}
		}
		for i := range alone {
			alone[i] = 20 + rng.Float64()*100
		}
		p, err := match.Sparse(rows, cols, edgesOf(rows, cols, cost), alone)
		if err != nil {
			t.Fatal(err)
		}
		judge(t, p, rows, cols, cost, alone)
		if gain := exchange(p, rows, cols, cost, alone); gain > 1e-6 {
			t.Errorf("seed %d: an exchange saves %g (go test -run TestNoExchange ./planner/assign/match)", seed, gain)
		}
		d, err := match.Dense(rows, cols, cost, alone)
		if err != nil || math.Abs(d.Cost-p.Cost) > 1e-6 {
			t.Errorf("seed %d: dense %g, sparse %g, %v", seed, d.Cost, p.Cost, err)
		}
	}
}

// exchange looks for rows that gain by passing columns on: from row a to row b when a
// takes what b has; the last one takes a free column or stays alone. Node rows stands
// for all that is free.
func exchange(p match.Pairs, rows, cols int, cost, alone []float64) float64 {
	has := map[int]int{}
	for r, c := range p.Col {
		if c != match.Alone {
			has[c] = r
		}
	}
	now := func(r int) float64 {
		if p.Col[r] == match.Alone {
			return alone[r]
		}
		return cost[r*cols+p.Col[r]]
	}
	type arc struct {
		from, to int
		cost     float64
	}
	var arcs []arc
	for r := range rows {
		arcs = append(arcs, arc{r, rows, alone[r] - now(r)}, arc{rows, r, 0})
		for c := range cols {
			if v := cost[r*cols+c]; v < never {
				to, taken := has[c]
				if !taken {
					to = rows
				}
				arcs = append(arcs, arc{r, to, v - now(r)})
			}
		}
	}
	dist := make([]float64, rows+1)
	for range rows + 1 {
		for _, a := range arcs {
			dist[a.to] = min(dist[a.to], dist[a.from]+a.cost)
		}
	}
	gain := 0.0
	for _, a := range arcs {
		gain = max(gain, dist[a.to]-dist[a.from]-a.cost)
	}
	return gain
}

func TestBadProblemsAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"too few costs":    {second(match.Dense(2, 2, []float64{1}, nil)), "has 1 costs, not 4"},
		"NaN":              {second(match.Dense(1, 2, []float64{1, math.NaN()}, nil)), "row 0 and column 1 is NaN"},
		"minus infinity":   {second(match.Dense(1, 1, []float64{-never}, nil)), "-Inf"},
		"negative rows":    {second(match.Dense(-1, 1, nil, nil)), "-1 rows"},
		"too many cells":   {second(match.Dense(1e6, 1e6, nil, nil)), "beyond"},
		"few alone":        {second(match.Dense(2, 1, []float64{1, 1}, []float64{1})), "2 rows have 1"},
		"alone of NaN":     {second(match.Dense(1, 1, []float64{1}, []float64{math.NaN()})), "stay alone is NaN"},
		"a pair of no row": {second(match.Sparse(1, 1, []match.Edge{{Row: 1}}, nil)), "row 1 of 1"},
		"a pair of Inf":    {second(match.Sparse(1, 1, []match.Edge{{Cost: never}}, nil)), "+Inf"},
	} {
		if c.err == nil || !strings.Contains(c.err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, c.err, c.want)
		}
	}
}

func second(_ match.Pairs, err error) error { return err }

func BenchmarkDense(b *testing.B) {
	for _, n := range []int{100, 300, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			cost := make([]float64, n*n)
			for i := range cost {
				cost[i] = rng.Float64() * 1000
			}
			for b.Loop() {
				if _, err := match.Dense(n, n, cost, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSparse has 20 pairs for each row, near in the plane, as candidates are.
func BenchmarkSparse(b *testing.B) {
	for _, n := range []int{100, 1000, 10000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 1))
			var edges []match.Edge
			for r := range n {
				for range 20 {
					edges = append(edges, match.Edge{Row: r, Col: (r + rng.IntN(200)) % n, Cost: rng.Float64() * 1000})
				}
			}
			for b.Loop() {
				if _, err := match.Sparse(n, n, edges, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

package cch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// built is a network with all that is made of it.
type built struct {
	network
	h *Hierarchy
	m *Metric
	q *Query
}

func build(t testing.TB, n network) built {
	t.Helper()
	order, err := Order(&n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(&n.Graph, order)
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Customize(n.weights)
	if err != nil {
		t.Fatal(err)
	}
	return built{n, h, m, NewQuery(m)}
}

// eachTangle runs a test on many random networks; a failure names the seed.
func eachTangle(t *testing.T, count int, test func(t *testing.T, rnd *rand.Rand, n network)) {
	t.Helper()
	for seed := range uint64(count) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 7))
			nodes := 1 + rnd.IntN(60)
			n := tangle(rnd, nodes, rnd.IntN(3*nodes))
			if seed%4 == 0 {
				n = lattice(rnd, 2+rnd.IntN(9), 2+rnd.IntN(9))
			}
			test(t, rnd, n)
		})
	}
}

// seeds are one to four random places to start or end at.
func seeds(rnd *rand.Rand, nodes int) []Seed {
	list := make([]Seed, 1+rnd.IntN(4)*rnd.IntN(2))
	for i := range list {
		list[i] = Seed{rnd.Int32N(int32(nodes)), weight(rnd)}
	}
	return list
}

// costOf adds up a way, after checking that its arcs follow one another.
func costOf(t *testing.T, n *network, start, end Seed, arcs []int32) uint32 {
	t.Helper()
	tails := n.Tails()
	at, sum := start.Node, uint64(start.Cost)+uint64(end.Cost)
	for _, a := range arcs {
		if tails[a] != at {
			t.Fatalf("arc %d starts at %d, the way stands at %d", a, tails[a], at)
		}
		at = n.Head[a]
		sum += uint64(n.weights[a])
	}
	if at != end.Node {
		t.Fatalf("the way ends at %d, not at %d", at, end.Node)
	}
	return uint32(min(sum, uint64(Infinity)))
}

func TestQueriesEqualDijkstra(t *testing.T) {
	eachTangle(t, 400, func(t *testing.T, rnd *rand.Rand, n network) {
		b := build(t, n)
		for round := range 20 {
			if round == 10 {
				b.m.Prune()
			}
			from, to := seeds(rnd, n.Nodes()), seeds(rnd, n.Nodes())
			want := Infinity
			all := n.dijkstra(from)
			for _, s := range to {
				want = min(want, uint32(min(uint64(all[s.Node])+uint64(s.Cost), uint64(Infinity))))
			}
			got, err := b.q.Cost(from, to)
			if err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Fatalf("from %v to %v: cost %d, Dijkstra has %d", from, to, got, want)
			}
			arcs := b.q.Path(nil)
			i, j, ok := b.q.Ends()
			if ok != (want < Infinity) || !ok && len(arcs) > 0 {
				t.Fatalf("a way of cost %d: ends %t, %d arcs", want, ok, len(arcs))
			}
			if ok {
				if sum := costOf(t, &n, from[i], to[j], arcs); sum != want {
					t.Fatalf("the way costs %d, not %d", sum, want)
				}
			}
		}
	})
}

func TestUpdateEqualsCustomize(t *testing.T) {
	eachTangle(t, 200, func(t *testing.T, rnd *rand.Rand, n network) {
		b := build(t, n)
		if n.Arcs() == 0 {
			return
		}
		for range 30 {
			changes := make([]Change, 1+rnd.IntN(5)*rnd.IntN(2))
			for i := range changes {
				changes[i] = Change{rnd.Int32N(int32(n.Arcs())), weight(rnd)}
				n.weights[changes[i].Arc] = changes[i].Weight
			}
			if rnd.IntN(4) == 0 {
				b.m.Prune()
			}
			if _, err := b.m.Update(changes); err != nil {
				t.Fatal(err)
			}
			fresh, err := b.h.Customize(n.weights)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(fresh.w, b.m.w) {
				t.Fatalf("after %v the weights of the slots are not those of a new metric", changes)
			}
			from := rnd.Int32N(int32(n.Nodes()))
			all := n.dijkstra([]Seed{{Node: from}})
			to := rnd.Int32N(int32(n.Nodes()))
			if got, _ := b.q.Between(from, to); got != all[to] {
				t.Fatalf("from %d to %d: cost %d, Dijkstra has %d", from, to, got, all[to])
			}
		}
	})
}

func TestMatrixEqualsQueries(t *testing.T) {
	eachTangle(t, 100, func(t *testing.T, rnd *rand.Rand, n network) {
		b := build(t, n)
		for round := range 4 {
			if round == 2 {
				b.m.Prune()
			}
			from, to := make([][]Seed, rnd.IntN(6)), make([][]Seed, rnd.IntN(6))
			for i := range from {
				from[i] = seeds(rnd, n.Nodes())
			}
			for i := range to {
				to[i] = seeds(rnd, n.Nodes())
			}
			got, err := b.q.Matrix(nil, from, to)
			if err != nil {
				t.Fatal(err)
			}
			want := []uint32{}
			for _, f := range from {
				for _, g := range to {
					cost, _ := b.q.Cost(f, g)
					want = append(want, cost)
				}
			}
			if !slices.Equal(got, want) {
				t.Fatalf("the matrix from %v to %v is %v, queries have %v", from, to, got, want)
			}
		}
	})
}

func TestReachEqualsDijkstra(t *testing.T) {
	eachTangle(t, 200, func(t *testing.T, rnd *rand.Rand, n network) {
		b := build(t, n)
		reverse := n.reversed(t)
		for round := range 8 {
			if round == 4 {
				b.m.Prune()
			}
			from := seeds(rnd, n.Nodes())
			bound := []uint32{0, 20, 100, 20000, Infinity, ^uint32(0)}[rnd.IntN(6)]
			ahead, err := b.q.Reach(nil, from, bound)
			if err != nil {
				t.Fatal(err)
			}
			sameReach(t, ahead, n.dijkstra(from), bound)
			behind, err := b.q.ReachBack(nil, from, bound)
			if err != nil {
				t.Fatal(err)
			}
			sameReach(t, behind, reverse.dijkstra(from), bound)
		}
	})
}

// reversed is the network with all arcs turned round.
func (g *network) reversed(t *testing.T) network {
	t.Helper()
	var list []Arc
	for a, tail := range g.Tails() {
		list = append(list, Arc{g.Head[a], tail})
	}
	r, given, err := NewGraph(g.At, list)
	if err != nil {
		t.Fatal(err)
	}
	n := network{Graph: r}
	for _, a := range given {
		n.weights = append(n.weights, g.weights[a])
	}
	return n
}

func sameReach(t *testing.T, got []Reached, want []uint32, bound uint32) {
	t.Helper()
	seen := map[int32]uint32{}
	for _, r := range got {
		if _, twice := seen[r.Node]; twice {
			t.Fatalf("node %d is reached twice", r.Node)
		}
		seen[r.Node] = r.Cost
	}
	for v, cost := range want {
		got, reached := seen[int32(v)]
		if reached != (cost < Infinity && cost <= bound) || reached && got != cost {
			t.Fatalf("node %d within %d: reached %t at %d, Dijkstra has %d", v, bound, reached, got, cost)
		}
	}
}

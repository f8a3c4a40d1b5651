package cch

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// bans is what the brute-force search knows of turns: whether the last arcs of a way
// are forbidden.
type bans struct {
	turns *Turns
	deg   func(arc int32) int32
}

// forbidden tells whether a way may not have been gone, by its last arcs.
func (b *bans) forbidden(way []int32) bool {
	for _, ban := range b.turns.Never {
		if len(way) >= len(ban) && slices.Equal(way[len(way)-len(ban):], ban) {
			return true
		}
	}
	for _, only := range b.turns.Only {
		k := len(only)
		if len(way) >= k && slices.Equal(way[len(way)-k:len(way)-1], only[:k-1]) && way[len(way)-1] != only[k-1] {
			return true
		}
	}
	return false
}

func (b *bans) turn(from, to int32) uint32 {
	if b.turns.Twin[from] == to {
		if b.deg(from) == 1 {
			return b.turns.UTurnAtEnd
		}
		return b.turns.UTurn
	}
	return b.turns.Cost(from, to)
}

// search goes along all ways, told apart by their last arcs as far as restrictions
// look back, and has the least cost to the start of each arc.
func (b *bans) search(n *network, start int32, memory int) []uint32 {
	cost := make([]uint32, n.Arcs())
	for i := range cost {
		cost[i] = Infinity
	}
	type state struct {
		cost uint64
		way  []int32
	}
	done := map[string]uint64{}
	open := []state{{0, []int32{start}}}
	for len(open) > 0 {
		best := 0
		for i := range open {
			if open[i].cost < open[best].cost {
				best = i
			}
		}
		s := open[best]
		open = slices.Delete(open, best, best+1)
		key := fmt.Sprint(s.way)
		if _, seen := done[key]; seen {
			continue
		}
		done[key] = s.cost
		last := s.way[len(s.way)-1]
		cost[last] = uint32(min(uint64(cost[last]), s.cost))
		for next := n.First[n.Head[last]]; next < n.First[n.Head[last]+1]; next++ {
			way := append(slices.Clone(s.way), next)
			c := s.cost + uint64(n.weights[last]) + uint64(b.turn(last, next))
			if c >= uint64(Infinity) || b.turn(last, next) >= Infinity || b.forbidden(way) {
				continue
			}
			open = append(open, state{c, way[max(0, len(way)-memory):]})
		}
	}
	return cost
}

// randomTurns are restrictions along random ways.
func randomTurns(rnd *rand.Rand, n *network) *Turns {
	turns := &Turns{Twin: make([]int32, n.Arcs()), UTurn: Infinity, UTurnAtEnd: 7}
	if rnd.IntN(2) == 0 {
		turns.UTurn = 30
	}
	tails := n.Tails()
	for a := range turns.Twin {
		turns.Twin[a] = -1
		first, end := n.Out(n.Head[a])
		for b := first; b < end; b++ {
			if n.Head[b] == tails[a] && int(b) != a {
				turns.Twin[a] = b
			}
		}
	}
	turns.Cost = func(from, to int32) uint32 {
		if (from*31+to*17)%11 == 0 {
			return Infinity
		}
		return uint32(from*7+to*3) % 9
	}
	walk := func() []int32 {
		way := []int32{rnd.Int32N(int32(n.Arcs()))}
		for size := 2 + rnd.IntN(3); len(way) < size; {
			first, end := n.Out(n.Head[way[len(way)-1]])
			if first == end {
				return nil
			}
			way = append(way, first+rnd.Int32N(end-first))
		}
		return way
	}
	for range rnd.IntN(12) {
		if way := walk(); way != nil {
			turns.Never = append(turns.Never, way)
		}
	}
	for range rnd.IntN(4) {
		if way := walk(); way != nil {
			turns.Only = append(turns.Only, way)
		}
	}
	return turns
}

func TestTurnsEqualBruteForce(t *testing.T) {
	for seed := range uint64(150) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 9))
			n := lattice(rnd, 2+rnd.IntN(3), 2+rnd.IntN(3))
			if seed%3 == 0 {
				n = tangle(rnd, 8, 12)
			}
			if n.Arcs() == 0 {
				return
			}
			turns := randomTurns(rnd, &n)
			e, q := expanded(t, &n, turns)
			b := bans{turns, func(arc int32) int32 { first, end := n.Out(n.Head[arc]); return end - first }}
			for range 5 {
				start := rnd.Int32N(int32(n.Arcs()))
				want := b.search(&n, start, 4)
				for end := range int32(n.Arcs()) {
					got, err := q.Cost([]Seed{{Node: start}}, e.ToArc(nil, end, 0))
					if err != nil {
						t.Fatal(err)
					}
					if got != want[end] {
						t.Fatalf("from the start of arc %d to that of %d: %d, brute force has %d\nnever %v only %v", start, end, got, want[end], turns.Never, turns.Only)
					}
					if got < Infinity {
						b.check(t, &n, e.Streets(nil, q), got)
					}
				}
			}
		})
	}
}

// check adds up a way and looks for what is forbidden on it.
func (b *bans) check(t *testing.T, n *network, way []int32, want uint32) {
	t.Helper()
	sum := uint32(0)
	for i := 1; i < len(way); i++ {
		if b.forbidden(way[:i+1]) {
			t.Fatalf("the way %v is forbidden at its arc %d", way, i)
		}
		sum += n.weights[way[i-1]] + b.turn(way[i-1], way[i])
	}
	if sum != want {
		t.Fatalf("the way %v costs %d, not %d", way, sum, want)
	}
}

func expanded(t testing.TB, n *network, turns *Turns) (*Expanded, *Query) {
	t.Helper()
	e, err := Expand(&n.Graph, turns)
	if err != nil {
		t.Fatal(err)
	}
	arcs, err := OrderArcs(&n.Graph)
	if err != nil {
		t.Fatal(err)
	}
	order, err := e.Order(arcs)
	if err != nil {
		t.Fatal(err)
	}
	h, err := New(&e.Graph, order)
	if err != nil {
		t.Fatal(err)
	}
	weights, err := e.Weights(nil, n.weights)
	if err != nil {
		t.Fatal(err)
	}
	m, err := h.Customize(weights)
	if err != nil {
		t.Fatal(err)
	}
	return e, NewQuery(m)
}

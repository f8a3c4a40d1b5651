package cch

import (
	"math/rand/v2"

	"github.com/kapok-fleet/kapok/planner/space"
)

// network is a network with weights, for tests.
type network struct {
	Graph
	weights []uint32
}

// dijkstra is the plain algorithm: the cost of each node from the seeds.
func (g *network) dijkstra(seeds []Seed) []uint32 {
	cost := make([]uint32, g.Nodes())
	for i := range cost {
		cost[i] = Infinity
	}
	type item struct {
		cost uint32
		node int32
	}
	var heap []item
	push := func(it item) {
		heap = append(heap, it)
		for i := len(heap) - 1; i > 0 && heap[(i-1)/2].cost > heap[i].cost; i = (i - 1) / 2 {
			heap[i], heap[(i-1)/2] = heap[(i-1)/2], heap[i]
		}
	}
	pop := func() item {
		top := heap[0]
		heap[0] = heap[len(heap)-1]
		heap = heap[:len(heap)-1]
		for i := 0; 2*i+1 < len(heap); {
			c := 2*i + 1
			if c+1 < len(heap) && heap[c+1].cost < heap[c].cost {
				c++
			}
			heap[i], heap[c] = heap[c], heap[i]
			i = c
		}
		return top
	}
	for _, s := range seeds {
		if s.Cost < cost[s.Node] {
			cost[s.Node] = s.Cost
			push(item{s.Cost, s.Node})
		}
	}
	for len(heap) > 0 {
		it := pop()
		if it.cost > cost[it.node] {
			continue
		}
		for a := g.First[it.node]; a < g.First[it.node+1]; a++ {
			c := uint64(it.cost) + uint64(g.weights[a])
			if h := g.Head[a]; c < uint64(cost[h]) {
				cost[h] = uint32(c)
				push(item{uint32(c), h})
			}
		}
	}
	return cost
}

// tangle is a random network without any geometry in it, with parallel arcs, loops,
// weights of zero and of Infinity, and parts that are not joined.
func tangle(rnd *rand.Rand, nodes, arcs int) network {
	at := make([]space.XY, nodes)
	for i := range at {
		at[i] = space.XY{X: rnd.Float64() * 1000, Y: float64(rnd.IntN(5))}
	}
	list := make([]Arc, 0, arcs)
	for range arcs {
		tail := rnd.Int32N(int32(nodes))
		head := rnd.Int32N(int32(nodes))
		if rnd.IntN(3) > 0 {
			head = (tail + rnd.Int32N(5)) % int32(nodes)
		}
		list = append(list, Arc{tail, head})
		if rnd.IntN(2) == 0 {
			list = append(list, Arc{head, tail})
		}
	}
	g, _, err := NewGraph(at, list)
	if err != nil {
		panic(err)
	}
	n := network{Graph: g, weights: make([]uint32, g.Arcs())}
	for a := range n.weights {
		n.weights[a] = weight(rnd)
	}
	return n
}

// weight is one of the weights that tangles have.
func weight(rnd *rand.Rand) uint32 {
	switch rnd.IntN(12) {
	case 0, 1:
		return 0
	case 2:
		return Infinity
	case 3:
		return ^uint32(0)
	case 4:
		return Infinity / 3
	default:
		return rnd.Uint32N(50)
	}
}

// lattice is a grid of streets with uneven nodes and weights, both ways.
func lattice(rnd *rand.Rand, width, height int) network {
	at := make([]space.XY, 0, width*height)
	var list []Arc
	for y := range height {
		for x := range width {
			at = append(at, space.XY{X: 100*float64(x) + 60*rnd.Float64(), Y: 100*float64(y) + 60*rnd.Float64()})
			v := int32(y*width + x)
			if x > 0 && rnd.IntN(8) > 0 {
				list = append(list, Arc{v, v - 1}, Arc{v - 1, v})
			}
			if y > 0 && rnd.IntN(8) > 0 {
				list = append(list, Arc{v, v - int32(width)}, Arc{v - int32(width), v})
			}
		}
	}
	g, _, err := NewGraph(at, list)
	if err != nil {
		panic(err)
	}
	n := network{Graph: g, weights: make([]uint32, g.Arcs())}
	for a := range n.weights {
		n.weights[a] = 2000 + rnd.Uint32N(8000)
	}
	return n
}

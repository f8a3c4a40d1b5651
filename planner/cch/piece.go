package cch

import (
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// piece is a connected part of the network while it is being cut up: undirected,
// without loops, and with one edge for each pair of neighbours. Nodes and edges are
// numbered within the piece; each edge is stored at both of its ends.
type piece struct {
	// node is the number of each node in the whole network.
	node []int32
	at   []space.XY
	// first and head are the edges by node; back is the same edge at its other end,
	// and room its capacity, the same at both ends.
	first, head, back, room []int32
}

// whole makes one piece of all nodes of a network, connected or not. With counted,
// the capacity of an edge is the number of arcs between its ends, otherwise 1.
func whole(g *Graph, counted bool) *piece {
	n := g.Nodes()
	p := &piece{node: make([]int32, n), at: g.At, first: make([]int32, n+1)}
	degree := make([]int32, n+1)
	for i := range n {
		p.node[i] = int32(i)
		for a := g.First[i]; a < g.First[i+1]; a++ {
			if h := g.Head[a]; int(h) != i {
				degree[i]++
				degree[h]++
			}
		}
	}
	start := make([]int32, n+1)
	for i := range n {
		start[i+1] = start[i] + degree[i]
	}
	all := make([]int32, start[n])
	next := slices.Clone(start[:n])
	for i := range n {
		for a := g.First[i]; a < g.First[i+1]; a++ {
			if h := g.Head[a]; int(h) != i {
				all[next[i]] = h
				next[i]++
				all[next[h]] = int32(i)
				next[h]++
			}
		}
	}
	for i := range n {
		list := all[start[i]:start[i+1]]
		slices.Sort(list)
		for k, h := range list {
			if k > 0 && list[k-1] == h {
				if counted {
					p.room[len(p.room)-1]++
				}
				continue
			}
			p.head = append(p.head, h)
			p.room = append(p.room, 1)
		}
		p.first[i+1] = int32(len(p.head))
	}
	p.pair()
	return p
}

// pair finds the other end of each edge. Heads are sorted at each node, so the edges
// that lead to a node are met in the order in which they stand there.
func (p *piece) pair() {
	p.back = make([]int32, len(p.head))
	next := slices.Clone(p.first[:len(p.node)])
	for i := range p.node {
		for e := p.first[i]; e < p.first[i+1]; e++ {
			h := p.head[e]
			p.back[e] = next[h]
			next[h]++
		}
	}
}

// part makes a piece of some nodes of this one, given in ascending order. local is
// scratch with an element for each node, and -1 in all of them before and after.
func (p *piece) part(nodes, local []int32) *piece {
	size := int32(0)
	for i, v := range nodes {
		local[v] = int32(i)
		size += p.first[v+1] - p.first[v]
	}
	q := &piece{
		node: make([]int32, len(nodes)), at: make([]space.XY, len(nodes)), first: make([]int32, len(nodes)+1),
		head: make([]int32, 0, size), room: make([]int32, 0, size),
	}
	for i, v := range nodes {
		q.node[i], q.at[i] = p.node[v], p.at[v]
		for e := p.first[v]; e < p.first[v+1]; e++ {
			if l := local[p.head[e]]; l >= 0 {
				q.head = append(q.head, l)
				q.room = append(q.room, p.room[e])
			}
		}
		q.first[i+1] = int32(len(q.head))
	}
	for _, v := range nodes {
		local[v] = -1
	}
	q.pair()
	return q
}

// components splits a piece into its connected parts, by their lowest nodes. Nodes
// on the cut are left out, as are edges between nodes of different sides.
func (p *piece) components(side []int8) []*piece {
	const out = -1
	n := len(p.node)
	number := make([]int32, n)
	for i := range number {
		number[i] = out
	}
	var queue []int32
	count := int32(0)
	for i := range n {
		if number[i] != out || side[i] == onCut {
			continue
		}
		number[i] = count
		queue = append(queue[:0], int32(i))
		for len(queue) > 0 {
			v := queue[len(queue)-1]
			queue = queue[:len(queue)-1]
			for e := p.first[v]; e < p.first[v+1]; e++ {
				if h := p.head[e]; number[h] == out && side[h] == side[v] {
					number[h] = count
					queue = append(queue, h)
				}
			}
		}
		count++
	}
	// The nodes by component, each list ascending.
	start := make([]int32, count+1)
	for _, c := range number {
		if c != out {
			start[c+1]++
		}
	}
	for c := range count {
		start[c+1] += start[c]
	}
	sorted := make([]int32, start[count])
	next := slices.Clone(start[:count])
	for i, c := range number {
		if c != out {
			sorted[next[c]] = int32(i)
			next[c]++
		}
	}
	for i := range number {
		number[i] = -1
	}
	parts := make([]*piece, count)
	for c := range count {
		parts[c] = p.part(sorted[start[c]:start[c+1]], number)
	}
	return parts
}

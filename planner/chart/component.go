package chart

import (
	"cmp"
	"slices"
)

// components numbers the strongly connected components of a profile's part of a
// graph: 0 for the one with most nodes, and on by falling size, the lowest node
// first among equals; -1 for nodes without an arc of the profile. Tarjan, "Depth-first search and linear graph algorithms", 1972, with
// a stack of its own, since a street network is deeper than call stacks like.
func components(g Graph, profile Profile) []int32 {
	t := tarjan{
		graph:   g,
		profile: profile,
		in:      make([]bool, len(g.Nodes)),
		comp:    make([]int32, len(g.Nodes)),
		order:   make([]int32, len(g.Nodes)),
		low:     make([]int32, len(g.Nodes)),
		arc:     make([]int32, len(g.Nodes)),
	}
	for n := range g.Nodes {
		t.comp[n] = -1
		t.arc[n] = g.First[n]
	}
	for _, arc := range g.Arcs {
		if arc.Profiles&profile != 0 {
			t.in[arc.From], t.in[arc.To] = true, true
		}
	}
	for n := range g.Nodes {
		if t.in[n] && t.order[n] == 0 {
			t.visit(int32(n))
		}
	}
	return t.rank()
}

// tarjan is the state of one run. order counts visits from 1, 0 for none; arc
// is the next arc to follow from each node.
type tarjan struct {
	graph           Graph
	profile         Profile
	in              []bool
	comp            []int32
	order, low, arc []int32
	visited         int32
	open, path      []int32
	sizes           []component
}

type component struct{ id, size, lowest int32 }

func (t *tarjan) enter(n int32) {
	t.visited++
	t.order[n], t.low[n] = t.visited, t.visited
	t.open, t.path = append(t.open, n), append(t.path, n)
}

func (t *tarjan) visit(root int32) {
	t.enter(root)
	for len(t.path) > 0 {
		n := t.path[len(t.path)-1]
		if t.arc[n] < t.graph.First[n+1] {
			arc := &t.graph.Arcs[t.arc[n]]
			to := arc.To
			t.arc[n]++
			if arc.Profiles&t.profile == 0 {
				continue
			}
			if t.order[to] == 0 {
				t.enter(to)
			} else if t.comp[to] < 0 {
				t.low[n] = min(t.low[n], t.order[to])
			}
			continue
		}
		t.path = t.path[:len(t.path)-1]
		if len(t.path) > 0 {
			parent := t.path[len(t.path)-1]
			t.low[parent] = min(t.low[parent], t.low[n])
		}
		if t.low[n] == t.order[n] {
			t.close(n)
		}
	}
}

// close takes the component whose first node is root off the open nodes.
func (t *tarjan) close(root int32) {
	c := component{id: int32(len(t.sizes)), lowest: root}
	for {
		n := t.open[len(t.open)-1]
		t.open = t.open[:len(t.open)-1]
		t.comp[n] = c.id
		c.size++
		c.lowest = min(c.lowest, n)
		if n == root {
			break
		}
	}
	t.sizes = append(t.sizes, c)
}

// rank renumbers the components by size.
func (t *tarjan) rank() []int32 {
	slices.SortFunc(t.sizes, func(a, b component) int {
		return cmp.Or(cmp.Compare(b.size, a.size), cmp.Compare(a.lowest, b.lowest))
	})
	rank := make([]int32, len(t.sizes))
	for i, c := range t.sizes {
		rank[c.id] = int32(i)
	}
	for n := range t.comp {
		if t.in[n] {
			t.comp[n] = rank[t.comp[n]]
		}
	}
	return t.comp
}

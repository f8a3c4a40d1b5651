package mesh

import (
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// This file tells free triangles from blocked ones, and takes the border between
// the two.

// theField is the number under which the ring that encloses the field itself is
// fenced; obstacles have the numbers from 1.
const theField = 0

// visit is a triangle on the walk through all of them, and the next of its edges
// to be looked at.
type visit struct {
	t     int32
	i     int
	entry int
}

// free tells for each triangle whether it is inside the field and in no obstacle.
// It walks from triangle to triangle, deep first, and keeps count of how often
// each obstacle winds about the place; walking back undoes the count.
func (d *triangulation) free(obstacles int) []bool {
	free := make([]bool, len(d.tri))
	met := make([]bool, len(d.tri))
	c := count{turns: make([]int32, obstacles+1)}
	// The first corner is outside of everything.
	t := d.at[0]
	met[t] = true
	stack := []visit{{t: t, entry: -1}}
	for len(stack) > 0 {
		top := &stack[len(stack)-1]
		if top.i == 3 {
			if top.entry >= 0 {
				c.step(d, edge{top.t, top.entry})
			}
			stack = stack[:len(stack)-1]
			continue
		}
		i := top.i
		top.i++
		u := d.tri[top.t].n[i]
		if u < 0 || met[u] {
			continue
		}
		met[u] = true
		back := d.sideOf(u, top.t)
		c.step(d, edge{top.t, i})
		free[u] = c.turns[theField] != 0 && c.inside == 0
		stack = append(stack, visit{t: u, entry: back})
	}
	return free
}

// count is how often the field and each obstacle wind about a place, and how many
// obstacles do so at all.
type count struct {
	turns  []int32
	inside int
}

// step goes out of a triangle over one of its edges.
func (c *count) step(d *triangulation, e edge) {
	tri := &d.tri[e.t]
	back := tri.v[(e.i+1)%3] > tri.v[(e.i+2)%3]
	for _, w := range d.fences[tri.fence[e.i]] {
		turns := w.turns
		if back {
			turns = -turns
		}
		was := c.turns[w.obstacle]
		is := was - turns
		c.turns[w.obstacle] = is
		if w.obstacle == theField {
			continue
		}
		if was == 0 {
			c.inside++
		}
		if is == 0 {
			c.inside--
		}
	}
}

// border returns the edges between free and blocked triangles, the free side to
// their left, by the numbers of the points. Points in the middle of a straight
// line are left out.
func (d *triangulation) border(free []bool) []pair {
	next := make(map[int32][]int32)
	into := make(map[int32][]int32)
	for t := range d.tri {
		if !free[t] {
			continue
		}
		for i := range 3 {
			if u := d.tri[t].n[i]; u < 0 || !free[u] {
				a, b := d.tri[t].v[(i+1)%3], d.tri[t].v[(i+2)%3]
				next[a] = append(next[a], b)
				into[b] = append(into[b], a)
			}
		}
	}
	for v := range int32(len(d.pts)) {
		if len(next[v]) != 1 || len(into[v]) != 1 {
			continue
		}
		a, b := into[v][0], next[v][0]
		if a == b || orient(d.pts[a], d.pts[v], d.pts[b]) != 0 || d.pts[v].Sub(d.pts[a]).Dot(d.pts[b].Sub(d.pts[v])) <= 0 {
			continue
		}
		next[a][slices.Index(next[a], v)] = b
		into[b][slices.Index(into[b], v)] = a
		delete(next, v)
		delete(into, v)
	}
	var edges []pair
	for v := range int32(len(d.pts)) {
		for _, to := range next[v] {
			edges = append(edges, pair{v, to})
		}
	}
	return edges
}

// settled takes out of a coordinate what is so near to 0 that products of it could
// underflow.
func settled(p space.XY) space.XY {
	if p.X > -least && p.X < least {
		p.X = 0
	}
	if p.Y > -least && p.Y < least {
		p.Y = 0
	}
	return p
}

package mesh

import (
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// Fences are the edges of rings within the triangulation. Each knows which rings
// it belongs to and which way round, so that who goes from triangle to triangle
// knows at any time how often each obstacle winds about the place. Where rings
// cross, a point is put in. It is rounded, so the parts of an edge may be bent by
// the last digits; but they still lead from one end of the edge to the other, every
// ring stays closed, and inside and outside stay well defined whatever the
// rounding. An edge that passes a point nearer than nearPart is led through it, so
// that what was meant to touch does.

// nearPart is how near is on, as a part of the size of all.
const nearPart = 1.0 / (1 << 42)

// winding is what an edge adds to how often an obstacle winds about what lies to
// its left, compared with what lies to its right. Edges with a fence are meant to
// run from the lower number of their points to the higher.
type winding struct {
	obstacle, turns int32
}

// strip is a part of a ring that has no fence yet; its windings are meant from a
// to b.
type strip struct {
	a, b int32
	w    []winding
}

func reversed(w []winding) []winding {
	back := slices.Clone(w)
	for i := range back {
		back[i].turns = -back[i].turns
	}
	return back
}

// enclose puts up the fence between two points.
func (d *triangulation) enclose(a, b int32, w []winding) error {
	d.tasks = append(d.tasks[:0], strip{a, b, w})
	// Each crossing makes four strips of two. Edges that meet again and again within
	// their last digits would go on for ever.
	for steps := 0; len(d.tasks) > 0; steps++ {
		if steps > 16*len(d.pts)+64 {
			return errTooMany
		}
		s := d.tasks[len(d.tasks)-1]
		d.tasks = d.tasks[:len(d.tasks)-1]
		if s.a == s.b || len(s.w) == 0 {
			continue
		}
		if err := d.fenceOff(s); err != nil {
			return err
		}
	}
	return nil
}

// fenceOff puts up one strip, or what of it leads to the next point or fence that
// it meets, and leaves the rest among the tasks.
func (d *triangulation) fenceOff(s strip) error {
	first, end := d.look(s.a, s.b)
	if end < 0 {
		var hit edge
		d.crossed = d.crossed[:0]
		end, hit = d.march(first, s)
		if end < 0 {
			return d.cross(hit, s)
		}
		if orient(d.pts[s.a], d.pts[s.b], d.pts[end]) != 0 {
			d.tasks = append(d.tasks, strip{end, s.b, s.w}, strip{s.a, end, s.w})
			return nil
		}
		d.clear(s.a, end)
	}
	if end != s.b {
		d.tasks = append(d.tasks, strip{end, s.b, s.w})
	}
	d.addFence(s.a, end, s.w)
	d.legalize()
	return nil
}

// look finds what lies next on the way from a to b: a point to which there is an
// edge already, or the edge that is crossed first.
func (d *triangulation) look(a, b int32) (first edge, point int32) {
	pa, pb := d.pts[a], d.pts[b]
	t := d.at[a]
	for {
		i := d.corner(t, a)
		right, left := d.tri[t].v[(i+1)%3], d.tri[t].v[(i+2)%3]
		if right == b {
			return edge{}, b
		}
		if d.on(pa, pb, right) {
			return edge{}, right
		}
		if orient(pa, pb, d.pts[right]) < 0 && orient(pa, pb, d.pts[left]) > 0 {
			if left == b || d.on(pa, pb, left) {
				return edge{}, left
			}
			return edge{t, i}, -1
		}
		t = d.tri[t].n[(i+1)%3]
	}
}

// corner is which of the triangle's points v is.
func (d *triangulation) corner(t, v int32) int {
	switch v {
	case d.tri[t].v[0]:
		return 0
	case d.tri[t].v[1]:
		return 1
	}
	return 2
}

// on tells whether a point lies between two places, or so near to the line that it
// was meant to.
func (d *triangulation) on(pa, pb space.XY, v int32) bool {
	ab, av := pb.Sub(pa), d.pts[v].Sub(pa)
	t, length2 := ab.Dot(av), ab.Dot(ab)
	if t <= 0 || t >= length2 {
		return false
	}
	off := ab.Cross(av)
	return off*off <= d.near2*length2 || orient(pa, pb, d.pts[v]) == 0
}

// march goes along a strip from the first edge that it crosses to the first point
// on it, collecting the edges, or to the first with a fence, when the point is −1.
func (d *triangulation) march(e edge, s strip) (point int32, hit edge) {
	pa, pb := d.pts[s.a], d.pts[s.b]
	for {
		tri := &d.tri[e.t]
		if tri.fence[e.i] != 0 {
			return -1, e
		}
		d.crossed = append(d.crossed, pair{tri.v[(e.i+1)%3], tri.v[(e.i+2)%3]})
		u := tri.n[e.i]
		j := d.sideOf(u, e.t)
		v := d.tri[u].v[j]
		if v == s.b || d.on(pa, pb, v) {
			return v, edge{}
		}
		if orient(pa, pb, d.pts[v]) > 0 {
			// The strip leaves between the point on the right and this one.
			e = edge{u, (j + 1) % 3}
		} else {
			e = edge{u, (j + 2) % 3}
		}
	}
}

// cross puts a point where a strip crosses a fence, and leaves both halves of both
// among the tasks.
func (d *triangulation) cross(hit edge, s strip) error {
	tri := d.tri[hit.t]
	x, y := tri.v[(hit.i+1)%3], tri.v[(hit.i+2)%3]
	if x > y {
		x, y = y, x
	}
	w := d.fences[tri.fence[hit.i]]
	d.tri[hit.t].fence[hit.i] = 0
	u := tri.n[hit.i]
	d.tri[u].fence[d.sideOf(u, hit.t)] = 0
	d.near = hit.t
	m, err := d.insertNear(crossing(d.pts[s.a], d.pts[s.b], d.pts[x], d.pts[y]))
	if err != nil {
		return err
	}
	d.tasks = append(d.tasks, strip{m, s.b, s.w}, strip{s.a, m, s.w}, strip{m, y, w}, strip{x, m, w})
	return nil
}

// crossing is where the segments a–b and c–d cross, rounded.
func crossing(a, b, c, d space.XY) space.XY {
	ab, cd := b.Sub(a), d.Sub(c)
	part, whole := c.Sub(a).Cross(cd), ab.Cross(cd)
	// Multiplied before it is divided: small whole numbers cross where they should.
	p := space.XY{X: a.X + ab.X*part/whole, Y: a.Y + ab.Y*part/whole}
	if math.IsNaN(p.X) || math.IsNaN(p.Y) {
		p = a
	}
	// Within the boxes of both, also when they are next to parallel.
	p.X = clamp(p.X, max(min(a.X, b.X), min(c.X, d.X)), min(max(a.X, b.X), max(c.X, d.X)))
	p.Y = clamp(p.Y, max(min(a.Y, b.Y), min(c.Y, d.Y)), min(max(a.Y, b.Y), max(c.Y, d.Y)))
	return settled(p)
}

func clamp(v, low, high float64) float64 { return min(max(v, low), high) }

// clear flips away the edges that lie across the way from a to b until there is an
// edge between the two (Sloan, "A fast algorithm for generating constrained
// Delaunay triangulations", 1993).
func (d *triangulation) clear(a, b int32) {
	pa, pb := d.pts[a], d.pts[b]
	d.fresh = d.fresh[:0]
	for k := 0; k < len(d.crossed); k++ {
		p := d.crossed[k]
		e := d.find(p.a, p.b)
		tri := &d.tri[e.t]
		u := tri.n[e.i]
		v, o := tri.v[e.i], d.tri[u].v[d.sideOf(u, e.t)]
		x, y := tri.v[(e.i+1)%3], tri.v[(e.i+2)%3]
		if orient(d.pts[v], d.pts[o], d.pts[x]) >= 0 || orient(d.pts[v], d.pts[o], d.pts[y]) <= 0 {
			// Not yet convex: its turn comes again.
			d.crossed = append(d.crossed, p)
			continue
		}
		d.flip(e.t, e.i)
		across := v != a && v != b && o != a && o != b &&
			orient(pa, pb, d.pts[v])*orient(pa, pb, d.pts[o]) < 0
		if across {
			d.crossed = append(d.crossed, pair{v, o})
		} else {
			d.fresh = append(d.fresh, pair{v, o})
		}
	}
	for _, p := range d.fresh {
		e := d.find(p.a, p.b)
		d.suspects = append(d.suspects, e)
	}
}

// find is the edge between two points that have one, on whichever side. Only one
// of them may be among the first four, which have no triangles all about them.
func (d *triangulation) find(a, b int32) edge {
	if a < outer {
		a, b = b, a
	}
	t := d.at[a]
	for {
		i := d.corner(t, a)
		if d.tri[t].v[(i+1)%3] == b {
			return edge{t, (i + 2) % 3}
		}
		if d.tri[t].v[(i+2)%3] == b {
			return edge{t, (i + 1) % 3}
		}
		t = d.tri[t].n[(i+1)%3]
	}
}

// addFence adds windings, meant from a to b, to the edge between the two.
func (d *triangulation) addFence(a, b int32, w []winding) {
	if a > b {
		w = reversed(w)
	}
	e := d.find(a, b)
	all := slices.Clone(d.fences[d.tri[e.t].fence[e.i]])
	for _, one := range w {
		k := slices.IndexFunc(all, func(o winding) bool { return o.obstacle == one.obstacle })
		if k < 0 {
			all = append(all, one)
		} else if all[k].turns += one.turns; all[k].turns == 0 {
			all = slices.Delete(all, k, k+1)
		}
	}
	d.setFence(e, all)
}

// setFence sets what both sides of an edge know of its fence.
func (d *triangulation) setFence(e edge, w []winding) {
	f := int32(0)
	if len(w) > 0 {
		f = int32(len(d.fences))
		d.fences = append(d.fences, w)
	}
	d.tri[e.t].fence[e.i] = f
	if u := d.tri[e.t].n[e.i]; u >= 0 {
		d.tri[u].fence[d.sideOf(u, e.t)] = f
	}
}

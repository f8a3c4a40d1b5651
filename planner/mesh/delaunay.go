package mesh

import (
	"cmp"
	"errors"
	"math"
	"slices"

	"github.com/kapok-fleet/kapok/planner/space"
)

// triangulation covers a square about all points with triangles, as Delaunay
// would: points are put in one by one, and edges flipped until each circle is
// empty (Lawson, "Software for C1 surface interpolation", 1977). Edges with a
// fence are never flipped.
type triangulation struct {
	pts []space.XY
	tri []triangle
	// at is some triangle at each point.
	at []int32
	// fences[0] stands for no fence.
	fences [][]winding
	// suspects are edges that may have to be flipped.
	suspects []edge
	// near is where the next search for a point begins.
	near int32
	// near2 is the square of how near is on.
	near2 float64
	// corners is the greatest number of points.
	corners int
	tasks   []strip
	crossed []pair
	fresh   []pair
}

// triangle has its points counter-clockwise. Neighbour n[i] and fence[i] are
// those of the edge opposite to point i, from point i+1 to point i+2; -1 is no
// neighbour.
type triangle struct {
	v, n, fence [3]int32
}

// outer is how many points are those of the square itself.
const outer = 4

// edge is the one of a triangle opposite to its point i.
type edge struct {
	t int32
	i int
}

// pair is an edge by its points.
type pair struct{ a, b int32 }

// errTooMany is what is wrong with a triangulation that would grow too large.
var errTooMany = errors.New("the obstacles and their crossings have too many corners")

// triangulate covers the box and much around it.
func triangulate(box space.Box, corners int) *triangulation {
	size := max(box.Max.X-box.Min.X, box.Max.Y-box.Min.Y, 1)
	around := box.Grow(size)
	d := &triangulation{fences: make([][]winding, 1), corners: corners + outer}
	d.near2 = size * size * nearPart * nearPart
	d.pts = append(d.pts, around.Min, space.XY{X: around.Max.X, Y: around.Min.Y}, around.Max, space.XY{X: around.Min.X, Y: around.Max.Y})
	d.tri = append(d.tri,
		triangle{v: [3]int32{0, 1, 2}, n: [3]int32{-1, 1, -1}},
		triangle{v: [3]int32{0, 2, 3}, n: [3]int32{-1, -1, 0}})
	d.at = append(d.at, 0, 0, 0, 1)
	return d
}

// insertAll puts the points in and returns the number of each. They come in an
// order in which neighbours follow each other, so that each is found at once.
func (d *triangulation) insertAll(points []space.XY) ([]int32, error) {
	box := space.BoxOf(points...)
	rows := max(1, math.Sqrt(float64(len(points))/4))
	cell := max(box.Max.X-box.Min.X, box.Max.Y-box.Min.Y) / rows
	order := make([]int32, len(points))
	for i := range order {
		order[i] = int32(i)
	}
	row := func(p space.XY) int {
		if cell <= 0 {
			return 0
		}
		return int((p.Y - box.Min.Y) / cell)
	}
	slices.SortFunc(order, func(i, k int32) int {
		p, q := points[i], points[k]
		r := row(p)
		if c := cmp.Compare(r, row(q)); c != 0 {
			return c
		}
		if r%2 == 1 {
			p, q = q, p
		}
		return cmp.Or(cmp.Compare(p.X, q.X), cmp.Compare(p.Y, q.Y))
	})
	ids := make([]int32, len(points))
	for _, i := range order {
		id, err := d.insert(points[i])
		if err != nil {
			return nil, err
		}
		ids[i] = id
	}
	return ids, nil
}

// insert puts a point in and returns its number, that of the point there already
// if there is one.
func (d *triangulation) insert(p space.XY) (int32, error) {
	t, zeros, on := d.locate(p)
	if zeros >= 2 {
		for _, v := range d.tri[t].v {
			if d.pts[v] == p {
				return v, nil
			}
		}
	}
	if len(d.pts) >= d.corners {
		return 0, errTooMany
	}
	v := int32(len(d.pts))
	d.pts = append(d.pts, p)
	d.at = append(d.at, t)
	if zeros == 1 {
		d.splitEdge(t, on, v)
	} else {
		d.splitFace(t, v)
	}
	d.near = d.at[v]
	d.legalize()
	return v, nil
}

// insertNear is insert, but for a point next to another, which then is taken for
// it.
func (d *triangulation) insertNear(p space.XY) (int32, error) {
	t, _, _ := d.locate(p)
	for _, v := range d.tri[t].v {
		if off := d.pts[v].Sub(p); off.Dot(off) <= d.near2 {
			return v, nil
		}
	}
	return d.insert(p)
}

// locate finds a triangle that holds p, on how many of whose edges p lies, and
// the last of them.
func (d *triangulation) locate(p space.XY) (t int32, zeros, on int) {
	t = d.near
	for step := range 4*len(d.tri) + 16 {
		next := int32(-1)
		zeros = 0
		tri := &d.tri[t]
		for k := range 3 {
			// Where to look first changes, so that the walk cannot go in circles
			// for long among triangles that are not Delaunay's.
			i := (k + step) % 3
			switch orient(d.pts[tri.v[(i+1)%3]], d.pts[tri.v[(i+2)%3]], p) {
			case -1:
				next = tri.n[i]
			case 0:
				zeros, on = zeros+1, i
				continue
			default:
				continue
			}
			break
		}
		if next < 0 {
			return t, zeros, on
		}
		t = next
	}
	return d.locateSlowly(p)
}

// locateSlowly looks at every triangle.
func (d *triangulation) locateSlowly(p space.XY) (t int32, zeros, on int) {
	for t := range d.tri {
		tri, outside := &d.tri[t], false
		zeros = 0
		for i := range 3 {
			switch orient(d.pts[tri.v[(i+1)%3]], d.pts[tri.v[(i+2)%3]], p) {
			case -1:
				outside = true
			case 0:
				zeros, on = zeros+1, i
			}
		}
		if !outside {
			return int32(t), zeros, on
		}
	}
	return 0, 0, 0
}

// splitFace makes three triangles of one.
func (d *triangulation) splitFace(t, v int32) {
	old := d.tri[t]
	a, b, c := old.v[0], old.v[1], old.v[2]
	t1, t2 := int32(len(d.tri)), int32(len(d.tri)+1)
	d.tri[t] = triangle{v: [3]int32{v, b, c}, n: [3]int32{old.n[0], t1, t2}, fence: [3]int32{old.fence[0], 0, 0}}
	d.tri = append(d.tri,
		triangle{v: [3]int32{v, c, a}, n: [3]int32{old.n[1], t2, t}, fence: [3]int32{old.fence[1], 0, 0}},
		triangle{v: [3]int32{v, a, b}, n: [3]int32{old.n[2], t, t1}, fence: [3]int32{old.fence[2], 0, 0}})
	d.adopt(old.n[1], t, t1)
	d.adopt(old.n[2], t, t2)
	d.at[v], d.at[b], d.at[c], d.at[a] = t, t, t, t1
	d.suspects = append(d.suspects, edge{t, 0}, edge{t1, 0}, edge{t2, 0})
}

// splitEdge makes two triangles of each of the two at an edge.
func (d *triangulation) splitEdge(t int32, i int, v int32) {
	old := d.tri[t]
	u := old.n[i]
	a, b, c := old.v[i], old.v[(i+1)%3], old.v[(i+2)%3]
	j := d.sideOf(u, t)
	other := d.tri[u]
	e := other.v[j]
	fence := old.fence[i]
	t1, u1 := int32(len(d.tri)), int32(len(d.tri)+1)
	ab, ca := (i+2)%3, (i+1)%3
	be, ec := (j+1)%3, (j+2)%3
	d.tri[t] = triangle{v: [3]int32{v, a, b}, n: [3]int32{old.n[ab], u, t1}, fence: [3]int32{old.fence[ab], fence, 0}}
	d.tri[u] = triangle{v: [3]int32{v, b, e}, n: [3]int32{other.n[be], u1, t}, fence: [3]int32{other.fence[be], 0, fence}}
	d.tri = append(d.tri,
		triangle{v: [3]int32{v, c, a}, n: [3]int32{old.n[ca], t, u1}, fence: [3]int32{old.fence[ca], 0, fence}},
		triangle{v: [3]int32{v, e, c}, n: [3]int32{other.n[ec], t1, u}, fence: [3]int32{other.fence[ec], fence, 0}})
	d.refence(t, 1, b, c)
	d.refence(t1, 2, b, c)
	d.adopt(old.n[ca], t, t1)
	d.adopt(other.n[ec], u, u1)
	d.at[v], d.at[a], d.at[b], d.at[c], d.at[e] = t, t, t, t1, u
	d.suspects = append(d.suspects, edge{t, 0}, edge{t1, 0}, edge{u, 0}, edge{u1, 0})
}

// refence gives half of an edge that was split, which ran between b and c, a fence
// of its own, since fences run from the lower to the higher number.
func (d *triangulation) refence(t int32, i int, b, c int32) {
	tri := &d.tri[t]
	if tri.fence[i] == 0 {
		return
	}
	whole := d.fences[tri.fence[i]]
	c = max(b, c)
	// The new point has the highest number of all: the half at b runs from b as
	// the whole did, the half at c from c, which is the other way.
	from := tri.v[(i+1)%3]
	if tri.v[(i+2)%3] < from {
		from = tri.v[(i+2)%3]
	}
	half := slices.Clone(whole)
	if from == c {
		half = reversed(half)
	}
	d.setFence(edge{t, i}, half)
}

// adopt tells triangle t that its neighbour is now another.
func (d *triangulation) adopt(t, was, is int32) {
	if t >= 0 {
		d.tri[t].n[d.sideOf(t, was)] = is
	}
}

// sideOf is the edge of t whose neighbour is u.
func (d *triangulation) sideOf(t, u int32) int {
	n := &d.tri[t].n
	switch u {
	case n[0]:
		return 0
	case n[1]:
		return 1
	}
	return 2
}

// flip turns an edge between two triangles, which together must be convex.
// Afterwards the point that was opposite to the edge is the first of both.
func (d *triangulation) flip(t int32, i int) {
	old := d.tri[t]
	u := old.n[i]
	j := d.sideOf(u, t)
	other := d.tri[u]
	a, b, c, e := old.v[i], old.v[(i+1)%3], old.v[(i+2)%3], other.v[j]
	ab, ca := (i+2)%3, (i+1)%3
	be, ec := (j+1)%3, (j+2)%3
	d.tri[t] = triangle{v: [3]int32{a, b, e}, n: [3]int32{other.n[be], u, old.n[ab]}, fence: [3]int32{other.fence[be], 0, old.fence[ab]}}
	d.tri[u] = triangle{v: [3]int32{a, e, c}, n: [3]int32{other.n[ec], old.n[ca], t}, fence: [3]int32{other.fence[ec], old.fence[ca], 0}}
	d.adopt(other.n[be], u, t)
	d.adopt(old.n[ca], t, u)
	d.at[a], d.at[b], d.at[e], d.at[c] = t, t, t, u
}

// legalize flips until no suspect is left.
func (d *triangulation) legalize() {
	for len(d.suspects) > 0 {
		e := d.suspects[len(d.suspects)-1]
		d.suspects = d.suspects[:len(d.suspects)-1]
		tri := &d.tri[e.t]
		u := tri.n[e.i]
		if u < 0 || tri.fence[e.i] != 0 {
			continue
		}
		opposite := d.tri[u].v[d.sideOf(u, e.t)]
		if !surelyInCircle(d.pts[tri.v[0]], d.pts[tri.v[1]], d.pts[tri.v[2]], d.pts[opposite]) {
			continue
		}
		d.flip(e.t, e.i)
		d.suspects = append(d.suspects, edge{e.t, 0}, edge{e.t, 2}, edge{u, 0}, edge{u, 1})
	}
}

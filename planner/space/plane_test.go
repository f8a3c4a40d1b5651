package space

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSegments(t *testing.T) {
	a, b := XY{0, 0}, XY{10, 0}
	for _, c := range []struct {
		name  string
		c, d  XY
		cross bool
		dist  float64
	}{
		{"crossing", XY{5, -1}, XY{5, 1}, true, 0},
		{"touching at an end", XY{10, 0}, XY{12, 5}, true, 0},
		{"touching in the middle", XY{5, 0}, XY{5, 9}, true, 0},
		{"overlapping", XY{5, 0}, XY{20, 0}, true, 0},
		{"in line, apart", XY{13, 0}, XY{20, 0}, false, 3},
		{"parallel", XY{0, 4}, XY{10, 4}, false, 4},
		{"askew", XY{13, 4}, XY{20, 9}, false, 5},
		{"a point on it", XY{3, 0}, XY{3, 0}, true, 0},
		{"a point beside it", XY{3, 2}, XY{3, 2}, false, 2},
	} {
		for _, flip := range []bool{false, true} {
			p, q, r, s := a, b, c.c, c.d
			if flip {
				p, q, r, s = s, r, q, p
			}
			if got := SegmentsCross(p, q, r, s); got != c.cross {
				t.Errorf("%s: cross %v", c.name, got)
			}
			if got := SegmentsDist(p, q, r, s); math.Abs(got-c.dist) > 1e-12 {
				t.Errorf("%s: distance %g, want %g", c.name, got, c.dist)
			}
		}
	}
	if at, tt := ClosestOnSegment(XY{2.5, 7}, a, b); at != (XY{2.5, 0}) || tt != 0.25 {
		t.Errorf("closest %v at %g", at, tt)
	}
	if at, tt := ClosestOnSegment(XY{2.5, 7}, a, a); at != a || tt != 0 {
		t.Errorf("closest on a point %v at %g", at, tt)
	}
}

func TestRings(t *testing.T) {
	// An L, open and closed: the even-odd rule does not mind.
	l := []XY{{0, 0}, {10, 0}, {10, 4}, {4, 4}, {4, 10}, {0, 10}}
	hole := []XY{{1, 1}, {3, 1}, {3, 3}, {1, 3}}
	for _, ring := range [][]XY{l, append(slices.Clone(l), l[0])} {
		for _, c := range []struct {
			p       XY
			in, net bool
		}{
			{XY{2, 2}, true, false},
			{XY{8, 2}, true, true},
			{XY{8, 8}, false, false},
			{XY{-1, 4}, false, false},
			{XY{2, 9}, true, true},
		} {
			if InRing(ring, c.p) != c.in || InRings([][]XY{ring, hole}, c.p) != c.net {
				t.Errorf("%v: in %v, net of the hole %v", c.p, InRing(ring, c.p), InRings([][]XY{ring, hole}, c.p))
			}
		}
		if area := RingArea(ring); area != 64 {
			t.Errorf("area %g, want 64", area)
		}
		if d := RingDist(ring, XY{8, 8}); d != 4 {
			t.Errorf("distance %g, want 4", d)
		}
	}
	if InRing(nil, XY{}) || InRings(nil, XY{}) || !math.IsInf(RingDist(nil, XY{}), 1) || RingArea(nil) != 0 {
		t.Error("an empty ring is not empty")
	}
}

func TestBox(t *testing.T) {
	empty := EmptyBox()
	box := BoxOf(XY{3, 1}, XY{1, 4})
	if !empty.Empty() || box.Empty() || empty.Intersects(box) || box.Union(empty) != box || empty.Union(box) != box {
		t.Errorf("empty %v, box %v", empty, box)
	}
	if box != (Box{XY{1, 1}, XY{3, 4}}) || box.Centre() != (XY{2, 2.5}) || box.Grow(1) != (Box{XY{0, 0}, XY{4, 5}}) {
		t.Errorf("box %v", box)
	}
	for p, want := range map[XY]float64{{2, 2}: 0, {3, 4}: 0, {6, 8}: 5, {2, 0}: 1} {
		if d := box.Dist(p); d != want || box.Contains(p) != (want == 0) {
			t.Errorf("%v is %g from the box, want %g", p, d, want)
		}
	}
	if !box.Intersects(BoxOf(XY{3, 4}, XY{9, 9})) || box.Intersects(BoxOf(XY{3.1, 4}, XY{9, 9})) {
		t.Error("touching boxes intersect, others do not")
	}
}

// TestGridAgainstAllPoints plays random moves on the grid and on a plain list.
func TestGridAgainstAllPoints(t *testing.T) {
	const seed = 5
	rng := rand.New(rand.NewPCG(seed, 0))
	grid := NewGrid(50)
	points := map[int]XY{}
	for step := range 3000 {
		handle := rng.IntN(200)
		at := XY{(rng.Float64() - 0.5) * 1000, (rng.Float64() - 0.5) * 1000}
		_, known := points[handle]
		switch rng.IntN(4) {
		case 0:
			if grid.Remove(handle) != known {
				t.Fatalf("seed %d step %d: Remove(%d) is not %v", seed, step, handle, known)
			}
			delete(points, handle)
		case 1:
			if grid.Move(handle, at) != known {
				t.Fatalf("seed %d step %d: Move(%d) is not %v", seed, step, handle, known)
			}
			if known {
				points[handle] = at
			}
		default:
			grid.Insert(handle, at)
			points[handle] = at
		}
		centre := XY{(rng.Float64() - 0.5) * 1000, (rng.Float64() - 0.5) * 1000}
		radius := math.Pow(10, rng.Float64()*4)
		want := []int{-7}
		nearest, nearestM := -1, math.Inf(1)
		for h := range 200 {
			p, ok := points[h]
			if !ok {
				continue
			}
			if d := p.Dist(centre); d <= radius {
				want = append(want, h)
				if d < nearestM {
					nearest, nearestM = h, d
				}
			}
		}
		if got := grid.Within(centre, radius, []int{-7}); !slices.Equal(got, want) {
			t.Fatalf("seed %d step %d: within %g m: %v, want %v", seed, step, radius, got, want)
		}
		got, gotM, ok := grid.Nearest(centre, radius)
		if ok != (nearest >= 0) || ok && (got != nearest || gotM != nearestM) {
			t.Fatalf("seed %d step %d: nearest %d at %g m, want %d at %g m", seed, step, got, gotM, nearest, nearestM)
		}
		if grid.Len() != len(points) {
			t.Fatalf("seed %d step %d: %d points, want %d", seed, step, grid.Len(), len(points))
		}
	}
}

func TestGridTakesOddInput(t *testing.T) {
	grid := NewGrid(math.NaN())
	if grid.Insert(-1, XY{}) || grid.Insert(1, XY{math.NaN(), 0}) || grid.Insert(1, XY{0, math.Inf(1)}) || grid.Move(3, XY{}) {
		t.Error("the grid takes what it should not")
	}
	if _, _, ok := grid.Nearest(XY{}, math.Inf(1)); ok {
		t.Error("an empty grid has a nearest point")
	}
	grid.Insert(2, XY{1e15, -1e15})
	grid.Insert(1, XY{1e15, -1e15})
	if got := grid.Within(XY{1e15, -1e15}, 1, nil); !slices.Equal(got, []int{1, 2}) {
		t.Errorf("far away: %v", got)
	}
	if h, _, ok := grid.Nearest(XY{}, math.Inf(1)); !ok || h != 1 {
		t.Errorf("nearest of equals is %d, %v", h, ok)
	}
	if got := grid.Within(XY{}, math.NaN(), nil); got != nil {
		t.Errorf("within NaN: %v", got)
	}
	if at, ok := grid.At(2); !ok || at.X != 1e15 {
		t.Errorf("handle 2 is at %v, %v", at, ok)
	}
}

func BenchmarkGridMove(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 0))
	grid := NewGrid(100)
	at := make([]XY, 5000)
	for h := range at {
		at[h] = XY{rng.Float64() * 20000, rng.Float64() * 20000}
		grid.Insert(h, at[h])
	}
	for i := 0; b.Loop(); i++ {
		h := i % len(at)
		at[h].X += 5
		grid.Move(h, at[h])
	}
}

func BenchmarkFrameXY(b *testing.B) {
	frame := NewFrame([2]float64{113.93, 22.51})
	for b.Loop() {
		frame.XY([2]float64{113.94, 22.52})
	}
}

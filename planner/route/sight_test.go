package route

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/kapok-fleet/kapok/planner/space"
)

// yard is a field of obstacles without times, looked at one by one.
type yard struct{ s *shapes }

func (y yard) obstacles() int { return y.s.count() }

func (yard) lagged() (lagM, lastM float64) { return 0, 0 }

func (yard) slowedBy(dst []int32) []int32 { return dst }

func (y yard) blocked(_, _ int32, from, to space.XY, _ float64) (int32, bool) {
	for i := range int32(y.s.count()) {
		if y.s.closer(i, from, to, ClearanceM-slackM) {
			return i, true
		}
	}
	return -1, false
}

func (y yard) offset(id int32, dst []corner) []corner { return y.s.corners(id, ClearanceM, dst) }

func (y yard) covers(id int32, at space.XY) bool {
	return y.s.closer(id, at, at, ClearanceM-slackM) || y.s.inside(id, at)
}

func (y yard) toLeave(space.XY) float64 { return 0 }

func (y yard) feet(_ space.XY, dst []space.XY) []space.XY { return dst }

func (y yard) free(at space.XY) bool {
	for i := range int32(y.s.count()) {
		if y.covers(i, at) {
			return false
		}
	}
	return true
}

// randomYard has obstacles of all sorts: triangles, long walls, stars with
// deep notches, some overlapping.
func randomYard(r *rand.Rand, n int) yard {
	y := yard{newShapes()}
	for range n {
		at := space.XY{X: 1000 * r.Float64(), Y: 1000 * r.Float64()}
		k := 3 + r.IntN(8)
		size, shift := 10+90*r.Float64(), r.Float64()
		var ring []space.XY
		for i := range k {
			a := (float64(i) + shift + 0.5*r.Float64()) / float64(k) * 2 * math.Pi
			d := size * (0.3 + 0.7*r.Float64())
			ring = append(ring, space.XY{X: at.X + d*math.Cos(a), Y: at.Y + 0.5*d*math.Sin(a)})
		}
		y.s.add([][]space.XY{ring}, false)
	}
	return y
}

// exhaustive is the length of the shortest way over all corners of all
// obstacles, by Dijkstra's algorithm on the whole visibility graph.
func (y yard) exhaustive(start, goal space.XY) float64 {
	spots := []corner{{at: start}, {at: goal}}
	for i := range int32(y.s.count()) {
		spots = y.s.corners(i, ClearanceM, spots)
	}
	best := make([]float64, len(spots))
	done := make([]bool, len(spots))
	for i := range best {
		best[i] = math.Inf(1)
	}
	best[0] = 0
	for {
		at := -1
		for i := range spots {
			if !done[i] && !math.IsInf(best[i], 1) && (at < 0 || best[i] < best[at]) {
				at = i
			}
		}
		if at < 0 || at == 1 {
			return best[1]
		}
		done[at] = true
		for j := range spots {
			d := best[at] + spots[at].at.Dist(spots[j].at)
			if !done[j] && d < best[j] {
				if id, _ := y.blocked(0, 0, spots[at].at, spots[j].at, 0); id < 0 {
					best[j] = d
				}
			}
		}
	}
}

func TestSightFindsTheShortestWay(t *testing.T) {
	bent, none := 0, 0
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		y := randomYard(r, 10+r.IntN(40))
		var ends []space.XY
		for len(ends) < 2 {
			if at := (space.XY{X: 1000 * r.Float64(), Y: 1000 * r.Float64()}); y.free(at) {
				ends = append(ends, at)
			}
		}
		var s sight
		budget := math.MaxInt
		got, ok := s.search(y, ends[0], ends[1], math.Inf(1), &budget)
		want := y.exhaustive(ends[0], ends[1])
		if !ok {
			got = math.Inf(1)
			none++
		}
		if got != want && math.Abs(got-want) > 1e-6*want {
			t.Errorf("seed %d: found %.3f m, the shortest is %.3f m (go test -run TestSightFindsTheShortestWay ./planner/route)", seed, got, want)
		}
		if len(s.bendsOf(nil)) > 0 {
			bent++
		}
	}
	if bent < 20 || none > 20 {
		t.Errorf("%d ways bent and %d none: the yards test little", bent, none)
	}
}

func TestHeapGivesItsEntriesInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	var h heap
	for range 500 {
		h.push(entry{f: float64(r.IntN(20)), g: float64(r.IntN(5)), to: r.Int32N(9), from: r.Int32N(9)})
	}
	last := h.pop()
	for len(h) > 0 {
		e := h.pop()
		if e.before(last) {
			t.Fatalf("%v came after %v", e, last)
		}
		last = e
	}
}

func TestIndexFindsWhatALookAtEachBoxFinds(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		boxes := make([]space.Box, 200)
		for i := range boxes {
			at := space.XY{X: 3000 * r.Float64(), Y: 900 * r.Float64()}
			boxes[i] = space.BoxOf(at, space.XY{X: at.X + 80*r.Float64(), Y: at.Y + 80*r.Float64()})
		}
		ix := newIndex(boxes, 64)
		var s seen
		for range 50 {
			p := space.XY{X: 3400*r.Float64() - 200, Y: 1300*r.Float64() - 200}
			q := space.XY{X: 3400*r.Float64() - 200, Y: 1300*r.Float64() - 200}
			s.reset(len(boxes))
			found := map[int32]bool{}
			for _, i := range ix.along(p, q, 10, &s, nil) {
				if found[i] {
					t.Fatalf("seed %d: box %d came twice", seed, i)
				}
				found[i] = true
			}
			for i, b := range boxes {
				if meets(b.Grow(10), p, q) && !found[int32(i)] {
					t.Fatalf("seed %d: %v–%v misses box %d %v", seed, p, q, i, b)
				}
			}
		}
	}
}

// meets tells whether a segment has a point in a box.
func meets(b space.Box, p, q space.XY) bool {
	c := [4]space.XY{b.Min, {X: b.Max.X, Y: b.Min.Y}, b.Max, {X: b.Min.X, Y: b.Max.Y}}
	for i := range c {
		if space.SegmentsCross(p, q, c[i], c[(i+1)%4]) {
			return true
		}
	}
	return b.Contains(p)
}
